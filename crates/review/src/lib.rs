//! The domain of a review. So far: what a finding is, and the arithmetic of its evidence.
//!
//! It is pure and synchronous: no files, no clock, no randomness; whatever it needs comes in as a value.
//! It does not compute signals (that is `signals`) and never acts on anybody.

pub mod evidence;
pub mod finding;

pub use evidence::{Decibans, Evidence, EvidenceTable, Family, family_evidence, total};
pub use finding::{Families, Finding, SignalReading};
