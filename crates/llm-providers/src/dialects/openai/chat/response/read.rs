//! A provider's reply into the canonical one, forgiving what OpenAI-like vendors do differently.

use llm_types::{
    ChatResponse, Choice, Citation, Error, ErrorKind, Extra, Finish, Media, MediaSource, Message, Part,
    PartKind, Result, Role, ToolCall,
};

use super::super::super::error;
use super::super::ids::call_id;
use super::super::stream::ended_in_error;
use super::super::usage;
use super::super::wire::{ANSWER_TOOL, DIALECT, data_uri, finish_of};
use crate::dialects::conversation::answered;
use crate::scan::{self, Item, Kind, Member};

/// Reads a whole reply with a success status.
pub(crate) fn read(body: &[u8]) -> Result<ChatResponse> {
    let item = scan::value(body).map_err(|fault| {
        Error::new(ErrorKind::BadUpstream, format!("the provider's reply is not JSON: {fault}"))
    })?;
    if let Some(error) = error_of(item) {
        return Err(error);
    }
    let Some(choices) = item.member("choices").filter(|choices| choices.kind == Kind::Array) else {
        let message = format!(
            "the provider's reply is not a chat completion: expected an array `choices`, found {}",
            item.member("choices").map_or("none", |found| found.kind.described())
        );
        return Err(Error::new(ErrorKind::BadUpstream, message));
    };
    let mut reply = ChatResponse::default();
    item.members(|member| top_member(&member, &mut reply));
    let mut failed = None;
    choices.elements(|element| match choice(element, reply.choices.len()) {
        Ok(choice) => reply.choices.push(choice),
        Err(error) => failed = Some(error),
    });
    if let Some(error) = failed {
        return Err(error);
    }
    name_calls(&mut reply);
    for cited in sources(item) {
        if let Some(Choice { message, .. }) = reply.choices.first_mut()
            && let Some(PartKind::Text { citations, .. }) =
                message.parts.last_mut().map(|part| &mut part.kind)
            && !citations.iter().any(|known| known.url == cited.url)
        {
            citations.push(cited);
        }
    }
    Ok(reply)
}

/// Gives ids to calls that came without one.
fn name_calls(reply: &mut ChatResponse) {
    for choice in &mut reply.choices {
        let calls = choice.message.parts.iter_mut().filter_map(|part| match &mut part.kind {
            PartKind::ToolCall(call) => Some(call),
            _ => None,
        });
        for (number, call) in calls.enumerate().filter(|(_, call)| call.id.is_empty()) {
            call.id = call_id(&reply.id, choice.index, number);
        }
    }
}

fn top_member(member: &Member<'_>, reply: &mut ChatResponse) {
    let value = member.value;
    match &*member.name {
        "id" => reply.id = text_of(value),
        "model" => reply.model = text_of(value),
        "created" => reply.created = created(value),
        "usage" => reply.usage = usage::read(value).or(reply.usage.take()),
        "x_groq" if reply.usage.is_none() => reply.usage = value.member("usage").and_then(usage::read),
        "service_tier" => reply.service_tier = value.as_str().map(Into::into),
        "choices" | "object" => {}
        name => keep(&mut reply.extra, name, value),
    }
}

fn choice(item: Item<'_>, number: usize) -> Result<Choice> {
    if let Some(error) = item.member("error").filter(|error| error.kind == Kind::Object) {
        return Err(error::decode_object(error));
    }
    let index =
        item.member("index").and_then(|index| index.as_u64()).and_then(|index| u32::try_from(index).ok());
    let mut choice = Choice {
        index: index.unwrap_or_else(|| u32::try_from(number).unwrap_or(u32::MAX)),
        message: Message::new(Role::Assistant, Vec::new()),
        finish: None,
        logprobs: None,
        extra: Extra::default(),
    };
    item.members(|member| match &*member.name {
        "message" => choice.message.parts = choice_parts(member.value, &mut choice.message.extra),
        "finish_reason" => choice.finish = member.value.as_str().and_then(|word| finish_of(&word)),
        "logprobs" => choice.logprobs = json(member.value).filter(|value| !value.is_null()),
        "index" => {}
        name => keep(&mut choice.extra, name, member.value),
    });
    if choice.finish == Some(Finish::Other("error".to_owned())) {
        return Err(ended_in_error());
    }
    let parts = std::mem::take(&mut choice.message.parts);
    (choice.message.parts, choice.finish) = answered(parts, choice.finish, ANSWER_TOOL);
    // Many vendors say `stop` although the message asks for tools.
    let calls = choice.message.parts.iter().any(|part| matches!(part.kind, PartKind::ToolCall(_)));
    if calls && choice.finish == Some(Finish::Stop) {
        choice.finish = Some(Finish::ToolCalls);
    }
    Ok(choice)
}

