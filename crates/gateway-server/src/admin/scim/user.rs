//! Users as SCIM shows them, and what SCIM says of them. Pure.

use gateway_db::{JsonMap, ScopeRecord};
use serde_json::{Map, Value, json};

use super::fault::Fault;
use super::path::{ENTERPRISE, get};
use crate::admin::view::time;

/// The schema of users.
pub(super) const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// Where a user or a team keeps what SCIM says and nothing here means.
pub(super) const KEPT: &str = "scim";
/// Where LiteLLM keeps names, and whether somebody is active.
const NAMES: &str = "scim_metadata";
const ACTIVE: &str = "scim_active";
/// The longest text that names somebody, characters.
const LONGEST: usize = 256;
/// What is not kept as it came: the gateway says it itself, or must not know it.
const NOT_KEPT: [&str; 7] = ["id", "meta", "schemas", "active", "groups", "password", "members"];

/// What a request says of a user.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said {
    pub(super) user_name: String,
    pub(super) email: Option<String>,
    pub(super) alias: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) active: bool,
    /// Groups the user is to be in exactly, where the request names any.
    pub(super) groups: Option<Vec<String>>,
    /// Everything, to be shown again.
    pub(super) kept: JsonMap,
    names: Value,
}

/// Reads a user.
///
/// # Errors
/// `invalidValue` with the first attribute that is wrong.
pub(super) fn read(resource: &Map<String, Value>) -> Result<Said, Fault> {
    let user_name = required(resource, "userName")?;
    let names = get(resource, "name").and_then(Value::as_object);
    let of_name = |part: &str| names.and_then(|names| text(names, part));
    let active = match get(resource, "active") {
        None | Some(Value::Null) => true,
        Some(Value::Bool(active)) => *active,
        // Entra writes it so.
        Some(Value::String(word)) if word.eq_ignore_ascii_case("true") => true,
        Some(Value::String(word)) if word.eq_ignore_ascii_case("false") => false,
        Some(other) => {
            return Err(Fault::bad("invalidValue", format!("`active` is `{other}`, expected true or false")));
        }
    };
    let groups = get(resource, "groups").and_then(Value::as_array).filter(|list| !list.is_empty());
    let groups = groups.map(|list| values_of(list, "groups")).transpose()?;
    Ok(Said {
        email: email(resource),
        alias: text(resource, "displayName")
            .or_else(|| of_name("formatted"))
            .or_else(|| of_name("givenName")),
        external_id: text(resource, "externalId"),
        active,
        groups,
        kept: kept(resource),
        names: json!({ "givenName": of_name("givenName"), "familyName": of_name("familyName") }),
        user_name,
    })
}

impl Said {
    /// A user's metadata with what LiteLLM keeps of SCIM there.
    pub(super) fn metadata(&self, old: &JsonMap) -> JsonMap {
        let mut metadata = old.clone();
        metadata.insert(NAMES.to_owned(), self.names.clone());
        metadata.insert(ACTIVE.to_owned(), self.active.into());
        metadata
    }
}

/// What is kept of a resource as it came.
pub(super) fn kept(resource: &Map<String, Value>) -> JsonMap {
    let ours = |name: &str| NOT_KEPT.iter().any(|own| name.eq_ignore_ascii_case(own));
    resource
        .iter()
        .filter(|(name, value)| !ours(name) && !value.is_null())
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect()
}

/// A text that names somebody.
///
/// # Errors
/// `invalidValue` where it is none, empty or too long.
pub(super) fn required(resource: &Map<String, Value>, name: &str) -> Result<String, Fault> {
    match text(resource, name) {
        Some(text) if text.chars().count() <= LONGEST => Ok(text),
        Some(_) => Err(Fault::bad("invalidValue", format!("`{name}` is longer than {LONGEST} characters"))),
        None => Err(Fault::bad("invalidValue", format!("`{name}` lacks, or is no text"))),
    }
}

/// A text that says something.
pub(super) fn text(map: &Map<String, Value>, name: &str) -> Option<String> {
    get(map, name)?.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The `value` of each.
pub(super) fn values_of(list: &[Value], name: &str) -> Result<Vec<String>, Fault> {
    let value = |one: &Value| match one {
        Value::String(text) => Some(text.clone()),
        one => text(one.as_object()?, "value"),
    };
    let values: Option<Vec<String>> = list.iter().map(value).collect();
    values.ok_or_else(|| Fault::bad("invalidValue", format!("one of `{name}` has no `value`")))
}

/// The primary address, else the first.
fn email(resource: &Map<String, Value>) -> Option<String> {
    let list = get(resource, "emails")?.as_array()?;
    let primary =
        |one: &&Value| one.as_object().and_then(|one| get(one, "primary")) == Some(&Value::Bool(true));
    let chosen = list.iter().find(primary).or_else(|| list.first())?;
    text(chosen.as_object()?, "value")
}

/// What SCIM calls a user.
pub(super) fn name_of(user: &ScopeRecord) -> String {
    let kept = user.settings.extra.get(KEPT).and_then(Value::as_object);
    let said = kept.and_then(|kept| text(kept, "userName"));
    said.or_else(|| user.settings.email.clone()).unwrap_or_else(|| user.id.id.clone())
}

/// A user as a resource; `groups` are its teams with their names.
pub(super) fn resource(user: &ScopeRecord, groups: &[(String, String)], base: &str) -> Map<String, Value> {
    let settings = &user.settings;
    let kept = settings.extra.get(KEPT).and_then(Value::as_object);
    let mut all = Map::new();
    let extended = kept.is_some_and(|kept| get(kept, ENTERPRISE).is_some());
    let schemas = if extended { json!([SCHEMA, ENTERPRISE]) } else { json!([SCHEMA]) };
    all.insert("schemas".to_owned(), schemas);
    all.insert("id".to_owned(), json!(user.id.id));
    for (name, value) in kept.into_iter().flatten() {
        all.insert(name.clone(), value.clone());
    }
    all.insert("userName".to_owned(), json!(name_of(user)));
    if let Some(id) = settings.extra.get("sso_user_id").filter(|id| id.is_string()) {
        all.entry("externalId").or_insert_with(|| id.clone());
    }
    if let Some(alias) = &settings.alias {
        all.entry("displayName").or_insert_with(|| json!(alias));
    }
    if let Some(names) = settings.metadata.get(NAMES).filter(|names| names.is_object()) {
        all.entry("name").or_insert_with(|| names.clone());
    }
    let shown = email(&all);
    if let Some(own) = &settings.email
        && shown.as_ref() != Some(own)
    {
        // It was changed by another way than this.
        all.insert("emails".to_owned(), json!([{ "value": own, "primary": true }]));
    }
    all.insert("active".to_owned(), json!(!settings.blocked));
    let group = |(id, name): &(String, String)| json!({ "value": id, "display": name, "$ref": format!("{base}/Groups/{}", escaped(id)), "type": "direct" });
    all.insert("groups".to_owned(), groups.iter().map(group).collect());
    all.insert("meta".to_owned(), meta(user, "User", base));
    all
}

/// What the gateway says of a resource itself.
pub(super) fn meta(record: &ScopeRecord, kind: &str, base: &str) -> Value {
    json!({
        "resourceType": kind,
        "created": time(Some(record.created_at)),
        "lastModified": time(Some(record.updated_at)),
        "location": format!("{base}/{kind}s/{}", escaped(&record.id.id)),
    })
}

/// An id as a segment of an address.
pub(super) fn escaped(id: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte);
    id.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests;
