//! The kind of model by confidence.

use crate::Lar1;
use crate::strategies::tests::Bench;

/// §7.2, each line of the rule.
#[test]
fn confidence_chooses_the_kind() {
    let kinds = ["local", "cloud-fast", "cloud-smart", "deep"];
    let bench = Bench::new("lar1", 4, |n, one| one.kind = Some(kinds[n].to_owned()));
    let check = |confidence, evidence, time, expect: &str| {
        let asked = bench.stating(Lar1 { confidence, evidence, time });
        let picked = asked.picks()[0] as usize;
        assert_eq!(kinds[picked], expect, "{confidence} {evidence} {time}");
    };
    check(0.9, "UNVERIFIED", "MEM", "cloud-smart");
    check(0.9, "OK", "MEM", "cloud-fast");
    check(0.29, "OK", "NOW", "cloud-smart");
    check(0.3, "OK", "NOW", "cloud-fast");
    check(0.5, "OK", "NOW", "local");
    check(0.7, "OK", "NOW", "deep");
    assert_eq!(bench.picks()[0], 0, "the first where nothing is said");
}
