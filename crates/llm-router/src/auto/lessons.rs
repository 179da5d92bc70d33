//! What auto routers learnt: survives reloads of the configuration; what is believed of groups survives the process
//! too, where its owner stores it.

use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use foldhash::fast::FixedState;

use super::bandit::Belief;
use super::keywords::Keyword;
use super::kinds::RequestKind;
use super::semantic::Index;
use super::{Choice, Tier, Warmth};
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
    seen: DashMap<(Arc<str>, RequestKind, Arc<str>), Seen>,
    /// Until when the models that tell how hard prompts are and were too slow are not asked, by router.
    slow: DashMap<Arc<str>, Moment>,
    turns: DashMap<(Arc<str>, u128), Turn>,
    held: DashMap<(Arc<str>, u128), (Held, Moment)>,
    indexes: DashMap<Arc<str>, Arc<Index>>,
    /// Where beginnings of conversations are warm, and until when.
    warm: DashMap<u128, Vec<(Warmth, Moment)>>,
}

/// What was seen of a group at a kind of request, and was not stored yet.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Seen {
    stored: (f64, f64),
    fresh: (f64, f64),
}

/// What was seen of a group at a kind of request: good and bad.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// The router's deployment.
    pub router: Arc<str>,
    /// The kind of request, by its name.
    pub kind: &'static str,
    /// The group.
    pub model: Arc<str>,
    /// Observations that praise its answers.
    pub good: f64,
    /// Observations that blame them.
    pub bad: f64,
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
    words: Words,
    at: Moment,
}

/// What tells texts alike: a number for each of their first words, in order, none twice. The words themselves, which
/// may be as long as callers like, are not kept.
type Words = Box<[u64]>;

impl Turn {
    pub(super) fn new(model: Arc<str>, kind: RequestKind, said: &str, at: Moment) -> Self {
        Self { model, kind, words: words(said), at }
    }

    /// How much good and bad the next thing said tells of this turn's answer.
    pub(super) fn verdict(&self, said: &str) -> (f64, f64) {
        let text: String = said.chars().take(2_000).collect::<String>().to_lowercase();
        let any = |list: &[&str]| list.iter().any(|word| Keyword::new(word).is_in(&text));
        let next = words(said);
        let common = self.words.iter().filter(|word| next.binary_search(word).is_ok()).count();
        let all = self.words.len() + next.len() - common;
        #[expect(clippy::cast_precision_loss, reason = "there are few words")]
        let again = all > 0 && common as f64 / all as f64 >= SAME;
        let bad = [any(&BLAME), any(&GIVING_UP), again].into_iter().filter(|told| *told).count();
        let good = u8::from(any(&PRAISE) && bad == 0);
        (f64::from(good), f64::from(u8::try_from(bad).unwrap_or(u8::MAX)))
    }
}

fn words(said: &str) -> Words {
    let number = |word: &str| FixedState::with_seed(0).hash_one(word.to_lowercase());
    let mut words: Vec<u64> = said.split_whitespace().take(WORDS).map(number).collect();
    words.sort_unstable();
    words.dedup();
    words.into()
}

impl Seen {
    fn belief(self, start: Belief) -> Belief {
        let Self { stored, fresh } = self;
        Belief { good: start.good + stored.0 + fresh.0, bad: start.bad + stored.1 + fresh.1 }
    }
}

impl Lessons {
    /// What is believed of a group at a kind of request.
    pub(super) fn belief(&self, router: &str, kind: RequestKind, model: &Arc<str>, start: Belief) -> Belief {
        let key = (Arc::from(router), kind, Arc::clone(model));
        self.seen.get(&key).map_or(start, |seen| seen.belief(start))
    }

