//! Where secrets are found and how they are hashed.

use http::HeaderMap;

use super::{KeyDigest, Presented, masked, new_secret, presented};

/// As boto3 signs, with a key that holds a slash.
const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=sk-6/x/20251121/us-east-1/bedrock/aws4_request, \
     SignedHeaders=content-type;host;x-amz-date, Signature=abc";

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.insert(*name, value.parse().unwrap());
    }
    map
}

#[test]
fn the_first_header_of_the_documented_order_wins() {
    let cases: &[(&[(&'static str, &str)], Presented<'_>)] = &[
        (&[], Presented::Nothing),
        (&[("authorization", "Bearer sk-1")], Presented::Secret(b"sk-1")),
        (&[("authorization", "bearer   sk-1 ")], Presented::Secret(b"sk-1")),
        (&[("authorization", "sk-raw")], Presented::Secret(b"sk-raw")),
        (&[("authorization", "Bearer ")], Presented::Malformed),
        (&[("x-litellm-api-key", "sk-2"), ("authorization", "Bearer sk-1")], Presented::Secret(b"sk-2")),
        (&[("x-api-key", "sk-3")], Presented::Secret(b"sk-3")),
        (&[("authorization", SIGNED)], Presented::Secret(b"sk-6/x")),
        (&[("authorization", "AWS4-HMAC-SHA256 Credential=sk-7/20251121")], Presented::Malformed),
        (&[("authorization", "AWS4-HMAC-SHA256")], Presented::Malformed),
        (&[("x-api-key", "sk-3"), ("authorization", SIGNED)], Presented::Secret(b"sk-6/x")),
        (&[("api-key", "sk-4"), ("x-goog-api-key", "sk-5")], Presented::Secret(b"sk-4")),
    ];
    for (pairs, expected) in cases {
        assert!(presented(&headers(pairs), None) == *expected, "{pairs:?}");
    }
}

#[test]
fn digests_are_litellms_sha256_hex() {
    let digest = KeyDigest::of(b"sk-1234");
    assert_eq!(digest.to_hex(), "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b");
    assert_eq!(KeyDigest::from_hex(&digest.to_hex()), Some(digest));
    assert!(digest.same(&digest) && !digest.same(&KeyDigest::of(b"sk-1235")));
    assert_eq!(KeyDigest::from_hex("zz"), None);
}

#[test]
fn new_secrets_have_litellms_form() {
    let secret = new_secret().unwrap();
    assert!(secret.starts_with("sk-") && secret.len() == 25, "{secret}");
    assert_eq!(masked("sk-abcdefgh"), "sk-...efgh");
}
