//! Calls from request to reply, with replayed and built-in providers.

use std::sync::Arc;

use futures_util::StreamExt as _;
use llm_types::testing::ReplayTransport;
use llm_types::{
    Body, BoxFuture, ChatRequest, ErrorKind, Event, Finish, HttpRequest, HttpResponse, Message, Part,
    PartKind, Result, Tool, ToolChoice, ToolKind, Transport,
};

use super::{Client, blocking};

fn ask(model: &str, text: &str) -> ChatRequest {
    ChatRequest::new(model, [Message::user(text)])
}

fn client() -> Client {
    Client::builder().build().expect("the test's environment has usable proxies")
}

async fn text_of(client: &Client, request: ChatRequest) -> Result<(String, Vec<Event>)> {
    let mut stream = client.chat_stream(request).await?;
    let (mut text, mut others) = (String::new(), Vec::new());
    while let Some(event) = stream.next().await {
        match event? {
            Event::Text { text: piece, .. } => text.push_str(&piece),
            other => others.push(other),
        }
    }
    Ok((text, others))
}

#[tokio::test]
async fn the_built_in_model_answers_whole_and_in_pieces() {
    let client = client();
    let reply = client.chat(ask("mock/hello", "how are you?")).await.unwrap();
    let whole = reply.choices[0].message.text();
    assert!(whole.contains("You said: how are you?"), "{whole}");
    assert_eq!(reply.choices[0].finish, Some(Finish::Stop));
    let usage = reply.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.estimated), (3, false));
    let (pieces, events) = text_of(&client, ask("mock/hello", "how are you?")).await.unwrap();
    assert_eq!(pieces, whole);
    assert!(matches!(events.first(), Some(Event::Start(_))), "{events:?}");
    assert_eq!(events.last(), Some(&Event::Done));
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::Usage(seen) if seen.output_tokens == usage.output_tokens))
    );
}

