//! Bytes into frames and back, without a look at what the frames say.

pub mod sse;
