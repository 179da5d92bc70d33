//! Real programs, and what they may print.

use std::time::{Duration, Instant};

use llm_types::Secret;

use super::{keys, run, words};
use crate::signin::tests::{file, run as wait};

#[test]
fn a_command_is_split_as_a_shell_splits_it() {
    for (command, expected) in [
        ("a  b\tc", Some(vec!["a", "b", "c"])),
        (r#""/opt/my tool/x" --name 'it is' a\ b"#, Some(vec!["/opt/my tool/x", "--name", "it is", "a b"])),
        (r#"a "b \"c\" d" '' 'e\f'"#, Some(vec!["a", r#"b "c" d"#, "", r"e\f"])),
        ("a'b'\"c\"", Some(vec!["abc"])),
        ("  ", Some(vec![])),
        ("a 'b", None),
    ] {
        let expected = expected.map(|words| words.into_iter().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(words(command), expected, "{command}");
    }
}

#[test]
fn a_programs_keys_are_read() {
    let printed = file(
        r#"{"Version":1,"AccessKeyId":"ASIA1","SecretAccessKey":"s","SessionToken":"t","Expiration":"2026-11-21T16:00:00Z"}"#,
    );
    let command = format!("cat '{}'", printed.path().display());
    let (keys, expires) = wait(keys(&Secret::new(command))).unwrap();
    assert_eq!((keys.id.as_str(), keys.secret.reveal().as_str()), ("ASIA1", "s"));
    assert_eq!(keys.session.unwrap().reveal(), "t");
    assert_eq!(expires, Some(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_276_800)));
}

#[test]
fn what_a_program_does_wrong_is_told_without_what_it_printed() {
    for (command, words) in [
        ("/nowhere/tool --secret hush-hush", "cannot start `/nowhere/tool`"),
        ("sh -c 'echo hush-hush >&2; exit 3'", "`sh` ended with exit status: 3"),
        ("echo hush-hush", "not JSON"),
        (r#"echo '{"Version":2,"AccessKeyId":"hush-hush"}'"#, "another `Version` than 1"),
        (r#"echo '{"Version":1,"AccessKeyId":"hush-hush"}'"#, "no `SecretAccessKey`"),
        (
            r#"echo '{"Version":1,"AccessKeyId":"hush-hush","SecretAccessKey":"s","Expiration":"soon"}'"#,
            "no time in `Expiration`",
        ),
        ("", "names no program"),
        ("echo 'hush-hush", "a quote without its end"),
    ] {
        let error = wait(keys(&Secret::new(command.to_owned()))).unwrap_err();
        let message = error.message();
        assert!(message.contains(words) && !message.contains("hush-hush"), "{command}: {message}");
    }
}

#[test]
fn a_program_that_takes_too_long_is_ended() {
    let began = Instant::now();
    let error = run("sleep 30", Duration::from_millis(100)).unwrap_err();
    assert!(error.message().contains("`sleep` took longer than 0.1 s"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(10));
}
