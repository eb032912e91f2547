//! Reports, from what somebody sends to what an officer reads and answers. What is sealed and how is `sealed`'s and
//! `envelope`'s; what may happen to a report is [`review::report`]'s.

use crate::desk::{Clerk, Done, Sender, Sent, TRIES, person};
use crate::envelope::{Envelope, Purpose, Sending, found_by};
use crate::error::Error;
use crate::intake::{self, KeptOut};
use crate::mailbox::{self, Mailbox};
use crate::receipt::{Keys, Receipt};
use crate::sealed::{Readers, SealError, Sheet, SheetError};
use crate::streams::{self, Discarded, Look};
use crate::{Papers, shown};
use access::Thing;
use review::public::{Entry, commitment};
use review::report::{Channel, Deed, ReportEvent};
use review::words::{Digest, Moment, PersonId, ReportId, Text};
use std::collections::BTreeSet;
use store::{Draining, Identity, PUBLIC_LOG, PublicLog, Publication, RecordError, Refused};
use tlog::Proof;

/// What somebody reports.
#[derive(Clone, Copy, Debug)]
pub struct Reporting<'a> {
    /// How.
    pub channel: Channel,
    /// Who they are, if they give a name: two custodians keep it.
    pub who: Option<&'a str>,
    /// People or teams who must not see it.
    pub keep_from: &'a BTreeSet<PersonId>,
    /// In their words, with files.
    pub sending: Sending<'a>,
}

/// How many bytes wait in the intake, at most, until the day's drain: each that comes has all of it written anew. What is no
/// longer than a text has room of its own, so that nobody's files keep another's words out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntakeRoom {
    /// For what comes with files.
    pub files: u64,
    /// For texts, over and above.
    pub texts: u64,
}

impl Default for IntakeRoom {
    fn default() -> Self {
        Self { files: 512 << 20, texts: 128 << 20 }
    }
}

/// The most that an encrypted text takes.
const TEXT_BYTES_MAX: usize = 512 << 10;

/// A sheet of a report, opened.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The event that names it.
    pub event: ReportEvent,
    /// What it says; none if it is erased, or not for this key.
    pub sheet: Option<Sheet>,
}

impl From<SealError> for Error {
    fn from(error: SealError) -> Self {
        Self::Wrong(error.to_string())
    }
}

impl From<SheetError> for Error {
    fn from(error: SheetError) -> Self {
        Self::Wrong(error.to_string())
    }
}

impl Clerk {
    /// Takes a report in: it is on disk, encrypted, when its receipt is given. The receipt is kept by nobody.
    ///
    /// # Errors
    /// There is nothing to keep, nobody could read it, or the record failed.
    pub async fn receive(&self, papers: &Papers, reporting: Reporting<'_>, at: Moment) -> Result<Receipt, Error> {
        let receipt = Receipt::draw(&mut **self.chance.lock().await);
        let keys = receipt.keys().map_err(|error| Error::Wrong(error.to_string()))?;
        let Reporting { channel, who, keep_from, sending } = reporting;
        let purpose = Purpose::Receive { channel, mailbox: keys.mailbox(), who };
        let envelope = self.seal(papers, &keys.report, purpose, keep_from, sending, at).await?;
        self.take_in(&envelope, Half::Drawn).await?;
        Ok(receipt)
    }

    /// Takes a report in under a receipt that follows from what was sent, once: sent again, on whatever day and to
    /// whichever server, it is there already, and nothing is added. Says whether it is new. Nothing is kept for this
    /// but the report itself.
    ///
    /// # Errors
    /// As [`Self::receive`].
    pub async fn receive_once(
        &self,
        papers: &Papers,
        receipt: &Receipt,
        reporting: Reporting<'_>,
        at: Moment,
    ) -> Result<bool, Error> {
        let keys = receipt.keys().map_err(|error| Error::Wrong(error.to_string()))?;
        let report = &keys.report;
        if self.is_there(report).await? {
            return Ok(false);
        }
        let Reporting { channel, who, keep_from, sending } = reporting;
        let purpose = Purpose::Receive { channel, mailbox: keys.mailbox(), who };
        let envelope = self.seal(papers, report, purpose, keep_from, sending, at).await?;
        match self.take_in(&envelope, Half::Same).await {
            Ok(()) => Ok(true),
            // Another server may have taken it in meanwhile: a message with this key can be nothing else.
            Err(error) => {
                if self.is_there(report).await? {
                    Ok(false)
                } else {
                    Err(error)
                }
            }
        }
    }

