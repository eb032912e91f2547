//! Runs time over the books: gives the watch, hour by hour, the rows that had become known.
//!
//! Used for a replay (every hour of a month) and for a scan (the two midnights before it, for hysteresis, and its own
//! hour) alike, so that both see the same. It decides nothing.

use crate::series::Mapping;
use crate::watch::{Evaluation, Watch, WatchError};
use std::collections::BTreeMap;
use usage::{Books, Day, Hour, Period, RecordsDigest, Usage};

/// Why a drive ended early.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// The rows could not be read back from the scratch folder.
    #[error("the scratch folder could not be read: {0}; free some disk and run again")]
    Scratch(#[from] std::io::Error),
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

/// The rows of the books in the order they became known.
struct Feed<'a> {
    books: &'a Books,
    view: View,
    loaded: usize,
    pending: BTreeMap<Hour, Vec<Usage>>,
}

/// When a row is known: never before what it charges for is over.
pub fn known(row: &Usage) -> Hour {
    let over = match row.period {
        Period::Hour(hour) => hour.plus(1),
        Period::Day(day) => day.plus(1).start(),
    };
    row.known.max(over)
}

impl Feed<'_> {
    fn deliver(&mut self, until: Hour, watch: &mut Watch, mapping: &Mapping) -> Result<(), DriveError> {
        while let Some(day) = self.books.days().get(self.loaded).filter(|day| day.start() < until) {
            let rows = self.books.day(*day)?.into_iter().map(|row| self.view.show(row));
            // What is known already goes straight in, account by account as it lies; only the rest has to wait.
            let (now, later): (Vec<Usage>, Vec<Usage>) = rows.partition(|row| known(row) <= until);
            watch.apply(mapping, &now, until);
            for row in later {
                self.pending.entry(known(&row)).or_default().push(row);
            }
            self.loaded += 1;
        }
        while let Some(entry) = self.pending.first_entry().filter(|entry| *entry.key() <= until) {
            watch.apply(mapping, &entry.remove(), until);
        }
        Ok(())
    }
}

/// Advances the watch to each of the hours (rising), and shows every evaluation to `visit`.
pub fn drive(
    books: &Books,
    watch: &mut Watch,
    hours: &[Hour],
    visit: impl FnMut(&Watch, Hour, Vec<Evaluation>),
) -> Result<(), DriveError> {
    drive_view(books, View::Recorded, watch, hours, visit)
}

/// [`drive`] over the books as a view shows them.
pub fn drive_view(
    books: &Books,
    view: View,
    watch: &mut Watch,
    hours: &[Hour],
    mut visit: impl FnMut(&Watch, Hour, Vec<Evaluation>),
) -> Result<(), DriveError> {
    let mapping = watch.adopt(books.names());
    let mut feed = Feed { books, view, loaded: 0, pending: BTreeMap::new() };
    for hour in hours {
        feed.deliver(*hour, watch, &mapping)?;
        let evaluations = watch.advance(*hour)?;
        visit(watch, *hour, evaluations);
    }
    Ok(())
}

/// The digest of the records known by an hour (contracts §1).
pub fn records_digest(books: &Books, known_by: Hour) -> Result<String, DriveError> {
    let mut digest = RecordsDigest::new(books.names());
    for day in books.days() {
        digest.add_day(&books.day(*day)?, known_by);
    }
    Ok(digest.finish())
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
