//! Exactly what CI runs, in its order.

use std::process::Command;
use std::time::Instant;

use crate::root;

/// Runs every step and stops at the first that fails.
pub(crate) fn run() -> Result<String, String> {
    let mut report = String::new();
    for (name, mut command) in steps() {
        crate::say(&format!("── {name}"));
        let started = Instant::now();
        let status = command.current_dir(root::root()).status();
        let status = status.map_err(|error| format!("cannot run the step `{name}`: {error}"))?;
        if !status.success() {
            return Err(format!("{report}{name}: failed"));
        }
        report.push_str(&format!("{name}: passed in {:.0} s\n", started.elapsed().as_secs_f64()));
    }
    Ok(report)
}

fn steps() -> Vec<(&'static str, Command)> {
    let mut steps = vec![
        ("format", root::cargo(&["fmt", "--all", "--check"])),
        ("clippy", root::cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])),
        ("tidy", this(&["tidy"])),
        ("codegen", this(&["codegen", "--check"])),
        ("tests", tests()),
        ("doc tests", root::cargo(&["test", "--workspace", "--doc"])),
    ];
    if has("deny") {
        steps.push(("deny", root::cargo(&["deny", "check"])));
    }
    steps
}

/// nextest where it is installed, else cargo's own runner.
///
/// Properties are tried on the same cases in every run, so that a change is judged by what it changed;
/// `just properties` looks for new cases.
fn tests() -> Command {
    let mut command = match has("nextest") {
        true => root::cargo(&["nextest", "run", "--workspace", "--no-fail-fast"]),
        false => root::cargo(&["test", "--workspace", "--all-targets"]),
    };
    if std::env::var_os(SEED).is_none() {
        command.env(SEED, "20260101");
    }
    command
}

/// Where proptest takes the seed of its cases from.
const SEED: &str = "PROPTEST_RNG_SEED";

/// Whether a cargo subcommand is installed.
fn has(subcommand: &str) -> bool {
    root::cargo(&[subcommand, "--version"]).output().is_ok_and(|output| output.status.success())
}

fn this(arguments: &[&str]) -> Command {
    let mut command = root::cargo(&["run", "--quiet", "--package", "xtask", "--"]);
    command.args(arguments);
    command
}
