//! Where a test's record lies, and what it is filled with.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::{Arc, LazyLock};

use review::words::{Digest, Moment};
use sqlx::{AssertSqlSafe, Connection};
use store::{Append, Erasure, New, Record};
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(crate) use crate::server::Server;

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

pub(crate) fn run(command: &mut Command) {
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}
