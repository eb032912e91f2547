//! Simpler ways to choose whom to look at, on the same data at the same review budget.
//!
//! Each rival ranks single accounts by what the last week of records says; Tribune ranks workloads. One measure for
//! all: what is reviewed from the top of the list, and which forbidden workloads come into sight.

use super::forest;
use super::intervals::Share;
use super::truth::Truth;
use super::watching::{AccountEnd, Owners, Seen};
use serde::Serialize;
use signals::numbers::log2_milli;
use std::collections::BTreeSet;
use usage::Measure;

/// The seed of the forest: any would do, but it must stay.
const SEED: u64 = 2_008;

/// How one way of ranking does at the end of the records.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Rival {
    /// Which.
    pub ranking: &'static str,
    /// Forbidden workloads among as many reviews as Tribune opened cases.
    pub recall: Share,
    /// Of the first twenty reviews, how many are of a forbidden workload.
    pub top_20: Share,
    /// Average precision over forbidden workloads; further accounts of one already seen count neither way.
    pub average_precision: Option<f64>,
}

/// Tribune's own ranking and its rivals', by the same measure.
pub(super) fn compare(seen: &Seen, truth: &Truth, owners: &Owners, offenders: &BTreeSet<usize>) -> Vec<Rival> {
    let forbidden = |account: u32| owners.forbidden([account], truth);
    let own = seen.ranking.iter().map(|accounts| owners.forbidden(accounts.iter().copied(), truth)).collect();
    let by = |value: &dyn Fn(&AccountEnd) -> f64| {
        let mut order: Vec<(f64, u32)> = seen.accounts.iter().map(|end| (value(end), end.account)).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        order.into_iter().map(|(_, account)| forbidden(account)).collect::<Vec<_>>()
    };
    let points: Vec<_> = seen.accounts.iter().map(|end| end.totals.map(|total| log2_milli(1 + total.max(0)))).collect();
    let mut unusual: Vec<(f64, u32)> =
        forest::scores(&points, SEED).into_iter().zip(seen.accounts.iter().map(|end| end.account)).collect();
    unusual.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let unusual = unusual.into_iter().map(|(_, account)| forbidden(account)).collect();
    let rankings: [(&'static str, Vec<Option<usize>>); 4] = [
        ("tribune", own),
        ("spend", by(&|end| spend(&end.totals))),
        ("calls-per-hour", by(&|end| end.calls_per_hour as f64)),
        ("isolation-forest", unusual),
    ];
    let judged = rankings.into_iter().map(|(name, order)| judge(name, &order, seen.cases.len(), offenders));
    judged.collect()
}

/// `order` has the forbidden workload of each place, from the top.
fn judge(ranking: &'static str, order: &[Option<usize>], budget: usize, offenders: &BTreeSet<usize>) -> Rival {
    let found: BTreeSet<usize> = order.iter().take(budget).filter_map(|place| *place).collect();
    let found = found.intersection(offenders).count() as u64;
    Rival {
        ranking,
        recall: Share::new(found, offenders.len() as u64),
        top_20: Share::of(order.iter().take(20).map(Option::is_some)),
        average_precision: average_precision(order, offenders.len()),
    }
}

fn average_precision(order: &[Option<usize>], all: usize) -> Option<f64> {
    let mut seen = BTreeSet::new();
    let (mut looks, mut sum) = (0_u32, 0.0);
    for place in order {
        match place {
            None => looks += 1,
            Some(workload) if seen.insert(*workload) => {
                looks += 1;
                sum += seen.len() as f64 / f64::from(looks);
            }
            Some(_) => {}
        }
    }
    (all > 0).then(|| sum / all as f64)
}

/// What the totals would cost in US dollars. List prices differ by provider, region and volume: these are round
/// numbers of the usual order, good enough to rank by.
fn spend(totals: &[i64; Measure::COUNT]) -> f64 {
    Measure::ALL.iter().zip(totals).map(|(measure, total)| price(*measure) * *total as f64).sum()
}

fn price(of: Measure) -> f64 {
    const GB: f64 = 1e-9;
    match of {
        Measure::ObjectsWritten => 5e-6,
        Measure::ObjectsRead | Measure::DatabaseRequests => 4e-7,
        Measure::ObjectsDeleted | Measure::BytesIn => 0.0,
        Measure::BytesOut | Measure::BytesExported | Measure::BytesCdn => 0.05 * GB,
        Measure::ByteHoursStored => 0.02 * GB / 730.0,
        Measure::AudioSecondsTranscribed => 1.0 / 3_600.0,
        Measure::SpeakersIdentified | Measure::ImagesAnalysed | Measure::FacesIdentified => 0.001,
        Measure::CharactersTranslated => 1e-5,
        Measure::TokensProcessed => 1e-6,
        Measure::TokensEmbedded => 1e-7,
        Measure::DocumentsIndexed => 1e-5,
        Measure::VcpuHours => 0.04,
        Measure::GpuHours => 2.5,
        Measure::BytesPrivateLink => 0.02 * GB,
        Measure::TelephonyMinutes => 0.01,
        Measure::MessagesSent => 0.001,
        Measure::IotMessages => 1e-6,
        Measure::BytesLogged => 0.5 * GB,
        Measure::ServiceHours => 200.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_ranking_is_perfect_and_repeats_cost_reviews_only() {
        let offenders = BTreeSet::from([1, 2]);
        let perfect = judge("a", &[Some(1), Some(2), None, None], 2, &offenders);
        assert_eq!((perfect.recall.k, perfect.average_precision), (2, Some(1.0)));
        let repeated = judge("b", &[Some(1), Some(1), Some(2), None], 2, &offenders);
        assert_eq!((repeated.recall.k, repeated.top_20.k, repeated.average_precision), (1, 3, Some(1.0)));
        let late = judge("c", &[None, Some(1), None], 2, &offenders);
        assert_eq!(late.average_precision, Some(0.25));
        assert_eq!(judge("d", &[None], 2, &BTreeSet::new()).average_precision, None);
    }

    #[test]
    fn spend_adds_what_meters_cost() {
        let mut totals = [0; Measure::COUNT];
        totals[Measure::GpuHours.index()] = 4;
        totals[Measure::AudioSecondsTranscribed.index()] = 7_200;
        assert!((spend(&totals) - 12.0).abs() < 1e-9);
    }
}
