//! The files Google's tools write: kinds of credentials by their `type`.

use std::path::PathBuf;

use llm_types::Secret;
use serde_json::Value;

use super::{Google, SigningKey, Subject, TOKEN_URL};
use crate::signin::Given;

impl Google {
    /// Reads a credentials file.
    ///
    /// # Errors
    /// In words, without secrets: what was found where something else was expected.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let json: Value = serde_json::from_str(text).map_err(|_| "text that is not JSON".to_owned())?;
        Self::from_value(&json)
    }

    fn from_value(json: &Value) -> Result<Self, String> {
        let token_url = text(json, "token_uri").unwrap_or(TOKEN_URL).to_owned();
        match text(json, "type") {
            Some("service_account") => Ok(Self::ServiceAccount {
                email: needed(json, "client_email")?,
                key_id: text(json, "private_key_id").map(str::to_owned),
                key: SigningKey::from_pem(&needed(json, "private_key")?)
                    .map_err(|why| format!("`private_key` with {why}"))?,
                token_url,
            }),
            Some("authorized_user") => Ok(Self::User {
                client: needed(json, "client_id")?,
                secret: Secret::new(needed(json, "client_secret")?),
                refresh: Secret::new(needed(json, "refresh_token")?),
                token_url,
            }),
            Some("external_account") => federated(json),
            Some("impersonated_service_account") => {
                let by = json.get("source_credentials").ok_or("no `source_credentials`")?;
                let url = needed(json, "service_account_impersonation_url")?;
                Ok(Self::Impersonated { by: Box::new(Self::from_value(by)?), url })
            }
            Some(other) => Err(format!("credentials of `type` `{other}`, which are not supported")),
            None => Err("JSON without `type`".to_owned()),
        }
    }
}

/// The project a credentials file belongs to.
#[must_use]
pub fn project_of(credentials: &str) -> Option<String> {
    let json: Value = serde_json::from_str(credentials).ok()?;
    text(&json, "project_id").or_else(|| text(&json, "quota_project_id")).map(str::to_owned)
}

fn federated(json: &Value) -> Result<Google, String> {
    let source = json.get("credential_source").ok_or("no `credential_source`")?;
    let member =
        source.pointer("/format/subject_token_field_name").and_then(Value::as_str).map(str::to_owned);
    let subject = match (text(source, "file"), text(source, "url")) {
        (Some(path), _) => Subject::Given(match member {
            Some(member) => Given::JsonFile(PathBuf::from(path), member),
            None => Given::File(PathBuf::from(path)),
        }),
        (None, Some(url)) if text(source, "environment_id").is_none() => {
            let headers = source.get("headers").and_then(Value::as_object).into_iter().flatten();
            let headers = headers
                .filter_map(|(name, value)| Some((name.clone(), Secret::new(value.as_str()?.to_owned()))))
                .collect();
            Subject::Url { url: url.to_owned(), headers, member }
        }
        _ => return Err("a `credential_source` that is neither a `file` nor a `url`".to_owned()),
    };
    let federated = Google::Federated {
        audience: needed(json, "audience")?,
        kind: needed(json, "subject_token_type")?,
        token_url: text(json, "token_url").unwrap_or("https://sts.googleapis.com/v1/token").to_owned(),
        subject,
    };
    Ok(match text(json, "service_account_impersonation_url") {
        Some(url) => Google::Impersonated { by: Box::new(federated), url: url.to_owned() },
        None => federated,
    })
}

fn text<'v>(json: &'v Value, name: &str) -> Option<&'v str> {
    json.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn needed(json: &Value, name: &str) -> Result<String, String> {
    text(json, name).map(str::to_owned).ok_or_else(|| format!("no text `{name}`"))
}
