//! Which findings become cases: ranked, above a floor, lasting, and no more than people can review.
//!
//! One workload is one finding and one case: of entities that share an account only the strongest is listed, and an
//! account that has a case brings its workload into that case. Nothing here restricts anybody; it fills a queue.

use crate::entity::Kind;
use crate::findings;
use crate::watch::{Evaluation, Watch};
use review::{Decibans, Finding};
use std::collections::{BTreeMap, BTreeSet};
use usage::{AccountKey, Day, Hour};

/// One workload's place in a ranking.
#[derive(Clone, Debug)]
pub struct Ranked {
    /// The entity.
    pub entity: u32,
    /// Above the floor, the smallest set of its accounts that keeps 80 % of the evidence, strongest first; else all.
    pub accounts: Vec<u32>,
    /// Its score reaches the floor, and enough families speak.
    pub above: bool,
    /// It was above on two of three days, or its scale needs no second day.
    pub lasting: bool,
    /// Whether a case would be opened now: lasting, within the budget, not quiet after a clearance.
    pub opens: bool,
}

/// A workload that people looked at and cleared.
#[derive(Clone, Debug)]
pub struct Clearance {
    /// The account.
    pub account: String,
    /// When it was cleared.
    pub at: Hour,
    /// The score it was cleared with. It stays quiet until something new lifts it 6 dB above.
    pub score: Decibans,
}

/// How far a cleared workload must rise to be heard of again.
const SOMETHING_NEW: Decibans = Decibans::from_tenths(60);

/// A case that a replay opened.
#[derive(Clone, Debug)]
pub struct Case {
    /// When.
    pub opened_at: Hour,
    /// The finding it was opened on.
    pub finding: Finding,
    /// All accounts it holds by now.
    pub accounts: BTreeSet<u32>,
    /// Those, and all that were linked with them when it opened or grew: what comes up there belongs to it.
    related: BTreeSet<u32>,
    /// The place of its policy.
    pub policy: usize,
}

/// What is remembered between ticks about who was above the floor and who has a case.
#[derive(Clone, Debug, Default)]
pub struct Docket {
    /// Accounts of workloads above the floor at a midnight, by policy and day.
    marks: BTreeMap<(usize, Day), BTreeSet<u32>>,
    clearances: Vec<Clearance>,
    /// Cases in the order they were opened.
    pub cases: Vec<Case>,
    /// The floor of each policy at the last ranking.
    pub floors: BTreeMap<usize, Decibans>,
}

impl Docket {
    /// A docket that knows what has been cleared.
    pub fn new(clearances: Vec<Clearance>) -> Self {
        Self { clearances, ..Self::default() }
    }

    /// Ranks all workloads of an evaluation; remembers who is above if it is midnight.
    pub fn rank(&mut self, watch: &Watch, evaluation: &Evaluation) -> Vec<Ranked> {
        let Some(policy) = watch.policies.get(evaluation.policy) else { return Vec::new() };
        let order = disjoint(watch, evaluation);
        let score = |ranked: &Ranked| evaluation.scores.get(ranked.entity as usize).map(|score| score.total);
        let floor = raised_floor(policy.floor, policy.floor_raise, &order, score);
        self.floors.insert(evaluation.policy, floor);
        let families = Decibans::from_f64(policy.families_needed.at_least_db).unwrap_or_default();
        let mut budget = policy.weekly_budget(watch.customers());
        let mut ranking = order;
        for ranked in &mut ranking {
            let Some(score) = evaluation.scores.get(ranked.entity as usize) else { continue };
            ranked.above = score.total >= floor && score.families.speaking(families) >= policy.families_needed.count;
            if !ranked.above {
                continue;
            }
            ranked.accounts = keep_most(watch, ranked.entity);
            ranked.lasting = self.lasting(watch, evaluation, ranked);
            ranked.opens = ranked.lasting && budget > 0 && !self.quiet(watch, evaluation, ranked);
            budget = budget.saturating_sub(usize::from(ranked.opens));
        }
        if evaluation.at.of_day() == 0 {
            let above = ranking.iter().filter(|ranked| ranked.above).flat_map(|ranked| ranked.accounts.iter().copied());
            self.marks.insert((evaluation.policy, evaluation.at.day()), above.collect());
            self.marks.retain(|(_, day), _| day.0 + 4 > evaluation.at.day().0);
        }
        ranking
    }

