//! What the world reads, in the order of the public log: statements and what corrects them, the numbers of each year, and
//! what the log alone tells of each month.
//!
//! Everything on the shelf is in the public log, or is a text whose digest is: whoever has the two can put it together
//! again. It is kept in memory and only ever added to; a record that has grown is read from where it was read before.

use crate::desk::Clerk;
use crate::error::Error;
use crate::streams::{self, File, Public, PublicText};
use review::act::{Act, Event};
use review::dsa::{Known, Settings};
use review::metered::Compared;
use review::public::Entry;
use review::published::Published;
use review::words::{CaseId, DecisionId, Digest};
use std::collections::BTreeMap;
use store::{PUBLIC_LOG, Publication};

/// Events around a published text among which its case's is looked for: they are appended together.
const NEAR: u64 = 8;

/// A statement of reasons or a correction, as it was published.
#[derive(Clone, Debug)]
pub struct Shelved {
    /// Of the text.
    pub digest: Digest,
    /// What it says.
    pub text: String,
    /// The same, taken apart; none of what has another form, as a correction may.
    pub read: Option<Published>,
    /// The fields that the EU's database has for it, if it restricts something.
    pub known: Option<Known>,
    /// The UTC day, and the entry of the public log that names it; none before it is there.
    pub place: Option<(String, u64)>,
    /// What it corrects.
    pub corrects: Option<Digest>,
    /// What corrects it, oldest first.
    pub corrected_by: Vec<Digest>,
}

/// The numbers of a year, as they were published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Year {
    /// Of the table.
    pub digest: Digest,
    /// The table's rows: indicator and value.
    pub rows: Vec<(String, String)>,
    /// The entry of the public log that names it.
    pub place: Option<u64>,
}

/// What the public log tells of a month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Month {
    /// Decisions that enough people approved, but for those that lift.
    pub decisions: u64,
    /// Decisions that lift what another ordered.
    pub lifts: u64,
    /// Statements of reasons.
    pub statements: u64,
    /// Corrections.
    pub corrections: u64,
    /// Erasures.
    pub erasures: u64,
}

/// The shelf.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    /// Statements and corrections, in the order in which they were published.
    pub texts: Vec<Shelved>,
    /// By year.
    pub years: BTreeMap<i32, Year>,
    /// By month, `2026-03`.
    pub months: BTreeMap<String, Month>,
    /// By statement: what the days after its effect showed, and when that was counted last.
    pub effects: BTreeMap<Digest, (String, Compared)>,
    /// How many entries the public log has.
    pub entries: u64,
    /// Where each text stands.
    by_digest: BTreeMap<Digest, usize>,
    /// What of the log is known before its text is read.
    named: BTreeMap<Digest, (String, u64)>,
    wrong: BTreeMap<Digest, Digest>,
    counted: BTreeMap<Digest, u64>,
    read: Read,
}

/// How far it is read: events of the log's stream and of that of the texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Read {
    log: u64,
    texts: u64,
}

impl Shelf {
    /// A text by its digest.
    pub fn get(&self, digest: &Digest) -> Option<&Shelved> {
        self.by_digest.get(digest).and_then(|place| self.texts.get(*place))
    }

    fn erasures(&self) -> u64 {
        self.months.values().map(|month| month.erasures).sum()
    }

    /// Takes every text off the shelf; gives from where they are to be read anew.
    fn clear(&mut self) -> u64 {
        self.texts.clear();
        self.by_digest.clear();
        self.years.clear();
        self.read.texts = 0;
        0
    }

    fn enter(&mut self, text: &str) -> Result<(), Error> {
        let index = self.entries;
        self.entries += 1;
        let entry = serde_json::from_str(text).map_err(|error| Error::Defect(error.to_string()))?;
        let Some(day) = day(&entry) else {
            if let Entry::Counts { counts, .. } = entry {
                self.counted.insert(counts, index);
                self.years.values_mut().filter(|year| year.digest == counts).for_each(|year| year.place = Some(index));
            }
            return Ok(());
        };
        let month = self.months.entry(day.chars().take(7).collect()).or_default();
        match &entry {
            Entry::Decision { lifts: true, .. } => month.lifts += 1,
            Entry::Decision { .. } => month.decisions += 1,
            Entry::Statement { statement, .. } => {
                month.statements += 1;
                self.name(*statement, day, index, None);
            }
            Entry::Correction { statement, correction, .. } => {
                month.corrections += 1;
                self.name(*correction, day, index, Some(*statement));
            }
            Entry::Erasure { .. } => month.erasures += 1,
            Entry::Effect { statement, kinds, .. } => drop(self.effects.insert(*statement, (day, *kinds))),
            Entry::Batch { .. } | Entry::Counts { .. } => {}
        }
        Ok(())
    }

    fn name(&mut self, digest: Digest, day: String, index: u64, corrects: Option<Digest>) {
        if let Some(text) = self.by_digest.get(&digest).and_then(|place| self.texts.get_mut(*place)) {
            text.place = Some((day.clone(), index));
        }
        self.named.insert(digest, (day, index));
        if let Some(wrong) = corrects {
            self.wrong.insert(digest, wrong);
            self.link(digest, wrong);
        }
    }

