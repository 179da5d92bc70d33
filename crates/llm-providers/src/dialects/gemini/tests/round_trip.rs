//! A caller's request read, and written for a provider of this dialect, says all it said; and a stream
//! says the same whatever the pieces it comes in.

use llm_types::{ChatRequest, Message};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{events, frames, target};
use crate::dialect::Dialect;
use crate::dialects::gemini::Gemini;

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "Hi", "Grüße 你好 🎉", "\"q\"\\\n", "{\"a\":1}", "null"])
        .prop_map(String::from)
}

fn media() -> impl Strategy<Value = Value> {
    let kinds = vec!["image/png", "audio/wav", "video/mp4", "application/pdf", "text/plain"];
    let inline = prop::sample::select(kinds.clone())
        .prop_map(|mime| json!({ "inlineData": { "mimeType": mime, "data": "aGk=" } }));
    let linked = prop::sample::select(kinds)
        .prop_map(|mime| json!({ "fileData": { "mimeType": mime, "fileUri": "https://example.com/file" } }));
    prop_oneof![inline, linked]
}

fn user_part() -> impl Strategy<Value = Value> {
    prop_oneof![
        word().prop_map(|text| json!({ "text": format!("{text}.") })),
        media(),
        media().prop_map(|mut part| {
            part["mediaResolution"] = json!({ "level": "MEDIA_RESOLUTION_HIGH" });
            part
        }),
        Just(json!({ "fileData": { "mimeType": "video/mp4", "fileUri": "gs://b/v" },
                     "videoMetadata": { "fps": 2.0 } })),
        Just(json!({ "codeExecutionResult": { "outcome": "OUTCOME_OK", "output": "1" } })),
    ]
}

fn model_part() -> impl Strategy<Value = Value> {
    prop_oneof![
        word().prop_map(|text| json!({ "text": format!("{text}.") })),
        word().prop_map(
            |text| json!({ "text": format!("{text}."), "thought": true, "thoughtSignature": "c2ln" })
        ),
        word().prop_map(|text| json!({ "text": format!("{text}!"), "thoughtSignature": "c2lnbmF0dXJl" })),
        Just(json!({ "executableCode": { "language": "PYTHON", "code": "print(1)" } })),
        Just(json!({ "toolCall": { "toolType": "GOOGLE_SEARCH_WEB", "id": "x1" } })),
    ]
}

/// A turn of calls and the turn that answers them.
fn exchange() -> impl Strategy<Value = Vec<Value>> {
    let answer = prop_oneof![
        word().prop_map(|text| json!({ "output": text })),
        word().prop_map(|text| json!({ "error": text })),
        Just(json!({ "temperature": 20.5, "unit": "c" })),
        Just(json!({})),
    ];
    let call = (prop::sample::select(vec!["plan", "clock"]), any::<bool>(), any::<bool>(), answer);
    prop::collection::vec(call, 1..4).prop_map(|calls| {
        let (mut asked, mut told) = (Vec::new(), Vec::new());
        for (index, (name, with_id, signed, answer)) in calls.into_iter().enumerate() {
            let mut call = json!({ "name": name, "args": { "city": "Bern", "days": index } });
            let mut result = json!({ "name": name, "response": answer });
            if with_id {
                call["id"] = json!(format!("id-{index}"));
                result["id"] = json!(format!("id-{index}"));
            }
            let mut part = json!({ "functionCall": call });
            if signed {
                part["thoughtSignature"] = json!("c2ln");
            }
            asked.push(part);
            told.push(json!({ "functionResponse": result }));
        }
        vec![json!({ "role": "model", "parts": asked }), json!({ "role": "user", "parts": told })]
    })
}

fn contents() -> impl Strategy<Value = Vec<Value>> {
    let user = prop::collection::vec(user_part(), 1..3)
        .prop_map(|parts| vec![json!({ "role": "user", "parts": parts })]);
    let model = prop::collection::vec(model_part(), 1..3)
        .prop_map(|parts| vec![json!({ "role": "model", "parts": parts })]);
    prop::collection::vec(prop_oneof![user, model, exchange()], 1..5)
        .prop_map(|turns| turns.into_iter().flatten().collect())
}

