//! A target whose URL is parsed and whose sign-in is checked, so that a call only puts them together.

mod initiator;

use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use http::{Method, Uri};
use llm_types::{Error, ErrorKind, HttpRequest, HttpResponse, Origin, Pieces, Result, Secret};

use crate::auth::{SignIn, is_token};
use crate::cloud::{Identity, Pairs, Wrapping, fill, measured, told, unframed};
use crate::operations::{Place, Sending};
use crate::scan::{self, Patch};
use crate::signin::{Credential, Key, aws, oci};
use crate::{DialectId, Encoded, ProviderSpec, Target};

/// A target made ready once, for all calls to it. Cheap to make and to share.
#[derive(Debug)]
pub struct PreparedTarget {
    target: Arc<Target>,
    ready: Result<Ready>,
}

#[derive(Debug)]
struct Ready {
    scheme: Scheme,
    authority: Authority,
    /// Path of the base URL, without a trailing slash.
    path: String,
    /// What the vendor wants on every request.
    headers: Vec<(HeaderName, HeaderValue)>,
    sign_in: SignIn,
    /// What requests say in lists, behind what stands there.
    listed: Vec<(HeaderName, HeaderValue)>,
    /// What signs in instead of a key.
    credential: Option<Arc<Credential>>,
    /// How a cloud wraps requests.
    wrapping: Option<Wrapping>,
    /// The first path asked for and its URL: a target nearly always has just one.
    usual: OnceLock<(String, Uri)>,
}

impl PreparedTarget {
    /// Makes a target ready. What is wrong with its URL or key is told by every call to it.
    #[must_use]
    pub fn new(target: Arc<Target>) -> Self {
        let ready = Ready::new(&target).map_err(|error| error.with_provider(target.spec.id.clone()));
        Self { target, ready }
    }

    /// The target.
    #[must_use]
    pub fn target(&self) -> &Arc<Target> {
        &self.target
    }

    /// The credential that signs in, where no key does. It must be at hand before [`PreparedTarget::seal`].
    #[must_use]
    pub fn credential(&self) -> Option<&Arc<Credential>> {
        self.ready.as_ref().ok()?.credential.as_ref()
    }

