//! What the events of a year say in the words of the DSA: notices, measures, complaints.
//!
//! Folded anew from events, apart from [`crate::counts`], with which it must agree. It fills no cell.

use crate::act::{Act, AppealOutcome, Event, Order, Source};
use crate::case::Case;
use crate::counts::{Uncounted, histories, moment_of_end};
use crate::procedure::{Procedure, Reach};
use crate::report::{Deed, ReportEvent, Triage};
use crate::words::{CaseId, DecisionId, Digest, Moment, ReportId};
use std::collections::BTreeMap;

/// A decision that restricts or ends something and took effect in the year.
pub(super) struct Measure {
    /// The policy pack's id.
    pub(super) policy: String,
    /// Whether a report brought its case about, or joined it before.
    pub(super) on_report: bool,
    /// Whether it ends the service, and does not only suspend it.
    pub(super) terminates: bool,
    /// Whole hours since the first report; none where there was none.
    pub(super) hours: Option<i64>,
}

/// A report that came in the year.
pub(super) struct Notice {
    /// The policy pack of the case it came into by the year's end.
    pub(super) policy: Option<String>,
    /// Whether somebody looked at it by then.
    pub(super) looked_at: bool,
}

/// What a complaint is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// A decision that restricts or ends the provision of a service.
    Provision,
    /// Another decision, which only asks.
    Asking,
    /// That nothing was done on a report.
    Inaction,
}

/// An appeal, or that a reporter asks others to look again.
pub(super) struct Complaint {
    pub(super) about: About,
    /// Whether it came in the year.
    pub(super) filed: bool,
    /// How it ended, if it ended in the year, and after how many whole hours.
    pub(super) ended: Option<(AppealOutcome, i64)>,
}

/// A year.
#[derive(Default)]
pub(super) struct Year {
    year: i64,
    pub(super) notices: Vec<Notice>,
    pub(super) measures: Vec<Measure>,
    pub(super) complaints: Vec<Complaint>,
}

impl Year {
    pub(super) fn of<'a>(
        year: i64,
        cases: impl IntoIterator<Item = &'a Event>,
        reports: impl IntoIterator<Item = &'a ReportEvent>,
        procedures: &BTreeMap<Digest, Procedure>,
    ) -> Result<Self, Uncounted> {
        let cases = histories(cases, |event| (format!("case {}", event.case), event.number))?;
        let reports = histories(reports, |event| (format!("report {}", event.report), event.number))?;
        let mut told = Self { year, ..Self::default() };
        let policies = cases.values().filter_map(|events| {
            let event = events.first()?;
            Some((event.case.clone(), Case::opened_by(event)?.opening.policy.0))
        });
        let policies: BTreeMap<CaseId, String> = policies.collect();
        let mut received = BTreeMap::new();
        for events in reports.values() {
            received.extend(events.first().map(|event| (event.report.clone(), event.at)));
            told.report(events, &policies);
        }
        for (of, events) in &cases {
            let no_beginning = || Uncounted::NoBeginning(of.clone());
            let case = events.first().and_then(|first| Case::opened_by(first)).ok_or_else(no_beginning)?;
            let pack = case.opening.policy.2;
            let procedure = procedures.get(&pack).ok_or_else(|| Uncounted::UnknownPack(of.clone(), pack))?;
            told.case(case, events, procedure, &received);
        }
        Ok(told)
    }

    fn holds(&self, at: Moment) -> bool {
        at.year() == self.year
    }

    fn report(&mut self, events: &[&ReportEvent], policies: &BTreeMap<CaseId, String>) {
        let Some(received) = events.first().map(|event| event.at) else { return };
        let mut notice = Notice { policy: None, looked_at: false };
        let mut waiting: Vec<Moment> = Vec::new();
        let end = moment_of_end(self.year);
        for event in events.iter().take_while(|event| event.at <= end) {
            let outcome = match &event.deed {
                Deed::AskReview { .. } => {
                    waiting.push(event.at);
                    continue;
                }
                Deed::Triage(Triage::Outside { .. }) => AppealOutcome::Rejected,
                Deed::Triage(Triage::Hold { .. }) => AppealOutcome::Upheld,
                Deed::Triage(Triage::Case { case }) => {
                    notice.policy = policies.get(case).cloned();
                    AppealOutcome::Upheld
                }
                _ => continue,
            };
            notice.looked_at = true;
            waiting.drain(..).for_each(|asked| self.complaint(About::Inaction, asked, Some((outcome, event.at))));
        }
        waiting.into_iter().for_each(|asked| self.complaint(About::Inaction, asked, None));
        if self.holds(received) {
            self.notices.push(notice);
        }
    }

    fn case(
        &mut self,
        mut case: Case,
        events: &[&Event],
        procedure: &Procedure,
        received: &BTreeMap<ReportId, Moment>,
    ) {
        let end = moment_of_end(self.year);
        for event in events.iter().skip(1).take_while(|event| event.command.at <= end) {
            case.apply(event, procedure);
            let Act::TakeEffect { decision, .. } = &event.command.act else { continue };
            if let Some(reach) = reach(&case, decision, procedure).filter(|_| self.holds(event.command.at)) {
                self.measure(&case, reach, event.command.at, received);
            }
        }
        for appealed in case.appeals.values() {
            let restricts = reach(&case, &appealed.decision, procedure).is_some();
            let about = if restricts { About::Provision } else { About::Asking };
            self.complaint(about, appealed.filed, appealed.outcome.zip(appealed.decided));
        }
    }

    fn measure(&mut self, case: &Case, reach: Reach, at: Moment, received: &BTreeMap<ReportId, Moment>) {
        let reports = case.sources.iter().filter_map(|source| match source {
            Source::Report { report } => Some(report),
            Source::Finding { .. } | Source::Declaration(_) => None,
        });
        let first = reports.clone().filter_map(|report| received.get(report)).min();
        self.measures.push(Measure {
            policy: case.opening.policy.0.clone(),
            on_report: reports.count() > 0,
            terminates: reach == Reach::Terminates,
            hours: first.map(|first| hours(*first, at)),
        });
    }

    fn complaint(&mut self, about: About, filed: Moment, ended: Option<(AppealOutcome, Moment)>) {
        let ended = ended.filter(|(_, at)| self.holds(*at));
        let ended = ended.map(|(outcome, at)| (outcome, hours(filed, at)));
        let filed = self.holds(filed);
        if filed || ended.is_some() {
            self.complaints.push(Complaint { about, filed, ended });
        }
    }
}

/// How far what a decision orders reaches; none where it lifts, or only asks.
pub(crate) fn reach(case: &Case, decision: &DecisionId, procedure: &Procedure) -> Option<Reach> {
    match &case.decisions.get(decision)?.decision.order {
        Order::Impose { intervention } => {
            procedure.intervention(intervention).map(|one| one.reach).filter(|reach| *reach > Reach::Asks)
        }
        Order::Lift { .. } => None,
    }
}

fn hours(from: Moment, to: Moment) -> i64 {
    (to.0 - from.0).max(0) / 3_600
}
