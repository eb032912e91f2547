//! Several cases at once, chosen in the list: a part for somebody in each, or each put off.
//!
//! Each is an act of its own, under the same rules as from its own page. What was refused is told case by case, and what
//! went through stays. It opens nothing: what is in a case is looked at there.

use super::sheet::{Drawn, Look, Run, Sheet};
use super::{Console, Desk, Received};
use crate::answer::{Problem, page_with, see};
use crate::form::{Form, Posted};
use crate::frame::{Frame, Reader};
use crate::kept::NOT_YET;
use crate::session::Session;
use crate::visible::filters;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use clerk::{Error, Sent};
use review::act::Act;
use review::roster::Roster;
use review::rules;
use review::words::{CaseId, Digest, Moment, PersonId, Role};
use std::collections::BTreeSet;

/// For how many days cases are put off, where nothing else is said.
const HOLD_DAYS: i64 = 7;

/// The form below the list.
pub(super) struct Several {
    pub(super) form: Form,
    pub(super) assign: Vec<Drawn>,
    pub(super) hold: Vec<Drawn>,
    /// Where the list is that they are chosen in.
    pub(super) back: String,
}

/// What is done in each.
enum Doing {
    Assign(PersonId, Role),
    Hold(Moment, String),
}

fn assign(sheet: &mut Sheet<'_>, roster: &Roster, now: Moment) -> Option<Doing> {
    let there = roster.members.iter().filter(|(person, _)| roster.present(person, now).is_some());
    let people = there.map(|(person, member)| {
        let roles: Vec<&str> = member.roles.iter().map(|role| role.name()).collect();
        (person.to_string(), format!("{person} ({})", roles.join(", ")))
    });
    let person = sheet.choice("person", "Who", "", &people.collect::<Vec<_>>());
    let roles: Vec<_> = Role::ALL.iter().map(|role| (role.name().to_owned(), role.name().replace('-', " "))).collect();
    let role = sheet.choice("role", "As what", "", &roles);
    let role = role.and_then(|role| Role::ALL.into_iter().find(|one| one.name() == role));
    Some(Doing::Assign(person?.parse().ok()?, role?))
}

fn hold(sheet: &mut Sheet<'_>, now: Moment) -> Option<Doing> {
    let hint = format!("To the end of that day, UTC; at most {} days.", rules::HOLD_DAYS);
    let until = sheet.day("until", "Until when", &hint, now.plus_days(HOLD_DAYS));
    let reason = sheet.words("reason", "Why", "It is kept as a private text of each case.", "");
    Some(Doing::Hold(until?, reason?))
}

impl Several {
    /// The form, for whoever carries cases.
    pub(super) async fn empty(desk: &Console, session: &Session, reader: &Reader) -> Result<Option<Self>, Problem> {
        if !session.roles().contains(&Role::Reviewer) {
            return Ok(None);
        }
        let roster = desk.pages.clerk.roster().await?;
        let mut sheet = Sheet::new(desk.form(session), Run::Show, reader);
        assign(&mut sheet, &roster, desk.now());
        let assign = std::mem::take(&mut sheet.fields);
        hold(&mut sheet, desk.now());
        Ok(Some(Self { form: sheet.form, assign, hold: sheet.fields, back: reader.with(&[]) }))
    }
}

/// What became of the cases that were chosen, where something was refused.
#[derive(Template)]
#[template(path = "console/several.html")]
struct SeveralPage {
    frame: Frame,
    back: String,
    faults: Vec<String>,
    refused: Vec<(String, String)>,
    done: Vec<String>,
    /// The form again, as it was typed.
    again: Again,
}

/// What is left to be sent.
struct Again {
    form: Form,
    fields: Vec<Drawn>,
    /// Those in which nothing was done.
    cases: BTreeSet<String>,
    /// What the button says and stands for; nothing where it was neither.
    button: Option<(&'static str, &'static str)>,
}

