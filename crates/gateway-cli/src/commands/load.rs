//! A configuration that can be served, or every reason why not.

use std::path::Path;

use gateway_server::config::{self, Config, Env, Loaded, Registry, check};

use crate::render::{self, Exit, Failure};

/// Reads a file, says its warnings and gives its configuration.
///
/// # Errors
/// When the file has errors; they have been said.
pub(crate) fn file(path: &Path, env: &Env, strict: bool) -> Result<Config, Failure> {
    usable(config::load(path, env, &Registry::built_in()), &format!("`{}`", path.display()), strict)
}

/// Says what is wrong and gives the configuration if it may be used.
///
/// # Errors
/// When there are errors, or warnings and `strict`; they have been said.
pub(crate) fn usable(loaded: Loaded, name: &str, strict: bool) -> Result<Config, Failure> {
    if !loaded.problems.is_empty() {
        render::talk(check::text(&loaded.problems, strict).trim_end());
    }
    let exit = match check::Verdict::on(&loaded.problems, strict) {
        check::Verdict::Usable => None,
        check::Verdict::Strict => Some(Exit::Failure),
        check::Verdict::Broken => Some(Exit::BadInput),
    };
    match (loaded.config, exit) {
        (Some(config), None) => Ok(config),
        (_, exit) => {
            let failure = Failure::bad_input(format!("{name} cannot be served"));
            Err(Failure { exit: exit.unwrap_or(Exit::BadInput), ..failure })
        }
    }
}
