//! A strategy and a rule of a program's own: the newest deployment first, and drafts never go to the dear one.
//!
//! Run with `cargo run -p llm-router --example own_strategy --features testing`.

use std::sync::Arc;

use futures_util::FutureExt;
use llm_router::strategies::Pool;
use llm_router::testing::{FakeClock, deployment};
use llm_router::{
    Ask, Attempt, Candidate, Choose, Controls, Counters, Moment, Own, Request, Router, RouterSettings,
    Routes, Rule,
};
use llm_types::Result;

/// Goes by `model_info.released`, the latest first.
#[derive(Debug)]
struct Newest;

impl Choose for Newest {
    fn choose(&self, pool: Pool<'_>, _: &mut fastrand::Rng) -> Option<u32> {
        let released =
            |one: &Candidate| one.deployment.model_info.get("released").and_then(|year| year.as_u64());
        pool.iter().max_by_key(|(_, one)| released(one)).map(|(at, _)| at)
    }
}

/// Short answers do not go to the dear one.
#[derive(Debug)]
struct Thrift;

impl Rule for Thrift {
    fn name(&self) -> &str {
        "thrift"
    }

    fn keeps(&self, one: &Candidate, ask: &Ask<'_>, _: Moment) -> bool {
        ask.output.is_none_or(|tokens| tokens > 100) || one.deployment.id.as_str() != "dear"
    }
}

async fn ask(attempt: Attempt<'_>) -> Result<String> {
    Ok(attempt.deployment.id.as_str().to_owned())
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn main() {
    let made = |id: &str, year: u64| {
        let mut made = deployment(id, "chat", "gpt-4o");
        Arc::make_mut(&mut made.model_info).insert("released".to_owned(), year.into());
        made
    };
    let settings = RouterSettings {
        strategy: "custom".parse().unwrap_or_default(),
        own: Own { strategy: Some(Arc::new(Newest)), rules: vec![Arc::new(Thrift)] },
        ..RouterSettings::default()
    };
    let routes = Routes::new(
        vec![made("old", 2024), made("dear", 2026), made("new", 2025)],
        settings,
        &Counters::new(),
        None,
    );
    let router = Router::new(Arc::new(routes), Arc::new(FakeClock::default()));
    let controls = Controls::default();
    for output in [None, Some(50)] {
        let request = Request { ask: Ask { output, ..Ask::default() }, ..Request::new("chat", &controls) };
        if let Some(Ok(done)) = router.run(request, ask).now_or_never() {
            println!("an answer of {output:?} tokens: {}", done.value);
        }
    }
}
