//! From the steps to the determination: the customer’s hearing, texts that a second person reads, element by element.

use super::{Doing, Ground, act, parsed};
use crate::console::sheet::{Sheet, choices};
use clerk::{DraftOf, DraftText, File, Sealed};
use review::act::{Act, Determination, ElementAnswer, Established};
use review::procedure::Basis;
use review::words::{Digest, EvidenceId, Standard, Text};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn step(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let File { case, law, .. } = ground.file;
    let steps = law.procedure.steps.iter().filter(|step| !case.steps.contains_key(&step.id));
    let steps: Vec<_> =
        steps.map(|step| (step.id.to_string(), format!("{} ({})", step.title, step.by.name()))).collect();
    let step = sheet.choice("step", "Which step", "", &steps);
    let note = sheet.text("note", "What was done", "");
    act(Act::CompleteStep { step: parsed(step)?, note: note? })
}

pub(super) fn question(sheet: &mut Sheet<'_>, _: &Ground<'_>) -> Option<Doing> {
    let hint = "Say what you ask, why, and what follows from an answer. Nothing that only a reporter could know.";
    let text = sheet.words("text", "The question, with its reasons", hint, "")?;
    Some(Doing::Draft(vec![(DraftOf::Question, text)]))
}

pub(super) fn words_of(draft: &DraftText) -> String {
    let what = match &draft.of {
        DraftOf::Question => "Question to the customer".to_owned(),
        DraftOf::Statement { decision, .. } => format!("Statement of reasons of {decision}, for the customer"),
        DraftOf::Public { decision } => format!("Statement of reasons of {decision}, for the public"),
        DraftOf::Correction => "Correction".to_owned(),
        DraftOf::Employees => "Words to employees".to_owned(),
    };
    format!("{what}, by {} on {} ({})", draft.by, draft.at.day(), short(&draft.text))
}

/// The beginning of a digest, as it is shown.
pub(in crate::console) fn short(digest: &Digest) -> String {
    digest.to_string().trim_start_matches("sha256:").chars().take(10).collect()
}

/// Texts that are to leave: those that a second person has confirmed, or those that wait for it.
pub(super) fn drafts<'a>(ground: &Ground<'a>, confirmed: bool, of: fn(&DraftOf) -> bool) -> Vec<&'a DraftText> {
    let safe = &ground.file.case.safe;
    let mut seen = BTreeSet::new();
    let drafts =
        ground.drafts.iter().rev().filter(|draft| of(&draft.of) && safe.contains_key(&draft.text) == confirmed);
    drafts.filter(|draft| seen.insert(draft.text)).collect()
}

pub(super) fn as_options(drafts: &[&DraftText]) -> Vec<(String, String)> {
    drafts.iter().map(|draft| (draft.text.to_string(), words_of(draft))).collect()
}

pub(super) fn confirm(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let mut waiting = drafts(ground, false, |_| true);
    // Nobody is offered what they wrote themselves; who sends it nevertheless is told why not.
    waiting.retain(|draft| draft.by != *ground.person || !(sheet.is_shown() || sheet.is_probe()));
    let shown = if sheet.is_shown() { waiting.as_slice() } else { &[] };
    for draft in shown {
        sheet.said(&words_of(draft), &told(ground, &draft.text));
    }
    let text: Option<Text> = parsed(sheet.choice("text", "Which text", "", &as_options(&waiting)));
    let hint = "Not by what it says, by what it leaves out, nor by what few people know.";
    let sure =
        sheet.checks("sure", "You vouch", hint, &choices(&[("yes", "I read it whole, and it identifies no source")]));
    if sure.as_ref().is_some_and(Vec::is_empty) {
        sheet.form.refuse("sure", "Read it, and say so.");
        return None;
    }
    let text = text?;
    let draft = waiting.iter().find(|draft| draft.text == text)?;
    sure.and_then(|_| act(Act::ConfirmSafe { text, written_by: draft.by.clone() }))
}

