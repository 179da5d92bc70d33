//! `model_list`: each entry a deployment, or a reason why it is none.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use llm_providers::Target;
use llm_providers::catalog::ModelInfo;
use llm_router::auto::PREFIX;
use llm_router::{Deployment, TagPattern};
use llm_types::DeploymentId;
use serde_json::{Map, Value};

use super::identity;
use super::owner::{self, Owner};
use super::router::allowed_fails_policy;
use super::section::{number_of, text_of};
use super::target::{self, Defaults};
use super::{Context, Section, auto};
use crate::config::mask;
use crate::config::raw::{self, MODEL, MODEL_INFO, MODEL_PARAMS, PRICES};
use crate::config::source::{At, Member, Node, Tree};
use crate::config::{Keepalive, Model, Probe, Problem, Severity, Unserved};

/// What `model_list` comes to.
#[derive(Debug, Default)]
pub(crate) struct Models {
    pub(crate) callable: Vec<Model>,
    pub(crate) unserved: Vec<Unserved>,
}

/// Named credentials: the members to add to an entry's parameters.
pub(crate) type Credentials<'t> = HashMap<String, &'t [Member]>;

/// A whole list, of a name, added to the models there are.
pub(crate) fn resolve(
    cx: &mut Context<'_>,
    node: Option<&Node>,
    list: &str,
    credentials: &Credentials<'_>,
    defaults: Defaults<'_>,
    models: &mut Models,
) {
    let Some(node) = node.filter(|node| !node.is_null()) else { return };
    if !matches!(node.tree, Tree::List(_)) {
        cx.error(list, &node.at, format!("found {}", node.kind()), "expected a list of models");
    }
    for (index, entry) in node.items().iter().enumerate() {
        let path = format!("{list}[{}]", label(entry, index));
        let before = cx.problems.len();
        let made = one(cx, &path, entry, credentials, defaults);
        if defaults.skip_invalid && skipped(&mut cx.problems[before..]) {
            let name = entry.member("model_name").and_then(Node::text).unwrap_or_default().to_owned();
            models
                .unserved
                .push(Unserved { name, reason: "its entry in the configuration is not valid".into() });
            continue;
        }
        match made {
            Some(Entry::Callable(model)) => add(cx, models, *model, &path, &entry.at),
            Some(Entry::Unserved(unserved)) => models.unserved.push(unserved),
            None => {}
        }
    }
}

/// What an entry is called in problems: by its number in the file, or by its id where it is in none.
fn label(entry: &Node, index: usize) -> String {
    let id = entry.member("model_info").and_then(|info| info.member("id")).and_then(Node::text);
    match id {
        Some(id) if entry.at == At::nowhere() => id.to_owned(),
        _ => index.to_string(),
    }
}

/// With `ignore_invalid_deployments` the errors of an entry are warnings, and the entry is left out.
fn skipped(problems: &mut [Problem]) -> bool {
    let mut any = false;
    for problem in problems.iter_mut().filter(|problem| problem.severity == Severity::Error) {
        problem.severity = Severity::Warning;
        problem.expected.push_str("; the entry is left out");
        any = true;
    }
    any
}

enum Entry {
    Callable(Box<Model>),
    Unserved(Unserved),
}

fn add(cx: &mut Context<'_>, models: &mut Models, model: Model, path: &str, at: &At) {
    let id = &model.deployment.id;
    let Some(earlier) = models.callable.iter().find(|earlier| earlier.deployment.id == *id) else {
        models.callable.push(model);
        return;
    };
    let same = earlier.deployment.group == model.deployment.group && earlier.derived_id && model.derived_id;
    if same {
        cx.warning(path, at, "found the same entry again", "it counts once");
    } else {
        let path = format!("{path}.model_info.id");
        cx.error(
            &path,
            at,
            format!("found id `{id}` again"),
            "expected an id of its own for every deployment",
        );
    }
}

