//! Google's cloud of models.

use std::borrow::Cow;

use super::profiles::AGENT;
use super::{amend, pairs, provider, rules, setting, words};
use crate::cloud::{Betas, CloudSpec, Identity, Route, Setting, Shell, Words};
use crate::{Auth, DialectId, ModelRule, ProviderSpec, Quirks};

/// Anthropic's models behind Google's publisher URLs.
/// <https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude>
const VERTEX_CLAUDE: Shell = Shell {
    path: Cow::Borrowed(
        "/projects/{project}/locations/{region}/publishers/anthropic/models/{model}:rawPredict",
    ),
    stream_path: Cow::Borrowed(
        "/projects/{project}/locations/{region}/publishers/anthropic/models/{model}:streamRawPredict",
    ),
    elsewhere: Cow::Borrowed(&[]),
    without: words!["model"],
    with: pairs!["anthropic_version" => "vertex-2023-10-16"],
    envelope: crate::cloud::Envelope::NONE,
    betas: Betas::Listed(pairs![
        "advanced-tool-use-2025-11-20" => "tool-search-tool-2025-10-19",
        "compact-2026-01-12" => "compact-2026-01-12",
        "computer-use-2025-01-24" => "computer-use-2025-01-24",
        "computer-use-2025-11-24" => "computer-use-2025-11-24",
        "context-1m-2025-08-07" => "context-1m-2025-08-07",
        "context-management-2025-06-27" => "context-management-2025-06-27",
        "dangerous-tool-use-2026-09-03" => "dangerous-tool-use-2026-09-03",
        "inline-tools-2026-09-15" => "inline-tools-2026-09-15",
        "interleaved-thinking-2025-05-14" => "interleaved-thinking-2025-05-14",
        "per-turn-control-2026-07-01" => "per-turn-control-2026-07-01",
        "thinking-binding-controls-2026-08-01" => "thinking-binding-controls-2026-08-01",
        "thinking-display-updates-2026-08-18" => "thinking-display-updates-2026-08-18",
        "tool-search-tool-2025-10-19" => "tool-search-tool-2025-10-19",
        "web-search-2025-03-05" => "web-search-2025-03-05",
    ]),
    tool_betas: pairs!["web_search_" => "web-search-2025-03-05"],
    framed: false,
};

/// A route to agents in Agent Engine.
const fn engine(models: Words, path: &'static str) -> Route {
    Route {
        models,
        strip: Cow::Borrowed("agent_engine/"),
        dialect: DialectId::AgentEngine,
        quirks: Quirks { supported: words!["stream", "user"], ignored: words!["top_k"], ..AGENT },
        shell: Shell { path: Cow::Borrowed(path), ..Shell::NONE },
        ..Route::ANY
    }
}

/// Models that Google serves behind one OpenAI-compatible endpoint.
/// <https://docs.cloud.google.com/vertex-ai/generative-ai/docs/maas/call-open-model-apis>
const OPENAPI: Shell = Shell {
    path: Cow::Borrowed("/projects/{project}/locations/{region}/endpoints/openapi{path}"),
    ..Shell::NONE
};

/// Mistral's models behind Google's publisher URLs.
const VERTEX_MISTRAL: Shell = Shell {
    path: Cow::Borrowed(
        "/projects/{project}/locations/{region}/publishers/mistralai/models/{model}:rawPredict",
    ),
    stream_path: Cow::Borrowed(
        "/projects/{project}/locations/{region}/publishers/mistralai/models/{model}:streamRawPredict",
    ),
    ..Shell::NONE
};

/// Gemini behind Google's publisher URLs.
/// <https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference>
const VERTEX_GEMINI: Shell = Shell {
    path: Cow::Borrowed("/projects/{project}/locations/{region}/publishers/google{path}"),
    ..Shell::NONE
};

/// AI21's models behind Google's publisher URLs.
const VERTEX_AI21: Shell = Shell {
    path: Cow::Borrowed("/projects/{project}/locations/{region}/publishers/ai21/models/{model}:rawPredict"),
    stream_path: Cow::Borrowed(
        "/projects/{project}/locations/{region}/publishers/ai21/models/{model}:streamRawPredict",
    ),
    ..Shell::NONE
};

const OPEN_MODELS: Quirks =
    Quirks { max_completion_tokens_as_max_tokens: true, developer_as_system: true, ..Quirks::NONE };

/// Open models on Vertex AI.
const VERTEX_OPEN: Quirks =
    Quirks { unsupported: words!["reasoning_effort", "thinking", "user", "verbosity"], ..OPEN_MODELS };

/// OpenAI's open models on Vertex AI. LiteLLM knows no choice of tools for them.
const VERTEX_GPT_OSS: Quirks = Quirks {
    developer_as_system: true,
    unsupported: words!["functions", "thinking", "tool_choice", "user", "verbosity"],
    ..Quirks::NONE
};

