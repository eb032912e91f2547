//! How long whole requests to the pages take with many cases, over HTTP, and what their answers weigh; run by hand, in
//! release:
//!
//! ```text
//! TRIBUNE_CASES=10000 cargo test --release -p web --test it how_long_pages_take -- --ignored --nocapture
//! ```
//!
//! It asserts nothing but that every page is shown. What the clerk takes of it is measured in `clerk`.

use crate::console::{Office, determined, open, proposed, set, unlock};
use crate::house::{House, chance};
use crate::looked::{policy, publishes};
use crate::signing::{Browser, account};
use clerk::{Sender, Sent};
use review::act::{Act, Closing};
use review::words::{Digest, Role};
use std::collections::BTreeMap;
use store::{Append, New};
use tokio::net::TcpListener;
use tokio::time::Instant;
use web::session::Who;

/// How often each is asked for.
const TIMES: usize = 200;

/// As many cases, each carried by ann as the first was, with a step done; every second one closed.
async fn crowd(office: &Office, many: usize) {
    let clerk = &office.house.clerk;
    let case = open(&office.house, "first", &["acct-first"], "Customer first").await;
    let text = Digest::of("text");
    let closing = Closing { remedy: text, consulted: text, lesson: text, declared_use: None };
    let step = Act::CompleteStep { step: "innocent-explanations".parse().unwrap(), note: text };
    let assign = Act::Assign { person: "ann".parse().unwrap(), role: Role::Reviewer };
    for act in [assign, Act::Declare { conflict: None }, step, Act::Close(closing)] {
        let id = office.house.pages.command().parse().unwrap();
        let sent = Sent { id, at: office.house.now(), by: Sender::Person("ann".to_owned()) };
        clerk.enact(&sent, &case, act).await.unwrap();
    }
    let events = clerk.record().stream(&format!("case/{case}"), 0).await.unwrap();
    let bodies: Vec<String> =
        events.iter().map(|event| String::from_utf8(event.content.as_ref().unwrap().body.clone()).unwrap()).collect();
    let mut random = chance("crowd");
    for batch in (0..many).collect::<Vec<_>>().chunks(500) {
        let appends = batch.iter().map(|number| {
            let id = format!("case-{number:07}");
            let said = |body: &String| {
                let body = body.replace(case.as_str(), &id).replace("acct-first", &format!("acct-{number:07}"));
                New {
                    at: office.house.now(),
                    body: body.replace("Customer first", &format!("Customer {number}")).into(),
                }
            };
            let take = bodies.len() - number % 2;
            Append { stream: format!("case/{id}"), expected: 0, events: bodies.iter().take(take).map(said).collect() }
        });
        let appended = clerk.record().append_batch(&appends.collect::<Vec<_>>(), &mut random).await.unwrap();
        assert!(appended.iter().all(Result::is_ok));
    }
    let started = Instant::now();
    clerk.warm().await.unwrap();
    println!("{many} cases: read from nothing in {:.1} s", started.elapsed().as_secs_f64());
}

/// Asks for a page so often, and prints a line of a table.
async fn measured(client: &reqwest::Client, office: &Office, cookies: &BTreeMap<String, String>, path: &str) {
    let cookies: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let (mut took, mut bytes) = (Vec::new(), 0);
    for _ in 0..TIMES {
        let request = client.get(format!("{}{path}", office.house.base())).header("cookie", cookies.join("; "));
        let started = Instant::now();
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        bytes = response.bytes().await.unwrap().len();
        took.push(started.elapsed().as_secs_f64() * 1e3);
    }
    took.sort_by(f64::total_cmp);
    let path = path.replace(office.case.as_str(), "CASE");
    println!("| `{path}` | {:.1}, {:.1} | {:.1} |", took[TIMES / 2], took[TIMES * 99 / 100], bytes as f64 / 1e3);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: some minutes, and only in release worth anything"]
async fn how_long_pages_take_with_many_cases() {
    let many = std::env::var("TRIBUNE_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let house = House::over(&base, None, vec![policy()], None).await;
    tokio::spawn(web::serve(listener, house.router(), web::Limits::default(), std::future::pending()));
    let mut office = Office::of(house, "Meridian Telephony Group").await;
    let customer = Who::Customer("Meridian Telephony Group".parse().unwrap());
    office.accounts.insert("meridian", account(&office.house, "meridian", customer).await);
    let corrected = publishes(&office.house).await;
    set(&office).await;
    determined(&office).await;
    let mut ann = office.at("ann").await;
    unlock(&mut ann, &office.ann).await;
    proposed(&office, &mut ann).await;
    crowd(&office, many).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    println!("| page | ms: median, 99th percentile | kB |\n|---|---:|---:|");
    let nobody = BTreeMap::new();
    for path in
        ["/", "/policies/mass-surveillance", "/log", "/statements", "/statements?service=speech&year=2025", &corrected]
    {
        measured(&client, &office, &nobody, path).await;
    }
    for path in ["/statements.json", "/transparency", "/transparency/2025", "/report", "/report/new", "/sign-in"] {
        measured(&client, &office, &nobody, path).await;
    }
    for path in
        ["/console", "/console/cases", "/console/cases?order=score&page=40", "/console/cases?mine=yes&overdue=yes"]
    {
        measured(&client, &office, &ann.cookies, path).await;
    }
    for path in ["/console/cases?search=acct-0004200", "/console/open", "/console/explore", "/me"] {
        measured(&client, &office, &ann.cookies, path).await;
    }
    for end in
        ["", "/evidence", "/proof", "/decisions", "/after", "/record", "/do/assign", "/do/determine", "/do/propose"]
    {
        measured(&client, &office, &ann.cookies, &office.page(end)).await;
    }
    for (name, path) in [("ina", "/console/reports"), ("meridian", "/customer")] {
        let mut other = Browser::new(&office.house);
        other.sign_in(&office.accounts[name]).await;
        measured(&client, &office, &other.cookies, path).await;
    }
}
