//! Google's pictures: Gemini models by `generateContent`, Imagen by `predict`.
//! <https://ai.google.dev/gemini-api/docs/image-generation>
//! <https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api>

use llm_types::{Operation, Result, Usage};
use serde_json::{Map, Value, json};

use super::parts::{self, Said, broken, drawn, in_base64, only};
use crate::operations::{Job, Place, Received, Sending, Step, Wire};

/// Gemini's models that draw.
#[derive(Debug)]
pub(crate) struct Gemini;

/// Imagen.
#[derive(Debug)]
pub(crate) struct Imagen;

/// Whether the model stands behind Vertex AI, where answers may consist of pictures alone.
fn is_vertex(job: &Job<'_>) -> bool {
    job.entry.wrapped
}

/// The ratios Gemini draws in. <https://ai.google.dev/gemini-api/docs/image-generation#aspect_ratios_and_image_size>
const RATIOS: &[(&str, f64)] = &[
    ("1:1", 1.0),
    ("1:4", 0.25),
    ("1:8", 0.125),
    ("2:3", 2.0 / 3.0),
    ("3:2", 1.5),
    ("3:4", 0.75),
    ("4:1", 4.0),
    ("4:3", 4.0 / 3.0),
    ("4:5", 0.8),
    ("5:4", 1.25),
    ("8:1", 8.0),
    ("9:16", 9.0 / 16.0),
    ("16:9", 16.0 / 9.0),
    ("21:9", 21.0 / 9.0),
];

/// The ratio that is nearest to a size's.
fn nearest(size: &str) -> Option<&'static str> {
    let (width, height) =
        crate::operations::pixels(size).filter(|&(width, height)| width > 0 && height > 0)?;
    let asked = width as f64 / height as f64;
    let off = |ratio: f64| (ratio / asked).ln().abs();
    RATIOS.iter().min_by(|one, other| off(one.1).total_cmp(&off(other.1))).map(|(name, _)| *name)
}

/// Gemini's word for so many pixels.
fn resolution(size: &str) -> Option<&'static str> {
    let (width, height) = crate::operations::pixels(size)?;
    Some(match (width as f64 * height as f64).sqrt() {
        side if side < 768.0 => "512",
        side if side < 1536.0 => "1K",
        side if side < 3072.0 => "2K",
        _ => "4K",
    })
}

fn place(job: &Job<'_>, verb: &str) -> Place {
    match is_vertex(job) {
        true => Place::Wrapped(format!("/models/{{model}}:{verb}")),
        false => Place::Path(format!("/models/{}:{verb}", job.target.model)),
    }
}

impl Wire for Gemini {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let prompt = said.text("prompt")?.unwrap_or_default();
        let mut shown: Vec<Value> = job
            .request
            .files_of("image")
            .map(|file| {
                json!({"inlineData": {"mimeType": parts::picture_mime(file), "data": parts::base64(&file.bytes)}})
            })
            .collect();
        shown.push(parts::text_part(&prompt));
        let mut config = Map::new();
        match is_vertex(job) {
            true => config.insert("responseModalities".to_owned(), json!(["IMAGE"])),
            false => config.insert("response_modalities".to_owned(), json!(["IMAGE", "TEXT"])),
        };
        let mut image = Map::new();
        if let Some(size) = said.text("size")?.filter(|_| !vertex_edit(job)) {
            let ratio = parts::aspect_ratio(&size).or_else(|| nearest(&size));
            image.extend(ratio.map(|ratio| ("aspectRatio".to_owned(), ratio.into())));
            // Gemini 2.5 draws in one resolution only.
            let chosen = !is_vertex(job) && !job.target.model.contains("2.5-flash");
            let word = resolution(&size).filter(|_| chosen);
            image.extend(word.map(|word| ("imageSize".to_owned(), word.into())));
        }
        if let Some(size) = said.take("imageSize") {
            image.insert("imageSize".to_owned(), size);
        }
        if !image.is_empty() {
            config.insert("imageConfig".to_owned(), image.into());
        }
        if said.take("n").is_some() && !vertex_edit(job) {
            config.insert("candidateCount".to_owned(), job.request.whole("n").into());
        }
        // Pictures come in base64; other words of OpenAI's have no place here.
        said.take("response_format");
        said.take("quality");
        config.extend(said.rest());
        let mut content = json!({ "parts": shown });
        if is_vertex(job) {
            content["role"] = "user".into();
        }
        let body = json!({"contents": [content], "generationConfig": config});
        Ok(vec![Sending::json(place(job, "generateContent"), &body)])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let mut pictures = Vec::new();
        for candidate in reply["candidates"].as_array().into_iter().flatten() {
            for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
                let data =
                    if part["inlineData"].is_object() { &part["inlineData"] } else { &part["inline_data"] };
                pictures.extend(data["data"].as_str().map(in_base64));
            }
        }
        if pictures.is_empty() {
            return Err(broken("picture"));
        }
        let told = &reply["usageMetadata"];
        let usage = told["promptTokenCount"].as_u64().map(|input_tokens| Usage {
            input_tokens,
            output_tokens: told["candidatesTokenCount"].as_u64().unwrap_or(0),
            total_tokens: told["totalTokenCount"].as_u64(),
            ..Usage::default()
        });
        Ok(Step::done(drawn(pictures, usage)))
    }
}

