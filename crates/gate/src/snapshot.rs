//! The file that gates load, whole or as what changed since another; `docs/snapshot.md` has every byte of it.
//!
//! Form only: it reads, writes and signs, and believes nothing ([`crate::Gate`] does, once everything holds). What the
//! server signs is a head that commits to every decision and its terms; places in the log, and lifts that a gate
//! remembers, show by themselves and stay outside it. So a delta ends in the very head of the snapshot it leads to, and
//! a gate that followed deltas can write the whole.

use crate::pins::Key;
use crate::record::{Place, Record, Terms};
use crate::seal;
use crate::wire::{Reader, Unreadable, Writer};
use crate::words::{Digest, hex, unhex};
use ed25519_dalek::{Signer as _, SigningKey};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use tlog::Hash;

const SNAPSHOT: &[u8] = b"tribune snapshot 1\n";
const DELTA: &[u8] = b"tribune delta 1\n";
const HEAD: &[u8] = b"tribune head 1\n";

/// Which snapshot: later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Raised when a backup is restored or the server's key changes.
    pub epoch: u64,
    /// Raised with each snapshot of an epoch.
    pub sequence: u64,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.sequence)
    }
}

/// The root's word for who signs an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Who signs the epoch's snapshots.
    pub key: Key,
    /// The root's, over [`epoch_message`].
    pub signature: [u8; 64],
}

impl Certificate {
    /// Made offline, by the root's secret key (Ed25519, RFC 8032 §5.1.5).
    pub fn sign(epoch: u64, key: Key, root: &[u8; 32]) -> Self {
        let signature = SigningKey::from_bytes(root).sign(epoch_message(epoch, &key).as_bytes()).to_bytes();
        Self { key, signature }
    }

    /// Whether it is this root's, for this epoch.
    pub fn holds(&self, epoch: u64, root: &Key) -> bool {
        seal::signed(epoch_message(epoch, &self.key).as_bytes(), root, &self.signature)
    }

    /// As it is carried from where the root is: what was signed, and a line with the signature.
    pub fn text(&self, epoch: u64) -> String {
        format!("{}signature {}\n", epoch_message(epoch, &self.key), hex(&self.signature))
    }

    /// What [`Certificate::text`] wrote, with its epoch; nothing else.
    pub fn parse(text: &str) -> Option<(u64, Self)> {
        let mut lines = text.strip_prefix("tribune epoch 1\n")?.lines();
        let epoch = lines.next()?.strip_prefix("epoch ")?.parse().ok()?;
        let key = unhex(lines.next()?.strip_prefix("key ")?)?;
        let signature = unhex(lines.next()?.strip_prefix("signature ")?)?;
        let certificate = Self { key, signature };
        (certificate.text(epoch) == text).then_some((epoch, certificate))
    }
}

/// What the root signs: that a key signs an epoch.
pub fn epoch_message(epoch: u64, key: &Key) -> String {
    format!("tribune epoch 1\nepoch {epoch}\nkey {}\n", hex(key))
}

/// What the server says of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Which it is.
    pub version: Version,
    /// When it was made, in seconds since 1970.
    pub made: i64,
    /// Who signs this epoch; none in the epoch that gates pin.
    pub certificate: Option<Certificate>,
}

/// A snapshot, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub(crate) head: Head,
    /// The server's, over [`Snapshot::signed`].
    pub(crate) signature: [u8; 64],
    /// What the head says of the decisions: how many, and the digest of them and their terms.
    pub(crate) said: (u32, Digest),
    /// By what is sealed.
    pub(crate) records: BTreeMap<Digest, Record>,
    /// Lifts of earlier snapshots, which stay in force whatever the server leaves out.
    pub(crate) lifts: BTreeMap<Digest, Record>,
}

/// What leads from one snapshot to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delta {
    pub(crate) from: Version,
    head: Head,
    signature: [u8; 64],
    said: (u32, Digest),
    removed: Vec<Digest>,
    changed: Vec<(Digest, Arc<[u8]>)>,
    added: BTreeMap<Digest, Record>,
}

/// Either, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Snapshot(Snapshot),
    Delta(Delta),
}

impl Snapshot {
    /// Of these decisions, signed with the server's secret key (Ed25519, RFC 8032 §5.1.5). One that stands twice in them
    /// is there once.
    pub fn sign(head: Head, records: impl IntoIterator<Item = Record>, server: &[u8; 32]) -> Self {
        let records: BTreeMap<Digest, Record> = records.into_iter().map(|record| (record.name(), record)).collect();
        let said = content(&records);
        let mut snapshot = Self { head, signature: [0; 64], said, records, lifts: BTreeMap::new() };
        snapshot.signature = SigningKey::from_bytes(server).sign(&snapshot.signed()).to_bytes();
        snapshot
    }

