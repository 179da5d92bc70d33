//! Signature Version 4 on a finished request.
//!
//! Vendor's page: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.
//! Signed are the host, the content type and the `x-amz-` headers: proxies leave those alone.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign as signed};
use aws_sigv4::sign::v4;
use http::{HeaderMap, HeaderName, HeaderValue};
use llm_types::{Error, ErrorKind, HttpRequest, Origin, Result};

use super::AwsKeys;

/// What stands in the place of a body's hash where each event of the body is signed by itself.
pub(crate) const CHAINED: &str = "STREAMING-AWS4-HMAC-SHA256-EVENTS";
/// The header it stands in.
pub(crate) const HASH: HeaderName = HeaderName::from_static("x-amz-content-sha256");

/// Whether the events of a request's body are signed one by one ([`super::chain`]).
pub(crate) fn is_chained(headers: &HeaderMap) -> bool {
    headers.get(HASH).is_some_and(|hash| hash == CHAINED)
}

/// Signs a request for a service in a region: sets `authorization`, `x-amz-date` and, for temporary keys,
/// `x-amz-security-token`.
pub(crate) fn sign(
    request: &mut HttpRequest,
    keys: &AwsKeys,
    (service, region): (&str, &str),
    now: SystemTime,
) -> Result<()> {
    for name in ["authorization", "x-amz-date", "x-amz-security-token"] {
        request.headers.remove(name);
    }
    let session = keys.session.as_ref().map(|token| token.reveal().clone());
    let identity = Credentials::new(&keys.id, keys.secret.reveal(), session, None, "gateway").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(now)
        .settings(SigningSettings::default())
        .build()
        .map_err(|_| fault())?
        .into();
    let uri = request.uri.to_string();
    let headers = request.headers.iter().filter_map(|(name, value)| {
        let counts = name == http::header::CONTENT_TYPE || name.as_str().starts_with("x-amz-");
        counts.then(|| value.to_str().ok().map(|value| (name.as_str(), value))).flatten()
    });
    let body = match is_chained(&request.headers) {
        true => SignableBody::Precomputed(CHAINED.to_owned()),
        false => SignableBody::Bytes(&request.body),
    };
    let signable =
        SignableRequest::new(request.method.as_str(), uri.as_str(), headers, body).map_err(|_| fault())?;
    let (instructions, _) = signed(signable, &params).map_err(|_| fault())?.into_parts();
    let (headers, _) = instructions.into_parts();
    for header in headers {
        let mut value = HeaderValue::from_str(header.value()).map_err(|_| fault())?;
        value.set_sensitive(header.sensitive() || header.name() == "authorization");
        request.headers.insert(HeaderName::from_static(header.name()), value);
    }
    Ok(())
}

/// What went wrong is not said: it could hold a key.
pub(super) fn fault() -> Error {
    let message = "sign-in: the request cannot be signed: look for line breaks in the AWS keys";
    Error::new(ErrorKind::Unauthenticated, message).with_origin(Origin::Gateway)
}