/// Vertex AI's models keep the shape of the picture they change.
fn vertex_edit(job: &Job<'_>) -> bool {
    is_vertex(job) && job.asked.operation == Operation::ImageEdit
}

impl Wire for Imagen {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let prompt = said.text("prompt")?.unwrap_or_default();
        let mut instance = Map::from_iter([("prompt".to_owned(), Value::from(prompt))]);
        let mut parameters = Map::new();
        let n = job.request.whole("n").unwrap_or(1);
        said.take("n");
        parameters.insert("sampleCount".to_owned(), n.into());
        let size = said.text("size")?;
        if job.asked.operation == Operation::ImageEdit {
            instance.insert("referenceImages".to_owned(), references(job).into());
            parameters.insert(
                "editMode".to_owned(),
                said.take("editMode").unwrap_or("EDIT_MODE_INPAINT_INSERTION".into()),
            );
            let steps = said.take("baseSteps").unwrap_or(50.into());
            parameters.insert("editConfig".to_owned(), json!({ "baseSteps": steps }));
            parameters.insert("guidanceScale".to_owned(), said.take("guidanceScale").unwrap_or(7.5.into()));
        } else if let Some(size) = size {
            parameters
                .extend(parts::aspect_ratio(&size).map(|ratio| ("aspectRatio".to_owned(), ratio.into())));
            if !is_vertex(job) {
                let word = if size.starts_with("2048") { "2K" } else { "1K" };
                parameters.insert("imageSize".to_owned(), word.into());
            }
        }
        said.take("response_format");
        said.take("quality");
        parameters.extend(said.rest());
        let body = json!({"instances": [instance], "parameters": parameters});
        Ok(vec![Sending::json(place(job, "predict"), &body)])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let list = reply["predictions"].as_array().ok_or_else(|| broken("`predictions`"))?;
        let pictures: Vec<_> =
            list.iter().filter_map(|one| one["bytesBase64Encoded"].as_str()).map(in_base64).collect();
        if pictures.is_empty() {
            return Err(broken("picture"));
        }
        Ok(Step::done(drawn(pictures, None)))
    }
}

/// The pictures to change, and the mask, as Imagen names them.
fn references(job: &Job<'_>) -> Vec<Value> {
    let mut all: Vec<Value> = job
        .request
        .files_of("image")
        .enumerate()
        .map(|(index, file)| {
            json!({
                "referenceType": "REFERENCE_TYPE_RAW",
                "referenceId": index + 1,
                "referenceImage": {"bytesBase64Encoded": parts::base64(&file.bytes)},
            })
        })
        .collect();
    for mask in job.request.files_of("mask") {
        all.push(json!({
            "referenceType": "REFERENCE_TYPE_MASK",
            "referenceId": all.len() + 1,
            "referenceImage": {"bytesBase64Encoded": parts::base64(&mask.bytes)},
            "maskImageConfig": {"maskMode": "MASK_MODE_USER_PROVIDED", "dilation": 0.01},
        }));
    }
    all
}
