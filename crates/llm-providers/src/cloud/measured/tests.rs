//! Counts go from headers into bodies, and only there.

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::HeaderMap;
use llm_types::Body;

use super::measured;

fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-amzn-bedrock-input-token-count", "7".parse().unwrap());
    headers.insert("x-amzn-bedrock-output-token-count", "12".parse().unwrap());
    headers
}

fn read(body: Body) -> Bytes {
    futures_util::FutureExt::now_or_never(body.collect(1 << 20)).unwrap().unwrap()
}

#[test]
fn counts_of_headers_stand_in_the_body() {
    let whole = r#"{"outputs":[]}"#;
    let expected =
        r#"{"outputs":[],"amazon-bedrock-invocationMetrics":{"inputTokenCount":7,"outputTokenCount":12}}"#;
    assert_eq!(read(measured(Body::Full(whole.into()), &headers())), expected);
    let pieces = futures_util::stream::iter([Ok(Bytes::from(r#"{"outp"#)), Ok(Bytes::from(r#"uts":[]}"#))]);
    assert_eq!(read(measured(Body::Stream(pieces.boxed()), &headers())), expected);
}

#[test]
fn other_bodies_stay_what_they_are() {
    assert_eq!(read(measured(Body::Full("no JSON".into()), &headers())), "no JSON");
    assert_eq!(read(measured(Body::Full("{}".into()), &HeaderMap::new())), "{}");
}
