//! Embedding models behind servers with a body of their own: Ollama, Hugging Face, Triton, watsonx,
//! Snowflake, SAP.

use llm_types::Result;
use serde_json::{Map, Value, json};

use super::parts::{Said, broken, embedded, only, texts, vectors};
use crate::operations::{Job, Place, Received, Sending, Step, Wire};

/// `POST /api/embed`. <https://docs.ollama.com/api/embed>
#[derive(Debug)]
pub(crate) struct Ollama;

impl Wire for Ollama {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let mut body = Map::from_iter([("model".to_owned(), job.target.model.clone().into())]);
        body.insert("input".to_owned(), texts(&mut said)?.into());
        // What is no member of the call is an option of the model.
        let mut options = Map::new();
        for (name, value) in said.rest() {
            match &*name {
                "dimensions" | "truncate" | "keep_alive" | "options" => body.insert(name, value),
                _ => options.insert(name, value),
            };
        }
        if !options.is_empty() {
            body.insert("options".to_owned(), options.into());
        }
        Ok(vec![Sending::json(Place::Path("/api/embed".to_owned()), &body.into())])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        Ok(Step::done(embedded(vectors(&reply["embeddings"])?, reply["prompt_eval_count"].as_u64())))
    }
}

/// Feature extraction of Hugging Face's inference servers, and of text-embeddings-inference.
/// <https://huggingface.co/docs/inference-providers/tasks/feature-extraction>
#[derive(Debug)]
pub(crate) struct Features;

impl Wire for Features {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let mut body = Map::from_iter([("inputs".to_owned(), texts(&mut said)?.into())]);
        body.extend(said.rest());
        let own = job.target.base_url == job.target.spec.full_base_url(None);
        let place = if own {
            let path = format!("/hf-inference/models/{}/pipeline/feature-extraction", job.target.model);
            Place::Host("https://router.huggingface.co", path)
        } else {
            Place::Path(String::new())
        };
        Ok(vec![Sending::json(place, &body.into())])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        Ok(Step::done(embedded(vectors(&only(rounds)?)?, None)))
    }
}

/// An endpoint of one's own on `SageMaker`: Hugging Face's servers take `inputs`, Voyage's models `input`.
/// <https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html>
#[derive(Debug)]
pub(crate) struct Endpoint;

impl Wire for Endpoint {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let name = if job.target.model.to_ascii_lowercase().contains("voyage") { "input" } else { "inputs" };
        let mut body = Map::from_iter([(name.to_owned(), texts(&mut said)?.into())]);
        body.extend(said.rest());
        Ok(vec![Sending::json(Place::Wrapped(String::new()), &body.into())])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        if let Some(data) = reply.get("data").and_then(Value::as_array) {
            let all: Result<Vec<_>> =
                data.iter().map(|item| super::parts::vector(&item["embedding"])).collect();
            return Ok(Step::done(embedded(all?, reply["usage"]["total_tokens"].as_u64())));
        }
        let list = ["embedding", "embeddings"].iter().find_map(|name| reply.get(*name));
        Ok(Step::done(embedded(vectors(list.unwrap_or(&reply))?, None)))
    }
}

/// Triton's inference protocol. <https://github.com/kserve/open-inference-protocol>
#[derive(Debug)]
pub(crate) struct Triton;

impl Wire for Triton {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let texts = texts(&mut said)?;
        let mut body = Map::new();
        body.insert(
            "inputs".to_owned(),
            json!([{"name": "input_text", "shape": [texts.len()], "datatype": "BYTES", "data": texts}]),
        );
        body.extend(said.rest());
        Ok(vec![Sending::json(Place::Path(String::new()), &body.into())])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let mut all = Vec::new();
        for output in reply["outputs"].as_array().ok_or_else(|| broken("`outputs`"))? {
            let data = output["data"].as_array().ok_or_else(|| broken("`data`"))?;
            let last = output["shape"].as_array().and_then(|shape| shape.last()?.as_u64());
            let width = last.and_then(|width| usize::try_from(width).ok()).filter(|width| *width > 0);
            for piece in data.chunks(width.unwrap_or(data.len().max(1))) {
                all.push(super::parts::vector(&Value::Array(piece.to_vec()))?);
            }
        }
        Ok(Step::done(embedded(all, None)))
    }
}

