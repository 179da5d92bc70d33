//! Files from disk: the main one and those it includes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::tree::{Member, Node, Tree};
use super::yaml;
use crate::config::{Problem, Severity};

/// Reads a file and what it includes into one tree, and tells which files these are. A file that cannot
/// be included is an error, and what could be read is a tree all the same, so that it is checked too.
pub(crate) fn read(path: &Path, problems: &mut Vec<Problem>) -> (Option<Node>, Vec<PathBuf>) {
    let mut reading = Reading { chain: Vec::new(), files: Vec::new(), problems };
    let node = one(path, &mut reading);
    (node, reading.files)
}

/// What is gathered while files are read.
struct Reading<'p> {
    /// The files that are being read, each included by the one before.
    chain: Vec<PathBuf>,
    /// Every file that was looked for.
    files: Vec<PathBuf>,
    problems: &'p mut Vec<Problem>,
}

/// Takes `include` out of a tree that was not read from a file.
pub(crate) fn without_includes(node: &mut Node, problems: &mut Vec<Problem>) {
    if let Some(include) = take_include(node) {
        problems.push(fault(
            &include,
            "include",
            "found `include` in a text without a file",
            "there is no folder to look in",
        ));
    }
}

fn one(path: &Path, reading: &mut Reading<'_>) -> Option<Node> {
    reading.files.push(path.to_owned());
    let name: Arc<str> = path.display().to_string().into();
    let text = match std::fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => {
            reading.problems.push(unreadable(&name, "the file is not UTF-8"));
            return None;
        }
        Err(error) => {
            reading.problems.push(unreadable(&name, &format!("the file cannot be read: {}", error.kind())));
            return None;
        }
    };
    let mut node = yaml::read(&text, &name, reading.problems)?;
    if !matches!(node.tree, Tree::Map(_)) {
        reading.problems.push(fault(&node, "", &format!("found {}", node.kind()), "expected a mapping"));
        return None;
    }
    reading.chain.push(path.canonicalize().unwrap_or_else(|_| path.to_owned()));
    if let Some(include) = take_include(&mut node) {
        for (index, item) in include.items().iter().enumerate() {
            included(&mut node, item, &format!("include[{index}]"), path, reading);
        }
        if !matches!(include.tree, Tree::List(_) | Tree::Null) {
            reading.problems.push(fault(
                &include,
                "include",
                &format!("found {}", include.kind()),
                "expected a list of file names",
            ));
        }
    }
    reading.chain.pop();
    Some(node)
}

fn included(node: &mut Node, item: &Node, path: &str, declaring: &Path, reading: &mut Reading<'_>) {
    let Some(name) = item.text() else {
        reading.problems.push(fault(item, path, &format!("found {}", item.kind()), "expected a file name"));
        return;
    };
    let file = declaring.parent().unwrap_or(Path::new("")).join(name);
    let real = file.canonicalize();
    if real.as_ref().is_ok_and(|real| reading.chain.contains(real)) {
        reading.problems.push(fault(
            item,
            path,
            "found a file that includes itself",
            "expected no circle of includes",
        ));
        return;
    }
    if real.is_err() {
        reading.files.push(file);
        let found = format!("found `{name}`, which is not there");
        reading.problems.push(fault(item, path, &found, "expected a file beside the one that includes it"));
        return;
    }
    if let Some(more) = one(&file, reading) {
        join(node, more, reading.problems);
    }
}

fn take_include(node: &mut Node) -> Option<Node> {
    let Tree::Map(members) = &mut node.tree else { return None };
    let index = members.iter().position(|member| member.key == "include")?;
    Some(members.remove(index).value)
}

/// Adds an included file: lists are appended, mappings merged, all else is replaced.
fn join(node: &mut Node, more: Node, problems: &mut Vec<Problem>) {
    let (Tree::Map(members), Tree::Map(more)) = (&mut node.tree, more.tree) else { return };
    for member in more {
        let Some(mine) = members.iter_mut().find(|mine| mine.key == member.key) else {
            members.push(member);
            continue;
        };
        match (&mut mine.value.tree, member.value.tree) {
            (Tree::List(mine), Tree::List(more)) => mine.extend(more),
            (Tree::Map(mine), Tree::Map(more)) => replace_all(mine, more, &member.key, problems),
            (_, tree) => mine.value = Node { at: member.value.at, tree },
        }
    }
}

fn replace_all(mine: &mut Vec<Member>, more: Vec<Member>, section: &str, problems: &mut Vec<Problem>) {
    for member in more {
        let Some(earlier) = mine.iter_mut().find(|earlier| earlier.key == member.key) else {
            mine.push(member);
            continue;
        };
        if earlier.value.tree != member.value.tree {
            problems.push(Problem {
                severity: Severity::Warning,
                path: format!("{section}.{}", member.key),
                place: member.at.place(),
                found: "found another value than in the file that includes this one".into(),
                expected: "the included file counts".into(),
                hint: Some("keep the setting in one of the two files".into()),
            });
        }
        *earlier = member;
    }
}

fn unreadable(name: &str, found: &str) -> Problem {
    Problem {
        severity: Severity::Error,
        path: String::new(),
        place: crate::config::Place { file: name.to_owned(), line: 0 },
        found: format!("{found} (`{name}`)"),
        expected: "expected a YAML file".into(),
        hint: None,
    }
}

fn fault(node: &Node, path: &str, found: &str, expected: &str) -> Problem {
    Problem {
        severity: Severity::Error,
        path: path.to_owned(),
        place: node.at.place(),
        found: found.to_owned(),
        expected: expected.to_owned(),
        hint: None,
    }
}
