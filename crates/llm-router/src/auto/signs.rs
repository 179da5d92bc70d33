//! What a conversation shows besides what was said last: a coding agent that plans, one that is stuck, its own
//! housekeeping. LiteLLM surface §7.8.

/// Words by which coding agents say that they plan, in what is said last and in the system prompt. As observed of
/// Claude Code 2.1 and of Copilot.
const PLANS_LAST: [&str; 2] = ["Plan mode is active", "Plan mode still active"];
const PLANS_SYSTEM: &str = "You are currently running in \"Plan\" mode.";
/// The tool by which coding agents leave a plan.
pub const PLAN_TOOL: &str = "exit_plan_mode";

/// Words by which coding agents ask for a title of the conversation. As observed.
const HOUSEKEEPING: [&str; 2] = [
    "Write the title in the predominant language of the session",
    "You are coming up with a succinct title for a coding session",
];

/// A tool call of the assistant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Called {
    /// A number for its name and arguments: the same for the same call.
    pub what: u64,
    /// Whether its result was an error, where the caller's dialect says so.
    pub failed: bool,
}

/// What a conversation shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Signs<'a> {
    /// The system prompt.
    pub system: &'a str,
    /// What the caller's program put beside what the caller said last.
    pub reminders: &'a str,
    /// It has the tool [`PLAN_TOOL`].
    pub plan_tool: bool,
    /// The assistant's tool calls, the newest first.
    pub calls: &'a [Called],
    /// It holds pictures.
    pub images: bool,
    /// Tokens of all of it; 0 is unknown.
    pub tokens: u64,
    /// What came last are results of tools: nobody has said anything new.
    pub goes_on: bool,
}

/// Whether a coding agent plans, by its own words or the operator's.
pub(super) fn plans(said: &str, signs: &Signs<'_>, patterns: &[String]) -> bool {
    let found = |text: &str| patterns.iter().any(|pattern| text.contains(pattern.as_str()));
    PLANS_LAST.iter().any(|words| said.contains(words) || signs.reminders.contains(words))
        || signs.system.contains(PLANS_SYSTEM)
        || signs.plan_tool
        || found(said)
        || found(signs.reminders)
        || found(signs.system)
}

/// Whether a coding agent asks for something of its own, such as a title.
pub(super) fn is_housekeeping(said: &str, patterns: &[String]) -> bool {
    HOUSEKEEPING.iter().any(|words| said.contains(words))
        || patterns.iter().any(|pattern| said.contains(pattern.as_str()))
}

/// Whether the newest of the last `window` tool calls is one of `times` alike, or of as many that failed.
pub(super) fn is_stuck(calls: &[Called], (window, times): (usize, usize)) -> bool {
    let recent = &calls[..calls.len().min(window)];
    let Some(newest) = recent.first() else { return false };
    let alike = recent.iter().filter(|call| call.what == newest.what).count();
    let failed = recent.iter().filter(|call| call.failed).count();
    times > 0 && (alike >= times || (newest.failed && failed >= times))
}

#[cfg(test)]
mod tests;
