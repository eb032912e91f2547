//! What stands in which stream of the record, and reading it back.
//!
//! | stream | what its events are |
//! |---|---|
//! | `case/ID` | [`review::act::Event`] |
//! | `report/ID` | [`review::report::ReportEvent`] |
//! | `founding` | [`Founding`], once |
//! | `roster` | [`review::roster::RosterEvent`] |
//! | `laws` | [`Law`]: each policy pack under which a case was opened, kept for as long as its cases |
//! | `workloads` | [`Workload`]: which accounts are under review in which case |
//! | `stages` | `snapshots::Staging`: a decision in effect came to another stage |
//! | `gate/NAME` | [`crate::gates::Told`]: what that gate told, when it changed |
//! | `snapshots` | `snapshots::Made`: what gates were given, when that changed |
//! | `looks` | [`Look`] |
//! | `declarations` | [`crate::Declaration`]: uses that customers declare |
//! | `denials` | [`crate::Denial`] |
//! | `confined` | [`crate::papers::Confined`]: private texts that fewer people read than their case allows |
//! | `drafts` | [`crate::drafts::DraftText`]: texts that are to leave, and who wrote them |
//! | `published` | [`PublicText`] |
//! | `discarded` | [`Discarded`]: messages of the intake that could never become events |
//!
//! It decides nothing and writes nothing.

use crate::error::Error;
use review::act::{Event, Source};
use review::case::{Case, Phase};
use review::procedure::Procedure;
use review::report::{Report, ReportEvent};
use review::roster::{Roster, RosterEvent};
use review::words::{AccountId, CaseId, CommandId, Digest, Moment, PersonId, ReportId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use store::{Append, New, Record};

pub(crate) const CASES: &str = "case/";
pub(crate) const REPORTS: &str = "report/";
pub(crate) const FOUNDING: &str = "founding";
pub(crate) const ROSTER: &str = "roster";
pub(crate) const LAWS: &str = "laws";
pub(crate) const WORKLOADS: &str = "workloads";
pub(crate) const STAGES: &str = "stages";
pub(crate) const GATES: &str = "gate/";
pub(crate) const SNAPSHOTS: &str = "snapshots";
pub(crate) const LOOKS: &str = "looks";
pub(crate) const DECLARATIONS: &str = "declarations";
pub(crate) const DENIALS: &str = "denials";
pub(crate) const CONFINED: &str = "confined";
pub(crate) const DRAFTS: &str = "drafts";
pub(crate) const PUBLISHED: &str = "published";
pub(crate) const DISCARDED: &str = "discarded";

pub(crate) fn case_stream(case: &CaseId) -> String {
    format!("{CASES}{case}")
}

pub(crate) fn gate_stream(gate: &str) -> String {
    format!("{GATES}{gate}")
}

pub(crate) fn report_stream(report: &ReportId) -> String {
    format!("{REPORTS}{report}")
}

/// How a record began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Founding {
    /// When.
    pub at: Moment,
    /// Whether times are what the sender says: a demonstration, in which months pass in a minute. A record of real cases
    /// has the machine's time, or an emergency could be told to be over before it began.
    pub simulated_clock: bool,
}

/// A policy pack, as far as a review needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Law {
    /// Of the pack.
    pub id: String,
    /// Of the pack.
    pub version: String,
    /// Of the pack, all of it.
    pub digest: Digest,
    /// The clause, in a line.
    pub title: String,
    /// What a review under it needs.
    pub procedure: Procedure,
}

/// A case's accounts, and whether it is open: what keeps two cases off one workload, whoever opens them at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Workload {
    pub(crate) case: CaseId,
    /// The policy pack's id.
    pub(crate) policy: String,
    pub(crate) accounts: BTreeSet<AccountId>,
    /// What is declared, where that is what is reviewed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) declarations: BTreeSet<CommandId>,
    pub(crate) open: bool,
}

impl Workload {
    /// What a case keeps others off: nothing once it is over.
    pub(crate) fn of(case: &Case, policy: &str) -> Self {
        let open = case.phase == Phase::Open;
        let declared = |source: &Source| match source {
            Source::Declaration(one) => Some(one.declaration.clone()),
            Source::Finding { .. } | Source::Report { .. } => None,
        };
        let (mut accounts, mut declarations) = (BTreeSet::new(), BTreeSet::new());
        if open {
            accounts.clone_from(&case.accounts);
            declarations.extend(case.sources.iter().filter_map(declared));
        }
        Self { case: case.id.clone(), policy: policy.to_owned(), accounts, declarations, open }
    }
}

/// Somebody looked at what is not theirs to know without a purpose (invariant 16).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// When.
    pub at: Moment,
    /// Who.
    pub by: PersonId,
    /// At what: a case, a report, a text, an entity.
    pub what: String,
    /// What for.
    pub purpose: String,
}

