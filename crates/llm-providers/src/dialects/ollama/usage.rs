//! What a call consumed. A prompt the server has in its cache is not counted by it: `prompt_eval_count` may
//! be absent.

use llm_types::Usage;

use super::wire::WireReply;
use crate::write::Object;

/// Our counting; `None` when the reply counts nothing.
pub(super) fn canonical(reply: &WireReply) -> Option<Usage> {
    if reply.prompt_eval_count.is_none() && reply.eval_count.is_none() {
        return None;
    }
    Some(Usage {
        input_tokens: reply.prompt_eval_count.unwrap_or(0),
        output_tokens: reply.eval_count.unwrap_or(0),
        ..Usage::default()
    })
}

/// Writes what was consumed, and how long the call took (the wire counts in nanoseconds).
pub(super) fn write(out: &mut Object<'_>, usage: Option<&Usage>, elapsed_ms: u64) {
    out.value("total_duration", &elapsed_ms.saturating_mul(1_000_000));
    out.value("prompt_eval_count", &usage.map_or(0, |usage| usage.input_tokens));
    out.value("eval_count", &usage.map_or(0, |usage| usage.output_tokens));
}
