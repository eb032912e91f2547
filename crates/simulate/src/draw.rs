//! Random numbers as a function of what they are for: the same key gives the same numbers on every machine.
//!
//! Logarithms and exponentials come from `libm`, not from the platform, so that no bit depends on where this runs.
//! It is not cryptography, and nothing here remembers anything between two keys.

/// A stream of random numbers (SplitMix64) that belongs to one key.
#[derive(Clone, Debug)]
pub(crate) struct Draw(u64);

/// A key made of another and one more part.
pub(crate) const fn key(of: u64, part: u64) -> u64 {
    scramble(of.rotate_left(17) ^ part.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

const fn scramble(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Natural exponential, the same on every machine.
pub(crate) fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// Natural logarithm, the same on every machine.
pub(crate) fn ln(x: f64) -> f64 {
    libm::log(x)
}

impl Draw {
    /// The numbers of this key.
    pub(crate) const fn of(key: u64) -> Self {
        Self(key)
    }

    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        scramble(self.0)
    }

    /// From 0 up to, and without, 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True this often.
    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// Evenly between two numbers.
    pub(crate) fn range(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Evenly between the logarithms of two numbers: every order of magnitude alike.
    pub(crate) fn log_range(&mut self, low: f64, high: f64) -> f64 {
        exp(self.range(ln(low), ln(high)))
    }

    /// As [`Self::log_range`], but leaning to the low end: there are more small ones than large.
    pub(crate) fn low_range(&mut self, low: f64, high: f64) -> f64 {
        let unit = self.unit();
        exp(ln(low) + (ln(high) - ln(low)) * unit * unit)
    }

    /// A whole number from `low` to `high`, both included.
    pub(crate) fn whole(&mut self, low: i32, high: i32) -> i32 {
        low + (self.unit() * f64::from(high - low + 1)) as i32
    }

    /// Logarithms evenly spread, as a whole number from `low` to `high`.
    pub(crate) fn log_whole(&mut self, low: u32, high: u32) -> u32 {
        (self.log_range(f64::from(low), f64::from(high) + 1.0) as u32).clamp(low, high.max(low))
    }

    /// One of these.
    pub(crate) fn pick<T: Copy, const N: usize>(&mut self, from: [T; N]) -> T {
        const { assert!(N > 0) };
        #[expect(clippy::indexing_slicing, reason = "the unit is below 1, so the index is below N")]
        from[(self.unit() * N as f64) as usize]
    }

    /// Nearly normal with mean 0 and variance 1: the sum of eight 16-bit numbers, so never beyond ±4.9.
    pub(crate) fn normal(&mut self) -> f64 {
        let (a, b) = (self.bits(), self.bits());
        let lanes = |word: u64| (word & 0xFFFF) + ((word >> 16) & 0xFFFF) + ((word >> 32) & 0xFFFF) + (word >> 48);
        ((lanes(a) + lanes(b)) as f64 / 65_536.0 - 4.0 + 8.0 / 131_072.0) / 0.816_496_580_927_726
    }

    /// A factor with mean 1 whose logarithm is normal with this deviation.
    pub(crate) fn factor(&mut self, sigma: f64) -> f64 {
        exp(sigma * self.normal() - sigma * sigma / 2.0)
    }

    /// How many events happen where `mean` are expected.
    pub(crate) fn poisson(&mut self, mean: f64) -> f64 {
        if mean > 30.0 {
            return (mean + self.normal() * mean.sqrt()).round().max(0.0);
        }
        let (limit, mut product, mut count) = (exp(-mean), self.unit(), 0.0);
        while product > limit {
            product *= self.unit();
            count += 1.0;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(count: u32, mut one: impl FnMut() -> f64) -> f64 {
        (0..count).map(|_| one()).sum::<f64>() / f64::from(count)
    }

    #[test]
    fn numbers_have_the_moments_they_claim() {
        let mut draw = Draw::of(7);
        assert!(mean(40_000, || draw.normal()).abs() < 0.02);
        assert!((mean(40_000, || draw.normal().powi(2)) - 1.0).abs() < 0.03);
        assert!((mean(40_000, || draw.factor(0.4)) - 1.0).abs() < 0.02);
        for expected in [0.05, 3.0, 29.0, 31.0, 4_000.0] {
            let got = mean(20_000, || draw.poisson(expected));
            assert!((got - expected).abs() < 0.04 * expected.max(1.0), "{got} for {expected}");
        }
    }

    #[test]
    fn ranges_keep_their_ends_and_keys_differ() {
        let mut draw = Draw::of(key(1, 2));
        for _ in 0..5_000 {
            assert!((5.0..500.0001).contains(&draw.log_range(5.0, 500.0)));
            assert!((1..=3).contains(&draw.whole(1, 3)));
            assert!((2..=200).contains(&draw.log_whole(2, 200)));
        }
        assert_ne!(key(1, 2), key(2, 1));
        assert_eq!(Draw::of(0).bits(), 0xE220_A839_7B1D_CDAF, "SplitMix64 of zero");
    }
}
