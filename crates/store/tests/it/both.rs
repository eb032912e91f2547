//! What holds on both databases alike.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use review::words::{Digest, Moment};
use store::{Draining, Identity, Message, New, Record, RecordError, Refused, Slip};
use tlog::{Hash, Tree};

use crate::place::{Place, Server, append, below, block_on, chance, erasure};

/// Each of these once on SQLite, once on PostgreSQL.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() { super::$name(&crate::place::Place::sqlite()); })*
        }
        mod postgres {
            $(#[test] fn $name() {
                if let Some(place) = crate::place::Place::postgres() {
                    super::$name(&place);
                }
            })*
        }
    };
}

on_both!(
    what_is_appended_is_read_back_after_reopening,
    a_stale_version_is_refused_and_the_same_events_again_are_not,
    in_a_batch_each_gets_its_own_answer,
    together_all_go_in_or_none,
    streams_are_found_by_how_they_begin,
    equal_runs_leave_equal_commitments,
    two_writers_leave_no_gap,
    what_is_altered_is_found_with_its_position,
    erasing_needs_two_and_leaves_an_explained_hole,
    a_record_that_was_cut_or_replaced_does_not_continue,
    a_schema_of_another_build_is_refused,
    texts_open_with_their_keys_and_are_rewrapped,
    the_intake_is_drained_shuffled_once_and_whole,
    what_waits_is_found_by_how_its_key_begins,
    arrivals_in_another_order_leave_equal_rows,
    of_two_who_write_a_slip_at_once_one_was_first,
    slips_are_over_by_time_and_taken_by_holder,
);

fn put(record: &Record, stream: &str, expected: u64, bodies: &[&str]) -> Result<Vec<u64>, RecordError> {
    block_on(record.append(&append(stream, expected, bodies), &mut chance(expected)))
}

fn bodies(record: &Record, stream: &str) -> Vec<String> {
    let events = block_on(record.stream(stream, 0)).unwrap();
    let body = |event: &store::Event| event.content.as_ref().map(|content| content.body.clone()).unwrap_or_default();
    events.iter().map(|event| String::from_utf8(body(event)).unwrap()).collect()
}

fn verify(record: &Record, remembered: Option<Tree>) -> Result<Tree, String> {
    block_on(record.verify(remembered)).map_err(|error| error.to_string())
}

fn what_is_appended_is_read_back_after_reopening(place: &Place) {
    let record = place.open();
    assert_eq!(verify(&record, None), Ok(Tree::EMPTY));
    assert_eq!(put(&record, "case-1", 0, &["a", "b"]).unwrap(), [0, 1]);
    assert_eq!(put(&record, "case-2", 0, &["c"]).unwrap(), [2]);
    assert_eq!(put(&record, "case-1", 2, &["d"]).unwrap(), [3]);
    let all = block_on(record.from(0, 10)).unwrap();
    let tree = verify(&record, None).unwrap();
    block_on(record.close());
    let record = place.open();
    assert_eq!(block_on(record.from(0, 10)).unwrap(), all);
    assert_eq!(block_on(record.from(1, 2)).unwrap(), all[1..3]);
    assert_eq!(bodies(&record, "case-1"), ["a", "b", "d"]);
    assert_eq!(block_on(record.stream("case-1", 2)).unwrap(), all[3..]);
    assert_eq!(all.iter().map(|event| event.number).collect::<Vec<_>>(), [1, 2, 1, 3]);
    let [a, b, c, d] = [0, 1, 2, 3].map(|at: usize| Hash::leaf(&all[at].commitment));
    assert_eq!(tree, Tree { size: 4, root: Hash::node(&Hash::node(&a, &b), &Hash::node(&c, &d)) });
    assert_eq!(verify(&record, Some(tree)), Ok(tree));
    block_on(record.close());
}

