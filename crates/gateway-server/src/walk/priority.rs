//! Shares of a model's rates by priority, or equal ones of the keys that call it: counted for every call of the model,
//! held to once it is full enough.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use gateway_db::ScopeKind;
use serde_json::Value;

use super::{Call, Caller};
use crate::clock::steady_ms;
use crate::identity::{KeyEntry, Scope};
use crate::limits::Limits;
use crate::state::{ModelShares, Pool};

/// The member of metadata that names a priority.
const PRIORITY: &str = "priority";
/// The key of the operator's calls where keys share equally, as LiteLLM names it.
const OPERATOR: &str = "default_key";

/// What is told of a call's priority.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// The priority; none is `default`.
    pub(crate) priority: Option<String>,
    /// How full the model is with this call, 1 for full.
    pub(crate) saturation: f64,
    /// What the model takes a minute.
    whole: Limits,
    model: String,
    /// Where keys share equally.
    among: Option<Among>,
}

/// One of several keys that share a model equally.
#[derive(Debug, Clone)]
struct Among {
    key: String,
    keys: usize,
}

/// The share that a call takes from.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    shares: &'a ModelShares,
    pool: Cow<'a, Pool>,
    priority: Option<String>,
    among: Option<Among>,
    /// All calls of the model.
    pub(super) whole: Arc<Scope>,
    /// Those of the priority.
    pub(super) part: Arc<Scope>,
    threshold: f64,
    /// Requests and tokens of the model that other gateways counted this minute.
    elsewhere: (u64, u64),
    told: &'a OnceLock<Told>,
    model: &'a str,
}

/// The share of a call; `None` where nothing is configured, for its model or at all.
pub(super) fn slot<'a>(call: &'a Call, caller: &Caller) -> Option<Slot<'a>> {
    let priorities = &call.snapshot.priorities;
    if priorities.is_empty() {
        return None;
    }
    let model = &*call.glance.model;
    let shares = priorities.model(model)?;
    let key = match caller {
        Caller::Operator => None,
        Caller::Key(entry) => Some(entry),
    };
    let (pool, priority, among) = if shares.is_equal() {
        let key = key.map_or(OPERATOR, |entry| entry.record.hash.as_str());
        let keys = call.core.shared.callers.note(model, key, steady_ms());
        (Cow::Owned(shares.pool_of(key, keys)), None, Some(Among { key: key.to_owned(), keys }))
    } else {
        let priority = key.and_then(|entry| priority_of(entry));
        (Cow::Borrowed(shares.pool(priority.as_deref())), priority, None)
    };
    let scopes = &call.core.shared.directory.scopes;
    Some(Slot {
        shares,
        priority,
        among,
        whole: scopes.counted(shares.account.clone()),
        part: scopes.counted(pool.account.clone()),
        pool,
        threshold: priorities.threshold,
        elsewhere: elsewhere(call, caller),
        told: &call.priority,
        model,
    })
}

/// What other gateways counted of the model this minute; nothing where no Redis is shared.
fn elsewhere(call: &Call, caller: &Caller) -> (u64, u64) {
    if call.snapshot.config.redis.is_none() {
        return (0, 0);
    }
    let now = call.snapshot.router.now();
    let Some(route) = call.snapshot.routes().resolve(&call.glance.model, caller.team()) else {
        return (0, 0);
    };
    let told = route.group.candidates.iter().map(|one| one.state.elsewhere_this_minute(now));
    told.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

/// What its team's metadata say, else its own.
fn priority_of(entry: &KeyEntry) -> Option<String> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let team = entry.chain.iter().find(|link| link.scope.id.kind == ScopeKind::Team);
    let team = team.map(|link| link.scope.view());
    let of_team = team.as_ref().and_then(|view| view.record.as_ref()?.settings.metadata.get(PRIORITY));
    text(of_team).or_else(|| text(entry.record.settings.metadata.get(PRIORITY)))
}

impl Slot<'_> {
    /// What all calls of the model may use together: keys that share it equally no more than it takes.
    pub(super) fn whole_limits(&self) -> Limits {
        if self.among.is_some() { self.shares.whole } else { Limits::default() }
    }

    /// What the call may use of its share, when so many requests and tokens of the model are used.
    pub(super) fn limits(&self, used: (u64, u64)) -> Limits {
        let full = self.look(used).saturation >= self.threshold;
        if full { self.pool.limits } else { Limits::default() }
    }

    /// What is told of it, when so many requests and tokens of the model are used.
    pub(super) fn told(&self, used: (u64, u64)) -> Told {
        self.look(used).clone()
    }

    /// Looks how full the model is. A call that waits for a share of rates comes here again: the first look counts.
    fn look(&self, used: (u64, u64)) -> &Told {
        self.told.get_or_init(|| Told {
            priority: self.priority.clone(),
            saturation: self.shares.saturation((used.0 + self.elsewhere.0, used.1 + self.elsewhere.1)),
            whole: self.shares.whole,
            model: self.model.to_owned(),
            among: self.among.clone(),
        })
    }
}

impl Told {
    /// The priority in headers.
    pub(crate) fn word(&self) -> &str {
        self.priority.as_deref().unwrap_or("default")
    }

    /// How full the model is, in headers: LiteLLM writes two places.
    pub(crate) fn percent(&self) -> String {
        format!("{:.2}%", self.saturation * 100.0)
    }

    /// The keys that share the model equally.
    pub(crate) fn keys(&self) -> Option<usize> {
        self.among.as_ref().map(|among| among.keys)
    }

    /// LiteLLM's sentence where a share is used up; `{}` stands for what of it.
    pub(super) fn sentence(&self) -> String {
        let shown = |limit: Option<u64>| limit.map_or("not configured".to_owned(), |limit| limit.to_string());
        if let Some(Among { key, keys }) = &self.among {
            let (tpm, rpm) = (shown(self.whole.tpm), shown(self.whole.rpm));
            return format!(
                "Key={key} over its share of the model. Model: {}, Rate limit type: {{}}, Model TPM: {tpm}, Model \
                 RPM: {rpm}, Remaining: 0, Active keys: {keys}",
                self.model,
            );
        }
        format!(
            "Priority-based rate limit exceeded. Model: {}, Priority: {}, Rate limit type: {{}}, Model TPM: {}, \
             Model RPM: {}, Remaining: 0, Model saturation: {:.1}%",
            self.model,
            self.priority.as_deref().unwrap_or("None"),
            shown(self.whole.tpm),
            shown(self.whole.rpm),
            self.saturation * 100.0
        )
    }
}
