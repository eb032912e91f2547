//! The Merkle tree of RFC 6962 §2.1: hashes, the head of a tree, and what proofs about it must look like to hold.
//!
//! It works on hashes alone and never panics: sizes, indexes and proofs come from strangers. It does not know where
//! hashes are kept, that is [`crate::Tiles`]; nor who vouches for a root, that is [`crate::Policy`].

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// How many hashes a proof may have. No tree of fewer than 2^63 entries needs more; the witness protocol allows no more.
pub(crate) const PROOF_LINES_MAX: usize = 63;

/// A SHA-256 hash in the tree; as text its base64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// How many bytes it has.
    pub const BYTES: usize = 32;

    /// The root of a tree without entries: the hash of nothing.
    pub const EMPTY_ROOT: Self = Self([
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae,
        0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
    ]);

    /// As it was computed elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Of an entry.
    pub fn leaf(entry: &[u8]) -> Self {
        Self(Sha256::new().chain_update([0]).chain_update(entry).finalize().into())
    }

    /// Of the two nodes below. Its prefix differs from a leaf's, so that no entry can pass for a node.
    pub fn node(left: &Self, right: &Self) -> Self {
        Self(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is not the base64 of a hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a hash: 32 bytes in standard base64, 44 characters with the padding, are wanted")]
pub struct NotAHash(String);

impl FromStr for Hash {
    type Err = NotAHash;

    /// Strict: one hash has one text.
    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let bytes = STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        // A stranger's text may be long; the beginning is enough to find it by.
        bytes.map(Self).ok_or_else(|| NotAHash(text.chars().take(60).collect()))
    }
}

/// The head of a tree: how many entries it has, and the root over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tree {
    /// How many entries.
    pub size: u64,
    /// The Merkle tree hash of them all.
    pub root: Hash,
}

/// Why a proof shows nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// There is no such entry.
    #[error("entry {index} is not among the first {size}; entries count from 0: take a smaller index or a later tree")]
    Index {
        /// The entry asked about.
        index: u64,
        /// How many the tree has.
        size: u64,
    },
    /// Every tree continues the empty one, so a proof from there says nothing.
    #[error("the older tree is empty and every tree continues it; remember a tree with entries to prove anything")]
    OlderIsEmpty,
    /// The trees are in the wrong order, or the log was rolled back.
    #[error("the older tree has {older} entries, the newer only {newer}: they are swapped, or the log was rolled back")]
    OlderIsLarger {
        /// Entries of the tree called older.
        older: u64,
        /// Entries of the tree called newer.
        newer: u64,
    },
    /// A proof of another shape.
    #[error("the proof has {got} hashes where exactly {want} belong: it was cut, or made for another index or size")]
    Length {
        /// How many these sizes and this index need.
        want: usize,
        /// How many there are.
        got: usize,
    },
    /// It leads to another root.
    #[error("the proof leads to root {got}, the tree of {size} entries has {want}: one of the two is not of this log")]
    Root {
        /// Entries of the tree.
        size: u64,
        /// Its root.
        want: Hash,
        /// What the proof makes of it.
        got: Hash,
    },
}

impl Tree {
    /// The tree without entries.
    pub const EMPTY: Self = Self { size: 0, root: Hash::EMPTY_ROOT };

    /// Holds if the entry with this [leaf hash](Hash::leaf) is at `index` (RFC 6962 §2.1.1).
    ///
    /// # Errors
    ///
    /// [`ProofError`] says which of index, length and root is wrong.
    pub fn verify_inclusion(&self, index: u64, leaf: Hash, proof: &[Hash]) -> Result<(), ProofError> {
        if index >= self.size {
            return Err(ProofError::Index { index, size: self.size });
        }
        let entry = Node { level: 0, index };
        expect_length(siblings(entry, self.size).count(), proof.len())?;
        let root =
            siblings(entry, self.size).zip(proof).fold(leaf, |below, (sibling, hash)| sibling.join(hash, &below));
        self.expect_root(root)
    }

