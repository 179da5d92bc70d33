//! Sign-in at Oracle Cloud: a user's API key.

use llm_providers::signin::{SigningKey, Source, oci::OciKey};

use super::{Said, env};
use crate::config::resolve::Section;

/// What the entry says, and the environment where it does not.
pub(super) fn said(section: &mut Section<'_, '_, '_>) -> Said {
    let mut missing = Vec::new();
    let mut needed = |section: &mut Section<'_, '_, '_>, param: &'static str, variable: &'static str| {
        let given = text(section, param, variable);
        if given.is_none() {
            missing.push(format!("`{param}` (or `{variable}`)"));
        }
        given.unwrap_or_default()
    };
    let tenancy = needed(section, "oci_tenancy", "OCI_TENANCY");
    let user = needed(section, "oci_user", "OCI_USER");
    let fingerprint = needed(section, "oci_fingerprint", "OCI_FINGERPRINT");
    let file = text(section, "oci_key_file", "OCI_KEY_FILE");
    let pem = match (text(section, "oci_key", "OCI_KEY"), file) {
        (Some(pem), _) => pem,
        (None, Some(path)) => match std::fs::read_to_string(&path) {
            Ok(pem) => pem,
            Err(why) => {
                let found = format!("found a file that cannot be read: {}", why.kind());
                section.error("oci_key_file", found, "expected the path of a private key in PEM");
                return Said::Wrong;
            }
        },
        (None, None) => needed(section, "oci_key", "OCI_KEY"),
    };
    if !missing.is_empty() {
        let expected = format!("expected {}", missing.join(", "));
        section.error("oci_key", "found no API key of Oracle Cloud, or not all of it", expected);
        return Said::Wrong;
    }
    // Variables hold line ends as two letters.
    match SigningKey::from_pem(&pem.replace("\\n", "\n")) {
        Ok(key) => Said::Source(Source::Oci(OciKey { tenancy, user, fingerprint, key })),
        Err(why) => {
            section.error("oci_key", format!("found {why}"), "expected a private RSA key in PEM");
            Said::Wrong
        }
    }
}

fn text(section: &mut Section<'_, '_, '_>, key: &str, variable: &str) -> Option<String> {
    let given = section.text(key).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    given.or_else(|| env(section, [variable]))
}
