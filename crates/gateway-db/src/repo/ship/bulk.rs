//! Many rows in one statement: a table `v` of values, and what to do with it.

use std::borrow::Cow;

use Kind::{Int, Text};

/// The type of a column of `v`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Int,
}

/// A statement over the table `v`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verb {
    /// Names and types of the columns of `v`.
    pub(super) columns: &'static [(&'static str, Kind)],
    /// What follows `WITH v(…) AS (…)`.
    pub(super) body: &'static str,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    Null,
    Text(Cow<'a, str>),
    Int(i64),
}

impl<'a> Cell<'a> {
    /// A text, without the NUL characters that PostgreSQL cannot store.
    pub(super) fn text(text: &'a str) -> Self {
        if text.as_bytes().contains(&0) {
            Self::Text(Cow::Owned(text.replace('\0', "\u{fffd}")))
        } else {
            Self::Text(Cow::Borrowed(text))
        }
    }

    /// A text, or null where it is empty.
    pub(super) fn optional(text: &'a str) -> Self {
        if text.is_empty() { Self::Null } else { Self::text(text) }
    }

    pub(super) fn owned(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }

    /// A count, capped at what a column holds.
    pub(super) fn count(count: u64) -> Self {
        Self::Int(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

/// A statement and its rows.
#[derive(Debug)]
pub(super) struct Bulk<'a> {
    pub(super) verb: Verb,
    cells: Vec<Cell<'a>>,
}

impl<'a> Bulk<'a> {
    pub(super) fn new(verb: Verb) -> Self {
        Self { verb, cells: Vec::new() }
    }

    /// The same rows for another statement over the same columns.
    pub(super) fn asking(self, verb: Verb) -> Self {
        Self { verb, ..self }
    }

    pub(super) fn push(&mut self, cell: Cell<'a>) {
        self.cells.push(cell);
    }

    pub(super) fn extend(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) {
        self.cells.extend(cells);
    }

    pub(super) fn width(&self) -> usize {
        self.verb.columns.len()
    }

    pub(super) fn rows(&self) -> usize {
        self.cells.len() / self.width()
    }

    pub(super) fn cells(&self) -> &[Cell<'a>] {
        &self.cells
    }

    /// One column as texts; what is no text is null.
    pub(super) fn texts(&self, column: usize) -> Vec<Option<&str>> {
        self.column(column)
            .map(|cell| if let Cell::Text(text) = cell { Some(text.as_ref()) } else { None })
            .collect()
    }

    /// One column as numbers; what is no number is null.
    pub(super) fn ints(&self, column: usize) -> Vec<Option<i64>> {
        self.column(column).map(|cell| if let Cell::Int(int) = cell { Some(*int) } else { None }).collect()
    }

    fn column(&self, column: usize) -> impl Iterator<Item = &Cell<'a>> {
        self.cells.iter().skip(column).step_by(self.width())
    }
}

impl Verb {
    /// The statement for PostgreSQL: one array per column, so it is the same for any number of rows.
    pub(super) fn postgres(&self) -> String {
        let arrays = self.columns.iter().enumerate().map(|(index, (_, kind))| {
            let kind = if *kind == Text { "text" } else { "bigint" };
            format!("${}::{kind}[]", index + 1)
        });
        let arrays = arrays.collect::<Vec<_>>().join(",");
        format!("WITH v({}) AS (SELECT * FROM unnest({arrays})) {}", self.names(), self.body)
    }

    /// The statement for SQLite: one parameter per value.
    pub(super) fn sqlite(&self, rows: usize) -> String {
        let row = format!("({})", vec!["?"; self.columns.len()].join(","));
        let values = vec![row.as_str(); rows].join(",");
        format!("WITH v({}) AS (VALUES {values}) {}", self.names(), self.body)
    }

    fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(",")
    }
}

