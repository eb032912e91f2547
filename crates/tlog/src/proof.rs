//! Proofs to keep (C2SP tlog-proof): that an entry is in a log, with everything needed to check it offline, years later.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{Believed, Policy, PolicyError, decimal};
use crate::note::{NOTE_BYTES_MAX, Note, NoteError};
use crate::tree::{Hash, PROOF_LINES_MAX, ProofError};

/// The first line of each.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// A longer proof is refused unread: a note, the hashes, and as much again of extra data.
const BYTES_MAX: usize = 2 * NOTE_BYTES_MAX;

/// That an entry is at an index of a log. Its text form is what a `.tlog-proof` file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Whatever the application adds. Nobody vouches for it. Empty where there is none.
    pub extra: Vec<u8>,
    /// Where the entry is.
    pub index: u64,
    /// From the entry's sibling up, as [`crate::Tiles::inclusion`] gives them.
    pub hashes: Vec<Hash>,
    /// The signed and cosigned checkpoint.
    pub checkpoint: Note,
}

/// Why a proof to keep is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeptProofError {
    /// Not of this form.
    #[error("line {line} of the proof is not {wanted}: it was cut or altered, or is of another version than {HEADER}")]
    Form {
        /// Counted from 1.
        line: usize,
        /// What belongs there.
        wanted: &'static str,
    },
    /// Too long to be looked at.
    #[error("the proof has {0} bytes, {BYTES_MAX} are the limit")]
    Long(usize),
    /// The note at its end has no proper form.
    #[error("the proof ends in no checkpoint: {0}")]
    Note(#[from] NoteError),
    /// The checkpoint is not believed.
    #[error("the proof shows nothing: {0}")]
    Policy(#[from] PolicyError),
    /// The hashes lead elsewhere.
    #[error("the entry is not shown to be in the log: {0}")]
    Inclusion(#[from] ProofError),
}

impl Proof {
    /// Reads a proof. It is well formed then, and nothing more: see [`Self::verify`].
    ///
    /// # Errors
    ///
    /// [`KeptProofError::Form`] names the first line that is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeptProofError> {
        if bytes.len() > BYTES_MAX {
            return Err(KeptProofError::Long(bytes.len()));
        }
        let text = str::from_utf8(bytes).map_err(|_| NoteError::Text)?;
        let bad = |line, wanted| KeptProofError::Form { line, wanted };
        let (head, note) = text.split_once("\n\n").ok_or(bad(1, "before an empty line and a checkpoint"))?;
        let mut lines = (1..).zip(head.split('\n')).peekable();
        lines.next_if(|(_, line)| *line == HEADER).ok_or(bad(1, "the name of the format"))?;
        let extra = match lines.next_if(|(_, line)| line.starts_with("extra ")) {
            Some((at, line)) => {
                let extra = line.strip_prefix("extra ").and_then(|data| STANDARD.decode(data).ok());
                extra.filter(|data| !data.is_empty()).ok_or(bad(at, "`extra` and some base64"))?
            }
            None => Vec::new(),
        };
        let (at, line) = lines.next().unwrap_or((2, ""));
        let index = line.strip_prefix("index ").and_then(decimal).ok_or(bad(at, "`index` and a decimal"))?;
        let hash = |(at, line): (usize, &str)| line.parse().map_err(|_| bad(at, "a hash in base64"));
        let hashes: Vec<Hash> = lines.map(hash).collect::<Result<_, _>>()?;
        if hashes.len() > PROOF_LINES_MAX {
            return Err(bad(at + PROOF_LINES_MAX + 1, "the empty line, which no tree puts further down"));
        }
        Ok(Self { extra, index, hashes, checkpoint: Note::parse(note.as_bytes())? })
    }

    /// Holds if an entry with this [leaf hash](Hash::leaf) is in the log that the policy trusts.
    ///
    /// # Errors
    ///
    /// [`KeptProofError`]: the checkpoint is not believed, or the hashes lead elsewhere.
    pub fn verify(&self, leaf: Hash, policy: &Policy) -> Result<Believed, KeptProofError> {
        let believed = policy.believe(&self.checkpoint)?;
        believed.checkpoint.tree().verify_inclusion(self.index, leaf, &self.hashes)?;
        Ok(believed)
    }
}

impl FromStr for Proof {
    type Err = KeptProofError;

    fn from_str(text: &str) -> Result<Self, KeptProofError> {
        Self::parse(text.as_bytes())
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if !self.extra.is_empty() {
            writeln!(f, "extra {}", STANDARD.encode(&self.extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::Tiles;
    use crate::sample::{Sample, entry, policy, witness};
    use proptest::prelude::*;

    fn proof(size: u64, index: u64, extra: &[u8]) -> Proof {
        let log = Sample::of(size);
        let hashes = Tiles::open(log.tree(), |tile| log.read(tile)).unwrap().inclusion(index).unwrap();
        let mut checkpoint = log.checkpoint();
        for number in 0..2 {
            checkpoint.add(witness(number).cosign(checkpoint.text(), 1_700_000_000)).unwrap();
        }
        Proof { extra: extra.to_vec(), index, hashes, checkpoint }
    }

    fn leaf(index: u64) -> Hash {
        Hash::leaf(&entry(index))
    }

    #[test]
    fn a_proof_has_the_form_that_c2sp_says() {
        let proof = proof(3, 2, b"more");
        let text = proof.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..3], ["c2sp.org/tlog-proof@v1", "extra bW9yZQ==", "index 2"]);
        assert_eq!(lines[3..5], [proof.hashes[0].to_string().as_str(), ""]);
        assert_eq!(text.split_once("\n\n").unwrap().1, proof.checkpoint.to_string());
        assert_eq!(text.parse(), Ok(proof));
    }

    #[test]
    fn a_kept_proof_is_checked_offline() {
        let kept: Proof = proof(300, 256, b"").to_string().parse().unwrap();
        assert_eq!(kept.verify(leaf(256), &policy(2)).unwrap().cosigned.len(), 2);
        assert!(matches!(kept.verify(leaf(255), &policy(2)), Err(KeptProofError::Inclusion(ProofError::Root { .. }))));
        assert!(matches!(kept.verify(leaf(256), &policy(3)), Err(KeptProofError::Policy(PolicyError::TooFew { .. }))));
        let moved = Proof { index: 300, ..kept };
        assert!(matches!(
            moved.verify(leaf(256), &policy(2)),
            Err(KeptProofError::Inclusion(ProofError::Index { .. }))
        ));
    }

    #[test]
    fn what_is_no_proof_is_refused_with_its_line() {
        let good = proof(300, 256, b"more").to_string();
        let line = |from: &str, to: &str| match Proof::parse(good.replacen(from, to, 1).as_bytes()) {
            Err(KeptProofError::Form { line, .. }) => line,
            other => panic!("{from} to {to}: {other:?}"),
        };
        assert_eq!(line("@v1", "@v2"), 1);
        assert_eq!(line("extra bW9yZQ==", "extra "), 2);
        assert_eq!(line("extra bW9yZQ==", "extra bW9yZQ"), 2);
        assert_eq!(line("extra bW9yZQ==", "Extra bW9yZQ=="), 2);
        assert_eq!(line("index 256", "index 0256"), 3);
        assert_eq!(line("index 256", "256"), 3);
        assert_eq!(line("index 256\n", "index 256\nextra bW9yZQ==\n"), 4);
        assert_eq!(line("extra bW9yZQ==\nindex 256\n", ""), 2);
        let hash = format!("{}\n", Hash::EMPTY_ROOT);
        let with = |lines: usize| {
            let missing = lines - proof(300, 256, b"").hashes.len();
            good.replacen("index 256\n", &format!("index 256\n{}", hash.repeat(missing)), 1)
        };
        assert_eq!(Proof::parse(with(63).as_bytes()).unwrap().hashes.len(), 63);
        assert!(matches!(Proof::parse(with(64).as_bytes()), Err(KeptProofError::Form { line: 67, .. })));
        assert_eq!(line("\n\n", "\n"), 3 + proof(300, 256, b"").hashes.len() + 1);
        assert!(matches!(good.trim_end().parse::<Proof>(), Err(KeptProofError::Note(_))));
        assert_eq!(Proof::parse(&vec![b'a'; BYTES_MAX + 1]), Err(KeptProofError::Long(BYTES_MAX + 1)));
        assert_eq!(Proof::parse(b"\xff"), Err(KeptProofError::Note(NoteError::Text)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn a_flipped_bit_of_a_proof_is_noticed(size in 1_u64..40, at in any::<prop::sample::Index>(), byte in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let index = at.index(size as usize) as u64;
            let good = proof(size, index, b"");
            prop_assert!(good.verify(leaf(index), &policy(2)).is_ok());
            let mut bytes = good.to_string().into_bytes();
            let place = byte.index(bytes.len());
            bytes[place] ^= 1 << bit;
            if let Ok(altered) = Proof::parse(&bytes) {
                prop_assert!(altered.verify(leaf(index), &policy(2)).is_err(), "byte {}", place);
            }
        }

        #[test]
        fn a_proof_survives_its_text(extra in prop::collection::vec(any::<u8>(), 0..40), index in 0_u64..20) {
            let proof = proof(20, index, &extra);
            prop_assert_eq!(proof.to_string().parse(), Ok(proof));
        }

        #[test]
        fn no_bytes_make_it_panic(text in "(c2sp.org/tlog-proof@v1\n)?(extra [a-z=]{0,8}\n)?(index [0-9]{0,21}\n)?([A-Za-z0-9+/]{43}=\n){0,3}.{0,30}\n\n.{0,30}") {
            prop_assert!(Proof::parse(text.as_bytes()).is_err());
        }
    }
}
