//! `/scim/v2/Groups`: groups are teams.

use std::collections::HashSet;

use gateway_db::{
    Change, DbErrorKind, JsonMap, KeyName, KeyQuery, ScopeId, ScopeKind, ScopeQuery, ScopeRecord,
};
use llm_types::Money;
use serde_json::{Map, Value, json};

use super::fault::Fault;
use super::list::{self, Wanted};
use super::path::get;
use super::user::{KEPT, escaped, kept, meta, required, text, values_of};
use super::{Request, TRIES, patch};
use crate::admin::job::Job;
use crate::admin::members::Member;
use crate::admin::scope_fields::{LimitEdit, ScopeEdit};
use crate::admin::teams::{member_budget, teams_of};
use crate::identity::new_id;

/// The schema of groups.
pub(super) const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The most members that one request may name.
const MOST: usize = 50_000;

/// What a request says of a group.
struct Said {
    name: String,
    external_id: Option<String>,
    /// Exactly who is in it, where the request says.
    members: Option<Vec<String>>,
    kept: JsonMap,
}

fn read(resource: &Map<String, Value>) -> Result<Said, Fault> {
    let members = match get(resource, "members") {
        None | Some(Value::Null) => None,
        Some(Value::Array(list)) => Some(list),
        Some(_) => return Err(Fault::bad("invalidValue", "`members` is no list")),
    };
    if members.is_some_and(|list| list.len() > MOST) {
        return Err(Fault::bad("tooMany", format!("`members` has more than {MOST} entries")));
    }
    let nested = |one: &Value| {
        let kind = one.as_object().and_then(|one| text(one, "type"));
        kind.is_some_and(|kind| kind.eq_ignore_ascii_case("group"))
    };
    if members.is_some_and(|list| list.iter().any(nested)) {
        return Err(Fault::bad("invalidValue", "one of `members` is a group: groups hold users only"));
    }
    Ok(Said {
        name: required(resource, "displayName")?,
        external_id: text(resource, "externalId"),
        members: members.map(|list| values_of(list, "members")).transpose()?,
        kept: kept(resource),
    })
}

/// A team as a resource.
fn resource(team: &ScopeRecord, members: &[ScopeRecord], base: &str) -> Map<String, Value> {
    let saved = team.settings.extra.get(KEPT).and_then(Value::as_object);
    let mut all =
        Map::from_iter([("schemas".to_owned(), json!([SCHEMA])), ("id".to_owned(), json!(team.id.id))]);
    for (name, value) in saved.into_iter().flatten() {
        all.insert(name.clone(), value.clone());
    }
    let member = |member: &ScopeRecord| {
        let id = &member.id.member;
        let shown = member.settings.email.as_ref().unwrap_or(id);
        json!({ "value": id, "display": shown, "$ref": format!("{base}/Users/{}", escaped(id)), "type": "User" })
    };
    all.insert("displayName".to_owned(), json!(team.settings.alias.as_ref().unwrap_or(&team.id.id)));
    all.insert("members".to_owned(), members.iter().map(member).collect());
    all.insert("meta".to_owned(), meta(team, "Group", base));
    all
}

async fn members_of(job: &Job, id: &str) -> Result<Vec<ScopeRecord>, Fault> {
    Ok(job.members(ScopeKind::TeamMember, id).await?)
}

async fn existing(job: &Job, request: &Request) -> Result<ScopeRecord, Fault> {
    let found = job.db.scope(&ScopeId::new(ScopeKind::Team, &request.id)).await?;
    found.ok_or_else(|| Fault::missing("the group", &request.id))
}

async fn shown(job: &Job, request: &Request, team: &ScopeRecord) -> Result<Map<String, Value>, Fault> {
    Ok(resource(team, &members_of(job, &team.id.id).await?, &request.base))
}

pub(super) async fn list(job: &Job, request: &Request) -> Result<Value, Fault> {
    let wanted = Wanted::read(job)?;
    let (teams, total) = found(job, &wanted).await?;
    let mut resources = Vec::with_capacity(teams.len());
    for team in &teams {
        let members = if wanted.shows("members") { members_of(job, &team.id.id).await? } else { Vec::new() };
        resources.push(wanted.shown(resource(team, &members, &request.base)));
    }
    Ok(wanted.answer(&resources, total))
}

async fn found(job: &Job, wanted: &Wanted) -> Result<(Vec<ScopeRecord>, usize), Fault> {
    let Some(filter) = &wanted.filter else {
        return list::page(job, ScopeKind::Team, wanted).await;
    };
    let named = |name: &str| filter.equals(name).map(str::to_owned);
    let mut query = ScopeQuery::of(ScopeKind::Team);
    query.ids.extend(named("id"));
    query.search = named("displayName");
    if let Some(user) = named("members.value").or_else(|| named("members")) {
        query.ids = teams_of(job, &user).await?;
        if query.ids.is_empty() {
            return Ok((Vec::new(), 0));
        }
    }
    let needs_members = wanted.filter_names("members");
    let mut holding = Vec::new();
    for team in job.db.list_scopes(&query).await?.items {
        let members = if needs_members { members_of(job, &team.id.id).await? } else { Vec::new() };
        if filter.holds(&resource(&team, &members, "")) {
            holding.push(team);
        }
    }
    Ok(wanted.cut(holding))
}

pub(super) async fn one(job: &Job, request: &Request) -> Result<Value, Fault> {
    let team = existing(job, request).await?;
    let all = shown(job, request, &team).await?;
    Ok(Wanted::attributes(job).shown(all))
}

