//! What a case waits for: for which step, whose turn it is, and from when on. Lists and overviews are made of it.
//!
//! It decides nothing and is no rule: whether somebody may take the turn is asked of [`crate::rules`] when they do. It
//! knows no time of day; what waits for a later moment says from when.

use crate::act::Order;
use crate::case::{CHECK_DAYS, Case, Decided, LEAVING_HOURS, Part, Phase, Standing};
use crate::clocks::{CARRY_OUT_DAYS, EMPLOYEES_DAYS};
use crate::procedure::Procedure;
use crate::words::{Moment, PersonId, Role};
use std::collections::BTreeSet;

/// What kind of thing is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Awaited {
    /// Somebody with a part in it.
    People,
    /// Somebody's word on conflicts.
    Declaration,
    /// A step of the procedure.
    Step,
    /// The customer: a question to it, or its answer.
    Hearing,
    /// The elements' answers.
    Determination,
    /// A decision to propose, or the end.
    Proposal,
    /// Approvals.
    Approval,
    /// The statement of reasons.
    Notice,
    /// Employees, to be told what was made known.
    Employees,
    /// The effect.
    Effect,
    /// What people are to end.
    Task,
    /// A check, or another look at what is in force.
    Check,
    /// Two people's word on data that leaves.
    Leaving,
    /// Where the use may have come back.
    FollowUp,
    /// An appeal.
    Appeal,
    /// An answer to what went up.
    Escalation,
}

impl Awaited {
    /// All of them, in the order of a review.
    pub const ALL: [Self; 16] = [
        Self::People,
        Self::Declaration,
        Self::Step,
        Self::Hearing,
        Self::Determination,
        Self::Proposal,
        Self::Approval,
        Self::Notice,
        Self::Employees,
        Self::Effect,
        Self::Task,
        Self::Check,
        Self::Leaving,
        Self::FollowUp,
        Self::Appeal,
        Self::Escalation,
    ];

    /// As it is written in an address.
    pub const fn name(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Declaration => "declaration",
            Self::Step => "step",
            Self::Hearing => "hearing",
            Self::Determination => "determination",
            Self::Proposal => "proposal",
            Self::Approval => "approval",
            Self::Notice => "notice",
            Self::Employees => "employees",
            Self::Effect => "effect",
            Self::Task => "task",
            Self::Check => "check",
            Self::Leaving => "leaving",
            Self::FollowUp => "follow-up",
            Self::Appeal => "appeal",
            Self::Escalation => "escalation",
        }
    }

    /// For people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::People => "people with a part in it",
            Self::Declaration => "a word on conflicts",
            Self::Step => "a step",
            Self::Hearing => "the customer’s hearing",
            Self::Determination => "a determination",
            Self::Proposal => "a decision, or the end",
            Self::Approval => "approvals",
            Self::Notice => "the statement of reasons",
            Self::Employees => "employees, to be told",
            Self::Effect => "its effect",
            Self::Task => "what people are to end",
            Self::Check => "a check",
            Self::Leaving => "a word on data that leaves",
            Self::FollowUp => "a follow-up",
            Self::Appeal => "an appeal",
            Self::Escalation => "an answer to what went up",
        }
    }
}

/// Whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Anybody's who has this role in the case, but for those who took it already or may not.
    Of(Role, BTreeSet<PersonId>),
    /// One person's.
    Person(PersonId),
    /// The customer's.
    Customer,
}

/// Something that is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What kind of thing.
    pub awaited: Awaited,
    /// What, for people.
    pub what: String,
    /// Whose turn it is.
    pub turn: Turn,
    /// From when on.
    pub from: Moment,
    /// By when.
    pub due: Option<Moment>,
}

impl Wait {
    /// Whether it is this person's turn now, as the case knows them.
    pub fn is_for(&self, person: &PersonId, case: &Case, now: Moment) -> bool {
        let roles = case.parts.get(person).filter(|part| !part.released).map(|part| &part.roles);
        self.is_for_roles(person, |role| roles.is_some_and(|roles| roles.contains(&role)), now)
    }

    /// The same, of somebody of whom is known what they are in the case.
    pub fn is_for_roles(&self, person: &PersonId, has: impl Fn(Role) -> bool, now: Moment) -> bool {
        self.from <= now
            && match &self.turn {
                Turn::Of(role, but) => has(*role) && !but.contains(person),
                Turn::Person(one) => one == person,
                Turn::Customer => false,
            }
    }
}

