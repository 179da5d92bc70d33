//! Members of teams and organisations: who they are, and that they exist.

use std::collections::HashSet;

use gateway_db::{Change, DbErrorKind, NewScope, ScopeId, ScopeKind, ScopeQuery, ScopeRecord, ScopeSettings};
use http::StatusCode;
use llm_types::Money;
use serde_json::Value;

use super::fields::Fields;
use super::job::Job;
use super::refusal::Refusal;
use super::scope_fields::{LimitEdit, ScopeEdit};
use crate::identity::new_id;

/// A member as a request names it.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) user_id: Option<String>,
    pub(super) email: Option<String>,
    pub(super) role: String,
}

/// Reads one member or a list of them. Entries that name nobody, or have no role a member may have, are told among the
/// other problems of the request.
pub(super) fn read(fields: &mut Fields, (name, value): (&str, &Value), roles: &[&str]) -> Vec<Member> {
    let entries = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let mut members = Vec::with_capacity(entries.len());
    for entry in entries {
        match one(name, entry, roles) {
            Ok(member) => members.push(member),
            Err((kind, name, message)) => fields.wrong(kind, name, &message, entry),
        }
    }
    members
}

/// Leaves each member once: the first entry that names them counts.
pub(super) fn once(members: &mut Vec<Member>) {
    let mut seen = HashSet::new();
    let name = |member: &Member| match &member.user_id {
        Some(id) => (Some(id.clone()), None),
        None => (None, member.email.as_ref().map(|email| email.to_lowercase())),
    };
    members.retain(|member| seen.insert(name(member)));
}

/// A type of problem, the field, and words.
type Wrong<'a> = (&'a str, &'a str, String);

fn one<'a>(name: &'a str, entry: &Value, roles: &[&str]) -> Result<Member, Wrong<'a>> {
    let text = |name: &str| {
        entry.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let role = text("role").unwrap_or_else(|| "user".to_owned());
    let is_text = entry.get("role").is_none_or(|role| role.is_null() || role.is_string());
    if !is_text || !roles.contains(&role.as_str()) {
        let message = format!("Input should be one of: {}", roles.join(", "));
        return Err(("enum", "role", message));
    }
    let (user_id, email) = (text("user_id"), text("user_email"));
    if user_id.is_none() && email.is_none() {
        let message = "Either user_id or user_email must be provided".to_owned();
        return Err(("value_error", name, message));
    }
    Ok(Member { user_id, email, role })
}

impl Job {
    /// The user with this mail address.
    pub(super) async fn user_by_email(&self, email: &str) -> Result<Option<ScopeRecord>, Refusal> {
        let query = ScopeQuery { email: Some(email.to_owned()), ..ScopeQuery::of(ScopeKind::User) };
        Ok(self.db.list_scopes(&query).await?.items.into_iter().next())
    }

    /// The user a member names; one that is not there is made, as an internal user.
    pub(super) async fn user_of(&self, member: &Member) -> Result<ScopeRecord, Refusal> {
        if let Some(id) = &member.user_id {
            if let Some(user) = self.db.scope(&ScopeId::new(ScopeKind::User, id)).await? {
                return Ok(user);
            }
        } else if let Some(email) = &member.email
            && let Some(user) = self.user_by_email(email).await?
        {
            return Ok(user);
        }
        let settings = ScopeSettings {
            email: member.email.clone(),
            role: Some("internal_user".to_owned()),
            ..ScopeSettings::default()
        };
        let id = ScopeId::new(ScopeKind::User, member.user_id.clone().unwrap_or_else(new_id));
        match self.make(id.clone(), settings, Money::ZERO).await {
            // Another request has made the same user meanwhile.
            Err(refusal) if refusal.is_about(DbErrorKind::DuplicateScope) => {
                self.db.scope(&id).await?.ok_or(refusal)
            }
            made => made,
        }
    }

    /// Makes a scope that nobody else has made, not even at the same time.
    pub(super) async fn make_new(
        &self,
        id: ScopeId,
        settings: ScopeSettings,
        spend: Money,
    ) -> Result<ScopeRecord, Refusal> {
        let made = self.make(id.clone(), settings, spend).await;
        made.map_err(|refusal| match refusal.is_about(DbErrorKind::DuplicateScope) {
            true => Refusal::taken(&id),
            false => refusal,
        })
    }

    /// Makes a scope and takes it over.
    pub(super) async fn make(
        &self,
        id: ScopeId,
        settings: ScopeSettings,
        spend: Money,
    ) -> Result<ScopeRecord, Refusal> {
        self.make_unlike(id, settings, spend, &[]).await
    }

    /// The same where no other of its kind may be found by one of these queries.
    pub(super) async fn make_unlike(
        &self,
        id: ScopeId,
        settings: ScopeSettings,
        spend: Money,
        others: &[ScopeQuery],
    ) -> Result<ScopeRecord, Refusal> {
        self.check_budget(settings.budget_id.as_deref()).await?;
        let created_at = self.moment.now;
        let new = NewScope { id, settings, spend, created_at, created_by: Some(self.by.clone()) };
        self.keep(self.db.insert_scope_unlike(new, others).await?).await
    }

