//! A PostgreSQL server of the tests' own: a real one, from Debian's package, in a folder and on a port of its own.
//!
//! Tests of other crates include this file by its path.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tempfile::TempDir;

/// A PostgreSQL server of the tests' own: a folder, a port, ended with the last test that uses it.
pub(crate) struct Server {
    folder: TempDir,
    port: u16,
    process: Mutex<Child>,
}

static SHARED: Mutex<(Weak<Server>, u32)> = Mutex::new((Weak::new(), 0));

impl Server {
    /// The server that all tests of this process share.
    pub(crate) fn shared() -> Option<Arc<Self>> {
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

    /// Runs a program of PostgreSQL's against it.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(programs().unwrap().join(name));
        command.args(["--host=127.0.0.1", "--username=postgres", "--port", &self.port.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn wait(&self) {
        for _ in 0..300 {
            // A server that starts takes the connection and says that it is not ready.
            if self.program("psql").args(["--command=SELECT 1", "postgres"]).status().unwrap().success() {
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
        run(self.program("createdb").arg(&name));
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

fn run(command: &mut Command) {
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}
