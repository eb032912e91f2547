//! What can happen to a case. An act that was admitted is an event of the record; state is a fold over them.
//!
//! Shapes only: whether an act may happen is said in [`crate::rules`], what it changes in [`crate::case`]. Nothing here
//! holds a text: texts are private and stand encrypted beside the record, an act names them by digest.

use crate::evidence::{Decibans, Family};
use crate::metered::Metered;
use crate::procedure::{Basis, Respite};
use crate::roster::{KeyForm, PublicKey};
use crate::words::{
    AccountId, Actor, AppealId, CaseId, CommandId, CustomerId, DecisionId, Digest, ElementId, EvidenceId,
    InterventionId, ItemId, Moment, Origin, PersonId, Purpose, RegionId, ReportId, Role, ServiceId, Standard, StepId,
    Switch, Target, Text,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// An act, with who asks for it and when. Sent twice, it is carried out once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Of this one sending.
    pub id: CommandId,
    /// When.
    pub at: Moment,
    /// By whom.
    pub by: Actor,
    /// What.
    pub act: Act,
}

/// A command that was admitted, in its place. The record holds these and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The case.
    pub case: CaseId,
    /// Its place among the case's events, from 1.
    pub number: u64,
    /// The command.
    #[serde(flatten)]
    pub command: Command,
}

