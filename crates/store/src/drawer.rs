//! The drawer: what a server must keep and is not history. Sessions, local accounts, keys that a passphrase opens.
//!
//! Unlike events, slips are written over and taken away, and nothing of them is committed, published or counted. What
//! they say is bytes here; whoever writes one says which version they have seen, so that of two who write at once, in
//! whichever process, one is told that it was second. Backups have what lies in it: secrets must come in hashed or
//! encrypted.

use review::words::Moment;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::database::Result;
use crate::record::{Record, integer, natural};

/// What lies in the drawer under a kind and a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    /// Its name among those of its kind.
    pub name: String,
    /// Whose it is: all of a holder's are found and taken away together.
    pub holder: String,
    /// How often it was written, from 1. What is not there has version 0.
    pub version: u64,
    /// When it is over: it is not found any more then.
    pub until: Moment,
    /// What it says.
    pub body: Vec<u8>,
}

impl Record {
    /// A slip, if it is there and not over.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn slip(&self, kind: &str, name: &str, now: Moment) -> Result<Option<Slip>> {
        let query = sqlx::query(
            "SELECT name, holder, version, until, body FROM drawer WHERE kind = $1 AND name = $2 AND until > $3",
        );
        let query = query.bind(kind.to_owned()).bind(name.to_owned()).bind(now.0);
        query.fetch_optional(&self.database.pool).await?.as_ref().map(slip).transpose()
    }

    /// All of a holder's slips of a kind that are not over, in the order of their names.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn slips_of(&self, kind: &str, holder: &str, now: Moment) -> Result<Vec<Slip>> {
        let query = sqlx::query(
            "SELECT name, holder, version, until, body FROM drawer WHERE kind = $1 AND holder = $2 AND until > $3",
        );
        let rows = query.bind(kind.to_owned()).bind(holder.to_owned()).bind(now.0).fetch_all(&self.database.pool);
        let mut slips = rows.await?.iter().map(slip).collect::<Result<Vec<_>>>()?;
        // Databases compare texts each in their own way.
        slips.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(slips)
    }

    /// Writes a slip whose `version` is the one that was seen (0 for one that is not there); false if it is another by
    /// now, and then nothing changed.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn put_slip(&self, kind: &str, seen: &Slip) -> Result<bool> {
        let sql = match seen.version {
            0 => {
                "INSERT INTO drawer (kind, name, holder, version, until, body) VALUES ($1, $2, $3, $4 + 1, $5, $6) \
                 ON CONFLICT DO NOTHING"
            }
            _ => {
                "UPDATE drawer SET holder = $3, version = $4 + 1, until = $5, body = $6 \
                 WHERE kind = $1 AND name = $2 AND version = $4"
            }
        };
        let Slip { name, holder, version, until, body } = seen.clone();
        let query = sqlx::query(sql).bind(kind.to_owned()).bind(name).bind(holder).bind(integer(version));
        let mut writing = self.database.write().await?;
        let done = query.bind(until.0).bind(body).execute(&mut *writing.transaction).await?;
        writing.commit().await?;
        Ok(done.rows_affected() > 0)
    }

    /// Takes a slip away; of two who take it at once, one is told that it was there.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn take_slip(&self, kind: &str, name: &str) -> Result<bool> {
        let query = sqlx::query("DELETE FROM drawer WHERE kind = $1 AND name = $2");
        let mut writing = self.database.write().await?;
        let done = query.bind(kind.to_owned()).bind(name.to_owned()).execute(&mut *writing.transaction).await?;
        writing.commit().await?;
        Ok(done.rows_affected() > 0)
    }

    /// Takes all of a holder's slips of a kind away, but for one where it is named; gives how many.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn take_slips_of(&self, kind: &str, holder: &str, but: Option<&str>) -> Result<u64> {
        let query = sqlx::query("DELETE FROM drawer WHERE kind = $1 AND holder = $2 AND name <> $3");
        let query = query.bind(kind.to_owned()).bind(holder.to_owned()).bind(but.unwrap_or_default().to_owned());
        let mut writing = self.database.write().await?;
        let done = query.execute(&mut *writing.transaction).await?;
        writing.commit().await?;
        Ok(done.rows_affected())
    }

    /// Takes away all that is over; gives how many.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn clear_drawer(&self, now: Moment) -> Result<u64> {
        let mut writing = self.database.write().await?;
        let query = sqlx::query("DELETE FROM drawer WHERE until <= $1").bind(now.0);
        let done = query.execute(&mut *writing.transaction).await?;
        writing.commit().await?;
        Ok(done.rows_affected())
    }
}

fn slip(row: &AnyRow) -> Result<Slip> {
    Ok(Slip {
        name: row.try_get("name")?,
        holder: row.try_get("holder")?,
        version: natural(row.try_get("version")?)?,
        until: Moment(row.try_get("until")?),
        body: row.try_get("body")?,
    })
}
