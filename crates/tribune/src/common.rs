//! What several commands need: opening records, facts and policies, saying what was read, writing what was found.
//!
//! The only place that looks at a clock (for the progress line) and at the machine (threads, scratch folder).

pub(crate) use web::plain::thousands;

use clap::ValueEnum;
use serde::Serialize;
use signals::docket::{Clearance, Docket, Ranked};
use signals::drive::DriveError;
use signals::pack::{PackError, Policy};
use signals::watch::WatchError;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use usage::facts::{Facts, FactsError};
use usage::feed::{FeedError, feed};
use usage::rollup::{RollupError, Rollups};
use usage::{Books, ByDay, Catalogue, CatalogueError, Hour, ReadError, ReadOptions, Tally, UsageError};

/// Why a command did not do what was asked. Exit code 1, but 70 for a defect of ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// No records.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The facts could not be read.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// Nothing could be fed to the rollups.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The rollups failed.
    #[error(transparent)]
    Rollups(#[from] RollupError),
    /// The usage could not be had.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// A meter catalogue is not well formed.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// A policy pack is not well formed.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The watch failed.
    #[error(transparent)]
    Watch(#[from] WatchError),
    /// The drive failed.
    #[error(transparent)]
    Drive(#[from] DriveError),
    /// The simulation failed.
    #[error(transparent)]
    Simulate(#[from] ::simulate::SimulateError),
    /// The review refused, or its record failed.
    #[error(transparent)]
    Review(#[from] clerk::Error),
    /// A file could not be written.
    #[error("{path} could not be written: {source}")]
    Write {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// An expected refusal, said whole.
    #[error("{0}")]
    Refused(String),
    /// Something that must not happen.
    #[error("{0}; this is a defect of Tribune's, please report it")]
    Defect(String),
    /// Whoever read the output went away.
    #[error("the reader of the output went away")]
    PipeClosed,
}

impl Failure {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        if matches!(self, Self::Defect(_) | Self::Review(clerk::Error::Defect(_))) { 70 } else { 1 }
    }
}

/// How to print data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// For machines; schemas are in docs/schemas.
    Json,
}

/// Where records and what belongs to them come from.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Sources {
    /// FOCUS files, folders of them, or addresses in an object store
    #[arg(required_unless_present = "state", value_name = "RECORDS")]
    pub records: Vec<String>,
    /// Keep rollups in this folder: only files that are new or were altered are read, and what was read before counts
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// What the provider knows by contract or by checking [default: facts.csv beside the records, if there is one]
    #[arg(long, value_name = "FILE")]
    pub facts: Option<PathBuf>,
    /// A policy pack to add, or to replace the one of the same id
    #[arg(long, value_name = "DIR")]
    pub policy: Vec<PathBuf>,
    /// A folder of meter catalogues to add, or to replace those of the same name
    #[arg(long, value_name = "DIR")]
    pub meters: Option<PathBuf>,
    /// Threads to use; changes how long it takes, never what is found
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// A folder for scratch files (about 60 bytes a row)
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
}

/// Usage, facts and policies, opened. The usage is [`Books`] where its names are needed in one list.
pub(crate) struct Opened<U = Box<dyn ByDay>> {
    /// The usage.
    pub usage: U,
    /// What was read.
    pub tally: Tally,
    /// The facts.
    pub facts: Facts,
    /// The policies.
    pub policies: Vec<Policy>,
    /// Threads to use.
    pub threads: usize,
}

impl Sources {
    /// Opens everything; what could not be used is said on standard error.
    pub(crate) fn open(&self) -> Result<Opened, Failure> {
        let Some(folder) = &self.state else {
            let Opened { usage, tally, facts, policies, threads } = self.read()?;
            return Ok(Opened { usage: Box::new(usage), tally, facts, policies, threads });
        };
        self.with(|catalogue, options| {
            let mut rollups = Rollups::local(folder)?;
            let fed = feed(&mut rollups, &self.records, catalogue, options)?;
            if fed.known > 0 {
                let (read, known) = (thousands(fed.read as u64), thousands(fed.known as u64));
                note(&format!("{known} files were counted before; {read} files were read"));
            }
            let usage: Box<dyn ByDay> = Box::new(rollups);
            Ok((usage, fed.tally))
        })
    }

    /// Opens everything, reading all records anew.
    pub(crate) fn read(&self) -> Result<Opened<Books>, Failure> {
        self.with(|catalogue, options| {
            let books = usage::read(&self.records, catalogue, options)?;
            let tally = books.tally().clone();
            Ok((books, tally))
        })
    }

    fn with<U>(
        &self,
        read: impl FnOnce(&Catalogue, &ReadOptions<'_>) -> Result<(U, Tally), Failure>,
    ) -> Result<Opened<U>, Failure> {
        let policies = policies(&self.policy)?;
        let facts = self.facts()?;
        let mut catalogue = Catalogue::built_in()?;
        if let Some(folder) = &self.meters {
            catalogue = catalogue.with_dir(folder)?;
        }
        let threads = self.threads.unwrap_or_else(threads).max(1);
        let scratch = self.scratch.clone().unwrap_or_else(scratch);
        let progress = Progress::new("reading");
        let options = ReadOptions {
            scratch: &scratch,
            threads,
            fingerprints: self.state.is_some(),
            progress: &|p| progress.show(p.bytes_done, p.bytes, &format!("{} rows", thousands(p.rows))),
        };
        let (usage, tally) = read(&catalogue, &options)?;
        progress.done();
        say_trouble(&tally);
        Ok(Opened { usage, tally, facts, policies, threads })
    }

    fn facts(&self) -> Result<Facts, Failure> {
        let beside = || {
            let folder = self.records.iter().map(Path::new).find(|path| path.is_dir())?;
            Some(folder.join("facts.csv")).filter(|path| path.is_file())
        };
        let Some(path) = self.facts.clone().or_else(beside) else { return Ok(Facts::empty()) };
        let facts = Facts::read(&path)?;
        for hint in facts.hints() {
            note(&format!("{}: {hint}", path.display()));
        }
        for wrong in facts.rejections().iter().take(20) {
            note(&format!("{}: row {}, {}: {}", path.display(), wrong.row, wrong.column, wrong.reason));
        }
        if facts.rejections().len() > 20 {
            note(&format!("{}: {} more rows rejected", path.display(), facts.rejections().len() - 20));
        }
        Ok(facts)
    }
}

impl<U: ByDay> Opened<U> {
    /// Exit code 0, or 1 when a file could not be read or a row was rejected (contracts §1).
    pub(crate) fn exit(&self) -> ExitCode {
        let clean = self.tally.is_clean() && self.facts.rejections().is_empty();
        if clean { ExitCode::SUCCESS } else { ExitCode::from(1) }
    }

    /// The latest hour known, or the hour that was asked for.
    pub(crate) fn as_of(&self, asked: Option<Hour>) -> Result<Hour, Failure> {
        let nothing =
            || Failure::Refused("none of the rows is usage that a meter catalogue maps; nothing can be ranked".into());
        match asked {
            Some(hour) => Ok(hour),
            None => self.usage.known().map(|(_, last)| last).ok_or_else(nothing),
        }
    }
}

/// The built-in packs, and those of the folders in their place or beside them.
pub(crate) fn policies(folders: &[PathBuf]) -> Result<Vec<Policy>, Failure> {
    let mut policies = Policy::built_in()?;
    for folder in folders {
        let policy = Policy::read(folder)?;
        policies.retain(|other| other.id != policy.id);
        policies.push(policy);
    }
    Ok(policies)
}

/// The head of every output.
#[derive(Serialize)]
pub(crate) struct Head<'a> {
    /// Name and version of the schema.
    pub schema: &'static str,
    /// As of when.
    pub as_of: String,
    /// Which Tribune.
    pub engine: String,
    /// What was read.
    pub records: RecordsHead<'a>,
    /// Which policies.
    pub policies: Vec<PolicyHead<'a>>,
}

/// What was read.
#[derive(Serialize)]
pub(crate) struct RecordsHead<'a> {
    #[serde(flatten)]
    tally: &'a Tally,
    /// SHA-256 of the sorted canonical rollup of what was known by then.
    pub digest: String,
}

/// Which policy.
#[derive(Serialize)]
pub(crate) struct PolicyHead<'a> {
    id: &'a str,
    version: &'a str,
    digest: &'a str,
}

