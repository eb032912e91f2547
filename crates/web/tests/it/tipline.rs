//! The tip line through the real router over a real database: what is told, what is kept, and what is nowhere.

use crate::house::{Answer, BASE, House, NOW, chance, sent};
use axum::body::{Body, Bytes};
use axum::http::{Method, Request};
use review::roster::{Member, Roster};
use review::words::{Moment, Role};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::path::Path;
use store::Identity;

/// A house with two intake officers and both custodians; gives an officer's key.
pub(crate) async fn house() -> (House, Identity) {
    let house = House::new().await;
    let keys: Vec<Identity> = (0..4).map(|_| Identity::generate()).collect();
    let people = [
        ("ina", Role::IntakeOfficer),
        ("ivo", Role::IntakeOfficer),
        ("ada", Role::CustodianA),
        ("bob", Role::CustodianB),
    ];
    let mut members: std::collections::BTreeMap<_, _> = people
        .iter()
        .zip(&keys)
        .map(|((person, role), key)| {
            let reads_with = BTreeSet::from([key.to_public().to_string()]);
            let identities = BTreeSet::from([format!("idp|{person}")]);
            let member = Member { roles: [*role].into(), reads_with, identities, ..Member::default() };
            (person.parse().unwrap(), member)
        })
        .collect();
    for person in ["ben", "cleo"] {
        let identities = BTreeSet::from([format!("idp|{person}")]);
        let member = Member { roles: [Role::Decider].into(), identities, ..Member::default() };
        members.insert(person.parse().unwrap(), member);
    }
    let roster = Roster { members, ..Roster::default() };
    house.clerk.set_roster("roster".parse().unwrap(), NOW, &BTreeSet::new(), &roster).await.unwrap();
    (house, keys[0].clone())
}

const EDGE: &str = "----tribune-test";

