//! Mapped rows on their way: from the readers, in any order, to one file for each charge day, sorted and unique.
//!
//! Memory does not grow with the input: readers hold small buffers by day, and a day is sorted by ranges of accounts.
//! What is written is an account, a region, a measure, an hour, two times and a fingerprint; nothing else of a row.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::time::YEARS;
use crate::{Day, Hour, Measure, Period, Usage};

/// A buffer of one day is written when it reaches this.
const DAY_BYTES: usize = 256 << 10;
/// All buffers of one reader are written when they reach this together.
const READER_BYTES: usize = 48 << 20;
/// About how many rows are sorted at a time.
const RANGE_ROWS: usize = 5 << 20;
/// About how many settled rows are looked at at a time.
const PART_ROWS: usize = 1 << 16;
/// The code of a whole day, after the hours 0 to 23.
const WHOLE_DAY: u8 = 24;

/// A mapped row before the names are sorted and the duplicates gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) key: Key,
    pub(crate) fingerprint: [u64; 2],
    pub(crate) known: i32,
    pub(crate) quantity: i64,
}

/// Account, measure, region and hour of the day in one number that sorts as they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(u64);

impl Key {
    pub(crate) fn new(account: u32, measure: Measure, region: u16, period: Period) -> Self {
        let hour = match period {
            Period::Hour(hour) => hour.of_day() as u8,
            Period::Day(_) => WHOLE_DAY,
        };
        Self(u64::from(account) << 32 | (measure.index() as u64) << 24 | u64::from(region) << 8 | u64::from(hour))
    }

    fn account(self) -> u32 {
        (self.0 >> 32) as u32
    }

    fn region(self) -> u16 {
        (self.0 >> 8) as u16
    }

    fn renamed(self, account: u32, region: u16) -> Self {
        Self(u64::from(account) << 32 | u64::from(region) << 8 | self.0 & 0xff00_00ff)
    }

    fn measure(self) -> Option<Measure> {
        Measure::ALL.get((self.0 >> 24) as usize & 0xff).copied()
    }

    fn period(self, day: Day) -> Period {
        match self.0 as u8 {
            hour @ 0..WHOLE_DAY => Period::Hour(day.start().plus(i32::from(hour))),
            _ => Period::Day(day),
        }
    }
}

impl Row {
    const BYTES: usize = 36;

    fn write(&self, into: &mut Vec<u8>) {
        let mut bytes = [0; Self::BYTES];
        let parts = [self.key.0, self.quantity as u64, self.fingerprint[0], self.fingerprint[1]];
        let (words, rest) = bytes.split_at_mut(32);
        for (place, word) in words.chunks_exact_mut(8).zip(parts) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        rest.copy_from_slice(&self.known.to_le_bytes());
        into.extend_from_slice(&bytes);
    }

    fn read(bytes: &[u8; Self::BYTES]) -> Self {
        Self {
            key: Key(word(bytes, 0)),
            quantity: word(bytes, 8) as i64,
            fingerprint: [word(bytes, 16), word(bytes, 24)],
            known: half(bytes, 32),
        }
    }

    fn usage(&self, day: Day) -> io::Result<Usage> {
        Ok(Usage {
            account: self.key.account(),
            measure: self.key.measure().ok_or_else(|| io::Error::other("a scratch file was altered"))?,
            region: self.key.region(),
            period: self.key.period(day),
            known: Hour(self.known),
            quantity: self.quantity,
        })
    }
}

/// A unique row, as it is kept: its key, quantity and known hour.
const KEPT_BYTES: usize = 20;

fn word(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
}

fn half(bytes: &[u8], at: usize) -> i32 {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, i32::from_le_bytes)
}

/// The files of the days, shared by all readers.
pub(crate) struct Days {
    folder: PathBuf,
    /// One lock for each day that may be, so that two readers never write into one file at once.
    locks: Vec<Mutex<bool>>,
}

impl Days {
    pub(crate) fn new(folder: &Path) -> Self {
        let days = first_day().0..=Day::from_civil(YEARS.end - 1, 12, 31).unwrap_or(first_day()).0;
        Self { folder: folder.to_owned(), locks: days.map(|_| Mutex::new(false)).collect() }
    }

