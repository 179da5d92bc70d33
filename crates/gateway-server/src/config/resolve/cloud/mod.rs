//! What a deployment in a cloud says beside a key: region, project, API version, and who signs in.

mod aws;
mod entra;
mod google;

use llm_providers::cloud::{Cloud, CloudSpec, Identity, Setting};
use llm_providers::signin::{Credential, Source};

use super::Section;

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

/// Who signs in by what the environment and the machine say; `None` when they say nothing.
pub(crate) fn surrounding(section: &mut Section<'_, '_, '_>, cloud: &CloudSpec) -> Said {
    match &cloud.identity {
        Identity::Entra(scope) => entra::surrounding(section, scope),
        Identity::Google => google::surrounding(section),
        Identity::Aws(_) => Said::Source(aws::surrounding(section, cloud)),
        _ => Said::Nothing,
    }
}

/// Region, project and version.
pub(crate) fn settings(section: &mut Section<'_, '_, '_>, spec: &CloudSpec) -> Cloud {
    let project = setting(section, &spec.project);
    let from_credentials = project.is_none() && matches!(spec.identity, Identity::Google);
    Cloud {
        region: setting(section, &spec.region),
        project: project.or_else(|| from_credentials.then(|| google::project(section)).flatten()),
        version: setting(section, &spec.version),
        base_model: None,
        credential: None,
    }
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
    let shared = section.cx.clouds.iter().find(|(name, _)| *name == setting.param);
    let given = given.or_else(|| shared.map(|(_, value)| value.trim().to_owned()));
    given.or_else(|| env(section, setting.env.iter().map(AsRef::as_ref)))
}

/// The first variable that is set.
fn env<'n>(section: &Section<'_, '_, '_>, names: impl IntoIterator<Item = &'n str>) -> Option<String> {
    section.cx.env.first(names).map(|(_, value)| value.to_owned())
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
            Given::Text(llm_types::Secret::new(text.to_owned()))
        });
    };
    let made = match asked.split_once('/') {
        Some(("file", path)) => Some(Given::File(path.into())),
        Some(("env", name)) => env(section, [name]).map(|token| Given::Text(llm_types::Secret::new(token))),
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
