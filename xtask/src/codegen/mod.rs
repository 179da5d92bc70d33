//! Generated documents: what `gateway dump …` prints, written to docs/reference.

mod page;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::process::Command;

use crate::root;

/// What to do with what was generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Write it.
    Write,
    /// Compare it with what is there.
    Check,
}

/// A generated document.
struct Document {
    /// Where it goes.
    path: &'static str,
    /// What `gateway dump` is asked for.
    dump: &'static str,
    /// From the dump to the text.
    render: fn(&str) -> Result<String, String>,
}

const DOCUMENTS: &[Document] = &[
    Document { path: "docs/reference/cli.md", dump: "cli", render: page::markdown },
    Document { path: "docs/reference/config.md", dump: "config-reference", render: page::markdown },
    Document { path: "docs/reference/config.schema.json", dump: "config-schema", render: page::json },
    Document { path: "docs/reference/metrics.md", dump: "metrics", render: page::metrics },
    Document { path: "docs/reference/endpoints.md", dump: "endpoints", render: page::endpoints },
    Document { path: "docs/reference/providers.md", dump: "providers", render: page::providers },
];

/// Generates every document.
pub(crate) fn run(mode: Mode) -> Result<String, String> {
    let gateway = gateway()?;
    let (mut report, mut stale) = (Vec::new(), Vec::new());
    for document in DOCUMENTS {
        let dump = root::output(Command::new(&gateway).args(["dump", document.dump]))?;
        let text = (document.render)(&dump)
            .map_err(|problem| format!("gateway dump {}: {problem}", document.dump))?;
        let path = root::path(document.path);
        let held = std::fs::read_to_string(&path).unwrap_or_default();
        if held == text {
            continue;
        }
        match mode {
            Mode::Write => {
                root::write(&path, &text)?;
                report.push(format!("wrote {}", document.path));
            }
            Mode::Check => stale.push(format!("{}: {}", document.path, first_difference(&held, &text))),
        }
    }
    if !stale.is_empty() {
        return Err(format!("stale; run `cargo xtask codegen`:\n  {}", stale.join("\n  ")));
    }
    if report.is_empty() {
        report.push(format!("{} generated documents are fresh", DOCUMENTS.len()));
    }
    Ok(report.join("\n"))
}

/// The binary to ask: `$GATEWAY_BIN`, or the debug build, built now.
fn gateway() -> Result<PathBuf, String> {
    if let Some(binary) = std::env::var_os("GATEWAY_BIN") {
        return Ok(binary.into());
    }
    let mut build = root::cargo(&["build", "--quiet", "--package", "gateway-cli"]);
    root::output(&mut build)?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root::path("target"), PathBuf::from);
    Ok(target.join("debug").join(format!("gateway{}", std::env::consts::EXE_SUFFIX)))
}

fn first_difference(held: &str, text: &str) -> String {
    if held.is_empty() {
        return "is missing".to_owned();
    }
    let differs = held.lines().zip(text.lines()).position(|(held, text)| held != text);
    let line = differs.unwrap_or_else(|| held.lines().count().min(text.lines().count()));
    let show = |text: &str| text.lines().nth(line).unwrap_or("(end)").to_owned();
    format!("line {} is `{}`, expected `{}`", line + 1, show(held), show(text))
}
