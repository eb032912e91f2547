//! The rollups on disk: how much each account used of each measure in each region, by hour and by day.
//!
//! Under one root, on a local disk or any object store:
//!
//! - `hourly/day=YYYY-MM-DD/*.parquet`: what hourly records add up to;
//! - `daily/day=YYYY-MM-DD/*.parquet`: the same by day (`from_hours`), beside what came as days and stays days;
//! - `fingerprints/day=YYYY-MM-DD/*.parquet`: which records were counted, so that none counts twice;
//! - `sources/*.json.gz`: what was fed to a version, where [`crate::feed`] keeps that;
//! - `manifests/NNNNNNNN.json`: the files of one version, each with its digest, and the digest of the version before.
//!
//! Every file is a delta: readers sum over the files that the newest manifest lists, and over no others. A restatement
//! adds the difference, which may be negative. Nothing written is ever altered: a version appears when its manifest is
//! put where none is, so a torn write is never seen and of two writers one comes second and goes on top of the first.
//!
//! It is not the record: what a power cut takes is found by its digest, refused, and built anew from usage records. It
//! is not a database either: engines read the files, this only keeps them consistent.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use futures::executor::block_on;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use parquet::errors::ParquetError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::time::YEARS;
use crate::{ByDay, Day, DayUsage, Hour, Names, Period, Usage, UsageError};

mod table;

use table::{Columns, Draft, Merged, decode, decode_fingerprints};

/// The form of manifests and tables; another one is refused.
const SCHEMA: &str = "tribune.rollups/1";

/// How often a writer that came second tries again.
const ATTEMPTS_MAX: usize = 64;

/// A day in more deltas of one table than this is crowded: a day of hourly exports, and some that came late.
const DELTAS_MAX: usize = 30;

/// What the rollups refuse, and why.
#[derive(Debug, thiserror::Error)]
pub enum RollupError {
    /// The disk or the object store failed.
    #[error("the rollups cannot be reached: {0}")]
    Store(#[from] object_store::Error),
    /// What is there is not what was written.
    #[error("{path}: {reason}")]
    State {
        /// The file, relative to the root.
        path: String,
        /// What is wrong with it, and how to mend it.
        reason: String,
    },
    /// The rows cannot be rolled up.
    #[error("the usage cannot be rolled up: {0}")]
    Rows(String),
    /// Another writer counted some of the same records first; nothing was appended.
    #[error(
        "another writer counted some of the same records in version {version}; leave out what it has seen and append the rest"
    )]
    Overtaken {
        /// The version that is open now.
        version: u64,
    },
    /// Other writers were always first; nothing was appended.
    #[error("other writers kept being first, up to version {version}; let one process write")]
    Busy {
        /// The version that is open now.
        version: u64,
    },
}

type Result<T> = std::result::Result<T, RollupError>;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// `provider, customer, account, measure, region, hour, known, quantity`.
    Hourly,
    /// `provider, customer, account, measure, region, from_hours, known, quantity`; a sum of hours is known when its
    /// day is over, or later.
    Daily,
    /// `fingerprint`, 16 bytes.
    Fingerprints,
}

impl Table {
    /// The folder it lies in.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Fingerprints => "fingerprints",
        }
    }
}

/// One immutable file of a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Relative to the root.
    pub path: String,
    /// What it holds.
    pub table: Table,
    /// The UTC day it is about.
    pub day: Day,
    /// How many rows.
    pub rows: u64,
    /// How long it is.
    pub bytes: u64,
    /// Of its bytes, in hexadecimal.
    pub sha256: String,
    /// The first and the last hour at which rows of it became known; none of fingerprints and of sums of hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<(Hour, Hour)>,
}

/// One version: what a reader of that version sums over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Manifest {
    schema: String,
    version: u64,
    /// The digest of the version before; none before the first.
    parent: Option<String>,
    /// What was fed to it, as [`crate::feed`] keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ledger: Option<LedgerEntry>,
    /// Sorted by path.
    files: Vec<FileEntry>,
}

/// Where a version's ledger of sources lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LedgerEntry {
    path: String,
    sha256: String,
}

/// What an append wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The version that holds it.
    pub version: u64,
    /// Rows written to the hourly and the daily table.
    pub cells: u64,
    /// Bytes written, the manifest apart.
    pub bytes: u64,
}

/// One version of the rollups, opened.
///
/// All calls block. A store that needs a Tokio runtime (an object store over HTTP) needs the caller to have entered
/// one with threads of its own.
#[derive(Debug)]
pub struct Rollups {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    manifest: Manifest,
    digest: String,
}

impl Rollups {
    /// Opens the newest version under the prefix; version 0, empty, if there is none.
    ///
    /// # Errors
    /// If the store fails, a manifest is of another schema, or it does not continue the one before it.
    pub fn open(store: Arc<dyn ObjectStore>, prefix: &str) -> Result<Self> {
        let prefix = Path::from(prefix);
        let (manifest, digest) = newest(&*store, &prefix)?;
        Ok(Self { store, prefix, manifest, digest })
    }

