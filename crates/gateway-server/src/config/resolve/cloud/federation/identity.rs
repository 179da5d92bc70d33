//! Where identity tokens come from: what the entry says, else the environment.

use std::path::PathBuf;

use llm_providers::signin::Given;
use llm_providers::signin::Source;
use llm_providers::signin::anthropic::{FOLDERS, Identity, Keycloak, Place, Proof};
use llm_providers::signin::google::{METADATA_HOST, Subject};
use llm_types::Secret;

use super::issuer::{self, ISSUER};
use super::{INTERNAL_ISSUER, Reported, SOURCE, SOURCE_VARIABLE, is_safe};
use crate::config::Env;
use crate::config::resolve::Section;
use crate::config::resolve::cloud::{Said, entra, env};

const FILE: (&str, &str) = ("anthropic_identity_token_file", "ANTHROPIC_IDENTITY_TOKEN_FILE");
const TOKEN: (&str, &str) = ("anthropic_identity_token", "ANTHROPIC_IDENTITY_TOKEN");
/// The folders that files of tokens are read from, instead of the usual ones.
const DIRS: &str = "LITELLM_OIDC_ALLOWED_CREDENTIAL_DIRS";
/// Parameters of Keycloak.
const KEYCLOAK: [&str; 5] = [
    "anthropic_keycloak_token_url",
    "anthropic_keycloak_client_id",
    "anthropic_keycloak_auth_method",
    "anthropic_keycloak_client_secret_ref",
    "anthropic_keycloak_scope",
];

/// What kind of source is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A token of somebody else's: in a file, in the environment, at an address.
    Given,
    /// Tokens that the gateway signs itself.
    Issuer,
    /// Tokens of Keycloak.
    Keycloak,
}

impl Kind {
    /// The parameter that asks for federation in so many words, if one does.
    pub(super) fn asked_for(self, section: &Section<'_, '_, '_>) -> Option<String> {
        let given = [FILE.0, TOKEN.0, SOURCE].into_iter().find(|param| section.gives(param));
        let given = given.or((self != Self::Given).then_some(SOURCE_VARIABLE));
        given.map(str::to_owned)
    }
}

/// The kind. What the environment says for all counts where an entry names no token of its own.
pub(super) fn kind(section: &mut Section<'_, '_, '_>) -> Result<Kind, Reported> {
    let own = section.text(SOURCE).map(|kind| kind.trim().to_owned()).filter(|kind| !kind.is_empty());
    let names_token = section.gives(FILE.0) || section.gives(TOKEN.0);
    let said = own.or_else(|| if names_token { None } else { env(section, [SOURCE_VARIABLE]) });
    match said.as_deref() {
        None => Ok(Kind::Given),
        Some(INTERNAL_ISSUER) => Ok(Kind::Issuer),
        Some("keycloak") => Ok(Kind::Keycloak),
        Some(_) => {
            let found = format!("found another source of identity tokens, here or in `{SOURCE_VARIABLE}`");
            section.error(
                SOURCE,
                found,
                "expected `internal_issuer` or `keycloak`, or none for a token that is given",
            );
            Err(Reported)
        }
    }
}

/// The source.
pub(super) fn resolve(section: &mut Section<'_, '_, '_>, kind: Kind) -> Result<Identity, Reported> {
    match kind {
        Kind::Given => given(section),
        Kind::Issuer => {
            foreign(section, INTERNAL_ISSUER, &KEYCLOAK)?;
            issuer::of(section).map(Identity::Issued)
        }
        Kind::Keycloak => {
            foreign(section, "keycloak", &ISSUER)?;
            keycloak(section).map(Identity::Keycloak)
        }
    }
}

/// Refuses what belongs to another source.
fn foreign(section: &mut Section<'_, '_, '_>, kind: &str, params: &[&str]) -> Result<(), Reported> {
    let Some(param) = params.iter().find(|param| section.gives(param)) else { return Ok(()) };
    let found = format!("found a setting of another source of identity tokens than `{kind}`");
    section.error(param, found, format!("expected none beside `{SOURCE}: {kind}`"));
    Err(Reported)
}

/// A token that is given: the entry's file, the entry's reference, then those of the environment.
fn given(section: &mut Section<'_, '_, '_>) -> Result<Identity, Reported> {
    if let Some(path) = section.secret(FILE.0) {
        return file(section, FILE.0, path.reveal());
    }
    if let Some(reference) = section.secret(TOKEN.0) {
        return referred(section, reference.reveal().trim());
    }
    if let Some(path) = env(section, [FILE.1]) {
        return file(section, FILE.0, &path);
    }
    if let Some(token) = env(section, [TOKEN.1]) {
        return Ok(Identity::Subject(Subject::Given(Given::Text(Secret::new(token)))));
    }
    if !section.gives(FILE.0) && !section.gives(TOKEN.0) {
        let expected = format!("expected `{}` or `{}`, or `{SOURCE}`", FILE.0, TOKEN.0);
        section.error(FILE.0, "found federation without an identity token", expected);
    }
    Err(Reported)
}

fn file(section: &mut Section<'_, '_, '_>, key: &str, path: &str) -> Result<Identity, Reported> {
    let place = place(section.cx.env, path);
    match place.check() {
        Ok(()) => Ok(Identity::File(place)),
        Err(why) => {
            let expected = format!("expected a file in one of these folders (`{DIRS}` names others)");
            section.error(key, format!("found {why}"), expected);
            Err(Reported)
        }
    }
}

