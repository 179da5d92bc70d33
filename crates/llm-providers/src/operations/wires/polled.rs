//! Vendors that make things while the caller waits elsewhere: asked for, looked after until they are done.

use std::time::Duration;

use llm_types::{Error, ErrorKind, Operation, Result};
use serde_json::{Map, Value, json};

use super::parts::{self, Said, at_url, broken, drawn, only, spoken};
use crate::operations::{Job, Place, Received, Sending, Step, Taking, Wire};

/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(1_000);
/// How often to look: a task that takes longer than this many pauses is given up.
const LOOKS: usize = 300;

/// Black Forest Labs. <https://docs.bfl.ai/quick_start/generating_images>
#[derive(Debug)]
pub(crate) struct BlackForest;

/// Runway. <https://docs.dev.runwayml.com/api/>
#[derive(Debug)]
pub(crate) struct Runway;

fn failed(why: &str) -> Error {
    Error::new(ErrorKind::BadUpstream, format!("the provider could not finish its task: {why}"))
}

/// Looks again, unless it was looked often enough.
fn again(rounds: &[Vec<Received>], look: Sending) -> Result<Step> {
    if rounds.len() > LOOKS {
        let message = format!("the provider's task is not done after {LOOKS} looks");
        return Err(Error::new(ErrorKind::Timeout, message));
    }
    Ok(Step::Ask(PAUSE, vec![look]))
}

impl Wire for BlackForest {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let mut body = Map::new();
        said.rename("prompt", "prompt", &mut body);
        let by_ratio = job.target.model.contains("kontext") || job.target.model.contains("ultra");
        let size = said.text("size")?;
        match size.as_deref() {
            Some(size) if by_ratio && job.asked.operation == Operation::ImageGeneration => {
                body.extend(parts::aspect_ratio(size).map(|ratio| ("aspect_ratio".to_owned(), ratio.into())));
            }
            Some(size) if !by_ratio => {
                if let Some((width, height)) = crate::operations::pixels(size) {
                    body.insert("width".to_owned(), width.into());
                    body.insert("height".to_owned(), height.into());
                }
            }
            _ => {}
        }
        let n = job.request.whole("n").unwrap_or(1);
        said.take("n");
        if n > 1 && !job.target.policy.drop {
            return Err(parts::unsupported(job, "n"));
        }
        for (index, file) in job.request.files_of("image").enumerate() {
            let name =
                if index == 0 { "input_image".to_owned() } else { format!("input_image_{}", index + 1) };
            body.insert(name, parts::base64(&file.bytes).into());
        }
        if let Some(mask) = job.request.files_of("mask").next() {
            body.insert("mask".to_owned(), parts::base64(&mask.bytes).into());
        }
        body.insert("output_format".to_owned(), said.take("output_format").unwrap_or("png".into()));
        said.take("response_format");
        body.extend(said.rest());
        Ok(vec![Sending::json(Place::Path(format!("/v1/{}", job.target.model)), &body.into())])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let first = rounds.first().and_then(|round| round.first()).ok_or_else(|| broken("body"))?.json()?;
        let link = first["polling_url"].as_str().ok_or_else(|| broken("`polling_url`"))?;
        let reply = only(rounds)?;
        match reply["status"].as_str() {
            Some("Ready") => {
                let url = reply["result"]["sample"].as_str().ok_or_else(|| broken("`result.sample`"))?;
                Ok(Step::done(drawn(vec![at_url(url)], None)))
            }
            Some(why @ ("Request Moderated" | "Content Moderated")) => {
                Err(Error::new(ErrorKind::ContentFiltered, format!("the provider refused: {why}")))
            }
            Some(why @ ("Error" | "Failed" | "Task not found")) => Err(failed(why)),
            _ => again(rounds, Sending::get(Place::Link(link.to_owned()))),
        }
    }
}

impl Wire for Runway {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let mut body = Map::from_iter([("model".to_owned(), job.target.model.clone().into())]);
        let path = if job.asked.operation == Operation::Speech {
            said.rename("input", "promptText", &mut body);
            let voice = said.take("voice").unwrap_or_default();
            let voice = match voice {
                Value::String(name) => json!({"type": "runway-preset", "presetId": preset(&name)}),
                own => own,
            };
            body.insert("voice".to_owned(), voice);
            "/v1/text_to_speech"
        } else {
            said.rename("prompt", "promptText", &mut body);
            if let Some(size) = said.text("size")? {
                body.insert("ratio".to_owned(), size.replace('x', ":").into());
            }
            if job.request.whole("n").unwrap_or(1) > 1 && !job.target.policy.drop {
                return Err(parts::unsupported(job, "n"));
            }
            said.take("n");
            "/v1/text_to_image"
        };
        said.take("response_format");
        body.extend(said.rest());
        let sending = Sending::json(Place::Path(path.to_owned()), &body.into());
        Ok(vec![sending.with("x-runway-version", VERSION)])
    }

    fn read(&self, job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let last = parts::last(rounds)?;
        let kind = last.headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if rounds.len() > 1
            && let Some(kind) = kind.filter(|kind| kind.starts_with("audio/"))
        {
            return Ok(Step::done(spoken(kind, last.body.to_vec())));
        }
        let reply = last.json()?;
        match reply["status"].as_str() {
            Some("SUCCEEDED") => {
                let outputs = reply["output"].as_array().ok_or_else(|| broken("`output`"))?;
                let urls: Vec<&str> = outputs.iter().filter_map(Value::as_str).collect();
                if job.asked.operation == Operation::Speech {
                    let url = urls.first().ok_or_else(|| broken("`output`"))?;
                    return Ok(Step::Ask(Duration::ZERO, vec![Sending::get(Place::Open((*url).to_owned()))]));
                }
                Ok(Step::done(drawn(urls.into_iter().map(at_url).collect(), None)))
            }
            Some(why @ ("FAILED" | "CANCELLED")) => Err(failed(reply["failure"].as_str().unwrap_or(why))),
            _ => {
                let first =
                    rounds.first().and_then(|round| round.first()).ok_or_else(|| broken("body"))?.json()?;
                let id = first["id"].as_str().ok_or_else(|| broken("`id`"))?;
                let look = Sending::get(Place::Path(format!("/v1/tasks/{id}")));
                again(rounds, look.with("x-runway-version", VERSION))
            }
        }
    }

    fn taking(&self, _job: &Job<'_>) -> Taking {
        Taking::Whole
    }
}

/// The version of Runway's API that these bodies are of.
const VERSION: &str = "2024-11-06";

/// Runway's voice for one of OpenAI's.
fn preset(voice: &str) -> &str {
    match voice {
        "alloy" => "Maya",
        "echo" => "James",
        "fable" => "Bernard",
        "onyx" => "Vincent",
        "nova" => "Serene",
        "shimmer" => "Ella",
        own => own,
    }
}
