//! The transparency report of a year in the harmonised templates of the EU: Commission Implementing Regulation (EU)
//! 2024/2835, one part a file.
//!
//! The templates themselves, headers and row labels, are the files in `harmonised/`, as reports filed by different
//! providers have them alike (`docs/harmonised.md` says how sure that is, and which cell comes from where). Every number
//! is recomputed from events and must agree with [`Counts`]. What the record cannot know, the operator gives, cell by cell;
//! a cell that comes from the record is not given, and what nobody gives stays empty. It reads no file and publishes
//! nothing.

mod year;

use crate::act::{AppealOutcome, Event};
use crate::counts::{Counts, Uncounted};
use crate::procedure::Procedure;
use crate::report::ReportEvent;
use crate::words::Digest;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use year::{About, Complaint, Year};

/// The parts: what their files are called, and the templates.
const PARTS: [(&str, &str); 11] = [
    ("1_report_identification", include_str!("harmonised/1_report_identification.csv")),
    ("2_categories_names", include_str!("harmonised/2_categories_names.csv")),
    ("3_member_states_orders", include_str!("harmonised/3_member_states_orders.csv")),
    ("4_notices", include_str!("harmonised/4_notices.csv")),
    ("5_own_initiative_illegal", include_str!("harmonised/5_own_initiative_illegal.csv")),
    ("6_own_initiative_TC", include_str!("harmonised/6_own_initiative_TC.csv")),
    ("7_appeals_and_recidivism", include_str!("harmonised/7_appeals_and_recidivism.csv")),
    ("8_automated_means", include_str!("harmonised/8_automated_means.csv")),
    ("9_human_resources", include_str!("harmonised/9_human_resources.csv")),
    ("10_AMAR", include_str!("harmonised/10_AMAR.csv")),
    ("11_qualitative", include_str!("harmonised/11_qualitative.csv")),
];

const HOSTS: &str = "Only for providers of hosting services, including online platforms";
const TOTAL: &str = "TOTAL";
const OTHER: &str = "KEYWORD_OTHER";
const OTHER_IN_WORDS: &str = "Description of the sub-category \"Other\"";
const OTHER_TERMS: &str = "STATEMENT_CATEGORY_OTHER_VIOLATION_TC";
const NO_ORDER_SAYS: &str = "STATEMENT_CATEGORY_NOT_SPECIFIED_ORDER";
const NO_NOTICE_SAYS: &str = "STATEMENT_CATEGORY_NOT_SPECIFIED_NOTICE";
const ILLEGAL: &str = "Category of illegal content";
const AGAINST_TERMS: &str = "Category of incompatibility with the provider's terms and conditions";

/// How the columns begin of what Tribune does not do: it hides nothing, takes no money and closes no account.
const RESTRICTIONS: [&str; 3] = ["Visibility restriction", "Monetary restriction", "Account restriction"];

/// The member states, in the order of their English names, as the templates begin and end.
const STATES: [&str; 27] = [
    "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT", "LU", "MT",
    "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE",
];

/// What the record does not know, from the operator.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// The provider's name.
    pub provider: String,
    /// The service that the report is about.
    pub service: String,
    /// The day on which the report is published, `YYYY-MM-DD`.
    pub published: String,
    /// The day of the one before; none where there was none.
    pub previous: Option<String>,
    /// Whether reports to Tribune are notices under Article 16 of the DSA.
    pub article_16: bool,
    /// Under which category of the templates each policy pack falls, by its id.
    #[serde(default)]
    pub policies: BTreeMap<String, Filed>,
    /// Cells that the record cannot fill.
    #[serde(default, rename = "cell")]
    pub cells: Vec<GivenCell>,
}

/// Where a policy pack falls among the categories.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filed {
    /// `STATEMENT_CATEGORY_…`
    pub category: String,
    /// `KEYWORD_…` within it.
    pub keyword: String,
    /// What `KEYWORD_OTHER` is, in words.
    #[serde(default)]
    pub other: String,
}

/// A cell from the operator.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenCell {
    /// In which part, from 1 to 11.
    pub part: usize,
    /// What tells its row from the others: columns and what stands there.
    pub row: BTreeMap<String, String>,
    /// The category that its row stands under, for a keyword that more than one has.
    pub under: Option<String>,
    /// In which column.
    #[serde(default = "value")]
    pub column: String,
    /// What it says.
    pub value: String,
}

fn value() -> String {
    "Value".to_owned()
}

