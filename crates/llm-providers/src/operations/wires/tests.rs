//! What each wire writes, and what it reads: one line a vendor. The facts are LiteLLM's requests on the wire
//! and the vendors' references.

mod recorded;
mod vendors;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use llm_types::{Operation, OperationReply};
use serde_json::{Value, json};

use crate::operations::{Asked, Job, Received, Sending, Step, entry, settle};
use crate::{Cloud, PreparedTarget, Registry, Target};

fn target(provider: &str, model: &str) -> Target {
    let spec = Registry::built_in().provider(provider).unwrap_or_else(|| panic!("no {provider}")).clone();
    let mut target = Target::bare(spec, model);
    if target.base_url.is_empty() {
        target.base_url = "https://own.example".to_owned();
    }
    target.key = Some(llm_types::Secret::new("k".to_owned()));
    if !target.spec.cloud.project.param.is_empty() {
        target.cloud = Some(Cloud { project: Some("proj-1".to_owned()), ..Cloud::default() });
    }
    target.routed()
}

pub(in crate::operations::wires) fn with_job<T>(
    provider: &str,
    model: &str,
    asked: &Asked,
    then: impl FnOnce(&Job<'_>, &Target) -> T,
) -> T {
    let target = target(provider, model);
    let entry =
        entry(&target.spec, asked.operation, &target.model).unwrap_or_else(|| panic!("no entry: {model}"));
    let request = settle(asked, &target, entry, None).unwrap();
    then(&Job { asked, request: &request, target: &target, entry, set: None }, &target)
}

fn of_json(operation: Operation, body: &Value) -> Asked {
    Asked::read(operation, Bytes::from(body.to_string()), "application/json").unwrap().0
}

fn sent(provider: &str, model: &str, asked: &Asked) -> (String, Value) {
    with_job(provider, model, asked, |job, target| {
        let sending: Sending = job.entry.wire.begin(job).unwrap().swap_remove(0);
        let body = serde_json::from_slice(&sending.body).unwrap_or(Value::Null);
        let request = PreparedTarget::new(std::sync::Arc::new(target.clone())).operation(sending).unwrap();
        assert_eq!(request.method, Method::POST);
        (request.uri.to_string(), body)
    })
}

fn read(provider: &str, model: &str, asked: &Asked, reply: &Value) -> OperationReply {
    with_job(provider, model, asked, |job, _| {
        let received = Received { headers: HeaderMap::new(), body: Bytes::from(reply.to_string()) };
        match job.entry.wire.read(job, &[vec![received]]).unwrap() {
            Step::Done(reply) => *reply,
            other => panic!("{other:?}"),
        }
    })
}

#[test]
fn embeddings_are_asked_in_each_vendors_words() {
    let asked =
        of_json(Operation::Embeddings, &json!({"model": "x", "input": ["hello", "world"], "dimensions": 8}));
    let texts = json!(["hello", "world"]);
    for (provider, model, url, body) in [
        (
            "openai",
            "e",
            "https://api.openai.com/v1/embeddings",
            json!({"model": "e", "input": texts, "dimensions": 8}),
        ),
        (
            "cohere",
            "e",
            "https://api.cohere.com/v2/embed",
            json!({"model": "e", "texts": texts, "input_type": "search_document", "output_dimension": 8}),
        ),
        (
            "gemini",
            "e",
            "https://generativelanguage.googleapis.com/v1beta/models/e:batchEmbedContents",
            json!({"requests": [
                {"model": "models/e", "content": {"parts": [{"text": "hello"}]}, "outputDimensionality": 8},
                {"model": "models/e", "content": {"parts": [{"text": "world"}]}, "outputDimensionality": 8},
            ]}),
        ),
        (
            "vertex_ai",
            "text-embedding-005",
            "https://us-central1-aiplatform.googleapis.com/v1/projects/proj-1/locations/us-central1/publishers/google/models/text-embedding-005:predict",
            json!({"instances": [{"content": "hello"}, {"content": "world"}], "parameters": {"outputDimensionality": 8}}),
        ),
        (
            "vertex_ai",
            "multimodalembedding@001",
            "https://us-central1-aiplatform.googleapis.com/v1/projects/proj-1/locations/us-central1/publishers/google/models/multimodalembedding@001:predict",
            json!({"instances": [{"text": "hello"}, {"text": "world"}], "parameters": {"dimension": 8}}),
        ),
        (
            "bedrock",
            "amazon.titan-embed-text-v2:0",
            "https://bedrock-runtime.us-west-2.amazonaws.com/model/amazon.titan-embed-text-v2%3A0/invoke",
            json!({"inputText": "hello", "dimensions": 8}),
        ),
        (
            "bedrock",
            "amazon.nova-2-multimodal-embeddings-v1:0",
            "https://bedrock-runtime.us-west-2.amazonaws.com/model/amazon.nova-2-multimodal-embeddings-v1%3A0/invoke",
            json!({"schemaVersion": "nova-multimodal-embed-v1", "taskType": "SINGLE_EMBEDDING",
                "singleEmbeddingParams": {"embeddingPurpose": "GENERIC_INDEX", "embeddingDimension": 8,
                    "text": {"value": "hello", "truncationMode": "END"}}}),
        ),
    ] {
        assert_eq!(sent(provider, model, &asked), (url.to_owned(), body), "{provider}/{model}");
    }
}

#[test]
fn embeddings_of_servers_and_of_voyage_are_asked_in_their_words() {
    let asked =
        of_json(Operation::Embeddings, &json!({"model": "x", "input": ["hello", "world"], "dimensions": 8}));
    let texts = json!(["hello", "world"]);
    for (provider, model, url, body) in [
        (
            "ollama",
            "e",
            "http://localhost:11434/api/embed",
            json!({"model": "e", "input": texts, "dimensions": 8}),
        ),
        (
            "voyage",
            "voyage-3.5",
            "https://api.voyageai.com/v1/embeddings",
            json!({"model": "voyage-3.5", "input": texts, "output_dimension": 8}),
        ),
        (
            "voyage",
            "voyage-context-3",
            "https://api.voyageai.com/v1/contextualizedembeddings",
            json!({"model": "voyage-context-3", "output_dimension": 8, "inputs": texts,
                "enable_auto_chunking": true, "chunk_size": 32000, "input_type": "document"}),
        ),
        (
            "voyage",
            "voyage-multimodal-3",
            "https://api.voyageai.com/v1/multimodalembeddings",
            json!({"model": "voyage-multimodal-3", "output_dimension": 8, "inputs": [
                {"content": [{"type": "text", "text": "hello"}]}, {"content": [{"type": "text", "text": "world"}]}]}),
        ),
    ] {
        assert_eq!(sent(provider, model, &asked), (url.to_owned(), body), "{provider}/{model}");
    }
}

#[test]
fn vectors_are_found_wherever_they_stand() {
    let asked = of_json(Operation::Embeddings, &json!({"input": "a"}));
    for (provider, model, reply, tokens) in [
        (
            "cohere",
            "e",
            json!({"embeddings": {"float": [[1.5, 2.0]]}, "meta": {"billed_units": {"input_tokens": 4}}}),
            Some(4),
        ),
        ("gemini", "e", json!({"embeddings": [{"values": [1.5, 2.0]}]}), None),
        (
            "vertex_ai",
            "e",
            json!({"predictions": [{"embeddings": {"values": [1.5, 2.0], "statistics": {"token_count": 4}}}]}),
            Some(4),
        ),
        (
            "vertex_ai",
            "multimodalembedding@001",
            json!({"predictions": [{"textEmbedding": [1.5, 2.0]}]}),
            None,
        ),
        (
            "bedrock",
            "amazon.titan-embed-text-v1",
            json!({"embedding": [1.5, 2.0], "inputTextTokenCount": 4}),
            Some(4),
        ),
        ("ollama", "e", json!({"embeddings": [[1.5, 2.0]], "prompt_eval_count": 4}), Some(4)),
        (
            "voyage",
            "voyage-context-3",
            json!({"data": [{"data": [{"embedding": [1.5, 2.0]}]}], "usage": {"total_tokens": 4}}),
            Some(4),
        ),
        ("huggingface", "e", json!([[1.5, 2.0]]), None),
    ] {
        let OperationReply::Embeddings(found) = read(provider, model, &asked, &reply) else {
            panic!("{provider}")
        };
        assert_eq!(found.vectors, [llm_types::Vector::Numbers(vec![1.5, 2.0])], "{provider}");
        assert_eq!(found.usage.map(|usage| usage.input_tokens), tokens, "{provider}");
    }
    let signed = json!({"data": [{"index": 0, "embedding": "f4E="}], "usage": {"prompt_tokens": 1}});
    let OperationReply::Embeddings(found) = read("perplexity", "e", &asked, &signed) else { panic!() };
    assert_eq!(found.vectors, [llm_types::Vector::Numbers(vec![1.0, -1.0])]);
}

#[test]
fn one_text_a_call_asks_for_the_rest_when_the_first_is_there() {
    let asked = of_json(Operation::Embeddings, &json!({"input": ["a", "b", "c"]}));
    with_job("bedrock", "amazon.titan-embed-text-v1", &asked, |job, _| {
        assert_eq!(job.entry.wire.begin(job).unwrap().len(), 1);
        let reply = |at: f64| Received {
            headers: HeaderMap::new(),
            body: json!({"embedding": [at], "inputTextTokenCount": 2}).to_string().into(),
        };
        let Step::Ask(_, rest) = job.entry.wire.read(job, &[vec![reply(1.0)]]).unwrap() else { panic!() };
        assert_eq!(rest.len(), 2);
        let rounds = [vec![reply(1.0)], vec![reply(2.0), reply(3.0)]];
        let Step::Done(done) = job.entry.wire.read(job, &rounds).unwrap() else { panic!() };
        let OperationReply::Embeddings(found) = *done else { panic!() };
        assert_eq!((found.vectors.len(), found.usage.unwrap().input_tokens), (3, 6));
    });
}

#[test]
fn ranks_are_asked_and_read_in_each_vendors_words() {
    let asked = of_json(
        Operation::Rerank,
        &json!({"query": "q", "documents": ["d1", {"text": "d2"}], "top_n": 1, "return_documents": true}),
    );
    let ranked = |list: Value| json!({ "results": list });
    for (provider, model, url, reply) in [
        (
            "nvidia_nim",
            "nvidia/r-3_2",
            "https://ai.api.nvidia.com/v1/retrieval/nvidia/r-3_2/reranking",
            json!({"rankings": [{"index": 1, "logit": 2.5}]}),
        ),
        ("deepinfra", "Q/R", "https://api.deepinfra.com/v1/inference/Q/R", json!({"scores": [0.5, 2.5]})),
        (
            "vertex_ai",
            "semantic-ranker",
            "https://discoveryengine.googleapis.com/v1/projects/proj-1/locations/global/rankingConfigs/default_ranking_config:rank",
            json!({"records": [{"id": "1", "score": 2.5}]}),
        ),
        (
            "bedrock",
            "cohere.rerank-v3-5:0",
            "https://bedrock-agent-runtime.us-west-2.amazonaws.com/rerank",
            ranked(json!([{"index": 1, "relevanceScore": 2.5}])),
        ),
        (
            "voyage",
            "rerank-2.5",
            "https://api.voyageai.com/v1/rerank",
            json!({"data": [{"index": 1, "relevance_score": 2.5}]}),
        ),
        (
            "dashscope",
            "gte",
            "https://dashscope.aliyuncs.com/compatible-api/v1/reranks",
            json!({"output": {"results": [{"index": 1, "relevance_score": 2.5}]}}),
        ),
    ] {
        let (found, _) = sent(provider, model, &asked);
        assert_eq!(found, url, "{provider}");
        let OperationReply::Ranking(found) = read(provider, model, &asked, &reply) else {
            panic!("{provider}")
        };
        let [best] = &*found.results else { panic!("{provider}: {found:?}") };
        assert_eq!(
            (best.index, best.score, &best.document),
            (1, 2.5, &Some(json!({"text": "d2"}))),
            "{provider}"
        );
    }
}

#[test]
fn pictures_are_asked_in_each_vendors_words() {
    let asked = of_json(
        Operation::ImageGeneration,
        &json!({"model": "x", "prompt": "cat", "n": 1, "size": "1024x1024"}),
    );
    for (provider, model, url, body) in [
        (
            "azure",
            "d",
            "https://own.example/openai/deployments/d/images/generations?api-version=2025-02-01-preview",
            json!({"prompt": "cat", "n": 1, "size": "1024x1024"}),
        ),
        (
            "fal_ai",
            "fal-ai/flux-pro/v1.1",
            "https://fal.run/fal-ai/flux-pro/v1.1",
            json!({"prompt": "cat", "num_images": 1, "image_size": "square_hd"}),
        ),
        (
            "fal_ai",
            "bria/text-to-image/3.2",
            "https://fal.run/bria/text-to-image/3.2",
            json!({"prompt": "cat", "aspect_ratio": "1:1"}),
        ),
        (
            "gemini",
            "imagen-4.0",
            "https://generativelanguage.googleapis.com/v1beta/models/imagen-4.0:predict",
            json!({"instances": [{"prompt": "cat"}], "parameters": {"sampleCount": 1, "aspectRatio": "1:1", "imageSize": "1K"}}),
        ),
        (
            "bedrock",
            "amazon.nova-canvas-v1:0",
            "https://bedrock-runtime.us-west-2.amazonaws.com/model/amazon.nova-canvas-v1%3A0/invoke",
            json!({"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "cat"},
                "imageGenerationConfig": {"width": 1024, "height": 1024, "numberOfImages": 1}}),
        ),
        (
            "openrouter",
            "google/g",
            "https://openrouter.ai/api/v1/chat/completions",
            json!({"model": "google/g", "messages": [{"role": "user", "content": "cat"}], "n": 1,
                "image_config": {"aspect_ratio": "1:1"}}),
        ),
        (
            "dashscope",
            "qwen-image",
            "https://dashscope.aliyuncs.com/api/v1/services/aigc/multimodal-generation/generation",
            json!({"model": "qwen-image", "input": {"messages": [{"role": "user", "content": [{"text": "cat"}]}]},
                "parameters": {"n": 1, "size": "1024*1024"}}),
        ),
        (
            "runwayml",
            "gen4_image",
            "https://api.dev.runwayml.com/v1/text_to_image",
            json!({"model": "gen4_image", "promptText": "cat", "ratio": "1024:1024"}),
        ),
        (
            "black_forest_labs",
            "flux-pro-1.1",
            "https://api.bfl.ai/v1/flux-pro-1.1",
            json!({"prompt": "cat", "width": 1024, "height": 1024, "output_format": "png"}),
        ),
    ] {
        assert_eq!(sent(provider, model, &asked), (url.to_owned(), body), "{provider}/{model}");
    }
}

#[test]
fn tasks_are_looked_after_until_they_are_done() {
    let asked = of_json(Operation::ImageGeneration, &json!({"prompt": "cat"}));
    with_job("black_forest_labs", "flux-pro-1.1", &asked, |job, target| {
        let reply =
            |value: Value| vec![Received { headers: HeaderMap::new(), body: value.to_string().into() }];
        let first = reply(json!({"id": "1", "polling_url": "https://api.eu.bfl.ai/v1/get_result?id=1"}));
        let Step::Ask(pause, mut look) = job.entry.wire.read(job, std::slice::from_ref(&first)).unwrap()
        else {
            panic!()
        };
        assert!(!pause.is_zero());
        let prepared = PreparedTarget::new(std::sync::Arc::new(target.clone()));
        let request = prepared.operation(look.remove(0)).unwrap();
        assert_eq!(request.headers["x-key"], "k");
        let ready = reply(json!({"status": "Ready", "result": {"sample": "https://cdn.example/x.png"}}));
        let Step::Done(done) = job.entry.wire.read(job, &[first, ready]).unwrap() else { panic!() };
        let OperationReply::Pictures(drawn) = *done else { panic!() };
        assert_eq!(drawn.pictures[0].url.as_deref(), Some("https://cdn.example/x.png"));

        // A key goes to no host but the vendor's.
        for link in [
            "https://evil.example/x",
            "http://api.bfl.ai/x",
            "https://api.bfl.ai.evil.example/x",
            "https://api.bfl.ai:8443/x",
        ] {
            let look = Sending::get(crate::operations::Place::Link(link.to_owned()));
            assert!(prepared.operation(look).is_err(), "{link}");
        }
    });
}

#[test]
fn speech_is_asked_in_each_vendors_words() {
    let asked = of_json(Operation::Speech, &json!({"model": "x", "input": "Hello", "voice": "alloy"}));
    for (provider, model, url, body) in [
        (
            "elevenlabs",
            "eleven_v3",
            "https://api.elevenlabs.io/v1/text-to-speech/21m00Tcm4TlvDq8ikWAM",
            json!({"text": "Hello", "model_id": "eleven_v3"}),
        ),
        (
            "aws_polly",
            "neural",
            "https://polly.us-east-1.amazonaws.com/v1/speech",
            json!({"Engine": "neural", "OutputFormat": "mp3", "Text": "Hello", "VoiceId": "Joanna", "TextType": "text"}),
        ),
        (
            "vertex_ai",
            "chirp",
            "https://texttospeech.googleapis.com/v1/text:synthesize",
            json!({"input": {"text": "Hello"}, "voice": {"languageCode": "en-US", "name": "en-US-Studio-O"},
                "audioConfig": {"audioEncoding": "LINEAR16", "speakingRate": "1"}}),
        ),
        (
            "mistral",
            "voxtral-tts",
            "https://api.mistral.ai/v1/audio/speech",
            json!({"model": "voxtral-tts", "input": "Hello", "voice_id": "en_paul_neutral"}),
        ),
        (
            "xai",
            "grok-tts",
            "https://api.x.ai/v1/tts",
            json!({"text": "Hello", "voice_id": "alloy", "language": "auto"}),
        ),
    ] {
        assert_eq!(sent(provider, model, &asked), (url.to_owned(), body), "{provider}/{model}");
    }
    let reply = json!({"data": {"audio": "00ff"}, "base_resp": {"status_code": 0}});
    let OperationReply::Audio { mime, bytes, .. } = read("minimax", "speech", &asked, &reply) else {
        panic!()
    };
    assert_eq!((&*mime, &*bytes), ("audio/mpeg", &[0, 255][..]));
}

#[test]
fn xai_is_told_the_codec_and_refuses_what_it_has_none_for() {
    let asked = |format: &str| {
        let body = json!({"input": "Hi", "voice": "eve", "response_format": format, "language": "de", "speed": 1.2,
            "output_format": {"sample_rate": 8000}});
        of_json(Operation::Speech, &body)
    };
    let wanted = json!({"text": "Hi", "voice_id": "eve", "language": "de", "speed": 1.2,
        "output_format": {"sample_rate": 8000, "codec": "mulaw"}});
    assert_eq!(sent("xai", "grok-tts", &asked("mulaw")).1, wanted);
    with_job("xai", "grok-tts", &asked("opus"), |job, _| {
        assert_eq!(job.entry.wire.begin(job).unwrap_err().param(), Some("response_format"));
    });
}

#[test]
fn markup_cannot_be_broken_out_of() {
    let asked = of_json(
        Operation::Speech,
        &json!({"input": "a<break/>&'", "voice": "x'><audio src='http://evil'/>", "speed": 1.2}),
    );
    with_job("azure", "speech/azure-tts", &asked, |job, _| {
        let sending = job.entry.wire.begin(job).unwrap().remove(0);
        let text = String::from_utf8(sending.body.to_vec()).unwrap();
        assert!(text.contains("a&lt;break/&gt;&amp;&apos;") && !text.contains("<audio"), "{text}");
        assert_eq!(sending.headers["content-type"], HeaderValue::from_static("application/ssml+xml"));
    });
}

#[test]
fn transcripts_are_read_in_each_vendors_words() {
    let form = "--b\r\nContent-Disposition: form-data; name=\"language\"\r\n\r\nen\r\n\
        --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav\r\n\r\n\
        bytes\r\n--b--\r\n";
    let kind = "multipart/form-data; boundary=b";
    let (asked, _) = Asked::read(Operation::Transcription, form.into(), kind).unwrap();
    let (url, _) = sent("deepgram", "nova-3", &asked);
    assert_eq!(url, "https://api.deepgram.com/v1/listen?model=nova-3&language=en");
    for (provider, model, reply, ms) in [
        (
            "deepgram",
            "nova-3",
            json!({"metadata": {"duration": 1.5}, "results": {"channels": [{"alternatives": [{"transcript": "hi"}]}]}}),
            Some(1_500),
        ),
        (
            "elevenlabs",
            "scribe_v1",
            json!({"text": "hi", "words": [{"type": "word", "text": "hi", "start": 0, "end": 1.5}]}),
            Some(1_500),
        ),
        (
            "vertex_ai",
            "chirp_2",
            json!({"results": [{"alternatives": [{"transcript": "hi"}]}], "metadata": {"totalBilledDuration": "2s"}}),
            Some(2_000),
        ),
    ] {
        let OperationReply::Transcript(heard) = read(provider, model, &asked, &reply) else {
            panic!("{provider}")
        };
        assert_eq!((&*heard.text, heard.duration_ms), ("hi", ms), "{provider}");
    }
}

#[test]
fn a_left_file_is_written_down_fetched_and_taken_away() {
    let form =
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nbytes\r\n--b--\r\n";
    let (asked, _) =
        Asked::read(Operation::Transcription, form.into(), "multipart/form-data; boundary=b").unwrap();
    with_job("soniox", "stt-async-v4", &asked, |job, _| {
        let reply = |value: Value| Received { headers: HeaderMap::new(), body: value.to_string().into() };
        let mut rounds = vec![vec![reply(json!({"id": "f-1"}))]];
        let mut asked = Vec::new();
        for answer in [
            json!({"id": "t-1", "status": "queued"}),
            json!({"id": "t-1", "status": "processing"}),
            json!({"id": "t-1", "status": "completed"}),
            json!({"text": "hi", "tokens": [{"text": "hi", "start_ms": 0, "end_ms": 700}]}),
        ] {
            let Step::Ask(_, next) = job.entry.wire.read(job, &rounds).unwrap() else { panic!("{rounds:?}") };
            asked.push(format!("{} {:?}", next[0].method, next[0].place));
            rounds.push(vec![reply(answer)]);
        }
        let Step::Ask(_, away) = job.entry.wire.read(job, &rounds).unwrap() else { panic!() };
        assert_eq!(away.iter().filter(|sending| sending.method == Method::DELETE).count(), 2);
        rounds.push(vec![reply(json!({})), reply(json!({}))]);
        let Step::Done(done) = job.entry.wire.read(job, &rounds).unwrap() else { panic!() };
        let OperationReply::Transcript(heard) = *done else { panic!() };
        assert_eq!((&*heard.text, heard.duration_ms), ("hi", Some(700)));
        assert_eq!(asked[3], r#"GET Path("/v1/transcriptions/t-1/transcript")"#);
    });
}

#[test]
fn endpoints_of_ones_own_make_vectors() {
    let asked = of_json(Operation::Embeddings, &json!({"model": "x", "input": ["hello", "world"]}));
    let (url, body) = sent("sagemaker", "my-emb", &asked);
    assert_eq!(url, "https://runtime.sagemaker.us-west-2.amazonaws.com/endpoints/my-emb/invocations");
    assert_eq!(body, json!({"inputs": ["hello", "world"]}));
    assert_eq!(sent("sagemaker", "voyage-3", &asked).1, json!({"input": ["hello", "world"]}));
    for reply in [
        json!([[1.0], [2.0]]),
        json!({"embedding": [[1.0], [2.0]]}),
        json!({"data": [{"embedding": [1.0]}, {"embedding": [2.0]}], "usage": {"total_tokens": 2}}),
    ] {
        let OperationReply::Embeddings(made) = read("sagemaker", "my-emb", &asked, &reply) else { panic!() };
        assert_eq!(made.vectors.len(), 2, "{reply}");
    }
}
