//! Where a prompt goes by its meaning: a semantic router's prompt and utterances as points, in calls that the caller pays
//! for.

use std::sync::Arc;

use llm_router::auto::{Decision, Semantic};
use llm_types::{Error, ErrorKind, Operation, Origin, Result};
use serde_json::{Value, json};

use super::auto::ask_inner;
use super::{Call, Caller};

/// The group whose utterances are nearest to the prompt. A provider that does not embed leaves the default.
pub(super) async fn nearest(
    call: &Call,
    caller: &Caller,
    (id, router): (&str, &Semantic),
    said: &str,
) -> Result<Option<Decision>> {
    let lessons = &call.core.shared.lessons;
    let embedded = async {
        let index = match lessons.index(id, router.fingerprint()) {
            Some(index) => index,
            None => {
                let utterances: Vec<&str> = router.utterances().collect();
                let points = embed(call, caller, &router.embedding, &utterances).await?;
                let index = Arc::new(router.index(points).ok_or_else(strange)?);
                lessons.keep_index(id, Arc::clone(&index));
                index
            }
        };
        let point =
            embed(call, caller, &router.embedding, &[router.asked(said)]).await?.pop().ok_or_else(strange)?;
        Ok(router.decide(point, &index))
    };
    match embedded.await {
        Ok(decision) => Ok(decision),
        // A limit or a budget of the caller's holds for the call as a whole.
        Err(error) if Error::origin(&error) == Origin::Gateway => Err(error),
        Err(error) => match &router.default {
            None => Err(error),
            Some(default) => {
                tracing::warn!(%error, router = id, "a prompt could not be embedded: the default model serves it");
                let cause = "embedding_failed";
                Ok(Some(Decision {
                    model: Arc::clone(default),
                    kind: "semantic",
                    cause,
                    ..Decision::default()
                }))
            }
        },
    }
}

fn strange() -> Error {
    Error::new(ErrorKind::BadUpstream, "the embedding model gave another number of embeddings than asked for")
}

/// Embeds texts by a group, as a call of its own that the caller pays for.
async fn embed(call: &Call, caller: &Caller, group: &str, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
    let body = json!({ "model": group, "input": texts }).to_string();
    let inner = call.inner("/v1/embeddings", "aembedding", Some(Operation::Embeddings), body.into())?;
    let (body, _) = ask_inner(inner, caller).await?;
    let reply: Value = serde_json::from_slice(&body).unwrap_or_default();
    let rows = reply.get("data").and_then(Value::as_array).ok_or_else(strange)?;
    let points: Option<Vec<Vec<f32>>> = rows.iter().map(point).collect();
    points.filter(|points| points.len() == texts.len()).ok_or_else(strange)
}

#[expect(clippy::cast_possible_truncation, reason = "embeddings are of single precision")]
fn point(row: &Value) -> Option<Vec<f32>> {
    row.get("embedding")?
        .as_array()?
        .iter()
        .map(|number| number.as_f64().map(|number| number as f32))
        .collect()
}
