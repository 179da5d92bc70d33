//! Moments in words.

use super::strftime;

#[test]
fn moments_are_told_as_formats_ask() {
    // 2026-11-21T15:04:05Z, a Saturday.
    let at = 1_795_273_445;
    for (format, want) in [
        ("%d %b %Y", "21 Nov 2026"),
        ("%A, %B %-d, %Y", "Saturday, November 21, 2026"),
        ("%Y-%m-%dT%H:%M:%S", "2026-11-21T15:04:05"),
        ("%a %y %I %p %F %T %Z", "Sat 26 03 PM 2026-11-21 15:04:05 UTC"),
        ("100%% %q %", "100% %q %"),
    ] {
        assert_eq!(strftime(format, at), want, "{format}");
    }
    assert_eq!(strftime("%F %A", 0), "1970-01-01 Thursday");
    assert_eq!(strftime("%F", 951_782_400), "2000-02-29");
}
