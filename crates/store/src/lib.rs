//! The record: everything that happened in reviews, kept on SQLite or PostgreSQL so that nothing acknowledged is lost
//! and nothing can be altered unseen; and the files of the public log, made from it.
//!
//! | module | what it is |
//! |---|---|
//! | `database` | opening either database, its promise of durability, the schema, one writer at a time |
//! | `record` | events: appending them, reading them back, a backup while running |
//! | `verify` | the whole record against its commitments and against what was published of it |
//! | `erase` | taking the content of events and texts away, so that the hole is explained |
//! | `texts` | private texts, encrypted before they are kept |
//! | `log` | the public log: what was published, as files that are made from the record |
//! | `files` | where those files lie, and how they are written |
//! | `drawer` | what is not history: sessions, accounts, keys that a passphrase opens |
//! | `secrets` | a small secret in a file that a passphrase opens |
//! | `intake` | what anonymous people sent, kept without time and order until the day is drained |
//!
//! It does not know what events say, but for erasures and publications, and it decides nothing: state is a fold of
//! [`review`], what a log is made of is [`tlog`]'s.
//! Time comes in with the events and randomness as a closure, so that equal runs leave equal bytes; only `age` draws its
//! own, for texts. It is the only crate that names `sqlx`.

mod database;
mod drawer;
mod erase;
mod files;
mod intake;
mod log;
mod record;
mod secrets;
mod texts;
mod verify;

pub use age::x25519::{Identity, Recipient};
pub use database::RecordError;
pub use drawer::Slip;
pub use erase::{Erased, Erasure};
pub use files::Files;
pub use intake::{Draining, Message};
pub use log::{LogError, PUBLIC_LOG, PublicLog, Publication};
pub use record::{Append, Content, EVENT_BYTES_MAX, Event, New, Random, Record, Refused};
pub use secrets::{open_with_passphrase, seal_with_passphrase};

/// The stream of erasures, which only [`Record::erase`] appends to.
pub const ERASURES: &str = "erasures";