/// One entry. Everything in it is checked even when its provider or name is already known to be wrong.
fn one(
    cx: &mut Context<'_>,
    path: &str,
    entry: &Node,
    credentials: &Credentials<'_>,
    defaults: Defaults<'_>,
) -> Option<Entry> {
    let mut section = Section::open(cx, path, Some(entry), MODEL);
    if !section.is_there() {
        return None;
    }
    section.review();
    let name = required(&mut section, "model_name");
    let (rpm, tpm) = (section.count("rpm"), section.count("tpm"));
    let info = section.value("model_info");
    if !section.gives("litellm_params") {
        section.error(
            "litellm_params",
            "found no `litellm_params`",
            "expected a mapping with at least `model`",
        );
    }
    let params = section.value("litellm_params")?;
    let params = with_credential(section.cx, path, params, credentials);
    let params = completed(params, defaults.params);
    let mut section = Section::open(cx, &format!("{path}.litellm_params"), Some(&params), MODEL_PARAMS);
    let model = required(&mut section, "model").map(|model| through_proxy(&mut section, model));
    let chooses = model.as_deref().is_some_and(|model| model.starts_with(PREFIX));
    let owner = match model.as_deref() {
        Some(model) if !chooses => owner::find(&mut section, model, defaults.registry),
        _ => Owner::Wrong,
    };
    if let Owner::Unserved(reason) = owner {
        return Some(Entry::Unserved(unserved(&mut section, name?, reason)));
    }
    target::review(&mut section);
    let router = model.as_deref().filter(|_| chooses).map(|model| auto::router(&mut section, model));
    let target = placed(&mut section, owner, router.is_some(), defaults);
    let usable = name.is_some() && model.is_some() && target.is_some();
    let (name, model) = (name.unwrap_or_default(), model.unwrap_or_default());
    let target = target.or_else(|| target::nowhere(defaults.registry))?;
    let mut deployment = Deployment::new(identity::derived(&name, &params), name, model, target);
    deployment.auto = router.map(Arc::new);
    of_params(&mut section, &mut deployment);
    let mock_response = mock_response(&mut section);
    let cache_points = super::cache_points::of(&mut section);
    let tells_thoughts = section.is_on("merge_reasoning_content_in_choices");
    let (keepalive, per_key_limits) = (keepalive(&mut section), per_key_limits(&mut section));
    let budget = super::allowances::of_entry(&mut section);
    let session_header = super::session::header(&mut section);
    let client_side = super::client_side::of(&mut section);
    deployment.params = Arc::new(mask::public(&params, MODEL_PARAMS, false));
    let derived_id = of_info(cx, &format!("{path}.model_info"), info, &mut deployment);
    of_entry(&mut deployment, rpm, tpm);
    if !is_active(cx, path, info) {
        return Some(Entry::Unserved(inactive(&deployment)));
    }
    let overrides = overrides(cx, path, &params, info);
    let probe = probe(cx, path, info);
    let model = Model {
        deployment,
        overrides,
        mock_response,
        cache_points,
        tells_thoughts,
        keepalive,
        probe,
        per_key_limits,
        budget,
        session_header,
        client_side,
        listed: is_listed(cx, path, info),
        windows: super::windows::of(cx, &format!("{path}.model_info"), info),
        derived_id,
    };
    usable.then(|| Entry::Callable(Box::new(model)))
}

/// Where calls of an entry go. An auto router is called nowhere: it names others.
fn placed(
    section: &mut Section<'_, '_, '_>,
    owner: Owner,
    names_others: bool,
    defaults: Defaults<'_>,
) -> Option<Target> {
    if names_others {
        return target::nowhere(defaults.registry);
    }
    target::resolve(section, owner, defaults)
}

/// What the entry itself says of limits, and the place its cloud says it is in.
fn of_entry(deployment: &mut Deployment, rpm: Option<u64>, tpm: Option<u64>) {
    name_family(deployment);
    let place = deployment.target.cloud.as_ref().and_then(|cloud| cloud.region.clone());
    deployment.region = deployment.region.take().or(place);
    deployment.rpm = rpm.or(deployment.rpm);
    deployment.tpm = tpm.or(deployment.tpm);
}

fn unserved(section: &mut Section<'_, '_, '_>, name: String, reason: String) -> Unserved {
    let (path, at) = (section.path_of("model"), section.at("model"));
    let found = format!("found {}: {reason}", section.shown("model"));
    section.cx.warning(&path, &at, found, format!("`{name}` is not callable"));
    Unserved { name, reason }
}