    fn link(&mut self, correction: Digest, wrong: Digest) {
        if let Some(text) = self.by_digest.get(&correction).and_then(|place| self.texts.get_mut(*place)) {
            text.corrects = Some(wrong);
        }
        let text = self.by_digest.get(&wrong).and_then(|place| self.texts.get_mut(*place));
        if let Some(text) = text.filter(|text| !text.corrected_by.contains(&correction)) {
            text.corrected_by.push(correction);
        }
    }

    fn put(&mut self, text: PublicText, known: Option<Known>, corrects: Option<Digest>) {
        let PublicText { what, digest, text } = text;
        if let Public::Counts(year) = what {
            let place = self.counted.get(&digest).copied();
            self.years.insert(year, Year { digest, rows: rows(&text), place });
            return;
        }
        let place = self.named.get(&digest).cloned();
        let read = Published::read(&text);
        self.by_digest.insert(digest, self.texts.len());
        self.texts.push(Shelved { digest, text, read, known, place, corrects: None, corrected_by: Vec::new() });
        if let Some(wrong) = corrects.or_else(|| self.wrong.get(&digest).copied()) {
            self.link(digest, wrong);
        }
    }
}

fn day(entry: &Entry) -> Option<String> {
    match entry {
        Entry::Batch { day, .. }
        | Entry::Decision { day, .. }
        | Entry::Statement { day, .. }
        | Entry::Correction { day, .. }
        | Entry::Effect { day, .. }
        | Entry::Erasure { day, .. } => Some(day.clone()),
        Entry::Counts { .. } => None,
    }
}

/// The rows of a year's table: an indicator may be quoted, a value never is.
fn rows(csv: &str) -> Vec<(String, String)> {
    let row = |line: &str| {
        let (indicator, value) = line.rsplit_once(',')?;
        let quoted = indicator.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let indicator = quoted.map_or_else(|| indicator.to_owned(), |rest| rest.replace("\"\"", "\""));
        Some((indicator, value.to_owned()))
    };
    csv.lines().skip(1).filter_map(row).collect()
}

impl Clerk {
    /// A shelf with what was published since another was read; none if nothing was. What was erased meanwhile is on no
    /// shelf any more.
    ///
    /// # Errors
    /// The record failed, or an event is not what it must be.
    pub async fn shelve(&self, shelf: &Shelf, settings: &Settings<'_>) -> Result<Option<Shelf>, Error> {
        let log = self.record.stream(PUBLIC_LOG, shelf.read.log).await?;
        let texts = self.record.stream(streams::PUBLISHED, shelf.read.texts).await?;
        if log.is_empty() && texts.is_empty() {
            return Ok(None);
        }
        let erased = shelf.erasures();
        let mut shelf = shelf.clone();
        for event in log {
            if let Some(content) = &event.content {
                let publication: Publication = streams::parse(&content.body, event.position)?;
                publication.entries.iter().try_for_each(|entry| shelf.enter(entry))?;
            }
            shelf.read.log = event.number;
        }
        let again = shelf.erasures() > erased && !shelf.texts.is_empty();
        let texts = if again { self.record.stream(streams::PUBLISHED, shelf.clear()).await? } else { texts };
        for event in texts {
            if let Some(content) = &event.content {
                let text: PublicText = streams::parse(&content.body, event.position)?;
                let (known, corrects) = match text.what {
                    Public::Counts(_) => (None, None),
                    _ => self.source(&text.digest, event.position, settings).await?,
                };
                shelf.put(text, known, corrects);
            }
            shelf.read.texts = event.number;
        }
        Ok(Some(shelf))
    }

    /// Of what a published text is: what the EU's database says of it, or what it corrects. Nothing of one whose case was
    /// erased.
    async fn source(
        &self,
        digest: &Digest,
        position: u64,
        settings: &Settings<'_>,
    ) -> Result<(Option<Known>, Option<Digest>), Error> {
        let mut served: Option<(CaseId, DecisionId)> = None;
        for event in self.record.from(position.saturating_sub(NEAR), 2 * NEAR as u32).await? {
            let Some(content) = event.content.filter(|_| event.stream.starts_with(streams::CASES)) else { continue };
            let event: Event = streams::parse(&content.body, event.position)?;
            match event.command.act {
                Act::ServeNotice { decision, public, .. } if public == *digest => served = Some((event.case, decision)),
                Act::Correct { statement, correction } if correction == *digest => return Ok((None, Some(statement))),
                _ => {}
            }
        }
        let Some((case, decision)) = served else { return Ok((None, None)) };
        match streams::case(&self.record, &case).await {
            Ok(File { case, law, .. }) => {
                Ok((Known::of_decision(&case, &decision, &law.procedure, &law.title, settings), None))
            }
            Err(Error::Erased(_)) => Ok((None, None)),
            Err(error) => Err(error),
        }
    }
}
