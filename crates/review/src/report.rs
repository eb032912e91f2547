//! A report: an allegation from a person, from its receipt to the day its reporter learns what came of it.
//!
//! It never holds who reported nor what they wrote: texts and identities lie encrypted beside the record. What anonymous
//! people do carries a day and no time (invariant 12), and how many they are is evidence of nothing (invariant 17):
//! what comes from one origin counts once. It is not a case; a case may open on it.

use crate::roster::Roster;
use crate::rules::{Refusal, Rule};
use crate::words::{Actor, CaseId, CommandId, Digest, Moment, Origin, PersonId, ReportId, Text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Hours within which a report is acknowledged (good practice; the Whistleblower Directive allows seven days).
pub const ACKNOWLEDGE_HOURS: i64 = 24;
/// Hours within which it is looked at.
pub const TRIAGE_HOURS: i64 = 72;
/// Days within which its reporter learns what came of it (Directive (EU) 2019/1937 Article 9).
pub const FEEDBACK_DAYS: i64 = 90;
/// Calendar months after which somebody who works here is asked whether anybody made them suffer for their report
/// (Directive (EU) 2019/1937 Articles 19 and 21 forbid it; nobody would hear of it who does not ask).
pub const CHECK_IN_MONTHS: [u8; 3] = [1, 3, 12];
/// Days within which the question is put once it is time.
pub const CHECK_IN_DAYS: i64 = 7;

/// From when on the question after so many months is put.
pub fn check_in_from(received: Moment, months: u8) -> Moment {
    received.end_of_months(i64::from(months))
}

/// How a report came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// By the tip line, without a name.
    Anonymous,
    /// By somebody who gave a name, which two custodians keep.
    Named,
    /// By an employee, with the directive's clocks.
    Employee,
    /// By a machine: XARF, a notice under DSA Article 16, a CloudEvent.
    Machine,
}

/// What can happen to a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Deed {
    /// It came in.
    Receive {
        /// How.
        channel: Channel,
        /// Its text, as it is kept.
        text: Text,
        /// What came with it: files and a sealed name, by their digests, so that erasing the report erases them. Events
        /// written before this was kept name none.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        parts: BTreeSet<Text>,
        /// People or teams who must not see it.
        keep_from: BTreeSet<PersonId>,
    },
    /// Somebody added to it, from its mailbox.
    Add {
        /// What.
        text: Text,
        /// The files that came with it.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        parts: BTreeSet<Text>,
    },
    /// It was acknowledged.
    Acknowledge,
    /// An officer answered or asked.
    Write {
        /// What.
        text: Text,
    },
    /// Where it ultimately comes from.
    Trace {
        /// The origin.
        origin: Origin,
    },
    /// It was looked at.
    Triage(Triage),
    /// Its reporter was told what came of it.
    Tell {
        /// What.
        text: Text,
    },
    /// Tribune itself asks its reporter, who works here, whether anybody made them suffer for it. The question is the
    /// same for all and has no text of its own.
    CheckIn {
        /// After how many months: one of [`CHECK_IN_MONTHS`].
        months: u8,
    },
    /// Its reporter asks others to look again.
    AskReview {
        /// Why.
        text: Text,
        /// The files that came with it.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        parts: BTreeSet<Text>,
    },
}

/// What becomes of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "triage", rename_all = "snake_case")]
pub enum Triage {
    /// A case opens on it, or it joins one.
    Case {
        /// Which.
        case: CaseId,
    },
    /// Nothing in it is about a clause of the terms.
    Outside {
        /// Why.
        reason: Text,
    },
    /// It is precise and credible: billing metadata is held the same day while it is looked at.
    Hold {
        /// Which accounts' metadata, as the finding that names them says.
        finding: Digest,
    },
}

/// A command on a report; its event, once admitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportEvent {
    /// Which report.
    pub report: ReportId,
    /// Its place among the report's events, from 1.
    pub number: u64,
    /// Of this one sending.
    pub id: CommandId,
    /// When; of anonymous people's doings, the day's end.
    pub at: Moment,
    /// By whom; the reporter is nobody.
    pub by: Option<Actor>,
    /// What.
    #[serde(flatten)]
    pub deed: Deed,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its name.
    pub id: ReportId,
    /// How it came.
    pub channel: Channel,
    /// When.
    pub received: Moment,
    /// Its events so far.
    pub version: u64,
    /// People or teams who must not see it.
    pub keep_from: BTreeSet<PersonId>,
    /// When it was acknowledged.
    pub acknowledged: Option<Moment>,
    /// Where it ultimately comes from, once that is known.
    pub origin: Option<Origin>,
    /// What became of it, each time it was looked at.
    pub triage: Vec<(Moment, PersonId, Triage)>,
    /// When its reporter was told.
    pub told: Option<Moment>,
    /// Its reporter asked others to look again, and nobody has.
    pub review_asked: bool,
    /// After how many months its reporter was last asked whether anybody made them suffer; 0 for never.
    pub checked_in: u8,
    /// Commands that were carried out.
    pub done: BTreeSet<CommandId>,
}

