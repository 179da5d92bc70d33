//! The whole URL surface on one screen, and the way from a path to its room.

mod abilities;
mod autos;
mod cache_costs;
mod catalogue;
mod connection;
mod costs;
mod explain;
mod health;
mod models;
mod ollama;
mod pattern;
mod responses;
mod table;
mod usage_chat;
mod utils;

use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use llm_providers::{DialectId, dialects};
use llm_types::{Error, ErrorKind, Operation, seldom};

pub(crate) use pattern::decoded;
use table::TABLE;

use crate::admin::{self, Action};
use crate::answer::{self, ReplyBody};
use crate::door::ConnState;
use crate::state::Core;
use crate::walk::{self, Caller, Entrance};

/// What a route leads to.
#[derive(Debug, Clone, Copy)]
enum Handler {
    /// A call to a model.
    Call(Door),
    /// Tokens of a prompt, counted.
    CountTokens(Door),
    /// The models a key may use.
    Models,
    /// One of them.
    Model,
    /// What is configured of the models.
    ModelInfo,
    /// The same, page by page.
    ModelsPaged,
    /// What clients of Ollama ask beside the chat.
    Ollama(Local),
    /// What models of one name can.
    ModelGroups,
    /// The parameters a model takes.
    SupportedParams,
    /// What the price map says of a model, configured or not.
    PriceRecord,
    /// Where a call would go.
    Explain,
    /// Whether a deployment that is not configured would answer.
    TestConnection,
    /// What operators ask of auto routers.
    Auto(autos::Asked),
    TokenCounter,
    /// What a prompt or a reply costs.
    CalculateCost,
    /// What a request costs where its beginning is warm, and where it is not.
    PredictCache,
    /// What so many tokens cost.
    EstimateCost,
    TransformRequest,
    /// Questions about spend, in words.
    UsageChat,
    /// Management of keys, teams, users and whoever else pays.
    Manage(Action),
    /// People who sign in to manage.
    SignIn(admin::SsoStep),
    /// Identity providers that bring users and groups.
    Scim(admin::ScimAction),
    /// Probes and greetings.
    Health(health::Probe),
    /// What is known of models and providers.
    Known(catalogue::Known),
    /// Prometheus metrics.
    Metrics,
    /// Replies of the Responses API that are asked for later.
    Stored(responses::Ask),
}

/// A question of Ollama's clients.
#[derive(Debug, Clone, Copy)]
enum Local {
    Tags,
    Show,
    Version,
}

/// How a call to a model is spoken.
#[derive(Debug, Clone, Copy)]
struct Door {
    /// The caller's dialect.
    dialect: DialectId,
    /// LiteLLM's name for calls of this kind.
    call_type: &'static str,
    /// Whether a stream is wanted, where the path says it and not the body.
    stream: Option<bool>,
    /// What is asked, where it is no chat.
    operation: Option<Operation>,
}

impl Door {
    const fn chat(dialect: DialectId, call_type: &'static str, stream: Option<bool>) -> Self {
        Self { dialect, call_type, stream, operation: None }
    }

    fn entrance<'m>(self, path: &'static str, model: Option<&'m str>) -> Entrance<'m> {
        let Self { dialect, call_type, stream, operation } = self;
        Entrance { dialect: dialects::dialect(dialect), path, call_type, model, stream, operation }
    }
}

/// One route. In a path `{model}` stands for one segment or more and ends the variable parts; any other
/// `{name}` stands for one segment.
struct Route(&'static Method, &'static str, Handler);
/// Answers one request.
pub(crate) async fn answer(
    core: &Arc<Core>,
    conn: &ConnState,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let path = request.uri().path();
    let (route, model, second) = match find(request.method(), path) {
        Found::Route(route, (first, second)) => (
            route,
            first.map(|part| decoded(part).into_owned()),
            second.map(|part| decoded(part).into_owned()),
        ),
        Found::OtherMethod => return answer::detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"),
        Found::Nothing => return answer::detail(StatusCode::NOT_FOUND, "Not Found"),
    };
    match route.2 {
        Handler::Call(door) => {
            walk::walk(core, conn, door.entrance(route.1, model.as_deref()), request).await
        }
        handler => seldom(|| beside_calls(core, conn, (handler, route.1, [model, second]), request)).await,
    }
}

