//! The binary as its users meet it: help, versions, mistakes and exit statuses.

use std::path::Path;
use std::process::{Command, Output};

/// Runs `gateway` with an empty environment.
fn gateway(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gateway")).args(arguments).env_clear().output().expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// Compares with a file in `tests/expected/`; `UPDATE_EXPECTED=1` rewrites it.
fn expect(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expected").join(name);
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&path, text).expect("the file can be written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        text, expected,
        "{name} is stale: run the test with UPDATE_EXPECTED=1 and read the difference"
    );
}

#[test]
fn every_help_is_as_it_was_read_last() {
    let mut all = String::new();
    for command in [
        &[][..],
        &["serve"],
        &["check"],
        &["providers"],
        &["route"],
        &["db"],
        &["db", "migrate"],
        &["version"],
    ] {
        let output = gateway(&[command, &["--help"]].concat());
        assert_eq!(output.status.code(), Some(0));
        all.push_str(&format!("$ gateway {} --help\n{}\n", command.join(" "), text(&output.stdout)));
    }
    expect("help.txt", &all.replace(" \n", "\n").replace("gateway  --help", "gateway --help"));
}

#[test]
fn version_is_data() {
    let output = gateway(&["version"]);
    assert!(text(&output.stdout).starts_with(concat!("gateway ", env!("CARGO_PKG_VERSION"))));
    let json = text(&gateway(&["version", "--json"]).stdout);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(text(&gateway(&["--version"]).stdout), concat!("gateway ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn mistakes_on_the_command_line_end_with_2_and_a_word() {
    for (arguments, says) in [
        (&["--prot", "1"][..], "--port"),
        (&["chekc"], "check"),
        (&["--ssl_keyfile_path", "k.pem"], "does not terminate TLS"),
        (&["--config"], "a value is required"),
    ] {
        let output = gateway(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(says), "{arguments:?}: {}", text(&output.stderr));
        assert_eq!(text(&output.stdout), "");
    }
}
