//! Who is in a team: let in, changed, let go, shown to itself.

use gateway_db::{Change, DbErrorKind, ScopeId, ScopeKind, ScopeQuery, ScopeRecord};
use http::StatusCode;
use llm_types::{ErrorKind, Money};
use serde_json::{Value, json};

use super::super::budget_fields::check_extra;
use super::super::fields::{self, Fields};
use super::super::job::Job;
use super::super::members::{self, Member};
use super::super::refusal::Refusal;
use super::super::scope_fields::{LimitEdit, ScopeEdit};
use super::super::scope_view as view;
use super::{existing, member_budget, memberships, row, teams_of};
use crate::walk::Caller;

/// The roles of a member.
pub(super) const ROLES: &[&str] = &["admin", "user"];
/// The most members that are let in by one request.
const MOST: usize = 500;

pub(super) async fn add(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let id = fields.required("team_id");
    let wanted = members_of(&mut fields, "member");
    let limits = member_limits(job, &mut fields);
    fields.finish()?;
    let team = existing(job, &id).await?;
    joined(job, &team, &wanted, limits).await
}

/// The members that a request has to name.
fn members_of(fields: &mut Fields, name: &str) -> Vec<Member> {
    match fields.required_any(name) {
        // That it is missing is told already.
        Value::Null => Vec::new(),
        given => members::read(fields, (name, &given), ROLES),
    }
}

/// Lets users into a team; the answer is the team with who came in.
async fn joined(
    job: &Job,
    team: &ScopeRecord,
    wanted: &[Member],
    (limits, models): (LimitEdit, Option<Vec<String>>),
) -> Result<Value, Refusal> {
    let id = &team.id.id;
    let have = job.members(ScopeKind::TeamMember, id).await?;
    let (mut users, mut made) = (Vec::new(), Vec::new());
    for member in wanted {
        if let Some(user) = have.iter().find(|have| member.user_id.as_deref() == Some(&have.id.member)) {
            return Err(already_in_team(&user.id));
        }
        let rest = (limits.clone(), models.clone().unwrap_or_default(), member_budget(team));
        let joined = job.join(ScopeKind::TeamMember, id, member, rest).await;
        let (user, membership) = joined.map_err(|refusal| match &member.user_id {
            // Another request has let them in meanwhile.
            Some(user) if refusal.is_about(DbErrorKind::DuplicateScope) => {
                already_in_team(&ScopeId::member(ScopeKind::TeamMember, id, user))
            }
            _ => refusal,
        })?;
        let teams = teams_of(job, &user.id.id).await?;
        users.push(Value::Object(view::user(&user, job.spent(&user), &teams)));
        made.push(membership);
    }
    let mut answer = row(job, team).await?;
    answer["updated_users"] = Value::Array(users);
    answer["updated_team_memberships"] = memberships(job, &made);
    Ok(answer)
}

/// The limits of a member inside its team, and the models it may use there.
pub(super) fn member_limits(job: &Job, fields: &mut Fields) -> (LimitEdit, Option<Vec<String>>) {
    let mut limits = LimitEdit {
        max_budget: fields.money("max_budget_in_team"),
        budget_duration: fields.period("budget_duration"),
        rpm_limit: fields.count("rpm_limit"),
        tpm_limit: fields.count("tpm_limit"),
        ..LimitEdit::default()
    };
    match fields::reset(&limits.budget_duration, &job.moment) {
        Ok(at) => limits.budget_reset_at = at,
        Err(refusal) => fields.refuse(refusal),
    }
    (limits, fields::always(fields.texts("allowed_models")))
}

/// What is added to a member's budget for a time, and until when.
const RAISE: [&str; 2] = ["temp_budget_increase", "temp_budget_expiry"];

