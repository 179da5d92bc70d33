//! `gateway spend`: what calls cost, derived anew.

use std::time::{SystemTime, UNIX_EPOCH};

use gateway_db::Actor;
use gateway_server::config::Env;
use gateway_server::reprice::{self, Prices, RepriceReport, Repriced};
use llm_types::Money;
use serde_json::{Value, json};

use super::{db, load};
use crate::args::{RepriceArgs, SpendCommand};
use crate::render::{self, Exit, Failure};

/// Runs a command about spend.
///
/// # Errors
/// When the prices or the configuration cannot be read, or the database does not answer.
pub(crate) fn run(command: &SpendCommand) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("cannot start a runtime").because(error))?;
    match command {
        SpendCommand::Reprice(args) => runtime.block_on(reprice(args)),
    }
}

async fn reprice(args: &RepriceArgs) -> Result<Exit, Failure> {
    let range =
        reprice::days(args.from.as_deref(), args.to.as_deref(), args.model.clone()).map_err(|found| {
            Failure::bad_input(format!("`{found}` is no day, expected one such as `2026-11-22`"))
        })?;
    let prices = prices(args)?;
    let db = db::connect(&args.db).await?;
    db.check().await.map_err(db::failure)?;
    let db = db.acting(actor());
    let report = reprice::reprice(&db, &prices, &range, args.dry_run).await;
    db.close().await.map_err(db::failure)?;
    let report = report.map_err(db::failure)?;
    if args.json {
        render::data(told(&report, args.dry_run));
    } else {
        say(&report, args.dry_run);
    }
    Ok(Exit::Success)
}

fn prices(args: &RepriceArgs) -> Result<Prices, Failure> {
    let name = args.prices.display().to_string();
    let text = std::fs::read(&args.prices)
        .map_err(|error| Failure::bad_input(format!("cannot read the prices `{name}`")).because(error))?;
    let config =
        args.db.config.as_deref().map(|path| load::file(path, &Env::of_process(), false)).transpose()?;
    Prices::read(&text, &name, config.as_ref())
        .map_err(|error| Failure::bad_input(format!("cannot use the prices `{name}`")).because(error))
}

/// Who is written down in the audit log.
fn actor() -> Actor {
    let who = "command line".to_owned();
    Actor { changed_by: who.clone(), api_key: String::new(), user: who, address: None, at: now_ms() }
}

fn say(report: &RepriceReport, dry_run: bool) {
    let mut total = Repriced::default();
    for ((provider, model), sums) in &report.models {
        total.add(sums);
        render::data(line(&format!("{provider}/{model}"), sums));
    }
    render::data(line("total", &total));
    for (kept, (calls, booked)) in &report.kept {
        render::data(format!("kept: {calls} calls, {booked}: {}", kept.words()));
    }
    if dry_run {
        render::data("dry run: nothing is booked");
    } else {
        render::data(format!("booked: {} calls", report.corrected));
    }
}

fn line(name: &str, sums: &Repriced) -> String {
    let (calls, changed, old, new) = (sums.calls, sums.changed, sums.old, sums.new);
    let difference = sums.difference();
    format!(
        "{name}: {calls} calls, {changed} with another cost, old {old}, new {new}, difference {difference}"
    )
}

/// Amounts are texts: a number of JSON would lose digits.
fn told(report: &RepriceReport, dry_run: bool) -> Value {
    let usd = |money: Money| money.to_string().replacen('$', "", 1);
    let models = report.models.iter().map(|((provider, model), sums)| {
        json!({
            "provider": provider,
            "model": model,
            "calls": sums.calls,
            "changed": sums.changed,
            "old_usd": usd(sums.old),
            "new_usd": usd(sums.new),
            "difference_usd": usd(sums.difference()),
        })
    });
    let kept = report.kept.iter().map(
        |(kept, (calls, booked))| json!({ "why": kept.words(), "calls": calls, "booked_usd": usd(*booked) }),
    );
    json!({
        "models": models.collect::<Vec<_>>(),
        "kept": kept.collect::<Vec<_>>(),
        "corrected": report.corrected,
        "dry_run": dry_run,
    })
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
