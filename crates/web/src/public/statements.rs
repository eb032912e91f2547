//! Statements of reasons and corrections: the list with its filters, each as a page with its place in the log, and as JSON
//! in the field names of the EU's DSA Transparency Database.
//!
//! A page shows the published text, taken apart by [`review::published`]; it adds nothing to what it says.

use super::{KEPT_SECONDS, files, shelf};
use crate::answer::{Problem, kept, page};
use crate::frame::{Frame, Reader};
use crate::pages::Pages;
use crate::visible::filters;
use askama::Template;
use axum::extract::{Path as Asked, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use clerk::{Shelf, Shelved};
use review::dsa::{BATCH_MAX, Known};
use review::words::Digest;
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Statements on a page.
const PAGE: usize = 25;

/// What a digest is called in an address.
fn name(digest: &Digest) -> String {
    digest.to_string().replacen(':', "-", 1)
}

fn digest(name: &str) -> Option<Digest> {
    name.replacen('-', ":", 1).parse().ok()
}

/// What is filtered by. A correction belongs where what it corrects does.
struct Traits<'a> {
    clause: (&'a str, &'a str),
    services: Option<&'a BTreeSet<String>>,
    regions: Option<&'a BTreeSet<String>>,
    year: &'a str,
}

impl<'a> Traits<'a> {
    fn of(shelf: &'a Shelf, text: &'a Shelved) -> Self {
        let wrong = text.corrects.as_ref().and_then(|wrong| shelf.get(wrong));
        let read = text.read.as_ref().or_else(|| wrong.and_then(|wrong| wrong.read.as_ref()));
        Self {
            clause: read.map(|read| read.clause()).unwrap_or_default(),
            services: read.map(|read| &read.services),
            regions: read.map(|read| &read.regions),
            year: text.place.as_ref().and_then(|(day, _)| day.get(..4)).unwrap_or_default(),
        }
    }

    fn fits(&self, reader: &Reader) -> bool {
        let holds = |set: Option<&BTreeSet<String>>, value: &str| set.is_some_and(|set| set.contains(value));
        // Where no region is named it is everywhere.
        let everywhere = self.regions.is_some_and(BTreeSet::is_empty);
        reader.asked("clause").is_none_or(|clause| clause == self.clause.1)
            && reader.asked("service").is_none_or(|service| holds(self.services, service))
            && reader.asked("region").is_none_or(|region| everywhere || holds(self.regions, region))
            && reader.asked("year").is_none_or(|year| year == self.year)
    }
}

/// What can be chosen in a filter.
struct Choice {
    name: &'static str,
    label: &'static str,
    values: Vec<(String, String)>,
}

fn choices(shelf: &Shelf) -> Vec<Choice> {
    let traits: Vec<_> = shelf.texts.iter().map(|text| Traits::of(shelf, text)).collect();
    let named = |set: BTreeSet<&str>| {
        let set = set.into_iter().filter(|value| !value.is_empty());
        set.map(|value| (value.to_owned(), value.to_owned())).collect::<Vec<_>>()
    };
    let clauses: BTreeSet<_> = traits.iter().map(|one| one.clause).filter(|clause| !clause.1.is_empty()).collect();
    let clauses = clauses.into_iter().map(|(title, id)| (id.to_owned(), title.to_owned())).collect();
    let services = named(traits.iter().filter_map(|one| one.services).flatten().map(String::as_str).collect());
    let regions = named(traits.iter().filter_map(|one| one.regions).flatten().map(String::as_str).collect());
    let mut years = named(traits.iter().map(|one| one.year).collect());
    years.reverse();
    vec![
        Choice { name: "clause", label: "statements-clause", values: clauses },
        Choice { name: "service", label: "statements-service", values: services },
        Choice { name: "region", label: "statements-region", values: regions },
        Choice { name: "year", label: "statements-year", values: years },
    ]
}

/// One line of the list.
struct Line<'a> {
    address: String,
    day: &'a str,
    title: &'a str,
    clause: &'a str,
    services: String,
    regions: String,
    correction: bool,
    corrected: bool,
}

impl<'a> Line<'a> {
    fn of(shelf: &'a Shelf, text: &'a Shelved) -> Self {
        let traits = Traits::of(shelf, text);
        let listed = |set: Option<&BTreeSet<String>>| {
            set.map(|set| set.iter().map(String::as_str).collect::<Vec<_>>().join(", ")).unwrap_or_default()
        };
        Self {
            address: format!("/statements/{}", name(&text.digest)),
            day: text.place.as_ref().map(|(day, _)| day.as_str()).unwrap_or_default(),
            title: text.read.as_ref().map(|read| read.one("What is ordered")).unwrap_or_default(),
            clause: traits.clause.0,
            services: listed(traits.services),
            regions: listed(traits.regions),
            correction: text.corrects.is_some(),
            corrected: !text.corrected_by.is_empty(),
        }
    }
}

#[derive(Template)]
#[template(path = "statements.html")]
struct ListPage<'a> {
    frame: Frame,
    choices: Vec<Choice>,
    lines: Vec<Line<'a>>,
    found: usize,
    all: usize,
    /// The addresses of the pages before and after.
    newer: Option<String>,
    older: Option<String>,
}

impl ListPage<'_> {
    fn chosen(&self, name: &str, value: &str) -> bool {
        self.frame.reader.asked(name) == Some(value)
    }
}

