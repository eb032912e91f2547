//! One pass of the clock over the records, as a replay makes it, and what of it the figures need.
//!
//! It knows which accounts belong to which forbidden workload so as to note where each stood; it tells the watch and
//! the docket nothing of that.

use super::truth::Truth;
use crate::common::{Failure, Opened, Progress};
use review::Decibans;
use signals::docket::{Docket, Ranked};
use signals::drive::{View, drive_view, known, replay_hours};
use signals::pack::Policy;
use signals::watch::{Evaluation, Watch};
use std::collections::BTreeMap;
use usage::{AccountKey, Books, ByDay, Hour, Measure, UsageError};

/// Whose an account is, by its place in the books: the place of its workload in the truth.
pub(super) struct Owners(Vec<Option<usize>>);

impl Owners {
    /// Of all accounts in the books.
    pub(super) fn new(accounts: &[AccountKey], truth: &Truth) -> Self {
        let named = truth.workloads.iter().zip(0..).flat_map(|(workload, place)| {
            workload.accounts.iter().map(move |account| (account.as_str(), place)).collect::<Vec<_>>()
        });
        let named: BTreeMap<&str, usize> = named.collect();
        Self(accounts.iter().map(|key| named.get(key.account.as_str()).copied()).collect())
    }

    /// The workload of an account.
    pub(super) fn of(&self, account: u32) -> Option<usize> {
        self.0.get(account as usize).copied().flatten()
    }

    /// How many accounts the truth says nothing of.
    pub(super) fn unknown(&self) -> usize {
        self.0.iter().filter(|owner| owner.is_none()).count()
    }

    /// The first workload of these accounts that is forbidden.
    pub(super) fn forbidden(&self, accounts: impl IntoIterator<Item = u32>, truth: &Truth) -> Option<usize> {
        let workloads = accounts.into_iter().filter_map(|account| self.of(account));
        workloads.into_iter().find(|place| truth.workloads.get(*place).is_some_and(|workload| workload.forbidden))
    }
}

/// When a workload's usage was and became known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// The first hour it was charged for, from its start on.
    pub charged: Hour,
    /// When the first of its rows was known.
    pub known: Hour,
}

/// What a pass is over.
pub(super) struct Subject<'a> {
    /// The records and facts.
    pub opened: &'a Opened<Books>,
    /// The one policy that is scored.
    pub policy: &'a Policy,
    /// The truth.
    pub truth: &'a Truth,
    /// Whose each account is.
    pub owners: &'a Owners,
}

/// A case that was opened.
#[derive(Clone, Debug)]
pub(super) struct SeenCase {
    /// Its strongest account.
    pub strongest: Option<u32>,
    /// Each account it came to hold, and since when.
    pub held: BTreeMap<u32, Hour>,
}

/// Where a forbidden workload stood at the best of all midnights.
#[derive(Clone, Copy, Debug)]
pub(super) struct Best {
    /// 1 if it stood above every lawful workload.
    pub rank: u32,
    /// Its highest score, perhaps on another midnight.
    pub score: Decibans,
    /// The floor at that time.
    pub floor: Decibans,
    /// How many families spoke at that time.
    pub families: usize,
    /// On how many midnights it was above the floor with enough families.
    pub nights_above: u32,
}

/// An account at the end, for the rivals.
#[derive(Clone, Debug)]
pub(super) struct AccountEnd {
    /// Its place in the books.
    pub account: u32,
    /// Totals over the last week, by measure.
    pub totals: [i64; Measure::COUNT],
    /// Calls an hour.
    pub calls_per_hour: i64,
}

