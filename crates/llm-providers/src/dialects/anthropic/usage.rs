//! What a call consumed, between the wire's counting and ours.
//!
//! The wire counts prompt tokens read from and written to the cache beside `input_tokens`, we count
//! them inside. Vendor's page: `build-with-claude/prompt-caching`, "Tracking cache performance".

use llm_types::Usage;
use serde::Deserialize;

use crate::write::Object;

/// `usage` of a reply, of `message_start` or of `message_delta`; absent members are `None`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct WireUsage {
    pub(super) input_tokens: Option<u64>,
    pub(super) output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
    output_tokens_details: Option<OutputDetails>,
    server_tool_use: Option<ServerTools>,
    service_tier: Option<String>,
    inference_geo: Option<Box<str>>,
    speed: Option<Box<str>>,
    /// The rounds of one call. Where the provider compacted the conversation, its tokens stand here
    /// only (`build-with-claude/compaction`, "Understanding usage").
    iterations: Option<Vec<Iteration>>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct CacheCreation {
    ephemeral_5m_input_tokens: Option<u64>,
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct OutputDetails {
    thinking_tokens: Option<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct ServerTools {
    web_search_requests: Option<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Iteration {
    #[serde(rename = "type")]
    kind: String,
    input_tokens: u64,
    output_tokens: u64,
    cache_read_input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_creation: Option<CacheCreation>,
}

impl WireUsage {
    /// Takes over what a later record says. A zero undoes a count only in a record that counts the
    /// prompt anew: gateways in between send zeros for what they do not know.
    pub(super) fn update(&mut self, later: Self) {
        let anew = later.input_tokens.is_some_and(|tokens| tokens > 0);
        let count = |old: &mut Option<u64>, new: Option<u64>| {
            if new.is_some_and(|new| anew || new > 0) || old.is_none() {
                *old = new;
            }
        };
        count(&mut self.input_tokens, later.input_tokens);
        count(&mut self.output_tokens, later.output_tokens);
        count(&mut self.cache_read_input_tokens, later.cache_read_input_tokens);
        count(&mut self.cache_creation_input_tokens, later.cache_creation_input_tokens);
        macro_rules! take {
            ($($field:ident),*) => { $( if later.$field.is_some() { self.$field = later.$field; } )* };
        }
        take!(
            cache_creation,
            output_tokens_details,
            server_tool_use,
            service_tier,
            inference_geo,
            speed,
            iterations
        );
    }

    /// Our counting; `None` when the record counts nothing.
    pub(super) fn canonical(&self) -> Option<Usage> {
        if self.input_tokens.is_none() && self.output_tokens.is_none() {
            return None;
        }
        let (read, written) = (self.cache_read_input_tokens, self.cache_creation_input_tokens);
        let kept = self.cache_creation.as_ref();
        let mut usage = Usage {
            input_tokens: sum([self.input_tokens, read, written]),
            output_tokens: self.output_tokens.unwrap_or(0),
            cache_read_tokens: read,
            cache_write_tokens: written,
            cache_write_5m_tokens: kept.and_then(|kept| kept.ephemeral_5m_input_tokens),
            cache_write_1h_tokens: kept.and_then(|kept| kept.ephemeral_1h_input_tokens),
            reasoning_tokens: self.output_tokens_details.as_ref().and_then(|details| details.thinking_tokens),
            web_searches: self.server_tool_use.as_ref().and_then(|tools| tools.web_search_requests),
            service_tier: self.service_tier.clone(),
            inference_geo: self.inference_geo.clone(),
            speed: self.speed.clone(),
            ..Usage::default()
        };
        for round in self.iterations.iter().flatten().filter(|round| round.kind == "compaction") {
            round.add_to(&mut usage);
        }
        Some(usage)
    }
}

impl Iteration {
    fn add_to(&self, usage: &mut Usage) {
        let (read, written) = (self.cache_read_input_tokens, self.cache_creation_input_tokens);
        usage.input_tokens += self.input_tokens + read + written;
        usage.output_tokens += self.output_tokens;
        let add = |total: &mut Option<u64>, more: u64| {
            if more > 0 {
                *total = Some(total.unwrap_or(0) + more);
            }
        };
        add(&mut usage.cache_read_tokens, read);
        add(&mut usage.cache_write_tokens, written);
        if let Some(kept) = &self.cache_creation {
            add(&mut usage.cache_write_5m_tokens, kept.ephemeral_5m_input_tokens.unwrap_or(0));
            add(&mut usage.cache_write_1h_tokens, kept.ephemeral_1h_input_tokens.unwrap_or(0));
        }
    }
}

fn sum(counts: [Option<u64>; 3]) -> u64 {
    counts.into_iter().flatten().fold(0, u64::saturating_add)
}

/// Writes the members of a `usage` object.
pub(super) fn write(out: &mut Object<'_>, usage: &Usage) {
    let (read, written) = (usage.cache_read_tokens.unwrap_or(0), usage.cache_write_tokens.unwrap_or(0));
    out.value("input_tokens", &usage.input_tokens.saturating_sub(read).saturating_sub(written));
    out.value("cache_creation_input_tokens", &written);
    out.value("cache_read_input_tokens", &read);
    let (five, hour) = (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens);
    if five.is_some() || hour.is_some() {
        out.object("cache_creation", |kept| {
            kept.value("ephemeral_5m_input_tokens", &five.unwrap_or(0));
            kept.value("ephemeral_1h_input_tokens", &hour.unwrap_or(0));
        });
    }
    out.value("output_tokens", &usage.output_tokens);
    if let Some(thinking) = usage.reasoning_tokens {
        out.object("output_tokens_details", |details| details.value("thinking_tokens", &thinking));
    }
    if let Some(searches) = usage.web_searches {
        out.object("server_tool_use", |tools| tools.value("web_search_requests", &searches));
    }
    out.some("service_tier", usage.service_tier.as_ref());
    out.some("inference_geo", usage.inference_geo.as_ref());
    out.some("speed", usage.speed.as_ref());
}

#[cfg(test)]
mod tests;
