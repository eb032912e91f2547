//! A hundred people report through a server that runs as it does in the world, each from an address of their own and with
//! a browser of their own: nothing of who they are, and none of what they said, lies anywhere afterwards.
//!
//! What the order of arrivals leaves is looked at in `clerk`; what a single report leaves, in `web`.

use crate::live::{Page, Server, Visitor};
use crate::story::Office;
use reqwest::header::{HeaderMap, HeaderValue};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;

const REPORTERS: u8 = 100;

/// What stands in every text, name of a browser or address that a reporter sends, and in nothing of ours.
const MARKS: [&str; 6] = ["building-92", "Sleuth/", "203.0.113.", "198.51.100.", "127.77.0.", "tell-tale"];

/// A reporter: an address of this machine's that is nobody else's, and what a browser and proxies tell of them.
fn reporter(base: &str, number: u8) -> Visitor {
    let headers = [
        ("user-agent", format!("Sleuth/{number} (a browser of few)")),
        ("x-forwarded-for", format!("203.0.113.{number}, 198.51.100.{number}")),
        ("x-real-ip", format!("203.0.113.{number}")),
        ("forwarded", format!("for=203.0.113.{number};by=198.51.100.{number}")),
        ("accept-language", format!("en;q=0.{number}, tell-tale")),
        ("referer", format!("{base}/report?tell-tale={number}")),
    ];
    let headers: HeaderMap = headers
        .into_iter()
        .map(|(name, value)| (name.parse().unwrap(), HeaderValue::try_from(value).unwrap()))
        .collect();
    Visitor::from(base, IpAddr::from([127, 77, 0, number]), headers)
}

/// Reports, and looks into the mailbox of it.
async fn reports(base: String, number: u8) -> Page {
    let mut reporter = reporter(&base, number);
    let token = reporter.get("/report/new").await.hidden("token");
    let text = format!("I work in building-92, at desk {number}: they keep every call.");
    let keep_from = if number == 7 { "otto" } else { "" };
    let fields =
        [("token", token.as_str()), ("text", &text), ("channel", "anonymous"), ("who", ""), ("keep-from", keep_from)];
    let receipt = reporter.send("/report/new", &fields).await;
    assert_eq!(receipt.status, 200, "{}", receipt.text);
    if number.is_multiple_of(20) {
        let mailbox = reporter.send("/report/mailbox", &[("words", &receipt.words())]).await;
        assert!(mailbox.text.contains("Your report came in"), "{}", mailbox.text);
        fails(&mut reporter, &text).await;
    }
    receipt
}

/// What goes wrong for them is told to them, and to nobody else.
async fn fails(reporter: &mut Visitor, text: &str) {
    let broken = "multipart/form-data; boundary=x";
    let half = format!("--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n{text}");
    assert_eq!(reporter.send_any("/report/new", broken, &half).await.status, 400);
    assert_eq!(reporter.send_any("/report/new", "text/plain", text).await.status, 415);
    assert_eq!(reporter.send_any("/api/reports", "application/json", &format!("{{\"{text}\"}}")).await.status, 400);
    assert_eq!(reporter.get("/report/tell-tale").await.status, 404);
    let fields = [("token", "tell-tale"), ("text", text), ("channel", "anonymous")];
    assert_eq!(reporter.send("/report/new", &fields).await.status, 422);
}

/// Everything that lies in a folder, the names of files among it.
fn everything(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        all.extend(path.file_name().unwrap().as_encoded_bytes());
        all.extend(if path.is_dir() { everything(&path) } else { std::fs::read(&path).unwrap() });
    }
    all
}

/// A copy of all of the office, as a backup takes it while the server runs.
fn backup(office: &Office, name: &str) {
    let copied = std::process::Command::new("cp").arg("-r").arg(office.path("office")).arg(office.path(name)).status();
    assert!(copied.unwrap().success());
}

fn holds(all: &[u8], text: &str) -> bool {
    let first = text.as_bytes()[0];
    let starts = all.iter().enumerate().filter(|(_, byte)| **byte == first);
    starts.into_iter().any(|(at, _)| all[at..].starts_with(text.as_bytes()))
}

/// Pairs of words that stand beside one another, whatever is between them.
fn pairs(all: &[u8], among: &BTreeSet<(String, String)>) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(all);
    let words: Vec<&str> = text.split(|sign: char| !sign.is_ascii_lowercase()).filter(|word| word.len() > 2).collect();
    let beside = words.windows(2).map(|two| (two[0].to_owned(), two[1].to_owned()));
    beside.filter(|two| among.contains(two)).collect()
}

#[test]
fn of_a_hundred_who_report_through_a_running_server_nothing_lies_anywhere() {
    let office = Office::begin("sqlite:record.db");
    let mut server = Server::start(office.command(&["serve", "--listen", "127.0.0.1:0"]), office.path("server.log"));
    let said = server.says("serving on http://");
    let base =
        format!("http://{}", said.split("http://").nth(1).unwrap().split(':').take(2).collect::<Vec<_>>().join(":"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let receipts = runtime.block_on(async {
        let all: tokio::task::JoinSet<Page> = (0..REPORTERS).map(|number| reports(base.clone(), number + 1)).collect();
        all.join_all().await
    });
    let shown: BTreeSet<String> = receipts.iter().map(Page::words).collect();
    assert_eq!(shown.len(), usize::from(REPORTERS));
    backup(&office, "backup-of-the-day");
    office.on("2026-03-02");
    let day = office.does("tribune", &["record", "day"]);
    assert!(day.contains("100 messages became events"), "{day}");
    backup(&office, "backup-of-the-next-day");
    let said = server.said();
    assert!(server.end(), "it ends well: {said}");
    // The database, the keys and the log, both backups, and what the server said.
    let all = everything(&office.path(""));
    for mark in MARKS {
        assert!(!holds(&all, mark), "{mark} lies somewhere");
    }
    let among = shown.iter().flat_map(|receipt| {
        let words: Vec<String> = receipt.split(' ').map(str::to_owned).collect();
        words.windows(2).map(|two| (two[0].clone(), two[1].clone())).collect::<Vec<_>>()
    });
    let among: BTreeSet<(String, String)> = among.collect();
    assert_eq!(pairs(&all, &among), Vec::new(), "words of a receipt lie somewhere");
    // Whoever looks so finds what is there: whom a report is kept from, and a receipt on the page that shows it.
    assert!(holds(&all, "\"otto\"") && holds(&all, "2026-03-01") && said.contains("serving on"));
    assert_eq!(pairs(receipts[0].text.replace("<li>", " ").replace("</li>", " ").as_bytes(), &among).len(), 6);
}
