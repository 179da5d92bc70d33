//! Platforms of companies: models behind a sign-in of their own.

use std::borrow::Cow;

use super::profiles::{COMPATIBLE, MESSAGES};
use super::{amend, pairs, provider, rules, setting, words};
use crate::cloud::{Envelope, Exchange, Identity, Route, Setting, Shell};
use crate::dialects::prompt::Wire;
use crate::{Auth, CloudSpec, DialectId, ProviderSpec, Quirks};

/// IBM Cloud's tokens for API keys.
/// <https://cloud.ibm.com/docs/account?topic=account-iamtoken_from_apikey>.
const IAM: Identity = Identity::Exchange(Exchange {
    whom: Cow::Borrowed("IBM Cloud IAM"),
    url: Cow::Borrowed("https://iam.cloud.ibm.com/identity/token"),
    url_env: words!["WATSONX_IAM_URL"],
    form: pairs!["grant_type" => "urn:ibm:params:oauth:grant-type:apikey", "apikey" => "{key}"],
    token: setting!("token", ["WATSONX_TOKEN"], ""),
    // Of IBM's own software on the operator's machines.
    worded: setting!("zen_api_key", ["WATSONX_ZENAPIKEY"], ""),
    word: Cow::Borrowed("ZenApiKey"),
    of_key: true,
    ..Exchange::NONE
});

/// What watsonx's models are asked for beside a model.
const WATSONX: CloudSpec = CloudSpec {
    identity: IAM,
    region: setting!("watsonx_region_name", ["WATSONX_REGION", "WX_REGION", "REGION"], "us-south"),
    project: setting!("project_id", ["WATSONX_PROJECT_ID", "WX_PROJECT_ID", "PROJECT_ID"], ""),
    version: setting!("api_version", ["WATSONX_API_VERSION"], "2024-03-13"),
    more: Cow::Borrowed(&[setting!("space_id", ["WATSONX_DEPLOYMENT_SPACE_ID", "WATSONX_SPACE_ID"], "")]),
    ..CloudSpec::NONE
};

/// Who pays, and for which model.
const BILLED: crate::cloud::Pairs =
    pairs!["model_id" => "{model}", "project_id" => "{project}", "space_id" => "{space_id}"];

/// What watsonx's chat takes.
const WATSONX_CHAT: Quirks = Quirks {
    supported: words![
        "frequency_penalty",
        "logprobs",
        "max_tokens",
        "n",
        "presence_penalty",
        "reasoning_effort",
        "response_format",
        "seed",
        "stop",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p"
    ],
    no_stream_options: true,
    amend: amend![
        RenameText(Cow::Borrowed("tool_choice"), Cow::Borrowed("tool_choice_option")),
        NoStrict,
        OpenSchemas
    ],
    ..COMPATIBLE
};

/// Where Oracle's models are, and who pays for them.
const ORACLE: Shell = Shell {
    envelope: Envelope {
        places: pairs!["model" => ""],
        said: pairs![
            "/compartmentId" => "{project}",
            "/servingMode/servingType" => "ON_DEMAND",
            "/servingMode/modelId" => "{model}",
        ],
        ..Envelope::NONE
    },
    ..Shell::NONE
};

/// The same for models on a dedicated cluster, whose names are those of endpoints.
const ORACLE_DEDICATED: Shell = Shell {
    envelope: Envelope {
        places: pairs!["model" => ""],
        said: pairs![
            "/compartmentId" => "{project}",
            "/servingMode/servingType" => "DEDICATED",
            "/servingMode/endpointId" => "{model}",
        ],
        ..Envelope::NONE
    },
    ..Shell::NONE
};

/// What Oracle's generic chat takes.
const ORACLE_GENERIC: Quirks = Quirks {
    supported: words![
        "frequency_penalty",
        "logit_bias",
        "max_completion_tokens",
        "max_tokens",
        "n",
        "presence_penalty",
        "reasoning_effort",
        "response_format",
        "seed",
        "stop",
        "temperature",
        "tool_choice",
        "tools",
        "top_p"
    ],
    no_stream_options: true,
    no_reasoning_content: true,
    unsupported: words!["functions", "thinking"],
    amend: amend![NoParts(words!["file", "input_audio", "video_url"])],
    ..COMPATIBLE
};

/// What Cohere's models take there.
const ORACLE_COHERE: Quirks = Quirks {
    supported: words![
        "frequency_penalty",
        "max_completion_tokens",
        "max_tokens",
        "presence_penalty",
        "response_format",
        "seed",
        "stop",
        "temperature",
        "tools",
        "top_p"
    ],
    ..ORACLE_GENERIC
};

