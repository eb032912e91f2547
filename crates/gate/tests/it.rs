//! Snapshots as a server makes them and as an attacker would: what a gate takes, and what it refuses and why.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on may fail where it stands"
)]

mod sample;
mod vectors;

use gate::seal::{Form, Order, Respite, Target};
use gate::{
    DecisionError, Gate, Operation, Place, Record, Request, Snapshot, SnapshotError, Stage, Terms, Unreadable, Verdict,
    Version,
};
use proptest::prelude::*;
use sample::{Draft, Log, MARCH, NEW_SERVER, ROOT, SEED, SERVER, TERMS, head, new_epoch, pins, signed};
use std::collections::BTreeSet;
use std::sync::Arc;

const LIST: [&str; 3] =
    ["acme-1\tobject-storage\tnorth\twrite", "acme-1\tspeech\t\twrite", "acme-2\tobject-storage\t\twrite,read,export"];
#[test]
fn a_certificate_is_read_as_it_was_written_and_holds_for_its_epoch_and_root_alone() {
    let certificate = gate::Certificate::sign(2, sample::public(NEW_SERVER), &ROOT);
    let text = certificate.text(2);
    assert_eq!(gate::Certificate::parse(&text), Some((2, certificate)));
    let root = sample::public(ROOT);
    assert!(certificate.holds(2, &root) && !certificate.holds(3, &root));
    assert!(!certificate.holds(2, &sample::public(SERVER)));
    for end in 0..text.len() {
        assert_eq!(gate::Certificate::parse(&text[..end]), None);
    }
    for (from, to) in [("epoch 2", "epoch 02"), ("epoch 2", "epoch +2"), ("key ", "key  "), ("\n", "\r\n")] {
        assert_eq!(gate::Certificate::parse(&text.replacen(from, to, 1)), None, "{from}");
    }
    assert_eq!(gate::Certificate::parse(&format!("{text}\n")), None);
}

const IMPOSE: Order<'static> = Order::Impose("read-only");
const DAY: i64 = 86_400;

fn impose() -> Draft {
    Draft::new("d1", IMPOSE, &LIST, None)
}

/// A snapshot of decisions that are in the log as they are.
fn of(sequence: u64, drafts: &[&Draft]) -> Snapshot {
    let drafts: Vec<_> = drafts.iter().map(|draft| (*draft, TERMS)).collect();
    signed(sequence, Log::new().records(&drafts))
}

fn load(snapshot: &Snapshot) -> Result<Gate, SnapshotError> {
    Gate::load(&snapshot.bytes(), pins("north-1"), None, SEED)
}

/// Why a decision, logged and signed by the server as it is, is refused.
fn refused(draft: &Draft) -> DecisionError {
    match load(&of(1, &[draft])) {
        Err(SnapshotError::Decision { decision: _, why }) => why,
        other => panic!("{other:?}"),
    }
}

/// What a gate refuses, as lines of a list.
fn restricted(gate: &Gate) -> Vec<String> {
    let scopes = gate.set().restrictions().map(|restriction| restriction.scope());
    let line = |scope: gate::Scope<'_>| {
        let gate::Scope { account, service, region, switches, .. } = scope;
        Target { account, service, region, switches }.to_string()
    };
    scopes.map(line).collect()
}

/// `r`efused, `w`ould be, or `a`llowed.
fn asked(gate: &Gate, account: &str, operation: &str, region: Option<&str>, at: i64) -> char {
    let service = if operation.starts_with("storage") { "object-storage" } else { "speech" };
    match gate.check(&Request { account, service, operation: Operation::named(operation), region, at }).verdict {
        Verdict::Allow => 'a',
        Verdict::WouldRefuse(_) => 'w',
        Verdict::Refuse(_) => 'r',
    }
}

