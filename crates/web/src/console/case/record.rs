//! The record of a case, event by event, each with its place in the public log and a proof to keep.
//!
//! A proof is made of the files that the world reads, and only of entries that an event of this case has: whoever is given
//! it checks it without us.

use super::super::Desk;
use super::{Head, actor, enter};
use crate::answer::{Problem, page};
use crate::console::acts::act_words;
use crate::frame::{Frame, Reader};
use crate::session::Session;
use crate::visible::filters;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use clerk::Error;
use clerk::proofs::{Committed, InLog, prove};
use review::public::Entry;
use review::words::CaseId;
use std::io;
use std::path::{Path as Folder, PathBuf};
use tlog::{Checkpoint, Hash, NOTE_BYTES_MAX, Note, Tile, Tiles};

/// An entry of the public log that shows an event.
struct Shown {
    what: &'static str,
    /// Its place and the address of its proof, once it is published.
    place: Option<(u64, String)>,
}

struct EventRow {
    number: u64,
    at: String,
    by: String,
    what: String,
    position: u64,
    commitment: String,
    shown: Vec<Shown>,
}

#[derive(Template)]
#[template(path = "console/record.html")]
struct RecordPage {
    frame: Frame,
    head: Head,
    events: Vec<EventRow>,
    older: Option<String>,
    newer: Option<String>,
    log_origin: String,
    log_key: String,
}

/// Events on a page of the record.
const EVENTS_ON_PAGE: usize = 100;

fn kind(entry: &Entry) -> &'static str {
    match entry {
        Entry::Batch { .. } => "the day’s commitments",
        Entry::Decision { .. } => "the decision",
        Entry::Statement { .. } => "the statement of reasons",
        Entry::Correction { .. } => "the correction",
        Entry::Effect { .. } => "the comparison",
        Entry::Counts { .. } => "a year’s numbers",
        Entry::Erasure { .. } => "an erasure",
    }
}

/// What shows an event: what it made public by itself, and its commitment among its day's.
fn shown(base: &str, number: u64, committed: &Committed) -> Vec<Shown> {
    let place = |entry: &InLog| (entry.index, format!("{base}/record/{number}/{}", entry.index));
    let own = committed.own.iter().map(|(entry, at)| Shown { what: kind(entry), place: at.as_ref().map(place) });
    let batch = Shown { what: "the day’s commitments", place: committed.batch.as_ref().map(place) };
    own.chain([batch]).collect()
}

pub(in super::super) async fn record(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    Path(id): Path<CaseId>,
) -> Result<Response, Problem> {
    let entered = match enter(desk, session, reader, &id, None).await? {
        Ok(entered) => entered,
        Err(question) => return Ok(question),
    };
    let file = &entered.file;
    let asked = entered.reader.asked("page").and_then(|page| page.parse::<u32>().ok()).unwrap_or(1).max(1) as usize;
    let skipped = (asked - 1).saturating_mul(EVENTS_ON_PAGE);
    // The latest first.
    let to = file.events.len().saturating_sub(skipped);
    let from = to.saturating_sub(EVENTS_ON_PAGE);
    let committed = entered.desk.pages.clerk.events_in_log(file, from..to).await?;
    let base = entered.base();
    let row = |(event, committed): (&review::act::Event, &Committed)| EventRow {
        number: event.number,
        at: event.command.at.to_string(),
        by: actor(&event.command.by),
        what: act_words(file, &event.command.act),
        position: committed.position,
        commitment: committed.commitment.to_string(),
        shown: shown(&base, event.number, committed),
    };
    let events: Vec<_> = file.events.iter().skip(from).zip(&committed).map(row).collect();
    let page_of = |page: usize| entered.reader.with(&[("page", &page.to_string())]);
    let settings = &entered.desk.pages.settings;
    let page_ = RecordPage {
        frame: entered.desk.frame(&entered.session, &entered.reader, file.case.id.as_str()),
        events: events.into_iter().rev().collect(),
        older: (from > 0).then(|| page_of(asked + 1)),
        newer: (asked > 1).then(|| page_of(asked - 1)),
        log_origin: settings.log_origin.clone(),
        log_key: settings.log_key.clone(),
        head: Head::of(&entered, "/record", Vec::new()),
    };
    page(&page_)
}

/// The proof of one event by one entry of the log, as a file.
pub(in super::super) async fn proof(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    Path((id, number, index)): Path<(CaseId, u64, u64)>,
) -> Result<Response, Problem> {
    let entered = match enter(desk, session, reader, &id, None).await? {
        Ok(entered) => entered,
        Err(question) => return Ok(question),
    };
    let event = number.checked_sub(1).and_then(|place| usize::try_from(place).ok());
    let event = event.filter(|place| *place < entered.file.events.len()).ok_or_else(Problem::missing)?;
    let pages = &entered.desk.pages;
    let committed =
        pages.clerk.events_in_log(&entered.file, event..event + 1).await?.pop().ok_or_else(Problem::missing)?;
    let own = committed.own.into_iter().filter_map(|(_, place)| Some((place?, None)));
    let batch = committed.batch.map(|place| (place, Some(committed.commitment)));
    let (entry, commitment) = own.chain(batch).find(|(place, _)| place.index == index).ok_or_else(Problem::missing)?;
    let log = pages.settings.public.join("log");
    let read = tokio::task::spawn_blocking(move || inclusion(&log, index)).await;
    let read = read.map_err(|error| Problem::defect(format!("a proof could not be made: {error}")))?;
    let (hashes, checkpoint) =
        read.map_err(|why| Error::Log(format!("its files gave no proof of entry {index}: {why}")))?;
    let made = prove(&entry, commitment, hashes, checkpoint);
    let made = made.map_err(|error| Problem::defect(format!("a proof could not be made: {error}")))?;
    let name = format!("attachment; filename=\"{}-{number}-{index}.tlog-proof\"", entered.file.case.id);
    let name = HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("attachment"));
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)], made.to_string()).into_response())
}

/// From an entry up to the checkpoint that the world is shown now.
fn inclusion(log: &Folder, index: u64) -> io::Result<(Vec<Hash>, Note)> {
    let note = std::fs::read(log.join("checkpoint"))?;
    let note = Note::parse(note.get(..NOTE_BYTES_MAX).unwrap_or(&note)).map_err(io::Error::other)?;
    let checkpoint: Checkpoint = note.text().parse().map_err(io::Error::other)?;
    // A partial tile that was shown before is gone once it has filled up.
    let read =
        |path: PathBuf, full: PathBuf| std::fs::read(&path).or_else(|error| std::fs::read(full).map_err(|_| error));
    let tile = |tile: Tile| read(log.join(tile.to_string()), log.join(tile.full().to_string()));
    let hashes = Tiles::open(checkpoint.tree(), tile).and_then(|mut tiles| tiles.inclusion(index));
    Ok((hashes.map_err(io::Error::other)?, note))
}
