//! What the configuration says of programs of the operator's that are asked over HTTP.

use std::time::Duration;

use llm_types::Secret;

/// The webhook that says who calls (`custom_auth`, `custom_auth_settings`).
#[derive(Debug, Clone)]
pub struct AuthWebhook {
    /// Where it is asked.
    pub url: http::Uri,
    /// Signs what it is asked.
    pub secret: Option<Secret>,
    /// How long it may take.
    pub timeout: Duration,
    /// How long its answer counts.
    pub cache: Duration,
    /// Whether it is asked about virtual keys too.
    pub alone: bool,
}

/// The program that says which deployments should serve (`routing_webhook`).
#[derive(Debug, Clone)]
pub struct RoutingWebhook {
    /// Where it is asked.
    pub url: http::Uri,
    /// Signs what it is asked.
    pub secret: Option<Secret>,
    /// How long it may take.
    pub timeout: Duration,
}