    /// Whether a report waits, or is in the record, or was.
    async fn is_there(&self, report: &ReportId) -> Result<bool, Error> {
        let waits = !self.record.waiting_of(&found_by(report)).await?.is_empty();
        Ok(waits || streams::read::<ReportEvent>(&self.record, &streams::report_stream(report)).await?.length > 0)
    }

    /// Takes in what a reporter adds, or that they ask others to look again. Where there is no such report it stays in
    /// the intake, so that nobody learns whether there is one.
    ///
    /// # Errors
    /// As [`Self::receive`].
    pub async fn receive_more(
        &self,
        papers: &Papers,
        keys: &Keys,
        purpose: Purpose<'_>,
        sending: Sending<'_>,
        at: Moment,
    ) -> Result<(), Error> {
        let keep_from = mailbox::mailbox(keys, &self.record).await?.keep_from;
        let envelope = self.seal(papers, &keys.report, purpose, &keep_from, sending, at).await?;
        self.take_in(&envelope, Half::Drawn).await
    }

    /// Seals what somebody sends.
    async fn seal(
        &self,
        papers: &Papers,
        report: &ReportId,
        purpose: Purpose<'_>,
        keep_from: &BTreeSet<PersonId>,
        sending: Sending<'_>,
        at: Moment,
    ) -> Result<Envelope, Error> {
        let readers = Readers::of(&self.roster().await?, &papers.recovery, at)?;
        let mut chance = self.chance.lock().await;
        Ok(Envelope::seal(report, purpose, keep_from, sending, &readers, &mut **chance)?)
    }

    /// Puts it into the intake.
    async fn take_in(&self, envelope: &Envelope, half: Half) -> Result<(), Error> {
        let mut same = |bytes: &mut [u8]| {
            let digest = Digest::of(format!("tribune intake of report 1, once\n{}", envelope.report)).0;
            bytes.iter_mut().zip(digest).for_each(|(byte, digest)| *byte = digest);
        };
        let mut chance = self.chance.lock().await;
        let message = envelope.message(match half {
            Half::Drawn => &mut **chance,
            Half::Same => &mut same,
        })?;
        let bytes = message.body.len();
        let texts = if bytes > TEXT_BYTES_MAX { 0 } else { self.room.texts };
        if self.record.waiting_bytes().await? + bytes as u64 > self.room.files + texts {
            return Err(Error::Crowded);
        }
        Ok(self.record.take_in(&[message]).await?)
    }

    /// What a receipt lets its reporter learn.
    ///
    /// # Errors
    /// The record failed.
    pub async fn mailbox(&self, keys: &Keys) -> Result<Mailbox, Error> {
        mailbox::mailbox(keys, &self.record).await
    }

    /// Turns what waits into events of the day that ended last; once a day, or when something came could be told from
    /// between which two drainings it lies. Gives how many messages went, and those that stay.
    ///
    /// # Errors
    /// The record failed; everything is as it was then.
    pub async fn drain(&self, at: Moment) -> Result<(usize, Vec<KeptOut>), Error> {
        if self.last_batch().await?.is_some_and(|day| day >= at.day()) {
            return Ok((0, Vec::new()));
        }
        let midnight = midnight(at);
        let mut chance = self.chance.lock().await;
        let drained = intake::drain(&self.record, midnight, &mut **chance).await?;
        if !drained.draining.keys.is_empty() {
            self.record.drain(&drained.draining, &mut **chance).await?;
        }
        drop(chance);
        self.check_in(midnight).await?;
        Ok((drained.draining.keys.len(), drained.kept_out))
    }

