//! Checkpoints (C2SP tlog-checkpoint): what a log signs to say how many entries it has and what their root is; and whom
//! a reader trusts to have signed one.

use std::fmt;
use std::str::FromStr;

use crate::note::{KeyKind, Note, NoteError, Signer, Verifier, Vouched};
use crate::tree::Tree;

/// No log has more entries: other implementations count in 63 bits.
const SIZE_MAX: u64 = u64::MAX >> 1;

/// A decimal as the formats of C2SP want it: digits only, no zero before others.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

/// What a log says of itself. Its text form is the text of the note that the log signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    tree: Tree,
    extensions: Vec<String>,
}

/// A text is no checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// A line is wanted and missing, or empty.
    #[error(
        "line {0} of the checkpoint is empty or missing: origin, size and root belong on lines of their own, each with its end"
    )]
    Line(usize),
    /// An origin or extension that goes over the end of its line.
    #[error("an origin or extension of a checkpoint is one line without control characters, unlike `{0}`")]
    Control(String),
    /// A size that is no plain number.
    #[error("`{0}` is no size of a log: a decimal of at most 2^63 − 1 without leading zeros is wanted")]
    Size(String),
    /// A root that is no hash.
    #[error("the root of the checkpoint is none: {0}")]
    Root(#[from] crate::tree::NotAHash),
}

impl Checkpoint {
    /// Of a log with this name. Extensions are lines that witnesses sign without vouching for them; better none.
    ///
    /// # Errors
    ///
    /// An empty line, a line break within one, or a tree of 2^63 entries.
    pub fn new(origin: &str, tree: Tree, extensions: &[&str]) -> Result<Self, CheckpointError> {
        let lines = || std::iter::once(origin).chain(extensions.iter().copied());
        if lines().any(str::is_empty) {
            return Err(CheckpointError::Line(if origin.is_empty() { 1 } else { 4 }));
        }
        if let Some(bad) = lines().find(|line| line.contains(|c| c < ' ')) {
            return Err(CheckpointError::Control(bad.chars().take(80).collect()));
        }
        if tree.size > SIZE_MAX {
            return Err(CheckpointError::Size(tree.size.to_string()));
        }
        let extensions = extensions.iter().map(|line| (*line).to_owned()).collect();
        Ok(Self { origin: origin.to_owned(), tree, extensions })
    }

    /// The log's name for itself.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What it vouches for.
    pub const fn tree(&self) -> Tree {
        self.tree
    }

    /// What else it says; no witness vouches for that.
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }

    /// Signed by the log's key. The log must never sign one that does not continue those it signed before.
    ///
    /// # Errors
    ///
    /// A text beyond the limit of notes.
    pub fn sign(&self, signer: &Signer) -> Result<Note, NoteError> {
        signer.sign(&self.to_string())
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.tree.size, self.tree.root)?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    /// Strict: writing it again gives the same text.
    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let lines: Vec<&str> = text.strip_suffix('\n').unwrap_or_default().split('\n').collect();
        let [origin, size, root, extensions @ ..] = lines.as_slice() else {
            return Err(CheckpointError::Line(lines.len() + 1));
        };
        let size = decimal(size).ok_or_else(|| CheckpointError::Size(size.chars().take(80).collect()))?;
        Self::new(origin, Tree { size, root: root.parse()? }, extensions)
    }
}

/// Whom a reader trusts: the keys of one log, and how many of which witnesses must have seen what the log shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    origin: String,
    log: Vec<Verifier>,
    witnesses: Vec<Verifier>,
    quorum: usize,
}

/// Why a policy, or a checkpoint under it, is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Nobody to trust.
    #[error("the policy names no key of the log {origin}: give the log's `vkey`")]
    NoLogKey {
        /// The log.
        origin: String,
    },
    /// A key for another use.
    #[error("the key of {name} is of the wrong type: a log's key is of type 0x01, a witness's of type 0x04")]
    Kind {
        /// Whose it is.
        name: String,
    },
    /// One witness twice.
    #[error("{first} and {second} have the same key and would count twice: name each witness once")]
    Twice {
        /// One name of it.
        first: String,
        /// The other.
        second: String,
    },
    /// More than there are.
    #[error("{quorum} cosignatures are asked for, of {witnesses} witnesses: ask for fewer, or name more")]
    Quorum {
        /// How many must have cosigned.
        quorum: usize,
        /// How many witnesses are known.
        witnesses: usize,
    },
    /// The note's form or a signature of it is wrong.
    #[error("the checkpoint is not believed: {0}")]
    Note(#[from] NoteError),
    /// The note is no checkpoint.
    #[error("the signed text is no checkpoint: {0}")]
    Text(#[from] CheckpointError),
    /// Another log's checkpoint.
    #[error("the checkpoint is of the log {got}, not of {want}: look at the address, or at the policy")]
    Origin {
        /// The log that was asked for.
        want: String,
        /// The log that answered.
        got: String,
    },
    /// The log itself did not sign.
    #[error("no key of the log {origin} signed the checkpoint: if the log has a new key, make sure and add it")]
    Unsigned {
        /// The log.
        origin: String,
    },
    /// Too few witnesses.
    #[error(
        "{got} of the known witnesses cosigned the checkpoint, {quorum} must: wait for the next one, or ask the log why"
    )]
    TooFew {
        /// How many must have.
        quorum: usize,
        /// How many did.
        got: usize,
    },
}

