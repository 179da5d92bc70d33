//! How hard a prompt is, told from its words alone. LiteLLM surface §7.8.

use std::fmt;

use regex_lite::Regex;

use super::keywords::{self, Keyword, found};

/// How hard a prompt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Greetings, lookups.
    Simple,
    /// Usual questions.
    Medium,
    /// Technical ones, or of several parts.
    Complex,
    /// Such as need thought.
    Reasoning,
}

impl Tier {
    /// All, the easiest first.
    pub const ALL: [Self; 4] = [Self::Simple, Self::Medium, Self::Complex, Self::Reasoning];

    /// Its name in configurations and headers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Simple => "SIMPLE",
            Self::Medium => "MEDIUM",
            Self::Complex => "COMPLEX",
            Self::Reasoning => "REASONING",
        }
    }

    /// The tier of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.as_str() == name)
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a prompt is scored by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// Short or long.
    TokenCount,
    /// Words of code.
    CodePresence,
    /// Words of reasoning.
    ReasoningMarkers,
    /// Words of engineering.
    TechnicalTerms,
    /// Words of easy questions, which count against it.
    SimpleIndicators,
    /// First this, then that.
    MultiStepPatterns,
    /// Many questions.
    QuestionComplexity,
}

impl Dimension {
    /// All, by their names in configurations, with what they weigh unless told.
    pub const ALL: [(Self, &'static str, f64); 7] = [
        (Self::TokenCount, "tokenCount", 0.10),
        (Self::CodePresence, "codePresence", 0.30),
        (Self::ReasoningMarkers, "reasoningMarkers", 0.25),
        (Self::TechnicalTerms, "technicalTerms", 0.25),
        (Self::SimpleIndicators, "simpleIndicators", 0.05),
        (Self::MultiStepPatterns, "multiStepPatterns", 0.03),
        (Self::QuestionComplexity, "questionComplexity", 0.02),
    ];
}

/// A dimension of the operator's own.
#[derive(Debug, Clone)]
pub struct Custom {
    /// Its name, for signals.
    pub name: String,
    /// What it adds to the score.
    pub weight: f64,
    /// Words, and patterns of the first 2,048 bytes.
    pub keywords: Vec<Keyword>,
    /// The patterns, which find text whatever its case.
    pub patterns: Vec<Regex>,
    /// One match adds half, two all (`scoring_mode: match_count`); otherwise one adds all.
    pub graded: bool,
}

/// Scores prompts.
#[derive(Debug, Clone)]
pub struct Scorer {
    /// What each dimension weighs, in the order of [`Dimension::ALL`].
    pub weights: [f64; 7],
    /// The least scores of the tiers above the first.
    pub boundaries: [f64; 3],
    /// Fewer tokens than the first are short, more than the second long.
    pub token_thresholds: (u64, u64),
    /// Words of code.
    pub code: Vec<Keyword>,
    /// Words of reasoning.
    pub reasoning: Vec<Keyword>,
    /// Words of engineering.
    pub technical: Vec<Keyword>,
    /// Words of easy questions.
    pub simple: Vec<Keyword>,
    /// The least score from which two words of reasoning make the highest tier; the first boundary unless
    /// told.
    pub override_from: Option<f64>,
    /// The operator's own dimensions.
    pub custom: Vec<Custom>,
}

impl Default for Scorer {
    fn default() -> Self {
        Self {
            weights: Dimension::ALL.map(|(.., weight)| weight),
            boundaries: [0.15, 0.35, 0.60],
            token_thresholds: (15, 400),
            code: keywords::words(keywords::CODE),
            reasoning: keywords::words(keywords::REASONING),
            technical: keywords::words(keywords::TECHNICAL),
            simple: keywords::words(keywords::SIMPLE),
            override_from: None,
            custom: Vec::new(),
        }
    }
}

/// What a prompt came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// How hard it is.
    pub tier: Tier,
    /// The weighted sum.
    pub score: f64,
    /// What was found of it.
    pub signals: Vec<String>,
    /// The words of reasoning decided, not the sum.
    pub overridden: bool,
}

/// Bytes of a prompt that are looked at; what is behind them changes its length only.
const LOOKED_AT: usize = 64 * 1024;
/// Bytes in which patterns are looked for.
const PATTERN_BYTES: usize = 2_048;

