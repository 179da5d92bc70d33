//! One document fetched beside calls: public keys, prices, bills.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue, Method, Uri};
use llm_providers::transport::HyperTransport;
use llm_types::{HttpRequest, Timeouts};

/// How far one goes for a document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// How long fetching may take.
    pub(crate) patience: Duration,
    /// The longest document that is read, bytes.
    pub(crate) largest: usize,
}

/// The document at an address. Redirects are not followed.
///
/// # Errors
/// Why there is none, in words.
pub(crate) async fn get(
    transport: &HyperTransport,
    url: &str,
    mut headers: HeaderMap,
    Bounds { patience, largest }: Bounds,
) -> Result<Bytes, String> {
    let uri: Uri = url.parse().map_err(|_| "it is not a URL".to_owned())?;
    headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));
    let patience = Some(patience);
    let timeouts = Timeouts { connect: patience, first_byte: patience, read: patience, total: patience };
    let request = HttpRequest { method: Method::GET, uri, headers, body: Bytes::new(), timeouts };
    let mut response = transport.exchange(request).await.map_err(|error| error.to_string())?;
    if !response.status.is_success() {
        return Err(format!("the server answered status {}", response.status.as_u16()));
    }
    let mut all = Vec::new();
    while let Some(piece) = response.body.next().await {
        let piece = piece.map_err(|error| error.to_string())?;
        if all.len() + piece.len() > largest {
            return Err(format!("the document is larger than {} MB", largest >> 20));
        }
        all.extend_from_slice(&piece);
    }
    Ok(all.into())
}
