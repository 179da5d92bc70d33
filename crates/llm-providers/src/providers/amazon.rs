//! Amazon's clouds of models.

use std::borrow::Cow;

use super::profiles::{AGENT, responses};
use super::{pairs, provider, rules, setting, words};
use crate::cloud::{Betas, CloudSpec, Identity, Route, Setting, Shell};
use crate::dialects::prompt::Wire;
use crate::{Auth, DialectId, Door, ProviderSpec, Quirks};

/// Anthropic's models behind `InvokeModel`.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html>
const INVOKE_CLAUDE: Shell = Shell {
    path: Cow::Borrowed("/model/{model}/invoke"),
    stream_path: Cow::Borrowed("/model/{model}/invoke-with-response-stream"),
    elsewhere: Cow::Borrowed(&[]),
    without: words!["model", "stream"],
    with: pairs!["anthropic_version" => "bedrock-2023-05-31"],
    envelope: crate::cloud::Envelope::NONE,
    betas: Betas::InBody(pairs![
        "advanced-tool-use-2025-11-20" => "tool-search-tool-2025-10-19",
        "compact-2026-01-12" => "compact-2026-01-12",
        "computer-use-2025-01-24" => "computer-use-2025-01-24",
        "computer-use-2025-11-24" => "computer-use-2025-11-24",
        "context-1m-2025-08-07" => "context-1m-2025-08-07",
        "context-management-2025-06-27" => "context-management-2025-06-27",
        "dangerous-tool-use-2026-09-03" => "dangerous-tool-use-2026-09-03",
        "effort-2025-11-24" => "effort-2025-11-24",
        "fine-grained-tool-streaming-2025-05-14" => "fine-grained-tool-streaming-2025-05-14",
        "interleaved-thinking-2025-05-14" => "interleaved-thinking-2025-05-14",
        "mid-conversation-output-config-2026-07-01" => "mid-conversation-output-config-2026-07-01",
        "mid-conversation-tool-changes-2026-07-01" => "mid-conversation-tool-changes-2026-07-01",
        "per-turn-control-2026-07-01" => "per-turn-control-2026-07-01",
        "structured-outputs-2025-11-13" => "structured-outputs-2025-11-13",
        "thinking-binding-controls-2026-08-01" => "thinking-binding-controls-2026-08-01",
        "thinking-display-updates-2026-08-18" => "thinking-display-updates-2026-08-18",
        "tool-search-tool-2025-10-19" => "tool-search-tool-2025-10-19",
    ]),
    tool_betas: pairs![],
    framed: true,
};

/// Claude on Bedrock.
const CLAUDE: Quirks = Quirks {
    max_completion_tokens_as_max_tokens: true,
    answer_schema_in_config: true,
    no_media_urls: true,
    ..Quirks::NONE
};

/// Callers of Anthropic's dialect reach Claude through `InvokeModel`, where nothing has to be translated.
const INVOKED: Door = Door {
    dialect: DialectId::Anthropic,
    models: words!["*anthropic.claude"],
    shell: INVOKE_CLAUDE,
    quirks: CLAUDE,
    ..Door::OPEN
};

/// Models of OpenAI's dialect behind `InvokeModel`: imported ones.
const INVOKE_OPENAI: Shell = Shell {
    path: Cow::Borrowed("/model/{model}/invoke"),
    stream_path: Cow::Borrowed("/model/{model}/invoke-with-response-stream"),
    without: words!["stream"],
    framed: true,
    ..Shell::NONE
};

/// Models that complete a prompt behind `InvokeModel`.
const INVOKE_PROMPT: Shell = INVOKE_OPENAI;

/// Cohere's there want to be told of a stream in the body too.
const INVOKE_COMMAND: Shell = Shell { without: words![], ..INVOKE_OPENAI };

/// A route to models that complete a prompt.
const fn prompts(models: &'static [Cow<'static, str>], strip: &'static str, wire: Wire) -> Route {
    Route {
        models: Cow::Borrowed(models),
        strip: Cow::Borrowed(strip),
        dialect: DialectId::Prompt(wire),
        shell: INVOKE_PROMPT,
        ..Route::ANY
    }
}

/// Imported models on Bedrock.
const IMPORTED: Quirks = Quirks {
    developer_as_system: true,
    unsupported: words!["reasoning_effort", "thinking", "user", "verbosity"],
    ..Quirks::NONE
};

/// OpenAI's open models on Bedrock.
const BEDROCK_GPT_OSS: Quirks = Quirks {
    developer_as_system: true,
    unsupported: words!["thinking", "user", "verbosity"],
    ..Quirks::NONE
};

/// Models behind Bedrock's OpenAI-compatible endpoint.
const MANTLE: Quirks = Quirks {
    max_completion_tokens_as_max_tokens: true,
    developer_as_system: true,
    unsupported: words!["thinking", "user", "verbosity"],
    ..Quirks::NONE
};

