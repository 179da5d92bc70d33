//! The record of a vendor: where it is, how to sign in, which dialect it speaks, how it differs.

use std::borrow::Cow;

use llm_types::ProviderId;
use serde::{Deserialize, Serialize};

use crate::CloudSpec;
use crate::dialects::prompt::Wire;

mod address;
mod amendment;
mod door;
mod models;
mod prefill;
mod quirks;

pub use amendment::Amendment;
pub use door::Door;
pub use models::ModelRule;
pub use prefill::Prefill;
pub use quirks::{PARAMS, Quirks};

/// The dialects there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DialectId {
    /// OpenAI Chat Completions.
    OpenaiChat,
    /// OpenAI Responses.
    OpenaiResponses,
    /// Anthropic Messages.
    Anthropic,
    /// Gemini `generateContent`.
    Gemini,
    /// Cohere Chat, version 2.
    Cohere,
    /// Amazon Bedrock Converse.
    Converse,
    /// OpenAI's legacy Completions.
    OpenaiText,
    /// Ollama's chat.
    Ollama,
    /// Cohere Chat, version 1.
    CohereV1,
    /// Amazon Nova's own messages: what Converse says, in the body of `InvokeModel`.
    Nova,
    /// A prompt to be completed, on one of its wires.
    Prompt(Wire),
    /// Generic chat of Oracle's Generative AI.
    OracleGeneric,
    /// Cohere's chat in Oracle's Generative AI.
    OracleCohere,
    /// Chat Completions with functions where others have tools.
    Functions,
    /// Agent2Agent, JSON-RPC.
    A2a,
    /// LangGraph's stateless runs.
    Langgraph,
    /// Langflow's runs.
    Langflow,
    /// Threads and runs of OpenAI's Assistants, as Azure's agents have them.
    Threads,
    /// Agents in Amazon Bedrock's `AgentCore`.
    Agentcore,
    /// Agents for Amazon Bedrock.
    BedrockAgent,
    /// Messages whose contents are lists, with parameters in an object: Bytez.
    Bytez,
    /// Agents that a Python application runs in Google's Agent Engine.
    AgentEngine,
}

impl DialectId {
    /// Ends of base URLs that operators write although the dialect's path brings them along, longest
    /// first: LiteLLM takes whole URLs of some providers as `api_base`.
    #[must_use]
    pub const fn own_paths(self) -> &'static [&'static str] {
        match self {
            Self::OpenaiChat | Self::Functions => &["/chat/completions"],
            Self::OpenaiText => &["/completions"],
            Self::OpenaiResponses => &["/responses"],
            Self::Anthropic => &["/v1/messages"],
            Self::Cohere | Self::CohereV1 => &["/v2/chat", "/v1/chat", "/v2", "/v1"],
            // Its imitation of OpenAI's API lives behind `/v1`.
            Self::Ollama => &["/api/generate", "/api/chat", "/api", "/v1"],
            Self::Prompt(Wire::Complete) => &["/v1/complete"],
            Self::OracleGeneric | Self::OracleCohere => &["/20231130/actions/chat"],
            Self::Langgraph => &["/runs/wait", "/runs/stream"],
            Self::Gemini
            | Self::Converse
            | Self::Nova
            | Self::Prompt(_)
            | Self::A2a
            | Self::Langflow
            | Self::Threads
            | Self::Agentcore
            | Self::BedrockAgent
            | Self::Bytez
            | Self::AgentEngine => &[],
        }
    }

    /// A base URL without the dialect's [own path](Self::own_paths) at its end.
    pub(crate) fn without_own_path(self, base: &str) -> &str {
        self.own_paths().iter().find_map(|path| base.strip_suffix(path)).unwrap_or(base)
    }
}

/// Where the secret goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// `authorization: Bearer …`.
    Bearer,
    /// `authorization: <word> …`.
    Scheme(Cow<'static, str>),
    /// A header of its own.
    Header(Cow<'static, str>),
    /// A query parameter.
    Query(Cow<'static, str>),
    /// `authorization: Bearer …`, with this word where there is no key: local servers that want to see a
    /// token and read none.
    BearerOr(Cow<'static, str>),
    /// None needed: local servers. A key that is given anyway is sent as a bearer token.
    None,
}

/// A provider. `const` for the built-in ones, deserialised from the configuration for users' own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderSpec {
    /// The slug that prefixes model names (`groq/…`).
    pub id: ProviderId,
    /// The name for people.
    pub name: Cow<'static, str>,
    /// The vendor's API documentation.
    pub docs: Cow<'static, str>,
    /// Where requests go, without a trailing slash; [`ProviderSpec::prefix`] and the dialect's path are
    /// appended. Empty when the operator must say. `{NAME}` stands for an environment variable that has to
    /// be set, where the vendor's URL holds an account.
    pub base_url: Cow<'static, str>,
    /// Path between the base URL and the dialect's path, added unless the base URL already ends with it:
    /// for vendors whose base URL is customarily written without it (`http://localhost:11434`).
    #[serde(default)]
    pub prefix: Cow<'static, str>,
    /// Environment variables that override `base_url`, first set one wins.
    #[serde(default)]
    pub base_url_env: Cow<'static, [Cow<'static, str>]>,
    /// Environment variables that hold the key, first set one wins.
    #[serde(default)]
    pub key_env: Cow<'static, [Cow<'static, str>]>,
    /// How to sign in.
    pub auth: Auth,
    /// The dialect it speaks.
    pub dialect: DialectId,
    /// Named differences from the dialect.
    #[serde(default)]
    pub quirks: Quirks,
    /// What only clouds have.
    #[serde(default)]
    pub cloud: CloudSpec,
}

impl ProviderSpec {
    /// The base URL of requests: the one given, or the record's own, without a trailing slash and
    /// without the dialect's [own path](DialectId::own_paths), or else with [`ProviderSpec::prefix`]
    /// behind it.
    #[must_use]
    pub fn full_base_url(&self, given: Option<&str>) -> String {
        let base = given.unwrap_or(&self.base_url).trim().trim_end_matches('/');
        for (end, instead) in self.quirks.base_ends.iter() {
            if let Some(base) = base.strip_suffix(&**end) {
                return format!("{base}{instead}");
            }
        }
        let bare = self.dialect.without_own_path(base);
        if bare.len() < base.len() {
            return bare.to_owned();
        }
        if base.is_empty() || base.ends_with(&*self.prefix) {
            return base.to_owned();
        }
        format!("{base}{}", self.prefix)
    }
}
