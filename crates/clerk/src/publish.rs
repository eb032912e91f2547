//! What of the record becomes public, and when: decisions, statements, corrections and a year's numbers at once, the
//! commitment of every other event once a day, in batches of one size. And the numbers of a year.
//!
//! It derives; it keeps and signs no log. The same record gives the same entries, but for what fills a batch up.

use crate::desk::{Chance, Clerk, Done, Sent, TRIES};
use crate::error::Error;
use crate::streams::{self, Public, PublicText};
use review::act::{Act, Event};
use review::case::Case;
use review::counts::Counts;
use review::harmonised::{Given, Part, harmonised};
use review::procedure::Procedure;
use review::public::{Entry, Salt, at_once, batches};
use review::report::ReportEvent;
use review::words::{CaseId, DecisionId, Digest, Moment};
use std::collections::{BTreeMap, BTreeSet};
use store::{Append, ERASURES, LogError, PUBLIC_LOG, PublicLog, Publication, Record, RecordError, Refused};

/// Events read at a time.
const PAGE: u32 = 1_000;

/// What is due for the public log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The entries, in their order.
    pub entries: Vec<Entry>,
    /// Every event before this position was looked at.
    pub seen: u64,
    /// The commitment of every event before this position is in a batch.
    pub batched: u64,
}

impl Clerk {
    /// Serves a statement of reasons; its public form is published with it.
    ///
    /// # Errors
    /// What is against it.
    pub async fn serve(
        &self,
        sent: &Sent,
        case: &CaseId,
        decision: DecisionId,
        statement: Digest,
        public: &str,
    ) -> Result<Done, Error> {
        let public = PublicText::new(Public::Statement, public);
        let act = Act::ServeNotice { decision, statement, public: public.digest };
        self.enact_with(sent, case, act, &[public]).await
    }

    /// Corrects what was published.
    ///
    /// # Errors
    /// What is against it.
    pub async fn correct(
        &self,
        sent: &Sent,
        case: &CaseId,
        statement: Digest,
        correction: &str,
    ) -> Result<Done, Error> {
        let public = PublicText::new(Public::Correction, correction);
        let act = Act::Correct { statement, correction: public.digest };
        self.enact_with(sent, case, act, &[public]).await
    }

    /// What the world reads, in the order in which it was published.
    ///
    /// # Errors
    /// The record failed.
    pub async fn public_texts(&self) -> Result<Vec<PublicText>, Error> {
        Ok(streams::read(&self.record, streams::PUBLISHED).await?.events)
    }

    /// Texts that are not published yet, as they are appended.
    pub(crate) async fn published(&self, at: Moment, texts: &[PublicText]) -> Result<Option<Append>, Error> {
        if texts.is_empty() {
            return Ok(None);
        }
        let stream = streams::read::<PublicText>(&self.record, streams::PUBLISHED).await?;
        let mut append = Append { stream: streams::PUBLISHED.to_owned(), expected: stream.length, events: Vec::new() };
        for text in texts.iter().filter(|text| !stream.events.contains(text)) {
            append.events.extend(streams::append(streams::PUBLISHED, stream.length, at, text)?.events);
        }
        Ok(Some(append).filter(|append| !append.events.is_empty()))
    }

    /// The numbers of a year, recomputed from every event.
    ///
    /// # Errors
    /// The record failed, or an event is not there.
    pub async fn counts(&self, year: i64) -> Result<Counts, Error> {
        let (cases, reports, procedures) = self.counted().await?;
        Counts::of(year, &cases, &reports, &procedures).map_err(|why| Error::Wrong(why.to_string()))
    }

    /// The transparency report of a year in the EU's harmonised templates, recomputed from every event; and the
    /// indicators in which the numbers of that year that were published say something else than the record does now.
    ///
    /// # Errors
    /// The record failed, an event is not there, or what is given does not fit.
    pub async fn harmonised(&self, year: i32, given: &Given) -> Result<(Vec<Part>, Vec<String>), Error> {
        let (cases, reports, procedures) = self.counted().await?;
        let wrong = |why: &dyn std::fmt::Display| Error::Wrong(why.to_string());
        let counts = Counts::of(i64::from(year), &cases, &reports, &procedures).map_err(|why| wrong(&why))?;
        let parts = harmonised(&counts, &cases, &reports, &procedures, given).map_err(|why| wrong(&why))?;
        let published = self.public_texts().await?;
        let published = published.iter().rev().find(|text| text.what == Public::Counts(year));
        let now = counts.csv();
        let lines = |csv: &str| csv.lines().map(str::to_owned).collect::<BTreeSet<_>>();
        let differ = published.map(|then| lines(&then.text).symmetric_difference(&lines(&now)).cloned().collect());
        Ok((parts, differ.unwrap_or_default()))
    }

