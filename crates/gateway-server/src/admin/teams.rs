//! `/team/*`: teams, their members, their models (surface §3.5).

use gateway_db::{
    Change, KeyName, KeyQuery, Page, PageRequest, ScopeId, ScopeKind, ScopeQuery, ScopeRecord, ScopeSettings,
    ScopeSort, SortOrder, SpendBy,
};
use http::StatusCode;
use llm_types::{ErrorKind, Money, seldom};
use serde_json::{Value, json};

use super::fields::{Fields, unreadable};
use super::job::Job;
use super::members::{self, Member};
use super::refusal::Refusal;
use super::scope_fields::{LimitEdit, ScopeEdit};
use super::scope_view as view;
use crate::identity::new_id;
use crate::limits::parse_duration_ms;

mod bulk;
pub(super) mod callbacks;
mod found;
mod membership;
mod permissions;
mod resets;
mod shown;

pub(super) use found::{open_teams, page};

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TeamAction {
    New,
    Update,
    Delete,
    Info,
    List,
    ListPaged,
    Block,
    Unblock,
    MemberAdd,
    MemberUpdate,
    MemberDelete,
    MembersAdd,
    MemberMe,
    MemberResetSpend,
    MemberResetBudget,
    MembersRemove,
    MembersLimit,
    Available,
    Filter,
    MetadataSchema,
    SpendByUser,
    Permissions,
    SetPermissions,
    SetSeveralPermissions,
    ModelAdd,
    ModelDelete,
    Callbacks,
    CallbackAdd,
    CallbackDelete,
    DisableLogging,
}

/// Where a team notes the shared budget of its members.
const MEMBER_BUDGET: &str = "team_member_budget_id";

impl TeamAction {
    /// Whether it changes nothing.
    pub(super) fn reads(self) -> bool {
        matches!(
            self,
            Self::Info
                | Self::List
                | Self::ListPaged
                | Self::MemberMe
                | Self::Available
                | Self::Filter
                | Self::MetadataSchema
                | Self::SpendByUser
                | Self::Permissions
                | Self::Callbacks
        )
    }
}

/// Does what is asked about teams. What each asks for stands apart: all of it side by side is more than a stack holds.
pub(super) async fn run(job: Job, action: TeamAction) -> Result<Value, Refusal> {
    match action {
        TeamAction::New => seldom(|| new(&job)).await,
        TeamAction::Update => seldom(|| update(&job)).await,
        TeamAction::Delete => seldom(|| delete(&job)).await,
        TeamAction::Info => seldom(|| shown::info(&job)).await,
        TeamAction::List => seldom(|| list(&job)).await,
        TeamAction::ListPaged => seldom(|| list_paged(&job)).await,
        TeamAction::Block => seldom(|| block(&job, true)).await,
        TeamAction::Unblock => seldom(|| block(&job, false)).await,
        TeamAction::MemberAdd => seldom(|| membership::add(&job)).await,
        TeamAction::MemberUpdate => seldom(|| membership::update(&job)).await,
        TeamAction::MemberDelete => seldom(|| membership::delete(&job)).await,
        TeamAction::MembersAdd => seldom(|| membership::add_several(&job)).await,
        TeamAction::MemberMe => seldom(|| membership::own(&job)).await,
        TeamAction::MemberResetSpend => seldom(|| resets::spend(&job)).await,
        TeamAction::MemberResetBudget => seldom(|| resets::budget(&job)).await,
        TeamAction::MembersRemove => seldom(|| bulk::delete(&job)).await,
        TeamAction::MembersLimit => seldom(|| bulk::update(&job)).await,
        TeamAction::Available => seldom(|| found::available(&job)).await,
        TeamAction::Filter => seldom(|| found::filtered(&job)).await,
        TeamAction::MetadataSchema => {
            Ok(json!({ "fields": job.shared.snapshot().config.general.team_fields }))
        }
        TeamAction::SpendByUser => seldom(|| found::spend_by_user(&job)).await,
        TeamAction::Permissions => seldom(|| permissions::list(&job)).await,
        TeamAction::SetPermissions => seldom(|| permissions::set(&job)).await,
        TeamAction::SetSeveralPermissions => seldom(|| permissions::set_several(&job)).await,
        TeamAction::ModelAdd => seldom(|| models(&job, true)).await,
        TeamAction::ModelDelete => seldom(|| models(&job, false)).await,
        TeamAction::Callbacks => seldom(|| callbacks::list(&job)).await,
        TeamAction::CallbackAdd => seldom(|| callbacks::add(&job)).await,
        TeamAction::CallbackDelete => seldom(|| callbacks::remove(&job)).await,
        TeamAction::DisableLogging => seldom(|| callbacks::disable(&job)).await,
    }
}

