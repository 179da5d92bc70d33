//! What differs between the models of this dialect. Vendor's page: `v2/docs/models`.

/// Whether a model thinks before it answers, and so takes `thinking` and thoughts in a conversation.
/// Vendor's page: `v2/docs/reasoning`.
pub(super) fn reasons(model: &str) -> bool {
    model.contains("reasoning") || model.contains("command-a-plus")
}
