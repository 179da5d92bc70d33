//! The same for what a reply says.

use llm_types::{
    ChatResponse, Choice, Citation, Extra, Finish, Media, MediaSource, Message, Part, PartKind, Role,
    ToolCall, Usage,
};
use serde_json::{Value, json};

use super::super::bench::without_nulls;
use super::{Changed, Fate, SIX, Seen, judge};
use crate::DialectId::{Anthropic, Cohere, Converse, Gemini, OpenaiChat, OpenaiResponses};
use crate::ReplyContext;
use crate::dialect::Dialect;

/// A thing a reply may say, and what each of the six shows of it.
struct Thing {
    name: &'static str,
    say: fn(&mut ChatResponse),
    fates: &'static str,
}

/// Why something is shown otherwise, and where.
const CHANGED: Changed = &[
    ("reasoning with a signature", &[Cohere], "there is no place for a signature"),
    ("redacted reasoning", &[Cohere], "there is no place for what nobody can read"),
    ("call with a signature", &[Anthropic, Cohere, Converse], "callers of these send calls back without one"),
    ("call with a signature", &[Gemini], "and once more in the id, which every client sends back"),
    ("citation", &[OpenaiChat, OpenaiResponses, Gemini], "the words that were quoted have no place"),
    ("citation", &[Anthropic, Converse], "a block of text has its citations: there are no spans"),
    ("citation", &[Cohere], "all of it, in the vendor's form"),
    ("refusal", &[OpenaiChat, Gemini, Cohere, Converse], "the words for its end are those of filters"),
    ("refusal", &[OpenaiResponses], "a part says so, not the end"),
    ("refusal", &[Anthropic], "the end says so, not the part"),
    ("two choices", &[OpenaiResponses, Anthropic, Cohere, Converse], "callers of these cannot ask for two"),
    ("logprobs", &[Anthropic, Converse], "callers of these cannot ask for them"),
    ("logprobs", &[Cohere], "with the ids of tokens, which nobody told"),
    ("end: a stop text", &[OpenaiChat, OpenaiResponses, Gemini], "as any stop"),
    ("end: a stop text", &[Cohere], "without the text"),
    ("end: context window", &[OpenaiChat, OpenaiResponses, Gemini], "as any limit"),
    ("end: content filter", &[Anthropic], "as a refusal"),
    (
        "end: pause",
        &[OpenaiChat, OpenaiResponses, Gemini, Cohere, Converse],
        "the vendor's own tools took long: for others the turn is over",
    ),
    (
        "tokens written to the cache",
        &[Gemini, Cohere],
        "there is no count for them; they are within the input",
    ),
    (
        "tokens written for an hour",
        &[OpenaiChat, OpenaiResponses],
        "the sum without its parts: OpenAI's clients know none",
    ),
    (
        "tokens written for an hour",
        &[Gemini, Cohere],
        "there is no count for them; they are within the input",
    ),
    ("reasoning tokens", &[Converse], "there is no count for them; they are within the output"),
    ("audio heard", &[Anthropic, Cohere, Converse], "there is no count for it; it is within the input"),
    ("pictures seen", &[Anthropic, Converse], "there is no count for them; they are within the input"),
    ("audio spoken", &[Anthropic, Cohere, Converse], "there is no count for it; it is within the output"),
    (
        "pictures drawn",
        &[Anthropic, Cohere, Converse],
        "there is no count for them; they are within the output",
    ),
    ("web searches", &[Gemini, Cohere, Converse], "there is no count for them"),
    ("service tier", &[Anthropic, Gemini, Cohere], "the tiers of one vendor are not those of another"),
];

fn says(response: &mut ChatResponse, parts: Vec<Part>) {
    response.choices[0].message.parts = parts;
}

