//! A case in a paragraph, from its state alone.

use super::acts::outcome_words;
use super::deeds::order_words;
use clerk::File;
use review::act::{Established, Source};
use review::case::{Decided, Phase, Standing};
use review::words::Moment;

/// What happened so far, and where it stands.
pub(super) fn story(file: &File, now: Moment) -> String {
    let mut said = vec![opening(file)];
    said.extend(people(file));
    said.push(proof(file, now));
    said.extend(file.case.decisions.values().map(|decided| decision(file, decided)));
    said.extend(rest(file));
    said.retain(|sentence| !sentence.is_empty());
    said.join(" ")
}

fn count(number: usize, one: &str, many: &str) -> String {
    match number {
        1 => format!("one {one}"),
        _ => format!("{number} {many}"),
    }
}

fn opening(file: &File) -> String {
    let case = &file.case;
    let findings = case.sources.iter().filter(|source| matches!(source, Source::Finding { .. })).count();
    let reports = case.sources.len() - findings;
    let mut from = Vec::new();
    if findings > 0 {
        from.push(count(findings, "finding", "findings"));
    }
    if reports > 0 {
        from.push(count(reports, "report", "reports"));
    }
    let what = if case.is_declared_use() { "a declared use" } else { "a workload" };
    let accounts = count(case.accounts.len(), "account", "accounts");
    format!("Opened on {} from {}, on {what} of {accounts}.", case.opened.day(), from.join(" and "))
}

fn people(file: &File) -> Option<String> {
    let carries = file.case.parts.iter().filter(|(_, part)| !part.released && !part.roles.is_empty());
    let names: Vec<String> = carries.map(|(person, _)| person.to_string()).collect();
    Some(match names.as_slice() {
        [] => "Nobody has a part in it yet.".to_owned(),
        [one] => format!("{one} has a part in it."),
        [rest @ .., last] => format!("{} and {last} have a part in it.", rest.join(", ")),
    })
}

fn proof(file: &File, now: Moment) -> String {
    let (case, steps) = (&file.case, &file.law.procedure.steps);
    let done = steps.iter().filter(|step| case.steps.contains_key(&step.id)).count();
    let heard = match () {
        () if case.hearing_waived.len() >= 2 => "two people recorded why the customer is not heard before",
        () if case.questions.is_empty() => "the customer was not asked yet",
        () if case.questions.values().all(|question| question.answer.is_some()) => "the customer has answered",
        () if case.heard(now) => "the customer let the time to answer pass",
        () => "the customer has time to answer",
    };
    let proof = match case.standing_determination() {
        None => "No determination stands.".to_owned(),
        Some((_, determined)) => {
            let elements = &determined.determination.elements;
            let shown = elements.values().filter(|one| one.answer == Established::Established).count();
            let dissent = match determined.dissents.len() {
                0 => String::new(),
                others => format!(", and {}", count(others, "person sees it otherwise", "people see it otherwise")),
            };
            let (all, day) = (elements.len(), determined.at.day());
            format!("The determination of {day} holds {shown} of {all} elements established{dissent}.")
        }
    };
    format!("{done} of {} steps are done; {heard}. {proof}", steps.len())
}

fn decision(file: &File, decided: &Decided) -> String {
    let (id, what) = (&decided.decision.id, order_words(file, decided));
    match decided.standing {
        Standing::Proposed => {
            let (there, needed) = (decided.approvals.len(), file.law.procedure.approvals);
            format!("{id} ({what}) is before those who decide, with {there} of {needed} approvals.")
        }
        Standing::Refused => format!("{id} ({what}) was refused."),
        Standing::Approved => match decided.notice {
            None => format!("{id} ({what}) is approved; its statement of reasons is still to be served."),
            Some(notice) => format!("{id} ({what}) is approved, and its statement was served on {}.", notice.at.day()),
        },
        Standing::InEffect => {
            let since = decided.effect.map(|effect| effect.day()).unwrap_or_default();
            let targets = count(decided.in_force.len(), "target is", "targets are");
            format!("{id} ({what}) has been in effect since {since}: {targets} switched off.")
        }
        Standing::Over => format!("{id} ({what}) is over."),
    }
}

fn rest(file: &File) -> Vec<String> {
    let case = &file.case;
    let mut said = Vec::new();
    for (id, appealed) in &case.appeals {
        said.push(match appealed.outcome {
            Some(outcome) => format!("Appeal {id} against {} was {}.", appealed.decision, outcome_words(outcome)),
            None => format!("Appeal {id} against {} is being heard.", appealed.decision),
        });
    }
    if case.leaving.iter().any(|noted| noted.choice.is_none()) {
        said.push("Data leaves its accounts, and two people are to decide what is done about it.".to_owned());
    }
    let open = case.follow_ups.values().filter(|settled| !**settled).count();
    if open > 0 {
        said.push(format!("{} open.", count(open, "follow-up is", "follow-ups are")));
    }
    match &case.phase {
        Phase::Open => {}
        Phase::Closed => {
            said.extend(case.closings.last().map(|(at, by, _)| format!("{by} closed it on {}.", at.day())))
        }
        Phase::Merged(other) => said.push(format!("It goes on in {other}.")),
    }
    said
}
