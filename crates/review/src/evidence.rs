//! Evidence in decibans, added so that anyone can add it again by hand.
//!
//! One deciban (dB) is ten times the decimal logarithm of an odds ratio: +10 dB makes the odds ten times what they
//! were (I. J. Good, *Probability and the Weighing of Evidence*, 1950). Everything here is integers: hundredths of a
//! deciban for sums, tenths for a single signal, thousandths for completeness. It is not where values come from.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Neg, Sub};

/// An amount of evidence, exact in hundredths of a deciban.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decibans(i32);

/// What one signal may say: −6 to +16 dB, as the blueprint's §6 clips it.
pub const SIGNAL_LIMITS: (Decibans, Decibans) = (Decibans(-600), Decibans(1_600));
/// What one family of signals may say together: −15 to +16 dB.
pub const FAMILY_LIMITS: (Decibans, Decibans) = (Decibans(-1_500), Decibans(1_600));

impl Decibans {
    /// No evidence either way.
    pub const ZERO: Self = Self(0);

    /// From hundredths of a deciban.
    pub const fn from_hundredths(hundredths: i32) -> Self {
        Self(hundredths)
    }

    /// From tenths of a deciban.
    pub const fn from_tenths(tenths: i32) -> Self {
        Self(tenths * 10)
    }

    /// From a number as a person writes it; `None` if it is not finite, beyond ±1,000 dB or finer than 0.01 dB.
    pub fn from_f64(value: f64) -> Option<Self> {
        let hundredths = (value * 100.0).round_ties_even();
        let fits = value.abs() <= 1_000.0 && (value * 100.0 - hundredths).abs() < 1e-6;
        fits.then_some(Self(hundredths as i32))
    }

    /// In hundredths of a deciban.
    pub const fn hundredths(self) -> i32 {
        self.0
    }

    /// Held between two limits.
    pub fn clip(self, (low, high): (Self, Self)) -> Self {
        self.clamp(low, high)
    }
}

impl Add for Decibans {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Decibans {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Decibans {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl Sum for Decibans {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Decibans {
    /// With a sign and one decimal, or two where the second is not zero: `+4.2`, `−6.83`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.0 {
            0 => "",
            1.. => "+",
            _ => "−",
        };
        let hundredths = self.0.unsigned_abs();
        let text = match hundredths % 10 {
            0 => format!("{sign}{}.{}", hundredths / 100, hundredths / 10 % 10),
            _ => format!("{sign}{}.{:02}", hundredths / 100, hundredths % 100),
        };
        f.pad(&text)
    }
}

impl Serialize for Decibans {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The nearest double to n/100 prints as n/100 again: the shortest text that reads back is the decimal itself.
        serializer.serialize_f64(f64::from(self.0) / 100.0)
    }
}

impl<'de> Deserialize<'de> for Decibans {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        Self::from_f64(value).ok_or_else(|| serde::de::Error::custom(format!("{value} is not a number of decibans")))
    }
}

/// The five families. Signals of one family repeat each other, so they may not add up freely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// How much.
    Scale,
    /// What the traffic looks like.
    Form,
    /// What is done with it.
    Processing,
    /// How it fits what the customer says.
    Declared,
    /// How it is laid out over accounts and time.
    Structure,
}

impl Family {
    /// All five, in the order they are shown.
    pub const ALL: [Self; 5] = [Self::Scale, Self::Form, Self::Processing, Self::Declared, Self::Structure];

    /// `scale`, `form` …
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scale => "scale",
            Self::Form => "form",
            Self::Processing => "processing",
            Self::Declared => "declared",
            Self::Structure => "structure",
        }
    }
}

/// A monotone table from a signal's value to evidence, straight between its points and level beyond them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceTable(Vec<(i64, Decibans)>);

/// Why a table is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFault {
    /// Fewer than two points.
    TooShort,
    /// Values do not rise from point to point.
    ValuesNotRising,
    /// Evidence rises and falls.
    NotMonotone,
    /// Evidence beyond [`SIGNAL_LIMITS`].
    OutOfLimits,
}

