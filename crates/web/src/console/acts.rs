//! An act in words, for the record of a case and for whoever finds that it has changed. It says what happened, never what may.

use super::deeds::{order_words, short};
use super::preview::stopping;
use crate::plain::thousands;
use clerk::File;
use review::act::{Act, Appeal, AppealOutcome, Contact, DeclaredUse, Leaving, Source};
use review::metered::Forecast;
use review::words::{DecisionId, Moment};

/// What happened, in a line, for the record of a case.
pub(super) fn act_words(file: &File, act: &Act) -> String {
    let order =
        |id: &DecisionId| file.case.decisions.get(id).map(|decided| order_words(file, decided)).unwrap_or_default();
    match act {
        Act::Open(opening) => format!("opened the case on {} accounts", thousands(opening.accounts.len() as u64)),
        Act::Join { source: Source::Report { report }, .. } => format!("let report {report} join"),
        Act::Join { source: Source::Declaration(one), .. } => format!("let declaration {} join", one.declaration),
        Act::Join { .. } => "let a finding join".to_owned(),
        Act::TakeIn { other, .. } => format!("took {other} in"),
        Act::GoOnIn { other } => format!("it goes on in {other}"),
        Act::Assign { person, role } => format!("gave {person} a part as {}", role.name()),
        Act::Declare { conflict: None } => "declared no conflict".to_owned(),
        Act::Declare { .. } => "declared a conflict".to_owned(),
        Act::Release { person } => format!("released {person}"),
        Act::NoteContact { from, with, .. } => format!("recorded that {} spoke with {with}", contact_words(*from)),
        Act::CompleteStep { step, .. } => format!("did the step {step}"),
        Act::AddEvidence(item) => format!("added evidence {}: {}", item.id, item.basis.words()),
        Act::HandleEvidence { evidence, .. } => format!("handled evidence {evidence}"),
        Act::ConfirmSafe { text, written_by } => {
            format!("confirmed that text {} of {written_by} identifies no source", short(text))
        }
        Act::Ask { id, until, .. } => format!("put question {id} to the customer, until {}", until.day()),
        Act::Answer { id, text: Some(_) } => format!("answered question {id}"),
        Act::Answer { id, text: None } => format!("refused to answer question {id}"),
        Act::WaiveHearing { .. } => "said that the customer is not heard before".to_owned(),
        Act::Determine(_) => "answered every element".to_owned(),
        Act::Dissent { determination, .. } => format!("sees determination {determination} otherwise"),
        Act::Propose(decision) => format!("proposed {}: {}", decision.id, order(&decision.id)),
        Act::Preview { decision, metered } => {
            let targets = file.case.decisions.get(decision).map_or(&[][..], |decided| &decided.decision.targets);
            let Forecast { stops, beyond, goes_on } = metered.forecast(targets);
            format!(
                "looked by recent usage at {decision}: {}, {goes_on} {}",
                stopping(stops, beyond),
                if goes_on == 1 { "goes on" } else { "go on" }
            )
        }
        Act::Compare { decision, metered } => {
            let (from, to) = (metered.from.day(), Moment(metered.to.0 - 1).day());
            format!("held the usage of {from} to {to} against the preview of {decision}")
        }
        Act::Approve { decision, .. } => format!("approved {decision}, with a signature"),
        Act::Refuse { decision, .. } => format!("refused {decision}"),
        Act::ServeNotice { decision, .. } => format!("served the statement of reasons of {decision}"),
        Act::TakeEffect { decision, .. } => format!("brought {decision} into effect"),
        Act::RunOut { decision } => format!("said that the time of {decision} is over"),
        Act::Entrust { decision, to, due } => {
            format!("entrusted {to} with what {decision} has people end, by {}", due.day())
        }
        Act::Attest { decision, .. } => format!("attested that what {decision} orders is done"),
        Act::NoteLeaving { .. } => "recorded that data leaves".to_owned(),
        Act::DecideLeaving { choice, .. } => format!("on data that leaves: {}", leaving_words(choice)),
        Act::Check { decision, days, use_ended, rest_as_before } => {
            let (ended, rest) = (
                if *use_ended { "has ended" } else { "goes on" },
                if *rest_as_before { "as before" } else { "not as before" },
            );
            format!("checked {decision} after {days} days: the use {ended}, the rest is {rest}")
        }
        Act::LookAgain { decision, next: Some(next), .. } => {
            format!("looked again at {decision}: it stands, until it is looked at on {}", next.day())
        }
        Act::LookAgain { decision, .. } => format!("looked again at {decision}: it stands until its end"),
        Act::FollowUp { id, .. } => format!("recorded follow-up {id}"),
        Act::SettleFollowUp { id, .. } => format!("settled follow-up {id}"),
        Act::Appeal(Appeal { id, decision, .. }) => format!("appealed against {decision} ({id})"),
        Act::AdmitAppeal { id, .. } => format!("admitted appeal {id}, although late"),
        Act::DecideAppeal { id, outcome, .. } => format!("on appeal {id}: {}", outcome_words(*outcome)),
        Act::NamePublicly { .. } => "said that the customer may be named in public".to_owned(),
        Act::Correct { statement, .. } => format!("corrected what was published as {}", short(statement)),
        Act::TellEmployees { .. } => "told employees what was decided".to_owned(),
        Act::Hold { until, .. } => format!("put the case off until {}", until.day()),
        Act::TakeUp => "took the case up again".to_owned(),
        Act::Escalate { to, .. } => format!("asked {} upwards", to.name().replace('-', " ")),
        Act::Respond { role, .. } => format!("answered as {} what went up", role.name().replace('-', " ")),
        Act::DecideUse { may, .. } => format!("on the declared use: {}", use_words(may)),
        Act::Close(_) => "closed the case".to_owned(),
        Act::Reopen { material } => format!("reopened the case on {material}"),
    }
}

/// Who spoke with somebody, in words.
pub(super) fn contact_words(from: Contact) -> &'static str {
    match from {
        Contact::Sales => "sales",
        Contact::Executive => "an executive",
        Contact::Authority => "an authority",
    }
}

/// What is done about data that leaves, in words.
pub(super) fn leaving_words(choice: &Leaving) -> &'static str {
    match choice {
        Leaving::LetGo => "let it go",
        Leaving::HoldExport => "hold bulk export",
        Leaving::Preserve { .. } => "preserve it, on a legal order",
    }
}

/// Whether a declared use may go on, in words.
pub(super) fn use_words(may: &DeclaredUse) -> String {
    match may {
        DeclaredUse::Approved => "it may go on".to_owned(),
        DeclaredUse::Conditions { calls_per_hour, until } => {
            let calls = thousands(u64::try_from(*calls_per_hour).unwrap_or_default());
            format!("it may go on, with at most {calls} calls an hour, until {}", until.day())
        }
        DeclaredUse::Rejected => "it may not go on".to_owned(),
    }
}

/// How an appeal ended, in words.
pub(super) fn outcome_words(outcome: AppealOutcome) -> &'static str {
    match outcome {
        AppealOutcome::Rejected => "rejected",
        AppealOutcome::UpheldInPart => "upheld in part",
        AppealOutcome::Upheld => "upheld",
    }
}
