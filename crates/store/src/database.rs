//! The database under the record: opening it, seeing that what it acknowledges is on disk, its schema, and one writer at
//! a time. What the tables mean is said elsewhere.
//!
//! One SQL text serves both databases: both number parameters `$1`, `$2`, and the few words of the schema that differ are
//! replaced on the way ([`Kind::words`]).

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{Any, AnyConnection, AnyPool, AssertSqlSafe, Connection, Row, Transaction};
use tokio::sync::{Mutex, MutexGuard};

/// The schema, step by step. A step that was released is never edited; the next one mends it.
const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001.sql"), include_str!("../migrations/0002.sql")];

/// The number of the advisory lock by which writers on PostgreSQL wait for each other: the letters `tribune`.
const WRITER_LOCK: &str = "32775124399944293";

/// How long a writer waits for another process before it gives up.
const PATIENCE: Duration = Duration::from_secs(5);

/// After which time it is tried again what SQLite does not wait for.
const AGAIN: Duration = Duration::from_millis(20);

/// How often.
const TRIES: u32 = 4;

/// Connections that read at one time.
const READERS_MAX: u32 = 4;

/// What the record refuses as a whole, and why. Nothing was written then.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The address is of neither kind.
    #[error("an address that begins with `{0}` names no record: give `sqlite:PATH` or `postgres://USER@HOST/DATABASE`")]
    Address(String),
    /// The database failed or cannot be reached.
    #[error("the record cannot be reached: {0}")]
    Database(#[source] sqlx::Error),
    /// Another process writes and does not end.
    #[error("another process holds the record: end it, or let it be the only one that writes")]
    Held,
    /// No room is left.
    #[error("the disk of the record is full, nothing was written: make room and send it again")]
    Full,
    /// The file of the database is damaged.
    #[error("the database of the record is damaged ({0}): restore the last backup and verify it")]
    Damaged(String),
    /// What it acknowledges may be lost.
    #[error("the database has {setting} = {found}, so what it acknowledges may be lost: set it to {wanted}")]
    NotDurable {
        /// The setting.
        setting: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// The schema is not one of this version's.
    #[error("the schema of the record is not this version's: {0}")]
    Schema(String),
    /// What is there is not what was appended.
    #[error("position {position}: {reason}; restore the last backup that verifies")]
    Altered {
        /// Where.
        position: u64,
        /// What is wrong.
        reason: String,
    },
    /// The record does not continue what was remembered of it.
    #[error("{0}; restore the last backup that verifies, and sign nothing until then")]
    Discontinued(String),
    /// The command does not have the form it must have.
    #[error("{0}")]
    Form(String),
    /// A part of what was asked was refused, and with it all.
    #[error(transparent)]
    Refused(#[from] crate::Refused),
    /// A file beside the database failed.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: String,
        /// How.
        error: std::io::Error,
    },
    /// A text could not be encrypted or decrypted.
    #[error("the text {digest} cannot be {what}: {reason}")]
    Text {
        /// Which.
        digest: review::words::Digest,
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        reason: String,
    },
}

pub(crate) type Result<T> = std::result::Result<T, RecordError>;

impl From<sqlx::Error> for RecordError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
        // SQLite's codes are numbers whose low byte is the kind; PostgreSQL's have five characters.
        match (code.len(), code.parse::<u32>().ok().map(|code| code & 0xff)) {
            (5, _) if code == "53100" => Self::Full,
            (1..5, Some(5 | 6)) => Self::Held,
            (1..5, Some(13)) => Self::Full,
            (1..5, Some(11 | 26)) => Self::Damaged(error.to_string()),
            _ => Self::Database(error),
        }
    }
}

/// Which database it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite(PathBuf),
    Postgres,
}

impl Kind {
    fn of(address: &str) -> Result<Self> {
        match address.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(PathBuf::from(path))),
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => Ok(Self::Postgres),
            // What follows may be a password.
            _ => Err(RecordError::Address(address.split(':').next().unwrap_or_default().to_owned())),
        }
    }

    /// The schema in this database's words.
    fn words(&self, sql: &str) -> String {
        match self {
            Self::Postgres => sql.to_owned(),
            Self::Sqlite(_) => sql
                .replace("BYTEA", "BLOB")
                .replace("BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY")
                .replace("/* by key */", "WITHOUT ROWID"),
        }
    }
}

/// A transaction that writes. While it lives no other does, here or elsewhere.
pub(crate) struct Writing<'a> {
    pub(crate) transaction: Transaction<'static, Any>,
    _only_one: MutexGuard<'a, ()>,
}

