//! `custom_auth`: the address of a webhook. A Python function cannot be run here.

use std::time::Duration;

use super::{Context, Section};
use crate::config::AuthWebhook;
use crate::config::raw::{AUTH_WEBHOOK, GENERAL};
use crate::config::source::Node;

const PATH: &str = "general_settings.custom_auth_settings";
/// How often the webhook is asked.
const MODES: [(&str, Mode); 3] = [("on", Mode::On), ("auto", Mode::Auto), ("off", Mode::Off)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    On,
    Auto,
    Off,
}

/// The webhook, if callers are proved by one.
pub(super) fn resolve(cx: &mut Context<'_>, general: Option<&Node>) -> Option<AuthWebhook> {
    let mut section = Section::open(cx, "general_settings", general, GENERAL);
    let said = section.text("custom_auth");
    let settings = section.mapping("custom_auth_settings");
    let url = said.as_deref().and_then(|said| url(&mut section, said));
    let mut section = Section::open(cx, PATH, settings, AUTH_WEBHOOK);
    section.review();
    let mode = section.choice("mode", &MODES).unwrap_or(Mode::On);
    let seconds = |section: &mut Section<'_, '_, '_>, key: &str, usual: u64| {
        section.seconds(key).unwrap_or(Duration::from_secs(usual))
    };
    let webhook = AuthWebhook {
        url: url?,
        secret: section.secret("secret"),
        timeout: seconds(&mut section, "timeout", 5),
        cache: seconds(&mut section, "cache_ttl", 10),
        alone: mode == Mode::On,
    };
    (mode != Mode::Off).then_some(webhook)
}

fn url(section: &mut Section<'_, '_, '_>, said: &str) -> Option<http::Uri> {
    let uri: Option<http::Uri> = said.parse().ok();
    let uri = uri.filter(|uri| uri.host().is_some() && matches!(uri.scheme_str(), Some("http" | "https")));
    if uri.is_none() {
        let found = format!("found `{said}`, which looks like a Python function");
        let expected = "expected the URL of a webhook that says who calls: Python is not run here \
                        (docs/guide/custom-auth.md)";
        section.error("custom_auth", found, expected);
    }
    uri
}
