//! Reading all of a provider's usage records, and what is then known: the usage of each charge day.
//!
//! It is not adding anything up: that is a rollup.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::catalogue::Catalogue;
use crate::focus::Layout;
use crate::input::{self, Input, Inputs, Opened};
use crate::map::{Batch, Interner, Mapper, Origin};
use crate::read_csv::{BadRow, CsvBatches, CsvFile, Stop};
use crate::read_parquet::ParquetFile;
use crate::spill::{self, Days, Renaming, Settled, Spill};
use crate::tally::{FileTally, Rejection, Tally, Tallying};
use crate::{ByDay, Day, DayUsage, Hour, Names, Usage, UsageError};

/// How to read.
pub struct ReadOptions<'a> {
    /// Where files of up to some 60 bytes a row may stand until [`Books`] is dropped.
    pub scratch: &'a Path,
    /// How many threads read; at least one does.
    pub threads: usize,
    /// Whether [`Books::day_fingerprinted`] is going to be asked; else less stands in the scratch folder.
    pub fingerprints: bool,
    /// Told now and then how far it is.
    pub progress: &'a (dyn Fn(Progress) + Sync),
}

/// How far the reading is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Files read to their end.
    pub files_done: usize,
    /// Files to read.
    pub files: usize,
    /// Rows seen.
    pub rows: u64,
    /// Bytes of the files that are done.
    pub bytes_done: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Why nothing at all could be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Nothing that was named is there, or there is no file of records in it.
    #[error("no usage records: {0}")]
    Nothing(String),
    /// The scratch folder cannot be used.
    #[error("the scratch folder {path} cannot be used: {source}; name one with space that may be written")]
    Scratch {
        /// The folder.
        path: String,
        /// Why.
        source: io::Error,
    },
}

/// All usage that was read; its days lie in the scratch folder and are gone with it.
#[derive(Debug)]
pub struct Books {
    names: Names,
    tally: Tally,
    days: Vec<Day>,
    folder: tempfile::TempDir,
    renaming: Renaming,
    known: Option<(Hour, Hour)>,
}

/// Reads files, folders and places in object stores. What cannot be read is in the tally; all else is used.
pub fn read(inputs: &[String], catalogue: &Catalogue, options: &ReadOptions<'_>) -> Result<Books, ReadError> {
    let found = input::find(inputs);
    if found.files.is_empty() {
        return Err(nothing(&found));
    }
    Ok(read_found(&found, catalogue, options)?.0)
}

/// There is no file to read.
pub(crate) fn nothing(found: &Inputs) -> ReadError {
    let said: Vec<String> = found.unreadable.iter().map(|(name, reason)| format!("{name} {reason}")).collect();
    let nothing = "there is no .parquet, .csv or .csv.gz file in what was named".to_owned();
    ReadError::Nothing(if said.is_empty() { nothing } else { said.join("; ") })
}

/// Reads files that were found; with what became of each, in their order.
pub(crate) fn read_found(
    found: &Inputs,
    catalogue: &Catalogue,
    options: &ReadOptions<'_>,
) -> Result<(Books, Vec<FileTally>), ReadError> {
    let unusable = |source| ReadError::Scratch { path: options.scratch.display().to_string(), source };
    let folder = tempfile::Builder::new().prefix("usage-").tempdir_in(options.scratch).map_err(unusable)?;
    let days = Days::new(folder.path());
    let reading = Reading {
        catalogue,
        days: &days,
        interner: Interner::default(),
        queue: Queue::new(found.files.len()),
        inputs: &found.files,
        rows: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
        progress: options.progress,
    };
    let mut tallying = in_parallel(options.threads, || reading.work(), Tallying::add).map_err(unusable)?;
    let (names, renaming) = reading.interner.sorted();
    for (file, reason) in &found.unreadable {
        tallying.unreadable(file, reason.clone());
    }
    let days = days.begun();
    let settled = settle_all(folder.path(), &days, &renaming, options).map_err(unusable)?;
    let files = (found.files.len() + found.unreadable.len()) as u64;
    let mut by_file = tallying.take_files();
    let by_file = (0..found.files.len()).map(|place| by_file.remove(&place).unwrap_or_default()).collect();
    let books = Books {
        names,
        tally: tallying.finish(files, found.replaced.len() as u64, settled.used, settled.duplicates),
        days,
        folder,
        renaming,
        known: settled.known.map(|(first, last)| (Hour(first), Hour(last))),
    };
    Ok((books, by_file))
}

/// Does the same work on some threads until each says it is done, and adds up what they bring.
fn in_parallel<T: Send>(
    threads: usize,
    work: impl Fn() -> io::Result<T> + Sync,
    add: impl Fn(&mut T, T),
) -> io::Result<T> {
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(&work)).collect();
        let mut all = work();
        for other in others {
            let part = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            all = all.and_then(|mut all| {
                add(&mut all, part?);
                Ok(all)
            });
        }
        all
    })
}

