//! `/key/list`: keys by what they are and whose they are, with what is known of their owners.

use std::collections::{BTreeSet, HashMap};

use gateway_db::{KeyQuery, KeyRecord, PageRequest, ScopeId, ScopeKind, ScopeQuery, ScopeRecord};
use llm_types::{ErrorKind, KeyHash};
use serde_json::{Map, Value, json};

use crate::admin::job::Job;
use crate::admin::query::{self, flag, param, params};
use crate::admin::refusal::Refusal;
use crate::admin::view::money;
use crate::admin::{scope_view, teams};
use crate::walk::Role;

/// The largest page.
const LARGEST: u64 = 100;

impl Job {
    pub(super) async fn list(self) -> Result<Value, Refusal> {
        let query = self.query.as_deref();
        let mut wanted = self.wanted()?;
        self.widen(&mut wanted).await?;
        let found = self.db.list_keys(&wanted).await?;
        let with_users = params(query, "expand").iter().any(|word| word == "user");
        let (total, pages, current) = (found.total, found.pages(), found.page);
        let keys = if with_users || flag(query, "return_full_object") {
            let mut rows = self.full_all(&found.items).await?;
            self.tell_owners(&found.items, &mut rows).await?;
            if with_users {
                self.tell_users(&found.items, &mut rows).await?;
            }
            rows
        } else {
            found.items.iter().map(|record| json!(record.hash.as_str())).collect()
        };
        Ok(json!({ "keys": keys, "total_count": total, "current_page": current, "total_pages": pages }))
    }

    fn wanted(&self) -> Result<KeyQuery, Refusal> {
        let query = self.query.as_deref();
        let wanted = KeyQuery {
            user_id: self.param("user_id"),
            team_id: self.param("team_id"),
            organization_id: self.param("organization_id"),
            project_id: self.param("project_id"),
            agent_id: self.param("agent_id"),
            hash: self.param("key_hash").map(KeyHash::from),
            alias: self.param("key_alias"),
            // A part of one's own id would find others'.
            user_substring: flag(query, "substring_matching") && self.caller.role() != Role::Other,
            alias_substring: flag(query, "substring_matching"),
            search: self.param("search"),
            access_group_id: self.param("access_group_id"),
            sort: query::sort(query)?,
            order: query::order(query)?,
            page: page(query)?,
            ..KeyQuery::default()
        };
        in_state(query, wanted, self.moment.now.saturating_add(1))
    }

    /// What is seen besides a user's own keys: those it made (`include_created_by_keys`), and of its teams those it may
    /// see (`include_team_keys`).
    async fn widen(&self, wanted: &mut KeyQuery) -> Result<(), Refusal> {
        let query = self.query.as_deref();
        let Some(user) = wanted.user_id.clone() else { return Ok(()) };
        let made = flag(query, "include_created_by_keys");
        let teams = flag(query, "include_team_keys");
        if !made && !teams {
            return Ok(());
        }
        let (whole, member) = self.teams_of_keys().await?;
        if made {
            wanted.or_created_by = Some((user, whole.iter().chain(&member).cloned().collect()));
        }
        if teams {
            wanted.or_team_ids = whole;
            wanted.or_services_of = member;
        }
        Ok(())
    }

