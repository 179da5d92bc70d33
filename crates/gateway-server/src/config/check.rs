//! The verdict on a configuration, for `gateway check` and the start of `gateway serve`.
//!
//! Exit codes: 0 when the file is clean or has warnings only, 1 when warnings were made fatal by
//! `--strict`, 2 when there are errors.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Problem, Severity};

/// Whether a file may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Usable,
    /// It has warnings, and they are fatal.
    Strict,
    /// It has errors.
    Broken,
}

impl Verdict {
    /// The verdict on a file's problems; `strict` makes warnings fatal.
    #[must_use]
    pub fn on(problems: &[Problem], strict: bool) -> Self {
        match problems.iter().map(|problem| problem.severity).max() {
            Some(Severity::Error) => Self::Broken,
            Some(Severity::Warning) if strict => Self::Strict,
            _ => Self::Usable,
        }
    }

    /// The exit code of `gateway check`.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Usable => 0,
            Self::Strict => 1,
            Self::Broken => 2,
        }
    }
}

/// How many errors and warnings there are.
fn counts(problems: &[Problem]) -> (usize, usize) {
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    (errors, problems.len() - errors)
}

/// The problems for people: errors first, then warnings, then one line that counts them.
#[must_use]
pub fn text(problems: &[Problem], strict: bool) -> String {
    let mut text = String::new();
    for severity in [Severity::Error, Severity::Warning] {
        for problem in problems.iter().filter(|problem| problem.severity == severity) {
            writeln!(text, "{problem}\n").expect("writing to a string cannot fail");
        }
    }
    text.push_str(&summary(problems, strict));
    text
}

/// One line that counts, such as `2 errors, 1 warning: the configuration cannot be used`.
#[must_use]
pub fn summary(problems: &[Problem], strict: bool) -> String {
    let (errors, warnings) = counts(problems);
    let many = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let counted = match (errors, warnings) {
        (0, 0) => return "the configuration is clean\n".to_owned(),
        (errors, 0) => many(errors, "error"),
        (0, warnings) => many(warnings, "warning"),
        (errors, warnings) => format!("{}, {}", many(errors, "error"), many(warnings, "warning")),
    };
    let verdict = match Verdict::on(problems, strict) {
        Verdict::Usable => "the configuration can be used",
        Verdict::Strict => "the configuration is refused, because warnings are fatal here",
        Verdict::Broken => "the configuration cannot be used",
    };
    format!("{counted}: {verdict}\n")
}

/// The problems for programs.
#[must_use]
pub fn json(problems: &[Problem], strict: bool) -> Value {
    let (errors, warnings) = counts(problems);
    json!({
        "usable": Verdict::on(problems, strict) == Verdict::Usable,
        "errors": errors,
        "warnings": warnings,
        "problems": problems,
    })
}

#[cfg(test)]
mod tests;
