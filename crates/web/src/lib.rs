//! The HTTP and gRPC interfaces: so far the gate's, in the server and in a gate of its own beside a proxy.
//!
//! It turns requests into questions and answers into responses. What is restricted is `gate`'s; what may be is
//! `review`'s; it draws no chance and reads no clock, they come in as closures.

pub mod gate;
pub mod plain;
pub mod portrait;
pub mod routes;
mod serve;
pub mod session;
pub mod sign_in;

pub use serve::{Limits, Peer, serve};
