//! URLs are understood, and never repeated in errors.

use super::{known_parameters, open};
use crate::{DbErrorKind, DbOptions};

#[test]
fn prisma_parameters_are_taken_out() {
    let url = "postgresql://u:p@h:5/db?schema=app&connection_limit=10&sslmode=disable&pgbouncer=true";
    let expected = ("postgresql://u:p@h:5/db?sslmode=disable".to_owned(), Some("app".to_owned()));
    assert_eq!(known_parameters(url), expected);
    assert_eq!(known_parameters("postgres://h/db?pool_timeout=1").0, "postgres://h/db");
    assert_eq!(known_parameters("postgres://h/db?schema=a%3bdrop").1, None);
}

#[tokio::test]
async fn errors_hold_no_password() {
    for url in [
        "mysql://u:hunter2@h/db",
        "hunter2",
        "postgres://u:hunter2@h:notaport/db",
        "postgres://u:hunter2@127.0.0.1:1/db",
    ] {
        let options =
            DbOptions { acquire_timeout: std::time::Duration::from_secs(1), ..DbOptions::default() };
        let error = open(url, &options).await.expect_err(url);
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        let expected = if url.ends_with(":1/db") { DbErrorKind::Unavailable } else { DbErrorKind::BadUrl };
        assert_eq!(error.kind(), expected, "{error}");
    }
}
