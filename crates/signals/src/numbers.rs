//! Statistics in integers only, so that the same records give the same bits on any machine, in any order of work.
//!
//! It is not a statistics library: just what the workload row needs, each with the rounding it uses (towards zero
//! unless it says otherwise).

use std::sync::LazyLock;

/// `a × 1000 ÷ b`, towards zero; `None` when `b` is not positive.
pub fn permille(a: i64, b: i64) -> Option<i64> {
    (b > 0).then(|| clamp(i128::from(a) * 1_000 / i128::from(b)))
}

/// Into the range of an `i64`.
pub fn clamp(value: i128) -> i64 {
    value.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

/// The middle one of three.
pub fn median3(a: i64, b: i64, c: i64) -> i64 {
    a.max(b).min(a.min(b).max(c))
}

/// The value below which `percent` of the values lie (nearest rank: the ⌈percent·n/100⌉-th smallest). Reorders them.
pub fn percentile(values: &mut [i64], percent: usize) -> Option<i64> {
    let rank = (values.len() * percent).div_ceil(100).max(1);
    (rank <= values.len()).then(|| *values.select_nth_unstable(rank - 1).1)
}

/// The lower median. Reorders the values.
pub fn median(values: &mut [i64]) -> Option<i64> {
    percentile(values, 50)
}

/// 1000 · log₂(x), rounded down, for x ≥ 1; 0 below.
pub fn log2_milli(x: i64) -> i64 {
    if x <= 1 {
        return 0;
    }
    let whole = i64::from(63 - x.leading_zeros());
    // The mantissa in [1, 2), as a fixed-point number with 62 fractional bits.
    whole * 1_000 + LOGARITHMS.thousandths(x.unsigned_abs() << (62 - whole))
}

/// Where each thousandth of the logarithm begins, for mantissas: asked for hundreds of times for every account.
struct Logarithms {
    /// By thousandth, the least mantissa that reaches it.
    least: Vec<u64>,
    /// By the ten bits that follow a mantissa's first, the thousandth that the least such mantissa has.
    from: Vec<usize>,
}

static LOGARITHMS: LazyLock<Logarithms> = LazyLock::new(|| {
    let one = 1_u64 << 62;
    let least = |thousandth: i64| {
        let (mut below, mut reaches) = (one - 1, one << 1);
        while reaches - below > 1 {
            let middle = below + (reaches - below) / 2;
            *(if digits(middle) < thousandth { &mut below } else { &mut reaches }) = middle;
        }
        reaches
    };
    let from = (0..1_024).map(|bits| digits(one | bits << 52) as usize);
    Logarithms { least: (0..1_000).map(least).collect(), from: from.collect() }
});

impl Logarithms {
    fn thousandths(&self, mantissa: u64) -> i64 {
        let from = self.from.get((mantissa >> 52) as usize & 1_023).copied().unwrap_or_default();
        let after = self.least.get(from + 1..).unwrap_or_default();
        // A thousandth is never shorter than 2⁻¹¹: one or two steps.
        (from + after.iter().take_while(|least| **least <= mantissa).count()) as i64
    }
}

/// The thousandths of a mantissa's logarithm, digit by digit from repeated squaring (Knuth, TAOCP 1.2.2).
fn digits(mantissa: u64) -> i64 {
    const DIGITS: u32 = 20;
    let mut mantissa = u128::from(mantissa);
    let mut fraction: i64 = 0;
    for _ in 0..DIGITS {
        mantissa = (mantissa * mantissa) >> 62;
        fraction <<= 1;
        if mantissa >> 63 != 0 {
            mantissa >>= 1;
            fraction |= 1;
        }
    }
    (fraction * 1_000) >> DIGITS
}

/// Pearson's correlation of pairs, in thousandths; `None` for fewer than `least` pairs or where one side never changes.
pub fn correlation_permille(pairs: impl Iterator<Item = (i64, i64)> + Clone, least: usize) -> Option<i64> {
    let (mut n, mut sum_x, mut sum_y) = (0_i128, 0_i128, 0_i128);
    for (x, y) in pairs.clone() {
        n += 1;
        sum_x += i128::from(x);
        sum_y += i128::from(y);
    }
    if n < least.max(2) as i128 {
        return None;
    }
    // Deviations from the mean, rounded to the unit: exact enough, and they cannot overflow below 2^50 × 2^10 pairs.
    let (mean_x, mean_y) = (sum_x / n, sum_y / n);
    let (mut xx, mut yy, mut xy) = (0_i128, 0_i128, 0_i128);
    for (x, y) in pairs {
        let (dx, dy) = (narrow(i128::from(x) - mean_x), narrow(i128::from(y) - mean_y));
        xx += dx * dx;
        yy += dy * dy;
        xy += dx * dy;
    }
    let scale = xx.isqrt() * yy.isqrt();
    (scale > 0).then(|| (xy.clamp(-scale, scale) / (scale / 1_000).max(1)).clamp(-1_000, 1_000) as i64)
}

/// Keeps a deviation small enough that a thousand of its squares fit.
fn narrow(deviation: i128) -> i128 {
    const LIMIT: i128 = 1 << 55;
    deviation.clamp(-LIMIT, LIMIT)
}

/// Theil–Sen: the median of the slopes between all pairs of points one step apart or more, per step, in the values' unit.
pub fn robust_slope(values: &[i64]) -> Option<i64> {
    let mut slopes = Vec::with_capacity(values.len() * values.len().saturating_sub(1) / 2);
    for (later, b) in values.iter().enumerate() {
        for (earlier, a) in values.iter().enumerate().take(later) {
            slopes.push(clamp((i128::from(*b) - i128::from(*a)) / (later - earlier) as i128));
        }
    }
    median(&mut slopes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let mut values: Vec<i64> = (1..=100).rev().collect();
        assert_eq!(percentile(&mut values, 95), Some(95));
        assert_eq!(percentile(&mut [7], 95), Some(7));
        assert_eq!(percentile(&mut [], 95), None);
        assert_eq!(median(&mut [3, 1, 2, 9]), Some(2));
    }

    #[test]
    fn lines_have_their_slope_and_correlation() {
        let line: Vec<i64> = (0..28).map(|day| 100 + 7 * day).collect();
        assert_eq!(robust_slope(&line), Some(7));
        let pairs = line.iter().map(|y| (*y, 1_000 - 3 * y));
        assert_eq!(correlation_permille(pairs, 10), Some(-1_000));
        assert_eq!(correlation_permille([(1, 5), (2, 5), (3, 5)].into_iter(), 2), None);
        assert_eq!(correlation_permille([(1, 5)].into_iter(), 2), None);
    }

    proptest! {
        #[test]
        fn logarithms_are_right_to_a_thousandth(x in 1_i64..i64::MAX) {
            let exact = (x as f64).log2() * 1_000.0;
            prop_assert!((log2_milli(x) as f64 - exact).abs() <= 1.01, "{} {}", log2_milli(x), exact);
        }

        #[test]
        fn the_table_of_logarithms_says_what_the_digits_say(mantissa in 1_u64 << 62..1 << 63, near in 0..1_000_usize) {
            prop_assert_eq!(LOGARITHMS.thousandths(mantissa), digits(mantissa));
            let least = LOGARITHMS.least[near];
            prop_assert_eq!(LOGARITHMS.thousandths(least), near as i64);
            prop_assert!(near == 0 || LOGARITHMS.thousandths(least - 1) == near as i64 - 1);
        }

        #[test]
        fn the_middle_of_three_is_the_middle(a: i64, b: i64, c: i64) {
            let mut sorted = [a, b, c];
            sorted.sort_unstable();
            prop_assert_eq!(median3(a, b, c), sorted[1]);
        }

        #[test]
        fn correlation_stays_within_one_and_does_not_mind_the_order(
            mut pairs in proptest::collection::vec((-1_000_000_000_000_i64..1_000_000_000_000, -1_000_000_i64..1_000_000), 0..60),
        ) {
            let forward = correlation_permille(pairs.iter().copied(), 3);
            pairs.reverse();
            prop_assert_eq!(forward, correlation_permille(pairs.iter().copied(), 3));
            prop_assert!(forward.is_none_or(|r| (-1_000..=1_000).contains(&r)));
        }
    }
}