/// An entry that is kept for other environments.
fn inactive(deployment: &Deployment) -> Unserved {
    let reason =
        "`model_info.supported_environments` does not name this environment (`LITELLM_ENVIRONMENT`)".into();
    Unserved { name: deployment.group.to_string(), reason }
}

/// After how long a silence streams get signs of life.
fn keepalive(section: &mut Section<'_, '_, '_>) -> Keepalive {
    Keepalive {
        pause: section.seconds("keepalive_seconds").map(super::calls::pause),
        callers_choose: section.is_on("allow_client_keepalive_override"),
    }
}

/// What one key may use of the model per minute: requests, tokens.
fn per_key_limits(section: &mut Section<'_, '_, '_>) -> (Option<u64>, Option<u64>) {
    (section.count("default_api_key_rpm_limit"), section.count("default_api_key_tpm_limit"))
}

fn required(section: &mut Section<'_, '_, '_>, key: &str) -> Option<String> {
    let text = section.text(key).map(|text| text.trim().to_owned());
    if text.is_none() && !section.gives(key) {
        section.error(key, format!("found no `{key}`"), "expected text");
    }
    if text.as_deref() == Some("") {
        section.error(key, "found empty text", "expected a name");
        return None;
    }
    text
}

/// The model as a further gateway knows it, where calls go through one (`use_litellm_proxy`).
fn through_proxy(section: &mut Section<'_, '_, '_>, model: String) -> String {
    if !section.is_on("use_litellm_proxy") || model.starts_with(PREFIX) || model.starts_with("litellm_proxy/")
    {
        return model;
    }
    match section.text("custom_llm_provider") {
        Some(slug) if !model.starts_with(&format!("{slug}/")) => format!("litellm_proxy/{slug}/{model}"),
        _ => format!("litellm_proxy/{model}"),
    }
}

/// The parameters with those of `default_litellm_params` that they do not set themselves.
fn completed(mut params: Node, usual: &[Member]) -> Node {
    if let Tree::Map(members) = &mut params.tree {
        for one in usual {
            if !members.iter().any(|member| member.key == one.key) {
                members.push(one.clone());
            }
        }
    }
    params
}

/// The parameters with those of `litellm_credential_name`, which never replace any.
fn with_credential(cx: &mut Context<'_>, path: &str, params: &Node, credentials: &Credentials<'_>) -> Node {
    let mut params = params.clone();
    let Some(node) = params.member("litellm_credential_name") else { return params };
    let Some(name) = node.text().map(str::to_owned) else { return params };
    let path = format!("{path}.litellm_params.litellm_credential_name");
    let Some(values) = credentials.get(&name) else {
        let at = node.at.clone();
        cx.error(&path, &at, format!("found `{name}`"), "expected the name of an entry of `credential_list`");
        return params;
    };
    if let Tree::Map(members) = &mut params.tree {
        for value in *values {
            if !members.iter().any(|member| member.key == value.key && !member.value.is_null()) {
                members.retain(|member| member.key != value.key);
                members.push(value.clone());
            }
        }
    }
    params
}

/// What `litellm_params` say beside the target.
fn of_params(section: &mut Section<'_, '_, '_>, deployment: &mut Deployment) {
    deployment.tier_timeouts =
        ["timeout_by_service_tier", "stream_timeout_by_service_tier"].map(|key| tier_timeouts(section, key));
    deployment.weight = section.number("weight");
    deployment.rpm = section.count("rpm");
    deployment.tpm = section.count("tpm");
    deployment.itpm = section.count("itpm");
    deployment.otpm = section.count("otpm");
    deployment.max_parallel_requests = section.count("max_parallel_requests");
    deployment.order = section.integer("order");
    deployment.timeout = section.seconds("timeout").or_else(|| section.seconds("request_timeout"));
    deployment.stream_timeout = section.seconds("stream_timeout");
    deployment.num_retries = section.count("num_retries");
    deployment.cooldown_time = section.seconds("cooldown_time");
    deployment.tags = section.texts("tags");
    deployment.tag_patterns = tag_patterns(section);
    deployment.region = section.text("region_name");
    deployment.base_model = section.text("base_model");
    if let Some(name) = section.text("hf_model_name")
        && let Some(cloud) = &mut Arc::make_mut(&mut deployment.target).cloud
    {
        cloud.base_model = Some(name);
    }
}

