//! fal's models, each with the words of its family, and AI/ML's, which took them over.
//! <https://docs.fal.ai/model-apis/model-endpoints/synchronous-requests>

use llm_types::{Operation, Result};
use serde_json::{Map, Value, json};

use super::parts::{self, Said, at_url, broken, drawn, in_base64, only};
use crate::operations::{Job, Place, Received, Sending, Step, Wire};

/// `POST https://fal.run/{model}`.
#[derive(Debug)]
pub(crate) struct Fal;

/// `POST /images/generations` with fal's members. <https://docs.aimlapi.com/api-references/image-models>
#[derive(Debug)]
pub(crate) struct Aiml;

/// fal's name of a size.
fn named(size: &str) -> Value {
    match size {
        "1024x1024" => "square_hd".into(),
        "512x512" => "square".into(),
        "1792x1024" => "landscape_16_9".into(),
        "1024x1792" => "portrait_16_9".into(),
        "1024x768" | "1280x960" => "landscape_4_3".into(),
        "768x1024" | "960x1280" => "portrait_4_3".into(),
        other => crate::operations::pixels(other)
            .map_or_else(|| other.into(), |(width, height)| json!({"width": width, "height": height})),
    }
}

/// Words in the names of models that change pictures by themselves. Others draw, and change pictures one step
/// further down: `…/edit`, which takes a list.
const CHANGES: [&str; 11] = [
    "edit",
    "erase",
    "fill",
    "image-to-image",
    "inpaint",
    "kontext",
    "reframe",
    "redux",
    "remix",
    "remove",
    "upscal",
];

impl Wire for Fal {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let model = job.target.model.as_str();
        let by_ratio = model.starts_with("bria/")
            || ["imagen", "kontext", "ultra"].iter().any(|word| model.contains(word));
        let single = model.starts_with("bria/") || model.contains("recraft");
        let changes = CHANGES.iter().any(|word| model.contains(word));
        let mut body = Map::new();
        said.rename("prompt", "prompt", &mut body);
        let n = job.request.whole("n");
        said.take("n");
        match n {
            Some(n) if !single => drop(body.insert("num_images".to_owned(), n.into())),
            Some(2..) if !job.target.policy.drop => return Err(parts::unsupported(job, "n")),
            _ => {}
        }
        if let Some(size) = said.text("size")? {
            match parts::aspect_ratio(&size).filter(|_| by_ratio) {
                Some(ratio) => body.insert("aspect_ratio".to_owned(), ratio.into()),
                None => body.insert("image_size".to_owned(), named(&size)),
            };
        }
        if let Some(format) = said.text("response_format")?
            && format == "b64_json"
            && !by_ratio
        {
            body.insert("sync_mode".to_owned(), true.into());
        }
        if job.asked.operation == Operation::ImageEdit {
            let urls: Vec<Value> = job
                .request
                .files_of("image")
                .map(|file| parts::data_uri(parts::picture_mime(file), &file.bytes).into())
                .collect();
            let several = !changes
                || model.contains("nano-banana")
                || model.contains("seedream")
                || model.contains("gpt-image");
            match urls.len() {
                1 if !several => body.insert("image_url".to_owned(), urls[0].clone()),
                _ => body.insert("image_urls".to_owned(), urls.into()),
            };
        }
        body.extend(said.rest());
        let further = if job.asked.operation == Operation::ImageEdit && !changes { "/edit" } else { "" };
        Ok(vec![Sending::json(Place::Path(format!("/{model}{further}")), &body.into())])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let list = reply["images"].as_array().cloned().unwrap_or_else(|| vec![reply["image"].clone()]);
        let urls = list.iter().filter_map(|one| one["url"].as_str().or(one.as_str()));
        let pictures: Vec<_> = urls
            .map(|url| match url.strip_prefix("data:").and_then(|data| data.split_once(";base64,")) {
                Some((_, data)) => in_base64(data),
                None => at_url(url),
            })
            .collect();
        if pictures.is_empty() {
            return Err(broken("picture"));
        }
        Ok(Step::done(drawn(pictures, None)))
    }
}

impl Wire for Aiml {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let mut body = Map::from_iter([("model".to_owned(), job.target.model.clone().into())]);
        said.rename("prompt", "prompt", &mut body);
        said.rename("n", "num_images", &mut body);
        if let Some(size) = said.text("size")? {
            let size = crate::operations::pixels(&size)
                .map_or_else(|| size.into(), |(width, height)| json!({"width": width, "height": height}));
            body.insert("image_size".to_owned(), size);
        }
        said.rename("response_format", "response_format", &mut body);
        body.extend(said.rest());
        Ok(vec![Sending::json(Place::Path("/images/generations".to_owned()), &body.into())])
    }

    fn read(&self, job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        match reply["data"].is_array() {
            true => Ok(Step::Forward),
            false => Fal.read(job, rounds),
        }
    }
}
