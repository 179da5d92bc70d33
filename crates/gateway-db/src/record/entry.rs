//! An entry of the configuration that is kept in the database.

use std::fmt;

use super::JsonMap;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A deployment: an entry of `model_list`, whose `litellm_params` are its secret part.
    Model,
    /// A credential: an entry of `credential_list`, whose `credential_values` are its secret part.
    Credential,
    /// A setting that holds instead of the file's, in clear; nothing of it is secret.
    Setting,
}

impl EntryKind {
    /// Its name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Credential => "credential",
            Self::Setting => "setting",
        }
    }
}

/// One entry. Times are Unix milliseconds.
#[derive(Clone, PartialEq)]
pub struct ConfigEntry {
    /// What it is.
    pub kind: EntryKind,
    /// Its id: a deployment's id, a credential's name.
    pub id: String,
    /// What calls ask for: a deployment's model group; a credential's name.
    pub name: String,
    /// What is sealed in the database.
    pub secret: JsonMap,
    /// What is in clear: `model_info`, `credential_info`.
    pub info: JsonMap,
    /// Whether calls are refused.
    pub blocked: bool,
    /// When it was made.
    pub created_at: i64,
    /// Who made it.
    pub created_by: Option<String>,
    /// When it was changed.
    pub updated_at: i64,
    /// Who changed it.
    pub updated_by: Option<String>,
}

/// What is secret is not shown.
impl fmt::Debug for ConfigEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigEntry")
            .field("kind", &self.kind)
            .field("id", &self.id)
            .field("name", &self.name)
            .field("info", &self.info)
            .field("blocked", &self.blocked)
            .finish_non_exhaustive()
    }
}