    /// Observations of a group at a kind of request.
    pub(super) fn samples(&self, router: &str, kind: RequestKind, model: &Arc<str>) -> f64 {
        let key = (Arc::from(router), kind, Arc::clone(model));
        self.seen.get(&key).map_or(0.0, |seen| seen.stored.0 + seen.stored.1 + seen.fresh.0 + seen.fresh.1)
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
            let mut seen = self.seen.entry(key).or_default();
            // What a belief has no room for is not kept either.
            let before = seen.belief(start);
            if before.after(good, bad) != before {
                seen.fresh = (seen.fresh.0 + good, seen.fresh.1 + bad);
            }
        }
    }

    /// What was seen since it was taken last, to be stored.
    #[must_use]
    pub fn take_fresh(&self) -> Vec<Lesson> {
        let mut all = Vec::new();
        for mut entry in self.seen.iter_mut() {
            let (good, bad) = std::mem::take(&mut entry.value_mut().fresh);
            if good > 0.0 || bad > 0.0 {
                let seen = entry.value_mut();
                // Believed in the meantime, until what is stored is read again.
                seen.stored = (seen.stored.0 + good, seen.stored.1 + bad);
                let (router, kind, model) = entry.key();
                let (router, model) = (Arc::clone(router), Arc::clone(model));
                all.push(Lesson { router, kind: kind.as_str(), model, good, bad });
            }
        }
        all
    }

    /// What was taken could not be stored: it is taken again.
    pub fn give_back(&self, lessons: Vec<Lesson>) {
        for Lesson { router, kind, model, good, bad } in lessons {
            let Some(kind) = RequestKind::named(kind) else { continue };
            let mut seen = self.seen.entry((router, kind, model)).or_default();
            seen.fresh = (seen.fresh.0 + good, seen.fresh.1 + bad);
            seen.stored = (seen.stored.0 - good, seen.stored.1 - bad);
        }
    }

    /// Takes over what is stored, here and by other gateways.
    pub fn recall(&self, router: &str, kind: &str, model: &str, (good, bad): (f64, f64)) {
        let Some(kind) = RequestKind::named(kind) else { return };
        let mut seen = self.seen.entry((Arc::from(router), kind, Arc::from(model))).or_default();
        seen.stored = (good, bad);
    }

    /// Whether a router's model may be asked: it was not too slow lately. After its rest one call asks it.
    #[must_use]
    pub fn may_ask(&self, router: &str, rest: Duration, now: Moment) -> bool {
        let Some(mut until) = self.slow.get_mut(router) else { return true };
        let may = *until <= now;
        if may {
            *until = now + rest;
        }
        may
    }

    /// A router's model answered, or was too slow to be asked again before a moment.
    pub fn asked(&self, router: &str, too_slow: Option<Moment>) {
        match too_slow {
            Some(until) => drop(self.slow.insert(Arc::from(router), until)),
            None => drop(self.slow.remove(router)),
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

    /// The group a session stays with, and how long it does without another call.
    #[must_use]
    pub fn kept(&self, router: &str, session: u128, now: Moment) -> Option<(Held, Duration)> {
        let held = self.held.get(&(Arc::from(router), session))?;
        (held.1 > now).then(|| (held.0.clone(), held.1.since(now)))
    }

    /// The group a session stays with.
    pub(super) fn held(&self, router: &str, session: u128, now: Moment) -> Option<Held> {
        self.kept(router, session, now).map(|(held, _)| held)
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

    /// Where a conversation is warm that has these beginnings: of each group the most of it.
    #[must_use]
    pub fn warm(&self, beginnings: impl Iterator<Item = u128>, now: Moment) -> Vec<Warmth> {
        let mut found: Vec<Warmth> = Vec::new();
        for beginning in beginnings {
            let Some(known) = self.warm.get(&beginning) else { continue };
            for (warmth, _) in known.iter().filter(|(_, until)| *until > now) {
                match found.iter_mut().find(|one| one.model == warmth.model) {
                    Some(one) => one.tokens = one.tokens.max(warmth.tokens),
                    None => found.push(warmth.clone()),
                }
            }
        }
        found
    }

    /// A group's provider said that it has so much of a beginning in its cache.
    pub fn keep_warm(&self, beginning: u128, warmth: Warmth, (now, ttl): (Moment, Duration)) {
        if self.warm.len() >= MOST_SESSIONS {
            self.warm.retain(|_, known| known.iter().any(|(_, until)| *until > now));
        }
        if self.warm.len() < MOST_SESSIONS || self.warm.contains_key(&beginning) {
            let mut known = self.warm.entry(beginning).or_default();
            known.retain(|(one, until)| one.model != warmth.model && *until > now);
            known.push((warmth, now + ttl));
        }
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

#[cfg(test)]
mod tests;