async fn new(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let id = match fields.text("team_id") {
        Change::Set(id) => id,
        Change::Keep | Change::Clear => new_id(),
    };
    let mut wanted = match fields.any("members_with_roles") {
        Some(given) => members::read(&mut fields, ("members_with_roles", &given), membership::ROLES),
        None => Vec::new(),
    };
    // LiteLLM's older names: lists of ids.
    for (list, role) in [("admins", "admin"), ("members", "user")] {
        let ids = if let Change::Set(ids) = fields.texts(list) { ids } else { Vec::new() };
        let known = |id: &str| wanted.iter().any(|member| member.user_id.as_deref() == Some(id));
        let new: Vec<String> = ids.into_iter().filter(|id| !known(id)).collect();
        let member = |id| Member { user_id: Some(id), email: None, role: role.to_owned() };
        wanted.extend(new.into_iter().map(member));
    }
    members::once(&mut wanted);
    if !wanted.iter().any(|member| member.user_id.as_deref() == Some(&job.by)) {
        let creator = Member { user_id: Some(job.by.clone()), email: None, role: "admin".to_owned() };
        wanted.push(creator);
    }
    let asked = asked(job, fields)?;
    let team = team_id(&id);
    if job.db.scope(&team).await?.is_some() {
        return Err(Refusal::taken(&team));
    }
    let mut edit = read(job, asked, None).await?;
    let spend = edit.spend.take().unwrap_or_default();
    let settings = edit.settings();
    job.check_place_of_team(&settings, &ScopeSettings::default()).await?;
    job.check_team_rates(&id, &settings, &ScopeSettings::default()).await?;
    let record = job.make_new(team, settings, spend).await?;
    for member in &wanted {
        let rest = (LimitEdit::default(), Vec::new(), member_budget(&record));
        job.join(ScopeKind::TeamMember, &id, member, rest).await?;
    }
    row(job, &record).await
}

/// What a request asks for: of a team, and of its members.
struct Asked {
    edit: ScopeEdit,
    for_members: Option<LimitEdit>,
}

fn asked(job: &Job, mut fields: Fields) -> Result<Asked, Refusal> {
    let alias = fields.text("team_alias");
    let for_members = members_limits(&mut fields);
    let edit = ScopeEdit { alias, ..fields.scope(&job.moment)? };
    Ok(Asked { edit, for_members })
}

/// The change of a team that a request asks for; the budget of its members is a shared budget of its own.
async fn read(job: &Job, asked: Asked, old: Option<&ScopeRecord>) -> Result<ScopeEdit, Refusal> {
    let Asked { mut edit, for_members } = asked;
    if let (Some(metadata), Some(old)) = (&mut edit.metadata, old) {
        callbacks::restore(metadata, &old.settings.metadata);
    }
    let Some(for_members) = for_members else { return Ok(edit) };
    let mut budget = ScopeEdit { limits: for_members, ..ScopeEdit::default() };
    budget.limits.budget_reset_at = super::fields::reset(&budget.limits.budget_duration, &job.moment)?;
    match old.and_then(member_budget) {
        Some(id) => {
            job.edit(&ScopeId::new(ScopeKind::Budget, id), budget).await?;
        }
        None => {
            let id = new_id();
            job.make(ScopeId::new(ScopeKind::Budget, &id), budget.settings(), Money::ZERO).await?;
            let mut metadata = edit
                .metadata
                .take()
                .unwrap_or_else(|| old.map(|old| old.settings.metadata.clone()).unwrap_or_default());
            metadata.insert(MEMBER_BUDGET.to_owned(), json!(id));
            edit.metadata = Some(metadata);
        }
    }
    Ok(edit)
}

