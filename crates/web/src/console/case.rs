//! The pages of a case, and the forms of what is done there.

mod after;
mod decisions;
mod doing;
mod evidence;
mod moved;
mod proof;
mod record;

pub(super) use after::after;
pub(super) use decisions::decisions;
pub(super) use doing::{deed, deed_form, rewrap};
pub(super) use evidence::{evidence, explanation, file as evidence_file};
pub(super) use proof::proof;
pub(super) use record::{proof as event_proof, record};

use super::acts::contact_words;
use super::deeds::{DEEDS, Deed, Ground, Place, short, target_words};
use super::sheet::Sheet;
use super::story::story as told;
use super::{Chip, Console, Desk};
use crate::answer::{Problem, page, page_with, see};
use crate::form::{Form, Posted, Takes};
use crate::frame::{Frame, Reader};
use crate::kept::{LOOK_FOR, LOOK_USUAL, Typed};
use crate::portrait::MovedDrawing;
use crate::session::Session;
use crate::sign_in::escaped;
use crate::visible::filters;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use clerk::{DraftText, Error, File, Sealed, Trial};
use review::act::{Act, Source};
use review::case::Phase;
use review::clocks::clocks;
use review::rules::Rule;
use review::waits::{Awaited, Turn, waits};
use review::words::{Actor, CaseId, Digest, Moment, PersonId, Text};
use std::collections::{BTreeMap, BTreeSet};

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
    Rule::Respite,
    Rule::Bounded,
    Rule::LiftsLess,
    Rule::AsShown,
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

/// How such a form comes back: what a role is against is a denial, which is in the record as every other.
pub(super) const fn status_of(error: &Error, else_it_is: StatusCode) -> StatusCode {
    if matches!(error, Error::Denied(_)) { StatusCode::FORBIDDEN } else { else_it_is }
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
    /// What the purpose's fields are called: in their words, and the usual ones.
    names: [&'static str; 2],
    /// A form that waits for it, and goes on with the answer.
    typed: Option<Typed>,
}

/// The question what somebody looks for, before they are shown anything; where they sent a form, that goes along, and is
/// shown to them again afterwards.
pub(super) fn ask_purpose(
    desk: &Console,
    session: &Session,
    reader: &Reader,
    thing: &str,
    action: String,
    posted: Option<&Posted>,
) -> Result<Response, Problem> {
    let usual = vec![
        ("carrying it", "I work on it"),
        ("deciding in it", "I decide in it"),
        ("advising in it", "I advise in it"),
        ("taking over from somebody", "I take it over from somebody"),
    ];
    let (thing, next) = (thing.to_owned(), reader.with(&[]));
    let typed = posted.map(|posted| Typed::of(posted, false));
    let status = if typed.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    let page_ = PurposePage {
        frame: desk.frame(session, reader, "Why do you look at it?"),
        form: desk.form(session),
        thing,
        action: if typed.is_some() { reader.path.clone() } else { action },
        next,
        usual,
        names: if typed.is_some() { [LOOK_FOR, LOOK_USUAL] } else { ["purpose", "usual"] },
        typed,
    };
    page_with(status, &page_)
}

/// Notes what somebody looks for, and lets them in.
pub(super) fn note_purpose(
    desk: &Console,
    session: &Session,
    thing: &str,
    posted: &Posted,
) -> Result<Response, Problem> {
    let next = crate::sign_in::own_path(posted.get("next")).unwrap_or("/console");
    if crate::kept::is_to_be_looked_over(posted) {
        // It is asked there anew.
        return Ok(see(next));
    }
    let (mut form, _) = desk.posted(session, posted)?;
    let typed = form.read(posted, "purpose", Takes::LINE.or_nothing());
    let chosen = form.read(posted, "usual", Takes::LINE.or_nothing());
    let purpose = if typed.is_empty() { chosen } else { typed };
    if purpose.is_empty() || !form.is_good() {
        let says = "say in a line why you look at it: every look is in the record, with its purpose";
        return Err(Problem::wrong(StatusCode::UNPROCESSABLE_ENTITY, says));
    }
    desk.set_purpose(session, thing, purpose);
    Ok(see(next))
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
    posted: Option<&Posted>,
) -> Result<Result<Entered, Response>, Problem> {
    let (thing, now) = (format!("case {id}"), desk.now());
    let known = desk.purpose(&session, &thing);
    let Some(purpose) = known.or_else(|| desk.purpose_along(&session, &thing, posted?)) else {
        let action = format!("/console/cases/{}/purpose", escaped(id.as_str()));
        return ask_purpose(&desk, &session, &reader, &thing, action, posted).map(Err);
    };
    let file = desk.pages.clerk.look(&session.sender(), id, &purpose, now).await?;
    let drafts = desk.pages.clerk.drafts(&file).await?;
    Ok(Ok(Entered { desk, session, reader, file, purpose, drafts, now }))
}

/// Enters, or answers.
macro_rules! entered {
    ($desk:expr, $session:expr, $reader:expr, $id:expr $(, $posted:expr)?) => {
        match enter($desk, $session, $reader, $id, None$(.or(Some($posted)))?).await? {
            Ok(entered) => entered,
            Err(question) => return Ok(question),
        }
    };
}
use entered;

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
        Some(Sealed::Opened(bytes)) => String::from_utf8(bytes.clone()).ok(),
        _ => None,
    };
    let sealed = match read.get(text) {
        Some(Sealed::Opened(bytes)) => format!("no text, {}", crate::plain::bytes(bytes.len() as f64)),
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
    /// What was moved out since it was opened, or why that is not to be seen.
    moved: Result<MovedDrawing, &'static str>,
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
        Source::Declaration(one) => (format!("A declared use: {}", one.words()), one.declaration.to_string()),
    }
}

pub(super) async fn story(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    Path(id): Path<CaseId>,
) -> Result<Response, Problem> {
    let entered = entered!(desk, session, reader, &id);
    let mut texts = texts_of_story(&entered.file.case);
    texts.extend(moved::texts(&entered));
    let read = entered.read(texts).await?;
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
        moved: moved::moved(&entered, &read),
        in_force: case.in_force(now).map(|(id, target)| format!("{} (by {id})", target_words(target))).collect(),
    };
    page(&page_)
}

/// Who did something, in words.
fn actor(by: &Actor) -> String {
    match by {
        Actor::Person(person) => person.to_string(),
        Actor::Customer => "the customer".to_owned(),
        Actor::System => "Tribune".to_owned(),
    }
}
