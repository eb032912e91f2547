//! The console: what people of the provider's see of cases and reports, and what they do there.
//!
//! | module | what it is |
//! |---|---|
//! | `overview` | what needs me today, and what changed |
//! | `queue` | the list of cases: filters, search, order, pages, all in the address; opening a case |
//! | `case` | the pages of a case, and the forms of what is done there |
//! | `reports` | reports, for intake officers |
//! | `acts` | an act, in words |
//! | `declared` | what customers declare of their use |
//! | `deeds` | what people do in a case, each with its form |
//! | `explore` | questions to the usage records, outside of any case |
//! | `preview` | what stops and what keeps running, as pages show it |
//! | `several` | several cases at once |
//! | `sheet` | a form: drawn, read, or probed |
//! | `story` | a case in a paragraph |
//!
//! It has no rule: what is offered is asked of the clerk on trial, and what is sent is decided there. Every look at a case
//! or a report has a purpose, asked once a session, and is an event.

mod acts;
mod case;
mod declared;
mod deeds;
mod explore;
mod overview;
mod preview;
mod queue;
mod reports;
mod several;
mod sheet;
mod story;

use crate::answer::Problem;
use crate::form::{Form, Posted, Takes};
use crate::frame::{Frame, Link, Reader, SignedIn};
use crate::kept::{self, Typed};
use crate::pages::Pages;
use crate::routes::{May, Route};
use crate::session::Session;
use crate::words::Language;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use review::words::{CommandId, Moment, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Who sees the console at all: what they see there is asked again.
const STAFF: May = May::Roles(&[
    Role::IntakeOfficer,
    Role::Analyst,
    Role::Reviewer,
    Role::Expert,
    Role::Counsel,
    Role::Decider,
    Role::AppealPanel,
    Role::GateEngineer,
    Role::Auditor,
]);

/// Whether somebody with these roles sees the console.
pub(crate) fn is_for(roles: &BTreeSet<Role>) -> bool {
    matches!(STAFF, May::Roles(staff) if staff.iter().any(|role| roles.contains(role)))
}

/// Who sees reports.
const INTAKE: May = May::Roles(&[Role::IntakeOfficer, Role::Auditor]);

/// Who opens cases.
const OPENERS: May = May::Roles(&OPENING);
const OPENING: [Role; 2] = [Role::IntakeOfficer, Role::Analyst];

/// Who looks at usage.
const EXPLORERS: May = May::Roles(&[Role::Analyst, Role::Reviewer]);

/// How long a purpose holds for a session, and how many are remembered.
const PURPOSE_SECONDS: i64 = 12 * 3_600;
const PURPOSES_MAX: usize = 20_000;

/// By session and thing: what it is looked at for, and since when. A restart asks again.
#[derive(Default)]
pub(crate) struct Purposes(Mutex<BTreeMap<(String, String), (String, Moment)>>);

/// The console's view of the pages.
#[derive(Clone)]
struct Console {
    pages: Arc<Pages>,
}

impl FromRef<Arc<Pages>> for Console {
    fn from_ref(pages: &Arc<Pages>) -> Self {
        Self { pages: Arc::clone(pages) }
    }
}

pub(crate) use explore::Answers;

type Desk = State<Console>;

/// The routes of the console, each with who may.
pub(crate) fn routes() -> Vec<Route<Arc<Pages>>> {
    vec![
        Route::get("/console", STAFF, "what needs me today", overview::show),
        Route::get("/console/cases", STAFF, "the list of cases", queue::show),
        Route::post("/console/cases", STAFF, "gives a part in several cases, or puts them off", several::act),
        Route::get("/console/open", OPENERS, "the form that opens a case", queue::open_form),
        Route::post("/console/open", OPENERS, "opens a case", queue::open),
        Route::get("/console/cases/{id}", STAFF, "a case: where it stands", case::story),
        Route::get("/console/cases/{id}/evidence", STAFF, "its evidence", case::evidence),
        Route::get(
            "/console/cases/{id}/explanation/{text}",
            STAFF,
            "an explanation that is its evidence",
            case::explanation,
        ),
        Route::get(
            "/console/cases/{id}/evidence/{item}/file",
            STAFF,
            "the content of an item of evidence, as a file",
            case::evidence_file,
        ),
        Route::get("/console/cases/{id}/proof", STAFF, "its steps, hearing and determination", case::proof),
        Route::get("/console/cases/{id}/decisions", STAFF, "its decisions", case::decisions),
        Route::get("/console/cases/{id}/after", STAFF, "what follows: appeals, follow-ups, the end", case::after),
        Route::get("/console/cases/{id}/record", STAFF, "its record, event by event", case::record),
        Route::get(
            "/console/cases/{id}/record/{number}/{entry}",
            STAFF,
            "a proof to keep that an event is in the public log",
            case::event_proof,
        ),
        Route::post("/console/cases/{id}/purpose", STAFF, "says what it is looked at for", case::purpose),
        Route::post(
            "/console/cases/{id}/rewrap",
            STAFF,
            "encrypts its texts to those who may read them now",
            case::rewrap,
        ),
        Route::get("/console/cases/{id}/do/{deed}", STAFF, "the form of a deed", case::deed_form),
        Route::post("/console/cases/{id}/do/{deed}", STAFF, "does it", case::deed),
        Route::get("/console/explore", EXPLORERS, "questions to the usage records", explore::show),
        Route::get("/console/explore/workload", EXPLORERS, "the form that asks of a workload", explore::workload_form),
        Route::post("/console/explore/workload", EXPLORERS, "asks it", explore::workload),
        Route::get(
            "/console/explore/policy/{id}",
            EXPLORERS,
            "the form that tries other numbers",
            explore::policy_form,
        ),
        Route::post("/console/explore/policy/{id}", EXPLORERS, "tries them", explore::policy),
        Route::get("/console/explore/answers/{id}", EXPLORERS, "what was asked, answered", explore::answer),
        Route::get("/console/declarations", OPENERS, "what customers declare of their use", declared::list),
        Route::post("/console/declarations/purpose", OPENERS, "says what it is looked at for", declared::purpose),
        Route::get("/console/declarations/{id}", OPENERS, "a declared use, in its customer’s words", declared::show),
        Route::get("/console/reports", INTAKE, "the list of reports", reports::list),
        Route::get("/console/reports/{id}", INTAKE, "a report", reports::show),
        Route::get("/console/reports/{id}/files/{file}", INTAKE, "a file that came with it", reports::file),
        Route::post("/console/reports/{id}/purpose", INTAKE, "says what it is looked at for", reports::purpose),
        Route::post("/console/reports/{id}/do/{deed}", INTAKE, "handles it", reports::deed),
    ]
}

/// Of [`crate::pages::deeds`].
pub(crate) fn deeds() -> impl Iterator<Item = &'static str> {
    deeds::DEEDS.iter().map(|deed| deed.name)
}