/// Everything that can happen to a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// It begins.
    Open(Opening),
    /// Another finding or report of the same workload joins it.
    Join {
        /// What.
        source: Source,
        /// The accounts it is about.
        accounts: BTreeSet<AccountId>,
    },
    /// It takes in another case that turned out to be of the same workload, and with it what people did there.
    TakeIn {
        /// The other.
        other: CaseId,
        /// The accounts it was about.
        accounts: BTreeSet<AccountId>,
        /// What brought it about.
        sources: BTreeSet<Source>,
        /// What each person did there.
        hands: BTreeMap<PersonId, BTreeSet<Hand>>,
    },
    /// It goes on in another case.
    GoOnIn {
        /// Which took it in.
        other: CaseId,
    },
    /// Somebody gets a part in it.
    Assign {
        /// Who.
        person: PersonId,
        /// As what.
        role: Role,
    },
    /// Somebody says whether they have a conflict.
    Declare {
        /// The conflict; none if they have none.
        conflict: Option<Text>,
    },
    /// Somebody who has a conflict, or left, is replaced.
    Release {
        /// Who.
        person: PersonId,
    },
    /// Sales, an executive or an authority spoke with somebody who reviews or decides.
    NoteContact {
        /// From where.
        from: Contact,
        /// With whom.
        with: PersonId,
        /// About what.
        about: Text,
    },
    /// A step of the procedure is done.
    CompleteStep {
        /// Which.
        step: StepId,
        /// What was done.
        note: Text,
    },
    /// Evidence comes in.
    AddEvidence(Item),
    /// Somebody handled an item.
    HandleEvidence {
        /// Which.
        evidence: EvidenceId,
        /// What they did with it.
        note: Text,
    },
    /// A second person confirms that a text which is to leave cannot identify a source.
    ConfirmSafe {
        /// The text.
        text: Text,
        /// Who wrote it.
        written_by: PersonId,
    },
    /// The customer is asked, with the reasons.
    Ask {
        /// Of this question.
        id: ItemId,
        /// The question.
        text: Text,
        /// Until when it can answer.
        until: Moment,
    },
    /// The customer answers.
    Answer {
        /// Which question.
        id: ItemId,
        /// Its answer; none where it refuses.
        text: Option<Text>,
    },
    /// The customer is not to be heard before; needs two people.
    WaiveHearing {
        /// Why.
        reason: Text,
    },
    /// Every element is answered.
    Determine(Determination),
    /// Somebody who took part sees it otherwise.
    Dissent {
        /// Which determination, by its place from 0.
        determination: usize,
        /// How.
        opinion: Text,
    },
    /// An intervention is proposed.
    Propose(Decision),
    /// What recent usage says a decision would stop, and what goes on: before people approve, and again before it takes
    /// effect.
    Preview {
        /// Of which decision.
        decision: DecisionId,
        /// The usage.
        metered: Metered,
    },
    /// One of those who decide approves, with a signature of their own.
    Approve {
        /// Which decision.
        decision: DecisionId,
        /// The signature.
        approval: Approval,
    },
    /// One of those who decide refuses.
    Refuse {
        /// Which decision.
        decision: DecisionId,
        /// Why.
        reason: Text,
    },
    /// The statement of reasons is served on the customer, and what the public learns of it goes out with it.
    ServeNotice {
        /// Of which decision.
        decision: DecisionId,
        /// The customer's statement.
        statement: Text,
        /// The public's.
        public: Text,
    },
    /// The sealed list becomes the restrictions in force.
    TakeEffect {
        /// Which decision.
        decision: DecisionId,
        /// The root of the list that is enforced.
        root: Digest,
    },
    /// What was decided for a time is over.
    RunOut {
        /// Which decision.
        decision: DecisionId,
    },
    /// What people are to end, and no gate can, becomes somebody's task.
    Entrust {
        /// By which decision.
        decision: DecisionId,
        /// Whose task.
        to: PersonId,
        /// By when.
        due: Moment,
    },
    /// Whose task it was attests that it is done.
    Attest {
        /// Of which decision.
        decision: DecisionId,
        /// What was ended, and how.
        note: Text,
    },
    /// Data moves out of the workload's accounts: two people have 24 hours to decide.
    NoteLeaving {
        /// The finding that shows it.
        finding: Digest,
    },
    /// What is done about data that leaves; needs two people who say the same.
    DecideLeaving {
        /// What.
        choice: Leaving,
        /// Why, and that preserving prolongs harm too was weighed.
        reasons: Text,
    },
    /// Somebody looks whether a decision does what it should.
    Check {
        /// Which decision.
        decision: DecisionId,
        /// Which check: 30, 90 or 180 days after the effect.
        days: u16,
        /// Whether the restricted use is at zero.
        use_ended: bool,
        /// Whether other use is as before.
        rest_as_before: bool,
    },
    /// What was metered since a decision took effect is held against its preview: whether it stopped what it was to
    /// stop, and nothing else.
    Compare {
        /// Which decision.
        decision: DecisionId,
        /// The usage of whole days after the effect.
        metered: Metered,
    },
    /// A decision in effect is looked at again, as it said when it was made, and stands. To end it, lifting is proposed.
    LookAgain {
        /// Which decision.
        decision: DecisionId,
        /// Why it stands.
        reasons: Text,
        /// When it is looked at next; none where it ends by itself.
        next: Option<Moment>,
    },
    /// The use may have come back elsewhere.
    FollowUp {
        /// Of this one.
        id: ItemId,
        /// The account, if it is one of this provider's.
        account: Option<AccountId>,
        /// What shows it.
        finding: Digest,
    },
    /// A follow-up was looked at.
    SettleFollowUp {
        /// Which.
        id: ItemId,
        /// What became of it.
        note: Text,
    },
    /// The customer, or whoever reported, appeals.
    Appeal(Appeal),
    /// An appeal that came too late is heard all the same; needs two people.
    AdmitAppeal {
        /// Which.
        id: AppealId,
        /// Why.
        reason: Text,
    },
    /// Those who did not decide before decide the appeal; needs two who say the same.
    DecideAppeal {
        /// Which.
        id: AppealId,
        /// How.
        outcome: AppealOutcome,
        /// Why.
        reasons: Text,
    },
    /// The customer is to be named in public: a decision of its own, of two people.
    NamePublicly {
        /// Why.
        reasons: Text,
    },
    /// What was published was wrong.
    Correct {
        /// The public statement, or an earlier correction, that is corrected.
        statement: Text,
        /// What takes its place in public.
        correction: Text,
    },
    /// The provider's own people are told what was decided, of everything that they were not told yet.
    TellEmployees {
        /// What they are told.
        text: Text,
        /// Whether it names the customer or one of its accounts: read from the text, whatever its writer says.
        names_customer: bool,
    },
    /// It is put off to a day, and is nobody's to do until then; its clocks run on.
    Hold {
        /// Until when.
        until: Moment,
        /// Why.
        reason: Text,
    },
    /// What was held is taken up before its day.
    TakeUp,
    /// A question goes up to those who have a role: it comes first with them until one of them answers.
    Escalate {
        /// To whom.
        to: Role,
        /// What is asked, and why.
        reason: Text,
    },
    /// One of those whom it was escalated to answers.
    Respond {
        /// As what.
        role: Role,
        /// What they say.
        answer: Text,
    },
    /// Whether a declared use may go on; needs two people who say the same.
    DecideUse {
        /// What.
        may: DeclaredUse,
        /// Why.
        reasons: Text,
    },
    /// Nothing is left to do.
    Close(Closing),
    /// Something new came up; others review it.
    Reopen {
        /// What is new.
        material: EvidenceId,
    },
}