    /// Every event that is counted, and the laws of the cases.
    async fn counted(&self) -> Result<(Vec<Event>, Vec<ReportEvent>, BTreeMap<Digest, Procedure>), Error> {
        let laws = streams::laws(&self.record).await?;
        let procedures: BTreeMap<Digest, Procedure> =
            laws.into_iter().map(|(digest, law)| (digest, law.procedure)).collect();
        let (mut cases, mut reports) = (Vec::<Event>::new(), Vec::<ReportEvent>::new());
        for (stream, _) in self.record.streams(streams::CASES).await? {
            let stream = streams::read::<Event>(&self.record, &stream).await?;
            cases.extend(stream.events.into_iter().filter(|_| stream.erased == 0));
        }
        for (stream, _) in self.record.streams(streams::REPORTS).await? {
            let stream = streams::read::<ReportEvent>(&self.record, &stream).await?;
            reports.extend(stream.events.into_iter().filter(|_| stream.erased == 0));
        }
        Ok((cases, reports, procedures))
    }

    /// Publishes the numbers of a year that is over; the public log names their digest.
    ///
    /// # Errors
    /// The year is not over, or the record failed.
    pub async fn publish_counts(&self, year: i32, at: Moment) -> Result<PublicText, Error> {
        if at < Moment::start_of_year(i64::from(year) + 1) {
            return Err(Error::Wrong(format!("{year} is not over; its numbers are published when it is")));
        }
        let text = PublicText::new(Public::Counts(year), &self.counts(i64::from(year)).await?.csv());
        loop {
            let Some(append) = self.published(at, std::slice::from_ref(&text)).await? else { return Ok(text) };
            if self.append(&[append]).await? {
                return Ok(text);
            }
        }
    }

    /// What of the record from `seen` on is public at once; and with `batch`, at that time, the commitments of every
    /// event from `batched` on.
    ///
    /// # Errors
    /// The record failed, or an event is not what it must be.
    pub async fn due(&self, seen: u64, batched: u64, batch: Option<Moment>) -> Result<Due, Error> {
        let mut due = Due { entries: Vec::new(), seen, batched };
        let mut cases: BTreeMap<String, Vec<store::Event>> = BTreeMap::new();
        let mut entries: BTreeMap<(u64, usize), Entry> = BTreeMap::new();
        let mut commitments = Vec::new();
        let mut position = if batch.is_some() { seen.min(batched) } else { seen };
        loop {
            let page = self.record.from(position, PAGE).await?;
            let Some(last) = page.last().map(|event| event.position) else { break };
            for event in page {
                if event.position >= batched {
                    commitments.push(Digest(event.commitment));
                }
                if event.position >= seen {
                    let made = self.at_once(&event, &mut cases).await?;
                    entries.extend(made.into_iter().enumerate().map(|(at, entry)| ((event.position, at), entry)));
                }
            }
            position = last + 1;
        }
        due.seen = position.max(seen);
        due.entries.extend(entries.into_values());
        if let Some(at) = batch {
            let mut chance = self.chance.lock().await;
            due.entries.extend(batches(at, commitments, &mut || filler(&mut chance)));
            due.batched = position.max(batched);
        }
        Ok(due)
    }

    /// Publishes what is due, and with `batch` the day's commitments as well, unless that day has its batch already.
    /// Gives how many entries went in.
    ///
    /// # Errors
    /// The record or the log failed; what was published before stays so.
    pub async fn publish(&self, log: &mut PublicLog, at: Moment, batch: bool) -> Result<usize, Error> {
        let failed = |error: LogError| Error::Log(error.to_string());
        for _ in 0..TRIES {
            let batch = batch && self.last_batch().await?.is_none_or(|day| day < at.day());
            let due = self.due(log.seen(), log.batched(), batch.then_some(at)).await?;
            if due.entries.is_empty() {
                return Ok(0);
            }
            let text = |entry: &Entry| serde_json::to_string(entry).map_err(|error| Error::Defect(error.to_string()));
            let entries = due.entries.iter().map(text).collect::<Result<Vec<_>, _>>()?;
            let publication = Publication { entries, seen: due.seen, batched: due.batched };
            let mut chance = self.chance.lock().await;
            match log.publish(&self.record, at, publication, &mut **chance).await {
                Ok(_) => return Ok(due.entries.len()),
                // Another process published meanwhile: perhaps the same.
                Err(LogError::Record(RecordError::Refused(Refused::Stale { .. }))) => {
                    log.catch_up(&self.record).await.map_err(failed)?;
                }
                Err(error) => return Err(failed(error)),
            }
        }
        Err(Error::Busy)
    }

