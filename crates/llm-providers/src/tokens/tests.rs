//! Counts are OpenAI's: of texts exactly, of prompts as its replies state them.

use std::time::{Duration, Instant};

use llm_types::{ChatRequest, Message, PartKind, Tool, ToolKind};
use serde_json::{Value, json};

use super::*;
use crate::Dialect;
use crate::dialects::openai::chat::OpenaiChat;
use crate::dialects::tests::bench::recordings;

/// Texts and their tokens in `o200k_base` and `cl100k_base`, as `tiktoken` counts them.
const TEXTS: &[(&str, u64, u64)] = &[
    ("", 0, 0),
    ("a", 1, 1),
    ("hello world", 2, 2),
    ("Hello, world! It's 12345.", 9, 10),
    ("don't DON'T I'll WE'VE", 6, 9),
    ("antidisestablishmentarianism", 6, 6),
    ("    indented\n\n\n  code();\n", 7, 7),
    ("trailing   ", 3, 3),
    ("line\r\n\r\nline", 3, 3),
    ("fn main() { println!(\"{}\", 1 + 2); }", 13, 13),
    ("https://example.com/a/b?c=d&e=f", 11, 11),
    ("日本語のテキストです", 7, 9),
    ("Привет, как дела?", 6, 8),
    ("한국어 문장입니다", 5, 7),
    ("مرحبا بالعالم", 4, 10),
    ("🙂👩\u{200d}💻🇩🇪", 10, 15),
    ("naïve cafe\u{301} résumé", 6, 8),
    ("CamelCaseWord HTTPServer iPhone", 7, 7),
    ("3.14159 1234567890 ①½Ⅷ", 14, 15),
    ("//// ---- ==== \t\t\t", 4, 4),
    ("𝔸𝒶 𐐀", 11, 11),
    ("x'ſ y'S", 5, 6),
    ("{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}", 14, 14),
    ("<|endoftext|>", 7, 7),
];

#[test]
fn texts_are_cut_as_tiktoken_cuts_them() {
    for (text, newer, older) in TEXTS {
        assert_eq!((Encoding::O200k.text(text), Encoding::Cl100k.text(text)), (*newer, *older), "{text:?}");
    }
}

#[test]
fn vocabularies_are_whole() {
    for (encoding, count, last) in
        [(Encoding::O200k, 199_998, " cocos"), (Encoding::Cl100k, 100_256, " Conveyor")]
    {
        let vocabulary = encoding.vocabulary().unwrap();
        assert_eq!(vocabulary.len(), count);
        assert_eq!(vocabulary.token(u32::try_from(count).unwrap() - 1), last.as_bytes());
        for rank in (0..u32::try_from(count).unwrap()).step_by(997) {
            assert_eq!(vocabulary.rank(vocabulary.token(rank)), Some(rank));
        }
        assert_eq!(vocabulary.rank(b"no token is as long as this"), None);
    }
}

#[test]
fn pieces_are_the_text() {
    let text = "A'b 12\u{301}X  \r\n\t'LL日本\u{a0}\u{2003}--//\n x";
    for encoding in [Encoding::O200k, Encoding::Cl100k] {
        assert_eq!(Pieces::new(text, encoding).collect::<String>(), text);
    }
}

#[test]
fn long_pieces_are_counted_like_short_ones() {
    // The heap and the search through all pairs agree wherever both may be used.
    let vocabulary = Encoding::O200k.vocabulary().unwrap();
    for seed in 0..200_usize {
        let piece: String =
            (0..90).map(|at| ['a', 'b', 'n', 'e'][(at * (seed + 3) / 7 + at * at) % 4]).collect();
        let own = Merger::new(vocabulary).count(piece.as_bytes());
        let by_heap = merge::long(vocabulary, piece.as_bytes());
        assert!(own == by_heap || own == 1, "{piece}: {own}, {by_heap}");
    }
}

#[test]
fn hostile_texts_take_no_longer_than_their_length() {
    let time = |length: usize| {
        let began = Instant::now();
        for letter in ["a", " ", "日", "."] {
            assert!(Encoding::O200k.text(&letter.repeat(length / letter.len())) > 0);
        }
        began.elapsed()
    };
    Encoding::O200k.load();
    time(10_000);
    let (short, long) = (time(50_000), time(500_000));
    // Ten times the text; a square would be a hundred times the time.
    assert!(long < short * 40 + Duration::from_millis(200), "{short:?}, {long:?}");
}

