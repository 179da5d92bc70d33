//! A model's template is fetched once, from the Hub alone, and what fails is said.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use llm_types::testing::ReplayTransport;
use llm_types::{ErrorKind, Secret};
use serde_json::json;

use super::super::super::template::{Speaker, Turn};
use super::super::OwnTemplate;
use super::{Hub, is_name};

const ENDPOINT: &str = "https://hub.example";

fn run<T>(future: impl Future<Output = T>) -> T {
    match Box::pin(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("nothing here waits"),
    }
}

fn prompt(hub: &Arc<Hub>) -> String {
    let own = OwnTemplate { hub: Some(Arc::clone(hub)), ..OwnTemplate::NONE };
    own.prompt(&[Turn { speaker: Speaker::User, text: Cow::Borrowed("Hi") }]).unwrap()
}

#[test]
fn a_template_is_fetched_once_and_fills_prompts() {
    let template = "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<go>";
    let named = json!([{"name": "tool_use", "template": "no"}, {"name": "default", "template": template}]);
    for (number, chat_template) in [json!(template), named].into_iter().enumerate() {
        let config =
            json!({"bos_token": {"content": "<s>"}, "eos_token": "</s>", "chat_template": chat_template});
        let transport = ReplayTransport::default().reply(200, config.to_string());
        let token = Some(Secret::new("hf_secret-of-the-operator".to_owned()));
        let hub = Hub::shared(&format!("org/model-{number}"), "https://hub.example/", token);
        assert!(!hub.is_here());
        run(hub.fetch(&transport, Instant::now())).unwrap();
        assert!(hub.is_here());
        assert_eq!(prompt(&hub), "<s><user>Hi<go>");
        let asked = &transport.asked()[0];
        let expected = format!("https://hub.example/org/model-{number}/raw/main/tokenizer_config.json");
        assert_eq!(asked.uri.to_string(), expected);
        assert_eq!(asked.headers["authorization"], "Bearer hf_secret-of-the-operator");
        assert!(!format!("{hub:?}").contains("hf_secret"), "{hub:?}");
        let again = Hub::shared(
            &format!("org/model-{number}"),
            ENDPOINT,
            Some(Secret::new("hf_secret-of-the-operator".to_owned())),
        );
        assert!(again.is_here(), "what was fetched outlives a reload");
    }
}

#[test]
fn a_template_may_stand_in_a_file_of_its_own() {
    let transport = ReplayTransport::default()
        .reply(200, r#"{"bos_token": null}"#)
        .reply(200, "{{ messages[0].content }}!");
    let hub = Hub::shared("org/file", ENDPOINT, None);
    run(hub.fetch(&transport, Instant::now())).unwrap();
    assert_eq!(prompt(&hub), "Hi!");
    assert!(transport.asked()[1].uri.path().ends_with("/org/file/raw/main/chat_template.jinja"));
    assert!(transport.asked()[1].headers.get("authorization").is_none());
}

#[test]
fn what_cannot_be_fetched_is_said_and_not_tried_again_at_once() {
    let cases = [
        (404, "", ErrorKind::BadUpstream, "no such model"),
        (401, "", ErrorKind::Unauthenticated, "HF_TOKEN"),
        (500, "", ErrorKind::BadUpstream, "status 500"),
        (307, "", ErrorKind::BadUpstream, "another host"),
        (200, "<html>", ErrorKind::BadUpstream, "not JSON"),
        (200, r#"{"chat_template": "{% for"}"#, ErrorKind::BadUpstream, "cannot be used"),
    ];
    for (number, (status, body, kind, why)) in cases.into_iter().enumerate() {
        let transport = ReplayTransport::default().reply(status, body);
        let hub = Hub::shared(&format!("org/none-{number}"), ENDPOINT, None);
        let now = Instant::now();
        let error = run(hub.fetch(&transport, now)).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(why) && error.message().contains("chat_template"), "{error}");
        // The one reply is used up: another question would find none.
        let again = run(hub.fetch(&transport, now + Duration::from_secs(29))).unwrap_err();
        assert_eq!(again.message(), error.message());
        assert_eq!(transport.asked().len(), 1);
        let own = OwnTemplate { hub: Some(hub), ..OwnTemplate::NONE };
        assert!(own.prompt(&[]).is_err(), "no prompt is made without the template");
    }
}

#[test]
fn names_lead_nowhere_else() {
    for name in ["gpt2", "meta-llama/Llama-2-7b-chat-hf", "a/b.c_d-1"] {
        assert!(is_name(name), "{name}");
    }
    for name in ["", "/", "a/", "a/b/c", "../x", "a/..", "a b", "a?b", "a#b", "http://x", "a%2fb", "@evil/x"]
    {
        assert!(!is_name(name), "{name}");
    }
}