fn a_stale_version_is_refused_and_the_same_events_again_are_not(place: &Place) {
    let record = place.open();
    put(&record, "case", 0, &["a", "b"]).unwrap();
    put(&record, "other", 0, &["x"]).unwrap();
    put(&record, "case", 2, &["c"]).unwrap();
    for (expected, sent) in [(0, &["a", "c"][..]), (1, &["x"]), (2, &["c", "d"]), (4, &["e"])] {
        let error = put(&record, "case", expected, sent).unwrap_err();
        let stale = Refused::Stale { stream: "case".into(), expected, there: 3 };
        assert!(matches!(&error, RecordError::Refused(refused) if *refused == stale), "{error}");
        assert!(error.to_string().contains("has 3 events"), "{error}");
    }
    assert_eq!(put(&record, "case", 0, &["a", "b"]).unwrap(), [0, 1]);
    assert_eq!(put(&record, "case", 0, &["a", "b", "c"]).unwrap(), [0, 1, 3]);
    assert_eq!(verify(&record, None).unwrap().size, 4);
    let long = "x".repeat(store::EVENT_BYTES_MAX + 1);
    for (stream, bodies) in
        [("", &["a"][..]), ("a\n", &["a"]), ("a", &[]), ("a", &[""]), ("a", &[&long]), (store::ERASURES, &["a"])]
    {
        let error = put(&record, stream, 0, bodies).unwrap_err();
        assert!(matches!(error, RecordError::Refused(Refused::Form { .. })), "{error}");
    }
}

fn together_all_go_in_or_none(place: &Place) {
    let record = place.open();
    put(&record, "b", 0, &["there"]).unwrap();
    let together = |expected| {
        let appends = [append("a", 0, &["1"]), append("b", expected, &["2"])];
        block_on(record.append_together(&appends, &mut chance(0)))
    };
    let refused = together(0).unwrap_err();
    assert!(matches!(refused, RecordError::Refused(Refused::Stale { there: 1, .. })), "{refused}");
    assert_eq!(bodies(&record, "a"), [] as [&str; 0]);
    assert_eq!(together(1).unwrap(), [[1], [2]]);
    assert_eq!(together(1).unwrap(), [[1], [2]], "the same again");
    assert_eq!(verify(&record, None).unwrap().size, 3);
}

fn streams_are_found_by_how_they_begin(place: &Place) {
    let record = place.open();
    for stream in ["case/b", "case/a", "Case/c", "case%/d", "case_e", "report/case/f"] {
        put(&record, stream, 0, &["1", "2"]).unwrap();
    }
    let found = |beginning: &str| block_on(record.streams(beginning)).unwrap();
    assert_eq!(found("case/"), [("case/a".to_owned(), 2), ("case/b".to_owned(), 2)]);
    assert_eq!(found("case%"), [("case%/d".to_owned(), 2)]);
    assert_eq!(found("case_"), [("case_e".to_owned(), 2)]);
    assert_eq!(found("").len(), 6);
    assert_eq!(found("none"), []);
}

fn in_a_batch_each_gets_its_own_answer(place: &Place) {
    let record = place.open();
    let many: Vec<String> = (0..1_200).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let batch = [
        append("a", 0, &["1"]),
        append("a", 0, &["2"]),
        append("a", 1, &["2"]),
        append("a", 0, &["1", "2"]),
        append("b", 0, &many),
        append("", 0, &["1"]),
    ];
    let answers = block_on(record.append_batch(&batch, &mut chance(0))).unwrap();
    assert_eq!(answers[0], Ok(vec![0]));
    assert!(matches!(answers[1], Err(Refused::Stale { there: 1, .. })));
    assert_eq!(answers[2], Ok(vec![1]));
    assert_eq!(answers[3], Ok(vec![0, 1]), "the same again, in one piece");
    assert_eq!(answers[4], Ok((2..1_202).collect()));
    assert!(matches!(answers[5], Err(Refused::Form { .. })));
    assert_eq!(verify(&record, None).unwrap().size, 1_202);
}

fn equal_runs_leave_equal_commitments(place: &Place) {
    let record = place.open();
    put(&record, "case", 0, &["a", "b"]).unwrap();
    let tree = verify(&record, None).unwrap();
    // Salts come from the randomness that was given and from nothing else, on either database.
    let root = tree.root.as_bytes().map(|byte| format!("{byte:02x}")).concat();
    assert_eq!(root, EQUAL_ROOT);
}

const EQUAL_ROOT: &str = "b2d2f534a1b7a953069378f04d165727ec3bc46c1af4f401981565a2fe2d2823";

/// Streams, and how many events each time.
type Sendings = Vec<(u8, usize)>;

