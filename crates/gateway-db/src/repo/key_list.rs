//! Lists of keys: the filters, order and pages of `/key/list`.

use llm_types::KeyHash;

use sea_orm::sea_query::{Expr, ExprTrait, Func, LikeExpr, NullOrdering, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, DbErr, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::key_row::record;
use super::lengths::LONGEST_ALIAS;
use crate::entity::verification_keys::{Column, Entity};
use crate::{Backend, Db, DbError, KeyRecord, Page, PageRequest};

/// Which keys; empty fields do not filter, all that are set must hold unless they say otherwise.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KeyQuery {
    /// Keys of this user.
    pub user_id: Option<String>,
    /// Keys of this team.
    pub team_id: Option<String>,
    /// Keys of this organisation.
    pub organization_id: Option<String>,
    /// Keys of this project.
    pub project_id: Option<String>,
    /// Keys of this agent.
    pub agent_id: Option<String>,
    /// The key with this hash.
    pub hash: Option<KeyHash>,
    /// The key with this alias.
    pub alias: Option<String>,
    /// `user_id` matches any part of the text, in any case.
    pub user_substring: bool,
    /// `alias` matches any part of the text, in any case.
    pub alias_substring: bool,
    /// Part of an alias, hash, user or team id, in any case.
    pub search: Option<String>,
    /// Keys with this access group.
    pub access_group_id: Option<String>,
    /// Besides keys of `user_id`, also those this user made that are in no team or in one of these
    /// (`include_created_by_keys`).
    pub or_created_by: Option<(String, Vec<String>)>,
    /// Besides keys of `user_id`, also those of these teams (`include_team_keys`).
    pub or_team_ids: Vec<String>,
    /// Besides keys of `user_id`, also those of these teams that are nobody's.
    pub or_services_of: Vec<String>,
    /// Keys that expire before this time.
    pub expires_before: Option<i64>,
    /// Keys that expire at this time, later or never.
    pub expires_from: Option<i64>,
    /// Whether they are blocked.
    pub blocked: Option<bool>,
    /// Deleted keys instead of living ones.
    pub deleted: bool,
    /// What the list is ordered by.
    pub sort: KeySort,
    /// Which way.
    pub order: SortOrder,
    /// Which page.
    pub page: PageRequest,
}

/// Which aliases a list has.
#[derive(Debug, Clone, Default)]
pub struct AliasQuery {
    /// Part of the alias, in any case.
    pub search: Option<String>,
    /// Of keys of this team.
    pub team_id: Option<String>,
    /// Of keys of this user or of one of these teams; all keys where nobody is named.
    pub seen_by: Option<(String, Vec<String>)>,
    /// Which page.
    pub page: PageRequest,
}

/// What a list of keys is ordered by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the field of that name")]
pub enum KeySort {
    #[default]
    CreatedAt,
    UpdatedAt,
    Alias,
    Spend,
    MaxBudget,
    ExpiresAt,
    LastActive,
    UserId,
    TeamId,
}

/// Which way a list goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SortOrder {
    /// Newest, largest or last first.
    #[default]
    Descending,
    /// Oldest, smallest or first first.
    Ascending,
}

