//! Reports by machines through the real router over a real database; and the question to who works here.

use crate::house::{Answer, House, NOW, chance};
use crate::tipline::{everything, holds, house, post, token, words};
use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clerk::Lock;
use review::report::{Channel, Deed};
use review::words::{Digest, Moment};
use serde_json::{Value, json};

const EVENT: &str = "application/cloudevents+json";

async fn send_as(house: &House, kind: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post("/api/reports").header("host", "127.0.0.1:8402").header("content-type", kind);
    let request = request.header("user-agent", "scanner/9 (rack 14)").header("x-forwarded-for", "203.0.113.88");
    house.ask(request.body(body.into()).unwrap()).await
}

async fn send(house: &House, report: &Value) -> Answer {
    send_as(house, "application/json", report.to_string()).await
}

fn said(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("no JSON: {}", answer.text()))
}

fn notice() -> Value {
    json!({
        "schema": "tribune.dsa-notice/1",
        "id": "0d2c3f6e-9f0a-4b57-8a55-1f6f0f8b2c11",
        "explanation": "A model there ranks people by their faces.",
        "locations": ["https://models.example/rank", "account:acme-7"],
        "notifier": { "name": "Robin Example", "email": "robin@ngo.example" },
        "good_faith": true,
    })
}

fn xarf() -> Value {
    let contact = json!({ "org": "Watch Example", "contact": "desk@watch.example", "domain": "watch.example" });
    json!({
        "xarf_version": "4.2.0",
        "report_id": "550e8400-e29b-41d4-a716-446655440000",
        "timestamp": "2026-03-01T10:00:00.5Z",
        "reporter": contact,
        "sender": contact,
        "source_identifier": "192.0.2.45",
        "category": "infrastructure",
        "type": "compromised_server",
        "evidence": [{
            "content_type": "text/plain",
            "payload": STANDARD.encode("forty-two lines of a log"),
            "hash": Digest::of("forty-two lines of a log").to_string(),
        }],
        "tags": ["campaign:winter"],
        "_internal": { "analyst": "kim" },
    })
}

fn event(data: &Value) -> Value {
    json!({ "specversion": "1.0", "id": "e-1", "source": "/scanners/7", "type": "example.report", "data": data })
}

async fn waiting(house: &House) -> usize {
    house.clerk.record().waiting(&mut chance("lots")).await.unwrap().len()
}

