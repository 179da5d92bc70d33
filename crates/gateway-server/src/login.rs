//! Sign-ins that need a person: by device code, at the command line.

use std::path::PathBuf;
use std::time::SystemTime;

use llm_providers::signin::chatgpt;
use llm_providers::signin::copilot::{CLIENT, CODE_URL, Device, Progress, TOKEN_URL, keep};
use llm_providers::transport::{HyperTransport, TransportOptions};
use llm_types::Result;

use crate::config::Env;
use crate::config::{chatgpt_file, copilot_file};

/// Signs a user in at GitHub Copilot. `ask` is told the page to open and the code to type there; the token
/// is kept where deployments of `github_copilot` look for it. Returns that place.
///
/// # Errors
/// [`llm_types::ErrorKind::Unauthenticated`] when the user refuses, the code gets too old, or the file cannot
/// be written; what the transport fails with.
pub async fn copilot(env: &Env, ask: impl FnOnce(&str, &str)) -> Result<PathBuf> {
    let path = copilot_file(env)?;
    let transport = HyperTransport::new(TransportOptions::from_env()?)?;
    let value = |name: &str, usual: &str| {
        env.first([name]).map_or_else(|| usual.to_owned(), |(_, value)| value.to_owned())
    };
    let code_url = value("GITHUB_COPILOT_DEVICE_CODE_URL", CODE_URL);
    let token_url = value("GITHUB_COPILOT_ACCESS_TOKEN_URL", TOKEN_URL);
    let client = value("GITHUB_COPILOT_CLIENT_ID", CLIENT);
    let device = Device::begin(&transport, &code_url, &client).await?;
    ask(&device.page, &device.code);
    let mut pause = device.pause;
    loop {
        tokio::time::sleep(pause).await;
        match device.ask(&transport, &token_url, &client).await? {
            Progress::Waiting(longer) => pause = longer,
            Progress::Done(token) => {
                keep(&path, &token)?;
                return Ok(path);
            }
        }
    }
}

/// Signs a user in at ChatGPT. `ask` is told the page to open and the code to type there; the tokens are kept
/// where deployments of `chatgpt` look for them. Returns that place.
///
/// # Errors
/// As [`copilot`].
pub async fn chatgpt(env: &Env, ask: impl FnOnce(&str, &str)) -> Result<PathBuf> {
    let path = chatgpt_file(env)?;
    let transport = HyperTransport::new(TransportOptions::from_env()?)?;
    let issuer = env.first(["CHATGPT_AUTH_BASE"]).map_or(chatgpt::ISSUER, |(_, value)| value);
    let device = chatgpt::Device::begin(&transport, issuer.trim_end_matches('/')).await?;
    ask(&device.page, &device.code);
    loop {
        tokio::time::sleep(device.pause).await;
        if let Some(tokens) = device.ask(&transport).await? {
            chatgpt::keep(&path, &tokens, SystemTime::now())?;
            return Ok(path);
        }
    }
}