    /// Holds if this tree begins with exactly the entries of `older` (RFC 6962 §2.1.2).
    ///
    /// # Errors
    ///
    /// [`ProofError`] says which of sizes, length and roots is wrong. An empty older tree is an error too: a proof from
    /// it would be true of every log.
    pub fn verify_consistency(&self, older: &Self, proof: &[Hash]) -> Result<(), ProofError> {
        if older.size > self.size {
            return Err(ProofError::OlderIsLarger { older: older.size, newer: self.size });
        }
        let Some(shared) = Node::last_complete(older.size) else { return Err(ProofError::OlderIsEmpty) };
        if older.size == self.size {
            expect_length(0, proof.len())?;
            return self.expect_root(older.root);
        }
        let path = siblings(shared, self.size);
        // An older tree that is one complete node is its own beginning; it is not sent again.
        let whole = older.size.is_power_of_two();
        expect_length(path.clone().count() + usize::from(!whole), proof.len())?;
        let (seed, rest) = match proof.split_first() {
            Some((first, rest)) if !whole => (*first, rest),
            _ => (older.root, proof),
        };
        let (mut old, mut new) = (seed, seed);
        for (sibling, hash) in path.zip(rest) {
            new = sibling.join(hash, &new);
            // What lies to the right came later.
            if sibling.is_left() {
                old = sibling.join(hash, &old);
            }
        }
        older.expect_root(old)?;
        self.expect_root(new)
    }

    fn expect_root(&self, got: Hash) -> Result<(), ProofError> {
        if got == self.root { Ok(()) } else { Err(ProofError::Root { size: self.size, want: self.root, got }) }
    }
}

fn expect_length(want: usize, got: usize) -> Result<(), ProofError> {
    if want == got { Ok(()) } else { Err(ProofError::Length { want, got }) }
}

/// The `index`-th group of 2^level entries; the last one of a level may be incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) level: u32,
    pub(crate) index: u64,
}

impl Node {
    /// The last of the complete nodes that a tree of `size` entries is made of; none of an empty tree.
    pub(crate) fn last_complete(size: u64) -> Option<Self> {
        let level = size.trailing_zeros();
        Some(Self { level, index: size.checked_shr(level)?.checked_sub(1)? })
    }

    pub(crate) fn is_left(self) -> bool {
        self.index & 1 == 0
    }

    /// Whether all of its entries are among the first `size`.
    pub(crate) fn is_complete(self, size: u64) -> bool {
        self.index < size >> self.level
    }

    /// Its parent's hash, given its own and its sibling's.
    fn join(self, own: &Hash, sibling: &Hash) -> Hash {
        if self.is_left() { Hash::node(own, sibling) } else { Hash::node(sibling, own) }
    }
}

/// The siblings on the way from a node to the root of a tree of `size` entries, lowest first: what every proof is made
/// of. A node without a sibling rises alone.
pub(crate) fn siblings(from: Node, size: u64) -> impl Iterator<Item = Node> + Clone {
    let last = size.saturating_sub(1);
    (from.level..u64::BITS)
        .map(move |level| Node { level, index: (from.index >> (level - from.level)) ^ 1 })
        .filter(move |sibling| sibling.index <= last >> sibling.level)
}

/// The complete nodes that the first `size` entries are made of, smallest and last first.
pub(crate) fn complete_nodes(size: u64) -> impl Iterator<Item = Node> {
    (0..u64::BITS)
        .map(move |level| (level, size >> level))
        .filter(|(_, count)| count & 1 == 1)
        .map(|(level, count)| Node { level, index: count - 1 })
}

/// The hash over nodes given as [`complete_nodes`] lists them; none of no nodes.
pub(crate) fn join_complete(nodes: impl IntoIterator<Item = Hash>) -> Option<Hash> {
    nodes.into_iter().reduce(|right, left| Hash::node(&left, &right))
}

/// The tree by the letter of RFC 6962 §2.1, recursive and slow: what the rest is compared with.
#[cfg(test)]
pub(crate) mod letter {
    use super::Hash;

    fn split(n: usize) -> usize {
        n.next_power_of_two() / 2
    }