/// What a private text says, or why it does not.
pub(super) fn told(ground: &Ground<'_>, text: &Text) -> String {
    match ground.read.get(text) {
        Some(Sealed::Opened(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        Some(Sealed::To { confined: true, .. }) => {
            "It is confined to roles that you do not have in this case.".to_owned()
        }
        Some(Sealed::To { people, .. }) => format!("Sealed to {people} keys: unlock yours to read it."),
        Some(Sealed::Elsewhere) => "It is not kept here.".to_owned(),
        None => "Unlock your key to read it.".to_owned(),
    }
}

pub(super) fn opened(ground: &Ground<'_>, text: &Text) -> Option<String> {
    match ground.read.get(text) {
        Some(Sealed::Opened(bytes)) => String::from_utf8(bytes.clone()).ok(),
        _ => None,
    }
}

pub(super) fn ask(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let questions = &ground.file.case.questions;
    let next = format!("q{}", questions.len() + 1);
    let mut confirmed = drafts(ground, true, |of| *of == DraftOf::Question);
    let was_put = |put: Text| {
        let asks = |act: &Act| matches!(act, Act::Ask { text, .. } if *text == put);
        ground.file.events.iter().any(|event| asks(&event.command.act))
    };
    confirmed.retain(|draft| !was_put(draft.text));
    let text =
        sheet.choice("text", "Which question", "Those that a second person has confirmed.", &as_options(&confirmed));
    let id = sheet.named("id", "Its name within the case", "", &next);
    let days = ground.file.law.procedure.days_to_answer;
    let hint = format!("To the end of that day, UTC; at least {days} days.");
    let until = sheet.day("until", "Until when it can answer", &hint, ground.now.plus_days(days));
    act(Act::Ask { id: id?, text: parsed(text)?, until: until? })
}

pub(super) fn waive(sheet: &mut Sheet<'_>, _: &Ground<'_>) -> Option<Doing> {
    act(Act::WaiveHearing { reason: sheet.text("reason", "Why the customer is not heard before", "")? })
}

const STANDARDS: [(&str, Standard); 3] = [
    ("reasonable-suspicion", Standard::ReasonableSuspicion),
    ("more-likely-than-not", Standard::MoreLikelyThanNot),
    ("clear-and-convincing", Standard::ClearAndConvincing),
];

const ANSWERS: [(&str, Established, &str); 3] = [
    ("not-established", Established::NotEstablished, "Not established"),
    ("established", Established::Established, "Established"),
    ("inconclusive", Established::Inconclusive, "Inconclusive"),
];

/// An answer in words.
pub(in crate::console) fn answer_words(answer: Established) -> &'static str {
    ANSWERS.iter().find(|(_, one, _)| *one == answer).map_or("", |(.., words)| words)
}

pub(super) fn determine(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let File { case, law, .. } = ground.file;
    let mut elements = BTreeMap::new();
    let answers: Vec<_> = ANSWERS.iter().map(|(name, _, words)| ((*name).to_owned(), (*words).to_owned())).collect();
    let standards: Vec<_> =
        STANDARDS.iter().map(|(name, standard)| ((*name).to_owned(), standard.to_string())).collect();
    let mut whole = true;
    for element in &law.procedure.elements {
        let id = &element.id;
        let admits: Vec<&str> = element.rests_on.iter().map(|basis| basis.words()).collect();
        sheet.head(&format!("{id}: {}", element.title), &format!("It may rest on {}.", admits.join("; ")));
        let answer = sheet.choice(&format!("answer-{id}"), "Answer", "", &answers);
        let standard = sheet.choice(&format!("standard-{id}"), "How surely", "", &standards);
        let fitting = case
            .evidence
            .values()
            .filter(|item| element.rests_on.contains(&item.basis) || item.basis == Basis::Opinion);
        let fitting: Vec<_> = fitting
            .map(|item| (item.id.to_string(), format!("{}: {}, from {}", item.id, item.basis.words(), item.origin)))
            .collect();
        let evidence = sheet.checks(&format!("evidence-{id}"), "On this evidence", "", &fitting);
        let reasons = sheet.text(&format!("reasons-{id}"), "Reasons", "");
        let answer = answer.and_then(|answer| ANSWERS.iter().find(|(name, ..)| *name == answer));
        let standard = standard.and_then(|standard| STANDARDS.iter().find(|(name, _)| *name == standard));
        let (Some(answer), Some(standard), Some(evidence), Some(reasons)) = (answer, standard, evidence, reasons)
        else {
            whole = false;
            continue;
        };
        let evidence: BTreeSet<EvidenceId> = evidence.iter().filter_map(|one| one.parse().ok()).collect();
        elements.insert(id.clone(), ElementAnswer { answer: answer.1, standard: standard.1, evidence, reasons });
    }
    sheet.head("What was within view", "");
    let view = sheet.text(
        "view",
        "What was within view, and what was not",
        "It is said to whoever reads that something is not established.",
    );
    let supersedes = case.standing_determination().map(|(place, _)| place);
    whole.then_some(())?;
    act(Act::Determine(Determination { elements, view: view?, supersedes }))
}

pub(super) fn dissent(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let all = ground.file.case.determinations.iter().enumerate().rev();
    let all: Vec<_> =
        all.map(|(place, one)| (place.to_string(), format!("{place}, by {} on {}", one.by, one.at.day()))).collect();
    let determination = sheet.choice("determination", "Which determination", "", &all);
    let opinion = sheet.text("opinion", "How you see it", "");
    act(Act::Dissent { determination: parsed(determination)?, opinion: opinion? })
}