#[test]
fn models_are_known_by_their_names() {
    use Encoding::{Cl100k, O200k, Unknown};
    for (model, expect) in [
        ("gpt-4o-mini-2024-07-18", O200k),
        ("gpt-4.1-nano", O200k),
        ("gpt-5.4", O200k),
        ("chatgpt-4o-latest", O200k),
        ("o1", O200k),
        ("o3-mini", O200k),
        ("o4-mini-2025-04-16", O200k),
        ("openai/gpt-oss-120b", O200k),
        ("openai.gpt-oss-20b-1:0", O200k),
        ("ft:gpt-4o-mini:acme::abc", O200k),
        ("gpt-4", Cl100k),
        ("gpt-4-turbo", Cl100k),
        ("gpt-35-turbo-16k", Cl100k),
        ("ft:gpt-3.5-turbo:acme::abc", Cl100k),
        ("text-embedding-3-large", Cl100k),
        ("claude-sonnet-4-5", Unknown),
        ("o1x", Unknown),
        ("gpt2", Unknown),
        ("llama-3", Unknown),
    ] {
        assert_eq!(Encoding::of(model), expect, "{model}");
    }
}

#[test]
fn unknown_texts_are_estimated() {
    let check = |text: &str, expect: u64| assert_eq!(Encoding::Unknown.text(text), expect, "{text}");
    check("", 0);
    check("four", 1);
    check("fours", 2);
    check("日本語", 2);
}

#[test]
fn a_request_is_its_messages() {
    let said = |text: &str| Message::user(text);
    let one = ChatRequest::new("m", vec![said("four four four four")]);
    assert_eq!(count(Encoding::Unknown, &one), 4 + 5 + 3);
    let two = ChatRequest::new("m", vec![said("four"), said("four")]);
    assert_eq!(count(Encoding::Unknown, &two), 2 * (4 + 1) + 3);
}

/// The cookbook's own examples ("How to count tokens with tiktoken").
#[test]
fn the_cookbooks_prompts_count_as_it_says() {
    let message = |role: &str, name: Option<&str>, text: &str| match name {
        Some(name) => json!({ "role": role, "name": name, "content": text }),
        None => json!({ "role": role, "content": text }),
    };
    let messages = json!([
        message(
            "system",
            None,
            "You are a helpful, pattern-following assistant that translates corporate jargon into plain English."
        ),
        message("system", Some("example_user"), "New synergies will help drive top-line growth."),
        message("system", Some("example_assistant"), "Things working well together will increase revenue."),
        message(
            "system",
            Some("example_user"),
            "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage."
        ),
        message(
            "system",
            Some("example_assistant"),
            "Let's talk later when we're less busy about how to do better."
        ),
        message(
            "user",
            None,
            "This late pivot means we don't have time to boil the ocean for the client deliverable."
        ),
    ]);
    let count_of = |body: Value, encoding| {
        let body = body.to_string();
        count(encoding, &OpenaiChat.decode_request(body.as_bytes()).unwrap())
    };
    let request = json!({ "model": "m", "messages": messages });
    assert_eq!(count_of(request.clone(), Encoding::Cl100k), 129);
    assert_eq!(count_of(request, Encoding::O200k), 124);
    let tool = json!({ "type": "function", "function": {
        "name": "get_current_weather", "description": "Get the current weather in a given location",
        "parameters": { "type": "object", "required": ["location"], "properties": {
            "location": { "type": "string", "description": "The city and state, e.g. San Francisco, CA" },
            "unit": { "type": "string", "description": "The unit of temperature to return", "enum": ["celsius", "fahrenheit"] } } } } });
    let request = json!({ "model": "m", "tools": [tool], "messages": [
        message("system", None, "You are a helpful assistant that can answer to questions about the weather."),
        message("user", None, "What's the weather like in San Francisco?")] });
    assert_eq!(count_of(request.clone(), Encoding::Cl100k), 105);
    assert_eq!(count_of(request, Encoding::O200k), 101);
}

