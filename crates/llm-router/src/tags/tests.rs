//! Tags choose deployments.

use super::*;
use crate::plan::{Filter, Refusal, plan};
use crate::testing::deployment;
use crate::{Counters, Group, Moment, RouterSettings};

fn group(tags: &[&[&str]]) -> Group {
    let counters = Counters::new();
    let candidates = tags.iter().enumerate().map(|(n, tags)| {
        let mut one = deployment(&format!("d{n}"), "m", "gpt");
        one.tags = tags.iter().map(|&tag| tag.to_owned()).collect();
        let state = counters.of(&one.id);
        Candidate::new(one.into(), state, None)
    });
    Group::new("m".into(), candidates.collect())
}

/// §7.7, tag routing.
#[test]
fn tags_choose_deployments() {
    let check = |deployments: &[&[&str]], tags: &[&str], any: bool, expect: &[u32]| {
        let group = group(deployments);
        let tags: Vec<String> = tags.iter().map(|&tag| tag.to_owned()).collect();
        let filter = Filter { tags: Some(TagWish { tags: &tags, any }), ..Filter::default() };
        let settings = RouterSettings::default();
        let found = plan(&group, filter, &settings, Moment(0)).map(|mut plan| {
            let mut rng = fastrand::Rng::with_seed(1);
            let mut all: Vec<u32> = std::iter::from_fn(|| plan.pick(&mut rng)).collect();
            all.sort_unstable();
            all
        });
        let expect = if expect.is_empty() { Err(Refusal::Tags) } else { Ok(expect.to_vec()) };
        assert_eq!(found, expect, "{deployments:?} {tags:?}");
    };
    let pool: &[&[&str]] = &[&["paid", "eu"], &["free"], &["default"], &[]];
    check(pool, &["paid"], true, &[0]);
    check(pool, &["paid", "free"], true, &[0, 1]);
    check(pool, &["paid", "eu"], false, &[0]);
    check(pool, &["paid", "free"], false, &[2]);
    check(pool, &["unknown"], true, &[2]);
    check(pool, &[], true, &[2]);
    check(pool, &["&eu"], true, &[0]);
    check(pool, &["!eu", "!free"], true, &[2, 3]);
    check(pool, &["paid", "!eu"], true, &[2]);
    check(&[&["paid"], &[]], &["unknown"], true, &[]);
    check(&[&["paid"], &[]], &[], true, &[0, 1]);
}
