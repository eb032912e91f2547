//! Decisions, a log and snapshots for the tests, made with fixed keys.

use ed25519_dalek::{Signer as _, SigningKey};
use gate::seal::{self, Decision, Form, Order, Respite};
use gate::{
    Approval, Approver, Certificate, Digest, Head, Key, LogPins, Pins, Place, Record, Sealed, ServerPins, Snapshot,
    Stage, Terms, Version, entry,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use tlog::{AddCheckpoint, Appender, Checkpoint, Cosigner, Hash, Policy, Signer, Tile, Tiles, Tree, Watched};

pub(crate) const ORIGIN: &str = "tribune.example/log";
/// 2026-03-01T00:00:00Z.
pub(crate) const MARCH: i64 = 1_772_323_200;
pub(crate) const SEED: u64 = 5;
/// Who approves: a person, the secret key, its form. The last is pinned nowhere.
pub(crate) const PEOPLE: [(&str, u8, Form); 4] =
    [("p-1", 11, Form::Ssh), ("p-2", 12, Form::Passphrase), ("p-3", 13, Form::Ssh), ("p-9", 19, Form::Ssh)];
pub(crate) const SERVER: [u8; 32] = [21; 32];
pub(crate) const NEW_SERVER: [u8; 32] = [22; 32];
pub(crate) const ROOT: [u8; 32] = [23; 32];

pub(crate) fn public(secret: [u8; 32]) -> Key {
    SigningKey::from_bytes(&secret).verifying_key().to_bytes()
}

pub(crate) fn log_key() -> Signer {
    Signer::new(ORIGIN, &[31; 32]).unwrap()
}

pub(crate) fn witness() -> Cosigner {
    Cosigner::new("witness.example", &[32; 32]).unwrap()
}

/// The pins of a gate of this name.
pub(crate) fn pins(gate: &str) -> Arc<Pins> {
    let approver = |(person, secret, form): &(&str, u8, Form)| Approver {
        person: (*person).to_owned(),
        key: public([*secret; 32]),
        form: *form,
    };
    let server = ServerPins { epoch: 1, server: public(SERVER), root: public(ROOT) };
    let (keys, witnesses) = (vec![log_key().verifier().clone()], vec![witness().verifier().clone()]);
    let log = LogPins { origin: ORIGIN.to_owned(), keys, witnesses, quorum: 1 };
    Arc::new(Pins::new(gate, 2, PEOPLE[..3].iter().map(approver).collect(), server, log).unwrap())
}

/// A decision that can be spoilt before it is written.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) text: String,
    pub(crate) targets: Vec<String>,
    pub(crate) approvals: Vec<Signed>,
    pub(crate) salt: [u8; 32],
    pub(crate) day: String,
}

#[derive(Clone)]
pub(crate) struct Signed {
    pub(crate) person: String,
    pub(crate) key: Key,
    pub(crate) form: Form,
    pub(crate) signature: [u8; 64],
}

fn shown() -> Digest {
    Digest::of("what was shown")
}

impl Draft {
    /// Of case `c1`, approved by the first two.
    pub(crate) fn new(id: &str, order: Order<'_>, targets: &[&str], ends: Option<i64>) -> Self {
        Self::of(id, order, targets, ends, false)
    }

    pub(crate) fn of(id: &str, order: Order<'_>, targets: &[&str], ends: Option<i64>, emergency: bool) -> Self {
        Self::leaving(id, order, targets, ends, emergency, Respite::default())
    }

    pub(crate) fn leaving(
        id: &str,
        order: Order<'_>,
        targets: &[&str],
        ends: Option<i64>,
        emergency: bool,
        respite: Respite,
    ) -> Self {
        let (determination, review) = (Some(0), Some(MARCH + 90 * 86_400));
        let decision = Decision {
            case: "c1",
            id,
            order,
            determination,
            reasons: vec![(gate::Switch::Write, Digest::of("why"))],
            emergency,
            respite,
            ends,
            review,
            targets: targets.len() as u64,
            root: seal::root(targets),
        };
        let targets = targets.iter().map(|line| (*line).to_owned()).collect();
        let salt = Digest::of(format!("salt {id}")).0;
        let mut draft =
            Self { text: decision.to_string(), targets, approvals: Vec::new(), salt, day: "2026-03-01".to_owned() };
        draft.approve(0);
        draft.approve(1);
        draft
    }

