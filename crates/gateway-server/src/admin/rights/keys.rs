//! Whose keys are whose: a user makes and renews its own, who runs a team manages the team's, and a member what the
//! team permits (`team_member_permissions`). What a key may reach or spend is not its holder's to widen.

use gateway_db::{KeyName, KeyRecord, ScopeId, ScopeKind};
use http::StatusCode;
use llm_types::{Error, ErrorKind, Money};
use serde_json::{Map, Value};

use super::{Rights, narrow, not_yours_to_see, object, refused};
use crate::admin::KeyAction;
use crate::admin::job::Job;
use crate::admin::keys::hash_of;
use crate::admin::refusal::Refusal;
use crate::walk::Caller;

/// What who is no administrator may not give a key: it would reach models, money, routes or rules that are not theirs.
const NOT_FOR_USERS: [&str; 20] = [
    "spend",
    "budget_id",
    "organization_id",
    "project_id",
    "access_group_ids",
    "aliases",
    "config",
    "permissions",
    "router_settings",
    "end_user_budget_id",
    "enforced_params",
    "created_by",
    "allowed_routes",
    "allowed_passthrough_routes",
    "denied_passthrough_routes",
    "disable_global_guardrails",
    "throttle_on_budget_exceeded",
    "default_estimated_output_tokens",
    "default_estimated_output_tokens_per_model",
    "tpd_limit",
];

/// The same within a key's `metadata`, where it counts as well, and what the gateway itself writes there.
const NOT_IN_METADATA: [&str; 10] = [
    "allowed_passthrough_routes",
    "denied_passthrough_routes",
    "disable_global_guardrails",
    "throttle_on_budget_exceeded",
    "default_estimated_output_tokens",
    "default_estimated_output_tokens_per_model",
    "end_user_budget_id",
    "service_account_id",
    "fairness_weight",
    "sso_session",
];

/// What only who runs a key's team changes: the key's own money.
const MONEY: [&str; 4] = ["budget_limits", "soft_budget", "temp_budget_increase", "temp_budget_expiry"];

impl Rights {
    pub(super) async fn keys(&self, job: &mut Job, action: KeyAction, path: &str) -> Result<(), Refusal> {
        match action {
            KeyAction::Generate => self.generates(job).await,
            KeyAction::ServiceAccount => self.generates_for_service(job).await,
            KeyAction::Update => self.changes(job, "/key/update").await,
            KeyAction::Regenerate => self.changes(job, "/key/regenerate").await,
            KeyAction::Block | KeyAction::Unblock => self.blocks(job, path).await,
            KeyAction::ResetSpend => self.resets(job).await,
            KeyAction::BulkUpdateOfTeam => self.changes_keys_of_team(job, path).await,
            KeyAction::BulkUpdate => {
                let words = "Only proxy admins can perform bulk key updates";
                Err(Refusal::detail(StatusCode::FORBIDDEN, words))
            }
            KeyAction::Delete => {
                for name in named_keys(job)? {
                    let record = job.db.key_by_name(&name).await?;
                    self.may_change(job, record.as_ref()).await?;
                }
                Ok(())
            }
            KeyAction::Info => {
                let Some(key) = job.param("key") else { return Ok(()) };
                let record = job.db.key_by_hash(&hash_of(&key)).await?;
                match record {
                    Some(record) if !self.may_see(job, &record).await? => Err(not_yours_to_see()),
                    _ => Ok(()),
                }
            }
            KeyAction::List => self.lists(job).await,
            // Narrowed where they are answered.
            KeyAction::InfoOfSeveral | KeyAction::Aliases | KeyAction::Health => Ok(()),
        }
    }

    /// One's own keys, or all of a team that one runs.
    async fn lists(&self, job: &mut Job) -> Result<(), Refusal> {
        let no = |field: &str, words: &str| {
            Err(Refusal::about(ErrorKind::Forbidden, "bad_request_error", field, words))
        };
        if job.param("user_id").is_some_and(|asked| asked != self.user) {
            return no("user_id", "You are not authorized to check another user's keys");
        }
        if let Some(team) = job.param("team_id") {
            if self.runs(job, &team).await? {
                return Ok(());
            }
            if !self.is_member(&team) {
                return no("team_id", "You are not authorized to check this team's keys");
            }
        }
        if let Some(id) = job.param("organization_id") {
            let member = ScopeId::member(ScopeKind::OrganizationMember, &id, &self.user);
            if job.db.scope(&member).await?.is_none() {
                return no("organization_id", "You are not authorized to check this organization's keys");
            }
        }
        narrow(job, "user_id", &self.user);
        Ok(())
    }

