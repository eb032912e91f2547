//! The clocks of a case: what is due by when, and whether it was in time. Missed ones are published as numbers.
//!
//! It decides nothing and stops nothing: a clock that ran out shows, and the step is still to be done.

use crate::act::DeclaredUse;
use crate::case::{APPEAL_MONTHS, CHECK_DAYS, Case, LEAVING_HOURS, Phase, Standing};
use crate::procedure::Procedure;
use crate::words::Moment;

/// Days after the opening within which an interim measure is decided on (good practice; grounding §5).
pub const INTERIM_DAYS: i64 = 10;
/// Days after the opening within which a preliminary statement is due.
pub const PRELIMINARY_DAYS: i64 = 30;
/// Days after the opening within which the final one is due.
pub const FINAL_DAYS: i64 = 180;
/// Days within which the provider's own people are told what was made known: they should not learn it from others only.
pub const EMPLOYEES_DAYS: i64 = 14;
/// Within so many days what an appeal undoes is undone: our choice, as no law names one.
pub const CARRY_OUT_DAYS: i64 = 3;

/// Something that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// What, for people.
    pub what: String,
    /// What it is counted as: the same, whichever decision or appeal it is about.
    pub kind: String,
    /// By when.
    pub due: Moment,
    /// When it was done, if it was.
    pub done: Option<Moment>,
}

impl Clock {
    /// Whether it ran out: done too late, or not done although it is time.
    pub fn missed(&self, now: Moment) -> bool {
        self.done.unwrap_or(now) > self.due
    }
}

/// All clocks of a case, the one that is due first in front.
pub fn clocks(case: &Case, procedure: &Procedure) -> Vec<Clock> {
    let mut clocks: Vec<Clock> = Vec::new();
    let mut clock = |kind: &str, of: &str, due: Moment, done: Option<Moment>| {
        let what = if of.is_empty() { kind.to_owned() } else { format!("{kind}: {of}") };
        clocks.push(Clock { what, kind: kind.to_owned(), due, done });
    };
    for step in &procedure.steps {
        clock(&step.title, "", case.opened.plus_days(step.due_days), case.steps.get(&step.id).copied());
    }
    let proposed = case.decisions.values().map(|decided| decided.proposed).min();
    let determined = case.determinations.first().map(|determined| determined.at);
    let ended = match case.phase {
        Phase::Open => None,
        Phase::Closed => case.closings.last().map(|(at, ..)| *at),
        Phase::Merged(_) => Some(case.last),
    };
    let interim = "decide whether an interim measure is needed";
    clock(interim, "", case.opened.plus_days(INTERIM_DAYS), proposed.or(ended));
    clock("preliminary statement", "", case.opened.plus_days(PRELIMINARY_DAYS), determined.or(ended));
    let last = case.determinations.last().map(|determined| determined.at).filter(|_| case.determinations.len() > 1);
    clock("final statement", "", case.opened.plus_days(FINAL_DAYS), last.or(ended));
    for question in case.questions.values() {
        // What the customer does late is not late of us.
        let done = question.answered.map(|at| at.min(question.until));
        clock("the customer's answer", "", question.until, done);
    }
    for noted in &case.leaving {
        let done = noted.choice.as_ref().and(noted.decided);
        clock("two decide about the data that leaves", "", noted.noted.plus_hours(LEAVING_HOURS), done);
    }
    for (id, decided) in &case.decisions {
        let Some(effect) = decided.effect.filter(|_| decided.standing != Standing::Refused) else { continue };
        for days in CHECK_DAYS {
            let done = decided.checks.get(&days).copied();
            let over = (decided.standing == Standing::Over).then_some(effect);
            let kind = format!("check after {days} days");
            clock(&kind, id.as_str(), effect.plus_days(i64::from(days)), done.or(over));
        }
        if let Some(task) = &decided.task {
            clock("end what people do", id.as_str(), task.due, task.attested);
        }
        for (due, looked) in &decided.looked {
            clock("look again at a decision", id.as_str(), *due, Some(*looked));
        }
        if let Some(review) = decided.review.filter(|_| decided.standing == Standing::InEffect) {
            clock("look again at a decision", id.as_str(), review, None);
        }
    }
    if let Some(until) = limit(case).map(|(_, until)| until) {
        clock("look again at a declared use", "", until, None);
    }
    for known in &case.made_known {
        clock("tell employees", "", known.at.plus_days(EMPLOYEES_DAYS), known.told);
    }
    for (id, appealed) in &case.appeals {
        clock("decide an appeal", id.as_str(), appealed.filed.plus_days(30), appealed.decided);
        if let Some(decided) = appealed.decided.filter(|_| case.upholds(appealed)) {
            clock("carry out an appeal", id.as_str(), decided.plus_days(CARRY_OUT_DAYS), None);
        }
    }
    clocks.sort_by_key(|clock| clock.due);
    clocks
}

/// The limit under which a declared use was let go on: calls an hour at most, and until when.
pub fn limit(case: &Case) -> Option<(i64, Moment)> {
    let (_, _, closing) = case.closings.last().filter(|_| case.phase == Phase::Closed)?;
    match closing.declared_use {
        Some(DeclaredUse::Conditions { calls_per_hour, until }) => Some((calls_per_hour, until)),
        _ => None,
    }
}

/// Until when a decision can be appealed; none before its statement is served.
pub fn appeal_until(served: Option<Moment>) -> Option<Moment> {
    served.map(|served| served.end_of_months(APPEAL_MONTHS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::act::Act;
    use crate::stage::{Stage, name, text};

    #[test]
    fn an_answer_is_done_on_the_day_it_came_and_one_that_came_late_is_not_late_of_us() {
        let done = |stage: &Stage| {
            let all = clocks(stage.case(), &stage.procedure);
            all.iter().find(|clock| clock.kind == "the customer's answer").unwrap().done
        };
        let answer = |of: &str| Act::Answer { id: name("q1"), text: Some(text(of)) };
        let mut stage = Stage::set();
        stage.ask();
        assert_eq!(done(&stage), None);
        stage.later(3);
        let came = stage.now;
        stage.must("customer", answer("the first"));
        stage.later(2);
        stage.must("customer", answer("another"));
        assert_eq!(done(&stage), Some(came));
        let mut late = Stage::set();
        late.ask();
        let until = late.case().questions[&name("q1")].until;
        late.later(20);
        late.must("customer", answer("late"));
        assert_eq!(done(&late), Some(until));
    }
}
