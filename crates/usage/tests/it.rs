//! Usage records as they come, good and bad, read from real files.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which the lint's exception for tests does not cover")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Array, DictionaryArray, Float64Array, LargeStringArray, MapBuilder, StringArray, StringBuilder,
    StringViewArray, TimestampMillisecondArray, TimestampNanosecondArray,
};
use arrow::datatypes::{Int32Type, Schema};
use arrow::record_batch::RecordBatch;
use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;
use usage::feed::{Fed, FeedError, feed};
use usage::rollup::Rollups;
use usage::{Books, ByDay, Catalogue, Day, Hour, Measure, Period, ReadError, ReadOptions, Tally, read, records_digest};

const HEADER: &str = "ProviderName,BillingAccountId,SubAccountId,ServiceCategory,ServiceName,RegionId,SkuId,SkuMeter,\
    ConsumedQuantity,ConsumedUnit,PricingQuantity,PricingUnit,ChargeCategory,ChargeClass,ChargeFrequency,\
    ChargePeriodStart,ChargePeriodEnd,BillingPeriodStart,BilledCost,ResourceId,Tags";

/// A row of the header's columns; what a test changes, it names.
#[derive(Clone)]
struct Row(Vec<(&'static str, String)>);

impl Row {
    fn new() -> Self {
        let values = [
            "Example Cloud",
            "customer",
            "account",
            "Storage",
            "Object Storage",
            "north",
            "storage.write",
            "storage.write",
            "12.5",
            "Requests",
            "12.5",
            "Requests",
            "Usage",
            "",
            "Usage-Based",
            "2026-03-01T05:00:00Z",
            "2026-03-01T06:00:00Z",
            "2026-03-01T00:00:00Z",
            "0.10",
            "resource-1",
            "",
        ];
        Self(HEADER.split(',').zip(values).map(|(name, value)| (name, value.to_owned())).collect())
    }

    fn with(mut self, column: &str, value: &str) -> Self {
        self.0.iter_mut().find(|(name, _)| *name == column).unwrap().1 = value.to_owned();
        self
    }

    fn get(&self, column: &str) -> &str {
        &self.0.iter().find(|(name, _)| *name == column).unwrap().1
    }

    fn line(&self) -> String {
        let quoted = |(_, value): &(&str, String)| format!("\"{}\"", value.replace('"', "\"\""));
        self.0.iter().map(quoted).collect::<Vec<_>>().join(",")
    }
}

fn csv(rows: &[Row]) -> String {
    std::iter::once(HEADER.to_owned()).chain(rows.iter().map(Row::line)).map(|line| line + "\n").collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn texts(rows: &[Row], column: &str) -> Vec<Option<String>> {
    rows.iter().map(|row| Some(row.get(column).to_owned()).filter(|text| !text.is_empty() && text != "NULL")).collect()
}

/// The same rows in Parquet, every column in a type of its own choice.
fn parquet(rows: &[Row]) -> Vec<u8> {
    let column = |name: &str| -> ArrayRef {
        let texts = texts(rows, name);
        let numbers = || texts.iter().map(|text| text.as_ref().map(|text| text.parse::<f64>().unwrap()));
        let seconds = || texts.iter().map(|text| text.as_ref().map(|text| usage::time::parse_seconds(text).unwrap()));
        match name {
            "ConsumedQuantity" => {
                let decimals = numbers().map(|number| number.map(|number| (number * 1e6).round() as i128));
                Arc::new(decimals.collect::<Decimal128Array>().with_precision_and_scale(30, 6).unwrap())
            }
            "BilledCost" => Arc::new(numbers().collect::<Float64Array>()),
            "ChargePeriodStart" => {
                let times = seconds().map(|time| time.map(|time| time * 1_000));
                Arc::new(times.collect::<TimestampMillisecondArray>().with_timezone("UTC"))
            }
            "ChargePeriodEnd" => Arc::new(
                seconds().map(|time| time.map(|time| time * 1_000_000_000)).collect::<TimestampNanosecondArray>(),
            ),
            "SubAccountId" => Arc::new(texts.iter().map(Option::as_deref).collect::<DictionaryArray<Int32Type>>()),
            "RegionId" => Arc::new(texts.iter().map(Option::as_deref).collect::<LargeStringArray>()),
            "SkuId" => Arc::new(texts.iter().map(Option::as_deref).collect::<StringViewArray>()),
            "Tags" => tags(&texts),
            _ => Arc::new(texts.iter().map(Option::as_deref).collect::<StringArray>()),
        }
    };
    let columns = HEADER.split(',').map(|name| (name, column(name), true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    written(&batch.schema(), &batch)
}

fn written(schema: &Arc<Schema>, batch: &RecordBatch) -> Vec<u8> {
    let properties =
        parquet::file::properties::WriterProperties::builder().set_max_row_group_row_count(Some(7)).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

fn tags(texts: &[Option<String>]) -> ArrayRef {
    let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for text in texts {
        let object: Option<std::collections::BTreeMap<String, String>> =
            text.as_ref().map(|text| serde_json::from_str(text).unwrap());
        for (key, value) in object.iter().flatten().rev() {
            map.keys().append_value(key);
            map.values().append_value(value);
        }
        map.append(object.is_some()).unwrap();
    }
    Arc::new(map.finish())
}

/// A folder with files, and what comes of reading it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        fs::write(self.0.path().join(name), content).unwrap();
        self
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn books(&self) -> Books {
        books(&[self.0.path().display().to_string()])
    }

    fn tally(&self) -> Tally {
        self.books().tally().clone()
    }
}

fn try_books(inputs: &[String], scratch: &Path) -> Result<Books, ReadError> {
    let options = ReadOptions { scratch, threads: 2, fingerprints: true, progress: &|_| {} };
    read(inputs, &Catalogue::built_in().unwrap(), &options)
}

fn books(inputs: &[String]) -> Books {
    let books = try_books(inputs, &std::path::absolute(env!("CARGO_TARGET_TMPDIR")).unwrap()).unwrap();
    let tally = books.tally();
    let accounted = tally.used + tally.passed_over + tally.unmapped + tally.duplicates + tally.rejected;
    assert_eq!(tally.rows, accounted);
    let named: u64 = tally.unmapped_names.iter().map(|name| name.rows).sum();
    assert_eq!(named + tally.unmapped_others, tally.unmapped);
    books
}

fn all_usage(books: &Books) -> Vec<usage::Usage> {
    let mut all = Vec::new();
    for day in books.days() {
        for part in books.day(day).unwrap().parts {
            let part = part.unwrap();
            assert!(part.iter().all(|usage| usage.period.day() == day));
            all.extend(part);
        }
    }
    all
}

fn digest(usage: &dyn ByDay) -> String {
    records_digest(usage, usage.known().unwrap().1).unwrap()
}

fn hour(text: &str) -> Hour {
    text.parse().unwrap()
}

#[test]
fn a_row_becomes_the_integer_of_its_measure() {
    let rows = [
        Row::new(),
        Row::new().with("SubAccountId", "NULL").with("SkuId", "storage.capacity").with("ConsumedUnit", "GB-Months"),
        Row::new().with("ChargePeriodStart", "2026-03-01").with("ChargePeriodEnd", "2026-03-02 00:00:00"),
    ];
    let books = Folder::new().file("a.csv", csv(&rows)).books();
    assert!(books.tally().is_clean() && books.tally().used == 3, "{:?}", books.tally());
    let accounts: Vec<&str> = books.names().accounts.iter().map(|key| key.account.as_str()).collect();
    assert_eq!(accounts, ["account", "customer"]);
    let usage = all_usage(&books);
    let day: Day = "2026-03-01".parse().unwrap();
    assert_eq!((usage[0].measure, usage[0].quantity, usage[0].account), (Measure::ObjectsWritten, 12_500_000, 0));
    assert_eq!((usage[0].period, usage[0].known), (Period::Hour(hour("2026-03-01T05Z")), hour("2026-03-01T06Z")));
    assert_eq!((usage[1].period, usage[1].known), (Period::Day(day), hour("2026-03-02T00Z")));
    assert_eq!((usage[2].measure, usage[2].quantity), (Measure::ByteHoursStored, 12_500_000 * 31 * 24 / 1_000 * 1_000));
    assert_eq!(books.known(), Some((hour("2026-03-01T06Z"), hour("2026-03-02T00Z"))));
}

#[test]
fn the_same_row_in_csv_gzip_and_parquet_is_a_duplicate() {
    let rows: Vec<Row> = (0..20)
        .map(|number| {
            Row::new()
                .with("ResourceId", &format!("resource-{number}"))
                .with("ConsumedQuantity", &format!("{}.250000", number % 3))
                .with("ChargeClass", "NULL")
                .with("Tags", &format!("{{\"b\": \"{number}\", \"a\":\"x\"}}"))
        })
        .collect();
    let folder = Folder::new()
        .file("a.csv", format!("\u{feff}{}", csv(&rows)))
        .file("b.csv.gz", [gzip(&csv(&rows).as_bytes()[..500]), gzip(&csv(&rows).as_bytes()[500..])].concat())
        .file("c.parquet", parquet(&rows));
    let tally = folder.tally();
    assert_eq!((tally.rows, tally.used, tally.duplicates), (60, 20, 40), "{tally:?}");
    assert!(tally.is_clean());
}

#[test]
fn rows_that_differ_in_a_dropped_column_alone_add() {
    let rows = [Row::new(), Row::new().with("ResourceId", "resource-2"), Row::new().with("BilledCost", "0.11")];
    let tally = Folder::new().file("a.csv", csv(&rows)).tally();
    assert_eq!((tally.used, tally.duplicates), (3, 0));
}

#[test]
fn of_a_duplicate_the_earliest_known_stays_and_a_newer_version_replaces() {
    let one = csv(&[Row::new()]);
    let folder = Folder::new()
        .file("x known=2026-03-05T00Z.csv", &one)
        .file("y known=2026-03-04T00Z.csv", &one)
        .file("z.csv", csv(&[Row::new().with("ResourceId", "old")]))
        .file("z.v2.csv", csv(&[Row::new().with("ResourceId", "new").with("ConsumedQuantity", "1")]));
    let books = folder.books();
    assert_eq!((books.tally().files, books.tally().replaced, books.tally().duplicates), (3, 1, 1));
    let known: Vec<(Hour, i64)> = all_usage(&books).iter().map(|usage| (usage.known, usage.quantity)).collect();
    assert_eq!(known, [(hour("2026-03-01T06Z"), 1_000_000), (hour("2026-03-04T00Z"), 12_500_000)]);
}

#[test]
fn what_is_not_usage_is_passed_over_and_what_is_not_known_is_named() {
    let rows = [
        Row::new().with("ChargeCategory", "Tax").with("ConsumedQuantity", "").with("PricingQuantity", "NULL"),
        Row::new().with("ChargeFrequency", "Recurring").with("ConsumedQuantity", ""),
        Row::new().with("ConsumedQuantity", "").with("PricingQuantity", "3"),
        Row::new().with("ConsumedUnit", "Furlongs"),
        Row::new().with("SkuId", "storage.unheard"),
        Row::new().with("ProviderName", "Nobody"),
        Row::new().with("ChargePeriodEnd", "2026-04-01"),
    ];
    let tally = Folder::new().file("a.csv", csv(&rows)).tally();
    assert_eq!((tally.used, tally.passed_over, tally.unmapped, tally.rejected), (1, 2, 4, 0), "{tally:?}");
    let mut whys: Vec<&str> = tally.unmapped_names.iter().map(|name| name.why.as_str()).collect();
    whys.sort_unstable();
    assert_eq!(
        whys,
        [
            "meter not in the catalogue",
            "no catalogue for this provider",
            "period longer than a day",
            "unit `Furlongs` does not fit objects_written",
        ]
    );
    assert!(tally.unmapped_names.iter().any(|name| name.unit == "Furlongs" && name.meter == "storage.write"));
}

#[test]
fn a_correction_may_be_negative_and_adds() {
    let correction = Row::new().with("ChargeClass", "Correction").with("ConsumedQuantity", "-2.5");
    let folder = Folder::new().file("a.csv", csv(&[Row::new(), correction]));
    assert_eq!(all_usage(&folder.books()).iter().map(|usage| usage.quantity).sum::<i64>(), 10_000_000);
}

#[test]
fn a_bad_value_rejects_its_row_with_file_row_column_and_reason() {
    for (column, value, reason) in [
        ("ConsumedQuantity", "a few", "`a few` is not a number; write it like 12.5"),
        ("ConsumedQuantity", "NaN", "`NaN` is not a finite number"),
        ("ConsumedQuantity", "-inf", "`-inf` is not a finite number"),
        ("ConsumedQuantity", "1e308", "`1e308` is more than any meter measures"),
        ("ConsumedQuantity", "-1", "`-1` is negative, and `ChargeClass` is not `Correction`"),
        ("ChargePeriodStart", "yesterday", "`yesterday` is not a time; write it like 2026-03-01T00:00:00Z"),
        ("ChargePeriodStart", "1999-12-31T23:00:00Z", "`1999-12-31T23:00:00Z` is not between 2000 and 2100"),
        ("ChargePeriodEnd", "2101-01-01T00:00:01Z", "`2101-01-01T00:00:01Z` is not between 2000 and 2100"),
        ("ChargePeriodEnd", "2026-03-01T04:00:00Z", "`2026-03-01T04:00:00Z` is not after `ChargePeriodStart`"),
        ("ChargePeriodEnd", "", "is empty"),
        ("BillingAccountId", "NULL", "is empty"),
        ("ProviderName", "", "is empty"),
        ("ChargeCategory", "", "is empty"),
        ("ConsumedQuantity", "\u{1b}[2J", "`\\u{1b}[2J` is not a number; write it like 12.5"),
    ] {
        let folder = Folder::new().file("a.csv", csv(&[Row::new(), Row::new().with(column, value), Row::new()]));
        let tally = folder.tally();
        assert_eq!((tally.used, tally.duplicates, tally.rejected), (1, 1, 1), "{column} {value}: {tally:?}");
        let rejection = &tally.rejections[0];
        assert_eq!((rejection.row, rejection.column.as_str(), rejection.reason.as_str()), (3, column, reason));
        assert!(rejection.file.ends_with("a.csv"));
    }
}

#[test]
fn examples_of_rejected_rows_are_few_and_the_count_is_whole() {
    let rows: Vec<Row> = (0..100).map(|_| Row::new().with("ConsumedQuantity", "x")).collect();
    let tally = Folder::new().file("a.csv", csv(&rows)).file("b.csv", csv(&rows)).tally();
    assert_eq!((tally.rejected, tally.rejections.len()), (200, 40));
    assert_eq!((tally.rejections[19].row, tally.rejections[20].row), (21, 2));
}

#[test]
fn a_file_at_fault_is_named_with_its_mend_and_the_good_one_is_used() {
    let good = csv(&[Row::new()]);
    let utf16: Vec<u8> = std::iter::once(0xfeff).chain(good.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let mut latin_1 = good.replace("SubAccountId", "Comptéíd").into_bytes();
    latin_1.retain(|byte| *byte != 0xc3);
    let whole = parquet(&[Row::new()]);
    for (name, content, reason) in [
        ("bad.csv", Vec::new(), "is empty (0 bytes)"),
        ("bad.parquet", Vec::new(), "is empty (0 bytes)"),
        ("bad.csv", b"name,price\nx,1\n".to_vec(), "is not a FOCUS file"),
        ("bad.csv", vec![0; 5_000], "UTF-16"),
        ("bad.csv", good.replace("ChargePeriodEnd", "").into_bytes(), "has no column `ChargePeriodEnd`"),
        ("bad.csv", good.replace("ChargePeriodEnd", "ChargePeriodEd").into_bytes(), "did you mean `ChargePeriodEnd`?"),
        ("bad.csv", good.replace("Tags", "RegionId").into_bytes(), "has the column `RegionId` twice"),
        ("bad.csv", utf16, "is written in UTF-16; save it as UTF-8"),
        ("bad.csv", latin_1, "Latin-1"),
        ("bad.parquet", whole[..whole.len() / 2].to_vec(), "is no whole Parquet file"),
        ("bad.parquet", good.clone().into_bytes(), "is no Parquet file, though its name says so"),
        ("bad known=noon.csv", good.clone().into_bytes(), "write known=2026-03-01T06Z"),
    ] {
        let tally = Folder::new().file("good.csv", &good).file(name, &content).tally();
        assert_eq!((tally.files, tally.rows, tally.used), (2, 1, 1), "{name}: {reason}: {tally:?}");
        assert!(!tally.is_clean() && tally.unreadable.len() == 1 && tally.unreadable[0].file.contains("bad"));
        assert!(tally.unreadable[0].reason.contains(reason), "{}", tally.unreadable[0].reason);
    }
}

#[test]
fn of_a_gzip_cut_off_the_rows_before_the_cut_are_used() {
    let rows: Vec<Row> = (0..20_000).map(|number| Row::new().with("ResourceId", &format!("r{number}"))).collect();
    let whole = gzip(csv(&rows).as_bytes());
    let tally = Folder::new().file("a.csv.gz", &whole[..whole.len() / 2]).tally();
    assert!(tally.used > 5_000 && tally.used < 15_000 && tally.rejected == 0, "{tally:?}");
    let says = format!("is unreadable from row {} on: the gzip is cut off", tally.used + 2);
    assert!(tally.unreadable[0].reason.starts_with(&says), "{} {:?}", tally.used, tally.unreadable);
}

#[test]
fn a_line_without_end_is_one_rejected_row_in_bounded_memory() {
    let good = csv(&[Row::new()]);
    let long = gzip(&vec![b'x'; 1 << 20]);
    let mut file = gzip(good.as_bytes());
    (0..64).for_each(|_| file.extend_from_slice(&long));
    file.extend(gzip(format!("\n{}\n", Row::new().with("ResourceId", "after").line()).as_bytes()));
    let tally = Folder::new().file("a.csv.gz", file).tally();
    assert_eq!((tally.used, tally.rejected, tally.unreadable.len()), (2, 1, 0), "{tally:?}");
    assert_eq!((tally.rejections[0].row, tally.rejections[0].column.as_str()), (3, "(row)"));
    assert!(tally.rejections[0].reason.contains("longer than 1 MiB"));
}

#[test]
fn a_row_of_another_width_or_encoding_is_rejected_unless_only_dropped_columns_suffer() {
    let mut text = csv(&[Row::new()]).into_bytes();
    text.extend(b"one,two\n");
    let latin_1 = |column: &str| {
        let line = Row::new().with(column, "caf?").line();
        line.bytes().map(|byte| if byte == b'?' { 0xe9 } else { byte }).chain(*b"\n").collect::<Vec<u8>>()
    };
    text.extend(latin_1("SubAccountId"));
    text.extend(latin_1("ResourceId"));
    let tally = Folder::new().file("a.csv", text).tally();
    assert_eq!((tally.used, tally.rejected), (2, 2), "{tally:?}");
    assert!(tally.rejections[0].reason.contains("has 2 fields where the header has 21"));
    assert_eq!(tally.rejections[1].column, "SubAccountId");
    assert!(tally.rejections[1].reason.contains("is not UTF-8 (Latin-1?)"));
}

#[test]
fn an_absent_file_is_said_and_only_nothing_at_all_is_an_error() {
    let folder = Folder::new().file("a.csv", csv(&[Row::new()]));
    let tally = books(&[folder.path("a.csv"), folder.path("b.csv")]).tally().clone();
    assert_eq!((tally.files, tally.used, tally.unreadable.len()), (2, 1, 1));
    let scratch = folder.0.path();
    let nothing = try_books(&[folder.path("b.csv")], scratch).unwrap_err().to_string();
    assert!(nothing.contains("b.csv cannot be read") && nothing.contains("check the path"), "{nothing}");
    let empty = Folder::new();
    let nothing = try_books(&[empty.0.path().display().to_string()], scratch).unwrap_err().to_string();
    assert!(nothing.contains("no .parquet, .csv or .csv.gz file"), "{nothing}");
    let unusable = try_books(&[folder.path("a.csv")], &scratch.join("none")).unwrap_err();
    assert!(matches!(unusable, ReadError::Scratch { .. }), "{unusable}");
}

#[test]
fn nothing_of_a_dropped_column_is_written() {
    let row = Row::new().with("Tags", r#"{"owner": "secret-of-a-tag"}"#).with("ResourceId", "secret-of-a-resource");
    let folder = Folder::new().file("a.csv", csv(std::slice::from_ref(&row))).file("b.parquet", parquet(&[row]));
    let scratch = tempfile::tempdir().unwrap();
    let books = try_books(&[folder.0.path().display().to_string()], scratch.path()).unwrap();
    assert_eq!(books.tally().used, 1);
    let mut seen = 0;
    for entry in fs::read_dir(fs::read_dir(scratch.path()).unwrap().next().unwrap().unwrap().path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(9).any(|window| window == b"secret-of"));
        seen += bytes.len();
    }
    assert!(seen > 0);
    drop(books);
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
}

/// The real export lies beside the checkout; where it does not, there is nothing to read.
#[test]
fn every_row_of_a_real_export_is_accounted_for() {
    let sample = Path::new("../../../shared/data/focus/focus_sample.csv");
    if !sample.exists() {
        println!("skipped: {} is not there", sample.display());
        return;
    }
    let tally = books(&[sample.display().to_string()]).tally().clone();
    assert_eq!((tally.files, tally.rows, tally.duplicates), (1, 1_000, 0), "{tally:?}");
    assert_eq!(tally.passed_over, 3);
    assert!(tally.unreadable.is_empty());
    assert_eq!(tally.versions.keys().copied().collect::<Vec<_>>(), ["1.0"]);
    // Some rows of Microsoft are negative without being called corrections.
    assert!(tally.rejected <= 12 && tally.rejections.iter().all(|row| row.reason.contains("negative")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_damaged_parquet_gives_what_can_be_read_and_never_panics(places in proptest::collection::vec((0.0..1.0, 0..256u16), 1..20)) {
        let rows: Vec<Row> = (0..30).map(|number| Row::new().with("ResourceId", &format!("r{number}"))).collect();
        let mut damaged = parquet(&rows);
        for (place, byte) in places {
            let place = 4 + (place * (damaged.len() - 4) as f64) as usize;
            damaged[place] = byte as u8;
        }
        let tally = Folder::new().file("a.csv", csv(&[Row::new()])).file("a.parquet", damaged).tally();
        prop_assert!(tally.used >= 1 && tally.used <= 31);
    }

    #[test]
    fn neither_order_nor_split_nor_repetition_nor_format_matters(
        plain in proptest::collection::vec((0..3u8, 0..3u8, 0..30u8, 0..4u16, 0..6u8, 0..5u8), 1..60),
    ) {
        let row = |(account, meter, hour, quantity, fault, _): &(u8, u8, u8, u16, u8, u8)| {
            let (sku, unit) = [("storage.write", "Requests"), ("storage.read", "Requests"), ("storage.ingress", "GB")][*meter as usize];
            let row = Row::new()
                .with("SubAccountId", &format!("account-{account}"))
                .with("SkuId", sku)
                .with("ConsumedUnit", if *fault == 1 { "Furlongs" } else { unit })
                .with("ChargeCategory", if *fault == 2 { "Tax" } else { "Usage" })
                .with("ConsumedQuantity", &format!("{quantity}.500000"))
                .with("ChargePeriodStart", &format!("2026-03-{:02}T{:02}:00:00Z", 1 + hour / 24, hour % 24))
                .with("ChargePeriodEnd", &format!("2026-03-{:02}T{:02}:00:00Z", 1 + (hour + 1) / 24, (hour + 1) % 24));
            if *fault == 3 { row.with("ChargePeriodEnd", "2026-02-01T00:00:00Z") } else { row }
        };
        let rows: Vec<Row> = plain.iter().map(row).collect();
        let once = Folder::new().file("a.csv", csv(&rows)).books();
        // Split as the last number says, in reverse, each part in another format, and the first part twice.
        let parts: Vec<Vec<Row>> = (0..5)
            .map(|part| rows.iter().zip(&plain).rev().filter(|(_, plain)| plain.5 == part).map(|(row, _)| row.clone()).collect())
            .collect();
        let split = Folder::new()
            .file("9.csv", csv(&parts[0]))
            .file("1.csv", csv(&parts[0]))
            .file("8.csv.gz", gzip(csv(&parts[1]).as_bytes()))
            .file("2.parquet", parquet(&parts[2]))
            .file("7.parquet", parquet(&parts[3]))
            .file("3.csv", csv(&parts[4]))
            .books();
        prop_assert_eq!(all_usage(&once), all_usage(&split));
        prop_assert_eq!(once.names(), split.names());
        prop_assert_eq!(once.tally().used, split.tally().used);
        prop_assert_eq!(split.tally().rows, once.tally().rows + parts[0].len() as u64);
        if once.known().is_some() {
            prop_assert_eq!(digest(&once), digest(&split));
        }
    }

    /// Files that come, are altered and are replaced, and what was fed after each step: as if read from nothing.
    #[test]
    fn feeding_by_and_by_equals_reading_what_is_there_now(
        steps in proptest::collection::vec(
            (0..4u8, 1..4u8, proptest::collection::vec((0..3u8, 0..60u8, 0..6u8), 0..6)), 1..7,
        ),
    ) {
        let (folder, state) = (Folder::new(), tempfile::tempdir().unwrap());
        let row = |(account, hour, fault): &(u8, u8, u8)| Row::new()
            .with("SubAccountId", &format!("account-{account}"))
            .with("ConsumedUnit", if *fault == 1 { "Furlongs" } else { "Requests" })
            .with("ConsumedQuantity", if *fault == 2 { "many" } else { "3" })
            .with("ChargeCategory", if *fault == 3 { "Tax" } else { "Usage" })
            .with("ChargePeriodStart", &format!("2026-03-{:02}T{:02}:00:00Z", 1 + hour / 24, hour % 24))
            .with("ChargePeriodEnd", &format!("2026-03-{:02}T{:02}:00:00Z", 1 + (hour + 1) / 24, (hour + 1) % 24));
        for (place, (file, version, rows)) in steps.iter().enumerate() {
            let path = folder.path(&format!("{file}.v{version}.csv"));
            fs::write(&path, csv(&rows.iter().map(row).collect::<Vec<_>>())).unwrap();
            // Two writes may fall into one tick of the file system's clock.
            let written = std::time::UNIX_EPOCH + std::time::Duration::from_secs(place as u64);
            fs::File::options().write(true).open(&path).unwrap().set_modified(written).unwrap();
            let fed = fed(state.path(), &[folder.path("")], &Catalogue::built_in().unwrap()).unwrap();
            let books = folder.books();
            let rollups = Rollups::local(state.path()).unwrap();
            let counts = |tally: &Tally| {
                [tally.files, tally.rows, tally.used, tally.passed_over, tally.unmapped, tally.duplicates, tally.rejected]
            };
            prop_assert_eq!(counts(&fed.tally), counts(books.tally()));
            prop_assert_eq!(rollups.known(), books.known());
            prop_assert_eq!(rollups.days(), books.days());
            if books.known().is_some() {
                prop_assert_eq!(digest(&rollups), digest(&books));
            }
        }
    }
}

fn fed(state: &Path, inputs: &[String], catalogue: &Catalogue) -> Result<Fed, FeedError> {
    let scratch = std::path::absolute(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let options = ReadOptions { scratch: &scratch, threads: 2, fingerprints: true, progress: &|_| {} };
    feed(&mut Rollups::local(state).unwrap(), inputs, catalogue, &options)
}

fn on(day: u8, account: &str) -> Row {
    Row::new()
        .with("SubAccountId", account)
        .with("ChargePeriodStart", &format!("2026-03-{day:02}T05:00:00Z"))
        .with("ChargePeriodEnd", &format!("2026-03-{day:02}T06:00:00Z"))
}

#[test]
fn what_was_fed_is_not_read_again_and_what_is_gone_stays_counted() {
    let (state, built_in) = (tempfile::tempdir().unwrap(), Catalogue::built_in().unwrap());
    let folder = Folder::new().file("1.csv", csv(&[on(1, "a")])).file("2.csv", csv(&[on(2, "a")]));
    let feed_again = || {
        let fed = fed(state.path(), &[folder.path("")], &built_in).unwrap();
        (fed.read, fed.known, fed.tally.used, Rollups::local(state.path()).unwrap().version())
    };
    assert_eq!(feed_again(), (2, 0, 2, 1));
    assert_eq!(feed_again(), (0, 2, 2, 1), "nothing new makes no version");
    fs::remove_file(folder.path("1.csv")).unwrap();
    fs::write(folder.path("3.csv"), csv(&[on(2, "b"), on(2, "a")])).unwrap();
    assert_eq!(feed_again(), (1, 1, 3, 2), "one record of two is a duplicate of an earlier file's");
    let nothing = fed(state.path(), &[], &built_in).unwrap();
    assert_eq!((nothing.read, nothing.tally.used, nothing.tally.duplicates), (0, 3, 1));
    assert!(matches!(fed(&state.path().join("other"), &[], &built_in), Err(FeedError::Read(ReadError::Nothing(_)))));
}

#[test]
fn what_cannot_be_taken_back_is_refused_by_name_and_changes_nothing() {
    let (state, built_in) = (tempfile::tempdir().unwrap(), Catalogue::built_in().unwrap());
    let folder = Folder::new()
        .file("1.csv", csv(&[on(1, "a")]))
        .file("2.csv", csv(&[on(1, "b"), on(2, "b")]))
        .file("3.csv", csv(&[on(3, "c")]));
    fed(state.path(), &[folder.path("")], &built_in).unwrap();
    let before = Rollups::local(state.path()).unwrap().digest().to_owned();
    // Only 2.csv speaks of a day of 1.csv.
    fs::write(folder.path("1.v2.csv"), csv(&[on(1, "z")])).unwrap();
    let meters = Folder::new().file("more.toml", "provider = [\"Elsewhere\"]\n");
    let others = Catalogue::built_in().unwrap().with_dir(meters.0.path()).unwrap();
    for (gone, catalogue, says) in [("2.csv", &built_in, "1.csv was altered or replaced"), ("3.csv", &others, "meter")]
    {
        let kept = fs::read(folder.path(gone)).unwrap();
        fs::remove_file(folder.path(gone)).unwrap();
        let error = fed(state.path(), &[folder.path("1.v2.csv")], catalogue).unwrap_err().to_string();
        assert!(error.contains(says) && error.contains(gone) && error.contains("Restore it"), "{error}");
        assert_eq!(Rollups::local(state.path()).unwrap().digest(), before);
        fs::write(folder.path(gone), kept).unwrap();
    }
    // 2.csv is back, but written anew: it is read again as well, and 3.csv with it no more than with other meters.
    let again = fed(state.path(), &[folder.path("1.v2.csv")], &built_in).unwrap();
    assert_eq!((again.read, again.tally.used, again.tally.files), (2, 4, 3));
    assert_eq!(fed(state.path(), &[], &others).unwrap().read, 3);
    fs::remove_file(folder.path("1.csv")).unwrap();
    let now = Rollups::local(state.path()).unwrap();
    assert_eq!(digest(&now), digest(&folder.books()));
}
