//! The built-in model: answers in this process, without a key or a network, in OpenAI's chat form.
//!
//! Provider `mock`, any model name (`mock/hello`). It introduces itself and repeats what was said; it
//! calls a tool when one is required, and fills in a JSON schema when one is asked for. Two families of
//! names do more: `mock/echo` answers with the last user message and nothing else, and
//! `mock/error-429` (any status from 400 to 599) fails so that retries and fallbacks can be tried.
//! Its tokens are words: usage counts the words of all messages and of the answer. It makes vectors, ranks,
//! pictures and speech too (`media`).

mod answer;
mod example;
mod media;
mod stream;

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, Version, header};
use llm_types::{Body, HttpRequest, HttpResponse};
use serde_json::{Value, json};

use self::answer::Answer;

/// The host of the mock model's URL. RFC 6761 §6.4: no name under `.invalid` is ever a real host.
pub const HOST: &str = "mock.invalid";

/// Answers a request to [`HOST`].
pub(crate) fn respond(request: &HttpRequest) -> HttpResponse {
    if let Some(response) = media::respond(request) {
        return response;
    }
    if !request.uri.path().ends_with("/chat/completions") {
        let message = format!(
            "the mock model has no `{}`: it serves `/chat/completions` and the calls beside chat",
            request.uri.path()
        );
        return refuse(StatusCode::NOT_FOUND, &message);
    }
    let body: Value = match serde_json::from_slice(&request.body) {
        Ok(body) => body,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, &format!("the body is not JSON: {error}")),
    };
    let model = body["model"].as_str().unwrap_or_default();
    if let Some(refusal) = fails(model) {
        return refusal;
    }
    match Answer::to(&body) {
        Err(why) => refuse(StatusCode::BAD_REQUEST, &why),
        Ok(answer) => {
            let reply = Reply { id: id(&request.body), created: now(), model: model.to_owned(), answer };
            if body["stream"] == true {
                let show_usage = body["stream_options"]["include_usage"] == true;
                stream::respond(&reply, show_usage)
            } else {
                full(StatusCode::OK, &reply.whole())
            }
        }
    }
}

/// The refusal that a model's name asks for.
fn fails(model: &str) -> Option<HttpResponse> {
    let status: u16 =
        model.strip_prefix("error-")?.parse().ok().filter(|status| (400..=599).contains(status))?;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Some(refuse(status, &format!("the mock model fails with status {status}, as its name asks")))
}

/// One reply, before it is written whole or as a stream.
#[derive(Debug)]
struct Reply {
    id: String,
    created: u64,
    model: String,
    answer: Answer,
}

impl Reply {
    fn whole(&self) -> Value {
        let choices: Vec<Value> = (0..self.answer.n)
            .map(|index| {
                json!({
                    "index": index,
                    "message": self.answer.message(),
                    "logprobs": null,
                    "finish_reason": self.answer.finish(),
                })
            })
            .collect();
        json!({
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": choices,
            "usage": self.answer.usage(),
        })
    }
}

fn refuse(status: StatusCode, message: &str) -> HttpResponse {
    let kind = match status.as_u16() {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    };
    full(status, &json!({"error": {"message": message, "type": kind, "param": null, "code": null}}))
}

fn full(status: StatusCode, body: &Value) -> HttpResponse {
    let body = Bytes::from(body.to_string());
    HttpResponse {
        status,
        headers: headers("application/json"),
        version: Version::HTTP_11,
        body: Body::Full(body),
    }
}

fn headers(content_type: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers
}

/// An id made of the request, so that the same request gives the same reply.
fn id(body: &[u8]) -> String {
    let hash = body.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("chatcmpl-mock-{hash:016x}")
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;
