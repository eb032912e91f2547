//! From usage records to what a review is told of them: how much of which operation an account used, over whole days.
//!
//! It adds up and names; what of it stops under a decision, and what changed afterwards, is said by [`review::metered`].

use crate::common::{Failure, Sources};
use crate::office::{Office, refused};
use review::metered::{Line, Metered};
use review::words::{AccountId, Digest, Moment, OperationId, RegionId, ServiceId};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use usage::{ByDay, Day, DayUsage, Measure, Period};

/// How many days a preview looks back, unless somebody says otherwise.
pub(crate) const DAYS: i32 = 14;

/// The usage records to look at: those named here, or else those of the configuration.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Meters {
    /// FOCUS files, folders of them, or addresses in an object store [default: those of the configuration]
    #[arg(value_name = "RECORDS")]
    pub records: Vec<String>,
    /// How many whole days
    #[arg(long, value_name = "N", default_value_t = DAYS, value_parser = clap::value_parser!(i32).range(1..=90))]
    pub days: i32,
    /// The day before which they end [default: today, or the last that the records know]
    #[arg(long, value_name = "DAY")]
    pub until: Option<String>,
}

/// Where usage is kept, as the configuration says it.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UsageConfig {
    /// FOCUS files, folders of them, or addresses in an object store.
    pub records: Vec<String>,
    /// The folder for rollups, so that only what is new is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<PathBuf>,
    /// What the provider knows by contract or by checking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<PathBuf>,
    /// A folder of meter catalogues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meters: Option<PathBuf>,
}

impl Office {
    /// The usage of the configuration, as every command opens it; none where none is configured.
    pub(crate) fn usage(&self) -> Option<Sources> {
        let UsageConfig { records, state, facts, meters } = self.config.usage.as_ref()?;
        let here = |path: &PathBuf| self.path(path);
        // An address of an object store is no path.
        let place = |place: &String| match place.contains("://") {
            true => place.clone(),
            false => self.path(place.as_ref()).display().to_string(),
        };
        Some(Sources {
            records: records.iter().map(place).collect(),
            state: state.as_ref().map(here),
            facts: facts.as_ref().map(here),
            policy: self.config.policies.iter().map(here).collect(),
            meters: meters.as_ref().map(here),
            threads: None,
            scratch: None,
        })
    }

    /// The usage that somebody named, or else that of the configuration.
    fn sources(&self, meters: &Meters) -> Result<Sources, Failure> {
        if meters.records.is_empty() {
            let missing = "name usage records, or put [usage] with `records = […]` into the configuration";
            return self.usage().ok_or_else(|| Failure::Refused(missing.to_owned()));
        }
        let own = self.usage();
        Ok(Sources {
            records: meters.records.clone(),
            state: None,
            facts: None,
            policy: Vec::new(),
            meters: own.and_then(|own| own.meters),
            threads: None,
            scratch: None,
        })
    }

    /// What was metered of some accounts and of every other account of their customers.
    pub(crate) fn meter(&self, accounts: &BTreeSet<AccountId>, meters: &Meters) -> Result<Metered, Failure> {
        let sources = self.sources(meters)?;
        let day = |at: Moment| Day(i32::try_from(at.0.div_euclid(86_400)).unwrap_or(i32::MAX));
        let until = meters.until.as_deref().map(crate::office::time).transpose().map_err(Failure::Refused)?.map(day);
        let read = || {
            let opened = sources.open()?;
            let last = opened.as_of(None)?.day().min(day(self.now));
            let until = until.unwrap_or(last);
            metered(&opened.usage, accounts, until.plus(-meters.days), until)
        };
        // Files are read by waiting for them, which no thread may do that runs others' tasks.
        let read = std::thread::scope(|scope| scope.spawn(read).join());
        read.unwrap_or_else(|_| Err(Failure::Defect("reading usage ended in a panic".to_owned())))
    }
}

