//! Floors and fences.

use super::*;

fn faults(name: &str, imports: &[(&str, &[&str], bool)]) -> Vec<String> {
    let dependencies = imports.iter().map(|(name, features, for_tests)| Dependency {
        name: (*name).to_owned(),
        features: features.iter().map(|feature| (*feature).to_owned()).collect(),
        for_tests: *for_tests,
    });
    let package =
        Package { name: name.to_owned(), inherits_lints: true, dependencies: dependencies.collect() };
    let mut faults = Vec::new();
    check(&[package], &mut faults);
    faults.retain(|fault| !fault.ends_with("is no crate of the workspace"));
    faults
}

#[test]
fn imports_go_down() {
    assert_eq!(faults("llm-router", &[("llm-types", &[], false), ("llm-providers", &[], false)]), [""; 0]);
    for (name, import, fault) in [
        (
            "llm-cache",
            "llm-providers",
            "`llm-cache` may not import `llm-providers`: siblings do not know each other",
        ),
        ("llm-types", "llm-router", "`llm-types` may not import `llm-router`: it lives above"),
        (
            "gateway-cli",
            "llm-router",
            "`gateway-cli` may not import `llm-router`: its floor does not list it",
        ),
        (
            "gateway-db",
            "llm-providers",
            "`gateway-db` may not import `llm-providers`: its floor does not list it",
        ),
    ] {
        assert_eq!(faults(name, &[(import, &[], false)]), [fault]);
    }
    assert_eq!(faults("llm-providers", &[("llm-types", &[], true)]), [""; 0]);
}

#[test]
fn heavy_packages_have_fences() {
    assert_eq!(faults("gateway-db", &[("sea-orm-migration", &[], false)]), [""; 0]);
    for (name, import, features) in [
        ("gateway-server", "sea-orm-migration", &[] as &[&str]),
        ("gateway-server", "clap", &[]),
        ("llm-providers", "tracing-subscriber", &[]),
        ("llm-providers", "hyper", &["client", "server"]),
        ("llm-router", "arc-swap", &[]),
        ("gateway-cli", "reqwest", &[]),
    ] {
        assert_eq!(faults(name, &[(import, features, false)]).len(), 1, "{name} {import}");
    }
    assert_eq!(faults("llm-providers", &[("hyper", &["server"], true)]), [""; 0], "tests may");
}

#[test]
fn strangers_and_deserters_are_told() {
    assert_eq!(faults("llm-new", &[]).len(), 1);
    let mut told = Vec::new();
    check(
        &[Package { name: "llm-types".into(), inherits_lints: false, dependencies: Vec::new() }],
        &mut told,
    );
    assert!(told.iter().any(|fault| fault.contains("does not inherit the lints")));
    assert_eq!(
        told.iter().filter(|fault| fault.ends_with("is no crate of the workspace")).count(),
        FLOORS.len() - 1
    );
}
