//! Who may make keys, what teams begin with, how often a password may be wrong, headers that name users.

use std::time::Duration;

use http::HeaderName;
use llm_types::{Money, Secret};
use serde_json::{Map, Value};

use super::Section;
use super::section::{count_of, text_of};
use crate::config::source::{Node, Tree};
use crate::config::{
    CaptureRate, KeyRule, KeyRules, RowMetadata, SignInLimits, TeamDefaults, TeamField, UserHeaders,
};
use crate::identity::Network;
use crate::limits::parse_duration_ms;

const RULES: &str = "key_generation_settings";
const TEAMS: &str = "default_team_params";
const FIELDS: &str = "team_metadata_schema";
const SOURCES: &str = "max_failed_login_attempts_per_source_overrides";
const HEADERS: &str = "user_header_mappings";

/// `key_generation_settings` of `litellm_settings`.
pub(super) fn key_rules(section: &mut Section<'_, '_, '_>) -> KeyRules {
    let said = section.map(RULES);
    let known = ["team_key_generation", "personal_key_generation"];
    warn_of_others(section, RULES, &said, &known);
    let team = rule(section, &said, known[0], "allowed_team_member_roles");
    KeyRules { team, personal: rule(section, &said, known[1], "allowed_user_roles"), teams_only: false }
}

fn rule(
    section: &mut Section<'_, '_, '_>,
    said: &Map<String, Value>,
    kind: &str,
    of: &str,
) -> Option<KeyRule> {
    let said = said.get(kind).filter(|said| !said.is_null())?;
    let Value::Object(said) = said else {
        section.error(RULES, format!("found `{said}` as `{kind}`"), "expected a mapping");
        return None;
    };
    warn_of_others(section, RULES, said, &[of, "required_params"]);
    let roles = texts(section, RULES, said, of);
    Some(KeyRule { roles, required: texts(section, RULES, said, "required_params").unwrap_or_default() })
}

/// `default_team_params` of `litellm_settings`.
pub(super) fn team_defaults(section: &mut Section<'_, '_, '_>) -> TeamDefaults {
    let said = section.map(TEAMS);
    let known =
        ["models", "max_budget", "budget_duration", "tpm_limit", "rpm_limit", "team_member_permissions"];
    warn_of_others(section, TEAMS, &said, &known);
    let mut read = |name: &str, expected: &str, fits: fn(&Value) -> bool| {
        let value = said.get(name).filter(|value| !value.is_null())?;
        if !fits(value) {
            section.error(TEAMS, format!("found `{value}` as `{name}`"), format!("expected {expected}"));
        }
        Some(value)
    };
    let amount = |value: &Value| value.as_f64().is_some_and(|usd| usd >= 0.0 && Money::of_usd(usd).is_some());
    let count = |value: &Value| value.as_i64().is_some_and(|count| count >= 0);
    let period = |value: &Value| value.as_str().and_then(parse_duration_ms).is_some();
    let max_budget =
        read("max_budget", "an amount in USD from 0 to 9223372036", amount).and_then(Value::as_f64);
    let budget_duration = read("budget_duration", "a period such as `30d`", period).and_then(Value::as_str);
    let [tpm_limit, rpm_limit] =
        ["tpm_limit", "rpm_limit"].map(|name| read(name, "a whole number, zero or more", count)?.as_i64());
    TeamDefaults {
        models: texts(section, TEAMS, &said, "models").unwrap_or_default(),
        max_budget: max_budget.map(Money::from_usd),
        budget_duration: budget_duration.map(str::to_owned),
        tpm_limit,
        rpm_limit,
        member_permissions: texts(section, TEAMS, &said, "team_member_permissions").unwrap_or_default(),
    }
}

/// `team_metadata_schema`: what members of teams' metadata are called.
pub(super) fn team_fields(section: &mut Section<'_, '_, '_>) -> Vec<TeamField> {
    let entries = match section.value(FIELDS).map(|node| (&node.tree, node)) {
        None => return Vec::new(),
        Some((Tree::List(entries), _)) => entries,
        Some((_, node)) => {
            section.wrong(FIELDS, node, "expected a list of {key, label}");
            return Vec::new();
        }
    };
    let mut fields: Vec<TeamField> = Vec::with_capacity(entries.len());
    for entry in entries {
        if let Some(other) = entry.members().iter().find(|member| !matches!(&*member.key, "key" | "label")) {
            section.error(
                FIELDS,
                format!("found `{}`", other.key),
                "expected entries with `key` and `label`",
            );
        }
        let text = |name: &str| entry.member(name).and_then(text_of).filter(|text| !text.is_empty());
        match text("key") {
            Some(key) if fields.iter().any(|field| field.key == key) => {
                section.error(FIELDS, format!("found `{key}` twice"), "expected each key once");
            }
            Some(key) => fields.push(TeamField { key, label: text("label") }),
            None => {
                let found = format!("found {} without `key`", entry.kind());
                section.error(FIELDS, found, "expected entries with `key` and `label`");
            }
        }
    }
    fields
}

