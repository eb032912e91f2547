//! Where an entity stands among those who declare the same use.
//!
//! Robust: medians and median absolute deviations, each without the entity itself, among at least fifty others; where
//! the same declared use has fewer, among everybody. A position is no verdict, and no use is named here: peers are
//! groups of equal index.

/// How many others it takes to be compared with.
pub const LEAST_PEERS: usize = 50;
/// Features that are compared, each a logarithm in thousandths of a bit.
pub const FEATURES: usize = 4;
/// The least spread that is assumed, in thousandths of a bit, so that a uniform crowd makes nobody an outlier.
const LEAST_SPREAD: i64 = 150;

/// One entity to compare.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its declared use, as an index that only has to tell uses apart.
    pub group: Option<u32>,
    /// Whether others are compared with it, or it is only compared.
    pub counts: bool,
    /// Calls a day, bytes in a day, reads per write, days kept: as logarithms; `None` where unknown.
    pub features: [Option<i64>; FEATURES],
}

/// Where it stands; columns of the relation `peers`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// How many others it is compared with.
    pub peers: Option<i64>,
    /// 1 if its own declared use had too few, so that it is compared with everybody.
    pub wider: Option<i64>,
    /// Robust z of each feature, in thousandths.
    pub z_milli: [Option<i64>; FEATURES],
    /// One in how many peers is as unusual as it, in the direction of more, longer kept and less read.
    pub unusual_one_in: Option<i64>,
}

impl Standing {
    /// Names and meanings of the columns of `peers`, after `entity`.
    pub const COLUMNS: &[(&str, &str)] = &[
        ("peers", "how many others the entity is compared with (at least 50)"),
        ("wider", "1 if those who declare the same use were too few, so that it is compared with everybody"),
        ("calls_z_milli", "robust z of the logarithm of calls a day, in thousandths"),
        ("ingress_z_milli", "robust z of the logarithm of bytes in a day, in thousandths"),
        ("reads_z_milli", "robust z of the logarithm of reads per write, in thousandths"),
        ("kept_z_milli", "robust z of the logarithm of the days that bytes are kept, in thousandths"),
        (
            "unusual_one_in",
            "one in how many peers is as unusual, in the direction of more, longer kept, less read (conformal)",
        ),
    ];

    /// Sets a column by its name; false if there is none.
    pub fn set(&mut self, name: &str, value: i64) -> bool {
        let [calls, ingress, reads, kept] = &mut self.z_milli;
        let slot = match name {
            "peers" => &mut self.peers,
            "wider" => &mut self.wider,
            "calls_z_milli" => calls,
            "ingress_z_milli" => ingress,
            "reads_z_milli" => reads,
            "kept_z_milli" => kept,
            "unusual_one_in" => &mut self.unusual_one_in,
            _ => return false,
        };
        *slot = Some(value);
        true
    }

    /// The values in the order of [`Self::COLUMNS`].
    pub fn values(&self) -> [Option<i64>; 3 + FEATURES] {
        let [calls, ingress, reads, kept] = self.z_milli;
        [self.peers, self.wider, calls, ingress, reads, kept, self.unusual_one_in]
    }
}

/// Sorted values of one feature and their sorted distances from the median.
struct Spread {
    values: Vec<i64>,
    median: i64,
    distances: Vec<i64>,
}

impl Spread {
    fn of(mut values: Vec<i64>) -> Option<Self> {
        values.sort_unstable();
        let median = *values.get((values.len().checked_sub(1)?) / 2)?;
        let mut distances: Vec<i64> = values.iter().map(|value| (value - median).abs()).collect();
        distances.sort_unstable();
        Some(Self { values, median, distances })
    }

    /// The robust z of a value, which is one of the values if `own`.
    fn z_milli(&self, value: i64, own: bool) -> Option<i64> {
        let median = middle(&self.values, own.then_some(value))?;
        let spread = middle(&self.distances, own.then_some((value - self.median).abs()))?.max(LEAST_SPREAD);
        // 0.6745 makes the median absolute deviation of a normal distribution its standard deviation.
        Some((value - median) * 1_000 * 6_745 / 10_000 / spread)
    }

    fn others(&self, own: bool) -> usize {
        self.values.len() - usize::from(own)
    }
}

/// The lower median of sorted values, without one of them.
fn middle(sorted: &[i64], without: Option<i64>) -> Option<i64> {
    let Some(without) = without else {
        return sorted.get(sorted.len().checked_sub(1)? / 2).copied();
    };
    let place = sorted.partition_point(|value| *value < without);
    let middle = sorted.len().checked_sub(2)? / 2;
    sorted.get(middle + usize::from(middle >= place)).copied()
}

