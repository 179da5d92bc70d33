//! Limits of deployments, times of service tiers, access windows and settings of one call, as callers see them.

use jiff::{Timestamp, ToSpan as _};
use serde_json::json;

use crate::support::{MASTER, Reply, Setup, Upstream, gateway, openai};

fn enforced() -> Setup {
    gateway().set("router_settings", "optional_pre_call_checks", json!(["enforce_model_rate_limits"]))
}

/// Surface §7.7 [O]: the 429 of a deployment's own limit, and its header.
#[test]
fn requests_of_a_deployment_are_limited() {
    let upstream = Upstream::always(openai::reply());
    let gateway = enforced().model_at("any", "openai/gpt-4o", &upstream.url(), &json!({ "rpm": 1 })).start();
    let call = gateway.chat(&openai::request("any"));
    // Two of three calls lie in one minute, wherever it ends.
    let answers: Vec<_> = (0..3).map(|_| call.send()).collect();
    let refused = answers.iter().find(|answer| answer.status == 429).expect("one is too many");
    let message = refused.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains("Model rate limit exceeded. RPM limit=1, current usage=2"), "{message}");
    assert_eq!((refused.must("llm_provider-retry-after"), refused.must("retry-after")), ("60", "60"));
    assert_eq!(refused.header("rate_limit_type"), None);
    assert!(upstream.seen().len() < 3);
}

/// Input and output tokens each have a limit; what is set aside is replaced by what was used.
#[test]
fn input_and_output_tokens_of_a_deployment_are_limited() {
    for (limit, kind) in [(json!({ "itpm": 25 }), "ITPM limit=25"), (json!({ "otpm": 50 }), "OTPM limit=50")]
    {
        // Each answer states 10 and 20 tokens.
        let upstream = Upstream::always(openai::reply());
        let gateway = enforced().model_at("any", "openai/gpt-4o", &upstream.url(), &limit).start();
        let mut asked = openai::request("any");
        asked["max_tokens"] = json!(20);
        let call = gateway.chat(&asked);
        let answers: Vec<_> = (0..6).map(|_| call.send()).collect();
        let refused = answers.iter().find(|answer| answer.status == 429).expect("two or three a minute");
        assert!(refused.text().contains(kind), "{}", refused.text());
        assert_eq!(answers[0].status, 200, "{}", answers[0].text());
        assert_eq!(answers[1].status, 200, "{}", answers[1].text());
    }
}

/// Another group takes what a limit refuses.
#[test]
fn a_limit_leads_to_the_fallback() {
    let (small, large) = (Upstream::always(openai::reply()), Upstream::always(openai::reply()));
    let setup = enforced().model_at("small", "openai/gpt-4o", &small.url(), &json!({ "rpm": 1 }));
    let setup = setup.model("large", "openai/gpt-4o-mini", &large);
    let gateway = setup.set("router_settings", "fallbacks", json!([{ "small": ["large"] }])).start();
    for _ in 0..3 {
        gateway.chat(&openai::request("small")).send().expect(200);
    }
    assert!(!large.seen().is_empty());
}

/// Surface §7.6: the request's service tier has a time of its own.
#[test]
fn a_service_tier_has_its_time() {
    let upstream = Upstream::always(Reply::silence());
    let params = json!({ "timeout": 0.2, "timeout_by_service_tier": { "flex": 900, "priority": 0.1 } });
    let gateway = gateway().model_at("any", "openai/gpt-4o", &upstream.url(), &params).start();
    let mut asked = openai::request("any");
    gateway.chat(&asked).send().expect(408);
    asked["service_tier"] = json!("priority");
    let answer = gateway.chat(&asked).send().expect(408);
    assert!(answer.text().contains("0.1"), "{}", answer.text());
    asked["service_tier"] = json!("flex");
    let waiting = gateway.chat(&asked).begin();
    upstream.wait_for_requests(3);
    waiting.set_read_timeout(Some(std::time::Duration::from_millis(600))).unwrap();
    let read = std::io::Read::read(&mut &waiting, &mut [0; 1]);
    assert!(read.is_err(), "it still waits after the deployment's own time: {read:?}");
}

/// `access_windows`: kept for a team at this time of the day, open to all at others.
#[test]
fn a_window_keeps_a_deployment_for_a_team() {
    let upstream = Upstream::always(openai::reply());
    let at = |hours: i64| Timestamp::now().checked_add(hours.hours()).unwrap().strftime("%H:%M").to_string();
    let window =
        |from, to| json!([{ "start": at(from), "end": at(to), "timezone": "UTC", "team_ids": ["night"] }]);
    let setup = gateway()
        .model("now", "openai/gpt-4o", &upstream)
        .info(json!({ "access_windows": window(-2, 2) }))
        .model("later", "openai/gpt-4o-mini", &upstream)
        .info(json!({ "access_windows": window(4, 6) }));
    let gateway = setup.start();
    gateway.manage("/team/new", &json!({ "team_id": "night" })).expect(200);
    let (ours, other) = (gateway.key(&json!({ "team_id": "night" })), gateway.key(&json!({})));
    let ask =
        |key: &str, model: &str| gateway.post(openai::PATH).key(key).json(&openai::request(model)).send();
    ask(&ours, "now").expect(200);
    ask(&ours, "later").expect(200);
    ask(&other, "later").expect(200);
    let refused = ask(&other, "now").expect(429);
    assert!(refused.text().contains("reserved for other teams"), "{}", refused.text());
    assert_eq!(upstream.seen().len(), 3);
}

