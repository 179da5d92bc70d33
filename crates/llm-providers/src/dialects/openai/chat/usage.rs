//! Usage records: read from what OpenAI and the vendors that follow it send, written as LiteLLM does.

use llm_types::{Money, Usage};

use crate::scan::{Item, Kind, Member};
use crate::write::Object;

/// Reads a `usage` object. Vendors differ in where they put cached and reasoning tokens and in
/// whether the answer's count holds the reasoning; arithmetic tells the latter.
pub(in crate::dialects::openai) fn read(record: Item<'_>) -> Option<Usage> {
    if record.kind != Kind::Object {
        return None;
    }
    let mut usage = Usage::default();
    let mut flat = Flat::default();
    record.members(|member| top_member(&member, &mut usage, &mut flat));
    usage.cache_read_tokens = usage.cache_read_tokens.or(flat.cache_read);
    usage.cache_write_tokens = usage.cache_write_tokens.or(flat.cache_write);
    usage.reasoning_tokens = usage.reasoning_tokens.or(flat.reasoning);
    // xAI counts reasoning beside the answer: its total is the sum of three.
    let reasoning = usage.reasoning_tokens.unwrap_or(0);
    let beside = usage.input_tokens.saturating_add(usage.output_tokens).saturating_add(reasoning);
    if reasoning > 0 && usage.total_tokens == Some(beside) {
        usage.output_tokens = usage.output_tokens.saturating_add(reasoning);
    }
    if usage.total_tokens == Some(usage.input_tokens.saturating_add(usage.output_tokens)) {
        usage.total_tokens = None;
    }
    Some(usage)
}

/// Counts that stand at the top of the record and hold only where the details say nothing.
#[derive(Default)]
struct Flat {
    cache_read: Option<u64>,
    cache_write: Option<u64>,
    reasoning: Option<u64>,
}

fn top_member(member: &Member<'_>, usage: &mut Usage, flat: &mut Flat) {
    let value = member.value;
    match &*member.name {
        "prompt_tokens" | "input_tokens" => usage.input_tokens = count(value).unwrap_or(0),
        "completion_tokens" | "output_tokens" => usage.output_tokens = count(value).unwrap_or(0),
        "total_tokens" => usage.total_tokens = count(value),
        "prompt_tokens_details" | "input_tokens_details" => value.members(|m| input_detail(&m, usage)),
        "completion_tokens_details" | "output_tokens_details" => value.members(|m| output_detail(&m, usage)),
        // DeepSeek, Anthropic by way of LiteLLM, Moonshot.
        "prompt_cache_hit_tokens" | "cache_read_input_tokens" | "cached_tokens" => {
            flat.cache_read = flat.cache_read.max(count(value));
        }
        "cache_creation_input_tokens" => flat.cache_write = count(value),
        "cache_creation" => {
            usage.cache_write_5m_tokens = value.member("ephemeral_5m_input_tokens").and_then(count);
            usage.cache_write_1h_tokens = value.member("ephemeral_1h_input_tokens").and_then(count);
        }
        "reasoning_tokens" => flat.reasoning = count(value),
        "num_sources_used" | "num_search_queries" => usage.web_searches = count(value),
        "server_tool_use" | "server_tool_use_details" => {
            let searches = value.member("web_search_requests").and_then(count);
            usage.web_searches = searches.or(usage.web_searches);
        }
        "service_tier" => usage.service_tier = value.as_str().map(Into::into),
        "cost" => usage.stated_cost = cost(value),
        _ => {}
    }
}

fn input_detail(member: &Member<'_>, usage: &mut Usage) {
    let tokens = count(member.value);
    match &*member.name {
        "cached_tokens" | "cache_read_input_tokens" => usage.cache_read_tokens = tokens,
        "cache_write_tokens" | "cache_creation_tokens" | "cache_creation_input_tokens" => {
            usage.cache_write_tokens = tokens;
        }
        "audio_tokens" => usage.input_audio_tokens = tokens,
        "image_tokens" => usage.input_image_tokens = tokens,
        "video_tokens" => usage.input_video_tokens = tokens,
        "cached_tokens_details" => {
            usage.cache_read_audio_tokens = member.value.member("audio_tokens").and_then(count);
        }
        _ => {}
    }
}

fn output_detail(member: &Member<'_>, usage: &mut Usage) {
    let tokens = count(member.value);
    match &*member.name {
        "reasoning_tokens" => usage.reasoning_tokens = tokens,
        "audio_tokens" => usage.output_audio_tokens = tokens,
        "image_tokens" => usage.output_image_tokens = tokens,
        "accepted_prediction_tokens" => usage.accepted_prediction_tokens = tokens,
        "rejected_prediction_tokens" => usage.rejected_prediction_tokens = tokens,
        _ => {}
    }
}

/// A count; some vendors write `12.0`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
fn count(value: Item<'_>) -> Option<u64> {
    let float = || value.text.parse().ok().filter(|number: &f64| (0.0..9e15).contains(number));
    match value.kind {
        Kind::Number => value.as_u64().or_else(|| float().map(|number| number as u64)),
        _ => None,
    }
}

/// The price a vendor states, in USD: a number (OpenRouter) or an object with a total (Perplexity).
fn cost(value: Item<'_>) -> Option<Money> {
    let number = match value.kind {
        Kind::Object => value.member("total_cost")?,
        _ => value,
    };
    (number.kind == Kind::Number).then(|| number.text.parse().ok().map(Money::from_usd)).flatten()
}

/// Writes the members of a `usage` object. LiteLLM surface §6.4: the names of the Anthropic cache
/// counts stand beside OpenAI's where the provider reported cache writes.
pub(in crate::dialects::openai) fn write(usage: &Usage, object: &mut Object<'_>) {
    object.value("prompt_tokens", &usage.input_tokens);
    object.value("completion_tokens", &usage.output_tokens);
    object.value("total_tokens", &usage.total());
    let input = [
        ("cached_tokens", usage.cache_read_tokens),
        ("audio_tokens", usage.input_audio_tokens),
        ("image_tokens", usage.input_image_tokens),
        ("video_tokens", usage.input_video_tokens),
        ("cache_creation_tokens", usage.cache_write_tokens),
    ];
    details(object, "prompt_tokens_details", &input);
    let output = [
        ("reasoning_tokens", usage.reasoning_tokens),
        ("audio_tokens", usage.output_audio_tokens),
        ("image_tokens", usage.output_image_tokens),
        ("accepted_prediction_tokens", usage.accepted_prediction_tokens),
        ("rejected_prediction_tokens", usage.rejected_prediction_tokens),
    ];
    details(object, "completion_tokens_details", &output);
    if let Some(written) = usage.cache_write_tokens {
        object.value("cache_creation_input_tokens", &written);
        object.value("cache_read_input_tokens", &usage.cache_read_tokens.unwrap_or(0));
    }
    if let Some(searches) = usage.web_searches {
        object.object("server_tool_use", |tools| tools.value("web_search_requests", &searches));
    }
    object.some("cost", usage.stated_cost.map(Money::as_usd).as_ref());
}

fn details(object: &mut Object<'_>, name: &str, counts: &[(&str, Option<u64>)]) {
    if counts.iter().any(|(_, tokens)| tokens.is_some()) {
        object.object(name, |object| {
            for (name, tokens) in counts {
                object.some(name, tokens.as_ref());
            }
        });
    }
}
