//! What a batch adds up to, per key, per scope and per day.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::Deserialize;

use super::LogRows;
use super::bulk::{self, Bulk, Cell};
use super::calls::CallDays;
use super::tools::ToolDays;
use crate::ledger::{Batch, Outcome, flags_byte};
use crate::repo::leases::KEY;
use crate::{ScopeId, ScopeKind};

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// The batch's calls as rows of the spend log, without those it has already.
pub(super) fn log_rows<'a>(batch: &'a Batch, kept: LogRows, known: &HashSet<String>) -> Bulk<'a> {
    let mut rows = Bulk::new(bulk::LOG);
    for outcome in batch.outcomes().filter(|outcome| kept.keeps(outcome.end)) {
        let id = outcome.id.to_string();
        if !known.contains(&id) {
            log_row(&mut rows, Cell::owned(id), &outcome);
        }
    }
    rows
}

/// Adds one row.
pub(super) fn log_row<'a>(rows: &mut Bulk<'a>, id: Cell<'a>, outcome: &Outcome<'a>) {
    let owner = &outcome.owner;
    rows.extend([
        id,
        Cell::optional(outcome.call_id),
        Cell::Int(outcome.started_ms),
        Cell::count(outcome.duration_us),
        outcome.first_byte_us.map_or(Cell::Null, Cell::count),
        Cell::optional(owner.key),
        Cell::optional(owner.user_id),
        Cell::optional(owner.team_id),
        Cell::optional(owner.organization_id),
        Cell::optional(owner.end_user),
        Cell::text(outcome.model_group),
        Cell::optional(outcome.model),
        Cell::optional(outcome.provider),
        Cell::optional(outcome.deployment),
        Cell::text(outcome.call_type),
        Cell::text(outcome.end.as_str()),
        Cell::Int(i64::from(outcome.status)),
        Cell::optional(outcome.error),
        Cell::Int(i64::from(flags_byte(outcome.flags))),
        Cell::count(outcome.tokens.input),
        Cell::count(outcome.tokens.output),
        Cell::count(outcome.tokens.cache_read),
        Cell::count(outcome.tokens.cache_write),
        Cell::count(outcome.tokens.reasoning),
        Cell::optional(outcome.usage),
        outcome.cost.map_or(Cell::Null, |cost| Cell::Int(cost.0)),
        Cell::Int(i64::from(outcome.retries)),
        Cell::Int(i64::from(outcome.fallbacks)),
        Cell::optional(outcome.tags),
        Cell::optional(outcome.metadata),
        Cell::optional(owner.project_id),
        Cell::optional(outcome.session),
        Cell::optional(owner.parts),
        Cell::optional(outcome.tools),
    ]);
}

/// Sums of a batch, in the order rows are locked in.
#[derive(Debug, Default)]
pub(super) struct Sums<'a> {
    keys: BTreeMap<&'a str, KeySum>,
    scopes: BTreeMap<ScopeKey<'a>, i64>,
    customers: BTreeMap<&'a str, i64>,
    days: BTreeMap<DayKey<'a>, DaySum>,
    scope_days: BTreeMap<ScopeDayKey<'a>, DaySum>,
    calls: CallDays<'a>,
    tools: ToolDays,
}

#[derive(Debug, Default)]
struct KeySum {
    cost: i64,
    active: i64,
}

/// Kind, id and member of a scope.
pub(in crate::repo) type ScopeKey<'a> = (ScopeKind, Cow<'a, str>, Cow<'a, str>);

/// Day, then key, user, team, organisation, model group, model, provider and call type.
type DayKey<'a> = (i64, [&'a str; 8]);

/// Day, kind and id of a customer or tag, then key, model group, model, provider and call type.
type ScopeDayKey<'a> = (i64, ScopeKind, Cow<'a, str>, [&'a str; 5]);

#[derive(Debug, Default)]
struct DaySum {
    requests: i64,
    failed: i64,
    unpriced: i64,
    tokens: [u64; 5],
    cost: i64,
    duration_us: u64,
    cache_hits: i64,
    cached_output: u64,
}

/// Adds up the batch's calls, without those the spend log has already.
pub(super) fn add_up<'a>(batch: &'a Batch, known: &HashSet<String>) -> Sums<'a> {
    let mut sums = Sums::default();
    for outcome in batch.outcomes() {
        if known.is_empty() || !known.contains(&outcome.id.to_string()) {
            sums.add(&outcome);
        }
    }
    sums
}

