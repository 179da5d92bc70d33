//! `litellm_params` into a target: which provider, where, with which key, headers and body fields.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use llm_providers::cloud::Identity;
use llm_providers::signin::Source;
use llm_providers::{Auth, Cloud, CloudSpec, DialectId, ParamPolicy, ProviderSpec, Registry, Target};
use llm_types::{Secret, Timeouts};
use serde_json::{Map, Value};

use super::cloud::{self, Said};
use super::owner::Owner;
use super::section::text_of;
use super::{Section, grpc, template};
use crate::config::mask;
use crate::config::raw::{self, BODY, MODEL_PARAMS, PRICES, nearest};
use crate::config::source::{Member, Node, Tree};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// What a target takes from the rest of the configuration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Defaults<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) drop_params: bool,
    /// `ignore_invalid_deployments`: an entry with errors is left out instead of stopping the start.
    pub(crate) skip_invalid: bool,
    /// Parameters of every deployment that does not set them (`default_litellm_params`).
    pub(crate) params: &'a [Member],
    pub(crate) timeout: Option<Duration>,
    pub(crate) stream_timeout: Option<Duration>,
}

/// The target of a deployment; `None` when a problem that was reported leaves none. Parameters that do
/// not depend on the provider are checked even when it is not known.
pub(crate) fn resolve(
    section: &mut Section<'_, '_, '_>,
    owner: Owner,
    defaults: Defaults<'_>,
) -> Option<Target> {
    let mut headers = headers(section);
    let body = body(section);
    let policy = ParamPolicy {
        drop: section.flag("drop_params").unwrap_or(defaults.drop_params),
        always_drop: section.texts("additional_drop_params"),
        allow: section.texts("allowed_openai_params"),
    };
    let timeouts = timeouts(section, defaults);
    let given_base = section.text("api_base").or_else(|| section.text("base_url"));
    let Owner::Served(spec, model) = owner else {
        section.secret("api_key");
        return None;
    };
    let given_base = given_base.or_else(|| aws_endpoint(section, &spec));
    let mut cloud = (spec.cloud != CloudSpec::NONE).then(|| cloud::settings(section, &spec.cloud));
    let given_base = given_base.map(|base| without_version(base, cloud.as_mut()));
    if grpc::is_grpc(&spec) {
        grpc::function(section, &mut headers);
    }
    let base_url = base_url(section, &spec, given_base.as_deref());
    let (key, spec) = match sign_in(section, &spec, given_base.as_deref(), base_url.as_deref())? {
        SignIn::Key(key) => (Some(key), spec),
        SignIn::None => (None, without_sign_in(spec)),
        SignIn::Unneeded => (None, spec),
        SignIn::Credential(source) => {
            let cloud = cloud.get_or_insert_with(Cloud::default);
            cloud.credential = Some(cloud::credential(source));
            (None, spec)
        }
    };
    let target =
        Target { spec, model, base_url: base_url?, key, headers, defaults: body, policy, timeouts, cloud };
    let mut target = templated(section, target.routed());
    if section.is_on("use_chat_completions_api") {
        Arc::make_mut(&mut target.spec).quirks.responses = false;
    }
    says_enough(section, &target).then_some(target)
}

/// The target with the operator's own template, where its models complete prompts.
fn templated(section: &mut Section<'_, '_, '_>, mut target: Target) -> Target {
    let own = template::own(section);
    if own.is_none() {
        return target;
    }
    if matches!(target.spec.dialect, DialectId::Prompt(_)) {
        Arc::make_mut(&mut target.spec).quirks.own_template = own;
    } else if !own.chat_template.is_empty() {
        // Some servers of chats take one with each request.
        target.defaults.insert("chat_template".to_owned(), own.chat_template.into_owned().into());
    }
    target
}

/// Stands in for a target while the rest of a wrong entry is checked; it is never called.
pub(crate) fn nowhere(registry: &Registry) -> Option<Target> {
    Some(Target {
        spec: Arc::clone(registry.all().first()?),
        model: String::new(),
        base_url: String::new(),
        key: None,
        headers: HeaderMap::new(),
        defaults: Map::new(),
        policy: ParamPolicy::default(),
        timeouts: Timeouts::default(),
        cloud: None,
    })
}

