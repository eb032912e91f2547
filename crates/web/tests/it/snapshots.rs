//! Snapshots from the server to gates of their own: whole, as what changed, kept, refused, and while nobody is there.

use crate::sample::{Draft, Log, MARCH, NEW_SERVER, ROOT, TERMS, new_epoch, pins, signed};
use crate::server::{LIST, Server, answered, serving, settings, snapshot};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use gate::seal::Order;
use gate::{Snapshot, Stage, Terms, Version, time};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tower::ServiceExt as _;
use web::gate::fallback::Proxy;
use web::gate::glass::{Did, Entry};
use web::gate::standalone::{Config, Pauses, StandaloneError, serve};
use web::gate::{Askers, Ceiling, Feed, Token};
use web::{Limits, Peer};

const AT: &str = "/gate/snapshot";

async fn server(feed: &Arc<Feed>) -> Server {
    serving(Arc::clone(feed).router(Askers::near_or(None))).await
}

#[tokio::test]
async fn a_snapshot_is_handed_out_whole_or_as_what_changed() {
    let hasty = server(&Arc::new(Feed::waiting(Duration::from_millis(1)))).await;
    assert_eq!(hasty.get(AT).await, (503, "no snapshot was published yet\n".to_owned()));
    let feed = Arc::new(Feed::default());
    let server = server(&feed).await;
    // A gate that comes before the first one waits for it.
    let waiting = tokio::spawn(server.client.get(server.url(AT)).send());
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished());
    feed.publish(snapshot(1, &LIST, TERMS)).unwrap();
    let whole = waiting.await.unwrap().unwrap();
    assert_eq!((whole.status().as_u16(), whole.headers()["etag"].to_str().unwrap()), (200, "\"1.1\""));
    assert_eq!(whole.headers()["cache-control"], "no-store");
    assert_eq!(whole.bytes().await.unwrap(), snapshot(1, &LIST, TERMS).bytes());
    let known = answered(server.client.get(server.url(AT)).header("if-none-match", "\"1.0\", \"1.1\"")).await;
    assert_eq!(known, (304, String::new()));
    let older = feed.publish(snapshot(1, &LIST[..1], TERMS)).unwrap_err();
    assert!(older.to_string().contains("1.1 is published, and 1.1 is not newer"));
    // Who waits is woken, and told what changed.
    let url = server.url("/gate/snapshot?after=1.1");
    let waiting = tokio::spawn(server.client.get(url).send());
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished());
    feed.publish(snapshot(2, &LIST, TERMS)).unwrap();
    let delta = waiting.await.unwrap().unwrap().bytes().await.unwrap();
    assert!(delta.starts_with(b"tribune delta 1\n") && delta.len() < 300, "{} bytes", delta.len());
    // A version that is not known, and one that this server has not reached, get the whole.
    for after in ["1.0", "9.9"] {
        let bytes = server.client.get(server.url(&format!("{AT}?after={after}"))).send().await.unwrap().bytes().await;
        assert!(bytes.unwrap().starts_with(b"tribune snapshot 1\n"), "{after}");
    }
    for after in ["1", "1.", "+1.1", "1.1.1", "-1.0", "99999999999999999999.1", "é", ""] {
        assert_eq!(server.get(&format!("{AT}?after={after}")).await.0, 400, "{after}");
    }
}

