//! Words that tell how hard a prompt is, and how they are found in it.

/// Words of code (LiteLLM's defaults, as those of the other lists).
pub(super) const CODE: &str = "function class def const let var import export return async await try catch exception \
    error debug api endpoint request response database sql query schema algorithm implement refactor optimize python \
    javascript typescript java rust golang react vue angular node docker kubernetes git commit merge branch \
    pull_request";
/// Words of reasoning.
pub(super) const REASONING: &str = "step_by_step think_through let's_think reason_through analyze_this break_down \
    explain_your_reasoning show_your_work chain_of_thought think_carefully consider_all evaluate pros_and_cons \
    compare_and_contrast weigh_the_options logical deduce infer conclude";
/// Words of engineering.
pub(super) const TECHNICAL: &str = "architecture distributed scalable microservice machine_learning neural_network \
    deep_learning encryption authentication authorization performance latency throughput benchmark concurrency \
    parallel threading memory cpu gpu optimization protocol tcp http grpc websocket container orchestration";
/// Words of easy questions and of politeness.
pub(super) const SIMPLE: &str = "what_is what's define definition_of who_is who_was when_did when_was where_is \
    where_was how_many how_much yes_or_no true_or_false simple brief short quick hello hi hey thanks thank_you \
    goodbye bye okay";

/// The words of a list; `_` is a blank.
pub(super) fn words(list: &str) -> Vec<Keyword> {
    list.split_whitespace().map(|word| Keyword::new(&word.replace('_', " "))).collect()
}

/// A word or several, found whatever their case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyword {
    text: String,
    /// It must stand alone: `api` is not in `capital`.
    whole: bool,
}

impl Keyword {
    /// One word stands alone; several words, and scripts without blanks, are found anywhere.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let text = text.to_lowercase();
        let whole = !text.contains(' ') && !text.chars().any(is_unspaced);
        Self { text, whole }
    }

    /// The word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a text, which is in small letters, has it.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        if self.text.is_empty() {
            return false;
        }
        if !self.whole {
            return text.contains(&self.text);
        }
        text.match_indices(&self.text).any(|(at, found)| {
            let (before, after) = (&text[..at], &text[at + found.len()..]);
            let edge = |outer: Option<char>, inner: Option<char>| {
                outer.is_some_and(is_word) != inner.is_some_and(is_word)
            };
            edge(before.chars().next_back(), found.chars().next())
                && edge(after.chars().next(), found.chars().next_back())
        })
    }
}

/// How many of the words a text has, and the first three of them; nobody looks further than `enough`.
pub(super) fn found<'k>(text: &str, keywords: &'k [Keyword], enough: usize) -> (usize, Vec<&'k str>) {
    let hits = keywords.iter().filter(|keyword| keyword.is_in(text)).map(Keyword::as_str);
    let hits: Vec<&str> = hits.take(enough.max(3)).collect();
    (hits.len(), hits.into_iter().take(3).collect())
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Scripts that write words without blanks between them.
const fn is_unspaced(letter: char) -> bool {
    matches!(letter,
        '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{2eff}' | '\u{3040}'..='\u{30ff}' | '\u{3130}'..='\u{318f}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{2fa1f}')
}
