//! Reports of what calls cost by the tools they invoked, from daily sums.

use llm_types::Money;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, QueryResult, Statement, Value};

use crate::{Db, DbError};

/// Which days, and how many tools.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ToolsQuery {
    /// First day, as days since 1970-01-01 UTC.
    pub from_day: i64,
    /// Last day, itself included.
    pub to_day: i64,
    /// The most tools, dearest first.
    pub most: u64,
}

/// What calls that invoked a tool came to. A call that invoked several counts in full for each of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolSpend {
    /// The day, as days since 1970-01-01 UTC; 0 in a sum over days.
    pub day: i64,
    /// The tool's name.
    pub tool: String,
    /// Calls.
    pub calls: i64,
    /// Tokens of their prompts and answers.
    pub tokens: i64,
    /// What they cost.
    pub cost: Money,
}

impl FromQueryResult for ToolSpend {
    fn from_query_result(row: &QueryResult, _prefix: &str) -> Result<Self, DbErr> {
        let (day, tool, calls, tokens, cost) = row.try_get_many_by_index()?;
        Ok(Self { day, tool, calls, tokens, cost: Money(cost) })
    }
}

/// The dearest tools of some days: the parameters are the first day, the last and how many.
const TOP: &str = "SELECT CAST(0 AS bigint), tool, CAST(SUM(calls) AS bigint), CAST(SUM(tokens) AS bigint), \
                   CAST(SUM(cost) AS bigint) FROM daily_tool_spend WHERE day >= $1 AND day <= $2 \
                   GROUP BY tool ORDER BY 5 DESC, tool LIMIT $3";

/// The days of the same tools.
const DAYS: &str = "SELECT day, tool, calls, tokens, cost FROM daily_tool_spend WHERE day >= $1 AND day <= $2 \
                    AND tool IN (SELECT tool FROM daily_tool_spend WHERE day >= $1 AND day <= $2 \
                    GROUP BY tool ORDER BY SUM(cost) DESC, tool LIMIT $3) ORDER BY day, cost DESC, tool";

impl Db {
    /// What calls cost by tool over all the days, dearest first.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn spend_by_tool(&self, query: &ToolsQuery) -> Result<Vec<ToolSpend>, DbError> {
        self.tools(TOP, query).await
    }

    /// What calls cost by day and by tool, of the tools that [`Db::spend_by_tool`] answers with; a day's dearest first.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn spend_by_tool_and_day(&self, query: &ToolsQuery) -> Result<Vec<ToolSpend>, DbError> {
        self.tools(DAYS, query).await
    }

    async fn tools(&self, sql: &str, query: &ToolsQuery) -> Result<Vec<ToolSpend>, DbError> {
        let most = i64::try_from(query.most).unwrap_or(i64::MAX);
        let values = [query.from_day, query.to_day, most].map(Value::from);
        let statement = Statement::from_sql_and_values(self.sea_backend(), sql, values);
        let failed = |error| DbError::from_sea("cannot add up what tools cost", error);
        let rows = self.conn.query_all_raw(statement).await.map_err(failed)?;
        rows.iter().map(|row| ToolSpend::from_query_result(row, "").map_err(failed)).collect()
    }
}
