//! One door to many providers.

use std::borrow::Cow;

use super::profiles::{CHAT, COMPATIBLE, LISTED, MESSAGES, NO_EFFORT};
use super::{amend, pairs, provider, rules, words};
use crate::{Auth, ProviderSpec, Quirks};

/// One door to many providers. Sorted by slug.
pub(super) const AGGREGATORS: &[ProviderSpec] = &[
    provider! {
        id: "aihubmix", name: "Aihubmix",
        docs: "https://aihubmix.com",
        base_url: "https://aihubmix.com/v1", prefix: "",
        base_url_env: ["AIHUBMIX_API_BASE"], key_env: ["AIHUBMIX_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, files_as_given: true, ..NO_EFFORT },
    },
    provider! {
        id: "aiml", name: "AI/ML API",
        docs: "https://aimlapi.com",
        base_url: "https://api.aimlapi.com/v1", prefix: "",
        base_url_env: ["AIML_API_BASE"], key_env: ["AIML_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, files_as_given: true, ..CHAT },
    },
    provider! {
        id: "apertis", name: "Apertis",
        docs: "https://stima.tech",
        base_url: "https://api.stima.tech/v1", prefix: "",
        base_url_env: [], key_env: ["STIMA_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, ..LISTED },
    },
    provider! {
        id: "assemblyai", name: "AssemblyAI",
        docs: "https://assemblyai.com",
        base_url: "https://llm-gateway.assemblyai.com/v1", prefix: "",
        base_url_env: [], key_env: ["ASSEMBLYAI_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: LISTED,
    },
    provider! {
        id: "bytez", name: "Bytez",
        docs: "https://docs.bytez.com",
        base_url: "https://api.bytez.com/models/v2", prefix: "",
        base_url_env: ["BYTEZ_API_BASE"], key_env: ["BYTEZ_API_KEY"],
        auth: Auth::Scheme(Cow::Borrowed("Key")), dialect: Bytez,
        quirks: Quirks {
            supported: words!["max_completion_tokens", "max_tokens", "n", "temperature", "top_p", "user"],
            no_stream_options: true,
            no_reasoning_content: true,
            amend: amend![MessagesWithout(words!["name", "thinking_blocks"])],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "cometapi", name: "CometAPI",
        docs: "https://cometapi.com",
        base_url: "https://api.cometapi.com/v1", prefix: "",
        base_url_env: ["COMETAPI_API_BASE"], key_env: ["COMETAPI_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: CHAT,
    },
    provider! {
        id: "cortecs", name: "Cortecs",
        docs: "https://cortecs.ai",
        base_url: "https://api.cortecs.ai/v1", prefix: "",
        base_url_env: ["CORTECS_API_BASE"], key_env: ["CORTECS_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { responses: true, doors: rules![MESSAGES], ..LISTED },
    },
    provider! {
        id: "datarobot", name: "DataRobot",
        docs: "https://docs.datarobot.com/en/docs/gen-ai/genai-code/dr-llm-gateway.html",
        base_url: "https://app.datarobot.com", prefix: "/api/v2/genai/llmgw",
        base_url_env: ["DATAROBOT_ENDPOINT"], key_env: ["DATAROBOT_API_TOKEN"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, base_ends: pairs!["/api/v2" => "/api/v2/genai/llmgw"], ..CHAT },
    },
    provider! {
        id: "edenai", name: "Eden AI",
        docs: "https://edenai.run",
        base_url: "https://api.edenai.run/v3", prefix: "",
        base_url_env: ["EDENAI_API_BASE"], key_env: ["EDENAI_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { responses: true, doors: rules![MESSAGES], ..CHAT },
    },
    provider! {
        id: "helicone", name: "Helicone",
        docs: "https://helicone.ai",
        base_url: "https://ai-gateway.helicone.ai", prefix: "",
        base_url_env: [], key_env: ["HELICONE_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: LISTED,
    },
    provider! {
        id: "huggingface", name: "Huggingface",
        docs: "https://huggingface.co/docs/inference-providers",
        base_url: "https://router.huggingface.co", prefix: "/v1",
        base_url_env: ["HUGGINGFACE_API_BASE"], key_env: ["HUGGINGFACE_API_KEY", "HF_TOKEN"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: CHAT,
    },
    provider! {
        id: "litellm_proxy", name: "LiteLLM Proxy",
        docs: "https://docs.litellm.ai/docs/providers/litellm_proxy",
        base_url: "", prefix: "",
        base_url_env: ["LITELLM_PROXY_API_BASE"], key_env: ["LITELLM_PROXY_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { keeps_cache_control: true, files_as_given: true, responses: true, ..Quirks::NONE },
    },
    provider! {
        id: "nadir", name: "Nadir",
        docs: "https://getnadir.com",
        base_url: "https://api.getnadir.com/v1", prefix: "",
        base_url_env: ["NADIR_API_BASE"], key_env: ["NADIR_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            supported: words![
                "frequency_penalty", "max_tokens", "presence_penalty", "response_format",
                "temperature", "top_p"
            ],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "nano-gpt", name: "NanoGPT",
        docs: "https://nano-gpt.com",
        base_url: "https://nano-gpt.com/api/v1", prefix: "",
        base_url_env: [], key_env: ["NANOGPT_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, ..LISTED },
    },
    provider! {
        id: "openrouter", name: "OpenRouter",
        docs: "https://openrouter.ai/docs/api-reference/overview",
        base_url: "https://openrouter.ai/api/v1", prefix: "",
        base_url_env: ["OPENROUTER_API_BASE"], key_env: ["OPENROUTER_API_KEY", "OR_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            unsupported: words!["user", "verbosity"],
            keeps_cache_control: true,
            usage_on_request: true,
            responses: true,
            ..COMPATIBLE
        },
    },
    provider! {
        id: "poe", name: "Poe",
        docs: "https://poe.com",
        base_url: "https://api.poe.com/v1", prefix: "",
        base_url_env: [], key_env: ["POE_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, ..LISTED },
    },
    provider! {
        id: "vercel_ai_gateway", name: "Vercel AI Gateway",
        docs: "https://vercel.com/docs/ai-gateway/openai-compat",
        base_url: "https://ai-gateway.vercel.sh/v1", prefix: "",
        base_url_env: ["VERCEL_AI_GATEWAY_API_BASE"], key_env: ["VERCEL_AI_GATEWAY_API_KEY", "VERCEL_OIDC_TOKEN"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: CHAT,
    },
];