/// A form with files, as a browser sends it.
fn parts(fields: &[(&str, &str)], files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(format!("--{EDGE}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
    }
    for (name, bytes) in files {
        let head = format!("Content-Disposition: form-data; name=\"files\"; filename=\"{name}\"");
        body.extend(format!("--{EDGE}\r\n{head}\r\nContent-Type: application/octet-stream\r\n\r\n").bytes());
        body.extend_from_slice(bytes);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{EDGE}--\r\n").bytes());
    body
}

fn multipart() -> String {
    format!("multipart/form-data; boundary={EDGE}")
}

pub(crate) async fn post(house: &House, address: &str, fields: &[(&str, &str)], files: &[(&str, &[u8])]) -> Answer {
    let body = parts(fields, files);
    let request = sent(Method::POST, address, &multipart())
        .header("content-length", body.len())
        .header("user-agent", "Sleuth/7 (secret browser)")
        .header("x-forwarded-for", "203.0.113.77");
    house.ask(request.body(Body::from(body)).unwrap()).await
}

/// The form's token, once it may be sent.
pub(crate) async fn token(house: &House) -> String {
    let token = house.get("/report/new").await.hidden("token");
    house.pass(4);
    token
}

pub(crate) fn words(answer: &Answer) -> String {
    let text = answer.text();
    let list = text.split("<ol class=\"receipt\"").nth(1).unwrap_or_else(|| panic!("no receipt in {text}"));
    let list = list.split("</ol>").next().unwrap();
    let words: Vec<_> = list.split("<li>").skip(1).map(|word| word.split('<').next().unwrap()).collect();
    assert_eq!(words.len(), 7, "{text}");
    words.join(" ")
}

async fn report(house: &House, text: &str) -> String {
    let token = token(house).await;
    let answer = post(house, "/report/new", &[("token", &token), ("text", text), ("channel", "anonymous")], &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    words(&answer)
}

/// Everything that lies in a folder.
pub(crate) fn everything(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(everything(&path)) } else { all.extend(std::fs::read(path).unwrap()) }
    }
    all
}

pub(crate) fn holds(all: &[u8], text: &str) -> bool {
    all.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_who_sent_it_and_none_of_its_words_lies_anywhere() {
    let (house, _) = house().await;
    let receipt = report(&house, "They transcribe a whole people; I sit in building 92.").await;
    let token = token(&house).await;
    let named = [
        ("token", token.as_str()),
        ("text", "another"),
        ("channel", "employee"),
        ("who", "Robin Example, robin@example.org"),
        ("keep-from", "mallory\nsales-team"),
    ];
    let answer =
        post(&house, "/report/new", &named, &[("plan.pdf", b"%PDF by Robin"), ("n.txt", b"a file's words")]).await;
    assert!(answer.text().contains("Files of this kind often carry names"), "{}", answer.text());
    let other = words(&answer);
    house.post("/report/mailbox", &[("words", &receipt)]).await;
    house.clerk.drain(Moment(NOW.0 + 86_400 * 2)).await.unwrap();
    let all = everything(house.folder.path());
    let words: Vec<&str> = receipt.split(' ').chain(other.split(' ')).filter(|word| word.len() > 5).collect();
    for secret in [
        "building 92",
        "Robin",
        "robin@",
        "a file's words",
        "plan.pdf",
        "203.0.113.77",
        "Sleuth",
        "secret browser",
        &receipt,
    ]
    .into_iter()
    .chain(words)
    {
        assert!(!holds(&all, secret), "{secret} lies in the clear");
    }
    // What must stand there does: whom it is kept from.
    assert!(holds(&all, "mallory"));
    assert!(house.complaints.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_is_answered_in_its_mailbox_and_wrong_words_find_one_of_the_same_shape() {
    let (house, officer) = house().await;
    let receipt = report(&house, "A report.").await;
    let look = async |words: &str| house.post("/report/mailbox", &[("words", words)]).await;
    let mailbox = look(&receipt).await;
    assert!(mailbox.text().contains("Your report came in and is stored"), "{}", mailbox.text());
    let wrong = look("abacus abdomen abdominal abide abiding ability ablaze").await;
    assert!(wrong.status == 200 && wrong.text().contains("Nothing is here under these words"), "{}", wrong.text());
    // Tag by tag they are the same page, but for what waits.
    let tags = |answer: &Answer| answer.text().matches("<form").count() + answer.text().matches("<section").count();
    assert_eq!((tags(&mailbox), mailbox.header("cache-control")), (tags(&wrong), wrong.header("cache-control")));
    assert!(!mailbox.headers.contains_key("set-cookie"));
    for (typed, said) in [
        ("abacus", "has 7 words and this has 1:"),
        (&receipt.replacen(' ', " qqq ", 1)[..], "this has \u{2068}8\u{2069}:"),
        ("abacus qqq abdominal abide qqq ability ablaze", "\u{2068}2, 5\u{2069}. Look how they are spelled"),
    ] {
        let answer = look(typed).await;
        assert!(
            answer.status == 422 && answer.text().contains(said) && !answer.text().contains("qqq"),
            "{}",
            answer.text()
        );
    }
    house.clerk.drain(Moment(NOW.0 + 86_400)).await.unwrap();
    let id = house.clerk.reports("ina", NOW).await.unwrap().remove(0).id.clone();
    let sent = |id: &str| clerk::Sent {
        id: id.parse().unwrap(),
        at: Moment(NOW.0 + 90_000),
        by: clerk::Sender::Person("ina".to_owned()),
    };
    let papers = &house.pages.papers;
    house.clerk.answer_report(papers, &sent("a"), &id, &officer, "Where <b>\u{202e}was it?", false).await.unwrap();
    let mailbox = look(&receipt).await;
    assert!(mailbox.text().contains("Where &#60;b&#62;[U+202E]was it?"), "{}", mailbox.text());
    assert!(!mailbox.headers.iter().any(|(_, value)| value.to_str().is_ok_and(|value| value.contains(&receipt[..8]))));

    let (token, before) =
        (mailbox.hidden("token"), house.clerk.record().waiting(&mut chance("lots")).await.unwrap().len());
    house.pass(4);
    let more = [("token", token.as_str()), ("words", &receipt), ("text", "In the north."), ("doing", "add")];
    for _ in 0..2 {
        let added = post(&house, "/report/mailbox/add", &more, &[]).await;
        assert!(added.text().contains("What you sent is stored"), "{}", added.text());
    }
    // Sent twice, it is there once.
    assert_eq!(house.clerk.record().waiting(&mut chance("lots")).await.unwrap().len(), before + 1);
    house.clerk.drain(Moment(NOW.0 + 86_400 * 3)).await.unwrap();
    let read = house.clerk.read_report("ina", &id, &officer, "to answer", Moment(NOW.0 + 86_400 * 3)).await.unwrap();
    let texts: Vec<_> = read.iter().filter_map(|opened| opened.sheet.as_ref()).map(|sheet| sheet.text()).collect();
    assert!(texts.iter().any(|text| text == "In the north."), "{texts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_sent_twice_is_one_report_with_the_same_words_and_a_forged_token_none() {
    let (house, _) = house().await;
    let token = token(&house).await;
    let fields = [("token", token.as_str()), ("text", "one"), ("channel", "anonymous")];
    let (one, two) = tokio::join!(post(&house, "/report/new", &fields, &[]), post(&house, "/report/new", &fields, &[]));
    assert_eq!(words(&one), words(&two));
    let waiting = async || house.clerk.record().waiting(&mut chance("lots")).await.unwrap().len();
    assert_eq!(waiting().await, 1);
    house.pass(3_600);
    let late = post(&house, "/report/new", &fields, &[]).await;
    assert!(late.text().contains("its words are shown no more") && !late.text().contains("class=\"receipt\""));
    for token in ["", "x", &token.replace(['a', 'b', 'c'], "d"), &"A".repeat(10_000)] {
        let fields = [("token", token), ("text", "<kept> as typed"), ("channel", "anonymous")];
        let answer = post(&house, "/report/new", &fields, &[]).await;
        let text = answer.text();
        assert!(answer.status == 422 && text.contains("&#60;kept&#62; as typed"), "{text}");
        assert!(answer.hidden("token").len() > 40 && answer.hidden("token") != token);
    }
    assert_eq!(waiting().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays() {
    let (house, _) = house().await;
    let token = token(&house).await;
    let long = "x".repeat(700_000);
    let many: String = (0..60).map(|number| format!("{number}\n")).collect();
    for (fields, files, said) in [
        (&[("text", " ")][..], &[][..], "write what you want to say"),
        (&[("text", "t"), ("channel", "other")], &[], "Choose one of these."),
        (&[("text", "t"), ("channel", "named")], &[], "You chose to report with a name: give it"),
        (&[("text", "t"), ("who", "Robin")], &[], "You chose to report without a name, and here is one"),
        (&[("text", &long)], &[], "Say it shorter, or attach it as a file"),
        (&[("text", "t"), ("keep-from", "a\u{7}b")], &[], "At most 50, one on each line"),
        (&[("text", "t"), ("keep-from", &many)], &[], "At most 50, one on each line"),
        (&[("text", "t"), ("who", "R")], &[("a.txt", &b"a"[..])], "Choose the files again"),
        (&[("text", "t")], &[("big.bin", &[7; 9 << 20][..])], "The files are more than is taken at once"),
    ] {
        let mut all = vec![("token", token.as_str())];
        all.extend(fields);
        if !fields.iter().any(|(name, _)| *name == "channel") {
            all.push(("channel", "anonymous"));
        }
        let answer = post(&house, "/report/new", &all, files).await;
        let text = answer.text();
        assert_eq!(answer.status, 422, "{said}: {}", &text[..2_000.min(text.len())]);
        assert!(text.contains(said), "{said}: {text}");
        assert!(text.contains("aria-invalid=\"true\"") || text.contains("class=\"fault\""), "{text}");
        assert!(text.len() < 1_600_000);
    }
    assert!(house.clerk.record().waiting(&mut chance("lots")).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_kept_as_it_came_and_opened_by_nobody_here() {
    let (house, officer) = house().await;
    let bomb = b"PK\x03\x04 forty-two petabytes".as_slice();
    let entities = b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>".as_slice();
    let sealed = age::encrypt(&Identity::generate().to_public(), b"for one").unwrap();
    let files = [("b.zip", bomb), ("../../e\u{202e}lmx.xml", entities), ("s.age", &sealed[..])];
    let token = token(&house).await;
    let answer =
        post(&house, "/report/new", &[("token", &token), ("text", ""), ("channel", "anonymous")], &files).await;
    assert!(answer.status == 200 && answer.text().contains("It came encrypted"), "{}", answer.text());
    assert!(answer.text().contains("[U+202E]") && !answer.text().contains('\u{202e}'), "{}", answer.text());
    house.clerk.drain(Moment(NOW.0 + 86_400)).await.unwrap();
    let id = house.clerk.reports("ina", NOW).await.unwrap().remove(0).id.clone();
    let read = house.clerk.read_report("ina", &id, &officer, "to read", NOW).await.unwrap();
    let parts = read[0].sheet.as_ref().unwrap().files.clone();
    let mut kept = Vec::new();
    for part in parts {
        let ciphertext = house.clerk.record().ciphertext(part).await.unwrap().unwrap();
        kept.push(clerk::sealed::Sheet::open(&ciphertext, &officer, &id).unwrap());
    }
    assert_eq!(kept.iter().map(|file| &file.body[..]).collect::<Vec<_>>(), [bomb, entities, &sealed]);
    assert!(kept.iter().all(|file| !file.name.as_ref().unwrap().contains('/')));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let (house, _) = house().await;
    let token = token(&house).await;
    let whole = parts(&[("token", &token), ("text", "cut"), ("channel", "anonymous")], &[("a.bin", &[1; 50_000])]);
    for end in [0, 30, 200, whole.len() / 2, whole.len() - 4] {
        let request = sent(Method::POST, "/report/new", &multipart());
        let answer = house.ask(request.body(Body::from(whole[..end].to_vec())).unwrap()).await;
        assert!(answer.status == 400 && answer.text().contains("nothing of it was kept"), "{end}: {}", answer.text());
    }
    // A connection that breaks.
    let broken = futures_of(vec![Ok(Bytes::copy_from_slice(&whole[..300])), Err(std::io::Error::other("gone"))]);
    let request = sent(Method::POST, "/report/new", &multipart()).body(Body::from_stream(broken)).unwrap();
    assert_eq!(house.ask(request).await.status, 400);
    for kind in ["multipart/form-data", "text/plain", "multipart/form-data; boundary="] {
        let request = sent(Method::POST, "/report/new", kind).body(Body::from(whole.clone())).unwrap();
        assert_eq!(house.ask(request).await.status.as_u16() / 100, 4, "{kind}");
    }
    assert!(house.clerk.record().waiting(&mut chance("lots")).await.unwrap().is_empty());
    let answer =
        post(&house, "/report/new", &[("token", &token), ("text", "whole"), ("channel", "anonymous")], &[]).await;
    assert_eq!(words(&answer).split(' ').count(), 7);
}

fn futures_of<T>(items: Vec<T>) -> impl futures::Stream<Item = T> {
    futures::stream::iter(items)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_from_another_site_is_refused_before_it_is_read() {
    let (house, _) = house().await;
    let never =
        futures::stream::poll_fn(|_| -> std::task::Poll<Option<Result<Bytes, Infallible>>> { panic!("it was read") });
    let request = Request::post("/report/new")
        .header("host", "127.0.0.1:8402")
        .header("origin", "https://evil.example")
        .header("sec-fetch-site", "cross-site")
        .header("content-type", multipart());
    let answer = house.ask(request.body(Body::from_stream(never)).unwrap()).await;
    assert!(answer.status == 403 && answer.text().contains(BASE), "{}", answer.text());
}