#[test]
fn schemas_within_schemas_count() {
    let tool = |parameters| Tool {
        name: "f".into(),
        description: None,
        kind: ToolKind::Function { parameters },
        strict: None,
        cache: None,
        extra: llm_types::Extra::default(),
    };
    let leaf = json!({ "properties": { "a": { "type": "string" } } });
    let deep = json!({ "properties": { "a": { "type": "array", "items": leaf } } });
    let tokens = |parameters| {
        let mut request = ChatRequest::new("m", Vec::new());
        request.tools.push(tool(parameters));
        count(Encoding::O200k, &request)
    };
    assert!(tokens(None) < tokens(Some(leaf.clone())));
    assert!(tokens(Some(leaf)) < tokens(Some(deep)));
}

/// What OpenAI's replies state of prompts, against what is counted: texts are exact but for the token that
/// reasoning models take less; functions are near.
#[test]
fn recorded_prompts_count_as_their_replies_say() {
    let endpoints = ["chat.completions", "embeddings", "completions"];
    let records = recordings(&["traffic/openai", "traffic/azure"], &endpoints, 40);
    if records.is_empty() {
        return;
    }
    let counted = records.iter().filter_map(|(name, record)| Some((name, prompt_of(record)?)));
    let (tools, texts): (Vec<_>, Vec<_>) = counted.partition(|(_, prompt)| prompt.tools);
    for (kind, prompts, least) in [("texts", &texts, 12), ("functions", &tools, 6)] {
        let within = |share: f64| prompts.iter().filter(|(_, prompt)| prompt.off().abs() <= share).count();
        let exact = prompts.iter().filter(|(_, prompt)| prompt.ours == prompt.theirs).count();
        let all = prompts.len();
        println!(
            "{kind}: {all} prompts, {exact} exact, {} within 5 %, {} within 20 %",
            within(0.05),
            within(0.2)
        );
        for (name, prompt) in prompts.iter().filter(|(_, prompt)| prompt.ours != prompt.theirs) {
            println!("  {:+.0} %: {} for {} {name}", prompt.off() * 100.0, prompt.ours, prompt.theirs);
        }
        assert!(all >= least, "the folders hold prompts of {kind}: {all}");
        let near = |one: &Prompt| one.ours.abs_diff(one.theirs) <= 1 || (one.tools && one.off().abs() <= 0.2);
        let near = prompts.iter().filter(|(_, prompt)| near(prompt)).count();
        assert!(near * 4 >= all * 3 && (kind != "texts" || near == all), "{kind}: {near} of {all} are near");
    }
}

/// A recorded prompt, as it is counted and as its reply states it.
struct Prompt {
    ours: u64,
    theirs: u64,
    tools: bool,
}

impl Prompt {
    #[expect(clippy::cast_precision_loss, reason = "prompts are short")]
    fn off(&self) -> f64 {
        self.ours as f64 / self.theirs as f64 - 1.0
    }
}

/// A prompt whose tokens are published: of a model with an encoding, without media, searches and schemas of
/// answers.
fn prompt_of(record: &Value) -> Option<Prompt> {
    let body = record["request"]["body"].as_object()?;
    let model = body.get("model").and_then(Value::as_str)?;
    let encoding = Encoding::of(model);
    if !encoding.is_exact()
        || body.contains_key("response_format")
        || ["audio", "search"].iter().any(|kind| model.contains(kind))
    {
        return None;
    }
    let response = &record["response"];
    let theirs = match response["body"]["usage"]["prompt_tokens"].as_u64() {
        Some(stated) => stated,
        None => response["sse"].as_str()?.lines().rev().find_map(|line| {
            let frame: Value = serde_json::from_str(line.strip_prefix("data: ")?).ok()?;
            frame["usage"]["prompt_tokens"].as_u64()
        })?,
    };
    if let Some(text) = body.get("input").or_else(|| body.get("prompt")) {
        let texts = text.is_string() || text.as_array().is_some_and(|all| all.iter().all(Value::is_string));
        return texts.then(|| Prompt { ours: count_texts(encoding, text), theirs, tools: false });
    }
    let request = OpenaiChat.decode_request(&serde_json::to_vec(body).unwrap()).ok()?;
    let parts = || request.messages.iter().flat_map(|message| &message.parts);
    let calls = parts().any(|part| !matches!(part.kind, PartKind::Text { .. }));
    let media = |kind: &PartKind| {
        !matches!(kind, PartKind::Text { .. } | PartKind::ToolCall(_) | PartKind::ToolResult(_))
    };
    let plain = theirs > 0 && !parts().any(|part| media(&part.kind));
    plain.then(|| Prompt {
        ours: count(encoding, &request),
        theirs,
        tools: calls || !request.tools.is_empty(),
    })
}
