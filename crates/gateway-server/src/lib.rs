//! The rooms a request walks through: auth, limits, routing, relay, settlement.
//!
//! [`Gateway::start`] opens the database and the ledger, starts one thread per core for calls and one
//! for everything else, and returns at once; [`Gateway::stop`] lets streams in flight finish and books
//! everything. How a call walks is on one page: `walk/mod.rs`.

pub mod config;

mod admin;
mod answer;
mod audit;
mod clock;
mod document;
mod door;
mod explain;
mod gateway;
mod health;
mod identity;
mod journal;
mod jwt;
mod ledger;
mod limits;
pub mod login;
mod prices;
pub mod reprice;
mod responses;
mod retention;
mod routes;
mod share;
mod state;
mod store;
mod stored;
mod telemetry;
mod walk;
mod webhook;

pub use audit::signer as audit_signer;
pub use explain::{RouteQuestion, explain_route};
pub use gateway::{Gateway, ServeOptions, StartError};

/// Names, kinds and meanings of the metrics, for the reference.
#[must_use]
pub fn metrics_reference() -> Vec<(&'static str, &'static str, &'static str)> {
    telemetry::Metrics::reference()
}

/// Who answers which calls beside chat, and by which wire, for the reference.
#[must_use]
pub fn endpoints_reference() -> serde_json::Value {
    let row = |entry: &llm_providers::operations::Entry| {
        serde_json::json!({
            "provider": entry.provider,
            "operation": entry.operation.name(),
            "models": entry.models,
            "wire": format!("{:?}", entry.wire),
        })
    };
    let chats = llm_providers::Registry::built_in();
    let chats = chats.all().into_iter().filter(|spec| !spec.quirks.no_chat).flat_map(chat_rows);
    llm_providers::operations::entries().map(row).chain(chats.collect::<Vec<_>>()).collect()
}

/// What each kind of model of a vendor can be asked for in a chat.
fn chat_rows(spec: &llm_providers::Provider) -> Vec<serde_json::Value> {
    use llm_providers::claims::{Claim, examples};
    let row = |target: &llm_providers::Target| {
        let told = Claim::ALL.into_iter().filter(|claim| claim.is_told(target));
        let told: Vec<&str> = told.map(Claim::name).collect();
        serde_json::json!({
            "provider": spec.id,
            "operation": "chat",
            "wire": target.spec.dialect,
            "takes": told.join(", "),
        })
    };
    let mut rows: Vec<serde_json::Value> = examples(spec).iter().map(row).collect();
    rows.dedup();
    rows
}

/// Every route as method and path, for the reference.
#[must_use]
pub fn routes_reference() -> Vec<(&'static str, &'static str)> {
    routes::listing()
}