    /// A key for oneself, or for a team that lets one.
    async fn generates(&self, job: &mut Job) -> Result<(), Refusal> {
        let mut body = object(job)?;
        ordinary(&body)?;
        within_own_budget(job, &body)?;
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let (user, team) = (text("user_id"), text("team_id"));
        self.may_give(job, user.as_deref(), team.as_deref(), "/key/generate").await?;
        if user.is_none() {
            body.insert("user_id".to_owned(), self.user.clone().into());
            job.body = Value::Object(body).to_string().into();
        }
        Ok(())
    }

    /// A key of a team that is nobody's.
    async fn generates_for_service(&self, job: &Job) -> Result<(), Refusal> {
        let mut body = object(job)?;
        if let Some(Value::Object(metadata)) = body.get_mut("metadata") {
            metadata.shift_remove("service_account_id");
        }
        ordinary(&body)?;
        within_own_budget(job, &body)?;
        let Some(team) = body.get("team_id").and_then(Value::as_str) else { return Ok(()) };
        self.may_give(job, None, Some(team), "/key/service-account/generate").await
    }

    /// Whether a key may belong to a user and a team.
    async fn may_give(
        &self,
        job: &Job,
        user: Option<&str>,
        team: Option<&str>,
        route: &str,
    ) -> Result<(), Refusal> {
        let runs = match team {
            Some(team) => self.runs(job, team).await?,
            None => false,
        };
        if let Some(user) = user.filter(|user| *user != self.user)
            && !runs
        {
            let own = &self.user;
            return Err(refused(format!(
                "User can only create keys for themselves. Got user_id={user}, Your ID={own}"
            )));
        }
        let Some(team) = team else { return Ok(()) };
        if job.db.scope(&ScopeId::new(ScopeKind::Team, team)).await?.is_none() {
            let words = format!(
                "Team not found for team_id={team}. Non-admin users cannot create keys for non-existent teams."
            );
            return Err(Refusal::Detail(StatusCode::BAD_REQUEST, words.into()));
        }
        if let Some(user) = user.filter(|user| *user != self.user) {
            let member = ScopeId::member(ScopeKind::TeamMember, team, user);
            if job.db.scope(&member).await?.is_none() {
                return Err(not_in_team(user, team));
            }
        }
        if runs { Ok(()) } else { self.permitted(job, team, route).await }
    }

    /// Whether the team lets its members do this to its keys.
    async fn permitted(&self, job: &Job, team: &str, route: &str) -> Result<(), Refusal> {
        if !self.is_member(team) {
            return Err(not_in_team(&self.user, team));
        }
        if self.team_permits(job, team, route).await? {
            return Ok(());
        }
        let words = format!(
            "Team member does not have permissions for endpoint: {route}. The administrators of team={team} and members \
             with this permission do: ask for `{route}` in its `team_member_permissions`"
        );
        let error = Error::new(ErrorKind::Unauthenticated, words);
        Err(error.with_vendor_type("team_member_permission_error").with_param(route).into())
    }

    /// A key that is the caller's own, or a team's that it runs.
    async fn may_change(&self, job: &Job, record: Option<&KeyRecord>) -> Result<(), Refusal> {
        let Some(record) = record else { return Ok(()) };
        let own = record.settings.user_id.as_deref() == Some(&self.user);
        if own || self.runs_key(job, record).await? {
            return Ok(());
        }
        Err(refused("You can only change your own keys, and those of teams that you administer"))
    }

    /// Whether the key is of a team that the caller runs.
    async fn runs_key(&self, job: &Job, record: &KeyRecord) -> Result<bool, Refusal> {
        match &record.settings.team_id {
            Some(team) => self.runs(job, team).await,
            None => Ok(false),
        }
    }

