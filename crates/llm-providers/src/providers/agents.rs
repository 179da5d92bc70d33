//! Agents that answer as models do.

use std::borrow::Cow;

use super::profiles::AGENT;
use super::{pairs, provider, words};
use crate::cloud::{CloudSpec, Shell};
use crate::{Auth, ProviderSpec, Quirks};

/// Agents. Sorted by slug.
pub(super) const AGENTS: &[ProviderSpec] = &[
    provider! {
        id: "a2a", name: "Agent2Agent",
        docs: "https://a2a-protocol.org/latest/specification/",
        base_url: "", prefix: "",
        base_url_env: ["A2A_API_BASE"], key_env: ["A2A_API_KEY"],
        auth: Auth::None, dialect: A2a,
        quirks: AGENT,
    },
    provider! {
        id: "langflow", name: "Langflow",
        docs: "https://docs.langflow.org/api-flows-run",
        base_url: "http://localhost:7860", prefix: "",
        base_url_env: ["LANGFLOW_API_BASE"], key_env: ["LANGFLOW_API_KEY"],
        auth: Auth::Header(Cow::Borrowed("x-api-key")), dialect: Langflow,
        quirks: Quirks { supported: words!["stream"], ignored: words!["top_k"], ..AGENT },
    },
    provider! {
        id: "langgraph", name: "LangGraph",
        docs: "https://langchain-ai.github.io/langgraph/cloud/reference/api/api_ref.html",
        base_url: "http://localhost:2024", prefix: "",
        base_url_env: ["LANGGRAPH_API_BASE"], key_env: ["LANGGRAPH_API_KEY"],
        auth: Auth::None, dialect: Langgraph,
        quirks: Quirks { supported: words!["stream"], ignored: words!["top_k"], ..AGENT },
    },
    provider! {
        id: "manus", name: "Manus",
        docs: "https://open.manus.ai/docs/openai-compatibility",
        base_url: "https://api.manus.im", prefix: "/v1",
        base_url_env: ["MANUS_API_BASE"], key_env: ["MANUS_API_KEY"],
        auth: Auth::Header(Cow::Borrowed("api_key")), dialect: OpenaiResponses,
        quirks: Quirks { responses: true, ..Quirks::NONE },
        cloud: CloudSpec {
            shell: Shell {
                with: pairs!["task_mode" => "agent", "agent_profile" => "{model}"],
                ..Shell::NONE
            },
            ..CloudSpec::NONE
        },
    },
];
