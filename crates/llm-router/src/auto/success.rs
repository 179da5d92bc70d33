//! How likely a model of each tier answers a prompt well, told from how often such models answered prompts alike
//! well. LiteLLM surface §7.8, the classifier `heuristic_v2`.
//!
//! `success/counts.txt` holds what LiteLLM counted in the ratings of openbmb/UltraFeedback (MIT licence): for each
//! kind of request, length and set of traits the answers of each tier that were rated 4 or better, of how many. Few
//! ratings of prompts alike count for little: they are weighed against those of the kind, and these against all.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::keywords::{self, Keyword};
use super::kinds::RequestKind;
use super::scorer::{Tier, beginning};

/// The least likelihood at which a tier is good enough.
const ENOUGH: f64 = 0.75;
/// What a kind's own ratings are weighed against: so many ratings like those of all kinds.
const OF_ALL: f64 = 200.0;
/// What ratings of prompts alike are weighed against: so many like those of their kind.
const OF_KIND: f64 = 20.0;
/// Bytes of a prompt in which traits are looked for.
const LOOKED_AT: usize = 64 * 1024;
/// Prompts of fewer letters are short, medium, long; others are very long.
const LENGTHS: [(usize, &str); 4] =
    [(200, "short"), (800, "medium"), (2_000, "long"), (usize::MAX, "very_long")];

/// Words of code and of mathematics, as LiteLLM counted them.
const CODE: &str = "def class function python javascript typescript sql code";
const MATHEMATICS: &str = "solve calculate equation probability theorem proof integral";

static WORDS: LazyLock<[Vec<Keyword>; 2]> = LazyLock::new(|| [CODE, MATHEMATICS].map(keywords::words));
static COUNTS: LazyLock<Counts> = LazyLock::new(|| {
    Counts::read(include_str!("success/counts.txt"))
        .expect("the file is part of the program, and a test reads it")
});

/// What a prompt is told to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Likely {
    /// The easiest tier that is good enough, else the highest.
    pub(super) tier: Tier,
    /// How likely each tier's models answer it well, no harder tier less than an easier one.
    pub(super) success: [f64; 4],
    /// What kind of request it is.
    pub(super) kind: RequestKind,
}

/// Tells how likely models of each tier answer a prompt well.
pub(super) fn likely(said: &str) -> Likely {
    let kind = RequestKind::of(said);
    let mut success = COUNTS.of(kind, length(said), &traits(said));
    for tier in 1..success.len() {
        success[tier] = success[tier].max(success[tier - 1]);
    }
    let enough = Tier::ALL.into_iter().find(|tier| success[*tier as usize] >= ENOUGH);
    Likely { tier: enough.unwrap_or(Tier::Reasoning), success, kind }
}

fn length(said: &str) -> &'static str {
    let letters = said.chars().count();
    LENGTHS.iter().find(|(most, _)| letters < *most).map_or("very_long", |(_, name)| name)
}

/// What else prompts have in common, a letter each: code, mathematics, options to choose from, and letters of other
/// scripts than English has.
fn traits(said: &str) -> String {
    let head = beginning(said, LOOKED_AT);
    let text = head.to_lowercase();
    let [code, mathematics] = &*WORDS;
    let any = |words: &[Keyword]| words.iter().any(|word| word.is_in(&text));
    let foreign = said.chars().filter(|letter| !letter.is_ascii()).count();
    let traits = [
        ('c', text.contains("```") || any(code)),
        ('m', text.contains(['$', '=']) || any(mathematics)),
        ('o', has_options(head)),
        ('i', foreign * 10 > said.chars().count()),
    ];
    traits.into_iter().filter(|(_, has)| *has).map(|(letter, _)| letter).collect()
}

/// Whether a text has a word `A.` to `D.` or `A)` to `D)`, and something behind it.
fn has_options(text: &str) -> bool {
    let words = text.split_inclusive(char::is_whitespace).filter(|word| word.ends_with(char::is_whitespace));
    words.map(str::trim_end).any(|word| matches!(word.as_bytes(), [b'A'..=b'D', b'.' | b')']))
}

/// Good answers and all answers of each tier.
type Ratings = [(f64, f64); 4];

/// Ratings of all prompts, of each kind, and of prompts alike.
#[derive(Debug, Default)]
struct Counts {
    all: Ratings,
    kinds: HashMap<&'static str, Ratings>,
    alike: HashMap<(&'static str, &'static str, &'static str), Ratings>,
}

impl Counts {
    /// Reads lines of a kind, a length, traits (`-` for none) and the ratings of each tier; `None` where one is
    /// something else.
    fn read(text: &'static str) -> Option<Self> {
        let mut counts = Self::default();
        for line in text.lines() {
            let words: Vec<&'static str> = line.split_whitespace().collect();
            let [kind, length, traits, ratings @ ..] = words.as_slice() else { return None };
            let ratings: Vec<(f64, f64)> = ratings.iter().map(|one| rating(one)).collect::<Option<_>>()?;
            let ratings = Ratings::try_from(ratings).ok()?;
            for sums in [&mut counts.all, counts.kinds.entry(*kind).or_default()] {
                for (sum, (good, of)) in sums.iter_mut().zip(ratings) {
                    *sum = (sum.0 + good, sum.1 + of);
                }
            }
            counts.alike.insert((*kind, *length, traits.trim_matches('-')), ratings);
        }
        Some(counts)
    }

    /// The likelihood of each tier for prompts of a kind, a length and traits.
    fn of(&self, kind: RequestKind, length: &str, traits: &str) -> [f64; 4] {
        let nothing = Ratings::default();
        let kinds = self.kinds.get(kind.as_str()).unwrap_or(&nothing);
        let alike = self.alike.get(&(kind.as_str(), length, traits)).unwrap_or(&nothing);
        let weighed = |(good, of): (f64, f64), mass: f64, mean: f64| (good + mass * mean) / (of + mass);
        Tier::ALL.map(|tier| {
            let tier = tier as usize;
            let (good, of) = self.all[tier];
            let overall = (good + 1.0) / (of + 2.0);
            weighed(alike[tier], OF_KIND, weighed(kinds[tier], OF_ALL, overall))
        })
    }
}

/// Reads `good/all`.
fn rating(text: &str) -> Option<(f64, f64)> {
    let (good, of) = text.split_once('/')?;
    Some((good.parse().ok()?, of.parse().ok()?))
}

#[cfg(test)]
mod tests;
