//! What the provider knows of its accounts by contract or by checking: `facts.csv`, each row with the time from which
//! it is valid and the time from which it was known.
//!
//! It is not: what the facts are worth in a score, nor when a verification has run out; both depend on the policy.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::time::parse_seconds;
use crate::{Day, Hour};

/// The time of a row that names none: before every hour there is.
pub const SINCE_EVER: Hour = Hour(i32::MIN);

/// A record longer than this is no fact, whatever it is.
const RECORD_BYTES_MAX: usize = 1 << 20;

/// No volume or population is larger; what is, is a mistake.
const NUMBER_MAX: f64 = 1e15;

/// Use that the provider has checked: with evidence, by two people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The use, a free word.
    pub by_use: String,
    /// Up to how many calls an hour it was checked; without it, no volume was.
    pub calls_per_hour: Option<i64>,
    /// The last day it holds.
    pub until: Option<Day>,
    /// Where the evidence is.
    pub evidence: String,
    /// Who checked; never the same twice.
    pub by: [String; 2],
}

/// One row of the facts. What is `None` or empty is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// FOCUS `SubAccountId`.
    pub account: String,
    /// The organisational unit, named within its customer.
    pub unit: Option<String>,
    /// FOCUS `BillingAccountId`.
    pub customer: Option<String>,
    /// An opaque token of who pays.
    pub payer: Option<String>,
    /// The day the account was made.
    pub created_on: Option<Day>,
    /// The customer's line of business.
    pub sector: Option<String>,
    /// What the customer says the account is for.
    pub declared_use: Option<String>,
    /// Where the customer is.
    pub customer_country: Option<String>,
    /// The regions the account is expected in; sorted.
    pub home_regions: Vec<String>,
    /// How many calls an hour the customer says there are.
    pub declared_calls_per_hour: Option<i64>,
    /// How many people the customer serves.
    pub population_served: Option<i64>,
    /// What the provider has checked.
    pub verified: Option<Verified>,
    /// Whether the account runs in a region or environment of its own.
    pub isolated: Option<bool>,
    /// Whether the account has a dedicated link.
    pub dedicated_link: Option<bool>,
    /// From when on it holds, until the account's next one; [`SINCE_EVER`] if the row does not say.
    pub valid_from: Hour,
    /// From when on the provider knew; [`SINCE_EVER`] if the row does not say.
    pub known_from: Hour,
}

/// A row that was not used, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {row}, column {column}: {reason}")]
pub struct FactRejection {
    /// The line the row begins on; the header is line 1.
    pub row: u64,
    /// The column at fault; `-` where it is the whole row.
    pub column: String,
    /// What is wrong and how to mend it.
    pub reason: String,
}

/// A file of facts of which nothing could be used.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// The file cannot be opened or read.
    #[error("{}: cannot be read: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no table of facts.
    #[error("{}: {reason}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What it is instead, and how to mend it.
        reason: String,
    },
}

/// All facts of a provider, each at its time.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Of each account, sorted by `valid_from`, then `known_from`.
    rows: BTreeMap<String, Vec<Fact>>,
    rejections: Vec<FactRejection>,
    hints: Vec<String>,
}

impl Facts {
    /// No facts: everything is unknown.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Reads a CSV file of facts.
    ///
    /// # Errors
    /// If the file cannot be opened, is no text, or has no column `account`. Rows at fault are no error: they are
    /// [rejected](Self::rejections), the others count.
    pub fn read(path: &Path) -> Result<Self, FactsError> {
        let io = |source| FactsError::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(io)?;
        parse(file).map_err(|fault| match fault {
            Fault::Io(source) => io(source),
            Fault::Form(reason) => FactsError::Form { path: path.to_owned(), reason },
        })
    }

    /// The rows that were not used, by line.
    pub fn rejections(&self) -> &[FactRejection] {
        &self.rejections
    }

    /// Columns that are probably misspelt and were ignored, a sentence for each.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// What was known by `as_of` of the account as it then was: of the rows valid and known by then the one valid
    /// last, and of these the one known last.
    pub fn at(&self, account: &str, as_of: Hour) -> Option<&Fact> {
        let rows = self.rows.get(account)?;
        rows.iter().rev().find(|fact| fact.valid_from <= as_of && fact.known_from <= as_of)
    }

