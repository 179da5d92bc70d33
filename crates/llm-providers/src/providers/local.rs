//! Servers that people run themselves.

use std::borrow::Cow;

use super::profiles::{CHAT, COMPATIBLE, NO_EFFORT};
use super::{amend, pairs, provider, words};
use crate::{Auth, Prefill, ProviderSpec, Quirks};

/// Ollama. LiteLLM refuses what is listed, although the server takes all but the last.
const OLLAMA: Quirks = Quirks {
    unsupported: words!["logprobs", "presence_penalty", "thinking", "top_logprobs", "parallel_tool_calls"],
    ..Quirks::NONE
};

/// Servers that people run themselves. Sorted by slug.
pub(super) const LOCAL: &[ProviderSpec] = &[
    provider! {
        id: "aiohttp_openai", name: "Any OpenAI-compatible server",
        docs: "https://platform.openai.com/docs/api-reference/chat",
        base_url: "", prefix: "",
        base_url_env: ["OPENAI_LIKE_API_BASE"], key_env: ["OPENAI_LIKE_API_KEY"],
        auth: Auth::BearerOr(Cow::Borrowed("none")), dialect: OpenaiChat,
        quirks: CHAT,
    },
    provider! {
        id: "custom_openai", name: "Any OpenAI-compatible server",
        docs: "https://platform.openai.com/docs/api-reference/chat",
        base_url: "", prefix: "",
        base_url_env: ["OPENAI_LIKE_API_BASE"], key_env: ["OPENAI_LIKE_API_KEY"],
        auth: Auth::BearerOr(Cow::Borrowed("none")), dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, ..CHAT },
    },
    provider! {
        id: "docker_model_runner", name: "Docker Model Runner",
        docs: "https://docs.docker.com/ai/model-runner/api-reference/",
        base_url: "http://localhost:22088/engines/llama.cpp", prefix: "",
        base_url_env: ["DOCKER_MODEL_RUNNER_API_BASE"], key_env: ["DOCKER_MODEL_RUNNER_API_KEY"],
        auth: Auth::BearerOr(Cow::Borrowed("none")), dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, amend: amend![JoinTexts], ..CHAT },
    },
    provider! {
        id: "hosted_vllm", name: "Hosted VLLM",
        docs: "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
        base_url: "", prefix: "",
        base_url_env: ["HOSTED_VLLM_API_BASE"], key_env: ["HOSTED_VLLM_API_KEY"],
        auth: Auth::BearerOr(Cow::Borrowed("none")), dialect: OpenaiChat,
        quirks: Quirks {
            prefill: Prefill::FinalMessage,
            unsupported: words!["user", "verbosity"],
            text_completions: true,
            responses: true,
            amend: amend![ThinkingAsEffort, NoStrict, OpenSchemas, MessagesWithout(words!["thinking_blocks"])],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "lemonade", name: "Lemonade",
        docs: "https://lemonade-server.ai/docs",
        base_url: "http://localhost:8000/api/v1", prefix: "",
        base_url_env: ["LEMONADE_API_BASE"], key_env: ["LEMONADE_API_KEY"],
        auth: Auth::BearerOr(Cow::Borrowed("none")), dialect: OpenaiChat,
        quirks: Quirks {
            max_completion_tokens_as_max_tokens: true,
            unsupported: words!["user", "verbosity"],
            ignored: words!["reasoning_effort"],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "llamafile", name: "Llamafile",
        docs: "https://github.com/Mozilla-Ocho/llamafile",
        base_url: "http://127.0.0.1:8080/v1", prefix: "",
        base_url_env: ["LLAMAFILE_API_BASE"], key_env: ["LLAMAFILE_API_KEY"],
        auth: Auth::BearerOr(Cow::Borrowed("none")), dialect: OpenaiChat,
        quirks: CHAT,
    },
    provider! {
        id: "lm_studio", name: "LM Studio",
        docs: "https://lmstudio.ai/docs/app/api/endpoints/openai",
        base_url: "http://localhost:1234/v1", prefix: "",
        base_url_env: ["LM_STUDIO_API_BASE"], key_env: ["LM_STUDIO_API_KEY"],
        auth: Auth::BearerOr(Cow::Borrowed("none")), dialect: OpenaiChat,
        quirks: CHAT,
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
        docs: "https://docs.ollama.com/api/generate",
        base_url: "http://localhost:11434", prefix: "",
        base_url_env: ["OLLAMA_API_BASE"], key_env: ["OLLAMA_API_KEY"],
        auth: Auth::None, dialect: Ollama,
        quirks: Quirks { as_prompt: true, ..OLLAMA },
    },
    provider! {
        id: "ollama_chat", name: "Ollama Chat",
        docs: "https://docs.ollama.com/api/chat",
        base_url: "http://localhost:11434", prefix: "",
        base_url_env: ["OLLAMA_API_BASE"], key_env: ["OLLAMA_API_KEY"],
        auth: Auth::None, dialect: Ollama,
        quirks: OLLAMA,
    },
    provider! {
        id: "oobabooga", name: "Text Generation Web UI",
        docs: "https://github.com/oobabooga/text-generation-webui/wiki/12-%E2%80%90-OpenAI-API",
        base_url: "", prefix: "/v1",
        base_url_env: ["OOBABOOGA_API_BASE"], key_env: ["OOBABOOGA_API_KEY"],
        auth: Auth::None, dialect: OpenaiChat,
        quirks: CHAT,
    },
    provider! {
        id: "openai_like", name: "Any server like OpenAI's",
        docs: "https://platform.openai.com/docs/api-reference/chat",
        base_url: "", prefix: "",
        base_url_env: ["OPENAI_LIKE_API_BASE"], key_env: ["OPENAI_LIKE_API_KEY"],
        auth: Auth::BearerOr(Cow::Borrowed("none")), dialect: OpenaiChat,
        quirks: Quirks::NONE,
    },
    provider! {
        id: "ragflow", name: "RAGFlow",
        docs: "https://ragflow.io/docs/dev/http_api_reference",
        base_url: "http://localhost:9380", prefix: "",
        base_url_env: ["RAGFLOW_API_BASE"], key_env: ["RAGFLOW_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            model_paths: pairs![
                "agent/" => "/api/v1/agents_openai/{}",
                "chat/" => "/api/v1/chats_openai/{}",
            ],
            files_as_given: true,
            ..CHAT
        },
    },
    provider! {
        id: "vllm", name: "VLLM",
        docs: "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
        base_url: "", prefix: "",
        base_url_env: ["VLLM_API_BASE"], key_env: ["VLLM_API_KEY"],
        auth: Auth::BearerOr(Cow::Borrowed("none")), dialect: OpenaiChat,
        quirks: Quirks {
            prefill: Prefill::FinalMessage,
            unsupported: words!["user", "verbosity"],
            text_completions: true,
            responses: true,
            amend: amend![ThinkingAsEffort, NoStrict, OpenSchemas, MessagesWithout(words!["thinking_blocks"])],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "xinference", name: "Xorbits Inference",
        docs: "https://inference.readthedocs.io/en/latest/user_guide/client_api.html",
        base_url: "http://127.0.0.1:9997/v1", prefix: "",
        base_url_env: ["XINFERENCE_API_BASE"], key_env: ["XINFERENCE_API_KEY"],
        auth: Auth::BearerOr(Cow::Borrowed("none")), dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, files_as_given: true, ..NO_EFFORT },
    },
];
