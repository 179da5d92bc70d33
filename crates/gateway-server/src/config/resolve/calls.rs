//! `litellm_settings`: how calls are treated, and budgets.

use std::time::Duration;

use http::{HeaderName, StatusCode};
use jiff::civil::Time;
use llm_providers::catalog::Adjustments;
use serde_json::{Map, Value};

use super::section::text_of;
use super::{Context, Section, governance};
use crate::config::raw::LITELLM;
use crate::config::source::Node;
use crate::config::{
    Budgets, COST_DISCOUNT, COST_MARGIN, Calls, MediaFetch, PUBLIC_GROUPS, PUBLIC_LINKS, PriceMap,
    StoredEntries, Trust,
};

/// The section without what concerns the router.
pub(crate) fn resolve(
    cx: &mut Context<'_>,
    node: Option<&Node>,
    stored: &StoredEntries,
    media: MediaFetch,
) -> (Calls, Budgets) {
    let mut section = Section::open(cx, "litellm_settings", node, LITELLM);
    section.review();
    let mut calls = calls(&mut section, media);
    calls.adjustments = adjustments(&mut section, stored);
    calls.public_links = map(&mut section, stored, PUBLIC_LINKS);
    calls.public_groups = match stored.settings.get(PUBLIC_GROUPS) {
        Some(kept) => texts(kept.get(PUBLIC_GROUPS)),
        None => section.texts(PUBLIC_GROUPS),
    };
    (calls, budgets(&mut section))
}

/// How often streams of Messages get a sign of life where nothing is said.
const MESSAGE_PINGS: Duration = Duration::from_secs(15);

/// A silence after which streams get signs of life: none, or a time from a second to five minutes.
pub(crate) fn pause(said: Duration) -> Option<Duration> {
    (!said.is_zero()).then(|| said.clamp(Duration::from_secs(1), Duration::from_secs(300)))
}

/// A mapping: the database's where it has one, else the file's.
fn map(section: &mut Section<'_, '_, '_>, stored: &StoredEntries, key: &str) -> Map<String, Value> {
    let file = section.map(key);
    stored.settings.get(key).cloned().unwrap_or(file)
}

fn texts(list: Option<&Value>) -> Vec<String> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Settings of clouds that count for every deployment that does not say otherwise.
pub(crate) fn clouds(cx: &mut Context<'_>, node: Option<&Node>) -> Vec<(&'static str, String)> {
    let mut section = Section::open(cx, "litellm_settings", node, LITELLM);
    // Azure's alone: other vendors number their APIs in their own way.
    let version = ("AZURE_API_VERSION", section.text("api_version"));
    let said = ["vertex_project", "vertex_location"].map(|name| (name, section.text(name)));
    said.into_iter().chain([version]).filter_map(|(name, value)| value.map(|value| (name, value))).collect()
}

/// `ssl_verify`: a switch, or the path of a file of certificates.
fn trust(section: &mut Section<'_, '_, '_>) -> Trust {
    let said = section.value("ssl_verify").filter(|node| !node.is_null()).and_then(text_of);
    let Some(said) = said.map(|said| said.trim().to_owned()) else { return Trust::WellKnown };
    match said.to_ascii_lowercase().as_str() {
        "" | "true" | "1" | "yes" | "on" => Trust::WellKnown,
        "false" | "0" | "no" | "off" => Trust::Anyone,
        _ => {
            if let Err(why) = std::fs::File::open(&said) {
                let found = format!("found a file that cannot be read: {}", why.kind());
                section.error("ssl_verify", found, "expected `true`, `false` or the path of a file in PEM");
            }
            Trust::File(said.into())
        }
    }
}

fn calls(section: &mut Section<'_, '_, '_>, media: MediaFetch) -> Calls {
    Calls {
        media,
        drop_params: section.is_on("drop_params"),
        keepalive: section.seconds("sse_keepalive_ping_interval_seconds").and_then(pause),
        message_pings: section
            .seconds("anthropic_sse_ping_interval_seconds")
            .map_or(Some(MESSAGE_PINGS), |said| Some(said).filter(|pause| !pause.is_zero())),
        header_groups: header_groups(section),
        aliases: aliases(section),
        http2: section.is_on("http2"),
        trust: trust(section),
        audited: section.flag("store_audit_logs").unwrap_or(true),
        cost_in_stream_usage: section.is_on("include_cost_in_streaming_usage"),
        refuse_unpriced: section.is_on("block_requests_for_models_without_pricing"),
        tag_headers: headers(section, "extra_spend_tag_headers"),
        no_user_agent_tag: section.is_on("disable_add_user_agent_to_request_tags"),
        logs_always: section.is_on("global_disable_no_log_param"),
        metrics_need_key: section.flag("require_auth_for_metrics_endpoint").unwrap_or(true),
        router_debug_in_errors: section.flag("expose_router_debug_in_errors").unwrap_or(true),
        adjustments: Adjustments::default(),
        price_map: price_map(section),
        public_groups: Vec::new(),
        public_links: Map::new(),
        priorities: super::priorities::resolve(section),
    }
}