    fn append(&self, place: usize, bytes: &[u8]) -> io::Result<()> {
        let Some(lock) = self.locks.get(place) else { return Err(io::Error::other("a day outside the years")) };
        let mut begun = lock.lock().map_err(|_| io::Error::other("a reader failed"))?;
        *begun = true;
        OpenOptions::new().create(true).append(true).open(raw_path(&self.folder, day_at(place)))?.write_all(bytes)
    }

    /// The days that have rows, ascending.
    pub(crate) fn begun(self) -> Vec<Day> {
        let begun = self.locks.into_iter().enumerate();
        begun.filter(|(_, lock)| lock.lock().is_ok_and(|begun| *begun)).map(|(place, _)| day_at(place)).collect()
    }
}

fn first_day() -> Day {
    Day::from_civil(YEARS.start, 1, 1).unwrap_or(Day(0))
}

fn day_at(place: usize) -> Day {
    first_day().plus(place as i32)
}

fn raw_path(folder: &Path, day: Day) -> PathBuf {
    folder.join(format!("{day}.rows"))
}

fn kept_path(folder: &Path, day: Day) -> PathBuf {
    folder.join(format!("{day}.usage"))
}

/// The buffers of one reader.
pub(crate) struct Spill<'a> {
    days: &'a Days,
    first: i32,
    buffers: Vec<Vec<u8>>,
    held: usize,
    /// Days pushed to since they were last asked for.
    touched: Vec<bool>,
}

impl<'a> Spill<'a> {
    pub(crate) fn new(days: &'a Days) -> Self {
        let count = days.locks.len();
        Self { days, first: first_day().0, buffers: vec![Vec::new(); count], held: 0, touched: vec![false; count] }
    }

    /// The days that rows were pushed to since the last call, ascending.
    pub(crate) fn touched(&mut self) -> Vec<Day> {
        let touched = self.touched.iter_mut().enumerate().filter_map(|(place, touched)| {
            let was = std::mem::take(touched);
            was.then(|| day_at(place))
        });
        touched.collect()
    }

    pub(crate) fn push(&mut self, day: Day, row: &Row) -> io::Result<()> {
        let place = (day.0 - self.first) as usize;
        let Some(buffer) = self.buffers.get_mut(place) else { return Err(io::Error::other("a day outside the years")) };
        if let Some(touched) = self.touched.get_mut(place) {
            *touched = true;
        }
        row.write(buffer);
        self.held += Row::BYTES;
        if buffer.len() >= DAY_BYTES {
            self.days.append(place, buffer)?;
            self.held -= buffer.len();
            buffer.clear();
        } else if self.held >= READER_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        for (place, buffer) in self.buffers.iter_mut().enumerate().filter(|(_, buffer)| !buffer.is_empty()) {
            self.days.append(place, buffer)?;
            *buffer = Vec::new();
        }
        self.held = 0;
        Ok(())
    }
}

/// What settling a day came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) used: u64,
    pub(crate) duplicates: u64,
    pub(crate) known: Option<(i32, i32)>,
}

impl Settled {
    /// Adds another day's.
    pub(crate) fn add(&mut self, other: Self) {
        self.used += other.used;
        self.duplicates += other.duplicates;
        let known = self.known.into_iter().chain(other.known);
        self.known = known.reduce(|(a, b), (first, last)| (a.min(first), b.max(last)));
    }
}

/// From the index in the order of appearance to the one in the order of names.
#[derive(Debug)]
pub(crate) struct Renaming {
    pub(crate) accounts: Vec<u32>,
    pub(crate) regions: Vec<u16>,
}

impl Renaming {
    fn apply(&self, row: Row) -> Row {
        let account = self.accounts.get(row.key.account() as usize).copied().unwrap_or_default();
        let region = self.regions.get(usize::from(row.key.region())).copied().unwrap_or_default();
        Row { key: row.key.renamed(account, region), ..row }
    }
}

/// Sorts a day's rows, drops the duplicates (of those the one known first stays) and keeps the rest for [`Parts`].
pub(crate) fn settle(folder: &Path, day: Day, renaming: &Renaming) -> io::Result<Settled> {
    let raw = raw_path(folder, day);
    let mut counts = vec![0u32; renaming.accounts.len()];
    each_row(&raw, |row| {
        if let Some(count) = counts.get_mut(renaming.apply(row).key.account() as usize) {
            *count += 1;
        }
    })?;
    let mut out = BufWriter::with_capacity(1 << 20, File::create(kept_path(folder, day))?);
    let mut settled = Settled::default();
    let mut from = 0;
    while from < counts.len() {
        let to = range_end(&counts, from);
        let mut rows = by_account(&raw, renaming, &counts, from..to)?;
        let all = rows.len();
        sort_and_unique(&mut rows);
        settled.used += rows.len() as u64;
        settled.duplicates += (all - rows.len()) as u64;
        for row in &rows {
            let (first, last) = settled.known.unwrap_or((row.known, row.known));
            settled.known = Some((first.min(row.known), last.max(row.known)));
            out.write_all(&row.key.0.to_le_bytes())?;
            out.write_all(&row.quantity.to_le_bytes())?;
            out.write_all(&row.known.to_le_bytes())?;
        }
        from = to;
    }
    out.flush()?;
    Ok(settled)
}

