//! The commands, one file each.

mod audit;
mod check;
mod data_dir;
mod db;
mod dump;
mod import;
mod load;
mod login;
mod providers;
mod route;
mod serve;
mod spend;
mod version;

use crate::args::{Cli, Command};
use crate::render::{Exit, Failure};

/// Does what was asked.
///
/// # Errors
/// Why it could not be done.
pub(crate) fn run(cli: Cli) -> Result<Exit, Failure> {
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(args) => serve::run(&args),
        Command::Check(args) => Ok(check::run(&args)),
        Command::Route(args) => route::run(args),
        Command::Providers(args) => providers::run(&args),
        Command::Login(args) => login::run(&args),
        Command::Db(command) => db::run(&command),
        Command::Audit(command) => audit::run(&command),
        Command::Import(command) => import::run(&command),
        Command::Spend(command) => spend::run(&command),
        Command::Version(args) => Ok(version::run(&args)),
        Command::Dump(args) => Ok(dump::run(&args)),
    }
}
