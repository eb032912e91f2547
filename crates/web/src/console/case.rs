//! The pages of a case, and the forms of what is done there.

mod record;

pub(super) use record::{proof as event_proof, record};

use super::acts::{act_words, contact_words, leaving_words, outcome_words};
use super::deeds::{self, DEEDS, Deed, Doing, Ground, Place, answer_words, order_words, short, target_words};
use super::sheet::{Drawn, Look, Run, Sheet};
use super::story::story as told;
use super::{Chip, Console, Desk};
use crate::answer::{Problem, page, page_with, see};
use crate::form::{Form, Posted, Takes};
use crate::frame::{Frame, Reader};
use crate::portrait::{Drawing, Explanation, OpenedAt};
use crate::session::Session;
use crate::sign_in::escaped;
use crate::visible::filters;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use clerk::{DraftOf, DraftText, Error, File, Line, Sealed, Sent, Trial};
use review::act::{Act, Source};
use review::case::{Phase, Standing};
use review::clocks::clocks;
use review::metered::{self, Compared, Fate, Forecast};
use review::procedure::Basis;
use review::rules::Rule;
use review::waits::{Awaited, Turn, waits};
use review::words::{Actor, CaseId, DecisionId, Digest, Moment, PersonId, Text};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Under which tab something that is waited for is done.
pub(super) fn tab_of(awaited: Awaited) -> &'static str {
    match awaited {
        Awaited::People | Awaited::Declaration | Awaited::Escalation => "",
        Awaited::Step | Awaited::Hearing | Awaited::Determination => "/proof",
        Awaited::Proposal | Awaited::Approval | Awaited::Notice | Awaited::Effect | Awaited::Task | Awaited::Check => {
            "/decisions"
        }
        Awaited::Employees | Awaited::Leaving | Awaited::FollowUp | Awaited::Appeal => "/after",
    }
}

/// Rules that are about what is typed, not about who may now: what meets only those is open.
const OF_WHAT_IS_TYPED: &[Rule] = &[
    Rule::Known,
    Rule::Once,
    Rule::SourceSafe,
    Rule::TwoEyes,
    Rule::TimeToAnswer,
    Rule::EveryElement,
    Rule::Shown,
    Rule::Admissible,
    Rule::TwoSources,
    Rule::NotOpinionAlone,
    Rule::Sealed,
    Rule::WithinOrder,
    Rule::Narrow,
    Rule::Protected,
    Rule::Reasoned,
    Rule::Bounded,
    Rule::LiftsLess,
    Rule::OwnSignature,
    Rule::OneCase,
    Rule::DeclaredUse,
];

/// What is said of a rule or a role that is against something; what failed instead is a problem.
pub(super) fn against(error: Error) -> Result<String, Problem> {
    match error {
        Error::Refused(_) | Error::Denied(_) | Error::Wrong(_) | Error::Form(_) | Error::Busy | Error::Unknown(_) => {
            Ok(error.to_string())
        }
        error => Err(error.into()),
    }
}

// ---- coming in ------------------------------------------------------------------------------------------------------

/// A case that somebody looks at.
struct Entered {
    desk: Console,
    session: Session,
    reader: Reader,
    file: File,
    purpose: String,
    drafts: Vec<DraftText>,
    now: Moment,
}

#[derive(Template)]
#[template(path = "console/purpose.html")]
struct PurposePage {
    frame: Frame,
    form: Form,
    thing: String,
    action: String,
    next: String,
    usual: Vec<(&'static str, &'static str)>,
}

/// The question what somebody looks for, before they are shown anything.
pub(super) fn ask_purpose(
    desk: &Console,
    session: &Session,
    reader: &Reader,
    thing: &str,
    action: String,
) -> Result<Response, Problem> {
    let usual = vec![
        ("carrying it", "Carrying it"),
        ("deciding in it", "Deciding in it"),
        ("advising in it", "Advising in it"),
        ("taking over from somebody", "Taking over from somebody"),
    ];
    let (thing, next) = (thing.to_owned(), reader.with(&[]));
    page(&PurposePage {
        frame: desk.frame(session, reader, "What do you look for?"),
        form: desk.form(session),
        thing,
        action,
        next,
        usual,
    })
}

/// Notes what somebody looks for, and lets them in.
pub(super) fn note_purpose(
    desk: &Console,
    session: &Session,
    thing: &str,
    posted: &Posted,
) -> Result<Response, Problem> {
    let (mut form, _) = desk.posted(session, posted)?;
    let typed = form.read(posted, "purpose", Takes::LINE.or_nothing());
    let chosen = form.read(posted, "usual", Takes::LINE.or_nothing());
    let purpose = if typed.is_empty() { chosen } else { typed };
    if purpose.is_empty() || !form.is_good() {
        let says = "say in a line what you look for: every look is in the record, with its purpose";
        return Err(Problem::wrong(StatusCode::UNPROCESSABLE_ENTITY, says));
    }
    desk.set_purpose(session, thing, purpose);
    Ok(see(crate::sign_in::own_path(posted.get("next")).unwrap_or("/console")))
}

pub(super) async fn purpose(
    State(desk): Desk,
    session: Session,
    Path(id): Path<CaseId>,
    posted: Posted,
) -> Result<Response, Problem> {
    note_purpose(&desk, &session, &format!("case {id}"), &posted)
}

/// Lets somebody in who has said what for; else the question is the answer.
async fn enter(
    desk: Console,
    session: Session,
    reader: Reader,
    id: &CaseId,
) -> Result<Result<Entered, Response>, Problem> {
    let (thing, now) = (format!("case {id}"), desk.now());
    let Some(purpose) = desk.purpose(&session, &thing) else {
        let action = format!("/console/cases/{}/purpose", escaped(id.as_str()));
        return ask_purpose(&desk, &session, &reader, &thing, action).map(Err);
    };
    let file = desk.pages.clerk.look(&session.sender(), id, &purpose, now).await?;
    let drafts = desk.pages.clerk.drafts(&file).await?;
    Ok(Ok(Entered { desk, session, reader, file, purpose, drafts, now }))
}

/// Enters, or answers.
macro_rules! entered {
    ($desk:expr, $session:expr, $reader:expr, $id:expr) => {
        match enter($desk, $session, $reader, $id).await? {
            Ok(entered) => entered,
            Err(question) => return Ok(question),
        }
    };
}