/// LiteLLM's own names for the base URLs of Amazon's services.
fn aws_endpoint(section: &mut Section<'_, '_, '_>, spec: &ProviderSpec) -> Option<String> {
    match &spec.cloud.identity {
        Identity::Aws(service) if service == "sagemaker" => section.text("sagemaker_base_url"),
        Identity::Aws(_) => section.text("aws_bedrock_runtime_endpoint"),
        _ => None,
    }
}

/// A base URL as portals show it names the version of the API: `…?api-version=2024-10-21`.
fn without_version(base: String, cloud: Option<&mut Cloud>) -> String {
    let (Some(cloud), Some((url, query))) = (cloud, base.split_once('?')) else { return base };
    let named = query.split('&').find_map(|pair| pair.strip_prefix("api-version="));
    if let Some(version) = named.filter(|version| !version.is_empty()) {
        cloud.version.get_or_insert_with(|| version.to_owned());
    }
    url.to_owned()
}

/// Whether everything stands there that the cloud's URLs are made of.
fn says_enough(section: &mut Section<'_, '_, '_>, target: &Target) -> bool {
    let spec = &target.spec.cloud;
    // Some are billed by something else instead: watsonx by a space.
    let has = target.cloud.as_ref().is_some_and(|cloud| cloud.project.is_some() || !cloud.more.is_empty());
    let in_body = spec.shell.with.iter().chain(spec.shell.envelope.said.iter());
    let needed = spec.shell.path.contains("{project}")
        || spec.routes.iter().any(|r| r.shell.path.contains("{project}"))
        || in_body.into_iter().any(|(_, text)| text.contains("{project}"));
    if needed && !has {
        let (path, at) = (section.path_of(&spec.project.param), section.at(&spec.project.param));
        let found = "found no project";
        let expected =
            format!("expected `{}`, or `{}` in the environment", spec.project.param, spec.project.env[0]);
        section.cx.error(&path, &at, found, expected);
        return false;
    }
    true
}

/// How the deployment signs in: by the key of the entry, by other parameters of the entry, by a key of the
/// environment, by what else the environment and the machine say.
fn sign_in(
    section: &mut Section<'_, '_, '_>,
    spec: &ProviderSpec,
    given_base: Option<&str>,
    base_url: Option<&str>,
) -> Option<SignIn> {
    let from_env = section.cx.env.first(spec.base_url_env.iter().map(AsRef::as_ref)).is_some();
    let given = given_base.is_some() || (from_env && !spec.base_url.is_empty());
    let base = cloud::Base { url: base_url.unwrap_or_default(), given };
    match own_sign_in(section, spec, &base) {
        Said::Source(source) => return Some(SignIn::Credential(source)),
        Said::Wrong => return None,
        Said::Nothing => {}
    }
    if spec.cloud.identity == Identity::Key || section.gives("api_key") {
        cloud::with_key(section, &spec.cloud);
        return key(section, spec, given_base);
    }
    match cloud::said(section, &spec.cloud) {
        Said::Source(source) => return Some(SignIn::Credential(source)),
        Said::Wrong => return None,
        Said::Nothing => {}
    }
    if section.cx.env.first(spec.key_env.iter().map(AsRef::as_ref)).is_some() {
        cloud::with_key(section, &spec.cloud);
        return key(section, spec, given_base);
    }
    match cloud::surrounding(section, &spec.cloud, &base) {
        Said::Source(source) => Some(SignIn::Credential(source)),
        Said::Wrong => None,
        Said::Nothing => key(section, spec, given_base),
    }
}

/// The sign-in of vendors that have one of their own.
fn own_sign_in(section: &mut Section<'_, '_, '_>, spec: &ProviderSpec, base: &cloud::Base<'_>) -> Said {
    let key = section.secret("api_key").or_else(|| {
        let from_env = section.cx.env.first(spec.key_env.iter().map(AsRef::as_ref));
        from_env.map(|(_, key)| Secret::new(key.to_owned()))
    });
    cloud::own(section, spec, key.as_ref(), base)
}

fn without_sign_in(spec: Arc<ProviderSpec>) -> Arc<ProviderSpec> {
    if spec.auth == Auth::None {
        return spec;
    }
    Arc::new(ProviderSpec { auth: Auth::None, ..Arc::unwrap_or_clone(spec) })
}

