//! The yearly transparency report, every number with its meaning and a bar; and what the public log alone tells of each
//! month.
//!
//! The numbers are those of the published table ([`review::counts`]); none is computed here.

use super::{KEPT_SECONDS, files, shelf};
use crate::answer::{Problem, kept, page};
use crate::frame::{Frame, Reader};
use crate::pages::Pages;
use crate::words::Language;
use askama::Template;
use axum::extract::{Path as Asked, State};
use axum::response::Response;
use clerk::Month;
use review::counts::Counts;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The sections of a report: heading, what its numbers mean, and which indicators stand in it.
const SECTIONS: [(&str, &str, &[&str]); 6] = [
    (
        "numbers-reports",
        "numbers-reports-says",
        &["reports_received", "reports_acknowledged_in_time", "reports_triaged_in_time", "reviews_asked"],
    ),
    (
        "numbers-cases",
        "numbers-cases-says",
        &[
            "cases_opened",
            "cases_open",
            "cases_closed",
            "cases_merged",
            "cases_reopened",
            "determinations",
            "median_days_to_decision",
        ],
    ),
    (
        "numbers-decisions",
        "numbers-decisions-says",
        &[
            "decisions_proposed",
            "decisions_approved",
            "decisions_refused",
            "measures_taken",
            "emergencies",
            "emergencies_lapsed",
            "hearings_waived",
            "leaving_decided",
            "restrictions_in_force",
            "kinds_of_use",
        ],
    ),
    (
        "numbers-appeals",
        "numbers-appeals-says",
        &[
            "appeals_filed",
            "appeals_late",
            "appeals_admitted",
            "appeals_rejected",
            "appeals_upheld_in_part",
            "appeals_upheld",
            "corrections",
            "employees_told",
        ],
    ),
    ("numbers-missed", "numbers-missed-says", &["deadlines_missed"]),
    ("numbers-contacts", "numbers-contacts-says", &["contacts"]),
];

/// What each indicator is called, and each part of one.
const NAMES: [(&str, &str); 73] = [
    ("reports_received", "row-reports-received"),
    ("reports_acknowledged_in_time", "row-reports-acknowledged"),
    ("reports_triaged_in_time", "row-reports-triaged"),
    ("reviews_asked", "row-reviews-asked"),
    ("cases_opened", "row-cases-opened"),
    ("cases_open", "row-cases-open"),
    ("cases_closed", "row-cases-closed"),
    ("cases_merged", "row-cases-merged"),
    ("cases_reopened", "row-cases-reopened"),
    ("determinations", "row-determinations"),
    ("median_days_to_decision", "row-median-days"),
    ("decisions_proposed", "row-proposed"),
    ("decisions_approved", "row-approved"),
    ("decisions_refused", "row-refused"),
    ("measures_taken", "row-measures-taken"),
    ("leaving_decided", "row-leaving-decided"),
    ("kinds_of_use", "row-kinds-of-use"),
    ("employees_told", "row-employees-told"),
    ("emergencies", "row-emergencies"),
    ("emergencies_lapsed", "row-emergencies-lapsed"),
    ("hearings_waived", "row-hearings-waived"),
    ("restrictions_in_force", "row-in-force"),
    ("appeals_filed", "row-appeals-filed"),
    ("appeals_late", "row-appeals-late"),
    ("appeals_admitted", "row-appeals-admitted"),
    ("appeals_rejected", "row-appeals-rejected"),
    ("appeals_upheld_in_part", "row-appeals-part"),
    ("appeals_upheld", "row-appeals-upheld"),
    ("corrections", "row-corrections"),
    ("deadlines_missed", "row-missed"),
    ("contacts", "row-contacts"),
    ("anonymous", "part-anonymous"),
    ("named", "part-named"),
    ("employee", "part-employee"),
    ("machine", "part-machine"),
    ("finding", "part-finding"),
    ("report", "part-report"),
    ("both", "part-both"),
    ("established", "part-established"),
    ("not-established", "part-not-established"),
    ("inconclusive", "part-inconclusive"),
    ("lift", "part-lift"),
    ("sales", "part-sales"),
    ("executive", "part-executive"),
    ("authority", "part-authority"),
    ("reviewer", "part-reviewer"),
    ("decider", "part-decider"),
    ("other", "part-other"),
    ("let-go", "part-let-go"),
    ("hold-export", "part-hold-export"),
    ("preserve", "part-preserve"),
    ("stopped", "part-stopped"),
    ("still", "part-still"),
    ("as_before", "part-as-before"),
    ("less", "part-less"),
    ("", "part-none"),
    ("acknowledge a report", "clock-acknowledge"),
    ("look at a report", "clock-triage"),
    ("tell who reported", "clock-tell"),
    ("decide whether an interim measure is needed", "clock-interim"),
    ("preliminary statement", "clock-preliminary"),
    ("final statement", "clock-final"),
    ("the customer's answer", "clock-answer"),
    ("two decide about the data that leaves", "clock-leaving"),
    ("check after 30 days", "clock-check-30"),
    ("check after 90 days", "clock-check-90"),
    ("check after 180 days", "clock-check-180"),
    ("end what people do", "clock-task"),
    ("look again at a decision", "clock-look-again"),
    ("look again at a declared use", "clock-look-use"),
    ("tell employees", "clock-employees"),
    ("decide an appeal", "clock-appeal"),
    ("carry out an appeal", "clock-carry-out"),
];

