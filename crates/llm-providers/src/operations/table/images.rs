//! Who makes and changes pictures.

use llm_types::Operation::{ImageEdit, ImageGeneration, ImageVariation};

use super::{Entry, like};
use crate::operations::wires::chat_image::ChatImage;
use crate::operations::wires::fal::{Aiml, Fal};
use crate::operations::wires::invoke_image::InvokeImage;
use crate::operations::wires::polled::{BlackForest, Runway};
use crate::operations::wires::stable::Stability;
use crate::operations::wires::{foundry, google_image, messages_image};

/// What Google's models that draw have no word for.
const GEMINI_LACKS: &[&str] =
    &["background", "moderation", "output_compression", "output_format", "style", "user"];

pub(super) const TABLE: &[Entry] = &[
    like("aiml", ImageGeneration).by(&Aiml),
    like("azure", ImageGeneration).wrapped().without_model(),
    like("azure_ai", ImageGeneration).by(&foundry::Flux),
    like("bedrock", ImageGeneration).of(&["amazon.*", "us.amazon.*"]).by(&InvokeImage::Canvas),
    like("bedrock", ImageGeneration).of(&["stability.stable-diffusion*"]).by(&InvokeImage::Diffusion),
    like("bedrock", ImageGeneration).of(&["*stability."]).by(&InvokeImage::Stable).lacking(&["size"]),
    like("black_forest_labs", ImageGeneration).by(&BlackForest),
    like("cometapi", ImageGeneration),
    like("custom_openai", ImageGeneration),
    like("dashscope", ImageGeneration).by(&messages_image::Dashscope),
    like("edenai", ImageGeneration),
    like("fal_ai", ImageGeneration).by(&Fal),
    like("fireworks_ai", ImageGeneration),
    like("gemini", ImageGeneration).of(&["imagen*"]).by(&google_image::Imagen),
    like("gemini", ImageGeneration).by(&google_image::Gemini).lacking(GEMINI_LACKS),
    like("hosted_vllm", ImageGeneration),
    like("litellm_proxy", ImageGeneration),
    like("mock", ImageGeneration),
    like("modelscope", ImageGeneration),
    like("nscale", ImageGeneration),
    like("openai", ImageGeneration),
    like("openrouter", ImageGeneration).by(&ChatImage),
    like("qwen_ai_platform", ImageGeneration).by(&messages_image::Dashscope),
    like("qwencloud", ImageGeneration).by(&messages_image::Dashscope),
    like("recraft", ImageGeneration).at("/v1/images/generations"),
    like("runwayml", ImageGeneration).by(&Runway),
    like("stability", ImageGeneration).by(&Stability),
    like("together_ai", ImageGeneration),
    like("vertex_ai", ImageGeneration)
        .of(&["imagen*", "imagegeneration*"])
        .by(&google_image::Imagen)
        .wrapped(),
    like("vertex_ai", ImageGeneration).by(&google_image::Gemini).wrapped().lacking(GEMINI_LACKS),
    like("volcengine", ImageGeneration),
    like("xai", ImageGeneration).of(&["grok-2-image*"]).lacking(&["quality", "size", "style"]),
    like("xai", ImageGeneration),
    like("xinference", ImageGeneration),
    like("zai", ImageGeneration),
    like("azure", ImageEdit).wrapped().without_model(),
    like("azure_ai", ImageEdit).by(&foundry::Flux),
    like("bedrock", ImageEdit).of(&["amazon.*", "us.amazon.*"]).by(&InvokeImage::Canvas),
    like("bedrock", ImageEdit).by(&InvokeImage::Stable),
    like("black_forest_labs", ImageEdit).by(&BlackForest),
    like("custom_openai", ImageEdit),
    like("fal_ai", ImageEdit).by(&Fal),
    like("gemini", ImageEdit).of(&["imagen*"]).by(&google_image::Imagen),
    like("gemini", ImageEdit).by(&google_image::Gemini).lacking(GEMINI_LACKS),
    like("hosted_vllm", ImageEdit),
    like("litellm_proxy", ImageEdit),
    like("mock", ImageEdit),
    like("openai", ImageEdit),
    like("openrouter", ImageEdit).by(&ChatImage),
    like("recraft", ImageEdit).at("/v1/images/imageToImage").lacking(&["size"]),
    like("stability", ImageEdit).by(&Stability),
    like("vertex_ai", ImageEdit).of(&["imagen*"]).by(&google_image::Imagen).wrapped(),
    like("vertex_ai", ImageEdit).by(&google_image::Gemini).wrapped().lacking(GEMINI_LACKS),
    like("mock", ImageVariation),
    like("openai", ImageVariation),
    like("topaz", ImageVariation).by(&foundry::Topaz),
];
