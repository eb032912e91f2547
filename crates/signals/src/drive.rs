//! Runs time over usage: gives the watch, hour by hour, the rows that had become known.
//!
//! Used for a replay (every hour of a month) and for a scan (the two midnights before it, for hysteresis, and its own
//! hour) alike, so that both see the same. It decides nothing.

use crate::series::Mapping;
use crate::watch::{Evaluation, Watch, WatchError};
use std::borrow::Cow;
use std::collections::BTreeMap;
use usage::{ByDay, Day, DayUsage, Hour, Names, Period, Usage, UsageError};

/// Why a drive ended early.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// The usage could not be had.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The watch failed.
    #[error(transparent)]
    Watch(#[from] WatchError),
}

/// The hours a scan looks at: two midnights before `at`, so that "2 of 3 days" can be told, and `at`.
pub fn scan_hours(at: Hour) -> Vec<Hour> {
    let last = at.plus(-1).day().start();
    vec![last.plus(-24), last, at]
}

/// The hours a replay looks at: every `every`-th from `from` to `to`, and every midnight from two days before.
pub fn replay_hours(from: Hour, to: Hour, every: i32) -> Vec<Hour> {
    let ticks = (from.0..=to.0).step_by(every.max(1) as usize).map(Hour);
    let first = from.plus(-1).day().plus(-1);
    let midnights = (first.0..=to.day().0).map(|day| Day(day).start());
    let mut hours: Vec<Hour> = ticks.chain(midnights).collect();
    hours.sort_unstable();
    hours.dedup();
    hours
}

/// How the rows of the books are shown to the watch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// As they were recorded and became known.
    #[default]
    Recorded,
    /// As a provider that exports whole days would have recorded them.
    Daily,
    /// As if each row had been known as soon as what it charges for was over.
    Prompt,
}

impl View {
    /// A row as this view shows it.
    pub fn show(self, row: Usage) -> Usage {
        match self {
            Self::Recorded => row,
            Self::Daily => Usage { period: Period::Day(row.period.day()), ..row },
            Self::Prompt => Usage { known: Hour(i32::MIN), ..row },
        }
    }
}

/// The rows in the order they became known.
struct Feed<'a> {
    usage: &'a dyn ByDay,
    view: View,
    /// Days not taken up yet, the earliest last.
    days: Vec<Day>,
    /// Rows that are not known yet, each with the place of its names' mapping.
    pending: BTreeMap<Hour, Vec<(usize, Vec<Usage>)>>,
    mappings: Vec<Mapping>,
    /// What the last mapping is of.
    names: Cow<'a, Names>,
}

/// When a row is known: never before what it charges for is over.
pub fn known(row: &Usage) -> Hour {
    let over = match row.period {
        Period::Hour(hour) => hour.plus(1),
        Period::Day(day) => day.plus(1).start(),
    };
    row.known.max(over)
}

impl<'a> Feed<'a> {
    fn new(usage: &'a dyn ByDay, view: View) -> Self {
        let days = usage.days().into_iter().rev().collect();
        let names = Cow::Owned(Names::default());
        Self { usage, view, days, pending: BTreeMap::new(), mappings: Vec::new(), names }
    }

    fn deliver(&mut self, until: Hour, watch: &mut Watch) -> Result<(), DriveError> {
        while let Some(day) = self.days.pop_if(|day| day.start() < until) {
            self.take_up(day, until, watch)?;
        }
        while let Some(entry) = self.pending.first_entry().filter(|entry| *entry.key() <= until) {
            for (place, rows) in entry.remove() {
                if let Some(mapping) = self.mappings.get(place) {
                    watch.apply(mapping, &rows, until);
                }
            }
        }
        Ok(())
    }

    /// What is known already goes straight in, account by account as it lies; only the rest has to wait.
    fn take_up(&mut self, day: Day, until: Hour, watch: &mut Watch) -> Result<(), DriveError> {
        let DayUsage { names, parts } = self.usage.day(day)?;
        // Records read in one go have the same names every day.
        if self.mappings.is_empty() || self.names != names {
            self.mappings.push(watch.adopt(&names));
            self.names = names;
        }
        let place = self.mappings.len() - 1;
        let Some(mapping) = self.mappings.get(place) else { return Ok(()) };
        let (view, pending) = (self.view, &mut self.pending);
        std::thread::scope(|scope| {
            // The next part is read while this one is taken up.
            let (send, receive) = std::sync::mpsc::sync_channel(1);
            scope.spawn(move || {
                for rows in parts {
                    if send.send(rows).is_err() {
                        break;
                    }
                }
            });
            for rows in receive {
                let rows = rows.map_err(UsageError::from)?.into_iter().map(|row| view.show(row));
                let (now, later): (Vec<Usage>, Vec<Usage>) = rows.partition(|row| known(row) <= until);
                watch.apply(mapping, &now, until);
                for row in later {
                    let waiting = pending.entry(known(&row)).or_default();
                    match waiting.last_mut().filter(|(of, _)| *of == place) {
                        Some((_, rows)) => rows.push(row),
                        None => waiting.push((place, vec![row])),
                    }
                }
            }
            Ok(())
        })
    }
}

/// Advances the watch to each of the hours (rising), and shows every evaluation to `visit`.
pub fn drive(
    usage: &dyn ByDay,
    watch: &mut Watch,
    hours: &[Hour],
    visit: impl FnMut(&Watch, Hour, Vec<Evaluation>),
) -> Result<(), DriveError> {
    drive_view(usage, View::Recorded, watch, hours, visit)
}

/// [`drive`] over the usage as a view shows it.
pub fn drive_view(
    usage: &dyn ByDay,
    view: View,
    watch: &mut Watch,
    hours: &[Hour],
    mut visit: impl FnMut(&Watch, Hour, Vec<Evaluation>),
) -> Result<(), DriveError> {
    let mut feed = Feed::new(usage, view);
    for hour in hours {
        feed.deliver(*hour, watch)?;
        let evaluations = watch.advance(*hour)?;
        visit(watch, *hour, evaluations);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_looks_at_two_midnights_and_its_own_hour() {
        let midnight = Day(20_000).start();
        assert_eq!(scan_hours(midnight), [midnight.plus(-48), midnight.plus(-24), midnight]);
        assert_eq!(scan_hours(midnight.plus(5)), [midnight.plus(-24), midnight, midnight.plus(5)]);
    }

    #[test]
    fn a_view_changes_when_a_row_is_known_and_never_how_much_it_says() {
        let hour = Day(20_000).start().plus(3);
        let row = Usage {
            account: 0,
            measure: usage::Measure::BytesIn,
            region: 0,
            period: Period::Hour(hour),
            known: hour.plus(40),
            quantity: 7,
        };
        let known_in = |view: View| known(&view.show(row));
        assert_eq!([View::Recorded, View::Prompt].map(known_in), [hour.plus(40), hour.plus(1)]);
        assert_eq!(known(&View::Daily.show(Usage { known: hour, ..row })), Day(20_001).start());
        assert_eq!(known_in(View::Daily), hour.plus(40));
        assert!([View::Daily, View::Prompt].iter().all(|view| view.show(row).quantity == 7));
    }

    #[test]
    fn a_replay_includes_every_scan_it_could_be_compared_with() {
        let from = Day(20_000).start().plus(7);
        let hours = replay_hours(from, from.plus(60), 1);
        for at in 0..=60 {
            for hour in scan_hours(from.plus(at)) {
                assert!(hours.binary_search(&hour).is_ok(), "{hour}");
            }
        }
    }
}
