//! The numbers of a year, recomputed from events alone, so that anybody who has them can check what was published.
//!
//! A year is one in UTC. What happened is counted in the year of its event, a missed deadline in the year in which it was
//! due, and what is open or in force as it stood when the year ended: events after that change nothing, so a year that is
//! over counts the same whenever it is counted. It reads nothing, publishes nothing and names nobody.

use crate::act::{Act, AppealOutcome, Contact, Determination, Established, Event, Leaving, Order, Source};
use crate::case::{Case, Phase, Standing};
use crate::clocks::clocks;
use crate::metered::Compared;
use crate::procedure::{Procedure, Reach};
use crate::report::{
    ACKNOWLEDGE_HOURS, CHECK_IN_DAYS, CHECK_IN_MONTHS, Channel, Deed, FEEDBACK_DAYS, ReportEvent, TRIAGE_HOURS,
    check_in_from,
};
use crate::words::{DecisionId, Digest, Moment, PersonId, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What brought a case about when it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Brought {
    /// Findings.
    Finding,
    /// Reports.
    Report,
    /// Both.
    Both,
}

/// Whom sales, an executive or an authority spoke with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spoken {
    /// Somebody who decides in the case.
    Decider,
    /// Somebody who reviews it, and does not decide.
    Reviewer,
    /// Somebody else.
    Other,
}

/// The numbers of a year.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Which year, in UTC.
    pub year: i64,
    /// Reports received, by channel.
    pub reports_received: BTreeMap<Channel, u64>,
    /// Reports acknowledged within their time.
    pub reports_acknowledged_in_time: u64,
    /// Reports looked at within their time.
    pub reports_triaged_in_time: u64,
    /// Times that a reporter asked others to look again.
    pub reviews_asked: u64,
    /// Cases opened, by what brought them about.
    pub cases_opened: BTreeMap<Brought, u64>,
    /// Cases open at the year's end.
    pub cases_open: u64,
    /// Closings.
    pub cases_closed: u64,
    /// Cases that went on in another.
    pub cases_merged: u64,
    /// Cases reopened.
    pub cases_reopened: u64,
    /// Determinations that every element is established.
    pub determinations_established: u64,
    /// Determinations that an element is not.
    pub determinations_not_established: u64,
    /// Others.
    pub determinations_inconclusive: u64,
    /// Decisions proposed, by intervention or `lift`.
    pub decisions_proposed: BTreeMap<String, u64>,
    /// Decisions that enough people approved, likewise.
    pub decisions_approved: BTreeMap<String, u64>,
    /// Decisions that somebody refused, likewise; one that was approved before counts as both.
    pub decisions_refused: BTreeMap<String, u64>,
    /// Decisions that restrict or end something, and took effect.
    pub measures_taken: u64,
    /// Emergencies that took effect.
    pub emergencies: u64,
    /// Emergencies that ended because their time was over.
    pub emergencies_lapsed: u64,
    /// Hearings that two people waived.
    pub hearings_waived: u64,
    /// What two people decided about data that left: `let-go`, `hold-export`, or `preserve` on a legal order.
    pub leaving_decided: BTreeMap<&'static str, u64>,
    /// Appeals filed.
    pub appeals_filed: u64,
    /// Those of them that came too late.
    pub appeals_late: u64,
    /// Late ones that two people admitted.
    pub appeals_admitted: u64,
    /// Appeals rejected.
    pub appeals_rejected: u64,
    /// Appeals upheld in part.
    pub appeals_upheld_in_part: u64,
    /// Appeals upheld.
    pub appeals_upheld: u64,
    /// Corrections of what was published.
    pub corrections: u64,
    /// What was held against its preview, by the last comparison of each decision in the year: kinds of use.
    pub kinds_of_use: Compared,
    /// Times that employees were told what had been made known.
    pub employees_told: u64,
    /// Deadlines that were due in the year and missed, by clock.
    pub deadlines_missed: BTreeMap<String, u64>,
    /// Contacts by sales, executives and authorities, by whom they were with.
    pub contacts: BTreeMap<(Contact, Spoken), u64>,
    /// Targets that were switched off at the year's end.
    pub restrictions_in_force: u64,
    /// Whole days from the opening of a case to its first approved decision, the middle one; none without such a case.
    pub median_days_to_decision: Option<i64>,
}

/// Why events cannot be counted: what is wrong, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Uncounted {
    /// A history does not begin with its first event.
    #[error("{0} does not begin with its first event; count a history from its beginning")]
    NoBeginning(String),
    /// An event is missing or stands in two forms.
    #[error("event {1} of {0} is missing or stands there in two forms; take every event of the record, as it is")]
    NotWhole(String, u64),
    /// The law of a case is not at hand.
    #[error("{0} is under policy pack {1}, which is not at hand; give its procedure")]
    UnknownPack(String, Digest),
}

/// An indicator that two counts differ in; a value is empty where the indicator is not listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which.
    pub indicator: String,
    /// What the one says.
    pub one: String,
    /// What the other says.
    pub other: String,
}

