//! Sign-in by device code: the user types a code at OpenAI, we ask until that is done, and exchange what we are
//! given for tokens.
//!
//! Facts: the open source of Codex (`codex-rs/login`, its device code sign-in).

use std::path::Path;
use std::time::{Duration, SystemTime};

use http::StatusCode;
use llm_types::{Result, Secret, Transport};
use serde_json::{Value, json};

use super::super::jwt::claims;
use super::{CLIENT, renew};
use crate::signin::copilot::write_private;
use crate::signin::fetch::{Ask, strange};
use crate::signin::given::fault;

/// Whom messages name.
const WHOM: &str = "OpenAI's device sign-in";
/// Who signs users in.
pub const ISSUER: &str = "https://auth.openai.com";

/// A sign-in that has begun.
#[derive(Debug, Clone)]
pub struct Device {
    /// Where the user goes.
    pub page: String,
    /// What the user types there.
    pub code: String,
    /// How long to wait between two questions.
    pub pause: Duration,
    issuer: String,
    device: Secret,
}

impl Device {
    /// Asks an issuer for a code.
    ///
    /// # Errors
    /// As [`crate::signin::Credential::ready`].
    pub async fn begin(transport: &dyn Transport, issuer: &str) -> Result<Self> {
        let url = format!("{issuer}/api/accounts/deviceauth/usercode");
        let answer = Ask::post(WHOM, &url).json(&json!({"client_id": CLIENT})).value(transport).await?;
        let text = |names: &[&str]| {
            let found = names.iter().find_map(|name| answer.get(*name)?.as_str());
            found.map(str::to_owned).ok_or_else(|| strange(WHOM, &format!("no `{}`", names[0])))
        };
        // The pause is written as a number or as text.
        let pause = answer.get("interval");
        let pause = pause.and_then(|pause| pause.as_u64().or_else(|| pause.as_str()?.trim().parse().ok()));
        Ok(Self {
            page: format!("{issuer}/codex/device"),
            code: text(&["user_code", "usercode"])?,
            pause: Duration::from_secs(pause.unwrap_or(5).clamp(1, 60)),
            issuer: issuer.to_owned(),
            device: Secret::new(text(&["device_auth_id"])?),
        })
    }

    /// Asks whether the user is done: the tokens, or `None` while not.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::Unauthenticated`] when the user refused or the code is too old; what the
    /// transport fails with.
    pub async fn ask(&self, transport: &dyn Transport) -> Result<Option<Value>> {
        let url = format!("{}/api/accounts/deviceauth/token", self.issuer);
        let body = json!({"device_auth_id": self.device.reveal(), "user_code": self.code});
        let (status, answer) = Ask::post(WHOM, &url).json(&body).answer(transport).await?;
        match status {
            // The service knows no other way to say that it waits.
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => return Ok(None),
            status if !status.is_success() => {
                return Err(fault(format!("{WHOM} answered status {}", status.as_u16())));
            }
            _ => {}
        }
        let answer: Value =
            serde_json::from_str(&answer).map_err(|_| strange(WHOM, "something that is not JSON"))?;
        let text = |name: &str| {
            let found = answer.get(name).and_then(Value::as_str);
            found.ok_or_else(|| strange(WHOM, &format!("no `{name}`")))
        };
        let callback = format!("{}/deviceauth/callback", self.issuer);
        let asked = [
            ("grant_type", "authorization_code"),
            ("code", text("authorization_code")?),
            ("redirect_uri", &callback),
            ("client_id", CLIENT),
            ("code_verifier", text("code_verifier")?),
        ];
        let url = format!("{}/oauth/token", self.issuer);
        Ask::post(WHOM, &url).form(&asked).value(transport).await.map(Some)
    }
}

/// Keeps tokens where [`super::Chatgpt`] looks for them, as LiteLLM writes them.
///
/// # Errors
/// [`llm_types::ErrorKind::BadUpstream`] when there is no token among them;
/// [`llm_types::ErrorKind::Unauthenticated`] naming the file that cannot be written.
pub fn keep(path: &Path, tokens: &Value, now: SystemTime) -> Result<()> {
    let mut kept = json!({});
    renew(&mut kept, tokens, now);
    for name in ["access_token", "refresh_token"] {
        if !kept[name].is_string() {
            return Err(strange(WHOM, &format!("no `{name}`")));
        }
    }
    let end = kept["access_token"].as_str().and_then(|token| claims(token).get("exp")?.as_u64());
    if let Some(end) = end.filter(|_| kept.get("expires_at").is_none()) {
        kept["expires_at"] = end.into();
    }
    write_private(path, &kept.to_string()).map_err(|why| {
        fault(format!("`{}` cannot be written: {}", path.display(), why.kind())).with_source(why)
    })
}

#[cfg(test)]
mod tests;
