//! What a restriction is, who must have signed it, and whether it stands against one request.
//!
//! | module | what it is |
//! |---|---|
//! | `words` | a digest, the switches of a service |
//! | `time` | instants as the texts of decisions write them |
//! | `seal` | what approvals sign: a list of targets, a decision, the message |
//! | `operation` | which switches an operation falls under |
//! | `set` | restrictions as they lie in memory, and the check |
//!
//! It is pure: no files, no network, no clock, no randomness; they come in as values. It decides nothing (that is
//! `review`), serves nothing and keeps nothing: whoever embeds it fetches, stores and swaps.
//!
//! Everything read may come from somebody hostile: it is bounded, refused with a reason, and never panics.

pub mod operation;
pub mod seal;
mod set;
pub mod time;
mod words;

pub use set::{Answer, Builder, Request, Restriction, Scope, Set, Source, TooMany, Verdict};
pub use words::{Digest, Switch, Switches};
