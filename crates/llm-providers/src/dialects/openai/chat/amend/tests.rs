//! Each amendment once, and that both lanes make them.

use bytes::Bytes;
use llm_types::ErrorKind;
use serde_json::{Value, json};

use super::super::request::tests::target;
use super::amend;
use crate::left_out::collect;
use crate::{Amendment, Quirks};

fn made(amendment: Amendment, body: &Value) -> Value {
    let target = target(Quirks { amend: vec![amendment].into(), ..Quirks::NONE });
    let body = Bytes::from(serde_json::to_vec(body).unwrap());
    serde_json::from_slice(&amend(body, &target).unwrap()).unwrap()
}

fn function(name: &str, rest: &Value) -> Value {
    let mut function = json!({ "name": name });
    function.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    json!({"type": "function", "function": function})
}

#[test]
fn members_are_renamed_in_place() {
    let rename = || Amendment::Rename("max_tokens".into(), "max_completion_tokens".into());
    let body = made(rename(), &json!({"max_tokens": 3, "seed": 1}));
    assert_eq!(body.to_string(), r#"{"max_completion_tokens":3,"seed":1}"#);
    assert_eq!(made(rename(), &json!({"seed": 1})), json!({"seed": 1}));
    let both = json!({"max_tokens": 1, "max_completion_tokens": 2});
    assert_eq!(made(rename(), &both), json!({"max_completion_tokens": 2}), "the newer counts");
    let text = || Amendment::RenameText("tool_choice".into(), "tool_choice_option".into());
    assert_eq!(made(text(), &json!({"tool_choice": "auto"})), json!({"tool_choice_option": "auto"}));
    let named = json!({"tool_choice": {"type": "function"}});
    assert_eq!(made(text(), &named), named);
}

#[test]
fn text_is_no_format_to_ask_for() {
    let body = json!({"response_format": {"type": "text"}});
    assert_eq!(made(Amendment::NoTextFormat, &body), json!({}));
    let body = json!({"response_format": {"type": "json_object"}});
    assert_eq!(made(Amendment::NoTextFormat, &body), body);
}

#[test]
fn only_schemas_are_forms_where_models_know_no_others() {
    let schema =
        json!({"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}});
    let (kept, told) = collect(|| made(Amendment::SchemasOnly, &schema));
    assert_eq!((kept, told.len()), (schema, 0));
    for (kind, told) in [("text", None), ("json_object", Some("response_format"))] {
        let body = json!({"response_format": {"type": kind}});
        let (sent, left_out) = collect(|| made(Amendment::SchemasOnly, &body));
        assert_eq!(sent, json!({}), "{kind}");
        assert_eq!(left_out.first().map(|name| &**name), told, "{kind}");
    }
}

#[test]
fn calls_that_cannot_be_forced_are_refused_or_dropped() {
    let named = json!({"type": "function", "function": {"name": "f"}});
    for choice in [json!("required"), named] {
        let body = Bytes::from(json!({"tool_choice": choice}).to_string());
        let mut target = target(Quirks { amend: vec![Amendment::NoForcedCalls].into(), ..Quirks::NONE });
        let error = amend(body.clone(), &target).unwrap_err();
        assert_eq!((error.kind(), error.param()), (ErrorKind::Unsupported, Some("tool_choice")), "{choice}");
        target.policy.drop = true;
        assert_eq!(amend(body, &target).unwrap(), "{}", "{choice}");
    }
    for choice in ["auto", "none"] {
        let body = json!({"tool_choice": choice});
        assert_eq!(made(Amendment::NoForcedCalls, &body), body);
    }
}

#[test]
fn models_that_decide_how_much_to_think_are_not_told_to() {
    let adaptive = json!({"thinking": {"type": "adaptive"}});
    let (sent, told) = collect(|| made(Amendment::AdaptiveUnsaid, &adaptive));
    assert_eq!((sent, told), (json!({}), vec!["thinking".into()]));
    let on = json!({"thinking": {"type": "enabled", "budget_tokens": 2048}});
    assert_eq!(made(Amendment::AdaptiveUnsaid, &on), on);
}

#[test]
fn messages_lose_members_and_change_roles() {
    let body = json!({"messages": [
        {"role": "user", "name": "bob", "content": "a"},
        {"role": "tool", "name": "t", "content": "b"},
        {"role": "system", "content": "c"},
    ]});
    let without = made(Amendment::MessagesWithout(vec!["name".into()].into()), &body);
    assert_eq!(without["messages"][0], json!({"role": "user", "content": "a"}));
    assert_eq!(without["messages"][1]["name"], "t", "a tool's result keeps its name");
    let named = json!({"messages": [
        {"role": "system", "content": "a", "name": "s"},
        {"role": "user", "content": "b", "name": "u"},
    ]});
    let named = made(Amendment::NamesOfUsers, &named);
    assert_eq!(
        named["messages"],
        json!([{"role": "system", "content": "a"}, {"role": "user", "content": "b", "name": "u"}])
    );
    let said = made(Amendment::Role("system".into(), "assistant".into()), &body);
    assert_eq!(said["messages"][2]["role"], "assistant");
    assert_eq!(said["messages"][0]["role"], "user");
}

#[test]
fn a_mark_stands_at_the_text_of_its_message() {
    let mark = json!({"type": "ephemeral"});
    let body = json!({"messages": [{"role": "user", "content": "a", "cache_control": mark}, {"role": "user", "content": "b"}]});
    let made = made(Amendment::MarksInParts, &body);
    let part = json!({"type": "text", "text": "a", "cache_control": mark});
    assert_eq!(
        made["messages"],
        json!([{"role": "user", "content": [part]}, {"role": "user", "content": "b"}])
    );
}

#[test]
fn functions_describe_themselves() {
    let body = json!({"tools": [function("f", &json!({})), function("g", &json!({"description": "d"}))]});
    let made = made(Amendment::DescriptionAlways, &body);
    assert_eq!(made["tools"][0]["function"]["description"], "");
    assert_eq!(made["tools"][1]["function"]["description"], "d");
}

#[test]
fn neighbouring_system_messages_are_one() {
    let system = |text: &str| json!({"role": "system", "content": text});
    let user = json!({"role": "user", "content": "u"});
    let body = json!({"messages": [system("a"), system("b"), user, system("c")]});
    let merged = made(Amendment::MergeSystems, &body);
    assert_eq!(merged, json!({"messages": [system("a\n\nb"), user, system("c")]}));
}

#[test]
fn each_call_stands_before_its_result() {
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let result = |id: &str| json!({"role": "tool", "tool_call_id": id, "content": id});
    let user = json!({"role": "user", "content": "u"});
    let calls = json!({"role": "assistant", "content": "x", "tool_calls": [call("1"), call("2")]});
    let body = json!({"messages": [calls, result("2"), result("1"), user]});
    let split = made(Amendment::OneCallEach, &body);
    let expected = json!({"messages": [
        {"role": "assistant", "content": "x", "tool_calls": [call("1")]},
        result("1"),
        {"role": "assistant", "tool_calls": [call("2")]},
        result("2"),
        user,
    ]});
    assert_eq!(split, expected);
    assert_eq!(made(Amendment::OneCallEach, &expected), expected, "single calls stay");
}

#[test]
fn texts_are_joined_and_pictures_are_never_lost() {
    let text = |text: &str| json!({"type": "text", "text": text});
    let of = |content: Value| json!({"messages": [{"role": "user", "content": content}]});
    assert_eq!(made(Amendment::JoinTexts, &of(json!([text("a"), text("b")]))), of("ab".into()));
    let picture = of(json!([text("a"), {"type": "image_url", "image_url": {"url": "https://x/y.png"}}]));
    assert_eq!(made(Amendment::JoinTexts, &picture), picture);
}

#[test]
fn parts_the_vendor_has_not_are_refused_by_name() {
    let target =
        target(Quirks { amend: vec![Amendment::NoParts(vec!["file".into()].into())].into(), ..Quirks::NONE });
    let body = json!({"messages": [{"role": "user", "content": [{"type": "file", "file": {}}]}]});
    let error = amend(Bytes::from(body.to_string()), &target).unwrap_err();
    assert_eq!(error.message(), "`vendor` takes no parts of type `file` in messages");
}

#[test]
fn a_required_tool_is_said_in_the_vendors_words() {
    let body = json!({"messages": [], "tool_choice": "required"});
    assert_eq!(made(Amendment::Required("any".into()), &body)["tool_choice"], "any");
    let asked = made(Amendment::RequiredByAsking("Use a tool.".into()), &body);
    assert_eq!(asked, json!({"messages": [{"role": "user", "content": "Use a tool."}]}));
    let auto = json!({"messages": [], "tool_choice": "auto"});
    assert_eq!(made(Amendment::Required("any".into()), &auto), auto);
    assert_eq!(made(Amendment::RequiredByAsking("x".into()), &auto), auto);
}

#[test]
fn functions_are_written_as_the_vendor_reads_them() {
    let inner = json!({"type": "object", "additionalProperties": false});
    let schema = json!({
        "type": "object",
        "properties": {"additionalProperties": inner},
        "additionalProperties": false,
    });
    let strict = json!({"tools": [function("f", &json!({"strict": true, "parameters": schema}))]});
    assert_eq!(made(Amendment::NoStrict, &strict)["tools"][0]["function"].get("strict"), None);
    let open = made(Amendment::OpenSchemas, &strict);
    assert_eq!(
        open["tools"][0]["function"]["parameters"],
        json!({"type": "object", "properties": {"additionalProperties": {"type": "object"}}}),
        "a property of that name stays"
    );
    let bare = json!({"tools": [function("f", &json!({}))]});
    let given = made(Amendment::ParametersAlways, &bare);
    assert_eq!(given["tools"][0]["function"]["parameters"], json!({"type": "object", "properties": {}}));
    let mixed = json!({"tools": [function("f", &json!({})), {"type": "web_search"}], "tool_choice": "auto"});
    assert_eq!(made(Amendment::FunctionsOnly, &mixed)["tools"].as_array().unwrap().len(), 1);
    let none = json!({"tools": [{"type": "web_search"}], "tool_choice": "auto"});
    assert_eq!(made(Amendment::FunctionsOnly, &none), json!({}));
}

#[test]
fn heat_has_a_ceiling() {
    let most = || Amendment::TemperatureAtMost(1.0);
    assert_eq!(made(most(), &json!({"temperature": 1.5})), json!({"temperature": 1.0}));
    assert_eq!(made(most(), &json!({"temperature": 0.5})), json!({"temperature": 0.5}));
    assert_eq!(made(most(), &json!({})), json!({}));
}

#[test]
fn thinking_is_said_in_the_vendors_words() {
    use Amendment::{EffortAsBudget, EffortAsThinking, EffortHighOrNone, ThinkingAsEffort, ThinkingSwitch};
    let on = json!({"thinking": {"type": "enabled", "budget_tokens": 6000}});
    let cases = [
        (EffortAsThinking, json!({"reasoning_effort": "low"}), json!({"thinking": {"type": "enabled"}})),
        (EffortAsThinking, json!({"reasoning_effort": "none"}), json!({"thinking": {"type": "disabled"}})),
        (EffortAsThinking, on.clone(), on.clone()),
        (ThinkingSwitch, on.clone(), json!({"thinking": {"type": "enabled"}})),
        (ThinkingSwitch, json!({"thinking": {"type": "adaptive"}}), json!({})),
        (ThinkingAsEffort, on, json!({"reasoning_effort": "high"})),
        (
            ThinkingAsEffort,
            json!({"thinking": {"type": "enabled", "budget_tokens": 2048}}),
            json!({"reasoning_effort": "medium"}),
        ),
        (ThinkingAsEffort, json!({"thinking": {"type": "disabled"}}), json!({})),
        (EffortHighOrNone, json!({"reasoning_effort": "low"}), json!({"reasoning_effort": "high"})),
        (EffortHighOrNone, json!({"reasoning_effort": "none"}), json!({"reasoning_effort": "none"})),
        (
            EffortAsBudget,
            json!({"reasoning_effort": "medium", "max_tokens": 100}),
            json!({"thinking": {"type": "enabled", "budget_tokens": 2048}, "max_tokens": 6144}),
        ),
        (EffortAsBudget, json!({"reasoning_effort": "none"}), json!({})),
        (
            EffortAsBudget,
            json!({"reasoning_effort": "xhigh"}),
            json!({"thinking": {"type": "enabled", "budget_tokens": 8192}, "max_tokens": 12288}),
        ),
        (
            ThinkingAsEffort,
            json!({"thinking": {"type": "enabled", "budget_tokens": 1023}}),
            json!({"reasoning_effort": "minimal"}),
        ),
        (
            ThinkingAsEffort,
            json!({"thinking": {"type": "enabled", "budget_tokens": 1024}}),
            json!({"reasoning_effort": "low"}),
        ),
    ];
    for (amendment, body, expected) in cases {
        assert_eq!(made(amendment.clone(), &body), expected, "{amendment:?}");
    }
}

#[test]
fn answers_say_reasoning_where_the_vendor_insists() {
    let answer = json!({"role": "assistant", "content": "a"});
    let calls = json!({"role": "assistant", "tool_calls": []});
    let body = json!({"messages": [answer, calls], "thinking": {"type": "enabled"}});
    let said = made(Amendment::ReasoningInAnswers, &body);
    assert_eq!(
        [&said["messages"][0]["reasoning_content"], &said["messages"][1]["reasoning_content"]],
        [" "; 2]
    );
    let idle = json!({"messages": [answer], "thinking": {"type": "disabled"}});
    assert_eq!(made(Amendment::ReasoningInAnswers, &idle), idle);
    let said = made(Amendment::ReasoningInCalls, &body);
    assert_eq!(said["messages"][0].get("reasoning_content"), None);
    assert_eq!(said["messages"][1]["reasoning_content"], " ");
}

#[test]
fn both_lanes_end_in_amendments() {
    use crate::dialects::OPENAI_CHAT;
    let target = target(Quirks { amend: vec![Amendment::Required("any".into())].into(), ..Quirks::NONE });
    let tools = json!([{"type": "function", "function": {"name": "f"}}]);
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "x"}], "tools": tools, "tool_choice": "required"});
    let bytes = Bytes::from(body.to_string());
    let request = OPENAI_CHAT.decode_request(&bytes).unwrap();
    let glance = OPENAI_CHAT.glance(&bytes).unwrap();
    let lanes = [
        OPENAI_CHAT.encode_request(&request, &target).unwrap(),
        OPENAI_CHAT.forward_request(&bytes, &glance, &target).unwrap(),
    ];
    for encoded in lanes {
        let sent: Value = serde_json::from_slice(&encoded.body).unwrap();
        assert_eq!(sent["tool_choice"], "any");
    }
}

