//! What coding agents put beside their users' words: blocks of their own context, sent as if the user had said them.
//! They say nothing of how hard a question is. As LiteLLM's complexity router leaves them out.

/// How a block begins and ends; found whatever its case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reminder {
    open: String,
    close: String,
}

/// Blocks of any program (as observed of Claude Code), and those of Codex only.
const OF_ALL: [(&str, &str); 1] = [("<system-reminder>", "</system-reminder>")];
const OF_CODEX: [(&str, &str); 5] = [
    ("<environment_context>", "</environment_context>"),
    ("<recommended_plugins>", "</recommended_plugins>"),
    ("<user_instructions>", "</user_instructions>"),
    ("<environments_instructions>", "</environments_instructions>"),
    ("# AGENTS.md instructions for ", "</INSTRUCTIONS>"),
];

impl Reminder {
    /// A block between two texts; `None` where one is empty, or both are the same.
    #[must_use]
    pub fn new(open: &str, close: &str) -> Option<Self> {
        let [open, close] = [open, close].map(str::to_ascii_lowercase);
        (!open.is_empty() && !close.is_empty() && open != close).then_some(Self { open, close })
    }

    /// The blocks of a program that calls itself so in `User-Agent`.
    #[must_use]
    pub fn of(user_agent: Option<&str>) -> Vec<Self> {
        let codex = user_agent.is_some_and(|agent| agent.to_ascii_lowercase().contains("codex"));
        let own = OF_CODEX.iter().filter(|_| codex);
        OF_ALL.iter().chain(own).filter_map(|(open, close)| Self::new(open, close)).collect()
    }

    /// Where the block that begins at a place ends, blocks of its kind inside it counted; `None` where it does not.
    fn end(&self, text: &str, begin: usize) -> Option<usize> {
        let (mut at, mut inner) = (begin + self.open.len(), 0_usize);
        let mut close = at + text[at..].find(&self.close)?;
        loop {
            if let Some(another) = text[at..close].find(&self.open) {
                (at, inner) = (at + another + self.open.len(), inner + 1);
                continue;
            }
            at = close + self.close.len();
            if inner == 0 {
                return Some(at);
            }
            inner -= 1;
            close = at + text[at..].find(&self.close)?;
        }
    }
}

/// A text without the blocks in it, and the blocks. One that does not end is no block.
#[must_use]
pub fn without(text: &str, blocks: &[Reminder]) -> (String, String) {
    let small = text.to_ascii_lowercase();
    let (mut left, mut taken, mut at) = (String::new(), String::new(), 0);
    // Where each kind begins next: every text is searched once for each, however many blocks it has.
    let mut next: Vec<(usize, &Reminder)> =
        blocks.iter().filter_map(|block| Some((small.find(&block.open)?, block))).collect();
    while let Some(&(begin, block)) = next.iter().min_by_key(|(begin, _)| *begin) {
        let Some(end) = block.end(&small, begin) else {
            next.retain(|(_, one)| *one != block);
            continue;
        };
        left.push_str(&text[at..begin]);
        taken.push_str(&text[begin..end]);
        at = end;
        next.retain_mut(|(begin, block)| {
            let again = if *begin < end {
                small[end..].find(&block.open).map(|found| end + found)
            } else {
                Some(*begin)
            };
            *begin = again.unwrap_or_default();
            again.is_some()
        });
    }
    left.push_str(&text[at..]);
    (left, taken)
}

#[cfg(test)]
mod tests;
