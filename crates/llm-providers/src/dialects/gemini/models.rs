//! What differs between the models of this dialect, where requests must be written differently.
//!
//! Vendor's pages: <https://ai.google.dev/gemini-api/docs/thinking>, `gemini-3`, `structured-output`.

/// How a model is asked to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    /// It cannot.
    None,
    /// By a budget of tokens; the least it takes, and whether that may be 0.
    Budget {
        /// The budget of the effort `minimal`, in tokens (LiteLLM's figures).
        minimal: u64,
        /// Whether thinking can be switched off.
        can_stop: bool,
    },
    /// By a named level; `minimal` is one.
    Level {
        /// Whether the level `minimal` is taken.
        minimal: bool,
    },
}

/// What a model can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Traits {
    /// How it is asked to think.
    pub(super) thinking: Thinking,
    /// It takes ids of calls and wants a signature with the first call of a turn.
    pub(super) third: bool,
    /// It takes a JSON schema as it is for its answer.
    pub(super) json_schema: bool,
    /// It speaks.
    pub(super) speech: bool,
    /// It takes system instructions; else the user says them. Gemma refuses them, and LiteLLM treats
    /// Gemini 2.0 like it.
    pub(super) system: bool,
}

impl Traits {
    /// The traits of a model, whatever a cloud puts before or behind its name. Names without a number
    /// (`gemini-flash-latest`) stand for the newest.
    pub(super) fn of(model: &str) -> Self {
        let name = model.rsplit('/').next().unwrap_or(model);
        let speech = name.contains("-tts") || name.contains("native-audio") || name.contains("-live");
        let generation = generation(name);
        let (thinking, third) = match generation {
            Some(version) if version < (2, 5) => (Thinking::None, false),
            Some(version) if version >= (3, 0) => (Thinking::Level { minimal: name.contains("flash") }, true),
            // What is not known to be newer is asked as the second generation was.
            _ => (budget(name), false),
        };
        let json_schema = generation.is_none_or(|version| version >= (2, 0));
        let system = !name.contains("gemma") && generation != Some((2, 0));
        Self { thinking, third, json_schema, speech, system }
    }
}

fn budget(name: &str) -> Thinking {
    let minimal = match name {
        name if name.contains("flash-lite") => 512,
        name if name.contains("flash") => 1,
        _ => 128,
    };
    Thinking::Budget { minimal, can_stop: !name.contains("-pro") }
}

/// The number behind `gemini-`.
fn generation(name: &str) -> Option<(u32, u32)> {
    let (_, rest) = name.split_once("gemini-")?;
    let number: &str = rest.split('-').next()?;
    let (major, minor) = number.split_once('.').unwrap_or((number, "0"));
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests;
