//! The virtual keys in memory: a view over the database that the hot path reads without waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use gateway_db::{Backend, Db, KeyRecord, Payer, ScopeId, ScopeKind};
use llm_types::{Error, ErrorKind, Money, Result};

use super::behalf::OnBehalf;
use super::mails::Mails;
use super::parts::{For, Part, parts_of_key, parts_of_scope, raise_of, stand_ins_of};
use super::retired::Retired;
use super::rules::Rules;
use super::{Bearer, KeyDigest, Leases, Scope, Scopes};
use crate::clock::{now_ms, steady_ms};
use crate::ledger::Shipping;
use crate::limits::{Account, Limits};

/// How long an unknown secret is remembered as unknown, so that guessing does not reach the database.
const UNKNOWN_FOR: Duration = Duration::from_secs(2);
/// How many unknown secrets are remembered.
const MOST_UNKNOWN: usize = 10_000;

/// One virtual key: its settings as they are now, and its counters, which outlive them.
#[derive(Debug)]
pub(crate) struct KeyEntry {
    /// What the database has.
    pub(crate) record: KeyRecord,
    /// Its limits in the limiter's terms.
    pub(crate) limits: Limits,
    /// Spend, windows, calls in flight.
    pub(crate) account: Arc<Account>,
    /// The shared budget whose limits hold where the key sets none itself (`budget_id`).
    pub(crate) budget: Option<Arc<Scope>>,
    /// The access groups whose models it may use besides its own (`access_group_ids`).
    pub(crate) groups: Vec<Arc<Scope>>,
    /// Who pays besides the key, in the order in which limits are looked at (surface §4.6).
    pub(crate) chain: Vec<Link>,
    /// Its limits for models, tags and further periods.
    pub(crate) parts: Vec<Part>,
    /// What it says of its calls.
    pub(crate) rules: Rules,
    /// The models that serve where its budget for one is spent (`budget_fallbacks`).
    pub(crate) stand_ins: Vec<(For, Vec<String>)>,
    /// What is added to its budget for a time, and when that ends (`temp_budget_increase`, `temp_budget_expiry`).
    pub(crate) raise: Option<(Money, i64)>,
    /// What an identity provider says of the caller, where it is none of our keys.
    pub(crate) bearer: Option<Bearer>,
}

/// The scopes around a key, as [`KeyEntry`] has them.
pub(super) struct Company {
    budget: Option<Arc<Scope>>,
    groups: Vec<Arc<Scope>>,
    chain: Vec<Link>,
    parts: Vec<Part>,
}

/// A scope that a call is charged to.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    /// The scope.
    pub(crate) scope: Arc<Scope>,
    /// Whether its limits hold for the call; it is charged in any case.
    pub(crate) bound: bool,
}

impl KeyEntry {
    /// The team it belongs to, as a scope.
    pub(crate) fn team(&self) -> Option<&Arc<Scope>> {
        self.chain.iter().map(|link| &link.scope).find(|scope| scope.id.kind == ScopeKind::Team)
    }

    /// The organisation that pays: the key's own, else its team's.
    pub(crate) fn organization(&self) -> Option<&str> {
        let link = self.chain.iter().find(|link| link.scope.id.kind == ScopeKind::Organization)?;
        Some(&link.scope.id.id)
    }

    /// Whether its team has moved to another organisation since.
    fn has_moved(&self) -> bool {
        home_of(&self.record, self.team()).as_deref() != self.organization()
    }

    /// The limits that hold for it now.
    pub(crate) fn limits(&self) -> Limits {
        let mut limits = match &self.budget {
            Some(budget) => self.limits.or(&budget.view().limits),
            None => self.limits,
        };
        if let Some((more, until)) = self.raise
            && now_ms() < until
        {
            limits.max_budget = limits.max_budget.map(|max| max + more);
        }
        limits
    }

    /// Its name in messages: the alias, and the masked secret.
    pub(crate) fn who(&self) -> String {
        let masked = self.record.name.as_deref().unwrap_or("sk-...");
        match &self.record.settings.alias {
            Some(alias) => format!("{alias} ({masked})"),
            None => masked.to_owned(),
        }
    }
}

