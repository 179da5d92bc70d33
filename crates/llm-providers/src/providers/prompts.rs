//! Hosts that complete prompts, and the clouds' endpoints of the operator's own models.

use std::borrow::Cow;

use super::{pairs, provider, setting, words};
use crate::cloud::{CloudSpec, Identity, Route, Setting, Shell, Words};
use crate::dialects::prompt::Wire;
use crate::{Auth, DialectId, ProviderSpec, Quirks};

/// Endpoints of Amazon's service for models of one's own.
/// <https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html>
const ENDPOINT: Shell = Shell {
    path: Cow::Borrowed("/endpoints/{model}/invocations"),
    stream_path: Cow::Borrowed("/endpoints/{model}/invocations-response-stream"),
    framed: true,
    ..Shell::NONE
};

/// The same where the operator's base URL names the endpoint.
const WHOLE_ENDPOINT: Shell = Shell {
    path: Cow::Borrowed("{whole}"),
    stream_path: Cow::Borrowed("{whole}-response-stream"),
    framed: true,
    ..Shell::NONE
};

/// Models of OpenAI's dialect behind such an endpoint.
const CONTAINER: Quirks = Quirks {
    developer_as_system: true,
    unsupported: words!["reasoning_effort", "thinking", "user", "verbosity"],
    ..Quirks::NONE
};

/// Amazon's own there, which reason.
const CONTAINER_NOVA: Quirks = Quirks { unsupported: words!["thinking", "user", "verbosity"], ..CONTAINER };

/// Predictions of a model, and where they are asked for.
const PREDICTIONS: Shell = Shell {
    path: Cow::Borrowed("/models/{model_path}/predictions"),
    elsewhere: pairs!["/predictions/" => "{path}"],
    ..Shell::NONE
};

/// How models behind the operator's own base URL are called.
const fn whole(
    bases: &'static [Cow<'static, str>],
    dialect: DialectId,
    quirks: Quirks,
    shell: Shell,
) -> Route {
    Route { bases: Cow::Borrowed(bases), dialect, quirks, shell, ..Route::ANY }
}

/// The cloud of such endpoints.
const fn endpoints(shell: Shell, routes: &'static [Route]) -> CloudSpec {
    CloudSpec {
        identity: Identity::Aws(Cow::Borrowed("sagemaker")),
        region: setting!(
            "aws_region_name",
            ["AWS_REGION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION"],
            "us-west-2"
        ),
        shell,
        routes: Cow::Borrowed(routes),
        ..CloudSpec::NONE
    }
}