impl<'a> Sums<'a> {
    /// Adds one call.
    pub(super) fn add(&mut self, outcome: &Outcome<'a>) {
        let owner = &outcome.owner;
        let cost = outcome.cost.map_or(0, |cost| cost.0);
        if !owner.key.is_empty() {
            let key = self.keys.entry(owner.key).or_default();
            key.cost = key.cost.saturating_add(cost);
            key.active = key.active.max(outcome.started_ms);
        }
        let day = outcome.started_ms.div_euclid(DAY_MS);
        for (scope, share) in scopes_of(outcome) {
            let cost = share.unwrap_or(cost);
            if matches!(scope.0, ScopeKind::Customer | ScopeKind::Tag) {
                let names =
                    [owner.key, outcome.model_group, outcome.model, outcome.provider, outcome.call_type];
                let key = (day, scope.0, scope.1.clone(), names);
                self.scope_days.entry(key).or_default().add(outcome, cost);
            }
            let sum = self.scopes.entry(scope).or_default();
            *sum = sum.saturating_add(cost);
        }
        if !owner.end_user.is_empty() {
            let since = self.customers.entry(owner.end_user).or_insert(outcome.started_ms);
            *since = outcome.started_ms.min(*since);
        }
        let names = [
            owner.key,
            owner.user_id,
            owner.team_id,
            owner.organization_id,
            outcome.model_group,
            outcome.model,
            outcome.provider,
            outcome.call_type,
        ];
        self.days.entry((day, names)).or_default().add(outcome, cost);
        self.calls.add(day, outcome);
        self.tools.add(day, outcome);
    }

    pub(super) fn key_locks(&self) -> Bulk<'a> {
        let mut locks = Bulk::new(bulk::LOCK_KEYS);
        locks.extend(self.keys.keys().map(|hash| Cell::text(hash)));
        locks
    }

    pub(super) fn keys(&self) -> Bulk<'a> {
        let mut keys = Bulk::new(bulk::KEYS);
        for (hash, sum) in &self.keys {
            keys.extend([Cell::text(hash), Cell::Int(sum.cost), Cell::Int(sum.active)]);
        }
        keys
    }

    /// The keys among these that went past their soft budget.
    pub(super) fn soft_keys(&self) -> Bulk<'a> {
        self.keys().asking(bulk::SOFT_KEYS)
    }

    /// The scopes among these that went past their soft budget.
    pub(super) fn soft_scopes(&self) -> Bulk<'_> {
        self.scopes().asking(bulk::SOFT_SCOPES)
    }

    pub(super) fn customers(&self) -> Bulk<'a> {
        let mut customers = Bulk::new(bulk::CUSTOMERS);
        for (id, since) in &self.customers {
            customers.extend([Cell::text(id), Cell::Int(*since)]);
        }
        customers
    }

    pub(super) fn scope_locks(&self) -> Bulk<'_> {
        let mut locks = Bulk::new(bulk::LOCK_SCOPES);
        for (kind, id, member) in self.scopes.keys() {
            locks.extend([Cell::text(kind.as_str()), Cell::text(id), Cell::text(member)]);
        }
        locks
    }

    pub(super) fn scopes(&self) -> Bulk<'_> {
        let mut scopes = Bulk::new(bulk::SCOPES);
        for ((kind, id, member), cost) in &self.scopes {
            scopes.extend([Cell::text(kind.as_str()), Cell::text(id), Cell::text(member), Cell::Int(*cost)]);
        }
        scopes
    }

    /// What a node has spent of its leases.
    pub(super) fn leases<'s>(&'s self, node: &'s str) -> Bulk<'s> {
        let mut leases = Bulk::new(bulk::LEASES);
        let keys = self.keys.iter().map(|(hash, sum)| (KEY, *hash, "", sum.cost));
        let scopes =
            self.scopes.iter().map(|((kind, id, member), cost)| (kind.as_str(), &**id, &**member, *cost));
        for (kind, id, member, cost) in keys.chain(scopes) {
            leases.extend([
                Cell::text(kind),
                Cell::text(id),
                Cell::text(member),
                Cell::text(node),
                Cell::Int(cost),
            ]);
        }
        leases
    }

    pub(super) fn daily(&self) -> Bulk<'a> {
        let mut days = Bulk::new(bulk::DAILY);
        for ((day, names), sum) in &self.days {
            days.push(Cell::Int(*day));
            days.extend(names.iter().map(|name| Cell::text(name)));
            days.extend(sum.cells());
        }
        days
    }

    pub(super) fn daily_scopes(&self) -> Bulk<'_> {
        let mut days = Bulk::new(bulk::DAILY_SCOPES);
        for ((day, kind, id, names), sum) in &self.scope_days {
            days.extend([Cell::Int(*day), Cell::text(kind.as_str()), Cell::text(id)]);
            days.extend(names.iter().map(|name| Cell::text(name)));
            days.extend(sum.cells());
        }
        days
    }
}