fn config() -> impl Strategy<Value = Value> {
    let members = vec![
        json!({ "temperature": 0.5, "topP": 0.9, "topK": 40, "maxOutputTokens": 100 }),
        json!({ "stopSequences": ["END"], "seed": 7, "candidateCount": 2 }),
        json!({ "presencePenalty": 0.5, "frequencyPenalty": -0.5 }),
        json!({ "responseLogprobs": true }),
        json!({ "thinkingConfig": { "thinkingBudget": 0 } }),
        json!({ "thinkingConfig": { "thinkingBudget": -1, "includeThoughts": true } }),
        json!({ "thinkingConfig": { "thinkingBudget": 512 } }),
        json!({ "thinkingConfig": { "thinkingLevel": "LOW" } }),
        json!({ "responseMimeType": "application/json" }),
        json!({ "responseMimeType": "application/json", "responseJsonSchema": { "type": "object" } }),
        json!({ "responseMimeType": "text/x.enum", "responseSchema": { "type": "STRING", "enum": ["a"] } }),
        json!({ "responseMimeType": "application/json",
                "responseSchema": { "type": "OBJECT", "properties": { "a": { "type": "STRING", "nullable": true } } } }),
        json!({ "responseModalities": ["TEXT", "IMAGE"], "imageConfig": { "aspectRatio": "1:1" } }),
        json!({ "speechConfig": { "voiceConfig": { "prebuiltVoiceConfig": { "voiceName": "Kore" } } } }),
        json!({ "speechConfig": { "languageCode": "de-CH" } }),
    ];
    prop::collection::vec(prop::sample::select(members), 0..4).prop_map(|chosen| {
        let mut config = json!({});
        for members in chosen {
            for (name, value) in members.as_object().into_iter().flatten() {
                config[name] = value.clone();
            }
        }
        config
    })
}

fn tools() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!(null),
        json!([{ "functionDeclarations": [
            { "name": "plan", "description": "Plans", "parameters": { "type": "OBJECT",
              "properties": { "city": { "type": "STRING" } }, "required": ["city"] } },
            { "name": "clock", "parametersJsonSchema": { "type": "object", "properties": {} },
              "behavior": "BLOCKING" }] }]),
        json!([{ "googleSearch": {} }]),
        json!([{ "googleSearch": { "timeRangeFilter": {} } }, { "codeExecution": {} }, { "urlContext": {} }]),
        json!([{ "functionDeclarations": [{ "name": "plan" }] }, { "googleMaps": {} }]),
    ])
}

fn tool_config() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!(null),
        json!({ "functionCallingConfig": { "mode": "AUTO" } }),
        json!({ "functionCallingConfig": { "mode": "NONE" } }),
        json!({ "functionCallingConfig": { "mode": "ANY" } }),
        json!({ "functionCallingConfig": { "mode": "ANY", "allowedFunctionNames": ["plan"] } }),
        json!({ "functionCallingConfig": { "mode": "VALIDATED" } }),
        json!({ "retrievalConfig": { "latLng": { "latitude": 46.9, "longitude": 7.4 } } }),
    ])
}

fn request() -> impl Strategy<Value = Value> {
    let beside = prop::sample::select(vec![
        json!({}),
        json!({ "cachedContent": "cachedContents/x" }),
        json!({ "labels": { "team": "a" } }),
        json!({ "serviceTier": "flex" }),
        json!({ "safetySettings": [{ "category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE" }] }),
        json!({ "systemInstruction": { "parts": [{ "text": "Be brief." }, { "text": "Be kind." }] } }),
    ]);
    (contents(), config(), tools(), tool_config(), beside).prop_map(
        |(contents, config, tools, tool_config, beside)| {
            let mut body = json!({ "contents": contents });
            if config != json!({}) {
                body["generationConfig"] = config;
            }
            // A choice without functions says nothing.
            if tools.to_string().contains("functionDeclarations") && !tool_config.is_null() {
                body["toolConfig"] = tool_config;
            }
            if !tools.is_null() {
                body["tools"] = tools;
            }
            for (name, value) in beside.as_object().into_iter().flatten() {
                body[name] = value.clone();
            }
            body
        },
    )
}

