//! What needs me today: whose turn is mine, which clocks run out, and what changed since I looked.

use super::{Chip, Console, Desk};
use crate::answer::{Problem, page};
use crate::frame::{Frame, Reader};
use crate::session::Session;
use crate::visible::filters;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use clerk::Mine;
use review::case::Phase;
use review::waits::Awaited;
use review::words::{Moment, Role};

/// Lines of a list on this page.
const LINES_MAX: usize = 40;

/// A thing to do.
struct Turn {
    address: String,
    case: String,
    customer: String,
    what: String,
    chip: Option<Chip>,
}

/// A case in which something changed.
struct Changed {
    address: String,
    case: String,
    customer: String,
    when: String,
    waits: String,
}

#[derive(Template)]
#[template(path = "console/overview.html")]
struct Overview {
    frame: Frame,
    turns: Vec<Turn>,
    more: usize,
    clocks: Vec<Turn>,
    changed: Vec<Changed>,
    numbers: Vec<(&'static str, usize, &'static str)>,
    reports: Option<(usize, usize)>,
    /// Open cases that lack people.
    lacking: usize,
}

/// Where in a case something is done.
fn address(mine: &Mine, tab: &str) -> String {
    format!("/console/cases/{}{tab}", crate::sign_in::escaped(mine.line.id.as_str()))
}

fn turns(mine: &[Mine], now: Moment) -> Vec<Turn> {
    let mut turns: Vec<((bool, Moment), Turn)> = Vec::new();
    for one in mine {
        for wait in &one.turns {
            let turn = Turn {
                address: address(one, super::case::tab_of(wait.awaited)),
                case: one.line.id.to_string(),
                customer: one.line.customer.to_string(),
                what: wait.what.clone(),
                chip: wait.due.map(|due| Chip::due("", due, None, now)),
            };
            // What went up comes first, whatever is due.
            let rank = (wait.awaited != Awaited::Escalation, wait.due.unwrap_or(Moment(i64::MAX)));
            turns.push((rank, turn));
        }
    }
    turns.sort_by_key(|(rank, _)| *rank);
    turns.into_iter().map(|(_, turn)| turn).collect()
}

fn clocks(mine: &[Mine], now: Moment) -> Vec<Turn> {
    let open = mine.iter().filter(|one| one.line.phase == Phase::Open);
    let soon = open.flat_map(|one| one.line.clocks.iter().map(move |(due, what)| (due, what, one)));
    let mut soon: Vec<_> = soon.filter(|(due, ..)| due.0 < now.0 + 7 * 86_400).collect();
    soon.sort_by_key(|(due, ..)| **due);
    let turn = |(due, what, one): &(&Moment, &String, &Mine)| Turn {
        address: address(one, ""),
        case: one.line.id.to_string(),
        customer: one.line.customer.to_string(),
        what: (*what).clone(),
        chip: Some(Chip::due("", **due, None, now)),
    };
    soon.iter().map(turn).collect()
}

pub(super) async fn show(State(desk): Desk, session: Session, reader: Reader) -> Result<Response, Problem> {
    let now = desk.now();
    let mine = desk.pages.clerk.mine(session.who(), now).await?;
    let (mut turns, mut clocks) = (turns(&mine, now), clocks(&mine, now));
    let changed = mine.iter().filter(|one| one.news && one.line.phase == Phase::Open);
    let mut changed: Vec<_> = changed.collect();
    changed.sort_by_key(|one| std::cmp::Reverse(one.line.last));
    let overdue = mine.iter().filter(|one| one.line.is_overdue(now)).count();
    let open = mine.iter().filter(|one| one.line.phase == Phase::Open).count();
    let numbers = vec![
        ("things for you to do", turns.len(), "/console/cases?mine=yes"),
        ("open cases of yours", open, "/console/cases?mine=yes&phase=open"),
        ("of them with a clock that ran out", overdue, "/console/cases?mine=yes&overdue=yes"),
        ("changed since you looked", changed.len(), "/console/cases?mine=yes&order=last"),
    ];
    let changed = changed.iter().take(LINES_MAX).map(|one| Changed {
        address: address(one, "/record"),
        case: one.line.id.to_string(),
        customer: one.line.customer.to_string(),
        when: one.line.last.day(),
        waits: one.line.waits.iter().find(|wait| wait.from <= now).map(|wait| wait.what.clone()).unwrap_or_default(),
    });
    let changed = changed.collect();
    let more = turns.len().saturating_sub(LINES_MAX);
    turns.truncate(LINES_MAX);
    clocks.truncate(LINES_MAX);
    let reports = reports(&desk, &session, now).await?;
    let lacking = desk.pages.clerk.lacking_people(session.who(), now).await?;
    let frame = desk.frame(&session, &reader, "Today");
    page(&Overview { frame, turns, more, clocks, changed, numbers, reports, lacking })
}

/// How many reports nobody has looked at, and of how many others are asked to look again.
async fn reports(desk: &Console, session: &Session, now: Moment) -> Result<Option<(usize, usize)>, Problem> {
    if !session.roles().contains(&Role::IntakeOfficer) {
        return Ok(None);
    }
    let reports = desk.pages.clerk.reports(session.who(), now).await?;
    let new = reports.iter().filter(|report| report.triage.is_empty()).count();
    Ok(Some((new, reports.iter().filter(|report| report.review_asked).count())))
}