impl Writing<'_> {
    pub(crate) async fn commit(self) -> Result<()> {
        Ok(self.transaction.commit().await?)
    }
}

pub(crate) struct Database {
    pub(crate) pool: AnyPool,
    /// One connection, always the same: SQLite counts a file's changes by what the connection that writes remembers of
    /// them, and which of several came to write would be told by the file.
    pub(crate) writer: AnyPool,
    pub(crate) kind: Kind,
    writing: Mutex<()>,
}

impl Database {
    pub(crate) async fn open(address: &str) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let kind = Kind::of(address)?;
        let address = match &kind {
            Kind::Sqlite(path) => format!("sqlite:{}?mode=rwc", escaped(path)),
            Kind::Postgres => address.to_owned(),
        };
        let options = AnyConnectOptions::from_str(&address)?;
        let sqlite = kind != Kind::Postgres;
        // Two who make one file at once get into each other's way where SQLite does not wait by itself: when its journal
        // is turned on, and when it is laid out.
        let mut tries = 1;
        while let Err(error) = prepare(&options, &kind).await {
            if !matches!(error, RecordError::Held) || tries == TRIES {
                return Err(error);
            }
            tries += 1;
            tokio::time::sleep(AGAIN).await;
        }
        let pool = |most| {
            AnyPoolOptions::new().max_connections(most).after_connect(move |connection, _| {
                Box::pin(async move { if sqlite { make_durable(connection).await } else { Ok(()) } })
            })
        };
        let writer = pool(1).idle_timeout(None).max_lifetime(None).connect_with(options.clone()).await?;
        let pool = pool(READERS_MAX).connect_with(options).await?;
        let database = Self { pool, writer, kind, writing: Mutex::new(()) };
        database.migrate().await?;
        Ok(database)
    }

    /// Begins to write: waits for whoever writes now, in this process or another.
    pub(crate) async fn write(&self) -> Result<Writing<'_>> {
        let only_one = self.writing.lock().await;
        let transaction = match self.kind {
            Kind::Sqlite(_) => self.writer.begin_with("BEGIN IMMEDIATE").await?,
            Kind::Postgres => {
                let mut transaction = self.writer.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
                let lock = format!("SELECT CAST(1 AS BIGINT) FROM pg_advisory_xact_lock({WRITER_LOCK})");
                sqlx::query(AssertSqlSafe(lock)).execute(&mut *transaction).await?;
                transaction
            }
        };
        Ok(Writing { transaction, _only_one: only_one })
    }

    /// Begins to read: everything in it is as at one time.
    pub(crate) async fn read(&self) -> Result<Transaction<'static, Any>> {
        Ok(match self.kind {
            Kind::Sqlite(_) => self.pool.begin_with("BEGIN").await?,
            Kind::Postgres => self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?,
        })
    }

    /// Sees that nothing of what was taken out of a table stays in the database's files, as far as they are its own to
    /// clean: SQLite's journal is emptied, PostgreSQL writes the table anew. Says whether it could: a reader that does
    /// not end keeps SQLite's journal as it is until the next time.
    ///
    /// PostgreSQL's own journal (`pg_wal`), replicas and archives keep what was taken out until they are recycled.
    pub(crate) async fn scrub(&self, table: &'static str) -> Result<bool> {
        match self.kind {
            Kind::Sqlite(_) => {
                let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&self.writer).await?;
                Ok(row.try_get_unchecked::<i64, _>(0)? == 0)
            }
            Kind::Postgres => {
                sqlx::raw_sql(AssertSqlSafe(format!("VACUUM (FULL) {table}"))).execute(&self.pool).await?;
                Ok(true)
            }
        }
    }

    /// Brings the schema up to this version's, in one transaction; refuses one that it does not know.
    async fn migrate(&self) -> Result<()> {
        let mut writing = self.write().await?;
        let connection: &mut AnyConnection = &mut writing.transaction;
        let steps = "CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY, digest TEXT NOT NULL)";
        sqlx::raw_sql(steps).execute(&mut *connection).await?;
        let rows = sqlx::query("SELECT digest FROM migrations ORDER BY number").fetch_all(&mut *connection).await?;
        let done = rows.iter().map(|row| row.try_get(0)).collect::<std::result::Result<Vec<String>, _>>()?;
        if done.len() > MIGRATIONS.len() {
            let (found, known) = (done.len(), MIGRATIONS.len());
            let reason = format!("it has {found} steps and this version knows {known}: use the newer version");
            return Err(RecordError::Schema(reason));
        }
        for (number, step) in (1_i64..).zip(MIGRATIONS) {
            let digest = format!("{:x}", Sha256::digest(step));
            match done.get(usize::try_from(number - 1).unwrap_or(usize::MAX)) {
                Some(found) if *found == digest => {}
                Some(_) => {
                    let reason =
                        format!("step {number} is another one: it was made by a build that was never released");
                    return Err(RecordError::Schema(reason));
                }
                None => {
                    sqlx::raw_sql(AssertSqlSafe(self.kind.words(step))).execute(&mut *connection).await?;
                    let note = sqlx::query("INSERT INTO migrations (number, digest) VALUES ($1, $2)");
                    note.bind(number).bind(digest).execute(&mut *connection).await?;
                }
            }
        }
        writing.commit().await
    }
}