/// Answers what is no call to a model.
async fn beside_calls(
    core: &Arc<Core>,
    conn: &ConnState,
    (handler, path, [model, second]): (Handler, &'static str, [Option<String>; 2]),
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    match handler {
        // Calls go the straight way, above.
        Handler::Call(_) => answer::detail(StatusCode::NOT_FOUND, "Not Found"),
        Handler::CountTokens(door) => {
            walk::count_tokens(core, conn, door.entrance(path, model.as_deref()), request).await
        }
        Handler::Models => models::list(core, conn, &request.into_parts().0).await,
        Handler::Model => models::one(core, conn, &request.into_parts().0, &model.unwrap_or_default()).await,
        Handler::ModelsPaged => models::paged(core, conn, &request.into_parts().0).await,
        Handler::ModelInfo => models::info(core, conn, &request.into_parts().0).await,
        Handler::Ollama(Local::Tags) => ollama::tags(core, conn, &request.into_parts().0).await,
        Handler::Ollama(Local::Show) => ollama::show(core, conn, request).await,
        Handler::Ollama(Local::Version) => ollama::version(),
        Handler::ModelGroups => abilities::groups(core, conn, &request.into_parts().0).await,
        Handler::PriceRecord => abilities::record(core, conn, &request.into_parts().0).await,
        Handler::SupportedParams => abilities::params(core, conn, &request.into_parts().0).await,
        Handler::TestConnection => connection::answer(core, conn, request).await,
        Handler::Explain => explain::answer(core, conn, request).await,
        Handler::Auto(asked) => autos::answer(core, conn, asked, (path, request)).await,
        Handler::TokenCounter => utils::token_counter(core, conn, request).await,
        Handler::CalculateCost => costs::calculate(core, conn, request).await,
        Handler::PredictCache => cache_costs::predict(core, conn, request).await,
        Handler::EstimateCost => costs::estimate(core, conn, request).await,
        Handler::TransformRequest => utils::transform_request(core, conn, request).await,
        Handler::UsageChat => usage_chat::answer(core, conn, request).await,
        Handler::Manage(action) => admin::manage(core, conn, action, (path, [model, second]), request).await,
        Handler::SignIn(step) => admin::sign_in(core, conn, step, (path, model), request).await,
        Handler::Scim(action) => admin::provision(core, conn, action, (path, model), request).await,
        Handler::Health(probe) => health::answer(core, conn, probe, &request.into_parts().0).await,
        Handler::Stored(asked) => {
            let head = request.into_parts().0;
            responses::answer(core, conn, (asked, path), &head, &model.unwrap_or_default()).await
        }
        Handler::Known(asked) => catalogue::answer(core, conn, asked, path, &request.into_parts().0).await,
        Handler::Metrics => health::metrics(core, conn, &request.into_parts().0).await,
    }
}

/// What a method and a path lead to.
enum Found<'a> {
    Route(&'static Route, pattern::Named<'a>),
    OtherMethod,
    Nothing,
}

fn find<'a>(method: &Method, path: &'a str) -> Found<'a> {
    let mut other_method = false;
    for route in TABLE {
        let Some(segment) = pattern::matches(route.1, path) else { continue };
        if route.0 == method || (*method == Method::HEAD && *route.0 == Method::GET) {
            return Found::Route(route, segment);
        }
        other_method = true;
    }
    if other_method { Found::OtherMethod } else { Found::Nothing }
}

/// Every path with its methods, for `/routes` and the reference.
pub(crate) fn listing() -> Vec<(&'static str, &'static str)> {
    TABLE.iter().map(|route| (route.0.as_str(), route.1)).collect()
}

/// The refusal of a request that is no operator's, but this caller's.
pub(crate) fn operators_only(caller: &Caller, path: &str) -> Error {
    let role = caller.role_name().unwrap_or_else(|| "unknown".to_owned());
    let user = starred(caller.user().unwrap_or("unknown"));
    Error::new(
        ErrorKind::Unauthenticated,
        format!(
            "Authentication Error, Only proxy admin can be used to generate, delete, update info for new \
             keys/users/teams. Route={path}. Your role={role}. Your user_id={user}"
        ),
    )
    .with_vendor_type("auth_error")
    .with_param("None")
}

/// The id of a user as refusals show it: who it is about knows it again, who reads a log does not learn it.
fn starred(user: &str) -> String {
    let (ahead, behind) = (6, 2);
    let length = user.chars().count();
    match length {
        0..=4 => "***".to_owned(),
        5..=8 => "*".repeat(length),
        _ => {
            let (first, last) = (user.chars().take(ahead), user.chars().skip(length - behind));
            first.chain(std::iter::repeat_n('*', length - ahead - behind)).chain(last).collect()
        }
    }
}

#[cfg(test)]
mod tests;