/// Messages of the intake that two people took out, for they could never become events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discarded {
    /// The day.
    pub at: Moment,
    /// The two.
    pub by: BTreeSet<PersonId>,
    /// How many messages.
    pub count: u64,
    /// SHA-256 over the digests of their bytes, in the order of their keys.
    pub digest: Digest,
    /// Why, by the digest of the text.
    pub reason: Digest,
}

/// What a public text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Public {
    /// A statement of reasons, in its public form.
    Statement,
    /// What takes the place of something that was published.
    Correction,
    /// The numbers of a year, as CSV.
    Counts(i32),
}

/// A text that the world reads; its digest stands in the public log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicText {
    /// What it is.
    pub what: Public,
    /// Of the text.
    pub digest: Digest,
    /// What it says.
    pub text: String,
}

impl PublicText {
    /// A text to be published.
    pub fn new(what: Public, text: &str) -> Self {
        Self { what, digest: Digest::of(text), text: text.to_owned() }
    }
}

/// What a stream says, in order. An event that was erased is none.
#[derive(Clone, Debug)]
pub(crate) struct Stream<E> {
    pub(crate) events: Vec<E>,
    /// How many events it has, erased ones too.
    pub(crate) length: u64,
    /// How many of them were erased.
    pub(crate) erased: u64,
}

pub(crate) async fn read<E: DeserializeOwned>(record: &Record, stream: &str) -> Result<Stream<E>, Error> {
    let mut read = Stream { events: Vec::new(), length: 0, erased: 0 };
    for event in record.stream(stream, 0).await? {
        read.length = event.number;
        match &event.content {
            Some(content) => read.events.push(parse(&content.body, event.position)?),
            None => read.erased += 1,
        }
    }
    Ok(read)
}

/// An event's body. One of another form was written by another version, or by another hand.
pub(crate) fn parse<E: DeserializeOwned>(body: &[u8], position: u64) -> Result<E, Error> {
    serde_json::from_slice(body).map_err(|error| Error::Strange { position, reason: error.to_string() })
}

/// One event at the end of a stream.
pub(crate) fn append(stream: &str, expected: u64, at: Moment, event: &impl Serialize) -> Result<Append, Error> {
    let body = serde_json::to_vec(event).map_err(|error| Error::Defect(error.to_string()))?;
    Ok(Append { stream: stream.to_owned(), expected, events: vec![New { at, body }] })
}

/// The people, and how many changes there were.
pub(crate) async fn roster(record: &Record) -> Result<(Roster, Stream<RosterEvent>), Error> {
    let stream = read::<RosterEvent>(record, ROSTER).await?;
    let mut roster = Roster::default();
    stream.events.iter().for_each(|event| roster.apply(event));
    Ok((roster, stream))
}

/// The laws that cases were opened under, by their digests.
pub(crate) async fn laws(record: &Record) -> Result<BTreeMap<Digest, Law>, Error> {
    let laws = read::<Law>(record, LAWS).await?;
    Ok(laws.events.into_iter().map(|law| (law.digest, law)).collect())
}

/// A case with its events and its law.
#[derive(Clone, Debug)]
pub struct File {
    /// As it stands.
    pub case: Case,
    /// What happened.
    pub events: Vec<Event>,
    /// The law it is under.
    pub law: Law,
}

pub(crate) async fn case(record: &Record, id: &CaseId) -> Result<File, Error> {
    let stream = read::<Event>(record, &case_stream(id)).await?;
    if stream.erased > 0 {
        return Err(Error::Erased(format!("case {id}")));
    }
    let unknown = || Error::Unknown(format!("case {id}"));
    let first = stream.events.first().and_then(Case::opened_by).ok_or_else(unknown)?;
    let law = laws(record).await?.remove(&first.opening.policy.2);
    let law = law.ok_or_else(|| Error::Defect(format!("the record does not hold the policy pack of case {id}")))?;
    let case = Case::fold(&stream.events, &law.procedure).ok_or_else(unknown)?;
    Ok(File { case, events: stream.events, law })
}

pub(crate) async fn report(record: &Record, id: &ReportId) -> Result<(Report, Vec<ReportEvent>), Error> {
    let stream = read::<ReportEvent>(record, &report_stream(id)).await?;
    if stream.erased > 0 {
        return Err(Error::Erased(format!("report {id}")));
    }
    let mut report = stream.events.first().and_then(Report::received_by);
    if let Some(report) = &mut report {
        stream.events.iter().skip(1).for_each(|event| report.apply(event));
    }
    let unknown = || Error::Unknown(format!("report {id}"));
    Ok((report.ok_or_else(unknown)?, stream.events))
}
