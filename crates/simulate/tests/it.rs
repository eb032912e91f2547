//! Whole simulated folders, read back as a reader would.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed, as it should")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Decimal128Type, TimestampMicrosecondType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use simulate::{Date, Faults, Options, Scenario, SimulateError, simulate};

fn options(accounts: u32, days: u32) -> Options {
    Options { accounts, days, seed: 7, ..Options::default() }
}

fn folder(options: &Options) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    simulate(folder.path(), options, &|_, _| {}).unwrap();
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn bytes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    names(folder).into_iter().map(|name| (name.clone(), std::fs::read(folder.join(&name)).unwrap())).collect()
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    account: String,
    customer: String,
    sku: String,
    unit: String,
    region: String,
    start_hour: i64,
    end_hour: i64,
    month_hour: i64,
    category: String,
    class: String,
    micros: Option<i128>,
}

fn rows_of(path: &Path) -> Vec<Row> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    reader.flat_map(|batch| rows_in(&batch.unwrap())).collect()
}

fn rows_in(batch: &RecordBatch) -> Vec<Row> {
    let text = |name: &str, at: usize| {
        let column = batch.column_by_name(name).unwrap().as_string::<i32>();
        if column.is_null(at) { String::new() } else { column.value(at).to_owned() }
    };
    let hour = |name: &str, at: usize| {
        batch.column_by_name(name).unwrap().as_primitive::<TimestampMicrosecondType>().value(at) / 3_600_000_000
    };
    let quantity = batch.column_by_name("ConsumedQuantity").unwrap().as_primitive::<Decimal128Type>();
    (0..batch.num_rows())
        .map(|at| Row {
            account: text("SubAccountId", at),
            customer: text("BillingAccountId", at),
            sku: text("SkuMeter", at),
            unit: text("ConsumedUnit", at),
            region: text("RegionId", at),
            start_hour: hour("ChargePeriodStart", at),
            end_hour: hour("ChargePeriodEnd", at),
            month_hour: hour("BillingPeriodStart", at),
            category: text("ChargeCategory", at),
            class: text("ChargeClass", at),
            micros: quantity.is_valid(at).then(|| quantity.value(at)),
        })
        .collect()
}

fn all_rows(folder: &Path) -> Vec<(String, Row)> {
    let files = names(folder).into_iter().filter(|name| name.ends_with(".parquet"));
    files.flat_map(|name| rows_of(&folder.join(&name)).into_iter().map(move |row| (name.clone(), row))).collect()
}

fn csv_rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

#[test]
fn the_same_options_write_the_same_bytes_and_another_seed_others() {
    let one = bytes(folder(&options(60, 3)).path());
    assert_eq!(one, bytes(folder(&options(60, 3)).path()));
    let other = bytes(folder(&Options { seed: 8, ..options(60, 3) }).path());
    assert_ne!(one["truth.csv"], other["truth.csv"]);
    assert_ne!(one["usage-2026-01-01.parquet"], other["usage-2026-01-01.parquet"]);
}

