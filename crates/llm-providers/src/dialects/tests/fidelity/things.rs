//! What a request may say, thing by thing, and what becomes of it.

use llm_types::{
    CacheMark, CacheTtl, ChatRequest, Extra, Media, MediaSource, Message, Part, PartKind, Reasoning,
    ReasoningEffort, ResponseFormat, Role, Tool, ToolCall, ToolChoice, ToolKind, ToolResult,
};
use serde_json::json;

use super::Thing;

macro_rules! option {
    ($name:ident, $value:expr, $fates:expr) => {
        Thing { name: stringify!($name), say: |request| request.options.$name = Some($value), fates: $fates }
    };
}

fn spoken(request: &mut ChatRequest, role: Role, parts: Vec<Part>) {
    let message = Message::new(role, parts);
    match request.messages.last_mut() {
        Some(last) if last.role == role => *last = message,
        _ => request.messages.push(message),
    }
}

fn picture(source: MediaSource) -> Part {
    Part::new(PartKind::Image(Media::new(source, Some("image/png".to_owned()))))
}

fn pdf() -> Part {
    let media = Media::new(MediaSource::Base64("JVBERi0=".to_owned()), Some("application/pdf".to_owned()));
    Part::new(PartKind::Document(Media { title: Some("a.pdf".to_owned()), ..media }))
}

fn sound() -> Part {
    Part::new(PartKind::Audio(Media::new(
        MediaSource::Base64("UklGRg==".to_owned()),
        Some("audio/wav".to_owned()),
    )))
}

fn function(name: &str) -> Tool {
    let parameters =
        json!({ "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"] });
    Tool {
        name: name.to_owned(),
        description: Some("Does it".to_owned()),
        kind: ToolKind::Function { parameters: Some(parameters) },
        strict: None,
        cache: None,
        extra: Extra::default(),
    }
}

fn call(id: &str) -> Part {
    let (name, arguments) = ("look".to_owned(), r#"{"a":"b"}"#.to_owned());
    Part::new(PartKind::ToolCall(ToolCall { id: id.to_owned(), name, arguments, custom: false }))
}

fn result(id: &str, parts: Vec<Part>, is_error: Option<bool>) -> Part {
    Part::new(PartKind::ToolResult(ToolResult {
        call_id: id.to_owned(),
        name: Some("look".to_owned()),
        parts,
        is_error,
    }))
}

/// A conversation in which tools were called.
fn called(request: &mut ChatRequest, calls: Vec<Part>, results: Vec<Part>) {
    request.tools = vec![function("look")];
    spoken(request, Role::Assistant, calls);
    spoken(request, Role::Tool, results);
}

fn marked(mut part: Part, ttl: Option<CacheTtl>) -> Part {
    part.cache = Some(CacheMark { ttl });
    part
}

fn schema() -> ResponseFormat {
    ResponseFormat::JsonSchema {
        name: Some("person".to_owned()),
        description: None,
        schema: json!({ "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"],
            "additionalProperties": false }),
        strict: Some(true),
    }
}

fn thinking(reasoning: Reasoning) -> Option<Reasoning> {
    Some(reasoning)
}

/// All of them.
pub(super) fn things() -> impl Iterator<Item = Thing> {
    [sampling(), form(), favours(), turns(), calls(), besides()].into_iter().flatten()
}

/// How the answer is drawn.
fn sampling() -> Vec<Thing> {
    vec![
        option!(max_tokens, 4000, "KKKKKK"),
        option!(temperature, 0.25, "KKKKKK"),
        option!(top_p, 0.5, "KKKKKK"),
        option!(top_k, 7, "KRKKKK"),
        Thing { name: "stop", say: |r| r.options.stop = vec!["END".to_owned()], fates: "KRKKKK" },
        option!(seed, 42, "KRRKKR"),
        option!(frequency_penalty, 0.5, "KRRKKR"),
        option!(presence_penalty, 0.5, "KRRKKR"),
        option!(logit_bias, json!({ "42": 1 }).as_object().unwrap().clone(), "KRRRRR"),
        option!(logprobs, true, "KKRKKR"),
        Thing {
            name: "top_logprobs",
            say: |r| (r.options.logprobs, r.options.top_logprobs) = (Some(true), Some(3)),
            fates: "KKRKRR",
        },
        option!(n, 2, "KRRKRR"),
    ]
}