/// Why no report can be made: what is wrong, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The events are not all there.
    #[error(transparent)]
    Uncounted(#[from] Uncounted),
    /// Something of the template is not found.
    #[error("{0}; take it as the template has it")]
    NotThere(String),
    /// More than one row is meant.
    #[error("part {0}: {1} rows are like the one named; name more of its columns, or what it stands `under`")]
    Several(usize, usize),
    /// The cell is not the operator's.
    #[error("part {0}, `{1}`: what stands there comes from the template or the record and is not given; leave it out")]
    NotGiven(usize, String),
    /// Not a day.
    #[error("`{0}` is no day: write YYYY-MM-DD")]
    NoDay(String),
    /// A policy pack without its category.
    #[error("under which category do cases of {0} fall? name it: [policies.{0}] category, keyword, other")]
    Unfiled(String),
    /// `other` belongs to `KEYWORD_OTHER`.
    #[error("policy {0}: say in `other` what {OTHER} is, and of no other keyword")]
    OtherWords(String),
    /// Two ways of counting differ.
    #[error("{0} are {1} by one way of counting and {2} by another; this is a defect of Tribune's, please report it")]
    Disagrees(&'static str, u64, u64),
    /// A template of ours is none.
    #[error("the template of part {0} cannot be read; this is a defect of Tribune's, please report it")]
    Template(&'static str),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Cell {
    /// The template's, or the report's own.
    Label(String),
    /// From the record.
    Known(String),
    /// From the operator.
    Given(String),
    /// Nobody's yet.
    Open,
}

impl Cell {
    fn text(&self) -> &str {
        match self {
            Self::Label(text) | Self::Known(text) | Self::Given(text) => text,
            Self::Open => "",
        }
    }
}

/// A part of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    name: &'static str,
    header: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

/// A row of the tables by category: which it is, and what falls into it.
struct CategoryRow {
    code: String,
    category: String,
    other: String,
}

/// The parts of the report of the year that was counted, in their order.
///
/// # Errors
/// What is wrong with the events, or with what is given.
pub fn harmonised(
    counts: &Counts,
    cases: &[Event],
    reports: &[ReportEvent],
    procedures: &BTreeMap<Digest, Procedure>,
    given: &Given,
) -> Result<Vec<Part>, Fault> {
    let year = Year::of(counts.year, cases, reports, procedures)?;
    agrees(&year, counts)?;
    let templates = PARTS.map(|(name, text)| Part::read(name, text));
    let parts: Vec<Part> = templates.into_iter().collect::<Result<_, _>>()?;
    let [one, two, three, four, five, six, seven, eight, nine, ten, eleven] =
        <[Part; 11]>::try_from(parts).map_err(|_| Fault::Template("all"))?;
    let report = Report { year: &year, given, categories: two.clone() };
    report.check_policies()?;
    let own = given_days(given)?;
    let period = format!("{0:04}-01-01/{0:04}-12-31", counts.year);
    let mut parts = vec![
        report.identification(one, &own, counts.year),
        two,
        report.orders(three),
        report.notices(four),
        report.own_initiative(five, false),
        report.own_initiative(six, true),
        report.complaints(seven),
        report.automated(eight),
        nine,
        ten,
        eleven,
    ];
    for part in &mut parts {
        part.label("Service", &given.service);
        part.label("Reporting period", &period);
    }
    given.cells.iter().try_for_each(|cell| give(&mut parts, cell))?;
    Ok(parts)
}

/// Holds if the sums of a year, as they are told here, are those of its counts.
#[cfg(test)]
pub(crate) fn agree(
    counts: &Counts,
    cases: &[Event],
    reports: &[ReportEvent],
    procedures: &BTreeMap<Digest, Procedure>,
) -> Result<(), Fault> {
    agrees(&Year::of(counts.year, cases, reports, procedures)?, counts)
}

/// The sums of the report are those of the counts.
fn agrees(year: &Year, counts: &Counts) -> Result<(), Fault> {
    let filed = |inaction: bool| {
        year.complaints.iter().filter(|one| one.filed && (one.about == About::Inaction) == inaction).count() as u64
    };
    let ended = |outcome: AppealOutcome| {
        let appeals = year.complaints.iter().filter(|one| one.about != About::Inaction);
        appeals.filter(|one| one.ended.is_some_and(|(how, _)| how == outcome)).count() as u64
    };
    let sums = [
        ("reports received", year.notices.len() as u64, counts.reports_received.values().sum()),
        ("measures taken", year.measures.len() as u64, counts.measures_taken),
        ("reviews asked for", filed(true), counts.reviews_asked),
        ("appeals filed", filed(false), counts.appeals_filed),
        ("appeals rejected", ended(AppealOutcome::Rejected), counts.appeals_rejected),
        ("appeals upheld in part", ended(AppealOutcome::UpheldInPart), counts.appeals_upheld_in_part),
        ("appeals upheld", ended(AppealOutcome::Upheld), counts.appeals_upheld),
    ];
    match sums.into_iter().find(|(_, one, other)| one != other) {
        Some((what, one, other)) => Err(Fault::Disagrees(what, one, other)),
        None => Ok(()),
    }
}

fn given_days(given: &Given) -> Result<[String; 2], Fault> {
    let day = |text: &str| match gate::time::parse(&format!("{text}T00:00:00Z")) {
        Some(_) => Ok(text.to_owned()),
        None => Err(Fault::NoDay(text.to_owned())),
    };
    Ok([day(&given.published)?, given.previous.as_deref().map(day).transpose()?.unwrap_or_default()])
}

/// Puts a cell of the operator's where it belongs.
fn give(parts: &mut [Part], cell: &GivenCell) -> Result<(), Fault> {
    let GivenCell { part: number, row, under, column, value } = cell;
    let not_there = |what: String| Fault::NotThere(format!("part {number}: there is no {what}"));
    let part = number.checked_sub(1).and_then(|place| parts.get_mut(place));
    let part = part.ok_or_else(|| Fault::NotThere(format!("there is no part {number}: they are 1 to 11")))?;
    let place = |column: &String| part.place(column).ok_or_else(|| not_there(format!("column `{column}`")));
    let wanted = row.iter().map(|(column, text)| Ok((place(column)?, text))).collect::<Result<Vec<_>, Fault>>()?;
    let at = place(column)?;
    let is = |(row, cells): &(usize, &Vec<Cell>)| {
        let like =
            wanted.iter().all(|(place, text)| cells.get(*place).is_some_and(|cell| cell.text() == text.as_str()));
        like && under.as_deref().is_none_or(|under| part.category_above(*row) == Some(under))
    };
    let rows: Vec<usize> = part.rows.iter().enumerate().filter(is).map(|(row, _)| row).collect();
    let row = match rows.as_slice() {
        [row] => *row,
        [] => return Err(not_there("such row".to_owned())),
        several => return Err(Fault::Several(*number, several.len())),
    };
    match part.rows.get_mut(row).and_then(|cells| cells.get_mut(at)) {
        Some(open @ Cell::Open) => *open = Cell::Given(value.clone()),
        _ => return Err(Fault::NotGiven(*number, column.clone())),
    }
    Ok(())
}

// ---- the parts ------------------------------------------------------------------------------------------------------

struct Report<'a> {
    year: &'a Year,
    given: &'a Given,
    categories: Part,
}

impl Report<'_> {
    /// Every pack that something fell under is filed, and those that are filed are filed under what there is.
    fn check_policies(&self) -> Result<(), Fault> {
        let used = self.year.measures.iter().map(|one| &one.policy);
        let used = used.chain(self.year.notices.iter().filter_map(|one| one.policy.as_ref()));
        if let Some(policy) = used.into_iter().find(|policy| !self.given.policies.contains_key(*policy)) {
            return Err(Fault::Unfiled(policy.clone()));
        }
        let rows = self.rows(Some(OTHER_TERMS));
        for (policy, filed) in &self.given.policies {
            let there = rows.iter().any(|row| row.category == filed.category && row.code == filed.keyword);
            if !there {
                let what = format!("policy {policy}: there is no {} in {}", filed.keyword, filed.category);
                return Err(Fault::NotThere(what));
            }
            if (filed.keyword == OTHER) == filed.other.trim().is_empty() {
                return Err(Fault::OtherWords(policy.clone()));
            }
        }
        Ok(())
    }

    /// The rows by category: those of illegal content, and with them another category and what is below it.
    fn rows(&self, more: Option<&str>) -> Vec<CategoryRow> {
        let last = [OTHER_TERMS, NO_ORDER_SAYS, NO_NOTICE_SAYS];
        let (mut rows, mut category) = (Vec::new(), TOTAL.to_owned());
        for cells in &self.categories.rows {
            let Some(code) = cells.get(2).map(|cell| cell.text().to_owned()) else { continue };
            if !code.starts_with("KEYWORD_") {
                category.clone_from(&code);
            }
            if last.contains(&category.as_str()) && more != Some(category.as_str()) {
                continue;
            }
            let filed =
                self.given.policies.values().filter(|filed| filed.category == category && filed.keyword == code);
            let mut others: BTreeSet<&str> = filed.map(|filed| filed.other.as_str()).collect();
            others.insert("");
            if others.len() > 1 {
                others.remove("");
            }
            let row =
                |other: &str| CategoryRow { code: code.clone(), category: category.clone(), other: other.to_owned() };
            rows.extend(others.into_iter().map(row));
        }
        rows
    }

    /// Whether something of a policy pack falls into a row; of none, or of one whose category is not among them, into
    /// the one that is for such.
    fn falls(&self, policy: Option<&str>, row: &CategoryRow, rest: Option<&str>) -> bool {
        if row.code == TOTAL {
            return true;
        }
        match policy.and_then(|policy| self.given.policies.get(policy)) {
            Some(filed) if rest.is_none() || filed.category != OTHER_TERMS => {
                let within = row.code == filed.keyword && row.other == filed.other;
                row.category == filed.category && (row.code == row.category || within)
            }
            _ => rest == Some(row.code.as_str()),
        }
    }

    fn identification(&self, mut part: Part, [published, previous]: &[String; 2], year: i64) -> Part {
        let first = format!("{year:04}-01-01");
        let last = format!("{year:04}-12-31");
        for (indicator, text) in [
            ("Name of the service provider", &self.given.provider),
            ("Date of the publication of the report", published),
            ("Date of the publication of the latest previous report", previous),
            ("Starting date of reporting period", &first),
            ("Ending date of reporting period", &last),
        ] {
            part.know(&[("Indicator", indicator)], "Value", text.clone());
        }
        part
    }

    /// Orders of member states do not come to Tribune: every cell is the operator's.
    fn orders(&self, mut part: Part) -> Part {
        for scope in std::iter::once(TOTAL).chain(STATES) {
            for row in self.rows(Some(NO_ORDER_SAYS)) {
                part.push(&[
                    ("Applicability", "All"),
                    (ILLEGAL, &row.code),
                    (OTHER_IN_WORDS, &row.other),
                    ("Scope", scope),
                ]);
            }
        }
        part
    }

    /// Where reports are no notices, those come elsewhere and every cell is the operator's.
    fn notices(&self, mut part: Part) -> Part {
        let rest = Some(NO_NOTICE_SAYS);
        for row in self.rows(rest) {
            let at = part.push(&[("Applicability", HOSTS), (ILLEGAL, &row.code), (OTHER_IN_WORDS, &row.other)]);
            if !self.given.article_16 {
                continue;
            }
            let notices = self.year.notices.iter().filter(|one| self.falls(one.policy.as_deref(), &row, rest)).count();
            let acted = self.year.measures.iter().filter(|one| one.on_report);
            let acted: Vec<_> = acted.filter(|one| self.falls(Some(&one.policy), &row, rest)).collect();
            part.number(at, "Number of notices received", notices);
            part.number(at, "Number of actions taken on the basis of the law", 0);
            part.number(
                at,
                "Number of actions taken on the basis of the terms and conditions of the service",
                acted.len(),
            );
            let hours = acted.iter().filter_map(|one| one.hours).collect();
            part.set(at, "Median time to take action", median(hours));
        }
        part
    }

    /// What Tribune orders rests on the terms, never on the law: of illegal content there is none.
    fn own_initiative(&self, mut part: Part, terms: bool) -> Part {
        let (column, more) = if terms { (AGAINST_TERMS, Some(OTHER_TERMS)) } else { (ILLEGAL, None) };
        for row in self.rows(more) {
            let at = part.push(&[("Applicability", "All"), (column, &row.code), (OTHER_IN_WORDS, &row.other)]);
            let own = self.year.measures.iter().filter(|one| terms && !(self.given.article_16 && one.on_report));
            let own: Vec<_> = own.filter(|one| self.falls(Some(&one.policy), &row, None)).collect();
            let restricts = |column: &&String| RESTRICTIONS.iter().any(|one| column.starts_with(one));
            for column in part.header.iter().filter(restricts).cloned().collect::<Vec<_>>() {
                part.number(at, &column, 0);
            }
            let ends = own.iter().filter(|one| one.terminates).count();
            part.number(at, "Number of measures taken at the provider's own initiative", own.len());
            let detected = own.iter().filter(|one| !one.on_report).count();
            part.number(at, "Number of measures taken after detection with solely automated means", detected);
            part.number(at, "Provision of the service Suspension", own.len() - ends);
            part.number(at, "Provision of the service Termination", ends);
        }
        part
    }

    fn complaints(&self, mut part: Part) -> Part {
        let complaint = |one: &&Complaint| one.about != About::Inaction || self.given.article_16;
        let all: Vec<&Complaint> = self.year.complaints.iter().filter(complaint).collect();
        let about = |about: About| all.iter().copied().filter(|one| one.about == about).collect::<Vec<_>>();
        let none = Vec::new();
        let inaction =
            "Complaint regarding a decision not to take action on a notice submitted in accordance with Article 16";
        for (indicator, complaints) in [
            ("Number of complaints submitted to the internal-complaints mechanism", &all),
            (
                "Complaint regarding a decision to suspend or terminate the provision of the service",
                &about(About::Provision),
            ),
            (inaction, &about(About::Inaction)),
            (
                "Complaint regarding a decision to remove or disable access to or restrict visibility of information",
                &none,
            ),
            ("Complaint regarding a decision to suspend or terminate an account", &none),
            ("Complaint regarding a decision to restrict the ability to monetise information", &none),
        ] {
            if indicator == inaction && !self.given.article_16 {
                continue;
            }
            let ended = |outcome: AppealOutcome| {
                complaints.iter().filter(|one| one.ended.is_some_and(|(how, _)| how == outcome)).count()
            };
            let filed = complaints.iter().filter(|one| one.filed).count();
            for (scope, number) in [
                ("Total number", filed),
                ("Decisions upheld", ended(AppealOutcome::Rejected)),
                ("Decisions partially reversed", ended(AppealOutcome::UpheldInPart)),
                ("Decisions reversed", ended(AppealOutcome::Upheld)),
            ] {
                part.know(&[("Indicator", indicator), ("Scope", scope)], "Value", number.to_string());
            }
            let hours = complaints.iter().filter_map(|one| one.ended.map(|(_, hours)| hours)).collect();
            part.know(&[("Indicator", indicator), ("Scope", "Median time")], "Value", median(hours));
        }
        part
    }

    /// Nothing is ordered by automated means alone: a restriction needs two people (invariant 2).
    fn automated(&self, mut part: Part) -> Part {
        let on_notice = |on_report: bool| self.given.article_16 && on_report;
        let own = self.year.measures.iter().filter(|one| !on_notice(one.on_report)).count();
        let looked_at = self.year.notices.iter().filter(|one| one.looked_at).count();
        for (indicator, scope, number) in [
            ("Number of measures solely taken by automated means", "Total number", 0),
            ("Number of measures not taken by automated means", "Total number", self.year.measures.len()),
            ("Number of measures solely taken by automated means", "Own-initiative", 0),
            ("Number of measures not taken by automated means", "Own-initiative", own),
            ("Number of notices solely processed by automated means", "NAM Total", 0),
            ("Number of notices not processed by automated means", "NAM Total", looked_at),
        ] {
            if scope == "NAM Total" && !self.given.article_16 {
                continue;
            }
            part.know(&[("Indicator", indicator), ("Scope", scope)], "Value", number.to_string());
        }
        part
    }
}