/// What can be done in several, as buttons have it: what each stands for, and what it says.
const BUTTONS: [(&str, &str); 2] = [("assign", "Give the part in each"), ("hold", "Put each off")];

pub(super) async fn act(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    posted: Posted,
) -> Result<Response, Problem> {
    let Received { form, command, over } = desk.received(&session, &posted)?;
    let back = crate::sign_in::own_path(posted.get("back")).unwrap_or("/console/cases").to_owned();
    let (roster, now) = (desk.pages.clerk.roster().await?, desk.now());
    let mut sheet = Sheet::new(form, Run::Read(&posted), &reader);
    // Chosen in the list, or typed one a line.
    let chosen: BTreeSet<String> =
        posted.all("case").flat_map(str::split_whitespace).map(|case| case.chars().take(400).collect()).collect();
    let doing = match posted.get("do") {
        "assign" => assign(&mut sheet, &roster, now),
        "hold" => hold(&mut sheet, now),
        _ => None,
    };
    let mut faults: Vec<String> = sheet.form.faults().iter().map(|(_, fault)| fault.to_string()).collect();
    if over {
        faults.insert(0, NOT_YET.to_owned());
    }
    let good = sheet.form.is_good() && !over;
    let again = Again {
        form: sheet.form,
        fields: sheet.fields,
        cases: names(chosen.iter()),
        button: BUTTONS.into_iter().find(|(name, _)| *name == posted.get("do")),
    };
    let frame = desk.frame(&session, &reader, "Several cases");
    let mut shown = SeveralPage { frame, back, faults, refused: Vec::new(), done: Vec::new(), again };
    if doing.is_none() && shown.faults.is_empty() {
        shown.faults.push("Say what is to be done in each.".to_owned());
    }
    if chosen.is_empty() || chosen.len() > super::queue::ON_PAGE {
        shown.faults.push("Choose cases in the list, as many as stand on a page.".to_owned());
    }
    let (Some(doing), true) = (doing.filter(|_| good), shown.faults.is_empty()) else {
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown);
    };
    for case in chosen {
        // A name that is none is told of beside the others.
        let sent = format!("{command}-{case}").parse().map(|id| Sent { id, at: now, by: session.sender() });
        let told = match (sent, case.parse::<CaseId>()) {
            (Ok(sent), Ok(case)) => one(&desk, &session, &sent, &case, &doing).await,
            (Err(why), _) | (_, Err(why)) => Err(Error::Wrong(why.to_string())),
        };
        match told {
            Ok(()) => shown.done.push(case),
            Err(error) => shown.refused.push((case, super::case::against(error)?)),
        }
    }
    shown.again.cases = names(shown.refused.iter().map(|(case, _)| case));
    if shown.refused.is_empty() { Ok(see(&shown.back)) } else { page_with(StatusCode::CONFLICT, &shown) }
}

/// Those that could be cases: what acts instead of being read is no name, and is not offered again.
fn names<'a>(cases: impl Iterator<Item = &'a String>) -> BTreeSet<String> {
    cases.filter(|case| crate::plain::clean(case) == **case).cloned().collect()
}

/// In one of them: the rules are asked first, then its text is kept, then it is carried out.
async fn one(desk: &Console, session: &Session, sent: &Sent, case: &CaseId, doing: &Doing) -> Result<(), Error> {
    let (clerk, papers) = (&desk.pages.clerk, &desk.pages.papers);
    let act = match doing {
        Doing::Assign(person, role) => Act::Assign { person: person.clone(), role: *role },
        Doing::Hold(until, reason) => {
            let act = Act::Hold { until: *until, reason: Digest::of(reason) };
            clerk.would_admit(sent, case, &act).await?;
            let by = Some(session.person());
            clerk.keep(papers, by, Some(case), &BTreeSet::new(), reason.as_bytes(), sent.at).await?;
            act
        }
    };
    clerk.enact(sent, case, act).await.map(drop)
}