/// `team_member_budget` and its relatives, where a request has any.
fn members_limits(fields: &mut Fields) -> Option<LimitEdit> {
    let limits = LimitEdit {
        max_budget: fields.money("team_member_budget"),
        budget_duration: fields.period("team_member_budget_duration"),
        rpm_limit: fields.count("team_member_rpm_limit"),
        tpm_limit: fields.count("team_member_tpm_limit"),
        ..LimitEdit::default()
    };
    if let Change::Set(period) = &limits.budget_duration
        && parse_duration_ms(period).is_none()
    {
        fields.refuse(unreadable("team_member_budget_duration", period));
    }
    let any = limits.max_budget != Change::Keep
        || limits.budget_duration != Change::Keep
        || limits.rpm_limit != Change::Keep
        || limits.tpm_limit != Change::Keep;
    any.then_some(limits)
}

pub(super) fn member_budget(team: &ScopeRecord) -> Option<String> {
    team.settings.metadata.get(MEMBER_BUDGET)?.as_str().map(str::to_owned)
}

/// The team is named by the path, or by the request.
async fn update(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    if let Some(named) = &job.named {
        fields.put("team_id", json!(named));
    }
    let id = fields.required("team_id");
    let asked = asked(job, fields)?;
    let old = existing(job, &id).await?;
    let edit = read(job, asked, Some(&old)).await?;
    let mut becomes = old.settings.clone();
    edit.clone().apply(&mut becomes);
    job.check_place_of_team(&becomes, &old.settings).await?;
    job.check_team_rates(&id, &becomes, &old.settings).await?;
    let record = job.edit(&old.id, edit).await?;
    Ok(json!({ "team_id": id, "data": row(job, &record).await? }))
}

async fn delete(job: &Job) -> Result<Value, Refusal> {
    let ids = job.fields()?.naming_several("team_ids")?;
    let mut gone = Vec::new();
    for id in &ids {
        gone.push(existing_or_detail(job, id).await?.id);
        gone.extend(job.members(ScopeKind::TeamMember, id).await?.into_iter().map(|member| member.id));
        let keys = job.all_keys(KeyQuery { team_id: Some(id.clone()), ..KeyQuery::default() }).await?;
        let names: Vec<KeyName> = keys.into_iter().map(|key| KeyName::Hash(key.hash)).collect();
        job.delete_keys(&names).await?;
    }
    job.remove(&gone).await?;
    Ok(json!({ "deleted_teams": ids }))
}

async fn list(job: &Job) -> Result<Value, Refusal> {
    let mut query = ScopeQuery::of(ScopeKind::Team);
    query.organization_id = job.param("organization_id");
    if let Some(user) = job.param("user_id") {
        query.ids = teams_of(job, &user).await?;
        if query.ids.is_empty() {
            return Ok(json!([]));
        }
    }
    let mut rows = Vec::new();
    for team in job.db.list_scopes(&query).await?.items {
        let members = job.members(ScopeKind::TeamMember, &team.id.id).await?;
        let mut row = view::team(&team, job.spent(&team), &members);
        let of_team = KeyQuery { team_id: Some(team.id.id.clone()), ..KeyQuery::default() };
        let keys = job.all_keys(of_team).await?;
        row.insert("team_memberships".to_owned(), memberships(job, &members));
        row.insert("keys".to_owned(), job.full_all(&keys).await?.into());
        rows.push(Value::Object(row));
    }
    job.tell_models(SpendBy::Team, "team_id", &mut rows).await?;
    Ok(Value::Array(rows))
}

/// The teams of the user that a request names, among those it names; `None` where it names no user.
async fn of_user(job: &Job, named: &[String]) -> Result<Option<Vec<String>>, Refusal> {
    let Some(user) = job.param("user_id") else { return Ok(None) };
    let mut own = teams_of(job, &user).await?;
    own.retain(|id| named.is_empty() || named.contains(id));
    Ok(Some(own))
}

/// What teams are ordered by: the newest first unless told.
fn sorted(job: &Job) -> (ScopeSort, SortOrder) {
    let sort = match job.param("sort_by").as_deref() {
        Some("team_id") => ScopeSort::Id,
        Some("team_alias") => ScopeSort::Alias,
        Some("created_at") => ScopeSort::CreatedAt,
        _ => return (ScopeSort::CreatedAt, SortOrder::Descending),
    };
    let is_down = job.param("sort_order").is_some_and(|word| word.eq_ignore_ascii_case("desc"));
    (sort, if is_down { SortOrder::Descending } else { SortOrder::Ascending })
}

