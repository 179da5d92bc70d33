//! `/user/*`: users, their roles, their keys (surface §3.6).

use std::collections::HashMap;

use gateway_db::{
    Change, DbErrorKind, JsonMap, KeyName, KeyQuery, KeyRecord, Page, PageRequest, ScopeId, ScopeKind,
    ScopeQuery, ScopeRecord, ScopeSort, SortOrder, SpendBy,
};
use http::StatusCode;
use llm_types::{Error, ErrorKind};
use serde_json::{Value, json};

use super::fields::Fields;
use super::job::Job;
use super::members::Member;
use super::refusal::Refusal;
use super::scope_fields::{LimitEdit, ScopeEdit};
use super::teams::{row as row_of_team, teams_of};
use super::{scope_view, view};
use crate::config::Budgets;
use crate::identity::{new_id, parts_of_scope};
use crate::walk::{Caller, Role};

mod bulk;
mod several;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UserAction {
    New,
    Update,
    Delete,
    BulkUpdate,
    Info,
    RowAlone,
    List,
    Roles,
    BulkNew,
    BulkDelete,
    Filter,
    Counts,
}

/// Every role a user may have, and what it may do (surface §4.3).
const ROLES: &[(&str, &str, &str)] = &[
    (
        "proxy_admin",
        "admin over the platform: all settings, users, teams, keys and spend",
        "Admin (All Permissions)",
    ),
    ("proxy_admin_viewer", "sees everything an admin sees and changes nothing", "Admin (View Only)"),
    (
        "internal_user",
        "makes and deletes keys of their own, sees their own spend",
        "Internal User (Create/Delete/View)",
    ),
    ("internal_user_viewer", "sees their own keys and spend", "Internal Viewer (View Only)"),
];

impl UserAction {
    /// Whether it changes nothing.
    pub(super) fn reads(self) -> bool {
        matches!(self, Self::Info | Self::RowAlone | Self::List | Self::Roles | Self::Filter | Self::Counts)
    }

    /// Whether everybody may ask: the answer is about the caller.
    pub(super) fn is_own(self) -> bool {
        matches!(self, Self::Info | Self::RowAlone | Self::Filter | Self::Roles)
    }
}

/// Does what is asked about users.
pub(super) async fn run(job: Job, action: UserAction) -> Result<Value, Refusal> {
    match action {
        UserAction::New => make(&job, job.fields()?).await,
        UserAction::Update => update(&job).await,
        UserAction::Delete => delete(&job).await,
        UserAction::BulkUpdate => several::update(&job).await,
        UserAction::Info => info(&job).await,
        UserAction::RowAlone => row_alone(&job).await,
        UserAction::List => list(&job).await,
        UserAction::Roles => Ok(roles()),
        UserAction::BulkNew => bulk::new(&job).await,
        UserAction::BulkDelete => bulk::delete(&job).await,
        UserAction::Filter => bulk::filtered(&job).await,
        UserAction::Counts => bulk::counted(&job).await,
    }
}

fn roles() -> Value {
    let role = |(name, description, label): &(&str, &str, &str)| {
        ((*name).to_owned(), json!({ "description": description, "ui_label": label }))
    };
    Value::Object(ROLES.iter().map(role).collect())
}

/// What a request sets on a user, beside the fields that all scopes share.
async fn read(job: &Job, mut fields: Fields) -> Result<ScopeEdit, Refusal> {
    let alias = fields.text("user_alias");
    let email = fields.text("user_email");
    let role = fields.text("user_role");
    if let Change::Set(role) = &role
        && !ROLES.iter().any(|(name, _, _)| name == role)
    {
        let message =
            "Input should be 'proxy_admin', 'proxy_admin_viewer', 'internal_user' or 'internal_user_viewer'";
        fields.wrong("enum", "user_role", message, &json!(role));
    }
    if fields.any("password").is_some() {
        let message = "passwords are set by an invitation, not here";
        fields.wrong("value_error", "password", message, &Value::Null);
    }
    let mut edit = fields.scope(&job.moment)?;
    (edit.alias, edit.email, edit.role) = (alias, email, role);
    Ok(edit)
}

/// Fields of a request for a new user that are of the key it gets: users have none of them.
const OF_THE_KEY: [&str; 9] = [
    "key_alias",
    "duration",
    "agent_id",
    "aliases",
    "config",
    "permissions",
    "budget_fallbacks",
    "guardrails",
    "prompts",
];

