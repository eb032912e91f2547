//! Three reviews as people carried them over the last months: one that is over and published, one whose decision is in
//! force and under appeal, one that waits for its second approval.
//!
//! Every act goes the way that people's go, through roles and rules, and into the record. Customers, sources and texts are
//! invented; what meters say of the second and third is the simulation's.

use super::people::Staffed;
use crate::common::Failure;
use crate::metering::{DAYS, metered};
use crate::office::{self, refused};
use clerk::{File, Law, Reporting, Sender, Sent, Staged};
use ed25519_dalek::Signer as _;
use review::Finding;
use review::act::{
    Act, Appeal, Approval, Closing, Contact, Decision, Determination, ElementAnswer, Established, Item, Kind, Opening,
    Order, Source,
};
use review::metered::{Line, Metered};
use review::procedure::Basis;
use review::report::Channel;
use review::roster::{KeyForm, PublicKey};
use review::seal;
use review::statement::{Draft, Statement, Texts, Written};
use review::words::{
    AccountId, CaseId, CustomerId, DecisionId, Digest, InterventionId, Moment, RegionId, ServiceId, Standard, Switch,
    Target, Text,
};
use std::collections::{BTreeMap, BTreeSet};
use usage::{ByDay, Day};

/// A workload to review.
pub(super) struct Subject {
    pub(super) customer: CustomerId,
    pub(super) accounts: BTreeSet<AccountId>,
    /// What the watch says of it; none where it was found before the records begin.
    pub(super) finding: Option<Finding>,
    /// The explanation, as `explain --format json` writes it.
    pub(super) explanation: Option<Vec<u8>>,
    /// `records.digest` of what it rests on.
    pub(super) records: Digest,
}

/// One review on its way.
pub(super) struct Play<'a> {
    staffed: &'a Staffed,
    law: Law,
    usage: &'a (dyn ByDay + 'a),
    at: Moment,
    case: CaseId,
    subject: Subject,
}

type Done = Result<(), Failure>;

