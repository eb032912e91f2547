//! Which accounts look like one workload spread over several.
//!
//! Points for what two accounts share; from [`LINK_POINTS`] on, and only if their readings are alike or move together,
//! they are linked; connected accounts form a group that is scored as a whole. A hub (a payer or customer of very many
//! accounts) gives fewer points: what everybody shares tells nothing. A link is no evidence by itself.

use crate::numbers::{clamp, correlation_permille, log2_milli, median};
use crate::series::HOURS;
use crate::workload::{CALL_BYTES, Workload};
use std::collections::BTreeMap;
use usage::{Day, Measure};

/// Two accounts are linked from this many points on.
pub const LINK_POINTS: i64 = 6;
/// An account takes part once it takes in as many bytes as this many calls an hour.
const LEAST_CALLS_PER_HOUR: i64 = 20;
/// Blocks and buckets larger than this are hubs: pairs within them are not all looked at.
const HUB: usize = 400;
/// How many accounts it takes to tell what all have in common.
const CROWD: usize = 20;
/// Correlation of the residual ingress from which two accounts move together, in thousandths.
const TOGETHER_PERMILLE: i64 = 600;
/// Mean difference of the logarithms of the mix below which two accounts are alike, in thousandths of a bit.
const ALIKE_MILLI: i64 = 600;

/// The mix is told from these measures, each per byte taken in.
const MIX: [Measure; 10] = [
    Measure::ObjectsWritten,
    Measure::ObjectsRead,
    Measure::ObjectsDeleted,
    Measure::BytesOut,
    Measure::AudioSecondsTranscribed,
    Measure::CharactersTranslated,
    Measure::TokensProcessed,
    Measure::DocumentsIndexed,
    Measure::GpuHours,
    Measure::TelephonyMinutes,
];

/// What linking knows of one account.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The account's index.
    pub account: u32,
    /// The customer, as an index that only has to tell customers apart.
    pub customer: u32,
    /// The unit within the customer, likewise; `None` when unknown.
    pub unit: Option<u32>,
    /// Who pays, likewise.
    pub payer: Option<u32>,
    /// When it was created.
    pub created: Option<Day>,
    mix: [i64; MIX.len()],
    /// Hourly ingress, each hour of the day's own median removed, as its logarithm; oldest first.
    residual: Option<Box<[i64; HOURS]>>,
}

impl Profile {
    /// The profile of an account that takes in enough to take part.
    pub fn of(account: u32, workload: &Workload, ingress: &[i64; HOURS]) -> Option<Self> {
        let total = |measure: Measure| workload.totals.get(measure.index()).copied().unwrap_or(0);
        if workload.hourly.byte_calls_per_hour.unwrap_or(0) < LEAST_CALLS_PER_HOUR {
            return None;
        }
        let calls = (total(Measure::BytesIn) / CALL_BYTES).max(1);
        // Per million calls, so that what is rare still has digits.
        let mix =
            MIX.map(|measure| log2_milli(1_000 + clamp(i128::from(total(measure)) * 1_000_000 / i128::from(calls))));
        let residual = (workload.hourly.hours_complete.unwrap_or(0) >= 72).then(|| Box::new(residual(ingress)));
        Some(Self { account, customer: 0, unit: None, payer: None, created: None, mix, residual })
    }

    /// Whether the mixes are alike, in what at least one of them uses; two accounts that use little are not.
    fn alike(&self, other: &Self) -> bool {
        let used = self.mix.iter().zip(&other.mix).filter(|(a, b)| **a > 0 || **b > 0);
        let (count, apart) = used.fold((0, 0), |(count, apart), (a, b)| (count + 1, apart + (a - b).abs()));
        count >= 3 && apart <= ALIKE_MILLI * count
    }

    fn together(&self, other: &Self) -> bool {
        let (Some(a), Some(b)) = (&self.residual, &other.residual) else { return false };
        let pairs = a.iter().copied().zip(b.iter().copied());
        correlation_permille(pairs, 72).is_some_and(|r| r >= TOGETHER_PERMILLE)
    }

