//! What a case rests on: reports that join it, items of evidence, who handled them.

use super::{Doing, Ground, act, parsed};
use crate::console::sheet::{Sheet, choices, options};
use review::act::{Act, Item, Source};
use review::procedure::Basis;
use review::words::{AccountId, ReportId, ServiceId};
use std::collections::BTreeSet;

/// What may show something, as forms name it.
const BASES: [(&str, Basis, &str); 5] = [
    ("meters", Basis::Meters, "Meters: the provider’s own"),
    ("document", Basis::Document, "A document"),
    ("outside-source", Basis::OutsideSource, "What somebody outside tells"),
    ("customer-answer", Basis::CustomerAnswer, "The customer’s answer, or refusal"),
    ("opinion", Basis::Opinion, "An opinion of counsel or an expert"),
];

pub(super) fn join(sheet: &mut Sheet<'_>, _: &Ground<'_>) -> Option<Doing> {
    let report: Option<ReportId> = sheet.named("report", "Which report", "As the list of reports names it.", "");
    let accounts: Option<Vec<AccountId>> = sheet.lines(
        "accounts",
        "Accounts it is about, besides those of the case",
        "One per line; none if it names no other.",
    );
    let accounts = accounts?.into_iter().collect();
    act(Act::Join { source: Source::Report { report: report? }, accounts })
}

pub(super) fn about(text: &str) -> Option<(AccountId, Option<ServiceId>)> {
    match text.split_once('\t') {
        Some((account, service)) => Some((account.parse().ok()?, Some(service.parse().ok()?))),
        None => Some((text.parse().ok()?, None)),
    }
}

pub(super) fn evidence(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let case = &ground.file.case;
    let next = format!("e{}", case.evidence.len() + 1);
    let id = sheet.named("id", "Its name within the case", "", &next);
    let bases: Vec<(String, String)> =
        BASES.iter().map(|(name, _, words)| ((*name).to_owned(), (*words).to_owned())).collect();
    let basis = sheet.choice("basis", "What it is", "It decides which elements it may show.", &bases);
    let digest = sheet.text(
        "text",
        "Its content",
        "An explanation, as “tribune explain --format json” prints it, is drawn on its own page.",
    );
    let origin =
        sheet.named("origin", "Where it ultimately comes from", "What shares an origin counts once.", "provider");
    let accounts = options(&case.accounts);
    let whole =
        sheet.checks("account", "All of these accounts", "A target must lie within what evidence is about.", &accounts);
    let hint = "One per line: ACCOUNT SERVICE, as gates name it (object-storage). Narrower is better.";
    let parts: Option<Vec<String>> = sheet.lines("about", "Services on accounts it is about", hint);
    let anonymous = sheet.checks("anonymous", "Its maker", "", &choices(&[("yes", "Nobody knows who made it")]));
    let mut on: BTreeSet<_> = whole?.iter().filter_map(|account| about(account)).collect();
    for line in parts? {
        let Some((account, service)) = line.rsplit_once(char::is_whitespace) else {
            sheet.form.refuse("about", format!("“{line}” is no account and service: write ACCOUNT SERVICE"));
            return None;
        };
        on.extend(about(&format!("{}\t{service}", account.trim())));
    }
    let basis = basis.and_then(|basis| BASES.iter().find(|(name, ..)| *name == basis));
    let (id, basis, anonymous) = (id?, basis?.1, !anonymous?.is_empty() && !sheet.is_probe());
    act(Act::AddEvidence(Item { id, digest: digest?, basis, origin: origin?, anonymous, about: on }))
}

pub(super) fn handle(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let evidence = sheet.choice("evidence", "Which item", "", &options(ground.file.case.evidence.keys()));
    let note = sheet.text("note", "What was done with it", "");
    act(Act::HandleEvidence { evidence: parsed(evidence)?, note: note? })
}
