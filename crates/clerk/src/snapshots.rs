//! From a decision in effect to what gates hold: snapshots, made of what people signed and of nothing else.
//!
//! A snapshot carries every decision that restricts somebody now, and every lift of one, as they were signed, with their
//! places in the public log. What is added here (from when, in which stage, the words for the customer) can only take away
//! at a gate. Whether enough people signed is not asked again: each gate asks for itself ([`gate`]).

use crate::desk::{Clerk, Sender, Sent, TRIES, person};
use crate::error::Error;
use crate::publish::decision_salt;
use crate::streams::{self, File};
use access::Thing;
use gate::{Approval, Certificate, Head, Place, Record, Sealed, Snapshot, Stage, Terms, Version, seal};
use review::act::{Act, Event, Order};
use review::case::{Decided, Standing};
use review::roster::KeyForm;
use review::statement::words;
use review::words::{CaseId, DecisionId, Digest, Moment, PersonId, Switch};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::PublicLog;

/// Where a decision refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Staged {
    /// Nowhere: what it would refuse is counted.
    Shadow,
    /// At one gate.
    At {
        /// Which.
        gate: String,
    },
    /// Everywhere.
    All,
}

/// A decision came to another stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Staging {
    pub(crate) case: CaseId,
    pub(crate) decision: DecisionId,
    #[serde(flatten)]
    pub(crate) stage: Staged,
    pub(crate) by: PersonId,
    pub(crate) at: Moment,
    /// Why, where it left its preview: why it went back, or goes on all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
}

/// A snapshot that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Made {
    epoch: u64,
    sequence: u64,
    /// Of the decisions and the terms in it.
    content: Digest,
    at: Moment,
}

/// What a server adds to what was signed.
#[derive(Clone, Debug)]
pub struct Serving {
    /// Its epoch.
    pub epoch: u64,
    /// The offline root's word for its key, unless gates pin it.
    pub certificate: Option<Certificate>,
    /// Its secret key (Ed25519), 32 bytes.
    pub key: [u8; 32],
    /// What the address of a public statement begins with.
    pub statements: String,
    /// No snapshot restricts more accounts than these.
    pub accounts_max: usize,
}

impl Clerk {
    /// Brings a decision in effect to another stage: shadow, one gate, all; and back. What refused more than its preview
    /// foresaw goes on only for a reason.
    ///
    /// # Errors
    /// Their role does not allow it, no such decision is in effect, or it left its preview and no reason is given.
    pub async fn stage(
        &self,
        sent: &Sent,
        case: &CaseId,
        decision: &DecisionId,
        stage: Staged,
        despite: Option<&str>,
    ) -> Result<(), Error> {
        let Sender::Person(name) = &sent.by else {
            return Err(Error::Wrong("people bring a decision to its stages; say who: --as PERSON".to_owned()));
        };
        let file = streams::case(&self.record, case).await?;
        let roster = self.roster().await?;
        let by = person(&roster, name)?;
        self.may(&roster, &by, "take_effect", &Thing::Case(case.clone()), Some(&file.case), sent.at)?;
        let decided = file.case.decisions.get(decision);
        if decided.is_none_or(|decided| decided.standing != Standing::InEffect) {
            return Err(Error::Wrong(format!("decision {decision} of {case} is not in effect; it has no stage")));
        }
        let goes_on = stage != Staged::Shadow && despite.is_none();
        let left = if goes_on { self.left_in_shadow(case, decision).await? } else { None };
        if let Some(left) = left {
            let mend = "find out why, or go on for a reason: --despite \"…\"";
            return Err(Error::Wrong(format!("it left its preview: {}; {mend}", left.why)));
        }
        let restricts = decided.is_some_and(|decided| matches!(decided.decision.order, Order::Impose { .. }));
        if goes_on && restricts && stage == Staged::All && !self.was_at_one_gate(case, decision).await? {
            let mend = "bring it to one gate first: --gate GATE; or go on for a reason: --despite \"…\"";
            return Err(Error::Wrong(format!("decision {decision} of {case} was at no single gate yet; {mend}")));
        }
        let (case, decision, why) = (case.clone(), decision.clone(), despite.map(str::to_owned));
        self.put_stage(Staging { case, decision, stage, by, at: sent.at, why }).await
    }