    /// Asks those who work here, and reported, whether anybody made them suffer for it, where it is time. The question
    /// is dated by the day, as all is that comes to or from a reporter.
    async fn check_in(&self, midnight: Moment) -> Result<(), Error> {
        for (report, months) in self.check_ins_due(midnight).await? {
            let id = format!("check-in-{months}").parse()?;
            let sent = Sent { id, at: midnight, by: Sender::System };
            self.handle_report(&sent, &report, Deed::CheckIn { months }).await?;
        }
        Ok(())
    }

    /// Takes out of the intake what can never become an event, on the word of two who decide; an event says how many
    /// messages went and what they were, by their digest, and nothing of them stays.
    ///
    /// # Errors
    /// They may not, or there is no such message; nothing goes then.
    pub async fn discard(&self, by: &BTreeSet<String>, reason: Text, at: Moment) -> Result<Discarded, Error> {
        let roster = self.roster().await?;
        let by = by.iter().map(|name| person(&roster, name)).collect::<Result<BTreeSet<_>, _>>()?;
        for person in &by {
            self.may(&roster, person, "discard", &Thing::Record, None, at)?;
        }
        if by.len() != 2 {
            return Err(Error::Wrong("two people who decide discard what waits: name both".to_owned()));
        }
        // What comes from the intake is dated by the day.
        let midnight = midnight(at);
        for _ in 0..TRIES {
            let mut chance = self.chance.lock().await;
            let kept_out = intake::drain(&self.record, midnight, &mut **chance).await?.kept_out;
            let gone: Vec<&KeptOut> = kept_out.iter().filter(|kept| kept.why.is_for_good()).collect();
            if gone.is_empty() {
                return Err(Error::Wrong("nothing waits in the intake that can never become an event".to_owned()));
            }
            let digest = Digest::of(gone.iter().flat_map(|kept| kept.digest.0).collect::<Vec<u8>>());
            let (count, by) = (gone.len() as u64, by.clone());
            let discarded = Discarded { at: midnight, by, count, digest, reason };
            let length = streams::read::<Discarded>(&self.record, streams::DISCARDED).await?.length;
            let append = streams::append(streams::DISCARDED, length, midnight, &discarded)?;
            let keys = gone.iter().map(|kept| kept.key).collect();
            let draining = Draining { keys, appends: vec![append], ..Draining::default() };
            match self.record.drain(&draining, &mut **chance).await {
                Ok(_) => return Ok(discarded),
                Err(RecordError::Refused(Refused::Stale { .. })) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Busy)
    }

    /// What is written in a report, opened with an officer's identity, for a purpose that is in the record first.
    ///
    /// # Errors
    /// They may not, there is none, or the record failed.
    pub async fn read_report(
        &self,
        who: &str,
        report: &ReportId,
        identity: &Identity,
        purpose: &str,
        at: Moment,
    ) -> Result<Vec<Opened>, Error> {
        let (_, events) = self.look_at_report(who, report, purpose, at).await?;
        let mut opened = Vec::new();
        for event in events {
            let sealed = match text_of(&event.deed) {
                Some(text) => self.record.ciphertext(text).await?,
                None => None,
            };
            let sheet = sealed.and_then(|sealed| Sheet::open(&sealed, identity, report).ok());
            opened.push(Opened { event, sheet });
        }
        Ok(opened)
    }

    /// A file that came with a report, opened with an officer's identity. It is named by a sheet that the same identity
    /// opens, and that somebody takes it out is in the record first, beside their look at the report.
    ///
    /// # Errors
    /// They may not, no sheet that they can open names it, or it is erased.
    pub async fn read_report_file(
        &self,
        who: &str,
        report: &ReportId,
        file: Text,
        identity: &Identity,
        purpose: &str,
        at: Moment,
    ) -> Result<Sheet, Error> {
        let opened = self.read_report(who, report, identity, purpose, at).await?;
        if !opened.iter().filter_map(|one| one.sheet.as_ref()).any(|sheet| sheet.files.contains(&file)) {
            return Err(Error::Unknown(format!("file {file} of report {report}")));
        }
        let (by, what) = (self.person(who).await?, format!("file {file} of report {report}"));
        self.note_look(Look { at, by, what: what.clone(), purpose: purpose.to_owned() }).await?;
        let sealed = self.record.ciphertext(file).await?.ok_or_else(|| Error::Erased(what))?;
        Ok(Sheet::open(&sealed, identity, report)?)
    }

    /// Encrypts what is written in a report, with its files, anew to those who read it now: after an officer came or left.
    /// Who reported still opens what was answered; the two locks on their name stay as they are. Gives how many texts
    /// were, and how many this identity does not open.
    ///
    /// # Errors
    /// They may not, nobody could read it any more, or the record failed.
    pub async fn rewrap_report(
        &self,
        papers: &Papers,
        who: &str,
        report: &ReportId,
        identity: &Identity,
        at: Moment,
    ) -> Result<(usize, usize), Error> {
        let purpose = "encrypting what is written in it anew to those who may read it now";
        let opened = self.read_report(who, report, identity, purpose, at).await?;
        let (state, _) = streams::report(&self.record, report).await?;
        let officers = Readers::of(&self.roster().await?, &papers.recovery, at)?.keys(&state.keep_from);
        if officers.is_empty() {
            return Err(Error::Wrong(
                "nobody could read it any more; give somebody the role and a key first".to_owned(),
            ));
        }
        let mailbox = opened.iter().find_map(|one| one.sheet.as_ref()?.mailbox.clone());
        let (mut done, mut shut) = (0, 0);
        for Opened { event, sheet } in &opened {
            let Some(text) = text_of(&event.deed) else { continue };
            let answers = matches!(event.deed, Deed::Write { .. } | Deed::Tell { .. });
            // Without the first text nobody knows the mailbox, and whom it was written to would read it no more.
            let Some(sheet) = sheet.as_ref().filter(|_| !answers || mailbox.is_some()) else {
                shut += usize::from(self.record.ciphertext(text).await?.is_some());
                continue;
            };
            let to: Vec<_> = officers.iter().chain(mailbox.as_ref().filter(|_| answers)).cloned().collect();
            let texts: Vec<Text> = [text].iter().chain(&sheet.files).copied().collect();
            self.record.rewrap(&texts, identity, &to).await?;
            done += texts.len();
        }
        Ok((done, shut))
    }

    /// Writes to a reporter; with `outcome`, what came of the report. The officer's identity opens the first text, which
    /// names the mailbox.
    ///
    /// # Errors
    /// They may not, or their identity does not open it.
    pub async fn answer_report(
        &self,
        papers: &Papers,
        sent: &Sent,
        report: &ReportId,
        identity: &Identity,
        text: &str,
        outcome: bool,
    ) -> Result<Done, Error> {
        let (state, events) = streams::report(&self.record, report).await?;
        let first = events.first().and_then(|event| match &event.deed {
            Deed::Receive { text, .. } => Some(*text),
            _ => None,
        });
        let first = first.ok_or_else(|| Error::Unknown(format!("report {report}")))?;
        let sealed = self.record.ciphertext(first).await?;
        let sealed = sealed.ok_or_else(|| Error::Erased(format!("the text of report {report}")))?;
        let mailbox = Sheet::open(&sealed, identity, report)?.mailbox;
        let mailbox = mailbox.ok_or_else(|| Error::Wrong("the report has no mailbox to answer to".to_owned()))?;
        let readers = Readers::of(&self.roster().await?, &papers.recovery, sent.at)?;
        let answer = {
            let mut chance = self.chance.lock().await;
            mailbox::answer(report, text, &mailbox, &state.keep_from, &readers, &mut **chance)?
        };
        self.record.keep_ciphertext(answer.digest, &answer.ciphertext).await?;
        let text = answer.digest;
        let deed = if outcome { Deed::Tell { text } } else { Deed::Write { text } };
        self.handle_report(sent, report, deed).await
    }

    /// Opens one of the two locks on a reporter's identity. The outer one gives what only the inner one opens; each
    /// opening is an event before anything is given.
    ///
    /// # Errors
    /// They may not, or their key is not that lock's.
    pub async fn open_identity(
        &self,
        who: &str,
        report: &ReportId,
        lock: Lock<'_>,
        identity: &Identity,
        purpose: &str,
        at: Moment,
    ) -> Result<Vec<u8>, Error> {
        let roster = self.roster().await?;
        let by = person(&roster, who)?;
        let (action, what) = match lock {
            Lock::Outer(_) => ("open_outer_identity", "the outer lock on who made report"),
            Lock::Inner(_) => ("open_inner_identity", "the inner lock on who made report"),
        };
        self.may(&roster, &by, action, &Thing::Report(report.clone()), None, at)?;
        self.note_look(Look { at, by, what: format!("{what} {report}"), purpose: purpose.to_owned() }).await?;
        let sealed = match lock {
            Lock::Outer(text) => {
                let there = self.record.ciphertext(text).await?;
                there.ok_or_else(|| Error::Unknown(format!("text {text}")))?
            }
            Lock::Inner(sealed) => sealed.to_vec(),
        };
        Ok(Sheet::open(&sealed, identity, report)?.body)
    }

    /// A proof, for anybody, that a report is in the public log; none before its day's batch is published.
    ///
    /// # Errors
    /// The record or the log failed.
    pub async fn prove_report(&self, log: &PublicLog, report: &ReportId) -> Result<Option<Proof>, Error> {
        let failed = |error: &dyn std::fmt::Display| Error::Log(error.to_string());
        let Some(opening) = shown::opening(&self.record, report).await? else { return Ok(None) };
        let committed = commitment(&opening.salt, &opening.body);
        for publication in streams::read::<Publication>(&self.record, PUBLIC_LOG).await?.events {
            for text in &publication.entries {
                let Ok(Entry::Batch { commitments, .. }) = serde_json::from_str(text) else { continue };
                if let Some(index) = log.find(text.as_bytes()).filter(|_| commitments.contains(&committed)) {
                    let Proof { hashes, checkpoint, .. } =
                        log.prove(index, Vec::new()).await.map_err(|error| failed(&error))?;
                    let proof = shown::prove(&opening, text.as_bytes(), index, hashes, checkpoint);
                    return proof.map(Some).map_err(|error| failed(&error));
                }
            }
        }
        Ok(None)
    }
}

/// The sealed text of what was done, where it has one.
const fn text_of(deed: &Deed) -> Option<Text> {
    match deed {
        Deed::Receive { text, .. }
        | Deed::Add { text, .. }
        | Deed::Write { text }
        | Deed::Tell { text }
        | Deed::AskReview { text, .. } => Some(*text),
        Deed::Acknowledge | Deed::Trace { .. } | Deed::Triage(_) | Deed::CheckIn { .. } => None,
    }
}

/// The half of a message's key that does not tell of which report it is.
#[derive(Clone, Copy)]
enum Half {
    /// By chance: any number of messages.
    Drawn,
    /// It follows from the report's name: one message.
    Same,
}

/// The beginning of a day, in UTC.
fn midnight(at: Moment) -> Moment {
    Moment(at.0 - at.0.rem_euclid(86_400))
}

/// One of the two locks on an identity, with what it is opened from.
#[derive(Clone, Copy, Debug)]
pub enum Lock<'a> {
    /// Custodian B's, by the digest that the report's first text names.
    Outer(Text),
    /// Custodian A's, on what the outer one gave.
    Inner(&'a [u8]),
}
