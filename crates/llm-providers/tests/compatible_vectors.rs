//! What compatible vendors are sent, parameter by parameter, against LiteLLM's recorded requests.
//!
//! Messages are not compared here: amendments have their own tests. A difference must be listed in
//! [`ACCEPTED`] with its reason. Skipped, and said so, where the recordings are absent.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use llm_providers::catalog::{ModelQuery, PriceBook};
use llm_providers::dialects::OPENAI_CHAT;
use llm_providers::{DialectId, ParamPolicy, Registry, Target};
use llm_types::{ErrorKind, Result};
use serde_json::{Map, Value, json};

/// An accepted difference: vector keys, cases, parameters (`*` for any), and why it is better so.
type Accepted = (&'static [&'static str], &'static [&'static str], &'static str, &'static str);

const ACCEPTED: &[Accepted] = &[
    (
        &["codestral", "mistral", "mistral_magistral", "vertex_ai_mistral"],
        &["tools_named"],
        "tool_choice",
        "LiteLLM loses the choice of a tool by name; the API takes it",
    ),
    (
        &["deepinfra"],
        &["tools_auto", "tools_parallel_true"],
        "tool_choice",
        "`auto` is the default, said or not",
    ),
    (
        &["lemonade"],
        &["thinking_adaptive", "thinking_disabled", "thinking_enabled", "thinking_history"],
        "*",
        "LiteLLM's last request here was for the list of models",
    ),
    (
        &["fireworks_ai"],
        &["json_schema_with_tools", "kitchen_sink"],
        "response_format",
        "LiteLLM loses the form of the answer where tools are offered",
    ),
    (&["deepinfra"], &["tools_none"], "tool_choice", "LiteLLM loses `none`: tools may be called"),
    (
        &["groq"],
        &["stream_json_schema"],
        "*",
        "LiteLLM asks for no stream where a tool stands in for the schema; ours is one",
    ),
    (
        &["databricks_claude"],
        &["*"],
        "response_format",
        "LiteLLM has a tool stand in for the schema; Databricks takes schemas",
    ),
    (
        &["databricks_claude"],
        &["json_schema_strict", "json_schema_refs", "json_schema_with_tools", "stream_json_schema"],
        "*",
        "as above: the tool is not offered",
    ),
    (
        &["databricks_claude"],
        &["builtin_web_search_tool"],
        "tools",
        "LiteLLM makes a function of a hosted tool",
    ),
    (
        &["xai_grok3_mini", "xai"],
        &["web_search_options"],
        "*",
        "the gateway calls the Responses API instead, as LiteLLM does; see `tests/e2e`",
    ),
    (
        &["mistral_magistral"],
        &["*"],
        "reasoning_effort",
        "LiteLLM says it in a system prompt of its own; the API has the parameter",
    ),
    (
        &["moonshot"],
        &["functions_legacy"],
        "function_call",
        "a choice among functions that are not sent is lost too",
    ),
    (
        &["gradient_ai"],
        &["user", "kitchen_sink"],
        "user",
        "`user` is left out where a vendor has no use for it",
    ),
];

#[test]
fn compatible_vendors_are_sent_what_litellm_sends() {
    let shared = std::env::var_os("GATEWAY_SHARED").map(PathBuf::from);
    let folder = shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let Ok(cases) = fs::read_to_string(folder.join("vectors/_cases.json")) else {
        eprintln!("skipped: no recorded requests in {}", folder.display());
        return;
    };
    let cases: Map<String, Value> = serde_json::from_str(&cases).unwrap();
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder.join("vectors")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (mut compared, mut faults) = (0, Vec::new());
    for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "jsonl")) {
        let text = fs::read_to_string(file).unwrap();
        let mut rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let head = rows.next().unwrap();
        let Some(target) = target(&head) else { continue };
        let key = head["key"].as_str().unwrap();
        for row in rows {
            let Some(request) = row["case"].as_str().and_then(|case| cases.get(case)) else { continue };
            let found = differences(&row, request, &target);
            compared += 1;
            let case = row["case"].as_str().unwrap();
            faults.extend(
                found
                    .into_iter()
                    .filter(|param| !accepted(key, case, param))
                    .map(|param| format!("{key} {case}: `{param}`")),
            );
        }
    }
    assert!(compared > 3000, "only {compared} requests were compared");
    assert!(faults.is_empty(), "{} differences:\n{}", faults.len(), faults.join("\n"));
}

