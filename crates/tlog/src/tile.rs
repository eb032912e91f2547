//! Tiles: which files a log of a given size consists of, what they are called and what they hold (C2SP tlog-tiles).
//!
//! A tile is 256 hashes of one level of the tree, or as many as there are yet; an entry bundle is the 256 entries under
//! a tile of level 0. Names and shapes only: nothing here reads, writes or believes a file.

use std::fmt;

use crate::tree::{Hash, Node, complete_nodes, join_complete};

/// How many hashes or entries a full tile has.
const WIDTH: u64 = 256;

/// Rows of nodes between a tile's hashes and the next level's: log2 of [`WIDTH`].
const ROWS: u32 = 8;

/// Levels of tiles that a tree of fewer than 2^64 entries can have.
const LEVELS: u8 = 8;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Row {
    /// Entries, each after its length: the bundle under a tile of level 0.
    Entries,
    /// Hashes: of entries at level 0, of full tiles of the level below above it.
    Level(u8),
}

impl Row {
    /// How many entries one of its hashes stands for, as a power of two.
    fn height(self) -> u32 {
        match self {
            Self::Entries => 0,
            Self::Level(level) => u32::from(level) * ROWS,
        }
    }
}

/// One file of a log. Its text is its path below the log's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    row: Row,
    index: u64,
    width: u16,
}

/// A path is not that of a tile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no tile of a log; one is named like `tile/0/x001/234`, `tile/entries/067` or `tile/1/000.p/17`")]
pub struct NotATile(String);

impl Tile {
    /// The tile at `index` of a row in a log of `size` entries, as wide as it is there; none where the log has no such
    /// tile.
    pub fn in_log(row: Row, index: u64, size: u64) -> Option<Self> {
        let hashes = size.checked_shr(row.height())?;
        let width = hashes.checked_sub(index.checked_mul(WIDTH)?)?.min(WIDTH);
        (width > 0).then_some(Self { row, index, width: width as u16 })
    }

    /// The tile of a row that is still filling in a log of `size` entries, if there is one.
    pub(crate) fn partial(row: Row, size: u64) -> Option<Self> {
        Self::in_log(row, size >> row.height() >> ROWS, size)
    }

    /// What it holds.
    pub const fn row(self) -> Row {
        self.row
    }

    /// Which one of its row.
    pub const fn index(self) -> u64 {
        self.index
    }

    /// The entry bundle under this tile of level 0.
    pub(crate) fn bundle(self) -> Self {
        Self { row: Row::Entries, ..self }
    }

    /// The first of the entries that it is about.
    pub(crate) fn first(self) -> u64 {
        self.index << self.row.height() << ROWS
    }

    /// The node over all of its hashes, once it is full.
    pub(crate) fn top(self) -> Node {
        Node { level: self.row.height() + ROWS, index: self.index }
    }

    /// How many hashes or entries it has.
    pub fn width(self) -> usize {
        usize::from(self.width)
    }

    /// The tile that this one becomes when it is full. Logs may delete partial tiles then; a reader that misses one
    /// reads this instead, of which only the beginning is used.
    #[must_use]
    pub fn full(self) -> Self {
        Self { width: WIDTH as u16, ..self }
    }

    /// From its path, which must be the only one it has.
    ///
    /// # Errors
    ///
    /// [`NotATile`] for every other text.
    pub fn parse(path: &str) -> Result<Self, NotATile> {
        let tile = Self::scan(path).filter(|tile| tile.to_string() == path);
        tile.ok_or_else(|| NotATile(path.chars().take(80).collect()))
    }

