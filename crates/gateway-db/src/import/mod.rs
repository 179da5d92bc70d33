//! Coming from LiteLLM: its database read row by row, and written here as keys, scopes, and entries of the
//! configuration.
//!
//! Rows are read as JSON objects, whatever their columns, so that an older or newer LiteLLM is read too.
//! What a row has and no column here holds goes into `extra` under its own name; what cannot be read, and
//! tables that are not carried, are reported. Everything is written in one transaction: all of it, or,
//! in a rehearsal, nothing.

mod cipher;
mod entries;
mod keys;
mod report;
mod row;
mod scopes;
mod source;
mod spend;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};

pub use report::{ImportReport, TableReport};

use crate::entity::verification_keys;
use llm_types::Secret;

use crate::repo::{Feed, entry_row_of, key_row_of, scope_row_of};
use crate::{ConfigEntry, Db, DbError, Invitation, KeyRecord, ScopeRecord, Seal};

use cipher::Cipher;
use row::Row;
use source::Source;

/// How an import is done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// Everything is read, converted and written, and then taken back.
    pub dry_run: bool,
    /// What LiteLLM sealed its secrets with (`LITELLM_SALT_KEY`, else its master key), and what they are sealed
    /// with here. Without it models and credentials do not come over.
    pub salt: Option<Secret>,
    /// Calls of LiteLLM's spend log come over too.
    pub spend_logs: bool,
}

impl Db {
    /// Takes over the keys, teams, users, organisations, customers, tags, projects, memberships and budgets
    /// of a LiteLLM database on PostgreSQL, with their hashes, limits and spend, and its models and credentials.
    /// What is here already stays as it is, so that an import may be run again. On request the calls of the spend log
    /// follow, in batches of their own.
    ///
    /// # Errors
    /// `BadUrl` when the source is no PostgreSQL, `Schema` when it is no LiteLLM database, or what either
    /// database refused; then nothing is written.
    pub async fn import_litellm(
        &self,
        source: &Self,
        options: ImportOptions,
        now: i64,
    ) -> Result<ImportReport, DbError> {
        let source = Source::of(source)?;
        let mut report = ImportReport::default();
        let salt = options.salt.as_ref().map(|salt| salt.reveal().as_str());
        let everything = read(&source, &mut report, now, salt.map(Cipher::new).as_ref()).await?;
        report.not_carried = source.other_tables(CARRIED).await?;
        if options.spend_logs {
            for table in [spend::TABLE, spend::TOOLS] {
                report.not_carried.remove(table);
            }
        }
        keys::tell_rotation(&everything, &mut report);
        let seal = salt.map(Seal::new).transpose()?;
        self.write(everything, (options.dry_run, seal.as_ref()), &mut report).await?;
        if options.spend_logs {
            self.import_spend(&source, &options, now, &mut report).await?;
        }
        Ok(report)
    }

    async fn write(
        &self,
        everything: Everything,
        (dry_run, seal): (bool, Option<&Seal>),
        report: &mut ImportReport,
    ) -> Result<(), DbError> {
        let failed = |error| DbError::from_sea("cannot write what was imported", error);
        let (transaction, keys_version) = self.begin_change(Feed::Keys).await?;
        let scopes_version = self.next_version(&transaction, Feed::Scopes).await?;
        self.next_version(&transaction, Feed::Entries).await?;
        for (table, mut scope) in everything.scopes {
            scope.version = scopes_version;
            let password = scopes::password_of(&mut scope);
            let user = scope.id.id.clone();
            let written = put_scope(&transaction, scope).await.map_err(failed)?;
            if let Some(hash) = password.filter(|_| written) {
                self.put_password(&transaction, &user, &hash, everything.now).await?;
            }
            report.table(table).count(written);
        }
        for invitation in &everything.invitations {
            let written = self.put_invitation(&transaction, invitation).await?;
            report.table(scopes::INVITATIONS).count(written);
        }
        for (table, mut key) in everything.keys {
            key.version = keys_version;
            let name = key.settings.alias.clone();
            match put_key(&transaction, key).await.map_err(failed)? {
                Put::New => report.table(table).count(true),
                Put::There => report.table(table).count(false),
                Put::AliasTaken(hash) => {
                    let what =
                        format!("`key_alias` is `{}`, which another key here has", name.unwrap_or_default());
                    report.problem(table, &hash, what);
                }
            }
        }
        for (table, entry) in everything.entries {
            let Some(seal) = seal else { break };
            let written = put_entry(&transaction, &entry, seal).await?;
            report.table(table).count(written);
        }
        let ended = if dry_run { transaction.rollback().await } else { transaction.commit().await };
        ended.map_err(failed)
    }
}

