//! How many accounts a snapshot may restrict at one gate, whoever signed it: a bound that those who run the gate set, by
//! another way than snapshots come.
//!
//! It is against what passed everywhere else: two people deceived, or a list that is a thousand times as long as anybody
//! meant. What is wider is not taken, and the gate goes on with what it holds; lifts that came with it wait as well. What
//! is in shadow or over refuses nobody, and does not count.

use gate::{Gate, Version};
use std::fmt;

/// The most accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ceiling(usize);

/// A part of all accounts, in hundred-thousandths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u32);

/// One percent.
const PERCENT: u32 = 100_000;

/// Why there is no such bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CeilingError {
    /// Not a share.
    #[error("this is no share: more than 0% and at most 100%, with five places at most, as in 0.5%")]
    Share,
    /// It would let nothing be restricted, ever.
    #[error("that is no account at all, and no snapshot would be taken: allow one or more")]
    None,
}

/// A snapshot that restricts too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "snapshot {version} restricts {accounts} accounts, more than the {most} that this gate may: look at what was decided, \
     and raise the gate's bound only if it is so"
)]
pub(super) struct TooWide {
    version: Version,
    accounts: usize,
    most: Ceiling,
}

impl fmt::Display for Ceiling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Share {
    /// Of a text as `0.5%`.
    ///
    /// # Errors
    /// It is no such share.
    pub fn parse(text: &str) -> Result<Self, CeilingError> {
        let number = text.strip_suffix('%').ok_or(CeilingError::Share)?;
        let (whole, places) = number.split_once('.').unwrap_or((number, "0"));
        let digits =
            |text: &str| !text.is_empty() && text.len() <= 5 && text.bytes().all(|digit| digit.is_ascii_digit());
        if !digits(whole) || !digits(places) {
            return Err(CeilingError::Share);
        }
        let number = |text: &str| text.parse::<u32>().map_err(|_| CeilingError::Share);
        let share = number(whole)?.saturating_mul(PERCENT).saturating_add(number(&format!("{places:0<5}"))?);
        if (1..=100 * PERCENT).contains(&share) { Ok(Self(share)) } else { Err(CeilingError::Share) }
    }

    /// So many of all, no part of one more.
    fn of(self, all: usize) -> usize {
        let part = all as u128 * u128::from(self.0) / u128::from(100 * PERCENT);
        usize::try_from(part).unwrap_or(usize::MAX)
    }
}

impl Ceiling {
    /// So many accounts.
    ///
    /// # Errors
    /// None.
    pub fn number(accounts: usize) -> Result<Self, CeilingError> {
        if accounts == 0 { Err(CeilingError::None) } else { Ok(Self(accounts)) }
    }

    /// Such a share of as many accounts as there are.
    ///
    /// # Errors
    /// It comes to none.
    pub fn share(share: Share, of: usize) -> Result<Self, CeilingError> {
        Self::number(share.of(of))
    }

    /// Whether this gate restricts no more, at a time.
    pub(super) fn holds(self, gate: &Gate, at: i64) -> Result<(), TooWide> {
        let (accounts, version) = (gate.set().accounts(at), gate.version());
        if accounts > self.0 { Err(TooWide { version, accounts, most: self }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_read_as_people_write_it_and_never_comes_to_more() {
        for (text, of, most) in [
            ("0.5%", 40_000, 200),
            ("100%", 7, 7),
            ("1%", 199, 1),
            ("0.00001%", 10_000_000, 1),
            ("33.33333%", 3_000_000, 999_999),
            ("1.05%", 10_000, 105),
        ] {
            assert_eq!(Ceiling::share(Share::parse(text).unwrap(), of), Ceiling::number(most), "{text} of {of}");
        }
        for text in [
            "",
            "%",
            "5",
            "0%",
            "0.0%",
            "-1%",
            "+1%",
            "101%",
            "100.00001%",
            "1,5%",
            "1.%",
            ".5%",
            "0.000001%",
            "1 %",
            "1e1%",
        ] {
            assert_eq!(Share::parse(text), Err(CeilingError::Share), "{text}");
        }
        assert_eq!(Ceiling::share(Share::parse("1%").unwrap(), 99), Err(CeilingError::None));
        assert_eq!(Ceiling::number(0), Err(CeilingError::None));
    }
}
