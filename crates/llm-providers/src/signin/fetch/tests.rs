//! Small readers of what services answer.

use std::time::{Duration, SystemTime};

use serde_json::json;

use super::{element, form, oauth, stamp, time};

#[test]
fn times_are_read() {
    let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    for (text, seconds) in [
        ("1970-01-01T00:00:00Z", 0),
        ("2000-02-29T12:34:56Z", 951_827_696),
        ("2026-11-21T15:00:00.123Z", 1_795_273_200),
        ("2100-03-01T00:00:00+00:00", 4_107_542_400),
    ] {
        assert_eq!(time(text), at(seconds), "{text}");
    }
    for text in ["", "2026-11-21", "soon", "2026-11-21T15:00", "2026-11-xxT15:00:00Z"] {
        assert_eq!(time(text), None, "{text}");
    }
}

#[test]
fn lives_of_tokens_are_read_in_all_forms() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
    for (answer, end) in [
        (json!({"access_token": "t", "expires_in": 60}), 1_060),
        (json!({"access_token": "t", "expires_in": "60"}), 1_060),
        (json!({"access_token": "t", "expires_on": "5000"}), 5_000),
        (json!({"id_token": "t"}), 4_600),
    ] {
        let (token, expires) = oauth("x", &answer, now).unwrap();
        assert_eq!(token.reveal(), "t");
        assert_eq!(expires, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(end)), "{answer}");
    }
    assert!(oauth("x", &json!({"error": "e"}), now).is_err());
}

#[test]
fn forms_and_elements() {
    assert_eq!(form(&[("a b", "c&d=é"), ("e", "")]), "a%20b=c%26d%3D%C3%A9&e=");
    assert_eq!(element("<a><B>x&amp;y</B></a>", "B").as_deref(), Some("x&y"));
    assert_eq!(element("<a><B>x", "B"), None);
}

#[test]
fn times_are_written_as_they_are_read() {
    for (text, seconds) in [
        ("1970-01-01T00:00:00Z", 0),
        ("2000-02-29T23:59:59Z", 951_868_799),
        ("2026-11-21T15:04:05Z", 1_795_273_445),
        ("2100-03-01T00:00:00Z", 4_107_542_400),
    ] {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(stamp(at), text);
        assert_eq!(time(text), Some(at));
    }
}