#[test]
fn answers_that_say_nothing_are_left_out() {
    let silent = [
        json!({"role": "assistant"}),
        json!({"role": "assistant", "content": null}),
        json!({"role": "assistant", "content": "", "tool_calls": []}),
        json!({"role": "assistant", "content": []}),
    ];
    let said = [
        json!({"role": "user", "content": ""}),
        json!({"role": "assistant", "content": "Hi"}),
        json!({"role": "assistant", "content": "", "tool_calls": [{"id": "c"}]}),
    ];
    let all: Vec<Value> = said.iter().chain(&silent).chain(&said).cloned().collect();
    let left = made(Amendment::NoEmptyAnswers, &json!({ "messages": all }));
    assert_eq!(left["messages"].as_array().unwrap()[..], [&said[..], &said[..]].concat());
}

#[test]
fn a_tool_stands_in_for_the_schema_of_the_answer() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
    let format =
        json!({"type": "json_schema", "json_schema": {"name": "n", "strict": true, "schema": schema}});
    let asked = json!({"temperature": 0.5, "response_format": format});
    let tool = function("json_tool_call", &json!({"parameters": schema}));
    let want = json!({"temperature": 0.5, "tools": [tool],
        "tool_choice": {"type": "function", "function": {"name": "json_tool_call"}}});
    assert_eq!(made(Amendment::SchemaByTool, &asked), want);
    for other in [json!({"response_format": {"type": "json_object"}}), json!({"seed": 1})] {
        assert_eq!(made(Amendment::SchemaByTool, &other), other);
    }

    let beside = json!({"response_format": format, "tools": [function("f", &json!({}))]});
    let mut target = target(Quirks { amend: vec![Amendment::SchemaByTool].into(), ..Quirks::NONE });
    let body = Bytes::from(beside.to_string());
    let error = amend(body.clone(), &target).unwrap_err();
    assert_eq!((error.kind(), error.param()), (ErrorKind::Unsupported, Some("response_format")));
    target.policy.drop = true;
    let dropped: Value = serde_json::from_slice(&amend(body, &target).unwrap()).unwrap();
    assert_eq!(dropped, json!({"tools": [function("f", &json!({}))]}));
}

#[test]
fn sounds_are_their_bytes_alone() {
    let body = json!({"messages": [{"role": "user", "content": [
        {"type": "text", "text": "a"}, {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}}]}]});
    let made = made(Amendment::SoundsAsText, &body);
    assert_eq!(made["messages"][0]["content"][1], json!({"type": "input_audio", "input_audio": "UklG"}));
}
