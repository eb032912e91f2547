//! What became of every row and file: nothing is dropped without being counted, and named where a name helps.
//!
//! It is not the records: those are [`crate::Books`].

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::Day;

/// How many rejected rows of one file are kept as examples; all are counted.
const EXAMPLES_PER_FILE: usize = 20;
/// How many examples are kept in all.
const EXAMPLES: usize = 10_000;
/// How many unmapped meters are kept by name; the rest is counted together.
const NAMES: usize = 10_000;

/// The account of what was read. `rows` = `used` + `passed_over` + `unmapped` + `duplicates` + `rejected`, always.
///
/// It serialises to the `records` head of the outputs; the lists beside the counts serialise on their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Files taken up, the unreadable ones among them; not those that another file replaces.
    pub files: u64,
    /// Rows seen.
    pub rows: u64,
    /// Rows that became usage.
    pub used: u64,
    /// Rows that are not usage: taxes, purchases, credits, adjustments, unused commitments.
    pub passed_over: u64,
    /// Rows whose meter or unit no catalogue maps.
    pub unmapped: u64,
    /// Rows that would be used but equal another one in every column.
    pub duplicates: u64,
    /// Bad rows.
    pub rejected: u64,
    /// Files left out because a newer version or an export's manifest replaces them.
    #[serde(skip)]
    pub replaced: u64,
    /// How many files are of which FOCUS version.
    #[serde(skip)]
    pub versions: BTreeMap<&'static str, u64>,
    /// The unmapped meters by name, most rows first; the first 10,000 in the order of their names.
    #[serde(skip)]
    pub unmapped_names: Vec<Unmapped>,
    /// Rows of unmapped meters that are not in [`Self::unmapped_names`].
    #[serde(skip)]
    pub unmapped_others: u64,
    /// The first rejected rows of each file.
    #[serde(skip)]
    pub rejections: Vec<Rejection>,
    /// Files that could not be read, or not to their end.
    #[serde(skip)]
    pub unreadable: Vec<Unreadable>,
}

/// A meter that no catalogue maps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unmapped {
    /// `ProviderName`.
    pub provider: String,
    /// `ServiceName`.
    pub service: String,
    /// `SkuMeter`, or else `SkuId`.
    pub meter: String,
    /// `ConsumedUnit`, or `PricingUnit` where nothing is said to be consumed.
    pub unit: String,
    /// What is missing.
    pub why: String,
    /// How many rows.
    pub rows: u64,
}

/// A bad row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Rejection {
    /// The file, as it was found.
    pub file: String,
    /// The row: in CSV as a spreadsheet numbers them (the header is row 1), in Parquet counted from 1.
    pub row: u64,
    /// The column, or `(row)` where the whole row is at fault.
    pub column: String,
    /// What is wrong, with the value.
    pub reason: String,
}

/// A file that could not be read, or not to its end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unreadable {
    /// The file, as it was found.
    pub file: String,
    /// What is wrong and how to mend it.
    pub reason: String,
}

impl Tally {
    /// Whether every file was read to its end and no row was rejected: the difference between exit codes 0 and 1.
    pub fn is_clean(&self) -> bool {
        self.unreadable.is_empty() && self.rejected == 0
    }
}

/// What became of the rows of one file; which of them are duplicates is known of all files together only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileTally {
    pub(crate) rows: u64,
    pub(crate) passed_over: u64,
    pub(crate) unmapped: u64,
    pub(crate) rejected: u64,
    /// It could not be read, or not to its end.
    pub(crate) cut: bool,
    /// The charge days it has usage of.
    pub(crate) days: BTreeSet<Day>,
}

impl FileTally {
    /// Adds another part's.
    pub(crate) fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.passed_over += other.passed_over;
        self.unmapped += other.unmapped;
        self.rejected += other.rejected;
        self.cut |= other.cut;
        self.days.extend(other.days);
    }
}

/// A tally in the making; several add up to the same whatever their order.
#[derive(Default)]
pub(crate) struct Tallying {
    pub(crate) rows: u64,
    pub(crate) passed_over: u64,
    unmapped: u64,
    rejected: u64,
    versions: BTreeMap<&'static str, u64>,
    names: BTreeMap<Unmapped, u64>,
    rejections: BTreeSet<Rejection>,
    unreadable: BTreeSet<Unreadable>,
    /// By the file's place among the inputs.
    files: BTreeMap<usize, FileTally>,
}

impl Tallying {
    /// Counts a file, or a part of one, by itself.
    pub(crate) fn file(&mut self, place: usize, part: FileTally) {
        self.files.entry(place).or_default().add(part);
    }

    /// Each file by itself, by its place among the inputs.
    pub(crate) fn take_files(&mut self) -> BTreeMap<usize, FileTally> {
        std::mem::take(&mut self.files)
    }

