//! Clouds with regions, projects and sign-in of their own.

use std::borrow::Cow;

use super::{provider, words};
use crate::cloud::{Betas, CloudSpec, Identity, Route, Setting, Shell};
use crate::{Auth, DialectId, ProviderSpec, Quirks};

/// A setting of a record.
macro_rules! setting {
    ($param:literal, [$($env:literal),*], $default:literal) => {
        Setting { param: Cow::Borrowed($param), env: words![$($env),*], default: Cow::Borrowed($default) }
    };
}

/// A constant list of pairs.
macro_rules! pairs {
    ($($one:literal => $other:literal),* $(,)?) => {
        Cow::Borrowed(&[$((Cow::Borrowed($one), Cow::Borrowed($other))),*])
    };
}

/// Scope of Entra tokens for Azure's models.
const COGNITIVE: Identity = Identity::Entra(Cow::Borrowed("https://cognitiveservices.azure.com/.default"));

/// OpenAI's models as Azure takes them: cache marks are left alone.
const AZURE_OPENAI: Quirks = Quirks { openai_families: true, keeps_cache_control: true, ..Quirks::NONE };

/// Models of other makers on Azure.
const FOUNDRY: Quirks = Quirks {
    developer_as_system: true,
    no_reasoning_content: true,
    unsupported: words!["reasoning_effort", "thinking", "user", "verbosity"],
    ..Quirks::NONE
};

const AZURE_VERSION: Setting = setting!("api_version", ["AZURE_API_VERSION"], "2025-02-01-preview");

/// A deployment of its own URL. <https://learn.microsoft.com/azure/ai-foundry/openai/reference>
const DEPLOYMENT: Shell =
    Shell { path: Cow::Borrowed("/openai/deployments/{model}{path}?api-version={version}"), ..Shell::NONE };

/// The same where the operator's base URL already names the deployment.
const VERSIONED: Shell = Shell { path: Cow::Borrowed("{path}?api-version={version}"), ..Shell::NONE };

/// Anthropic's models behind Google's publisher URLs.
/// <https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude>
const VERTEX_CLAUDE: Shell = Shell {
    path: Cow::Borrowed(
        "/projects/{project}/locations/{region}/publishers/anthropic/models/{model}:rawPredict",
    ),
    stream_path: Cow::Borrowed(
        "/projects/{project}/locations/{region}/publishers/anthropic/models/{model}:streamRawPredict",
    ),
    without: words!["model"],
    with: pairs!["anthropic_version" => "vertex-2023-10-16"],
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
    ..OPEN_MODELS
};

