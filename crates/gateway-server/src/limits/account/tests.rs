//! Limits hold under any order of reservations and settlements.

use std::sync::Arc;

use llm_types::Money;

use super::{Account, Ask, Denial, Limits, Settlement, WINDOW_MS};

const NOW: i64 = 1_000_000;

fn budget(max: i64) -> Limits {
    Limits { max_budget: Some(Money(max)), ..Limits::default() }
}

fn ask(cost: i64) -> Ask {
    Ask { cost: Money(cost), tokens: 10, free: false }
}

#[test]
fn concurrent_calls_cannot_overshoot_a_budget() {
    let account = Arc::new(Account::default());
    let limits = budget(1_000);
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let account = Arc::clone(&account);
            std::thread::spawn(move || {
                for _ in 0..500 {
                    if let Ok((reserved, _)) = account.reserve(&limits, ask(7), NOW) {
                        std::thread::yield_now();
                        account.settle(reserved, Settlement { cost: Money(7), tokens: 10 });
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    // 142 calls of 7 fit whole; the last one may begin with less than 7 left, alone.
    assert!(account.spent() <= Money(1_000 + 6), "{}", account.spent());
    assert!(account.spent() >= Money(994), "{}", account.spent());
    assert_eq!(account.in_flight(), 0);
}

#[test]
fn the_rest_of_a_budget_serves_one_call_at_a_time() {
    let account = Account::with_spent(Money(95));
    let (first, _) = account.reserve(&budget(100), ask(7), NOW).unwrap();
    assert_eq!(first.cost, Money(5));
    assert!(matches!(account.reserve(&budget(100), ask(1), NOW), Err(Denial::Budget { .. })));
    account.settle(first, Settlement { cost: Money(2), tokens: 1 });
    assert!(account.reserve(&budget(100), ask(7), NOW).is_ok());
}

#[test]
fn a_spent_budget_lets_only_calls_pass_that_are_known_to_be_free() {
    let account = Account::with_spent(Money(100));
    assert!(matches!(account.reserve(&budget(100), ask(0), NOW), Err(Denial::Budget { .. })));
    let free = Ask { free: true, ..ask(0) };
    assert!(account.reserve(&budget(100), free, NOW).is_ok());
}

#[test]
fn what_is_released_was_never_taken() {
    let limits = Limits { rpm: Some(1), tpm: Some(10), parallel: Some(1), ..budget(10) };
    let account = Account::default();
    let (reserved, _) = account.reserve(&limits, ask(10), NOW).unwrap();
    assert!(account.reserve(&limits, ask(1), NOW).is_err());
    account.release(reserved);
    assert!(account.reserve(&limits, ask(10), NOW).is_ok());
}

#[test]
fn requests_are_counted_in_a_window_that_starts_with_the_first() {
    let account = Account::default();
    let limits = Limits { rpm: Some(2), ..Limits::default() };
    for left in [1, 0] {
        let (_, remaining) = account.reserve(&limits, ask(0), NOW).unwrap();
        assert_eq!(remaining.requests, Some((left, 2)));
    }
    let denied = account.reserve(&limits, ask(0), NOW + WINDOW_MS - 1);
    assert!(
        matches!(denied, Err(Denial::Requests { limit: 2, resets_at_ms }) if resets_at_ms == NOW + WINDOW_MS)
    );
    assert!(account.reserve(&limits, ask(0), NOW + WINDOW_MS).is_ok());
}

#[test]
fn estimated_tokens_are_replaced_by_real_ones() {
    let account = Account::default();
    let limits = Limits { tpm: Some(100), ..Limits::default() };
    let big = Ask { cost: Money::ZERO, tokens: 90, free: false };
    let (first, _) = account.reserve(&limits, big, NOW).unwrap();
    let (second, _) = account.reserve(&limits, big, NOW).unwrap();
    assert_eq!(second.tokens, 10);
    assert!(matches!(account.reserve(&limits, big, NOW), Err(Denial::Tokens { .. })));
    account.settle(first, Settlement { cost: Money::ZERO, tokens: 20 });
    account.settle(second, Settlement { cost: Money::ZERO, tokens: 20 });
    let (_, remaining) = account.reserve(&limits, Ask::default(), NOW).unwrap();
    assert_eq!(remaining.tokens, Some((60, 100)));
}

#[test]
fn a_settlement_of_an_older_window_leaves_the_new_one_alone() {
    let account = Account::default();
    let limits = Limits { tpm: Some(100), ..Limits::default() };
    let (old, _) = account.reserve(&limits, Ask { cost: Money::ZERO, tokens: 50, free: false }, NOW).unwrap();
    let (_, _) =
        account.reserve(&limits, Ask { cost: Money::ZERO, tokens: 5, free: false }, NOW + WINDOW_MS).unwrap();
    account.settle(old, Settlement { cost: Money::ZERO, tokens: 80 });
    let (_, remaining) = account.reserve(&limits, Ask::default(), NOW + WINDOW_MS).unwrap();
    assert_eq!(remaining.tokens, Some((95, 100)));
}

#[test]
fn a_limit_of_zero_calls_at_once_blocks_everything() {
    let account = Account::default();
    let limits = Limits { parallel: Some(0), ..Limits::default() };
    assert!(matches!(account.reserve(&limits, ask(0), NOW), Err(Denial::Parallel { limit: 0 })));
}
