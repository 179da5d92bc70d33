//! What a deployment in a cloud says beside a key: region, project, API version, and who signs in.

mod aicore;
mod aws;
mod chatgpt;
mod copilot;
mod entra;
mod exchange;
mod federation;
mod google;
mod keypair;
mod oci;

use std::path::PathBuf;

use llm_providers::ProviderSpec;
use llm_providers::cloud::{Cloud, CloudSpec, Identity, Setting};
use llm_providers::signin::{Credential, SigningKey, Source};
use llm_types::{Result, Secret};

use super::Section;
use crate::config::Env;

pub(crate) use federation::{INTERNAL_ISSUER, SOURCE, issuer};

/// Who signs in when the deployment has no key, as far as its own parameters say.
pub(crate) enum Said {
    /// They say nothing.
    Nothing,
    /// This one.
    Source(Source),
    /// Something wrong, which is reported.
    Wrong,
}

/// The parameters of sign-in that stand in the entry itself.
pub(crate) fn said(section: &mut Section<'_, '_, '_>, cloud: &CloudSpec) -> Said {
    match &cloud.identity {
        Identity::Entra(scope) => entra::said(section, scope),
        Identity::Google => google::said(section),
        Identity::Aws(_) => aws::said(section, cloud),
        _ => Said::Nothing,
    }
}

/// Where GitHub Copilot's access token is kept.
///
/// # Errors
/// [`llm_types::ErrorKind::Unauthenticated`] when the environment names no folder.
pub(crate) fn copilot_file(environment: &Env) -> Result<PathBuf> {
    copilot::access_token(environment)
}

/// Where a ChatGPT sign-in leaves its tokens.
///
/// # Errors
/// [`llm_types::ErrorKind::Unauthenticated`] when the environment tells no folder.
pub(crate) fn chatgpt_file(environment: &Env) -> Result<PathBuf> {
    chatgpt::tokens(environment)
}

/// The sign-in of vendors that have one of their own, whatever else is said; [`Said::Nothing`] where a key is
/// sent as it is. `key` is the key of the entry or of the environment, `base` the URL the operator gave, if
/// any, and the record's otherwise.
pub(crate) fn own(
    section: &mut Section<'_, '_, '_>,
    spec: &ProviderSpec,
    key: Option<&Secret>,
    base: &Base<'_>,
) -> Said {
    match &spec.cloud.identity {
        Identity::Exchange(exchange) => exchange::said(section, exchange, key, base),
        Identity::Oci => oci::said(section),
        Identity::KeyPair => keypair::said(section, key, base),
        Identity::Aicore => aicore::said(section, key, base),
        Identity::Copilot => copilot::said(section, base),
        Identity::Chatgpt => chatgpt::said(section),
        _ => Said::Nothing,
    }
}

/// The base URL that comes with what signs in.
pub(crate) fn api(section: &Section<'_, '_, '_>, cloud: &CloudSpec) -> Option<String> {
    (cloud.identity == Identity::Aicore).then(|| aicore::api(section)).flatten()
}

/// Where a deployment's requests go.
pub(crate) struct Base<'b> {
    /// The URL.
    pub(crate) url: &'b str,
    /// Whether the operator gave it.
    pub(crate) given: bool,
}

/// Who signs in by what the environment and the machine say; `None` when they say nothing.
pub(crate) fn surrounding(section: &mut Section<'_, '_, '_>, cloud: &CloudSpec, base: &Base<'_>) -> Said {
    match &cloud.identity {
        Identity::Token(names) => token(section, names),
        Identity::Federation(names) => match token(section, names) {
            Said::Nothing => federation::surrounding(section, base),
            token => {
                federation::unused(section);
                token
            }
        },
        Identity::Entra(scope) => entra::surrounding(section, scope),
        Identity::Google => google::surrounding(section),
        Identity::Aws(_) => Said::Source(aws::surrounding(section, cloud)),
        _ => Said::Nothing,
    }
}

/// Tells of what an entry says of sign-in in vain, for it has a key.
pub(crate) fn with_key(section: &mut Section<'_, '_, '_>, cloud: &CloudSpec) {
    if matches!(cloud.identity, Identity::Federation(_)) {
        federation::unused(section);
    }
}

/// A token of the environment.
fn token(section: &Section<'_, '_, '_>, names: &[std::borrow::Cow<'_, str>]) -> Said {
    let token = env(section, names.iter().map(AsRef::as_ref));
    token.map_or(Said::Nothing, |token| Said::Source(Source::Token(Secret::new(token))))
}