impl<'a> Play<'a> {
    /// Opens the case, gives everybody a part, and gathers what there is.
    pub(super) async fn open(
        staffed: &'a Staffed,
        usage: &'a (dyn ByDay + 'a),
        subject: Subject,
        at: Moment,
    ) -> Result<Self, Failure> {
        let law = staffed.office.law("mass-surveillance")?;
        let text = serde_json::to_vec(&subject.finding).map_err(|error| Failure::Defect(error.to_string()))?;
        let score_db = subject.finding.as_ref().map(|finding| finding.score_db);
        let families = subject.finding.as_ref().map(|finding| finding.families.that_speak()).unwrap_or_default();
        let opening = Opening {
            kind: Kind::Workload,
            policy: (law.id.clone(), law.version.clone(), law.digest),
            customer: subject.customer.clone(),
            accounts: subject.accounts.clone(),
            sources: BTreeSet::from([Source::Finding {
                finding: Digest::of(text),
                records: subject.records,
                score_db,
                families,
            }]),
        };
        let sent = Sent { id: office::drawn_id()?, at, by: Sender::System };
        let (case, _) = staffed.office.clerk.open_case(&sent, &law, Act::Open(opening)).await?;
        let mut play = Self { staffed, law, usage, at, case, subject };
        play.parts().await?;
        play.evidence().await?;
        Ok(play)
    }

    /// Its name.
    pub(super) fn case(&self) -> &CaseId {
        &self.case
    }

    pub(super) fn later(&mut self, days: i64, hours: i64) {
        self.at = self.at.plus_days(days).plus_hours(hours);
    }

    async fn act(&mut self, by: &str, act: Act) -> Done {
        let by = match by {
            "tribune" => Sender::System,
            "customer" => Sender::Customer(self.subject.customer.clone()),
            person => Sender::Person(person.to_owned()),
        };
        // A minute passes, so that the record reads as it went.
        self.at = Moment(self.at.0 + 60);
        let sent = Sent { id: office::drawn_id()?, at: self.at, by };
        self.staffed.office.clerk.enact(&sent, &self.case, act).await?;
        Ok(())
    }

    async fn keep(&self, by: &str, text: &str) -> Result<Text, Failure> {
        let (clerk, papers) = (&self.staffed.office.clerk, &self.staffed.office.papers);
        if by == "customer" {
            let customer = &self.subject.customer;
            return Ok(clerk.keep_answer(papers, customer, &self.case, text.as_bytes(), self.at).await?);
        }
        let by = clerk.person(by).await?;
        let only = BTreeSet::new();
        Ok(clerk.keep(papers, Some(&by), Some(&self.case), &only, text.as_bytes(), self.at).await?)
    }

    async fn file(&self) -> Result<File, Failure> {
        let who = Sender::System;
        Ok(self.staffed.office.clerk.look(&who, &self.case, "the demonstration", self.at).await?)
    }

    async fn parts(&mut self) -> Done {
        for (person, roles) in super::people::parts() {
            for role in roles {
                let person = person.parse().map_err(|error| refused(&error))?;
                self.act("ann", Act::Assign { person, role: *role }).await?;
            }
            self.act(person, Act::Declare { conflict: None }).await?;
        }
        Ok(())
    }

    async fn evidence(&mut self) -> Done {
        let about: BTreeSet<(AccountId, Option<ServiceId>)> =
            self.subject.accounts.iter().map(|account| (account.clone(), None)).collect();
        let meters = match self.subject.explanation.take() {
            Some(explanation) => {
                let text = String::from_utf8(explanation).map_err(|error| Failure::Defect(error.to_string()))?;
                self.keep("ann", &text).await?
            }
            None => self.keep("ann", "Hourly rollups of the months before, as counted then.").await?,
        };
        self.add("ann", "meters", meters, Basis::Meters, "provider", about).await?;
        for (by, id, basis, origin, text) in [
            (
                "ann",
                "contract",
                Basis::Document,
                "contract",
                "The order form: storage and speech services, no end use.",
            ),
            ("ines", "newspaper", Basis::OutsideSource, "press", "A newspaper of Vessa reports who records whom."),
            (
                "ines",
                "charity",
                Basis::OutsideSource,
                "charity",
                "A charity that speaks for those recorded wrote to us.",
            ),
            ("hal", "opinion", Basis::Opinion, "counsel", "On these facts the clause applies."),
        ] {
            let text = self.keep(by, text).await?;
            self.add(by, id, text, basis, origin, BTreeSet::new()).await?;
        }
        Ok(())
    }

    async fn add(
        &mut self,
        by: &str,
        id: &str,
        digest: Text,
        basis: Basis,
        origin: &str,
        about: BTreeSet<(AccountId, Option<ServiceId>)>,
    ) -> Done {
        let id = id.parse().map_err(|error| refused(&error))?;
        let origin = origin.parse().map_err(|error| refused(&error))?;
        self.act(by, Act::AddEvidence(Item { id, digest, basis, origin, anonymous: false, about })).await
    }

    /// The customer is asked, and answers; the steps are done; every element is answered.
    pub(super) async fn determine(&mut self) -> Done {
        let question = "Whose calls do you keep, for how long, and on what ground?";
        let (clerk, papers) = (&self.staffed.office.clerk, &self.staffed.office.papers);
        let ann = clerk.person("ann").await?;
        let text = clerk.keep_for_customer(papers, Some(&ann), Some(&self.case), question.as_bytes(), self.at).await?;
        self.act("ned", Act::ConfirmSafe { text, written_by: ann }).await?;
        let id = "q1".parse().map_err(|error| refused(&error))?;
        let until = self.at.plus_days(14).plus_hours(1);
        self.act("ann", Act::Ask { id, text, until }).await?;
        self.later(3, 2);
        let contact = self.keep("ann", "whether this can wait until the quarter ends").await?;
        let with = "ann".parse().map_err(|error| refused(&error))?;
        self.act("ann", Act::NoteContact { from: Contact::Sales, with, about: contact }).await?;
        self.later(4, 3);
        let answer = self.keep("customer", "We do not comment on our workloads.").await?;
        let id = "q1".parse().map_err(|error| refused(&error))?;
        self.act("customer", Act::Answer { id, text: Some(answer) }).await?;
        for (by, step, note) in [
            ("ann", "facts", "Contract, declared use and twelve months of meters are in the case."),
            (
                "ned",
                "innocent-explanations",
                "No telephony, no agents, no end users; the region is not the customer's.",
            ),
            ("hal", "counsel", "Heard; the opinion is in the evidence."),
        ] {
            let note = self.keep(by, note).await?;
            self.act(by, Act::CompleteStep { step: step.parse().map_err(|error| refused(&error))?, note }).await?;
        }
        let mut elements = BTreeMap::new();
        for element in self.law.procedure.elements.clone() {
            let names: &[&str] = match element.id.as_str() {
                "E3" => &["newspaper", "charity"],
                _ => &["meters", "contract"],
            };
            let admitted = |name: &&&str| **name != "contract" || element.rests_on.contains(&Basis::Document);
            let evidence = names.iter().filter(admitted).map(|name| name.parse().map_err(|error| refused(&error)));
            let reasons = self.keep("ann", &format!("{}: the evidence named shows it.", element.title)).await?;
            let (answer, standard) = (Established::Established, Standard::MoreLikelyThanNot);
            let answer = ElementAnswer { answer, standard, evidence: evidence.collect::<Result<_, _>>()?, reasons };
            elements.insert(element.id, answer);
        }
        let view = self.keep("ann", "Within view: meters and contract. Not: what the recordings are.").await?;
        self.act("ann", Act::Determine(Determination { elements, view, supersedes: None })).await
    }

    /// A decision is proposed on the workload's own services, and previewed. What a workload has in accounts of other
    /// customers is no target: that is reviewed in their own cases.
    pub(super) async fn propose(&mut self, id: &str, intervention: &str, targets: &[(&str, &[Switch])]) -> Done {
        let books = self.metered(self.at)?.accounts;
        let own = |account: &&AccountId| books.get(account).is_none_or(|of| *of == self.subject.customer);
        let mut sealed = Vec::new();
        for account in self.subject.accounts.iter().filter(own) {
            for (service, switches) in targets {
                sealed.push(Target {
                    account: account.clone(),
                    service: service.parse().map_err(|error| refused(&error))?,
                    region: None,
                    switches: switches.iter().copied().collect(),
                });
            }
        }
        sealed.sort();
        let mut reasons = BTreeMap::new();
        for switch in targets.iter().flat_map(|(_, switches)| switches.iter()) {
            reasons.insert(*switch, self.keep("ann", reason(*switch)).await?);
        }
        let intervention: InterventionId = intervention.parse().map_err(|error| refused(&error))?;
        let respite = self.law.procedure.intervention(&intervention).map(|one| one.respite(false));
        let decision = Decision {
            id: id.parse().map_err(|error| refused(&error))?,
            order: Order::Impose { intervention },
            determination: Some(0),
            targets: sealed,
            reasons,
            emergency: false,
            respite: respite.unwrap_or_default(),
            ends: None,
            review: Some(self.at.plus_days(365)),
        };
        self.act("ann", Act::Propose(decision)).await?;
        self.preview(id).await
    }

    async fn preview(&mut self, id: &str) -> Done {
        let metered = self.metered(self.at)?;
        self.act("tribune", Act::Preview { decision: id.parse().map_err(|error| refused(&error))?, metered }).await
    }

    /// What the records say; of a workload from before they begin, what was counted then.
    fn metered(&self, at: Moment) -> Result<Metered, Failure> {
        let until = Day(i32::try_from(at.0.div_euclid(86_400)).unwrap_or_default());
        if self.subject.finding.is_some() {
            return metered(self.usage, &self.subject.accounts, until.plus(-DAYS), until);
        }
        counted_then(&self.subject, until, false)
    }

    pub(super) async fn approve(&mut self, by: &'static str, id: &str) -> Done {
        let file = self.file().await?;
        let id: DecisionId = id.parse().map_err(|error| refused(&error))?;
        let missing = || Failure::Defect(format!("decision {id} is not in the demonstration"));
        let decided = file.case.decisions.get(&id).ok_or_else(missing)?;
        let shown = Digest::of(file.case.shown(&id).ok_or_else(missing)?);
        let key = self.staffed.signers.get(by).ok_or_else(missing)?;
        let message = seal::message(&self.case, &decided.decision, &shown);
        let signature = key.sign(message.as_bytes()).to_bytes();
        let approval = Approval {
            key: PublicKey(key.verifying_key().to_bytes()),
            form: KeyForm::Passphrase,
            signature: signature.iter().map(|byte| format!("{byte:02x}")).collect(),
            shown,
            identity: None,
        };
        self.act(by, Act::Approve { decision: id, approval }).await
    }

    /// The statement of reasons is drafted, confirmed and served; after the notice the decision takes effect everywhere.
    pub(super) async fn effect(&mut self, id: &str, facts: &str, credit: Option<&str>) -> Done {
        self.serve(id, facts, credit).await?;
        self.later(3, 1);
        self.preview_if_old(id).await?;
        let file = self.file().await?;
        let id: DecisionId = id.parse().map_err(|error| refused(&error))?;
        let targets = file.case.decisions.get(&id).map(|decided| decided.decision.targets.clone()).unwrap_or_default();
        self.act("gil", Act::TakeEffect { decision: id.clone(), root: seal::root(&targets) }).await?;
        for stage in [Staged::Shadow, Staged::At { gate: "edge-1".to_owned() }, Staged::All] {
            self.later(0, 1);
            let sent = Sent { id: office::drawn_id()?, at: self.at, by: Sender::Person("gil".to_owned()) };
            self.staffed.office.clerk.stage(&sent, &self.case, &id, stage, None).await?;
        }
        Ok(())
    }

    async fn preview_if_old(&mut self, id: &str) -> Done {
        let file = self.file().await?;
        let id_of: DecisionId = id.parse().map_err(|error| refused(&error))?;
        let last = file.case.decisions.get(&id_of).and_then(|decided| decided.previews.last());
        let old = last.is_none_or(|last| self.at.0 - last.metered.to.0 > 5 * 86_400);
        if old { self.preview(id).await } else { Ok(()) }
    }

    async fn serve(&mut self, id: &str, facts: &str, credit: Option<&str>) -> Done {
        let file = self.file().await?;
        let id: DecisionId = id.parse().map_err(|error| refused(&error))?;
        let written = |text: &str| Written::new(&Digest::of(text), text).map_err(|error| refused(&error));
        let decided = file.case.decisions.get(&id);
        let switches = decided.map(|decided| decided.decision.reasons.keys().copied().collect::<Vec<_>>());
        let mut reasons = BTreeMap::new();
        for switch in switches.unwrap_or_default() {
            reasons.insert(switch, written(reason(switch))?);
        }
        let texts = Texts {
            facts: written(facts)?,
            reasons,
            redress: written("Beyond the appeal: the courts at the provider's seat.")?,
            credit: credit.map(written).transpose()?,
        };
        let draft = Draft {
            case: &file.case,
            decision: &id,
            procedure: &file.law.procedure,
            clause: &file.law.title,
            texts: &texts,
            served: self.at,
        };
        let statement = Statement::draft(&draft).map_err(|error| refused(&error))?;
        let (clerk, papers) = (&self.staffed.office.clerk, &self.staffed.office.papers);
        let ann = clerk.person("ann").await?;
        let text = statement.text();
        clerk.keep_for_customer(papers, Some(&ann), Some(&self.case), text.as_bytes(), self.at).await?;
        for text in [statement.digest(), statement.public_digest()] {
            self.act("ned", Act::ConfirmSafe { text, written_by: ann.clone() }).await?;
        }
        self.at = Moment(self.at.0 + 60);
        let sent = Sent { id: office::drawn_id()?, at: self.at, by: Sender::Person("ann".to_owned()) };
        self.staffed.office.clerk.serve(&sent, &self.case, id, statement.digest(), &statement.public_text()).await?;
        Ok(())
    }

    /// The customer appeals.
    pub(super) async fn appeal(&mut self, decision: &str, ground: &str) -> Done {
        let ground = self.keep("customer", ground).await?;
        let (id, decision) = ("p1".parse(), decision.parse());
        let (id, decision) = (id.map_err(|error| refused(&error))?, decision.map_err(|error| refused(&error))?);
        self.act("customer", Act::Appeal(Appeal { id, decision, ground })).await
    }

    /// Everything that comes after an effect, until nothing is left to do.
    pub(super) async fn finish(&mut self, decision: &str) -> Done {
        let id: DecisionId = decision.parse().map_err(|error| refused(&error))?;
        self.later(5, 0);
        let until = Day(i32::try_from(self.at.0.div_euclid(86_400)).unwrap_or_default());
        let metered = counted_then(&self.subject, until, true)?;
        self.act("tribune", Act::Compare { decision: id.clone(), metered }).await?;
        let (clerk, papers) = (&self.staffed.office.clerk, &self.staffed.office.papers);
        let told = "A decision on the clause against mass surveillance is in force; its statement is public.";
        let ann = clerk.person("ann").await?;
        let only = BTreeSet::new();
        let text = clerk.keep(papers, Some(&ann), Some(&self.case), &only, told.as_bytes(), self.at).await?;
        self.act("ned", Act::ConfirmSafe { text, written_by: ann }).await?;
        self.tell_employees(told).await?;
        for days in [30, 90, 180] {
            self.later(if days == 30 { 26 } else { i64::from(days) * 2 / 3 - if days == 90 { 0 } else { 30 } }, 0);
            let effect = self.file().await?.case.decisions.get(&id).and_then(|decided| decided.effect);
            self.at = self.at.max(effect.unwrap_or(self.at).plus_days(i64::from(days)).plus_hours(1));
            let (use_ended, rest_as_before) = (true, true);
            self.act("ann", Act::Check { decision: id.clone(), days, use_ended, rest_as_before }).await?;
        }
        let remedy =
            self.keep("ann", "Those recorded are told through the charity; what was stored is deleted.").await?;
        let consulted = self.keep("ann", "The charity that speaks for them, twice.").await?;
        let lesson = self.keep("ann", "Ask who is recorded before the first byte is stored.").await?;
        self.act("ann", Act::Close(Closing { remedy, consulted, lesson, declared_use: None })).await?;
        self.tell_employees(told).await
    }

    async fn tell_employees(&mut self, told: &str) -> Done {
        self.at = Moment(self.at.0 + 60);
        let sent = Sent { id: office::drawn_id()?, at: self.at, by: Sender::Person("ann".to_owned()) };
        let (clerk, papers) = (&self.staffed.office.clerk, &self.staffed.office.papers);
        clerk.tell_employees(papers, &sent, &self.case, told).await?;
        Ok(())
    }
}

