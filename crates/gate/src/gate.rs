//! A gate: what it holds, why it believes it, and what it answers.
//!
//! A snapshot is verified whole before anything of it is held; one that is refused leaves the gate as it was. What is
//! restricted is computed here, from lists that people signed and the public log has; what the server alone says can
//! only take away from them:
//!
//! - a decision restricts its list, less what any lift of it that this gate has ever seen leaves out;
//! - it stands from when the server says, but not before its notice is over, until the decision's own end or an earlier
//!   one of the server's; an emergency at most ten days;
//! - it refuses in the stage that the server says, and is counted elsewhere; reading and export pass until the server's
//!   window is over, but at least for the days that it leaves the customer.
//!
//! What it cannot see: who proposed a decision, whether notice was served, whether somebody who approved has left. That
//! is for the rules of a review, and for who reads the log.

use crate::pins::Pins;
use crate::record::{Record, Sealed, Stage, Terms};
use crate::seal::{self, Decision, Order, Respite, Target};
use crate::set::{Answer, Builder, Request, Restriction, Scope, Set, Source, TooMany};
use crate::snapshot::{self, Sent, Snapshot, Version};
use crate::time::{self, DAY_SECONDS};
use crate::wire::Unreadable;
use crate::words::Digest;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;
use tlog::{Hash, Note, PolicyError, ProofError, Tree};

/// How long an emergency stands, at most.
pub const EMERGENCY_DAYS: i64 = 10;

/// What a gate holds in memory: a snapshot that was verified, and what it restricts here. It never changes; whoever
/// embeds it swaps it whole.
#[derive(Clone, Debug)]
pub struct Gate {
    pins: Arc<Pins>,
    snapshot: Snapshot,
    set: Set,
}

