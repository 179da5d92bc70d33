//! Sign-in at GitHub Copilot: the files that a user's sign-in left, where LiteLLM leaves them.

use std::path::PathBuf;

use llm_providers::signin::{
    Source,
    copilot::{Copilot, KEY_URL},
};

use llm_types::{Error, ErrorKind, Origin, Result};

use super::{Base, Said, env};
use crate::config::Env;
use crate::config::resolve::Section;

/// The usual name of the access token's file.
const ACCESS_TOKEN: &str = "access-token";

/// The files of the environment's user.
pub(super) fn said(section: &mut Section<'_, '_, '_>, base: &Base<'_>) -> Said {
    let Some(folder) = folder(|name| env(section, [name])) else {
        section.error(
            "model",
            "found no folder with GitHub Copilot's tokens",
            "expected `GITHUB_COPILOT_TOKEN_DIR` or `HOME` in the environment",
        );
        return Said::Wrong;
    };
    let file = |variable: &str, usual: &str| {
        folder.join(env(section, [variable]).unwrap_or_else(|| usual.to_owned()))
    };
    Said::Source(Source::Copilot(Copilot {
        access_token: file("GITHUB_COPILOT_ACCESS_TOKEN_FILE", ACCESS_TOKEN),
        api_key: file("GITHUB_COPILOT_API_KEY_FILE", "api-key.json"),
        url: env(section, ["GITHUB_COPILOT_API_KEY_URL"]).unwrap_or_else(|| KEY_URL.to_owned()),
        follow: !base.given,
    }))
}

/// The file of the access token.
pub(super) fn access_token(environment: &Env) -> Result<PathBuf> {
    let value = |name: &'static str| environment.first([name]).map(|(_, value)| value.to_owned());
    let folder = folder(value).ok_or_else(|| {
        let message = "found no folder for GitHub Copilot's tokens, expected `GITHUB_COPILOT_TOKEN_DIR` or `HOME` \
                       in the environment";
        Error::new(ErrorKind::Unauthenticated, message).with_origin(Origin::Gateway)
    })?;
    let name = value("GITHUB_COPILOT_ACCESS_TOKEN_FILE");
    Ok(folder.join(name.unwrap_or_else(|| ACCESS_TOKEN.to_owned())))
}

/// The folder of the tokens, by the environment.
fn folder(value: impl Fn(&'static str) -> Option<String>) -> Option<PathBuf> {
    let own = value("GITHUB_COPILOT_TOKEN_DIR").map(PathBuf::from);
    own.or_else(|| Some(PathBuf::from(value("HOME")?).join(".config/litellm/github_copilot")))
}