impl Scorer {
    /// Scores what a caller said last.
    #[must_use]
    pub fn score(&self, said: &str) -> Score {
        let letters = said.chars().count() as u64;
        let text = beginning(said, LOOKED_AT).to_lowercase();
        let (mut sum, mut signals) = (0.0, Vec::new());
        let mut add = |dimension: Dimension, (score, signal): (f64, Option<String>)| {
            sum += score * self.weights[dimension as usize];
            signals.extend(signal);
        };
        add(Dimension::TokenCount, self.length(letters / 4));
        add(Dimension::CodePresence, of_words(&text, &self.code, "code", (1, 2), (0.5, 1.0)).1);
        let (markers, reasoning) = of_words(&text, &self.reasoning, "reasoning", (1, 2), (0.7, 1.0));
        add(Dimension::ReasoningMarkers, reasoning);
        add(Dimension::TechnicalTerms, of_words(&text, &self.technical, "technical", (2, 4), (0.5, 1.0)).1);
        add(Dimension::SimpleIndicators, of_words(&text, &self.simple, "simple", (1, 2), (-1.0, -1.0)).1);
        let steps = has_steps(&text);
        add(Dimension::MultiStepPatterns, if steps { (0.5, Some("multi-step".into())) } else { (0.0, None) });
        let questions = text.matches('?').count();
        let many = questions > 3;
        add(
            Dimension::QuestionComplexity,
            if many { (0.5, Some(format!("{questions} questions"))) } else { (0.0, None) },
        );
        for custom in &self.custom {
            let share = custom.share(&text);
            if share > 0.0 {
                sum += share * custom.weight;
                signals.push(format!("custom ({})", custom.name));
            }
        }
        self.decided(sum, signals, markers)
    }

    fn decided(&self, score: f64, signals: Vec<String>, markers: usize) -> Score {
        // Sums of tenths are a little off: what is shown is what counts.
        let score = (score * 1e6).round() / 1e6;
        let overridden = markers >= 2 && score >= self.override_from.unwrap_or(self.boundaries[0]);
        let above = self.boundaries.iter().filter(|least| score >= **least).count();
        let tier = if overridden { Tier::Reasoning } else { Tier::ALL[above] };
        Score { tier, score, signals, overridden }
    }

    fn length(&self, tokens: u64) -> (f64, Option<String>) {
        let (short, long) = self.token_thresholds;
        match tokens {
            few if few < short => (-1.0, Some(format!("short ({few} tokens)"))),
            many if many > long => (1.0, Some(format!("long ({many} tokens)"))),
            _ => (0.0, None),
        }
    }
}

impl Custom {
    /// The share of its weight that a text, in small letters, earns.
    fn share(&self, text: &str) -> f64 {
        let enough = if self.graded { 2 } else { 1 };
        let head = beginning(text, PATTERN_BYTES);
        let words = self.keywords.iter().map(|word| word.is_in(text));
        let patterns = self.patterns.iter().map(|pattern| pattern.is_match(head));
        match (words.chain(patterns).filter(|hit| *hit).take(enough).count(), self.graded) {
            (0, _) => 0.0,
            (1, true) => 0.5,
            _ => 1.0,
        }
    }
}

/// The number of words found, and what that many count: nothing below the first number, all from the second
/// on.
fn of_words(
    text: &str,
    words: &[Keyword],
    label: &str,
    (few, many): (usize, usize),
    (low, high): (f64, f64),
) -> (usize, (f64, Option<String>)) {
    let (count, named) = found(text, words, many);
    if count < few {
        return (count, (0.0, None));
    }
    let score = if count >= many { high } else { low };
    (count, (score, Some(format!("{label} ({})", named.join(", ")))))
}

/// Whether a text tells of steps: `first … then` in a line, `step 1`, `1. `, `a) `.
fn has_steps(text: &str) -> bool {
    let bytes = text.as_bytes();
    let blank = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_whitespace);
    let ordered = |line: &str| line.find("first").is_some_and(|at| line[at + 5..].contains("then"));
    let numbered = |at: usize| match bytes[at] {
        b'.' => at > 0 && bytes[at - 1].is_ascii_digit() && blank(at + 1),
        b')' => at > 0 && bytes[at - 1].is_ascii_lowercase() && blank(at + 1),
        _ => false,
    };
    let step = |(at, _): (usize, &str)| text[at + 4..].trim_start().starts_with(|c: char| c.is_ascii_digit());
    text.lines().any(ordered) || text.match_indices("step").any(step) || (0..bytes.len()).any(numbered)
}

/// The first letters of a text, so many bytes at most.
pub(super) fn beginning(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