/// Groups to whose providers callers' headers go (`model_group_settings`).
fn header_groups(section: &mut Section<'_, '_, '_>) -> Vec<String> {
    const KEY: &str = "model_group_settings";
    let settings = section.map(KEY);
    let groups = settings.get("forward_client_headers_to_llm_api").filter(|groups| !groups.is_null());
    if let Some(wrong) = groups.filter(|groups| !groups.is_array()) {
        let found = format!("found `{wrong}` as `forward_client_headers_to_llm_api`");
        section.error(KEY, found, "expected a list of groups");
    }
    if let Some(other) = settings.keys().find(|key| *key != "forward_client_headers_to_llm_api") {
        let (path, at) = (section.path_of(KEY), section.at(KEY));
        section.cx.warning(&path, &at, format!("found `{other}`"), "it has no effect");
    }
    texts(groups)
}

/// What keys get that their request leaves open.
fn key_defaults(section: &mut Section<'_, '_, '_>) -> Map<String, Value> {
    let mut defaults = section.map("default_key_generate_params");
    if let Some(soft) = section.usd("default_soft_budget") {
        defaults.entry("soft_budget").or_insert_with(|| soft.as_usd().into());
    }
    defaults
}

/// Where prices come from; the environment wins, as it does for LiteLLM.
fn price_map(section: &mut Section<'_, '_, '_>) -> PriceMap {
    const KEY: &str = "model_cost_map_url";
    let said = section.text(KEY);
    let env = section.cx.env;
    let of_env = env.value("LITELLM_MODEL_COST_MAP_URL").map(str::to_owned);
    let source = of_env.or(said).map(|source| source.trim().to_owned()).filter(|source| !source.is_empty());
    PriceMap {
        source,
        local: env.flag("LITELLM_LOCAL_MODEL_COST_MAP"),
        fewest: number(env.value("MODEL_COST_MAP_MIN_MODEL_COUNT"), "MODEL_COST_MAP_MIN_MODEL_COUNT", 50),
        largest_loss: number(
            env.value("MODEL_COST_MAP_MAX_SHRINK_RATIO"),
            "MODEL_COST_MAP_MAX_SHRINK_RATIO",
            0.5,
        ),
    }
}

/// A variable that holds no number is as good as not set, but not silently.
fn number<T: std::str::FromStr + std::fmt::Display>(said: Option<&str>, name: &str, otherwise: T) -> T {
    let Some(said) = said.map(str::trim).filter(|said| !said.is_empty()) else { return otherwise };
    said.parse().unwrap_or_else(|_| {
        tracing::warn!("environment variable `{name}` is `{said}`, expected a number: {otherwise} counts");
        otherwise
    })
}

fn adjustments(section: &mut Section<'_, '_, '_>, stored: &StoredEntries) -> Adjustments {
    let maps = [COST_DISCOUNT, COST_MARGIN].map(|key| map(section, stored, key));
    Adjustments::from_litellm(&maps[0], &maps[1]).unwrap_or_else(|error| {
        let key = error.param().unwrap_or(COST_DISCOUNT).to_owned();
        section.error(&key, error.message().to_owned(), "expected numbers by the names of providers");
        Adjustments::default()
    })
}