async fn list_paged(job: &Job) -> Result<Value, Refusal> {
    let number =
        |name: &str, default: u64| job.param(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let mut query = ScopeQuery::of(ScopeKind::Team);
    query.page = PageRequest { page: number("page", 1).max(1), size: number("page_size", 10).clamp(1, 100) };
    query.organization_id = job.param("organization_id");
    query.alias_part = job.param("team_alias");
    query.search = job.param("search");
    query.ids.extend(job.param("team_id"));
    query.deleted = match job.param("status").as_deref() {
        None => false,
        Some("deleted") => true,
        Some(_) => {
            let words = "Invalid status value. Currently only 'deleted' is supported.";
            return Err(Refusal::detail(StatusCode::BAD_REQUEST, words));
        }
    };
    (query.sort, query.order) = sorted(job);
    let page: Page<ScopeRecord> = match of_user(job, &query.ids).await? {
        // Nobody's: an empty list of ids would be every team.
        Some(ids) if ids.is_empty() => {
            Page { items: Vec::new(), total: 0, page: query.page.page, size: query.page.size }
        }
        ids => {
            query.ids = ids.unwrap_or(query.ids);
            job.db.list_scopes(&query).await?
        }
    };
    let (total, pages) = (page.total, page.pages());
    let mut rows = Vec::new();
    for team in page.items {
        let members = job.members(ScopeKind::TeamMember, &team.id.id).await?;
        let mut row = view::team(&team, job.spent(&team), &members);
        row.extend(shown::granted(job, &team).await?);
        row.insert("members_count".to_owned(), json!(members.len()));
        let page = PageRequest { page: 1, size: 1 };
        let keys = KeyQuery { team_id: Some(team.id.id.clone()), page, ..KeyQuery::default() };
        row.insert("keys_count".to_owned(), json!(job.db.list_keys(&keys).await?.total));
        rows.push(Value::Object(row));
    }
    job.tell_models(SpendBy::Team, "team_id", &mut rows).await?;
    let (page, size) = (query.page.page, query.page.size);
    Ok(json!({ "teams": rows, "total": total, "page": page, "page_size": size, "total_pages": pages }))
}

async fn block(job: &Job, blocked: bool) -> Result<Value, Refusal> {
    let id = job.fields()?.naming("team_id")?;
    let old = existing(job, &id).await?;
    let record = job.edit(&old.id, ScopeEdit { blocked: Some(blocked), ..ScopeEdit::default() }).await?;
    row(job, &record).await
}

async fn models(job: &Job, add: bool) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let (id, named) = (fields.required("team_id"), fields.required_texts("models"));
    fields.finish()?;
    let team = existing(job, &id).await?;
    let mut models = team.settings.models.clone();
    models.retain(|model| !named.contains(model));
    if add {
        models.extend(named);
    }
    let edit = ScopeEdit { models: Some(models), ..ScopeEdit::default() };
    let record = job.edit(&team.id, edit).await?;
    row(job, &record).await
}

fn team_id(id: &str) -> ScopeId {
    ScopeId::new(ScopeKind::Team, id)
}

/// The ids of a user's teams.
pub(super) async fn teams_of(job: &Job, user: &str) -> Result<Vec<String>, Refusal> {
    let query = ScopeQuery { member: Some(user.to_owned()), ..ScopeQuery::of(ScopeKind::TeamMember) };
    Ok(job.db.list_scopes(&query).await?.items.into_iter().map(|member| member.id.id).collect())
}

/// A team as it is shown wherever it is alone.
pub(super) async fn row(job: &Job, team: &ScopeRecord) -> Result<Value, Refusal> {
    let members = job.members(ScopeKind::TeamMember, &team.id.id).await?;
    job.with_models(SpendBy::Team, "team_id", view::team(team, job.spent(team), &members)).await
}

fn memberships(job: &Job, members: &[ScopeRecord]) -> Value {
    members.iter().map(|member| view::membership(member, job.spent(member))).collect()
}

pub(super) async fn existing(job: &Job, id: &str) -> Result<ScopeRecord, Refusal> {
    let found = job.db.scope(&team_id(id)).await?;
    found.ok_or_else(|| {
        let message = format!("Team not found, passed team_id={id}");
        Refusal::about(ErrorKind::NotFound, "auth_error", "team_id", message)
    })
}

async fn existing_or_detail(job: &Job, id: &str) -> Result<ScopeRecord, Refusal> {
    let found = job.db.scope(&team_id(id)).await?;
    found
        .ok_or_else(|| Refusal::detail(StatusCode::NOT_FOUND, format!("Team not found, passed team_id={id}")))
}
