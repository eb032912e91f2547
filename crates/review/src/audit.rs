//! Whether a case, as the record has it, kept the invariants of due process.
//!
//! Written apart from [`crate::rules`] and [`crate::case`] on purpose: it looks at the events alone, keeps no state of
//! theirs and shares no rule with them, so that a rule that is broken or missing there shows here. An auditor runs it
//! over the record; tests run it over whatever the rules let pass.

use crate::act::{
    Act, Appeal, AppealOutcome, Approval, Decision, DeclaredUse, Established, Event, Item, Kind, Opening, Order,
};
use crate::procedure::{Basis, Intervention, Procedure, Reach};
use crate::roster::Roster;
use crate::seal;
use crate::words::{
    AccountId, Actor, AppealId, DecisionId, ElementId, InterventionId, Moment, PersonId, Role, ServiceId, Standard,
    StepId, Target,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// An invariant that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// At which event of the case.
    pub number: u64,
    /// Which invariant (blueprint §5, by its number).
    pub invariant: u8,
    /// What happened.
    pub what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event {}: invariant {}: {}", self.number, self.invariant, self.what)
    }
}

/// What did not hold in a case, in the order of its events; nothing if all is well.
pub fn audit(events: &[Event], procedure: &Procedure, roster: &Roster) -> Vec<Breach> {
    let mut audit = Audit { procedure, roster, breaches: Vec::new(), history: History::default() };
    for (event, number) in events.iter().zip(1..) {
        let after = audit.history.last.unwrap_or(event.command.at);
        audit.hold(event, 10, event.number == number && event.command.at >= after, "it is out of its place");
        audit.goes_on(event);
        audit.event(event);
        audit.history.last = Some(event.command.at);
    }
    audit.breaches
}

/// What happened so far, as plain lists.
#[derive(Default)]
struct History {
    last: Option<Moment>,
    opening: Option<Opening>,
    accounts: BTreeSet<AccountId>,
    items: Vec<Item>,
    declared: BTreeMap<PersonId, bool>,
    proposals: BTreeMap<DecisionId, (PersonId, Decision)>,
    approvals: BTreeMap<DecisionId, Vec<(PersonId, Approval)>>,
    refused: BTreeSet<DecisionId>,
    served: BTreeMap<DecisionId, Moment>,
    confirmed: BTreeSet<crate::words::Text>,
    asked: Vec<Moment>,
    answered: bool,
    waivers: BTreeSet<PersonId>,
    naming: BTreeSet<PersonId>,
    determinations: Vec<BTreeMap<ElementId, (Established, Standard)>>,
    steps: BTreeSet<StepId>,
    roles: BTreeMap<PersonId, BTreeSet<Role>>,
    counselled: bool,
    /// Who had a hand in it so far, and who had one before it was reopened.
    hands: BTreeSet<PersonId>,
    former: BTreeSet<PersonId>,
    phase: Phase,
    in_force: BTreeMap<DecisionId, Vec<Target>>,
    emergencies: BTreeSet<(AccountId, ServiceId)>,
    use_votes: BTreeMap<PersonId, DeclaredUse>,
    appeals: BTreeMap<AppealId, Appeal>,
    before_appeal: BTreeSet<PersonId>,
    appeal_votes: BTreeMap<AppealId, BTreeMap<PersonId, AppealOutcome>>,
}

/// Whether it goes on.
#[derive(Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    /// After its end, for an appeal or a follow-up alone.
    Resumed,
    Closed,
    Merged,
}

impl History {
    /// What somebody said alone of what needs two counts no more.
    fn withdraw(&mut self, person: &PersonId) {
        self.waivers.remove(person);
        self.use_votes.remove(person);
        if self.naming.len() < 2 {
            self.naming.remove(person);
        }
        for votes in self.appeal_votes.values_mut().filter(|votes| decided(votes).is_none()) {
            votes.remove(person);
        }
    }
}

