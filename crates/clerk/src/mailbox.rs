//! The mailbox of a report: what its reporter, who has nothing but seven words, can learn, and how they are answered.
//!
//! Under words that no report was made with there is an empty mailbox, of the same shape and after the same work: as many
//! questions to the record, and as many texts opened. It takes in nothing (that is `envelope`'s) and shows no page.

use std::collections::BTreeSet;

use review::report::{Deed, ReportEvent};
use review::words::{Digest, PersonId, ReportId, Text};
use store::{Random, Recipient, Record};

use crate::envelope::{Doing, Envelope, TEXT_BYTES_MAX, found_by};
use crate::error::Error;
use crate::receipt::Keys;
use crate::sealed::{Readers, SealError, Sealed, Sheet};
use crate::{intake, streams};

/// Texts that are opened whenever a mailbox is looked into. One with more answers takes longer, which tells something
/// only to who has its receipt.
const OPENED: usize = 4;

/// How far a report is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nothing is here under these words.
    Nothing,
    /// It came in, and is on disk.
    Received,
    /// The day is over and it stands in the record.
    Acknowledged,
    /// Somebody looked at it.
    LookedAt,
    /// Its reporter was told what came of it.
    Told,
}

/// What a letter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterKind {
    /// An officer wrote or asked.
    Written,
    /// It says what came of the report.
    Outcome,
    /// Tribune itself asks, after so many months, whether anybody made its reporter suffer for it.
    CheckIn(u8),
}

/// What was written to a reporter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The UTC day.
    pub day: String,
    /// What it is.
    pub kind: LetterKind,
    /// What it says; none if it was erased, or cannot be opened by this receipt, or is the question.
    pub text: Option<String>,
}

/// A mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// Of which report.
    pub report: ReportId,
    /// How far it is.
    pub stage: Stage,
    /// Whether its reporter asked others to look again, and nobody has.
    pub review_asked: bool,
    /// What its reporter sent that is not in the record yet.
    pub waiting: usize,
    /// Whom it is kept from, and so what is added to it.
    pub keep_from: BTreeSet<PersonId>,
    /// What was written to its reporter, oldest first.
    pub letters: Vec<Letter>,
}

/// Looks into the mailbox of a receipt. Its keys are made before, where hard work may be done.
///
/// # Errors
///
/// The record failed, or has an event of another version.
pub async fn mailbox(keys: &Keys, record: &Record) -> Result<Mailbox, Error> {
    let stream = streams::read(record, &streams::report_stream(&keys.report)).await?;
    let report = intake::folded(&stream);
    let waiting = waiting(record, &keys.report).await?;
    let first = waiting.iter().find_map(|envelope| match &envelope.doing {
        Doing::Receive { keep_from, .. } => Some(keep_from),
        _ => None,
    });
    let stage = match &report {
        None if first.is_none() => Stage::Nothing,
        None => Stage::Received,
        Some(report) if report.told.is_some() => Stage::Told,
        Some(report) if !report.triage.is_empty() => Stage::LookedAt,
        Some(report) if report.acknowledged.is_some() => Stage::Acknowledged,
        Some(_) => Stage::Received,
    };
    Ok(Mailbox {
        report: keys.report.clone(),
        stage,
        review_asked: report.as_ref().is_some_and(|report| report.review_asked),
        waiting: if stage == Stage::Nothing { 0 } else { waiting.len() },
        keep_from: report.map(|report| report.keep_from).or(first.cloned()).unwrap_or_default(),
        letters: letters(keys, record, &stream.events).await?.0,
    })
}

async fn waiting(record: &Record, report: &ReportId) -> Result<Vec<Envelope>, Error> {
    let messages = record.waiting_of(&found_by(report)).await?;
    let envelopes = messages.iter().filter_map(|message| Envelope::parse(&message.body).ok());
    Ok(envelopes.filter(|envelope| envelope.report == *report).collect())
}

