//! Where the events of a case are in the public log, and a proof of each to keep.
//!
//! Every event is there as its commitment, among a day's. An approval that completes a decision, a statement, a comparison
//! and a correction have entries of their own besides, at once. The proof (C2SP tlog-proof) carries the entry, and of a
//! day's batch says which commitment in it is meant: nothing of what the event says, so that it may be given to anybody,
//! and an erasure leaves nothing behind in it. It reads no file of the log: hashes and checkpoint come in as values.

use crate::desk::Clerk;
use crate::error::Error;
use crate::publish::decision_salt;
use crate::queue::Published;
use crate::streams::{self, File};
use review::act::{Act, Event};
use review::case::Case;
use review::public::{Entry, Salt, at_once};
use review::words::{DecisionId, Digest};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use store::{PUBLIC_LOG, Publication};
use tlog::{Believed, Hash, KeptProofError, Note, Policy, Proof};

const FORM: &str = "tribune.event-proof/1";

/// An event of a case, as it stands in the record and in the public log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its place in the record.
    pub position: u64,
    /// What hides it there, and in the log.
    pub commitment: Digest,
    /// The entry with the commitments of its day; none before that is published.
    pub batch: Option<InLog>,
    /// Entries of its own; without a place before they are published.
    pub own: Vec<(Entry, Option<InLog>)>,
}

/// An entry of the public log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InLog {
    /// Which.
    pub index: u64,
    /// Its bytes, which are text.
    pub text: String,
}

impl Clerk {
    /// How events of a case stand in the record and in the public log, for somebody who has looked at it: those in this
    /// range, counted from 0.
    ///
    /// # Errors
    /// The record failed, or an event is not what it must be.
    pub async fn events_in_log(&self, file: &File, range: Range<usize>) -> Result<Vec<Committed>, Error> {
        let stored = self.record.stream(&streams::case_stream(&file.case.id), 0).await?;
        let mut salts: BTreeMap<DecisionId, Salt> = BTreeMap::new();
        for (event, stored) in file.events.iter().zip(&stored) {
            if let (Act::Propose(decision), Some(content)) = (&event.command.act, &stored.content) {
                salts.insert(decision.id.clone(), decision_salt(&content.salt));
            }
        }
        let own = own_entries(file, &range, &salts);
        let mut log = LogOfRecord { clerk: self, published: self.published_places().await?, read: BTreeMap::new() };
        let mut committed = Vec::with_capacity(own.len());
        for (stored, entries) in stored.iter().skip(range.start).zip(own) {
            let (position, commitment) = (stored.position, Digest(stored.commitment));
            let batch = log.batch_with(position, &commitment).await?;
            let mut own = Vec::with_capacity(entries.len());
            for entry in entries {
                let place = log.own(position, &entry).await?;
                own.push((entry, place));
            }
            committed.push(Committed { position, commitment, batch, own });
        }
        Ok(committed)
    }
}

/// What each event in a range made public by itself, in the case as it stood right after.
fn own_entries(file: &File, range: &Range<usize>, salts: &BTreeMap<DecisionId, Salt>) -> Vec<Vec<Entry>> {
    let mut own = Vec::new();
    let mut case: Option<Case> = None;
    for (place, event) in file.events.iter().enumerate().take(range.end) {
        match &mut case {
            Some(case) => case.apply(event, &file.law.procedure),
            None => case = Case::opened_by(event),
        }
        if place >= range.start {
            own.push(case.as_ref().map(|case| of_event(case, event, salts)).unwrap_or_default());
        }
    }
    own
}

fn of_event(case: &Case, event: &Event, salts: &BTreeMap<DecisionId, Salt>) -> Vec<Entry> {
    at_once(case, event, &mut |decision| salts.get(decision).copied().unwrap_or_default())
}

/// The public log as the record has it, read as far as it is asked for.
struct LogOfRecord<'a> {
    clerk: &'a Clerk,
    published: Vec<Published>,
    read: BTreeMap<u64, Arc<Publication>>,
}