impl Counts {
    /// The numbers of a year from the events of cases and of reports, in any order; `procedures` by the digests of packs.
    ///
    /// # Errors
    /// The events are not all there, or the law of a case is not.
    pub fn of<'a>(
        year: i64,
        cases: impl IntoIterator<Item = &'a Event>,
        reports: impl IntoIterator<Item = &'a ReportEvent>,
        procedures: &BTreeMap<Digest, Procedure>,
    ) -> Result<Self, Uncounted> {
        let cases = histories(cases, |event| (format!("case {}", event.case), event.number))?;
        let reports = histories(reports, |event| (format!("report {}", event.report), event.number))?;
        let mut tally = Tally { counts: Self { year, ..Self::default() }, to_decision: Vec::new() };
        for (of, events) in &reports {
            tally.report(of, events)?;
        }
        for (of, events) in &cases {
            tally.case(of, events, procedures)?;
        }
        Ok(Self { median_days_to_decision: median_days(tally.to_decision), ..tally.counts })
    }

    /// Every indicator with its value, in an order that stays.
    pub fn rows(&self) -> Vec<(String, String)> {
        let mut rows = vec![("year".to_owned(), self.year.to_string())];
        let channels = [("anonymous", Channel::Anonymous), ("named", Channel::Named), ("employee", Channel::Employee)];
        for (name, channel) in channels.into_iter().chain([("machine", Channel::Machine)]) {
            row(&mut rows, &["reports_received", name], of(&self.reports_received, &channel));
        }
        row(&mut rows, &["reports_acknowledged_in_time"], self.reports_acknowledged_in_time);
        row(&mut rows, &["reports_triaged_in_time"], self.reports_triaged_in_time);
        row(&mut rows, &["reviews_asked"], self.reviews_asked);
        for (name, brought) in [("finding", Brought::Finding), ("report", Brought::Report), ("both", Brought::Both)] {
            row(&mut rows, &["cases_opened", name], of(&self.cases_opened, &brought));
        }
        row(&mut rows, &["cases_open"], self.cases_open);
        row(&mut rows, &["cases_closed"], self.cases_closed);
        row(&mut rows, &["cases_merged"], self.cases_merged);
        row(&mut rows, &["cases_reopened"], self.cases_reopened);
        row(&mut rows, &["determinations", "established"], self.determinations_established);
        row(&mut rows, &["determinations", "not-established"], self.determinations_not_established);
        row(&mut rows, &["determinations", "inconclusive"], self.determinations_inconclusive);
        self.rows_of_decisions(&mut rows);
        self.rows_of_appeals(&mut rows);
        row(&mut rows, &["corrections"], self.corrections);
        let Compared { stopped, still, as_before, less } = self.kinds_of_use;
        for (name, kinds) in [("stopped", stopped), ("still", still), ("as_before", as_before), ("less", less)] {
            row(&mut rows, &["kinds_of_use", name], kinds as u64);
        }
        row(&mut rows, &["employees_told"], self.employees_told);
        for (clock, number) in &self.deadlines_missed {
            row(&mut rows, &["deadlines_missed", clock], *number);
        }
        self.rows_of_contacts(&mut rows);
        row(&mut rows, &["restrictions_in_force"], self.restrictions_in_force);
        let median = self.median_days_to_decision.map_or(String::new(), |days| days.to_string());
        rows.push(("median_days_to_decision".to_owned(), median));
        rows
    }

    fn rows_of_decisions(&self, rows: &mut Vec<(String, String)>) {
        let by = [
            ("decisions_proposed", &self.decisions_proposed),
            ("decisions_approved", &self.decisions_approved),
            ("decisions_refused", &self.decisions_refused),
        ];
        for (name, numbers) in by {
            for (intervention, number) in numbers {
                row(rows, &[name, intervention], *number);
            }
        }
        row(rows, &["measures_taken"], self.measures_taken);
        row(rows, &["emergencies"], self.emergencies);
        row(rows, &["emergencies_lapsed"], self.emergencies_lapsed);
        row(rows, &["hearings_waived"], self.hearings_waived);
        for choice in ["let-go", "hold-export", "preserve"] {
            row(rows, &["leaving_decided", choice], of(&self.leaving_decided, &choice));
        }
    }

    fn rows_of_appeals(&self, rows: &mut Vec<(String, String)>) {
        row(rows, &["appeals_filed"], self.appeals_filed);
        row(rows, &["appeals_late"], self.appeals_late);
        row(rows, &["appeals_admitted"], self.appeals_admitted);
        row(rows, &["appeals_rejected"], self.appeals_rejected);
        row(rows, &["appeals_upheld_in_part"], self.appeals_upheld_in_part);
        row(rows, &["appeals_upheld"], self.appeals_upheld);
    }

    fn rows_of_contacts(&self, rows: &mut Vec<(String, String)>) {
        let from = [("sales", Contact::Sales), ("executive", Contact::Executive), ("authority", Contact::Authority)];
        let with = [("reviewer", Spoken::Reviewer), ("decider", Spoken::Decider), ("other", Spoken::Other)];
        for (from, contact) in from {
            for (with, spoken) in with {
                row(rows, &["contacts", from, with], of(&self.contacts, &(contact, spoken)));
            }
        }
    }

    /// As CSV (RFC 4180): `indicator,value`.
    pub fn csv(&self) -> String {
        let mut csv = "indicator,value\n".to_owned();
        for (indicator, value) in self.rows() {
            let quoted = indicator.contains([',', '"', '\n', '\r']);
            let indicator = if quoted { format!("\"{}\"", indicator.replace('"', "\"\"")) } else { indicator };
            let _ = writeln!(csv, "{indicator},{value}");
        }
        csv
    }

    /// The indicators in which another count says something else.
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let (one, other) = (self.rows(), other.rows());
        let value = |rows: &[(String, String)], of: &str| {
            rows.iter().find(|(indicator, _)| indicator == of).map_or(String::new(), |(_, value)| value.clone())
        };
        let mut seen = BTreeSet::new();
        let indicators = one.iter().chain(&other).map(|(indicator, _)| indicator);
        let indicators = indicators.filter(|indicator| seen.insert((*indicator).clone()));
        let difference = |indicator: &String| {
            let (one, other) = (value(&one, indicator), value(&other, indicator));
            (one != other).then(|| Difference { indicator: indicator.clone(), one, other })
        };
        indicators.filter_map(difference).collect()
    }
}