/// Makes a user by the fields of a request.
///
/// # Errors
/// When the id or the mail address is another's, or a field is wrong.
pub(super) async fn make(job: &Job, mut fields: Fields) -> Result<Value, Refusal> {
    let id = match fields.text("user_id") {
        Change::Set(id) => id,
        Change::Keep | Change::Clear => new_id(),
    };
    groups_exist(job, &fields).await?;
    job.fill_user(&mut fields);
    let with_key = fields.flag("auto_create_key") != Change::Set(false);
    let for_key: Vec<(&str, Value)> =
        OF_THE_KEY.iter().filter_map(|name| Some((*name, fields.any(name)?))).collect();
    let mut teams = teams_named(fields.any("teams"))?;
    let team = super::fields::always(fields.text("team_id")).filter(|team| !team.is_empty());
    teams.extend(team.iter().filter(|team| !teams.contains(team)).cloned().collect::<Vec<_>>());
    let organizations = super::fields::always(fields.texts("organizations")).unwrap_or_default();
    let edit = read(job, fields).await?;
    if let Change::Set(email) = &edit.email
        && job.user_by_email(email).await?.is_some()
    {
        return Err(email_taken(email));
    }
    let user = ScopeId::new(ScopeKind::User, &id);
    if job.db.scope(&user).await?.is_some() {
        return Err(Refusal::taken(&user));
    }
    let record = make_alone(job, user, edit).await?;
    let as_role = |role: &str| Member { user_id: Some(id.clone()), email: None, role: role.to_owned() };
    let groups = teams.iter().map(|team| (ScopeKind::TeamMember, team, as_role("user")));
    let companies =
        organizations.iter().map(|id| (ScopeKind::OrganizationMember, id, as_role("internal_user")));
    for (kind, group, member) in groups.chain(companies) {
        job.join(kind, group, &member, (LimitEdit::default(), Vec::new(), None)).await?;
    }
    let mut answer = scope_view::user(&record, record.spend, &teams);
    answer.insert("key".to_owned(), Value::Null);
    if with_key {
        let mut asked = json!({ "user_id": id });
        for (name, value) in for_key.into_iter().chain(team.map(|team| ("team_id", json!(team)))) {
            asked[name] = value;
        }
        let (key, secret) = job.make_key(Fields::read(asked.to_string().as_bytes())?).await?;
        let Value::Object(row) = view::generated(&key, &secret, job.moment.now) else { return Ok(json!({})) };
        for (name, value) in row {
            answer.entry(name).or_insert(value);
        }
        answer.insert("key".to_owned(), json!(secret));
    }
    for name in view::REPEATED {
        answer.entry(*name).or_insert(Value::Null);
    }
    answer.insert("token".to_owned(), Value::Null);
    answer.insert("token_id".to_owned(), Value::Null);
    Ok(Value::Object(answer))
}

/// Refuses teams and organisations that are not there: whoever makes one of that name later would have the user in it.
async fn groups_exist(job: &Job, fields: &Fields) -> Result<(), Refusal> {
    let teams = fields.look("teams").cloned().and_then(|teams| teams_named(Some(teams)).ok());
    let team = fields.look("team_id").and_then(Value::as_str).map(str::to_owned);
    for id in teams.into_iter().flatten().chain(team).filter(|id| !id.is_empty()) {
        if job.db.scope(&ScopeId::new(ScopeKind::Team, &id)).await?.is_none() {
            let message = format!("Team not found, passed team_id={id}");
            return Err(Refusal::detail(StatusCode::NOT_FOUND, message));
        }
    }
    let organizations = fields.look("organizations").and_then(Value::as_array).into_iter().flatten();
    for id in organizations.filter_map(Value::as_str) {
        if job.db.scope(&ScopeId::new(ScopeKind::Organization, id)).await?.is_none() {
            let message = format!("Organization not found for organization_id={id}");
            return Err(Refusal::detail(StatusCode::NOT_FOUND, message));
        }
    }
    Ok(())
}

