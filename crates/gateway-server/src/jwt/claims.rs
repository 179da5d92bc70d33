//! What claims mean: who it is, and what they may (surface §4.10).

use serde_json::{Map, Value};

use crate::config::{JwtAuth, JwtFields, JwtGrant};

/// Who a token says its bearer is. Nothing of it is looked up yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Identity {
    /// `iss` and `sub`: the same for every token of a bearer.
    pub(super) subject: String,
    pub(super) user: Option<String>,
    pub(super) email: Option<String>,
    pub(super) teams: Vec<String>,
    /// The teams that it names itself, where a claim of teams is configured.
    pub(super) claimed_teams: Option<Vec<String>>,
    pub(super) team_alias: Option<String>,
    pub(super) org: Option<String>,
    pub(super) org_alias: Option<String>,
    pub(super) end_user: Option<String>,
    /// The role here, if a role of the token is mapped.
    pub(super) role: Option<String>,
    /// What role and scopes let it use: each list must let it pass, empty ones let everything.
    pub(super) models: Vec<Vec<String>>,
    pub(super) routes: Vec<Vec<String>>,
}

/// Why claims let nobody in: the status is 403.
pub(super) type Denied = String;

/// A claim by its path: `a.b` is `b` inside of `a`, `a\.b` is a name with a dot.
pub(super) fn claim<'c>(claims: &'c Map<String, Value>, path: &str) -> Option<&'c Value> {
    let path = path.replace("\\.", "\u{0}");
    let mut names = path.split('.').map(|name| name.replace('\u{0}', "."));
    let mut found = claims.get(&names.next()?)?;
    for name in names {
        found = found.get(&name)?;
    }
    Some(found)
}

fn text(claims: &Map<String, Value>, path: Option<&String>) -> Option<String> {
    let found = match claim(claims, path?)? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!found.is_empty()).then_some(found)
}

/// A list of texts; a text alone is a list of one.
fn texts(claims: &Map<String, Value>, path: &str) -> Vec<String> {
    match claim(claims, path) {
        Some(Value::Array(list)) => list.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        Some(Value::String(one)) if !one.is_empty() => vec![one.clone()],
        _ => Vec::new(),
    }
}

