//! A token that somebody else makes: its text, or where it stands.

use std::path::PathBuf;

use llm_types::{Error, ErrorKind, Origin, Result, Secret};

/// A token and where it comes from. Files are read at each use: those who put them there replace them.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// The token itself.
    Text(Secret),
    /// A file that holds it.
    File(PathBuf),
    /// A file that holds a JSON object, and the member that is the token.
    JsonFile(PathBuf, String),
}

impl Given {
    /// The token.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`] naming the file that cannot be read or holds no token.
    pub fn read(&self) -> Result<Secret> {
        let text = match self {
            Self::Text(text) => return Ok(text.clone()),
            Self::File(path) => file(path)?,
            Self::JsonFile(path, member) => {
                let json: serde_json::Value = serde_json::from_str(&file(path)?).unwrap_or_default();
                let token = json.get(member).and_then(serde_json::Value::as_str).map(str::to_owned);
                token.ok_or_else(|| fault(format!("`{}` has no text `{member}`", path.display())))?
            }
        };
        let text = text.trim();
        if text.is_empty() {
            return Err(fault("the file of a token is empty"));
        }
        Ok(Secret::new(text.to_owned()))
    }
}

/// The text of a file.
pub(super) fn file(path: &std::path::Path) -> Result<String> {
    std::fs::read_to_string(path)
        .map_err(|why| fault(format!("`{}` cannot be read: {}", path.display(), why.kind())).with_source(why))
}

/// An error of the operator's settings or of what they point to.
pub(super) fn fault(message: impl AsRef<str>) -> Error {
    let message = format!("sign-in: {}", message.as_ref());
    Error::new(ErrorKind::Unauthenticated, message).with_origin(Origin::Gateway)
}
