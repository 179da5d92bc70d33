//! The semantic router: the group whose utterances are nearest to the prompt in meaning. LiteLLM surface §7.8.
//!
//! As the `semantic-router` library does it: the five nearest utterances of all routes; the route whose share
//! of them is nearest on average; and that only where the average reaches the route's threshold.

use std::hash::BuildHasher as _;
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::Decision;

/// The nearest utterances that are looked at.
const NEAREST: usize = 5;

/// A semantic router.
#[derive(Debug, Clone, Default)]
pub struct Semantic {
    /// Where prompts may go.
    pub routes: Vec<Place>,
    /// The group of prompts that are near to no route.
    pub default: Option<Arc<str>>,
    /// The group that embeds.
    pub embedding: Arc<str>,
    /// Letters of a prompt that are embedded at most.
    pub max_letters: Option<usize>,
}

/// One route.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Place {
    /// The group.
    pub name: Arc<str>,
    /// What callers of it say.
    pub utterances: Vec<String>,
    /// The least nearness, from -1 to 1; without one every nearness will do.
    pub threshold: Option<f64>,
}

/// The utterances of a router as points, each with its route.
#[derive(Debug)]
pub struct Index {
    points: Vec<(usize, Point)>,
    /// The routes it was made from.
    pub(super) made_from: u64,
}

/// A text as a point, and how far it is from the origin.
#[derive(Debug)]
struct Point {
    at: Vec<f32>,
    length: f64,
}

impl Semantic {
    /// All utterances, in the order in which their points are expected.
    pub fn utterances(&self) -> impl Iterator<Item = &str> {
        self.routes.iter().flat_map(|route| route.utterances.iter().map(String::as_str))
    }

    /// A number that tells routes apart from other ones.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let texts: Vec<&str> = std::iter::once(&*self.embedding).chain(self.utterances()).collect();
        FixedState::with_seed(self.routes.len() as u64).hash_one(texts)
    }

    /// The points of all utterances; `None` where their number is wrong.
    #[must_use]
    pub fn index(&self, points: Vec<Vec<f32>>) -> Option<Index> {
        let owners = self.routes.iter().enumerate();
        let owners: Vec<usize> =
            owners.flat_map(|(at, route)| std::iter::repeat_n(at, route.utterances.len())).collect();
        let fits = owners.len() == points.len();
        fits.then(|| Index {
            points: owners.into_iter().zip(points.into_iter().map(Point::new)).collect(),
            made_from: self.fingerprint(),
        })
    }

    /// What of a prompt is embedded.
    #[must_use]
    pub fn asked<'t>(&self, text: &'t str) -> &'t str {
        let end =
            self.max_letters.and_then(|most| text.char_indices().nth(most)).map_or(text.len(), |(at, _)| at);
        &text[..end]
    }

    /// The group for a prompt's point; `None` where no route is near and there is no default.
    #[must_use]
    pub fn decide(&self, point: Vec<f32>, index: &Index) -> Option<Decision> {
        let point = Point::new(point);
        let mut near: Vec<(usize, f64)> =
            index.points.iter().map(|(route, other)| (*route, point.nearness(other))).collect();
        near.sort_by(|a, b| b.1.total_cmp(&a.1));
        near.truncate(NEAREST);
        let mut totals: Vec<(usize, f64)> = Vec::new();
        for (route, _) in &near {
            if totals.iter().any(|(known, _)| known == route) {
                continue;
            }
            let own: Vec<f64> =
                near.iter().filter(|(other, _)| other == route).map(|(_, score)| *score).collect();
            #[expect(clippy::cast_precision_loss, reason = "five at most")]
            totals.push((*route, own.iter().sum::<f64>() / own.len() as f64));
        }
        totals.sort_by(|a, b| b.1.total_cmp(&a.1));
        let passes = |(route, score): &&(usize, f64)| {
            self.routes[*route].threshold.is_none_or(|threshold| *score >= threshold)
        };
        let found = totals.iter().find(passes);
        let (model, score, cause) = match (found, &self.default) {
            (Some((route, score)), _) => (&self.routes[*route].name, Some(*score), "semantic_match"),
            (None, Some(default)) => (default, totals.first().map(|(_, score)| *score), "default_model"),
            (None, None) => return None,
        };
        let score = score.map(|score| (score * 1e6).round() / 1e6);
        Some(Decision { kind: "semantic", score, ..Decision::to(model, cause) })
    }
}

impl Point {
    fn new(at: Vec<f32>) -> Self {
        let length = product(&at, &at).sqrt();
        Self { at, length }
    }

    /// The cosine of the angle between two points; 0 where their dimensions differ.
    fn nearness(&self, other: &Self) -> f64 {
        let lengths = self.length * other.length;
        let comparable = self.at.len() == other.at.len() && lengths > 0.0;
        if comparable { product(&self.at, &other.at) / lengths } else { 0.0 }
    }
}

fn product(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}
