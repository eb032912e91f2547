//! A person's own keys, kept as the files that their passphrase opens: the one they read private texts with, and the one
//! they approve with.
//!
//! Nothing here opens without the passphrase, which is posted once and kept nowhere. A key to read with is then in this
//! process's memory for the session; a key to approve with for one signature. What is in the files is the clerk's; which
//! keys count is the roster's.

use crate::answer::Problem;
use crate::session::{Session, Who};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clerk::{Error, keys};
use review::act::Approval;
use review::roster::KeyForm;
use review::words::{Digest, Moment};
use store::{Record, Slip};
use zeroize::Zeroizing;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Private texts.
    Reads,
    /// Approvals.
    Signs,
}

impl Kind {
    /// As it is written in forms, and the name of its drawer.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Reads => "reads-with",
            Self::Signs => "signs-with",
        }
    }

    pub(crate) fn of(name: &str) -> Option<Self> {
        [Self::Reads, Self::Signs].into_iter().find(|kind| kind.name() == name)
    }
}

/// Lays a key's file down for somebody, in the place of one that lies there. Whether its passphrase opens it, and whether
/// the roster has its public half, is for whoever calls to know.
///
/// # Errors
/// The record failed, or somebody was quicker.
pub async fn lay(record: &Record, who: &Who, kind: Kind, sealed: Vec<u8>) -> Result<(), Error> {
    let (name, until) = (who.holder(), Moment(i64::MAX));
    let version = record.slip(kind.name(), &name, Moment(0)).await?.map_or(0, |slip| slip.version);
    let slip = Slip { name: name.clone(), holder: name, version, until, body: sealed };
    if record.put_slip(kind.name(), &slip).await? { Ok(()) } else { Err(Error::Busy) }
}

impl Session {
    /// Signs what is to be approved with the key that lies here and the passphrase that opens it. `message` is
    /// [`review::seal`]'s, `shown` the digest of what they were shown.
    ///
    /// # Errors
    /// They did not prove who they are in the last five minutes ([`crate::sign_in::step_up`] leads there), there is no key
    /// of theirs here, or the passphrase is not its own: say that beside the field.
    pub async fn sign_with_passphrase(
        &self,
        passphrase: &str,
        message: &str,
        shown: Digest,
    ) -> Result<Approval, Problem> {
        self.fresh()?;
        let sealed = self.own_key(Kind::Signs).await?.ok_or_else(|| none(Kind::Signs))?;
        let (passphrase, message) = (Zeroizing::new(passphrase.to_owned()), message.to_owned());
        Ok(self.sign_in.opening(move || keys::approve(&sealed, &passphrase, &message, shown)).await?)
    }

    /// Whether a key to approve with lies here.
    ///
    /// # Errors
    /// The record failed.
    pub async fn has_signing_key(&self) -> Result<bool, Problem> {
        Ok(self.own_key(Kind::Signs).await?.is_some())
    }

    /// Keeps a key's file, if its passphrase opens it and the roster has its public half.
    pub(crate) async fn enrol(&self, kind: Kind, file: &str, passphrase: &str) -> Result<(), Error> {
        let sealed = file_of(file)?;
        let (bytes, passphrase) = (sealed.clone(), Zeroizing::new(passphrase.to_owned()));
        let member = self.member().clone();
        let check = move || match kind {
            Kind::Reads => {
                let public = keys::identity(&bytes, &passphrase)?.to_public().to_string();
                let known = member.reads_with.contains(&public);
                if known { Ok(()) } else { Err(not_on_the_roster("reads_with", &public)) }
            }
            Kind::Signs => {
                let public = keys::signs_as(&bytes, &passphrase)?;
                let known = member.keys.get(&public) == Some(&KeyForm::Passphrase);
                if known { Ok(()) } else { Err(not_on_the_roster("keys", &public.to_string())) }
            }
        };
        self.sign_in.opening(check).await?;
        lay(self.sign_in.clerk.record(), &self.kept.who, kind, sealed).await
    }

    /// Takes a key's file away.
    pub(crate) async fn drop_key(&self, kind: Kind) -> Result<(), Error> {
        self.sign_in.clerk.record().take_slip(kind.name(), &self.kept.who.holder()).await?;
        if kind == Kind::Reads {
            self.sign_in.lock(&self.kept.id);
        }
        Ok(())
    }

    /// A key's file, if one lies here.
    pub(crate) async fn own_key(&self, kind: Kind) -> Result<Option<Vec<u8>>, Error> {
        let slip = self.sign_in.clerk.record().slip(kind.name(), &self.kept.who.holder(), Moment(0)).await?;
        Ok(slip.map(|slip| slip.body))
    }

    /// Opens the key to read with, for this session and in this process.
    pub(crate) async fn unlock(&self, passphrase: &str) -> Result<(), Problem> {
        self.fresh()?;
        let sealed = self.own_key(Kind::Reads).await?.ok_or_else(|| none(Kind::Reads))?;
        let passphrase = Zeroizing::new(passphrase.to_owned());
        let identity = self.sign_in.opening(move || keys::identity(&sealed, &passphrase)).await?;
        self.sign_in.unlock(&self.kept.id, identity);
        Ok(())
    }

    fn fresh(&self) -> Result<(), Problem> {
        let says = "this needs it to be you, now: confirm who you are, and send it again";
        if self.is_fresh() { Ok(()) } else { Err(Problem::wrong(StatusCode::FORBIDDEN, says)) }
    }
}

fn none(kind: Kind) -> Error {
    let what = match kind {
        Kind::Reads => "no key to read with lies here",
        Kind::Signs => "no key to approve with lies here",
    };
    Error::Wrong(format!("{what}: put yours here first, on the page about you"))
}

fn not_on_the_roster(field: &str, public: &str) -> Error {
    let mend = "two who decide put it there; then bring the file again";
    Error::Wrong(format!("`{public}` is not among your `{field}` on the roster: {mend}"))
}

/// A key's file, from a text: armored as it is, or a binary one in base64.
fn file_of(text: &str) -> Result<Vec<u8>, Error> {
    let text = text.trim();
    if text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----") {
        return Ok(format!("{}\n", text.replace("\r\n", "\n")).into_bytes());
    }
    let joined: String = text.split_whitespace().collect();
    let file = STANDARD.decode(&joined).ok().filter(|file| file.starts_with(b"age-encryption.org/"));
    let mend = "paste an armored age file, or a binary one as `base64 FILE` prints it";
    file.ok_or_else(|| Error::Wrong(format!("this is no age file: {mend}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_pasted_armored_or_in_base64_and_nothing_else_is_one() {
        let armored = "-----BEGIN AGE ENCRYPTED FILE-----\r\nYWdl\r\n-----END AGE ENCRYPTED FILE-----\r\n";
        assert!(!file_of(armored).unwrap().contains(&b'\r'));
        let binary = b"age-encryption.org/v1\n-> scrypt";
        let text = format!(" {}\n{} ", &STANDARD.encode(binary)[..10], &STANDARD.encode(binary)[10..]);
        assert_eq!(file_of(&text).unwrap(), binary);
        for other in ["", "AGE-SECRET-KEY-1QQQ", "bm8gYWdlIGZpbGU=", "é"] {
            assert!(file_of(other).unwrap_err().to_string().contains("no age file"), "{other}");
        }
    }
}
