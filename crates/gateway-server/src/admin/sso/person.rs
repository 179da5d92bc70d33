//! Who signed in: what the provider says of a person, and what that means here. Pure.

use serde_json::{Map, Value};

use super::provider::Provider;
use crate::admin::job::OPERATOR;
use crate::config::Env;

/// A person who signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) id: String,
    /// Who it is at the provider; never given to somebody else.
    pub(super) subject: String,
    pub(super) email: Option<String>,
    /// The address is the person's: a user who has it here is the same one.
    pub(super) email_is_own: bool,
    pub(super) name: Option<String>,
    /// The role the provider says, if it says one that is known here.
    pub(super) role: Option<String>,
    pub(super) teams: Vec<String>,
}

/// Roles, the most powerful first.
const ROLES: [&str; 4] = ["proxy_admin", "proxy_admin_viewer", "internal_user", "internal_user_viewer"];
const DOMAINS: &str = "ALLOWED_EMAIL_DOMAINS";
/// The longest id or name that is taken over, characters.
const LONGEST: usize = 256;

/// What an ID token and the userinfo say together; the latter counts where both say something.
///
/// # Errors
/// When they are about two people.
pub(super) fn together(
    token: Option<Map<String, Value>>,
    info: Map<String, Value>,
) -> Result<Map<String, Value>, &'static str> {
    let mut said = token.unwrap_or_default();
    let differ =
        |one: Option<&Value>, other: Option<&Value>| one.is_some() && other.is_some() && one != other;
    // Microsoft's userinfo has `id` where its tokens have `oid`.
    if differ(said.get("sub"), info.get("sub")) || differ(said.get("oid"), info.get("id")) {
        return Err("the provider's ID token and its userinfo are about two people (`sub`)");
    }
    said.extend(info);
    Ok(said)
}

/// Reads what the provider says of a person.
///
/// # Errors
/// Why the person is not let in.
pub(super) fn read(provider: &Provider, env: &Env, said: &Map<String, Value>) -> Result<Person, String> {
    let text = |path: &str| match at(said, path)? {
        Value::String(text) if !text.trim().is_empty() => {
            Some(text.chars().take(LONGEST + 1).collect::<String>())
        }
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let email = text(&provider.claims.email);
    let id = text(&provider.claims.id).or_else(|| text("sub"));
    let id = id.ok_or_else(|| format!("the provider says no `{}` of you", provider.claims.id))?;
    if id.chars().count() > LONGEST {
        return Err(format!(
            "the provider's `{}` of you is longer than {LONGEST} characters",
            provider.claims.id
        ));
    }
    if id == OPERATOR {
        return Err(format!(
            "the provider says that you are `{id}`, which is nobody's name but the operator's"
        ));
    }
    let subject = text("sub").unwrap_or_else(|| id.clone());
    let verified = said.get("email_verified").map(|value| *value == Value::Bool(true) || value == "true");
    if verified == Some(false) && env.value(DOMAINS).is_some() {
        return Err("your mail address is not verified at the provider".to_owned());
    }
    check_domain(env, email.as_deref())?;
    let role = if env.value("PROXY_ADMIN_ID") == Some(&id) {
        Some(ROLES[0].to_owned())
    } else {
        role(provider, said)
    };
    let email_is_own = email.is_some() && verified.unwrap_or_else(|| provider.is_one_company());
    let teams = provider.claims.teams.as_ref().map(|path| texts(at(said, path))).unwrap_or_default();
    Ok(Person { id, subject, email, email_is_own, name: text(&provider.claims.name), role, teams })
}

fn check_domain(env: &Env, email: Option<&str>) -> Result<(), String> {
    let Some(allowed) = env.value(DOMAINS) else { return Ok(()) };
    let email = email.unwrap_or_default();
    let domain = email.rsplit_once('@').filter(|(name, _)| !name.is_empty()).map(|(_, domain)| domain);
    let holds = |domain: &str| allowed.split(',').any(|one| one.trim().eq_ignore_ascii_case(domain));
    match domain {
        Some(domain) if holds(domain) => Ok(()),
        _ => Err(format!("your mail address is of no domain that is let in (`{DOMAINS}`)")),
    }
}

/// The role of the person's groups, the most powerful where there are several; else the role that is said.
fn role(provider: &Provider, said: &Map<String, Value>) -> Option<String> {
    if let Some(claim) = &provider.roles.group_claim {
        let own = texts(at(said, claim));
        let means = |role: &str| {
            let groups = provider.roles.groups.iter().find(|(name, _)| name == role);
            groups.is_some_and(|(_, groups)| groups.iter().any(|group| own.contains(group)))
        };
        let found = ROLES.iter().find(|role| means(role)).map(|role| (*role).to_owned());
        return found.or_else(|| provider.roles.usual.clone()).filter(|role| ROLES.contains(&role.as_str()));
    }
    let own = texts(at(said, &provider.claims.role));
    ROLES.iter().find(|role| own.iter().any(|one| one == *role)).map(|role| (*role).to_owned())
}

/// A list of texts; a text alone is a list of one.
fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(list)) => list.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        Some(Value::String(one)) if !one.is_empty() => vec![one.clone()],
        _ => Vec::new(),
    }
}

/// A claim by its path; a name with dots of its own is found as it is.
fn at<'c>(claims: &'c Map<String, Value>, path: &str) -> Option<&'c Value> {
    if let Some(whole) = claims.get(path) {
        return Some(whole);
    }
    let mut names = path.split('.');
    let mut found = claims.get(names.next()?)?;
    for name in names {
        found = found.get(name)?;
    }
    Some(found)
}

#[cfg(test)]
mod tests;
