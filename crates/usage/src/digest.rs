//! `records.digest`: one SHA-256 of all usage, the same whatever the layout and order of the files it came from.
//!
//! What is hashed is the hourly rollup of what was known by an hour, one day after the other, in this order and form,
//! where a text is its length in bytes as `u32` and its UTF-8, and all integers are little-endian:
//!
//! - `tribune.records/1\n`
//! - for each account (by provider, customer, account) that has usage on the day: `A`, the three texts
//!   - for each measure (in the order of [`crate::Measure`]) and region (by text): `M`, measure name, region id
//!     - for each hour, then for the whole day: `H` and hour since 1970, or `D` and day since 1970, as `i32`; the sum
//!       of the quantities as `i128`. A sum of zero is left out, as if nothing had been used.
//!
//! It is not the fingerprint of a row: that is [`crate::fingerprint`].

use sha2::{Digest, Sha256};

use crate::{ByDay, Hour, Names, Period, Usage, UsageError};

/// Bytes are hashed when so many have come together.
const BUFFER: usize = 1 << 16;

/// The digest of what of this usage was known by an hour: `sha256:` and 64 hexadecimal digits.
///
/// # Errors
/// If the usage cannot be had.
pub fn records_digest(usage: &dyn ByDay, known_by: Hour) -> Result<String, UsageError> {
    let mut digest = RecordsDigest::default();
    for day in usage.days() {
        let day = usage.day(day)?;
        for rows in day.parts {
            digest.add(&day.names, &rows?, known_by);
        }
    }
    Ok(digest.finish())
}

/// The digest in the making; takes the days in ascending order.
struct RecordsDigest {
    state: Sha256,
    bytes: Vec<u8>,
}

impl Default for RecordsDigest {
    fn default() -> Self {
        Self { state: Sha256::new(), bytes: b"tribune.records/1\n".to_vec() }
    }
}

impl RecordsDigest {
    /// Adds what was known by an hour of some accounts of a day; `rows` as [`crate::DayUsage`] has them.
    fn add(&mut self, names: &Names, rows: &[Usage], known_by: Hour) {
        let mut account = None;
        let mut meter = None;
        for rows in rows.chunk_by(|a, b| key(a) == key(b)) {
            let known = rows.iter().filter(|row| row.known <= known_by);
            let sum: i128 = known.map(|row| i128::from(row.quantity)).sum();
            let (Some(first), true) = (rows.first(), sum != 0) else { continue };
            if account != Some(first.account) {
                (account, meter) = (Some(first.account), None);
                self.account(names, first.account);
            }
            if meter != Some((first.measure, first.region)) {
                meter = Some((first.measure, first.region));
                self.meter(names, first);
            }
            let (kind, count) = match first.period {
                Period::Hour(hour) => (b'H', hour.0),
                Period::Day(day) => (b'D', day.0),
            };
            self.bytes.push(kind);
            self.bytes.extend_from_slice(&count.to_le_bytes());
            self.bytes.extend_from_slice(&sum.to_le_bytes());
        }
    }

    fn account(&mut self, names: &Names, account: u32) {
        if self.bytes.len() > BUFFER {
            self.state.update(&self.bytes);
            self.bytes.clear();
        }
        self.bytes.push(b'A');
        if let Some(key) = names.accounts.get(account as usize) {
            for text in [&key.provider, &key.customer, &key.account] {
                put(&mut self.bytes, text);
            }
        }
    }

    fn meter(&mut self, names: &Names, row: &Usage) {
        self.bytes.push(b'M');
        put(&mut self.bytes, row.measure.name());
        put(&mut self.bytes, names.regions.get(usize::from(row.region)).map_or("", |key| key.region.as_str()));
    }

    fn finish(mut self) -> String {
        self.state.update(&self.bytes);
        let digest = self.state.finalize();
        digest.iter().fold(String::from("sha256:"), |text, byte| text + &format!("{byte:02x}"))
    }
}

fn put(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

fn key(row: &Usage) -> (u32, crate::Measure, u16, Period) {
    (row.account, row.measure, row.region, row.period)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountKey, Measure, RegionKey};

    fn names() -> Names {
        let account =
            |account: &str| AccountKey { provider: "P".into(), customer: "C".into(), account: account.into() };
        Names {
            accounts: vec![account("a"), account("b")],
            regions: vec![RegionKey { provider: "P".into(), region: "r".into() }],
        }
    }

    fn row(account: u32, hour: i32, known: i32, quantity: i64) -> Usage {
        let period = Period::Hour(Hour(hour));
        Usage { account, measure: Measure::BytesIn, region: 0, period, known: Hour(known), quantity }
    }

    fn digest(rows: &[Usage], known_by: i32) -> String {
        let mut digest = RecordsDigest::default();
        digest.add(&names(), rows, Hour(known_by));
        digest.finish()
    }

    #[test]
    fn only_what_was_known_counts_and_only_its_sum() {
        let whole = digest(&[row(0, 5, 6, 7), row(1, 5, 6, 1)], 10);
        assert_eq!(whole, digest(&[row(0, 5, 6, 3), row(0, 5, 9, 4), row(1, 5, 6, 1)], 10));
        assert_eq!(whole, digest(&[row(0, 4, 6, 3), row(0, 4, 6, -3), row(0, 5, 6, 7), row(1, 5, 6, 1)], 10));
        assert_eq!(whole, digest(&[row(0, 5, 6, 7), row(1, 5, 6, 1), row(1, 5, 11, 1)], 10));
        assert_ne!(whole, digest(&[row(0, 5, 6, 7), row(1, 5, 6, 2)], 10));
        assert_ne!(whole, digest(&[row(0, 5, 6, 8)], 10));
    }

    #[test]
    fn the_bytes_are_those_of_the_description() {
        let mut bytes =
            b"tribune.records/1\nA\x01\0\0\0P\x01\0\0\0C\x01\0\0\0aM\x08\0\0\0bytes_in\x01\0\0\0rH".to_vec();
        bytes.extend_from_slice(&5i32.to_le_bytes());
        bytes.extend_from_slice(&7i128.to_le_bytes());
        let expected = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(digest(&[row(0, 5, 6, 7)], 6), format!("sha256:{expected}"));
    }
}
