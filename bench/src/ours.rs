//! Our side: each question answered through the public interfaces of `usage` and `signals`, timed, in a process of its
//! own. It says what it found in the same words as `duck.py`, and compares nothing.

use crate::Failure;
use crate::month::{Month, TICKS};
use serde_json::{Map, Value, json};
use signals::docket::Docket;
use signals::drive::{drive, scan_hours};
use signals::entity::Kind;
use signals::pack::Policy;
use signals::series::{History, Readings};
use signals::watch::Watch;
use signals::workload::{self, Standing};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use usage::facts::Facts;
use usage::feed::unseen;
use usage::rollup::Rollups;
use usage::{Books, ByDay, Catalogue, Hour, Measure, ReadOptions, Usage};

/// How many accounts a ranking lists.
const TOP: usize = 100;
/// How often a warm question is asked.
const ASKED: usize = 101;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Question {
    /// Raw records to ranking with the built-in policy, as `tribune scan` does.
    RankWhole,
    /// Raw records to ranking with three signals over the figure that is asked for.
    RankAlike,
    /// The month's rollup tables, which the next two start from.
    Rollups,
    /// Hourly ticks on a month of state, and one account explained from that state.
    Tick,
    /// One account explained from the rollup tables, with no state.
    ExplainCold,
}

/// Answers one question, and prints the answer with its measurements as one line of JSON.
pub(crate) fn answer(month: &Month, question: Question, threads: usize, account: Option<&str>) -> Result<(), Failure> {
    let asked = || account.ok_or("--account names the account to explain");
    let out = match question {
        Question::RankWhole => rank(month, Policy::built_in()?, true, threads)?,
        Question::RankAlike => rank(month, vec![alike()?], false, threads)?,
        Question::Rollups => rollups(month, threads)?,
        Question::Tick => ticks(month, asked()?, threads)?,
        Question::ExplainCold => explain_cold(month, asked()?)?,
    };
    println!("{out}");
    Ok(())
}

fn alike() -> Result<Policy, Failure> {
    Ok(Policy::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/policy/calls")))?)
}

/// Names the parts of a measurement as they pass.
struct Stopwatch {
    started: Instant,
    lap: Duration,
    parts: BTreeMap<&'static str, f64>,
}

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "measuring time is what this is for; no answer depends on it")]
    fn start() -> Self {
        Self { started: Instant::now(), lap: Duration::ZERO, parts: BTreeMap::new() }
    }

    /// What was done since the last call belongs to this part.
    fn lap(&mut self, part: &'static str) {
        let now = self.started.elapsed();
        *self.parts.entry(part).or_default() += (now - self.lap).as_secs_f64();
        self.lap = now;
    }

    fn seconds(&self) -> f64 {
        self.lap.as_secs_f64()
    }
}

/// The highest resident memory of this process, in bytes.
fn peak() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc/self/status")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().map_err(|_| "VmHWM is no number")?;
    Ok(kib * 1024)
}

/// Processor time of this process so far, in seconds: what is left of a measurement when the machine is busy.
fn processor() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // Behind the name, which may hold anything: the state, ten numbers, then user and system time in hundredths.
    let behind = stat.rsplit_once(')').ok_or("no name in /proc/self/stat")?.1;
    let times = behind.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    Ok(times.sum::<f64>() / 100.0)
}

/// From here on, [`peak`] counts anew.
fn forget_peak() -> Result<(), Failure> {
    Ok(std::fs::write("/proc/self/clear_refs", "5")?)
}

fn read(inputs: &[String], catalogue: &Catalogue, options: &ReadOptions<'_>) -> Result<Books, Failure> {
    let books = usage::read(inputs, catalogue, options)?;
    if !books.tally().is_clean() || books.tally().unmapped > 0 {
        return Err("the generated month did not read cleanly; delete it and run again".into());
    }
    Ok(books)
}

fn options(month: &Month, threads: usize, fingerprints: bool) -> ReadOptions<'_> {
    ReadOptions { scratch: &month.folder, threads, fingerprints, progress: &|_| {} }
}

fn text(path: PathBuf) -> String {
    path.to_string_lossy().into_owned()
}

