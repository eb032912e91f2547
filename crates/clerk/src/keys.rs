//! Keys of a person's own that a passphrase opens: the one they approve with and the one they read with.
//!
//! Both are `age` files (scrypt), armored or not, as `tribune decision new-key` and `age --passphrase` write them. It keeps
//! none of them, and holds what it opened no longer than it takes. The weaker form of signing: the secret is in this
//! process's memory while it signs, where an SSH key stays with ssh-keygen, an agent or a token.

use crate::error::Error;
use ed25519_dalek::{Signer as _, SigningKey};
use review::act::Approval;
use review::roster::{KeyForm, PublicKey};
use review::words::Digest;
use std::str::FromStr as _;
use store::{Identity, RecordError, open_with_passphrase, seal_with_passphrase};
use zeroize::Zeroizing;

/// The largest file of a key: a passphrase is tried on nothing larger.
pub const KEY_BYTES_MAX: usize = 16 * 1024;

/// A new key to approve with, of 32 bytes that chance drew: as it is kept, and its public half.
///
/// # Errors
/// The passphrase is empty.
pub fn new_signing_key(seed: &[u8; 32], passphrase: &str) -> Result<(Vec<u8>, PublicKey), Error> {
    let public = PublicKey(SigningKey::from_bytes(seed).verifying_key().to_bytes());
    Ok((seal_with_passphrase(seed, passphrase).map_err(wrong)?, public))
}

/// The public half of a key to approve with.
///
/// # Errors
/// The passphrase does not open it, or it is another kind of file.
pub fn signs_as(sealed: &[u8], passphrase: &str) -> Result<PublicKey, Error> {
    Ok(PublicKey(signing_key(sealed, passphrase)?.verifying_key().to_bytes()))
}

/// Signs what is to be approved ([`review::seal`]); `shown` is the digest of what the person was shown.
///
/// # Errors
/// The passphrase does not open the key.
pub fn approve(sealed: &[u8], passphrase: &str, message: &str, shown: Digest) -> Result<Approval, Error> {
    let key = signing_key(sealed, passphrase)?;
    let signature = key.sign(message.as_bytes()).to_bytes();
    Ok(Approval {
        key: PublicKey(key.verifying_key().to_bytes()),
        form: KeyForm::Passphrase,
        signature: signature.iter().map(|byte| format!("{byte:02x}")).collect(),
        shown,
        identity: None,
    })
}

fn signing_key(sealed: &[u8], passphrase: &str) -> Result<SigningKey, Error> {
    let seed = opened(sealed, passphrase)?;
    let wrong = || Error::Wrong("it holds no key to approve with; `tribune decision new-key` makes one".to_owned());
    let seed: &[u8; 32] = seed.as_slice().try_into().map_err(|_| wrong())?;
    Ok(SigningKey::from_bytes(seed))
}

/// The `age` identity in a file: the first, as `age-keygen` writes it.
///
/// # Errors
/// The passphrase does not open it, or there is none in it.
pub fn identity(sealed: &[u8], passphrase: &str) -> Result<Identity, Error> {
    let text = opened(sealed, passphrase)?;
    let lines = std::str::from_utf8(&text).unwrap_or_default().lines().map(str::trim);
    let line = lines.filter(|line| !line.is_empty()).find(|line| !line.starts_with('#'));
    let wrong = "it holds no age identity; `age-keygen | age --passphrase --armor` makes a file that does";
    line.and_then(|line| Identity::from_str(line).ok()).ok_or_else(|| Error::Wrong(wrong.to_owned()))
}

fn opened(sealed: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    if sealed.len() > KEY_BYTES_MAX {
        return Err(Error::Wrong(format!("a key's file has {KEY_BYTES_MAX} bytes at most")));
    }
    open_with_passphrase(sealed, passphrase).map(Zeroizing::new).map_err(wrong)
}

/// What is wrong with a file or its passphrase is no failure of the record's.
fn wrong(error: RecordError) -> Error {
    match error {
        RecordError::Form(says) => Error::Wrong(says),
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};

    #[test]
    fn a_key_signs_with_its_passphrase_and_is_none_of_another_kind() {
        let (sealed, public) = new_signing_key(&[7; 32], "several words").unwrap();
        assert_eq!(signs_as(&sealed, "several words").unwrap(), public);
        let approval = approve(&sealed, "several words", "what is approved", Digest::of("shown")).unwrap();
        let bytes = (0..64).map(|at| u8::from_str_radix(&approval.signature[2 * at..2 * at + 2], 16).unwrap());
        let signature = Signature::from_slice(&bytes.collect::<Vec<_>>()).unwrap();
        let key = VerifyingKey::from_bytes(&public.0).unwrap();
        assert!(key.verify(b"what is approved", &signature).is_ok());
        assert!(key.verify(b"something else", &signature).is_err());
        assert_eq!((approval.key, approval.form), (public, KeyForm::Passphrase));
        assert!(signs_as(&sealed, "other words").unwrap_err().to_string().contains("does not open"));
        assert!(identity(&sealed, "several words").err().unwrap().to_string().contains("holds no age identity"));
    }

    #[test]
    fn an_identity_is_read_as_age_keygen_writes_it() {
        use age::secrecy::ExposeSecret as _;
        let own = Identity::generate();
        let secret = own.to_string();
        let file = format!("# created: today\n# public key: {}\n{}\n", own.to_public(), secret.expose_secret());
        let sealed = seal_with_passphrase(file.as_bytes(), "several words").unwrap();
        let opened = identity(&sealed, "several words").unwrap();
        assert_eq!(opened.to_public().to_string(), own.to_public().to_string());
        assert!(signs_as(&sealed, "several words").unwrap_err().to_string().contains("holds no key"));
        let long = vec![0; KEY_BYTES_MAX + 1];
        assert!(identity(&long, "several words").err().unwrap().to_string().contains("at most"));
    }
}
