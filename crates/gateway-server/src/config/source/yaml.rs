//! Text into a tree: anchors, aliases, merge keys and duplicate keys, with the line of everything.

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use super::scalar;
use super::tree::{At, Member, Node, Tree};
use crate::config::{Problem, Severity};

/// Nodes a file may come to after its aliases are followed: stops "billion laughs".
const MAX_NODES: usize = 200_000;
/// How deep a file may nest.
const MAX_DEPTH: usize = 64;

/// Reads the one document of a file.
///
/// Problems that leave the tree usable (duplicate keys) are warnings; any error leaves no tree.
pub(crate) fn read(text: &str, file: &Arc<str>, problems: &mut Vec<Problem>) -> Option<Node> {
    let mut builder =
        Builder { file: Arc::clone(file), open: Vec::new(), anchors: HashMap::new(), nodes: 0, root: None };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for event in Parser::new_from_str(text) {
        let outcome = match event {
            Ok((event, span)) => builder.event(event, span.start.line(), problems),
            Err(error) => Err(Fault { line: error.marker().line(), message: error.info().to_owned() }),
        };
        if let Err(fault) = outcome {
            problems.push(builder.problem(fault));
            return None;
        }
    }
    if builder.root.is_none() {
        problems.push(builder.problem(Fault { line: 0, message: "the file is empty".into() }));
    }
    builder.root
}

struct Fault {
    line: usize,
    message: String,
}

struct Builder {
    file: Arc<str>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    root: Option<Node>,
}

struct Open {
    at: At,
    anchor: usize,
    kind: OpenKind,
}

enum OpenKind {
    List(Vec<Node>),
    Map { members: Vec<Member>, key: Option<(String, At, bool)> },
}

impl Builder {
    fn problem(&self, fault: Fault) -> Problem {
        Problem {
            severity: Severity::Error,
            path: String::new(),
            place: self.at(fault.line).place(),
            found: fault.message,
            expected: "expected one YAML document that is a mapping".into(),
            hint: None,
        }
    }

    fn at(&self, line: usize) -> At {
        At { file: Arc::clone(&self.file), line }
    }

    fn event(&mut self, event: Event<'_>, line: usize, problems: &mut Vec<Problem>) -> Result<(), Fault> {
        let fault = |message: &str| Err(Fault { line, message: message.to_owned() });
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                let tree = match typed(&text, style, tag.as_deref()) {
                    Ok(tree) => tree,
                    Err(message) => return Err(Fault { line, message }),
                };
                // A key keeps its spelling, whatever type the text looks like.
                if self.wants_key() {
                    let at = self.at(line);
                    if let Some(Open { kind: OpenKind::Map { key, .. }, .. }) = self.open.last_mut() {
                        *key = Some((text.into_owned(), at, plain));
                    }
                    return Ok(());
                }
                let node = Node { at: self.at(line), tree };
                self.remember(anchor, &node);
                self.close(node, problems)
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return fault("an alias stands inside the value of its own anchor");
                };
                self.nodes += size(&node);
                self.close(node, problems)
            }
            Event::SequenceStart(anchor, _) => self.open(line, anchor, OpenKind::List(Vec::new())),
            Event::MappingStart(anchor, _) => {
                self.open(line, anchor, OpenKind::Map { members: Vec::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Open { at, anchor, kind }) = self.open.pop() else {
                    return fault("a list or mapping ends that did not begin");
                };
                let tree = match kind {
                    OpenKind::List(items) => Tree::List(items),
                    OpenKind::Map { members, .. } => Tree::Map(members),
                };
                let node = Node { at, tree };
                self.remember(anchor, &node);
                self.close(node, problems)
            }
            Event::DocumentStart(_) if self.root.is_some() => fault("a second document begins"),
            Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd => Ok(()),
        }
    }

    fn wants_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { kind: OpenKind::Map { key: None, .. }, .. }))
    }

    fn remember(&mut self, anchor: usize, node: &Node) {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
    }

    fn open(&mut self, line: usize, anchor: usize, kind: OpenKind) -> Result<(), Fault> {
        if self.wants_key() {
            return Err(Fault { line, message: "a key is a list or a mapping".into() });
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(Fault { line, message: format!("values are nested deeper than {MAX_DEPTH} levels") });
        }
        let at = self.at(line);
        self.open.push(Open { at, anchor, kind });
        Ok(())
    }

    /// Puts a finished value where it belongs.
    fn close(&mut self, node: Node, problems: &mut Vec<Problem>) -> Result<(), Fault> {
        self.nodes += 1;
        let line = node.at.line;
        if self.nodes > MAX_NODES {
            return Err(Fault { line, message: format!("the file comes to more than {MAX_NODES} values") });
        }
        let path = self.path();
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.root = Some(node),
            Some(OpenKind::List(items)) => items.push(node),
            Some(OpenKind::Map { members, key }) => match key.take() {
                Some((name, _, true)) if name == "<<" => merge(members, node)?,
                Some((key, at, _)) => insert(members, Member { key, at, value: node }, &path, problems),
                None => return Err(Fault { line, message: "a key is not text".into() }),
            },
        }
        Ok(())
    }

    /// Where the reader stands, such as `model_list[2].litellm_params`.
    fn path(&self) -> String {
        let mut path = String::new();
        for open in &self.open {
            match &open.kind {
                OpenKind::List(items) => path.push_str(&format!("[{}]", items.len())),
                OpenKind::Map { key: Some((key, ..)), .. } => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(key);
                }
                OpenKind::Map { key: None, .. } => {}
            }
        }
        path
    }
}

