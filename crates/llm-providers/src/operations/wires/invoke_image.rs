//! Models that draw behind Bedrock's `InvokeModel`: Nova Canvas, Titan Image, Stability's.
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html>

use llm_types::{Operation, Result};
use serde_json::{Map, Value, json};

use super::parts::{self, Said, broken, drawn, in_base64, only};
use crate::operations::{Job, Place, Received, Sending, Step, Wire};

/// The families of bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvokeImage {
    /// Amazon's.
    Canvas,
    /// Stable Diffusion XL.
    Diffusion,
    /// Stability's later models.
    Stable,
}

fn sizes(size: Option<String>) -> Result<Option<(u64, u64)>> {
    let Some(size) = size else { return Ok(None) };
    let read = || {
        let (width, height) = size.split_once('x')?;
        Some((width.parse().ok()?, height.parse().ok()?))
    };
    read()
        .map(Some)
        .ok_or_else(|| parts::wrong("size", &size.clone().into(), "width and height such as `1024x1024`"))
}

fn canvas(job: &Job<'_>, said: &mut Said) -> Result<Map<String, Value>> {
    let prompt = said.text("prompt")?.unwrap_or_default();
    let mut config =
        said.take("imageGenerationConfig").and_then(|value| value.as_object().cloned()).unwrap_or_default();
    if let Some((width, height)) = sizes(said.text("size")?)? {
        config.insert("width".to_owned(), width.into());
        config.insert("height".to_owned(), height.into());
    }
    said.rename("quality", "quality", &mut config);
    if said.take("n").is_some() {
        config.insert("numberOfImages".to_owned(), job.request.whole("n").into());
    }
    let mut body = Map::new();
    let pictures: Vec<Value> =
        job.request.files_of("image").map(|file| parts::base64(&file.bytes).into()).collect();
    let (task, name, params) = match job.asked.operation {
        Operation::ImageGeneration => ("TEXT_IMAGE", "textToImageParams", json!({ "text": prompt })),
        _ if job.request.files_of("mask").next().is_some() => {
            let mask = job.request.files_of("mask").next().map(|file| parts::base64(&file.bytes));
            let image = pictures.first().cloned();
            ("INPAINTING", "inPaintingParams", json!({"image": image, "maskImage": mask, "text": prompt}))
        }
        _ => ("IMAGE_VARIATION", "imageVariationParams", json!({"images": pictures, "text": prompt})),
    };
    body.insert("taskType".to_owned(), task.into());
    body.insert(name.to_owned(), params);
    body.insert("imageGenerationConfig".to_owned(), config.into());
    Ok(body)
}

fn diffusion(said: &mut Said) -> Result<Map<String, Value>> {
    let prompt = said.required("prompt")?;
    let mut body = Map::from_iter([("text_prompts".to_owned(), json!([{"text": prompt, "weight": 1}]))]);
    if let Some((width, height)) = sizes(said.text("size")?)? {
        body.insert("width".to_owned(), width.into());
        body.insert("height".to_owned(), height.into());
    }
    // One picture a call is all there is.
    said.take("n");
    Ok(body)
}

fn stable(job: &Job<'_>, said: &mut Said) -> Result<Map<String, Value>> {
    let mut body = Map::new();
    said.rename("prompt", "prompt", &mut body);
    said.take("n");
    if job.asked.operation == Operation::ImageEdit {
        body.insert("output_format".to_owned(), said.take("output_format").unwrap_or("png".into()));
        body.insert("image".to_owned(), parts::base64(&parts::file(job.request, "image")?.bytes).into());
        if let Some(mask) = job.request.files_of("mask").next() {
            body.insert("mask".to_owned(), parts::base64(&mask.bytes).into());
        }
        if let Some(ratio) = said.text("size")?.as_deref().and_then(parts::aspect_ratio) {
            body.insert("aspect_ratio".to_owned(), ratio.into());
        }
    }
    Ok(body)
}

impl Wire for InvokeImage {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let mut body = match self {
            Self::Canvas => canvas(job, &mut said)?,
            Self::Diffusion => diffusion(&mut said)?,
            Self::Stable => stable(job, &mut said)?,
        };
        // Pictures come in base64.
        said.take("response_format");
        body.extend(said.rest());
        Ok(vec![Sending::json(Place::Path("/model/{model}/invoke".to_owned()), &body.into())])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let images = reply["images"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let artifacts = reply["artifacts"].as_array().into_iter().flatten();
        let pictures: Vec<_> =
            images.chain(artifacts.filter_map(|one| one["base64"].as_str())).map(in_base64).collect();
        if pictures.is_empty() {
            let why = reply["error"].as_str().or_else(|| reply["finish_reasons"][0].as_str());
            return Err(why.map_or_else(|| broken("picture"), |why| broken(&format!("picture: {why}"))));
        }
        Ok(Step::done(drawn(pictures, None)))
    }
}