fn accepted(key: &str, case: &str, param: &str) -> bool {
    let any = |list: &[&str], name: &str| list.iter().any(|listed| *listed == "*" || *listed == name);
    ACCEPTED
        .iter()
        .any(|(keys, cases, params, _)| any(keys, key) && any(cases, case) && any(&[params], param))
}

/// The target of a vector key; `None` where it is no compatible vendor.
fn target(head: &Value) -> Option<Target> {
    let registry = Registry::built_in();
    let name = head["model"].as_str()?;
    let (provider, model) = registry.split_model(name).ok()?;
    let slug = provider.id.as_str();
    // What Azure's models take depends on settings, which LiteLLM had when it was recorded.
    if slug == "ollama" || slug.starts_with("azure") {
        return None;
    }
    if matches!(slug, "poe" | "helicone" | "aiohttp_openai") {
        return None; // Recorded as a library, LiteLLM refuses tools that it sends as a proxy, or sends no JSON.
    }
    if matches!(slug, "sap" | "watsonx") {
        return None; // Their shells add members and wrap bodies; the harness and `test_platforms.py` see them whole.
    }
    let info = PriceBook::builtin().lookup(&ModelQuery::new(slug, model));
    let can = |ability: &str| info.as_ref().is_some_and(|info| info.supports(ability) == Some(true));
    let mut target = Target::bare(Arc::clone(provider), model);
    if let Some(base) = head["options"]["api_base"].as_str() {
        base.clone_into(&mut target.base_url);
    }
    let target = target.routed().for_model(can);
    // Other dialects have vectors of their own tests.
    (target.spec.dialect == DialectId::OpenaiChat).then_some(target)
}

/// The parameters in which what is sent differs from what was recorded.
fn differences(row: &Value, request: &Value, target: &Target) -> Vec<String> {
    // Meant for the gateway, which takes them out before.
    if ["extra_body", "extra_headers", "metadata"].iter().any(|name| request.get(*name).is_some()) {
        return Vec::new();
    }
    let dropping = Target { policy: ParamPolicy { drop: true, ..ParamPolicy::default() }, ..target.clone() };
    if let Some(recorded) = row.get("sent") {
        return compare(&recorded["body"], sent(request, target), true);
    }
    let message = row["rejected"]["message"].as_str().unwrap_or_default();
    if !message.contains("does not support parameters") {
        return Vec::new(); // LiteLLM fails in its own ways.
    }
    let refused = matches!(sent(request, target), Err(error) if error.kind() == ErrorKind::Unsupported);
    let mut found: Vec<String> = (!refused).then(|| first_param(message)).into_iter().collect();
    if let Some(recorded) = row.get("dropped") {
        found.extend(compare(&recorded["body"], sent(request, &dropping), refused));
    }
    found
}

/// The parameter an error of LiteLLM's names first.
fn first_param(message: &str) -> String {
    message.split('\'').nth(1).unwrap_or("?").to_owned()
}

fn sent(request: &Value, target: &Target) -> Result<Value> {
    let mut request = request.clone();
    request["model"] = "asked".into();
    let body = Bytes::from(request.to_string());
    let glance = OPENAI_CHAT.glance(&body)?;
    let encoded = OPENAI_CHAT.forward_request(&body, &glance, target)?;
    Ok(serde_json::from_slice(&encoded.body).unwrap())
}

fn compare(recorded: &Value, sent: Result<Value>, must: bool) -> Vec<String> {
    let sent = match sent {
        Ok(sent) => params(&sent),
        Err(error) if must => return vec![error.param().unwrap_or("?").to_owned()],
        Err(_) => return Vec::new(),
    };
    let recorded = params(recorded);
    let names = recorded.keys().chain(sent.keys().filter(|name| !recorded.contains_key(*name)));
    names.filter(|name| recorded.get(*name) != sent.get(*name)).cloned().collect()
}

/// The parameters of a body, without what says nothing and what is compared elsewhere.
fn params(body: &Value) -> Map<String, Value> {
    const ELSEWHERE: [&str; 8] =
        ["model", "messages", "stream", "stream_options", "usage", "max_retries", "metadata", "extra_body"];
    let mut params = body.as_object().cloned().unwrap_or_default();
    params.retain(|name, value| !ELSEWHERE.contains(&name.as_str()) && !value.is_null());
    if params.get("n") == Some(&json!(1)) {
        params.remove("n");
    }
    for tool in params.get_mut("tools").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(tool) = tool.as_object_mut() {
            tool.remove("cache_control");
        }
    }
    for value in params.values_mut() {
        if let Some(number) = value.as_f64() {
            *value = json!(number);
        }
    }
    params
}
