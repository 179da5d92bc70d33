//! The requests LiteLLM sends for OpenAI requests, recorded: ours say the same, or differ on purpose.

use serde_json::{Value, json};

use super::{from_openai, one_kind_of_number, shared, target};

/// Cases where the recorded request is wrong or loses something; ours is checked elsewhere.
const OURS_IS_BETTER: &[(&str, &str)] = &[
    ("builtin_web_search_tool", "another vendor's tool is refused by name, not sent as it is"),
    ("cache_control_tool", "a cache mark means nothing to this vendor and is left out"),
    ("file_pdf_base64", "a file that is no text is refused, not left out in silence"),
    ("file_pdf_url", "a file that is no text is refused, not left out in silence"),
    ("google_search_tool", "another vendor's tool is refused by name, not sent as it is"),
    ("functions_legacy", "functions are left out by policy, not sent as tools of another shape"),
    ("image_url", "the server takes no address of a picture; LiteLLM sends the address as if it were base64"),
    ("image_url_string", "the server takes no address of a picture"),
    ("input_audio", "sound is refused, not left out in silence"),
    ("kitchen_sink", "`frequency_penalty` is no `repeat_penalty`, whose neutral value is 1"),
    ("penalties", "`frequency_penalty` is no `repeat_penalty`, whose neutral value is 1"),
    ("reasoning_effort_max", "the most effort is no switching off"),
    ("reasoning_effort_tools", "a choice that cannot be said is refused, not left out in silence"),
    ("reasoning_effort_xhigh", "the most effort is no switching off"),
    ("stop_five", "all five stop texts are sent"),
    ("stop_string", "the server takes a list alone (`option \"stop\" must be of type array`)"),
    ("tool_call_empty_args", "no arguments are an empty object, not a crash"),
    ("tools_named", "a choice that cannot be said is refused, not left out in silence"),
    ("tools_none", "no tool may be called: none is offered"),
    ("tools_noparams", "the specification demands `parameters`"),
    ("tools_required", "a choice that cannot be said is refused, not left out in silence"),
    ("two_images_url", "the server takes no address of a picture"),
    ("user_name", "the wire has no names of speakers"),
    ("video_url", "films are refused, not left out in silence"),
];

/// `gpt-oss` takes `low`, `medium` and `high` alone.
const LEVELS: &[&str] = &["reasoning_effort_minimal", "reasoning_effort_none"];

fn rows(file: &str) -> Vec<Value> {
    let Some(folder) = shared("vectors") else { return Vec::new() };
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn cases() -> Value {
    let folder = shared("vectors").expect("checked by the caller");
    serde_json::from_slice(&std::fs::read(folder.join("_cases.json")).unwrap()).unwrap()
}

/// What the server cannot notice: empty lists and options, a schema whose member is a text.
fn normal(body: &Value) -> Value {
    let mut body = one_kind_of_number(body);
    let members = body.as_object_mut().unwrap();
    members.retain(|_, value| !(value.is_null() || *value == json!([]) || *value == json!({})));
    for message in members.get_mut("messages").and_then(Value::as_array_mut).into_iter().flatten() {
        message.as_object_mut().unwrap().retain(|_, value| *value != json!([]));
    }
    if let Some(prompt) = members.get_mut("prompt") {
        *prompt = prompt.as_str().unwrap().trim_end().into();
    }
    body
}

/// Whether LiteLLM writes tools into a prompt, where we use the chat that has them.
fn tells_tools(case: &Value) -> bool {
    let messages = case["messages"].as_array().unwrap();
    case.get("tools").is_some() || messages.iter().any(|message| message["role"] == "tool")
}

fn check(slug: &str, file: &str) {
    let rows = rows(file);
    let Some(head) = rows.first() else { return };
    let cases = cases();
    let model = head["model"].as_str().unwrap().rsplit('/').next().unwrap();
    let (mut same, mut better, mut different) = (0, 0, Vec::new());
    for row in rows.iter().filter(|row| row.get("case").is_some()) {
        let name = row["case"].as_str().unwrap();
        let case = &cases[name];
        let known = OURS_IS_BETTER.iter().any(|(case, _)| *case == name);
        let levels = model.starts_with("gpt-oss") && LEVELS.contains(&name);
        if known || levels || (slug == "ollama" && tells_tools(case)) {
            better += 1;
            continue;
        }
        let mut body = case.clone();
        body["model"] = json!(model);
        let ours = |drop: bool| {
            let mut target = target(slug, model);
            target.policy.drop = drop;
            from_openai(&body, &target).map(|(path, body)| (path, normal(&body)))
        };
        let recorded = |sent: &Value| {
            let (_, path) = sent["url"].as_str().unwrap().split_once("11434").unwrap();
            (path.to_owned(), normal(&sent["body"]))
        };
        let fault = match (row.get("sent"), row.get("dropped")) {
            (Some(sent), _) => match ours(false) {
                Ok(said) if said == recorded(sent) => None,
                other => Some(format!("{other:?}\n  want {:?}", recorded(sent))),
            },
            (None, dropped) => match (ours(false), dropped.map(|sent| (ours(true), recorded(sent)))) {
                (Ok(said), _) => Some(format!("not refused: {said:?}")),
                (Err(_), Some((Ok(said), want))) if said != want => {
                    Some(format!("{said:?}\n  want {want:?}"))
                }
                (Err(_), Some((Err(error), _))) => Some(format!("refused although it may drop: {error}")),
                _ => None,
            },
        };
        match fault {
            None => same += 1,
            Some(fault) => different.push(format!("{name}: {fault}")),
        }
    }
    eprintln!("{file}: {same} the same, {better} better on purpose");
    assert!(different.is_empty(), "{file}: {} differ\n{}", different.len(), different.join("\n"));
    assert!(same > 25, "{file} holds its cases");
}

#[test]
fn chats() {
    check("ollama_chat", "ollama_chat.jsonl");
}

#[test]
fn chats_of_a_model_with_levels_of_thought() {
    check("ollama_chat", "ollama_chat_gpt_oss.jsonl");
}

#[test]
fn prompts() {
    check("ollama", "ollama.jsonl");
}
