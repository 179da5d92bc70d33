//! A clock that is set neither ends periods early nor stops time.

use super::Belief;

const HOUR: i64 = 3_600_000;

/// What is believed after each look: every half second of steady time, with the machine's clock this much off.
fn believe(belief: &mut Belief, from: i64, offs: impl IntoIterator<Item = i64>) -> (i64, Vec<i64>) {
    let mut steady = from;
    let mut jumps = Vec::new();
    for off in offs {
        steady += 500;
        jumps.extend(belief.look(steady, steady + off));
    }
    (steady, jumps)
}

#[test]
fn small_steps_are_followed_at_once() {
    let mut belief = Belief::default();
    assert!(believe(&mut belief, 0, [200, 900, 1_500, 700]).1.is_empty());
    assert_eq!(belief.ahead, 700);
}

#[test]
fn a_clock_that_is_wrong_for_a_moment_is_not_believed() {
    for off in [HOUR, -HOUR, 40 * 24 * HOUR] {
        let mut belief = Belief::default();
        let there = std::iter::repeat_n(off, 50);
        assert!(believe(&mut belief, 0, there.chain([0])).1.is_empty(), "{off}");
        assert_eq!((belief.ahead, belief.jumped), (0, None), "{off}");
    }
}

#[test]
fn a_clock_that_stays_where_it_jumped_to_is_believed_once() {
    for off in [HOUR, -HOUR] {
        let mut belief = Belief::default();
        let (at, jumps) = believe(&mut belief, 0, std::iter::repeat_n(off, 200));
        assert_eq!(jumps, [off]);
        assert_eq!(belief.ahead, off);
        let (_, jumps) = believe(&mut belief, at, std::iter::repeat_n(0, 200));
        assert_eq!((jumps, belief.ahead), (vec![-off], 0), "and back");
    }
}

#[test]
fn a_clock_that_jumps_about_is_not_believed() {
    let mut belief = Belief::default();
    let about = (0..400).map(|look| if look % 40 < 20 { HOUR } else { -HOUR });
    assert!(believe(&mut belief, 0, about).1.is_empty());
    assert_eq!(belief.ahead, 0);
}
