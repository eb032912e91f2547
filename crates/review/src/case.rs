//! A case: the review of one workload against one clause. State is a fold over its events.
//!
//! It only remembers. Whether something may happen is asked of [`crate::rules`] before it becomes an event; what is
//! folded here did happen, and is folded the same way years later.

use crate::act::{
    Act, Appeal, AppealOutcome, Approval, Closing, Command, Contact, Decision, DeclaredUse, Determination, Event, Hand,
    Item, Kind, Leaving, Opening, Order, Source,
};
use crate::metered::{Compared, Metered};
use crate::procedure::{Basis, Procedure};
use crate::words::{
    AccountId, Actor, AppealId, CaseId, CommandId, DecisionId, Digest, EvidenceId, ItemId, Moment, PersonId, Role,
    StepId, Target, Text,
};
use std::collections::{BTreeMap, BTreeSet};

/// An emergency decided by two lapses after this many days unless decided anew.
pub const EMERGENCY_DAYS: i64 = 10;
/// Two people decide within this many hours about data that leaves.
pub const LEAVING_HOURS: i64 = 24;
/// When a decision in effect is checked, in days after the effect.
pub const CHECK_DAYS: [u16; 3] = [30, 90, 180];
/// How long one may appeal, in calendar months after the service of the notice (EU DSA Article 20).
pub const APPEAL_MONTHS: i64 = 6;

/// Whether a case goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It goes on.
    Open,
    /// Nothing is left to do.
    Closed,
    /// Another case took it in.
    Merged(CaseId),
}

/// A part of the case that somebody has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// As what.
    pub roles: BTreeSet<Role>,
    /// What they said of conflicts: nothing yet, that there is none, or one.
    pub declared: Option<Option<Text>>,
    /// What they did so far.
    pub hands: BTreeSet<Hand>,
    /// They may take no part any more.
    pub released: bool,
}

/// A question to the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// When it was put.
    pub asked: Moment,
    /// Until when it may be answered.
    pub until: Moment,
    /// What came: nothing yet, an answer, or a refusal.
    pub answer: Option<Option<Text>>,
    /// When it first came.
    pub answered: Option<Moment>,
}

/// A determination in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Determined {
    /// What it says.
    pub determination: Determination,
    /// By whom.
    pub by: PersonId,
    /// When.
    pub at: Moment,
    /// Which later one took its place.
    pub superseded_by: Option<usize>,
    /// Who sees it otherwise.
    pub dissents: BTreeMap<PersonId, Text>,
}

/// Where a decision stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Proposed.
    Proposed,
    /// Enough people approved.
    Approved,
    /// Somebody refused.
    Refused,
    /// What it orders is in force.
    InEffect,
    /// It is over: run out, or lifted.
    Over,
}

/// A statement of reasons that was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// When.
    pub at: Moment,
    /// The customer's text.
    pub statement: Text,
    /// The public's.
    pub public: Text,
}

/// What people are to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Whose it is.
    pub of: PersonId,
    /// By when.
    pub due: Moment,
    /// When they attested that it is done.
    pub attested: Option<Moment>,
}

/// What recent usage said of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Previewed {
    /// When it was looked at.
    pub at: Moment,
    /// How many had approved by then.
    pub approvals: usize,
    /// The usage.
    pub metered: Metered,
}

/// A decision and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// What was proposed.
    pub decision: Decision,
    /// By whom.
    pub by: PersonId,
    /// When.
    pub proposed: Moment,
    /// Where it stands.
    pub standing: Standing,
    /// Who approved, with their signatures.
    pub approvals: BTreeMap<PersonId, Approval>,
    /// Who refused.
    pub refusals: BTreeMap<PersonId, Text>,
    /// The statement of reasons, once it was served.
    pub notice: Option<Notice>,
    /// When it took effect.
    pub effect: Option<Moment>,
    /// When it ends by itself.
    pub ends: Option<Moment>,
    /// What of its list is in force; less than the list once a part was lifted.
    pub in_force: Vec<Target>,
    /// When it is looked at again, if it is.
    pub review: Option<Moment>,
    /// When it was looked at again: when that was due, and when it was.
    pub looked: Vec<(Moment, Moment)>,
    /// The checks that were made.
    pub checks: BTreeMap<u16, Moment>,
    /// What recent usage said of it, in order.
    pub previews: Vec<Previewed>,
    /// What the days after its effect showed, in order.
    pub compared: Vec<(Moment, Compared)>,
    /// What people are to end by it.
    pub task: Option<Task>,
}

