//! What may be erased, by whom: always a whole thing, so that what stays can still be read.
//!
//! A case is erased once it is over and nothing of it is in force; its name, its events' commitments and what was
//! published of it stay. Two who decide order it, and an event says so.

use crate::desk::{Clerk, person};
use crate::error::Error;
use crate::papers::texts_of;
use crate::streams;
use access::Thing;
use review::case::Phase;
use review::words::{CaseId, Digest, Moment, ReportId, Text};
use std::collections::BTreeSet;
use store::{Erased, Erasure};

/// Something to erase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Erase {
    /// A case that is over, with its texts.
    Case(CaseId),
    /// A report, with its texts.
    Report(ReportId),
    /// A private text alone.
    Text(Text),
}

impl Clerk {
    /// Erases, on the word of two who decide.
    ///
    /// # Errors
    /// They may not, it is not over, or it is not there; nothing is erased then.
    pub async fn erase(
        &self,
        by: &BTreeSet<String>,
        what: &[Erase],
        reason: Text,
        at: Moment,
    ) -> Result<Erased, Error> {
        let roster = self.roster().await?;
        let by = by.iter().map(|name| person(&roster, name)).collect::<Result<BTreeSet<_>, _>>()?;
        for person in &by {
            self.may(&roster, person, "erase", &Thing::Record, None, at)?;
        }
        let mut erasure = Erasure { at, by, positions: BTreeSet::new(), reason, texts: BTreeSet::new() };
        for one in what {
            self.gather(one, &mut erasure).await?;
        }
        let mut chance = self.chance.lock().await;
        Ok(self.record.erase(&erasure, &mut **chance).await?)
    }

    async fn gather(&self, what: &Erase, erasure: &mut Erasure) -> Result<(), Error> {
        let (stream, texts) = match what {
            Erase::Text(text) => {
                erasure.texts.insert(*text);
                return Ok(());
            }
            Erase::Case(id) => {
                let file = streams::case(&self.record, id).await?;
                if file.case.phase == Phase::Open || file.case.in_force(erasure.at).next().is_some() {
                    return Err(Error::Wrong(format!("case {id} is open or in force; erase it once it is over")));
                }
                (streams::case_stream(id), texts_of(&file)?)
            }
            Erase::Report(id) => {
                let (_, events) = streams::report(&self.record, id).await?;
                let text = serde_json::to_string(&events).map_err(|error| Error::Defect(error.to_string()))?;
                let texts: BTreeSet<Digest> = text.split('"').filter_map(|word| word.parse().ok()).collect();
                (streams::report_stream(id), texts)
            }
        };
        let events = self.record.stream(&stream, 0).await?;
        erasure.positions.extend(events.iter().filter(|event| event.content.is_some()).map(|event| event.position));
        for text in texts {
            if self.record.ciphertext(text).await?.is_some() {
                erasure.texts.insert(text);
            }
        }
        Ok(())
    }
}
