//! What becomes of calls while the database is away.

use llm_types::ErrorKind;

use super::{Condition, Store};
use crate::config::OnOutage;

#[test]
fn calls_go_on_or_are_refused_by_policy() {
    let store = Store::default();
    for (condition, refused) in [
        (Condition::Well, None),
        (Condition::Stuck, Some("takes nothing in")),
        (Condition::Silent, Some("does not answer")),
    ] {
        store.turn(condition, "");
        assert!(store.admit(OnOutage::Continue).is_ok(), "{condition:?}");
        match (store.admit(OnOutage::Refuse), refused) {
            (Ok(()), None) => {}
            (Err(error), Some(words)) => {
                assert_eq!(error.kind(), ErrorKind::Overloaded);
                assert!(error.to_string().contains(words), "{error}");
            }
            (got, _) => panic!("{condition:?}: {got:?}"),
        }
    }
}

#[test]
fn an_outage_is_counted_once_however_it_goes_on() {
    let store = Store::default();
    for condition in
        [Condition::Stuck, Condition::Silent, Condition::Silent, Condition::Stuck, Condition::Well]
    {
        store.turn(condition, "");
    }
    let figures = store.figures();
    let of = |name| figures.iter().find(|(known, _)| *known == name).unwrap().1;
    assert_eq!(of("gateway_store_outages_total"), 1);
    assert_eq!((of("gateway_store_answers"), of("gateway_store_takes_bookings")), (1, 1));
}