    /// Which it is.
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// When it was made, in seconds since 1970.
    pub fn made(&self) -> i64 {
        self.head.made
    }

    /// The decisions, by the names of what is sealed.
    pub fn records(&self) -> impl Iterator<Item = (&Digest, &Record)> {
        self.records.iter()
    }

    /// Reads one. Of what it says nothing is believed yet.
    ///
    /// # Errors
    /// It is not of the form of a snapshot.
    pub fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        match parse(bytes)? {
            Sent::Snapshot(snapshot) => Ok(snapshot),
            Sent::Delta(_) => Err(Unreadable::Magic),
        }
    }

    /// What the server signs.
    pub(crate) fn signed(&self) -> Vec<u8> {
        let Head { version, made, certificate } = &self.head;
        let mut writer = Writer::default();
        writer.raw(HEAD).raw(version.epoch.to_be_bytes()).raw(version.sequence.to_be_bytes()).raw(made.to_be_bytes());
        writer.raw(self.said.0.to_be_bytes()).raw(self.said.1.0);
        match certificate {
            None => writer.raw([0]),
            Some(Certificate { key, signature }) => writer.raw([1]).raw(key).raw(signature),
        };
        writer.0
    }

    /// Whether the decisions are those that the head was signed for.
    pub(crate) fn is_what_it_says(&self) -> bool {
        self.said == content(&self.records)
    }

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        let all: Vec<&Record> = self.records.values().chain(self.lifts.values()).collect();
        let checkpoints = Checkpoints::of(&all);
        writer.raw(SNAPSHOT).bytes(self.signed()).raw(self.signature);
        checkpoints.write(&mut writer);
        for records in [&self.records, &self.lifts] {
            writer.count(records.len());
            records.values().for_each(|record| checkpoints.record(&mut writer, record));
        }
        writer.0
    }

    /// What leads a gate from an older snapshot to this one, as a file.
    pub fn delta_since(&self, older: &Self) -> Vec<u8> {
        let mut writer = Writer::default();
        let removed: Vec<&Digest> = older.records.keys().filter(|name| !self.records.contains_key(name)).collect();
        let (mut added, mut changed) = (Vec::new(), Vec::new());
        for (name, record) in &self.records {
            match older.records.get(name) {
                None => added.push(record),
                Some(held) if held.terms != record.terms => changed.push((name, record)),
                Some(_) => {}
            }
        }
        let checkpoints = Checkpoints::of(&added);
        writer.raw(DELTA).raw(older.head.version.epoch.to_be_bytes()).raw(older.head.version.sequence.to_be_bytes());
        writer.bytes(self.signed()).raw(self.signature);
        checkpoints.write(&mut writer);
        writer.list(&removed, |writer, name| {
            writer.raw(name.0);
        });
        writer.list(&changed, |writer, (name, record)| {
            writer.raw(name.0).bytes(&record.terms);
        });
        writer.list(&added, |writer, record| checkpoints.record(writer, record));
        writer.0
    }

    /// What a delta leads to. Nothing of it is believed yet.
    ///
    /// # Errors
    /// The name of a decision that the delta speaks of and that is not here.
    pub(crate) fn apply(&self, delta: Delta) -> Result<Self, Digest> {
        let Delta { head, signature, said, removed, changed, added, .. } = delta;
        let mut records = self.records.clone();
        for name in removed {
            records.remove(&name).ok_or(name)?;
        }
        for (name, terms) in changed {
            records.get_mut(&name).ok_or(name)?.terms = terms;
        }
        records.extend(added);
        Ok(Self { head, signature, said, records, lifts: BTreeMap::new() })
    }
}

/// How many decisions, and the digest of their names and of those of their terms.
fn content(records: &BTreeMap<Digest, Record>) -> (u32, Digest) {
    let names = records.iter().flat_map(|(name, record)| [*name, Digest::of(&record.terms)]);
    let bytes: Vec<u8> = names.flat_map(|digest| digest.0).collect();
    (records.len() as u32, Digest::of(bytes))
}

/// The checkpoints of some records, each once.
struct Checkpoints<'a>(BTreeMap<&'a str, u32>);