fn base_url(section: &mut Section<'_, '_, '_>, spec: &ProviderSpec, given: Option<&str>) -> Option<String> {
    let from_env = section.cx.env.first(spec.base_url_env.iter().map(AsRef::as_ref));
    let key = if section.gives("base_url") && !section.gives("api_base") { "base_url" } else { "api_base" };
    let (text, source) = match (given, from_env) {
        (Some(given), _) => (given, None),
        (None, Some((name, value))) => (value, Some(name)),
        (None, None) => (&*spec.base_url, None),
    };
    let value = |name: &str| section.cx.env.first([name]).map(|(_, value)| value.to_owned());
    let api = if text.is_empty() { cloud::api(section, &spec.cloud) } else { None };
    let text = api.as_deref().unwrap_or(text);
    let text = match ProviderSpec::filled(text.trim().trim_end_matches('/'), value) {
        Ok(text) => text,
        Err(name) => {
            let found = format!("found no base URL for provider `{}`, and `{name}` is not set", spec.id);
            let expected = format!("expected `{name}` in the environment, or the URL of its API");
            section.error(key, found, expected);
            return None;
        }
    };
    let is_grpc = grpc::is_grpc(spec);
    let text = if is_grpc { grpc::url(section, &text) } else { text };
    let text = text.as_str();
    if text.is_empty() {
        if !section.gives(key) || given.is_some() {
            let found = format!("found no base URL for provider `{}`, which has none of its own", spec.id);
            section.error(key, found, "expected the URL of its API, such as `http://localhost:8000/v1`");
        }
        return None;
    }
    let url: Option<Uri> = text.replace("{region}", "region").parse().ok();
    let schemes = if is_grpc { ["grpc", "grpcs"] } else { ["http", "https"] };
    let usable = url.is_some_and(|url| {
        url.scheme_str().is_some_and(|scheme| schemes.contains(&scheme)) && url.host().is_some()
    });
    if !usable {
        let found = match source {
            Some(name) => format!("found something else in `{name}`"),
            None => format!("found {}", section.shown(key)),
        };
        let expected = match is_grpc {
            true => "expected `host:port`",
            false => "expected an absolute URL with `http://` or `https://`",
        };
        section.error(key, found, expected);
        return None;
    }
    Some(spec.full_base_url(Some(text)))
}

enum SignIn {
    Key(Secret),
    /// The operator's server wants none.
    None,
    /// There is no key, and the provider's record says what happens then.
    Unneeded,
    /// A cloud's credential.
    Credential(Source),
}

/// The key of exactly this provider: the one given, else the one the environment has for it.
///
/// A key is never borrowed: OpenAI's own key in the environment does not go to another host just
/// because that host speaks OpenAI's dialect. `None` when a problem was reported.
fn key(section: &mut Section<'_, '_, '_>, spec: &ProviderSpec, given_base: Option<&str>) -> Option<SignIn> {
    if section.gives("api_key") {
        return section.secret("api_key").map(SignIn::Key).or_else(|| {
            let blank = |node: &Node| node.text().is_some_and(|text| text.trim().is_empty());
            if section.value("api_key").is_some_and(blank) {
                section.error("api_key", "found an empty key", "expected the provider's secret");
            }
            None
        });
    }
    let from_env = section.cx.env.first(spec.key_env.iter().map(AsRef::as_ref));
    let elsewhere = given_base.is_some_and(|base| host_of(base) != host_of(&spec.base_url));
    if spec.id.as_str() == "openai" && elsewhere {
        if let Some((name, _)) = from_env {
            let (path, at) = (section.path_of("api_key"), section.at("api_base"));
            let instead = format!("the call is sent without a key: `{name}` goes to OpenAI only");
            let problem = section.cx.warning(&path, &at, "found no key for this `api_base`", instead);
            problem.hint = Some(format!("write `api_key: os.environ/{name}` if that host is to have it"));
        }
        return Some(SignIn::None);
    }
    match from_env {
        Some((_, value)) => Some(SignIn::Key(Secret::new(value.to_owned()))),
        None if matches!(spec.auth, Auth::None | Auth::BearerOr(_)) => Some(SignIn::Unneeded),
        None => {
            no_key(section, spec);
            None
        }
    }
}

fn no_key(section: &mut Section<'_, '_, '_>, spec: &ProviderSpec) {
    let names: Vec<_> = spec.key_env.iter().map(|name| format!("`{name}`")).collect();
    let (path, at) = (section.path_of("api_key"), section.at("api_key"));
    let found = format!("found no key for provider `{}`", spec.id);
    let expected = match names.as_slice() {
        [] => "expected `api_key`".to_owned(),
        names => format!("expected `api_key`, or {} in the environment", names.join(" or ")),
    };
    let problem = section.cx.error(&path, &at, found, expected);
    problem.hint =
        spec.key_env.first().map(|name| format!("write `api_key: os.environ/{name}` and set `{name}`"));
}