/// Somebody reports without a name; the words are the only way back to it. It is drained the day after.
pub(super) async fn report(staffed: &Staffed, at: Moment) -> Result<String, Failure> {
    let (clerk, papers) = (&staffed.office.clerk, &staffed.office.papers);
    let text = "They store the calls of a whole valley. I have seen the dashboards.";
    let keep_from = BTreeSet::new();
    let sending = clerk::envelope::Sending { text, files: &[] };
    let reporting = Reporting { channel: Channel::Anonymous, who: None, keep_from: &keep_from, sending };
    let receipt = clerk.receive(papers, reporting, at).await?;
    clerk.drain(at.plus_days(1)).await?;
    Ok(receipt.to_string())
}

fn reason(switch: Switch) -> &'static str {
    match switch {
        Switch::Write => "What is breached is the taking in and the turning into text; nothing less stops it.",
        Switch::Read => "What was taken in would go on being used; the export window lets the customer take it out.",
        Switch::Delete => "Deleting would end what may be needed by those affected.",
        Switch::Export => "Data leaves faster than people can decide.",
    }
}

/// What was counted of a workload of which no records are kept here: writing and speech, and other use that went on.
fn counted_then(subject: &Subject, until: Day, after: bool) -> Result<Metered, Failure> {
    let days = if after { 3 } else { DAYS };
    let at = |day: Day| Moment(i64::from(day.0) * 86_400);
    let mut lines = Vec::new();
    for account in &subject.accounts {
        for (service, operation, a_day, stops) in [
            ("object-storage", "storage.read", 41_000, false),
            ("object-storage", "storage.write", 9_400_000, true),
            ("speech", "speech.transcription", 3_300_000, true),
            ("database", "database.requests", 120_000, false),
        ] {
            if stops && after {
                continue;
            }
            lines.push(Line {
                account: account.clone(),
                service: service.parse().map_err(|error| refused(&error))?,
                operation: operation.parse().map_err(|error| refused(&error))?,
                region: Some("north".parse::<RegionId>().map_err(|error| refused(&error))?),
                quantity: a_day * i64::from(days),
                days: u16::try_from(days).unwrap_or_default(),
                hour_max: Some(a_day / 12),
            });
        }
    }
    lines.sort_by(|a, b| a.key().cmp(&b.key()));
    let accounts = subject.accounts.iter().map(|account| (account.clone(), subject.customer.clone())).collect();
    Ok(Metered { from: at(until.plus(-days)), to: at(until), records: subject.records, accounts, lines })
}

/// The workload of the review that is over: found before the records of the demonstration begin.
pub(super) fn earlier() -> Result<Subject, Failure> {
    Ok(Subject {
        customer: "harrow-analytics".parse().map_err(|error| refused(&error))?,
        accounts: BTreeSet::from(["harrow-7".parse().map_err(|error| refused(&error))?]),
        finding: None,
        explanation: None,
        records: Digest::of("rollups of an earlier year"),
    })
}
