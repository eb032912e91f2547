//! The kept list of cases and reports: the same as folding everything anew, whoever wrote and whatever was erased.

use std::collections::BTreeSet;
use std::sync::Arc;

use clerk::{Clerk, Erase, Line, Order, PhaseOf, Sender, Wanted};
use proptest::prelude::*;
use review::act::{Act, Closing, Contact, Determination, ElementAnswer, Established, Kind, Opening, Source};
use review::case::Phase;
use review::report::Report;
use review::waits::Awaited;
use review::words::{CaseId, Digest, PersonId, Role, Standard};
use review::{Decibans, Family};

use crate::desk::{begun, clerk, law, must, opened, opening, part, sent};
use crate::house::{House, MIDNIGHT, Place, block_on, chance, drain, message, quick_keys};

const ALL: Wanted = Wanted {
    policy: None,
    phase: None,
    awaits: None,
    mine: false,
    overdue: false,
    held: None,
    escalated: false,
    search: String::new(),
    order: Order::Due,
    page: 0,
    on_page: 1_000,
};

fn listed(clerk: &Clerk, who: &str, wanted: &Wanted) -> Vec<CaseId> {
    let listed = block_on(clerk.list(who, wanted, MIDNIGHT)).unwrap();
    listed.lines.iter().map(|line| line.id.clone()).collect()
}

/// What the list must be: every case and every report, folded anew from the record.
fn anew(clerk: &Clerk) -> (Vec<Arc<Line>>, Vec<Arc<Report>>) {
    let mut lines: Vec<_> = block_on(clerk.cases()).unwrap().iter().map(|file| Arc::new(Line::of(file))).collect();
    lines.sort_by(|a, b| a.id.cmp(&b.id));
    let mut reports = Vec::new();
    for (stream, _) in block_on(clerk.record().streams("report/")).unwrap() {
        let events = block_on(clerk.record().stream(&stream, 0)).unwrap();
        if events.iter().any(|event| event.content.is_none()) {
            continue;
        }
        reports.push(Arc::new(crate::house::report(clerk.record(), &stream["report/".len()..].parse().unwrap())));
    }
    reports.sort_by(|a, b| a.id.cmp(&b.id));
    (lines, reports)
}

