//! Changes are made as the RFC and the large providers write them.

use serde_json::{Map, Value, json};

use super::apply;

fn ann() -> Map<String, Value> {
    let ann = json!({
        "id": "a-1",
        "userName": "ann",
        "active": true,
        "name": {"givenName": "Ann", "familyName": "O"},
        "emails": [{"value": "ann@corp.example", "type": "work"}, {"value": "a@home.example", "type": "home"}],
        "members": [{"value": "1"}, {"value": "2"}, {"value": "3"}],
    });
    ann.as_object().unwrap().clone()
}

fn patched(operations: &Value) -> Result<Value, String> {
    let request = json!({ "Operations": operations });
    let done = apply(&ann(), request.as_object().unwrap());
    done.map(Value::Object).map_err(|fault| fault.body()["scimType"].as_str().unwrap().to_owned())
}

#[test]
fn changes_are_made() {
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    for (operation, pointer, expected) in [
        (json!({"op": "Replace", "path": "active", "value": "False"}), "/active", json!("False")),
        (json!({"op": "replace", "value": {"active": false}}), "/active", json!(false)),
        (
            json!({"op": "replace", "value": {"name.givenName": "A"}}),
            "/name",
            json!({"givenName": "A", "familyName": "O"}),
        ),
        (
            json!({"op": "replace", "path": "NAME", "value": {"givenname": "A"}}),
            "/name/givenName",
            json!("A"),
        ),
        (json!({"op": "add", "path": "title", "value": "Dr"}), "/title", json!("Dr")),
        (json!({"op": "remove", "path": "name.familyName"}), "/name", json!({"givenName": "Ann"})),
        (
            json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "x@corp.example"}),
            "/emails/0/value",
            json!("x@corp.example"),
        ),
        (
            json!({"op": "add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "1"}),
            "/phoneNumbers",
            json!([{"type": "mobile", "value": "1"}]),
        ),
        (json!({"op": "remove", "path": "emails[type eq \"home\"]"}), "/emails/1", Value::Null),
        (
            json!({"op": "add", "path": "members", "value": [{"value": "3"}, {"value": "4"}]}),
            "/members/3/value",
            json!("4"),
        ),
        (
            json!({"op": "add", "path": "members", "value": [{"value": "3"}, {"value": "4"}]}),
            "/members/4",
            Value::Null,
        ),
        (
            json!({"op": "remove", "path": "members[value eq \"2\"]"}),
            "/members",
            json!([{"value": "1"}, {"value": "3"}]),
        ),
        (
            json!({"op": "Remove", "path": "members", "value": [{"value": "2"}]}),
            "/members",
            json!([{"value": "1"}, {"value": "3"}]),
        ),
        (json!({"op": "remove", "path": "members"}), "/members", Value::Null),
        (
            json!({"op": "replace", "path": "members", "value": [{"value": "9"}]}),
            "/members",
            json!([{"value": "9"}]),
        ),
        (
            json!({"op": "replace", "path": format!("{enterprise}:department"), "value": "Ops"}),
            &format!("/{enterprise}/department"),
            json!("Ops"),
        ),
        (
            json!({"op": "add", "value": {enterprise: {"department": "Ops"}}}),
            &format!("/{enterprise}/department"),
            json!("Ops"),
        ),
        (json!({"op": "add", "value": {"id": "other", "nickName": "A"}}), "/id", json!("a-1")),
    ] {
        let done = patched(&json!([operation])).unwrap();
        assert_eq!(done.pointer(pointer).unwrap_or(&Value::Null), &expected, "{operation}");
    }
}

#[test]
fn what_makes_no_sense_is_told_and_nothing_is_changed() {
    for (operation, kind) in [
        (json!({"op": "set", "path": "active", "value": true}), "invalidSyntax"),
        (json!({"op": "remove"}), "noTarget"),
        (json!({"op": "replace", "path": "id", "value": "x"}), "mutability"),
        (json!({"op": "replace", "path": "active"}), "invalidValue"),
        (json!({"op": "replace", "value": "x"}), "invalidValue"),
        (json!({"op": "replace", "path": "a b", "value": "x"}), "invalidPath"),
        (json!({"op": "replace", "path": "emails[type eq].value", "value": "x"}), "invalidFilter"),
        (json!({"op": "replace", "path": "emails[type co \"q\"].value", "value": "x"}), "noTarget"),
        (json!({"op": "replace", "path": "userName[a eq \"b\"]", "value": "x"}), "invalidPath"),
        (json!("x"), "invalidSyntax"),
    ] {
        let first = json!({"op": "replace", "path": "active", "value": false});
        assert_eq!(patched(&json!([first, operation])).unwrap_err(), kind, "{operation}");
    }
    assert_eq!(patched(&Value::Null).unwrap_err(), "invalidSyntax");
}
