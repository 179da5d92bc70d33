//! What is shown of a request holds no secret.

use http::{HeaderMap, HeaderValue, Uri};
use llm_providers::Auth;

use super::{dialect_of, masked, without_key};

#[test]
fn urls_are_shown_without_their_key() {
    let auth = Auth::Query("key".into());
    for (url, shown) in [
        ("https://h/v1/m:x?key=secret", "https://h/v1/m:x"),
        ("https://h/v1/m:x?alt=sse&key=secret", "https://h/v1/m:x?alt=sse"),
        ("https://h/v1/m:x?alt=sse", "https://h/v1/m:x?alt=sse"),
        ("https://h/v1", "https://h/v1"),
    ] {
        assert_eq!(without_key(&url.parse::<Uri>().unwrap(), &auth), shown);
    }
    assert_eq!(without_key(&"https://h/?a=1".parse::<Uri>().unwrap(), &Auth::Bearer), "https://h/?a=1");
}

#[test]
fn headers_are_shown_without_secrets() {
    let mut headers = HeaderMap::new();
    let mut secret = HeaderValue::from_static("Bearer sk-1");
    secret.set_sensitive(true);
    headers.insert("authorization", secret);
    headers.insert("x-plain", HeaderValue::from_static("yes"));
    let shown = masked(&headers);
    assert_eq!((shown["authorization"].as_str(), shown["x-plain"].as_str()), (Some("****"), Some("yes")));
}

#[test]
fn call_types_are_litellms() {
    for kind in
        ["completion", "acompletion", "responses", "aresponses", "text_completion", "anthropic_messages"]
    {
        assert!(dialect_of(kind).is_ok(), "{kind}");
    }
    let error = dialect_of("embedding").unwrap_err();
    assert!(error.message().contains("`call_type`: found `embedding`"), "{error}");
}
