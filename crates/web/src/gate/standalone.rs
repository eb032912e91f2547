//! A gate of its own beside a proxy: it fetches snapshots, verifies them, keeps the last good one, and answers.
//!
//! The server is believed no more than any other bytes. While it is away the gate goes on with what it holds, across
//! restarts too; what is refused changes nothing. Time, chance and where notes go come in as closures.

use super::ceiling::{Ceiling, TooWide};
use super::fallback::{Proxy, exact_until, fallback};
use super::glass;
use super::guard::Token;
use super::held::{Held, Settings};
use super::operations::OperationsError;
use super::report::{self, Reporter};
use crate::serve::{Limits, serve as serve_router};
use gate::{Gate, Pins, PinsError, Snapshot, SnapshotError, Version};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Chance, anew at each call.
pub type Random = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Where a sentence for those who run the gate goes.
pub type Notes = Arc<dyn Fn(&str) + Send + Sync>;

/// How many bytes a snapshot has, at most.
pub const SNAPSHOT_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Longer than a server waits for something newer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The pauses after one failure, and after many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pauses {
    /// After the first; each is twice as long as the one before.
    pub first: Duration,
    /// No longer than this.
    pub longest: Duration,
    /// Between two reports to the server.
    pub reports: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { first: Duration::from_millis(250), longest: Duration::from_secs(30), reports: report::EVERY }
    }
}

/// How long a disk may take to keep a snapshot before the gate answers by it nevertheless.
const KEEPING: Duration = Duration::from_secs(2);

/// Between two answers that were good, so that a server which answers at once is not asked without end.
const SHORTEST: Duration = Duration::from_millis(25);

/// What a gate of its own is told.
#[derive(Clone)]
pub struct Config {
    /// Where snapshots are, as `https://tribune.example/gate/snapshot`.
    pub snapshot: String,
    /// Whom it believes.
    pub pins: Arc<Pins>,
    /// A folder to keep the last good snapshot in.
    pub state: PathBuf,
    /// What it shows the server.
    pub token: Option<Token>,
    /// What its proxy falls back on when it is dead: files that are written anew whenever what is refused changes.
    pub fallbacks: Vec<(Proxy, PathBuf)>,
    /// How many accounts a snapshot may restrict; none: any number.
    pub ceiling: Option<Ceiling>,
    /// How it is asked.
    pub settings: Settings,
    /// What connections may take.
    pub limits: Limits,
    /// How long it waits after failures: by chance half as long to half longer, so that gates do not ask all at once.
    pub pauses: Pauses,
    /// That chance, and the seeds for hashes.
    pub random: Random,
    /// What those who run it should read.
    pub notes: Notes,
}

/// Why a gate does not start.
#[derive(Debug, thiserror::Error)]
pub enum StandaloneError {
    /// A file or folder that cannot be used.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another gate has the folder.
    #[error("{path}: another gate keeps its snapshot here: end it, or name another folder")]
    Taken {
        /// The folder.
        path: String,
    },
    /// Pins that cannot be believed.
    #[error("{path}: {source}")]
    Pins {
        /// The file, or both.
        path: String,
        /// What is wrong with them.
        source: PinsError,
    },
    /// An address that snapshots cannot be fetched from.
    #[error(
        "`{address}` is no address of snapshots: give one that begins with https:// (http:// on this machine only)"
    )]
    Address {
        /// As it was given.
        address: String,
    },
    /// No HTTP client can be made.
    #[error("no HTTP client can be made: {0}")]
    Client(#[from] reqwest::Error),
    /// A defect of this build.
    #[error(transparent)]
    Operations(#[from] OperationsError),
}

/// Reads pins from two files, which may be one: who signs and logs (`--key`), and who approves (`--approvers`). Each
/// begins with `tribune pins 1`.
///
/// # Errors
/// A file cannot be read, or together they are no pins.
pub fn pins(key: &Path, approvers: &Path) -> Result<Pins, StandaloneError> {
    let read = |path: &Path| {
        std::fs::read_to_string(path)
            .map_err(|source| StandaloneError::File { path: path.display().to_string(), source })
    };
    let (mut text, mut path) = (read(key)?, key.display().to_string());
    if approvers != key {
        let more = read(approvers)?;
        text.push('\n');
        text.push_str(more.strip_prefix("tribune pins 1\n").unwrap_or(&more));
        path = format!("{path} and {}", approvers.display());
    }
    text.parse().map_err(|source| StandaloneError::Pins { path, source })
}

/// Serves until `ended`.
///
/// # Errors
/// Why it does not start; once it has, nothing of the server's ends it.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    ended: impl Future<Output = ()>,
) -> Result<(), StandaloneError> {
    let kept = Kept::open(&config.state)?;
    let held = Arc::new(Held::new(config.settings.clone())?);
    let floor = start(&config, &kept, &held)?;
    let follower = Follower::new(&config, Arc::clone(&held), kept, floor)?;
    let reporter = follower.reporter(config.pauses.reports);
    let watch = glass::Watch::new(&config.state, Arc::clone(&held), Arc::clone(&config.notes));
    let fallbacks = Fallbacks { held: Arc::clone(&held), files: config.fallbacks, notes: config.notes, written: None };
    let mut beside = JoinSet::new();
    beside.spawn(follower.follow());
    beside.spawn(watch.follow());
    beside.spawn(fallbacks.follow());
    beside.spawn(reporter.follow());
    serve_router(listener, super::router(held), config.limits, ended).await;
    beside.shutdown().await;
    Ok(())
}