fn budgets(section: &mut Section<'_, '_, '_>) -> Budgets {
    Budgets {
        global: section.usd("max_budget").filter(|budget| budget.0 > 0),
        global_period: period(section, "budget_duration"),
        refusal_status: refusal_status(section),
        timezone: timezone(section),
        reset_time: reset_time(section),
        internal_user: section.usd("max_internal_user_budget"),
        internal_user_period: period(section, "internal_user_budget_duration"),
        key_rules: governance::key_rules(section),
        team_defaults: governance::team_defaults(section),
        throttle: throttle(section),
        rollover: section.is_on("budget_rollover"),
        known_end_users_only: section.is_on("validate_end_user_id_in_db"),
        end_users_uncounted: section.is_on("disable_end_user_cost_tracking"),
        end_user_max: section.usd("max_end_user_budget"),
        end_user_budget_id: section.text("max_end_user_budget_id"),
        providers: Vec::new(),
        tags: super::allowances::by_name(section, "tag_budget_config"),
        key_defaults: key_defaults(section),
        key_ceilings: section.map("upperbound_key_generate_params"),
        internal_user_defaults: section.map("default_internal_user_params"),
    }
}

/// A period such as `30s`, `15m`, `24h`, `30d`, `1w` or `1mo`, or a word for one. LiteLLM surface §4.8.
pub(super) fn period(section: &mut Section<'_, '_, '_>, key: &str) -> Option<String> {
    let text = section.text(key)?;
    for (word, period) in [("hourly", "1h"), ("daily", "24h"), ("weekly", "7d"), ("monthly", "1mo")] {
        if text == word {
            return Some(period.to_owned());
        }
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    if number.parse::<u32>().is_ok_and(|number| number > 0)
        && matches!(unit, "s" | "m" | "h" | "d" | "w" | "mo")
    {
        return Some(text);
    }
    section.error(
        key,
        format!("found `{text}`"),
        "expected a period such as `30s`, `15m`, `24h`, `30d`, `1w` or `1mo`",
    );
    None
}

fn timezone(section: &mut Section<'_, '_, '_>) -> String {
    let Some(name) = section.text("timezone") else { return "UTC".to_owned() };
    if jiff::tz::TimeZone::get(&name).is_err() {
        section.error(
            "timezone",
            format!("found `{name}`"),
            "expected the IANA name of a zone, such as `Europe/Berlin`",
        );
    }
    name
}

/// `budget_reset_time`, such as `06:00`.
fn reset_time(section: &mut Section<'_, '_, '_>) -> Time {
    let Some(text) = section.text("budget_reset_time") else { return Time::midnight() };
    text.trim().parse().unwrap_or_else(|_| {
        let expected = "expected a time of the day such as `06:00`, in quotes";
        section.error("budget_reset_time", format!("found `{text}`"), expected);
        Time::midnight()
    })
}

/// `budget_exceeded_throttle_percentage`, a fraction.
fn throttle(section: &mut Section<'_, '_, '_>) -> Option<f64> {
    const KEY: &str = "budget_exceeded_throttle_percentage";
    let part = section.number(KEY)?;
    if part > 0.0 && part <= 1.0 {
        return Some(part);
    }
    section.error(KEY, format!("found `{part}`"), "expected a fraction above 0, at most 1, such as `0.1`");
    None
}

fn refusal_status(section: &mut Section<'_, '_, '_>) -> StatusCode {
    let default = StatusCode::UNPROCESSABLE_ENTITY;
    let Some(code) = section.count::<u16>("budget_exceeded_status_code") else { return default };
    match StatusCode::from_u16(code) {
        Ok(status) if status.is_client_error() || status.is_server_error() => status,
        _ => {
            section.error(
                "budget_exceeded_status_code",
                format!("found `{code}`"),
                "expected a status from 400 to 599",
            );
            default
        }
    }
}

fn aliases(section: &mut Section<'_, '_, '_>) -> Vec<(String, String)> {
    let Some(node) = section.mapping("model_alias_map") else { return Vec::new() };
    let mut aliases = Vec::new();
    for member in node.members() {
        match text_of(&member.value) {
            Some(model) => aliases.push((member.key.clone(), model)),
            None => {
                let found = format!("found {} for `{}`", member.value.kind(), member.key);
                section.error("model_alias_map", found, "expected the name of a model");
            }
        }
    }
    aliases
}

fn headers(section: &mut Section<'_, '_, '_>, key: &str) -> Vec<HeaderName> {
    let mut headers = Vec::new();
    for text in section.texts(key) {
        match HeaderName::try_from(text.trim().to_ascii_lowercase()) {
            Ok(name) => headers.push(name),
            Err(_) => section.error(key, format!("found `{text}`"), "expected names of headers"),
        }
    }
    headers
}

#[cfg(test)]
mod tests;