/// All keys that were used or changed since the start.
pub(crate) struct Directory {
    db: Option<Db>,
    /// Who pays besides keys.
    pub(crate) scopes: Scopes,
    /// Slices of budgets, where other replicas may share them.
    pub(crate) leases: Option<Leases>,
    entries: DashMap<KeyDigest, Arc<KeyEntry>>,
    accounts: DashMap<KeyDigest, Arc<Account>>,
    unknown: DashMap<KeyDigest, Instant>,
    retired: Retired,
    /// Keys that are used on behalf of users.
    pub(super) on_behalf: OnBehalf,
    /// Mail addresses of users.
    pub(super) mails: Mails,
    epoch: AtomicU64,
    version: AtomicU64,
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

impl Directory {
    /// An empty view over a database, or over none. `node` is this replica's name.
    pub(crate) fn new(db: Option<Db>, node: &str) -> Self {
        let shared = db.as_ref().filter(|db| db.backend() == Backend::Postgres);
        let leases = shared.map(|db| Leases::new(db.clone(), node));
        Self {
            scopes: Scopes::new(db.clone(), leases.is_some()),
            leases,
            db,
            entries: DashMap::new(),
            accounts: DashMap::new(),
            unknown: DashMap::new(),
            retired: Retired::default(),
            on_behalf: OnBehalf::default(),
            mails: Mails::default(),
            epoch: AtomicU64::new(1),
            version: AtomicU64::new(0),
        }
    }

    /// The database behind the view.
    pub(crate) fn db(&self) -> Option<&Db> {
        self.db.as_ref()
    }

    /// Changes whenever any entry does: what was looked up under an older epoch is stale.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire).wrapping_add(self.scopes.moves())
    }

    /// Makes every connection look its key up anew: the master key may have changed.
    pub(crate) fn touch(&self) {
        self.epoch.fetch_add(1, Ordering::Release);
    }

    /// The key, if it is in memory.
    pub(crate) fn cached(&self, digest: &KeyDigest) -> Option<Arc<KeyEntry>> {
        if let Some(entry) = self.entries.get(digest) {
            return Some(Arc::clone(&entry)).filter(|entry| !entry.has_moved());
        }
        let successor = self.retired.successor(digest)?;
        self.entries.get(&successor).map(|entry| Arc::clone(&entry))
    }

    /// The key, from memory or the database; `None` when there is no such key.
    ///
    /// # Errors
    /// [`ErrorKind::Overloaded`] when the database does not answer.
    pub(crate) async fn find(&self, digest: KeyDigest) -> Result<Option<Arc<KeyEntry>>> {
        if let Some(entry) = self.cached(&digest) {
            return Ok(Some(entry));
        }
        let Some(db) = &self.db else { return Ok(None) };
        if self.unknown.get(&digest).is_some_and(|since| since.elapsed() < UNKNOWN_FOR) {
            return Ok(None);
        }
        match db.key_by_hash(&digest.to_hex().into()).await.map_err(unavailable)? {
            Some(record) => self.keep(record).await,
            None => {
                if let Some(successor) = self.retired.find(db, digest).await? {
                    if let Some(entry) = self.cached(&successor) {
                        return Ok(Some(entry));
                    }
                    let record = db.key_by_hash(&successor.to_hex().into()).await.map_err(unavailable)?;
                    return match record {
                        Some(record) => self.keep(record).await,
                        None => Ok(None),
                    };
                }
                if self.unknown.len() >= MOST_UNKNOWN {
                    self.unknown.clear();
                }
                self.unknown.insert(digest, Instant::now());
                Ok(None)
            }
        }
    }

    /// Takes over a stored key. Spend in memory is ahead of the database's and stays. A record older
    /// than the one in memory changes nothing; a tombstone removes the key.
    ///
    /// # Errors
    /// [`ErrorKind::Overloaded`] when the database does not say who pays besides the key.
    pub(crate) async fn keep(&self, record: KeyRecord) -> Result<Option<Arc<KeyEntry>>> {
        let Some(digest) = KeyDigest::from_hex(record.hash.as_str()) else { return Ok(None) };
        if record.deleted_at.is_some() {
            self.forget(&digest);
            return Ok(None);
        }
        let company = self.company(&record).await?;
        Ok(Some(self.enter(digest, record, company)))
    }

