//! The pages, and the HTTP and gRPC interfaces: the gate's, in the server and in a gate of its own beside a proxy.
//!
//! | module | what it is |
//! |---|---|
//! | [`pages`] | what every page needs, and the router of them all |
//! | [`frame`] | what surrounds a page; who reads it |
//! | [`answer`] | headers, the checks of every request, problems as pages |
//! | [`form`] | reading forms within bounds, and showing them again |
//! | [`ticket`] | what a public form carries in a session's place |
//! | [`explore`] | what the console asks of usage, and what it is answered |
//! | [`portrait`] | what the records say of one entity, drawn |
//! | [`plain`] | numbers as people read them |
//! | [`visible`] | what others wrote, shown so that nothing in it acts |
//! | [`words`] | the texts, in catalogues |
//! | `public` | the public site |
//! | [`routes`] | who may use which page: one list that builds the router |
//! | [`session`] | who is signed in |
//! | [`sign_in`] | signing in, proving anew who one is, signing out |
//! | [`own_keys`] | a person's own keys, which their passphrase opens |
//! | `customer` | the customer's pages |
//! | `me` | one's roles, sessions and keys |
//! | [`tipline`] | reports without a name, and their mailboxes |
//! | `console` | what people of the provider’s see and do |
//! | [`gate`] | a gate over the network |
//!
//! It turns requests into questions and answers into responses. What is restricted is `gate`'s; what may be is
//! `review`'s; whether somebody may ask is `clerk`'s; it draws no chance and reads no clock, they come in as closures.

pub mod answer;
mod console;
mod customer;
pub mod explore;
pub mod form;
pub mod frame;
pub mod gate;
mod kept;
mod me;
pub mod own_keys;
pub mod pages;
pub mod plain;
pub mod portrait;
mod public;
pub mod routes;
mod serve;
pub mod session;
pub mod sign_in;
pub mod ticket;
pub mod tipline;
pub mod visible;
pub mod words;

pub use pages::{Means, Pages, PolicyText, Settings};
pub use serve::{Limits, Peer, serve};
