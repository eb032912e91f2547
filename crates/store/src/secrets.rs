//! Small secrets kept in a file that a passphrase opens (`age` with scrypt). It keeps none itself.

use crate::database::{RecordError, Result};
use age::secrecy::SecretString;

/// A file that asks for more work is refused: 2²⁰ steps take a second or some, and a gibibyte of memory.
const WORK_FACTOR_MAX: u8 = 20;

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

/// Opens it, armored or not.
///
/// # Errors
///
/// Another passphrase, or a file that is none.
pub fn open_with_passphrase(sealed: &[u8], passphrase: &str) -> Result<Vec<u8>> {
    use std::io::Read as _;
    let failed = |error: &dyn std::fmt::Display| RecordError::Form(format!("it does not open: {error}"));
    let mut identity = age::scrypt::Identity::new(SecretString::from(passphrase.to_owned()));
    identity.set_max_work_factor(WORK_FACTOR_MAX);
    let file = age::Decryptor::new_buffered(age::armor::ArmoredReader::new(sealed)).map_err(|error| failed(&error))?;
    let mut reader = file.decrypt(std::iter::once(&identity as &dyn age::Identity)).map_err(|error| failed(&error))?;
    let mut secret = Vec::new();
    reader.read_to_end(&mut secret).map_err(|error| failed(&error))?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_opens_what_it_sealed_and_no_other_does() {
        let sealed = seal_with_passphrase(b"secret", "correct horse").unwrap();
        assert_eq!(open_with_passphrase(&sealed, "correct horse").unwrap(), b"secret");
        assert!(open_with_passphrase(&sealed, "battery staple").is_err());
        let mut armored = age::armor::ArmoredWriter::wrap_output(Vec::new(), age::armor::Format::AsciiArmor).unwrap();
        std::io::Write::write_all(&mut armored, &sealed).unwrap();
        assert_eq!(open_with_passphrase(&armored.finish().unwrap(), "correct horse").unwrap(), b"secret");
        assert!(open_with_passphrase(b"no age file", "correct horse").is_err());
        assert!(seal_with_passphrase(b"secret", "").is_err());
    }
}
