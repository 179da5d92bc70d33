//! `model_prices.json`: reading LiteLLM's map into it, checking it, telling what changed.
//!
//! Schema: docs/reference/model_prices.md.

mod check;
mod diff;
mod file;
mod import;
#[expect(dead_code, reason = "the way back to LiteLLM's names is for the gateway only")]
#[path = "../../../crates/llm-providers/src/catalog/keys.rs"]
mod keys;
mod line;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::process::Command;

use crate::root;

const FILE: &str = "model_prices.json";
const OVERRIDES: &str = "xtask/price_overrides.json";

/// Runs a `prices` command.
pub(crate) fn run(words: &[&str]) -> Result<String, String> {
    match words {
        ["import", "--from", source] => import_from(source),
        ["check"] => check::check(&root::read(&root::path(FILE))?),
        ["diff", old] => diff::diff(&fetch(old)?, &root::read(&root::path(FILE))?),
        ["diff", old, new] => diff::diff(&fetch(old)?, &fetch(new)?),
        _ => {
            Err("usage: cargo xtask prices import --from <file|url> | check | diff <old> [<new>]".to_owned())
        }
    }
}

fn import_from(source: &str) -> Result<String, String> {
    let overrides = match std::fs::read_to_string(root::path(OVERRIDES)) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "{}".to_owned(),
        Err(error) => return Err(format!("cannot read {OVERRIDES}: {error}")),
    };
    let (text, report) = import::import(&fetch(source)?, &overrides)?;
    let checked = check::check(&text)?;
    root::write(&root::path(FILE), &text)?;
    Ok(format!("{report}\n{checked}"))
}

/// The text of a file or, by `curl`, of a URL.
fn fetch(source: &str) -> Result<String, String> {
    if !source.starts_with("http://") && !source.starts_with("https://") {
        return root::read(Path::new(source));
    }
    let output = Command::new("curl").args(["-fsSL", "--max-time", "60", source]).output();
    let output = output.map_err(|error| format!("cannot run curl: {error}"))?;
    if !output.status.success() {
        return Err(format!("cannot fetch {source}: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("{source} is not UTF-8: {error}"))
}
