//! What a caller brings along who has no virtual key: what an identity provider says of it.

use std::sync::Arc;

use super::KeyEntry;

/// What stands beside the entry of a caller without a key of ours.
#[derive(Debug, Default)]
pub(crate) struct Bearer {
    /// Who it is, for people.
    pub(crate) name: String,
    /// Its role, where the provider says one; it counts more than the stored user's.
    pub(crate) role: Option<String>,
    /// The end user it calls for.
    pub(crate) end_user: Option<String>,
    /// Routes it may call: every list must let a route pass.
    pub(crate) routes: Vec<Vec<String>>,
    /// Models it may use: every list must let a model pass.
    pub(crate) models: Vec<Vec<String>>,
    /// The same caller for its other teams, in order.
    pub(crate) others: Vec<Arc<KeyEntry>>,
}
