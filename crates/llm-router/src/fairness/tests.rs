//! Turns are given by tokens and weight.

use super::*;

fn tenant(id: u64, tokens: u64, weight: u32) -> Option<Tenant> {
    Some(Tenant { id, tokens, weight })
}

/// Tenants in the order in which they are served, when all of these wait.
fn served(asks: &[Option<Tenant>]) -> Vec<u64> {
    let mut turns = Turns::default();
    let tags: Vec<u64> = asks.iter().map(|ask| turns.arrive(*ask)).collect();
    let mut order: Vec<usize> = (0..asks.len()).collect();
    order.sort_by_key(|at| (tags[*at], *at));
    order.into_iter().map(|at| asks[at].map_or(0, |ask| ask.id)).collect()
}

#[test]
fn a_late_comer_is_served_before_the_rest_of_a_flood() {
    let mut asks = vec![tenant(1, 100, 1_000); 5];
    asks.push(tenant(2, 100, 1_000));
    assert_eq!(served(&asks), [1, 2, 1, 1, 1, 1]);
}

#[test]
fn turns_are_as_long_as_the_tokens() {
    let mut asks = vec![tenant(1, 300, 1_000); 3];
    asks.extend(vec![tenant(2, 100, 1_000); 6]);
    assert_eq!(served(&asks), [1, 2, 2, 2, 1, 2, 2, 2, 1]);
}

#[test]
fn who_weighs_twice_as_much_is_served_twice_as_often() {
    let mut asks = vec![tenant(1, 100, 2_000); 6];
    asks.extend(vec![tenant(2, 100, 1_000); 3]);
    assert_eq!(served(&asks), [1, 2, 1, 1, 2, 1, 1, 2, 1]);
}

#[test]
fn without_tenants_calls_are_served_as_they_come() {
    let mut turns = Turns::default();
    assert_eq!((turns.arrive(None), turns.arrive(None)), (0, 0));
}

#[test]
fn a_turn_that_was_given_up_is_not_counted_and_idle_time_saves_nothing_up() {
    let mut turns = Turns::default();
    let ask = tenant(1, 10, 1_000);
    assert_eq!(turns.arrive(ask), 0);
    turns.give_up(ask);
    assert_eq!(turns.arrive(ask), 0);
    turns.serve(50_000);
    assert_eq!(turns.arrive(tenant(2, 10, 1_000)), 50_000, "who comes late begins now");
    turns.rest();
    assert_eq!(turns.arrive(ask), 0);
}
