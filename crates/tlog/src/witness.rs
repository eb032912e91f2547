//! The witness protocol (C2SP tlog-witness, `add-checkpoint`): what a log asks, and what a witness answers.
//!
//! The answer is a function of the question and of what the witness remembers. Sending and receiving, remembering, and
//! letting only one question about a log through at a time belong to the server around it.

use std::fmt;

use crate::checkpoint::{Checkpoint, CheckpointError, Policy, PolicyError, decimal};
use crate::note::{Cosigner, Note, NoteError, Signature};
use crate::tree::{Hash, PROOF_LINES_MAX, ProofError, Tree};

/// The content type of a refusal that tells the size which the witness remembers.
pub const SIZE_CONTENT_TYPE: &str = "text/x.tlog.size";

/// A log asks for a cosignature. Its text form is the body of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    old_size: u64,
    proof: Vec<Hash>,
    note: Note,
    checkpoint: Checkpoint,
}

/// What a witness knows of a log.
#[derive(Clone, Debug)]
pub struct Watched {
    /// The keys it trusts for the log's origin; a quorum of other witnesses, if it wants to be second.
    pub policy: Policy,
    /// What it cosigned last; [`Tree::EMPTY`] before the first time.
    pub latest: Tree,
}

/// A witness agrees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// What must be remembered, durably and as the latest, before the signature leaves the witness.
    pub latest: Tree,
    /// What the log gets.
    pub signature: Signature,
}

impl fmt::Display for Cosigned {
    /// The body of the answer, of status 200.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.signature)
    }
}

/// Why a witness refuses. Each has the status that the protocol gives it; its text is the body, but for
/// [`Self::Size`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A body of another form.
    #[error("line {line} of the request is not {wanted}")]
    Form {
        /// Counted from 1.
        line: usize,
        /// What belongs there.
        wanted: &'static str,
    },
    /// The note has no proper form.
    #[error("the request ends in no signed note: {0}")]
    Note(NoteError),
    /// The note is no checkpoint.
    #[error("the request ends in no checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// An old size beyond the new one.
    #[error("the old size {old} is beyond the {new} entries of the checkpoint")]
    OldSize {
        /// As asked.
        old: u64,
        /// Of the checkpoint.
        new: u64,
    },
    /// A log that this witness does not watch.
    #[error("the log {0} is not watched here: ask the witness's operator to add it")]
    UnknownLog(String),
    /// The log did not sign, or somebody forged its signature.
    #[error("the log is not known to have signed this: {0}")]
    Signature(PolicyError),
    /// The witness remembers another size.
    #[error("the latest checkpoint cosigned here has {0} entries: prove consistency from there")]
    Size(u64),
    /// A proof where none belongs.
    #[error("from the empty log nothing is to be proven, but the request has {0} hashes")]
    NeedlessProof(usize),
    /// The new tree does not continue the remembered one.
    #[error("the checkpoint is not shown to continue the latest one cosigned here: {0}")]
    Inconsistent(ProofError),
    /// A tree without entries that has some root.
    #[error("a log without entries has the root {empty}, the checkpoint says {0}", empty = Hash::EMPTY_ROOT)]
    EmptyRoot(Hash),
}

impl Refusal {
    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Form { .. } | Self::Note(_) | Self::Checkpoint(_) | Self::OldSize { .. } => 400,
            Self::Signature(_) => 403,
            Self::UnknownLog(_) => 404,
            Self::Size(_) => 409,
            Self::NeedlessProof(_) | Self::Inconsistent(_) | Self::EmptyRoot(_) => 422,
        }
    }

    /// The content type and body of the answer.
    pub fn answer(&self) -> (&'static str, String) {
        match self {
            Self::Size(size) => (SIZE_CONTENT_TYPE, format!("{size}\n")),
            _ => ("text/plain; charset=utf-8", format!("{self}\n")),
        }
    }
}