/// Rows of the spend log that are not there yet: by id on SQLite, by id and time on PostgreSQL, where the time of a
/// call is in its record and never another. `WHERE true` keeps SQLite from reading `ON` as a join.
pub(super) const LOG: Verb = Verb {
    columns: &[
        ("request_id", Text),
        ("call_id", Text),
        ("started_at", Int),
        ("duration_us", Int),
        ("first_byte_us", Int),
        ("key_hash", Text),
        ("user_id", Text),
        ("team_id", Text),
        ("organization_id", Text),
        ("end_user", Text),
        ("model_group", Text),
        ("model", Text),
        ("provider", Text),
        ("deployment", Text),
        ("call_type", Text),
        ("outcome", Text),
        ("status", Int),
        ("error", Text),
        ("flags", Int),
        ("input_tokens", Int),
        ("output_tokens", Int),
        ("cache_read_tokens", Int),
        ("cache_write_tokens", Int),
        ("reasoning_tokens", Int),
        ("usage", Text),
        ("cost", Int),
        ("retries", Int),
        ("fallbacks", Int),
        ("tags", Text),
        ("metadata", Text),
        ("project_id", Text),
        ("session_id", Text),
        ("parts", Text),
        ("tools", Text),
    ],
    body: "INSERT INTO spend_log (request_id, call_id, started_at, duration_us, first_byte_us, key_hash, \
           user_id, team_id, organization_id, end_user, model_group, model, provider, deployment, call_type, \
           outcome, status, error, flags, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, \
           reasoning_tokens, usage, cost, retries, fallbacks, tags, metadata, project_id, session_id, parts, tools) \
           SELECT * FROM v WHERE true ON CONFLICT DO NOTHING",
};

/// Which of these calls the spend log has.
pub(super) const KNOWN: Verb = Verb {
    columns: &[("id", Text)],
    body: "SELECT request_id FROM spend_log WHERE request_id IN (SELECT id FROM v)",
};

/// Locks keys in the order of their hashes, so that replicas do not wait for each other in a circle.
pub(super) const LOCK_KEYS: Verb = Verb {
    columns: &[("hash", Text)],
    body: "SELECT 1 FROM verification_keys WHERE hash IN (SELECT hash FROM v) ORDER BY hash FOR NO KEY UPDATE",
};

/// Adds to the spend of keys.
pub(super) const KEYS: Verb = Verb {
    columns: &[("hash", Text), ("cost", Int), ("active", Int)],
    body: "UPDATE verification_keys SET spend = spend + v.cost, total_spend = total_spend + v.cost, \
           last_active = CASE WHEN last_active > v.active THEN last_active ELSE v.active END \
           FROM v WHERE verification_keys.hash = v.hash",
};

/// Customers nobody has made: a request names them, and they are there from then on.
pub(super) const CUSTOMERS: Verb = Verb {
    columns: &[("id", Text), ("active", Int)],
    body: "INSERT INTO scopes (kind, id, member, models, metadata, model_max_budget, model_rpm_limit, \
           model_tpm_limit, extra, created_at, updated_at, version) \
           SELECT 'customer', v.id, '', '[]', '{}', '{}', '{}', '{}', '{}', v.active, v.active, 0 FROM v WHERE true \
           ON CONFLICT (kind, id, member) DO NOTHING",
};

/// Keys whose spend went past their soft budget by these sums: spend, soft budget, kind, member and id in one text,
/// apart by [`super::APART`].
pub(super) const SOFT_KEYS: Verb = Verb {
    columns: &[("hash", Text), ("cost", Int), ("active", Int)],
    body: "SELECT CAST(k.spend AS text) || '\u{1f}' || CAST(k.soft_budget AS text) || '\u{1f}key\u{1f}\u{1f}' || k.hash \
           FROM verification_keys k JOIN v ON k.hash = v.hash \
           WHERE k.soft_budget IS NOT NULL AND k.spend >= k.soft_budget AND k.spend - v.cost < k.soft_budget",
};

/// The same of scopes.
pub(super) const SOFT_SCOPES: Verb = Verb {
    columns: &[("kind", Text), ("id", Text), ("member", Text), ("cost", Int)],
    body: "SELECT CAST(s.spend AS text) || '\u{1f}' || CAST(s.soft_budget AS text) || '\u{1f}' || s.kind || '\u{1f}' \
           || s.member || '\u{1f}' || s.id FROM scopes s JOIN v ON s.kind = v.kind AND s.id = v.id AND \
           s.member = v.member \
           WHERE s.soft_budget IS NOT NULL AND s.spend >= s.soft_budget AND s.spend - v.cost < s.soft_budget",
};