/// The middle one, in whole hours; nothing of none.
fn median(mut hours: Vec<i64>) -> String {
    hours.sort_unstable();
    let middle = |at: usize| hours.get(at).copied();
    let two = middle(hours.len() / 2).zip(middle(hours.len().saturating_sub(1) / 2));
    two.map_or(String::new(), |(upper, lower)| ((upper + lower) / 2).to_string())
}

// ---- a part as a table ----------------------------------------------------------------------------------------------

impl Part {
    fn read(name: &'static str, text: &str) -> Result<Self, Fault> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let broken = |_| Fault::Template(name);
        let header = reader.headers().map_err(broken)?.iter().map(str::to_owned).collect();
        let cell = |text: &str| if text.is_empty() { Cell::Open } else { Cell::Label(text.to_owned()) };
        let rows = reader.records().map(|row| Ok(row.map_err(broken)?.iter().map(cell).collect()));
        Ok(Self { name, header, rows: rows.collect::<Result<_, Fault>>()? })
    }

    /// What its file is called.
    pub fn file(&self) -> String {
        format!("{}.csv", self.name)
    }

    /// It as a file: CSV of RFC 4180, in UTF-8.
    ///
    /// # Errors
    /// None that can be: every row is as long as the header.
    pub fn csv(&self) -> Result<Vec<u8>, csv::Error> {
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        writer.write_record(&self.header)?;
        for row in &self.rows {
            writer.write_record(row.iter().map(Cell::text))?;
        }
        writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
    }

