//! What is prepared once per deployment, and what each call adds.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use llm_types::{ErrorKind, Origin, Secret, Timeouts};
use serde_json::Map;

use super::PreparedTarget;
use crate::{Auth, Encoded, ParamPolicy, ProviderSpec, Registry, Target};

fn target(change: impl FnOnce(&mut Target, &mut ProviderSpec)) -> PreparedTarget {
    let mut spec = Registry::built_in().provider("groq").unwrap().as_ref().clone();
    let mut target = Target {
        spec: Arc::new(spec.clone()),
        model: "m".into(),
        base_url: "https://api.groq.com/openai/v1".into(),
        key: Some(Secret::new("sk-1".into())),
        headers: HeaderMap::new(),
        defaults: Map::new(),
        policy: ParamPolicy::default(),
        timeouts: Timeouts::default(),
        cloud: None,
    };
    change(&mut target, &mut spec);
    target.spec = Arc::new(spec);
    PreparedTarget::new(Arc::new(target))
}

fn encoded(path: &str) -> Encoded {
    Encoded { path: path.into(), body: "{}".into(), ..Encoded::default() }
}

#[test]
fn a_request_is_put_together() {
    let target = target(|_, _| {});
    for _ in 0..2 {
        let request = target.request(encoded("/chat/completions")).unwrap();
        assert_eq!(request.uri, "https://api.groq.com/openai/v1/chat/completions");
        assert_eq!(request.headers["authorization"], "Bearer sk-1");
        assert_eq!(request.headers["content-type"], "application/json");
        assert_eq!(request.headers.len(), 2);
    }
    let other = target.request(encoded("/embeddings?x=1")).unwrap();
    assert_eq!(other.uri, "https://api.groq.com/openai/v1/embeddings?x=1");
}

#[test]
fn what_sign_in_lists_stands_behind_what_is_there() {
    for (said, expected) in
        [(vec![], "b"), (vec!["a"], "a,b"), (vec!["a, b"], "a,b"), (vec!["b,c", "a,,c"], "b,c,a")]
    {
        let mut headers = HeaderMap::new();
        let name = http::HeaderName::from_static("x-list");
        for value in said {
            headers.append(name.clone(), HeaderValue::from_static(value));
        }
        super::list(&mut headers, &name, &HeaderValue::from_static("b")).unwrap();
        let found: Vec<_> = headers.get_all(&name).iter().collect();
        assert_eq!(found, [expected]);
    }
}

#[test]
fn peoples_tokens_go_as_bearer_tokens() {
    let spec = Registry::built_in().provider("anthropic").unwrap().clone();
    for (key, bearer, betas) in [
        ("sk-ant-oat01-x", Some("Bearer sk-ant-oat01-x"), vec!["theirs,oauth-2025-04-20"]),
        ("sk-ant-api03-x", None, vec!["theirs"]),
    ] {
        let mut target = Target::bare(spec.clone(), "claude");
        target.key = Some(Secret::new(key.into()));
        target.headers.insert("anthropic-beta", HeaderValue::from_static("theirs"));
        let prepared = PreparedTarget::new(Arc::new(target));
        let mut request = prepared.request(encoded("/v1/messages")).unwrap();
        prepared.seal(&mut request, || std::time::SystemTime::UNIX_EPOCH).unwrap();
        let said = |name| request.headers.get_all(name).iter().map(|value| value.to_str().unwrap());
        assert_eq!(said("authorization").next(), bearer, "{key}");
        assert_eq!(said("x-api-key").next(), bearer.is_none().then_some(key), "{key}");
        assert_eq!(said("anthropic-beta").collect::<Vec<_>>(), betas, "{key}");
    }
}

#[test]
fn base_urls_of_all_shapes() {
    for (base, whole) in [
        ("http://localhost:8000", "http://localhost:8000/x"),
        ("http://localhost:8000/", "http://localhost:8000/x"),
        ("http://[::1]:8000/v1//", "http://[::1]:8000/v1/x"),
    ] {
        let prepared = target(|target, _| target.base_url = base.into());
        assert_eq!(prepared.request(encoded("/x")).unwrap().uri, whole, "{base}");
    }
    for base in ["", "localhost:8000/v1", "/v1", "https://h/v1?key=1", "https://u:pa ss@h"] {
        let prepared = target(|target, _| target.base_url = base.into());
        let error = prepared.request(encoded("/x")).unwrap_err();
        assert_eq!((error.kind(), error.origin()), (ErrorKind::Internal, Origin::Gateway), "{base}");
        assert!(!error.message().contains("pa ss"), "{error}");
    }
}

