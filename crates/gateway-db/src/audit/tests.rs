//! What of an object is shown, and what of a row is hashed.

use serde_json::json;

use super::chain::{BEGINNING, Link};
use super::mask::masked;
use super::{AuditCheckpoint, AuditSigner};

fn link() -> Link {
    Link {
        seq: 1,
        id: "a".into(),
        at: 5,
        changed_by: "ann".into(),
        api_key: "k".into(),
        user: "u".into(),
        address: None,
        action: "created".into(),
        table: "t".into(),
        object: "o".into(),
        before: None,
        after: Some("{}".into()),
        previous: BEGINNING.into(),
        hash: String::new(),
    }
}

#[test]
fn every_part_of_a_row_is_in_its_hash() {
    let edits: [fn(&mut Link); 13] = [
        |link| link.seq = 2,
        |link| link.id = "b".into(),
        |link| link.at = 6,
        |link| link.changed_by = "bob".into(),
        |link| link.api_key = "l".into(),
        |link| link.user = "v".into(),
        |link| link.address = Some(String::new()),
        |link| link.action = "deleted".into(),
        |link| link.table = "s".into(),
        |link| link.object = "p".into(),
        |link| link.before = Some("{}".into()),
        |link| link.after = None,
        |link| link.previous = "x".into(),
    ];
    for (at, edit) in edits.iter().enumerate() {
        let mut edited = link();
        edit(&mut edited);
        assert_ne!(edited.digest(), link().digest(), "edit {at}");
    }
    let mut moved = link();
    (moved.id, moved.changed_by) = (String::new(), "aann".into());
    assert_ne!(moved.digest(), link().digest(), "what stands at the border of two parts");
}

#[test]
fn secrets_are_masked_and_say_that_they_changed() {
    let before =
        json!({"token": "abc", "metadata": {"logging": [{"langfuse_secret_key": "one", "host": "h"}]}});
    let after = json!({"token": "abc", "metadata": {"logging": [{"langfuse_secret_key": "two", "host": "h"}]},
        "litellm_params": {"api_key": "sk-live", "model": "m", "max_tokens": 5, "x": "Bearer abc"}});
    let shown = masked(&after, Some(&before));
    assert_eq!(
        shown,
        json!({"token": "abc",
            "metadata": {"logging": [{"langfuse_secret_key": "**** (changed)", "host": "h"}]},
            "litellm_params": {"api_key": "****", "model": "m", "max_tokens": 5, "x": "****"}})
    );
    assert!(masked(&before, Some(&before)).to_string().contains("\"****\""));
}

#[test]
fn a_signature_proves_one_checkpoint_of_one_key() {
    let signer = AuditSigner::of_text(&"11".repeat(32)).unwrap();
    let other = AuditSigner::of_text(&"22".repeat(32)).unwrap();
    let made = signer.sign(7, "abc", 9, "");
    assert!(made.is_signed_by(&signer.public_key()));
    assert!(!made.is_signed_by(&other.public_key()));
    assert!(!made.is_signed_by("no key"));
    for edited in [
        AuditCheckpoint { seq: 8, ..made.clone() },
        AuditCheckpoint { hash: "abd".into(), ..made.clone() },
        AuditCheckpoint { at: 10, ..made.clone() },
        AuditCheckpoint { previous: "x".into(), ..made },
    ] {
        assert!(!edited.is_signed_by(&signer.public_key()), "{edited:?}");
    }
    assert!(AuditSigner::of_text("short").is_err());
    assert!(!format!("{signer:?}").contains("11"));
}
