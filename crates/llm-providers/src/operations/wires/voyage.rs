//! Voyage's embeddings of passages in their context, and of texts with pictures.
//! <https://docs.voyageai.com/reference>

use llm_types::Result;
use serde_json::{Map, Value, json};

use super::parts::{Said, broken, embedded, only, texts, vector};
use crate::operations::{Job, Place, Received, Sending, Step, Wire};

/// `POST /contextualizedembeddings`: each input is a document of its own, cut by Voyage where it is long.
#[derive(Debug)]
pub(crate) struct Contextual;

/// `POST /multimodalembeddings`.
#[derive(Debug)]
pub(crate) struct Multimodal;

fn members(job: &Job<'_>, said: &mut Said) -> Map<String, Value> {
    let mut body = Map::from_iter([("model".to_owned(), job.target.model.clone().into())]);
    said.rename("dimensions", "output_dimension", &mut body);
    // Vectors come as numbers; the gateway writes the form the caller wants.
    said.take("encoding_format");
    body
}

impl Wire for Contextual {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let mut body = members(job, &mut said);
        // Documents cut by the caller are lists of lists: they are sent as they are.
        let inputs = match said.take("input") {
            Some(Value::Array(list)) if list.iter().any(Value::is_array) => Value::Array(list),
            Some(Value::String(text)) => json!([text]),
            Some(Value::Array(list)) if list.iter().all(Value::is_string) => Value::Array(list),
            other => {
                return Err(super::parts::wrong(
                    "input",
                    &other.unwrap_or_default(),
                    "texts, or lists of them",
                ));
            }
        };
        let cut = inputs.as_array().is_some_and(|list| list.iter().all(Value::is_string));
        body.insert("inputs".to_owned(), inputs);
        if cut {
            for (name, usual) in [
                ("enable_auto_chunking", json!(true)),
                ("chunk_size", json!(32_000)),
                ("input_type", json!("document")),
            ] {
                body.insert(name.to_owned(), said.take(name).unwrap_or(usual));
            }
        }
        body.extend(said.rest());
        Ok(vec![Sending::json(Place::Path("/contextualizedembeddings".to_owned()), &body.into())])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let documents = reply["data"].as_array().ok_or_else(|| broken("`data`"))?;
        let mut all = Vec::new();
        for document in documents {
            for chunk in document["data"].as_array().ok_or_else(|| broken("`data[].data`"))? {
                all.push(vector(&chunk["embedding"])?);
            }
        }
        Ok(Step::done(embedded(all, reply["usage"]["total_tokens"].as_u64())))
    }
}

impl Wire for Multimodal {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let mut body = members(job, &mut said);
        let inputs: Vec<Value> = match said.take("input") {
            Some(Value::Array(list)) if list.iter().any(Value::is_object) => list,
            other => {
                said = Said::of(job);
                members(job, &mut said);
                drop(other);
                texts(&mut said)?.iter().map(|text| content(text)).collect()
            }
        };
        body.insert("inputs".to_owned(), inputs.into());
        body.extend(said.rest());
        Ok(vec![Sending::json(Place::Path("/multimodalembeddings".to_owned()), &body.into())])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let data = reply["data"].as_array().ok_or_else(|| broken("`data`"))?;
        let all: Result<Vec<_>> = data.iter().map(|item| vector(&item["embedding"])).collect();
        Ok(Step::done(embedded(all?, reply["usage"]["total_tokens"].as_u64())))
    }
}

/// One input: a picture where the text is a picture's data URL, else a text.
fn content(text: &str) -> Value {
    if text.starts_with("data:image/") {
        return json!({"content": [{"type": "image_base64", "image_base64": text}]});
    }
    json!({"content": [{"type": "text", "text": text}]})
}
