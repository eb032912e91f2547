//! What people do in a case, each with its form: one description a deed, from which the form is drawn, what was posted is
//! read, and the rules are asked whether it is open.
//!
//! Whether something may happen is for the access policies and the rules to say.

mod after;
mod decisions;
mod evidence;
mod people;
mod proof;

use super::sheet::Sheet;
use clerk::{DraftOf, DraftText, File, Sealed};
use review::act::Act;
use review::roster::Roster;
use review::words::{CaseId, DecisionId, Digest, Moment, PersonId, Text};
use std::collections::{BTreeMap, BTreeSet};

pub(super) use decisions::{order_words, switch_words, target_words, targets};
pub(super) use proof::{answer_words, short};

/// What a deed is made in.
pub(super) struct Ground<'a> {
    pub(super) file: &'a File,
    pub(super) roster: &'a Roster,
    pub(super) person: &'a PersonId,
    pub(super) drafts: &'a [DraftText],
    /// What private texts say to whoever asks, where they were read.
    pub(super) read: &'a BTreeMap<Text, Sealed>,
    pub(super) now: Moment,
}

/// What is to be done.
pub(super) enum Doing {
    Act(Act),
    /// Texts that are to leave, for a second person to read.
    Draft(Vec<(DraftOf, String)>),
    Serve {
        decision: DecisionId,
        statement: Text,
        public: String,
    },
    Correct {
        statement: Text,
        correction: String,
    },
    /// The provider's own people are told; what the words name is read by whoever carries it out.
    Tell {
        words: String,
        names_customer: bool,
    },
    Merge(CaseId),
    /// An approval that is signed here, with the key that a passphrase opens.
    Sign {
        decision: DecisionId,
        passphrase: String,
        message: String,
        shown: Digest,
    },
}

impl Doing {
    /// The act that the rules are asked about.
    pub(super) fn act(&self) -> Option<Act> {
        Some(match self {
            Self::Act(act) => act.clone(),
            Self::Serve { decision, statement, public } => {
                let (decision, statement, public) = (decision.clone(), *statement, Digest::of(public));
                Act::ServeNotice { decision, statement, public }
            }
            Self::Correct { statement, correction } => {
                Act::Correct { statement: *statement, correction: Digest::of(correction) }
            }
            Self::Tell { words, names_customer } => {
                Act::TellEmployees { text: Digest::of(words), names_customer: *names_customer }
            }
            Self::Merge(other) => Act::TakeIn {
                other: other.clone(),
                accounts: BTreeSet::new(),
                sources: BTreeSet::new(),
                hands: BTreeMap::new(),
            },
            Self::Draft(_) | Self::Sign { .. } => return None,
        })
    }
}

/// Where on a case's pages a deed is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    People,
    Evidence,
    Proof,
    Decisions,
    After,
}

/// A deed.
pub(super) struct Deed {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) says: &'static str,
    pub(super) place: Place,
    /// It restricts, refuses or ends something.
    pub(super) grave: bool,
    pub(super) describe: fn(&mut Sheet<'_>, &Ground<'_>) -> Option<Doing>,
}

const fn deed(
    name: &'static str,
    place: Place,
    title: &'static str,
    says: &'static str,
    describe: fn(&mut Sheet<'_>, &Ground<'_>) -> Option<Doing>,
) -> Deed {
    Deed { name, title, says, place, grave: false, describe }
}

const fn grave(deed: Deed) -> Deed {
    Deed { grave: true, ..deed }
}