fn settle_all(folder: &Path, days: &[Day], renaming: &Renaming, options: &ReadOptions<'_>) -> io::Result<Settled> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut all = Settled::default();
        while let Some(day) = days.get(next.fetch_add(1, Ordering::Relaxed)) {
            all.add(spill::settle(folder, *day, renaming)?);
            if !options.fingerprints {
                spill::forget_fingerprints(folder, *day)?;
            }
        }
        Ok(all)
    };
    in_parallel(options.threads, work, Settled::add)
}

/// What a thread takes next.
enum Work {
    /// A file that nobody has looked at.
    File(usize),
    /// A row group of a Parquet file.
    RowGroup(Arc<Groups>, usize),
}

/// A Parquet file whose row groups are read one by one.
struct Groups {
    input: usize,
    file: ParquetFile,
    layout: Layout,
    left: AtomicUsize,
}

/// Hands out work: first the row groups of files that are open, then files.
struct Queue {
    state: Mutex<QueueState>,
    changed: Condvar,
    files: usize,
}

#[derive(Default)]
struct QueueState {
    next_file: usize,
    groups: VecDeque<(Arc<Groups>, usize)>,
    /// Files being opened: they may bring row groups yet.
    opening: usize,
    done: usize,
}

impl Queue {
    fn new(files: usize) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), files }
    }

    fn state(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<Work> {
        let mut state = self.state();
        loop {
            if let Some((groups, group)) = state.groups.pop_front() {
                return Some(Work::RowGroup(groups, group));
            }
            if state.next_file < self.files {
                state.next_file += 1;
                state.opening += 1;
                return Some(Work::File(state.next_file - 1));
            }
            if state.opening == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A file was opened: with its row groups, or none where it is read otherwise.
    fn opened(&self, groups: Option<Arc<Groups>>) {
        let mut state = self.state();
        state.opening -= 1;
        if let Some(groups) = groups {
            let count = groups.left.load(Ordering::Relaxed);
            state.groups.extend((0..count).map(|group| (groups.clone(), group)));
        }
        drop(state);
        self.changed.notify_all();
    }
}

/// What all threads share while they read.
struct Reading<'a> {
    catalogue: &'a Catalogue,
    days: &'a Days,
    interner: Interner,
    queue: Queue,
    inputs: &'a [Input],
    rows: AtomicU64,
    bytes: AtomicU64,
    progress: &'a (dyn Fn(Progress) + Sync),
}

/// A file that is open, by what is in it.
enum Content {
    Csv { source: Opened, zipped: bool },
    Parquet(Arc<Groups>),
}

impl Reading<'_> {
    fn work(&self) -> io::Result<Tallying> {
        let mut mapper = Mapper::new(self.catalogue, &self.interner, Spill::new(self.days));
        let mut batch = Batch::default();
        while let Some(work) = self.queue.next() {
            let before = mapper.counts();
            let (place, result) = match &work {
                Work::File(place) => (*place, self.file(*place, &mut mapper, &mut batch)),
                Work::RowGroup(groups, group) => {
                    (groups.input, self.row_group(groups, *group, &mut mapper, &mut batch))
                }
            };
            let part = FileTally { cut: result.is_err(), ..mapper.since(&before) };
            mapper.tally.file(place, part);
            match (result, self.inputs.get(place)) {
                (Err(Stop::Scratch(error)), _) => return Err(error),
                (Err(Stop::File(reason)), Some(input)) => mapper.tally.unreadable(&input.name, reason),
                _ => {}
            }
        }
        mapper.finish()
    }

    /// Opens a file: a CSV file is read here and now, a Parquet file's row groups are handed out.
    fn file(&self, place: usize, mapper: &mut Mapper<'_>, batch: &mut Batch) -> Result<(), Stop> {
        let Some(input) = self.inputs.get(place) else { return Ok(()) };
        let result = match self.open(place, input) {
            Ok(Content::Parquet(groups)) => {
                mapper.tally.version(groups.layout.version);
                let left = groups.left.load(Ordering::Relaxed);
                self.queue.opened(Some(groups));
                if left > 0 {
                    // Its last row group says that the file is done.
                    return Ok(());
                }
                Ok(())
            }
            Ok(Content::Csv { source, zipped }) => {
                self.queue.opened(None);
                self.csv(input, source, zipped, mapper, batch)
            }
            Err(reason) => {
                self.queue.opened(None);
                Err(Stop::File(reason))
            }
        };
        self.done(input);
        result
    }

    /// Looks at the first bytes of a file: they, and not its name, tell the format.
    fn open(&self, place: usize, input: &Input) -> Result<Content, String> {
        let unread = |error: io::Error| format!("cannot be read: {error}; check the path and who may read it");
        let mut head = Vec::new();
        let start = input.open().map_err(unread)?.reader().take(4).read_to_end(&mut head);
        start.map_err(unread)?;
        let source = input.open().map_err(unread)?;
        match head.as_slice() {
            [] => Err("is empty (0 bytes); export it again".to_owned()),
            b"PAR1" => {
                let file = ParquetFile::open(&source)?;
                let layout = Layout::new(&file.names(), self.catalogue)?;
                let left = AtomicUsize::new(file.row_groups());
                Ok(Content::Parquet(Arc::new(Groups { input: place, file, layout, left })))
            }
            _ if input.name.to_lowercase().ends_with(".parquet") => {
                Err("is no Parquet file, though its name says so; export it again".to_owned())
            }
            head => Ok(Content::Csv { source, zipped: head.starts_with(&[0x1f, 0x8b]) }),
        }
    }

    fn csv(
        &self,
        input: &Input,
        source: Opened,
        zipped: bool,
        mapper: &mut Mapper<'_>,
        batch: &mut Batch,
    ) -> Result<(), Stop> {
        let mut file = CsvFile::new(source.reader(), zipped)?;
        let layout = Layout::new(&file.header()?, self.catalogue).map_err(Stop::File)?;
        mapper.tally.version(layout.version);
        let origin = Origin { name: &input.name, known: input.known, layout: &layout };
        let mut batches = CsvBatches::new(file, &layout);
        let mut examples = 0;
        loop {
            let mut bad = |bad: BadRow| {
                mapper.tally.rows += 1;
                mapper.tally.reject(&mut examples, || bad.of(&input.name));
            };
            let more = batches.next(batch, &mut bad);
            mapper.map(&origin, batch, batches.texts(), &mut examples).map_err(Stop::Scratch)?;
            self.tell(batch.rows);
            if !more? {
                return Ok(());
            }
        }
    }

    fn row_group(&self, groups: &Groups, group: usize, mapper: &mut Mapper<'_>, batch: &mut Batch) -> Result<(), Stop> {
        let Some(input) = self.inputs.get(groups.input) else { return Ok(()) };
        let result = self.rows_of_group(groups, group, input, mapper, batch);
        if groups.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.done(input);
        }
        result
    }

    fn rows_of_group(
        &self,
        groups: &Groups,
        group: usize,
        input: &Input,
        mapper: &mut Mapper<'_>,
        batch: &mut Batch,
    ) -> Result<(), Stop> {
        let source = input.open().map_err(|error| Stop::File(format!("cannot be read: {error}")))?;
        let mut batches = groups.file.read(source, group, &groups.layout)?;
        let origin = Origin { name: &input.name, known: input.known, layout: &groups.layout };
        let mut examples = 0;
        while batches.next(batch)? {
            mapper.map(&origin, batch, &batches, &mut examples).map_err(Stop::Scratch)?;
            self.tell(batch.rows);
        }
        Ok(())
    }

    fn tell(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
        self.report(self.queue.state().done);
    }

    fn done(&self, input: &Input) {
        self.bytes.fetch_add(input.size, Ordering::Relaxed);
        let mut state = self.queue.state();
        state.done += 1;
        let done = state.done;
        drop(state);
        self.report(done);
    }

    fn report(&self, files_done: usize) {
        (self.progress)(Progress {
            files_done,
            files: self.inputs.len(),
            rows: self.rows.load(Ordering::Relaxed),
            bytes_done: self.bytes.load(Ordering::Relaxed),
            bytes: self.inputs.iter().map(|input| input.size).sum(),
        });
    }
}