/// Tools, the form of the answer, reasoning.
fn form() -> Vec<Thing> {
    vec![
        Thing { name: "tools", say: |r| r.tools = vec![function("look"), function("find")], fates: "KKKKKK" },
        Thing {
            name: "tool of strict form",
            say: |r| r.tools = vec![Tool { strict: Some(true), ..function("look") }],
            fates: "KKTTKK",
        },
        Thing {
            name: "tool_choice required",
            say: |r| (r.tools, r.options.tool_choice) = (vec![function("look")], Some(ToolChoice::Required)),
            fates: "KKKKKK",
        },
        Thing {
            name: "tool_choice none",
            say: |r| (r.tools, r.options.tool_choice) = (vec![function("look")], Some(ToolChoice::None)),
            fates: "KKKKKR",
        },
        Thing {
            name: "tool_choice by name",
            say: |r| {
                let chosen = ToolChoice::Tool("look".to_owned());
                (r.tools, r.options.tool_choice) = (vec![function("look"), function("find")], Some(chosen));
            },
            fates: "KKKKCK",
        },
        Thing {
            name: "parallel_tool_calls false",
            say: |r| (r.tools, r.options.parallel_tool_calls) = (vec![function("look")], Some(false)),
            fates: "KKCCRK",
        },
        option!(response_format, schema(), "KKTTTK"),
        Thing {
            name: "response_format json_object",
            say: |r| r.options.response_format = Some(ResponseFormat::JsonObject),
            fates: "KKTKKT",
        },
        Thing {
            name: "reasoning effort",
            say: |r| {
                r.options.reasoning =
                    thinking(Reasoning { effort: Some(ReasoningEffort::High), ..Reasoning::default() });
            },
            fates: "KKCCCC",
        },
        Thing {
            name: "reasoning budget",
            say: |r| {
                r.options.max_tokens = Some(9000);
                let budget =
                    Reasoning { budget_tokens: Some(2048), enabled: Some(true), ..Reasoning::default() };
                r.options.reasoning = thinking(budget);
            },
            fates: "CCKCKK",
        },
    ]
}

/// What is asked of the vendor.
fn favours() -> Vec<Thing> {
    vec![
        option!(modalities, vec!["text".to_owned(), "audio".to_owned()], "KRRKRR"),
        option!(audio, json!({ "voice": "alloy", "format": "wav" }), "KRRRRR"),
        option!(prediction, json!({ "type": "content", "content": "a" }), "KRRRRR"),
        option!(web_search, json!({}), "KKCKRR"),
        option!(verbosity, "low".to_owned(), "KKRRRR"),
        option!(service_tier, "auto".to_owned(), "KKRCRC"),
        option!(user, "u-1".to_owned(), "KKKTTT"),
        option!(metadata, json!({ "team": "red" }).as_object().unwrap().clone(), "CCCCCK"),
        option!(store, true, "KKRRRR"),
        option!(prompt_cache_key, "k".to_owned(), "KKRRRR"),
        option!(safety_identifier, "s".to_owned(), "KKRRRR"),
        option!(
            safety_settings,
            json!([{ "category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE" }]),
            "RRRKRR"
        ),
    ]
}

