//! The figures of one pass: recall, precision, rank, delay, false reviews, what hiding costs.
//!
//! Pure: from the truth and what a pass showed, to numbers with their intervals. It prints nothing.

use super::intervals::{Quartiles, Rate, Share, Verdict, poisson};
use super::rivals::{self, Rival};
use super::truth::{Truth, Workload};
use super::watching::{Arrival, Best, Owners, Seen};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use usage::{AccountKey, Hour};

/// Scales of the goals, in calls an hour; a workload counts at the nearest, by ratio.
pub(super) const SCALES: [i64; 4] = [1_000_000, 250_000, 50_000, 5_000];

/// The figures of one pass.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    /// `hourly` or `daily`: the resolution of the records.
    pub records: &'static str,
    /// Hours between two ticks.
    pub every_hours: i32,
    /// How many ticks.
    pub ticks: usize,
    /// How many days the records cover.
    pub days: f64,
    /// How many customers have usage.
    pub customers: usize,
    /// Forbidden workloads with usage.
    pub offenders: u64,
    /// Cases opened.
    pub cases: u64,
    /// How many were found, in groups.
    pub recall: Vec<Recall>,
    /// How right the cases are.
    pub precision: Precision,
    /// Where forbidden workloads stand among the lawful, each as if it were alone.
    pub lone_rank: Vec<LoneRank>,
    /// How long it takes.
    pub delays: Vec<Delay>,
    /// Cases of lawful workloads.
    pub false_reviews: FalseReviews,
    /// Cases for each workload that was found.
    pub cases_per_workload: CasesPerWorkload,
    /// What hiding costs the watch.
    pub hiding: Vec<Hiding>,
    /// Tribune and simple rivals, at the end of the records.
    pub rivals: Vec<Rival>,
    /// Forbidden workloads that no case holds, and why.
    pub not_found: Vec<NotFound>,
}

/// How many of a group are found in a time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Recall {
    /// What the group has in common.
    pub group: String,
    /// Days from its start; none for any time. Only workloads that were watched so long count.
    pub within_days: Option<i32>,
    /// How many.
    pub found: Share,
    /// Of the accounts of those found, the share that cases hold, on average.
    pub accounts_held: Option<f64>,
}

/// How right the cases are.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Precision {
    /// The first twenty of the last ranking.
    pub top_20: Share,
    /// How many different forbidden workloads they show.
    pub top_20_workloads: u64,
    /// How many they could show.
    pub top_20_possible: u64,
    /// The cases that were opened.
    pub cases: Share,
    /// The accounts that cases hold.
    pub accounts: Share,
}

/// Where forbidden workloads stand among the lawful at their best midnight.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct LoneRank {
    /// Which.
    pub group: String,
    /// The rank; 1 is above every lawful one.
    pub rank: Quartiles,
    /// How many stand among the first twenty.
    pub among_20: Share,
}

/// Hours until a case; those never found count as later than all others.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Delay {
    /// Which.
    pub group: String,
    /// From the start of the workload, or of the records if that is later.
    pub hours_from_start: Quartiles,
    /// From when its first row was known.
    pub hours_after_data: Quartiles,
    /// The median should be at most this.
    pub goal_hours: Option<f64>,
    /// Whether it is, by the sign test: are more than half in time?
    pub verdict: Option<Verdict>,
}

/// Cases of lawful workloads, for 10,000 customers and 30 days.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct FalseReviews {
    /// All.
    pub all: Rate,
    /// By kind, of 10,000 customers of that kind; kinds without any are left out.
    pub kinds: Vec<FalseKind>,
    /// The worst kind's rate should be at most five times the mean.
    pub worst_goal_ratio: f64,
    /// Whether it is.
    pub worst: Verdict,
}

/// One kind's false reviews.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct FalseKind {
    /// The kind.
    pub kind: String,
    /// How many customers have it.
    pub customers: u64,
    /// The rate.
    pub rate: Rate,
    /// The rate ÷ the mean of all.
    pub ratio: Option<f64>,
}

