//! Words of the wire: paths, members in two spellings, media types, signatures, ids, reasons to finish.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{GeneralPurposeConfig, STANDARD};
use llm_types::{ChatRequest, Finish, PartKind};
use serde_json::Value;

use crate::json::Json;

/// The dialect's name in native parts, tools and citations.
pub(super) const NATIVE: &str = "gemini";

/// What stands in for the signature of a call that has none, on models that demand one: the vendor's
/// own word for "do not check" (`skip_thought_signature_validator`), in base64. Vendor's page:
/// <https://ai.google.dev/gemini-api/docs/thought-signatures>.
pub(super) const NO_SIGNATURE: &str = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=";

/// Members whose content belongs to the user and is spelled as the user spells it.
const VERBATIM: &[&str] = &[
    "_responseJsonSchema",
    "args",
    "labels",
    "parameters",
    "parametersJsonSchema",
    "partMetadata",
    "response",
    "responseJsonSchema",
    "responseSchema",
];

/// Where a request for a model goes, behind the base URL: `/models/{model}:generateContent`, or for a
/// stream `:streamGenerateContent?alt=sse`. What is no part of a path is escaped.
#[must_use]
pub fn path(model: &str, stream: bool) -> String {
    let verb = if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
    format!("{}:{verb}", model_path(model))
}

/// The path of a model, without a verb.
pub(super) fn model_path(model: &str) -> String {
    let model = model.strip_prefix("models/").unwrap_or(model);
    // Tuned models have a collection of their own.
    let mut out = String::from(if model.starts_with("tunedModels/") { "/" } else { "/models/" });
    for byte in model.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b'@' => {
                out.push(char::from(byte));
            }
            other => {
                const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
                out.push('%');
                out.push(char::from(DIGITS[usize::from(other >> 4)]));
                out.push(char::from(DIGITS[usize::from(other & 15)]));
            }
        }
    }
    out
}

/// A member's name in `camelCase`.
pub(super) fn camel_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for (at, letter) in name.char_indices() {
        match letter {
            '_' if at > 0 => upper = true,
            letter if upper => {
                out.push(letter.to_ascii_uppercase());
                upper = false;
            }
            letter => out.push(letter),
        }
    }
    out
}

/// Spells every member in `camelCase`, except inside what belongs to the user.
pub(super) fn camel(value: &mut Json<'_>) {
    match value {
        Json::Array(elements) => elements.iter_mut().for_each(camel),
        Json::Object(members) => {
            for (name, value) in members.iter_mut() {
                if name.bytes().skip(1).any(|byte| byte == b'_') {
                    *name = camel_name(name).into();
                }
                if !VERBATIM.contains(&&**name) {
                    camel(value);
                }
            }
        }
        _ => {}
    }
}

/// The same for a value that is kept.
pub(super) fn camel_value(value: Value) -> Value {
    let mut value = Json::from(value);
    camel(&mut value);
    value.into_value()
}

/// A MIME type by the end of a file's name or address.
pub(super) fn mime_of_address(address: &str) -> Option<&'static str> {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let (_, end) = path.rsplit('/').next()?.rsplit_once('.')?;
    Some(match end.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "heif" => "image/heif",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "md" => "text/markdown",
        "csv" => "text/csv",
        "html" | "htm" => "text/html",
        "mp3" => "audio/mp3",
        "wav" => "audio/wav",
        "ogg" => "audio/ogg",
        "flac" => "audio/flac",
        "aac" => "audio/aac",
        "m4a" => "audio/m4a",
        "mp4" => "video/mp4",
        "mov" => "video/quicktime",
        "webm" => "video/webm",
        "mpeg" | "mpg" => "video/mpeg",
        _ => return None,
    })
}

/// What marks a signature or opaque reasoning of another vendor, before it is put into base64.
const FOREIGN_SIGNATURE: &str = "other-signature:";
const FOREIGN_REDACTED: &str = "other-reasoning:";

/// What a `thoughtSignature` stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Signature {
    /// A signature, of whichever vendor.
    Plain(String),
    /// Opaque reasoning of another vendor.
    Redacted(String),
}

/// Reads base64 in either alphabet, with or without padding: clients re-print bytes as they like.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A signature as this wire has it: bytes in base64. One that is no such text is wrapped.
pub(super) fn signature_out(signature: &str) -> String {
    if STANDARD.decode(signature).is_ok() {
        return signature.to_owned();
    }
    STANDARD.encode(format!("{FOREIGN_SIGNATURE}{signature}"))
}

/// Opaque reasoning of another vendor as this wire can hold it.
pub(super) fn redacted_out(data: &str) -> String {
    STANDARD.encode(format!("{FOREIGN_REDACTED}{data}"))
}

