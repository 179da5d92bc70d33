//! `/project/*`: projects of teams, with models, limits and budgets of their own (surface §3.7, §14.5). Nothing
//! here asks for a licence.

use gateway_db::{Change, JsonMap, KeyQuery, ScopeId, ScopeKind, ScopeQuery, ScopeRecord, ScopeSettings};
use http::StatusCode;
use llm_types::ErrorKind;
use serde_json::{Value, json};

use super::fields::Fields;
use super::job::Job;
use super::refusal::Refusal;
use super::scope_fields::ScopeEdit;
use super::scope_view as view;
use super::within;
use crate::identity::new_id;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProjectAction {
    New,
    Update,
    Delete,
    Info,
    List,
}

impl ProjectAction {
    /// Whether it changes nothing.
    pub(super) fn reads(self) -> bool {
        matches!(self, Self::Info | Self::List)
    }
}

/// Fields that LiteLLM keeps among the metadata of a project.
const IN_METADATA: [&str; 3] = ["tags", "guardrails", "policies"];

/// Does what is asked about projects.
pub(super) async fn run(job: Job, action: ProjectAction) -> Result<Value, Refusal> {
    match action {
        ProjectAction::New => new(&job).await,
        ProjectAction::Update => update(&job).await,
        ProjectAction::Delete => delete(&job).await,
        ProjectAction::Info => info(&job).await,
        ProjectAction::List => list(&job).await,
    }
}

async fn new(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let id = match fields.text("project_id") {
        Change::Set(id) => id,
        Change::Keep | Change::Clear => new_id(),
    };
    let team = fields.required("team_id");
    let asked = read(job, fields)?;
    let team = self::team(job, &team).await?;
    if job.db.scope(&project(&id)).await?.is_some() {
        return Err(Refusal::taken(&project(&id)));
    }
    let mut edit = asked.onto(&JsonMap::new());
    edit.team_id = Change::Set(team.id.id.clone());
    let spend = edit.spend.take().unwrap_or_default();
    let settings = edit.settings();
    within_team(&settings, &team)?;
    let record = job.make_new(project(&id), settings, spend).await?;
    Ok(row(job, &record))
}

/// The change that a request asks for, and what of it is kept among the metadata.
struct Asked {
    edit: ScopeEdit,
    kept: Vec<(&'static str, Change<Vec<String>>)>,
}

fn read(job: &Job, mut fields: Fields) -> Result<Asked, Refusal> {
    let alias = fields.text("project_alias");
    let kept = IN_METADATA.iter().map(|name| (*name, fields.texts(name))).collect();
    let edit = ScopeEdit { alias, ..fields.scope(&job.moment)? };
    Ok(Asked { edit, kept })
}

impl Asked {
    /// The change of a project that has these metadata until now.
    fn onto(self, metadata: &JsonMap) -> ScopeEdit {
        let mut edit = self.edit;
        for (name, change) in self.kept {
            let Change::Set(texts) = change else { continue };
            edit.metadata.get_or_insert_with(|| metadata.clone()).insert(name.to_owned(), json!(texts));
        }
        edit
    }
}

async fn update(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let id = fields.required("project_id");
    let moved = fields.text("team_id");
    let asked = read(job, fields)?;
    let old = existing(job, &id, "project_id").await?;
    let of = match &moved {
        Change::Set(team) => Some(team.clone()),
        Change::Keep | Change::Clear => old.settings.team_id.clone(),
    };
    let mut edit = asked.onto(&old.settings.metadata);
    if let Some(of) = of {
        let mut becomes = old.settings.clone();
        edit.clone().apply(&mut becomes);
        within_team(&becomes, &team(job, &of).await?)?;
        edit.team_id = Change::Set(of);
    }
    Ok(row(job, &job.edit(&old.id, edit).await?))
}

async fn delete(job: &Job) -> Result<Value, Refusal> {
    let ids = job.fields()?.naming_several("project_ids")?;
    let mut gone = Vec::new();
    for id in &ids {
        let record = existing(job, id, "project_ids").await?;
        let keys = job.all_keys(KeyQuery { project_id: Some(id.clone()), ..KeyQuery::default() }).await?;
        if !keys.is_empty() {
            let message = format!(
                "Cannot delete project {id}. {} key(s) are associated with it. Please delete or reassign the keys \
                 first.",
                keys.len()
            );
            return Err(Refusal::about(ErrorKind::BadRequest, "bad_request", "project_ids", message));
        }
        gone.push(record);
    }
    let rows = gone.iter().map(|record| row(job, record)).collect();
    let ids: Vec<ScopeId> = gone.into_iter().map(|record| record.id).collect();
    job.remove(&ids).await?;
    Ok(rows)
}

async fn info(job: &Job) -> Result<Value, Refusal> {
    let Some(id) = job.param("project_id") else {
        return Err(Refusal::missing("project_id"));
    };
    Ok(row(job, &existing(job, &id, "project_id").await?))
}

/// Every project; of those who are no administrators, the projects of their teams.
async fn list(job: &Job) -> Result<Value, Refusal> {
    let found = job.db.list_scopes(&ScopeQuery::of(ScopeKind::Project)).await?;
    let teams = job.teams_seen().await?;
    let seen = |record: &&ScopeRecord| match (&teams, &record.settings.team_id) {
        (None, _) => true,
        (Some(teams), Some(team)) => teams.contains(team),
        (Some(_), None) => false,
    };
    Ok(found.items.iter().filter(seen).map(|record| row(job, record)).collect())
}

fn project(id: &str) -> ScopeId {
    ScopeId::new(ScopeKind::Project, id)
}

fn row(job: &Job, record: &ScopeRecord) -> Value {
    Value::Object(view::project(record, job.spent(record)))
}

async fn team(job: &Job, id: &str) -> Result<ScopeRecord, Refusal> {
    let found = job.db.scope(&ScopeId::new(ScopeKind::Team, id)).await?;
    found.ok_or_else(|| {
        Refusal::about(ErrorKind::NotFound, "not_found", "team_id", format!("Team not found, team_id={id}"))
    })
}

/// The project of this id; `param` is the field that named it.
pub(super) async fn existing(job: &Job, id: &str, param: &str) -> Result<ScopeRecord, Refusal> {
    let found = job.db.scope(&project(id)).await?;
    found.ok_or_else(|| {
        Refusal::about(ErrorKind::NotFound, "not_found", param, format!("Project not found, project_id={id}"))
    })
}

/// A project has no more than its team.
fn within_team(project: &ScopeSettings, team: &ScopeRecord) -> Result<(), Refusal> {
    if let (Some(soft), Some(most)) = (project.soft_budget, project.max_budget)
        && soft >= most
    {
        let (soft, most) = (soft.as_usd(), most.as_usd());
        let words = format!("soft_budget ({soft}) must be strictly lower than max_budget ({most})");
        return Err(Refusal::detail(StatusCode::BAD_REQUEST, words));
    }
    within::Asked::by("Project", project).fits("team", team)
}
