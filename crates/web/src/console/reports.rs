//! Reports, for intake officers: the list, what is written in one, and what is done with it. Who reported is not here;
//! opening an identity takes two custodians, from the shell.

use super::sheet::{Drawn, Look, Run, Sheet};
use super::{Chip, Console, Desk, Received};
use crate::answer::{Problem, download, page, page_with, see};
use crate::form::{Form, Posted};
use crate::frame::{Frame, Reader};
use crate::kept::NOT_YET;
use crate::session::Session;
use crate::sign_in::escaped;
use crate::visible::filters;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use clerk::sealed::file_name;
use clerk::{Error, Opened, Sent};
use review::act::{Act, Source};
use review::report::{ACKNOWLEDGE_HOURS, Channel, Deed, FEEDBACK_DAYS, Report, ReportEvent, TRIAGE_HOURS, Triage};
use review::words::{Actor, CaseId, Moment, Origin, ReportId, Text};
use std::collections::BTreeSet;

/// Reports on a page.
const ON_PAGE: usize = 50;

struct Row {
    address: String,
    id: String,
    channel: &'static str,
    received: String,
    chip: Chip,
    became: String,
    review: bool,
}

#[derive(Template)]
#[template(path = "console/reports.html")]
struct ReportsPage {
    frame: Frame,
    rows: Vec<Row>,
    found: usize,
    show: Vec<(String, &'static str, bool)>,
    older: Option<String>,
}

fn channel(of: Channel) -> &'static str {
    match of {
        Channel::Anonymous => "anonymous",
        Channel::Named => "with a name, sealed",
        Channel::Employee => "an employee",
        Channel::Machine => "a machine",
    }
}

fn became(triage: &Triage) -> String {
    match triage {
        Triage::Case { case } => format!("in {case}"),
        Triage::Outside { .. } => "nothing of a clause".to_owned(),
        Triage::Hold { .. } => "metadata held".to_owned(),
    }
}

/// What is due next for a report, as practice and the directive have it.
fn clock(report: &Report, now: Moment) -> Chip {
    let looked = report.triage.first().map(|(at, ..)| *at);
    match (report.acknowledged, looked) {
        (None, _) => Chip::due("acknowledge", report.received.plus_hours(ACKNOWLEDGE_HOURS), None, now),
        (_, None) => Chip::due("look at it", report.received.plus_hours(TRIAGE_HOURS), None, now),
        (..) => Chip::due("tell what came of it", report.received.plus_days(FEEDBACK_DAYS), report.told, now),
    }
}

pub(super) async fn list(State(desk): Desk, session: Session, reader: Reader) -> Result<Response, Problem> {
    let now = desk.now();
    let mut reports = desk.pages.clerk.reports(session.who(), now).await?;
    let show = reader.asked("show").unwrap_or("open").to_owned();
    reports.retain(|report| match show.as_str() {
        "open" => report.triage.is_empty() || report.review_asked,
        "untold" => report.told.is_none(),
        _ => true,
    });
    let found = reports.len();
    let asked = reader.asked("page").and_then(|page| page.parse::<u32>().ok()).unwrap_or(1).max(1) as usize;
    let skipped = (asked - 1).saturating_mul(ON_PAGE);
    let row = |report: &Report| Row {
        address: format!("/console/reports/{}", escaped(report.id.as_str())),
        id: report.id.to_string(),
        channel: channel(report.channel),
        received: report.received.day(),
        chip: clock(report, now),
        became: report.triage.last().map(|(.., triage)| became(triage)).unwrap_or_default(),
        review: report.review_asked,
    };
    let all = [("open", "To be looked at"), ("untold", "To be told"), ("all", "All")];
    let rows: Vec<Row> = reports.iter().rev().skip(skipped).take(ON_PAGE).map(|report| row(report)).collect();
    page(&ReportsPage {
        frame: desk.frame(&session, &reader, "Reports"),
        older: (skipped + rows.len() < found).then(|| reader.with(&[("page", &(asked + 1).to_string())])),
        rows,
        found,
        show: all
            .iter()
            .map(|(value, name)| (reader.with(&[("show", value), ("page", "")]), *name, *value == show))
            .collect(),
    })
}