/// Where rows of the spend log are told which members their metadata have.
const MEMBERS: &str = "spend_logs_metadata_fields";

/// What LiteLLM's rows have in their metadata, and what only rows here have.
const KNOWN: [&str; 38] = [
    "additional_usage_values",
    "applied_guardrails",
    "attempted_fallbacks",
    "attempted_retries",
    "autorouter_savings",
    "batch_models",
    "cold_storage_object_key",
    "cost_breakdown",
    "error_information",
    "guardrail_information",
    "litellm_call_id",
    "litellm_overhead_time_ms",
    "max_retries",
    "mcp_tool_call_metadata",
    "model_map_information",
    "original_model_group",
    "outcome",
    "price_is_unknown",
    "requester_ip_address",
    "routing_decision",
    "spend_logs_metadata",
    "status",
    "usage_is_estimated",
    "usage_object",
    "used_client_oauth_token",
    "user_agent",
    "user_api_key",
    "user_api_key_alias",
    "user_api_key_auth_metadata",
    "user_api_key_end_user_id",
    "user_api_key_org_alias",
    "user_api_key_org_id",
    "user_api_key_project_alias",
    "user_api_key_project_id",
    "user_api_key_team_alias",
    "user_api_key_team_id",
    "user_api_key_user_id",
    "vector_store_request_metadata",
];

/// `spend_logs_metadata_fields`: either what rows have, or what they have not.
pub(super) fn row_metadata(section: &mut Section<'_, '_, '_>) -> Option<RowMetadata> {
    if !section.gives(MEMBERS) {
        return None;
    }
    let said = section.map(MEMBERS);
    warn_of_others(section, MEMBERS, &said, &["include", "exclude"]);
    let (only, without) =
        (texts(section, MEMBERS, &said, "include"), texts(section, MEMBERS, &said, "exclude"));
    let fields = match (only, without) {
        (Some(only), None) => RowMetadata::Only(only),
        (None, Some(without)) => RowMetadata::Without(without),
        (only, _) => {
            let found = if only.is_some() { "found both" } else { "found neither" };
            section.error(MEMBERS, found, "expected either `include` or `exclude`, a list of members");
            return None;
        }
    };
    let (RowMetadata::Only(names) | RowMetadata::Without(names)) = &fields;
    for name in names.iter().filter(|name| !KNOWN.contains(&name.as_str())) {
        section.error(MEMBERS, format!("found `{name}`"), format!("expected some of {}", KNOWN.join(", ")));
    }
    if matches!(&fields, RowMetadata::Without(names) if names.iter().any(|name| name == "status")) {
        section.error(MEMBERS, "found `status` under `exclude`", "expected others: it is always there");
    }
    Some(fields)
}

fn texts(
    section: &mut Section<'_, '_, '_>,
    key: &str,
    said: &Map<String, Value>,
    name: &str,
) -> Option<Vec<String>> {
    let listed = said.get(name).filter(|listed| !listed.is_null())?;
    let names = listed.as_array().and_then(|names| {
        names.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<Vec<String>>>()
    });
    if names.is_none() {
        section.error(key, format!("found `{listed}` as `{name}`"), "expected a list of texts");
    }
    names
}

/// How the bill of a provider is compared with what was booked.
pub(super) fn capture_rate(section: &mut Section<'_, '_, '_>) -> CaptureRate {
    const KEY: &str = "spend_capture_rate_check";
    let said = section.map(KEY);
    let known = ["threshold", "lookback_days", "openai_project_ids", "openai_api_base", "providers"];
    warn_of_others(section, KEY, &said, &known);
    let given = |name: &str| said.get(name).filter(|value| !value.is_null());
    let mut wrong = |name: &str, found: &Value, expected: &str| {
        section.error(KEY, format!("found `{found}` as `{name}`"), expected);
    };
    let threshold = given("threshold").map_or(0.9, |value| {
        value.as_f64().filter(|share| *share > 0.0 && *share <= 1.0).unwrap_or_else(|| {
            wrong("threshold", value, "expected a share above 0, up to 1");
            0.9
        })
    });
    let lookback_days = given("lookback_days").map_or(7, |value| {
        let days = value.as_u64().and_then(|days| u16::try_from(days).ok());
        days.filter(|days| (1..=180).contains(days)).unwrap_or_else(|| {
            wrong("lookback_days", value, "expected 1 to 180 days");
            7
        })
    });
    if let Some(providers) =
        given("providers").filter(|providers| **providers != serde_json::json!(["openai"]))
    {
        wrong("providers", providers, "expected `[openai]`: only its bill can be asked for");
    }
    let base = given("openai_api_base").map_or(BILLS, |value| {
        let http = |base: &&str| base.starts_with("https://") || base.starts_with("http://");
        value.as_str().filter(http).unwrap_or_else(|| {
            wrong("openai_api_base", value, "expected an address that begins with `https://`");
            BILLS
        })
    });
    let base = base.to_owned();
    let projects = texts(section, KEY, &said, "openai_project_ids").unwrap_or_default();
    let admin_key = section.cx.env.value("OPENAI_ADMIN_KEY").filter(|key| !key.trim().is_empty());
    let admin_key = admin_key.map(|key| Secret::new(key.trim().to_owned()));
    CaptureRate { admin_key, base, threshold, lookback_days, projects }
}

