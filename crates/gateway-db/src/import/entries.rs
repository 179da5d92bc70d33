//! Models and credentials of LiteLLM's, their secrets opened.

use serde_json::Value;

use super::cipher::Cipher;
use super::row::Row;
use crate::{ConfigEntry, EntryKind, JsonMap};

/// The table of deployments.
pub(super) const MODELS: &str = "LiteLLM_ProxyModelTable";
/// The table of credentials.
pub(super) const CREDENTIALS: &str = "LiteLLM_CredentialsTable";

/// Switches that LiteLLM writes into every row; off, they say nothing.
const SWITCHES: [&str; 5] = [
    "allow_client_keepalive_override",
    "merge_reasoning_content_in_choices",
    "use_in_pass_through",
    "use_litellm_proxy",
    "use_xai_oauth",
];

/// Reads a deployment.
pub(super) fn model(row: &mut Row<'_>, cipher: Option<&Cipher>) -> Option<ConfigEntry> {
    let id = row.id("model_id")?;
    let name = row.text("model_name")?;
    let mut secret = row.map("litellm_params");
    secret.retain(|name, value| *value != Value::Bool(false) || !SWITCHES.contains(&name.as_str()));
    let secret = opened(row, "litellm_params", secret, cipher)?;
    let mut info = row.map("model_info");
    // The column counts: a changed row has another id here.
    for own in ["id", "db_model"] {
        info.shift_remove(own);
    }
    let blocked = row.flag("blocked");
    Some(entry(row, EntryKind::Model, (id, name), secret, info, blocked))
}

/// Reads a credential.
pub(super) fn credential(row: &mut Row<'_>, cipher: Option<&Cipher>) -> Option<ConfigEntry> {
    let name = row.id("credential_name")?;
    row.any("credential_id");
    let values = row.map("credential_values");
    let secret = opened(row, "credential_values", values, cipher)?;
    let mut info = row.map("credential_info");
    if let Some(display) = row.text("display_name") {
        info.insert("display_name".to_owned(), display.into());
    }
    Some(entry(row, EntryKind::Credential, (name.clone(), name), secret, info, false))
}

/// Every text on the first level is sealed, numbers and what lies deeper are not.
fn opened(row: &mut Row<'_>, column: &str, values: JsonMap, cipher: Option<&Cipher>) -> Option<JsonMap> {
    let mut clear = JsonMap::new();
    for (name, value) in values {
        let Value::String(sealed) = &value else {
            clear.insert(name, value);
            continue;
        };
        let Some(cipher) = cipher else {
            row.trouble(format!("`{column}` is sealed: give LiteLLM's salt with `--salt-key`"));
            return None;
        };
        let Some(text) = cipher.open(sealed) else {
            row.trouble(format!("`{column}.{name}` cannot be opened with this salt"));
            return None;
        };
        clear.insert(name, text.into());
    }
    Some(clear)
}

fn entry(
    row: &mut Row<'_>,
    kind: EntryKind,
    (id, name): (String, String),
    secret: JsonMap,
    mut info: JsonMap,
    blocked: bool,
) -> ConfigEntry {
    let created_at = row.time("created_at").unwrap_or(row.now);
    let made = ConfigEntry {
        kind,
        id,
        name,
        secret,
        info: JsonMap::new(),
        blocked,
        created_at,
        created_by: row.text("created_by"),
        updated_at: row.time("updated_at").unwrap_or(created_at),
        updated_by: row.text("updated_by"),
    };
    info.extend(row.rest());
    ConfigEntry { info, ..made }
}
