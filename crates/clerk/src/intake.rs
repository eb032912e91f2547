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
use review::rules::{Refusal, Rule};
use review::words::{Actor, CommandId, Digest, FormError, Moment, ReportId};
use store::{Append, Draining, Message, New, Random, Record};

use crate::envelope::{Doing, Envelope, EnvelopeError};
use crate::error::Error;
use crate::streams::{self, Stream};

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

impl Why {
    /// Whether it can never become an event: it is no envelope, its report is not there or was erased, or it begins a
    /// report that has begun. What comes too early (others shall look again, and nobody has looked) waits.
    pub fn is_for_good(&self) -> bool {
        match self {
            Self::Envelope(_) | Self::NoReport(_) => true,
            Self::Refused { refusal, .. } => refusal.rule == Rule::Once,
        }
    }
}

/// A message that stays in the intake.
#[derive(Debug)]
pub struct KeptOut {
    /// Its key.
    pub key: [u8; 32],
    /// Of its bytes.
    pub digest: Digest,
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

/// A report as its stream tells it; none if there is none, or it was erased.
pub(crate) fn folded(stream: &Stream<ReportEvent>) -> Option<Report> {
    let (first, rest) = stream.events.split_first().filter(|_| stream.erased == 0)?;
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
pub async fn drain(record: &Record, end: Moment, random: Random<'_>) -> Result<Drained, Error> {
    let mut drained = Drained::default();
    let mut sent: BTreeMap<ReportId, Vec<Waiting>> = BTreeMap::new();
    for Message { key, body } in record.waiting(random).await? {
        let digest = Digest::of(&body);
        match Envelope::parse(&body) {
            Ok(envelope) => sent.entry(envelope.report.clone()).or_default().push(Waiting { key, digest, envelope }),
            Err(error) => drained.kept_out.push(KeptOut { key, digest, why: error.into() }),
        }
    }
    for (id, mut envelopes) in sent {
        envelopes.sort_by_key(|waiting| (!waiting.envelope.begins(), waiting.envelope.text, waiting.key));
        let there = streams::read(record, &streams::report_stream(&id)).await?;
        let report = folded(&there);
        Page { id, length: there.length, report, end, events: Vec::new() }.fill(envelopes, &mut drained)?;
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
        let parts = self.parts.iter().map(|part| part.digest).filter(|part| *part != text).collect();
        match &self.doing {
            Doing::Receive { channel, keep_from } => {
                Deed::Receive { channel: *channel, text, parts, keep_from: keep_from.clone() }
            }
            Doing::Add => Deed::Add { text, parts },
            Doing::AskReview => Deed::AskReview { text, parts },
        }
    }
}

/// A message that waits, opened as far as it can be without a key.
struct Waiting {
    key: [u8; 32],
    digest: Digest,
    envelope: Envelope,
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
    fn fill(mut self, envelopes: Vec<Waiting>, drained: &mut Drained) -> Result<(), Error> {
        for Waiting { key, digest, envelope } in envelopes {
            match self.take(&key, &envelope)? {
                Ok(new) => {
                    drained.draining.keys.insert(key);
                    let texts = envelope.parts.into_iter().filter(|_| new);
                    drained.draining.texts.extend(texts.map(|part| (part.digest, part.ciphertext)));
                }
                Err(why) => drained.kept_out.push(KeptOut { key, digest, why }),
            }
        }
        let new = |event: &ReportEvent| Ok(New { at: event.at, body: serde_json::to_vec(event)? });
        let events = self.events.iter().map(new).collect::<Result<Vec<_>, serde_json::Error>>();
        let events = events.map_err(|error| Error::Defect(error.to_string()))?;
        if !events.is_empty() {
            let stream = streams::report_stream(&self.id);
            drained.draining.appends.push(Append { stream, expected: self.length, events });
        }
        Ok(())
    }

    /// Says whether there is anything new in it, or why it stays.
    fn take(&mut self, key: &[u8; 32], envelope: &Envelope) -> Result<Result<bool, Why>, Error> {
        let id = command(key, "")?;
        let refused = |refusal| Why::Refused { report: envelope.report.clone(), refusal };
        let Some(report) = &mut self.report else {
            if !envelope.begins() || self.length > 0 {
                return Ok(Err(Why::NoReport(self.id.clone())));
            }
            self.begin(id, command(key, "acknowledge")?, envelope);
            return Ok(Ok(true));
        };
        Ok(match report.admit(id, self.end, None, envelope.deed()) {
            Ok(Some(event)) => {
                report.apply(&event);
                self.events.push(event);
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(refusal) => Err(refused(refusal)),
        })
    }

    /// The first two events of a report: it came, and it is acknowledged.
    fn begin(&mut self, id: CommandId, next: CommandId, envelope: &Envelope) {
        let (report, at) = (self.id.clone(), self.end);
        let received = ReportEvent { report: report.clone(), number: 1, id, at, by: None, deed: envelope.deed() };
        let (by, deed) = (Some(Actor::System), Deed::Acknowledge);
        let acknowledged = ReportEvent { report, number: 2, id: next, at, by, deed };
        self.report = Report::received_by(&received).map(|mut report| {
            report.apply(&acknowledged);
            report
        });
        self.events.extend([received, acknowledged]);
    }
}

/// The name of what a message does: of its key, so that the same message does it once, and not the key itself.
fn command(key: &[u8; 32], what: &str) -> Result<CommandId, FormError> {
    Digest::of([key, what.as_bytes()].concat()).to_string().parse()
}
