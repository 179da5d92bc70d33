//! The hosts that cost more, and what requests may reach.

use super::*;

#[test]
fn hosts_of_one_region_are_known() {
    for (url, expected) in [
        ("https://api.openai.com/v1", Host::Global),
        ("https://eu.api.openai.com/v1", Host::Eu),
        ("https://us.api.openai.com/v1", Host::Us),
        ("https://aiplatform.googleapis.com/v1/projects/p/locations/global", Host::Global),
        ("https://europe-west1-aiplatform.googleapis.com/v1", Host::Regional),
        ("https://aiplatform.us.rep.googleapis.com/v1", Host::Regional),
        ("https://eu.api.openai.com.example.org/v1", Host::Global),
        ("http://localhost:11434", Host::Global),
        ("", Host::Global),
    ] {
        assert_eq!(host_of(url), expected, "{url}");
    }
}

#[test]
fn a_request_reaches_what_it_or_its_deployment_names() {
    assert_eq!(reach_of(|_| false), Reach::default());
    assert!(reach_of(|name| name == "service_tier").tiers);
    assert!(reach_of(|name| name == "speed").factors);
    let terms = Terms { reach: Reach { tiers: true, factors: false }, ..Terms::default() };
    assert_eq!(terms.reach(Reach { tiers: false, factors: true }), Reach { tiers: true, factors: true });
}
