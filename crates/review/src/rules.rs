//! What may happen next in a case, and what may not and why: every rule of due process, on every path.
//!
//! Pure: time, people and policy come in as values. A command that was carried out before changes nothing. It changes no
//! state itself ([`crate::case`] does, by the event) and knows no role's rights beyond separation of duties: those are in
//! the access policies, and both must allow.

use crate::act::{
    Act, AppealOutcome, Approval, Closing, Command, Decision, DeclaredUse, Determination, ElementAnswer, Established,
    Event, Hand, Item, Kind, Opening, Order, Source,
};
use crate::case::{CHECK_DAYS, Case, Decided, Phase, Previewed, Standing};
use crate::metered::{Metered, PREVIEW_DAYS};
use crate::procedure::{Basis, Element, Intervention, Procedure, Reach, Respite};
use crate::roster::{Roster, RosterEvent};
use crate::seal;
use crate::words::{
    AccountId, Actor, CaseId, CommandId, DecisionId, Digest, EvidenceId, ItemId, Moment, PersonId, Role, Standard,
    StepId, Target, Text,
};
use std::collections::{BTreeMap, BTreeSet};

/// What a case does not know itself.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The law of the case.
    pub procedure: &'a Procedure,
    /// The people.
    pub roster: &'a Roster,
    /// What is under review in other open cases of the same policy.
    pub elsewhere: &'a Elsewhere,
    /// A rule that is not held, so that tests can show what it is there for.
    #[cfg(test)]
    pub without: Option<Rule>,
}

/// What is under review in other open cases of the same policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// Accounts, and where.
    pub accounts: BTreeMap<AccountId, CaseId>,
    /// Declarations, and where.
    pub declarations: BTreeMap<CommandId, CaseId>,
}

/// A refusal: which rule, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{mend} (rule: {rule})")]
pub struct Refusal {
    /// The rule.
    pub rule: Rule,
    /// What to do instead.
    pub mend: String,
}

/// The rules, each with the sentence it is known by.
macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $sentence:literal,)*) => {
        /// A rule of due process.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $(#[doc = $sentence] $name,)*
        }

        impl Rule {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];
        }

        impl std::fmt::Display for Rule {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { $(Self::$name => $sentence,)* })
            }
        }
    };
}

rules! {
    Begins = "a case begins once, on accounts and something that points at them, or on a use that is declared",
    OneCase = "a workload has one open case",
    GoesOn = "only an open case goes on",
    Somebody = "people act, and Tribune restricts nobody",
    Present = "who acts is on the roster and has not left",
    HasPart = "who acts has a part in the case that allows it",
    Declared = "who acts has declared whether they have a conflict",
    NoConflict = "nobody with a conflict has a hand in the case",
    NotClose = "the account team, the sponsor and their managers have no hand in the case",
    Fresh = "a reopened case is reviewed by others",
    Known = "what is named is there",
    Once = "what was done is not done again",
    StepOfOthers = "a step is done by the role that the procedure names",
    SourceSafe = "a second person has confirmed that what leaves identifies no source",
    TwoEyes = "nobody confirms their own text",
    TimeToAnswer = "the customer has time to answer",
    EveryElement = "a determination answers every element of the clause, and no other",
    Shown = "what is established rests on evidence of the case",
    Admissible = "an element rests on what its definition admits",
    TwoSources = "what people outside tell needs two sources of different origin",
    NotOpinionAlone = "an opinion alone shows nothing",
    Heard = "the customer is heard before, unless two people record why not",
    Supersedes = "a determination takes the place of the one that stands",
    OnDetermination = "a decision rests on the determination that stands",
    Proven = "an intervention needs what it is for to be shown, as surely as it reaches far",
    StepsDone = "a decision that disables comes after every step",
    Counsel = "counsel has given an opinion where the procedure asks for it",
    Sealed = "a list of targets is sorted and names each target once",
    WithinOrder = "a target switches off only what the intervention may",
    Narrow = "a target lies within the workload and the evidence",
    Protected = "a protected service is no target",
    Reasoned = "every switch is answered with reasons",
    Respite = "a decision leaves the customer the notice and the days to take data out that the procedure gives",
    Bounded = "a restriction has an end or a date of review",
    LiftsLess = "lifting leaves less in force",
    Previewed = "those who decide see by recent usage what stops and what goes on, but in an emergency",
    MeteredFits = "what was metered is of the accounts in question, and of the time in question",
    Drift = "what takes effect is looked at once more: an account that changed hands is no target",
    Proposed = "only what is proposed is approved or refused",
    OtherThanProposer = "who proposed does not approve",
    OtherThanAppeal = "who decides an appeal did not decide before, and the other way round",
    AsShown = "who approves was shown the decision as it stands, with what recent usage says of it",
    OwnSignature = "who approves signs the decision and its list with a key of their own",
    NotOneChain = "where those who decide answer to one, somebody outside decides",
    Approved = "only what enough people approved takes effect",
    StillApproved = "those whose word counts are still there, and without a conflict",
    Unchanged = "what is enforced is the list that was approved",
    NoticeFirst = "no restriction starts before its statement of reasons is served and its notice is over",
    Entrusted = "what people are to end is one person's task, who attests that it is done",
    Over = "what was decided for a time ends when the time is over",
    CheckDue = "a check is made when it is due, on what took effect",
    Leaves = "a decision about data that leaves is about data that leaves",
    AppealServed = "an appeal is against a decision that was served, one at a time",
    InTime = "an appeal comes within six months, or two people admit it",
    Undecided = "an appeal is decided once",
    NothingLeft = "a case closes when nothing is left to do",
    DeclaredUse = "whether a declared use may go on is said by two who decide, of such a use alone",
    NewMaterial = "a closed case is reopened on new material",
    Owed = "employees are told of what was made known, and once",
    Held = "a case is put off by who carries it, to a day within thirty, and never an appeal or data that leaves",
    Escalated = "a question goes up to counsel, to those who decide or to the panel, one at a time, and they answer it",
    Unnamed = "the customer is named where two who decide said that it may be",
}

/// For how many days a case can be put off at once.
pub const HOLD_DAYS: i64 = 30;
/// To whom a question can go up.
pub const ESCALATED_TO: [Role; 3] = [Role::Counsel, Role::Decider, Role::AppealPanel];

fn escalated_to() -> String {
    ESCALATED_TO.map(Role::name).join(", ")
}

/// Holds a rule.
macro_rules! hold {
    ($context:expr, $rule:ident, $holds:expr, $($mend:tt)*) => {
        if !($holds) && !$context.is_without(Rule::$rule) {
            return Err(Refusal { rule: Rule::$rule, mend: format!($($mend)*) });
        }
    };
}

/// Held, or the rule that is against it.
pub type Ruling = Result<(), Refusal>;

impl<'a> Context<'a> {
    /// What a command is held against.
    pub fn new(procedure: &'a Procedure, roster: &'a Roster, elsewhere: &'a Elsewhere) -> Self {
        Self {
            procedure,
            roster,
            elsewhere,
            #[cfg(test)]
            without: None,
        }
    }

