//! What people do in a case, each with its form: one description a deed, from which the form is drawn, what was posted is
//! read, and the rules are asked whether it is open.
//!
//! Whether something may happen is for the access policies and the rules to say.

use super::sheet::{Sheet, choices, options};
use clerk::{DraftOf, DraftText, File, Sealed};
use review::act::{
    Act, AppealOutcome, Approval, Closing, Contact, Decision, DeclaredUse, Determination, ElementAnswer, Established,
    Item, Leaving, Order, Source,
};
use review::case::{CHECK_DAYS, Decided, Standing};
use review::procedure::Basis;
use review::roster::{KeyForm, PublicKey, Roster};
use review::rules;
use review::seal;
use review::statement::{Draft, Statement, Texts, Written, for_employees};
use review::words::{
    AccountId, CaseId, DecisionId, Digest, EvidenceId, Moment, PersonId, ReportId, Role, ServiceId, Standard, Switch,
    Target, Text,
};
use std::collections::{BTreeMap, BTreeSet};

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
    deed("assign", Place::People, "Give somebody a part", "They are asked first whether they have a conflict.", assign),
    deed(
        "declare",
        Place::People,
        "Declare",
        "Whether you have a conflict: everybody with a part says so before they act.",
        declare,
    ),
    deed(
        "release",
        Place::People,
        "Release somebody",
        "They take no part any more: they have a conflict, or left.",
        release,
    ),
    deed(
        "contact",
        Place::People,
        "Record a contact",
        "Sales, an executive or an authority spoke with somebody who reviews or decides.",
        contact,
    ),
    deed(
        "hold",
        Place::People,
        "Put the case off",
        "Until that day it is nobody’s to do, and its clocks run on. What comes in takes it up before.",
        hold,
    ),
    deed("take-up", Place::People, "Take it up again", "Before the day to which it was put off.", take_up),
    deed(
        "escalate",
        Place::People,
        "Ask upwards",
        "It comes first with those whom you ask, until one of them answers here.",
        escalate,
    ),
    deed(
        "respond",
        Place::People,
        "Answer what went up",
        "The question is answered, and the answer stays with it.",
        respond,
    ),
    deed(
        "join",
        Place::Evidence,
        "Let a report join",
        "A report of the same workload is another source of this case.",
        join,
    ),
    deed(
        "evidence",
        Place::Evidence,
        "Add evidence",
        "Its content is kept as a private text; the case names it by its digest.",
        evidence,
    ),
    deed(
        "handle",
        Place::Evidence,
        "Record who handled an item",
        "What was done with it, and by whom, stays with it.",
        handle,
    ),
    deed("step", Place::Proof, "Say that a step is done", "What was done, so that somebody else can follow it.", step),
    deed(
        "question",
        Place::Proof,
        "Write a question",
        "With its reasons. A second person confirms that it identifies no source before it leaves.",
        question,
    ),
    deed(
        "confirm",
        Place::Proof,
        "Confirm that a text identifies no source",
        "Read it as somebody who wants to find out who reported. You vouch for it with your name.",
        confirm,
    ),
    deed("ask", Place::Proof, "Put a question to the customer", "Only what a second person has confirmed leaves.", ask),
    deed(
        "waive-hearing",
        Place::Proof,
        "Leave the hearing out",
        "Two who decide say why. It is counted and published as a number.",
        waive,
    ),
    deed(
        "determine",
        Place::Proof,
        "Answer the elements",
        "Every element of the clause, each with the evidence that its definition admits.",
        determine,
    ),
    deed("dissent", Place::Proof, "See it otherwise", "A minority opinion is kept beside the determination.", dissent),
    grave(deed(
        "propose",
        Place::Decisions,
        "Propose an intervention",
        "The list of targets is sealed: whoever approves signs exactly it, and exactly it is enforced.",
        propose,
    )),
    deed(
        "lift",
        Place::Decisions,
        "Propose to lift",
        "What you leave ticked stays in force; everything else is lifted, by the same care.",
        lift,
    ),
    grave(deed(
        "approve",
        Place::Decisions,
        "Approve",
        "You sign the decision, the root of its list and what is shown to you here.",
        approve,
    )),
    grave(deed("refuse", Place::Decisions, "Refuse", "One refusal ends it; something else can be proposed.", refuse)),
    deed(
        "statement",
        Place::Decisions,
        "Draft the statement of reasons",
        "What the customer is told, and what the public is. A second person reads both.",
        statement,
    ),
    grave(deed(
        "serve",
        Place::Decisions,
        "Serve the statement of reasons",
        "The customer is told; the public form is published with it.",
        serve,
    )),
    grave(deed(
        "effect",
        Place::Decisions,
        "Bring it into effect",
        "The sealed list becomes the restrictions in force.",
        effect,
    )),
    deed("run-out", Place::Decisions, "Say that its time is over", "What was decided for a time ends.", run_out),
    deed(
        "entrust",
        Place::Decisions,
        "Entrust what people are to end",
        "One person’s task, with a date, to be attested.",
        entrust,
    ),
    deed(
        "attest",
        Place::Decisions,
        "Attest that it is done",
        "You say, with your name, that what you were entrusted with is ended.",
        attest,
    ),
    deed(
        "check",
        Place::Decisions,
        "Record a check",
        "Whether the restricted use is at zero and everything else as before.",
        check,
    ),
    deed("leaving", Place::After, "Record that data leaves", "Two who decide have 24 hours from then.", leaving),
    deed(
        "decide-leaving",
        Place::After,
        "Decide about data that leaves",
        "It is decided once two say the same.",
        decide_leaving,
    ),
    deed("follow-up", Place::After, "Record a follow-up", "The use may have come back elsewhere.", follow_up),
    deed("settle", Place::After, "Settle a follow-up", "What became of it.", settle),
    deed(
        "admit-appeal",
        Place::After,
        "Admit a late appeal",
        "Two of the panel may hear what came after six months.",
        admit_appeal,
    ),
    grave(deed(
        "decide-appeal",
        Place::After,
        "Decide an appeal",
        "It is decided once two of the panel say the same.",
        decide_appeal,
    )),
    grave(deed(
        "name-publicly",
        Place::After,
        "Let the customer be named",
        "A decision of its own, of two people.",
        name_publicly,
    )),
    deed(
        "correction",
        Place::After,
        "Write a correction",
        "Of something that was published. A second person reads it before it leaves.",
        correction,
    ),
    grave(deed(
        "correct",
        Place::After,
        "Publish a correction",
        "It stands in public beside what it corrects.",
        correct,
    )),
    deed(
        "words-to-employees",
        Place::After,
        "Write what employees are told",
        "Of everything they were not told yet. A second person reads it before it leaves.",
        words_to_employees,
    ),
    deed(
        "tell-employees",
        Place::After,
        "Record that employees are told",
        "In the words that a second person confirmed: a statement, a correction or the end should reach them from you.",
        tell_employees,
    ),
    deed(
        "take-in",
        Place::After,
        "Take another case in",
        "Another case of the same workload goes on in this one, with what people did there.",
        take_in,
    ),
    grave(deed(
        "close",
        Place::After,
        "Close the case",
        "With what is done for those affected, and what is learnt.",
        close,
    )),
    deed("reopen", Place::After, "Reopen the case", "On new material; others review it.", reopen),
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

