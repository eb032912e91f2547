//! A synthetic provider: labelled workloads as meter readings, deterministic by seed.
//!
//! [`simulate`] writes a folder as a provider's export would be: FOCUS 1.2 in Parquet, one file a day, and files of
//! late and restated rows whose names say when they became known; beside them `facts.csv` and `truth.csv`. It stands
//! at the end of the last day: what would only have become known later is not there.
//!
//! It is not a judge: it knows nothing of signals and scores, which are measured against it. Nor does it intercept,
//! store or transcribe anything; the forbidden workload exists here as numbers on an invoice only.

mod draw;
mod facts;
mod faults;
mod files;
mod forbidden;
mod kinds;
mod meter;
mod population;
mod readings;
mod scenario;
mod time;
mod workload;
mod world;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::faults::{Carrier, Class, Row, Way};
use crate::files::{Files, write_csv};
use crate::meter::METERS;
use crate::population::{Population, populate};
use crate::readings::{Readings, Stock};
use crate::world::World;

pub use crate::scenario::{Evasion, Faults, Kind, Order, Population as PopulationOptions, Scenario, ScenarioError};
pub use crate::time::{Date, DateError};

/// Which provider to simulate.
#[derive(Clone, Debug)]
pub struct Options {
    /// Accounts in all, 1 to 1,000,000.
    pub accounts: u32,
    /// Days, 1 to 3,660.
    pub days: u32,
    /// The same options with the same seed write the same bytes.
    pub seed: u64,
    /// The first day, in UTC.
    pub start: Date,
    /// Rows for whole days instead of hours; the same provider.
    pub daily: bool,
    /// What is ordered beside what is drawn.
    pub scenario: Option<Scenario>,
}

impl Default for Options {
    /// 3,000 accounts over 35 days from 2026-01-01, hourly.
    fn default() -> Self {
        let start = Date::from_days(20_454);
        Self { accounts: 3_000, days: 35, seed: 1, start, daily: false, scenario: None }
    }
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Accounts.
    pub accounts: usize,
    /// Customers.
    pub customers: usize,
    /// Workloads, lawful and forbidden.
    pub workloads: usize,
    /// Forbidden workloads.
    pub forbidden: usize,
    /// Parquet files.
    pub files: u64,
    /// Rows in them.
    pub rows: u64,
}

/// Why nothing, or not everything, was written.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// An option that makes no sense.
    #[error("{option} is {value}; {mend}")]
    Option {
        /// Its name.
        option: &'static str,
        /// What was given.
        value: String,
        /// What to give instead.
        mend: &'static str,
    },
    /// A scenario that makes no sense.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The folder holds a simulation already.
    #[error("{0} holds usage files already; name a new or empty folder")]
    NotEmpty(PathBuf),
    /// A file or folder could not be written.
    #[error("{path} could not be written: {source}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Simulates a provider and writes its files into `out`, a new or empty folder. `progress` is told after each day how
/// many of how many are done. Memory does not grow with the number of days.
pub fn simulate(out: &Path, options: &Options, progress: &dyn Fn(u32, u32)) -> Result<Summary, SimulateError> {
    let scenario = options.scenario.clone().unwrap_or_default();
    check(options, &scenario)?;
    prepare(out)?;
    let first = options.start.days();
    let period = first..first + options.days as i32;
    let population = populate(options.accounts, options.seed, period.clone(), &scenario);
    let faults = &scenario.faults;
    let world = World::draw(options.seed, options.start, options.days, faults.shocks, faults.outages);
    let facts: Vec<_> = population.accounts.iter().flat_map(|account| account.known.iter().cloned()).collect();
    write_csv(out, "facts.csv", &facts)?;
    write_csv(out, "truth.csv", &truth(&population))?;
    let hours = if options.daily { 24 } else { 1 };
    let mut mill = Mill {
        files: Files::new(out, &population, hours),
        carrier: Carrier::new(faults.clone(), options.seed, hours),
        seed: options.seed,
        hours,
        late: BTreeMap::new(),
        summary: Summary {
            accounts: population.accounts.len(),
            customers: population.customers,
            workloads: population.workloads.len(),
            forbidden: population.forbidden,
            ..Summary::default()
        },
    };
    let mut stocks: Vec<Stock> = population.accounts.iter().map(|account| stock(&population, account)).collect();
    let mut readings = Readings::new();
    for (done, day) in period.enumerate() {
        mill.day(&world, &population, day, &mut stocks, &mut readings)?;
        progress(done as u32 + 1, options.days);
    }
    Ok(mill.summary)
}

fn check(options: &Options, scenario: &Scenario) -> Result<(), SimulateError> {
    let wrong = |option, value: String, mend| Err(SimulateError::Option { option, value, mend });
    if !(1..=1_000_000).contains(&options.accounts) {
        return wrong("accounts", options.accounts.to_string(), "give 1 to 1000000");
    }
    if !(1..=3_660).contains(&options.days) {
        return wrong("days", options.days.to_string(), "give 1 to 3660");
    }
    let (earliest, latest) = (Date::new(2001, 1, 1), Date::new(2100, 12, 1));
    let last = options.start.plus(options.days as i32);
    if earliest.is_none_or(|earliest| options.start < earliest) || latest.is_none_or(|latest| last > latest) {
        return wrong("start", options.start.to_string(), "give a day such that all lies between 2001 and 2100");
    }
    scenario.check()?;
    let ordered: u64 = scenario.workloads.iter().map(|order| u64::from(order.account_count())).sum();
    if ordered > u64::from(options.accounts) {
        return Err(SimulateError::Scenario(ScenarioError::Value {
            key: "workload.accounts".to_owned(),
            problem: format!("adds up to {ordered}, more than the {} accounts there are", options.accounts),
            mend: "raise the number of accounts, or order fewer",
        }));
    }
    Ok(())
}

