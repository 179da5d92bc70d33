//! Sign-in by Microsoft Entra. The order of what counts is LiteLLM's: a token, an application with its
//! secret, a user's name and password, workload identity, managed identity.

use llm_providers::signin::Source;
use llm_providers::signin::entra::{AUTHORITY, Entra, INSTANCE, Proof};
use llm_types::Secret;

use super::{Said, env, given};
use crate::config::resolve::Section;

/// What the entry says.
pub(super) fn said(section: &mut Section<'_, '_, '_>, scope: &str) -> Said {
    let names = ["azure_ad_token", "client_secret", "azure_password"];
    if !names.iter().any(|name| section.gives(name)) {
        return Said::Nothing;
    }
    find(section, scope)
}

/// What the environment says, beside what the entry does.
pub(super) fn surrounding(section: &mut Section<'_, '_, '_>, scope: &str) -> Said {
    find(section, scope)
}

fn find(section: &mut Section<'_, '_, '_>, scope: &str) -> Said {
    let scope = text(section, "azure_scope", "AZURE_SCOPE").unwrap_or_else(|| scope.to_owned());
    let tenant = text(section, "tenant_id", "AZURE_TENANT_ID");
    let client = text(section, "client_id", "AZURE_CLIENT_ID");
    let authority = env(section, ["AZURE_AUTHORITY_HOST"]).unwrap_or_else(|| AUTHORITY.to_owned());
    let application = |proof: Proof, tenant: Option<String>, client: Option<String>| {
        let (tenant, client) = tenant.zip(client)?;
        Some(Source::Entra(Entra::Application {
            authority: authority.clone(),
            tenant,
            client,
            proof,
            scope: scope.clone(),
        }))
    };
    if let Some(token) = text(section, "azure_ad_token", "AZURE_AD_TOKEN") {
        if !token.starts_with("oidc/") {
            return Said::Source(Source::Token(Secret::new(token)));
        }
        let Some(given) = given(section, "azure_ad_token", &token) else { return Said::Wrong };
        return complete(section, "azure_ad_token", application(Proof::Assertion(given), tenant, client));
    }
    let secret = text(section, "client_secret", "AZURE_CLIENT_SECRET").map(Secret::new);
    let user = text(section, "azure_username", "AZURE_USERNAME");
    let password = text(section, "azure_password", "AZURE_PASSWORD").map(Secret::new);
    if let Some((user, password)) = user.zip(password) {
        let proof = Proof::Password(user, password, secret);
        return complete(section, "azure_username", application(proof, tenant, client));
    }
    if let Some(secret) = secret {
        return complete(section, "client_secret", application(Proof::Secret(secret), tenant, client));
    }
    if let Some(path) = env(section, ["AZURE_FEDERATED_TOKEN_FILE"]) {
        let proof = Proof::Assertion(llm_providers::signin::Given::File(path.into()));
        if let Some(source) = application(proof, tenant, client.clone()) {
            return Said::Source(source);
        }
    }
    managed(section, client, scope)
}

/// The managed identity of an app, told by the platform's variables, or of a machine, when asked for by
/// `AZURE_CREDENTIAL=ManagedIdentityCredential`.
fn managed(section: &Section<'_, '_, '_>, client: Option<String>, scope: String) -> Said {
    let endpoint = env(section, ["IDENTITY_ENDPOINT"]);
    let header = env(section, ["IDENTITY_HEADER"]).map(Secret::new);
    if let (Some(endpoint), Some(header)) = (endpoint, header) {
        return Said::Source(Source::Entra(Entra::Managed { endpoint, header: Some(header), client, scope }));
    }
    let wanted = env(section, ["AZURE_CREDENTIAL"]).is_some_and(|name| name == "ManagedIdentityCredential");
    if !wanted {
        return Said::Nothing;
    }
    let endpoint = INSTANCE.to_owned();
    Said::Source(Source::Entra(Entra::Managed { endpoint, header: None, client, scope }))
}

fn complete(section: &mut Section<'_, '_, '_>, key: &str, source: Option<Source>) -> Said {
    if let Some(source) = source {
        return Said::Source(source);
    }
    let found = "found no tenant or application that it belongs to";
    section.error(
        key,
        found,
        "expected `tenant_id` and `client_id` (or `AZURE_TENANT_ID` and `AZURE_CLIENT_ID`)",
    );
    Said::Wrong
}

fn text(section: &mut Section<'_, '_, '_>, key: &str, variable: &str) -> Option<String> {
    let given = section.text(key).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    given.or_else(|| env(section, [variable]))
}
