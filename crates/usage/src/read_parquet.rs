//! Parquet, a row group at a time: strings as dictionaries, so that a value is looked at once and not in every row.
//!
//! It is not what a row means: that is [`crate::map`].

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryArray, DictionaryArray, LargeStringArray, MapArray,
    PrimitiveArray, StringArray, StringViewArray,
};
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Decimal128Type, Decimal256Type, Field, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, Schema, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};

use crate::focus::{Column, Kind, Layout, Role};
use crate::input::Opened;
use crate::map::{BAD_TIME, Batch, Texts, is_nothing};
use crate::read_csv::{Stop, value_of};

/// Rows that are mapped at a time.
const BATCH_ROWS: usize = 8_192;

/// What a Parquet file says of itself.
pub(crate) struct ParquetFile {
    metadata: ArrowReaderMetadata,
}

impl ParquetFile {
    pub(crate) fn open(file: &Opened) -> Result<Self, String> {
        let broken = |error: &dyn std::fmt::Display| {
            format!("is no whole Parquet file ({error}); fetch it again (nothing of it was used)")
        };
        let plain = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = guarded(|| ArrowReaderMetadata::load(file, plain)).map_err(|reason| broken(&reason))?;
        let fields: Vec<Field> = metadata.schema().fields().iter().map(|field| as_dictionary(field)).collect();
        let schema = Schema::new_with_metadata(fields, metadata.schema().metadata().clone());
        let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
        let metadata = guarded(|| ArrowReaderMetadata::try_new(metadata.metadata().clone(), options));
        let metadata = metadata.map_err(|reason| broken(&reason))?;
        Ok(Self { metadata })
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.metadata.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    pub(crate) fn row_groups(&self) -> usize {
        self.metadata.metadata().num_row_groups()
    }

    /// The number of the row before a row group's first.
    fn rows_before(&self, group: usize) -> u64 {
        self.metadata.metadata().row_groups().iter().take(group).map(|group| group.num_rows() as u64).sum()
    }

    /// Reads one row group.
    pub(crate) fn read<'a>(&self, file: Opened, group: usize, layout: &'a Layout) -> Result<ParquetBatches<'a>, Stop> {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
            .with_row_groups(vec![group])
            .with_batch_size(BATCH_ROWS);
        let row = self.rows_before(group);
        let reader = guarded(|| builder.build()).map_err(|reason| damaged(row, &reason))?;
        let caches = layout.columns.iter().map(|_| None).collect();
        Ok(ParquetBatches { reader, layout, row, caches, columns: Vec::new() })
    }
}

fn as_dictionary(field: &Field) -> Field {
    match field.data_type() {
        text @ (DataType::Utf8 | DataType::Binary) => {
            let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(text.clone()));
            field.clone().with_data_type(dictionary)
        }
        _ => field.clone(),
    }
}

fn damaged(row: u64, error: &dyn std::fmt::Display) -> Stop {
    Stop::File(format!(
        "is unreadable from row {} on: the Parquet data is damaged ({error}); fetch it again (what could be read was used)",
        row + 1
    ))
}

/// Damaged bytes may make the decoder panic, which must not take the good files with it.
fn guarded<T, E: std::fmt::Display>(decode: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("its bytes make no sense".to_owned()),
    }
}

/// The digests and bits of a dictionary's values, kept as long as the next batch brings the same dictionary.
struct Cache {
    values: ArrayRef,
    digests: Vec<u128>,
    bits: Vec<u64>,
}

/// One row group, in batches.
pub(crate) struct ParquetBatches<'a> {
    reader: ParquetRecordBatchReader,
    layout: &'a Layout,
    /// The number of the row before the batch's first.
    row: u64,
    caches: Vec<Option<Cache>>,
    columns: Vec<ArrayRef>,
}