// ---- people ---------------------------------------------------------------------------------------------------------

fn there(ground: &Ground<'_>, but_those_near: bool) -> Vec<(String, String)> {
    let customer = &ground.file.case.opening.customer;
    let people = ground.roster.members.iter().filter(|(person, _)| {
        let near = ground.roster.closeness(person, customer).is_some();
        ground.roster.present(person, ground.now).is_some() && !(but_those_near && near)
    });
    people
        .map(|(person, member)| {
            let roles: Vec<&str> = member.roles.iter().map(|role| role.name()).collect();
            (person.to_string(), format!("{person} ({})", roles.join(", ")))
        })
        .collect()
}

fn with_part(ground: &Ground<'_>) -> Vec<(String, String)> {
    options(ground.file.case.parts.iter().filter(|(_, part)| !part.released).map(|(person, _)| person))
}

fn assign(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let hint = "Nobody of the customer’s account team or above it is among them.";
    let person = sheet.choice("person", "Who", hint, &there(ground, true));
    let role = sheet.choice("role", "As what", "", &as_roles(Role::ALL));
    let role = role_of(role);
    let person: PersonId = parsed(person)?;
    // The rules are asked about a role that they have: that the first of the list has another shuts nothing.
    let held = ground.roster.members.get(&person).and_then(|member| member.roles.first().copied());
    act(Act::Assign { person, role: if sheet.is_probe() { held? } else { role? } })
}

fn declare(sheet: &mut Sheet<'_>, _: &Ground<'_>) -> Option<Doing> {
    let hint = "A stake in the customer, somebody close to you who works there, having sold to it, having spoken in public about it.";
    let conflict = sheet.text_or_none("conflict", "Your conflict, if you have one", hint)?;
    act(Act::Declare { conflict })
}

fn release(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    act(Act::Release { person: parsed(sheet.choice("person", "Who", "", &with_part(ground)))? })
}

fn contact(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let from = choices(&[
        ("sales", "Sales or the account team"),
        ("executive", "An executive"),
        ("authority", "An authority"),
    ]);
    let from = sheet.choice("from", "From where", "", &from);
    let with = sheet.choice("with", "With whom", "", &there(ground, false));
    let about = sheet.text("about", "About what", "");
    let from = match from?.as_str() {
        "sales" => Contact::Sales,
        "executive" => Contact::Executive,
        _ => Contact::Authority,
    };
    act(Act::NoteContact { from, with: parsed(with)?, about: about? })
}

/// How long a case is put off, where nothing else is said.
const HOLD_DAYS: i64 = 7;

fn hold(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let hint = format!("To the end of that day, UTC; at most {} days.", rules::HOLD_DAYS);
    let until = sheet.day("until", "Until when", &hint, ground.now.plus_days(HOLD_DAYS));
    let reason = sheet.text("reason", "Why", "What it waits for, and why nothing is lost by it.");
    act(Act::Hold { until: until?, reason: reason? })
}

fn take_up(_: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    ground.file.case.held(ground.now).and_then(|_| act(Act::TakeUp))
}

fn role_of(name: Option<String>) -> Option<Role> {
    name.and_then(|name| Role::ALL.into_iter().find(|one| one.name() == name))
}

fn as_roles(of: impl IntoIterator<Item = Role>) -> Vec<(String, String)> {
    of.into_iter().map(|role| (role.name().to_owned(), role.name().replace('-', " "))).collect()
}

fn escalate(sheet: &mut Sheet<'_>, _: &Ground<'_>) -> Option<Doing> {
    let hint = "Of the panel: whoever answers hears no appeal in this case.";
    let to = sheet.choice("to", "Whom", hint, &as_roles(rules::ESCALATED_TO));
    let reason = sheet.text("reason", "What you ask, and why", "");
    act(Act::Escalate { to: role_of(to)?, reason: reason? })
}

fn respond(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let asked: Vec<_> = ground.file.case.escalated().collect();
    let shown = if sheet.is_shown() { asked.as_slice() } else { &[] };
    for one in shown {
        sheet.said(&format!("{} asks {}", one.by, one.to.name().replace('-', " ")), &told(ground, &one.reason));
    }
    let role = sheet.choice("role", "As what", "", &as_roles(asked.iter().map(|one| one.to)));
    let answer = sheet.text("answer", "Your answer", "");
    act(Act::Respond { role: role_of(role)?, answer: answer? })
}

// ---- evidence -------------------------------------------------------------------------------------------------------

/// What may show something, as forms name it.
const BASES: [(&str, Basis, &str); 5] = [
    ("meters", Basis::Meters, "Meters: the provider’s own"),
    ("document", Basis::Document, "A document"),
    ("outside-source", Basis::OutsideSource, "What somebody outside tells"),
    ("customer-answer", Basis::CustomerAnswer, "The customer’s answer, or refusal"),
    ("opinion", Basis::Opinion, "An opinion of counsel or an expert"),
];

