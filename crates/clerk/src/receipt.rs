//! The receipt of a report: seven words that its reporter keeps and nobody else does, and what follows from them.
//!
//! ```text
//! seven words ──Argon2id──► 32 bytes ──HKDF-SHA256──┬─ find ► the report's name, which stands in the record
//!                                                   └─ open ► an age identity, to which answers are encrypted
//! ```
//!
//! Neither half tells anything of the other or of the words. Whether there is a report under some words is not known
//! here: right and wrong ones go the same way. A receipt is never stored; where it is taken in, and how many may be
//! tried at a time, is for whoever speaks to people.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use argon2::{Algorithm, Argon2, Params, Version};
use bech32::{Bech32, Hrp};
use diceware_wordlists::EFF_LONG_WORDLIST;
use hkdf::Hkdf;
use review::words::ReportId;
use sha2::Sha256;
use store::{Identity, Random, Recipient};
use zeroize::{Zeroize, Zeroizing};

/// Words in a receipt: 7 × log₂ 7,772 = 90 bits.
pub const WORDS: usize = 7;

/// More than this is not looked at: seven words, however they are set, are far shorter.
const TYPED_BYTES_MAX: usize = 1_000;

/// Argon2id as RFC 9106 §4 recommends it where 2 GiB are too much: three passes over 64 MiB in four lanes, which is
/// more than OWASP's least (two passes over 19 MiB in one). Nobody guesses seven words; this is for who saw some of
/// them: three that are missing (39 bits) still cost thousands of processor years.
const MEMORY_KIB: u32 = 64 * 1_024;
const PASSES: u32 = 3;
const LANES: u32 = 4;

/// There is nobody to keep a salt for, so it is the same for all: it sets receipts apart from everything else that is
/// derived anywhere.
const SALT: &[u8] = b"tribune receipt 1";

const FIND: &[u8] = b"tribune receipt 1: find";
const OPEN: &[u8] = b"tribune receipt 1: open";

/// What was typed is no receipt. Nothing of what was typed is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Not seven words.
    #[error("a receipt has {WORDS} words and this has {0}: type all of them, in their order")]
    Count(usize),
    /// Words that are in no receipt, by their places.
    #[error("{} no word of a receipt: look how {} spelled", Places(.0), if .0.len() == 1 { "it is" } else { "they are" })]
    Unknown(Vec<usize>),
    /// Far too long.
    #[error("this is longer than any receipt: type its {WORDS} words and nothing else")]
    Long,
    /// No keys could be made of it.
    #[error("the keys of a receipt cannot be made here: {0}")]
    Keys(String),
}

/// `word 2 is`, `words 2 and 5 are`.
struct Places<'a>(&'a [usize]);

impl fmt::Display for Places<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("something is"),
            [one] => write!(f, "word {one} is"),
            [most @ .., last] => {
                let most: Vec<String> = most.iter().map(usize::to_string).collect();
                write!(f, "words {} and {last} are", most.join(", "))
            }
        }
    }
}

/// The EFF's long list. Four of its 7,776 words have a hyphen and are left out: whoever types a receipt may put hyphens
/// between the words.
static LIST: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| EFF_LONG_WORDLIST.iter().copied().filter(|word| !word.contains('-')).collect());

/// Seven words, by their places in the list.
#[derive(Clone, PartialEq, Eq)]
pub struct Receipt([u16; WORDS]);

/// What a receipt finds and opens.
pub struct Keys {
    /// The name of its report.
    pub report: ReportId,
    /// What opens the answers.
    pub opening: Identity,
}

impl Keys {
    /// To whom answers are encrypted.
    pub fn mailbox(&self) -> Recipient {
        self.opening.to_public()
    }
}

impl Receipt {
    /// A new one.
    pub fn draw(random: Random<'_>) -> Self {
        Self(std::array::from_fn(|_| {
            let mut lot = Zeroizing::new([0; 16]);
            random(&mut *lot);
            // 128 bits over 7,772: that some words come a little sooner than others cannot be measured.
            u16::try_from(u128::from_be_bytes(*lot) % LIST.len() as u128).unwrap_or_default()
        }))
    }

    /// As it is shown and as keys are made of it: the words with a space between them.
    fn text(&self) -> Zeroizing<String> {
        let words = self.0.iter().filter_map(|place| LIST.get(usize::from(*place)).copied());
        Zeroizing::new(words.collect::<Vec<_>>().join(" "))
    }

    /// The two keys: one Argon2id, and so as much work for any seven words. It holds its thread for a sixth of a second and
    /// 64 MiB: whoever calls says where that may be, and how often at once.
    ///
    /// # Errors
    ///
    /// There is no memory for it.
    pub fn keys(&self) -> Result<Keys, ReceiptError> {
        let failed = |error: &dyn fmt::Display| ReceiptError::Keys(error.to_string());
        let mut root = Zeroizing::new([0; 32]);
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(root.len())).map_err(|error| failed(&error))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password_into(self.text().as_bytes(), SALT, &mut *root).map_err(|error| failed(&error))?;
        let root = Hkdf::<Sha256>::new(None, &*root);
        let mut find = [0; 16];
        root.expand(FIND, &mut find).map_err(|error| failed(&error))?;
        let mut open = Zeroizing::new([0; 32]);
        root.expand(OPEN, &mut *open).map_err(|error| failed(&error))?;
        let name = format!("r-{}", find.map(|byte| format!("{byte:02x}")).concat());
        Ok(Keys { report: name.parse().map_err(|error| failed(&error))?, opening: identity(&open)? })
    }
}

