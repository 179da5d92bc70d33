//! Who goes on with a conversation.

use http::HeaderMap;
use serde_json::{Value, json};

fn told(body: &Value) -> (String, bool) {
    let mut headers = HeaderMap::new();
    super::tell(body.to_string().as_bytes(), &mut headers);
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(text("x-request-id").unwrap().len(), 36);
    (text("x-initiator").unwrap(), text("copilot-vision-request").is_some())
}

#[test]
fn a_turn_of_the_model_or_a_tool_makes_it_an_agents() {
    let user = json!({"role": "user", "content": "hi"});
    let seen = json!({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u"}}]});
    let result = json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1"}]});
    let cases = [
        (json!({"messages": [user]}), ("user", false)),
        (json!({"messages": [user, {"role": "assistant", "content": "x"}, user]}), ("agent", false)),
        (json!({"messages": [user, {"role": "tool", "content": "x"}]}), ("agent", false)),
        (json!({"messages": [seen]}), ("user", true)),
        (json!({"messages": [result]}), ("agent", false)),
        (json!({"input": "hi"}), ("user", false)),
        (json!({"input": [user, {"type": "function_call_output", "output": "x"}]}), ("agent", false)),
    ];
    for (body, (initiator, vision)) in cases {
        assert_eq!(told(&body), (initiator.to_owned(), vision), "{body}");
    }
}