    /// How many rows were rejected.
    pub(crate) fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Counts rows of an unmapped meter. Beyond the bound the last names go: a name that goes once can never belong
    /// to the first ones again, so that what stays does not depend on the order of files.
    pub(crate) fn unmapped(&mut self, name: &Unmapped, rows: u64) {
        self.unmapped += rows;
        self.name(name.clone(), rows);
    }

    fn name(&mut self, name: Unmapped, rows: u64) {
        *self.names.entry(name).or_default() += rows;
        if self.names.len() > NAMES {
            self.names.pop_last();
        }
    }

    /// Counts a bad row; `examples` counts those of its file and part.
    pub(crate) fn reject(&mut self, examples: &mut usize, rejection: impl FnOnce() -> Rejection) {
        self.rejected += 1;
        if *examples < EXAMPLES_PER_FILE {
            *examples += 1;
            self.example(rejection());
        }
    }

    fn example(&mut self, rejection: Rejection) {
        self.rejections.insert(rejection);
        if self.rejections.len() > EXAMPLES {
            self.rejections.pop_last();
        }
    }

    /// Notes that a file could not be read, or not to its end.
    pub(crate) fn unreadable(&mut self, file: &str, reason: String) {
        self.unreadable.insert(Unreadable { file: file.to_owned(), reason });
    }

    /// Notes a file's FOCUS version.
    pub(crate) fn version(&mut self, version: &'static str) {
        *self.versions.entry(version).or_default() += 1;
    }

    /// Adds another part's.
    pub(crate) fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.passed_over += other.passed_over;
        self.unmapped += other.unmapped;
        self.rejected += other.rejected;
        for (version, files) in other.versions {
            *self.versions.entry(version).or_default() += files;
        }
        for (name, rows) in other.names {
            self.name(name, rows);
        }
        for rejection in other.rejections {
            self.example(rejection);
        }
        self.unreadable.extend(other.unreadable);
        for (place, part) in other.files {
            self.file(place, part);
        }
    }

    /// The whole account, once the duplicates are known.
    pub(crate) fn finish(self, files: u64, replaced: u64, used: u64, duplicates: u64) -> Tally {
        let mut unmapped_names: Vec<Unmapped> =
            self.names.into_iter().map(|(name, rows)| Unmapped { rows, ..name }).collect();
        let named: u64 = unmapped_names.iter().map(|name| name.rows).sum();
        unmapped_names.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.cmp(b)));
        let mut rejections: Vec<Rejection> = Vec::new();
        let mut of_file = 0;
        for rejection in self.rejections {
            of_file = if rejections.last().is_some_and(|last| last.file == rejection.file) { of_file + 1 } else { 0 };
            if of_file < EXAMPLES_PER_FILE {
                rejections.push(rejection);
            }
        }
        Tally {
            files,
            rows: self.rows,
            used,
            passed_over: self.passed_over,
            unmapped: self.unmapped,
            duplicates,
            rejected: self.rejected,
            replaced,
            versions: self.versions,
            unmapped_names,
            unmapped_others: self.unmapped - named,
            rejections,
            unreadable: self.unreadable.into_iter().collect(),
        }
    }
}

/// Words of a file, fit for a message on a terminal: short, on one line, without control characters.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown: String = text.chars().take(LONGEST).flat_map(visible).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// A character, or its escape where it would steer a terminal or turn the direction of a line.
fn visible(character: char) -> impl Iterator<Item = char> {
    let hidden = character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let escaped = hidden.then(|| character.escape_unicode());
    let plain = (!hidden).then_some(character);
    escaped.into_iter().flatten().chain(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: usize) -> Unmapped {
        Unmapped {
            provider: "P".into(),
            service: "S".into(),
            meter: format!("{number:06}"),
            unit: "GB".into(),
            why: "w".into(),
            rows: 0,
        }
    }

    #[test]
    fn which_names_stay_does_not_depend_on_the_order() {
        let (mut up, mut down) = (Tallying::default(), Tallying::default());
        for number in 0..NAMES + 50 {
            up.unmapped(&name(number), 1);
            down.unmapped(&name(NAMES + 49 - number), 1);
        }
        up.unmapped(&name(7), 1);
        down.unmapped(&name(7), 1);
        let up = up.finish(1, 0, 0, 0);
        assert_eq!(up, down.finish(1, 0, 0, 0));
        assert_eq!((up.unmapped_names.len(), up.unmapped_others), (NAMES, 50));
        assert_eq!(up.unmapped_names[0].meter, "000007");
    }

    #[test]
    fn control_characters_and_length_do_not_reach_a_terminal() {
        assert_eq!(quoted("a\u{1b}[31m\u{202e}b"), "`a\\u{1b}[31m\\u{202e}b`");
        assert_eq!(quoted(&"x".repeat(100)).chars().count(), 63);
    }
}