/// Base URLs that name an endpoint.
const INVOCATIONS: &[Cow<'static, str>] = &[Cow::Borrowed("/invocations")];

/// The body names no model: the URL does.
const NAMELESS: Words = words!["model"];

const WHOLE_TEXT: &[Route] =
    &[whole(INVOCATIONS, DialectId::Prompt(Wire::TextGeneration), Quirks::NONE, WHOLE_ENDPOINT)];
const WHOLE_CHAT: &[Route] = &[whole(INVOCATIONS, DialectId::OpenaiChat, CONTAINER, WHOLE_ENDPOINT)];
const WHOLE_NOVA: &[Route] = &[whole(
    INVOCATIONS,
    DialectId::OpenaiChat,
    CONTAINER_NOVA,
    Shell { without: NAMELESS, ..WHOLE_ENDPOINT },
)];

/// Sorted by slug.
pub(super) const PROMPTS: &[ProviderSpec] = &[
    provider! {
        id: "anthropic_text", name: "Anthropic, text completions",
        docs: "https://docs.anthropic.com/en/api/complete",
        base_url: "https://api.anthropic.com", prefix: "",
        base_url_env: ["ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"], key_env: ["ANTHROPIC_API_KEY"],
        auth: Auth::Header(Cow::Borrowed("x-api-key")), dialect: Prompt(Wire::Complete),
        quirks: Quirks { headers: pairs!["anthropic-version" => "2023-06-01"], ..Quirks::NONE },
        cloud: CloudSpec {
            shell: Shell { path: Cow::Borrowed("/v1/complete"), ..Shell::NONE },
            ..CloudSpec::NONE
        },
    },
    provider! {
        id: "nlp_cloud", name: "NLP Cloud",
        docs: "https://docs.nlpcloud.com/#generation",
        base_url: "https://api.nlpcloud.io/v1/gpu", prefix: "",
        base_url_env: ["NLP_CLOUD_API_BASE"], key_env: ["NLP_CLOUD_API_KEY"],
        auth: Auth::Scheme(Cow::Borrowed("Token")), dialect: Prompt(Wire::Generation),
        quirks: Quirks::NONE,
        cloud: CloudSpec {
            shell: Shell { path: Cow::Borrowed("/{model_path}/generation"), ..Shell::NONE },
            ..CloudSpec::NONE
        },
    },
    provider! {
        id: "predibase", name: "Predibase",
        docs: "https://docs.predibase.com/user-guide/inference/rest_api",
        base_url: "https://serving.app.predibase.com", prefix: "",
        base_url_env: ["PREDIBASE_API_BASE"], key_env: ["PREDIBASE_API_KEY"],
        auth: Auth::Bearer, dialect: Prompt(Wire::Lorax),
        quirks: Quirks::NONE,
        cloud: CloudSpec {
            project: setting!("tenant_id", ["PREDIBASE_TENANT_ID"], ""),
            shell: Shell {
                path: Cow::Borrowed("/{project}/deployments/v2/llms/{model}/generate"),
                stream_path: Cow::Borrowed("/{project}/deployments/v2/llms/{model}/generate_stream"),
                without: words!["stream"],
                ..Shell::NONE
            },
            ..CloudSpec::NONE
        },
    },
    provider! {
        id: "replicate", name: "Replicate",
        docs: "https://replicate.com/docs/reference/http",
        base_url: "https://api.replicate.com/v1", prefix: "",
        base_url_env: ["REPLICATE_API_BASE"], key_env: ["REPLICATE_API_KEY", "REPLICATE_API_TOKEN"],
        auth: Auth::Scheme(Cow::Borrowed("Token")), dialect: Prompt(Wire::Prediction),
        quirks: Quirks { base_ends: pairs!["/predictions" => ""], ..Quirks::NONE },
        cloud: CloudSpec {
            shell: PREDICTIONS,
            routes: Cow::Borrowed(&[
                Route {
                    models: words!["deployments/*"],
                    strip: Cow::Borrowed("deployments/"),
                    dialect: DialectId::Prompt(Wire::Prediction),
                    shell: Shell { path: Cow::Borrowed("/deployments/{model_path}/predictions"), ..PREDICTIONS },
                    ..Route::ANY
                },
                Route {
                    models: words!["*:"],
                    dialect: DialectId::Prompt(Wire::Prediction),
                    shell: Shell { path: Cow::Borrowed("/predictions"), ..PREDICTIONS },
                    ..Route::ANY
                },
            ]),
            ..CloudSpec::NONE
        },
    },
    provider! {
        id: "sagemaker", name: "Amazon SageMaker, text generation",
        docs: "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html",
        base_url: "https://runtime.sagemaker.{region}.amazonaws.com", prefix: "",
        base_url_env: [], key_env: [],
        auth: Auth::Bearer, dialect: Prompt(Wire::TextGeneration),
        quirks: Quirks::NONE,
        cloud: endpoints(ENDPOINT, WHOLE_TEXT),
    },
    provider! {
        id: "sagemaker_chat", name: "Amazon SageMaker, chat",
        docs: "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html",
        base_url: "https://runtime.sagemaker.{region}.amazonaws.com", prefix: "",
        base_url_env: [], key_env: [],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: CONTAINER,
        cloud: endpoints(ENDPOINT, WHOLE_CHAT),
    },
    provider! {
        id: "sagemaker_nova", name: "Amazon SageMaker, Nova",
        docs: "https://docs.aws.amazon.com/nova/latest/nova2-userguide/nova-sagemaker-inference.html",
        base_url: "https://runtime.sagemaker.{region}.amazonaws.com", prefix: "",
        base_url_env: [], key_env: [],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: CONTAINER_NOVA,
        cloud: endpoints(Shell { without: NAMELESS, ..ENDPOINT }, WHOLE_NOVA),
    },
    provider! {
        id: "triton", name: "Triton Inference Server",
        docs: "https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/protocol/extension_generate.html",
        base_url: "", prefix: "",
        base_url_env: ["TRITON_API_BASE"], key_env: ["TRITON_API_KEY"],
        auth: Auth::None, dialect: Prompt(Wire::Triton),
        quirks: Quirks::NONE,
        cloud: CloudSpec {
            shell: Shell {
                path: Cow::Borrowed("/v2/models/{model_path}/generate"),
                stream_path: Cow::Borrowed("/v2/models/{model_path}/generate_stream"),
                ..Shell::NONE
            },
            routes: Cow::Borrowed(&[whole(
                &[Cow::Borrowed("/generate")],
                DialectId::Prompt(Wire::Triton),
                Quirks::NONE,
                Shell {
                    path: Cow::Borrowed("{whole}"),
                    stream_path: Cow::Borrowed("{whole}_stream"),
                    ..Shell::NONE
                },
            )]),
            ..CloudSpec::NONE
        },
    },
];