/// Mistral's models on Vertex AI.
const MISTRAL: Quirks = Quirks {
    seed_as_random_seed: true,
    no_reasoning_content: true,
    no_stream_options: true,
    unsupported: words![
        "audio",
        "functions",
        "logit_bias",
        "logprobs",
        "modalities",
        "prediction",
        "prompt_cache_key",
        "reasoning_effort",
        "safety_identifier",
        "service_tier",
        "store",
        "thinking",
        "top_logprobs",
        "user",
        "verbosity",
        "web_search_options"
    ],
    amend: amend![
        Required(Cow::Borrowed("any")),
        MessagesWithout(words!["name", "thinking_blocks"]),
        NoEmptyAnswers,
        JoinTexts
    ],
    ..OPEN_MODELS
};

/// Google's.
pub(super) const GOOGLE: &[ProviderSpec] = &[
    provider! {
        id: "gdc", name: "Google Distributed Cloud",
        docs: "https://docs.cloud.google.com/distributed-cloud/hosted/docs/latest/gdch/application/ao-user/genai/genai-intro",
        base_url: "", prefix: "/v1",
        base_url_env: ["GDC_API_BASE"], key_env: ["GDC_API_KEY"],
        auth: Auth::Bearer, dialect: Gemini,
        quirks: Quirks { headers: pairs!["x-goog-user-project" => "projects/{project}"], ..Quirks::NONE },
        cloud: CloudSpec {
            region: setting!("vertex_location", ["VERTEXAI_LOCATION", "VERTEX_LOCATION"], "us-central1"),
            project: setting!("vertex_project", ["VERTEXAI_PROJECT", "GOOGLE_CLOUD_PROJECT"], ""),
            shell: VERTEX_GEMINI,
            ..CloudSpec::NONE
        },
    },
    provider! {
        id: "vertex_ai", name: "Google Vertex AI",
        docs: "https://docs.cloud.google.com/vertex-ai/generative-ai/docs",
        base_url: "https://{region}-aiplatform.googleapis.com", prefix: "/v1",
        base_url_env: ["VERTEX_API_BASE", "VERTEXAI_API_BASE"], key_env: [],
        auth: Auth::Bearer, dialect: Gemini,
        quirks: Quirks {
            models: rules![ModelRule { models: words!["gemini-3*"], lacks: words!["frequency_penalty", "presence_penalty"], ..ModelRule::ANY }],
            ..Quirks::NONE
        },
        cloud: CloudSpec {
            identity: Identity::Google,
            region: setting!("vertex_location", ["VERTEXAI_LOCATION", "VERTEX_LOCATION"], "us-central1"),
            project: setting!("vertex_project", ["VERTEXAI_PROJECT", "GOOGLE_CLOUD_PROJECT"], ""),
            region_urls: pairs![
                "global" => "https://aiplatform.googleapis.com",
                "us" => "https://aiplatform.us.rep.googleapis.com",
                "eu" => "https://aiplatform.eu.rep.googleapis.com",
            ],
            shell: VERTEX_GEMINI,
            routes: Cow::Borrowed(&[
                engine(words!["agent_engine/projects/*"], "/{model_path}:streamQuery?alt=sse"),
                engine(
                    words!["agent_engine/*"],
                    "/projects/{project}/locations/{region}/reasoningEngines/{model}:streamQuery?alt=sse",
                ),
                Route {
                    models: words!["claude*"],
                    quirks: Quirks { max_completion_tokens_as_max_tokens: true, no_answer_schema: true, no_media_urls: true, ..Quirks::NONE },
                    shell: VERTEX_CLAUDE,
                    dialect: DialectId::Anthropic,
                    ..Route::ANY
                },
                Route {
                    models: words!["mistral*", "codestral*", "ministral*", "magistral*"],
                    quirks: MISTRAL,
                    shell: VERTEX_MISTRAL,
                    ..Route::ANY
                },
                Route {
                    models: words!["jamba*"],
                    quirks: VERTEX_OPEN,
                    shell: VERTEX_AI21,
                    ..Route::ANY
                },
                Route {
                    models: words!["deepseek-ai/*"],
                    region: Cow::Borrowed("global"),
                    quirks: VERTEX_OPEN,
                    shell: OPENAPI,
                    ..Route::ANY
                },
                Route {
                    models: words!["openai/*"],
                    quirks: VERTEX_GPT_OSS,
                    shell: OPENAPI,
                    ..Route::ANY
                },
                Route {
                    models: words!["*/"],
                    quirks: VERTEX_OPEN,
                    shell: OPENAPI,
                    ..Route::ANY
                },
            ]),
            ..CloudSpec::NONE
        },
    },
];