/// Locks scopes in the order of their ids, so that replicas do not wait for each other in a circle.
pub(super) const LOCK_SCOPES: Verb = Verb {
    columns: &[("kind", Text), ("id", Text), ("member", Text)],
    body: "SELECT 1 FROM scopes WHERE (kind, id, member) IN (SELECT kind, id, member FROM v) \
           ORDER BY kind, id, member FOR NO KEY UPDATE",
};

/// Adds to the spend of scopes.
pub(super) const SCOPES: Verb = Verb {
    columns: &[("kind", Text), ("id", Text), ("member", Text), ("cost", Int)],
    body: "UPDATE scopes SET spend = spend + v.cost, total_spend = total_spend + v.cost \
           FROM v WHERE scopes.kind = v.kind AND scopes.id = v.id AND scopes.member = v.member",
};

/// Takes what is spent off what the node has leased.
pub(super) const LEASES: Verb = Verb {
    columns: &[("kind", Text), ("id", Text), ("member", Text), ("node", Text), ("cost", Int)],
    body: "UPDATE budget_leases SET outstanding = CASE WHEN outstanding > v.cost THEN outstanding - v.cost ELSE 0 END \
           FROM v WHERE budget_leases.kind = v.kind AND budget_leases.id = v.id AND \
           budget_leases.member = v.member AND budget_leases.node = v.node",
};

/// Adds to the daily sums.
pub(super) const DAILY: Verb = Verb {
    columns: &[
        ("day", Int),
        ("key_hash", Text),
        ("user_id", Text),
        ("team_id", Text),
        ("organization_id", Text),
        ("model_group", Text),
        ("model", Text),
        ("provider", Text),
        ("call_type", Text),
        ("requests", Int),
        ("failed", Int),
        ("unpriced", Int),
        ("input_tokens", Int),
        ("output_tokens", Int),
        ("cache_read_tokens", Int),
        ("cache_write_tokens", Int),
        ("reasoning_tokens", Int),
        ("cost", Int),
        ("duration_us", Int),
        ("cache_hits", Int),
        ("cached_output_tokens", Int),
    ],
    body: "INSERT INTO daily_spend (day, key_hash, user_id, team_id, organization_id, model_group, model, \
           provider, call_type, requests, failed, unpriced, input_tokens, output_tokens, cache_read_tokens, \
           cache_write_tokens, reasoning_tokens, cost, duration_us, cache_hits, cached_output_tokens) SELECT * FROM v WHERE true \
           ON CONFLICT (day, key_hash, user_id, team_id, organization_id, model_group, model, provider, \
           call_type) DO UPDATE SET requests = daily_spend.requests + excluded.requests, \
           failed = daily_spend.failed + excluded.failed, \
           unpriced = daily_spend.unpriced + excluded.unpriced, \
           input_tokens = daily_spend.input_tokens + excluded.input_tokens, \
           output_tokens = daily_spend.output_tokens + excluded.output_tokens, \
           cache_read_tokens = daily_spend.cache_read_tokens + excluded.cache_read_tokens, \
           cache_write_tokens = daily_spend.cache_write_tokens + excluded.cache_write_tokens, \
           reasoning_tokens = daily_spend.reasoning_tokens + excluded.reasoning_tokens, \
           cost = daily_spend.cost + excluded.cost, \
           duration_us = daily_spend.duration_us + excluded.duration_us, \
           cache_hits = daily_spend.cache_hits + excluded.cache_hits, \
           cached_output_tokens = daily_spend.cached_output_tokens + excluded.cached_output_tokens",
};

