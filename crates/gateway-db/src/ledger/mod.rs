//! The write-ahead ledger: what calls may cost and did cost, on local disk before it is in a database.
//!
//! A [`Writer`] per data-plane core appends framed records to its own segment file; one `append` is one
//! `write(2)`, and what it returned `Ok` for survives `kill -9`. [`Ledger::sync`], called by a timer, makes
//! it survive a power failure as well. At start-up [`Ledger::open`] books every announced call whose
//! outcome is unknown. A [`Shipper`] carries outcomes into the database.

mod batch;
mod encode;
mod frame;
mod id;
mod open;
mod record;
mod recover;
mod segment;
mod shipper;
mod tail;
mod writer;

pub(crate) use batch::{Batch, Slice};
pub(crate) use encode::flags_byte;
pub use encode::{LONGEST_NAME, encode_cancel};
pub use id::CallId;
pub use open::{Ledger, LedgerOptions};
pub use record::{End, Flags, Intent, Outcome, Owner, Record, Tokens};
pub use recover::Recovery;
pub use shipper::{Shipper, ShipperOptions, ShipperStatus};
pub(crate) use tail::FIRST_POSITION;
pub use writer::Writer;