fn row(rows: &mut Vec<(String, String)>, name: &[&str], value: u64) {
    rows.push((name.join("/"), value.to_string()));
}

fn of<K: Ord>(numbers: &BTreeMap<K, u64>, key: &K) -> u64 {
    numbers.get(key).copied().unwrap_or_default()
}

fn one_more<K: Ord>(numbers: &mut BTreeMap<K, u64>, key: K) {
    *numbers.entry(key).or_default() += 1;
}

/// Events by what they are of, each history whole and in its order; the same event twice is one.
pub(crate) fn histories<'a, E: PartialEq>(
    events: impl IntoIterator<Item = &'a E>,
    place: impl Fn(&E) -> (String, u64),
) -> Result<BTreeMap<String, Vec<&'a E>>, Uncounted> {
    let mut histories: BTreeMap<String, BTreeMap<u64, &'a E>> = BTreeMap::new();
    for event in events {
        let (of, number) = place(event);
        let before = histories.entry(of.clone()).or_default().insert(number, event);
        if before.is_some_and(|before| before != event) {
            return Err(Uncounted::NotWhole(of, number));
        }
    }
    for (of, events) in &histories {
        if let Some((_, expected)) = events.keys().zip(1..).find(|(number, expected)| *number != expected) {
            return Err(Uncounted::NotWhole(of.clone(), expected));
        }
    }
    Ok(histories.into_iter().map(|(of, events)| (of, events.into_values().collect())).collect())
}

/// A year's last second.
pub(crate) fn moment_of_end(year: i64) -> Moment {
    Moment(Moment::start_of_year(year + 1).0 - 1)
}

/// The middle one, in whole days; of an even number, what lies between the two in the middle.
fn median_days(mut seconds: Vec<i64>) -> Option<i64> {
    seconds.sort_unstable();
    let upper = seconds.get(seconds.len() / 2)?;
    let lower = seconds.get((seconds.len() - 1) / 2)?;
    Some((lower + upper) / 2 / 86_400)
}

/// The numbers as far as they are counted.
struct Tally {
    counts: Counts,
    /// Seconds from the opening of each case to its first approved decision.
    to_decision: Vec<i64>,
}

impl Tally {
    fn is_in_year(&self, at: Moment) -> bool {
        at.year() == self.counts.year
    }

    fn end(&self) -> Moment {
        moment_of_end(self.counts.year)
    }

    fn report(&mut self, of: &str, events: &[&ReportEvent]) -> Result<(), Uncounted> {
        let received = events.first().and_then(|event| match event.deed {
            Deed::Receive { channel, .. } => Some((event.at, channel)),
            _ => None,
        });
        let Some((received, channel)) = received else { return Err(Uncounted::NoBeginning(of.to_owned())) };
        // What anonymous people do is dated by the day's end: what answers it the same day is not before it.
        let first = |is: fn(&Deed) -> bool| {
            events.iter().filter(|event| is(&event.deed)).map(|event| event.at.max(received)).min()
        };
        let acknowledged = (first(|deed| *deed == Deed::Acknowledge), received.plus_hours(ACKNOWLEDGE_HOURS));
        let triaged = (first(|deed| matches!(deed, Deed::Triage(_))), received.plus_hours(TRIAGE_HOURS));
        let told = (first(|deed| matches!(deed, Deed::Tell { .. })), received.plus_days(FEEDBACK_DAYS));
        if self.is_in_year(received) {
            one_more(&mut self.counts.reports_received, channel);
        }
        let asked =
            events.iter().filter(|event| matches!(event.deed, Deed::AskReview { .. }) && self.is_in_year(event.at));
        self.counts.reviews_asked += asked.count() as u64;
        let in_time = |(done, due): (Option<Moment>, Moment)| done.filter(|done| *done <= due);
        let counted = |done: Option<Moment>| u64::from(done.is_some_and(|done| self.is_in_year(done)));
        let (acknowledged_in_time, triaged_in_time) = (counted(in_time(acknowledged)), counted(in_time(triaged)));
        self.counts.reports_acknowledged_in_time += acknowledged_in_time;
        self.counts.reports_triaged_in_time += triaged_in_time;
        for (clock, times) in
            [("acknowledge a report", acknowledged), ("look at a report", triaged), ("tell who reported", told)]
        {
            if self.is_in_year(times.1) && in_time(times).is_none() {
                one_more(&mut self.counts.deadlines_missed, clock.to_owned());
            }
        }
        if channel == Channel::Employee {
            self.check_ins(received, events);
        }
        Ok(())
    }