impl Entered {
    fn base(&self) -> String {
        format!("/console/cases/{}", escaped(self.file.case.id.as_str()))
    }

    async fn read(&self, texts: BTreeSet<Text>) -> Result<BTreeMap<Text, Sealed>, Problem> {
        let unlocked = self.session.unlocked();
        let clerk = &self.desk.pages.clerk;
        let read =
            clerk.read_texts(self.session.who(), &self.file, &texts, unlocked.as_deref(), &self.purpose, self.now);
        Ok(read.await?)
    }

    async fn trial(&self) -> Result<Trial<'_>, Problem> {
        Ok(self.desk.pages.clerk.trial(&self.session.sender(), &self.file, self.now).await?)
    }

    fn ground<'a>(&'a self, trial: &'a Trial<'_>, read: &'a BTreeMap<Text, Sealed>) -> Ground<'a> {
        let (file, drafts, person) = (&self.file, self.drafts.as_slice(), self.session.person());
        Ground { file, roster: trial.roster(), person, drafts, read, now: self.now }
    }
}

// ---- what is offered ------------------------------------------------------------------------------------------------

/// A deed that is open, or why it is not.
struct Offer {
    address: String,
    title: &'static str,
    grave: bool,
    why_not: Option<String>,
}

/// Open, or why not; nothing where it is not even said.
type Ruled = Option<Result<(), String>>;

/// A name, and what there is to choose.
type Choices = Option<(String, Vec<String>)>;

/// Whether a deed is open to somebody: asked of the clerk, for each thing that it may be about. Nothing where their role is
/// not for it, or where there is nothing it could be about.
fn is_open(deed: &Deed, trial: &Trial<'_>, ground: &Ground<'_>, reader: &Reader) -> Ruled {
    let ask = |preset: Option<(&str, &str)>| -> (Ruled, Choices) {
        let mut sheet = Sheet::probe(reader, preset);
        let doing = (deed.describe)(&mut sheet, ground);
        let first = sheet.first.take();
        let ruling = match doing.map(|doing| doing.act()) {
            None if sheet.form.whole_fault().is_some() => {
                Some(Err(sheet.form.whole_fault().unwrap_or_default().to_owned()))
            }
            None => None,
            Some(None) => match stand_in(deed) {
                Some(act) => ruling(trial, &act),
                None => Some(Ok(())),
            },
            Some(Some(act)) => ruling(trial, &act),
        };
        (ruling, first)
    };
    let (mut best, first) = ask(None);
    let Some((name, values)) = first else { return best };
    for value in values.iter().skip(1).take(8) {
        if matches!(best, Some(Ok(()))) {
            break;
        }
        let (other, _) = ask(Some((&name, value)));
        best = other.or(best);
    }
    best
}

/// What the rules are asked about, for texts that are written first and leave by another deed.
fn stand_in(deed: &Deed) -> Option<Act> {
    let text = Digest::of("probe");
    match deed.name {
        "question" => Some(Act::Ask { id: "probe".parse().ok()?, text, until: Moment(i64::MAX / 4) }),
        "correction" => Some(Act::Correct { statement: text, correction: text }),
        "words-to-employees" => Some(Act::TellEmployees { text, names_customer: false }),
        _ => None,
    }
}

fn ruling(trial: &Trial<'_>, act: &Act) -> Ruled {
    match trial.of(act) {
        Ok(()) => Some(Ok(())),
        Err(Error::Refused(refusal)) if OF_WHAT_IS_TYPED.contains(&refusal.rule) => Some(Ok(())),
        Err(Error::Refused(refusal)) => Some(Err(refusal.mend)),
        // A role that is not for it: it is not even said.
        Err(_) => None,
    }
}

fn offers(entered: &Entered, trial: &Trial<'_>, ground: &Ground<'_>, place: Place) -> Vec<Offer> {
    let here = DEEDS.iter().filter(|deed| deed.place == place);
    let mut offers: Vec<Offer> = here
        .filter_map(|deed| {
            let open = is_open(deed, trial, ground, &entered.reader)?;
            let address = format!("{}/do/{}", entered.base(), deed.name);
            Some(Offer { address, title: deed.title, grave: deed.grave, why_not: open.err() })
        })
        .collect();
    offers.sort_by_key(|offer| offer.why_not.is_some());
    offers
}

// ---- what surrounds every page of a case ----------------------------------------------------------------------------

/// The head of a case's pages.
struct Head {
    base: String,
    id: String,
    customer: String,
    clause: String,
    policy: String,
    phase: &'static str,
    badge: &'static str,
    accounts: Vec<String>,
    tabs: Vec<(String, &'static str, bool)>,
    offers: Vec<Offer>,
    purpose: String,
    locked: bool,
    opened: String,
}

const TABS: [(&str, &str); 6] = [
    ("", "Where it stands"),
    ("/evidence", "Evidence"),
    ("/proof", "Steps and proof"),
    ("/decisions", "Decisions"),
    ("/after", "What follows"),
    ("/record", "Record"),
];

impl Head {
    fn of(entered: &Entered, tab: &str, offers: Vec<Offer>) -> Self {
        let File { case, law, .. } = &entered.file;
        let (phase, badge) = match &case.phase {
            Phase::Open => ("open", "own"),
            Phase::Closed => ("closed", ""),
            Phase::Merged(_) => ("goes on in another case", ""),
        };
        let base = entered.base();
        Self {
            id: case.id.to_string(),
            customer: case.opening.customer.to_string(),
            clause: law.title.clone(),
            policy: law.id.clone(),
            phase,
            badge,
            accounts: case.accounts.iter().map(ToString::to_string).collect(),
            tabs: TABS.iter().map(|(end, name)| (format!("{base}{end}"), *name, *end == tab)).collect(),
            offers,
            purpose: entered.purpose.clone(),
            locked: entered.session.unlocked().is_none(),
            opened: case.opened.day(),
            base,
        }
    }

    fn open(&self) -> Vec<&Offer> {
        self.offers.iter().filter(|offer| offer.why_not.is_none()).collect()
    }