impl<'a> Head<'a> {
    /// The head of an output of these records.
    pub(crate) fn new<U: ByDay>(schema: &'static str, opened: &'a Opened<U>, as_of: Hour) -> Result<Self, Failure> {
        let policies = opened.policies.iter();
        Ok(Self {
            schema,
            as_of: as_of.to_string(),
            engine: format!("tribune {}", env!("CARGO_PKG_VERSION")),
            records: RecordsHead { tally: &opened.tally, digest: usage::records_digest(&opened.usage, as_of)? },
            policies: policies.map(|p| PolicyHead { id: &p.id, version: &p.version, digest: &p.digest }).collect(),
        })
    }
}

/// What was read, in words, and everything that was not used.
pub(crate) fn say_tally(out: &mut impl Write, tally: &Tally) -> Result<(), Failure> {
    let n = |count: u64| thousands(count);
    put(
        out,
        &format!(
            "{} rows in {}: {} used, {} passed over (not usage), {} unmapped, {} duplicates, {} rejected",
            n(tally.rows),
            if tally.files == 1 { "1 file".into() } else { format!("{} files", n(tally.files)) },
            n(tally.used),
            n(tally.passed_over),
            n(tally.unmapped),
            n(tally.duplicates),
            n(tally.rejected)
        ),
    )
}