/// Every member in `snake_case`, as protocol buffers allow.
fn snake(value: &Value) -> Value {
    let spell = |name: &str| {
        name.chars().fold(String::new(), |mut out, letter| {
            if letter.is_ascii_uppercase() {
                out.push('_');
            }
            out.push(letter.to_ascii_lowercase());
            out
        })
    };
    match value {
        Value::Array(list) => Value::Array(list.iter().map(snake).collect()),
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(name, value)| {
                    let users = ["args", "response", "labels", "parameters"].contains(&name.as_str())
                        || name.contains("Schema");
                    (spell(name), if users { value.clone() } else { snake(value) })
                })
                .collect(),
        ),
        other => other.clone(),
    }
}

/// The request with neighbours of one role as one message: the writer joins them.
pub(super) fn joined(mut request: ChatRequest) -> ChatRequest {
    let mut messages: Vec<Message> = Vec::new();
    for message in request.messages {
        match messages.last_mut().filter(|last| last.role == message.role) {
            Some(last) => last.parts.extend(message.parts),
            None => messages.push(message),
        }
    }
    request.messages = messages;
    request
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_request_keeps_all_it_says(body in request()) {
        let bytes = serde_json::to_vec(&body).unwrap();
        let read = Gemini.decode_request(&bytes).unwrap();
        let written = Gemini.encode_request(&read, &target("gemini-3-flash-preview")).unwrap();
        let again = Gemini.decode_request(&written.body).unwrap();
        prop_assert_eq!(joined(again), joined(read.clone()), "{}", String::from_utf8_lossy(&written.body));
        // What was read holds every text and every name that was said.
        let said = serde_json::to_string(&read).unwrap();
        for needle in ["cachedContents/x", "aspectRatio", "latLng", "timeRangeFilter", "de-CH", "print(1)"] {
            prop_assert_eq!(body.to_string().contains(needle), said.contains(needle), "{}", needle);
        }
    }

    #[test]
    fn both_spellings_say_the_same(body in request()) {
        let camel = Gemini.decode_request(&serde_json::to_vec(&body).unwrap()).unwrap();
        let snake = Gemini.decode_request(&serde_json::to_vec(&snake(&body)).unwrap()).unwrap();
        prop_assert_eq!(camel, snake);
    }

    #[test]
    fn a_stream_says_the_same_in_any_pieces(turns in prop::collection::vec(model_part(), 1..6), size in 1usize..200) {
        let mut body = String::new();
        for (index, part) in turns.iter().enumerate() {
            let mut frame = json!({ "candidates": [{ "content": { "parts": [part], "role": "model" } }],
                                    "responseId": "r", "modelVersion": "m" });
            if index + 1 == turns.len() {
                frame["candidates"][0]["finishReason"] = json!("STOP");
                frame["usageMetadata"] = json!({ "promptTokenCount": 3, "totalTokenCount": 5 });
            }
            body.push_str(&format!("data: {frame}\r\n\r\n"));
        }
        let whole = events(body.as_bytes(), usize::MAX);
        prop_assert!(whole.contains(&llm_types::Event::Done));
        prop_assert_eq!(&events(body.as_bytes(), size), &whole);
        // Written again and read again, it is complete again.
        prop_assert!(events(frames(&whole).as_bytes(), size).contains(&llm_types::Event::Done));
    }

    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Gemini.glance(&body);
        let _ = Gemini.decode_request(&body);
        let _ = Gemini.decode_response(&body);
    }
}