impl ParquetBatches<'_> {
    /// Reads the next rows into a batch; says whether there were any.
    pub(crate) fn next(&mut self, batch: &mut Batch) -> Result<bool, Stop> {
        self.row += batch_rows(&self.columns);
        self.columns.clear();
        batch.reset(0);
        let records = guarded(|| self.reader.next().transpose()).map_err(|reason| damaged(self.row, &reason))?;
        let Some(records) = records else { return Ok(false) };
        batch.reset(records.num_rows());
        for ((column, array), cache) in self.layout.columns.iter().zip(records.columns()).zip(&mut self.caches) {
            sum(column, array, cache, batch).map_err(|error| damaged(self.row, &error))?;
        }
        self.columns = records.columns().to_vec();
        Ok(true)
    }
}

fn batch_rows(columns: &[ArrayRef]) -> u64 {
    columns.first().map_or(0, |column| column.len() as u64)
}

impl Texts for ParquetBatches<'_> {
    fn text(&self, column: usize, row: usize) -> Option<String> {
        let array = self.columns.get(column)?;
        let text = text_at(array, row)?;
        (!is_nothing(text.as_bytes())).then_some(text)
    }

    fn number(&self, row: usize) -> u64 {
        self.row + row as u64 + 1
    }
}

/// The text of one value; slow, for the few that are looked at.
fn text_at(array: &ArrayRef, row: usize) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    let binary = |array: &dyn Array, row: usize| {
        array.as_binary_opt::<i32>().map(|bytes| String::from_utf8_lossy(bytes.value(row)).into_owned())
    };
    if let Some(dictionary) = array.as_dictionary_opt::<Int32Type>()
        && let Some(key) = dictionary.key(row)
        && let Some(text) = binary(dictionary.values(), key)
    {
        return Some(text);
    }
    let shown = ArrayFormatter::try_new(array, &FormatOptions::default());
    binary(array, row).or_else(|| shown.ok().and_then(|shown| shown.value(row).try_to_string().ok()))
}

/// Adds a column to the sums and values of a batch.
fn sum(column: &Column, array: &ArrayRef, cache: &mut Option<Cache>, batch: &mut Batch) -> Result<(), String> {
    if let Some(dictionary) = array.as_dictionary_opt::<Int32Type>() {
        let fresh = cache.take().filter(|cache| same_array(&cache.values, dictionary.values()));
        let fresh = match fresh {
            Some(cache) => cache,
            None => Cache::new(column, dictionary.values())?,
        };
        sum_dictionary(column, dictionary, cache.insert(fresh), batch);
        return Ok(());
    }
    let mut values = values_of(column, array)?;
    for row in 0..array.len() {
        let (digest, bits) = values(row);
        batch.add(column.role, row, digest);
        batch.push(column.role, bits);
    }
    Ok(())
}

impl Cache {
    fn new(column: &Column, values: &ArrayRef) -> Result<Self, String> {
        let mut value = values_of(column, values)?;
        let (mut digests, mut bits) = (Vec::with_capacity(values.len() + 1), Vec::with_capacity(values.len() + 1));
        for row in 0..values.len() {
            let (digest, value) = value(row);
            digests.push(digest);
            bits.push(value);
        }
        // What a row without a value finds, behind all values.
        let (digest, value) = value_of(column, b"");
        digests.push(digest);
        bits.push(value);
        Ok(Self { values: values.clone(), digests, bits })
    }
}

/// Whether two arrays are views of the same memory; the cache holds on to its own, so that it cannot be another's.
fn same_array(a: &ArrayRef, b: &ArrayRef) -> bool {
    Arc::ptr_eq(a, b) || a.to_data().ptr_eq(&b.to_data())
}

fn sum_dictionary(column: &Column, array: &DictionaryArray<Int32Type>, cache: &Cache, batch: &mut Batch) {
    let empty = cache.digests.len() - 1;
    let values = cache.bits.len() > 1;
    let keys = array.keys();
    let place = |row: usize, key: &i32| if keys.is_null(row) || !values { empty } else { *key as usize };
    if column.role == Role::Provider {
        add(&mut batch.account, keys, cache, empty);
    }
    add(batch.sums(column.role), keys, cache, empty);
    if matches!(column.role, Role::Consumed | Role::Priced | Role::Start | Role::End | Role::Billing) {
        for (row, key) in keys.values().iter().enumerate() {
            batch.push(column.role, cache.bits.get(place(row, key)).copied().unwrap_or_default());
        }
    }
}

