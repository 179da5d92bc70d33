//! Prompts of templates that operators bring along, and what such a template may not do.

use llm_types::ErrorKind;

use super::super::template::{Speaker, Turn};
use super::{LONGEST, OwnTemplate};

fn turns() -> Vec<Turn<'static>> {
    let turn = |speaker, text: &'static str| Turn { speaker, text: text.into() };
    vec![
        turn(Speaker::System, "Be brief."),
        turn(Speaker::User, "Hi <b>&"),
        turn(Speaker::Assistant, "Hey"),
        turn(Speaker::User, "Again"),
    ]
}

fn jinja(template: &str) -> OwnTemplate {
    OwnTemplate {
        chat_template: template.to_owned().into(),
        bos_token: "<s>".into(),
        eos_token: "</s>".into(),
        ..OwnTemplate::NONE
    }
}

fn failed(template: &str) -> llm_types::Error {
    jinja(template).prompt(&turns()).unwrap_err()
}

#[test]
fn marks_stand_around_turns() {
    let marks = |role: &'static str, before: &'static str, after: &'static str| {
        (role.into(), before.into(), after.into())
    };
    let own = OwnTemplate {
        roles: vec![
            marks("system", "[S] ", "\n"),
            marks("user", "[U] ", "\n"),
            marks("assistant", "[A] ", ""),
        ]
        .into(),
        initial_prompt_value: "start ".into(),
        final_prompt_value: "[A]".into(),
        bos_token: "<s>".into(),
        eos_token: "</s>".into(),
        ..OwnTemplate::NONE
    };
    assert_eq!(
        own.prompt(&turns()).unwrap(),
        "<s>start [S] Be brief.\n[U] Hi <b>&\n[A] Hey</s>[U] Again\n[A]"
    );
}

#[test]
fn a_template_of_hugging_face_writes_the_prompt() {
    // ChatML, as many models have it.
    let chatml = "{% for message in messages %}\n    {{ '<|im_start|>' + message['role'] + '\\n' + \
                  message['content'] + '<|im_end|>' + '\\n' }}\n{% endfor %}\n{% if add_generation_prompt %}\n    \
                  {{ '<|im_start|>assistant\\n' }}\n{% endif %}";
    let prompt = jinja(chatml).prompt(&turns()).unwrap();
    assert!(prompt.contains("<|im_start|>user\nHi <b>&<|im_end|>\n"), "{prompt}");
    assert!(prompt.trim_end().ends_with("<|im_start|>assistant"), "{prompt}");
    // What templates use beside: namespaces, methods of Python's texts and lists, JSON, tokens, the date.
    let uses = "{{ bos_token }}{% set ns = namespace(n=0) %}{% for m in messages if m.role != 'system' %}\
                {% set ns.n = ns.n + 1 %}{{ m['content'].strip().upper() }}{{ eos_token if not loop.last }}\
                {% endfor %}{{ ns.n }}{{ messages[0] | tojson }}{{ strftime_now('%Y') | length }}\
                {% if 'x'.startswith('x') %}{{ messages[1:] | length }}{% endif %}";
    let prompt = jinja(uses).prompt(&turns()).unwrap();
    assert!(prompt.starts_with("<s>HI <B>&</s>HEY</s>AGAIN3{"), "{prompt}");
    assert!(prompt.contains("\"content\"") && prompt.ends_with("43"), "{prompt}");
}

#[test]
fn a_template_refuses_in_its_own_words() {
    let error = failed("{{ raise_exception('roles must alternate') }}");
    assert_eq!((error.kind(), error.param()), (ErrorKind::BadRequest, Some("messages")));
    assert!(error.message().ends_with("roles must alternate"), "{error}");
}

#[test]
fn a_template_cannot_run_or_write_without_end() {
    let steps = "{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}";
    assert_eq!(failed(steps).message(), "`chat_template` takes too many steps");
    let long = "{% set x = 'aaaaaaaaaaaaaaaa' %}{% for a in range(5000) %}{{ x * 1000 }}{% endfor %}";
    assert_eq!(failed(long).message(), "`chat_template` writes too long a prompt");
    assert_eq!(failed("{{ nothing.of.this }}").kind(), ErrorKind::Internal);
    assert!(failed("{% include 'etc/passwd' %}").message().contains("`chat_template`"));
}

#[test]
fn what_is_wrong_is_told_before_a_call() {
    assert_eq!(OwnTemplate::NONE.fault(), None);
    assert_eq!(jinja("{{ bos_token }}").fault(), None);
    assert!(jinja("{% for %}").fault().unwrap().contains("cannot be read"));
    assert!(jinja(&"x".repeat(LONGEST + 1)).fault().unwrap().contains("at most"));
}
