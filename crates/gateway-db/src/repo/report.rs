//! Reports of spend: daily sums, added up by whatever somebody asks for. The spend log is not looked at.

use llm_types::Money;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value};

use crate::{Db, DbError, Page, PageRequest, ScopeKind};

/// What sums are split by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpendBy {
    /// The day, as days since 1970-01-01 UTC.
    Day,
    /// The key's hash.
    Key,
    /// The key's user; of customers and tags there is none.
    User,
    /// The key's team; of customers and tags there is none.
    Team,
    /// The key's organisation; of customers and tags there is none.
    Organization,
    /// The customer or tag; only of their own sums.
    Scope,
    /// The model group asked for.
    ModelGroup,
    /// The provider's model name.
    Model,
    /// The provider's slug.
    Provider,
    /// LiteLLM's call type.
    CallType,
}

impl SpendBy {
    const fn column(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Key => "key_hash",
            Self::User => "user_id",
            Self::Team => "team_id",
            Self::Organization => "organization_id",
            Self::Scope => "id",
            Self::ModelGroup => "model_group",
            Self::Model => "model",
            Self::Provider => "provider",
            Self::CallType => "call_type",
        }
    }
}

/// Which sums, and what they are split by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportQuery {
    /// Whose sums: customers' or tags'; all calls' where it is `None`.
    pub of: Option<ScopeKind>,
    /// First day, as days since 1970-01-01.
    pub from_day: Option<i64>,
    /// Last day, itself included.
    pub to_day: Option<i64>,
    /// Only what has one of these values.
    pub only: Vec<(SpendBy, Vec<String>)>,
    /// Only what has none of these values.
    pub without: Vec<(SpendBy, Vec<String>)>,
    /// What the sums are split by, in the order of the answer.
    pub by: Vec<SpendBy>,
    /// Only calls, tokens and cost are added up, the other sums stay zero, and rows come in no order. For answers of tens
    /// of thousands of rows, which PostgreSQL would put in order on disk.
    pub brief: bool,
}

/// One line of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportRow {
    /// The values of [`ReportQuery::by`], as texts; empty where a call had none.
    pub names: Vec<String>,
    /// What was consumed.
    pub sums: SpendSums,
}

/// What calls consumed together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpendSums {
    /// All calls.
    pub requests: i64,
    /// Calls that failed.
    pub failed: i64,
    /// The whole prompts.
    pub input_tokens: i64,
    /// The whole answers.
    pub output_tokens: i64,
    /// Prompt tokens read from providers' caches.
    pub cache_read_tokens: i64,
    /// Prompt tokens written to providers' caches.
    pub cache_write_tokens: i64,
    /// What they cost.
    pub cost: Money,
    /// How long they took together, in microseconds.
    pub duration_us: i64,
    /// Calls that a cache of replies answered.
    pub cache_hits: i64,
    /// The answers of those.
    pub cached_output_tokens: i64,
}

impl SpendSums {
    /// Adds another's.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.failed += other.failed;
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.cache_read_tokens += other.cache_read_tokens;
        self.cache_write_tokens += other.cache_write_tokens;
        self.cost += other.cost;
        self.duration_us += other.duration_us;
        self.cache_hits += other.cache_hits;
        self.cached_output_tokens += other.cached_output_tokens;
    }
}

/// The sums, those of a brief report first; a sum of bigint is numeric on PostgreSQL, hence the casts.
const SUMS: [&str; 10] = [
    "requests",
    "input_tokens",
    "output_tokens",
    "cost",
    "failed",
    "cache_read_tokens",
    "cache_write_tokens",
    "duration_us",
    "cache_hits",
    "cached_output_tokens",
];
/// How many sums a brief report has.
const BRIEF: usize = 4;

