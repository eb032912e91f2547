//! Small secrets kept in a file that a passphrase opens (`age` with scrypt). It keeps none itself.

use crate::database::{RecordError, Result};
use age::secrecy::SecretString;

/// Encrypts a secret so that a passphrase opens it; `age --decrypt` does, too.
///
/// # Errors
///
/// An empty passphrase.
pub fn seal_with_passphrase(secret: &[u8], passphrase: &str) -> Result<Vec<u8>> {
    if passphrase.is_empty() {
        return Err(RecordError::Form("the passphrase is empty; choose one of several words".into()));
    }
    let recipient = age::scrypt::Recipient::new(SecretString::from(passphrase.to_owned()));
    age::encrypt(&recipient, secret).map_err(|error| RecordError::Form(format!("it could not be encrypted: {error}")))
}

/// Opens it.
///
/// # Errors
///
/// Another passphrase, or a file that is none.
pub fn open_with_passphrase(sealed: &[u8], passphrase: &str) -> Result<Vec<u8>> {
    let identity = age::scrypt::Identity::new(SecretString::from(passphrase.to_owned()));
    age::decrypt(&identity, sealed).map_err(|error| RecordError::Form(format!("it does not open: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_opens_what_it_sealed_and_no_other_does() {
        let sealed = seal_with_passphrase(b"secret", "correct horse").unwrap();
        assert_eq!(open_with_passphrase(&sealed, "correct horse").unwrap(), b"secret");
        assert!(open_with_passphrase(&sealed, "battery staple").is_err());
        assert!(open_with_passphrase(b"no age file", "correct horse").is_err());
        assert!(seal_with_passphrase(b"secret", "").is_err());
    }
}