impl Console {
    /// The record's time.
    fn now(&self) -> Moment {
        self.pages.now()
    }

    fn frame(&self, session: &Session, reader: &Reader, title: &str) -> Frame {
        let links = links(session.roles());
        let who = SignedIn { name: session.person().to_string(), token: session.csrf().to_owned() };
        Frame::inside(&self.pages, reader, title, links, "/console", Some(who))
    }

    /// An empty form of this session's.
    fn form(&self, session: &Session) -> Form {
        Form::new(Language::English, self.pages.command(), session.csrf().to_owned())
    }

    /// A form that was posted, if it is of this session.
    fn posted(&self, session: &Session, posted: &Posted) -> Result<(Form, CommandId), Problem> {
        if session.check_csrf(posted.get("token")).is_err() {
            let says = "this form is of an earlier session of yours, or of nobody’s here: open its page again";
            return Err(Problem::wrong(StatusCode::FORBIDDEN, says));
        }
        Form::posted(Language::English, posted)
    }

    /// The same, for a page that can show it again as it was typed: it does so where it is only to be looked over, and
    /// nothing is done then, so whose form it is does not matter.
    fn received(&self, session: &Session, posted: &Posted) -> Result<Received, Problem> {
        let over = kept::is_to_be_looked_over(posted);
        if !over {
            let (form, command) =
                self.posted(session, posted).map_err(|problem| problem.keeping(Typed::of(posted, false)))?;
            return Ok(Received { form, command, over });
        }
        let (mut form, command) = Form::posted(Language::English, posted)?;
        form.renew(form.command().to_owned(), session.csrf().to_owned());
        Ok(Received { form, command, over })
    }

