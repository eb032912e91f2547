//! The list of cases: filters, search, order and pages, all in the address; and opening a case.

use super::several::Several;
use super::sheet::{FormPage, Look, Run, Sheet, choices};
use super::{Chip, Console, Desk, Received};
use crate::answer::{Problem, page, page_with, see};
use crate::form::{Form, Posted};
use crate::frame::{Frame, Reader};
use crate::kept::NOT_YET;
use crate::session::Session;
use crate::visible::filters;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use clerk::{Law, Line, Order, PhaseOf, Sent, Wanted};
use review::act::{Act, DeclaredFor, Kind, Opening, Source};
use review::case::Phase;
use review::waits::Awaited;
use review::words::{
    AccountId, CommandId, CustomerId, Digest, Moment, PersonId, Purpose, RegionId, ReportId, ServiceId,
};
use std::collections::BTreeSet;

/// Cases on a page.
pub(super) const ON_PAGE: usize = 50;

/// A case, as the table shows it.
struct Row {
    address: String,
    id: String,
    customer: String,
    accounts: usize,
    phase: &'static str,
    badge: &'static str,
    waits: String,
    turn: bool,
    chip: Option<Chip>,
    missed: usize,
    score: String,
    people: String,
    in_force: usize,
    held: Option<String>,
    escalated: String,
    last: String,
}

#[derive(Template)]
#[template(path = "console/queue.html")]
struct Queue {
    frame: Frame,
    form: Form,
    rows: Vec<Row>,
    found: usize,
    from: usize,
    to: usize,
    policies: Vec<(String, String)>,
    phases: Vec<(String, String)>,
    awaits: Vec<(String, String)>,
    holds: Vec<(String, String)>,
    orders: Vec<(String, String)>,
    before: Option<String>,
    next: Option<String>,
    may_open: bool,
    /// What is done in those that are chosen; only for those who carry cases.
    several: Option<Several>,
}

/// What the address asks for. What it says and nobody knows is nothing.
fn wanted(reader: &Reader) -> Wanted {
    let asked = |name: &str| reader.asked(name).unwrap_or_default();
    let phase = match asked("phase") {
        "open" => Some(PhaseOf::Open),
        "closed" => Some(PhaseOf::Closed),
        "merged" => Some(PhaseOf::Merged),
        _ => None,
    };
    let order = match asked("order") {
        "score" => Order::Score,
        "last" => Order::Last,
        "opened" => Order::Opened,
        _ => Order::Due,
    };
    Wanted {
        policy: reader.asked("policy").map(str::to_owned),
        phase,
        awaits: Awaited::ALL.into_iter().find(|awaited| awaited.name() == asked("awaits")),
        mine: asked("mine") == "yes",
        overdue: asked("overdue") == "yes",
        held: match asked("held") {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        },
        escalated: asked("escalated") == "yes",
        search: asked("search").chars().take(200).collect(),
        order,
        page: asked("page").parse::<u32>().ok().and_then(|page| page.checked_sub(1)).unwrap_or(0) as usize,
        on_page: ON_PAGE,
    }
}

fn row(line: &Line, person: &PersonId, now: Moment) -> Row {
    let (phase, badge) = match line.phase {
        Phase::Open => ("open", "own"),
        Phase::Closed => ("closed", ""),
        Phase::Merged(_) => ("in another", ""),
    };
    let turn = line.turns(person, now).next();
    let waits = turn.or_else(|| line.waits.iter().find(|wait| wait.from <= now));
    let escalated: Vec<String> = line.escalated.iter().map(|role| role.name().replace('-', " ")).collect();
    let people: Vec<String> = line.people.iter().map(|part| part.person.to_string()).collect();
    Row {
        address: format!("/console/cases/{}", crate::sign_in::escaped(line.id.as_str())),
        id: line.id.to_string(),
        customer: line.customer.to_string(),
        accounts: line.accounts.len(),
        phase,
        badge,
        waits: waits.map(|wait| wait.what.clone()).unwrap_or_default(),
        turn: turn.is_some(),
        chip: line
            .clocks
            .first()
            .filter(|_| line.phase == Phase::Open)
            .map(|(due, what)| Chip::due(what, *due, None, now)),
        missed: line.missed(now),
        score: line.score.map(|score| score.to_string()).unwrap_or_default(),
        people: people.join(", "),
        in_force: line.in_force(now),
        held: line.held(now).map(Moment::day),
        escalated: escalated.join(", "),
        last: line.last.day(),
    }
}