impl<'a> Checkpoints<'a> {
    fn of(records: &[&'a Record]) -> Self {
        let mut texts: BTreeMap<&str, u32> = records.iter().map(|record| (&*record.place.checkpoint, 0)).collect();
        texts.values_mut().zip(0..).for_each(|(place, number)| *place = number);
        Self(texts)
    }

    fn write(&self, writer: &mut Writer) {
        let texts: Vec<&&str> = self.0.keys().collect();
        writer.list(&texts, |writer, text| {
            writer.bytes(text);
        });
    }

    fn record(&self, writer: &mut Writer, record: &Record) {
        let Place { checkpoint, index, hashes } = &*record.place;
        let number = self.0.get(&**checkpoint).copied().unwrap_or_default();
        writer.bytes(&record.sealed).bytes(&record.terms).raw(number.to_be_bytes()).raw(index.to_be_bytes());
        writer.list(hashes, |writer, hash| {
            writer.raw(hash.as_bytes());
        });
    }
}

/// Reads a snapshot or a delta.
///
/// # Errors
/// It is of the form of neither.
pub(crate) fn parse(bytes: &[u8]) -> Result<Sent, Unreadable> {
    let mut reader = Reader::new(bytes);
    if bytes.starts_with(DELTA) {
        reader.array::<{ DELTA.len() }>()?;
        return delta(reader).map(Sent::Delta);
    }
    if !bytes.starts_with(SNAPSHOT) {
        // What is cut within its first line, too.
        return Err(Unreadable::Magic);
    }
    reader.array::<{ SNAPSHOT.len() }>()?;
    let (head, said, signature) = self::head(&mut reader)?;
    let checkpoints = checkpoints(&mut reader)?;
    let records = records(&mut reader, &checkpoints)?;
    let lifts = self::records(&mut reader, &checkpoints)?;
    reader.end()?;
    Ok(Sent::Snapshot(Snapshot { head, signature, said, records, lifts }))
}

fn delta(mut reader: Reader<'_>) -> Result<Delta, Unreadable> {
    let from = Version { epoch: reader.u64()?, sequence: reader.u64()? };
    let (head, said, signature) = head(&mut reader)?;
    let checkpoints = checkpoints(&mut reader)?;
    let removed = reader.list(|reader| reader.array().map(Digest))?;
    let changed = reader.list(|reader| Ok::<_, Unreadable>((Digest(reader.array()?), terms(reader)?)))?;
    let added = records(&mut reader, &checkpoints)?;
    reader.end()?;
    Ok(Delta { from, head, signature, said, removed, changed, added })
}

type SignedHead = (Head, (u32, Digest), [u8; 64]);

fn head(reader: &mut Reader<'_>) -> Result<SignedHead, Unreadable> {
    let start = reader.at();
    let bytes = reader.bytes()?;
    let fields = bytes.strip_prefix(HEAD).ok_or(Unreadable::Number { at: start + 4, what: "head of this version" })?;
    let mut fields = Reader::new(fields);
    let version = Version { epoch: fields.u64()?, sequence: fields.u64()? };
    let (made, said) = (fields.i64()?, (fields.u32()?, Digest(fields.array()?)));
    let certificate = match fields.u8()? {
        0 => None,
        1 => Some(Certificate { key: fields.array()?, signature: fields.array()? }),
        _ => return Err(Unreadable::Number { at: reader.at(), what: "number of certificates" }),
    };
    fields.end()?;
    Ok((Head { version, made, certificate }, said, reader.array()?))
}

fn checkpoints(reader: &mut Reader<'_>) -> Result<Vec<Arc<str>>, Unreadable> {
    reader.list(|reader| reader.text().map(Arc::from))
}

fn terms(reader: &mut Reader<'_>) -> Result<Arc<[u8]>, Unreadable> {
    let mut own = Reader::new(reader.bytes()?);
    let bytes = own.clone();
    Terms::read(&mut own)?;
    own.end()?;
    Ok(bytes.rest().into())
}

/// Records in ascending order of their names.
fn records(reader: &mut Reader<'_>, checkpoints: &[Arc<str>]) -> Result<BTreeMap<Digest, Record>, Unreadable> {
    let mut records: BTreeMap<Digest, Record> = BTreeMap::new();
    reader.list(|reader| {
        let (sealed, terms) = (reader.bytes()?.into(), terms(reader)?);
        let number = reader.u32()? as usize;
        let checkpoint = checkpoints.get(number).cloned();
        let checkpoint = checkpoint.ok_or(Unreadable::Number { at: reader.at(), what: "checkpoint" })?;
        let index = reader.u64()?;
        let hashes = reader.list(|reader| reader.array().map(Hash::from_bytes))?;
        let record = Record { sealed, terms, place: Arc::new(Place { checkpoint, index, hashes }) };
        let name = record.name();
        if records.last_key_value().is_some_and(|(last, _)| *last >= name) {
            return Err(Unreadable::Order { at: reader.at() });
        }
        records.insert(name, record);
        Ok(())
    })?;
    Ok(records)
}
