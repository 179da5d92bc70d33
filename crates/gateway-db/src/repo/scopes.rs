//! Scopes: made, found, changed, deleted, listed, and followed by replicas.

use llm_types::Money;
use sea_orm::sea_query::LikeExpr;
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr,
    EntityTrait, IntoActiveModel, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::feed::Feed;
use super::key_list::SortOrder;
use super::lengths::{LONGEST_ALIAS, check_id, check_scope};
use super::parts::drop_parts;
use super::scope_row::{record, row, row_of};
use crate::audit::Subject;
use crate::entity::scopes::{ActiveModel, Column, Entity, Model};
use crate::{
    Db, DbError, DbErrorKind, NewScope, Page, PageRequest, ScopeId, ScopeKind, ScopeRecord, ScopeSettings,
};

/// What happened to scopes since a version.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScopeChanges {
    /// Scopes that are new or changed, deleted ones among them (`deleted_at` is set), oldest change first.
    pub scopes: Vec<ScopeRecord>,
    /// The version to ask from next time.
    pub version: i64,
}

/// What a list of scopes is ordered by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the field of that name")]
pub enum ScopeSort {
    #[default]
    CreatedAt,
    Id,
    Alias,
    Email,
    Role,
    Spend,
}

/// Which living scopes; empty fields do not filter, all that are set must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct ScopeQuery {
    /// Of this kind.
    pub kind: ScopeKind,
    /// With one of these ids; empty is every id.
    pub ids: Vec<String>,
    /// Memberships of this user.
    pub member: Option<String>,
    /// Of this organisation.
    pub organization_id: Option<String>,
    /// With this alias.
    pub alias: Option<String>,
    /// With this mail address, in any case.
    pub email: Option<String>,
    /// With this role.
    pub role: Option<String>,
    /// That take their limits from this shared budget.
    pub budget_id: Option<String>,
    /// Part of an id, alias or mail address, in any case.
    pub search: Option<String>,
    /// Part of an alias, in any case.
    pub alias_part: Option<String>,
    /// Deleted scopes instead of living ones.
    pub deleted: bool,
    /// What the list is ordered by; of the same, by id.
    pub sort: ScopeSort,
    /// Which way.
    pub order: SortOrder,
    /// Which page.
    pub page: PageRequest,
}

impl ScopeQuery {
    /// Every living scope of a kind.
    #[must_use]
    pub fn of(kind: ScopeKind) -> Self {
        Self {
            kind,
            ids: Vec::new(),
            member: None,
            organization_id: None,
            alias: None,
            email: None,
            role: None,
            budget_id: None,
            search: None,
            alias_part: None,
            deleted: false,
            sort: ScopeSort::CreatedAt,
            order: SortOrder::Ascending,
            page: PageRequest { page: 1, size: u64::from(u32::MAX) },
        }
    }
}

impl Db {
    /// Stores a scope and returns it. A deleted scope of the same id comes back to life as this one.
    ///
    /// # Errors
    /// `DuplicateScope` when a living scope has the id.
    pub async fn insert_scope(&self, scope: NewScope) -> Result<ScopeRecord, DbError> {
        self.insert_scope_unlike(scope, &[]).await
    }

