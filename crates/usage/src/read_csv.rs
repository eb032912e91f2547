//! CSV, plain or gzipped, in bounded memory: a record that is too long, has too few fields or is not UTF-8 is one
//! rejected row, and reading goes on behind it.
//!
//! It is not what a row means: that is [`crate::map`].

use std::io::{self, BufReader, Read};

use csv_core::ReadRecordResult;
use flate2::read::MultiGzDecoder;

use crate::fingerprint::Map;
use crate::focus::{Column, Kind, Layout, Role};
use crate::map::{BAD_NUMBER, Batch, NO_NUMBER, NO_TIME, Texts, is_nothing, number_of, seconds_of};

/// No row is longer.
const RECORD_BYTES: usize = 1 << 20;
/// Rows and bytes that are mapped at a time.
const BATCH_ROWS: usize = 1_024;
const BATCH_BYTES: usize = 2 << 20;
/// A column's values are remembered up to this many, and up to this length.
const CACHED: usize = 4_096;
const CACHED_BYTES: usize = 256;

/// How a record ended.
enum Record {
    Good,
    TooLong,
    /// The file ended.
    End,
}

/// What reading a file may come to, beside its rows.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The file is at fault, in words that follow its name.
    File(String),
    /// A scratch file could not be written: nothing can go on.
    Scratch(io::Error),
}

/// Cuts a stream into records.
pub(crate) struct CsvFile {
    source: Box<dyn Read>,
    core: csv_core::Reader,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
    /// The row that was read last; the header is row 1.
    row: u64,
    zipped: bool,
}

impl CsvFile {
    /// Starts a file; its encoding is looked at here.
    pub(crate) fn new(source: Box<dyn Read>, zipped: bool) -> Result<Self, Stop> {
        let source: Box<dyn Read> =
            if zipped { Box::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 18, source))) } else { source };
        let mut file =
            Self { source, core: csv_core::Reader::new(), buffer: vec![0; 1 << 18], at: 0, filled: 0, row: 0, zipped };
        file.fill()?;
        let head = file.buffer.get(..file.filled).unwrap_or_default();
        match head {
            [] => return Err(Stop::File("is empty: it has not even a header; export it again".into())),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [_, 0, _, 0, ..] | [0, _, 0, _, ..] => {
                return Err(Stop::File("is written in UTF-16; save it as UTF-8".into()));
            }
            [0xef, 0xbb, 0xbf, ..] => file.at = 3,
            _ => {}
        }
        Ok(file)
    }

    /// The names of the columns.
    pub(crate) fn header(&mut self) -> Result<Vec<String>, Stop> {
        let mut record = Records::default();
        match self.read(&mut record)? {
            Record::Good => {}
            Record::TooLong => return Err(Stop::File("is not a FOCUS file: its first line is over 1 MiB".into())),
            Record::End => return Err(Stop::File("is empty: it has not even a header; export it again".into())),
        }
        let fields = (0..record.fields(0)).map(|field| std::str::from_utf8(record.field(0, field)));
        let names: Result<Vec<&str>, _> = fields.collect();
        let names = names.map_err(|_| {
            Stop::File("is not a FOCUS file in UTF-8 (Latin-1, or no text at all?); save it as UTF-8".into())
        })?;
        Ok(names.into_iter().map(|name| name.trim().to_owned()).collect())
    }

    fn fill(&mut self) -> Result<(), Stop> {
        (self.at, self.filled) = (0, 0);
        loop {
            match self.source.read(&mut self.buffer) {
                Ok(read) => {
                    self.filled = read;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Stop::File(self.broken(&error))),
            }
        }
    }

    fn broken(&self, error: &io::Error) -> String {
        let cause = match (self.zipped, error.kind()) {
            (true, io::ErrorKind::UnexpectedEof) => "the gzip is cut off".to_owned(),
            (true, _) => format!("the gzip is damaged ({error})"),
            _ => error.to_string(),
        };
        format!("is unreadable from row {} on: {cause}; fetch it again (the rows before were used)", self.row + 1)
    }

    /// Appends the next record.
    fn read(&mut self, records: &mut Records) -> Result<Record, Stop> {
        let begun = (records.text.len(), records.ends.len());
        let mut too_long = false;
        let (mut text, mut ends) = begun;
        let result = loop {
            if self.at == self.filled {
                self.fill()?;
            }
            records.text.resize((text + 4_096).max(records.text.len()), 0);
            records.ends.resize((ends + 64).max(records.ends.len()), 0);
            let input = self.buffer.get(self.at..self.filled).unwrap_or_default();
            let (result, read, wrote, ended) = self.core.read_record(
                input,
                records.text.get_mut(text..).unwrap_or_default(),
                records.ends.get_mut(ends..).unwrap_or_default(),
            );
            self.at += read;
            text += wrote;
            ends += ended;
            // A record beyond the bound goes on being read, into nothing.
            if text - begun.0 > RECORD_BYTES || ends - begun.1 > RECORD_BYTES / 8 {
                too_long = true;
                (text, ends) = begun;
                records.text.truncate(text);
                records.ends.truncate(ends);
            }
            match result {
                ReadRecordResult::InputEmpty | ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {}
                ReadRecordResult::Record => break Record::Good,
                ReadRecordResult::End => break Record::End,
            }
        };
        let result = if too_long { Record::TooLong } else { result };
        match result {
            Record::Good => {
                records.text.truncate(text);
                records.ends.truncate(ends);
                records.rows.push((begun.0, begun.1));
            }
            Record::TooLong | Record::End => {
                records.text.truncate(begun.0);
                records.ends.truncate(begun.1);
            }
        }
        self.row += 1;
        Ok(result)
    }
}