/// Every deed, in the order of a review.
pub(super) const DEEDS: &[Deed] = &[
    deed(
        "assign",
        Place::People,
        "Give somebody a part",
        "They are asked first whether they have a conflict.",
        people::assign,
    ),
    deed(
        "declare",
        Place::People,
        "Declare a conflict, or none",
        "Whether you have a conflict: everybody with a part says so before they act.",
        people::declare,
    ),
    deed(
        "release",
        Place::People,
        "Release somebody",
        "They take no part any more: they have a conflict, or left.",
        people::release,
    ),
    deed(
        "contact",
        Place::People,
        "Record a contact",
        "Sales, an executive or an authority spoke with somebody who reviews or decides.",
        people::contact,
    ),
    deed(
        "hold",
        Place::People,
        "Put the case off",
        "Until that day it is nobody’s to do, and its clocks run on. What comes in takes it up before.",
        people::hold,
    ),
    deed("take-up", Place::People, "Take it up again", "Before the day to which it was put off.", people::take_up),
    deed(
        "escalate",
        Place::People,
        "Ask upwards",
        "It comes first with those whom you ask, until one of them answers here.",
        people::escalate,
    ),
    deed(
        "respond",
        Place::People,
        "Answer what went up",
        "The question is answered, and the answer stays with it.",
        people::respond,
    ),
    deed(
        "join",
        Place::Evidence,
        "Let a report join",
        "A report of the same workload is another source of this case.",
        evidence::join,
    ),
    deed(
        "evidence",
        Place::Evidence,
        "Add evidence",
        "Its content is kept as a private text; the case names it by its digest.",
        evidence::evidence,
    ),
    deed(
        "handle",
        Place::Evidence,
        "Record who handled an item",
        "What was done with it, and by whom, stays with it.",
        evidence::handle,
    ),
    deed(
        "step",
        Place::Proof,
        "Say that a step is done",
        "What was done, so that somebody else can follow it.",
        proof::step,
    ),
    deed(
        "question",
        Place::Proof,
        "Write a question",
        "With its reasons. A second person confirms that it identifies no source before it leaves.",
        proof::question,
    ),
    deed(
        "confirm",
        Place::Proof,
        "Confirm that a text identifies no source",
        "Read it as somebody who wants to find out who reported. You vouch for it with your name.",
        proof::confirm,
    ),
    deed(
        "ask",
        Place::Proof,
        "Put a question to the customer",
        "Only what a second person has confirmed leaves.",
        proof::ask,
    ),
    deed(
        "waive-hearing",
        Place::Proof,
        "Leave the hearing out",
        "Two who decide say why. It is counted and published as a number.",
        proof::waive,
    ),
    deed(
        "determine",
        Place::Proof,
        "Answer the elements",
        "Every element of the clause, each with the evidence that its definition admits.",
        proof::determine,
    ),
    deed(
        "dissent",
        Place::Proof,
        "See it otherwise",
        "A minority opinion is kept beside the determination.",
        proof::dissent,
    ),
    grave(deed(
        "propose",
        Place::Decisions,
        "Propose an intervention",
        "The list of targets is sealed: whoever approves signs exactly it, and exactly it is enforced.",
        decisions::propose,
    )),
    deed(
        "lift",
        Place::Decisions,
        "Propose to lift",
        "What you leave ticked stays in force; everything else is lifted, with the same care: two decide.",
        decisions::lift,
    ),
    grave(deed(
        "approve",
        Place::Decisions,
        "Approve",
        "You sign the decision, the root of its list and what is shown to you here.",
        decisions::approve,
    )),
    grave(deed(
        "refuse",
        Place::Decisions,
        "Refuse",
        "One refusal ends it; something else can be proposed.",
        decisions::refuse,
    )),
    deed(
        "statement",
        Place::Decisions,
        "Draft the statement of reasons",
        "What the customer is told, and what the public is. A second person reads both.",
        decisions::statement,
    ),
    grave(deed(
        "serve",
        Place::Decisions,
        "Serve the statement of reasons",
        "The customer is told; the public form is published with it.",
        decisions::serve,
    )),
    grave(deed(
        "effect",
        Place::Decisions,
        "Bring it into effect",
        "The sealed list becomes the restrictions in force.",
        decisions::effect,
    )),
    deed(
        "run-out",
        Place::Decisions,
        "Say that its time is over",
        "What was decided for a time ends.",
        decisions::run_out,
    ),
    deed(
        "entrust",
        Place::Decisions,
        "Entrust what people are to end",
        "One person’s task, with a date, to be attested.",
        decisions::entrust,
    ),
    deed(
        "attest",
        Place::Decisions,
        "Attest that it is done",
        "You say, with your name, that what you were entrusted with is ended.",
        decisions::attest,
    ),
    deed(
        "check",
        Place::Decisions,
        "Record a check",
        "Whether the restricted use is at zero and everything else as before.",
        decisions::check,
    ),
    deed(
        "look-again",
        Place::Decisions,
        "Look again at a decision",
        "As it said when it was made: it stands. To end it, propose to lift it.",
        decisions::look_again,
    ),
    deed("leaving", Place::After, "Record that data leaves", "Two who decide have 24 hours from then.", after::leaving),
    deed(
        "decide-leaving",
        Place::After,
        "Decide about data that leaves",
        "It is decided once two say the same.",
        after::decide_leaving,
    ),
    deed("follow-up", Place::After, "Record a follow-up", "The use may have come back elsewhere.", after::follow_up),
    deed("settle", Place::After, "Settle a follow-up", "What became of it.", after::settle),
    deed(
        "admit-appeal",
        Place::After,
        "Admit a late appeal",
        "Two of the panel may hear what came after six months.",
        after::admit_appeal,
    ),
    grave(deed(
        "decide-appeal",
        Place::After,
        "Decide an appeal",
        "It is decided once two of the panel say the same.",
        after::decide_appeal,
    )),
    grave(deed(
        "name-publicly",
        Place::After,
        "Let the customer be named",
        "A decision of its own, of two people.",
        after::name_publicly,
    )),
    grave(deed(
        "decide-use",
        Place::After,
        "Decide on the declared use",
        "It is decided once two who decide say the same, after every step.",
        after::decide_use,
    )),
    deed(
        "correction",
        Place::After,
        "Write a correction",
        "Of something that was published. A second person reads it before it leaves.",
        after::correction,
    ),
    grave(deed(
        "correct",
        Place::After,
        "Publish a correction",
        "It stands in public beside what it corrects.",
        after::correct,
    )),
    deed(
        "words-to-employees",
        Place::After,
        "Write what employees are told",
        "Of everything they were not told yet. A second person reads it before it leaves.",
        after::words_to_employees,
    ),
    deed(
        "tell-employees",
        Place::After,
        "Record that employees are told",
        "In the words that a second person confirmed: a statement, a correction or the end should reach them from you.",
        after::tell_employees,
    ),
    deed(
        "take-in",
        Place::After,
        "Take another case in",
        "Another case of the same workload goes on in this one, with what people did there.",
        after::take_in,
    ),
    grave(deed(
        "close",
        Place::After,
        "Close the case",
        "With what is done for those affected, and what is learnt.",
        after::close,
    )),
    deed("reopen", Place::After, "Reopen the case", "On new material; others review it.", after::reopen),
];

/// A deed by its name.
pub(super) fn of_name(name: &str) -> Option<&'static Deed> {
    DEEDS.iter().find(|deed| deed.name == name)
}

fn act(act: Act) -> Option<Doing> {
    Some(Doing::Act(act))
}

fn parsed<T: std::str::FromStr>(value: Option<String>) -> Option<T> {
    value.and_then(|value| value.parse().ok())
}
