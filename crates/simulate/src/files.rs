//! The files: rows as FOCUS 1.2 in Parquet, facts and truth as CSV.
//!
//! It writes what it is given and decides nothing.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Array, DictionaryArray, Int32Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Int32Type;
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde::Serialize;

use crate::SimulateError;
use crate::faults::{Class, Row};
use crate::meter::METERS;
use crate::population::Population;
use crate::time::Date;
use crate::world::REGIONS;

/// A name in FOCUS, and how to make its column from rows.
type Column = (&'static str, Box<dyn Fn(&[Row]) -> Result<ArrayRef, ArrowError>>);

/// Writes rows as Parquet files into a folder.
pub(crate) struct Files {
    folder: PathBuf,
    columns: Vec<Column>,
}

/// Rows in a row group.
const GROUP_ROWS: usize = 1 << 17;

impl Files {
    /// Files in `folder`, whose rows are charged for `hours` hours each.
    pub(crate) fn new(folder: &Path, population: &Population, hours: i32) -> Self {
        let mut columns = Vec::new();
        whose(&mut columns, population);
        what(&mut columns);
        when(&mut columns, hours);
        how_much(&mut columns);
        columns.sort_by_key(|(name, _)| *name);
        Self { folder: folder.to_owned(), columns }
    }

    /// Writes one file.
    pub(crate) fn write(&self, name: &str, rows: &[Row]) -> Result<(), SimulateError> {
        let path = self.folder.join(name);
        self.try_write(&path, rows).map_err(|source| SimulateError::Write { path, source: source.into() })
    }

    fn try_write(&self, path: &Path, rows: &[Row]) -> Result<(), parquet::errors::ParquetError> {
        let batch = |rows: &[Row]| {
            let arrays: Result<Vec<_>, ArrowError> =
                self.columns.iter().map(|(name, column)| Ok((*name, column(rows)?, true))).collect();
            RecordBatch::try_from_iter_with_nullable(arrays?)
        };
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .set_created_by("tribune simulate".to_owned())
            .build();
        // Without Arrow's own schema beside it: most exporters have none.
        let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let mut writer = ArrowWriter::try_new_with_options(File::create(path)?, batch(&[])?.schema(), options)?;
        for rows in rows.chunks(GROUP_ROWS) {
            writer.write(&batch(rows)?)?;
        }
        writer.close().map(drop)
    }
}

/// Writes a CSV file with a header, even if there are no rows.
pub(crate) fn write_csv<T: Serialize + Default>(folder: &Path, name: &str, rows: &[T]) -> Result<(), SimulateError> {
    let path = folder.join(name);
    let write = || -> Result<(), csv::Error> {
        let mut header = csv::Writer::from_writer(Vec::new());
        header.serialize(T::default())?;
        let header = header.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
        let mut file = File::create(&path)?;
        file.write_all(header.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default())?;
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(file);
        rows.iter().try_for_each(|row| writer.serialize(row))?;
        Ok(writer.flush()?)
    };
    write().map_err(|source| SimulateError::Write { path, source: io::Error::from(source).into() })
}

/// A column whose texts are few: `values`, and for each row the place of its text, if it has one.
fn texts(
    columns: &mut Vec<Column>,
    name: &'static str,
    values: impl IntoIterator<Item = String>,
    place: impl Fn(&Row) -> Option<i32> + 'static,
) {
    let values: ArrayRef = Arc::new(StringArray::from_iter_values(values));
    let column = move |rows: &[Row]| -> Result<ArrayRef, _> {
        let places: Int32Array = rows.iter().map(&place).collect();
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(places, Arc::clone(&values))?) as ArrayRef)
    };
    columns.push((name, Box::new(column)));
}

fn constant(columns: &mut Vec<Column>, name: &'static str, value: &str) {
    texts(columns, name, [value.to_owned()], |_| Some(0));
}

fn whose(columns: &mut Vec<Column>, population: &Population) {
    let accounts = || population.accounts.iter();
    let account = |row: &Row| Some(row.account as i32);
    texts(columns, "BillingAccountId", accounts().map(|account| account.customer.clone()), account);
    texts(columns, "BillingAccountName", accounts().map(|account| format!("Customer {}", account.customer)), account);
    texts(columns, "SubAccountId", accounts().map(|account| account.id.clone()), account);
    texts(columns, "SubAccountName", accounts().map(|account| format!("Account {}", account.id)), account);
    for (name, value) in [
        ("BillingAccountType", "Customer"),
        ("SubAccountType", "Account"),
        ("BillingCurrency", "USD"),
        ("InvoiceIssuerName", "Example Cloud"),
        ("ProviderName", "Example Cloud"),
        ("PublisherName", "Example Cloud"),
    ] {
        constant(columns, name, value);
    }
}