impl fmt::Display for TableFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooShort => "needs at least two points `[value, dB]`",
            Self::ValuesNotRising => "must list its values in rising order, each once",
            Self::NotMonotone => {
                "must be monotone: evidence may rise or fall with the value, not both; make two signals of it"
            }
            Self::OutOfLimits => "may not go beyond −6 and +16 dB",
        })
    }
}

/// Evidence of one signal: rounded half-even to a tenth of a deciban.
pub type Evidence = Decibans;

impl EvidenceTable {
    /// Points of value (in whatever integer steps the signal uses) and evidence.
    pub fn new(points: Vec<(i64, Decibans)>) -> Result<Self, TableFault> {
        if points.len() < 2 {
            return Err(TableFault::TooShort);
        }
        let pairs = || points.iter().zip(points.iter().skip(1));
        if pairs().any(|(a, b)| a.0 >= b.0) {
            return Err(TableFault::ValuesNotRising);
        }
        if pairs().any(|(a, b)| a.1 > b.1) && pairs().any(|(a, b)| a.1 < b.1) {
            return Err(TableFault::NotMonotone);
        }
        let (low, high) = SIGNAL_LIMITS;
        if points.iter().any(|(_, evidence)| *evidence < low || *evidence > high) {
            return Err(TableFault::OutOfLimits);
        }
        Ok(Self(points))
    }

    /// The points, rising.
    pub fn points(&self) -> &[(i64, Decibans)] {
        &self.0
    }

    /// The same values with so many hundredths of the evidence, held within [`SIGNAL_LIMITS`]; a table stays monotone.
    pub fn times(&self, percent: u16) -> Self {
        let scaled = |evidence: Decibans| {
            let hundredths = divide_half_even(i128::from(evidence.0) * i128::from(percent), 100);
            Decibans(i32::try_from(hundredths).unwrap_or(i32::MAX)).clip(SIGNAL_LIMITS)
        };
        Self(self.0.iter().map(|(value, evidence)| (*value, scaled(*evidence))).collect())
    }

    /// The evidence of a value on data of the given completeness (thousandths, 0 to 1,000), to a tenth of a deciban.
    pub fn evidence(&self, value: i64, completeness_permille: i64) -> Evidence {
        let r = i128::from(completeness_permille.clamp(0, 1_000));
        let after = self.0.partition_point(|(at, _)| *at <= value);
        let (numerator, denominator) = match (after.checked_sub(1).and_then(|i| self.0.get(i)), self.0.get(after)) {
            (Some(below), Some(above)) => {
                let width = i128::from(above.0) - i128::from(below.0);
                let rise = i128::from(above.1.0) - i128::from(below.1.0);
                let along = i128::from(value) - i128::from(below.0);
                (i128::from(below.1.0) * width + rise * along, width)
            }
            (Some(point), None) | (None, Some(point)) => (i128::from(point.1.0), 1),
            (None, None) => (0, 1),
        };
        // Hundredths × thousandths, to be told in tenths.
        Decibans::from_tenths(divide_half_even(numerator * r, denominator * 10_000) as i32)
    }
}

/// `numerator ÷ denominator`, to the nearest integer, ties to the even one; the denominator is positive.
pub fn divide_half_even(numerator: i128, denominator: i128) -> i128 {
    let floor = numerator.div_euclid(denominator);
    let rest = numerator.rem_euclid(denominator) * 2;
    let up = rest > denominator || (rest == denominator && floor.rem_euclid(2) == 1);
    floor + i128::from(up)
}

/// L = clip(max⁺ + 0.3·(Σ⁺ − max⁺) + Σ⁻, −15, +16) over the signals of one family (blueprint §6). Exact: parts are tenths.
pub fn family_evidence(parts: impl IntoIterator<Item = Evidence>) -> Decibans {
    let (mut strongest, mut speaking_for, mut against) = (0, 0, 0);
    for Decibans(part) in parts {
        strongest = strongest.max(part);
        speaking_for += part.max(0);
        against += part.min(0);
    }
    Decibans(strongest + (speaking_for - strongest) * 3 / 10 + against).clip(FAMILY_LIMITS)
}

