//! What refusals say.

use super::*;
use crate::FallbackTarget;

/// §7.4 [O]: the two texts LiteLLM adds, and ours when fallbacks were tried in vain.
#[test]
fn postscripts() {
    let mut map = FallbackMap::default();
    let none = "LiteLLM: model group 'X' failed with the error above. No fallback was attempted.";
    assert_eq!(postscript("X", &map, &[]), none);
    map.add("a", [FallbackTarget::from("z")]);
    map.add("b", []);
    let start = "LiteLLM: model group 'X' failed with the error above and no fallback model group was found \
                 for it, so the request was not retried on another model. Fallbacks are configured for: a, b. \
                 Add a fallbacks entry";
    assert!(postscript("X", &map, &[]).starts_with(start));
    assert!(postscript("X", &map, &["p", "q"]).ends_with("and so did its fallbacks: p, q."));
}

/// §7.1 step 3, §7.7: refusals in LiteLLM's words.
#[test]
fn refusals() {
    let group = Group::new("m".into(), Vec::new());
    let shown = |refusal: &Refusal| {
        let error = refused("m", &group, refusal, &RouterSettings::default(), Moment(0));
        (error.kind(), error.message().to_owned())
    };
    let paused = "Model 'm' is currently paused and cannot accept requests.";
    assert_eq!(shown(&Refusal::Paused), (ErrorKind::Overloaded, paused.to_owned()));
    assert_eq!(shown(&Refusal::Tags).0, ErrorKind::Unauthenticated);
    let (kind, message) = shown(&Refusal::Resting(Duration::from_millis(4001)));
    assert_eq!(kind, ErrorKind::RateLimited);
    assert!(message.starts_with("No deployments available for selected model, Try again in 5 seconds."));
}