/// The records of a batch, one behind the other.
#[derive(Default)]
struct Records {
    text: Vec<u8>,
    /// Where the fields of each record end, counted from its beginning.
    ends: Vec<usize>,
    /// Where each record begins in `text` and in `ends`.
    rows: Vec<(usize, usize)>,
    numbers: Vec<u64>,
}

impl Records {
    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.rows.clear();
        self.numbers.clear();
    }

    fn drop_last(&mut self) {
        if let Some((text, ends)) = self.rows.pop() {
            self.text.truncate(text);
            self.ends.truncate(ends);
        }
    }

    fn fields(&self, row: usize) -> usize {
        let begin = self.rows.get(row).map_or(0, |row| row.1);
        self.rows.get(row + 1).map_or(self.ends.len(), |next| next.1) - begin
    }

    #[inline]
    fn field(&self, row: usize, field: usize) -> &[u8] {
        let Some((text, ends)) = self.rows.get(row).copied() else { return &[] };
        let from = if field == 0 { 0 } else { self.ends.get(ends + field - 1).copied().unwrap_or_default() };
        let to = self.ends.get(ends + field).copied().unwrap_or_default();
        self.text.get(text + from..text + to).unwrap_or_default()
    }
}

impl Texts for Records {
    fn text(&self, column: usize, row: usize) -> Option<String> {
        let field = self.field(row, column);
        (!is_nothing(field)).then(|| String::from_utf8_lossy(field).into_owned())
    }

    fn number(&self, row: usize) -> u64 {
        self.numbers.get(row).copied().unwrap_or_default()
    }
}

/// What is wrong with a whole row: the column or `(row)`, and why.
pub(crate) struct BadRow {
    pub(crate) row: u64,
    pub(crate) column: String,
    pub(crate) reason: String,
}

/// Reads a CSV file in batches, remembering the digests of values that come again.
pub(crate) struct CsvBatches<'a> {
    file: CsvFile,
    layout: &'a Layout,
    records: Records,
    caches: Vec<Cache>,
}

impl<'a> CsvBatches<'a> {
    pub(crate) fn new(file: CsvFile, layout: &'a Layout) -> Self {
        let caches = layout.columns.iter().map(|_| Cache::default()).collect();
        Self { file, layout, records: Records::default(), caches }
    }

    /// Reads the next rows into a batch and says whether there are more. `bad` takes the rows that are none.
    /// Of a file at fault the batch still holds the rows before the fault.
    pub(crate) fn next(&mut self, batch: &mut Batch, bad: &mut dyn FnMut(BadRow)) -> Result<bool, Stop> {
        self.records.clear();
        let mut end = Ok(true);
        while self.records.rows.len() < BATCH_ROWS && self.records.text.len() < BATCH_BYTES {
            match self.file.read(&mut self.records) {
                Ok(Record::End) => {
                    end = Ok(false);
                    break;
                }
                Ok(Record::Good) => match self.fault() {
                    None => self.records.numbers.push(self.file.row),
                    Some((column, reason)) => {
                        self.records.drop_last();
                        bad(BadRow { row: self.file.row, column, reason });
                    }
                },
                Ok(Record::TooLong) => bad(BadRow {
                    row: self.file.row,
                    column: "(row)".to_owned(),
                    reason: "is longer than 1 MiB, as no usage record is; is a quote not closed?".to_owned(),
                }),
                Err(stop) => {
                    end = Err(stop);
                    break;
                }
            }
        }
        batch.reset(self.records.rows.len());
        for (place, (column, cache)) in self.layout.columns.iter().zip(&mut self.caches).enumerate() {
            cache.sum(place, column, &self.records, batch);
        }
        end
    }

