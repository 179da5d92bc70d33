//! The questions to a provider: a token for a code, and who holds the token.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use llm_providers::transport::HyperTransport;
use llm_types::{HttpRequest, Timeouts};
use serde_json::{Map, Value};

use super::provider::Provider;

/// How long a provider may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// The longest answer that is read, bytes.
const LARGEST: usize = 256 * 1024;

/// What a provider gives for a code.
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) id: Option<String>,
}

/// Asks for a token. Why it fails has no secret in it.
///
/// # Errors
/// What the provider says, or why it says nothing.
pub(super) async fn tokens(
    transport: &HyperTransport,
    provider: &Provider,
    form: String,
) -> Result<Tokens, String> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    if let Some(authorization) = provider.authorization() {
        headers.insert(AUTHORIZATION, sensitive(&authorization)?);
    }
    let (_, answer) = ask(transport, Method::POST, &provider.token, headers, form.into()).await?;
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
    let access = text("access_token").filter(|token| !token.is_empty()).ok_or_else(|| {
        let why = text("error_description").or_else(|| text("error")).unwrap_or_default();
        let why: String = why.chars().filter(|c| !c.is_control()).take(200).collect();
        format!("it gave no access token: {why}")
    })?;
    Ok(Tokens { access, id: text("id_token") })
}

/// Asks who holds a token. Where addresses are kept apart, the first that is verified comes in as `email`.
///
/// # Errors
/// Why the provider does not say.
pub(super) async fn person(
    transport: &HyperTransport,
    provider: &Provider,
    access: &str,
) -> Result<Map<String, Value>, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in &provider.headers {
        let name =
            HeaderName::try_from(name.as_str()).map_err(|_| "`GENERIC_SSO_HEADERS` has no header's name")?;
        headers.insert(name, sensitive(value.reveal())?);
    }
    headers.insert(AUTHORIZATION, sensitive(&format!("Bearer {access}"))?);
    let (status, said) =
        ask(transport, Method::GET, &provider.userinfo, headers.clone(), Bytes::new()).await?;
    let Value::Object(mut said) = said else {
        return Err("it says who it is without a JSON object".to_owned());
    };
    if !status.is_success() {
        return Err(format!("it answered status {}", status.as_u16()));
    }
    if let Some(url) = &provider.emails {
        let (_, emails) = ask(transport, Method::GET, url, headers, Bytes::new()).await?;
        // What is on the profile may be anybody's address.
        said.insert("email".to_owned(), verified(&emails).into());
        said.insert("email_verified".to_owned(), true.into());
    }
    Ok(said)
}

/// The primary address if it is verified.
fn verified(emails: &Value) -> Option<&str> {
    let is = |one: &Value, name: &str| one.get(name) == Some(&Value::Bool(true));
    let list = emails.as_array()?;
    list.iter().find(|one| is(one, "primary") && is(one, "verified"))?.get("email")?.as_str()
}

fn sensitive(text: &str) -> Result<HeaderValue, String> {
    let mut value =
        HeaderValue::try_from(text).map_err(|_| "a token or secret is no text for a header".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

/// One question; redirects are not followed.
async fn ask(
    transport: &HyperTransport,
    method: Method,
    url: &str,
    mut headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Value), String> {
    let uri: Uri = url.parse().map_err(|_| format!("`{url}` is not a URL"))?;
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static("gateway"));
    let timeouts = Timeouts {
        connect: Some(PATIENCE),
        first_byte: Some(PATIENCE),
        read: Some(PATIENCE),
        total: Some(PATIENCE),
    };
    let request = HttpRequest { method, uri, headers, body, timeouts };
    let answer = async {
        let mut response = transport.exchange(request).await.map_err(|error| error.to_string())?;
        let mut all = Vec::new();
        while let Some(piece) = response.body.next().await {
            let piece = piece.map_err(|error| error.to_string())?;
            if all.len() + piece.len() > LARGEST {
                return Err("its answer is larger than 256 KB".to_owned());
            }
            all.extend_from_slice(&piece);
        }
        Ok((response.status, all))
    };
    let (status, all) =
        tokio::time::timeout(PATIENCE, answer).await.map_err(|_| "it took too long".to_owned())??;
    let value = serde_json::from_slice(&all);
    value
        .map(|value| (status, value))
        .map_err(|_| format!("it answered status {} without JSON", status.as_u16()))
}