#[test]
fn exactly_what_was_approved_is_refused() {
    let gate = load(&of(1, &[&impose()])).unwrap();
    assert_eq!(restricted(&gate), LIST);
    for (account, operation, region, expected) in [
        ("acme-1", "storage.write", Some("north"), 'r'),
        ("acme-1", "storage.write", Some("south"), 'a'),
        ("acme-1", "storage.write", None, 'a'),
        ("acme-1", "storage.read", Some("north"), 'a'),
        ("acme-1", "speech.transcription", None, 'r'),
        ("acme-2", "storage.list", Some("anywhere"), 'r'),
        ("acme-2", "storage.delete", None, 'a'),
        ("acme-2", "speech.transcription", None, 'a'),
        ("acme-3", "storage.write", None, 'a'),
        ("acme-2", "storage.capacity", None, 'a'),
    ] {
        assert_eq!(asked(&gate, account, operation, region, MARCH), expected, "{account} {operation} {region:?}");
    }
    let request = Request {
        account: "acme-1",
        service: "object-storage",
        operation: Operation::named("storage.write"),
        region: None,
        at: MARCH,
    };
    assert!(gate.check(&request).region_unknown);
    assert!(gate.check(&Request { operation: Operation::named("storage.capacity"), ..request }).unmapped);
    let Verdict::Refuse(restriction) = gate.check(&Request { region: Some("north"), ..request }).verdict else {
        panic!("it is restricted");
    };
    let source = restriction.source().unwrap();
    assert_eq!((restriction.id().as_str(), source.statement.as_str()), ("c1/d1/1", TERMS.statement));
    assert_eq!(source.digest, gate::Digest::of(impose().text));
}

// ---- what the server alone says takes away, and nothing else -------------------------------------------------------

#[test]
fn the_terms_of_the_server_only_take_away() {
    let on = |draft: &Draft, terms: Terms<'_>| load(&signed(1, Log::new().records(&[(draft, terms)]))).unwrap();
    let draft = Draft::new("d1", IMPOSE, &LIST, Some(MARCH + 9 * DAY));
    let write = |gate: &Gate, at| asked(gate, "acme-2", "storage.write", None, at);
    let gate = on(&draft, Terms { window: MARCH + DAY, ..TERMS });
    assert_eq!(
        [MARCH - 1, MARCH, MARCH + 9 * DAY - 1, MARCH + 9 * DAY].map(|at| write(&gate, at)),
        ['a', 'r', 'r', 'a']
    );
    let read = [MARCH, MARCH + DAY - 1, MARCH + DAY].map(|at| asked(&gate, "acme-2", "storage.export", None, at));
    assert_eq!(read, ['a', 'a', 'r'], "export passes in its window");
    let gate = on(&draft, Terms { until: MARCH + DAY, ..TERMS });
    assert_eq!(write(&gate, MARCH + DAY), 'a');
    let gate = on(&draft, Terms { until: i64::MAX, from: i64::MIN, ..TERMS });
    assert_eq!(write(&gate, MARCH + 9 * DAY), 'a', "no end of the server's moves the decision's own");
    for (stage, expected) in
        [(Stage::Shadow, 'w'), (Stage::At("south-1"), 'w'), (Stage::At("north-1"), 'r'), (Stage::All, 'r')]
    {
        assert_eq!(write(&on(&draft, Terms { stage, ..TERMS }), MARCH), expected, "{stage:?}");
    }
    let emergency = Draft::of("d1", IMPOSE, &LIST, None, true);
    let gate = on(&emergency, TERMS);
    assert_eq!([9, 10].map(|days| write(&gate, MARCH + days * DAY)), ['r', 'a'], "an emergency lapses");
}

