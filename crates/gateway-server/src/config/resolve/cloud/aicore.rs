//! Sign-in at SAP AI Core: a service key, or its parts in the environment.

use llm_providers::signin::{Exchanged, Source, aicore::Aicore};
use llm_types::Secret;
use serde_json::Value;

use super::{Base, Said, env};
use crate::config::resolve::Section;

/// A service key's parts.
#[derive(Default)]
struct Parts {
    client: Option<String>,
    secret: Option<String>,
    auth: Option<String>,
    api: Option<String>,
}

/// What signs in: the service key of the entry (`api_key`), of `AICORE_SERVICE_KEY`, or `AICORE_CLIENT_ID` and
/// its neighbours.
pub(super) fn said(section: &mut Section<'_, '_, '_>, key: Option<&Secret>, base: &Base<'_>) -> Said {
    let written = key.map(|key| key.reveal().clone()).or_else(|| env(section, ["AICORE_SERVICE_KEY"]));
    let parts = match written.as_deref().map(serde_json::from_str::<Value>) {
        Some(Ok(json)) => Parts::of(&json),
        // A key that is no service key is a token.
        Some(Err(_)) if section.gives("api_key") => return Said::Nothing,
        Some(Err(_)) => {
            section.error(
                "api_key",
                "found a service key that is not JSON",
                "expected the JSON text of a service key of SAP AI Core",
            );
            return Said::Wrong;
        }
        None => Parts::default(),
    };
    let client = parts.client.or_else(|| env(section, ["AICORE_CLIENT_ID"]));
    let secret = parts.secret.or_else(|| env(section, ["AICORE_CLIENT_SECRET"]));
    let auth = parts.auth.or_else(|| env(section, ["AICORE_AUTH_URL"]));
    let api = parts.api.or_else(|| env(section, ["AICORE_BASE_URL"]));
    let (Some(client), Some(secret), Some(auth)) = (client, secret, auth) else {
        section.error(
            "api_key",
            "found no service key of SAP AI Core, or not all of it",
            "expected `AICORE_SERVICE_KEY` in the environment with `clientid`, `clientsecret` and `url`",
        );
        return Said::Wrong;
    };
    let group = super::setting(section, &GROUP).unwrap_or_else(|| GROUP.default.to_string());
    let form = [("grant_type", "client_credentials"), ("client_id", &client), ("client_secret", &secret)];
    let exchange = Exchanged {
        whom: "SAP AI Core's token service".to_owned(),
        url: token_url(&auth),
        headers: Vec::new(),
        form: form.map(|(name, value)| (name.to_owned(), Secret::new(value.to_owned()))).into(),
    };
    Said::Source(Source::Aicore(Aicore { exchange, api: api.filter(|_| !base.given), group }))
}

/// The API's URL that a service key names.
pub(in crate::config::resolve) fn api(section: &Section<'_, '_, '_>) -> Option<String> {
    let key: Value = serde_json::from_str(&env(section, ["AICORE_SERVICE_KEY"])?).ok()?;
    Parts::of(&key).api
}

const GROUP: llm_providers::cloud::Setting = llm_providers::cloud::Setting {
    param: std::borrow::Cow::Borrowed("resource_group"),
    env: std::borrow::Cow::Borrowed(&[std::borrow::Cow::Borrowed("AICORE_RESOURCE_GROUP")]),
    default: std::borrow::Cow::Borrowed("default"),
};

impl Parts {
    fn of(key: &Value) -> Self {
        // Bound services have their key inside `credentials`.
        let key = key.get("credentials").unwrap_or(key);
        let text = |pointer: &str| {
            let text = key.pointer(pointer).and_then(Value::as_str).map(|text| text.trim().to_owned());
            text.filter(|text| !text.is_empty())
        };
        Self {
            client: text("/clientid"),
            secret: text("/clientsecret"),
            auth: text("/url"),
            api: text("/serviceurls/AI_API_URL"),
        }
    }
}

fn token_url(auth: &str) -> String {
    let auth = auth.trim_end_matches('/');
    if auth.ends_with("/oauth/token") { auth.to_owned() } else { format!("{auth}/oauth/token") }
}