/// Makes a user whose id and mail address are nobody else's.
async fn make_alone(job: &Job, user: ScopeId, mut edit: ScopeEdit) -> Result<ScopeRecord, Refusal> {
    let spend = edit.spend.take().unwrap_or_default();
    let settings = edit.settings();
    let email = settings.email.clone();
    let same = email
        .iter()
        .map(|email| ScopeQuery { email: Some(email.clone()), ..ScopeQuery::of(ScopeKind::User) });
    let others: Vec<ScopeQuery> = same.collect();
    let made = job.make_unlike(user.clone(), settings, spend, &others).await;
    made.map_err(|refusal| match email {
        Some(email) if refusal.is_about(DbErrorKind::DuplicateName) => email_taken(&email),
        _ if refusal.is_about(DbErrorKind::DuplicateScope) => Refusal::taken(&user),
        _ => refusal,
    })
}

impl Job {
    /// Sets what a request for a new user leaves open (`default_internal_user_params`); administrators get nothing.
    fn fill_user(&self, fields: &mut Fields) {
        let snapshot = self.shared.snapshot();
        let role = fields.text("user_role");
        let admin = matches!(&role, Change::Set(role) if role.starts_with("proxy_admin"));
        fields.put_back("user_role", role);
        if !admin {
            let mut usual = snapshot.config.budgets.internal_user_defaults.clone();
            // What is open to all is nothing of a user's own.
            usual.shift_remove("available_teams");
            fields.fill(&usual);
        }
        let role = fields.text("user_role");
        let internal = matches!(&role, Change::Set(role) if role.starts_with("internal_user"));
        fields.put_back("user_role", role);
        if internal {
            fields.fill(&budget_of_internal_users(&snapshot.config.budgets));
        }
    }
}

/// The budget that new internal users get unless told otherwise, as fields of a request.
fn budget_of_internal_users(budgets: &Budgets) -> JsonMap {
    let max = budgets.internal_user.map(|max| ("max_budget".to_owned(), json!(max.as_usd())));
    let period = budgets.internal_user_period.as_ref();
    max.into_iter().chain(period.map(|period| ("budget_duration".to_owned(), json!(period)))).collect()
}

/// `teams`: ids, or objects with a `team_id`.
fn teams_named(given: Option<Value>) -> Result<Vec<String>, Refusal> {
    let Some(given) = given else { return Ok(Vec::new()) };
    let name = |entry: &Value| entry.as_str().or_else(|| entry.get("team_id")?.as_str()).map(str::to_owned);
    let list = given.as_array().and_then(|list| list.iter().map(name).collect::<Option<Vec<_>>>());
    list.ok_or_else(|| {
        let message = "Input should be a list of team ids, or of objects with a `team_id`";
        Refusal::Fields(vec![Refusal::field("list_type", "teams", message, &given)])
    })
}

async fn update(job: &Job) -> Result<Value, Refusal> {
    let (id, row) = change(job, job.fields()?).await?;
    Ok(json!({ "user_id": id, "data": row }))
}

/// Changes the user that a request names; gives its id and its row.
async fn change(job: &Job, mut fields: Fields) -> Result<(String, Value), Refusal> {
    let id = match (fields.text("user_id"), fields.text("user_email")) {
        (Change::Set(id), email) => {
            fields.put_back("user_email", email);
            id
        }
        (_, Change::Set(email)) => {
            let user = job.user_by_email(&email).await?;
            user.map(|user| user.id.id).ok_or_else(|| not_found(&email))?
        }
        _ => {
            let message = "Either user_id or user_email must be provided";
            let problem = Refusal::field("value_error", "user_id", message, &Value::Null);
            return Err(Refusal::Fields(vec![problem]));
        }
    };
    let edit = read(job, fields).await?;
    let user = ScopeId::new(ScopeKind::User, &id);
    if job.db.scope(&user).await?.is_none() {
        return Err(not_found(&id));
    }
    let record = job.edit(&user, edit).await?;
    let row = row(job, &record).await?;
    Ok((id, row))
}

async fn delete(job: &Job) -> Result<Value, Refusal> {
    let ids = job.fields()?.naming_several("user_ids")?;
    remove(job, &ids).await?;
    Ok(json!(ids.len()))
}