/// Why a snapshot is refused. The gate stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Not of the form.
    #[error("this is no snapshot: {0}")]
    Unreadable(#[from] Unreadable),
    /// A step back.
    #[error(
        "the snapshot is {got}, and {held} is held: after restoring a backup, begin a new epoch with the root's key"
    )]
    Older {
        /// What the gate holds.
        held: Version,
        /// What came.
        got: Version,
    },
    /// Of an epoch before the pinned one.
    #[error("the snapshot is of epoch {epoch}, before the pinned {pinned}: look which server it came from")]
    EarlierEpoch {
        /// Its epoch.
        epoch: u64,
        /// The first that is believed.
        pinned: u64,
    },
    /// A new epoch, and nobody says who signs it.
    #[error("epoch {epoch} has no certificate: have the offline root sign the key of this epoch")]
    NoCertificate {
        /// Its epoch.
        epoch: u64,
    },
    /// A certificate that is not the root's, or of something else.
    #[error(
        "the certificate of epoch {epoch} is not the pinned root's: somebody may hold the server; ask who keeps the root"
    )]
    Certificate {
        /// Its epoch.
        epoch: u64,
    },
    /// Not signed by the key of its epoch.
    #[error(
        "the snapshot {version} is not signed by the key of its epoch: it is forged or damaged; fetch it from the server"
    )]
    Forged {
        /// What it says it is.
        version: Version,
    },
    /// The decisions are not those of the head.
    #[error(
        "the decisions in the snapshot {version} are not those that were signed: it is altered or mixed; fetch it again"
    )]
    Content {
        /// Which.
        version: Version,
    },
    /// A delta from another snapshot.
    #[error("the delta leads on from {from}, and {held} is held: fetch the whole snapshot")]
    Base {
        /// From where it leads.
        from: Version,
        /// What the gate holds.
        held: Version,
    },
    /// A delta without a gate that holds something.
    #[error("a delta leads on from a snapshot, and none is held: fetch the whole")]
    Baseless,
    /// A delta about something else.
    #[error("the delta speaks of a decision {name} that is not held: fetch the whole snapshot")]
    NotHeld {
        /// Its name.
        name: Digest,
    },
    /// A checkpoint that is not the log's, or that too few saw.
    #[error("a checkpoint in the snapshot: {0}")]
    Checkpoint(#[from] PolicyError),
    /// A decision that nobody need obey.
    #[error("the decision {decision}: {why}")]
    Decision {
        /// Its case and id, or its name.
        decision: String,
        /// What is wrong with it.
        why: DecisionError,
    },
    /// More than a set holds.
    #[error(transparent)]
    TooMany(#[from] TooMany),
}

/// Why a decision in a snapshot is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecisionError {
    /// What is sealed is of another form.
    #[error("what is sealed is unreadable: {0}")]
    Unreadable(#[from] Unreadable),
    /// Its text is no decision's.
    #[error("its text is not that of a decision: whoever made the snapshot has a defect, or is of another version")]
    Text,
    /// Nobody can tell from it when notice is over.
    #[error("`{day}` is no day on which enough people had approved it: look who made this snapshot")]
    Day {
        /// What stands there.
        day: String,
    },
    /// A line of its list is no target.
    #[error("line {number} of its list is no target that switches something off")]
    Target {
        /// Which, from 1.
        number: usize,
    },
    /// More or fewer targets than were approved.
    #[error("{approved} targets were approved, and {shown} are shown: only the approved list is enforced")]
    Count {
        /// In its text.
        approved: u64,
        /// In the snapshot.
        shown: usize,
    },
    /// Other targets than were approved.
    #[error("the list shown is not the one that was approved: only that is enforced")]
    List,
    /// Not enough people.
    #[error("{people} people approved it, {threshold} must: have it approved, or look who made this snapshot")]
    TooFew {
        /// Who did.
        people: usize,
        /// How many must.
        threshold: usize,
    },
    /// A key, or a person, that is not pinned.
    #[error("the key shown of `{person}` is not pinned to them in that form: pin it, or look who made this snapshot")]
    Stranger {
        /// Who is said to have approved.
        person: String,
    },
    /// One person as two.
    #[error("`{person}` approved it twice, which counts once: look who made this snapshot")]
    Twice {
        /// Who.
        person: String,
    },
    /// Not their signature, or not of this.
    #[error("the signature of `{person}` is not one over this decision and list: look who made this snapshot")]
    Signature {
        /// Who is said to have approved.
        person: String,
    },
    /// Its entry is not where it is said to be.
    #[error("the public log does not have it as said: {0}")]
    Log(#[from] ProofError),
    /// Something else among the lifts.
    #[error("it stands among the lifts and lifts nothing")]
    NoLift,
}

/// The entry of a decision in the public log: JSON in this order, without spaces.
pub fn entry(text: &str, salt: &[u8; 32], policy: &Digest, lifts: bool, approvals: usize, day: &str) -> String {
    let commitment = Digest::of([salt.as_slice(), text.as_bytes()].concat());
    format!(
        r#"{{"entry":"decision","commitment":"{commitment}","policy":"{policy}","lifts":{lifts},"approvals":{approvals},"day":"{day}"}}"#
    )
}

impl Gate {
    /// A gate of a whole snapshot, when it starts. `held` is the version it held last, if it remembers; `seed` is random,
    /// for the set's hashes.
    ///
    /// # Errors
    /// Why the snapshot is refused.
    pub fn load(bytes: &[u8], pins: Arc<Pins>, held: Option<Version>, seed: u64) -> Result<Self, SnapshotError> {
        let Sent::Snapshot(snapshot) = snapshot::parse(bytes)? else { return Err(SnapshotError::Baseless) };
        let got = snapshot.version();
        if let Some(held) = held.filter(|held| got < *held) {
            return Err(SnapshotError::Older { held, got });
        }
        verified(snapshot, pins, None, seed)
    }

    /// The gate that follows this one, by a whole snapshot or a delta that is newer. Signatures over what this one holds
    /// are not verified again.
    ///
    /// # Errors
    /// Why it is refused; go on with this one.
    pub fn next(&self, bytes: &[u8], seed: u64) -> Result<Self, SnapshotError> {
        let held = self.version();
        let snapshot = match snapshot::parse(bytes)? {
            Sent::Snapshot(snapshot) => snapshot,
            Sent::Delta(delta) if delta.from != held => {
                return Err(SnapshotError::Base { from: delta.from, held });
            }
            Sent::Delta(delta) => self.snapshot.apply(delta).map_err(|name| SnapshotError::NotHeld { name })?,
        };
        let got = snapshot.version();
        if got <= held {
            return Err(SnapshotError::Older { held, got });
        }
        verified(snapshot, Arc::clone(&self.pins), Some(self), seed)
    }

    /// Whether a request passes.
    pub fn check(&self, request: &Request<'_>) -> Answer<'_> {
        self.set.check(request)
    }

    /// The same, as if those restrictions were not there that are `off`: whoever embeds it can only let more pass.
    pub fn check_but<'s>(&'s self, request: &Request<'_>, off: impl Fn(&Restriction<'s>) -> bool) -> Answer<'s> {
        self.set.check_but(request, off)
    }

    /// What it restricts.
    pub fn set(&self) -> &Set {
        &self.set
    }

    /// Which snapshot it holds.
    pub fn version(&self) -> Version {
        self.snapshot.version()
    }

    /// When that was made, in seconds since 1970.
    pub fn made(&self) -> i64 {
        self.snapshot.made()
    }

    /// What it holds, for [`Snapshot::bytes`] to keep across a restart.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }
}

