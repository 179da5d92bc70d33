//! `/organization/*`: organisations and their members (surface §3.7). Nothing here asks for a licence.

use gateway_db::{Change, ScopeId, ScopeKind, ScopeQuery, ScopeRecord, SpendBy};
use http::StatusCode;
use llm_types::ErrorKind;
use serde_json::{Value, json};

use super::job::Job;
use super::members;
use super::refusal::Refusal;
use super::scope_fields::{LimitEdit, ScopeEdit};
use super::scope_view as view;
use crate::identity::new_id;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrganizationAction {
    New,
    Update,
    Delete,
    Info,
    InfoOfSeveral,
    List,
    MemberAdd,
    MemberUpdate,
    MemberDelete,
}

/// The roles of a member.
const ROLES: &[&str] = &["org_admin", "internal_user", "internal_user_viewer", "user"];

/// Does what is asked about organisations.
pub(super) async fn run(job: Job, action: OrganizationAction) -> Result<Value, Refusal> {
    match action {
        OrganizationAction::New => new(&job).await,
        OrganizationAction::Update => update(&job).await,
        OrganizationAction::Delete => delete(&job).await,
        OrganizationAction::Info => info(&job).await,
        OrganizationAction::InfoOfSeveral => info_of_several(&job).await,
        OrganizationAction::List => list(&job).await,
        OrganizationAction::MemberAdd => member_add(&job).await,
        OrganizationAction::MemberUpdate => member_update(&job).await,
        OrganizationAction::MemberDelete => member_delete(&job).await,
    }
}

async fn new(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let id = match fields.text("organization_id") {
        Change::Set(id) => id,
        Change::Keep | Change::Clear => new_id(),
    };
    let alias = Change::Set(fields.required("organization_alias"));
    let mut edit = fields.scope(&job.moment)?;
    edit.alias = alias;
    let spend = edit.spend.take().unwrap_or_default();
    if job.db.scope(&organization(&id)).await?.is_some() {
        return Err(Refusal::taken(&organization(&id)));
    }
    let record = job.make_new(organization(&id), edit.settings(), spend).await?;
    row(job, &record).await
}

async fn update(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let id = fields.required("organization_id");
    let alias = fields.text("organization_alias");
    let mut edit = fields.scope(&job.moment)?;
    edit.alias = alias;
    existing(job, &id).await?;
    row(job, &job.edit(&organization(&id), edit).await?).await
}

async fn delete(job: &Job) -> Result<Value, Refusal> {
    let ids = job.fields()?.naming_several("organization_ids")?;
    let mut rows = Vec::new();
    let mut gone = Vec::new();
    for id in &ids {
        let record = existing(job, id).await?;
        rows.push(row(job, &record).await?);
        gone.push(record.id);
        gone.extend(
            job.members(ScopeKind::OrganizationMember, id).await?.into_iter().map(|member| member.id),
        );
    }
    job.remove(&gone).await?;
    Ok(Value::Array(rows))
}

async fn info(job: &Job) -> Result<Value, Refusal> {
    let Some(id) = job.param("organization_id") else {
        return Err(Refusal::missing("organization_id"));
    };
    row(job, &existing(job, &id).await?).await
}

/// The organisations that a request to `POST /organization/info` names.
///
/// # Errors
/// Where it names none.
pub(super) fn named(job: &Job) -> Result<Vec<String>, Refusal> {
    let mut fields = job.fields()?;
    let ids = fields.texts("organizations");
    fields.finish()?;
    match ids {
        Change::Set(ids) if !ids.is_empty() => Ok(ids),
        _ => {
            let message = "`organizations` names nobody, expected a list of organization ids";
            Err(Refusal::about(
                ErrorKind::BadRequest,
                "bad_request_error",
                "organizations",
                message.to_owned(),
            ))
        }
    }
}

/// Those that there are of the ones that are asked for.
async fn info_of_several(job: &Job) -> Result<Value, Refusal> {
    let mut rows = Vec::new();
    for id in named(job)? {
        if let Some(record) = job.db.scope(&organization(&id)).await? {
            rows.push(row(job, &record).await?);
        }
    }
    Ok(Value::Array(rows))
}

