//! The log: who writes it, how much, and in which form.

use std::ffi::OsString;
use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::args::ServeArgs;

/// What is logged without a word from the operator.
const DEFAULT: &str = "info,sqlx=warn,sea_orm_migration=warn";

/// What `--detailed_debug` shows; what libraries do below us is of no interest to an operator.
const DETAILED: &str = "debug,hyper=info,sqlx=info,rustls=info,h2=info";

/// Reads an environment variable; a parameter so that tests need no environment.
pub(crate) type Env<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Installs the process's subscriber: `RUST_LOG`, else the flags, else `LITELLM_LOG`, else `info`;
/// JSON lines with `JSON_LOGS`. The log goes to standard error.
pub(crate) fn install(args: &ServeArgs, env: Env<'_>) {
    let filter = EnvFilter::new(directives(args, env));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let builder = builder.with_ansi(std::io::stderr().is_terminal());
    let installed = if is_on(env("JSON_LOGS")) {
        builder.json().flatten_event(true).try_init()
    } else {
        builder.with_target(false).try_init()
    };
    if let Err(error) = installed {
        crate::render::talk(format!("warning: the log is not available: {error}"));
    }
}

/// The filter's text.
fn directives(args: &ServeArgs, env: Env<'_>) -> String {
    let text = |name| env(name).and_then(|value| value.into_string().ok()).filter(|value| !value.is_empty());
    if let Some(directives) = text("RUST_LOG") {
        return directives;
    }
    if args.detailed_debug || args.debug {
        return if args.detailed_debug { DETAILED } else { DEFAULT }.into();
    }
    match text("LITELLM_LOG").map(|level| level.to_ascii_lowercase()).as_deref() {
        Some("debug") => DETAILED.into(),
        Some("warning" | "warn") => "warn".into(),
        Some("error" | "critical") => "error".into(),
        Some("trace") => "trace".into(),
        _ => DEFAULT.into(),
    }
}

/// LiteLLM's way of saying yes in the environment.
fn is_on(value: Option<OsString>) -> bool {
    value
        .and_then(|value| value.into_string().ok())
        .is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "true" | "1" | "yes" | "on"))
}

#[cfg(test)]
mod tests;
