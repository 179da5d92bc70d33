//! Who speaks, and who writes down.

use llm_types::Operation::{Speech, Transcription, Translation};

use super::{Entry, like};
use crate::operations::wires::google_audio::{GeminiSpeech, Interactions, Recognize, Synthesize};
use crate::operations::wires::polled::Runway;
use crate::operations::wires::ssml::AzureSpeech;
use crate::operations::wires::{aws_transcribe, foundry, riva, speak, transcribe, voice};

pub(super) const TABLE: &[Entry] = &[
    like("aws_polly", Speech).by(&speak::Polly).lacking(&["instructions", "speed"]),
    like("azure", Speech).of(&["speech/*"]).by(&AzureSpeech).lacking(&["instructions"]),
    like("azure", Speech).wrapped(),
    like("azure_ai", Speech).by(&foundry::Deployed),
    like("azure_speech", Speech).by(&AzureSpeech).lacking(&["instructions"]),
    like("custom_openai", Speech),
    like("edenai", Speech),
    like("elevenlabs", Speech).by(&speak::Eleven).lacking(&["instructions"]),
    like("gemini", Speech).by(&GeminiSpeech).lacking(&["speed"]),
    like("groq", Speech),
    like("hosted_vllm", Speech),
    like("litellm_proxy", Speech),
    like("minimax", Speech).by(&speak::Minimax).lacking(&["instructions"]),
    like("mistral", Speech).by(&speak::Mistral).lacking(&["instructions", "speed"]),
    like("mock", Speech),
    like("openai", Speech),
    like("runwayml", Speech).by(&Runway).lacking(&["instructions", "speed"]),
    like("together_ai", Speech),
    like("vertex_ai", Speech).of(&["gemini*"]).by(&GeminiSpeech).wrapped().lacking(&["speed"]),
    like("vertex_ai", Speech).by(&Synthesize).lacking(&["instructions"]).nameless(),
    like("xai", Speech).by(&speak::Xai).lacking(&["instructions", "stream_format"]),
    like("assemblyai", Transcription).by(&voice::Assembly).lacking(&["prompt", "temperature"]),
    like("azure", Transcription).wrapped(),
    like("azure_ai", Transcription).by(&foundry::Deployed),
    like("azure_speech", Transcription).by(&voice::FastSpeech).lacking(&["prompt", "temperature"]),
    like("bedrock", Transcription).by(&voice::Voxtral),
    like("custom_openai", Transcription),
    like("deepgram", Transcription).by(&transcribe::Deepgram),
    like("edenai", Transcription),
    like("elevenlabs", Transcription).by(&transcribe::Eleven).lacking(&["prompt"]),
    like("fireworks_ai", Transcription),
    like("gemini", Transcription).by(&Interactions).lacking(&[
        "language",
        "temperature",
        "timestamp_granularities",
    ]),
    like("groq", Transcription),
    like("hosted_vllm", Transcription),
    like("litellm_proxy", Transcription),
    like("mistral", Transcription),
    like("mock", Transcription),
    like("nvidia_nim", Transcription),
    like("nvidia_riva", Transcription).by(&riva::Recognize).lacking(&["prompt", "temperature"]),
    like("openai", Transcription),
    like("ovhcloud", Transcription),
    like("scaleway", Transcription),
    like("soniox", Transcription).by(&transcribe::Soniox).lacking(&["temperature"]),
    like("together_ai", Transcription),
    like("transcribe", Transcription)
        .by(&aws_transcribe::Stream)
        .lacking(&["prompt", "temperature"])
        .nameless(),
    like("vertex_ai", Transcription).by(&Recognize).lacking(&["prompt", "temperature"]),
    like("watsonx", Transcription).by(&foundry::WatsonxForm),
    like("xai", Transcription).at("/v1/stt"),
    like("azure", Translation).wrapped(),
    like("custom_openai", Translation),
    like("groq", Translation),
    like("hosted_vllm", Translation),
    like("litellm_proxy", Translation),
    like("mock", Translation),
    like("openai", Translation),
    like("together_ai", Translation),
];
