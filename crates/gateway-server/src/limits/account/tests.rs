//! Limits hold under any order of reservations and settlements.

use std::sync::Arc;

use gateway_db::Granted;
use llm_types::Money;

use super::{Account, Ask, Denial, Limits, Settlement, WINDOW_MS};

const NOW: i64 = 1_000_000;

fn budget(max: i64) -> Limits {
    Limits { max_budget: Some(Money(max)), ..Limits::default() }
}

fn ask(cost: i64) -> Ask {
    Ask { cost: Money(cost), tokens: 10, ..Ask::default() }
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
fn more_for_a_call_is_money_alone_and_given_back() {
    let account = Account::default();
    let limits = Limits { rpm: Some(1), tpm: Some(10), parallel: Some(1), ..budget(100) };
    let more = |cost, held| Ask { beside: Some(Money(held)), ..ask(cost) };
    let (first, _) = account.reserve(&limits, ask(10), NOW).unwrap();
    let (raised, _) = account.reserve(&limits, more(60, 10), NOW).unwrap();
    assert_eq!((raised.cost, account.in_flight(), account.counted(NOW)), (Money(60), 1, (1, 10)));
    let own = account.settle(first, Settlement { cost: Money(65), tokens: 10 });
    account.release(raised);
    assert_eq!((own, account.in_flight(), account.counted(NOW)), (Money(65), 0, (1, 10)));
    // Of what is left, all may be set aside again.
    let (whole, _) = account.reserve(&budget(100), ask(35), NOW).unwrap();
    assert_eq!(whole.cost, Money(35));
}

#[test]
fn more_for_a_call_is_the_rest_where_it_is_alone_and_refused_beside_others() {
    let more = |held| Ask { beside: Some(Money(held)), ..ask(60) };
    let account = Account::with_spent(Money(50));
    let (_first, _) = account.reserve(&budget(100), ask(10), NOW).unwrap();
    let (rest, _) = account.reserve(&budget(100), more(10), NOW).unwrap();
    assert_eq!(rest.cost, Money(40), "alone it may have the rest, as a first call may");
    account.release(rest);
    let (_second, _) = account.reserve(&budget(100), ask(10), NOW).unwrap();
    assert!(matches!(account.reserve(&budget(100), more(10), NOW), Err(Denial::Budget { .. })));
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
    let big = Ask { cost: Money::ZERO, tokens: 90, ..Ask::default() };
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
    let (old, _) =
        account.reserve(&limits, Ask { cost: Money::ZERO, tokens: 50, ..Ask::default() }, NOW).unwrap();
    let (_, _) = account
        .reserve(&limits, Ask { cost: Money::ZERO, tokens: 5, ..Ask::default() }, NOW + WINDOW_MS)
        .unwrap();
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

const MINUTE: i64 = 60_000;

fn wanted(denial: &Denial) -> Money {
    let Denial::Lease { wanted, .. } = denial else { panic!("{denial:?} is no wish for a lease") };
    *wanted
}

fn got(granted: i64, spent: i64, elsewhere: i64) -> Granted {
    Granted { granted: Money(granted), spent: Money(spent), elsewhere: Money(elsewhere) }
}

#[test]
fn crumbs_beside_others_are_let_lie_and_given_back() {
    let account = Account::leasing(Money(95));
    account.grant(&got(5, 95, 3), (Money(7), Money(100)), (NOW, NOW + MINUTE));
    assert!(matches!(account.reserve(&budget(100), ask(7), NOW), Err(Denial::Budget { .. })));
    assert_eq!(account.take_idle_lease(NOW + 10), Some(Money(5)));
}

#[test]
fn nothing_is_set_aside_but_from_a_lease() {
    let account = Account::leasing(Money(40));
    let short = account.reserve(&budget(100), ask(7), NOW).unwrap_err();
    assert_eq!(wanted(&short), Money(7));
    assert!(account.is_short(ask(7), Money(100), NOW));
    account.grant(&got(10, 41, 0), (Money(7), Money(100)), (NOW, NOW + MINUTE));
    assert!(!account.is_short(ask(7), Money(100), NOW));
    let (first, _) = account.reserve(&budget(100), ask(7), NOW).unwrap();
    assert_eq!(wanted(&account.reserve(&budget(100), ask(7), NOW).unwrap_err()), Money(4));
    account.settle(first, Settlement { cost: Money(2), tokens: 0 });
    assert_eq!(account.spent(), Money(43));
    assert!(account.reserve(&budget(100), ask(7), NOW).is_ok(), "8 of 10 are left");
}

#[test]
fn the_rest_of_a_shared_budget_serves_one_call_at_a_time() {
    let account = Account::leasing(Money(95));
    account.grant(&got(5, 95, 0), (Money(7), Money(100)), (NOW, NOW + MINUTE));
    let (rest, _) = account.reserve(&budget(100), ask(7), NOW).unwrap();
    assert_eq!(rest.cost, Money(5));
    assert!(matches!(account.reserve(&budget(100), ask(7), NOW), Err(Denial::Budget { .. })));
    account.settle(rest, Settlement { cost: Money(5), tokens: 0 });
    assert!(matches!(account.reserve(&budget(100), ask(7), NOW), Err(Denial::Budget { .. })), "it is dry");
    assert!(matches!(account.reserve(&budget(101), ask(7), NOW), Err(Denial::Lease { .. })), "it was raised");
    account.set_spent(Money(0));
    assert!(matches!(account.reserve(&budget(100), ask(7), NOW), Err(Denial::Lease { .. })), "it was reset");
    let later = account.reserve(&budget(100), ask(7), NOW + 1_000).unwrap_err();
    assert_eq!(wanted(&later), Money(7), "others may have given back");
}

#[test]
fn a_lease_that_is_over_is_used_no_longer_and_an_idle_one_given_back() {
    let account = Account::leasing(Money(0));
    account.grant(&got(50, 0, 20), (Money(7), Money(100)), (NOW, NOW + MINUTE));
    assert!(matches!(account.reserve(&budget(100), ask(7), NOW + MINUTE), Err(Denial::Lease { .. })));
    account.grant(&got(-30, 0, 20), (Money::ZERO, Money(100)), (NOW + MINUTE, NOW + 2 * MINUTE));
    let (held, _) = account.reserve(&budget(100), ask(7), NOW + MINUTE).unwrap();
    assert!(account.take_idle_lease(NOW + MINUTE + 5_000).is_none(), "a call is in flight");
    assert!(account.wants_tending(NOW + 2 * MINUTE - 1));
    account.settle(held, Settlement { cost: Money(7), tokens: 0 });
    assert!(account.take_idle_lease(NOW + MINUTE + 10).is_none(), "it was just used");
    assert_eq!(account.take_idle_lease(NOW + MINUTE + 5_000), Some(Money(13)));
    assert!(!account.wants_tending(NOW + 2 * MINUTE));
}

#[test]
fn a_slice_of_a_budget_that_was_lowered_is_asked_for_anew() {
    let account = Account::leasing(Money::ZERO);
    account.grant(&got(50, 10, 0), (Money(5), Money(100)), (NOW, NOW + 60_000));
    assert!(account.reserve(&budget(100), ask(5), NOW).is_ok());
    assert!(account.reserve(&budget(200), ask(5), NOW).is_ok(), "a raised one holds at once");
    let refused = account.reserve(&budget(20), ask(5), NOW);
    assert_eq!(refused, Err(Denial::Lease { wanted: Money(5), max: Money(20) }));
    // 50 are held, 10 spent: of 20 there are 40 too much.
    account.grant(&got(-40, 10, 0), (Money(5), Money(20)), (NOW, NOW + 60_000));
    assert!(matches!(account.reserve(&budget(20), ask(5), NOW), Err(Denial::Budget { .. })));
}

#[test]
fn a_lease_in_doubt_is_taken_out_when_nothing_is_in_flight() {
    let account = Account::leasing(Money::ZERO);
    let got = Granted { granted: Money(100), ..Granted::default() };
    account.grant(&got, (Money(10), Money(1_000)), (NOW, NOW + 60_000));
    assert!(account.take_doubtful_lease().is_none(), "there is no doubt");
    let (reserved, _) = account.reserve(&budget(1_000), ask(10), NOW).unwrap();
    account.doubt_lease(true);
    assert!(account.take_doubtful_lease().is_none(), "a call is in flight");
    assert!(account.reserve(&budget(1_000), ask(10), NOW).is_ok_and(|(second, _)| {
        account.settle(second, Settlement { cost: Money(10), tokens: 1 });
        true
    }));
    account.settle(reserved, Settlement { cost: Money(7), tokens: 1 });
    assert!(account.wants_tending(NOW));
    assert_eq!(account.take_doubtful_lease(), Some(Money(83)));
    let again = account.reserve(&budget(1_000), ask(10), NOW);
    assert!(matches!(again, Err(Denial::Lease { .. })), "what was taken out is not spent: {again:?}");
    account.doubt_lease(false);
    assert!(!account.wants_tending(NOW));
}

#[test]
fn what_does_not_fit_is_refused_where_that_is_wanted() {
    let limits = Limits { max_budget: Some(Money(100)), ..Limits::default() };
    let account = Account::with_spent(Money(60));
    let whole = |cost| Ask { whole: true, ..ask(cost) };
    assert!(matches!(account.reserve(&limits, whole(41), NOW), Err(Denial::Budget { .. })));
    let (fits, _) = account.reserve(&limits, whole(40), NOW).unwrap();
    assert_eq!(fits.cost, Money(40));
    account.release(fits);
    assert_eq!(account.reserve(&limits, ask(41), NOW).unwrap().0.cost, Money(40), "the rest, without it");
}
