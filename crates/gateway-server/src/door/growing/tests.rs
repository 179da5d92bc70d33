//! What is given out of a form that is arriving, and when.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use futures_util::StreamExt as _;
use llm_providers::operations::FormScan;
use llm_types::{BodyStream, Error, ErrorKind, Result, Stored};

use super::{End, Growing};

const BODY: &str =
    "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n0123456789\r\n--b--\r\n";

/// A form whose file stands in `4..14` of what is read, and who fills it.
fn growing() -> (Arc<Growing>, BodyStream) {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"head0123456789tail").unwrap();
    let growing = Arc::new(Growing::new(Arc::new(file)));
    let read = Arc::clone(&growing).read(4..14);
    (growing, read)
}

fn end(as_expected: bool) -> Result<End> {
    let mut scan = FormScan::new("multipart/form-data; boundary=b")?;
    scan.push(BODY.as_bytes())?;
    let store: Arc<dyn Stored> = Arc::new(Growing::new(Arc::new(File::open("/dev/null").unwrap())));
    Ok(End { whole: scan.finish(&store)?, as_expected })
}

/// Whether nothing can be had now.
async fn waits(read: &mut BodyStream) -> bool {
    std::future::poll_fn(|cx| Poll::Ready(read.poll_next_unpin(cx).is_pending())).await
}

async fn next(read: &mut BodyStream) -> Option<Result<Bytes>> {
    read.next().await
}

#[tokio::test]
async fn pieces_come_as_far_as_they_are_there_and_the_last_one_at_the_end() {
    let (growing, mut read) = growing();
    assert!(waits(&mut read).await, "nothing is there");
    growing.reach(8);
    assert_eq!(next(&mut read).await.unwrap().unwrap(), "0123");
    growing.reach(18);
    assert!(waits(&mut read).await, "what follows may be more");
    growing.finish(end(true));
    assert_eq!(next(&mut read).await.unwrap().unwrap(), "456789");
    assert!(next(&mut read).await.is_none());
    let again: Vec<_> = growing.read(4..14).map(Result::unwrap).collect().await;
    assert_eq!(again.concat(), b"0123456789", "a retry reads it from its beginning");
}

#[tokio::test]
async fn what_goes_on_behind_its_file_is_not_given_out_whole() {
    let (growing, mut read) = growing();
    growing.reach(18);
    growing.finish(end(false));
    assert_eq!(next(&mut read).await.unwrap().unwrap_err().kind(), ErrorKind::BadRequest);
    assert!(growing.surprises());
}

#[tokio::test]
async fn what_broke_off_tells_why() {
    let (growing, mut read) = growing();
    growing.reach(8);
    growing.finish(Err(Error::new(ErrorKind::Timeout, "too slow")));
    assert_eq!(next(&mut read).await.unwrap().unwrap(), "0123");
    assert_eq!(next(&mut read).await.unwrap().unwrap_err().message(), "too slow");
    assert_eq!(growing.whole().await.unwrap_err().message(), "too slow");
    assert!(!growing.surprises());
}