    /// The same where no other living scope of its kind may be found by one of these queries. Changes of scopes are
    /// one after the other: of two with the same name that come together the second is refused.
    ///
    /// # Errors
    /// `DuplicateScope` when a living scope has the id, `DuplicateName` when one is found.
    pub async fn insert_scope_unlike(
        &self,
        scope: NewScope,
        others: &[ScopeQuery],
    ) -> Result<ScopeRecord, DbError> {
        check_id(&scope.id)?;
        check_scope(scope.id.kind, &scope.settings)?;
        let (transaction, version) = self.begin_change(Feed::Scopes).await?;
        let old = find(&transaction, &scope.id).await?;
        if let Some(old) = old {
            if old.deleted_at.is_none() {
                return Err(taken(&scope.id));
            }
            Entity::delete(old.into_active_model()).exec(&transaction).await.map_err(cannot_change)?;
        }
        for other in others {
            let found = Entity::find().filter(condition(other)).limit(1).one(&transaction).await;
            if let Some(found) = found.map_err(cannot_read)? {
                let kind = scope.id.kind.as_str();
                let words = format!("the {kind} `{}` has the same name already", found.id);
                return Err(DbError::new(DbErrorKind::DuplicateName, words));
            }
        }
        let row = row(scope, version);
        let insert = Entity::insert(row.clone().into_active_model());
        insert.exec_without_returning(&transaction).await.map_err(cannot_change)?;
        let made = record(row)?;
        self.note(&transaction, None, Some(Subject::Scope(&made))).await?;
        transaction.commit().await.map_err(cannot_change)?;
        Ok(made)
    }