    /// Who works here is to be asked after each term whether anybody made them suffer.
    fn check_ins(&mut self, received: Moment, events: &[&ReportEvent]) {
        for months in CHECK_IN_MONTHS {
            let due = check_in_from(received, months).plus_days(CHECK_IN_DAYS);
            let in_time = |event: &&ReportEvent| event.deed == Deed::CheckIn { months } && event.at <= due;
            if self.is_in_year(due) && !events.iter().any(in_time) {
                one_more(&mut self.counts.deadlines_missed, "ask an employee whether they suffered".to_owned());
            }
        }
    }

    fn case(&mut self, of: &str, events: &[&Event], procedures: &BTreeMap<Digest, Procedure>) -> Result<(), Uncounted> {
        let no_beginning = || Uncounted::NoBeginning(of.to_owned());
        let first = events.first().ok_or_else(no_beginning)?;
        let mut case = Case::opened_by(first).ok_or_else(no_beginning)?;
        let pack = case.opening.policy.2;
        let procedure = procedures.get(&pack).ok_or_else(|| Uncounted::UnknownPack(of.to_owned(), pack))?;
        let end = self.end();
        if case.opened > end {
            return Ok(());
        }
        self.event(&case, first, false, procedure);
        let mut decided = false;
        for event in events.iter().skip(1).take_while(|event| event.command.at <= end) {
            let before = has_come_about(&case, &event.command.act);
            case.apply(event, procedure);
            let now = !before && has_come_about(&case, &event.command.act);
            self.event(&case, event, now, procedure);
            if now && !decided && matches!(event.command.act, Act::Approve { .. }) {
                decided = true;
                if self.is_in_year(event.command.at) {
                    self.to_decision.push(event.command.at.0 - case.opened.0);
                }
            }
        }
        self.state(&case, procedure);
        Ok(())
    }

    /// One event of a case, which it has changed; `now` says that what needs two people has come about by it.
    fn event(&mut self, case: &Case, event: &Event, now: bool, procedure: &Procedure) {
        if !self.is_in_year(event.command.at) {
            return;
        }
        let counts = &mut self.counts;
        match &event.command.act {
            Act::Open(opening) => one_more(&mut counts.cases_opened, brought(&opening.sources)),
            Act::Close(_) => counts.cases_closed += 1,
            Act::GoOnIn { .. } => counts.cases_merged += 1,
            Act::Reopen { .. } => counts.cases_reopened += 1,
            Act::Determine(determination) => *counts.determination(determination) += 1,
            Act::Propose(decision) => one_more(&mut counts.decisions_proposed, intervention(case, &decision.id)),
            Act::Approve { decision, .. } if now => {
                one_more(&mut counts.decisions_approved, intervention(case, decision));
            }
            Act::Refuse { decision, .. } => one_more(&mut counts.decisions_refused, intervention(case, decision)),
            Act::TakeEffect { decision, .. } => {
                let emergency = case.decisions.get(decision).is_some_and(|decided| decided.decision.emergency);
                counts.emergencies += u64::from(emergency);
                let order = case.decisions.get(decision).map(|decided| &decided.decision.order);
                let restricts = matches!(order, Some(Order::Impose { intervention })
                    if procedure.intervention(intervention).is_some_and(|one| one.reach > Reach::Asks));
                counts.measures_taken += u64::from(restricts);
            }
            Act::WaiveHearing { .. } => counts.hearings_waived += u64::from(now),
            Act::DecideLeaving { choice, .. } if now => one_more(&mut counts.leaving_decided, left(choice)),
            Act::Appeal(appeal) => {
                counts.appeals_filed += 1;
                counts.appeals_late += u64::from(case.appeals.get(&appeal.id).is_some_and(|one| !one.in_time));
            }
            Act::AdmitAppeal { .. } => counts.appeals_admitted += u64::from(now),
            Act::DecideAppeal { outcome, .. } if now => *counts.appeal(*outcome) += 1,
            Act::Correct { .. } => counts.corrections += 1,
            Act::TellEmployees { .. } => counts.employees_told += 1,
            Act::NoteContact { from, with, .. } => one_more(&mut counts.contacts, (*from, spoken(case, with))),
            _ => {}
        }
    }