/// Holds what was kept, if it is still believed; the version below which nothing is.
fn start(config: &Config, kept: &Kept, held: &Held) -> Result<Option<Version>, StandaloneError> {
    let Some(bytes) = kept.read()? else { return Ok(None) };
    let loaded = Gate::load(&bytes, Arc::clone(&config.pins), None, (config.random)()).map_err(Refused::from);
    let within = loaded.and_then(|gate| held_to(config.ceiling, &gate, held).map(|()| gate).map_err(Refused::from));
    match within {
        Ok(gate) => {
            (config.notes)(&format!("answering by snapshot {}, which was kept", gate.version()));
            held.swap(Arc::new(gate));
            Ok(None)
        }
        Err(why) => {
            // Pins or the bound may have changed. Its version still counts: nothing older is believed.
            held.counts.snapshots_refused.fetch_add(1, Ordering::Relaxed);
            if let Refused::TooWide(too_wide) = &why {
                held.refuse(*too_wide);
            }
            (config.notes)(&format!("{}: not believed any more, and not used: {why}", kept.file.display()));
            Ok(Snapshot::parse(&bytes).ok().map(|snapshot| snapshot.version()))
        }
    }
}

/// Why what came is not taken.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    #[error(transparent)]
    TooWide(#[from] TooWide),
}

/// Whether it restricts no more than this gate may.
fn held_to(ceiling: Option<Ceiling>, gate: &Gate, held: &Held) -> Result<(), TooWide> {
    ceiling.map_or(Ok(()), |ceiling| ceiling.holds(gate, (held.settings().clock)()))
}

/// The file of the last good snapshot.
struct Kept {
    file: PathBuf,
    /// While it is held, no other gate keeps its snapshot here.
    folder: Mutex<File>,
}

impl Kept {
    fn open(state: &Path) -> Result<Self, StandaloneError> {
        let failed = |source| StandaloneError::File { path: state.display().to_string(), source };
        std::fs::create_dir_all(state).map_err(failed)?;
        let folder = File::open(state).map_err(failed)?;
        folder.try_lock().map_err(|_| StandaloneError::Taken { path: state.display().to_string() })?;
        Ok(Self { file: state.join("snapshot"), folder: Mutex::new(folder) })
    }

    fn read(&self) -> Result<Option<Vec<u8>>, StandaloneError> {
        match std::fs::read(&self.file) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StandaloneError::File { path: self.file.display().to_string(), source }),
        }
    }

    /// On disk when it returns, whole or not at all; one after the other, so that a slow disk ends with the newest.
    fn keep(&self, bytes: &[u8]) -> std::io::Result<()> {
        let synced = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = self.file.parent().unwrap_or(Path::new("."));
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        new.write_all(bytes)?;
        new.as_file().sync_all()?;
        new.persist(&self.file).map_err(|error| error.error)?;
        synced.sync_all()
    }
}

/// At the latest after so long it is looked whether a restriction began or ended.
const LOOK: Duration = Duration::from_secs(60);

/// What a proxy falls back on, kept as it should be.
struct Fallbacks {
    held: Arc<Held>,
    files: Vec<(Proxy, PathBuf)>,
    notes: Notes,
    /// What the files are of, and until when they are exact.
    written: Option<(Version, i64)>,
}

