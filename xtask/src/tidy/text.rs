//! What every text of the project owes its readers: a first sentence, live links, no leftovers.

use super::File;
use crate::root;

/// Words that promise instead of doing.
const LEFTOVERS: &[&str] = &["todo!(", "unimplemented!(", concat!("FIX", "ME"), concat!("XX", "X:")];
/// Paths of one machine.
const FOREIGN: &[&str] = &[concat!("/wo", "rk/"), concat!("/ho", "me/")];
/// Kinds of changelog fragments.
const FRAGMENTS: &[&str] = &["breaking", "change", "feature", "fix"];

/// Every fault of every text.
pub(super) fn check(files: &[File], faults: &mut Vec<String>) {
    for file in files {
        if file.path.ends_with(".rs") {
            header(file, faults);
            inline_tests(file, faults);
        }
        if file.path.ends_with(".md") {
            links(file, faults);
        }
        if file.path.starts_with("changelog.d/") {
            fragment(file, faults);
        }
        if !file.path.starts_with("xtask/src/tidy/") && !file.path.ends_with(".lock") {
            leftovers(file, faults);
        }
    }
}

/// The first thing in a source file says what lives there.
fn header(file: &File, faults: &mut Vec<String>) {
    let first = file.text.lines().find(|line| !line.is_empty() && !line.starts_with("#!["));
    let sentence = first.and_then(|line| line.strip_prefix("//! ")).unwrap_or_default();
    if sentence.trim().is_empty() {
        faults.push(format!("{} does not begin with a `//!` sentence", file.path));
    }
}

/// Tests live in sibling files.
fn inline_tests(file: &File, faults: &mut Vec<String>) {
    if file.path.contains("/src/")
        && file.text.contains("mod tests {")
        && !file.path.starts_with("xtask/src/tidy/")
    {
        faults.push(format!("{} has its tests inside: move them to a sibling `tests.rs`", file.path));
    }
}

fn leftovers(file: &File, faults: &mut Vec<String>) {
    for (index, line) in file.text.lines().enumerate() {
        for word in LEFTOVERS.iter().filter(|word| line.contains(**word)) {
            faults.push(format!("{}:{}: `{word}` is left over", file.path, index + 1));
        }
        for path in FOREIGN.iter().filter(|path| line.contains(**path)) {
            faults.push(format!("{}:{}: `{path}` is a path of one machine", file.path, index + 1));
        }
    }
}

/// Relative links of a Markdown text lead to files.
fn links(file: &File, faults: &mut Vec<String>) {
    let folder = root::path(&file.path).parent().map(std::path::Path::to_path_buf).unwrap_or_default();
    let mut fenced = false;
    for (index, line) in file.text.lines().enumerate() {
        fenced ^= line.trim_start().starts_with("```");
        if fenced {
            continue;
        }
        for target in targets(line) {
            let file_part = target.split('#').next().unwrap_or_default();
            if !file_part.is_empty() && !folder.join(file_part).exists() {
                faults.push(format!("{}:{}: the link to `{target}` leads nowhere", file.path, index + 1));
            }
        }
    }
}

/// The relative targets of the `[text](target)` links of a line.
pub(super) fn targets(line: &str) -> Vec<&str> {
    let code_free: Vec<&str> = line.split('`').step_by(2).collect();
    let mut targets = Vec::new();
    for text in code_free {
        for rest in text.split("](").skip(1) {
            let target = rest.split([')', ' ']).next().unwrap_or_default();
            let absolute = target.contains("://") || target.starts_with("mailto:") || target.starts_with('/');
            if !absolute && !target.is_empty() {
                targets.push(target);
            }
        }
    }
    targets
}

/// A changelog fragment is named `<slug>.<kind>.md` and says something.
fn fragment(file: &File, faults: &mut Vec<String>) {
    let name = file.path.trim_start_matches("changelog.d/");
    if name == "README.md" || name == ".gitkeep" {
        return;
    }
    let parts: Vec<&str> = name.split('.').collect();
    let named = matches!(parts.as_slice(), [slug, kind, "md"]
        if FRAGMENTS.contains(kind) && !slug.is_empty()
            && slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
    if !named {
        faults.push(format!("{}: expected `<slug>.<{}>.md`", file.path, FRAGMENTS.join("|")));
    }
    if file.text.trim().is_empty() {
        faults.push(format!("{} is empty", file.path));
    }
}
