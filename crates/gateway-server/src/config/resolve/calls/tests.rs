//! Whose certificates count.

use llm_providers::Registry;

use crate::config::{Env, Loaded, Trust, parse};

fn load(value: &str) -> Loaded {
    let env: Env = [("LITELLM_MASTER_KEY", "sk-of-the-tests")].into_iter().collect();
    parse(&format!("litellm_settings: {{ssl_verify: {value}}}"), &env, &Registry::built_in())
}

#[test]
fn certificates_are_looked_at_unless_told_otherwise() {
    for (value, trust) in [
        ("null", Trust::WellKnown),
        ("true", Trust::WellKnown),
        ("'yes'", Trust::WellKnown),
        ("false", Trust::Anyone),
    ] {
        let loaded = load(value);
        let config = loaded.config.unwrap_or_else(|| panic!("{value}: {:#?}", loaded.problems));
        assert_eq!(config.calls.trust, trust, "{value}");
    }
}

#[test]
fn a_file_must_be_there() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    assert_eq!(
        load(&format!("'{file}'")).config.expect("a configuration").calls.trust,
        Trust::File(file.into())
    );
    let loaded = load("/nowhere/ca.pem");
    assert!(loaded.config.is_none());
    assert!(
        loaded.problems.iter().any(|one| one.path == "litellm_settings.ssl_verify"),
        "{:#?}",
        loaded.problems
    );
}
