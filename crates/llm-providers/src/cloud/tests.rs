//! Routes and shells of the built-in clouds: which URL, which dialect, which body.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use llm_types::{Secret, Timeouts};
use serde_json::Map;

use super::Cloud;
use crate::dialects::prompt::Wire;
use crate::{DialectId, Encoded, ParamPolicy, PreparedTarget, ProviderSpec, Registry, Target};

fn target(slug: &str, model: &str, base: Option<&str>, cloud: Cloud) -> Target {
    target_of(Arc::clone(Registry::built_in().provider(slug).unwrap()), model, base, cloud)
}

fn target_of(spec: Arc<ProviderSpec>, model: &str, base: Option<&str>, cloud: Cloud) -> Target {
    Target {
        base_url: spec.full_base_url(base),
        spec,
        model: model.into(),
        key: Some(Secret::new("k-1".into())),
        headers: HeaderMap::new(),
        defaults: Map::new(),
        policy: ParamPolicy::default(),
        timeouts: Timeouts::default(),
        cloud: Some(cloud),
    }
    .routed()
}

fn cloud(region: &str, project: &str, version: &str) -> Cloud {
    let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Cloud { region: said(region), project: said(project), version: said(version), ..Cloud::default() }
}

/// What is sent for a request whose dialect wrote this path and body.
fn sent(target: Target, path: &str, body: &'static str, betas: &'static str) -> llm_types::HttpRequest {
    let prepared = PreparedTarget::new(Arc::new(target));
    let mut headers = HeaderMap::new();
    if !betas.is_empty() {
        headers.insert("anthropic-beta", HeaderValue::from_static(betas));
    }
    let mut request = prepared
        .request(Encoded { path: path.into(), headers, body: body.into(), beforehand: None })
        .unwrap();
    prepared.seal(&mut request, || std::time::SystemTime::UNIX_EPOCH).unwrap();
    request
}

fn url(slug: &str, model: &str, base: Option<&str>, cloud: Cloud) -> String {
    sent(target(slug, model, base, cloud), "/chat/completions", "{}", "").uri.to_string()
}

#[test]
fn azures_urls() {
    let res = "https://res.openai.azure.com";
    for (base, version, expected) in [
        (res, "2024-10-21", "/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21"),
        (res, "", "/openai/deployments/my%20gpt/chat/completions?api-version=2025-02-01-preview"),
        (res, "v1", "/openai/v1/chat/completions"),
        (res, "preview", "/openai/v1/chat/completions"),
        ("https://res.openai.azure.com/openai/v1/", "", "/openai/v1/chat/completions"),
        (
            "https://res.openai.azure.com/openai/deployments/other",
            "2024-10-21",
            "/openai/deployments/other/chat/completions?api-version=2024-10-21",
        ),
    ] {
        assert_eq!(
            url("azure", "my gpt", Some(base), cloud("", "", version)),
            format!("{res}{expected}"),
            "{base}"
        );
    }
    let request = sent(target("azure", "m", Some(res), cloud("", "", "")), "/chat/completions", "{}", "");
    assert_eq!(request.headers["api-key"], "k-1");
    let request = sent(target("azure", "m", Some(res), cloud("", "", "v1")), "/chat/completions", "{}", "");
    assert_eq!(request.headers["authorization"], "Bearer k-1");
}

#[test]
fn azures_responses_stand_beside_the_deployments() {
    let res = "https://res.openai.azure.com";
    for (base, version, path, expected) in [
        (res, "2025-03-01-preview", "/responses", "/openai/responses?api-version=2025-03-01-preview"),
        (res, "", "/responses/r_1/cancel", "/openai/responses/r_1/cancel?api-version=2025-02-01-preview"),
        (res, "", "/responses/r_1?a=b", "/openai/responses/r_1?api-version=2025-02-01-preview&a=b"),
        (res, "v1", "/responses", "/openai/v1/responses"),
        ("https://res.openai.azure.com/openai/v1", "", "/responses", "/openai/v1/responses"),
    ] {
        let target = target("azure", "m", Some(base), cloud("", "", version));
        assert!(target.spec.quirks.responses, "callers of that API are forwarded");
        assert_eq!(sent(target, path, "{}", "").uri.to_string(), format!("{res}{expected}"));
    }
}

