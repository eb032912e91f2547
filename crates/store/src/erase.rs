//! Erasure: the content of events and texts is destroyed, by two people, and an event says so. Commitments stay, so the
//! Merkle tree stays as it was. It does not judge whether the two may: that is the review's.

use std::collections::BTreeSet;

use review::words::{Digest, Moment, PersonId, Text};
use serde::{Deserialize, Serialize};

use crate::database::{RecordError, Result};
use crate::record::{Append, New, Random, Record, Writer, integer, stream_after};
use crate::{ERASURES, PUBLIC_LOG};

/// What is erased, by whom and why. It is the body of an event itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erasure {
    /// When.
    pub at: Moment,
    /// The two people.
    pub by: BTreeSet<PersonId>,
    /// The events whose content goes.
    pub positions: BTreeSet<u64>,
    /// Why, by the digest of the text.
    pub reason: Text,
    /// The texts that go.
    pub texts: BTreeSet<Digest>,
}

/// What an erasure did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erased {
    /// The position of the event that says so.
    pub position: u64,
    /// Whether the database's files are clean of it already; if not, somebody was reading, and the next erasure or
    /// draining cleans them. PostgreSQL's journal and every backup keep what they have until they are recycled.
    pub scrubbed: bool,
}

impl Erasure {
    pub(crate) fn parse(body: &[u8]) -> std::result::Result<Self, String> {
        let erasure: Self = serde_json::from_slice(body).map_err(|error| format!("it is no erasure: {error}"))?;
        match erasure.by.len() {
            2 => Ok(erasure),
            count => Err(format!("it is an erasure by {count} people: two are needed")),
        }
    }

    fn refuse_if_malformed(&self) -> Result<()> {
        let form = |rule: &str| Err(RecordError::Form(rule.to_owned()));
        match () {
            () if self.by.len() != 2 => form("an erasure needs two different people"),
            () if self.positions.is_empty() && self.texts.is_empty() => form("the erasure names nothing to erase"),
            () => Ok(()),
        }
    }
}

impl Record {
    /// Destroys the content of the named events and the named texts, and appends the event that says so, in one
    /// transaction.
    ///
    /// # Errors
    ///
    /// Anybody but two people, an event or text that is not there or is erased already, and an erasure or a publication
    /// as target are refused; nothing is erased then.
    pub async fn erase(&self, erasure: &Erasure, random: Random<'_>) -> Result<Erased> {
        erasure.refuse_if_malformed()?;
        let body = serde_json::to_vec(erasure).map_err(|error| RecordError::Form(error.to_string()))?;
        let mut writing = self.database.write().await?;
        let connection = &mut *writing.transaction;
        let expected = stream_after(connection, ERASURES, 0).await?.last().map_or(0, |event| event.number);
        let append = Append { stream: ERASURES.to_owned(), expected, events: vec![New { at: erasure.at, body }] };
        let mut writer = Writer::begin(connection, random, std::slice::from_ref(&append)).await?;
        let positions = writer.append_any(&append).await??;
        writer.flush().await?;
        let by = positions.first().copied().unwrap_or_default();
        for position in &erasure.positions {
            let take = "UPDATE events SET salt = NULL, body = NULL, erased_by = $1 \
                        WHERE position = $2 AND body IS NOT NULL AND stream <> $3 AND stream <> $4";
            let take = sqlx::query(take).bind(integer(by)).bind(integer(*position)).bind(ERASURES).bind(PUBLIC_LOG);
            if take.execute(&mut *writing.transaction).await?.rows_affected() != 1 {
                let rule = "there is no event to erase: it is not there, is erased already, or is an erasure or a \
                            publication, which must stay";
                return Err(RecordError::Form(format!("position {position}: {rule}")));
            }
        }
        for text in &erasure.texts {
            let take = sqlx::query("DELETE FROM texts WHERE digest = $1").bind(text.0.to_vec());
            if take.execute(&mut *writing.transaction).await?.rows_affected() != 1 {
                return Err(RecordError::Form(format!("there is no text {text} to erase")));
            }
        }
        writing.commit().await?;
        let events = self.database.scrub("events").await?;
        let texts = erasure.texts.is_empty() || self.database.scrub("texts").await?;
        Ok(Erased { position: by, scrubbed: events && texts })
    }
}