/// With one value replaced; with none, taken out.
fn with(mut report: Value, pointer: &str, value: Option<Value>) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = report.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => drop(parent.insert(key.to_owned(), value)),
        None => drop(parent.remove(key)),
    }
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_reports_once_however_often_it_sends_and_its_words_are_told_once() {
    let (house, _) = house().await;
    let first = send(&house, &notice()).await;
    assert_eq!(first.status, 202, "{}", first.text());
    let answer = said(&first);
    let words = answer["words"].as_str().unwrap().to_owned();
    assert_eq!((answer["id"].clone(), answer["before"].clone()), (notice()["id"].clone(), json!(false)));
    assert!(words.split(' ').count() == 7 && !first.headers.contains_key("location"), "{answer}");
    assert!(!first.headers.contains_key("set-cookie"));
    let again = send(&house, &notice()).await;
    let same = with(with(answer.clone(), "/before", Some(json!(true))), "/words", Some(Value::Null));
    assert_eq!((again.status.as_u16(), said(&again)), (202, same.clone()));
    // Another server, or this one after a crash: it has nothing in memory, and still knows.
    let replica = house.replica(None).await;
    assert_eq!(said(&send(&replica, &notice()).await), same);
    assert_eq!(waiting(&house).await, 1);
    // Another body under the same id.
    let other = with(notice(), "/explanation", Some(json!("Something else.")));
    let refused = send(&house, &other).await;
    assert!(refused.status == 409 && refused.header("content-type") == "application/problem+json", "{refused:?}");
    assert!(said(&refused)["detail"].as_str().unwrap().contains("came before with another report"));
    assert_eq!(waiting(&house).await, 1);
    // The words open its mailbox.
    let mailbox = house.post("/report/mailbox", &[("words", &words)]).await;
    assert!(mailbox.text().contains("Your report came in and is stored"), "{}", mailbox.text());
    // In the record it is still found, and two days later the id alone is forgotten.
    house.clerk.drain(Moment(NOW.0 + 86_400)).await.unwrap();
    house.pass(3 * 86_400);
    assert_eq!((said(&send(&house, &notice()).await), waiting(&house).await), (same, 0));
    assert_eq!((send(&house, &with(notice(), "/id", Some(json!("another-id-of-theirs")))).await).status, 202);
    let reports = house.clerk.reports("ina", NOW).await.unwrap();
    assert!(reports.len() == 1 && reports[0].channel == Channel::Machine);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_servers_at_one_second_take_one_report_in() {
    let (house, _) = house().await;
    let (one, two, notice) = (house.replica(None).await, house.replica(None).await, notice());
    let (a, b, c, d) =
        tokio::join!(send(&house, &notice), send(&one, &notice), send(&two, &notice), send(&house, &notice));
    let answers = [a, b, c, d].map(|answer| (answer.status.as_u16(), said(&answer)));
    assert!(answers.iter().all(|(status, _)| *status == 202), "{answers:?}");
    assert_eq!(answers.iter().filter(|(_, answer)| answer["words"].is_string()).count(), 1, "{answers:?}");
    assert_eq!(waiting(&house).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_machine_sends_is_sealed_and_its_name_apart_under_two_locks() {
    let (house, officer) = house().await;
    assert_eq!(send(&house, &notice()).await.status, 202);
    assert_eq!(send(&house, &xarf()).await.status, 202);
    let withheld = with(with(notice(), "/notifier", None), "/notifier_withheld", Some(json!("directive-2011-93")));
    assert_eq!(send_as(&house, EVENT, event(&withheld).to_string()).await.status, 202);
    house.clerk.drain(Moment(NOW.0 + 86_400)).await.unwrap();
    let (mut texts, mut files, mut named) = (Vec::new(), Vec::new(), 0);
    for report in house.clerk.reports("ina", NOW).await.unwrap() {
        let read = house.clerk.read_report("ina", &report.id, &officer, "to read", NOW).await.unwrap();
        let sheet = read[0].sheet.clone().unwrap();
        texts.push(sheet.text());
        for part in &sheet.files {
            let sealed = house.clerk.record().ciphertext(*part).await.unwrap().unwrap();
            files.push(clerk::sealed::Sheet::open(&sealed, &officer, &report.id).unwrap());
        }
        let Some(identity) = sheet.identity else { continue };
        named += 1;
        // An officer's key opens no name.
        let lock = Lock::Outer(identity);
        assert!(house.clerk.open_identity("bob", &report.id, lock, &officer, "to ask", NOW).await.is_err());
    }
    texts.sort();
    assert!(texts[0].contains("without a name") && texts[1].contains("known to the two custodians"), "{texts:?}");
    assert!(texts[1].contains("- account:acme-7\n") && texts[1].contains("ranks people by their faces"));
    assert!(texts[2].starts_with("XARF 4.2.0: infrastructure/compromised_server, from 192.0.2.45"), "{texts:?}");
    assert!(texts[2].contains("campaign:winter") && texts[2].contains("the file evidence-1.plain"));
    for apart in ["Robin", "robin@", "Watch Example", "desk@", "kim", "550e8400", "0d2c3f6e", "/scanners/7", "e-1\""] {
        assert!(!texts.iter().any(|text| text.contains(apart)), "{apart}: {texts:?}");
    }
    assert_eq!(named, 2);
    assert!(files.len() == 1 && files[0].body == b"forty-two lines of a log", "{files:?}");
    let all = everything(house.folder.path());
    for secret in [
        "by their faces",
        "acme-7",
        "Robin",
        "robin@",
        "Watch Example",
        "compromised_server",
        "forty-two",
        "0d2c3f6e",
        "550e8400",
        "/scanners/7",
        "203.0.113.88",
        "scanner/9",
        "rack 14",
        "192.0.2.45",
    ] {
        assert!(!holds(&all, secret), "{secret} lies in the clear");
    }
    assert!(house.complaints.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_said_by_its_pointer_and_nothing_of_it_is_kept() {
    let (house, _) = house().await;
    let longest = json!("x".repeat(400));
    let evidence = |item: Value| Some(json!([item]));
    let cases = [
        (json!([]), ""),
        (json!({ "hello": 1 }), ""),
        (event(&notice()), "/specversion"),
        (with(notice(), "/schema", Some(json!("tribune.dsa-notice/2"))), "/schema"),
        (with(notice(), "/id", Some(json!("short"))), "/id"),
        (with(notice(), "/id", Some(json!(7))), "/id"),
        (with(notice(), "/explanation", Some(json!(" \n"))), "/explanation"),
        (with(notice(), "/locations", Some(json!([]))), "/locations"),
        (with(notice(), "/locations", Some(json!(["https://a.example", "b\u{7}"]))), "/locations/1"),
        (with(notice(), "/locations", Some(json!(["https://a.example", {}]))), "/locations/1"),
        (with(notice(), "/notifier", None), "/notifier"),
        (with(notice(), "/notifier_withheld", Some(json!("directive-2011-93"))), "/notifier"),
        (with(notice(), "/notifier_withheld", Some(json!("shy"))), "/notifier_withheld"),
        (with(notice(), "/notifier/email", Some(json!("robin"))), "/notifier/email"),
        (with(notice(), "/notifier/name", Some(longest.clone())), "/notifier/name"),
        (with(notice(), "/notifier/phone", Some(json!("1"))), "/notifier/phone"),
        (with(notice(), "/good_faith", Some(json!(false))), "/good_faith"),
        (with(xarf(), "/xarf_version", Some(json!("3"))), "/xarf_version"),
        (with(xarf(), "/report_id", Some(json!("x"))), "/report_id"),
        (with(xarf(), "/timestamp", Some(json!("yesterday"))), "/timestamp"),
        (with(xarf(), "/reporter", None), ""),
        (with(xarf(), "/sender/domain", Some(json!(""))), "/sender/domain"),
        (with(xarf(), "/category", Some(json!("other"))), "/category"),
        (with(xarf(), "/type", Some(json!("csam"))), "/evidence"),
        (
            with(xarf(), "/evidence", Some(json!(vec![json!({ "content_type": "a/b", "payload": "" }); 17]))),
            "/evidence",
        ),
        (with(xarf(), "/evidence", evidence(json!({ "content_type": "a/b", "payload": "?" }))), "/evidence/0/payload"),
        (
            with(
                xarf(),
                "/evidence",
                evidence(json!({ "content_type": "a/b", "payload": "QQ==", "hash": "sha256:00" })),
            ),
            "/evidence/0/hash",
        ),
    ];
    for (report, pointer) in cases {
        let answer = send(&house, &report).await;
        assert_eq!(answer.status, 400, "{report}: {}", answer.text());
        let problem = said(&answer);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
        assert!(problem["errors"][0]["detail"].as_str().unwrap().len() > 10 && answer.body.len() < 2_000, "{problem}");
    }
    for (sent, pointer) in [
        (with(event(&notice()), "/specversion", Some(json!("0.3"))), "/specversion"),
        (with(event(&notice()), "/source", Some(json!(""))), "/source"),
        (with(event(&notice()), "/data", None), "/data"),
        (with(event(&notice()), "/data_base64", Some(json!("QQ=="))), "/data_base64"),
        (with(event(&notice()), "/datacontenttype", Some(json!("text/xml"))), "/datacontenttype"),
        (with(event(&notice()), "/data/good_faith", Some(json!("yes"))), "/data/good_faith"),
        (with(event(&xarf()), "/data/sender/contact", Some(json!("a b@c"))), "/data/sender/contact"),
    ] {
        let answer = send_as(&house, EVENT, sent.to_string()).await;
        assert_eq!((answer.status.as_u16(), said(&answer)["errors"][0]["pointer"].clone()), (400, json!(pointer)));
    }
    let deep = "[".repeat(100_000);
    for broken in ["", "{", "\u{feff}{}", deep.as_str(), "{\"schema\":\"\\ud800\"}"] {
        let answer = send_as(&house, "application/json", broken.to_owned()).await;
        assert!(answer.status == 400 && answer.text().contains("it is no JSON"), "{}", answer.text());
    }
    assert_eq!(send_as(&house, "application/json", vec![0xff, 0xfe]).await.status, 400);
    assert_eq!(send_as(&house, "application/json", vec![b' '; 18 << 20]).await.status, 413);
    for kind in ["", "text/plain", "application/x-www-form-urlencoded", "application/cloudevents-batch+json"] {
        let answer = send_as(&house, kind, notice().to_string()).await;
        assert!(answer.status == 415 && answer.header("content-type") == "application/problem+json", "{kind}");
    }
    // What never comes to it is told to machines, too, and not as a page.
    for request in [
        Request::get("/api/reports").header("host", "127.0.0.1:8402"),
        Request::post("/api/reports").header("host", "other.example"),
        Request::post("/api/other").header("host", "127.0.0.1:8402"),
    ] {
        let answer = house.ask(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.header("content-type"), "application/problem+json", "{}", answer.text());
        assert_eq!(said(&answer)["status"], answer.status.as_u16());
    }
    assert_eq!(waiting(&house).await, 0);
    // What was refused takes no id.
    assert_eq!(send(&house, &notice()).await.status, 202);
    assert!(house.complaints.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_published_schema_and_the_tip_line_take_the_same_notices() {
    let Some(python) = std::env::var_os("TRIBUNE_PYTHON") else {
        println!("skipped: TRIBUNE_PYTHON does not name a Python with jsonschema");
        return;
    };
    let (house, _) = house().await;
    let withheld = with(with(notice(), "/notifier", None), "/notifier_withheld", Some(json!("directive-2011-93")));
    let mut examples = vec![notice(), withheld.clone(), with(notice(), "/id", Some(json!("urn:example:notice:77")))];
    let wrong = [
        ("/schema", Some(json!("other/1"))),
        ("/schema", None),
        ("/id", Some(json!("has spaces in its text"))),
        ("/explanation", Some(json!("\n"))),
        ("/explanation", Some(json!("x".repeat(50_001)))),
        ("/locations", Some(json!(vec!["https://a.example"; 101]))),
        ("/locations", Some(json!(["  "]))),
        ("/notifier", None),
        ("/notifier", Some(json!({ "name": "Robin" }))),
        ("/notifier/email", Some(json!("@"))),
        ("/notifier_withheld", Some(json!("directive-2011-93"))),
        ("/good_faith", Some(json!(false))),
        ("/good_faith", None),
        ("/colour", Some(json!("blue"))),
    ];
    examples.extend(wrong.into_iter().map(|(pointer, value)| with(notice(), pointer, value)));
    let mut taken = Vec::new();
    for (at, example) in examples.iter_mut().enumerate() {
        let id = example["id"].as_str().unwrap().to_owned();
        example["id"] = json!(format!("{id}{at}"));
        taken.push(send(&house, example).await.status == 202);
    }
    let file = house.folder.path().join("examples.json");
    std::fs::write(&file, serde_json::to_vec(&examples).unwrap()).unwrap();
    let schema = "../../docs/schemas/dsa-notice-1.json";
    let program = "import json,sys,jsonschema\n\
        schema=json.load(open(sys.argv[2])); jsonschema.Draft202012Validator.check_schema(schema)\n\
        held=jsonschema.Draft202012Validator(schema)\n\
        print(json.dumps([held.is_valid(one) for one in json.load(open(sys.argv[1]))]))";
    let ran = std::process::Command::new(python).args(["-c", program]).arg(file).arg(schema).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let valid: Vec<bool> = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(taken, valid);
    assert_eq!(valid.iter().filter(|valid| **valid).count(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_works_here_is_asked_after_one_three_and_twelve_months_and_others_never() {
    let (house, officer) = house().await;
    let mut receipts = Vec::new();
    for channel in ["employee", "anonymous"] {
        let token = token(&house).await;
        let fields = [("token", token.as_str()), ("text", "A report."), ("channel", channel)];
        receipts.push(words(&post(&house, "/report/new", &fields, &[]).await));
    }
    let look = async |words: &str| house.post("/report/mailbox", &[("words", words)]).await.text();
    for (days, asked, last) in [
        (1, 0, ""),
        (30, 0, ""),
        (33, 0, ""),
        (34, 1, "A month ago you reported something here"),
        (35, 1, "A month ago"),
        (95, 2, "months ago you reported something here"),
        (400, 3, "A year ago you reported something here"),
        (800, 3, "You will not be asked again"),
    ] {
        house.clerk.drain(Moment(NOW.0 + days * 86_400 + 7_000)).await.unwrap();
        let text = look(&receipts[0]).await;
        assert_eq!(text.matches("Has anybody made you suffer for it").count(), asked, "{days}: {text}");
        assert!(text.contains(last), "{days}: {text}");
        assert!(!look(&receipts[1]).await.contains("made you suffer"), "{days}");
    }
    let arabic = house.post("/report/mailbox?lang=ar", &[("words", &receipts[0])]).await.text();
    assert!(arabic.contains("قبل شهر") && arabic.contains("قبل سنة"), "{arabic}");
    // Each is dated by the day, by Tribune itself.
    for report in house.clerk.reports("ina", NOW).await.unwrap() {
        let read = house.clerk.read_report("ina", &report.id, &officer, "to read", NOW).await.unwrap();
        let asked = read.iter().filter(|opened| matches!(opened.event.deed, Deed::CheckIn { .. }));
        let days: Vec<String> = asked.map(|opened| opened.event.at.to_string()).collect();
        let due = ["2026-04-05T00:00:00Z", "2026-06-05T00:00:00Z", "2027-04-06T00:00:00Z"].map(str::to_owned);
        assert_eq!(days, if report.channel == Channel::Employee { due.to_vec() } else { Vec::new() });
    }
}

/// A text of many small values would take a hundred times its bytes: it is counted before it is read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_of_a_million_parts_is_refused_unread() {
    let (house, _) = crate::tipline::house().await;
    let many = format!("[{}]", vec!["{\"\":0}"; 500_000].join(","));
    let answer = send_as(&house, "application/json", many).await;
    assert!(answer.status.is_client_error() && answer.text().contains("parts"), "{} {}", answer.status, answer.text());
}