    /// What a path seems to say; writing it again shows whether it is the proper one.
    fn scan(path: &str) -> Option<Self> {
        let (row, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let row = if row == "entries" { Row::Entries } else { Row::Level(row.parse().ok().filter(|l| *l < LEVELS)?) };
        let (digits, width) = rest.split_once(".p/").map_or((rest, None), |(digits, width)| (digits, Some(width)));
        let width = width.map_or(Some(WIDTH), |width| width.parse().ok().filter(|w| (1..WIDTH).contains(w)))?;
        let index = digits.split('/').try_fold(0_u64, |index, group| {
            let group: u64 = group.strip_prefix('x').unwrap_or(group).parse().ok()?;
            index.checked_mul(1_000)?.checked_add(group)
        })?;
        // Beyond this its entries would have no index.
        let first = u128::from(index) << (row.height() + ROWS);
        (first <= u128::from(u64::MAX)).then_some(Self { row, index, width: width as u16 })
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row {
            Row::Entries => f.write_str("tile/entries")?,
            Row::Level(level) => write!(f, "tile/{level}")?,
        }
        let mut unit = 1;
        while self.index / unit >= 1_000 {
            unit *= 1_000;
        }
        while unit > 1 {
            write!(f, "/x{:03}", self.index / unit % 1_000)?;
            unit /= 1_000;
        }
        write!(f, "/{:03}", self.index % 1_000)?;
        if u64::from(self.width) < WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

/// The files that a log needs to grow from one size to a larger one, lowest row first: every tile that fills up on the
/// way, and the partial ones at the end. `tiles_between(0, size)` are all of a log's files but its checkpoint.
pub fn tiles_between(from: u64, to: u64) -> impl Iterator<Item = Tile> {
    let rows = std::iter::once(Row::Entries).chain((0..LEVELS).map(Row::Level));
    rows.flat_map(move |row| {
        let (old, new) = (from >> row.height(), to >> row.height());
        let end = if old < new { new.div_ceil(WIDTH) } else { 0 };
        (old / WIDTH..end).filter_map(move |index| Tile::in_log(row, index, to))
    })
}

/// The most bytes that an entry may have: its length stands before it in two bytes.
pub const ENTRY_BYTES_MAX: usize = u16::MAX as usize;

/// An entry is too long for a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the entry has {bytes} bytes, a log takes at most {ENTRY_BYTES_MAX}: log its digest and keep the text elsewhere"
)]
pub struct EntryTooLong {
    /// How many it has.
    pub bytes: usize,
}

/// Adds an entry to a bundle.
pub(crate) fn bundle_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), EntryTooLong> {
    let length = u16::try_from(entry.len()).map_err(|_| EntryTooLong { bytes: entry.len() })?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The first `width` entries of a bundle and what follows them, or how many there were before it broke off.
pub(crate) fn unbundle(mut bundle: &[u8], width: usize) -> Result<(Vec<&[u8]>, &[u8]), usize> {
    let mut entries = Vec::with_capacity(width);
    while entries.len() < width {
        let next = bundle
            .split_first_chunk()
            .and_then(|(length, rest)| rest.split_at_checked(usize::from(u16::from_be_bytes(*length))));
        let Some((entry, rest)) = next else { return Err(entries.len()) };
        entries.push(entry);
        bundle = rest;
    }
    Ok((entries, bundle))
}

/// The hashes of one tile and every complete node above them, as many as it has yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pyramid {
    rows: [Vec<Hash>; ROWS as usize],
}

impl Pyramid {
    /// Over these hashes; with the hash of the whole tile when they fill it.
    pub(crate) fn of(hashes: Vec<Hash>) -> (Self, Option<Hash>) {
        let mut pyramid = Self::default();
        let whole = hashes.into_iter().fold(None, |_, hash| pyramid.push(hash));
        (pyramid, whole)
    }

    /// Adds a hash; gives the hash of the whole tile when that fills it.
    pub(crate) fn push(&mut self, hash: Hash) -> Option<Hash> {
        let mut node = hash;
        for row in &mut self.rows {
            row.push(node);
            node = match row.as_slice() {
                [.., left, right] if row.len().is_multiple_of(2) => Hash::node(left, right),
                _ => return None,
            };
        }
        Some(node)
    }

    /// The tile's own hashes.
    fn hashes(&self) -> &[Hash] {
        self.rows.first().map_or(&[], Vec::as_slice)
    }

    /// The hash at a place, if it is known yet.
    pub(crate) fn get(&self, place: &Place) -> Option<Hash> {
        self.rows.get(place.row)?.get(place.at).copied()
    }

    fn clear(&mut self) {
        self.rows.iter_mut().for_each(Vec::clear);
    }
}

/// Where the hash of a complete node comes from: a level, a tile of it, and a place in that tile's pyramid.
pub(crate) struct Place {
    pub(crate) level: u8,
    pub(crate) tile: u64,
    row: usize,
    at: usize,
}

impl Place {
    pub(crate) fn of(node: Node) -> Self {
        let row = node.level % ROWS;
        // A row has 256 places at the tile's hashes, half as many one above, and so on.
        let tile = node.index >> (ROWS - row);
        let at = node.index - (tile << (ROWS - row));
        Self { level: (node.level / ROWS) as u8, tile, row: row as usize, at: at as usize }
    }
}