/// Makes the folder, unless a simulation is in it.
fn prepare(out: &Path) -> Result<(), SimulateError> {
    let failed = |source: io::Error| SimulateError::Write { path: out.to_owned(), source: source.into() };
    std::fs::create_dir_all(out).map_err(failed)?;
    for entry in std::fs::read_dir(out).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if name.to_string_lossy().starts_with("usage-") {
            return Err(SimulateError::NotEmpty(out.to_owned()));
        }
    }
    Ok(())
}

fn stock(population: &Population, account: &population::Account) -> Stock {
    population
        .workloads
        .get(account.workload)
        .map_or_else(Stock::default, |work| Stock::new(work.stored_gb * account.share))
}

/// One row of `truth.csv`.
#[derive(Default, Serialize)]
struct Truth {
    account: String,
    workload: String,
    kind: &'static str,
    forbidden: bool,
    calls_per_hour: String,
    started_at: String,
    evasions: String,
}

fn truth(population: &Population) -> Vec<Truth> {
    let row = |account: &population::Account| {
        let work = population.workloads.get(account.workload)?;
        Some(Truth {
            account: account.id.clone(),
            workload: format!("w{:06}", account.workload),
            kind: work.kind.word(),
            forbidden: work.kind == Kind::MassSurveillance,
            calls_per_hour: format!("{:.0}", work.calls_per_hour),
            started_at: format!("{}T00:00:00Z", Date::from_days(work.level.span.start)),
            evasions: work.evasions.iter().map(|evasion| evasion.word()).collect::<Vec<_>>().join(";"),
        })
    };
    population.accounts.iter().filter_map(row).collect()
}

/// Turns days into files.
struct Mill {
    files: Files,
    carrier: Carrier,
    seed: u64,
    /// Hours that a row is charged for.
    hours: i32,
    /// Rows that are not known yet, by the hour at which they will be.
    late: BTreeMap<i32, Vec<Row>>,
    summary: Summary,
}

impl Mill {
    fn day(
        &mut self,
        world: &World,
        population: &Population,
        day: i32,
        stocks: &mut [Stock],
        readings: &mut Readings,
    ) -> Result<(), SimulateError> {
        let mut rows = Vec::new();
        for (index, (account, stock)) in population.accounts.iter().zip(stocks).enumerate() {
            let Some(work) = population.workloads.get(account.workload) else { continue };
            readings.compute(world, work, account, day, stock);
            let index = index as u32;
            let mut draw = self.carrier.draw(index, day);
            let hours = self.hours;
            readings.each(|region, meter, quantities| {
                let region = account.regions.get(region).copied().unwrap_or_default();
                let mut quantities = *quantities;
                for (hour, quantity) in quantities.iter_mut().enumerate() {
                    if world.is_down(region, day * 24 + hour as i32) {
                        *quantity = 0;
                    }
                }
                for (hour, quantity) in (0..).zip(charged(&quantities, hours)) {
                    let start = day * 24 + hour;
                    let row = Row { account: index, meter: meter as u8, region, start, class: Class::Usage, quantity };
                    if quantity > 0 {
                        self.carrier.carry(row, &mut draw, |way, row| match way {
                            Way::Day => rows.push(row),
                            Way::Known(known) => self.late.entry(known).or_default().push(row),
                        });
                    }
                }
            });
            rows.extend(bookkeeping(self.seed, index, day));
        }
        self.write(&format!("usage-{}.parquet", Date::from_days(day)), &rows)?;
        self.flush((day + 1) * 24)
    }

    /// Writes the late rows that are known by an hour.
    fn flush(&mut self, until: i32) -> Result<(), SimulateError> {
        while let Some(batch) = self.late.first_entry().filter(|batch| *batch.key() <= until) {
            let (known, mut rows) = batch.remove_entry();
            rows.sort_unstable();
            let (date, hour) = (Date::from_days(known.div_euclid(24)), known.rem_euclid(24));
            self.write(&format!("usage-late-known={date}T{hour:02}Z.parquet"), &rows)?;
        }
        Ok(())
    }

    fn write(&mut self, name: &str, rows: &[Row]) -> Result<(), SimulateError> {
        self.summary.files += 1;
        self.summary.rows += rows.len() as u64;
        self.files.write(name, rows)
    }
}

/// Quantities as they are charged: hour by hour, or the day in one.
fn charged(quantities: &readings::Hours, hours: i32) -> Vec<i64> {
    if hours == 1 { quantities.to_vec() } else { vec![quantities.iter().sum()] }
}

/// A credit now and then, and taxes on the first of a month: rows that are not usage.
fn bookkeeping(seed: u64, account: u32, day: i32) -> impl Iterator<Item = Row> {
    let mut draw = draw::Draw::of(draw::key(draw::key(seed, 0xB00C + u64::from(account)), day as u64));
    let row = move |class, dollars: f64| Row {
        account,
        meter: METERS.len() as u8,
        region: 0,
        start: day * 24,
        class,
        quantity: (dollars * 1e6) as i64,
    };
    let credit = draw.chance(0.01).then(|| row(Class::Credit, -draw.log_range(1.0, 500.0)));
    let tax = (Date::from_days(day).civil().2 == 1).then(|| row(Class::Tax, draw.log_range(1.0, 5_000.0)));
    credit.into_iter().chain(tax)
}