    fn place(&self, column: &str) -> Option<usize> {
        self.header.iter().position(|one| one == column)
    }

    /// The category that a row is of, or stands under.
    fn category_above(&self, row: usize) -> Option<&str> {
        let column = self.place(ILLEGAL).or_else(|| self.place(AGAINST_TERMS))?;
        let above = self.rows.get(..=row)?.iter().rev().filter_map(|cells| cells.get(column)).map(Cell::text);
        above.into_iter().find(|code| !code.starts_with("KEYWORD_"))
    }

    /// A new row of these labels; gives where.
    fn push(&mut self, labels: &[(&str, &str)]) -> usize {
        let label = |column: &String| {
            let text = labels.iter().find(|(name, text)| name == column && !text.is_empty());
            text.map_or(Cell::Open, |(_, text)| Cell::Label((*text).to_owned()))
        };
        self.rows.push(self.header.iter().map(label).collect());
        self.rows.len() - 1
    }

    fn label(&mut self, column: &str, text: &str) {
        let Some(at) = self.place(column) else { return };
        for cell in self.rows.iter_mut().filter_map(|row| row.get_mut(at)) {
            *cell = Cell::Label(text.to_owned());
        }
    }

    fn set(&mut self, row: usize, column: &str, text: String) {
        let at = self.place(column);
        if let Some(cell) = at.and_then(|at| self.rows.get_mut(row)?.get_mut(at)) {
            *cell = Cell::Known(text);
        }
    }

