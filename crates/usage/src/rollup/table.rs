//! The files of the rollups: rows to Parquet that any engine reads, and back.
//!
//! It knows no versions and no manifests: those are [`super`]'s.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, FixedSizeBinaryArray, Int32Array, Int64Array, RecordBatch,
    StringArray, TimestampMillisecondArray,
};
use arrow::buffer::Buffer;
use arrow::datatypes::{Int32Type, Int64Type, TimestampMillisecondType};
use arrow::error::ArrowError;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::{FileEntry, Result, RollupError, Sheet, Table, file_path, sha256};
use crate::{AccountKey, Day, Hour, Measure, Names, Period, RegionKey, Usage};

const HOUR_MS: i64 = 3_600_000;

/// A file not yet put.
pub(super) struct Draft {
    table: Table,
    day: Day,
    rows: u64,
    known: Option<(Hour, Hour)>,
    pub(super) bytes: Bytes,
    sha256: String,
}

impl Draft {
    fn of_batch(table: Table, day: Day, batch: &RecordBatch) -> Result<Self> {
        let bytes = encode(table, batch).map_err(|error| RollupError::Rows(error.to_string()))?;
        let sha256 = sha256(&bytes);
        Ok(Self { table, day, rows: batch.num_rows() as u64, known: None, sha256, bytes: bytes.into() })
    }

    /// Of a batch in which these rows came as they are.
    pub(super) fn of_rows(table: Table, day: Day, batch: &RecordBatch, rows: &[Usage]) -> Result<Self> {
        let known = rows.iter().map(|row| (row.known, row.known));
        let known = known.reduce(|(a, b), (first, last)| (a.min(first), b.max(last)));
        Ok(Self { known, ..Self::of_batch(table, day, batch)? })
    }

    /// None if there are no fingerprints; they must be sorted.
    pub(super) fn of_fingerprints(day: Day, fingerprints: &[u128]) -> Result<Option<Self>> {
        if fingerprints.is_empty() {
            return Ok(None);
        }
        let bytes: Vec<u8> = fingerprints.iter().flat_map(|fingerprint| fingerprint.to_be_bytes()).collect();
        let column: Result<ArrayRef> = match FixedSizeBinaryArray::try_new(16, Buffer::from(bytes), None) {
            Ok(column) => Ok(Arc::new(column)),
            Err(error) => Err(rows_error(error)),
        };
        let batch = RecordBatch::try_from_iter([("fingerprint", column?)]).map_err(rows_error)?;
        Ok(Some(Self::of_batch(Table::Fingerprints, day, &batch)?))
    }

    /// What the manifest of that version says of it.
    pub(super) fn entry(&self, version: u64) -> FileEntry {
        FileEntry {
            path: file_path(self.table, self.day, version, &self.sha256),
            table: self.table,
            day: self.day,
            rows: self.rows,
            bytes: self.bytes.len() as u64,
            sha256: self.sha256.clone(),
            known: self.known,
        }
    }
}

fn rows_error(error: ArrowError) -> RollupError {
    RollupError::Rows(error.to_string())
}

fn encode(table: Table, batch: &RecordBatch) -> std::result::Result<Vec<u8>, ParquetError> {
    // Names and times repeat and go into dictionaries, however large; quantities and fingerprints do not. A file holds
    // all accounts of its day: the least and the greatest of a column would let nobody pass over it.
    let properties = WriterProperties::builder()
        .set_statistics_enabled(EnabledStatistics::None)
        .set_dictionary_page_size_limit(64 << 20)
        .set_column_dictionary_enabled("quantity".into(), false)
        .set_column_dictionary_enabled("fingerprint".into(), false);
    let properties = match table {
        Table::Fingerprints => properties,
        Table::Hourly | Table::Daily => properties.set_compression(Compression::SNAPPY),
    };
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties.build()))?;
    writer.write(batch)?;
    writer.into_inner()
}

/// The names as columns, made once for all files of a delta.
pub(super) struct Columns<'a> {
    names: &'a Names,
    providers: ArrayRef,
    customers: ArrayRef,
    accounts: ArrayRef,
    regions: ArrayRef,
    measures: ArrayRef,
}