impl Report {
    /// The report that a first event begins; none if it begins none.
    pub fn received_by(event: &ReportEvent) -> Option<Self> {
        let Deed::Receive { channel, keep_from, .. } = &event.deed else { return None };
        Some(Self {
            id: event.report.clone(),
            channel: *channel,
            received: event.at,
            version: event.number,
            keep_from: keep_from.clone(),
            acknowledged: None,
            origin: None,
            triage: Vec::new(),
            told: None,
            review_asked: false,
            checked_in: 0,
            done: BTreeSet::from([event.id.clone()]),
        })
    }

    /// Whether its reporter asked that this person does not see it, by their name or by that of somebody they answer to.
    pub fn is_kept_from(&self, person: &PersonId, roster: &Roster) -> bool {
        self.keep_from.contains(person) || !roster.managers(person).is_disjoint(&self.keep_from)
    }

    /// After how many months its reporter, who works here, is to be asked now whether anybody made them suffer. Of
    /// several that it is time for, the last; those before it were missed.
    pub fn check_in(&self, at: Moment) -> Option<u8> {
        let employee = self.channel == Channel::Employee;
        let due = CHECK_IN_MONTHS.into_iter().rev().find(|months| check_in_from(self.received, *months) <= at);
        due.filter(|months| employee && *months > self.checked_in)
    }

    /// The event that a deed becomes; none if it was done before.
    ///
    /// # Errors
    /// The rule that is against it.
    pub fn admit(
        &self,
        id: CommandId,
        at: Moment,
        by: Option<Actor>,
        deed: Deed,
    ) -> Result<Option<ReportEvent>, Refusal> {
        if self.done.contains(&id) {
            return Ok(None);
        }
        let refuse = |rule: Rule, mend: &str| Err(Refusal { rule, mend: mend.to_owned() });
        let officer = if let Some(Actor::Person(person)) = &by { Some(person) } else { None };
        let from_reporter = matches!(deed, Deed::Add { .. } | Deed::AskReview { .. });
        if matches!(deed, Deed::Receive { .. }) {
            return refuse(Rule::Once, "it was received");
        }
        if let Deed::CheckIn { months } = deed {
            match () {
                () if by != Some(Actor::System) => {
                    return refuse(Rule::Known, "Tribune itself asks this, and nobody else");
                }
                () if self.check_in(at) != Some(months) => {
                    return refuse(Rule::CheckDue, "it is asked of who works here, once for each term that is over");
                }
                () => {}
            }
        } else if !from_reporter && officer.is_none() && deed != Deed::Acknowledge {
            return refuse(Rule::Somebody, "an intake officer does this");
        }
        if officer.is_some_and(|person| self.keep_from.contains(person)) {
            return refuse(Rule::NoConflict, "the reporter asked that they do not see it; let somebody else do it");
        }
        let before = |person: &PersonId| self.triage.iter().any(|(_, other, _)| other == person);
        if self.review_asked && matches!(deed, Deed::Triage(_)) && officer.is_some_and(before) {
            return refuse(Rule::Fresh, "others look again");
        }
        if matches!(deed, Deed::Acknowledge) && self.acknowledged.is_some() {
            return refuse(Rule::Once, "it was acknowledged");
        }
        if matches!(deed, Deed::AskReview { .. }) && self.triage.is_empty() {
            return refuse(Rule::Known, "nobody has looked at it yet");
        }
        Ok(Some(ReportEvent { report: self.id.clone(), number: self.version + 1, id, at, by, deed }))
    }

