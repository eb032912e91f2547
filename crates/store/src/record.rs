//! The events of the record: appended at the end, all or none, read back in order.
//!
//! An event has two places: its position among all (from 0, the index of its leaf in the Merkle tree) and its number in
//! its stream (from 1). Neither ever has a gap, for one writer at a time gives them out. Its body is bytes here: what
//! they say is [`review`]'s.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use review::words::Moment;
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::database::{Database, Kind, RecordError, Result, places};
use crate::{ERASURES, PUBLIC_LOG};

/// The longest body of an event.
pub const EVENT_BYTES_MAX: usize = 1 << 20;

/// Rows in one statement. Seven values each stay below what either database takes.
const ROWS_MAX: usize = 500;

/// Fills bytes with randomness.
pub type Random<'a> = &'a mut (dyn FnMut(&mut [u8]) + Send);

/// An event that is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct New {
    /// When it happened.
    pub at: Moment,
    /// What happened, as canonical JSON.
    pub body: Vec<u8>,
}

/// Events that go into one stream together or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// The stream: the id of a case, a report, a roster.
    pub stream: String,
    /// How many events the sender knows it to have.
    pub expected: u64,
    /// What comes next.
    pub events: Vec<New>,
}

/// An append that was refused; nothing of it was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The stream is not as long as its sender believed.
    #[error("`{stream}` has {there} events, not {expected}: read what is new there, and decide again")]
    Stale {
        /// Which stream.
        stream: String,
        /// What the sender believed.
        expected: u64,
        /// How many there are.
        there: u64,
    },
    /// It does not have the form it must have.
    #[error("`{stream}` cannot take this: {rule}")]
    Form {
        /// Which stream.
        stream: String,
        /// What it must be.
        rule: &'static str,
    },
}

/// An event as it stands in the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Among all, from 0.
    pub position: u64,
    /// Its stream.
    pub stream: String,
    /// In its stream, from 1.
    pub number: u64,
    /// When it happened.
    pub at: Moment,
    /// What opens the commitment, and what happened; gone once it was erased.
    pub content: Option<Content>,
    /// SHA-256 over salt and body.
    pub commitment: [u8; 32],
    /// The position of the erasure that took the content.
    pub erased_by: Option<u64>,
}

/// What erasure takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Chance, so that nobody can guess the body from the commitment.
    pub salt: [u8; 32],
    /// What happened, as canonical JSON.
    pub body: Vec<u8>,
}

/// The record, open.
pub struct Record {
    pub(crate) database: Database,
}

impl Record {
    /// Opens the record, and makes it where there is none: `sqlite:PATH` or `postgres://USER@HOST/DATABASE`.
    ///
    /// # Errors
    ///
    /// A database that does not keep what it acknowledges, a schema of another version, and a record whose last event
    /// does not fit are refused.
    pub async fn open(address: &str) -> Result<Self> {
        let record = Self { database: Database::open(address).await? };
        record.check_end().await?;
        Ok(record)
    }

    /// Appends to one stream. See [`Self::append_batch`].
    ///
    /// # Errors
    ///
    /// A stale version is [`RecordError::Refused`].
    pub async fn append(&self, append: &Append, random: Random<'_>) -> Result<Vec<u64>> {
        let answers = self.append_batch(std::slice::from_ref(append), random).await?;
        Ok(answers.into_iter().collect::<std::result::Result<Vec<_>, _>>()?.concat())
    }

    /// Appends to many streams in one transaction, each with an answer of its own: the positions of its events, or why it
    /// was refused, in which case the others go in all the same. What was answered is on disk. An append that comes
    /// again gets the positions that it got before.
    ///
    /// # Errors
    ///
    /// The database failed: nothing was written, or it is not known and all may be sent again.
    pub async fn append_batch(
        &self,
        appends: &[Append],
        random: Random<'_>,
    ) -> Result<Vec<std::result::Result<Vec<u64>, Refused>>> {
        let mut writing = self.database.write().await?;
        let mut writer = Writer::begin(&mut writing.transaction, random, appends).await?;
        let mut answers = Vec::with_capacity(appends.len());
        for append in appends {
            answers.push(writer.append(append).await?);
        }
        writer.flush().await?;
        writing.commit().await?;
        Ok(answers)
    }

    /// Appends to several streams, all or none. An append that was made before, just as it is, counts as made.
    ///
    /// # Errors
    ///
    /// One of them was refused ([`RecordError::Refused`]), or the database failed; nothing was written then.
    pub async fn append_together(&self, appends: &[Append], random: Random<'_>) -> Result<Vec<Vec<u64>>> {
        let mut writing = self.database.write().await?;
        let mut writer = Writer::begin(&mut writing.transaction, random, appends).await?;
        let mut positions = Vec::with_capacity(appends.len());
        for append in appends {
            positions.push(writer.append(append).await??);
        }
        writer.flush().await?;
        writing.commit().await?;
        Ok(positions)
    }