fn two_writers_leave_no_gap(place: &Place) {
    let mut runner = TestRunner::new(Config { cases: 8, failure_persistence: None, ..Config::default() });
    let streams = prop::collection::vec((0..4_u8, 1..4_usize), 1..12);
    let run = |(one, two): (Sendings, Sendings)| {
        std::thread::scope(|scope| {
            for (seed, appends) in [(1, one), (2, two)] {
                scope.spawn(move || write_until_accepted(&place.open(), seed, &appends));
            }
        });
        verify(&place.open(), None).map(drop).map_err(TestCaseError::fail)
    };
    runner.run(&(streams.clone(), streams), run).unwrap();
}

/// Appends to streams that another writes to, too: reads anew and tries again where it came second.
fn write_until_accepted(record: &Record, seed: u64, appends: &[(u8, usize)]) {
    let mut random = chance(seed);
    for (stream, count) in appends {
        let body = format!("{seed} {}", below(u64::MAX, &mut random));
        loop {
            let there = block_on(record.stream(&stream.to_string(), 0)).unwrap().len() as u64;
            match block_on(record.append(&append(&stream.to_string(), there, &vec![&*body; *count]), &mut random)) {
                Ok(positions) => break assert_eq!(positions.len(), *count),
                Err(RecordError::Refused(Refused::Stale { .. })) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn what_is_altered_is_found_with_its_position(place: &Place) {
    let record = place.open();
    put(&record, "case", 0, &["a", "b", "c"]).unwrap();
    put(&record, "other", 0, &["d", "e"]).unwrap();
    block_on(record.close());
    let keep = "CREATE TABLE kept AS SELECT * FROM events";
    place.tamper(keep);
    for (sql, expected) in [
        ("UPDATE events SET body = CAST('x' AS BYTEA) WHERE position = 1", "position 1: it is not what its commitment"),
        ("UPDATE events SET commitment = salt WHERE position = 1", "position 1: it is not what its commitment"),
        ("UPDATE events SET body = NULL, salt = NULL WHERE position = 2", "position 2: it is gone and no erasure"),
        (
            "UPDATE events SET body = NULL, salt = NULL, erased_by = 3 WHERE position = 2",
            "position 2: its content is gone and the event at 3",
        ),
        ("UPDATE events SET salt = NULL WHERE position = 2", "position 2: one half of its content"),
        ("DELETE FROM events WHERE position = 1", "position 1: the event is missing"),
        ("UPDATE events SET number = 7 WHERE position = 2", "position 2: it has number 7 in `case`, where 3"),
        ("UPDATE events SET stream = 'erasures', number = 1 WHERE position = 0", "position 0: it is no erasure"),
    ] {
        place.tamper(sql);
        let error = verify(&place.open(), None).unwrap_err();
        assert!(error.starts_with(expected) && error.ends_with("restore the last backup that verifies"), "{error}");
        place.tamper("DELETE FROM events; INSERT INTO events SELECT * FROM kept");
    }
    for sql in [
        "UPDATE events SET body = CAST('x' AS BYTEA) WHERE position = 4",
        "UPDATE events SET number = 7 WHERE position = 4",
        "DELETE FROM events WHERE position = 3",
    ] {
        place.tamper(sql);
        let error = block_on(Record::open(&place.address())).err().map(|error| error.to_string()).unwrap();
        assert!(error.starts_with("position 4: "), "{error}");
        place.tamper("DELETE FROM events; INSERT INTO events SELECT * FROM kept");
    }
    assert!(verify(&place.open(), None).is_ok());
}

fn erasing_needs_two_and_leaves_an_explained_hole(place: &Place) {
    let record = place.open();
    put(&record, "case", 0, &["a", "secret", "c"]).unwrap();
    let before = verify(&record, None).unwrap();
    let erase = |by: &[&str], positions: &[u64]| block_on(record.erase(&erasure(by, positions), &mut chance(9)));
    for (by, positions, expected) in [
        (&["ann"][..], &[1][..], "two different people"),
        (&["ann", "ann"], &[1], "two different people"),
        (&["ann", "ben", "cid"], &[1], "two different people"),
        (&["ann", "ben"], &[], "nothing to erase"),
        (&["ann", "ben"], &[1, 7], "position 7: there is no event to erase"),
    ] {
        let error = erase(by, positions).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(verify(&record, None), Ok(before), "nothing was erased");
    let erased = erase(&["ann", "ben"], &[1]).unwrap();
    assert_eq!((erased.position, erased.scrubbed), (3, true));
    assert_eq!(bodies(&record, "case"), ["a", "", "c"]);
    let after = verify(&record, Some(before)).unwrap();
    assert_eq!(after.size, 4);
    assert!(erase(&["ann", "ben"], &[1]).is_err(), "erased already");
    assert!(erase(&["ann", "ben"], &[3]).is_err(), "an erasure");
    put(&record, "case", 3, &["d"]).unwrap();
    block_on(record.close());
    assert!(verify(&place.open(), Some(after)).is_ok());
    place.tamper("UPDATE events SET body = NULL, salt = NULL, erased_by = 3 WHERE position = 2");
    let error = verify(&place.open(), None).unwrap_err();
    assert!(error.starts_with("position 2: its content is gone and the event at 3 is no erasure of it"), "{error}");
}

fn a_record_that_was_cut_or_replaced_does_not_continue(place: &Place) {
    let record = place.open();
    put(&record, "case", 0, &["a", "b", "c"]).unwrap();
    let tree = verify(&record, None).unwrap();
    block_on(record.close());
    place.tamper("DELETE FROM events WHERE position = 2");
    let record = place.open();
    let error = verify(&record, Some(tree)).unwrap_err();
    assert!(error.starts_with("the record ends after 2 events, and 3 were remembered"), "{error}");
    put(&record, "case", 2, &["other", "events"]).unwrap();
    let error = verify(&record, Some(tree)).unwrap_err();
    assert!(error.starts_with("the first 3 events are not those that were remembered"), "{error}");
    let other = Tree { size: 0, root: tree.root };
    assert!(verify(&record, Some(other)).is_err());
}

fn a_schema_of_another_build_is_refused(place: &Place) {
    block_on(place.open().close());
    let refused = || block_on(Record::open(&place.address())).err().map(|error| error.to_string()).unwrap();
    place.tamper("INSERT INTO migrations (number, digest) VALUES (9, '')");
    assert!(refused().contains("use the newer version"), "{}", refused());
    place.tamper("DELETE FROM migrations WHERE number = 9; UPDATE migrations SET digest = ''");
    assert!(refused().contains("step 1 is another one"), "{}", refused());
}

fn texts_open_with_their_keys_and_are_rewrapped(place: &Place) {
    let record = place.open();
    let [ann, ben, cid] = [(); 3].map(|()| Identity::generate());
    let text = "what the report says".as_bytes();
    let digest = block_on(record.keep_text(text, &[ann.to_public(), ben.to_public()])).unwrap();
    assert_eq!(digest, Digest::of(text));
    let read = |by: &Identity| block_on(record.text(digest, by));
    assert_eq!(read(&ann).unwrap(), text);
    assert_eq!(read(&ben).unwrap(), text);
    assert!(read(&cid).is_err());
    // Kept again it stays as it is; kept anew it is for others.
    assert_eq!(block_on(record.keep_text(text, &[cid.to_public()])).unwrap(), digest);
    assert!(read(&cid).is_err());
    assert_eq!(block_on(record.keep_text_anew(text, &[cid.to_public()])).unwrap(), digest);
    assert!(read(&ann).is_err() && read(&cid).unwrap() == text);
    block_on(record.keep_text_anew(text, &[ann.to_public(), ben.to_public()])).unwrap();
    let old = block_on(record.ciphertext(digest)).unwrap().unwrap();
    assert!(!old.windows(text.len()).any(|part| part == text));
    let missing = [digest, Digest::of("?")];
    assert!(block_on(record.rewrap(&missing, &ben, &[cid.to_public()])).is_err());
    assert!(block_on(record.rewrap(&[digest], &cid, &[cid.to_public()])).is_err());
    assert!(block_on(record.rewrap(&[digest], &ben, &[])).is_err());
    assert_eq!(read(&ann).unwrap(), text, "nothing was changed");
    assert!(block_on(record.rewrap(&[digest], &ben, &[ben.to_public(), cid.to_public()])).unwrap());
    assert!(read(&ann).is_err());
    assert_eq!((read(&ben).unwrap(), read(&cid).unwrap()), (text.to_vec(), text.to_vec()));
    if let Place::Sqlite(folder) = place {
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(32).any(|part| part == &old[old.len() - 32..]), "the old ciphertext is gone");
        }
    }
    let new = block_on(record.ciphertext(digest)).unwrap().unwrap();
    assert_eq!(opened_by_debians_age(&new, &cid).unwrap_or(text.to_vec()), text);
    let erasure = store::Erasure { texts: [digest].into(), ..erasure(&["ann", "ben"], &[]) };
    block_on(record.erase(&erasure, &mut chance(0))).unwrap();
    let error = read(&cid).unwrap_err().to_string();
    assert!(error.contains("it is not kept here, or was erased"), "{error}");
    assert!(verify(&record, None).is_ok());
}

/// What another implementation makes of a ciphertext; none where it is not installed.
fn opened_by_debians_age(ciphertext: &[u8], identity: &Identity) -> Option<Vec<u8>> {
    use age::secrecy::ExposeSecret;
    let program = std::env::var_os("TRIBUNE_AGE").unwrap_or_else(|| "age".into());
    let folder = tempfile::tempdir().unwrap();
    let (key, file) = (folder.path().join("key"), folder.path().join("text.age"));
    std::fs::write(&key, identity.to_string().expose_secret()).unwrap();
    std::fs::write(&file, ciphertext).unwrap();
    let Ok(output) = Command::new(program).arg("--decrypt").arg("--identity").args([key, file]).output() else {
        println!("skipped: Debian's `age` is not here");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

pub(crate) fn messages(count: u8) -> Vec<Message> {
    let mut random = chance(77);
    let message = |number: u8| {
        let mut key = [0; 32];
        random(&mut key);
        // Some go over a page, and over several.
        Message { key, body: vec![number; if number.is_multiple_of(7) { 20_000 } else { 300 }] }
    };
    (0..count).map(message).collect()
}

fn the_intake_is_drained_shuffled_once_and_whole(place: &Place) {
    let record = place.open();
    let sent = messages(20);
    for message in &sent {
        block_on(record.take_in(std::slice::from_ref(message))).unwrap();
    }
    block_on(record.take_in(&sent[..3])).unwrap();
    let other = Message { body: vec![9], ..sent[0].clone() };
    assert!(block_on(record.take_in(&[other])).is_err());
    let shuffled = |seed| block_on(record.waiting(&mut chance(seed))).unwrap();
    assert_eq!(shuffled(1), shuffled(1));
    assert_ne!(shuffled(1), shuffled(2));
    assert_ne!(shuffled(1), sent);
    let sorted = |messages: &[Message]| messages.iter().map(|message| message.key).collect::<BTreeSet<_>>();
    assert_eq!(sorted(&shuffled(1)), sorted(&sent));

    let event = |at| New { at: Moment(at), body: b"{}".to_vec() };
    let becomes = |at: i64, expected| store::Append { stream: "report".into(), expected, events: vec![event(at)] };
    let text = (Digest::of("text"), b"ciphertext".to_vec());
    let drain = |keys: &[Message], append| {
        let draining = Draining { keys: sorted(keys), appends: vec![append], texts: BTreeMap::from([text.clone()]) };
        block_on(record.drain(&draining, &mut chance(3)))
    };
    assert!(drain(&sent, becomes(86_401, 0)).unwrap_err().to_string().contains("dated by day"));
    assert!(drain(&sent, becomes(86_400, 5)).is_err(), "stale");
    assert!(drain(&messages(21), becomes(86_400, 0)).unwrap_err().to_string().contains("waits no more"));
    assert_eq!((shuffled(1).len(), verify(&record, None)), (20, Ok(Tree::EMPTY)), "nothing happened");
    assert_eq!(drain(&sent[..15], becomes(86_400, 0)).unwrap(), [0]);
    assert_eq!(sorted(&shuffled(1)), sorted(&sent[15..]));
    assert_eq!(block_on(record.ciphertext(text.0)).unwrap(), Some(text.1.clone()));
    assert!(drain(&sent[..15], becomes(86_400, 1)).is_err(), "drained already");
}

fn what_waits_is_found_by_how_its_key_begins(place: &Place) {
    let record = place.open();
    let mut sent = messages(20);
    sent[3].key[..16].fill(255);
    sent[7].key[..16].fill(255);
    sent[9].key[..16].fill(0);
    block_on(record.take_in(&sent)).unwrap();
    let of = |beginning: &[u8]| block_on(record.waiting_of(beginning)).unwrap();
    let mut two = vec![sent[3].clone(), sent[7].clone()];
    two.sort_by_key(|message| message.key);
    assert_eq!(of(&[255; 16]), two);
    assert_eq!(of(&[0; 16]), [sent[9].clone()]);
    assert_eq!(of(&sent[5].key), [sent[5].clone()]);
    assert_eq!((of(b"nothing of this").len(), of(&[]).len()), (0, 20));
    let bytes: usize = sent.iter().map(|message| message.body.len()).sum();
    assert_eq!(block_on(record.waiting_bytes()).unwrap(), bytes as u64);
}

fn arrivals_in_another_order_leave_equal_rows(place: &Place) {
    let record = place.open();
    let sent = messages(10);
    sent.iter().for_each(|message| block_on(record.take_in(std::slice::from_ref(message))).unwrap());
    let first = block_on(record.waiting(&mut chance(5))).unwrap();
    let draining = Draining { keys: sent.iter().map(|message| message.key).collect(), ..Draining::default() };
    block_on(record.drain(&draining, &mut chance(0))).unwrap();
    sent.iter().rev().for_each(|message| block_on(record.take_in(std::slice::from_ref(message))).unwrap());
    assert_eq!(block_on(record.waiting(&mut chance(5))).unwrap(), first);
}

#[test]
fn a_server_that_may_lose_what_it_acknowledged_is_refused() {
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        let Some(server) = Server::start(&[&format!("{setting}=off")]) else { return };
        let error = block_on(Record::open(&server.address("postgres"))).err().map(|error| error.to_string()).unwrap();
        assert!(error.starts_with(&format!("the database has {setting} = off")), "{error}");
    }
}

fn new_slip(name: &str, holder: &str, until: i64) -> Slip {
    Slip { name: name.into(), holder: holder.into(), version: 0, until: Moment(until), body: b"first".to_vec() }
}

fn of_two_who_write_a_slip_at_once_one_was_first(place: &Place) {
    let (one, other) = (place.open(), place.open());
    let slip = new_slip("a", "ann", 100);
    assert!(block_on(one.put_slip("session", &slip)).unwrap());
    assert!(!block_on(other.put_slip("session", &slip)).unwrap(), "it is there by now");
    assert!(block_on(other.put_slip("account", &slip)).unwrap(), "another kind is another drawer");
    let seen = block_on(other.slip("session", "a", Moment(99))).unwrap().unwrap();
    assert_eq!(seen, Slip { version: 1, ..slip });
    let changed = |body: &[u8]| Slip { body: body.to_vec(), ..seen.clone() };
    let put = |record: &Record, body: &[u8]| block_on(record.put_slip("session", &changed(body))).unwrap();
    let answers = [put(&one, b"mine"), put(&other, b"theirs")];
    assert_eq!(answers, [true, false]);
    let now = block_on(other.slip("session", "a", Moment(99))).unwrap().unwrap();
    assert_eq!((now.version, now.body), (2, b"mine".to_vec()));
    assert!(block_on(one.take_slip("session", "a")).unwrap());
    assert!(!block_on(other.take_slip("session", "a")).unwrap(), "it was taken once");
    assert!(!put(&one, b"back"), "what was taken does not come back by being written over");
    assert_eq!(verify(&one, None), Ok(Tree::EMPTY), "none of it is an event");
    block_on(one.close());
    block_on(other.close());
}

fn slips_are_over_by_time_and_taken_by_holder(place: &Place) {
    let record = place.open();
    for (name, holder, until) in [("c", "ann", 300), ("a", "ann", 100), ("b", "ann", 200), ("d", "ben", 300)] {
        assert!(block_on(record.put_slip("session", &new_slip(name, holder, until))).unwrap());
    }
    let names = |holder: &str, now: i64| -> Vec<String> {
        let slips = block_on(record.slips_of("session", holder, Moment(now))).unwrap();
        slips.into_iter().map(|slip| slip.name).collect()
    };
    assert_eq!(names("ann", 99), ["a", "b", "c"]);
    assert_eq!(names("ann", 100), ["b", "c"]);
    assert_eq!(block_on(record.slip("session", "a", Moment(100))).unwrap(), None);
    assert_eq!(block_on(record.clear_drawer(Moment(100))).unwrap(), 1);
    assert_eq!(block_on(record.take_slips_of("account", "ann", None)).unwrap(), 0);
    assert_eq!(block_on(record.take_slips_of("session", "ann", Some("c"))).unwrap(), 1);
    assert_eq!((names("ann", 0), names("ben", 0)), (vec!["c".to_owned()], vec!["d".to_owned()]));
    assert_eq!(block_on(record.take_slips_of("session", "ann", None)).unwrap(), 1);
    assert_eq!(names("ann", 0), [] as [&str; 0]);
    block_on(record.close());
}
