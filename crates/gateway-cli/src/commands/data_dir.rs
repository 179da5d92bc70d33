//! Where a gateway keeps what must last: ledger, SQLite file, generated master key.

use std::io;
use std::path::{Path, PathBuf};

use llm_types::Secret;

use crate::render::Failure;

/// The folder's name where none was chosen.
const NAME: &str = ".gateway";
/// The database's name in it.
const DATABASE: &str = "gateway.db";

/// The chosen folder, else `.gateway` beside the configuration file, else in the current directory.
pub(crate) fn of(chosen: Option<&Path>, config: Option<&Path>) -> PathBuf {
    match (chosen, config.and_then(Path::parent)) {
        (Some(folder), _) => folder.to_owned(),
        (None, Some(parent)) => parent.join(NAME),
        (None, None) => PathBuf::from(NAME),
    }
}

/// The URL of our own database in a data folder.
pub(crate) fn database(folder: &Path) -> Secret {
    Secret::new(format!("sqlite:{}", folder.join(DATABASE).display()))
}

/// Makes the folder, readable by its owner only; an existing one is left as it is.
///
/// # Errors
/// When it cannot be made or written to, with what to do.
pub(crate) fn make(folder: &Path) -> Result<(), Failure> {
    let attempt = create(folder).and_then(|()| {
        let probe = folder.join(".writable");
        std::fs::write(&probe, [])?;
        std::fs::remove_file(probe)
    });
    attempt.map_err(|error| {
        Failure::bad_input(format!("cannot write into the data folder `{}`", folder.display()))
            .because(error)
            .hint("choose another with `--data-dir` or `GATEWAY_DATA_DIR`")
    })
}

fn create(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests;