/// Seconds to wait by service tier.
fn tier_timeouts(section: &mut Section<'_, '_, '_>, key: &str) -> Box<[(String, Duration)]> {
    let mut times = Vec::new();
    for member in section.mapping(key).map(Node::members).unwrap_or_default() {
        let seconds = number_of(&member.value).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        match seconds.filter(|time| !time.is_zero()) {
            Some(time) => times.push((member.key.clone(), time)),
            None => {
                let path = format!("{}.{}", section.path_of(key), member.key);
                let found = format!("found {}", member.value.kind());
                section.cx.error(&path, &member.value.at, found, "expected seconds, more than zero");
            }
        }
    }
    times.into()
}

/// What `model_info` says; tells whether the deployment's id is a derived one.
fn of_info(cx: &mut Context<'_>, path: &str, node: Option<&Node>, deployment: &mut Deployment) -> bool {
    let mut section = Section::open(cx, path, node, MODEL_INFO);
    review_info(&mut section);
    let id = section.text("id").filter(|id| !id.is_empty());
    let derived = id.is_none();
    if let Some(id) = id {
        deployment.id = DeploymentId::from(id);
    }
    deployment.base_model = section.text("base_model").or(deployment.base_model.take());
    deployment.mode = section.text("mode");
    deployment.access_groups = section.texts("access_groups");
    deployment.team_id = section.text("team_id");
    deployment.team_public_model_name = section.text("team_public_model_name");
    deployment.blocked = section.is_on("blocked");
    deployment.region = deployment.region.take().or_else(|| section.text("region"));
    deployment.kind = section.text("type");
    deployment.tag_filtering = section.is_on("enable_tag_filtering");
    deployment.web_search = section.flag("supports_web_search");
    // LiteLLM looks here last.
    for (key, limit) in [
        ("rpm", &mut deployment.rpm),
        ("tpm", &mut deployment.tpm),
        ("itpm", &mut deployment.itpm),
        ("otpm", &mut deployment.otpm),
    ] {
        *limit = limit.or_else(|| section.count(key));
    }
    deployment.allowed_fails = section.count("allowed_fails");
    deployment.allowed_fails_policy = allowed_fails_policy(&mut section);
    deployment.cooldown_time = section.seconds("cooldown_time").or(deployment.cooldown_time);
    let mut info = node.map(|node| mask::public(node, MODEL_INFO, false)).unwrap_or_default();
    info.insert("id".to_owned(), Value::from(deployment.id.as_str()));
    info.entry("db_model").or_insert(Value::Bool(false));
    deployment.model_info = Arc::new(info);
    derived
}

/// `tag_regex`: one expression or several.
fn tag_patterns(section: &mut Section<'_, '_, '_>) -> Vec<TagPattern> {
    let mut patterns = Vec::new();
    for text in section.texts("tag_regex") {
        match TagPattern::new(&text) {
            Ok(pattern) => patterns.push(pattern),
            Err(problem) => {
                let found = format!("found `{text}`: {problem}");
                section.error("tag_regex", found, "expected a regular expression");
            }
        }
    }
    patterns
}

/// Whether a deployment is active in this environment (`supported_environments` and `LITELLM_ENVIRONMENT`).
fn is_active(cx: &mut Context<'_>, path: &str, info: Option<&Node>) -> bool {
    let mut section = Section::open(cx, &format!("{path}.model_info"), info, MODEL_INFO);
    let supported = section.texts("supported_environments");
    supported.is_empty() || {
        let here = section.cx.env.value("LITELLM_ENVIRONMENT");
        here.is_some_and(|here| supported.iter().any(|name| *name == here))
    }
}

fn is_listed(cx: &mut Context<'_>, path: &str, info: Option<&Node>) -> bool {
    let mut section = Section::open(cx, &format!("{path}.model_info"), info, MODEL_INFO);
    section.flag("discoverable").unwrap_or(true)
}

