//! Bad input, and input that would like to tell something by its length.

use std::collections::BTreeSet;

use clerk::envelope::{Envelope, EnvelopeError, Purpose, SIZES, Sending};
use clerk::mailbox::{Stage, mailbox};
use clerk::receipt::Receipt;
use clerk::sealed::{Sealed, Sheet, SheetError, file_name};
use clerk::shown::opening;
use proptest::prelude::*;
use review::report::Channel;
use review::words::{Digest, ReportId};
use store::{Erasure, Message};

use crate::house::{House, MIDNIGHT, Place, block_on, chance, drain, keys, message, people};

fn report() -> ReportId {
    "r-0123456789abcdef0123456789abcdef".parse().unwrap()
}

#[test]
fn what_cannot_be_taken_is_refused_with_what_to_do() {
    let house = House::new();
    let seal = |purpose, keep_from: &[&str], text: &str, files: &[(&str, &[u8])]| {
        house.seal(&report(), purpose, keep_from, Sending { text, files }).unwrap_err().to_string()
    };
    let add = Purpose::Add;
    let huge = "x".repeat(10_000_000);
    assert_eq!(seal(add.clone(), &[], " \n\u{a0}", &[]), "there is no text and no file: write what you want to say");
    assert_eq!(
        seal(add.clone(), &[], &huge, &[]),
        "the text has 10000000 bytes and 250000 is the most: attach it as a file"
    );
    assert_eq!(
        seal(add.clone(), &[], "", &[("a", huge.as_bytes())]),
        "a file has 10000000 bytes and 8384608 is the most: send it in parts"
    );
    let large = &huge.as_bytes()[..8_000_000];
    let files = [("a", large), ("b", large)];
    assert!(seal(add.clone(), &[], "", &files).ends_with("16777216 is the most: send some of the files later"));
    let many = [("a", &b"x"[..]); 17];
    assert_eq!(seal(add.clone(), &[], "", &many), "the files are 17 and 16 is the most: send some of them later");
    let names: Vec<String> = (0..51).map(|number| format!("p{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert!(seal(add.clone(), &names, "text", &[]).ends_with("name their team instead"));
    let long: Vec<String> = (10..35).map(|number| number.to_string().repeat(100)).collect();
    let long: Vec<&str> = long.iter().map(String::as_str).collect();
    assert!(seal(add, &long, "text", &[]).ends_with("name their team instead"));
    let mailbox = house.ina.to_public();
    let begin = |channel, who| Purpose::Receive { channel, mailbox: mailbox.clone(), who };
    assert!(seal(begin(Channel::Anonymous, Some("Robin")), &[], "text", &[]).contains("without a name came with one"));
    assert!(seal(begin(Channel::Named, Some(" ")), &[], "text", &[]).contains("by name has no name"));
    assert!(seal(begin(Channel::Employee, Some(&huge)), &[], "text", &[]).contains("the name has 10000000 bytes"));
}

#[test]
fn what_turns_or_hides_text_is_kept_in_texts_and_taken_out_of_names() {
    let house = House::new();
    let text = "\u{202e}gnp.\u{2066}exe\u{0}\u{feff}<script>";
    let sending = Sending { text, files: &[("C:\\Users\\robin\\\u{202e}gpj.exe", b"x"), ("/", b"y")] };
    let envelope = house.seal(&report(), Purpose::Add, &[], sending).unwrap();
    let sheets: Vec<_> =
        envelope.parts.iter().map(|part| Sheet::open(&part.ciphertext, &house.ina, &report()).unwrap()).collect();
    assert_eq!(sheets[0].text(), text, "whoever shows it takes care of it");
    assert_eq!(sheets[1].name.as_deref(), Some("\u{fffd}gpj.exe"));
    assert_eq!(sheets[2].name.as_deref(), Some("file"));
    assert_eq!(file_name(&"é".repeat(1_000)).chars().count(), 100);
}

#[test]
fn an_envelope_that_was_cut_or_altered_stays_and_is_told() {
    let (house, place) = (House::new(), Place::new());
    let good = house.seal(&report(), Purpose::Add, &[], Sending { text: "text", files: &[] }).unwrap();
    let bytes = good.bytes().unwrap();
    assert_eq!(Envelope::parse(&bytes).unwrap(), good);
    let mut random = chance("where");
    let mut lot = |below: usize| {
        let mut bytes = [0; 8];
        random(&mut bytes);
        usize::try_from(u64::from_be_bytes(bytes)).unwrap() % below
    };
    for _ in 0..100 {
        let mut altered = bytes.clone();
        let at = lot(bytes.len());
        altered[at] ^= 1 << lot(8);
        assert!(Envelope::parse(&altered).is_err(), "byte {at}");
        assert!(Envelope::parse(&bytes[..at]).is_err(), "cut at {at}");
    }
    assert!(matches!(Envelope::parse(&[&bytes[..], b"\0"].concat()), Err(EnvelopeError::Altered)));

    // One who can write to the database makes the first line true again: what is sealed was sealed for its report.
    let record = place.open();
    let (mine, other) = (keys("mine"), keys("other"));
    let (ours, theirs) = (house.begins(&mine, "ours", &[]), house.begins(&other, "theirs", &[]));
    let moved = Envelope { report: mine.report.clone(), doing: clerk::envelope::Doing::Add, ..theirs };
    let foreign = house.seal(&report(), Purpose::Add, &[], Sending { text: "for nobody", files: &[] }).unwrap();
    let second = Envelope { text: ours.text, ..ours.clone() };
    let mut waiting: Vec<Message> = [&ours, &moved, &foreign].map(message).into();
    waiting.push(second.message(&mut chance("a second beginning")).unwrap());
    let cut = |number: u8, body: &[u8]| Message { key: [number; 32], body: body.to_vec() };
    waiting.extend([cut(1, b""), cut(2, &bytes[..9_000]), cut(3, &[7; 16_384])]);
    block_on(record.take_in(&waiting)).unwrap();
    let mut told = drain(&record, MIDNIGHT);
    told.sort();
    assert_eq!(told.len(), 5, "{told:#?}");
    let said = [
        "it is no tribune.envelope/1: it is too short",
        "it is no tribune.envelope/1: it says that it is something else",
        "it was cut or altered: it is not what its first line says",
        &format!("{}: it was received (rule: what was done is not done again)", mine.report),
    ];
    assert!(said.iter().all(|said| told.iter().any(|told| told == said)), "{told:#?}");
    assert!(told.iter().any(|told| told.starts_with(&format!("there is no report {}", report()))));
    let [text, added] = [ours.text, moved.text].map(|text| block_on(record.ciphertext(text)).unwrap().unwrap());
    assert_eq!(Sheet::open(&text, &house.ina, &mine.report).unwrap().text(), "ours");
    let error = Sheet::open(&added, &house.ina, &mine.report).unwrap_err();
    assert!(matches!(&error, SheetError::Elsewhere { sealed_for } if *sealed_for == other.report), "{error}");
    assert_eq!(block_on(record.waiting(&mut chance("lots"))).unwrap().len(), 5, "they are there still");
}

#[test]
fn a_text_that_was_altered_opens_for_nobody() {
    let house = House::new();
    let Sealed { ciphertext, .. } =
        Sheet::of(&report(), b"text").seal(&[house.ina.to_public()], &mut chance("")).unwrap();
    for at in (0..ciphertext.len()).step_by(97) {
        let mut altered = ciphertext.clone();
        altered[at] ^= 1;
        assert!(Sheet::open(&altered, &house.ina, &report()).is_err(), "byte {at}");
    }
    for padded in [&b""[..], b"\n", b"{}\n", &[0; 4_096], b"{\"form\":\"tribune.sheet/1\"}\n"] {
        assert!(Sheet::read(padded, &report()).is_err());
    }
}

#[test]
fn a_report_that_was_erased_is_like_one_that_never_was() {
    let (house, place) = (House::new(), Place::new());
    let record = place.open();
    let mine = keys("mine");
    block_on(record.take_in(&[message(&house.begins(&mine, "text", &["mallory"]))])).unwrap();
    assert!(drain(&record, MIDNIGHT).is_empty());
    let (by, positions, texts) = (people(&["ann", "ben"]), BTreeSet::from([0, 1]), BTreeSet::new());
    let erasure = Erasure { at: MIDNIGHT, by, positions, reason: Digest::of("why"), texts };
    block_on(record.erase(&erasure, &mut chance("erasure"))).unwrap();
    let found = block_on(mailbox(&mine, &record)).unwrap();
    assert_eq!((found.stage, found.keep_from.len(), found.letters.len()), (Stage::Nothing, 0, 0));
    assert!(block_on(opening(&record, &mine.report)).unwrap().is_none());
    let sending = Sending { text: "more", files: &[] };
    for again in [house.seal(&mine.report, Purpose::Add, &[], sending).unwrap(), house.begins(&mine, "again", &[])] {
        block_on(record.take_in(&[message(&again)])).unwrap();
    }
    let told = drain(&record, MIDNIGHT.plus_days(1));
    assert!(told.len() == 2 && told.iter().all(|told| told.contains("or it was erased")), "{told:?}");
}

#[test]
fn words_of_nobody_open_an_empty_mailbox_like_any() {
    let place = Place::new();
    let record = place.open();
    let house = House::new();
    let mine = keys("mine");
    block_on(record.take_in(&[message(&house.begins(&mine, "text", &[]))])).unwrap();
    assert!(drain(&record, MIDNIGHT).is_empty());
    for words in [
        "abacus abdomen abdominal abide abiding ability ablaze",
        "ablaze ability abiding abide abdominal abdomen abacus",
    ] {
        let keys = words.parse::<Receipt>().unwrap().keys().unwrap();
        let found = block_on(mailbox(&keys, &record)).unwrap();
        assert_eq!((found.stage, found.letters.len(), found.waiting), (Stage::Nothing, 0, 0));
        assert_eq!(found.report.as_str().len(), mine.report.as_str().len());
    }
}

#[test]
fn an_envelope_is_as_long_as_any_of_its_kind() {
    let house = House::new();
    let config = ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() };
    let mailbox = house.una.to_public();
    let length = |text: &str, keep_from: &[&str], files: &[(&str, &[u8])]| {
        let purpose = Purpose::Receive { channel: Channel::Anonymous, mailbox: mailbox.clone(), who: None };
        house.seal(&report(), purpose, keep_from, Sending { text, files }).unwrap().bytes().unwrap().len()
    };
    let long = "n".repeat(199);
    let all: Vec<String> = (10..29).map(|number| format!("{number}{}", &long[2..])).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).chain(["ina", "law"]).collect();
    proptest!(config, |(text in "[a-zé\u{202e}\"\n]{1,1500}", some in 0..21_usize, file in 0..3_000_usize)| {
        prop_assert_eq!(length(&text, &all[..some], &[]), SIZES[0]);
        prop_assert_eq!(length(&text, &all, &[]), SIZES[0]);
        prop_assert_eq!(length(&text, &all[some..], &[(&text, &vec![7; file])]), SIZES[1]);
        prop_assert_eq!(length(&text.repeat(2 + 4_000 / text.len()), &all[..some], &[]), SIZES[1]);
    });
    for (text, size) in
        [(3_000, SIZES[0]), (3_900, SIZES[1]), (32_000, SIZES[1]), (33_000, SIZES[2]), (250_000, SIZES[2])]
    {
        assert_eq!(length(&"x".repeat(text), &all, &[]), size, "{text}");
    }
    let who = |who: usize| {
        let who = "x".repeat(who);
        let purpose = Purpose::Receive { channel: Channel::Named, mailbox: mailbox.clone(), who: Some(&who) };
        house.seal(&report(), purpose, &[], Sending { text: "text", files: &[] }).unwrap().bytes().unwrap().len()
    };
    assert_eq!((who(1), who(1_500)), (SIZES[1], SIZES[1]));
    assert!(house.readers().keys(&people(&[])).len() == 3);
}
