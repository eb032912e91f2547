//! Policy packs, SQL evaluation, linking, scoring, case opening: from usage rows to ranked, explained findings.
//!
//! It is not the reading of records (`usage`), not the review that people carry (`review`), and it restricts nobody.

pub mod docket;
pub mod drive;
pub mod entity;
pub mod findings;
pub mod links;
pub mod numbers;
pub mod pack;
pub mod packtest;
pub mod peers;
#[cfg(test)]
mod relations_doc;
pub mod series;
pub mod sql;
pub mod watch;
pub mod workload;