#[tokio::test]
async fn snapshots_and_answers_are_for_who_has_the_token() {
    let feed = Arc::new(Feed::default());
    feed.publish(snapshot(1, &LIST, TERMS)).unwrap();
    let token = Token::new("0123456789abcdef").unwrap();
    let held =
        Arc::new(web::gate::Held::new(web::gate::Settings { token: Some(token.clone()), ..settings() }).unwrap());
    let all = Arc::clone(&feed).router(Askers::near_or(Some(token))).merge(web::gate::router(held));
    let asked = async |path: &str, peer: &str, shown: Option<&str>| {
        let mut request = Request::get(path).body(Body::empty()).unwrap();
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
        if let Some(shown) = shown {
            request.headers_mut().insert("authorization", shown.parse().unwrap());
        }
        all.clone().oneshot(request).await.unwrap().status()
    };
    for path in [AT, "/gate/check", "/metrics", "/gate/admission", "/access/v1/evaluation"] {
        for shown in [None, Some("Bearer 0123456789abcdeF"), Some("Bearer")] {
            assert_eq!(asked(path, "192.0.2.1:1", shown).await, StatusCode::UNAUTHORIZED, "{path} {shown:?}");
        }
        assert_ne!(asked(path, "192.0.2.1:1", Some("Bearer 0123456789abcdef")).await, StatusCode::UNAUTHORIZED);
        assert_ne!(asked(path, "127.0.0.1:1", None).await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(asked("/healthz", "192.0.2.1:1", None).await, StatusCode::OK);
}

/// A gate of its own that runs.
struct Gate {
    server: Server,
    notes: Arc<Mutex<Vec<String>>>,
    end: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<Result<(), StandaloneError>>,
}

fn config(snapshots: &str, state: &Path, notes: &Arc<Mutex<Vec<String>>>) -> Config {
    let (notes, own) = (Arc::clone(notes), state.to_owned());
    Config {
        snapshot: snapshots.to_owned(),
        pins: pins("north-1"),
        state: state.to_owned(),
        token: None,
        fallbacks: Vec::new(),
        ceiling: None,
        settings: settings(),
        limits: Limits::default(),
        pauses: Pauses {
            first: Duration::from_millis(10),
            longest: Duration::from_millis(40),
            reports: Duration::from_millis(50),
        },
        random: Arc::new(|| 9),
        notes: Arc::new(move |note| {
            // What it answers by is on its disk already.
            if let Some(version) = note.strip_prefix("answering by snapshot ").filter(|version| !version.contains(','))
            {
                let kept = std::fs::read(own.join("snapshot")).unwrap_or_default();
                let kept = ::gate::Gate::load(&kept, pins("north-1"), None, 9);
                assert_eq!(kept.map(|gate| gate.version().to_string()).as_deref(), Ok(version));
            }
            notes.lock().unwrap().push(note.to_owned());
        }),
    }
}

impl Gate {
    async fn start(snapshots: &str, state: &Path) -> Self {
        let notes = Arc::default();
        Self::started(config(snapshots, state, &notes), notes).await
    }

    async fn started(config: Config, notes: Arc<Mutex<Vec<String>>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server { address: listener.local_addr().unwrap(), client: reqwest::Client::new() };
        let (end, ending) = oneshot::channel();
        let ended = tokio::spawn(serve(listener, config, async { drop(ending.await) }));
        Self { server, notes, end, ended }
    }

    /// Waits until it answers by this snapshot.
    async fn reaches(&self, version: &str) {
        let wanted = (200, format!("ready, by snapshot {version}\n"));
        for _ in 0..500 {
            if self.server.get("/readyz").await == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it never reached {version}: {:?}", self.notes.lock().unwrap());
    }

    /// Waits until it says so.
    async fn says(&self, text: &str) {
        for _ in 0..500 {
            if self.notes.lock().unwrap().iter().any(|note| note.contains(text)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it never said {text:?}: {:?}", self.notes.lock().unwrap());
    }

    async fn refuses(&self, account: &str) -> bool {
        let headers =
            [("service", "object-storage"), ("operation", "write"), ("region", "north"), ("account", account)];
        let request = self.server.client.get(self.server.url("/gate/check"));
        let request = headers.iter().fold(request, |request, (k, v)| request.header(format!("x-tribune-{k}"), *v));
        request.send().await.unwrap().status() == 403
    }

    async fn end(self) {
        self.end.send(()).unwrap();
        self.ended.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_gate_follows_the_server_and_goes_on_without_it_across_restarts() {
    let (feed, state) = (Arc::new(Feed::waiting(Duration::from_millis(50))), tempfile::tempdir().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{AT}", listener.local_addr().unwrap());
    let limits = Limits { ending: Duration::ZERO, ..Limits::default() };
    let serving =
        web::serve(listener, Arc::clone(&feed).router(Askers::near_or(None)), limits, async { drop(stopped.await) });
    let serving = tokio::spawn(serving);
    let gate = Gate::start(&url, state.path()).await;
    gate.says("it answered 503").await;
    assert_eq!(gate.server.get("/readyz").await.0, 503);
    feed.publish(snapshot(1, &LIST, TERMS)).unwrap();
    gate.reaches("1.1").await;
    assert!(gate.refuses("acme-1").await && !gate.refuses("acme-3").await);
    // Lifted: what changed comes as a delta.
    let impose = Draft::new("d1", Order::Impose("read-only"), &LIST, None);
    let lift = Draft::new("d2", Order::Lift("d1"), &[], None);
    feed.publish(signed(2, Log::new().records(&[(&impose, TERMS), (&lift, TERMS)]))).unwrap();
    gate.reaches("1.2").await;
    assert!(!gate.refuses("acme-1").await);
    // Another decision restricts again; then the server is gone.
    let other = Draft::new("d3", Order::Impose("read-only"), &LIST[..1], None);
    let drafts = [(&impose, TERMS), (&lift, TERMS), (&other, TERMS)];
    feed.publish(signed(3, Log::new().records(&drafts))).unwrap();
    gate.reaches("1.3").await;
    stop.send(()).unwrap();
    drop(feed);
    serving.await.unwrap();
    assert!(gate.refuses("acme-1").await && !gate.refuses("acme-2").await);
    gate.end().await;
    let gate = Gate::start(&url, state.path()).await;
    gate.reaches("1.3").await;
    gate.says("going on with what is held").await;
    assert!(gate.refuses("acme-1").await && !gate.refuses("acme-2").await);
    // No other gate keeps its snapshot in the same folder.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = serve(listener, config(&url, state.path(), &Arc::default()), std::future::pending()).await;
    assert!(matches!(taken, Err(StandaloneError::Taken { .. })));
    gate.end().await;
}

/// A server that hands out whatever bytes it is given.
async fn handing(bytes: &Arc<Mutex<Vec<u8>>>) -> Server {
    let bytes = Arc::clone(bytes);
    let answer = move || {
        let bytes = bytes.lock().unwrap().clone();
        async move { bytes }
    };
    serving(Router::new().route(AT, axum::routing::get(answer))).await
}

#[tokio::test]
async fn what_is_not_believed_changes_nothing_and_is_counted() {
    let state = tempfile::tempdir().unwrap();
    let good = snapshot(5, &LIST, TERMS);
    let bytes = Arc::new(Mutex::new(good.bytes()));
    let server = handing(&bytes).await;
    let gate = Gate::start(&server.url(AT), state.path()).await;
    gate.reaches("1.5").await;
    let hand_out = |new: Vec<u8>| *bytes.lock().unwrap() = new;
    let newer = snapshot(6, &LIST[..1], TERMS);
    let mut altered = newer.bytes();
    *altered.last_mut().unwrap() ^= 1;
    let few = {
        let mut draft = Draft::new("d1", Order::Impose("read-only"), &["acme-3\tobject-storage\t\twrite"], None);
        draft.approvals.truncate(1);
        signed(6, Log::new().records(&[(&draft, TERMS)]))
    };
    for (sent, why) in [
        (snapshot(4, &LIST, TERMS).bytes(), "1.5 is held"),
        (newer.bytes()[..900].to_vec(), "is cut at byte"),
        (altered, "refused"),
        (few.bytes(), "1 people approved it, 2 must"),
        (b"<html>".to_vec(), "begins neither as a snapshot"),
        (newer.delta_since(&snapshot(2, &LIST, TERMS)), "fetch the whole snapshot"),
    ] {
        gate.notes.lock().unwrap().clear();
        hand_out(sent);
        let refused = async || {
            let line = gate.server.metric("tribune_gate_snapshots_refused_total").await;
            line[0].rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()
        };
        let before = refused().await;
        for _ in 0..400 {
            if refused().await > before {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(refused().await > before, "{why}");
        assert!(gate.refuses("acme-1").await && !gate.refuses("acme-3").await, "{why}");
        assert_eq!(std::fs::read(state.path().join("snapshot")).unwrap(), good.bytes(), "{why}");
        // It goes on from where it was.
        let next = gate_version(&gate).await;
        assert_eq!(next, "1.5", "{why}");
    }
    // A new epoch, certified by the root, is followed at once.
    let impose = Draft::new("d1", Order::Impose("read-only"), &LIST[1..2], None);
    let epoch = Snapshot::sign(new_epoch(1, &ROOT), Log::new().records(&[(&impose, TERMS)]), &NEW_SERVER);
    assert_eq!(epoch.version(), Version { epoch: 2, sequence: 1 });
    hand_out(epoch.bytes());
    gate.reaches("2.1").await;
    assert!(!gate.refuses("acme-1").await && gate.refuses("acme-2").await);
    gate.end().await;
}

/// Waits until it holds.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..500 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

#[tokio::test]
async fn what_a_dead_gate_leaves_behind_is_what_it_last_held() {
    let (folder, now) = (tempfile::tempdir().unwrap(), Arc::new(AtomicI64::new(MARCH + 10)));
    let path = |name: &str| folder.path().join(name);
    // Over after a minute.
    let short = Terms { until: MARCH + 60, ..TERMS };
    let bytes = Arc::new(Mutex::new(snapshot(1, &LIST[..1], short).bytes()));
    let server = handing(&bytes).await;
    let clock = Arc::clone(&now);
    let start = async |fallbacks| {
        let notes = Arc::default();
        let clock = Arc::clone(&clock);
        let mut config = Config { fallbacks, ..config(&server.url(AT), &path("state"), &notes) };
        config.settings.clock = Arc::new(move || clock.load(Ordering::Relaxed));
        Gate::started(config, notes).await
    };
    let files = vec![(Proxy::Nginx, path("fallback.map")), (Proxy::Envoy, path("fallback.json"))];
    let gate = start(files.clone()).await;
    let written = async |text: &str, there: bool| {
        until(text, async || {
            let read = |name| std::fs::read_to_string(path(name)).unwrap_or_default();
            !read("fallback.map").is_empty()
                && ["fallback.map", "fallback.json"].iter().all(|name| read(name).contains(text) == there)
        })
        .await;
    };
    gate.reaches("1.1").await;
    written("acme-1", true).await;
    // What ends by itself ends there too, without a word of the server's.
    now.store(MARCH + 61, Ordering::Relaxed);
    gate.server.client.get(gate.server.url("/healthz")).send().await.unwrap();
    bytes.lock().unwrap().clear();
    *bytes.lock().unwrap() = snapshot(2, &LIST[..2], short).bytes();
    gate.reaches("1.2").await;
    written("acme-1", false).await;
    *bytes.lock().unwrap() = snapshot(3, &LIST[1..2], TERMS).bytes();
    written("acme-2", true).await;
    gate.end().await;
    // It begins again from what was kept, and cannot write everywhere: that is said, and tried again.
    for name in ["fallback.map", "fallback.json"] {
        std::fs::remove_file(path(name)).unwrap();
    }
    let gate = start([files.clone(), vec![(Proxy::Caddy, path("none/fallback.caddy"))]].concat()).await;
    written("acme-2", true).await;
    gate.says("a dead gate would leave an older fallback behind").await;
    std::fs::create_dir(path("none")).unwrap();
    until("the folder is there", async || path("none/fallback.caddy").exists()).await;
    gate.end().await;
}

#[tokio::test]
async fn a_fallback_is_written_anew_when_something_ends() {
    let (folder, now) = (tempfile::tempdir().unwrap(), Arc::new(AtomicI64::new(MARCH + 58)));
    let bytes = Arc::new(Mutex::new(snapshot(1, &LIST[..1], Terms { until: MARCH + 60, ..TERMS }).bytes()));
    let (server, notes, clock) = (handing(&bytes).await, Arc::default(), Arc::clone(&now));
    let file = folder.path().join("fallback.map");
    let mut config = config(&server.url(AT), &folder.path().join("state"), &notes);
    config.fallbacks = vec![(Proxy::Nginx, file.clone())];
    config.settings.clock = Arc::new(move || clock.load(Ordering::Relaxed));
    let gate = Gate::started(config, notes).await;
    let says = |text: &str| std::fs::read_to_string(&file).unwrap_or_default().contains(text);
    until("it is written", async || says("acme-1")).await;
    now.store(MARCH + 61, Ordering::Relaxed);
    until("it is written anew", async || says("0 lines") && !says("acme-1")).await;
    gate.end().await;
}

#[tokio::test]
async fn broken_glass_lets_pass_for_a_while_and_never_refuses() {
    let (state, now) = (tempfile::tempdir().unwrap(), Arc::new(AtomicI64::new(MARCH)));
    // Two restrictions refuse the same request.
    let twice = ["acme-1\tobject-storage\tnorth\twrite", "acme-1\tobject-storage\t\twrite,read", LIST[1]];
    let bytes = Arc::new(Mutex::new(snapshot(1, &twice, TERMS).bytes()));
    let (server, notes, clock) = (handing(&bytes).await, Arc::default(), Arc::clone(&now));
    let mut config = config(&server.url(AT), state.path(), &notes);
    config.settings.clock = Arc::new(move || clock.load(Ordering::Relaxed));
    let gate = Gate::started(config, notes).await;
    gate.reaches("1.1").await;
    let log = |until: i64, restriction: Option<&str>| {
        let did = Did::Break { until: time::text(until), restriction: restriction.map(str::to_owned) };
        let (at, by, reason) = (time::text(MARCH), "gil".to_owned(), "calls for help fail: acme".to_owned());
        Entry { at, by, reason, did }.append(state.path()).unwrap();
    };
    let healthy = async || gate.server.get("/healthz").await.1;
    assert!(gate.refuses("acme-1").await && healthy().await == "alive\n");
    // One of two that refuse: the other still does.
    log(MARCH + 60, Some("c1/d1/1"));
    gate.says("c1/d1/1 passes until 2026-03-01T00:01:00Z").await;
    assert!(gate.refuses("acme-1").await && gate.refuses("acme-2").await);
    log(MARCH + 90, Some("c1/d1/2"));
    gate.says("c1/d1/2 passes until").await;
    assert!(!gate.refuses("acme-1").await && gate.refuses("acme-2").await && !gate.refuses("acme-3").await);
    // Of the two the first ends, by itself.
    now.store(MARCH + 60, Ordering::Relaxed);
    assert!(gate.refuses("acme-1").await);
    gate.says("the glass is whole again: c1/d1/1").await;
    log(MARCH + 3_600, None);
    gate.says("all passes until").await;
    assert!(!gate.refuses("acme-1").await && !gate.refuses("acme-2").await && !gate.refuses("acme-3").await);
    // Whoever asks is told that, and not who did it and why; those who run it are alarmed.
    let text = healthy().await;
    assert!(text.contains("all passes until 2026-03-01T01:00:00Z") && !text.contains("acme") && !text.contains("gil"));
    assert_eq!(gate.server.metric("tribune_gate_glass_broken").await[0], "tribune_gate_glass_broken 2");
    let counted = gate.server.metric("tribune_gate_checks_total").await;
    let line = counted.iter().find(|line| line.contains("forward") && line.contains("broken_glass")).unwrap();
    assert!(line.ends_with(" 3"), "{line}");
    // What follows from the server changes nothing of it, nor does a restart.
    *bytes.lock().unwrap() = snapshot(2, &twice, TERMS).bytes();
    gate.reaches("1.2").await;
    assert!(!gate.refuses("acme-2").await);
    Entry { at: time::text(MARCH + 60), by: "gil".to_owned(), reason: "found it".to_owned(), did: Did::Mend }
        .append(state.path())
        .unwrap();
    gate.says("the glass is whole again: all").await;
    assert!(gate.refuses("acme-1").await && gate.refuses("acme-2").await && healthy().await == "alive\n");
    gate.end().await;
}

#[tokio::test]
async fn a_snapshot_wider_than_a_gate_may_is_not_taken_and_a_narrower_one_is() {
    let state = tempfile::tempdir().unwrap();
    let bytes = Arc::new(Mutex::new(snapshot(1, &LIST, TERMS).bytes()));
    let server = handing(&bytes).await;
    let start = async |most: usize| {
        let notes = Arc::default();
        let ceiling = Some(Ceiling::number(most).unwrap());
        Gate::started(Config { ceiling, ..config(&server.url(AT), state.path(), &notes) }, notes).await
    };
    // Four restrictions of two accounts.
    let gate = start(2).await;
    gate.reaches("1.1").await;
    let wide: Vec<&str> = LIST.into_iter().chain(["acme-3\tspeech\t\twrite"]).collect();
    *bytes.lock().unwrap() = snapshot(2, &wide, TERMS).bytes();
    gate.says("snapshot 1.2 restricts 3 accounts, more than the 2 that this gate may").await;
    let (status, text) = gate.server.get("/readyz").await;
    assert!(status == 200 && text.starts_with("ready, by snapshot 1.1\nnot taken: snapshot 1.2 restricts 3"), "{text}");
    assert_eq!(gate.server.metric("tribune_gate_too_wide").await, ["tribune_gate_too_wide 1"]);
    assert!(gate.refuses("acme-1").await && !gate.refuses("acme-3").await);
    // As wide, and only counted: that refuses nobody.
    let shadow = Terms { stage: Stage::Shadow, ..TERMS };
    *bytes.lock().unwrap() = snapshot(3, &wide, shadow).bytes();
    gate.reaches("1.3").await;
    assert_eq!(gate.server.metric("tribune_gate_too_wide").await, ["tribune_gate_too_wide 0"]);
    *bytes.lock().unwrap() = snapshot(4, &LIST, TERMS).bytes();
    gate.reaches("1.4").await;
    gate.end().await;
    // What was kept counts as well, once the bound is lower; and nothing older is believed.
    *bytes.lock().unwrap() = snapshot(3, &LIST[..1], TERMS).bytes();
    let gate = start(1).await;
    gate.says("not used: snapshot 1.4 restricts 2 accounts").await;
    gate.says("the snapshot is 1.3, and 1.4 is held").await;
    let (status, text) = gate.server.get("/readyz").await;
    assert!(status == 503 && text.contains("not taken: snapshot 1.4 restricts 2"), "{text}");
    *bytes.lock().unwrap() = snapshot(5, &LIST[..1], TERMS).bytes();
    gate.reaches("1.5").await;
    assert!(gate.refuses("acme-1").await && !gate.refuses("acme-2").await);
    gate.end().await;
}

async fn gate_version(gate: &Gate) -> String {
    let (_, text) = gate.server.get("/readyz").await;
    text.trim_end().rsplit(' ').next().unwrap().to_owned()
}

#[tokio::test]
async fn what_was_kept_and_is_not_believed_any_more_is_not_used_and_nothing_older_is() {
    let state = tempfile::tempdir().unwrap();
    let mut kept = snapshot(5, &LIST, TERMS).bytes();
    // Within the server's signature.
    kept[160] ^= 1;
    std::fs::write(state.path().join("snapshot"), kept).unwrap();
    let bytes = Arc::new(Mutex::new(snapshot(4, &LIST, TERMS).bytes()));
    let server = handing(&bytes).await;
    let gate = Gate::start(&server.url(AT), state.path()).await;
    gate.says("not believed any more, and not used").await;
    gate.says("the snapshot is 1.4, and 1.5 is held").await;
    assert_eq!(gate.server.get("/readyz").await.0, 503);
    *bytes.lock().unwrap() = snapshot(5, &LIST, TERMS).bytes();
    gate.reaches("1.5").await;
    gate.end().await;
}

#[tokio::test]
async fn a_gate_starts_only_with_an_address_that_keeps_names_to_itself() {
    let state = tempfile::tempdir().unwrap();
    for address in ["http://tribune.example/gate/snapshot", "ftp://127.0.0.1/", "here", "http://localhost.example/", ""]
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = config(address, state.path(), &Arc::default());
        let error = serve(listener, config, std::future::pending()).await.unwrap_err();
        assert!(error.to_string().contains("begins with https://"), "{address}: {error}");
    }
}

#[test]
fn pins_come_from_two_files_or_from_one() {
    let folder = tempfile::tempdir().unwrap();
    let [all, key, approvers] = ["all", "key", "approvers"].map(|name| folder.path().join(name));
    let text = pins("north-1").to_string();
    let of = |approver: bool| text.lines().filter(|line| line.starts_with("approver") == approver).collect::<Vec<_>>();
    std::fs::write(&all, &text).unwrap();
    std::fs::write(&key, of(false).join("\n")).unwrap();
    std::fs::write(&approvers, format!("tribune pins 1\n{}\n", of(true).join("\n"))).unwrap();
    let read = |one: &Path, other: &Path| web::gate::standalone::pins(one, other);
    assert_eq!(read(&all, &all).unwrap(), *pins("north-1"));
    assert_eq!(read(&key, &approvers).unwrap(), *pins("north-1"));
    let error = read(&key, &key).unwrap_err().to_string();
    assert!(error.contains("key: the pins name 0 people who approve, and 2 must"), "{error}");
    assert!(matches!(read(&folder.path().join("none"), &all), Err(StandaloneError::File { .. })));
}
