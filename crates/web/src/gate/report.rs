//! What gates tell the server: which snapshot they answer by, the digest of what they refuse by it, and how often they
//! refused. So it can be shown that what is refused is what was sealed, and nothing else.
//!
//! A report names restrictions and operations, and never a request or who sent it. A gate that cannot report goes on
//! answering; a server that hears nothing changes nothing.

use super::body::{self, PLAIN, answer};
use super::guard::{self, Askers, Token};
use super::held::Held;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::post;
use reqwest::{Client, Url};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How often a gate reports.
pub const EVERY: Duration = Duration::from_secs(60);

/// How many reports may wait for the server to take them up.
const WAITING_MAX: usize = 1024;

/// How long sending the body may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a restriction refused an operation, or would have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusals {
    /// Refused.
    pub refused: u64,
    /// Passed, and would have been refused were it not in shadow.
    pub would_refuse: u64,
}

/// By restriction (case, decision, place in the list, with slashes between) and operation.
pub type ByRestriction = BTreeMap<String, BTreeMap<String, Refusals>>;

/// What a gate tells of the time in which it answered by one snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The gate's own name, as its pins say it.
    pub gate: String,
    /// The snapshot, `EPOCH.SEQUENCE`.
    pub version: String,
    /// [`gate::Set::digest`] of what it refuses by that.
    pub enforces: String,
    /// From when on it counts, in seconds since 1970: since it answers by that snapshot.
    pub since: i64,
    /// Until when it counted.
    pub until: i64,
    /// Somebody at the gate lets pass what it would refuse.
    pub broken_glass: bool,
    /// How often it refused.
    pub refusals: ByRestriction,
}

/// Takes reports: `POST /gate/report`, of those who may ask. They come out of the other end.
pub fn intake(askers: Askers) -> (Router, mpsc::Receiver<Report>) {
    let (send, receive) = mpsc::channel(WAITING_MAX);
    let guarded = from_fn_with_state(askers, guard::only_who_may);
    (Router::new().route("/gate/report", post(take)).layer(guarded).with_state(send), receive)
}

async fn take(State(send): State<mpsc::Sender<Report>>, headers: HeaderMap, body: Body) -> Response {
    if !body::says_json(&headers) {
        return answer(StatusCode::UNSUPPORTED_MEDIA_TYPE, PLAIN, "a report is application/json\n");
    }
    let bytes = match body::read(body, PATIENCE).await {
        Ok(bytes) => bytes,
        Err(error) => return answer(error.status(), PLAIN, format!("{}\n", error.text())),
    };
    match serde_json::from_slice::<Report>(&bytes) {
        Ok(report) => match send.try_send(report) {
            Ok(()) => answer(StatusCode::ACCEPTED, PLAIN, "taken\n"),
            Err(_) => answer(StatusCode::SERVICE_UNAVAILABLE, PLAIN, "too many reports wait: send it again later\n"),
        },
        Err(error) => answer(StatusCode::BAD_REQUEST, PLAIN, format!("no report: {error}\n")),
    }
}

/// What reports for a gate, as long as it runs.
pub(super) struct Reporter {
    client: Client,
    /// None where the address of snapshots does not end in one of ours: then nobody is told.
    address: Option<Url>,
    token: Option<Token>,
    gate: String,
    held: Arc<Held>,
    every: Duration,
}

impl Reporter {
    /// For a gate that follows the snapshots at this address.
    pub(super) fn new(
        client: Client,
        snapshots: &Url,
        token: Option<Token>,
        gate: &str,
        held: Arc<Held>,
        every: Duration,
    ) -> Self {
        let beside = snapshots.path().strip_suffix("/gate/snapshot").map(|base| format!("{base}/gate/report"));
        let address = beside.map(|path| {
            let mut address = snapshots.clone();
            address.set_path(&path);
            address.set_query(None);
            address
        });
        Self { client, address, token, gate: gate.to_owned(), held, every }
    }

    /// Goes on until it is dropped. What could not be sent is in what is sent next, as long as the snapshot is the same.
    pub(super) async fn follow(self) {
        let Some(address) = &self.address else { return };
        loop {
            for report in self.held.reports(&self.gate) {
                let Ok(body) = serde_json::to_vec(&report) else { continue };
                let request = self.client.post(address.clone()).timeout(PATIENCE);
                let mut request = request.header("content-type", "application/json").body(body);
                if let Some(token) = &self.token {
                    request = request.header("authorization", token.header());
                }
                // A server that does not answer is told again.
                drop(request.send().await);
            }
            tokio::select! {
                () = self.held.answers_anew.notified() => {}
                () = tokio::time::sleep(self.every) => {}
            }
        }
    }
}
