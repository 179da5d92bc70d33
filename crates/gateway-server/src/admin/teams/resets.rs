//! What a member has spent in its team is set back, or its budget there is the team's again.

use gateway_db::{Change, ScopeKind, ScopeRecord};
use http::StatusCode;
use llm_types::{Error, ErrorKind, Money};
use serde_json::{Value, json};

use super::super::job::Job;
use super::super::refusal::Refusal;
use super::super::scope_fields::{LimitEdit, ScopeEdit};
use super::super::scope_view as view;
use super::super::view::time;
use super::{existing, member_budget};
use crate::walk::{Caller, Role};

/// `/team/{team_id}/member/{user_id}/reset_spend`: what is spent of its budget becomes `reset_to`, no more than it is.
pub(super) async fn spend(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let spend = fields.needs("reset_to", |fields| fields.money("reset_to"));
    fields.finish()?;
    let (_, member) = named(job).await?;
    if is_own(job, &member) {
        // Who runs a team would never reach the limit the team has for them.
        let message = "Cannot reset your own spend. Ask a proxy admin.";
        return Err(Error::new(ErrorKind::Forbidden, message).with_vendor_type("auth_error").into());
    }
    let before = job.spent(&member);
    if spend > before {
        let (asked, now) = (spend.as_usd(), before.as_usd());
        let message = format!("reset_to is {asked}, expected no more than the current spend {now}");
        return Err(Refusal::detail(StatusCode::BAD_REQUEST, message));
    }
    let record = job.edit(&member.id, ScopeEdit { spend: Some(spend), ..ScopeEdit::default() }).await?;
    Ok(json!({
        "team_id": record.id.id,
        "user_id": record.id.member,
        "spend": spend.as_usd(),
        "previous_spend": before.as_usd(),
        "max_budget": record.settings.max_budget.map(Money::as_usd),
        "budget_reset_at": time(record.settings.budget_reset_at),
    }))
}

/// `/team/{team_id}/member/{user_id}/reset_budget`: the limits the team has for its members hold again. What the
/// member has spent stays, and so do the models it may use.
pub(super) async fn budget(job: &Job) -> Result<Value, Refusal> {
    let (team, member) = named(job).await?;
    let limits = LimitEdit {
        max_budget: Change::Clear,
        soft_budget: Change::Clear,
        budget_duration: Change::Clear,
        budget_reset_at: Change::Clear,
        rpm_limit: Change::Clear,
        tpm_limit: Change::Clear,
        ..LimitEdit::default()
    };
    let budget_id = member_budget(&team).map_or(Change::Clear, Change::Set);
    let record = job.edit(&member.id, ScopeEdit { limits, budget_id, ..ScopeEdit::default() }).await?;
    let mut row = view::membership(&record, job.spent(&record));
    row["previous_budget_id"] = json!(member.settings.budget_id);
    row["budget_source"] = json!(super::shown::source(&record, member_budget(&team).as_deref()));
    Ok(row)
}

/// The team and the membership that the path names.
async fn named(job: &Job) -> Result<(ScopeRecord, ScopeRecord), Refusal> {
    let team = existing(job, job.named.as_deref().unwrap_or_default()).await?;
    let user = job.named_too.clone().unwrap_or_default();
    let member =
        job.membership(ScopeKind::TeamMember, &team.id.id, (Change::Set(user), Change::Keep)).await?;
    Ok((team, member))
}

/// Whether somebody who is no administrator means itself.
fn is_own(job: &Job, member: &ScopeRecord) -> bool {
    let Caller::Key(entry) = &job.caller else { return false };
    job.caller.role() == Role::Other && entry.record.settings.user_id.as_ref() == Some(&member.id.member)
}