/// A checkpoint that a policy believes, and who made it so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Believed {
    /// What the log says.
    pub checkpoint: Checkpoint,
    /// The known witnesses that cosigned, each with when, in seconds since 1970.
    pub cosigned: Vec<(String, u64)>,
}

impl Policy {
    /// Believes checkpoints of `origin` signed by any of its keys and cosigned by `quorum` of the witnesses; 0 asks for
    /// none, and then nobody notices a log that shows different people different things.
    ///
    /// # Errors
    ///
    /// No key of the log, keys of another type, a witness twice, or a quorum of more witnesses than there are.
    pub fn new(origin: &str, log: Vec<Verifier>, witnesses: Vec<Verifier>, quorum: usize) -> Result<Self, PolicyError> {
        if log.is_empty() {
            return Err(PolicyError::NoLogKey { origin: origin.to_owned() });
        }
        let wrong =
            |keys: &[Verifier], kind| keys.iter().find(|key| key.kind() != kind).map(|key| key.name().to_owned());
        if let Some(name) = wrong(&log, KeyKind::Note).or_else(|| wrong(&witnesses, KeyKind::Cosignature)) {
            return Err(PolicyError::Kind { name });
        }
        for (at, first) in witnesses.iter().enumerate() {
            if let Some(second) = witnesses.iter().skip(at + 1).find(|second| first.same_key(second)) {
                return Err(PolicyError::Twice { first: first.name().into(), second: second.name().into() });
            }
        }
        if quorum > witnesses.len() {
            return Err(PolicyError::Quorum { quorum, witnesses: witnesses.len() });
        }
        Ok(Self { origin: origin.to_owned(), log, witnesses, quorum })
    }

    /// The witnesses it knows.
    pub fn witnesses(&self) -> &[Verifier] {
        &self.witnesses
    }

    /// The checkpoint in a note, if it is of this log, signed and cosigned as asked.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] says what is missing or wrong. One forged signature of a known key is enough to refuse it all.
    pub fn believe(&self, note: &Note) -> Result<Believed, PolicyError> {
        let known: Vec<&Verifier> = self.log.iter().chain(&self.witnesses).collect();
        let vouched = note.verify(&known)?;
        let checkpoint: Checkpoint = note.text().parse()?;
        if checkpoint.origin != self.origin {
            return Err(PolicyError::Origin { want: self.origin.clone(), got: checkpoint.origin });
        }
        if !vouched.iter().any(|by| by.key.kind() == KeyKind::Note) {
            return Err(PolicyError::Unsigned { origin: self.origin.clone() });
        }
        let named = |Vouched { key, time }: &Vouched<'_>| time.map(|time| (key.name().to_owned(), time));
        let cosigned: Vec<_> = vouched.iter().filter_map(named).collect();
        if cosigned.len() < self.quorum {
            return Err(PolicyError::TooFew { quorum: self.quorum, got: cosigned.len() });
        }
        Ok(Believed { checkpoint, cosigned })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ORIGIN, Sample, log_key, policy, witness};
    use proptest::prelude::*;

    /// The worked example of C2SP tlog-checkpoint, whose key is not published.
    const EXAMPLE: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    fn cosigned(numbers: &[u8]) -> Note {
        let mut note = Sample::of(5).checkpoint();
        for number in numbers {
            note.add(witness(*number).cosign(note.text(), 1_700_000_000)).unwrap();
        }
        note
    }

    #[test]
    fn the_example_of_the_specification_is_read() {
        let checkpoint: Checkpoint = EXAMPLE.parse().unwrap();
        assert_eq!((checkpoint.origin(), checkpoint.tree().size), ("example.com/behind-the-sofa", 20_852_163));
        assert!(checkpoint.extensions().is_empty());
        assert_eq!(checkpoint.to_string(), EXAMPLE);
    }

    #[test]
    fn extensions_are_kept_and_signed() {
        let text = format!("{EXAMPLE}one\ntwo words\n");
        let checkpoint: Checkpoint = text.parse().unwrap();
        assert_eq!(checkpoint.extensions(), ["one", "two words"]);
        assert_eq!(checkpoint.sign(&log_key()).unwrap().text(), text);
    }

