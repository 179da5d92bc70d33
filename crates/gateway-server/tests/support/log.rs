//! Everything the process says through `tracing`, kept so that tests can look for secrets in it.

use std::fmt::{Debug, Write};
use std::sync::{Mutex, Once};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

static SAID: Mutex<String> = Mutex::new(String::new());
static LISTENING: Once = Once::new();

/// Everything said so far, at every level, by every gateway of this process.
pub(crate) fn logged() -> String {
    SAID.lock().unwrap().clone()
}

/// Begins to keep what is said.
pub(super) fn listen() {
    LISTENING.call_once(|| {
        tracing::subscriber::set_global_default(Ear).expect("no test sets another subscriber");
    });
}

struct Ear;

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").expect("a string takes all text");
    }
}

impl Subscriber for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut said = SAID.lock().unwrap();
        said.push_str(span.metadata().name());
        span.record(&mut Line(&mut said));
        said.push('\n');
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Line(&mut SAID.lock().unwrap()));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut said = SAID.lock().unwrap();
        write!(said, "{} {}", event.metadata().level(), event.metadata().target()).expect("as above");
        event.record(&mut Line(&mut said));
        said.push('\n');
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