/// (a) Raw records to ranking. `whole` is what `tribune scan` does: with facts and the two midnights before.
fn rank(month: &Month, policies: Vec<Policy>, whole: bool, threads: usize) -> Result<Value, Failure> {
    let mut parts = Stopwatch::start();
    let catalogue = Catalogue::built_in()?;
    let facts = if whole { Facts::read(&month.records().join("facts.csv"))? } else { Facts::empty() };
    let books = read(&[text(month.records())], &catalogue, &options(month, threads, false))?;
    parts.lap("read");
    let at = books.known().map(|(_, last)| last).ok_or("the month is empty")?;
    let mut watch = Watch::new(policies, facts, threads)?;
    parts.lap("plan");
    let hours = if whole { scan_hours(at) } else { vec![at] };
    let mut docket = Docket::default();
    let mut ranked = 0;
    drive(&books, &mut watch, &hours, |watch, _, evaluations| {
        ranked = evaluations.iter().map(|evaluation| docket.rank(watch, evaluation).len()).sum();
    })?;
    parts.lap("watch");
    let answer = ranking(&watch, at);
    parts.lap("list");
    let tally = books.tally();
    Ok(json!({
        "seconds": parts.seconds(), "parts": parts.parts, "peak_bytes": peak()?, "processor_seconds": processor()?,
        "rows": tally.rows, "duplicates": tally.duplicates, "workloads": ranked, "answer": answer,
    }))
}

/// The accounts with the most calls an hour, and the totals of the window summed over all accounts.
fn ranking(watch: &Watch, at: Hour) -> Value {
    let accounts = || watch.entities.iter().zip(&watch.rows).filter(|(entity, _)| entity.kind == Kind::Account);
    let mut calls: Vec<(i64, &str)> = accounts()
        .filter_map(|(entity, row)| {
            let key = watch.history.account_keys.get(*entity.accounts.first()? as usize)?;
            Some((row.workload.hourly.calls_per_hour_p95?, key.account.as_str()))
        })
        .collect();
    calls.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let top: Vec<_> = calls.iter().take(TOP).map(|(calls, account)| json!([account, calls])).collect();
    let mut totals = [0_i128; Measure::COUNT];
    for (_, row) in accounts() {
        totals.iter_mut().zip(row.workload.totals).for_each(|(sum, total)| *sum += i128::from(total));
    }
    json!({ "at": at.0, "accounts": calls.len(), "top": top, "totals": named(totals) })
}

/// By measure, without those that are zero; as text, since sums may be longer than JSON's numbers.
fn named<T: Copy + Into<i128>>(totals: [T; Measure::COUNT]) -> Map<String, Value> {
    let named = Measure::ALL.into_iter().zip(totals.map(Into::into)).filter(|(_, total)| *total != 0);
    named.map(|(measure, total): (_, i128)| (measure.name().to_owned(), total.to_string().into())).collect()
}

fn rollups_folder(month: &Month) -> PathBuf {
    month.folder.join("rollups")
}

/// The month's rollup tables, made anew.
fn rollups(month: &Month, threads: usize) -> Result<Value, Failure> {
    let folder = rollups_folder(month);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let mut parts = Stopwatch::start();
    let books = read(&[text(month.records())], &Catalogue::built_in()?, &options(month, threads, true))?;
    parts.lap("read");
    let mut rollups = Rollups::local(&folder)?;
    let mut bytes = 0;
    for day in books.days() {
        let (rows, prints) = unseen(&books, day, &[])?;
        bytes += rollups.append(books.names(), &rows, &prints)?.bytes;
    }
    parts.lap("append");
    Ok(json!({
        "seconds": parts.seconds(), "parts": parts.parts, "peak_bytes": peak()?, "processor_seconds": processor()?,
        "rows": books.tally().rows, "bytes": bytes,
    }))
}

/// (b) Hourly ticks, each a new file of raw rows: counted once, appended to the rollup tables, evaluated and ranked.
fn ticks(month: &Month, account: &str, threads: usize) -> Result<Value, Failure> {
    let catalogue = Catalogue::built_in()?;
    let facts = Facts::read(&month.records().join("facts.csv"))?;
    let mut rollups = Rollups::local(&rollups_folder(month))?;
    let mut state = Stopwatch::start();
    let mut watch = Watch::new(Policy::built_in()?, facts, threads)?;
    let mut docket = Docket::default();
    drive(&rollups, &mut watch, &scan_hours(month.end()), |watch, _, evaluations| {
        evaluations.iter().for_each(|evaluation| drop(docket.rank(watch, evaluation)));
    })?;
    state.lap("state");
    let explained = explain_warm(&watch, account, month.end())?;

    forget_peak()?;
    let mut ticks = Vec::new();
    for tick in 0..TICKS {
        let mut parts = Stopwatch::start();
        let at = month.end().plus(tick + 1);
        let books = read(&[text(month.tick_file(tick))], &catalogue, &options(month, threads, true))?;
        parts.lap("read");
        let (mut new, mut prints) = (Vec::new(), Vec::new());
        for day in books.days() {
            let (rows, fingerprints) = unseen(&books, day, &rollups.seen(day)?)?;
            new.extend(rows);
            prints.extend(fingerprints);
        }
        parts.lap("unseen");
        rollups.append(books.names(), &new, &prints)?;
        parts.lap("append");
        let mapping = watch.adopt(books.names());
        watch.apply(&mapping, &new, at);
        parts.lap("apply");
        let evaluations = watch.advance(at)?;
        parts.lap("evaluate");
        for evaluation in &evaluations {
            let ranking = docket.rank(&watch, evaluation);
            docket.open(&watch, evaluation, &ranking);
        }
        parts.lap("rank");
        let answer = ranking(&watch, at);
        parts.lap("list");
        ticks.push(json!({
            "seconds": parts.seconds(), "parts": parts.parts, "rows": books.tally().rows, "new": new.len(),
            "answer": answer,
        }));
    }
    Ok(json!({ "state_seconds": state.seconds(), "ticks": ticks, "peak_bytes": peak()?, "explain": explained }))
}

