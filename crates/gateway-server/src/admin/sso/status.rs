//! Whether single sign-on is configured, and what an admin UI asks first.

use http::StatusCode;
use serde_json::json;

use super::Visit;
use super::provider::Faults;
use super::reply::Reply;
use super::sign_in::configured;

/// `/sso/readiness`.
pub(super) fn readiness(visit: &Visit) -> Reply {
    let lacks_base = visit.env().value("PROXY_BASE_URL").is_none().then_some("PROXY_BASE_URL");
    let (provider, mut faults) = match configured(visit) {
        Ok(None) => {
            return Reply::json(json!({ "sso_configured": false, "message": "SSO is not configured" }));
        }
        Ok(Some(provider)) => (Some(provider.name), Faults::default()),
        Err(faults) => (None, faults),
    };
    faults.missing.extend(lacks_base);
    let ready = faults.missing.is_empty() && faults.wrong.is_empty();
    let reply = Reply::json(json!({
        "sso_configured": true,
        "provider": provider,
        "status": if ready { "healthy" } else { "unhealthy" },
        "missing_environment_variables": faults.missing,
        "problems": faults.wrong,
    }));
    if ready { reply } else { reply.with_status(StatusCode::SERVICE_UNAVAILABLE) }
}

/// `/sso/get/ui_settings`.
pub(super) fn ui_settings(visit: &Visit) -> Reply {
    let env = visit.env();
    Reply::json(json!({
        "PROXY_BASE_URL": env.value("PROXY_BASE_URL"),
        "PROXY_LOGOUT_URL": env.value("PROXY_LOGOUT_URL"),
        "DEFAULT_TEAM_DISABLED": visit.snapshot.config.budgets.key_rules.teams_only,
        "SSO_ENABLED": matches!(configured(visit), Ok(Some(_))),
        "NUM_SPEND_LOGS_ROWS": null,
        "DISABLE_EXPENSIVE_DB_QUERIES": false,
    }))
}