#[test]
fn azures_responses_without_dates_sign_in_as_elsewhere_at_azure() {
    let res = "https://res.openai.azure.com";
    let plain = target("azure", "gpt-5", Some(res), cloud("", "", "v1"));
    let doors = &plain.spec.quirks.doors;
    let door = doors.iter().find(|door| door.dialect == DialectId::OpenaiResponses).unwrap();
    for (path, expected) in [
        ("/responses", "/openai/v1/responses?api-version=v1"),
        ("/responses/r_1/cancel", "/openai/v1/responses/r_1/cancel?api-version=v1"),
    ] {
        let request = sent(plain.through(door), path, "{}", "");
        assert_eq!(request.uri.to_string(), format!("{res}{expected}"));
        assert_eq!(request.headers["api-key"], "k-1");
        assert!(!request.headers.contains_key("authorization"), "{path}");
    }
}

#[test]
fn a_model_that_is_called_by_responses_stays_so_whatever_its_route() {
    let registry = Registry::built_in();
    let azure = (**registry.provider("azure").unwrap()).clone();
    let asked = ProviderSpec { dialect: DialectId::OpenaiResponses, ..azure };
    for version in ["2024-10-21", "v1"] {
        let base = Some("https://res.openai.azure.com");
        let plain = target("azure", "m", base, cloud("", "", version));
        assert_eq!(plain.spec.dialect, DialectId::OpenaiChat);
        let target = target_of(Arc::new(asked.clone()), "m", base, cloud("", "", version));
        assert_eq!(target.spec.dialect, DialectId::OpenaiResponses, "{version}");
    }
}

#[test]
fn azures_models_that_complete_texts() {
    let res = "https://res.openai.azure.com";
    for (version, expected) in [
        ("2024-10-21", "/openai/deployments/m/completions?api-version=2024-10-21"),
        ("v1", "/openai/v1/completions"),
    ] {
        let target = target("azure_text", "m", Some(res), cloud("", "", version));
        assert_eq!(target.spec.dialect, DialectId::OpenaiText);
        assert_eq!(sent(target, "/completions", "{}", "").uri.to_string(), format!("{res}{expected}"));
    }
}

#[test]
fn azure_foundrys_urls() {
    for (model, base, version, expected, header) in [
        (
            "mistral-large",
            "https://p.services.ai.azure.com",
            "",
            "https://p.services.ai.azure.com/models/chat/completions",
            "api-key",
        ),
        (
            "mistral-large",
            "https://p.services.ai.azure.com/models",
            "2024-05-01-preview",
            "https://p.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview",
            "api-key",
        ),
        (
            "mistral-large",
            "https://m.eastus.models.ai.azure.com",
            "",
            "https://m.eastus.models.ai.azure.com/chat/completions",
            "authorization",
        ),
        (
            "gpt-4o",
            "https://r.openai.azure.com",
            "2024-10-21",
            "https://r.openai.azure.com/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
            "api-key",
        ),
    ] {
        let request = sent(
            target("azure_ai", model, Some(base), cloud("", "", version)),
            "/chat/completions",
            "{}",
            "",
        );
        assert_eq!(request.uri.to_string(), expected);
        assert!(request.headers.contains_key(header), "{expected}: {:?}", request.headers);
    }
    for base in ["https://p.services.ai.azure.com", "https://p.services.ai.azure.com/anthropic"] {
        let target = target("azure_ai", "claude-sonnet-4-5", Some(base), cloud("", "", ""));
        assert_eq!(target.spec.dialect, DialectId::Anthropic);
        let request = sent(target, "/v1/messages", "{}", "");
        assert_eq!(request.uri, "https://p.services.ai.azure.com/anthropic/v1/messages");
        assert_eq!(request.headers["x-api-key"], "k-1");
    }
}

