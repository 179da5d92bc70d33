//! Makers of models.

use std::borrow::Cow;

use super::profiles::{
    CHAT, COMPATIBLE, COMPLETIONS_LACK, LISTED, MESSAGES, MISTRAL, NO_EFFORT, REASONERS, REASONING,
    anthropic, responses,
};
use super::{amend, pairs, provider, rules, words};
use crate::cloud::{CloudSpec, Identity, Route, Shell};
use crate::{Auth, DialectId, Door, ModelRule, Prefill, ProviderSpec, Quirks};

/// Cohere's models by the names LiteLLM gives those that the first version of its API serves.
const COHERE: CloudSpec = CloudSpec {
    routes: Cow::Borrowed(&[Route {
        models: words!["v1/*"],
        strip: Cow::Borrowed("v1/"),
        dialect: DialectId::CohereV1,
        ..Route::ANY
    }]),
    ..CloudSpec::NONE
};

/// Makers of models. Sorted by slug.
pub(super) const LABS: &[ProviderSpec] = &[
    provider! {
        id: "ai21", name: "AI21",
        docs: "https://docs.ai21.com/reference/jamba-1-6-api-ref",
        base_url: "https://api.ai21.com/studio/v1", prefix: "",
        base_url_env: ["AI21_API_BASE"], key_env: ["AI21_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            max_completion_tokens_as_max_tokens: true,
            supported: words![
                "max_completion_tokens", "max_tokens", "n", "response_format", "seed", "stop",
                "temperature", "tool_choice", "tools"
            ],
            no_stream_options: true,
            ..COMPATIBLE
        },
    },
    provider! {
        id: "ai21_chat", name: "AI21 Jamba",
        docs: "https://docs.ai21.com/reference/jamba-1-6-api-ref",
        base_url: "https://api.ai21.com/studio/v1", prefix: "",
        base_url_env: ["AI21_API_BASE"], key_env: ["AI21_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            max_completion_tokens_as_max_tokens: true,
            supported: words![
                "max_completion_tokens", "max_tokens", "n", "response_format", "seed", "stop",
                "temperature", "tool_choice", "tools"
            ],
            no_stream_options: true,
            ..COMPATIBLE
        },
    },
    provider! {
        id: "amazon_nova", name: "Amazon Nova",
        docs: "https://nova.amazon.com/dev/documentation",
        base_url: "https://api.nova.amazon.com/v1", prefix: "",
        base_url_env: ["AMAZON_NOVA_API_BASE"], key_env: ["AMAZON_NOVA_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            max_completion_tokens_as_max_tokens: true,
            supported: words![
                "max_completion_tokens", "max_tokens", "reasoning_effort", "stop", "temperature",
                "tool_choice", "tools", "top_p"
            ],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "anthropic", name: "Anthropic",
        docs: "https://docs.anthropic.com/en/api/messages",
        base_url: "https://api.anthropic.com", prefix: "",
        base_url_env: ["ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"], key_env: ["ANTHROPIC_API_KEY"],
        auth: Auth::Header(Cow::Borrowed("x-api-key")), dialect: Anthropic,
        quirks: Quirks {
            max_completion_tokens_as_max_tokens: true,
            token_prefix: Cow::Borrowed("sk-ant-oat"),
            token_lists: pairs!["anthropic-beta" => "oauth-2025-04-20"],
            ..Quirks::NONE
        },
        cloud: CloudSpec { identity: Identity::Federation(words!["ANTHROPIC_AUTH_TOKEN"]), ..CloudSpec::NONE },
    },
    provider! {
        id: "codestral", name: "Codestral",
        docs: "https://docs.mistral.ai/capabilities/code_generation",
        base_url: "https://codestral.mistral.ai/v1", prefix: "",
        base_url_env: ["CODESTRAL_API_BASE", "MISTRAL_AZURE_API_BASE"], key_env: ["CODESTRAL_API_KEY", "MISTRAL_AZURE_API_KEY", "MISTRAL_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            prefill: Prefill::Prefix,
            max_completion_tokens_as_max_tokens: true,
            supported: words![
                "max_completion_tokens", "max_tokens", "parallel_tool_calls", "response_format",
                "seed", "stop", "temperature", "tool_choice", "tools", "top_p"
            ],
            seed_as_random_seed: true,
            no_stream_options: true,
            no_reasoning_content: true,
            amend: MISTRAL,
            ..COMPATIBLE
        },
    },
    provider! {
        id: "cognition", name: "Cognition",
        docs: "https://cognition.ai",
        base_url: "https://api.cognition.ai/v1", prefix: "",
        base_url_env: ["COGNITION_API_BASE"], key_env: ["COGNITION_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: LISTED,
    },
    provider! {
        id: "cohere", name: "Cohere",
        docs: "https://docs.cohere.com/v2/reference/chat",
        base_url: "https://api.cohere.com", prefix: "",
        base_url_env: ["COHERE_API_BASE"], key_env: ["COHERE_API_KEY", "CO_API_KEY"],
        auth: Auth::Bearer, dialect: Cohere,
        quirks: Quirks::NONE, cloud: COHERE,
    },
    provider! {
        id: "cohere_chat", name: "Cohere Chat",
        docs: "https://docs.cohere.com/v2/reference/chat",
        base_url: "https://api.cohere.com", prefix: "",
        base_url_env: ["COHERE_API_BASE"], key_env: ["COHERE_API_KEY", "CO_API_KEY"],
        auth: Auth::Bearer, dialect: Cohere,
        quirks: Quirks::NONE, cloud: COHERE,
    },
    provider! {
        id: "dashscope", name: "Dashscope",
        docs: "https://www.alibabacloud.com/help/en/model-studio/use-qwen-by-calling-api",
        base_url: "https://dashscope.aliyuncs.com/compatible-mode/v1", prefix: "",
        base_url_env: ["DASHSCOPE_API_BASE"], key_env: ["DASHSCOPE_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { keeps_cache_control: true, ..REASONING },
    },
    provider! {
        id: "deepseek", name: "Deepseek",
        docs: "https://api-docs.deepseek.com",
        base_url: "https://api.deepseek.com/beta", prefix: "",
        base_url_env: ["DEEPSEEK_API_BASE"], key_env: ["DEEPSEEK_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            prefill: Prefill::Prefix,
            doors: rules![anthropic("/beta")],
            unsupported: words!["user", "verbosity"],
            amend: amend![EffortAsThinking, ThinkingSwitch, FunctionsOnly, JoinTexts, ReasoningInAnswers],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "gemini", name: "Google Gemini",
        docs: "https://ai.google.dev/api/generate-content",
        base_url: "https://generativelanguage.googleapis.com/v1beta", prefix: "",
        base_url_env: ["GEMINI_API_BASE"], key_env: ["GOOGLE_API_KEY", "GEMINI_API_KEY", "PALM_API_KEY"],
        auth: Auth::Header(Cow::Borrowed("x-goog-api-key")), dialect: Gemini,
        quirks: Quirks { no_media_urls: true, unsupported: words!["top_logprobs"], ..Quirks::NONE },
    },
    provider! {
        id: "inception", name: "Inception",
        docs: "https://inceptionlabs.ai",
        base_url: "https://api.inceptionlabs.ai/v1", prefix: "",
        base_url_env: ["INCEPTION_API_BASE"], key_env: ["INCEPTION_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            max_completion_tokens_as_max_tokens: true,
            supported: words![
                "max_completion_tokens", "max_tokens", "reasoning_effort", "response_format",
                "stop", "temperature", "tool_choice", "tools"
            ],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "maritalk", name: "Maritalk",
        docs: "https://maritaca.ai",
        base_url: "https://chat.maritaca.ai/api", prefix: "",
        base_url_env: ["MARITALK_API_BASE"], key_env: ["MARITALK_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            supported: words![
                "frequency_penalty", "max_tokens", "n", "presence_penalty", "stop", "temperature",
                "tool_choice", "tools", "top_p"
            ],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "meta", name: "Meta AI",
        docs: "https://llama.developer.meta.com/docs",
        base_url: "https://api.meta.ai/v1", prefix: "",
        base_url_env: ["META_API_BASE"], key_env: ["META_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { responses: true, doors: rules![MESSAGES], ..LISTED },
    },
    provider! {
        id: "meta_llama", name: "Meta - Llama API",
        docs: "https://llama.developer.meta.com/docs/features/compatibility",
        base_url: "https://api.llama.com/compat/v1", prefix: "",
        base_url_env: ["LLAMA_API_BASE"], key_env: ["LLAMA_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { amend: amend![SchemasOnly], ..CHAT },
    },
    provider! {
        id: "minimax", name: "Minimax",
        docs: "https://platform.minimax.io/docs/api-reference",
        base_url: "https://api.minimax.io/v1", prefix: "",
        base_url_env: ["MINIMAX_API_BASE"], key_env: ["MINIMAX_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { doors: rules![anthropic("/v1")], unsupported: words!["reasoning_effort", "user", "verbosity"], ..COMPATIBLE },
    },
    provider! {
        id: "mistral", name: "Mistral AI API",
        docs: "https://docs.mistral.ai/api",
        base_url: "https://api.mistral.ai/v1", prefix: "",
        base_url_env: ["MISTRAL_AZURE_API_BASE", "MISTRAL_API_BASE"], key_env: ["MISTRAL_AZURE_API_KEY", "MISTRAL_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            prefill: Prefill::Prefix,
            max_completion_tokens_as_max_tokens: true,
            supported: words![
                "max_completion_tokens", "max_tokens", "parallel_tool_calls", "response_format",
                "seed", "stop", "temperature", "tool_choice", "tools", "top_p"
            ],
            seed_as_random_seed: true,
            no_stream_options: true,
            no_reasoning_content: true,
            amend: MISTRAL,
            models: rules![
                ModelRule { can: Cow::Borrowed("reasoning"), takes: words!["reasoning_effort", "thinking"], ..ModelRule::ANY },
                ModelRule { models: words!["magistral-*"], takes: words!["reasoning_effort", "thinking"], ..ModelRule::ANY },
            ],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "moonshot", name: "Moonshot",
        docs: "https://platform.moonshot.ai/docs/api/chat",
        base_url: "https://api.moonshot.ai/v1", prefix: "",
        base_url_env: ["MOONSHOT_API_BASE"], key_env: ["MOONSHOT_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            max_completion_tokens_as_max_tokens: true,
            unsupported: words!["functions", "reasoning_effort", "thinking", "user", "verbosity"],
            amend: amend![JoinTexts, TemperatureAtMost(1.0), RequiredByAsking(Cow::Borrowed("Please select a tool to handle the current issue."))],
            models: rules![
                ModelRule { can: Cow::Borrowed("reasoning"), takes: words!["reasoning_effort"], ignores: words!["temperature"], amend: amend![ReasoningInCalls], ..ModelRule::ANY },
            ],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "morph", name: "Morph",
        docs: "https://morphllm.com",
        base_url: "https://api.morphllm.com/v1", prefix: "",
        base_url_env: ["MORPH_API_BASE"], key_env: ["MORPH_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { supported: words!["stream"], ..COMPATIBLE },
    },
    provider! {
        id: "openai", name: "OpenAI",
        docs: "https://platform.openai.com/docs/api-reference/chat",
        base_url: "https://api.openai.com/v1", prefix: "",
        base_url_env: ["OPENAI_BASE_URL", "OPENAI_API_BASE"], key_env: ["OPENAI_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { openai_families: true, text_completions: true, responses: true, ..Quirks::NONE },
    },
    provider! {
        id: "perplexity", name: "Perplexity AI",
        docs: "https://docs.perplexity.ai/api-reference/chat-completions-post",
        base_url: "https://api.perplexity.ai", prefix: "",
        base_url_env: ["PERPLEXITY_API_BASE"], key_env: ["PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            supported: words![
                "frequency_penalty", "max_completion_tokens", "max_tokens", "presence_penalty",
                "response_format", "temperature", "top_p", "web_search_options"
            ],
            doors: rules![responses("/v1", words![])],
            models: REASONERS,
            ..COMPATIBLE
        },
        cloud: CloudSpec {
            routes: Cow::Borrowed(&[Route {
                models: words!["preset/*"],
                strip: Cow::Borrowed("preset/"),
                dialect: DialectId::OpenaiResponses,
                prefix: Cow::Borrowed("/v1"),
                quirks: Quirks { responses: true, ..COMPATIBLE },
                shell: Shell {
                    without: words!["model"],
                    with: pairs!["preset" => "{model}"],
                    ..Shell::NONE
                },
                ..Route::ANY
            }]),
            ..CloudSpec::NONE
        },
    },
    provider! {
        id: "publicai", name: "Public AI",
        docs: "https://platform.publicai.co/docs",
        base_url: "https://api.publicai.co/v1", prefix: "",
        base_url_env: ["PUBLICAI_API_BASE"], key_env: ["PUBLICAI_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, amend: amend![JoinTexts], ..LISTED },
    },
    provider! {
        id: "qwen_ai_platform", name: "Qianwen AI Platform",
        docs: "https://www.alibabacloud.com/help/en/model-studio",
        base_url: "https://dashscope.aliyuncs.com/compatible-mode/v1", prefix: "",
        base_url_env: ["QWEN_AI_PLATFORM_API_BASE"], key_env: ["QWEN_AI_PLATFORM_API_KEY", "DASHSCOPE_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: REASONING,
    },
    provider! {
        id: "qwencloud", name: "QwenCloud",
        docs: "https://www.alibabacloud.com/help/en/model-studio",
        base_url: "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", prefix: "",
        base_url_env: ["QWENCLOUD_API_BASE"], key_env: ["QWENCLOUD_API_KEY", "DASHSCOPE_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: REASONING,
    },
    provider! {
        id: "reka", name: "Reka",
        docs: "https://reka.ai",
        base_url: "https://api.reka.ai/v1", prefix: "",
        base_url_env: ["REKA_API_BASE"], key_env: ["REKA_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: LISTED,
    },
    provider! {
        id: "sarvam", name: "Sarvam",
        docs: "https://docs.sarvam.ai/api-reference-docs/chat/completions",
        base_url: "https://api.sarvam.ai/v1", prefix: "",
        base_url_env: [], key_env: ["SARVAM_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, files_as_given: true, ..NO_EFFORT },
    },
    provider! {
        id: "tencent", name: "Tencent TokenHub",
        docs: "https://www.tencentcloud.com/document/product",
        base_url: "https://tokenhub-intl.tencentcloudmaas.com/v1", prefix: "",
        base_url_env: ["TENCENT_API_BASE"], key_env: ["TENCENT_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            unsupported: words!["user", "verbosity"],
            amend: amend![EffortAsThinking],
            doors: rules![Door { auth: Some(Auth::Header(Cow::Borrowed("x-api-key"))), ..MESSAGES }],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "text-completion-codestral", name: "Codestral, fill in the middle",
        docs: "https://docs.mistral.ai/capabilities/code_generation",
        base_url: "https://codestral.mistral.ai/v1", prefix: "/fim",
        base_url_env: [], key_env: ["CODESTRAL_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiText,
        quirks: Quirks {
            max_completion_tokens_as_max_tokens: true,
            seed_as_random_seed: true,
            no_stream_options: true,
            supported: words!["max_completion_tokens", "max_tokens", "seed", "stop", "temperature", "top_p"],
            ..Quirks::NONE
        },
    },
    provider! {
        id: "text-completion-inception", name: "Inception, fill in the middle",
        docs: "https://docs.inceptionlabs.ai/capabilities/fim",
        base_url: "https://api.inceptionlabs.ai/v1", prefix: "/fim",
        base_url_env: ["INCEPTION_API_BASE"], key_env: ["INCEPTION_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiText,
        quirks: Quirks {
            max_completion_tokens_as_max_tokens: true,
            no_stream_options: true,
            supported: words![
                "frequency_penalty", "max_completion_tokens", "max_tokens", "presence_penalty", "stop", "top_p"
            ],
            ..Quirks::NONE
        },
    },
    provider! {
        id: "text-completion-openai", name: "OpenAI, completions",
        docs: "https://platform.openai.com/docs/api-reference/completions",
        base_url: "https://api.openai.com/v1", prefix: "",
        base_url_env: ["OPENAI_BASE_URL", "OPENAI_API_BASE"], key_env: ["OPENAI_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiText,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, unsupported: COMPLETIONS_LACK, ..Quirks::NONE },
    },
    provider! {
        id: "v0", name: "V0",
        docs: "https://v0.dev",
        base_url: "https://api.v0.dev/v1", prefix: "",
        base_url_env: ["V0_API_BASE"], key_env: ["V0_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { supported: words!["tool_choice", "tools"], ..COMPATIBLE },
    },
    provider! {
        id: "volcengine", name: "Volcengine",
        docs: "https://www.volcengine.com/docs/82379",
        base_url: "https://ark.cn-beijing.volces.com/api/v3", prefix: "",
        base_url_env: ["VOLCENGINE_API_BASE"], key_env: ["VOLCENGINE_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            max_completion_tokens_as_max_tokens: true,
            unsupported: words![
                "audio", "modalities", "parallel_tool_calls", "prediction", "prompt_cache_key",
                "reasoning_effort", "response_format", "safety_identifier", "service_tier", "store",
                "user", "verbosity", "web_search_options"
            ],
            responses: true,
            amend: amend![AdaptiveUnsaid],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "xai", name: "xAI",
        docs: "https://docs.x.ai/docs/api-reference",
        base_url: "https://api.x.ai/v1", prefix: "",
        base_url_env: ["XAI_API_BASE"], key_env: ["XAI_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            max_completion_tokens_as_max_tokens: true,
            unsupported: words![
                "audio", "functions", "modalities", "prediction", "prompt_cache_key",
                "reasoning_effort", "safety_identifier", "service_tier", "store", "thinking",
                "verbosity"
            ],
            responses: true,
            // <https://docs.x.ai/docs/guides/tools/overview>: chats search no more.
            doors: rules![Door {
                dialect: DialectId::OpenaiResponses,
                searches: true,
                quirks: Quirks { bare_search: true, ..Quirks::NONE },
                ..Door::OPEN
            }],
            amend: amend![NamesOfUsers, NoStrict],
            models: rules![
                ModelRule { can: Cow::Borrowed("reasoning"), takes: words!["reasoning_effort"], ..ModelRule::ANY },
                ModelRule { models: words!["grok-3-mini*"], lacks: words!["stop"], ..ModelRule::ANY },
                ModelRule { models: words!["grok-4*", "grok-code-fast*"], lacks: words!["frequency_penalty", "presence_penalty", "stop"], ..ModelRule::ANY },
            ],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "xiaomi_mimo", name: "Xiaomi Mimo",
        docs: "https://xiaomimimo.com",
        base_url: "https://api.xiaomimimo.com/v1", prefix: "",
        base_url_env: [], key_env: ["XIAOMI_MIMO_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, ..LISTED },
    },
    provider! {
        id: "zai", name: "Z.AI (Zhipu AI)",
        docs: "https://docs.z.ai/api-reference",
        base_url: "https://api.z.ai/api/paas/v4", prefix: "",
        base_url_env: ["ZAI_API_BASE"], key_env: ["ZAI_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            supported: words!["max_tokens", "stop", "temperature", "thinking", "tool_choice", "tools", "top_p"],
            ..COMPATIBLE
        },
    },
];