fn join(sheet: &mut Sheet<'_>, _: &Ground<'_>) -> Option<Doing> {
    let report: Option<ReportId> = sheet.named("report", "Which report", "As the list of reports names it.", "");
    let accounts: Option<Vec<AccountId>> = sheet.lines(
        "accounts",
        "Accounts it is about, besides those of the case",
        "One a line; none if it names no other.",
    );
    let accounts = accounts?.into_iter().collect();
    act(Act::Join { source: Source::Report { report: report? }, accounts })
}

fn about(text: &str) -> Option<(AccountId, Option<ServiceId>)> {
    match text.split_once('\t') {
        Some((account, service)) => Some((account.parse().ok()?, Some(service.parse().ok()?))),
        None => Some((text.parse().ok()?, None)),
    }
}

fn evidence(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let case = &ground.file.case;
    let next = format!("e{}", case.evidence.len() + 1);
    let id = sheet.named("id", "Its name within the case", "", &next);
    let bases: Vec<(String, String)> =
        BASES.iter().map(|(name, _, words)| ((*name).to_owned(), (*words).to_owned())).collect();
    let basis = sheet.choice("basis", "What it is", "It decides which elements it may show.", &bases);
    let digest = sheet.text(
        "text",
        "Its content",
        "An explanation, as “tribune explain --format json” prints it, is drawn on its own page.",
    );
    let origin =
        sheet.named("origin", "Where it ultimately comes from", "What shares an origin counts once.", "provider");
    let accounts = options(&case.accounts);
    let whole =
        sheet.checks("account", "All of these accounts", "A target must lie within what evidence is about.", &accounts);
    let hint = "One a line: ACCOUNT SERVICE, as gates name it (object-storage). Narrower is better.";
    let parts: Option<Vec<String>> = sheet.lines("about", "Services on accounts it is about", hint);
    let anonymous = sheet.checks("anonymous", "Its maker", "", &choices(&[("yes", "Nobody knows who made it")]));
    let mut on: BTreeSet<_> = whole?.iter().filter_map(|account| about(account)).collect();
    for line in parts? {
        let Some((account, service)) = line.rsplit_once(char::is_whitespace) else {
            sheet.form.refuse("about", format!("“{line}” is no account and service: write ACCOUNT SERVICE"));
            return None;
        };
        on.extend(about(&format!("{}\t{service}", account.trim())));
    }
    let basis = basis.and_then(|basis| BASES.iter().find(|(name, ..)| *name == basis));
    let (id, basis, anonymous) = (id?, basis?.1, !anonymous?.is_empty() && !sheet.is_probe());
    act(Act::AddEvidence(Item { id, digest: digest?, basis, origin: origin?, anonymous, about: on }))
}

fn handle(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let evidence = sheet.choice("evidence", "Which item", "", &options(ground.file.case.evidence.keys()));
    let note = sheet.text("note", "What was done with it", "");
    act(Act::HandleEvidence { evidence: parsed(evidence)?, note: note? })
}

// ---- proof ----------------------------------------------------------------------------------------------------------

fn step(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let File { case, law, .. } = ground.file;
    let steps = law.procedure.steps.iter().filter(|step| !case.steps.contains_key(&step.id));
    let steps: Vec<_> =
        steps.map(|step| (step.id.to_string(), format!("{} ({})", step.title, step.by.name()))).collect();
    let step = sheet.choice("step", "Which step", "", &steps);
    let note = sheet.text("note", "What was done", "");
    act(Act::CompleteStep { step: parsed(step)?, note: note? })
}

fn question(sheet: &mut Sheet<'_>, _: &Ground<'_>) -> Option<Doing> {
    let hint = "Say what you ask, why, and what follows from an answer. Nothing that only a reporter could know.";
    let text = sheet.words("text", "The question, with its reasons", hint, "")?;
    Some(Doing::Draft(vec![(DraftOf::Question, text)]))
}

fn words_of(draft: &DraftText) -> String {
    let what = match &draft.of {
        DraftOf::Question => "Question to the customer".to_owned(),
        DraftOf::Statement { decision, .. } => format!("Statement of reasons of {decision}, for the customer"),
        DraftOf::Public { decision } => format!("Statement of reasons of {decision}, for the public"),
        DraftOf::Correction => "Correction".to_owned(),
        DraftOf::Employees => "Words to employees".to_owned(),
    };
    format!("{what}, by {} on {} ({})", draft.by, draft.at.day(), short(&draft.text))
}

/// The beginning of a digest, as it is shown.
pub(super) fn short(digest: &Digest) -> String {
    digest.to_string().trim_start_matches("sha256:").chars().take(10).collect()
}

/// Texts that are to leave: those that a second person has confirmed, or those that wait for it.
fn drafts<'a>(ground: &Ground<'a>, confirmed: bool, of: fn(&DraftOf) -> bool) -> Vec<&'a DraftText> {
    let safe = &ground.file.case.safe;
    let mut seen = BTreeSet::new();
    let drafts =
        ground.drafts.iter().rev().filter(|draft| of(&draft.of) && safe.contains_key(&draft.text) == confirmed);
    drafts.filter(|draft| seen.insert(draft.text)).collect()
}

fn as_options(drafts: &[&DraftText]) -> Vec<(String, String)> {
    drafts.iter().map(|draft| (draft.text.to_string(), words_of(draft))).collect()
}

fn confirm(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let waiting = drafts(ground, false, |_| true);
    let shown = if sheet.is_shown() { waiting.as_slice() } else { &[] };
    for draft in shown {
        sheet.said(&words_of(draft), &told(ground, &draft.text));
    }
    let text: Option<Text> = parsed(sheet.choice("text", "Which text", "", &as_options(&waiting)));
    let hint = "Not by what it says, by what it leaves out, nor by what few people know.";
    let sure =
        sheet.checks("sure", "You vouch", hint, &choices(&[("yes", "I read it whole, and it identifies no source")]));
    if sure.as_ref().is_some_and(Vec::is_empty) {
        sheet.form.refuse("sure", "Read it, and say so.");
        return None;
    }
    let text = text?;
    let draft = waiting.iter().find(|draft| draft.text == text)?;
    sure.and_then(|_| act(Act::ConfirmSafe { text, written_by: draft.by.clone() }))
}