/// Cases for each workload found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct CasesPerWorkload {
    /// Workloads found.
    pub workloads: u64,
    /// The mean; the goal is 1.
    pub mean: Option<f64>,
    /// The most.
    pub most: u64,
    /// Workloads with one case only.
    pub one: Share,
}

/// Workloads that hide in one way, against others of the same scale that do not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Hiding {
    /// The way.
    pub way: String,
    /// Found with it, at any time.
    pub with: Share,
    /// Found without it, at the scales that both have.
    pub without: Share,
    /// Difference of the best score, in dB, at the same scale; negative where hiding helps.
    pub score_db: Option<f64>,
}

/// A forbidden workload that no case holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct NotFound {
    /// Its name in the truth.
    pub workload: String,
    /// Calls an hour.
    pub calls_per_hour: Option<i64>,
    /// How many accounts.
    pub accounts: usize,
    /// How it hides.
    pub evasions: Vec<String>,
    /// Its best score.
    pub score_db: Option<f64>,
    /// Its best rank among the lawful.
    pub rank: Option<u32>,
    /// Why no case was opened.
    pub cause: String,
}

/// A forbidden workload with usage, and what became of it.
struct Offender<'a> {
    place: usize,
    workload: &'a Workload,
    scale: Option<i64>,
    start: Hour,
    data: Hour,
    found: Option<Hour>,
    held: u64,
    cases: u64,
    best: Option<Best>,
}

impl Offender<'_> {
    fn plain(&self) -> bool {
        self.workload.evasions.is_empty()
    }

    fn found_within(&self, days: Option<i32>) -> bool {
        self.found.is_some_and(|at| days.is_none_or(|days| at.0 - self.start.0 <= 24 * days))
    }
}

/// The nearest of [`SCALES`] by ratio.
pub(super) fn scale(calls_per_hour: i64) -> Option<i64> {
    let off = |scale: i64| (calls_per_hour as f64 / scale as f64).ln().abs();
    SCALES.into_iter().filter(|_| calls_per_hour > 0).min_by(|a, b| off(*a).total_cmp(&off(*b)))
}

/// What a pass is judged by.
pub(super) struct Judged<'a> {
    /// `hourly` or `daily`.
    pub records: &'static str,
    /// Hours between ticks.
    pub every: i32,
    /// The first and the last hour.
    pub span: (Hour, Hour),
    /// The names in the books.
    pub accounts: &'a [AccountKey],
    /// The truth.
    pub truth: &'a Truth,
    /// Whose each account is.
    pub owners: &'a Owners,
    /// When the usage of each forbidden workload began.
    pub arrivals: &'a BTreeMap<usize, Arrival>,
    /// What the pass showed.
    pub seen: &'a Seen,
}