    pub(super) async fn may_see(&self, job: &Job, record: &KeyRecord) -> Result<bool, Refusal> {
        let settings = &record.settings;
        let asking = matches!(&job.caller, Caller::Key(entry) if entry.record.hash == record.hash);
        let own = asking || settings.user_id.as_deref() == Some(&self.user);
        match &settings.team_id {
            Some(team) if !own => Ok(self.is_member(team) || self.runs(job, team).await?),
            _ => Ok(own),
        }
    }

    /// A change of one key, or a new secret for it: what it was must be the caller's, and what it becomes too.
    async fn changes(&self, job: &Job, route: &str) -> Result<(), Refusal> {
        let body = object(job)?;
        let Some(record) = named_key(job, &body).await? else { return Ok(()) };
        let runs = self.runs_key(job, &record).await?;
        let own = record.settings.user_id.as_deref() == Some(&self.user);
        let renews = route == "/key/regenerate";
        match &record.settings.team_id {
            Some(team) if !runs => self.permitted(job, team, route).await?,
            // What somebody else made for the caller is theirs to change.
            None if !own || !(renews || record.created_by.as_ref() == Some(&self.user)) => {
                return Err(managers_only(job, route));
            }
            _ => {}
        }
        if renews {
            self.may_change(job, Some(&record)).await?;
        }
        ordinary(&body)?;
        if !runs && (touches_money(&body, &record) || lifts_a_block(&body, &record)) {
            return Err(managers_only(job, &format!("{route} (max_budget/spend)")));
        }
        within_own_budget(job, &body)?;
        self.moves(job, &body, &record, route).await
    }

    /// Whom a key may be given to.
    async fn moves(
        &self,
        job: &Job,
        body: &Map<String, Value>,
        record: &KeyRecord,
        route: &str,
    ) -> Result<(), Refusal> {
        let leaves = ["user_id", "team_id"].iter().find(|name| body.get(**name).is_some_and(Value::is_null));
        if let Some(name) = leaves {
            return Err(refused(format!("only an administrator takes `{name}` off a key")));
        }
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let team = record.settings.team_id.as_deref();
        let user = text("user_id").filter(|new| Some(*new) != record.settings.user_id.as_deref());
        let new_team = text("team_id").filter(|new| Some(*new) != team);
        if user.is_some() || new_team.is_some() {
            self.may_give(job, user, new_team.or(team), route).await?;
        }
        Ok(())
    }

    /// Who runs a key's team blocks it, and lets it go on: what an administrator blocked is not its holder's to open.
    async fn blocks(&self, job: &Job, path: &str) -> Result<(), Refusal> {
        let body = object(job)?;
        match named_key(job, &body).await? {
            Some(record) if !self.runs_key(job, &record).await? => Err(managers_only(job, path)),
            _ => Ok(()),
        }
    }

    /// Who runs a key's team sets what it has spent.
    async fn resets(&self, job: &Job) -> Result<(), Refusal> {
        let body = object(job)?;
        match named_key(job, &body).await? {
            Some(record) if !self.runs_key(job, &record).await? => {
                let words = "You must be a proxy admin or team admin to reset key spend";
                Err(Refusal::detail(StatusCode::FORBIDDEN, words))
            }
            _ => Ok(()),
        }
    }

    /// Keys of a team are changed together by those who run it, and by members it lets change keys.
    async fn changes_keys_of_team(&self, job: &Job, path: &str) -> Result<(), Refusal> {
        let body = object(job)?;
        let Some(team) = body.get("team_id").and_then(Value::as_str) else { return Ok(()) };
        let runs = self.runs(job, team).await?;
        if !runs && !self.team_permits(job, team, "/key/update").await? {
            return Err(crate::routes::operators_only(&job.caller, path).into());
        }
        let Some(fields) = body.get("update_fields").and_then(Value::as_object) else { return Ok(()) };
        let mut money = MONEY.iter().chain(&["max_budget", "budget_duration", "blocked"]);
        if !runs && money.any(|name| fields.contains_key(*name)) {
            return Err(managers_only(job, path));
        }
        ordinary(fields)
    }
}