#[test]
fn what_was_lifted_stays_lifted_whatever_the_server_leaves_out() {
    let lift = Draft::new("d2", Order::Lift("d1"), &LIST[2..], None);
    let gate = load(&of(1, &[&impose(), &lift])).unwrap();
    assert_eq!(restricted(&gate), LIST[2..]);
    let all = Draft::new("d3", Order::Lift("d1"), &[], None);
    assert_eq!(load(&of(1, &[&impose(), &lift, &all])).unwrap().set().len(), 0);
    let other = Draft::new("d2", Order::Lift("d7"), &[], None);
    assert_eq!(restricted(&load(&of(1, &[&impose(), &other])).unwrap()), LIST, "a lift of another decision");
    // The server leaves both out, then shows the first again; also across a restart.
    let without = gate.next(&of(2, &[]).bytes(), SEED).unwrap();
    assert!(without.set().is_empty());
    let restarted = Gate::load(&without.snapshot().bytes(), pins("north-1"), Some(without.version()), SEED).unwrap();
    for gate in [gate, without, restarted] {
        assert_eq!(restricted(&gate.next(&of(3, &[&impose()]).bytes(), SEED).unwrap()), LIST[2..]);
    }
}

#[test]
fn lifting_needs_what_restricting_needs() {
    let mut lift = Draft::new("d2", Order::Lift("d1"), &[], None);
    lift.approvals.pop();
    assert_eq!(refused(&lift), DecisionError::TooFew { people: 1, threshold: 2 });
    // Nor does a restriction pass among the lifts that a gate remembers.
    let good = of(1, &[&impose()]).bytes();
    let start = good.windows(18).position(|part| part == b"tribune decision 1").unwrap() - 8;
    let record = &good[start..good.len() - 4];
    let bytes = [&good[..good.len() - 4], &1_u32.to_be_bytes(), record].concat();
    let error = Gate::load(&bytes, pins("north-1"), None, SEED).unwrap_err();
    assert_eq!(error, SnapshotError::Decision { decision: "c1/d1".into(), why: DecisionError::NoLift });
}

// ---- who holds the server ------------------------------------------------------------------------------------------

#[test]
fn not_even_the_server_takes_away_the_notice_or_the_days_to_take_data_out() {
    let respite = Respite { notice_hours: 36, export_days: 3 };
    let draft = Draft::leaving("d1", IMPOSE, &LIST, None, false, respite);
    let on = |terms| load(&signed(1, Log::new().records(&[(&draft, terms)]))).unwrap();
    let begins = MARCH + 36 * 3_600;
    let ask = |gate: &Gate, operation, at| asked(gate, "acme-2", operation, None, at);
    // It was approved on the first of March. The server says it began long ago, and that no window is left.
    for terms in [Terms { from: i64::MIN, window: i64::MIN, ..TERMS }, Terms { from: MARCH, window: MARCH, ..TERMS }] {
        let gate = on(terms);
        assert_eq!([begins - 1, begins].map(|at| ask(&gate, "storage.write", at)), ['a', 'r']);
        let export = [begins, begins + 3 * DAY - 1, begins + 3 * DAY].map(|at| ask(&gate, "storage.export", at));
        assert_eq!(export, ['a', 'a', 'r']);
    }
    // More of either is the server's to give.
    let gate = on(Terms { from: begins + DAY, window: begins + 9 * DAY, ..TERMS });
    assert_eq!([begins + DAY - 1, begins + DAY].map(|at| ask(&gate, "storage.write", at)), ['a', 'r']);
    let export = [begins + 9 * DAY - 1, begins + 9 * DAY].map(|at| ask(&gate, "storage.export", at));
    assert_eq!(export, ['a', 'r']);
    // No beginning is so late that the days after it count from the past.
    let never = on(Terms { from: i64::MAX, ..TERMS });
    assert_eq!(ask(&never, "storage.export", MARCH + 999 * DAY), 'a');
}

#[test]
fn a_decision_of_no_day_is_refused() {
    for day in ["", "2026-02-30", "2026-03-01T00:00:00Z", "yesterday\u{1b}[31m"] {
        let mut draft = impose();
        draft.day = day.to_owned();
        let DecisionError::Day { day: told } = refused(&draft) else { panic!("{day}") };
        assert!(!told.contains('\u{1b}'));
    }
}

#[test]
fn a_decision_that_too_few_approved_is_refused() {
    let mut draft = impose();
    draft.approvals.pop();
    assert_eq!(refused(&draft), DecisionError::TooFew { people: 1, threshold: 2 });
    draft.approvals.clear();
    assert_eq!(refused(&draft), DecisionError::TooFew { people: 0, threshold: 2 });
}

