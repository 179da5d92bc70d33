//! `general_settings.litellm_jwtauth`: callers who come with a JWT.

catalogue! {
    JWT_AUTH
    admin_jwt_scope Text "litellm_proxy_admin" served: "Scope whose holder is an administrator.";
    admin_allowed_routes List "" served: "Routes and groups of routes for such administrators; management, spend and information unless told.";
    team_allowed_routes List "" served: "Routes and groups of routes for tokens of a team; calls to models and information unless told.";
    public_allowed_routes List "" accepted: "Routes without a token; `general_settings.public_routes` says them.";
    issuers List "" served: "Issuers with keys, audience and claims of their own.";
    user_id_jwt_field Text "" served: "Claim that names the user; claims inside of claims with dots (`user.id`).";
    user_email_jwt_field Text "" served: "Claim with the user's mail address.";
    user_allowed_email_domain Text "" served: "The one domain of mail addresses that is let in.";
    user_roles_jwt_field Text "" served: "Claim with roles that are compared with `user_allowed_roles`.";
    user_allowed_roles List "" served: "Roles of which a token needs one.";
    user_id_upsert Flag "false" served: "Make users who are not there yet.";
    team_id_jwt_field Text "" served: "Claim that names the team.";
    team_ids_jwt_field Text "" served: "Claim with the teams; the first that may use the model serves.";
    team_alias_jwt_field Text "" served: "Claim with the alias of the team, where no id is given.";
    team_id_default Text "" served: "Team of tokens that name none.";
    team_id_upsert Flag "false" served: "Make teams that are not there yet.";
    upsert_sso_user_to_team Flag "false" served: "Make the user a member of the token's teams.";
    team_claim_fallback Flag "false" served: "Where none of a token's teams is here, take the only team of its user, or none.";
    fallback_to_db_teams Flag "false" served: "Take the teams that the user is a member of where the token names none.";
    enforce_team_based_model_access Flag "false" served: "Refuse calls to models that no team of the token has.";
    org_id_jwt_field Text "" served: "Claim that names the organisation.";
    org_alias_jwt_field Text "" served: "Claim with the alias of the organisation, where no id is given.";
    end_user_id_jwt_field Text "" served: "Claim that names the end user.";
    agent_id_jwt_field Text "" later "agents are not served": "Claim that names the agent.";
    mcp_client_id_jwt_field Text "" later "MCP is not served": "Claim that names the MCP client.";
    object_id_jwt_field Text "" served: "Claim that names the team of a token whose role is `team`, and the user of one whose role is `internal_user`.";
    roles_jwt_field Text "" served: "Claim with the roles that `role_mappings` maps.";
    role_mappings List "" served: "What roles of tokens mean here: a list of {role, internal_role}.";
    jwt_litellm_role_map List "" served: "The same, with wildcards: a list of {jwt_role, litellm_role}.";
    sync_user_role_and_teams Flag "false" served: "Store role and teams of the token at its user: memberships that it does not name end.";
    enforce_rbac Flag "false" served: "Refuse tokens without a known role; the same key in `general_settings` counts too.";
    scope_mappings List "" served: "What scopes may use: a list of {scope, models, routes}.";
    enforce_scope_based_access Flag "false" served: "Refuse models that no scope of the token has.";
    public_key_ttl Seconds "600" served: "Seconds after which public keys are fetched again.";
    public_key_stale_ttl Seconds "3600" served: "Seconds for which keys are used beyond that while they cannot be fetched.";
    leeway Seconds "0" served: "Seconds by which clocks may differ.";
    oidc_userinfo_endpoint Text "" later "tokens must be JWTs, as in LiteLLM 1.106.2, which never asks there": "Where the user of an opaque token is asked for.";
    oidc_userinfo_enabled Flag "false" later "tokens must be JWTs": "Ask there.";
    oidc_userinfo_cache_ttl Seconds "300" later "tokens must be JWTs": "Seconds an answer is kept.";
    virtual_key_claim_field Text "" served: "Claim that stands for a virtual key: `/jwt/key/mapping/new` says for which.";
    jwt_client_id_field Text "" served: "Old name of `virtual_key_claim_field`.";
    virtual_key_mapping_cache_ttl Seconds "300" accepted: "Seconds a mapping is kept; changes hold at once here.";
    unregistered_jwt_client_behavior Text "fallback_team_mapping" served: "What becomes of bearers without a key: `fallback_team_mapping` (the token says what they may), `reject`, `auto_register` (they get a key).";
    auto_register_map_existing_key Flag "false" served: "A bearer who gets a key gets the newest one of its user, where the claim is that of the user or of the mail address.";
    routing_overrides List "" later "every token is proved by its issuer's keys": "Other ways to prove some tokens.";
    custom_validate Text "" later "Python is not run: use the webhook of `custom_auth`": "Python function that checks claims.";
}

pub(crate) use issuer::JWT_ISSUER;

mod issuer {
    catalogue! {
        JWT_ISSUER
        issuer Text "" served: "What `iss` must be, to the letter.";
        jwks_url Text "" served: "Where its public keys are; else its discovery document says it.";
        audience Text "" served: "What `aud` must hold.";
        disable_audience_validation Flag "false" served: "Let every audience pass.";
        team_id_jwt_field Text "" served: "As above, for this issuer.";
        team_ids_jwt_field Text "" served: "As above, for this issuer.";
        user_id_jwt_field Text "" served: "As above, for this issuer.";
        user_email_jwt_field Text "" served: "As above, for this issuer.";
        org_id_jwt_field Text "" served: "As above, for this issuer.";
        end_user_id_jwt_field Text "" served: "As above, for this issuer.";
        virtual_key_claim_field Text "" served: "As above, for this issuer.";
        unregistered_jwt_client_behavior Text "" served: "As above, for this issuer.";
    }
}
