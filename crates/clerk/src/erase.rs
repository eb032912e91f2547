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
use review::clocks::appeal_until;
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

    /// No text is erased that an open case names: it may be what somebody's case rests on.
    async fn needed(&self, text: Digest) -> Result<(), Error> {
        let open = self.cases().await?.into_iter().filter(|file| file.case.phase == Phase::Open);
        for file in open {
            if texts_of(&file)?.contains(&text) {
                return Err(Error::Wrong(format!("open case {} names it; erase it once that is over", file.case.id)));
            }
        }
        Ok(())
    }

    async fn gather(&self, what: &Erase, erasure: &mut Erasure) -> Result<(), Error> {
        let (stream, texts) = match what {
            Erase::Text(text) => {
                self.needed(*text).await?;
                erasure.texts.insert(*text);
                return Ok(());
            }
            Erase::Case(id) => {
                let file = streams::case(&self.record, id).await?;
                if file.case.phase == Phase::Open || file.case.in_force(erasure.at).next().is_some() {
                    return Err(Error::Wrong(format!("case {id} is open or in force; erase it once it is over")));
                }
                let served = file.case.decisions.values().filter_map(|decided| decided.notice.map(|notice| notice.at));
                let until = served.filter_map(|at| appeal_until(Some(at))).max();
                if let Some(until) = until.filter(|until| erasure.at <= *until) {
                    let mend = "erase it after that, for an appeal needs what it is about";
                    return Err(Error::Wrong(format!("case {id} can be appealed until {}; {mend}", until.day())));
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