impl Db {
    /// Sums that match, dearest first.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn spend_report(&self, query: &ReportQuery) -> Result<Vec<ReportRow>, DbError> {
        let sums = &SUMS[..query.sums()];
        let sums = sums.iter().map(|sum| format!("CAST(COALESCE(SUM({sum}), 0) AS bigint)"));
        let (from, values) = from(query);
        let sql = format!("SELECT {}{from}{}", columns(query, sums), dearest_first(query));
        self.report_rows(query, sql, values).await
    }

    /// One page of the daily sums that match, as they are kept: newest day first, several rows of a day not added up.
    /// The first of [`ReportQuery::by`] should be the day.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn spend_report_page(
        &self,
        query: &ReportQuery,
        page: PageRequest,
    ) -> Result<Page<ReportRow>, DbError> {
        let (from, values) = from(query);
        let count = format!("SELECT COUNT(*){from}");
        let count = Statement::from_sql_and_values(self.sea_backend(), count, values.clone());
        let row = self.conn.query_one_raw(count).await.map_err(failed)?;
        let total: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0)).map_err(failed)?;
        let columns = columns(query, SUMS[..query.sums()].iter().map(|sum| (*sum).to_owned()));
        let order = if query.of.is_some() { SCOPE_ORDER } else { ORDER };
        let (limit, offset) = (page.limit(), page.offset());
        let sql = format!("SELECT {columns}{from} ORDER BY {order} LIMIT {limit} OFFSET {offset}");
        let rows = self.report_rows(query, sql, values).await?;
        Ok(Page::new(rows, total.unsigned_abs(), page))
    }

    async fn report_rows(
        &self,
        query: &ReportQuery,
        sql: String,
        values: Vec<Value>,
    ) -> Result<Vec<ReportRow>, DbError> {
        let statement = Statement::from_sql_and_values(self.sea_backend(), sql, values);
        let rows = self.conn.query_all_raw(statement).await.map_err(failed)?;
        rows.iter().map(|row| read(row, query.by.len(), query.sums()).map_err(failed)).collect()
    }
}

impl ReportQuery {
    /// How many of [`SUMS`] are asked for.
    const fn sums(&self) -> usize {
        if self.brief { BRIEF } else { SUMS.len() }
    }
}

/// Newest day first, by the primary keys of the two tables, so that a page is read off an index.
const ORDER: &str = "day DESC, key_hash DESC, user_id DESC, team_id DESC, organization_id DESC, model_group DESC, \
                     model DESC, provider DESC, call_type DESC";
const SCOPE_ORDER: &str = "day DESC, kind DESC, id DESC, key_hash DESC, model_group DESC, model DESC, provider DESC, \
                           call_type DESC";

/// The columns of a report: names, then sums.
fn columns(query: &ReportQuery, sums: impl Iterator<Item = String>) -> String {
    let names = query.by.iter().map(|by| format!("CAST({} AS text)", by.column()));
    names.chain(sums).collect::<Vec<_>>().join(", ")
}

fn dearest_first(query: &ReportQuery) -> String {
    if query.by.is_empty() {
        return String::new();
    }
    let groups = query.by.iter().map(|by| by.column()).collect::<Vec<_>>().join(", ");
    let order = if query.brief { String::new() } else { format!(" ORDER BY SUM(cost) DESC, {groups}") };
    format!(" GROUP BY {groups}{order}")
}

/// Which sums, and the values of its parameters.
fn from(query: &ReportQuery) -> (String, Vec<Value>) {
    let table = if query.of.is_some() { "daily_scope_spend" } else { "daily_spend" };
    let mut sql = format!(" FROM {table} WHERE 1 = 1");
    let mut values: Vec<Value> = Vec::new();
    let mut put = |sql: &mut String, value: Value| {
        values.push(value);
        sql.push_str(&format!("${}", values.len()));
    };
    if let Some(kind) = query.of {
        sql.push_str(" AND kind = ");
        put(&mut sql, kind.as_str().into());
    }
    for (sign, day) in [(">=", query.from_day), ("<=", query.to_day)] {
        if let Some(day) = day {
            sql.push_str(&format!(" AND day {sign} "));
            put(&mut sql, day.into());
        }
    }
    let lists =
        query.only.iter().map(|list| ("IN", list)).chain(query.without.iter().map(|list| ("NOT IN", list)));
    for (word, (by, list)) in lists {
        sql.push_str(&format!(" AND {} {word} (", by.column()));
        for (index, value) in list.iter().enumerate() {
            sql.push_str(if index == 0 { "" } else { ", " });
            put(&mut sql, value.as_str().into());
        }
        sql.push_str(if list.is_empty() { "NULL)" } else { ")" });
    }
    (sql, values)
}

fn read(row: &QueryResult, names: usize, sums: usize) -> Result<ReportRow, DbErr> {
    let number = |index: usize| if index < sums { row.try_get_by_index::<i64>(names + index) } else { Ok(0) };
    Ok(ReportRow {
        names: (0..names).map(|index| row.try_get_by_index(index)).collect::<Result<_, _>>()?,
        sums: SpendSums {
            requests: number(0)?,
            input_tokens: number(1)?,
            output_tokens: number(2)?,
            cost: Money(number(3)?),
            failed: number(4)?,
            cache_read_tokens: number(5)?,
            cache_write_tokens: number(6)?,
            duration_us: number(7)?,
            cache_hits: number(8)?,
            cached_output_tokens: number(9)?,
        },
    })
}

fn failed(error: DbErr) -> DbError {
    DbError::from_sea("cannot add up what was spent", error)
}
