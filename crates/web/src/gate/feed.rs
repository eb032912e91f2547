//! The snapshots that a server hands out: `GET /gate/snapshot`.
//!
//! With `?after=EPOCH.SEQUENCE` it waits until there is a newer one, and answers what changed where it still knows that
//! snapshot and the change is shorter than the whole. It makes none and signs none: whoever does publishes it here.

use super::body::{PLAIN, answer, once};
use super::guard::{self, Askers};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::get;
use gate::{Snapshot, Version};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How many snapshots before the newest it knows, to lead on from.
const OLDER_MAX: usize = 16;

/// How long it waits for something newer.
const WAIT: Duration = Duration::from_secs(25);

/// What a gate asks for and is answered in.
const KIND: &str = "application/octet-stream";

/// The newest snapshot, and who waits for it.
#[derive(Debug)]
pub struct Feed {
    newest: watch::Sender<Option<Arc<Published>>>,
    /// How long who has the newest, or finds none, waits for one.
    wait: Duration,
}

#[derive(Debug)]
struct Published {
    snapshot: Arc<Snapshot>,
    whole: Bytes,
    /// The newest last.
    older: Vec<Arc<Snapshot>>,
    /// What leads on from each older one, once somebody asked; none if the whole is shorter.
    deltas: Mutex<BTreeMap<Version, Option<Bytes>>>,
}

/// A snapshot that is not newer than the one published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{published} is published, and {given} is not newer: raise the sequence, or begin a new epoch")]
pub struct NotNewer {
    /// What is.
    pub published: Version,
    /// What came.
    pub given: Version,
}

impl Default for Feed {
    fn default() -> Self {
        Self::waiting(WAIT)
    }
}

impl Feed {
    /// One at which who has the newest waits so long for a newer one.
    pub fn waiting(wait: Duration) -> Self {
        Self { newest: watch::Sender::new(None), wait }
    }

    /// Hands out this snapshot from now on, and wakes who waits.
    ///
    /// # Errors
    /// It is not newer than the one before; that stays.
    pub fn publish(&self, snapshot: Snapshot) -> Result<(), NotNewer> {
        let (given, whole) = (snapshot.version(), Bytes::from(snapshot.bytes()));
        let mut result = Ok(());
        self.newest.send_if_modified(|newest| {
            let mut older = Vec::new();
            if let Some(before) = newest {
                let published = before.snapshot.version();
                if given <= published {
                    result = Err(NotNewer { published, given });
                    return false;
                }
                older.extend(before.older.iter().skip((before.older.len() + 1).saturating_sub(OLDER_MAX)).cloned());
                older.push(Arc::clone(&before.snapshot));
            }
            let (snapshot, deltas) = (Arc::new(snapshot), Mutex::default());
            *newest = Some(Arc::new(Published { snapshot, whole, older, deltas }));
            true
        });
        result
    }

    /// Which is the newest, if there is one.
    pub fn version(&self) -> Option<Version> {
        self.newest.borrow().as_ref().map(|published| published.snapshot.version())
    }

    /// The route, for those who may ask.
    pub fn router(self: Arc<Self>, askers: Askers) -> Router {
        let guarded = from_fn_with_state(askers, guard::only_who_may);
        Router::new().route("/gate/snapshot", get(snapshot)).layer(guarded).with_state(self)
    }
}

impl Published {
    /// What leads on from a version, if that is known and shorter than the whole.
    fn since(&self, version: Version) -> Option<Bytes> {
        let older = self.older.iter().find(|older| older.version() == version)?;
        let mut deltas = self.deltas.lock().unwrap_or_else(PoisonError::into_inner);
        let delta = deltas.entry(version).or_insert_with(|| {
            let delta = self.snapshot.delta_since(older);
            (delta.len() < self.whole.len()).then(|| Bytes::from(delta))
        });
        delta.clone()
    }
}

async fn snapshot(State(feed): State<Arc<Feed>>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let after = query.split('&').find_map(|pair| pair.strip_prefix("after="));
    let after = match after.map(parsed) {
        Some(None) => return answer(StatusCode::BAD_REQUEST, PLAIN, "`after` is not EPOCH.SEQUENCE\n"),
        Some(Some(after)) => Some(after),
        None => None,
    };
    let known = once(request.headers(), header::IF_NONE_MATCH.as_str()).ok().flatten().unwrap_or_default().to_owned();
    let Some(newest) = newest(&feed, after).await else {
        return answer(StatusCode::SERVICE_UNAVAILABLE, PLAIN, "no snapshot was published yet\n");
    };
    let version = newest.snapshot.version();
    let tag = format!("\"{version}\"");
    let same = after == Some(version) || (after.is_none() && known.split(',').any(|own| own.trim() == tag));
    let mut response = if same {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let delta = after.and_then(|after| newest.since(after));
        answer(StatusCode::OK, KIND, delta.unwrap_or_else(|| newest.whole.clone()))
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// The newest, once there is one; one newer than `after`, if it comes in time. One that is older than `after` is answered at once: whoever
/// asked will say that this server went back.
async fn newest(feed: &Feed, after: Option<Version>) -> Option<Arc<Published>> {
    let mut newest = feed.newest.subscribe();
    let other = |published: &Option<Arc<Published>>| {
        published.as_ref().is_some_and(|published| Some(published.snapshot.version()) != after)
    };
    drop(tokio::time::timeout(feed.wait, newest.wait_for(other)).await);
    newest.borrow().clone()
}

fn parsed(text: &str) -> Option<Version> {
    let (epoch, sequence) = text.split_once('.')?;
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    Some(Version { epoch: number(epoch)?, sequence: number(sequence)? })
}
