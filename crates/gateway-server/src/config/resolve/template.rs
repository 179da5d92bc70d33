//! Templates of prompts that operators bring along, for models that complete prompts.

use std::borrow::Cow;

use llm_providers::dialects::prompt::OwnTemplate;
use serde_json::{Map, Value};

use super::Section;

/// The roles there are.
const ROLES: [&str; 4] = ["system", "user", "assistant", "tool"];

/// The template of a deployment; what is wrong with it is reported.
pub(super) fn own(section: &mut Section<'_, '_, '_>) -> OwnTemplate {
    let mut text = |key: &str| Cow::Owned(section.text(key).unwrap_or_default());
    let template = OwnTemplate {
        chat_template: text("chat_template"),
        initial_prompt_value: text("initial_prompt_value"),
        final_prompt_value: text("final_prompt_value"),
        bos_token: text("bos_token"),
        eos_token: text("eos_token"),
        roles: Cow::Borrowed(&[]),
    };
    let template = OwnTemplate { roles: roles(section).into(), ..template };
    if let Some(fault) = template.fault() {
        section.error("chat_template", format!("found a template, but {fault}"), "expected a Jinja template");
        return OwnTemplate::NONE;
    }
    template
}

/// What stands before and after the turns of each role.
fn roles(
    section: &mut Section<'_, '_, '_>,
) -> Vec<(Cow<'static, str>, Cow<'static, str>, Cow<'static, str>)> {
    let given: Map<String, Value> = section.map("roles");
    let mut all = Vec::with_capacity(given.len());
    for (role, marks) in given {
        let mark = |name: &str| match marks.get(name) {
            None | Some(Value::Null) => Some(String::new()),
            Some(text) => text.as_str().map(str::to_owned),
        };
        let known = ROLES.contains(&&*role) && marks.is_object();
        let Some((before, after)) = mark("pre_message").zip(mark("post_message")).filter(|_| known) else {
            let found = format!("found `{role}` with `{marks}`");
            let expected = "expected one of `system`, `user`, `assistant` and `tool` with texts `pre_message` and \
                            `post_message`";
            section.error("roles", found, expected);
            continue;
        };
        all.push((role.into(), before.into(), after.into()));
    }
    all
}
