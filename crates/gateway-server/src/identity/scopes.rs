//! Scopes in memory: teams, users, organisations, customers, tags, projects, memberships.
//!
//! A scope is loaded when the first call is charged to it and stays, because its account is ahead of the
//! database. What an operator sets is swapped inside, so that whoever holds the scope sees it at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use arc_swap::{ArcSwap, Guard};
use dashmap::{DashMap, DashSet};
use gateway_db::{Db, ScopeId, ScopeKind, ScopeRecord, ScopeSettings};
use llm_types::{Money, Result};

use super::budgeted::BudgetedGroups;
use super::directory::unavailable;
use super::parts::{Part, PartSpec, directed_parts, parts_of_scope, raise_of};
use super::rules::Rules;
use crate::clock::now_ms;
use crate::limits::{Account, Calendar, Limits, next_reset};

/// How many scopes are held before idle ones without limits are let go: requests may name any number.
const MANY: usize = 100_000;

/// After how many more it is tried again.
const SWEEP: usize = 4_096;

/// One scope: what is set on it now, and its counters, which outlive that.
#[derive(Debug)]
pub(crate) struct Scope {
    /// Which it is.
    pub(crate) id: ScopeId,
    /// Spend, windows, calls in flight.
    pub(crate) account: Account,
    view: ArcSwap<View>,
}

/// What is set on a scope, in the limiter's terms.
#[derive(Debug, Default)]
pub(crate) struct View {
    /// What the database has; `None` where nobody has made the scope.
    pub(crate) record: Option<ScopeRecord>,
    /// Its limits, those of its shared budget among them.
    pub(crate) limits: Limits,
    /// Its limits for models, tags and further periods.
    pub(crate) parts: Vec<Part>,
    /// The access groups whose models it may use besides its own (`access_group_ids` of a team).
    groups: Vec<Arc<Scope>>,
    /// The models it may use; where it says none itself, those of its shared budget.
    models: Vec<String>,
    /// What it says of its calls.
    pub(crate) rules: Rules,
    /// What is added to its budget for a time, and when that ends.
    raise: Option<(Money, i64)>,
    /// The version of the record, or of the tombstone that took it away.
    version: i64,
}

impl View {
    fn of(record: ScopeRecord, budget: Option<&ScopeSettings>, parts: Vec<Part>) -> Self {
        let raise = raise_of(&record.settings.extra, &record.settings.metadata);
        let rules = Rules::of(&record.settings.extra, &record.settings.metadata);
        let limits = limits_of(&record.settings);
        let limits = budget.map_or(limits, |budget| limits.or(&limits_of(budget)));
        let (version, groups) = (record.version, Vec::new());
        let models = models_of(&record.settings);
        let models = if models.is_empty() { budget.map(models_of).unwrap_or_default() } else { models };
        Self { version, record: Some(record), limits, parts, groups, models, rules, raise }
    }

    /// Its limits now: its budget may be larger for a time (`temp_budget_increase`).
    pub(crate) fn limits(&self) -> Limits {
        match self.raise {
            Some((more, until)) if now_ms() < until => {
                Limits { max_budget: self.limits.max_budget.map(|max| max + more), ..self.limits }
            }
            _ => self.limits,
        }
    }

    /// Whether somebody has set a limit for it, itself or by a shared budget.
    pub(crate) fn is_limited(&self) -> bool {
        let shares = self.record.as_ref().is_some_and(|record| record.settings.budget_id.is_some());
        shares || self.limits != Limits::default() || !self.parts.is_empty()
    }

    /// Whether every call is refused.
    pub(crate) fn blocked(&self) -> bool {
        self.record.as_ref().is_some_and(|record| record.settings.blocked)
    }

    /// What one of its own names for models stands for (`model_aliases` of a team).
    pub(crate) fn alias(&self, model: &str) -> Option<&str> {
        self.record.as_ref()?.settings.extra.get("model_aliases")?.get(model)?.as_str()
    }

    /// The access groups whose models it may use besides its own.
    pub(crate) fn groups(&self) -> &[Arc<Scope>] {
        &self.groups
    }

    /// The models it may use; empty is every model.
    pub(crate) fn models(&self) -> &[String] {
        &self.models
    }
}