    /// The accounts there is any fact of, sorted.
    pub fn accounts(&self) -> impl Iterator<Item = &str> {
        self.rows.keys().map(String::as_str)
    }

    /// The accounts of which [`Self::at`] may say something else at `until` than at `after`, sorted.
    pub fn changed(&self, after: Hour, until: Hour) -> impl Iterator<Item = &str> {
        let begins = move |fact: &Fact| (after.0 + 1..=until.0).contains(&fact.valid_from.max(fact.known_from).0);
        self.rows.iter().filter(move |(_, facts)| facts.iter().any(begins)).map(|(account, _)| account.as_str())
    }

    /// `sha256:…` over the sorted rows in a canonical form; the order of the file does not matter.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for fact in self.rows.values().flatten() {
            hash.update(canonical(fact));
            hash.update(b"\n");
        }
        format!("sha256:{:x}", hash.finalize())
    }
}

/// One row as a JSON array, in the order of the contract's columns.
fn canonical(fact: &Fact) -> String {
    let day = |day: &Option<Day>| day.map(|day| day.0);
    let verified = fact.verified.as_ref().map(|verified| {
        json!([verified.by_use, verified.calls_per_hour, day(&verified.until), verified.evidence, verified.by])
    });
    json!([
        fact.account,
        fact.unit,
        fact.customer,
        fact.payer,
        day(&fact.created_on),
        fact.sector,
        fact.declared_use,
        fact.customer_country,
        fact.home_regions,
        fact.declared_calls_per_hour,
        fact.population_served,
        verified,
        fact.isolated,
        fact.dedicated_link,
        fact.valid_from.0,
        fact.known_from.0,
    ])
    .to_string()
}

/// Why nothing of an input could be used.
#[derive(Debug)]
enum Fault {
    Io(io::Error),
    Form(String),
}

/// Reads to the end, or up to a record that is too long.
fn parse(mut input: impl Read) -> Result<Facts, Fault> {
    let mut head = Vec::new();
    input.by_ref().take(4).read_to_end(&mut head).map_err(Fault::Io)?;
    if let Some(reason) = no_text(&head) {
        return Err(Fault::Form(reason.to_owned()));
    }
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&head).to_vec();
    let bounded = Bounded { input: io::Cursor::new(text).chain(input), since_record: 0 };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bounded);
    let header = reader.byte_headers().map_err(fault)?.clone();
    let (columns, hints) = Columns::find(&header).map_err(Fault::Form)?;

    let mut facts = Facts { hints, ..Facts::default() };
    let mut rows = Vec::new();
    let mut record = csv::ByteRecord::new();
    loop {
        reader.get_mut().since_record = 0;
        let row = reader.position().line();
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => match fault(error) {
                Fault::Form(reason) => {
                    facts.rejections.push(FactRejection { row, column: "-".to_owned(), reason });
                    break;
                }
                io => return Err(io),
            },
        }
        let row = record.position().map_or(row, csv::Position::line);
        match columns.fact(&record) {
            Ok(fact) => rows.push((row, fact)),
            Err((column, reason)) => facts.rejections.push(FactRejection { row, column: column.to_owned(), reason }),
        }
    }
    facts.settle(rows);
    Ok(facts)
}

impl Facts {
    /// Takes the rows in: exact repeats once, contradictions not at all.
    fn settle(&mut self, mut rows: Vec<(u64, Fact)>) {
        let key = |fact: &Fact| (fact.account.clone(), fact.valid_from, fact.known_from);
        rows.sort_by_cached_key(|(row, fact)| (key(fact), *row));
        let same = |(_, a): &(u64, Fact), (_, b): &(u64, Fact)| {
            a.account == b.account && a.valid_from == b.valid_from && a.known_from == b.known_from
        };
        for group in rows.chunk_by(same) {
            let Some((_, first)) = group.first() else { continue };
            if group.iter().all(|(_, fact)| fact == first) {
                self.rows.entry(first.account.clone()).or_default().push(first.clone());
                continue;
            }
            for (row, _) in group {
                self.rejections.push(contradiction(*row, group));
            }
        }
        self.rejections.sort_by_key(|rejection| rejection.row);
    }
}