/// The letters, and how many texts were opened for them or for nothing.
async fn letters(keys: &Keys, record: &Record, events: &[ReportEvent]) -> Result<(Vec<Letter>, usize), Error> {
    let blank = Sheet::of(&keys.report, b"").seal(&[keys.mailbox()], &mut |_| {});
    let blank = blank.map_err(|error| Error::Defect(error.to_string()))?;
    let mut letters = Vec::new();
    let mut opened = 0;
    for event in events {
        let (text, kind) = match &event.deed {
            Deed::Write { text } => (*text, LetterKind::Written),
            Deed::Tell { text } => (*text, LetterKind::Outcome),
            Deed::CheckIn { months } => {
                letters.push(Letter { day: event.at.day(), kind: LetterKind::CheckIn(*months), text: None });
                continue;
            }
            _ => continue,
        };
        let text = open(keys, record, text, &blank).await?;
        letters.push(Letter { day: event.at.day(), kind, text });
        opened += 1;
    }
    while opened < OPENED {
        open(keys, record, Digest::of(opened.to_be_bytes()), &blank).await?;
        opened += 1;
    }
    Ok((letters, opened))
}

/// Opens one text; where it is not there, a blank one, and says none.
async fn open(keys: &Keys, record: &Record, text: Text, blank: &Sealed) -> Result<Option<String>, Error> {
    let there = record.ciphertext(text).await?;
    let sheet = Sheet::open(there.as_ref().unwrap_or(&blank.ciphertext), &keys.opening, &keys.report);
    Ok(sheet.ok().filter(|_| there.is_some()).map(|sheet| sheet.text()))
}

/// Seals what an officer writes to a reporter: for the mailbox, whose key the report's first text names, and for those
/// who may read the report.
///
/// # Errors
///
/// There is nothing to seal, or it is too long.
pub fn answer(
    report: &ReportId,
    text: &str,
    mailbox: &Recipient,
    keep_from: &BTreeSet<PersonId>,
    readers: &Readers,
    random: Random<'_>,
) -> Result<Sealed, SealError> {
    let (bytes, max) = (text.len(), TEXT_BYTES_MAX);
    match bytes {
        _ if text.trim().is_empty() => return Err(SealError::Nothing),
        _ if bytes > max => return Err(SealError::Long { what: "the answer", bytes, max, mend: "say it shorter" }),
        _ => {}
    }
    let to: Vec<Recipient> = std::iter::once(mailbox.clone()).chain(readers.keys(keep_from)).collect();
    Sheet::of(report, text.as_bytes()).seal(&to, random)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receipt::Receipt;
    use review::words::{Actor, Moment};

    #[test]
    fn a_mailbox_that_is_not_there_is_as_much_work_as_one_that_is() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let record = Record::open(&format!("sqlite:{}", folder.path().join("record.db").display())).await.unwrap();
            let keys = Receipt::draw(&mut |bytes| bytes.fill(7)).keys().unwrap();
            let readers = Readers::default();
            let mut events = Vec::new();
            for number in 0..OPENED as u64 {
                let said = number.to_string();
                let sealed =
                    answer(&keys.report, &said, &keys.mailbox(), &BTreeSet::new(), &readers, &mut |_| {}).unwrap();
                record.keep_ciphertext(sealed.digest, &sealed.ciphertext).await.unwrap();
                events.push(ReportEvent {
                    report: keys.report.clone(),
                    number,
                    id: format!("c{number}").parse().unwrap(),
                    at: Moment(0),
                    by: Some(Actor::Person("ina".parse().unwrap())),
                    deed: Deed::Write { text: sealed.digest },
                });
            }
            for there in [0, 1, OPENED] {
                let (letters, opened) = letters(&keys, &record, &events[..there]).await.unwrap();
                assert_eq!((letters.len(), opened), (there, OPENED));
                let said: Vec<_> = letters.into_iter().map(|letter| letter.text.unwrap()).collect();
                assert!(said.iter().enumerate().all(|(number, said)| *said == number.to_string()));
            }
        });
    }
}