/// After [`settle`]: what only [`load_fingerprinted`] reads.
pub(crate) fn forget_fingerprints(folder: &Path, day: Day) -> io::Result<()> {
    std::fs::remove_file(raw_path(folder, day))
}

/// The end of a range of accounts that has about [`RANGE_ROWS`] rows: at least one account.
fn range_end(counts: &[u32], from: usize) -> usize {
    let mut rows = 0;
    let within = counts.iter().skip(from).take_while(|count| {
        let fits = rows == 0 || rows + **count as usize <= RANGE_ROWS;
        rows += **count as usize;
        fits
    });
    from + within.count()
}

/// The rows of a range of accounts, one account after the other: a counting sort.
#[expect(clippy::indexing_slicing, reason = "a kernel: places are prefix sums of the counts of the same rows")]
fn by_account(raw: &Path, renaming: &Renaming, counts: &[u32], range: std::ops::Range<usize>) -> io::Result<Vec<Row>> {
    let mut places: Vec<usize> = Vec::with_capacity(range.len());
    let mut total = 0;
    for count in &counts[range.clone()] {
        places.push(total);
        total += *count as usize;
    }
    let nothing = Row { key: Key(0), fingerprint: [0; 2], known: 0, quantity: 0 };
    let mut rows = vec![nothing; total];
    each_row(raw, |row| {
        let row = renaming.apply(row);
        let account = row.key.account() as usize;
        if range.contains(&account) {
            let place = &mut places[account - range.start];
            rows[*place] = row;
            *place += 1;
        }
    })?;
    Ok(rows)
}

fn sort_and_unique(rows: &mut Vec<Row>) {
    for rows in rows.chunk_by_mut(|a, b| a.key.account() == b.key.account()) {
        rows.sort_unstable();
    }
    rows.dedup_by_key(|row| (row.key, row.fingerprint));
    for rows in rows.chunk_by_mut(|a, b| a.key == b.key) {
        rows.sort_unstable_by_key(|row| (row.known, row.quantity, row.fingerprint));
    }
}

fn each_row(path: &Path, mut take: impl FnMut(Row)) -> io::Result<()> {
    each_part::<{ Row::BYTES }>(path, |bytes| {
        take(Row::read(bytes));
        Ok(())
    })
}

/// Reads a file of equal parts.
fn each_part<const N: usize>(path: &Path, mut take: impl FnMut(&[u8; N]) -> io::Result<()>) -> io::Result<()> {
    let mut file = BufReader::with_capacity(0, File::open(path)?);
    let mut buffer = vec![0; N * 8_192];
    loop {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match file.read(rest)? {
                0 => break,
                read => filled += read,
            }
        }
        for part in buffer.get(..filled).unwrap_or_default().chunks_exact(N) {
            take(part.try_into().map_err(io::Error::other)?)?;
        }
        if filled < buffer.len() {
            return Ok(());
        }
    }
}

/// The unique rows of a day, each with its fingerprint, in the order of [`Parts`].
pub(crate) fn load_fingerprinted(folder: &Path, day: Day, renaming: &Renaming) -> io::Result<Vec<(Usage, u128)>> {
    let mut rows = Vec::new();
    each_row(&raw_path(folder, day), |row| rows.push(renaming.apply(row)))?;
    rows.sort_unstable_by_key(|row| row.key.account());
    sort_and_unique(&mut rows);
    let usage = rows.into_iter().map(|row| {
        let [high, low] = row.fingerprint;
        Ok((row.usage(day)?, u128::from(high) << 64 | u128::from(low)))
    });
    usage.collect()
}

/// The unique rows of a settled day, in their order, in parts of some [`PART_ROWS`] that never divide an account.
pub(crate) struct Parts {
    file: BufReader<File>,
    day: Day,
    /// Read already, of the next part.
    ahead: Option<Usage>,
}

