//! What is sent, whole, to OpenAI, Azure, Mistral and the models of clouds that speak OpenAI's dialect, against
//! LiteLLM's recorded requests. Every difference is listed in [`ON_PURPOSE`] with its reason.
//!
//! Skipped, and said so, where the recordings are absent.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use llm_providers::catalog::{ModelQuery, PriceBook};
use llm_providers::dialects::OPENAI_CHAT;
use llm_providers::{ParamPolicy, Registry, Target};
use llm_types::Result;
use serde_json::{Map, Value, json};

/// The recordings compared here.
const KEYS: [&str; 15] = [
    "openai",
    "openai_gpt5",
    "openai_o3",
    "azure",
    "azure_v1",
    "azure_gpt5",
    "azure_ai",
    "azure_ai_serverless",
    "mistral",
    "mistral_magistral",
    "vertex_ai_ai21",
    "vertex_ai_deepseek",
    "vertex_ai_llama",
    "vertex_ai_mistral",
    "vertex_ai_openai_maas",
];

/// Keys (`*` for any), cases, and why ours is better or as good.
const ON_PURPOSE: &[(&[&str], &[&str], &str)] = &[
    (&["*"], &["file_pdf_url"], "the walk fetches what is given by URL, before this"),
    (&["*"], &["developer_role"], "the vendor knows the role; LiteLLM makes a system message of it"),
    (
        &["azure", "azure_v1"],
        &[
            "reasoning_effort_low",
            "reasoning_effort_tools",
            "reasoning_effort_xhigh",
            "service_tier",
            "store_cache_key",
            "thinking_adaptive",
            "thinking_disabled",
        ],
        "`base_model` and `api_version` say what is taken: the server's resolution of settings reads them",
    ),
    (&["azure_ai", "azure_ai_serverless"], &["extra_headers"], "headers go into the head, not the body"),
    (
        &["azure_ai", "mistral", "mistral_magistral", "vertex_ai_mistral"],
        &["file_pdf_base64", "input_audio"],
        "LiteLLM leaves out in silence what is no text",
    ),
    (
        &["azure_ai", "azure_ai_serverless", "mistral", "mistral_magistral"],
        &["system_list", "text_parts", "cache_control_user"],
        "two parts of text stay two: the vendor takes lists, and joined they lose the space between them",
    ),
    (
        &["azure_ai", "azure_ai_serverless"],
        &["tool_result_parts"],
        "a picture in a tool's result goes into a user turn: the role `tool` takes text only",
    ),
    (
        &["azure_ai_serverless", "mistral", "mistral_magistral", "vertex_ai_mistral"],
        &["video_url"],
        "LiteLLM leaves out in silence what is no text: the vendor says what it thinks of films",
    ),
    (
        &["mistral", "mistral_magistral", "vertex_ai_mistral"],
        &["empty_user", "tool_call_empty_args"],
        "LiteLLM leaves out turns without text, the results of tools among them",
    ),
    (
        &["mistral", "mistral_magistral", "vertex_ai_mistral"],
        &["tools_named"],
        "LiteLLM loses the choice of a tool by name; the API takes it",
    ),
    (
        &["mistral_magistral"],
        &[
            "reasoning_effort_high",
            "reasoning_effort_low",
            "reasoning_effort_medium",
            "reasoning_effort_minimal",
            "reasoning_effort_tools",
            "thinking_adaptive",
            "thinking_disabled",
            "thinking_history",
        ],
        "LiteLLM asks for reasoning by a system prompt of its own; the API has a parameter",
    ),
    (
        &["azure_ai", "vertex_ai_ai21", "vertex_ai_mistral"],
        &["cache_control_message", "cache_control_system", "cache_control_tool", "cache_control_user"],
        "the vendor has no marks for its cache: LiteLLM forwards them",
    ),
];

