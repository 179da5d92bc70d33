//! `gateway dump`: what generated documents are made from.

use clap::{Arg, CommandFactory};
use gateway_server::config;
use serde_json::{Value, json};

use super::providers;
use crate::args::{Cli, Dump, DumpArgs};
use crate::render::{self, Exit};

/// Prints one source.
pub(crate) fn run(args: &DumpArgs) -> Exit {
    match args.what {
        Dump::ConfigSchema => render::data(format!("{:#}", config::config_schema())),
        Dump::ConfigReference => render::data(config::config_reference()),
        Dump::Cli => render::data(command_line()),
        Dump::Metrics => render::data(format!("{:#}", metrics())),
        Dump::Endpoints => render::data(format!("{:#}", gateway_server::endpoints_reference())),
        Dump::Providers => render::data(format!("{:#}", providers::records())),
    }
    Exit::Success
}

fn metrics() -> Value {
    let rows = gateway_server::metrics_reference();
    rows.into_iter().map(|(name, kind, help)| json!({"name": name, "kind": kind, "help": help})).collect()
}

/// The command line as Markdown, from the same doc comments as `--help`.
fn command_line() -> String {
    let mut root = Cli::command();
    root.build();
    let mut text = String::from("# Command line\n");
    section(&root, &mut text);
    text
}

fn section(command: &clap::Command, text: &mut String) {
    let name = command.get_bin_name().unwrap_or(command.get_name());
    text.push_str(&format!("\n## `{name}`\n"));
    if let Some(about) = command.get_long_about().or(command.get_about()) {
        text.push_str(&format!("\n{about}\n"));
    }
    let arguments: Vec<_> = command.get_arguments().filter(|argument| is_shown(argument)).collect();
    if !arguments.is_empty() {
        text.push_str("\n| argument | environment | meaning |\n|---|---|---|\n");
        for argument in arguments {
            text.push_str(&row(argument));
        }
    }
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        section(inner, text);
    }
}

fn is_shown(argument: &Arg) -> bool {
    !argument.is_hide_set() && !matches!(argument.get_id().as_str(), "help" | "version")
}

fn row(argument: &Arg) -> String {
    let value = argument
        .get_value_names()
        .filter(|_| argument.get_action().takes_values())
        .and_then(<[_]>::first)
        .map_or_else(String::new, |value| format!(" {value}"));
    let name = match (argument.get_short(), argument.get_long()) {
        (Some(short), Some(long)) => format!("`-{short}`, `--{long}{value}`"),
        (None, Some(long)) => format!("`--{long}{value}`"),
        _ => format!("`{}`", value.trim()),
    };
    let env = argument.get_env().map_or_else(String::new, |name| format!("`{}`", name.to_string_lossy()));
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    format!("| {name} | {env} | {} |\n", help.replace('\n', " "))
}
