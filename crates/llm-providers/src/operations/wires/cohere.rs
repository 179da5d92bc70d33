//! Cohere's embeddings: version 2 of its API, and the same models on Bedrock and Oracle's cloud.
//! <https://docs.cohere.com/reference/embed>

use llm_types::{OperationReply, Result, Vector};
use serde_json::{Map, Value, json};

use super::parts::{Said, broken, embedded, only, texts, vectors};
use crate::operations::{Job, Place, Received, Sending, Step, Wire};

/// `POST /v2/embed`.
#[derive(Debug)]
pub(crate) struct Embed;

/// The same behind `InvokeModel`.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html>
#[derive(Debug)]
pub(crate) struct Invoke;

/// `embedText` of Oracle's cloud.
#[derive(Debug)]
pub(crate) struct Oracle;

/// The members that Cohere's and Bedrock's bodies share.
fn body(job: &Job<'_>) -> Result<Map<String, Value>> {
    let mut said = Said::of(job);
    let mut body = Map::new();
    body.insert("texts".to_owned(), texts(&mut said)?.into());
    body.insert("input_type".to_owned(), said.take("input_type").unwrap_or("search_document".into()));
    said.rename("dimensions", "output_dimension", &mut body);
    // OpenAI's two forms of numbers are one to Cohere; a word of Cohere's own asks for another form.
    if let Some(format) = said.text("encoding_format")? {
        let kind = if format == "base64" { "float" } else { &format };
        body.insert("embedding_types".to_owned(), json!([kind]));
    }
    body.extend(said.rest());
    Ok(body)
}

fn read(rounds: &[Vec<Received>]) -> Result<OperationReply> {
    let reply = only(rounds)?;
    let found = &reply["embeddings"];
    let vectors = match found {
        Value::Object(kinds) => match kinds.get("float").filter(|list| list.is_array()) {
            Some(list) => vectors(list)?,
            None => {
                let lists = kinds.values().find_map(Value::as_array).ok_or_else(|| broken("`embeddings`"))?;
                lists.iter().cloned().map(Vector::Own).collect()
            }
        },
        list => vectors(list)?,
    };
    let tokens = reply["meta"]["billed_units"]["input_tokens"].as_u64();
    let images = reply["meta"]["billed_units"]["image_tokens"].as_u64();
    Ok(embedded(vectors, tokens.map(|tokens| tokens + images.unwrap_or(0))))
}

impl Wire for Embed {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut body = body(job)?;
        body.insert("model".to_owned(), job.target.model.clone().into());
        Ok(vec![Sending::json(Place::Path("/v2/embed".to_owned()), &body.into())])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        Ok(Step::done(read(rounds)?))
    }
}

impl Wire for Invoke {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        Ok(vec![Sending::json(Place::Path("/model/{model}/invoke".to_owned()), &body(job)?.into())])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let mut reply = read(rounds)?;
        // Bedrock counts in a header.
        let header = rounds.last().and_then(|round| round.first()).and_then(|reply| {
            reply.headers.get("x-amzn-bedrock-input-token-count")?.to_str().ok()?.parse::<u64>().ok()
        });
        if let (OperationReply::Embeddings(reply), Some(tokens)) = (&mut reply, header) {
            reply.usage.get_or_insert_default().input_tokens = tokens;
        }
        Ok(Step::done(reply))
    }
}

impl Wire for Oracle {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let project = job.target.cloud.as_ref().and_then(|cloud| cloud.project.clone());
        let compartment = said.take("compartmentId").or(project.map(Into::into));
        let mut body = Map::new();
        body.extend(compartment.map(|id| ("compartmentId".to_owned(), id)));
        body.insert(
            "servingMode".to_owned(),
            json!({"servingType": "ON_DEMAND", "modelId": job.target.model}),
        );
        body.insert("inputs".to_owned(), texts(&mut said)?.into());
        body.insert("truncate".to_owned(), said.take("truncate").unwrap_or("END".into()));
        said.rename("input_type", "inputType", &mut body);
        body.extend(said.rest());
        Ok(vec![Sending::json(Place::Path("/20231130/actions/embedText".to_owned()), &body.into())])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let tokens = reply["usage"]["promptTokens"].as_u64();
        Ok(Step::done(embedded(vectors(&reply["embeddings"])?, tokens)))
    }
}