    pub(crate) fn root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash::EMPTY_ROOT,
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(split(leaves.len()));
                Hash::node(&root(left), &root(right))
            }
        }
    }

    pub(crate) fn inclusion(index: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let k = split(leaves.len());
        let (left, right) = leaves.split_at(k);
        let (mut proof, other) =
            if index < k { (inclusion(index, left), right) } else { (inclusion(index - k, right), left) };
        proof.push(root(other));
        proof
    }

    pub(crate) fn consistency(older: usize, leaves: &[Hash]) -> Vec<Hash> {
        sub_proof(older, leaves, true)
    }

    fn sub_proof(older: usize, leaves: &[Hash], known: bool) -> Vec<Hash> {
        if older == leaves.len() {
            return if known { Vec::new() } else { vec![root(leaves)] };
        }
        let k = split(leaves.len());
        let (left, right) = leaves.split_at(k);
        let (mut proof, other) = if older <= k {
            (sub_proof(older, left, known), right)
        } else {
            (sub_proof(older - k, right, false), left)
        };
        proof.push(root(other));
        proof
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaves(size: usize) -> Vec<Hash> {
        (0..size).map(|i| Hash::leaf(&i.to_be_bytes())).collect()
    }

    fn tree(leaves: &[Hash]) -> Tree {
        Tree { size: leaves.len() as u64, root: letter::root(leaves) }
    }

    fn flipped(hash: &Hash, bit: usize) -> Hash {
        let mut bytes = *hash.as_bytes();
        bytes[bit / 8 % 32] ^= 1 << (bit % 8);
        Hash::from_bytes(bytes)
    }

    /// Everything a forger may do to a proof without knowing more: one bit, one hash less, one more, two swapped.
    fn forgeries(proof: &[Hash], bit: usize) -> Vec<Vec<Hash>> {
        let mut forged = vec![[proof, &[Hash::EMPTY_ROOT]].concat()];
        for at in 0..proof.len() {
            let mut one = proof.to_vec();
            one[at] = flipped(&one[at], bit);
            forged.push(one);
            forged.push([&proof[..at], &proof[at + 1..]].concat());
            if at > 0 {
                let mut one = proof.to_vec();
                one.swap(at - 1, at);
                forged.push(one);
            }
        }
        forged
    }

    #[test]
    fn a_hash_has_one_text() {
        let hash = Hash::leaf(b"entry");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        let text = hash.to_string();
        for bad in [&text[..43], &format!("{text}\n"), &text.replace('=', ""), "", &text[..40]] {
            assert!(bad.parse::<Hash>().is_err(), "{bad:?}");
        }
        // The last character carries four bits that must be zero.
        assert!(Hash::EMPTY_ROOT.to_string().replace("FU=", "FV=").parse::<Hash>().is_err());
    }

    #[test]
    fn an_entry_never_passes_for_a_node() {
        let (left, right) = (Hash::leaf(b"left"), Hash::leaf(b"right"));
        let forged = [left.as_bytes().as_slice(), right.as_bytes()].concat();
        assert_ne!(Hash::leaf(&forged), Hash::node(&left, &right));
        assert_eq!(Tree::EMPTY.root, Hash(Sha256::digest(b"").into()));
    }

    #[test]
    fn every_entry_of_every_small_tree_is_proven_as_the_rfc_says() {
        let all = leaves(48);
        for size in 1..=48 {
            let some = &all[..size];
            for index in 0..size {
                let proof = letter::inclusion(index, some);
                assert_eq!(tree(some).verify_inclusion(index as u64, some[index], &proof), Ok(()), "{index} of {size}");
            }
            for older in 1..=size {
                let proof = letter::consistency(older, some);
                assert_eq!(tree(some).verify_consistency(&tree(&all[..older]), &proof), Ok(()), "{older} to {size}");
            }
        }
    }

    #[test]
    fn each_refusal_says_what_is_wrong() {
        let all = leaves(7);
        let (seven, six) = (tree(&all), tree(&all[..6]));
        let proof = letter::inclusion(3, &all);
        assert_eq!(seven.verify_inclusion(7, all[0], &proof), Err(ProofError::Index { index: 7, size: 7 }));
        assert_eq!(seven.verify_inclusion(6, all[6], &proof), Err(ProofError::Length { want: 2, got: 3 }));
        assert!(matches!(seven.verify_inclusion(3, all[2], &proof), Err(ProofError::Root { size: 7, .. })));
        assert_eq!(six.verify_consistency(&seven, &[]), Err(ProofError::OlderIsLarger { older: 7, newer: 6 }));
        assert_eq!(seven.verify_consistency(&Tree::EMPTY, &[]), Err(ProofError::OlderIsEmpty));
        assert_eq!(Tree::EMPTY.verify_consistency(&Tree::EMPTY, &[]), Err(ProofError::OlderIsEmpty));
        assert_eq!(seven.verify_consistency(&six, &[]), Err(ProofError::Length { want: 3, got: 0 }));
        let other = Tree { root: all[0], ..seven };
        assert!(matches!(seven.verify_consistency(&other, &[]), Err(ProofError::Root { size: 7, .. })));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn an_inclusion_proof_holds_for_its_entry_and_nothing_else(
            size in 1_usize..140, at in any::<prop::sample::Index>(), bit in 0_usize..256, other in any::<u64>(),
        ) {
            let all = leaves(size);
            let (index, tree) = (at.index(size), tree(&all));
            let proof = letter::inclusion(index, &all);
            prop_assert_eq!(tree.verify_inclusion(index as u64, all[index], &proof), Ok(()));
            prop_assert!(tree.verify_inclusion(index as u64, flipped(&all[index], bit), &proof).is_err());
            let other_root = Tree { root: flipped(&tree.root, bit), ..tree };
            prop_assert!(other_root.verify_inclusion(index as u64, all[index], &proof).is_err());
            for wrong in (0..size as u64 + 2).chain([other]).filter(|wrong| *wrong != index as u64) {
                prop_assert!(tree.verify_inclusion(wrong, all[index], &proof).is_err(), "as entry {}", wrong);
            }
            for forged in forgeries(&proof, bit) {
                prop_assert!(tree.verify_inclusion(index as u64, all[index], &forged).is_err());
            }
        }

        #[test]
        fn a_consistency_proof_holds_for_its_two_trees_and_no_others(
            size in 2_usize..140, at in any::<prop::sample::Index>(), bit in 0_usize..256,
        ) {
            let all = leaves(size);
            let older = 1 + at.index(size - 1);
            let (new, old) = (tree(&all), tree(&all[..older]));
            let proof = letter::consistency(older, &all);
            prop_assert_eq!(new.verify_consistency(&old, &proof), Ok(()));
            let [old_rewritten, new_rewritten] = [old, new].map(|tree| Tree { root: flipped(&tree.root, bit), ..tree });
            prop_assert!(new.verify_consistency(&old_rewritten, &proof).is_err());
            prop_assert!(new_rewritten.verify_consistency(&old, &proof).is_err());
            for wrong in (0..=size as u64).filter(|wrong| *wrong != older as u64) {
                prop_assert!(new.verify_consistency(&Tree { size: wrong, ..old }, &proof).is_err(), "from {}", wrong);
            }
            for forged in forgeries(&proof, bit) {
                prop_assert!(new.verify_consistency(&old, &forged).is_err());
            }
        }

        #[test]
        fn what_strangers_send_never_panics_and_never_holds(
            sizes in (any::<u64>(), any::<u64>()), index in any::<u64>(), proof in prop::collection::vec(any::<[u8; 32]>(), 0..70),
        ) {
            let proof: Vec<Hash> = proof.into_iter().map(Hash::from_bytes).collect();
            let tree = |size| Tree { size, root: Hash::leaf(b"the root") };
            prop_assert!(tree(sizes.0).verify_inclusion(index, Hash::leaf(b"a"), &proof).is_err());
            prop_assert!(tree(sizes.0).verify_inclusion(index % sizes.0.max(1), Hash::leaf(b"a"), &proof).is_err());
            let other = Tree { size: sizes.1, root: Hash::leaf(b"another") };
            prop_assert!(tree(sizes.0).verify_consistency(&other, &proof).is_err());
            prop_assert!(other.verify_consistency(&tree(sizes.0), &proof).is_err());
        }
    }
}