/// The models that settings name: `models`, or `allowed_models` as budgets have it.
fn models_of(settings: &ScopeSettings) -> Vec<String> {
    if !settings.models.is_empty() {
        return settings.models.clone();
    }
    let listed = settings.extra.get("allowed_models").and_then(|listed| listed.as_array());
    listed.into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

fn limits_of(settings: &ScopeSettings) -> Limits {
    let count = |limit: Option<i64>| limit.map(|limit| u64::try_from(limit).unwrap_or(0));
    Limits {
        max_budget: settings.max_budget,
        rpm: count(settings.rpm_limit),
        tpm: count(settings.tpm_limit),
        parallel: settings.max_parallel_requests.map(|limit| u32::try_from(limit.max(0)).unwrap_or(u32::MAX)),
    }
}

impl Scope {
    /// What is set on it now.
    pub(crate) fn view(&self) -> Guard<Arc<View>> {
        self.view.load()
    }

    /// Whether nothing is lost when it is loaded anew.
    fn is_idle(&self) -> bool {
        self.view().limits == Limits::default() && self.account.in_flight() == 0
    }
}

/// Whether requests name scopes of a kind, any number of them.
const fn named_by_requests(kind: ScopeKind) -> bool {
    matches!(kind, ScopeKind::Customer | ScopeKind::Tag)
}

/// The organisation a team belongs to.
fn home(view: &View) -> Option<&str> {
    view.record.as_ref()?.settings.organization_id.as_deref()
}

/// Whether a scope was deleted and made again between two looks at it.
fn made_anew(was: &View, now: &View) -> bool {
    match (&was.record, &now.record) {
        (Some(was), Some(now)) => was.created_at != now.created_at,
        _ => false,
    }
}

/// The scopes that calls were charged to since the start.
#[derive(Debug)]
pub(crate) struct Scopes {
    db: Option<Db>,
    /// Whether replicas share the budgets.
    leasing: bool,
    slots: DashMap<ScopeId, Arc<Scope>>,
    /// Customers and tags that somebody made: all others have no limits.
    made: DashSet<ScopeId>,
    /// Model access groups that have a budget.
    pub(crate) budgeted: BudgetedGroups,
    version: AtomicI64,
    /// Somebody says something of calls: until then nobody is asked.
    ruled: AtomicBool,
    /// How often a team went to another organisation: the keys of such a team are looked up anew.
    moves: AtomicU64,
    calendar: ArcSwap<Calendar>,
}

impl Scopes {
    /// An empty view over a database, or over none.
    pub(super) fn new(db: Option<Db>, leasing: bool) -> Self {
        let calendar = ArcSwap::default();
        Self {
            db,
            leasing,
            slots: DashMap::new(),
            made: DashSet::new(),
            budgeted: BudgetedGroups::default(),
            version: AtomicI64::new(0),
            ruled: AtomicBool::new(false),
            moves: AtomicU64::new(0),
            calendar,
        }
    }

    /// How often teams went to other organisations.
    pub(super) fn moves(&self) -> u64 {
        self.moves.load(Ordering::Acquire)
    }

    /// The scope, if it is in memory.
    pub(crate) fn cached(&self, id: &ScopeId) -> Option<Arc<Scope>> {
        self.slots.get(id).map(|slot| Arc::clone(&slot))
    }

    /// The scope, from memory or the database. One that nobody has made has no limits.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::Overloaded`] when the database does not answer.
    pub(crate) async fn find(&self, id: ScopeId) -> Result<Arc<Scope>> {
        if let Some(scope) = self.cached(&id) {
            return Ok(scope);
        }
        let record = match &self.db {
            Some(db) => db.scope(&id).await.map_err(unavailable)?,
            None => None,
        };
        let spent = record.as_ref().map_or(Money::ZERO, |record| record.spend);
        let view = match record {
            Some(record) => self.view_of(record).await?,
            None => View::default(),
        };
        Ok(self.enter(id, spent, view))
    }

    /// A customer or tag that nobody has made, for one call while the database does not answer: it has no limits.
    pub(crate) fn stranger(&self, id: &ScopeId) -> Option<Arc<Scope>> {
        let made = !named_by_requests(id.kind) || self.made.contains(id);
        let alone = || Scope { id: id.clone(), account: Account::default(), view: ArcSwap::default() };
        (!made).then(|| Arc::new(alone()))
    }

    /// Takes over a stored scope, and its limits into those who share them. Spend in memory is ahead of the
    /// database's and stays. A scope nobody is charged to is not loaded; a tombstone leaves the account and
    /// takes the limits.
    ///
    /// # Errors
    /// As [`Scopes::find`].
    pub(crate) async fn keep(&self, record: ScopeRecord) -> Result<()> {
        let id = record.id.clone();
        if named_by_requests(id.kind) && record.deleted_at.is_none() {
            self.made.insert(id.clone());
        }
        if id.kind == ScopeKind::ModelAccessGroup {
            self.budgeted.note(&id.id, record.deleted_at.is_none());
        }
        if let Some(slot) = self.cached(&id) {
            let record_is_gone = record.deleted_at.is_some();
            let view = if record_is_gone {
                View { version: record.version, ..View::default() }
            } else if id.kind == ScopeKind::Part {
                View::of(record, None, Vec::new())
            } else {
                self.view_of(record).await?
            };
            let was = slot.view();
            if record_is_gone || made_anew(&was, &view) {
                self.forget_parts(&id.as_owner());
            }
            if was.version < view.version {
                // One that was deleted and made anew begins anew. What customers spent before anybody made them
                // stays: their first call did.
                let new = view.record.as_ref().filter(|_| was.record.is_none() || made_anew(&was, &view));
                if let Some(record) = new.filter(|_| id.kind != ScopeKind::Customer || was.version > 0) {
                    slot.account.set_spent(record.spend);
                } else if let Some(record) = self.new_period(&was, &view) {
                    slot.account.set_spent(record.spend);
                }
                let moved = id.kind == ScopeKind::Team && home(&was) != home(&view);
                slot.view.store(Arc::new(view));
                if moved {
                    self.moves.fetch_add(1, Ordering::Release);
                }
            }
        }
        if id.kind != ScopeKind::Budget {
            return Ok(());
        }
        for sharer in self.sharers(&id.id) {
            let record = sharer.view().record.clone();
            if let Some(record) = record {
                sharer.view.store(Arc::new(self.view_of(record).await?));
            }
        }
        Ok(())
    }

    /// What is stored where another replica may have begun a new period: the database is ahead then.
    fn new_period<'v>(&self, was: &View, now: &'v View) -> Option<&'v ScopeRecord> {
        let (was, now) = (was.record.as_ref()?, now.record.as_ref()?);
        let ended = was.settings.budget_reset_at != now.settings.budget_reset_at;
        (self.leasing && ended).then_some(now)
    }

    /// Forgets the accounts of an owner's parts: it is deleted, or begins anew.
    pub(crate) fn forget_parts(&self, owner: &str) {
        self.slots.retain(|id, _| id.kind != ScopeKind::Part || id.id != owner);
    }

    fn sharers(&self, budget: &str) -> Vec<Arc<Scope>> {
        self.that(|slot| {
            let view = slot.view();
            view.record.as_ref().is_some_and(|record| record.settings.budget_id.as_deref() == Some(budget))
        })
    }

    /// The view of a record, with the limits of its shared budget read anew.
    async fn view_of(&self, record: ScopeRecord) -> Result<View> {
        let budget = match (&self.db, &record.settings.budget_id) {
            (Some(db), Some(budget)) => {
                db.scope(&ScopeId::new(ScopeKind::Budget, budget)).await.map_err(unavailable)?
            }
            _ => None,
        };
        // Where it says nothing of models itself, its shared budget does.
        let mut specs = parts_of_scope(&record.settings);
        for spec in budget.iter().flat_map(|budget| parts_of_scope(&budget.settings)) {
            if specs.iter().all(|own| own.of != spec.of) {
                specs.push(spec);
            }
        }
        if record.id.kind == ScopeKind::Project {
            specs.extend(directed_parts(&record.settings));
        }
        let parts = self.parts(&record.id.as_owner(), specs).await?;
        let groups = self.groups_of(&record).await?;
        let view = View { groups, ..View::of(record, budget.as_ref().map(|budget| &budget.settings), parts) };
        self.note_rules(&view.rules);
        Ok(view)
    }

    /// The access groups a team belongs to.
    async fn groups_of(&self, record: &ScopeRecord) -> Result<Vec<Arc<Scope>>> {
        let listed = record.settings.extra.get("access_group_ids").and_then(|ids| ids.as_array());
        let mut groups = Vec::new();
        for id in listed.into_iter().flatten().filter_map(|id| id.as_str()) {
            // A group belongs to none, so this ends.
            groups.push(Box::pin(self.find(ScopeId::new(ScopeKind::AccessGroup, id))).await?);
        }
        Ok(groups)
    }

    /// The parts of an owner, each with its account.
    ///
    /// # Errors
    /// As [`Scopes::find`].
    pub(super) async fn parts(&self, owner: &str, specs: Vec<PartSpec>) -> Result<Vec<Part>> {
        let mut parts = Vec::with_capacity(specs.len());
        for spec in specs {
            parts.push(self.part(owner, spec).await?);
        }
        Ok(parts)
    }

    /// A part with its account. One that is about money is stored, from now on.
    ///
    /// # Errors
    /// As [`Scopes::find`].
    pub(crate) async fn part(&self, owner: &str, spec: PartSpec) -> Result<Part> {
        let id = spec.id(owner);
        let stored = self.db.as_ref().filter(|_| spec.is_budget());
        let scope = match (self.cached(&id), stored) {
            (Some(scope), _) => scope,
            (None, None) => self.counted(id),
            (None, Some(db)) => {
                let now = now_ms();
                let period = spec.period.as_deref();
                let reset_at = period.and_then(|period| next_reset(period, now, &self.calendar.load()));
                let record = db.part(&id, period, reset_at, now).await.map_err(unavailable)?;
                let spent = record.spend;
                self.enter(id, spent, View::of(record, None, Vec::new()))
            }
        };
        Ok(Part { spec: Arc::new(spec), scope })
    }

    /// An account that nothing stores.
    pub(crate) fn counted(&self, id: ScopeId) -> Arc<Scope> {
        if let Some(scope) = self.cached(&id) {
            return scope;
        }
        let (account, view) = (Account::default(), ArcSwap::default());
        let scope = Arc::new(Scope { id: id.clone(), account, view });
        Arc::clone(&self.slots.entry(id).or_insert(scope))
    }

    /// Takes note that somebody says something of calls.
    pub(super) fn note_rules(&self, rules: &Rules) {
        if !rules.is_empty() {
            self.ruled.store(true, Ordering::Relaxed);
        }
    }

    /// Whether anybody in memory says anything of calls.
    pub(crate) fn has_rules(&self) -> bool {
        self.ruled.load(Ordering::Relaxed)
    }

    /// When days of periods begin.
    pub(crate) fn set_calendar(&self, calendar: Calendar) {
        self.calendar.store(Arc::new(calendar));
    }

    fn enter(&self, id: ScopeId, spent: Money, view: View) -> Arc<Scope> {
        self.make_room();
        let account = if self.leasing { Account::leasing(spent) } else { Account::with_spent(spent) };
        let scope = Arc::new(Scope { id: id.clone(), account, view: ArcSwap::from_pointee(view) });
        Arc::clone(&self.slots.entry(id).or_insert(scope))
    }

    /// The scopes in memory of which something is true.
    pub(super) fn that(&self, is: impl Fn(&Scope) -> bool) -> Vec<Arc<Scope>> {
        self.slots.iter().filter(|slot| is(slot)).map(|slot| Arc::clone(&slot)).collect()
    }

    /// Lets idle scopes go when there are very many: what they spent is in the database, or on its way.
    fn make_room(&self) {
        let count = self.slots.len();
        // Now and then only: where most have limits, a sweep finds little.
        if count >= MANY && count.is_multiple_of(SWEEP) {
            self.slots.retain(|_, slot| Arc::strong_count(slot) > 1 || !slot.is_idle());
        }
    }

    /// Takes over what was changed since the last call, here or by other replicas; the first call only
    /// notes where to go on from.
    ///
    /// # Errors
    /// As [`Scopes::find`].
    pub(super) async fn follow(&self, begin: bool) -> Result<()> {
        let Some(db) = &self.db else { return Ok(()) };
        if begin {
            let kinds = [ScopeKind::Customer, ScopeKind::ModelAccessGroup, ScopeKind::Tag];
            for id in db.made_scopes(&kinds).await.map_err(unavailable)? {
                match id.kind {
                    ScopeKind::ModelAccessGroup => self.budgeted.note(&id.id, true),
                    _ => drop(self.made.insert(id)),
                }
            }
        }
        let since = (!begin).then(|| self.version.load(Ordering::Relaxed));
        let changes = db.scopes_changed_since(since).await.map_err(unavailable)?;
        for record in changes.scopes {
            self.keep(record).await?;
        }
        self.version.store(changes.version, Ordering::Relaxed);
        Ok(())
    }

    /// What a scope has spent: what the database has of all replicas, or what this one has settled if that is
    /// more.
    pub(crate) fn spent(&self, record: &ScopeRecord) -> Money {
        match self.slots.get(&record.id).map(|slot| slot.account.spent()) {
            Some(spent) if self.leasing => spent.max(record.spend),
            Some(spent) => spent,
            None => record.spend,
        }
    }
}
