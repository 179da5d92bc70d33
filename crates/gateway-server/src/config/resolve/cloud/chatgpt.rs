//! Sign-in by a ChatGPT subscription: the file that a user's sign-in left, where LiteLLM leaves it.

use std::path::PathBuf;

use llm_providers::signin::Source;
use llm_providers::signin::chatgpt::{Chatgpt, TOKEN_URL};

use super::{Said, env};
use crate::config::resolve::Section;

/// The file of the environment's user.
pub(super) fn said(section: &mut Section<'_, '_, '_>) -> Said {
    let value = |name: &'static str| env(section, [name]);
    let own = value("CHATGPT_TOKEN_DIR").map(PathBuf::from);
    let usual = || Some(PathBuf::from(value("HOME")?).join(".config/litellm/chatgpt"));
    let name = value("CHATGPT_AUTH_FILE").unwrap_or_else(|| "auth.json".to_owned());
    let Some(folder) = own.or_else(usual) else {
        section.error(
            "model",
            "found no folder with the tokens of a ChatGPT subscription",
            "expected `CHATGPT_TOKEN_DIR` or `HOME` in the environment",
        );
        return Said::Wrong;
    };
    Said::Source(Source::Chatgpt(Chatgpt { file: folder.join(name), url: TOKEN_URL.to_owned() }))
}
