//! A report from its receipt to its outcome, and who can read what on the way.

use std::collections::BTreeSet;
use std::process::Command;

use age::secrecy::ExposeSecret;
use clerk::envelope::{Envelope, Purpose, Sending};
use clerk::mailbox::{Letter, LetterKind, Mailbox, Stage, answer, mailbox};
use clerk::sealed::{Readers, SealError, Sheet, SheetError};
use clerk::shown::{ShownError, check, opening, prove};
use review::public::batches;
use review::report::{Channel, Deed, ReportEvent, Triage};
use review::words::{Actor, Digest, Moment};
use store::{Append, Identity, New, Record};
use tlog::{Appender, Checkpoint, Policy, Proof, Signer, Tiles};

use crate::house::{House, MIDNIGHT, Place, block_on, chance, drain, keys, message, people, report, stream};

/// Somebody of the intake does something with a report.
fn officer(record: &Record, of: &clerk::receipt::Keys, by: &str, at: Moment, deed: Deed) {
    let now = report(record, &of.report);
    let id = format!("{by} {}", now.version).parse().unwrap();
    let event = now.admit(id, at, Some(Actor::Person(by.parse().unwrap())), deed).unwrap().unwrap();
    let events = vec![New { at, body: serde_json::to_vec(&event).unwrap() }];
    let append = Append { stream: stream(&of.report), expected: now.version, events };
    block_on(record.append(&append, &mut chance(by))).unwrap();
}

fn send(record: &Record, envelope: &Envelope) {
    block_on(record.take_in(&[message(envelope)])).unwrap();
}

#[test]
fn seven_words_carry_a_report_to_its_outcome() {
    let (house, place) = (House::new(), Place::new());
    let record = place.open();
    let (mine, other) = (keys("mine"), keys("other"));
    let look = |keys| block_on(mailbox(keys, &record)).unwrap();
    assert_eq!(look(&mine).stage, Stage::Nothing);
    let begun = house.begins(&mine, "They transcribe a whole people.", &["mallory"]);
    send(&record, &begun);
    assert_eq!((look(&mine).stage, look(&mine).keep_from), (Stage::Received, people(&["mallory"])));
    assert_eq!(drain(&record, MIDNIGHT), Vec::<String>::new());
    assert_eq!(look(&mine).stage, Stage::Acknowledged);

    let text = block_on(record.ciphertext(begun.text)).unwrap().unwrap();
    let read = Sheet::open(&text, &house.ina, &mine.report).unwrap();
    assert_eq!((read.text().as_str(), read.identity), ("They transcribe a whole people.", None));
    let to = read.mailbox.unwrap();
    for (hour, deed) in [(1, false), (2, true)] {
        let said = format!("What we did by hour {hour}.");
        let left_out = people(&["mallory"]);
        let sealed = answer(&mine.report, &said, &to, &left_out, &house.readers(), &mut chance(&said)).unwrap();
        block_on(record.keep_ciphertext(sealed.digest, &sealed.ciphertext)).unwrap();
        let text = sealed.digest;
        let deed = if deed { Deed::Tell { text } } else { Deed::Write { text } };
        officer(&record, &mine, "ina", MIDNIGHT.plus_hours(hour), deed);
        assert_eq!(Sheet::open(&sealed.ciphertext, &house.ivo, &mine.report).unwrap().text(), said);
    }
    let letter = |hour: i64| Letter {
        day: "2026-03-02".into(),
        kind: if hour == 2 { LetterKind::Outcome } else { LetterKind::Written },
        text: Some(format!("What we did by hour {hour}.")),
    };
    assert_eq!((look(&mine).stage, look(&mine).letters), (Stage::Told, vec![letter(1), letter(2)]));

    // Nobody looked yet, so asking others to look again waits until somebody has.
    let sending = Sending { text: "Look again.", files: &[("log.txt", b"more")] };
    send(&record, &house.seal(&mine.report, Purpose::AskReview, &["mallory"], sending).unwrap());
    let refused = drain(&record, MIDNIGHT.plus_days(1));
    assert!(refused.len() == 1 && refused[0].contains("nobody has looked at it yet"), "{refused:?}");
    officer(
        &record,
        &mine,
        "ina",
        MIDNIGHT.plus_hours(30),
        Deed::Triage(Triage::Outside { reason: Digest::of("why") }),
    );
    assert!(drain(&record, MIDNIGHT.plus_days(2)).is_empty());
    assert!(look(&mine).review_asked);

    let nothing = Mailbox {
        report: other.report.clone(),
        stage: Stage::Nothing,
        review_asked: false,
        waiting: 0,
        keep_from: people(&[]),
        letters: vec![],
    };
    assert_eq!(look(&other), nothing);
    // Somebody with the words of another opens nothing of it, were it to lie under their own.
    let stranger = clerk::receipt::Keys { report: mine.report.clone(), opening: other.opening.clone() };
    assert!(look(&stranger).letters.iter().all(|letter| letter.text.is_none()));
    assert!(block_on(record.verify(None)).is_ok());
}