/// The unmapped meters, by name with their counts.
pub(crate) fn say_unmapped(out: &mut impl Write, tally: &Tally, most: usize) -> Result<(), Failure> {
    if tally.unmapped == 0 {
        return Ok(());
    }
    put(out, "\nunmapped (nothing is guessed; a catalogue in --meters can map them):")?;
    for name in tally.unmapped_names.iter().take(most) {
        let service = clean(&name.service);
        let meter = clean(&name.meter);
        put(
            out,
            &format!(
                "  {:>9}  {} · {service} · {meter} · {} ({})",
                n_rows(name.rows),
                clean(&name.provider),
                clean(&name.unit),
                clean(&name.why)
            ),
        )?;
    }
    let rest = tally.unmapped_names.iter().skip(most);
    let (names, rows) = rest.fold((0_u64, tally.unmapped_others), |(names, rows), name| (names + 1, rows + name.rows));
    if rows > 0 {
        put(out, &format!("  {:>9}  of {} other meters; --format json lists them", n_rows(rows), thousands(names)))?;
    }
    Ok(())
}

fn n_rows(rows: u64) -> String {
    thousands(rows)
}

/// Rejections and unreadable files, on standard error.
fn say_trouble(tally: &Tally) {
    for file in &tally.unreadable {
        note(&format!("{}: {}", file.file, file.reason));
    }
    for row in tally.rejections.iter().take(20) {
        note(&format!("{}: row {}, {}: {}", row.file, row.row, row.column, row.reason));
    }
    if tally.rejected > 20 {
        note(&format!(
            "{} more rows were rejected; --format json lists the first of each file",
            thousands(tally.rejected - 20)
        ));
    }
}

/// A line on standard error.
pub(crate) fn note(text: &str) {
    eprintln!("tribune: {}", clean(text));
}

/// Text that a terminal shows as it is: control characters, bidirectional and invisible ones become visible escapes.
pub(crate) fn clean(text: &str) -> String {
    web::plain::clean(text)
}

/// Writes a line.
pub(crate) fn put(out: &mut impl Write, line: &str) -> Result<(), Failure> {
    writeln!(out, "{line}").map_err(|source| match source.kind() {
        io::ErrorKind::BrokenPipe => Failure::PipeClosed,
        _ => Failure::Write { path: "the output".into(), source },
    })
}

/// Hands `write` a file, or standard output where none is named. A file appears whole or not at all.
pub(crate) fn output(
    file: Option<&Path>,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let Some(path) = file else {
        let mut out = io::BufWriter::new(io::stdout().lock());
        write(&mut out)?;
        return out.flush().map_err(|_| Failure::PipeClosed);
    };
    let fail = |source| Failure::Write { path: path.display().to_string(), source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new();
    // As any new file: what the umask allows, not only the owner.
    #[cfg(unix)]
    new.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut new = new.tempfile_in(folder).map_err(fail)?;
    {
        let mut out = io::BufWriter::new(&mut new);
        write(&mut out)?;
        out.flush().map_err(fail)?;
    }
    new.as_file().sync_all().map_err(fail)?;
    new.persist(path).map_err(|error| fail(error.error))?;
    Ok(())
}

/// Writes a value as JSON.
pub(crate) fn json(out: &mut dyn Write, value: &impl Serialize) -> Result<(), Failure> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(|error| match error.io_error_kind() {
        Some(io::ErrorKind::BrokenPipe) => Failure::PipeClosed,
        Some(_) => Failure::Write { path: "the output".into(), source: error.into() },
        None => Failure::Defect(error.to_string()),
    })?;
    put(&mut &mut *out, "")
}