/// Clouds with regions, projects and sign-in of their own. Sorted by slug.
pub(super) const HYPERSCALERS: &[ProviderSpec] = &[
    provider! {
        id: "azure", name: "Azure OpenAI",
        docs: "https://learn.microsoft.com/azure/ai-foundry/openai/reference",
        base_url: "", prefix: "",
        base_url_env: ["AZURE_API_BASE"], key_env: ["AZURE_OPENAI_API_KEY", "AZURE_API_KEY"],
        auth: Auth::Header(Cow::Borrowed("api-key")), dialect: OpenaiChat,
        quirks: AZURE_OPENAI,
        cloud: CloudSpec {
            identity: COGNITIVE,
            version: AZURE_VERSION,
            shell: DEPLOYMENT,
            routes: Cow::Borrowed(&[
                Route {
                    versions: words!["v1", "latest", "preview"],
                    prefix: Cow::Borrowed("/openai/v1"),
                    auth: Some(Auth::Bearer),
                    quirks: AZURE_OPENAI,
                    ..Route::ANY
                },
                Route {
                    bases: words!["/openai/v1"],
                    auth: Some(Auth::Bearer),
                    quirks: AZURE_OPENAI,
                    ..Route::ANY
                },
                Route {
                    bases: words!["/openai/deployments/"],
                    quirks: AZURE_OPENAI,
                    shell: VERSIONED,
                    ..Route::ANY
                },
            ]),
            ..CloudSpec::NONE
        },
    },
    provider! {
        id: "azure_ai", name: "Azure AI Foundry",
        docs: "https://learn.microsoft.com/azure/ai-foundry/foundry-models/concepts/endpoints",
        base_url: "", prefix: "",
        base_url_env: ["AZURE_AI_API_BASE"], key_env: ["AZURE_AI_API_KEY", "AZURE_OPENAI_API_KEY", "AZURE_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: FOUNDRY,
        cloud: CloudSpec {
            identity: COGNITIVE,
            version: Setting { default: Cow::Borrowed(""), ..AZURE_VERSION },
            routes: Cow::Borrowed(&[
                Route {
                    models: words!["claude*"],
                    prefix: Cow::Borrowed("/anthropic"),
                    auth: Some(Auth::Header(Cow::Borrowed("x-api-key"))),
                    quirks: Quirks { max_completion_tokens_as_max_tokens: true, ..Quirks::NONE },
                    shell: Shell {
                        betas: Betas::Listed(pairs![
                            "advanced-tool-use-2025-11-20" => "advanced-tool-use-2025-11-20",
                            "code-execution-2025-08-25" => "code-execution-2025-08-25",
                            "computer-use-2025-01-24" => "computer-use-2025-01-24",
                            "computer-use-2025-11-24" => "computer-use-2025-11-24",
                            "context-1m-2025-08-07" => "context-1m-2025-08-07",
                            "context-management-2025-06-27" => "context-management-2025-06-27",
                            "dangerous-tool-use-2026-09-03" => "dangerous-tool-use-2026-09-03",
                            "effort-2025-11-24" => "effort-2025-11-24",
                            "files-api-2025-04-14" => "files-api-2025-04-14",
                            "interleaved-thinking-2025-05-14" => "interleaved-thinking-2025-05-14",
                            "mcp-client-2025-04-04" => "mcp-client-2025-04-04",
                            "mcp-client-2025-11-20" => "mcp-client-2025-11-20",
                            "per-turn-control-2026-07-01" => "per-turn-control-2026-07-01",
                            "prompt-caching-scope-2026-01-05" => "prompt-caching-scope-2026-01-05",
                            "skills-2025-10-02" => "skills-2025-10-02",
                            "structured-outputs-2025-11-13" => "structured-outputs-2025-11-13",
                            "thinking-display-updates-2026-08-18" => "thinking-display-updates-2026-08-18",
                            "web-fetch-2025-09-10" => "web-fetch-2025-09-10",
                            "web-search-2025-03-05" => "web-search-2025-03-05",
                        ]),
                        ..Shell::NONE
                    },
                    dialect: DialectId::Anthropic,
                    ..Route::ANY
                },
                Route {
                    bases: words![".openai.azure.com/openai/v1"],
                    auth: Some(Auth::Bearer),
                    quirks: AZURE_OPENAI,
                    ..Route::ANY
                },
                Route {
                    bases: words![".openai.azure.com"],
                    versions: words!["*"],
                    auth: Some(Auth::Header(Cow::Borrowed("api-key"))),
                    quirks: AZURE_OPENAI,
                    shell: DEPLOYMENT,
                    ..Route::ANY
                },
                Route {
                    bases: words![".services.ai.azure.com", "/models"],
                    versions: words!["*"],
                    prefix: Cow::Borrowed("/models"),
                    auth: Some(Auth::Header(Cow::Borrowed("api-key"))),
                    quirks: FOUNDRY,
                    shell: VERSIONED,
                    ..Route::ANY
                },
                Route {
                    bases: words![".services.ai.azure.com", "/models"],
                    prefix: Cow::Borrowed("/models"),
                    auth: Some(Auth::Header(Cow::Borrowed("api-key"))),
                    quirks: FOUNDRY,
                    ..Route::ANY
                },
                Route {
                    versions: words!["*"],
                    quirks: FOUNDRY,
                    shell: VERSIONED,
                    ..Route::ANY
                },
            ]),
            ..CloudSpec::NONE
        },
    },
    provider! {
        id: "bedrock_mantle", name: "Amazon Bedrock (Mantle)",
        docs: "https://docs.aws.amazon.com/bedrock/latest/userguide/bedrock-mantle.html",
        base_url: "https://bedrock-mantle.{region}.api.aws", prefix: "",
        base_url_env: ["BEDROCK_MANTLE_API_BASE"], key_env: ["BEDROCK_MANTLE_API_KEY", "AWS_BEARER_TOKEN_BEDROCK"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: OPEN_MODELS,
        cloud: CloudSpec {
            identity: Identity::Aws(Cow::Borrowed("bedrock")),
            region: setting!("aws_region_name", ["BEDROCK_MANTLE_REGION", "AWS_REGION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION"], "us-east-1"),
            region_in_model: true,
            routes: Cow::Borrowed(&[
                Route {
                    models: words!["anthropic.*", "claude*"],
                    prefix: Cow::Borrowed("/anthropic"),
                    quirks: Quirks { max_completion_tokens_as_max_tokens: true, ..Quirks::NONE },
                    shell: Shell {
                        with: pairs!["anthropic_version" => "bedrock-2023-05-31"],
                        ..Shell::NONE
                    },
                    dialect: DialectId::Anthropic,
                    ..Route::ANY
                },
                Route {
                    prefix: Cow::Borrowed("/v1"),
                    quirks: OPEN_MODELS,
                    ..Route::ANY
                },
            ]),
            ..CloudSpec::NONE
        },
    },
    provider! {
        id: "vertex_ai", name: "Google Vertex AI",
        docs: "https://docs.cloud.google.com/vertex-ai/generative-ai/docs",
        base_url: "https://{region}-aiplatform.googleapis.com", prefix: "/v1",
        base_url_env: ["VERTEX_API_BASE", "VERTEXAI_API_BASE"], key_env: [],
        auth: Auth::Bearer, dialect: Gemini,
        quirks: Quirks::NONE,
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
                Route {
                    models: words!["claude*"],
                    quirks: Quirks { max_completion_tokens_as_max_tokens: true, no_answer_schema: true, ..Quirks::NONE },
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
