//! What a caller said that its provider is not told. A dialect leaves things out where a policy says so
//! (`drop_params`), or where there is no place for them and the answer does not hang on them: a hint about
//! caches, the name of a speaker. Whoever asks for a request to be written can know what they were.
//!
//! Dialects note names while they write, many calls deep and seldom, so the notes are kept beside the calls
//! instead of being passed through all of them. Writing is synchronous: notes of two requests never mix.

use std::borrow::Cow;
use std::cell::RefCell;

/// The names of what was left out, each once, in the words of the caller's API (`user`, `messages.name`).
pub type LeftOut = Vec<Cow<'static, str>>;

/// The most names that are noted: whoever sends more has been told enough.
const MOST: usize = 32;

thread_local! {
    /// The notes of the request that is being written on this thread; `None` where nobody asked for them.
    static NOTES: RefCell<Option<LeftOut>> = const { RefCell::new(None) };
}

/// Runs what writes a request, and tells what it left out.
pub fn collect<T>(write: impl FnOnce() -> T) -> (T, LeftOut) {
    let outer = NOTES.replace(Some(LeftOut::new()));
    let restore = Restore(outer);
    let written = write();
    let notes = NOTES.take().unwrap_or_default();
    drop(restore);
    (written, notes)
}

/// Notes that something is left out. Names may be a caller's own words: whoever shows them has to clean them.
pub fn note(name: impl Into<Cow<'static, str>>) {
    NOTES.with_borrow_mut(|notes| {
        let Some(notes) = notes else { return };
        let name = name.into();
        if notes.len() < MOST && !notes.contains(&name) {
            notes.push(name);
        }
    });
}

/// Gives the notes of an outer request back, however the inner one ended.
struct Restore(Option<LeftOut>);

impl Drop for Restore {
    fn drop(&mut self) {
        NOTES.set(self.0.take());
    }
}

#[cfg(test)]
mod tests;
