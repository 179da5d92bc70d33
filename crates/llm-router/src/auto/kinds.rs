//! What kind of request a prompt is, told from its words: the adaptive router learns for each kind apart.

use std::sync::LazyLock;

use super::keywords::{self, Keyword};

/// Kinds of requests. LiteLLM's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestKind {
    /// Code is wanted.
    CodeGeneration,
    /// Code is asked about.
    CodeUnderstanding,
    /// A design or a choice of tools.
    TechnicalDesign,
    /// Mathematics and logic.
    AnalyticalReasoning,
    /// Texts.
    Writing,
    /// Who, what, when.
    FactualLookup,
    /// Everything else.
    General,
}

impl RequestKind {
    /// Its name in configurations.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CodeGeneration => "code_generation",
            Self::CodeUnderstanding => "code_understanding",
            Self::TechnicalDesign => "technical_design",
            Self::AnalyticalReasoning => "analytical_reasoning",
            Self::Writing => "writing",
            Self::FactualLookup => "factual_lookup",
            Self::General => "general",
        }
    }

    /// All.
    pub const ALL: [Self; 7] = [
        Self::CodeGeneration,
        Self::CodeUnderstanding,
        Self::TechnicalDesign,
        Self::AnalyticalReasoning,
        Self::Writing,
        Self::FactualLookup,
        Self::General,
    ];

    /// The kind of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The kind of a prompt: by the first rule that fits.
    #[must_use]
    pub fn of(said: &str) -> Self {
        let text: String = said.chars().take(LETTERS).collect::<String>().to_lowercase();
        RULES.iter().find(|rule| rule.fits(&text)).map_or(Self::General, |rule| rule.kind)
    }
}

/// Letters of a prompt that are looked at.
const LETTERS: usize = 2_000;

/// A rule as it is written: one of the first words, and one of the second somewhere behind it; `_` is a blank, no
/// second words need none.
struct Written {
    kind: RequestKind,
    first: &'static str,
    then: &'static str,
    /// The prompt begins with the first.
    begins: bool,
}

const fn rule(kind: RequestKind, first: &'static str, then: &'static str) -> Written {
    Written { kind, first, then, begins: false }
}

const WRITTEN: &[Written] = &[
    rule(
        RequestKind::CodeGeneration,
        "write create generate implement build",
        "python javascript typescript java rust go c++ sql bash shell function class method script program api \
         endpoint microservice",
    ),
    rule(
        RequestKind::CodeUnderstanding,
        "explain describe understand walk_me_through what_does",
        "code function method class algorithm snippet",
    ),
    rule(
        RequestKind::CodeUnderstanding,
        "debug fix why_is why_does why_isn't what's_wrong trace",
        "error bug exception stacktrace stack_trace traceback",
    ),
    rule(RequestKind::CodeUnderstanding, "review critique", "code pr pull_request diff patch"),
    rule(
        RequestKind::TechnicalDesign,
        "design architect plan architecture",
        "system service api database schema module microservice",
    ),
    rule(
        RequestKind::TechnicalDesign,
        "should_i_use should_i_choose should_i_pick tradeoff_between tradeoffs_between compare",
        "library framework language database protocol postgres postgresql mongodb dynamodb mysql redis kafka sql nosql",
    ),
    rule(
        RequestKind::TechnicalDesign,
        "how_should_i_design how_should_i_structure how_should_i_organize how_should_i_model how_do_i_design \
         how_do_i_structure how_do_i_organize how_do_i_model",
        "",
    ),
    rule(
        RequestKind::AnalyticalReasoning,
        "solve compute calculate prove derive",
        "equation integral derivative theorem proof problem",
    ),
    rule(RequestKind::AnalyticalReasoning, "if", "then"),
    rule(RequestKind::AnalyticalReasoning, "given", "find"),
    rule(
        RequestKind::AnalyticalReasoning,
        "suppose assume probability statistics combinatorics optimization_problem",
        "",
    ),
    rule(
        RequestKind::Writing,
        "write draft compose rewrite edit proofread polish",
        "email essay blog post article letter memo copy paragraph sentence",
    ),
    rule(RequestKind::Writing, "make_this make_it help_me", "concise formal casual professional persuasive"),
    Written {
        kind: RequestKind::FactualLookup,
        first: "who what when where which",
        then: "is was were are",
        begins: true,
    },
    Written {
        kind: RequestKind::FactualLookup,
        first: "define definition_of meaning_of",
        then: "",
        begins: true,
    },
    Written {
        kind: RequestKind::FactualLookup,
        first: "how_do_you_spell how_to_spell how_tall_is how_many",
        then: "",
        begins: true,
    },
];

/// A rule, read.
struct Rule {
    kind: RequestKind,
    first: Vec<Keyword>,
    then: Vec<Keyword>,
    begins: bool,
}

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let read = |Written { kind, first, then, begins }: &Written| Rule {
        kind: *kind,
        first: keywords::words(first),
        then: keywords::words(then),
        begins: *begins,
    };
    WRITTEN.iter().map(read).collect()
});

impl Rule {
    fn fits(&self, text: &str) -> bool {
        let text = text.trim_start();
        self.first.iter().any(|first| {
            let word = first.as_str();
            let Some(at) = text.find(word).filter(|_| first.is_in(text)) else { return false };
            if self.begins && at > 0 {
                return false;
            }
            let rest = &text[at + word.len()..];
            let rest = if self.begins { rest.split_whitespace().next().unwrap_or_default() } else { rest };
            self.then.is_empty() || self.then.iter().any(|then| then.is_in(rest))
        })
    }
}
