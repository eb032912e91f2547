//! A public log as software of others sees it: Cloudflare's `signed_note` and `tlog_tiles`, and nothing of ours.
//!
//! Whoever tests a log of their own includes this file by its path, and names both crates for the tests.

use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::{
    Checkpoint, Error, Hash, HashReader, Tile, TileHashReader, TileReader, check_record, check_tree, prove_record,
    prove_tree, record_hash, stored_hash_index, tree_hash,
};

/// Reads a file of the log by its path below the log's address.
type Read<'r> = &'r dyn Fn(&str) -> Option<Vec<u8>>;

/// Verifies a whole log: the signature of its checkpoint, every entry against its tile, the root, that the first and
/// the last entry are in it, and that it continues itself. Gives its entries. What is wrong fails the test.
pub(crate) fn verified_by_others(vkey: &str, read: Read<'_>) -> Vec<Vec<u8>> {
    let note = Note::from_bytes(&read("checkpoint").unwrap()).unwrap();
    let known = VerifierList::new(vec![Box::new(StandardVerifier::new(vkey).unwrap())]);
    let (verified, _) = note.verify(&known).unwrap();
    assert_eq!(verified.len(), 1);
    let checkpoint = Checkpoint::from_bytes(note.text()).unwrap();
    assert_eq!(Some(checkpoint.origin()), vkey.split('+').next());
    let (size, root) = (checkpoint.size(), *checkpoint.hash());
    if size == 0 {
        return Vec::new();
    }
    let tiles = Tiles(read);
    let hashes = TileHashReader::new(size, root, &tiles);
    assert_eq!(tree_hash(size, &hashes).unwrap(), root);
    let entries: Vec<Vec<u8>> = (0..size.div_ceil(256)).flat_map(|bundle| entries(read, bundle, size)).collect();
    assert_eq!(entries.len() as u64, size);
    let indexes: Vec<u64> = (0..size).map(|index| stored_hash_index(0, index)).collect();
    let leaves: Vec<Hash> = indexes.chunks(256).flat_map(|some| hashes.read_hashes(some).unwrap()).collect();
    for (entry, leaf) in entries.iter().zip(&leaves) {
        assert_eq!(record_hash(entry), *leaf);
    }
    for index in [0, size / 2, size - 1] {
        let proof = prove_record(size, index, &hashes).unwrap();
        check_record(&proof, size, root, index, leaves[index as usize]).unwrap();
    }
    for older in [1, size.div_ceil(2), size] {
        let proof = prove_tree(size, older, &hashes).unwrap();
        check_tree(&proof, size, root, older, tree_hash(older, &hashes).unwrap()).unwrap();
    }
    entries
}

/// The entries of a bundle, each after its length in two bytes.
fn entries(read: Read<'_>, bundle: u64, size: u64) -> Vec<Vec<u8>> {
    let width = (size - bundle * 256).min(256) as u32;
    let mut bytes = &read(&path(&Tile::new(8, 0, bundle, width, true))).unwrap()[..];
    let mut entries = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let (entry, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)));
        entries.push(entry.to_vec());
        bytes = rest;
    }
    assert_eq!(entries.len(), width as usize);
    entries
}

/// Go's name for a tile, as C2SP has it.
fn path(tile: &Tile) -> String {
    tile.path().replacen("tile/8/data/", "tile/entries/", 1).replacen("tile/8/", "tile/", 1)
}

struct Tiles<'r>(Read<'r>);

impl TileReader for Tiles<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        Ok(tiles
            .iter()
            .map(|tile| self.0(&path(tile)).unwrap_or_else(|| panic!("{} is not there", path(tile))))
            .collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}