    pub(crate) fn approve(&mut self, person: usize) {
        let (person, secret, form) = PEOPLE[person];
        let decision = Decision::parse(&self.text).unwrap();
        let message = seal::message(&Digest::of(&self.text), &decision.root, &shown());
        let bytes = match form {
            Form::Ssh => seal::ssh_blob(message.as_bytes()),
            Form::Passphrase => message.into_bytes(),
        };
        let secret = SigningKey::from_bytes(&[secret; 32]);
        let (key, signature) = (secret.verifying_key().to_bytes(), secret.sign(&bytes).to_bytes());
        self.approvals.push(Signed { person: person.to_owned(), key, form, signature });
    }

    pub(crate) fn entry(&self) -> String {
        let lifts = self.text.contains("\nlift ");
        entry(&self.text, &self.salt, &Digest::of("policy"), lifts, self.approvals.len(), &self.day)
    }

    pub(crate) fn record(&self, terms: &Terms<'_>, place: Place) -> Record {
        let approvals = self.approvals.iter().map(|signed| {
            let Signed { person, key, form, signature } = signed;
            Approval { person, key: *key, form: *form, signature: *signature, shown: shown() }
        });
        let sealed = Sealed {
            text: &self.text,
            targets: self.targets.iter().map(String::as_str).collect(),
            approvals: approvals.collect(),
            salt: self.salt,
            policy: Digest::of("policy"),
            day: &self.day,
        };
        Record::new(&sealed, terms, place)
    }
}

/// Enforced everywhere from March on.
pub(crate) const TERMS: Terms<'static> = Terms {
    from: MARCH,
    window: MARCH,
    until: i64::MAX,
    stage: Stage::All,
    statement: "https://tribune.example/statements/1",
    sentence: "Writing to this account's object storage is switched off.",
};

/// A public log in memory.
#[derive(Default)]
pub(crate) struct Log {
    appender: Appender,
    files: BTreeMap<Tile, Vec<u8>>,
    size: u64,
}

impl Log {
    /// With a few entries of other kinds.
    pub(crate) fn new() -> Self {
        let mut log = Self::default();
        for number in 0..3 {
            log.add(&format!(r#"{{"entry":"other","number":{number}}}"#));
        }
        log
    }

    /// Where the entry is.
    pub(crate) fn add(&mut self, entry: &str) -> u64 {
        self.files.extend(self.appender.push(entry.as_bytes()).unwrap());
        self.size += 1;
        self.size - 1
    }

    pub(crate) fn checkpoint(&self) -> Arc<str> {
        self.checkpoint_of(ORIGIN, &log_key())
    }

    pub(crate) fn checkpoint_of(&self, origin: &str, key: &Signer) -> Arc<str> {
        let mut note = Checkpoint::new(origin, self.appender.tree(), &[]).unwrap().sign(key).unwrap();
        let request = AddCheckpoint::new(0, Vec::new(), note.clone()).unwrap();
        let policy = Policy::new(origin, vec![key.verifier().clone()], Vec::new(), 0).unwrap();
        let watched = Watched { policy, latest: Tree::EMPTY };
        note.add(request.decide(Some(&watched), &witness(), 1_772_323_100).unwrap().signature).unwrap();
        note.to_string().into()
    }

    pub(crate) fn hashes(&self, index: u64) -> Vec<Hash> {
        let mut files = self.files.clone();
        files.extend(self.appender.partial(0));
        let read = |tile: Tile| files.get(&tile).cloned().ok_or_else(|| std::io::Error::other("not there"));
        Tiles::open(self.appender.tree(), read).unwrap().inclusion(index).unwrap()
    }

    /// The decisions in the log, each with its place under one checkpoint.
    pub(crate) fn records(&mut self, drafts: &[(&Draft, Terms<'_>)]) -> Vec<Record> {
        let indices: Vec<u64> = drafts.iter().map(|(draft, _)| self.add(&draft.entry())).collect();
        let checkpoint = self.checkpoint();
        let record = |((draft, terms), index): (&(&Draft, Terms<'_>), u64)| {
            draft.record(terms, Place { checkpoint: Arc::clone(&checkpoint), index, hashes: self.hashes(index) })
        };
        drafts.iter().zip(indices).map(record).collect()
    }
}

pub(crate) fn head(sequence: u64) -> Head {
    Head { version: Version { epoch: 1, sequence }, made: MARCH, certificate: None }
}

pub(crate) fn new_epoch(sequence: u64, root: &[u8; 32]) -> Head {
    let certificate = Some(Certificate::sign(2, public(NEW_SERVER), root));
    Head { version: Version { epoch: 2, sequence }, made: MARCH, certificate }
}

pub(crate) fn signed(sequence: u64, records: impl IntoIterator<Item = Record>) -> Snapshot {
    Snapshot::sign(head(sequence), records, &SERVER)
}
