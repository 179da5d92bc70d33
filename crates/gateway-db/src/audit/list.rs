//! The audit log, read: a page of it, or one row.

use sea_orm::{ConnectionTrait, Statement, Value};

use super::AuditRow;
use super::chain::{COLUMNS, Link, failed};
use crate::{Db, DbError, Page, PageRequest, SortOrder};

/// Which rows; empty fields do not filter, all that are set must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditQuery {
    /// Said to be changed by.
    pub changed_by: Option<String>,
    /// With the key of this hash.
    pub api_key: Option<String>,
    /// With this action.
    pub action: Option<String>,
    /// Of this table.
    pub table_name: Option<String>,
    /// Of this object.
    pub object_id: Option<String>,
    /// Not before, in Unix milliseconds.
    pub from: Option<i64>,
    /// Not after, in Unix milliseconds.
    pub to: Option<i64>,
    /// Newest first, or oldest.
    pub order: SortOrder,
    /// Which page.
    pub page: PageRequest,
}

impl Db {
    /// A page of the audit log.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn audit_rows(&self, query: &AuditQuery) -> Result<Page<AuditRow>, DbError> {
        let (condition, values) = condition(query);
        let sql = format!("SELECT CAST(COUNT(*) AS bigint) FROM audit_log{condition}");
        let count = Statement::from_sql_and_values(self.sea_backend(), sql, values.clone());
        let total = self.conn.query_one_raw(count).await.map_err(failed)?;
        let total: i64 = total.map_or(Ok(0), |row| row.try_get_by_index(0)).map_err(failed)?;
        let way = match query.order {
            SortOrder::Ascending => "ASC",
            SortOrder::Descending => "DESC",
        };
        let (limit, offset) = (query.page.limit(), query.page.offset());
        let sql = format!(
            "SELECT {COLUMNS} FROM audit_log{condition} ORDER BY seq {way} LIMIT {limit} OFFSET {offset}"
        );
        let select = Statement::from_sql_and_values(self.sea_backend(), sql, values);
        let rows = self.conn.query_all_raw(select).await.map_err(failed)?;
        let items = rows.iter().map(|row| AuditRow::try_from(Link::read(row)?)).collect::<Result<_, _>>()?;
        Ok(Page::new(items, u64::try_from(total).unwrap_or(0), query.page))
    }

    /// The row with an id.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn audit_row(&self, id: &str) -> Result<Option<AuditRow>, DbError> {
        let sql = format!("SELECT {COLUMNS} FROM audit_log WHERE id = $1");
        let select = Statement::from_sql_and_values(self.sea_backend(), sql, [id.into()]);
        let row = self.conn.query_one_raw(select).await.map_err(failed)?;
        row.map(|row| AuditRow::try_from(Link::read(&row)?)).transpose()
    }
}

fn condition(query: &AuditQuery) -> (String, Vec<Value>) {
    let texts = [
        ("changed_by", &query.changed_by),
        ("changed_by_api_key", &query.api_key),
        ("action", &query.action),
        ("table_name", &query.table_name),
        ("object_id", &query.object_id),
    ];
    let (mut parts, mut values) = (Vec::new(), Vec::<Value>::new());
    for (column, text) in texts {
        if let Some(text) = text {
            values.push(text.as_str().into());
            parts.push(format!("{column} = ${}", values.len()));
        }
    }
    for (compare, at) in [(">=", query.from), ("<=", query.to)] {
        if let Some(at) = at {
            values.push(at.into());
            parts.push(format!("at {compare} ${}", values.len()));
        }
    }
    let condition = if parts.is_empty() { String::new() } else { format!(" WHERE {}", parts.join(" AND ")) };
    (condition, values)
}
