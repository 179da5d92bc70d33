//! Requests are taken apart and replies put together.

use bytes::Bytes;
use llm_types::{Billed, ChatResponse, Choice, Event, Extra, Finish, Message, Usage};

use super::{apart, together};

#[test]
fn each_prompt_gets_a_request() {
    let body =
        Bytes::from(r#"{"model":"m", "prompt": ["a", "b\n"], "n":2,"stream":true,"stream_options":{}}"#);
    let parts = apart(&body).unwrap();
    assert_eq!(parts, [r#"{"model":"m", "prompt": "a", "n":2}"#, r#"{"model":"m", "prompt": "b\n", "n":2}"#]);
    for one in
        [r#"{"prompt":"a"}"#, r#"{"prompt":["a"]}"#, r#"{"prompt":[1,2]}"#, r#"{"prompt":["a",[1]]}"#, "{}"]
    {
        assert!(apart(&Bytes::from(one)).unwrap().is_empty(), "{one}");
    }
}

fn reply(texts: &[&str], input: u64) -> ChatResponse {
    let choice = |(index, text): (u32, &&str)| Choice {
        index,
        message: Message::assistant(*text),
        finish: Some(Finish::Stop),
        logprobs: None,
        extra: Extra::default(),
    };
    ChatResponse {
        id: format!("r{input}"),
        choices: (0..).zip(texts).map(choice).collect(),
        usage: Some(Usage {
            input_tokens: input,
            output_tokens: 1,
            reasoning_tokens: Some(1),
            billed: Some(Box::new(Billed { input_tokens: Some(input), output_tokens: None })),
            ..Usage::default()
        }),
        ..ChatResponse::default()
    }
}

#[test]
fn answers_stand_in_the_order_of_the_prompts_and_usage_is_the_sum() {
    let all = together(vec![reply(&["a", "b"], 1), reply(&["c", "d"], 2)], 2);
    let texts: Vec<(u32, String)> =
        all.choices.iter().map(|choice| (choice.index, choice.message.text())).collect();
    assert_eq!(texts, [(0, "a".into()), (1, "b".into()), (2, "c".into()), (3, "d".into())]);
    let usage = all.usage.as_ref().unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.reasoning_tokens), (3, 2, Some(2)));
    let billed = usage.billed.as_deref();
    assert_eq!(
        billed,
        Some(&Billed { input_tokens: Some(3), output_tokens: None }),
        "what is paid for is a sum too"
    );
    assert_eq!(all.id, "r1");

    let events = all.into_events();
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Finish { .. })).count(), 4);
    assert_eq!(events.last(), Some(&Event::Done));
    let unknown = together(vec![reply(&["a"], 1), ChatResponse { usage: None, ..reply(&["b"], 2) }], 1);
    assert_eq!(unknown.usage, None, "a sum with an unknown part is not known");
}
