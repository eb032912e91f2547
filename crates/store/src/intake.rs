//! The intake: what anonymous people sent, durable at once, and without a trace of when and in which order it came.
//!
//! A message has a key that chance drew with it, and nothing else. Each time one comes, the whole small table is written
//! anew in the order of keys, in one transaction:
//!
//! - SQLite overwrites what was there (`secure_delete`), takes the pages it gave up out of the file, so that new ones come
//!   in their order and not in that of earlier messages, and its journal is emptied. The cells and pages that hold the
//!   messages then tell of their keys alone. What remains to be seen is the file's time of change, as the file system
//!   keeps it, how many messages there are, and, where events were appended in between, on which pages they lie, which
//!   may tell how many had come by then; a backup has none of it but the number. Blocks that the file system gave up
//!   (an emptied journal's) are its own to overwrite.
//! - PostgreSQL gets a new file, with every row from one transaction (one `xmin`, rows in the order of keys). What
//!   remains is its journal: `pg_wal` holds each message as it came until the segment is recycled, and so does whatever
//!   archives or replicates it. Who must withstand a seizure of the server keeps the intake on SQLite, or `pg_wal` in
//!   memory it can lose: the database cannot do it.
//!
//! The first bytes of a key may name what the message belongs to, so that all of it is found without reading the rest
//! ([`Record::waiting_of`]): they must be as if drawn by chance, like a digest, and the rest of the key must be drawn.
//! No index is kept for it: the table's own order serves, so nothing else is written that could tell of arrivals.
//!
//! A message should be of a padded size before it comes here. Once a day all are drained, shuffled, into events that are
//! dated by the day. What a message says, and which events it becomes, is the caller's.

use std::collections::{BTreeMap, BTreeSet};

use review::words::Text;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::database::{Kind, RecordError, Result, places};
use crate::record::{Append, Random, Record, Writer};
use crate::texts;

const DAY_SECONDS: i64 = 86_400;

/// Rows in one statement.
const ROWS_MAX: usize = 100;

/// What somebody sent, encrypted by whoever took it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Drawn by chance for this message, but for first bytes by which it is found with others.
    pub key: [u8; 32],
    /// Its bytes.
    pub body: Vec<u8>,
}

/// What a day's messages become.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draining {
    /// The messages that go.
    pub keys: BTreeSet<[u8; 32]>,
    /// The events they become, each dated at the beginning or end of a day.
    pub appends: Vec<Append>,
    /// Their texts, encrypted, which stay.
    pub texts: BTreeMap<Text, Vec<u8>>,
}

type Table = BTreeMap<Vec<u8>, Vec<u8>>;

impl Record {
    /// Takes messages in; what was answered is on disk. One that comes again changes nothing.
    ///
    /// # Errors
    ///
    /// A key that is taken by another message, or the database failed.
    pub async fn take_in(&self, messages: &[Message]) -> Result<()> {
        let mut writing = self.database.write().await?;
        let mut table = read(&mut writing.transaction).await?;
        let before = table.len();
        for Message { key, body } in messages {
            if table.get(&key[..]).is_some_and(|there| there != body) {
                return Err(RecordError::Form("another message has this key: draw a new one".into()));
            }
            table.insert(key.to_vec(), body.clone());
        }
        if table.len() == before {
            // Writing it again would be counted.
            return Ok(());
        }
        self.write_anew(&mut writing.transaction, &table).await?;
        writing.commit().await?;
        self.leave_no_order().await
    }

