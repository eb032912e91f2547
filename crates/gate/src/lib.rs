//! What a restriction is, who must have signed it, and whether it stands against one request.
//!
//! | module | what it is |
//! |---|---|
//! | `words` | a digest, the switches of a service |
//! | `time` | instants as the texts of decisions write them |
//! | `seal` | what approvals sign: a list of targets, a decision, the message |
//! | `operation` | which switches an operation falls under |
//! | `set` | restrictions as they lie in memory, and the check |
//! | `record` | what a snapshot carries of a decision, by who answers for it |
//! | `snapshot` | the file that gates load, whole or as what changed |
//! | `pins` | what a gate holds fast, whatever it is sent |
//! | `gate` | verifying all of a snapshot before anything of it is held |
//!
//! It is pure: no files, no network, no clock, no randomness; they come in as values. It decides nothing (that is
//! `review`), serves nothing and keeps nothing: whoever embeds it fetches, stores and swaps.
//!
//! Everything read may come from somebody hostile: it is bounded, refused with a reason, and never panics.

//!
//! A gate in a proxy, with the swap that is left to whoever embeds it:
//!
//! ```
//! use gate::{Gate, Pins, Request, Verdict};
//! use std::sync::{Arc, PoisonError, RwLock};
//!
//! # fn random() -> u64 { 0 }
//! /// When it starts: the bytes it kept, and the pins that those who run it gave it.
//! fn start(kept: &[u8], pins: &str) -> Result<RwLock<Arc<Gate>>, Box<dyn std::error::Error>> {
//!     let pins: Pins = pins.parse()?;
//!     Ok(RwLock::new(Arc::new(Gate::load(kept, Arc::new(pins), None, random())?)))
//! }
//!
//! /// When something came. What is refused changes nothing; what is taken is swapped whole, then kept.
//! fn came(gate: &RwLock<Arc<Gate>>, bytes: &[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
//!     let held = Arc::clone(&gate.read().unwrap_or_else(PoisonError::into_inner));
//!     let next = Arc::new(held.next(bytes, random())?);
//!     let keep = next.snapshot().bytes();
//!     *gate.write().unwrap_or_else(PoisonError::into_inner) = next;
//!     Ok(keep)
//! }
//!
//! /// At each request. The lock is for the pointer alone; `arc_swap::ArcSwap` does without it.
//! fn passes(gate: &RwLock<Arc<Gate>>, request: &Request<'_>) -> bool {
//!     let held = Arc::clone(&gate.read().unwrap_or_else(PoisonError::into_inner));
//!     !matches!(held.check(request).verdict, Verdict::Refuse(_))
//! }
//! ```

mod gate;
mod operation;
mod pins;
mod record;
pub mod seal;
mod set;
mod snapshot;
pub mod time;
mod wire;
mod words;

pub use gate::{DecisionError, EMERGENCY_DAYS, Gate, SnapshotError, entry};
pub use operation::Operation;
pub use pins::{Approver, Key, LogPins, Pins, PinsError, ServerPins, THRESHOLD_MIN};
pub use record::{Approval, Place, Record, Sealed, Stage, Terms};
pub use set::{Answer, Builder, Request, Restriction, Scope, Set, Source, TooMany, Verdict};
pub use snapshot::{Certificate, Head, Snapshot, Version, epoch_message};
pub use wire::Unreadable;
pub use words::{Digest, Switch, Switches};
