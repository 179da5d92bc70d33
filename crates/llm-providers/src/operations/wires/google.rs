//! Google's embeddings: Gemini's API, and models behind Vertex AI's `predict`.
//! <https://ai.google.dev/api/embeddings>
//! <https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api>

use llm_types::{Result, Vector};
use serde_json::{Map, Value, json};

use super::parts::{Said, broken, embedded, only, text_part, texts, vector};
use crate::operations::{Job, Place, Received, Sending, Step, Wire};

/// `batchEmbedContents`.
#[derive(Debug)]
pub(crate) struct Gemini;

/// `predict` with texts.
#[derive(Debug)]
pub(crate) struct Predict;

/// `predict` with texts and pictures.
#[derive(Debug)]
pub(crate) struct Multimodal;

impl Wire for Gemini {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        said.take("encoding_format");
        let texts = texts(&mut said)?;
        let mut members = Map::new();
        said.rename("dimensions", "outputDimensionality", &mut members);
        said.rename("task_type", "taskType", &mut members);
        members.extend(said.rest());
        let model = format!("models/{}", job.target.model);
        let requests: Vec<Value> = texts
            .iter()
            .map(|text| {
                let mut request = json!({"model": model, "content": {"parts": [content(text)]}});
                if let Some(request) = request.as_object_mut() {
                    request.extend(members.clone());
                }
                request
            })
            .collect();
        let place = Place::Path(format!("/{model}:batchEmbedContents"));
        let body = json!({ "requests": requests });
        let mime = http::HeaderValue::from_static("application/json; charset=utf-8");
        Ok(vec![Sending::bytes(place, mime, body.to_string().into())])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let list = reply["embeddings"].as_array().ok_or_else(|| broken("`embeddings`"))?;
        let all: Result<Vec<_>> = list.iter().map(|one| vector(&one["values"])).collect();
        Ok(Step::done(embedded(all?, reply["usageMetadata"]["promptTokenCount"].as_u64())))
    }
}

/// A text, or what a data URL holds.
fn content(text: &str) -> Value {
    match text.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
        Some((mime, data)) => json!({"inline_data": {"mime_type": mime, "data": data}}),
        None => text_part(text),
    }
}

const PREDICT: &str = "/models/{model}:predict";

impl Wire for Predict {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        said.take("encoding_format");
        let texts = texts(&mut said)?;
        let (task, title) = (said.take("task_type"), said.take("title"));
        let instances: Vec<Value> = texts
            .into_iter()
            .map(|text| {
                let mut instance = Map::from_iter([("content".to_owned(), Value::from(text))]);
                instance.extend(task.clone().map(|task| ("task_type".to_owned(), task)));
                instance.extend(title.clone().map(|title| ("title".to_owned(), title)));
                instance.into()
            })
            .collect();
        let mut parameters = Map::new();
        said.rename("dimensions", "outputDimensionality", &mut parameters);
        said.rename("auto_truncate", "autoTruncate", &mut parameters);
        parameters.extend(said.rest());
        let body = json!({"instances": instances, "parameters": parameters});
        Ok(vec![Sending::json(Place::Wrapped(PREDICT.to_owned()), &body)])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let list = reply["predictions"].as_array().ok_or_else(|| broken("`predictions`"))?;
        let all: Result<Vec<_>> = list.iter().map(|one| vector(&one["embeddings"]["values"])).collect();
        let count = |one: &Value| one["embeddings"]["statistics"]["token_count"].as_f64();
        let counts: Option<f64> = list.iter().map(count).sum();
        Ok(Step::done(embedded(all?, counts.map(whole))))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of tokens")]
fn whole(tokens: f64) -> u64 {
    tokens.max(0.0).round() as u64
}

impl Wire for Multimodal {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        said.take("encoding_format");
        let instances: Vec<Value> = match said.take("input") {
            // Instances in the vendor's own words.
            Some(Value::Array(list)) if !list.is_empty() && list.iter().all(Value::is_object) => list,
            _ => texts(&mut Said::of(job))?.into_iter().map(|text| instance(&text)).collect(),
        };
        let mut body = Map::from_iter([("instances".to_owned(), instances.into())]);
        let mut parameters = Map::new();
        said.rename("dimensions", "dimension", &mut parameters);
        parameters.extend(said.rest());
        if !parameters.is_empty() {
            body.insert("parameters".to_owned(), parameters.into());
        }
        Ok(vec![Sending::json(Place::Wrapped(PREDICT.to_owned()), &body.into())])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let list = reply["predictions"].as_array().ok_or_else(|| broken("`predictions`"))?;
        let mut all: Vec<Vector> = Vec::new();
        for one in list {
            for kind in ["textEmbedding", "imageEmbedding"] {
                if one[kind].is_array() {
                    all.push(vector(&one[kind])?);
                }
            }
            for video in one["videoEmbeddings"].as_array().into_iter().flatten() {
                all.push(vector(&video["embedding"])?);
            }
        }
        Ok(Step::done(embedded(all, None)))
    }
}

fn instance(text: &str) -> Value {
    if let Some((_, data)) = text.strip_prefix("data:image/").and_then(|rest| rest.split_once(";base64,")) {
        return json!({"image": {"bytesBase64Encoded": data}});
    }
    if text.starts_with("gs://") {
        return json!({"image": {"gcsUri": text}});
    }
    json!({ "text": text })
}
