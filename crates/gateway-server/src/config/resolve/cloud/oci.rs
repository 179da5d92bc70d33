//! Sign-in at Oracle Cloud: a user's API key, a session that a user began, what Oracle gives the functions and
//! jobs it runs (a resource principal), or the instance this process runs on.

use llm_providers::signin::oci::{INSTANCE, Instance, OciKey, Session};
use llm_providers::signin::{Given, Source};
use llm_types::Secret;

use super::{Said, env, pem, text};
use crate::config::resolve::Section;

/// The variables of resource principals (version 2.2): text, or the path of a file.
const PRINCIPAL: [&str; 2] = ["OCI_RESOURCE_PRINCIPAL_RPST", "OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM"];

/// How Oracle's own tools are told who signs in, and the word for the instance.
const AUTH: (&str, &str) = ("OCI_CLI_AUTH", "instance_principal");

/// What the entry says, and the environment where it does not.
pub(super) fn said(section: &mut Section<'_, '_, '_>) -> Said {
    let as_instance = section.flag("oci_instance_principal");
    if as_instance == Some(true) {
        return Said::Source(instance(section));
    }
    if let Some(token) = text(section, "oci_security_token_file", "OCI_SECURITY_TOKEN_FILE") {
        return session(section, token);
    }
    let names =
        [("oci_tenancy", "OCI_TENANCY"), ("oci_user", "OCI_USER"), ("oci_fingerprint", "OCI_FINGERPRINT")];
    let given = names.map(|(param, variable)| text(section, param, variable));
    let nothing_else = as_instance.is_none() && given.iter().all(Option::is_none);
    if nothing_else && env(section, [AUTH.0]).is_some_and(|said| said == AUTH.1) {
        return Said::Source(instance(section));
    }
    if given.iter().all(Option::is_none)
        && let [Some(token), Some(key)] = PRINCIPAL.map(|variable| env(section, [variable]))
    {
        return Said::Source(Source::OciSession(Session {
            token: text_or_file(token),
            key: text_or_file(key),
        }));
    }
    let Ok(key) = pem(section, ("oci_key", "OCI_KEY"), ("oci_key_file", "OCI_KEY_FILE")) else {
        return Said::Wrong;
    };
    let names = names.into_iter().chain([("oci_key", "OCI_KEY")]);
    let there = given.iter().map(Option::is_some).chain([key.is_some()]);
    let missing: Vec<String> = names
        .zip(there)
        .filter(|(_, there)| !there)
        .map(|((param, variable), _)| format!("`{param}` (or `{variable}`)"))
        .collect();
    let ([Some(tenancy), Some(user), Some(fingerprint)], Some(key)) = (given, key) else {
        let missing = missing.join(", ");
        let expected =
            format!("expected {missing}; on an instance of Oracle's `oci_instance_principal: true`");
        section.error("oci_key", "found no API key of Oracle Cloud, or not all of it", expected);
        return Said::Wrong;
    };
    Said::Source(Source::Oci(OciKey { tenancy, user, fingerprint, key }))
}

/// The instance, whose services may stand elsewhere than usual.
fn instance(section: &Section<'_, '_, '_>) -> Source {
    Source::OciInstance(Instance {
        metadata: env(section, ["OCI_METADATA_BASE_URL"]).unwrap_or_else(|| INSTANCE.to_owned()),
        tokens: env(section, ["OCI_SDK_AUTH_CLIENT_REGION_URL"]),
    })
}

/// A session that `oci session authenticate` began: it leaves a token and a key in files, and replaces them when
/// it is refreshed.
fn session(section: &mut Section<'_, '_, '_>, token: String) -> Said {
    let key = text(section, "oci_key_file", "OCI_KEY_FILE").map(|path| Given::File(path.into()));
    let key = key.or_else(|| text(section, "oci_key", "OCI_KEY").map(|text| as_pem(&text)));
    let Some(key) = key else {
        let expected = "expected `oci_key_file` (or `OCI_KEY_FILE`), the session's private key";
        section.error("oci_security_token_file", "found a session's token without its key", expected);
        return Said::Wrong;
    };
    Said::Source(Source::OciSession(Session { token: Given::File(token.into()), key }))
}

fn text_or_file(said: String) -> Given {
    if said.starts_with('/') { Given::File(said.into()) } else { as_pem(&said) }
}

/// Variables hold line ends as two letters.
fn as_pem(text: &str) -> Given {
    Given::Text(Secret::new(text.replace("\\n", "\n")))
}