/// What two said alike.
fn decided<T: PartialEq>(votes: &BTreeMap<PersonId, T>) -> Option<&T> {
    votes.values().find(|vote| votes.values().filter(|other| other == vote).count() >= 2)
}

struct Audit<'a> {
    procedure: &'a Procedure,
    roster: &'a Roster,
    breaches: Vec<Breach>,
    history: History,
}

impl Audit<'_> {
    fn hold(&mut self, event: &Event, invariant: u8, holds: bool, what: &str) {
        if !holds {
            self.breaches.push(Breach { number: event.number, invariant, what: what.to_owned() });
        }
    }

    fn event(&mut self, event: &Event) {
        let person = if let Actor::Person(person) = &event.command.by { Some(person.clone()) } else { None };
        let at = event.command.at;
        match &event.command.act {
            Act::Open(opening) => {
                let close = person.and_then(|person| self.roster.closeness(&person, &opening.customer));
                self.hold(event, 18, close.is_none(), "somebody close to the customer opened it");
                self.history.accounts.extend(opening.accounts.iter().cloned());
                self.history.opening = Some(opening.clone());
            }
            Act::Join { accounts, .. } | Act::TakeIn { accounts, .. } => {
                self.history.accounts.extend(accounts.iter().cloned());
            }
            Act::Assign { person, role } => drop(self.history.roles.entry(person.clone()).or_default().insert(*role)),
            Act::Release { person } => {
                self.history.roles.remove(person);
                self.history.withdraw(person);
            }
            Act::Declare { conflict } => {
                let Some(person) = person else { return self.hold(event, 3, false, "nobody declared it") };
                let was = self.history.declared.get(&person) == Some(&true);
                self.hold(event, 3, !was || conflict.is_some(), "a conflict was taken back");
                if conflict.is_some() {
                    self.history.withdraw(&person);
                }
                self.history.declared.insert(person, conflict.is_some());
            }
            Act::CompleteStep { step, .. } => {
                let Some(person) = person else { return self.hold(event, 3, false, "nobody did the step") };
                let by = self.procedure.steps.iter().find(|one| one.id == *step).map(|one| one.by);
                self.may_have_a_hand(event, &person, by.as_slice());
                self.history.steps.insert(step.clone());
            }
            Act::AddEvidence(item) => {
                let counsel = person.as_ref().and_then(|person| self.history.roles.get(person));
                let counsel = counsel.is_some_and(|roles| roles.contains(&Role::Counsel));
                self.history.counselled |= counsel && item.basis == Basis::Opinion;
                self.history.items.push(item.clone());
            }
            Act::ConfirmSafe { text, written_by } => {
                self.hold(event, 12, person.as_ref() != Some(written_by), "somebody confirmed their own text");
                self.history.confirmed.insert(*text);
            }
            Act::Ask { text, until, .. } => {
                let safe = self.history.confirmed.contains(text);
                self.hold(event, 12, safe, "a question left that nobody had confirmed to identify no source");
                self.history.asked.push(*until);
            }
            Act::Answer { .. } => self.history.answered = true,
            Act::Respond { role: Role::AppealPanel, .. } => {
                self.history.hands.extend(person.clone());
                self.history.before_appeal.extend(person);
            }
            Act::WaiveHearing { .. } | Act::DecideLeaving { .. } | Act::NamePublicly { .. } | Act::DecideUse { .. } => {
                self.said(event, person);
            }
            Act::TellEmployees { text, names_customer } => {
                let Some(person) = person else { return self.hold(event, 2, false, "nobody told employees") };
                self.may_have_a_hand(event, &person, &[Role::Reviewer]);
                let safe = self.history.confirmed.contains(text);
                self.hold(event, 12, safe, "employees were told what nobody had confirmed to identify no source");
                let named = !names_customer || self.history.naming.len() >= 2;
                self.hold(event, 2, named, "the customer was named without the word of two");
            }
            Act::Determine(_) => self.determined(event, person),
            Act::Propose(decision) => {
                let Some(person) = person else { return self.hold(event, 2, false, "nobody proposed it") };
                self.may_have_a_hand(event, &person, &[Role::Reviewer, Role::Decider]);
                self.history.before_appeal.insert(person.clone());
                self.history.hands.insert(person.clone());
                self.proposed(event, decision);
                self.history.proposals.insert(decision.id.clone(), (person, decision.clone()));
            }
            Act::Approve { decision, approval } => {
                let Some(person) = person else { return self.hold(event, 2, false, "nobody approved it") };
                self.may_have_a_hand(event, &person, &[Role::Decider]);
                self.history.before_appeal.insert(person.clone());
                self.history.hands.insert(person.clone());
                self.history.approvals.entry(decision.clone()).or_default().push((person, approval.clone()));
            }
            Act::Refuse { decision, .. } => {
                self.history.before_appeal.extend(person.clone());
                self.history.hands.extend(person);
                self.history.refused.insert(decision.clone());
            }
            Act::ServeNotice { decision, statement, public } => {
                let safe = [statement, public].iter().all(|text| self.history.confirmed.contains(*text));
                self.hold(event, 12, safe, "a statement left that nobody had confirmed to identify no source");
                self.history.served.insert(decision.clone(), at);
            }
            Act::TakeEffect { decision, root } => self.took_effect(event, decision, *root == self.root_of(decision)),
            Act::RunOut { decision } => drop(self.history.in_force.remove(decision)),
            Act::FollowUp { .. } => self.resumes(),
            Act::Appeal(appeal) => {
                let served = self.history.served.contains_key(&appeal.decision);
                self.hold(event, 6, served, "an appeal is against what was not served");
                self.history.appeals.insert(appeal.id.clone(), appeal.clone());
                self.resumes();
            }
            Act::DecideAppeal { id, outcome, .. } => self.appeal_decided(event, person, id, *outcome),
            Act::Close(closing) => {
                let Some(person) = person else { return self.hold(event, 3, false, "nobody closed it") };
                self.may_have_a_hand(event, &person, &[Role::Reviewer]);
                self.history.hands.insert(person);
                let declared = self.history.opening.as_ref().is_some_and(|one| one.kind == Kind::DeclaredUse);
                let said = decided(&self.history.use_votes);
                let fits = closing.declared_use.as_ref() == said && said.is_some() == declared;
                self.hold(event, 2, fits, "a declared use was answered without the word of two");
                self.history.phase = Phase::Closed;
            }
            Act::GoOnIn { .. } => self.history.phase = Phase::Merged,
            Act::Reopen { .. } => {
                let history = &mut self.history;
                history.phase = Phase::Open;
                history.former.append(&mut history.hands);
                history.roles.retain(|person, _| !history.former.contains(person));
                history.steps.clear();
                history.asked.clear();
                history.waivers.clear();
                history.use_votes.clear();
                history.answered = false;
            }
            _ => {}
        }
    }

    fn resumes(&mut self) {
        if self.history.phase == Phase::Closed {
            self.history.phase = Phase::Resumed;
        }
    }

    /// What is over stays over, and what goes on for an appeal or a follow-up is not reviewed anew by the same.
    fn goes_on(&mut self, event: &Event) {
        let anew = match &event.command.act {
            Act::Determine(_) | Act::CompleteStep { .. } | Act::WaiveHearing { .. } => true,
            Act::Propose(decision) => matches!(decision.order, Order::Impose { .. }),
            _ => false,
        };
        let decides =
            anew || matches!(event.command.act, Act::Propose(_) | Act::Approve { .. } | Act::TakeEffect { .. });
        let goes_on = match self.history.phase {
            Phase::Open => true,
            Phase::Resumed => !anew,
            Phase::Closed => !decides,
            Phase::Merged => false,
        };
        self.hold(event, 3, goes_on, "it was over, and went on without others being asked");
    }

    /// What those who decide said of what needs two.
    fn said(&mut self, event: &Event, person: Option<PersonId>) {
        let Some(person) = person else { return self.hold(event, 2, false, "nobody said it") };
        self.may_have_a_hand(event, &person, &[Role::Decider]);
        match &event.command.act {
            // Whether the customer is named is no part of what is appealed against.
            Act::NamePublicly { .. } => {
                self.history.naming.insert(person);
                return;
            }
            Act::WaiveHearing { .. } => drop(self.history.waivers.insert(person.clone())),
            Act::DecideUse { may, .. } => drop(self.history.use_votes.insert(person.clone(), may.clone())),
            _ => {}
        }
        self.history.before_appeal.insert(person.clone());
        self.history.hands.insert(person);
    }

    fn appeal_decided(&mut self, event: &Event, person: Option<PersonId>, id: &AppealId, outcome: AppealOutcome) {
        let Some(person) = person else { return self.hold(event, 3, false, "nobody decided the appeal") };
        self.may_have_a_hand(event, &person, &[Role::AppealPanel]);
        let other = !self.history.before_appeal.contains(&person);
        self.hold(event, 3, other, "who decided before decided the appeal");
        let votes = self.history.appeal_votes.entry(id.clone()).or_default();
        let open = decided(votes).is_none();
        votes.insert(person.clone(), outcome);
        self.history.hands.insert(person);
        self.hold(event, 3, open, "an appeal was decided twice");
    }

    fn root_of(&self, decision: &DecisionId) -> crate::words::Digest {
        let targets = self.history.proposals.get(decision).map(|(_, decision)| decision.targets.as_slice());
        seal::root(targets.unwrap_or_default())
    }

    /// Declared, no conflict, not close to the customer, there, with a part that is for it, and new to what is reopened.
    fn may_have_a_hand(&mut self, event: &Event, person: &PersonId, roles: &[Role]) {
        let own = self.history.roles.get(person);
        let part = own.is_some_and(|own| roles.iter().any(|role| own.contains(role)));
        self.hold(event, 3, part, "somebody without a part in the case had a hand in it");
        let fresh = !self.history.former.contains(person);
        self.hold(event, 3, fresh, "somebody who reviewed it before had a hand in it again");
        let declared = self.history.declared.get(person) == Some(&false);
        self.hold(event, 3, declared, "somebody without a declaration, or with a conflict, had a hand in it");
        let customer = self.history.opening.as_ref().map(|opening| opening.customer.clone());
        let close = customer.and_then(|customer| self.roster.closeness(person, &customer));
        self.hold(event, 17, close.is_none(), "somebody close to the customer had a hand in it");
        let there = self.roster.present(person, event.command.at).is_some();
        self.hold(event, 3, there, "somebody who is not on the roster, or left, had a hand in it");
    }

    fn determined(&mut self, event: &Event, person: Option<PersonId>) {
        let Act::Determine(determination) = &event.command.act else { return };
        let Some(person) = person else { return self.hold(event, 2, false, "nobody answered the elements") };
        self.may_have_a_hand(event, &person, &[Role::Reviewer]);
        self.history.before_appeal.insert(person.clone());
        self.history.hands.insert(person);
        let wanted: BTreeSet<_> = self.procedure.elements.iter().map(|element| &element.id).collect();
        let every = determination.elements.keys().collect::<BTreeSet<_>>() == wanted;
        self.hold(event, 5, every, "an element of the clause was left out");
        let mut answers = BTreeMap::new();
        for (id, finding) in &determination.elements {
            answers.insert(id.clone(), (finding.answer, finding.standard));
            if finding.answer == Established::Established {
                let items: Vec<Item> =
                    self.history.items.iter().filter(|item| finding.evidence.contains(&item.id)).cloned().collect();
                self.rests_on(event, id, &items, finding.evidence.len());
            }
        }
        self.history.determinations.push(answers);
    }

    fn rests_on(&mut self, event: &Event, id: &ElementId, items: &[Item], named: usize) {
        let rests_on = self.procedure.element(id).map(|element| element.rests_on.clone()).unwrap_or_default();
        let whole = named > 0 && items.len() == named;
        self.hold(event, 5, whole, "an element was established on what is not in the case");
        let fits = items.iter().all(|item| item.basis == Basis::Opinion || rests_on.contains(&item.basis));
        self.hold(event, 5, fits, "an element was established on what its definition does not admit");
        let opinion = |item: &Item| item.basis == Basis::Opinion;
        let told = |item: &Item| !opinion(item) && (item.anonymous || item.basis == Basis::OutsideSource);
        let strong = items.iter().any(|item| !told(item) && !opinion(item));
        let outside = items.iter().filter(|item| told(item));
        let origins = outside.map(|item| &item.origin).collect::<BTreeSet<_>>().len();
        self.hold(event, 17, strong || origins != 1, "an element rests on one source outside");
        self.hold(event, 5, strong || origins > 0, "an element rests on opinions alone");
    }

    /// Nothing outside the evidence, nothing protected, each once.
    fn proposed(&mut self, event: &Event, decision: &Decision) {
        let Order::Impose { intervention } = &decision.order else { return };
        let order = self.procedure.intervention(intervention);
        let allowed = order.map(|order| order.switches.clone());
        self.hold(event, 5, allowed.is_some(), "the procedure has no such intervention");
        let once = decision.targets.iter().collect::<BTreeSet<_>>().len() == decision.targets.len();
        self.hold(event, 4, once, "a target stands twice in the list");
        for target in &decision.targets {
            let protected = self.procedure.protected_services.contains(&target.service);
            self.hold(event, 5, !protected, "a protected service is a target");
            let about = |item: &Item| {
                item.about.iter().any(|(account, service)| {
                    *account == target.account && service.as_ref().is_none_or(|service| *service == target.service)
                })
            };
            let inside = self.history.accounts.contains(&target.account) && self.history.items.iter().any(about);
            self.hold(event, 5, inside, "a target lies outside the evidence");
            let within = allowed.as_ref().is_some_and(|allowed| target.switches.is_subset(allowed));
            self.hold(event, 5, within, "a target switches off more than the intervention may");
            let reasoned = target.switches.iter().all(|switch| decision.reasons.contains_key(switch));
            self.hold(event, 5, reasoned, "a switch has no reasons");
        }
    }

    fn took_effect(&mut self, event: &Event, id: &DecisionId, same_root: bool) {
        let Some((proposer, decision)) = self.history.proposals.get(id).cloned() else {
            return self.hold(event, 2, false, "what nobody proposed took effect");
        };
        self.hold(event, 4, same_root, "what is enforced is not the list that was approved");
        self.hold(event, 2, !self.history.refused.contains(id), "what was refused took effect");
        let approvals = self.history.approvals.get(id).cloned().unwrap_or_default();
        let mut signed = BTreeSet::new();
        for (person, approval) in &approvals {
            let message = seal::message(&event.case, &decision, &approval.shown);
            let own = self.roster.members.get(person).and_then(|member| member.keys.get(&approval.key));
            if own == Some(&approval.form) && seal::verify(&message, approval) {
                signed.insert(person.clone());
            }
            self.may_have_a_hand(event, person, &[Role::Decider]);
        }
        self.hold(event, 3, !signed.contains(&proposer), "who proposed approved");
        let voters: BTreeSet<_> = self.history.appeal_votes.values().flat_map(BTreeMap::keys).cloned().collect();
        self.hold(event, 3, signed.is_disjoint(&voters), "who decided an appeal approved");
        let enough = signed.len() >= self.procedure.approvals.max(2);
        self.hold(event, 2, enough, "it took effect without the signatures of enough people");
        let inside = |person: &PersonId| self.roster.members.get(person).is_some_and(|member| !member.outside);
        let chained = signed.iter().any(|one| {
            signed.iter().any(|two| one < two && inside(one) && inside(two) && self.roster.answer_to_one(one, two))
        });
        self.hold(event, 3, !chained, "those who decided answer to one");
        let upheld = |(appeal, votes): (&AppealId, &BTreeMap<PersonId, AppealOutcome>)| {
            let against = self.history.appeals.get(appeal).is_some_and(|one| one.decision == *id);
            against && matches!(decided(votes), Some(AppealOutcome::Upheld | AppealOutcome::UpheldInPart))
        };
        let undone = self.history.appeal_votes.iter().any(upheld);
        self.hold(event, 7, !undone, "what an appeal undid took effect");
        match &decision.order {
            Order::Impose { intervention } => {
                self.imposed(event, id, &decision, intervention);
                self.history.in_force.insert(id.clone(), decision.targets.clone());
            }
            Order::Lift { decision: lifted } => {
                let force = self.history.in_force.entry(lifted.clone()).or_default();
                let before = force.len();
                force.retain(|target| decision.targets.contains(target));
                let less = force.len() == decision.targets.len() && force.len() < before;
                self.hold(event, 7, less, "lifting left as much in force as before, or more");
            }
        }
    }

    fn imposed(&mut self, event: &Event, id: &DecisionId, decision: &Decision, intervention: &InterventionId) {
        let Some(intervention) = self.procedure.intervention(intervention) else { return };
        let left = intervention.respite(decision.emergency);
        self.hold(event, 6, decision.respite == left, "it leaves the customer other times than the procedure does");
        let over = |served: &Moment| event.command.at >= served.plus_hours(left.notice_hours.into());
        let served = self.history.served.get(id).is_some_and(over);
        self.hold(event, 6, served, "it took effect before its notice was over");
        let bounded = decision.targets.is_empty() || decision.ends.is_some() || decision.review.is_some();
        self.hold(event, 7, bounded, "a restriction has neither an end nor a date of review");
        if decision.emergency {
            self.emergency(event, decision, intervention);
        }
        self.hold(event, 5, !intervention.counsel || self.history.counselled, "counsel was not asked");
        let reach = if decision.emergency { Reach::Interim.min(intervention.reach) } else { intervention.reach };
        let Some(standard) = reach.standard() else { return };
        let standing = self.history.determinations.len().checked_sub(1);
        self.hold(event, 5, decision.determination == standing, "it rests on a determination that was superseded");
        let answers = standing.and_then(|place| self.history.determinations.get(place)).cloned().unwrap_or_default();
        let needed = self.procedure.elements.iter().filter(|element| element.interim || reach > Reach::Interim);
        let shown = needed.clone().all(|element| {
            answers
                .get(&element.id)
                .is_some_and(|(answer, how)| *answer == Established::Established && *how >= standard)
        });
        self.hold(event, 5, shown, "it took effect without its elements being established");
        if reach == Reach::Interim {
            return;
        }
        let history = &self.history;
        let silent = history.asked.iter().any(|until| event.command.at > *until);
        let heard = history.answered || silent || history.waivers.len() >= 2;
        self.hold(event, 6, heard, "the customer was not heard");
        let done = self.procedure.steps.iter().all(|step| self.history.steps.contains(&step.id));
        self.hold(event, 5, done, "a step of the procedure was skipped");
    }

    /// It ends nothing for good, ends within ten days of being proposed, and none comes twice.
    fn emergency(&mut self, event: &Event, decision: &Decision, intervention: &Intervention) {
        let for_good = intervention.reach == Reach::Terminates;
        self.hold(event, 7, !for_good, "an emergency ended something for good");
        let aims: BTreeSet<_> =
            decision.targets.iter().map(|target| (target.account.clone(), target.service.clone())).collect();
        let twice = !aims.is_disjoint(&self.history.emergencies);
        self.hold(event, 7, !twice, "an emergency followed another");
        self.history.emergencies.extend(aims);
    }
}