/// Amazon's. Sorted by slug.
pub(super) const AMAZON: &[ProviderSpec] = &[
    provider! {
        id: "bedrock", name: "Amazon Bedrock",
        docs: "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html",
        base_url: "https://bedrock-runtime.{region}.amazonaws.com", prefix: "",
        base_url_env: ["AWS_BEDROCK_RUNTIME_ENDPOINT"], key_env: ["AWS_BEARER_TOKEN_BEDROCK"],
        auth: Auth::Bearer, dialect: Converse,
        quirks: Quirks { doors: rules![INVOKED], ..Quirks::NONE },
        cloud: CloudSpec {
            identity: Identity::Aws(Cow::Borrowed("bedrock")),
            region: setting!("aws_region_name", ["AWS_REGION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION"], "us-west-2"),
            region_in_model: true,
            routes: Cow::Borrowed(&[
                Route {
                    models: words!["agentcore/*"],
                    strip: Cow::Borrowed("agentcore/"),
                    base_url: Cow::Borrowed("https://bedrock-agentcore.{region}.amazonaws.com"),
                    service: Cow::Borrowed("bedrock-agentcore"),
                    dialect: DialectId::Agentcore,
                    quirks: AGENT,
                    shell: Shell { path: Cow::Borrowed("/runtimes/{model}{path}"), ..Shell::NONE },
                    ..Route::ANY
                },
                Route {
                    models: words!["agent/*"],
                    strip: Cow::Borrowed("agent/"),
                    base_url: Cow::Borrowed("https://bedrock-agent-runtime.{region}.amazonaws.com"),
                    dialect: DialectId::BedrockAgent,
                    quirks: AGENT,
                    ..Route::ANY
                },
                Route {
                    models: words!["converse/*"],
                    strip: Cow::Borrowed("converse/"),
                    dialect: DialectId::Converse,
                    ..Route::ANY
                },
                Route {
                    models: words!["invoke/*anthropic", "invoke/*claude"],
                    strip: Cow::Borrowed("invoke/"),
                    dialect: DialectId::Anthropic,
                    quirks: CLAUDE,
                    shell: INVOKE_CLAUDE,
                    ..Route::ANY
                },
                Route {
                    models: words!["openai/*"],
                    strip: Cow::Borrowed("openai/"),
                    quirks: IMPORTED,
                    shell: INVOKE_OPENAI,
                    ..Route::ANY
                },
                Route {
                    models: words!["invoke/*openai."],
                    strip: Cow::Borrowed("invoke/"),
                    quirks: BEDROCK_GPT_OSS,
                    shell: INVOKE_OPENAI,
                    ..Route::ANY
                },
                Route {
                    models: words!["moonshot/*"],
                    strip: Cow::Borrowed("moonshot/"),
                    quirks: IMPORTED,
                    shell: INVOKE_OPENAI,
                    ..Route::ANY
                },
                prompts(&[Cow::Borrowed("llama/*")], "llama/", Wire::OwnLlama),
                prompts(&[Cow::Borrowed("deepseek_r1/*")], "deepseek_r1/", Wire::OwnDeepseek),
                prompts(&[Cow::Borrowed("qwen2/*")], "qwen2/", Wire::OwnQwen),
                prompts(&[Cow::Borrowed("qwen3/*")], "qwen3/", Wire::OwnQwen),
                prompts(&[Cow::Borrowed("invoke/*amazon.titan-t")], "invoke/", Wire::Titan),
                prompts(&[Cow::Borrowed("invoke/*meta.llama")], "invoke/", Wire::Llama),
                prompts(
                    &[
                        Cow::Borrowed("invoke/*mistral.mistral-7b"),
                        Cow::Borrowed("invoke/*mistral.mixtral"),
                        Cow::Borrowed("invoke/*mistral.mistral-large-24"),
                        Cow::Borrowed("invoke/*mistral.mistral-small-24"),
                    ],
                    "invoke/",
                    Wire::Mistral,
                ),
                Route {
                    models: words!["invoke/*cohere.command-text", "invoke/*cohere.command-light"],
                    strip: Cow::Borrowed("invoke/"),
                    dialect: DialectId::Prompt(Wire::Command),
                    shell: INVOKE_COMMAND,
                    ..Route::ANY
                },
                prompts(&[Cow::Borrowed("invoke/*ai21.j2")], "invoke/", Wire::Jurassic),
                Route {
                    models: words!["invoke/*amazon.nova"],
                    strip: Cow::Borrowed("invoke/"),
                    dialect: DialectId::Nova,
                    shell: INVOKE_OPENAI,
                    ..Route::ANY
                },
                // Command R and Jamba among them: LiteLLM sends them prompts, which they refuse. Converse says
                // the same to all of them.
                Route {
                    models: words!["invoke/*"],
                    strip: Cow::Borrowed("invoke/"),
                    dialect: DialectId::Converse,
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
        quirks: MANTLE,
        cloud: CloudSpec {
            identity: Identity::Aws(Cow::Borrowed("bedrock")),
            region: setting!("aws_region_name", ["BEDROCK_MANTLE_REGION", "AWS_REGION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION"], "us-east-1"),
            region_in_model: true,
            routes: Cow::Borrowed(&[
                Route {
                    models: words!["anthropic.*", "claude*"],
                    prefix: Cow::Borrowed("/anthropic"),
                    // Anthropic's `output_config.format` is refused there (user guide,
                    // claude-messages-structured-outputs).
                    quirks: Quirks { max_completion_tokens_as_max_tokens: true, no_answer_schema: true, ..Quirks::NONE },
                    shell: Shell {
                        with: pairs!["anthropic_version" => "bedrock-2023-05-31"],
                        ..Shell::NONE
                    },
                    dialect: DialectId::Anthropic,
                    ..Route::ANY
                },
                Route {
                    prefix: Cow::Borrowed("/v1"),
                    quirks: Quirks { doors: rules![responses("", words!["openai.*"])], ..MANTLE },
                    ..Route::ANY
                },
            ]),
            ..CloudSpec::NONE
        },
    },
];
