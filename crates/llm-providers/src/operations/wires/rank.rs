//! Reranking: Cohere's wire, which most vendors have, and the bodies of those that have another.
//! <https://docs.cohere.com/reference/rerank>

use llm_types::{OperationReply, Ranked, Ranking, Result, Units, Usage};
use serde_json::{Map, Value, json};

use super::openai::Openai;
use super::parts::{Said, broken, documents, only, unsupported};
use super::texts::watsonx_owner;
use crate::operations::{Job, Place, Received, Sending, Step, Wire};

/// Cohere's wire, or one that differs from it in names only.
#[derive(Debug)]
pub(crate) struct Cohere;

impl Wire for Cohere {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        Openai.begin(job)
    }

    fn read(&self, job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let complete = reply["results"].as_array().is_some_and(|results| {
            results.iter().all(|one| one["index"].is_u64() && one["relevance_score"].is_number())
        });
        let unshown = job.entry.lacks.contains(&"return_documents") && shows(job);
        if complete && !unshown {
            return Ok(Step::Forward);
        }
        let usage = &reply["usage"];
        let tokens = usage["total_tokens"].as_u64().or_else(|| usage["prompt_tokens"].as_u64());
        let list = if reply["results"].is_array() { &reply["results"] } else { &reply["data"] };
        let id = reply["id"].as_str().map(str::to_owned);
        Ok(Step::done(ranking(job, list, tokens, None, id)?))
    }
}

/// Whether the caller wants the documents back.
fn shows(job: &Job<'_>) -> bool {
    job.asked.request().is_ok_and(|request| request.flag("return_documents") == Some(true))
}

/// A ranking of results under whichever names.
fn ranking(
    job: &Job<'_>,
    list: &Value,
    tokens: Option<u64>,
    queries: Option<u64>,
    id: Option<String>,
) -> Result<OperationReply> {
    let list = list.as_array().ok_or_else(|| broken("list of results"))?;
    let texts =
        if shows(job) { documents(job.request.params.get("documents").cloned())? } else { Vec::new() };
    let mut results = Vec::with_capacity(list.len());
    for one in list {
        let index = one["index"].as_u64().or_else(|| one["id"].as_str()?.parse().ok());
        let index = index.ok_or_else(|| broken("`index` of a result"))?;
        let score = ["relevance_score", "relevanceScore", "score", "logit"]
            .into_iter()
            .find_map(|name| one[name].as_f64())
            .ok_or_else(|| broken("score of a result"))?;
        let text = usize::try_from(index).ok().and_then(|index| texts.get(index));
        results.push(Ranked { index, score, document: text.map(|text| json!({ "text": text })) });
    }
    let units = queries.map(|queries| Box::new(Units { queries: Some(queries), ..Units::default() }));
    let usage = (tokens.is_some() || units.is_some()).then(|| Usage {
        input_tokens: tokens.unwrap_or(0),
        units,
        ..Usage::default()
    });
    Ok(OperationReply::Ranking(Ranking { id, results, usage }))
}

/// What every wire below begins with.
struct Question {
    said: Said,
    query: Value,
    documents: Vec<String>,
    top: Option<Value>,
}

impl Question {
    fn of(job: &Job<'_>) -> Result<Self> {
        let mut said = Said::of(job);
        let query = said.take("query").unwrap_or_default();
        let documents = documents(said.take("documents"))?;
        let top = said.take("top_n");
        // The gateway puts the documents into the reply.
        said.take("return_documents");
        Ok(Self { said, query, documents, top })
    }
}

/// The best first, no more than asked for: for vendors that score in the order of the request.
fn best(reply: OperationReply, job: &Job<'_>) -> OperationReply {
    let OperationReply::Ranking(mut reply) = reply else { return reply };
    reply.results.sort_by(|one, other| other.score.total_cmp(&one.score));
    if let Some(top) = job.request.whole("top_n").and_then(|top| usize::try_from(top).ok()) {
        reply.results.truncate(top);
    }
    OperationReply::Ranking(reply)
}

/// NVIDIA's retrieval microservices. <https://docs.api.nvidia.com/nim/reference/retrieval-apis>
#[derive(Debug)]
pub(crate) struct Nvidia;

