//! Where functions begin and end, read from rustfmt's layout.

/// A function of a source text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// The line of its `fn`, from one.
    pub(super) line: usize,
    /// How many lines it has, from `fn` to the closing brace.
    pub(super) lines: usize,
}

/// The functions of a formatted source text. A body ends at the first `}` that is indented like the
/// `fn`; functions without a body, and those on one line, have none to measure.
pub(super) fn functions(text: &str) -> Vec<Function<'_>> {
    let lines: Vec<&str> = text.lines().collect();
    let mut functions = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(name) = declared(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        if line.trim_end().ends_with([';', '}']) {
            continue;
        }
        let end = lines.iter().enumerate().skip(index + 1).find(|(_, line)| {
            let depth = line.len() - line.trim_start().len();
            depth == indent && (line.trim() == "}" || line.trim_end().ends_with(';'))
        });
        if let Some((end, _)) = end.filter(|(_, line)| line.trim() == "}") {
            functions.push(Function { name, line: index + 1, lines: end - index + 1 });
        }
    }
    functions
}

/// The name of the function a line declares.
fn declared(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    if rest.starts_with("//") {
        return None;
    }
    for word in
        ["pub ", "pub(crate) ", "pub(super) ", "default ", "const ", "async ", "unsafe ", "extern \"C\" "]
    {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let rest = rest.strip_prefix("fn ")?;
    let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_')?;
    (end > 0).then(|| &rest[..end])
}
