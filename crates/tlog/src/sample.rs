//! Logs for the tests: small ones kept in memory, and huge ones made up as they are read.

use std::collections::BTreeMap;
use std::io;

use crate::append::Appender;
use crate::note::{Cosigner, Note, Signer};
use crate::tile::{Row, Tile};
use crate::tree::{Hash, Tree, complete_nodes, join_complete};
use crate::{Checkpoint, Policy};

/// The name of the log in the tests.
pub(crate) const ORIGIN: &str = "tribune.example/log";

/// A log in memory.
#[derive(Default)]
pub(crate) struct Sample {
    pub(crate) files: BTreeMap<Tile, Vec<u8>>,
    pub(crate) appender: Appender,
}

/// Entries of several lengths, the first of them empty.
pub(crate) fn entry(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes().into_iter().cycle().take((index % 17) as usize).collect()
}

impl Sample {
    pub(crate) fn of(size: u64) -> Self {
        let mut log = Self::default();
        log.grow(size);
        log
    }

    /// Adds entries and keeps the files; gives those that were new.
    pub(crate) fn grow(&mut self, to: u64) -> Vec<Tile> {
        let since = self.tree().size;
        let mut files: Vec<_> = (since..to).flat_map(|index| self.appender.push(&entry(index)).unwrap()).collect();
        files.extend(self.appender.partial(since));
        let mut tiles: Vec<Tile> = files.iter().map(|(tile, _)| *tile).collect();
        tiles.sort();
        self.files.extend(files);
        tiles
    }

    pub(crate) fn tree(&self) -> Tree {
        self.appender.tree()
    }

    pub(crate) fn read(&self, tile: Tile) -> io::Result<Vec<u8>> {
        self.files.get(&tile).cloned().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "not there"))
    }

    pub(crate) fn checkpoint(&self) -> Note {
        Checkpoint::new(ORIGIN, self.tree(), &[]).unwrap().sign(&log_key()).unwrap()
    }
}

/// A log of that many equal entries, which needs no memory: all nodes of a level are the same.
pub(crate) fn alike(size: u64) -> (Tree, impl Fn(Tile) -> io::Result<Vec<u8>>) {
    let heights: Vec<Hash> =
        std::iter::successors(Some(Hash::leaf(b"")), |below| Some(Hash::node(below, below))).take(64).collect();
    let root = join_complete(complete_nodes(size).map(|node| heights[node.level as usize]));
    let read = move |tile: Tile| match tile.row() {
        Row::Entries => Ok(vec![0; 2 * tile.width()]),
        Row::Level(level) => Ok(heights[usize::from(level) * 8].as_bytes().repeat(tile.width())),
    };
    (root.map_or(Tree::EMPTY, |root| Tree { size, root }), read)
}

pub(crate) fn log_key() -> Signer {
    Signer::new(ORIGIN, &[1; 32]).unwrap()
}

/// Witnesses w0, w1 …
pub(crate) fn witness(number: u8) -> Cosigner {
    Cosigner::new(&format!("w{number}.example"), &[100 + number; 32]).unwrap()
}

/// Trusts the log's key and three witnesses, of which `quorum` must have cosigned.
pub(crate) fn policy(quorum: usize) -> Policy {
    let witnesses = (0..3).map(|number| witness(number).verifier().clone()).collect();
    Policy::new(ORIGIN, vec![log_key().verifier().clone()], witnesses, quorum).unwrap()
}