fn host_of(url: &str) -> Option<String> {
    url.trim()
        .parse::<Uri>()
        .ok()
        .and_then(|url| url.authority().map(|host| host.as_str().to_ascii_lowercase()))
}

/// `extra_headers` (or `headers`) and `organization`. Every value is marked sensitive: operators put
/// secrets of gateways in front of providers there.
fn headers(section: &mut Section<'_, '_, '_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for key in ["headers", "extra_headers"] {
        let Some(node) = section.mapping(key) else { continue };
        for member in node.members().iter().filter(|member| !matches!(member.value.tree, Tree::Unset(_))) {
            let name = HeaderName::try_from(member.key.as_str());
            let value = text_of(&member.value).and_then(|text| HeaderValue::try_from(text).ok());
            let (Ok(name), Some(mut value)) = (name, value) else {
                let path = format!("{}.{}", section.path_of(key), member.key);
                let found = format!("found {} that is no header", member.value.kind());
                section.cx.error(&path, &member.value.at, found, "expected a header's name and text");
                continue;
            };
            value.set_sensitive(true);
            headers.insert(name, value);
        }
    }
    if let Some(organization) = organization(section) {
        headers.insert("openai-organization", organization);
    }
    headers
}

/// `organization`; of a list LiteLLM makes one deployment each, here the first one counts.
fn organization(section: &mut Section<'_, '_, '_>) -> Option<HeaderValue> {
    let names = section.texts("organization");
    if names.len() > 1 {
        let (path, at) = (section.path_of("organization"), section.at("organization"));
        section.cx.warning(&path, &at, "found several organizations", "the first one counts");
    }
    let value = HeaderValue::try_from(names.first()?.as_str()).ok();
    if value.is_none() {
        section.error(
            "organization",
            "found text that no header can carry",
            "expected the id of an organization",
        );
    }
    value
}

/// Body fields for every call: `extra_body`, and every parameter that is not a setting.
fn body(section: &mut Section<'_, '_, '_>) -> Map<String, Value> {
    let mut body = Map::new();
    for member in section.members() {
        let setting = raw::find(MODEL_PARAMS, &member.key).is_some() || PRICES.contains(&member.key.as_str());
        if setting || member.value.is_null() {
            continue;
        }
        let path = section.path_of(&member.key);
        section.cx.report_unset(&path, &member.value);
        let near = suspect(&member.key);
        let secret = mask::is_secret(&member.key, MODEL_PARAMS);
        if near.is_some() || secret {
            let instead = if secret {
                "it is not sent to the provider"
            } else {
                "it is sent to the provider as a body field"
            };
            let problem = section.cx.warning(&path, &member.at, "found an unknown setting", instead);
            problem.hint = near.map(|near| format!("did you mean `{near}`?"));
        }
        if !secret {
            body.insert(member.key.clone(), member.value.json());
        }
    }
    body.extend(section.map("extra_body"));
    body
}

/// The known name that an unknown one is probably a misspelling of.
fn suspect(name: &str) -> Option<&'static str> {
    if BODY.contains(&name) {
        return None;
    }
    let settings = MODEL_PARAMS.iter().map(|key| key.name);
    nearest(name, settings.chain(PRICES.iter().copied()).chain(BODY.iter().copied()))
}

fn timeouts(section: &mut Section<'_, '_, '_>, defaults: Defaults<'_>) -> Timeouts {
    let timeout =
        section.seconds("timeout").or_else(|| section.seconds("request_timeout")).or(defaults.timeout);
    let first_byte = section.seconds("stream_timeout").or(defaults.stream_timeout).or(timeout);
    // The whole answer's limit is the router's: only it knows whether the call streams.
    let longest = first_byte.max(timeout);
    let connect = section.seconds("connect_timeout").unwrap_or(CONNECT);
    Timeouts { connect: Some(connect), first_byte: longest, read: timeout, total: None }
}

/// Warns of every parameter of a served deployment that this version does not serve; unknown ones are
/// the provider's (see [`body`]).
pub(crate) fn review(section: &mut Section<'_, '_, '_>) {
    for member in section.members() {
        if raw::find(MODEL_PARAMS, &member.key).is_some() {
            section.review_one(member);
        }
    }
}

#[cfg(test)]
mod tests;