/// What one pass showed.
#[derive(Default)]
pub(super) struct Seen {
    /// Ticks at which cases could open.
    pub ticks: usize,
    /// Customers with usage.
    pub customers: usize,
    /// Cases in the order they were opened.
    pub cases: Vec<SeenCase>,
    /// Since when each account is in a case.
    pub since: BTreeMap<u32, Hour>,
    /// By place in the truth; forbidden workloads only.
    pub best: BTreeMap<usize, Best>,
    /// The last ranking: each finding's accounts, in order.
    pub ranking: Vec<Vec<u32>>,
    /// Every account at the end, in the order of the books.
    pub accounts: Vec<AccountEnd>,
    /// The families that a case needs.
    pub families_needed: usize,
    /// Scores at the midnights and at the end.
    pub scores: Scores,
}

/// Runs the clock from `from` to `to` and opens cases at every tick.
pub(super) fn watch_over(
    subject: &Subject<'_>,
    view: View,
    (from, to): (Hour, Hour),
    every: i32,
    what: &'static str,
) -> Result<Seen, Failure> {
    let mut watch = new_watch(subject)?;
    let mut docket = Docket::default();
    let hours = replay_hours(from, to, every);
    let progress = Progress::new(what);
    let mut seen = Seen { families_needed: subject.policy.families_needed.count, ..Seen::default() };
    let mut done = 0;
    drive_view(&subject.opened.usage, view, &mut watch, &hours, |watch, hour, evaluations| {
        done += 1;
        let tick = hour >= from && (hour.0 - from.0) % every == 0;
        seen.ticks += usize::from(tick);
        for evaluation in evaluations {
            let ranking = docket.rank(watch, &evaluation);
            if tick {
                docket.open(watch, &evaluation, &ranking);
                seen.follow(watch, &docket, hour);
            }
            if hour.of_day() == 0 && hour >= from {
                seen.midnight(subject, &docket, &evaluation, &ranking);
            }
            if hour == to {
                seen.end(watch, &ranking);
            }
            if counts_for_stability(hour, (from, to)) {
                seen.scores.note(watch, hour, &evaluation, to);
            }
        }
        progress.show(done, hours.len() as u64, &format!("{hour}  {} cases", docket.cases.len()));
    })?;
    progress.done();
    Ok(seen)
}

fn new_watch(subject: &Subject<'_>) -> Result<Watch, Failure> {
    let Subject { opened, policy, .. } = subject;
    Ok(Watch::new(vec![(*policy).clone()], opened.facts.clone(), opened.threads)?)
}

impl Seen {
    /// Notes which accounts came under review, and takes the cases as they stand: those that turn out to be one workload
    /// have become one.
    fn follow(&mut self, watch: &Watch, docket: &Docket, hour: Hour) {
        let name = |account: u32| watch.history.account_keys.get(account as usize).map(|key| &key.account);
        let since = &mut self.since;
        let seen = docket.cases.iter().map(|case| SeenCase {
            strongest: case.accounts.iter().copied().find(|one| name(*one) == case.finding.accounts.first()),
            held: case.accounts.iter().map(|account| (*account, *since.entry(*account).or_insert(hour))).collect(),
        });
        self.cases = seen.collect();
    }

    /// Notes where the forbidden workloads stand.
    fn midnight(&mut self, subject: &Subject<'_>, docket: &Docket, evaluation: &Evaluation, ranking: &[Ranked]) {
        let Subject { policy, truth, owners, .. } = subject;
        let floor = docket.floors.get(&evaluation.policy).copied().unwrap_or(policy.floor);
        let families = Decibans::from_f64(policy.families_needed.at_least_db).unwrap_or_default();
        let mut lawful = 0;
        for ranked in ranking {
            let Some(score) = evaluation.scores.get(ranked.entity as usize) else { continue };
            let Some(workload) = owners.forbidden(ranked.accounts.iter().copied(), truth) else {
                lawful += 1;
                continue;
            };
            let here = Best {
                rank: lawful + 1,
                score: score.total,
                floor,
                families: score.families.speaking(families),
                nights_above: 0,
            };
            let best = self.best.entry(workload).or_insert(here);
            best.nights_above += u32::from(ranked.above);
            if here.score > best.score {
                (best.score, best.floor, best.families) = (here.score, here.floor, here.families);
            }
            best.rank = best.rank.min(here.rank);
        }
    }

