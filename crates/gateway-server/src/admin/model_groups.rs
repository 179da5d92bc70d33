//! `/access_group/*`: access groups of models (`model_info.access_groups`) that are kept in the database (surface
//! §3.7, §14.5). Those of the configuration file are changed there.

use std::collections::{BTreeMap, BTreeSet};

use gateway_db::{Change, ConfigEntry, EntryKind, ScopeId, ScopeKind, ScopeQuery, ScopeRecord, Seal};
use http::StatusCode;
use serde_json::{Value, json};

use super::job::Job;
use super::models::{TRIES, crowded, seal};
use super::refusal::Refusal;

mod budget;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ModelGroupAction {
    New,
    List,
    Info,
    Update,
    Delete,
    /// What may be spent on the group's models, and is.
    Budget,
    SetBudget,
    ClearBudget,
}

impl ModelGroupAction {
    /// Whether it changes nothing.
    pub(super) fn reads(self) -> bool {
        matches!(self, Self::List | Self::Info | Self::Budget)
    }
}

/// Where a deployment keeps the groups it belongs to.
const GROUPS: &str = "access_groups";

/// Does what is asked about access groups of models.
pub(super) async fn run(job: Job, action: ModelGroupAction) -> Result<Value, Refusal> {
    match action {
        ModelGroupAction::New => new(&job).await,
        ModelGroupAction::List => list(&job).await,
        ModelGroupAction::Info => info(&job).await,
        ModelGroupAction::Update => update(&job).await,
        ModelGroupAction::Delete => delete(&job).await,
        ModelGroupAction::Budget => budget::shown(&job).await,
        ModelGroupAction::SetBudget => budget::set(&job).await,
        ModelGroupAction::ClearBudget => budget::clear(&job).await,
    }
}

/// A group as the deployments say it that belong to it.
#[derive(Debug, Default)]
struct Group {
    models: BTreeSet<String>,
    deployments: usize,
}

/// Which deployments a request means.
struct Wanted {
    names: Option<Vec<String>>,
    ids: Option<Vec<String>>,
}

impl Wanted {
    /// Those of a request, all of which are there and kept in the database.
    fn read(job: &Job, mut fields: super::fields::Fields, stored: &[ConfigEntry]) -> Result<Self, Refusal> {
        let given = |change: Change<Vec<String>>| match change {
            Change::Set(list) => Some(list),
            Change::Keep | Change::Clear => None,
        };
        let (names, ids) = (given(fields.texts("model_names")), given(fields.texts("model_ids")));
        fields.finish()?;
        let wanted = Self { names, ids };
        match (wanted.by_id(), wanted.by_name()) {
            (Some(ids), _) => known(ids, stored)?,
            (None, Some(names)) => served(job, names, stored)?,
            (None, None) => {
                return Err(bad("Either model_names or model_ids must be provided and non-empty"));
            }
        }
        Ok(wanted)
    }

    /// Ids say more than names do: where there are any, names are not looked at.
    fn by_id(&self) -> Option<&[String]> {
        self.ids.as_deref().filter(|ids| !ids.is_empty())
    }

    fn by_name(&self) -> Option<&[String]> {
        self.names.as_deref().filter(|names| !names.is_empty())
    }

    fn holds(&self, entry: &ConfigEntry) -> bool {
        match (self.by_id(), self.by_name()) {
            (Some(ids), _) => ids.contains(&entry.id),
            (None, names) => names.is_some_and(|names| names.contains(&entry.name)),
        }
    }
}

fn known(ids: &[String], stored: &[ConfigEntry]) -> Result<(), Refusal> {
    match ids.iter().find(|id| stored.iter().all(|entry| entry.id != **id)) {
        Some(id) => Err(bad(format!("Deployment with model_id '{id}' not found in Database."))),
        None => Ok(()),
    }
}

fn served(job: &Job, names: &[String], stored: &[ConfigEntry]) -> Result<(), Refusal> {
    let is_stored = |name: &str| stored.iter().any(|entry| entry.name == name);
    let snapshot = job.shared.snapshot();
    let is_there = |name: &str| is_stored(name) || snapshot.routes().resolve(name, None).is_some();
    let missing: Vec<&str> = names.iter().map(String::as_str).filter(|name| !is_there(name)).collect();
    if !missing.is_empty() {
        return Err(bad(format!("Model(s) not found: {}", missing.join(", "))));
    }
    match names.iter().find(|name| !is_stored(name)) {
        Some(name) => Err(bad(format!(
            "Can't find model '{name}' in Database. Access group management is only supported for database models."
        ))),
        None => Ok(()),
    }
}

async fn new(job: &Job) -> Result<Value, Refusal> {
    let seal = seal(job)?;
    let mut fields = job.fields()?;
    let name = fields.required("access_group");
    let stored = models(job, seal).await?;
    let wanted = Wanted::read(job, fields, &stored)?;
    if name.trim().is_empty() {
        return Err(bad("access_group is required and cannot be empty"));
    }
    if groups_of(&stored).contains_key(&name) {
        let message = format!(
            "Access group '{name}' already exists. Use PUT /access_group/{name}/update to modify it."
        );
        return Err(Refusal::detail(StatusCode::CONFLICT, message));
    }
    assign(job, seal, &name, stored, |entry| wanted.holds(entry))
        .await
        .map(|added| told(&name, &wanted, added))
}

