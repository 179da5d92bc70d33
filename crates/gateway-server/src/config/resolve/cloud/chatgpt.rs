//! Sign-in by a ChatGPT subscription: the file that a user's sign-in left, where LiteLLM leaves it.

use std::path::PathBuf;

use llm_providers::signin::Source;
use llm_providers::signin::chatgpt::{Chatgpt, TOKEN_URL};
use llm_types::{Error, ErrorKind, Origin, Result};

use super::{Said, env};
use crate::config::Env;
use crate::config::resolve::Section;

/// The file of the environment's user.
pub(super) fn said(section: &mut Section<'_, '_, '_>) -> Said {
    let Some(file) = place(|name| env(section, [name])) else {
        section.error(
            "model",
            "found no folder with the tokens of a ChatGPT subscription",
            "expected `CHATGPT_TOKEN_DIR` or `HOME` in the environment",
        );
        return Said::Wrong;
    };
    Said::Source(Source::Chatgpt(Chatgpt { file, url: TOKEN_URL.to_owned() }))
}

/// The file of the tokens.
pub(super) fn tokens(environment: &Env) -> Result<PathBuf> {
    let value = |name: &'static str| environment.first([name]).map(|(_, value)| value.to_owned());
    place(value).ok_or_else(|| {
        let message =
            "found no folder for ChatGPT's tokens, expected `CHATGPT_TOKEN_DIR` or `HOME` in the environment";
        Error::new(ErrorKind::Unauthenticated, message).with_origin(Origin::Gateway)
    })
}

/// The file of the tokens, by the environment.
fn place(value: impl Fn(&'static str) -> Option<String>) -> Option<PathBuf> {
    let own = value("CHATGPT_TOKEN_DIR").map(PathBuf::from);
    let usual = || Some(PathBuf::from(value("HOME")?).join(".config/litellm/chatgpt"));
    let name = value("CHATGPT_AUTH_FILE").unwrap_or_else(|| "auth.json".to_owned());
    Some(own.or_else(usual)?.join(name))
}