/// Undoes [`signature_out`] and [`redacted_out`], whatever a client did to the alphabet.
pub(super) fn signature_in(text: &str) -> Signature {
    let plain = text.replace('-', "+").replace('_', "/");
    let Ok(bytes) = LENIENT.decode(plain.trim_end_matches('=')) else {
        return Signature::Plain(text.to_owned());
    };
    if let Ok(inner) = std::str::from_utf8(&bytes) {
        if let Some(signature) = inner.strip_prefix(FOREIGN_SIGNATURE) {
            return Signature::Plain(signature.to_owned());
        }
        if let Some(data) = inner.strip_prefix(FOREIGN_REDACTED) {
            return Signature::Redacted(data.to_owned());
        }
    }
    Signature::Plain(STANDARD.encode(bytes))
}

/// Between a call's id and the signature that belongs to it: LiteLLM's mark. Callers whose dialect has
/// no place for the signature give it back with the id.
const THOUGHT: &str = "__thought__";

/// The id of a call that carries its signature, in letters every dialect takes.
pub(super) fn id_with_signature(id: &str, signature: Option<&str>) -> String {
    match signature {
        None => id.to_owned(),
        Some(signature) => {
            let safe = signature.trim_end_matches('=').replace('+', "-").replace('/', "_");
            format!("{id}{THOUGHT}{safe}")
        }
    }
}

/// The id and the signature it carries.
pub(super) fn split_id(id: &str) -> (&str, Option<String>) {
    match id.split_once(THOUGHT) {
        None => (id, None),
        Some((id, signature)) => match signature_in(signature) {
            Signature::Plain(signature) if !signature.is_empty() => (id, Some(signature)),
            _ => (id, None),
        },
    }
}

/// Whether ids of calls carry signatures.
#[must_use]
pub fn carries_signatures(request: &ChatRequest) -> bool {
    request.messages.iter().flat_map(|message| &message.parts).any(|part| match &part.kind {
        PartKind::ToolCall(call) => call.id.contains(THOUGHT),
        PartKind::ToolResult(result) => result.call_id.contains(THOUGHT),
        _ => false,
    })
}

/// Takes the signatures out of the ids of calls, so that other vendors, which limit the length of ids,
/// can be asked to go on with a conversation.
pub fn take_signatures(request: &mut ChatRequest) {
    for part in request.messages.iter_mut().flat_map(|message| &mut message.parts) {
        match &mut part.kind {
            PartKind::ToolCall(call) if call.id.contains(THOUGHT) => {
                let (id, signature) = split_id(&call.id);
                let id = id.to_owned();
                part.signature = part.signature.take().or(signature);
                call.id = id;
            }
            PartKind::ToolResult(result) if result.call_id.contains(THOUGHT) => {
                result.call_id = split_id(&result.call_id).0.to_owned();
            }
            _ => {}
        }
    }
}

/// Reasons to finish by their numbers in the vendor's binary protocol, whose clients print them so.
const REASONS: [&str; 10] = [
    "FINISH_REASON_UNSPECIFIED",
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "RECITATION",
    "OTHER",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MALFORMED_FUNCTION_CALL",
];

/// The word of a `finishReason`; a number beyond those known is another reason.
pub(super) fn finish_said(reason: &Value) -> Option<&str> {
    let by_number = |number: u64| {
        let index = usize::try_from(number).ok();
        index.and_then(|index| REASONS.get(index).copied()).unwrap_or("OTHER")
    };
    reason.as_str().or_else(|| reason.as_u64().map(by_number))
}

/// The meaning of a `finishReason`. `calls` tells that the answer asks for tools: the wire says `STOP`
/// then. Words for an answer that was withheld are LiteLLM's choice; those for a call the model wrote
/// wrongly end the answer, and the word itself stays beside it.
pub(super) fn finish_of(word: &str, calls: bool) -> Finish {
    match word {
        "MAX_TOKENS" => Finish::Length,
        "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "LANGUAGE"
        | "OTHER"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION"
        | "IMAGE_OTHER"
        | "NO_IMAGE" => Finish::ContentFilter,
        _ if calls => Finish::ToolCalls,
        _ => Finish::Stop,
    }
}

/// The `finishReason` of a finish.
pub(super) fn finish_word(finish: &Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::StopSequence(_) | Finish::ToolCalls | Finish::Pause => "STOP",
        Finish::Length | Finish::ContextWindow => "MAX_TOKENS",
        Finish::ContentFilter => "SAFETY",
        Finish::Refusal => "PROHIBITED_CONTENT",
        Finish::Other(_) => "OTHER",
    }
}

/// Plain text as the wire holds documents.
pub(super) fn base64_of(text: &str) -> String {
    STANDARD.encode(text)
}

#[cfg(test)]
mod tests;