/// `POST /ml/v1/text/embeddings`. <https://cloud.ibm.com/apidocs/watsonx-ai#text-embeddings>
#[derive(Debug)]
pub(crate) struct Watsonx;

impl Wire for Watsonx {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let mut body = Map::from_iter([("inputs".to_owned(), texts(&mut said)?.into())]);
        body.insert("model_id".to_owned(), job.target.model.clone().into());
        watsonx_owner(job, &mut said, &mut body);
        let rest = said.rest();
        if !rest.is_empty() {
            body.insert("parameters".to_owned(), rest.into());
        }
        let path = "/ml/v1/text/embeddings?version={version}".to_owned();
        Ok(vec![Sending::json(Place::Path(path), &body.into())])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let results = reply["results"].as_array().ok_or_else(|| broken("`results`"))?;
        let all: Result<Vec<_>> =
            results.iter().map(|result| super::parts::vector(&result["embedding"])).collect();
        Ok(Step::done(embedded(all?, reply["input_token_count"].as_u64())))
    }
}

/// The project or space that pays.
pub(super) fn watsonx_owner(job: &Job<'_>, said: &mut Said, body: &mut Map<String, Value>) {
    let project = job.target.cloud.as_ref().and_then(|cloud| cloud.project.clone());
    for (name, value) in [
        ("space_id", said.take("space_id")),
        ("project_id", said.take("project_id").or(project.map(Into::into))),
    ] {
        body.extend(value.map(|value| (name.to_owned(), value)));
    }
}

/// `POST /cortex/inference:embed`. <https://docs.snowflake.com/en/user-guide/snowflake-cortex/cortex-rest-api>
#[derive(Debug)]
pub(crate) struct Snowflake;

impl Wire for Snowflake {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let mut body = Map::from_iter([("text".to_owned(), texts(&mut said)?.into())]);
        body.insert("model".to_owned(), job.target.model.clone().into());
        body.extend(said.rest());
        Ok(vec![Sending::json(Place::Path("/cortex/inference:embed".to_owned()), &body.into())])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let data = reply["data"].as_array().ok_or_else(|| broken("`data`"))?;
        let one = |item: &Value| match &item["embedding"][0] {
            Value::Array(_) => super::parts::vector(&item["embedding"][0]),
            _ => super::parts::vector(&item["embedding"]),
        };
        let all: Result<Vec<_>> = data.iter().map(one).collect();
        Ok(Step::done(embedded(all?, reply["usage"]["total_tokens"].as_u64())))
    }
}

/// Embeddings of SAP's orchestration service. <https://api.sap.com/api/ORCHESTRATION_API/overview>
#[derive(Debug)]
pub(crate) struct Sap;

impl Wire for Sap {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let texts = texts(&mut said)?;
        let version = said.take("model_version").unwrap_or("latest".into());
        let model = json!({"name": job.target.model, "version": version, "params": said.rest()});
        let body = json!({
            "config": {"modules": {"embeddings": {"model": model}}},
            "input": {"text": texts},
        });
        Ok(vec![Sending::json(Place::Path("/v2/embeddings".to_owned()), &body)])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let result = &reply["final_result"];
        let data = result["data"].as_array().ok_or_else(|| broken("`final_result.data`"))?;
        let all: Result<Vec<_>> = data.iter().map(|item| super::parts::vector(&item["embedding"])).collect();
        Ok(Step::done(embedded(all?, result["usage"]["prompt_tokens"].as_u64())))
    }
}
