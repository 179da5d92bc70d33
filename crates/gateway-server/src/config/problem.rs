//! What is wrong with a configuration: where, what was found, what was expected, and what to do.

use std::fmt;

use serde::Serialize;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The gateway starts, but something the file asks for will not happen.
    Warning,
    /// The gateway cannot start with this file.
    Error,
}

/// A place in the operator's files.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// The file as it was named; empty for text without a file.
    pub file: String,
    /// The line, counted from 1; 0 when it is not known.
    pub line: usize,
}

/// One thing that is wrong. No field ever holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Whether the gateway can start.
    pub severity: Severity,
    /// The setting, such as `model_list[2].litellm_params.model`; empty for the file as a whole.
    pub path: String,
    /// Where it stands.
    pub place: Place,
    /// What was found, lower-case without a full stop.
    pub found: String,
    /// What was expected, or what happens instead.
    pub expected: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "{severity}: ")?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}", self.found)?;
        if !self.expected.is_empty() {
            write!(f, "; {}", self.expected)?;
        }
        if self.place.line > 0 {
            let file = if self.place.file.is_empty() { "line" } else { self.place.file.as_str() };
            let joint = if self.place.file.is_empty() { ' ' } else { ':' };
            write!(f, "\n  at {file}{joint}{}", self.place.line)?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}
