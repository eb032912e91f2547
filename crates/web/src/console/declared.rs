//! What customers declare of their use, for those who may open a case on it: the list, and one of them in its customer's
//! own words. Whether it is taken as verified is found out in a review; nothing is decided here.

use super::{Console, Desk};
use crate::answer::{Problem, page};
use crate::form::Posted;
use crate::frame::{Frame, Reader};
use crate::plain::thousands;
use crate::session::Session;
use crate::sign_in::escaped;
use crate::visible::filters;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use clerk::{Declaration, Sealed};
use review::words::CommandId;

/// Declared uses on a page.
const ON_PAGE: usize = 50;

/// What a purpose is asked for.
const THING: &str = "what customers declare";

struct Row {
    address: String,
    /// The form that opens a case on it.
    open: String,
    day: String,
    customer: String,
    declared_use: String,
    accounts: String,
    calls: String,
}

impl Row {
    fn of(one: &Declaration) -> Self {
        let accounts: Vec<&str> = one.accounts.iter().map(|account| account.as_str()).collect();
        Self {
            address: format!("/console/declarations/{}", escaped(one.id.as_str())),
            open: format!(
                "/console/open?declaration={}&customer={}&accounts={}",
                escaped(one.id.as_str()),
                escaped(one.customer.as_str()),
                escaped(&accounts.join("\n"))
            ),
            day: one.at.day(),
            customer: one.customer.to_string(),
            declared_use: one.declared_use.replace('_', " "),
            accounts: if accounts.is_empty() { "all of its accounts".to_owned() } else { accounts.join(", ") },
            calls: one.calls_per_hour.map(|calls| format!("{} an hour at most", thousands(calls))).unwrap_or_default(),
        }
    }
}

#[derive(Template)]
#[template(path = "console/declarations.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Row>,
    found: usize,
    older: Option<String>,
}

#[derive(Template)]
#[template(path = "console/declaration.html")]
struct DeclarationPage {
    frame: Frame,
    row: Row,
    says: Option<String>,
    sealed: &'static str,
}

fn ask(desk: &Console, session: &Session, reader: &Reader) -> Result<Response, Problem> {
    let action = "/console/declarations/purpose".to_owned();
    super::case::ask_purpose(desk, session, reader, THING, action, None)
}

pub(super) async fn list(State(desk): Desk, session: Session, reader: Reader) -> Result<Response, Problem> {
    let Some(purpose) = desk.purpose(&session, THING) else { return ask(&desk, &session, &reader) };
    let declared = desk.pages.clerk.look_at_declarations(session.who(), &purpose, desk.now()).await?;
    let asked = reader.asked("page").and_then(|page| page.parse::<u32>().ok()).unwrap_or(1).max(1) as usize;
    let skipped = (asked - 1).saturating_mul(ON_PAGE);
    let rows: Vec<Row> = declared.iter().skip(skipped).take(ON_PAGE).map(Row::of).collect();
    page(&ListPage {
        frame: desk.frame(&session, &reader, "Declared uses"),
        found: declared.len(),
        older: (skipped + rows.len() < declared.len() && !rows.is_empty())
            .then(|| reader.with(&[("page", &(asked + 1).to_string())])),
        rows,
    })
}

pub(super) async fn show(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    Path(id): Path<CommandId>,
) -> Result<Response, Problem> {
    let Some(purpose) = desk.purpose(&session, THING) else { return ask(&desk, &session, &reader) };
    let (clerk, unlocked) = (&desk.pages.clerk, session.unlocked());
    let (declared, text) =
        clerk.read_declaration(session.who(), &id, unlocked.as_deref(), &purpose, desk.now()).await?;
    let sealed = match &text {
        Sealed::Opened(_) => "",
        Sealed::To { .. } => "It is sealed to intake officers.",
        Sealed::Elsewhere => "Its text is not kept here: it was erased.",
    };
    let says = match text {
        Sealed::Opened(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        _ => None,
    };
    page(&DeclarationPage {
        frame: desk.frame(&session, &reader, "A declared use"),
        row: Row::of(&declared),
        says,
        sealed,
    })
}

pub(super) async fn purpose(State(desk): Desk, session: Session, posted: Posted) -> Result<Response, Problem> {
    super::case::note_purpose(&desk, &session, THING, &posted)
}
