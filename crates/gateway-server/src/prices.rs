//! Where prices come from: the book of this release, or a map of the operator's (`LITELLM_MODEL_COST_MAP_URL`), read at
//! the start and again when that is asked for (`/reload/model_cost_map`).

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use gateway_db::{ConfigEntry, EntryKind};
use http::HeaderMap;
use llm_providers::catalog::PriceBook;
use llm_providers::transport::HyperTransport;
use parking_lot::Mutex;

use crate::config::PriceMap;
use crate::document::{self, Bounds};
use crate::reprice::book_of;
use crate::state::Shared;

/// How far one goes for a map; LiteLLM's has some 2 MB.
const BOUNDS: Bounds = Bounds { patience: Duration::from_secs(10), largest: 64 << 20 };
/// The entry of the database that tells other gateways to read the map again.
pub(crate) const WANTED: &str = "price_map";
/// When that was wanted, in that entry.
pub(crate) const WANTED_AT: &str = "wanted_at";

/// The prices in force, and where they are from.
#[derive(Debug)]
pub(crate) struct Prices {
    transport: HyperTransport,
    held: ArcSwap<Held>,
    /// When another gateway wanted them read that was heard of last, milliseconds.
    heard: Mutex<Option<i64>>,
    /// One reads at a time.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Held {
    book: Arc<PriceBook>,
    /// The address or file they were read from; none for the book of this release.
    source: Option<String>,
    /// Why the operator's map is not in force.
    why_not: Option<String>,
}

impl Prices {
    /// The operator's map where there is one that can be read, else the book of this release.
    pub(crate) async fn begin(map: &PriceMap, transport: HyperTransport) -> Self {
        let builtin = Arc::new(PriceBook::builtin());
        let held = match read(map, &transport, &builtin).await {
            Ok(held) => held,
            Err(why) => {
                let source = map.source.as_deref().map(without_query).unwrap_or_default();
                tracing::warn!(source, why, "the price map cannot be read: the prices of this release hold");
                Held { book: builtin, source: None, why_not: Some(why) }
            }
        };
        Self {
            transport,
            held: ArcSwap::from_pointee(held),
            heard: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// The prices in force.
    pub(crate) fn book(&self) -> Arc<PriceBook> {
        Arc::clone(&self.held.load().book)
    }

    /// Where they are from, if not of this release, and why the operator's map is not in force.
    pub(crate) fn origin(&self) -> (Option<String>, Option<String>) {
        let held = self.held.load();
        (held.source.clone(), held.why_not.clone())
    }

    /// Reads the operator's map again and puts it in force, all of it at once; gives how many models it has. A map that
    /// cannot be read changes nothing.
    ///
    /// # Errors
    /// Why it cannot be read, in words.
    pub(crate) async fn reload(&self, shared: &Shared) -> Result<usize, String> {
        let _turn = self.turn.lock().await;
        let snapshot = shared.snapshot();
        let held = read(&snapshot.config.calls.price_map, &self.transport, &self.book()).await?;
        let models = held.book.count();
        self.held.store(Arc::new(held));
        shared.stored.install_again(shared);
        Ok(models)
    }

    /// Whether another gateway wanted the map read since this was asked last; the first time it never is.
    pub(crate) fn is_wanted(&self, entries: &[ConfigEntry]) -> bool {
        let entry = entries.iter().find(|entry| entry.kind == EntryKind::Setting && entry.id == WANTED);
        let at = entry.and_then(|entry| entry.info.get(WANTED_AT)?.as_i64()).unwrap_or_default();
        self.heard.lock().replace(at).is_some_and(|before| before < at)
    }

    /// What this gateway wants others to do, it has done.
    pub(crate) fn hear(&self, at: i64) {
        *self.heard.lock() = Some(at);
    }
}

/// Reads the operator's map. `before` is what is in force: a map that has lost most of it is a broken one.
async fn read(map: &PriceMap, transport: &HyperTransport, before: &PriceBook) -> Result<Held, String> {
    let Some(source) = map.source.as_ref().filter(|_| !map.local) else {
        return Ok(Held { book: Arc::new(PriceBook::builtin()), source: None, why_not: None });
    };
    let remote = source.starts_with("http://") || source.starts_with("https://");
    let text = if remote {
        document::get(transport, source, HeaderMap::new(), BOUNDS).await?
    } else {
        let path = source.strip_prefix("file://").unwrap_or(source).to_owned();
        tokio::fs::read(path)
            .await
            .map_err(|error| format!("the file cannot be read: {}", error.kind()))?
            .into()
    };
    let parsed = tokio::task::spawn_blocking(move || book_of(&text)).await;
    let book = parsed.map_err(|gone| gone.to_string())?.map_err(|error| error.message().to_owned())?;
    check(map, book.count(), before.count())?;
    Ok(Held { book: Arc::new(book), source: Some(source.clone()), why_not: None })
}

fn check(map: &PriceMap, found: usize, before: usize) -> Result<(), String> {
    if found < map.fewest {
        let fewest = map.fewest;
        return Err(format!(
            "it has {found} models, expected {fewest} at least: set `MODEL_COST_MAP_MIN_MODEL_COUNT` if that is right"
        ));
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of models are small")]
    let share = found as f64 / before.max(1) as f64;
    if share < 1.0 - map.largest_loss {
        return Err(format!(
            "it has {found} models where {before} are known: set `MODEL_COST_MAP_MAX_SHRINK_RATIO` if that is right"
        ));
    }
    Ok(())
}

/// An address as it may be logged: what stands behind the path may be a secret.
fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

#[cfg(test)]
mod tests;