impl Wire for Nvidia {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let Question { said, query, documents, top } = Question::of(job)?;
        let (model, own) = match job.target.model.strip_prefix("ranking/") {
            Some(model) => (model, true),
            None => (&*job.target.model, false),
        };
        let passages: Vec<Value> = documents.into_iter().map(|text| json!({ "text": text })).collect();
        // In URLs the dots of a model's name are underscores.
        let mut body = Map::new();
        body.insert("model".to_owned(), model.replace("3_2", "3.2").into());
        body.insert("query".to_owned(), json!({ "text": query }));
        body.insert("passages".to_owned(), passages.into());
        body.extend(top.filter(|_| !own).map(|top| ("top_k".to_owned(), top)));
        body.extend(said.rest());
        let path = match own {
            true => "/v1/ranking".to_owned(),
            false => format!("/v1/retrieval/{}/reranking", model.replace('.', "_")),
        };
        Ok(vec![Sending::json(Place::Host("https://ai.api.nvidia.com", path), &body.into())])
    }

    fn read(&self, job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let tokens = reply["usage"]["total_tokens"].as_u64();
        Ok(Step::done(best(ranking(job, &reply["rankings"], tokens, None, None)?, job)))
    }
}

/// DeepInfra's: a query for each document. <https://deepinfra.com/docs/inference>
#[derive(Debug)]
pub(crate) struct Deepinfra;

impl Wire for Deepinfra {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let Question { said, query, documents, .. } = Question::of(job)?;
        let mut body = Map::new();
        body.insert("queries".to_owned(), vec![query; documents.len()].into());
        body.insert("documents".to_owned(), documents.into());
        body.extend(said.rest());
        let path = format!("/v1/inference/{}", job.target.model);
        Ok(vec![Sending::json(Place::Host("https://api.deepinfra.com", path), &body.into())])
    }

    fn read(&self, job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let scores = reply["scores"].as_array().ok_or_else(|| broken("`scores`"))?;
        let list = scores.iter().enumerate().map(|(index, score)| json!({"index": index, "score": score}));
        let tokens = reply["input_tokens"].as_u64();
        let id = reply["request_id"].as_str().map(str::to_owned);
        Ok(Step::done(best(ranking(job, &list.collect(), tokens, None, id)?, job)))
    }
}

/// text-embeddings-inference. <https://huggingface.github.io/text-embeddings-inference/>
#[derive(Debug)]
pub(crate) struct Inference;

impl Wire for Inference {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let Question { said, query, documents, top } = Question::of(job)?;
        let mut body = Map::new();
        body.insert("query".to_owned(), query);
        body.insert("texts".to_owned(), documents.into());
        for (name, usual) in [("raw_scores", false), ("return_text", shows(job)), ("truncate", false)] {
            body.insert(name.to_owned(), usual.into());
        }
        body.insert("truncation_direction".to_owned(), "Right".into());
        // The server ranks all of them; LiteLLM says it all the same.
        body.extend(top.map(|top| ("top_n".to_owned(), top)));
        body.extend(said.rest());
        Ok(vec![Sending::json(
            Place::Host("https://api-inference.huggingface.co", "/rerank".to_owned()),
            &body.into(),
        )])
    }

    fn read(&self, job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        Ok(Step::done(best(ranking(job, &only(rounds)?, None, None, None)?, job)))
    }
}

/// watsonx. <https://cloud.ibm.com/apidocs/watsonx-ai#text-rerank>
#[derive(Debug)]
pub(crate) struct Watsonx;

impl Wire for Watsonx {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let Question { mut said, query, documents, top } = Question::of(job)?;
        let mut options = Map::new();
        options.extend(top.map(|top| ("top_n".to_owned(), top)));
        options.insert("inputs".to_owned(), shows(job).into());
        let inputs: Vec<Value> = documents.into_iter().map(|text| json!({ "text": text })).collect();
        let mut body = Map::new();
        body.insert("query".to_owned(), query);
        body.insert("inputs".to_owned(), inputs.into());
        body.insert("model_id".to_owned(), job.target.model.clone().into());
        watsonx_owner(job, &mut said, &mut body);
        let mut parameters = said.rest();
        parameters.insert("return_options".to_owned(), options.into());
        body.insert("parameters".to_owned(), parameters.into());
        let path = "/ml/v1/text/rerank?version={version}".to_owned();
        Ok(vec![Sending::json(Place::Path(path), &body.into())])
    }

    fn read(&self, job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let tokens = reply["input_token_count"].as_u64();
        Ok(Step::done(ranking(job, &reply["results"], tokens, None, None)?))
    }
}