#[test]
fn what_is_drained_twice_happens_once() {
    let (house, place) = (House::new(), Place::new());
    let record = place.open();
    let mine = keys("mine");
    let sending = Sending { text: "more", files: &[] };
    let added = house.seal(&mine.report, Purpose::Add, &[], sending).unwrap();
    let begun = house.begins(&mine, "one", &[]);
    for day in 0..3 {
        send(&record, &added);
        send(&record, &begun);
        assert!(drain(&record, MIDNIGHT.plus_days(day)).is_empty());
        assert!(block_on(record.waiting(&mut chance("lots"))).unwrap().is_empty());
    }
    let events = block_on(record.stream(&stream(&mine.report), 0)).unwrap();
    let events: Vec<ReportEvent> =
        events.iter().map(|event| serde_json::from_slice(&event.content.as_ref().unwrap().body).unwrap()).collect();
    let deeds: Vec<_> = events.iter().map(|event| (event.number, &event.by, &event.deed)).collect();
    let (channel, keep_from) = (Channel::Anonymous, people(&[]));
    assert_eq!(
        deeds,
        [
            (1, &None, &Deed::Receive { channel, text: begun.text, parts: BTreeSet::new(), keep_from }),
            (2, &Some(Actor::System), &Deed::Acknowledge),
            (3, &None, &Deed::Add { text: added.text, parts: BTreeSet::new() }),
        ]
    );
    assert!(events.iter().all(|event| event.at == MIDNIGHT));
}

#[test]
fn whom_it_is_kept_from_has_no_key_and_recovery_reads_where_nobody_else_may() {
    let house = House::new();
    let mine = keys("mine");
    let all = [&house.ina, &house.ivo, &house.una, &house.recovery];
    for (keep_from, opens) in [
        (&[][..], [true, true, false, true]),
        (&["mallory"], [true, true, false, true]),
        (&["ina"], [false, true, true, true]),
        (&["ivo"], [true, false, true, true]),
        (&["law"], [true, false, false, true]),
        (&["law", "ina"], [false, false, false, true]),
    ] {
        let envelope = house.begins(&mine, "text", keep_from);
        let opened = all.map(|key| Sheet::open(&envelope.parts[0].ciphertext, key, &mine.report).is_ok());
        assert_eq!(opened, opens, "{keep_from:?}");
    }
    let readers = Readers { recovery: vec![], ..house.readers() };
    let purpose = Purpose::Add;
    let sending = Sending { text: "text", files: &[] };
    let left_out = people(&["law", "trust"]);
    let error = Envelope::seal(&mine.report, purpose, &left_out, sending, &readers, &mut chance("")).unwrap_err();
    assert!(matches!(error, SealError::NobodyReads), "{error}");
}

#[test]
fn a_name_is_opened_by_both_custodians_and_by_neither_alone() {
    let house = House::new();
    let mine = keys("mine");
    let who = Some("Robin Example, robin@example.org");
    let purpose = Purpose::Receive { channel: Channel::Named, mailbox: mine.mailbox(), who };
    let sending = Sending { text: "text", files: &[("a/b/notes.txt", b"what I noted")] };
    let envelope = house.seal(&mine.report, purpose, &[], sending).unwrap();
    let text = Sheet::open(&envelope.parts[0].ciphertext, &house.ina, &mine.report).unwrap();
    let part = |digest| &envelope.parts.iter().find(|part| part.digest == digest).unwrap().ciphertext;
    let file = Sheet::open(part(text.files[0]), &house.ina, &mine.report).unwrap();
    assert_eq!((file.name.as_deref(), &file.body[..]), (Some("notes.txt"), &b"what I noted"[..]));

    let identity = part(text.identity.unwrap());
    let [a, b] = &house.custodians;
    for key in [a, &house.ina, &house.ivo, &house.recovery, &mine.opening] {
        assert!(matches!(Sheet::open(identity, key, &mine.report), Err(SheetError::Closed(_))));
    }
    let outer = Sheet::open(identity, b, &mine.report).unwrap();
    assert!(outer.is_encrypted() && !outer.text().contains("Robin"));
    assert!(matches!(Sheet::open(&outer.body, b, &mine.report), Err(SheetError::Closed(_))));
    assert_eq!(Some(&*Sheet::open(&outer.body, a, &mine.report).unwrap().text()), who);
}

