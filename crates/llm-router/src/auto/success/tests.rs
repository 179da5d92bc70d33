//! LiteLLM surface §7.8, `heuristic_v2`: the likelihoods that LiteLLM's own table and arithmetic give.

use super::*;

/// The table is whole: for each kind its rows come to the sums that LiteLLM keeps beside them.
#[test]
fn rows_come_to_the_sums_of_their_kinds() {
    let counts = Counts::read(include_str!("counts.txt")).expect("a table");
    for (kind, sums) in [
        ("analytical_reasoning", [(1592.0, 2211.0), (2654.0, 3374.0), (2243.0, 2481.0), (538.0, 546.0)]),
        ("code_generation", [(750.0, 1015.0), (1271.0, 1511.0), (1030.0, 1111.0), (233.0, 235.0)]),
        ("code_understanding", [(243.0, 277.0), (385.0, 425.0), (322.0, 334.0), (74.0, 76.0)]),
        ("factual_lookup", [(2014.0, 2170.0), (3120.0, 3266.0), (2612.0, 2670.0), (540.0, 542.0)]),
        ("general", [(30571.0, 38161.0), (50037.0, 58821.0), (40460.0, 43618.0), (9565.0, 9716.0)]),
        ("technical_design", [(159.0, 170.0), (282.0, 303.0), (231.0, 236.0), (47.0, 47.0)]),
        ("writing", [(1290.0, 1500.0), (2048.0, 2362.0), (1706.0, 1795.0), (396.0, 399.0)]),
    ] {
        assert_eq!(counts.kinds[kind], sums, "{kind}");
    }
    assert_eq!(counts.all, [(36619.0, 45504.0), (59797.0, 70062.0), (48604.0, 52245.0), (11393.0, 11561.0)]);
    assert_eq!((counts.kinds.len(), counts.alike.len()), (7, 174));
    for (kind, length, traits) in counts.alike.keys() {
        assert!(RequestKind::named(kind).is_some(), "{kind}");
        assert!(LENGTHS.iter().any(|(_, name)| name == length), "{length}");
        assert!(traits.chars().all(|letter| "cmoi".contains(letter)), "{traits}");
    }
    assert!(Counts::read("general short").is_none());
    assert!(Counts::read("general short - 1/2 3").is_none());
}

#[test]
fn prompts_have_traits() {
    let long = "x ".repeat(700);
    for (said, wanted, size) in [
        ("hello", "", "short"),
        ("Write some Python", "c", "short"),
        ("encode this", "", "short"),
        ("```\nx\n```", "c", "short"),
        ("solve it", "m", "short"),
        ("2 + 2 = ?", "m", "short"),
        ("Which? A) one B) two", "o", "short"),
        ("Which?\nA. one\nB. two", "o", "short"),
        ("Which? (A) one, vitamin A", "", "short"),
        ("a) one", "", "short"),
        ("The last word is A.", "", "short"),
        ("Что это значит?", "i", "short"),
        ("a naïve reader of cafés", "", "short"),
        ("the probability in this function: Ω ё ж й ц у к", "cmi", "short"),
        (&long, "", "long"),
    ] {
        assert_eq!((&*traits(said), length(said)), (wanted, size), "{said}");
    }
    assert_eq!(
        [199, 200, 799, 800, 1999, 2000].map(|letters| length(&"x".repeat(letters))),
        ["short", "medium", "medium", "long", "long", "very_long"]
    );
}

/// Worked out from the table by hand: (good + 20 × kind) / (all + 20), with kind = (good + 200 × all) / (all + 200).
#[test]
fn likelihoods_are_weighed() {
    let told = likely("hello there");
    let overall = (36_619.0 + 1.0) / (45_504.0 + 2.0);
    let kind = (30_571.0 + 200.0 * overall) / (38_161.0 + 200.0);
    let alike = (11_635.0 + 20.0 * kind) / (12_910.0 + 20.0);
    assert!((told.success[0] - alike).abs() < 1e-12, "{told:?}");
    // Prompts that nobody rated are told by their kind.
    let counts = Counts::read(include_str!("counts.txt")).expect("a table");
    let unknown = counts.of(RequestKind::General, "short", "cmoi");
    assert!((unknown[0] - kind).abs() < 1e-12, "{unknown:?}");
}

#[test]
fn the_easiest_tier_that_is_good_enough() {
    let foreign = "Расскажи, пожалуйста, подробно: ".repeat(10);
    let strange = "Реши, пожалуйста: x = 2 + y, ".repeat(40);
    for (said, kind, tier) in [
        ("hi", RequestKind::General, Tier::Simple),
        ("Who was Ada Lovelace?", RequestKind::FactualLookup, Tier::Simple),
        ("Write a python script that sorts a list", RequestKind::CodeGeneration, Tier::Medium),
        ("Solve this equation: x + 2 = 4", RequestKind::AnalyticalReasoning, Tier::Medium),
        // Models of the lower tiers are rated badly in other languages.
        (&foreign, RequestKind::General, Tier::Reasoning),
        (&strange, RequestKind::General, Tier::Reasoning),
    ] {
        let told = likely(said);
        assert_eq!((told.kind, told.tier), (kind, tier), "{said}: {:?}", told.success);
        assert!(told.success.is_sorted(), "{told:?}");
        assert!(told.success.iter().all(|share| (0.0..=1.0).contains(share)), "{told:?}");
    }
}
