//! The administrator's key when nobody chose one: made once, kept in a file only its owner can read.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use llm_types::Secret;

/// The file's name in the data folder.
const FILE: &str = "master-key";

/// The key, where it is kept, and whether it is new.
#[derive(Debug)]
pub(crate) struct MasterKey {
    /// The key, `sk-` and 22 characters as LiteLLM's.
    pub(crate) secret: Secret,
    /// The file it is kept in.
    pub(crate) path: PathBuf,
    /// True when it was made just now: the one time it is shown.
    pub(crate) is_new: bool,
}

impl MasterKey {
    /// Reads the key of a data folder, or makes one. The folder must exist.
    ///
    /// # Errors
    /// What the file system or the source of randomness failed with, or `InvalidData` when the file
    /// holds no key.
    pub(crate) fn load_or_make(folder: &Path) -> io::Result<Self> {
        let path = folder.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => Self::read(text.trim(), path),
            Err(error) if error.kind() == ErrorKind::NotFound => Self::make(path),
            Err(error) => Err(error),
        }
    }

    fn read(text: &str, path: PathBuf) -> io::Result<Self> {
        if !text.starts_with("sk-") || text.len() < 16 {
            let message = format!("`{}` holds no key: remove it to have one made", path.display());
            return Err(io::Error::new(ErrorKind::InvalidData, message));
        }
        Ok(Self { secret: Secret::new(text.to_owned()), path, is_new: false })
    }

    fn make(path: PathBuf) -> io::Result<Self> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
        let secret = format!("sk-{}", URL_SAFE_NO_PAD.encode(random));
        let mut file = private(&path)?;
        writeln!(file, "{secret}")?;
        file.sync_all()?;
        Ok(Self { secret: Secret::new(secret), path, is_new: true })
    }
}

/// A new file that only its owner can read; fails when somebody else has just made it.
fn private(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests;
