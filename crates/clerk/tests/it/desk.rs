//! Commands that meet each other: at one workload, in one case, before one public log; and what is erased or merged.

use std::collections::{BTreeMap, BTreeSet};

use clerk::envelope::{Purpose, Sending};
use clerk::{Clerk, Erase, Error, IntakeRoom, Law, Papers, Reporting, Sender, Sent};
use review::act::{Act, Closing, ElementAnswer, Established, Item, Kind, Opening, Source};
use review::case::Phase;
use review::procedure::{Basis, Procedure};
use review::public::Entry;
use review::report::{Channel, Deed};
use review::roster::{AccountTeam, Member, Roster};
use review::rules::Rule;
use review::words::{AccountId, CaseId, Digest, Moment, Role, Standard};
use store::{Files, Identity, Message, PublicLog, Record};

use crate::house::{MIDNIGHT, Place, block_on, chance};

#[derive(serde::Deserialize)]
struct Pack {
    review: Procedure,
}

pub(crate) fn law() -> Law {
    let text = include_str!("../../../../policies/mass-surveillance/policy.toml");
    let procedure = toml::from_str::<Pack>(text).unwrap().review;
    let (id, version, digest) = ("mass-surveillance".to_owned(), "1".to_owned(), Digest::of(text));
    Law { id, version, digest, title: "No mass surveillance".to_owned(), procedure }
}

/// Who is there: ann and ivy review, ben and cleo decide, eve hears appeals, olga is counsel from outside; ina takes
/// reports in, ada and bea keep names, aud audits.
pub(crate) fn roster() -> Roster {
    let people: [(&str, &[Role]); 10] = [
        ("ann", &[Role::Reviewer, Role::Analyst]),
        ("ivy", &[Role::Reviewer, Role::Analyst]),
        ("ben", &[Role::Decider]),
        ("cleo", &[Role::Decider]),
        ("eve", &[Role::AppealPanel]),
        ("olga", &[Role::Counsel]),
        ("ina", &[Role::IntakeOfficer]),
        ("ada", &[Role::CustodianA]),
        ("bea", &[Role::CustodianB]),
        ("aud", &[Role::Auditor]),
    ];
    let member = |(person, roles): (&str, &[Role])| {
        let roles = roles.iter().copied().collect();
        let reads_with = BTreeSet::from([Identity::generate().to_public().to_string()]);
        let identities = BTreeSet::from([format!("idp|{person}")]);
        let outside = person == "olga";
        (person.parse().unwrap(), Member { roles, outside, reads_with, identities, ..Member::default() })
    };
    Roster { members: people.into_iter().map(member).collect(), ..Roster::default() }
}

pub(crate) fn clerk(record: Record, seed: &str) -> Clerk {
    Clerk::new(record, chance(seed)).unwrap()
}

/// A clerk before a record with its people.
pub(crate) fn begun(place: &Place) -> Clerk {
    let clerk = clerk(place.open(), "one");
    block_on(clerk.set_roster("roster".parse().unwrap(), MIDNIGHT, &BTreeSet::new(), &roster())).unwrap();
    clerk
}

pub(crate) fn sent(by: &str, id: &str) -> Sent {
    let by = if by == "tribune" { Sender::System } else { Sender::Person(by.to_owned()) };
    Sent { id: id.parse().unwrap(), at: MIDNIGHT, by }
}

pub(crate) fn accounts(names: &[&str]) -> BTreeSet<AccountId> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

pub(crate) fn opening(names: &[&str]) -> Act {
    let law = law();
    let sources = BTreeSet::from([Source::Finding {
        finding: Digest::of(names.concat()),
        records: Digest::of("r"),
        score_db: None,
        families: BTreeSet::new(),
    }]);
    Act::Open(Opening {
        kind: Kind::Workload,
        policy: (law.id, law.version, law.digest),
        customer: "acme".parse().unwrap(),
        accounts: accounts(names),
        sources,
    })
}

pub(crate) fn opened(clerk: &Clerk, id: &str, names: &[&str]) -> CaseId {
    block_on(clerk.open_case(&sent("tribune", id), &law(), opening(names))).unwrap().0
}

pub(crate) fn must(clerk: &Clerk, by: &str, case: &CaseId, id: &str, act: Act) {
    assert!(!block_on(clerk.enact(&sent(by, id), case, act)).unwrap().before, "{id}");
}