#[test]
fn a_swapped_approver_is_refused() {
    let stranger = |person: &str| DecisionError::Stranger { person: person.to_owned() };
    let mut unpinned = impose();
    unpinned.approvals.pop();
    unpinned.approve(3);
    assert_eq!(refused(&unpinned), stranger("p-9"));
    unpinned.approvals[1].person = "p-2".to_owned();
    assert_eq!(refused(&unpinned), stranger("p-2"), "a key of somebody else's under a known name");
    let mut renamed = impose();
    renamed.approvals[1].person = "p-3".to_owned();
    assert_eq!(refused(&renamed), stranger("p-3"));
    let mut other_form = impose();
    other_form.approvals[1].form = Form::Ssh;
    assert_eq!(refused(&other_form), stranger("p-2"));
    let mut borrowed = impose();
    borrowed.approve(2);
    borrowed.approvals[2].signature = borrowed.approvals[0].signature;
    assert_eq!(refused(&borrowed), DecisionError::Signature { person: "p-3".to_owned() });
}

#[test]
fn an_approver_twice_is_refused() {
    let mut draft = impose();
    draft.approvals.pop();
    draft.approve(0);
    assert_eq!(refused(&draft), DecisionError::Twice { person: "p-1".to_owned() });
}

#[test]
fn only_the_approved_list_is_believed() {
    let signature = DecisionError::Signature { person: "p-1".to_owned() };
    let mut more = impose();
    more.targets.push("acme-3\tspeech\t\twrite".to_owned());
    assert_eq!(refused(&more), DecisionError::Count { approved: 3, shown: 4 });
    more.text = Draft::new("d1", IMPOSE, &more.targets.iter().map(String::as_str).collect::<Vec<_>>(), None).text;
    assert_eq!(refused(&more), signature, "with a text that fits it");
    let mut fewer = impose();
    fewer.targets.pop();
    assert_eq!(refused(&fewer), DecisionError::Count { approved: 3, shown: 2 });
    let mut other = impose();
    other.targets[0] = other.targets[0].replace("acme-1", "acme-7");
    assert_eq!(refused(&other), DecisionError::List);
    let mut swapped = impose();
    swapped.targets.swap(0, 1);
    assert_eq!(refused(&swapped), DecisionError::List);
    for (from, to) in [("c1", "c2"), ("d1", "d2"), ("read-only", "disabled"), ("ends -", "ends 2027-01-01T00:00:00Z")] {
        let mut text = impose();
        text.text = text.text.replacen(from, to, 1);
        assert_eq!(refused(&text), signature, "{from} → {to}");
    }
    let mut text = impose();
    text.text.push('\n');
    assert_eq!(refused(&text), DecisionError::Text);
    let empty = Draft::new("d1", IMPOSE, &["acme-1\tspeech\t\twrite", "acme-1\tspeech\t\t"], None);
    assert_eq!(refused(&empty), DecisionError::Target { number: 2 });
}

#[test]
fn a_decision_that_the_log_does_not_have_is_refused() {
    let (one, two) = (impose(), Draft::new("d2", IMPOSE, &LIST[..1], None));
    let mut log = Log::new();
    let records = log.records(&[(&one, TERMS), (&two, TERMS)]);
    let why = |record: Record| match load(&signed(1, [record])) {
        Err(SnapshotError::Decision { why: DecisionError::Log(_), .. }) => {}
        other => panic!("{other:?}"),
    };
    let place = |of: &Record| Place { checkpoint: log.checkpoint(), ..of.place().clone() };
    why(one.record(&TERMS, place(&records[1])));
    why(one.record(&TERMS, Place { index: 99, ..place(&records[0]) }));
    let hashes = place(&records[0]).hashes[1..].to_vec();
    why(one.record(&TERMS, Place { hashes, ..place(&records[0]) }));
    // Every part of the entry counts.
    let mut salted = one.clone();
    salted.salt[0] ^= 1;
    why(salted.record(&TERMS, place(&records[0])));
    let mut approved = one.clone();
    approved.approve(2);
    why(approved.record(&TERMS, place(&records[0])));
    load(&signed(1, [one.record(&TERMS, place(&records[0]))])).unwrap();
}

