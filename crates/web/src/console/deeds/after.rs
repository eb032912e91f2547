//! What follows a decision: data that leaves, follow-ups, appeals, corrections, what employees are told, the end.

use super::proof::{as_options, drafts, opened, short, told, words_of};
use super::{Doing, Ground, act, parsed};
use crate::console::acts::use_words;
use crate::console::sheet::{Sheet, choices, options};
use clerk::DraftOf;
use review::act::{Act, AppealOutcome, Closing, DeclaredUse, Leaving};
use review::statement::for_employees;
use review::words::Text;
use std::collections::BTreeSet;

pub(super) fn leaving(sheet: &mut Sheet<'_>, _: &Ground<'_>) -> Option<Doing> {
    let finding =
        sheet.words("finding", "What shows it", "The finding, or what the meters say; kept as a private text.", "")?;
    act(Act::NoteLeaving { finding: sheet.keep(finding) })
}

pub(super) fn decide_leaving(sheet: &mut Sheet<'_>, _: &Ground<'_>) -> Option<Doing> {
    let all = choices(&[
        ("let-go", "Let it go"),
        ("hold-export", "Hold bulk export, by a decision of its own"),
        ("preserve", "Preserve it, on a legal order"),
    ]);
    let choice = sheet.choice("choice", "What is done", "", &all);
    let order = sheet.text_or_none("order", "The legal order, to preserve", "");
    let reasons = sheet.text("reasons", "Why", "Say that preserving prolongs harm too was weighed.");
    let choice = match (choice?.as_str(), order?) {
        ("let-go", _) => Leaving::LetGo,
        ("hold-export", _) => Leaving::HoldExport,
        (_, Some(order)) => Leaving::Preserve { order },
        _ => {
            sheet.form.refuse("order", "Preserving needs a legal order: write it here.");
            return None;
        }
    };
    act(Act::DecideLeaving { choice, reasons: reasons? })
}

pub(super) fn follow_up(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let next = format!("f{}", ground.file.case.follow_ups.len() + 1);
    let id = sheet.named("id", "Its name within the case", "", &next);
    let account = sheet.named_or_none("account", "The account, if it is one of ours", "");
    let finding = sheet.text("finding", "What shows it", "Kept as a private text.");
    act(Act::FollowUp { id: id?, account: account?, finding: finding? })
}

pub(super) fn settle(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let open = options(ground.file.case.follow_ups.iter().filter(|(_, settled)| !**settled).map(|(id, _)| id));
    let id = sheet.choice("id", "Which follow-up", "", &open);
    let note = sheet.text("note", "What became of it", "");
    act(Act::SettleFollowUp { id: parsed(id)?, note: note? })
}

fn appeals(ground: &Ground<'_>) -> Vec<(String, String)> {
    let open = ground.file.case.appeals.iter().filter(|(_, appealed)| appealed.outcome.is_none());
    open.map(|(id, appealed)| (id.to_string(), format!("{id}, against {}", appealed.decision))).collect()
}

pub(super) fn admit_appeal(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let id = sheet.choice("id", "Which appeal", "", &appeals(ground));
    let reason = sheet.text("reason", "Why it is heard all the same", "");
    act(Act::AdmitAppeal { id: parsed(id)?, reason: reason? })
}

pub(super) fn decide_appeal(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let id = sheet.choice("id", "Which appeal", "", &appeals(ground));
    let all = choices(&[
        ("rejected", "Rejected: the decision stands"),
        ("in-part", "Upheld in part"),
        ("upheld", "Upheld: all of it is to be lifted"),
    ]);
    let outcome = sheet.choice("outcome", "How", "", &all);
    let reasons = sheet.text("reasons", "Why", "");
    let outcome = match outcome?.as_str() {
        "rejected" => AppealOutcome::Rejected,
        "in-part" => AppealOutcome::UpheldInPart,
        _ => AppealOutcome::Upheld,
    };
    act(Act::DecideAppeal { id: parsed(id)?, outcome, reasons: reasons? })
}

pub(super) fn name_publicly(sheet: &mut Sheet<'_>, _: &Ground<'_>) -> Option<Doing> {
    act(Act::NamePublicly { reasons: sheet.text("reasons", "Why", "")? })
}

fn published(ground: &Ground<'_>) -> Vec<(String, String)> {
    let case = &ground.file.case;
    let notices =
        case.decisions.iter().filter_map(|(id, decided)| Some((decided.notice?.public, format!("statement of {id}"))));
    let corrections = case.corrections.values().map(|text| (*text, "correction".to_owned()));
    notices.chain(corrections).map(|(text, what)| (text.to_string(), format!("{what}, {}", short(&text)))).collect()
}