/// How many threads the machine offers.
pub(crate) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The machine's folder for scratch files.
#[expect(clippy::disallowed_methods, reason = "the default of --scratch; everything below takes it as a parameter")]
pub(crate) fn scratch() -> PathBuf {
    std::env::temp_dir()
}

/// A line on standard error that says how far something is, if that is a terminal and it takes over two seconds.
pub(crate) struct Progress {
    what: &'static str,
    began: std::time::Instant,
    last: Mutex<Option<std::time::Duration>>,
    shown: bool,
}

impl Progress {
    /// Nothing is shown yet.
    #[expect(clippy::disallowed_methods, reason = "only the progress line looks at this clock")]
    pub(crate) fn new(what: &'static str) -> Self {
        let shown = io::stderr().is_terminal();
        Self { what, began: std::time::Instant::now(), last: Mutex::new(None), shown }
    }

    /// So much of so much is done.
    pub(crate) fn show(&self, done: u64, all: u64, more: &str) {
        let elapsed = self.began.elapsed();
        if !self.shown || elapsed.as_secs() < 2 {
            return;
        }
        let Ok(mut last) = self.last.try_lock() else { return };
        if last.is_some_and(|last| elapsed.saturating_sub(last).as_millis() < 200) {
            return;
        }
        *last = Some(elapsed);
        let percent = done * 100 / all.max(1);
        let bar: String = (0..20).map(|step| if step * 5 < percent { '█' } else { '░' }).collect();
        eprint!("\r\u{1b}[2K{} {bar} {percent:>3} %  {more}  {} s", self.what, elapsed.as_secs());
        let _ = io::stderr().flush();
    }

    /// Takes the line away.
    pub(crate) fn done(&self) {
        if self.last.lock().is_ok_and(|last| last.is_some()) {
            eprint!("\r\u{1b}[2K");
        }
    }
}

/// What a drive's last hour left: the ranking of each policy.
pub(crate) struct Rankings {
    /// Who was above, and the cases.
    pub docket: Docket,
    /// By policy: the evaluation and the ranking.
    pub last: Vec<(signals::watch::Evaluation, Vec<Ranked>)>,
}

/// Scans as of an hour: two midnights before and the hour itself.
pub(crate) fn scan(
    opened: &Opened<impl ByDay>,
    watch: &mut signals::watch::Watch,
    at: Hour,
    cleared: Vec<Clearance>,
) -> Result<Rankings, Failure> {
    let mut rankings = Rankings { docket: Docket::new(cleared), last: Vec::new() };
    signals::drive::drive(&opened.usage, watch, &signals::drive::scan_hours(at), |watch, hour, evaluations| {
        for evaluation in evaluations {
            let ranking = rankings.docket.rank(watch, &evaluation);
            if hour == at {
                rankings.last.push((evaluation, ranking));
            }
        }
    })?;
    Ok(rankings)
}

/// `1h`, `6h`, `24h` or `1d` as hours.
pub(crate) fn every(text: &str) -> Result<i32, String> {
    let wrong = || format!("`{text}` is not a step; write it like 1h, 6h or 1d");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let number: i32 = number.parse().map_err(|_| wrong())?;
    let hours = match unit {
        "h" => number,
        "d" => number.saturating_mul(24),
        _ => return Err(wrong()),
    };
    if (1..=24 * 366).contains(&hours) { Ok(hours) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_and_nonsense_is_not() {
        assert_eq!([every("1h"), every("6h"), every("1d")], [Ok(1), Ok(6), Ok(24)]);
        for text in ["", "h", "0h", "-1h", "1w", "1", "99999999999h", "é"] {
            assert!(every(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.json");
        let failed = output(Some(&path), |out| {
            let _ = out.write_all(b"half");
            Err(Failure::Refused("no".into()))
        });
        assert!(failed.is_err() && !path.exists());
        output(Some(&path), |out| json(out, &[1, 2])).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "[\n  1,\n  2\n]\n");
    }
}