impl Judged<'_> {
    /// All figures.
    pub(super) fn figures(&self) -> Figures {
        let offenders = self.offenders();
        let days = f64::from(self.span.1.0 - self.span.0.0) / 24.0;
        let places = offenders.iter().map(|offender| offender.place).collect();
        Figures {
            records: self.records,
            every_hours: self.every,
            ticks: self.seen.ticks,
            days,
            customers: self.seen.customers,
            offenders: offenders.len() as u64,
            cases: self.seen.cases.len() as u64,
            recall: self.recall(&offenders),
            precision: self.precision(offenders.len() as u64),
            lone_rank: lone_rank(&offenders),
            delays: delays(&offenders),
            false_reviews: self.false_reviews(days),
            cases_per_workload: cases_per_workload(&offenders),
            hiding: hiding(&offenders),
            rivals: rivals::compare(self.seen, self.truth, self.owners, &places),
            not_found: offenders.iter().filter(|one| one.found.is_none()).map(|one| self.not_found(one)).collect(),
        }
    }

    fn offenders(&self) -> Vec<Offender<'_>> {
        let mut held: BTreeMap<usize, (Hour, BTreeSet<u32>, u64)> = BTreeMap::new();
        for case in &self.seen.cases {
            let mut of_case: BTreeSet<usize> = BTreeSet::new();
            for (account, since) in &case.held {
                let Some(place) = self.owners.of(*account) else { continue };
                let entry = held.entry(place).or_insert((*since, BTreeSet::new(), 0));
                entry.0 = entry.0.min(*since);
                entry.1.insert(*account);
                entry.2 += u64::from(of_case.insert(place));
            }
        }
        let forbidden = self.truth.workloads.iter().enumerate().filter(|(_, workload)| workload.forbidden);
        let offenders = forbidden.filter_map(|(place, workload)| {
            let arrival = self.arrivals.get(&place)?;
            let own = held.get(&place);
            Some(Offender {
                place,
                workload,
                scale: workload.calls_per_hour.and_then(scale),
                start: workload.started_at.map_or(arrival.charged, |start| start.max(self.span.0).min(arrival.charged)),
                data: arrival.known,
                found: own.map(|own| own.0),
                held: own.map_or(0, |own| own.1.len() as u64),
                cases: own.map_or(0, |own| own.2),
                best: self.seen.best.get(&place).copied(),
            })
        });
        offenders.collect()
    }

    /// The share found of those that were watched for as many days.
    fn found(&self, group: String, days: Option<i32>, offenders: &[&Offender<'_>]) -> Recall {
        let watched = |one: &&&Offender<'_>| days.is_none_or(|days| self.span.1.0 - one.start.0 >= 24 * days);
        let watched: Vec<_> = offenders.iter().filter(watched).collect();
        let found: Vec<_> = watched.iter().filter(|one| one.found.is_some()).collect();
        let held = found.iter().map(|one| one.held as f64 / one.workload.accounts.len().max(1) as f64).sum::<f64>();
        Recall {
            group,
            within_days: days,
            found: Share::of(watched.iter().map(|one| one.found_within(days))),
            accounts_held: (!found.is_empty()).then(|| held / found.len() as f64),
        }
    }

    fn recall(&self, offenders: &[Offender<'_>]) -> Vec<Recall> {
        let of =
            |choose: &dyn Fn(&Offender<'_>) -> bool| offenders.iter().filter(|one| choose(one)).collect::<Vec<_>>();
        let mut rows = vec![self.found("all".into(), None, &of(&|_| true))];
        for at in SCALES {
            let group = of(&|one| one.plain() && one.scale == Some(at));
            for days in [None, Some(7), Some(14), Some(30)] {
                let mut row = self.found(format!("nothing hidden, {}", readable(at)), days, &group);
                row.found = match (at, days) {
                    (1_000_000, None) => row.found.at_least(0.99),
                    (250_000, None) => row.found.at_least(0.97),
                    (50_000, Some(7)) => row.found.at_least(0.90),
                    (5_000, Some(30)) => row.found.at_least(0.35),
                    _ => row.found,
                };
                rows.push(row);
            }
        }
        let ways = |one: &Offender<'_>| one.workload.evasions.len().min(3);
        for (count, said, goal) in [(1, "1 way", 0.90), (2, "2 ways", 0.75), (3, "3 ways or more", 0.50)] {
            let group = of(&|one| ways(one) == count && one.scale == Some(250_000));
            let mut row = self.found(format!("{said} of hiding, {}", readable(250_000)), Some(14), &group);
            row.found = row.found.at_least(goal);
            rows.push(row);
        }
        for (count, said) in [(0, "nothing hidden"), (1, "1 way"), (2, "2 ways"), (3, "3 ways or more")] {
            let group = of(&|one| ways(one) == count);
            let said = if count == 0 { said.to_owned() } else { format!("{said} of hiding") };
            rows.extend([None, Some(14)].map(|days| self.found(format!("{said}, any scale"), days, &group)));
        }
        for way in every_way(offenders) {
            let group = of(&|one| one.workload.evasions.contains(way));
            rows.extend([None, Some(14)].map(|days| self.found(format!("hides by {way}, any scale"), days, &group)));
        }
        rows
    }

    fn precision(&self, offenders: u64) -> Precision {
        let right = |accounts: &mut dyn Iterator<Item = u32>| self.owners.forbidden(accounts, self.truth).is_some();
        let held = self.seen.cases.iter().flat_map(|case| case.held.keys().copied()).collect::<BTreeSet<_>>();
        let workloads = self.seen.ranking.iter().take(20);
        let workloads: BTreeSet<usize> =
            workloads.filter_map(|accounts| self.owners.forbidden(accounts.iter().copied(), self.truth)).collect();
        Precision {
            top_20_workloads: workloads.len() as u64,
            top_20: Share::of(self.seen.ranking.iter().take(20).map(|accounts| right(&mut accounts.iter().copied()))),
            top_20_possible: offenders.min(20),
            cases: Share::of(self.seen.cases.iter().map(|case| right(&mut case.held.keys().copied()))),
            accounts: Share::of(held.into_iter().map(|account| right(&mut std::iter::once(account)))),
        }
    }

    fn false_reviews(&self, days: f64) -> FalseReviews {
        let months = days / 30.0;
        let kind = |account: u32| {
            let workload = self.owners.of(account).and_then(|place| self.truth.workloads.get(place));
            workload.map_or("unknown", |workload| workload.kind.as_str())
        };
        let mut customers: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
        for end in &self.seen.accounts {
            if let Some(key) = self.accounts.get(end.account as usize) {
                customers.entry(kind(end.account)).or_default().insert((&key.provider, &key.customer));
            }
        }
        let wrong = self
            .seen
            .cases
            .iter()
            .filter(|case| self.owners.forbidden(case.held.keys().copied(), self.truth).is_none());
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for case in wrong {
            *counts.entry(case.strongest.map_or("unknown", kind)).or_default() += 1;
        }
        let exposure = |customers: usize| customers as f64 / 10_000.0 * months;
        let all = Rate::new(counts.values().sum(), exposure(self.seen.customers)).at_most(3.0);
        let mut kinds: Vec<FalseKind> = counts
            .into_iter()
            .map(|(kind, events)| {
                let customers = customers.get(kind).map_or(0, BTreeSet::len);
                let rate = Rate::new(events, exposure(customers));
                let ratio = rate.rate.zip(all.rate).map(|(own, mean)| own / mean);
                FalseKind { kind: kind.to_owned(), customers: customers as u64, rate, ratio }
            })
            .collect();
        kinds.sort_by(|a, b| b.rate.rate.unwrap_or(0.0).total_cmp(&a.rate.rate.unwrap_or(0.0)));
        let worst = worst_verdict(&kinds, &all);
        FalseReviews { all, kinds, worst_goal_ratio: WORST_RATIO, worst }
    }

    fn not_found(&self, one: &Offender<'_>) -> NotFound {
        let cause = match one.best {
            None => "no midnight came between its data and the end of the records".to_owned(),
            Some(best) if best.score < best.floor => {
                let short = f64::from((best.floor - best.score).hundredths()) / 100.0;
                format!("its best score stays {short:.1} dB below the floor of {} dB", best.floor)
            }
            Some(best) if best.families < self.seen.families_needed => {
                format!("only {} of {} families speak at its best score", best.families, self.seen.families_needed)
            }
            Some(best) if best.nights_above < 2 => {
                "above the floor on one midnight only, and two of three days are needed".to_owned()
            }
            Some(_) => "above the floor, but the review budget went to others".to_owned(),
        };
        NotFound {
            workload: one.workload.name.clone(),
            calls_per_hour: one.workload.calls_per_hour,
            accounts: one.workload.accounts.len(),
            evasions: one.workload.evasions.iter().cloned().collect(),
            score_db: one.best.map(|best| f64::from(best.score.hundredths()) / 100.0),
            rank: one.best.map(|best| best.rank),
            cause,
        }
    }
}

/// Grounding §4: the worst look-alike at most five times the mean.
const WORST_RATIO: f64 = 5.0;

/// Whether the worst kind's rate is shown to be within, or beyond, so many times the mean.
fn worst_verdict(kinds: &[FalseKind], all: &Rate) -> Verdict {
    let Some(mean) = all.rate.filter(|rate| *rate > 0.0) else { return Verdict::NothingToMeasure };
    let limit = WORST_RATIO * mean;
    if kinds.iter().any(|kind| kind.rate.low.is_some_and(|low| low > limit)) {
        Verdict::Missed
    } else if kinds.iter().all(|kind| kind.rate.high.is_some_and(|high| high <= limit)) {
        Verdict::Met
    } else if kinds.iter().any(|kind| kind.rate.exposure * limit < poisson(0).1) {
        Verdict::TooFew
    } else {
        Verdict::Undecided
    }
}

fn every_way<'a>(offenders: &'a [Offender<'_>]) -> BTreeSet<&'a str> {
    offenders.iter().flat_map(|one| one.workload.evasions.iter().map(String::as_str)).collect()
}

/// All offenders, then by scale: nothing hidden, and all.
fn groups<'a, 'b>(offenders: &'a [Offender<'b>]) -> Vec<(String, Option<i64>, Vec<&'a Offender<'b>>)> {
    let of = |scale: Option<i64>, plain: bool| {
        let chosen = move |one: &&Offender<'_>| scale.is_none_or(|_| one.scale == scale) && (!plain || one.plain());
        offenders.iter().filter(chosen).collect::<Vec<_>>()
    };
    let mut groups = vec![("all".to_owned(), None, of(None, false))];
    for at in SCALES {
        groups.push((format!("nothing hidden, {}", readable(at)), Some(at), of(Some(at), true)));
        groups.push((format!("hidden or not, {}", readable(at)), None, of(Some(at), false)));
    }
    groups
}

fn lone_rank(offenders: &[Offender<'_>]) -> Vec<LoneRank> {
    let rows = groups(offenders).into_iter().map(|(group, _, members)| LoneRank {
        group,
        rank: Quartiles::of(members.iter().map(|one| one.best.map(|best| f64::from(best.rank)))),
        among_20: Share::of(members.iter().map(|one| one.best.is_some_and(|best| best.rank <= 20))),
    });
    rows.collect()
}

fn delays(offenders: &[Offender<'_>]) -> Vec<Delay> {
    let rows = groups(offenders).into_iter().map(|(group, at, members)| {
        let hours = |from: fn(&Offender<'_>) -> Hour| {
            Quartiles::of(members.iter().map(|one| one.found.map(|found| f64::from((found.0 - from(one).0).max(0)))))
        };
        let (hours_from_start, hours_after_data) = (hours(|one| one.start), hours(|one| one.data));
        let goal_hours = match at {
            Some(1_000_000) => Some(12.0),
            Some(250_000) => Some(36.0),
            _ => None,
        };
        let verdict = goal_hours.map(|goal| {
            let in_time = members.iter().filter(|one| one.found.is_some_and(|at| f64::from(at.0 - one.data.0) <= goal));
            median_verdict(in_time.count() as u64, members.len() as u64)
        });
        Delay { group, hours_from_start, hours_after_data, goal_hours, verdict }
    });
    rows.collect()
}

/// A median is at most a goal where more than half are: the sign test, by the interval of that share.
fn median_verdict(in_time: u64, all: u64) -> Verdict {
    Share::new(in_time, all).at_least(0.5).goal.map_or(Verdict::NothingToMeasure, |goal| goal.verdict)
}

fn cases_per_workload(offenders: &[Offender<'_>]) -> CasesPerWorkload {
    let counts: Vec<u64> = offenders.iter().map(|one| one.cases).filter(|cases| *cases > 0).collect();
    CasesPerWorkload {
        workloads: counts.len() as u64,
        mean: (!counts.is_empty()).then(|| counts.iter().sum::<u64>() as f64 / counts.len() as f64),
        most: counts.iter().copied().max().unwrap_or(0),
        one: Share::of(counts.iter().map(|cases| *cases == 1)),
    }
}

fn hiding(offenders: &[Offender<'_>]) -> Vec<Hiding> {
    let rows = every_way(offenders).into_iter().map(|way| {
        let (with, without): (Vec<_>, Vec<_>) = offenders.iter().partition(|one| one.workload.evasions.contains(way));
        let shared: Vec<i64> = SCALES
            .into_iter()
            .filter(|at| [&with, &without].iter().all(|side| side.iter().any(|one| one.scale == Some(*at))))
            .collect();
        let (mut sum, mut weight) = (0.0, 0.0);
        for at in &shared {
            let score = |side: &[&Offender<'_>]| {
                let scores = side.iter().filter(|one| one.scale == Some(*at)).filter_map(|one| one.best);
                let scores: Vec<_> = scores.map(|best| f64::from(best.score.hundredths()) / 100.0).collect();
                (scores.iter().sum::<f64>() / scores.len() as f64, scores.len() as f64)
            };
            let ((own, count), (other, others)) = (score(&with), score(&without));
            if count > 0.0 && others > 0.0 {
                sum += (own - other) * count;
                weight += count;
            }
        }
        let comparable = without.iter().filter(|one| one.scale.is_some_and(|at| shared.contains(&at)));
        Hiding {
            way: way.to_owned(),
            with: Share::of(with.iter().map(|one| one.found.is_some())),
            without: Share::of(comparable.map(|one| one.found.is_some())),
            score_db: (weight > 0.0).then(|| sum / weight),
        }
    });
    rows.collect()
}

/// `250000` as `250k calls/h`.
fn readable(scale: i64) -> String {
    match scale {
        1_000_000 => "1M calls/h".to_owned(),
        other => format!("{}k calls/h", other / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::super::watching::{AccountEnd, SeenCase};
    use super::*;
    use review::Decibans;
    use usage::{Day, Measure};

    const START: Hour = Day(20_000).start();

    fn key(customer: &str, account: &str) -> AccountKey {
        AccountKey { provider: "p".into(), customer: customer.into(), account: account.into() }
    }

    fn workload(name: &str, kind: &str, calls: i64, accounts: &[&str], evasions: &[&str]) -> Workload {
        Workload {
            name: name.into(),
            kind: kind.into(),
            forbidden: kind == "mass_surveillance",
            calls_per_hour: Some(calls),
            started_at: None,
            evasions: evasions.iter().map(|way| (*way).to_owned()).collect(),
            accounts: accounts.iter().map(|account| (*account).to_owned()).collect(),
        }
    }

    fn case(held: &[(u32, i32)]) -> SeenCase {
        let held: BTreeMap<u32, Hour> = held.iter().map(|(account, at)| (*account, START.plus(*at))).collect();
        SeenCase { strongest: held.keys().next().copied(), held }
    }

    /// Accounts 0 and 1 are one split workload, 2 is never found, 3 and 4 are lawful, 5 is in no truth.
    fn figures(cases: Vec<SeenCase>) -> Figures {
        let accounts: Vec<_> = ["a", "b", "c", "d", "e", "f"].iter().map(|name| key(name, name)).collect();
        let truth = Truth {
            workloads: vec![
                workload("split", "mass_surveillance", 240_000, &["a", "b"], &["split"]),
                workload("quiet", "mass_surveillance", 1_200_000, &["c"], &[]),
                workload("web", "web", 0, &["d"], &[]),
                workload("calls", "contact_centre", 9_000, &["e"], &[]),
                workload("gone", "mass_surveillance", 5_000, &["nowhere"], &[]),
            ],
            rejections: Vec::new(),
        };
        let owners = Owners::new(&accounts, &truth);
        let arrival = Arrival { charged: START, known: START.plus(2) };
        let best = |score| Best {
            rank: 3,
            score: Decibans::from_tenths(score),
            floor: Decibans::from_tenths(-160),
            families: 3,
            nights_above: 0,
        };
        let ends = (0..6).map(|account| AccountEnd {
            account,
            totals: [i64::from(account); Measure::COUNT],
            calls_per_hour: i64::from(account),
        });
        let seen = Seen {
            ticks: 720,
            customers: 6,
            cases,
            best: BTreeMap::from([(0, best(-100)), (1, best(-200))]),
            ranking: vec![vec![0, 1], vec![4], vec![2], vec![3], vec![5]],
            accounts: ends.collect(),
            families_needed: 3,
            ..Seen::default()
        };
        Judged {
            records: "hourly",
            every: 1,
            span: (START, START.plus(720)),
            accounts: &accounts,
            truth: &truth,
            owners: &owners,
            arrivals: &BTreeMap::from([(0, arrival), (1, arrival)]),
            seen: &seen,
        }
        .figures()
    }

    fn found(figures: &Figures, group: &str, days: Option<i32>) -> (u64, u64) {
        let row = figures.recall.iter().find(|row| row.group == group && row.within_days == days).unwrap();
        (row.found.k, row.found.n)
    }

    #[test]
    fn cases_are_matched_to_workloads_by_any_account() {
        let figures = figures(vec![case(&[(1, 24), (0, 400)]), case(&[(4, 48)]), case(&[(0, 60)])]);
        assert_eq!(figures.offenders, 2, "a workload without usage cannot be found");
        assert_eq!(found(&figures, "all", None), (1, 2));
        assert_eq!(found(&figures, "1 way of hiding, 250k calls/h", Some(14)), (1, 1));
        assert_eq!(found(&figures, "nothing hidden, 1M calls/h", None), (0, 1));
        assert_eq!((figures.precision.cases.k, figures.precision.cases.n), (2, 3));
        assert_eq!((figures.cases_per_workload.mean, figures.cases_per_workload.most), (Some(2.0), 2));
        let split = figures.delays.iter().find(|row| row.group == "hidden or not, 250k calls/h").unwrap();
        assert_eq!(split.hours_from_start.median, Some(24.0));
        assert_eq!(split.hours_after_data.median, Some(22.0));
        let [wrong] = figures.false_reviews.kinds.as_slice() else { panic!("{:?}", figures.false_reviews) };
        assert_eq!((wrong.kind.as_str(), wrong.customers, wrong.ratio), ("contact_centre", 1, Some(6.0)));
        assert_eq!(figures.not_found.len(), 1);
        assert!(figures.not_found[0].cause.contains("4.0 dB below the floor"), "{}", figures.not_found[0].cause);
    }

    #[test]
    fn a_workload_counts_as_found_when_its_account_joins_a_case() {
        let figures = figures(vec![case(&[(4, 24), (2, 600)])]);
        assert_eq!(found(&figures, "nothing hidden, 1M calls/h", None), (1, 1));
        assert_eq!(found(&figures, "nothing hidden, 1M calls/h", Some(14)), (0, 1));
        assert_eq!(figures.false_reviews.all.events, 0);
        assert_eq!((figures.precision.accounts.k, figures.precision.accounts.n), (1, 2));
    }

    #[test]
    fn workloads_that_were_not_watched_so_long_do_not_count() {
        let figures = figures(Vec::new());
        assert_eq!(found(&figures, "nothing hidden, 1M calls/h", Some(30)), (0, 1));
        assert_eq!(figures.cases_per_workload.mean, None);
        assert_eq!(figures.false_reviews.worst, Verdict::NothingToMeasure);
        assert_eq!(figures.rivals.len(), 4);
    }

    #[test]
    fn scales_are_the_nearest_by_ratio() {
        for (calls, at) in [(600_000, 1_000_000), (450_000, 250_000), (100_000, 50_000), (15_000, 5_000), (1, 5_000)] {
            assert_eq!(scale(calls), Some(at), "{calls}");
        }
        assert_eq!(scale(0), None);
    }
}
