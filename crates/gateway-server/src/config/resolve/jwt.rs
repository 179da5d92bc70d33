//! `enable_jwt_auth` and `litellm_jwtauth`, with what the environment adds.

use std::time::Duration;

use super::{Context, Section};
use crate::config::raw::{GENERAL, JWT_AUTH, JWT_ISSUER};
use crate::config::source::Node;
use crate::config::{JwtAuth, JwtFields, JwtGrant, JwtIssuer, Unregistered};

const PATH: &str = "general_settings.litellm_jwtauth";
/// What administrators may call unless told (surface §4.10): LiteLLM's groups, and the routes of management that are in
/// none of them.
pub(crate) const ADMIN_ROUTES: [&str; 18] = [
    "management_routes",
    "spend_tracking_routes",
    "global_spend_tracking_routes",
    "info_routes",
    "/key",
    "/team",
    "/user",
    "/organization",
    "/customer",
    "/end_user",
    "/budget",
    "/tag",
    "/project",
    "/credentials",
    "/access_group",
    "/v1/access_group",
    "/global/activity",
    "/audit",
];
/// What tokens of a team may call unless told.
const TEAM_ROUTES: [&str; 3] = ["llm_api_routes", "info_routes", "mcp_routes"];

/// What is said of JWTs; none where they are not let in.
pub(super) fn resolve(cx: &mut Context<'_>, general: Option<&Node>) -> Option<JwtAuth> {
    let mut section = Section::open(cx, "general_settings", general, GENERAL);
    let is_on = section.is_on("enable_jwt_auth");
    let roles_only = section.is_on("enforce_rbac");
    let node = section.mapping("litellm_jwtauth");
    let role_grants = grants(section.cx, general, "role_permissions", "general_settings", "role");
    let issuers = issuers(cx, node);
    let scope_grants = grants(cx, node, "scope_mappings", PATH, "scope");
    let mut roles = pairs(cx, node, "role_mappings", ("role", "internal_role"));
    roles.extend(pairs(cx, node, "jwt_litellm_role_map", ("jwt_role", "litellm_role")));
    let mut section = Section::open(cx, PATH, node, JWT_AUTH);
    section.review();
    let mut auth = read(&mut section);
    for mut issuer in issuers {
        issuer.fields = over(issuer.fields, &auth.fields);
        auth.issuers.push(issuer);
    }
    auth.role_grants = role_grants;
    auth.scope_grants = scope_grants;
    auth.roles = roles;
    auth.roles_only |= roles_only;
    if is_on && auth.issuers.is_empty() && auth.shared_urls.is_empty() {
        let mut section = Section::open(cx, "general_settings", general, GENERAL);
        let found = "found no issuer whose tokens could be proved";
        section.error(
            "enable_jwt_auth",
            found,
            "expected `litellm_jwtauth.issuers` or the variable `JWT_PUBLIC_KEY_URL`",
        );
    }
    is_on.then_some(auth)
}

fn read(section: &mut Section<'_, '_, '_>) -> JwtAuth {
    let env = section.cx.env;
    let of_env = |name: &str| env.value(name).map(str::to_owned);
    let urls = env.value("JWT_PUBLIC_KEY_URL").unwrap_or_default().split(',').map(str::trim);
    let shared_urls: Vec<String> = urls.filter(|url| !url.is_empty()).map(str::to_owned).collect();
    for url in &shared_urls {
        check_url(section, "issuers", url);
    }
    let needed = section.text("user_roles_jwt_field").zip(Some(section.texts("user_allowed_roles")));
    let seconds = |section: &mut Section<'_, '_, '_>, key: &str, usual: u64| {
        section.seconds(key).unwrap_or(Duration::from_secs(usual))
    };
    JwtAuth {
        shared_urls,
        shared_audience: of_env("JWT_AUDIENCE"),
        shared_issuer: of_env("JWT_ISSUER"),
        fields: all_fields(section),
        admin_scope: section.text("admin_jwt_scope").unwrap_or_else(|| "litellm_proxy_admin".to_owned()),
        admin_routes: routes(section, "admin_allowed_routes", &ADMIN_ROUTES),
        team_routes: routes(section, "team_allowed_routes", &TEAM_ROUTES),
        email_domain: section.text("user_allowed_email_domain").map(|domain| domain.to_ascii_lowercase()),
        needed_roles: needed,
        make_users: section.is_on("user_id_upsert"),
        make_teams: section.is_on("team_id_upsert"),
        join_teams: section.is_on("upsert_sso_user_to_team"),
        teams_of_user: section.is_on("fallback_to_db_teams"),
        unknown_teams_pass: section.is_on("team_claim_fallback"),
        syncs: section.is_on("sync_user_role_and_teams"),
        object_field: section.text("object_id_jwt_field"),
        teams_only: section.is_on("enforce_team_based_model_access"),
        default_team: section.text("team_id_default"),
        roles_field: section.text("roles_jwt_field"),
        roles_only: section.is_on("enforce_rbac"),
        scopes_only: section.is_on("enforce_scope_based_access"),
        fresh: seconds(section, "public_key_ttl", 600),
        stale: seconds(section, "public_key_stale_ttl", 3_600),
        leeway: seconds(section, "leeway", 0),
        unregistered: unregistered(section).unwrap_or_default(),
        reuses_keys: section.is_on("auto_register_map_existing_key"),
        ..JwtAuth::default()
    }
}

