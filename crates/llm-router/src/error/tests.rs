//! What refusals say.

use super::*;
use crate::testing::deployment;
use crate::{Ask, Counters, FallbackTarget};

fn asked() -> Asked<'static> {
    Asked { ask: Ask::default(), enforced: true, now: Moment(0) }
}

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
        let error = refused("m", &group, refusal, &RouterSettings::default(), &asked());
        (error.kind(), error.message().to_owned())
    };
    let paused = "Model 'm' is currently paused and cannot accept requests.";
    assert_eq!(shown(&Refusal::Paused), (ErrorKind::Overloaded, paused.to_owned()));
    assert_eq!(shown(&Refusal::Tags).0, ErrorKind::Unauthenticated);
    let (kind, message) = shown(&Refusal::Resting(Duration::from_millis(4001)));
    assert_eq!(kind, ErrorKind::RateLimited);
    assert!(message.starts_with("No deployments available for selected model, Try again in 5 seconds."));
}

/// §7.7 [O]: a limit of the one deployment, in LiteLLM's words; of several, what each has used.
#[test]
fn limits_of_the_minute() {
    let counters = Counters::new();
    let group = |limits: &[(Option<u64>, Option<u64>)]| {
        let candidates = limits.iter().enumerate().map(|(n, limits)| {
            let mut one = deployment(&format!("d{n}"), "m", "gpt");
            (one.rpm, one.otpm) = *limits;
            let state = counters.of(&one.id);
            crate::Candidate::new(one.into(), state, None)
        });
        Group::new("m".into(), candidates.collect())
    };
    let told = |limits: &[(Option<u64>, Option<u64>)]| {
        let error = refused("m", &group(limits), &Refusal::Limits, &RouterSettings::default(), &asked());
        assert_eq!((error.kind(), error.retry()), (ErrorKind::RateLimited, Retry::After(MINUTE)));
        assert_eq!(error.code(), Some(MODEL_LIMIT));
        error.message().to_owned()
    };
    counters.of(&"d0".into()).measures.requests.add(1, Moment(0));
    counters.of(&"d1".into()).measures.output.add(50, Moment(0));
    assert_eq!(told(&[(Some(1), None)]), "Model rate limit exceeded. RPM limit=1, current usage=2");
    assert_eq!(
        told(&[(Some(1), None), (None, Some(100))]),
        "Model rate limit exceeded. RPM limit=1, current usage=2; d1: OTPM limit=100, current usage=150. \
         Passed model=m"
    );
}