impl Parts {
    pub(crate) fn of(folder: &Path, day: Day) -> io::Result<Self> {
        let file = BufReader::with_capacity(1 << 18, File::open(kept_path(folder, day))?);
        Ok(Self { file, day, ahead: None })
    }

    fn row(&mut self) -> io::Result<Option<Usage>> {
        if self.file.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let mut bytes = [0; KEPT_BYTES];
        self.file.read_exact(&mut bytes)?;
        let (key, quantity) = (Key(word(&bytes, 0)), word(&bytes, 8) as i64);
        Ok(Some(Row { key, quantity, known: half(&bytes, 16), fingerprint: [0; 2] }.usage(self.day)?))
    }

    fn part(&mut self) -> io::Result<Vec<Usage>> {
        let mut rows = Vec::with_capacity(PART_ROWS + PART_ROWS / 8);
        rows.extend(self.ahead.take());
        while let Some(row) = self.row()? {
            if rows.len() >= PART_ROWS && rows.last().is_some_and(|last| last.account != row.account) {
                self.ahead = Some(row);
                break;
            }
            rows.push(row);
        }
        Ok(rows)
    }
}

impl Iterator for Parts {
    type Item = io::Result<Vec<Usage>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.part().map(|rows| (!rows.is_empty()).then_some(rows)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn settled(rows: &[Row], day: Day, renaming: &Renaming) -> (Settled, Vec<Usage>, Vec<(Usage, u128)>) {
        let folder = tempfile::tempdir().unwrap();
        let days = Days::new(folder.path());
        let (mut one, mut two) = (Spill::new(&days), Spill::new(&days));
        for (place, row) in rows.iter().enumerate() {
            if place % 3 == 0 { &mut one } else { &mut two }.push(day, row).unwrap();
        }
        one.flush().unwrap();
        two.flush().unwrap();
        assert_eq!(days.begun(), [day]);
        let settled = settle(folder.path(), day, renaming).unwrap();
        let fingerprinted = load_fingerprinted(folder.path(), day, renaming).unwrap();
        let parts: Vec<Vec<Usage>> = Parts::of(folder.path(), day).unwrap().map(Result::unwrap).collect();
        (settled, parts.concat(), fingerprinted)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn a_settled_day_is_sorted_renamed_and_unique(
            plain in proptest::collection::vec((0..3u32, 0..2usize, 0..2u16, 0..26i32, 0..3u64, 0..3i32), 1..200),
        ) {
            let day = Day::from_civil(2026, 3, 1).unwrap();
            let renaming = Renaming { accounts: vec![2, 0, 1], regions: vec![1, 0] };
            let rows: Vec<Row> = plain.iter().map(|(account, measure, region, hour, fingerprint, known)| {
                let period = if *hour > 23 { Period::Day(day) } else { Period::Hour(day.start().plus(*hour)) };
                let key = Key::new(*account, Measure::ALL[*measure], *region, period);
                Row { key, fingerprint: [*fingerprint, 0], known: *known, quantity: *fingerprint as i64 }
            }).collect();
            let (settled, usage, fingerprinted) = settled(&rows, day, &renaming);
            prop_assert_eq!(&fingerprinted.iter().map(|(usage, _)| *usage).collect::<Vec<_>>(), &usage);
            prop_assert!(fingerprinted.iter().all(|(usage, fingerprint)| (*fingerprint >> 64) as i64 == usage.quantity));
            prop_assert!(usage.is_sorted_by_key(|u| (u.account, u.measure, u.region, u.period, u.known)));
            prop_assert_eq!(settled.used + settled.duplicates, rows.len() as u64);
            let mut expected = std::collections::BTreeMap::new();
            for (row, (account, measure, region, _, fingerprint, known)) in rows.iter().zip(&plain) {
                let key = ([2, 0, 1][*account as usize], Measure::ALL[*measure], 1 - region, row.key.period(day), *fingerprint);
                let first = expected.entry(key).or_insert(*known);
                *first = (*first).min(*known);
            }
            let mut expected: Vec<Usage> = expected.into_iter().map(|((account, measure, region, period, quantity), known)| {
                Usage { account, measure, region, period, known: Hour(known), quantity: quantity as i64 }
            }).collect();
            expected.sort();
            prop_assert_eq!(usage, expected);
        }
    }
}