/// What can be done with a report.
struct Doable {
    name: &'static str,
    title: &'static str,
    says: &'static str,
    describe: fn(&mut Sheet<'_>) -> Option<Doing>,
}

enum Doing {
    Deed(Deed),
    Answer { text: String, outcome: bool },
    Join(CaseId),
}

const DOABLE: [Doable; 5] = [
    Doable {
        name: "trace",
        title: "Say where it comes from",
        says: "What shares an origin counts once.",
        describe: trace,
    },
    Doable {
        name: "join",
        title: "Let it join a case",
        says: "It becomes a source of an open case of the same workload.",
        describe: join,
    },
    Doable {
        name: "outside",
        title: "Say that it is about no clause",
        says: "Its reporter may ask others to look again.",
        describe: outside,
    },
    Doable {
        name: "write",
        title: "Write to its reporter",
        says: "Sealed to their mailbox: they read it with their seven words.",
        describe: write,
    },
    Doable {
        name: "tell",
        title: "Tell what came of it",
        says: "The outcome, as far as it can be told. Sealed to their mailbox.",
        describe: tell,
    },
];

fn trace(sheet: &mut Sheet<'_>) -> Option<Doing> {
    let origin: Origin = sheet.named(
        "origin",
        "Where it ultimately comes from",
        "A name of yours for it, the same for what comes from there.",
        "",
    )?;
    Some(Doing::Deed(Deed::Trace { origin }))
}

fn join(sheet: &mut Sheet<'_>) -> Option<Doing> {
    sheet.named("case", "Which case", "As the list of cases names it.", "").map(Doing::Join)
}

fn outside(sheet: &mut Sheet<'_>) -> Option<Doing> {
    let reason = sheet.text("reason", "Why", "Kept as a private text, for intake officers.")?;
    Some(Doing::Deed(Deed::Triage(Triage::Outside { reason })))
}

fn write(sheet: &mut Sheet<'_>) -> Option<Doing> {
    let text = sheet.words("answer", "What you write", "", "")?;
    Some(Doing::Answer { text, outcome: false })
}

fn tell(sheet: &mut Sheet<'_>) -> Option<Doing> {
    let text = sheet.words("outcome", "What came of it", "", "")?;
    Some(Doing::Answer { text, outcome: true })
}

struct Letter {
    what: String,
    day: String,
    says: Option<String>,
    sealed: bool,
    /// The files that came with it: what each is called here, and where it is.
    files: Vec<(String, String)>,
}

struct FormView {
    name: &'static str,
    title: &'static str,
    says: &'static str,
    open: bool,
    form: Form,
    fields: Vec<Drawn>,
}

#[derive(Template)]
#[template(path = "console/report.html")]
struct ReportPage {
    frame: Frame,
    base: String,
    id: String,
    channel: &'static str,
    received: String,
    chip: Chip,
    origin: String,
    triage: Vec<(String, String, String)>,
    kept_from: Vec<String>,
    locked: bool,
    letters: Vec<Letter>,
    forms: Vec<FormView>,
}

fn letter(base: &str, opened: &Opened) -> Letter {
    let event: &ReportEvent = &opened.event;
    let by = match &event.by {
        Some(Actor::Person(person)) => person.to_string(),
        Some(_) => "Tribune".to_owned(),
        None => "its reporter".to_owned(),
    };
    let (what, sealed) = match &event.deed {
        Deed::Receive { .. } => ("reported", true),
        Deed::Add { .. } => ("added", true),
        Deed::Acknowledge => ("acknowledged it", false),
        Deed::Write { .. } => ("wrote to its reporter", true),
        Deed::Trace { .. } => ("said where it comes from", false),
        Deed::Triage(_) => ("looked at it", false),
        Deed::Tell { .. } => ("told what came of it", true),
        Deed::AskReview { .. } => ("asks others to look again", true),
        Deed::CheckIn { .. } => ("asked its reporter whether anybody made them suffer for it", false),
    };
    let sheet = opened.sheet.as_ref();
    Letter {
        what: format!("{by} {what}"),
        day: event.at.day(),
        says: sheet.map(|sheet| sheet.text()),
        sealed: sealed && sheet.is_none(),
        files: sheet.map(|sheet| files(base, &sheet.files)).unwrap_or_default(),
    }
}

/// Files by their number: what each is called stands in it, and it is opened only where somebody takes it out.
fn files(base: &str, files: &[Text]) -> Vec<(String, String)> {
    let numbered = files.iter().enumerate();
    let named = |(place, file): (usize, &Text)| {
        (format!("File {} of {}", place + 1, files.len()), format!("{base}/files/{}", escaped(&file.to_string())))
    };
    numbered.map(named).collect()
}

/// A report's page; `sent` is a form to be shown again.
async fn shown(
    desk: &Console,
    session: &Session,
    reader: &Reader,
    id: &ReportId,
    purpose: &str,
    sent: Option<(&'static str, Form, Vec<Drawn>)>,
) -> Result<ReportPage, Problem> {
    let (clerk, now) = (&desk.pages.clerk, desk.now());
    let (report, events) = clerk.look_at_report(session.who(), id, purpose, now).await?;
    let letters = match session.unlocked() {
        Some(identity) => clerk.read_report(session.who(), id, &identity, purpose, now).await?,
        None => events.into_iter().map(|event| Opened { event, sheet: None }).collect(),
    };
    let mut sent = sent;
    let mut forms = Vec::new();
    for doable in &DOABLE {
        let again = sent.take_if(|(name, ..)| *name == doable.name);
        let open = again.is_some();
        let (form, fields) = again.map_or_else(
            || {
                let mut sheet = Sheet::new(desk.form(session), Run::Show, reader);
                (doable.describe)(&mut sheet);
                (sheet.form, sheet.fields)
            },
            |(_, form, fields)| (form, fields),
        );
        forms.push(FormView { name: doable.name, title: doable.title, says: doable.says, open, form, fields });
    }
    let triage = report.triage.iter().map(|(at, by, triage)| (at.day(), by.to_string(), became(triage)));
    let base = format!("/console/reports/{}", escaped(id.as_str()));
    Ok(ReportPage {
        frame: desk.frame(session, reader, "A report"),
        id: report.id.to_string(),
        channel: channel(report.channel),
        received: report.received.day(),
        chip: clock(&report, now),
        origin: report.origin.as_ref().map(ToString::to_string).unwrap_or_default(),
        triage: triage.collect(),
        kept_from: report.keep_from.iter().map(ToString::to_string).collect(),
        locked: session.unlocked().is_none(),
        letters: letters.iter().map(|one| letter(&base, one)).collect(),
        base,
        forms,
    })
}

fn thing(id: &ReportId) -> String {
    format!("report {id}")
}

pub(super) async fn show(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    Path(id): Path<ReportId>,
) -> Result<Response, Problem> {
    let Some(purpose) = desk.purpose(&session, &thing(&id)) else {
        let action = format!("/console/reports/{}/purpose", escaped(id.as_str()));
        return super::case::ask_purpose(&desk, &session, &reader, &thing(&id), action, None);
    };
    page(&shown(&desk, &session, &reader, &id, &purpose, None).await?)
}

/// A file that came with a report, as it came.
pub(super) async fn file(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    Path((id, file)): Path<(ReportId, Text)>,
) -> Result<Response, Problem> {
    let Some(purpose) = desk.purpose(&session, &thing(&id)) else {
        let action = format!("/console/reports/{}/purpose", escaped(id.as_str()));
        return super::case::ask_purpose(&desk, &session, &reader, &thing(&id), action, None);
    };
    let says = "it is sealed to intake officers: unlock your own key under “Your keys”";
    let identity = session.unlocked().ok_or_else(|| Problem::wrong(StatusCode::FORBIDDEN, says))?;
    let clerk = &desk.pages.clerk;
    let sheet = clerk.read_report_file(session.who(), &id, file, &identity, &purpose, desk.now()).await?;
    Ok(download(&file_name(sheet.name.as_deref().unwrap_or_default()), sheet.body))
}

pub(super) async fn purpose(
    State(desk): Desk,
    session: Session,
    Path(id): Path<ReportId>,
    posted: Posted,
) -> Result<Response, Problem> {
    super::case::note_purpose(&desk, &session, &thing(&id), &posted)
}

pub(super) async fn deed(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    Path((id, name)): Path<(ReportId, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let doable = DOABLE.iter().find(|doable| doable.name == name).ok_or_else(Problem::missing)?;
    let Received { form, command, over } = desk.received(&session, &posted)?;
    let (thing, action) = (thing(&id), format!("/console/reports/{}/purpose", escaped(id.as_str())));
    let known = desk.purpose(&session, &thing);
    let Some(purpose) = known.or_else(|| desk.purpose_along(&session, &thing, &posted)) else {
        return super::case::ask_purpose(&desk, &session, &reader, &thing, action, Some(&posted));
    };
    let mut sheet = Sheet::new(form, Run::Read(&posted), &reader);
    let doing = (doable.describe)(&mut sheet).filter(|_| sheet.form.is_good());
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    if over {
        status = StatusCode::OK;
        sheet.form.refuse_all(NOT_YET);
    } else if let Some(doing) = doing {
        let sent = Sent { id: command, at: desk.now(), by: session.sender() };
        match carry_out(&desk, &session, &sent, &id, doing, &sheet).await {
            Ok(()) => return Ok(see(&format!("/console/reports/{}", escaped(id.as_str())))),
            Err(error) => {
                status = super::case::status_of(&error, status);
                sheet.form.refuse_all(super::case::against(error)?);
            }
        }
    }
    let again = Some((doable.name, sheet.form, sheet.fields));
    page_with(status, &shown(&desk, &session, &reader, &id, &purpose, again).await?)
}

async fn carry_out(
    desk: &Console,
    session: &Session,
    sent: &Sent,
    id: &ReportId,
    doing: Doing,
    sheet: &Sheet<'_>,
) -> Result<(), Error> {
    let pages = &desk.pages;
    for (_, text) in &sheet.texts {
        let by = Some(session.person());
        pages.clerk.keep(&pages.papers, by, None, &BTreeSet::new(), text.as_bytes(), sent.at).await?;
    }
    match doing {
        Doing::Deed(deed) => {
            pages.clerk.handle_report(sent, id, deed).await?;
        }
        Doing::Answer { text, outcome } => {
            let locked =
                || Error::Wrong("unlock your own key first: it opens the report that names the mailbox".to_owned());
            let identity = session.unlocked().ok_or_else(locked)?;
            pages.clerk.answer_report(&pages.papers, sent, id, &identity, &text, outcome).await?;
        }
        Doing::Join(case) => {
            let source = Source::Report { report: id.clone() };
            let join = Act::Join { source, accounts: BTreeSet::new() };
            match pages.clerk.enact(sent, &case, join).await {
                // It is a source of the case already: then what is left is to say so here.
                Err(Error::Refused(refusal)) if refusal.rule == review::rules::Rule::Once => {}
                joined => drop(joined?),
            }
            pages.clerk.handle_report(sent, id, Deed::Triage(Triage::Case { case })).await?;
        }
    }
    Ok(())
}