/// Adds to the daily sums of customers and tags.
pub(super) const DAILY_SCOPES: Verb = Verb {
    columns: &[
        ("day", Int),
        ("kind", Text),
        ("id", Text),
        ("key_hash", Text),
        ("model_group", Text),
        ("model", Text),
        ("provider", Text),
        ("call_type", Text),
        ("requests", Int),
        ("failed", Int),
        ("unpriced", Int),
        ("input_tokens", Int),
        ("output_tokens", Int),
        ("cache_read_tokens", Int),
        ("cache_write_tokens", Int),
        ("reasoning_tokens", Int),
        ("cost", Int),
        ("duration_us", Int),
        ("cache_hits", Int),
        ("cached_output_tokens", Int),
    ],
    body: "INSERT INTO daily_scope_spend (day, kind, id, key_hash, model_group, model, \
           provider, call_type, requests, failed, unpriced, input_tokens, output_tokens, cache_read_tokens, \
           cache_write_tokens, reasoning_tokens, cost, duration_us, cache_hits, cached_output_tokens) SELECT * FROM v WHERE true \
           ON CONFLICT (day, kind, id, key_hash, model_group, model, provider, \
           call_type) DO UPDATE SET requests = daily_scope_spend.requests + excluded.requests, \
           failed = daily_scope_spend.failed + excluded.failed, \
           unpriced = daily_scope_spend.unpriced + excluded.unpriced, \
           input_tokens = daily_scope_spend.input_tokens + excluded.input_tokens, \
           output_tokens = daily_scope_spend.output_tokens + excluded.output_tokens, \
           cache_read_tokens = daily_scope_spend.cache_read_tokens + excluded.cache_read_tokens, \
           cache_write_tokens = daily_scope_spend.cache_write_tokens + excluded.cache_write_tokens, \
           reasoning_tokens = daily_scope_spend.reasoning_tokens + excluded.reasoning_tokens, \
           cost = daily_scope_spend.cost + excluded.cost, \
           duration_us = daily_scope_spend.duration_us + excluded.duration_us, \
           cache_hits = daily_scope_spend.cache_hits + excluded.cache_hits, \
           cached_output_tokens = daily_scope_spend.cached_output_tokens + excluded.cached_output_tokens",
};

/// Adds to the daily sums of what deployments did.
pub(super) const DAILY_CALLS: Verb = Verb {
    columns: &[
        ("day", Int),
        ("model_group", Text),
        ("deployment", Text),
        ("model", Text),
        ("provider", Text),
        ("status", Int),
        ("error", Text),
        ("slow_s", Int),
        ("calls", Int),
        ("cached", Int),
        ("output_tokens", Int),
        ("duration_us", Int),
        ("streamed", Int),
        ("first_byte_us", Int),
    ],
    body: "INSERT INTO daily_calls (day, model_group, deployment, model, provider, status, error, slow_s, calls, cached, \
           output_tokens, duration_us, streamed, first_byte_us) SELECT * FROM v WHERE true \
           ON CONFLICT (day, model_group, deployment, model, provider, status, error, slow_s) DO UPDATE SET \
           calls = daily_calls.calls + excluded.calls, cached = daily_calls.cached + excluded.cached, \
           output_tokens = daily_calls.output_tokens + excluded.output_tokens, \
           duration_us = daily_calls.duration_us + excluded.duration_us, \
           streamed = daily_calls.streamed + excluded.streamed, \
           first_byte_us = daily_calls.first_byte_us + excluded.first_byte_us",
};

/// Adds to the daily sums of what calls cost by the tools they invoked.
pub(super) const DAILY_TOOLS: Verb = Verb {
    columns: &[("day", Int), ("tool", Text), ("calls", Int), ("tokens", Int), ("cost", Int)],
    body: "INSERT INTO daily_tool_spend (day, tool, calls, tokens, cost) SELECT * FROM v WHERE true \
           ON CONFLICT (day, tool) DO UPDATE SET calls = daily_tool_spend.calls + excluded.calls, \
           tokens = daily_tool_spend.tokens + excluded.tokens, cost = daily_tool_spend.cost + excluded.cost",
};

/// Forgets how far segments were shipped.
pub(super) const FORGET: Verb = Verb {
    columns: &[("segment", Text)],
    body: "DELETE FROM ledger_cursor WHERE segment IN (SELECT segment FROM v)",
};