pub(crate) fn part(clerk: &Clerk, case: &CaseId, person: &str, role: Role) {
    must(
        clerk,
        "ann",
        case,
        &format!("{case} {person} {}", role.name()),
        Act::Assign { person: person.parse().unwrap(), role },
    );
    must(clerk, person, case, &format!("{case} {person} declares"), Act::Declare { conflict: None });
}

fn rule(refused: Result<impl std::fmt::Debug, Error>) -> Rule {
    match refused {
        Err(Error::Refused(refusal)) => refusal.rule,
        other => panic!("{other:?}"),
    }
}

fn phase(clerk: &Clerk, case: &CaseId) -> Phase {
    let file = block_on(clerk.look(&Sender::System, case, "a test", MIDNIGHT)).unwrap();
    file.case.phase
}

#[test]
fn of_two_who_open_a_case_on_one_workload_at_once_one_does() {
    let place = Place::new();
    let one = begun(&place);
    let clerks: Vec<Clerk> = (0..4).map(|seed| clerk(place.open(), &format!("clerk {seed}"))).collect();
    let opened = std::thread::scope(|scope| {
        let open = |(number, clerk): (usize, &Clerk)| {
            let own = format!("b{number}");
            let sent = sent("tribune", &format!("open {number}"));
            block_on(clerk.open_case(&sent, &law(), opening(&["a1", &own]))).map(|(case, _)| case)
        };
        let threads: Vec<_> = clerks.iter().enumerate().map(|one| scope.spawn(move || open(one))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let (won, lost): (Vec<_>, Vec<_>) = opened.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 3));
    assert!(lost.into_iter().all(|lost| rule(lost) == Rule::OneCase));
    assert_eq!(block_on(one.cases()).unwrap().len(), 1);
}

#[test]
fn a_command_sent_twice_is_carried_out_once_and_the_same_opening_opens_one_case() {
    let place = Place::new();
    let clerk = begun(&place);
    let case = opened(&clerk, "open", &["a1"]);
    let (again, done) = block_on(clerk.open_case(&sent("tribune", "open"), &law(), opening(&["a1"]))).unwrap();
    assert_eq!((again, done.before), (case.clone(), true));
    let assign = || Act::Assign { person: "ann".parse().unwrap(), role: Role::Reviewer };
    must(&clerk, "ann", &case, "assign", assign());
    assert!(block_on(clerk.enact(&sent("ann", "assign"), &case, assign())).unwrap().before);
    assert!(block_on(clerk.enact(&sent("idp|ann", "assign"), &case, assign())).unwrap().before);
    let nobody = block_on(clerk.enact(&sent("zed", "assign"), &case, assign()));
    assert!(matches!(nobody, Err(Error::Nobody(_))));
}

#[test]
fn people_who_act_in_one_case_at_once_lose_nothing() {
    let place = Place::new();
    let one = begun(&place);
    let case = opened(&one, "open", &["a1"]);
    part(&one, &case, "ann", Role::Reviewer);
    let clerks: Vec<Clerk> = (0..3).map(|seed| clerk(place.open(), &format!("clerk {seed}"))).collect();
    std::thread::scope(|scope| {
        for (number, clerk) in clerks.iter().enumerate() {
            let case = &case;
            scope.spawn(move || {
                for nth in 0..10 {
                    let id = format!("e{number}-{nth}");
                    let (digest, origin) = (Digest::of(&id), "contract".parse().unwrap());
                    let (basis, about) = (Basis::Document, BTreeSet::new());
                    let item = Item { id: id.parse().unwrap(), digest, basis, origin, anonymous: false, about };
                    let sent = sent("ann", &id);
                    // Busy is an answer too: it says to send it again.
                    while let Err(error) = block_on(clerk.enact(&sent, case, Act::AddEvidence(item.clone()))) {
                        assert!(matches!(error, Error::Busy), "{error}");
                    }
                }
            });
        }
    });
    let file = block_on(one.look(&Sender::System, &case, "a test", MIDNIGHT)).unwrap();
    assert_eq!((file.case.evidence.len(), file.case.version), (30, 33));
}

#[test]
fn what_people_did_in_a_case_counts_in_the_one_that_takes_it_in() {
    let place = Place::new();
    let clerk = begun(&place);
    let (one, other) = (opened(&clerk, "open 1", &["a1"]), opened(&clerk, "open 2", &["a2"]));
    for case in [&one, &other] {
        part(&clerk, case, "ann", Role::Reviewer);
        part(&clerk, case, "ivy", Role::Reviewer);
    }
    let not = ElementAnswer {
        answer: Established::NotEstablished,
        standard: Standard::MoreLikelyThanNot,
        evidence: BTreeSet::new(),
        reasons: Digest::of("no"),
    };
    let elements: BTreeMap<_, _> = ["E1", "E2", "E3", "E4", "E5"].map(|id| (id.parse().unwrap(), not.clone())).into();
    let determination = review::act::Determination { elements, view: Digest::of("view"), supersedes: None };
    must(&clerk, "ivy", &other, "determined", Act::Determine(determination));
    let done = block_on(clerk.merge(&sent("ann", "merge"), &one, &other)).unwrap();
    assert!(!done.before && block_on(clerk.merge(&sent("ann", "merge"), &one, &other)).unwrap().before);
    assert_eq!(phase(&clerk, &other), Phase::Merged(one.clone()));
    let file = block_on(clerk.look(&Sender::System, &one, "a test", MIDNIGHT)).unwrap();
    assert_eq!(file.case.accounts, accounts(&["a1", "a2"]));
    let ivy = &file.case.parts[&"ivy".parse().unwrap()];
    assert!(ivy.hands.contains(&review::act::Hand::Determined), "what Ivy did there stands against her here");
    // The workload of the other is under review in this one.
    let again = block_on(clerk.open_case(&sent("tribune", "open 3"), &law(), opening(&["a2"])));
    assert_eq!(rule(again), Rule::OneCase);
    assert!(matches!(block_on(clerk.merge(&sent("ann", "m2"), &one, &one)), Err(Error::Refused(_))));
}

#[test]
fn counsel_from_outside_sees_the_case_they_were_asked_about_and_no_other() {
    let place = Place::new();
    let clerk = begun(&place);
    let (own, other) = (opened(&clerk, "open 1", &["a1"]), opened(&clerk, "open 2", &["a2"]));
    part(&clerk, &own, "ann", Role::Reviewer);
    part(&clerk, &own, "olga", Role::Counsel);
    let olga = Sender::Person("olga".to_owned());
    let look = |case: &CaseId, purpose: &str| block_on(clerk.look(&olga, case, purpose, MIDNIGHT));
    assert!(look(&own, "an opinion").is_ok());
    assert!(matches!(look(&other, "an opinion"), Err(Error::Denied(_))));
    assert!(matches!(look(&own, " "), Err(Error::Wrong(_))), "a look has a purpose");
    assert_eq!(block_on(clerk.cases_for("olga", MIDNIGHT)).unwrap().len(), 1);
    must(&clerk, "ann", &own, "released", Act::Release { person: "olga".parse().unwrap() });
    assert!(matches!(look(&own, "an opinion"), Err(Error::Denied(_))));
}

#[test]
fn a_case_is_erased_as_a_whole_once_it_is_over_and_the_record_still_reads() {
    let place = Place::new();
    let clerk = begun(&place);
    let case = opened(&clerk, "open", &["a1"]);
    part(&clerk, &case, "ann", Role::Reviewer);
    let papers = Papers::default();
    let note = block_on(clerk.keep(&papers, None, Some(&case), &BTreeSet::new(), b"who it was", MIDNIGHT)).unwrap();
    must(
        &clerk,
        "ann",
        &case,
        "contact",
        Act::NoteContact { from: review::act::Contact::Sales, with: "ann".parse().unwrap(), about: note },
    );
    let two: BTreeSet<String> = ["ben".to_owned(), "cleo".to_owned()].into();
    let erase = |by: &BTreeSet<String>| {
        block_on(clerk.erase(by, &[Erase::Case(case.clone())], Digest::of("asked for"), MIDNIGHT))
    };
    assert!(matches!(erase(&two), Err(Error::Wrong(_))), "it is open");
    let closing = Closing { remedy: note, consulted: note, lesson: note, declared_use: None };
    must(&clerk, "ann", &case, "close", Act::Close(closing));
    assert!(matches!(erase(&["ann".to_owned(), "ben".to_owned()].into()), Err(Error::Denied(_))));
    assert!(erase(&["ben".to_owned()].into()).is_err(), "one is not two");
    erase(&two).unwrap();
    let gone = block_on(clerk.look(&Sender::System, &case, "a test", MIDNIGHT));
    assert!(matches!(gone, Err(Error::Erased(_))));
    assert!(block_on(clerk.record().ciphertext(note)).unwrap().is_none());
    assert!(block_on(clerk.cases()).unwrap().is_empty());
    block_on(clerk.counts(2026)).unwrap();
    block_on(clerk.record().verify(None)).unwrap();
    let due = block_on(clerk.due(0, 0, None)).unwrap();
    assert!(due.entries.iter().all(|entry| matches!(entry, Entry::Erasure { .. })) && due.entries.len() >= 5);
}

#[test]
fn with_a_report_go_its_files_and_the_sealed_name() {
    let place = Place::new();
    let clerk = begun(&place);
    let papers = Papers { recovery: vec![Identity::generate().to_public()], ..Papers::default() };
    let files: &[(&str, &[u8])] = &[("one", b"1"), ("two", b"2")];
    let reporting = Reporting {
        channel: Channel::Named,
        who: Some("Robin, of the second floor"),
        keep_from: &BTreeSet::new(),
        sending: Sending { text: "I saw it.", files },
    };
    let keys = block_on(clerk.receive(&papers, reporting, MIDNIGHT)).unwrap().keys().unwrap();
    let more = Sending { text: "And this.", files: &files[..1] };
    block_on(clerk.receive_more(&papers, &keys, Purpose::Add, more, MIDNIGHT)).unwrap();
    assert_eq!(block_on(clerk.mailbox(&keys)).unwrap().waiting, 2, "found by how their keys begin");
    assert_eq!(block_on(clerk.drain(MIDNIGHT.plus_days(1))).unwrap().0, 2);
    let (_, events) = block_on(clerk.look_at_report("ina", &keys.report, "triage", MIDNIGHT)).unwrap();
    let mut texts = BTreeSet::new();
    for event in events {
        if let Deed::Receive { text, parts, .. } | Deed::Add { text, parts } = event.deed {
            texts.insert(text);
            texts.extend(parts);
        }
    }
    let kept = || texts.iter().filter(|text| block_on(clerk.record().ciphertext(**text)).unwrap().is_some()).count();
    assert_eq!((texts.len(), kept()), (6, 6), "two texts, three files, a name");
    let two = ["ben".to_owned(), "cleo".to_owned()].into();
    block_on(clerk.erase(&two, &[Erase::Report(keys.report.clone())], Digest::of("asked for"), MIDNIGHT)).unwrap();
    assert_eq!(kept(), 0);
    block_on(clerk.record().verify(None)).unwrap();
}

#[test]
fn who_keeps_a_text_in_a_case_has_a_role_that_may_and_a_customer_its_own_case() {
    let place = Place::new();
    let clerk = begun(&place);
    let (own, other) = (opened(&clerk, "open 1", &["a1"]), opened(&clerk, "open 2", &["a2"]));
    part(&clerk, &own, "ann", Role::Reviewer);
    part(&clerk, &own, "olga", Role::Counsel);
    let papers = Papers::default();
    let keep = |by: &str, case: &CaseId| {
        let by = by.parse().unwrap();
        block_on(clerk.keep(&papers, Some(&by), Some(case), &BTreeSet::new(), b"a note", MIDNIGHT))
    };
    assert!(keep("ann", &own).is_ok() && keep("olga", &own).is_ok());
    for (by, case) in [("olga", &other), ("ada", &own), ("aud", &own)] {
        assert!(matches!(keep(by, case), Err(Error::Denied(_))), "{by}");
    }
    let answer = |customer: &str, case: &CaseId| {
        block_on(clerk.keep_answer(&papers, &customer.parse().unwrap(), case, b"we say nothing", MIDNIGHT))
    };
    assert!(answer("acme", &own).is_ok());
    assert!(matches!(answer("else", &own), Err(Error::Unknown(_))), "not even that it is");
    let told = block_on(clerk.enact(
        &sent("ann", "told"),
        &own,
        Act::TellEmployees { text: Digest::of("acme did it"), names_customer: false },
    ));
    assert!(matches!(told, Err(Error::Wrong(_))), "nobody but the clerk says what a text names");
}

#[test]
fn a_text_that_a_case_names_and_that_is_gone_is_told() {
    let place = Place::new();
    let clerk = begun(&place);
    let case = opened(&clerk, "open", &["a1"]);
    part(&clerk, &case, "ann", Role::Reviewer);
    let papers = Papers { recovery: vec![Identity::generate().to_public()], ..Papers::default() };
    let (by, only) = ("ann".parse().unwrap(), BTreeSet::new());
    let kept = block_on(clerk.keep(&papers, Some(&by), Some(&case), &only, b"the quarter", MIDNIGHT)).unwrap();
    let note = |id: &str, about: Digest| {
        let (from, with) = (review::act::Contact::Sales, "ann".parse().unwrap());
        block_on(clerk.enact(&sent("ann", id), &case, Act::NoteContact { from, with, about })).unwrap();
    };
    note("n1", kept);
    assert_eq!(block_on(clerk.lost_texts()).unwrap(), BTreeSet::new());
    let gone = Digest::of("kept nowhere");
    note("n2", gone);
    assert_eq!(block_on(clerk.lost_texts()).unwrap(), BTreeSet::from([(case.clone(), gone)]));
}

#[test]
fn what_is_written_in_a_report_is_encrypted_anew_when_officers_change() {
    let place = Place::new();
    let clerk = clerk(place.open(), "one");
    let (ina, otto) = (Identity::generate(), Identity::generate());
    let mut people = roster();
    let reads = |people: &mut Roster, who: &str, identity: &Identity| {
        let member = people.members.entry(who.parse().unwrap()).or_default();
        member.roles.insert(Role::IntakeOfficer);
        member.reads_with = BTreeSet::from([identity.to_public().to_string()]);
        member.identities.insert(format!("idp|{who}"));
    };
    reads(&mut people, "ina", &ina);
    block_on(clerk.set_roster("first".parse().unwrap(), MIDNIGHT, &BTreeSet::new(), &people)).unwrap();
    let papers = Papers { recovery: vec![Identity::generate().to_public()], ..Papers::default() };
    let files: &[(&str, &[u8])] = &[("one", b"1")];
    let sending = Sending { text: "I saw it.", files };
    let reporting = Reporting { channel: Channel::Anonymous, who: None, keep_from: &BTreeSet::new(), sending };
    let keys = block_on(clerk.receive(&papers, reporting, MIDNIGHT)).unwrap().keys().unwrap();
    block_on(clerk.drain(MIDNIGHT.plus_days(1))).unwrap();
    let report = &keys.report;
    block_on(clerk.answer_report(&papers, &sent("ina", "answer"), report, &ina, "Since when?", false)).unwrap();
    // Another officer comes after it.
    reads(&mut people, "otto", &otto);
    let two = BTreeSet::from(["ben".to_owned(), "cleo".to_owned()]);
    block_on(clerk.set_roster("second".parse().unwrap(), MIDNIGHT, &two, &people)).unwrap();
    let reads = |who: &str, identity: &Identity| -> Vec<String> {
        let opened = block_on(clerk.read_report(who, report, identity, "to read it", MIDNIGHT)).unwrap();
        let sheets = opened.into_iter().filter_map(|one| one.sheet);
        sheets.map(|sheet| String::from_utf8(sheet.body).unwrap()).collect()
    };
    assert_eq!((reads("otto", &otto).len(), reads("ina", &ina).len()), (0, 2));
    let shut = block_on(clerk.rewrap_report(&papers, "otto", report, &otto, MIDNIGHT)).unwrap();
    assert_eq!(shut, (0, 2), "who cannot open it gives it to nobody");
    // One who opens an answer and not the first text does not know to whose mailbox it went, and leaves it as it is.
    block_on(clerk.answer_report(&papers, &sent("ina", "more"), report, &ina, "And where?", false)).unwrap();
    assert_eq!(reads("otto", &otto), ["And where?"]);
    assert_eq!(block_on(clerk.rewrap_report(&papers, "otto", report, &otto, MIDNIGHT)).unwrap(), (0, 3));
    let done = block_on(clerk.rewrap_report(&papers, "ina", report, &ina, MIDNIGHT)).unwrap();
    assert_eq!(done, (4, 0), "three texts and a file");
    assert_eq!(reads("otto", &otto), ["I saw it.", "Since when?", "And where?"]);
    // One who left reads it no more, and who reported still reads what was answered.
    people.members.get_mut(&"ina".parse().unwrap()).unwrap().left = Some(MIDNIGHT);
    block_on(clerk.set_roster("third".parse().unwrap(), MIDNIGHT, &two, &people)).unwrap();
    assert_eq!(block_on(clerk.rewrap_report(&papers, "otto", report, &otto, MIDNIGHT)).unwrap(), (4, 0));
    let (_, events) = block_on(clerk.look_at_report("otto", report, "to see", MIDNIGHT)).unwrap();
    let Deed::Receive { text, .. } = events[0].deed else { panic!("{events:?}") };
    assert!(block_on(clerk.record().text(text, &ina)).is_err() && block_on(clerk.record().text(text, &otto)).is_ok());
    let letters = block_on(clerk.mailbox(&keys)).unwrap().letters;
    for answer in ["Since when?", "And where?"] {
        assert!(letters.iter().any(|letter| letter.text.as_deref() == Some(answer)), "{answer}: {letters:?}");
    }
}

/// Each that comes has the whole intake written anew: what strangers send in a day is bounded, and their files keep no
/// text of another's out.
#[test]
fn an_intake_that_is_full_of_files_still_takes_texts_and_is_free_again_after_the_drain() {
    let place = Place::new();
    let clerk = begun(&place);
    let papers = Papers { recovery: vec![Identity::generate().to_public()], ..Papers::default() };
    let (keep_from, large) = (BTreeSet::new(), vec![7; 1 << 20]);
    let files = [("large.bin", large.as_slice())];
    let receive = |clerk: &Clerk, files: &[(&str, &[u8])]| {
        let sending = Sending { text: "I saw it.", files };
        let reporting = Reporting { channel: Channel::Anonymous, who: None, keep_from: &keep_from, sending };
        block_on(clerk.receive(&papers, reporting, MIDNIGHT)).map(|_| ())
    };
    receive(&clerk, &files).unwrap();
    let one = block_on(clerk.record().waiting_bytes()).unwrap();
    assert!(one > 1 << 20, "{one}");
    let clerk = clerk.with_room(IntakeRoom { files: one * 5 / 2, texts: 1 << 20 });
    receive(&clerk, &files).unwrap();
    assert!(matches!(receive(&clerk, &files), Err(Error::Crowded)));
    receive(&clerk, &[]).unwrap();
    assert_eq!(block_on(clerk.drain(MIDNIGHT.plus_days(1))).unwrap().0, 3);
    assert_eq!(block_on(clerk.record().waiting_bytes()).unwrap(), 0);
    receive(&clerk, &files).unwrap();
}

#[test]
fn what_can_never_become_an_event_is_discarded_by_two_and_an_event_says_so() {
    let place = Place::new();
    let clerk = begun(&place);
    let papers = Papers { recovery: vec![Identity::generate().to_public()], ..Papers::default() };
    let keep_from = BTreeSet::new();
    let sending = Sending { text: "I saw it.", files: &[] };
    let reporting = Reporting { channel: Channel::Anonymous, who: None, keep_from: &keep_from, sending };
    let keys = block_on(clerk.receive(&papers, reporting, MIDNIGHT)).unwrap().keys().unwrap();
    // It comes too early, and waits; what is cut, and what is for a report of nobody's words, waits for nothing.
    block_on(clerk.receive_more(&papers, &keys, Purpose::AskReview, sending, MIDNIGHT)).unwrap();
    block_on(clerk.receive_more(&papers, &crate::house::keys("nobody"), Purpose::Add, sending, MIDNIGHT)).unwrap();
    block_on(clerk.record().take_in(&[Message { key: [7; 32], body: b"cut".to_vec() }])).unwrap();
    let (drained, kept_out) = block_on(clerk.drain(MIDNIGHT.plus_days(1))).unwrap();
    let for_good = kept_out.iter().filter(|kept| kept.why.is_for_good()).count();
    assert_eq!((drained, kept_out.len(), for_good), (1, 3, 2), "{kept_out:?}");
    let at = Moment(MIDNIGHT.0 + 86_400 + 3_600);
    let discard = |by: &[&str]| {
        block_on(clerk.discard(&by.iter().map(ToString::to_string).collect(), Digest::of("nobody's"), at))
    };
    assert!(matches!(discard(&["ben"]), Err(Error::Wrong(_))), "one is not two");
    assert!(matches!(discard(&["ann", "ben"]), Err(Error::Denied(_))));
    let waiting = || block_on(clerk.record().waiting(&mut chance("lots"))).unwrap().len();
    assert_eq!(waiting(), 3);
    let discarded = discard(&["ben", "cleo"]).unwrap();
    assert_eq!((discarded.count, discarded.by.len(), discarded.at), (2, 2, MIDNIGHT.plus_days(1)));
    assert_eq!(waiting(), 1, "what only came too early is there still");
    assert!(matches!(discard(&["ben", "cleo"]), Err(Error::Wrong(_))), "nothing is left to discard");
    block_on(clerk.record().verify(None)).unwrap();
}

#[test]
fn two_who_publish_at_once_publish_each_thing_once_and_one_batch_a_day() {
    let place = Place::new();
    let one = begun(&place);
    opened(&one, "open", &["a1"]);
    let folder = tempfile::tempdir().unwrap();
    let signer = || tlog::Signer::new("tribune.example/log", &[1; 32]).unwrap();
    let clerks: Vec<Clerk> = (0..3).map(|seed| clerk(place.open(), &format!("clerk {seed}"))).collect();
    let published: usize = std::thread::scope(|scope| {
        let publish = |clerk: &Clerk| {
            block_on(async {
                let mut log = PublicLog::open(clerk.record(), Files::local(folder.path()), signer()).await.unwrap();
                clerk.publish(&mut log, MIDNIGHT, true).await.unwrap()
            })
        };
        let threads: Vec<_> = clerks.iter().map(|clerk| scope.spawn(move || publish(clerk))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(published, 1, "one batch");
    let mut log = block_on(PublicLog::open(one.record(), Files::local(folder.path()), signer())).unwrap();
    assert_eq!(log.tree().size, 1);
    assert_eq!(block_on(one.publish(&mut log, MIDNIGHT, true)).unwrap(), 0);
    let tomorrow = MIDNIGHT.plus_days(1);
    assert_eq!(block_on(one.publish(&mut log, tomorrow, true)).unwrap(), 1, "a day without events has its batch too");
    assert!(matches!(block_on(one.publish_counts(2026, Moment(MIDNIGHT.0))), Err(Error::Wrong(_))));
}

/// A case's name is short enough to be met by another command's, by chance or by somebody who looks for one: it is left
/// alone, and the other case gets another name, the same each time.
#[test]
fn no_case_is_begun_a_second_time_under_the_name_of_another() {
    let (place, elsewhere) = (Place::new(), Place::new());
    let name = opened(&begun(&elsewhere), "two", &["a2"]);
    let clerk = begun(&place);
    let first = opened(&clerk, "one", &["a1"]);
    let events = block_on(clerk.record().stream(&format!("case/{first}"), 0)).unwrap();
    let body = String::from_utf8(events[0].content.as_ref().unwrap().body.clone()).unwrap();
    let (stream, body) = (format!("case/{name}"), body.replace(first.as_str(), name.as_str()).into_bytes());
    let there = store::Append { stream: stream.clone(), expected: 0, events: vec![store::New { at: MIDNIGHT, body }] };
    assert!(block_on(clerk.record().append_batch(&[there], &mut chance("there"))).unwrap().iter().all(Result::is_ok));
    let second = opened(&clerk, "two", &["a2"]);
    assert_ne!(second, name);
    assert_eq!(block_on(clerk.record().length(&stream)).unwrap(), 1);
    assert_eq!(opened(&clerk, "two", &["a2"]), second, "sent twice, it is one case");
}

#[test]
fn whoever_is_close_to_a_customer_sees_none_of_its_cases() {
    let place = Place::new();
    let clerk = clerk(place.open(), "one");
    let mut roster = roster();
    let team = AccountTeam { members: BTreeSet::from(["ivy".parse().unwrap()]), sponsor: None };
    roster.account_teams.insert("acme".parse().unwrap(), team);
    block_on(clerk.set_roster("roster".parse().unwrap(), MIDNIGHT, &BTreeSet::new(), &roster)).unwrap();
    let case = opened(&clerk, "open", &["a1"]);
    let look = |who: &str| block_on(clerk.look(&Sender::Person(who.to_owned()), &case, "to see", MIDNIGHT));
    let wanted = clerk::Wanted { on_page: 50, ..clerk::Wanted::default() };
    let listed = |who: &str| block_on(clerk.list(who, &wanted, MIDNIGHT)).unwrap().found;
    assert!(look("ann").is_ok() && matches!(look("ivy"), Err(Error::Denied(_))));
    assert_eq!((listed("ann"), listed("ivy")), (1, 0));
    assert!(matches!(block_on(clerk.cases_for("ivy", MIDNIGHT)), Err(Error::Denied(_))));
}
