//! How a transport behaves: pool limits, TLS trust, proxies; and the one place that reads them from the
//! environment.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use llm_types::Result;

use super::guard::Guard;
use super::proxy::Proxies;

/// How a [`super::HyperTransport`] behaves. The defaults suit LLM providers; [`TransportOptions::from_env`]
/// adds what the environment says.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TransportOptions {
    /// Whether HTTP/2 is offered to `https` hosts by ALPN. Off unless asked for: HTTP/1.1 costs less CPU
    /// per request (12.4 against 14.2 µs in `examples/transport_bench.rs`), and a lost packet holds up one
    /// answer rather than all; HTTP/2 saves handshakes where callers often hang up midway.
    pub http2: bool,
    /// Whether nothing but HTTP/2 is spoken: offered alone by ALPN, and at once to hosts without TLS.
    pub only_http2: bool,
    /// How many idle HTTP/1 connections are kept per host.
    pub max_idle_per_host: usize,
    /// How long an idle connection is kept. Shorter than the 60 s after which common load balancers close.
    pub idle_timeout: Duration,
    /// Time between TCP keep-alive probes; `None` leaves them off.
    pub tcp_keepalive: Option<Duration>,
    /// Whether server certificates are verified. `false` accepts every certificate: for laboratories only.
    pub verify_tls: bool,
    /// A PEM file of certificates that are trusted beside the public and the system's roots.
    pub root_certificates: Option<PathBuf>,
    /// Which addresses may be connected to; all unless there is a guard.
    pub guard: Option<Arc<Guard>>,
    /// Proxies for outgoing requests.
    pub proxies: Proxies,
    /// The `user-agent` of requests that bring none.
    pub user_agent: &'static str,
}

impl Default for TransportOptions {
    fn default() -> Self {
        Self {
            http2: false,
            only_http2: false,
            max_idle_per_host: 512,
            idle_timeout: Duration::from_secs(50),
            tcp_keepalive: Some(Duration::from_secs(30)),
            verify_tls: true,
            root_certificates: None,
            guard: None,
            proxies: Proxies::default(),
            user_agent: concat!("gateway/", env!("CARGO_PKG_VERSION")),
        }
    }
}

impl TransportOptions {
    /// The defaults, changed by the environment: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`
    /// (upper or lower case), `SSL_CERT_FILE`, `SSL_VERIFY=false`, and `GATEWAY_HTTP2=true`.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::Internal`] when a proxy URL cannot be used; the message names the variable.
    pub fn from_env() -> Result<Self> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// As [`TransportOptions::from_env`] with another source of variables.
    ///
    /// # Errors
    /// As [`TransportOptions::from_env`].
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let set = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let verify_tls = !set("SSL_VERIFY").is_some_and(|value| is_false(&value));
        let root_certificates = set("SSL_CERT_FILE").map(PathBuf::from);
        let http2 = set("GATEWAY_HTTP2").is_some_and(|value| !is_false(&value));
        let proxies = Proxies::from_lookup(&lookup)?;
        Ok(Self { http2, verify_tls, root_certificates, proxies, ..Self::default() })
    }
}

fn is_false(value: &str) -> bool {
    matches!(value.trim().to_ascii_lowercase().as_str(), "false" | "0" | "no" | "off")
}
