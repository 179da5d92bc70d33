//! Models and credentials that are kept in the database, in force beside the file's (`store_model_in_db`).

use std::sync::OnceLock;

use gateway_db::{ConfigEntry, Db, EntryKind, JsonMap, Seal, Seals};
use llm_types::Result;
use parking_lot::Mutex;

use crate::config::{Config, Problem};
use crate::identity::unavailable;
use crate::state::Shared;

/// The id of a deployment that is tried before anybody keeps it.
pub(crate) const TRIED: &str = "test-connection";

/// What the database has, as it was read last.
#[derive(Debug)]
pub(crate) struct Stored {
    /// Opens secrets; none where models are not kept in the database, or nothing was given to seal with.
    seal: Option<Seal>,
    /// The seal of the master key that follows the one in force, once everything was sealed with it.
    next: OnceLock<Seal>,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    entries: Vec<ConfigEntry>,
    /// The version of the feed that `entries` were read at.
    version: i64,
}

impl Stored {
    /// Nothing yet, for a configuration.
    ///
    /// # Errors
    /// When no key can be derived from the salt.
    pub(crate) fn new(config: &Config) -> std::result::Result<Self, gateway_db::DbError> {
        let general = &config.general;
        let salt = general.salt_key.as_ref().or(general.master_key.as_ref());
        let salt = salt.filter(|_| general.models_in_database);
        let seal = salt.map(|salt| Seal::new(salt.reveal())).transpose()?;
        Ok(Self { seal, next: OnceLock::new(), held: Mutex::new(Held { version: -1, ..Held::default() }) })
    }

    /// What seals secrets, if they may be kept.
    pub(crate) fn seal(&self) -> Option<&Seal> {
        self.next.get().or(self.seal.as_ref())
    }

    /// Seals everything anew with another salt, which holds from now on.
    ///
    /// # Errors
    /// When the database refuses; then nothing has changed.
    pub(crate) async fn reseal(&self, db: &Db, salt: &str) -> Result<Option<Seals>, gateway_db::DbError> {
        let Some(old) = self.seal() else { return Ok(None) };
        let new = Seal::new(salt)?;
        let seals = db.reseal(old, &new).await?;
        // Who asks twice at once has sealed everything for the second time with what the first one's opens no more.
        if self.next.set(new).is_err() {
            tracing::error!("the master key was rotated twice: restart with the last one");
        }
        Ok(Some(seals))
    }

    /// Whether everything was sealed anew since the start: another time needs a restart.
    pub(crate) fn is_resealed(&self) -> bool {
        self.next.get().is_some()
    }

    /// Puts the file's configuration in force, with what the database has.
    pub(crate) fn install(&self, shared: &Shared, config: Config) {
        let held = self.held.lock();
        shared.put_in_force(if held.entries.is_empty() { config } else { joined(&config, &held.entries) });
    }

    /// Puts what is configured in force once more: what it was resolved with has changed.
    pub(crate) fn install_again(&self, shared: &Shared) {
        let _held = self.held.lock();
        shared.put_in_force(shared.snapshot().config.clone());
    }

    /// The configuration with what the database has.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::Overloaded`] when the database does not answer.
    pub(crate) async fn begin(&self, db: &Db, config: Config) -> Result<Config> {
        let Some(seal) = self.seal() else { return Ok(config) };
        let read = read(db, seal, &[]).await?;
        let config = joined(&config, &read.entries);
        *self.held.lock() = read;
        Ok(config)
    }

    /// Puts in force what this or another replica changed since the last look.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::Overloaded`] when the database does not answer.
    pub(crate) async fn follow(&self, shared: &Shared) -> Result<()> {
        let (Some(seal), Some(db)) = (self.seal(), shared.directory.db()) else { return Ok(()) };
        let version = db.entries_version().await.map_err(unavailable)?;
        if version == self.held.lock().version {
            return Ok(());
        }
        let known = self.entries();
        let read = read(db, seal, &known).await?;
        let reads_prices = shared.prices.is_wanted(&read.entries);
        {
            let mut held = self.held.lock();
            if held.version < read.version {
                *held = read;
                shared.put_in_force(joined(&shared.snapshot().config, &held.entries));
            }
        }
        if reads_prices && let Err(why) = shared.prices.reload(shared).await {
            tracing::warn!(why, "another gateway read the price map again; here it cannot be read");
        }
        Ok(())
    }

    /// What is wrong with an entry that is to be kept besides the others, in words; nothing when it can be served.
    pub(crate) fn problems_of(&self, shared: &Shared, entry: &ConfigEntry) -> Vec<Problem> {
        let origin = &shared.snapshot().config.origin;
        let mut entries: Vec<ConfigEntry> = self.held.lock().entries.clone();
        entries.retain(|other| other.kind == EntryKind::Credential && other.id != entry.id);
        entries.push(entry.clone());
        let (_, problems) = origin.with(&origin.entries(&entries));
        problems.into_iter().filter(|problem| problem.path.starts_with("stored_models")).collect()
    }

    /// The configuration with one more deployment, [`TRIED`], that is kept nowhere; what is wrong with it, in words.
    pub(crate) fn tried(&self, shared: &Shared, params: JsonMap, info: JsonMap) -> (Config, Vec<Problem>) {
        let entry = ConfigEntry {
            kind: EntryKind::Model,
            id: TRIED.to_owned(),
            name: TRIED.to_owned(),
            secret: params,
            info,
            blocked: false,
            created_at: 0,
            created_by: None,
            updated_at: 0,
            updated_by: None,
        };
        let origin = &shared.snapshot().config.origin;
        let mut entries: Vec<ConfigEntry> = self.held.lock().entries.clone();
        entries.retain(|other| other.kind == EntryKind::Credential);
        entries.push(entry);
        let (config, mut problems) = origin.with(&origin.entries(&entries));
        problems.retain(|problem| problem.path.starts_with("stored_models"));
        (config, problems)
    }

    /// The entries as they were read last.
    pub(crate) fn entries(&self) -> Vec<ConfigEntry> {
        self.held.lock().entries.clone()
    }
}

/// The version is read first: what changes meanwhile is read again. What is known already and cannot be opened any more
/// stays as it is known: another gateway has sealed it for a master key that comes with the next start.
async fn read(db: &Db, seal: &Seal, known: &[ConfigEntry]) -> Result<Held> {
    let version = db.entries_version().await.map_err(unavailable)?;
    let found = db.entries(seal).await.map_err(unavailable)?;
    for error in &found.unreadable {
        tracing::error!(%error, "an entry of the configuration is left out: is `LITELLM_SALT_KEY` the one it was made with?");
    }
    let mut entries = found.entries;
    let stays = |entry: &&ConfigEntry| {
        found.unopened.iter().any(|(kind, id)| kind == entry.kind.as_str() && *id == entry.id)
    };
    entries.extend(known.iter().filter(stays).cloned());
    Ok(Held { entries, version })
}

fn joined(config: &Config, entries: &[ConfigEntry]) -> Config {
    let (config, problems) = config.origin.with(&config.origin.entries(entries));
    for problem in problems.iter().filter(|problem| problem.path.starts_with("stored_")) {
        tracing::warn!(%problem, "an entry of the configuration in the database");
    }
    config
}
