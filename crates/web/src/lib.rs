//! The pages, and the HTTP and gRPC interfaces: the gate's, in the server and in a gate of its own beside a proxy.
//!
//! | module | what it is |
//! |---|---|
//! | [`pages`] | what every page needs, and the router of them all |
//! | [`frame`] | what surrounds a page; who reads it |
//! | [`answer`] | headers, the checks of every request, problems as pages |
//! | [`form`] | reading forms within bounds, and showing them again |
//! | [`ticket`] | what a public form carries in a session's place |
//! | [`visible`] | what others wrote, shown so that nothing in it acts |
//! | [`words`] | the texts, in catalogues |
//! | `public` | the public site |
//! | `tipline` | reports without a name, and their mailboxes |
//! | [`gate`] | a gate over the network |
//!
//! It turns requests into questions and answers into responses. What is restricted is `gate`'s; what may be is
//! `review`'s; whether somebody may ask is `clerk`'s; it draws no chance and reads no clock, they come in as closures.

pub mod answer;
pub mod form;
pub mod frame;
pub mod gate;
pub mod pages;
mod public;
mod serve;
pub mod ticket;
mod tipline;
pub mod visible;
pub mod words;

pub use pages::{Means, Pages, PolicyText, Settings};
pub use serve::{Limits, Peer, serve};