impl LogOfRecord<'_> {
    async fn publication(&mut self, number: u64) -> Result<Option<Arc<Publication>>, Error> {
        if let Some(read) = self.read.get(&number) {
            return Ok(Some(Arc::clone(read)));
        }
        let stream = self.clerk.record.stream_from(PUBLIC_LOG, number - 1, 1).await?;
        let Some(content) = stream.first().and_then(|event| event.content.as_ref()) else { return Ok(None) };
        let publication: Arc<Publication> = Arc::new(streams::parse(&content.body, number)?);
        self.read.insert(number, Arc::clone(&publication));
        Ok(Some(publication))
    }

    /// The batch that has the commitment of the event at a position.
    async fn batch_with(&mut self, position: u64, commitment: &Digest) -> Result<Option<InLog>, Error> {
        let place = self.published.partition_point(|one| one.batched <= position);
        // A commitment is long and random: that its text is there is that it is.
        let commitment = commitment.to_string();
        self.entry(place, |text| text.contains(&commitment) && text.contains("\"batch\"")).await
    }

    /// An entry that the event at a position brought about.
    async fn own(&mut self, position: u64, entry: &Entry) -> Result<Option<InLog>, Error> {
        let place = self.published.partition_point(|one| one.seen <= position);
        let entry = serde_json::to_string(entry).map_err(|error| Error::Defect(error.to_string()))?;
        self.entry(place, |text| text == entry).await
    }

    async fn entry(&mut self, place: usize, is: impl Fn(&str) -> bool) -> Result<Option<InLog>, Error> {
        let Some(published) = self.published.get(place).copied() else { return Ok(None) };
        let Some(publication) = self.publication(published.number).await? else { return Ok(None) };
        let found = publication.entries.iter().enumerate().find(|(_, text)| is(text));
        Ok(found.map(|(index, text)| InLog { index: published.begins + index as u64, text: text.clone() }))
    }
}

// ---- a proof to keep ------------------------------------------------------------------------------------------------

/// Why what a proof carries is not shown to be in the log.
#[derive(Debug, thiserror::Error)]
pub enum EventProofError {
    /// What the proof carries is nothing of the kind.
    #[error("the proof carries no {FORM}: {0}")]
    Form(#[from] serde_json::Error),
    /// It is of another form.
    #[error("the proof says that it carries `{0}`, not {FORM}: a report's proof is checked by `tribune report check`")]
    Other(String),
    /// The batch has no such commitment.
    #[error("the entry that the proof carries does not hold the commitment it names: one of the two was altered")]
    NotThere,
    /// The entry is not in the log.
    #[error(transparent)]
    Proof(#[from] KeptProofError),
}

/// What a proof carries beside the place in the log.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Carried {
    form: String,
    /// The entry's bytes.
    entry: String,
    /// In a day's batch, the event's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    commitment: Option<Digest>,
}

/// What was shown to be in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The entry.
    pub entry: Entry,
    /// In a day's batch, which commitment of it.
    pub commitment: Option<Digest>,
    /// Who vouches for the log.
    pub believed: Believed,
}

/// A proof to keep of an entry; of a batch, with the commitment that is meant. Whether the hashes lead to the checkpoint
/// is for who checks.
///
/// # Errors
///
/// The entry is none, or does not hold the commitment.
pub fn prove(
    entry: &InLog,
    commitment: Option<Digest>,
    hashes: Vec<Hash>,
    checkpoint: Note,
) -> Result<Proof, EventProofError> {
    read(&entry.text, commitment)?;
    let carried = Carried { form: FORM.to_owned(), entry: entry.text.clone(), commitment };
    Ok(Proof { extra: serde_json::to_vec(&carried)?, index: entry.index, hashes, checkpoint })
}

/// Checks such a proof against a log that one trusts; for anybody.
///
/// # Errors
///
/// It is of another form, names what is not there, or is not in this log.
pub fn check(proof: &Proof, policy: &Policy) -> Result<Proven, EventProofError> {
    #[derive(Deserialize)]
    struct Named {
        form: String,
    }
    let Named { form } = serde_json::from_slice(&proof.extra)?;
    if form != FORM {
        return Err(EventProofError::Other(form));
    }
    let Carried { entry, commitment, .. } = serde_json::from_slice(&proof.extra)?;
    let believed = proof.verify(Hash::leaf(entry.as_bytes()), policy)?;
    Ok(Proven { entry: read(&entry, commitment)?, commitment, believed })
}

/// An entry that is one; a batch holds the commitment that is meant, and nothing else has one.
fn read(text: &str, commitment: Option<Digest>) -> Result<Entry, EventProofError> {
    let entry: Entry = serde_json::from_str(text)?;
    let there = match (&entry, commitment) {
        (Entry::Batch { commitments, .. }, Some(commitment)) => commitments.contains(&commitment),
        (Entry::Batch { .. }, None) => false,
        (_, commitment) => commitment.is_none(),
    };
    if there { Ok(entry) } else { Err(EventProofError::NotThere) }
}