/// What a turn may hold.
fn turns() -> Vec<Thing> {
    vec![
        Thing {
            name: "system prompt",
            say: |r| r.messages.insert(0, Message::system("Be brief.")),
            fates: "KKKKKK",
        },
        Thing {
            name: "developer prompt",
            say: |r| r.messages.insert(0, Message::new(Role::Developer, vec![Part::text("Be brief.")])),
            fates: "KKCCCC",
        },
        Thing {
            name: "several parts",
            say: |r| {
                spoken(
                    r,
                    Role::User,
                    vec![Part::text("a"), picture(MediaSource::Base64("iVBO".into())), Part::text("b")],
                )
            },
            fates: "KKKKKK",
        },
        Thing {
            name: "image by URL",
            say: |r| spoken(r, Role::User, vec![picture(MediaSource::Url("https://e.org/a.png".to_owned()))]),
            fates: "KKKKKR",
        },
        Thing {
            name: "PDF",
            say: |r| spoken(r, Role::User, vec![Part::text("Read"), pdf()]),
            fates: "KKTTRC",
        },
        Thing { name: "sound", say: |r| spoken(r, Role::User, vec![sound()]), fates: "KRRKRR" },
        Thing {
            name: "name of a speaker",
            say: |r| r.messages[0].name = Some("ann".to_owned()),
            fates: "KTTTTT",
        },
    ]
}

/// Calls, and what models said.
fn calls() -> Vec<Thing> {
    vec![
        Thing {
            name: "call and result",
            say: |r| called(r, vec![call("c_1")], vec![result("c_1", vec![Part::text("20")], None)]),
            fates: "KKKCKK",
        },
        Thing {
            name: "parallel calls",
            say: |r| {
                let results = vec![
                    result("c_1", vec![Part::text("20")], None),
                    result("c_2", vec![Part::text("30")], None),
                ];
                called(r, vec![call("c_1"), call("c_2")], results);
            },
            fates: "CCKCCK",
        },
        Thing {
            name: "result with a picture",
            say: |r| {
                let parts = vec![Part::text("see"), picture(MediaSource::Base64("iVBO".to_owned()))];
                called(r, vec![call("c_1")], vec![result("c_1", parts, None)]);
            },
            fates: "CCKCCK",
        },
        Thing {
            name: "result that is an error",
            say: |r| called(r, vec![call("c_1")], vec![result("c_1", vec![Part::text("no")], Some(true))]),
            fates: "TTKCTK",
        },
        Thing {
            name: "thinking with a signature",
            say: |r| {
                let thought = Part::reasoning("hm", Some("c2ln".to_owned()));
                spoken(r, Role::Assistant, vec![thought, Part::text("ok")]);
                spoken(r, Role::User, vec![Part::text("Go on")]);
            },
            fates: "TTKTTK",
        },
        Thing {
            name: "redacted thinking",
            say: |r| {
                let hidden = Part::new(PartKind::RedactedReasoning { data: "eHg=".to_owned() });
                spoken(r, Role::Assistant, vec![hidden, Part::text("ok")]);
                spoken(r, Role::User, vec![Part::text("Go on")]);
            },
            fates: "TTKTTK",
        },
        Thing {
            name: "refusal",
            say: |r| {
                spoken(r, Role::Assistant, vec![Part::new(PartKind::Refusal { text: "no".to_owned() })]);
                spoken(r, Role::User, vec![Part::text("Why?")]);
            },
            fates: "KKCCCC",
        },
    ]
}

/// What stands beside: members nobody knows, marks.
fn besides() -> Vec<Thing> {
    vec![
        Thing {
            name: "unknown member of a message",
            say: |r| r.messages[0].extra.keep("mood", json!("good")),
            fates: "KTTTTT",
        },
        Thing {
            name: "unknown member of a part",
            say: |r| r.messages[0].parts[0].extra.keep("mood", json!("good")),
            fates: "TTTTTT",
        },
        Thing {
            name: "unknown member of a tool",
            say: |r| {
                let mut tool = function("look");
                tool.extra.keep("mood", json!("good"));
                r.tools = vec![tool];
            },
            fates: "TTTTTT",
        },
        Thing {
            name: "cache mark",
            say: |r| r.messages[0].parts = vec![marked(Part::text("Hi"), None)],
            fates: "TTKTTK",
        },
        Thing {
            name: "cache mark of an hour",
            say: |r| r.messages[0].parts = vec![marked(Part::text("Hi"), Some(CacheTtl::OneHour))],
            fates: "TTKTTK",
        },
        Thing {
            name: "cache mark on a tool",
            say: |r| r.tools = vec![Tool { cache: Some(CacheMark::default()), ..function("look") }],
            fates: "TTKTTK",
        },
    ]
}