/// Names the rows a row contradicts.
fn contradiction(row: u64, group: &[(u64, Fact)]) -> FactRejection {
    let account = group.first().map_or("", |(_, fact)| &fact.account);
    let others: Vec<String> =
        group.iter().filter(|(other, _)| *other != row).map(|(line, _)| line.to_string()).collect();
    let reason = format!(
        "account {} has the same valid_from and known_from, and other values, on line {}; none of them is used: keep one, \
         or say from when each is valid or known",
        quoted(account),
        others.join(", ")
    );
    FactRejection { row, column: "account".to_owned(), reason }
}

/// What the first bytes say the file is, if it is no text.
fn no_text(head: &[u8]) -> Option<&'static str> {
    match head {
        [] => Some("is empty; it needs a header with a column `account`"),
        [0x1F, 0x8B, ..] => Some("is compressed; unpack it first"),
        b"PAR1" => Some("is Parquet; facts are read as CSV"),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Some("is UTF-16; save it as UTF-8"),
        _ if head.contains(&0) => Some("is UTF-16 or no text at all; save it as CSV in UTF-8"),
        _ => None,
    }
}

/// Passes on what it reads until a record is longer than any can be; a field whose quote never closes ends here, too.
struct Bounded<R> {
    input: R,
    since_record: usize,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since_record > RECORD_BYTES_MAX {
            let reason =
                "the row is longer than 1 MiB, or a quote in it is never closed; nothing from here on was read";
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
        }
        let count = self.input.read(buffer)?;
        self.since_record += count;
        Ok(count)
    }
}

/// Tells a record that is too long from a disk that fails.
fn fault(error: csv::Error) -> Fault {
    match error.into_kind() {
        csv::ErrorKind::Io(source) if source.kind() == io::ErrorKind::FileTooLarge => Fault::Form(source.to_string()),
        csv::ErrorKind::Io(source) => Fault::Io(source),
        other => Fault::Form(format!("is not CSV: {other:?}")),
    }
}

macro_rules! columns {
    ($($name:ident),* $(,)?) => {
        /// Where each column of the contract stands in the file.
        #[derive(Default)]
        struct Columns { width: usize, $($name: Option<usize>),* }

        impl Columns {
            const NAMES: &[&str] = &[$(stringify!($name)),*];

            fn place(&mut self, name: &str) -> Option<&mut Option<usize>> {
                match name { $(stringify!($name) => Some(&mut self.$name),)* _ => None }
            }
        }
    };
}

columns! {
    account, unit, customer, payer, created_on, sector, declared_use, customer_country, home_regions,
    declared_calls_per_hour, population_served, verified_use, verified_calls_per_hour, verified_until,
    verified_evidence, verified_by_1, verified_by_2, isolated, dedicated_link, valid_from, known_from,
}

