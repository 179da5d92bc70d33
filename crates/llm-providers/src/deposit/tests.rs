//! What is sent for a file that is left with a provider, and where its id goes.

use super::*;

fn picture() -> Deposit {
    let file = File { name: "a.png", mime: "image/png", bytes: b"\x89PNG" };
    let paths = ("/files", "/files/{id}/delete");
    Deposit::form("/messages/0/attachments/0".to_owned(), paths, file, &[("purpose", "general")]).unwrap()
}

#[test]
fn a_file_is_left_as_a_form_and_taken_away_by_its_id() {
    let left = picture().leaving();
    let body = String::from_utf8_lossy(&left.body).into_owned();
    assert_eq!(left.path, "/files");
    assert!(left.headers["content-type"].to_str().unwrap().starts_with("multipart/form-data; boundary="));
    for part in [
        "name=\"purpose\"\r\n\r\ngeneral\r\n",
        "name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n",
        "PNG\r\n",
    ] {
        assert!(body.contains(part), "{part:?} in {body:?}");
    }
    let away = picture().taking_away("f-1");
    assert_eq!((&*away.path, away.body.len()), ("/files/f-1/delete", 0));
}

#[test]
fn an_id_must_be_one_that_can_stand_in_a_url() {
    assert_eq!(Deposit::id(br#"{"id":"6f0b1291-c7f3"}"#).unwrap(), "6f0b1291-c7f3");
    for reply in [&b"{}"[..], b"oh", br#"{"id":""}"#, br#"{"id":"../oauth"}"#, br#"{"id":7}"#] {
        assert_eq!(Deposit::id(reply).unwrap_err().kind(), ErrorKind::BadUpstream, "{reply:?}");
    }
}

#[test]
fn ids_go_where_they_are_wanted() {
    let body = Bytes::from_static(br#"{"messages":[{"attachments":[null,"own"]}]}"#);
    let filled = fill(&body, &[("/messages/0/attachments/0", "f1"), ("/messages/9", "lost")]).unwrap();
    assert_eq!(&filled[..], br#"{"messages":[{"attachments":["f1","own"]}]}"#);
}