/// A number with its name and its bar.
struct Row {
    name: String,
    value: String,
    /// Per cent of the section's largest.
    width: u64,
}

struct Section {
    heading: &'static str,
    says: &'static str,
    rows: Vec<Row>,
}

/// What an indicator is called. What a policy pack calls itself stands as it is.
fn called(pages: &Pages, language: Language, indicator: &str) -> String {
    let one = |part: &str| {
        let known = NAMES.iter().find(|(name, _)| *name == part).map(|(_, message)| language.say(message));
        let interventions = || pages.settings.policies.iter().flat_map(|policy| &policy.procedure.interventions);
        let title = || interventions().find(|one| one.id.as_str() == part).map(|one| one.title.clone());
        known.or_else(title).unwrap_or_else(|| part.to_owned())
    };
    indicator.split('/').map(one).collect::<Vec<_>>().join(" · ")
}

fn sections(pages: &Pages, language: Language, rows: &[(String, String)]) -> Vec<Section> {
    let of =
        |row: &(String, String), names: &[&str]| row.0.split('/').next().is_some_and(|first| names.contains(&first));
    let section = |(heading, says, names): &(&'static str, &'static str, &[&str])| {
        let rows: Vec<_> = rows.iter().filter(|row| of(row, names)).collect();
        let number = |value: &str| value.parse::<u64>().unwrap_or_default();
        let largest = rows.iter().map(|(_, value)| number(value)).max().unwrap_or_default().max(1);
        let row = |(indicator, value): &&(String, String)| Row {
            name: called(pages, language, indicator),
            value: if value.is_empty() { language.say("part-none") } else { value.clone() },
            width: number(value).saturating_mul(100) / largest,
        };
        Section { heading, says, rows: rows.iter().map(row).collect() }
    };
    SECTIONS.iter().map(section).collect()
}

#[derive(Template)]
#[template(path = "year.html")]
struct YearPage {
    frame: Frame,
    year: i32,
    sections: Vec<Section>,
    digest: String,
    place: Option<u64>,
    before: Option<i32>,
    after: Option<i32>,
}

/// `GET /transparency/2026`, and the table alone with `.csv`.
pub(super) async fn year(
    state: State<Arc<Pages>>,
    reader: Reader,
    Asked(name): Asked<String>,
) -> Result<Response, Problem> {
    let bare = name.strip_suffix(".csv").unwrap_or(&name);
    let form = bare.len() == 4 && bare.bytes().all(|byte| byte.is_ascii_digit());
    let year: i32 = bare.parse().ok().filter(|_| form).ok_or_else(Problem::missing)?;
    if bare.len() < name.len() {
        return files::numbers(state, year).await;
    }
    let State(pages) = state;
    let shelf = shelf(&pages).await?;
    let published = shelf.years.get(&year).ok_or_else(Problem::missing)?;
    let title = reader.language.tell("year-title", &[("year", bare.into())]);
    let answer = page(&YearPage {
        frame: Frame::new(&pages, &reader, &title),
        year,
        sections: sections(&pages, reader.language, &published.rows),
        digest: published.digest.to_string(),
        place: published.place,
        before: shelf.years.range(..year).next_back().map(|(year, _)| *year),
        after: shelf.years.range(year.saturating_add(1)..).next().map(|(year, _)| *year),
    })?;
    Ok(kept(answer, KEPT_SECONDS))
}

#[derive(Template)]
#[template(path = "transparency.html")]
struct YearsPage<'a> {
    frame: Frame,
    years: Vec<i32>,
    months: Vec<(&'a str, Month)>,
    largest: u64,
    /// What is counted, though nothing of it may have happened yet.
    counted: Vec<Section>,
}

impl YearsPage<'_> {
    fn cells(&self, of: &Month) -> [(&'static str, u64); 5] {
        [
            ("months-decisions", of.decisions),
            ("months-lifts", of.lifts),
            ("months-statements", of.statements),
            ("months-corrections", of.corrections),
            ("months-erasures", of.erasures),
        ]
    }

    fn width(&self, number: &u64) -> u64 {
        number.saturating_mul(100) / self.largest.max(1)
    }
}

/// Months of the log that are shown.
const MONTHS: usize = 24;

/// `GET /transparency`
pub(super) async fn years(State(pages): State<Arc<Pages>>, reader: Reader) -> Result<Response, Problem> {
    let shelf = shelf(&pages).await?;
    let frame = Frame::new(&pages, &reader, &reader.language.say("transparency-title"));
    let months: Vec<_> = shelf.months.iter().rev().take(MONTHS).map(|(month, of)| (month.as_str(), *of)).collect();
    let of = |month: &Month| [month.decisions, month.lifts, month.statements, month.corrections, month.erasures];
    let largest = months.iter().flat_map(|(_, month)| of(month)).max().unwrap_or_default();
    let known: BTreeSet<_> = shelf.years.keys().copied().collect();
    let counted =
        if known.is_empty() { sections(&pages, reader.language, &Counts::default().rows()) } else { Vec::new() };
    let years = known.into_iter().rev().collect();
    Ok(kept(page(&YearsPage { frame, years, months, largest, counted })?, KEPT_SECONDS))
}
