//! Reading a log that is kept by somebody else: roots, proofs and entries from tiles, none of them believed before it is
//! checked against the root.
//!
//! The reader is a closure from a tile to its bytes, from a disk or over a network; how it gets them is not known here.

use std::error::Error;

use crate::tile::{Edge, Place, Pyramid, Row, Tile, unbundle};
use crate::tree::{Hash, Node, Tree, complete_nodes, join_complete, siblings};

/// Why what was read is not believed.
#[derive(Debug, thiserror::Error)]
pub enum TileError<E: Error + 'static> {
    /// The reader failed.
    #[error("{tile} cannot be read: {source}")]
    Read {
        /// What was asked for.
        tile: Tile,
        /// What the reader says.
        source: E,
    },
    /// A file of another length.
    #[error("{tile} has {got} bytes where {want} belong: fetch or restore it; a tile is never cut short nor longer")]
    Bytes {
        /// The tile.
        tile: Tile,
        /// How many it should have.
        want: usize,
        /// How many it has.
        got: usize,
    },
    /// A bundle that ends within an entry, or after its last.
    #[error("{tile} does not hold exactly its {} entries, it goes wrong after {whole}: fetch or restore it", .tile.width())]
    Bundle {
        /// The bundle.
        tile: Tile,
        /// How many of its entries are whole.
        whole: usize,
    },
    /// The right edge has another root.
    #[error("the partial tiles have root {got}, the tree of {} entries has {}: tiles and checkpoint are not of one log, or \
             a tile was altered; restore both from the same copy", .tree.size, .tree.root)]
    Root {
        /// The tree that was asked for.
        tree: Tree,
        /// What its tiles say.
        got: Hash,
    },
    /// A full tile that the level above does not know.
    #[error("{tile} is not the one that the level above it has the hash of: it was altered; fetch or restore it")]
    Altered {
        /// The tile.
        tile: Tile,
    },
    /// An entry that its tile does not know.
    #[error("entry {index} is not the one that its tile has the hash of: {tile} was altered; fetch or restore it")]
    Entry {
        /// The entry.
        index: u64,
        /// The bundle it is in.
        tile: Tile,
    },
    /// Something that the log does not have yet.
    #[error("{wanted} is beyond the {size} entries of this tree: open a later one")]
    Beyond {
        /// The index or size asked about.
        wanted: u64,
        /// How many entries there are.
        size: u64,
    },
}

/// The bytes of a tile.
pub(crate) fn fetch<R, E>(read: &mut R, tile: Tile) -> Result<Vec<u8>, TileError<E>>
where
    R: FnMut(Tile) -> Result<Vec<u8>, E>,
    E: Error + 'static,
{
    read(tile).map_err(|source| TileError::Read { tile, source })
}

/// The hashes that a file holds for a tile. The full tile serves for a partial one.
pub(crate) fn hashes<E: Error + 'static>(tile: Tile, bytes: &[u8]) -> Result<Vec<Hash>, TileError<E>> {
    let want = tile.width() * Hash::BYTES;
    if bytes.len() != want && bytes.len() != tile.full().width() * Hash::BYTES {
        return Err(TileError::Bytes { tile, want, got: bytes.len() });
    }
    let (hashes, _) = bytes.as_chunks();
    Ok(hashes.iter().take(tile.width()).map(|hash| Hash::from_bytes(*hash)).collect())
}

/// The entries that a file holds for a bundle. The full bundle serves for a partial one.
pub(crate) fn entries<E: Error + 'static>(tile: Tile, bytes: &[u8]) -> Result<Vec<&[u8]>, TileError<E>> {
    let (entries, rest) = unbundle(bytes, tile.width()).map_err(|whole| TileError::Bundle { tile, whole })?;
    let more = tile.full().width() - tile.width();
    if !rest.is_empty() && !unbundle(rest, more).is_ok_and(|(_, end)| end.is_empty()) {
        return Err(TileError::Bundle { tile, whole: tile.width() });
    }
    Ok(entries)
}

/// A log of a known root, read tile by tile. It keeps the partial tiles and the last full one of each level, at most
/// 16 tiles; a proof reads at most one more of each level.
pub struct Tiles<R> {
    tree: Tree,
    read: R,
    edge: Edge,
    full: [Option<(u64, Pyramid)>; 8],
}