/// Deletes users with their keys and memberships.
///
/// # Errors
/// When one of them is not there.
pub(super) async fn remove(job: &Job, ids: &[String]) -> Result<(), Refusal> {
    let mut gone = Vec::new();
    for id in ids {
        let user = ScopeId::new(ScopeKind::User, id);
        if job.db.scope(&user).await?.is_none() {
            let message = format!("User not found, passed user_id={id}");
            return Err(Refusal::detail(StatusCode::NOT_FOUND, message));
        }
        gone.push(user);
        for kind in [ScopeKind::TeamMember, ScopeKind::OrganizationMember] {
            let query = ScopeQuery { member: Some(id.clone()), ..ScopeQuery::of(kind) };
            gone.extend(job.db.list_scopes(&query).await?.items.into_iter().map(|member| member.id));
        }
        let keys = job.all_keys(KeyQuery { user_id: Some(id.clone()), ..KeyQuery::default() }).await?;
        let names: Vec<KeyName> = keys.into_iter().map(|key| KeyName::Hash(key.hash)).collect();
        job.delete_keys(&names).await?;
    }
    job.remove(&gone).await?;
    Ok(())
}

/// The user a request asks for: the one it names, or the caller.
fn whose(job: &Job) -> Result<Option<String>, Refusal> {
    let own = match &job.caller {
        Caller::Operator => None,
        Caller::Key(entry) => entry.record.settings.user_id.clone(),
    };
    let asked = job.param("user_id");
    if job.caller.role() == Role::Other && asked.is_some() && asked != own {
        let message = "You are not allowed to see the info of other users";
        return Err(Error::new(ErrorKind::Forbidden, message).with_vendor_type("auth_error").into());
    }
    Ok(asked.or(own))
}

/// A user's own row, with the ids of its teams.
async fn row_alone(job: &Job) -> Result<Value, Refusal> {
    let Some(id) = whose(job)? else {
        return Err(Refusal::missing("user_id"));
    };
    let user = job.db.scope(&ScopeId::new(ScopeKind::User, &id)).await?.ok_or_else(|| not_found(&id))?;
    let mut shown = row(job, &user).await?;
    shown["model_max_budget_usage"] = budgets_spent(job, &user).await?;
    Ok(shown)
}

async fn budgets_spent(job: &Job, user: &ScopeRecord) -> Result<Value, Refusal> {
    job.model_budgets_spent(&user.id.as_owner(), parts_of_scope(&user.settings)).await
}

async fn info(job: &Job) -> Result<Value, Refusal> {
    let Some(id) = whose(job)? else { return everything(job).await };
    let user = job.db.scope(&ScopeId::new(ScopeKind::User, &id)).await?.ok_or_else(|| not_found(&id))?;
    let keys = job.all_keys(KeyQuery { user_id: Some(id.clone()), ..KeyQuery::default() }).await?;
    let mut teams = Vec::new();
    for team in teams_of(job, &id).await? {
        if let Some(team) = job.db.scope(&ScopeId::new(ScopeKind::Team, team)).await? {
            teams.push(row_of_team(job, &team).await?);
        }
    }
    let mut shown = row(job, &user).await?;
    shown["model_max_budget_usage"] = budgets_spent(job, &user).await?;
    Ok(json!({
        "user_id": id,
        "user_info": shown,
        "keys": with_teams(job, &keys).await?,
        "teams": teams,
    }))
}

/// What an administrator who asks for nobody gets: every key and every team.
async fn everything(job: &Job) -> Result<Value, Refusal> {
    if job.caller.role() == Role::Other {
        return Ok(json!({ "user_id": null, "user_info": {}, "keys": [], "teams": [] }));
    }
    let keys = job.all_keys(KeyQuery::default()).await?;
    let mut teams = Vec::new();
    for team in job.db.list_scopes(&ScopeQuery::of(ScopeKind::Team)).await?.items {
        teams.push(row_of_team(job, &team).await?);
    }
    let own = job.db.scope(&ScopeId::new(ScopeKind::User, &job.by)).await?;
    let info = match own {
        Some(user) => row(job, &user).await?,
        None => json!({}),
    };
    Ok(json!({
        "user_id": job.by,
        "user_info": info,
        "keys": with_teams(job, &keys).await?,
        "teams": teams,
    }))
}