    fn same_birth(&self, other: &Self) -> bool {
        self.created.zip(other.created).is_some_and(|(a, b)| (a.0 - b.0).abs() <= 30)
    }
}

/// The logarithm of each hour, the median of the same hour of all days and then each day's own median taken away: what
/// neither the day's rhythm, nor the days of the week, nor the size of the account explains.
fn residual(ingress: &[i64; HOURS]) -> [i64; HOURS] {
    let mut out = ingress.map(|bytes| log2_milli(bytes.max(0).saturating_add(1_000)));
    for hour in 0..24 {
        let mut same: Vec<i64> = out.iter().skip(hour).step_by(24).copied().collect();
        let middle = median(&mut same).unwrap_or(0);
        out.iter_mut().skip(hour).step_by(24).for_each(|value| *value -= middle);
    }
    for day in out.chunks_mut(24) {
        let middle = median(&mut day.to_vec()).unwrap_or(0);
        day.iter_mut().for_each(|value| *value -= middle);
    }
    out
}

/// Takes away what all have in common (a shock, an outage, a gap in the data): the median residual of every hour.
fn remove_the_crowd(profiles: &mut [Profile]) {
    for hour in 0..HOURS {
        let mut all: Vec<i64> = profiles.iter().filter_map(|p| p.residual.as_ref()?.get(hour).copied()).collect();
        if all.len() < CROWD {
            return;
        }
        let middle = median(&mut all).unwrap_or(0);
        for value in profiles.iter_mut().filter_map(|p| p.residual.as_mut()?.get_mut(hour)) {
            *value -= middle;
        }
    }
}

/// What is known of an account's place in a group; columns of the relation `links`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Accounts in the group.
    pub linked_accounts: i64,
    /// Accounts of the group whose residual ingress moves with another's.
    pub moving_together: i64,
    /// Accounts of the group created within 30 days of another and with the same mix.
    pub siblings: i64,
    /// Accounts of the group whose mix is like another's.
    pub alike: i64,
    /// Customers the group spreads over.
    pub customers: i64,
}

impl Links {
    /// Names and meanings of the columns of `links`, after `entity`.
    pub const COLUMNS: &[(&str, &str)] = &[
        ("linked_accounts", "accounts of the entity that are linked with another of it"),
        ("moving_together", "linked accounts whose hourly ingress, the day's rhythm removed, moves with another's"),
        ("siblings", "linked accounts created within 30 days of another and with the same mix of meters"),
        ("alike", "linked accounts whose mix of meters is like another's"),
        ("customers", "customers the linked accounts belong to"),
    ];

    /// Sets a column by its name; false if there is none.
    pub fn set(&mut self, name: &str, value: i64) -> bool {
        let slot = match name {
            "linked_accounts" => &mut self.linked_accounts,
            "moving_together" => &mut self.moving_together,
            "siblings" => &mut self.siblings,
            "alike" => &mut self.alike,
            "customers" => &mut self.customers,
            _ => return false,
        };
        *slot = value;
        true
    }

    /// The values in the order of [`Self::COLUMNS`].
    pub fn values(&self) -> [Option<i64>; 5] {
        [self.linked_accounts, self.moving_together, self.siblings, self.alike, self.customers].map(Some)
    }
}

/// A group of linked accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Indices, rising; at least two.
    pub accounts: Vec<u32>,
    /// What links them.
    pub links: Links,
}

#[derive(Clone, Copy, Default)]
struct Bonds {
    together: bool,
    sibling: bool,
    alike: bool,
}

