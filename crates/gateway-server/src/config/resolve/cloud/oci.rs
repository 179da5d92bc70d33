//! Sign-in at Oracle Cloud: a user's API key, a session that a user began, or what Oracle gives the functions and
//! jobs it runs (a resource principal).

use llm_providers::signin::oci::{OciKey, Session};
use llm_providers::signin::{Given, Source};
use llm_types::Secret;

use super::{Said, env, pem, text};
use crate::config::resolve::Section;

/// The variables of resource principals (version 2.2): text, or the path of a file.
const PRINCIPAL: [&str; 2] = ["OCI_RESOURCE_PRINCIPAL_RPST", "OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM"];

/// What the entry says, and the environment where it does not.
pub(super) fn said(section: &mut Section<'_, '_, '_>) -> Said {
    if let Some(token) = text(section, "oci_security_token_file", "OCI_SECURITY_TOKEN_FILE") {
        return session(section, token);
    }
    let names =
        [("oci_tenancy", "OCI_TENANCY"), ("oci_user", "OCI_USER"), ("oci_fingerprint", "OCI_FINGERPRINT")];
    let given = names.map(|(param, variable)| text(section, param, variable));
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
        let expected = format!("expected {}", missing.join(", "));
        section.error("oci_key", "found no API key of Oracle Cloud, or not all of it", expected);
        return Said::Wrong;
    };
    Said::Source(Source::Oci(OciKey { tenancy, user, fingerprint, key }))
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
