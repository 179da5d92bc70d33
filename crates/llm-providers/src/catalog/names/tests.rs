//! Names to try, and whose model a record is.

use super::*;

fn names(query: ModelQuery<'_>) -> Vec<String> {
    query.candidates().into_iter().map(|(name, _)| name).collect()
}

#[test]
fn the_order_of_names() {
    assert_eq!(names(ModelQuery::new("openai", "gpt-4o")), ["openai/gpt-4o", "gpt-4o"]);
    assert_eq!(
        names(ModelQuery::new("vertex_ai", "meta/llama-001").with_region(Some("us-central1"))),
        [
            "vertex_ai/us-central1/meta/llama-001",
            "vertex_ai/us-central1/meta/llama",
            "vertex_ai/meta/llama-001",
            "meta/llama-001",
            "vertex_ai/meta/llama",
            "meta/llama",
            "vertex_ai/llama-001",
            "llama-001",
            "vertex_ai/llama",
            "llama",
        ]
    );
}

#[test]
fn versions_and_regions_are_taken_off() {
    for (provider, model, expected) in [
        ("bedrock", "us.anthropic.claude-x-v1:0", "anthropic.claude-x-v1:0"),
        ("bedrock", "anthropic.claude-x-v1:0:51k", "anthropic.claude-x-v1:0"),
        ("bedrock", "anthropic.claude-v2:1", "anthropic.claude-v2:1"),
        ("bedrock", "meta.llama3", "meta.llama3"),
        ("vertex_ai", "claude-x@20250101", "claude-x"),
        ("gemini", "gemini-2.0-flash-001", "gemini-2.0-flash"),
        ("gemini", "gemini-pro-latest", "gemini-pro-latest"),
        ("openai", "ft:gpt-4o:org::id", "ft:gpt-4o"),
        ("openai", "gpt-4o-2024", "gpt-4o-2024"),
    ] {
        assert_eq!(strip(provider, model), expected, "{provider} {model}");
    }
}

#[test]
fn families_belong_to_their_vendor_and_neighbours_do_not() {
    for (provider, record, same) in [
        ("openai", "openai", true),
        ("vertex_ai", "vertex_ai-anthropic_models", true),
        ("fireworks_ai", "fireworks_ai-embedding-models", true),
        ("bedrock", "bedrock_converse", true),
        ("bedrock", "bedrock_mantle", false),
        ("azure", "azure_ai", false),
        ("azure", "azure_text", true),
        ("sagemaker_chat", "sagemaker", true),
        ("watsonx_text", "watsonx", true),
        ("meta", "meta_llama", false),
        ("groq", "openai", false),
    ] {
        assert_eq!(same_vendor(provider, record), same, "{provider} {record}");
    }
}

#[test]
fn images_are_named_by_quality_and_size() {
    let image = Image { size: "1024x1536", quality: Some("high") };
    assert_eq!(
        names(ModelQuery::new("azure", "gpt-image-1").with_image(Some(image)))[..4],
        [
            "azure/high/1024-x-1536/gpt-image-1",
            "high/1024-x-1536/gpt-image-1",
            "azure/1024-x-1536/high/gpt-image-1",
            "1024-x-1536/high/gpt-image-1",
        ]
    );
}
