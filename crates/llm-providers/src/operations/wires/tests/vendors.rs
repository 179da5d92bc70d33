//! Words of single vendors: one request a line, where it goes and what it says.

use llm_types::{Operation, OperationReply};
use serde_json::{Value, json};

use super::{of_json, read, sent, target, with_job};
use crate::PreparedTarget;
use crate::operations::Asked;

#[test]
fn models_of_fals_that_draw_change_pictures_one_step_further_down() {
    let part =
        |head: &str, value: &str| format!("--b\r\ncontent-disposition: form-data; {head}\r\n\r\n{value}\r\n");
    let picture = "name=\"image\"; filename=\"a.png\"\r\ncontent-type: image/png";
    let form = format!("{}{}--b--\r\n", part("name=\"prompt\"", "add a hat"), part(picture, "PNG"));
    let asked = Asked::read(Operation::ImageEdit, form.into(), "multipart/form-data; boundary=b").unwrap().0;
    let url = "data:image/png;base64,UE5H";
    for (model, path, member, value) in [
        ("fal-ai/nano-banana", "/fal-ai/nano-banana/edit", "image_urls", json!([url])),
        ("fal-ai/flux-2", "/fal-ai/flux-2/edit", "image_urls", json!([url])),
        ("fal-ai/nano-banana/edit", "/fal-ai/nano-banana/edit", "image_urls", json!([url])),
        ("fal-ai/flux-pro/kontext", "/fal-ai/flux-pro/kontext", "image_url", json!(url)),
    ] {
        let (uri, body) = sent("fal_ai", model, &asked);
        assert_eq!(uri, format!("https://fal.run{path}"));
        assert_eq!(body, json!({"prompt": "add a hat", member: value}), "{model}");
    }
}

#[test]
fn each_vendor_is_asked_in_its_own_words() {
    let picture = |size: &str| json!({"prompt": "a cat", "size": size});
    let ranks = json!({"query": "q", "documents": ["d"], "top_n": 1, "return_documents": true});
    for (operation, provider, model, asked, url, body) in [
        (
            Operation::Embeddings,
            "bedrock",
            "us.twelvelabs.marengo-embed-3-0-v1:0",
            json!({"input": "hello"}),
            "https://bedrock-runtime.us-west-2.amazonaws.com/model/us.twelvelabs.marengo-embed-3-0-v1%3A0/invoke",
            json!({"inputType": "text", "text": {"inputText": "hello"}}),
        ),
        (
            Operation::Speech,
            "vertex_ai",
            "",
            json!({"input": "Hello"}),
            "https://texttospeech.googleapis.com/v1/text:synthesize",
            json!({"input": {"text": "Hello"}, "voice": {"languageCode": "en-US", "name": "en-US-Studio-O"},
                "audioConfig": {"audioEncoding": "LINEAR16", "speakingRate": "1"}}),
        ),
        (
            Operation::Speech,
            "azure_ai",
            "tts",
            json!({"input": "Hello", "voice": "alloy"}),
            "https://own.example/openai/deployments/tts/audio/speech?api-version=2025-02-01-preview",
            json!({"input": "Hello", "voice": "alloy", "model": "tts"}),
        ),
        (
            Operation::ImageGeneration,
            "fal_ai",
            "fal-ai/flux-pro/v1.1-ultra",
            picture("1024x1024"),
            "https://fal.run/fal-ai/flux-pro/v1.1-ultra",
            json!({"prompt": "a cat", "aspect_ratio": "1:1"}),
        ),
        (
            Operation::Rerank,
            "scaleway",
            "bge",
            ranks.clone(),
            "https://api.scaleway.ai/v1/rerank",
            json!({"query": "q", "documents": ["d"], "top_n": 1, "model": "bge"}),
        ),
        (
            Operation::Rerank,
            "dashscope",
            "qwen3-rerank",
            ranks.clone(),
            "https://dashscope.aliyuncs.com/compatible-api/v1/reranks",
            json!({"query": "q", "documents": ["d"], "top_n": 1, "model": "qwen3-rerank", "return_documents": true}),
        ),
        (
            Operation::Rerank,
            "huggingface",
            "bge",
            ranks,
            "https://api-inference.huggingface.co/rerank",
            json!({"query": "q", "texts": ["d"], "raw_scores": false, "return_text": true, "truncate": false,
                "truncation_direction": "Right", "top_n": 1}),
        ),
    ] {
        let (went, said) = sent(provider, model, &of_json(operation, &asked));
        assert_eq!(went, url, "{provider}/{model}");
        assert_eq!(said, body, "{provider}/{model}");
    }
}

#[test]
fn a_server_of_ones_own_ranks_beside_its_v1() {
    let asked = of_json(Operation::Rerank, &json!({"query": "q", "documents": ["d"]}));
    with_job("huggingface", "bge", &asked, |job, _| {
        let sending = job.entry.wire.begin(job).unwrap().swap_remove(0);
        let mut own = target("huggingface", "bge");
        own.base_url = own.spec.full_base_url(Some("https://tei.example"));
        let request = PreparedTarget::new(own.into()).operation(sending).unwrap();
        assert_eq!(request.uri.to_string(), "https://tei.example/rerank");
    });
}

#[test]
fn gemini_is_told_ratio_and_resolution() {
    let told = |model: &str, size: &str| {
        let asked = of_json(Operation::ImageGeneration, &json!({"prompt": "a cat", "size": size}));
        sent("gemini", model, &asked).1["generationConfig"]["imageConfig"].clone()
    };
    let newest = "gemini-3-pro-image-preview";
    for (size, ratio, resolution) in [
        ("1024x1024", "1:1", "1K"),
        ("512x512", "1:1", "512"),
        ("1280x896", "4:3", "1K"),
        ("848x1264", "2:3", "1K"),
        ("5504x3072", "16:9", "4K"),
        ("3168x1344", "21:9", "2K"),
        ("600x610", "1:1", "512"),
    ] {
        assert_eq!(told(newest, size), json!({"aspectRatio": ratio, "imageSize": resolution}), "{size}");
    }
    assert_eq!(told("gemini-2.5-flash-image", "1024x1024"), json!({"aspectRatio": "1:1"}));
    assert_eq!(told(newest, "auto"), Value::Null);
}

#[test]
fn mistrals_speech_comes_out_of_its_base64() {
    let asked =
        of_json(Operation::Speech, &json!({"input": "Hello", "voice": "own", "response_format": "wav"}));
    let OperationReply::Audio { mime, bytes, .. } =
        read("mistral", "voxtral-tts", &asked, &json!({"audio_data": "AP8="}))
    else {
        panic!("no audio")
    };
    assert_eq!((&*mime, &*bytes), ("audio/wav", &[0, 255][..]));
    assert_eq!(sent("mistral", "voxtral-tts", &asked).1["voice_id"], "own");
}