async fn update(job: &Job) -> Result<Value, Refusal> {
    let seal = seal(job)?;
    let (name, stored) = existing(job).await?;
    let wanted = Wanted::read(job, job.fields()?, &stored)?;
    let count = stored.iter().filter(|entry| wanted.holds(entry)).count();
    assign(job, seal, &name, stored, |entry| wanted.holds(entry)).await?;
    Ok(told(&name, &wanted, count))
}

fn told(name: &str, wanted: &Wanted, updated: usize) -> Value {
    json!({
        "access_group": name,
        "model_names": wanted.names,
        "model_ids": wanted.ids,
        "models_updated": updated,
    })
}

async fn delete(job: &Job) -> Result<Value, Refusal> {
    let seal = seal(job)?;
    let (name, stored) = existing(job).await?;
    // The budget last: what fails here leaves one without a group, not a group that spends without its budget.
    let updated = assign(job, seal, &name, stored, |_| false).await?;
    job.remove(&[scope(&name)]).await?;
    Ok(json!({
        "access_group": name,
        "models_updated": updated,
        "message": format!("Access group '{name}' deleted successfully"),
    }))
}

async fn list(job: &Job) -> Result<Value, Refusal> {
    let Some(seal) = job.shared.stored.seal() else { return Ok(json!({ "access_groups": [] })) };
    let groups = groups_of(&models(job, seal).await?);
    let budgets = job.db.list_scopes(&ScopeQuery::of(ScopeKind::ModelAccessGroup)).await?.items;
    let mut rows = Vec::with_capacity(groups.len());
    for (name, group) in &groups {
        let own = budgets.iter().find(|record| record.id.id == *name);
        rows.push(row(job, name, group, own).await?);
    }
    Ok(json!({ "access_groups": rows }))
}

async fn info(job: &Job) -> Result<Value, Refusal> {
    let (name, stored) = existing(job).await?;
    let group = groups_of(&stored).remove(&name).unwrap_or_default();
    row(job, &name, &group, job.db.scope(&scope(&name)).await?.as_ref()).await
}

async fn row(job: &Job, name: &str, group: &Group, own: Option<&ScopeRecord>) -> Result<Value, Refusal> {
    let mut row = budget::row(job, name, own).await?;
    row["model_names"] = json!(group.models);
    row["deployment_count"] = json!(group.deployments);
    Ok(row)
}

/// The account of a group's budget.
fn scope(name: &str) -> ScopeId {
    ScopeId::new(ScopeKind::ModelAccessGroup, name)
}

/// The deployments that are kept in the database.
async fn models(job: &Job, seal: &Seal) -> Result<Vec<ConfigEntry>, Refusal> {
    let mut entries = job.db.entries(seal).await?.entries;
    entries.retain(|entry| entry.kind == EntryKind::Model);
    Ok(entries)
}

/// The group that the path names, and the deployments there are.
async fn existing(job: &Job) -> Result<(String, Vec<ConfigEntry>), Refusal> {
    let name = job.named.clone().unwrap_or_default();
    let stored = match job.shared.stored.seal() {
        Some(seal) => models(job, seal).await?,
        None => Vec::new(),
    };
    if groups_of(&stored).contains_key(&name) {
        return Ok((name, stored));
    }
    Err(Refusal::detail(StatusCode::NOT_FOUND, format!("Access group '{name}' not found")))
}

/// The groups an entry belongs to.
fn own_groups(entry: &ConfigEntry) -> impl Iterator<Item = &str> {
    entry.info.get(GROUPS).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn groups_of(stored: &[ConfigEntry]) -> BTreeMap<String, Group> {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for entry in stored {
        for name in own_groups(entry).collect::<BTreeSet<_>>() {
            let group = groups.entry(name.to_owned()).or_default();
            group.models.insert(entry.name.clone());
            group.deployments += 1;
        }
    }
    groups
}

/// Lets exactly these deployments belong to a group, and puts that in force; says how many were changed.
async fn assign(
    job: &Job,
    seal: &Seal,
    name: &str,
    stored: Vec<ConfigEntry>,
    belongs: impl Fn(&ConfigEntry) -> bool,
) -> Result<usize, Refusal> {
    let mut changed = 0;
    for entry in stored {
        let wanted = belongs(&entry);
        changed += usize::from(set_member(job, seal, name, entry, wanted).await?);
    }
    job.shared.stored.follow(&job.shared).await?;
    Ok(changed)
}

/// Lets a deployment belong to a group, or not; whether that was a change. What others change of it meanwhile stays.
async fn set_member(
    job: &Job,
    seal: &Seal,
    name: &str,
    mut read: ConfigEntry,
    wanted: bool,
) -> Result<bool, Refusal> {
    for _ in 0..TRIES {
        if own_groups(&read).any(|group| group == name) == wanted {
            return Ok(false);
        }
        let mut groups: Vec<String> =
            own_groups(&read).filter(|group| *group != name).map(str::to_owned).collect();
        groups.extend(wanted.then(|| name.to_owned()));
        let mut entry = read.clone();
        entry.info.insert(GROUPS.to_owned(), json!(groups));
        entry.updated_at = job.moment.now;
        entry.updated_by = Some(job.by.clone());
        if job.db.replace_entry(&read, &entry, seal).await? {
            return Ok(true);
        }
        match job.db.entry(EntryKind::Model, &read.id, seal).await? {
            Some(now) => read = now,
            None => return Ok(false),
        }
    }
    Err(crowded(&read.id))
}

fn bad(message: impl Into<String>) -> Refusal {
    Refusal::detail(StatusCode::BAD_REQUEST, message)
}