    /// Tells rows what LiteLLM's view of a key has of its team, its place there, its organisation and its project, as
    /// far as the caller sees these.
    async fn tell_owners(&self, keys: &[KeyRecord], rows: &mut [Value]) -> Result<(), Refusal> {
        let (teams_seen, companies_seen) = (self.teams_seen().await?, self.organizations_seen().await?);
        let seen =
            |seen: &Option<Vec<String>>, id: &String| seen.as_ref().is_none_or(|seen| seen.contains(id));
        let of = |one: fn(&KeyRecord) -> Option<&String>| keys.iter().filter_map(one).cloned().collect();
        let mut teams = self.by_id(ScopeKind::Team, of(|key| key.settings.team_id.as_ref())).await?;
        teams.retain(|id, _| seen(&teams_seen, id));
        let companies = of(|key| key.settings.organization_id.as_ref());
        let mut companies = self.by_id(ScopeKind::Organization, companies).await?;
        companies.retain(|id, _| seen(&companies_seen, id));
        let projects = self.by_id(ScopeKind::Project, of(|key| key.settings.project_id.as_ref())).await?;
        for (row, key) in rows.iter_mut().zip(keys) {
            let Value::Object(row) = row else { continue };
            let owner = &key.settings;
            let team = owner.team_id.as_ref().and_then(|id| teams.get(id));
            let member = match (team, &owner.user_id) {
                (Some(team), Some(user)) => {
                    self.db.scope(&ScopeId::member(ScopeKind::TeamMember, &team.id.id, user)).await?
                }
                _ => None,
            };
            self.tell_team(row, team, member.as_ref());
            tell_organization(row, owner.organization_id.as_ref().and_then(|id| companies.get(id)));
            let project =
                owner.project_id.as_ref().and_then(|id| projects.get(id)).map(|found| &found.settings);
            row.insert("project_alias".to_owned(), json!(project.and_then(|found| found.alias.as_ref())));
            row.insert("project_metadata".to_owned(), json!(project.map(|found| &found.metadata)));
            row.insert("org_id".to_owned(), json!(owner.organization_id));
        }
        Ok(())
    }

    fn tell_team(
        &self,
        row: &mut Map<String, Value>,
        team: Option<&ScopeRecord>,
        member: Option<&ScopeRecord>,
    ) {
        let (own, place) = (team.map(|team| &team.settings), member.map(|member| &member.settings));
        let metadata = own.map(|own| teams::callbacks::shown(&own.metadata));
        let named = member.map(scope_view::member);
        for (name, value) in [
            ("team_alias", json!(own.and_then(|own| own.alias.as_ref()))),
            ("team_spend", money(team.map(|team| self.spent(team)))),
            ("team_tpm_limit", json!(own.and_then(|own| own.tpm_limit))),
            ("team_rpm_limit", json!(own.and_then(|own| own.rpm_limit))),
            ("team_tpd_limit", json!(own.and_then(|own| own.tpd_limit))),
            ("team_max_budget", money(own.and_then(|own| own.max_budget))),
            ("team_soft_budget", money(own.and_then(|own| own.soft_budget))),
            ("team_model_max_budget", json!(own.map(|own| &own.model_max_budget))),
            ("team_models", json!(own.map_or(&[][..], |own| &own.models))),
            ("team_blocked", json!(own.is_some_and(|own| own.blocked))),
            ("team_model_aliases", json!(own.and_then(|own| own.extra.get("model_aliases")))),
            ("team_metadata", json!(metadata)),
            ("team_object_permission_id", Value::Null),
            ("team_member", json!(named)),
            ("team_member_spend", money(member.map(|member| self.spent(member)))),
            ("team_member_tpm_limit", json!(place.and_then(|place| place.tpm_limit))),
            ("team_member_rpm_limit", json!(place.and_then(|place| place.rpm_limit))),
        ] {
            row.insert(name.to_owned(), value);
        }
    }

    /// Tells rows whose keys they are, and who made them (`expand=user`).
    async fn tell_users(&self, keys: &[KeyRecord], rows: &mut [Value]) -> Result<(), Refusal> {
        let named = keys.iter().flat_map(|key| [&key.settings.user_id, &key.created_by]).flatten();
        let users = self.by_id(ScopeKind::User, named.cloned().collect()).await?;
        let mut shown: HashMap<&str, Value> = HashMap::new();
        for (row, key) in rows.iter_mut().zip(keys) {
            if let Some(user) = key.settings.user_id.as_ref().and_then(|id| users.get(id)) {
                let id = user.id.id.as_str();
                if !shown.contains_key(id) {
                    let teams = teams::teams_of(self, id).await?;
                    shown.insert(id, Value::Object(scope_view::user(user, self.spent(user), &teams)));
                }
                row["user"] = shown.get(id).cloned().unwrap_or_default();
            }
            if let Some(user) = key.created_by.as_ref().and_then(|id| users.get(id)) {
                let (email, alias) = (&user.settings.email, &user.settings.alias);
                row["created_by_user"] =
                    json!({ "user_id": user.id.id, "user_email": email, "user_alias": alias });
            }
        }
        Ok(())
    }