    /// Notes what the rivals are judged by.
    fn end(&mut self, watch: &Watch, ranking: &[Ranked]) {
        self.customers = watch.customers();
        self.ranking = ranking.iter().map(|ranked| ranked.accounts.clone()).collect();
        let accounts = (0..watch.history.accounts.len() as u32).filter_map(|account| {
            let workload = &watch.rows.get(watch.single(account)? as usize)?.workload;
            let calls_per_hour = signals::watch::volume(workload);
            Some(AccountEnd { account, totals: workload.totals, calls_per_hour })
        });
        self.accounts = accounts.collect();
    }
}

/// When the usage of each forbidden workload began and became known, in a view.
pub(super) fn arrivals(subject: &Subject<'_>, view: View) -> Result<BTreeMap<usize, Arrival>, Failure> {
    let Subject { opened, truth, owners, .. } = subject;
    let mut arrivals: BTreeMap<usize, Arrival> = BTreeMap::new();
    for day in opened.usage.days() {
        for rows in opened.usage.day(day)?.parts {
            for row in rows.map_err(UsageError::from)? {
                let Some((place, workload)) =
                    owners.of(row.account).and_then(|at| Some((at, truth.workloads.get(at)?)))
                else {
                    continue;
                };
                let charged = match row.period {
                    usage::Period::Hour(hour) => hour,
                    usage::Period::Day(day) => day.start(),
                };
                if !workload.forbidden || workload.started_at.is_some_and(|start| charged < start) {
                    continue;
                }
                let known = known(&view.show(row));
                let arrival = arrivals.entry(place).or_insert(Arrival { charged, known });
                arrival.charged = arrival.charged.min(charged);
                arrival.known = arrival.known.min(known);
            }
        }
    }
    Ok(arrivals)
}

/// Scores at the midnights and at the end.
#[derive(Debug, Default)]
pub(super) struct Scores {
    /// At each midnight, by account, as far as it had usage.
    pub midnights: BTreeMap<Hour, Vec<Option<Decibans>>>,
    /// At the end, of everything that is scored, by its accounts.
    pub end: BTreeMap<Vec<u32>, Decibans>,
}

impl Scores {
    fn note(&mut self, watch: &Watch, hour: Hour, evaluation: &Evaluation, to: Hour) {
        let total = |entity: u32| evaluation.scores.get(entity as usize).map(|score| score.total);
        if hour.of_day() == 0 {
            let accounts = 0..watch.history.accounts.len() as u32;
            self.midnights.insert(hour, accounts.map(|account| total(watch.single(account)?)).collect());
        }
        if hour == to {
            let each = watch.entities.iter().zip(&evaluation.scores);
            self.end = each.map(|(entity, score)| (entity.accounts.clone(), score.total)).collect();
        }
    }
}

fn counts_for_stability(hour: Hour, (from, to): (Hour, Hour)) -> bool {
    hour >= from && (hour.of_day() == 0 || hour == to)
}

/// The scores as they would have been had every row been known at once. Nothing is ranked.
pub(super) fn prompt_scores(
    subject: &Subject<'_>,
    (from, to): (Hour, Hour),
    what: &'static str,
) -> Result<Scores, Failure> {
    let mut hours = replay_hours(from, to, 1);
    hours.retain(|hour| hour.of_day() == 0 || *hour == to);
    let mut watch = new_watch(subject)?;
    let progress = Progress::new(what);
    let mut scores = Scores::default();
    let mut done = 0;
    drive_view(&subject.opened.usage, View::Prompt, &mut watch, &hours, |watch, hour, evaluations| {
        for evaluation in evaluations.iter().filter(|_| counts_for_stability(hour, (from, to))) {
            scores.note(watch, hour, evaluation, to);
        }
        done += 1;
        progress.show(done, hours.len() as u64, &hour.to_string());
    })?;
    progress.done();
    Ok(scores)
}