/// Where bills are asked for.
const BILLS: &str = "https://api.openai.com/v1";

/// Warns of names that nobody reads.
fn warn_of_others(section: &mut Section<'_, '_, '_>, key: &str, said: &Map<String, Value>, known: &[&str]) {
    let (path, at) = (section.path_of(key), section.at(key));
    for name in said.keys().filter(|name| !known.contains(&name.as_str())) {
        let known = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        section.cx.warning(
            &path,
            &at,
            format!("found `{name}`"),
            format!("it has no effect; known are {known}"),
        );
    }
}

/// How often a password may be wrong; what is usual is LiteLLM's.
pub(super) fn sign_ins(section: &mut Section<'_, '_, '_>) -> SignInLimits {
    let seconds = |section: &mut Section<'_, '_, '_>, key: &str, usual| {
        section.seconds(key).filter(|time| !time.is_zero()).unwrap_or(Duration::from_secs(usual))
    };
    SignInLimits {
        per_source: section.count("max_failed_login_attempts_per_source").unwrap_or(10),
        overrides: overrides(section),
        window: seconds(section, "failed_login_window_seconds", 60),
        block: seconds(section, "failed_login_block_seconds", 300),
    }
}

fn overrides(section: &mut Section<'_, '_, '_>) -> Vec<(Network, u32)> {
    let mut all = Vec::new();
    for member in section.mapping(SOURCES).map(Node::members).unwrap_or_default() {
        match (member.key.parse::<Network>(), count_of::<u32>(&member.value)) {
            (Ok(network), Some(limit)) => all.push((network, limit)),
            _ => section.error(
                SOURCES,
                format!("found {} for `{}`", member.value.kind(), member.key),
                "expected whole numbers by addresses, or networks such as `10.0.0.0/8`",
            ),
        }
    }
    all.sort_by_key(|(network, _)| std::cmp::Reverse(network.bits()));
    all
}

/// Headers by which callers say for whom they call: `user_header_mappings`, then `user_header_name`.
pub(super) fn user_headers(section: &mut Section<'_, '_, '_>, old: Option<HeaderName>) -> UserHeaders {
    let mut headers = UserHeaders::default();
    let said = section.value(HEADERS);
    let entries = match said.map(|node| (&node.tree, node)) {
        Some((Tree::Map(_), one)) => std::slice::from_ref(one),
        Some((Tree::List(entries), _)) => entries,
        Some((_, node)) => {
            section.wrong(HEADERS, node, "expected a list of {header_name, litellm_user_role}");
            &[]
        }
        None => &[],
    };
    for entry in entries {
        let text = |name: &str| entry.member(name).and_then(text_of).unwrap_or_default();
        let (name, role) = (text("header_name"), text("litellm_user_role"));
        match (HeaderName::try_from(name.trim().to_ascii_lowercase()), role.as_str()) {
            (Ok(header), "customer") => headers.end_user.push(header),
            (Ok(header), "internal_user") if headers.internal_user.is_none() => {
                headers.internal_user = Some(header);
            }
            (Ok(_), "internal_user") => {
                let found = format!("found `{name}` as a second header of internal users");
                section.error(HEADERS, found, "expected one");
            }
            (Ok(_), _) => {
                let found = format!("found `{role}` as `litellm_user_role`");
                section.error(HEADERS, found, "expected `internal_user` or `customer`");
            }
            (Err(_), _) => {
                let found = format!("found `{name}` as `header_name`");
                section.error(HEADERS, found, "expected the name of a header");
            }
        }
    }
    headers.end_user.extend(old);
    headers
}

#[cfg(test)]
mod tests;
