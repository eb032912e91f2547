//! Intervals around what was counted, and what a count of this size can tell about a goal.
//!
//! 95 % throughout: the score interval of Wilson (1927) for shares, the exact interval of Garwood (1936) for counts.

use serde::Serialize;

/// The normal quantile of 97.5 %.
const Z: f64 = 1.959_963_984_540_054;

/// What the data says of a goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// The whole interval reaches the goal.
    Met,
    /// The whole interval falls short of it.
    Missed,
    /// The goal lies within the interval, though the data would be enough for a flawless result to show it.
    Undecided,
    /// Even a flawless result of this size would not show it.
    TooFew,
    /// There was nothing to count.
    NothingToMeasure,
}

/// A share `k` of `n`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Share {
    /// How many did.
    pub k: u64,
    /// Of how many.
    pub n: u64,
    /// `k / n`.
    pub share: Option<f64>,
    /// Lower end of the interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// What it should at least be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
}

/// A goal and what the data says of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Goal {
    /// The goal.
    pub value: f64,
    /// What the data says.
    pub verdict: Verdict,
    /// The least size that could show it: offenders for a share, months of 10,000 customers for a rate.
    pub least_size: f64,
}

impl Share {
    /// Counts `true`s.
    pub(super) fn of(what: impl IntoIterator<Item = bool>) -> Self {
        let (k, n) = what.into_iter().fold((0, 0), |(k, n), yes| (k + u64::from(yes), n + 1));
        Self::new(k, n)
    }

    /// `k` of `n`.
    pub(super) fn new(k: u64, n: u64) -> Self {
        let interval = wilson(k, n);
        Self {
            k,
            n,
            share: (n > 0).then(|| k as f64 / n as f64),
            low: interval.map(|interval| interval.0),
            high: interval.map(|interval| interval.1),
            goal: None,
        }
    }

    /// Compares it with a goal it should at least reach.
    pub(super) fn at_least(mut self, goal: f64) -> Self {
        let least = offenders_needed(goal);
        let verdict = match (self.low, self.high) {
            (Some(low), _) if low >= goal => Verdict::Met,
            (_, Some(high)) if high < goal => Verdict::Missed,
            (None, _) => Verdict::NothingToMeasure,
            _ if self.n < least => Verdict::TooFew,
            _ => Verdict::Undecided,
        };
        self.goal = Some(Goal { value: goal, verdict, least_size: least as f64 });
        self
    }
}

/// Events over an exposure: false reviews over months of 10,000 customers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Rate {
    /// How many events.
    pub events: u64,
    /// Over how much.
    pub exposure: f64,
    /// `events / exposure`.
    pub rate: Option<f64>,
    /// Lower end of the interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// What it should at most be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
}

impl Rate {
    /// So many events over so much.
    pub(super) fn new(events: u64, exposure: f64) -> Self {
        let (low, high) = poisson(events);
        let per = |value: f64| (exposure > 0.0).then(|| value / exposure);
        Self { events, exposure, rate: per(events as f64), low: per(low), high: per(high), goal: None }
    }

    /// Compares it with a goal it should not exceed.
    pub(super) fn at_most(mut self, goal: f64) -> Self {
        let least = poisson(0).1 / goal;
        let verdict = match (self.low, self.high) {
            (_, Some(high)) if high <= goal => Verdict::Met,
            (Some(low), _) if low > goal => Verdict::Missed,
            (None, _) => Verdict::NothingToMeasure,
            _ if self.exposure < least => Verdict::TooFew,
            _ => Verdict::Undecided,
        };
        self.goal = Some(Goal { value: goal, verdict, least_size: least });
        self
    }
}

/// The score interval of a share.
pub(super) fn wilson(k: u64, n: u64) -> Option<(f64, f64)> {
    if n == 0 || k > n {
        return None;
    }
    let (k, n) = (k as f64, n as f64);
    let (centre, spread) = (k + Z * Z / 2.0, Z * (k * (n - k) / n + Z * Z / 4.0).sqrt());
    let at = |value: f64| (value / (n + Z * Z)).clamp(0.0, 1.0);
    Some((at(centre - spread), at(centre + spread)))
}

/// How many must all be found for the interval to reach `goal`: 381 for 0.99.
pub(super) fn offenders_needed(goal: f64) -> u64 {
    if goal >= 1.0 { u64::MAX } else { (goal * Z * Z / (1.0 - goal)).ceil() as u64 }
}

/// The exact interval of a count's mean.
pub(super) fn poisson(events: u64) -> (f64, f64) {
    let low = match events {
        0 => 0.0,
        _ => mean_where(events - 1, 0.975),
    };
    (low, mean_where(events, 0.025))
}

