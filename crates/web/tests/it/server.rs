//! A gate that listens, with what its tests restrict.

pub(crate) use crate::driver::{answered, tool};
use crate::sample::{Draft, Log, MARCH, SEED, TERMS, pins, signed};
use gate::seal::Order;
use gate::{Gate, Snapshot, Terms};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use web::Limits;
use web::gate::{Held, Settings, router};

/// What the tests restrict: writing in the north, reading everywhere, and speech.
pub(crate) const LIST: [&str; 4] = [
    "acme-1\tobject-storage\tnorth\twrite",
    "acme-2\tobject-storage\t\twrite,read,delete,export",
    "acme-1\tspeech\t\twrite",
    "acme-1\tvirtual-machines\t\twrite",
];

/// A snapshot of one decision on these targets.
pub(crate) fn snapshot(sequence: u64, targets: &[&str], terms: Terms<'_>) -> Snapshot {
    let draft = Draft::new("d1", Order::Impose("read-only"), targets, None);
    signed(sequence, Log::new().records(&[(&draft, terms)]))
}

pub(crate) fn gate(snapshot: &Snapshot) -> Arc<Gate> {
    Arc::new(Gate::load(&snapshot.bytes(), pins("north-1"), None, SEED).unwrap())
}

/// A day after the restrictions begin, so that nothing of a test depends on when it runs.
pub(crate) fn settings() -> Settings {
    let mut settings = Settings::new(Arc::new(|| MARCH + 86_400));
    settings.patience = Duration::from_millis(300);
    settings
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) client: reqwest::Client,
}

/// A gate that restricts [`LIST`].
pub(crate) async fn started() -> Server {
    with(settings(), &LIST).await
}

pub(crate) async fn with(settings: Settings, targets: &[&str]) -> Server {
    let held = Arc::new(Held::new(settings).unwrap());
    held.swap(gate(&snapshot(1, targets, TERMS)));
    serving(router(held)).await
}

pub(crate) async fn serving(router: axum::Router) -> Server {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(web::serve(listener, router, Limits::default(), std::future::pending()));
    Server { address, client: reqwest::Client::new() }
}

impl Server {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Status and body.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        answered(self.client.get(self.url(path))).await
    }

    /// JSON sent: status and body.
    pub(crate) async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> (u16, String) {
        answered(self.client.post(self.url(path)).header("content-type", "application/json").body(body)).await
    }

    /// The lines of the metrics that begin so.
    pub(crate) async fn metric(&self, start: &str) -> Vec<String> {
        let (_, text) = self.get("/metrics").await;
        text.lines().filter(|line| line.starts_with(start)).map(str::to_owned).collect()
    }

    /// What bytes on a connection of their own are answered, until it is closed or says no more.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> String {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut stream = tokio::net::TcpStream::connect(self.address).await.unwrap();
        // The answer may come, and the connection close, before all is sent.
        drop(stream.write_all(bytes).await);
        let (mut answer, mut part) = (Vec::new(), [0; 4096]);
        loop {
            match tokio::time::timeout(Duration::from_secs(2), stream.read(&mut part)).await {
                Ok(Ok(count)) if count > 0 => answer.extend_from_slice(&part[..count]),
                _ => return String::from_utf8_lossy(&answer).into_owned(),
            }
        }
    }
}