#[tokio::test]
async fn the_built_in_model_calls_tools() {
    let mut request = ask("mock/hello", "weather?");
    let kind = ToolKind::Function {
        parameters: Some(serde_json::json!({"type": "object", "properties": {"city": {"type": "string"}}})),
    };
    request.tools = vec![Tool {
        name: "weather".into(),
        description: None,
        kind,
        strict: None,
        cache: None,
        extra: Default::default(),
    }];
    request.options.tool_choice = Some(ToolChoice::Required);
    let reply = client().chat(request).await.unwrap();
    assert_eq!(reply.choices[0].finish, Some(Finish::ToolCalls));
    let calls: Vec<_> = reply.choices[0]
        .message
        .parts
        .iter()
        .filter_map(|part| match &part.kind {
            PartKind::ToolCall(call) => Some((call.name.as_str(), call.arguments.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(calls, [("weather", r#"{"city":"example"}"#)]);
}

#[tokio::test]
async fn a_provider_that_fails_is_named() {
    for (model, kind) in
        [("mock/error-429", ErrorKind::RateLimited), ("mock/error-500", ErrorKind::BadUpstream)]
    {
        let error = client().chat(ask(model, "x")).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
        assert_eq!(error.provider().unwrap().as_str(), "mock");
        let error = client().chat_stream(ask(model, "x")).await.unwrap_err();
        assert_eq!(error.kind(), kind);
    }
}

#[tokio::test]
async fn what_is_sent() {
    let reply = r#"{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,
        "message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}"#;
    let transport = Arc::new(ReplayTransport::default().reply(200, reply).reply(200, reply));
    let vars = [("GROQ_API_KEY", "gsk-env"), ("OPENAI_API_KEY", "sk-env"), ("OPENAI_BASE_URL", "")];
    let client = Client::builder()
        .transport(transport.clone())
        .keys_from(vars.map(|(name, value)| (name.to_owned(), value.to_owned())))
        .base_url("openai", "http://localhost:9999/v1/")
        .build()
        .unwrap();
    client.chat(ask("groq/llama-3", "hello")).await.unwrap();
    let asked = transport.asked().remove(0);
    assert_eq!(asked.uri, "https://api.groq.com/openai/v1/chat/completions");
    assert_eq!(asked.headers["authorization"], "Bearer gsk-env");
    let body: serde_json::Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(body["model"], "llama-3");

    let error = client.chat(ask("gpt-4o-mini", "hello")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "the environment's key does not go to another host");
    assert_eq!(transport.asked().len(), 1);
    let error = client.chat(ask("nobody/x", "hello")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

/// Streams these pieces, then ends or fails.
#[derive(Debug)]
struct Pieces(&'static [&'static str], bool);

impl Transport for Pieces {
    fn send(&self, _: HttpRequest) -> BoxFuture<'_, Result<HttpResponse>> {
        let pieces = self.0.iter().map(|piece| Ok(bytes::Bytes::from_static(piece.as_bytes())));
        let cut = self.1.then(|| Err(llm_types::Error::new(ErrorKind::Timeout, "cut here")));
        let body = Body::Stream(Box::pin(futures_util::stream::iter(pieces.chain(cut).collect::<Vec<_>>())));
        let mut headers = http::HeaderMap::new();
        headers.insert("content-type", http::HeaderValue::from_static("text/event-stream"));
        let response =
            HttpResponse { status: http::StatusCode::OK, headers, version: http::Version::HTTP_11, body };
        Box::pin(std::future::ready(Ok(response)))
    }
}

async fn streamed(pieces: &'static [&'static str], cut: bool) -> Result<(String, Vec<Event>)> {
    let client =
        Client::builder().transport(Arc::new(Pieces(pieces, cut))).key("openai", "k".to_owned()).build()?;
    text_of(&client, ask("gpt-4o", "x")).await
}

const HALF: &str =
    "data: {\"id\":\"1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hel\"}}]}\n\n";
const END: &str = "data: {\"id\":\"1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";

#[tokio::test]
async fn streams_end_well_only_when_the_provider_says_so() {
    let (text, events) = streamed(&[HALF, HALF, END, "data: [DONE]\n\n"], false).await.unwrap();
    assert_eq!((text.as_str(), events.last()), ("helhel", Some(&Event::Done)));
    assert!(
        streamed(&[HALF, END, "data: [DO", "NE]"], false).await.is_ok(),
        "a missing blank line is forgiven"
    );
    let error = streamed(&[HALF], false).await.unwrap_err();
    assert_eq!((error.kind(), error.provider().unwrap().as_str()), (ErrorKind::BadUpstream, "openai"));
    assert_eq!(streamed(&[HALF], true).await.unwrap_err().kind(), ErrorKind::Timeout);
    assert!(streamed(&[HALF, "data: {broken\n\n"], false).await.is_err());
    assert!(
        streamed(&["data: {\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\"}}\n\n"], false)
            .await
            .is_err()
    );
}

/// Answers a stream request with JSON.
#[derive(Debug)]
struct Json(&'static str);

impl Transport for Json {
    fn send(&self, _: HttpRequest) -> BoxFuture<'_, Result<HttpResponse>> {
        let mut headers = http::HeaderMap::new();
        headers.insert("content-type", http::HeaderValue::from_static("application/json; charset=utf-8"));
        let (status, version) = (http::StatusCode::OK, http::Version::HTTP_11);
        let response = HttpResponse { status, headers, version, body: Body::Full(self.0.into()) };
        Box::pin(std::future::ready(Ok(response)))
    }
}

async fn unstreamed(body: &'static str) -> Result<(String, Vec<Event>)> {
    let client = Client::builder().transport(Arc::new(Json(body))).key("openai", "k".to_owned()).build()?;
    text_of(&client, ask("gpt-4o", "x")).await
}

#[tokio::test]
async fn an_error_under_status_200_is_an_error() {
    let error = unstreamed(r#"{"error":{"message":"no credit left","code":402}}"#).await.unwrap_err();
    assert!(error.message().contains("no credit left"), "{error}");
    for none in ["{}", "[1]", r#"{"choices":[]}"#] {
        assert_eq!(unstreamed(none).await.unwrap_err().kind(), ErrorKind::BadUpstream, "{none}");
    }
}

#[tokio::test]
async fn a_whole_reply_to_a_stream_request_is_told_as_a_stream() {
    let reply = r#"{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,
        "message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}"#;
    let (text, events) = unstreamed(reply).await.unwrap();
    assert_eq!((text.as_str(), events.last()), ("hi", Some(&Event::Done)));
    assert!(events.contains(&Event::Finish { choice: 0, reason: Finish::Stop }), "{events:?}");
}

#[test]
fn blocking_calls() {
    let client = blocking::Client::new(client()).unwrap();
    let reply = client.chat(ask("mock/echo", "one two")).unwrap();
    assert_eq!(reply.choices[0].message.parts, [Part::text("one two")]);
    let texts: String = client
        .chat_stream(ask("mock/echo", "one two"))
        .unwrap()
        .filter_map(|event| match event.unwrap() {
            Event::Text { text, .. } => Some(text),
            _ => None,
        })
        .collect();
    assert_eq!(texts, "one two");
}