/// The mean under which a count of at most `events` has the probability `p`.
fn mean_where(events: u64, p: f64) -> f64 {
    let (mut low, mut high) = (0.0, 2.0 * events as f64 + 20.0);
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        if at_most(events, middle) > p { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// The probability that a count of this mean is at most `events`.
fn at_most(events: u64, mean: f64) -> f64 {
    if mean <= 0.0 {
        return 1.0;
    }
    let mut log_term = -mean;
    let mut sum = log_term.exp();
    for i in 1..=events {
        log_term += (mean / i as f64).ln();
        sum += log_term.exp();
    }
    sum
}

/// Median and quartiles of times of which some never came.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Quartiles {
    /// Of how many.
    pub n: u64,
    /// How many never came; they count as later than all others.
    pub never: u64,
    /// A quarter is at most this; none if that many never came.
    pub first: Option<f64>,
    /// Half is at most this.
    pub median: Option<f64>,
    /// Three quarters are at most this.
    pub third: Option<f64>,
}

impl Quartiles {
    /// Of values, where `None` never came.
    pub(super) fn of(values: impl IntoIterator<Item = Option<f64>>) -> Self {
        let mut all: Vec<f64> = values.into_iter().map(|value| value.unwrap_or(f64::INFINITY)).collect();
        all.sort_by(f64::total_cmp);
        let at = |percent: usize| {
            let place = (all.len() * percent).div_ceil(100).max(1) - 1;
            all.get(place).copied().filter(|value| value.is_finite())
        };
        Self {
            n: all.len() as u64,
            never: all.iter().filter(|value| value.is_infinite()).count() as u64,
            first: at(25),
            median: at(50),
            third: at(75),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: (f64, f64), wanted: (f64, f64), within: f64) {
        assert!((found.0 - wanted.0).abs() < within && (found.1 - wanted.1).abs() < within, "{found:?} {wanted:?}");
    }

    #[test]
    fn wilsons_interval_is_as_newcombe_prints_it() {
        // R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
        for (k, n, interval) in [
            (81, 263, (0.2553, 0.3662)),
            (15, 148, (0.0624, 0.1605)),
            (0, 20, (0.0, 0.1611)),
            (1, 29, (0.0061, 0.1718)),
        ] {
            close(wilson(k, n).unwrap(), interval, 6e-5);
        }
        assert_eq!(wilson(0, 0), None);
        assert!(wilson(20, 20).unwrap().1 <= 1.0);
    }

    #[test]
    fn poissons_interval_is_as_printed_in_tables() {
        // F. Garwood, Biometrika 28 (1936), and later tables of the exact interval.
        for (events, interval) in [
            (0, (0.0, 3.6889)),
            (1, (0.0253, 5.5716)),
            (5, (1.6235, 11.6683)),
            (10, (4.7954, 18.3904)),
            (100, (81.3640, 121.6270)),
        ] {
            close(poisson(events), interval, 2e-3);
        }
        let (low, high) = poisson(5_000);
        assert!((4_850.0..4_870.0).contains(&low) && (5_130.0..5_150.0).contains(&high));
    }

    #[test]
    fn what_a_size_can_show_is_told() {
        // Grounding §4: 0.99 takes some 380 offenders, 3 in 10,000 takes tens of thousands of customers.
        assert_eq!(offenders_needed(0.99), 381);
        let verdict = |share: Share| share.at_least(0.99).goal.unwrap().verdict;
        assert_eq!(verdict(Share::new(380, 380)), Verdict::TooFew);
        assert_eq!(verdict(Share::new(381, 381)), Verdict::Met);
        assert_eq!(verdict(Share::new(2, 20)), Verdict::Missed);
        assert_eq!(verdict(Share::new(398, 400)), Verdict::Undecided);
        assert_eq!(verdict(Share::new(0, 0)), Verdict::NothingToMeasure);
        let rate = |events, exposure| Rate::new(events, exposure).at_most(3.0).goal.unwrap().verdict;
        assert_eq!([rate(0, 0.3), rate(0, 1.3), rate(9, 0.3), rate(2, 1.3)].map(|v| v as u8), [3, 0, 1, 2]);
        assert_eq!(Rate::new(0, 0.0).at_most(3.0).goal.unwrap().verdict, Verdict::NothingToMeasure);
    }

    #[test]
    fn what_never_came_is_later_than_all_else() {
        let some = Quartiles::of([Some(4.0), None, Some(1.0), None]);
        assert_eq!((some.first, some.median, some.third, some.never), (Some(1.0), Some(4.0), None, 2));
        assert_eq!(Quartiles::of([]).median, None);
    }
}
