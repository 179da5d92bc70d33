//! The rooms a request walks through: auth, limits, routing, relay, settlement.
//!
//! [`Gateway::start`] opens the database and the ledger, starts one thread per core for calls and one
//! for everything else, and returns at once; [`Gateway::stop`] lets streams in flight finish and books
//! everything. How a call walks is on one page: `walk/mod.rs`.

pub mod config;

mod admin;
mod answer;
mod clock;
mod door;
mod explain;
mod gateway;
mod health;
mod identity;
mod journal;
mod ledger;
mod limits;
pub mod login;
mod responses;
mod routes;
mod share;
mod state;
mod stored;
mod telemetry;
mod walk;

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
    llm_providers::operations::entries().map(row).collect()
}

/// Every route as method and path, for the reference.
#[must_use]
pub fn routes_reference() -> Vec<(&'static str, &'static str)> {
    routes::listing()
}