fn insert(members: &mut Vec<Member>, member: Member, path: &str, problems: &mut Vec<Problem>) {
    // A merged member has the line of another key: it is overridden in silence, as it should be.
    let Some(earlier) = members.iter_mut().find(|earlier| earlier.key == member.key) else {
        members.push(member);
        return;
    };
    if earlier.at.line > 0 {
        problems.push(Problem {
            severity: Severity::Warning,
            path: path.to_owned(),
            place: member.at.place(),
            found: format!("found the key again after line {}", earlier.at.line),
            expected: "the last one counts".into(),
            hint: Some("remove one of the two".into()),
        });
    }
    *earlier = member;
}

/// Adds the members of `<<: *anchor` that are not there yet. <https://yaml.org/type/merge.html>
fn merge(members: &mut Vec<Member>, node: Node) -> Result<(), Fault> {
    let line = node.at.line;
    let wrong = || Fault { line, message: "`<<` merges something that is not a mapping".into() };
    let sources = match node.tree {
        Tree::Map(_) => vec![node],
        Tree::List(items) => items,
        _ => return Err(wrong()),
    };
    for source in sources {
        let Tree::Map(source) = source.tree else { return Err(wrong()) };
        for member in source {
            if !members.iter().any(|earlier| earlier.key == member.key) {
                let at = At { line: 0, ..member.at };
                members.push(Member { at, ..member });
            }
        }
    }
    Ok(())
}

/// What a scalar means by its style and tag.
fn typed(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Tree, String> {
    let Some(tag) = tag else {
        return Ok(if style == ScalarStyle::Plain {
            scalar::plain(text)
        } else {
            Tree::Text(text.to_owned())
        });
    };
    let wrong = || format!("a value tagged `!!{}` is not one", tag.suffix);
    match (tag.is_yaml_core_schema(), tag.suffix.as_str()) {
        (true, "str") => Ok(Tree::Text(text.to_owned())),
        (true, "null") => Ok(Tree::Null),
        (true, "int") => scalar::integer(text).ok_or_else(wrong),
        (true, "float") => {
            scalar::float(text).or_else(|| text.parse().ok().map(Tree::Float)).ok_or_else(wrong)
        }
        (true, "bool") => {
            Some(scalar::plain(text)).filter(|tree| matches!(tree, Tree::Flag(_))).ok_or_else(wrong)
        }
        _ if tag.handle.is_empty() && tag.suffix == "!" => Ok(Tree::Text(text.to_owned())),
        _ => Err("a value has a tag that is not known here".to_owned()),
    }
}

fn size(node: &Node) -> usize {
    match &node.tree {
        Tree::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Tree::Map(members) => 1 + members.iter().map(|member| size(&member.value)).sum::<usize>(),
        _ => 1,
    }
}