    pub(crate) async fn put_stage(&self, staging: Staging) -> Result<(), Error> {
        for _ in 0..TRIES {
            let length = streams::read::<Staging>(&self.record, streams::STAGES).await?.length;
            if self.append(&[streams::append(streams::STAGES, length, staging.at, &staging)?]).await? {
                return Ok(());
            }
        }
        Err(Error::Busy)
    }

    /// The snapshot of what restricts now. Its sequence rises when what is in it changes, and not otherwise.
    ///
    /// # Errors
    /// It would restrict more accounts than it may, a decision is not in the public log, or the record failed.
    pub async fn snapshot(&self, log: &PublicLog, serving: &Serving, at: Moment) -> Result<Snapshot, Error> {
        let stages = self.stages().await?;
        let (mut records, mut accounts) = (Vec::new(), BTreeSet::new());
        for file in self.cases().await? {
            for (id, decided) in restricting(&file, at) {
                accounts.extend(decided.in_force.iter().map(|target| target.account.clone()));
                let stage = stages.get(&(file.case.id.clone(), id.clone())).unwrap_or(&Staged::Shadow);
                records.push(self.gate_record(log, serving, &file, decided, stage).await?);
            }
        }
        if accounts.len() > serving.accounts_max {
            let (there, most) = (accounts.len(), serving.accounts_max);
            let mend = "look at what was decided, and raise gate.accounts_max only if it is so";
            return Err(Error::Wrong(format!("it would restrict {there} accounts, more than {most}: {mend}")));
        }
        let version = self.version(&records, serving.epoch, at).await?;
        let head = Head { version, made: at.0, certificate: serving.certificate };
        Ok(Snapshot::sign(head, records, &serving.key))
    }

    /// The stage that each decision was brought to last.
    pub(crate) async fn stages(&self) -> Result<BTreeMap<(CaseId, DecisionId), Staged>, Error> {
        let stream = streams::read::<Staging>(&self.record, streams::STAGES).await?;
        Ok(stream.events.into_iter().map(|one| ((one.case, one.decision), one.stage)).collect())
    }

    /// Whether a decision was tried at one gate before.
    async fn was_at_one_gate(&self, case: &CaseId, decision: &DecisionId) -> Result<bool, Error> {
        let stream = streams::read::<Staging>(&self.record, streams::STAGES).await?;
        let own = |one: &&Staging| one.case == *case && one.decision == *decision;
        Ok(stream.events.iter().filter(own).any(|one| matches!(one.stage, Staged::At { .. })))
    }

    async fn version(&self, records: &[Record], epoch: u64, at: Moment) -> Result<Version, Error> {
        let mut content = BTreeSet::new();
        for record in records {
            let terms = record.terms().map_err(|error| Error::Defect(error.to_string()))?;
            content.insert(format!("{} {terms:?}\n", record.name()));
        }
        let content = Digest::of(content.into_iter().collect::<String>());
        for _ in 0..TRIES {
            let stream = streams::read::<Made>(&self.record, streams::SNAPSHOTS).await?;
            let last = stream.events.iter().rfind(|made| made.epoch == epoch);
            if let Some(Made { sequence, .. }) = last.filter(|made| made.content == content) {
                return Ok(Version { epoch, sequence: *sequence });
            }
            let sequence = last.map_or(1, |made| made.sequence + 1);
            let made = Made { epoch, sequence, content, at };
            if self.append(&[streams::append(streams::SNAPSHOTS, stream.length, at, &made)?]).await? {
                return Ok(Version { epoch, sequence });
            }
        }
        Err(Error::Busy)
    }