    /// Appends to a stream of our own.
    pub(crate) async fn append_own(&self, append: &Append, random: Random<'_>) -> Result<Vec<u64>> {
        let mut writing = self.database.write().await?;
        let mut writer = Writer::begin(&mut writing.transaction, random, std::slice::from_ref(append)).await?;
        let positions = writer.append_any(append).await??;
        writer.flush().await?;
        writing.commit().await?;
        Ok(positions)
    }

    /// The streams whose names begin so, in the order of their names, each with how many events it has.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn streams(&self, beginning: &str) -> Result<Vec<(String, u64)>> {
        let pattern = format!("{}%", beginning.replace('!', "!!").replace('%', "!%").replace('_', "!_"));
        let sql = "SELECT stream, MAX(number) FROM events WHERE stream LIKE $1 ESCAPE '!' GROUP BY stream";
        let rows = sqlx::query(sql).bind(pattern).fetch_all(&self.database.pool).await?;
        let row = |row: &AnyRow| Ok((row.try_get(0)?, natural(row.try_get(1)?)?));
        let mut streams = rows.iter().map(row).collect::<Result<Vec<(String, u64)>>>()?;
        // Databases compare texts each in their own way; and SQLite's LIKE takes `A` for `a`.
        streams.retain(|(stream, _)| stream.starts_with(beginning));
        streams.sort();
        Ok(streams)
    }

    /// How many events there are in all: the position of the next.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn end(&self) -> Result<u64> {
        let end =
            sqlx::query("SELECT COALESCE(MAX(position) + 1, 0) FROM events").fetch_one(&self.database.pool).await?;
        natural(end.try_get(0)?)
    }

    /// How many events a stream has, without reading them.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn length(&self, stream: &str) -> Result<u64> {
        let length = sqlx::query("SELECT COALESCE(MAX(number), 0) FROM events WHERE stream = $1");
        natural(length.bind(stream.to_owned()).fetch_one(&self.database.pool).await?.try_get(0)?)
    }

    /// The events of one stream that come after a number (0 for all).
    ///
    /// # Errors
    ///
    /// An event that is not what its commitment says is refused.
    pub async fn stream(&self, stream: &str, after: u64) -> Result<Vec<Event>> {
        stream_after(&mut *self.database.pool.acquire().await?, stream, after).await
    }

    /// The same, at most so many.
    ///
    /// # Errors
    ///
    /// An event that is not what its commitment says is refused.
    pub async fn stream_from(&self, stream: &str, after: u64, limit: u32) -> Result<Vec<Event>> {
        stream_page(&mut *self.database.pool.acquire().await?, stream, after, limit).await
    }

    /// Events in the order of all, from a position on, at most so many.
    ///
    /// # Errors
    ///
    /// An event that is not what its commitment says is refused.
    pub async fn from(&self, position: u64, limit: u32) -> Result<Vec<Event>> {
        page(&mut *self.database.pool.acquire().await?, position, limit).await
    }

    /// Copies the record, as it is now, into a new SQLite file, while others write.
    ///
    /// # Errors
    ///
    /// PostgreSQL has tools of its own for this; a file that is there already is not written over.
    pub async fn back_up(&self, to: &Path) -> Result<()> {
        let path = to.display().to_string();
        let failed = |error| RecordError::File { path: path.clone(), error };
        if self.database.kind == Kind::Postgres {
            return Err(RecordError::Form("a record on PostgreSQL is backed up by pg_basebackup or pg_dump".into()));
        }
        if to.try_exists().map_err(failed)? {
            return Err(failed(std::io::ErrorKind::AlreadyExists.into()));
        }
        sqlx::query("VACUUM INTO $1").bind(path.clone()).execute(&self.database.pool).await?;
        // SQLite leaves it to us that the copy outlives a power cut.
        std::fs::File::open(to).and_then(|file| file.sync_all()).map_err(failed)
    }

    /// Lets go of the database.
    pub async fn close(self) {
        self.database.pool.close().await;
        self.database.writer.close().await;
    }

    /// Looks whether the last event fits: what a torn write or a wrong file shows first.
    async fn check_end(&self) -> Result<()> {
        let mut transaction = self.database.read().await?;
        let end = sqlx::query("SELECT COALESCE(MAX(position), -1) FROM events").fetch_one(&mut *transaction).await?;
        let Ok(last) = u64::try_from(end.try_get::<i64, _>(0)?) else { return Ok(()) };
        let altered = |reason: &str| Err(RecordError::Altered { position: last, reason: reason.to_owned() });
        let events = page(&mut transaction, last.saturating_sub(1), 2).await?;
        let Some(event) = events.last().filter(|_| last == 0 || events.len() == 2) else {
            return altered("the event before the last is missing");
        };
        let before = event.number.saturating_sub(1);
        let stream = stream_after(&mut transaction, &event.stream, before.saturating_sub(1)).await?;
        match stream.iter().map(|event| event.number).eq(before.max(1)..=event.number) {
            true => Ok(()),
            false => altered("the numbers of its stream have a gap"),
        }
    }
}