/// Makes the database ready by one connection alone: a pool would try again and again, and not say why it cannot.
async fn prepare(options: &AnyConnectOptions, kind: &Kind) -> Result<()> {
    let mut first = AnyConnection::connect_with(options).await?;
    if *kind != Kind::Postgres {
        make_durable(&mut first).await?;
        lay_out(&mut first).await?;
    }
    refuse_unless_durable(&mut first, kind).await?;
    Ok(first.close().await?)
}

async fn refuse_unless_durable(connection: &mut AnyConnection, kind: &Kind) -> Result<()> {
    let settings: &[(_, _, &[_], _)] = match kind {
        Kind::Sqlite(_) => &[
            ("journal_mode", "SELECT journal_mode FROM pragma_journal_mode", &["wal"], "wal"),
            ("synchronous", "SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous", &["2", "3"], "2 (FULL)"),
        ],
        Kind::Postgres => &[
            ("fsync", "SELECT current_setting('fsync')", &["on"], "on"),
            ("full_page_writes", "SELECT current_setting('full_page_writes')", &["on"], "on"),
            (
                "synchronous_commit",
                "SELECT current_setting('synchronous_commit')",
                &["on", "local", "remote_write", "remote_apply"],
                "on",
            ),
        ],
    };
    for (setting, question, good, wanted) in settings {
        let found: String = sqlx::query(*question).fetch_one(&mut *connection).await?.try_get(0)?;
        if !good.contains(&found.as_str()) {
            return Err(RecordError::NotDurable { setting, found, wanted });
        }
    }
    Ok(())
}

/// SQLite's settings hold for one connection. `secure_delete` overwrites what is deleted.
async fn make_durable(connection: &mut AnyConnection) -> std::result::Result<(), sqlx::Error> {
    let busy = format!("PRAGMA busy_timeout = {}", PATIENCE.as_millis());
    for pragma in [&busy, "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA secure_delete = ON"] {
        sqlx::raw_sql(AssertSqlSafe(pragma.to_owned())).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Lays SQLite's file out so that pages which were given up can be taken out of it (`incremental_vacuum`). That holds for
/// the file, and is asked for once: asking writes to it.
async fn lay_out(connection: &mut AnyConnection) -> Result<()> {
    let question = sqlx::query("SELECT auto_vacuum FROM pragma_auto_vacuum").fetch_one(&mut *connection);
    if question.await?.try_get_unchecked::<i64, _>(0)? != 2 {
        sqlx::raw_sql("PRAGMA auto_vacuum = INCREMENTAL; VACUUM").execute(connection).await?;
    }
    Ok(())
}

/// A path as the part of an address: what means something there is escaped.
fn escaped(path: &Path) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
    let part = |byte: &u8| if plain(byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") };
    path.as_os_str().as_encoded_bytes().iter().map(part).collect()
}

/// `($1, $2), ($3, $4)` for two rows of two.
pub(crate) fn places(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let places: Vec<String> = (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
        format!("({})", places.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_one_of_two_kinds() {
        assert_eq!(Kind::of("sqlite:a b?.db").unwrap(), Kind::Sqlite("a b?.db".into()));
        assert_eq!(Kind::of("postgres://u@h/d").unwrap(), Kind::Postgres);
        for address in ["", "sqlite:", "mysql://u@h/d", "record.db"] {
            assert!(Kind::of(address).unwrap_err().to_string().contains("names no record"), "{address}");
        }
        assert_eq!(escaped(Path::new("/a b?#%/é.db")), "/a%20b%3F%23%25/%C3%A9.db");
    }

    #[test]
    fn parameters_are_numbered_through() {
        assert_eq!(places(2, 2), "($1, $2), ($3, $4)");
    }
}