impl<'a> Sums<'a> {
    /// What deployments did.
    pub(super) fn daily_calls(&self) -> Bulk<'a> {
        self.calls.bulk()
    }

    /// What calls cost by the tools they invoked.
    pub(super) fn daily_tools(&self) -> Bulk<'_> {
        self.tools.bulk()
    }
}

impl DaySum {
    fn add(&mut self, outcome: &Outcome<'_>, cost: i64) {
        let tokens = &outcome.tokens;
        self.requests += 1;
        self.failed += i64::from(outcome.end.is_failure());
        self.unpriced += i64::from(outcome.cost.is_none());
        self.cost = self.cost.saturating_add(cost);
        self.duration_us = self.duration_us.saturating_add(outcome.duration_us);
        if outcome.flags.cache_hit {
            self.cache_hits += 1;
            self.cached_output = self.cached_output.saturating_add(tokens.output);
        }
        let counts = [tokens.input, tokens.output, tokens.cache_read, tokens.cache_write, tokens.reasoning];
        for (sum, count) in self.tokens.iter_mut().zip(counts) {
            *sum = sum.saturating_add(count);
        }
    }

    /// The columns of a day, in the order both tables have them.
    fn cells<'c>(&self) -> [Cell<'c>; 12] {
        let [input, output, cache_read, cache_write, reasoning] = self.tokens.map(Cell::count);
        [
            Cell::Int(self.requests),
            Cell::Int(self.failed),
            Cell::Int(self.unpriced),
            input,
            output,
            cache_read,
            cache_write,
            reasoning,
            Cell::Int(self.cost),
            Cell::count(self.duration_us),
            Cell::Int(self.cache_hits),
            Cell::count(self.cached_output),
        ]
    }
}

/// A part as the ledger has it: id, member, and what it pays where that is not the whole cost.
#[derive(Deserialize)]
#[serde(untagged)]
enum PartTold {
    Whole(String, String),
    Share(String, String, i64),
}

/// The scopes a call is charged to, besides its key, and what those pay that pay for a share of it.
pub(in crate::repo) fn scopes_of<'a>(
    outcome: &Outcome<'a>,
) -> impl Iterator<Item = (ScopeKey<'a>, Option<i64>)> {
    let owner = outcome.owner;
    let alone = [
        (ScopeKind::Customer, owner.end_user, ""),
        (ScopeKind::Organization, owner.organization_id, ""),
        (ScopeKind::OrganizationMember, owner.organization_id, owner.user_id),
        (ScopeKind::Project, owner.project_id, ""),
        (ScopeKind::Team, owner.team_id, ""),
        (ScopeKind::TeamMember, owner.team_id, owner.user_id),
        (ScopeKind::User, owner.user_id, ""),
    ];
    let named = alone
        .into_iter()
        .filter(|(kind, id, member)| !id.is_empty() && (!kind.is_membership() || !member.is_empty()));
    // A tag named twice is charged once.
    let tags: BTreeSet<String> = told(outcome.tags);
    let tags = tags.into_iter().map(|tag| (ScopeKind::Tag, Cow::Owned(tag), Cow::Borrowed("")));
    let parts: Vec<PartTold> = told(owner.parts);
    let parts = parts.into_iter().map(|part| {
        let (id, member, share) = match part {
            PartTold::Whole(id, member) => (id, member, None),
            PartTold::Share(id, member, share) => (id, member, Some(share)),
        };
        let other = ScopeId::of_owner(&id).filter(|_| member.is_empty());
        match other {
            Some(scope) => ((scope.kind, Cow::Owned(scope.id), Cow::Borrowed("")), share),
            None => ((ScopeKind::Part, Cow::Owned(id), Cow::Owned(member)), share),
        }
    });
    let named = named.map(|(kind, id, member)| (kind, Cow::Borrowed(id), Cow::Borrowed(member)));
    named.chain(tags).map(|scope| (scope, None)).chain(parts)
}

/// A list of the ledger's, which has none for most calls.
pub(super) fn told<'a, T: Default + Deserialize<'a>>(json: &'a str) -> T {
    if json.is_empty() { T::default() } else { serde_json::from_str(json).unwrap_or_default() }
}
