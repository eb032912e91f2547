//! What was moved out of a workload by the day, drawn with the day on which its case was opened.
//!
//! Bytes read out and exported, as the meters say them, and nothing of what they hold. Whether somebody is leaving is for
//! people to say.

use super::chart::{Axis, HEIGHT, Key, PLOT, Shape, TOP, Table, TimeChart, bars, mark, slots};
use super::{Date, Hour};
use crate::plain::bytes;
use askama::Template;

/// What was moved out, day by day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedOut {
    /// As of.
    pub at: Hour,
    /// The first of `days`.
    pub first_day: Date,
    /// Oldest first; `None` before the workload's first.
    pub days: Vec<Option<OutOnDay>>,
}

/// What was moved out on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOnDay {
    /// Bytes read out and exported.
    pub bytes: i64,
    /// Whether all data of the day is there.
    pub complete: bool,
}

/// The chart as a piece of a page.
#[derive(Template)]
#[template(path = "moved.html")]
pub(crate) struct MovedDrawing {
    chart: TimeChart,
}

impl MovedDrawing {
    /// With the day on which a case was opened.
    pub(crate) fn new(moved: &MovedOut, opened: Date) -> Self {
        Self { chart: moved.chart(opened) }
    }
}

/// Days before and since the opening, as places in the list.
struct Parts {
    before: Vec<Option<f64>>,
    since: Vec<Option<f64>>,
}

impl Parts {
    fn total(days: &[Option<f64>]) -> (f64, usize) {
        (days.iter().flatten().sum(), days.iter().flatten().count())
    }
}

impl MovedOut {
    fn date(&self, place: usize) -> Date {
        self.first_day.plus(place)
    }

    fn parts(&self, opened: Date) -> Parts {
        let of = |since: bool| {
            let days = self.days.iter().enumerate();
            let day = |(place, day): (usize, &Option<OutOnDay>)| {
                day.filter(|_| (self.date(place) >= opened) == since).map(|day| day.bytes as f64)
            };
            days.map(day).collect()
        };
        Parts { before: of(false), since: of(true) }
    }

    /// What there is to see, in a sentence or two.
    fn says(&self, opened: Date) -> String {
        let Parts { before, since } = self.parts(opened);
        let ((before, days_before), (out, days)) = (Parts::total(&before), Parts::total(&since));
        let a_day = |sum: f64, days: usize| format!("{} a day", bytes(sum / days.max(1) as f64));
        let in_days = |days: usize| if days == 1 { "on 1 day".to_owned() } else { format!("in {days} days") };
        let earlier = match days_before {
            0 => " No day before it is known here.".to_owned(),
            days => format!(" Before it, it was {} {}.", a_day(before, days), in_days(days)),
        };
        let open = self.days.last().copied().flatten().is_some_and(|day| !day.complete && days > 0);
        let open = if open { " The last day is not complete yet." } else { "" };
        match days {
            0 => format!("The meters known here end before the case was opened on {opened}.{earlier}"),
            days => format!(
                "{} moved out {} since the case was opened on {opened}: {}.{earlier}{open}",
                bytes(out),
                in_days(days),
                a_day(out, days)
            ),
        }
    }

    fn table(&self, opened: Date) -> Table {
        let row = |(place, day): (usize, &Option<OutOnDay>)| {
            let (day, date) = ((*day)?, self.date(place));
            let since = if date >= opened { "since" } else { "before" };
            let open = if day.complete { "" } else { " (not complete)" };
            Some(vec![format!("{date}{open}"), bytes(day.bytes as f64), since.to_owned()])
        };
        let head = ["day (UTC)", "moved out", "the opening"].map(str::to_owned).into();
        Table { head, rows: self.days.iter().enumerate().filter_map(row).collect() }
    }

    fn chart(&self, opened: Date) -> TimeChart {
        let Parts { before, since } = self.parts(opened);
        let axis = Axis::linear(before.iter().chain(&since).flatten().copied());
        let names: Vec<String> = (0..self.days.len()).map(|place| self.date(place).short()).collect();
        let place = usize::try_from(opened.0 - self.first_day.0).ok().filter(|place| *place < self.days.len());
        let mut keys = vec![Key { class: "bars", text: "since the opening, its day included".into() }];
        if before.iter().any(Option::is_some) {
            keys.push(Key { class: "before", text: "before".into() });
        }
        let mut shapes = vec![
            Shape { class: "bars before", d: bars(&axis, &before) },
            Shape { class: "bars", d: bars(&axis, &since) },
        ];
        shapes.retain(|shape| !shape.d.is_empty());
        TimeChart {
            id: "moved-out",
            title: "Data moved out".into(),
            unit: format!("bytes read out and exported a day, as of {}", self.at.for_people()),
            says: self.says(opened),
            y: axis.labels(bytes),
            x: slots(&names),
            mark: place.map(|place| mark(place, self.days.len(), format!("opened {}", opened.short()))),
            shapes,
            keys,
            table: self.table(opened),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten days, of which the first has no usage and the last is not complete.
    fn moved() -> MovedOut {
        let day = |place: i64| OutOnDay { bytes: place * 1_000_000_000, complete: place < 9 };
        let days = (0..10).map(|place| (place > 0).then(|| day(place))).collect();
        MovedOut { at: Hour(20_510 * 24), first_day: Date(20_500), days }
    }

    #[test]
    fn what_left_since_the_opening_is_told_apart_from_before() {
        let chart = moved().chart(Date(20_507));
        assert_eq!(
            chart.says,
            "24 GB moved out in 3 days since the case was opened on 2026-02-23: 8 GB a day. Before it, it was 3.5 GB a day \
             in 6 days. The last day is not complete yet."
        );
        assert_eq!(chart.mark, Some(mark(7, 10, "opened 23 Feb".into())));
        assert_eq!(chart.shapes.iter().map(|shape| shape.class).collect::<Vec<_>>(), ["bars before", "bars"]);
        assert_eq!(chart.table.rows.len(), 9, "a day without usage is no row");
        assert_eq!(chart.table.rows[5], ["2026-02-22", "6 GB", "before"]);
        assert_eq!(chart.table.rows[8], ["2026-02-25 (not complete)", "9 GB", "since"]);
    }

    #[test]
    fn an_opening_outside_of_the_days_is_said_and_not_drawn() {
        let (early, late) = (moved().chart(Date(20_400)), moved().chart(Date(20_600)));
        assert_eq!((early.mark, late.mark), (None, None));
        assert!(early.says.ends_with("No day before it is known here. The last day is not complete yet."));
        assert!(late.says.starts_with("The meters known here end before the case was opened on 2026-05-27."));
        assert_eq!(late.shapes.len(), 1);
    }

    #[test]
    fn it_is_drawn_with_its_words_and_its_table() {
        let html = MovedDrawing::new(&moved(), Date(20_507)).render().unwrap();
        for part in ["role=\"img\"", "<desc id=\"moved-out-desc\">24 GB", "opened 23 Feb</text>", "The same as a table"]
        {
            assert!(html.contains(part), "{part}\n{html}");
        }
    }
}