/// The right edge of a tree: the partial tile of each level. All that is needed to go on, and to tell the root.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edge {
    pub(crate) size: u64,
    levels: [Pyramid; LEVELS as usize],
}

impl Edge {
    /// Of a tree of `size` entries, where `read` gives the hashes of each of its partial tiles.
    pub(crate) fn load<E>(size: u64, mut read: impl FnMut(Tile) -> Result<Vec<Hash>, E>) -> Result<Self, E> {
        let mut edge = Self { size, ..Self::default() };
        for (level, pyramid) in (0..LEVELS).zip(&mut edge.levels) {
            if let Some(tile) = Tile::partial(Row::Level(level), size) {
                *pyramid = Pyramid::of(read(tile)?).0;
            }
        }
        Ok(edge)
    }

    /// Adds the leaf hash of an entry; gives the tiles that it fills, lowest first.
    pub(crate) fn push(&mut self, leaf: Hash) -> Vec<(Tile, Vec<Hash>)> {
        let mut full = Vec::new();
        let mut hash = Some(leaf);
        for (level, pyramid) in (0_u8..).zip(&mut self.levels) {
            let Some(next) = hash else { break };
            hash = pyramid.push(next);
            if hash.is_some() {
                let index = self.size >> Row::Level(level).height() >> ROWS;
                full.push((Tile { row: Row::Level(level), index, width: WIDTH as u16 }, pyramid.hashes().to_vec()));
                pyramid.clear();
            }
        }
        // 2^64 entries are out of reach; a checkpoint of 2^63 is refused already.
        self.size = self.size.saturating_add(1);
        full
    }

    /// The partial tiles, lowest first.
    pub(crate) fn partial(&self) -> impl Iterator<Item = (Tile, &[Hash])> {
        let pyramids = (0..LEVELS).map(Row::Level).zip(&self.levels);
        pyramids.filter_map(|(row, pyramid)| Tile::partial(row, self.size).map(|tile| (tile, pyramid.hashes())))
    }

    /// The hash of a complete node, if it lies here.
    pub(crate) fn node(&self, node: Node) -> Option<Hash> {
        let place = Place::of(node);
        let last = self.size >> Row::Level(place.level).height() >> ROWS;
        self.levels.get(usize::from(place.level)).filter(|_| place.tile == last).and_then(|pyramid| pyramid.get(&place))
    }