impl<R, E> Tiles<R>
where
    R: FnMut(Tile) -> Result<Vec<u8>, E>,
    E: Error + 'static,
{
    /// Reads the partial tiles, at most eight, and holds them against the root.
    ///
    /// # Errors
    ///
    /// What the reader refuses, and tiles that have another shape or root.
    pub fn open(tree: Tree, mut read: R) -> Result<Self, TileError<E>> {
        let edge = Edge::load(tree.size, |tile| hashes(tile, &fetch(&mut read, tile)?))?;
        let got = edge.root();
        if got != tree.root {
            return Err(TileError::Root { tree, got });
        }
        Ok(Self { tree, read, edge, full: Default::default() })
    }

    /// The tree as it was opened.
    pub const fn tree(&self) -> Tree {
        self.tree
    }

    /// The tree as it was when the log had fewer entries.
    ///
    /// # Errors
    ///
    /// As [`Self::inclusion`].
    pub fn tree_at(&mut self, size: u64) -> Result<Tree, TileError<E>> {
        self.within(size)?;
        let nodes: Vec<Hash> = complete_nodes(size).map(|node| self.complete(node)).collect::<Result<_, _>>()?;
        Ok(join_complete(nodes).map_or(Tree::EMPTY, |root| Tree { size, root }))
    }

    /// Proves that an entry is where it is, for [`Tree::verify_inclusion`].
    ///
    /// # Errors
    ///
    /// What the reader refuses, tiles that are not of this tree, and an index beyond it.
    pub fn inclusion(&mut self, index: u64) -> Result<Vec<Hash>, TileError<E>> {
        self.within(index.saturating_add(1))?;
        siblings(Node { level: 0, index }, self.tree.size).map(|node| self.hash(node)).collect()
    }

    /// Proves that the log continues the one of `older` entries, for [`Tree::verify_consistency`]. From the empty log,
    /// and from the same size, nothing needs to be proven.
    ///
    /// # Errors
    ///
    /// As [`Self::inclusion`].
    pub fn consistency(&mut self, older: u64) -> Result<Vec<Hash>, TileError<E>> {
        self.within(older)?;
        let size = self.tree.size;
        let Some(shared) = Node::last_complete(older).filter(|_| older < size) else { return Ok(Vec::new()) };
        let start = Some(shared).filter(|_| !older.is_power_of_two());
        start.into_iter().chain(siblings(shared, size)).map(|node| self.hash(node)).collect()
    }

    /// The entries of a bundle; entry `i` is in bundle `i / 256`.
    ///
    /// # Errors
    ///
    /// As [`Self::inclusion`], and entries that their tile does not know.
    pub fn bundle(&mut self, index: u64) -> Result<Vec<Vec<u8>>, TileError<E>> {
        let (tile, bytes) = self.bundle_bytes(index)?;
        Ok(entries(tile, &bytes)?.into_iter().map(<[u8]>::to_vec).collect())
    }

    /// A bundle as its file holds it, without what a later log added to it.
    pub(crate) fn bundle_bytes(&mut self, index: u64) -> Result<(Tile, Vec<u8>), TileError<E>> {
        let tile = Tile::in_log(Row::Entries, index, self.tree.size);
        let tile = tile.ok_or_else(|| self.beyond(index.saturating_mul(256)))?;
        let mut bytes = fetch(&mut self.read, tile)?;
        let mut length = 0;
        for (index, entry) in (tile.first()..).zip(entries(tile, &bytes)?) {
            if self.complete(Node { level: 0, index })? != Hash::leaf(entry) {
                return Err(TileError::Entry { index, tile });
            }
            length += 2 + entry.len();
        }
        bytes.truncate(length);
        Ok((tile, bytes))
    }

    /// The right edge, with which a log goes on.
    pub(crate) fn into_edge(self) -> Edge {
        self.edge
    }

    fn within(&self, wanted: u64) -> Result<(), TileError<E>> {
        if wanted <= self.tree.size { Ok(()) } else { Err(self.beyond(wanted)) }
    }

    fn beyond(&self, wanted: u64) -> TileError<E> {
        TileError::Beyond { wanted, size: self.tree.size }
    }

    /// The hash of any node of the tree. One that is not complete ends where the tree ends, all of it in the edge.
    fn hash(&mut self, node: Node) -> Result<Hash, TileError<E>> {
        if node.is_complete(self.tree.size) {
            return self.complete(node);
        }
        let parts = complete_nodes(self.tree.size).take_while(|part| part.level < node.level);
        join_complete(parts.filter_map(|part| self.edge.node(part))).ok_or_else(|| self.beyond(self.tree.size))
    }

    /// The hash of a complete node: from the edge, from the tile of its level read last, or from a tile not read yet.
    fn complete(&mut self, node: Node) -> Result<Hash, TileError<E>> {
        let place = Place::of(node);
        let last = self.full.get(usize::from(place.level)).and_then(Option::as_ref);
        let known = last.filter(|(index, _)| *index == place.tile).and_then(|(_, pyramid)| pyramid.get(&place));
        match self.edge.node(node).or(known) {
            Some(hash) => Ok(hash),
            None => self.load(&place),
        }
    }

    /// Reads a full tile, holds it against the level above, which is checked first, and gives the hash at a place of it.
    fn load(&mut self, place: &Place) -> Result<Hash, TileError<E>> {
        let Some(tile) = Tile::in_log(Row::Level(place.level), place.tile, self.tree.size) else {
            return Err(self.beyond(self.tree.size));
        };
        let want = self.complete(tile.top())?;
        let (pyramid, whole) = Pyramid::of(hashes(tile, &fetch(&mut self.read, tile)?)?);
        let hash = pyramid.get(place).filter(|_| whole == Some(want)).ok_or(TileError::Altered { tile })?;
        if let Some(slot) = self.full.get_mut(usize::from(place.level)) {
            *slot = Some((tile.index(), pyramid));
        }
        Ok(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, alike, entry};
    use crate::tree::letter;
    use proptest::prelude::*;
    use std::io;
    use std::sync::LazyLock;

    /// With tiles on three levels.
    static LARGE: LazyLock<Sample> = LazyLock::new(|| Sample::of(70_000));

    fn opened(log: &Sample) -> Tiles<impl FnMut(Tile) -> io::Result<Vec<u8>>> {
        Tiles::open(log.tree(), |tile| log.read(tile)).unwrap()
    }

    /// What a log refuses once one of its files is replaced: opening it, or proving this entry.
    fn refusal(log: &Sample, file: Tile, bytes: &[u8], index: u64) -> Option<TileError<io::Error>> {
        let read = |tile| if tile == file { Ok(bytes.to_vec()) } else { log.read(tile) };
        Tiles::open(log.tree(), read).and_then(|mut tiles| tiles.bundle(index / 256).and(tiles.inclusion(index))).err()
    }

    #[test]
    fn proofs_from_tiles_are_those_of_the_rfc() {
        for size in [1, 2, 3, 255, 256, 257, 511, 512, 700] {
            let log = Sample::of(size);
            let leaves: Vec<Hash> = (0..size).map(|index| Hash::leaf(&entry(index))).collect();
            assert_eq!(log.tree(), Tree { size, root: letter::root(&leaves) }, "{size}");
            let mut tiles = opened(&log);
            for index in (0..size).step_by(37).chain([size - 1]) {
                assert_eq!(
                    tiles.inclusion(index).unwrap(),
                    letter::inclusion(index as usize, &leaves),
                    "{index} of {size}"
                );
            }
            for older in (1..=size).step_by(31).chain([size]) {
                assert_eq!(
                    tiles.consistency(older).unwrap(),
                    letter::consistency(older as usize, &leaves),
                    "{older} to {size}"
                );
                assert_eq!(tiles.tree_at(older).unwrap().root, letter::root(&leaves[..older as usize]), "at {older}");
            }
        }
    }

    #[test]
    fn an_empty_log_needs_no_tile_and_proves_nothing() {
        let log = Sample::default();
        let mut tiles = opened(&log);
        assert_eq!(tiles.tree_at(0).unwrap(), Tree::EMPTY);
        assert_eq!(tiles.consistency(0).unwrap(), []);
        for beyond in
            [tiles.inclusion(0).err(), tiles.consistency(1).err(), tiles.tree_at(1).err(), tiles.bundle(0).err()]
        {
            assert!(matches!(beyond, Some(TileError::Beyond { size: 0, .. })), "{beyond:?}");
        }
        let other = Tree { root: Hash::leaf(b""), ..Tree::EMPTY };
        assert!(matches!(Tiles::open(other, |tile| log.read(tile)), Err(TileError::Root { .. })));
    }

    #[test]
    fn a_file_of_another_length_is_refused_by_name() {
        let log = &*LARGE;
        for path in
            ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1", "tile/0/003", "tile/1/000", "tile/entries/003"]
        {
            let file = Tile::parse(path).unwrap();
            let bytes = log.read(file).unwrap();
            assert!(refusal(log, file, &bytes, 800).is_none());
            for bad in [&bytes[..bytes.len() - 1], &bytes[..bytes.len() / 2], &[], &[bytes.as_slice(), &[0]].concat()] {
                let error = refusal(log, file, bad, 800).unwrap();
                assert!(matches!(error, TileError::Bytes { .. } | TileError::Bundle { .. }), "{path}: {error}");
                assert!(error.to_string().starts_with(path), "{error}");
            }
        }
    }

    #[test]
    fn what_the_reader_says_comes_through() {
        let error = Tiles::open(Sample::of(3).tree(), |_| Err(io::Error::other("the disk is gone"))).err();
        let error: TileError<io::Error> = error.unwrap();
        assert_eq!(error.to_string(), "tile/0/000.p/3 cannot be read: the disk is gone");
    }

    #[test]
    fn the_full_tile_serves_for_a_partial_one_that_was_deleted() {
        let (old, mut log) = (Sample::of(300), Sample::of(300));
        log.grow(600);
        log.files.retain(|tile, _| *tile == tile.full() || tile.row() == Row::Level(1));
        let mut tiles = Tiles::open(old.tree(), |tile| log.read(tile).or_else(|_| log.read(tile.full()))).unwrap();
        assert_eq!(tiles.inclusion(299).unwrap(), opened(&old).inclusion(299).unwrap());
        assert_eq!(tiles.bundle(1).unwrap(), opened(&old).bundle(1).unwrap());
        let longer = [log.read(Tile::parse("tile/entries/001").unwrap()).unwrap(), vec![0, 0]].concat();
        let partial = Tile::parse("tile/entries/001.p/44").unwrap();
        assert!(matches!(refusal(&old, partial, &longer, 299), Some(TileError::Bundle { whole: 44, .. })));
    }

    #[test]
    fn a_proof_in_a_log_of_ten_million_reads_a_tile_of_each_level() {
        let (tree, read) = alike(10_000_000);
        let count = std::cell::Cell::new(0);
        let mut tiles = Tiles::open(tree, |tile| {
            count.set(count.get() + 1);
            read(tile)
        })
        .unwrap();
        assert_eq!(count.take(), 3, "partial tiles");
        tree.verify_inclusion(5_000_000, Hash::leaf(b""), &tiles.inclusion(5_000_000).unwrap()).unwrap();
        assert_eq!(count.take(), 2, "one full tile of levels 0 and 1; that of level 2 is partial and known");
        tiles.inclusion(5_000_001).unwrap();
        assert_eq!(count.take(), 0, "the same tiles again");
    }

    /// Run by hand: `cargo test --release -p tlog measure -- --ignored --nocapture`. It asserts nothing about time.
    #[test]
    #[ignore = "a measurement, run by hand"]
    #[expect(clippy::disallowed_methods, reason = "a measurement looks at the clock")]
    fn measure_proofs_in_a_log_of_ten_million() {
        let (tree, read) = alike(10_000_000);
        let mut micros = Vec::new();
        for nth in 0..1_000_u64 {
            let started = std::time::Instant::now();
            let mut tiles = Tiles::open(tree, &read).unwrap();
            let index = nth * 7_919_993 % tree.size;
            let proof = tiles.inclusion(index).unwrap();
            micros.push(started.elapsed().as_micros());
            tree.verify_inclusion(index, Hash::leaf(b""), &proof).unwrap();
        }
        micros.sort_unstable();
        println!("a proof in 10,000,000 entries, nothing in memory before: {} µs, p99 {} µs", micros[500], micros[990]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn proofs_hold_in_logs_of_every_size(size in 1..u64::MAX, at in any::<u64>(), older in any::<u64>()) {
            let (tree, read) = alike(size);
            let mut tiles = Tiles::open(tree, read).unwrap();
            let (index, older) = (at % size, 1 + older % size);
            let proof = tiles.inclusion(index).unwrap();
            prop_assert_eq!(tree.verify_inclusion(index, Hash::leaf(b""), &proof), Ok(()));
            prop_assert!(tree.verify_inclusion(index, Hash::leaf(b"other"), &proof).is_err());
            let old = tiles.tree_at(older).unwrap();
            prop_assert_eq!(old, alike(older).0);
            let proof = tiles.consistency(older).unwrap();
            prop_assert_eq!(tree.verify_consistency(&old, &proof), Ok(()));
            let rewritten = Tree { root: Hash::EMPTY_ROOT, ..old };
            prop_assert!(tree.verify_consistency(&rewritten, &proof).is_err());
        }

        #[test]
        fn no_altered_byte_is_believed(at in any::<prop::sample::Index>(), byte in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let log = &*LARGE;
            let index = at.index(70_000) as u64;
            let read = std::cell::RefCell::new(Vec::new());
            let mut tiles = Tiles::open(log.tree(), |tile| { read.borrow_mut().push(tile); log.read(tile) }).unwrap();
            tiles.inclusion(index).and(tiles.bundle(index / 256)).unwrap();
            for file in read.take() {
                let mut bytes = log.read(file).unwrap();
                let place = byte.index(bytes.len());
                bytes[place] ^= 1 << bit;
                prop_assert!(refusal(log, file, &bytes, index).is_some(), "{} at {}", file, place);
            }
        }
    }
}