impl Act {
    /// The private texts that it names, which are kept beside the record until they are erased. What is published, and
    /// findings and other content that may lie elsewhere, are none of them.
    pub fn texts(&self) -> Vec<Text> {
        match self {
            Self::Open(Opening { sources, .. }) => sources.iter().filter_map(Source::text).collect(),
            Self::Join { source, .. } => source.text().into_iter().collect(),
            Self::Declare { conflict: text } | Self::Answer { text, .. } => text.iter().copied().collect(),
            Self::Determine(determination) => {
                let reasons = determination.elements.values().map(|answer| answer.reasons);
                reasons.chain([determination.view]).collect()
            }
            Self::Propose(decision) => decision.reasons.values().copied().collect(),
            Self::DecideLeaving { choice: Leaving::Preserve { order }, reasons } => vec![*order, *reasons],
            Self::Close(Closing { remedy, consulted, lesson, .. }) => vec![*remedy, *consulted, *lesson],
            Self::NoteContact { about: text, .. }
            | Self::CompleteStep { note: text, .. }
            | Self::HandleEvidence { note: text, .. }
            | Self::Ask { text, .. }
            | Self::WaiveHearing { reason: text }
            | Self::Dissent { opinion: text, .. }
            | Self::Refuse { reason: text, .. }
            | Self::ServeNotice { statement: text, .. }
            | Self::Attest { note: text, .. }
            | Self::LookAgain { reasons: text, .. }
            | Self::DecideLeaving { reasons: text, .. }
            | Self::SettleFollowUp { note: text, .. }
            | Self::Appeal(Appeal { ground: text, .. })
            | Self::AdmitAppeal { reason: text, .. }
            | Self::DecideAppeal { reasons: text, .. }
            | Self::NamePublicly { reasons: text }
            | Self::TellEmployees { text, .. }
            | Self::Hold { reason: text, .. }
            | Self::Escalate { reason: text, .. }
            | Self::Respond { answer: text, .. }
            | Self::DecideUse { reasons: text, .. } => vec![*text],
            Self::TakeIn { .. }
            | Self::GoOnIn { .. }
            | Self::Assign { .. }
            | Self::Release { .. }
            | Self::AddEvidence(_)
            | Self::ConfirmSafe { .. }
            | Self::Preview { .. }
            | Self::Approve { .. }
            | Self::TakeEffect { .. }
            | Self::RunOut { .. }
            | Self::Entrust { .. }
            | Self::NoteLeaving { .. }
            | Self::Check { .. }
            | Self::Compare { .. }
            | Self::FollowUp { .. }
            | Self::Correct { .. }
            | Self::TakeUp
            | Self::Reopen { .. } => Vec::new(),
        }
    }
}

impl Source {
    fn text(&self) -> Option<Text> {
        if let Self::Declaration(one) = self { Some(one.text) } else { None }
    }
}

/// How a case begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// What is reviewed.
    pub kind: Kind,
    /// The policy pack: id, version and digest.
    pub policy: (String, String, Digest),
    /// The customer whose workload it is.
    pub customer: CustomerId,
    /// The accounts of the workload; none of a declared use that has none yet.
    pub accounts: BTreeSet<AccountId>,
    /// What brought it about.
    pub sources: BTreeSet<Source>,
}

/// What is reviewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A workload that runs.
    Workload,
    /// A use that is declared, before or under a contract.
    DeclaredUse,
}

/// What brings a case about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum Source {
    /// A finding, by the digest of what it says and of the records it rests on.
    Finding {
        /// Of the finding.
        finding: Digest,
        /// `records.digest` (contract §3).
        records: Digest,
        /// Its score, so that a list of cases can be ordered by it; none in records of earlier versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        score_db: Option<Decibans>,
        /// The families of signals that speak in it, so that cases can be likened; none in records of earlier versions.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        families: BTreeSet<Family>,
    },
    /// A report.
    Report {
        /// Which.
        report: ReportId,
    },
    /// A use that a customer declares, before or under a contract: what of it is to be reviewed.
    Declaration(DeclaredFor),
}

/// What a customer declares that it wants to do, and with what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeclaredFor {
    /// Which declaration: the customer's own sending, or that of whoever put it down where there is no contract yet.
    pub declaration: CommandId,
    /// What for, in a word of the facts: `contact_centre`, `voicemail`, …
    pub purpose: Purpose,
    /// The services that it wants: its portfolio.
    pub portfolio: BTreeSet<ServiceId>,
    /// Where: regions. Anywhere, where none is named.
    pub places: BTreeSet<RegionId>,
    /// What it is, in the customer's words.
    pub text: Text,
}

impl DeclaredFor {
    /// For people: `contact_centre, with speech, in north`.
    pub fn words(&self) -> String {
        let list = |names: Vec<&str>, none: &str| if names.is_empty() { none.to_owned() } else { names.join(" and ") };
        let services = list(self.portfolio.iter().map(ServiceId::as_str).collect(), "services that are not named");
        let places = list(self.places.iter().map(RegionId::as_str).collect(), "any region");
        format!("{}, with {services}, in {places}", self.purpose)
    }
}

