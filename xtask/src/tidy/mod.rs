//! What no compiler checks: who may import whom, how long things are, what a file must begin with,
//! where links lead.

mod functions;
mod layers;
mod names;
mod sizes;
#[cfg(test)]
mod tests;
mod text;

use crate::root;

/// A file of the project with its text.
#[derive(Debug)]
struct File {
    /// Relative to the root.
    path: String,
    text: String,
}

/// Runs every check; the faults of all of them together.
pub(crate) fn run() -> Result<String, String> {
    let files = load()?;
    let mut faults = Vec::new();
    layers::check(&layers::packages()?, &mut faults);
    let sizes = sizes::check(&files, &mut faults);
    text::check(&files, &mut faults);
    names::check(&files, &mut faults);
    if faults.is_empty() {
        return Ok(format!("tidy: {} files. {sizes}", files.len()));
    }
    Err(format!("tidy found {} faults:\n  {}", faults.len(), faults.join("\n  ")))
}

/// Every text file; links to files are their target's business.
fn load() -> Result<Vec<File>, String> {
    let mut files = Vec::new();
    for path in root::files()? {
        let full = root::path(&path);
        if full.is_symlink() {
            continue;
        }
        let bytes = std::fs::read(&full).map_err(|error| format!("cannot read {path}: {error}"))?;
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(File { path, text });
        }
    }
    Ok(files)
}