    /// Opens the newest version in a local folder, which is made if it is not there.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn local(root: &std::path::Path) -> Result<Self> {
        let reason = |error: std::io::Error| RollupError::State {
            path: root.display().to_string(),
            reason: format!("cannot be used as the folder of the rollups: {error}"),
        };
        std::fs::create_dir_all(root).map_err(reason)?;
        Self::open(Arc::new(LocalFileSystem::new_with_prefix(root)?), "")
    }

    /// The number of the version that is open; 0 is the empty one.
    pub fn version(&self) -> u64 {
        self.manifest.version
    }

    /// `sha256:…` of the version's manifest.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// How many records the version counts, each once.
    pub fn records(&self) -> u64 {
        self.manifest.files.iter().filter(|file| file.table == Table::Fingerprints).map(|file| file.rows).sum()
    }

    /// The files of the version, sorted by path: the list another engine reads.
    pub fn files(&self) -> &[FileEntry] {
        &self.manifest.files
    }

    /// The days there is anything of, sorted.
    pub fn days(&self) -> Vec<Day> {
        let days: BTreeSet<Day> = self.manifest.files.iter().map(|file| file.day).collect();
        days.into_iter().collect()
    }

    /// Adds usage, and the fingerprints of the records it comes from, as one new version. Rows of the same key add.
    /// Costs what is new, whatever there is. Nothing makes no version.
    ///
    /// The caller leaves out records that were [seen](Self::seen). What other writers append meanwhile is kept.
    ///
    /// # Errors
    /// If rows do not fit their names or add up to more than an `i64` holds, if the store fails, or if another writer
    /// was first with the same records; then nothing is appended, and the newest version is open.
    pub fn append(&mut self, names: &Names, rows: &[Usage], fingerprints: &[(Day, u128)]) -> Result<Appended> {
        let mut change = self.change();
        change.add(names, rows, fingerprints)?;
        change.commit()
    }

    /// Begins a new version.
    pub fn change(&mut self) -> Change<'_> {
        Change { rollups: self, files: Vec::new(), replaced: BTreeSet::new(), ledger: None }
    }

    /// What was appended of a day, at the resolution it came in; one row for each key, sorted.
    ///
    /// # Errors
    /// If a file is missing or is not as the manifest says.
    pub fn read_day(&self, day: Day) -> Result<(Names, Vec<Usage>)> {
        let (names, sheet) = self.sheet(day, &[Table::Hourly, Table::Daily])?;
        let mut rows = sheet.hours;
        rows.extend(sheet.days);
        rows.sort_unstable_by_key(key);
        Ok((names, rows))
    }

    /// A day's totals of hours and days together; one row for each key, sorted. Totals of hours are known when the day
    /// is over, or later.
    ///
    /// # Errors
    /// As [`Self::read_day`].
    pub fn read_totals(&self, day: Day) -> Result<(Names, Vec<Usage>)> {
        let (names, sheet) = self.sheet(day, &[Table::Daily])?;
        let mut rows = sheet.sums;
        rows.extend(sheet.days);
        fold(&mut rows)?;
        Ok((names, rows))
    }

    /// The fingerprints of the records counted for a day, sorted, each once.
    ///
    /// # Errors
    /// As [`Self::read_day`].
    pub fn seen(&self, day: Day) -> Result<Vec<u128>> {
        self.fingerprints(self.of_day(day))
    }

    /// Writes one day's deltas of the newest version as one file for each table, in a new version with the same sums;
    /// the version before stays readable. Says whether there was anything to do.
    ///
    /// # Errors
    /// As [`Self::read_day`] and [`Self::append`].
    pub fn compact(&mut self, day: Day) -> Result<bool> {
        for _ in 0..ATTEMPTS_MAX {
            self.catch_up(&[])?;
            let tables: Vec<Table> = self.of_day(day).map(|file| file.table).collect();
            let distinct: BTreeSet<Table> = tables.iter().copied().collect();
            if tables.len() == distinct.len() {
                return Ok(false);
            }
            let (names, sheet) = self.sheet(day, &[Table::Hourly, Table::Daily])?;
            let mut drafts = sheet.drafts(&Columns::new(&names), day)?;
            drafts.extend(Draft::of_fingerprints(day, &self.seen(day)?)?);
            let mut change = self.change();
            change.replace(day);
            change.put(&drafts)?;
            if change.publish()? {
                return Ok(true);
            }
        }
        Err(RollupError::Busy { version: self.version() })
    }

    /// The days that lie in so many deltas that [compacting](Self::compact) them pays.
    pub fn crowded(&self) -> Vec<Day> {
        let mut deltas: BTreeMap<(Table, Day), usize> = BTreeMap::new();
        for file in &self.manifest.files {
            *deltas.entry((file.table, file.day)).or_default() += 1;
        }
        let crowded = deltas.into_iter().filter(|(_, files)| *files > DELTAS_MAX);
        crowded.map(|((_, day), _)| day).collect::<BTreeSet<Day>>().into_iter().collect()
    }

    fn of_day(&self, day: Day) -> impl Iterator<Item = &FileEntry> {
        self.manifest.files.iter().filter(move |file| file.day == day)
    }

    /// The version after this one, as yet the same.
    fn next(&self) -> Manifest {
        let parent = (self.version() > 0).then(|| self.digest.clone());
        Manifest { version: self.version() + 1, parent, ..self.manifest.clone() }
    }

    /// The ledger of the version, if it has one.
    pub(crate) fn ledger(&self) -> Result<Option<Bytes>> {
        let Some(entry) = &self.manifest.ledger else { return Ok(None) };
        Ok(Some(self.verified(&entry.path, &entry.sha256)?))
    }

    /// Opens the newest version, and refuses if it counts any records of these files since the one that was open.
    fn catch_up(&mut self, ours: &[FileEntry]) -> Result<()> {
        let known: BTreeSet<String> = self.manifest.files.iter().map(|file| file.path.clone()).collect();
        (self.manifest, self.digest) = newest(&*self.store, &self.prefix)?;
        let days: BTreeSet<Day> = ours.iter().map(|file| file.day).collect();
        for day in days {
            let theirs = self.fingerprints(self.of_day(day).filter(|file| !known.contains(&file.path)))?;
            let ours = self.fingerprints(ours.iter().filter(|file| file.day == day))?;
            if ours.iter().any(|fingerprint| theirs.binary_search(fingerprint).is_ok()) {
                return Err(RollupError::Overtaken { version: self.version() });
            }
        }
        Ok(())
    }

    fn path(&self, relative: &str) -> Path {
        path(&self.prefix, relative)
    }

    /// The bytes of a file, if they are those the manifest says.
    fn verified(&self, at: &str, digest: &str) -> Result<Bytes> {
        let refuse = |what: &str| RollupError::State {
            path: at.to_owned(),
            reason: format!(
                "{what} version {}; restore it from a backup, or build the rollups anew from the usage records",
                self.version()
            ),
        };
        let bytes = get(&*self.store, &self.path(at))?.ok_or_else(|| refuse("is missing, a file of"))?;
        if sha256(&bytes) == digest { Ok(bytes) } else { Err(refuse("was altered or cut after it was written for")) }
    }

    fn bytes(&self, file: &FileEntry) -> Result<Bytes> {
        self.verified(&file.path, &file.sha256)
    }

    /// One day, of these tables.
    fn sheet(&self, day: Day, tables: &[Table]) -> Result<(Names, Sheet)> {
        let mut names = Merged::default();
        let mut sheet = Sheet::default();
        for file in self.of_day(day).filter(|file| tables.contains(&file.table)) {
            decode(self.bytes(file)?, day, &mut names, &mut sheet).map_err(|error| unreadable(file, &error))?;
        }
        let names = names.sort(&mut sheet)?;
        fold(&mut sheet.hours)?;
        fold(&mut sheet.sums)?;
        fold(&mut sheet.days)?;
        Ok((names, sheet))
    }

    /// The fingerprints in these files, sorted, each once.
    fn fingerprints<'a>(&self, files: impl Iterator<Item = &'a FileEntry>) -> Result<Vec<u128>> {
        let mut all = Vec::new();
        for file in files.filter(|file| file.table == Table::Fingerprints) {
            decode_fingerprints(self.bytes(file)?, &mut all).map_err(|error| unreadable(file, &error))?;
        }
        // Each file is sorted, which the stable sort makes use of.
        all.sort();
        all.dedup();
        Ok(all)
    }
}