/// Everything that must hold before a snapshot is held.
fn verified(mut snapshot: Snapshot, pins: Arc<Pins>, before: Option<&Gate>, seed: u64) -> Result<Gate, SnapshotError> {
    of_the_server(&snapshot, &pins)?;
    let trees = trees(&snapshot, &pins)?;
    let all = snapshot.records.iter().map(|record| (record, false));
    let all: Vec<_> = all.chain(snapshot.lifts.iter().map(|record| (record, true))).collect();
    each_holds(&all, |((name, record), lift_wanted)| {
        let held = before.and_then(|gate| gate.held(name));
        let same = held.is_some_and(|held| Arc::ptr_eq(&held.place, &record.place));
        if same && !lift_wanted {
            return Ok(());
        }
        let tree = trees.get(&record.place.checkpoint).copied().unwrap_or(Tree::EMPTY);
        believe(record, &pins, tree, held.is_some(), *lift_wanted).map_err(|why| named(name, record, why))
    })?;
    if let Some(before) = before {
        remember(&mut snapshot, &before.snapshot);
    }
    let set = compile(&snapshot, &pins, seed)?;
    Ok(Gate { pins, snapshot, set })
}

/// For how many decisions a thread is worth its while.
const DECISIONS_A_THREAD: usize = 128;

/// Asks of each, on as many threads as there are processors. The first in order that fails speaks, however many there are.
fn each_holds<T: Sync, E: Send>(all: &[T], holds: impl Fn(&T) -> Result<(), E> + Sync) -> Result<(), E> {
    let most = all.len().div_ceil(DECISIONS_A_THREAD);
    let threads = thread::available_parallelism().map_or(1, usize::from).min(most).max(1);
    let ask = |part: &[T]| part.iter().try_for_each(&holds);
    let mut parts = all.chunks(all.len().div_ceil(threads).max(1));
    let own = parts.next().unwrap_or_default();
    thread::scope(|scope| {
        // A part for which the system has no thread is asked here.
        let start = |part| thread::Builder::new().spawn_scoped(scope, move || ask(part)).map_err(|_| part);
        let started: Vec<_> = parts.map(start).collect();
        ask(own)?;
        started.into_iter().try_for_each(|part| match part {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(part) => ask(part),
        })
    })
}

impl Gate {
    /// What it holds under this name, and so has verified.
    fn held(&self, name: &Digest) -> Option<&Record> {
        self.snapshot.records.get(name).or_else(|| self.snapshot.lifts.get(name))
    }
}

/// The head is signed by the key of its epoch, for these decisions.
fn of_the_server(snapshot: &Snapshot, pins: &Pins) -> Result<(), SnapshotError> {
    let (version, server) = (snapshot.version(), pins.server());
    let epoch = version.epoch;
    if epoch < server.epoch {
        return Err(SnapshotError::EarlierEpoch { epoch, pinned: server.epoch });
    }
    let key = match &snapshot.head.certificate {
        None if epoch == server.epoch => server.server,
        None => return Err(SnapshotError::NoCertificate { epoch }),
        Some(certificate) => {
            if !certificate.holds(epoch, &server.root) {
                return Err(SnapshotError::Certificate { epoch });
            }
            certificate.key
        }
    };
    if !seal::signed(&snapshot.signed(), &key, &snapshot.signature) {
        return Err(SnapshotError::Forged { version });
    }
    if !snapshot.is_what_it_says() {
        return Err(SnapshotError::Content { version });
    }
    Ok(())
}