/// The parts of a message: thoughts, words, pictures, calls; what has no canonical form goes to `extra`.
fn choice_parts(message: Item<'_>, extra: &mut Extra) -> Vec<Part> {
    let mut slots = Slots::default();
    message.members(|member| {
        let value = member.value;
        match &*member.name {
            "content" => content(value, &mut slots),
            "reasoning_content" => slots.reasoning = nonempty(value).or(slots.reasoning.take()),
            "reasoning" if slots.reasoning.is_none() => slots.reasoning = nonempty(value),
            "reasoning_details" => value.elements(|detail| slots.redacted.extend(redacted(detail))),
            "thinking_blocks" => value.elements(|block| thinking_block(block, &mut slots)),
            "refusal" => slots.refusal = nonempty(value),
            "images" => value.elements(|element| slots.images.extend(image(element))),
            "annotations" => value.elements(|element| slots.citations.extend(citation(element))),
            "tool_calls" => value.elements(|call| slots.calls.push(tool_call(call))),
            "function_call" if value.kind == Kind::Object => slots.calls.push(legacy_call(value)),
            "role" | "reasoning" => {}
            name => keep(extra, name, value),
        }
    });
    slots.into_parts()
}

/// What a message holds, in the order it is to be said.
#[derive(Default)]
struct Slots {
    reasoning: Option<String>,
    thinking: Vec<Part>,
    redacted: Vec<Part>,
    content: Vec<Part>,
    citations: Vec<Citation>,
    images: Vec<Part>,
    refusal: Option<String>,
    calls: Vec<Part>,
}

impl Slots {
    fn into_parts(mut self) -> Vec<Part> {
        let mut parts = self.thinking;
        if let Some(text) = self.reasoning.filter(|_| parts.is_empty()) {
            parts.push(Part::reasoning(text, None));
        }
        parts.append(&mut self.redacted);
        for part in self.content.iter_mut().rev() {
            if let PartKind::Text { citations, .. } = &mut part.kind {
                citations.append(&mut self.citations);
                break;
            }
        }
        parts.append(&mut self.content);
        parts.append(&mut self.images);
        parts.extend(self.refusal.map(|text| Part::new(PartKind::Refusal { text })));
        parts.append(&mut self.calls);
        parts
    }
}

/// `content`: a string, or parts (Mistral's thinking models, vLLM).
fn content(value: Item<'_>, slots: &mut Slots) {
    match value.kind {
        Kind::String => slots.content.extend(nonempty(value).map(Part::text)),
        Kind::Array => value.elements(|part| {
            let kind = part.member("type").map(text_of).unwrap_or_default();
            match kind.as_str() {
                "text" => slots.content.extend(part.member("text").and_then(nonempty).map(Part::text)),
                "thinking" => thinking_block(part, slots),
                "refusal" => slots.refusal = part.member("refusal").and_then(nonempty),
                "image_url" => slots.images.extend(image(part)),
                _ => slots.content.extend(
                    json(part)
                        .map(|value| Part::new(PartKind::Native { dialect: DIALECT.to_owned(), value })),
                ),
            }
        }),
        // vLLM-like servers answer structured output as the object itself.
        Kind::Object => slots.content.push(Part::text(value.text)),
        Kind::Null | Kind::Bool | Kind::Number => {}
    }
}

fn thinking_block(block: Item<'_>, slots: &mut Slots) {
    if let Some(data) = block.member("data").and_then(nonempty) {
        slots.thinking.push(Part::new(PartKind::RedactedReasoning { data }));
        return;
    }
    let Some(thinking) = block.member("thinking") else { return };
    let mut text = String::new();
    match thinking.kind {
        Kind::Array => {
            thinking.elements(|part| text.push_str(&part.member("text").map(text_of).unwrap_or_default()))
        }
        _ => text = text_of(thinking),
    }
    slots.thinking.push(Part::reasoning(text, block.member("signature").and_then(nonempty)));
}

/// OpenRouter's encrypted reasoning.
pub(crate) fn redacted(detail: Item<'_>) -> Option<Part> {
    let kind = detail.member("type")?.as_str()?;
    let data = detail.member("data").and_then(nonempty)?;
    (kind == "reasoning.encrypted").then(|| Part::new(PartKind::RedactedReasoning { data }))
}