    #[test]
    fn what_is_no_checkpoint_is_refused() {
        let refused = |text: &str| text.parse::<Checkpoint>().unwrap_err();
        let with = |from: &str, to: &str| refused(&EXAMPLE.replacen(from, to, 1));
        assert_eq!(refused(""), CheckpointError::Line(2));
        assert_eq!(refused("origin\n1\n"), CheckpointError::Line(3));
        assert_eq!(with("example.com/behind-the-sofa", ""), CheckpointError::Line(1));
        assert_eq!(refused(&format!("{EXAMPLE}\n")), CheckpointError::Line(4));
        assert_eq!(refused(&format!("{EXAMPLE}one\n\n")), CheckpointError::Line(4));
        for size in
            ["", "020852163", "+20852163", "-1", "1e3", "9223372036854775808", "20852163 ", "18446744073709551616"]
        {
            assert_eq!(with("20852163", size), CheckpointError::Size(size.into()));
        }
        assert!(matches!(with("q2I=", "q2I"), CheckpointError::Root(_)));
        assert!(matches!(refused(EXAMPLE.trim_end()), CheckpointError::Line(_) | CheckpointError::Root(_)));
        assert!(matches!(Checkpoint::new("two\nlines", Tree::EMPTY, &[]), Err(CheckpointError::Control(_))));
        assert!(matches!(Checkpoint::new("log", Tree::EMPTY, &["two\nlines"]), Err(CheckpointError::Control(_))));
        assert!(matches!(
            Checkpoint::new("log", Tree { size: 1 << 63, ..Tree::EMPTY }, &[]),
            Err(CheckpointError::Size(_))
        ));
    }

    #[test]
    fn a_quorum_counts_witnesses_that_are_known() {
        let believed = policy(2).believe(&cosigned(&[0, 2])).unwrap();
        assert_eq!(believed.checkpoint.tree(), Sample::of(5).tree());
        assert_eq!(believed.cosigned, [("w0.example".into(), 1_700_000_000), ("w2.example".into(), 1_700_000_000)]);
        assert_eq!(policy(2).believe(&cosigned(&[1, 7, 8])), Err(PolicyError::TooFew { quorum: 2, got: 1 }));
        assert!(policy(0).believe(&cosigned(&[])).unwrap().cosigned.is_empty());
        assert_eq!(policy(3).witnesses().len(), 3);
    }

    #[test]
    fn witnesses_do_not_stand_in_for_the_log() {
        let mut note = cosigned(&[0, 1, 2]);
        let stranger = crate::Signer::new(ORIGIN, &[77; 32]).unwrap().sign(note.text()).unwrap();
        let lines: String = note.signatures().iter().skip(1).map(|line| format!("{line}\n")).collect();
        note = Note::parse(format!("{}\n{}\n{lines}", note.text(), stranger.signatures()[0]).as_bytes()).unwrap();
        assert_eq!(policy(2).believe(&note), Err(PolicyError::Unsigned { origin: ORIGIN.into() }));
    }

    #[test]
    fn another_logs_checkpoint_is_not_believed() {
        let other = Checkpoint::new("other.example", Sample::of(5).tree(), &[]).unwrap().sign(&log_key()).unwrap();
        let error = policy(0).believe(&other).unwrap_err();
        assert_eq!(error, PolicyError::Origin { want: ORIGIN.into(), got: "other.example".into() });
        let text = log_key().sign("any text\n").unwrap();
        assert!(matches!(policy(0).believe(&text), Err(PolicyError::Text(_))));
        let mut forged = cosigned(&[1]);
        forged.add(witness(1).cosign("other\n", 1)).unwrap();
        assert!(matches!(policy(0).believe(&forged), Err(PolicyError::Note(NoteError::Forged { .. }))));
    }

    #[test]
    fn a_policy_that_cannot_be_meant_is_refused() {
        let (log, one) = (log_key().verifier().clone(), witness(1).verifier().clone());
        let renamed = crate::Cosigner::new("renamed.example", &[101; 32]).unwrap().verifier().clone();
        let refused = |log, witnesses, quorum| Policy::new(ORIGIN, log, witnesses, quorum).unwrap_err();
        assert!(matches!(refused(vec![], vec![], 0), PolicyError::NoLogKey { .. }));
        assert!(matches!(refused(vec![one.clone()], vec![], 0), PolicyError::Kind { .. }));
        assert!(matches!(refused(vec![log.clone()], vec![log.clone()], 0), PolicyError::Kind { .. }));
        assert!(matches!(refused(vec![log.clone()], vec![one.clone(), renamed], 2), PolicyError::Twice { .. }));
        assert_eq!(refused(vec![log], vec![one], 2), PolicyError::Quorum { quorum: 2, witnesses: 1 });
    }

    proptest! {
        #[test]
        fn a_checkpoint_has_one_text(text in "([^\\p{Cc}]{0,5}\n|[0-9]{0,20}\n|[A-Za-z0-9+/]{43}=\n){0,5}") {
            if let Ok(checkpoint) = text.parse::<Checkpoint>() {
                prop_assert_eq!(checkpoint.to_string(), text);
            }
        }
    }
}