/// An appeal and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appealed {
    /// Against which decision.
    pub decision: DecisionId,
    /// By whom.
    pub by: Actor,
    /// When.
    pub filed: Moment,
    /// Within the time.
    pub in_time: bool,
    /// Who admitted it although it was late.
    pub admitted: BTreeSet<PersonId>,
    /// What those who decide it said.
    pub votes: BTreeMap<PersonId, AppealOutcome>,
    /// How it ended.
    pub outcome: Option<AppealOutcome>,
    /// When.
    pub decided: Option<Moment>,
}

/// Data that leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeavingNoted {
    /// When it was seen.
    pub noted: Moment,
    /// What those who decide said.
    pub votes: BTreeMap<PersonId, Leaving>,
    /// What two of them said alike.
    pub choice: Option<Leaving>,
    /// When.
    pub decided: Option<Moment>,
}

/// Something that was made known of a case, and that the provider's own people are owed: a statement that was served, a
/// correction, or how the case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MadeKnown {
    /// When.
    pub at: Moment,
    /// When employees were told of it.
    pub told: Option<Moment>,
}

/// A case that is put off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Until when.
    pub until: Moment,
    /// Why.
    pub reason: Text,
}

/// A question that went up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalated {
    /// To whom.
    pub to: Role,
    /// By whom.
    pub by: PersonId,
    /// When.
    pub at: Moment,
    /// What is asked, and why.
    pub reason: Text,
    /// Who answered, when, and what.
    pub answer: Option<(PersonId, Moment, Text)>,
}

/// A case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its name.
    pub id: CaseId,
    /// How it began.
    pub opening: Opening,
    /// When.
    pub opened: Moment,
    /// Its events so far.
    pub version: u64,
    /// Whether it goes on.
    pub phase: Phase,
    /// The accounts of the workload, as far as they are known.
    pub accounts: BTreeSet<AccountId>,
    /// What brought it about, and what joined it.
    pub sources: BTreeSet<Source>,
    /// The people.
    pub parts: BTreeMap<PersonId, Part>,
    /// Who of sales, executives and authorities spoke with whom.
    pub contacts: Vec<(Contact, PersonId, Moment)>,
    /// Steps that are done.
    pub steps: BTreeMap<StepId, Moment>,
    /// The evidence.
    pub evidence: BTreeMap<EvidenceId, Item>,
    /// Who handled it, in order.
    pub custody: Vec<(EvidenceId, Actor, Moment)>,
    /// Whether somebody who was counsel in the case then added an opinion.
    pub counselled: bool,
    /// Texts that two people hold to identify no source: by whom they were written and by whom confirmed.
    pub safe: BTreeMap<Text, (PersonId, PersonId)>,
    /// Questions to the customer.
    pub questions: BTreeMap<ItemId, Question>,
    /// Who said that the customer is not to be heard before.
    pub hearing_waived: BTreeSet<PersonId>,
    /// The determinations, in order.
    pub determinations: Vec<Determined>,
    /// The decisions.
    pub decisions: BTreeMap<DecisionId, Decided>,
    /// Data that left, in order.
    pub leaving: Vec<LeavingNoted>,
    /// Follow-ups, and whether they are settled.
    pub follow_ups: BTreeMap<ItemId, bool>,
    /// Appeals.
    pub appeals: BTreeMap<AppealId, Appealed>,
    /// Who said that the customer may be named.
    pub naming: BTreeSet<PersonId>,
    /// What those who decide said of a declared use.
    pub use_votes: BTreeMap<PersonId, DeclaredUse>,
    /// Corrections of what was published: what takes the place of what.
    pub corrections: BTreeMap<Text, Text>,
    /// What employees are owed, in order.
    pub made_known: Vec<MadeKnown>,
    /// It goes on after its end for an appeal or a follow-up alone.
    pub resumed: bool,
    /// When it was reopened last, to be reviewed anew.
    pub reopened: Option<Moment>,
    /// Until when it is put off, unless something comes in or somebody takes it up before.
    pub held: Option<Held>,
    /// Questions that went up, in order.
    pub escalations: Vec<Escalated>,
    /// How it ended, each time.
    pub closings: Vec<(Moment, PersonId, Closing)>,
    /// Who had a hand in it before it was reopened: they review no more.
    pub former: BTreeSet<PersonId>,
    /// When the last event was.
    pub last: Moment,
    /// Commands that were carried out.
    pub done: BTreeSet<CommandId>,
}

