//! What headers say: of the call, of the deployment, of the provider, of a key's limits.

use serde_json::json;

use crate::support::{MASTER, Upstream, gateway, openai};

#[test]
fn an_answer_says_who_answered_and_what_it_cost() {
    let upstream = Upstream::always(
        openai::reply()
            .header("x-request-id", "req_42")
            .header("openai-version", "2020-10-01")
            .header("x-ratelimit-remaining-tokens", "149984")
            .header("x-ratelimit-api_key-remaining-requests", "999999"),
    );
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let key = gateway.key(&json!({ "rpm_limit": 5, "tpm_limit": 100_000, "max_budget": 50.5 }));
    let answer = gateway.post(openai::PATH).key(&key).json(&openai::request("fast")).send().expect(200);
    assert_eq!(answer.must("x-litellm-model-group"), "fast");
    assert_eq!(answer.must("x-litellm-model-name"), "openai/gpt-4o-mini");
    assert_eq!(answer.must("x-litellm-model-api-base"), upstream.url());
    assert!(!answer.must("x-litellm-model-id").is_empty());
    assert!(!answer.must("x-litellm-version").is_empty());
    assert_eq!(answer.must("x-litellm-call-id").len(), 36);
    assert_eq!(answer.must("x-litellm-response-cost"), "0.05");
    assert_eq!(answer.must("x-litellm-key-spend"), "0.05");
    assert_eq!(answer.must("x-litellm-attempted-retries"), "0");
    assert_eq!(answer.must("x-litellm-attempted-fallbacks"), "0");
    assert_eq!(answer.must("llm_provider-x-request-id"), "req_42");
    assert_eq!(answer.must("llm_provider-openai-version"), "2020-10-01");
    assert_eq!(answer.must("x-ratelimit-remaining-tokens"), "149984");
    // The key's limits are ours to tell, whatever a provider that is a gateway itself says.
    assert_eq!(answer.must("x-ratelimit-api_key-remaining-requests"), "4");
    assert_eq!(answer.must("x-ratelimit-api_key-limit-requests"), "5");
    assert_eq!(answer.must("x-ratelimit-api_key-limit-tokens"), "100000");
    assert_eq!(answer.must("x-litellm-key-rpm-limit"), "5");
    assert_eq!(answer.must("x-litellm-key-tpm-limit"), "100000");
    assert_eq!(answer.must("x-litellm-key-max-budget"), "50.5");
    let total: f64 = answer.must("x-litellm-response-duration-ms").parse().expect("milliseconds");
    let overhead: f64 = answer.must("x-litellm-overhead-duration-ms").parse().expect("milliseconds");
    assert!(overhead <= total, "{overhead} {total}");
}

#[test]
fn a_stream_says_the_same_before_its_first_byte() {
    let upstream = Upstream::always(openai::stream());
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let answer = gateway.chat(&openai::streamed("fast")).send().expect(200);
    assert!(answer.must("content-type").starts_with("text/event-stream"));
    assert_eq!(answer.must("cache-control"), "no-cache");
    assert_eq!(answer.must("x-litellm-model-group"), "fast");
    assert_eq!(answer.must("x-litellm-call-id").len(), 36);
    assert_eq!(answer.header("content-length"), None);
}

#[test]
fn a_caller_may_name_its_call() {
    let upstream = Upstream::always(openai::reply());
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let call = gateway.chat(&openai::request("fast")).header("x-litellm-call-id", "mine-7");
    assert_eq!(call.send().expect(200).must("x-litellm-call-id"), "mine-7");
    let refused = gateway.chat(&openai::request("nope")).header("x-litellm-call-id", "mine-8").send();
    assert_eq!(refused.must("x-litellm-call-id"), "mine-8");
    let booked = gateway.booked();
    assert!(booked.iter().any(|row| row.call_id.as_deref() == Some("mine-7")), "{booked:#?}");
}

#[test]
fn headers_of_callers_stay_here_unless_the_operator_lets_them_through() {
    let upstream = Upstream::always(openai::reply());
    let setup = gateway().model("fast", "openai/gpt-4o-mini", &upstream);
    let setup = setup.set("general_settings", "litellm_key_header_name", "x-team-key");
    let send = |gateway: &crate::support::Running| {
        let call = gateway.post(openai::PATH).json(&openai::request("fast")).header("x-team-key", MASTER);
        let call = call.header("x-trace", "t-1").header("x-stainless-lang", "js").header("cookie", "c=1");
        call.header("x-litellm-tags", "a").send().expect(200);
        upstream.seen().pop().expect("a request")
    };
    let closed = send(&setup.start());
    for name in ["x-trace", "x-stainless-lang", "cookie", "x-team-key", "x-litellm-tags"] {
        assert_eq!(closed.header(name), None, "{name}");
    }
    let open = send(&setup.set("general_settings", "forward_client_headers_to_llm_api", true).start());
    assert_eq!(open.header("x-trace"), Some("t-1"));
    for name in ["x-stainless-lang", "cookie", "x-team-key", "x-litellm-tags"] {
        assert_eq!(open.header(name), None, "{name}");
    }
    assert_eq!(open.header("authorization"), Some("Bearer sk-provider-secret-7a8b9c"));
}
