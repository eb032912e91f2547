//! Verifying a whole log, as an auditor does who trusts nobody but the policy: its checkpoint, every entry, every tile.

use std::error::Error;

use crate::checkpoint::{Believed, Policy, PolicyError};
use crate::note::Note;
use crate::read::{TileError, entries, fetch, hashes};
use crate::tile::{Edge, Row, Tile};
use crate::tree::{Hash, Tree};

/// What was looked at, and held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The checkpoint and who vouches for it. Remember its tree for the next time.
    pub believed: Believed,
    /// How many entries were read and hashed.
    pub entries: u64,
    /// How many bytes they have.
    pub entry_bytes: u64,
    /// How many files they lie in.
    pub bundles: u64,
    /// How many tiles of hashes were read, all that the log has.
    pub tiles: u64,
    /// The tree remembered from before that the log was found to continue.
    pub continues: Option<Tree>,
}

/// Why a log is not what its checkpoint says.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError<E: Error + 'static> {
    /// The checkpoint is not believed.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A file cannot be read or has no proper form.
    #[error(transparent)]
    Tile(#[from] TileError<E>),
    /// The log has fewer entries than before.
    #[error(
        "the log was rolled back: its checkpoint has {now} entries, but {before} were seen before; keep both checkpoints as evidence"
    )]
    RolledBack {
        /// Entries of the remembered tree.
        before: u64,
        /// Entries of the checkpoint.
        now: u64,
    },
    /// The log has other entries than before.
    #[error("the log was rewritten: its first {} entries have root {got}, but {} was seen before; keep both checkpoints as evidence", .before.size, .before.root)]
    Rewritten {
        /// The remembered tree.
        before: Tree,
        /// What those entries make now.
        got: Hash,
    },
    /// A hash that the entries or tiles below do not make.
    #[error(
        "hash {at} of {tile} is not what lies below it makes: this tile, or what lies below, was altered; fetch or restore both"
    )]
    Differs {
        /// The tile.
        tile: Tile,
        /// The first hash of it that differs.
        at: usize,
    },
    /// Everything fits together, but the checkpoint signs something else.
    #[error("the log's {} entries have root {got}, its checkpoint signs {}: it shows a tree that it did not sign; keep both as evidence", .signed.size, .signed.root)]
    Root {
        /// What the checkpoint says.
        signed: Tree,
        /// What the entries make.
        got: Hash,
    },
}

/// Reads a whole log once, in order and in bounded memory: the checkpoint must be believed by the policy and every entry
/// and tile must be what its root says. A tree remembered from before must be its beginning.
///
/// `each` is given every entry with its index, so that it can be counted again what was published. It learns of an entry
/// before the root is known to be right: keep nothing of it unless the whole log is verified.
///
/// # Errors
///
/// [`VerifyError`] names the first file or entry that is wrong, and what a log has done that is not what it was.
pub fn verify_log<E: Error + 'static>(
    policy: &Policy,
    checkpoint: &[u8],
    remembered: Option<Tree>,
    mut read: impl FnMut(Tile) -> Result<Vec<u8>, E>,
    mut each: impl FnMut(u64, &[u8]),
) -> Result<Report, VerifyError<E>> {
    let note = Note::parse(checkpoint).map_err(PolicyError::Note)?;
    let believed = policy.believe(&note)?;
    let signed = believed.checkpoint.tree();
    if let Some(before) = remembered.filter(|before| before.size > signed.size) {
        return Err(VerifyError::RolledBack { before: before.size, now: signed.size });
    }
    let mut report = Report { believed, entries: 0, entry_bytes: 0, bundles: 0, tiles: 0, continues: remembered };
    let mut edge = Edge::default();
    expect_continued(&edge, remembered)?;
    for bundle in (0..).map_while(|index| Tile::in_log(Row::Entries, index, signed.size)) {
        let bytes = fetch(&mut read, bundle)?;
        report.bundles += 1;
        for entry in entries(bundle, &bytes)? {
            each(edge.size, entry);
            report.entries += 1;
            report.entry_bytes += entry.len() as u64;
            for (tile, made) in edge.push(Hash::leaf(entry)) {
                compare(tile, &made, &fetch(&mut read, tile)?)?;
                report.tiles += 1;
            }
            expect_continued(&edge, remembered)?;
        }
    }
    for (tile, made) in edge.partial() {
        compare(tile, made, &fetch(&mut read, tile)?)?;
        report.tiles += 1;
    }
    let got = edge.root();
    if got == signed.root { Ok(report) } else { Err(VerifyError::Root { signed, got }) }
}

/// When as many entries were read as were remembered, they must be the same.
fn expect_continued<E: Error + 'static>(edge: &Edge, remembered: Option<Tree>) -> Result<(), VerifyError<E>> {
    match remembered.filter(|before| before.size == edge.size) {
        Some(before) if before.root != edge.root() => Err(VerifyError::Rewritten { before, got: edge.root() }),
        _ => Ok(()),
    }
}