/// Platforms of companies. Sorted by slug.
pub(super) const PLATFORMS: &[ProviderSpec] = &[
    provider! {
        id: "chatgpt", name: "ChatGPT subscription",
        docs: "https://developers.openai.com/codex/auth",
        base_url: "https://chatgpt.com/backend-api/codex", prefix: "",
        base_url_env: ["CHATGPT_API_BASE"], key_env: [],
        auth: Auth::Bearer, dialect: OpenaiResponses,
        quirks: Quirks {
            responses: true,
            streams_only: true,
            always: pairs!["stream" => "true", "store" => "false"],
            unsupported: words!["max_completion_tokens", "max_tokens", "temperature", "top_p", "user"],
            headers: pairs!["accept" => "text/event-stream", "originator" => "codex_cli_rs"],
            ..Quirks::NONE
        },
        cloud: CloudSpec {
            identity: Identity::Chatgpt,
            shell: Shell {
                // The service answers nobody who gives the model no instructions.
                with: pairs!["instructions" => "You are a helpful assistant."],
                ..Shell::NONE
            },
            ..CloudSpec::NONE
        },
    },
    provider! {
        id: "gigachat", name: "GigaChat",
        docs: "https://developers.sber.ru/docs/ru/gigachat/api/reference/rest/gigachat-api",
        base_url: "https://gigachat.devices.sberbank.ru/api/v1", prefix: "",
        base_url_env: ["GIGACHAT_API_BASE"], key_env: ["GIGACHAT_CREDENTIALS", "GIGACHAT_API_KEY"],
        auth: Auth::Bearer, dialect: Functions,
        quirks: Quirks {
            max_completion_tokens_as_max_tokens: true,
            supported: words![
                "functions", "max_completion_tokens", "max_tokens", "response_format", "temperature",
                "tool_choice", "tools", "top_p"
            ],
            unsupported: words!["thinking", "top_k"],
            no_stream_options: true,
            no_reasoning_content: true,
            amend: amend![NoTextFormat, MessagesWithout(words!["name", "thinking_blocks"])],
            ..COMPATIBLE
        },
        cloud: CloudSpec {
            identity: Identity::Exchange(Exchange {
                whom: Cow::Borrowed("GigaChat's token service"),
                url: Cow::Borrowed("https://ngw.devices.sberbank.ru:9443/api/v2/oauth"),
                url_env: words!["GIGACHAT_AUTH_URL"],
                headers: pairs!["authorization" => "Basic {key}", "rquid" => "{uuid}"],
                form: pairs!["scope" => "{scope}"],
                scope: setting!("scope", ["GIGACHAT_SCOPE"], "GIGACHAT_API_PERS"),
                token: setting!("token", ["GIGACHAT_ACCESS_TOKEN"], ""),
                of_key: true,
                ..Exchange::NONE
            }),
            ..CloudSpec::NONE
        },
    },
    provider! {
        id: "github_copilot", name: "GitHub Copilot",
        docs: "https://docs.github.com/en/copilot",
        base_url: "https://api.githubcopilot.com", prefix: "",
        base_url_env: ["GITHUB_COPILOT_API_BASE"], key_env: [],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            unsupported: words!["reasoning_effort", "thinking", "verbosity"],
            keeps_cache_control: true,
            files_as_given: true,
            responses: true,
            doors: rules![MESSAGES],
            headers: pairs![
                "copilot-integration-id" => "vscode-chat",
                "editor-version" => "vscode/1.95.0",
                "editor-plugin-version" => "copilot-chat/0.26.7",
                "openai-intent" => "conversation-panel",
                "x-github-api-version" => "2025-04-01",
                "x-vscode-user-agent-library-version" => "electron-fetch",
            ],
            tells_initiator: true,
            amend: amend![Role(Cow::Borrowed("system"), Cow::Borrowed("assistant"))],
            ..COMPATIBLE
        },
        cloud: CloudSpec { identity: Identity::Copilot, ..CloudSpec::NONE },
    },
    provider! {
        id: "oci", name: "Oracle Cloud Generative AI",
        docs: "https://docs.oracle.com/en-us/iaas/Content/generative-ai/home.htm",
        base_url: "https://inference.generativeai.{region}.oci.oraclecloud.com", prefix: "",
        base_url_env: ["OCI_API_BASE"], key_env: [],
        auth: Auth::Bearer, dialect: OracleGeneric,
        quirks: ORACLE_GENERIC,
        cloud: CloudSpec {
            identity: Identity::Oci,
            region: setting!("oci_region", ["OCI_REGION", "OCI_RESOURCE_PRINCIPAL_REGION"], "us-ashburn-1"),
            project: setting!("oci_compartment_id", ["OCI_COMPARTMENT_ID"], ""),
            shell: ORACLE,
            routes: Cow::Borrowed(&[
                Route {
                    models: words!["cohere.*"],
                    dialect: DialectId::OracleCohere,
                    quirks: ORACLE_COHERE,
                    shell: ORACLE,
                    ..Route::ANY
                },
                Route {
                    models: words!["ocid1.generativeaiendpoint.*"],
                    dialect: DialectId::OracleGeneric,
                    quirks: ORACLE_GENERIC,
                    shell: ORACLE_DEDICATED,
                    ..Route::ANY
                },
                Route { dialect: DialectId::OracleGeneric, quirks: ORACLE_GENERIC, shell: ORACLE, ..Route::ANY },
            ]),
            ..CloudSpec::NONE
        },
    },
    provider! {
        id: "sap", name: "SAP Generative AI Hub",
        docs: "https://help.sap.com/docs/sap-ai-core/sap-ai-core-service-guide/orchestration",
        base_url: "", prefix: "",
        base_url_env: ["AICORE_BASE_URL"], key_env: [],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            unsupported: words![
                "audio", "modalities", "prompt_cache_key", "reasoning_effort", "safety_identifier",
                "service_tier", "store", "thinking", "user", "verbosity", "web_search_options"
            ],
            keeps_cache_control: true,
            no_stream_options: true,
            no_reasoning_content: true,
            headers: pairs!["ai-resource-group" => "{resource_group}", "ai-client-type" => "gateway"],
            base_ends: pairs!["/v2/completion" => ""],
            amend: amend![
                NoParts(words!["file", "input_audio", "video_url"]),
                MessagesWithout(words!["name", "thinking_blocks"]),
                ParametersAlways,
                DescriptionAlways,
                MarksInParts
            ],
            ..COMPATIBLE
        },
        cloud: CloudSpec {
            identity: Identity::Aicore,
            more: Cow::Borrowed(&[setting!("resource_group", ["AICORE_RESOURCE_GROUP"], "default")]),
            shell: Shell {
                path: Cow::Borrowed("/v2/completion"),
                envelope: Envelope {
                    places: pairs![
                        "messages" => "/config/modules/prompt_templating/prompt/template",
                        "tools" => "/config/modules/prompt_templating/prompt/tools",
                        "response_format" => "/config/modules/prompt_templating/prompt/response_format",
                        "model" => "/config/modules/prompt_templating/model/name",
                        "stream" => "/config/stream/enabled",
                        "stream_options" => "",
                    ],
                    params: Cow::Borrowed("/config/modules/prompt_templating/model/params"),
                    said: pairs!["/config/modules/prompt_templating/model/version" => "latest"],
                    reply: words!["/final_result", "/orchestration_result"],
                    ..Envelope::NONE
                },
                ..Shell::NONE
            },
            ..CloudSpec::NONE
        },
    },
    provider! {
        id: "watsonx", name: "IBM watsonx.ai",
        docs: "https://cloud.ibm.com/apidocs/watsonx-ai#text-chat",
        base_url: "https://{region}.ml.cloud.ibm.com", prefix: "",
        base_url_env: ["WATSONX_API_BASE", "WATSONX_URL", "WX_URL", "WML_URL"],
        key_env: ["WX_API_KEY", "WATSONX_API_KEY", "WATSONX_APIKEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: WATSONX_CHAT,
        cloud: CloudSpec {
            shell: Shell {
                path: Cow::Borrowed("/ml/v1/text/chat?version={version}"),
                stream_path: Cow::Borrowed("/ml/v1/text/chat_stream?version={version}"),
                with: BILLED,
                ..Shell::NONE
            },
            routes: Cow::Borrowed(&[Route {
                models: words!["deployment/*"],
                strip: Cow::Borrowed("deployment/"),
                quirks: WATSONX_CHAT,
                shell: Shell {
                    path: Cow::Borrowed("/ml/v1/deployments/{model}/text/chat?version={version}"),
                    stream_path: Cow::Borrowed("/ml/v1/deployments/{model}/text/chat_stream?version={version}"),
                    without: words!["model"],
                    ..Shell::NONE
                },
                ..Route::ANY
            }]),
            ..WATSONX
        },
    },
    provider! {
        id: "watsonx_text", name: "IBM watsonx.ai, text generation",
        docs: "https://cloud.ibm.com/apidocs/watsonx-ai#text-generation",
        base_url: "https://{region}.ml.cloud.ibm.com", prefix: "",
        base_url_env: ["WATSONX_API_BASE", "WATSONX_URL", "WX_URL", "WML_URL"],
        key_env: ["WX_API_KEY", "WATSONX_API_KEY", "WATSONX_APIKEY"],
        auth: Auth::Bearer, dialect: Prompt(Wire::Watsonx),
        quirks: Quirks::NONE,
        cloud: CloudSpec {
            shell: Shell {
                path: Cow::Borrowed("/ml/v1/text/generation?version={version}"),
                stream_path: Cow::Borrowed("/ml/v1/text/generation_stream?version={version}"),
                without: words!["stream"],
                with: BILLED,
                ..Shell::NONE
            },
            routes: Cow::Borrowed(&[Route {
                models: words!["deployment/*"],
                strip: Cow::Borrowed("deployment/"),
                dialect: DialectId::Prompt(Wire::Watsonx),
                shell: Shell {
                    path: Cow::Borrowed("/ml/v1/deployments/{model}/text/generation?version={version}"),
                    stream_path: Cow::Borrowed("/ml/v1/deployments/{model}/text/generation_stream?version={version}"),
                    without: words!["stream"],
                    ..Shell::NONE
                },
                ..Route::ANY
            }]),
            ..WATSONX
        },
    },
];
