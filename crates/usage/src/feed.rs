//! Feeding rollups: of the files that are named only what is new is read, and every record counts once, ever.
//!
//! The rollups keep a ledger of what was fed: where each file lies, a stamp of its content, what became of its rows,
//! and the charge days it has usage of. A file that was altered, or that a newer one replaces, no longer says what was
//! counted. The days it spoke of are then built anew, from it or what replaces it and from every other file that speaks
//! of them, and all becomes one version: the same as if the files of today had been read from nothing. A file that is
//! gone stays counted, since exports are pruned and usage is not. Of a record that comes twice, the first feed decides
//! when it was known.
//!
//! It is not the reading of files ([`crate::read`]) and not the keeping of sums ([`crate::rollup`]).

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use crate::books::{Books, ReadError, ReadOptions, nothing, read_found};
use crate::catalogue::Catalogue;
use crate::input::{self, Input, Inputs, split_version};
use crate::rollup::{RollupError, Rollups};
use crate::tally::{FileTally, Tally};
use crate::{ByDay, Day, Usage};

/// The form of the ledger; another one is refused.
const SCHEMA: &str = "tribune.sources/1";

/// Why nothing was fed. The rollups are as they were.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// Nothing could be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The rollups failed.
    #[error(transparent)]
    Rollups(#[from] RollupError),
    /// The scratch folder failed.
    #[error("the scratch folder could not be read: {0}; free some disk and run again")]
    Scratch(#[from] io::Error),
    /// What was counted cannot be taken back.
    #[error(
        "{why}; for that {needed} has to be read again, and it {reason}. Restore it, or begin with an empty folder of \
         rollups"
    )]
    Gone {
        /// What makes it necessary.
        why: String,
        /// The file that is needed.
        needed: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// What feeding came to.
#[derive(Clone, Debug)]
pub struct Fed {
    /// The account of everything that was ever fed and still counts. Unmapped meters, rejected rows and unreadable
    /// files are named as far as they were read this time.
    pub tally: Tally,
    /// How many files were read this time.
    pub read: usize,
    /// How many of the named files had been counted before and were not read.
    pub known: usize,
}

/// Adds what is new in these files, folders and places in object stores.
///
/// # Errors
/// If nothing is there to read and nothing was fed before, if the rollups or the scratch folder fail, or if what a
/// replaced file said cannot be taken back. The rollups are then as they were.
pub fn feed(
    rollups: &mut Rollups,
    inputs: &[String],
    catalogue: &Catalogue,
    options: &ReadOptions<'_>,
) -> Result<Fed, FeedError> {
    let mut ledger = Ledger::of(rollups)?;
    let mut found = input::find(inputs);
    if found.files.is_empty() && ledger.sources.is_empty() {
        return Err(nothing(&found).into());
    }
    let plan = ledger.plan(&mut found, &catalogue.digest())?;
    let (read, unreadable) = (found.files.len(), found.unreadable.len() as u64);
    let (books, by_file) = read_found(&found, catalogue, options)?;
    if read > 0 || !plan.withdrawn.is_empty() {
        plan.withdrawn.iter().for_each(|address| drop(ledger.sources.remove(address)));
        for (input, tally) in found.files.iter().zip(by_file) {
            ledger.sources.insert(input.address(), Source { stamp: input.stamp.clone(), tally });
        }
        count(rollups, &books, &plan.days, &ledger)?;
    }
    let tally = ledger.tally(books.tally().clone(), unreadable, rollups.records());
    Ok(Fed { tally, read, known: plan.known })
}

/// Makes a version of what was read: the rebuilt days as they were read, to the others what they had not seen.
fn count(rollups: &mut Rollups, books: &Books, rebuilt: &BTreeSet<Day>, ledger: &Ledger) -> Result<(), FeedError> {
    let mut change = rollups.change();
    for day in rebuilt {
        change.replace(*day);
    }
    for day in books.days() {
        let seen = if rebuilt.contains(&day) { Vec::new() } else { change.seen(day)? };
        let (rows, prints) = unseen(books, day, &seen)?;
        change.add(books.names(), &rows, &prints)?;
    }
    change.ledger(ledger.bytes()?);
    change.commit()?;
    for day in rollups.crowded() {
        rollups.compact(day)?;
    }
    Ok(())
}

/// Rows, and the day and the fingerprint of each.
pub type Unseen = (Vec<Usage>, Vec<(Day, u128)>);

/// The rows of a day whose fingerprints (sorted) were not seen, and the fingerprints.
///
/// # Errors
/// If the scratch folder fails.
pub fn unseen(books: &Books, day: Day, seen: &[u128]) -> io::Result<Unseen> {
    let rows = books.day_fingerprinted(day)?.into_iter();
    let new = rows.filter(|(_, print)| seen.binary_search(print).is_err());
    Ok(new.map(|(row, print)| (row, (day, print))).unzip())
}

/// What was fed.
#[derive(Serialize, Deserialize)]
struct Ledger {
    schema: String,
    /// The digest of the meter catalogues that everything was mapped with.
    catalogue: String,
    /// By address.
    sources: BTreeMap<String, Source>,
}

/// A file that was fed.
#[derive(Serialize, Deserialize)]
struct Source {
    stamp: String,
    #[serde(flatten)]
    tally: FileTally,
}

/// What has to be done about the files that were found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    /// Addresses of the ledger that no longer say what was counted.
    withdrawn: BTreeSet<String>,
    /// Days to be built anew.
    days: BTreeSet<Day>,
    /// Found files that need not be read.
    known: usize,
}

