//! The evidence tab: items with who handled them, the ledger and charts of what was metered, similar cleared cases.

use super::{Entered, Head, Words, actor, enter, entered, offers, words};
use crate::answer::{Problem, download, page};
use crate::console::Desk;
use crate::console::deeds::Place;
use crate::form::Form;
use crate::frame::{Frame, Reader};
use crate::portrait::{Drawing, Explanation, OpenedAt};
use crate::session::Session;
use crate::sign_in::escaped;
use crate::visible::filters;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use clerk::{Line, Sealed};
use review::procedure::Basis;
use review::words::{CaseId, EvidenceId, Text};
use std::collections::BTreeSet;
use std::sync::Arc;

struct ItemRow {
    id: String,
    basis: &'static str,
    origin: String,
    anonymous: bool,
    about: Vec<String>,
    words: Words,
    explains: Option<String>,
    /// Where its content is as a file, for whoever can read it.
    file: Option<String>,
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

pub(in crate::console) async fn evidence(
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
        let opened = matches!(read.get(&item.digest), Some(Sealed::Opened(_)));
        let file = opened.then(|| format!("{}/evidence/{}/file", entered.base(), escaped(item.id.as_str())));
        let custody = case.custody.iter().filter(|(id, ..)| *id == item.id);
        ItemRow {
            id: item.id.to_string(),
            basis: item.basis.words(),
            origin: item.origin.to_string(),
            anonymous: item.anonymous,
            about: about.collect(),
            words,
            explains,
            file,
            custody: custody.map(|(_, by, at)| format!("{} on {}", actor(by), at.day())).collect(),
        }
    };
    let items = case.evidence.values().map(row).collect();
    let frame = entered.desk.frame(&entered.session, &entered.reader, case.id.as_str());
    let form = entered.desk.form(&entered.session);
    let alike = alike(&entered).await?;
    page(&EvidencePage { frame, head: Head::of(&entered, "/evidence", offers), items, alike, form })
}

/// What somebody has to do who cannot read a text yet.
const SEALED: &str = "it is sealed to those with a part in the case: unlock your own key under “Your keys”";

/// An item's content as it was given, for whoever can read it.
pub(in crate::console) async fn file(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    Path((id, item)): Path<(CaseId, EvidenceId)>,
) -> Result<Response, Problem> {
    let entered = entered!(desk, session, reader, &id);
    let text = entered.file.case.evidence.get(&item).ok_or_else(Problem::missing)?.digest;
    match entered.read(BTreeSet::from([text])).await?.remove(&text) {
        Some(Sealed::Opened(bytes)) => {
            let end = if std::str::from_utf8(&bytes).is_ok() { "txt" } else { "bin" };
            Ok(download(&format!("{id}-{item}.{end}"), bytes))
        }
        _ => Err(Problem::wrong(StatusCode::FORBIDDEN, SEALED)),
    }
}

#[derive(Template)]
#[template(path = "console/explanation.html")]
struct ExplanationPage {
    frame: Frame,
    back: String,
    drawing: Drawing,
}

pub(in crate::console) async fn explanation(
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
    let Some(Sealed::Opened(bytes)) = read.get(&text) else {
        return Err(Problem::wrong(StatusCode::FORBIDDEN, SEALED));
    };
    let explanation =
        Explanation::read(bytes).map_err(|why| Problem::wrong(StatusCode::UNPROCESSABLE_ENTITY, why.to_string()))?;
    let score = explanation.explanation.policies.first().map(|judged| judged.finding.score_db);
    let opened = score.map(|score| OpenedAt { at: case.opened.day(), score });
    let frame = entered.desk.frame(&entered.session, &entered.reader, &format!("{}: explanation", case.id));
    let drawing = Drawing::new(explanation.explanation, opened, Some(explanation.records.digest));
    page(&ExplanationPage { frame, back: format!("{}/evidence", entered.base()), drawing })
}