fn tool_call(call: Item<'_>) -> Part {
    let custom = call.member("custom").filter(|custom| custom.kind == Kind::Object);
    let inner = custom.or_else(|| call.member("function"));
    let said = |name: &str| inner.and_then(|inner| inner.member(name));
    let arguments = said(if custom.is_some() { "input" } else { "arguments" });
    let mut part = Part::new(PartKind::ToolCall(ToolCall {
        id: call.member("id").map(text_of).unwrap_or_default(),
        name: said("name").map(text_of).unwrap_or_default(),
        arguments: arguments.map(written).unwrap_or_default(),
        custom: custom.is_some(),
    }));
    part.signature = signature(call);
    part
}

fn legacy_call(call: Item<'_>) -> Part {
    Part::new(PartKind::ToolCall(ToolCall {
        id: String::new(),
        name: call.member("name").map(text_of).unwrap_or_default(),
        arguments: call.member("arguments").map(written).unwrap_or_default(),
        custom: false,
    }))
}

/// Gemini's thought signature, where Google's OpenAI endpoint and LiteLLM put it.
fn signature(call: Item<'_>) -> Option<String> {
    call.at(&["extra_content", "google", "thought_signature"])
        .or_else(|| call.at(&["provider_specific_fields", "thought_signature"]))
        .and_then(nonempty)
}

/// Arguments as text; some vendors send the object itself.
pub(crate) fn written(value: Item<'_>) -> String {
    match value.kind {
        Kind::String => text_of(value),
        Kind::Null => String::new(),
        _ => value.text.to_owned(),
    }
}

/// A picture in `images` or in content parts.
pub(crate) fn image(item: Item<'_>) -> Option<Part> {
    let link = item.member("image_url")?;
    let url = match link.kind {
        Kind::Object => text_of(link.member("url")?),
        _ => text_of(link),
    };
    let media = match data_uri(&url) {
        Some((mime, data)) => Media::new(MediaSource::Base64(data.to_owned()), mime.map(str::to_owned)),
        None => Media::new(MediaSource::Url(url), None),
    };
    Some(Part::new(PartKind::Image(media)))
}

/// An annotation: OpenAI's `url_citation`, anything else as the vendor wrote it.
pub(crate) fn citation(item: Item<'_>) -> Option<Citation> {
    let native = json(item)?;
    let mut citation =
        Citation { dialect: Some(DIALECT.to_owned()), native: Some(native), ..Citation::default() };
    if let Some(cited) = item.member("url_citation") {
        let number = |name: &str| cited.member(name).and_then(|number| number.as_u64());
        citation.url = cited.member("url").and_then(nonempty);
        citation.title = cited.member("title").and_then(nonempty);
        citation.cited_text = cited.member("content").and_then(nonempty);
        citation.span = number("start_index").zip(number("end_index"));
    }
    Some(citation)
}

/// Sources beside the choices: `search_results` with titles, or `citations` as bare URLs (Perplexity, xAI).
pub(crate) fn sources(item: Item<'_>) -> Vec<Citation> {
    let mut sources = Vec::new();
    if let Some(results) = item.member("search_results") {
        results.elements(|result| {
            sources.push(Citation {
                url: result.member("url").and_then(nonempty),
                title: result.member("title").and_then(nonempty),
                ..Citation::default()
            });
        });
    }
    if let Some(urls) = item.member("citations").filter(|_| sources.is_empty()) {
        urls.elements(|url| {
            if let Some(url) = nonempty(url) {
                sources.push(Citation { url: Some(url), ..Citation::default() });
            }
        });
    }
    sources
}

/// The error a reply holds although its status was a success.
pub(crate) fn error_of(reply: Item<'_>) -> Option<Error> {
    let error = reply.member("error")?;
    matches!(error.kind, Kind::Object | Kind::String).then(|| error::decode_within(reply))
}

/// The text of a string; empty for another kind.
pub(crate) fn text_of(item: Item<'_>) -> String {
    item.as_str().unwrap_or_default().into_owned()
}

fn nonempty(item: Item<'_>) -> Option<String> {
    item.as_str().filter(|text| !text.is_empty()).map(Into::into)
}

/// Unix seconds; some vendors write a fraction, xAI-like ones a string.
#[expect(clippy::cast_possible_truncation, reason = "seconds; casts from float saturate")]
fn created(item: Item<'_>) -> Option<i64> {
    item.text.trim_matches('"').parse::<f64>().ok().map(|seconds| seconds as i64)
}

fn json(item: Item<'_>) -> Option<serde_json::Value> {
    serde_json::from_str(item.text).ok()
}

fn keep(extra: &mut Extra, name: &str, item: Item<'_>) {
    if let Some(value) = json(item).filter(|value| !value.is_null()) {
        extra.keep(name, value);
    }
}
