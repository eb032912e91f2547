//! The record on real databases: the same tests on SQLite and on a PostgreSQL server that they start themselves.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on may fail where it stands"
)]

#[macro_use]
#[path = "it/both.rs"]
mod both;
#[path = "it/crash.rs"]
mod crash;
#[path = "it/log.rs"]
mod log;
#[path = "it/measure.rs"]
mod measure;
#[path = "it/others.rs"]
mod others;
#[path = "it/place.rs"]
mod place;
#[path = "it/server.rs"]
mod server;
#[path = "it/sqlite.rs"]
mod sqlite;