/// The size that a witness answered with status 409, from which the log then proves consistency.
pub fn parse_size(answer: &[u8]) -> Option<u64> {
    decimal(str::from_utf8(answer).ok()?.strip_suffix('\n')?)
}

impl AddCheckpoint {
    /// Asks for a cosignature on a signed checkpoint, given the size that the witness cosigned last and the
    /// [proof](crate::Tiles::consistency) from there.
    ///
    /// # Errors
    ///
    /// What a witness would refuse as no request at all.
    pub fn new(old_size: u64, proof: Vec<Hash>, note: Note) -> Result<Self, Refusal> {
        let checkpoint: Checkpoint = note.text().parse()?;
        let new = checkpoint.tree().size;
        if proof.len() > PROOF_LINES_MAX {
            return Err(Refusal::Form {
                line: PROOF_LINES_MAX + 2,
                wanted: "the empty line, which no tree puts further down",
            });
        }
        if old_size > new {
            return Err(Refusal::OldSize { old: old_size, new });
        }
        Ok(Self { old_size, proof, note, checkpoint })
    }

    /// Reads the body of a request.
    ///
    /// # Errors
    ///
    /// [`Refusal`] of status 400 with the first line that is wrong.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let text = str::from_utf8(body).map_err(|_| Refusal::Note(NoteError::Text))?;
        let bad = |line, wanted| Refusal::Form { line, wanted };
        let (head, note) = text.split_once("\n\n").ok_or(bad(1, "before an empty line and a checkpoint"))?;
        let mut lines = (1..).zip(head.split('\n'));
        let old_size = lines.next().and_then(|(_, line)| decimal(line.strip_prefix("old ")?));
        let old_size = old_size.ok_or(bad(1, "`old` and a decimal"))?;
        let hash = |(at, line): (usize, &str)| line.parse().map_err(|_| bad(at, "a hash in base64"));
        // One more than allowed is enough to refuse it.
        let proof = lines.take(PROOF_LINES_MAX + 1).map(hash).collect::<Result<_, _>>()?;
        Self::new(old_size, proof, Note::parse(note.as_bytes()).map_err(Refusal::Note)?)
    }

    /// The log it is about, by which the witness finds what it knows.
    pub fn origin(&self) -> &str {
        self.checkpoint.origin()
    }

    /// What a witness answers that knows this of the log; nothing if it does not watch it. `time` is now, in seconds
    /// since 1970. Between looking up what it knows and remembering [`Cosigned::latest`] nothing else about this log may
    /// pass, or an older size could be remembered over a newer one.
    ///
    /// # Errors
    ///
    /// [`Refusal`], of whatever is wrong first.
    pub fn decide(&self, known: Option<&Watched>, cosigner: &Cosigner, time: u64) -> Result<Cosigned, Refusal> {
        let Watched { policy, latest } = known.ok_or_else(|| Refusal::UnknownLog(self.origin().to_owned()))?;
        policy.believe(&self.note).map_err(Refusal::Signature)?;
        if self.old_size != latest.size {
            return Err(Refusal::Size(latest.size));
        }
        let tree = self.checkpoint.tree();
        if tree.size == 0 && tree.root != Hash::EMPTY_ROOT {
            return Err(Refusal::EmptyRoot(tree.root));
        }
        match (self.old_size, self.proof.len()) {
            // Every tree continues the empty one.
            (0, 0) => {}
            (0, hashes) => return Err(Refusal::NeedlessProof(hashes)),
            _ => tree.verify_consistency(latest, &self.proof).map_err(Refusal::Inconsistent)?,
        }
        Ok(Cosigned { latest: tree, signature: cosigner.cosign(self.note.text(), time) })
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old_size)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::Tiles;
    use crate::sample::{ORIGIN, Sample, log_key, policy, witness};
    use crate::{PolicyError, Signer};
    use proptest::prelude::*;

    const NOW: u64 = 1_700_000_000;

    fn request(log: &Sample, old_size: u64) -> AddCheckpoint {
        let proof = Tiles::open(log.tree(), |tile| log.read(tile)).unwrap().consistency(old_size).unwrap();
        AddCheckpoint::new(old_size, proof, log.checkpoint()).unwrap()
    }

    fn watched(latest: Tree) -> Watched {
        Watched { policy: policy(0), latest }
    }

    fn refused(request: &AddCheckpoint, latest: Tree) -> (u16, Refusal) {
        let refusal = request.decide(Some(&watched(latest)), &witness(1), NOW).unwrap_err();
        (refusal.status(), refusal)
    }

    fn signed(size: u64, root: Hash) -> Note {
        Checkpoint::new(ORIGIN, Tree { size, root }, &[]).unwrap().sign(&log_key()).unwrap()
    }

    #[test]
    fn a_log_that_grows_is_cosigned_step_by_step() {
        let (mut log, mut known) = (Sample::default(), watched(Tree::EMPTY));
        for size in [0, 1, 1, 5, 256, 300, 1_000] {
            log.grow(size);
            let body = request(&log, known.latest.size).to_string();
            let answer = AddCheckpoint::parse(body.as_bytes()).unwrap().decide(Some(&known), &witness(1), NOW).unwrap();
            assert_eq!(answer.latest, log.tree());
            known.latest = answer.latest;
            // What the log makes of the answer.
            let mut note = log.checkpoint();
            for line in note.cosignatures(answer.to_string().as_bytes(), &[witness(1).verifier()]).unwrap() {
                note.add(line).unwrap();
            }
            assert_eq!(policy(1).believe(&note).unwrap().cosigned, [("w1.example".into(), NOW)]);
        }
    }

    #[test]
    fn a_witness_tells_the_size_it_remembers() {
        let log = Sample::of(300);
        for (asked, latest) in [(0, Sample::of(256).tree()), (256, Tree::EMPTY), (255, Sample::of(256).tree())] {
            let (status, refusal) = refused(&request(&log, asked), latest);
            assert_eq!((status, &refusal), (409, &Refusal::Size(latest.size)));
            let (content_type, body) = refusal.answer();
            assert_eq!((content_type, body.as_str()), ("text/x.tlog.size", format!("{}\n", latest.size).as_str()));
            assert_eq!(parse_size(body.as_bytes()), Some(latest.size));
        }
        for bad in ["", "256", "0256\n", "256\n\n", "-1\n", "many\n"] {
            assert_eq!(parse_size(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    fn a_witness_does_not_sign_what_is_not_shown_to_continue() {
        let (log, old) = (Sample::of(300), Sample::of(256).tree());
        let good = request(&log, 256);
        let altered = Tree { root: Hash::leaf(b""), ..old };
        assert!(matches!(refused(&good, altered), (422, Refusal::Inconsistent(_))), "a rewritten log");
        let with = |old_size, proof: &[Hash], note| AddCheckpoint::new(old_size, proof.to_vec(), note).unwrap();
        assert!(matches!(refused(&with(256, &[], log.checkpoint()), old), (422, Refusal::Inconsistent(_))), "no proof");
        let split = signed(300, Hash::leaf(b"another view"));
        assert!(matches!(refused(&with(256, &good.proof, split), old), (422, Refusal::Inconsistent(_))));
        let fork = signed(256, Hash::leaf(b"another view"));
        assert!(matches!(refused(&with(256, &[], fork), old), (422, Refusal::Inconsistent(_))), "of the same size");
        let needless = with(0, &good.proof, log.checkpoint());
        assert_eq!(refused(&needless, Tree::EMPTY), (422, Refusal::NeedlessProof(good.proof.len())));
        let root = Hash::leaf(b"");
        assert_eq!(refused(&with(0, &[], signed(0, root)), Tree::EMPTY), (422, Refusal::EmptyRoot(root)));
    }

    #[test]
    fn a_witness_signs_for_logs_it_watches_and_keys_it_knows() {
        let good = request(&Sample::of(3), 0);
        let unknown = good.decide(None, &witness(1), NOW).unwrap_err();
        assert_eq!((unknown.status(), &unknown), (404, &Refusal::UnknownLog(ORIGIN.into())));
        let checkpoint = Checkpoint::new(ORIGIN, Sample::of(3).tree(), &[]).unwrap();
        let stranger = checkpoint.sign(&Signer::new(ORIGIN, &[9; 32]).unwrap()).unwrap();
        let (status, refusal) = refused(&AddCheckpoint::new(0, vec![], stranger).unwrap(), Tree::EMPTY);
        assert_eq!((status, refusal), (403, Refusal::Signature(PolicyError::Note(NoteError::Unknown))));
        let line = signed(2, Sample::of(2).tree().root).to_string();
        let forged = format!("{checkpoint}\n{}\n", line.lines().last().unwrap());
        let (status, refusal) =
            refused(&AddCheckpoint::new(0, vec![], Note::parse(forged.as_bytes()).unwrap()).unwrap(), Tree::EMPTY);
        assert!(status == 403 && matches!(refusal, Refusal::Signature(PolicyError::Note(NoteError::Forged { .. }))));
        let (content_type, body) = unknown.answer();
        assert!(content_type.starts_with("text/plain") && body.ends_with("add it\n"), "{body}");
    }

    #[test]
    fn the_example_of_the_specification_is_read() {
        let body = "old 20852014\n\
            PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\
            jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n\
            5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n\
            /6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\n\
            example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
            — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
            — example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n";
        let request = AddCheckpoint::parse(body.as_bytes()).unwrap();
        assert_eq!((request.old_size, request.proof.len()), (20_852_014, 4));
        assert_eq!((request.origin(), request.note.signatures().len()), ("example.com/behind-the-sofa", 2));
        assert_eq!(request.to_string(), body);
    }

    #[test]
    fn what_is_no_request_is_refused_with_its_line() {
        let good = request(&Sample::of(300), 256).to_string();
        let refused = |body: &str| {
            let refusal = AddCheckpoint::parse(body.as_bytes()).unwrap_err();
            assert_eq!(refusal.status(), 400, "{refusal}");
            refusal
        };
        let line = |refusal: Refusal| if let Refusal::Form { line, .. } = refusal { line } else { 0 };
        for first in ["old 0256", "old", "old  256", "old -1", "new 256", "", "old 18446744073709551616"] {
            assert_eq!(line(refused(&good.replacen("old 256", first, 1))), 1, "{first}");
        }
        assert_eq!(line(refused(&good.replacen("old 256\n", "old 256\nno hash\n", 1))), 2);
        assert_eq!(line(refused("old 0\n")), 1);
        let hash = format!("{}\n", Hash::EMPTY_ROOT);
        assert_eq!(line(refused(&good.replacen("old 256\n", &format!("old 256\n{}", hash.repeat(64)), 1))), 65);
        assert_eq!(refused(&good.replacen("old 256", "old 301", 1)), Refusal::OldSize { old: 301, new: 300 });
        assert!(matches!(refused(&good.replacen("\n300\n", "\n0300\n", 1)), Refusal::Checkpoint(_)));
        assert!(matches!(refused(good.trim_end()), Refusal::Note(_)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
            prop_assert!(AddCheckpoint::parse(&bytes).is_err());
            // A request with one bit flipped is refused or decided, and a tree that differs is never cosigned.
            let log = Sample::of(7);
            let mut body = request(&log, 3).to_string().into_bytes();
            let place = at.index(body.len());
            body[place] ^= 1 << bit;
            if let Ok(request) = AddCheckpoint::parse(&body) {
                prop_assert!(request.decide(Some(&watched(Sample::of(3).tree())), &witness(1), NOW).is_err());
            }
        }
    }
}