impl Fallbacks {
    /// Goes on until it is dropped.
    async fn follow(mut self) {
        if self.files.is_empty() {
            return;
        }
        loop {
            let now = (self.held.settings().clock)();
            let gate = self.held.gate();
            let due = gate
                .filter(|gate| self.written.is_none_or(|(version, until)| version != gate.version() || until <= now));
            if let Some(gate) = due {
                self.write(gate, now).await;
            }
            // After a failure soon again; else by the next edge, and whenever another snapshot is held.
            let left = self.written.map_or(1, |(_, until)| until.saturating_sub(now).max(1));
            let left = Duration::from_secs(left.unsigned_abs()).min(LOOK);
            tokio::select! {
                () = self.held.swapped.notified() => {}
                () = tokio::time::sleep(left) => {}
            }
        }
    }

    async fn write(&mut self, gate: Arc<Gate>, now: i64) {
        let (files, version) = (self.files.clone(), gate.version());
        let until = exact_until(gate.set(), now).unwrap_or(i64::MAX);
        let writing = tokio::task::spawn_blocking(move || {
            let write = |(proxy, path): (Proxy, PathBuf)| {
                let text = fallback(proxy, gate.set(), now);
                place(&path, text.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))
            };
            files.into_iter().map(write).filter_map(Result::err).collect::<Vec<_>>()
        });
        let failed = writing.await.unwrap_or_else(|error| vec![error.to_string()]);
        for why in &failed {
            (self.notes)(&format!("{why}; a dead gate would leave an older fallback behind"));
        }
        self.written = failed.is_empty().then_some((version, until));
    }
}

