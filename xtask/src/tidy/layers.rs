//! The floors of the house: which crate may import which, and who may name a heavy package.

use serde_json::Value;

use crate::root;

/// Our crates, from the ground up, and what of ours each may import.
const FLOORS: &[(&str, u8, &[&str])] = &[
    ("llm-types", 0, &[]),
    ("llm-providers", 1, &["llm-types"]),
    ("llm-cache", 1, &["llm-types"]),
    ("llm-callbacks", 1, &["llm-types"]),
    ("llm-router", 2, &["llm-types", "llm-providers"]),
    ("gateway-db", 2, &["llm-types"]),
    (
        "gateway-server",
        3,
        &["llm-types", "llm-providers", "llm-cache", "llm-callbacks", "llm-router", "gateway-db"],
    ),
    ("gateway-cli", 4, &["llm-types", "gateway-db", "gateway-server"]),
    ("xtask", 9, &[]),
];

/// Heavy packages (every package whose name begins so) and the only crates that may name them.
const FENCES: &[(&str, &[&str])] = &[
    ("sea-orm", &["gateway-db"]),
    ("sqlx", &["gateway-db"]),
    ("clap", &["gateway-cli"]),
    ("tracing-subscriber", &["gateway-cli"]),
    ("axum", &["gateway-server"]),
    ("hyper", &["llm-providers", "gateway-server"]),
    ("rustls", &["llm-providers", "gateway-server"]),
    ("tokio-rustls", &["llm-providers", "gateway-server"]),
    ("dashmap", &["llm-router", "gateway-server"]),
    ("arc-swap", &["gateway-server"]),
    ("redis", &["gateway-server"]),
    ("reqwest", &[]),
    ("openssl", &[]),
    ("native-tls", &[]),
];

/// Features of a package that only some crates may switch on.
const FEATURE_FENCES: &[(&str, &str, &[&str])] = &[("hyper", "server", &["gateway-server"])];

/// One of our crates and what it imports.
#[derive(Debug)]
pub(super) struct Package {
    name: String,
    inherits_lints: bool,
    dependencies: Vec<Dependency>,
}

#[derive(Debug)]
struct Dependency {
    name: String,
    features: Vec<String>,
    for_tests: bool,
}

/// Our crates as cargo sees them.
pub(super) fn packages() -> Result<Vec<Package>, String> {
    let text =
        root::output(&mut root::cargo(&["metadata", "--no-deps", "--format-version", "1", "--offline"]))?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata lists no packages")?;
    packages.iter().map(package).collect()
}

fn package(package: &Value) -> Result<Package, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let manifest = root::read(std::path::Path::new(&text(&package["manifest_path"])))?;
    let dependencies = list(&package["dependencies"]).into_iter().map(|dependency| Dependency {
        name: text(&dependency["name"]),
        features: list(&dependency["features"]).iter().map(text).collect(),
        for_tests: dependency["kind"] == "dev",
    });
    Ok(Package {
        name: text(&package["name"]),
        inherits_lints: manifest.contains("[lints]\nworkspace = true\n"),
        dependencies: dependencies.collect(),
    })
}

/// Every import that leaves its floor or a fence.
pub(super) fn check(packages: &[Package], faults: &mut Vec<String>) {
    for package in packages {
        let name = package.name.as_str();
        let Some((_, floor, allowed)) = FLOORS.iter().find(|(known, ..)| *known == name) else {
            faults.push(format!("`{name}` is on no floor: give it one in xtask/src/tidy/layers.rs"));
            continue;
        };
        if !package.inherits_lints {
            faults
                .push(format!("`{name}` does not inherit the lints: add `[lints]` with `workspace = true`"));
        }
        for dependency in &package.dependencies {
            check_ours(name, *floor, allowed, dependency, faults);
            check_fences(name, dependency, faults);
        }
    }
    for (name, ..) in FLOORS {
        if !packages.iter().any(|package| package.name == *name) {
            faults.push(format!("`{name}` has a floor but is no crate of the workspace"));
        }
    }
}

fn check_ours(name: &str, floor: u8, allowed: &[&str], dependency: &Dependency, faults: &mut Vec<String>) {
    let other = dependency.name.as_str();
    let Some((_, other_floor, _)) = FLOORS.iter().find(|(known, ..)| *known == other) else { return };
    if other == name || allowed.contains(&other) || (dependency.for_tests && *other_floor < floor) {
        return;
    }
    let why = match other_floor.cmp(&floor) {
        std::cmp::Ordering::Greater => "it lives above",
        std::cmp::Ordering::Equal => "siblings do not know each other",
        std::cmp::Ordering::Less => "its floor does not list it",
    };
    faults.push(format!("`{name}` may not import `{other}`: {why}"));
}

fn check_fences(name: &str, dependency: &Dependency, faults: &mut Vec<String>) {
    let other = dependency.name.as_str();
    let fenced =
        |stem: &str| other == stem || other.strip_prefix(stem).is_some_and(|rest| rest.starts_with('-'));
    for (stem, may) in FENCES {
        if fenced(stem) && !may.contains(&name) && !dependency.for_tests {
            let may = if may.is_empty() { "nobody".to_owned() } else { may.join(", ") };
            faults.push(format!("`{name}` may not name `{other}`: only {may} may"));
        }
    }
    for (package, feature, may) in FEATURE_FENCES {
        let on = dependency.features.iter().any(|on| on == feature);
        if other == *package && on && !may.contains(&name) && !dependency.for_tests {
            faults.push(format!(
                "`{name}` may not switch on `{feature}` of `{package}`: only {} may",
                may.join(", ")
            ));
        }
    }
}

#[cfg(test)]
mod tests;