/// Whether a key is given nothing that only administrators give.
fn ordinary(body: &Map<String, Value>) -> Result<(), Refusal> {
    if body.get("key_type").and_then(Value::as_str) == Some("management") {
        return Err(refused("only an administrator of the gateway makes keys that manage (`key_type`)"));
    }
    if let Some(name) = NOT_FOR_USERS.iter().find(|name| body.get(**name).is_some_and(is_said)) {
        return Err(refused(format!("only an administrator of the gateway sets `{name}` of a key")));
    }
    let metadata = body.get("metadata").and_then(Value::as_object);
    let hidden = |name: &&&str| metadata.and_then(|metadata| metadata.get(**name)).is_some_and(is_said);
    match NOT_IN_METADATA.iter().find(hidden) {
        Some(name) => {
            Err(refused(format!("only an administrator of the gateway sets `metadata.{name}` of a key")))
        }
        None => Ok(()),
    }
}

/// Whether a value says something: forms send what was left empty as well.
fn is_said(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}

/// Sees that a key gets no larger budget than the key that asks for it.
fn within_own_budget(job: &Job, body: &Map<String, Value>) -> Result<(), Refusal> {
    let Caller::Key(entry) = &job.caller else { return Ok(()) };
    let Some(own) = entry.record.settings.max_budget else { return Ok(()) };
    let windows = body.get("budget_limits").and_then(Value::as_array).into_iter().flatten();
    let amounts = windows.filter_map(|window| window.get("max_budget")).chain(body.get("max_budget"));
    match amounts.filter_map(Value::as_f64).find(|amount| *amount > own.as_usd()) {
        Some(amount) => {
            let words = format!(
                "max_budget ({amount}) cannot exceed the caller's own max_budget ({}).",
                own.as_usd()
            );
            Err(Refusal::detail(StatusCode::BAD_REQUEST, words))
        }
        None => Ok(()),
    }
}

/// Whether a change is about what the key may spend. A form says what stays as it is as well.
fn touches_money(body: &Map<String, Value>, record: &KeyRecord) -> bool {
    let settings = &record.settings;
    let cap = settings.max_budget.map(Money::as_usd);
    let period = settings.budget_duration.as_deref();
    body.get("max_budget").is_some_and(|amount| amount.as_f64() != cap)
        || body.get("budget_duration").is_some_and(|said| said.as_str() != period)
        || MONEY.iter().any(|name| body.get(*name).is_some_and(is_said))
        || (body.contains_key("budget_limits") && settings.extra.contains_key("budget_limits"))
}

/// Whether a change opens a key that is blocked.
fn lifts_a_block(body: &Map<String, Value>, record: &KeyRecord) -> bool {
    record.settings.blocked && body.get("blocked").is_some_and(|blocked| blocked != &Value::Bool(true))
}

fn not_in_team(user: &str, team: &str) -> Refusal {
    Refusal::Detail(StatusCode::BAD_REQUEST, format!("User={user} not assigned to team={team}").into())
}

fn managers_only(job: &Job, route: &str) -> Refusal {
    let role = job.caller.role_name().unwrap_or_else(|| "None".to_owned());
    let words = format!(
        "Only proxy admins, team admins, or org admins can call {route}. user_role={role}, user_id={}",
        job.by
    );
    Refusal::detail(StatusCode::FORBIDDEN, words)
}

/// The key that a request names by its path, its secret or its alias.
async fn named_key(job: &Job, body: &Map<String, Value>) -> Result<Option<KeyRecord>, Refusal> {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let name = match (job.named.as_deref().or_else(|| text("key")), text("key_alias")) {
        (Some(key), _) => KeyName::Hash(hash_of(key)),
        (None, Some(alias)) => KeyName::Alias(alias.to_owned()),
        (None, None) => return Ok(None),
    };
    Ok(job.db.key_by_name(&name).await?)
}

/// The keys that `/key/delete` names.
fn named_keys(job: &Job) -> Result<Vec<KeyName>, Refusal> {
    let body = object(job)?;
    let texts = |name: &str| {
        let list = body.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        list.into_iter().filter_map(|item| item.as_str().map(str::to_owned))
    };
    let keys = texts("keys").map(|key| KeyName::Hash(hash_of(&key)));
    Ok(keys.chain(texts("key_aliases").map(KeyName::Alias)).collect())
}
