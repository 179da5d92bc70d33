//! Opening a connection: names, addresses, proxies, tunnels, TLS.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use llm_types::{Error, ErrorKind, Result};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::guard::is_public;
use super::io::Io;
use super::options::TransportOptions;
use super::pool::Host;
use super::proxy::Proxy;
use super::tls::Tls;

/// How long one address may take before the next is tried beside it. RFC 8305 §5.
const NEXT_ADDRESS: Duration = Duration::from_millis(250);
/// The largest head of a proxy's answer to `CONNECT`.
const MAX_PROXY_HEAD: usize = 16 * 1024;

/// The code of the error when a [guard](super::Guard) lets no address of a host through.
pub const NOT_PUBLIC: &str = "address_not_public";

/// A connection, and whether HTTP/2 was agreed on.
pub(super) struct Opened {
    pub(super) io: Io,
    pub(super) is_h2: bool,
}

/// Opens a connection to a host, through its proxy if it has one.
///
/// # Errors
/// [`ErrorKind::Unreachable`] naming the host and the cause.
pub(super) async fn connect(host: &Host, options: &TransportOptions, tls: &Tls) -> Result<Opened> {
    let io = match &host.proxy {
        None => Io::Tcp(dial(allowed(host, options).await?, &host.name, options).await?),
        Some(proxy) => {
            // With a guard the proxy is told an address that was looked at, not a name it resolves itself.
            let to = match options.guard {
                Some(_) if host.tls => allowed(host, options).await?.first().map(SocketAddr::to_string),
                Some(_) => {
                    return Err(unreachable(&host.name, "only `https` is fetched through a proxy"));
                }
                None => None,
            };
            let addresses = resolve(&proxy.host, proxy.port).await?;
            let tcp = Io::Tcp(dial(addresses, &proxy.host, options).await?);
            let io = if proxy.tls { wrap(tcp, &proxy.host, tls.config(false)?).await?.io } else { tcp };
            if host.tls || host.only_h2 { tunnel(io, host, proxy, to).await? } else { io }
        }
    };
    if !host.tls {
        return Ok(Opened { io, is_h2: host.only_h2 });
    }
    let opened = wrap(io, &host.name, if host.only_h2 { tls.h2()? } else { tls.config(true)? }).await?;
    if host.only_h2 && !opened.is_h2 {
        return Err(unreachable(&host.name, "it does not speak HTTP/2, which this call needs"));
    }
    Ok(opened)
}

/// Opens a connection for another protocol than HTTP: without proxies, and without a guard.
///
/// # Errors
/// As [`connect`].
pub(super) async fn direct(
    name: &str,
    port: u16,
    tls: Option<&Tls>,
    options: &TransportOptions,
) -> Result<Io> {
    let tcp = Io::Tcp(dial(resolve(name, port).await?, name, options).await?);
    match tls {
        Some(tls) => Ok(wrap(tcp, name, tls.config(false)?).await?.io),
        None => Ok(tcp),
    }
}

fn unreachable(host: &str, cause: &str) -> Error {
    Error::new(ErrorKind::Unreachable, format!("cannot reach `{host}`: {cause}"))
}

/// The addresses of a name.
async fn resolve(name: &str, port: u16) -> Result<Vec<SocketAddr>> {
    if let Ok(address) = name.parse() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let found = tokio::net::lookup_host((name, port)).await.map_err(|error| {
        unreachable(name, &format!("its name cannot be resolved: {error}")).with_source(error)
    })?;
    Ok(found.collect())
}

/// The addresses of a host that the guard lets through.
async fn allowed(host: &Host, options: &TransportOptions) -> Result<Vec<SocketAddr>> {
    let mut addresses = resolve(&host.name, host.port).await?;
    if options.guard.as_ref().is_some_and(|guard| !guard.exempts(&host.name, host.port)) {
        let found = addresses.len();
        addresses.retain(|address| is_public(address.ip()));
        if addresses.is_empty() && found > 0 {
            // Where it points is not told: a caller could explore a network by that.
            let error = unreachable(&host.name, "it is not at a public address");
            return Err(error.with_code(NOT_PUBLIC));
        }
    }
    Ok(addresses)
}

async fn dial(addresses: Vec<SocketAddr>, name: &str, options: &TransportOptions) -> Result<TcpStream> {
    let failed = |error: io::Error| unreachable(name, &error.to_string()).with_source(error);
    let stream = race(interleave(addresses)).await.map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    if let Some(time) = options.tcp_keepalive {
        let keepalive = TcpKeepalive::new().with_time(time).with_interval(time);
        SockRef::from(&stream).set_tcp_keepalive(&keepalive).map_err(failed)?;
    }
    Ok(stream)
}

/// Addresses of both families in turn, starting with the resolver's favourite.
fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut out = Vec::new();
    loop {
        let before = out.len();
        out.extend(first.next());
        out.extend(second.next());
        if out.len() == before {
            return out;
        }
    }
}

/// Tries addresses one after the other, each joined by the next when it is slow; the first connection wins.
async fn race(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut trying = FuturesUnordered::new();
    let mut last_error = io::Error::new(io::ErrorKind::NotFound, "its name has no address");
    loop {
        if let Some(address) = waiting.next() {
            trying.push(TcpStream::connect(address));
        } else if trying.is_empty() {
            return Err(last_error);
        }
        let answer = if waiting.len() == 0 {
            trying.next().await
        } else {
            tokio::time::timeout(NEXT_ADDRESS, trying.next()).await.unwrap_or_default()
        };
        match answer {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => last_error = error,
            None => {}
        }
    }
}

async fn wrap(io: Io, name: &str, config: Arc<ClientConfig>) -> Result<Opened> {
    let server = ServerName::try_from(name.to_owned())
        .map_err(|error| unreachable(name, &format!("its name cannot be used with TLS: {error}")))?;
    let stream = TlsConnector::from(config)
        .connect(server, io)
        .await
        .map_err(|error| unreachable(name, &format!("TLS handshake failed: {error}")).with_source(error))?;
    let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    Ok(Opened { io: Io::Tls(Box::new(stream)), is_h2 })
}

/// Asks a proxy for a tunnel to the host. RFC 9110 §9.3.6.
async fn tunnel(mut io: Io, host: &Host, proxy: &Proxy, to: Option<String>) -> Result<Io> {
    let failed = |cause: &str| {
        let cause = format!("proxy `{}` gave no tunnel: {cause}", proxy.host);
        unreachable(&host.name, &cause)
    };
    let bracketed = if host.name.contains(':') { format!("[{}]", host.name) } else { host.name.clone() };
    let target = to.unwrap_or_else(|| format!("{bracketed}:{}", host.port));
    let mut head = format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n").into_bytes();
    if let Some(value) = &proxy.authorization {
        head.extend_from_slice(b"proxy-authorization: ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    io.write_all(&head).await.map_err(|error| failed(&error.to_string()))?;
    io.flush().await.map_err(|error| failed(&error.to_string()))?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() > MAX_PROXY_HEAD {
            return Err(failed("its answer is too long"));
        }
        // Byte by byte, so that nothing of the tunnel's own bytes is taken; it is once a connection.
        let byte = io.read_u8().await.map_err(|error| failed(&error.to_string()))?;
        answer.push(byte);
    }
    let mut slots = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Response::new(&mut slots);
    parsed.parse(&answer).map_err(|error| failed(&format!("its answer is not HTTP: {error}")))?;
    match parsed.code {
        Some(200..=299) => Ok(io),
        Some(code) => Err(failed(&format!("status {code}"))),
        None => Err(failed("its answer has no status")),
    }
}