/// Keys as they are shown, each with the alias of its team.
async fn with_teams(job: &Job, keys: &[KeyRecord]) -> Result<Vec<Value>, Refusal> {
    let mut ids: Vec<String> = keys.iter().filter_map(|key| key.settings.team_id.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut aliases = HashMap::new();
    // An empty list would be every team.
    if !ids.is_empty() {
        let query = ScopeQuery { ids, ..ScopeQuery::of(ScopeKind::Team) };
        let teams = job.db.list_scopes(&query).await?.items;
        aliases.extend(teams.into_iter().map(|team| (team.id.id, team.settings.alias)));
    }
    let mut rows = job.full_all(keys).await?;
    for (row, key) in rows.iter_mut().zip(keys) {
        let alias = key.settings.team_id.as_ref().and_then(|team| aliases.get(team));
        row["team_alias"] = json!(alias);
    }
    Ok(rows)
}

async fn list(job: &Job) -> Result<Value, Refusal> {
    let number =
        |name: &str, default: u64| job.param(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let mut query = ScopeQuery::of(ScopeKind::User);
    query.page = PageRequest { page: number("page", 1).max(1), size: number("page_size", 25).clamp(1, 100) };
    query.role = job.param("role");
    query.search = job.param("search").or_else(|| job.param("user_email"));
    (query.sort, query.order) = sorted(job)?;
    let found = match named(job).await? {
        // Nobody is named: an empty list of ids would be everybody.
        Some(ids) if ids.is_empty() => {
            Page { items: Vec::new(), total: 0, page: query.page.page, size: query.page.size }
        }
        ids => {
            query.ids = ids.unwrap_or_default();
            job.db.list_scopes(&query).await?
        }
    };
    let (total, pages) = (found.total, found.pages());
    let mut users = Vec::new();
    for user in found.items {
        let keys =
            job.all_keys(KeyQuery { user_id: Some(user.id.id.clone()), ..KeyQuery::default() }).await?;
        let mut row = row(job, &user).await?;
        row["key_count"] = json!(keys.len());
        users.push(row);
    }
    let (page, size) = (query.page.page, query.page.size);
    Ok(json!({ "users": users, "total": total, "page": page, "page_size": size, "total_pages": pages }))
}

/// The users that a request names by id, team and organisations; `None` where it names none.
async fn named(job: &Job) -> Result<Option<Vec<String>>, Refusal> {
    let listed = |text: String| text.split(',').map(|id| id.trim().to_owned()).collect::<Vec<_>>();
    let mut named = job.param("user_ids").map(listed);
    let mut of = Vec::new();
    of.extend(job.param("team").map(|team| (ScopeKind::TeamMember, vec![team])));
    of.extend(job.param("organization_ids").map(|ids| (ScopeKind::OrganizationMember, listed(ids))));
    for (kind, ids) in of {
        let mut members = Vec::new();
        for id in &ids {
            members.extend(job.members(kind, id).await?.into_iter().map(|member| member.id.member));
        }
        named = Some(match named {
            Some(named) => named.into_iter().filter(|id| members.contains(id)).collect(),
            None => members,
        });
    }
    Ok(named)
}

/// What users are ordered by: `sort_by` and `sort_order`, the newest first unless told.
fn sorted(job: &Job) -> Result<(ScopeSort, SortOrder), Refusal> {
    const COLUMNS: [(&str, ScopeSort); 6] = [
        ("user_id", ScopeSort::Id),
        ("user_email", ScopeSort::Email),
        ("created_at", ScopeSort::CreatedAt),
        ("spend", ScopeSort::Spend),
        ("user_alias", ScopeSort::Alias),
        ("user_role", ScopeSort::Role),
    ];
    let Some(by) = job.param("sort_by") else { return Ok((ScopeSort::CreatedAt, SortOrder::Descending)) };
    let bad = |words: String| Refusal::detail(StatusCode::BAD_REQUEST, words);
    let Some((_, sort)) = COLUMNS.iter().find(|(name, _)| *name == by) else {
        let names = COLUMNS.map(|(name, _)| name).join(", ");
        return Err(bad(format!("Invalid sort column. Must be one of: {names}")));
    };
    match job.param("sort_order").unwrap_or_default().to_ascii_lowercase().as_str() {
        "asc" | "" => Ok((*sort, SortOrder::Ascending)),
        "desc" => Ok((*sort, SortOrder::Descending)),
        _ => Err(bad("Invalid sort order. Must be 'asc' or 'desc'".to_owned())),
    }
}

async fn row(job: &Job, user: &ScopeRecord) -> Result<Value, Refusal> {
    let teams = teams_of(job, &user.id.id).await?;
    job.with_models(SpendBy::User, "user_id", scope_view::user(user, job.spent(user), &teams)).await
}

fn email_taken(email: &str) -> Refusal {
    Refusal::detail(StatusCode::CONFLICT, format!("User with email {email} already exists"))
}

fn not_found(id: &str) -> Refusal {
    Refusal::about(ErrorKind::NotFound, "not_found_error", "user_id", format!("User {id} not found"))
}