/// The longest wait for the answer to a probe unless told, seconds (LiteLLM's `HEALTH_CHECK_TIMEOUT_SECONDS`).
const PROBE_TIMEOUT: Duration = Duration::from_secs(60);

/// How a deployment is probed.
fn probe(cx: &mut Context<'_>, path: &str, info: Option<&Node>) -> Probe {
    let mut section = Section::open(cx, &format!("{path}.model_info"), info, MODEL_INFO);
    Probe {
        model: section.text("health_check_model"),
        voice: section.text("health_check_voice"),
        timeout: section.seconds("health_check_timeout").unwrap_or(PROBE_TIMEOUT),
        params: section.map("health_check_params"),
        disabled: section.is_on("disable_background_health_check"),
    }
}

/// In clouds a deployment's name is free text: `base_model` says which model it is.
fn name_family(deployment: &mut Deployment) {
    if deployment.base_model.is_none() || deployment.target.cloud.is_none() {
        return;
    }
    let target = Arc::make_mut(&mut deployment.target);
    if let Some(cloud) = &mut target.cloud {
        cloud.base_model.clone_from(&deployment.base_model);
    }
}

/// `model_info` is open: whatever it holds is shown. Only what LiteLLM acts on and we do not is noted,
/// and what looks like a misspelling.
fn review_info(section: &mut Section<'_, '_, '_>) {
    let is_free = |key: &str| key.starts_with("supports_") || PRICES.contains(&key);
    for member in section.members() {
        let known = raw::find(MODEL_INFO, &member.key);
        let path = section.path_of(&member.key);
        section.cx.report_unset(&path, &member.value);
        if known.is_some() {
            section.review_one(member);
        } else if !is_free(&member.key) {
            let names = MODEL_INFO.iter().map(|key| key.name).chain(PRICES.iter().copied());
            if let Some(near) = raw::nearest(&member.key, names) {
                let problem = section.cx.warning(
                    &path,
                    &member.at,
                    "found an unknown setting",
                    "it is shown, but has no effect",
                );
                problem.hint = Some(format!("did you mean `{near}`?"));
            }
        }
    }
}

/// Text to answer with. LiteLLM also takes Python objects here, which a file cannot hold.
fn mock_response(section: &mut Section<'_, '_, '_>) -> Option<String> {
    let node = section.value("mock_response")?;
    let text = text_of(node);
    if text.is_none() {
        section.wrong("mock_response", node, "expected text");
    }
    text
}

/// Prices, limits and abilities the operator sets; prices in `litellm_params` win over those in
/// `model_info`.
fn overrides(cx: &mut Context<'_>, path: &str, params: &Node, info: Option<&Node>) -> ModelInfo {
    let mut prices = Map::new();
    let mut rest = Map::new();
    for member in info.map(Node::members).unwrap_or_default() {
        if PRICES.contains(&member.key.as_str()) {
            price(cx, &format!("{path}.model_info"), member, &mut prices);
        } else if !member.value.is_null() {
            rest.insert(member.key.clone(), member.value.json());
        }
    }
    for member in params.members().iter().filter(|member| PRICES.contains(&member.key.as_str())) {
        price(cx, &format!("{path}.litellm_params"), member, &mut prices);
    }
    ModelInfo::from_litellm(&prices, &rest).unwrap_or_else(|error| {
        let at = info.map_or_else(|| params.at.clone(), |info| info.at.clone());
        cx.error(path, &at, error.message(), "expected prices and limits as the price file writes them");
        ModelInfo::default()
    })
}

fn price(cx: &mut Context<'_>, path: &str, member: &Member, prices: &mut Map<String, Value>) {
    if member.value.is_null() {
        return;
    }
    let json = match &member.value.tree {
        Tree::List(_) | Tree::Map(_) => Some(member.value.json()),
        _ => number_of(&member.value).filter(|usd| *usd >= 0.0).map(Value::from),
    };
    let Some(json) = json else {
        let path = format!("{path}.{}", member.key);
        let found = format!("found {}", mask::shown(&member.value, &member.key, None));
        cx.error(&path, &member.value.at, found, "expected a price in USD, zero or more");
        return;
    };
    prices.insert(member.key.clone(), json);
}
