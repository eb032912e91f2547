//! The tab of what follows: appeals, data that leaves, follow-ups, corrections.

use super::{Head, Words, actor, enter, entered, offers, words};
use crate::answer::{Problem, page};
use crate::console::acts::{leaving_words, outcome_words};
use crate::console::deeds::{Place, short};
use crate::console::{Chip, Desk};
use crate::frame::{Frame, Reader};
use crate::session::Session;
use crate::visible::filters;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use review::words::{CaseId, Text};
use std::collections::BTreeSet;

/// A text with its name.
type Said = (&'static str, Words);

#[derive(Template)]
#[template(path = "console/after.html")]
struct AfterPage {
    frame: Frame,
    head: Head,
    leaving: Vec<(Chip, String, Vec<String>)>,
    follow_ups: Vec<(String, bool)>,
    appeals: Vec<(String, String, Chip, String, Vec<String>)>,
    naming: Vec<String>,
    corrections: Vec<(String, String)>,
    closings: Vec<(String, String, Vec<Said>)>,
}

pub(in crate::console) async fn after(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    Path(id): Path<CaseId>,
) -> Result<Response, Problem> {
    let entered = entered!(desk, session, reader, &id);
    let (case, now) = (&entered.file.case, entered.now);
    let mut texts: BTreeSet<Text> = entered.drafts.iter().map(|draft| draft.text).collect();
    texts.extend(case.closings.iter().flat_map(|(_, _, end)| [end.remedy, end.consulted, end.lesson]));
    let read = entered.read(texts).await?;
    let trial = entered.trial().await?;
    let offers = offers(&entered, &trial, &entered.ground(&trial, &read), Place::After);
    let leaving = case.leaving.iter().map(|noted| {
        let due = noted.noted.plus_hours(review::case::LEAVING_HOURS);
        let choice = noted.choice.as_ref().map(leaving_words).unwrap_or("two are to say the same");
        let votes = noted.votes.iter().map(|(person, vote)| format!("{person}: {}", leaving_words(vote)));
        (Chip::due("", due, noted.decided, now), choice.to_owned(), votes.collect())
    });
    let appeals = case.appeals.iter().map(|(id, one)| {
        let outcome = one.outcome.map(outcome_words).unwrap_or("being heard").to_owned();
        let late = if one.in_time { "" } else { ", late" };
        let votes = one.votes.iter().map(|(person, vote)| format!("{person}: {}", outcome_words(*vote)));
        let chip = Chip::due("", one.filed.plus_days(30), one.decided, now);
        (
            id.to_string(),
            format!("{}, by {} on {}{late}", one.decision, actor(&one.by), one.filed.day()),
            chip,
            outcome,
            votes.collect(),
        )
    });
    let closings = case.closings.iter().rev().map(|(at, by, end)| {
        let texts = [("Remedy", end.remedy), ("Consulted", end.consulted), ("Lesson", end.lesson)];
        (at.day(), by.to_string(), texts.iter().map(|(name, text)| (*name, words(&read, text))).collect())
    });
    let page_ = AfterPage {
        frame: entered.desk.frame(&entered.session, &entered.reader, case.id.as_str()),
        leaving: leaving.collect(),
        follow_ups: case.follow_ups.iter().map(|(id, settled)| (id.to_string(), *settled)).collect(),
        appeals: appeals.collect(),
        naming: case.naming.iter().map(ToString::to_string).collect(),
        corrections: case.corrections.iter().map(|(old, new)| (short(old), short(new))).collect(),
        closings: closings.collect(),
        head: Head::of(&entered, "/after", offers),
    };
    page(&page_)
}