/// An item of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Within the case.
    pub id: EvidenceId,
    /// Of its content.
    pub digest: Digest,
    /// What it is, for what it may show.
    pub basis: Basis,
    /// Where it ultimately comes from; what shares an origin counts once.
    pub origin: Origin,
    /// Whether nobody knows who made it.
    pub anonymous: bool,
    /// The accounts and services it is about; a service of none is all of the account's.
    pub about: BTreeSet<(AccountId, Option<ServiceId>)>,
}

/// What a determination says of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Established {
    /// It is shown.
    Established,
    /// It is shown not to be so, or nothing shows it.
    NotEstablished,
    /// Neither.
    Inconclusive,
}

/// The answer to one element.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElementAnswer {
    /// Whether it is shown.
    pub answer: Established,
    /// How surely.
    pub standard: Standard,
    /// By what.
    pub evidence: BTreeSet<EvidenceId>,
    /// Why.
    pub reasons: Text,
}

/// An answer to every element, at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Determination {
    /// By element.
    pub elements: BTreeMap<ElementId, ElementAnswer>,
    /// What was within view and what was not.
    pub view: Text,
    /// The earlier one whose place it takes, by its place from 0.
    pub supersedes: Option<usize>,
}

/// What is proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Within the case.
    pub id: DecisionId,
    /// What it does.
    pub order: Order,
    /// On which determination, by its place from 0.
    pub determination: Option<usize>,
    /// The sealed list: sorted, each once. Empty where nothing is restricted.
    pub targets: Vec<Target>,
    /// For every switch in the list, why it and not less.
    pub reasons: BTreeMap<Switch, Text>,
    /// It cannot wait for the hearing and the steps; it lapses after ten days unless decided anew.
    pub emergency: bool,
    /// What it leaves the customer; nothing where it lifts.
    pub respite: Respite,
    /// When it ends by itself.
    pub ends: Option<Moment>,
    /// When it is looked at again.
    pub review: Option<Moment>,
}

/// What a decision does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    /// Orders an intervention.
    Impose {
        /// Which.
        intervention: InterventionId,
    },
    /// Lifts what another decision ordered, or leaves of it only its own list.
    Lift {
        /// The other.
        decision: DecisionId,
    },
}

/// A signature of one of those who decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// With which key.
    pub key: PublicKey,
    /// How it is held.
    pub form: KeyForm,
    /// Ed25519, over [`crate::seal::message`]; 64 bytes in hexadecimal.
    pub signature: String,
    /// The digest of what was shown to them: decision, list and preview.
    pub shown: Digest,
    /// As whom they had signed in (OpenID Connect issuer and subject, or a local account), where they had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
}

/// Who spoke with somebody who reviews or decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contact {
    /// Sales or the account team.
    Sales,
    /// An executive.
    Executive,
    /// A government or another authority.
    Authority,
}

/// What is done about data that leaves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "choice", rename_all = "snake_case")]
pub enum Leaving {
    /// Nothing: it goes.
    LetGo,
    /// Bulk export is held, by a decision of its own.
    HoldExport,
    /// It is preserved on a legal order.
    Preserve {
        /// The order.
        order: Text,
    },
}

/// A challenge to a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appeal {
    /// Of this one.
    pub id: AppealId,
    /// Against which decision.
    pub decision: DecisionId,
    /// On what ground.
    pub ground: Text,
}

/// How an appeal ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppealOutcome {
    /// The decision stands.
    Rejected,
    /// A part of it is to be lifted.
    UpheldInPart,
    /// All of it is to be lifted.
    Upheld,
}

/// How a case ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// What is done for those who were affected, or why nothing.
    pub remedy: Text,
    /// How they, or who speaks for them, were consulted.
    pub consulted: Text,
    /// What is learnt from it.
    pub lesson: Text,
    /// Of a declared use: whether it may go on, and under which conditions, as two people decided.
    pub declared_use: Option<DeclaredUse>,
}

/// What is said of a declared use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "declared_use", rename_all = "snake_case")]
pub enum DeclaredUse {
    /// It may.
    Approved,
    /// It may, within limits that are watched.
    Conditions {
        /// Calls an hour, at most.
        calls_per_hour: i64,
        /// Until when.
        until: Moment,
    },
    /// It may not.
    Rejected,
}

/// What somebody did in a case, as far as it bears on what else they may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hand {
    /// Answered the elements.
    Determined,
    /// Proposed a decision.
    Proposed,
    /// Approved or refused one, or decided with another what cannot wait.
    Decided,
    /// Decided an appeal.
    DecidedAppeal,
    /// Closed it.
    Closed,
    /// Answered for the panel what was escalated to it.
    Advised,
}
