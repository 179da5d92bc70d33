//! How failures read.

use std::io;

use super::{Exit, Failure};

#[test]
fn a_failure_says_what_why_and_what_to_do() {
    let failure = Failure::new("cannot listen on `127.0.0.1:4000`")
        .because(io::Error::new(io::ErrorKind::AddrInUse, "address already in use"))
        .hint("stop the other program or choose `--port`");
    assert_eq!(
        failure.text(),
        "error: cannot listen on `127.0.0.1:4000`\n  because: address already in use\n  hint: stop the other program or choose `--port`"
    );
    assert_eq!(failure.exit, Exit::Failure);
}

#[test]
fn a_cause_that_only_repeats_is_left_out() {
    let failure = Failure::bad_input("no such file").because(io::Error::other("no such file"));
    assert_eq!(failure.text(), "error: no such file");
    assert_eq!(failure.exit, Exit::BadInput);
}
