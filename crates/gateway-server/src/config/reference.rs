//! The catalogue of keys for people and for editors: a page and a JSON schema.

use std::fmt::Write as _;

use llm_router::strategies;
use serde_json::{Map, Value, json};

use super::raw::{
    AUTH_WEBHOOK, CREDENTIAL, Catalogue, GENERAL, JWT_AUTH, JWT_ISSUER, Key, LITELLM, MODEL, MODEL_INFO,
    MODEL_PARAMS, PRICES, PROVIDER, QUIRKS, ROUTER, ROUTING_WEBHOOK, SECTIONS, Shape, Status, TOP,
};

/// A JSON schema (draft 2020-12) of the file. Unknown keys are allowed, as they only cause warnings.
#[must_use]
pub fn config_schema() -> Value {
    let mut params = object(MODEL_PARAMS, &[]);
    let mut info = object(MODEL_INFO, &[]);
    for price in PRICES {
        let price_schema = json!({ "description": "Price in USD.", "type": ["number", "string", "array", "object", "null"] });
        for schema in [&mut params, &mut info] {
            schema["properties"][*price] = price_schema.clone();
        }
    }
    params["required"] = json!(["model"]);
    let mut model = object(MODEL, &[("litellm_params", params), ("model_info", info)]);
    model["required"] = json!(["model_name", "litellm_params"]);
    let credential = object(CREDENTIAL, &[]);
    let provider = object(PROVIDER, &[("quirks", object(QUIRKS, &[]))]);
    let mut schema = object(
        TOP,
        &[
            ("model_list", json!({ "type": ["array", "null"], "items": model })),
            ("credential_list", json!({ "type": ["array", "null"], "items": credential })),
            ("providers", json!({ "type": ["object", "null"], "additionalProperties": provider })),
            ("general_settings", general()),
            ("litellm_settings", object(LITELLM, &[])),
            ("router_settings", object(ROUTER, &[("routing_webhook", object(ROUTING_WEBHOOK, &[]))])),
        ],
    );
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("gateway configuration");
    schema
}

/// The settings of the router for a page that sets them (`/router/settings`): what each is, and its value where
/// `values` has one. LiteLLM surface §3.9.
pub(crate) fn router_fields(values: &Map<String, Value>) -> Vec<Value> {
    let served = ROUTER.iter().filter(|key| key.status == Status::Served);
    let field = |key: &Key| {
        let told = strategies::ALL.iter().map(|strategy| strategy.name);
        let options = (key.name == "routing_strategy").then(|| told.collect::<Vec<_>>());
        json!({
            "field_name": key.name,
            "field_type": word(key.shape),
            "field_value": values.get(key.name),
            "field_description": key.doc,
            "field_default": if key.default.is_empty() { Value::Null } else { default(key) },
            "options": options,
            "ui_field_name": titled(key.name),
            "link": null,
        })
    };
    served.map(field).collect()
}

/// LiteLLM's words for the types of fields.
fn word(shape: Shape) -> &'static str {
    match shape {
        Shape::Text | Shape::Secret | Shape::Any => "String",
        Shape::Flag => "Boolean",
        Shape::Count => "Integer",
        Shape::Number | Shape::Seconds => "Float",
        Shape::List => "List",
        Shape::Map => "Dictionary",
    }
}

/// `num_retries` as `Num Retries`.
fn titled(name: &str) -> String {
    let mut words: Vec<String> = name.split('_').map(str::to_owned).collect();
    for word in &mut words {
        if let Some(first) = word.get_mut(..1) {
            first.make_ascii_uppercase();
        }
    }
    words.join(" ")
}

fn general() -> Value {
    let issuers = json!({ "type": ["array", "null"], "items": object(JWT_ISSUER, &[]) });
    let inner = [
        ("custom_auth_settings", object(AUTH_WEBHOOK, &[])),
        ("litellm_jwtauth", object(JWT_AUTH, &[("issuers", issuers)])),
    ];
    object(GENERAL, &inner)
}

/// The schema of a section; `inner` replaces what the shape of a key says.
fn object(keys: Catalogue, inner: &[(&str, Value)]) -> Value {
    let mut properties = Map::new();
    for key in keys {
        let own = inner.iter().find(|(name, _)| *name == key.name).map(|(_, schema)| schema.clone());
        let mut schema = own.unwrap_or_else(|| shape(key.shape));
        schema["description"] = Value::from(description(key));
        if !key.default.is_empty() {
            schema["default"] = default(key);
        }
        properties.insert(key.name.to_owned(), schema);
    }
    json!({ "type": ["object", "null"], "properties": properties })
}