/// S = prior + verified facts + Σ L, exactly.
pub fn total(prior: Decibans, facts: Decibans, families: impl IntoIterator<Item = Decibans>) -> Decibans {
    prior + facts + families.into_iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn db(value: f64) -> Decibans {
        Decibans::from_f64(value).unwrap()
    }

    fn table(points: &[(i64, f64)]) -> EvidenceTable {
        EvidenceTable::new(points.iter().map(|(v, e)| (*v, db(*e))).collect()).unwrap()
    }

    #[test]
    fn a_family_adds_its_strongest_whole_and_the_rest_by_three_tenths() {
        assert_eq!(family_evidence([db(9.0), db(4.0), db(-2.0)]), db(8.2));
        assert_eq!(family_evidence([db(16.0), db(16.0)]), db(16.0));
        assert_eq!(family_evidence([db(-6.0), db(-6.0), db(-6.0)]), db(-15.0));
        assert_eq!(family_evidence([]), Decibans::ZERO);
        assert_eq!(family_evidence([db(0.1), db(0.1)]), db(0.13));
    }

    #[test]
    fn evidence_is_straight_between_points_and_level_beyond() {
        let table = table(&[(0, -2.0), (100, 8.0)]);
        assert_eq!(table.evidence(-5, 1_000), db(-2.0));
        assert_eq!(table.evidence(50, 1_000), db(3.0));
        assert_eq!(table.evidence(1_000, 1_000), db(8.0));
        assert_eq!(table.evidence(1_000, 500), db(4.0));
        assert_eq!(table.evidence(1_000, 0), Decibans::ZERO);
    }

    #[test]
    fn ties_go_to_the_even_tenth() {
        assert_eq!(table(&[(0, 0.0), (4, 1.0)]).evidence(1, 1_000), db(0.2));
        assert_eq!(table(&[(0, 0.0), (4, 1.0)]).evidence(3, 1_000), db(0.8));
        assert_eq!([-3, -1, 1, 3, 5].map(|n| divide_half_even(n, 2)), [-2, 0, 0, 2, 2]);
    }

    #[test]
    fn tables_that_mislead_are_refused() {
        let fault =
            |points: &[(i64, f64)]| EvidenceTable::new(points.iter().map(|(v, e)| (*v, db(*e))).collect()).unwrap_err();
        assert_eq!(fault(&[(0, 0.0)]), TableFault::TooShort);
        assert_eq!(fault(&[(1, 0.0), (1, 2.0)]), TableFault::ValuesNotRising);
        assert_eq!(fault(&[(0, 0.0), (1, 2.0), (2, 1.0)]), TableFault::NotMonotone);
        assert_eq!(fault(&[(0, 0.0), (1, 16.1)]), TableFault::OutOfLimits);
    }

    #[test]
    fn text_is_what_a_person_adds_up() {
        assert_eq!([db(4.2), db(-6.83), db(0.0), db(15.03)].map(|d| d.to_string()), ["+4.2", "−6.83", "0.0", "+15.03"]);
        assert_eq!(serde_json::to_string(&[db(-6.8), db(15.03)]).unwrap(), "[-6.8,15.03]");
    }

    proptest! {
        #[test]
        fn evidence_never_leaves_its_limits_and_follows_the_table(
            values in proptest::collection::btree_set(-1_000_000_i64..1_000_000, 2..8),
            mut heights in proptest::collection::vec(-600_i32..=1_600, 8),
            at in -2_000_000_i64..2_000_000, step in 0_i64..1_000_000, r in -10_i64..1_010,
        ) {
            heights.sort_unstable();
            let points = values.into_iter().zip(heights.into_iter().map(Decibans::from_hundredths)).collect();
            let table = EvidenceTable::new(points).unwrap();
            let (here, there) = (table.evidence(at, 1_000), table.evidence(at + step, 1_000));
            prop_assert!(here <= there);
            let weighed = table.evidence(at, r);
            prop_assert!(weighed >= SIGNAL_LIMITS.0 && weighed <= SIGNAL_LIMITS.1);
            prop_assert!(weighed.hundredths().abs() <= here.hundredths().abs());
        }

        #[test]
        fn decibans_survive_json(hundredths in -100_000_i32..100_000) {
            let text = serde_json::to_string(&Decibans(hundredths)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Decibans>(&text).unwrap(), Decibans(hundredths));
        }
    }
}