impl Ledger {
    fn of(rollups: &Rollups) -> Result<Self, FeedError> {
        let empty = Self { schema: SCHEMA.to_owned(), catalogue: String::new(), sources: BTreeMap::new() };
        let Some(bytes) = rollups.ledger()? else { return Ok(empty) };
        let refuse = |reason: String| RollupError::State { path: "sources".to_owned(), reason };
        let mut text = Vec::new();
        GzDecoder::new(&*bytes).read_to_end(&mut text).map_err(|error| refuse(format!("is not gzip: {error}")))?;
        let ledger: Self = serde_json::from_slice(&text).map_err(|error| refuse(format!("is no ledger: {error}")))?;
        if ledger.schema != SCHEMA {
            return Err(refuse(format!("is of another schema, this Tribune reads {SCHEMA}")).into());
        }
        Ok(ledger)
    }

    fn bytes(&self) -> Result<Vec<u8>, FeedError> {
        let mut zipped = GzEncoder::new(Vec::new(), Compression::default());
        zipped.write_all(&serde_json::to_vec(self).map_err(io::Error::from)?)?;
        Ok(zipped.finish()?)
    }

    /// Leaves in `found` exactly the files to be read, and says what is to become of what was counted.
    fn plan(&mut self, found: &mut Inputs, catalogue: &str) -> Result<Plan, FeedError> {
        let mut plan = Plan::default();
        let mut here: BTreeMap<String, Input> = BTreeMap::new();
        for input in std::mem::take(&mut found.files) {
            here.insert(input.address(), input);
        }
        self.leave_out_older(&mut here, &mut found.replaced);
        plan.withdrawn = self.withdrawn(&here, &found.replaced);
        let remapped = !self.sources.is_empty() && self.catalogue != catalogue;
        self.catalogue = catalogue.to_owned();
        let mut again = BTreeSet::new();
        self.spread(&mut plan, &mut here, &mut again, remapped)?;
        let before = here.len();
        here.retain(|address, input| again.contains(address) || !self.says_the_same(address, input));
        plan.known = before - here.len();
        found.files = here.into_values().collect();
        Ok(plan)
    }

    /// Whether a file was read whole and without a fault, as it is now. Faults are told anew each time.
    fn says_the_same(&self, address: &str, input: &Input) -> bool {
        let source = self.sources.get(address).filter(|source| source.stamp == input.stamp);
        source.is_some_and(|source| !source.tally.cut && source.tally.rejected == 0)
    }

    /// Moves files away of which a newer version was counted.
    fn leave_out_older(&self, here: &mut BTreeMap<String, Input>, replaced: &mut Vec<Input>) {
        let counted = versions(self.sources.keys());
        let older = |address: &String| {
            let (name, version) = split_version(address);
            counted.get(&name).is_some_and(|newest| version < *newest)
        };
        let addresses: Vec<String> = here.keys().filter(|address| older(address)).cloned().collect();
        replaced.extend(addresses.iter().filter_map(|address| here.remove(address)));
    }

