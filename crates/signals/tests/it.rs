//! The watch over real files: what it finds depends on what was known, and on nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on may fail where it stands"
)]

use proptest::prelude::*;
use signals::docket::Docket;
use signals::drive::{drive, replay_hours, scan_hours};
use signals::pack::Policy;
use signals::watch::Watch;
use std::collections::BTreeMap;
use std::path::Path;
use usage::facts::Facts;
use usage::{Books, ByDay, Catalogue, Day, Hour, ReadOptions};

const FIRST: Day = Day(20_454);
const HEADER: &str = "BillingAccountId,SubAccountId,ServiceCategory,ServiceName,RegionId,SkuId,SkuMeter,ConsumedQuantity,\
                      ConsumedUnit,ChargeCategory,ChargeClass,ChargeFrequency,ChargePeriodStart,ChargePeriodEnd,\
                      BillingPeriodStart,ProviderName\n";

/// A few accounts' calls: objects, bytes and seconds, hour by hour, with a rhythm and a wobble of their own.
fn rows(days: i32) -> Vec<(Hour, String)> {
    let mut rows = Vec::new();
    for hour in (0..days * 24).map(|hour| FIRST.start().plus(hour)) {
        for account in 0..6_i32 {
            let load = (20 + 10 * account) * (1 + (hour.of_day() - 3 * account).rem_euclid(24))
                + (hour.0 % 97 * 61 + account) % 97;
            for (category, service, sku, unit, factor) in [
                ("Storage", "Object Storage", "storage.write", "Requests", 1.0),
                ("Storage", "Object Storage", "storage.ingress", "GB", 0.0019),
                ("AI and Machine Learning", "Speech", "speech.transcription", "Seconds", 60.0),
            ] {
                let quantity = f64::from(load * 50) * factor;
                rows.push((hour, format!(
                    "customer-{},account-{account},{category},{service},region-{},{sku},{sku},{quantity:.4},{unit},Usage,,\
                     Usage-Based,{hour},{},2026-01-01T00:00:00Z,Example Cloud\n",
                    account / 2, account % 2, hour.plus(1)
                )));
            }
        }
    }
    rows
}

fn books(folder: &Path) -> Books {
    let catalogue = Catalogue::built_in().unwrap();
    let options = ReadOptions { scratch: folder, threads: 2, fingerprints: true, progress: &|_| () };
    usage::read(&[folder.display().to_string()], &catalogue, &options).unwrap()
}

/// Every entity's score as of the last of the hours, by the names of its accounts.
fn scores(books: &Books, hours: &[Hour], threads: usize) -> BTreeMap<Vec<String>, String> {
    let mut watch = Watch::new(Policy::built_in().unwrap(), Facts::empty(), threads).unwrap();
    let mut out = BTreeMap::new();
    drive(books, &mut watch, hours, |watch, hour, evaluations| {
        if Some(&hour) != hours.last() {
            return;
        }
        for evaluation in evaluations {
            for (place, (entity, score)) in watch.entities.iter().zip(&evaluation.scores).enumerate() {
                let mut names: Vec<String> =
                    entity.accounts.iter().map(|a| watch.history.account_keys[*a as usize].account.clone()).collect();
                names.sort();
                let readings: Vec<_> = evaluation.readings.iter().map(|signal| signal[place]).collect();
                out.insert(names, format!("{score:?} {readings:?}"));
            }
        }
    })
    .unwrap();
    out
}

#[test]
fn a_replayed_tick_equals_a_scan_from_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let rows = rows(11);
    // One row in nine comes late, in files that say when they became known.
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for (place, (hour, row)) in rows.iter().enumerate() {
        let name = if place % 9 == 4 {
            let known = hour.plus(1 + place as i32 % 70);
            format!("late-known={}T{:02}Z.csv", known.day(), known.of_day())
        } else {
            "usage.csv".to_owned()
        };
        *files.entry(name).or_insert_with(|| HEADER.to_owned()) += row;
    }
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let books = books(folder.path());
    for at in [5 * 24, 8 * 24 + 7, 10 * 24 + 23] {
        let at = FIRST.start().plus(at);
        let replayed = scores(&books, &replay_hours(FIRST.start(), at, 1), 2);
        let scanned = scores(&books, &scan_hours(at), 1);
        assert!(replayed.len() >= 6);
        assert_eq!(replayed, scanned, "{at}");
    }
}

