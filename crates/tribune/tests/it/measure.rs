//! How soon gates refuse what was decided, through the real server; run by hand, in release:
//!
//! ```text
//! cargo test --profile demo -p tribune --test it -- --ignored --nocapture how_soon
//! ```

use crate::story::{Office, in_effect, pins, start};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;
use web::gate::Settings;
use web::gate::standalone::{Config, Pauses, serve};

/// How often the decision is brought to its last stage.
const ROUNDS: usize = 20;

/// Gates of their own, and what each says when.
struct Gates {
    addresses: Vec<String>,
    heard: UnboundedReceiver<(usize, String, Instant)>,
    client: reqwest::Client,
}

/// From the last stage, as a person brings a decision to it from the shell, to the last of 1, 10 and 100 gates that refuses:
/// the command, the record, the server that looks at it, the snapshot, fetching, verifying, swapping, keeping. What goes
/// before (approval, notice, effect) waits for people and for time, and costs a gate nothing.
#[test]
#[ignore = "a measurement: some minutes, and only in release worth anything"]
fn how_soon_gates_refuse_after_the_last_stage() {
    let office = in_effect();
    office.does("gil", &["restriction", "stage", "CASE", "d3", "--gate", "south-1"]);
    let (_server, at) = start(&office, &["serve", "--listen", "127.0.0.1:0"]);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for count in [1, 10, 100] {
        runtime.block_on(async {
            let mut gates = Gates::started(&office, &format!("http://{at}/gate/snapshot"), count).await;
            let (mut of_command, mut of_event) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                let (begun, appended, reached) = gates.stage(&office, "--all", 403).await;
                of_command.extend(reached.iter().map(|at| *at - begun));
                of_event.extend(reached.iter().map(|at| at.saturating_duration_since(appended)));
                // Back again, so that the next round has something to change.
                gates.stage(&office, "--shadow", 204).await;
            }
            println!("{count} gates: from the command {}; from its end {}", shown(of_command), shown(of_event));
        });
    }
}

impl Gates {
    async fn started(office: &Office, snapshots: &str, count: usize) -> Self {
        let (said, heard) = unbounded_channel();
        let mut addresses = Vec::new();
        for number in 0..count {
            let said = said.clone();
            let config = Config {
                snapshot: snapshots.to_owned(),
                pins: pins(office),
                state: office.path(&format!("gates-{count}/{number}")),
                token: None,
                fallbacks: Vec::new(),
                ceiling: None,
                // Late in 2026: the decision stands.
                settings: Settings::new(Arc::new(|| 1_790_000_000)),
                limits: web::Limits::default(),
                pauses: Pauses::default(),
                random: Arc::new(move || number as u64),
                notes: Arc::new(move |note| drop(said.send((number, note.to_owned(), Instant::now())))),
            };
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            addresses.push(listener.local_addr().unwrap().to_string());
            tokio::spawn(serve(listener, config, std::future::pending()));
        }
        let mut gates = Self { addresses, heard, client: reqwest::Client::new() };
        gates.all().await;
        gates
    }

    /// When each answered by another snapshot.
    async fn all(&mut self) -> Vec<Instant> {
        let mut reached = vec![None; self.addresses.len()];
        while reached.iter().any(Option::is_none) {
            let heard = tokio::time::timeout(Duration::from_secs(60), self.heard.recv()).await;
            let Ok(Some((number, note, at))) = heard else { panic!("a gate did not follow within a minute") };
            if note.starts_with("answering by snapshot") {
                reached[number] = Some(at);
            }
        }
        reached.into_iter().flatten().collect()
    }

    /// Brings the decision to a stage, and asks every gate: when the command began and ended, and when each gate followed.
    async fn stage(&mut self, office: &Office, stage: &str, answer: u16) -> (Instant, Instant, Vec<Instant>) {
        let begun = Instant::now();
        office.does("gil", &["restriction", "stage", "CASE", "d3", stage]);
        let appended = Instant::now();
        let reached = self.all().await;
        for address in &self.addresses {
            let request = self.client.get(format!("http://{address}/gate/check"));
            let asked = [("account", "a1"), ("service", "speech"), ("operation", "transcription"), ("region", "north")];
            let request = asked.iter().fold(request, |request, (k, v)| request.header(format!("x-tribune-{k}"), *v));
            assert_eq!(request.send().await.unwrap().status().as_u16(), answer, "{stage}");
        }
        (begun, appended, reached)
    }
}

fn shown(mut took: Vec<Duration>) -> String {
    took.sort();
    let part = |part: f64| took[((took.len() - 1) as f64 * part) as usize].as_millis();
    format!("p50 {} ms, p99 {} ms, longest {} ms", part(0.5), part(0.99), part(1.0))
}
