//! Secrets are planted everywhere a gateway has some; none may be seen in an answer, a log or a header.

use serde_json::json;

use crate::support::{Answer, Gate, MASTER, Reply, Upstream, anthropic, gateway, logged, openai};

const PROVIDER: &str = "sk-planted-provider-4f9a2c71";
const HEADER: &str = "planted-header-secret-81d2";
const PROMPT: &str = "planted-prompt-5c3e";

#[test]
fn secrets_stay_secret() {
    // A provider that repeats what it was sent, in every place an answer has.
    let echo = json!({ "error": {
        "message": format!("Incorrect API key provided: {PROVIDER}. Check {HEADER}"),
        "type": "invalid_request_error", "code": "invalid_api_key", "param": null,
    } });
    let upstream = Upstream::always(Reply::json(401, &echo));
    let params = json!({ "api_key": PROVIDER, "extra_headers": { "x-secret": HEADER } });
    let setup = gateway().model_at("any", "openai/gpt-4o-mini", &upstream.url(), &params);
    let gateway = setup.set("general_settings", "max_request_size_mb", 1).start();
    let key = gateway.key(&json!({ "metadata": { "note": "plain" } }));
    let wrong = "sk-planted-wrong-key-0d1e";

    let mut asked = openai::request("any");
    asked["messages"][0]["content"] = json!(PROMPT);
    let mut streamed = asked.clone();
    streamed["stream"] = json!(true);
    let mut answers: Vec<Answer> = vec![
        gateway.post(openai::PATH).key(&key).json(&asked).send().expect(401),
        gateway.post(openai::PATH).key(&key).json(&streamed).send().expect(401),
        gateway.post(openai::PATH).key(wrong).json(&asked).send().expect(401),
        gateway.post(openai::PATH).key(&key).body("{").send().expect(400),
        gateway.get("/model/info").key(MASTER).send().expect(200),
        gateway.get("/v1/models").key(&key).send().expect(200),
        gateway.get("/health").key(MASTER).send().expect(200),
        gateway.get("/metrics").key(MASTER).send().expect(200),
        gateway.get("/key/list?return_full_object=true").key(MASTER).send().expect(200),
        gateway.manage("/key/update", &json!({ "key": key, "key_alias": "renamed" })).expect(200),
        gateway.manage("/key/generate", &json!({ "key": "sk-planted short" })).expect(400),
    ];
    for reply in [Reply::raw(format!("nonsense {PROVIDER}\r\n\r\n")), Reply::slam()] {
        upstream.change(reply);
        answers.push(gateway.post(openai::PATH).key(&key).json(&asked).send());
        answers.push(gateway.post(openai::PATH).key(&key).json(&streamed).send());
    }
    let shown: Vec<String> = answers.iter().map(|one| format!("{:?} {}", one.headers, one.text())).collect();
    let log = gateway.whole_log();
    for secret in [PROVIDER, HEADER, MASTER, key.as_str(), wrong, "sk-planted short"] {
        for text in &shown {
            // `/key/update` is asked with the secret and may not repeat it; nothing else may know it.
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        assert!(!log.contains(secret), "{secret} in the access log");
        assert!(!logged().contains(secret), "{secret} in the log");
    }
    assert!(!log.contains(PROMPT) && !logged().contains(PROMPT), "what users say is not logged");
    assert!(log.lines().count() >= 8, "{log}");
}

#[test]
fn an_error_in_the_middle_of_a_stream_hides_them_too() {
    let openai_error =
        format!("data: {{\"error\":{{\"message\":\"bad key {PROVIDER}\",\"type\":\"auth\"}}}}\n\n");
    let anthropic_error = format!(
        "event: error\ndata: {{\"type\":\"error\",\"error\":{{\"type\":\"api_error\",\"message\":\"bad key {PROVIDER}\"}}}}\n\n"
    );
    for (model, begin, error) in [
        ("openai/gpt-4o-mini", openai::piece("half"), openai_error),
        ("anthropic/claude-sonnet-4-5", anthropic::start() + &anthropic::piece("half"), anthropic_error),
    ] {
        let gates = [Gate::default(), Gate::default()];
        let reply = |gate| Reply::stream().then(begin.as_str()).hold(gate).then(error.as_str());
        let upstream = Upstream::in_turn(gates.iter().map(reply));
        let params = json!({ "api_key": PROVIDER });
        let gateway = gateway().model_at("any", model, &upstream.url(), &params).start();
        for (path, gate) in [openai::PATH, anthropic::PATH].into_iter().zip(&gates) {
            let call = gateway.post(path).key(MASTER).json(&anthropic::streamed("any"));
            let mut flow = call.open();
            flow.until("half");
            gate.open();
            let text = flow.rest().text();
            assert!(text.contains("bad key ***") && !text.contains(PROVIDER), "{path} to {model}: {text}");
        }
    }
}
