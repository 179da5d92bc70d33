//! Bodies in pieces say their length, and can be read again.

use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_core::Stream;

use super::{Kept, Pieces, Stored};
use crate::{BodyStream, ErrorKind, Result};

#[derive(Debug)]
struct Shelf(Bytes);

struct ByTwo(Bytes);

impl Stream for ByTwo {
    type Item = Result<Bytes>;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.0.is_empty() {
            return Poll::Ready(None);
        }
        let at = self.0.len().min(2);
        Poll::Ready(Some(Ok(self.0.split_to(at))))
    }
}

impl Stored for Shelf {
    fn read(self: Arc<Self>, range: Range<u64>) -> BodyStream {
        let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
        Box::pin(ByTwo(self.0.slice(range)))
    }
}

fn load(pieces: &Pieces, limit: u64) -> Result<Bytes> {
    match pin!(pieces.load(limit)).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("nothing here waits"),
    }
}

#[test]
fn pieces_are_read_in_order_and_again() {
    let shelf = Arc::new(Shelf(Bytes::from_static(b"0123456789")));
    let mut pieces = Pieces::default();
    pieces.push("head ");
    pieces.push("");
    pieces.push_kept(Kept::new(shelf, 2..7, Bytes::from_static(b"23"), None));
    pieces.push(" tail");
    assert_eq!(pieces.len(), 15);
    for _ in 0..2 {
        assert_eq!(load(&pieces, 15).unwrap(), "head 23456 tail");
    }
    assert_eq!(load(&pieces, 14).unwrap_err().kind(), ErrorKind::TooLarge);
}