impl BadRow {
    fn of(self, file: &str) -> Rejection {
        Rejection { file: file.to_owned(), row: self.row, column: self.column, reason: self.reason }
    }
}

impl Books {
    /// The names behind the indices of the usage.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// What became of every row and file.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The usage of a day in its order, each row with the fingerprint of the record it comes from: for who
    /// adds to what was read before, where the same record may come again. Must have been
    /// [asked for](ReadOptions::fingerprints) when it was read.
    pub fn day_fingerprinted(&self, day: Day) -> io::Result<Vec<(Usage, u128)>> {
        match self.days.binary_search(&day) {
            Ok(_) => spill::load_fingerprinted(self.folder.path(), day, &self.renaming),
            Err(_) => Ok(Vec::new()),
        }
    }
}

impl ByDay for Books {
    fn days(&self) -> Vec<Day> {
        self.days.clone()
    }

    fn known(&self) -> Option<(Hour, Hour)> {
        self.known
    }

    fn day(&self, day: Day) -> Result<DayUsage<'_>, UsageError> {
        let parts: Box<dyn Iterator<Item = io::Result<Vec<Usage>>> + Send> = match self.days.binary_search(&day) {
            Ok(_) => Box::new(spill::Parts::of(self.folder.path(), day)?),
            Err(_) => Box::new(std::iter::empty()),
        };
        Ok(DayUsage { names: Cow::Borrowed(&self.names), parts })
    }
}
