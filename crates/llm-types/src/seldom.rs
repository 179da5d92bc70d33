//! Ways that few calls go.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that lives on the heap, with its code apart from whoever waits for it; see [`seldom`].
#[derive(Debug)]
#[must_use = "futures do nothing unless they are awaited"]
pub struct Seldom<F>(Pin<Box<F>>);

/// A way that few calls go. A future has room for everything it may ever wait for, and the compiler lays the code
/// of all of it side by side: what is waited for seldom takes memory and cache from every call. Written as
/// `seldom(|| way(…)).await` it costs an allocation when it is gone, and nothing when it is not.
///
/// ```
/// # async fn ask_the_database(key: &str) -> u32 { key.len() as u32 }
/// async fn look_up(cached: Option<u32>, key: &str) -> u32 {
///     match cached {
///         Some(found) => found,
///         None => llm_types::seldom(|| ask_the_database(key)).await,
///     }
/// }
/// ```
#[cold]
#[inline(never)]
pub fn seldom<F: Future>(way: impl FnOnce() -> F) -> Seldom<F> {
    Seldom(Box::pin(way()))
}

impl<F: Future> Future for Seldom<F> {
    type Output = F::Output;

    #[cold]
    #[inline(never)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}
