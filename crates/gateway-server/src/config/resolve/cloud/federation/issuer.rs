//! The gateway as its own identity provider: what tokens it signs say, and the key they are signed with.

use std::time::Duration;

use llm_providers::signin::EcKey;
use llm_providers::signin::anthropic::Issuer;

use super::identity::place;
use super::{Reported, SOURCE};
use crate::config::Env;
use crate::config::resolve::Section;
use crate::config::resolve::section::{count_of, text_of};
use crate::config::source::{Node, Tree};

/// Parameters of the issuer.
pub(super) const ISSUER: [&str; 5] = [
    "anthropic_issuer_url",
    "anthropic_issuer_subject",
    "anthropic_issuer_audience",
    "anthropic_issuer_ttl_seconds",
    "anthropic_issuer_signing_key_ref",
];
/// What may stand where a secret is referred to.
pub(super) const REFERENCE: &str = "expected a reference to it: `os.environ/<name>`, the name of a variable, `oidc/env/<name>` or `oidc/file/<path>`";
/// How long a token holds where nothing is said, seconds.
const LIFE: u64 = 300;
/// The longest life of a token, seconds.
const LONGEST: u64 = 3_600;

/// What is wrong: the parameter, what was found, what was expected.
pub(crate) struct Wrong {
    pub(crate) key: &'static str,
    pub(crate) found: String,
    pub(crate) expected: String,
}

/// The issuer of an entry.
pub(super) fn of(section: &mut Section<'_, '_, '_>) -> Result<Issuer, Reported> {
    let env = section.cx.env;
    let nodes = ISSUER.map(|key| (key, section.value(key)));
    issuer(|key| nodes.iter().find(|(name, _)| *name == key).and_then(|(_, node)| *node), env).map_err(
        |wrong| {
            section.error(wrong.key, wrong.found, wrong.expected);
            Reported
        },
    )
}

/// The issuer that settings describe.
///
/// # Errors
/// What is wrong with them, without secrets.
pub(crate) fn issuer<'n>(said: impl Fn(&str) -> Option<&'n Node>, env: &Env) -> Result<Issuer, Wrong> {
    let [url, subject, audience, life, key] = ISSUER;
    let text = |key: &str| {
        let text = said(key).and_then(text_of).map(|text| text.trim().to_owned());
        text.filter(|text| !text.is_empty())
    };
    let needed = |key: &'static str| {
        let expected = format!("expected it beside `{SOURCE}: internal_issuer`");
        text(key).ok_or_else(|| Wrong { key, found: "found nothing".to_owned(), expected })
    };
    let (url, subject) = (needed(url)?, needed(subject)?);
    let seconds = said(life).map_or(Some(LIFE), count_of).filter(|seconds| (1..=LONGEST).contains(seconds));
    let seconds = seconds.ok_or_else(|| Wrong {
        key: life,
        found: "found another life of identity tokens".to_owned(),
        expected: format!("expected 1 to {LONGEST} seconds"),
    })?;
    let wrong = |found: String, expected: &str| Wrong { key, found, expected: expected.to_owned() };
    let node = said(key).ok_or_else(|| wrong("found no signing key".to_owned(), REFERENCE))?;
    let pem = referred(node, env).map_err(|why| wrong(format!("found {why}"), REFERENCE))?;
    // Variables hold line ends as two letters.
    let key = EcKey::from_pem(&pem.replace("\\n", "\n"))
        .map_err(|why| wrong(format!("found {why}"), "expected a private key in PEM, on the curve P-256"))?;
    Ok(Issuer { url, subject, audience: text(audience), life: Duration::from_secs(seconds), key })
}

/// The secret that a setting refers to. What is no reference may be the secret itself: it is not shown.
///
/// # Errors
/// What stands there instead, in words.
pub(super) fn referred(node: &Node, env: &Env) -> Result<String, &'static str> {
    const ELSEWHERE: [&str; 3] = ["hashicorp_vault/", "aws_secret_manager/", "google_secret_manager/"];
    let text = match &node.tree {
        Tree::FromEnv(value, _) => return Ok(value.clone()),
        Tree::Text(text) => text.trim(),
        _ => return Err("no reference to a secret"),
    };
    if ELSEWHERE.iter().any(|prefix| text.starts_with(prefix)) {
        return Err("a reference to a secret manager: secrets come from the environment and from files only");
    }
    if let Some(path) = text.strip_prefix("oidc/file/") {
        return place(env, path)
            .read()
            .map_err(|_| "a file that cannot be read, or stands where none may be");
    }
    let name = text.strip_prefix("oidc/env/").unwrap_or(text);
    env.value(name).map(str::to_owned).ok_or("no reference to a secret that is there")
}
