//! Reading what calls consumed: the spend log and the sums.

use llm_types::{KeyHash, Money};
use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr, Query, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Statement,
};

use crate::entity::{daily_spend, spend_log};
use crate::{DailyQuery, DailySpend, Db, DbError, ModelSpend, Page, SpendQuery, SpendRow, SpendSort};

/// Up to how many matching rows of the spend log are counted: LiteLLM's cap of `total` in `/spend/logs/v2`.
pub const SPEND_ROWS_COUNTED: u64 = 10_000;

impl Db {
    /// One page of the spend log, newest first unless told. Matching rows are counted up to one more than
    /// [`SPEND_ROWS_COUNTED`]: who counts millions has no use for the page.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn spend_rows(&self, query: &SpendQuery) -> Result<Page<SpendRow>, DbError> {
        use spend_log::{Column, Entity};
        let matching = Entity::find().filter(log_condition(query));
        let total = self.counted(matching.clone()).await?;
        let order = if query.ascending { Order::Asc } else { Order::Desc };
        let rows = ordered(matching, query.sort, &order)
            .order_by(Column::StartedAt, order.clone())
            .order_by(Column::RequestId, order)
            .offset(query.page.offset())
            .limit(query.page.limit())
            .all(&self.conn)
            .await
            .map_err(failed)?;
        let items = rows.into_iter().map(log_row).collect();
        Ok(Page::new(items, total, query.page))
    }

    /// How many rows match, as far as they are counted.
    async fn counted(&self, matching: sea_orm::Select<spend_log::Entity>) -> Result<u64, DbError> {
        let some = matching.select_only().expr(Expr::val(1)).limit(SPEND_ROWS_COUNTED + 1).into_query();
        let count = Query::select().expr(Expr::cust("COUNT(*)")).from_subquery(some, "counted").to_owned();
        let row = self.conn.query_one_raw(self.sea_backend().build(&count)).await.map_err(failed)?;
        let count: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0)).map_err(failed)?;
        Ok(count.unsigned_abs())
    }

    /// Daily sums that match, oldest day first.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn daily_spend(&self, query: &DailyQuery) -> Result<Vec<DailySpend>, DbError> {
        use daily_spend::{Column, Entity};
        let mut all = Condition::all();
        all = all.add_option(query.from_day.map(|day| Column::Day.gte(day)));
        all = all.add_option(query.to_day.map(|day| Column::Day.lte(day)));
        all = all.add_option(query.key.as_ref().map(|key| Column::KeyHash.eq(key.as_str())));
        all = all.add_option(query.user_id.as_deref().map(|user| Column::UserId.eq(user)));
        all = all.add_option(query.team_id.as_deref().map(|team| Column::TeamId.eq(team)));
        all = all.add_option(query.model_group.as_deref().map(|model| Column::ModelGroup.eq(model)));
        let rows = Entity::find().filter(all).order_by_asc(Column::Day).all(&self.conn).await;
        Ok(rows.map_err(failed)?.into_iter().map(daily_row).collect())
    }

    /// What a key spent by model, dearest first (`model_spend` of `/key/info`).
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn spend_by_model(&self, key: &KeyHash) -> Result<Vec<ModelSpend>, DbError> {
        // A sum of bigint is numeric on PostgreSQL, hence the casts.
        let sql = "SELECT CASE WHEN model = '' THEN model_group ELSE model END AS name, \
                   CAST(SUM(requests) AS bigint), CAST(SUM(cost) AS bigint) FROM daily_spend \
                   WHERE key_hash = $1 GROUP BY 1 ORDER BY 3 DESC, 1";
        let statement = Statement::from_sql_and_values(self.sea_backend(), sql, [key.as_str().into()]);
        let rows = self.conn.query_all_raw(statement).await.map_err(failed)?;
        let row = |row: sea_orm::QueryResult| -> Result<ModelSpend, DbErr> {
            let (model, requests, cost) = row.try_get_many_by_index()?;
            Ok(ModelSpend { model, requests, cost: Money(cost) })
        };
        rows.into_iter().map(row).collect::<Result<_, _>>().map_err(failed)
    }
}

fn log_condition(query: &SpendQuery) -> Condition {
    use spend_log::Column;
    let by_id = |id: &str| Condition::any().add(Column::RequestId.eq(id)).add(Column::CallId.eq(id));
    Condition::all()
        .add_option(query.request_id.as_deref().map(by_id))
        .add_option(query.key.as_ref().map(|key| Column::KeyHash.eq(key.as_str())))
        .add_option(query.user_id.as_deref().map(|user| Column::UserId.eq(user)))
        .add_option(query.team_id.as_deref().map(|team| Column::TeamId.eq(team)))
        .add_option(query.end_user.as_deref().map(|user| Column::EndUser.eq(user)))
        .add_option(query.model_group.as_deref().map(|model| Column::ModelGroup.eq(model)))
        .add_option(query.session_id.as_deref().map(|session| Column::SessionId.eq(session)))
        .add_option(query.session_part.as_deref().map(session_with))
        .add_option(query.from.map(|time| Column::StartedAt.gte(time)))
        .add_option(query.until.map(|time| Column::StartedAt.lt(time)))
        .add_option(query.keys.as_ref().map(|keys| Column::KeyHash.is_in(keys.iter().map(KeyHash::as_str))))
        .add_option(query.model.as_deref().map(|model| Column::Model.eq(model)))
        .add_option(query.deployment.as_deref().map(|id| Column::Deployment.eq(id)))
        .add(how_it_ended(query))
        .add(what_it_cost(query))
        .add_option(query.search.as_deref().map(with_name))
        .add_option(query.one_of_session.then(|| latest_of_session(query.until)))
}