    /// What a session says that it looks for along with a form.
    fn purpose_along(&self, session: &Session, thing: &str, posted: &Posted) -> Option<String> {
        session.check_csrf(posted.get("token")).ok()?;
        let said = [kept::LOOK_FOR, kept::LOOK_USUAL].map(|name| posted.get(name).trim());
        let said = said.into_iter().find(|said| !said.is_empty())?;
        let fits = said.len() <= Takes::LINE.bytes_max && !said.contains(['\n', '\r']);
        fits.then(|| self.set_purpose(session, thing, said.to_owned()))?;
        Some(said.to_owned())
    }

    /// What a session looks at something for.
    fn purpose(&self, session: &Session, thing: &str) -> Option<String> {
        let purposes = self.pages.purposes.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (purpose, since) = purposes.get(&(session.kept.id.clone(), thing.to_owned()))?;
        (self.now().0 - since.0 < PURPOSE_SECONDS).then(|| purpose.clone())
    }

    fn set_purpose(&self, session: &Session, thing: &str, purpose: String) {
        let now = self.now();
        let mut purposes = self.pages.purposes.0.lock().unwrap_or_else(PoisonError::into_inner);
        if purposes.len() >= PURPOSES_MAX {
            purposes.retain(|_, (_, since)| now.0 - since.0 < PURPOSE_SECONDS / 4);
        }
        purposes.insert((session.kept.id.clone(), thing.to_owned()), (purpose, now));
    }
}

/// A form that came.
struct Received {
    form: Form,
    command: CommandId,
    /// It is only to be shown again.
    over: bool,
}

/// A clock, as a chip.
#[derive(Clone, Debug)]
struct Chip {
    class: &'static str,
    what: String,
    when: String,
}

impl Chip {
    /// Of something that is due.
    fn due(what: &str, due: Moment, done: Option<Moment>, now: Moment) -> Self {
        let (class, when) = match done {
            Some(done) if done > due => ("late", format!("done too late, on {}", done.day())),
            Some(done) => ("done", format!("done on {}", done.day())),
            None if due < now => ("late", format!("{} late", span(now.0 - due.0))),
            None if due.0 - now.0 < 3 * 86_400 => ("soon", format!("in {}", span(due.0 - now.0))),
            None => ("", format!("by {}", due.day())),
        };
        Self { class, what: what.to_owned(), when }
    }
}

/// The places of the console that somebody in these roles goes to: everybody, where none is named.
pub(crate) fn links(roles: &BTreeSet<Role>) -> Vec<Link> {
    let places: [(&str, &str, &[Role]); 6] = [
        ("/console", "Today", &[]),
        ("/console/cases", "Cases", &[]),
        ("/console/reports", "Reports", &[Role::IntakeOfficer, Role::Auditor]),
        ("/console/declarations", "Declared", &OPENING),
        ("/console/explore", "Explore", &[Role::Analyst, Role::Reviewer]),
        ("/me", "You", &[]),
    ];
    let theirs = places.into_iter().filter(|(.., of)| of.is_empty() || of.iter().any(|role| roles.contains(role)));
    theirs.map(|(address, name, _)| Link::new(address, name)).collect()
}

/// A time between two, as people say it.
fn span(seconds: i64) -> String {
    match seconds {
        ..7_200 => format!("{} minutes", (seconds / 60).max(1)),
        7_200..172_800 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
