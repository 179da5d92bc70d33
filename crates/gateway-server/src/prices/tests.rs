//! Which maps are taken, and what of their addresses is logged.

use super::{check, without_query};
use crate::config::PriceMap;

#[test]
fn a_map_that_lost_most_of_its_models_is_broken() {
    let map = PriceMap { source: None, local: false, fewest: 50, largest_loss: 0.5 };
    for (found, before, word) in [
        (49, 10, Some("MODEL_COST_MAP_MIN_MODEL_COUNT")),
        (50, 10, None),
        (50, 100, None),
        (99, 200, Some("MODEL_COST_MAP_MAX_SHRINK_RATIO")),
        (300, 200, None),
    ] {
        let said = check(&map, found, before).err();
        assert_eq!(said.is_some(), word.is_some(), "{found} of {before}: {said:?}");
        assert!(said.is_none_or(|said| said.contains(word.unwrap_or_default())));
    }
    let all = PriceMap { largest_loss: 1.0, fewest: 0, ..map };
    assert_eq!(check(&all, 1, 4_000), Ok(()));
}

#[test]
fn a_logged_address_ends_with_its_path() {
    assert_eq!(without_query("https://h/map.json?sig=s3cret#x"), "https://h/map.json");
}
