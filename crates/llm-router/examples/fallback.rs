//! Two deployments and a fallback, without a gateway: one provider is down, the other answers.
//!
//! Run with `cargo run -p llm-router --example fallback --features testing`.

use std::sync::Arc;

use futures_util::FutureExt;
use llm_router::testing::{FakeClock, deployment};
use llm_router::{
    Attempt, Clock, Controls, Counters, FallbackTarget, Request, Router, RouterSettings, Routes,
};
use llm_types::{Error, ErrorKind, Origin, Result};

/// What a real caller would do with `llm-providers`: send the request to `attempt.deployment.target`.
async fn ask(attempt: Attempt<'_>) -> Result<String> {
    match attempt.deployment.id.as_str() {
        "eu" => {
            Err(Error::new(ErrorKind::Overloaded, "upstream is overloaded").with_origin(Origin::Upstream))
        }
        id => Ok(format!("{id} answers for {} as {}", attempt.group, attempt.model)),
    }
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn main() {
    let deployments = vec![deployment("eu", "chat", "gpt-4o"), deployment("us", "backup", "gpt-4o-mini")];
    let mut settings = RouterSettings { num_retries: 1, ..RouterSettings::default() };
    settings.fallbacks.add("chat", [FallbackTarget::from("backup")]);

    let counters = Counters::new();
    let routes = Arc::new(Routes::new(deployments, settings, &counters, None));
    let clock = Arc::new(FakeClock::default());
    let router = Router::new(routes, Arc::clone(&clock) as Arc<dyn Clock>);

    let controls = Controls::default();
    let call = router.run(Request::new("chat", &controls), ask);
    match call.now_or_never() {
        Some(Ok(done)) => println!("{} after {} tries", done.value, done.report.attempts),
        Some(Err(failed)) => println!("{}", failed.message()),
        None => println!("the clock of this example never keeps anybody waiting"),
    }
    println!("waited {:?} between them", clock.sleeps());
}