/// A new team. Its id is the provider's, so that the groups of a token name the same team.
pub(super) async fn new(job: &Job, request: &Request) -> Result<Value, Fault> {
    let said = read(&request.object()?)?;
    let id = said.external_id.clone().unwrap_or_else(new_id);
    let scope = ScopeId::new(ScopeKind::Team, &id);
    if job.db.scope(&scope).await?.is_some() {
        return Err(Fault::taken(format!("a group `{id}` is here already")));
    }
    let mut settings = job.shared.snapshot().new_team(job.moment.now);
    edit(&said).apply(&mut settings);
    let made = job.make(scope, settings, Money::ZERO).await;
    let team = made.map_err(|refusal| match refusal.is_about(DbErrorKind::DuplicateScope) {
        true => Fault::taken(format!("a group `{id}` is here already")),
        false => refusal.into(),
    })?;
    set_members(job, &team, &[], said.members.as_deref().unwrap_or_default()).await?;
    shown(job, request, &team).await.map(Value::Object)
}

fn edit(said: &Said) -> ScopeEdit {
    let extra = JsonMap::from_iter([(KEPT.to_owned(), json!(said.kept))]);
    ScopeEdit { alias: Change::Set(said.name.clone()), extra, ..ScopeEdit::default() }
}

/// A group that is said anew: nobody is in it whom the request does not name.
pub(super) async fn replace(job: &Job, request: &Request) -> Result<Value, Fault> {
    let old = existing(job, request).await?;
    let said = read(&request.object()?)?;
    let team = job.edit(&old.id, edit(&said)).await?;
    let have = member_ids(job, &team).await?;
    set_members(job, &team, &have, said.members.as_deref().unwrap_or_default()).await?;
    shown(job, request, &team).await.map(Value::Object)
}

pub(super) async fn patch(job: &Job, request: &Request) -> Result<Value, Fault> {
    let wanted = request.object()?;
    // What others change meanwhile stays: it is read, patched and written again.
    for _ in 0..TRIES {
        let old = existing(job, request).await?;
        let before = shown(job, request, &old).await?;
        let after = patch::apply(&before, &wanted)?;
        let said = read(&after)?;
        let team = match kept(&before) == kept(&after) {
            true => old,
            false => match job.edit_as_read(&old, edit(&said)).await? {
                Some(team) => team,
                None => continue,
            },
        };
        let have = read(&before)?.members.unwrap_or_default();
        set_members(job, &team, &have, said.members.as_deref().unwrap_or_default()).await?;
        return shown(job, request, &team).await.map(Value::Object);
    }
    Err(Fault::crowded())
}

pub(super) async fn delete(job: &Job, request: &Request) -> Result<Value, Fault> {
    let team = existing(job, request).await?;
    let id = &team.id.id;
    let mut gone: Vec<ScopeId> = members_of(job, id).await?.into_iter().map(|member| member.id).collect();
    gone.push(team.id.clone());
    let keys = job.all_keys(KeyQuery { team_id: Some(id.clone()), ..KeyQuery::default() }).await?;
    let names: Vec<KeyName> = keys.into_iter().map(|key| KeyName::Hash(key.hash)).collect();
    if !names.is_empty() {
        job.delete_keys(&names).await?;
    }
    job.remove(&gone).await?;
    Ok(Value::Null)
}

/// Lets users into a team and others go: from who was in it to who is wanted, so that changes that others make
/// meanwhile stay. Users who are not here are made, as LiteLLM does.
async fn set_members(job: &Job, team: &ScopeRecord, have: &[String], wanted: &[String]) -> Result<(), Fault> {
    let stay: HashSet<&String> = wanted.iter().collect();
    let membership = |user: &String| ScopeId::member(ScopeKind::TeamMember, &team.id.id, user);
    let gone: Vec<ScopeId> = have.iter().filter(|user| !stay.contains(user)).map(membership).collect();
    if !gone.is_empty() {
        job.remove(&gone).await?;
    }
    let mut inside: HashSet<&String> = have.iter().collect();
    for user in wanted {
        if inside.insert(user) {
            join(job, team, user).await?;
        }
    }
    Ok(())
}

async fn member_ids(job: &Job, team: &ScopeRecord) -> Result<Vec<String>, Fault> {
    Ok(members_of(job, &team.id.id).await?.into_iter().map(|member| member.id.member).collect())
}

async fn join(job: &Job, team: &ScopeRecord, user: &str) -> Result<(), Fault> {
    let member = Member { user_id: Some(user.to_owned()), email: None, role: "user".to_owned() };
    let rest = (LimitEdit::default(), Vec::new(), member_budget(team));
    match job.join(ScopeKind::TeamMember, &team.id.id, &member, rest).await {
        Ok(_) => Ok(()),
        // Somebody else let them in meanwhile.
        Err(refusal) if refusal.is_about(DbErrorKind::DuplicateScope) => Ok(()),
        Err(refusal) => Err(refusal.into()),
    }
}

/// Lets a user be in exactly these teams, where a request says which.
pub(super) async fn sync_user(job: &Job, user: &str, wanted: Option<&[String]>) -> Result<(), Fault> {
    let Some(wanted) = wanted else { return Ok(()) };
    let have = teams_of(job, user).await?;
    let left = have.iter().filter(|team| !wanted.contains(team));
    let gone: Vec<ScopeId> = left.map(|team| ScopeId::member(ScopeKind::TeamMember, team, user)).collect();
    for id in wanted.iter().filter(|id| !have.contains(id)) {
        let team = job.db.scope(&ScopeId::new(ScopeKind::Team, id)).await?;
        let team = team.ok_or_else(|| Fault::bad("invalidValue", format!("there is no group `{id}`")))?;
        join(job, &team, user).await?;
    }
    if !gone.is_empty() {
        job.remove(&gone).await?;
    }
    Ok(())
}
