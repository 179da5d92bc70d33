//! What this SCIM service can, and what its resources look like (RFC 7643 §5–§7).

use serde_json::{Value, json};

use super::fault::Fault;
use super::path::ENTERPRISE;
use super::{groups, list, user};

/// `/ServiceProviderConfig`.
pub(super) fn service(base: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": list::MOST },
        "changePassword": { "supported": false },
        "sort": { "supported": false },
        "etag": { "supported": false },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Key",
            "description": "A key of an administrator, or one that is for /scim alone, as a bearer token",
            "primary": true,
        }],
        "meta": { "resourceType": "ServiceProviderConfig", "location": format!("{base}/ServiceProviderConfig") },
    })
}

fn types(base: &str) -> Vec<Value> {
    let one = |id: &str, endpoint: &str, description: &str, schema: &str, extensions: Value| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": id,
            "name": id,
            "endpoint": endpoint,
            "description": description,
            "schema": schema,
            "schemaExtensions": extensions,
            "meta": { "resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/{id}") },
        })
    };
    let extension = json!([{ "schema": ENTERPRISE, "required": false }]);
    vec![
        one("User", "/Users", "Users of the gateway", user::SCHEMA, extension),
        one("Group", "/Groups", "Teams of the gateway", groups::SCHEMA, json!([])),
    ]
}

fn schemas(base: &str) -> Vec<Value> {
    let schema = |id: &str, name: &str, attributes: Value| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
            "id": id,
            "name": name,
            "description": name,
            "attributes": attributes,
            "meta": { "resourceType": "Schema", "location": format!("{base}/Schemas/{id}") },
        })
    };
    vec![
        schema(user::SCHEMA, "User", of_users()),
        schema(groups::SCHEMA, "Group", of_groups()),
        schema(
            ENTERPRISE,
            "EnterpriseUser",
            json!([text("department"), text("costCenter"), text("organization")]),
        ),
    ]
}

fn attribute(name: &str, kind: &str, several: bool, mutability: &str, unique: &str) -> Value {
    json!({
        "name": name,
        "type": kind,
        "multiValued": several,
        "description": name,
        "required": matches!(name, "userName" | "displayName") && unique != "none",
        "caseExact": false,
        "mutability": mutability,
        "returned": "default",
        "uniqueness": if unique == "here" { "server" } else { "none" },
    })
}

fn text(name: &str) -> Value {
    attribute(name, "string", false, "readWrite", "none")
}

fn complex(name: &str, several: bool, mutability: &str, parts: &[Value]) -> Value {
    let mut whole = attribute(name, "complex", several, mutability, "none");
    whole["subAttributes"] = parts.into();
    whole
}

fn of_users() -> Value {
    let primary = attribute("primary", "boolean", false, "readWrite", "none");
    json!([
        attribute("userName", "string", false, "readWrite", "here"),
        complex("name", false, "readWrite", &[text("formatted"), text("givenName"), text("familyName")]),
        text("displayName"),
        text("externalId"),
        attribute("active", "boolean", false, "readWrite", "none"),
        complex("emails", true, "readWrite", &[text("value"), text("type"), primary]),
        complex("groups", true, "readWrite", &[text("value"), text("display"), text("type")]),
    ])
}

fn of_groups() -> Value {
    json!([
        attribute("displayName", "string", false, "readWrite", "needed"),
        text("externalId"),
        complex("members", true, "readWrite", &[text("value"), text("display"), text("type")]),
    ])
}

/// `/ResourceTypes`, or one of them.
///
/// # Errors
/// 404 for one that there is not.
pub(super) fn resource_types(base: &str, id: &str) -> Result<Value, Fault> {
    chosen(types(base), "the resource type", id)
}

/// `/Schemas`, or one of them.
///
/// # Errors
/// 404 for one that there is not.
pub(super) fn all_schemas(base: &str, id: &str) -> Result<Value, Fault> {
    chosen(schemas(base), "the schema", id)
}

fn chosen(all: Vec<Value>, what: &str, id: &str) -> Result<Value, Fault> {
    if id.is_empty() {
        return Ok(list::whole(&all));
    }
    let is = |one: &Value| one["id"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(id));
    all.into_iter().find(is).ok_or_else(|| Fault::missing(what, id))
}