    /// The scopes around a key.
    pub(super) async fn company(&self, record: &KeyRecord) -> Result<Company> {
        let budget = match record.settings.extra.get("budget_id").and_then(|id| id.as_str()) {
            Some(id) => Some(self.scopes.find(ScopeId::new(ScopeKind::Budget, id)).await?),
            None => None,
        };
        let mut groups = Vec::new();
        for id in &record.settings.access_group_ids {
            groups.push(self.scopes.find(ScopeId::new(ScopeKind::AccessGroup, id)).await?);
        }
        let owner = ScopeId::owner_of_key(record.hash.as_str());
        let mut specs = parts_of_key(&record.settings);
        if let Some(shared) = budget.as_ref().and_then(|budget: &Arc<Scope>| budget.view().record.clone()) {
            let more = parts_of_scope(&shared.settings).into_iter();
            specs.extend(more.filter(|spec| spec.of != For::All));
        }
        let parts = self.scopes.parts(&owner, specs).await?;
        Ok(Company { budget, groups, chain: self.chain(record).await?, parts })
    }

    /// Who pays besides the key. A user's own limits do not hold for the keys of a team (surface §4.6).
    async fn chain(&self, record: &KeyRecord) -> Result<Vec<Link>> {
        let settings = &record.settings;
        let team = match &settings.team_id {
            Some(team) => Some(self.scopes.find(ScopeId::new(ScopeKind::Team, team)).await?),
            None => None,
        };
        let organization = home_of(record, team.as_ref());
        let named = |kind, id: &Option<String>| Some((ScopeId::new(kind, id.clone()?), true));
        let member = |kind, id: &Option<String>| {
            Some((ScopeId::member(kind, id.clone()?, settings.user_id.clone()?), true))
        };
        let ids = [
            named(ScopeKind::Team, &settings.team_id),
            named(ScopeKind::Organization, &organization),
            named(ScopeKind::Project, &settings.project_id),
            named(ScopeKind::User, &settings.user_id).map(|(id, _)| (id, settings.team_id.is_none())),
            member(ScopeKind::TeamMember, &settings.team_id),
            member(ScopeKind::OrganizationMember, &organization),
        ];
        let mut chain = Vec::new();
        for (id, bound) in ids.into_iter().flatten() {
            chain.push(Link { scope: self.scopes.find(id).await?, bound });
        }
        Ok(chain)
    }

    /// A caller who has no virtual key, as one: its scopes pay and its counters are kept, but nobody finds it by a
    /// secret.
    ///
    /// # Errors
    /// [`ErrorKind::Overloaded`] when the database does not say who pays.
    pub(crate) async fn bearer(&self, record: KeyRecord, bearer: Bearer) -> Result<Arc<KeyEntry>> {
        let digest = KeyDigest::of(record.hash.as_str().as_bytes());
        let company = self.company(&record).await?;
        Ok(Arc::new(self.entry(digest, record, company, Some(bearer))))
    }

    /// A key for somebody who may use it until a moment, in Unix milliseconds: account and all else are the key's.
    ///
    /// # Errors
    /// [`ErrorKind::Overloaded`] when the database does not say who pays besides.
    pub(crate) async fn lent(&self, key: &KeyEntry, until: i64) -> Result<Arc<KeyEntry>> {
        let mut record = key.record.clone();
        let settings = &mut record.settings;
        settings.expires_at = Some(settings.expires_at.map_or(until, |at| at.min(until)));
        let digest = KeyDigest::from_hex(record.hash.as_str())
            .ok_or_else(|| Error::new(ErrorKind::Internal, "the key's hash is none"))?;
        let company = self.company(&record).await?;
        Ok(Arc::new(self.entry(digest, record, company, None)))
    }

    pub(super) fn entry(
        &self,
        digest: KeyDigest,
        record: KeyRecord,
        company: Company,
        bearer: Option<Bearer>,
    ) -> KeyEntry {
        let account =
            Arc::clone(&self.accounts.entry(digest).or_insert_with(|| Arc::new(self.account(record.spend))));
        let limits = limits_of(&record);
        let Company { budget, groups, chain, parts } = company;
        let raise = raise_of(&record.settings.extra, &record.settings.metadata);
        let stand_ins = stand_ins_of(&record.settings.extra);
        let rules = Rules::of(&record.settings.extra, &record.settings.metadata);
        self.scopes.note_rules(&rules);
        KeyEntry { record, limits, account, budget, groups, chain, parts, rules, stand_ins, raise, bearer }
    }

    fn enter(&self, digest: KeyDigest, record: KeyRecord, company: Company) -> Arc<KeyEntry> {
        let entry = Arc::new(self.entry(digest, record, company, None));
        self.unknown.remove(&digest);
        match self.entries.entry(digest) {
            dashmap::Entry::Occupied(have) if have.get().record.version > entry.record.version => {
                return Arc::clone(have.get());
            }
            dashmap::Entry::Occupied(mut have) => {
                have.insert(Arc::clone(&entry));
            }
            dashmap::Entry::Vacant(free) => {
                free.insert(Arc::clone(&entry));
            }
        }
        self.epoch.fetch_add(1, Ordering::Release);
        entry
    }

