//! Idle connections, by host.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Weak};
use std::time::Duration;

use http::uri::Authority;
use http::{HeaderName, HeaderValue, Uri, header};
use llm_types::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::grpc;
use super::h1::Conn;
use super::h2::H2;
use super::options::TransportOptions;
use super::proxy::{Proxy, basic};

/// How often a pool is swept at most, however short its idle time is.
const SWEEP_AT_MOST: Duration = Duration::from_millis(20);

/// All hosts that were talked to.
#[derive(Debug)]
pub(super) struct Pool {
    options: TransportOptions,
    http: Mutex<Hosts>,
    https: Mutex<Hosts>,
    grpc: Mutex<Hosts>,
    grpcs: Mutex<Hosts>,
}

/// Hosts by the authority that names them.
#[derive(Debug, Default)]
struct Hosts {
    known: HashMap<Authority, Arc<Host>, BuildHasherDefault<Fnv>>,
    /// The one asked last, under its authority as it was then: where the next call has the very same piece of memory,
    /// as those of one deployment have, nothing is hashed.
    last: Option<(Authority, Arc<Host>)>,
}

impl Hosts {
    fn find(&mut self, authority: &Authority) -> Option<&Arc<Host>> {
        let last = self.last.as_ref().map(|(last, _)| last.as_str());
        if !last.is_some_and(|last| std::ptr::eq(last, authority.as_str())) {
            let found = self.known.get(authority).map(Arc::clone)?;
            self.last = Some((authority.clone(), found));
        }
        self.last.as_ref().map(|(_, host)| host)
    }
}

/// One host as a scheme and an authority name it: how it is reached, and what stands ready for it.
#[derive(Debug)]
pub(super) struct Host {
    /// The name or address, without brackets.
    pub(super) name: String,
    pub(super) port: u16,
    pub(super) tls: bool,
    /// Whether HTTP/2 is spoken whatever is negotiated.
    pub(super) only_h2: bool,
    /// Whether trailers are told: see [`grpc`].
    pub(super) grpc: bool,
    pub(super) proxy: Option<Arc<Proxy>>,
    /// HTTP/2 connections, and what is known of the host's protocol.
    pub(super) h2: H2,
    name_and_port: String,
    default_headers: Vec<(HeaderName, HeaderValue)>,
    idle: Mutex<Vec<Idle>>,
    max_idle: usize,
    idle_timeout: Duration,
}

#[derive(Debug)]
struct Idle {
    conn: Box<Conn>,
    since: Instant,
}

impl Pool {
    pub(super) fn new(options: TransportOptions) -> Self {
        Self {
            options,
            http: Mutex::default(),
            https: Mutex::default(),
            grpc: Mutex::default(),
            grpcs: Mutex::default(),
        }
    }

    pub(super) fn options(&self) -> &TransportOptions {
        &self.options
    }

    /// The host of a URL.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when the URL is not absolute or its scheme is none of `http`, `https`, `grpc` and
    /// `grpcs`. With a guard only the first two are taken: strangers choose no gRPC.
    pub(super) fn host(&self, uri: &Uri) -> Result<Arc<Host>> {
        let scheme = uri.scheme_str().unwrap_or_default();
        let (hosts, tls, grpc) = match scheme {
            "http" => (&self.http, false, false),
            "https" => (&self.https, true, false),
            grpc::SCHEME if self.options.guard.is_none() => (&self.grpc, false, true),
            grpc::TLS_SCHEME if self.options.guard.is_none() => (&self.grpcs, true, true),
            _ => {
                let message = format!("URL scheme is `{scheme}`: expected `http` or `https`");
                return Err(Error::new(ErrorKind::Internal, message));
            }
        };
        let Some(authority) = uri.authority() else {
            return Err(Error::new(ErrorKind::Internal, "URL has no host"));
        };
        let mut hosts = hosts.lock();
        if let Some(host) = hosts.find(authority) {
            return Ok(Arc::clone(host));
        }
        let host = Arc::new(Host::new(authority, (tls, grpc), &self.options)?);
        hosts.known.insert(authority.clone(), Arc::clone(&host));
        Ok(host)
    }