/// Every scalar may be text as well: `os.environ/NAME`.
fn shape(shape: Shape) -> Value {
    match shape {
        Shape::Text => json!({ "type": ["string", "number", "boolean", "null"] }),
        Shape::Secret => json!({ "type": ["string", "object", "null"], "writeOnly": true }),
        Shape::Flag => json!({ "type": ["boolean", "string", "null"] }),
        Shape::Count => json!({ "type": ["integer", "string", "null"], "minimum": 0 }),
        Shape::Number | Shape::Seconds => json!({ "type": ["number", "string", "null"], "minimum": 0 }),
        Shape::List => json!({ "type": ["array", "string", "null"] }),
        Shape::Map => json!({ "type": ["object", "null"] }),
        Shape::Any => json!({}),
    }
}

fn default(key: &Key) -> Value {
    match key.shape {
        Shape::Flag => Value::Bool(key.default.eq_ignore_ascii_case("true")),
        Shape::Count => key.default.parse::<u64>().map_or_else(|_| Value::from(key.default), Value::from),
        Shape::Number | Shape::Seconds => {
            key.default.parse::<f64>().map_or_else(|_| Value::from(key.default), Value::from)
        }
        _ => Value::from(key.default),
    }
}

fn description(key: &Key) -> String {
    match key.status {
        Status::Served | Status::Accepted => key.doc.to_owned(),
        Status::Later(instead) => format!("{} Not served yet: {instead}.", key.doc),
    }
}

/// The reference page, Markdown: a table for each section, served keys first.
#[must_use]
pub fn config_reference() -> String {
    let mut page = String::from(
        "# Configuration reference\n\n\
         The file is LiteLLM's `config.yaml`. Any text may be `os.environ/NAME` to take it from the environment.\n\
         A key that is not served yet, or not known, is a warning of `gateway check`; `--strict` makes warnings\n\
         fatal.\n",
    );
    for (path, keys) in SECTIONS {
        let title = if path.is_empty() { "The file" } else { path };
        write!(page, "\n## {title}\n").expect("writing to a string cannot fail");
        table(&mut page, keys, |status| status == Status::Served, "| key | type | default | |");
        table(
            &mut page,
            keys,
            |status| status == Status::Accepted,
            "| key that needs nothing done | type | default | |",
        );
        later(&mut page, keys);
        if *path == "model_list[].litellm_params" {
            let prices: Vec<_> = PRICES.iter().map(|price| format!("`{price}`")).collect();
            let written = write!(
                page,
                "\nAny other key is sent to the provider as a field of the request body.\n\n\
                 Prices, here or in `model_info`, USD: {}.\n",
                prices.join(", ")
            );
            written.expect("writing to a string cannot fail");
        }
    }
    page
}

fn table(page: &mut String, keys: Catalogue, wanted: impl Fn(Status) -> bool, head: &str) {
    let rows: Vec<_> = keys.iter().filter(|key| wanted(key.status)).collect();
    if rows.is_empty() {
        return;
    }
    write!(page, "\n{head}\n|---|---|---|---|\n").expect("writing to a string cannot fail");
    for key in rows {
        let default = if key.default.is_empty() { String::new() } else { format!("`{}`", key.default) };
        writeln!(page, "| `{}` | {} | {default} | {} |", key.name, kind(key.shape), cell(key.doc))
            .expect("writing to a string cannot fail");
    }
}

fn later(page: &mut String, keys: Catalogue) {
    let rows = || {
        keys.iter().filter_map(|key| {
            if let Status::Later(instead) = key.status { Some((key, instead)) } else { None }
        })
    };
    if rows().next().is_none() {
        return;
    }
    page.push_str("\n| key that is not served yet | | what happens instead |\n|---|---|---|\n");
    for (key, instead) in rows() {
        writeln!(page, "| `{}` | {} | {} |", key.name, cell(key.doc), cell(instead))
            .expect("writing to a string cannot fail");
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

const fn kind(shape: Shape) -> &'static str {
    match shape {
        Shape::Text => "text",
        Shape::Secret => "secret",
        Shape::Flag => "boolean",
        Shape::Count => "whole number",
        Shape::Number => "number",
        Shape::Seconds => "seconds",
        Shape::List => "list",
        Shape::Map => "mapping",
        Shape::Any => "any",
    }
}

#[cfg(test)]
mod tests;
