//! Filters mean what the RFC says.

use serde_json::{Map, Value, json};

use super::Filter;

fn ann() -> Map<String, Value> {
    let ann = json!({
        "id": "a-1",
        "userName": "Ann@corp.example",
        "externalId": "X1",
        "active": true,
        "name": {"familyName": "O'Malley \"x\"", "givenName": ""},
        "emails": [{"value": "ann@corp.example", "type": "work"}, {"value": "a@home.example", "type": "home"}],
        "meta": {"lastModified": "2026-05-13T04:42:34Z"},
        "age": 7,
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Ops"},
    });
    ann.as_object().unwrap().clone()
}

#[test]
fn filters_hold_or_not() {
    for (filter, expected) in [
        (r#"userName eq "ann@CORP.example""#, true),
        (r#"USERNAME Eq "ann@corp.example""#, true),
        (r#"userName eq "bob""#, false),
        (r#"userName ne "bob""#, true),
        (r#"userName sw "ann""#, true),
        (r#"userName ew "example" and active eq true"#, true),
        (r#"active eq "True""#, true),
        (r#"active eq false"#, false),
        (r#"externalId eq "x1""#, false),
        (r#"externalId eq "X1""#, true),
        (r#"name.familyName co "malley \"x""#, true),
        (r#"name.givenName pr"#, false),
        (r#"name.familyName pr"#, true),
        (r#"title pr or emails pr"#, true),
        (r#"emails eq "ann@corp.example""#, true),
        (r#"emails.value co "home""#, true),
        (r#"emails[type eq "work" and value co "home"]"#, false),
        (r#"emails[type eq "home" and value co "home"]"#, true),
        (r#"not (active eq true)"#, false),
        (r#"active eq false or userName eq "x" and active eq true"#, false),
        (r#"(active eq true or userName eq "x") and active eq true"#, true),
        (r#"meta.lastModified gt "2011-05-13T04:42:34Z""#, true),
        (r#"age ge 7"#, true),
        (r#"age lt 7"#, false),
        (r#"title eq null"#, true),
        (r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "ann""#, true),
        (r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "ops""#, true),
    ] {
        assert_eq!(Filter::read(filter).unwrap().holds(&ann()), expected, "{filter}");
    }
}

#[test]
fn what_is_no_filter_is_told() {
    let deep = format!("{}a pr{}", "(".repeat(40), ")".repeat(40));
    let long = format!("userName eq \"{}\"", "x".repeat(5_000));
    for wrong in [
        "",
        "userName",
        "userName eq",
        "userName eq bob",
        "userName is \"bob\"",
        "eq \"bob\"",
        "userName eq \"bob",
        "userName eq \"bob\" and",
        "userName eq \"bob\" userName",
        "(userName pr",
        "emails[type eq \"work\"",
        "not userName pr",
        "a.b.c pr",
        "us/er pr",
        &deep,
        &long,
    ] {
        let fault = Filter::read(wrong).unwrap_err();
        assert_eq!(fault.body()["scimType"], "invalidFilter", "{wrong}");
    }
}

#[test]
fn plain_equalities_are_seen() {
    let read = |text: &str| Filter::read(text).unwrap();
    assert_eq!(read(r#"userName eq "a""#).equals("userName"), Some("a"));
    assert_eq!(read(r#"members.value eq "a""#).equals("members.value"), Some("a"));
    assert_eq!(read(r#"members[value eq "a"]"#).equals("members.value"), Some("a"));
    assert_eq!(read(r#"userName ne "a""#).equals("userName"), None);
    assert_eq!(read(r#"userName eq "a" or active eq true"#).equals("userName"), None);
}

proptest::proptest! {
    #[test]
    fn nothing_makes_the_reader_fall(text in r#"[a-z ()\[\]".\\\\:1-9]{0,60}"#) {
        let _ = Filter::read(&text).map(|filter| filter.holds(&ann()));
    }
}