    /// A case as it stood when the year ended.
    fn state(&mut self, case: &Case, procedure: &Procedure) {
        let end = self.end();
        self.counts.cases_open += u64::from(case.phase == Phase::Open);
        self.counts.restrictions_in_force += case.in_force(end).count() as u64;
        for clock in clocks(case, procedure) {
            if self.is_in_year(clock.due) && clock.missed(end) {
                one_more(&mut self.counts.deadlines_missed, clock.kind);
            }
        }
        for decided in case.decisions.values().filter(|decided| decided.notice.is_some()) {
            if let Some((_, last)) = decided.compared.iter().rev().find(|(at, _)| self.is_in_year(*at)) {
                self.counts.kinds_of_use.add(last);
            }
        }
        for decided in case.decisions.values().filter(|decided| decided.decision.emergency) {
            let over = decided.effect.and(decided.ends).is_some_and(|ends| self.is_in_year(ends) && ends <= end);
            self.counts.emergencies_lapsed += u64::from(over && !was_lifted(case, &decided.decision.id));
        }
    }
}

impl Counts {
    fn determination(&mut self, determination: &Determination) -> &mut u64 {
        let answers: Vec<Established> = determination.elements.values().map(|one| one.answer).collect();
        if answers.contains(&Established::NotEstablished) {
            &mut self.determinations_not_established
        } else if answers.contains(&Established::Inconclusive) {
            &mut self.determinations_inconclusive
        } else {
            &mut self.determinations_established
        }
    }

    fn appeal(&mut self, outcome: AppealOutcome) -> &mut u64 {
        match outcome {
            AppealOutcome::Rejected => &mut self.appeals_rejected,
            AppealOutcome::UpheldInPart => &mut self.appeals_upheld_in_part,
            AppealOutcome::Upheld => &mut self.appeals_upheld,
        }
    }
}

/// Whether that which an act of one of several people works towards has come about.
fn has_come_about(case: &Case, act: &Act) -> bool {
    match act {
        Act::Approve { decision, .. } => {
            case.decisions.get(decision).is_some_and(|decided| decided.standing == Standing::Approved)
        }
        Act::WaiveHearing { .. } => case.hearing_waived.len() >= 2,
        Act::DecideLeaving { .. } => case.leaving.last().is_some_and(|noted| noted.choice.is_some()),
        Act::AdmitAppeal { id, .. } => case.appeals.get(id).is_some_and(|appealed| appealed.admitted.len() >= 2),
        Act::DecideAppeal { id, .. } => case.appeals.get(id).is_some_and(|appealed| appealed.outcome.is_some()),
        _ => false,
    }
}

fn left(choice: &Leaving) -> &'static str {
    match choice {
        Leaving::LetGo => "let-go",
        Leaving::HoldExport => "hold-export",
        Leaving::Preserve { .. } => "preserve",
    }
}

fn brought(sources: &BTreeSet<Source>) -> Brought {
    let finding = sources.iter().any(|source| matches!(source, Source::Finding { .. }));
    let report = sources.iter().any(|source| matches!(source, Source::Report { .. }));
    match (finding, report) {
        (true, true) => Brought::Both,
        (false, true) => Brought::Report,
        _ => Brought::Finding,
    }
}

/// The intervention that a decision orders, or that it lifts one.
fn intervention(case: &Case, decision: &DecisionId) -> String {
    match case.decisions.get(decision).map(|decided| &decided.decision.order) {
        Some(Order::Impose { intervention }) => intervention.to_string(),
        _ => "lift".to_owned(),
    }
}

fn spoken(case: &Case, with: &PersonId) -> Spoken {
    let is = |role: Role| case.parts.get(with).is_some_and(|part| part.roles.contains(&role));
    if is(Role::Decider) {
        Spoken::Decider
    } else if is(Role::Reviewer) {
        Spoken::Reviewer
    } else {
        Spoken::Other
    }
}

