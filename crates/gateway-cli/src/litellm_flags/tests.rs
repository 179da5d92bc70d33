//! LiteLLM's flags: passed over, refused, or none of them.

use std::ffi::OsString;

use super::{FLAGS, strip};

fn strip_all(arguments: &[&str]) -> Result<(Vec<String>, Vec<String>), String> {
    let (kept, notes) = strip(arguments.iter().map(OsString::from))?;
    Ok((kept.into_iter().map(|argument| argument.into_string().unwrap()).collect(), notes))
}

#[test]
fn harmless_flags_go_with_their_values_and_are_named() {
    let (kept, notes) = strip_all(&[
        "gateway",
        "--config",
        "c.yaml",
        "--run_gunicorn",
        "--max_requests_before_restart",
        "100",
        "--granian_threads=4",
        "--port",
        "1",
    ])
    .unwrap();
    assert_eq!(kept, ["gateway", "--config", "c.yaml", "--port", "1"]);
    assert_eq!(notes[0], "`--run_gunicorn` has no effect: gateway is one process with its own HTTP server");
    assert_eq!(notes.len(), 3);
}

#[test]
fn a_flag_whose_loss_would_hurt_is_refused() {
    let error = strip_all(&["gateway", "--ssl_keyfile_path", "key.pem"]).unwrap_err();
    assert!(error.starts_with("`--ssl_keyfile_path` is a flag of LiteLLM's: gateway does not"), "{error}");
}

#[test]
fn everything_else_is_claps_business() {
    let arguments = ["gateway", "--num_workers", "4", "--run_gunicorn_not", "x", "--detailed_debug"];
    assert_eq!(strip_all(&arguments).unwrap(), (arguments.map(str::to_owned).to_vec(), vec![]));
}

#[test]
fn no_flag_is_listed_twice() {
    let mut names: Vec<_> = FLAGS.iter().map(|flag| flag.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FLAGS.len());
}