/// Region, project and version.
pub(crate) fn settings(section: &mut Section<'_, '_, '_>, spec: &CloudSpec) -> Cloud {
    let project = setting(section, &spec.project);
    let from_credentials = project.is_none() && matches!(spec.identity, Identity::Google);
    Cloud {
        region: setting(section, &spec.region),
        project: project.or_else(|| from_credentials.then(|| google::project(section)).flatten()),
        version: setting(section, &spec.version),
        more: more(section, spec),
        base_model: None,
        credential: None,
    }
}

/// What else the cloud's URLs and bodies name.
fn more(section: &mut Section<'_, '_, '_>, spec: &CloudSpec) -> Vec<(String, String)> {
    let said = |one: &Setting| Some((one.param.to_string(), setting(section, one)?));
    spec.more.iter().filter_map(said).collect()
}

/// The credential of a source.
pub(crate) fn credential(source: Source) -> std::sync::Arc<Credential> {
    Credential::shared(source)
}

/// A setting: as the entry has it, else as the file has it for all, else as the environment.
pub(crate) fn setting(section: &mut Section<'_, '_, '_>, setting: &Setting) -> Option<String> {
    if setting.param.is_empty() {
        return None;
    }
    let given =
        section.text(&setting.param).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let names = |name: &str| name == setting.param || setting.env.iter().any(|variable| variable == name);
    let shared = section.cx.clouds.iter().find(|(name, _)| names(name));
    let given = given.or_else(|| shared.map(|(_, value)| value.trim().to_owned()));
    given.or_else(|| env(section, setting.env.iter().map(AsRef::as_ref)))
}

/// The first variable that is set.
fn env<'n>(section: &Section<'_, '_, '_>, names: impl IntoIterator<Item = &'n str>) -> Option<String> {
    section.cx.env.first(names).map(|(_, value)| value.to_owned())
}

/// A parameter of the entry, or the variable that stands in for it; nothing where it is empty.
fn text(section: &mut Section<'_, '_, '_>, key: &str, variable: &str) -> Option<String> {
    let given = section.text(key).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    given.or_else(|| env(section, [variable]))
}

/// A private key: its text, or the path of its file, each a parameter and the variable that stands in for it; an
/// error is reported.
fn pem(
    section: &mut Section<'_, '_, '_>,
    (key, variable): (&str, &str),
    (file, file_variable): (&str, &str),
) -> std::result::Result<Option<SigningKey>, ()> {
    let path = text(section, file, file_variable);
    let pem = match (text(section, key, variable), path) {
        (Some(pem), _) => pem,
        (None, Some(path)) => match std::fs::read_to_string(&path) {
            Ok(pem) => pem,
            Err(why) => {
                let found = format!("found a file that cannot be read: {}", why.kind());
                section.error(file, found, "expected the path of a private key in PEM");
                return Err(());
            }
        },
        (None, None) => return Ok(None),
    };
    // Variables hold line ends as two letters.
    SigningKey::from_pem(&pem.replace("\\n", "\n")).map(Some).map_err(|why| {
        section.error(key, format!("found {why}"), "expected a private RSA key in PEM");
    })
}

/// A token that somebody else makes, as LiteLLM's users write it: `oidc/file/<path>`, `oidc/env/<name>`,
/// `oidc/env_path/<name>` (a variable that holds a path), a path, or the token itself.
fn given(section: &mut Section<'_, '_, '_>, key: &str, text: &str) -> Option<llm_providers::signin::Given> {
    use llm_providers::signin::Given;
    let text = text.trim();
    let Some(asked) = text.strip_prefix("oidc/") else {
        return Some(if text.starts_with('/') {
            Given::File(text.into())
        } else {
            Given::Text(Secret::new(text.to_owned()))
        });
    };
    let made = match asked.split_once('/') {
        Some(("file", path)) => Some(Given::File(path.into())),
        Some(("env", name)) => env(section, [name]).map(|token| Given::Text(Secret::new(token))),
        Some(("env_path", name)) => env(section, [name]).map(|path| Given::File(path.into())),
        _ => None,
    };
    if made.is_none() {
        let found = "found an `oidc/` reference that leads nowhere";
        let expected = "expected `oidc/file/<path>`, or `oidc/env/<name>` or `oidc/env_path/<name>` with a \
                        variable that is set";
        section.error(key, found, expected);
    }
    made
}

#[cfg(test)]
mod tests;