/// Whether an act leaves nothing put off: something came in from outside, or the case is taken up, over or begun anew.
fn ends_a_hold(act: &Act) -> bool {
    matches!(
        act,
        Act::TakeUp
            | Act::Join { .. }
            | Act::TakeIn { .. }
            | Act::GoOnIn { .. }
            | Act::Answer { .. }
            | Act::NoteLeaving { .. }
            | Act::FollowUp { .. }
            | Act::Appeal(_)
            | Act::Respond { .. }
            | Act::Close(_)
            | Act::Reopen { .. }
    )
}

impl Decided {
    /// Whether people must see, before they approve, what it stops: it switches something off, and is no emergency.
    pub fn wants_preview(&self) -> bool {
        let imposes = matches!(self.decision.order, Order::Impose { .. });
        imposes && !self.decision.emergency && !self.decision.targets.is_empty()
    }

    /// The preview that the last of those who approved had before them.
    pub fn approved_on(&self) -> Option<&Metered> {
        let seen = self.previews.iter().rev().find(|one| one.approvals < self.approvals.len());
        seen.or(self.previews.first()).map(|one| &one.metered)
    }

    /// The last preview before it took effect: what the days after are held against.
    pub fn before_effect(&self) -> Option<&Metered> {
        let effect = self.effect?;
        self.previews.iter().rev().find(|one| one.at <= effect).map(|one| &one.metered)
    }
}

impl Case {
    /// The case that a first event opens; none if it opens nothing.
    pub fn opened_by(event: &Event) -> Option<Self> {
        let Act::Open(opening) = &event.command.act else { return None };
        Some(Self {
            id: event.case.clone(),
            opening: opening.clone(),
            opened: event.command.at,
            version: event.number,
            phase: Phase::Open,
            accounts: opening.accounts.clone(),
            sources: opening.sources.clone(),
            parts: BTreeMap::new(),
            contacts: Vec::new(),
            steps: BTreeMap::new(),
            evidence: BTreeMap::new(),
            custody: Vec::new(),
            counselled: false,
            safe: BTreeMap::new(),
            questions: BTreeMap::new(),
            hearing_waived: BTreeSet::new(),
            determinations: Vec::new(),
            decisions: BTreeMap::new(),
            leaving: Vec::new(),
            follow_ups: BTreeMap::new(),
            appeals: BTreeMap::new(),
            naming: BTreeSet::new(),
            use_votes: BTreeMap::new(),
            corrections: BTreeMap::new(),
            made_known: Vec::new(),
            held: None,
            resumed: false,
            reopened: None,
            escalations: Vec::new(),
            closings: Vec::new(),
            former: BTreeSet::new(),
            last: event.command.at,
            done: BTreeSet::from([event.command.id.clone()]),
        })
    }

