//! `/scim/v2/Users`: people come, change, are switched off and go.

use std::collections::HashMap;

use gateway_db::{Change, JsonMap, ScopeId, ScopeKind, ScopeQuery, ScopeRecord};
use serde_json::{Map, Value, json};

use super::fault::Fault;
use super::list::{self, Wanted};
use super::user::{self, KEPT, Said};
use super::{Request, TRIES, groups};
use crate::admin::fields::Fields;
use crate::admin::job::Job;
use crate::admin::scope_fields::ScopeEdit;
use crate::admin::teams::teams_of;
use crate::admin::users;

/// The role of people of whom the configuration says none.
const USUAL_ROLE: &str = "internal_user_viewer";

pub(super) async fn list(job: &Job, request: &Request) -> Result<Value, Fault> {
    let wanted = Wanted::read(job)?;
    let (users, total) = found(job, &wanted).await?;
    let mut names = HashMap::new();
    let mut resources = Vec::with_capacity(users.len());
    for user in &users {
        let own = groups_of(job, &user.id.id, &mut names).await?;
        resources.push(wanted.shown(user::resource(user, &own, &request.base)));
    }
    Ok(wanted.answer(&resources, total))
}

/// The users a request asks for, of the page it wants, and how many there are.
async fn found(job: &Job, wanted: &Wanted) -> Result<(Vec<ScopeRecord>, usize), Fault> {
    let Some(filter) = &wanted.filter else {
        return list::page(job, ScopeKind::User, wanted).await;
    };
    let named = |name: &str| filter.equals(name).map(str::to_owned);
    let candidates = match (named("id"), named("userName").or_else(|| named("emails.value"))) {
        (Some(id), _) => job.db.scope(&ScopeId::new(ScopeKind::User, id)).await?.into_iter().collect(),
        (None, Some(name)) => by_name(job, &name).await?,
        (None, None) => job.db.list_scopes(&ScopeQuery::of(ScopeKind::User)).await?.items,
    };
    let mut names = HashMap::new();
    let needs_groups = wanted.filter_names("groups");
    let mut holding = Vec::new();
    for user in candidates {
        let own = match needs_groups {
            true => groups_of(job, &user.id.id, &mut names).await?,
            false => Vec::new(),
        };
        if filter.holds(&user::resource(&user, &own, "")) {
            holding.push(user);
        }
    }
    Ok(wanted.cut(holding))
}

/// Users who may be called so: by id or address where that is quick, else all.
async fn by_name(job: &Job, name: &str) -> Result<Vec<ScopeRecord>, Fault> {
    let near = ScopeQuery { search: Some(name.to_owned()), ..ScopeQuery::of(ScopeKind::User) };
    let near = job.db.list_scopes(&near).await?.items;
    let is = |user: &ScopeRecord| user::name_of(user).to_lowercase() == name.to_lowercase();
    if near.iter().any(is) {
        return Ok(near);
    }
    Ok(job.db.list_scopes(&ScopeQuery::of(ScopeKind::User)).await?.items)
}

/// A user's teams with their names.
async fn groups_of(
    job: &Job,
    user: &str,
    names: &mut HashMap<String, String>,
) -> Result<Vec<(String, String)>, Fault> {
    let mut own = Vec::new();
    for id in teams_of(job, user).await? {
        if !names.contains_key(&id) {
            let team = job.db.scope(&ScopeId::new(ScopeKind::Team, &id)).await?;
            let name = team.and_then(|team| team.settings.alias).unwrap_or_else(|| id.clone());
            names.insert(id.clone(), name);
        }
        let name = names.get(&id).cloned().unwrap_or_default();
        own.push((id, name));
    }
    Ok(own)
}

async fn shown(job: &Job, request: &Request, user: &ScopeRecord) -> Result<Map<String, Value>, Fault> {
    let own = groups_of(job, &user.id.id, &mut HashMap::new()).await?;
    Ok(user::resource(user, &own, &request.base))
}

async fn existing(job: &Job, request: &Request) -> Result<ScopeRecord, Fault> {
    let found = job.db.scope(&ScopeId::new(ScopeKind::User, &request.id)).await?;
    found.ok_or_else(|| Fault::missing("the user", &request.id))
}

pub(super) async fn one(job: &Job, request: &Request) -> Result<Value, Fault> {
    let user = existing(job, request).await?;
    let all = shown(job, request, &user).await?;
    Ok(Wanted::attributes(job).shown(all))
}

/// A new user; one with the mail address who is no user of SCIM's yet becomes one and keeps its id.
pub(super) async fn new(job: &Job, request: &Request) -> Result<Value, Fault> {
    let said = user::read(&request.object()?)?;
    alone(job, &said, None).await?;
    let known = match &said.email {
        Some(email) => job.user_by_email(email).await?,
        None => None,
    };
    let user = match known {
        Some(known) if known.settings.extra.contains_key(KEPT) => {
            let email = said.email.unwrap_or_default();
            return Err(Fault::taken(format!("a user with the mail address `{email}` is here already")));
        }
        Some(known) => written(job, &known, &said).await?.ok_or_else(Fault::crowded)?,
        None => made(job, &said).await?,
    };
    groups::sync_user(job, &user.id.id, said.groups.as_deref()).await?;
    shown(job, request, &user).await.map(Value::Object)
}

