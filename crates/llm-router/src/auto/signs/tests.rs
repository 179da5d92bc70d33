//! Agents that plan, are stuck, keep house.

use super::*;

#[test]
fn agents_that_plan() {
    let none: [String; 0] = [];
    let own = ["PLANNING".to_owned()];
    let system = |system| Signs { system, ..Signs::default() };
    assert!(plans("… Plan mode is active. …", &Signs::default(), &none));
    assert!(plans("go on", &system("You are currently running in \"Plan\" mode."), &none));
    assert!(plans("go on", &Signs { plan_tool: true, ..Signs::default() }, &none));
    assert!(plans("PLANNING", &Signs::default(), &own) && plans("x", &system("PLANNING"), &own));
    assert!(!plans("I plan a trip; plan mode is active", &system("You plan."), &none), "exactly so");
    assert!(is_housekeeping("You are coming up with a succinct title for a coding session: …", &none));
    assert!(is_housekeeping("PLANNING", &own) && !is_housekeeping("Give me a title", &none));
}

/// The newest call must be part of what repeats or fails: who has moved on is not stuck.
#[test]
fn agents_that_are_stuck() {
    let call = |what| Called { what, failed: false };
    let fail = |what| Called { what, failed: true };
    let stuck = |calls: &[Called]| is_stuck(calls, (6, 3));
    assert!(stuck(&[call(1), call(1), call(1)]));
    assert!(stuck(&[call(1), call(2), call(1), call(3), call(1)]), "lookups in between do not matter");
    assert!(stuck(&[fail(1), fail(2), fail(3)]));
    assert!(!stuck(&[call(2), call(1), call(1), call(1)]), "it has moved on");
    assert!(!stuck(&[call(4), fail(1), fail(2), fail(3)]), "it works again");
    assert!(!stuck(&[call(1), call(1)]) && !stuck(&[]));
    let long_ago = [call(1), call(2), call(3), call(4), call(5), call(6), call(1), call(1)];
    assert!(!stuck(&long_ago), "beyond the window");
}
