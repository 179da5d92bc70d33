//! Several prompts in one request, for models that chat: a request for each, and one reply of all.

use bytes::Bytes;
use llm_types::{ChatResponse, Result, Usage};

use crate::scan::{self, Kind, Patch};

/// The requests for each of several prompts, none of them for a stream; empty when there are not several.
/// Lists of token ids are no texts and stay one request.
///
/// # Errors
/// [`llm_types::ErrorKind::BadRequest`] when the body is not one JSON object.
pub fn apart(body: &Bytes) -> Result<Vec<Bytes>> {
    let (mut prompts, mut place, mut texts) = (Vec::new(), None, true);
    scan::object(body, |member| {
        if member.name == "prompt" && member.value.kind == Kind::Array {
            place = Some(member.value.span());
            member.value.elements(|prompt| {
                texts &= prompt.kind == Kind::String;
                prompts.push(prompt.text);
            });
        }
    })?;
    let Some(place) = place.filter(|_| texts && prompts.len() > 1) else { return Ok(Vec::new()) };
    prompts.into_iter().map(|prompt| with(body, &place, prompt)).collect()
}

fn with(body: &Bytes, place: &std::ops::Range<usize>, prompt: &str) -> Result<Bytes> {
    let mut patch = Patch::new(body);
    patch.replace(place.clone(), prompt.as_bytes());
    scan::object(body, |member| {
        if matches!(&*member.name, "stream" | "stream_options") {
            patch.remove(member.span());
        }
    })?;
    Ok(patch.finish())
}

/// One reply of the replies to each prompt, which have up to `n` answers each: the answers of a prompt stand
/// together, in the order of the prompts.
#[must_use]
pub fn together(replies: Vec<ChatResponse>, n: u32) -> ChatResponse {
    let mut all = ChatResponse::default();
    for (number, reply) in (0_u32..).zip(replies) {
        let first = number.saturating_mul(n.max(1));
        let choices = reply.choices.into_iter().map(|mut choice| {
            choice.index = choice.index.saturating_add(first);
            choice
        });
        if number == 0 {
            all = ChatResponse { choices: choices.collect(), ..reply };
            continue;
        }
        all.choices.extend(choices);
        match (&mut all.usage, reply.usage) {
            (Some(sum), Some(usage)) => add(sum, &usage),
            // What one of them used is not known: nor is the sum.
            (sum, _) => *sum = None,
        }
    }
    all
}

fn add(sum: &mut Usage, usage: &Usage) {
    sum.input_tokens += usage.input_tokens;
    sum.output_tokens += usage.output_tokens;
    sum.total_tokens = sum.total_tokens.zip(usage.total_tokens).map(|(one, other)| one + other);
    sum.stated_cost = sum.stated_cost.zip(usage.stated_cost).map(|(one, other)| one + other);
    sum.estimated |= usage.estimated;
    // What is billed where that is not what is stated; from a vendor all replies state it or none does.
    sum.billed = sum.billed.take().zip(usage.billed.as_ref()).map(|(mut sum, more)| {
        sum.input_tokens = sum.input_tokens.zip(more.input_tokens).map(|(one, other)| one + other);
        sum.output_tokens = sum.output_tokens.zip(more.output_tokens).map(|(one, other)| one + other);
        sum
    });
    for (sum, more) in [
        (&mut sum.cache_read_tokens, usage.cache_read_tokens),
        (&mut sum.cache_write_tokens, usage.cache_write_tokens),
        (&mut sum.cache_write_5m_tokens, usage.cache_write_5m_tokens),
        (&mut sum.cache_write_1h_tokens, usage.cache_write_1h_tokens),
        (&mut sum.reasoning_tokens, usage.reasoning_tokens),
        (&mut sum.accepted_prediction_tokens, usage.accepted_prediction_tokens),
        (&mut sum.rejected_prediction_tokens, usage.rejected_prediction_tokens),
        (&mut sum.web_searches, usage.web_searches),
    ] {
        if let Some(more) = more {
            *sum = Some(sum.unwrap_or(0) + more);
        }
    }
}

#[cfg(test)]
mod tests;
