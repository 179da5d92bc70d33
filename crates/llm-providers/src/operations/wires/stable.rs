//! Stability's own API: forms, each model at its own path.
//! <https://platform.stability.ai/docs/api-reference>

use llm_types::{Operation, Result};

use super::openai::as_text;
use super::parts::{self, Said, broken, drawn, in_base64, only};
use crate::operations::{FormWriter, Job, Place, Received, Sending, Step, Wire};

/// Pictures made and changed.
#[derive(Debug)]
pub(crate) struct Stability;

/// The models that change pictures and stand beside `edit`.
const UPSCALE: [&str; 3] = ["fast", "conservative", "creative"];
const CONTROL: [&str; 4] = ["sketch", "structure", "style", "style-transfer"];

fn path(job: &Job<'_>) -> String {
    let model = job.target.model.rsplit('/').next().unwrap_or_default();
    let model = model.trim_start_matches("stable-image-").trim_end_matches("-v1:0");
    let (shelf, name) = match job.asked.operation {
        Operation::ImageGeneration if model.starts_with("sd3") => ("generate", "sd3"),
        Operation::ImageGeneration => ("generate", model),
        _ if UPSCALE.contains(&model) => ("upscale", model),
        _ if CONTROL.contains(&model) => ("control", model),
        _ => ("edit", model),
    };
    format!("/v2beta/stable-image/{shelf}/{name}")
}

impl Wire for Stability {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let mut form = FormWriter::default();
        let format = said.text("output_format")?.unwrap_or_else(|| "png".to_owned());
        if let Some(prompt) = said.text("prompt")? {
            form.text("prompt", prompt);
        }
        form.text("output_format", format);
        if let Some(ratio) = said.text("size")?.as_deref().and_then(parts::aspect_ratio) {
            form.text("aspect_ratio", ratio);
        }
        // The path stands for the largest of the family.
        let model = job.target.model.as_str();
        if model.starts_with("sd3") && !matches!(model, "sd3" | "sd3.5-large") {
            form.text("model", model);
        }
        let n = job.request.whole("n").unwrap_or(1);
        said.take("n");
        if n > 1 && !job.target.policy.drop {
            return Err(parts::unsupported(job, "n"));
        }
        said.take("response_format");
        let rest = said.rest();
        for (name, value) in &rest {
            form.text(name, as_text(name, value)?);
        }
        let files = if job.asked.operation == Operation::ImageGeneration { &[] } else { &*job.request.files };
        for file in files {
            let field = file.field.trim_end_matches("[]");
            form.file(field, "upload", "application/octet-stream", file);
        }
        if files.is_empty() {
            // A form it must be, files or not.
            form.file("none", "upload", "application/octet-stream", b"");
        }
        let (kind, body) = form.finish();
        Ok(vec![Sending::payload(Place::Path(path(job)), kind, body).with("accept", "application/json")])
    }

    fn streams(&self) -> bool {
        true
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let data = reply["image"].as_str().ok_or_else(|| broken("`image`"))?;
        if let Some(why @ "CONTENT_FILTERED") = reply["finish_reason"].as_str() {
            let message = format!("the provider's filter refused the picture (`{why}`)");
            return Err(llm_types::Error::new(llm_types::ErrorKind::ContentFiltered, message));
        }
        Ok(Step::done(drawn(vec![in_base64(data)], None)))
    }
}