pub(super) fn correction(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    if published(ground).is_empty() {
        return None;
    }
    let text = sheet.words("text", "What takes its place", "Say what was wrong, since when, and what is right.", "")?;
    Some(Doing::Draft(vec![(DraftOf::Correction, text)]))
}

pub(super) fn correct(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let statement = sheet.choice("statement", "What was wrong", "", &published(ground));
    let ready = drafts(ground, true, |of| *of == DraftOf::Correction);
    let text: Option<Text> = parsed(sheet.choice(
        "text",
        "Which correction",
        "Those that a second person has confirmed.",
        &as_options(&ready),
    ));
    let (statement, text) = (parsed(statement)?, text?);
    let Some(correction) = opened(ground, &text).or_else(|| sheet.is_probe().then(String::new)) else {
        sheet.form.refuse_all("The correction is sealed to you: unlock your key first.");
        return None;
    };
    Some(Doing::Correct { statement, correction })
}

pub(super) fn words_to_employees(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let hint = "What was found and what follows, for people who work here. No report and nobody with a part in the case; the \
                customer only where two who decide said that it may be named.";
    let text = sheet.words("text", "What they are told", hint, "")?;
    if let Err(fault) = for_employees(&ground.file.case, &text) {
        sheet.form.refuse("text", fault.to_string());
        return None;
    }
    Some(Doing::Draft(vec![(DraftOf::Employees, text)]))
}

pub(super) fn tell_employees(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let ready = drafts(ground, true, |of| *of == DraftOf::Employees);
    let shown = if sheet.is_shown() { ready.as_slice() } else { &[] };
    for draft in shown {
        sheet.said(&words_of(draft), &told(ground, &draft.text));
    }
    let hint = "Those that a second person has confirmed.";
    let text: Option<Text> = parsed(sheet.choice("text", "In which words", hint, &as_options(&ready)));
    let text = text?;
    let Some(words) = opened(ground, &text).or_else(|| sheet.is_probe().then(|| "probe".to_owned())) else {
        sheet.form.refuse_all("The words are sealed to you: unlock your key first.");
        return None;
    };
    match for_employees(&ground.file.case, &words) {
        Ok(names_customer) => Some(Doing::Tell { words, names_customer }),
        Err(fault) => {
            sheet.form.refuse("text", fault.to_string());
            None
        }
    }
}

pub(super) fn take_in(sheet: &mut Sheet<'_>, _: &Ground<'_>) -> Option<Doing> {
    let other = sheet.named("other", "Which case", "Of the same clause and customer.", "")?;
    Some(Doing::Merge(other))
}

pub(super) fn decide_use(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    if !ground.file.case.is_declared_use() {
        return None;
    }
    let all = choices(&[
        ("approved", "It may go on"),
        ("conditions", "It may, within limits that are watched"),
        ("rejected", "It may not"),
    ]);
    let said = sheet.choice("may", "The declared use", "", &all);
    let calls: Option<Option<i64>> = sheet.named_or_none("calls", "The limit: calls an hour, at most", "");
    let until = sheet.day_or_none("until", "The limit: until when", "");
    let reasons = sheet.text("reasons", "Why", "");
    let may = match (said?.as_str(), calls?, until?) {
        ("approved", ..) => DeclaredUse::Approved,
        ("rejected", ..) => DeclaredUse::Rejected,
        (_, Some(calls_per_hour), Some(until)) => DeclaredUse::Conditions { calls_per_hour, until },
        _ => {
            sheet.form.refuse("calls", "Limits are calls an hour, and a day.");
            return None;
        }
    };
    act(Act::DecideUse { may, reasons: reasons? })
}

pub(super) fn close(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let remedy = sheet.text("remedy", "Remedy", "What is done for those who were affected, or why nothing.");
    let consulted =
        sheet.text("consulted", "Who was consulted", "How those affected, or who speaks for them, were asked.");
    let lesson = sheet.text("lesson", "Lesson", "What is learnt from it.");
    // Of a declared use, what two decided is how it ends.
    let declared_use = ground.file.case.decided_use().cloned();
    if let Some(may) = &declared_use {
        sheet.said("The declared use", &format!("As two decided, {}.", use_words(may)));
    }
    act(Act::Close(Closing { remedy: remedy?, consulted: consulted?, lesson: lesson?, declared_use }))
}

pub(super) fn reopen(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let newest = ground.file.case.custody.iter().rev().map(|(id, ..)| id);
    let mut seen = BTreeSet::new();
    let newest = options(newest.filter(|id| seen.insert((*id).clone())));
    act(Act::Reopen {
        material: parsed(sheet.choice("material", "On what", "Evidence that came in since it was closed.", &newest))?,
    })
}
