//! Sign-in by device code (RFC 8628): the user types a code at GitHub, we ask until that is done.

use std::time::Duration;

use llm_types::{Result, Secret, Transport};
use serde_json::Value;

use crate::signin::fetch::{Ask, strange};

/// Whom messages name.
const WHOM: &str = "GitHub's device sign-in";
/// Where codes are given.
pub const CODE_URL: &str = "https://github.com/login/device/code";
/// Where codes become tokens.
pub const TOKEN_URL: &str = "https://github.com/login/oauth/access_token";
/// The editor's application: GitHub gives Copilot's keys to its users.
pub const CLIENT: &str = "Iv1.b507a08c87ecfe98";

/// A sign-in that has begun.
#[derive(Debug, Clone)]
pub struct Device {
    /// Where the user goes.
    pub page: String,
    /// What the user types there.
    pub code: String,
    /// How long to wait between two questions.
    pub pause: Duration,
    device: Secret,
}

/// How far a sign-in is.
#[derive(Debug, Clone)]
pub enum Progress {
    /// The user has not finished: ask again after this pause.
    Waiting(Duration),
    /// The access token.
    Done(Secret),
}

impl Device {
    /// Asks for a code at `url` for an application.
    ///
    /// # Errors
    /// As [`crate::signin::Credential::ready`].
    pub async fn begin(transport: &dyn Transport, url: &str, client: &str) -> Result<Self> {
        let ask = Ask::post(WHOM, url).form(&[("client_id", client), ("scope", "read:user")]);
        let answer = ask.value(transport).await?;
        let text = |name: &str| {
            let found = answer.get(name).and_then(Value::as_str).map(str::to_owned);
            found.ok_or_else(|| strange(WHOM, &format!("no `{name}`")))
        };
        Ok(Self {
            page: text("verification_uri")?,
            code: text("user_code")?,
            pause: Duration::from_secs(
                answer.get("interval").and_then(Value::as_u64).unwrap_or(5).clamp(1, 60),
            ),
            device: Secret::new(text("device_code")?),
        })
    }

    /// Asks at `url` whether the user is done.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::Unauthenticated`] when the user refused or the code is too old.
    pub async fn ask(&self, transport: &dyn Transport, url: &str, client: &str) -> Result<Progress> {
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        let pairs = [("client_id", client), ("device_code", self.device.reveal()), ("grant_type", grant)];
        let answer = Ask::post(WHOM, url).form(&pairs).value(transport).await?;
        if let Some(token) = answer.get("access_token").and_then(Value::as_str) {
            return Ok(Progress::Done(Secret::new(token.to_owned())));
        }
        match answer.get("error").and_then(Value::as_str) {
            Some("authorization_pending") => Ok(Progress::Waiting(self.pause)),
            Some("slow_down") => Ok(Progress::Waiting(self.pause + Duration::from_secs(5))),
            Some(word) => Err(crate::signin::given::fault(format!("{WHOM} says `{word}`"))),
            None => Err(strange(WHOM, "no `access_token`")),
        }
    }
}
