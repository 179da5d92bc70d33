//! `/v1/tool/spend`: what calls cost by the tools their answers invoked. A call that invoked several counts in full for
//! each of them, so the figures do not add up to what was spent.

use gateway_db::{ToolSpend, ToolsQuery};
use http::StatusCode;
use serde_json::{Value, json};

use super::days;
use super::job::Job;
use super::refusal::Refusal;
use super::view::money;

/// Days before the last one that are looked back unless told: LiteLLM's number, as the next.
const USUAL_DAYS: i64 = 30;
/// Tools of an answer, at most.
const MOST: u64 = 100;
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// Answers with the dearest tools of some days, and with those days one by one.
pub(super) async fn run(job: &Job) -> Result<Value, Refusal> {
    let to_day = day(job, "end_date")?.unwrap_or_else(|| job.moment.now.div_euclid(DAY_MS));
    let from_day = day(job, "start_date")?.unwrap_or(to_day - USUAL_DAYS);
    let query = ToolsQuery { from_day, to_day, most: MOST };
    let by_tool = job.db.spend_by_tool(&query).await?;
    let daily = job.db.spend_by_tool_and_day(&query).await?;
    Ok(json!({
        "by_tool": by_tool.iter().map(of_tool).collect::<Vec<_>>(),
        "daily": daily.iter().map(of_day).collect::<Vec<_>>(),
        "start_date": days::text(&from_day.to_string()),
        "end_date": days::text(&to_day.to_string()),
    }))
}

fn day(job: &Job, name: &str) -> Result<Option<i64>, Refusal> {
    days::param(job, name).map_err(|_| {
        let found = job.param(name).unwrap_or_default();
        let words = format!("Invalid date format: {found}. Expected: 'YYYY-MM-DD' (`{name}`)");
        Refusal::Detail(StatusCode::BAD_REQUEST, words.into())
    })
}

fn of_tool(sum: &ToolSpend) -> Value {
    json!({
        "tool_name": sum.tool,
        "spend": money(Some(sum.cost)),
        "call_count": sum.calls,
        "total_tokens": sum.tokens,
    })
}

fn of_day(sum: &ToolSpend) -> Value {
    json!({
        "date": days::text(&sum.day.to_string()),
        "tool_name": sum.tool,
        "spend": money(Some(sum.cost)),
        "call_count": sum.calls,
    })
}