    /// The living scope with this id.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn scope(&self, id: &ScopeId) -> Result<Option<ScopeRecord>, DbError> {
        let row = find(&self.conn, id).await?;
        row.filter(|row| row.deleted_at.is_none()).map(record).transpose()
    }

    /// Changes a living scope's settings and returns it as it is now. Its spend is left to the shipper.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn update_scope(
        &self,
        id: &ScopeId,
        now: i64,
        by: Option<&str>,
        edit: impl FnOnce(&mut ScopeSettings) + Send,
    ) -> Result<ScopeRecord, DbError> {
        let changed = self.change_scope((id, None), now, by, edit).await?;
        changed.ok_or_else(|| DbError::new(DbErrorKind::Internal, "a change was not made"))
    }

    /// Changes a living scope's settings if it still is as it was read, at `version`; `None` where others have changed
    /// it since.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn update_scope_at(
        &self,
        (id, version): (&ScopeId, i64),
        now: i64,
        by: Option<&str>,
        edit: impl FnOnce(&mut ScopeSettings) + Send,
    ) -> Result<Option<ScopeRecord>, DbError> {
        self.change_scope((id, Some(version)), now, by, edit).await
    }

    async fn change_scope(
        &self,
        (id, read): (&ScopeId, Option<i64>),
        now: i64,
        by: Option<&str>,
        edit: impl FnOnce(&mut ScopeSettings) + Send,
    ) -> Result<Option<ScopeRecord>, DbError> {
        let (transaction, version) = self.begin_change(Feed::Scopes).await?;
        let mut scope = record(locked(&transaction, id).await?)?;
        if read.is_some_and(|read| read != scope.version) {
            return Ok(None);
        }
        let before = scope.clone();
        edit(&mut scope.settings);
        check_scope(scope.id.kind, &scope.settings)?;
        scope.updated_at = now;
        scope.updated_by = by.map(str::to_owned);
        scope.version = version;
        let mut change = row_of(scope.clone()).into_active_model().reset_all();
        change.spend = ActiveValue::NotSet;
        change.total_spend = ActiveValue::NotSet;
        Entity::update(change).exec(&transaction).await.map_err(cannot_change)?;
        self.note(&transaction, Some(Subject::Scope(&before)), Some(Subject::Scope(&scope))).await?;
        transaction.commit().await.map_err(cannot_change)?;
        Ok(Some(scope))
    }

    /// Overwrites what a living scope has spent in its period, and returns it.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn set_scope_spend(
        &self,
        id: &ScopeId,
        spend: Money,
        now: i64,
    ) -> Result<ScopeRecord, DbError> {
        let (transaction, version) = self.begin_change(Feed::Scopes).await?;
        let mut row = locked(&transaction, id).await?;
        let before = record(row.clone())?;
        row.spend = spend.0;
        row.updated_at = now;
        row.version = version;
        let mut change = row.clone().into_active_model();
        change.spend = ActiveValue::Set(row.spend);
        change.updated_at = ActiveValue::Set(now);
        change.version = ActiveValue::Set(version);
        Entity::update(change).exec(&transaction).await.map_err(cannot_change)?;
        let after = record(row)?;
        self.note(&transaction, Some(Subject::Scope(&before)), Some(Subject::Scope(&after))).await?;
        transaction.commit().await.map_err(cannot_change)?;
        Ok(after)
    }

    /// Deletes living scopes and returns them as they were; ids without one are left out. The rows stay as
    /// tombstones so that spend in flight, history and replicas still find them.
    ///
    /// # Errors
    /// When the database refuses; then none is deleted.
    pub async fn delete_scopes(
        &self,
        ids: &[ScopeId],
        now: i64,
        by: Option<&str>,
    ) -> Result<Vec<ScopeRecord>, DbError> {
        let (transaction, version) = self.begin_change(Feed::Scopes).await?;
        // In the order of their ids, as the shipper locks them: no deadlock.
        let mut ids: Vec<&ScopeId> = ids.iter().collect();
        ids.sort_unstable();
        ids.dedup();
        let mut deleted = Vec::with_capacity(ids.len());
        for id in ids {
            let Some(row) = find(&transaction, id).await?.filter(|row| row.deleted_at.is_none()) else {
                continue;
            };
            let mut tombstone: ActiveModel = row.clone().into_active_model();
            tombstone.deleted_at = ActiveValue::Set(Some(now));
            tombstone.deleted_by = ActiveValue::Set(by.map(str::to_owned));
            tombstone.version = ActiveValue::Set(version);
            Entity::update(tombstone).exec(&transaction).await.map_err(cannot_change)?;
            drop_parts(self, &transaction, &id.as_owner()).await?;
            if id.kind == ScopeKind::User {
                self.drop_password(&transaction, &id.id).await?;
            }
            deleted.push(record(row)?);
        }
        for scope in &deleted {
            self.note(&transaction, Some(Subject::Scope(scope)), None).await?;
        }
        transaction.commit().await.map_err(cannot_change)?;
        Ok(deleted)
    }

    /// One page of the scopes that match.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn list_scopes(&self, query: &ScopeQuery) -> Result<Page<ScopeRecord>, DbError> {
        let matching = Entity::find().filter(condition(query));
        let total = matching.clone().count(&self.conn).await.map_err(cannot_read)?;
        let column = match query.sort {
            ScopeSort::CreatedAt => Column::CreatedAt,
            ScopeSort::Id => Column::Id,
            ScopeSort::Alias => Column::Alias,
            ScopeSort::Email => Column::Email,
            ScopeSort::Role => Column::Role,
            ScopeSort::Spend => Column::Spend,
        };
        let order = match query.order {
            SortOrder::Ascending => Order::Asc,
            SortOrder::Descending => Order::Desc,
        };
        let rows = matching
            .order_by(column, order.clone())
            .order_by(Column::Id, order)
            .order_by_asc(Column::Member)
            .offset(query.page.offset())
            .limit(query.page.limit())
            .all(&self.conn)
            .await
            .map_err(cannot_read)?;
        let items = rows.into_iter().map(record).collect::<Result<_, _>>()?;
        Ok(Page::new(items, total, query.page))
    }

    /// The living scopes of some kinds that an operator made or changed; those that only spent are left out.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn made_scopes(&self, kinds: &[ScopeKind]) -> Result<Vec<ScopeId>, DbError> {
        let kinds = kinds.iter().map(|kind| kind.as_str());
        let made = Entity::find()
            .select_only()
            .columns([Column::Kind, Column::Id, Column::Member])
            .filter(Column::Kind.is_in(kinds))
            .filter(Column::Version.gt(0))
            .filter(Column::DeletedAt.is_null());
        let rows: Vec<(String, String, String)> =
            made.into_tuple().all(&self.conn).await.map_err(cannot_read)?;
        let id = |(kind, id, member): (String, String, String)| {
            ScopeKind::parse(&kind).map(|kind| ScopeId { kind, id, member })
        };
        Ok(rows.into_iter().filter_map(id).collect())
    }

    /// What changed after `version`, deletions included; the version alone when `version` is none. Cheap
    /// when nothing did.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn scopes_changed_since(&self, version: Option<i64>) -> Result<ScopeChanges, DbError> {
        let newest = self.version_of(Feed::Scopes).await?;
        let Some(version) = version.filter(|version| *version != newest) else {
            return Ok(ScopeChanges { scopes: Vec::new(), version: newest });
        };
        let changed = Entity::find().filter(Column::Version.gt(version)).order_by_asc(Column::Version);
        let rows = changed.all(&self.conn).await.map_err(cannot_read)?;
        Ok(ScopeChanges { scopes: rows.into_iter().map(record).collect::<Result<_, _>>()?, version: newest })
    }
}

