//! Which routes a key may call (surface §4.4 b).

/// Groups of routes that `allowed_routes` may name.
const GROUPS: [(&str, &[&str]); 10] = [
    ("llm_api_routes", &["openai_routes", "anthropic_routes", "google_routes"]),
    (
        "openai_routes",
        &[
            "/chat/completions",
            "/v1/chat/completions",
            "/engines",
            "/openai/deployments",
            "/models",
            "/v1/models",
            "/responses",
            "/v1/responses",
            "/openai/v1/responses",
            "/openai/responses",
            "/completions",
            "/v1/completions",
            "/embeddings",
            "/v1/embeddings",
            "/moderations",
            "/v1/moderations",
            "/rerank",
            "/v1/rerank",
            "/v2/rerank",
            "/images",
            "/v1/images",
            "/audio",
            "/v1/audio",
        ],
    ),
    ("anthropic_routes", &["/v1/messages"]),
    (
        "google_routes",
        &[
            "/v1beta/models/*",
            "/models/{model}:*",
            "/v1/models/{model}:*",
            "/v1/projects/*",
            "/v1beta1/projects/*",
            "/vertex_ai/*",
        ],
    ),
    (
        "info_routes",
        &[
            "/key/info",
            "/key/health",
            "/key/list",
            "/v2/key/info",
            "/team/info",
            "/team/list",
            "/v2/team/list",
            "/team/available",
            "/team/metadata_schema",
            "/organization/list",
            "/user/info",
            "/v2/user/info",
            "/model/info",
            "/v1/model/info",
            "/v2/model/info",
            "/model_group/info",
            "/models",
            "/v1/models",
            "/health",
            "/health/services",
        ],
    ),
    (
        "management_routes",
        &[
            "key_management_routes",
            "info_routes",
            "/user/new",
            "/user/update",
            "/user/delete",
            "/user/list",
            "/user/daily/activity",
            "/team/new",
            "/team/update",
            "/team/delete",
            "/team/block",
            "/team/unblock",
            "/team/daily/activity",
            "/model/new",
            "/model/update",
            "/model/delete",
        ],
    ),
    (
        "key_management_routes",
        &[
            "/key/generate",
            "/key/service-account/generate",
            "/key/info",
            "/key/update",
            "/key/bulk_update",
            "/team/key/bulk_update",
            "/key/delete",
            "/key/list",
            "/key/aliases",
            "/key/block",
            "/key/unblock",
            "/key/regenerate",
            "/key/{model}/regenerate",
            "/key/{model}/reset_spend",
        ],
    ),
    (
        "spend_tracking_routes",
        &[
            "/spend/keys",
            "/spend/users",
            "/spend/tags",
            "/spend/calculate",
            "/spend/logs",
            "/spend/logs/v2",
            "/spend/logs/ui",
            "/key/spend/report",
            "/user/spend/report",
            "/team/spend/report",
            "/organization/spend/report",
            "/cost/estimate",
        ],
    ),
    ("global_spend_tracking_routes", &["/global/spend"]),
    ("public_routes", &["/health/liveliness", "/health/liveness", "/health/readiness"]),
];

/// Whether a list of routes, prefixes, wildcards and groups lets a path pass.
pub(crate) fn route_allowed(allowed: &[String], path: &str) -> bool {
    allowed.iter().any(|entry| entry_allows(entry, path))
}

fn entry_allows(entry: &str, path: &str) -> bool {
    if let Some((_, members)) = GROUPS.iter().find(|(name, _)| *name == entry) {
        return members.iter().any(|member| entry_allows(member, path));
    }
    if let Some(prefix) = entry.strip_suffix('*') {
        return path.starts_with(prefix);
    }
    // Who may look at models (`/models`) may not call them (`/models/{model}:generateContent`) for that.
    path == entry
        || path.strip_prefix(entry).is_some_and(|rest| rest.starts_with('/') && !rest.contains("}:"))
}

#[cfg(test)]
mod tests;
