//! Microsoft's clouds of models.

use std::borrow::Cow;

use super::profiles::{COMPLETIONS_LACK, TOLD_AGENT, responses};
use super::{amend, pairs, provider, rules, setting, words};
use crate::cloud::{Betas, CloudSpec, Identity, Route, Setting, Shell};
use crate::{Auth, DialectId, Door, ProviderSpec, Quirks};

/// Scope of Entra tokens for Azure's models.
const COGNITIVE: Identity = Identity::Entra(Cow::Borrowed("https://cognitiveservices.azure.com/.default"));

/// OpenAI's models as Azure takes them: cache marks are left alone.
const AZURE_OPENAI: Quirks =
    Quirks { openai_families: true, keeps_cache_control: true, responses: true, ..Quirks::NONE };

/// Models that complete texts: what only chats have is refused.
const AZURE_TEXTS: Quirks = Quirks {
    max_completion_tokens_as_max_tokens: true,
    text_completions: true,
    prompt_without_breaks: true,
    unsupported: COMPLETIONS_LACK,
    ..Quirks::NONE
};

/// Models of other makers on Azure.
const FOUNDRY: Quirks = Quirks {
    developer_as_system: true,
    no_reasoning_content: true,
    unsupported: words!["reasoning_effort", "thinking", "user", "verbosity"],
    ..Quirks::NONE
};

/// [`FOUNDRY`], without the member of messages that only LiteLLM's callers write: the models refuse it.
const MODELS: Quirks = Quirks { amend: amend![MessagesWithout(words!["thinking_blocks"])], ..FOUNDRY };

const AZURE_VERSION: Setting = setting!("api_version", ["AZURE_API_VERSION"], "2025-02-01-preview");

/// A deployment of its own URL. <https://learn.microsoft.com/azure/ai-foundry/openai/reference>
/// The Responses API stands beside the deployments; there the body names one.
const DEPLOYMENT: Shell = Shell {
    path: Cow::Borrowed("/openai/deployments/{model}{path}?api-version={version}"),
    elsewhere: pairs!["/responses" => "/openai{path}?api-version={version}"],
    ..Shell::NONE
};

/// The same where the operator's base URL already names the deployment.
const VERSIONED: Shell = Shell { path: Cow::Borrowed("{path}?api-version={version}"), ..Shell::NONE };

/// Responses of the API without dates: LiteLLM's callers sign in there as everywhere at Azure, and name the
/// version, which may be left out.
const V1_RESPONSES: Door = Door {
    dialect: DialectId::OpenaiResponses,
    auth: Some(Auth::Header(Cow::Borrowed("api-key"))),
    shell: VERSIONED,
    quirks: AZURE_OPENAI,
    ..Door::OPEN
};

/// Microsoft's. Sorted by slug.
pub(super) const AZURE: &[ProviderSpec] = &[
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
                    quirks: Quirks { doors: Cow::Borrowed(&[V1_RESPONSES]), ..AZURE_OPENAI },
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
                    quirks: Quirks { responses: false, ..AZURE_OPENAI },
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
        quirks: Quirks { doors: rules![responses("/openai/v1", words!["gpt*", "o1*", "o3*", "o4*", "codex*"])], amend: amend![MessagesWithout(words!["thinking_blocks"])], ..FOUNDRY },
        cloud: CloudSpec {
            identity: COGNITIVE,
            version: Setting { default: Cow::Borrowed(""), ..AZURE_VERSION },
            routes: Cow::Borrowed(&[
                Route {
                    models: words!["agents/*"],
                    strip: Cow::Borrowed("agents/"),
                    versions: words!["*"],
                    dialect: DialectId::Threads,
                    quirks: TOLD_AGENT,
                    shell: VERSIONED,
                    ..Route::ANY
                },
                Route {
                    models: words!["agents/*"],
                    strip: Cow::Borrowed("agents/"),
                    dialect: DialectId::Threads,
                    quirks: TOLD_AGENT,
                    shell: Shell { path: Cow::Borrowed("{path}?api-version=2025-05-01"), ..Shell::NONE },
                    ..Route::ANY
                },
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
                    quirks: MODELS,
                    shell: VERSIONED,
                    ..Route::ANY
                },
                Route {
                    bases: words![".services.ai.azure.com", "/models"],
                    prefix: Cow::Borrowed("/models"),
                    auth: Some(Auth::Header(Cow::Borrowed("api-key"))),
                    quirks: MODELS,
                    ..Route::ANY
                },
                Route {
                    versions: words!["*"],
                    quirks: MODELS,
                    shell: VERSIONED,
                    ..Route::ANY
                },
            ]),
            ..CloudSpec::NONE
        },
    },
    provider! {
        id: "azure_text", name: "Azure OpenAI (text completions)",
        docs: "https://learn.microsoft.com/azure/ai-foundry/openai/reference",
        base_url: "", prefix: "",
        base_url_env: ["AZURE_API_BASE"], key_env: ["AZURE_OPENAI_API_KEY", "AZURE_API_KEY"],
        auth: Auth::Header(Cow::Borrowed("api-key")), dialect: OpenaiText,
        quirks: AZURE_TEXTS,
        cloud: CloudSpec {
            identity: COGNITIVE,
            version: AZURE_VERSION,
            shell: DEPLOYMENT,
            routes: Cow::Borrowed(&[
                Route {
                    versions: words!["v1", "latest", "preview"],
                    prefix: Cow::Borrowed("/openai/v1"),
                    auth: Some(Auth::Bearer),
                    quirks: AZURE_TEXTS,
                    dialect: DialectId::OpenaiText,
                    ..Route::ANY
                },
                Route {
                    bases: words!["/openai/deployments/"],
                    quirks: AZURE_TEXTS,
                    shell: VERSIONED,
                    dialect: DialectId::OpenaiText,
                    ..Route::ANY
                },
            ]),
            ..CloudSpec::NONE
        },
    },
];
