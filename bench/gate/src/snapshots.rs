//! Snapshots of 100,000 restrictions: how large, how long to verify and hold, how much memory, and what a change costs.
//!
//! Made with fixed keys and a log of its own; nothing here is how a server makes them.

use crate::{Failure, now, shown};
use ed25519_dalek::{Signer as _, SigningKey};
use gate::seal::{self, Decision, Form, Order, Respite};
use gate::{
    Approval, Approver, Digest, Gate, Head, LogPins, Pins, Place, Record, Sealed, ServerPins, Snapshot, Stage, Terms,
    Version, entry,
};
use std::sync::Arc;
use tlog::{Checkpoint, Hash, Tree};

const ORIGIN: &str = "bench.example/log";
const SERVER: [u8; 32] = [3; 32];
pub(crate) const SEED: u64 = 9;
const PEOPLE: [(&str, u8); 2] = [("p-1", 11), ("p-2", 12)];

pub(crate) fn run(quick: bool) -> Result<(), Failure> {
    let all = if quick { 1_000 } else { 100_000 };
    println!(
        "| decisions × targets | file, MB | load, verified | set, MB | next, by the whole | delta, bytes | next, by the delta | building the set |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    for targets in [100, 1] {
        one(all / targets, targets)?;
    }
    Ok(())
}

/// A snapshot of so many decisions, with so many targets each.
pub(crate) fn snapshot(decisions: usize, targets: usize) -> Result<Snapshot, Failure> {
    Ok(Snapshot::sign(head(1), records(decisions, targets)?, &SERVER))
}

fn one(decisions: usize, targets: usize) -> Result<(), Failure> {
    // One more than is loaded first: it comes with the change that is measured.
    let mut records = records(decisions + 1, targets)?;
    let last = records.pop();
    let before = Snapshot::sign(head(1), records.clone(), &SERVER);
    let after = Snapshot::sign(head(2), records.into_iter().chain(last), &SERVER);
    let (whole, next, delta) = (before.bytes(), after.bytes(), after.delta_since(&before));
    let pins = Arc::new(pins()?);
    drop((before, after));
    let (gate, load) = timed(|| Gate::load(&whole, Arc::clone(&pins), None, SEED));
    let gate = gate?;
    let (by_whole, next_whole) = timed(|| gate.next(&next, SEED));
    let (by_delta, next_delta) = timed(|| gate.next(&delta, SEED));
    if by_whole?.set().len() != by_delta?.set().len() {
        return Err("a delta leads elsewhere".into());
    }
    let (_, set) = timed(|| rebuilt(&gate));
    let megabytes = |bytes: usize| bytes as f64 / 1e6;
    println!(
        "| {decisions} × {targets} | {:.1} | {load} | {:.1} | {next_whole} | {} | {next_delta} | {set} |",
        megabytes(whole.len()),
        megabytes(gate.set().bytes()),
        delta.len(),
    );
    Ok(())
}

/// The set built once more, with nothing verified.
fn rebuilt(gate: &Gate) -> Result<usize, gate::TooMany> {
    let mut builder = gate::Builder::new(SEED);
    for restriction in gate.set().restrictions() {
        builder.add(restriction.number(), &restriction.scope())?;
    }
    Ok(builder.build().len())
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, String) {
    let start = now();
    let done = work();
    let nanoseconds = start.elapsed().as_nanos() as f64;
    (done, shown(nanoseconds))
}

fn head(sequence: u64) -> Head {
    Head { version: Version { epoch: 1, sequence }, made: 1_772_323_200, certificate: None }
}

