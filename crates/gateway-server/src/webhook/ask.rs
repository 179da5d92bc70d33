//! What a webhook is asked, and what it answers: pure.

use ring::hmac;
use serde::Deserialize;
use serde_json::{Value, json};

/// What is known of a request when it comes in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'q> {
    pub(super) secret: &'q str,
    pub(super) method: &'q str,
    pub(super) path: &'q str,
    pub(super) address: Option<&'q str>,
}

impl Question<'_> {
    pub(super) fn body(&self) -> String {
        json!({
            "api_key": self.secret,
            "method": self.method,
            "path": self.path,
            "client_ip": self.address,
        })
        .to_string()
    }
}

/// The signature of a question: over the time, a dot and the body, so that it cannot be sent again later.
pub(super) fn signature(secret: &str, timestamp: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("{timestamp}.{body}").as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

/// Who calls, as the webhook says it. A name that is not here is an error: a limit that nobody keeps would be worse.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reply {
    pub(super) user_id: Option<String>,
    pub(super) user_email: Option<String>,
    pub(super) user_role: Option<String>,
    pub(super) team_id: Option<String>,
    pub(super) organization_id: Option<String>,
    pub(super) end_user_id: Option<String>,
    #[serde(default)]
    pub(super) models: Vec<String>,
    #[serde(default)]
    pub(super) allowed_routes: Vec<String>,
    pub(super) rpm_limit: Option<i64>,
    pub(super) tpm_limit: Option<i64>,
    pub(super) max_parallel_requests: Option<i64>,
}

/// Roles a webhook may give.
const ROLES: [&str; 4] = ["proxy_admin", "proxy_admin_viewer", "internal_user", "internal_user_viewer"];

/// Reads a reply that lets a caller in.
///
/// # Errors
/// What is wrong with it, for the log.
pub(super) fn read(body: &[u8]) -> Result<Reply, String> {
    let reply: Reply = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if let Some(role) = reply.user_role.as_deref().filter(|role| !ROLES.contains(role)) {
        return Err(format!("`user_role` is `{role}`, expected one of {ROLES:?}"));
    }
    let numbers = [
        ("rpm_limit", reply.rpm_limit),
        ("tpm_limit", reply.tpm_limit),
        ("max_parallel_requests", reply.max_parallel_requests),
    ];
    if let Some((name, _)) = numbers.iter().find(|(_, number)| number.is_some_and(|number| number < 0)) {
        return Err(format!("`{name}` is negative, expected zero or more"));
    }
    if reply.user_id.is_none() && reply.team_id.is_none() && reply.user_role.is_none() {
        return Err("it names nobody: expected `user_id`, `team_id` or `user_role`".to_owned());
    }
    Ok(reply)
}

/// The words of a refusal, for the caller; short.
pub(super) fn refusal(body: &[u8]) -> String {
    const SHOWN: usize = 200;
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = ["message", "error", "detail"].iter().find_map(|name| value[*name].as_str());
    text.unwrap_or("the key is not accepted").chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}

#[cfg(test)]
mod tests;
