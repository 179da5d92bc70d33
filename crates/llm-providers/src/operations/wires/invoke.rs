//! Embedding models behind Bedrock's `InvokeModel` that take one input a call: Titan, Nova, Marengo.
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html>

use llm_types::{Embeddings, OperationReply, Result, Units, Usage, Vector};
use serde_json::{Map, Value, json};

use super::openai::AT_ONCE;
use super::parts::{Said, broken, texts, vector};
use crate::operations::{Job, Place, Received, Sending, Step, Wire};

/// The models and their bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Invoke {
    /// Titan Text, version 1.
    TitanOne,
    /// Titan Text, version 2: sizes and types of vectors.
    TitanTwo,
    /// Titan Multimodal.
    TitanImage,
    /// Nova Multimodal.
    Nova,
    /// TwelveLabs Marengo.
    Marengo,
    /// Marengo from version 3.0 on: each kind of input in a member of its own.
    /// <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-marengo-3.html>
    MarengoThree,
}

impl Invoke {
    fn body(self, said: &mut Said, input: &str) -> Result<Map<String, Value>> {
        let picture = input.strip_prefix("data:image/").and_then(|rest| rest.split_once(";base64,"));
        let mut body = Map::new();
        match self {
            Self::TitanOne | Self::TitanTwo => {
                body.insert("inputText".to_owned(), input.into());
                said.rename("dimensions", "dimensions", &mut body);
                let format = said.text("encoding_format")?.filter(|_| self == Self::TitanTwo);
                if let Some(format) = format {
                    let kind = if format == "base64" { "float" } else { &format };
                    body.insert("embeddingTypes".to_owned(), json!([kind]));
                }
            }
            Self::TitanImage => {
                match picture {
                    Some((_, data)) => body.insert("inputImage".to_owned(), data.into()),
                    None => body.insert("inputText".to_owned(), input.into()),
                };
                if let Some(dimensions) = said.take("dimensions") {
                    body.insert("embeddingConfig".to_owned(), json!({"outputEmbeddingLength": dimensions}));
                }
            }
            Self::Nova => {
                let purpose = said.take("embeddingPurpose").unwrap_or("GENERIC_INDEX".into());
                let size = said.take("dimensions").unwrap_or(3072.into());
                let mut params = json!({"embeddingPurpose": purpose, "embeddingDimension": size});
                match picture {
                    Some((format, data)) => {
                        params["image"] = json!({"format": format, "source": {"bytes": data}});
                    }
                    None => params["text"] = json!({"value": input, "truncationMode": "END"}),
                }
                body.insert("schemaVersion".to_owned(), "nova-multimodal-embed-v1".into());
                body.insert("taskType".to_owned(), "SINGLE_EMBEDDING".into());
                body.insert("singleEmbeddingParams".to_owned(), params);
            }
            Self::Marengo => match picture {
                Some((_, data)) => {
                    body.insert("inputType".to_owned(), "image".into());
                    body.insert("mediaSource".to_owned(), json!({"base64String": data}));
                }
                None => {
                    body.insert("inputType".to_owned(), "text".into());
                    body.insert("inputText".to_owned(), input.into());
                    body.insert("textTruncate".to_owned(), said.take("textTruncate").unwrap_or("end".into()));
                }
            },
            Self::MarengoThree => {
                let (kind, said) = match picture {
                    Some((_, data)) => ("image", json!({"mediaSource": {"base64String": data}})),
                    None => ("text", json!({ "inputText": input })),
                };
                body.insert("inputType".to_owned(), kind.into());
                body.insert(kind.to_owned(), said);
            }
        }
        said.take("encoding_format");
        Ok(body)
    }

    fn sending(self, job: &Job<'_>, input: &str) -> Result<Sending> {
        let mut said = Said::of(job);
        said.take("input");
        let mut body = self.body(&mut said, input)?;
        body.extend(said.rest());
        Ok(Sending::json(Place::Path("/model/{model}/invoke".to_owned()), &body.into()))
    }
}

impl Wire for Invoke {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let inputs = texts(&mut Said::of(job))?;
        // The first goes alone: where it fails the others need not be paid for.
        let first =
            inputs.first().ok_or_else(|| super::parts::wrong("input", &json!([]), "at least one text"))?;
        Ok(vec![self.sending(job, first)?])
    }

    fn read(&self, job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let mut vectors = Vec::new();
        let mut tokens = 0;
        for reply in rounds.iter().flatten() {
            let reply = reply.json()?;
            vectors.push(found(&reply)?);
            tokens += reply["inputTextTokenCount"].as_u64().unwrap_or(0);
        }
        let inputs = texts(&mut Said::of(job))?;
        if vectors.len() < inputs.len() {
            let rest: Result<Vec<_>> =
                inputs[vectors.len()..].iter().map(|input| self.sending(job, input)).collect();
            return Ok(Step::Ask(AT_ONCE, rest?));
        }
        let pictures = inputs.iter().filter(|input| input.starts_with("data:image/")).count() as u64;
        let queries =
            matches!(self, Self::Marengo | Self::MarengoThree).then_some(inputs.len() as u64 - pictures);
        let units = Units { images_in: (pictures > 0).then_some(pictures), queries, ..Units::default() };
        let units = (units != Units::default()).then(|| Box::new(units));
        let counted = tokens > 0 || units.is_some();
        let usage = counted.then(|| Usage { input_tokens: tokens, units, ..Usage::default() });
        let model = job.target.model.clone();
        Ok(Step::done(OperationReply::Embeddings(Embeddings { model, vectors, usage })))
    }
}

/// The vector, wherever the model puts it.
fn found(reply: &Value) -> Result<Vector> {
    let places = [
        &reply["embedding"],
        &reply["embeddingsByType"]["float"],
        &reply["embeddings"][0]["embedding"],
        &reply["data"][0]["embedding"],
        &reply["data"]["embedding"],
    ];
    if let Some(list) = places.into_iter().find(|place| place.is_array()) {
        return vector(list);
    }
    let own = reply["embeddingsByType"].as_object().and_then(|kinds| kinds.values().next());
    own.cloned().map(Vector::Own).ok_or_else(|| broken("`embedding`"))
}
