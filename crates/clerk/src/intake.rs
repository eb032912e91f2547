//! The intake drained: once a day, what reporters sent becomes events of their reports.
//!
//! What comes out says the day and nothing finer. Reports come in the order of their names, which are drawn by chance
//! like any digest, and of several things for one report the beginning is first and the others follow by their digests,
//! which have chance in them too: no order tells who came when. Nothing is opened here, and no key is at hand.
//!
//! A report is acknowledged by Tribune itself, the same day: its receipt was shown when it was sent, and that is the
//! acknowledgement; an event that waited for an officer would only make it look late.

use std::collections::BTreeMap;

use review::report::{Deed, Report, ReportEvent};
use review::rules::Refusal;
use review::words::{Actor, CommandId, Digest, FormError, Moment, ReportId};
use store::{Append, Draining, Event, New, Random, Record, RecordError};

use crate::envelope::{Doing, Envelope, EnvelopeError};

/// What the streams of reports begin with.
pub const REPORTS: &str = "report/";

/// The stream of a report.
pub fn stream(report: &ReportId) -> String {
    format!("{REPORTS}{report}")
}

/// Why the intake or a report cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The record refused or failed.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// An event of a report is none.
    #[error("event {number} of `{stream}` is none of a report ({source}): use the version that wrote it")]
    Event {
        /// Of which.
        stream: String,
        /// Which.
        number: u64,
        /// Why.
        source: serde_json::Error,
    },
    /// An event cannot be written.
    #[error("an event cannot be written: {0}")]
    Write(#[from] serde_json::Error),
    /// A name cannot be made.
    #[error(transparent)]
    Form(#[from] FormError),
}

/// Why a message stays where it is.
#[derive(Debug, thiserror::Error)]
pub enum Why {
    /// It is no envelope.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// There is no such report.
    #[error("there is no report {0}, or it was erased: nobody who has a receipt can have sent this")]
    NoReport(ReportId),
    /// A rule is against it.
    #[error("{report}: {refusal}")]
    Refused {
        /// Of which report.
        report: ReportId,
        /// Which rule, and what to do.
        refusal: Refusal,
    },
}

/// A message that stays in the intake.
#[derive(Debug)]
pub struct KeptOut {
    /// Its key.
    pub key: [u8; 32],
    /// Why.
    pub why: Why,
}

/// A day of the intake.
#[derive(Debug, Default)]
pub struct Drained {
    /// What [`Record::drain`] takes.
    pub draining: Draining,
    /// What stays, by key: it is looked at again the next day, and somebody should.
    pub kept_out: Vec<KeptOut>,
}

/// A report, folded from its events; none if there is none. What was erased of it is passed over.
///
/// # Errors
///
/// The record failed, or an event is of another version.
pub async fn report(record: &Record, report: &ReportId) -> Result<Option<Report>, IntakeError> {
    Ok(folded(&events(&record.stream(&stream(report), 0).await?)?))
}

/// The events that are still to be read.
pub(crate) fn events(events: &[Event]) -> Result<Vec<ReportEvent>, IntakeError> {
    let parse = |event: &Event| {
        let body = &event.content.as_ref()?.body;
        let failed = |source| IntakeError::Event { stream: event.stream.clone(), number: event.number, source };
        Some(serde_json::from_slice(body).map_err(failed))
    };
    events.iter().filter_map(parse).collect()
}

pub(crate) fn folded(events: &[ReportEvent]) -> Option<Report> {
    let (first, rest) = events.split_first()?;
    let mut report = Report::received_by(first)?;
    rest.iter().for_each(|event| report.apply(event));
    Some(report)
}

/// What the messages that wait become at the end of a day, which is a midnight in UTC. Nothing is written: that is
/// [`Record::drain`]'s, in one transaction. A message that was drained before, and came again, goes and adds nothing.
///
/// # Errors
///
/// The record failed, or an event is of another version.
pub async fn drain(record: &Record, end: Moment, random: Random<'_>) -> Result<Drained, IntakeError> {
    let mut drained = Drained::default();
    let mut sent: BTreeMap<ReportId, Vec<([u8; 32], Envelope)>> = BTreeMap::new();
    for message in record.waiting(random).await? {
        match Envelope::parse(&message.body) {
            Ok(envelope) => sent.entry(envelope.report.clone()).or_default().push((message.key, envelope)),
            Err(error) => drained.kept_out.push(KeptOut { key: message.key, why: error.into() }),
        }
    }
    for (id, mut envelopes) in sent {
        envelopes.sort_by_key(|(key, envelope)| (!envelope.begins(), envelope.text, *key));
        let there = record.stream(&stream(&id), 0).await?;
        let length = there.last().map_or(0, |event| event.number);
        let report = folded(&events(&there)?);
        Page { id, length, report, end, events: Vec::new() }.fill(envelopes, &mut drained)?;
    }
    drained.kept_out.sort_by_key(|kept| kept.key);
    Ok(drained)
}

impl Envelope {
    fn begins(&self) -> bool {
        matches!(self.doing, Doing::Receive { .. })
    }

    fn deed(&self) -> Deed {
        let text = self.text;
        match &self.doing {
            Doing::Receive { channel, keep_from } => {
                Deed::Receive { channel: *channel, text, keep_from: keep_from.clone() }
            }
            Doing::Add => Deed::Add { text },
            Doing::AskReview => Deed::AskReview { text },
        }
    }
}

/// What a day brings to one report.
struct Page {
    id: ReportId,
    /// How many events its stream has.
    length: u64,
    report: Option<Report>,
    end: Moment,
    events: Vec<ReportEvent>,
}

impl Page {
    fn fill(mut self, envelopes: Vec<([u8; 32], Envelope)>, drained: &mut Drained) -> Result<(), IntakeError> {
        for (key, envelope) in envelopes {
            match self.take(&key, &envelope)? {
                Ok(new) => {
                    drained.draining.keys.insert(key);
                    let texts = envelope.parts.into_iter().filter(|_| new);
                    drained.draining.texts.extend(texts.map(|part| (part.digest, part.ciphertext)));
                }
                Err(why) => drained.kept_out.push(KeptOut { key, why }),
            }
        }
        let new = |event: &ReportEvent| Ok(New { at: event.at, body: serde_json::to_vec(event)? });
        let events = self.events.iter().map(new).collect::<Result<Vec<_>, IntakeError>>()?;
        if !events.is_empty() {
            drained.draining.appends.push(Append { stream: stream(&self.id), expected: self.length, events });
        }
        Ok(())
    }

    /// Says whether there is anything new in it, or why it stays.
    fn take(&mut self, key: &[u8; 32], envelope: &Envelope) -> Result<Result<bool, Why>, IntakeError> {
        let id = command(key, "")?;
        let refused = |refusal| Why::Refused { report: envelope.report.clone(), refusal };
        let Some(report) = &mut self.report else {
            if !envelope.begins() || self.length > 0 {
                return Ok(Err(Why::NoReport(self.id.clone())));
            }
            return self.begin(id, command(key, "acknowledge")?, envelope).map(Ok);
        };
        Ok(match report.admit(id, self.end, None, envelope.deed()) {
            Ok(Some(event)) => {
                let event = ReportEvent { number: self.length + self.events.len() as u64 + 1, ..event };
                report.apply(&event);
                self.events.push(event);
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(refusal) => Err(refused(refusal)),
        })
    }

    /// The first two events of a report: it came, and it is acknowledged.
    fn begin(&mut self, id: CommandId, next: CommandId, envelope: &Envelope) -> Result<bool, IntakeError> {
        let (report, at) = (self.id.clone(), self.end);
        let received = ReportEvent { report: report.clone(), number: 1, id, at, by: None, deed: envelope.deed() };
        let (by, deed) = (Some(Actor::System), Deed::Acknowledge);
        let acknowledged = ReportEvent { report, number: 2, id: next, at, by, deed };
        self.events.extend([received, acknowledged]);
        self.report = folded(&self.events);
        Ok(true)
    }
}

/// The name of what a message does: of its key, so that the same message does it once, and not the key itself.
fn command(key: &[u8; 32], what: &str) -> Result<CommandId, FormError> {
    Digest::of([key, what.as_bytes()].concat()).to_string().parse()
}
