//! An invitation of a user to set a password.

/// An invitation. Times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The hash of its id: whoever knows the id may set the password.
    pub id: String,
    /// Whose password it sets.
    pub user_id: String,
    /// When it was made use of.
    pub accepted_at: Option<i64>,
    /// Until when it may be.
    pub expires_at: i64,
    /// When it was made.
    pub created_at: i64,
    /// Who made it.
    pub created_by: String,
    /// When it last changed.
    pub updated_at: i64,
    /// Who changed it.
    pub updated_by: String,
}
