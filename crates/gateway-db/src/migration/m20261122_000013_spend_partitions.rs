//! The spend log by time: on PostgreSQL a table of ranges that can be dropped one by one; on both databases
//! indexes for those who ask by user, team or model, and what a call was booked at before it was priced anew.

use sea_orm_migration::prelude::*;

use super::run_script;

/// The table of ranges, its indexes, and the column.
#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's signature elides it, and the macro compares")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "ALTER TABLE spend_log ADD COLUMN booked_cost bigint").await?;
        if manager.get_database_backend() == sea_orm::DatabaseBackend::Postgres {
            run_script(manager, DIVIDE).await?;
            manager.get_connection().execute_unprepared(ATTACH).await?;
            run_script(manager, INDEXES).await?;
        }
        run_script(manager, MORE_INDEXES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == sea_orm::DatabaseBackend::Postgres {
            run_script(manager, UNITE).await?;
            run_script(manager, INDEXES).await?;
        } else {
            run_script(manager, DROP_MORE_INDEXES).await?;
        }
        run_script(manager, "ALTER TABLE spend_log DROP COLUMN booked_cost").await
    }
}

/// The table as it was becomes the range of everything so far: its rows are not copied. The time must be a part
/// of the key of a table of ranges. A request still lands once: its time is a part of the ledger's record, so that
/// a record that is shipped again has the same.
const DIVIDE: &str = "
ALTER TABLE spend_log RENAME TO spend_log_past;
ALTER TABLE spend_log_past DROP CONSTRAINT spend_log_pkey;
DROP INDEX spend_log_time;
DROP INDEX spend_log_key;
DROP INDEX spend_log_call;
DROP INDEX spend_log_end_user;
CREATE TABLE spend_log (LIKE spend_log_past INCLUDING DEFAULTS) PARTITION BY RANGE (started_at);
ALTER TABLE spend_log ADD PRIMARY KEY (request_id, started_at);
CREATE TABLE spend_log_default PARTITION OF spend_log DEFAULT;
ALTER TABLE spend_log_past ADD PRIMARY KEY (request_id, started_at)
";

/// Ends the range of everything so far at the next midnight (UTC), or, where there are no rows, at the last one.
/// Rows of a clock that was wrong, beyond it, are for the partition of what belongs nowhere.
const ATTACH: &str = "
DO $$
DECLARE
    day constant bigint := 86400000;
    today bigint := floor(extract(epoch FROM now()) * 1000 / day) * day;
    until bigint := today;
BEGIN
    IF EXISTS (SELECT 1 FROM spend_log_past) THEN
        until := today + day;
        WITH beyond AS (DELETE FROM spend_log_past WHERE started_at >= until RETURNING *)
        INSERT INTO spend_log_default SELECT * FROM beyond;
    END IF;
    EXECUTE format('ALTER TABLE spend_log ATTACH PARTITION spend_log_past FOR VALUES FROM (MINVALUE) TO (%s)', until);
END $$
";

/// What the first schema had, on all ranges.
const INDEXES: &str = "
CREATE INDEX spend_log_time ON spend_log (started_at);
CREATE INDEX spend_log_key ON spend_log (key_hash, started_at);
CREATE INDEX spend_log_call ON spend_log (call_id) WHERE call_id IS NOT NULL;
CREATE INDEX spend_log_end_user ON spend_log (end_user, started_at) WHERE end_user IS NOT NULL
";

const MORE_INDEXES: &str = "
CREATE INDEX spend_log_user ON spend_log (user_id, started_at) WHERE user_id IS NOT NULL;
CREATE INDEX spend_log_team ON spend_log (team_id, started_at) WHERE team_id IS NOT NULL;
CREATE INDEX spend_log_model ON spend_log (model_group, started_at)
";

const DROP_MORE_INDEXES: &str =
    "DROP INDEX spend_log_user; DROP INDEX spend_log_team; DROP INDEX spend_log_model";

/// One table again, with everything copied.
const UNITE: &str = "
CREATE TABLE spend_log_whole (LIKE spend_log INCLUDING DEFAULTS);
INSERT INTO spend_log_whole SELECT * FROM spend_log;
DROP TABLE spend_log;
ALTER TABLE spend_log_whole RENAME TO spend_log;
ALTER TABLE spend_log ADD CONSTRAINT spend_log_pkey PRIMARY KEY (request_id)
";
