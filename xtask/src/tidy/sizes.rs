//! How long files and functions are.

use super::File;
use super::functions::functions;

/// No file is longer, in lines.
const LONGEST_FILE: usize = 600;
/// No function is longer, in lines from its `fn` to its closing brace.
const LONGEST_FUNCTION: usize = 80;
/// A crate's root is a table of contents.
const LONGEST_ROOT: usize = 120;

/// Longer files, each with its reason.
const LONG_FILES: &[(&str, &str)] = &[];

/// Longer functions (`file:name`), each with its reason.
const LONG_FUNCTIONS: &[(&str, &str)] = &[];

/// Every file and function that is too long; a summary of the rest.
pub(super) fn check(files: &[File], faults: &mut Vec<String>) -> String {
    let (mut file_lines, mut function_lines) = (Vec::new(), Vec::new());
    for file in files.iter().filter(|file| file.path.ends_with(".rs")) {
        let lines = file.text.lines().count();
        file_lines.push(lines);
        let is_root = file.path.ends_with("/src/lib.rs") || file.path.ends_with("/src/main.rs");
        let longest = if is_root { LONGEST_ROOT } else { LONGEST_FILE };
        let excused = LONG_FILES.iter().any(|(path, _)| *path == file.path);
        match (lines > longest, excused) {
            (true, false) => {
                faults.push(format!("{} has {lines} lines, at most {longest} are allowed", file.path))
            }
            (false, true) => {
                faults.push(format!("{} is excused for its length but has only {lines} lines", file.path))
            }
            _ => {}
        }
        for function in functions(&file.text) {
            function_lines.push(function.lines);
            let place = format!("{}:{}", file.path, function.name);
            if function.lines > LONGEST_FUNCTION && !LONG_FUNCTIONS.iter().any(|(known, _)| *known == place) {
                faults.push(format!(
                    "{}:{}: `{}` has {} lines, at most {LONGEST_FUNCTION} are allowed",
                    file.path, function.line, function.name, function.lines
                ));
            }
        }
    }
    format!("Files: {}. Functions: {}.", spread(file_lines), spread(function_lines))
}

/// Median, ninth decile and maximum.
fn spread(mut lines: Vec<usize>) -> String {
    lines.sort_unstable();
    let at = |share: usize| lines.get(lines.len().saturating_sub(1) * share / 100).copied().unwrap_or(0);
    format!("{} of median {}, p90 {}, at most {} lines", lines.len(), at(50), at(90), at(100))
}