    async fn by_id(
        &self,
        kind: ScopeKind,
        ids: BTreeSet<String>,
    ) -> Result<HashMap<String, ScopeRecord>, Refusal> {
        // An empty list would be all there are.
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let query = ScopeQuery { ids: ids.into_iter().collect(), ..ScopeQuery::of(kind) };
        let found = self.db.list_scopes(&query).await?.items;
        Ok(found.into_iter().map(|record| (record.id.id.clone(), record)).collect())
    }
}

fn tell_organization(row: &mut Map<String, Value>, organization: Option<&ScopeRecord>) {
    let own = organization.map(|organization| &organization.settings);
    for (name, value) in [
        ("organization_alias", json!(own.and_then(|own| own.alias.as_ref()))),
        ("organization_max_budget", money(own.and_then(|own| own.max_budget))),
        ("organization_tpm_limit", json!(own.and_then(|own| own.tpm_limit))),
        ("organization_rpm_limit", json!(own.and_then(|own| own.rpm_limit))),
        ("organization_metadata", json!(own.map(|own| &own.metadata))),
    ] {
        row.insert(name.to_owned(), value);
    }
}

/// `page` and `size`.
///
/// # Errors
/// What is no number, or outside what a page may be.
fn page(query: Option<&str>) -> Result<PageRequest, Refusal> {
    let mut problems = Vec::new();
    let mut number = |name: &str, usual: u64, most: u64| {
        let Some(text) = param(query, name) else { return usual };
        let (kind, message) = match text.trim().parse::<i128>() {
            Err(_) => {
                let message = "Input should be a valid integer, unable to parse string as an integer";
                ("int_parsing", message.to_owned())
            }
            Ok(found) if found < 1 => {
                ("greater_than_equal", "Input should be greater than or equal to 1".to_owned())
            }
            Ok(found) => match u64::try_from(found).ok().filter(|found| *found <= most) {
                Some(found) => return found,
                None => ("less_than_equal", format!("Input should be less than or equal to {most}")),
            },
        };
        problems.push(Refusal::field(kind, name, &message, &Value::from(text)));
        usual
    };
    let page =
        PageRequest { page: number("page", 1, u64::from(u32::MAX)), size: number("size", 10, LARGEST) };
    if problems.is_empty() { Ok(page) } else { Err(Refusal::Fields(problems)) }
}

/// The keys of a state (`status`, `expires`); what expires before `then` has expired.
fn in_state(query: Option<&str>, mut wanted: KeyQuery, then: i64) -> Result<KeyQuery, Refusal> {
    match param(query, "status").as_deref().filter(|word| !word.is_empty()) {
        None => {}
        Some("deleted") => wanted.deleted = true,
        Some("revoked") => wanted.blocked = Some(true),
        Some("expired") => (wanted.blocked, wanted.expires_before) = (Some(false), Some(then)),
        Some("active") => (wanted.blocked, wanted.expires_from) = (Some(false), Some(then)),
        Some(_) => {
            let words = "Invalid status value. Supported: 'active', 'expired', 'revoked', 'deleted'.";
            return Err(Refusal::about(ErrorKind::BadRequest, "bad_request_error", "status", words));
        }
    }
    match param(query, "expires").as_deref().filter(|word| !word.is_empty()) {
        None => {}
        Some("expired") => wanted.expires_before = Some(then),
        Some("active") => wanted.expires_from = Some(then),
        Some(_) => {
            let words = "Invalid expires value. Supported: 'active', 'expired'.";
            return Err(Refusal::about(ErrorKind::BadRequest, "bad_request_error", "expires", words));
        }
    }
    Ok(wanted)
}
