//! The domain of a review: findings and reports become cases that people carry, with due process that cannot be skipped.
//!
//! It is pure and synchronous: no files, no clock, no randomness; whatever it needs comes in as a value. Commands are held
//! against rules and become events; state is a fold over events; a command repeated changes nothing. It does not compute
//! signals (that is `signals`), keeps nothing (that is the record) and never acts on anybody: what it yields is a
//! decision that people signed.

pub mod act;
pub mod audit;
pub mod case;
pub mod clocks;
pub mod counts;
pub mod dsa;
pub mod evidence;
pub mod finding;
pub mod harmonised;
pub mod metered;
pub mod notice;
pub mod procedure;
pub mod public;
pub mod published;
pub mod report;
pub mod roster;
pub mod rules;
pub mod seal;
#[cfg(test)]
mod stage;
pub mod statement;
#[cfg(test)]
mod story;
pub mod waits;
pub mod words;

pub use evidence::{Decibans, Evidence, EvidenceTable, Family, family_evidence, total};
pub use finding::{Families, Finding, SignalReading};
