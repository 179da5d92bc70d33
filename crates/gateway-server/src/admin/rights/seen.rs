//! What callers see of lists and pages: all of it, or what is theirs.

use gateway_db::{KeyRecord, ScopeKind, ScopeQuery};

use super::{Rights, not_yours_to_see};
use crate::admin::job::Job;
use crate::admin::refusal::Refusal;
use crate::walk::{Caller, Role};

impl Job {
    /// The teams whose things the caller sees; `None` for administrators, who see everything.
    pub(in crate::admin) async fn teams_seen(&self) -> Result<Option<Vec<String>>, Refusal> {
        if self.caller.role() != Role::Other {
            return Ok(None);
        }
        let rights = Rights::of(self).await?;
        Ok(Some(rights.into_iter().flat_map(|rights| rights.teams).map(|team| team.id.id).collect()))
    }

    /// The organisations the caller is a member of; `None` for administrators, who see everything.
    pub(in crate::admin) async fn organizations_seen(&self) -> Result<Option<Vec<String>>, Refusal> {
        if self.caller.role() != Role::Other {
            return Ok(None);
        }
        let Some(rights) = Rights::of(self).await? else { return Ok(Some(Vec::new())) };
        let query = ScopeQuery { member: Some(rights.user), ..ScopeQuery::of(ScopeKind::OrganizationMember) };
        let found = self.db.list_scopes(&query).await?.items;
        Ok(Some(found.into_iter().map(|member| member.id.id).collect()))
    }

    /// The teams of which the caller sees every key, and those of which it sees the keys that are nobody's; none for
    /// administrators, who see everything anyway.
    pub(in crate::admin) async fn teams_of_keys(&self) -> Result<(Vec<String>, Vec<String>), Refusal> {
        if self.caller.role() != Role::Other {
            return Ok((Vec::new(), Vec::new()));
        }
        let Some(rights) = Rights::of(self).await? else { return Err(not_yours_to_see()) };
        let mut whole = rights.teams_run(self).await?;
        let mut member = Vec::new();
        for team in rights.teams.iter().map(|team| &team.id.id) {
            if whole.contains(team) {
                continue;
            }
            if rights.team_permits(self, team, "/key/list").await? {
                whole.push(team.clone());
            } else {
                member.push(team.clone());
            }
        }
        Ok((whole, member))
    }

    /// Whose keys' aliases the caller sees: a user's and some teams'; `None` for administrators, who see all.
    pub(in crate::admin) async fn aliases_seen(&self) -> Result<Option<(String, Vec<String>)>, Refusal> {
        if self.caller.role() != Role::Other {
            return Ok(None);
        }
        let Some(rights) = Rights::of(self).await? else { return Err(not_yours_to_see()) };
        Ok(Some((rights.user, rights.teams.into_iter().map(|team| team.id.id).collect())))
    }

    /// Those of some keys that the caller may see.
    pub(in crate::admin) async fn keys_seen(
        &self,
        records: Vec<KeyRecord>,
    ) -> Result<Vec<KeyRecord>, Refusal> {
        if self.caller.role() != Role::Other {
            return Ok(records);
        }
        let rights = Rights::of(self).await?;
        let mut seen = Vec::new();
        for record in records {
            let shown = match &rights {
                Some(rights) => rights.may_see(self, &record).await?,
                None => matches!(&self.caller, Caller::Key(entry) if entry.record.hash == record.hash),
            };
            if shown {
                seen.push(record);
            }
        }
        Ok(seen)
    }
}
