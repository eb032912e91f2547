//! Where a test's record lies, and what it is filled with.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, LazyLock, Mutex, Weak};
use std::time::Duration;

use review::words::{Digest, Moment};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use store::{Append, Erasure, New, Record};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Runs to the end. One runtime for all: connections live on the one they were made on.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    static RUNTIME: LazyLock<Runtime> =
        LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());
    RUNTIME.block_on(future)
}

/// Randomness that is the same in every run (splitmix64).
pub(crate) fn chance(seed: u64) -> impl FnMut(&mut [u8]) + Send {
    let mut state = seed;
    move |bytes| {
        for chunk in bytes.chunks_mut(8) {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// A number below a limit.
pub(crate) fn below(limit: u64, random: &mut impl FnMut(&mut [u8])) -> u64 {
    let mut bytes = [0; 8];
    random(&mut bytes);
    u64::from_le_bytes(bytes) % limit
}

pub(crate) fn append(stream: &str, expected: u64, bodies: &[&str]) -> Append {
    let event = |body: &&str| New { at: Moment(1_772_323_200), body: body.as_bytes().to_vec() };
    Append { stream: stream.to_owned(), expected, events: bodies.iter().map(event).collect() }
}

pub(crate) fn erasure(by: &[&str], positions: &[u64]) -> Erasure {
    Erasure {
        at: Moment(1_772_323_200),
        by: by.iter().map(|person| person.parse().unwrap()).collect(),
        positions: positions.iter().copied().collect(),
        reason: Digest::of("why"),
        texts: BTreeSet::new(),
    }
}

/// A record of one test, empty at first.
pub(crate) enum Place {
    Sqlite(TempDir),
    Postgres(Arc<Server>, String),
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    /// A database of its own; none where PostgreSQL is not installed.
    pub(crate) fn postgres() -> Option<Self> {
        Server::shared().map(|server| {
            let database = server.new_database();
            Self::Postgres(server, database)
        })
    }

    pub(crate) fn address(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite:{}", folder.path().join("record ?.db").display()),
            Self::Postgres(server, database) => server.address(database),
        }
    }

    pub(crate) fn open(&self) -> Record {
        block_on(Record::open(&self.address())).unwrap()
    }

    /// Alters what lies there, as somebody with the database in their hands can.
    pub(crate) fn tamper(&self, sql: &str) {
        let sql = match self {
            Self::Sqlite(_) => sql.replace("BYTEA", "BLOB"),
            Self::Postgres(..) => sql.to_owned(),
        };
        sqlx::any::install_default_drivers();
        let address = match self {
            Self::Sqlite(folder) => format!("sqlite:{}/record%20%3F.db", folder.path().display()),
            Self::Postgres(..) => self.address(),
        };
        block_on(async {
            let mut connection = sqlx::AnyConnection::connect(&address).await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        });
    }
}

/// A PostgreSQL server of the tests' own: a folder, a port, ended with the last test that uses it.
pub(crate) struct Server {
    folder: TempDir,
    port: u16,
    process: Mutex<Child>,
}

static SHARED: Mutex<(Weak<Server>, u32)> = Mutex::new((Weak::new(), 0));

impl Server {
    fn shared() -> Option<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap();
        if let Some(server) = shared.0.upgrade() {
            return Some(server);
        }
        let server = Arc::new(Self::start(&[])?);
        shared.0 = Arc::downgrade(&server);
        Some(server)
    }

    /// A new server; none, said, where PostgreSQL is not installed.
    pub(crate) fn start(settings: &[&str]) -> Option<Self> {
        let Some(programs) = programs() else {
            println!("skipped: PostgreSQL is not here (Debian's `postgresql`, or its folder in TRIBUNE_POSTGRES_BIN)");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        if as_root() {
            run(Command::new("chown").arg("postgres").arg(folder.path()));
        }
        let mut initdb = as_other(&programs.join("initdb"));
        initdb.args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"]);
        run(initdb.arg(folder.path().join("data")).stdout(Stdio::null()));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Self::spawn(&programs, folder.path(), port, settings);
        let server = Self { folder, port, process: Mutex::new(process) };
        server.wait();
        Some(server)
    }

    fn spawn(programs: &Path, folder: &Path, port: u16, settings: &[&str]) -> Child {
        let mut postgres = as_other(&programs.join("postgres"));
        postgres.arg("-D").arg(folder.join("data")).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        postgres.arg("-c").arg(format!("unix_socket_directories={}", folder.display()));
        settings.iter().for_each(|setting| {
            postgres.args(["-c", setting]);
        });
        postgres.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Ends it at once, as a power cut would, and starts it again.
    pub(crate) fn kill_and_restart(&self) {
        let mut process = self.process.lock().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
        // Its children see that it is gone and end; until then the folder is theirs.
        for _ in 0..100 {
            *process = Self::spawn(&programs().unwrap(), self.folder.path(), self.port, &[]);
            std::thread::sleep(Duration::from_millis(200));
            if process.try_wait().unwrap().is_none() {
                return self.wait();
            }
        }
        panic!("the server does not start again");
    }

    pub(crate) fn address(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        // A server that starts takes the connection and says that it is not ready.
        block_on(PgConnection::connect(&self.address("postgres")))
    }

    fn wait(&self) {
        for _ in 0..300 {
            if self.connect().is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the server does not answer");
    }

    pub(crate) fn new_database(&self) -> String {
        let name = {
            let mut shared = SHARED.lock().unwrap();
            shared.1 += 1;
            format!("test{}", shared.1)
        };
        block_on(async {
            let mut connection = PgConnection::connect(&self.address("postgres")).await.unwrap();
            let create = AssertSqlSafe(format!("CREATE DATABASE {name}"));
            sqlx::raw_sql(create).execute(&mut connection).await.unwrap();
        });
        name
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let process = self.process.get_mut().unwrap();
        run(Command::new("kill").args(["-INT", &process.id().to_string()]));
        drop(process.wait());
    }
}

fn programs() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("TRIBUNE_POSTGRES_BIN") {
        return Some(folder.into());
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    folders.filter(|folder| folder.join("initdb").is_file()).max()
}

fn as_root() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout.trim_ascii() == b"0"
}

/// PostgreSQL refuses to run as root.
fn as_other(program: &Path) -> Command {
    if !as_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program).current_dir("/");
    command
}

pub(crate) fn run(command: &mut Command) {
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}
