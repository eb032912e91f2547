//! How many questions a gate answers over HTTP, with `wrk` beside it on the same machine, and how soon gates follow; run
//! by hand, in release:
//!
//! ```text
//! TRIBUNE_WRK=wrk cargo test --release -p web --test it -- --ignored --nocapture measure
//! ```

use crate::sample::{Draft, Log, TERMS, pins, signed};
use crate::server::{gate, settings, snapshot};
use gate::seal::Order;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::Instant;
use web::Limits;
use web::gate::standalone::{Config, Pauses, serve};
use web::gate::{Askers, Feed, Held, router};

const RESTRICTIONS: usize = 100_000;

#[test]
#[ignore = "a measurement: some 40 seconds, and only in release worth anything"]
fn a_gate_over_http() {
    let Some(wrk) = std::env::var_os("TRIBUNE_WRK") else {
        println!("skipped: TRIBUNE_WRK names no wrk");
        return;
    };
    let lines: Vec<String> =
        (0..RESTRICTIONS).map(|number| format!("acme-{number:06}\tobject-storage\tnorth\twrite")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let held = Arc::new(Held::new(settings()).unwrap());
    held.swap(gate(&snapshot(1, &lines, TERMS)));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(web::serve(listener, router(held), Limits::default(), std::future::pending()));
    let of = |account: &str, more: &[&str]| {
        let mut command = Command::new(&wrk);
        command.args(["-t1", "-c32", "-d8s", "--latency", "-s"]);
        command.arg("tests/it/latency.lua");
        for header in [&format!("X-Tribune-Account: {account}"), "X-Tribune-Region: north"].iter().chain(more) {
            command.args(["-H", header]);
        }
        command.arg(format!("http://{address}/gate/check"));
        println!("{command:?}");
        println!("{}", String::from_utf8_lossy(&command.output().unwrap().stdout));
    };
    let named = ["X-Tribune-Service: object-storage", "X-Tribune-Operation: write"];
    println!("-- passes");
    of("nobody-1", &named);
    println!("-- is refused");
    of("acme-054321", &named);
    println!("-- passes, told from a request of S3");
    of(
        "nobody-1",
        &["X-Tribune-Protocol: s3", "X-Original-Method: PUT", "X-Original-URI: /bucket/key?uploadId=u&partNumber=7"],
    );
}

/// From publishing a snapshot to the last gate that answers by it, among decisions that stood before.
#[test]
#[ignore = "a measurement: some 20 seconds, and only in release worth anything"]
fn how_soon_gates_follow() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    [1, 10, 100].into_iter().for_each(|gates| runtime.block_on(follow(gates)));
}

async fn follow(gates: u16) {
    const SNAPSHOTS: u64 = 40;
    let feed = Arc::new(Feed::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/gate/snapshot", listener.local_addr().unwrap());
    tokio::spawn(web::serve(
        listener,
        Arc::clone(&feed).router(Askers::near_or(None)),
        Limits::default(),
        std::future::pending(),
    ));
    let (folder, (said, mut heard)) = (tempfile::tempdir().unwrap(), tokio::sync::mpsc::unbounded_channel());
    for number in 0..gates {
        let said = said.clone();
        let config = Config {
            fallbacks: Vec::new(),
            ceiling: None,
            snapshot: url.clone(),
            pins: pins("north-1"),
            state: folder.path().join(number.to_string()),
            token: None,
            settings: settings(),
            limits: Limits::default(),
            pauses: Pauses {
                first: Duration::from_millis(10),
                longest: Duration::from_millis(100),
                ..Pauses::default()
            },
            random: Arc::new(|| 9),
            notes: Arc::new(move |note| drop(said.send((note.to_owned(), Instant::now())))),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        tokio::spawn(serve(listener, config, std::future::pending()));
    }
    let targets: Vec<String> =
        (0..100).map(|number| format!("acme-{number:06}\tobject-storage\tnorth\twrite")).collect();
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    let drafts: Vec<Draft> = (0..100 + SNAPSHOTS)
        .map(|number| Draft::new(&format!("d{number}"), Order::Impose("read-only"), &targets, None))
        .collect();
    let logged: Vec<_> = drafts.iter().map(|draft| (draft, TERMS)).collect();
    let records = Log::new().records(&logged);
    let mut took = Vec::new();
    for sequence in 1..=SNAPSHOTS {
        let snapshot = signed(sequence, records[..100 + sequence as usize].iter().cloned());
        let (wanted, start) = (format!("answering by snapshot 1.{sequence}"), Instant::now());
        feed.publish(snapshot).unwrap();
        let mut reached = 0;
        while reached < gates {
            let (note, at) = heard.recv().await.unwrap();
            if note == wanted {
                reached += 1;
                // The first they fetch is whole, by whoever was there yet.
                took.extend((sequence > 1).then(|| at - start));
            }
        }
    }
    took.sort();
    let part = |part: f64| took[((took.len() - 1) as f64 * part) as usize].as_micros();
    println!("{gates} gates, 10,000 targets: p50 {} us, p99 {} us, longest {} us", part(0.5), part(0.99), part(1.0));
}
