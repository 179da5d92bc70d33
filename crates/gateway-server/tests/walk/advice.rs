//! `routing_strategy: custom`: a program of the operator's says who should serve. LiteLLM surface §7.2.

use serde_json::{Value, json};

use crate::support::{MASTER, Reply, Setup, Upstream, gateway, openai};

fn said(answer: &Value) -> Reply {
    Reply::json(200, answer)
}

/// Three deployments of one group and one of another, which a program is asked about.
fn group(upstream: &Upstream, program: &Upstream, more: &Value) -> Setup {
    let mut hook = json!({ "url": format!("{}/route", program.url()), "timeout": 20 });
    for (name, value) in more.as_object().expect("a mapping") {
        hook[name] = value.clone();
    }
    let settings = json!({
        "routing_strategy": "custom",
        "routing_webhook": hook,
        "num_retries": 2,
        "fallbacks": [{ "any": ["other"] }],
    });
    ["a", "b", "c"]
        .into_iter()
        .fold(gateway(), |setup, id| {
            setup.model("any", &format!("openai/{id}"), upstream).info(json!({ "id": id }))
        })
        .model("other", "openai/d", upstream)
        .info(json!({ "id": "d" }))
        .with("router_settings", settings)
}

#[test]
fn the_first_it_names_serves() {
    let upstream = Upstream::always(openai::reply());
    let program = Upstream::always(said(&json!({ "deployments": ["gone", "b", "a"] })));
    let gateway = group(&upstream, &program, &json!({ "secret": "s3cret-of-the-hook" })).start();
    let key = gateway.key(&json!({ "key_alias": "mine" }));
    for _ in 0..5 {
        let answer = gateway.post(openai::PATH).key(&key).json(&openai::request("any")).send().expect(200);
        assert_eq!(answer.must("x-litellm-model-id"), "b");
    }
    let asked = program.seen();
    assert_eq!(asked.len(), 5);
    let (told, text) = (asked[0].json(), String::from_utf8_lossy(&asked[0].body).into_owned());
    assert_eq!(
        (&told["event"], &told["model_group"], &told["stream"]),
        (&json!("route"), &json!("any"), &json!(false))
    );
    let ids: Vec<&str> =
        told["deployments"].as_array().expect("a list").iter().filter_map(|one| one["id"].as_str()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    assert_eq!(told["caller"]["key_alias"], "mine");
    assert!(
        asked[0].header("x-gateway-signature").is_some() && asked[0].header("x-gateway-timestamp").is_some()
    );
    assert!(!text.contains(&key) && !text.contains(&upstream.url()), "{text}");
}

#[test]
fn nobody_else_serves_where_it_says_so() {
    let upstream = Upstream::always(openai::error(503, "no"));
    let program = Upstream::always(said(&json!({ "deployments": ["c"], "only": true })));
    let setup = group(&upstream, &program, &json!({}));
    let gateway = setup.set("router_settings", "fallbacks", json!([])).start();
    gateway.chat(&openai::request("any")).send().expect(503);
    let asked: Vec<String> = upstream
        .seen()
        .iter()
        .map(|seen| seen.json()["model"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert!(!asked.is_empty() && asked.iter().all(|model| model == "c"), "{asked:?}");
}

/// It is asked again for the fallback, and one that fails, says nothing or is too slow holds nobody up.
#[test]
fn a_program_that_fails_holds_nobody_up() {
    let upstream = Upstream::always(openai::reply());
    for (program, more, failures) in [
        (Upstream::always(openai::error(500, "broken")), json!({}), 1.0),
        (Upstream::always(said(&json!({ "deployment": "a" }))), json!({}), 1.0),
        (Upstream::always(Reply::silence()), json!({ "timeout": 0.05 }), 1.0),
        (Upstream::always(Reply::raw("HTTP/1.1 204 No Content\r\n\r\n")), json!({}), 0.0),
    ] {
        let gateway = group(&upstream, &program, &more).start();
        gateway.chat(&openai::request("any")).send().expect(200);
        assert_eq!(gateway.metric("gateway_routing_webhook_failures_total", ""), failures, "{more}");
    }
}

#[test]
fn fallbacks_are_asked_about_too() {
    let upstream = Upstream::in_turn([
        openai::error(500, "no"),
        openai::error(500, "no"),
        openai::error(500, "no"),
        openai::reply(),
    ]);
    let program = Upstream::always(said(&json!({ "deployments": ["a"] })));
    let gateway = group(&upstream, &program, &json!({})).start();
    let answer = gateway.chat(&openai::request("any")).send().expect(200);
    assert_eq!(answer.must("x-litellm-model-group"), "other");
    let groups: Vec<Value> = program.seen().iter().map(|seen| seen.json()["model_group"].clone()).collect();
    assert_eq!(groups, ["any", "other"]);
}

#[test]
fn what_is_no_chat_is_asked_about() {
    let vectors = json!({ "object": "list", "model": "b", "data": [], "usage": { "prompt_tokens": 1, "total_tokens": 1 } });
    let upstream = Upstream::always(Reply::json(200, &vectors));
    let program = Upstream::always(said(&json!({ "deployments": ["b"] })));
    let gateway = group(&upstream, &program, &json!({})).start();
    let body = json!({ "model": "any", "input": "hi" });
    let answer = gateway.post("/v1/embeddings").key(MASTER).json(&body).send().expect(200);
    assert_eq!(answer.must("x-litellm-model-id"), "b");
    assert_eq!(program.seen()[0].json()["call_type"], "aembedding");
}