    /// Changes a scope's settings and takes the change over; its spend too where the change sets it.
    pub(super) async fn edit(&self, id: &ScopeId, edit: ScopeEdit) -> Result<ScopeRecord, Refusal> {
        if let Change::Set(budget) = &edit.budget_id {
            self.check_budget(Some(budget)).await?;
        }
        let spend = edit.spend;
        if spend.is_some() {
            // What was spent until now must not be added to what is set.
            self.shared.shipping.flush().await?;
        }
        let change = |settings: &mut ScopeSettings| edit.apply(settings);
        let mut record = self.db.update_scope(id, self.moment.now, Some(&self.by), change).await?;
        if let Some(spend) = spend {
            record = self.db.set_scope_spend(id, spend, self.moment.now).await?;
            if let Some(scope) = self.shared.directory.scopes.cached(id) {
                scope.account.set_spent(spend);
            }
        }
        self.keep(record).await
    }

    /// Changes a scope's settings as [`Job::edit`] does, its spend left alone, if it still is as it was read; `None`
    /// where others have changed it since.
    pub(super) async fn edit_as_read(
        &self,
        old: &ScopeRecord,
        edit: ScopeEdit,
    ) -> Result<Option<ScopeRecord>, Refusal> {
        let change = |settings: &mut ScopeSettings| edit.apply(settings);
        let at = (&old.id, old.version);
        match self.db.update_scope_at(at, self.moment.now, Some(&self.by), change).await? {
            Some(record) => self.keep(record).await.map(Some),
            None => Ok(None),
        }
    }

    /// Deletes scopes and says which there were.
    pub(super) async fn remove(&self, ids: &[ScopeId]) -> Result<Vec<ScopeRecord>, Refusal> {
        // What is spent until now is not added to one that is made again under the same name.
        self.shared.shipping.flush().await?;
        let deleted = self.db.delete_scopes(ids, self.moment.now, Some(&self.by)).await?;
        self.shared.directory.follow().await?;
        Ok(deleted)
    }

    /// What a scope has spent, settled calls included that the database does not have yet.
    pub(super) fn spent(&self, record: &ScopeRecord) -> Money {
        self.shared.directory.scopes.spent(record)
    }

    /// The members of a team or an organisation.
    pub(super) async fn members(&self, kind: ScopeKind, id: &str) -> Result<Vec<ScopeRecord>, Refusal> {
        let query = ScopeQuery { ids: vec![id.to_owned()], ..ScopeQuery::of(kind) };
        Ok(self.db.list_scopes(&query).await?.items)
    }

    /// Makes a user a member; its limits there come with it. What a member may use comes from `budget`
    /// where it has no limits of its own.
    pub(super) async fn join(
        &self,
        kind: ScopeKind,
        id: &str,
        member: &Member,
        (limits, models, budget): (LimitEdit, Vec<String>, Option<String>),
    ) -> Result<(ScopeRecord, ScopeRecord), Refusal> {
        let user = self.user_of(member).await?;
        let models = self.models_of_member(kind, id, models).await?;
        let mut settings = ScopeSettings {
            role: Some(member.role.clone()),
            email: user.settings.email.clone(),
            models,
            budget_id: budget,
            ..ScopeSettings::default()
        };
        limits.apply(&mut settings);
        let membership = ScopeId::member(kind, id, &user.id.id);
        let made = self.make(membership, settings, Money::ZERO).await?;
        Ok((user, made))
    }

    /// The models of a new member: what its team gives every member where nothing else is said
    /// (`default_team_member_models`).
    async fn models_of_member(
        &self,
        kind: ScopeKind,
        id: &str,
        said: Vec<String>,
    ) -> Result<Vec<String>, Refusal> {
        if kind != ScopeKind::TeamMember || !said.is_empty() {
            return Ok(said);
        }
        let team = self.db.scope(&ScopeId::new(ScopeKind::Team, id)).await?;
        let listed = team.and_then(|mut team| team.settings.extra.shift_remove("default_team_member_models"));
        let listed = listed.as_ref().and_then(Value::as_array).into_iter().flatten();
        Ok(listed.filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// The membership a request means, by the user's id or mail address.
    pub(super) async fn membership(
        &self,
        kind: ScopeKind,
        id: &str,
        (user_id, email): (Change<String>, Change<String>),
    ) -> Result<ScopeRecord, Refusal> {
        let user = match (user_id, email) {
            (Change::Set(user), _) => Some(user),
            (_, Change::Set(email)) => self.user_by_email(&email).await?.map(|user| user.id.id),
            _ => None,
        };
        let named = user.clone().unwrap_or_default();
        let found = match user {
            Some(user) => self.db.scope(&ScopeId::member(kind, id, user)).await?,
            None => None,
        };
        found.ok_or_else(|| {
            let message = format!("User id={named} is no member of {id}");
            Refusal::detail(StatusCode::NOT_FOUND, message)
        })
    }
}