    /// The texts of the batch.
    pub(crate) fn texts(&self) -> &dyn Texts {
        &self.records
    }

    /// What is wrong with the form of the last record.
    fn fault(&self) -> Option<(String, String)> {
        let row = self.records.rows.len() - 1;
        let (fields, columns) = (self.records.fields(row), self.layout.columns.len());
        if fields != columns {
            let reason = format!("has {fields} fields where the header has {columns}; is a comma not in quotes?");
            return Some(("(row)".to_owned(), reason));
        }
        let begin = self.records.rows.last().map_or(0, |row| row.0);
        if std::str::from_utf8(self.records.text.get(begin..).unwrap_or_default()).is_ok() {
            return None;
        }
        let kept = self.layout.columns.iter().enumerate().find(|(place, column)| {
            column.role != Role::Dropped && std::str::from_utf8(self.records.field(row, *place)).is_err()
        });
        kept.map(|(_, column)| (column.name.clone(), "is not UTF-8 (Latin-1?); save the file as UTF-8".to_owned()))
    }
}

/// The values of one column that were seen: their digests, and their bits where they are numbers or times.
#[derive(Default)]
struct Cache {
    values: Map<Box<[u8]>, (u128, u64)>,
    last: Vec<u8>,
    last_value: (u128, u64),
}

impl Cache {
    /// Adds a column of the records to the sums and values of a batch.
    fn sum(&mut self, place: usize, column: &Column, records: &Records, batch: &mut Batch) {
        for row in 0..records.rows.len() {
            let (digest, bits) = self.value(column, records.field(row, place));
            batch.add(column.role, row, digest);
            batch.push(column.role, bits);
        }
    }

    fn value(&mut self, column: &Column, text: &[u8]) -> (u128, u64) {
        if column.kind == Kind::Number {
            return value_of(column, text);
        }
        if text == self.last && !text.is_empty() {
            return self.last_value;
        }
        let value = match self.values.get(text) {
            Some(value) => *value,
            None => {
                let value = value_of(column, text);
                if self.values.len() < CACHED && text.len() <= CACHED_BYTES {
                    self.values.insert(text.into(), value);
                }
                value
            }
        };
        self.last.clear();
        self.last.extend_from_slice(text);
        self.last_value = value;
        value
    }
}

/// The digest of a value as its column's kind has it, and its bits where it is a number or a time.
pub(crate) fn value_of(column: &Column, text: &[u8]) -> (u128, u64) {
    let nothing = is_nothing(text);
    let utf8 = || std::str::from_utf8(text).unwrap_or("not UTF-8");
    match column.kind {
        Kind::Number if nothing => (0, NO_NUMBER),
        Kind::Time if nothing => (0, NO_TIME as u64),
        Kind::Text if nothing => (0, 0),
        Kind::Number => match number_of(utf8()) {
            BAD_NUMBER => (column.fingerprint.text(text), BAD_NUMBER),
            bits => (column.fingerprint.number(f64::from_bits(bits)), bits),
        },
        Kind::Time => match seconds_of(utf8()) {
            seconds @ (crate::map::BAD_TIME | i64::MAX) => (column.fingerprint.text(text), seconds as u64),
            seconds => (column.fingerprint.seconds(seconds), seconds as u64),
        },
        Kind::Text => (text_digest(column, text), 0),
    }
}

/// A JSON object reads alike however it is spaced and ordered: Parquet holds tags as a map, CSV as JSON.
fn text_digest(column: &Column, text: &[u8]) -> u128 {
    if text.first() == Some(&b'{')
        && let Ok(object) = serde_json::from_slice::<std::collections::BTreeMap<String, serde_json::Value>>(text)
        && let Ok(plain) = serde_json::to_vec(&object)
    {
        return column.fingerprint.text(&plain);
    }
    column.fingerprint.text(text)
}