impl Db {
    /// One page of the keys that match.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn list_keys(&self, query: &KeyQuery) -> Result<Page<KeyRecord>, DbError> {
        let matching = Entity::find().filter(self.condition(query));
        let total = matching.clone().count(&self.conn).await.map_err(cannot_list)?;
        let order = match query.order {
            SortOrder::Ascending => Order::Asc,
            SortOrder::Descending => Order::Desc,
        };
        let rows = matching
            .order_by_with_nulls(column(query.sort), order.clone(), NullOrdering::Last)
            .order_by(Column::Hash, order)
            .offset(query.page.offset())
            .limit(query.page.limit())
            .all(&self.conn)
            .await
            .map_err(cannot_list)?;
        let items = rows.into_iter().map(record).collect::<Result<_, _>>()?;
        Ok(Page::new(items, total, query.page))
    }

    /// One page of the aliases of living keys, in alphabetical order.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn key_aliases(&self, query: &AliasQuery) -> Result<Page<String>, DbError> {
        let page = query.page;
        let mut condition =
            Condition::all().add(Column::DeletedAt.is_null()).add(Column::Alias.is_not_null());
        if let Some(part) = &query.search {
            condition = condition.add(contains(Column::Alias, part));
        }
        if let Some(team) = &query.team_id {
            condition = condition.add(Column::TeamId.eq(team.as_str()));
        }
        if let Some((user, teams)) = &query.seen_by {
            let teams = Column::TeamId.is_in(teams.iter().map(String::as_str));
            condition = condition.add(Condition::any().add(Column::UserId.eq(user.as_str())).add(teams));
        }
        let matching = Entity::find().filter(condition);
        let total = matching.clone().count(&self.conn).await.map_err(cannot_list)?;
        let items = matching
            .select_only()
            .column(Column::Alias)
            .order_by_asc(Column::Alias)
            .offset(page.offset())
            .limit(page.limit())
            .into_tuple::<String>()
            .all(&self.conn)
            .await
            .map_err(cannot_list)?;
        Ok(Page::new(items, total, page))
    }

    fn condition(&self, query: &KeyQuery) -> Condition {
        let living =
            if query.deleted { Column::DeletedAt.is_not_null() } else { Column::DeletedAt.is_null() };
        Condition::all().add(living).add(visible(query)).add(self.filters(query)).add(state(query))
    }

    fn filters(&self, query: &KeyQuery) -> Condition {
        let mut all = Condition::all();
        for (column, value, partly) in [
            (Column::TeamId, &query.team_id, false),
            (Column::Alias, &query.alias, query.alias_substring),
            (Column::OrganizationId, &query.organization_id, false),
            (Column::ProjectId, &query.project_id, false),
            (Column::AgentId, &query.agent_id, false),
        ] {
            all = match value {
                Some(value) if partly => all.add(contains(column, value)),
                Some(value) => all.add(column.eq(value.as_str())),
                None => all,
            };
        }
        if let Some(hash) = &query.hash {
            all = all.add(Column::Hash.eq(hash.as_str()));
        }
        if let Some(part) = &query.search {
            let columns = [Column::Alias, Column::Hash, Column::UserId, Column::TeamId];
            all = all.add(
                columns.into_iter().fold(Condition::any(), |any, column| any.add(contains(column, part))),
            );
        }
        if let Some(group) = &query.access_group_id {
            all = all.add(self.has_access_group(group));
        }
        all
    }

    fn has_access_group(&self, group: &str) -> SimpleExpr {
        match self.backend() {
            Backend::Sqlite => Expr::cust_with_values(
                "EXISTS (SELECT 1 FROM json_each(access_group_ids) WHERE json_each.value = ?)",
                [group],
            ),
            Backend::Postgres => Expr::cust_with_values("access_group_ids @> to_jsonb($1::text)", [group]),
        }
    }
}

/// Whose keys: a user's, and what is seen besides them.
fn visible(query: &KeyQuery) -> Condition {
    let Some(user) = &query.user_id else { return Condition::all() };
    let own =
        if query.user_substring { contains(Column::UserId, user) } else { Column::UserId.eq(user.as_str()) };
    let in_one = |teams: &[String]| Column::TeamId.is_in(teams.iter().map(String::as_str));
    let mut any = Condition::any().add(own);
    if let Some((maker, teams)) = &query.or_created_by {
        let place = Condition::any().add(Column::TeamId.is_null()).add(in_one(teams));
        any = any.add(Condition::all().add(Column::CreatedBy.eq(maker.as_str())).add(place));
    }
    if !query.or_team_ids.is_empty() {
        any = any.add(in_one(&query.or_team_ids));
    }
    if !query.or_services_of.is_empty() {
        any = any.add(Condition::all().add(in_one(&query.or_services_of)).add(Column::UserId.is_null()));
    }
    any
}

/// What holds of every key of the list, whyever it is there.
fn state(query: &KeyQuery) -> Condition {
    let lasts =
        |time: i64| Condition::any().add(Column::ExpiresAt.is_null()).add(Column::ExpiresAt.gte(time));
    Condition::all()
        .add_option(query.expires_before.map(|time| Column::ExpiresAt.lt(time)))
        .add_option(query.expires_from.map(lasts))
        .add_option(query.blocked.map(|blocked| Column::Blocked.eq(blocked)))
}

fn column(sort: KeySort) -> Column {
    match sort {
        KeySort::CreatedAt => Column::CreatedAt,
        KeySort::UpdatedAt => Column::UpdatedAt,
        KeySort::Alias => Column::Alias,
        KeySort::Spend => Column::Spend,
        KeySort::MaxBudget => Column::MaxBudget,
        KeySort::ExpiresAt => Column::ExpiresAt,
        KeySort::LastActive => Column::LastActive,
        KeySort::UserId => Column::UserId,
        KeySort::TeamId => Column::TeamId,
    }
}

/// The column contains the text, in any case; `%` and `_` in it mean themselves.
fn contains(column: Column, part: &str) -> SimpleExpr {
    if part.len() > LONGEST_ALIAS {
        // No name is as long; SQLite refuses patterns that are.
        return Expr::val(false);
    }
    let escaped = part.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let pattern = LikeExpr::new(format!("%{escaped}%")).escape('\\');
    Expr::expr(Func::lower(Expr::col(column))).like(pattern)
}

fn cannot_list(error: DbErr) -> DbError {
    DbError::from_sea("cannot list keys", error)
}