    fn shut(&self) -> Vec<(&'static str, &str)> {
        self.offers.iter().filter_map(|offer| Some((offer.title, offer.why_not.as_deref()?))).collect()
    }
}

/// A private text, as it is shown.
struct Words {
    digest: String,
    says: Option<String>,
    sealed: String,
}

fn words(read: &BTreeMap<Text, Sealed>, text: &Text) -> Words {
    let says = match read.get(text) {
        Some(Sealed::Opened(bytes)) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    };
    let sealed = match read.get(text) {
        Some(Sealed::To { confined: true, .. }) => "confined to roles that you do not have in this case".to_owned(),
        Some(Sealed::To { people: 1, .. }) => "sealed to one key".to_owned(),
        Some(Sealed::To { people, .. }) => format!("sealed to {people} keys"),
        _ => "not kept here".to_owned(),
    };
    Words { digest: short(text), says, sealed }
}

// ---- where it stands ------------------------------------------------------------------------------------------------

struct PersonRow {
    person: String,
    roles: String,
    declared: &'static str,
    badge: &'static str,
    near: bool,
    hands: usize,
}

/// A question that went up.
struct EscalationView {
    asks: String,
    reason: Words,
    answer: Option<(String, Words)>,
}

/// The texts of what is put off, and of what went up.
fn texts_of_story(case: &review::case::Case) -> BTreeSet<Text> {
    let mut texts: BTreeSet<Text> = case.held.iter().map(|held| held.reason).collect();
    for one in &case.escalations {
        texts.insert(one.reason);
        texts.extend(one.answer.as_ref().map(|(.., text)| *text));
    }
    texts
}

fn escalation(read: &BTreeMap<Text, Sealed>, one: &review::case::Escalated) -> EscalationView {
    EscalationView {
        asks: format!("{} asked {} on {}", one.by, one.to.name().replace('-', " "), one.at.day()),
        reason: words(read, &one.reason),
        answer: one.answer.as_ref().map(|(by, at, text)| (format!("{by}, {}", at.day()), words(read, text))),
    }
}

#[derive(Template)]
#[template(path = "console/story.html")]
struct StoryPage {
    frame: Frame,
    head: Head,
    story: String,
    waits: Vec<(String, String, bool, Option<Chip>)>,
    clocks: Vec<Chip>,
    sources: Vec<(String, String)>,
    people: Vec<PersonRow>,
    contacts: Vec<(String, String, String)>,
    /// Until when it is put off, and why.
    held: Option<(String, Words)>,
    escalations: Vec<EscalationView>,
    in_force: Vec<String>,
}

fn people(entered: &Entered, trial: &Trial<'_>) -> Vec<PersonRow> {
    let case = &entered.file.case;
    let row = |(person, part): (&PersonId, &review::case::Part)| {
        let roles: Vec<&str> = part.roles.iter().map(|role| role.name()).collect();
        let (declared, badge) = match (part.released, part.declared) {
            (true, _) => ("released", ""),
            (_, None) => ("has not declared", "warn"),
            (_, Some(None)) => ("no conflict", "good"),
            (_, Some(Some(_))) => ("conflict", "bad"),
        };
        PersonRow {
            person: person.to_string(),
            roles: roles.join(", "),
            declared,
            badge,
            near: trial.roster().closeness(person, &case.opening.customer).is_some(),
            hands: part.hands.len(),
        }
    };
    case.parts.iter().map(row).collect()
}

fn source(source: &Source) -> (String, String) {
    match source {
        Source::Finding { finding, score_db, .. } => {
            let score = score_db.map(|score| format!(" of {score} dB")).unwrap_or_default();
            (format!("A finding{score}"), short(finding))
        }
        Source::Report { report } => ("A report".to_owned(), report.to_string()),
    }
}

pub(super) async fn story(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    Path(id): Path<CaseId>,
) -> Result<Response, Problem> {
    let entered = entered!(desk, session, reader, &id);
    let read = entered.read(texts_of_story(&entered.file.case)).await?;
    let trial = entered.trial().await?;
    let offers = offers(&entered, &trial, &entered.ground(&trial, &read), Place::People);
    let (File { case, law, .. }, now) = (&entered.file, entered.now);
    let waits = waits(case, &law.procedure).into_iter().filter(|wait| wait.from <= now).map(|wait| {
        let yours = wait.is_for(entered.session.person(), case, now);
        let whose = match &wait.turn {
            Turn::Of(role, _) => format!("a {}", role.name().replace('-', " ")),
            Turn::Person(person) => person.to_string(),
            Turn::Customer => "the customer".to_owned(),
        };
        (wait.what, whose, yours, wait.due.map(|due| Chip::due("", due, None, now)))
    });
    let contacts =
        case.contacts.iter().map(|(from, with, at)| (contact_words(*from).to_owned(), with.to_string(), at.day()));
    let page_ = StoryPage {
        frame: entered.desk.frame(&entered.session, &entered.reader, case.id.as_str()),
        head: Head::of(&entered, "", offers),
        story: told(&entered.file, now),
        waits: waits.collect(),
        clocks: clocks(case, &law.procedure)
            .iter()
            .map(|clock| Chip::due(&clock.what, clock.due, clock.done, now))
            .collect(),
        sources: case.sources.iter().map(source).collect(),
        people: people(&entered, &trial),
        contacts: contacts.collect(),
        held: case.held(now).map(|held| (held.until.day(), words(&read, &held.reason))),
        escalations: case.escalations.iter().rev().map(|one| escalation(&read, one)).collect(),
        in_force: case.in_force(now).map(|(id, target)| format!("{} (by {id})", target_words(target))).collect(),
    };
    page(&page_)
}

// ---- evidence -------------------------------------------------------------------------------------------------------

struct ItemRow {
    id: String,
    basis: &'static str,
    origin: String,
    anonymous: bool,
    about: Vec<String>,
    words: Words,
    explains: Option<String>,
    custody: Vec<String>,
}

#[derive(Template)]
#[template(path = "console/evidence.html")]
struct EvidencePage {
    frame: Frame,
    head: Head,
    items: Vec<ItemRow>,
    /// Cases like it that ended otherwise.
    alike: Vec<Alike>,
    /// Of the button that encrypts anew.
    form: Form,
}

/// A case like this one in which something was not established: by its name alone, whoever it was about.
struct Alike {
    id: String,
    address: String,
    score: String,
    shared: String,
    not_established: String,
    closed: String,
}

/// So many of them are shown.
const ALIKE_MAX: usize = 5;

async fn alike(entered: &Entered) -> Result<Vec<Alike>, Problem> {
    let (clerk, case) = (&entered.desk.pages.clerk, &entered.file.case);
    let lines = clerk.cleared_like(entered.session.who(), &case.id, ALIKE_MAX, entered.now).await?;
    let own = Line::of(&entered.file).families;
    let row = |line: &Arc<Line>| {
        let shared: Vec<&str> = line.families.intersection(&own).map(|family| family.name()).collect();
        Alike {
            id: line.id.to_string(),
            address: format!("/console/cases/{}/proof", escaped(line.id.as_str())),
            score: line.score.map(|score| score.to_string()).unwrap_or_default(),
            shared: shared.join(", "),
            not_established: line.not_established.join("; "),
            closed: line.last.day(),
        }
    };
    Ok(lines.iter().map(row).collect())
}

/// Who did something, in words.
fn actor(by: &Actor) -> String {
    match by {
        Actor::Person(person) => person.to_string(),
        Actor::Customer => "the customer".to_owned(),
        Actor::System => "Tribune".to_owned(),
    }
}

pub(super) async fn evidence(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    Path(id): Path<CaseId>,
) -> Result<Response, Problem> {
    let entered = entered!(desk, session, reader, &id);
    let case = &entered.file.case;
    let read = entered.read(case.evidence.values().map(|item| item.digest).collect()).await?;
    let trial = entered.trial().await?;
    let offers = offers(&entered, &trial, &entered.ground(&trial, &read), Place::Evidence);
    let row = |item: &review::act::Item| {
        let mut words = words(&read, &item.digest);
        let explains = words.says.as_ref().filter(|_| item.basis == Basis::Meters);
        let explains = explains.and_then(|says| Explanation::read(says.as_bytes()).ok());
        let explains =
            explains.map(|_| format!("{}/explanation/{}", entered.base(), escaped(&item.digest.to_string())));
        if explains.is_some() {
            words.says = None;
            words.sealed = "an explanation, drawn on its own page".to_owned();
        }
        let about = item.about.iter().map(|(account, service)| match service {
            Some(service) => format!("{account} · {service}"),
            None => format!("{account}, all of it"),
        });
        let custody = case.custody.iter().filter(|(id, ..)| *id == item.id);
        ItemRow {
            id: item.id.to_string(),
            basis: item.basis.words(),
            origin: item.origin.to_string(),
            anonymous: item.anonymous,
            about: about.collect(),
            words,
            explains,
            custody: custody.map(|(_, by, at)| format!("{} on {}", actor(by), at.day())).collect(),
        }
    };
    let items = case.evidence.values().map(row).collect();
    let frame = entered.desk.frame(&entered.session, &entered.reader, case.id.as_str());
    let form = entered.desk.form(&entered.session);
    let alike = alike(&entered).await?;
    page(&EvidencePage { frame, head: Head::of(&entered, "/evidence", offers), items, alike, form })
}

#[derive(Template)]
#[template(path = "console/explanation.html")]
struct ExplanationPage {
    frame: Frame,
    back: String,
    drawing: Drawing,
}

pub(super) async fn explanation(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    Path((id, text)): Path<(CaseId, Text)>,
) -> Result<Response, Problem> {
    let entered = entered!(desk, session, reader, &id);
    let case = &entered.file.case;
    if !case.evidence.values().any(|item| item.digest == text) {
        return Err(Problem::missing());
    }
    let read = entered.read(BTreeSet::from([text])).await?;
    let wrong = |says: &str| Problem::wrong(StatusCode::FORBIDDEN, says);
    let bytes = match read.get(&text) {
        Some(Sealed::Opened(bytes)) => bytes,
        _ => return Err(wrong("it is sealed to those with a part in the case: unlock your own key under “Your keys”")),
    };
    let explanation =
        Explanation::read(bytes).map_err(|why| Problem::wrong(StatusCode::UNPROCESSABLE_ENTITY, why.to_string()))?;
    let score = explanation.explanation.policies.first().map(|judged| judged.finding.score_db);
    let opened = score.map(|score| OpenedAt { at: case.opened.day(), score });
    let frame = entered.desk.frame(&entered.session, &entered.reader, &format!("{}: explanation", case.id));
    let drawing = Drawing::new(explanation.explanation, opened, Some(explanation.records.digest));
    page(&ExplanationPage { frame, back: format!("{}/evidence", entered.base()), drawing })
}

// ---- steps and proof ------------------------------------------------------------------------------------------------

struct StepRow {
    title: String,
    by: &'static str,
    chip: Chip,
}

struct AnswerRow {
    element: String,
    answer: &'static str,
    badge: &'static str,
    standard: String,
    evidence: String,
    reasons: Words,
}

struct DeterminationView {
    place: usize,
    by: String,
    at: String,
    stands: bool,
    answers: Vec<AnswerRow>,
    view: Words,
    dissents: Vec<(String, Words)>,
}

#[derive(Template)]
#[template(path = "console/proof.html")]
struct ProofPage {
    frame: Frame,
    head: Head,
    steps: Vec<StepRow>,
    drafts: Vec<(String, bool, Words)>,
    questions: Vec<(String, Chip, Option<Option<Words>>)>,
    waived: Vec<String>,
    determinations: Vec<DeterminationView>,
    elements: Vec<(String, String)>,
}

fn texts_of_proof(file: &File, drafts: &[DraftText]) -> BTreeSet<Text> {
    let case = &file.case;
    let mut texts: BTreeSet<Text> = drafts.iter().map(|draft| draft.text).collect();
    texts.extend(case.questions.values().filter_map(|question| question.answer.flatten()));
    for one in &case.determinations {
        texts.insert(one.determination.view);
        texts.extend(one.determination.elements.values().map(|answer| answer.reasons));
        texts.extend(one.dissents.values().copied());
    }
    texts
}

fn determination(file: &File, read: &BTreeMap<Text, Sealed>, place: usize) -> Option<DeterminationView> {
    let one = file.case.determinations.get(place)?;
    let answers = file.law.procedure.elements.iter().filter_map(|element| {
        let said = one.determination.elements.get(&element.id)?;
        let evidence: Vec<&str> = said.evidence.iter().map(|id| id.as_str()).collect();
        let answer = answer_words(said.answer);
        let badge = if answer == "Established" { "good" } else { "" };
        let element = format!("{}: {}", element.id, element.title);
        let (standard, reasons) = (said.standard.to_string(), words(read, &said.reasons));
        Some(AnswerRow { element, answer, badge, standard, evidence: evidence.join(", "), reasons })
    });
    Some(DeterminationView {
        place,
        by: one.by.to_string(),
        at: one.at.day(),
        stands: one.superseded_by.is_none(),
        answers: answers.collect(),
        view: words(read, &one.determination.view),
        dissents: one.dissents.iter().map(|(person, text)| (person.to_string(), words(read, text))).collect(),
    })
}

fn drafts(entered: &Entered, read: &BTreeMap<Text, Sealed>) -> Vec<(String, bool, Words)> {
    let row = |draft: &DraftText| {
        let what = match &draft.of {
            DraftOf::Question => "question to the customer".to_owned(),
            DraftOf::Statement { decision, .. } => format!("statement of {decision}, for the customer"),
            DraftOf::Public { decision } => format!("statement of {decision}, for the public"),
            DraftOf::Correction => "correction".to_owned(),
            DraftOf::Employees => "what employees are told".to_owned(),
        };
        let what = format!("{what}, by {} on {}", draft.by, draft.at.day());
        (what, entered.file.case.safe.contains_key(&draft.text), words(read, &draft.text))
    };
    entered.drafts.iter().map(row).collect()
}

pub(super) async fn proof(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    Path(id): Path<CaseId>,
) -> Result<Response, Problem> {
    let entered = entered!(desk, session, reader, &id);
    let (File { case, law, .. }, now) = (&entered.file, entered.now);
    let read = entered.read(texts_of_proof(&entered.file, &entered.drafts)).await?;
    let trial = entered.trial().await?;
    let offers = offers(&entered, &trial, &entered.ground(&trial, &read), Place::Proof);
    let steps = law.procedure.steps.iter().map(|step| StepRow {
        title: step.title.clone(),
        by: step.by.name(),
        chip: Chip::due("", case.opened.plus_days(step.due_days), case.steps.get(&step.id).copied(), now),
    });
    let questions = case.questions.iter().map(|(id, question)| {
        let chip = Chip::due("", question.until, question.answer.map(|_| question.until), now);
        (id.to_string(), chip, question.answer.map(|answer| answer.map(|text| words(&read, &text))))
    });
    let places = (0..case.determinations.len()).rev();
    let page_ = ProofPage {
        frame: entered.desk.frame(&entered.session, &entered.reader, case.id.as_str()),
        steps: steps.collect(),
        drafts: drafts(&entered, &read),
        questions: questions.collect(),
        waived: case.hearing_waived.iter().map(ToString::to_string).collect(),
        determinations: places.filter_map(|place| determination(&entered.file, &read, place)).collect(),
        elements: law.procedure.elements.iter().map(|one| (one.id.to_string(), one.title.clone())).collect(),
        head: Head::of(&entered, "/proof", offers),
    };
    page(&page_)
}

// ---- decisions ------------------------------------------------------------------------------------------------------

/// A line of two lists, side by side.
struct Side {
    before: Option<String>,
    now: Option<String>,
}

struct DecisionView {
    id: String,
    what: String,
    standing: &'static str,
    badge: &'static str,
    by: String,
    proposed: String,
    emergency: bool,
    targets: Vec<String>,
    reasons: Vec<(&'static str, Words)>,
    root: String,
    digest: String,
    approvals: Vec<(String, String)>,
    refusals: Vec<(String, Words)>,
    needed: usize,
    ends: String,
    review: String,
    served: String,
    effect: String,
    checks: Vec<Chip>,
    task: Option<Chip>,
    against: String,
    difference: Vec<Side>,
    /// What stops and what keeps running, by the newest preview.
    preview: Option<PreviewView>,
    /// What the days after its effect showed, each time that was looked at.
    compared: Vec<String>,
    links: Vec<(String, &'static str, bool)>,
}

#[derive(Template)]
#[template(path = "console/decisions.html")]
struct DecisionsPage {
    frame: Frame,
    head: Head,
    decisions: Vec<DecisionView>,
}

/// A preview: what is aimed at, line by line, and what goes on, as far as a page holds it.
struct PreviewView {
    says: String,
    aimed: Vec<UseRow>,
    goes_on: Vec<UseRow>,
    more: usize,
    idle: Vec<String>,
}

/// One kind of use.
struct UseRow {
    fate: &'static str,
    badge: &'static str,
    account: String,
    what: String,
    region: String,
    quantity: String,
    days: u16,
}

/// How much, with its unit; exactly, what a person can read at a glance.
fn quantity(line: &metered::Line) -> String {
    let (value, unit) = (line.quantity as f64, metered::unit(&line.operation));
    match unit {
        Some("bytes") => crate::plain::bytes(value),
        Some("byte-hours") => format!("{} for an hour", crate::plain::bytes(value)),
        _ => format!("{} {}", crate::plain::count(value), unit.unwrap_or_default()),
    }
}

/// So many lines of a preview stand on the page; the shell shows all of them.
const USE_ROWS_MAX: usize = 60;

fn preview(file: &File, id: &DecisionId, decided: &review::case::Decided) -> Option<PreviewView> {
    let seen = decided.previews.last()?;
    let (metered, targets) = (&seen.metered, &decided.decision.targets);
    let window = file.case.has_window(id, seen.at, &file.law.procedure);
    let row = |(line, fate): (&metered::Line, Fate)| UseRow {
        fate: fate.words(),
        badge: match fate {
            Fate::Stops | Fate::StopsLater => "bad",
            Fate::Beyond => "warn",
            Fate::GoesOn => "own",
        },
        account: line.account.to_string(),
        what: format!("{} · {}", line.service, line.operation),
        region: line.region.as_ref().map(ToString::to_string).unwrap_or_default(),
        quantity: quantity(line),
        days: line.days,
    };
    let (goes_on, mut aimed): (Vec<_>, Vec<_>) =
        metered.under(targets, window).partition(|(_, fate)| *fate == Fate::GoesOn);
    aimed.sort_by_key(|(line, fate)| (*fate, std::cmp::Reverse(line.quantity)));
    let shown = |lines: Vec<(&metered::Line, Fate)>| lines.into_iter().take(USE_ROWS_MAX).map(row).collect::<Vec<_>>();
    let more = goes_on.len().saturating_sub(USE_ROWS_MAX) + aimed.len().saturating_sub(USE_ROWS_MAX);
    let Forecast { stops, beyond, goes_on: on } = metered.forecast(targets);
    let (from, to) = (metered.from.day(), Moment(metered.to.0 - 1).day());
    Some(PreviewView {
        says: format!(
            "By the usage of {} accounts from {from} to {to}: {stops} kinds of use stop, {beyond} are aimed at and no gate \
             reaches them, {on} go on.",
            metered.accounts.len()
        ),
        aimed: shown(aimed),
        goes_on: shown(goes_on),
        more,
        idle: metered.idle(targets).map(target_words).collect(),
    })
}

/// What the days after showed, in a sentence.
fn compared((at, compared): &(Moment, Compared)) -> String {
    let Compared { stopped, still, as_before, less } = compared;
    format!(
        "{}: of what was to stop, {stopped} kinds of use are at zero and {still} are not; of what was to go on, {as_before} \
         are there as before and {less} are at less than half.",
        at.day()
    )
}

fn standing(of: Standing) -> (&'static str, &'static str) {
    match of {
        Standing::Proposed => ("before those who decide", "warn"),
        Standing::Approved => ("approved", "own"),
        Standing::Refused => ("refused", ""),
        Standing::InEffect => ("in effect", "bad"),
        Standing::Over => ("over", ""),
    }
}

/// The decision that was approved before this one, if any: what is new is held against it.
fn before<'a>(file: &'a File, id: &DecisionId) -> Option<(&'a DecisionId, &'a review::case::Decided)> {
    let own = file.case.decisions.get(id)?;
    let approved = |one: &review::case::Decided| one.approvals.len() >= file.law.procedure.approvals;
    let others =
        file.case.decisions.iter().filter(|(other, one)| *other != id && approved(one) && one.proposed <= own.proposed);
    others.max_by_key(|(_, one)| one.proposed)
}

fn difference(before: &[review::words::Target], now: &[review::words::Target]) -> Vec<Side> {
    let (before, now): (BTreeSet<_>, BTreeSet<_>) = (before.iter().collect(), now.iter().collect());
    let all: BTreeSet<_> = before.union(&now).copied().collect();
    let side = |one| Side {
        before: before.contains(one).then(|| target_words(one)),
        now: now.contains(one).then(|| target_words(one)),
    };
    all.into_iter().map(side).collect()
}

fn decision(entered: &Entered, trial: &Trial<'_>, ground: &Ground<'_>, id: &DecisionId) -> Option<DecisionView> {
    let (file, now) = (&entered.file, entered.now);
    let decided = file.case.decisions.get(id)?;
    let decision = &decided.decision;
    let (digest, root) = file.case.sealed(id)?;
    let (standing, badge) = standing(decided.standing);
    let read = ground.read;
    let earlier = before(file, id);
    let checks = decided.effect.into_iter().flat_map(|effect| {
        review::case::CHECK_DAYS.map(|days| {
            let done = decided.checks.get(&days).copied();
            Chip::due(&format!("{days} days"), effect.plus_days(i64::from(days)), done, now)
        })
    });
    let checks = checks.filter(|_| matches!(decided.standing, Standing::InEffect)).collect();
    let day = |at: Option<Moment>| at.map(Moment::day).unwrap_or_default();
    let links = ["approve", "refuse", "statement", "effect", "lift", "entrust", "attest", "run-out"].iter().filter_map(
        |name| {
            let deed = deeds::of_name(name)?;
            let mut sheet = Sheet::probe(&entered.reader, Some(("decision", id.as_str())));
            let act = (deed.describe)(&mut sheet, ground)?.act();
            let open = act.is_none_or(|act| matches!(ruling(trial, &act), Some(Ok(()))));
            let address = format!("{}/do/{name}?decision={}", entered.base(), escaped(id.as_str()));
            open.then_some((address, deed.title, deed.grave))
        },
    );
    Some(DecisionView {
        id: id.to_string(),
        what: order_words(file, decided),
        standing,
        badge,
        by: decided.by.to_string(),
        proposed: decided.proposed.day(),
        emergency: decision.emergency,
        targets: decision
            .targets
            .iter()
            .map(|target| {
                let off = if decided.in_force.contains(target) { " · switched off now" } else { "" };
                format!("{}{off}", target_words(target))
            })
            .collect(),
        reasons: decision
            .reasons
            .iter()
            .map(|(switch, text)| (deeds::switch_words(*switch), words(read, text)))
            .collect(),
        root: root.to_string(),
        digest: digest.to_string(),
        approvals: decided
            .approvals
            .iter()
            .map(|(person, approval)| {
                let form = match approval.form {
                    review::roster::KeyForm::Ssh => "with a key of their own machine",
                    review::roster::KeyForm::Passphrase => "with a key that a passphrase opens here, the weaker form",
                };
                (person.to_string(), form.to_owned())
            })
            .collect(),
        refusals: decided.refusals.iter().map(|(person, text)| (person.to_string(), words(read, text))).collect(),
        needed: file.law.procedure.approvals,
        ends: day(decided.ends),
        review: day(decision.review),
        served: day(decided.notice.map(|notice| notice.at)),
        effect: day(decided.effect),
        checks,
        task: decided
            .task
            .as_ref()
            .map(|task| Chip::due(&format!("{} ends what people do", task.of), task.due, task.attested, now)),
        against: earlier.map(|(id, _)| id.to_string()).unwrap_or_default(),
        difference: earlier.map(|(_, one)| difference(&one.decision.targets, &decision.targets)).unwrap_or_default(),
        preview: preview(file, id, decided),
        compared: decided.compared.iter().map(compared).collect(),
        links: links.collect(),
    })
}

pub(super) async fn decisions(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    Path(id): Path<CaseId>,
) -> Result<Response, Problem> {
    let entered = entered!(desk, session, reader, &id);
    let case = &entered.file.case;
    let mut texts: BTreeSet<Text> = entered.drafts.iter().map(|draft| draft.text).collect();
    for decided in case.decisions.values() {
        texts.extend(decided.decision.reasons.values().chain(decided.refusals.values()).copied());
    }
    let read = entered.read(texts).await?;
    let trial = entered.trial().await?;
    let ground = entered.ground(&trial, &read);
    let offers = offers(&entered, &trial, &ground, Place::Decisions);
    let mut newest: Vec<_> = case.decisions.iter().collect();
    newest.sort_by_key(|(_, decided)| std::cmp::Reverse(decided.proposed));
    let decisions = newest.into_iter().filter_map(|(id, _)| decision(&entered, &trial, &ground, id)).collect();
    let frame = entered.desk.frame(&entered.session, &entered.reader, case.id.as_str());
    page(&DecisionsPage { frame, head: Head::of(&entered, "/decisions", offers), decisions })
}

// ---- what follows ---------------------------------------------------------------------------------------------------

/// A text with its name.
type Said = (&'static str, Words);

#[derive(Template)]
#[template(path = "console/after.html")]
struct AfterPage {
    frame: Frame,
    head: Head,
    leaving: Vec<(Chip, String, Vec<String>)>,
    follow_ups: Vec<(String, bool)>,
    appeals: Vec<(String, String, Chip, String, Vec<String>)>,
    naming: Vec<String>,
    corrections: Vec<(String, String)>,
    closings: Vec<(String, String, Vec<Said>)>,
}

pub(super) async fn after(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    Path(id): Path<CaseId>,
) -> Result<Response, Problem> {
    let entered = entered!(desk, session, reader, &id);
    let (case, now) = (&entered.file.case, entered.now);
    let mut texts: BTreeSet<Text> = entered.drafts.iter().map(|draft| draft.text).collect();
    texts.extend(case.closings.iter().flat_map(|(_, _, end)| [end.remedy, end.consulted, end.lesson]));
    let read = entered.read(texts).await?;
    let trial = entered.trial().await?;
    let offers = offers(&entered, &trial, &entered.ground(&trial, &read), Place::After);
    let leaving = case.leaving.iter().map(|noted| {
        let due = noted.noted.plus_hours(review::case::LEAVING_HOURS);
        let choice = noted.choice.as_ref().map(leaving_words).unwrap_or("two are to say the same");
        let votes = noted.votes.iter().map(|(person, vote)| format!("{person}: {}", leaving_words(vote)));
        (Chip::due("", due, noted.decided, now), choice.to_owned(), votes.collect())
    });
    let appeals = case.appeals.iter().map(|(id, one)| {
        let outcome = one.outcome.map(outcome_words).unwrap_or("being heard").to_owned();
        let late = if one.in_time { "" } else { ", late" };
        let votes = one.votes.iter().map(|(person, vote)| format!("{person}: {}", outcome_words(*vote)));
        let chip = Chip::due("", one.filed.plus_days(30), one.decided, now);
        (
            id.to_string(),
            format!("{}, by {} on {}{late}", one.decision, actor(&one.by), one.filed.day()),
            chip,
            outcome,
            votes.collect(),
        )
    });
    let closings = case.closings.iter().rev().map(|(at, by, end)| {
        let texts = [("Remedy", end.remedy), ("Consulted", end.consulted), ("Lesson", end.lesson)];
        (at.day(), by.to_string(), texts.iter().map(|(name, text)| (*name, words(&read, text))).collect())
    });
    let page_ = AfterPage {
        frame: entered.desk.frame(&entered.session, &entered.reader, case.id.as_str()),
        leaving: leaving.collect(),
        follow_ups: case.follow_ups.iter().map(|(id, settled)| (id.to_string(), *settled)).collect(),
        appeals: appeals.collect(),
        naming: case.naming.iter().map(ToString::to_string).collect(),
        corrections: case.corrections.iter().map(|(old, new)| (short(old), short(new))).collect(),
        closings: closings.collect(),
        head: Head::of(&entered, "/after", offers),
    };
    page(&page_)
}

// ---- doing ----------------------------------------------------------------------------------------------------------

#[derive(Template)]
#[template(path = "console/deed.html")]
struct DeedPage {
    frame: Frame,
    form: Form,
    fields: Vec<Drawn>,
    title: &'static str,
    says: &'static str,
    action: String,
    back: String,
    back_to: String,
    version: u64,
    /// What happened since the form was shown.
    changes: Vec<String>,
    /// A rule that is against it whatever is typed.
    against: String,
    /// Where to confirm who one is, if that is wanted first.
    step_up: String,
    grave: bool,
}

fn place_address(place: Place) -> &'static str {
    match place {
        Place::People => "",
        Place::Evidence => "/evidence",
        Place::Proof => "/proof",
        Place::Decisions => "/decisions",
        Place::After => "/after",
    }
}

impl DeedPage {
    fn new(entered: &Entered, deed: &Deed, sheet: Sheet<'_>) -> Self {
        let case = &entered.file.case;
        Self {
            frame: entered.desk.frame(&entered.session, &entered.reader, deed.title),
            form: sheet.form,
            fields: sheet.fields,
            title: deed.title,
            says: deed.says,
            action: format!("{}/do/{}", entered.base(), deed.name),
            back: format!("{}{}", entered.base(), place_address(deed.place)),
            back_to: case.id.to_string(),
            version: case.version,
            changes: Vec::new(),
            against: String::new(),
            step_up: if needs_step_up(entered, deed) { step_up_address(entered, deed) } else { String::new() },
            grave: deed.grave,
        }
    }
}

/// Whether somebody confirms first who they are: whoever approves does.
fn needs_step_up(entered: &Entered, deed: &Deed) -> bool {
    deed.name == "approve" && !entered.session.is_fresh()
}

fn step_up_address(entered: &Entered, deed: &Deed) -> String {
    let query = entered.reader.with(&[]);
    let query = query.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
    format!("/step-up?next={}", escaped(&format!("{}/do/{}{query}", entered.base(), deed.name)))
}

/// The private texts that a deed's form shows or works with.
fn texts_for(entered: &Entered, deed: &Deed) -> BTreeSet<Text> {
    let drafts = entered.drafts.iter().map(|draft| draft.text);
    match deed.name {
        "confirm" | "ask" | "serve" | "correct" | "tell-employees" => drafts.collect(),
        "respond" => entered.file.case.escalated().map(|one| one.reason).collect(),
        "statement" => {
            entered.file.case.decisions.values().flat_map(|one| one.decision.reasons.values().copied()).collect()
        }
        _ => BTreeSet::new(),
    }
}

pub(super) async fn deed_form(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    Path((id, name)): Path<(CaseId, String)>,
) -> Result<Response, Problem> {
    let deed = deeds::of_name(&name).ok_or_else(Problem::missing)?;
    let entered = entered!(desk, session, reader, &id);
    if needs_step_up(&entered, deed) {
        return Ok(see(&step_up_address(&entered, deed)));
    }
    let read = entered.read(texts_for(&entered, deed)).await?;
    let trial = entered.trial().await?;
    let ground = entered.ground(&trial, &read);
    let mut sheet = Sheet::new(entered.desk.form(&entered.session), Run::Show, &entered.reader);
    (deed.describe)(&mut sheet, &ground);
    let against = is_open(deed, &trial, &ground, &entered.reader);
    let mut page_ = DeedPage::new(&entered, deed, sheet);
    page_.against = match against {
        Some(Ok(())) => String::new(),
        Some(Err(why)) => why,
        None => "It is not open to you, or there is nothing it could be about.".to_owned(),
    };
    page(&page_)
}

pub(super) async fn deed(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    Path((id, name)): Path<(CaseId, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let deed = deeds::of_name(&name).ok_or_else(Problem::missing)?;
    let (form, command) = desk.posted(&session, &posted)?;
    let entered = entered!(desk, session, reader, &id);
    let back = format!("{}{}", entered.base(), place_address(deed.place));
    if entered.file.case.done.contains(&command) {
        return Ok(see(&back));
    }
    let read = entered.read(texts_for(&entered, deed)).await?;
    let trial = entered.trial().await?;
    let ground = entered.ground(&trial, &read);
    let mut sheet = Sheet::new(form, Run::Read(&posted), &entered.reader);
    let doing = (deed.describe)(&mut sheet, &ground).filter(|_| sheet.form.is_good());
    let version: u64 = posted.get("version").parse().unwrap_or(0);
    let stale = version != entered.file.case.version;
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    if needs_step_up(&entered, deed) {
        sheet.form.refuse_all("It must be you, now: confirm who you are, and send it again.");
    }
    let doing = doing.filter(|_| sheet.form.is_good());
    if let Some(doing) = doing.filter(|_| !stale) {
        let sent = Sent { id: command, at: entered.now, by: entered.session.sender() };
        match carry_out(&entered, &trial, &sent, version, doing, &sheet.texts).await {
            Ok(true) => return Ok(see(&back)),
            // Somebody was quicker, between our look and the append.
            Ok(false) => return again(&entered, deed, sheet, version).await,
            Err(error) => {
                status = StatusCode::CONFLICT;
                sheet.form.refuse_all(against(error)?);
            }
        }
    }
    if stale {
        return again(&entered, deed, sheet, version).await;
    }
    page_with(status, &DeedPage::new(&entered, deed, sheet))
}

/// The form again, with what was typed and what happened since it was shown.
async fn again(entered: &Entered, deed: &Deed, mut sheet: Sheet<'_>, version: u64) -> Result<Response, Problem> {
    let clerk = &entered.desk.pages.clerk;
    let file = clerk.look(&entered.session.sender(), &entered.file.case.id, &entered.purpose, entered.now).await?;
    let since = file.events.iter().filter(|event| event.number > version);
    let changes = since.map(|event| format!("{} {}", actor(&event.command.by), act_words(&file, &event.command.act)));
    let changes = changes.collect();
    sheet.form.renew(entered.desk.pages.command(), entered.session.csrf().to_owned());
    let mut page_ = DeedPage::new(entered, deed, sheet);
    page_.version = file.case.version;
    page_.changes = changes;
    page_with(StatusCode::CONFLICT, &page_)
}

/// Does it: the rules are asked first, then texts are kept, then it is carried out. False if the case has changed.
async fn carry_out(
    entered: &Entered,
    trial: &Trial<'_>,
    sent: &Sent,
    version: u64,
    doing: Doing,
    texts: &[(Text, String)],
) -> Result<bool, Error> {
    let (pages, case) = (&entered.desk.pages, &entered.file.case.id);
    if let Some(act) = doing.act() {
        trial.of(&act)?;
    }
    for (_, text) in texts {
        let by = Some(entered.session.person());
        pages.clerk.keep(&pages.papers, by, Some(case), &BTreeSet::new(), text.as_bytes(), sent.at).await?;
    }
    match doing {
        Doing::Sign { decision, passphrase, message, shown } => {
            let signed = entered.session.sign_with_passphrase(&passphrase, &message, shown).await;
            let approval = signed
                .map_err(|problem| Error::Wrong(problem.says.unwrap_or_else(|| "it could not be signed".to_owned())))?;
            let act = Act::Approve { decision, approval };
            Ok(pages.clerk.enact_on(sent, case, version, act).await?.is_some())
        }
        Doing::Act(act) => Ok(pages.clerk.enact_on(sent, case, version, act).await?.is_some()),
        Doing::Draft(drafts) => {
            let drafts: Vec<(DraftOf, &str)> = drafts.iter().map(|(of, text)| (of.clone(), text.as_str())).collect();
            pages.clerk.draft(&pages.papers, entered.session.who(), case, &drafts, sent.at).await?;
            Ok(true)
        }
        Doing::Serve { decision, statement, public } => {
            pages.clerk.serve(sent, case, decision, statement, &public).await?;
            Ok(true)
        }
        Doing::Correct { statement, correction } => {
            pages.clerk.correct(sent, case, statement, &correction).await?;
            Ok(true)
        }
        Doing::Tell { words, .. } => {
            pages.clerk.tell_employees(&pages.papers, sent, case, &words).await?;
            Ok(true)
        }
        Doing::Merge(other) => {
            pages.clerk.merge(sent, case, &other).await?;
            Ok(true)
        }
    }
}

pub(super) async fn rewrap(
    State(desk): Desk,
    session: Session,
    Path(id): Path<CaseId>,
    posted: Posted,
) -> Result<Response, Problem> {
    desk.posted(&session, &posted)?;
    let wrong = || Problem::wrong(StatusCode::FORBIDDEN, "unlock your own key first, under “Your keys”");
    let identity = session.unlocked().ok_or_else(wrong)?;
    let pages = &desk.pages;
    pages.clerk.rewrap(&pages.papers, session.who(), &id, &identity, desk.now()).await?;
    Ok(see(&format!("/console/cases/{}/evidence", escaped(id.as_str()))))
}