fn any(of: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut all = choices(&[("", "any")]);
    all.extend(choices(of));
    all
}

pub(super) async fn show(State(desk): Desk, session: Session, reader: Reader) -> Result<Response, Problem> {
    let (now, wanted) = (desk.now(), wanted(&reader));
    let listed = desk.pages.clerk.list(session.who(), &wanted, now).await?;
    let mut form = Form::default();
    for name in ["search", "policy", "phase", "awaits", "held", "order", "mine", "overdue", "escalated"] {
        form.fill(name, crate::visible::line(reader.asked(name).unwrap_or_default()));
    }
    let from = wanted.page.saturating_mul(ON_PAGE);
    let page_of = |page: usize| reader.with(&[("page", &page.to_string())]);
    let awaits: Vec<_> = Awaited::ALL.iter().map(|awaited| (awaited.name(), awaited.words())).collect();
    let policies: Vec<_> = listed.policies.keys().map(|id| (id.as_str(), id.as_str())).collect();
    let may_open = super::OPENERS.allows(Some(&session));
    let several = Several::empty(&desk, &session, &reader).await?;
    page(&Queue {
        frame: desk.frame(&session, &reader, "Cases"),
        form,
        rows: listed.lines.iter().map(|line| row(line, session.person(), now)).collect(),
        found: listed.found,
        from: from + 1,
        to: from + listed.lines.len(),
        policies: any(&policies),
        phases: any(&[("open", "open"), ("closed", "closed"), ("merged", "goes on in another")]),
        awaits: any(&awaits),
        holds: any(&[("no", "not put off"), ("yes", "put off")]),
        orders: choices(&[
            ("", "what is due first"),
            ("score", "the highest score"),
            ("last", "the latest event"),
            ("opened", "the oldest"),
        ]),
        before: wanted.page.checked_sub(1).map(|before| page_of(before + 1)),
        next: (from + listed.lines.len() < listed.found && !listed.lines.is_empty()).then(|| page_of(wanted.page + 2)),
        may_open,
        several,
    })
}

// ---- opening a case -------------------------------------------------------------------------------------------------

fn open_page(desk: &Console, session: &Session, reader: &Reader, sheet: Sheet<'_>) -> FormPage {
    FormPage {
        title: "Open a case",
        says: "One workload, one case: what has a case already joins it.",
        back: "/console/cases".to_owned(),
        back_to: "All cases".to_owned(),
        ..FormPage::new(desk.frame(session, reader, "Open a case"), sheet, "/console/open".to_owned())
    }
}

/// The use that is declared, where the form says one: put down for a customer that has no contract yet, or its own
/// declaration.
async fn declared(
    sheet: &mut Sheet<'_>,
    desk: &Console,
    session: &Session,
    id: Option<&CommandId>,
) -> Result<Option<DeclaredFor>, Problem> {
    sheet.head("A use that is declared", "Before or under a contract; left empty of a workload that runs.");
    let hint = "As the list of declarations names it. Purpose and words are then the customer’s own.";
    let own: Option<Option<CommandId>> = sheet.named_or_none("declaration", "The customer’s declaration", hint);
    let hint = "In a word: contact_centre, voicemail, media_archive, …";
    let purpose: Option<Option<Purpose>> = sheet.named_or_none("purpose", "What for", hint);
    let text = sheet.text_or_none("declared", "In the customer’s words", "Kept as a private text of the case.");
    let portfolio: Option<Vec<ServiceId>> = sheet.lines("portfolio", "Services that it wants", "One per line.");
    let places: Option<Vec<RegionId>> =
        sheet.lines("places", "Regions", "One per line; anywhere, where none is named.");
    let (Some(own), Some(purpose), Some(text), Some(portfolio), Some(places)) = (own, purpose, text, portfolio, places)
    else {
        return Ok(None);
    };
    let (portfolio, places) = (portfolio.into_iter().collect(), places.into_iter().collect());
    let mut known = None;
    if let Some(own) = &own {
        match desk.pages.clerk.declaration(session.who(), own, desk.now()).await {
            Ok(one) => known = Some(one),
            Err(error) => {
                sheet.form.refuse("declaration", super::case::against(error)?);
                return Ok(None);
            }
        }
    }
    let said = match known {
        Some(one) => one.declared_use.parse().ok().map(|purpose| (one.id, purpose, one.text)),
        None => id.zip(purpose).zip(text).map(|((id, purpose), text)| (id.clone(), purpose, text)),
    };
    Ok(said.map(|(declaration, purpose, text)| DeclaredFor { declaration, purpose, portfolio, places, text }))
}