    fn number(&mut self, row: usize, column: &str, number: usize) {
        self.set(row, column, number.to_string());
    }

    /// Fills the rows that have this in these columns.
    fn know(&mut self, where_: &[(&str, &str)], column: &str, text: String) {
        let places: Vec<(Option<usize>, &str)> = where_.iter().map(|(name, text)| (self.place(name), *text)).collect();
        let is = |row: &Vec<Cell>| {
            places.iter().all(|(at, text)| at.and_then(|at| row.get(at)).is_some_and(|cell| cell.text() == *text))
        };
        let rows: Vec<usize> = self.rows.iter().enumerate().filter(|(_, row)| is(row)).map(|(at, _)| at).collect();
        rows.into_iter().for_each(|row| self.set(row, column, text.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::act::{Act, Appeal, Source};
    use crate::report::{Channel, Deed, Triage};
    use crate::stage::{START, Stage, item, name, procedure, serve, text};
    use crate::words::{Actor, Moment, Role};

    fn procedures() -> BTreeMap<Digest, Procedure> {
        BTreeMap::from([(text("pack"), procedure())])
    }

    fn given() -> Given {
        toml::from_str(
            r#"
            provider = "Example Cloud"
            service = "Example Cloud"
            published = "2027-02-20"
            article_16 = true
            [policies.mass-surveillance]
            category = "STATEMENT_CATEGORY_DATA_PROTECTION_AND_PRIVACY_VIOLATIONS"
            keyword = "KEYWORD_OTHER"
            other = "surveillance of civilians"
            [[cell]]
            part = 10
            row = { Scope = "TOTAL" }
            value = "1200"
            "#,
        )
        .unwrap()
    }

    /// Received, and then what was done so many hours later.
    fn report(id: &str, channel: Channel, deeds: &[(i64, Deed)]) -> Vec<ReportEvent> {
        let received = Deed::Receive { channel, text: text(id), parts: BTreeSet::new(), keep_from: BTreeSet::new() };
        let event = |(number, (hours, deed)): (u64, (i64, Deed))| ReportEvent {
            report: name(id),
            number,
            id: name(&format!("{id}-{number}")),
            at: START.plus_hours(hours),
            by: Some(Actor::Person(name("ines"))),
            deed,
        };
        (1..).zip(std::iter::once((0, received)).chain(deeds.iter().cloned())).map(event).collect()
    }

    fn outside() -> Deed {
        Deed::Triage(Triage::Outside { reason: text("no") })
    }

    /// A year: two measures, one of them on a report; a third that only asks; an appeal; three reports, one of which
    /// others looked at again.
    fn scripted() -> (Vec<Event>, Vec<ReportEvent>) {
        let mut own = Stage::in_effect();
        own.must("customer", Act::Appeal(Appeal { id: name("p1"), decision: name("d1"), ground: text("ground") }));
        own.later(2);
        for panel in ["eve", "fay"] {
            let outcome = AppealOutcome::UpheldInPart;
            own.must(panel, Act::DecideAppeal { id: name("p1"), outcome, reasons: text("reasons") });
        }
        let mut told = Stage::served_later();
        let source = Source::Report { report: name("r1") };
        told.must("tribune", Act::Join { source, accounts: BTreeSet::new() });
        told.must("tribune", told.effect("d1"));
        told.must("ann", Act::Propose(crate::stage::decision("d2", "declaration", &[])));
        told.approve("d2");
        told.safe("asks");
        told.must("ann", serve("d2", "asks"));
        told.must("tribune", told.effect("d2"));
        let moved = told.events.iter().map(|event| Event { case: name("case-2"), ..event.clone() });
        let again = Deed::AskReview { text: text("?"), parts: BTreeSet::new() };
        let reports = [
            report("r1", Channel::Named, &[(20, Deed::Triage(Triage::Case { case: name("case-2") }))]),
            report("r2", Channel::Anonymous, &[(24, outside()), (48, again), (72, outside())]),
            report("r3", Channel::Machine, &[]),
        ];
        (own.events.into_iter().chain(moved).collect(), reports.concat())
    }

    fn made(year: i64, given: &Given) -> Result<Vec<Part>, Fault> {
        let (cases, reports) = scripted();
        let counts = Counts::of(year, &cases, &reports, &procedures()).unwrap();
        harmonised(&counts, &cases, &reports, &procedures(), given)
    }

    fn lines(part: &Part) -> Vec<String> {
        String::from_utf8(part.csv().unwrap()).unwrap().split("\r\n").map(str::to_owned).collect()
    }

    /// The one line that begins so.
    fn line(part: &Part, begins: &str) -> String {
        let lines = lines(part);
        let like: Vec<_> = lines.iter().filter(|line| line.starts_with(begins)).collect();
        assert_eq!(like.len(), 1, "{begins}");
        like[0].clone()
    }

    #[test]
    fn a_scripted_year_gives_exactly_these_rows() {
        let parts = made(2026, &given()).unwrap();
        let names: Vec<String> = parts.iter().map(Part::file).collect();
        assert_eq!((names.len(), names[5].as_str()), (11, "6_own_initiative_TC.csv"));
        let of = |part: usize| &parts[part - 1];
        assert_eq!(
            lines(of(1)),
            [
                "Applicability,Service,Indicator,Value",
                "All,Example Cloud,Name of the service provider,Example Cloud",
                "All,Example Cloud,Date of the publication of the report,2027-02-20",
                "All,Example Cloud,Date of the publication of the latest previous report,",
                "All,Example Cloud,Starting date of reporting period,2026-01-01",
                "All,Example Cloud,Ending date of reporting period,2026-12-31",
                "",
            ]
        );
        let hosts = "\"Only for providers of hosting services, including online platforms\"";
        let notices = |row: &str| line(of(4), &format!("{hosts},Example Cloud,2026-01-01/2026-12-31,{row}"));
        let tail = ",".repeat(10);
        let acted = "STATEMENT_CATEGORY_DATA_PROTECTION_AND_PRIVACY_VIOLATIONS,";
        // Three came, one into a case, whose measure took effect 16 days and 2 hours later.
        assert!(notices("TOTAL,").ends_with(&format!(",TOTAL,,3,,,,386,,0,,1,{tail}")), "{}", notices("TOTAL,"));
        assert!(notices(acted).ends_with(&format!("VIOLATIONS,,1,,,,386,,0,,1,{tail}")), "{}", notices(acted));
        let words = "KEYWORD_OTHER,surveillance of civilians,1,,,,386,,0,,1,";
        assert!(notices(words).ends_with(&tail));
        let unsaid = notices("STATEMENT_CATEGORY_NOT_SPECIFIED_NOTICE");
        assert!(unsaid.ends_with(&format!("_NOTICE,,2,,,,,,0,,0,{tail}")), "{unsaid}");
        let own = |row: &str| line(of(6), &format!("All,Example Cloud,2026-01-01/2026-12-31,{row}"));
        let zeros = "0,".repeat(10);
        let (total, context) = (own("TOTAL,"), ",".repeat(15));
        assert_eq!(total, format!("All,Example Cloud,2026-01-01/2026-12-31,TOTAL,,1,1,{zeros}1,0,0,0,{context}"));
        assert!(own("KEYWORD_OTHER,surveillance of civilians,1,1,").ends_with(&format!("1,0,0,0,{context}")));
        assert!(own("STATEMENT_CATEGORY_OTHER_VIOLATION_TC,,0,0,").ends_with(&format!("0,0,0,0,{context}")));
        let illegal = line(of(5), "All,Example Cloud,2026-01-01/2026-12-31,TOTAL,,0,0,");
        assert!(illegal.ends_with(&format!("0,0,0,0,{context}")));
        let complaints = |row: &str| {
            let lines = lines(of(7));
            let like = lines.iter().filter(|line| line.contains(row));
            like.map(|line| line.rsplit(',').nth(1).unwrap().to_owned()).collect::<Vec<_>>()
        };
        let submitted = "Number of complaints submitted to the internal-complaints mechanism";
        assert_eq!(
            complaints(submitted),
            ["2", "1", "1", "0", "36", ""],
            "an appeal after 49 hours, a review after 24"
        );
        let provision = "Complaint regarding a decision to suspend or terminate the provision of the service";
        assert_eq!(complaints(provision), ["1", "0", "1", "0", "49"]);
        assert_eq!(complaints("on a notice submitted in accordance with Article 16,"), ["1", "1", "0", "0", "24"]);
        assert_eq!(complaints("monetise"), ["0", "0", "0", "0", ""]);
        assert_eq!(complaints("dispute settlement bodies,Number"), [""; 7], "nobody gave them");
        let automated: Vec<String> =
            lines(of(8)).iter().take(12).skip(1).map(|line| line.rsplit(',').nth(1).unwrap().to_owned()).collect();
        assert_eq!(automated, ["0", "2", "", "", "", "0", "1", "", "", "", "0"]);
        assert!(lines(of(8))[12].contains(",NAM Total,2,"), "two of three were looked at");
        assert!(line(of(10), "Only for VLOPs and VLOSEs,Example Cloud,2026-01-01/2026-12-31,AMAR,Number of average monthly active recipients during the reporting period,TOTAL").ends_with(",1200"));
    }

    #[test]
    fn the_tables_are_as_wide_as_their_headers_and_as_long_as_the_template() {
        let parts = made(2026, &given()).unwrap();
        let rows: Vec<usize> = parts.iter().map(|part| part.rows.len()).collect();
        assert_eq!(rows, [5, 100, 28 * 91, 91, 90, 98, 47, 140, 28, 28, 11]);
        for part in &parts {
            assert!(part.rows.iter().all(|row| row.len() == part.header.len()), "{}", part.name);
            assert!(!part.header.iter().any(|one| one.trim() != one || one.is_empty()), "{}", part.name);
        }
    }

    #[test]
    fn categories_add_up_to_their_totals_and_keywords_to_their_categories() {
        let parts = made(2026, &given()).unwrap();
        for part in [&parts[3], &parts[4], &parts[5]] {
            for (at, column) in part.header.iter().enumerate().skip(5) {
                let sum = |begins: &str| {
                    let rows = part.rows.iter().filter(|row| row[3].text().starts_with(begins));
                    rows.filter_map(|row| row[at].text().parse::<u64>().ok()).sum::<u64>()
                };
                if !column.contains("Median") {
                    assert_eq!(sum("TOTAL"), sum("STATEMENT_"), "{column}");
                    let unsaid = part.rows.iter().filter(|row| row[3].text() == NO_NOTICE_SAYS);
                    let unsaid: u64 = unsaid.filter_map(|row| row[at].text().parse::<u64>().ok()).sum();
                    assert_eq!(sum("STATEMENT_"), sum("KEYWORD_") + unsaid, "{column}");
                }
            }
        }
    }

    #[test]
    fn reports_that_are_no_notices_make_every_measure_the_providers_own() {
        let parts = made(2026, &Given { article_16: false, ..given() }).unwrap();
        let total = |part: usize, column: &str| {
            let part = &parts[part - 1];
            part.rows[0][part.place(column).unwrap()].text().to_owned()
        };
        assert!(parts[3].rows.iter().all(|row| row[5..].iter().all(|cell| *cell == Cell::Open)), "others know");
        assert_eq!(total(6, "Number of measures taken at the provider's own initiative"), "2");
        assert_eq!(total(6, "Number of measures taken after detection with solely automated means"), "1");
        assert_eq!(total(7, "Value"), "1", "a reporter's wish is no complaint then");
    }

    #[test]
    fn a_year_that_is_over_is_reported_the_same_whatever_comes_after() {
        let (mut cases, mut reports) = scripted();
        let before = made(2026, &given()).unwrap();
        let later = |days| Moment::start_of_year(2027).plus_days(days);
        let mut stage = Stage::set();
        stage.now = later(3);
        stage.must("ines", item("late", crate::procedure::Basis::Document, "leak"));
        stage.must("ann", Act::Assign { person: name("ivy"), role: Role::Reviewer });
        let moved = stage.events.into_iter().map(|event| Event { case: name("case-3"), ..event });
        cases.extend(moved);
        let number = 2;
        let deed = Deed::Triage(Triage::Case { case: name("case-1") });
        let by = Some(Actor::Person(name("ines")));
        reports.push(ReportEvent { report: name("r3"), number, id: name("r3-2"), at: later(1), by, deed });
        let counts = Counts::of(2026, &cases, &reports, &procedures()).unwrap();
        assert_eq!(harmonised(&counts, &cases, &reports, &procedures(), &given()).unwrap(), before);
    }

    #[test]
    fn what_does_not_agree_with_the_counts_is_not_reported() {
        let (cases, reports) = scripted();
        let counts = Counts::of(2026, &cases, &reports, &procedures()).unwrap();
        let doctored = Counts { measures_taken: 3, ..counts };
        let refused = harmonised(&doctored, &cases, &reports, &procedures(), &given());
        assert_eq!(refused, Err(Fault::Disagrees("measures taken", 2, 3)));
    }

    #[test]
    fn what_is_given_is_put_where_it_belongs_or_refused() {
        let under = |under: &str, part: usize, row: &[(&str, &str)], column: &str| {
            let row = row.iter().map(|(column, text)| ((*column).to_owned(), (*text).to_owned())).collect();
            let mut given = given();
            let under = Some(under.to_owned()).filter(|under| !under.is_empty());
            given.cells = vec![GivenCell { part, row, under, column: column.to_owned(), value: "7".to_owned() }];
            made(2026, &given)
        };
        let cell = |part: usize, row: &[(&str, &str)], column: &str| under("", part, row, column);
        let orders = "Number of orders to provide information";
        let parts = cell(3, &[(ILLEGAL, TOTAL), ("Scope", "AT")], orders).unwrap();
        let at = parts[2].place(orders).unwrap();
        let said: Vec<_> = parts[2].rows.iter().filter(|row| !row[at].text().is_empty()).collect();
        assert_eq!((said.len(), said[0][5].text(), said[0][at].text()), (1, "AT", "7"));
        let other = [(ILLEGAL, OTHER), ("Scope", "AT")];
        let parts = under("STATEMENT_CATEGORY_VIOLENCE", 3, &other, orders).unwrap();
        let row = parts[2].rows.iter().position(|row| !row[at].text().is_empty()).unwrap();
        assert_eq!(parts[2].category_above(row), Some("STATEMENT_CATEGORY_VIOLENCE"));
        let refused = |result: Result<Vec<Part>, Fault>| result.unwrap_err().to_string();
        let notices = "Number of notices received";
        assert!(refused(cell(4, &[(ILLEGAL, TOTAL)], notices)).contains("is not given; leave it out"));
        assert!(refused(cell(3, &[(ILLEGAL, TOTAL)], orders)).contains("28 rows are like the one named"));
        assert!(refused(cell(3, &other, orders)).contains("14 rows are like the one named"));
        assert!(refused(cell(3, &[(ILLEGAL, "TOTALS")], orders)).contains("no such row"));
        assert!(refused(cell(3, &[("Colour", TOTAL)], orders)).contains("no column `Colour`"));
        assert!(refused(cell(12, &[], "Value")).contains("there is no part 12"));
        assert!(
            refused(made(2026, &Given { policies: BTreeMap::new(), ..given() }))
                .contains("[policies.mass-surveillance]")
        );
        assert!(refused(made(2026, &Given { published: "2027-02-29".into(), ..given() })).contains("YYYY-MM-DD"));
        for (keyword, other, says) in [
            ("KEYWORD_PHISHING", "", "there is no KEYWORD_PHISHING in"),
            (OTHER, " ", "say in `other`"),
            ("KEYWORD_DATA_FALSIFICATION", "x", "say in `other`"),
        ] {
            let mut given = given();
            let filed = given.policies.get_mut("mass-surveillance").unwrap();
            (filed.keyword, filed.other) = (keyword.to_owned(), other.to_owned());
            assert!(refused(made(2026, &given)).contains(says), "{keyword}");
        }
    }

    #[test]
    fn nothing_happened_in_a_year_without_events() {
        let parts = made(2025, &given()).unwrap();
        let known = parts.iter().flat_map(|part| part.rows.iter().flatten());
        let numbers = known.filter_map(|cell| match cell {
            Cell::Known(text) => text.parse::<u64>().ok(),
            _ => None,
        });
        assert_eq!(numbers.sum::<u64>(), 0);
    }
}