/// Compares every member with its peers.
pub fn compare(members: &[Member]) -> Vec<Standing> {
    let mut sizes: std::collections::BTreeMap<u32, usize> = std::collections::BTreeMap::new();
    for member in members.iter().filter(|member| member.counts) {
        if let Some(group) = member.group {
            *sizes.entry(group).or_default() += 1;
        }
    }
    let mut out = vec![Standing::default(); members.len()];
    let groups = sizes.into_iter().filter(|(_, size)| *size > LEAST_PEERS).map(|(group, _)| Some(group));
    for group in std::iter::once(None).chain(groups) {
        let inside: Vec<usize> = (0..members.len())
            .filter(|place| group.is_none() || members.get(*place).is_some_and(|member| member.group == group))
            .collect();
        compare_group(members, &inside, group.is_none(), &mut out);
    }
    out
}

fn compare_group(members: &[Member], inside: &[usize], wider: bool, out: &mut [Standing]) {
    let population = || inside.iter().filter_map(|place| members.get(*place)).filter(|member| member.counts);
    let spreads: Vec<Option<Spread>> = (0..FEATURES)
        .map(|feature| Spread::of(population().filter_map(|m| *m.features.get(feature)?).collect()))
        .collect();
    let mut strangeness: Vec<(usize, bool, i64)> = Vec::new();
    for &place in inside {
        let (Some(member), Some(slot)) = (members.get(place), out.get_mut(place)) else { continue };
        let mut standing = Standing { wider: Some(i64::from(wider)), ..Standing::default() };
        for ((z, spread), value) in standing.z_milli.iter_mut().zip(&spreads).zip(member.features) {
            let (Some(spread), Some(value)) = (spread, value) else { continue };
            if spread.others(member.counts) >= LEAST_PEERS {
                *z = spread.z_milli(value, member.counts);
                standing.peers = Some(spread.others(member.counts) as i64);
            }
        }
        if let [Some(calls), ingress, reads, kept] = standing.z_milli {
            let toward = |z: Option<i64>| z.unwrap_or(0).clamp(0, 10_000);
            let strange = toward(Some(calls)) + toward(ingress) + toward(reads.map(|z| -z)) + toward(kept);
            strangeness.push((place, member.counts, strange));
        }
        *slot = standing;
    }
    let mut sorted: Vec<i64> = strangeness.iter().filter(|(_, counts, _)| *counts).map(|(_, _, s)| *s).collect();
    sorted.sort_unstable();
    for (place, counts, strange) in strangeness {
        let as_strange = sorted.len() - sorted.partition_point(|other| *other < strange);
        let others = sorted.len() - usize::from(counts);
        if let Some(slot) = out.get_mut(place).filter(|_| others >= LEAST_PEERS) {
            slot.unusual_one_in = Some(((others + 1) / (as_strange + usize::from(!counts)).max(1)) as i64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(group: u32, calls: i64) -> Member {
        Member { group: Some(group), counts: true, features: [Some(calls), Some(calls), Some(0), None] }
    }

    #[test]
    fn an_outlier_stands_out_and_does_not_hide_itself() {
        let mut members: Vec<Member> = (0..60).map(|n| member(1, 1_000 + n * 10)).collect();
        members.push(member(1, 20_000));
        let standing = compare(&members);
        assert!(standing[60].z_milli[0].unwrap() > 10_000);
        assert_eq!((standing[60].peers, standing[60].wider), (Some(60), Some(0)));
        assert_eq!(standing[60].unusual_one_in, Some(61));
        assert!(standing[30].z_milli[0].unwrap().abs() < 1_000);
        assert_eq!(standing[60].z_milli[3], None);
    }

    #[test]
    fn few_of_a_kind_are_compared_with_everybody_and_fewer_than_fifty_with_nobody() {
        let mut members: Vec<Member> = (0..55).map(|n| member(1, 1_000 + n)).collect();
        members.push(member(2, 1_000));
        assert_eq!(compare(&members)[55].wider, Some(1));
        assert_eq!(compare(&members[..40])[0].peers, None);
    }

    #[test]
    fn who_only_looks_on_changes_nothing_for_the_others() {
        let members: Vec<Member> = (0..60).map(|n| member(1, 1_000 + n * 10)).collect();
        let before = compare(&members);
        let mut with = members;
        with.push(Member { counts: false, ..member(1, 90_000) });
        let after = compare(&with);
        assert_eq!(before[..], after[..60]);
        assert_eq!(after[60].unusual_one_in, Some(61));
    }
}
