//! Calls of the past: rows as the spend log has them, instead of records of the ledger.

use std::collections::HashSet;

use super::bulk::{self, Bulk, Cell};
use super::sums::{Sums, log_row};
use super::transaction::Transaction;
use crate::ledger::{CallId, End, Flags, Outcome, Owner, Tokens};
use crate::{Db, DbError, DbErrorKind, SpendRow};

impl Db {
    /// Writes calls that another gateway has booked into the log and the daily sums; those that are in the log already
    /// stay as they are. Nobody is charged. Says how many were written; in a rehearsal, would be.
    pub(crate) async fn put_calls(&self, calls: &[SpendRow], dry_run: bool) -> Result<u64, DbError> {
        let mut ids = Bulk::new(bulk::KNOWN);
        ids.extend(calls.iter().map(|call| Cell::text(&call.request_id)));
        let mut transaction = Transaction::begin(self).await?;
        let known: HashSet<String> = transaction.texts(&ids).await?.into_iter().collect();
        let (mut rows, mut sums) = (Bulk::new(bulk::LOG), Sums::default());
        for call in calls.iter().filter(|call| !known.contains(&call.request_id)) {
            let outcome = outcome_of(call);
            log_row(&mut rows, Cell::text(&call.request_id), &outcome);
            sums.add(&outcome);
        }
        let new = rows.rows() as u64;
        if transaction.run(&rows).await? != new {
            transaction.rollback().await?;
            let words = "calls were imported twice at the same time; run it again";
            return Err(DbError::new(DbErrorKind::Internal, words));
        }
        transaction.run(&sums.daily()).await?;
        transaction.run(&sums.daily_scopes()).await?;
        transaction.run(&sums.daily_calls()).await?;
        transaction.run(&sums.daily_tools()).await?;
        if dry_run {
            transaction.rollback().await?
        } else {
            transaction.commit().await?
        }
        Ok(new)
    }
}

/// What the ledger would have said of a call; its id is none of the ledger's.
pub(in crate::repo) fn outcome_of(row: &SpendRow) -> Outcome<'_> {
    fn text(text: &Option<String>) -> &str {
        text.as_deref().unwrap_or_default()
    }
    let count = |count: i64| u64::try_from(count).unwrap_or(0);
    Outcome {
        call_id: text(&row.call_id),
        started_ms: row.started_at,
        duration_us: count(row.duration_us),
        first_byte_us: row.first_byte_us.map(count),
        owner: Owner {
            key: row.key.as_ref().map_or("", |key| key.as_str()),
            user_id: text(&row.user_id),
            team_id: text(&row.team_id),
            organization_id: text(&row.organization_id),
            end_user: text(&row.end_user),
            project_id: text(&row.project_id),
            parts: text(&row.parts),
        },
        model_group: &row.model_group,
        model: text(&row.model),
        provider: text(&row.provider),
        deployment: text(&row.deployment),
        call_type: &row.call_type,
        end: END.into_iter().find(|end| end.as_str() == row.outcome).unwrap_or_default(),
        status: u16::try_from(row.status).unwrap_or_default(),
        error: text(&row.error),
        flags: Flags {
            stream: row.stream,
            estimated: row.estimated,
            unpriced: row.unpriced,
            unknown_outcome: row.unknown_outcome,
            cache_hit: row.cache_hit,
        },
        tokens: Tokens {
            input: count(row.input_tokens),
            output: count(row.output_tokens),
            cache_read: count(row.cache_read_tokens),
            cache_write: count(row.cache_write_tokens),
            reasoning: count(row.reasoning_tokens),
        },
        cost: row.cost,
        retries: u16::try_from(row.retries).unwrap_or_default(),
        fallbacks: u16::try_from(row.fallbacks).unwrap_or_default(),
        usage: text(&row.usage),
        tags: text(&row.tags),
        metadata: text(&row.metadata),
        session: text(&row.session_id),
        tools: text(&row.tools),
        ..Outcome::of(CallId(0))
    }
}

const END: [End; 5] = [End::Completed, End::Cut, End::HungUp, End::Failed, End::Unknown];
