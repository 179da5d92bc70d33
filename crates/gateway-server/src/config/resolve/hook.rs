//! `routing_webhook`: a program that says which deployments should serve.

use std::time::Duration;

use llm_router::{RouterSettings, strategies};

use super::section::number_of;
use super::{Context, Section};
use crate::config::RoutingWebhook;
use crate::config::raw::ROUTING_WEBHOOK;
use crate::config::source::{At, Node};

const KEY: &str = "routing_webhook";
/// The longest wait for an answer unless told.
const PATIENCE: Duration = Duration::from_millis(200);

/// The program, where there is one; without it the strategy `custom` has nobody to ask.
pub(super) fn resolve(
    cx: &mut Context<'_>,
    router: Option<&Node>,
    settings: &RouterSettings,
) -> Option<RoutingWebhook> {
    let node = router.and_then(|router| router.member(KEY)).filter(|node| !node.is_null());
    let custom = settings.strategy.name == strategies::CUSTOM
        || settings.routing_groups.iter().any(|group| group.strategy.name == strategies::CUSTOM);
    match (node, custom) {
        (None, true) => {
            let at = router.map_or_else(At::nowhere, |router| router.at.clone());
            let found = "found the strategy `custom` without `routing_webhook`";
            let path = "router_settings.routing_strategy";
            cx.error(
                path,
                &at,
                found,
                "expected the URL of a program that says which deployments should serve",
            );
            None
        }
        (Some(node), false) => {
            let path = format!("router_settings.{KEY}");
            cx.warning(&path, &node.at, "found no strategy `custom`", "nobody is asked");
            None
        }
        (None, false) => None,
        (Some(node), true) => webhook(cx, node),
    }
}

fn webhook(cx: &mut Context<'_>, node: &Node) -> Option<RoutingWebhook> {
    let mut section = Section::open(cx, &format!("router_settings.{KEY}"), Some(node), ROUTING_WEBHOOK);
    section.review();
    let url = section.text("url");
    let uri: Option<http::Uri> = url.as_deref().and_then(|url| url.parse().ok());
    let uri = uri.filter(|uri| uri.host().is_some() && matches!(uri.scheme_str(), Some("http" | "https")));
    if uri.is_none() {
        let found = format!("found {}", url.map_or_else(|| "no `url`".to_owned(), |url| format!("`{url}`")));
        section.error("url", found, "expected a URL that begins with `http://` or `https://`");
    }
    let timeout = section.value("timeout").and_then(number_of);
    let timeout = timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    if timeout.is_none() && section.gives("timeout") || timeout.is_some_and(|timeout| timeout.is_zero()) {
        section.error("timeout", "found no time", "expected seconds, more than zero");
    }
    let secret = section.secret("secret");
    Some(RoutingWebhook { url: uri?, secret, timeout: timeout.unwrap_or(PATIENCE) })
}