    /// The root over all entries.
    pub(crate) fn root(&self) -> Hash {
        join_complete(complete_nodes(self.size).filter_map(|node| self.node(node))).unwrap_or(Hash::EMPTY_ROOT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(from: u64, to: u64) -> Vec<String> {
        tiles_between(from, to).map(|tile| tile.to_string()).collect()
    }

    fn row() -> impl Strategy<Value = Row> {
        prop_oneof![Just(Row::Entries), (0..LEVELS).prop_map(Row::Level)]
    }

    #[test]
    fn tiles_are_named_as_c2sp_says() {
        let tile = |row, index, size| Tile::in_log(row, index, size).unwrap().to_string();
        assert_eq!(tile(Row::Level(0), 1_234_067, 1 << 40), "tile/0/x001/x234/067");
        assert_eq!(tile(Row::Entries, 0, 1), "tile/entries/000.p/1");
        assert_eq!(tile(Row::Level(2), 0, 70_000), "tile/2/000.p/1");
        assert_eq!(tile(Row::Entries, 999_999, 1 << 40), "tile/entries/x999/999");
        assert_eq!(tile(Row::Entries, 1_000_000, 1 << 40), "tile/entries/x001/x000/000");
    }

    #[test]
    fn a_log_of_70_000_entries_has_the_tiles_that_c2sp_counts() {
        let all = names(0, 70_000);
        let count = |of: &str, partial| {
            all.iter().filter(|name| name.starts_with(of) && name.contains(".p/") == partial).count()
        };
        assert_eq!(["tile/0/", "tile/1/", "tile/2/"].map(|of| count(of, false)), [273, 1, 0]);
        for partial in ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1", "tile/entries/273.p/112"] {
            assert!(all.iter().any(|name| name == partial), "{partial}");
        }
        assert_eq!(all.len(), 2 * 274 + 2 + 1);
        assert_eq!(names(0, 256), ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
    }

    #[test]
    fn a_growing_log_writes_only_what_changed() {
        assert_eq!(names(5, 5), [""; 0]);
        assert_eq!(names(5, 4), [""; 0]);
        assert_eq!(names(0, 0), [""; 0]);
        assert_eq!(names(254, 255), ["tile/entries/000.p/255", "tile/0/000.p/255"]);
        assert_eq!(
            names(511, 513),
            ["tile/entries/001", "tile/entries/002.p/1", "tile/0/001", "tile/0/002.p/1", "tile/1/000.p/2",]
        );
    }

    #[test]
    fn other_paths_are_no_tiles() {
        for bad in [
            "",
            "tile",
            "tile/0",
            "tile/0/",
            "tile/8/000",
            "tile/-1/000",
            "tile/00/000",
            "tile/+1/000",
            "tile/0/0",
            "tile/0/0000",
            "tile/0/x000/001",
            "tile/0/001/000",
            "tile/0/x001/x002",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/",
            "tile/0/000.p",
            "tile/0/000/",
            "/tile/0/000",
            "tile/data/000",
            "tile/entries/../checkpoint",
            "tile/7/001",
            "tile/6/256",
            "tile/0/x999/x999/x999/x999/x999/x999/999",
            "tile/entries/x072/x057/x594/x037/x927/936",
            "checkpoint",
            "tile/8/0/000",
        ] {
            assert!(Tile::parse(bad).is_err(), "{bad}");
        }
        assert!(Tile::parse("tile/entries/x072/x057/x594/x037/x927/935").is_ok(), "the last of all");
    }

    #[test]
    fn an_entry_has_65_535_bytes_at_most() {
        let mut bundle = Vec::new();
        bundle_entry(&mut bundle, &[7; 65_535]).unwrap();
        bundle_entry(&mut bundle, b"").unwrap();
        assert_eq!(bundle.len(), 2 + 65_535 + 2);
        let before = bundle.clone();
        assert_eq!(bundle_entry(&mut bundle, &[7; 65_536]), Err(EntryTooLong { bytes: 65_536 }));
        assert_eq!(bundle, before);
        assert_eq!(unbundle(&bundle, 2), Ok((vec![[7; 65_535].as_slice(), b""], b"".as_slice())));
    }

    #[test]
    fn a_bundle_that_breaks_off_says_after_which_entry() {
        let bundle = [0, 1, b'a', 0, 2, b'b', b'c'];
        assert_eq!(unbundle(&bundle, 1), Ok((vec![b"a".as_slice()], &bundle[3..])));
        for (end, whole) in [(0, 0), (1, 0), (2, 0), (3, 1), (4, 1), (6, 1)] {
            assert_eq!(unbundle(&bundle[..end], 2), Err(whole), "cut to {end}");
        }
        assert_eq!(unbundle(&bundle, 3), Err(2));
    }

    proptest! {
        #[test]
        fn a_tile_has_one_path(row in row(), size in 1_u64.., at in any::<prop::sample::Index>()) {
            let tiles = (size >> row.height()).div_ceil(WIDTH);
            prop_assume!(tiles > 0);
            let tile = Tile::in_log(row, at.index(tiles as usize) as u64, size).unwrap();
            prop_assert_eq!(Tile::parse(&tile.to_string()), Ok(tile));
            prop_assert_eq!(Tile::in_log(row, tiles, size), None);
        }

        #[test]
        fn no_path_makes_it_panic(path in "tile/(entries|[0-9]{1,2})(/x?[0-9]{3,4}){1,7}(\\.p/[0-9]{0,3})?|.{0,40}") {
            if let Ok(tile) = Tile::parse(&path) {
                prop_assert_eq!(tile.to_string(), path);
            }
        }

        #[test]
        fn what_a_log_has_is_what_it_had_and_what_growing_added(a in 0_u64..200_000, more in 0_u64..200_000) {
            let b = a + more;
            let grown: Vec<Tile> = tiles_between(a, b).collect();
            for tile in tiles_between(0, b) {
                let had = Tile::in_log(tile.row(), tile.index(), a) == Some(tile);
                prop_assert!(had != grown.contains(&tile), "{} from {} to {}", tile, a, b);
            }
            prop_assert!(grown.iter().all(|tile| Tile::in_log(tile.row(), tile.index(), b) == Some(*tile)));
        }
    }
}
