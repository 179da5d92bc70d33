//! Pictures of Alibaba's model services. <https://help.aliyun.com/zh/model-studio/qwen-image-api>

use llm_types::Result;
use serde_json::{Map, json};

use super::parts::{Said, at_url, broken, drawn, only};
use crate::operations::{Job, Place, Received, Sending, Step, Wire};

/// `multimodal-generation/generation`.
#[derive(Debug)]
pub(crate) struct Dashscope;

impl Wire for Dashscope {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let mut said = Said::of(job);
        let prompt = said.required("prompt")?;
        let mut parameters = Map::new();
        said.rename("n", "n", &mut parameters);
        if let Some(size) = said.text("size")? {
            parameters.insert("size".to_owned(), size.replace('x', "*").into());
        }
        said.take("response_format");
        parameters.extend(said.rest());
        let body = json!({
            "model": job.target.model,
            "input": {"messages": [{"role": "user", "content": [{"text": prompt}]}]},
            "parameters": parameters,
        });
        let path = "/api/v1/services/aigc/multimodal-generation/generation".to_owned();
        Ok(vec![Sending::json(Place::Host("https://dashscope.aliyuncs.com", path), &body)])
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let mut pictures = Vec::new();
        for choice in reply["output"]["choices"].as_array().into_iter().flatten() {
            for part in choice["message"]["content"].as_array().into_iter().flatten() {
                pictures.extend(part["image"].as_str().map(at_url));
            }
        }
        pictures.extend(
            reply["output"]["results"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|one| one["url"].as_str().map(at_url)),
        );
        if pictures.is_empty() {
            return Err(broken("picture"));
        }
        Ok(Step::done(drawn(pictures, None)))
    }
}