/// A tile as it was read must be as the entries make it.
fn compare<E: Error + 'static>(tile: Tile, made: &[Hash], read: &[u8]) -> Result<(), VerifyError<E>> {
    let read = hashes(tile, read)?;
    match made.iter().zip(&read).position(|(made, read)| made != read) {
        Some(at) => Err(VerifyError::Differs { tile, at }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ORIGIN, Sample, entry, log_key, policy};
    use crate::tile::tiles_between;
    use crate::{Checkpoint, NoteError};
    use proptest::prelude::*;
    use std::io;

    fn verified(log: &Sample, checkpoint: &Note, before: Option<Tree>) -> Result<Report, VerifyError<io::Error>> {
        verify_log(&policy(0), checkpoint.to_string().as_bytes(), before, |tile| log.read(tile), |_, _| {})
    }

    fn signed(tree: Tree) -> Note {
        Checkpoint::new(ORIGIN, tree, &[]).unwrap().sign(&log_key()).unwrap()
    }

    #[test]
    fn a_whole_log_is_read_once_and_counted() {
        for size in [0, 1, 255, 256, 257, 700] {
            let log = Sample::of(size);
            let (mut seen, mut read) = (Vec::new(), Vec::new());
            let note = log.checkpoint().to_string();
            let reader = |tile| {
                read.push(tile);
                log.read(tile)
            };
            let each = |index, bytes: &[u8]| seen.push((index, bytes.to_vec()));
            let report = verify_log(&policy(0), note.as_bytes(), Some(Tree::EMPTY), reader, each).unwrap();
            assert_eq!(seen, (0..size).map(|index| (index, entry(index))).collect::<Vec<_>>());
            read.sort();
            assert_eq!(read, {
                let mut all: Vec<Tile> = tiles_between(0, size).collect();
                all.sort();
                all
            });
            assert_eq!((report.entries, report.bundles), (size, size.div_ceil(256)));
            assert_eq!(report.bundles + report.tiles, read.len() as u64);
            assert_eq!(report.entry_bytes, seen.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>());
            assert_eq!(report.believed.checkpoint.tree(), log.tree());
        }
    }

    #[test]
    fn a_log_that_goes_on_continues_what_was_remembered() {
        let log = Sample::of(600);
        for before in [0, 1, 256, 300, 600] {
            let tree = Sample::of(before).tree();
            assert_eq!(verified(&log, &log.checkpoint(), Some(tree)).unwrap().continues, Some(tree));
        }
    }

    #[test]
    fn a_rolled_back_log_is_refused() {
        let (before, log) = (Sample::of(301).tree(), Sample::of(300));
        let error = verified(&log, &log.checkpoint(), Some(before)).unwrap_err();
        assert!(matches!(error, VerifyError::RolledBack { before: 301, now: 300 }), "{error}");
    }

    #[test]
    fn a_rewritten_log_is_refused_however_consistent_in_itself() {
        let log = Sample::of(300);
        for before in [0, 1, 256, 299, 300] {
            let tree = Tree { root: Hash::leaf(b"as it was"), size: before };
            let error = verified(&log, &log.checkpoint(), Some(tree)).unwrap_err();
            assert!(matches!(error, VerifyError::Rewritten { before, .. } if before == tree), "{before}: {error}");
        }
    }

    #[test]
    fn a_checkpoint_over_other_entries_is_refused() {
        let log = Sample::of(300);
        let note = signed(Tree { root: Hash::leaf(b"another view"), ..log.tree() });
        assert!(matches!(verified(&log, &note, None), Err(VerifyError::Root { got, .. }) if got == log.tree().root));
        let note = signed(Tree { size: 301, ..log.tree() });
        assert!(matches!(verified(&log, &note, None), Err(VerifyError::Tile(TileError::Read { .. }))));
        let stranger = crate::Signer::new(ORIGIN, &[9; 32]).unwrap();
        let note = Checkpoint::new(ORIGIN, log.tree(), &[]).unwrap().sign(&stranger).unwrap();
        assert!(matches!(verified(&log, &note, None), Err(VerifyError::Policy(PolicyError::Note(NoteError::Unknown)))));
        let garbage = verify_log(&policy(0), b"<html>", None, |tile| log.read(tile), |_, _| {});
        assert!(matches!(garbage, Err(VerifyError::Policy(PolicyError::Note(_)))));
    }

    #[test]
    fn what_differs_is_named() {
        let mut log = Sample::of(600);
        let note = log.checkpoint();
        let tile = Tile::parse("tile/0/001").unwrap();
        log.files.get_mut(&tile).unwrap()[3 * 32] ^= 1;
        let error = verified(&log, &note, None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "hash 3 of tile/0/001 is not what lies below it makes: this tile, or what lies below, was altered; fetch or restore both"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_altered_byte_of_any_file_passes(size in 1_u64..600, file in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let mut log = Sample::of(size);
            let note = log.checkpoint();
            prop_assert!(verified(&log, &note, None).is_ok());
            let tiles: Vec<Tile> = log.files.keys().copied().collect();
            let tile = tiles[file.index(tiles.len())];
            let bytes = log.files.get_mut(&tile).unwrap();
            let place = at.index(bytes.len());
            bytes[place] ^= 1 << bit;
            prop_assert!(verified(&log, &note, None).is_err(), "{} at {}", tile, place);
        }
    }
}
