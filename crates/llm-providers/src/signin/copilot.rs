//! GitHub Copilot: a user's sign-in by device code leaves an access token on disk, which is exchanged for
//! short-lived keys. Keys are kept in a file beside it, as LiteLLM keeps them, so that programs share them.
//!
//! Vendor's page of the device flow:
//! <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#device-flow>.

mod device;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use http::header::{AUTHORIZATION, USER_AGENT};
use http::{HeaderName, Uri};
use llm_types::{Result, Transport};
use serde_json::Value;

use super::fetch::{self, Ask, strange};
use super::given::{fault, file};
use super::{Held, RENEW};

pub use device::{CLIENT, CODE_URL, Device, Progress, TOKEN_URL};

/// Whom messages name.
const WHOM: &str = "GitHub Copilot's token service";
/// Where keys are given.
pub const KEY_URL: &str = "https://api.github.com/copilot_internal/v2/token";
/// Who we say we are: the service answers editors.
const EDITOR: [(&str, &str); 2] =
    [("editor-version", "vscode/1.95.0"), ("editor-plugin-version", "copilot-chat/0.26.7")];
/// As [`EDITOR`].
const AGENT: &str = "GithubCopilot/1.155.0";

/// Where a user's tokens are.
#[derive(Debug, Clone, PartialEq)]
pub struct Copilot {
    /// The file of the access token.
    pub access_token: PathBuf,
    /// The file of the last key.
    pub api_key: PathBuf,
    /// Where keys are given.
    pub url: String,
    /// Whether requests go where the service says; not where the operator says otherwise.
    pub follow: bool,
}

impl Copilot {
    pub(super) async fn fetch(&self, transport: &dyn Transport, now: SystemTime) -> Result<Held> {
        if let Some(answer) = self.kept(now) {
            return self.held(&answer, now);
        }
        let token = file(&self.access_token).map_err(|error| {
            let hint = "sign in with `gateway login github_copilot`";
            let message = format!("{}: {hint}", error.message());
            error.with_message(message)
        })?;
        let mut ask = Ask::get(WHOM, &self.url)
            .header(AUTHORIZATION, &format!("token {}", token.trim()))?
            .header(USER_AGENT, AGENT)?;
        for (name, value) in EDITOR {
            ask = ask.header(HeaderName::from_static(name), value)?;
        }
        let answer = ask.value(transport).await?;
        let held = self.held(&answer, now)?;
        // Who cannot write the file asks again after the next start: no reason to fail.
        write_private(&self.api_key, &answer.to_string()).ok();
        Ok(held)
    }

    /// The key on disk, if it holds a while.
    fn kept(&self, now: SystemTime) -> Option<Value> {
        let text = std::fs::read_to_string(&self.api_key).ok()?;
        let answer: Value = serde_json::from_str(&text).ok()?;
        let end = SystemTime::UNIX_EPOCH + Duration::from_secs(answer.get("expires_at")?.as_u64()?);
        (end > now + RENEW).then_some(answer)
    }

    fn held(&self, answer: &Value, now: SystemTime) -> Result<Held> {
        let token = answer.get("token").and_then(Value::as_str);
        let token = token.ok_or_else(|| strange(WHOM, "no `token`"))?;
        let end = answer.get("expires_at").and_then(Value::as_u64);
        let end = end.ok_or_else(|| strange(WHOM, "no time in `expires_at`"))?;
        let end = SystemTime::UNIX_EPOCH + Duration::from_secs(end.min(100_000_000_000));
        let held = Held::new(fetch::bearer(token)?, Some(end), now);
        let base = answer.pointer("/endpoints/api").and_then(Value::as_str).filter(|_| self.follow);
        let Some(base) = base else { return Ok(held) };
        let base: Uri = base.parse().map_err(|_| strange(WHOM, "no URL in `endpoints.api`"))?;
        Ok(held.at(base))
    }
}

/// Writes a file that only its owner may read.
pub(super) fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

/// Keeps an access token where [`Copilot`] looks for it.
///
/// # Errors
/// [`llm_types::ErrorKind::Unauthenticated`] naming the file that cannot be written.
pub fn keep(path: &Path, token: &llm_types::Secret) -> Result<()> {
    write_private(path, token.reveal()).map_err(|why| {
        fault(format!("`{}` cannot be written: {}", path.display(), why.kind())).with_source(why)
    })
}

#[cfg(test)]
mod tests;