#[test]
fn one_workload_is_one_case_and_a_cleared_one_stays_quiet() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = HEADER.to_owned();
    for (hour, row) in rows(9) {
        let _ = hour;
        text += &row;
    }
    std::fs::write(folder.path().join("usage.csv"), text).unwrap();
    let books = books(folder.path());
    let mut policy = Policy::built_in().unwrap().remove(0);
    policy.floor = review::Decibans::from_tenths(-900);
    policy.floor_raise = review::Decibans::ZERO;
    policy.families_needed.count = 1;
    let run = |mut docket: Docket| {
        let mut watch = Watch::new(vec![policy.clone()], Facts::empty(), 1).unwrap();
        let hours = replay_hours(FIRST.start(), books.known().unwrap().1, 6);
        drive(&books, &mut watch, &hours, |watch, _, evaluations| {
            for evaluation in evaluations {
                let ranking = docket.rank(watch, &evaluation);
                docket.open(watch, &evaluation, &ranking);
            }
        })
        .unwrap();
        docket.cases
    };
    let cases = run(Docket::default());
    let mut held: Vec<u32> = cases.iter().flat_map(|case| case.accounts.iter().copied()).collect();
    let all = held.len();
    held.sort_unstable();
    held.dedup();
    assert!(!cases.is_empty() && held.len() == all, "an account is in two cases");
    let clearances = (0..6).map(|account| signals::docket::Clearance {
        account: format!("account-{account}"),
        at: FIRST.start(),
        score: review::Decibans::ZERO,
    });
    assert!(run(Docket::new(clearances.collect())).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    /// Invariants 13 and 14: however rows are spread over files, repeated and ordered, every score is the same.
    #[test]
    fn files_in_any_order_split_and_repetition_give_the_same_scores(seed in 0_u64..1_000_000, parts in 1_usize..5) {
        let rows = rows(4);
        let at = FIRST.start().plus(4 * 24);
        let write = |mixed: bool| {
            let folder = tempfile::tempdir().unwrap();
            let mut files = vec![HEADER.to_owned(); if mixed { parts } else { 1 }];
            let mut random = seed | 1;
            let mut order: Vec<usize> = (0..rows.len()).collect();
            if mixed {
                for place in (1..order.len()).rev() {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    order.swap(place, (random >> 33) as usize % (place + 1));
                }
            }
            for place in order {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let count = files.len();
                files[(random >> 33) as usize % count] += &rows[place].1;
                if mixed && random >> 60 == 0 {
                    files[0] += &rows[place].1;
                }
            }
            for (number, text) in files.iter().enumerate() {
                std::fs::write(folder.path().join(format!("part-{number}.csv")), text).unwrap();
            }
            folder
        };
        let (plain, mixed) = (write(false), write(true));
        let (plain, mixed) = (books(plain.path()), books(mixed.path()));
        prop_assert_eq!(scores(&plain, &scan_hours(at), 1), scores(&mixed, &scan_hours(at), 2));
        prop_assert_eq!(
            usage::records_digest(&plain, at).unwrap(),
            usage::records_digest(&mixed, at).unwrap()
        );
    }
}

/// The built-in pack, in a folder.
fn pack_in(folder: &Path) {
    let built_in = Path::new("../../policies/mass-surveillance");
    std::fs::create_dir(folder.join("signals")).unwrap();
    for part in ["", "signals"] {
        for entry in std::fs::read_dir(built_in.join(part)).unwrap().map(|entry| entry.unwrap()) {
            if entry.path().is_file() {
                std::fs::copy(entry.path(), folder.join(part).join(entry.file_name())).unwrap();
            }
        }
    }
}

proptest! {
    // Each plans the queries of all signals.
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Whatever stands in a pack, it is read or refused with what is wrong.
    #[test]
    fn a_spoilt_pack_is_read_or_refused(
        from in any::<prop::sample::Index>(), length in 0..200_usize, put in "\\PC{0,40}|[\\[\\]={}\",.0-9\n-]{0,12}|(?s).{0,20}",
    ) {
        let folder = tempfile::tempdir().unwrap();
        pack_in(folder.path());
        let path = folder.path().join("policy.toml");
        let text: Vec<char> = std::fs::read_to_string(&path).unwrap().chars().collect();
        let from = from.index(text.len());
        let spoilt = text[..from].iter().copied().chain(put.chars()).chain(text.iter().copied().skip(from + length));
        std::fs::write(&path, spoilt.collect::<String>()).unwrap();
        if let Err(error) = Policy::read(folder.path()) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