/// A file that others read, whole or as it was.
fn place(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new();
    // As any new file: what the umask allows, since a proxy may run as somebody else.
    #[cfg(unix)]
    new.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut new = new.tempfile_in(folder)?;
    new.write_all(bytes)?;
    new.as_file().sync_all()?;
    new.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// What follows the server.
struct Follower {
    client: Client,
    address: Url,
    pins: Arc<Pins>,
    token: Option<Token>,
    pauses: Pauses,
    random: Random,
    notes: Notes,
    held: Arc<Held>,
    kept: Arc<Kept>,
    floor: Option<Version>,
    ceiling: Option<Ceiling>,
    /// What is held did not lead on: the next one is fetched whole.
    whole: bool,
}

/// How asking went.
enum Fetched {
    Same,
    Bytes(Vec<u8>),
}

impl Follower {
    fn new(config: &Config, held: Arc<Held>, kept: Kept, floor: Option<Version>) -> Result<Self, StandaloneError> {
        let address = address(&config.snapshot)?;
        let client = Client::builder().timeout(PATIENCE).redirect(Policy::none());
        let client = client.user_agent(concat!("tribune-gate/", env!("CARGO_PKG_VERSION"))).build()?;
        let Config { pins, token, pauses, random, notes, ceiling, .. } = config.clone();
        let kept = Arc::new(kept);
        Ok(Self { client, address, pins, token, pauses, random, notes, held, kept, floor, ceiling, whole: false })
    }

    /// What tells the same server what is refused.
    fn reporter(&self, every: Duration) -> Reporter {
        let (client, token, held) = (self.client.clone(), self.token.clone(), Arc::clone(&self.held));
        Reporter::new(client, &self.address, token, self.pins.gate(), held, every)
    }

    /// Goes on until it is dropped.
    async fn follow(mut self) {
        let mut failures = 0_u32;
        loop {
            match self.step().await {
                Ok(()) => failures = 0,
                Err(why) => {
                    if failures == 0 {
                        let text = format!("{}: {why}; going on with what is held", self.address);
                        (self.notes)(&text);
                    }
                    failures = failures.saturating_add(1);
                }
            }
            tokio::time::sleep(self.pause(failures)).await;
        }
    }

    /// Longer with each failure, and never the same for all gates.
    fn pause(&self, failures: u32) -> Duration {
        let (Pauses { first, longest, .. }, chance) = (self.pauses, (self.random)() % 256);
        let pause = match failures {
            0 => SHORTEST,
            _ => first.saturating_mul(2_u32.saturating_pow(failures - 1)).min(longest),
        };
        pause.mul_f64(0.5 + chance as f64 / 256.0)
    }

    /// Asks once, and takes what came.
    async fn step(&mut self) -> Result<(), String> {
        let before = self.held.gate();
        let after = before.as_ref().map(|gate| gate.version()).filter(|_| !self.whole);
        let counts = &self.held.counts;
        let fetched = self.fetch(after).await;
        if fetched.is_err() {
            counts.fetches_failed.fetch_add(1, Ordering::Relaxed);
        }
        let Fetched::Bytes(bytes) = fetched? else {
            counts.heard.store((self.held.settings().clock)(), Ordering::Relaxed);
            return Ok(());
        };
        let (pins, seed, floor) = (Arc::clone(&self.pins), (self.random)(), self.floor);
        let verified = tokio::task::spawn_blocking(move || match before {
            Some(gate) => gate.next(&bytes, seed),
            None => Gate::load(&bytes, pins, floor, seed),
        });
        match verified.await.map_err(|error| error.to_string())? {
            Ok(gate) => match held_to(self.ceiling, &gate, &self.held) {
                Ok(()) => self.take(Arc::new(gate)).await,
                Err(too_wide) => {
                    counts.snapshots_refused.fetch_add(1, Ordering::Relaxed);
                    // Said of each once, whatever failed before.
                    if self.held.refuse(too_wide) {
                        (self.notes)(&format!("not taken: {too_wide}"));
                    }
                    Err("what it sent restricts too many accounts".to_owned())
                }
            },
            Err(why) => {
                let leads_on_from_another =
                    matches!(why, SnapshotError::Base { .. } | SnapshotError::NotHeld { .. } | SnapshotError::Baseless);
                self.whole = leads_on_from_another && !self.whole;
                counts.snapshots_refused.fetch_add(1, Ordering::Relaxed);
                Err(format!("what it sent is refused: {why}"))
            }
        }
    }

    /// Keeps it, then answers by it: what a gate answered by, it holds after a restart, and nobody sends it back behind
    /// that. A disk that is full or hangs stops no lift.
    async fn take(&mut self, gate: Arc<Gate>) -> Result<(), String> {
        let (kept, keeps) = (Arc::clone(&self.kept), Arc::clone(&gate));
        let keeping = tokio::task::spawn_blocking(move || kept.keep(&keeps.snapshot().bytes()));
        let failed = match tokio::time::timeout(KEEPING, keeping).await {
            Ok(Ok(Err(error))) => Some(error.to_string()),
            Err(_) => Some("the disk does not answer".to_owned()),
            Ok(_) => None,
        };
        if let Some(error) = failed {
            let file = self.kept.file.display();
            (self.notes)(&format!("{file}: {error}; after a restart an older snapshot would be used"));
        }
        self.held.counts.heard.store((self.held.settings().clock)(), Ordering::Relaxed);
        self.whole = false;
        let version = gate.version();
        self.held.swap(gate);
        (self.notes)(&format!("answering by snapshot {version}"));
        Ok(())
    }

    async fn fetch(&self, after: Option<Version>) -> Result<Fetched, String> {
        let mut address = self.address.clone();
        if let Some(after) = after {
            address.query_pairs_mut().append_pair("after", &after.to_string());
        }
        let mut request = self.client.get(address);
        if let Some(token) = &self.token {
            request = request.header("authorization", token.header());
        }
        let mut response = request.send().await.map_err(|error| causes(&error))?;
        match response.status() {
            StatusCode::NOT_MODIFIED => return Ok(Fetched::Same),
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED => return Err("it wants another token".to_owned()),
            other => return Err(format!("it answered {other}")),
        }
        let mut bytes = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|error| causes(&error))? {
            if bytes.len() + part.len() > SNAPSHOT_BYTES_MAX {
                return Err(format!("it sent more than {SNAPSHOT_BYTES_MAX} bytes"));
            }
            bytes.extend_from_slice(&part);
        }
        Ok(Fetched::Bytes(bytes))
    }
}

/// An address that snapshots may come from: what names customers goes over no network in the clear.
fn address(given: &str) -> Result<Url, StandaloneError> {
    let wrong = || StandaloneError::Address { address: given.to_owned() };
    let address = Url::parse(given).map_err(|_| wrong())?;
    let host = address.host_str().unwrap_or_default();
    let near =
        host == "localhost" || host == "[::1]" || host.parse().is_ok_and(|ip: std::net::Ipv4Addr| ip.is_loopback());
    let fit = address.scheme() == "https" || (address.scheme() == "http" && near);
    if fit { Ok(address) } else { Err(wrong()) }
}

/// An error and what caused it, without the address, which may hold what is nobody's business.
fn causes(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it did not answer in time".to_owned();
    }
    let mut causes: Vec<String> = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    if causes.is_empty() { "it could not be asked".to_owned() } else { causes.join(": ") }
}