/// `GET /statements?clause=&service=&region=&year=&page=`
pub(super) async fn list(State(pages): State<Arc<Pages>>, reader: Reader) -> Result<Response, Problem> {
    let shelf = shelf(&pages).await?;
    let fitting: Vec<_> = shelf.texts.iter().rev().filter(|text| Traits::of(&shelf, text).fits(&reader)).collect();
    let at: usize = reader.asked("page").and_then(|page| page.parse().ok()).unwrap_or(1).max(1);
    let (first, found) = ((at - 1).saturating_mul(PAGE), fitting.len());
    let lines: Vec<_> = fitting.into_iter().skip(first).take(PAGE).map(|text| Line::of(&shelf, text)).collect();
    let newer = (at > 1).then(|| reader.with(&[("page", &(at - 1).to_string())]));
    let older = (first.saturating_add(PAGE) < found).then(|| reader.with(&[("page", &(at + 1).to_string())]));
    let frame = Frame::new(&pages, &reader, &reader.language.say("statements-title"));
    let (choices, all) = (choices(&shelf), shelf.texts.len());
    Ok(kept(page(&ListPage { frame, choices, lines, found, all, newer, older })?, KEPT_SECONDS))
}

#[derive(Template)]
#[template(path = "statement.html")]
struct OnePage<'a> {
    frame: Frame,
    text: &'a Shelved,
    name: String,
    corrects: Option<String>,
    corrected_by: Vec<String>,
    base: &'a str,
    key: &'a str,
}

/// `GET /statements/sha256-…`, and the text alone with `.txt`.
pub(super) async fn one(
    state: State<Arc<Pages>>,
    reader: Reader,
    Asked(asked): Asked<String>,
) -> Result<Response, Problem> {
    let State(pages) = state;
    let shelf = shelf(&pages).await?;
    let name_alone = asked.strip_suffix(".txt");
    let digest = digest(name_alone.unwrap_or(&asked));
    let text = digest.and_then(|digest| shelf.get(&digest)).ok_or_else(Problem::missing)?;
    if name_alone.is_some() {
        // From the shelf and not from the disk: what was erased is gone at once.
        let kind = HeaderValue::from_static(files::PLAIN);
        let mut response = kept(([(header::CONTENT_TYPE, kind)], text.text.clone()).into_response(), KEPT_SECONDS);
        files::open(&mut response);
        return Ok(response);
    }
    let title = if text.corrects.is_some() { "statement-correction" } else { "statement-title" };
    let title = reader.language.say(title);
    let answer = page(&OnePage {
        frame: Frame::new(&pages, &reader, &title),
        text,
        name: name(&text.digest),
        corrects: text.corrects.as_ref().map(name),
        corrected_by: text.corrected_by.iter().map(name).collect(),
        base: &pages.settings.base,
        key: &pages.settings.log_key,
    })?;
    Ok(kept(answer, KEPT_SECONDS))
}

/// A statement in the fields of the EU's database, with what is ours under a name of its own.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    known: Option<&'a Known>,
    decision_facts: &'static str,
    tribune: Own<'a>,
}

#[derive(Serialize)]
struct Own<'a> {
    statement: &'a Digest,
    url: String,
    text: &'a str,
    published: Option<&'a str>,
    log_index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    corrects: Option<&'a Digest>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    corrected_by: &'a [Digest],
}

#[derive(Serialize)]
struct Rows<'a> {
    schema: &'static str,
    total: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    statements: Vec<Row<'a>>,
}

/// Which facts were relied on is told to the customer alone.
const FACTS: &str = "Told to the recipient in the statement served on it; its public form is under `tribune.text`.";

/// `GET /statements.json?page=`, oldest first, with the same filters.
pub(super) async fn json(State(pages): State<Arc<Pages>>, reader: Reader) -> Result<Response, Problem> {
    let shelf = shelf(&pages).await?;
    let fitting: Vec<_> = shelf.texts.iter().filter(|text| Traits::of(&shelf, text).fits(&reader)).collect();
    let at: usize = reader.asked("page").and_then(|page| page.parse().ok()).unwrap_or(1).max(1);
    let (first, total) = ((at - 1).saturating_mul(BATCH_MAX), fitting.len());
    let base = pages.settings.base.as_str();
    let statements = fitting.iter().skip(first).take(BATCH_MAX).map(|text| Row {
        known: text.known.as_ref(),
        decision_facts: FACTS,
        tribune: Own {
            statement: &text.digest,
            url: format!("{base}/statements/{}", name(&text.digest)),
            text: &text.text,
            published: text.place.as_ref().map(|(day, _)| day.as_str()),
            log_index: text.place.as_ref().map(|(_, index)| *index),
            corrects: text.corrects.as_ref(),
            corrected_by: &text.corrected_by,
        },
    });
    let statements = statements.collect();
    let more = first.saturating_add(BATCH_MAX) < total;
    let next = more.then(|| format!("{base}{}", reader.with(&[("page", &(at + 1).to_string())])));
    let rows = Rows { schema: "tribune.statements/1", total, next, statements };
    let text = serde_json::to_string(&rows).map_err(|error| Problem::defect(error.to_string()))?;
    let kind = HeaderValue::from_static("application/json");
    let mut response = kept(([(header::CONTENT_TYPE, kind)], text).into_response(), KEPT_SECONDS);
    files::open(&mut response);
    Ok(response)
}
