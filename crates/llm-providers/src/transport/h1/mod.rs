//! HTTP/1.1 as a client: one exchange at a time over one connection, driven in the caller's own task.
//!
//! Why not `hyper::client::conn::http1`: its connection is a second future that talks to the caller over
//! channels. `examples/transport_bench.rs` measures both; on one core, medians of several runs on a busy
//! machine, in µs of CPU per call: a small answer 10.2 to 11.4 here, 11.9 to 13.2 with hyper-util's client,
//! 10.3 to 15.1 with hyper's connection in a task of its own, 10.9 to 12.6 with it inline; a stream of 100
//! chunks 61 to 81 here, 89 to 112 with the others. In user-space instructions (callgrind, whole program)
//! hyper's connection takes 1.7 to 1.8 times ours, hyper-util's client 2.3 times. Here the request leaves
//! in one write, the head is parsed in place, and a body that came with the head is handed out as it lies
//! in the read buffer.

mod body;
mod conn;
mod framing;
mod head;

pub(super) use body::respond;
pub(super) use conn::{Conn, Failure};
pub(super) use head::{is_hop_by_hop, write_head};

#[cfg(test)]
mod tests;