/// Whether a decision that took effect lifted all that another had switched off, before its time was over.
fn was_lifted(case: &Case, lifted: &DecisionId) -> bool {
    let ends = case.decisions.get(lifted).and_then(|decided| decided.ends);
    case.decisions.values().any(|other| {
        let lifts = matches!(&other.decision.order, Order::Lift { decision } if decision == lifted);
        let before = other.effect.zip(ends).is_some_and(|(effect, ends)| effect < ends);
        lifts && before && other.decision.targets.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::act::{Appeal, Decision};
    use crate::report::Triage;
    use crate::stage::{
        START, Stage, closing, decision, item, lift, name, procedure, serve, target, tell_employees, text,
    };
    use crate::words::Switch;
    use crate::words::{Actor, Standard};
    use proptest::prelude::*;

    fn procedures() -> BTreeMap<Digest, Procedure> {
        BTreeMap::from([(text("pack"), procedure())])
    }

    fn count(year: i64, cases: &[Event], reports: &[ReportEvent]) -> Counts {
        Counts::of(year, cases, reports, &procedures()).unwrap()
    }

    /// The events of a stage as those of another case.
    fn as_case(stage: &Stage, id: &str) -> Vec<Event> {
        stage.events.iter().map(|event| Event { case: name(id), ..event.clone() }).collect()
    }

    fn report(id: &str, channel: Channel, deeds: &[(i64, Deed)]) -> Vec<ReportEvent> {
        let received = Deed::Receive { channel, text: text(id), parts: BTreeSet::new(), keep_from: BTreeSet::new() };
        let deeds = std::iter::once((0, received)).chain(deeds.iter().cloned());
        let event = |(number, (hours, deed)): (u64, (i64, Deed))| ReportEvent {
            report: name(id),
            number,
            id: name(&format!("{id}-{number}")),
            at: START.plus_hours(hours),
            by: Some(Actor::Person(name("ines"))),
            deed,
        };
        (1..).zip(deeds).map(event).collect()
    }

    fn outside() -> Deed {
        Deed::Triage(Triage::Outside { reason: text("no") })
    }

    fn approved(stage: &mut Stage, decision: Decision) {
        let id = decision.id.to_string();
        stage.must("ann", Act::Propose(decision));
        stage.approve(&id);
        stage.must("ivy", Act::ConfirmSafe { text: text(&id), written_by: name("ann") });
        stage.must("ann", serve(&id, &id));
    }

    /// Each of another target: one that an emergency held is decided.
    fn emergency(id: &str) -> Decision {
        let (account, service) = match id {
            "d1" => ("a1", "object-storage"),
            "d2" => ("a1", "speech"),
            _ => ("a2", "speech"),
        };
        let targets = [target(account, service, &[Switch::Write])];
        Decision { emergency: true, review: None, ..decision(id, "read-only", &targets) }
    }

    /// Contacts of each kind, a hearing waived, and three emergencies: one that lapses, one that is lifted, one refused.
    fn emergencies() -> Stage {
        let mut stage = Stage::set();
        for (from, with) in [(Contact::Sales, "ann"), (Contact::Authority, "ben"), (Contact::Executive, "hal")] {
            stage.must("ann", Act::NoteContact { from, with: name(with), about: text("lunch") });
        }
        for decider in ["ben", "cleo"] {
            stage.must(decider, Act::WaiveHearing { reason: text("flight") });
        }
        stage.must("ann", stage.determination(Standard::ReasonableSuspicion));
        for id in ["d1", "d2"] {
            approved(&mut stage, emergency(id));
            stage.must("tribune", stage.effect(id));
        }
        stage.must("ann", Act::Propose(emergency("d3")));
        stage.must("ben", Act::Refuse { decision: name("d3"), reason: text("no") });
        stage.later(1);
        stage.must("ann", Act::Propose(lift("d4", "d2", &[])));
        stage.approve("d4");
        stage.must("tribune", stage.effect("d4"));
        stage.later(10);
        stage.must("tribune", Act::RunOut { decision: name("d1") });
        stage
    }

    /// One decision in effect, appealed in time and too late, checked, closed, corrected and reopened.
    fn whole() -> Stage {
        let mut stage = Stage::in_effect();
        let appeal = |id: &str| Act::Appeal(Appeal { id: name(id), decision: name("d1"), ground: text("ground") });
        let vote = |id: &str, outcome| Act::DecideAppeal { id: name(id), outcome, reasons: text("reasons") };
        stage.must("customer", appeal("p1"));
        for panel in ["eve", "fay"] {
            stage.must(panel, vote("p1", AppealOutcome::Rejected));
        }
        for days in [30, 90, 180] {
            stage.later(61);
            let (use_ended, rest_as_before) = (true, true);
            stage.must("ann", Act::Check { decision: name("d1"), days, use_ended, rest_as_before });
        }
        stage.later(10);
        stage.must("customer", appeal("p2"));
        for panel in ["eve", "fay"] {
            stage.must(panel, Act::AdmitAppeal { id: name("p2"), reason: text("ill") });
        }
        for panel in ["eve", "fay"] {
            stage.must(panel, vote("p2", AppealOutcome::Rejected));
        }
        stage.must("ann", Act::Close(closing()));
        stage.safe("to employees");
        stage.must("ann", tell_employees("to employees"));
        stage
    }

    #[test]
    fn nothing_happened_in_a_year_without_events() {
        let counts = count(2025, &emergencies().events, &report("r1", Channel::Named, &[]));
        assert_eq!(counts, Counts { year: 2025, ..Counts::default() });
        assert!(counts.rows().iter().skip(1).all(|(_, value)| value == "0" || value.is_empty()));
    }

    #[test]
    fn emergencies_contacts_and_waivers_are_counted_once() {
        let counts = count(2026, &emergencies().events, &[]);
        assert_eq!((counts.emergencies, counts.emergencies_lapsed, counts.hearings_waived), (2, 1, 1));
        let number = |name: &str, number: u64| (name.to_owned(), number);
        assert_eq!(counts.decisions_proposed, BTreeMap::from([number("lift", 1), number("read-only", 3)]));
        assert_eq!(counts.decisions_approved, BTreeMap::from([number("lift", 1), number("read-only", 2)]));
        assert_eq!(counts.decisions_refused, BTreeMap::from([number("read-only", 1)]));
        let contacts = [
            ((Contact::Sales, Spoken::Reviewer), 1),
            ((Contact::Authority, Spoken::Decider), 1),
            ((Contact::Executive, Spoken::Other), 1),
        ];
        assert_eq!(counts.contacts, BTreeMap::from(contacts));
        assert_eq!((counts.cases_open, counts.restrictions_in_force), (1, 0));
        assert_eq!(counts.determinations_established, 1);
    }

    #[test]
    fn what_two_decide_about_data_that_leaves_is_counted_once_each_time() {
        let mut stage = Stage::set();
        let orders = [Leaving::LetGo, Leaving::Preserve { order: text("an order") }, Leaving::LetGo];
        for choice in orders {
            stage.must("tribune", Act::NoteLeaving { finding: text("leaves") });
            for decider in ["ben", "cleo"] {
                stage.must(decider, Act::DecideLeaving { choice: choice.clone(), reasons: text("harm") });
            }
        }
        stage.must("tribune", Act::NoteLeaving { finding: text("leaves") });
        stage.must("ben", Act::DecideLeaving { choice: Leaving::HoldExport, reasons: text("harm") });
        let counts = count(2026, &stage.events, &[]);
        assert_eq!(counts.leaving_decided, BTreeMap::from([("let-go", 2), ("preserve", 1)]));
    }

    #[test]
    fn a_whole_review_is_counted_from_its_opening_to_its_end() {
        let mut stage = whole();
        let counts = count(2026, &stage.events, &[]);
        assert_eq!(counts.cases_opened, BTreeMap::from([(Brought::Finding, 1)]));
        assert_eq!((counts.cases_closed, counts.cases_open, counts.cases_reopened), (1, 0, 0));
        assert_eq!((counts.appeals_filed, counts.appeals_late, counts.appeals_admitted), (2, 1, 1));
        assert_eq!((counts.appeals_rejected, counts.appeals_upheld, counts.appeals_upheld_in_part), (2, 0, 0));
        assert_eq!(counts.median_days_to_decision, Some(15));
        let late = counts.deadlines_missed.get("tell employees");
        assert_eq!((counts.employees_told, late), (1, Some(&1)), "of the statement much later than of the end");
        assert_eq!(counts.restrictions_in_force, 1, "a closed case may leave a restriction");
        // What comes after the closing: nothing that was in time is late by it.
        let before = counts.deadlines_missed;
        stage.later(20);
        stage.safe("correction");
        stage.must("ann", Act::Correct { statement: text("statement"), correction: text("correction") });
        stage.safe("to employees, once more");
        stage.must("ann", tell_employees("to employees, once more"));
        let after = count(2026, &stage.events, &[]);
        assert_eq!((after.deadlines_missed, after.employees_told), (before, 2));
        stage.must("ines", item("new", crate::procedure::Basis::Document, "leak"));
        stage.must("ines", Act::Reopen { material: name("new") });
        let counts = count(2026, &stage.events, &[]);
        assert_eq!((counts.corrections, counts.cases_reopened, counts.cases_open), (1, 1, 1));
    }

    #[test]
    fn a_year_that_is_over_counts_the_same_whatever_comes_after() {
        let mut stage = Stage::in_effect();
        let counts = count(2026, &stage.events, &[]);
        assert_eq!(counts.deadlines_missed.get("check after 90 days"), Some(&1));
        stage.now = Moment::start_of_year(2027);
        let (use_ended, rest_as_before) = (true, true);
        stage.must("ann", Act::Check { decision: name("d1"), days: 90, use_ended, rest_as_before });
        stage.must("ann", Act::Propose(lift("d2", "d1", &[])));
        stage.approve("d2");
        stage.must("tribune", stage.effect("d2"));
        assert_eq!(count(2026, &stage.events, &[]), counts);
        let next = count(2027, &stage.events, &[]);
        assert_eq!((next.decisions_approved.get("lift"), next.restrictions_in_force), (Some(&1), 0));
        assert_eq!(next.cases_opened, BTreeMap::new());
        assert_eq!(next.median_days_to_decision, None, "its first decision was the year before");
    }

    #[test]
    fn reports_are_in_time_or_missed_by_the_hour() {
        let reports = [
            report("r1", Channel::Anonymous, &[(24, Deed::Acknowledge), (72, outside())]),
            report("r2", Channel::Machine, &[(25, Deed::Acknowledge), (73, outside()), (90 * 24, tell())]),
            report("r3", Channel::Anonymous, &[(-1, Deed::Acknowledge)]),
        ]
        .concat();
        let counts = count(2026, &[], &reports);
        assert_eq!(counts.reports_received, BTreeMap::from([(Channel::Anonymous, 2), (Channel::Machine, 1)]));
        assert_eq!((counts.reports_acknowledged_in_time, counts.reports_triaged_in_time), (2, 1));
        let missed = [("acknowledge a report", 1), ("look at a report", 2), ("tell who reported", 2)];
        assert_eq!(counts.deadlines_missed, missed.map(|(clock, number)| (clock.to_owned(), number)).into());
    }

    #[test]
    fn a_question_to_an_employee_is_in_time_or_missed() {
        let hours = |at: Moment| (at.0 - START.0) / 3_600;
        // At the midnight after it is time.
        let ask = |months: u8, late: i64| {
            (hours(check_in_from(START, months).plus_days(late)) + 12, Deed::CheckIn { months })
        };
        let missed = |deeds: &[(i64, Deed)]| {
            let acknowledged = [(24, Deed::Acknowledge), (72, outside()), (24 * 80, tell())];
            let year = count(2026, &[], &report("r1", Channel::Employee, &[&acknowledged, deeds].concat()));
            year.deadlines_missed.get("ask an employee whether they suffered").copied().unwrap_or_default()
        };
        // The third term ends the year after.
        assert_eq!(missed(&[ask(1, 0), ask(3, 6)]), 0);
        assert_eq!(missed(&[ask(1, 0), ask(3, 7)]), 1);
        assert_eq!(missed(&[]), 2);
        let others = count(2026, &[], &report("r1", Channel::Named, &[]));
        assert!(!others.deadlines_missed.contains_key("ask an employee whether they suffered"));
    }

    fn tell() -> Deed {
        Deed::Tell { text: text("what came of it") }
    }

    #[test]
    fn events_that_are_not_all_there_are_not_counted() {
        let events = Stage::set().events;
        let refused = |events: &[Event]| Counts::of(2026, events, &[], &procedures()).unwrap_err();
        assert_eq!(refused(&events[1..]), Uncounted::NotWhole("case case-1".into(), 1));
        assert_eq!(refused(&[&events[..3], &events[4..]].concat()), Uncounted::NotWhole("case case-1".into(), 4));
        let forged = Event { number: 2, ..events[2].clone() };
        assert_eq!(refused(&[&events[..], &[forged]].concat()), Uncounted::NotWhole("case case-1".into(), 2));
        let headless = Event { number: 1, ..events[2].clone() };
        assert_eq!(refused(&[headless]), Uncounted::NoBeginning("case case-1".into()));
        let none = Counts::of(2026, &events, &[], &BTreeMap::new());
        assert_eq!(none, Err(Uncounted::UnknownPack("case case-1".into(), text("pack"))));
    }

    #[test]
    fn two_counts_say_in_what_they_differ() {
        let one = count(2026, &emergencies().events, &[]);
        assert_eq!(one.differences(&one.clone()), []);
        let mut other = Counts { appeals_late: 1, ..one.clone() };
        other.decisions_refused.clear();
        let difference = |indicator: &str, one: &str, other: &str| Difference {
            indicator: indicator.into(),
            one: one.into(),
            other: other.into(),
        };
        let refused = difference("decisions_refused/read-only", "1", "");
        assert_eq!(one.differences(&other), [refused, difference("appeals_late", "0", "1")]);
    }

    #[test]
    fn the_csv_has_two_columns_and_quotes_what_needs_it() {
        let mut counts = count(2026, &whole().events, &[]);
        counts.deadlines_missed.insert("facts, \"all\" of them".into(), 3);
        let csv = counts.csv();
        assert!(csv.starts_with("indicator,value\nyear,2026\nreports_received/anonymous,0\n"), "{csv}");
        assert!(csv.contains("\n\"deadlines_missed/facts, \"\"all\"\" of them\",3\n"), "{csv}");
        assert!(csv.contains("\ncontacts/authority/decider,0\n") && csv.ends_with("median_days_to_decision,15\n"));
    }

    #[test]
    fn the_median_lies_between_the_two_in_the_middle() {
        let days = |days: &[i64]| median_days(days.iter().map(|day| day * 86_400).collect());
        assert_eq!((days(&[]), days(&[7])), (None, Some(7)));
        assert_eq!((days(&[9, 1, 5]), days(&[10, 2, 4, 90])), (Some(5), Some(7)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// What adds up does: the numbers of two halves of the cases and reports are those of the whole, in any order.
        #[test]
        fn two_halves_count_as_the_whole(
            sides in proptest::collection::vec((0..3_u8, any::<bool>()), 0..6),
            turn in any::<prop::sample::Index>(),
        ) {
            let stages = [emergencies(), whole(), Stage::in_effect()];
            let (mut left, mut right, mut reports) = (Vec::new(), Vec::new(), [Vec::new(), Vec::new()]);
            for (place, (which, side)) in sides.iter().enumerate() {
                let case = as_case(&stages[usize::from(*which)], &format!("case-{place}"));
                if *side { left.extend(case) } else { right.extend(case) }
                let deeds = [(i64::from(*which) * 20, Deed::Acknowledge), (50, outside())];
                reports[usize::from(*side)].extend(report(&format!("r{place}"), Channel::Employee, &deeds));
            }
            let mut all = [left.clone(), right.clone()].concat();
            if !all.is_empty() {
                let middle = turn.index(all.len());
                all.rotate_left(middle);
            }
            let whole = count(2026, &all, &reports.concat());
            let [one, other] = [count(2026, &right, &reports[0]), count(2026, &left, &reports[1])].map(|half| numbers(&half));
            for (indicator, value) in numbers(&whole) {
                let sum = one.get(&indicator).unwrap_or(&0) + other.get(&indicator).unwrap_or(&0);
                prop_assert_eq!(sum, value, "{}", indicator);
            }
        }
    }

    /// The numbers that add up.
    fn numbers(counts: &Counts) -> BTreeMap<String, u64> {
        let rows = counts.rows().into_iter();
        let additive = rows.filter(|(indicator, _)| indicator != "year" && indicator != "median_days_to_decision");
        additive.map(|(indicator, value)| (indicator, value.parse().unwrap())).collect()
    }
}