/// What was metered from the start of one day to the start of another, of some accounts and of every other account of
/// the customers whose they are.
///
/// # Errors
/// The usage cannot be had, or names something that is no name.
pub(crate) fn metered(
    usage: &dyn ByDay,
    accounts: &BTreeSet<AccountId>,
    from: Day,
    until: Day,
) -> Result<Metered, Failure> {
    let days: Vec<Day> = usage.days().into_iter().filter(|day| (from..until).contains(day)).collect();
    let whose = owners(usage, &days)?;
    let customers: BTreeSet<&String> = accounts.iter().filter_map(|account| whose.get(account.as_str())).collect();
    let mut seen = BTreeMap::new();
    for (account, customer) in &whose {
        if customers.contains(customer) {
            let account = account.parse().map_err(|error| refused(&error))?;
            seen.insert(account, customer.parse().map_err(|error| refused(&error))?);
        }
    }
    let mut sums = BTreeMap::new();
    for day in days {
        add(usage.day(day)?, &seen, &mut sums)?;
    }
    let mut lines = sums.into_iter().map(|(key, sum)| line(key, &sum)).collect::<Result<Vec<_>, Failure>>()?;
    lines.sort_by(|a, b| a.key().cmp(&b.key()));
    let at = |day: Day| Moment(i64::from(day.0) * 86_400);
    let records = usage::records_digest(usage, until.start())?.parse::<Digest>().map_err(|error| refused(&error))?;
    Ok(Metered { from: at(from), to: at(until), records, accounts: seen, lines })
}

/// Whose each account was, by the last of the days on which it used anything.
fn owners(usage: &dyn ByDay, days: &[Day]) -> Result<BTreeMap<String, String>, Failure> {
    let mut whose = BTreeMap::new();
    for day in days {
        let DayUsage { names, parts } = usage.day(*day)?;
        let mut there = BTreeSet::new();
        for rows in parts {
            there.extend(rows.map_err(usage::UsageError::from)?.iter().map(|row| row.account));
        }
        for account in there {
            if let Some(key) = names.accounts.get(account as usize) {
                whose.insert(key.account.clone(), key.customer.clone());
            }
        }
    }
    Ok(whose)
}

/// What tells lines apart: account, measure, region.
type Key = (String, Measure, String);

/// What adds up to a line, in steps of its measure.
#[derive(Default)]
struct Sum {
    steps: i64,
    days: BTreeSet<Day>,
    hours: BTreeMap<i32, i64>,
}

fn add(
    of_day: DayUsage<'_>,
    accounts: &BTreeMap<AccountId, review::words::CustomerId>,
    sums: &mut BTreeMap<Key, Sum>,
) -> Result<(), Failure> {
    let DayUsage { names, parts } = of_day;
    for rows in parts {
        for row in rows.map_err(usage::UsageError::from)? {
            let key = names.accounts.get(row.account as usize).zip(names.regions.get(usize::from(row.region)));
            let Some((account, region)) = key else { continue };
            if !account.account.parse().is_ok_and(|account: AccountId| accounts.contains_key(&account)) {
                continue;
            }
            let sum = sums.entry((account.account.clone(), row.measure, region.region.clone())).or_default();
            sum.steps = sum.steps.saturating_add(row.quantity);
            sum.days.insert(row.period.day());
            if let Period::Hour(hour) = row.period {
                let hour = sum.hours.entry(hour.0).or_default();
                *hour = hour.saturating_add(row.quantity);
            }
        }
    }
    Ok(())
}

fn line((account, measure, region): Key, sum: &Sum) -> Result<Line, Failure> {
    let (service, operation) = measure.operation();
    let name = |error: review::words::FormError| refused(&error);
    Ok(Line {
        account: account.parse().map_err(name)?,
        service: service.parse::<ServiceId>().map_err(name)?,
        operation: operation.parse::<OperationId>().map_err(name)?,
        region: if region.is_empty() { None } else { Some(region.parse::<RegionId>().map_err(name)?) },
        quantity: measure.whole(sum.steps),
        days: u16::try_from(sum.days.len()).unwrap_or(u16::MAX),
        hour_max: sum.hours.values().max().map(|steps| measure.whole(*steps)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Those who decide read the same unit that the meters count in.
    #[test]
    fn a_preview_names_the_unit_of_each_measure() {
        for measure in usage::Measure::ALL {
            let operation: OperationId = measure.operation().1.parse().unwrap();
            assert_eq!(review::metered::unit(&operation), Some(measure.unit()), "{operation}");
        }
        assert_eq!(review::metered::unit(&"assistant.calls".parse().unwrap()), None);
    }
}