fn what(columns: &mut Vec<Column>) {
    let metered = |row: &Row| (usize::from(row.meter) < METERS.len()).then_some(i32::from(row.meter));
    let other = |row: &Row| Some(i32::from(row.meter).min(METERS.len() as i32));
    let meters = || METERS.iter();
    let names = |name: fn(&crate::meter::Sku) -> &'static str| meters().map(move |sku| name(sku).to_owned());
    texts(columns, "SkuId", names(|sku| sku.id), metered);
    texts(columns, "SkuMeter", names(|sku| sku.id), metered);
    texts(columns, "SkuPriceId", meters().map(|sku| format!("{}.standard", sku.id)), metered);
    texts(columns, "ConsumedUnit", names(|sku| sku.unit), metered);
    texts(columns, "PricingUnit", names(|sku| sku.unit), metered);
    let with_other =
        |name: fn(&crate::meter::Sku) -> &'static str, rest: &'static str| names(name).chain([rest.to_owned()]);
    texts(columns, "ServiceCategory", with_other(|sku| sku.category, "Other"), other);
    texts(columns, "ServiceSubcategory", with_other(|sku| sku.subcategory, "Other (Other)"), other);
    texts(columns, "ServiceName", with_other(|sku| sku.service, "Billing"), other);
    texts(columns, "ChargeDescription", with_other(|sku| sku.id, "Billing adjustment"), other);
    let region = |row: &Row| (usize::from(row.meter) < METERS.len()).then_some(i32::from(row.region));
    texts(columns, "RegionId", REGIONS.iter().map(|region| region.0.to_owned()), region);
    texts(columns, "RegionName", REGIONS.iter().map(|region| region.1.to_owned()), region);
    let words = |all: &[&str]| all.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    texts(columns, "ChargeCategory", words(&["Usage", "Credit", "Tax"]), |row| match row.class {
        Class::Usage | Class::Correction => Some(0),
        Class::Credit => Some(1),
        Class::Tax => Some(2),
    });
    texts(columns, "ChargeClass", words(&["Correction"]), |row| (row.class == Class::Correction).then_some(0));
    texts(columns, "ChargeFrequency", words(&["Usage-Based", "One-Time"]), |row| {
        Some(i32::from(matches!(row.class, Class::Credit | Class::Tax)))
    });
    texts(columns, "PricingCategory", words(&["Standard"]), |row| {
        matches!(row.class, Class::Usage | Class::Correction).then_some(0)
    });
    texts(columns, "ResourceId", [], |_| None);
}

fn when(columns: &mut Vec<Column>, hours: i32) {
    let mut time = |name, hour: Box<dyn Fn(&Row) -> i32>| {
        let column = move |rows: &[Row]| {
            let times = TimestampMicrosecondArray::from_iter_values(
                rows.iter().map(|row| i64::from(hour(row)) * 3_600_000_000),
            );
            Ok(Arc::new(times.with_timezone("UTC")) as ArrayRef)
        };
        columns.push((name, Box::new(column)));
    };
    time("ChargePeriodStart", Box::new(|row| row.start));
    time("ChargePeriodEnd", Box::new(move |row| row.start + hours));
    time("BillingPeriodStart", Box::new(|row| month_of(row).0.days() * 24));
    time("BillingPeriodEnd", Box::new(|row| month_of(row).1.days() * 24));
}

fn month_of(row: &Row) -> (Date, Date) {
    Date::from_days(row.start.div_euclid(24)).month()
}

fn how_much(columns: &mut Vec<Column>) {
    let mut amount = |name, scale: i8, value: fn(&Row) -> Option<i128>| {
        let column = move |rows: &[Row]| {
            let amounts: Decimal128Array = rows.iter().map(value).collect();
            Ok(Arc::new(amounts.with_precision_and_scale(18, scale)?) as ArrayRef)
        };
        columns.push((name, Box::new(column)));
    };
    amount("ConsumedQuantity", 6, quantity);
    amount("PricingQuantity", 6, quantity);
    for name in ["BilledCost", "ContractedCost", "EffectiveCost", "ListCost"] {
        amount(name, 4, cost);
    }
}

fn quantity(row: &Row) -> Option<i128> {
    (usize::from(row.meter) < METERS.len()).then_some(i128::from(row.quantity))
}

/// Ten-thousandths of a dollar.
fn cost(row: &Row) -> Option<i128> {
    // Without a meter, a row's quantity is money already; with one, its millionths times the price of a million.
    let dollars = |price: f64| row.quantity as f64 * 1e-12 * price;
    let amount = METERS.get(usize::from(row.meter)).map_or(row.quantity as f64 * 1e-6, |sku| dollars(sku.price));
    Some((amount * 1e4).round() as i128)
}