    #[cfg(test)]
    fn is_without(&self, rule: Rule) -> bool {
        self.without == Some(rule)
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "only tests leave a rule out")]
    fn is_without(&self, _: Rule) -> bool {
        false
    }
}

/// The first event of a case, if it may begin.
///
/// # Errors
/// The rule that is against it.
pub fn open(context: &Context<'_>, id: CaseId, command: Command) -> Result<Event, Refusal> {
    let Act::Open(Opening { kind, customer, accounts, sources, .. }) = &command.act else {
        return Err(Refusal { rule: Rule::Begins, mend: "open it first".to_owned() });
    };
    let declared = sources.iter().any(|source| matches!(source, Source::Declaration(_)));
    let begins = if *kind == Kind::DeclaredUse { declared } else { !accounts.is_empty() && !sources.is_empty() };
    hold!(context, Begins, begins, "name at least one account, and a finding or a report; or the use that is declared");
    let fits = declared == (*kind == Kind::DeclaredUse);
    hold!(context, DeclaredUse, fits, "a declaration is reviewed in a case of a declared use");
    one_case(context, accounts, sources, None)?;
    if let Actor::Person(person) = &command.by {
        present(context, person, command.at)?;
        let close = context.roster.closeness(person, customer);
        hold!(context, NotClose, close.is_none(), "{person} is too close to the customer; ask somebody else");
    }
    hold!(context, Somebody, command.by != Actor::Customer, "somebody of the provider's opens it");
    Ok(Event { case: id, number: 1, command })
}

/// Holds if these changes of the roster may be made: where nobody is yet, by whoever begins; from then on by two who
/// decide, or whoever could put a key on it alone could decide alone. At least two who decide stay on it, or nobody could
/// ever change it again.
///
/// # Errors
/// The rule that is against it.
pub fn change_roster(roster: &Roster, event: &RosterEvent) -> Ruling {
    let refuse = |rule: Rule, mend: String| Err(Refusal { rule, mend });
    if event.changes.is_empty() {
        return refuse(Rule::Known, "the file says nothing that is not so already".to_owned());
    }
    let mut after = roster.clone();
    after.apply(event);
    if after.members.keys().filter(|person| after.is(person, Role::Decider, event.at)).count() < 2 {
        return refuse(Rule::Present, "leave at least two people on it who decide".to_owned());
    }
    if let Some(twice) = after.identity_of_two() {
        return refuse(Rule::Known, format!("{twice} would be an identity or a key of two people"));
    }
    if roster.members.is_empty() {
        return if event.by.is_empty() { Ok(()) } else { refuse(Rule::Known, "nobody is on it yet".to_owned()) };
    }
    let decide = event.by.iter().all(|person| roster.is(person, Role::Decider, event.at));
    if event.by.len() != 2 || !decide {
        return refuse(Rule::Present, "two people who decide change the roster".to_owned());
    }
    Ok(())
}

/// Neither the accounts nor what was declared are under review in another open case, but for one.
fn one_case<'s>(
    context: &Context<'_>,
    accounts: &BTreeSet<AccountId>,
    sources: impl IntoIterator<Item = &'s Source>,
    but: Option<&CaseId>,
) -> Ruling {
    let elsewhere = context.elsewhere;
    let account = |one| Some((format!("account {one}"), elsewhere.accounts.get(one)?));
    let declaration = |source: &Source| match source {
        Source::Declaration(one) => {
            Some((format!("declaration {}", one.declaration), elsewhere.declarations.get(&one.declaration)?))
        }
        _ => None,
    };
    let mut found = accounts.iter().filter_map(account).chain(sources.into_iter().filter_map(declaration));
    if let Some((what, case)) = found.find(|(_, case)| Some(*case) != but) {
        hold!(context, OneCase, false, "{what} is under review in {case}; let it join that case");
    }
    Ok(())
}

fn present(context: &Context<'_>, person: &PersonId, at: Moment) -> Ruling {
    let present = context.roster.present(person, at).is_some();
    hold!(context, Present, present, "put {person} on the roster, or let somebody else do it");
    Ok(())
}

impl Case {
    /// The event that a command becomes; none if it was carried out before. Time does not run back in a case: a clock
    /// that does is held at the last event's. What needs time to pass goes by the clock all the same: one that jumped
    /// ahead and came back has let no notice run out.
    ///
    /// # Errors
    /// The rule that is against it.
    pub fn admit(&self, context: &Context<'_>, command: Command) -> Result<Option<Event>, Refusal> {
        if self.done.contains(&command.id) {
            return Ok(None);
        }
        let clock = command.at;
        let command = Command { at: command.at.max(self.last), ..command };
        let check = Check { case: self, context, at: command.at, clock, by: &command.by };
        check.act(&command.act)?;
        Ok(Some(Event { case: self.id.clone(), number: self.version + 1, command }))
    }
}

/// A command being held against the rules.
struct Check<'a> {
    case: &'a Case,
    context: &'a Context<'a>,
    at: Moment,
    /// As the clock says, though it was further before: by it time passes.
    clock: Moment,
    by: &'a Actor,
}

