//! A report shown to be in the public log, by its reporter and to anybody, without saying who they are.
//!
//! The log holds a commitment to each event of the record, among many in a day's batch. What is shown opens one of them:
//! the event that began the report, or, where that one names people whom the report is kept from, the one that
//! acknowledged it. Neither has a text, a name or a time finer than a day. The proof (C2SP tlog-proof) carries the
//! opening and the batch, so that it can be checked offline and years later.
//!
//! It does not say that whoever shows it made the report: only the seven words lead to its name. It reads no files of the
//! log; they come in as values.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use review::public::{Entry, commitment};
use review::report::{Deed, ReportEvent};
use review::words::{Actor, Digest, ReportId};
use serde::{Deserialize, Serialize};
use store::{Content, Record};
use tlog::{Believed, Hash, KeptProofError, Note, Policy, Proof};

use crate::error::Error;
use crate::streams;

const FORM: &str = "tribune.opening/1";

/// Why a report is not shown to be in the log.
#[derive(Debug, thiserror::Error)]
pub enum ShownError {
    /// What the proof carries is no opening.
    #[error("the proof carries no {FORM}: {0}")]
    Form(#[from] serde_json::Error),
    /// It is of another form.
    #[error("the proof carries no {FORM}: {0}")]
    Opening(&'static str),
    /// The event says more than it may.
    #[error(
        "the event is none that can be shown: only the beginning of a report and its acknowledgement can, as they are written"
    )]
    Event,
    /// The batch has no commitment to it.
    #[error("the batch of the log has no commitment to this event: it is of another day, or the event was altered")]
    NotThere,
    /// The batch is not in the log.
    #[error(transparent)]
    Proof(#[from] KeptProofError),
}

/// What a proof carries beside the place in the log.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Opening {
    form: String,
    salt: String,
    event: String,
    batch: String,
}

/// What was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The name of the report, which its receipt leads to and which leads back to nobody.
    pub report: ReportId,
    /// The UTC day it came in.
    pub day: String,
    /// The event.
    pub event: Digest,
    /// Who vouches for the log.
    pub believed: Believed,
}

/// What opens the commitment of a report's beginning; none if there is nothing that can be shown.
///
/// # Errors
///
/// The record failed.
pub async fn opening(record: &Record, report: &ReportId) -> Result<Option<Content>, Error> {
    let events = record.stream(&streams::report_stream(report), 0).await?;
    let mut contents = events.into_iter().take(2).filter_map(|event| event.content);
    Ok(contents.find(|content| showable(&content.body).is_some()))
}

/// A proof to keep, from what opens the event and the log's entry that commits to it, where that is, and a checkpoint.
///
/// # Errors
///
/// The event says more than that a report came, or the entry does not commit to it. Whether the hashes lead to the
/// checkpoint is for who checks.
pub fn prove(
    opening: &Content,
    batch: &[u8],
    index: u64,
    hashes: Vec<Hash>,
    checkpoint: Note,
) -> Result<Proof, ShownError> {
    showable(&opening.body).ok_or(ShownError::Event)?;
    refuse_unless_in(batch, commitment(&opening.salt, &opening.body))?;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| ShownError::Opening("it is no text"));
    let carried = Opening {
        form: FORM.to_owned(),
        salt: STANDARD.encode(opening.salt),
        event: text(&opening.body)?,
        batch: text(batch)?,
    };
    Ok(Proof { extra: serde_json::to_vec(&carried)?, index, hashes, checkpoint })
}

/// Checks such a proof against a log that one trusts; for anybody.
///
/// # Errors
///
/// It is of another form, opens something else, or is not in this log.
pub fn check(proof: &Proof, policy: &Policy) -> Result<Shown, ShownError> {
    let carried: Opening = serde_json::from_slice(&proof.extra)?;
    if carried.form != FORM {
        return Err(ShownError::Opening("it says that it is something else"));
    }
    let salt = STANDARD.decode(&carried.salt).ok().and_then(|salt| salt.try_into().ok());
    let salt: [u8; 32] = salt.ok_or(ShownError::Opening("its salt has not 32 bytes"))?;
    let event = showable(carried.event.as_bytes()).ok_or(ShownError::Event)?;
    let committed = commitment(&salt, &carried.event);
    refuse_unless_in(carried.batch.as_bytes(), committed)?;
    let believed = proof.verify(Hash::leaf(carried.batch.as_bytes()), policy)?;
    // It is dated at the end of its day, which is where the next one begins.
    Ok(Shown { report: event.report, day: event.at.plus_hours(-1).day(), event: committed, believed })
}

/// An event that says that a report came and nothing of who: in the one form it is written in, without a field more.
fn showable(body: &[u8]) -> Option<ReportEvent> {
    let event: ReportEvent = serde_json::from_slice(body).ok()?;
    let silent = match (&event.deed, &event.by) {
        (Deed::Receive { keep_from, parts, .. }, None) => keep_from.is_empty() && parts.is_empty(),
        (Deed::Acknowledge, Some(Actor::System)) => true,
        _ => false,
    };
    let plain = event.at.0.rem_euclid(86_400) == 0 && serde_json::to_vec(&event).is_ok_and(|written| written == body);
    (silent && plain).then_some(event)
}

fn refuse_unless_in(batch: &[u8], committed: Digest) -> Result<(), ShownError> {
    match serde_json::from_slice(batch)? {
        Entry::Batch { commitments, .. } if commitments.contains(&committed) => Ok(()),
        _ => Err(ShownError::NotThere),
    }
}