#[test]
fn a_checkpoint_of_another_log_or_that_nobody_saw_is_refused() {
    let draft = impose();
    let mut log = Log::new();
    let record = log.records(&[(&draft, TERMS)]).remove(0);
    let with = |checkpoint: Arc<str>| {
        let place = Place { checkpoint, ..record.place().clone() };
        match load(&signed(1, [draft.record(&TERMS, place)])) {
            Err(SnapshotError::Checkpoint(why)) => why.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let other_key = tlog::Signer::new(sample::ORIGIN, &[99; 32]).unwrap();
    assert!(with(log.checkpoint_of(sample::ORIGIN, &other_key)).contains("no key of the log"));
    let other_log = tlog::Signer::new("other.example/log", &[31; 32]).unwrap();
    assert!(with(log.checkpoint_of("other.example/log", &other_log)).contains("is of the log other.example/log"));
    let seen = log.checkpoint();
    let unseen: String = seen.lines().take(5).map(|line| format!("{line}\n")).collect();
    assert!(with(unseen.into()).contains("0 of the known witnesses"));
    assert!(with("".into()).contains("not believed"));
}

// ---- versions ------------------------------------------------------------------------------------------------------

#[test]
fn a_forged_or_altered_snapshot_is_refused() {
    let good = of(7, &[&impose()]);
    let version = good.version();
    let forged = Snapshot::sign(head(7), good.records().map(|(_, record)| record.clone()), &NEW_SERVER);
    assert_eq!(load(&forged).unwrap_err(), SnapshotError::Forged { version });
    let bytes = good.bytes();
    let told = bytes.windows(7).position(|part| part == b"Writing").unwrap();
    let mut spoilt = bytes.clone();
    spoilt[told] ^= 1;
    let error = Gate::load(&spoilt, pins("north-1"), None, SEED).unwrap_err();
    assert_eq!(error, SnapshotError::Content { version }, "what the server says is signed, too");
}

#[test]
fn an_older_snapshot_and_one_of_a_restored_backup_are_refused() {
    let (older, held) = (of(6, &[]), of(7, &[&impose()]));
    let gate = load(&held).unwrap();
    let (six, seven) = (older.version(), held.version());
    assert_eq!(gate.next(&older.bytes(), SEED).unwrap_err(), SnapshotError::Older { held: seven, got: six });
    assert_eq!(gate.next(&held.bytes(), SEED).unwrap_err(), SnapshotError::Older { held: seven, got: seven });
    let load = |snapshot: &Snapshot| Gate::load(&snapshot.bytes(), pins("north-1"), Some(seven), SEED);
    assert_eq!(load(&older).unwrap_err(), SnapshotError::Older { held: seven, got: six });
    assert_eq!(load(&held).unwrap().version(), seven, "after a restart, what was held is held");
    // A backup knows nothing of the sequence since; the root lets it begin anew.
    let epoch_two = Snapshot::sign(new_epoch(1, &ROOT), [], &NEW_SERVER);
    assert_eq!(gate.next(&epoch_two.bytes(), SEED).unwrap().version(), Version { epoch: 2, sequence: 1 });
}

#[test]
fn an_epoch_needs_the_word_of_the_root() {
    let gate = load(&of(7, &[])).unwrap();
    let next = |snapshot: &Snapshot| gate.next(&snapshot.bytes(), SEED).unwrap_err();
    let bare = Snapshot::sign(gate::Head { certificate: None, ..new_epoch(1, &ROOT) }, [], &SERVER);
    assert_eq!(next(&bare), SnapshotError::NoCertificate { epoch: 2 });
    let own = Snapshot::sign(new_epoch(1, &SERVER), [], &NEW_SERVER);
    assert_eq!(next(&own), SnapshotError::Certificate { epoch: 2 });
    let version = Version { epoch: 3, sequence: 1 };
    let borrowed = Snapshot::sign(gate::Head { version, ..new_epoch(1, &ROOT) }, [], &NEW_SERVER);
    assert_eq!(next(&borrowed), SnapshotError::Certificate { epoch: 3 }, "it is for another epoch");
    let version = Version { epoch: 2, sequence: 1 };
    let old_key = Snapshot::sign(new_epoch(1, &ROOT), [], &SERVER);
    assert_eq!(next(&old_key), SnapshotError::Forged { version });
    let version = Version { epoch: 0, sequence: 9 };
    let earlier = Snapshot::sign(gate::Head { version, ..head(9) }, [], &SERVER);
    assert_eq!(load(&earlier).unwrap_err(), SnapshotError::EarlierEpoch { epoch: 0, pinned: 1 });
}

// ---- form ----------------------------------------------------------------------------------------------------------

fn form(bytes: &[u8]) -> Unreadable {
    match Gate::load(bytes, pins("north-1"), None, SEED) {
        Err(SnapshotError::Unreadable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_truncated_half_written_or_longer_snapshot_is_refused() {
    let good = of(1, &[&impose(), &Draft::new("d2", Order::Lift("d1"), &LIST[..1], None)]).bytes();
    for end in 0..good.len() {
        assert!(matches!(form(&good[..end]), Unreadable::Magic | Unreadable::Cut { .. }), "{end}");
        let mut half = good.clone();
        half[end..].fill(0);
        assert!(Gate::load(&half, pins("north-1"), None, SEED).is_err() || half == good, "{end}");
    }
    assert_eq!(form(&[&good[..], b"\n"].concat()), Unreadable::Trailing { bytes: 1 });
    assert_eq!(form(&good.repeat(2)), Unreadable::Trailing { bytes: good.len() });
}

/// A length that is not there reserves nothing: the test would run out of memory.
#[test]
fn absurd_lengths_are_refused_where_they_stand() {
    let good = of(1, &[&impose()]).bytes();
    let mut seen = 0;
    for at in 0..good.len() - 4 {
        let mut absurd = good.clone();
        absurd[at..at + 4].copy_from_slice(&u32::MAX.to_be_bytes());
        match Gate::load(&absurd, pins("north-1"), None, SEED) {
            Err(SnapshotError::Unreadable(Unreadable::Cut { .. })) => seen += 1,
            result => assert!(result.is_err() || absurd == good, "{at}"),
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn a_decision_that_stands_twice_is_refused() {
    let good = of(1, &[&impose()]).bytes();
    let start = good.windows(18).position(|part| part == b"tribune decision 1").unwrap() - 8;
    let record = &good[start..good.len() - 4];
    let twice = [&good[..start - 4], &2_u32.to_be_bytes(), record, record, &[0; 4]].concat();
    assert!(matches!(form(&twice), Unreadable::Order { .. }));
}

// ---- deltas --------------------------------------------------------------------------------------------------------

#[test]
fn a_delta_leads_to_the_very_snapshot() {
    let mut log = Log::new();
    let drafts = [impose(), Draft::new("d2", IMPOSE, &["acme-4\tspeech\t\twrite"], None)];
    let old = log.records(&[(&drafts[0], TERMS), (&drafts[1], TERMS)]);
    let third = Draft::new("d3", IMPOSE, &["acme-5\tspeech\t\twrite"], None);
    let new = log.records(&[(&third, TERMS)]);
    let shadow = Terms { stage: Stage::Shadow, ..TERMS };
    let (one, two) = (signed(1, old.clone()), signed(2, [old[0].on(&shadow), new[0].clone()]));
    let delta = two.delta_since(&one);
    assert!(delta.len() < two.bytes().len());
    let gate = load(&one).unwrap();
    let (followed, whole) = (gate.next(&delta, SEED).unwrap(), load(&two).unwrap());
    assert_eq!(followed.snapshot(), whole.snapshot());
    assert_eq!(restricted(&followed), restricted(&whole));
    assert_eq!(followed.snapshot().bytes(), two.bytes(), "a gate that followed deltas can write the whole");
    // Only from where it leads on, and only by a gate that holds something.
    assert_eq!(Gate::load(&delta, pins("north-1"), None, SEED).unwrap_err(), SnapshotError::Baseless);
    let (from, held) = (one.version(), whole.version());
    assert_eq!(followed.next(&delta, SEED).unwrap_err(), SnapshotError::Base { from, held });
    let other = load(&signed(1, [])).unwrap();
    assert!(matches!(other.next(&delta, SEED), Err(SnapshotError::NotHeld { .. })));
    let more = load(&signed(1, [old, new].concat())).unwrap();
    let version = two.version();
    assert_eq!(
        more.next(&signed(2, []).delta_since(&signed(1, [])), SEED).unwrap_err(),
        SnapshotError::Content { version }
    );
    for end in 0..delta.len() {
        assert!(gate.next(&delta[..end], SEED).is_err());
    }
}

#[test]
fn a_delta_brings_nothing_that_a_whole_would_not() {
    let one = of(1, &[&impose()]);
    let gate = load(&one).unwrap();
    let mut few = Draft::new("d2", IMPOSE, &LIST, None);
    few.approvals.pop();
    let old = one.records().map(|(_, record)| record.clone());
    let two = signed(2, old.chain(Log::new().records(&[(&few, TERMS)])));
    let error = gate.next(&two.delta_since(&one), SEED).unwrap_err();
    let why = DecisionError::TooFew { people: 1, threshold: 2 };
    assert_eq!(error, SnapshotError::Decision { decision: "c1/d2".into(), why });
}

// ---- anything ------------------------------------------------------------------------------------------------------

/// A good file of two decisions, one partly lifted.
fn good() -> Vec<u8> {
    let lift = Draft::new("d2", Order::Lift("d1"), &LIST[1..], None);
    let other = Draft::new("d3", IMPOSE, &["acme-4\tspeech\t\twrite"], Some(MARCH + DAY));
    of(1, &[&impose(), &lift, &other]).bytes()
}

fn may_restrict(gate: &Gate) -> bool {
    let approved: BTreeSet<&str> = LIST.into_iter().chain(["acme-4\tspeech\t\twrite"]).collect();
    restricted(gate).iter().all(|line| approved.contains(line.as_str()))
        && gate.set().restrictions().all(|one| one.scope().account != "acme-4" || one.scope().until <= MARCH + DAY)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), delta in any::<bool>()) {
        let magic: &[u8] = if delta { b"tribune delta 1\n" } else { b"tribune snapshot 1\n" };
        prop_assert!(Gate::load(&bytes, pins("g"), None, SEED).is_err());
        prop_assert!(Gate::load(&[magic, &bytes].concat(), pins("g"), None, SEED).is_err());
        let held = load(&of(1, &[])).unwrap();
        prop_assert!(held.next(&[magic, &bytes].concat(), SEED).is_err());
    }

    /// Invariant 2. Whoever holds the server writes what they like and signs it: nothing that was not approved is refused.
    #[test]
    fn who_holds_the_server_and_its_keys_restricts_nobody(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::of((any::<prop::sample::Index>(), any::<prop::sample::Index>())),
        sequence in 1..9_u64,
    ) {
        let mut bytes = good();
        for (place, byte) in &changes {
            let place = place.index(bytes.len());
            bytes[place] = *byte;
        }
        if let Some((from, to)) = cut {
            let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
            bytes.drain(from.min(to)..from.max(to).min(from.min(to) + 40));
        }
        for file in [bytes.clone(), bytes].map(|bytes| match Snapshot::parse(&bytes) {
            Ok(parsed) => signed(sequence, parsed.records().map(|(_, record)| record.clone())).bytes(),
            Err(_) => bytes,
        }) {
            if let Ok(gate) = Gate::load(&file, pins("north-1"), None, SEED) {
                prop_assert!(may_restrict(&gate), "{:?}", restricted(&gate));
            }
        }
    }
}