/// Finds the groups among the profiles. The result does not depend on their order.
pub fn groups(mut profiles: Vec<Profile>) -> Vec<Group> {
    profiles.sort_by_key(|profile| profile.account);
    remove_the_crowd(&mut profiles);
    let sizes = Sizes::of(&profiles);
    let mut sets = DisjointSets::new(profiles.len());
    let mut bonds = vec![Bonds::default(); profiles.len()];
    for (a, b) in candidate_pairs(&profiles) {
        let (Some(one), Some(other)) = (profiles.get(a), profiles.get(b)) else { continue };
        let (alike, sibling) = (one.alike(other), one.same_birth(other));
        let shared = sizes.points(one, other) + 2 * i64::from(sibling) + 3 * i64::from(alike);
        // The correlation is the dear part: asked for only where it can decide or strengthen a link.
        let together = shared + 4 >= LINK_POINTS && one.together(other);
        // Strangers to each other, of two customers without a common payer, must both move together and be alike.
        let strangers = one.customer != other.customer && (one.payer.is_none() || one.payer != other.payer);
        let tied = if strangers { alike && together } else { alike || together };
        if shared + 4 * i64::from(together) >= LINK_POINTS && tied {
            sets.join(a, b);
            for place in [a, b] {
                if let Some(bond) = bonds.get_mut(place) {
                    bond.alike |= alike;
                    bond.sibling |= sibling && alike;
                    bond.together |= together;
                }
            }
        }
    }
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for place in 0..profiles.len() {
        members.entry(sets.root(place)).or_default().push(place);
    }
    members.into_values().filter(|places| places.len() > 1).map(|places| group(&profiles, &bonds, &places)).collect()
}

fn group(profiles: &[Profile], bonds: &[Bonds], places: &[usize]) -> Group {
    let of = |has: fn(&Bonds) -> bool| places.iter().filter_map(|p| bonds.get(*p)).filter(|b| has(b)).count() as i64;
    let mut customers: Vec<u32> = places.iter().filter_map(|p| profiles.get(*p)).map(|p| p.customer).collect();
    customers.sort_unstable();
    customers.dedup();
    Group {
        accounts: places.iter().filter_map(|p| profiles.get(*p)).map(|p| p.account).collect(),
        links: Links {
            linked_accounts: places.len() as i64,
            moving_together: of(|bond| bond.together),
            siblings: of(|bond| bond.sibling),
            alike: of(|bond| bond.alike),
            customers: customers.len() as i64,
        },
    }
}

/// How many profiles share a customer, a unit, a payer.
struct Sizes {
    customers: BTreeMap<u32, usize>,
    payers: BTreeMap<u32, usize>,
}

impl Sizes {
    fn of(profiles: &[Profile]) -> Self {
        let mut sizes = Self { customers: BTreeMap::new(), payers: BTreeMap::new() };
        for profile in profiles {
            *sizes.customers.entry(profile.customer).or_default() += 1;
            if let Some(payer) = profile.payer {
                *sizes.payers.entry(payer).or_default() += 1;
            }
        }
        sizes
    }

    /// Points for who the accounts belong to: unit 3, customer 2, payer 2, of which a hub keeps half or nothing.
    fn points(&self, one: &Profile, other: &Profile) -> i64 {
        let discounted = |size: Option<&usize>| match size.copied().unwrap_or(0) {
            0..=100 => 2,
            101..=HUB => 1,
            _ => 0,
        };
        let mut points = 0;
        if one.customer == other.customer {
            points += discounted(self.customers.get(&one.customer));
            if one.unit.is_some() && one.unit == other.unit {
                points += 3;
            }
        }
        if let Some(payer) = one.payer.filter(|_| one.payer == other.payer) {
            points += discounted(self.payers.get(&payer));
        }
        points
    }
}