impl<'a> Columns<'a> {
    pub(super) fn new(names: &'a Names) -> Self {
        let of_accounts = |part: fn(&AccountKey) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(names.accounts.iter().map(part)))
        };
        Self {
            names,
            providers: of_accounts(|key| &key.provider),
            customers: of_accounts(|key| &key.customer),
            accounts: of_accounts(|key| &key.account),
            regions: Arc::new(StringArray::from_iter_values(names.regions.iter().map(|key| &key.region))),
            measures: Arc::new(StringArray::from_iter_values(Measure::ALL.map(Measure::name))),
        }
    }

    pub(super) fn hourly(&self, rows: &[Usage]) -> Result<RecordBatch> {
        let hours = rows.iter().map(|row| match row.period {
            Period::Hour(hour) => hour,
            Period::Day(day) => day.start(),
        });
        self.batch(rows, ("hour", times(hours)))
    }

    pub(super) fn daily(&self, sums: &[Usage], days: &[Usage]) -> Result<RecordBatch> {
        let from_hours: BooleanArray =
            sums.iter().map(|_| Some(true)).chain(days.iter().map(|_| Some(false))).collect();
        self.batch(&[sums, days].concat(), ("from_hours", Arc::new(from_hours)))
    }

    fn batch(&self, rows: &[Usage], middle: (&str, ArrayRef)) -> Result<RecordBatch> {
        self.check(rows)?;
        let account_keys = Int32Array::from_iter_values(rows.iter().map(|row| row.account.cast_signed()));
        let region_keys = Int32Array::from_iter_values(rows.iter().map(|row| i32::from(row.region)));
        let measure_keys = Int32Array::from_iter_values(rows.iter().map(|row| i32::from(row.measure as u8)));
        let words = |keys: &Int32Array, values: &ArrayRef| -> Result<ArrayRef> {
            let column = DictionaryArray::<Int32Type>::try_new(keys.clone(), values.clone()).map_err(rows_error)?;
            Ok(Arc::new(column))
        };
        let quantities = Int64Array::from_iter_values(rows.iter().map(|row| row.quantity));
        let columns = [
            ("provider", words(&account_keys, &self.providers)?),
            ("customer", words(&account_keys, &self.customers)?),
            ("account", words(&account_keys, &self.accounts)?),
            ("measure", words(&measure_keys, &self.measures)?),
            ("region", words(&region_keys, &self.regions)?),
            middle,
            ("known", times(rows.iter().map(|row| row.known))),
            ("quantity", Arc::new(quantities)),
        ];
        RecordBatch::try_from_iter(columns).map_err(rows_error)
    }

    /// A row names an account and a region, both of the same provider.
    fn check(&self, rows: &[Usage]) -> Result<()> {
        for same in rows.chunk_by(|a, b| a.account == b.account && a.region == b.region) {
            let Some(row) = same.first() else { continue };
            let account = self.names.accounts.get(row.account as usize);
            let region = self.names.regions.get(usize::from(row.region));
            match (account, region) {
                (Some(account), Some(region)) if account.provider == region.provider => {}
                (Some(account), Some(region)) => {
                    let reason = format!("an account of {:?} in a region of {:?}", account.provider, region.provider);
                    return Err(RollupError::Rows(reason));
                }
                _ => {
                    let reason = format!("account {} or region {} has no name", row.account, row.region);
                    return Err(RollupError::Rows(reason));
                }
            }
        }
        Ok(())
    }
}

fn times(hours: impl Iterator<Item = Hour>) -> ArrayRef {
    let column = TimestampMillisecondArray::from_iter_values(hours.map(|hour| i64::from(hour.0) * HOUR_MS));
    Arc::new(column.with_timezone("UTC"))
}

/// Opens a file as batches of any size; each column is then found by its name.
fn batches(
    bytes: Bytes,
) -> std::result::Result<impl Iterator<Item = std::result::Result<RecordBatch, ArrowError>>, ParquetError> {
    // Few and large batches: the dictionaries of names are translated once for each.
    ParquetRecordBatchReaderBuilder::try_new(bytes)?.with_batch_size(1 << 20).build()
}

