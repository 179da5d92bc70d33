//! What a running gateway listens to beside callers: signals, and changes of its file.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use gateway_server::Gateway;
use gateway_server::config::{self, Env, Problem, Registry, Severity};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

use crate::args::ServeArgs;
use crate::render::Failure;

/// How often the file is looked at. Polling also sees what replaces a mounted file as a whole.
const LOOK: Duration = Duration::from_secs(1);

/// Returns when SIGTERM or SIGINT says so. Until then SIGHUP and a changed file reload the configuration.
/// `ready` is called when signals are understood: who acts on the greeting may send one.
///
/// # Errors
/// When signals cannot be received.
pub(super) fn until_stopped(
    gateway: &Gateway,
    args: &ServeArgs,
    env: &Env,
    ready: impl FnOnce(),
) -> Result<(), Failure> {
    let on = |kind| signal(kind).map_err(|error| Failure::new("cannot receive signals").because(error));
    gateway.block_on(async {
        let (mut term, mut int) = (on(SignalKind::terminate())?, on(SignalKind::interrupt())?);
        let mut hup = on(SignalKind::hangup())?;
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = args.config.as_deref().map(Seen::of);
        ready();
        loop {
            tokio::select! {
                _ = term.recv() => break,
                _ = int.recv() => break,
                _ = hup.recv() => {
                    if let Some(path) = &args.config {
                        seen = Some(Seen::of(path));
                        reload(gateway, path, env, args.strict);
                    }
                }
                _ = ticks.tick() => {
                    if let Some(path) = &args.config
                        && seen.as_ref().is_some_and(Seen::changed)
                    {
                        seen = Some(Seen::of(path));
                        reload(gateway, path, env, args.strict);
                    }
                }
            }
        }
        tracing::info!("stopping: no new calls, those in flight finish");
        Ok(())
    })
}

/// Puts the file's configuration in force; one that cannot be used changes nothing.
fn reload(gateway: &Gateway, path: &Path, env: &Env, strict: bool) {
    let loaded = config::load(path, env, &Registry::built_in());
    for problem in &loaded.problems {
        say(problem);
    }
    match loaded.config {
        Some(config) if !strict || loaded.problems.is_empty() => gateway.reload(config),
        _ => tracing::error!(
            file = %path.display(),
            "the changed configuration cannot be used: the one before stays in force"
        ),
    }
}

fn say(problem: &Problem) {
    match problem.severity {
        Severity::Warning => tracing::warn!("{problem}"),
        Severity::Error => tracing::error!("{problem}"),
    }
}

/// The file and those it includes, as they were when they were read.
#[derive(Debug)]
struct Seen(Vec<(PathBuf, Option<Stamp>)>);

impl Seen {
    fn of(path: &Path) -> Self {
        let stamped = |file: PathBuf| {
            let stamp = Stamp::of(&file);
            (file, stamp)
        };
        Self(config::files(path).into_iter().map(stamped).collect())
    }

    /// Whether one of them is another now. A file that is away for a moment is being replaced.
    fn changed(&self) -> bool {
        self.0.iter().any(|(file, seen)| {
            let now = Stamp::of(file);
            now.is_some() && now != *seen
        })
    }
}

/// What tells two states of a file apart.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    size: u64,
    inode: u64,
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let metadata: Metadata = std::fs::metadata(path).ok()?;
        let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
        Some(Self { modified: metadata.modified().ok(), size: metadata.len(), inode })
    }
}

#[cfg(test)]
mod tests;
