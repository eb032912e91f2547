//! How many questions a gate answers over HTTP, with `wrk` beside it on the same machine; run by hand, in release:
//!
//! ```text
//! TRIBUNE_WRK=wrk cargo test --release -p web --test it -- --ignored --nocapture a_gate_over_http
//! ```

use crate::sample::TERMS;
use crate::server::{gate, settings, snapshot};
use std::process::Command;
use std::sync::Arc;
use web::Limits;
use web::gate::{Held, router};

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
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/latency.lua"));
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
