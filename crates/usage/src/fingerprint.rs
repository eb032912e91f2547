//! What makes two rows the same row: a 128-bit sum over the columns of a digest of each value.
//!
//! A sum does not depend on the order of the columns, and a value that is missing adds nothing, so that a column that
//! is empty and one that is absent are the same. Times count as seconds and numbers as their `f64`, so that a row
//! reads alike from CSV and from Parquet. Only the sum is ever kept: nobody can read a dropped column back from it.
//!
//! It is not the digest of the records: that is [`crate::digest`].

use std::hash::{BuildHasherDefault, Hasher};

use sha2::{Digest, Sha256};

/// Turns the values of one column into digests.
#[derive(Clone)]
pub(crate) struct Fingerprint {
    named: Sha256,
    low: u64,
    high: u64,
}

impl Fingerprint {
    /// For the column of this name; case does not matter.
    pub(crate) fn new(column: &str) -> Self {
        let mut named = Sha256::new();
        named.update(column.to_ascii_lowercase().as_bytes());
        named.update([0]);
        let key = first_half(named.clone());
        Self { named, low: key as u64, high: (key >> 64) as u64 }
    }

    /// Of a text, as it stands. Customers choose texts (tags, names), so that a collision must not be findable.
    pub(crate) fn text(&self, text: &[u8]) -> u128 {
        let mut state = self.named.clone();
        state.update(text);
        first_half(state)
    }

    /// Of a number.
    pub(crate) fn number(&self, number: f64) -> u128 {
        self.mixed(if number == 0.0 { 0 } else { number.to_bits() }, 0x9e37_79b9_7f4a_7c15)
    }

    /// Of a time, in seconds since 1970.
    pub(crate) fn seconds(&self, seconds: i64) -> u128 {
        self.mixed(seconds as u64, 0xc2b2_ae3d_27d4_eb4f)
    }

    /// Meters choose numbers and times, and there is a new one in nearly every row: a good mixing is enough.
    fn mixed(&self, bits: u64, kind: u64) -> u128 {
        let low = avalanche(bits ^ self.low ^ kind);
        let high = avalanche(bits.wrapping_mul(0xd6e8_feb8_6659_fd93) ^ self.high ^ kind.rotate_left(32));
        u128::from(high) << 64 | u128::from(low)
    }
}

fn first_half(state: Sha256) -> u128 {
    let digest: [u8; 32] = state.finalize().into();
    digest.iter().take(16).fold(0, |sum, byte| sum << 8 | u128::from(*byte))
}

/// The finaliser of splitmix64: every bit in moves every bit out.
fn avalanche(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// A map whose keys are digests, which need no hashing, or texts in a cache of bounded size.
pub(crate) type Map<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<Quick>>;

/// The same on every machine and in every run, unlike the standard one; for bounded caches and digests only.
#[derive(Default)]
pub(crate) struct Quick(u64);

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        avalanche(self.0)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let word = chunk.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
            self.write_u64(word ^ ((chunk.len() as u64) << 60));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(29) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn write_u128(&mut self, digest: u128) {
        self.0 = digest as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_a_kind_and_a_value_each_change_the_digest() {
        let (cost, tags) = (Fingerprint::new("BilledCost"), Fingerprint::new("Tags"));
        let all = [
            cost.text(b"1"),
            cost.text(b"2"),
            tags.text(b"1"),
            cost.number(1.0),
            cost.number(2.0),
            tags.number(1.0),
            cost.seconds(1),
            tags.seconds(1),
        ];
        for (place, digest) in all.iter().enumerate() {
            assert!(!all[..place].contains(digest));
        }
        assert_eq!(cost.number(-0.0), cost.number(0.0));
        assert_eq!(Fingerprint::new("billedcost").text(b"1"), cost.text(b"1"));
    }
}
