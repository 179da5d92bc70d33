//! Where connections come in: listening, handing them to cores, reading bodies, and draining.

mod body;
mod connection;
mod growing;
mod listener;
mod uploads;

pub(crate) use body::read_body;
pub(crate) use connection::{ConnState, LastKey, serve_connection};
pub(crate) use growing::Growing;
pub(crate) use listener::{Arrival, accept, bind};
pub(crate) use uploads::{Arrived, Uploads};
