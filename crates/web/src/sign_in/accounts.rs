//! Local accounts: a name, a password, and a code that changes every half minute (TOTP, RFC 6238).
//!
//! They lie in the drawer, not among the events: passwords as Argon2id hashes (PHC strings) peppered with the server's
//! key, the secrets of codes encrypted with it. A code is used once, at whichever replica. Who an account is for is the
//! roster's: an account of somebody who has left lets nobody in.

use crate::session::Who;
use crate::sign_in::key::Key;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use clerk::Error;
use review::words::Moment;
use serde::{Deserialize, Serialize};
use store::{Random, Record, Slip};
use subtle::ConstantTimeEq as _;
use totp_rs::TOTP;
use zeroize::Zeroizing;

/// The drawer of accounts.
const ACCOUNTS: &str = "account";
/// How long a code lasts.
const STEP_SECONDS: u64 = 30;
/// As many bytes as SHA-1 takes best (RFC 4226 §4).
const SECRET_BYTES: usize = 20;
/// The shortest password.
pub const PASSWORD_CHARS_MIN: usize = 12;
/// The longest: beyond it, hashing would be work for its own sake.
pub const PASSWORD_BYTES_MAX: usize = 512;
const NAME_CHARS_MAX: usize = 64;

/// What an unknown name's password is held against: as much work as a known one's. No password has this hash.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGlzIGhlcmU$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Somebody's account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    /// What they call themselves when they sign in.
    pub name: String,
    /// Who they are.
    pub who: Who,
    password: String,
    /// Of their codes, encrypted.
    secret: Vec<u8>,
    /// The number of the last half minute whose code was used.
    used: u64,
}

/// What is set up anew for somebody.
pub struct Enrolled {
    /// `otpauth://totp/…`: what an authenticator reads, as a line or a QR code. It is shown once and kept by nobody.
    pub otpauth: String,
}

/// The name of an account as it is kept: small letters, so that nobody signs in as another by a capital.
///
/// # Errors
/// What it may not be.
pub fn name(text: &str) -> Result<String, Error> {
    let name = text.trim().to_ascii_lowercase();
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@+".contains(&byte);
    let fit = !name.is_empty() && name.len() <= NAME_CHARS_MAX && name.bytes().all(good);
    let mend = "an account's name has letters, digits and `._-@+`, 64 characters at most";
    if fit { Ok(name) } else { Err(Error::Wrong(mend.to_owned())) }
}

/// Makes an account for somebody or, where nobody is named, gives the one that is there another password and other codes.
/// Gives whose it is.
///
/// # Errors
/// The name is taken, or of nobody; the password is too short; the record failed.
pub async fn enrol(
    record: &Record,
    key: &Key,
    (account, who, issuer): (&str, Option<Who>, &str),
    password: &str,
    random: Random<'_>,
) -> Result<(Who, Enrolled), Error> {
    let account = name(account)?;
    let there = find(record, &account).await?;
    let (who, version) = match (there, who) {
        (None, Some(who)) => (who, 0),
        (Some((there, version)), None) => (there.who, version),
        (Some(_), Some(_)) => {
            let mend = "`tribune record account reset` gives it another password";
            return Err(Error::Wrong(format!("there is an account `{account}` already; {mend}")));
        }
        (None, None) => return Err(unknown(&account)),
    };
    let mut secret = Zeroizing::new(vec![0; SECRET_BYTES]);
    let (mut salt, mut nonce) = ([0; 16], [0; 24]);
    random(&mut secret);
    random(&mut salt);
    random(&mut nonce);
    let otpauth = totp(&secret, issuer, &account)?.get_url();
    let sealed = key.seal("totp", &account, nonce, &secret).ok_or_else(|| defect("a secret cannot be sealed"))?;
    let password = hash(key, password, &salt)?;
    let kept = Account { name: account.clone(), who: who.clone(), password, secret: sealed, used: 0 };
    match put(record, &kept, version).await? {
        true => Ok((who, Enrolled { otpauth })),
        false => Err(Error::Busy),
    }
}

/// Gives an account another password, and leaves its codes as they are. False if it changed meanwhile.
///
/// # Errors
/// The password is too short or too long, there is no such account, or the record failed.
pub(crate) async fn change_password(record: &Record, account: &str, password: String) -> Result<bool, Error> {
    let (there, version) = find(record, account).await?.ok_or_else(|| unknown(account))?;
    put(record, &Account { password, ..there }, version).await
}

/// Takes an account away; gives whose it was.
///
/// # Errors
/// There is none of the name, or the record failed.
pub async fn remove(record: &Record, account: &str) -> Result<Who, Error> {
    let account = name(account)?;
    let (there, _) = find(record, &account).await?.ok_or_else(|| unknown(&account))?;
    record.take_slip(ACCOUNTS, &account).await?;
    Ok(there.who)
}

/// Ends all sessions of whoever had an account: when it is gone, or its password another.
///
/// # Errors
/// The record failed.
pub async fn end_sessions(record: &Record, who: &Who) -> Result<(), Error> {
    record.take_slips_of(crate::session::SESSIONS, &who.holder(), None).await?;
    Ok(())
}

fn unknown(account: &str) -> Error {
    Error::Wrong(format!("there is no account `{account}`; `tribune record account add` makes one"))
}