#[test]
fn vertex_urls_follow_region_and_maker() {
    let path = "/v1/projects/p-1/locations";
    for (model, region, expected) in [
        (
            "meta/llama-3.3",
            "us-east5",
            format!(
                "https://us-east5-aiplatform.googleapis.com{path}/us-east5/endpoints/openapi/chat/completions"
            ),
        ),
        (
            "meta/llama-3.3",
            "global",
            format!("https://aiplatform.googleapis.com{path}/global/endpoints/openapi/chat/completions"),
        ),
        (
            "meta/llama-3.3",
            "eu",
            format!("https://aiplatform.eu.rep.googleapis.com{path}/eu/endpoints/openapi/chat/completions"),
        ),
        (
            "deepseek-ai/deepseek-v3.2-maas",
            "us-east5",
            format!("https://aiplatform.googleapis.com{path}/global/endpoints/openapi/chat/completions"),
        ),
        (
            "mistral-small-2503",
            "",
            format!(
                "https://us-central1-aiplatform.googleapis.com{path}/us-central1/publishers/mistralai/models/mistral-small-2503:rawPredict"
            ),
        ),
    ] {
        assert_eq!(url("vertex_ai", model, None, cloud(region, "p-1", "")), expected);
    }
    let own = url("vertex_ai", "meta/llama-3.3", Some("http://127.0.0.1:9/v1"), cloud("us-east5", "p-1", ""));
    assert_eq!(own, format!("http://127.0.0.1:9{path}/us-east5/endpoints/openapi/chat/completions"));
}

