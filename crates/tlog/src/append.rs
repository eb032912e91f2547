//! Appending: entries in, the files that a log gains out, and the tree to sign a checkpoint of.
//!
//! It keeps the right edge and the bundle that is filling, never more, however long the log. It writes nothing itself:
//! whoever keeps the files writes those it is given before the checkpoint that needs them, then the checkpoint. What a
//! crash leaves beyond the last checkpoint was promised to nobody and is written over.

use std::error::Error;

use crate::read::{TileError, Tiles};
use crate::tile::{Edge, EntryTooLong, Row, Tile, bundle_entry};
use crate::tree::{Hash, Tree};

/// A log that grows.
#[derive(Clone, Debug, Default)]
pub struct Appender {
    edge: Edge,
    /// The entries of the bundle that is filling.
    bundle: Vec<u8>,
}

impl Appender {
    /// Goes on from a tree whose checkpoint was signed or remembered; from [`Tree::EMPTY`] begins a log. Reads the right
    /// edge and the last bundle, and refuses to go on from files that do not match.
    ///
    /// # Errors
    ///
    /// [`TileError`] names the file that does not match and how to mend it.
    pub fn open<E: Error + 'static>(
        tree: Tree,
        read: impl FnMut(Tile) -> Result<Vec<u8>, E>,
    ) -> Result<Self, TileError<E>> {
        let mut tiles = Tiles::open(tree, read)?;
        // A full last bundle is looked at, too: it may be the last that was written before the checkpoint.
        let last = tree.size.checked_sub(1).map(|last| tiles.bundle_bytes(last / 256)).transpose()?;
        let filling = Tile::partial(Row::Entries, tree.size).is_some();
        let bundle = last.filter(|_| filling).map(|(_, bytes)| bytes).unwrap_or_default();
        Ok(Self { edge: tiles.into_edge(), bundle })
    }

    /// The tree over all entries so far.
    pub fn tree(&self) -> Tree {
        Tree { size: self.edge.size, root: self.edge.root() }
    }

    /// Adds an entry. Gives the files that it fills, to be written once: mostly none, at every 256th entry a bundle and
    /// its tile, sometimes tiles above.
    ///
    /// # Errors
    ///
    /// An entry of more than [`ENTRY_BYTES_MAX`](crate::ENTRY_BYTES_MAX) bytes; nothing is added then.
    pub fn push(&mut self, entry: &[u8]) -> Result<Vec<(Tile, Vec<u8>)>, EntryTooLong> {
        bundle_entry(&mut self.bundle, entry)?;
        let tiles = self.edge.push(Hash::leaf(entry));
        let bundle = tiles.first().map(|(tile, _)| (tile.bundle(), std::mem::take(&mut self.bundle)));
        Ok(bundle.into_iter().chain(tiles.iter().map(|(tile, hashes)| (*tile, bytes(hashes)))).collect())
    }

    /// The partial files that a checkpoint of [`Self::tree`] needs and the one of `since` entries did not have.
    pub fn partial(&self, since: u64) -> Vec<(Tile, Vec<u8>)> {
        let bundle = Tile::partial(Row::Entries, self.edge.size).map(|tile| (tile, self.bundle.clone()));
        let files = bundle.into_iter().chain(self.edge.partial().map(|(tile, hashes)| (tile, bytes(hashes))));
        files.filter(|(tile, _)| Tile::in_log(tile.row(), tile.index(), since) != Some(*tile)).collect()
    }
}

/// Hashes as a tile's file holds them.
fn bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, entry};
    use crate::tile::tiles_between;
    use proptest::prelude::*;
    use std::io;

    fn reopened(log: &Sample) -> Result<Appender, TileError<io::Error>> {
        Appender::open(log.tree(), |tile| log.read(tile))
    }

    fn without(size: u64, path: &str) -> String {
        let mut log = Sample::of(size);
        log.files.remove(&Tile::parse(path).unwrap()).unwrap();
        reopened(&log).unwrap_err().to_string()
    }

    #[test]
    fn a_log_does_not_go_on_from_files_that_are_not_its_own() {
        let log = Sample::of(300);
        let with = |path: &str, change: fn(&mut Vec<u8>)| {
            let mut log = Sample::of(300);
            change(log.files.get_mut(&Tile::parse(path).unwrap()).unwrap());
            reopened(&log).unwrap_err().to_string()
        };
        assert!(with("tile/0/001.p/44", |bytes| bytes[0] ^= 1).starts_with("the partial tiles have root"));
        assert!(with("tile/1/000.p/1", |bytes| bytes[31] ^= 1).starts_with("the partial tiles have root"));
        assert!(with("tile/entries/001.p/44", |bytes| bytes[2] ^= 1).starts_with("entry 256 is not the one"));
        assert!(
            with("tile/entries/001.p/44", |bytes| bytes.push(0)).starts_with("tile/entries/001.p/44 does not hold")
        );
        let other = Tree { root: Hash::leaf(b""), ..log.tree() };
        let error = Appender::open(other, |tile| log.read(tile)).unwrap_err();
        assert!(matches!(error, TileError::Root { tree, .. } if tree == other), "{error}");
        let newer = Tree { size: 301, ..log.tree() };
        assert!(matches!(Appender::open(newer, |tile| log.read(tile)), Err(TileError::Read { .. })));
    }

    #[test]
    fn a_file_lost_in_a_crash_is_missed_at_the_start() {
        assert_eq!(without(300, "tile/entries/001.p/44"), "tile/entries/001.p/44 cannot be read: not there");
        assert_eq!(without(300, "tile/0/001.p/44"), "tile/0/001.p/44 cannot be read: not there");
        assert_eq!(without(512, "tile/entries/001"), "tile/entries/001 cannot be read: not there");
        assert_eq!(without(512, "tile/0/001"), "tile/0/001 cannot be read: not there");
    }

    #[test]
    fn an_entry_that_is_too_long_leaves_the_log_as_it_was() {
        let mut log = Sample::of(5);
        let (tree, files) = (log.tree(), log.appender.partial(0));
        assert_eq!(log.appender.push(&[0; 65_536]), Err(EntryTooLong { bytes: 65_536 }));
        assert_eq!((log.tree(), log.appender.partial(0)), (tree, files));
        log.appender.push(&[0; 65_535]).unwrap();
        assert_eq!(log.tree().size, 6);
    }

    #[test]
    fn a_log_begins_empty() {
        assert_eq!(Appender::default().tree(), Tree::EMPTY);
        assert_eq!(reopened(&Sample::default()).unwrap().tree(), Tree::EMPTY);
        assert_eq!(Appender::default().partial(0), []);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn steps_and_restarts_leave_no_trace(mut stops in prop::collection::vec(0_u64..1_100, 1..6)) {
            stops.sort_unstable();
            let mut log = Sample::default();
            for stop in &stops {
                let from = log.tree().size;
                let written = log.grow(*stop);
                let mut wanted: Vec<Tile> = tiles_between(from, *stop).collect();
                wanted.sort();
                prop_assert_eq!(written, wanted);
                log.appender = reopened(&log).unwrap();
            }
            let at_once = Sample::of(log.tree().size);
            prop_assert_eq!(log.tree(), at_once.tree());
            // A log in steps has the partial files of every step besides.
            prop_assert!(at_once.files.iter().all(|(tile, bytes)| log.files.get(tile) == Some(bytes)));
            prop_assert_eq!(log.appender.push(&entry(1)), at_once.appender.clone().push(&entry(1)));
        }
    }
}
