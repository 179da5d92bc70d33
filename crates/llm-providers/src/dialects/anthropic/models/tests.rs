//! The longest family name decides, and clouds' names are understood.

use super::*;

#[test]
fn the_longest_family_counts() {
    let check = |model: &str, traits: Traits| assert_eq!(Traits::of(model), traits, "{model}");
    check("claude-sonnet-4-5-20250929", Traits::BUDGET);
    check("claude-sonnet-4-20250514", Traits { schema: false, ..Traits::BUDGET });
    check("us.anthropic.claude-sonnet-5-5-v1:0", Traits::UNFORCED);
    check("claude-opus-4-7@20260416", Traits::ADAPTIVE);
    check("claude-3-5-sonnet-20241022", Traits::NO_THINKING);
    check("claude-opus-7", Traits::FIFTH);
    check("MiniMax-M2", Traits::OTHER);
}

#[test]
fn families_are_sorted_and_unique() {
    assert!(FAMILIES.windows(2).all(|pair| pair[0].0 < pair[1].0));
}
