//! Pictures made by chat models: asked for in messages, found in the answer.
//! <https://openrouter.ai/docs/features/multimodal/image-generation>

use llm_types::{Operation, Result, Usage};
use serde_json::{Map, Value, json};

use super::parts::{self, Said, at_url, broken, drawn, in_base64, only};
use crate::operations::{Job, Place, Received, Sending, Step, Wire};

/// `POST /chat/completions`.
#[derive(Debug)]
pub(crate) struct ChatImage;

impl Wire for ChatImage {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let prompt = said.text("prompt")?.unwrap_or_default();
        let mut body = Map::from_iter([("model".to_owned(), job.target.model.clone().into())]);
        let content = if job.asked.operation == Operation::ImageEdit {
            let url = |file| json!({"url": parts::data_uri(parts::picture_mime(file), &file.bytes)});
            let pictures = job.request.files_of("image");
            let mut content: Vec<Value> =
                pictures.map(|file| json!({"type": "image_url", "image_url": url(file)})).collect();
            content.push(json!({"type": "text", "text": prompt}));
            body.insert("modalities".to_owned(), json!(["image", "text"]));
            content.into()
        } else {
            Value::from(prompt)
        };
        body.insert("messages".to_owned(), json!([{"role": "user", "content": content}]));
        if let Some(n) = said.take("n") {
            body.insert("n".to_owned(), job.request.whole("n").map_or(n, Into::into));
        }
        let mut config = Map::new();
        if let Some(size) = said.text("size")?
            && let Some(ratio) = parts::aspect_ratio(&size)
        {
            config.insert("aspect_ratio".to_owned(), ratio.into());
        }
        if let Some(quality) = said.text("quality")? {
            let size = match &*quality {
                "low" | "standard" | "medium" | "auto" => "1K",
                "high" | "hd" => "2K",
                other => other,
            };
            config.insert("image_size".to_owned(), size.into());
        }
        if !config.is_empty() {
            body.insert("image_config".to_owned(), config.into());
        }
        // Pictures come in base64, or at the URL that the model gave.
        said.take("response_format");
        body.extend(said.rest());
        Ok(vec![Sending::json(Place::Path("/chat/completions".to_owned()), &body.into())])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let mut pictures = Vec::new();
        for choice in reply["choices"].as_array().into_iter().flatten() {
            for image in choice["message"]["images"].as_array().into_iter().flatten() {
                let url = image["image_url"]["url"].as_str().ok_or_else(|| broken("`image_url`"))?;
                pictures.push(match url.split_once(";base64,") {
                    Some((_, data)) => in_base64(data),
                    None => at_url(url),
                });
            }
        }
        if pictures.is_empty() {
            return Err(broken("picture"));
        }
        let told = &reply["usage"];
        let usage = told["prompt_tokens"].as_u64().map(|input_tokens| Usage {
            input_tokens,
            output_tokens: told["completion_tokens"].as_u64().unwrap_or(0),
            stated_cost: told["cost"].as_f64().map(llm_types::Money::from_usd),
            ..Usage::default()
        });
        Ok(Step::done(drawn(pictures, usage)))
    }
}
