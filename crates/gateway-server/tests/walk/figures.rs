//! What `/metrics` tells of deployments, under LiteLLM's names. LiteLLM surface §7.5 (alerts), §11.4.

use serde_json::json;

use crate::support::{Running, Upstream, gateway, openai};

/// A sample whose labels hold all of these texts.
fn one(gateway: &Running, name: &str, labels: &[&str]) -> f64 {
    let text = gateway.get("/metrics").key(crate::support::MASTER).send().expect(200).text();
    text.lines()
        .filter_map(|line| line.rsplit_once(' '))
        .filter(|(series, _)| series.split('{').next() == Some(name))
        .filter(|(series, _)| labels.iter().all(|label| series.contains(label)))
        .map(|(_, value)| value.parse::<f64>().expect("a number"))
        .sum()
}

#[test]
fn attempts_rests_and_fallbacks_are_counted() {
    let (bad, good) = (Upstream::always(openai::error(401, "no")), Upstream::always(openai::reply()));
    let gateway = gateway()
        .model_at("any", "openai/gpt-4o", &bad.url(), &json!({ "rpm": 7, "tpm": 70 }))
        .info(json!({ "id": "bad" }))
        .model("other", "openai/gpt-4o-mini", &good)
        .info(json!({ "id": "good" }))
        .model("third", "openai/gpt-4o-mini", &bad)
        .info(json!({ "id": "third" }))
        .with(
            "router_settings",
            json!({ "num_retries": 0, "cooldown_time": 600, "disable_cooldowns": false,
                    "fallbacks": [{ "any": ["third", "other"] }] }),
        )
        .start();
    let answer = gateway.chat(&openai::request("any")).send().expect(200);
    assert_eq!(answer.must("x-litellm-model-id"), "good");
    let why = ["exception_status=\"401\"", "exception_class=\"Openai.AuthenticationError\""];
    let bad_one = ["model_id=\"bad\"", "litellm_model_name=\"openai/gpt-4o\"", "api_provider=\"openai\""];
    let count = |name: &str, labels: &[&str]| one(&gateway, name, labels);
    assert_eq!(
        count("litellm_deployment_failure_responses_total", &[bad_one[0], bad_one[1], why[0], why[1]]),
        1.0
    );
    assert_eq!(count("litellm_deployment_total_requests_total", &bad_one), 1.0);
    assert_eq!(count("litellm_deployment_success_responses_total", &["model_id=\"good\""]), 1.0);
    assert_eq!(count("litellm_deployment_total_requests_total", &["model_id=\"good\""]), 1.0);
    assert_eq!(
        count("litellm_deployment_cooled_down_total", &[bad_one[0], bad_one[2], why[0], "cause=\"itself\""]),
        1.0
    );
    assert_eq!(count("litellm_deployment_state", &["model_id=\"bad\""]), 2.0);
    assert_eq!(count("litellm_deployment_state", &["model_id=\"good\""]), 0.0);
    assert_eq!(count("litellm_deployment_rpm_limit", &["model_id=\"bad\"", "model_group=\"any\""]), 7.0);
    assert_eq!(count("litellm_deployment_tpm_limit", &["model_id=\"bad\""]), 70.0);
    let fell = |name: &str, tried: &str| count(name, &["requested_model=\"any\"", tried]);
    assert_eq!(fell("litellm_deployment_successful_fallbacks_total", "fallback_model=\"other\""), 1.0);
    assert_eq!(fell("litellm_deployment_failed_fallbacks_total", "fallback_model=\"third\""), 1.0);
    assert_eq!(fell("litellm_deployment_failed_fallbacks_total", "fallback_model=\"other\""), 0.0);
}
