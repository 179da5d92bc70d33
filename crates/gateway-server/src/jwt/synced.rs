//! Role and teams of a token, stored at its user (`sync_user_role_and_teams`): the identity provider has the last word.

use gateway_db::{ScopeId, ScopeKind, ScopeSettings};
use llm_types::Result;

use super::bearer::Lookup;
use crate::clock::now_ms;
use crate::identity::unavailable;

/// Roles that users may have.
const ROLES: [&str; 4] = ["proxy_admin", "proxy_admin_viewer", "internal_user", "internal_user_viewer"];

impl Lookup<'_> {
    /// Gives the user the token's role, and makes it a member of the token's teams and of no others. A user who is not
    /// there stays away.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::Overloaded`] when the database cannot be asked or refuses.
    pub(super) async fn sync(&self) -> Result<()> {
        let Some(user) = self.identity.user.as_deref().filter(|_| self.auth.syncs) else { return Ok(()) };
        let id = ScopeId::new(ScopeKind::User, user);
        let Some(stored) = self.db.scope(&id).await.map_err(unavailable)? else { return Ok(()) };
        let role = self.identity.role.as_deref().filter(|role| ROLES.contains(role));
        if let Some(role) = role.filter(|role| stored.settings.role.as_deref() != Some(role)) {
            let role = role.to_owned();
            let set = |settings: &mut ScopeSettings| settings.role = Some(role);
            let changed =
                self.acting().update_scope(&id, now_ms(), Some(user), set).await.map_err(unavailable)?;
            self.shared.directory.scopes.keep(changed).await?;
        }
        match &self.identity.claimed_teams {
            Some(teams) if !(teams.is_empty() && self.auth.teams_of_user) => {
                self.sync_teams(user, teams).await
            }
            _ => Ok(()),
        }
    }

    async fn sync_teams(&self, user: &str, wanted: &[String]) -> Result<()> {
        let have = self.teams_of_user().await?;
        for team in wanted.iter().filter(|team| !have.contains(team)) {
            let known = self.db.scope(&ScopeId::new(ScopeKind::Team, team)).await.map_err(unavailable)?;
            if known.is_some() {
                self.join(team, user).await?;
            }
        }
        let gone = have.iter().filter(|team| !wanted.contains(team));
        let gone: Vec<ScopeId> =
            gone.map(|team| ScopeId::member(ScopeKind::TeamMember, team, user)).collect();
        if gone.is_empty() {
            return Ok(());
        }
        // What is spent until now is not added to a membership that is made again.
        self.shared.shipping.flush().await?;
        self.acting().delete_scopes(&gone, now_ms(), Some(user)).await.map_err(unavailable)?;
        self.shared.directory.follow().await.map(drop)
    }
}