/// A name is one user's.
async fn alone(job: &Job, said: &Said, own: Option<&str>) -> Result<(), Fault> {
    let name = &said.user_name;
    let is = |user: &&ScopeRecord| user::name_of(user).to_lowercase() == name.to_lowercase();
    let of_other = |user: &&ScopeRecord| own != Some(user.id.id.as_str());
    let managed = |user: &&ScopeRecord| user.settings.extra.contains_key(KEPT);
    let near = by_name(job, name).await?;
    let by_id = own.is_none() && job.db.scope(&ScopeId::new(ScopeKind::User, name)).await?.is_some();
    if by_id || near.iter().filter(is).filter(managed).any(|user| of_other(&user)) {
        return Err(Fault::taken(format!("a user `{name}` is here already")));
    }
    Ok(())
}

async fn made(job: &Job, said: &Said) -> Result<ScopeRecord, Fault> {
    let snapshot = job.shared.snapshot();
    let usual = snapshot.config.budgets.internal_user_defaults.get("user_role").and_then(Value::as_str);
    let body = json!({
        "user_id": said.user_name,
        "user_email": said.email,
        "user_alias": said.alias,
        "user_role": usual.unwrap_or(USUAL_ROLE),
        "sso_user_id": said.external_id,
        "metadata": said.metadata(&JsonMap::new()),
        "blocked": !said.active,
        "auto_create_key": false,
        KEPT: said.kept,
    });
    users::make(job, Fields::read(body.to_string().as_bytes())?).await?;
    let found = job.db.scope(&ScopeId::new(ScopeKind::User, &said.user_name)).await?;
    found.ok_or_else(|| Fault::missing("the user", &said.user_name))
}

/// Writes what is said of a user there is; `None` where others have changed them since. Who is switched off is
/// blocked, and every key of theirs with them.
async fn written(job: &Job, old: &ScopeRecord, said: &Said) -> Result<Option<ScopeRecord>, Fault> {
    let mut extra = JsonMap::from_iter([(KEPT.to_owned(), json!(said.kept))]);
    if let Some(id) = &said.external_id {
        extra.insert("sso_user_id".to_owned(), json!(id));
    }
    let text = |new: &Option<String>| new.clone().map_or(Change::Clear, Change::Set);
    let edit = ScopeEdit {
        email: text(&said.email),
        alias: text(&said.alias),
        blocked: Some(!said.active),
        metadata: Some(said.metadata(&old.settings.metadata)),
        extra,
        ..ScopeEdit::default()
    };
    Ok(job.edit_as_read(old, edit).await?)
}

pub(super) async fn replace(job: &Job, request: &Request) -> Result<Value, Fault> {
    let said = user::read(&request.object()?)?;
    for _ in 0..TRIES {
        let old = existing(job, request).await?;
        if let Some(user) = change(job, &old, &said).await? {
            return shown(job, request, &user).await.map(Value::Object);
        }
    }
    Err(Fault::crowded())
}

pub(super) async fn patch(job: &Job, request: &Request) -> Result<Value, Fault> {
    let wanted = request.object()?;
    // What others change meanwhile stays: it is read, patched and written again.
    for _ in 0..TRIES {
        let old = existing(job, request).await?;
        let before = shown(job, request, &old).await?;
        let after = super::patch::apply(&before, &wanted)?;
        let same_groups = before.get("groups") == after.get("groups");
        let mut said = user::read(&after)?;
        // An empty list is none to `read`; here it means that the user leaves them.
        said.groups = (!same_groups).then(|| said.groups.unwrap_or_default());
        if let Some(user) = change(job, &old, &said).await? {
            return shown(job, request, &user).await.map(Value::Object);
        }
    }
    Err(Fault::crowded())
}

/// Changes a user, unless others have changed them since they were read.
async fn change(job: &Job, old: &ScopeRecord, said: &Said) -> Result<Option<ScopeRecord>, Fault> {
    if user::name_of(old).to_lowercase() != said.user_name.to_lowercase() {
        alone(job, said, Some(&old.id.id)).await?;
    }
    if let Some(email) = &said.email
        && let Some(other) = job.user_by_email(email).await?
        && other.id != old.id
    {
        return Err(Fault::taken(format!("the mail address `{email}` is another user's")));
    }
    let Some(user) = written(job, old, said).await? else { return Ok(None) };
    groups::sync_user(job, &user.id.id, said.groups.as_deref()).await?;
    Ok(Some(user))
}

pub(super) async fn delete(job: &Job, request: &Request) -> Result<Value, Fault> {
    let user = existing(job, request).await?;
    users::remove(job, std::slice::from_ref(&user.id.id)).await?;
    Ok(Value::Null)
}