    /// What was counted and is said otherwise now: altered, or replaced by a newer version or by an export's manifest.
    fn withdrawn(&self, here: &BTreeMap<String, Input>, replaced: &[Input]) -> BTreeSet<String> {
        let newest = versions(here.keys());
        let replaced: BTreeSet<String> = replaced.iter().map(Input::address).collect();
        let is_withdrawn = |address: &str, source: &Source| {
            let (name, version) = split_version(address);
            replaced.contains(address)
                || newest.get(&name).is_some_and(|newest| version < *newest)
                || here.get(address).is_some_and(|input| input.stamp != source.stamp)
        };
        let withdrawn = self.sources.iter().filter(|(address, source)| is_withdrawn(address, source));
        withdrawn.map(|(address, _)| address.clone()).collect()
    }

    /// The days of what is withdrawn, and every other file that speaks of one of them: it is to be read again. One that
    /// turns out to be altered is withdrawn as well. With other meter catalogues everything is read again.
    fn spread(
        &self,
        plan: &mut Plan,
        here: &mut BTreeMap<String, Input>,
        again: &mut BTreeSet<String>,
        remapped: bool,
    ) -> Result<(), FeedError> {
        let mut todo: Vec<String> = plan.withdrawn.iter().cloned().collect();
        if remapped {
            todo = self.sources.keys().cloned().collect();
        }
        while let Some(address) = todo.pop() {
            let Some(source) = self.sources.get(&address) else { continue };
            if !plan.withdrawn.contains(&address) {
                let input = match here.remove(&address) {
                    Some(input) => input,
                    None => Input::at(&address).map_err(|reason| gone(&address, reason, plan, remapped))?,
                };
                if input.stamp != source.stamp {
                    plan.withdrawn.insert(address.clone());
                }
                here.insert(address.clone(), input);
                again.insert(address.clone());
            }
            if plan.withdrawn.contains(&address) || remapped {
                let days: BTreeSet<Day> = source.tally.days.difference(&plan.days).copied().collect();
                let touched = self.sources.iter().filter(|(_, other)| !other.tally.days.is_disjoint(&days));
                let others = touched.map(|(other, _)| other.clone());
                todo.extend(others.filter(|other| !plan.withdrawn.contains(other) && !again.contains(other)));
                plan.days.extend(days);
            }
        }
        Ok(())
    }

    /// The account of everything that was fed, with the names of what was read just now.
    fn tally(&self, read: Tally, unreadable: u64, used: u64) -> Tally {
        let sum = |part: fn(&FileTally) -> u64| self.sources.values().map(|source| part(&source.tally)).sum::<u64>();
        let (rows, passed_over) = (sum(|file| file.rows), sum(|file| file.passed_over));
        let (unmapped, rejected) = (sum(|file| file.unmapped), sum(|file| file.rejected));
        let named: u64 = read.unmapped_names.iter().map(|name| name.rows).sum();
        Tally {
            files: self.sources.len() as u64 + unreadable,
            rows,
            used,
            passed_over,
            unmapped,
            duplicates: rows.saturating_sub(used + passed_over + unmapped + rejected),
            rejected,
            unmapped_others: unmapped.saturating_sub(named),
            ..read
        }
    }
}

fn gone(needed: &str, reason: String, plan: &Plan, remapped: bool) -> FeedError {
    let why = match plan.withdrawn.first() {
        Some(address) if !remapped => {
            format!("{address} was altered or replaced, and what it said is to be taken back")
        }
        _ => "the meter catalogues are others than those the records were mapped with".to_owned(),
    };
    FeedError::Gone { why, needed: needed.to_owned(), reason }
}

/// The newest version of each name.
fn versions<'a>(addresses: impl Iterator<Item = &'a String>) -> BTreeMap<(String, &'static str), u64> {
    let mut newest = BTreeMap::new();
    for address in addresses {
        let (name, version) = split_version(address);
        let place: &mut u64 = newest.entry(name).or_default();
        *place = version.max(*place);
    }
    newest
}