pub(super) async fn update(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let id = fields.required("team_id");
    let who = (fields.text("user_id"), fields.text("user_email"));
    let role = fields.text("role");
    if let Change::Set(role) = &role
        && !ROLES.contains(&role.as_str())
    {
        fields.wrong("enum", "role", "Input should be 'admin' or 'user'", &json!(role));
    }
    let (limits, models) = member_limits(job, &mut fields);
    let mut extra = fields.finish()?;
    extra.retain(|name, _| RAISE.contains(&name.as_str()));
    check_extra(&extra)?;
    let member = job.membership(ScopeKind::TeamMember, &id, who).await?;
    let edit = ScopeEdit { role, limits, models, extra, ..ScopeEdit::default() };
    let record = job.edit(&member.id, edit).await?;
    let settings = &record.settings;
    Ok(json!({
        "team_id": id,
        "user_id": record.id.member,
        "user_email": settings.email,
        "max_budget_in_team": settings.max_budget.map(Money::as_usd),
        "tpm_limit": settings.tpm_limit,
        "rpm_limit": settings.rpm_limit,
        "budget_duration": settings.budget_duration,
        "allowed_models": settings.models,
        "temp_budget_increase": settings.extra.get(RAISE[0]),
        "temp_budget_expiry": settings.extra.get(RAISE[1]),
    }))
}

pub(super) async fn delete(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let id = fields.required("team_id");
    let who = (fields.text("user_id"), fields.text("user_email"));
    fields.finish()?;
    let team = existing(job, &id).await?;
    let member = job.membership(ScopeKind::TeamMember, &id, who).await?;
    job.remove(std::slice::from_ref(&member.id)).await?;
    row(job, &team).await
}

/// `/team/bulk_member_add`: several members at once, or every user there is. Who is in the team already stays as
/// they are; each of the others comes in or is refused by itself.
pub(super) async fn add_several(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let id = fields.required("team_id");
    let all = fields.flag("all_users") == Change::Set(true);
    let named = if all { Vec::new() } else { members_of(&mut fields, "members") };
    let (limits, models) = member_limits(job, &mut fields);
    fields.finish()?;
    let team = existing(job, &id).await?;
    let wanted = if all { every_user(job).await? } else { named };
    if wanted.len() > MOST {
        let message = format!("Maximum {MOST} members can be added at once");
        return Err(Refusal::detail(StatusCode::BAD_REQUEST, message));
    }
    let (mut results, mut good) = (Vec::with_capacity(wanted.len()), 0_usize);
    for member in &wanted {
        let one = std::slice::from_ref(member);
        let done = joined(job, &team, one, (limits.clone(), models.clone())).await;
        good += usize::from(done.is_ok());
        results.push(told(member, done));
    }
    Ok(json!({
        "team_id": id,
        "results": results,
        "total_requested": wanted.len(),
        "successful_additions": good,
        "failed_additions": wanted.len() - good,
        "updated_team": row(job, &team).await?,
    }))
}

async fn every_user(job: &Job) -> Result<Vec<Member>, Refusal> {
    let users = job.db.list_scopes(&ScopeQuery::of(ScopeKind::User)).await?.items;
    let member =
        |user: ScopeRecord| Member { user_id: Some(user.id.id), email: None, role: "user".to_owned() };
    Ok(users.into_iter().map(member).collect())
}

fn told(member: &Member, done: Result<Value, Refusal>) -> Value {
    let mut told = json!({ "user_id": member.user_id, "user_email": member.email, "success": done.is_ok() });
    match done {
        Ok(answer) => {
            told["updated_user"] = answer["updated_users"][0].clone();
            told["updated_team_membership"] = answer["updated_team_memberships"][0].clone();
        }
        Err(refusal) => told["error"] = json!(refusal.reason()),
    }
    told
}

/// `/team/{team_id}/members/me`: what a member may and has spent.
pub(super) async fn own(job: &Job) -> Result<Value, Refusal> {
    let id = job.named.clone().unwrap_or_default();
    let user = match &job.caller {
        Caller::Operator => None,
        Caller::Key(entry) => entry.record.settings.user_id.clone(),
    };
    existing(job, &id).await?;
    let scope = ScopeId::member(ScopeKind::TeamMember, &id, user.unwrap_or_else(|| job.by.clone()));
    let found = job.db.scope(&scope).await?;
    let member = found.ok_or_else(|| {
        let message = format!("User id={} is no member of {id}", scope.member);
        Refusal::detail(StatusCode::NOT_FOUND, message)
    })?;
    Ok(view::membership(&member, job.spent(&member)))
}

fn already_in_team(member: &ScopeId) -> Refusal {
    let name = view::name(member);
    let message = format!("User already in team: {name}");
    Refusal::about(ErrorKind::BadRequest, "team_member_already_in_team", "member", message)
}
