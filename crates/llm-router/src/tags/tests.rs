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
        let filter = Filter {
            tags: Some(TagWish { tags: &tags, any, prefix: "", user_agent: None }),
            ..Filter::default()
        };
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

/// §7.7: `tag_regex` fits the caller's `User-Agent`; it counts before the default pool and after tags.
#[test]
fn user_agents_choose_deployments() {
    let counters = Counters::new();
    let candidates = ["cli", "default", "gold"].map(|id| {
        let mut one = deployment(id, "m", "gpt");
        match id {
            "cli" => {
                one.tag_patterns = vec![TagPattern::new("^User-Agent: claude-code/").expect("a pattern")]
            }
            _ => one.tags = vec![id.to_owned()],
        }
        Candidate::new(one.into(), counters.of(&id.into()), None)
    });
    let group = Group::new("m".into(), candidates.into());
    let check = |agent: Option<&str>, tags: &[&str], expect: Option<u32>| {
        let tags: Vec<String> = tags.iter().map(|&tag| tag.to_owned()).collect();
        let wish = TagWish { tags: &tags, any: true, prefix: "", user_agent: agent };
        let filter = Filter { tags: Some(wish), ..Filter::default() };
        let settings = RouterSettings::default();
        let found = plan(&group, filter, &settings, Moment(0)).map(|plan| plan.open().to_vec());
        assert_eq!(found.ok(), expect.map(|at| vec![at]), "{agent:?} {tags:?}");
    };
    check(Some("claude-code/2.0 (cli)"), &[], Some(0));
    check(Some("curl/8"), &[], Some(1));
    check(None, &[], Some(1));
    check(Some("claude-code/2.0"), &["gold"], Some(2));
    check(Some("claude-code/2.0"), &["unknown"], Some(0));
    assert!(TagPattern::new("(").is_err());
}

/// §2.6: with a prefix only tags that begin so choose; deployments may write them with or without it.
#[test]
fn a_prefix_marks_routing_tags() {
    let group = group(&[&["gold"], &["route:free"], &["other"]]);
    let open = |tags: &[&str]| {
        let tags: Vec<String> = tags.iter().map(|&tag| tag.to_owned()).collect();
        let wish = TagWish { tags: &tags, any: true, prefix: "route:", user_agent: None };
        let filter = Filter { tags: Some(wish), ..Filter::default() };
        let settings = RouterSettings::default();
        plan(&group, filter, &settings, Moment(0)).map(|plan| plan.open().to_vec()).ok()
    };
    assert_eq!(open(&["route:gold", "other"]), Some(vec![0]));
    assert_eq!(open(&["route:free"]), Some(vec![1]));
    assert_eq!(open(&["other"]), Some(vec![0, 1, 2]), "no routing tag at all");
    assert_eq!(open(&["!route:gold"]), Some(vec![1, 2]));
}