/// An account and the version of it.
pub(crate) async fn find(record: &Record, account: &str) -> Result<Option<(Account, u64)>, Error> {
    let Some(slip) = record.slip(ACCOUNTS, account, Moment(0)).await? else { return Ok(None) };
    let read = serde_json::from_slice(&slip.body);
    Ok(Some((read.map_err(|error| defect(&format!("an account has another form: {error}")))?, slip.version)))
}

async fn put(record: &Record, account: &Account, version: u64) -> Result<bool, Error> {
    let body = serde_json::to_vec(account).map_err(|error| Error::Defect(error.to_string()))?;
    let (name, holder, until) = (account.name.clone(), account.who.holder(), Moment(i64::MAX));
    Ok(record.put_slip(ACCOUNTS, &Slip { name, holder, version, until, body }).await?)
}

/// Uses a code up, if it is one of now, of the half minute before or of the next, and was not used yet.
pub(crate) async fn use_code(
    record: &Record,
    key: &Key,
    (account, version): (&Account, u64),
    code: &str,
    now: Moment,
) -> Result<bool, Error> {
    let secret = key.open("totp", &account.name, &account.secret);
    let secret = secret.ok_or_else(|| defect("the server's key is not the one that accounts were made with"))?;
    let totp = totp(&secret, "", &account.name)?;
    let code: String = code.chars().filter(|sign| !sign.is_whitespace()).collect();
    let this = u64::try_from(now.0).unwrap_or_default() / STEP_SECONDS;
    let mut matched = None;
    for step in this.saturating_sub(1)..=this + 1 {
        let same: bool = totp.generate(step * STEP_SECONDS).as_bytes().ct_eq(code.as_bytes()).into();
        if same && step > account.used {
            matched = Some(step);
        }
    }
    let Some(used) = matched else { return Ok(false) };
    // Of two who come with it at once, one is told that it was used.
    put(record, &Account { used, ..account.clone() }, version).await
}

fn totp(secret: &[u8], issuer: &str, account: &str) -> Result<TOTP, Error> {
    let issuer = Some(issuer.replace(':', " ")).filter(|issuer| !issuer.is_empty());
    let (digits, skew) = (6, 0);
    TOTP::new(totp_rs::Algorithm::SHA1, digits, skew, STEP_SECONDS, secret.to_vec(), issuer, account.to_owned())
        .map_err(|error| defect(&error.to_string()))
}

/// Argon2id with the first of the parameters that OWASP recommends: 19 MiB, two passes, one lane.
fn argon2(pepper: &[u8; 32]) -> Result<Argon2<'_>, Error> {
    let params = Params::new(19_456, 2, 1, None).map_err(|error| defect(&error.to_string()))?;
    Argon2::new_with_secret(pepper, Algorithm::Argon2id, Version::V0x13, params)
        .map_err(|error| defect(&error.to_string()))
}

/// Whether a password may be one.
///
/// # Errors
/// What it should be.
pub(crate) fn fit(password: &str) -> Result<(), Error> {
    if password.chars().count() < PASSWORD_CHARS_MIN || password.len() > PASSWORD_BYTES_MAX {
        let mend = format!("a password has at least {PASSWORD_CHARS_MIN} characters: take several words");
        return Err(Error::Wrong(mend));
    }
    Ok(())
}

pub(crate) fn hash(key: &Key, password: &str, salt: &[u8]) -> Result<String, Error> {
    fit(password)?;
    let pepper = key.of("password");
    let hash = argon2(&pepper)?.hash_password_with_salt(password.as_bytes(), salt);
    hash.map(|hash| hash.to_string()).map_err(|error| defect(&error.to_string()))
}

/// Whether a password is an account's; as much work for an account that is not there.
pub(crate) fn is_password_of(key: &Key, account: Option<&Account>, password: &str) -> Result<bool, Error> {
    let phc = account.map_or(NOBODYS, |account| account.password.as_str());
    let phc = PasswordHash::new(phc).map_err(|error| defect(&error.to_string()))?;
    let pepper = key.of("password");
    let same = argon2(&pepper)?.verify_password(password.as_bytes(), &phc).is_ok();
    Ok(same && account.is_some())
}

fn defect(what: &str) -> Error {
    Error::Defect(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_with_the_key_and_by_nothing_else() {
        let (key, other) = (Key::new([1; 32]), Key::new([2; 32]));
        let password = hash(&key, "several words of mine", &[7; 16]).unwrap();
        assert!(password.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{password}");
        let who = Who::Person("ann".parse().unwrap());
        let account = Account { name: "ann".to_owned(), who, password, secret: Vec::new(), used: 0 };
        assert!(is_password_of(&key, Some(&account), "several words of mine").unwrap());
        assert!(!is_password_of(&key, Some(&account), "several words of mine ").unwrap());
        assert!(!is_password_of(&other, Some(&account), "several words of mine").unwrap(), "the pepper is another");
        assert!(!is_password_of(&key, None, "several words of mine").unwrap());
        for short in ["", "short", "elevenchars"] {
            assert!(hash(&key, short, &[7; 16]).unwrap_err().to_string().contains("at least 12"));
        }
        assert!(hash(&key, &"x".repeat(513), &[7; 16]).is_err());
    }

    #[test]
    fn a_name_is_the_same_in_capitals_and_has_no_odd_signs() {
        assert_eq!(name(" Ann.B@Example ").unwrap(), "ann.b@example");
        for odd in ["", " ", "a b", "a:b", "a\u{202e}b", "é", &"a".repeat(65)] {
            assert!(name(odd).is_err(), "{odd:?}");
        }
    }
}
