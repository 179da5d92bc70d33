//! The `gateway` binary: reads the command line, does one command, and says how it ended.

mod args;
mod commands;
mod litellm_flags;
mod logging;
mod quickstart;
mod render;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use args::Cli;
use render::{Exit, Failure};

/// Each core serves its connections alone: an allocator with heaps per thread spares a call the locks
/// and the bookkeeping of a common one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let exit = run(std::env::args_os()).unwrap_or_else(|failure| {
        render::failure(&failure);
        failure.exit
    });
    ExitCode::from(exit as u8)
}

fn run(arguments: impl IntoIterator<Item = OsString>) -> Result<Exit, Failure> {
    let (arguments, notes) = litellm_flags::strip(arguments).map_err(Failure::bad_input)?;
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        // clap's errors know by themselves whether they are help (status 0) or a mistake (status 2).
        Err(error) => error.exit(),
    };
    for note in notes {
        render::talk(format!("warning: {note}"));
    }
    commands::run(cli)
}