#[test]
fn claude_on_vertex_has_its_model_in_the_path_and_its_version_in_the_body() {
    let target = || target("vertex_ai", "claude-sonnet-4-5@20250929", None, cloud("us-east5", "p-1", ""));
    assert_eq!(target().spec.dialect, DialectId::Anthropic);
    let start = "https://us-east5-aiplatform.googleapis.com/v1/projects/p-1/locations/us-east5/publishers/anthropic/models/claude-sonnet-4-5@20250929";
    let body = r#"{"model":"x","messages":[],"stream":true}"#;
    let request = sent(target(), "/v1/messages", body, "files-api-2025-04-14, context-1m-2025-08-07");
    assert_eq!(request.uri.to_string(), format!("{start}:streamRawPredict"));
    assert_eq!(request.body, r#"{"messages":[],"stream":true,"anthropic_version":"vertex-2023-10-16"}"#);
    assert_eq!(request.headers["anthropic-beta"], "context-1m-2025-08-07");
    let own = r#"{"anthropic_version":"vertex-x","messages":[]}"#;
    let request = sent(target(), "/v1/messages", own, "");
    assert_eq!((request.uri.to_string(), request.body), (format!("{start}:rawPredict"), own.into()));
}

#[test]
fn a_missing_project_is_told_by_every_call() {
    let target = target("vertex_ai", "meta/llama-3.3", None, cloud("", "", ""));
    let prepared = PreparedTarget::new(Arc::new(target));
    let error = prepared.request(Encoded { path: "/x".into(), ..Encoded::default() }).unwrap_err();
    assert!(error.message().contains("needs `vertex_project`"), "{error}");
}

#[test]
fn regions_in_models_names_count() {
    let named = target("bedrock_mantle", "eu-west-1/openai.gpt-oss-120b", None, cloud("us-east-1", "", ""));
    assert_eq!((named.region(), named.model.as_str()), ("eu-west-1", "openai.gpt-oss-120b"));
    assert_eq!(
        sent(named, "/chat/completions", "{}", "").uri,
        "https://bedrock-mantle.eu-west-1.api.aws/v1/chat/completions"
    );
    for (word, is_one) in [
        ("us-east-1", true),
        ("us-gov-west-1", true),
        ("us.anthropic", false),
        ("gpt-4", false),
        ("us-east", false),
        ("", false),
    ] {
        assert_eq!(super::route::is_region(word), is_one, "{word}");
    }
}

#[test]
fn a_pattern_keeps_its_record_until_a_model_is_known() {
    let wildcard = target("vertex_ai", "*", None, cloud("us-east5", "p-1", ""));
    assert!(!wildcard.spec.cloud.routes.is_empty());
    let one = Target { model: "claude-haiku-4-5".into(), ..wildcard }.routed();
    assert_eq!(one.spec.dialect, DialectId::Anthropic);
}

#[test]
fn families_are_told_by_the_base_model() {
    let mut target = target("azure", "my-gpt", Some("https://r.openai.azure.com"), Cloud::default());
    assert_eq!(target.family(), "my-gpt");
    target.cloud = Some(Cloud { base_model: Some("azure/gpt-5".into()), ..Cloud::default() });
    assert_eq!(target.family(), "gpt-5");
}

#[test]
fn bedrocks_routes() {
    let arn = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc";
    for (model, dialect, name, region) in [
        (
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            DialectId::Converse,
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "us-east-1",
        ),
        ("converse/us.amazon.nova-pro-v1:0", DialectId::Converse, "us.amazon.nova-pro-v1:0", "us-east-1"),
        ("eu-west-3/amazon.nova-pro-v1:0", DialectId::Converse, "amazon.nova-pro-v1:0", "eu-west-3"),
        ("converse/eu-west-3/amazon.nova-pro-v1:0", DialectId::Converse, "amazon.nova-pro-v1:0", "eu-west-3"),
        (
            "invoke/us.anthropic.claude-opus-4-7",
            DialectId::Anthropic,
            "us.anthropic.claude-opus-4-7",
            "us-east-1",
        ),
        (
            "invoke/meta.llama3-70b-instruct-v1:0",
            DialectId::Prompt(Wire::Llama),
            "meta.llama3-70b-instruct-v1:0",
            "us-east-1",
        ),
        (
            "invoke/arn:aws:bedrock:us-west-2::foundation-model/amazon.titan-tg1-large",
            DialectId::Prompt(Wire::Titan),
            "arn:aws:bedrock:us-west-2::foundation-model/amazon.titan-tg1-large",
            "us-west-2",
        ),
        ("invoke/us.amazon.nova-pro-v1:0", DialectId::Nova, "us.amazon.nova-pro-v1:0", "us-east-1"),
        ("invoke/cohere.command-r-v1:0", DialectId::Converse, "cohere.command-r-v1:0", "us-east-1"),
        (
            "deepseek_r1/arn:aws:bedrock:us-west-2:1:imported-model/abc",
            DialectId::Prompt(Wire::OwnDeepseek),
            "arn:aws:bedrock:us-west-2:1:imported-model/abc",
            "us-west-2",
        ),
        (
            "openai/arn:aws:bedrock:us-west-2:1:imported-model/abc",
            DialectId::OpenaiChat,
            "arn:aws:bedrock:us-west-2:1:imported-model/abc",
            "us-west-2",
        ),
        (arn, DialectId::Converse, arn, "eu-west-1"),
    ] {
        let target = target("bedrock", model, None, cloud("us-east-1", "", ""));
        assert_eq!(
            (target.spec.dialect, target.model.as_str(), target.region()),
            (dialect, name, region),
            "{model}"
        );
    }
}

#[test]
fn claude_behind_invoke_says_version_and_betas_in_the_body() {
    let target = || {
        target(
            "bedrock",
            "invoke/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            None,
            cloud("us-east-1", "", ""),
        )
    };
    let body = r#"{"model":"x","messages":[],"stream":true}"#;
    let request = sent(target(), "/v1/messages", body, "claude-code-20250219,context-1m-2025-08-07");
    let start = "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0";
    assert_eq!(request.uri.to_string(), format!("{start}/invoke-with-response-stream"));
    assert_eq!(
        request.body,
        r#"{"messages":[],"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["context-1m-2025-08-07"]}"#
    );
    assert_eq!(request.headers["anthropic-beta"], "context-1m-2025-08-07");
    assert_eq!(request.headers["authorization"], "Bearer k-1");
    let own = r#"{"anthropic_beta":["a"],"stream":false}"#;
    let request = sent(target(), "/v1/messages", own, "context-1m-2025-08-07");
    assert_eq!(request.uri.to_string(), format!("{start}/invoke"));
    assert!(
        request.body.ends_with(br#""anthropic_beta":["a","context-1m-2025-08-07"]}"#),
        "{:?}",
        request.body
    );
}

#[test]
fn a_look_may_be_of_names_that_look_otherwise() {
    use super::looks_like;
    for (name, look, is) in [
        ("abc", "a*c", true),
        ("abc", "!a*c", false),
        ("abc", "!x*", true),
        ("abc", "!abc", false),
        ("abd", "!abc", true),
    ] {
        assert_eq!(looks_like(name, look), is, "{name} {look}");
    }
}

const STREAM: &str = r#"{"model":"m","stream":true}"#;

/// The URL of a call for a model: provider, model, base URL, body.
fn called(slug: &str, model: &str, base: Option<&str>, body: &'static str) -> String {
    sent(target(slug, model, base, cloud("", "ten1", "")), "/", body, "").uri.to_string()
}

#[test]
fn urls_of_servers_that_complete_prompts() {
    let predibase = "https://serving.app.predibase.com/ten1/deployments/v2/llms/l";
    let (triton, whole) = (Some("http://t:8000"), Some("http://t:8000/v2/models/x/generate"));
    let url = |slug, model, base, body| called(slug, model, base, body);
    assert_eq!(url("anthropic_text", "claude-2.1", None, "{}"), "https://api.anthropic.com/v1/complete");
    assert_eq!(url("nlp_cloud", "d", None, STREAM), "https://api.nlpcloud.io/v1/gpu/d/generation");
    assert_eq!(url("predibase", "l", None, "{}"), format!("{predibase}/generate"));
    assert_eq!(url("predibase", "l", None, STREAM), format!("{predibase}/generate_stream"));
    assert_eq!(url("triton", "l", triton, STREAM), "http://t:8000/v2/models/l/generate_stream");
    assert_eq!(url("triton", "l", whole, "{}"), "http://t:8000/v2/models/x/generate");
}

#[test]
fn urls_of_endpoints_of_ones_own() {
    let own = "https://own.test/endpoints/mine/invocations";
    let aws = "https://runtime.sagemaker.us-west-2.amazonaws.com/endpoints/e/invocations";
    assert_eq!(called("sagemaker", "e", None, "{}"), aws);
    assert_eq!(called("sagemaker_chat", "e", None, STREAM), format!("{aws}-response-stream"));
    assert_eq!(called("sagemaker_nova", "e", Some(own), "{}"), own);
    assert_eq!(called("sagemaker", "e", Some(own), STREAM), format!("{own}-response-stream"));
}

#[test]
fn urls_of_predictions() {
    let base = "https://api.replicate.com/v1";
    assert_eq!(called("replicate", "meta/l", None, "{}"), format!("{base}/models/meta/l/predictions"));
    assert_eq!(called("replicate", "me/own:0a1b", None, "{}"), format!("{base}/predictions"));
    let deployed = format!("{base}/deployments/me/own/predictions");
    assert_eq!(called("replicate", "deployments/me/own", None, "{}"), deployed);
    let later = sent(target("replicate", "meta/l", None, cloud("", "", "")), "/predictions/p1", "", "");
    assert_eq!(later.uri.to_string(), format!("{base}/predictions/p1"));
    assert_eq!(later.headers["authorization"], "Token k-1");
}

#[test]
fn what_the_url_says_the_body_does_not() {
    let none = || cloud("", "ten1", "");
    let nova = sent(target("sagemaker_nova", "e", None, none()), "/chat/completions", STREAM, "");
    assert_eq!(nova.body, r#"{"stream":true}"#);
    let predibase = sent(target("predibase", "l", None, none()), "/", STREAM, "");
    assert_eq!(predibase.body, r#"{"model":"m"}"#);
    let anthropic = sent(target("anthropic_text", "claude-2.1", None, none()), "/", "{}", "");
    assert_eq!(anthropic.headers["anthropic-version"], "2023-06-01");
    assert_eq!(anthropic.headers["x-api-key"], "k-1");
}
