//! Serving a router over HTTP/1.1 and HTTP/2, with bounds on what a connection may take: what axum's own loop leaves
//! open. Without TLS: that ends before it.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt as _;
use tower::service_fn;

/// Who opened the connection that a request came by; every request has it as an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// What connections may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many at once; more wait.
    pub connections: usize,
    /// How long the head of a request may take, and how long a connection may be idle.
    pub head: Duration,
    /// How many bytes the head of a request has.
    pub head_bytes: usize,
    /// How long to wait for requests under way when it ends.
    pub ending: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let (head, ending) = (Duration::from_secs(60), Duration::from_secs(10));
        Self { connections: 10_000, head, head_bytes: 64 * 1024, ending }
    }
}

/// Serves until `ended`, then lets what is under way finish.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, ended: impl Future<Output = ()>) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(limits.head_bytes);
    builder.http2().timer(TokioTimer::new()).max_header_list_size(limits.head_bytes as u32);
    let (builder, graceful) = (Arc::new(builder), GracefulShutdown::new());
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut ended = std::pin::pin!(ended);
    loop {
        let next = accepted(&listener, &places);
        tokio::select! {
            biased;
            () = &mut ended => break,
            (stream, peer, place) = next => {
                let task = connection(Arc::clone(&builder), graceful.watcher(), router.clone(), stream, peer, limits.head);
                tokio::spawn(async move {
                    task.await;
                    drop(place);
                });
            }
        }
    }
    drop(listener);
    drop(tokio::time::timeout(limits.ending, graceful.shutdown()).await);
}

/// The next connection, once there is a place for it.
async fn accepted(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, place),
            // One that broke off at once, or no file is left: others may go better.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// One connection to its end. Whatever breaks it off concerns only it.
async fn connection(
    builder: Arc<Builder<TokioExecutor>>,
    watcher: Watcher,
    router: Router,
    stream: TcpStream,
    peer: SocketAddr,
    patience: Duration,
) {
    // Answers are small: without this each would wait for the next.
    drop(stream.set_nodelay(true));
    let asked = Arc::new(AtomicBool::new(false));
    let asks = Arc::clone(&asked);
    let service = service_fn(move |request: Request<Incoming>| {
        asks.store(true, Ordering::Relaxed);
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        let router = router.clone();
        async move { router.oneshot(request).await.map_err(|never: Infallible| never) }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).into_owned();
    tokio::select! {
        _ = watcher.watch(connection) => {}
        () = unasked(&asked, patience) => {}
    }
}

/// Once nothing was asked for so long. Which protocol a connection speaks is told by its first bytes, and until they are
/// there no clock of a protocol runs.
async fn unasked(asked: &AtomicBool, patience: Duration) {
    tokio::time::sleep(patience).await;
    if asked.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}