#[test]
fn every_row_is_as_the_contract_says() {
    let folder = folder(&options(80, 3));
    let first = i64::from(options(80, 3).start.days()) * 24;
    let (mut late, mut known_files) = (0, 0);
    for name in names(folder.path()).iter().filter(|name| name.ends_with(".parquet")) {
        let rows = rows_of(&folder.path().join(name));
        let known = name.split_once("known=").map(|(_, rest)| {
            let date: Date = rest[..10].parse().unwrap();
            assert_eq!(&rest[13..], "Z.parquet");
            i64::from(date.days()) * 24 + rest[11..13].parse::<i64>().unwrap()
        });
        known_files += usize::from(known.is_some());
        late += if known.is_some() { rows.len() } else { 0 };
        assert!(rows.windows(2).all(|pair| pair[0].account <= pair[1].account), "{name} is sorted by account");
        for row in rows {
            assert_eq!(row.end_hour - row.start_hour, 1);
            assert!((first..first + 72).contains(&row.start_hour));
            assert!(known.is_none_or(|known| row.end_hour < known && known <= first + 72), "{name}: {row:?}");
            assert_eq!(row.month_hour, first, "January 2026");
            match row.category.as_str() {
                "Usage" => {
                    assert!(!row.sku.is_empty() && !row.unit.is_empty() && !row.region.is_empty());
                    let whole =
                        ["Requests", "Characters", "Tokens", "Images", "Documents"].contains(&row.unit.as_str());
                    let micros = row.micros.unwrap();
                    assert!(!whole || micros % 1_000_000 == 0, "{row:?}");
                    assert_eq!(micros < 0, row.class == "Correction", "{row:?}");
                }
                other => {
                    assert!(["Credit", "Tax"].contains(&other), "{other}");
                    assert!(row.micros.is_none() && row.sku.is_empty());
                }
            }
        }
    }
    assert!(late > 500 && known_files > 10, "{late} rows in {known_files} late files");
}

#[test]
fn faults_come_at_their_rates_and_settle_to_the_same_provider() {
    let scenario = Scenario { faults: Faults::NONE, ..Scenario::default() };
    let clean = all_rows(folder(&Options { scenario: Some(scenario.clone()), ..options(60, 4) }).path());
    assert!(clean.iter().all(|(name, row)| !name.contains("known") && row.class.is_empty()));
    let mut faults = Faults { restated: 0.05, duplicated: 0.02, late: 0.1, ..Faults::NONE };
    let dirty = |faults: &Faults| {
        let scenario = Scenario { faults: faults.clone(), ..scenario.clone() };
        all_rows(folder(&Options { scenario: Some(scenario), ..options(60, 4) }).path())
    };
    let usage = clean.iter().filter(|(_, row)| row.category == "Usage").count() as f64;
    let settled = |rows: &[(String, Row)], until: i64| {
        let unique: BTreeSet<Row> = rows.iter().map(|(_, row)| row.clone()).collect();
        let mut sums: BTreeMap<(String, String, i64), i128> = BTreeMap::new();
        let mut corrected = BTreeSet::new();
        for row in unique.into_iter().filter(|row| row.start_hour < until) {
            let key = (row.account, row.sku, row.start_hour);
            if row.class == "Correction" {
                corrected.insert(key.clone());
            }
            *sums.entry(key).or_default() += row.micros.unwrap_or_default();
        }
        (sums, corrected)
    };
    let first = i64::from(options(60, 4).start.days()) * 24;
    let faulty = dirty(&faults);
    let (truth, _) = settled(&clean, first + 24);
    let (sums, corrected) = settled(&faulty, first + 24);
    assert!(corrected.len() > 20);
    assert!(corrected.iter().all(|key| sums[key] == truth[key]), "a corrected row is right in the end");
    let known_late = faulty.iter().filter(|(name, row)| name.contains("known") && row.class.is_empty()).count() as f64;
    assert!((0.07..0.13).contains(&(known_late / usage)), "{}", known_late / usage);
    faults = Faults { missing: 0.05, ..Faults::NONE };
    let seen = dirty(&faults).iter().filter(|(_, row)| row.category == "Usage").count() as f64;
    assert!((1.0 - seen / usage - 0.05).abs() < 0.005, "{}", 1.0 - seen / usage);
}

#[test]
fn daily_rows_are_the_same_provider() {
    let scenario = Some(Scenario { faults: Faults::NONE, ..Scenario::default() });
    let hourly = folder(&Options { scenario: scenario.clone(), ..options(50, 2) });
    let daily = folder(&Options { scenario, daily: true, ..options(50, 2) });
    let sums = |folder: &Path, hours: i64| {
        let mut sums: BTreeMap<(String, String, i64), i128> = BTreeMap::new();
        for (_, row) in all_rows(folder) {
            assert_eq!(row.end_hour - row.start_hour, hours);
            *sums.entry((row.account, row.sku, row.start_hour / 24)).or_default() += row.micros.unwrap_or_default();
        }
        sums
    };
    assert_eq!(sums(hourly.path(), 1), sums(daily.path(), 24));
    assert_eq!(bytes(hourly.path())["truth.csv"], bytes(daily.path())["truth.csv"]);
    assert_eq!(bytes(hourly.path())["facts.csv"], bytes(daily.path())["facts.csv"]);
}

