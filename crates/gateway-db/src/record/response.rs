//! A reply that its caller may ask for later.

use std::fmt;

/// A reply kept by id, for the key and team that made it. Times are Unix milliseconds.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct StoredResponse {
    /// The reply's id, as its caller knows it.
    pub id: String,
    /// The virtual key that made it; `None` is the operator.
    pub key_hash: Option<String>,
    /// The team of that key: its other keys may ask for the reply too.
    pub team_id: Option<String>,
    /// The model group that was asked.
    pub model_group: String,
    /// The deployment that answered, or empty while none has.
    pub deployment: String,
    /// The reply it went on from, if that one is held here too.
    pub previous: Option<String>,
    /// Whether input and reply are held here; if not, the deployment's provider has them.
    pub held: bool,
    /// The items of its input, a JSON array.
    pub input: Option<String>,
    /// The reply as its caller got it, or as far as it has come, a JSON object.
    pub reply: Option<String>,
    /// Whether its caller wants it stopped.
    pub cancel: bool,
    /// When it was made.
    pub created_at: i64,
    /// When it is forgotten.
    pub expires_at: i64,
    /// While it is made in the background: until when its maker is known to be at work. A maker renews
    /// it; a reply whose lease has run out is made by nobody any more.
    pub lease_until: Option<i64>,
}

/// Without what was said: that is the caller's.
impl fmt::Debug for StoredResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredResponse")
            .field("id", &self.id)
            .field("model_group", &self.model_group)
            .field("deployment", &self.deployment)
            .field("held", &self.held)
            .field("cancel", &self.cancel)
            .finish_non_exhaustive()
    }
}
