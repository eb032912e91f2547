//! The whole record, read once from the first event to the last and held against itself and against what was remembered
//! of it. It repairs nothing, and does not look into what events say, except erasures.

use std::collections::BTreeMap;

use tlog::{Appender, Tree};

use crate::ERASURES;
use crate::database::{RecordError, Result};
use crate::erase::Erasure;
use crate::record::{Event, Record, page};

/// Events read at a time.
const PAGE: u32 = 1_000;

/// What is known after so many events.
#[derive(Default)]
struct Reading {
    log: Appender,
    /// How long each stream is.
    lengths: BTreeMap<String, u64>,
    /// Holes, and the erasure that each waits for.
    holes: BTreeMap<u64, u64>,
}

impl Record {
    /// Reads everything: no position and no number missing, every commitment recomputed, every hole explained by the
    /// erasure that made it. Gives the Merkle tree over all commitments; with a tree that was remembered or published,
    /// sees that the record goes on from it.
    ///
    /// # Errors
    ///
    /// The first thing that does not fit, with its position and what to do.
    pub async fn verify(&self, remembered: Option<Tree>) -> Result<Tree> {
        let mut transaction = self.database.read().await?;
        let mut reading = Reading::default();
        reading.hold_against(remembered)?;
        loop {
            let events = page(&mut transaction, reading.log.tree().size, PAGE).await?;
            if events.is_empty() {
                break;
            }
            for event in &events {
                reading.take(event)?;
                reading.hold_against(remembered)?;
            }
        }
        reading.end(remembered)
    }
}

impl Reading {
    fn take(&mut self, event: &Event) -> Result<()> {
        let position = self.log.tree().size;
        let altered = |position, reason: String| Err(RecordError::Altered { position, reason });
        if event.position != position {
            return altered(position, "the event is missing".into());
        }
        let number = self.lengths.entry(event.stream.clone()).or_default();
        *number += 1;
        if event.number != *number {
            let reason = format!("it has number {} in `{}`, where {number} comes next", event.number, event.stream);
            return altered(position, reason);
        }
        if let Some(by) = event.erased_by {
            self.holes.insert(position, by);
        }
        if event.stream == ERASURES {
            self.explain(event)?;
        }
        self.log.push(&event.commitment).map(drop).map_err(|error| RecordError::Damaged(error.to_string()))
    }

    /// Fills the holes that an erasure accounts for.
    fn explain(&mut self, event: &Event) -> Result<()> {
        let altered = |position, reason: String| RecordError::Altered { position, reason };
        let body = event.content.as_ref().map_or(&[][..], |content| &content.body);
        let erasure = Erasure::parse(body).map_err(|reason| altered(event.position, reason))?;
        for position in erasure.positions {
            match self.holes.get(&position) {
                Some(by) if *by == event.position => drop(self.holes.remove(&position)),
                _ => {
                    let reason = format!("the erasure at {} names it, and it is not erased by it", event.position);
                    return Err(altered(position, reason));
                }
            }
        }
        Ok(())
    }

    fn hold_against(&self, remembered: Option<Tree>) -> Result<()> {
        let tree = self.log.tree();
        match remembered {
            Some(remembered) if remembered.size == tree.size && remembered.root != tree.root => {
                let size = tree.size;
                Err(RecordError::Discontinued(format!("the first {size} events are not those that were remembered")))
            }
            _ => Ok(()),
        }
    }

    fn end(self, remembered: Option<Tree>) -> Result<Tree> {
        let tree = self.log.tree();
        if let Some((position, by)) = self.holes.first_key_value() {
            let reason = format!("its content is gone and the event at {by} is no erasure of it");
            return Err(RecordError::Altered { position: *position, reason });
        }
        match remembered {
            Some(Tree { size, .. }) if size > tree.size => {
                let there = tree.size;
                Err(RecordError::Discontinued(format!(
                    "the record ends after {there} events, and {size} were remembered"
                )))
            }
            _ => Ok(tree),
        }
    }
}
