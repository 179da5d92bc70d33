//! The command line is sound and takes LiteLLM's spellings.

use clap::{CommandFactory, Parser};

use super::{Cli, Command, ServeArgs};

fn serve(arguments: &[&str]) -> ServeArgs {
    let cli = Cli::try_parse_from([&["gateway"], arguments].concat()).unwrap();
    match cli.command {
        None => cli.serve,
        Some(Command::Serve(args)) => args,
        Some(other) => panic!("{other:?}"),
    }
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn serving_needs_no_word_and_takes_litellms_spellings() {
    let ours = ["serve", "--config", "c.yaml", "--host", "127.0.0.1", "--port", "8000", "--workers", "2"];
    let litellms = ["-c", "c.yaml", "--host", "127.0.0.1", "-p", "8000", "--num_workers", "2"];
    assert_eq!(format!("{:?}", serve(&ours)), format!("{:?}", serve(&litellms)));
    assert!(serve(&["--detailed_debug"]).detailed_debug);
    assert!(serve(&["--config", "c.yaml", "--validate_config"]).validate_config);
    let single = serve(&["--model", "openai/gpt-4o", "--api_base", "http://localhost:1", "--alias", "gpt"]);
    assert_eq!((single.model.as_deref(), single.alias.as_deref()), (Some("openai/gpt-4o"), Some("gpt")));
}

#[test]
fn what_makes_no_sense_is_refused() {
    for arguments in [
        &["--port", "70000"][..],
        &["--host", "not an address"],
        &["--model", "m", "--config", "c.yaml"],
        &["--alias", "only"],
        &["--validate_config"],
        &["--no-such-flag"],
        &["no-such-command"],
        &["check"],
    ] {
        assert!(Cli::try_parse_from([&["gateway"], arguments].concat()).is_err(), "{arguments:?}");
    }
}
