//! OpenAI's words: names of parts and finish reasons, media in URLs and formats.
//!
//! Source: OpenAI API reference, `CreateChatCompletionRequest` and `CreateChatCompletionResponse`.

use llm_types::{Finish, Media, MediaSource};

/// The id under which native parts of this dialect travel.
pub(crate) const DIALECT: &str = "openai";

/// The tool that stands in for a JSON schema of the answer; LiteLLM calls it so.
pub(super) const ANSWER_TOOL: &str = "json_tool_call";

/// The path of the operation, behind the base URL.
pub(super) const PATH: &str = "/chat/completions";

/// Splits `data:image/png;base64,…` into its type and its base64 text.
pub(in crate::dialects::openai) fn data_uri(url: &str) -> Option<(Option<&str>, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let mime = head.strip_suffix(";base64")?;
    let mime = mime.split(';').next().filter(|mime| !mime.is_empty());
    Some((mime, data))
}

/// The MIME type of an `input_audio.format`.
pub(in crate::dialects::openai) fn audio_mime(format: &str) -> String {
    match format {
        "mp3" => "audio/mpeg".to_owned(),
        mime if mime.contains('/') => mime.to_owned(),
        other => format!("audio/{other}"),
    }
}

/// The `input_audio.format` of a MIME type.
pub(in crate::dialects::openai) fn audio_format(mime: &str) -> &str {
    match mime {
        "audio/mpeg" => "mp3",
        "audio/x-wav" | "audio/wave" => "wav",
        other => other.strip_prefix("audio/").unwrap_or(other),
    }
}

/// A URL of media: their own, or a `data:` URL; `None` when they have neither.
pub(in crate::dialects::openai) fn media_url(media: &Media, default_mime: &str) -> Option<String> {
    match &media.source {
        MediaSource::Url(url) => Some(url.clone()),
        MediaSource::Base64(data) => {
            let mime = media.mime.as_deref().unwrap_or(default_mime);
            Some(format!("data:{mime};base64,{data}"))
        }
        MediaSource::FileId(_) | MediaSource::Text(_) | MediaSource::Parts(_) => None,
    }
}

/// What a vendor's `finish_reason` means; `None` for the empty word some stream with every chunk.
///
/// Beside OpenAI's five words these are the ones OpenAI-like vendors were recorded with.
pub(super) fn finish_of(word: &str) -> Option<Finish> {
    Some(match word {
        "" | "null" => return None,
        "stop" | "end_turn" | "eos" | "eos_token" | "COMPLETE" | "STOP" => Finish::Stop,
        "stop_sequence" => Finish::StopSequence(None),
        "length" | "max_tokens" | "MAX_TOKENS" => Finish::Length,
        "model_length" | "model_context_window_exceeded" => Finish::ContextWindow,
        "tool_calls" | "tool_use" | "function_call" | "TOOL_CALL" => Finish::ToolCalls,
        "content_filter"
        | "content_filtered"
        | "guardrail_intervened"
        | "sensitive"
        | "SAFETY"
        | "RECITATION" => Finish::ContentFilter,
        "refusal" => Finish::Refusal,
        other => Finish::Other(other.to_owned()),
    })
}

/// The `finish_reason` callers are shown. An unknown word stays what it is: an odd end is not `stop`.
pub(in crate::dialects::openai) fn finish_word(finish: &Finish) -> &str {
    match finish {
        Finish::Stop | Finish::StopSequence(_) | Finish::Pause => "stop",
        Finish::Length | Finish::ContextWindow => "length",
        Finish::ToolCalls => "tool_calls",
        Finish::ContentFilter | Finish::Refusal => "content_filter",
        Finish::Other(word) => word,
    }
}
