//! Templates of prompts that operators bring along, for models that complete prompts.

use std::borrow::Cow;

use llm_providers::dialects::prompt::own::{HUB, Hub, is_hub_name};
use llm_providers::dialects::prompt::{OwnTemplate, Template};
use llm_types::Secret;
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
        hub: None,
    };
    let template = OwnTemplate { roles: roles(section).into(), ..template };
    if let Some(fault) = template.fault() {
        section.error("chat_template", format!("found a template, but {fault}"), "expected a Jinja template");
        return OwnTemplate::NONE;
    }
    if template.is_none() { OwnTemplate { hub: at_hub(section), ..template } } else { template }
}

/// The template beside the model that `hf_model_name` names at Hugging Face, where that name does not tell its
/// marks.
fn at_hub(section: &mut Section<'_, '_, '_>) -> Option<std::sync::Arc<Hub>> {
    let name = section.text("hf_model_name")?;
    if !is_hub_name(&name) {
        let expected = "expected a model's name at Hugging Face, such as `meta-llama/Llama-2-7b-chat-hf`";
        section.error("hf_model_name", format!("found `{name}`"), expected);
        return None;
    }
    if Template::is_told_by(&name) {
        return None;
    }
    let value =
        |names: &[&str]| section.cx.env.first(names.iter().copied()).map(|(_, value)| value.to_owned());
    let endpoint = value(&["HF_ENDPOINT"]).unwrap_or_else(|| HUB.to_owned());
    let token = value(&["HF_TOKEN", "HUGGINGFACE_API_KEY"]).map(Secret::new);
    Some(Hub::shared(&name, &endpoint, token))
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
