//! Which virtual key the bearer of a token calls with.

use llm_types::KeyHash;

/// A claim of tokens, and the key that stands for it. Times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenKey {
    /// Its id.
    pub id: String,
    /// The `iss` of the tokens; empty for those of every issuer.
    pub issuer: String,
    /// The path of the claim.
    pub claim: String,
    /// What it says.
    pub value: String,
    /// The key.
    pub key: KeyHash,
    /// What an operator noted of it.
    pub description: Option<String>,
    /// Whether it holds.
    pub active: bool,
    /// When it was made.
    pub created_at: i64,
    /// Who made it.
    pub created_by: Option<String>,
    /// When it was changed.
    pub updated_at: i64,
    /// Who changed it.
    pub updated_by: Option<String>,
}