/// A version in the making. Its files are put as they come and count once it is committed, all or none.
#[derive(Debug)]
pub struct Change<'a> {
    rollups: &'a mut Rollups,
    files: Vec<FileEntry>,
    replaced: BTreeSet<Day>,
    ledger: Option<Vec<u8>>,
}

impl Change<'_> {
    /// Leaves out what the version before counts of a day.
    pub fn replace(&mut self, day: Day) {
        self.replaced.insert(day);
    }

    /// Adds usage and the fingerprints of the records it comes from.
    ///
    /// # Errors
    /// If rows do not fit their names or add up to more than an `i64` holds, or if the store fails.
    pub fn add(&mut self, names: &Names, rows: &[Usage], fingerprints: &[(Day, u128)]) -> Result<()> {
        self.put(&drafts(names, rows, fingerprints)?)
    }

    /// The fingerprints that the version before counts of a day.
    ///
    /// # Errors
    /// As [`Rollups::seen`].
    pub(crate) fn seen(&self, day: Day) -> Result<Vec<u128>> {
        self.rollups.seen(day)
    }

    /// What the next version's ledger says.
    pub(crate) fn ledger(&mut self, bytes: Vec<u8>) {
        self.ledger = Some(bytes);
    }

    /// Makes it the newest version.
    ///
    /// # Errors
    /// If the store fails; or if another writer was first, with the same records or where this replaces what it built
    /// on: then nothing is changed, and the newest version is open.
    pub fn commit(mut self) -> Result<Appended> {
        let of_tables = self.files.iter().filter(|file| file.table != Table::Fingerprints);
        let (cells, bytes) = (of_tables.map(|file| file.rows).sum(), self.files.iter().map(|file| file.bytes).sum());
        if self.files.is_empty() && self.replaced.is_empty() && self.ledger.is_none() {
            return Ok(Appended { version: self.rollups.version(), cells, bytes });
        }
        for _ in 0..ATTEMPTS_MAX {
            if self.publish()? {
                return Ok(Appended { version: self.rollups.version(), cells, bytes });
            }
            self.rollups.catch_up(&self.files)?;
            if self.ledger.is_some() || !self.replaced.is_empty() {
                return Err(RollupError::Overtaken { version: self.rollups.version() });
            }
            self.put_again()?;
        }
        Err(RollupError::Busy { version: self.rollups.version() })
    }

    fn put(&mut self, drafts: &[Draft]) -> Result<()> {
        for draft in drafts {
            let entry = draft.entry(self.rollups.version() + 1);
            // The name holds the digest: what is overwritten here can only be the same bytes, or the same bytes torn.
            block_on(self.rollups.store.put(&self.rollups.path(&entry.path), draft.bytes.clone().into()))?;
            self.files.push(entry);
        }
        Ok(())
    }

    /// Puts the files under the names of a later version: two versions never share one.
    fn put_again(&mut self) -> Result<()> {
        for file in &mut self.files {
            let bytes = self.rollups.bytes(file)?;
            file.path = file_path(file.table, file.day, self.rollups.version() + 1, &file.sha256);
            block_on(self.rollups.store.put(&self.rollups.path(&file.path), bytes.into()))?;
        }
        Ok(())
    }

    /// Puts the manifest that makes the files count, and opens it; or says that another writer was first.
    fn publish(&mut self) -> Result<bool> {
        let rollups = &mut *self.rollups;
        let mut next = rollups.next();
        next.files.retain(|file| !self.replaced.contains(&file.day));
        next.files.extend_from_slice(&self.files);
        next.files.sort_by(|a, b| a.path.cmp(&b.path));
        if let Some(bytes) = &self.ledger {
            let sha256 = sha256(bytes);
            let path = format!("sources/{:08}-{}.json.gz", next.version, sha256.get(..32).unwrap_or_default());
            block_on(rollups.store.put(&rollups.path(&path), bytes.clone().into()))?;
            next.ledger = Some(LedgerEntry { path, sha256 });
        }
        let mut bytes = serde_json::to_vec_pretty(&next).map_err(|error| RollupError::Rows(error.to_string()))?;
        bytes.push(b'\n');
        let digest = format!("sha256:{}", sha256(&bytes));
        let place = rollups.path(&manifest_path(next.version));
        let put = rollups.store.put_opts(&place, PutPayload::from(bytes), PutOptions::from(PutMode::Create));
        match block_on(put) {
            Ok(_) => {}
            // The same manifest is ours: an answer that was lost on the way, or the same records sent twice.
            Err(object_store::Error::AlreadyExists { .. })
                if sha256_at(&*rollups.store, &place)?.is_some_and(|there| digest.ends_with(&there)) => {}
            Err(object_store::Error::AlreadyExists { .. }) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        (rollups.manifest, rollups.digest) = (next, digest);
        Ok(true)
    }
}

