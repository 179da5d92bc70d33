//! Any service that gives a token for what the operator has: one request, its words as the vendor's record
//! wants them ([`crate::cloud::Exchange`]).

use std::time::SystemTime;

use http::HeaderName;
use llm_types::{Result, Secret, Transport};

use super::Held;
use super::fetch::{self, Ask};
use super::given::fault;
use crate::uuid::uuid;

/// What a service is asked with.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchanged {
    /// Who is asked, for messages.
    pub whom: String,
    /// Where.
    pub url: String,
    /// Headers. `{uuid}` in a value is another random UUID at each request.
    pub headers: Vec<(String, Secret)>,
    /// The form.
    pub form: Vec<(String, Secret)>,
}

impl Exchanged {
    pub(super) async fn fetch(&self, transport: &dyn Transport, now: SystemTime) -> Result<Held> {
        let pairs: Vec<(&str, &str)> =
            self.form.iter().map(|(name, value)| (name.as_str(), value.reveal().as_str())).collect();
        let mut ask = Ask::post(&self.whom, &self.url).form(&pairs);
        for (name, value) in &self.headers {
            let name = HeaderName::try_from(name.as_str())
                .map_err(|_| fault(format!("`{name}` is not a header name")))?;
            ask = ask.header(name, &value.reveal().replace("{uuid}", &uuid()))?;
        }
        fetch::held(&self.whom, &ask.value(transport).await?, now)
    }
}

#[cfg(test)]
mod tests;