    /// How many bytes of messages wait.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn waiting_bytes(&self) -> Result<u64> {
        let query = sqlx::query("SELECT CAST(COALESCE(SUM(LENGTH(body)), 0) AS BIGINT) FROM intake");
        let bytes: i64 = query.fetch_one(&self.database.pool).await?.try_get(0)?;
        Ok(bytes.unsigned_abs())
    }

    /// All messages that wait, shuffled.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn waiting(&self, random: Random<'_>) -> Result<Vec<Message>> {
        let table = read(&mut *self.database.pool.acquire().await?).await?;
        let mut drawn = Vec::with_capacity(table.len());
        for message in messages(table)? {
            let mut lot = [0; 16];
            random(&mut lot);
            drawn.push((lot, message));
        }
        drawn.sort_by_key(|(lot, _)| *lot);
        Ok(drawn.into_iter().map(|(_, message)| message).collect())
    }

    /// The messages that wait and whose keys begin so, in the order of their keys; the others are not read.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn waiting_of(&self, beginning: &[u8]) -> Result<Vec<Message>> {
        let bound = |fill: u8| beginning.iter().copied().chain(std::iter::repeat(fill)).take(32).collect::<Vec<u8>>();
        let query = sqlx::query("SELECT key, body FROM intake WHERE key BETWEEN $1 AND $2 ORDER BY key");
        let rows = query.bind(bound(0)).bind(bound(u8::MAX)).fetch_all(&self.database.pool).await?;
        messages(table(&rows)?)
    }

    /// Turns messages into events and takes them out of the intake, all in one transaction. Gives the positions.
    ///
    /// # Errors
    ///
    /// An event with a time finer than a day, a key that waits no more, and an append that is refused keep everything
    /// as it was.
    pub async fn drain(&self, draining: &Draining, random: Random<'_>) -> Result<Vec<u64>> {
        let finer = |append: &Append| append.events.iter().any(|event| event.at.0.rem_euclid(DAY_SECONDS) != 0);
        if let Some(append) = draining.appends.iter().find(|append| finer(append)) {
            let stream = &append.stream;
            return Err(RecordError::Form(format!(
                "`{stream}`: what comes from the intake is dated by day, at midnight"
            )));
        }
        let mut writing = self.database.write().await?;
        let mut table = read(&mut writing.transaction).await?;
        if draining.keys.iter().any(|key| table.remove(&key[..]).is_none()) {
            return Err(RecordError::Form(
                "a message waits no more: it was drained before; read the intake again".into(),
            ));
        }
        let mut writer = Writer::begin(&mut writing.transaction, random, &draining.appends).await?;
        let mut positions = Vec::new();
        for append in &draining.appends {
            positions.extend(writer.append(append).await??);
        }
        writer.flush().await?;
        for (digest, ciphertext) in &draining.texts {
            texts::keep(&mut writing.transaction, *digest, ciphertext).await?;
        }
        self.write_anew(&mut writing.transaction, &table).await?;
        writing.commit().await?;
        self.leave_no_order().await?;
        Ok(positions)
    }

    async fn write_anew(&self, connection: &mut AnyConnection, table: &Table) -> Result<()> {
        let empty = if self.database.kind == Kind::Postgres { "TRUNCATE intake" } else { "DELETE FROM intake" };
        sqlx::query(empty).execute(&mut *connection).await?;
        if self.database.kind != Kind::Postgres {
            // Pages that were given up would be taken again in the order in which they were, and that is a history.
            sqlx::raw_sql("PRAGMA incremental_vacuum").execute(&mut *connection).await?;
        }
        for rows in table.iter().collect::<Vec<_>>().chunks(ROWS_MAX) {
            let sql = format!("INSERT INTO intake (key, body) VALUES {}", places(rows.len(), 2));
            let query = sqlx::query(AssertSqlSafe(sql));
            let query = rows.iter().fold(query, |query, (key, body)| query.bind(key.to_vec()).bind(body.to_vec()));
            query.execute(&mut *connection).await?;
        }
        Ok(())
    }

    /// Empties SQLite's journal, which has each message as it came. PostgreSQL's file is new already.
    async fn leave_no_order(&self) -> Result<()> {
        if self.database.kind != Kind::Postgres {
            self.database.scrub("intake").await?;
        }
        Ok(())
    }
}

async fn read(connection: &mut AnyConnection) -> Result<Table> {
    table(&sqlx::query("SELECT key, body FROM intake ORDER BY key").fetch_all(connection).await?)
}

fn table(rows: &[AnyRow]) -> Result<Table> {
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

fn messages(table: Table) -> Result<Vec<Message>> {
    let damaged = |_| RecordError::Damaged("a key of the intake has a wrong length".into());
    table.into_iter().map(|(key, body)| Ok(Message { key: key.try_into().map_err(damaged)?, body })).collect()
}