impl ByDay for Rollups {
    fn days(&self) -> Vec<Day> {
        self.days()
    }

    fn known(&self) -> Option<(Hour, Hour)> {
        let known = self.manifest.files.iter().filter_map(|file| file.known);
        known.reduce(|(a, b), (first, last)| (a.min(first), b.max(last)))
    }

    fn day(&self, day: Day) -> std::result::Result<DayUsage<'_>, UsageError> {
        let (names, rows) = self.read_day(day)?;
        Ok(DayUsage { names: Cow::Owned(names), parts: Box::new(std::iter::once(Ok(rows))) })
    }
}

fn unreadable(file: &FileEntry, error: &ParquetError) -> RollupError {
    RollupError::State { path: file.path.clone(), reason: format!("cannot be read as {}: {error}", file.table.name()) }
}

// ---- manifests --------------------------------------------------------------------------------------------------

fn manifest_path(version: u64) -> String {
    format!("manifests/{version:08}.json")
}

/// The name holds both version and content, so that two versions never share a file, nor two writers a name for
/// different files.
fn file_path(table: Table, day: Day, version: u64, sha256: &str) -> String {
    format!("{}/day={day}/{version:08}-{}.parquet", table.name(), sha256.get(..32).unwrap_or_default())
}

fn path(prefix: &Path, relative: &str) -> Path {
    Path::from(format!("{prefix}/{relative}"))
}

fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

