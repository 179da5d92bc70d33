//! Who people sign in at: LiteLLM's environment variables (surface §4.11). Pure.

use llm_types::Secret;
use serde_json::Value;

use crate::config::Env;
use crate::jwt::KeysAt;

/// One identity provider, and what it calls things.
#[derive(Debug, Clone)]
pub(super) struct Provider {
    pub(super) name: &'static str,
    pub(super) client_id: String,
    pub(super) client_secret: Secret,
    /// The secret goes into the form, not into a header.
    pub(super) secret_in_form: bool,
    /// PKCE is spoken (RFC 7636).
    pub(super) pkce: bool,
    pub(super) authorize: String,
    pub(super) token: String,
    pub(super) userinfo: String,
    /// Where the mail addresses are that the userinfo does not say (GitHub).
    pub(super) emails: Option<String>,
    /// Further headers of the questions (`GENERIC_SSO_HEADERS`).
    pub(super) headers: Vec<(String, Secret)>,
    pub(super) scope: String,
    /// Names of claims.
    pub(super) claims: Claims,
    pub(super) roles: Roles,
    pub(super) issuer: Issuer,
    /// Where its public keys are, where that is configured or known.
    pub(super) keys: Option<KeysAt>,
}

/// Who a provider's ID tokens are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Issuer {
    /// Nobody said.
    Unknown,
    Is(String),
    /// Microsoft's, one for each tenant (`common` is every tenant).
    Microsoft(String),
}

/// Names of claims; dots go into claims of claims.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Claims {
    pub(super) id: String,
    pub(super) email: String,
    pub(super) name: String,
    pub(super) role: String,
    /// Teams the person belongs to.
    pub(super) teams: Option<String>,
}

/// Which groups of the provider mean which role here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Roles {
    pub(super) group_claim: Option<String>,
    /// Role and its groups.
    pub(super) groups: Vec<(String, Vec<String>)>,
    pub(super) usual: Option<String>,
}

/// Why the environment configures no provider.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Faults {
    /// Variables that lack.
    pub(super) missing: Vec<&'static str>,
    /// Variables that say what cannot be read, with what is wrong.
    pub(super) wrong: Vec<String>,
}

/// The provider that the environment configures; `Ok(None)` where there is none. `teams` is the claim that names
/// teams.
///
/// # Errors
/// The variables that lack or are wrong.
pub(super) fn of_env(env: &Env, teams: Option<&String>) -> Result<Option<Provider>, Faults> {
    let set = |name: &str| env.value(name).is_some();
    let mut reader = Reader { env, faults: Faults::default() };
    let provider = if set("GENERIC_CLIENT_ID") {
        reader.generic(teams.cloned())
    } else if set("MICROSOFT_CLIENT_ID") {
        reader.microsoft()
    } else if set("GOOGLE_CLIENT_ID") {
        reader.google()
    } else if set("GITHUB_CLIENT_ID") {
        reader.github()
    } else {
        return Ok(None);
    };
    if reader.faults == Faults::default() { Ok(Some(provider)) } else { Err(reader.faults) }
}

/// Reads variables and notes what is wrong with them.
struct Reader<'e> {
    env: &'e Env,
    faults: Faults,
}

