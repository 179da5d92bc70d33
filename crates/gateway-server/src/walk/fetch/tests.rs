//! URLs: which are fetched, where redirects lead, what is shown of them.

use super::{address, joined, shown};

#[test]
fn redirects_lead_where_they_say() {
    let from = "https://a.example/x/y?z=1".parse().expect("a URL");
    for (to, expected) in [
        ("http://b.example/1", "http://b.example/1"),
        ("//b.example/1", "https://b.example/1"),
        ("/1?q", "https://a.example/1?q"),
        ("1", "https://a.example/x/1"),
        ("?q", "https://a.example/x/y?q"),
    ] {
        assert_eq!(joined(&from, to), expected);
    }
}

#[test]
fn what_is_no_plain_web_address_is_refused() {
    for (url, word) in [
        ("ftp://a.example/1", "http://"),
        ("file:///etc/passwd", "http://"),
        ("gopher://a.example", "http://"),
        ("https://user:secret@a.example/1", "credentials"),
        ("https://", "not a URL"),
        ("nonsense", "http://"),
    ] {
        let why = address(url).expect_err(url);
        assert!(why.contains(word), "{url}: {why}");
        assert!(!why.contains("secret"), "{why}");
    }
    let kept = address(" https://a.example/one two?q=1#part ").expect("a URL");
    assert_eq!(kept.to_string(), "https://a.example/one%20two?q=1");
}

#[test]
fn what_may_sign_in_is_not_shown() {
    assert_eq!(shown("https://u:p@a.example/1?X-Amz-Signature=abc"), "a.example/1");
    assert_eq!(shown("https://a.example/1?sig=abc#f"), "https://a.example/1");
    assert_eq!(shown(&format!("https://a.example/{}", "é".repeat(500))).chars().count(), 120);
}
