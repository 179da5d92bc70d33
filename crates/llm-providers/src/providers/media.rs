//! Vendors of pictures, speech, vectors and ranks, without chats. What they do is in
//! [`crate::operations`].

use std::borrow::Cow;

use super::{provider, setting, words};
use crate::cloud::{CloudSpec, Identity, Setting};
use crate::{Auth, ProviderSpec, Quirks};

/// There is no chat here.
const NO_CHAT: Quirks = Quirks { no_chat: true, ..Quirks::NONE };

/// Sorted by slug.
pub(super) const MEDIA: &[ProviderSpec] = &[
    provider! {
        id: "aws_polly", name: "Amazon Polly",
        docs: "https://docs.aws.amazon.com/polly/latest/dg/API_SynthesizeSpeech.html",
        base_url: "https://polly.{region}.amazonaws.com", prefix: "",
        base_url_env: [], key_env: [],
        auth: Auth::None, dialect: OpenaiChat,
        quirks: NO_CHAT,
        cloud: CloudSpec {
            identity: Identity::Aws(Cow::Borrowed("polly")),
            region: setting!("aws_region_name", ["AWS_REGION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION"], "us-east-1"),
            ..CloudSpec::NONE
        },
    },
    provider! {
        id: "azure_speech", name: "Azure AI Speech",
        docs: "https://learn.microsoft.com/azure/ai-services/speech-service/",
        base_url: "", prefix: "",
        base_url_env: ["AZURE_SPEECH_API_BASE", "AZURE_API_BASE"], key_env: ["AZURE_SPEECH_API_KEY", "AZURE_API_KEY"],
        auth: Auth::Header(Cow::Borrowed("ocp-apim-subscription-key")), dialect: OpenaiChat,
        quirks: NO_CHAT,
        cloud: CloudSpec {
            version: setting!("api_version", ["AZURE_SPEECH_API_VERSION"], "2025-10-15"),
            ..CloudSpec::NONE
        },
    },
    provider! {
        id: "black_forest_labs", name: "Black Forest Labs",
        docs: "https://docs.bfl.ai",
        base_url: "https://api.bfl.ai", prefix: "",
        base_url_env: ["BFL_API_BASE"], key_env: ["BFL_API_KEY", "BLACK_FOREST_LABS_API_KEY"],
        auth: Auth::Header(Cow::Borrowed("x-key")), dialect: OpenaiChat,
        quirks: NO_CHAT,
    },
    provider! {
        id: "deepgram", name: "Deepgram",
        docs: "https://developers.deepgram.com/reference",
        base_url: "https://api.deepgram.com/v1", prefix: "",
        base_url_env: ["DEEPGRAM_API_BASE"], key_env: ["DEEPGRAM_API_KEY"],
        auth: Auth::Scheme(Cow::Borrowed("Token")), dialect: OpenaiChat,
        quirks: NO_CHAT,
    },
    provider! {
        id: "elevenlabs", name: "ElevenLabs",
        docs: "https://elevenlabs.io/docs/api-reference",
        base_url: "https://api.elevenlabs.io", prefix: "",
        base_url_env: ["ELEVENLABS_API_BASE"], key_env: ["ELEVENLABS_API_KEY"],
        auth: Auth::Header(Cow::Borrowed("xi-api-key")), dialect: OpenaiChat,
        quirks: NO_CHAT,
    },
    provider! {
        id: "fal_ai", name: "fal",
        docs: "https://docs.fal.ai",
        base_url: "https://fal.run", prefix: "",
        base_url_env: ["FAL_AI_API_BASE"], key_env: ["FAL_AI_API_KEY"],
        auth: Auth::Scheme(Cow::Borrowed("Key")), dialect: OpenaiChat,
        quirks: NO_CHAT,
    },
    provider! {
        id: "infinity", name: "Infinity",
        docs: "https://michaelfeil.eu/infinity",
        base_url: "", prefix: "",
        base_url_env: ["INFINITY_API_BASE"], key_env: ["INFINITY_API_KEY"],
        auth: Auth::None, dialect: OpenaiChat,
        quirks: NO_CHAT,
    },
    provider! {
        id: "jina_ai", name: "Jina AI",
        docs: "https://api.jina.ai/redoc",
        base_url: "https://api.jina.ai/v1", prefix: "",
        base_url_env: ["JINA_AI_API_BASE"], key_env: ["JINA_AI_API_KEY", "JINA_API_KEY", "JINA_AI_TOKEN"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: NO_CHAT,
    },
    provider! {
        id: "nvidia_riva", name: "NVIDIA Riva",
        docs: "https://docs.nvidia.com/deeplearning/riva/user-guide/docs/reference/protos/protos.html",
        base_url: "grpcs://grpc.nvcf.nvidia.com:443", prefix: "",
        base_url_env: ["NVIDIA_RIVA_API_BASE"], key_env: ["NVIDIA_RIVA_API_KEY", "NVIDIA_NIM_API_KEY"],
        // A server of one's own wants no key.
        auth: Auth::None, dialect: OpenaiChat,
        quirks: NO_CHAT,
    },
    provider! {
        id: "recraft", name: "Recraft",
        docs: "https://www.recraft.ai/docs",
        base_url: "https://external.api.recraft.ai", prefix: "",
        base_url_env: ["RECRAFT_API_BASE"], key_env: ["RECRAFT_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: NO_CHAT,
    },
    provider! {
        id: "runwayml", name: "Runway",
        docs: "https://docs.dev.runwayml.com",
        base_url: "https://api.dev.runwayml.com", prefix: "",
        base_url_env: ["RUNWAYML_API_BASE"], key_env: ["RUNWAYML_API_SECRET", "RUNWAYML_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: NO_CHAT,
    },
    provider! {
        id: "soniox", name: "Soniox",
        docs: "https://soniox.com/docs",
        base_url: "https://api.soniox.com", prefix: "",
        base_url_env: ["SONIOX_API_BASE"], key_env: ["SONIOX_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: NO_CHAT,
    },
    provider! {
        id: "stability", name: "Stability AI",
        docs: "https://platform.stability.ai/docs/api-reference",
        base_url: "https://api.stability.ai", prefix: "",
        base_url_env: ["STABILITY_API_BASE"], key_env: ["STABILITY_API_KEY"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: NO_CHAT,
    },
    provider! {
        id: "topaz", name: "Topaz Labs",
        docs: "https://developer.topazlabs.com",
        base_url: "https://api.topazlabs.com", prefix: "",
        base_url_env: ["TOPAZ_API_BASE"], key_env: ["TOPAZ_API_KEY"],
        auth: Auth::Header(Cow::Borrowed("x-api-key")), dialect: OpenaiChat,
        quirks: NO_CHAT,
    },
    provider! {
        id: "transcribe", name: "Amazon Transcribe",
        docs: "https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html",
        base_url: "https://transcribestreaming.{region}.amazonaws.com", prefix: "",
        base_url_env: [], key_env: [],
        auth: Auth::None, dialect: OpenaiChat,
        quirks: NO_CHAT,
        cloud: CloudSpec {
            identity: Identity::Aws(Cow::Borrowed("transcribe")),
            region: setting!("aws_region_name", ["AWS_REGION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION"], "us-east-1"),
            ..CloudSpec::NONE
        },
    },
    provider! {
        id: "voyage", name: "Voyage AI",
        docs: "https://docs.voyageai.com/reference",
        base_url: "https://api.voyageai.com/v1", prefix: "",
        base_url_env: ["VOYAGE_API_BASE"], key_env: ["VOYAGE_API_KEY", "VOYAGE_AI_API_KEY", "VOYAGE_AI_TOKEN"],
        auth: Auth::Bearer, dialect: OpenaiChat,
        quirks: NO_CHAT,
    },
];
