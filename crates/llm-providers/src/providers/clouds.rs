//! Hosts of other makers' models.

use std::borrow::Cow;

use super::profiles::{CHAT, COMPATIBLE, LISTED, MESSAGES, NO_EFFORT, REASONERS, REASONING, responses};
use super::{amend, pairs, provider, rules, setting, words};
use crate::cloud::{Exchange, Identity, Route, Setting, Shell};
use crate::{Auth, CloudSpec, ModelRule, ProviderSpec, Quirks};

/// The header in which Snowflake is told what kind of token signs in.
const TOKEN_KIND: Cow<'static, str> = Cow::Borrowed("x-snowflake-authorization-token-type");

/// Hosts of other makers' models. Sorted by slug.
pub(super) const CLOUDS: &[ProviderSpec] = &[
    provider! {
        id: "abliteration", name: "Abliteration",
        docs: "https://abliteration.ai",
        base_url: "https://api.abliteration.ai/v1", prefix: "",
        base_url_env: [], key_env: ["ABLITERATION_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, files_as_given: true, ..NO_EFFORT },
    },
    provider! {
        id: "baseten", name: "Baseten",
        docs: "https://docs.baseten.co/inference/model-apis/overview",
        base_url: "https://inference.baseten.co/v1", prefix: "",
        base_url_env: [], key_env: ["BASETEN_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            max_completion_tokens_as_max_tokens: true,
            supported: words![
                "frequency_penalty", "max_completion_tokens", "max_tokens", "presence_penalty",
                "response_format", "seed", "stop", "temperature", "tool_choice", "tools", "top_p",
                "user"
            ],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "cerebras", name: "Cerebras",
        docs: "https://inference-docs.cerebras.ai/resources/openai",
        base_url: "https://api.cerebras.ai/v1", prefix: "",
        base_url_env: ["CEREBRAS_API_BASE"], key_env: ["CEREBRAS_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            max_completion_tokens_as_max_tokens: true,
            supported: words![
                "max_completion_tokens", "max_tokens", "reasoning_effort", "response_format",
                "seed", "stop", "temperature", "tool_choice", "tools", "top_p", "user"
            ],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "charity_engine", name: "Charity Engine",
        docs: "https://charityengine.services",
        base_url: "https://api.charityengine.services/remotejobs/v2/inference", prefix: "",
        base_url_env: [], key_env: ["CHARITY_ENGINE_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, ..LISTED },
    },
    provider! {
        id: "chutes", name: "Chutes",
        docs: "https://chutes.ai",
        base_url: "https://llm.chutes.ai/v1", prefix: "",
        base_url_env: [], key_env: ["CHUTES_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, ..LISTED },
    },
    provider! {
        id: "clarifai", name: "Clarifai",
        docs: "https://docs.clarifai.com/compute/inference/open-ai",
        base_url: "https://api.clarifai.com/v2/ext/openai/v1", prefix: "",
        base_url_env: [], key_env: ["CLARIFAI_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            supported: words![
                "frequency_penalty", "max_completion_tokens", "max_tokens", "presence_penalty",
                "response_format", "temperature", "tool_choice", "tools", "top_p"
            ],
            model_template: Cow::Borrowed("https://clarifai.com/{}/{}/models/{}"),
            ..COMPATIBLE
        },
    },
    provider! {
        id: "cloudflare", name: "Cloudflare Workers AI",
        docs: "https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/",
        base_url: "https://api.cloudflare.com/client/v4/accounts/{CLOUDFLARE_ACCOUNT_ID}/ai/v1", prefix: "",
        base_url_env: ["CLOUDFLARE_API_BASE"], key_env: ["CLOUDFLARE_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { base_ends: pairs!["/ai/run" => "/ai/v1"], ..CHAT },
    },
    provider! {
        id: "compactifai", name: "CompactifAI",
        docs: "https://compactif.ai",
        base_url: "https://api.compactif.ai/v1", prefix: "",
        base_url_env: [], key_env: ["COMPACTIFAI_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: CHAT,
    },
    provider! {
        id: "crusoe", name: "Crusoe",
        docs: "https://crusoecloud.com",
        base_url: "https://managed-inference-api-proxy.crusoecloud.com/v1", prefix: "",
        base_url_env: ["CRUSOE_API_BASE"], key_env: ["CRUSOE_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, files_as_given: true, ..NO_EFFORT },
    },
    provider! {
        id: "darkbloom", name: "Darkbloom",
        docs: "https://darkbloom.dev",
        base_url: "https://api.darkbloom.dev/v1", prefix: "",
        base_url_env: ["DARKBLOOM_API_BASE"], key_env: ["DARKBLOOM_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, ..LISTED },
    },
    provider! {
        id: "databricks", name: "Databricks",
        docs: "https://docs.databricks.com/aws/en/machine-learning/foundation-model-apis/api-reference",
        base_url: "", prefix: "/serving-endpoints",
        base_url_env: ["DATABRICKS_API_BASE"], key_env: ["DATABRICKS_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            doors: rules![responses("", words!["databricks-gpt*"])],
            max_completion_tokens_as_max_tokens: true,
            supported: words![
                "max_completion_tokens", "max_tokens", "n", "reasoning_effort", "response_format",
                "stop", "temperature", "thinking", "tool_choice", "tools", "top_p"
            ],
            no_stream_options: true,
            models: rules![
                ModelRule { models: words!["databricks-claude-*"], amend: amend![SchemasOnly, NoEmptyAnswers, EffortAsBudget, NoStrict, ParametersAlways], ..ModelRule::ANY },
                ModelRule { models: words!["!databricks-claude-*"], amend: amend![MergeSystems, NoEmptyAnswers, OneCallEach], ..ModelRule::ANY },
            ],
            amend: amend![MessagesWithout(words!["reasoning_content", "thinking_blocks"])],
            ..COMPATIBLE
        },
        // An application of the workspace may sign in too:
        // <https://docs.databricks.com/aws/en/dev-tools/auth/oauth-m2m>.
        cloud: CloudSpec {
            identity: Identity::Exchange(Exchange {
                whom: Cow::Borrowed("the Databricks workspace's token service"),
                url: Cow::Borrowed("{host}/oidc/v1/token"),
                headers: pairs!["authorization" => "Basic {basic}"],
                form: pairs!["grant_type" => "client_credentials", "scope" => "all-apis"],
                client: setting!("client_id", ["DATABRICKS_CLIENT_ID"], ""),
                secret: setting!("client_secret", ["DATABRICKS_CLIENT_SECRET"], ""),
                ..Exchange::NONE
            }),
            ..CloudSpec::NONE
        },
    },
    provider! {
        id: "deepinfra", name: "DeepInfra",
        docs: "https://deepinfra.com/docs/openai_api",
        base_url: "https://api.deepinfra.com/v1/openai", prefix: "",
        base_url_env: ["DEEPINFRA_API_BASE"], key_env: ["DEEPINFRA_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            max_completion_tokens_as_max_tokens: true,
            supported: words![
                "frequency_penalty", "functions", "logit_bias", "max_completion_tokens",
                "max_tokens", "n", "presence_penalty", "response_format", "stop", "temperature",
                "tool_choice", "tools", "top_p"
            ],
            amend: amend![NoForcedCalls],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "empiriolabs", name: "Empiriolabs",
        docs: "https://empiriolabs.ai",
        base_url: "https://api.empiriolabs.ai/v1", prefix: "",
        base_url_env: ["EMPIRIOLABS_API_BASE"], key_env: ["EMPIRIOLABS_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { responses: true, max_completion_tokens_as_max_tokens: true, files_as_given: true, ..NO_EFFORT },
    },
    provider! {
        id: "empower", name: "Empower",
        docs: "https://empower.dev",
        base_url: "https://app.empower.dev/api/v1", prefix: "",
        base_url_env: ["EMPOWER_API_BASE"], key_env: ["EMPOWER_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, ..CHAT },
    },
    provider! {
        id: "featherless_ai", name: "Featherless AI",
        docs: "https://featherless.ai/docs/api-overview-and-common-options",
        base_url: "https://api.featherless.ai/v1", prefix: "",
        base_url_env: ["FEATHERLESS_AI_API_BASE", "FEATHERLESS_API_BASE"], key_env: ["FEATHERLESS_AI_API_KEY", "FEATHERLESS_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            max_completion_tokens_as_max_tokens: true,
            supported: words![
                "frequency_penalty", "functions", "logit_bias", "max_completion_tokens",
                "max_tokens", "n", "presence_penalty", "stop", "temperature", "top_p"
            ],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "fireworks_ai", name: "Fireworks AI",
        docs: "https://docs.fireworks.ai/tools-sdks/openai-compatibility",
        base_url: "https://api.fireworks.ai/inference/v1", prefix: "",
        base_url_env: ["FIREWORKS_API_BASE"], key_env: ["FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY", "FIREWORKSAI_API_KEY", "FIREWORKS_AI_TOKEN"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            max_completion_tokens_as_max_tokens: true,
            unsupported: words![
                "audio", "functions", "modalities", "reasoning_effort", "safety_identifier",
                "store", "thinking", "tool_choice", "verbosity", "web_search_options"
            ],
            model_prefix: Cow::Borrowed("accounts/fireworks/models/"),
            text_completions: true,
            responses: true,
            models: rules![
                ModelRule { can: Cow::Borrowed("tool_choice"), takes: words!["tool_choice"], ..ModelRule::ANY },
                ModelRule { can: Cow::Borrowed("reasoning"), takes: words!["reasoning_effort", "thinking"], ..ModelRule::ANY },
            ],
            amend: amend![Required(Cow::Borrowed("any")), NoStrict, NoParts(words!["file"]), MessagesWithout(words!["thinking_blocks"])],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "friendliai", name: "FriendliAI",
        docs: "https://friendli.ai",
        base_url: "https://api.friendli.ai/serverless/v1", prefix: "",
        base_url_env: ["FRIENDLI_API_BASE"], key_env: ["FRIENDLIAI_API_KEY", "FRIENDLI_TOKEN"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, ..CHAT },
    },
    provider! {
        id: "galadriel", name: "Galadriel",
        docs: "https://galadriel.com",
        base_url: "https://api.galadriel.com/v1", prefix: "",
        base_url_env: ["GALADRIEL_API_BASE"], key_env: ["GALADRIEL_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, ..CHAT },
    },
    provider! {
        id: "github", name: "GitHub Models",
        docs: "https://docs.github.com/en/github-models",
        base_url: "https://models.inference.ai.azure.com", prefix: "",
        base_url_env: ["GITHUB_API_BASE"], key_env: ["GITHUB_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, ..CHAT },
    },
    provider! {
        id: "gmi", name: "GMI Cloud",
        docs: "https://gmi-serving.com",
        base_url: "https://api.gmi-serving.com/v1", prefix: "",
        base_url_env: [], key_env: ["GMI_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, files_as_given: true, ..NO_EFFORT },
    },
    provider! {
        id: "gradient_ai", name: "DigitalOcean Gradient AI",
        docs: "https://docs.digitalocean.com/products/gradient-ai-platform/",
        base_url: "https://inference.do-ai.run", prefix: "/v1",
        base_url_env: ["GRADIENT_AI_AGENT_ENDPOINT"], key_env: ["GRADIENT_AI_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            supported: words![
                "frequency_penalty", "max_completion_tokens", "max_tokens", "presence_penalty",
                "stop", "temperature", "top_p"
            ],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "groq", name: "Groq AI",
        docs: "https://console.groq.com/docs/openai",
        base_url: "https://api.groq.com/openai/v1", prefix: "",
        base_url_env: ["GROQ_API_BASE"], key_env: ["GROQ_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            max_completion_tokens_as_max_tokens: true,
            unsupported: words!["reasoning_effort", "thinking", "user", "verbosity", "web_search_options"],
            models: rules![
                ModelRule { can: Cow::Borrowed("reasoning"), takes: words!["reasoning_effort"], ..ModelRule::ANY },
                // <https://console.groq.com/docs/structured-outputs#supported-models>
                ModelRule { cannot: Cow::Borrowed("response_schema"), amend: amend![SchemaByTool], ..ModelRule::ANY }
            ],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "heroku", name: "Heroku",
        docs: "https://devcenter.heroku.com/articles/heroku-inference-api-v1-chat-completions",
        base_url: "", prefix: "/v1",
        base_url_env: ["HEROKU_API_BASE"], key_env: ["HEROKU_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { amend: amend![JoinTexts], ..CHAT },
    },
    provider! {
        id: "hyperbolic", name: "Hyperbolic",
        docs: "https://docs.hyperbolic.xyz/docs/rest-api",
        base_url: "https://api.hyperbolic.xyz/v1", prefix: "",
        base_url_env: ["HYPERBOLIC_API_BASE"], key_env: ["HYPERBOLIC_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            supported: words![
                "frequency_penalty", "max_tokens", "n", "presence_penalty", "response_format",
                "seed", "stop", "temperature", "tool_choice", "tools", "top_p", "user"
            ],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "lambda_ai", name: "Lambda AI",
        docs: "https://lambda.ai",
        base_url: "https://api.lambda.ai/v1", prefix: "",
        base_url_env: ["LAMBDA_API_BASE"], key_env: ["LAMBDA_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, ..CHAT },
    },
    provider! {
        id: "libertai", name: "LibertAI",
        docs: "https://libertai.io",
        base_url: "https://api.libertai.io/v1", prefix: "",
        base_url_env: ["LIBERTAI_API_BASE"], key_env: ["LIBERTAI_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, ..LISTED },
    },
    provider! {
        id: "llamagate", name: "LlamaGate",
        docs: "https://llamagate.dev",
        base_url: "https://api.llamagate.dev/v1", prefix: "",
        base_url_env: [], key_env: ["LLAMAGATE_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, files_as_given: true, ..NO_EFFORT },
    },
    provider! {
        id: "modelscope", name: "ModelScope",
        docs: "https://modelscope.cn/docs/model-service/API-Inference/intro",
        base_url: "https://api-inference.modelscope.cn/v1", prefix: "",
        base_url_env: ["MODELSCOPE_API_BASE"], key_env: ["MODELSCOPE_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { amend: amend![JoinTexts], ..CHAT },
    },
    provider! {
        id: "nebius", name: "Nebius AI Studio",
        docs: "https://docs.nebius.com/studio/inference/api",
        base_url: "https://api.studio.nebius.ai/v1", prefix: "",
        base_url_env: ["NEBIUS_API_BASE"], key_env: ["NEBIUS_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, ..CHAT },
    },
    provider! {
        id: "neosantara", name: "Neosantara",
        docs: "https://neosantara.xyz",
        base_url: "https://api.neosantara.xyz/v1", prefix: "",
        base_url_env: ["NEOSANTARA_API_BASE"], key_env: ["NEOSANTARA_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { responses: true, max_completion_tokens_as_max_tokens: true, ..LISTED },
    },
    provider! {
        id: "novita", name: "Novita AI",
        docs: "https://novita.ai/docs/guides/llm-api",
        base_url: "https://api.novita.ai/v3/openai", prefix: "",
        base_url_env: ["NOVITA_API_BASE"], key_env: ["NOVITA_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: CHAT,
    },
    provider! {
        id: "nscale", name: "Nscale",
        docs: "https://nscale.com",
        base_url: "https://inference.api.nscale.com/v1", prefix: "",
        base_url_env: ["NSCALE_API_BASE"], key_env: ["NSCALE_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            supported: words![
                "frequency_penalty", "logit_bias", "logprobs", "max_tokens", "n",
                "presence_penalty", "response_format", "stop", "temperature", "top_logprobs",
                "top_p"
            ],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "nvidia_nim", name: "Nvidia NIM",
        docs: "https://docs.api.nvidia.com/nim/reference/llm-apis",
        base_url: "https://integrate.api.nvidia.com/v1", prefix: "",
        base_url_env: ["NVIDIA_NIM_API_BASE"], key_env: ["NVIDIA_NIM_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            max_completion_tokens_as_max_tokens: true,
            supported: words![
                "frequency_penalty", "max_completion_tokens", "max_tokens", "parallel_tool_calls",
                "presence_penalty", "response_format", "seed", "stop", "temperature", "tool_choice",
                "tools", "top_p"
            ],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "ovhcloud", name: "OVHCloud AI Endpoints",
        docs: "https://help.ovhcloud.com/csm/en-public-cloud-ai-endpoints-getting-started",
        base_url: "https://oai.endpoints.kepler.ai.cloud.ovh.net/v1", prefix: "",
        base_url_env: ["OVHCLOUD_API_BASE"], key_env: ["OVHCLOUD_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: CHAT,
    },
    provider! {
        id: "parasail", name: "Parasail",
        docs: "https://parasail.io",
        base_url: "https://api.parasail.io/v1", prefix: "",
        base_url_env: ["PARASAIL_API_BASE"], key_env: ["PARASAIL_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { responses: true, ..LISTED },
    },
    provider! {
        id: "pinstripes", name: "Pinstripes",
        docs: "https://pinstripes.io",
        base_url: "https://pinstripes.io/v1", prefix: "",
        base_url_env: ["PINSTRIPES_API_BASE"], key_env: ["PINSTRIPES_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { responses: true, max_completion_tokens_as_max_tokens: true, ..LISTED },
    },
    provider! {
        id: "prism", name: "Prism",
        docs: "https://prisminference.com",
        base_url: "https://api.prisminference.com/v1", prefix: "",
        base_url_env: ["PRISM_API_BASE"], key_env: ["PRISM_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { responses: true, doors: rules![MESSAGES], ..LISTED },
    },
    provider! {
        id: "sail", name: "Sail",
        docs: "https://sailresearch.com",
        base_url: "https://api.sailresearch.com/v1", prefix: "",
        base_url_env: ["SAIL_API_BASE"], key_env: ["SAIL_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            unsupported: words![
                "frequency_penalty", "logit_bias", "logprobs", "presence_penalty", "seed", "stop",
                "thinking", "top_logprobs", "verbosity"
            ],
            ignored: words!["service_tier"],
            responses: true,
            doors: rules![MESSAGES],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "sambanova", name: "Sambanova",
        docs: "https://docs.sambanova.ai/cloud/docs/capabilities/openai-compatibility",
        base_url: "https://api.sambanova.ai/v1", prefix: "",
        base_url_env: ["SAMBANOVA_API_BASE"], key_env: ["SAMBANOVA_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            max_completion_tokens_as_max_tokens: true,
            supported: words![
                "max_completion_tokens", "max_tokens", "parallel_tool_calls", "response_format",
                "stop", "temperature", "tool_choice", "tools", "top_p"
            ],
            ..COMPATIBLE
        },
    },
    provider! {
        id: "scaleway", name: "Scaleway",
        docs: "https://www.scaleway.com/en/docs/generative-apis",
        base_url: "https://api.scaleway.ai/v1", prefix: "",
        base_url_env: [], key_env: ["SCW_SECRET_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: LISTED,
    },
    provider! {
        id: "scx-ai", name: "SCX.ai",
        docs: "https://scx.ai",
        base_url: "https://api.scx.ai/v1", prefix: "",
        base_url_env: ["SCX_API_BASE"], key_env: ["SCX_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            max_completion_tokens_as_max_tokens: true,
            amend: amend![TemperatureAtMost(1.99)],
            ..LISTED
        },
    },
    provider! {
        id: "snowflake", name: "Snowflake Cortex",
        docs: "https://docs.snowflake.com/en/user-guide/snowflake-cortex/cortex-rest-api",
        base_url: "https://{SNOWFLAKE_ACCOUNT_ID}.snowflakecomputing.com/api/v2", prefix: "/cortex",
        base_url_env: ["SNOWFLAKE_API_BASE"], key_env: ["SNOWFLAKE_JWT"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks {
            supported: words![
                "max_completion_tokens", "max_tokens", "temperature", "tool_choice", "tools",
                "top_p"
            ],
            no_stream_options: true,
            token_kind_header: TOKEN_KIND,
            amend: amend![Rename(Cow::Borrowed("max_tokens"), Cow::Borrowed("max_completion_tokens"))],
            files_as_given: true,
            ..COMPATIBLE
        },
        cloud: CloudSpec {
            identity: Identity::KeyPair,
            shell: Shell { path: Cow::Borrowed("/v1{path}"), ..Shell::NONE },
            routes: Cow::Borrowed(&[Route {
                models: words!["claude*"],
                dialect: crate::DialectId::Anthropic,
                auth: Some(Auth::Bearer),
                quirks: Quirks {
                    unsupported: words![
                        "parallel_tool_calls", "response_format", "stop", "user", "web_search_options"
                    ],
                    untyped_tools: true,
                    token_kind_header: TOKEN_KIND,
                    ..Quirks::NONE
                },
                ..Route::ANY
            }]),
            ..CloudSpec::NONE
        },
    },
    provider! {
        id: "synthetic", name: "Synthetic",
        docs: "https://synthetic.new",
        base_url: "https://api.synthetic.new/openai/v1", prefix: "",
        base_url_env: [], key_env: ["SYNTHETIC_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, ..LISTED },
    },
    provider! {
        id: "tensormesh", name: "Tensormesh",
        docs: "https://tensormesh.ai",
        base_url: "https://serverless.tensormesh.ai/v1", prefix: "",
        base_url_env: ["TENSORMESH_SERVERLESS_BASE_URL"], key_env: ["TENSORMESH_INFERENCE_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { responses: true, max_completion_tokens_as_max_tokens: true, ..LISTED },
    },
    provider! {
        id: "together_ai", name: "Together AI",
        docs: "https://docs.together.ai/docs/openai-api-compatibility",
        base_url: "https://api.together.ai/v1", prefix: "",
        base_url_env: ["TOGETHER_AI_API_BASE"], key_env: ["TOGETHER_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHERAI_API_KEY", "TOGETHER_AI_TOKEN"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { text_completions: true, models: REASONERS, amend: amend![MessagesWithout(words!["thinking_blocks"])], ..CHAT },
    },
    provider! {
        id: "veniceai", name: "Venice.ai",
        docs: "https://venice.ai",
        base_url: "https://api.venice.ai/api/v1", prefix: "",
        base_url_env: [], key_env: ["VENICE_AI_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, files_as_given: true, ..NO_EFFORT },
    },
    provider! {
        id: "wandb", name: "WandB Inference",
        docs: "https://docs.wandb.ai/guides/inference/api-reference",
        base_url: "https://api.inference.wandb.ai/v1", prefix: "",
        base_url_env: ["WANDB_API_BASE"], key_env: ["WANDB_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: Quirks { max_completion_tokens_as_max_tokens: true, ..REASONING },
    },
];
