//! Who judges texts, and who puts them in order.

use llm_types::Operation::{Moderation, Rerank};

use super::{Entry, like};
use crate::operations::wires::rank;

pub(super) const TABLE: &[Entry] = &[
    like("azure", Moderation).bearer(),
    like("azure_ai", Moderation),
    like("custom_openai", Moderation),
    like("litellm_proxy", Moderation),
    like("mistral", Moderation),
    like("mock", Moderation),
    like("openai", Moderation),
    like("azure_ai", Rerank).at("/v1/rerank"),
    like("bedrock", Rerank).by(&rank::Bedrock).lacking(&["max_chunks_per_doc", "rank_fields"]),
    like("cohere", Rerank).at("/v2/rerank"),
    like("cohere_chat", Rerank).at("/v2/rerank"),
    like("dashscope", Rerank).by(&rank::Dashscope),
    like("deepinfra", Rerank).by(&rank::Deepinfra),
    like("fireworks_ai", Rerank).prefixed("fireworks/"),
    like("hosted_vllm", Rerank),
    like("huggingface", Rerank).by(&rank::Inference).lacking(&["max_chunks_per_doc", "rank_fields"]),
    like("infinity", Rerank),
    like("jina_ai", Rerank).at("/v1/rerank"),
    like("litellm_proxy", Rerank).at("/v1/rerank"),
    like("mock", Rerank),
    like("nvidia_nim", Rerank).by(&rank::Nvidia).lacking(&["max_chunks_per_doc", "rank_fields"]),
    like("qwen_ai_platform", Rerank).by(&rank::Dashscope),
    like("qwencloud", Rerank).by(&rank::Dashscope),
    like("scaleway", Rerank).lacking(&["return_documents"]),
    like("together_ai", Rerank),
    like("vertex_ai", Rerank).by(&rank::Google).lacking(&["max_chunks_per_doc", "rank_fields"]),
    like("vllm", Rerank),
    like("voyage", Rerank).at("/v1/rerank").renaming(&[("top_n", "top_k")]),
    like("watsonx", Rerank).by(&rank::Watsonx).lacking(&["rank_fields"]),
];