fn describe(sheet: &mut Sheet<'_>, desk: &Console) -> Option<(Law, Opening)> {
    let policies = &desk.pages.settings.policies;
    let all: Vec<_> = policies.iter().map(|policy| (policy.id.clone(), policy.title.clone())).collect();
    let policy = sheet.choice("policy", "Under which clause", "", &all);
    let customer: Option<CustomerId> = sheet.named("customer", "Customer", "", "");
    let accounts: Option<Vec<AccountId>> =
        sheet.lines("accounts", "Accounts", "One per line; a declared use may have none yet.");
    let reports: Option<Vec<ReportId>> =
        sheet.lines("reports", "Reports it rests on", "One per line, as the list of reports names them.");
    let finding: Option<Option<Digest>> = sheet.named_or_none(
        "finding",
        "A finding it rests on",
        "Its digest; from the shell, `tribune case open --finding` reads it from what the scan wrote.",
    );
    let records: Option<Option<Digest>> =
        sheet.named_or_none("records", "The records of that finding", "Their digest.");
    let mut sources: BTreeSet<Source> = reports?.into_iter().map(|report| Source::Report { report }).collect();
    match (finding?, records?) {
        (Some(finding), Some(records)) => {
            sources.insert(Source::Finding { finding, records, score_db: None, families: BTreeSet::new() });
        }
        (Some(_), None) => sheet.form.refuse("records", "A finding rests on records: name their digest."),
        _ => {}
    }
    let policy = policy.and_then(|id| policies.iter().find(|policy| policy.id == id))?;
    let digest: Digest = policy.digest.parse().ok()?;
    let law = Law {
        id: policy.id.clone(),
        version: policy.version.clone(),
        digest,
        title: policy.title.clone(),
        procedure: policy.procedure.clone(),
    };
    let policy = (law.id.clone(), law.version.clone(), law.digest);
    let opening = Opening {
        kind: Kind::Workload,
        policy,
        customer: customer?,
        accounts: accounts?.into_iter().collect(),
        sources,
    };
    Some((law, opening))
}

pub(super) async fn open_form(State(desk): Desk, session: Session, reader: Reader) -> Result<Response, Problem> {
    let mut sheet = Sheet::new(desk.form(&session), Run::Show, &reader);
    describe(&mut sheet, &desk);
    declared(&mut sheet, &desk, &session, None).await?;
    page(&open_page(&desk, &session, &reader, sheet))
}

pub(super) async fn open(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    posted: Posted,
) -> Result<Response, Problem> {
    let Received { form, command: id, over } = desk.received(&session, &posted)?;
    let mut sheet = Sheet::new(form, Run::Read(&posted), &reader);
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    let described = describe(&mut sheet, &desk);
    let declared = declared(&mut sheet, &desk, &session, Some(&id)).await?;
    if over {
        return page(&FormPage { notice: NOT_YET, ..open_page(&desk, &session, &reader, sheet) });
    }
    if let Some((law, mut opening)) = described.filter(|_| sheet.form.is_good()) {
        if let Some(declared) = declared {
            opening.kind = Kind::DeclaredUse;
            opening.sources.insert(Source::Declaration(declared));
        }
        let sent = Sent { id, at: desk.now(), by: session.sender() };
        match desk.pages.clerk.open_case(&sent, &law, Act::Open(opening)).await {
            Ok((case, _)) => {
                for (_, text) in &sheet.texts {
                    let (by, only) = (Some(session.person()), BTreeSet::new());
                    let papers = &desk.pages.papers;
                    desk.pages.clerk.keep(papers, by, Some(&case), &only, text.as_bytes(), sent.at).await?;
                }
                return Ok(see(&format!("/console/cases/{}", crate::sign_in::escaped(case.as_str()))));
            }
            Err(error) => {
                status = super::case::status_of(&error, status);
                sheet.form.refuse_all(super::case::against(error)?);
            }
        }
    }
    page_with(status, &open_page(&desk, &session, &reader, sheet))
}