#[test]
fn truth_facts_and_usage_speak_of_the_same_accounts() {
    let folder = tempfile::tempdir().unwrap();
    let daily = Options { daily: true, ..options(1_500, 14) };
    let summary = simulate(folder.path(), &daily, &|_, _| {}).unwrap();
    let truth = csv_rows(&folder.path().join("truth.csv"));
    let facts = csv_rows(&folder.path().join("facts.csv"));
    assert_eq!((summary.accounts, truth.len()), (1_500, 1_500));
    let ids: BTreeSet<&str> = truth.iter().map(|row| row["account"].as_str()).collect();
    assert_eq!(ids.len(), 1_500);
    let known: BTreeSet<&str> = facts.iter().map(|row| row["account"].as_str()).collect();
    assert!(known.is_subset(&ids) && (1_440..1_500).contains(&known.len()), "{} known", known.len());
    let periods: BTreeSet<_> = facts.iter().map(|row| (&row["account"], &row["valid_from"])).collect();
    assert_eq!(periods.len(), facts.len(), "no two rows of an account begin on the same day");
    assert!(facts.len() > known.len() + 10, "some have two periods");

    let mut customers = BTreeMap::new();
    let mut writes: BTreeMap<String, f64> = BTreeMap::new();
    for (_, row) in all_rows(folder.path()) {
        assert!(ids.contains(row.account.as_str()));
        if row.sku == "storage.write" {
            *writes.entry(row.account.clone()).or_default() += row.micros.unwrap() as f64 / 1e6;
        }
        customers.insert(row.account, row.customer);
    }
    for row in &facts {
        assert!(customers.get(&row["account"]).is_none_or(|customer| *customer == row["customer"]));
    }
    check_population(&truth, &customers);
    let mut workloads: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for row in truth.iter().filter(|row| row["forbidden"] == "true" && row["evasions"].is_empty()) {
        let entry = workloads.entry(&row["workload"]).or_insert((0.0, row["calls_per_hour"].parse().unwrap()));
        let started = i64::from(row["started_at"][..10].parse::<Date>().unwrap().days());
        let days = 14 - (started - i64::from(daily.start.days())).max(0);
        entry.0 += writes.get(&row["account"]).copied().unwrap_or(0.0) / (24 * days) as f64;
    }
    assert!(workloads.len() >= 10);
    for (workload, (written, calls)) in workloads {
        assert!((0.7..3.5).contains(&(written / calls)), "{workload}: {written} written an hour, {calls} calls");
    }
}

fn check_population(truth: &[BTreeMap<String, String>], customers: &BTreeMap<String, String>) {
    let mut kinds: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in truth.iter().filter(|row| customers.contains_key(&row["account"])) {
        kinds.entry(customers[&row["account"]].as_str()).or_default().insert(&row["kind"]);
    }
    let lawful: Vec<_> = kinds.values().filter(|kinds| !kinds.contains("mass_surveillance")).collect();
    let web = lawful.iter().filter(|kinds| kinds.len() == 1 && kinds.contains("web")).count();
    assert!(web as f64 >= 0.85 * lawful.len() as f64 - 1.0, "{web} of {}", lawful.len());
    let seen: BTreeSet<&str> = truth.iter().map(|row| row["kind"].as_str()).collect();
    assert_eq!(seen.len(), simulate::Kind::ALL.len(), "every kind is there: {seen:?}");
    let ordinary = |kinds: &&BTreeSet<&str>| kinds.contains("mass_surveillance") && kinds.contains("web");
    assert!(kinds.values().filter(ordinary).count() > 3, "forbidden workloads have ordinary neighbours");
    for scale in ["1000000", "250000", "50000", "5000"] {
        let there = |row: &&BTreeMap<String, String>| row["calls_per_hour"] == scale && row["evasions"].is_empty();
        assert!(truth.iter().any(|row| there(&row) && row["forbidden"] == "true"), "{scale}");
    }
    for evasion in simulate::Evasion::ALL {
        let hides = |row: &BTreeMap<String, String>| row["evasions"].split(';').any(|word| word == evasion.word());
        assert!(truth.iter().any(hides), "{}", evasion.word());
    }
}

