//! Accounts stand where the URL names their variables.

use crate::{ProviderSpec, Registry};

#[test]
fn variables_are_filled_and_other_braces_stay() {
    let known = |name: &str| (name == "ACCOUNT").then(|| " acc ".to_owned());
    let filled = |text: &'static str| ProviderSpec::filled(text, known);
    assert_eq!(filled("https://a/{ACCOUNT}/x").as_deref(), Ok("https://a/acc/x"));
    assert_eq!(filled("https://{region}.a/{ACCOUNT}").as_deref(), Ok("https://{region}.a/acc"));
    assert_eq!(filled("https://{OTHER}.a"), Err("OTHER"));
    assert_eq!(filled("https://a").as_deref(), Ok("https://a"));
}

#[test]
fn a_record_tells_the_variables_of_its_url() {
    let names = |slug: &str| {
        let registry = Registry::built_in();
        registry.provider(slug).unwrap().account_env().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(names("cloudflare"), ["CLOUDFLARE_ACCOUNT_ID"]);
    assert!(names("openai").is_empty());
}