fn fields(section: &mut Section<'_, '_, '_>) -> JwtFields {
    JwtFields {
        user_id: section.text("user_id_jwt_field"),
        email: section.text("user_email_jwt_field"),
        team_id: section.text("team_id_jwt_field"),
        team_ids: section.text("team_ids_jwt_field"),
        team_alias: section.text("team_alias_jwt_field"),
        org_id: section.text("org_id_jwt_field"),
        org_alias: section.text("org_alias_jwt_field"),
        end_user: section.text("end_user_id_jwt_field"),
        virtual_key: section.text("virtual_key_claim_field"),
    }
}

/// Those that hold for every issuer.
fn all_fields(section: &mut Section<'_, '_, '_>) -> JwtFields {
    let found = fields(section);
    let virtual_key = found.virtual_key.or_else(|| section.text("jwt_client_id_field"));
    JwtFields { virtual_key, ..found }
}

fn unregistered(section: &mut Section<'_, '_, '_>) -> Option<Unregistered> {
    let words = [
        ("fallback_team_mapping", Unregistered::AsToken),
        ("reject", Unregistered::Refused),
        ("auto_register", Unregistered::Registered),
    ];
    section.choice("unregistered_jwt_client_behavior", &words)
}

/// What an issuer does not say is as for all.
fn over(own: JwtFields, all: &JwtFields) -> JwtFields {
    let or = |own: Option<String>, all: &Option<String>| own.or_else(|| all.clone());
    JwtFields {
        user_id: or(own.user_id, &all.user_id),
        email: or(own.email, &all.email),
        team_id: or(own.team_id, &all.team_id),
        team_ids: or(own.team_ids, &all.team_ids),
        team_alias: or(own.team_alias, &all.team_alias),
        org_id: or(own.org_id, &all.org_id),
        org_alias: or(own.org_alias, &all.org_alias),
        end_user: or(own.end_user, &all.end_user),
        virtual_key: or(own.virtual_key, &all.virtual_key),
    }
}

fn routes(section: &mut Section<'_, '_, '_>, key: &str, usual: &[&str]) -> Vec<String> {
    if section.gives(key) {
        return section.texts(key);
    }
    usual.iter().map(|route| (*route).to_owned()).collect()
}

fn check_url(section: &mut Section<'_, '_, '_>, key: &str, url: &str) {
    let fine = url
        .parse::<http::Uri>()
        .is_ok_and(|uri| uri.host().is_some() && matches!(uri.scheme_str(), Some("http" | "https")));
    if !fine {
        section.error(key, format!("found `{url}`"), "expected a URL that begins with `https://`");
    }
}

/// Every issuer says which audience it has, or that it does not matter: else tokens that other programs got from
/// the same provider would open the door.
fn issuers(cx: &mut Context<'_>, node: Option<&Node>) -> Vec<JwtIssuer> {
    let mut found = Vec::new();
    for (index, item) in items(node, "issuers").iter().enumerate() {
        let mut section = Section::open(cx, &format!("{PATH}.issuers[{index}]"), Some(item), JWT_ISSUER);
        section.review();
        let (issuer, audience) = (section.text("issuer"), section.text("audience"));
        let any = section.is_on("disable_audience_validation");
        if any == audience.is_some() {
            let expected = "expected one of `audience` and `disable_audience_validation: true`";
            section.error("audience", if any { "found both" } else { "found neither" }, expected);
        }
        let jwks_url = section.text("jwks_url");
        if let Some(url) = &jwks_url {
            check_url(&mut section, "jwks_url", url);
        }
        let fields = JwtFields { team_alias: None, org_alias: None, ..fields(&mut section) };
        let unregistered = unregistered(&mut section);
        match issuer {
            Some(issuer) => {
                if jwks_url.is_none() {
                    check_url(&mut section, "issuer", &issuer);
                }
                found.push(JwtIssuer { issuer, jwks_url, audience, fields, unregistered });
            }
            None => section.error("issuer", "found no `issuer`", "expected what `iss` is in its tokens"),
        }
    }
    found
}

fn items<'t>(node: Option<&'t Node>, key: &str) -> &'t [Node] {
    node.and_then(|node| node.member(key)).map(Node::items).unwrap_or_default()
}

fn texts(node: &Node, key: &str) -> Vec<String> {
    let value = node.member(key).map(Node::json).unwrap_or_default();
    let list = value.as_array().cloned().unwrap_or_default();
    list.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

fn text(node: &Node, key: &str) -> Option<String> {
    node.member(key).and_then(Node::text).map(str::to_owned)
}

fn grants(cx: &mut Context<'_>, node: Option<&Node>, key: &str, path: &str, of: &str) -> Vec<JwtGrant> {
    let mut found = Vec::new();
    for (index, item) in items(node, key).iter().enumerate() {
        match text(item, of) {
            Some(of) => {
                found.push(JwtGrant { of, models: texts(item, "models"), routes: texts(item, "routes") });
            }
            None => drop(cx.error(
                &format!("{path}.{key}[{index}]"),
                &item.at,
                format!("found no `{of}`"),
                format!("expected {{{of}, models, routes}}"),
            )),
        }
    }
    found
}

fn pairs(
    cx: &mut Context<'_>,
    node: Option<&Node>,
    key: &str,
    (from, to): (&str, &str),
) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (index, item) in items(node, key).iter().enumerate() {
        match text(item, from).zip(text(item, to)) {
            Some(pair) => found.push(pair),
            None => drop(cx.error(
                &format!("{PATH}.{key}[{index}]"),
                &item.at,
                format!("found no `{from}` or no `{to}`"),
                format!("expected {{{from}, {to}}}"),
            )),
        }
    }
    found
}
