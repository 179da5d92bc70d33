//! The end of a gateway's life, told to everybody at once.

use tokio::sync::watch;

/// Begins once and never ends.
#[derive(Debug)]
pub(crate) struct Drain(watch::Sender<bool>);

impl Default for Drain {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Drain {
    /// Tells everybody.
    pub(crate) fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Whether it has begun.
    pub(crate) fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it has begun.
    pub(crate) async fn begun(&self) {
        let mut told = self.0.subscribe();
        // The sender lives as long as `self`, so waiting cannot fail.
        let _always = told.wait_for(|begun| *begun).await.is_ok();
    }
}
