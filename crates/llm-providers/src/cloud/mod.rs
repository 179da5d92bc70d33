//! What sets a cloud apart from a vendor with one URL and one key: regions, projects and API versions
//! in its URLs, credentials that are fetched and expire, and models of many makers, each in its dialect.
//!
//! All of it is data in the vendor's record; nothing here knows a vendor by name.

mod envelope;
mod exchange;
mod measured;
mod route;
mod shell;
mod unframe;

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use envelope::Envelope;
pub use exchange::{Exchange, Has};
pub(crate) use measured::measured;
pub use route::Route;
pub(crate) use route::looks_like;
pub use shell::{Betas, Pairs, Shell};
pub(crate) use shell::{Wrapping, fill, told};
pub(crate) use unframe::unframed;

use crate::signin::Credential;

/// A constant list of words in a record.
pub type Words = Cow<'static, [Cow<'static, str>]>;

/// The part of a vendor's record that only clouds have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CloudSpec {
    /// Who signs in where the operator gives no key.
    pub identity: Identity,
    /// The region its models are called in.
    pub region: Setting,
    /// The project that is billed.
    pub project: Setting,
    /// The version of its API.
    pub version: Setting,
    /// What else its URLs and bodies name, as `{param}`.
    pub more: Cow<'static, [Setting]>,
    /// Base URLs of regions whose URL is not made from the record's by putting the region in.
    pub region_urls: Cow<'static, [(Cow<'static, str>, Cow<'static, str>)]>,
    /// Whether a model's name may begin with a region (`us-west-2/…`) or be a resource name that holds one.
    pub region_in_model: bool,
    /// How requests are wrapped where no route says otherwise.
    pub shell: Shell,
    /// How some models are called otherwise; the first that fits counts.
    pub routes: Cow<'static, [Route]>,
}

impl CloudSpec {
    /// No cloud.
    pub const NONE: Self = Self {
        identity: Identity::Key,
        region: Setting::NONE,
        project: Setting::NONE,
        version: Setting::NONE,
        more: Cow::Borrowed(&[]),
        region_urls: Cow::Borrowed(&[]),
        region_in_model: false,
        shell: Shell::NONE,
        routes: Cow::Borrowed(&[]),
    };

    /// Whether paths and bodies are the vendor's own, however one signs in.
    #[must_use]
    pub fn keeps_paths(&self) -> bool {
        let plain = matches!(
            self.identity,
            Identity::Key | Identity::Token(_) | Identity::Federation(_) | Identity::KeyPair
        );
        plain && Self { identity: Identity::Key, ..self.clone() } == Self::NONE
    }
}

impl Default for CloudSpec {
    fn default() -> Self {
        Self::NONE
    }
}

/// Who signs in where the operator gives no key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "records are constants: there are few, and nobody moves them")]
pub enum Identity {
    /// Nobody: there must be a key, unless [`crate::Auth::None`] says that none is needed.
    #[default]
    Key,
    /// A token in one of these environment variables, which goes as a bearer token.
    Token(Words),
    /// The same, and where there is none Anthropic's workload identity federation.
    Federation(Words),
    /// Microsoft Entra, for a token of this scope.
    Entra(Cow<'static, str>),
    /// Google Cloud.
    Google,
    /// AWS, by signing each request for the service of this name.
    Aws(Cow<'static, str>),
    /// A service that gives a token for the operator's key or application.
    Exchange(Exchange),
    /// SAP AI Core, by a service key.
    Aicore,
    /// GitHub Copilot, by the token a user's sign-in left on disk.
    Copilot,
    /// A ChatGPT subscription, by the tokens a user's sign-in left on disk.
    Chatgpt,
    /// Oracle Cloud, by signing each request with a user's API key or that of a session.
    Oci,
    /// A user's key pair, where there is no key: a token is signed with its private half.
    KeyPair,
}

/// A setting of a cloud: its name in `litellm_params`, the environment variables that stand in for it, and
/// what counts when none says anything (nothing when empty).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Setting {
    /// The name in a deployment's parameters.
    pub param: Cow<'static, str>,
    /// Environment variables, the first set one counts.
    pub env: Words,
    /// The default.
    pub default: Cow<'static, str>,
}

impl Setting {
    /// There is no such setting.
    pub const NONE: Self =
        Self { param: Cow::Borrowed(""), env: Cow::Borrowed(&[]), default: Cow::Borrowed("") };
}

/// What an operator says of a deployment in a cloud.
#[derive(Debug, Clone, Default)]
pub struct Cloud {
    /// The region.
    pub region: Option<String>,
    /// The project.
    pub project: Option<String>,
    /// The version of the API.
    pub version: Option<String>,
    /// What else is said, by the names of the parameters.
    pub more: Vec<(String, String)>,
    /// The maker's name of the model, where the deployment's own name is free text.
    pub base_model: Option<String>,
    /// What signs in, where no key does.
    pub credential: Option<Arc<Credential>>,
}

#[cfg(test)]
mod tests;
