//! OpenAI's form with a turn of the vendor's own: FLUX on Azure AI Foundry, watsonx' transcription, Topaz.

use llm_types::{Error, Result};
use serde_json::{Map, Value};

use super::openai::{Openai, as_text};
use super::parts::{self, Said, drawn, in_base64, last};
use crate::Auth;
use crate::operations::{FormWriter, Job, Place, Received, Sending, Step, Taking, Wire};

/// OpenAI's form behind the name of a deployment.
/// <https://learn.microsoft.com/azure/ai-foundry/openai/reference>
#[derive(Debug)]
pub(crate) struct Deployed;

impl Wire for Deployed {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let version = job.target.cloud.as_ref().and_then(|cloud| cloud.version.as_deref());
        let version = version.unwrap_or("2025-02-01-preview");
        let path = format!("/openai/deployments/{{model}}{}?api-version={version}", job.entry.path);
        let mut all = Openai.begin(job)?;
        for sending in &mut all {
            sending.place = Place::Path(path.clone());
            sending.auth = Some(Auth::Header("api-key".into()));
        }
        Ok(all)
    }

    fn read(&self, job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        Openai.read(job, rounds)
    }

    fn taking(&self, job: &Job<'_>) -> Taking {
        Openai.taking(job)
    }

    fn streams(&self) -> bool {
        true
    }
}

/// Black Forest Labs' models on Azure. FLUX.1 has OpenAI's form, FLUX.2 the maker's own.
/// <https://learn.microsoft.com/azure/ai-foundry/foundry-models/how-to/use-image-models>
#[derive(Debug)]
pub(crate) struct Flux;

impl Wire for Flux {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let key = Auth::Header("api-key".into());
        let version = job.target.cloud.as_ref().and_then(|cloud| cloud.version.as_deref());
        let model = &job.target.model;
        if !model.to_ascii_lowercase().starts_with("flux.2") {
            return Deployed.begin(&Job { entry: &job.entry.without_model(), ..*job });
        }
        let version = version.unwrap_or("preview");
        let mut said = Said::of(job);
        let mut body = Map::from_iter([("model".to_owned(), Value::from(model.clone()))]);
        said.rename("prompt", "prompt", &mut body);
        for (index, file) in job.request.files_of("image").enumerate() {
            let name =
                if index == 0 { "input_image".to_owned() } else { format!("input_image_{}", index + 1) };
            body.insert(name, parts::base64(&file.bytes).into());
        }
        if let Some(n) = job.request.whole("n") {
            said.take("n");
            body.insert("num_images".to_owned(), n.into());
        }
        if let Some(size) = said.text("size")?
            && let Some((width, height)) = crate::operations::pixels(&size)
        {
            body.insert("width".to_owned(), width.into());
            body.insert("height".to_owned(), height.into());
        }
        body.extend(said.rest());
        let name = model.to_ascii_lowercase().replace('.', "-");
        let path = format!("/providers/blackforestlabs/v1/{name}?api-version={version}");
        Ok(vec![Sending::json(Place::Path(path), &body.into()).signed(key)])
    }

    fn read(&self, job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        Openai.read(job, rounds)
    }
}

/// `POST /ml/v1/audio/transcriptions`. <https://cloud.ibm.com/apidocs/watsonx-ai#audio-transcriptions>
#[derive(Debug)]
pub(crate) struct WatsonxForm;

impl Wire for WatsonxForm {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let mut form = FormWriter::default();
        form.text("model", &*job.target.model);
        let mut owner = Map::new();
        super::texts::watsonx_owner(job, &mut said, &mut owner);
        let rest = said.rest();
        for (name, value) in owner.iter().chain(&rest) {
            form.text(name, as_text(name, value)?);
        }
        let file = parts::file(job.request, "file")?;
        let mime = file.mime.as_deref().unwrap_or("application/octet-stream");
        form.file("file", &file.file_name, mime, file);
        let (kind, body) = form.finish();
        let path = "/ml/v1/audio/transcriptions?version={version}".to_owned();
        Ok(vec![Sending::payload(Place::Path(path), kind, body)])
    }

    fn streams(&self) -> bool {
        true
    }

    fn read(&self, job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        Openai.read(job, rounds)
    }
}

/// `POST /image/v1/enhance`. <https://developer.topazlabs.com/image-api/available-endpoints>
#[derive(Debug)]
pub(crate) struct Topaz;

impl Wire for Topaz {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let file = parts::file(job.request, "image")?;
        let mut form = FormWriter::default();
        form.text("model", &*job.target.model);
        if let Some(size) = said.text("size")? {
            let sizes = crate::operations::pixels(&size);
            let wrong =
                || Error::bad_param("size", format!("`size`: expected width and height, found `{size}`"));
            let (width, height) = sizes.ok_or_else(wrong)?;
            form.text("output_width", width.to_string());
            form.text("output_height", height.to_string());
        }
        said.take("n");
        said.take("response_format");
        let rest = said.rest();
        for (name, value) in &rest {
            form.text(name, as_text(name, value)?);
        }
        form.file("image", &file.file_name, parts::picture_mime(file), file);
        let (kind, body) = form.finish();
        Ok(vec![Sending::payload(Place::Path("/image/v1/enhance".to_owned()), kind, body)])
    }

    fn streams(&self) -> bool {
        true
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let picture = &last(rounds)?.body;
        // Pictures begin with bytes that no text has: a page or JSON says why there is none.
        if picture.is_empty() || picture.starts_with(b"<") || picture.starts_with(b"{") {
            return Err(parts::broken("picture"));
        }
        Ok(Step::done(drawn(vec![in_base64(parts::base64(picture))], None)))
    }
}
