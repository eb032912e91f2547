//! The words of a gate: a digest, and what of a service can be switched off. No rule of what may be.

use sha2::{Digest as _, Sha256};
use std::fmt;

/// A SHA-256 digest; as text `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Of some bytes.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// What its text form says; none where that is of another form.
    pub fn parse(text: &str) -> Option<Self> {
        unhex(text.strip_prefix("sha256:")?).map(Self)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Bytes in hexadecimal digits of 0 to 9 and a to f.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// So many bytes, from twice as many digits of 0 to 9 and a to f, and nothing else.
pub(crate) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks_exact(2);
    let whole = text.len() == 2 * N;
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        let [high, low] = *pair else { return None };
        *byte = value(high)? << 4 | value(low)?;
    }
    whole.then_some(bytes)
}

/// What of a service is switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Switch {
    /// New content and new processing.
    Write,
    /// Reading what is there.
    Read,
    /// Deleting what is there.
    Delete,
    /// Taking it out in bulk.
    Export,
}

impl Switch {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 4] = [Self::Write, Self::Read, Self::Delete, Self::Export];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Read => "read",
            Self::Delete => "delete",
            Self::Export => "export",
        }
    }

    /// The one that is written so.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|switch| switch.name() == name)
    }
}

/// Some switches; as text their names in the order of [`Switch::ALL`] with commas between.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Switches(u8);

impl Switches {
    /// None of them.
    pub const NONE: Self = Self(0);

    /// These and one more.
    #[must_use]
    pub const fn with(self, switch: Switch) -> Self {
        Self(self.0 | 1 << switch as u8)
    }

    /// Whether one is among them.
    pub const fn contains(self, switch: Switch) -> bool {
        self.0 & 1 << switch as u8 != 0
    }

    /// Whether all of the others are among them.
    pub const fn covers(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Whether any of the others is among them.
    pub const fn meets(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each, in order.
    pub fn iter(self) -> impl Iterator<Item = Switch> {
        Switch::ALL.into_iter().filter(move |switch| self.contains(*switch))
    }

    /// What the text form says, in its one order and each once; none where that is of another form.
    pub fn parse(text: &str) -> Option<Self> {
        let names = text.split(',').filter(|_| !text.is_empty());
        let switches: Self = names.map(Switch::parse).collect::<Option<Self>>()?;
        (switches.to_string() == text).then_some(switches)
    }
}

impl FromIterator<Switch> for Switches {
    fn from_iter<I: IntoIterator<Item = Switch>>(switches: I) -> Self {
        switches.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Display for Switches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        for switch in self.iter() {
            write!(f, "{comma}{}", switch.name())?;
            comma = ",";
        }
        Ok(())
    }
}

impl fmt::Debug for Switches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_and_switches_have_one_form() {
        let digest = Digest::of("a");
        assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        let (upper, cut) = (digest.to_string().to_uppercase(), digest.to_string()[1..].to_owned());
        for text in ["", "sha256:", "sha256:+1", "sha256:é", &upper, &cut] {
            assert_eq!(Digest::parse(text), None, "{text}");
        }
        for bits in 0..16 {
            let switches = Switches(bits);
            assert_eq!(Switches::parse(&switches.to_string()), Some(switches));
            assert_eq!(switches.iter().collect::<Switches>(), switches);
        }
        assert_eq!(Switches(9).to_string(), "write,export");
        for text in ["export,write", "write,write", "write,", ",", "Write", "none"] {
            assert_eq!(Switches::parse(text), None, "{text}");
        }
        assert!(Switches(3).covers(Switches(1)) && !Switches(1).covers(Switches(3)) && Switches(1).covers(Switches(0)));
    }
}