fn add(sums: &mut [u128], keys: &PrimitiveArray<Int32Type>, cache: &Cache, empty: usize) {
    let digest = |place: usize| cache.digests.get(place).copied().unwrap_or_default();
    if keys.null_count() > 0 {
        for (row, (sum, key)) in sums.iter_mut().zip(keys.values()).enumerate() {
            *sum = sum.wrapping_add(digest(if keys.is_null(row) { empty } else { *key as usize }));
        }
    } else if empty == 1 {
        let only = digest(0);
        sums.iter_mut().for_each(|sum| *sum = sum.wrapping_add(only));
    } else {
        for (sum, key) in sums.iter_mut().zip(keys.values()) {
            *sum = sum.wrapping_add(digest(*key as usize));
        }
    }
}

type Values<'a> = Box<dyn FnMut(usize) -> (u128, u64) + 'a>;

/// The digest and the bits of each value of an array that is no dictionary.
fn values_of<'a>(column: &'a Column, array: &'a ArrayRef) -> Result<Values<'a>, String> {
    Ok(match array.data_type() {
        DataType::Utf8 => {
            texts(column, array, array.as_string::<i32>(), |array: &StringArray, row| array.value(row).as_bytes())
        }
        DataType::LargeUtf8 => {
            texts(column, array, array.as_string::<i64>(), |array: &LargeStringArray, row| array.value(row).as_bytes())
        }
        DataType::Utf8View => {
            texts(column, array, array.as_string_view(), |array: &StringViewArray, row| array.value(row).as_bytes())
        }
        DataType::Binary => texts(column, array, array.as_binary::<i32>(), |array: &BinaryArray, row| array.value(row)),
        DataType::Float64 => numbers::<Float64Type>(column, array, |number| number),
        DataType::Float32 => numbers::<Float32Type>(column, array, f64::from),
        DataType::Int8 => numbers::<Int8Type>(column, array, f64::from),
        DataType::Int16 => numbers::<Int16Type>(column, array, f64::from),
        DataType::Int32 => numbers::<Int32Type>(column, array, f64::from),
        DataType::Int64 => numbers::<Int64Type>(column, array, |number| number as f64),
        DataType::UInt8 => numbers::<UInt8Type>(column, array, f64::from),
        DataType::UInt16 => numbers::<UInt16Type>(column, array, f64::from),
        DataType::UInt32 => numbers::<UInt32Type>(column, array, f64::from),
        DataType::UInt64 => numbers::<UInt64Type>(column, array, |number| number as f64),
        DataType::Decimal128(_, scale) => {
            let scale = *scale;
            numbers::<Decimal128Type>(column, array, move |number| decimal(number, scale))
        }
        DataType::Decimal256(_, scale) => {
            let scale = *scale;
            let read = move |number: arrow::datatypes::i256| match number.to_i128() {
                Some(number) => decimal(number, scale),
                None => format!("{number}e{}", -i32::from(scale)).parse().unwrap_or(f64::NAN),
            };
            numbers::<Decimal256Type>(column, array, read)
        }
        DataType::Date32 => times::<Date32Type>(column, array, |days| i64::from(days) * 86_400),
        DataType::Date64 => times::<Date64Type>(column, array, |time| time.div_euclid(1_000)),
        DataType::Timestamp(TimeUnit::Second, _) => times::<TimestampSecondType>(column, array, |time| time),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            times::<TimestampMillisecondType>(column, array, |time| time.div_euclid(1_000))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            times::<TimestampMicrosecondType>(column, array, |time| time.div_euclid(1_000_000))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            times::<TimestampNanosecondType>(column, array, |time| time.div_euclid(1_000_000_000))
        }
        DataType::Map(..) => {
            let map = array.as_map();
            Box::new(move |row| match map.is_null(row) {
                true => value_of(column, b""),
                false => value_of(column, json_of(map, row).as_bytes()),
            })
        }
        _ => {
            let shown = ArrayFormatter::try_new(array, &FormatOptions::default()).map_err(|error| error.to_string())?;
            Box::new(move |row| match array.is_null(row) {
                true => value_of(column, b""),
                false => value_of(column, shown.value(row).to_string().as_bytes()),
            })
        }
    })
}