fn column<'a, T>(
    batch: &'a RecordBatch,
    name: &str,
    cast: impl FnOnce(&'a dyn Array) -> Option<&'a T>,
) -> std::result::Result<&'a T, ParquetError> {
    let column = batch.column_by_name(name).filter(|column| column.null_count() == 0);
    column
        .and_then(|column| cast(column.as_ref()))
        .ok_or_else(|| bad(&format!("the column {name} is not as it should be")))
}

fn bad(reason: &str) -> ParquetError {
    ParquetError::General(reason.to_owned())
}

fn hour_of(milliseconds: i64) -> Hour {
    // In range: what was written was an `i32`.
    Hour(milliseconds.div_euclid(HOUR_MS) as i32)
}

/// Adds the rows of a file of the hourly or daily table.
pub(super) fn decode(
    bytes: Bytes,
    day: Day,
    names: &mut Merged,
    sheet: &mut Sheet,
) -> std::result::Result<(), ParquetError> {
    for batch in batches(bytes)? {
        let batch = batch?;
        let words = names.words(&batch)?;
        let known = column(&batch, "known", |column| column.as_primitive_opt::<TimestampMillisecondType>())?;
        let quantity = column(&batch, "quantity", |column| column.as_primitive_opt::<Int64Type>())?;
        let rest = known.values().iter().zip(quantity.values()).map(|(known, quantity)| (hour_of(*known), *quantity));
        let rows = words.into_iter().zip(rest).map(|((account, measure, region), (known, quantity))| Usage {
            account,
            measure,
            region,
            period: Period::Day(day),
            known,
            quantity,
        });
        if batch.column_by_name("hour").is_some() {
            let hours = column(&batch, "hour", |column| column.as_primitive_opt::<TimestampMillisecondType>())?;
            let hours = hours.values().iter().map(|hour| Period::Hour(hour_of(*hour)));
            sheet.hours.extend(rows.zip(hours).map(|(row, period)| Usage { period, ..row }));
        } else {
            let from_hours = column(&batch, "from_hours", |column| column.as_boolean_opt())?;
            for (row, from_hours) in rows.zip(from_hours.values()) {
                if from_hours { &mut sheet.sums } else { &mut sheet.days }.push(row);
            }
        }
    }
    Ok(())
}

pub(super) fn decode_fingerprints(bytes: Bytes, into: &mut Vec<u128>) -> std::result::Result<(), ParquetError> {
    for batch in batches(bytes)? {
        let batch = batch?;
        let all = column(&batch, "fingerprint", |column| column.as_fixed_size_binary_opt())?;
        for bytes in all.iter().flatten() {
            let bytes = bytes.try_into().map_err(|_| bad("a fingerprint is not 16 bytes long"))?;
            into.push(u128::from_be_bytes(bytes));
        }
    }
    Ok(())
}

/// Numbers for things in the order they come.
struct Numbered<T> {
    numbers: HashMap<T, u32>,
    things: Vec<T>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), things: Vec::new() }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Numbered<T> {
    fn number<Q>(&mut self, thing: &Q) -> u32
    where
        T: std::borrow::Borrow<Q>,
        Q: ?Sized + Eq + std::hash::Hash + ToOwned<Owned = T>,
    {
        if let Some(number) = self.numbers.get(thing) {
            return *number;
        }
        let number = self.things.len() as u32;
        self.numbers.insert(thing.to_owned(), number);
        self.things.push(thing.to_owned());
        number
    }
}

/// The names of several files, numbered as they come until they are sorted.
#[derive(Default)]
pub(super) struct Merged {
    words: Numbered<String>,
    /// Provider, customer, account.
    accounts: Numbered<[u32; 3]>,
    /// Provider, region.
    regions: Numbered<[u32; 2]>,
}