/// The column at fault, and what is wrong with its value.
type BadValue = (&'static str, String);

impl Columns {
    /// The columns of a header, and hints at those that look misspelt.
    fn find(header: &csv::ByteRecord) -> Result<(Self, Vec<String>), String> {
        let mut columns = Self { width: header.len(), ..Self::default() };
        let mut unknown = Vec::new();
        for (index, bytes) in header.iter().enumerate() {
            let name = String::from_utf8_lossy(bytes).trim().to_ascii_lowercase();
            match columns.place(&name) {
                Some(place) if place.is_some() => return Err(format!("the column `{name}` is there twice; keep one")),
                Some(place) => *place = Some(index),
                None => unknown.push(name),
            }
        }
        let mut hints = Vec::new();
        for name in unknown {
            let near = Self::NAMES
                .iter()
                .find(|known| columns.place(known).is_some_and(|place| place.is_none()) && looks_like(&name, known));
            if let Some(known) = near {
                hints.push(format!("the column {} is ignored; did you mean `{known}`?", quoted(&name)));
            }
        }
        if columns.account.is_none() {
            return Err(no_account(header, &hints));
        }
        Ok((columns, hints))
    }

    /// One row.
    fn fact(&self, record: &csv::ByteRecord) -> Result<Fact, BadValue> {
        if record.len() != self.width {
            return Err(("-", format!("has {} fields where the header has {}", record.len(), self.width)));
        }
        let text = |place: Option<usize>, column| text(record, place, column);
        let account =
            text(self.account, "account")?.ok_or(("account", "is empty; every fact is about an account".to_owned()))?;
        let use_words = text(self.verified_use, "verified_use")?;
        let (verified, verified_use) = self.verified(record, use_words)?;
        Ok(Fact {
            account,
            unit: text(self.unit, "unit")?,
            customer: text(self.customer, "customer")?,
            payer: text(self.payer, "payer")?,
            created_on: day(record, self.created_on, "created_on")?,
            sector: text(self.sector, "sector")?,
            declared_use: text(self.declared_use, "declared_use")?.or(verified_use),
            customer_country: text(self.customer_country, "customer_country")?,
            home_regions: list(text(self.home_regions, "home_regions")?),
            declared_calls_per_hour: number(record, self.declared_calls_per_hour, "declared_calls_per_hour")?,
            population_served: number(record, self.population_served, "population_served")?,
            verified,
            isolated: truth(record, self.isolated, "isolated")?,
            dedicated_link: truth(record, self.dedicated_link, "dedicated_link")?,
            valid_from: hour(record, self.valid_from, "valid_from")?,
            known_from: hour(record, self.known_from, "known_from")?,
        })
    }

    /// The verification; or, where evidence or a second verifier is wanting, the use as if it were only declared.
    fn verified(
        &self,
        record: &csv::ByteRecord,
        by_use: Option<String>,
    ) -> Result<(Option<Verified>, Option<String>), BadValue> {
        let calls_per_hour = number(record, self.verified_calls_per_hour, "verified_calls_per_hour")?;
        let until = day(record, self.verified_until, "verified_until")?;
        let evidence = text(record, self.verified_evidence, "verified_evidence")?;
        let first = text(record, self.verified_by_1, "verified_by_1")?;
        let second = text(record, self.verified_by_2, "verified_by_2")?;
        Ok(match (by_use, evidence, first, second) {
            (Some(by_use), Some(evidence), Some(first), Some(second))
                if first.to_lowercase() != second.to_lowercase() =>
            {
                (Some(Verified { by_use, calls_per_hour, until, evidence, by: [first, second] }), None)
            }
            (by_use, ..) => (None, by_use),
        })
    }
}

/// Says that `account` is missing, and what may be the reason.
fn no_account(header: &csv::ByteRecord, hints: &[String]) -> String {
    let alone = header.len() == 1;
    let first = header.get(0).unwrap_or_default();
    let mend = match hints.first() {
        Some(hint) => hint.clone(),
        None if alone && first.iter().any(|byte| matches!(byte, b';' | b'\t')) => {
            "fields are separated by commas, not by semicolons or tabs".to_owned()
        }
        None => "the first line must name the columns".to_owned(),
    };
    format!("has no column `account`; {mend}")
}

/// The value of a cell without surrounding space; `None` where it is empty or there is no such column.
fn text(record: &csv::ByteRecord, place: Option<usize>, column: &'static str) -> Result<Option<String>, BadValue> {
    let bytes = place.and_then(|place| record.get(place)).unwrap_or_default();
    let text = std::str::from_utf8(bytes).map_err(|_| {
        let seen = quoted(&String::from_utf8_lossy(bytes));
        (column, format!("{seen} is not UTF-8, perhaps Latin-1; save the file as UTF-8"))
    })?;
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// `YYYY-MM-DD`.
fn day(record: &csv::ByteRecord, place: Option<usize>, column: &'static str) -> Result<Option<Day>, BadValue> {
    let Some(text) = text(record, place, column)? else { return Ok(None) };
    let reason = || format!("{} is no day between 2000 and 2100; write it like 2026-03-01", quoted(&text));
    Day::from_str(&text).map(Some).map_err(|_| (column, reason()))
}

/// A count, of calls or people: whole, or rounded half to even.
fn number(record: &csv::ByteRecord, place: Option<usize>, column: &'static str) -> Result<Option<i64>, BadValue> {
    let Some(text) = text(record, place, column)? else { return Ok(None) };
    match text.parse::<f64>() {
        Ok(value) if (0.0..=NUMBER_MAX).contains(&value) => Ok(Some(value.round_ties_even() as i64)),
        Ok(_) => {
            Err((column, format!("{} is not between 0 and 10^15; leave it empty if it is unknown", quoted(&text))))
        }
        Err(_) => Err((column, format!("{} is no number; write it like 1200, without separators", quoted(&text)))),
    }
}

fn truth(record: &csv::ByteRecord, place: Option<usize>, column: &'static str) -> Result<Option<bool>, BadValue> {
    let Some(text) = text(record, place, column)? else { return Ok(None) };
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(Some(true)),
        "false" => Ok(Some(false)),
        _ => Err((column, format!("{} is neither true nor false", quoted(&text)))),
    }
}

/// The first hour that does not begin before the time, so that no fact holds sooner than it says.
fn hour(record: &csv::ByteRecord, place: Option<usize>, column: &'static str) -> Result<Hour, BadValue> {
    let Some(text) = text(record, place, column)? else { return Ok(SINCE_EVER) };
    match parse_seconds(&text) {
        Ok(seconds) => Ok(Hour((seconds + 3_599).div_euclid(3_600) as i32)),
        Err(error) => Err((column, error.to_string().escape_debug().to_string())),
    }
}

/// The parts of a `;`-separated list, each once, sorted.
fn list(text: Option<String>) -> Vec<String> {
    let text = text.unwrap_or_default();
    let parts: BTreeSet<&str> = text.split(';').map(str::trim).filter(|part| !part.is_empty()).collect();
    parts.into_iter().map(str::to_owned).collect()
}

/// A value as a message may show it: short, and without control characters.
fn quoted(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    format!("`{}`", short.escape_debug())
}

/// Whether one is probably meant for the other: at most two letters differ, and not most of them.
fn looks_like(name: &str, known: &str) -> bool {
    let (name, known): (Vec<char>, Vec<char>) = (name.chars().take(64).collect(), known.chars().collect());
    let mut above: Vec<usize> = (0..=known.len()).collect();
    for (row, letter) in name.iter().enumerate() {
        let mut diagonal = row;
        let mut left = row + 1;
        let mut line = vec![left];
        for (other, up) in known.iter().zip(above.iter().skip(1)) {
            left = (left + 1).min(up + 1).min(diagonal + usize::from(letter != other));
            diagonal = *up;
            line.push(left);
        }
        above = line;
    }
    above.last().is_some_and(|distance| *distance <= 2 && *distance * 3 <= known.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn facts(text: &str) -> Facts {
        parse(text.as_bytes()).unwrap()
    }

    fn refused(bytes: &[u8]) -> String {
        match parse(bytes).unwrap_err() {
            Fault::Form(reason) => reason,
            Fault::Io(error) => panic!("{error}"),
        }
    }

    fn hour(text: &str) -> Hour {
        text.parse().unwrap()
    }

    const HEADER: &str = "account,unit,customer,payer,created_on,sector,declared_use,customer_country,home_regions,\
        declared_calls_per_hour,population_served,verified_use,verified_calls_per_hour,verified_until,verified_evidence,\
        verified_by_1,verified_by_2,isolated,dedicated_link,valid_from,known_from\n";

    #[test]
    fn a_full_row_reads_as_it_says() {
        let facts = facts(&format!(
            "{HEADER}a1,u1,c1,p1,2024-05-01,telecoms,voicemail,IE, eu-2;eu-1;eu-2 ,1200,5.0e6,contact_centre,9000,\
             2027-01-01,case 12,Ada,Grace,true,False,2026-01-01,2026-01-02T10:30:00Z\n"
        ));
        assert_eq!(facts.rejections(), []);
        let verified = Verified {
            by_use: "contact_centre".into(),
            calls_per_hour: Some(9000),
            until: Some("2027-01-01".parse().unwrap()),
            evidence: "case 12".into(),
            by: ["Ada".into(), "Grace".into()],
        };
        let expected = Fact {
            account: "a1".into(),
            unit: Some("u1".into()),
            customer: Some("c1".into()),
            payer: Some("p1".into()),
            created_on: Some("2024-05-01".parse().unwrap()),
            sector: Some("telecoms".into()),
            declared_use: Some("voicemail".into()),
            customer_country: Some("IE".into()),
            home_regions: vec!["eu-1".into(), "eu-2".into()],
            declared_calls_per_hour: Some(1200),
            population_served: Some(5_000_000),
            verified: Some(verified),
            isolated: Some(true),
            dedicated_link: Some(false),
            valid_from: hour("2026-01-01"),
            known_from: hour("2026-01-02T11Z"),
        };
        assert_eq!(facts.at("a1", hour("2026-01-02T10Z")), None, "known at half past ten, not at ten");
        assert_eq!(facts.at("a1", hour("2026-01-02T11Z")), Some(&expected));
    }

    #[test]
    fn what_is_empty_or_absent_is_unknown_and_since_ever() {
        let facts = facts("known_from,account,colour\r\n,a,red\r\n\r\n");
        let fact = facts.at("a", Hour(i32::MIN)).unwrap();
        assert_eq!((fact.valid_from, fact.known_from), (SINCE_EVER, SINCE_EVER));
        assert!(fact.unit.is_none() && fact.isolated.is_none() && fact.home_regions.is_empty());
        assert!(facts.hints().is_empty() && facts.rejections().is_empty());
        assert!(Facts::empty().at("a", Hour(0)).is_none());
    }

    #[test]
    fn the_row_valid_last_wins_and_then_the_one_known_last() {
        let facts = facts(
            "account,declared_use,valid_from,known_from\n\
             a,first,,\n\
             a,second,2026-02-01,2026-03-01\n\
             a,backdated,2026-01-01,2026-04-01\n\
             a,corrected,2026-02-01,2026-05-01\n",
        );
        let said = |time: &str| facts.at("a", hour(time)).and_then(|fact| fact.declared_use.as_deref());
        assert_eq!(said("2025-01-01"), Some("first"));
        assert_eq!(said("2026-02-28T23Z"), Some("first"), "valid, but not known yet");
        assert_eq!(said("2026-03-01"), Some("second"));
        assert_eq!(said("2026-04-01"), Some("second"), "known later, but valid sooner");
        assert_eq!(said("2026-05-01"), Some("corrected"));
        let changed = |after: &str, until: &str| facts.changed(hour(after), hour(until)).count();
        assert_eq!(changed("2026-02-28T23Z", "2026-03-01T00Z"), 1);
        assert_eq!(changed("2026-03-01T00Z", "2026-03-02T00Z"), 0);
    }

    #[test]
    fn a_use_not_verified_by_two_with_evidence_is_declared() {
        for (row, used) in [
            ("a,,web,case 1,Ada,Grace", None),
            ("a,,web,,Ada,Grace", Some("web")),
            ("a,,web,case 1,Ada,", Some("web")),
            ("a,,web,case 1,Ada, ada ", Some("web")),
            ("a,backup,web,case 1,Ada,Ada", Some("backup")),
        ] {
            let facts = facts(&format!(
                "account,declared_use,verified_use,verified_evidence,verified_by_1,verified_by_2\n{row}\n"
            ));
            let fact = facts.at("a", Hour(0)).unwrap();
            assert_eq!(fact.declared_use.as_deref(), used, "{row}");
            assert_eq!(fact.verified.is_some(), used.is_none(), "{row}");
        }
    }

    #[test]
    fn contradictions_are_rejected_by_name_and_repeats_count_once() {
        let facts = facts("account,sector\nb,bank\na,bank\nb,bank\na,farm\na,bank\nc,farm\n");
        assert_eq!(facts.accounts().collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(facts.rejections().iter().map(|rejection| rejection.row).collect::<Vec<_>>(), [3, 5, 6]);
        let first = facts.rejections()[0].to_string();
        assert!(first.contains("`a`") && first.contains("line 5, 6"), "{first}");
    }

    #[test]
    fn a_bad_value_rejects_its_row_and_says_how_to_mend_it() {
        for (column, value, says) in [
            ("created_on", "01.05.2024", "2026-03-01"),
            ("verified_until", "2026-02-30", "between 2000 and 2100"),
            ("declared_calls_per_hour", "many", "no number"),
            ("declared_calls_per_hour", "NaN", "unknown"),
            ("population_served", "-1", "between 0"),
            ("population_served", "1e308", "between 0"),
            ("verified_calls_per_hour", "inf", "between 0"),
            ("isolated", "yes", "true nor false"),
            ("dedicated_link", "\u{1b}[2J", "\\u{1b}"),
            ("valid_from", "1999-01-01", "between 2000 and 2100"),
            ("known_from", "\u{7}soon", "2026-03-01T00:00:00Z"),
        ] {
            let facts = facts(&format!("account,{column}\na,{value}\nb,\n"));
            let rejection = &facts.rejections()[0];
            assert_eq!((rejection.row, rejection.column.as_str()), (2, column));
            assert!(rejection.reason.contains(says), "{rejection}");
            assert!(!rejection.reason.contains(char::is_control), "{rejection}");
            assert_eq!(facts.accounts().collect::<Vec<_>>(), ["b"]);
        }
        let facts = facts("account,unit\n,u\na\nb,u,v\n");
        let columns: Vec<&str> = facts.rejections().iter().map(|rejection| rejection.column.as_str()).collect();
        assert_eq!(columns, ["account", "-", "-"]);
    }

    #[test]
    fn what_is_no_file_of_facts_is_refused_with_a_reason() {
        for (bytes, says) in [
            (b"".as_slice(), "is empty"),
            (b"\x1F\x8B\x08\x00", "compressed"),
            (b"PAR1....", "Parquet"),
            (b"\xFF\xFEa\x00c\x00", "UTF-16"),
            (b"a\x00c\x00c\x00", "UTF-16"),
            (b"acount,unit\n", "did you mean `account`"),
            (b"account;unit\n", "commas"),
            (b"account,unit,Account\n", "twice"),
            (b"hello\n", "first line"),
        ] {
            let reason = refused(bytes);
            assert!(reason.contains(says), "{reason}");
        }
        let missing = Facts::read(Path::new("no/such/facts.csv")).unwrap_err();
        assert!(missing.to_string().starts_with("no/such/facts.csv: cannot be read"), "{missing}");
    }

    #[test]
    fn a_mark_latin_1_and_a_misspelt_column_are_seen() {
        let facts =
            parse(b"\xEF\xBB\xBFaccount,sektor,payer_id\na,bank,1\nb,caf\xE9,2\nc,x,\xE9\n".as_slice()).unwrap();
        assert_eq!(facts.hints(), ["the column `sektor` is ignored; did you mean `sector`?"]);
        assert_eq!(facts.accounts().count(), 3, "what is ignored is not even decoded");
        let facts = parse(b"account,sector\na,caf\xE9\nb,bank\n".as_slice()).unwrap();
        assert!(facts.rejections()[0].reason.contains("Latin-1"));
        assert_eq!(facts.accounts().collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn a_row_without_end_stops_the_reading_and_keeps_what_was_good() {
        let long = "x".repeat(3 * RECORD_BYTES_MAX);
        for tail in [format!("b,{long}\nc,1\n"), format!("b,\"{long}\nc,1\n")] {
            let facts = facts(&format!("account,sector\na,bank\n{tail}"));
            assert_eq!(facts.accounts().collect::<Vec<_>>(), ["a"]);
            assert_eq!(facts.rejections()[0].row, 3);
            assert!(facts.rejections()[0].reason.contains("1 MiB"));
        }
        let endless = io::repeat(b'x');
        assert!(matches!(parse(endless), Err(Fault::Form(reason)) if reason.contains("1 MiB")));
    }

    proptest! {
        #[test]
        fn order_and_repetition_do_not_matter(
            rows in prop::collection::vec(("[a-c]", "[xy]?", 0u32..3, 0u32..3), 0..12),
            seed in any::<prop::sample::Index>(),
        ) {
            let lines: Vec<String> =
                rows.iter().map(|(account, used, valid, known)| format!("{account},{used},2026-01-0{},2026-01-0{}\n", valid + 1, known + 1)).collect();
            let header = "account,declared_use,valid_from,known_from\n";
            let mut turned = lines.clone();
            if !turned.is_empty() {
                let middle = seed.index(turned.len());
                turned.rotate_left(middle);
                turned.push(turned[0].clone());
            }
            let (one, other) = (facts(&(header.to_owned() + &lines.concat())), facts(&(header.to_owned() + &turned.concat())));
            prop_assert_eq!(one.digest(), other.digest());
            prop_assert_eq!(one.rows, other.rows);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), header in any::<bool>()) {
            let mut input = if header { HEADER.as_bytes().to_vec() } else { Vec::new() };
            input.extend(bytes);
            let _ = parse(input.as_slice());
        }
    }
}
