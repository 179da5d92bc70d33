//! Flags of LiteLLM's command line that have no meaning here: scripts that pass them keep working
//! where that is harmless, and are refused with a reason where it is not.

use std::ffi::OsString;

/// What a flag of LiteLLM's means to us.
struct Flag {
    name: &'static str,
    takes_value: bool,
    verdict: Verdict,
}

enum Verdict {
    /// Nothing is lost by leaving it out.
    Ignored(&'static str),
    /// Its user would be surprised if we went on.
    Refused(&'static str),
}

use Verdict::{Ignored, Refused};

const fn flag(name: &'static str, takes_value: bool, verdict: Verdict) -> Flag {
    Flag { name, takes_value, verdict }
}

const ONE_PROCESS: &str = "gateway is one process with its own HTTP server";
const NO_RESTARTS: &str = "threads of gateway are not restarted";
const OWN_MIGRATIONS: &str = "the database is brought up to date at start, or by `gateway db migrate`";
const NO_TLS: &str = "gateway does not terminate TLS; put a proxy that does in front of it";
const SET_IN_FILE: &str = "set it in the configuration file: `litellm_params` of the model";

/// From LiteLLM's `--help`; the flags we share with it are clap's (`args.rs`).
const FLAGS: &[Flag] = &[
    flag("--run_gunicorn", false, Ignored(ONE_PROCESS)),
    flag("--run_hypercorn", false, Ignored(ONE_PROCESS)),
    flag("--run_granian", false, Ignored(ONE_PROCESS)),
    flag("--granian_threads", true, Ignored(ONE_PROCESS)),
    flag("--max_requests_before_restart", true, Ignored(NO_RESTARTS)),
    flag("--max_requests_before_restart_jitter", true, Ignored(NO_RESTARTS)),
    flag("--timeout_worker_healthcheck", true, Ignored(NO_RESTARTS)),
    flag("--use_prisma_db_push", false, Ignored(OWN_MIGRATIONS)),
    flag("--use_legacy_migration_resolver", false, Ignored(OWN_MIGRATIONS)),
    flag("--use_v2_migration_resolver", false, Ignored(OWN_MIGRATIONS)),
    flag("--local", false, Ignored("it has no meaning outside LiteLLM's own development")),
    flag("--reload", false, Ignored("the configuration file is watched always")),
    flag("--log_config", true, Ignored("use `RUST_LOG` and `JSON_LOGS`")),
    flag("--keepalive_timeout", true, Ignored("idle connections have a fixed time")),
    flag("--skip_server_startup", false, Refused("use `gateway db migrate`")),
    flag("--ssl_keyfile_path", true, Refused(NO_TLS)),
    flag("--ssl_certfile_path", true, Refused(NO_TLS)),
    flag("--ciphers", true, Refused(NO_TLS)),
    flag("--limit_concurrency", true, Refused("use `general_settings.global_max_parallel_requests`")),
    flag("--prometheus_metrics_port", true, Refused("`/metrics` is served on the same port")),
    flag("--iam_token_db_auth", false, Refused("databases are reached with a user name and a password only")),
    flag(
        "--azure_postgresql_auth",
        false,
        Refused("databases are reached with a user name and a password only"),
    ),
    flag("--api_version", true, Refused(SET_IN_FILE)),
    flag("--headers", true, Refused(SET_IN_FILE)),
    flag("--temperature", true, Refused(SET_IN_FILE)),
    flag("--max_tokens", true, Refused(SET_IN_FILE)),
    flag(
        "--request_timeout",
        true,
        Refused("set `litellm_settings.request_timeout` in the configuration file"),
    ),
    flag("--drop_params", false, Refused("set `litellm_settings.drop_params` in the configuration file")),
    flag("--max_budget", true, Refused("set `litellm_settings.max_budget` in the configuration file")),
    flag("--add_function_to_prompt", false, Refused("tools are never written into prompts")),
    flag("--save", false, Refused("write a configuration file")),
    flag("--add_key", true, Refused("put provider keys into the environment")),
    flag("--health", false, Refused("ask a running gateway: `GET /health`")),
    flag("--test", false, Refused("ask a running gateway: `POST /v1/chat/completions`")),
    flag("--test_async", false, Refused("ask a running gateway: `POST /v1/chat/completions`")),
    flag("--num_requests", true, Refused("it belongs to `--test_async`")),
    flag("--use_queue", false, Refused("it belongs to `--test_async`")),
    flag("--setup", false, Refused("start without a configuration instead")),
];

/// Takes out the flags of LiteLLM's that are ignored, and says so in `notes`.
///
/// # Errors
/// A sentence about a flag that must not be ignored.
pub(crate) fn strip(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<(Vec<OsString>, Vec<String>), String> {
    let (mut kept, mut notes) = (Vec::new(), Vec::new());
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let Some((known, value)) = argument.to_str().and_then(find) else {
            kept.push(argument);
            continue;
        };
        match known.verdict {
            Refused(reason) => return Err(format!("`{}` is a flag of LiteLLM's: {reason}", known.name)),
            Ignored(reason) => notes.push(format!("`{}` has no effect: {reason}", known.name)),
        }
        if known.takes_value && value.is_none() {
            arguments.next();
        }
    }
    Ok((kept, notes))
}

/// The flag an argument names, and the value behind its `=`.
fn find(argument: &str) -> Option<(&'static Flag, Option<&str>)> {
    let (name, value) = match argument.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (argument, None),
    };
    FLAGS.iter().find(|flag| flag.name == name).map(|flag| (flag, value))
}

#[cfg(test)]
mod tests;