/// Google's ranking API. <https://cloud.google.com/generative-ai-app-builder/docs/ranking>
#[derive(Debug)]
pub(crate) struct Google;

impl Wire for Google {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let Question { said, query, documents, top } = Question::of(job)?;
        let title = |text: &str| text.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
        let records: Vec<Value> = documents
            .iter()
            .enumerate()
            .map(|(index, text)| json!({"id": index.to_string(), "title": title(text), "content": text}))
            .collect();
        let mut body = Map::new();
        body.insert("model".to_owned(), job.target.model.clone().into());
        body.insert("query".to_owned(), query);
        body.insert("records".to_owned(), records.into());
        body.extend(top.map(|top| ("topN".to_owned(), top)));
        body.insert("ignoreRecordDetailsInResponse".to_owned(), (!shows(job)).into());
        body.extend(said.rest());
        let path = "/v1/projects/{project}/locations/global/rankingConfigs/default_ranking_config:rank";
        let place = Place::Host("https://discoveryengine.googleapis.com", path.to_owned());
        Ok(vec![Sending::json(place, &body.into()).with_project(job)])
    }

    fn read(&self, job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        Ok(Step::done(ranking(job, &reply["records"], None, Some(1), None)?))
    }
}

/// Bedrock's. <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_Rerank.html>
#[derive(Debug)]
pub(crate) struct Bedrock;

impl Wire for Bedrock {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let Question { said, query, documents, top } = Question::of(job)?;
        said.end(job)?;
        let model = &job.target.model;
        let arn = match model.starts_with("arn:") {
            true => model.clone(),
            false => format!("arn:aws:bedrock:{}::foundation-model/{model}", job.target.region()),
        };
        let mut configuration =
            Map::from_iter([("modelConfiguration".to_owned(), json!({ "modelArn": arn }))]);
        configuration.extend(top.map(|top| ("numberOfResults".to_owned(), top)));
        let sources: Vec<Value> = documents
            .into_iter()
            .map(|text| json!({"type": "INLINE", "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": text}}}))
            .collect();
        let body = json!({
            "queries": [{"type": "TEXT", "textQuery": {"text": query}}],
            "rerankingConfiguration": {
                "type": "BEDROCK_RERANKING_MODEL",
                "bedrockRerankingConfiguration": configuration,
            },
            "sources": sources,
        });
        let place = Place::Host("https://bedrock-agent-runtime.{region}.amazonaws.com", "/rerank".to_owned());
        Ok(vec![Sending::json(place, &body)])
    }

    fn read(&self, job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let documents = job.request.params.get("documents").and_then(Value::as_array).map_or(0, Vec::len);
        // A query has up to a hundred documents; more count as more.
        let queries = (documents as u64).div_ceil(100).max(1);
        Ok(Step::done(ranking(job, &only(rounds)?["results"], None, Some(queries), None)?))
    }
}

/// `DashScope`'s own rerank service. <https://help.aliyun.com/zh/model-studio/text-rerank-api>
#[derive(Debug)]
pub(crate) struct Dashscope;

impl Wire for Dashscope {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let Question { said, query, documents, top } = Question::of(job)?;
        let mut body = Map::new();
        body.insert("model".to_owned(), job.target.model.clone().into());
        body.insert("query".to_owned(), query);
        body.insert("documents".to_owned(), documents.into());
        body.extend(top.map(|top| ("top_n".to_owned(), top)));
        let shown = job.request.params.get("return_documents");
        body.extend(shown.map(|shown| ("return_documents".to_owned(), shown.clone())));
        body.extend(said.rest());
        if job.request.params.contains_key("rank_fields") {
            return Err(unsupported(job, "rank_fields"));
        }
        let host = "https://dashscope.aliyuncs.com";
        Ok(vec![Sending::json(Place::Host(host, "/compatible-api/v1/reranks".to_owned()), &body.into())])
    }

    fn read(&self, job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = only(rounds)?;
        let list = if reply["results"].is_array() { &reply["results"] } else { &reply["output"]["results"] };
        let id = reply["id"].as_str().or_else(|| reply["request_id"].as_str()).map(str::to_owned);
        Ok(Step::done(ranking(job, list, reply["usage"]["total_tokens"].as_u64(), None, id)?))
    }
}
