//! What happens by the clock, beside calls: shipping, syncing, following other replicas, budget resets.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use gateway_db::{Carry, Db, DueBudget, LessonRow};
use llm_router::auto::Lesson;
use tokio::runtime::Runtime;

use crate::clock::now_ms;
use crate::identity::KeyDigest;
use crate::limits::next_reset;
use crate::state::Shared;
use crate::store::Condition;

/// How often changes made by other replicas are looked for.
const FOLLOW_EVERY: Duration = Duration::from_millis(500);
/// How often ended budget periods are looked for.
const RESET_EVERY: Duration = Duration::from_secs(1);

/// How often leases are looked after.
const TEND_EVERY: Duration = Duration::from_millis(500);

/// How often what adaptive routers have seen is stored and read.
const LEARN_EVERY: Duration = Duration::from_secs(2);

/// How often replies whose time is over are forgotten.
const EXPIRE_EVERY: Duration = Duration::from_secs(600);

/// Starts everything that happens by the clock.
pub(super) fn spawn(control: &Runtime, shared: &Arc<Shared>) {
    control.spawn(crate::store::watch(Arc::clone(shared)));
    control.spawn(ship(Arc::clone(shared)));
    control.spawn(shared.shipping.clone().keep_synced());
    control.spawn(follow(Arc::clone(shared)));
    control.spawn(crate::share::run(Arc::clone(shared)));
    control.spawn(crate::share::Quotas::run(Arc::clone(shared)));
    control.spawn(reset_budgets(Arc::clone(shared)));
    control.spawn(tend_leases(Arc::clone(shared)));
    control.spawn(crate::audit::run(Arc::clone(shared)));
    control.spawn(crate::jwt::run(Arc::clone(shared)));
    control.spawn(crate::retention::run(Arc::clone(shared)));
    control.spawn(expire_responses(Arc::clone(shared)));
    control.spawn(keep_lessons(Arc::clone(shared)));
}

/// Keeps what adaptive routers have seen in the database, and takes over what other gateways saw.
async fn keep_lessons(shared: Arc<Shared>) {
    let mut failing = false;
    loop {
        if shared.snapshot().has_autos() {
            let kept = exchange_lessons(&shared).await;
            if let Err(error) = &kept
                && !failing
            {
                tracing::warn!(%error, "what adaptive routers see is stored when the database answers again");
            }
            failing = kept.is_err();
        }
        tokio::time::sleep(LEARN_EVERY).await;
    }
}

/// Stores what adaptive routers have seen since the last time, and reads what is stored.
pub(super) async fn exchange_lessons(shared: &Shared) -> Result<(), llm_types::Error> {
    let Some(db) = shared.directory.db() else { return Ok(()) };
    let fresh = shared.lessons.take_fresh();
    let row = |lesson: &Lesson| LessonRow {
        router: lesson.router.to_string(),
        kind: lesson.kind.to_owned(),
        model: lesson.model.to_string(),
        good: lesson.good,
        bad: lesson.bad,
    };
    let rows: Vec<LessonRow> = fresh.iter().map(row).collect();
    if !rows.is_empty()
        && let Err(error) = db.add_lessons(&rows).await
    {
        shared.lessons.give_back(fresh);
        return Err(error.into());
    }
    for row in db.lessons().await? {
        shared.lessons.recall(&row.router, &row.kind, &row.model, (row.good, row.bad));
    }
    Ok(())
}

async fn ship(shared: Arc<Shared>) {
    let seen = AtomicU64::new(0);
    let metrics = &shared.metrics;
    let busy = || {
        let calls = metrics.begun.load(Relaxed);
        metrics.in_flight.load(Relaxed) > 0 || seen.swap(calls, Relaxed) != calls
    };
    shared.shipping.clone().run(busy).await;
}

async fn follow(shared: Arc<Shared>) {
    let mut failing = false;
    loop {
        tokio::time::sleep(FOLLOW_EVERY).await;
        let followed = match shared.directory.follow().await {
            Ok(()) => shared.stored.follow(&shared).await,
            failed => failed,
        };
        if let Err(error) = &followed
            && !failing
        {
            tracing::warn!(%error, "changes of keys and models by other replicas are not seen until the database answers");
        }
        failing = followed.is_err();
    }
}