    /// Above now and on one of the two midnights before, or of a scale that needs no second day.
    fn lasting(&self, watch: &Watch, evaluation: &Evaluation, ranked: &Ranked) -> bool {
        let Some(policy) = watch.policies.get(evaluation.policy) else { return false };
        let row = watch.rows.get(ranked.entity as usize);
        let column = crate::workload::Hourly::COLUMNS.iter().position(|(name, _)| *name == policy.fast_lane.column);
        let value = column.zip(row).and_then(|(column, row)| row.workload.hourly.values().nth(column).flatten());
        if value.is_some_and(|value| value >= policy.fast_lane.at_least) {
            return true;
        }
        let last = evaluation.at.plus(-1).day();
        [last, last.plus(-1)].iter().any(|day| {
            let marked = self.marks.get(&(evaluation.policy, *day));
            marked.zip(ranked.accounts.first()).is_some_and(|(marked, strongest)| marked.contains(strongest))
        })
    }

    fn quiet(&self, watch: &Watch, evaluation: &Evaluation, ranked: &Ranked) -> bool {
        let score = evaluation.scores.get(ranked.entity as usize).map_or(Decibans::ZERO, |score| score.total);
        ranked.accounts.iter().any(|account| {
            let name = watch.history.account_keys.get(*account as usize).map(|key| &key.account);
            self.clearances.iter().any(|cleared| {
                Some(&cleared.account) == name && cleared.at <= evaluation.at && score < cleared.score + SOMETHING_NEW
            })
        })
    }

    /// Opens the cases that a ranking calls for, as the live system would: what shares an account with a case joins
    /// it, and no more are opened in seven days than the budget allows.
    pub fn open(&mut self, watch: &Watch, evaluation: &Evaluation, ranking: &[Ranked]) {
        let Some(policy) = watch.policies.get(evaluation.policy) else { return };
        let week_ago = evaluation.at.plus(-168);
        let recent =
            self.cases.iter().filter(|case| case.policy == evaluation.policy && case.opened_at > week_ago).count();
        let mut budget = policy.weekly_budget(watch.customers()).saturating_sub(recent);
        for (ranked, rank) in ranking.iter().zip(1_u32..).filter(|(ranked, _)| ranked.above && ranked.lasting) {
            let linked = watch.entities.get(ranked.entity as usize).map_or(&[][..], |entity| &entity.accounts);
            if self.join(evaluation.policy, ranked, linked) {
                continue;
            }
            if budget == 0 || self.quiet(watch, evaluation, ranked) {
                continue;
            }
            budget -= 1;
            let finding = findings::finding(watch, evaluation, self, ranked, rank);
            let accounts = ranked.accounts.iter().copied().collect();
            let related = linked.iter().copied().collect();
            self.cases.push(Case { opened_at: evaluation.at, finding, accounts, related, policy: evaluation.policy });
        }
    }

    /// Adds a workload to the case that knows one of its accounts. Cases that it shows to be one become one: the
    /// earliest, which takes in the others.
    fn join(&mut self, policy: usize, ranked: &Ranked, linked: &[u32]) -> bool {
        let knows = |case: &Case| case.policy == policy && linked.iter().any(|account| case.related.contains(account));
        let Some(first) = self.cases.iter().position(knows) else { return false };
        let (mut accounts, mut related) = (BTreeSet::new(), BTreeSet::new());
        let mut place = 0;
        self.cases.retain(|case| {
            let taken_in = place > first && knows(case);
            place += 1;
            if taken_in {
                accounts.extend(&case.accounts);
                related.extend(&case.related);
            }
            !taken_in
        });
        if let Some(case) = self.cases.get_mut(first) {
            case.accounts.extend(ranked.accounts.iter().chain(&accounts));
            case.related.extend(linked.iter().chain(&related));
        }
        true
    }
}