    /// Closes connections that were idle for too long and forgets hosts that nobody uses; tells whether
    /// any host is left.
    fn sweep(&self) -> bool {
        let now = Instant::now();
        [&self.http, &self.https, &self.grpc, &self.grpcs].into_iter().fold(false, |left, hosts| {
            let mut hosts = hosts.lock();
            hosts.last = None;
            hosts.known.retain(|_, host| {
                host.expire(now);
                Arc::strong_count(host) > 1 || host.is_in_use()
            });
            left || !hosts.known.is_empty()
        })
    }
}

/// Sweeps a pool until it is gone.
pub(super) async fn sweep_until_gone(pool: Weak<Pool>, every: Duration) {
    loop {
        tokio::time::sleep(every.max(SWEEP_AT_MOST)).await;
        let Some(pool) = pool.upgrade() else { return };
        pool.sweep();
    }
}

impl Host {
    fn new(authority: &Authority, (tls, grpc): (bool, bool), options: &TransportOptions) -> Result<Self> {
        let name = authority.host().trim_matches(['[', ']']).to_owned();
        if name.is_empty() {
            return Err(Error::new(ErrorKind::Internal, "URL has no host"));
        }
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let credentials = authority.as_str().rsplit_once('@').map(|(credentials, _)| credentials);
        let name_and_port = authority.as_str().rsplit('@').next().unwrap_or_default().to_owned();
        let mut default_headers = vec![(header::USER_AGENT, HeaderValue::from_static(options.user_agent))];
        if let Some(value) = credentials.and_then(basic) {
            default_headers.push((header::AUTHORIZATION, value));
        }
        let only_h2 = grpc || options.only_http2;
        let proxy = options.proxies.for_host(tls, &name, port).cloned();
        Ok(Self {
            proxy,
            name,
            port,
            tls,
            only_h2,
            grpc,
            h2: H2::new(only_h2 || tls && options.http2),
            name_and_port,
            default_headers,
            idle: Mutex::default(),
            max_idle: options.max_idle_per_host,
            idle_timeout: options.idle_timeout,
        })
    }

    /// Host and port as the URL writes them: the `host` header.
    pub(super) fn name_and_port(&self) -> &str {
        &self.name_and_port
    }

    /// Headers for requests that do not bring them.
    pub(super) fn default_headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.default_headers
    }

    /// Whether requests go to a proxy that wants whole URLs in them.
    pub(super) fn absolute_form(&self) -> bool {
        !self.tls && self.proxy.is_some()
    }

    /// The proxy's password, where requests themselves go to the proxy.
    pub(super) fn proxy_authorization(&self) -> Option<&HeaderValue> {
        if self.tls {
            return None;
        }
        self.proxy.as_ref()?.authorization.as_ref()
    }

    /// An idle connection that still seems to be good: the one used last.
    pub(super) fn checkout(&self, now: Instant) -> Option<Box<Conn>> {
        loop {
            let Idle { mut conn, since } = self.idle.lock().pop()?;
            if now.duration_since(since) >= self.idle_timeout {
                // The others are older still.
                let expired = std::mem::take(&mut *self.idle.lock());
                drop(expired);
                return None;
            }
            if conn.is_quiet() {
                return Some(conn);
            }
        }
    }

    /// Keeps a connection for the next request.
    pub(super) fn park(&self, conn: Box<Conn>) {
        let since = Instant::now();
        let mut idle = self.idle.lock();
        if idle.len() < self.max_idle {
            idle.push(Idle { conn, since });
        }
    }

    /// How many connections are idle.
    #[cfg(test)]
    pub(super) fn idle_count(&self) -> usize {
        self.idle.lock().len()
    }

    fn expire(&self, now: Instant) {
        let mut idle = self.idle.lock();
        let good = idle.partition_point(|idle| now.duration_since(idle.since) >= self.idle_timeout);
        let expired: Vec<Idle> = idle.drain(..good).collect();
        drop(idle);
        drop(expired);
    }

    fn is_in_use(&self) -> bool {
        !self.idle.lock().is_empty() || self.h2.is_connected()
    }
}

/// FNV-1a: quick for the short names of hosts, which operators choose and not callers.
#[derive(Debug)]
pub(super) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