fn get(store: &dyn ObjectStore, place: &Path) -> Result<Option<Bytes>> {
    match block_on(async { store.get(place).await?.bytes().await }) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn sha256_at(store: &dyn ObjectStore, place: &Path) -> Result<Option<String>> {
    Ok(get(store, place)?.map(|bytes| sha256(&bytes)))
}

/// The newest manifest and its digest, if it continues the one before it.
fn newest(store: &dyn ObjectStore, prefix: &Path) -> Result<(Manifest, String)> {
    let listed = block_on(store.list_with_delimiter(Some(&path(prefix, "manifests"))))?;
    let number = |name: &str| name.strip_suffix(".json")?.parse::<u64>().ok();
    let version = listed.objects.iter().filter_map(|object| number(object.location.filename()?)).max().unwrap_or(0);
    if version == 0 {
        let empty = Manifest { schema: SCHEMA.to_owned(), version, parent: None, ledger: None, files: Vec::new() };
        return Ok((empty, format!("sha256:{}", sha256(b""))));
    }
    let at = manifest_path(version);
    let refuse = |reason: String| RollupError::State { path: at.clone(), reason };
    let bytes =
        get(store, &path(prefix, &at))?.ok_or_else(|| refuse("vanished while it was opened; try again".into()))?;
    let manifest = read_manifest(&bytes).map_err(refuse)?;
    let before = match version {
        1 => None,
        _ => sha256_at(store, &path(prefix, &manifest_path(version - 1)))?.map(|digest| format!("sha256:{digest}")),
    };
    if manifest.version != version || manifest.parent != before || (version > 1 && before.is_none()) {
        let reason = format!(
            "does not continue version {}, which is missing or was altered; restore both from a backup, or build the \
             rollups anew from the usage records",
            version - 1
        );
        return Err(refuse(reason));
    }
    Ok((manifest, format!("sha256:{}", sha256(&bytes))))
}

fn read_manifest(bytes: &[u8]) -> std::result::Result<Manifest, String> {
    #[derive(Deserialize)]
    struct Head {
        schema: String,
    }
    let head: Head = serde_json::from_slice(bytes).map_err(|error| format!("is no manifest: {error}"))?;
    if head.schema != SCHEMA {
        let seen: String = head.schema.chars().take(40).collect();
        return Err(format!("is of schema `{}`, this Tribune reads {SCHEMA}", seen.escape_debug()));
    }
    serde_json::from_slice(bytes).map_err(|error| format!("is no manifest of {SCHEMA}: {error}"))
}

// ---- adding up --------------------------------------------------------------------------------------------------

/// One day of the rollups, or of a delta to them.
#[derive(Default)]
struct Sheet {
    /// Came as hours.
    hours: Vec<Usage>,
    /// Hours added up to days.
    sums: Vec<Usage>,
    /// Came as days.
    days: Vec<Usage>,
}

impl Sheet {
    /// Its files.
    fn drafts(&self, columns: &Columns<'_>, day: Day) -> Result<Vec<Draft>> {
        let mut drafts = Vec::new();
        if !self.hours.is_empty() {
            drafts.push(Draft::of_rows(Table::Hourly, day, &columns.hourly(&self.hours)?, &self.hours)?);
        }
        if !self.sums.is_empty() || !self.days.is_empty() {
            drafts.push(Draft::of_rows(Table::Daily, day, &columns.daily(&self.sums, &self.days)?, &self.days)?);
        }
        Ok(drafts)
    }
}

/// Everything of a row but its quantity, so that rows compare as numbers do: in the order of [`Usage`].
fn key(row: &Usage) -> u128 {
    let biased = |number: i32| u128::from(number.cast_unsigned() ^ (1 << 31));
    let (kind, period) = match row.period {
        Period::Hour(hour) => (0, hour.0),
        Period::Day(day) => (1, day.0),
    };
    let entity = u128::from(row.account) << 24 | u128::from(row.measure as u8) << 16 | u128::from(row.region);
    (entity << 1 | kind) << 64 | biased(period) << 32 | biased(row.known.0)
}

/// Sorts, and adds rows of the same key. A sum of zero stays: the account did report.
fn fold(rows: &mut Vec<Usage>) -> Result<()> {
    // Stable, since it makes use of what is sorted already: rows come file by file.
    rows.sort_by_key(key);
    if rows.is_sorted_by(|a, b| key(a) < key(b)) {
        return Ok(());
    }
    let mut folded: Vec<Usage> = Vec::with_capacity(rows.len());
    for same in rows.chunk_by(|a, b| key(a) == key(b)) {
        let Some(first) = same.first() else { continue };
        let sum: i128 = same.iter().map(|row| i128::from(row.quantity)).sum();
        let quantity = i64::try_from(sum)
            .map_err(|_| RollupError::Rows(format!("{} adds up to {sum}, more than 64 bits hold", first.measure)))?;
        folded.push(Usage { quantity, ..*first });
    }
    *rows = folded;
    Ok(())
}

/// The files of a delta.
fn drafts(names: &Names, rows: &[Usage], fingerprints: &[(Day, u128)]) -> Result<Vec<Draft>> {
    let mut sheets: BTreeMap<Day, (Sheet, Vec<u128>)> = BTreeMap::new();
    for same_day in rows.chunk_by(|a, b| a.period.day() == b.period.day()) {
        let Some(first) = same_day.first() else { continue };
        let day = first.period.day();
        let (sheet, _) = sheets.entry(day).or_default();
        for row in same_day {
            match row.period {
                Period::Hour(_) => sheet.hours.push(*row),
                Period::Day(_) => sheet.days.push(*row),
            }
        }
    }
    for same_day in fingerprints.chunk_by(|a, b| a.0 == b.0) {
        let Some((day, _)) = same_day.first() else { continue };
        let (_, into) = sheets.entry(*day).or_default();
        into.extend(same_day.iter().map(|(_, fingerprint)| fingerprint));
    }
    let columns = Columns::new(names);
    let mut drafts = Vec::new();
    let years = Day::from_civil(YEARS.start, 1, 1)..=Day::from_civil(YEARS.end - 1, 12, 31);
    for (day, (mut sheet, mut fingerprints)) in sheets {
        if !years.contains(&Some(day)) {
            return Err(RollupError::Rows(format!("day {} since 1970 is not between 2000 and 2100", day.0)));
        }
        fold(&mut sheet.hours)?;
        let over = day.plus(1).start();
        let as_day = |row: &Usage| Usage { period: Period::Day(day), known: row.known.max(over), ..*row };
        sheet.sums = sheet.hours.iter().map(as_day).collect();
        fold(&mut sheet.sums)?;
        fold(&mut sheet.days)?;
        drafts.extend(sheet.drafts(&columns, day)?);
        fingerprints.sort_unstable();
        fingerprints.dedup();
        drafts.extend(Draft::of_fingerprints(day, &fingerprints)?);
    }
    Ok(drafts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountKey, Measure, RegionKey};
    use object_store::memory::InMemory;
    use proptest::prelude::*;
    use std::process::Command;

    const MONDAY: Day = Day(20_514);

    fn names(accounts: u32) -> Names {
        let account = |number: u32| AccountKey {
            provider: if number.is_multiple_of(2) { "One" } else { "Two" }.to_owned(),
            customer: format!("customer-{}", number / 3),
            account: format!("account \"{number:03}\" é"),
        };
        let region = |(provider, region): (&str, &str)| RegionKey { provider: provider.into(), region: region.into() };
        let mut accounts: Vec<AccountKey> = (0..accounts).map(account).collect();
        accounts.sort();
        let regions = [("One", ""), ("One", "eu-1"), ("Two", ""), ("Two", "eu-1")].map(region).to_vec();
        Names { accounts, regions }
    }

    /// A row of the names' account `account`, in a region of its provider.
    fn row(names: &Names, account: u32, hour: i32, quantity: i64) -> Usage {
        let region = if names.accounts[account as usize].provider == "One" { 0 } else { 2 } + (hour % 2) as u16;
        let hour = MONDAY.start().plus(hour);
        let measure = Measure::ALL[account as usize % Measure::COUNT];
        Usage { account, measure, region, period: Period::Hour(hour), known: hour.plus(1), quantity }
    }

    fn memory() -> Arc<dyn ObjectStore> {
        Arc::new(InMemory::new())
    }

    fn open(store: &Arc<dyn ObjectStore>) -> Rollups {
        Rollups::open(store.clone(), "state/rollups").unwrap()
    }

    type Spelt = (AccountKey, Measure, RegionKey, Period, Hour);

    fn spelt(names: &Names, row: &Usage) -> Spelt {
        let account = names.accounts[row.account as usize].clone();
        (account, row.measure, names.regions[row.region as usize].clone(), row.period, row.known)
    }

    /// What rows must add up to, reckoned apart.
    fn added(names: &Names, rows: &[Usage]) -> BTreeMap<Spelt, i64> {
        let mut sums = BTreeMap::new();
        for row in rows {
            *sums.entry(spelt(names, row)).or_default() += row.quantity;
        }
        sums
    }

    fn read(rollups: &Rollups) -> BTreeMap<Spelt, i64> {
        let mut all = BTreeMap::new();
        for day in rollups.days() {
            let (names, rows) = rollups.read_day(day).unwrap();
            assert!(names.accounts.is_sorted() && names.regions.is_sorted() && rows.is_sorted());
            let sums = added(&names, &rows);
            assert_eq!(sums.len(), rows.len(), "one row for each key");
            all.extend(sums);
        }
        all
    }

    /// The sums of a table by account, whatever the day, measure and time.
    fn totals(sums: impl IntoIterator<Item = (Spelt, i64)>) -> BTreeMap<(AccountKey, Day), i64> {
        let mut totals = BTreeMap::new();
        for ((account, _, _, period, _), quantity) in sums {
            *totals.entry((account, period.day())).or_default() += quantity;
        }
        totals
    }

    fn daily(rollups: &Rollups) -> BTreeMap<(AccountKey, Day), i64> {
        let of_day = |day| rollups.read_totals(day).map(|(names, rows)| added(&names, &rows)).unwrap();
        totals(rollups.days().into_iter().flat_map(of_day))
    }

    fn usage() -> impl Strategy<Value = Usage> {
        (0u32..6, 0i32..60, 0i32..40, -9i64..10, prop::bool::weighted(0.2)).prop_map(
            |(account, hour, late, quantity, whole)| {
                let row = row(&names(6), account, hour, quantity);
                let period = if whole { Period::Day(row.period.day()) } else { row.period };
                Usage { period, known: row.known.plus(late), ..row }
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn sums_are_exact_whatever_the_order_the_deltas_and_the_compactions(
            rows in prop::collection::vec(usage(), 1..80),
            shuffled in any::<prop::sample::Index>(),
            cuts in prop::collection::vec((1usize..9, prop::bool::weighted(0.3)), 80),
        ) {
            let (names, expected) = (names(6), added(&names(6), &rows));
            let mut turned = rows.clone();
            turned.rotate_left(shuffled.index(rows.len()));
            turned.reverse();
            for rows in [rows, turned] {
                let mut rollups = open(&memory());
                let mut rest = rows.as_slice();
                for (cut, compact) in &cuts {
                    let (delta, after) = rest.split_at((*cut).min(rest.len()));
                    rollups.append(&names, delta, &[]).unwrap();
                    rest = after;
                    if *compact {
                        rollups.compact(MONDAY).unwrap();
                    }
                }
                prop_assert_eq!(&read(&rollups), &expected);
                prop_assert_eq!(daily(&rollups), totals(expected.clone()));
                for day in rollups.days() {
                    rollups.compact(day).unwrap();
                    prop_assert!(!rollups.compact(day).unwrap(), "one file each is enough");
                }
                prop_assert_eq!(&read(&rollups), &expected);
                prop_assert_eq!(daily(&rollups), totals(expected.clone()));

                let undone: Vec<Usage> = rows.iter().map(|row| Usage { quantity: -row.quantity, ..*row }).collect();
                rollups.append(&names, &undone, &[]).unwrap();
                prop_assert!(read(&rollups).values().all(|quantity| *quantity == 0));
                prop_assert!(daily(&rollups).values().all(|quantity| *quantity == 0));
            }
        }
    }

    #[test]
    fn names_of_several_appends_become_one_sorted_list() {
        let mut rollups = open(&memory());
        let all = names(6);
        let last = Names { accounts: all.accounts[5..].to_vec(), regions: all.regions[2..3].to_vec() };
        let late = Usage { account: 0, region: 0, ..row(&all, 5, 0, 7) };
        rollups.append(&last, &[late], &[]).unwrap();
        rollups.append(&all, &[row(&all, 0, 0, 5), row(&all, 5, 0, 1)], &[]).unwrap();
        let (names, rows) = rollups.read_day(MONDAY).unwrap();
        assert_eq!(names.accounts, [all.accounts[0].clone(), all.accounts[5].clone()]);
        assert_eq!(rows.iter().map(|row| (row.account, row.quantity)).collect::<Vec<_>>(), [(0, 5), (1, 8)]);
    }

    #[test]
    fn a_total_of_hours_is_known_when_the_day_is_over_or_later() {
        let (names, mut rollups) = (names(1), open(&memory()));
        let late = MONDAY.plus(3).start();
        let day = Usage { period: Period::Day(MONDAY), known: late.plus(1), ..row(&names, 0, 0, 100) };
        let rows = [row(&names, 0, 2, 1), row(&names, 0, 4, 2), Usage { known: late, ..row(&names, 0, 6, 4) }, day];
        rollups.append(&names, &rows, &[]).unwrap();
        let (_, totals) = rollups.read_totals(MONDAY).unwrap();
        let seen: Vec<(Hour, i64)> = totals.iter().map(|row| (row.known, row.quantity)).collect();
        assert_eq!(seen, [(MONDAY.plus(1).start(), 3), (late, 4), (late.plus(1), 100)]);
    }

    #[test]
    fn fingerprints_are_seen_across_appends_and_compaction() {
        let (names, store) = (names(2), memory());
        let mut rollups = open(&store);
        rollups
            .append(&names, &[row(&names, 0, 0, 1)], &[(MONDAY, 9), (MONDAY.plus(1), 1), (MONDAY, u128::MAX)])
            .unwrap();
        rollups.append(&names, &[], &[(MONDAY, 3), (MONDAY, 9)]).unwrap();
        for _ in 0..2 {
            assert_eq!(open(&store).seen(MONDAY).unwrap(), [3, 9, u128::MAX]);
            assert_eq!(open(&store).seen(MONDAY.plus(1)).unwrap(), [1]);
            rollups.compact(MONDAY).unwrap();
        }
        assert_eq!(rollups.records(), 4);
        assert_eq!(rollups.append(&names, &[], &[]).unwrap().version, 3, "nothing makes no version");
    }

    #[test]
    fn what_does_not_fit_is_refused_and_changes_nothing() {
        let (names, store) = (names(2), memory());
        let mut rollups = open(&store);
        let good = row(&names, 0, 0, i64::MAX);
        for (bad, says) in [
            (vec![good, good], "64 bits"),
            (vec![Usage { account: 2, ..good }], "no name"),
            (vec![Usage { region: 9, ..good }], "no name"),
            (vec![Usage { region: 2, ..good }], "in a region of"),
            (vec![Usage { period: Period::Hour(Hour(i32::MAX)), ..good }], "between 2000 and 2100"),
            (vec![Usage { period: Period::Day(Day(i32::MIN)), ..good }], "between 2000 and 2100"),
        ] {
            let error = rollups.append(&names, &bad, &[(MONDAY, 1)]).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        assert_eq!((rollups.version(), rollups.days()), (0, vec![]));
        let back = Usage { quantity: -1, ..good };
        rollups.append(&names, &[good, good, Usage { quantity: i64::MIN, ..good }, back], &[]).unwrap();
        assert_eq!(read(&rollups).into_values().collect::<Vec<_>>(), [i64::MAX - 2]);
    }

    /// Every file under a folder, with its bytes.
    fn files(root: &std::path::Path) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
        let mut all = BTreeMap::new();
        for entry in std::fs::read_dir(root).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                all.extend(files(&path));
            } else {
                all.insert(path.clone(), std::fs::read(path).unwrap());
            }
        }
        all
    }

    #[test]
    fn nothing_written_is_altered_and_each_manifest_names_the_one_before() {
        let (names, root) = (names(4), tempfile::tempdir().unwrap());
        let mut rollups = Rollups::local(root.path()).unwrap();
        let (mut before, mut digest) = (BTreeMap::new(), None);
        for hour in 0..6 {
            rollups.append(&names, &[row(&names, 1, hour, 1)], &[(MONDAY, hour as u128)]).unwrap();
            if hour % 3 == 2 {
                let parent = rollups.digest().to_owned();
                assert!(rollups.compact(MONDAY).unwrap());
                digest = Some(parent);
            }
            assert!(digest.is_none() || rollups.manifest.parent == digest);
            digest = Some(rollups.digest().to_owned());
            let now = files(root.path());
            assert!(before.iter().all(|(path, bytes)| now.get(path) == Some(bytes)));
            before = now;
        }
        let again = Rollups::local(root.path()).unwrap();
        assert_eq!((again.version(), again.digest(), again.files()), (8, rollups.digest(), rollups.files()));
        assert_eq!(again.files().len(), 3);
    }

    #[test]
    fn a_torn_write_is_invisible_and_the_next_one_takes_its_place() {
        let (names, root) = (names(4), tempfile::tempdir().unwrap());
        let mut rollups = Rollups::local(root.path()).unwrap();
        rollups.append(&names, &[row(&names, 1, 0, 1)], &[(MONDAY, 1)]).unwrap();
        let before = (rollups.digest().to_owned(), read(&rollups));

        rollups.append(&names, &[row(&names, 1, 1, 1)], &[(MONDAY, 2)]).unwrap();
        let after = (rollups.digest().to_owned(), read(&rollups));
        std::fs::remove_file(root.path().join("manifests/00000002.json")).unwrap();
        for file in rollups.files().iter().filter(|file| file.path.contains("/00000002-")) {
            std::fs::write(root.path().join(&file.path), b"PAR1 torn").unwrap();
        }
        std::fs::write(root.path().join("manifests/00000002.json#7"), b"{\"schema\"").unwrap();

        let mut rollups = Rollups::local(root.path()).unwrap();
        assert_eq!((rollups.digest().to_owned(), read(&rollups)), before);
        assert_eq!(rollups.seen(MONDAY).unwrap(), [1]);
        rollups.append(&names, &[row(&names, 1, 1, 1)], &[(MONDAY, 2)]).unwrap();
        assert_eq!((rollups.digest().to_owned(), read(&rollups)), after);
    }

    #[test]
    fn a_state_that_is_not_as_written_is_refused_with_a_reason() {
        let (names, root) = (names(2), tempfile::tempdir().unwrap());
        let mut rollups = Rollups::local(root.path()).unwrap();
        for hour in 0..2 {
            rollups.append(&names, &[row(&names, 0, hour, 1)], &[(MONDAY, hour as u128)]).unwrap();
        }
        let refused = |path: &str, bytes: Option<Vec<u8>>, says: &str| {
            let place = root.path().join(path);
            let good = std::fs::read(&place).unwrap();
            match bytes {
                Some(bytes) => std::fs::write(&place, bytes).unwrap(),
                None => std::fs::remove_file(&place).unwrap(),
            }
            let outcome =
                Rollups::local(root.path()).and_then(|rollups| Ok((rollups.read_day(MONDAY)?, rollups.seen(MONDAY)?)));
            let error = outcome.unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
            std::fs::write(&place, good).unwrap();
        };
        for file in rollups.files() {
            refused(&file.path, None, "is missing");
            refused(&file.path, Some(Vec::new()), "was altered or cut");
            let mut bytes = std::fs::read(root.path().join(&file.path)).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            refused(&file.path, Some(bytes), "was altered or cut");
        }
        let newest = std::fs::read_to_string(root.path().join("manifests/00000002.json")).unwrap();
        let other = newest.replace(SCHEMA, "tribune.rollups/2");
        refused("manifests/00000002.json", Some(other.into()), "`tribune.rollups/2`");
        refused("manifests/00000002.json", Some(newest[..40].into()), "is no manifest");
        refused(
            "manifests/00000002.json",
            Some(newest.replace("\"version\": 2", "\"version\": 1").into()),
            "does not continue",
        );
        refused("manifests/00000001.json", Some(newest.into()), "does not continue version 1");
        refused("manifests/00000001.json", None, "does not continue version 1");
        assert_eq!(read(&Rollups::local(root.path()).unwrap()), read(&rollups));
    }

    #[test]
    fn of_two_writers_one_comes_second_and_nothing_is_lost() {
        let (names, store) = (names(4), memory());
        let (mut one, mut two) = (open(&store), open(&store));
        one.append(&names, &[row(&names, 0, 0, 1)], &[(MONDAY, 1)]).unwrap();
        assert_eq!(two.append(&names, &[row(&names, 0, 0, 10)], &[(MONDAY, 2)]).unwrap().version, 2);
        assert_eq!(read(&two).into_values().collect::<Vec<_>>(), [11]);
        assert!(one.compact(MONDAY).unwrap(), "on top of what came between");
        assert_eq!(read(&one), read(&two));
        assert_eq!(one.seen(MONDAY).unwrap(), [1, 2]);

        let (same, other) = ([row(&names, 1, 0, 1)], [row(&names, 1, 0, 1), row(&names, 2, 0, 1)]);
        one.append(&names, &same, &[(MONDAY, 5)]).unwrap();
        let error = two.append(&names, &other, &[(MONDAY, 5), (MONDAY, 6)]).unwrap_err();
        assert!(matches!(error, RollupError::Overtaken { version: 4 }), "{error}");
        assert_eq!((two.version(), two.seen(MONDAY).unwrap()), (4, vec![1, 2, 5]));
    }

    #[test]
    fn the_same_append_sent_twice_at_once_counts_once() {
        let (names, store) = (names(4), memory());
        let (mut one, mut two) = (open(&store), open(&store));
        for rollups in [&mut one, &mut two] {
            assert_eq!(rollups.append(&names, &[row(&names, 0, 0, 1)], &[(MONDAY, 1)]).unwrap().version, 1);
        }
        assert_eq!(read(&open(&store)).into_values().collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn writers_at_once_all_get_through() {
        let (names, root) = (names(4), tempfile::tempdir().unwrap());
        let write = |writer: i32| {
            let mut rollups = Rollups::local(root.path()).unwrap();
            for step in 0..5 {
                let print = (writer * 5 + step) as u128;
                rollups.append(&names, &[row(&names, writer as u32, step, 1)], &[(MONDAY, print)]).unwrap();
                rollups.compact(MONDAY).unwrap();
            }
        };
        std::thread::scope(|scope| (0..4).for_each(|writer| _ = scope.spawn(move || write(writer))));
        let rollups = Rollups::local(root.path()).unwrap();
        assert_eq!(read(&rollups).into_values().collect::<Vec<_>>(), [1; 20]);
        assert_eq!(rollups.seen(MONDAY).unwrap(), (0..20).collect::<Vec<_>>());
    }

    /// Prints the sums of the hourly and the daily table as each engine reads them, a line for each account and day.
    const ENGINES: &str = r#"
import json, sys, collections, duckdb, pyarrow, pyarrow.dataset
root = sys.argv[1]
manifest = json.load(open(sys.argv[2]))
out = {}
for table, time in [("hourly", "hour"), ("daily", "from_hours")]:
    files = [f"{root}/{f['path']}" for f in manifest["files"] if f["table"] == table]
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    # With the types each is meant to have: a day is a DATE, a time a TIMESTAMPTZ, a flag a BOOLEAN.
    cast = "hour + INTERVAL 1 HOUR <= known" if table == "hourly" else "from_hours IN (true, false)"
    rows = connection.execute(f"""SELECT account, strftime(day + INTERVAL 0 DAY, '%Y-%m-%d'), sum(quantity)::BIGINT,
        bool_and({cast}), min(epoch(known))::BIGINT FROM read_parquet(?, hive_partitioning = true) GROUP BY 1, 2""",
        [files]).fetchall()
    assert all(row[3] for row in rows), rows
    out["duckdb " + table] = sorted([row[0], row[1], row[2], row[4]] for row in rows)
    data = pyarrow.dataset.dataset(files, format="parquet", partitioning="hive").to_table()
    assert pyarrow.types.is_dictionary(data.schema.field("account").type), data.schema
    assert data.schema.field("known").type == pyarrow.timestamp("ms", "UTC"), data.schema
    sums, known = collections.Counter(), {}
    for line in data.to_pylist():
        key = line["account"], line["day"]
        sums[key] += line["quantity"]
        known[key] = min(known.get(key, 1 << 62), int(line["known"].timestamp()))
        assert line[time] is not None and line["measure"] and line["provider"] and line["customer"]
    out["pyarrow " + table] = sorted([*key, sums[key], known[key]] for key in sums)
files = [f"{root}/{f['path']}" for f in manifest["files"] if f["table"] == "fingerprints"]
out["duckdb fingerprints"] = [row[0] for row in duckdb.execute(
    "SELECT DISTINCT lower(hex(fingerprint)) FROM read_parquet(?) ORDER BY 1", [files]).fetchall()]
out["pyarrow fingerprints"] = sorted(
    {b.hex() for b in pyarrow.dataset.dataset(files).to_table().column("fingerprint").to_pylist()})
print(json.dumps(out))
"#;

    #[test]
    fn duckdb_and_pyarrow_read_the_same_sums() {
        let Ok(python) = std::env::var("TRIBUNE_PYTHON") else {
            println!("skipped: TRIBUNE_PYTHON names no interpreter that has duckdb and pyarrow");
            return;
        };
        let (names, root) = (names(9), tempfile::tempdir().unwrap());
        let mut rollups = Rollups::local(root.path()).unwrap();
        for hour in 0..30 {
            let mut rows: Vec<Usage> =
                (0..9).map(|account| row(&names, account, hour, i64::from(hour) << 40)).collect();
            rows.push(Usage { quantity: -7, known: MONDAY.plus(2).start(), ..rows[4] });
            rows.push(Usage { period: Period::Day(MONDAY.plus(1)), known: MONDAY.plus(2).start(), ..rows[5] });
            rollups.append(&names, &rows, &[(MONDAY, u128::MAX - hour as u128)]).unwrap();
            if hour == 12 {
                rollups.compact(MONDAY).unwrap();
            }
        }
        let manifest = root.path().join(manifest_path(rollups.version()));
        let run = Command::new(python).args(["-c", ENGINES]).arg(root.path()).arg(manifest).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let seen: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&run.stdout).unwrap();

        let expected = |read: &dyn Fn(Day) -> Result<(Names, Vec<Usage>)>, hours_only: bool| {
            let mut sums: BTreeMap<(String, String), (i64, i64)> = BTreeMap::new();
            for day in rollups.days() {
                let (names, rows) = read(day).unwrap();
                for row in rows.iter().filter(|row| !hours_only || matches!(row.period, Period::Hour(_))) {
                    let key = (names.accounts[row.account as usize].account.clone(), day.to_string());
                    let sum = sums.entry(key).or_insert((0, i64::MAX));
                    *sum = (sum.0 + row.quantity, sum.1.min(i64::from(row.known.0) * 3_600));
                }
            }
            serde_json::json!(sums.into_iter().map(|((a, d), (q, k))| (a, d, q, k)).collect::<Vec<_>>())
        };
        let prints: Vec<String> = rollups.seen(MONDAY).unwrap().iter().map(|print| format!("{print:032x}")).collect();
        for engine in ["duckdb", "pyarrow"] {
            assert_eq!(seen[&format!("{engine} hourly")], expected(&|day| rollups.read_day(day), true));
            assert_eq!(seen[&format!("{engine} daily")], expected(&|day| rollups.read_totals(day), false));
            assert_eq!(seen[&format!("{engine} fingerprints")], serde_json::json!(prints));
        }
    }
}