#[test]
fn whole_requests_are_litellms() {
    let shared = std::env::var_os("GATEWAY_SHARED").map(PathBuf::from);
    let folder = shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let folder = folder.join("vectors");
    let Ok(cases) = fs::read_to_string(folder.join("_cases.json")) else {
        eprintln!("skipped: no recorded requests in {}", folder.display());
        return;
    };
    let cases: Map<String, Value> = serde_json::from_str(&cases).unwrap();
    let (mut same, mut listed, mut faults) = (0, 0, Vec::new());
    for key in KEYS {
        let text = fs::read_to_string(folder.join(format!("{key}.jsonl"))).unwrap();
        let mut rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let target = target(&rows.next().unwrap());
        for row in rows {
            let Some((name, case)) = row["case"].as_str().and_then(|name| Some((name, cases.get(name)?)))
            else {
                continue;
            };
            let on_purpose = ON_PURPOSE.iter().any(|(keys, cases, _)| {
                cases.contains(&name) && keys.iter().any(|listed| [key, "*"].contains(listed))
            });
            match fault(&row, case, &target) {
                None => same += 1,
                Some(_) if on_purpose => listed += 1,
                Some(fault) => faults.push(format!("{key} {name}: {fault}")),
            }
        }
    }
    eprintln!("{same} the same, {listed} different on purpose");
    assert!(faults.is_empty(), "{} differences:\n{}", faults.len(), faults.join("\n"));
    assert!(same > 800, "the recordings hold their cases: {same}");
}

fn target(head: &Value) -> Target {
    let registry = Registry::built_in();
    let (provider, model) = registry.split_model(head["model"].as_str().unwrap()).unwrap();
    let known = head["options"]["base_model"].as_str().unwrap_or(model);
    let info = PriceBook::builtin().lookup(&ModelQuery::new(provider.id.as_str(), known));
    let can = |ability: &str| info.as_ref().is_some_and(|info| info.supports(ability) == Some(true));
    let mut target = Target::bare(Arc::clone(provider), model);
    if let Some(base) = head["options"]["api_base"].as_str() {
        base.clone_into(&mut target.base_url);
    }
    target.routed().for_model(can)
}

/// In what our request differs from the recorded one; for a refusal, whether we refuse too.
fn fault(row: &Value, case: &Value, target: &Target) -> Option<String> {
    let dropping = Target { policy: ParamPolicy { drop: true, ..ParamPolicy::default() }, ..target.clone() };
    match (row.get("sent"), row.get("dropped")) {
        (Some(recorded), _) => differs(&sent(case, target), recorded),
        (None, Some(recorded)) => match sent(case, target) {
            Ok(body) => Some(format!("not refused: {body}")),
            Err(_) => differs(&sent(case, &dropping), recorded),
        },
        // There it fails: a refusal or any request will do.
        (None, None) => None,
    }
}

fn differs(ours: &Result<Value>, recorded: &Value) -> Option<String> {
    let want = normal(&recorded["body"]);
    match ours {
        Ok(body) if normal(body) == want => None,
        Ok(body) => Some(format!("{}\n  want {want}", normal(body))),
        Err(error) => Some(format!("{error}\n  want {want}")),
    }
}

fn sent(case: &Value, target: &Target) -> Result<Value> {
    let mut case = case.clone();
    case["model"] = "asked".into();
    // The walk spreads these over the body, and takes what is the gateway's own.
    if let Some(Value::Object(more)) = case.as_object_mut().and_then(|case| case.remove("extra_body")) {
        case.as_object_mut().unwrap().extend(more);
    }
    case.as_object_mut().unwrap().remove("extra_headers");
    let body = Bytes::from(case.to_string());
    let glance = OPENAI_CHAT.glance(&body)?;
    let encoded = OPENAI_CHAT.forward_request(&body, &glance, target)?;
    Ok(serde_json::from_slice(&encoded.body).unwrap())
}

/// What no vendor can notice: members that are null or the default, one part of text or a text.
fn normal(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut kept = members.clone();
            kept.retain(|name, value| !(value.is_null() || name == "stream" && *value == json!(false)));
            for name in ["stream_options", "max_retries"] {
                kept.remove(name);
            }
            kept.iter_mut().for_each(|(_, value)| *value = normal(value));
            if let Some([part]) = kept.get("content").and_then(Value::as_array).map(Vec::as_slice)
                && let (Some(2), Some("text")) = (part.as_object().map(Map::len), part["type"].as_str())
            {
                let text = part["text"].clone();
                kept.insert("content".to_owned(), text);
            }
            Value::Object(kept)
        }
        Value::Array(values) => Value::Array(values.iter().map(normal).collect()),
        Value::Number(number) => number.as_f64().map_or_else(|| value.clone(), Value::from),
        other => other.clone(),
    }
}