#[test]
fn an_ordered_workload_is_there_as_ordered() {
    let scenario = Scenario::parse(
        "[population]\nforbidden = 0\n[[workload]]\nkind = \"mass_surveillance\"\ncalls_per_hour = 120000\n\
         accounts = 5\nstart_day = 1\nevasions = [\"split\", \"padding\"]\ndeclared_use = \"backup\"\n\
         [[workload]]\nkind = \"contact_centre\"\ncalls_per_hour = 5000\nverified = true\n",
    )
    .unwrap();
    let folder = folder(&Options { scenario: Some(scenario), ..options(40, 3) });
    let truth = csv_rows(&folder.path().join("truth.csv"));
    assert_eq!(truth.len(), 40);
    let forbidden: Vec<_> = truth.iter().filter(|row| row["forbidden"] == "true").collect();
    assert_eq!(forbidden.len(), 5);
    for row in &forbidden {
        assert_eq!((row["calls_per_hour"].as_str(), row["evasions"].as_str()), ("120000", "split;padding"));
        assert_eq!(row["started_at"], "2026-01-02T00:00:00Z");
    }
    let centre = truth.iter().find(|row| row["calls_per_hour"] == "5000").unwrap();
    let facts = csv_rows(&folder.path().join("facts.csv"));
    let verified = facts.iter().find(|row| row["account"] == centre["account"]);
    assert!(verified.is_none_or(|row| row["verified_use"] == "contact_centre" && !row["verified_by_2"].is_empty()));
    let declared = |row: &&BTreeMap<String, String>| forbidden.iter().any(|truth| truth["account"] == row["account"]);
    assert!(facts.iter().filter(declared).all(|row| ["backup", ""].contains(&row["declared_use"].as_str())));
}

#[test]
fn what_makes_no_sense_is_refused_with_a_sentence() {
    let out = tempfile::tempdir().unwrap();
    let error = |options: &Options| simulate(out.path(), options, &|_, _| {}).unwrap_err().to_string();
    assert!(error(&options(0, 3)).contains("accounts is 0; give"));
    assert!(error(&options(3, 0)).contains("days is 0; give"));
    let late = Options { start: Date::new(2100, 12, 31).unwrap(), ..options(3, 3) };
    assert!(error(&late).contains("start is 2100-12-31"));
    let many = Scenario::parse("[[workload]]\nkind = \"web\"\naccounts = 50\n").unwrap();
    assert!(error(&Options { scenario: Some(many), ..options(20, 2) }).contains("adds up to 50, more than the 20"));
    assert!(names(out.path()).is_empty(), "nothing is written when nothing is right");
    simulate(out.path(), &options(5, 1), &|_, _| {}).unwrap();
    assert!(matches!(simulate(out.path(), &options(5, 1), &|_, _| {}), Err(SimulateError::NotEmpty(_))));
}

#[test]
fn a_provider_of_one_account_and_one_day_is_a_provider() {
    let seen = std::cell::Cell::new((0, 0));
    let out = tempfile::tempdir().unwrap();
    let summary = simulate(out.path(), &options(1, 1), &|done, of| seen.set((done, of))).unwrap();
    assert_eq!((summary.accounts, seen.get()), (1, (1, 1)));
    assert_eq!(csv_rows(&out.path().join("truth.csv")).len(), 1);
}