    /// The state after all events; none before the first.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a Event>, procedure: &Procedure) -> Option<Self> {
        let mut events = events.into_iter();
        let mut case = Self::opened_by(events.next()?)?;
        events.for_each(|event| case.apply(event, procedure));
        Some(case)
    }

    /// Folds in what happened next.
    pub fn apply(&mut self, event: &Event, procedure: &Procedure) {
        let Command { id, at, by, act } = &event.command;
        self.version = event.number;
        self.last = *at;
        self.done.insert(id.clone());
        if ends_a_hold(act) {
            self.held = None;
        }
        let person = if let Actor::Person(person) = by { Some(person) } else { None };
        match act {
            Act::Open(_) => {}
            Act::Join { source, accounts } => {
                self.sources.insert(source.clone());
                self.accounts.extend(accounts.iter().cloned());
            }
            Act::TakeIn { accounts, sources, hands, .. } => {
                self.accounts.extend(accounts.iter().cloned());
                self.sources.extend(sources.iter().cloned());
                for (person, hands) in hands {
                    self.part(person).hands.extend(hands);
                }
            }
            Act::GoOnIn { other } => self.phase = Phase::Merged(other.clone()),
            Act::NoteContact { from, with, .. } => self.contacts.push((*from, with.clone(), *at)),
            Act::CompleteStep { step, .. } => drop(self.steps.entry(step.clone()).or_insert(*at)),
            Act::NoteLeaving { .. } => {
                self.leaving.push(LeavingNoted { noted: *at, votes: BTreeMap::new(), choice: None, decided: None });
            }
            Act::FollowUp { id, .. } => {
                self.follow_ups.insert(id.clone(), false);
                // What came back where a closed case restricts goes on there, until somebody says what it is.
                self.resume();
            }
            Act::SettleFollowUp { id, .. } => drop(self.follow_ups.insert(id.clone(), true)),
            Act::Correct { statement, correction } => {
                self.corrections.insert(*statement, *correction);
                self.make_known(*at);
            }
            Act::TellEmployees { .. } => {
                self.made_known.iter_mut().filter(|one| one.told.is_none()).for_each(|one| one.told = Some(*at));
            }
            Act::Assign { .. } | Act::Declare { .. } | Act::Release { .. } => self.apply_to_people(person, act),
            Act::AddEvidence(_)
            | Act::HandleEvidence { .. }
            | Act::ConfirmSafe { .. }
            | Act::Ask { .. }
            | Act::Answer { .. }
            | Act::WaiveHearing { .. }
            | Act::Determine(_)
            | Act::Dissent { .. } => self.apply_to_proof(person, by, *at, act),
            Act::Propose(_) | Act::Approve { .. } | Act::Refuse { .. } => {
                self.apply_to_decision(person, *at, act, procedure);
            }
            Act::ServeNotice { .. }
            | Act::Preview { .. }
            | Act::Compare { .. }
            | Act::TakeEffect { .. }
            | Act::RunOut { .. }
            | Act::Check { .. }
            | Act::LookAgain { .. }
            | Act::Entrust { .. }
            | Act::Attest { .. } => {
                self.apply_to_effect(*at, act, procedure);
            }
            Act::DecideLeaving { choice, .. } => self.vote_on_leaving(person, *at, choice),
            Act::Appeal { .. } | Act::AdmitAppeal { .. } | Act::DecideAppeal { .. } => {
                self.apply_to_appeal(person, by, *at, act);
            }
            Act::NamePublicly { .. } => self.naming.extend(person.cloned()),
            Act::DecideUse { may, .. } => {
                self.hand(person, Hand::Decided);
                self.use_votes.extend(person.map(|person| (person.clone(), may.clone())));
            }
            Act::Hold { until, reason } => self.held = Some(Held { until: *until, reason: *reason }),
            Act::TakeUp => {}
            Act::Escalate { to, reason } => self.escalations.extend(person.map(|by| {
                let (by, reason) = (by.clone(), *reason);
                Escalated { to: *to, by, at: *at, reason, answer: None }
            })),
            Act::Respond { role, answer } => self.respond(person, *at, *role, *answer),
            Act::Close(closing) => self.close(person, *at, closing),
            Act::Reopen { .. } => self.reopen(*at),
        }
    }

    fn respond(&mut self, person: Option<&PersonId>, at: Moment, role: Role, answer: Text) {
        // Whoever advised for the panel hears no appeal in the same case.
        if role == Role::AppealPanel {
            self.hand(person, Hand::Advised);
        }
        let open = self.escalations.iter_mut().find(|one| one.to == role && one.answer.is_none());
        if let Some((one, person)) = open.zip(person) {
            one.answer = Some((person.clone(), at, answer));
        }
    }

    /// Until when it is put off, if it is now.
    pub fn held(&self, now: Moment) -> Option<&Held> {
        self.held.as_ref().filter(|held| now < held.until)
    }

    /// Questions that went up and that nobody answered yet.
    pub fn escalated(&self) -> impl Iterator<Item = &Escalated> {
        self.escalations.iter().filter(|one| one.answer.is_none())
    }

    fn part(&mut self, person: &PersonId) -> &mut Part {
        self.parts.entry(person.clone()).or_default()
    }

    fn hand(&mut self, person: Option<&PersonId>, hand: Hand) {
        if let Some(person) = person {
            self.part(person).hands.insert(hand);
        }
    }

    fn apply_to_people(&mut self, by: Option<&PersonId>, act: &Act) {
        match act {
            Act::Assign { person, role } => {
                let part = self.part(person);
                part.roles.insert(*role);
                part.released = false;
            }
            Act::Release { person } => {
                let part = self.part(person);
                part.roles.clear();
                part.released = true;
                self.withdraw(person);
            }
            Act::Declare { conflict } => {
                let Some(by) = by else { return };
                self.part(by).declared = Some(*conflict);
                if conflict.is_some() {
                    self.withdraw(by);
                }
            }
            _ => {}
        }
    }

    /// What somebody who goes, or has a conflict, said alone so far counts no more: of what needs two, and is not decided.
    fn withdraw(&mut self, person: &PersonId) {
        self.hearing_waived.remove(person);
        self.use_votes.remove(person);
        if self.naming.len() < 2 {
            self.naming.remove(person);
        }
        for appealed in self.appeals.values_mut().filter(|one| one.outcome.is_none()) {
            appealed.admitted.remove(person);
            appealed.votes.remove(person);
        }
        for noted in self.leaving.iter_mut().filter(|one| one.choice.is_none()) {
            noted.votes.remove(person);
        }
    }

    fn apply_to_proof(&mut self, person: Option<&PersonId>, by: &Actor, at: Moment, act: &Act) {
        match act {
            Act::AddEvidence(item) => {
                self.custody.push((item.id.clone(), by.clone(), at));
                let part = person.and_then(|person| self.parts.get(person));
                let counsel = part.is_some_and(|part| part.roles.contains(&Role::Counsel));
                self.counselled |= counsel && item.basis == Basis::Opinion;
                self.evidence.insert(item.id.clone(), item.clone());
            }
            Act::HandleEvidence { evidence, .. } => self.custody.push((evidence.clone(), by.clone(), at)),
            Act::ConfirmSafe { text, written_by } => {
                if let Some(person) = person {
                    self.safe.insert(*text, (written_by.clone(), person.clone()));
                }
            }
            Act::Ask { id, until, .. } => {
                self.questions.insert(id.clone(), Question { asked: at, until: *until, answer: None, answered: None });
            }
            Act::Answer { id, text } => {
                if let Some(question) = self.questions.get_mut(id) {
                    question.answer = Some(*text);
                    question.answered.get_or_insert(at);
                }
            }
            Act::WaiveHearing { .. } => {
                self.hearing_waived.extend(person.cloned());
                self.hand(person, Hand::Decided);
            }
            Act::Determine(determination) => self.determine(person, at, determination),
            Act::Dissent { determination, opinion } => {
                if let Some((determined, person)) = self.determinations.get_mut(*determination).zip(person) {
                    determined.dissents.insert(person.clone(), *opinion);
                }
            }
            _ => {}
        }
    }

    fn determine(&mut self, person: Option<&PersonId>, at: Moment, determination: &Determination) {
        let Some(by) = person else { return };
        let place = self.determinations.len();
        if let Some(earlier) = determination.supersedes.and_then(|earlier| self.determinations.get_mut(earlier)) {
            earlier.superseded_by = Some(place);
        }
        self.hand(person, Hand::Determined);
        self.determinations.push(Determined {
            determination: determination.clone(),
            by: by.clone(),
            at,
            superseded_by: None,
            dissents: BTreeMap::new(),
        });
    }

    fn apply_to_decision(&mut self, person: Option<&PersonId>, at: Moment, act: &Act, procedure: &Procedure) {
        let Some(by) = person else { return };
        match act {
            Act::Propose(decision) => {
                self.hand(person, Hand::Proposed);
                let decided = Decided {
                    decision: decision.clone(),
                    by: by.clone(),
                    proposed: at,
                    standing: Standing::Proposed,
                    approvals: BTreeMap::new(),
                    refusals: BTreeMap::new(),
                    notice: None,
                    effect: None,
                    ends: decision.ends,
                    in_force: Vec::new(),
                    review: decision.review,
                    looked: Vec::new(),
                    checks: BTreeMap::new(),
                    previews: Vec::new(),
                    compared: Vec::new(),
                    task: None,
                };
                self.decisions.insert(decision.id.clone(), decided);
            }
            Act::Approve { decision, approval } => {
                self.hand(person, Hand::Decided);
                let Some(decided) = self.decisions.get_mut(decision) else { return };
                decided.approvals.insert(by.clone(), approval.clone());
                if decided.approvals.len() >= procedure.approvals && decided.standing == Standing::Proposed {
                    decided.standing = Standing::Approved;
                }
            }
            Act::Refuse { decision, reason } => {
                self.hand(person, Hand::Decided);
                let Some(decided) = self.decisions.get_mut(decision) else { return };
                decided.refusals.insert(by.clone(), *reason);
                decided.standing = Standing::Refused;
            }
            _ => {}
        }
    }

    fn apply_to_effect(&mut self, at: Moment, act: &Act, procedure: &Procedure) {
        match act {
            Act::ServeNotice { decision, statement, public } => {
                if let Some(decided) = self.decisions.get_mut(decision) {
                    decided.notice = Some(Notice { at, statement: *statement, public: *public });
                }
                self.make_known(at);
            }
            Act::TakeEffect { decision, .. } => self.take_effect(decision, at, procedure),
            Act::RunOut { decision } => {
                if let Some(decided) = self.decisions.get_mut(decision) {
                    decided.standing = Standing::Over;
                    decided.in_force.clear();
                }
            }
            Act::Check { decision, days, use_ended, rest_as_before } => {
                if let Some(decided) = self.decisions.get_mut(decision) {
                    decided.checks.insert(*days, at);
                }
                if !(*use_ended && *rest_as_before) {
                    self.follow_ups.extend(follow_up_of(decision, *days).map(|id| (id, false)));
                }
            }
            Act::LookAgain { decision, next, .. } => {
                if let Some(decided) = self.decisions.get_mut(decision) {
                    decided.looked.push((decided.review.unwrap_or(at), at));
                    decided.review = *next;
                }
            }
            Act::Preview { decision, metered } => {
                if let Some(decided) = self.decisions.get_mut(decision) {
                    let approvals = decided.approvals.len();
                    decided.previews.push(Previewed { at, approvals, metered: metered.clone() });
                }
            }
            Act::Compare { decision, metered } => {
                let window = self.has_window(decision, metered.from);
                let Some(decided) = self.decisions.get_mut(decision) else { return };
                if let Some(before) = decided.before_effect() {
                    let compared = before.compare(metered, &decided.decision.targets, window);
                    decided.compared.push((at, compared));
                }
            }
            Act::Entrust { decision, to, due } => {
                if let Some(decided) = self.decisions.get_mut(decision) {
                    decided.task = Some(Task { of: to.clone(), due: *due, attested: None });
                }
            }
            Act::Attest { decision, .. } => {
                if let Some(task) = self.decisions.get_mut(decision).and_then(|decided| decided.task.as_mut()) {
                    task.attested = Some(at);
                }
            }
            _ => {}
        }
    }

    fn take_effect(&mut self, id: &DecisionId, at: Moment, procedure: &Procedure) {
        let Some(decided) = self.decisions.get_mut(id) else { return };
        decided.standing = Standing::InEffect;
        decided.effect = Some(at);
        let targets = decided.decision.targets.clone();
        match decided.decision.order.clone() {
            Order::Impose { intervention } => {
                decided.in_force = targets;
                let days = procedure.intervention(&intervention).and_then(|one| one.ends_after_days);
                let lapses = decided.decision.emergency.then(|| at.plus_days(EMERGENCY_DAYS));
                let ends = [decided.decision.ends, days.map(|days| at.plus_days(days)), lapses];
                decided.ends = ends.into_iter().flatten().min();
            }
            Order::Lift { decision } => {
                decided.standing = Standing::Over;
                if let Some(lifted) = self.decisions.get_mut(&decision) {
                    lifted.in_force.retain(|target| targets.contains(target));
                    if lifted.in_force.is_empty() {
                        lifted.standing = Standing::Over;
                    }
                }
            }
        }
    }

    fn vote_on_leaving(&mut self, person: Option<&PersonId>, at: Moment, choice: &Leaving) {
        self.hand(person, Hand::Decided);
        let Some((noted, person)) = self.leaving.last_mut().zip(person) else { return };
        noted.votes.insert(person.clone(), choice.clone());
        if noted.votes.values().filter(|vote| *vote == choice).count() >= 2 {
            noted.choice = Some(choice.clone());
            noted.decided = Some(at);
        }
    }

    fn apply_to_appeal(&mut self, person: Option<&PersonId>, by: &Actor, at: Moment, act: &Act) {
        match act {
            Act::Appeal(Appeal { id, decision, .. }) => {
                let served = self.decisions.get(decision).and_then(|decided| decided.notice);
                let in_time = served.is_some_and(|served| at <= served.at.end_of_months(APPEAL_MONTHS));
                let appealed = Appealed {
                    decision: decision.clone(),
                    by: by.clone(),
                    filed: at,
                    in_time,
                    admitted: BTreeSet::new(),
                    votes: BTreeMap::new(),
                    outcome: None,
                    decided: None,
                };
                self.appeals.insert(id.clone(), appealed);
                // A closed case goes on for as long as it is heard: those who decided may not close their ears.
                self.resume();
            }
            Act::AdmitAppeal { id, .. } => {
                if let Some((appealed, person)) = self.appeals.get_mut(id).zip(person) {
                    appealed.admitted.insert(person.clone());
                }
            }
            Act::DecideAppeal { id, outcome, .. } => {
                self.hand(person, Hand::DecidedAppeal);
                let Some((appealed, person)) = self.appeals.get_mut(id).zip(person) else { return };
                appealed.votes.insert(person.clone(), *outcome);
                if appealed.votes.values().filter(|vote| *vote == outcome).count() >= 2 {
                    appealed.outcome = Some(*outcome);
                    appealed.decided = Some(at);
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, person: Option<&PersonId>, at: Moment, closing: &Closing) {
        self.hand(person, Hand::Closed);
        self.make_known(at);
        (self.phase, self.resumed) = (Phase::Closed, false);
        self.closings.extend(person.map(|person| (at, person.clone(), closing.clone())));
    }

    fn make_known(&mut self, at: Moment) {
        self.made_known.push(MadeKnown { at, told: None });
    }

    /// A closed case goes on for what came in, and for nothing else: it is not reviewed anew.
    fn resume(&mut self) {
        if self.phase == Phase::Closed {
            (self.phase, self.resumed) = (Phase::Open, true);
        }
    }

    /// Others review it: whoever had a hand in it takes no part any more.
    fn reopen(&mut self, at: Moment) {
        self.phase = Phase::Open;
        (self.resumed, self.reopened) = (false, Some(at));
        for (person, part) in self.parts.iter_mut().filter(|(_, part)| !part.hands.is_empty()) {
            self.former.insert(person.clone());
            part.roles.clear();
        }
        self.steps.clear();
        self.hearing_waived.clear();
        self.use_votes.clear();
    }

    /// What is switched off now: the sealed lists in force, as far as nothing was lifted and no time has run out.
    pub fn in_force(&self, at: Moment) -> impl Iterator<Item = (&DecisionId, &Target)> {
        let decisions = self.decisions.iter().filter(move |(_, decided)| {
            decided.standing == Standing::InEffect && decided.ends.is_none_or(|ends| at < ends)
        });
        decisions.flat_map(|(id, decided)| decided.in_force.iter().map(move |target| (id, target)))
    }

    /// What those who decide are shown of a decision, and what the digest in their approvals is of: the decision as it is
    /// sealed, every target, and what the newest preview says of them. None of a decision that is not there.
    pub fn shown(&self, decision: &DecisionId) -> Option<String> {
        let decided = self.decisions.get(decision)?;
        let mut text = crate::seal::shown(&self.id, &decided.decision);
        if let Some(seen) = decided.previews.last() {
            let window = self.has_window(decision, seen.at);
            text.push_str(&seen.metered.text(&decided.decision.targets, window));
        }
        Some(text)
    }

    /// Whether reading still goes on at some time, in the days that it leaves the customer to take data out.
    pub fn has_window(&self, decision: &DecisionId, at: Moment) -> bool {
        let Some(decided) = self.decisions.get(decision) else { return false };
        let days = i64::from(decided.decision.respite.export_days);
        days > 0 && decided.effect.is_none_or(|effect| at < effect.plus_days(days))
    }

    /// Whether something was made known that employees were not told yet.
    pub fn owes_employees(&self) -> bool {
        self.made_known.iter().any(|one| one.told.is_none())
    }

    /// Whether two people decided that the customer may be named.
    pub fn may_be_named(&self) -> bool {
        self.naming.len() >= 2
    }

    /// Whether the customer was heard: it answered, or let the time pass; or two people recorded why not.
    pub fn heard(&self, at: Moment) -> bool {
        self.hearing_waived.len() >= 2 || self.answered(at)
    }

    /// Whether it was asked, and answered or let the time pass.
    pub fn answered(&self, at: Moment) -> bool {
        let answered = |question: &Question| question.answer.is_some() || at > question.until;
        // What a reopened case rests on is put to the customer anew.
        let of_now = |question: &Question| self.reopened.is_none_or(|reopened| question.asked >= reopened);
        self.questions.values().any(of_now) && self.questions.values().all(answered)
    }

    /// Whether an appeal was upheld and what it undoes is in force still.
    pub fn upholds(&self, one: &Appealed) -> bool {
        let decided = self.decisions.get(&one.decision).filter(|decided| !decided.in_force.is_empty());
        decided.is_some_and(|decided| match one.outcome {
            Some(AppealOutcome::Upheld) => true,
            Some(AppealOutcome::UpheldInPart) => decided.in_force == decided.decision.targets,
            _ => false,
        })
    }

    /// Whether what is reviewed is a declared use.
    pub fn is_declared_use(&self) -> bool {
        self.opening.kind == Kind::DeclaredUse
    }

    /// What two who decide said alike of a declared use.
    pub fn decided_use(&self) -> Option<&DeclaredUse> {
        let alike = |may: &&DeclaredUse| self.use_votes.values().filter(|vote| vote == may).count() >= 2;
        self.use_votes.values().find(alike)
    }

    /// The determination that stands.
    pub fn standing_determination(&self) -> Option<(usize, &Determined)> {
        self.determinations.iter().enumerate().rev().find(|(_, determined)| determined.superseded_by.is_none())
    }

    /// The digest of a decision and the root of its list, as approvals sign them.
    pub fn sealed(&self, decision: &DecisionId) -> Option<(Digest, Digest)> {
        let decision = &self.decisions.get(decision)?.decision;
        Some((crate::seal::digest(&self.id, decision), crate::seal::root(&decision.targets)))
    }
}

/// The follow-up that a check raises which finds the use going on, or the rest not as before.
fn follow_up_of(decision: &DecisionId, days: u16) -> Option<ItemId> {
    let name = format!("check {decision} {days}");
    name.parse().or_else(|_| format!("check {}", Digest::of(&name)).parse()).ok()
}