fn public(secret: [u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(&secret).verifying_key().to_bytes()
}

pub(crate) fn pins() -> Result<Pins, Failure> {
    let approver = |(person, secret): (&str, u8)| Approver {
        person: person.to_owned(),
        key: public([secret; 32]),
        form: Form::Ssh,
    };
    let server = ServerPins { epoch: 1, server: public(SERVER), root: public([4; 32]) };
    let keys = vec![tlog::Signer::new(ORIGIN, &[5; 32])?.verifier().clone()];
    let log = LogPins { origin: ORIGIN.to_owned(), keys, witnesses: Vec::new(), quorum: 0 };
    Ok(Pins::new("bench", 2, PEOPLE.map(approver).to_vec(), server, log)?)
}

/// A decision, signed, and its entry in the log.
struct Made {
    text: String,
    targets: Vec<String>,
    signatures: Vec<[u8; 64]>,
}

fn made(number: usize, targets: usize) -> Made {
    let target = |place| format!("acct-{:016x}\tobject-storage\tnorth-1\twrite", number * targets + place);
    let targets: Vec<String> = (0..targets).map(target).collect();
    let (case, id) = (format!("c-{number}"), "d-1");
    let decision = Decision {
        case: &case,
        id,
        order: Order::Impose("read-only"),
        determination: Some(0),
        reasons: vec![(gate::Switch::Write, Digest::of("why"))],
        emergency: false,
        respite: Respite::default(),
        ends: None,
        review: Some(1_780_000_000),
        targets: targets.len() as u64,
        root: seal::root(&targets),
    };
    let text = decision.to_string();
    let message = seal::message(&Digest::of(&text), &decision.root, &Digest::of("shown"));
    let blob = seal::ssh_blob(message.as_bytes());
    let sign = |(_, secret): (&str, u8)| SigningKey::from_bytes(&[secret; 32]).sign(&blob).to_bytes();
    Made { text, signatures: PEOPLE.map(sign).to_vec(), targets }
}

fn records(decisions: usize, targets: usize) -> Result<Vec<Record>, Failure> {
    let made: Vec<Made> = (0..decisions).map(|number| made(number, targets)).collect();
    let policy = Digest::of("policy");
    let entries = made.iter().map(|made| entry(&made.text, &[7; 32], &policy, false, 2, "2026-03-01"));
    let levels = levels(entries.map(|entry| Hash::leaf(entry.as_bytes())).collect());
    let tree = Tree {
        size: 1 << (levels.len() - 1),
        root: levels.last().and_then(|top| top.first()).copied().unwrap_or(Hash::EMPTY_ROOT),
    };
    let note = Checkpoint::new(ORIGIN, tree, &[])?.sign(&tlog::Signer::new(ORIGIN, &[5; 32])?)?;
    let checkpoint: Arc<str> = note.to_string().into();
    let terms = Terms {
        from: 0,
        window: 0,
        until: i64::MAX,
        stage: Stage::All,
        statement: "https://tribune.example/statements/2026-03-01-0001",
        sentence: "Writing to this account's object storage is switched off; reading and deleting are not.",
    };
    let record = |(number, made): (usize, &Made)| {
        let hashes = levels.iter().enumerate().filter_map(|(height, row)| row.get(number >> height ^ 1)).copied();
        let approvals = PEOPLE.iter().zip(&made.signatures).map(|((person, secret), signature)| Approval {
            person,
            key: public([*secret; 32]),
            form: Form::Ssh,
            signature: *signature,
            shown: Digest::of("shown"),
        });
        let sealed = Sealed {
            text: &made.text,
            targets: made.targets.iter().map(String::as_str).collect(),
            approvals: approvals.collect(),
            salt: [7; 32],
            policy,
            day: "2026-03-01",
        };
        let place = Place { checkpoint: Arc::clone(&checkpoint), index: number as u64, hashes: hashes.collect() };
        Record::new(&sealed, &terms, place)
    };
    Ok(made.iter().enumerate().map(record).collect())
}

/// The rows of a tree, from its leaves up; filled to a power of two, so that each hash has a sibling.
fn levels(mut row: Vec<Hash>) -> Vec<Vec<Hash>> {
    row.resize(row.len().next_power_of_two(), Hash::leaf(b"another"));
    let mut levels = vec![row];
    while let Some(row) = levels.last().filter(|row| row.len() > 1) {
        let pairs = row.chunks_exact(2).filter_map(|pair| Some(Hash::node(pair.first()?, pair.get(1)?)));
        levels.push(pairs.collect());
    }
    levels
}
