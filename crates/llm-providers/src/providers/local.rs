//! Servers that people run themselves.

use super::provider;
use crate::{Auth, ProviderSpec, Quirks};

/// Servers that people run themselves. Sorted by slug.
pub(super) const LOCAL: &[ProviderSpec] = &[
    provider! {
        id: "custom_openai", name: "Any OpenAI-compatible server",
        docs: "https://platform.openai.com/docs/api-reference/chat",
        base_url: "", prefix: "",
        base_url_env: ["OPENAI_LIKE_API_BASE"], key_env: ["OPENAI_LIKE_API_KEY"],
        auth: Auth::None, dialect: OpenaiChat,
        quirks: Quirks::NONE,
    },
    provider! {
        id: "hosted_vllm", name: "Hosted VLLM",
        docs: "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
        base_url: "", prefix: "",
        base_url_env: ["HOSTED_VLLM_API_BASE"], key_env: ["HOSTED_VLLM_API_KEY"],
        auth: Auth::None, dialect: OpenaiChat,
        quirks: Quirks { text_completions: true, responses: true, ..Quirks::NONE },
    },
    provider! {
        id: "lemonade", name: "Lemonade",
        docs: "https://lemonade-server.ai/docs",
        base_url: "http://localhost:8000/api/v1", prefix: "",
        base_url_env: ["LEMONADE_API_BASE"], key_env: ["LEMONADE_API_KEY"],
        auth: Auth::None, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, developer_as_system: true, ..Quirks::NONE },
    },
    provider! {
        id: "llamafile", name: "Llamafile",
        docs: "https://github.com/Mozilla-Ocho/llamafile",
        base_url: "http://127.0.0.1:8080/v1", prefix: "",
        base_url_env: ["LLAMAFILE_API_BASE"], key_env: ["LLAMAFILE_API_KEY"],
        auth: Auth::None, dialect: OpenaiChat,
        quirks: Quirks { developer_as_system: true, ..Quirks::NONE },
    },
    provider! {
        id: "lm_studio", name: "LM Studio",
        docs: "https://lmstudio.ai/docs/app/api/endpoints/openai",
        base_url: "http://localhost:1234/v1", prefix: "",
        base_url_env: ["LM_STUDIO_API_BASE"], key_env: ["LM_STUDIO_API_KEY"],
        auth: Auth::None, dialect: OpenaiChat,
        quirks: Quirks { developer_as_system: true, ..Quirks::NONE },
    },
    provider! {
        id: "mock", name: "Built-in mock model",
        docs: "https://github.com/gateway-llm/gateway",
        base_url: "http://mock.invalid/v1", prefix: "",
        base_url_env: [], key_env: [],
        auth: Auth::None, dialect: OpenaiChat,
        quirks: Quirks::NONE,
    },
    provider! {
        id: "ollama", name: "Ollama",
        docs: "https://github.com/ollama/ollama/blob/main/docs/openai.md",
        base_url: "http://localhost:11434", prefix: "/v1",
        base_url_env: ["OLLAMA_API_BASE"], key_env: ["OLLAMA_API_KEY"],
        auth: Auth::None, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, developer_as_system: true, ..Quirks::NONE },
    },
];
