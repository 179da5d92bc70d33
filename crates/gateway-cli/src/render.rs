//! What people see: the only file that prints. Data goes to standard output, talk to standard error.

#![expect(clippy::print_stderr, reason = "this is the one place that prints")]

use std::error::Error;
use std::fmt::Display;
use std::io::{self, Write};
use std::sync::Arc;

use parking_lot::Mutex;

/// How a command ended, as the process says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is well.
    Success = 0,
    /// The command failed, or `--strict` found warnings.
    Failure = 1,
    /// The command line or the configuration is wrong.
    BadInput = 2,
}

/// Why a command failed, for people.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit status.
    pub(crate) exit: Exit,
    /// What happened, lower-case, no full stop.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
    /// Why it happened.
    pub(crate) source: Option<Box<dyn Error>>,
}

impl Failure {
    /// A failure of what the user gave us.
    pub(crate) fn bad_input(message: impl Into<String>) -> Self {
        Self { exit: Exit::BadInput, message: message.into(), hint: None, source: None }
    }

    /// A failure while doing it.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { exit: Exit::Failure, ..Self::bad_input(message) }
    }

    /// Says what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says why it happened.
    pub(crate) fn because(mut self, source: impl Into<Box<dyn Error>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The failure as people read it: what, why, and what to do.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("error: {}", self.message);
        let mut cause = self.source.as_deref();
        while let Some(error) = cause {
            let said = error.to_string();
            if !text.ends_with(&said) {
                text.push_str(&format!("\n  because: {said}"));
            }
            cause = error.source();
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("\n  hint: {hint}"));
        }
        text
    }
}

/// Prints data. A reader that has gone away (`| head`) is no failure.
pub(crate) fn data(text: impl Display) {
    let mut out = io::stdout().lock();
    if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
        // Nobody reads any more; there is nobody to tell either.
    }
}

/// Says something to the person at the terminal.
pub(crate) fn talk(text: impl Display) {
    eprintln!("{text}");
}

/// Where one line per call goes: standard output.
pub(crate) fn access_log() -> Arc<Mutex<dyn Write + Send>> {
    Arc::new(Mutex::new(io::stdout()))
}

/// Says why the command failed.
pub(crate) fn failure(failure: &Failure) {
    eprintln!("{}", failure.text());
}

#[cfg(test)]
mod tests;
