//! Addresses, amounts and shares of bills.

use std::collections::BTreeMap;

use llm_types::Money;
use serde_json::json;

use super::{Amount, address, amount, told};
use crate::config::CaptureRate;

fn settings() -> CaptureRate {
    CaptureRate {
        admin_key: None,
        base: "https://bills.example/v1/".to_owned(),
        threshold: 0.9,
        lookback_days: 7,
        projects: vec!["a&b".to_owned()],
    }
}

#[test]
fn the_address_names_days_projects_and_page() {
    let url = address(&settings(), (1, 2), Some("n=x"));
    assert_eq!(
        url,
        "https://bills.example/v1/organization/costs?start_time=86400&end_time=259200&bucket_width=1d&limit=180\
         &project_ids=a%26b&page=n%3Dx"
    );
}

#[test]
fn amounts_are_dollars() {
    let of = |value, currency: Option<&str>| amount(&Amount { value, currency: currency.map(str::to_owned) });
    assert_eq!(of(json!(0.25), Some("USD")), Ok(Money::from_usd(0.25)));
    assert_eq!(of(json!("0.25"), None), Ok(Money::from_usd(0.25)));
    assert!(of(json!(1), Some("eur")).is_err_and(|why| why.contains("`eur`")));
    assert!(of(json!(null), None).is_err_and(|why| why.contains("`null`")));
}

#[test]
fn nothing_billed_has_no_share() {
    let booked = BTreeMap::from([(0, Money::from_usd(1.0)), (1, Money::from_usd(1.0))]);
    let answer = told(&booked, &BTreeMap::from([(1, Money::from_usd(4.0))]), (0, 1), 0.5);
    assert_eq!(answer["days"][0]["capture_rate"], json!(null));
    assert_eq!((&answer["days"][1]["capture_rate"], &answer["capture_rate"]), (&json!(0.25), &json!(0.5)));
    assert_eq!((&answer["below_threshold"], &answer["start_date"]), (&json!(false), &json!("1970-01-01")));
    assert_eq!(told(&booked, &BTreeMap::new(), (0, 1), 0.5)["below_threshold"], json!(false));
}