fn call(id: &str) -> Part {
    let (name, arguments) = ("look".to_owned(), r#"{"a":"b"}"#.to_owned());
    Part::new(PartKind::ToolCall(ToolCall { id: id.to_owned(), name, arguments, custom: false }))
}

fn used(response: &mut ChatResponse, more: impl FnOnce(&mut Usage)) {
    more(response.usage.as_mut().unwrap());
}

fn ends(response: &mut ChatResponse, finish: Finish) {
    response.choices[0].finish = Some(finish);
}

fn cited(text: &str) -> Part {
    let citation = Citation {
        url: Some("https://e.org".to_owned()),
        title: Some("T".to_owned()),
        cited_text: Some("as said".to_owned()),
        span: Some((0, 2)),
        ..Citation::default()
    };
    Part::new(PartKind::Text { text: text.to_owned(), citations: vec![citation] })
}

fn things() -> impl Iterator<Item = Thing> {
    [said_by_models(), ends_and_counts()].into_iter().flatten()
}

fn said_by_models() -> Vec<Thing> {
    vec![
        Thing { name: "text", say: |r| says(r, vec![Part::text("ok")]), fates: "KKKKKK" },
        Thing {
            name: "reasoning",
            say: |r| says(r, vec![Part::reasoning("hm", None), Part::text("ok")]),
            fates: "KKKKKK",
        },
        Thing {
            name: "reasoning with a signature",
            say: |r| says(r, vec![Part::reasoning("hm", Some("c2ln".to_owned())), Part::text("ok")]),
            fates: "KKKKCK",
        },
        Thing {
            name: "redacted reasoning",
            say: |r| {
                let hidden = Part::new(PartKind::RedactedReasoning { data: "eHg=".to_owned() });
                says(r, vec![hidden, Part::text("ok")]);
            },
            fates: "KKKKCK",
        },
        Thing {
            name: "call",
            say: |r| {
                says(r, vec![call("c_1")]);
                ends(r, Finish::ToolCalls);
            },
            fates: "KKKKKK",
        },
        Thing {
            name: "words and parallel calls",
            say: |r| {
                says(r, vec![Part::text("ok"), call("c_1"), call("c_2")]);
                ends(r, Finish::ToolCalls);
            },
            fates: "KKKKKK",
        },
        Thing {
            name: "call with a signature",
            say: |r| {
                let mut signed = call("c_1");
                signed.signature = Some("c2ln".to_owned());
                says(r, vec![signed]);
                ends(r, Finish::ToolCalls);
            },
            fates: "KKCCCC",
        },
        Thing { name: "citation", say: |r| says(r, vec![cited("ok")]), fates: "CCCCCC" },
        Thing {
            name: "refusal",
            say: |r| {
                says(r, vec![Part::new(PartKind::Refusal { text: "no".to_owned() })]);
                ends(r, Finish::Refusal);
            },
            fates: "CCCCCC",
        },
        Thing {
            name: "picture",
            say: |r| {
                let media = Media::new(MediaSource::Base64("iVBO".to_owned()), Some("image/png".to_owned()));
                says(r, vec![Part::text("see"), Part::new(PartKind::Image(media))]);
            },
            fates: "KKKKKK",
        },
    ]
}

fn ends_and_counts() -> Vec<Thing> {
    vec![
        Thing {
            name: "two choices",
            say: |r| {
                let mut second = r.choices[0].clone();
                second.index = 1;
                r.choices.push(second);
            },
            fates: "KCCKCC",
        },
        Thing {
            name: "logprobs",
            say: |r| {
                let token =
                    json!({ "token": "ok", "logprob": -0.5, "bytes": [111, 107], "top_logprobs": [] });
                r.choices[0].logprobs = Some(json!({ "content": [token], "refusal": null }));
            },
            fates: "KKCKCC",
        },
        Thing { name: "end: length", say: |r| ends(r, Finish::Length), fates: "KKKKKK" },
        Thing {
            name: "end: a stop text",
            say: |r| ends(r, Finish::StopSequence(Some("END".to_owned()))),
            fates: "CCKCCK",
        },
        Thing { name: "end: context window", say: |r| ends(r, Finish::ContextWindow), fates: "CCKCKK" },
        Thing { name: "end: content filter", say: |r| ends(r, Finish::ContentFilter), fates: "KKCKKK" },
        Thing { name: "end: pause", say: |r| ends(r, Finish::Pause), fates: "CCKCCC" },
        Thing { name: "cached tokens", say: |r| used(r, |u| u.cache_read_tokens = Some(4)), fates: "KKKKKK" },
        Thing {
            name: "tokens written to the cache",
            say: |r| used(r, |u| u.cache_write_tokens = Some(3)),
            fates: "KKKCCK",
        },
        Thing {
            name: "tokens written for an hour",
            say: |r| {
                used(r, |u| {
                    (u.cache_write_tokens, u.cache_write_1h_tokens, u.cache_write_5m_tokens) =
                        (Some(3), Some(2), Some(1))
                })
            },
            fates: "CCKCCK",
        },
        Thing {
            name: "reasoning tokens",
            say: |r| used(r, |u| u.reasoning_tokens = Some(2)),
            fates: "KKKKKC",
        },
        Thing { name: "audio heard", say: |r| used(r, |u| u.input_audio_tokens = Some(2)), fates: "KKCKCC" },
        Thing {
            name: "pictures seen",
            say: |r| used(r, |u| u.input_image_tokens = Some(2)),
            fates: "KKCKKC",
        },
        Thing {
            name: "audio spoken",
            say: |r| used(r, |u| u.output_audio_tokens = Some(2)),
            fates: "KKCKCC",
        },
        Thing {
            name: "pictures drawn",
            say: |r| used(r, |u| u.output_image_tokens = Some(2)),
            fates: "KKCKCC",
        },
        Thing { name: "web searches", say: |r| used(r, |u| u.web_searches = Some(1)), fates: "KKKCCC" },
        Thing {
            name: "service tier",
            say: |r| r.service_tier = Some("priority".to_owned()),
            fates: "KKCCCK",
        },
    ]
}

fn reply(thing: &Thing) -> ChatResponse {
    let usage = Usage { input_tokens: 10, output_tokens: 5, total_tokens: Some(15), ..Usage::default() };
    let message = Message::new(Role::Assistant, vec![Part::text("ok")]);
    let choice =
        Choice { index: 0, message, finish: Some(Finish::Stop), logprobs: None, extra: Extra::default() };
    let mut response = ChatResponse {
        id: "r_1".to_owned(),
        model: "m".to_owned(),
        created: Some(1),
        choices: vec![choice],
        usage: Some(usage),
        ..ChatResponse::default()
    };
    (thing.say)(&mut response);
    response
}

/// What is said, without what all dialects say in their own way: ids, zeroes, the sum of tokens.
fn said(response: &ChatResponse) -> Value {
    let mut response = response.clone();
    let usage = response.usage.as_mut().unwrap();
    (usage.total_tokens, usage.service_tier, usage.billed) = (None, None, None);
    let mut usage = serde_json::to_value(usage).unwrap();
    usage.as_object_mut().unwrap().retain(|_, count| *count != json!(0));
    for choice in &mut response.choices {
        choice.extra = Extra::default();
        choice.message.extra = Extra::default();
        for part in &mut choice.message.parts {
            part.extra = Extra::default();
            if let PartKind::Reasoning { summary, .. } = &mut part.kind {
                *summary = false;
            }
        }
    }
    response.service_tier = response.service_tier.filter(|tier| tier != "default");
    without_nulls(&json!([response.choices, usage, response.service_tier]))
}

fn fate(dialect: &dyn Dialect, thing: &Thing) -> (Fate, String) {
    let response = reply(thing);
    let cx = ReplyContext { model: "m".to_owned(), now: 1, ..ReplyContext::default() };
    let written = dialect.encode_response(&response, &cx).unwrap();
    let again = dialect.decode_response(&written).unwrap_or_else(|error| {
        panic!("{} in {:?}: {error}: {}", thing.name, dialect.id(), String::from_utf8_lossy(&written))
    });
    let (was, is) = (said(&response), said(&again));
    (
        if was == is { Fate::Kept } else { Fate::Changed },
        format!("{}\n   was {was}\n   is  {is}", String::from_utf8_lossy(&written)),
    )
}

#[test]
fn what_a_reply_says_is_shown() {
    let rows = things().flat_map(|thing| {
        SIX.into_iter().enumerate().map(move |(number, (dialect, _))| {
            let (fate, how) = fate(dialect, &thing);
            Seen {
                name: thing.name,
                dialect: dialect.id(),
                wanted: thing.fates.as_bytes()[number],
                fate,
                how,
            }
        })
    });
    judge(rows, CHANGED);
}