impl Check<'_> {
    fn act(&self, act: &Act) -> Ruling {
        self.goes_on(act)?;
        match act {
            Act::Open(_) => {
                hold!(self.context, Begins, false, "it is open already; let what is new join it");
                Ok(())
            }
            Act::Join { source, accounts } => self.join(source, accounts),
            Act::TakeIn { other, accounts, sources, .. } => self.take_in(other, accounts, sources),
            Act::GoOnIn { other } => self.go_on_in(other),
            Act::Assign { person, role } => self.assign(person, *role),
            Act::Declare { .. } => self.declare(),
            Act::Release { person } => self.release(person),
            Act::NoteContact { .. } | Act::NoteLeaving { .. } | Act::FollowUp { .. } => self.notes(act),
            Act::CompleteStep { step, .. } => self.complete_step(step),
            Act::AddEvidence(item) => self.add_evidence(item),
            Act::HandleEvidence { evidence, .. } => self.handle_evidence(evidence),
            Act::ConfirmSafe { text, written_by } => self.confirm_safe(text, written_by),
            Act::Ask { text, until, id } => self.ask(id, text, *until),
            Act::Answer { id, .. } => self.answer(id),
            Act::WaiveHearing { .. } => self.waive_hearing(),
            Act::Determine(determination) => self.determine(determination),
            Act::Dissent { determination, .. } => self.dissent(*determination),
            Act::Propose(decision) => self.propose(decision),
            Act::Preview { decision, metered } => self.preview(decision, metered),
            Act::Compare { decision, metered } => self.compare(decision, metered),
            Act::Approve { decision, approval } => self.approve(decision, approval),
            Act::Refuse { decision, .. } => self.refuse(decision),
            Act::ServeNotice { decision, statement, public } => self.serve_notice(decision, statement, public),
            Act::TakeEffect { decision, root } => self.take_effect(decision, root),
            Act::RunOut { decision } => self.run_out(decision),
            Act::DecideLeaving { .. } => self.decide_leaving(),
            Act::Check { decision, days, .. } => self.check(decision, *days),
            Act::LookAgain { decision, next, .. } => self.look_again(decision, *next),
            Act::Entrust { decision, to, due } => self.entrust(decision, to, *due),
            Act::Attest { decision, .. } => self.attest(decision),
            Act::SettleFollowUp { id, .. } => self.settle(id),
            Act::Appeal(_) | Act::AdmitAppeal { .. } | Act::DecideAppeal { .. } => self.appeal(act),
            Act::NamePublicly { .. } => self.name_publicly(),
            Act::DecideUse { may, .. } => self.decide_use(may),
            Act::Correct { statement, correction } => self.correct(statement, correction),
            Act::TellEmployees { text, names_customer } => self.tell_employees(text, *names_customer),
            Act::Hold { until, .. } => self.hold_off(*until),
            Act::TakeUp => self.take_up(),
            Act::Escalate { to, .. } => self.escalate(*to),
            Act::Respond { role, .. } => self.respond(*role),
            Act::Close(closing) => self.close(closing),
            Act::Reopen { material } => self.reopen(material),
        }
    }

    /// Whether a case that is closed, or goes on for one thing alone, still takes such an act.
    fn goes_on(&self, act: &Act) -> Ruling {
        let open = self.case.phase == Phase::Open;
        let after = matches!(
            act,
            Act::Reopen { .. }
                | Act::AddEvidence(_)
                | Act::HandleEvidence { .. }
                | Act::Correct { .. }
                | Act::ConfirmSafe { .. }
                | Act::NoteContact { .. }
                | Act::FollowUp { .. }
                | Act::NamePublicly { .. }
                | Act::TellEmployees { .. }
                | Act::Appeal(_)
        );
        let closed = self.case.phase == Phase::Closed && after;
        hold!(
            self.context,
            GoesOn,
            open || closed,
            "it is closed; reopen it on new material, or look where it went on"
        );
        let anew = matches!(act, Act::Determine(_) | Act::CompleteStep { .. } | Act::WaiveHearing { .. });
        let imposes = matches!(act, Act::Propose(Decision { order: Order::Impose { .. }, .. }));
        hold!(
            self.context,
            NewMaterial,
            !(self.case.resumed && (anew || imposes)),
            "it goes on for an appeal or a follow-up alone; reopen it on new material, for others to review"
        );
        Ok(())
    }

    // ---- people ---------------------------------------------------------------------------------------------------

    fn unknown(&self, what: &str, name: &str) -> Ruling {
        Err(Refusal { rule: Rule::Known, mend: format!("there is no {what} {name}") })
    }

    /// The person who acts, if one does.
    const fn person(&self) -> Option<&PersonId> {
        if let Actor::Person(person) = self.by { Some(person) } else { None }
    }

    /// The person who acts; on the roster, and there.
    fn staff(&self) -> Result<&PersonId, Refusal> {
        let Actor::Person(person) = self.by else {
            return Err(Refusal { rule: Rule::Somebody, mend: "somebody of the provider's does this".to_owned() });
        };
        present(self.context, person, self.at)?;
        Ok(person)
    }

    /// The person who acts, in a part or not, with no conflict that is known and not close to the customer.
    fn apart(&self) -> Result<&PersonId, Refusal> {
        let person = self.staff()?;
        let conflict = self.case.parts.get(person).and_then(|part| part.declared).flatten().is_some();
        hold!(self.context, NoConflict, !conflict, "{person} has a conflict; ask somebody without one");
        let close = self.context.roster.closeness(person, &self.case.opening.customer);
        hold!(self.context, NotClose, close.is_none(), "{person} is too close to the customer; ask somebody else");
        Ok(person)
    }

    /// The person who acts in one of these roles, with nothing that stands against their having a hand in it.
    fn hands(&self, roles: &[Role]) -> Result<&PersonId, Refusal> {
        let person = self.staff()?;
        let part = self.case.parts.get(person);
        let may = part.is_some_and(|part| roles.iter().any(|role| part.roles.contains(role)));
        hold!(self.context, HasPart, may, "assign {person} first, in a role that does this");
        self.clean(person)?;
        Ok(person)
    }

    /// Declared, without a conflict, not close to the customer.
    fn clean(&self, person: &PersonId) -> Ruling {
        let declared = self.case.parts.get(person).and_then(|part| part.declared);
        hold!(self.context, Declared, declared.is_some(), "{person} declares first whether there is a conflict");
        hold!(
            self.context,
            NoConflict,
            declared.flatten().is_none(),
            "{person} has a conflict; release and replace them"
        );
        let close = self.context.roster.closeness(person, &self.case.opening.customer);
        hold!(self.context, NotClose, close.is_none(), "{person} is too close to the customer; replace them");
        Ok(())
    }

    /// Those who said so before stand for it still. Whoever went takes their word with them, once they are released.
    fn still_stand<'s>(&self, voters: impl IntoIterator<Item = &'s PersonId>) -> Ruling {
        for person in voters {
            let there = self.context.roster.present(person, self.at).is_some() && self.clean(person).is_ok();
            hold!(self.context, StillApproved, there, "{person} cannot stand for it any more; release them first");
        }
        Ok(())
    }

    /// The customer was heard, or those who said why not stand for that still.
    fn heard(&self) -> Ruling {
        hold!(self.context, Heard, self.case.heard(self.clock), "put your questions to the customer first");
        let waived = self.case.hearing_waived.iter().filter(|_| !self.case.answered(self.clock));
        self.still_stand(waived)
    }

    fn assign(&self, person: &PersonId, role: Role) -> Ruling {
        self.apart()?;
        let may = self.context.roster.is(person, role, self.at);
        hold!(self.context, Present, may, "{person} is not on the roster in that role");
        let close = self.context.roster.closeness(person, &self.case.opening.customer);
        hold!(self.context, NotClose, close.is_none(), "{person} is too close to the customer; ask somebody else");
        hold!(
            self.context,
            Fresh,
            !self.case.former.contains(person),
            "{person} reviewed it before; ask somebody else"
        );
        Ok(())
    }

    fn hold_off(&self, until: Moment) -> Ruling {
        self.hands(&[Role::Reviewer])?;
        let case = self.case;
        let heard = case.appeals.values().any(|one| one.outcome.is_none() || case.upholds(one));
        let leaves = case.leaving.iter().any(|noted| noted.choice.is_none());
        hold!(
            self.context,
            Held,
            !heard && !leaves,
            "an appeal is heard or carried out, or data leaves: that is not put off"
        );
        let days = until > self.at && until <= self.at.plus_days(HOLD_DAYS);
        hold!(self.context, Held, days, "name a day that is to come, at most {HOLD_DAYS} days from now");
        Ok(())
    }

    fn go_on_in(&self, other: &CaseId) -> Ruling {
        self.apart()?;
        hold!(self.context, Known, *other != self.case.id, "a case cannot go on in itself");
        self.nothing_decided()?;
        self.nothing_served()?;
        Ok(())
    }

    fn declare(&self) -> Ruling {
        let person = self.staff()?;
        let part = self.case.parts.get(person);
        hold!(self.context, HasPart, part.is_some(), "they are asked who have a part");
        let kept = part.is_none_or(|part| part.declared.flatten().is_none());
        hold!(self.context, NoConflict, kept, "{person} has declared a conflict, which stays; release them");
        Ok(())
    }

    fn release(&self, person: &PersonId) -> Ruling {
        // Whoever has a conflict may go, and sends nobody else away.
        if self.staff()? != person {
            self.apart()?;
        }
        hold!(self.context, Known, self.case.parts.contains_key(person), "{person} has no part in the case");
        Ok(())
    }

    fn complete_step(&self, step: &StepId) -> Ruling {
        let Some(step) = self.context.procedure.steps.iter().find(|one| one.id == *step) else {
            return self.unknown("step", step.as_str());
        };
        let once = !self.case.steps.contains_key(&step.id);
        hold!(self.context, Once, once, "the step is done; go on with the next");
        let person = self.staff()?;
        let by = self.case.parts.get(person).is_some_and(|part| part.roles.contains(&step.by));
        hold!(self.context, StepOfOthers, by, "{} is for another role; ask one who has it in the case", step.title);
        self.clean(person)?;
        Ok(())
    }

    // ---- what comes in --------------------------------------------------------------------------------------------

    fn join(&self, source: &Source, accounts: &BTreeSet<AccountId>) -> Ruling {
        if self.by != &Actor::System {
            self.staff()?;
        }
        hold!(self.context, Once, !self.case.sources.contains(source), "it has joined already");
        let declared = !matches!(source, Source::Declaration(_)) || self.case.is_declared_use();
        hold!(self.context, DeclaredUse, declared, "a declaration is reviewed in a case of a declared use");
        one_case(self.context, accounts, [source], None)
    }

    fn take_in(&self, other: &CaseId, accounts: &BTreeSet<AccountId>, sources: &BTreeSet<Source>) -> Ruling {
        self.apart()?;
        hold!(self.context, Known, *other != self.case.id, "a case cannot take itself in");
        one_case(self.context, accounts, sources, Some(other))
    }

    fn notes(&self, act: &Act) -> Ruling {
        if matches!(act, Act::NoteLeaving { .. }) {
            let open = self.case.leaving.iter().any(|one| one.choice.is_none());
            hold!(
                self.context,
                Once,
                !open,
                "it is noted that data leaves; two people say first what is done about that"
            );
        }
        if !matches!(act, Act::NoteContact { .. }) && self.by == &Actor::System {
            return Ok(());
        }
        if matches!(act, Act::FollowUp { .. }) {
            self.apart()?
        } else {
            self.staff()?
        };
        if let Act::FollowUp { id, .. } = act {
            hold!(self.context, Once, !self.case.follow_ups.contains_key(id), "it is followed up already");
        }
        Ok(())
    }

    fn add_evidence(&self, item: &Item) -> Ruling {
        hold!(self.context, Once, !self.case.evidence.contains_key(&item.id), "that evidence is in the case");
        let answered = |one: &crate::case::Question| one.answer.is_some() || self.clock > one.until;
        let answer = item.basis != Basis::CustomerAnswer || self.case.questions.values().any(answered);
        hold!(self.context, Known, answer, "the customer was asked nothing that it answered, refused or let pass");
        match self.by {
            Actor::Person(_) => drop(self.staff()?),
            Actor::System => hold!(self.context, Somebody, item.basis == Basis::Meters, "Tribune adds meters alone"),
            Actor::Customer => {
                hold!(self.context, Somebody, item.basis == Basis::CustomerAnswer, "a customer adds its answers");
            }
        }
        Ok(())
    }

    fn safe(&self, text: &Text) -> Ruling {
        let safe = self.case.safe.contains_key(text);
        hold!(self.context, SourceSafe, safe, "let a second person read it and confirm that it identifies no source");
        Ok(())
    }

    // ---- proof ----------------------------------------------------------------------------------------------------

    fn determine(&self, determination: &Determination) -> Ruling {
        self.hands(&[Role::Reviewer])?;
        let elements = &self.context.procedure.elements;
        let every = elements.len() == determination.elements.len()
            && elements.iter().all(|element| determination.elements.contains_key(&element.id));
        hold!(self.context, EveryElement, every, "answer each element of the clause, and no other");
        for element in elements {
            if let Some(finding) = determination.elements.get(&element.id) {
                self.shown(element, finding)?;
            }
        }
        let sure = |finding: &ElementAnswer| {
            finding.answer == Established::Established && finding.standard >= Standard::MoreLikelyThanNot
        };
        let accuses = determination.elements.values().all(sure);
        if accuses {
            self.heard()?;
        }
        let standing = self.case.standing_determination().map(|(place, _)| place);
        let in_place = determination.supersedes == standing;
        hold!(self.context, Supersedes, in_place, "name the determination that stands as the one superseded");
        Ok(())
    }

    fn shown(&self, element: &Element, finding: &ElementAnswer) -> Ruling {
        if finding.answer != Established::Established {
            return Ok(());
        }
        let id = &element.id;
        let items: Vec<&Item> = finding.evidence.iter().filter_map(|one| self.case.evidence.get(one)).collect();
        let there = !items.is_empty() && items.len() == finding.evidence.len();
        hold!(self.context, Shown, there, "{id}: name the evidence it rests on, as it is in the case");
        let opinion = |item: &&Item| item.basis == Basis::Opinion;
        let admits = |item: &&Item| element.rests_on.contains(&item.basis) || opinion(item);
        hold!(
            self.context,
            Admissible,
            items.iter().all(admits),
            "{id}: leave out what the clause does not admit for it"
        );
        hold!(self.context, NotOpinionAlone, !items.iter().all(opinion), "{id}: add what the opinion is about");
        // What is not told by people outside carries by itself; else two origins must tell it. What nobody stands for is
        // told, whatever it is said to be.
        let told = |item: &&&Item| item.basis == Basis::OutsideSource || (item.anonymous && !opinion(item));
        let origins: BTreeSet<_> = items.iter().filter(told).map(|item| &item.origin).collect();
        let carries = items.iter().any(|item| !told(&item) && !opinion(item));
        hold!(self.context, TwoSources, carries || origins.len() != 1, "{id}: find a second source of another origin");
        Ok(())
    }

    fn handle_evidence(&self, evidence: &EvidenceId) -> Ruling {
        self.staff()?;
        hold!(self.context, Known, self.case.evidence.contains_key(evidence), "there is no evidence {evidence}");
        Ok(())
    }

    fn confirm_safe(&self, text: &Text, written_by: &PersonId) -> Ruling {
        let person = self.apart()?;
        hold!(self.context, TwoEyes, person != written_by, "ask somebody who did not write it");
        hold!(self.context, Once, !self.case.safe.contains_key(text), "it is confirmed already");
        Ok(())
    }

    fn ask(&self, id: &ItemId, text: &Text, until: Moment) -> Ruling {
        self.hands(&[Role::Reviewer, Role::Counsel])?;
        hold!(self.context, Once, !self.case.questions.contains_key(id), "the question is put already");
        self.safe(text)?;
        let days = self.context.procedure.days_to_answer;
        let time = until >= self.at.plus_days(days);
        hold!(self.context, TimeToAnswer, time, "give the customer at least {days} days");
        Ok(())
    }

    fn answer(&self, id: &ItemId) -> Ruling {
        hold!(self.context, Somebody, self.by == &Actor::Customer, "the customer answers, or nobody");
        hold!(self.context, Known, self.case.questions.contains_key(id), "no question {id} was put");
        Ok(())
    }

    fn waive_hearing(&self) -> Ruling {
        self.hands(&[Role::Decider])?;
        self.still_stand(&self.case.hearing_waived)?;
        Ok(())
    }

    fn dissent(&self, determination: usize) -> Ruling {
        let person = self.staff()?;
        let took_part =
            self.case.parts.get(person).is_some_and(|part| !part.hands.is_empty() || !part.roles.is_empty());
        hold!(self.context, HasPart, took_part, "an opinion is recorded of those who took part");
        let known = determination < self.case.determinations.len();
        hold!(self.context, Known, known, "there is no determination {determination}");
        Ok(())
    }

    // ---- decisions ------------------------------------------------------------------------------------------------

    fn decided(&self, id: &DecisionId) -> Result<&Decided, Refusal> {
        let unknown = || Refusal { rule: Rule::Known, mend: format!("there is no decision {id}") };
        self.case.decisions.get(id).ok_or_else(unknown)
    }

    fn propose(&self, decision: &Decision) -> Ruling {
        self.hands(&[Role::Reviewer, Role::Decider])?;
        let once = !self.case.decisions.contains_key(&decision.id);
        hold!(self.context, Once, once, "there is a decision {} already", decision.id);
        let sealed = decision.targets.is_sorted_by(|a, b| a < b);
        hold!(self.context, Sealed, sealed, "sort the targets and name each once");
        match &decision.order {
            Order::Impose { intervention } => {
                let Some(intervention) = self.context.procedure.intervention(intervention) else {
                    return self.unknown("intervention", intervention.as_str());
                };
                self.proven(decision, intervention)?;
                self.targets(decision, intervention)?;
                // Sealed, so that not even whoever holds the server takes it away.
                let left = intervention.respite(decision.emergency);
                let Respite { notice_hours: hours, export_days: days } = left;
                let leaves = decision.respite == left;
                hold!(self.context, Respite, leaves, "leave {hours} hours of notice and {days} days to take data out");
                Ok(())
            }
            Order::Lift { decision: lifted } => {
                let lifted = self.decided(lifted)?;
                let kept = decision.targets.iter().all(|target| lifted.in_force.contains(target));
                let less = kept && decision.targets.len() < lifted.in_force.len();
                hold!(self.context, LiftsLess, less, "list what stays in force, fewer targets than are now");
                let none = decision.respite == Respite::default();
                hold!(self.context, Respite, none, "what lifts takes effect at once");
                Ok(())
            }
        }
    }

    /// What the intervention is for is shown, as surely as it reaches far.
    fn proven(&self, decision: &Decision, intervention: &Intervention) -> Ruling {
        let reach = if decision.emergency { Reach::Interim.min(intervention.reach) } else { intervention.reach };
        let counsel = !intervention.counsel || self.case.counselled;
        hold!(self.context, Counsel, counsel, "ask counsel in the case to add an opinion to the evidence");
        if decision.emergency {
            self.emergency(decision, intervention)?;
        }
        let Some(standard) = reach.standard() else { return Ok(()) };
        let standing = self.case.standing_determination();
        let of_now = standing.is_some_and(|(_, one)| self.case.reopened.is_none_or(|reopened| one.at >= reopened));
        let on = of_now && decision.determination == standing.map(|(place, _)| place);
        hold!(self.context, OnDetermination, on, "name the determination that stands");
        let Some((_, determined)) = standing else { return Ok(()) };
        let interim = reach == Reach::Interim;
        for element in self.context.procedure.elements.iter().filter(|element| element.interim || !interim) {
            let finding = determined.determination.elements.get(&element.id);
            let shown = finding
                .is_some_and(|finding| finding.answer == Established::Established && finding.standard >= standard);
            hold!(self.context, Proven, shown, "{} must be established, at least as {standard}", element.id);
        }
        if !interim {
            self.heard()?;
            self.steps_done()?;
        }
        Ok(())
    }

    fn steps_done(&self) -> Ruling {
        let missing = self.context.procedure.steps.iter().find(|step| !self.case.steps.contains_key(&step.id));
        let title = missing.map_or("", |step| step.title.as_str());
        hold!(self.context, StepsDone, missing.is_none(), "not done yet: {title}");
        Ok(())
    }

    /// Two who decide, and do not answer to one, say alike what may be of a declared use.
    fn decide_use(&self, may: &DeclaredUse) -> Ruling {
        let person = self.hands(&[Role::Decider])?;
        hold!(self.context, DeclaredUse, self.case.is_declared_use(), "no use was declared in this case");
        let limited = match may {
            DeclaredUse::Conditions { calls_per_hour, until } => *calls_per_hour >= 0 && *until > self.at,
            DeclaredUse::Approved | DeclaredUse::Rejected => true,
        };
        hold!(self.context, Bounded, limited, "give how many calls an hour at most, and a day that is to come");
        self.steps_done()?;
        let alike = self.case.use_votes.iter().filter(|(other, vote)| *vote == may && *other != person);
        let alike: Vec<&PersonId> = alike.map(|(other, _)| other).collect();
        self.still_stand(alike.iter().copied())?;
        self.not_one_chain(person, alike)
    }

    /// Whoever of them answers to one with somebody else is not the only other: somebody outside decides then.
    fn not_one_chain<'s>(&self, person: &PersonId, others: impl IntoIterator<Item = &'s PersonId>) -> Ruling {
        let outside = |who: &PersonId| self.context.roster.members.get(who).is_some_and(|member| member.outside);
        let one_chain =
            |other: &PersonId| self.context.roster.answer_to_one(person, other) && !outside(person) && !outside(other);
        let apart = !others.into_iter().any(one_chain);
        hold!(self.context, NotOneChain, apart, "both answer to one; ask somebody outside");
        Ok(())
    }

    /// An emergency ends nothing for good, and no second one takes the place of a decision.
    fn emergency(&self, decision: &Decision, intervention: &Intervention) -> Ruling {
        let for_good = intervention.reach == Reach::Terminates;
        hold!(self.context, Bounded, !for_good, "no emergency ends a contract: propose it to be decided");
        let aimed = |one: &Decision| {
            one.targets
                .iter()
                .any(|a| decision.targets.iter().any(|b| (&a.account, &a.service) == (&b.account, &b.service)))
        };
        let before = self
            .case
            .decisions
            .values()
            .any(|decided| decided.decision.emergency && decided.effect.is_some() && aimed(&decided.decision));
        hold!(self.context, Bounded, !before, "an emergency held this before: propose it to be decided");
        Ok(())
    }

    fn targets(&self, decision: &Decision, intervention: &Intervention) -> Ruling {
        let restricts = !intervention.switches.is_empty();
        let some = decision.targets.is_empty() != restricts;
        hold!(self.context, WithinOrder, some, "targets belong to an intervention that switches something off");
        for target in &decision.targets {
            let Target { account, service, switches, .. } = target;
            let within = !switches.is_empty() && switches.is_subset(&intervention.switches);
            hold!(self.context, WithinOrder, within, "{account} {service}: switch off only what the intervention may");
            let protected = self.context.procedure.protected_services.contains(service);
            hold!(self.context, Protected, !protected, "{service} is never a target; leave it out");
            let about = |item: &Item| {
                item.about.contains(&(account.clone(), None))
                    || item.about.contains(&(account.clone(), Some(service.clone())))
            };
            let narrow = self.case.accounts.contains(account) && self.case.evidence.values().any(about);
            hold!(self.context, Narrow, narrow, "no evidence is about {service} on {account}; leave it out");
        }
        let switches: BTreeSet<_> = decision.targets.iter().flat_map(|target| &target.switches).collect();
        let reasoned = switches.iter().all(|switch| decision.reasons.contains_key(switch));
        hold!(self.context, Reasoned, reasoned, "say for each switch why it is needed and nothing less will do");
        // Sealed, so that not even whoever holds the server makes it longer.
        if let Some(latest) = intervention.latest_end(decision.emergency, self.at).filter(|_| restricts) {
            let ends = decision.ends.is_some_and(|ends| ends <= latest);
            hold!(self.context, Bounded, ends, "it is for a time: give an end, {} at the latest", latest.day());
        }
        let bounded = !restricts || decision.ends.is_some() || decision.review.is_some();
        hold!(self.context, Bounded, bounded, "give an end, or a date on which it is looked at again");
        Ok(())
    }

    fn approve(&self, id: &DecisionId, approval: &Approval) -> Ruling {
        let person = self.hands(&[Role::Decider])?;
        let decided = self.decided(id)?;
        let proposed = decided.standing == Standing::Proposed;
        hold!(self.context, Proposed, proposed, "it is not before those who decide any more");
        hold!(self.context, Once, !decided.approvals.contains_key(person), "you have approved it");
        let lately = |one: &Previewed| self.is_late(one.metered.to);
        let seen = !decided.wants_preview() || decided.previews.last().is_some_and(lately);
        hold!(self.context, Previewed, seen, "look first, by the usage of late, at what it stops: preview it");
        self.own_accounts(decided)?;
        hold!(self.context, OtherThanProposer, decided.by != *person, "ask those who decide");
        let appeal = self.case.parts.get(person).is_some_and(|part| part.hands.contains(&Hand::DecidedAppeal));
        hold!(self.context, OtherThanAppeal, !appeal, "{person} decided an appeal in this case; ask somebody else");
        let shown = self.case.shown(id).map(Digest::of);
        let as_shown = shown == Some(approval.shown);
        hold!(self.context, AsShown, as_shown, "it is not what you were shown any more: look again, and sign that");
        let key = self.context.roster.present(person, self.at).and_then(|member| member.keys.get(&approval.key));
        let message = seal::message(&self.case.id, &decided.decision, &approval.shown);
        let signed = key == Some(&approval.form) && seal::verify(&message, approval);
        hold!(self.context, OwnSignature, signed, "sign what is shown with the key that the roster has of you");
        self.not_one_chain(person, decided.approvals.keys())
    }

    /// By the books of the preview, every target is of the customer whom the case is about, and who is told of it.
    fn own_accounts(&self, decided: &Decided) -> Ruling {
        let Some(seen) = decided.previews.last() else { return Ok(()) };
        let own = &self.case.opening.customer;
        let of_others =
            |target: &&Target| seen.metered.accounts.get(&target.account).is_some_and(|customer| customer != own);
        let other = decided.decision.targets.iter().find(of_others);
        let account = other.map_or("", |target| target.account.as_str());
        hold!(
            self.context,
            Narrow,
            other.is_none(),
            "account {account} is another customer's: review it in their case"
        );
        Ok(())
    }

    fn may_take_effect(&self, decided: &Decided) -> Ruling {
        hold!(self.context, Somebody, self.by != &Actor::Customer, "it takes effect when it is compiled");
        if let Actor::Person(person) = self.by {
            present(self.context, person, self.at)?;
        }
        let approved = decided.standing == Standing::Approved;
        hold!(self.context, Approved, approved, "it needs {} approvals", self.context.procedure.approvals);
        let upheld = |one: &crate::case::Appealed| {
            one.decision == decided.decision.id
                && matches!(one.outcome, Some(AppealOutcome::Upheld | AppealOutcome::UpheldInPart))
        };
        let stands = !self.case.appeals.values().any(upheld);
        hold!(self.context, Undecided, stands, "an appeal against it was upheld; propose what the panel leaves of it");
        for person in decided.approvals.keys() {
            let gone = self.case.parts.get(person).is_none_or(|part| part.released);
            let there = self.context.roster.is(person, Role::Decider, self.at) && self.clean(person).is_ok() && !gone;
            hold!(self.context, StillApproved, there, "{person} cannot stand for it any more; propose it anew");
        }
        if let Order::Impose { intervention } = &decided.decision.order {
            if let Some(one) = self.context.procedure.intervention(intervention).filter(|_| decided.decision.emergency)
            {
                self.emergency(&decided.decision, one)?;
            }
            let standing = self.case.standing_determination().map(|(place, _)| place);
            let on = decided.decision.determination.is_none() || decided.decision.determination == standing;
            hold!(self.context, OnDetermination, on, "its determination was superseded; propose it anew");
            let hours = decided.decision.respite.notice_hours;
            let served = decided.notice.is_some_and(|notice| self.clock >= notice.at.plus_hours(hours.into()));
            hold!(self.context, NoticeFirst, served, "serve the statement of reasons, and wait {hours} hours");
            self.same_hands(decided)?;
            let reach = self.context.procedure.intervention(intervention).map(|one| one.reach);
            if !decided.decision.emergency && reach > Some(Reach::Interim) {
                self.heard()?;
            }
        }
        Ok(())
    }

    fn refuse(&self, decision: &DecisionId) -> Ruling {
        let person = self.hands(&[Role::Decider])?;
        let decided = self.decided(decision)?;
        let proposed = matches!(decided.standing, Standing::Proposed | Standing::Approved);
        hold!(self.context, Proposed, proposed, "it is not before those who decide any more");
        hold!(self.context, OtherThanProposer, decided.by != *person, "ask those who decide");
        Ok(())
    }

    fn serve_notice(&self, decision: &DecisionId, statement: &Text, public: &Text) -> Ruling {
        self.apart()?;
        let decided = self.decided(decision)?;
        let approved = decided.standing == Standing::Approved;
        hold!(self.context, Approved, approved, "serve it once enough people have approved");
        hold!(self.context, Once, decided.notice.is_none(), "it was served");
        self.safe(statement)?;
        self.safe(public)?;
        Ok(())
    }

    fn run_out(&self, decision: &DecisionId) -> Ruling {
        let decided = self.decided(decision)?;
        let over = decided.standing == Standing::InEffect && decided.ends.is_some_and(|ends| ends <= self.clock);
        hold!(self.context, Over, over, "its time is not over; to end it earlier, propose to lift it");
        Ok(())
    }

    fn decide_leaving(&self) -> Ruling {
        self.hands(&[Role::Decider])?;
        let leaves = self.case.leaving.last().is_some_and(|noted| noted.choice.is_none());
        hold!(self.context, Leaves, leaves, "nothing leaves that is not decided; note first what leaves");
        self.still_stand(self.case.leaving.iter().flat_map(|noted| noted.votes.keys()))?;
        Ok(())
    }

    fn check(&self, decision: &DecisionId, days: u16) -> Ruling {
        self.apart()?;
        let decided = self.decided(decision)?;
        let due = CHECK_DAYS.contains(&days)
            && decided.effect.is_some_and(|effect| self.clock >= effect.plus_days(i64::from(days)))
            && !decided.checks.contains_key(&days);
        hold!(self.context, CheckDue, due, "checks are due 30, 90 and 180 days after the effect, once each");
        Ok(())
    }

    fn look_again(&self, decision: &DecisionId, next: Option<Moment>) -> Ruling {
        self.hands(&[Role::Reviewer, Role::Decider])?;
        let decided = self.decided(decision)?;
        let in_effect = decided.standing == Standing::InEffect;
        hold!(self.context, CheckDue, in_effect, "only what is in effect is looked at again");
        let to_come = next.map_or(decided.ends.is_some(), |next| next > self.at);
        hold!(self.context, Bounded, to_come, "give the date on which it is looked at next");
        Ok(())
    }

    fn attest(&self, decision: &DecisionId) -> Ruling {
        let person = self.staff()?;
        let task = self.decided(decision)?.task.as_ref();
        let own = task.is_some_and(|task| task.of == *person && task.attested.is_none());
        hold!(self.context, Entrusted, own, "they attest whose task it is, once; entrust it first");
        Ok(())
    }

    fn settle(&self, id: &ItemId) -> Ruling {
        self.hands(&[Role::Reviewer, Role::Analyst])?;
        hold!(self.context, Known, self.case.follow_ups.get(id) == Some(&false), "no follow-up {id} is open");
        Ok(())
    }

    fn take_effect(&self, decision: &DecisionId, root: &Digest) -> Ruling {
        let decided = self.decided(decision)?;
        self.may_take_effect(decided)?;
        let same = *root == seal::root(&decided.decision.targets);
        hold!(self.context, Unchanged, same, "the list is not the one that was approved; propose the new one");
        Ok(())
    }

    // ---- what meters say of decisions -----------------------------------------------------------------------------

    /// People of the provider's, or Tribune itself: it counts, and decides nothing.
    fn counts(&self) -> Ruling {
        hold!(self.context, Somebody, self.by != &Actor::Customer, "the provider's own meters are read");
        if let Actor::Person(person) = self.by { present(self.context, person, self.at) } else { Ok(()) }
    }

    /// Whether usage up to some time is of late.
    fn is_late(&self, to: Moment) -> bool {
        to <= self.clock && self.clock <= to.plus_days(PREVIEW_DAYS + 1)
    }

    /// What was metered is whole, and of every account that is a target.
    fn metered(&self, decided: &Decided, metered: &Metered) -> Ruling {
        let fault = metered.fault();
        hold!(self.context, MeteredFits, fault.is_none(), "{}", fault.unwrap_or_default());
        let missing = decided.decision.targets.iter().find(|target| !metered.accounts.contains_key(&target.account));
        let account = missing.map_or("", |target| target.account.as_str());
        hold!(self.context, MeteredFits, missing.is_none(), "account {account} is a target and was not looked at");
        Ok(())
    }

    fn preview(&self, id: &DecisionId, metered: &Metered) -> Ruling {
        self.counts()?;
        let decided = self.decided(id)?;
        let pending = matches!(decided.standing, Standing::Proposed | Standing::Approved);
        hold!(self.context, Proposed, pending, "a preview is of what is to come");
        self.metered(decided, metered)?;
        let late = self.is_late(metered.to);
        hold!(self.context, MeteredFits, late, "take usage up to the last days: it ends {}", metered.to.day());
        Ok(())
    }

    fn compare(&self, id: &DecisionId, metered: &Metered) -> Ruling {
        self.counts()?;
        let decided = self.decided(id)?;
        self.metered(decided, metered)?;
        let there = decided.before_effect().is_some();
        hold!(self.context, Previewed, there, "there is no preview to hold it against");
        let last = decided.ends.unwrap_or(Moment(i64::MAX)).min(self.clock);
        let after = decided.effect.is_some_and(|effect| metered.from >= effect) && metered.to <= last;
        hold!(self.context, MeteredFits, after, "take whole days between its effect and now, while it is in force");
        Ok(())
    }

    /// By a last look at the books: every target is still whose it was when people approved.
    fn same_hands(&self, decided: &Decided) -> Ruling {
        let Some((newest, approved)) = decided.previews.last().zip(decided.approved_on()) else { return Ok(()) };
        let late = self.is_late(newest.metered.to);
        hold!(self.context, Drift, late, "look once more at the usage of late: preview it");
        let whose = |of: &Metered, target: &Target| of.accounts.get(&target.account).cloned();
        let moved = |target: &&Target| whose(approved, target) != whose(&newest.metered, target);
        let moved = decided.decision.targets.iter().find(moved);
        let account = moved.map_or("", |target| target.account.as_str());
        hold!(self.context, Drift, moved.is_none(), "account {account} is another customer's now; propose it anew");
        Ok(())
    }

    fn entrust(&self, id: &DecisionId, to: &PersonId, due: Moment) -> Ruling {
        self.hands(&[Role::Reviewer])?;
        present(self.context, to, self.at)?;
        let decided = self.decided(id)?;
        let by_people = match &decided.decision.order {
            Order::Impose { intervention } => {
                self.context.procedure.intervention(intervention).is_some_and(|one| one.task)
            }
            Order::Lift { .. } => false,
        };
        let open = decided.task.as_ref().is_none_or(|task| task.attested.is_none());
        let fits = by_people && open && decided.standing == Standing::InEffect && due > self.at;
        hold!(
            self.context,
            Entrusted,
            fits,
            "entrust what a decision in effect has people end, by a date that is to come"
        );
        Ok(())
    }

    /// Nothing restricts, and nothing is about to.
    fn nothing_decided(&self) -> Ruling {
        let pending = |decided: &Decided| {
            matches!(decided.standing, Standing::Proposed | Standing::Approved | Standing::InEffect)
        };
        let none = !self.case.decisions.values().any(pending);
        hold!(
            self.context,
            NothingLeft,
            none,
            "decisions are pending or in effect; the other case goes on in this one"
        );
        let told = !self.case.owes_employees();
        hold!(self.context, NothingLeft, told, "tell employees first what was made known of this case");
        let asked = self.case.escalated().next().is_some();
        hold!(self.context, NothingLeft, !asked, "a question that went up waits for its answer");
        Ok(())
    }

    /// Nobody outside waits for a word from this case: what it told its customer, asked it or saw leave goes on in it.
    fn nothing_served(&self) -> Ruling {
        let case = self.case;
        let left = (case.decisions.values().any(|decided| decided.notice.is_some()))
            .then_some("a statement was served, which can be appealed")
            .or(case.questions.values().any(|one| one.answer.is_none()).then_some("the customer was asked"))
            .or(case.follow_ups.values().any(|settled| !settled).then_some("a follow-up is open"))
            .or(case.leaving.iter().any(|one| one.choice.is_none()).then_some("data leaves and nothing is decided"))
            .or((!case.former.is_empty()).then_some("it was reopened, for others to review"));
        let why = left.unwrap_or_default();
        hold!(self.context, NothingLeft, left.is_none(), "{why} in this case; the other case goes on in this one");
        Ok(())
    }

    // ---- appeals and the end --------------------------------------------------------------------------------------

    fn appeal(&self, act: &Act) -> Ruling {
        match act {
            Act::Appeal(appeal) => {
                let served = self.decided(&appeal.decision)?.notice.is_some();
                let open = |one: &crate::case::Appealed| one.decision == appeal.decision && one.outcome.is_none();
                let alone = !self.case.appeals.values().any(open);
                hold!(
                    self.context,
                    AppealServed,
                    served && alone,
                    "it was not served yet, or an appeal is being heard"
                );
                hold!(self.context, Once, !self.case.appeals.contains_key(&appeal.id), "that appeal was made");
            }
            Act::AdmitAppeal { id, .. } => {
                self.hands(&[Role::AppealPanel])?;
                let late = self.case.appeals.get(id).is_some_and(|one| !one.in_time);
                hold!(self.context, Known, late, "no appeal {id} came too late");
                self.still_stand(self.case.appeals.get(id).into_iter().flat_map(|one| &one.admitted))?;
            }
            Act::DecideAppeal { id, .. } => {
                let person = self.hands(&[Role::AppealPanel])?;
                let Some(appealed) = self.case.appeals.get(id) else { return self.unknown("appeal", id.as_str()) };
                let before = self
                    .case
                    .parts
                    .get(person)
                    .is_some_and(|part| part.hands.iter().any(|hand| *hand != Hand::DecidedAppeal));
                hold!(self.context, OtherThanAppeal, !before, "{person} had a hand in the case; ask somebody else");
                let admitted = appealed.in_time || appealed.admitted.len() >= 2;
                hold!(self.context, InTime, admitted, "it came after six months; two of the panel may admit it");
                hold!(self.context, Undecided, appealed.outcome.is_none(), "it is decided");
                self.still_stand(appealed.votes.keys())?;
                self.still_stand(appealed.admitted.iter().filter(|_| !appealed.in_time))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether people were to end something, and nobody attested that it is done.
    fn untold(&self, decided: &Decided) -> bool {
        let Order::Impose { intervention } = &decided.decision.order else { return false };
        let by_people = self.context.procedure.intervention(intervention).is_some_and(|one| one.task);
        by_people && decided.task.as_ref().is_none_or(|task| task.attested.is_none())
    }

    fn close(&self, closing: &Closing) -> Ruling {
        self.hands(&[Role::Reviewer])?;
        let case = self.case;
        let decision = |decided: &Decided| match decided.standing {
            Standing::Proposed | Standing::Approved => Some("a decision is pending"),
            Standing::InEffect if self.untold(decided) => Some("what people are to end is not attested"),
            Standing::InEffect => {
                let missing = CHECK_DAYS.iter().any(|days| !decided.checks.contains_key(days));
                missing.then_some("a decision in effect has checks to come")
            }
            Standing::Refused | Standing::Over => None,
        };
        let upheld = |one: &crate::case::Appealed| case.upholds(one);
        let left = case.decisions.values().find_map(decision).or_else(|| {
            // One that came too late is heard once two of the panel admit it, and holds nothing up before.
            let heard = |one: &crate::case::Appealed| one.in_time || one.admitted.len() >= 2;
            let open = case.appeals.values().any(|one| one.outcome.is_none() && heard(one));
            open.then_some("an appeal is being heard")
                .or(case.appeals.values().any(upheld).then_some("an appeal was upheld and is not carried out"))
                .or(case.escalated().next().map(|_| "a question that went up is not answered"))
                .or(case.follow_ups.values().any(|settled| !settled).then_some("a follow-up is open"))
                .or(case
                    .leaving
                    .iter()
                    .any(|noted| noted.choice.is_none())
                    .then_some("data leaves and nothing is decided"))
        });
        hold!(self.context, NothingLeft, left.is_none(), "{}", left.unwrap_or_default());
        let decided = case.decided_use();
        let fits = closing.declared_use.as_ref() == decided && decided.is_some() == case.is_declared_use();
        hold!(self.context, DeclaredUse, fits, "two who decide say first whether the declared use may go on");
        if case.is_declared_use() {
            self.still_stand(case.use_votes.iter().filter(|(_, vote)| Some(*vote) == decided).map(|(one, _)| one))?;
        }
        Ok(())
    }

    fn name_publicly(&self) -> Ruling {
        self.hands(&[Role::Decider])?;
        self.still_stand(self.case.naming.iter().filter(|_| !self.case.may_be_named()))?;
        Ok(())
    }

    fn correct(&self, statement: &Text, correction: &Text) -> Ruling {
        self.apart()?;
        let published =
            self.case.decisions.values().any(|one| one.notice.is_some_and(|notice| notice.public == *statement))
                || self.case.corrections.values().any(|text| text == statement);
        hold!(self.context, Known, published, "nothing of that digest was published in this case");
        self.safe(correction)?;
        Ok(())
    }

    fn tell_employees(&self, text: &Text, names_customer: bool) -> Ruling {
        self.hands(&[Role::Reviewer])?;
        let owed = self.case.owes_employees();
        hold!(self.context, Owed, owed, "they know; tell them once a statement, a correction or the end is new");
        let unnamed = !names_customer || self.case.may_be_named();
        hold!(
            self.context,
            Unnamed,
            unnamed,
            "leave the customer and its accounts out, or let two who decide say first that it may be named"
        );
        self.safe(text)?;
        Ok(())
    }

    fn take_up(&self) -> Ruling {
        self.hands(&[Role::Reviewer])?;
        let held = self.case.held(self.at).is_some();
        hold!(self.context, Held, held, "it is not put off; go on with it");
        Ok(())
    }

    fn escalate(&self, to: Role) -> Ruling {
        self.hands(&Role::ALL)?;
        let known = ESCALATED_TO.contains(&to);
        let alone = !self.case.escalated().any(|one| one.to == to);
        let fits = known && alone;
        hold!(self.context, Escalated, fits, "ask {}; one question at a time", escalated_to());
        Ok(())
    }

    fn respond(&self, role: Role) -> Ruling {
        self.hands(&[role])?;
        let asked = self.case.escalated().any(|one| one.to == role && Some(&one.by) != self.person());
        hold!(
            self.context,
            Escalated,
            asked,
            "nothing that somebody else sent up to {} waits for an answer",
            role.name()
        );
        Ok(())
    }

    fn reopen(&self, material: &EvidenceId) -> Ruling {
        self.apart()?;
        let closed = self.case.closings.last().map(|(at, ..)| *at);
        let added = self.case.custody.iter().find(|(id, ..)| id == material).map(|(.., at)| *at);
        let new = closed.zip(added).is_some_and(|(closed, added)| added > closed);
        hold!(self.context, NewMaterial, new, "add as evidence what has come up since it was closed");
        one_case(self.context, &self.case.accounts, &self.case.sources, None)?;
        Ok(())
    }
}
