//! Private texts: encrypted with `age` before they reach the database, kept by the digest that events name them by. It
//! knows no keys of its own: recipients and identities come in. `age` draws its own randomness.
//!
//! Somebody with the ciphertext and an identity can read it without Tribune: `age --decrypt`.

use review::words::{Digest, Text};
use sqlx::{AnyConnection, Row};

use crate::database::{RecordError, Result};
use crate::record::Record;
use crate::{Identity, Recipient};

impl Record {
    /// Encrypts a text to all recipients and keeps it. A text that is there already stays as it is.
    ///
    /// # Errors
    ///
    /// No recipient, or the database failed.
    pub async fn keep_text(&self, text: &[u8], to: &[Recipient]) -> Result<Text> {
        let digest = Digest::of(text);
        let ciphertext = encrypted(digest, text, to)?;
        self.keep_ciphertext(digest, &ciphertext).await?;
        Ok(digest)
    }

    /// Encrypts a text to all recipients and keeps it, in the place of what was kept of it before.
    ///
    /// # Errors
    ///
    /// No recipient, or the database failed.
    pub async fn keep_text_anew(&self, text: &[u8], to: &[Recipient]) -> Result<Text> {
        let digest = Digest::of(text);
        let ciphertext = encrypted(digest, text, to)?;
        let keep = sqlx::query(
            "INSERT INTO texts (digest, ciphertext) VALUES ($1, $2) \
             ON CONFLICT (digest) DO UPDATE SET ciphertext = excluded.ciphertext",
        );
        let mut writing = self.database.write().await?;
        keep.bind(digest.0.to_vec()).bind(ciphertext).execute(&mut *writing.transaction).await?;
        writing.commit().await?;
        Ok(digest)
    }

    /// Keeps a text that came encrypted already. Whether it is what the digest says shows only when it is opened.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn keep_ciphertext(&self, digest: Text, ciphertext: &[u8]) -> Result<()> {
        let mut writing = self.database.write().await?;
        keep(&mut writing.transaction, digest, ciphertext).await?;
        writing.commit().await
    }

    /// A text as it is kept, encrypted: for whoever decrypts it elsewhere.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn ciphertext(&self, digest: Text) -> Result<Option<Vec<u8>>> {
        ciphertext(&mut *self.database.pool.acquire().await?, digest).await
    }

    /// A text, read with one of its keys.
    ///
    /// # Errors
    ///
    /// It is not there, the key is none of its keys, or it is not what its digest says.
    pub async fn text(&self, digest: Text, identity: &Identity) -> Result<Vec<u8>> {
        match self.ciphertext(digest).await? {
            Some(ciphertext) => decrypted(digest, &ciphertext, identity),
            None => Err(missing(digest)),
        }
    }

    /// Encrypts texts anew to other recipients, all or none: when somebody leaves or a conflict is declared. The old
    /// ciphertexts are gone from the database; backups keep theirs. Says whether its files are clean of them already.
    ///
    /// # Errors
    ///
    /// One of them is not there, cannot be opened or is not what its digest says; none is changed then.
    pub async fn rewrap(&self, digests: &[Text], identity: &Identity, to: &[Recipient]) -> Result<bool> {
        let mut writing = self.database.write().await?;
        for digest in digests {
            let connection = &mut *writing.transaction;
            let old = ciphertext(connection, *digest).await?.ok_or_else(|| missing(*digest))?;
            let new = encrypted(*digest, &decrypted(*digest, &old, identity)?, to)?;
            let change = sqlx::query("UPDATE texts SET ciphertext = $1 WHERE digest = $2");
            change.bind(new).bind(digest.0.to_vec()).execute(connection).await?;
        }
        writing.commit().await?;
        self.database.scrub("texts").await
    }
}

pub(crate) async fn keep(connection: &mut AnyConnection, digest: Text, ciphertext: &[u8]) -> Result<()> {
    let keep = sqlx::query("INSERT INTO texts (digest, ciphertext) VALUES ($1, $2) ON CONFLICT DO NOTHING");
    keep.bind(digest.0.to_vec()).bind(ciphertext.to_vec()).execute(connection).await?;
    Ok(())
}

async fn ciphertext(connection: &mut AnyConnection, digest: Text) -> Result<Option<Vec<u8>>> {
    let query = sqlx::query("SELECT ciphertext FROM texts WHERE digest = $1").bind(digest.0.to_vec());
    Ok(query.fetch_optional(connection).await?.map(|row| row.try_get(0)).transpose()?)
}

fn missing(digest: Text) -> RecordError {
    RecordError::Text { digest, what: "read", reason: "it is not kept here, or was erased".into() }
}

fn encrypted(digest: Text, text: &[u8], to: &[Recipient]) -> Result<Vec<u8>> {
    use std::io::Write;
    let failed = |reason: String| RecordError::Text { digest, what: "encrypted", reason };
    let recipients = to.iter().map(|recipient| recipient as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(recipients).map_err(|error| failed(error.to_string()))?;
    let mut ciphertext = Vec::new();
    let written = encryptor.wrap_output(&mut ciphertext).and_then(|mut writer| {
        writer.write_all(text)?;
        writer.finish()
    });
    written.map_err(|error| failed(error.to_string()))?;
    Ok(ciphertext)
}

fn decrypted(digest: Text, ciphertext: &[u8], identity: &Identity) -> Result<Vec<u8>> {
    let failed = |reason: String| RecordError::Text { digest, what: "decrypted", reason };
    let text = age::decrypt(identity, ciphertext).map_err(|error| failed(error.to_string()))?;
    match Digest::of(&text) == digest {
        true => Ok(text),
        false => Err(failed("what is in it has another digest".into())),
    }
}