/// Appends within a transaction, many rows to a statement.
pub(crate) struct Writer<'c, 'r> {
    connection: &'c mut AnyConnection,
    random: Random<'r>,
    next: u64,
    lengths: BTreeMap<String, u64>,
    waiting: Vec<Waiting>,
}

/// A row that waits for its statement.
struct Waiting {
    position: u64,
    stream: String,
    number: u64,
    event: New,
    salt: [u8; 32],
}

impl<'c, 'r> Writer<'c, 'r> {
    /// Looks up where the record and the streams end.
    pub(crate) async fn begin(
        connection: &'c mut AnyConnection,
        random: Random<'r>,
        appends: &[Append],
    ) -> Result<Self> {
        let end = sqlx::query("SELECT COALESCE(MAX(position) + 1, 0) FROM events").fetch_one(&mut *connection).await?;
        let next = natural(end.try_get(0)?)?;
        let streams: Vec<&str> =
            appends.iter().map(|append| append.stream.as_str()).collect::<BTreeSet<_>>().into_iter().collect();
        let mut lengths = BTreeMap::new();
        for some in streams.chunks(ROWS_MAX) {
            let sql = format!(
                "SELECT column1, (SELECT COALESCE(MAX(number), 0) FROM events WHERE stream = column1) \
                 FROM (VALUES {}) AS streams",
                places(some.len(), 1)
            );
            let query =
                some.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, stream| query.bind(stream.to_string()));
            for row in query.fetch_all(&mut *connection).await? {
                lengths.insert(row.try_get(0)?, natural(row.try_get(1)?)?);
            }
        }
        Ok(Self { connection, random, next, lengths, waiting: Vec::new() })
    }

    /// Appends to one stream: the positions, or why not.
    pub(crate) async fn append(&mut self, append: &Append) -> Result<std::result::Result<Vec<u64>, Refused>> {
        let rule = match append.stream.as_str() {
            ERASURES => "erasures are events of `Record::erase` alone",
            PUBLIC_LOG => "publications are events of `PublicLog::publish` alone",
            _ => return self.append_any(append).await,
        };
        Ok(Err(Refused::Form { stream: append.stream.clone(), rule }))
    }

    /// The same, to the streams of our own as well.
    pub(crate) async fn append_any(&mut self, append: &Append) -> Result<std::result::Result<Vec<u64>, Refused>> {
        let Append { stream, expected, events } = append;
        if let Err(rule) = well_formed(append) {
            return Ok(Err(Refused::Form { stream: stream.clone(), rule }));
        }
        let there = self.lengths.get(stream).copied().unwrap_or_default();
        if *expected != there {
            let again = if *expected < there { self.again(append).await? } else { None };
            let stale = || Refused::Stale { stream: stream.clone(), expected: *expected, there };
            return Ok(again.ok_or_else(stale));
        }
        let mut positions = Vec::with_capacity(events.len());
        for (event, number) in events.iter().zip(there + 1..) {
            let mut salt = [0; 32];
            (self.random)(&mut salt);
            let position = self.next;
            self.waiting.push(Waiting { position, stream: stream.clone(), number, event: event.clone(), salt });
            positions.push(position);
            self.next += 1;
            self.lengths.insert(stream.clone(), number);
            if self.waiting.len() == ROWS_MAX {
                self.flush().await?;
            }
        }
        Ok(Ok(positions))
    }

    /// The positions of these events, if they are there already just as they are sent.
    async fn again(&mut self, append: &Append) -> Result<Option<Vec<u64>>> {
        self.flush().await?;
        let there = stream_after(self.connection, &append.stream, append.expected).await?;
        let same = |(event, sent): (&Event, &New)| {
            event.at == sent.at && event.content.as_ref().is_some_and(|content| content.body == sent.body)
        };
        let all = there.len() >= append.events.len() && there.iter().zip(&append.events).all(same);
        Ok(all.then(|| there.iter().take(append.events.len()).map(|event| event.position).collect()))
    }

    /// Sends the rows that wait.
    pub(crate) async fn flush(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.waiting);
        if rows.is_empty() {
            return Ok(());
        }
        let columns = "position, stream, number, at, salt, body, commitment";
        let sql = format!("INSERT INTO events ({columns}) VALUES {}", places(rows.len(), 7));
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for Waiting { position, stream, number, event, salt } in rows {
            let commitment = commitment(&salt, &event.body).to_vec();
            query = query.bind(integer(position)).bind(stream).bind(integer(number)).bind(event.at.0);
            query = query.bind(salt.to_vec()).bind(event.body).bind(commitment);
        }
        query.execute(&mut *self.connection).await?;
        Ok(())
    }
}

