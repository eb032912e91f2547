//! The clerk of a review: what somebody asks for goes to the access policies and to the rules of the case, and once both
//! allow it, into the record, and what the world may see of it into the public log.
//!
//! | module | what it is |
//! |---|---|
//! | `error` | why something was not done |
//! | `streams` | what stands in which stream of the record, and reading it back |
//! | `desk` | a command on its way: who asks, may they, what do the rules say, append |
//! | `customers` | what a customer sees of its cases, and does there |
//! | `denials` | who was denied what, bounded |
//! | `papers` | private texts of a case: for whom they are encrypted, reading, rewrapping |
//! | `drafts` | texts that are to leave, while a second person reads them |
//! | `trial` | whether acts would be admitted, without carrying any out |
//! | `erase` | what may be erased as a whole, by whom |
//! | `publish` | what of the record becomes public, when, and the numbers of a year |
//! | `shelf` | what was published, as the world reads it |
//! | `reports` | reports, from what somebody sends to what an officer reads and answers |
//! | `gates` | what gates tell, and what goes back to shadow by it |
//! | `queue` | the list of cases and reports, kept in memory |
//! | `snapshots` | from decisions in effect to what gates hold, in stages |
//! | [`proofs`] | where the events of a case are in the public log, and a proof of each to keep |
//! | [`receipt`] | the seven words of a report, and the two keys that follow from them |
//! | [`sealed`] | what reporters and officers write to each other, padded and encrypted |
//! | [`envelope`] | what a reporter sends in one go, as it lies in the intake |
//! | [`intake`] | a day of the intake as events |
//! | [`keys`] | keys of a person's own that a passphrase opens |
//! | [`mailbox`] | what a receipt lets its reporter learn, and answering them |
//! | [`shown`] | a report shown to be in the public log, without saying who made it |
//!
//! It has no rule of its own and keeps nothing itself but a list that the record makes: the roles are [`access`]'s, due process is [`review`]'s, durability
//! is [`store`]'s and proof is [`tlog`]'s. The shell and the pages both speak to it, so that there is one path and no
//! other. Time comes in with what is asked, randomness as a closure.

mod customers;
mod denials;
mod desk;
mod drafts;
pub mod envelope;
mod erase;
mod error;
mod gates;
pub mod intake;
pub mod keys;
pub mod mailbox;
mod papers;
pub mod proofs;
mod publish;
mod queue;
pub mod receipt;
mod reports;
pub mod sealed;
mod shelf;
pub mod shown;
mod snapshots;
mod streams;
mod trial;

pub use customers::{Answer, Asked, Challenge, Declaration, Declaring, Matter, Served, TEXT_BYTES_MAX};
pub use denials::{DAILY_MAX, Denial};
pub use desk::{Clerk, Done, Sender, Sent};
pub use drafts::{DraftOf, DraftText};
pub use erase::Erase;
pub use error::Error;
pub use gates::{Left, Refused, Told};
pub use papers::{Papers, Sealed};
pub use publish::Due;
pub use queue::{Line, Listed, Mine, Order, PartLine, PhaseOf, Wanted};
pub use reports::{IntakeRoom, Lock, Opened, Reporting};
pub use shelf::{Month, Shelf, Shelved, Year};
pub use snapshots::{Serving, Staged};
pub use streams::{Discarded, File, Founding, Law, Look, Public, PublicText};
pub use trial::Trial;