/// Everything that a case waits for, in the order of a review. A case that is over waits for nothing.
pub fn waits(case: &Case, procedure: &Procedure) -> Vec<Wait> {
    if case.phase != Phase::Open {
        return Vec::new();
    }
    let mut waits = Waits { case, procedure, all: Vec::new() };
    waits.people();
    waits.proof();
    for decided in case.decisions.values() {
        waits.decision(decided);
    }
    waits.rest();
    waits.put_off();
    waits.escalated();
    waits.all.sort_by_key(|wait| wait.awaited);
    waits.all
}

struct Waits<'a> {
    case: &'a Case,
    procedure: &'a Procedure,
    all: Vec<Wait>,
}

impl Waits<'_> {
    fn add(&mut self, awaited: Awaited, what: impl Into<String>, turn: Turn, from: Moment, due: Option<Moment>) {
        self.all.push(Wait { awaited, what: what.into(), turn, from, due });
    }

    fn people(&mut self) {
        let reviewer = || Turn::Of(Role::Reviewer, BTreeSet::new());
        let opened = self.case.opened;
        let there = |role: Role| self.case.parts.values().any(|part| !part.released && part.roles.contains(&role));
        if !there(Role::Reviewer) {
            self.add(Awaited::People, "somebody who carries it", reviewer(), opened, None);
        }
        for (person, part) in self.case.parts.iter().filter(|(_, part)| !part.released && !part.roles.is_empty()) {
            match part.declared {
                None => {
                    let what = format!("{person} says whether they have a conflict");
                    self.add(Awaited::Declaration, what, Turn::Person(person.clone()), opened, None);
                }
                Some(Some(_)) => {
                    let what = format!("somebody in place of {person}, who has a conflict");
                    self.add(Awaited::People, what, reviewer(), opened, None);
                }
                Some(None) => {}
            }
        }
    }

    fn proof(&mut self) {
        let (case, opened) = (self.case, self.case.opened);
        let missing: Vec<_> = self.procedure.steps.iter().filter(|step| !case.steps.contains_key(&step.id)).collect();
        for step in &missing {
            let turn = Turn::Of(step.by, BTreeSet::new());
            self.add(Awaited::Step, &*step.title, turn, opened, Some(opened.plus_days(step.due_days)));
        }
        let reviewer = || Turn::Of(Role::Reviewer, BTreeSet::new());
        let determined = case.standing_determination().is_some();
        if !case.is_declared_use() && case.questions.is_empty() && case.hearing_waived.len() < 2 && !determined {
            self.add(Awaited::Hearing, "questions to the customer", reviewer(), opened, None);
        }
        for (id, question) in &case.questions {
            match question.answer {
                None if !determined => {
                    let what = format!("the customer’s answer to {id}");
                    self.add(Awaited::Hearing, what, Turn::Customer, question.asked, Some(question.until));
                }
                Some(answer) if !determined => {
                    let what =
                        if answer.is_some() { "what the customer answered" } else { "that the customer refused" };
                    self.add(Awaited::Hearing, format!("weighing {what} to {id}"), reviewer(), question.asked, None);
                }
                _ => {}
            }
        }
        if case.is_declared_use() {
            return self.declared_use(missing.is_empty());
        }
        if !determined && missing.is_empty() {
            self.add(Awaited::Determination, "an answer to every element", reviewer(), opened, None);
        }
        let pending = |decided: &Decided| !matches!(decided.standing, Standing::Refused | Standing::Over);
        let appealed = case.appeals.values().any(|appealed| appealed.outcome.is_none());
        if let Some((_, determined)) = case.standing_determination()
            && !case.decisions.values().any(pending)
            && !appealed
        {
            self.add(Awaited::Proposal, "a decision, or the end of the case", reviewer(), determined.at, None);
        }
    }

    /// Whether it may go on is for two to say, once every step is done; then it ends.
    fn declared_use(&mut self, steps_done: bool) {
        let (case, opened) = (self.case, self.case.opened);
        if case.decided_use().is_some() {
            let turn = Turn::Of(Role::Reviewer, BTreeSet::new());
            self.add(Awaited::Proposal, "the end of the case", turn, opened, None);
        } else if steps_done {
            let turn = Turn::Of(Role::Decider, case.use_votes.keys().cloned().collect());
            self.add(Awaited::Approval, "two people’s word on the declared use", turn, opened, None);
        }
    }

    fn decision(&mut self, decided: &Decided) {
        let id = &decided.decision.id;
        let reviewer = || Turn::Of(Role::Reviewer, BTreeSet::new());
        match (decided.standing, &decided.decision.order) {
            (Standing::Proposed, _) => self.approvals(decided),
            (Standing::Approved, Order::Impose { .. }) => match decided.notice {
                None => {
                    let last = self.case.last;
                    let what = format!("the statement of reasons of {id}");
                    self.add(Awaited::Notice, what, reviewer(), decided.proposed.min(last), None);
                }
                Some(notice) => {
                    let hours = decided.decision.respite.notice_hours;
                    self.effect(decided, notice.at.plus_hours(hours.into()));
                }
            },
            (Standing::Approved, Order::Lift { .. }) => self.effect(decided, decided.proposed),
            (Standing::InEffect, order) => self.in_effect(decided, order),
            (Standing::Refused | Standing::Over, _) => {}
        }
    }

    fn approvals(&mut self, decided: &Decided) {
        let id = &decided.decision.id;
        let but: BTreeSet<PersonId> = decided.approvals.keys().chain([&decided.by]).cloned().collect();
        let may = self.case.parts.iter().filter(|(person, part)| {
            !part.released
                && part.roles.contains(&Role::Decider)
                && part.declared.flatten().is_none()
                && !but.contains(*person)
        });
        let (may, missing) = (may.count(), self.procedure.approvals.saturating_sub(decided.approvals.len()));
        if may < missing {
            let what = format!("{} more who decide, for {id}", missing - may);
            let turn = Turn::Of(Role::Reviewer, BTreeSet::new());
            self.add(Awaited::People, what, turn, decided.proposed, None);
        }
        let plural = if missing == 1 { "approval" } else { "approvals" };
        let what = format!("{missing} {plural} of {id}");
        self.add(Awaited::Approval, what, Turn::Of(Role::Decider, but), decided.proposed, None);
    }

    fn effect(&mut self, decided: &Decided, from: Moment) {
        let what = format!("the effect of {}", decided.decision.id);
        self.add(Awaited::Effect, what, Turn::Of(Role::GateEngineer, BTreeSet::new()), from, None);
    }

    fn in_effect(&mut self, decided: &Decided, order: &Order) {
        let id = &decided.decision.id;
        let reviewer = || Turn::Of(Role::Reviewer, BTreeSet::new());
        let Some(effect) = decided.effect else { return };
        if let Some(ends) = decided.ends {
            self.add(Awaited::Check, format!("the end of {id}"), reviewer(), ends, None);
        }
        for days in CHECK_DAYS.into_iter().filter(|days| !decided.checks.contains_key(days)) {
            let from = effect.plus_days(i64::from(days));
            self.add(Awaited::Check, format!("the check of {id} after {days} days"), reviewer(), from, Some(from));
        }
        if let Some(review) = decided.review {
            self.add(Awaited::Check, format!("another look at {id}"), reviewer(), review, Some(review));
        }
        let by_people = match order {
            Order::Impose { intervention } => self.procedure.intervention(intervention).is_some_and(|one| one.task),
            Order::Lift { .. } => false,
        };
        match &decided.task {
            None if by_people => {
                let what = format!("somebody who ends what {id} has people end");
                self.add(Awaited::Task, what, reviewer(), effect, None);
            }
            Some(task) if task.attested.is_none() => {
                let what = format!("{}’s word that what {id} orders is done", task.of);
                self.add(Awaited::Task, what, Turn::Person(task.of.clone()), effect, Some(task.due));
            }
            _ => {}
        }
    }

    /// What is put off waits for its day.
    fn put_off(&mut self) {
        if let Some(held) = self.case.held {
            self.all.iter_mut().for_each(|wait| wait.from = wait.from.max(held.until));
        }
    }

    /// What went up waits for those whom it went to, whether the case is put off or not.
    fn escalated(&mut self) {
        for one in self.case.escalated() {
            let role = one.to.name().replace('-', " ");
            let there = |part: &Part| !part.released && part.roles.contains(&one.to) && part.declared == Some(None);
            if !self.case.parts.values().any(there) {
                let what = format!("somebody as {role}, to whom a question went up");
                self.add(Awaited::People, what, Turn::Of(Role::Reviewer, BTreeSet::new()), one.at, None);
            }
            let what = format!("an answer of {role} to what {} asks", one.by);
            self.add(Awaited::Escalation, what, Turn::Of(one.to, BTreeSet::new()), one.at, None);
        }
    }

    fn rest(&mut self) {
        if let Some(known) = self.case.made_known.iter().find(|known| known.told.is_none()) {
            let (turn, due) = (Turn::Of(Role::Reviewer, BTreeSet::new()), known.at.plus_days(EMPLOYEES_DAYS));
            self.add(Awaited::Employees, "telling employees what was made known", turn, known.at, Some(due));
        }
        for noted in self.case.leaving.iter().filter(|noted| noted.choice.is_none()) {
            let turn = Turn::Of(Role::Decider, noted.votes.keys().cloned().collect());
            let due = noted.noted.plus_hours(LEAVING_HOURS);
            self.add(Awaited::Leaving, "two people’s word on the data that leaves", turn, noted.noted, Some(due));
        }
        for id in self.case.follow_ups.iter().filter(|(_, settled)| !**settled).map(|(id, _)| id) {
            let turn = Turn::Of(Role::Reviewer, BTreeSet::new());
            self.add(Awaited::FollowUp, format!("what became of follow-up {id}"), turn, self.case.opened, None);
        }
        for (id, appealed) in self.case.appeals.iter().filter(|(_, appealed)| self.case.upholds(appealed)) {
            let (turn, from) = (Turn::Of(Role::Reviewer, BTreeSet::new()), appealed.decided.unwrap_or(appealed.filed));
            let due = Some(from.plus_days(CARRY_OUT_DAYS));
            self.add(Awaited::Appeal, format!("carrying out appeal {id}"), turn, from, due);
        }
        for (id, appealed) in self.case.appeals.iter().filter(|(_, appealed)| appealed.outcome.is_none()) {
            let late = !appealed.in_time && appealed.admitted.len() < 2;
            let (what, but) = match late {
                true => (format!("whether appeal {id}, which came late, is heard"), &appealed.admitted),
                false => (format!("the decision of appeal {id}"), &appealed.votes.keys().cloned().collect()),
            };
            let turn = Turn::Of(Role::AppealPanel, but.clone());
            self.add(Awaited::Appeal, what, turn, appealed.filed, Some(appealed.filed.plus_days(30)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::act::{Act, Appeal, AppealOutcome};
    use crate::stage::{Stage, closing, name, text};

    fn awaited(stage: &Stage) -> Vec<Awaited> {
        let mut kinds: Vec<Awaited> = waits(stage.case(), &stage.procedure)
            .iter()
            .filter(|wait| wait.from <= stage.now)
            .map(|w| w.awaited)
            .collect();
        kinds.dedup();
        kinds
    }

    fn turn_of(stage: &Stage, awaited: Awaited, person: &str) -> bool {
        let all = waits(stage.case(), &stage.procedure);
        let mut of_kind = all.iter().filter(|wait| wait.awaited == awaited);
        of_kind.any(|wait| wait.is_for(&name(person), stage.case(), stage.now))
    }

    #[test]
    fn a_case_waits_for_what_comes_next_and_for_those_whose_turn_it_is() {
        use Awaited::*;
        let set = Stage::set();
        assert_eq!(awaited(&set), [Declaration, Step, Hearing]);
        assert!(turn_of(&set, Declaration, "zoe") && !turn_of(&set, Declaration, "ben"));
        assert!(turn_of(&set, Step, "hal") && turn_of(&set, Step, "ann") && !turn_of(&set, Step, "ben"));
        assert_eq!(awaited(&Stage::heard()), [Declaration, Hearing, Determination]);
        assert_eq!(awaited(&Stage::determined()), [Declaration, Proposal]);
        let mut proposed = Stage::proposed();
        assert_eq!(awaited(&proposed), [Declaration, Approval]);
        assert!(turn_of(&proposed, Approval, "ben") && !turn_of(&proposed, Approval, "ann"));
        let act = proposed.approval("ben", "d1");
        proposed.must("ben", act);
        assert!(!turn_of(&proposed, Approval, "ben") && turn_of(&proposed, Approval, "cleo"));
        assert_eq!(awaited(&Stage::approved()), [Declaration, Notice]);
        assert_eq!(awaited(&Stage::served()), [Declaration, Employees], "its notice runs");
        assert!(turn_of(&Stage::served(), Employees, "ann") && !turn_of(&Stage::served(), Employees, "ben"));
        assert_eq!(awaited(&Stage::served_later()), [Declaration, Employees, Effect]);
        let mut in_effect = Stage::in_effect();
        assert_eq!(awaited(&in_effect), [Declaration, Employees]);
        in_effect.safe("to employees");
        in_effect.must("ann", crate::stage::tell_employees("to employees"));
        assert_eq!(awaited(&in_effect), [Declaration]);
        in_effect.later(31);
        assert_eq!(awaited(&in_effect), [Declaration, Check]);
        assert!(turn_of(&in_effect, Check, "ivy"));
    }

    #[test]
    fn what_is_put_off_waits_for_its_day_and_what_went_up_for_those_it_went_to() {
        use Awaited::*;
        let mut stage = Stage::set();
        let hold = |stage: &Stage, days| Act::Hold { until: stage.now.plus_days(days), reason: text("a holiday") };
        stage.must("ann", hold(&stage, 10));
        assert_eq!(awaited(&stage), [], "until then it is nobody's");
        let running = crate::clocks::clocks(stage.case(), &stage.procedure);
        assert!(running.iter().any(|clock| clock.done.is_none()), "and its clocks run on");
        stage.must("ben", Act::Escalate { to: Role::Counsel, reason: text("may we?") });
        assert_eq!(awaited(&stage), [Escalation]);
        assert!(turn_of(&stage, Escalation, "hal") && !turn_of(&stage, Escalation, "ann"));
        // Nobody of the panel has a part: whoever carries it is to ask one in.
        stage.must("ann", Act::Release { person: name("eve") });
        stage.must("ann", Act::Release { person: name("fay") });
        stage.must("ann", Act::Release { person: name("gus") });
        stage.must("ann", Act::Escalate { to: Role::AppealPanel, reason: text("and this?") });
        assert_eq!(awaited(&stage), [People, Escalation]);
        stage.must("hal", Act::Respond { role: Role::Counsel, answer: text("you may") });
        assert_eq!(stage.case().held, None, "an answer is something new");
        assert!(awaited(&stage).contains(&Step) && !turn_of(&stage, Escalation, "hal"));
        stage.must("ann", hold(&stage, 10));
        stage.later(10);
        assert!(awaited(&stage).contains(&Step), "its day has come");
        stage.must("ann", hold(&stage, 10));
        stage.must("ann", Act::TakeUp);
        assert!(awaited(&stage).contains(&Step), "it is taken up before");
        stage.must("ann", hold(&stage, 10));
        stage.must("tribune", Act::NoteLeaving { finding: text("leaves") });
        assert!(stage.case().held.is_none() && awaited(&stage).contains(&Leaving), "what comes in ends it");
        let refused = stage.act("ann", hold(&stage, 10)).unwrap_err();
        assert_eq!(refused.rule, crate::rules::Rule::Held, "{refused}");
    }

    #[test]
    fn whoever_advised_for_the_panel_hears_no_appeal_and_nothing_closes_on_an_open_question() {
        let mut stage = Stage::in_effect();
        stage.must("ann", Act::Escalate { to: Role::AppealPanel, reason: text("is it fair?") });
        let refused = stage.act("ann", Act::Escalate { to: Role::AppealPanel, reason: text("is it?") }).unwrap_err();
        assert_eq!(refused.rule, crate::rules::Rule::Escalated, "{refused}");
        stage.must("eve", Act::Respond { role: Role::AppealPanel, answer: text("it is") });
        stage.must("customer", Act::Appeal(Appeal { id: name("p1"), decision: name("d1"), ground: text("g") }));
        let vote = || Act::DecideAppeal { id: name("p1"), outcome: AppealOutcome::Rejected, reasons: text("r") };
        assert_eq!(stage.act("eve", vote()).unwrap_err().rule, crate::rules::Rule::OtherThanAppeal);
        stage.must("fay", vote());
        stage.must("gus", vote());
        let mut set = Stage::set();
        set.must("ann", Act::Escalate { to: Role::Decider, reason: text("go on?") });
        let refused = set.act("ann", Act::Close(closing())).unwrap_err();
        assert!(refused.to_string().contains("went up"), "{refused}");
        set.must("ben", Act::Respond { role: Role::Decider, answer: text("no") });
        set.must("ann", Act::Close(closing()));
        assert_eq!(stage.breaches(), Vec::<String>::new());
    }

    #[test]
    fn a_case_that_nobody_carries_waits_for_somebody_and_one_that_is_over_for_nothing() {
        let mut stage = Stage::empty();
        stage.must("tribune", crate::stage::opening());
        assert_eq!(awaited(&stage)[0], Awaited::People);
        let mut set = Stage::set();
        set.must("ann", Act::Close(closing()));
        assert_eq!(awaited(&set), []);
    }
}