fn condition(query: &ScopeQuery) -> Condition {
    let there = if query.deleted { Column::DeletedAt.is_not_null() } else { Column::DeletedAt.is_null() };
    let mut all = Condition::all().add(there).add(Column::Kind.eq(query.kind.as_str()));
    if !query.ids.is_empty() {
        all = all.add(Column::Id.is_in(query.ids.iter().map(String::as_str)));
    }
    for (column, value) in [
        (Column::Member, &query.member),
        (Column::OrganizationId, &query.organization_id),
        (Column::Alias, &query.alias),
        (Column::Role, &query.role),
        (Column::BudgetId, &query.budget_id),
    ] {
        if let Some(value) = value {
            all = all.add(column.eq(value.as_str()));
        }
    }
    if let Some(email) = &query.email {
        all = all.add(like(Column::Email, email, ""));
    }
    if let Some(part) = &query.alias_part {
        all = all.add(like(Column::Alias, part, "%"));
    }
    if let Some(part) = &query.search {
        let columns = [Column::Id, Column::Alias, Column::Email];
        all = all
            .add(columns.into_iter().fold(Condition::any(), |any, column| any.add(like(column, part, "%"))));
    }
    all
}

/// The column is the text in any case, with `around` before and after it; `%` and `_` in it mean themselves.
fn like(column: Column, text: &str, around: &str) -> sea_orm::sea_query::SimpleExpr {
    use sea_orm::sea_query::{Expr, ExprTrait, Func};
    if text.len() > LONGEST_ALIAS {
        // No name is as long; SQLite refuses patterns that are.
        return Expr::val(false);
    }
    let escaped = text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let pattern = LikeExpr::new(format!("{around}{escaped}{around}")).escape('\\');
    Expr::expr(Func::lower(Expr::col(column))).like(pattern)
}

async fn find(conn: &impl ConnectionTrait, id: &ScopeId) -> Result<Option<Model>, DbError> {
    let key = (id.kind.as_str().to_owned(), id.id.clone(), id.member.clone());
    Entity::find_by_id(key).one(conn).await.map_err(cannot_read)
}

/// The living scope, with its row locked so that no spend is added before the end.
async fn locked(transaction: &DatabaseTransaction, id: &ScopeId) -> Result<Model, DbError> {
    let key = (id.kind.as_str().to_owned(), id.id.clone(), id.member.clone());
    let living = Entity::find_by_id(key).filter(Column::DeletedAt.is_null()).lock_exclusive();
    let row = living.one(transaction).await.map_err(cannot_read)?;
    row.ok_or_else(|| {
        let (kind, id) = (id.kind.as_str(), &id.id);
        DbError::new(DbErrorKind::NotFound, format!("there is no {kind} `{id}`"))
    })
}

fn taken(id: &ScopeId) -> DbError {
    let (kind, id) = (id.kind.as_str(), &id.id);
    DbError::new(DbErrorKind::DuplicateScope, format!("the {kind} `{id}` exists already"))
}

fn cannot_read(error: DbErr) -> DbError {
    DbError::from_sea("cannot read scopes", error)
}

fn cannot_change(error: DbErr) -> DbError {
    DbError::from_sea("cannot change scopes", error)
}