/// What each checkpoint vouches for.
fn trees(snapshot: &Snapshot, pins: &Pins) -> Result<BTreeMap<Arc<str>, Tree>, SnapshotError> {
    let mut trees = BTreeMap::new();
    for record in snapshot.records.values().chain(snapshot.lifts.values()) {
        let text = &record.place.checkpoint;
        if !trees.contains_key(text) {
            let note = Note::parse(text.as_bytes()).map_err(PolicyError::from)?;
            trees.insert(Arc::clone(text), pins.policy().believe(&note)?.checkpoint.tree());
        }
    }
    Ok(trees)
}

fn named(name: &Digest, record: &Record, why: DecisionError) -> SnapshotError {
    let sealed = record.sealed().ok();
    let decision = sealed.as_ref().and_then(|sealed| Decision::parse(sealed.text));
    let decision = decision.map_or_else(|| name.to_string(), |Decision { case, id, .. }| format!("{case}/{id}"));
    SnapshotError::Decision { decision, why }
}

/// Enough people signed this decision and this list, and the log has it. Of one that is `held` only the last is new.
fn believe(record: &Record, pins: &Pins, tree: Tree, held: bool, lift_wanted: bool) -> Result<(), DecisionError> {
    let sealed = record.sealed()?;
    let decision = if held { None } else { Some(approved(&sealed, pins)?) };
    let lifts = match decision.or_else(|| Decision::parse(sealed.text)) {
        Some(decision) => matches!(decision.order, Order::Lift(_)),
        None => return Err(DecisionError::Text),
    };
    if lift_wanted && !lifts {
        return Err(DecisionError::NoLift);
    }
    let entry = entry(sealed.text, &sealed.salt, &sealed.policy, lifts, sealed.approvals.len(), sealed.day);
    tree.verify_inclusion(record.place.index, Hash::leaf(entry.as_bytes()), &record.place.hashes)?;
    Ok(())
}

/// Enough people whom the gate knows signed this decision and this list.
fn approved<'a>(sealed: &Sealed<'a>, pins: &Pins) -> Result<Decision<'a>, DecisionError> {
    let decision = Decision::parse(sealed.text).ok_or(DecisionError::Text)?;
    let shown = sealed.targets.len();
    if decision.targets != shown as u64 {
        return Err(DecisionError::Count { approved: decision.targets, shown });
    }
    if decision.root != seal::root(&sealed.targets) {
        return Err(DecisionError::List);
    }
    if time::parse_day(sealed.day).is_none() {
        return Err(DecisionError::Day { day: escaped(sealed.day) });
    }
    let bad = sealed.targets.iter().position(|line| Target::parse(line).is_none());
    if let Some(place) = bad {
        return Err(DecisionError::Target { number: place + 1 });
    }
    let digest = Digest::of(sealed.text);
    let mut people = BTreeSet::new();
    for approval in &sealed.approvals {
        let person = || escaped(approval.person);
        if pins.person(&approval.key, approval.form) != Some(approval.person) {
            return Err(DecisionError::Stranger { person: person() });
        }
        if !people.insert(approval.person) {
            return Err(DecisionError::Twice { person: person() });
        }
        let message = seal::message(&digest, &decision.root, &approval.shown);
        if !seal::verify(&message, &approval.key, approval.form, &approval.signature) {
            return Err(DecisionError::Signature { person: person() });
        }
    }
    let (people, threshold) = (people.len(), pins.threshold());
    if people < threshold {
        return Err(DecisionError::TooFew { people, threshold });
    }
    Ok(decision)
}