async fn list(job: &Job) -> Result<Value, Refusal> {
    let mut query = ScopeQuery::of(ScopeKind::Organization);
    query.alias_part = job.param("org_alias");
    query.ids.extend(job.param("org_id"));
    let mut rows = Vec::new();
    let seen = job.organizations_seen().await?;
    let is_seen = |id: &String| seen.as_ref().is_none_or(|seen| seen.contains(id));
    for record in job.db.list_scopes(&query).await?.items.into_iter().filter(|one| is_seen(&one.id.id)) {
        rows.push(row(job, &record).await?);
    }
    Ok(Value::Array(rows))
}

async fn member_add(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let id = fields.required("organization_id");
    let wanted = match fields.required_any("member") {
        // That it is missing is told already.
        Value::Null => Vec::new(),
        given => members::read(&mut fields, ("member", &given), ROLES),
    };
    let limits = limits(&mut fields);
    fields.finish()?;
    existing(job, &id).await?;
    let (mut users, mut made) = (Vec::new(), Vec::new());
    for member in wanted {
        let rest = (limits.clone(), Vec::new(), None);
        let (user, membership) = job.join(ScopeKind::OrganizationMember, &id, &member, rest).await?;
        users.push(Value::Object(view::user(&user, job.spent(&user), &[])));
        made.push(view::membership(&membership, job.spent(&membership)));
    }
    Ok(json!({
        "organization_id": id,
        "updated_users": users,
        "updated_organization_memberships": made,
    }))
}

fn limits(fields: &mut super::fields::Fields) -> LimitEdit {
    let max_budget = fields.money("max_budget_in_organization");
    LimitEdit { max_budget, ..LimitEdit::default() }
}

async fn member_update(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let id = fields.required("organization_id");
    let who = (fields.text("user_id"), fields.text("user_email"));
    let role = fields.text("role");
    if let Change::Set(role) = &role
        && !ROLES.contains(&role.as_str())
    {
        let message = format!("Input should be one of: {}", ROLES.join(", "));
        fields.wrong("enum", "role", &message, &json!(role));
    }
    let limits = limits(&mut fields);
    fields.finish()?;
    let member = job.membership(ScopeKind::OrganizationMember, &id, who).await?;
    let record = job.edit(&member.id, ScopeEdit { role, limits, ..ScopeEdit::default() }).await?;
    Ok(view::membership(&record, job.spent(&record)))
}

async fn member_delete(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let id = fields.required("organization_id");
    let who = (fields.text("user_id"), fields.text("user_email"));
    fields.finish()?;
    let member = job.membership(ScopeKind::OrganizationMember, &id, who).await?;
    job.remove(std::slice::from_ref(&member.id)).await?;
    Ok(view::membership(&member, job.spent(&member)))
}

fn organization(id: &str) -> ScopeId {
    ScopeId::new(ScopeKind::Organization, id)
}

async fn row(job: &Job, record: &ScopeRecord) -> Result<Value, Refusal> {
    let id = &record.id.id;
    let members = job.members(ScopeKind::OrganizationMember, id).await?;
    let members = members.iter().map(|member| view::membership(member, job.spent(member))).collect();
    let teams = ScopeQuery { organization_id: Some(id.clone()), ..ScopeQuery::of(ScopeKind::Team) };
    let teams = job.db.list_scopes(&teams).await?.items;
    let mut teams: Vec<Value> =
        teams.iter().map(|team| Value::Object(view::team(team, job.spent(team), &[]))).collect();
    job.tell_models(SpendBy::Team, "team_id", &mut teams).await?;
    Ok(Value::Object(view::organization(record, job.spent(record), members, teams)))
}

async fn existing(job: &Job, id: &str) -> Result<ScopeRecord, Refusal> {
    let found = job.db.scope(&organization(id)).await?;
    found.ok_or_else(|| {
        let message = format!("Organization not found for organization_id={id}");
        Refusal::detail(StatusCode::NOT_FOUND, message)
    })
}