    /// Folds in what happened next.
    pub fn apply(&mut self, event: &ReportEvent) {
        self.version = event.number;
        self.done.insert(event.id.clone());
        match (&event.deed, &event.by) {
            (Deed::Acknowledge, _) => self.acknowledged = self.acknowledged.or(Some(event.at)),
            (Deed::Trace { origin }, _) => self.origin = Some(origin.clone()),
            (Deed::Triage(triage), Some(Actor::Person(person))) => {
                self.review_asked = false;
                self.triage.push((event.at, person.clone(), triage.clone()));
            }
            (Deed::Tell { .. }, _) => self.told = Some(event.at),
            (Deed::AskReview { .. }, _) => self.review_asked = true,
            (Deed::CheckIn { months }, _) => self.checked_in = *months,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(report: &Report, by: Option<&str>, deed: Deed) -> Result<Option<ReportEvent>, Refusal> {
        let by = by.map(|person| Actor::Person(person.parse().unwrap()));
        report.admit(format!("c{}", report.version).parse().unwrap(), Moment(1_000), by, deed)
    }

    fn received() -> Report {
        let keep_from = BTreeSet::from(["mallory".parse().unwrap()]);
        let (text, parts) = (Digest::of("text"), BTreeSet::new());
        let deed = Deed::Receive { channel: Channel::Anonymous, text, parts, keep_from };
        let (report, id) = ("r1".parse().unwrap(), "c0".parse().unwrap());
        Report::received_by(&ReportEvent { report, number: 1, id, at: Moment(0), by: None, deed }).unwrap()
    }

    fn outside() -> Deed {
        Deed::Triage(Triage::Outside { reason: Digest::of("no") })
    }

    fn ask_review() -> Deed {
        Deed::AskReview { text: Digest::of("?"), parts: BTreeSet::new() }
    }

    #[test]
    fn an_event_from_before_parts_were_named_reads_as_it_was() {
        let text = Digest::of("text");
        let old = format!(r#"{{"report":"r1","number":3,"id":"c1","at":86400,"by":null,"act":"add","text":"{text}"}}"#);
        let event: ReportEvent = serde_json::from_str(&old).unwrap();
        assert_eq!(event.deed, Deed::Add { text, parts: BTreeSet::new() });
        assert_eq!(serde_json::to_string(&event).unwrap(), old, "and is written as it was");
    }

    #[test]
    fn whom_the_reporter_named_sees_nothing_and_a_review_is_by_others() {
        let mut report = received();
        let refused = |report: &Report, by: Option<&str>, deed: Deed| event(report, by, deed).unwrap_err().rule;
        assert_eq!(refused(&report, Some("mallory"), outside()), Rule::NoConflict);
        assert_eq!(refused(&report, None, outside()), Rule::Somebody);
        assert_eq!(refused(&report, None, ask_review()), Rule::Known);
        let triaged = event(&report, Some("gina"), outside()).unwrap().unwrap();
        report.apply(&triaged);
        let asked = event(&report, None, ask_review()).unwrap().unwrap();
        report.apply(&asked);
        assert_eq!(refused(&report, Some("gina"), outside()), Rule::Fresh);
        let again = event(&report, Some("hugo"), outside()).unwrap().unwrap();
        report.apply(&again);
        assert!(!report.review_asked && report.triage.len() == 2);
        assert_eq!(report.admit(again.id.clone(), again.at, again.by.clone(), again.deed).unwrap(), None, "sent twice");
    }

    #[test]
    fn who_works_here_is_asked_once_for_each_term_and_nobody_else_is() {
        let ask = |report: &Report, by: Option<Actor>, at: Moment, months: u8| {
            let id = format!("check-in-{months}").parse().unwrap();
            report.admit(id, at, by, Deed::CheckIn { months })
        };
        let mut report = Report { channel: Channel::Employee, ..received() };
        let from = |months| check_in_from(Moment(0), months);
        assert_eq!(from(1).to_string(), "1970-02-02T12:00:00Z");
        assert_eq!((report.check_in(Moment(from(1).0 - 1)), report.check_in(from(1))), (None, Some(1)));
        let gina = Some(Actor::Person("gina".parse().unwrap()));
        assert_eq!(ask(&report, gina, from(1), 1).unwrap_err().rule, Rule::Known);
        assert_eq!(ask(&report, None, from(1), 1).unwrap_err().rule, Rule::Known);
        assert_eq!(ask(&report, Some(Actor::System), from(1), 3).unwrap_err().rule, Rule::CheckDue);
        let asked = ask(&report, Some(Actor::System), from(1), 1).unwrap().unwrap();
        report.apply(&asked);
        assert_eq!((report.check_in(from(1)), ask(&report, Some(Actor::System), from(1), 1)), (None, Ok(None)));
        // After a year without anybody at it there is one question, not two.
        assert_eq!(report.check_in(from(12)), Some(12));
        let asked = ask(&report, Some(Actor::System), from(12), 12).unwrap().unwrap();
        report.apply(&asked);
        assert_eq!(report.check_in(from(120)), None);
        assert_eq!(received().check_in(from(120)), None, "who has no name has no employer here");
    }

    #[test]
    fn it_is_acknowledged_once_by_tribune_itself() {
        let mut report = received();
        let event_of = |report: &Report| event(report, None, Deed::Acknowledge);
        let acknowledged = event_of(&report).unwrap().unwrap();
        report.apply(&acknowledged);
        assert_eq!(report.acknowledged, Some(Moment(1_000)));
        assert_eq!(event_of(&report).unwrap_err().rule, Rule::Once);
    }

    #[test]
    fn a_report_is_kept_from_whom_it_names_and_from_those_who_answer_to_them() {
        let mut roster = Roster::default();
        for (name, manager) in [("ina", "lead"), ("lead", "mallory"), ("ivo", "other")] {
            let member = crate::roster::Member { manager: Some(manager.parse().unwrap()), ..Default::default() };
            roster.members.insert(name.parse().unwrap(), member);
        }
        let report = received();
        let kept = |who: &str| report.is_kept_from(&who.parse().unwrap(), &roster);
        assert!(kept("mallory") && kept("lead") && kept("ina") && !kept("ivo"));
    }
}
