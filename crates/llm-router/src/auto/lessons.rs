//! What auto routers learnt: survives reloads of the configuration, not the process.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;

use super::bandit::Belief;
use super::keywords::Keyword;
use super::kinds::RequestKind;
use super::semantic::Index;
use super::{Choice, Tier};
use crate::Moment;

/// Sessions that are remembered at most, of all routers.
const MOST_SESSIONS: usize = 16_384;
/// How long the last turn of a conversation is remembered.
const TURN_TTL: Duration = Duration::from_secs(24 * 3600);
/// Words of a turn that are compared with the next.
const WORDS: usize = 200;
/// Two questions that share this part of their words are the same one again.
const SAME: f64 = 0.5;

/// Words that praise the answer before, that blame it, and that give up.
const PRAISE: [&str; 8] =
    ["thanks", "thank you", "perfect", "great", "that works", "that worked", "exactly", "awesome"];
const BLAME: [&str; 8] = [
    "that's wrong",
    "that is wrong",
    "not what i asked",
    "not what i meant",
    "incorrect",
    "doesn't work",
    "does not work",
    "no, i meant",
];
const GIVING_UP: [&str; 5] = ["never mind", "nevermind", "forget it", "i give up", "talk to a human"];

/// What auto routers learnt.
#[derive(Debug, Default)]
pub struct Lessons {
    beliefs: DashMap<(Arc<str>, RequestKind, Arc<str>), Belief>,
    turns: DashMap<(Arc<str>, u128), Turn>,
    held: DashMap<(Arc<str>, u128), (Held, Moment)>,
    indexes: DashMap<Arc<str>, Arc<Index>>,
}

/// The group a session stays with.
#[derive(Debug, Clone)]
pub struct Held {
    /// The group.
    pub choice: Choice,
    /// Its tier when it was picked.
    pub tier: Option<Tier>,
}

/// The last turn of a conversation.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    pub(super) model: Arc<str>,
    pub(super) kind: RequestKind,
    words: HashSet<String>,
    at: Moment,
}

impl Turn {
    pub(super) fn new(model: Arc<str>, kind: RequestKind, said: &str, at: Moment) -> Self {
        Self { model, kind, words: words(said), at }
    }

    /// How much good and bad the next thing said tells of this turn's answer.
    pub(super) fn verdict(&self, said: &str) -> (f64, f64) {
        let text: String = said.chars().take(2_000).collect::<String>().to_lowercase();
        let any = |list: &[&str]| list.iter().any(|word| Keyword::new(word).is_in(&text));
        let next = words(said);
        let common = self.words.intersection(&next).count();
        let all = self.words.union(&next).count();
        #[expect(clippy::cast_precision_loss, reason = "there are few words")]
        let again = all > 0 && common as f64 / all as f64 >= SAME;
        let bad = [any(&BLAME), any(&GIVING_UP), again].into_iter().filter(|told| *told).count();
        let good = u8::from(any(&PRAISE) && bad == 0);
        (f64::from(good), f64::from(u8::try_from(bad).unwrap_or(u8::MAX)))
    }
}

fn words(said: &str) -> HashSet<String> {
    said.split_whitespace().take(WORDS).map(str::to_lowercase).collect()
}

impl Lessons {
    /// What is believed of a group at a kind of request.
    pub(super) fn belief(&self, router: &str, kind: RequestKind, model: &Arc<str>, start: Belief) -> Belief {
        let key = (Arc::from(router), kind, Arc::clone(model));
        self.beliefs.get(&key).map_or(start, |belief| *belief)
    }

    pub(super) fn learn(
        &self,
        router: &str,
        kind: RequestKind,
        model: &Arc<str>,
        start: Belief,
        (good, bad): (f64, f64),
    ) {
        if good > 0.0 || bad > 0.0 {
            let key = (Arc::from(router), kind, Arc::clone(model));
            let mut belief = self.beliefs.entry(key).or_insert(start);
            *belief = belief.after(good, bad);
        }
    }

    pub(super) fn last_turn(&self, router: &str, session: u128, now: Moment) -> Option<Turn> {
        let turn = self.turns.get(&(Arc::from(router), session))?;
        (now.since(turn.at) < TURN_TTL).then(|| turn.clone())
    }

    pub(super) fn turn(&self, router: &str, session: u128, turn: Turn) {
        if self.turns.len() >= MOST_SESSIONS {
            let now = turn.at;
            self.turns.retain(|_, turn| now.since(turn.at) < TURN_TTL / 24);
        }
        if self.turns.len() < MOST_SESSIONS {
            self.turns.insert((Arc::from(router), session), turn);
        }
    }

    /// The group a session stays with.
    pub(super) fn held(&self, router: &str, session: u128, now: Moment) -> Option<Held> {
        let held = self.held.get(&(Arc::from(router), session))?;
        (held.1 > now).then(|| held.0.clone())
    }

    pub(super) fn hold(&self, router: &str, session: u128, held: Held, until: Moment) {
        if self.held.len() >= MOST_SESSIONS {
            // All end at the same distance from now: what ends soonest was used longest ago.
            let ends: Vec<Moment> = self.held.iter().map(|held| held.1).collect();
            let middle = ends.iter().map(|end| end.0).sum::<u64>() / ends.len().max(1) as u64;
            self.held.retain(|_, held| held.1.0 > middle);
        }
        self.held.insert((Arc::from(router), session), (held, until));
    }

    /// The embedded utterances of a semantic router, where they were made from these routes.
    #[must_use]
    pub fn index(&self, router: &str, made_from: u64) -> Option<Arc<Index>> {
        self.indexes.get(router).map(|index| Arc::clone(&index)).filter(|index| index.made_from == made_from)
    }

    /// Keeps the embedded utterances of a semantic router.
    pub fn keep_index(&self, router: &str, index: Arc<Index>) {
        self.indexes.insert(Arc::from(router), index);
    }
}