    fn account(&self, spent: Money) -> Account {
        if self.leases.is_some() { Account::leasing(spent) } else { Account::with_spent(spent) }
    }

    /// Gives back leases that are idle, and makes those longer that are in use.
    ///
    /// # Errors
    /// [`ErrorKind::Overloaded`] when the database does not answer.
    pub(crate) async fn tend_leases(&self, shipping: &Shipping) -> Result<()> {
        let Some(leases) = &self.leases else { return Ok(()) };
        let now = steady_ms();
        let keys = self.accounts.iter().filter(|entry| entry.wants_tending(now));
        let keys: Vec<_> = keys.map(|entry| (*entry.key(), Arc::clone(entry.value()))).collect();
        for (digest, account) in keys {
            leases.tend(&Payer::Key(digest.to_hex().into()), &account, shipping).await?;
        }
        for scope in self.scopes.that(|scope| scope.account.wants_tending(now)) {
            leases.tend(&Payer::Scope(scope.id.clone()), &scope.account, shipping).await?;
        }
        Ok(())
    }

    /// Forgets a deleted key.
    pub(crate) fn forget(&self, digest: &KeyDigest) {
        self.entries.remove(digest);
        self.scopes.forget_parts(&ScopeId::owner_of_key(&digest.to_hex()));
        self.accounts.remove(digest);
        self.retired.forget(Some(digest));
        self.epoch.fetch_add(1, Ordering::Release);
    }

    /// Takes over what other replicas changed since the last call.
    ///
    /// # Errors
    /// [`ErrorKind::Overloaded`] when the database does not answer.
    pub(crate) async fn follow(&self) -> Result<()> {
        if self.retired.forget(None) {
            self.touch();
        }
        let Some(db) = &self.db else { return Ok(()) };
        let since = i64::try_from(self.version.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        let changes = db.keys_changed_since(since).await.map_err(unavailable)?;
        for record in changes.keys {
            let known = KeyDigest::from_hex(record.hash.as_str()).and_then(|digest| self.cached(&digest));
            if known.is_some_and(|entry| entry.record.version < record.version) {
                self.keep(record).await?;
            }
        }
        self.version.store(u64::try_from(changes.version).unwrap_or(0), Ordering::Relaxed);
        self.scopes.follow(false).await
    }

    /// Starts from what the database has now: changes before this are read key by key.
    ///
    /// # Errors
    /// [`ErrorKind::Overloaded`] when the database does not answer.
    pub(crate) async fn begin(&self) -> Result<()> {
        let Some(db) = &self.db else { return Ok(()) };
        let newest = db.all_keys().await.map_err(unavailable)?.version;
        self.version.store(u64::try_from(newest).unwrap_or(0), Ordering::Relaxed);
        self.scopes.follow(true).await
    }

    /// What a key has spent: what the database has of all replicas, or what this one has settled if that is
    /// more.
    pub(crate) fn spent(&self, record: &KeyRecord) -> Money {
        let account = KeyDigest::from_hex(record.hash.as_str())
            .and_then(|digest| self.accounts.get(&digest).map(|account| account.spent()));
        match account {
            Some(spent) if self.leases.is_some() => spent.max(record.spend),
            Some(spent) => spent,
            None => record.spend,
        }
    }
}

/// The organisation of a key: its own, else its team's.
fn home_of(record: &KeyRecord, team: Option<&Arc<Scope>>) -> Option<String> {
    let own = record.settings.organization_id.clone();
    own.or_else(|| team?.view().record.as_ref()?.settings.organization_id.clone())
}

fn limits_of(record: &KeyRecord) -> Limits {
    let settings = &record.settings;
    let count = |limit: Option<i64>| limit.map(|limit| u64::try_from(limit).unwrap_or(0));
    Limits {
        max_budget: settings.max_budget,
        rpm: count(settings.rpm_limit),
        tpm: count(settings.tpm_limit),
        parallel: settings.max_parallel_requests.map(|limit| u32::try_from(limit.max(0)).unwrap_or(u32::MAX)),
    }
}

pub(crate) fn unavailable(error: gateway_db::DbError) -> Error {
    Error::new(ErrorKind::Overloaded, "the database of keys does not answer: try again")
        .with_origin(llm_types::Origin::Gateway)
        .with_code("no_db_connection")
        .with_source(error)
}
