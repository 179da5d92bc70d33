//! What the configuration says of JWTs (LiteLLM surface §4.10).

use std::time::Duration;

/// Callers who come with a JWT (`enable_jwt_auth`, `litellm_jwtauth`).
#[derive(Debug, Clone, Default)]
pub struct JwtAuth {
    /// Issuers with keys of their own.
    pub issuers: Vec<JwtIssuer>,
    /// Where keys are of tokens whose issuer is none of these (`JWT_PUBLIC_KEY_URL`).
    pub shared_urls: Vec<String>,
    /// The audience of such tokens (`JWT_AUDIENCE`).
    pub shared_audience: Option<String>,
    /// Their issuer (`JWT_ISSUER`).
    pub shared_issuer: Option<String>,
    /// Which claims mean what, where the issuer does not say otherwise.
    pub fields: JwtFields,
    /// The scope of administrators.
    pub admin_scope: String,
    /// What administrators may call.
    pub admin_routes: Vec<String>,
    /// What tokens of a team may call.
    pub team_routes: Vec<String>,
    /// The domain of mail addresses that is let in.
    pub email_domain: Option<String>,
    /// Where roles are that are compared, and which are let in.
    pub needed_roles: Option<(String, Vec<String>)>,
    /// Make unknown users.
    pub make_users: bool,
    /// Make unknown teams.
    pub make_teams: bool,
    /// Make users members of the token's teams.
    pub join_teams: bool,
    /// Take the user's teams where the token names none.
    pub teams_of_user: bool,
    /// Go on without a team where a token's team is not here.
    pub unknown_teams_pass: bool,
    /// Store a token's role and teams at its user.
    pub syncs: bool,
    /// The claim that names team or user, by the token's role.
    pub object_field: Option<String>,
    /// Refuse models that no team has.
    pub teams_only: bool,
    /// The team of tokens that name none.
    pub default_team: Option<String>,
    /// Where roles are that are mapped.
    pub roles_field: Option<String>,
    /// Role of a token and role here; the former may end in `*`.
    pub roles: Vec<(String, String)>,
    /// Refuse tokens without a role.
    pub roles_only: bool,
    /// What roles here may use.
    pub role_grants: Vec<JwtGrant>,
    /// What scopes may use.
    pub scope_grants: Vec<JwtGrant>,
    /// Refuse models that no scope has.
    pub scopes_only: bool,
    /// How long keys are good.
    pub fresh: Duration,
    /// How long they are used beyond that.
    pub stale: Duration,
    /// How much clocks may differ.
    pub leeway: Duration,
    /// What becomes of bearers without a virtual key, where a claim stands for keys.
    pub unregistered: Unregistered,
    /// A key that the user has may become the bearer's.
    pub reuses_keys: bool,
}

/// What becomes of a bearer whose claim stands for no virtual key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unregistered {
    /// The token says what it may, as without virtual keys.
    #[default]
    AsToken,
    /// It is refused.
    Refused,
    /// It gets a key.
    Registered,
}

/// One issuer.
#[derive(Debug, Clone)]
pub struct JwtIssuer {
    /// What `iss` is.
    pub issuer: String,
    /// Where its keys are; `None` asks its discovery document.
    pub jwks_url: Option<String>,
    /// What `aud` holds; `None` lets every audience pass.
    pub audience: Option<String>,
    /// Its claims.
    pub fields: JwtFields,
    /// What becomes of its bearers without a virtual key, where that differs.
    pub unregistered: Option<Unregistered>,
}

/// Paths of claims.
#[derive(Debug, Clone, Default)]
pub struct JwtFields {
    /// The user.
    pub user_id: Option<String>,
    /// The user's mail address.
    pub email: Option<String>,
    /// The team.
    pub team_id: Option<String>,
    /// The teams.
    pub team_ids: Option<String>,
    /// The team's alias.
    pub team_alias: Option<String>,
    /// The organisation.
    pub org_id: Option<String>,
    /// The organisation's alias.
    pub org_alias: Option<String>,
    /// The end user.
    pub end_user: Option<String>,
    /// What stands for a virtual key.
    pub virtual_key: Option<String>,
}

/// What a role or a scope may use; empty lists are everything.
#[derive(Debug, Clone)]
pub struct JwtGrant {
    /// The role or scope.
    pub of: String,
    /// Models.
    pub models: Vec<String>,
    /// Routes.
    pub routes: Vec<String>,
}