#[test]
fn another_implementation_of_age_reads_what_an_officer_gets() {
    let house = House::new();
    let mine = keys("mine");
    let sealed = age::encrypt(&house.ivo.to_public(), b"for Ivo alone").unwrap();
    let sending = Sending { text: "text \u{202e}txet", files: &[("leak.age", &sealed)] };
    let envelope = house.seal(&mine.report, Purpose::Add, &[], sending).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let decrypted = |ciphertext: &[u8], key: &Identity| {
        let program = std::env::var_os("TRIBUNE_AGE").unwrap_or_else(|| "age".into());
        let (secret, file) = (folder.path().join("key"), folder.path().join("text.age"));
        std::fs::write(&secret, key.to_string().expose_secret()).unwrap();
        std::fs::write(&file, ciphertext).unwrap();
        match Command::new(program).args(["--decrypt", "--identity"]).args([secret, file]).output() {
            Ok(output) if output.status.success() => Some(output.stdout),
            Ok(output) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
            Err(_) => None,
        }
    };
    let Some(text) = decrypted(&envelope.parts[0].ciphertext, &house.ina) else {
        println!("skipped: Debian's `age` is not here");
        return;
    };
    assert_eq!(Digest::of(&text), envelope.text);
    assert_eq!(Sheet::read(&text, &mine.report).unwrap().text(), "text \u{202e}txet");
    // What came encrypted is kept as it came: whoever it was encrypted to opens it a second time.
    let file = decrypted(&envelope.parts[1].ciphertext, &house.ina).unwrap();
    let file = Sheet::read(&file, &mine.report).unwrap();
    assert!(file.is_encrypted() && file.body == sealed);
    assert_eq!(decrypted(&file.body, &house.ivo).unwrap(), b"for Ivo alone");
}

/// A proof that a report is in a log of three entries, and whom its reader trusts.
fn shown(record: &Record, mine: &clerk::receipt::Keys) -> (Proof, Policy) {
    let events = block_on(record.from(0, 100)).unwrap();
    let commitments = events.iter().map(|event| Digest(event.commitment)).collect();
    let batch = batches(MIDNIGHT, commitments, &mut || Digest::of("nothing")).remove(0).bytes().unwrap();
    let mut log = Appender::default();
    let mut files = Vec::new();
    for entry in [&b"before"[..], &batch, b"after"] {
        files.extend(log.push(entry).unwrap());
    }
    files.extend(log.partial(0));
    let read = |tile| files.iter().find(|(name, _)| *name == tile).map(|(_, bytes)| bytes.clone());
    let mut tiles =
        Tiles::open(log.tree(), |tile| read(tile).ok_or_else(|| std::io::Error::other("not there"))).unwrap();
    let hashes = tiles.inclusion(1).unwrap();
    let signer = Signer::new("tribune.example/log", &[1; 32]).unwrap();
    let note = Checkpoint::new("tribune.example/log", log.tree(), &[]).unwrap().sign(&signer).unwrap();
    let policy = Policy::new("tribune.example/log", vec![signer.verifier().clone()], vec![], 0).unwrap();
    let opening = block_on(opening(record, &mine.report)).unwrap().unwrap();
    assert!(matches!(prove(&opening, b"{}", 1, vec![], note.clone()), Err(ShownError::Form(_))));
    let other = batches(MIDNIGHT, vec![], &mut || Digest::of("nothing")).remove(0).bytes().unwrap();
    assert!(matches!(prove(&opening, &other, 1, vec![], note.clone()), Err(ShownError::NotThere)));
    (prove(&opening, &batch, 1, hashes, note).unwrap(), policy)
}

#[test]
fn a_report_is_shown_to_be_in_the_log_and_says_nothing_of_who() {
    for keep_from in [&[][..], &["mallory"]] {
        let (house, place) = (House::new(), Place::new());
        let record = place.open();
        let (mine, other) = (keys("mine"), keys("other"));
        let begun = house.begins(&mine, "text", keep_from);
        send(&record, &begun);
        send(&record, &house.begins(&other, "another", &[]));
        assert!(drain(&record, MIDNIGHT).is_empty());
        let (proof, policy) = shown(&record, &mine);
        let proof: Proof = proof.to_string().parse().unwrap();
        let seen = check(&proof, &policy).unwrap();
        assert_eq!((&seen.report, seen.day.as_str()), (&mine.report, "2026-03-01"));
        let carried = String::from_utf8(proof.extra.clone()).unwrap();
        assert!(!carried.contains("mallory") && !carried.contains(other.report.as_str()));

        let with = |extra: String| check(&Proof { extra: extra.into(), ..proof.clone() }, &policy).unwrap_err();
        assert!(matches!(with(carried.replace("report\\\":\\\"r-", "report\\\":\\\"s-")), ShownError::NotThere));
        assert!(matches!(with(carried.replace("\\\"number\\\"", " \\\"number\\\"")), ShownError::Event));
        assert!(matches!(with(carried.replace("2026-03-0", "2026-03-1")), ShownError::Proof(_)));
        assert!(matches!(with(carried.replace("opening/1", "opening/2")), ShownError::Opening(_)));
        assert!(matches!(with(carried.replace("{\"form\"", "{\"who\":\"me\",\"form\"")), ShownError::Form(_)));
        let elsewhere = Proof { index: 2, ..proof.clone() };
        assert!(matches!(check(&elsewhere, &policy), Err(ShownError::Proof(_))));
    }
}
