//! Who came with a token: user, teams and organisation looked up, made where that is wanted.

use std::sync::Arc;

use gateway_db::{
    Actor, Db, KeyRecord, KeySettings, NewScope, ScopeId, ScopeKind, ScopeQuery, ScopeRecord, ScopeSettings,
};
use llm_types::{Error, Money, Result};

use super::claims::{ADMIN, Identity};
use super::{denied, forbidden};
use crate::clock::now_ms;
use crate::config::JwtAuth;
use crate::identity::{Bearer, KeyDigest, KeyEntry, unavailable};
use crate::state::Shared;

/// The lookups of one token.
pub(super) struct Lookup<'l> {
    pub(super) shared: &'l Shared,
    pub(super) db: Db,
    pub(super) auth: &'l JwtAuth,
    pub(super) identity: Identity,
    /// The team that the request names (`x-litellm-team-id`).
    pub(super) wanted_team: Option<String>,
    pub(super) expires_ms: i64,
}

impl Lookup<'_> {
    /// The bearer as the rooms know callers: for each team one, the first in front.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::Unauthenticated`] for a user or team that is not there, or
    /// [`llm_types::ErrorKind::Forbidden`] for a team that is not the token's.
    pub(super) async fn entry(&self) -> Result<Arc<KeyEntry>> {
        let admin = self.identity.role.as_deref() == Some(ADMIN);
        if !admin {
            self.user().await?;
        }
        let org = self.organization().await?;
        let mut teams = if admin { Vec::new() } else { self.teams().await? };
        self.sync().await?;
        if let Some(wanted) = self.wanted_team.as_ref().filter(|_| !admin) {
            teams.retain(|team| team.id.id == *wanted);
            if teams.is_empty() {
                return Err(forbidden(format!(
                    "team `{wanted}` of `x-litellm-team-id` is none of the token's"
                )));
            }
        }
        if self.auth.teams_only && teams.is_empty() && !admin {
            return Err(forbidden(
                "No teams found in token. `enforce_team_based_model_access` is set to True. Token must belong to a team."
                    .to_owned(),
            ));
        }
        let mut teams = teams.into_iter();
        let first = teams.next();
        let mut others = Vec::new();
        for team in teams {
            others.push(self.of_team(Some(&team), org.as_deref(), Vec::new()).await?);
        }
        self.of_team(first.as_ref(), org.as_deref(), others).await
    }

    async fn of_team(
        &self,
        team: Option<&ScopeRecord>,
        org: Option<&str>,
        others: Vec<Arc<KeyEntry>>,
    ) -> Result<Arc<KeyEntry>> {
        let identity = &self.identity;
        let team_id = team.map(|team| team.id.id.clone());
        let mut routes = identity.routes.clone();
        if team.is_some() {
            routes.push(self.auth.team_routes.clone());
        }
        let name = identity.user.clone().or_else(|| identity.email.clone());
        let bearer = Bearer {
            name: name.unwrap_or_else(|| identity.subject.split('\n').nth(1).unwrap_or_default().to_owned()),
            role: identity.role.clone(),
            end_user: identity.end_user.clone(),
            routes,
            models: identity.models.clone(),
            others,
        };
        let team_org = team.and_then(|team| team.settings.organization_id.clone());
        let settings = KeySettings {
            user_id: identity.user.clone(),
            organization_id: org.map(str::to_owned).or(team_org),
            expires_at: Some(self.expires_ms),
            team_id,
            ..KeySettings::default()
        };
        let word = format!("jwt\n{}\n{}", identity.subject, settings.team_id.as_deref().unwrap_or_default());
        let record = KeyRecord::unstored(KeyDigest::of(word.as_bytes()).to_hex().into(), settings);
        self.shared.directory.bearer(record, bearer).await
    }

    async fn user(&self) -> Result<()> {
        let Some(user) = &self.identity.user else { return Ok(()) };
        let id = ScopeId::new(ScopeKind::User, user);
        if self.db.scope(&id).await.map_err(unavailable)?.is_some() {
            return Ok(());
        }
        if !self.auth.make_users {
            return Err(denied(&format!(
                "User doesn't exist in db. 'user_id={user}'. Create user via `/user/new` call."
            )));
        }
        let settings = ScopeSettings {
            email: self.identity.email.clone(),
            role: Some(self.identity.role.clone().unwrap_or_else(|| "internal_user".to_owned())),
            ..ScopeSettings::default()
        };
        self.make(id, settings).await.map(drop)
    }

    async fn organization(&self) -> Result<Option<String>> {
        if self.identity.org.is_some() {
            return Ok(self.identity.org.clone());
        }
        let Some(alias) = &self.identity.org_alias else { return Ok(None) };
        self.by_alias(ScopeKind::Organization, alias).await.map(|found| Some(found.id.id))
    }

    /// The one with an alias.
    async fn by_alias(&self, kind: ScopeKind, alias: &str) -> Result<ScopeRecord> {
        let query = ScopeQuery { alias: Some(alias.to_owned()), ..ScopeQuery::of(kind) };
        let mut found = self.db.list_scopes(&query).await.map_err(unavailable)?.items;
        let word = kind.as_str();
        match (found.pop(), found.is_empty()) {
            (Some(one), true) => Ok(one),
            (Some(_), false) => Err(denied(&format!("several have the alias `{alias}` of a {word}"))),
            (None, _) => Err(denied(&format!("there is no {word} with the alias `{alias}`"))),
        }
    }

    async fn teams(&self) -> Result<Vec<ScopeRecord>> {
        let mut ids = self.identity.teams.clone();
        if ids.is_empty()
            && let Some(alias) = &self.identity.team_alias
        {
            return self.by_alias(ScopeKind::Team, alias).await.map(|team| vec![team]);
        }
        if ids.is_empty() && self.auth.teams_of_user {
            ids = self.teams_of_user().await?;
        }
        let mut teams = Vec::new();
        for id in &ids {
            teams.extend(self.team(id).await?);
        }
        match ids.first() {
            Some(_) if teams.is_empty() && self.auth.unknown_teams_pass => self.only_team().await,
            Some(id) if teams.is_empty() => Err(denied(&format!(
                "Team doesn't exist in db. Team={id}. Create team via `/team/new` call."
            ))),
            _ => Ok(teams),
        }
    }

    /// The teams of a user whose token names none that is here: all of them where that is wanted, else the only one.
    async fn only_team(&self) -> Result<Vec<ScopeRecord>> {
        let ids = self.teams_of_user().await?;
        if ids.len() != 1 && !self.auth.teams_of_user {
            return Ok(Vec::new());
        }
        let mut teams = Vec::new();
        for id in &ids {
            teams.extend(self.team(id).await?);
        }
        Ok(teams)
    }

    pub(super) async fn teams_of_user(&self) -> Result<Vec<String>> {
        let Some(user) = &self.identity.user else { return Ok(Vec::new()) };
        let query = ScopeQuery { member: Some(user.clone()), ..ScopeQuery::of(ScopeKind::TeamMember) };
        let found = self.db.list_scopes(&query).await.map_err(unavailable)?.items;
        Ok(found.into_iter().map(|member| member.id.id).collect())
    }

    async fn team(&self, id: &str) -> Result<Option<ScopeRecord>> {
        let scope = ScopeId::new(ScopeKind::Team, id);
        let team = match self.db.scope(&scope).await.map_err(unavailable)? {
            None if self.auth.make_teams => {
                let usual = self.shared.snapshot().new_team(now_ms());
                let settings = ScopeSettings { alias: Some(id.to_owned()), ..usual };
                Some(self.make(scope, settings).await?)
            }
            found => found,
        };
        if team.is_some()
            && self.auth.join_teams
            && let Some(user) = &self.identity.user
        {
            self.join(id, user).await?;
        }
        Ok(team)
    }

    /// Makes a user a member of a team, unless it is one.
    pub(super) async fn join(&self, team: &str, user: &str) -> Result<()> {
        let member = ScopeId::member(ScopeKind::TeamMember, team, user);
        if self.db.scope(&member).await.map_err(unavailable)?.is_some() {
            return Ok(());
        }
        let settings = ScopeSettings { role: Some("user".to_owned()), ..ScopeSettings::default() };
        self.make(member, settings).await.map(drop)
    }

    /// The database, with the bearer as the one who changes something.
    pub(super) fn acting(&self) -> Db {
        if !self.shared.snapshot().config.calls.audited {
            return self.db.clone();
        }
        let by = self.by();
        self.db.acting(Actor {
            changed_by: by.clone(),
            api_key: "jwt".to_owned(),
            user: by,
            address: None,
            at: now_ms(),
        })
    }

    fn by(&self) -> String {
        self.identity.user.clone().unwrap_or_else(|| "jwt".to_owned())
    }

    /// Makes a scope; one that another replica made meanwhile is taken.
    async fn make(&self, id: ScopeId, settings: ScopeSettings) -> Result<ScopeRecord> {
        let created_by = Some(self.by());
        let new = NewScope { id: id.clone(), settings, spend: Money::ZERO, created_at: now_ms(), created_by };
        let made = match self.acting().insert_scope(new).await {
            Err(error) if error.kind() == gateway_db::DbErrorKind::DuplicateScope => {
                let found = self.db.scope(&id).await.map_err(unavailable)?;
                return found.ok_or_else(|| Error::from(error));
            }
            made => made.map_err(unavailable)?,
        };
        self.shared.directory.scopes.keep(made.clone()).await?;
        Ok(made)
    }
}
