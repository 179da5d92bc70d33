//! Which proxy a host is reached through: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use http::{HeaderValue, Uri};
use llm_types::{Error, ErrorKind, Result};

/// One HTTP proxy. Its password never shows in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// The host name or address, without brackets.
    pub(super) host: String,
    /// The port.
    pub(super) port: u16,
    /// Whether the proxy itself is spoken to over TLS.
    pub(super) tls: bool,
    /// The value of `proxy-authorization`.
    pub(super) authorization: Option<HeaderValue>,
}

impl Proxy {
    /// Reads a proxy URL: `http://user:password@host:port`, `https://…`, or `host:port`.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when it is not such a URL; the message shows no credentials.
    pub fn parse(url: &str) -> Result<Self> {
        let bad = |why: &str| Error::new(ErrorKind::Internal, format!("proxy URL {why}"));
        let url = url.trim();
        let with_scheme;
        let url = if url.contains("://") {
            url
        } else {
            with_scheme = format!("http://{url}");
            &with_scheme
        };
        let uri: Uri = url.parse().map_err(|_| bad("is not a URL: expected `http://host:port`"))?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            other => {
                let scheme = other.unwrap_or_default();
                return Err(bad(&format!("has scheme `{scheme}`: expected `http` or `https`")));
            }
        };
        let authority = uri.authority().ok_or_else(|| bad("has no host"))?;
        let authorization = authority
            .as_str()
            .rsplit_once('@')
            .map(|(credentials, _)| basic(credentials).ok_or_else(|| bad("has unusable credentials")))
            .transpose()?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { host, port, tls, authorization })
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

/// The proxies of a transport.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    /// For `http` URLs.
    pub http: Option<Arc<Proxy>>,
    /// For `https` URLs.
    pub https: Option<Arc<Proxy>>,
    /// Hosts that are reached directly.
    pub direct: NoProxy,
}

impl Proxies {
    /// Reads the usual variables. Lower case wins over upper case, the specific one over `ALL_PROXY`;
    /// `HTTP_PROXY` in upper case is ignored in a CGI process, where a request header can set it.
    pub(super) fn from_lookup(lookup: &impl Fn(&str) -> Option<String>) -> Result<Self> {
        let set = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let parse = |names: &[&str]| -> Result<Option<Arc<Proxy>>> {
            for name in names {
                if *name == "HTTP_PROXY" && set("REQUEST_METHOD").is_some() {
                    continue;
                }
                if let Some(url) = set(name) {
                    let proxy = Proxy::parse(&url).map_err(|error| {
                        Error::new(ErrorKind::Internal, format!("environment variable `{name}`: {error}"))
                    })?;
                    return Ok(Some(Arc::new(proxy)));
                }
            }
            Ok(None)
        };
        Ok(Self {
            http: parse(&["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])?,
            https: parse(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])?,
            direct: NoProxy::parse(&set("no_proxy").or_else(|| set("NO_PROXY")).unwrap_or_default()),
        })
    }

    /// The proxy for a host, if any.
    pub(super) fn for_host(&self, tls: bool, host: &str, port: u16) -> Option<&Arc<Proxy>> {
        let proxy = if tls { &self.https } else { &self.http };
        proxy.as_ref().filter(|_| !self.direct.covers(host, port))
    }
}

/// Hosts that are reached without a proxy: `*`, names (subdomains included), addresses, and networks in
/// CIDR form; names and addresses may end with `:port`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoProxy {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    All,
    Network(IpAddr, u8),
    Name(String, Option<u16>),
}

impl NoProxy {
    /// Reads a list separated by commas or spaces.
    #[must_use]
    pub fn parse(list: &str) -> Self {
        let words = list.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty());
        Self { rules: words.map(Rule::parse).collect() }
    }

    /// Whether a host is reached directly.
    #[must_use]
    pub fn covers(&self, host: &str, port: u16) -> bool {
        let host = host.trim_matches(['[', ']']).trim_end_matches('.');
        let address: Option<IpAddr> = host.parse().ok();
        self.rules.iter().any(|rule| rule.covers(host, address, port))
    }
}

impl Rule {
    fn parse(word: &str) -> Self {
        if word == "*" {
            return Self::All;
        }
        if let Ok(address) = word.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Self::Network(address, if address.is_ipv4() { 32 } else { 128 });
        }
        if let Some((address, length)) = word.split_once('/')
            && let (Ok(address), Ok(length)) = (address.parse::<IpAddr>(), length.parse::<u8>())
        {
            return Self::Network(address, length);
        }
        let (name, port) = match word.rsplit_once(':') {
            Some((name, port)) if port.parse::<u16>().is_ok() => (name, port.parse().ok()),
            _ => (word, None),
        };
        let name = name.trim_start_matches('*').trim_start_matches('.').trim_matches(['[', ']']);
        Self::Name(name.to_ascii_lowercase(), port)
    }

    fn covers(&self, host: &str, address: Option<IpAddr>, port: u16) -> bool {
        match self {
            Self::All => true,
            Self::Network(network, length) => {
                address.is_some_and(|address| in_network(address, *network, *length))
            }
            Self::Name(name, only_port) => {
                only_port.is_none_or(|only| only == port) && !name.is_empty() && is_under(host, name)
            }
        }
    }
}

fn is_under(host: &str, name: &str) -> bool {
    let host = host.as_bytes();
    let Some(start) = host.len().checked_sub(name.len()) else { return false };
    host[start..].eq_ignore_ascii_case(name.as_bytes()) && (start == 0 || host[start - 1] == b'.')
}

fn in_network(address: IpAddr, network: IpAddr, length: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => {
            let shift = 32_u32.saturating_sub(length.into());
            (a.to_bits() ^ n.to_bits()).checked_shr(shift).unwrap_or(0) == 0
        }
        (IpAddr::V6(a), IpAddr::V6(n)) => {
            let shift = 128_u32.saturating_sub(length.into());
            (a.to_bits() ^ n.to_bits()).checked_shr(shift).unwrap_or(0) == 0
        }
        _ => false,
    }
}

/// `Basic …` for `user:password` as it stands in a URL (percent-encoded).
pub(super) fn basic(credentials: &str) -> Option<HeaderValue> {
    let decoded = percent_decode(credentials)?;
    let with_colon = if decoded.contains(&b':') { decoded } else { [decoded.as_slice(), b":"].concat() };
    let text = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(with_colon));
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn percent_decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(byte);
        }
    }
    Some(out)
}