    /// The HTTP request for what a dialect wrote: URL, headers, a key. To be [sealed](Self::seal) when its
    /// headers are complete.
    ///
    /// Of a header that both name, the operator's (`extra_headers`) counts, then sign-in, then the
    /// dialect's.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`] when the provider needs a key and has none that can be sent;
    /// [`ErrorKind::Internal`] when the base URL or the dialect's path is no URL.
    pub fn request(&self, encoded: Encoded) -> Result<HttpRequest> {
        let ready = self.ready.as_ref().map_err(Clone::clone)?;
        let Encoded { path, mut headers, body, beforehand: _ } = encoded;
        let quirks = &self.target.spec.quirks;
        if quirks.no_chat {
            return Err(no_chat(&self.target));
        }
        let body = always(body, &quirks.always)?;
        if quirks.tells_initiator {
            initiator::tell(&body, &mut headers);
        }
        let (path, body) = match &ready.wrapping {
            None => (path, body),
            Some(wrapping) => wrapping.wrap(&path, body)?,
        };
        let uri = ready.uri(path)?;
        if !body.is_empty() && !headers.contains_key(header::CONTENT_TYPE) {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for (name, value) in &ready.headers {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        ready.sign_in.apply(&mut headers);
        for (name, value) in &self.target.headers {
            headers.insert(name.clone(), value.clone());
        }
        Ok(HttpRequest { method: Method::POST, uri, headers, body, timeouts: self.target.timeouts })
    }

    /// Finishes a request whose headers are complete: puts beta features where a cloud reads them, and
    /// signs in with the credential as of `now`. Nothing may change afterwards. Costs nothing for targets
    /// with a key.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`] when the credential has nothing at hand that holds, or the request
    /// cannot be signed.
    pub fn seal(&self, request: &mut HttpRequest, now: impl FnOnce() -> SystemTime) -> Result<()> {
        let ready = self.ready.as_ref().map_err(Clone::clone)?;
        if let Some(wrapping) = &ready.wrapping {
            wrapping.place_betas(&mut request.headers, &mut request.body)?;
        }
        for (name, value) in &ready.listed {
            list(&mut request.headers, name, value)?;
        }
        let Some(credential) = &ready.credential else { return Ok(()) };
        if self.target.headers.contains_key(header::AUTHORIZATION) {
            return Ok(());
        }
        let now = now();
        let held = credential.held(now).ok_or_else(|| {
            let message = format!("provider `{}`: sign-in has nothing at hand", self.target.spec.id);
            Error::new(ErrorKind::Unauthenticated, message).with_origin(Origin::Gateway)
        })?;
        if let Some(base) = &held.base {
            request.uri = ready.moved(&request.uri, base)?;
        }
        for (name, value) in &held.headers {
            request.headers.insert(name.clone(), value.clone());
        }
        for (name, value) in &held.listed {
            list(&mut request.headers, name, value)?;
        }
        match &held.key {
            Key::Bearer(token) => {
                request.headers.insert(header::AUTHORIZATION, token.clone());
                Ok(())
            }
            Key::Aws(keys) => {
                let cloud = &self.target.spec.cloud;
                let Identity::Aws(service) = &cloud.identity else {
                    return Err(fault(format!("provider `{}` takes no AWS signatures", self.target.spec.id)));
                };
                aws::sign(request, keys, (service, self.target.region()), now)
            }
            Key::Oci(key) => oci::sign(request, key, now),
        }
    }
}

impl PreparedTarget {
    /// A reply as the dialect has it elsewhere: what a cloud put around a streamed one is taken off, what it
    /// counted in the headers of a whole one goes into the body where the dialect counts nothing.
    #[must_use]
    pub fn reply(&self, mut response: HttpResponse) -> HttpResponse {
        let framed =
            self.ready.as_ref().is_ok_and(|ready| ready.wrapping.as_ref().is_some_and(Wrapping::framed));
        let kind = response.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let is_stream = kind.is_some_and(|kind| kind.starts_with("application/vnd.amazon.eventstream"));
        if framed && is_stream && response.status.is_success() {
            response.body = unframed(response.body);
            let kind = HeaderValue::from_static("text/event-stream");
            response.headers.insert(header::CONTENT_TYPE, kind);
        } else if framed && response.status.is_success() && self.takes_prompts() {
            response.body = measured(response.body, &response.headers);
        }
        let wrapping = self.ready.as_ref().ok().and_then(|ready| ready.wrapping.as_ref());
        if let Some(wrapping) = wrapping.filter(|_| response.status.is_success()) {
            let is_stream = is_events(&response.headers);
            response.body = wrapping.open(response.body, is_stream);
        }
        response
    }
}

impl PreparedTarget {
    /// The HTTP request for what a wire of an operation wrote, to be [sealed](Self::seal) like a chat's. A body that
    /// stands outside memory stays with whoever sends it.
    ///
    /// # Errors
    /// As [`PreparedTarget::request`]; [`ErrorKind::BadUpstream`] when the vendor named a URL that is not its own.
    pub fn operation(&self, sending: Sending) -> Result<HttpRequest> {
        let ready = self.ready.as_ref().map_err(Clone::clone)?;
        let target = &*self.target;
        let Sending { method, place, mut headers, body, auth, pieces: _ } = sending;
        let uri = match place {
            Place::Wrapped(path) => {
                let path = match &ready.wrapping {
                    None => filled(&path, target)?,
                    Some(wrapping) => filled(&wrapping.wrap_path(&path), target)?,
                };
                ready.joined(&path, &target.spec.prefix)?
            }
            Place::Path(path) => ready.joined(&filled(&path, target)?, &target.spec.prefix)?,
            Place::Host(host, path) if target.base_url == target.spec.full_base_url(None) => {
                let host = host.replace("{region}", target.region());
                url(&format!("{host}{}", filled(&path, target)?))?
            }
            Place::Host(_, path) => {
                // The path is whole: what stands before the paths of other wires does not stand before it.
                let bare = ready.path.strip_suffix(&*target.spec.prefix).unwrap_or(&ready.path);
                ready.at(join(bare, &filled(&path, target)?))?
            }
            Place::Link(link) => {
                let uri = url(&link)?;
                ready.owns(&uri).then_some(uri).ok_or_else(|| {
                    let message = format!("the provider named `{}`, which is not its own host", shown(&link));
                    Error::new(ErrorKind::BadUpstream, message)
                })?
            }
            Place::Open(link) => {
                let (uri, timeouts) = (url(&link)?, target.timeouts);
                return Ok(HttpRequest { method, uri, headers, body, timeouts });
            }
        };
        for (name, value) in &ready.headers {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        match auth {
            None => ready.sign_in.apply(&mut headers),
            Some(auth) => {
                let spec = ProviderSpec { auth, ..(*target.spec).clone() };
                if target.key.is_some() || ready.credential.is_none() {
                    SignIn::new(&spec, target.key.as_ref())?.apply(&mut headers);
                }
            }
        }
        for (name, value) in &target.headers {
            headers.insert(name.clone(), value.clone());
        }
        Ok(HttpRequest { method, uri, headers, body, timeouts: target.timeouts })
    }
}

/// Says something in a header that is a list, behind what stands there.
fn list(headers: &mut HeaderMap, name: &HeaderName, value: &HeaderValue) -> Result<()> {
    let mut words: Vec<&[u8]> = Vec::new();
    for said in headers.get_all(name).into_iter().chain([value]) {
        for word in said.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if !word.is_empty() && !words.contains(&word) {
                words.push(word);
            }
        }
    }
    let all = HeaderValue::from_bytes(&words.join(&b","[..]));
    headers.insert(name, all.map_err(|_| fault(format!("`{name}` can say no more")))?);
    Ok(())
}

/// A path with what the target says in its places.
fn filled(path: &str, target: &Target) -> Result<String> {
    if path.contains('{') { fill(path, target) } else { Ok(path.to_owned()) }
}

/// A path behind another; what the end of the one and the beginning of the other say is said once.
fn join(base: &str, path: &str) -> String {
    let said_twice = base.match_indices('/').map(|(at, _)| &base[at..]).find(|end| {
        path.strip_prefix(*end).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', ':']))
    });
    format!("{base}{}", said_twice.map_or(path, |end| &path[end.len()..]))
}

fn url(text: &str) -> Result<Uri> {
    let bad = || Error::new(ErrorKind::BadUpstream, format!("`{}` is no URL", shown(text)));
    let uri: Uri = text.parse().map_err(|_| bad())?;
    if uri.scheme().is_none() || uri.host().is_none() { Err(bad()) } else { Ok(uri) }
}

impl Ready {
    /// A path behind the base URL. Operators may give the whole URL of a call as the base URL.
    fn joined(&self, path: &str, prefix: &str) -> Result<Uri> {
        let bare = self.path.strip_suffix(prefix).filter(|_| !prefix.is_empty());
        let pathless = path.split_once('?').map_or(path, |(path, _)| path);
        match bare.filter(|bare| bare.ends_with(pathless)) {
            Some(bare) => self.at(join(bare, path)),
            None => self.at(join(&self.path, path)),
        }
    }

    fn at(&self, mut whole: String) -> Result<Uri> {
        if let Some(pair) = self.sign_in.query() {
            let joint = if whole.contains('?') { '&' } else { '?' };
            write!(whole, "{joint}{pair}").expect("a string takes all text");
        }
        if whole.is_empty() {
            whole.push('/');
        }
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        let bad = || fault("the wire's path cannot stand in a URL".to_owned());
        parts.path_and_query = Some(PathAndQuery::try_from(whole).map_err(|_| bad())?);
        Uri::from_parts(parts).map_err(|_| bad())
    }

    /// Whether a URL is at the vendor's own host, or at another of its domain over TLS.
    fn owns(&self, uri: &Uri) -> bool {
        let Some(authority) = uri.authority() else { return false };
        if *authority == self.authority && uri.scheme() == Some(&self.scheme) {
            return true;
        }
        let domain =
            |host: &str| host.rsplitn(3, '.').take(2).collect::<Vec<_>>().join(".").to_ascii_lowercase();
        let named = |host: &str| host.contains('.') && host.parse::<std::net::IpAddr>().is_err();
        let (theirs, ours) = (authority.host(), self.authority.host());
        uri.scheme() == Some(&Scheme::HTTPS)
            && authority.port().is_none()
            && named(theirs)
            && named(ours)
            && domain(theirs) == domain(ours)
    }
}

impl PreparedTarget {
    /// Whether what signs in reads the body: it must stand in memory then.
    #[must_use]
    pub fn signs_bodies(&self) -> bool {
        let credential = self.ready.as_ref().ok().and_then(|ready| ready.credential.as_ref());
        credential.is_some_and(|credential| credential.signs_bodies())
    }

    /// The body of a sealed request whose events are signed one by one while they are sent; `None` of others.
    ///
    /// # Errors
    /// As [`PreparedTarget::seal`].
    pub fn chained(&self, request: &mut HttpRequest, clock: fn() -> SystemTime) -> Result<Option<Pieces>> {
        let cloud = &self.target.spec.cloud;
        let Identity::Aws(service) = &cloud.identity else { return Ok(None) };
        if !aws::is_chained(&request.headers) {
            return Ok(None);
        }
        let credential = self.ready.as_ref().map_err(Clone::clone)?.credential.as_ref();
        match credential.and_then(|credential| credential.held(clock())).map(|held| held.key.clone()) {
            Some(Key::Aws(keys)) => {
                aws::chained(request, &keys, (service, self.target.region()), clock).map(Some)
            }
            _ => Err(Error::new(ErrorKind::Unauthenticated, "events can be signed with AWS's keys only")
                .with_origin(Origin::Gateway)),
        }
    }

    fn takes_prompts(&self) -> bool {
        matches!(self.target.spec.dialect, DialectId::Prompt(_))
    }
}

impl Ready {
    fn new(target: &Target) -> Result<Self> {
        let base = target.regional_base_url();
        let base = base.trim_end_matches('/');
        if base.is_empty() {
            let message = format!("provider `{}` has no base URL: give `api_base`", target.spec.id);
            return Err(fault(message));
        }
        let not_a_url = || fault(format!("base URL `{}` is not an absolute URL", shown(base)));
        let Parts { scheme, authority, path_and_query, .. } =
            base.parse::<Uri>().map_err(|_| not_a_url())?.into_parts();
        let (Some(scheme), Some(authority)) = (scheme, authority) else { return Err(not_a_url()) };
        let path = path_and_query.unwrap_or_else(|| PathAndQuery::from_static(""));
        if path.query().is_some() {
            return Err(fault(format!("base URL `{}` has a query: expected none", shown(base))));
        }
        let path = path.path().trim_end_matches('/').to_owned();
        let credential = target.cloud.as_ref().and_then(|cloud| cloud.credential.clone());
        let credential = credential.filter(|_| target.key.is_none());
        let sign_in = match &credential {
            None => SignIn::new(&target.spec, target.key.as_ref())?,
            Some(_) => SignIn::None,
        };
        let wrapping = Wrapping::of(target)?;
        let headers = constant_headers(target)?;
        let listed = listed_headers(target)?;
        let usual = OnceLock::new();
        Ok(Self { scheme, authority, path, headers, sign_in, listed, credential, wrapping, usual })
    }

    /// A URL of this target at another place, which the service that signs in named.
    fn moved(&self, uri: &Uri, base: &Uri) -> Result<Uri> {
        let target = uri.path_and_query().map_or("", |target| target.as_str());
        let own = target.strip_prefix(self.path.as_str()).unwrap_or(target);
        let mut parts = base.clone().into_parts();
        let path = format!("{}{own}", base.path().trim_end_matches('/'));
        parts.path_and_query = PathAndQuery::try_from(path).ok();
        Uri::from_parts(parts).map_err(|_| fault("the place that sign-in named is no URL".to_owned()))
    }

    fn uri(&self, path: String) -> Result<Uri> {
        if let Some((usual, uri)) = self.usual.get()
            && *usual == path
        {
            return Ok(uri.clone());
        }
        let mut whole = format!("{}{path}", self.path);
        if !whole.starts_with('/') {
            // A dialect whose requests go to the base URL itself, and a base URL that is a host alone.
            whole.insert(0, '/');
        }
        if let Some(pair) = self.sign_in.query() {
            let joint = if whole.contains('?') { '&' } else { '?' };
            write!(whole, "{joint}{pair}").expect("a string takes all text");
        }
        // The path may hold a key: it is not shown.
        let bad = || fault("the dialect's path cannot stand in a URL".to_owned());
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(PathAndQuery::try_from(whole).map_err(|_| bad())?);
        let uri = Uri::from_parts(parts).map_err(|_| bad())?;
        self.usual.get_or_init(|| (path, uri.clone()));
        Ok(uri)
    }
}

/// The refusal of a chat by a vendor of other things.
fn no_chat(target: &Target) -> Error {
    let message = format!("provider `{}` has no chat for model `{}`", target.spec.id, target.model);
    Error::unsupported("model", message)
}

/// A body with the members that the vendor's record wants in every one.
fn always(body: Bytes, members: &Pairs) -> Result<Bytes> {
    if members.is_empty() || body.is_empty() {
        return Ok(body);
    }
    let mut patch = Patch::new(&body);
    scan::object(&body, |member| {
        if members.iter().any(|(name, _)| *name == member.name) {
            patch.remove(member.span());
        }
    })?;
    for (name, value) in members.iter() {
        patch.add(name, value.as_bytes());
    }
    Ok(patch.finish())
}

/// Headers that the vendor's record puts on every request.
fn constant_headers(target: &Target) -> Result<Vec<(HeaderName, HeaderValue)>> {
    let quirks = &target.spec.quirks;
    let is_jwt = |key: &Secret| key.reveal().starts_with("ey") && key.reveal().matches('.').count() == 2;
    let kind = match &target.key {
        Some(key) if is_jwt(key) => "KEYPAIR_JWT",
        _ => "PROGRAMMATIC_ACCESS_TOKEN",
    };
    let kind = (quirks.token_kind_header.clone(), kind.into());
    let kind = (!quirks.token_kind_header.is_empty()).then_some(&kind);
    quirks.headers.iter().chain(kind).map(|(name, value)| recorded(target, name, value)).collect()
}

/// What requests of a target say in lists: those that sign in with somebody's token.
fn listed_headers(target: &Target) -> Result<Vec<(HeaderName, HeaderValue)>> {
    let by_token = target.key.as_ref().is_some_and(|key| is_token(&target.spec, key.reveal()));
    let listed = if by_token { &*target.spec.quirks.token_lists } else { &[] };
    listed.iter().map(|(name, value)| recorded(target, name, value)).collect()
}

/// A header of a vendor's record.
fn recorded(target: &Target, name: &str, value: &str) -> Result<(HeaderName, HeaderValue)> {
    let value = if value.contains('{') { told(value, target)? } else { value.to_owned() };
    let header = (HeaderName::try_from(name).ok(), HeaderValue::try_from(value).ok());
    let (Some(name), Some(value)) = header else {
        return Err(fault(format!("provider `{}`: `{name}` is no header", target.spec.id)));
    };
    Ok((name, value))
}

fn is_events(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/event-stream"))
}

fn fault(message: String) -> Error {
    Error::new(ErrorKind::Internal, message).with_origin(Origin::Gateway)
}

/// A URL without the credentials it may hold.
fn shown(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://***@{rest}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests;