impl Merged {
    /// Account, measure and region of each row.
    fn words(&mut self, batch: &RecordBatch) -> std::result::Result<Vec<(u32, Measure, u16)>, ParquetError> {
        let providers = self.column(batch, "provider")?;
        let customers = self.column(batch, "customer")?;
        let accounts = self.column(batch, "account")?;
        let regions = self.column(batch, "region")?;
        let measures = measures(batch)?;
        let mut account = ([u32::MAX; 3], 0);
        let mut region = ([u32::MAX; 2], 0);
        let mut rows = Vec::with_capacity(batch.num_rows());
        let keys = providers.into_iter().zip(customers).zip(accounts).zip(regions).zip(measures);
        for ((((provider, customer), name), place), measure) in keys {
            // Files are sorted by account: most rows are of the one above.
            if account.0 != [provider, customer, name] {
                account = ([provider, customer, name], self.accounts.number(&[provider, customer, name]));
            }
            if region.0 != [provider, place] {
                let number = self.regions.number(&[provider, place]);
                region = ([provider, place], u16::try_from(number).map_err(|_| bad("more than 65,536 regions"))?);
            }
            rows.push((account.1, measure, region.1));
        }
        Ok(rows)
    }

    /// The number of each row's word.
    fn column(&mut self, batch: &RecordBatch, name: &str) -> std::result::Result<Vec<u32>, ParquetError> {
        words(batch, name, |word| Ok(self.words.number(word)))
    }

    /// The names in their order; the rows then mean these.
    pub(super) fn sort(self, sheet: &mut Sheet) -> Result<Names> {
        let word = |number: u32| self.words.things.get(number as usize).cloned().unwrap_or_default();
        let account = |[provider, customer, account]: [u32; 3]| AccountKey {
            provider: word(provider),
            customer: word(customer),
            account: word(account),
        };
        let region = |[provider, region]: [u32; 2]| RegionKey { provider: word(provider), region: word(region) };
        let (accounts, account_at) = sorted(self.accounts.things.iter().map(|key| account(*key)));
        let (regions, region_at) = sorted(self.regions.things.iter().map(|key| region(*key)));
        let unnamed = || RollupError::Rows("a row without a name".to_owned());
        for row in sheet.hours.iter_mut().chain(&mut sheet.sums).chain(&mut sheet.days) {
            row.account = *account_at.get(row.account as usize).ok_or_else(unnamed)?;
            let region = *region_at.get(usize::from(row.region)).ok_or_else(unnamed)?;
            row.region = u16::try_from(region).map_err(|_| unnamed())?;
        }
        Ok(Names { accounts, regions })
    }
}

/// The things sorted, and for each as it came its place among them.
fn sorted<T: Ord>(things: impl Iterator<Item = T>) -> (Vec<T>, Vec<u32>) {
    let mut order: Vec<(T, usize)> = things.zip(0..).collect();
    order.sort_unstable();
    let mut places: Vec<(usize, u32)> = order.iter().map(|(_, came)| *came).zip(0..).collect();
    places.sort_unstable();
    (order.into_iter().map(|(thing, _)| thing).collect(), places.into_iter().map(|(_, place)| place).collect())
}

fn measures(batch: &RecordBatch) -> std::result::Result<Vec<Measure>, ParquetError> {
    words(batch, "measure", |word| Measure::from_name(word).ok_or_else(|| bad("a measure of a newer Tribune")))
}

/// What a dictionary column's words mean, for each row; each word is asked for once.
fn words<T: Copy>(
    batch: &RecordBatch,
    name: &str,
    mut meaning: impl FnMut(&str) -> std::result::Result<T, ParquetError>,
) -> std::result::Result<Vec<T>, ParquetError> {
    let column = column(batch, name, |column| column.as_dictionary_opt::<Int32Type>())?;
    let values = column.values().as_string_opt::<i32>().ok_or_else(|| bad("words that are no text"))?;
    let meanings =
        values.iter().map(|word| meaning(word.unwrap_or_default())).collect::<std::result::Result<Vec<T>, _>>()?;
    let row = |key: &i32| usize::try_from(*key).ok().and_then(|key| meanings.get(key)).copied();
    column.keys().values().iter().map(|key| row(key).ok_or_else(|| bad("a word that is not there"))).collect()
}