fn texts<'a, A: Array>(
    column: &'a Column,
    array: &'a ArrayRef,
    typed: &'a A,
    bytes: impl Fn(&'a A, usize) -> &'a [u8] + 'a,
) -> Values<'a> {
    let mut last: Option<(&[u8], (u128, u64))> = None;
    Box::new(move |row| {
        let text = if array.is_null(row) { b"" } else { bytes(typed, row) };
        match last {
            Some((same, value)) if same == text => value,
            _ => {
                let value = value_of(column, text);
                last = Some((text, value));
                value
            }
        }
    })
}

/// Numbers, whatever their type. In a column of texts or times they count as the text that CSV would have.
fn numbers<'a, T: ArrowPrimitiveType>(
    column: &'a Column,
    array: &'a ArrayRef,
    read: impl Fn(T::Native) -> f64 + 'a,
) -> Values<'a> {
    let numbers = array.as_primitive::<T>();
    let shown = ArrayFormatter::try_new(array, &FormatOptions::default()).ok();
    Box::new(move |row| {
        if numbers.is_null(row) {
            return value_of(column, b"");
        }
        if column.kind == Kind::Number {
            let number = read(numbers.value(row));
            let bits = if number.is_nan() { f64::NAN.to_bits() } else { number.to_bits() };
            return (column.fingerprint.number(number), bits);
        }
        let text = shown.as_ref().map(|shown| shown.value(row).to_string()).unwrap_or_default();
        value_of(column, text.as_bytes())
    })
}

/// Times, whatever their type. In a column of numbers they are at fault; in one of texts they count as a text.
fn times<'a, T: ArrowPrimitiveType>(
    column: &'a Column,
    array: &'a ArrayRef,
    read: impl Fn(T::Native) -> i64 + 'a,
) -> Values<'a> {
    let times = array.as_primitive::<T>();
    let shown = ArrayFormatter::try_new(array, &FormatOptions::default()).ok();
    Box::new(move |row| {
        if times.is_null(row) {
            return value_of(column, b"");
        }
        if column.kind == Kind::Time {
            // The marks of absent and bad times are far outside the years: moved to where only the years are at fault.
            let seconds = read(times.value(row)).max(BAD_TIME + 1);
            return (column.fingerprint.seconds(seconds), seconds as u64);
        }
        let text = shown.as_ref().map(|shown| shown.value(row).to_string()).unwrap_or_default();
        value_of(column, text.as_bytes())
    })
}

/// A decimal as the nearest double, as its text would be read.
fn decimal(number: i128, scale: i8) -> f64 {
    const EXACT: i128 = 1 << 53;
    if number.abs() <= EXACT && (0..=22).contains(&scale) {
        // Both are exact, so that the quotient is the nearest double.
        return number as f64 / 10f64.powi(i32::from(scale));
    }
    format!("{number}e{}", -i32::from(scale)).parse().unwrap_or(f64::NAN)
}

/// A map of texts as a JSON object.
fn json_of(map: &MapArray, row: usize) -> String {
    let entries = map.value(row);
    let (keys, values) = (entries.column(0).clone(), entries.column(1).clone());
    let text = |array: &ArrayRef, row| text_at(array, row).map_or(serde_json::Value::Null, serde_json::Value::String);
    let object: serde_json::Map<String, serde_json::Value> =
        (0..entries.len()).filter_map(|entry| Some((text_at(&keys, entry)?, text(&values, entry)))).collect();
    serde_json::Value::Object(object).to_string()
}