/// As much of what somebody sent as a message has room for, with nothing in it that a terminal obeys.
fn escaped(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

/// Keeps the lifts that were held and are left out now: what was lifted stays lifted.
fn remember(snapshot: &mut Snapshot, before: &Snapshot) {
    let lifts = |record: &Record| {
        let order = record.sealed().ok().and_then(|sealed| Decision::parse(sealed.text).map(|decision| decision.order));
        matches!(order, Some(Order::Lift(_)))
    };
    for (name, record) in before.records.iter().chain(&before.lifts) {
        if !snapshot.records.contains_key(name) && lifts(record) {
            snapshot.lifts.insert(*name, record.clone());
        }
    }
}

/// What the decisions of a verified snapshot restrict at this gate.
fn compile(snapshot: &Snapshot, pins: &Pins, seed: u64) -> Result<Set, SnapshotError> {
    let mut decisions = Vec::new();
    for (name, record) in snapshot.records.iter().chain(&snapshot.lifts) {
        let parts = || {
            let sealed = record.sealed()?;
            Ok((Decision::parse(sealed.text).ok_or(DecisionError::Text)?, sealed, record.terms()?))
        };
        decisions.push(parts().map_err(|why| named(name, record, why))?);
    }
    // By case and decision, what each lift of it leaves.
    let mut left: BTreeMap<(&str, &str), Vec<BTreeSet<&str>>> = BTreeMap::new();
    for (decision, sealed, _) in &decisions {
        if let Order::Lift(lifted) = decision.order {
            left.entry((decision.case, lifted)).or_default().push(sealed.targets.iter().copied().collect());
        }
    }
    let mut builder = Builder::new(seed);
    for (decision, sealed, terms) in decisions.iter().filter(|(one, ..)| matches!(one.order, Order::Impose(_))) {
        builder.source(source(decision, sealed, terms));
        let lifts = left.get(&(decision.case, decision.id)).map_or(&[][..], Vec::as_slice);
        for (number, line) in (1..).zip(&sealed.targets) {
            let target = Target::parse(line).filter(|_| lifts.iter().all(|left| left.contains(line)));
            if let Some(target) = target {
                builder.add(number, &scope(&target, (decision, sealed), terms, pins.gate()))?;
            }
        }
    }
    Ok(builder.build())
}

fn source(decision: &Decision<'_>, sealed: &Sealed<'_>, terms: &Terms<'_>) -> Source {
    let [case, decision, statement, sentence] =
        [decision.case, decision.id, terms.statement, terms.sentence].map(str::to_owned);
    Source { case, decision, digest: Digest::of(sealed.text), statement, sentence }
}

/// A target on its terms, which can only take away from it.
fn scope<'a>(
    target: &Target<'a>,
    (decision, sealed): (&Decision<'_>, &Sealed<'_>),
    terms: &Terms<'_>,
    gate: &str,
) -> Scope<'a> {
    let Target { account, service, region, switches } = *target;
    let Respite { notice_hours, export_days } = decision.respite;
    let notified = time::parse_day(sealed.day).unwrap_or(i64::MAX).saturating_add(i64::from(notice_hours) * 3_600);
    let from = terms.from.max(notified);
    let window = terms.window.max(from.saturating_add(i64::from(export_days) * DAY_SECONDS));
    let lapses = if decision.emergency { from.saturating_add(EMERGENCY_DAYS * DAY_SECONDS) } else { i64::MAX };
    let until = decision.ends.unwrap_or(i64::MAX).min(terms.until).min(lapses);
    let enforced = match terms.stage {
        Stage::Shadow => false,
        Stage::At(name) => name == gate,
        Stage::All => true,
    };
    Scope { account, service, region, switches, from, window, until, enforced }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_however_many_threads_the_first_that_fails_speaks() {
        for count in [0, 1, DECISIONS_A_THREAD, 5 * DECISIONS_A_THREAD + 1] {
            let all: Vec<usize> = (0..count).collect();
            let asked = std::sync::atomic::AtomicUsize::new(0);
            let holds = each_holds(&all, |_| {
                asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                Ok::<_, usize>(())
            });
            assert_eq!((holds, asked.into_inner()), (Ok(()), count));
            for first in [0, count / 2, count.saturating_sub(1)] {
                let fails = |one: &usize| if *one >= first { Err(*one) } else { Ok(()) };
                assert_eq!(each_holds(&all, fails), if count == 0 { Ok(()) } else { Err(first) }, "{count}");
            }
        }
    }
}