async fn tend_leases(shared: Arc<Shared>) {
    let mut failing = false;
    loop {
        tokio::time::sleep(TEND_EVERY).await;
        if shared.store.condition() == Condition::Silent {
            continue; // What is held is kept: known keys go on with it.
        }
        let tended = shared.directory.tend_leases(&shared.shipping).await;
        if let Err(error) = &tended
            && !failing
        {
            tracing::warn!(%error, "slices of budgets are given back when the database answers again");
        }
        failing = tended.is_err();
    }
}

/// Reads what the budgets of a new configuration have spent, so that spent deployments are left out from the start.
async fn load_funds(shared: &Shared) -> Result<(), llm_types::Error> {
    for fund in shared.snapshot().funds.all() {
        shared.directory.scopes.part(&fund.owner, fund.spec.clone()).await?;
    }
    Ok(())
}

async fn expire_responses(shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(EXPIRE_EVERY).await;
        let Some(db) = shared.directory.db() else { return };
        if let Err(error) = db.expire_responses(now_ms()).await {
            tracing::warn!(%error, "old responses are forgotten when the database answers again");
        }
    }
}

async fn reset_budgets(shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(RESET_EVERY).await;
        let reset = async {
            if !shared.snapshot().config.general.budgets_stay {
                reset_due(&shared).await?;
                reset_due_scopes(&shared).await?;
            }
            load_funds(&shared).await
        };
        let reset = reset.await;
        if let Err(error) = reset {
            tracing::warn!(%error, "budgets that are due are reset when the database answers again");
        }
    }
}

/// Starts new periods. Spend is shipped first, so that what the database forgets is what was spent.
async fn reset_due(shared: &Shared) -> Result<(), llm_types::Error> {
    let now = now_ms();
    let Some(db) = shared.directory.db() else { return Ok(()) };
    if !db.keys_are_due(now).await? {
        return Ok(());
    }
    shared.shipping.flush().await?;
    let calendar = shared.snapshot().calendar.clone();
    let next =
        |due: &DueBudget| due.duration.as_deref().and_then(|duration| next_reset(duration, now, &calendar));
    let due = db.reset_due_budgets(now, carry(shared), next).await?;
    forgive_keys(shared, db, due).await
}

/// What of a period goes into the next one (`budget_rollover`).
fn carry(shared: &Shared) -> Carry {
    if shared.snapshot().config.budgets.rollover { Carry::Overspend } else { Carry::Nothing }
}

/// Takes what an ended period spent off the accounts of keys.
async fn forgive_keys(shared: &Shared, db: &Db, due: Vec<DueBudget>) -> Result<(), llm_types::Error> {
    for due in due {
        let Some(digest) = KeyDigest::from_hex(due.hash.as_str()) else { continue };
        if let Some(entry) = shared.directory.cached(&digest) {
            entry.account.forgive(due.spend);
        }
        if let Some(record) = db.key_by_hash(&due.hash).await? {
            shared.directory.keep(record).await?;
        }
    }
    Ok(())
}

/// Starts new periods of scopes, as [`reset_due`] does of keys.
async fn reset_due_scopes(shared: &Shared) -> Result<(), llm_types::Error> {
    let now = now_ms();
    let Some(db) = shared.directory.db() else { return Ok(()) };
    if !db.scopes_are_due(now).await? {
        return Ok(());
    }
    shared.shipping.flush().await?;
    let calendar = shared.snapshot().calendar.clone();
    let next = |duration: Option<&str>, _| next_reset(duration?, now, &calendar);
    let ended = db.reset_due_scopes(now, carry(shared), next).await?;
    for due in ended.scopes {
        if let Some(scope) = shared.directory.scopes.cached(&due.id) {
            scope.account.forgive(due.spend);
        }
    }
    forgive_keys(shared, db, ended.keys).await
}