/// What a private text says, or why it does not.
pub(super) fn told(ground: &Ground<'_>, text: &Text) -> String {
    match ground.read.get(text) {
        Some(Sealed::Opened(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        Some(Sealed::To { confined: true, .. }) => {
            "It is confined to roles that you do not have in this case.".to_owned()
        }
        Some(Sealed::To { people, .. }) => format!("Sealed to {people} keys: unlock yours to read it."),
        Some(Sealed::Elsewhere) => "It is not kept here.".to_owned(),
        None => "Unlock your key to read it.".to_owned(),
    }
}

fn opened(ground: &Ground<'_>, text: &Text) -> Option<String> {
    match ground.read.get(text) {
        Some(Sealed::Opened(bytes)) => String::from_utf8(bytes.clone()).ok(),
        _ => None,
    }
}

fn ask(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let questions = &ground.file.case.questions;
    let next = format!("q{}", questions.len() + 1);
    let confirmed = drafts(ground, true, |of| *of == DraftOf::Question);
    let text =
        sheet.choice("text", "Which question", "Those that a second person has confirmed.", &as_options(&confirmed));
    let id = sheet.named("id", "Its name within the case", "", &next);
    let days = ground.file.law.procedure.days_to_answer;
    let hint = format!("To the end of that day, UTC; at least {days} days.");
    let until = sheet.day("until", "Until when it can answer", &hint, ground.now.plus_days(days));
    act(Act::Ask { id: id?, text: parsed(text)?, until: until? })
}

fn waive(sheet: &mut Sheet<'_>, _: &Ground<'_>) -> Option<Doing> {
    act(Act::WaiveHearing { reason: sheet.text("reason", "Why the customer is not heard before", "")? })
}

const STANDARDS: [(&str, Standard); 3] = [
    ("reasonable-suspicion", Standard::ReasonableSuspicion),
    ("more-likely-than-not", Standard::MoreLikelyThanNot),
    ("clear-and-convincing", Standard::ClearAndConvincing),
];

const ANSWERS: [(&str, Established, &str); 3] = [
    ("not-established", Established::NotEstablished, "Not established"),
    ("established", Established::Established, "Established"),
    ("inconclusive", Established::Inconclusive, "Inconclusive"),
];

/// An answer in words.
pub(super) fn answer_words(answer: Established) -> &'static str {
    ANSWERS.iter().find(|(_, one, _)| *one == answer).map_or("", |(.., words)| words)
}

fn determine(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let File { case, law, .. } = ground.file;
    let mut elements = BTreeMap::new();
    let answers: Vec<_> = ANSWERS.iter().map(|(name, _, words)| ((*name).to_owned(), (*words).to_owned())).collect();
    let standards: Vec<_> =
        STANDARDS.iter().map(|(name, standard)| ((*name).to_owned(), standard.to_string())).collect();
    let mut whole = true;
    for element in &law.procedure.elements {
        let id = &element.id;
        let admits: Vec<&str> = element.rests_on.iter().map(|basis| basis.words()).collect();
        sheet.head(&format!("{id}: {}", element.title), &format!("It may rest on {}.", admits.join("; ")));
        let answer = sheet.choice(&format!("answer-{id}"), "Answer", "", &answers);
        let standard = sheet.choice(&format!("standard-{id}"), "How surely", "", &standards);
        let fitting = case
            .evidence
            .values()
            .filter(|item| element.rests_on.contains(&item.basis) || item.basis == Basis::Opinion);
        let fitting: Vec<_> = fitting
            .map(|item| (item.id.to_string(), format!("{}: {}, from {}", item.id, item.basis.words(), item.origin)))
            .collect();
        let evidence = sheet.checks(&format!("evidence-{id}"), "On this evidence", "", &fitting);
        let reasons = sheet.text(&format!("reasons-{id}"), "Reasons", "");
        let answer = answer.and_then(|answer| ANSWERS.iter().find(|(name, ..)| *name == answer));
        let standard = standard.and_then(|standard| STANDARDS.iter().find(|(name, _)| *name == standard));
        let (Some(answer), Some(standard), Some(evidence), Some(reasons)) = (answer, standard, evidence, reasons)
        else {
            whole = false;
            continue;
        };
        let evidence: BTreeSet<EvidenceId> = evidence.iter().filter_map(|one| one.parse().ok()).collect();
        elements.insert(id.clone(), ElementAnswer { answer: answer.1, standard: standard.1, evidence, reasons });
    }
    sheet.head("What was within view", "");
    let view = sheet.text(
        "view",
        "What was within view, and what was not",
        "It is said to whoever reads that something is not established.",
    );
    let supersedes = case.standing_determination().map(|(place, _)| place);
    whole.then_some(())?;
    act(Act::Determine(Determination { elements, view: view?, supersedes }))
}

fn dissent(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let all = ground.file.case.determinations.iter().enumerate().rev();
    let all: Vec<_> =
        all.map(|(place, one)| (place.to_string(), format!("{place}, by {} on {}", one.by, one.at.day()))).collect();
    let determination = sheet.choice("determination", "Which determination", "", &all);
    let opinion = sheet.text("opinion", "How you see it", "");
    act(Act::Dissent { determination: parsed(determination)?, opinion: opinion? })
}

// ---- decisions ------------------------------------------------------------------------------------------------------

const SWITCHES: [(&str, Switch, &str); 4] = [
    ("write", Switch::Write, "writing: new content and new processing"),
    ("read", Switch::Read, "reading what is there"),
    ("delete", Switch::Delete, "deleting what is there"),
    ("export", Switch::Export, "taking it out in bulk"),
];

/// A switch in words.
pub(super) fn switch_words(switch: Switch) -> &'static str {
    SWITCHES.iter().find(|(_, one, _)| *one == switch).map_or("", |(name, ..)| name)
}

fn switch_of(name: &str) -> Option<Switch> {
    SWITCHES.iter().find(|(one, ..)| *one == name).map(|(_, switch, _)| *switch)
}