/// Surface §7.7, tag routing as callers ask for it: in the body and in a header, `&` must, `!` must not, a pattern for
/// programs, the `default` pool for the rest, and 401 where nobody fits.
#[test]
fn tags_choose_deployments() {
    let upstream = Upstream::always(openai::reply());
    let member = |setup: Setup, id: &str, params: serde_json::Value| {
        setup.model_at("any", "openai/gpt-4o", &upstream.url(), &params).info(json!({ "id": id }))
    };
    let setup = gateway().set("router_settings", "enable_tag_filtering", true);
    let setup = member(setup, "gold-eu", json!({ "tags": ["gold", "eu"] }));
    let setup = member(setup, "gold-us", json!({ "tags": ["gold", "us"] }));
    let setup = member(setup, "cli", json!({ "tag_regex": ["^User-Agent: claude-code/"] }));
    let setup = member(setup, "rest", json!({ "tags": ["default"] }));
    let setup = setup.model_at("bare", "openai/gpt-4o", &upstream.url(), &json!({ "tags": ["gold"] }));
    let gateway = setup.start();
    let ask = |model: &str, tags: &str, agent: &str| {
        let call = gateway.post(openai::PATH).key(MASTER).json(&openai::request(model));
        let call = if tags.is_empty() { call } else { call.header("x-litellm-tags", tags) };
        call.header("user-agent", agent).send()
    };
    for (tags, agent, ids) in [
        ("gold,&eu", "curl", &["gold-eu"][..]),
        ("gold,!eu", "curl", &["gold-us"]),
        ("&us", "curl", &["gold-us"]),
        ("gold", "curl", &["gold-eu", "gold-us"]),
        ("gold", "claude-code/2.0", &["gold-eu", "gold-us"]),
        ("", "claude-code/2.0", &["cli"]),
        ("", "curl", &["rest"]),
        ("silver", "curl", &["rest"]),
    ] {
        for _ in 0..4 {
            let answer = ask("any", tags, agent).expect(200);
            assert!(ids.contains(&answer.must("x-litellm-model-id")), "{tags} {agent}");
        }
    }
    let mut said = openai::request("any");
    said["metadata"] = json!({ "tags": ["gold", "!us"] });
    assert_eq!(gateway.chat(&said).send().expect(200).must("x-litellm-model-id"), "gold-eu");
    let refused = ask("bare", "silver", "curl").expect(401);
    assert!(refused.text().contains("tag"), "{}", refused.text());
    ask("bare", "", "curl").expect(200);
}

/// Surface §7.1 step 2: who does not search the web is not asked to.
#[test]
fn web_searches_go_where_they_are_made() {
    let (plain, searches) = (Upstream::always(openai::reply()), Upstream::always(openai::reply()));
    let setup = gateway()
        .model_at("any", "openai/gpt-4o", &plain.url(), &json!({ "weight": 1 }))
        .info(json!({ "supports_web_search": false }))
        .model_at("any", "openai/gpt-4o-mini", &searches.url(), &json!({ "weight": 0 }));
    let gateway = setup.start();
    let mut asked = openai::request("any");
    gateway.chat(&asked).send().expect(200);
    asked["tools"] = json!([{ "type": "web_search_preview" }]);
    gateway.chat(&asked).send();
    assert_eq!((plain.seen().len(), searches.seen().len()), (1, 1));
}

/// `router_settings_override`: retries, fallbacks and times of one call, checked as the caller's own.
#[test]
fn a_call_may_bring_settings() {
    let broken = Upstream::always(openai::error(500, "broken"));
    let works = Upstream::always(openai::reply());
    let setup =
        gateway().model("first", "openai/gpt-4o", &broken).model("second", "openai/gpt-4o-mini", &works);
    let gateway = setup.start();
    let mut asked = openai::request("first");
    asked["router_settings_override"] = json!({ "num_retries": 1, "fallbacks": [{ "first": ["second"] }] });
    let answer = gateway.chat(&asked).send().expect(200);
    assert_eq!(answer.must("x-litellm-model-group"), "second");
    assert_eq!(broken.seen().len(), 2);
    assert_eq!(works.only().json().get("router_settings_override"), None, "it is not sent on");
    let key = gateway.key(&json!({ "models": ["first"] }));
    let refused = gateway.post(openai::PATH).key(&key).json(&asked).send().expect(403);
    assert!(refused.text().contains("'second'"), "{}", refused.text());
    for (wrong, words) in
        [(json!({ "num_retries": "many" }), "num_retries"), (json!("text"), "expected a mapping")]
    {
        asked["router_settings_override"] = wrong;
        let refused = gateway.chat(&asked).send().expect(400);
        assert!(refused.text().contains(words), "{}", refused.text());
    }
}

/// What the operator says of a key is not for its holder to change, and no call changes how deployments rest.
#[test]
fn a_call_may_not_bring_more_than_its_own_way() {
    let broken = Upstream::always(openai::error(500, "broken"));
    let gateway = gateway().model("any", "openai/gpt-4o", &broken).start();
    let mut asked = openai::request("any");
    asked["router_settings_override"] =
        json!({ "num_retries": 2, "cooldown_time": 3600, "allowed_fails": 0 });
    let bound = gateway.key(&json!({ "router_settings": { "num_retries": 1 } }));
    gateway.post(openai::PATH).key(&bound).json(&asked).send().expect(500);
    assert_eq!(broken.seen().len(), 2, "one retry, as the key's settings say");
    gateway.chat(&asked).send().expect(500);
    assert_eq!(broken.seen().len(), 5, "two retries, and nothing rests");
}