/// Tables whose rows are carried, or hold nothing but what others of them hold.
const CARRIED: &[&str] = &[
    "LiteLLM_AccessGroupTable",
    "LiteLLM_BudgetTable",
    "LiteLLM_CredentialsTable",
    "LiteLLM_EndUserTable",
    "LiteLLM_InvitationLink",
    "LiteLLM_ModelAccessGroupBudgetTable",
    "LiteLLM_ModelTable",
    "LiteLLM_OrganizationMembership",
    "LiteLLM_OrganizationTable",
    "LiteLLM_ProjectTable",
    "LiteLLM_ProxyModelTable",
    "LiteLLM_TagTable",
    "LiteLLM_TeamMembership",
    "LiteLLM_TeamTable",
    "LiteLLM_UserTable",
    "LiteLLM_VerificationToken",
];

/// Every record to be written, and the table it came from.
#[derive(Debug, Default)]
struct Everything {
    scopes: Vec<(&'static str, ScopeRecord)>,
    invitations: Vec<Invitation>,
    keys: Vec<(&'static str, KeyRecord)>,
    entries: Vec<(&'static str, ConfigEntry)>,
    /// When they were read.
    now: i64,
}

/// Reads an entry of the configuration.
type EntryReader = fn(&mut Row<'_>, Option<&Cipher>) -> Option<ConfigEntry>;

async fn read(
    source: &Source<'_>,
    report: &mut ImportReport,
    now: i64,
    cipher: Option<&Cipher>,
) -> Result<Everything, DbError> {
    let mut everything = Everything { now, ..Everything::default() };
    for (table, read) in scopes::READERS {
        for row in source.rows(table).await? {
            report.table(table).read += 1;
            let mut row = Row::new(table, row, now, report);
            everything.scopes.extend(read(&mut row).into_iter().map(|scope| (*table, scope)));
        }
    }
    for row in source.rows(scopes::INVITATIONS).await? {
        report.table(scopes::INVITATIONS).read += 1;
        everything.invitations.extend(scopes::invitation(&mut Row::new(
            scopes::INVITATIONS,
            row,
            now,
            report,
        )));
    }
    scopes::join(&mut everything.scopes, &source.team_aliases().await?);
    for row in source.rows(keys::TABLE).await? {
        report.table(keys::TABLE).read += 1;
        let mut row = Row::new(keys::TABLE, row, now, report);
        everything.keys.extend(keys::read(&mut row).map(|key| (keys::TABLE, key)));
    }
    keys::join(&mut everything);
    let readers: [(&'static str, EntryReader); 2] =
        [(entries::CREDENTIALS, entries::credential), (entries::MODELS, entries::model)];
    for (table, read) in readers {
        for row in source.rows(table).await? {
            report.table(table).read += 1;
            let mut row = Row::new(table, row, now, report);
            everything.entries.extend(read(&mut row, cipher).map(|entry| (table, entry)));
        }
    }
    Ok(everything)
}

/// Writes a scope unless there is one of its id, living or deleted.
async fn put_scope(conn: &impl ConnectionTrait, scope: ScopeRecord) -> Result<bool, sea_orm::DbErr> {
    let row = scope_row_of(scope);
    let id = (row.kind.clone(), row.id.clone(), row.member.clone());
    if crate::entity::scopes::Entity::find_by_id(id).one(conn).await?.is_some() {
        return Ok(false);
    }
    crate::entity::scopes::Entity::insert(row.into_active_model()).exec_without_returning(conn).await?;
    Ok(true)
}

/// Writes an entry unless there is one of its id.
async fn put_entry(conn: &impl ConnectionTrait, entry: &ConfigEntry, seal: &Seal) -> Result<bool, DbError> {
    use crate::entity::config_entries::Entity;
    let failed = |error| DbError::from_sea("cannot write what was imported", error);
    let id = (entry.kind.as_str().to_owned(), entry.id.clone());
    if Entity::find_by_id(id).one(conn).await.map_err(failed)?.is_some() {
        return Ok(false);
    }
    let row = entry_row_of(entry, seal)?;
    Entity::insert(row).exec_without_returning(conn).await.map_err(failed)?;
    Ok(true)
}

/// What became of a key.
enum Put {
    New,
    There,
    AliasTaken(String),
}

/// Writes a key unless there is one of its hash, living or deleted, or of its alias.
async fn put_key(conn: &impl ConnectionTrait, key: KeyRecord) -> Result<Put, sea_orm::DbErr> {
    use verification_keys::{Column, Entity};
    let row = key_row_of(key);
    if Entity::find_by_id(row.hash.clone()).one(conn).await?.is_some() {
        return Ok(Put::There);
    }
    if let Some(alias) = &row.alias {
        let same = Entity::find().filter(Column::Alias.eq(alias)).filter(Column::DeletedAt.is_null());
        if same.one(conn).await?.is_some() {
            return Ok(Put::AliasTaken(row.hash));
        }
    }
    Entity::insert(row.into_active_model()).exec_without_returning(conn).await?;
    Ok(Put::New)
}