impl Reader<'_> {
    fn take(&mut self, name: &'static str) -> String {
        match self.env.value(name) {
            Some(value) => value.to_owned(),
            None => {
                self.faults.missing.push(name);
                String::new()
            }
        }
    }

    fn or(&self, name: &str, usual: &str) -> String {
        self.env.value(name).unwrap_or(usual).to_owned()
    }

    fn maybe(&self, name: &str) -> Option<String> {
        self.env.value(name).map(str::to_owned)
    }

    fn generic(&mut self, teams: Option<String>) -> Provider {
        let issuer = self.maybe("GENERIC_ISSUER");
        let keys = self.maybe("GENERIC_JWKS_ENDPOINT").map(KeysAt::Set);
        Provider {
            name: "generic",
            client_id: self.take("GENERIC_CLIENT_ID"),
            client_secret: Secret::new(self.take("GENERIC_CLIENT_SECRET")),
            secret_in_form: self.env.flag("GENERIC_INCLUDE_CLIENT_ID"),
            pkce: self
                .env
                .value("GENERIC_CLIENT_USE_PKCE")
                .is_none_or(|_| self.env.flag("GENERIC_CLIENT_USE_PKCE")),
            authorize: self.take("GENERIC_AUTHORIZATION_ENDPOINT"),
            token: self.take("GENERIC_TOKEN_ENDPOINT"),
            userinfo: self.take("GENERIC_USERINFO_ENDPOINT"),
            emails: None,
            headers: self.headers(),
            scope: self.or("GENERIC_SCOPE", "openid email profile"),
            claims: Claims {
                id: self.or("GENERIC_USER_ID_ATTRIBUTE", "preferred_username"),
                email: self.or("GENERIC_USER_EMAIL_ATTRIBUTE", "email"),
                name: self.or("GENERIC_USER_DISPLAY_NAME_ATTRIBUTE", "name"),
                role: self.or("GENERIC_USER_ROLE_ATTRIBUTE", "role"),
                teams,
            },
            roles: self.roles(),
            keys: keys.or_else(|| issuer.clone().map(KeysAt::Issuer)),
            issuer: issuer.map_or(Issuer::Unknown, Issuer::Is),
        }
    }

    fn google(&mut self) -> Provider {
        Provider {
            name: "google",
            client_id: self.take("GOOGLE_CLIENT_ID"),
            client_secret: Secret::new(self.take("GOOGLE_CLIENT_SECRET")),
            secret_in_form: true,
            pkce: true,
            authorize: "https://accounts.google.com/o/oauth2/v2/auth".to_owned(),
            token: "https://oauth2.googleapis.com/token".to_owned(),
            userinfo: "https://openidconnect.googleapis.com/v1/userinfo".to_owned(),
            emails: None,
            headers: Vec::new(),
            scope: "openid email profile".to_owned(),
            claims: Claims {
                id: "sub".into(),
                email: "email".into(),
                name: "name".into(),
                ..Claims::default()
            },
            roles: Roles::default(),
            issuer: Issuer::Is("https://accounts.google.com".to_owned()),
            keys: Some(KeysAt::Set("https://www.googleapis.com/oauth2/v3/certs".to_owned())),
        }
    }

    fn microsoft(&mut self) -> Provider {
        let tenant = self.take("MICROSOFT_TENANT");
        let host = format!("https://login.microsoftonline.com/{tenant}");
        let keys = self.or("MICROSOFT_JWKS_ENDPOINT", &format!("{host}/discovery/v2.0/keys"));
        Provider {
            name: "microsoft",
            client_id: self.take("MICROSOFT_CLIENT_ID"),
            client_secret: Secret::new(self.take("MICROSOFT_CLIENT_SECRET")),
            secret_in_form: true,
            pkce: true,
            authorize: self.or("MICROSOFT_AUTHORIZATION_ENDPOINT", &format!("{host}/oauth2/v2.0/authorize")),
            token: self.or("MICROSOFT_TOKEN_ENDPOINT", &format!("{host}/oauth2/v2.0/token")),
            userinfo: self.or("MICROSOFT_USERINFO_ENDPOINT", "https://graph.microsoft.com/v1.0/me"),
            emails: None,
            headers: Vec::new(),
            scope: "openid email profile User.Read".to_owned(),
            claims: Claims {
                id: self.or("MICROSOFT_USER_ID_ATTRIBUTE", "id"),
                email: self.or("MICROSOFT_USER_EMAIL_ATTRIBUTE", "userPrincipalName"),
                name: self.or("MICROSOFT_USER_DISPLAY_NAME_ATTRIBUTE", "displayName"),
                role: "roles".to_owned(),
                teams: Some("groups".to_owned()),
            },
            roles: Roles::default(),
            issuer: Issuer::Microsoft(tenant),
            keys: Some(KeysAt::Set(keys)),
        }
    }

    fn github(&mut self) -> Provider {
        let userinfo = self.or("GITHUB_USERINFO_ENDPOINT", "https://api.github.com/user");
        Provider {
            name: "github",
            client_id: self.take("GITHUB_CLIENT_ID"),
            client_secret: Secret::new(self.take("GITHUB_CLIENT_SECRET")),
            secret_in_form: true,
            pkce: true,
            authorize: self.or("GITHUB_AUTHORIZATION_ENDPOINT", "https://github.com/login/oauth/authorize"),
            token: self.or("GITHUB_TOKEN_ENDPOINT", "https://github.com/login/oauth/access_token"),
            emails: Some(format!("{userinfo}/emails")),
            userinfo,
            headers: Vec::new(),
            scope: "read:user user:email".to_owned(),
            // A login can be given up and taken by somebody else; the id cannot.
            claims: Claims {
                id: "id".into(),
                email: "email".into(),
                name: "login".into(),
                ..Claims::default()
            },
            roles: Roles::default(),
            issuer: Issuer::Unknown,
            keys: None,
        }
    }

    /// `GENERIC_SSO_HEADERS`: `name=value, other=value`.
    fn headers(&mut self) -> Vec<(String, Secret)> {
        let text = self.maybe("GENERIC_SSO_HEADERS").unwrap_or_default();
        let mut headers = Vec::new();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some((name, value)) if http::HeaderName::try_from(name.trim()).is_ok() => {
                    headers.push((name.trim().to_ascii_lowercase(), Secret::new(value.trim().to_owned())));
                }
                _ => self.faults.wrong.push(
                    "`GENERIC_SSO_HEADERS` holds what is no header, expected `name=value, other=value`"
                        .to_owned(),
                ),
            }
        }
        headers
    }

    /// `GENERIC_ROLE_MAPPINGS_*`; the groups are JSON, or the same in Python's quotes.
    fn roles(&mut self) -> Roles {
        let text = self.maybe("GENERIC_ROLE_MAPPINGS_ROLES");
        let read = |text: &String| {
            let plain =
                serde_json::from_str(text).or_else(|_| serde_json::from_str(&text.replace('\'', "\"")));
            plain.ok().and_then(|value: Value| {
                let role = |(role, groups): (&String, &Value)| {
                    let groups = groups.as_array()?.iter().map(|group| group.as_str().map(str::to_owned));
                    Some((role.clone(), groups.collect::<Option<Vec<_>>>()?))
                };
                value.as_object()?.iter().map(role).collect::<Option<Vec<_>>>()
            })
        };
        let groups = text.as_ref().map(read);
        if groups == Some(None) {
            let words = "`GENERIC_ROLE_MAPPINGS_ROLES` is no map of roles, expected such as {\"proxy_admin\": [\"ops\"]}";
            self.faults.wrong.push(words.to_owned());
        }
        Roles {
            group_claim: self.maybe("GENERIC_ROLE_MAPPINGS_GROUP_CLAIM"),
            groups: groups.flatten().unwrap_or_default(),
            usual: self.maybe("GENERIC_ROLE_MAPPINGS_DEFAULT_ROLE"),
        }
    }
}

impl Provider {
    /// Whether it speaks OpenID Connect, and ID tokens come with access tokens.
    pub(super) fn speaks_openid(&self) -> bool {
        self.scope.split_ascii_whitespace().any(|word| word == "openid")
    }

    /// Whether it vouches for people of one company only, so that a mail address it says is one of the company's.
    pub(super) fn is_one_company(&self) -> bool {
        match &self.issuer {
            Issuer::Microsoft(tenant) => !["common", "organizations", "consumers"].contains(&tenant.as_str()),
            Issuer::Is(_) | Issuer::Unknown => self.name == "generic",
        }
    }
}