/// The population itself may raise the floor: to the median of all workloads and four times the distance from there to
/// the highest tenth, but by no more than the policy allows.
fn raised_floor(
    floor: Decibans,
    raise: Decibans,
    order: &[Ranked],
    score: impl Fn(&Ranked) -> Option<Decibans>,
) -> Decibans {
    let at = |place: usize| order.get(place).and_then(&score).map(Decibans::hundredths);
    let (Some(middle), Some(high)) = (at(order.len() / 2), at(order.len() / 10)) else { return floor };
    let wanted = Decibans::from_hundredths(middle.saturating_add(4 * (high - middle)));
    wanted.clip((floor, floor + raise))
}

/// All workloads by falling score, each account in the strongest only. Ties are broken by names.
fn disjoint(watch: &Watch, evaluation: &Evaluation) -> Vec<Ranked> {
    let mut order: Vec<(Decibans, u32)> =
        evaluation.scores.iter().zip(0..).map(|(score, place)| (score.total, place)).collect();
    // Only few scores tie; the names are compared for those alone.
    order.sort_unstable_by(|a, b| {
        let by_score = b.0.cmp(&a.0).then_with(|| tie(watch, a.1).cmp(&tie(watch, b.1)));
        by_score.then_with(|| all_names(watch, a.1).cmp(&all_names(watch, b.1)))
    });
    let mut taken = vec![false; watch.history.accounts.len()];
    let mut out = Vec::new();
    for (_, entity) in order {
        let Some(one) = watch.entities.get(entity as usize) else { continue };
        // A customer's accounts that nothing links are not one workload.
        let free = one.accounts.iter().all(|account| !taken.get(*account as usize).copied().unwrap_or(true));
        if !free || one.kind == Kind::Customer && one.links.linked_accounts == 0 {
            continue;
        }
        for account in &one.accounts {
            if let Some(slot) = taken.get_mut(*account as usize) {
                *slot = true;
            }
        }
        out.push(Ranked { entity, accounts: one.accounts.clone(), above: false, lasting: false, opens: false });
    }
    out
}

/// More accounts first, then by the first account's name.
fn tie(watch: &Watch, entity: u32) -> (std::cmp::Reverse<usize>, Option<&AccountKey>) {
    let accounts = watch.entities.get(entity as usize).map_or(&[][..], |entity| &entity.accounts);
    (std::cmp::Reverse(accounts.len()), names(watch, entity).min())
}

fn names(watch: &Watch, entity: u32) -> impl Iterator<Item = &AccountKey> {
    let accounts = watch.entities.get(entity as usize).map_or(&[][..], |entity| &entity.accounts);
    accounts.iter().filter_map(|account| watch.history.account_keys.get(*account as usize))
}

/// All names in their order: two sets of as many accounts may share the first.
fn all_names(watch: &Watch, entity: u32) -> Vec<&AccountKey> {
    let mut all: Vec<&AccountKey> = names(watch, entity).collect();
    all.sort_unstable();
    all
}

/// The smallest set of an entity's accounts that keeps 80 % of the evidence, strongest first: evidence is shared out by
/// the calls each account contributes, or the bytes where there are none that look like calls.
pub fn keep_most(watch: &Watch, entity: u32) -> Vec<u32> {
    let Some(entity) = watch.entities.get(entity as usize) else { return Vec::new() };
    let hourly = |account: u32| {
        watch.single(account).and_then(|one| watch.rows.get(one as usize)).map(|row| &row.workload.hourly)
    };
    let calls = |account: u32| hourly(account).and_then(|hourly| hourly.calls_per_hour_mean).unwrap_or(0).max(0);
    let bytes = |account: u32| hourly(account).and_then(|hourly| hourly.byte_calls_per_hour).unwrap_or(0).max(0);
    let any_calls = entity.accounts.iter().any(|account| calls(*account) > 0);
    let weight = |account: u32| if any_calls { calls(account) } else { bytes(account) };
    let key = |account: u32| watch.history.account_keys.get(account as usize);
    let mut shares: Vec<(i64, u32)> = entity.accounts.iter().map(|account| (weight(*account), *account)).collect();
    shares.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| key(a.1).cmp(&key(b.1))));
    let all: i128 = shares.iter().map(|share| i128::from(share.0)).sum();
    let mut sum = 0_i128;
    let mut kept = Vec::new();
    for (share, account) in shares {
        if !kept.is_empty() && sum * 5 >= all * 4 {
            break;
        }
        sum += i128::from(share);
        kept.push(account);
    }
    kept
}
