//! Who makes vectors. LiteLLM's table of endpoints; what each vendor lacks as LiteLLM refuses it.

use llm_types::Operation::Embeddings;

use super::{Entry, like};
use crate::operations::wires::invoke::Invoke;
use crate::operations::wires::openai::SignedBytes;
use crate::operations::wires::{cohere, google, texts, voyage};

const USER: &[&str] = &["user"];
const ALL: &[&str] = &["dimensions", "encoding_format", "user"];

pub(super) const TABLE: &[Entry] = &[
    like("aihubmix", Embeddings),
    like("aiml", Embeddings),
    like("apertis", Embeddings),
    like("azure", Embeddings).wrapped(),
    like("azure_ai", Embeddings).at("/models/embeddings"),
    like("bedrock", Embeddings)
        .of(&["cohere.*", "us.cohere.*", "eu.cohere.*", "global.cohere.*"])
        .by(&cohere::Invoke)
        .lacking(USER),
    like("bedrock", Embeddings)
        .of(&["amazon.titan-embed-text-v1*"])
        .by(&Invoke::TitanOne)
        .lacking(&["dimensions", "user"]),
    like("bedrock", Embeddings).of(&["amazon.titan-embed-image*"]).by(&Invoke::TitanImage).lacking(USER),
    like("bedrock", Embeddings)
        .of(&["amazon.titan-embed*", "amazon.titan-e*"])
        .by(&Invoke::TitanTwo)
        .lacking(USER),
    like("bedrock", Embeddings).of(&["amazon.nova*"]).by(&Invoke::Nova).lacking(USER),
    like("bedrock", Embeddings)
        .of(&["twelvelabs.marengo-embed-3*", "*.twelvelabs.marengo-embed-3"])
        .by(&Invoke::MarengoThree)
        .lacking(USER),
    like("bedrock", Embeddings)
        .of(&["twelvelabs.*", "us.twelvelabs.*", "eu.twelvelabs.*", "apac.twelvelabs.*"])
        .by(&Invoke::Marengo)
        .lacking(USER),
    like("chutes", Embeddings),
    like("cohere", Embeddings).by(&cohere::Embed).lacking(USER),
    like("cohere_chat", Embeddings).by(&cohere::Embed).lacking(USER),
    like("cometapi", Embeddings),
    like("custom_openai", Embeddings),
    like("dashscope", Embeddings),
    like("databricks", Embeddings).lacking(ALL),
    like("edenai", Embeddings),
    like("fireworks_ai", Embeddings).lacking(&["encoding_format", "user"]),
    like("gemini", Embeddings).by(&google::Gemini).lacking(USER),
    like("gigachat", Embeddings).lacking(USER),
    like("github_copilot", Embeddings),
    like("hosted_vllm", Embeddings),
    like("huggingface", Embeddings).by(&texts::Features).lacking(ALL),
    like("infinity", Embeddings).lacking(USER),
    like("jina_ai", Embeddings).lacking(USER),
    like("litellm_proxy", Embeddings),
    like("llamafile", Embeddings),
    like("lm_studio", Embeddings).lacking(ALL),
    like("mistral", Embeddings)
        .of(&["codestral*"])
        .lacking(USER)
        .renaming(&[("dimensions", "output_dimension")]),
    like("mistral", Embeddings).lacking(&["dimensions", "user"]),
    like("mock", Embeddings),
    like("nano-gpt", Embeddings),
    like("nebius", Embeddings),
    like("nvidia_nim", Embeddings),
    like("oci", Embeddings).by(&cohere::Oracle).lacking(ALL),
    like("ollama", Embeddings).by(&texts::Ollama).lacking(&["encoding_format", "user"]),
    like("ollama_chat", Embeddings).by(&texts::Ollama).lacking(&["encoding_format", "user"]),
    like("openai", Embeddings),
    like("openai_like", Embeddings),
    like("openrouter", Embeddings),
    like("ovhcloud", Embeddings).lacking(ALL),
    like("perplexity", Embeddings)
        .by(&SignedBytes)
        .at("/v1/embeddings")
        .lacking(&["encoding_format", "user"]),
    like("poe", Embeddings),
    like("qwen_ai_platform", Embeddings),
    like("qwencloud", Embeddings),
    like("sagemaker", Embeddings).by(&texts::Endpoint).lacking(ALL),
    like("sambanova", Embeddings).lacking(ALL),
    like("sap", Embeddings).by(&texts::Sap).lacking(&["encoding_format", "user"]),
    like("snowflake", Embeddings).by(&texts::Snowflake).lacking(ALL),
    like("synthetic", Embeddings),
    like("together_ai", Embeddings),
    like("triton", Embeddings).by(&texts::Triton).lacking(ALL),
    like("vercel_ai_gateway", Embeddings),
    like("vertex_ai", Embeddings).of(&["multimodalembedding*"]).by(&google::Multimodal).lacking(USER),
    like("vertex_ai", Embeddings).by(&google::Predict).lacking(USER),
    like("vllm", Embeddings),
    like("volcengine", Embeddings).lacking(&["dimensions"]),
    like("voyage", Embeddings).of(&["voyage-context*"]).by(&voyage::Contextual).lacking(USER),
    like("voyage", Embeddings).of(&["voyage-multimodal*"]).by(&voyage::Multimodal).lacking(USER),
    like("voyage", Embeddings)
        .lacking(&["encoding_format", "user"])
        .renaming(&[("dimensions", "output_dimension")]),
    like("wandb", Embeddings),
    like("watsonx", Embeddings).by(&texts::Watsonx).lacking(ALL),
    like("xinference", Embeddings),
];