    /// The day of the last batch that was published.
    pub(crate) async fn last_batch(&self) -> Result<Option<String>, Error> {
        let length = self.record.streams(PUBLIC_LOG).await?.first().map_or(0, |(_, length)| *length);
        let mut after = length;
        while after > 0 {
            after = after.saturating_sub(16);
            for event in self.record.stream(PUBLIC_LOG, after).await?.iter().rev() {
                let Some(content) = &event.content else { continue };
                let publication: Publication = streams::parse(&content.body, event.position)?;
                let days = publication.entries.iter().rev().filter_map(|entry| match serde_json::from_str(entry) {
                    Ok(Entry::Batch { day, .. }) => Some(day),
                    _ => None,
                });
                if let Some(day) = days.into_iter().next() {
                    return Ok(Some(day));
                }
            }
        }
        Ok(None)
    }

    /// What becomes public at once by one event.
    async fn at_once(
        &self,
        event: &store::Event,
        cases: &mut BTreeMap<String, Vec<store::Event>>,
    ) -> Result<Vec<Entry>, Error> {
        let Some(content) = &event.content else { return Ok(Vec::new()) };
        if event.stream == ERASURES {
            return self.erased(&content.body, event.position).await;
        }
        if event.stream == streams::PUBLISHED {
            let text: PublicText = streams::parse(&content.body, event.position)?;
            let Public::Counts(year) = text.what else { return Ok(Vec::new()) };
            return Ok(vec![Entry::Counts { year, counts: text.digest }]);
        }
        if !event.stream.starts_with(streams::CASES) {
            return Ok(Vec::new());
        }
        let act: Event = streams::parse(&content.body, event.position)?;
        let public = matches!(
            act.command.act,
            Act::Approve { .. } | Act::ServeNotice { .. } | Act::Compare { .. } | Act::Correct { .. }
        );
        if !public {
            return Ok(Vec::new());
        }
        if !cases.contains_key(&event.stream) {
            cases.insert(event.stream.clone(), self.record.stream(&event.stream, 0).await?);
        }
        let stored = cases.get(&event.stream).map_or(&[][..], Vec::as_slice);
        entries_of_act(&self.record, stored, &act).await
    }

    async fn erased(&self, body: &[u8], position: u64) -> Result<Vec<Entry>, Error> {
        let erasure: store::Erasure = streams::parse(body, position)?;
        let mut entries = Vec::new();
        for position in erasure.positions {
            let erased = self.record.from(position, 1).await?;
            let commitment = erased.first().map(|event| Digest(event.commitment));
            entries.extend(commitment.map(|commitment| Entry::Erasure { commitment, day: erasure.at.day() }));
        }
        Ok(entries)
    }
}

/// What becomes public by an act, in the case as it stood right after.
async fn entries_of_act(record: &Record, stored: &[store::Event], act: &Event) -> Result<Vec<Entry>, Error> {
    let mut events = Vec::new();
    let mut salts: BTreeMap<DecisionId, Salt> = BTreeMap::new();
    for event in stored.iter().take_while(|event| event.number <= act.number) {
        // A case that was erased was published when it happened.
        let Some(content) = &event.content else { return Ok(Vec::new()) };
        let parsed: Event = streams::parse(&content.body, event.position)?;
        if let Act::Propose(decision) = &parsed.command.act {
            salts.insert(decision.id.clone(), decision_salt(&content.salt));
        }
        events.push(parsed);
    }
    let law = events.first().and_then(Case::opened_by).map(|case| case.opening.policy.2);
    let law = law.zip(Some(streams::laws(record).await?)).and_then(|(digest, mut laws)| laws.remove(&digest));
    let Some(law) = law else { return Err(Error::Defect("a case's policy pack is not in the record".to_owned())) };
    let Some(case) = Case::fold(&events, &law.procedure) else { return Ok(Vec::new()) };
    Ok(at_once(&case, act, &mut |decision| salts.get(decision).copied().unwrap_or_default()))
}

/// The chance that hides a decision in the public log: made from that of its proposal, so that it is in the record once
/// and gone with it; whoever is given it learns nothing of the other.
pub(crate) fn decision_salt(of_proposal: &Salt) -> Salt {
    Digest::of([b"tribune decision salt 1\n".as_slice(), of_proposal].concat()).0
}

fn filler(chance: &mut Chance) -> Digest {
    let mut bytes = [0; 32];
    chance(&mut bytes);
    Digest(bytes)
}