#[test]
fn sign_in_by_query_keeps_the_dialects_query() {
    let prepared = target(|_, spec| spec.auth = Auth::Query("key".into()));
    assert_eq!(
        prepared.request(encoded("/m:generate?alt=sse")).unwrap().uri,
        "https://api.groq.com/openai/v1/m:generate?alt=sse&key=sk-1"
    );
    assert_eq!(
        prepared.request(encoded("/m:generate")).unwrap().uri,
        "https://api.groq.com/openai/v1/m:generate?key=sk-1"
    );
}

#[test]
fn the_operators_headers_count() {
    let prepared = target(|target, _| {
        target.headers.insert("authorization", HeaderValue::from_static("Bearer own"));
        target.headers.insert("x-team", HeaderValue::from_static("a"));
    });
    let mut encoded = encoded("/x");
    encoded.headers.insert("content-type", HeaderValue::from_static("text/plain"));
    let request = prepared.request(encoded).unwrap();
    assert_eq!(request.headers["authorization"], "Bearer own");
    assert_eq!(request.headers["x-team"], "a");
    assert_eq!(request.headers["content-type"], "text/plain");
}

#[test]
fn a_missing_key_is_told_by_every_call() {
    let prepared = target(|target, _| target.key = None);
    for _ in 0..2 {
        let error = prepared.request(encoded("/x")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
        assert_eq!(error.provider().unwrap().as_str(), "groq");
    }
}

#[test]
fn a_vendor_without_chat_says_so() {
    let spec = Registry::built_in().provider("deepgram").unwrap().clone();
    let mut target = Target::bare(spec, "nova-3");
    target.key = Some(Secret::new("k".into()));
    let error = PreparedTarget::new(Arc::new(target)).request(encoded("/chat/completions")).unwrap_err();
    assert_eq!((error.kind(), error.param()), (ErrorKind::Unsupported, Some("model")));
    assert_eq!(error.message(), "provider `deepgram` has no chat for model `nova-3`");
}

#[test]
fn members_every_body_has_stand_in_the_place_of_the_callers() {
    let target = target(|_, spec| {
        spec.quirks.always = vec![("stream".into(), "true".into()), ("store".into(), "false".into())].into();
    });
    let written = Encoded {
        body: r#"{"model":"m","stream":false,"store":true,"input":[]}"#.into(),
        ..encoded("/responses")
    };
    let request = target.request(written).unwrap();
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body, serde_json::json!({"model": "m", "input": [], "stream": true, "store": false}));
}

/// The URL and the body of a request that was written for a built-in vendor.
fn asked(slug: &str, model: &str, body: &str) -> (String, serde_json::Value) {
    let spec = Registry::built_in().provider(slug).unwrap().clone();
    let mut target = Target::bare(spec, model).routed();
    target.key = Some(Secret::new("k".into()));
    let written = Encoded { body: body.to_owned().into(), ..encoded("/responses") };
    let request = PreparedTarget::new(Arc::new(target)).request(written).unwrap();
    (request.uri.to_string(), serde_json::from_slice(&request.body).unwrap())
}

#[test]
fn records_add_what_their_vendors_want_in_bodies() {
    let (url, body) = asked("perplexity", "preset/pro-search", r#"{"model":"pro-search","input":"Hi"}"#);
    assert_eq!(url, "https://api.perplexity.ai/v1/responses");
    assert_eq!(body, serde_json::json!({"input": "Hi", "preset": "pro-search"}));
    let (url, body) = asked("manus", "manus-1.6", r#"{"model":"manus-1.6","input":"Hi","task_mode":"chat"}"#);
    assert_eq!(url, "https://api.manus.im/v1/responses");
    assert_eq!(body["agent_profile"], "manus-1.6");
    assert_eq!(body["task_mode"], "chat", "what the caller says stays");
    let (_, body) = asked("chatgpt", "gpt-5.4", r#"{"model":"gpt-5.4","input":[]}"#);
    assert_eq!((&body["stream"], &body["store"]), (&true.into(), &false.into()));
    assert!(body["instructions"].is_string());
}