/// An identity of `age`, which takes it as text alone.
fn identity(secret: &[u8; 32]) -> Result<Identity, ReceiptError> {
    let failed = |error: &dyn fmt::Display| ReceiptError::Keys(error.to_string());
    let kind = Hrp::parse("age-secret-key-").map_err(|error| failed(&error))?;
    let text = bech32::encode_upper::<Bech32>(kind, secret).map_err(|error| failed(&error))?;
    Zeroizing::new(text).parse().map_err(|error: &str| failed(&error))
}

impl FromStr for Receipt {
    type Err = ReceiptError;

    /// However it was set: capitals, numbers, spaces, hyphens, commas and line breaks between the words are passed over.
    fn from_str(typed: &str) -> Result<Self, ReceiptError> {
        if typed.len() > TYPED_BYTES_MAX {
            return Err(ReceiptError::Long);
        }
        let typed = Zeroizing::new(typed.to_lowercase());
        let parts: Vec<&str> = typed.split(|c: char| !c.is_alphabetic()).filter(|part| !part.is_empty()).collect();
        let parts: [&str; WORDS] = parts.try_into().map_err(|parts: Vec<_>| ReceiptError::Count(parts.len()))?;
        let mut receipt = Self([0; WORDS]);
        let mut unknown = Vec::new();
        for (number, (word, part)) in (1..).zip(receipt.0.iter_mut().zip(parts)) {
            match LIST.iter().position(|word| *word == part).and_then(|place| u16::try_from(place).ok()) {
                Some(place) => *word = place,
                None => unknown.push(number),
            }
        }
        if unknown.is_empty() { Ok(receipt) } else { Err(ReceiptError::Unknown(unknown)) }
    }
}

/// The words, to be shown once.
impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// Never the words: what is printed for an engineer ends in logs.
impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receipt")
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chance(seed: u64) -> impl FnMut(&mut [u8]) + Send {
        let mut next = seed;
        move |bytes| {
            for chunk in bytes.chunks_mut(32) {
                next += 1;
                chunk.copy_from_slice(&review::words::Digest::of(next.to_be_bytes()).0[..chunk.len()]);
            }
        }
    }

    #[test]
    fn the_list_is_as_long_as_it_is_said_and_no_word_begins_another() {
        assert_eq!(LIST.len(), 7_772);
        assert!(LIST.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_lowercase())));
        assert!(LIST.is_sorted_by(|one, next| one < next && !next.starts_with(one)));
    }

    #[test]
    fn equal_words_lead_to_equal_keys_and_any_other_to_others() {
        let receipt = Receipt::draw(&mut chance(1));
        let again: Receipt = receipt.to_string().to_uppercase().replace(' ', "\n- ").parse().unwrap();
        let (one, two) = (receipt.keys().unwrap(), again.keys().unwrap());
        assert_eq!((&one.report, one.mailbox()), (&two.report, two.mailbox()));
        // Fixed for good: other parameters would lose every mailbox there is. The values are those that the reference
        // implementation of Argon2 gives.
        assert_eq!(receipt.to_string(), "gizzard eating reluctant stock savanna thesis entertain");
        assert_eq!(one.report.as_str(), "r-5003c5466584a27796f60c23f608471b");
        assert_eq!(one.mailbox().to_string(), "age132u3tp6l0m0psejnaskal2x3m9kltgnttq4vtgvm4adctztrlvjq9hwyht");
        let mut words = receipt.0;
        words.swap(0, 1);
        let other = Receipt(words).keys().unwrap();
        assert!(other.report != one.report && other.mailbox() != one.mailbox());
        assert_eq!(format!("{receipt:?}"), "Receipt");
    }

    #[test]
    fn what_is_no_receipt_is_said_by_place_and_never_by_word() {
        let parse = |text: &str| text.parse::<Receipt>().map_err(|error| error.to_string());
        let good = "abacus abdomen abdominal abide abiding ability ablaze";
        for set in [
            good.to_owned(),
            format!("  1. {}.\n", good.replace(' ', ",\r\n 2) ")),
            good.replace(' ', "-"),
            good.replace(' ', "\u{a0}\u{2003}"),
            good.replace(' ', " \u{202e}\u{2066}"),
        ] {
            assert_eq!(parse(&set).unwrap().to_string(), good);
        }
        for (typed, said) in [
            ("", "a receipt has 7 words and this has 0: type all of them, in their order"),
            ("abacus abdomen", "a receipt has 7 words and this has 2: type all of them, in their order"),
            (&good.replace("abide", "abyde"), "word 4 is no word of a receipt: look how it is spelled"),
            // Of the list for wallets, of the older list for dice, and with a letter that only looks right.
            (
                &good.replace("abdomen", "abandon").replace("abide", "abbot").replace("ablaze", "аblaze"),
                "words 2, 4 and 7 are no word of a receipt: look how they are spelled",
            ),
            (&format!("{good} yo-yo"), "a receipt has 7 words and this has 9: type all of them, in their order"),
            (&good.repeat(100), "this is longer than any receipt: type its 7 words and nothing else"),
        ] {
            assert_eq!(parse(typed).unwrap_err(), said, "{typed}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn whatever_was_drawn_reads_back(seed in any::<u64>(), between in "[ -]|\n|, ") {
            let receipt = Receipt::draw(&mut chance(seed / 2));
            let typed = receipt.to_string().replace(' ', &between);
            prop_assert!(typed.parse::<Receipt>().unwrap() == receipt);
        }

        #[test]
        fn no_text_makes_it_panic(typed in ".{0,200}") {
            prop_assert!(typed.parse::<Receipt>().is_err());
        }
    }
}