/// A file, where files of tokens may be.
pub(super) fn place(env: &Env, path: &str) -> Place {
    let named: Vec<PathBuf> = env
        .value(DIRS)
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|dir| !dir.is_empty())
        .map(PathBuf::from)
        .collect();
    let within = if named.is_empty() { FOLDERS.map(PathBuf::from).into() } else { named };
    Place { path: path.trim().into(), within }
}

/// `oidc/…`: where a token is, as LiteLLM's users write it.
fn referred(section: &mut Section<'_, '_, '_>, text: &str) -> Result<Identity, Reported> {
    let parts = text.strip_prefix("oidc/").map(|rest| rest.split_once('/').unwrap_or((rest, "")));
    let of_variable = |section: &Section<'_, '_, '_>, name: &str| {
        env(section, [name]).map(|token| Identity::Subject(Subject::Given(Given::Text(Secret::new(token)))))
    };
    let found = match parts {
        Some(("file", path)) => return file(section, TOKEN.0, path),
        Some(("env", name)) => of_variable(section, name),
        Some(("circleci", _)) => of_variable(section, "CIRCLE_OIDC_TOKEN"),
        Some(("circleci_v2", _)) => of_variable(section, "CIRCLE_OIDC_TOKEN_V2"),
        Some(("google", audience)) => Some(google(section, audience)),
        Some(("github", audience)) => github(section, audience),
        Some(("azure", scope)) => return azure(section, scope),
        _ => {
            let found = "found no reference to a token";
            let expected = "expected `oidc/env/<name>`, `oidc/file/<path>`, `oidc/google/<audience>`, \
                            `oidc/github/<audience>`, `oidc/azure/<scope>`, `oidc/circleci/` or `oidc/circleci_v2/`";
            section.error(TOKEN.0, found, expected);
            return Err(Reported);
        }
    };
    found.ok_or_else(|| {
        let found = "found a reference to a token that the environment does not have";
        section.error(TOKEN.0, found, "expected the variables it is made of to be set");
        Reported
    })
}

/// The machine's identity, as Google's metadata server tells it.
fn google(section: &Section<'_, '_, '_>, audience: &str) -> Identity {
    let host = env(section, ["GCE_METADATA_HOST"]).unwrap_or_else(|| METADATA_HOST.to_owned());
    let path = "computeMetadata/v1/instance/service-accounts/default/identity";
    Identity::Subject(Subject::Url {
        url: format!("http://{host}/{path}?audience={}", escaped(audience)),
        headers: vec![("metadata-flavor".to_owned(), Secret::new("Google".to_owned()))],
        member: None,
    })
}

/// The identity of a job of GitHub's.
fn github(section: &Section<'_, '_, '_>, audience: &str) -> Option<Identity> {
    let url = env(section, ["ACTIONS_ID_TOKEN_REQUEST_URL"])?;
    let token = env(section, ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"])?;
    let joint = if url.contains('?') { '&' } else { '?' };
    Some(Identity::Subject(Subject::Url {
        url: format!("{url}{joint}audience={}", escaped(audience)),
        headers: vec![("authorization".to_owned(), Secret::new(format!("Bearer {token}")))],
        member: Some("value".to_owned()),
    }))
}

/// The identity of a workload in Azure: the file that is put beside it, else a token of Entra's.
fn azure(section: &mut Section<'_, '_, '_>, scope: &str) -> Result<Identity, Reported> {
    if let Some(path) = env(section, ["AZURE_FEDERATED_TOKEN_FILE"]) {
        // The platform names it, not whoever writes deployments.
        return Ok(Identity::Subject(Subject::Given(Given::File(path.into()))));
    }
    match entra::surrounding(section, scope) {
        Said::Source(Source::Entra(entra)) => Ok(Identity::Entra(Box::new(entra))),
        Said::Wrong => Err(Reported),
        _ => {
            let found = "found `oidc/azure/` where the environment names no identity of Azure";
            section.error(
                TOKEN.0,
                found,
                "expected `AZURE_FEDERATED_TOKEN_FILE`, or an application or managed identity",
            );
            Err(Reported)
        }
    }
}

fn keycloak(section: &mut Section<'_, '_, '_>) -> Result<Keycloak, Reported> {
    let [url_key, client_key, proof_key, secret_key, scope_key] = KEYCLOAK;
    let (Some(url), Some(client)) = (needed(section, url_key), needed(section, client_key)) else {
        return Err(Reported);
    };
    if !is_safe(&url) {
        section.error(
            url_key,
            "found no URL with TLS, where the client's secret may be sent",
            "expected `https://…`",
        );
        return Err(Reported);
    }
    let choices = [("client_secret_basic", Proof::Header), ("client_secret_post", Proof::Form)];
    let proof = match section.choice(proof_key, &choices) {
        Some(proof) => proof,
        None if section.gives(proof_key) => return Err(Reported),
        None => Proof::Header,
    };
    let node = section.value(secret_key);
    let secret = node.map(|node| issuer::referred(node, section.cx.env));
    let Some(Ok(secret)) = secret else {
        let why = secret.and_then(Result::err).unwrap_or("nothing");
        section.error(secret_key, format!("found {why}"), issuer::REFERENCE);
        return Err(Reported);
    };
    let scope = section.text(scope_key).filter(|scope| !scope.trim().is_empty());
    Ok(Keycloak { url, client, secret: Secret::new(secret.trim().to_owned()), proof, scope })
}

fn needed(section: &mut Section<'_, '_, '_>, key: &str) -> Option<String> {
    let said = section.text(key).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if said.is_none() {
        section.error(key, "found nothing", format!("expected it beside `{SOURCE}: keycloak`"));
    }
    said
}

/// Percent-encodes what stands in a query.
fn escaped(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let one = |byte: u8| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(one).collect()
}