/// The session's id holds the text; `%` and `_` in it mean themselves.
fn session_with(part: &str) -> SimpleExpr {
    let escaped = part.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    Expr::col(spend_log::Column::SessionId).like(LikeExpr::new(format!("%{escaped}%")).escape('\\'))
}

fn how_it_ended(query: &SpendQuery) -> Condition {
    use spend_log::Column;
    const FAILURES: [&str; 2] = ["failed", "cut"];
    let ended = |failed: bool| match failed {
        true => Column::Outcome.is_in(FAILURES),
        false => Column::Outcome.is_not_in(FAILURES),
    };
    let with_status =
        |status: i64| Condition::all().add(Column::Status.eq(status)).add(Column::Error.is_not_null());
    Condition::all()
        .add_option(query.failed.map(ended))
        .add_option(query.error_status.map(with_status))
        .add_option(query.error_part.as_deref().map(|part| Column::Error.contains(part.to_lowercase())))
        .add_option(
            query
                .cached
                .map(|cached| Expr::cust(if cached { "(flags & 16) = 16" } else { "(flags & 16) = 0" })),
        )
}

/// A call without a price counts as one that costs nothing.
fn what_it_cost(query: &SpendQuery) -> Condition {
    use spend_log::Column;
    let at_most = |cost: Money| Condition::any().add(Column::Cost.lte(cost.0)).add(Column::Cost.is_null());
    Condition::all()
        .add_option(query.cost_from.filter(|cost| cost.0 > 0).map(|cost| Column::Cost.gte(cost.0)))
        .add_option(query.cost_to.map(at_most))
}

fn with_name(name: &str) -> Condition {
    use spend_log::Column;
    [
        Column::RequestId,
        Column::CallId,
        Column::KeyHash,
        Column::TeamId,
        Column::UserId,
        Column::EndUser,
        Column::SessionId,
        Column::Deployment,
    ]
    .into_iter()
    .fold(Condition::any(), |any, column| any.add(column.eq(name)))
}

/// Calls without a session, and those that no other of their session and key followed before the end.
fn latest_of_session(until: Option<i64>) -> SimpleExpr {
    let before = until.map_or_else(String::new, |until| format!(" AND later.started_at < {until}"));
    Expr::cust(format!(
        "(spend_log.session_id IS NULL OR NOT EXISTS (SELECT 1 FROM spend_log later \
         WHERE later.session_id = spend_log.session_id \
         AND COALESCE(later.key_hash, '') = COALESCE(spend_log.key_hash, '') \
         AND (later.started_at, later.request_id) > (spend_log.started_at, spend_log.request_id){before}))"
    ))
}

fn ordered(
    rows: sea_orm::Select<spend_log::Entity>,
    sort: SpendSort,
    order: &Order,
) -> sea_orm::Select<spend_log::Entity> {
    let by = match sort {
        SpendSort::StartedAt => return rows,
        SpendSort::EndedAt => "started_at + duration_us / 1000",
        SpendSort::Cost => "COALESCE(cost, 0)",
        SpendSort::Tokens => "input_tokens + output_tokens",
        SpendSort::Model => "COALESCE(model, '')",
        SpendSort::Duration => "duration_us",
        SpendSort::FirstByte => "COALESCE(first_byte_us, 0)",
    };
    rows.order_by(Expr::cust(by), order.clone())
}

pub(super) fn log_row(row: spend_log::Model) -> SpendRow {
    let flag = |bit: u8| row.flags & (1 << bit) != 0;
    SpendRow {
        stream: flag(0),
        estimated: flag(1),
        unpriced: flag(2),
        unknown_outcome: flag(3),
        cache_hit: flag(4),
        request_id: row.request_id,
        call_id: row.call_id,
        started_at: row.started_at,
        duration_us: row.duration_us,
        first_byte_us: row.first_byte_us,
        key: row.key_hash.map(KeyHash::from),
        user_id: row.user_id,
        team_id: row.team_id,
        organization_id: row.organization_id,
        end_user: row.end_user,
        model_group: row.model_group,
        model: row.model,
        provider: row.provider,
        deployment: row.deployment,
        call_type: row.call_type,
        outcome: row.outcome,
        status: row.status,
        error: row.error,
        input_tokens: row.input_tokens,
        output_tokens: row.output_tokens,
        cache_read_tokens: row.cache_read_tokens,
        cache_write_tokens: row.cache_write_tokens,
        reasoning_tokens: row.reasoning_tokens,
        usage: row.usage,
        cost: row.cost.map(Money),
        retries: row.retries,
        fallbacks: row.fallbacks,
        tags: row.tags,
        project_id: row.project_id,
        booked_cost: row.booked_cost.map(Money),
        metadata: row.metadata,
        session_id: row.session_id,
        parts: row.parts,
        tools: row.tools,
    }
}

fn daily_row(row: daily_spend::Model) -> DailySpend {
    DailySpend {
        day: row.day,
        key: row.key_hash,
        user_id: row.user_id,
        team_id: row.team_id,
        organization_id: row.organization_id,
        model_group: row.model_group,
        model: row.model,
        provider: row.provider,
        call_type: row.call_type,
        requests: row.requests,
        failed: row.failed,
        unpriced: row.unpriced,
        input_tokens: row.input_tokens,
        output_tokens: row.output_tokens,
        cache_read_tokens: row.cache_read_tokens,
        cache_write_tokens: row.cache_write_tokens,
        reasoning_tokens: row.reasoning_tokens,
        cost: Money(row.cost),
        duration_us: row.duration_us,
    }
}

fn failed(error: DbErr) -> DbError {
    DbError::from_sea("cannot read spend", error)
}