/// Pairs worth comparing: of one customer, of one payer, or of similar residual ingress; each once, in order.
fn candidate_pairs(profiles: &[Profile]) -> Vec<(usize, usize)> {
    let mut blocks: BTreeMap<(u8, u64), Vec<usize>> = BTreeMap::new();
    for (place, profile) in profiles.iter().enumerate() {
        blocks.entry((0, u64::from(profile.customer))).or_default().push(place);
        if let Some(unit) = profile.unit {
            blocks.entry((1, u64::from(profile.customer) << 32 | u64::from(unit))).or_default().push(place);
        }
        if let Some(payer) = profile.payer {
            blocks.entry((2, u64::from(payer))).or_default().push(place);
        }
        for (band, signature) in profile.residual.iter().flat_map(|residual| signatures(residual).enumerate()) {
            blocks.entry((3 + band as u8, signature)).or_default().push(place);
        }
    }
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for block in blocks.values().filter(|block| block.len() <= HUB) {
        for (at, a) in block.iter().enumerate() {
            pairs.extend(block.iter().skip(at + 1).map(|b| (*a, *b)));
        }
    }
    // A hub's accounts are still compared with their neighbours, so that a chain of alike ones holds together.
    for block in blocks.values().filter(|block| block.len() > HUB) {
        pairs.extend(block.iter().zip(block.iter().skip(1)).map(|(a, b)| (*a, *b)));
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// Sixteen-bit signatures of the residual: whether each of 14 + 2 stretches of hours lies above the median. Series that
/// move together agree in at least one of the bands.
fn signatures(residual: &[i64; HOURS]) -> impl Iterator<Item = u64> + '_ {
    const BITS: usize = 14;
    (0..HOURS / BITS).map(move |band| {
        let hours = residual.iter().skip(band * BITS).take(BITS);
        hours.fold(0, |signature, value| signature << 1 | u64::from(*value > 0))
    })
}

struct DisjointSets(Vec<usize>);

impl DisjointSets {
    fn new(len: usize) -> Self {
        Self((0..len).collect())
    }

    fn root(&mut self, mut place: usize) -> usize {
        while let Some(&parent) = self.0.get(place) {
            if parent == place {
                break;
            }
            let grandparent = self.0.get(parent).copied().unwrap_or(parent);
            if let Some(slot) = self.0.get_mut(place) {
                *slot = grandparent;
            }
            place = grandparent;
        }
        place
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        if let Some(slot) = self.0.get_mut(a.max(b)) {
            *slot = a.min(b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An account whose ingress is `share` percent of a common stream, or of a stream of its own.
    fn profile(account: u32, customer: u32, stream: i64, share: i64) -> Profile {
        let mut ingress = [0; HOURS];
        for (hour, bytes) in ingress.iter_mut().enumerate() {
            let wobble = (hour as i64 * 7_919 + stream * 104_729) * (stream + 3) % 1_009;
            *bytes = (1_000 + wobble) * share * CALL_BYTES / 100;
        }
        let mut workload = Workload::default();
        workload.hourly.byte_calls_per_hour = Some(1_500 * share / 100);
        workload.hourly.hours_complete = Some(162);
        workload.totals[Measure::BytesIn.index()] = ingress.iter().sum();
        workload.totals[Measure::ObjectsWritten.index()] = ingress.iter().sum::<i64>() / CALL_BYTES;
        Profile { customer, ..Profile::of(account, &workload, &ingress).unwrap() }
    }

    #[test]
    fn one_stream_over_several_customers_is_one_group() {
        let profiles = vec![profile(0, 0, 1, 40), profile(1, 1, 1, 35), profile(2, 2, 1, 25), profile(3, 3, 8, 50)];
        let found = groups(profiles);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].accounts, [0, 1, 2]);
        assert_eq!((found[0].links.moving_together, found[0].links.customers), (3, 3));
    }

    #[test]
    fn siblings_of_a_unit_are_linked_but_a_common_payer_alone_links_nobody() {
        let day = Some(Day(20_000));
        let unit = |account, stream| Profile { unit: Some(1), created: day, ..profile(account, 7, stream, 50) };
        assert_eq!(groups(vec![unit(0, 1), unit(1, 5)])[0].links.siblings, 2);
        let paid = |account, stream| Profile { payer: Some(1), ..profile(account, account, stream, 50) };
        assert_eq!(groups(vec![paid(0, 1), paid(1, 5)]), []);
    }

    #[test]
    fn the_order_of_accounts_does_not_matter() {
        let mut profiles: Vec<Profile> = (0..12).map(|a| profile(a, a, i64::from(a % 4), 30 + i64::from(a))).collect();
        let forward = groups(profiles.clone());
        profiles.reverse();
        assert_eq!(forward, groups(profiles));
    }

    #[test]
    fn what_is_too_small_takes_no_part() {
        let workload = Workload::default();
        assert!(Profile::of(0, &workload, &[0; HOURS]).is_none());
    }
}
