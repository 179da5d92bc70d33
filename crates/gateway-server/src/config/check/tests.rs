//! Verdicts and how they are rendered.

use super::{Verdict, json, summary, text};
use crate::config::{Place, Problem, Severity};

fn problem(severity: Severity, path: &str) -> Problem {
    Problem {
        severity,
        path: path.to_owned(),
        place: Place { file: "c.yaml".to_owned(), line: 3 },
        found: "found `x`".to_owned(),
        expected: "expected y".to_owned(),
        hint: None,
    }
}

#[test]
fn warnings_are_fatal_only_when_strict() {
    let warning = problem(Severity::Warning, "a");
    let error = problem(Severity::Error, "b");
    for (problems, strict, expected) in [
        (vec![], false, 0),
        (vec![], true, 0),
        (vec![warning.clone()], false, 0),
        (vec![warning.clone()], true, 1),
        (vec![error.clone()], false, 2),
        (vec![error, warning], true, 2),
    ] {
        assert_eq!(Verdict::on(&problems, strict).exit_code(), expected, "{problems:?} {strict}");
    }
}

#[test]
fn errors_come_first_and_all_are_counted() {
    let problems =
        [problem(Severity::Warning, "a"), problem(Severity::Error, "b"), problem(Severity::Warning, "c")];
    assert_eq!(
        text(&problems, false),
        "error: b: found `x`; expected y\n  at c.yaml:3\n\nwarning: a: found `x`; expected y\n  at c.yaml:3\n\n\
         warning: c: found `x`; expected y\n  at c.yaml:3\n\n1 error, 2 warnings: the configuration cannot be used\n"
    );
    assert_eq!(summary(&[], true), "the configuration is clean\n");
    assert_eq!(summary(&problems[..1], false), "1 warning: the configuration can be used\n");
}

#[test]
fn programs_get_the_same() {
    let json = json(&[problem(Severity::Error, "b")], false);
    assert_eq!(
        json.to_string(),
        r#"{"usable":false,"errors":1,"warnings":0,"problems":[{"severity":"error","path":"b","place":{"file":"c.yaml","line":3},"found":"found `x`","expected":"expected y"}]}"#
    );
}
