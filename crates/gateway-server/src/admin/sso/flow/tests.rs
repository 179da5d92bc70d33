//! An attempt is one browser's, for a while.

use http::HeaderMap;
use http::header::COOKIE;

use super::super::provider::{Provider, of_env};
use super::{Attempt, PATIENCE, cookie_of};
use crate::config::Env;

fn provider(more: &[(&str, &str)]) -> Provider {
    let mut all = vec![
        ("GENERIC_CLIENT_ID", "me"),
        ("GENERIC_CLIENT_SECRET", "very secret"),
        ("GENERIC_AUTHORIZATION_ENDPOINT", "https://idp.example/authorize"),
        ("GENERIC_TOKEN_ENDPOINT", "https://idp.example/token"),
        ("GENERIC_USERINFO_ENDPOINT", "https://idp.example/userinfo"),
    ];
    all.extend(more);
    of_env(&all.into_iter().collect::<Env>(), None).unwrap().unwrap()
}

#[test]
fn a_cookie_opens_in_time_and_answers_to_its_own_state() {
    let attempt = Attempt::begin(1_000, None).unwrap();
    let cookie = attempt.cookie();
    assert_eq!(Attempt::open(&cookie, 2_000), Some(attempt.clone()));
    assert_eq!(Attempt::open(&cookie, attempt.until), None, "it is over");
    assert_eq!(Attempt::open("nonsense", 2_000), None);
    assert_eq!(
        Attempt::open(&format!("{}.99999999999999.", "x".repeat(43)), 2_000),
        None,
        "nobody asks for years"
    );
    let state = attempt.state();
    assert!(attempt.is_answered_by(&state) && !attempt.is_answered_by("") && !attempt.is_answered_by("x"));
    let later = Attempt { until: attempt.until + PATIENCE / 2, ..attempt.clone() };
    assert!(!later.is_answered_by(&state), "another end is another attempt");
    let other = Attempt { login: Some("cli-1".into()), ..attempt.clone() };
    assert!(!other.is_answered_by(&state), "another command line is another attempt");
    assert_eq!(Attempt::open(&other.cookie(), 2_000), Some(other));
    assert_ne!(state, Attempt::begin(1_000, None).unwrap().state());
    assert_ne!(state, attempt.nonce());
}

/// The pair of RFC 7636, appendix B.
#[test]
fn the_challenge_is_the_verifiers_hash() {
    let secret = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
    let attempt = Attempt { secret, until: 0, login: None };
    let address = attempt.address(&provider(&[]), "https://gw.example/sso/callback");
    assert!(
        address.contains(
            "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
        )
    );
    let start = "https://idp.example/authorize?response_type=code&client_id=me&redirect_uri=https%3A%2F%2Fgw";
    assert!(address.starts_with(start), "{address}");
    assert!(address.contains("nonce="));
    assert!(!address.contains(&attempt.secret) && !address.contains("secret"));
    let plain =
        attempt.address(&provider(&[("GENERIC_CLIENT_USE_PKCE", "false"), ("GENERIC_SCOPE", "email")]), "x");
    assert!(!plain.contains("code_challenge") && !plain.contains("nonce"), "{plain}");
}

#[test]
fn the_secret_goes_into_a_header_or_into_the_form() {
    let attempt = Attempt::begin(0, None).unwrap();
    let basic = provider(&[]);
    let form = attempt.exchange(&basic, "https://gw.example/sso/callback", "a&b");
    assert!(
        form.contains("code=a%26b&") && form.contains("code_verifier=") && !form.contains("secret"),
        "{form}"
    );
    assert_eq!(basic.authorization().as_deref(), Some("Basic bWU6dmVyeSBzZWNyZXQ="));
    let post = provider(&[("GENERIC_INCLUDE_CLIENT_ID", "true")]);
    let form = attempt.exchange(&post, "https://gw.example/sso/callback", "c");
    assert!(form.contains("client_id=me&client_secret=very%20secret"), "{form}");
    assert_eq!(post.authorization(), None);
}

#[test]
fn cookies_are_found_by_their_whole_name() {
    let mut headers = HeaderMap::new();
    headers.append(COOKIE, "a=1; not_gateway=2".parse().unwrap());
    headers.append(COOKIE, "gateway=3=4".parse().unwrap());
    assert_eq!(cookie_of(&headers, "gateway"), Some("3=4"));
    assert_eq!(cookie_of(&headers, "way"), None);
}
