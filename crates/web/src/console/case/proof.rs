//! The tab of steps and proof: what is done, the customer’s hearing, element by element.

use super::{Entered, Head, Words, enter, entered, offers, words};
use crate::answer::{Problem, page};
use crate::console::deeds::{Place, answer_words};
use crate::console::{Chip, Desk};
use crate::frame::{Frame, Reader};
use crate::session::Session;
use crate::visible::filters;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use clerk::{DraftOf, DraftText, File, Sealed};
use review::words::{CaseId, Text};
use std::collections::{BTreeMap, BTreeSet};

struct StepRow {
    title: String,
    by: &'static str,
    chip: Chip,
}

struct AnswerRow {
    element: String,
    answer: &'static str,
    badge: &'static str,
    standard: String,
    evidence: String,
    reasons: Words,
}

struct DeterminationView {
    place: usize,
    by: String,
    at: String,
    stands: bool,
    answers: Vec<AnswerRow>,
    view: Words,
    dissents: Vec<(String, Words)>,
}

#[derive(Template)]
#[template(path = "console/proof.html")]
struct ProofPage {
    frame: Frame,
    head: Head,
    steps: Vec<StepRow>,
    drafts: Vec<(String, bool, Words)>,
    questions: Vec<(String, Chip, Option<Option<Words>>)>,
    waived: Vec<String>,
    determinations: Vec<DeterminationView>,
    elements: Vec<(String, String)>,
}

fn texts_of_proof(file: &File, drafts: &[DraftText]) -> BTreeSet<Text> {
    let case = &file.case;
    let mut texts: BTreeSet<Text> = drafts.iter().map(|draft| draft.text).collect();
    texts.extend(case.questions.values().filter_map(|question| question.answer.flatten()));
    for one in &case.determinations {
        texts.insert(one.determination.view);
        texts.extend(one.determination.elements.values().map(|answer| answer.reasons));
        texts.extend(one.dissents.values().copied());
    }
    texts
}

fn determination(file: &File, read: &BTreeMap<Text, Sealed>, place: usize) -> Option<DeterminationView> {
    let one = file.case.determinations.get(place)?;
    let answers = file.law.procedure.elements.iter().filter_map(|element| {
        let said = one.determination.elements.get(&element.id)?;
        let evidence: Vec<&str> = said.evidence.iter().map(|id| id.as_str()).collect();
        let answer = answer_words(said.answer);
        let badge = if answer == "Established" { "good" } else { "" };
        let element = format!("{}: {}", element.id, element.title);
        let (standard, reasons) = (said.standard.to_string(), words(read, &said.reasons));
        Some(AnswerRow { element, answer, badge, standard, evidence: evidence.join(", "), reasons })
    });
    Some(DeterminationView {
        place,
        by: one.by.to_string(),
        at: one.at.day(),
        stands: one.superseded_by.is_none(),
        answers: answers.collect(),
        view: words(read, &one.determination.view),
        dissents: one.dissents.iter().map(|(person, text)| (person.to_string(), words(read, text))).collect(),
    })
}

fn drafts(entered: &Entered, read: &BTreeMap<Text, Sealed>) -> Vec<(String, bool, Words)> {
    let row = |draft: &DraftText| {
        let what = match &draft.of {
            DraftOf::Question => "question to the customer".to_owned(),
            DraftOf::Statement { decision, .. } => format!("statement of {decision}, for the customer"),
            DraftOf::Public { decision } => format!("statement of {decision}, for the public"),
            DraftOf::Correction => "correction".to_owned(),
            DraftOf::Employees => "what employees are told".to_owned(),
        };
        let what = format!("{what}, by {} on {}", draft.by, draft.at.day());
        (what, entered.file.case.safe.contains_key(&draft.text), words(read, &draft.text))
    };
    entered.drafts.iter().map(row).collect()
}

pub(in crate::console) async fn proof(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    Path(id): Path<CaseId>,
) -> Result<Response, Problem> {
    let entered = entered!(desk, session, reader, &id);
    let (File { case, law, .. }, now) = (&entered.file, entered.now);
    let read = entered.read(texts_of_proof(&entered.file, &entered.drafts)).await?;
    let trial = entered.trial().await?;
    let offers = offers(&entered, &trial, &entered.ground(&trial, &read), Place::Proof);
    let steps = law.procedure.steps.iter().map(|step| StepRow {
        title: step.title.clone(),
        by: step.by.name(),
        chip: Chip::due("", case.opened.plus_days(step.due_days), case.steps.get(&step.id).copied(), now),
    });
    let questions = case.questions.iter().map(|(id, question)| {
        let chip = Chip::due("", question.until, question.answer.map(|_| question.until), now);
        (id.to_string(), chip, question.answer.map(|answer| answer.map(|text| words(&read, &text))))
    });
    let places = (0..case.determinations.len()).rev();
    let page_ = ProofPage {
        frame: entered.desk.frame(&entered.session, &entered.reader, case.id.as_str()),
        steps: steps.collect(),
        drafts: drafts(&entered, &read),
        questions: questions.collect(),
        waived: case.hearing_waived.iter().map(ToString::to_string).collect(),
        determinations: places.filter_map(|place| determination(&entered.file, &read, place)).collect(),
        elements: law.procedure.elements.iter().map(|one| (one.id.to_string(), one.title.clone())).collect(),
        head: Head::of(&entered, "/proof", offers),
    };
    page(&page_)
}
