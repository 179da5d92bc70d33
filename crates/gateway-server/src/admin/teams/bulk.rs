//! `/management/v1/teams/{team_id}/members/*`: many members at once, each done or refused by itself.

use gateway_db::{Change, ScopeId, ScopeKind, ScopeRecord, ScopeSettings};
use http::StatusCode;
use llm_types::Money;
use serde_json::{Value, json};

use super::super::fields::Fields;
use super::super::job::Job;
use super::super::refusal::Refusal;
use super::super::scope_fields::{LimitEdit, ScopeEdit};
use super::membership::member_limits;
use super::team_id;

/// The most members that one request names.
const MOST: usize = 500;

/// A member as a request names it, and what it says of it.
struct Entry {
    who: (Change<String>, Change<String>),
    limits: LimitEdit,
    models: Option<Vec<String>>,
}

/// Takes members out of a team, all of them at the same time.
pub(super) async fn delete(job: &Job) -> Result<Value, Refusal> {
    let entries = read(job, |_| (LimitEdit::default(), None))?;
    let team = team(job).await?;
    let (mut gone, mut rows) = (Vec::new(), Vec::with_capacity(entries.len()));
    for entry in &entries {
        let found = member(job, &team, entry, &gone).await?;
        rows.push(told(entry, &found));
        gone.extend(found.ok().map(|member| member.id));
    }
    job.remove(&gone).await?;
    Ok(json!({ "data": rows }))
}

/// Sets limits of members: what a row leaves out stays, null takes a limit away, and where a member has none of its
/// own the team's default holds.
pub(super) async fn update(job: &Job) -> Result<Value, Refusal> {
    let entries = read(job, |fields| member_limits(job, fields))?;
    let team = team(job).await?;
    let (mut done, mut rows) = (Vec::new(), Vec::with_capacity(entries.len()));
    for entry in entries {
        let found = member(job, &team, &entry, &done).await?;
        let mut row = told(&entry, &found);
        if let Ok(member) = found {
            let edit = ScopeEdit { limits: entry.limits, models: entry.models, ..ScopeEdit::default() };
            let record = job.edit(&member.id, edit).await?;
            in_force(job, &record, &mut row).await?;
            done.push(member.id);
        }
        rows.push(row);
    }
    Ok(json!({ "data": rows }))
}

/// The members of a request; all of it is read before anything is done.
fn read(
    job: &Job,
    more: impl Fn(&mut Fields) -> (LimitEdit, Option<Vec<String>>),
) -> Result<Vec<Entry>, Refusal> {
    let mut fields = job.fields()?;
    let given = fields.any("members").unwrap_or(Value::Null);
    fields.nothing_else()?;
    let list = given.as_array().filter(|list| (1..=MOST).contains(&list.len()));
    let list =
        list.ok_or_else(|| wrong(&format!("Input should be a list of 1 to {MOST} members"), &given))?;
    let mut entries = Vec::with_capacity(list.len());
    for one in list {
        let mut fields = Fields::read(one.to_string().as_bytes())?;
        let who = (fields.text("user_id"), fields.text("user_email"));
        let (limits, models) = more(&mut fields);
        fields.nothing_else()?;
        if matches!(who.0, Change::Set(_)) == matches!(who.1, Change::Set(_)) {
            return Err(wrong("Each member must be identified by exactly one of user_id or user_email", one));
        }
        entries.push(Entry { who, limits, models });
    }
    Ok(entries)
}

fn wrong(message: &str, found: &Value) -> Refusal {
    Refusal::Fields(vec![Refusal::field("value_error", "members", message, found)])
}

async fn team(job: &Job) -> Result<ScopeRecord, Refusal> {
    let id = job.named.as_deref().unwrap_or_default();
    let found = job.db.scope(&team_id(id)).await?;
    found.ok_or_else(|| {
        let words = format!("Team {id} does not exist.");
        Refusal::problem(StatusCode::NOT_FOUND, "team-not-found", &words, &[])
    })
}

/// The member that an entry names, or why it is none that something is done for.
async fn member(
    job: &Job,
    team: &ScopeRecord,
    entry: &Entry,
    before: &[ScopeId],
) -> Result<Result<ScopeRecord, String>, Refusal> {
    Ok(match job.membership(ScopeKind::TeamMember, &team.id.id, entry.who.clone()).await {
        Ok(member) if before.contains(&member.id) => Err("an earlier row names the same member".to_owned()),
        Ok(member) => Ok(member),
        Err(refusal @ Refusal::Detail(..)) => Err(refusal.reason()),
        Err(refusal) => return Err(refusal),
    })
}

fn told(entry: &Entry, found: &Result<ScopeRecord, String>) -> Value {
    let text = |said: &Change<String>| match said {
        Change::Set(text) => Some(text.clone()),
        Change::Keep | Change::Clear => None,
    };
    let member = found.as_ref().ok();
    json!({
        "user_id": member.map(|member| member.id.member.clone()).or_else(|| text(&entry.who.0)),
        "user_email": member.and_then(|member| member.settings.email.clone()).or_else(|| text(&entry.who.1)),
        "success": found.is_ok(),
        "error": found.as_ref().err(),
    })
}

/// The limits that hold for a member now: its own before its team's default.
async fn in_force(job: &Job, member: &ScopeRecord, row: &mut Value) -> Result<(), Refusal> {
    let own = &member.settings;
    let usual = match &own.budget_id {
        Some(id) => job.db.scope(&ScopeId::new(ScopeKind::Budget, id)).await?.map(|budget| budget.settings),
        None => None,
    };
    let usual: ScopeSettings = usual.unwrap_or_default();
    let source = match (own.max_budget, usual.max_budget) {
        (Some(_), _) => Some("member"),
        (None, Some(_)) => Some("team_default"),
        (None, None) => None,
    };
    row["budget_id"] = json!(own.budget_id);
    row["max_budget"] = json!(own.max_budget.or(usual.max_budget).map(Money::as_usd));
    row["max_budget_source"] = json!(source);
    row["tpm_limit"] = json!(own.tpm_limit.or(usual.tpm_limit));
    row["rpm_limit"] = json!(own.rpm_limit.or(usual.rpm_limit));
    row["budget_duration"] = json!(own.budget_duration.as_ref().or(usual.budget_duration.as_ref()));
    row["allowed_models"] = json!(own.models);
    Ok(())
}
