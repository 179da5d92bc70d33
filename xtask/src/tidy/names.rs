//! Names that must not show: a vendor's in a dialect, a heavy package's in a public signature.

use std::collections::BTreeSet;

use super::File;

const DIALECTS: &str = "crates/llm-providers/src/dialects/";
const PROVIDERS: &str = "crates/llm-providers/src/providers/";

/// Slugs that are also words of a protocol, each with the word.
const WORDS_TOO: &[(&str, &str)] = &[];

/// Types of packages that may change without our callers knowing.
const HIDDEN: &[&str] =
    &["sea_orm::", "DatabaseConnection", "clap::", "dashmap::", "DashMap<", "arc_swap::", "ArcSwap<"];

/// Every name that shows.
pub(super) fn check(files: &[File], faults: &mut Vec<String>) {
    vendors(files, faults);
    signatures(files, faults);
}

/// Every public line that names a hidden type.
fn signatures(files: &[File], faults: &mut Vec<String>) {
    for file in files.iter().filter(|file| file.path.starts_with("crates/") && file.path.ends_with(".rs")) {
        for (index, line) in
            file.text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("pub "))
        {
            if let Some(name) = HIDDEN.iter().find(|name| line.contains(**name)) {
                faults.push(format!("{}:{}: `{name}` shows in a public item", file.path, index + 1));
            }
        }
    }
}

/// Every string of a dialect that is a vendor's slug, except in the folder of that name.
fn vendors(files: &[File], faults: &mut Vec<String>) {
    let slugs = slugs(files);
    for file in files {
        let Some(inside) = file.path.strip_prefix(DIALECTS) else { continue };
        // Tests and golden cases need somebody to talk to.
        if !inside.ends_with(".rs") || inside.ends_with("tests.rs") || inside.contains("/tests/") {
            continue;
        }
        let own = inside.split('/').next().unwrap_or_default().trim_end_matches(".rs");
        for (index, line) in file.text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for literal in code.split('"').skip(1).step_by(2) {
                let slug = literal.split('/').next().unwrap_or_default();
                if slug != own && slugs.contains(slug) && !WORDS_TOO.iter().any(|(word, _)| *word == slug) {
                    faults.push(format!(
                        "{}:{}: the dialect knows the vendor `{slug}`: make it a quirk of the provider's record",
                        file.path,
                        index + 1
                    ));
                }
            }
        }
    }
}

/// The slugs of the provider records.
fn slugs(files: &[File]) -> BTreeSet<&str> {
    let records = files.iter().filter(|file| file.path.starts_with(PROVIDERS));
    let ids = records.flat_map(|file| file.text.split("id: \"").skip(1));
    ids.filter_map(|rest| rest.split('"').next()).collect()
}