fn well_formed(append: &Append) -> std::result::Result<(), &'static str> {
    let name = append.stream.chars().count();
    if !(1..=200).contains(&name) || append.stream.chars().any(char::is_control) {
        return Err("a stream has a name of 1 to 200 characters, none of them a control character");
    }
    if append.events.is_empty() {
        return Err("there is nothing to append");
    }
    if append.events.iter().any(|event| event.body.is_empty() || event.body.len() > EVENT_BYTES_MAX) {
        return Err("an event has 1 to 1,048,576 bytes; what is longer is a text beside the record");
    }
    Ok(())
}

pub(crate) fn commitment(salt: &[u8; 32], body: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(salt).chain_update(body).finalize().into()
}

/// A page of events in the order of all.
pub(crate) async fn page(connection: &mut AnyConnection, from: u64, limit: u32) -> Result<Vec<Event>> {
    let rows = sqlx::query(
        "SELECT position, stream, number, at, salt, body, commitment, erased_by FROM events \
         WHERE position >= $1 ORDER BY position LIMIT $2",
    );
    let rows = rows.bind(integer(from)).bind(i64::from(limit)).fetch_all(connection).await?;
    rows.iter().map(event).collect()
}

pub(crate) async fn stream_after(connection: &mut AnyConnection, stream: &str, after: u64) -> Result<Vec<Event>> {
    stream_page(connection, stream, after, u32::MAX).await
}

/// A page of the events of one stream.
pub(crate) async fn stream_page(
    connection: &mut AnyConnection,
    stream: &str,
    after: u64,
    limit: u32,
) -> Result<Vec<Event>> {
    let rows = sqlx::query(
        "SELECT position, stream, number, at, salt, body, commitment, erased_by FROM events \
         WHERE stream = $1 AND number > $2 ORDER BY number LIMIT $3",
    );
    let rows = rows.bind(stream.to_owned()).bind(integer(after)).bind(i64::from(limit));
    rows.fetch_all(connection).await?.iter().map(event).collect()
}

/// An event as its row has it, held against its commitment.
fn event(row: &AnyRow) -> Result<Event> {
    let position = natural(row.try_get("position")?)?;
    let altered = |reason: &str| RecordError::Altered { position, reason: reason.to_owned() };
    let digest = |bytes: Vec<u8>| <[u8; 32]>::try_from(bytes).map_err(|_| altered("it has a part of the wrong length"));
    let committed = digest(row.try_get("commitment")?)?;
    let salt: Option<Vec<u8>> = row.try_get("salt")?;
    let body: Option<Vec<u8>> = row.try_get("body")?;
    let content = match (salt, body) {
        (Some(salt), Some(body)) => Some(Content { salt: digest(salt)?, body }),
        (None, None) => None,
        _ => return Err(altered("one half of its content is gone and the other is there")),
    };
    if content.as_ref().is_some_and(|content| commitment(&content.salt, &content.body) != committed) {
        return Err(altered("it is not what its commitment says"));
    }
    let erased_by = row.try_get::<Option<i64>, _>("erased_by")?.map(natural).transpose()?;
    if erased_by.is_some() == content.is_some() {
        return Err(altered(if content.is_some() {
            "it is there although erased"
        } else {
            "it is gone and no erasure says why"
        }));
    }
    let (stream, number) = (row.try_get("stream")?, natural(row.try_get("number")?)?);
    let at = Moment(row.try_get("at")?);
    Ok(Event { position, stream, number, at, content, commitment: committed, erased_by })
}

/// Counts are never negative here; databases know no other integers than signed ones.
pub(crate) fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(crate) fn natural(integer: i64) -> Result<u64> {
    u64::try_from(integer).map_err(|_| RecordError::Damaged(format!("a count is {integer}")))
}