/// One thing that somebody does, of those a byte can name; most of them are refused sometimes, which changes nothing.
fn step(clerk: &Clerk, house: &House, number: usize, byte: u8) {
    let cases: Vec<CaseId> = block_on(clerk.cases()).unwrap().into_iter().map(|file| file.case.id).collect();
    let case = cases.get(usize::from(byte >> 4) % cases.len().max(1)).cloned();
    let id = format!("step {number}");
    let enact = |by: &str, act: Act| {
        if let Some(case) = &case {
            drop(block_on(clerk.enact(&sent(by, &id), case, act)));
        }
    };
    let (ann, text): (PersonId, _) = ("ann".parse().unwrap(), Digest::of(&id));
    match byte & 15 {
        0..=2 => {
            drop(block_on(clerk.open_case(&sent("tribune", &id), &law(), opening(&[&format!("a{}", byte >> 4)]))));
        }
        3 | 4 => enact("ann", Act::Assign { person: ann, role: Role::Reviewer }),
        5 => enact("ann", Act::Declare { conflict: None }),
        6 => enact("ann", Act::NoteContact { from: Contact::Sales, with: ann, about: text }),
        7 => enact("ann", Act::CompleteStep { step: "facts".parse().unwrap(), note: text }),
        8 => enact("tribune", Act::NoteLeaving { finding: text }),
        9 => enact("ann", Act::FollowUp { id: id.parse().unwrap(), account: None, finding: text }),
        10 => enact("ann", Act::Release { person: ann }),
        11 => enact("ann", Act::Close(Closing { remedy: text, consulted: text, lesson: text, declared_use: None })),
        12 => {
            let two = ["ben".to_owned(), "cleo".to_owned()].into();
            if let Some(case) = case.clone() {
                drop(block_on(clerk.erase(&two, &[Erase::Case(case)], text, MIDNIGHT)));
            }
        }
        13 => {
            let envelope = house.begins(&quick_keys(number, &house.ina), &id, &[]);
            block_on(clerk.record().take_in(&[message(&envelope)])).unwrap();
            drain(clerk.record(), MIDNIGHT);
        }
        14 if cases.len() > 1 => {
            drop(block_on(clerk.merge(&sent("ann", &id), &cases[0], &cases[1])));
        }
        _ => {
            let first = cases.first().cloned().unwrap_or("x".parse().unwrap());
            drop(block_on(clerk.look(&Sender::System, &first, "a test", MIDNIGHT)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn the_kept_list_is_what_folding_anew_says_whoever_wrote(bytes in proptest::collection::vec(any::<u8>(), 10..40)) {
        let (place, house) = (Place::new(), House::new());
        let one = begun(&place);
        let other = clerk(place.open(), "other");
        for (number, byte) in bytes.into_iter().enumerate() {
            // Each writes behind the other's back, and neither is asked every time.
            step(if number % 3 == 0 { &other } else { &one }, &house, number, byte);
            if number % 4 == 1 {
                prop_assert_eq!(block_on(one.kept_lines()).unwrap(), anew(&other));
            }
        }
        let expected = anew(&one);
        prop_assert_eq!(&block_on(one.kept_lines()).unwrap(), &expected);
        prop_assert_eq!(&block_on(other.kept_lines()).unwrap(), &expected);
        // From nothing, as at a start.
        prop_assert_eq!(&block_on(clerk(place.open(), "third").kept_lines()).unwrap(), &expected);
    }
}

#[test]
fn an_erased_case_and_one_whose_law_came_from_elsewhere_are_told_as_they_are() {
    let place = Place::new();
    let (one, other) = (begun(&place), clerk(place.open(), "other"));
    assert!(listed(&one, "ann", &ALL).is_empty());
    let case = opened(&other, "open", &["a1"]);
    assert_eq!(listed(&one, "ann", &ALL), std::slice::from_ref(&case));
    part(&one, &case, "ann", Role::Reviewer);
    let text = Digest::of("text");
    must(
        &one,
        "ann",
        &case,
        "close",
        Act::Close(Closing { remedy: text, consulted: text, lesson: text, declared_use: None }),
    );
    let two = ["ben".to_owned(), "cleo".to_owned()].into();
    assert_eq!(listed(&other, "ann", &ALL), std::slice::from_ref(&case));
    block_on(one.erase(&two, &[Erase::Case(case)], text, MIDNIGHT)).unwrap();
    assert!(listed(&other, "ann", &ALL).is_empty());
}

#[test]
fn a_list_shows_what_each_case_alone_would_show() {
    let place = Place::new();
    let clerk = begun(&place);
    let (own, other) = (opened(&clerk, "open 1", &["a1"]), opened(&clerk, "open 2", &["a2"]));
    for case in [&own, &other] {
        part(&clerk, case, "ann", Role::Reviewer);
    }
    part(&clerk, &own, "olga", Role::Counsel);
    for person in ["ann", "ivy", "ben", "eve", "olga"] {
        let alone = [&own, &other]
            .into_iter()
            .filter(|case| block_on(clerk.look(&Sender::Person(person.to_owned()), case, "a test", MIDNIGHT)).is_ok());
        let alone: BTreeSet<CaseId> = alone.cloned().collect();
        assert_eq!(listed(&clerk, person, &ALL).into_iter().collect::<BTreeSet<_>>(), alone, "{person}");
    }
    assert_eq!(listed(&clerk, "olga", &ALL), [own]);
    assert!(matches!(block_on(clerk.list("zed", &ALL, MIDNIGHT)), Err(clerk::Error::Nobody(_))));
    let looks = block_on(clerk.record().stream("looks", 0)).unwrap();
    let at_the_list = looks
        .iter()
        .filter(|event| String::from_utf8_lossy(&event.content.as_ref().unwrap().body).contains("the list of cases"));
    assert_eq!(at_the_list.count(), 6, "every look at the list is in the record");
}

fn scored(clerk: &Clerk, name: &str, customer: &str, score: i32) -> CaseId {
    scored_in(clerk, name, customer, score, &[])
}

fn scored_in(clerk: &Clerk, name: &str, customer: &str, score: i32, families: &[Family]) -> CaseId {
    let law = law();
    let source = Source::Finding {
        finding: Digest::of(name),
        records: Digest::of("r"),
        score_db: Some(Decibans::from_tenths(score)),
        families: families.iter().copied().collect(),
    };
    let opening = Act::Open(Opening {
        kind: Kind::Workload,
        policy: (law.id.clone(), law.version.clone(), law.digest),
        customer: customer.parse().unwrap(),
        accounts: BTreeSet::from([name.parse().unwrap()]),
        sources: BTreeSet::from([source]),
    });
    let mut sent = sent("tribune", name);
    sent.at = MIDNIGHT.plus_days(-i64::from(score.rem_euclid(40)));
    block_on(clerk.open_case(&sent, &law, opening)).unwrap().0
}

#[test]
fn filters_search_order_and_pages_find_what_they_name() {
    let place = Place::new();
    let clerk = begun(&place);
    let all: Vec<CaseId> =
        (0..30).map(|n| scored(&clerk, &format!("acct-{n:02}"), &format!("Cust-{}", n % 3), n * 7 % 30)).collect();
    let ids = |wanted: &Wanted| listed(&clerk, "ann", wanted);
    for order in [Order::Due, Order::Score, Order::Last, Order::Opened] {
        let whole = ids(&Wanted { order, ..ALL });
        let pages: Vec<CaseId> = (0..5).flat_map(|page| ids(&Wanted { order, page, on_page: 7, ..ALL })).collect();
        assert_eq!(pages, whole, "{order:?}");
        assert_eq!(whole.iter().collect::<BTreeSet<_>>().len(), 30);
    }
    assert!(ids(&Wanted { page: usize::MAX, on_page: 50, ..ALL }).is_empty());
    let by_score = block_on(clerk.list("ann", &Wanted { order: Order::Score, ..ALL }, MIDNIGHT)).unwrap();
    assert!(by_score.lines.windows(2).all(|pair| pair[0].score >= pair[1].score) && by_score.found == 30);
    assert_eq!(by_score.policies.len(), 1);
    let search = |search: &str| ids(&Wanted { search: search.to_owned(), ..ALL });
    assert_eq!(search("ACCT-07"), [all[7].clone()]);
    assert_eq!(search("cust-1 acct-0").len(), 3);
    assert_eq!(search(all[3].as_str()), [all[3].clone()]);
    assert!(search("%").is_empty() && search("nobody").is_empty() && search(" ").len() == 30);
    part(&clerk, &all[0], "ann", Role::Reviewer);
    assert_eq!(ids(&Wanted { mine: true, ..ALL }), [all[0].clone()]);
    assert_eq!(search("ann"), [all[0].clone()]);
    assert_eq!(ids(&Wanted { awaits: Some(Awaited::People), ..ALL }).len(), 29);
    let text = Digest::of("text");
    must(
        &clerk,
        "ann",
        &all[0],
        "close",
        Act::Close(Closing { remedy: text, consulted: text, lesson: text, declared_use: None }),
    );
    assert_eq!(ids(&Wanted { phase: Some(PhaseOf::Closed), ..ALL }), [all[0].clone()]);
    assert_eq!(ids(&Wanted { phase: Some(PhaseOf::Merged), ..ALL }).len(), 0);
    assert_eq!(ids(&Wanted { policy: Some("another".to_owned()), ..ALL }).len(), 0);
    let overdue = block_on(clerk.list("ann", &Wanted { overdue: true, ..ALL }, MIDNIGHT)).unwrap();
    let late = |line: &Line| line.phase == Phase::Open && line.opened <= MIDNIGHT.plus_days(-3);
    assert!(overdue.found > 0 && overdue.lines.iter().all(|line| late(line) && line.missed(MIDNIGHT) > 0));
}

/// Looked into, nothing established, and closed.
fn cleared(clerk: &Clerk, case: &CaseId, name: &str) {
    let text = Digest::of("text");
    part(clerk, case, "ann", Role::Reviewer);
    must(clerk, "ann", case, &format!("declare {name}"), Act::Declare { conflict: None });
    let (answer, standard) = (Established::NotEstablished, Standard::ReasonableSuspicion);
    let answer = ElementAnswer { answer, standard, evidence: BTreeSet::new(), reasons: text };
    let elements = law().procedure.elements.iter().map(|one| (one.id.clone(), answer.clone())).collect();
    let determination = Determination { elements, view: text, supersedes: None };
    must(clerk, "ann", case, &format!("determine {name}"), Act::Determine(determination));
    let closing = Closing { remedy: text, consulted: text, lesson: text, declared_use: None };
    must(clerk, "ann", case, &format!("close {name}"), Act::Close(closing));
}

#[test]
fn cases_are_likened_by_the_families_that_speak_and_then_by_score() {
    use Family::{Declared, Form, Processing, Scale};
    let place = Place::new();
    let clerk = begun(&place);
    let of = |name: &str, score: i32, families: &[Family]| {
        let case = scored_in(&clerk, name, "Cust", score, families);
        cleared(&clerk, &case, name);
        case
    };
    let own = scored_in(&clerk, "own", "Cust", 10, &[Scale, Form]);
    let far = of("far", 30, &[Scale, Form]);
    let near = of("near", 12, &[Scale, Form]);
    let more = of("more", 10, &[Scale, Form, Processing]);
    of("other", 10, &[Declared]);
    of("older", 10, &[]);
    let alike = |who: &str, most| {
        let alike = block_on(clerk.cleared_like(who, &own, most, MIDNIGHT)).unwrap();
        alike.iter().map(|line| line.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(alike("ann", 9), [near.clone(), far, more]);
    assert_eq!(alike("ann", 1), [near]);
    let line = block_on(clerk.cleared_like("ann", &own, 1, MIDNIGHT)).unwrap().remove(0);
    assert_eq!(line.not_established.len(), law().procedure.elements.len());
    // People from outside are shown none of a case in which they have no part.
    assert_eq!(alike("olga", 9), Vec::<CaseId>::new());
}

#[test]
fn what_is_mine_says_whose_turn_it_is_and_what_changed_since_i_looked() {
    let place = Place::new();
    let clerk = begun(&place);
    let case = opened(&clerk, "open", &["a1"]);
    part(&clerk, &case, "ann", Role::Reviewer);
    let mine = |who: &str| block_on(clerk.mine(who, MIDNIGHT)).unwrap();
    assert!(mine("ivy").is_empty());
    let of_ann = mine("ann");
    assert!(of_ann[0].news && of_ann[0].turns.iter().any(|turn| turn.awaited == Awaited::Step));
    block_on(clerk.look(&Sender::Person("ann".to_owned()), &case, "carrying it", MIDNIGHT)).unwrap();
    assert!(!mine("ann")[0].news);
    let mut later = sent("ann", "later");
    later.at = MIDNIGHT.plus_hours(1);
    let assign = Act::Assign { person: "ben".parse().unwrap(), role: Role::Decider };
    block_on(clerk.enact(&later, &case, assign)).unwrap();
    assert!(mine("ann")[0].news);
    let of_ben = mine("ben");
    let turns: Vec<Awaited> = of_ben[0].turns.iter().map(|turn| turn.awaited).collect();
    assert_eq!(turns, [Awaited::Declaration]);
}

/// How long the list takes with many cases. Run by hand, in release; it asserts nothing:
/// `TRIBUNE_CASES=100000 cargo test --release -p clerk --test it measure_the_list -- --ignored --nocapture`
#[test]
#[ignore = "a measurement, run by hand"]
#[allow(clippy::disallowed_methods, reason = "a measurement looks at the clock")]
fn measure_the_list() {
    use std::time::Instant;
    let many = std::env::var("TRIBUNE_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let place = Place::new();
    let clerk = begun(&place);
    crowd(&clerk, many);
    let fresh = crate::desk::clerk(place.open(), "fresh");
    let started = Instant::now();
    block_on(fresh.warm()).unwrap();
    println!("{many} cases: read from nothing in {:.1} s", started.elapsed().as_secs_f64());
    let searches = [
        ("queue by due", Wanted { on_page: 50, ..ALL }),
        ("by score, a later page", Wanted { order: Order::Score, page: 40, on_page: 50, ..ALL }),
        ("mine, overdue", Wanted { mine: true, overdue: true, on_page: 50, ..ALL }),
        ("search", Wanted { search: "acct-00042".to_owned(), on_page: 50, ..ALL }),
        ("search that finds nothing", Wanted { search: "nowhere at all".to_owned(), on_page: 50, ..ALL }),
    ];
    for (name, wanted) in searches {
        measured(many, name, || drop(block_on(fresh.list("ann", &wanted, MIDNIGHT)).unwrap()));
    }
    measured(many, "today", || {
        drop(block_on(fresh.mine("ann", MIDNIGHT)).unwrap());
        block_on(fresh.lacking_people("ann", MIDNIGHT)).unwrap();
    });
    let case: CaseId = "case-0000001".parse().unwrap();
    measured(many, "similar cleared cases", || drop(block_on(fresh.cleared_like("ann", &case, 5, MIDNIGHT)).unwrap()));
    let look =
        || drop(block_on(fresh.look(&Sender::Person("ann".to_owned()), &case, "a measurement", MIDNIGHT)).unwrap());
    measured(many, "a case, folded from its stream", look);
}

/// Does something two hundred times, and prints how long it took.
#[allow(clippy::disallowed_methods, reason = "a measurement looks at the clock")]
fn measured(many: usize, name: &str, what: impl Fn()) {
    let mut took: Vec<f64> = (0..200)
        .map(|_| {
            let started = std::time::Instant::now();
            what();
            started.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    took.sort_by(f64::total_cmp);
    println!("{many} cases, {name}: median {:.1} ms, p99 {:.1} ms", took[100], took[197]);
}

/// Appends so many cases, as their events would be: each opened, carried, with a step done; every second one closed.
fn crowd(clerk: &Clerk, many: usize) {
    let case = opened(clerk, "first", &["acct-first"]);
    part(clerk, &case, "ann", Role::Reviewer);
    must(
        clerk,
        "ann",
        &case,
        "step",
        Act::CompleteStep { step: "innocent-explanations".parse().unwrap(), note: Digest::of("x") },
    );
    let text = Digest::of("text");
    must(
        clerk,
        "ann",
        &case,
        "close",
        Act::Close(Closing { remedy: text, consulted: text, lesson: text, declared_use: None }),
    );
    let events = block_on(clerk.record().stream(&format!("case/{case}"), 0)).unwrap();
    let bodies: Vec<String> =
        events.iter().map(|event| String::from_utf8(event.content.as_ref().unwrap().body.clone()).unwrap()).collect();
    let mut random = chance("crowd");
    for batch in (0..many).collect::<Vec<_>>().chunks(500) {
        let appends: Vec<store::Append> = batch
            .iter()
            .map(|number| {
                let id = format!("case-{number:07}");
                let said = |body: &String| {
                    body.replace(case.as_str(), &id).replace("acct-first", &format!("acct-{number:07}"))
                };
                let take = if number % 2 == 0 { bodies.len() } else { bodies.len() - 1 };
                let new =
                    bodies.iter().take(take).map(|body| store::New { at: MIDNIGHT, body: said(body).into_bytes() });
                store::Append { stream: format!("case/{id}"), expected: 0, events: new.collect() }
            })
            .collect();
        assert!(block_on(clerk.record().append_batch(&appends, &mut random)).unwrap().iter().all(Result::is_ok));
    }
}
