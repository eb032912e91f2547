//! A house with pages: a record on SQLite, its folder, and the real router asked without a network.

use crate::explore::{Known, Recents};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use clerk::{Clerk, Founding, Papers};
use http_body_util::BodyExt as _;
use review::words::{Digest, Moment};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use store::Record;
use tempfile::TempDir;
use tower::ServiceExt as _;
use web::pages::PolicyText;
use web::sign_in::{self, Key, ProviderSettings, SignIn};
use web::{Means, Pages, Settings};

/// 2026-03-02T00:00:00Z.
pub(crate) const NOW: Moment = Moment(1_772_409_600);

/// Where its pages are.
pub(crate) const BASE: &str = "http://127.0.0.1:8402";
pub(crate) const ONION: &str = "http://tribuneexample.onion";

/// Randomness that is the same in every run: digests of a count.
pub(crate) fn chance(seed: &str) -> impl FnMut(&mut [u8]) + Send + use<> {
    let (seed, mut count) = (seed.to_owned(), 0_u64);
    move |bytes| {
        for chunk in bytes.chunks_mut(32) {
            count += 1;
            chunk.copy_from_slice(&Digest::of(format!("{seed} {count}")).0[..chunk.len()]);
        }
    }
}

/// A record, and its pages.
pub(crate) struct House {
    pub(crate) folder: TempDir,
    pub(crate) clerk: Arc<Clerk>,
    pub(crate) pages: Arc<Pages>,
    pub(crate) sign_in: Arc<SignIn>,
    /// What the pages complained of.
    pub(crate) complaints: Arc<Mutex<Vec<String>>>,
    /// What the watch saw of cases of late.
    pub(crate) recents: Recents,
    clock: Arc<AtomicI64>,
    router: Router,
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The value of a hidden field of a form.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let text = self.text();
        let before = format!("name=\"{name}\" value=\"");
        let rest = text.split_once(&before).unwrap_or_else(|| panic!("no field {name} in {text}")).1;
        rest.split('"').next().unwrap().to_owned()
    }
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::at(BASE).await
    }

    pub(crate) async fn at(base: &str) -> Self {
        Self::over(base, None, Vec::new(), None).await
    }

    /// A house over a record elsewhere than in its folder, with policies, and a provider for signing in.
    pub(crate) async fn over(
        base: &str,
        record: Option<String>,
        policies: Vec<PolicyText>,
        provider: Option<ProviderSettings>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = format!("sqlite:{}", folder.path().join("record.db").display());
        let record = Record::open(&record.unwrap_or(own)).await.unwrap();
        let clerk = Arc::new(Clerk::new(record, chance("clerk")).unwrap());
        clerk.found(Founding { at: NOW, simulated_clock: false }).await.unwrap();
        let settings = Settings {
            provider: "Example Cloud".to_owned(),
            base: base.to_owned(),
            onion: Some(ONION.to_owned()),
            public: folder.path().join("public"),
            log_origin: "log.example/tribune".to_owned(),
            log_key: "log.example/tribune+1+key".to_owned(),
            policies,
            simulated: false,
        };
        let customers = Key::new([7; 32]).customers().map(Arc::new);
        let papers = Papers { recovery: vec![store::Identity::generate().to_public()], customers };
        let clock = Arc::new(AtomicI64::new(NOW.0));
        let complaints = Arc::new(Mutex::new(Vec::new()));
        let recents = Recents::default();
        let (ticking, heard) = (Arc::clone(&clock), Arc::clone(&complaints));
        let means = Means {
            now: Box::new(move || Moment(ticking.load(Ordering::Relaxed))),
            chance: Box::new(chance("pages")),
            complain: Box::new(move |what| heard.lock().unwrap().push(what.to_owned())),
            usage: Some(Arc::new(Known(Arc::clone(&recents)))),
        };
        let pages = Arc::new(Pages::new(Arc::clone(&clerk), papers, settings, means).unwrap());
        let sign_in = door(&clerk, base, &clock, "sign in", provider);
        let router = web::pages::router(Arc::clone(&pages), &sign_in);
        Self { folder, clerk, pages, sign_in, complaints, recents, clock, router }
    }

    /// Another server before the same record, as a replica is.
    pub(crate) async fn replica(&self, provider: Option<ProviderSettings>) -> Self {
        self.replica_at(self.base(), provider).await
    }

    /// The same at an address of its own.
    pub(crate) async fn replica_at(&self, base: &str, provider: Option<ProviderSettings>) -> Self {
        let other = Self::at(base).await;
        let record = Record::open(&format!("sqlite:{}", self.folder.path().join("record.db").display())).await;
        let clerk = Arc::new(Clerk::new(record.unwrap(), chance("replica")).unwrap());
        let sign_in = door(&clerk, base, &self.clock, "replica", provider);
        let settings = Settings { base: base.to_owned(), ..self.pages.settings.clone() };
        let ticking = Arc::clone(&self.clock);
        let means = Means {
            now: Box::new(move || Moment(ticking.load(Ordering::Relaxed))),
            chance: Box::new(chance("pages of the replica")),
            complain: Box::new(|_| {}),
            usage: Some(Arc::new(Known(Arc::clone(&self.recents)))),
        };
        let pages = Arc::new(Pages::new(Arc::clone(&clerk), self.pages.papers.clone(), settings, means).unwrap());
        let router = web::pages::router(Arc::clone(&pages), &sign_in);
        let clock = Arc::clone(&self.clock);
        Self { clerk, pages, sign_in, clock, router, ..other }
    }

    /// What answers, to be listened with.
    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    /// Where its pages are.
    pub(crate) fn base(&self) -> &str {
        &self.pages.settings.base
    }

    /// The same, as a request's `Host` has it.
    pub(crate) fn host(&self) -> &str {
        self.base().split_once("://").unwrap().1
    }

    pub(crate) fn public(&self) -> PathBuf {
        self.pages.settings.public.clone()
    }

    pub(crate) fn now(&self) -> Moment {
        Moment(self.clock.load(Ordering::Relaxed))
    }

    /// Lets seconds pass.
    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, address: &str) -> Answer {
        self.ask(Request::get(address).header("host", "127.0.0.1:8402").body(Body::empty()).unwrap()).await
    }

    /// Posts a form as a browser does from a page of ours.
    pub(crate) async fn post(&self, address: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let kind = "application/x-www-form-urlencoded";
        self.ask(sent(Method::POST, address, kind).body(Body::from(body)).unwrap()).await
    }
}

fn door(
    clerk: &Arc<Clerk>,
    base: &str,
    clock: &Arc<AtomicI64>,
    seed: &str,
    provider: Option<ProviderSettings>,
) -> Arc<SignIn> {
    let (one, other) = (Arc::clone(clock), Arc::clone(clock));
    let means = sign_in::Means {
        clock: Box::new(move || Moment(one.load(Ordering::Relaxed))),
        record_clock: Box::new(move || Moment(other.load(Ordering::Relaxed))),
        chance: Box::new(chance(seed)),
    };
    let settings = sign_in::Settings { base: base.to_owned(), key: Key::new([7; 32]), provider };
    SignIn::new(Arc::clone(clerk), settings, means).unwrap()
}

/// A request as a browser sends it from a page of ours.
pub(crate) fn sent(method: Method, address: &str, kind: &str) -> axum::http::request::Builder {
    let request = Request::builder().method(method).uri(address).header("host", "127.0.0.1:8402");
    request.header("origin", BASE).header("sec-fetch-site", "same-origin").header("content-type", kind)
}
