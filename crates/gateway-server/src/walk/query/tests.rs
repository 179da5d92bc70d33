//! Keys and wishes in queries.

use http::Request;

use super::{take_key, value};

#[test]
fn parameters_are_read_with_their_escapes_undone() {
    for (query, name, expected) in [
        (Some("alt=sse&key=sk-1"), "alt", Some("sse")),
        (Some("alt=sse&key=sk%2D1%20x"), "key", Some("sk-1 x")),
        (Some("alt"), "alt", None),
        (Some("salt=sse"), "alt", None),
        (None, "alt", None),
    ] {
        assert_eq!(value(query, name).as_deref(), expected, "{query:?} {name}");
    }
}

#[test]
fn a_key_in_the_query_counts_where_no_header_has_one() {
    let key_of = |header: Option<&str>| {
        let mut request = Request::builder().uri("/v1beta/models/m:generateContent?key=sk-query");
        if let Some(value) = header {
            request = request.header("authorization", value);
        }
        let mut head = request.body(()).unwrap().into_parts().0;
        take_key(&mut head);
        head.headers.get("x-goog-api-key").map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(key_of(None).as_deref(), Some("sk-query"));
    assert_eq!(key_of(Some("Bearer sk-header")), None);
}
