//! How media by URL are fetched: `user_url_validation` and `user_url_allowed_hosts`, which LiteLLM reads in
//! `litellm_settings` and `general_settings`, and a limit from the environment.

use std::sync::Arc;

use llm_providers::transport::Guard;

use super::{Context, Section};
use crate::config::MediaFetch;
use crate::config::raw::{GENERAL, LITELLM};
use crate::config::source::Node;

/// The largest thing fetched, in MB; nothing is fetched when it is 0.
const LIMIT: &str = "MAX_IMAGE_URL_DOWNLOAD_SIZE_MB";
/// The same unless the environment says otherwise.
const LIMIT_MB: f64 = 50.0;

/// The settings of both sections; those of `litellm_settings` count first.
pub(crate) fn resolve(cx: &mut Context<'_>, litellm: Option<&Node>, general: Option<&Node>) -> MediaFetch {
    let (mut checks, mut exempt) = (None, Vec::new());
    for (name, node, keys) in [("litellm_settings", litellm, LITELLM), ("general_settings", general, GENERAL)]
    {
        let mut section = Section::open(cx, name, node, keys);
        let flag = section.flag("user_url_validation");
        checks = checks.or(flag);
        exempt.extend(section.texts("user_url_allowed_hosts").iter().map(|host| host.trim().to_owned()));
    }
    exempt.retain(|host| !host.is_empty());
    let guard = checks.unwrap_or(true).then(|| Arc::new(Guard { exempt }));
    MediaFetch { guard, max_bytes: max_bytes(cx) }
}

/// A variable that holds no number is as good as not set, but not silently.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "float to integer casts saturate"
)]
fn max_bytes(cx: &mut Context<'_>) -> u64 {
    let given = cx.env.value(LIMIT).map(|text| (text, text.trim().parse::<f64>()));
    let mb = match given {
        None => LIMIT_MB,
        Some((_, Ok(mb))) if mb >= 0.0 => mb,
        Some((text, _)) => {
            tracing::warn!(
                "environment variable `{LIMIT}` is `{text}`, expected a number of MB: {LIMIT_MB} counts"
            );
            LIMIT_MB
        }
    };
    (mb * 1024.0 * 1024.0) as u64
}

#[cfg(test)]
mod tests;