/// A target as a line for people: `a1 · object-storage · write, delete`.
pub(super) fn target_words(target: &Target) -> String {
    let switches: Vec<&str> = target.switches.iter().map(|switch| switch_words(*switch)).collect();
    let region = target.region.as_ref().map(|region| format!(" in {region}")).unwrap_or_default();
    format!("{} · {}{region} · {}", target.account, target.service, switches.join(", "))
}

fn next_decision(ground: &Ground<'_>) -> String {
    format!("d{}", ground.file.case.decisions.len() + 1)
}

/// The services on accounts that evidence is about, but for those that are never a target.
fn targetable(ground: &Ground<'_>) -> Vec<(AccountId, ServiceId)> {
    let File { case, law, .. } = ground.file;
    let about = case.evidence.values().flat_map(|item| &item.about);
    let about = about.filter_map(|(account, service)| Some((account, service.as_ref()?)));
    let about = about.filter(|(account, service)| {
        case.accounts.contains(*account) && !law.procedure.protected_services.contains(*service)
    });
    let all: BTreeSet<_> = about.map(|(account, service)| (account.clone(), service.clone())).collect();
    all.into_iter().collect()
}

fn propose(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let File { case, law, .. } = ground.file;
    let interventions: Vec<_> =
        law.procedure.interventions.iter().map(|one| (one.id.to_string(), one.title.clone())).collect();
    let hint = "Mildest first. What each may switch off, and what must be shown for it, is in the policy.";
    let intervention = sheet.choice("intervention", "Which intervention", hint, &interventions);
    let id = sheet.named("id", "Its name within the case", "", &next_decision(ground));
    let mut pairs = Vec::new();
    for (account, service) in targetable(ground) {
        for (name, _, words) in SWITCHES {
            pairs.push((format!("{account}\t{service}\t{name}"), format!("{account} · {service}: {words}")));
        }
    }
    sheet.head(
        "The list of targets",
        "Only what evidence is about can be one. It is sorted and sealed when it is proposed.",
    );
    let targets = sheet.checks("target", "Switch off", "", &pairs);
    sheet.head("Why each, and not less", "Every switch that is in the list is answered; others stay empty.");
    let mut reasons = BTreeMap::new();
    for (name, switch, words) in SWITCHES {
        let reason = sheet.text_or_none(&format!("reason-{name}"), &format!("Reasons for {words}"), "").flatten();
        let reason = reason.or_else(|| sheet.is_probe().then(|| Digest::of("probe")));
        reasons.extend(reason.map(|reason| (switch, reason)));
    }
    sheet.head("For how long", "A restriction has an end, or a day on which it is looked at again.");
    let ends = sheet.day_or_none("ends", "It ends by itself after", "");
    let review = sheet.day_or_none("review", "It is looked at again on", "");
    let emergency = choices(&[("yes", "It cannot wait for the hearing and the steps")]);
    let hint = "It lapses after ten days unless decided anew.";
    let emergency = sheet.checks("emergency", "An emergency", hint, &emergency);
    let (ends, review, emergency) = (ends?, review?, emergency?);
    let intervention: review::words::InterventionId = parsed(intervention)?;
    let order = law.procedure.intervention(&intervention)?;
    let mut list: BTreeMap<(AccountId, ServiceId), BTreeSet<Switch>> = BTreeMap::new();
    for one in targets?.iter().filter(|_| !sheet.is_probe() || !order.switches.is_empty()) {
        let mut parts = one.split('\t');
        let (Some(account), Some(service), Some(name)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let switch = switch_of(name)?;
        if !sheet.is_probe() || order.switches.contains(&switch) {
            list.entry((account.parse().ok()?, service.parse().ok()?)).or_default().insert(switch);
        }
    }
    let targets: Vec<Target> = list
        .into_iter()
        .map(|((account, service), switches)| Target { account, service, region: None, switches })
        .collect();
    let used: BTreeSet<Switch> = targets.iter().flat_map(|target| target.switches.iter().copied()).collect();
    reasons.retain(|switch, _| used.contains(switch));
    let standing = case.standing_determination().map(|(place, _)| place);
    let decision = Decision {
        id: id?,
        order: Order::Impose { intervention },
        determination: standing.filter(|_| order.reach.standard().is_some()),
        targets,
        reasons,
        emergency: !emergency.is_empty() && !sheet.is_probe(),
        ends,
        review: review.or_else(|| sheet.is_probe().then(|| ground.now.plus_days(30))),
    };
    act(Act::Propose(decision))
}

fn decisions(ground: &Ground<'_>, which: fn(&Decided) -> bool) -> Vec<(String, String)> {
    let decisions = ground.file.case.decisions.iter().filter(|(_, decided)| which(decided));
    decisions.map(|(id, decided)| (id.to_string(), format!("{id}: {}", order_words(ground.file, decided)))).collect()
}

/// What a decision does, for people.
pub(super) fn order_words(file: &File, decided: &Decided) -> String {
    match &decided.decision.order {
        Order::Impose { intervention } => {
            let known = file.law.procedure.intervention(intervention);
            known.map_or_else(|| intervention.to_string(), |one| one.title.clone())
        }
        Order::Lift { decision } if decided.decision.targets.is_empty() => format!("Lift {decision}"),
        Order::Lift { decision } => format!("Lift a part of {decision}"),
    }
}

fn lift(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let decision: Option<DecisionId> = parsed(sheet.choice(
        "decision",
        "Which decision",
        "",
        &decisions(ground, |one| one.standing == Standing::InEffect),
    ));
    let id = sheet.named("id", "Its name within the case", "", &next_decision(ground));
    let mut in_force = BTreeMap::new();
    for decided in ground.file.case.decisions.values() {
        in_force.extend(decided.in_force.iter().map(|target| (seal::line(target), target.clone())));
    }
    let lines: Vec<_> = in_force.iter().map(|(line, target)| (line.clone(), target_words(target))).collect();
    let kept = sheet.checks("keep", "What stays in force", "Nothing ticked lifts all of it.", &lines);
    let decided = ground.file.case.decisions.get(&decision.clone()?)?;
    let kept = kept?;
    let targets: Vec<Target> = decided
        .in_force
        .iter()
        .filter(|target| !sheet.is_probe() && kept.contains(&seal::line(target)))
        .cloned()
        .collect();
    let used: BTreeSet<Switch> = targets.iter().flat_map(|target| target.switches.iter().copied()).collect();
    let mut reasons = decided.decision.reasons.clone();
    reasons.retain(|switch, _| used.contains(switch));
    let order = Order::Lift { decision: decision? };
    act(Act::Propose(Decision {
        id: id?,
        order,
        determination: None,
        targets,
        reasons,
        emergency: false,
        ends: None,
        review: None,
    }))
}

/// Whether the roster has a key of theirs that is held so.
fn holds(ground: &Ground<'_>, form: KeyForm) -> bool {
    let member = ground.roster.members.get(ground.person);
    member.is_some_and(|member| member.keys.values().any(|known| *known == form))
}

fn approve(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let case = &ground.file.case;
    let before = decisions(ground, |one| one.standing == Standing::Proposed);
    let decision: Option<DecisionId> = parsed(sheet.choice("decision", "Which decision", "", &before));
    let asked = sheet.asked_for("decision").and_then(|asked| asked.parse().ok());
    let first = before.first().and_then(|(id, _)| id.parse().ok());
    let about: DecisionId = decision.clone().or(asked).or(first)?;
    let decided = case.decisions.get(&about)?;
    let shown = case.shown(&about, &ground.file.law.procedure)?;
    let digest = Digest::of(&shown);
    sheet.said("What you approve", &shown);
    let message = seal::message(&case.id, &decided.decision, &digest);
    sheet.said("What you sign", &message);
    let seen = sheet.seen("shown", &digest.to_string());
    if sheet.is_probe() {
        let (key, signature) = (PublicKey([0; 32]), "0".repeat(128));
        let approval = Approval { key, form: KeyForm::Ssh, signature, shown: digest, identity: None };
        return act(Act::Approve { decision: decision?, approval });
    }
    let how = format!(
        "“tribune decision sign {} {about} --ssh-key FILE --out message.sig” makes it. Or, with what you sign in a file message that ends with its last line’s end: “ssh-keygen -Y sign -n {} -f FILE message”. Paste message.sig here.",
        case.id,
        seal::SSH_NAMESPACE
    );
    let mut armoured = Some(None);
    if holds(ground, KeyForm::Ssh) {
        armoured = sheet.words_or_none("signature", "Your signature", &how);
    }
    let mut passphrase = Some(None);
    if holds(ground, KeyForm::Passphrase) {
        let hint = "Opens the key that lies here, for this one signature: the weaker form.";
        passphrase = sheet.secret("passphrase", "Or your passphrase", hint);
    }
    let (seen, armoured, passphrase) = (seen?, armoured?, passphrase?);
    if seen != digest.to_string() {
        sheet.form.refuse_all("What stands here now is not what you were shown: read it again, and sign that.");
        return None;
    }
    match (armoured, passphrase) {
        (Some(armoured), _) => match seal::parse_ssh(&armoured) {
            Ok((key, signature)) => {
                let approval = Approval { key, form: KeyForm::Ssh, signature, shown: digest, identity: None };
                act(Act::Approve { decision: decision?, approval })
            }
            Err(why) => {
                sheet.form.refuse("signature", why.to_string());
                None
            }
        },
        (None, Some(passphrase)) => Some(Doing::Sign { decision: decision?, passphrase, message, shown: digest }),
        (None, None) => {
            sheet.form.refuse_all("Sign it: with a key of yours that the roster has.");
            None
        }
    }
}

fn refuse(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let before = decisions(ground, |one| matches!(one.standing, Standing::Proposed | Standing::Approved));
    let decision = sheet.choice("decision", "Which decision", "", &before);
    let reason = sheet.text("reason", "Why", "");
    act(Act::Refuse { decision: parsed(decision)?, reason: reason? })
}

fn statement(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let File { case, law, .. } = ground.file;
    let approved = decisions(ground, |one| one.standing == Standing::Approved && one.notice.is_none());
    let approved: Vec<_> = approved
        .into_iter()
        .filter(|(id, _)| {
            let decided = id.parse().ok().and_then(|id: DecisionId| case.decisions.get(&id));
            decided.is_some_and(|decided| matches!(decided.decision.order, Order::Impose { .. }))
        })
        .collect();
    let decision: Option<DecisionId> = parsed(sheet.choice("decision", "Of which decision", "", &approved));
    let facts = sheet.words(
        "facts",
        "Facts and circumstances",
        "What was relied on, and why the use is against the clause. Roles, never names; nothing of who reported.",
        "",
    );
    let redress = sheet.words(
        "redress",
        "Beyond the appeal",
        "How the customer can have it looked at again.",
        "You may write to the review’s address, or take it to a court.",
    );
    let credit = sheet.words_or_none("credit", "Whom the public owes it to", "Only if they wish to be named.");
    let served = sheet.day(
        "served",
        "When it is served",
        "Its times count from the end of that day, UTC; it can be served then, not before.",
        Moment(ground.now.0 - 86_400),
    );
    let (decision, facts, redress, served) = (decision?, facts?, redress?, served?);
    let decided = case.decisions.get(&decision)?;
    if sheet.is_probe() {
        // Whoever drafts it is who may serve it.
        return Some(Doing::Serve { decision, statement: Digest::of(&facts), public: facts });
    }
    let written = |text: &str| Written::new(&Digest::of(text), text);
    let mut reasons = BTreeMap::new();
    for (switch, text) in &decided.decision.reasons {
        let Some(words) = opened(ground, text) else {
            sheet.form.refuse_all("The reasons that the decision names are sealed to you: unlock your key first.");
            return None;
        };
        reasons.insert(*switch, written(&words).ok()?);
    }
    let credit = credit?.map(|credit| written(&credit)).transpose().ok()?;
    let texts = Texts { facts: written(&facts).ok()?, reasons, redress: written(&redress).ok()?, credit };
    let draft =
        Draft { case, decision: &decision, procedure: &law.procedure, clause: &law.title, texts: &texts, served };
    match Statement::draft(&draft) {
        Ok(statement) => {
            let public = statement.public_digest();
            let own = DraftOf::Statement { decision: decision.clone(), public, served };
            Some(Doing::Draft(vec![(own, statement.text()), (DraftOf::Public { decision }, statement.public_text())]))
        }
        Err(why) => {
            sheet.form.refuse_all(why.to_string());
            None
        }
    }
}

fn serve(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let ready = drafts(ground, true, |of| matches!(of, DraftOf::Statement { .. }));
    let safe = &ground.file.case.safe;
    let ready: Vec<_> = ready
        .into_iter()
        .filter(|draft| match &draft.of {
            DraftOf::Statement { public, decision, .. } => {
                let decided = ground.file.case.decisions.get(decision);
                safe.contains_key(public) && decided.is_some_and(|decided| decided.notice.is_none())
            }
            _ => false,
        })
        .collect();
    let text: Option<Text> = parsed(sheet.choice(
        "text",
        "Which statement",
        "Those of which a second person has confirmed both forms.",
        &as_options(&ready),
    ));
    let statement = text?;
    let draft = ready.iter().find(|draft| draft.text == statement)?;
    let DraftOf::Statement { decision, public, served } = &draft.of else { return None };
    if ground.now < *served {
        sheet.form.refuse_all(format!("It counts its times from {served}: serve it then, or draft it anew."));
        return None;
    }
    let Some(public) = opened(ground, public).or_else(|| sheet.is_probe().then(String::new)) else {
        sheet.form.refuse_all("The public’s text is sealed to you: unlock your key first.");
        return None;
    };
    Some(Doing::Serve { decision: decision.clone(), statement, public })
}

fn effect(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let decision: Option<DecisionId> = parsed(sheet.choice(
        "decision",
        "Which decision",
        "",
        &decisions(ground, |one| one.standing == Standing::Approved),
    ));
    let decision = decision?;
    let (_, root) = ground.file.case.sealed(&decision)?;
    act(Act::TakeEffect { decision, root })
}

fn run_out(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let decision =
        sheet.choice("decision", "Which decision", "", &decisions(ground, |one| one.standing == Standing::InEffect));
    act(Act::RunOut { decision: parsed(decision)? })
}

fn entrust(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let decision =
        sheet.choice("decision", "By which decision", "", &decisions(ground, |one| one.standing == Standing::InEffect));
    let to = sheet.choice("to", "Whom", "", &there(ground, false));
    let due = sheet.day("due", "By when", "", ground.now.plus_days(7));
    act(Act::Entrust { decision: parsed(decision)?, to: parsed(to)?, due: due? })
}

fn attest(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let decision = sheet.choice(
        "decision",
        "Of which decision",
        "",
        &decisions(ground, |one| one.task.as_ref().is_some_and(|task| task.attested.is_none())),
    );
    let note = sheet.text("note", "What was ended, and how", "");
    act(Act::Attest { decision: parsed(decision)?, note: note? })
}

fn check(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let due: Vec<_> = ground
        .file
        .case
        .decisions
        .iter()
        .flat_map(|(id, decided)| {
            let open =
                CHECK_DAYS.into_iter().filter(|days| decided.effect.is_some() && !decided.checks.contains_key(days));
            open.map(move |days| (format!("{days} {id}"), format!("{id}, after {days} days")))
        })
        .collect();
    let which = sheet.choice("check", "Which check", "Each is due so many days after the effect.", &due);
    let yes = choices(&[("yes", "Yes"), ("no", "No: that is a follow-up")]);
    let ended = sheet.choice("ended", "Is the restricted use at zero?", "", &yes);
    let rest = sheet.choice("rest", "Is everything else as before?", "", &yes);
    let which = which?;
    let (days, decision) = which.split_once(' ')?;
    let (days, decision) = (days.parse().ok()?, decision.parse().ok()?);
    act(Act::Check { decision, days, use_ended: ended? == "yes", rest_as_before: rest? == "yes" })
}

// ---- what comes after -----------------------------------------------------------------------------------------------

fn leaving(sheet: &mut Sheet<'_>, _: &Ground<'_>) -> Option<Doing> {
    let finding =
        sheet.words("finding", "What shows it", "The finding, or what the meters say; kept as a private text.", "")?;
    act(Act::NoteLeaving { finding: sheet.keep(finding) })
}

fn decide_leaving(sheet: &mut Sheet<'_>, _: &Ground<'_>) -> Option<Doing> {
    let all = choices(&[
        ("let-go", "Let it go"),
        ("hold-export", "Hold bulk export, by a decision of its own"),
        ("preserve", "Preserve it, on a legal order"),
    ]);
    let choice = sheet.choice("choice", "What is done", "", &all);
    let order = sheet.text_or_none("order", "The legal order, to preserve", "");
    let reasons = sheet.text("reasons", "Why", "Say that preserving prolongs harm too was weighed.");
    let choice = match (choice?.as_str(), order?) {
        ("let-go", _) => Leaving::LetGo,
        ("hold-export", _) => Leaving::HoldExport,
        (_, Some(order)) => Leaving::Preserve { order },
        _ => {
            sheet.form.refuse("order", "Preserving needs a legal order: write it here.");
            return None;
        }
    };
    act(Act::DecideLeaving { choice, reasons: reasons? })
}

fn follow_up(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let next = format!("f{}", ground.file.case.follow_ups.len() + 1);
    let id = sheet.named("id", "Its name within the case", "", &next);
    let account = sheet.named_or_none("account", "The account, if it is one of ours", "");
    let finding = sheet.text("finding", "What shows it", "Kept as a private text.");
    act(Act::FollowUp { id: id?, account: account?, finding: finding? })
}

fn settle(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let open = options(ground.file.case.follow_ups.iter().filter(|(_, settled)| !**settled).map(|(id, _)| id));
    let id = sheet.choice("id", "Which follow-up", "", &open);
    let note = sheet.text("note", "What became of it", "");
    act(Act::SettleFollowUp { id: parsed(id)?, note: note? })
}

fn appeals(ground: &Ground<'_>) -> Vec<(String, String)> {
    let open = ground.file.case.appeals.iter().filter(|(_, appealed)| appealed.outcome.is_none());
    open.map(|(id, appealed)| (id.to_string(), format!("{id}, against {}", appealed.decision))).collect()
}

fn admit_appeal(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let id = sheet.choice("id", "Which appeal", "", &appeals(ground));
    let reason = sheet.text("reason", "Why it is heard all the same", "");
    act(Act::AdmitAppeal { id: parsed(id)?, reason: reason? })
}

fn decide_appeal(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let id = sheet.choice("id", "Which appeal", "", &appeals(ground));
    let all = choices(&[
        ("rejected", "Rejected: the decision stands"),
        ("in-part", "Upheld in part"),
        ("upheld", "Upheld: all of it is to be lifted"),
    ]);
    let outcome = sheet.choice("outcome", "How", "", &all);
    let reasons = sheet.text("reasons", "Why", "");
    let outcome = match outcome?.as_str() {
        "rejected" => AppealOutcome::Rejected,
        "in-part" => AppealOutcome::UpheldInPart,
        _ => AppealOutcome::Upheld,
    };
    act(Act::DecideAppeal { id: parsed(id)?, outcome, reasons: reasons? })
}

fn name_publicly(sheet: &mut Sheet<'_>, _: &Ground<'_>) -> Option<Doing> {
    act(Act::NamePublicly { reasons: sheet.text("reasons", "Why", "")? })
}

fn published(ground: &Ground<'_>) -> Vec<(String, String)> {
    let case = &ground.file.case;
    let notices =
        case.decisions.iter().filter_map(|(id, decided)| Some((decided.notice?.public, format!("statement of {id}"))));
    let corrections = case.corrections.values().map(|text| (*text, "correction".to_owned()));
    notices.chain(corrections).map(|(text, what)| (text.to_string(), format!("{what}, {}", short(&text)))).collect()
}

fn correction(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    if published(ground).is_empty() {
        return None;
    }
    let text = sheet.words("text", "What takes its place", "Say what was wrong, since when, and what is right.", "")?;
    Some(Doing::Draft(vec![(DraftOf::Correction, text)]))
}

fn correct(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let statement = sheet.choice("statement", "What was wrong", "", &published(ground));
    let ready = drafts(ground, true, |of| *of == DraftOf::Correction);
    let text: Option<Text> = parsed(sheet.choice(
        "text",
        "Which correction",
        "Those that a second person has confirmed.",
        &as_options(&ready),
    ));
    let (statement, text) = (parsed(statement)?, text?);
    let Some(correction) = opened(ground, &text).or_else(|| sheet.is_probe().then(String::new)) else {
        sheet.form.refuse_all("The correction is sealed to you: unlock your key first.");
        return None;
    };
    Some(Doing::Correct { statement, correction })
}

fn words_to_employees(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let hint = "What was found and what follows, for people who work here. No report and nobody with a part in the case; the \
                customer only where two who decide said that it may be named.";
    let text = sheet.words("text", "What they are told", hint, "")?;
    if let Err(fault) = for_employees(&ground.file.case, &text) {
        sheet.form.refuse("text", fault.to_string());
        return None;
    }
    Some(Doing::Draft(vec![(DraftOf::Employees, text)]))
}

fn tell_employees(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let ready = drafts(ground, true, |of| *of == DraftOf::Employees);
    let shown = if sheet.is_shown() { ready.as_slice() } else { &[] };
    for draft in shown {
        sheet.said(&words_of(draft), &told(ground, &draft.text));
    }
    let hint = "Those that a second person has confirmed.";
    let text: Option<Text> = parsed(sheet.choice("text", "In which words", hint, &as_options(&ready)));
    let text = text?;
    let Some(words) = opened(ground, &text).or_else(|| sheet.is_probe().then(|| "probe".to_owned())) else {
        sheet.form.refuse_all("The words are sealed to you: unlock your key first.");
        return None;
    };
    match for_employees(&ground.file.case, &words) {
        Ok(names_customer) => Some(Doing::Tell { words, names_customer }),
        Err(fault) => {
            sheet.form.refuse("text", fault.to_string());
            None
        }
    }
}

fn take_in(sheet: &mut Sheet<'_>, _: &Ground<'_>) -> Option<Doing> {
    let other = sheet.named("other", "Which case", "Of the same clause and customer.", "")?;
    Some(Doing::Merge(other))
}

fn close(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let remedy = sheet.text("remedy", "Remedy", "What is done for those who were affected, or why nothing.");
    let consulted =
        sheet.text("consulted", "Who was consulted", "How those affected, or who speaks for them, were asked.");
    let lesson = sheet.text("lesson", "Lesson", "What is learnt from it.");
    let mut declared_use = None;
    if ground.file.case.is_declared_use() {
        let all = choices(&[
            ("approved", "It may go on"),
            ("conditions", "It may, within limits"),
            ("rejected", "It may not"),
        ]);
        let said = sheet.choice("declared", "The declared use", "", &all);
        let calls: Option<Option<i64>> = sheet.named_or_none("calls", "The limit: calls an hour, at most", "");
        let until = sheet.day_or_none("until", "The limit: until when", "");
        declared_use = match (said?.as_str(), calls?, until?) {
            ("approved", ..) => Some(DeclaredUse::Approved),
            ("rejected", ..) => Some(DeclaredUse::Rejected),
            (_, Some(calls_per_hour), Some(until)) => Some(DeclaredUse::Conditions { calls_per_hour, until }),
            _ => {
                sheet.form.refuse("calls", "Limits are calls an hour, and a day.");
                return None;
            }
        };
    }
    act(Act::Close(Closing { remedy: remedy?, consulted: consulted?, lesson: lesson?, declared_use }))
}

fn reopen(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let newest = ground.file.case.custody.iter().rev().map(|(id, ..)| id);
    let mut seen = BTreeSet::new();
    let newest = options(newest.filter(|id| seen.insert((*id).clone())));
    act(Act::Reopen {
        material: parsed(sheet.choice("material", "On what", "Evidence that came in since it was closed.", &newest))?,
    })
}