/// Scopes are words in a text, or a list.
fn scopes(claims: &Map<String, Value>) -> Vec<String> {
    ["scope", "scp"]
        .iter()
        .flat_map(|name| texts(claims, name))
        .flat_map(|text| text.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// Reads claims that were proved.
///
/// # Errors
/// Why the bearer is not let in.
pub(super) fn identify(
    auth: &JwtAuth,
    fields: &JwtFields,
    claims: &Map<String, Value>,
) -> Result<Identity, Denied> {
    let word = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut identity = Identity {
        user: text(claims, fields.user_id.as_ref()),
        email: text(claims, fields.email.as_ref()),
        org: text(claims, fields.org_id.as_ref()),
        org_alias: text(claims, fields.org_alias.as_ref()),
        end_user: text(claims, fields.end_user.as_ref()),
        team_alias: text(claims, fields.team_alias.as_ref()),
        ..Identity::default()
    };
    let own = [word("sub"), identity.user.as_deref().unwrap_or_default()].map(str::to_owned);
    identity.subject = format!("{}\n{}\n{}", word("iss"), own[0], own[1]);
    let scopes = scopes(claims);
    identity.role = role(auth, claims);
    if scopes.contains(&auth.admin_scope) {
        identity.role = Some(ADMIN.to_owned());
    }
    check_mail(auth, &identity)?;
    check_roles(auth, claims)?;
    if identity.role.as_deref() == Some(ADMIN) {
        identity.routes.push(auth.admin_routes.clone());
        return Ok(identity);
    }
    identity.teams = teams(auth, fields, claims, &mut identity)?;
    match (identity.role.as_deref(), text(claims, auth.object_field.as_ref())) {
        (Some("team"), Some(id)) => identity.teams = vec![id],
        (Some("internal_user"), Some(id)) => identity.user = Some(id),
        _ => {}
    }
    grant(auth, &scopes, &mut identity)?;
    Ok(identity)
}

/// The role of administrators.
pub(super) const ADMIN: &str = "proxy_admin";

/// The role here of the first role of the token that is mapped.
fn role(auth: &JwtAuth, claims: &Map<String, Value>) -> Option<String> {
    let said = texts(claims, auth.roles_field.as_ref()?);
    let means = |pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => said.iter().any(|role| role.starts_with(start)),
        None => said.iter().any(|role| role == pattern),
    };
    auth.roles.iter().find(|(pattern, _)| means(pattern)).map(|(_, role)| role.clone())
}

fn check_mail(auth: &JwtAuth, identity: &Identity) -> Result<(), Denied> {
    let Some(domain) = &auth.email_domain else { return Ok(()) };
    let mail = identity.email.as_deref().unwrap_or_default().to_ascii_lowercase();
    match mail.rsplit_once('@') {
        Some((name, of)) if !name.is_empty() && of == domain => Ok(()),
        _ => Err(format!("the mail address of the token is not of the domain `{domain}`")),
    }
}

fn check_roles(auth: &JwtAuth, claims: &Map<String, Value>) -> Result<(), Denied> {
    let Some((path, allowed)) = &auth.needed_roles else { return Ok(()) };
    let said = texts(claims, path);
    if allowed.is_empty() || said.iter().any(|role| allowed.contains(role)) {
        return Ok(());
    }
    Err(format!("none of the token's roles is allowed: `user_allowed_roles` wants one of {allowed:?}"))
}

fn teams(
    auth: &JwtAuth,
    fields: &JwtFields,
    claims: &Map<String, Value>,
    identity: &mut Identity,
) -> Result<Vec<String>, Denied> {
    let mut teams: Vec<String> = text(claims, fields.team_id.as_ref()).into_iter().collect();
    for team in fields.team_ids.as_ref().map(|path| texts(claims, path)).unwrap_or_default() {
        if !teams.contains(&team) {
            teams.push(team);
        }
    }
    let of_claims = fields.team_id.is_some() || fields.team_ids.is_some();
    identity.claimed_teams = of_claims.then(|| teams.clone());
    if teams.is_empty() && identity.team_alias.is_none() {
        teams.extend(auth.default_team.clone());
    }
    let wanted = fields.team_id.as_ref().filter(|_| fields.team_ids.is_none());
    match wanted {
        Some(path) if teams.is_empty() && identity.team_alias.is_none() && !auth.teams_of_user => {
            Err(format!("No team id found in token. Checked team_id field '{path}'"))
        }
        _ => Ok(teams),
    }
}

/// Takes over what role and scopes may use.
fn grant(auth: &JwtAuth, scopes: &[String], identity: &mut Identity) -> Result<(), Denied> {
    if auth.roles_only {
        let role = match &identity.role {
            Some(role) => role.clone(),
            None if auth.roles_field.is_none() && !identity.teams.is_empty() => "team".to_owned(),
            None if auth.roles_field.is_none() && identity.user.is_some() => "internal_user".to_owned(),
            None => {
                return Err(
                    "Unmatched token passed in. enforce_rbac is set to True. Token must belong to a \
                            proxy admin, team, or user."
                        .to_owned(),
                );
            }
        };
        for grant in auth.role_grants.iter().filter(|grant| grant.of == role) {
            identity.models.push(grant.models.clone());
            identity.routes.push(grant.routes.clone());
        }
    }
    if auth.scopes_only {
        let own: Vec<&JwtGrant> =
            auth.scope_grants.iter().filter(|grant| scopes.contains(&grant.of)).collect();
        if own.is_empty() {
            return Err(format!("no model is allowed based on scopes={scopes:?}"));
        }
        let all = |list: fn(&JwtGrant) -> &Vec<String>| {
            let any = own.iter().any(|grant| list(grant).is_empty());
            if any { Vec::new() } else { own.iter().flat_map(|grant| list(grant).clone()).collect() }
        };
        identity.models.push(all(|grant| &grant.models));
        identity.routes.push(all(|grant| &grant.routes));
    }
    identity.models.retain(|list| !list.is_empty());
    identity.routes.retain(|list| !list.is_empty());
    Ok(())
}

#[cfg(test)]
mod tests;
