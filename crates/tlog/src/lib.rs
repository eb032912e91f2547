//! A tiled transparency log: an append-only list of entries of which anyone can check, alone and years later, that
//! nothing in it was altered, taken out or shown to some and not to others.
//!
//! It follows the specifications of C2SP, so that other tools read its logs and it reads theirs:
//!
//! | module | what it is | source |
//! |---|---|---|
//! | `tree` | hashes, roots, inclusion and consistency | RFC 6962 §2.1 |
//! | `tile` | the files of a log: names and shapes | c2sp.org/tlog-tiles |
//! | `read` | roots, proofs and entries from such files, checked before they are believed | the same |
//! | `append` | the files that new entries make | the same |
//! | `note` | keys, signatures, cosignatures | c2sp.org/signed-note, c2sp.org/tlog-cosignature |
//! | `checkpoint` | what a log signs, and whom a reader trusts | c2sp.org/tlog-checkpoint |
//! | `witness` | what a log asks a witness, and the answer | c2sp.org/tlog-witness |
//! | `proof` | a proof to keep in a file | c2sp.org/tlog-proof |
//! | `verify` | a whole log, from the first entry to the signatures | |
//!
//! It is pure: no files, no network, no clock, no randomness; they come in as closures and values. It knows nothing of
//! what the entries say, keeps nothing, and depends on nothing of Tribune, so that an auditor can use it alone.
//!
//! Everything read may come from somebody hostile: it is bounded, refused with a reason, and never panics.

mod append;
mod checkpoint;
mod note;
mod proof;
mod read;
#[cfg(test)]
mod sample;
mod tile;
mod tree;
mod verify;
mod witness;

pub use append::Appender;
pub use checkpoint::{Believed, Checkpoint, CheckpointError, Policy, PolicyError};
pub use note::{
    Cosigner, KeyError, KeyKind, NOTE_BYTES_MAX, Note, NoteError, SIGNATURES_MAX, Signature, Signer, Verifier, Vouched,
};
pub use proof::{KeptProofError, Proof};
pub use read::{TileError, Tiles};
pub use tile::{ENTRY_BYTES_MAX, EntryTooLong, NotATile, Row, Tile, tiles_between};
pub use tree::{Hash, NotAHash, ProofError, Tree};
pub use verify::{Report, VerifyError, verify_log};
pub use witness::{AddCheckpoint, Cosigned, Refusal, SIZE_CONTENT_TYPE, Watched, parse_size};