    /// A decision as gates are given it.
    async fn gate_record(
        &self,
        log: &PublicLog,
        serving: &Serving,
        file: &File,
        decided: &Decided,
        stage: &Staged,
    ) -> Result<Record, Error> {
        let id = &decided.decision.id;
        let (salt, day) = self.committed(file, id).await?;
        let text = review::seal::text(&file.case.id, &decided.decision);
        let targets: Vec<String> = decided.decision.targets.iter().map(review::seal::line).collect();
        let approvals = decided.approvals.iter().map(|(person, approval)| {
            let signature = review::seal::bytes(&approval.signature);
            let signature = signature.ok_or_else(|| Error::Defect("a signature in the record is none".to_owned()))?;
            let form = match approval.form {
                KeyForm::Ssh => seal::Form::Ssh,
                KeyForm::Passphrase => seal::Form::Passphrase,
            };
            let shown = gate::Digest(approval.shown.0);
            Ok(Approval { person: person.as_str(), key: approval.key.0, form, signature, shown })
        });
        let sealed = Sealed {
            text: &text,
            targets: targets.iter().map(String::as_str).collect(),
            approvals: approvals.collect::<Result<_, Error>>()?,
            salt,
            policy: gate::Digest(file.case.opening.policy.2.0),
            day: &day,
        };
        let place = self.place(log, &sealed, decided).await?;
        let from = decided.effect.unwrap_or(Moment(i64::MAX));
        let statement = decided.notice.map_or(String::new(), |notice| {
            format!("{}{}", serving.statements, notice.public.to_string().replace(':', "-"))
        });
        let terms = Terms {
            from: from.0,
            window: from.plus_days(decided.decision.respite.export_days.into()).0,
            until: decided.ends.map_or(i64::MAX, |ends| ends.0),
            stage: match stage {
                Staged::Shadow => Stage::Shadow,
                Staged::At { gate } => Stage::At(gate),
                Staged::All => Stage::All,
            },
            statement: &statement,
            sentence: &sentence(file, decided),
        };
        Ok(Record::new(&sealed, &terms, place))
    }

    /// The salt of a decision's entry in the public log, and the day on which enough people had approved.
    async fn committed(&self, file: &File, id: &DecisionId) -> Result<([u8; 32], String), Error> {
        let (mut salt, mut approvals, mut day) = (None, 0, None);
        for event in self.record.stream(&streams::case_stream(&file.case.id), 0).await? {
            let Some(content) = event.content else { continue };
            let act: Event = streams::parse(&content.body, event.position)?;
            match &act.command.act {
                Act::Propose(decision) if decision.id == *id => salt = Some(decision_salt(&content.salt)),
                Act::Approve { decision, .. } if decision == id => {
                    approvals += 1;
                    if approvals == file.law.procedure.approvals {
                        day = Some(act.command.at.day());
                    }
                }
                _ => {}
            }
        }
        let missing = || Error::Defect(format!("decision {id} was not proposed and approved, and is in effect"));
        salt.zip(day).ok_or_else(missing)
    }

    async fn place(&self, log: &PublicLog, sealed: &Sealed<'_>, decided: &Decided) -> Result<Place, Error> {
        let lifts = matches!(decided.decision.order, Order::Lift { .. });
        let entry = gate::entry(sealed.text, &sealed.salt, &sealed.policy, lifts, sealed.approvals.len(), sealed.day);
        let missing = || {
            let id = &decided.decision.id;
            Error::Wrong(format!("decision {id} is not in the public log yet; publish first: tribune record day"))
        };
        let index = log.find(entry.as_bytes()).ok_or_else(missing)?;
        let proof = log.prove(index, Vec::new()).await.map_err(|error| Error::Log(error.to_string()))?;
        let checkpoint: Arc<str> = proof.checkpoint.to_string().into();
        Ok(Place { checkpoint, index, hashes: proof.hashes })
    }
}

/// Decisions that restrict now, and the lifts of such.
fn restricting(file: &File, at: Moment) -> impl Iterator<Item = (&DecisionId, &Decided)> {
    let decisions = &file.case.decisions;
    let restricts = move |decided: &Decided| {
        let over = decided.ends.is_some_and(|ends| ends <= at);
        decided.standing == Standing::InEffect && !decided.in_force.is_empty() && !over
    };
    decisions.iter().filter(move |(_, decided)| match &decided.decision.order {
        Order::Impose { .. } => restricts(decided),
        Order::Lift { decision } => decided.effect.is_some() && decisions.get(decision).is_some_and(restricts),
    })
}

/// What a customer is told where it is refused, in the words of the statement of reasons.
fn sentence(file: &File, decided: &Decided) -> String {
    let off: BTreeSet<Switch> = decided.decision.targets.iter().flat_map(|one| one.switches.iter().copied()).collect();
    let off: Vec<&str> = off.into_iter().map(words).collect();
    let clause = &file.law.title;
    let why = "what, why, until when and where to appeal is in the statement of reasons";
    format!("Switched off for this account under the clause “{clause}”: {}; {why}.", off.join(", "))
}
