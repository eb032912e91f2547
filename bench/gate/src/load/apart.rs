//! The gate in a process of its own, and what the processors did meanwhile.
//!
//! It is this program once more, which runs what `tribune gate` runs. It fetches its snapshot from this process, as from a
//! server, and ends when this one does.

use crate::{Failure, now, snapshots};
use gate::Snapshot;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use web::Limits;
use web::gate::standalone::{Config, Pauses, serve};
use web::gate::{Askers, Feed, Settings};

/// How long it may take until the gate holds its snapshot.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs a gate that keeps its snapshot in a folder and follows those at an address, until nobody holds the other end of
/// its standard input.
pub(crate) fn gate(folder: &Path, snapshot: &str) -> Result<(), Failure> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        let config = Config {
            snapshot: snapshot.to_owned(),
            pins: Arc::new(snapshots::pins()?),
            state: folder.to_owned(),
            token: None,
            fallbacks: Vec::new(),
            ceiling: None,
            settings: Settings::new(Arc::new(seconds)),
            limits: Limits::default(),
            pauses: Pauses::default(),
            random: Arc::new(|| snapshots::SEED),
            notes: Arc::new(|note| eprintln!("the gate: {note}")),
        };
        Ok(serve(listener, config, async { drop(ended.await) }).await?)
    })
}

#[expect(clippy::disallowed_methods, reason = "a gate looks at the clock for each request, and so that is measured")]
fn seconds() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs() as i64)
}

/// A gate apart, and who hands it its snapshot.
pub(super) struct Apart {
    child: Child,
    pub(super) address: SocketAddr,
    /// What it keeps, and who it follows.
    _folder: tempfile::TempDir,
    _server: Runtime,
}

impl Apart {
    /// A gate that holds this snapshot.
    pub(super) fn start(snapshot: Snapshot) -> Result<Self, Failure> {
        let feed = Arc::new(Feed::default());
        feed.publish(snapshot)?;
        let server = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = server.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let from = format!("http://{}/gate/snapshot", listener.local_addr()?);
        let router = feed.router(Askers::near_or(None));
        server.spawn(web::serve(listener, router, Limits::default(), std::future::pending()));
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("gate").arg(folder.path()).arg(from).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut line = String::new();
        let said = child.stdout.take().ok_or("the gate has no standard output")?;
        BufReader::new(said).read_line(&mut line)?;
        let address = line.trim().parse().map_err(|_| "the gate does not say where it answers")?;
        let apart = Self { child, address, _folder: folder, _server: server };
        apart.wait(now())?;
        Ok(apart)
    }

    /// Until it is ready.
    fn wait(&self, start: Instant) -> Result<(), Failure> {
        while start.elapsed() < PATIENCE {
            if is_ready(self.address).unwrap_or(false) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err("the gate holds no snapshot after two minutes".into())
    }

    pub(super) fn process(&self) -> u32 {
        self.child.id()
    }

    /// It must have lived until now.
    pub(super) fn end(mut self) -> Result<(), Failure> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(format!("the gate ended by itself: {status}").into()),
        }
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn is_ready(address: SocketAddr) -> std::io::Result<bool> {
    use std::io::Write as _;
    let mut stream = std::net::TcpStream::connect(address)?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: gate\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.starts_with("HTTP/1.1 200 "))
}

/// Seconds of processors.
#[derive(Clone, Copy, Debug)]
pub(super) struct Busy {
    /// Of the clock on the wall.
    at: Instant,
    pub(super) seconds: f64,
    pub(super) gate: f64,
    pub(super) own: f64,
    /// All that is neither.
    pub(super) others: f64,
}

/// Of what Linux counts processors' time in: hundredths of a second, whatever its own clock does.
const TICK: f64 = 0.01;

impl Busy {
    /// Since each began.
    pub(super) fn now(gate: u32) -> Result<Self, Failure> {
        let (gate, own) = (of_process(&gate.to_string())?, of_process("self")?);
        let all = std::fs::read_to_string("/proc/stat")?;
        let line = all.lines().next().unwrap_or_default();
        let counts: Vec<f64> = line.split_whitespace().skip(1).take(8).filter_map(|count| count.parse().ok()).collect();
        let [user, nice, system, _idle, _waiting, interrupts, soft, _stolen] = counts.as_slice() else {
            return Err("/proc/stat is of another form: this measures on Linux alone".into());
        };
        let others = (user + nice + system + interrupts + soft) * TICK - gate - own;
        Ok(Self { at: now(), seconds: 0.0, gate, own, others })
    }

    pub(super) fn since(&self, before: &Self) -> Self {
        let [gate, own, others] =
            [self.gate - before.gate, self.own - before.own, (self.others - before.others).max(0.0)];
        Self { at: self.at, seconds: (self.at - before.at).as_secs_f64(), gate, own, others }
    }
}

fn of_process(process: &str) -> Result<f64, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // After the name, which may hold anything: the state, and ten numbers on the user's time, then the system's.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let times: Vec<f64> = fields.skip(11).take(2).filter_map(|ticks| ticks.parse().ok()).collect();
    match times.as_slice() {
        [user, system] => Ok((user + system) * TICK),
        _ => Err("/proc says no times of a process: this measures on Linux alone".into()),
    }
}
