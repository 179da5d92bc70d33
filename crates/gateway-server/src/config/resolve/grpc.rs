//! Vendors that speak gRPC: operators give `host:port`, as LiteLLM takes it, and say whether there is TLS.

use http::{HeaderMap, HeaderName, HeaderValue};
use llm_providers::ProviderSpec;

use super::Section;

/// The header that names a function of NVIDIA's cloud.
/// <https://docs.nvidia.com/cloud-functions/user-guide/latest/cloud-function/api.html>
const FUNCTION: HeaderName = HeaderName::from_static("function-id");

/// Whether a vendor speaks gRPC.
pub(super) fn is_grpc(spec: &ProviderSpec) -> bool {
    spec.base_url.starts_with("grpc")
}

/// `host:port` as a URL. There is TLS where `use_ssl` says so; where it says nothing, with a function of NVIDIA's
/// cloud and without one there is none. `http://` and `https://` say it themselves.
pub(super) fn url(section: &mut Section<'_, '_, '_>, given: &str) -> String {
    let tls = section.flag("use_ssl").unwrap_or_else(|| section.gives("nvcf_function_id"));
    let (scheme, place) = match given.split_once("://") {
        None => (if tls { "grpcs" } else { "grpc" }, given),
        Some(("http", place)) => ("grpc", place),
        Some(("https", place)) => ("grpcs", place),
        Some((scheme, place)) => (scheme, place),
    };
    format!("{scheme}://{place}")
}

/// Puts the function of NVIDIA's cloud among the headers of every call.
pub(super) fn function(section: &mut Section<'_, '_, '_>, headers: &mut HeaderMap) {
    let Some(id) = section.text("nvcf_function_id") else { return };
    match HeaderValue::try_from(id) {
        Ok(id) => {
            headers.insert(FUNCTION, id);
        }
        Err(_) => section.error(
            "nvcf_function_id",
            "found text that no header can carry",
            "expected the id of a function",
        ),
    }
}

#[cfg(test)]
mod tests;