/// (c) Everything about one account, from the watch.
fn explain_warm(watch: &Watch, account: &str, at: Hour) -> Result<Value, Failure> {
    let mut asked = Vec::with_capacity(ASKED);
    let mut answer = Value::Null;
    for _ in 0..ASKED {
        let mut parts = Stopwatch::start();
        let place = watch.history.account_keys.iter().position(|key| key.account == account);
        let place = place.ok_or_else(|| format!("there is no account {account}"))?;
        let row = watch.single(place as u32).and_then(|single| watch.rows.get(single as usize));
        let row = &row.ok_or("an account without a row")?.workload;
        let mut readings = Readings::empty();
        if let Some(state) = watch.history.accounts.get(place).and_then(Option::as_ref) {
            state.add_to(at, at.day(), &mut readings);
        }
        answer = portrait(account, row.hourly.calls_per_hour_p95, row.totals, &readings, at);
        parts.lap("all");
        asked.push(parts.seconds());
    }
    asked.sort_unstable_by(f64::total_cmp);
    Ok(json!({ "seconds": asked.get(asked.len() / 2), "answer": answer }))
}

fn portrait(account: &str, p95: Option<i64>, totals: [i64; Measure::COUNT], readings: &Readings, at: Hour) -> Value {
    let mut series = Vec::new();
    for measure in Measure::ALL {
        let first = at.0 - signals::series::HOURS as i32;
        let hours = readings.hours(measure).iter().zip(first..).filter(|(quantity, _)| **quantity != 0);
        series.extend(hours.map(|(quantity, hour)| json!([measure.name(), hour, quantity])));
    }
    json!({ "account": account, "p95": p95, "totals": named(totals), "series": series })
}

/// (c) The same from the rollup tables alone: the account's rows, and who reported when in its region.
fn explain_cold(month: &Month, account: &str) -> Result<Value, Failure> {
    let mut parts = Stopwatch::start();
    let at = month.end();
    let rollups = Rollups::local(&rollups_folder(month))?;
    let mut history = History::default();
    for day in rollups.days().into_iter().filter(|day| (at.plus(-192).day()..at.day()).contains(day)) {
        let (names, rows) = rollups.read_day(day)?;
        let mapping = history.adopt(&names);
        let own = names.accounts.iter().position(|key| key.account == account);
        // Of others it only counts that they reported.
        let reported = |row: Usage| match Some(row.account as usize) == own {
            true => row,
            false => Usage { measure: Measure::ObjectsWritten, quantity: 0, ..row },
        };
        let rows: Vec<Usage> = rows.into_iter().map(reported).collect();
        history.apply(&mapping, &rows, at);
    }
    parts.lap("tables");
    let place = history.account_keys.iter().position(|key| key.account == account);
    let state = place.and_then(|place| history.accounts.get(place)?.as_ref());
    let state = state.ok_or_else(|| format!("there is no account {account}"))?;
    let masks = history.complete_hours(at);
    let mask = state.regions().next().and_then(|region| masks.get(usize::from(region)));
    let mut readings = Readings::empty();
    state.add_to(at, at.day(), &mut readings);
    let (row, totals) = workload::hourly(&readings, Standing { accounts: 1, first: state.first, mask }, at);
    let answer = portrait(account, row.calls_per_hour_p95, totals, &readings, at);
    parts.lap("row");
    Ok(json!({
        "seconds": parts.seconds(), "parts": parts.parts, "peak_bytes": peak()?, "processor_seconds": processor()?,
        "answer": answer,
    }))
}
