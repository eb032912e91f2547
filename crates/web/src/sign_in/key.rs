//! The server's own secret for signing in: 32 bytes in a file beside the configuration, the same at every replica. Without
//! it nothing of an account's secrets can be read or guessed from the database, nor a cookie be made.
//!
//! Each use has a key of its own that follows from it (HKDF), so that none says anything of another.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;
use store::Identity;
use zeroize::Zeroizing;

const NONCE_BYTES: usize = 24;

/// The secret.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// Of its bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The key for one use.
    pub(crate) fn of(&self, used_for: &str) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        let _fails_for_longer_ones_alone = Hkdf::<Sha256>::new(None, &*self.0).expand(used_for.as_bytes(), &mut *key);
        key
    }

    /// What opens texts that are addressed to customers ([`clerk::Papers::customers`]).
    pub fn customers(&self) -> Option<Identity> {
        let secret = self.of("texts to customers");
        let text = bech32::encode::<bech32::Bech32>(bech32::Hrp::parse_unchecked("AGE-SECRET-KEY-"), &*secret);
        Zeroizing::new(text.ok()?).to_ascii_uppercase().parse().ok()
    }

    /// A number that says nothing of a text to who has not the key.
    pub(crate) fn mark(&self, used_for: &str, text: &str) -> [u8; 32] {
        let mut mark = [0; 32];
        let salted = Hkdf::<Sha256>::new(Some(&*self.of(used_for)), text.as_bytes());
        let _fails_for_longer_ones_alone = salted.expand(b"mark", &mut mark);
        mark
    }

    /// Encrypts something so that it is read for this use and name alone; `drawn` is chance.
    pub(crate) fn seal(&self, used_for: &str, name: &str, drawn: [u8; NONCE_BYTES], text: &[u8]) -> Option<Vec<u8>> {
        let cipher = XChaCha20Poly1305::new((&*self.of(used_for)).into());
        let payload = Payload { msg: text, aad: name.as_bytes() };
        let sealed = cipher.encrypt(XNonce::from_slice(&drawn), payload).ok()?;
        Some([&drawn[..], &sealed].concat())
    }

    /// Reads it.
    pub(crate) fn open(&self, used_for: &str, name: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES)?;
        let cipher = XChaCha20Poly1305::new((&*self.of(used_for)).into());
        let payload = Payload { msg: sealed, aad: name.as_bytes() };
        cipher.decrypt(XNonce::from_slice(nonce), payload).ok().map(Zeroizing::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_for_its_use_and_name_with_its_key_alone() {
        let (key, other) = (Key::new([1; 32]), Key::new([2; 32]));
        let sealed = key.seal("totp", "ann", [3; 24], b"secret").unwrap();
        assert_eq!(key.open("totp", "ann", &sealed).unwrap().as_slice(), b"secret");
        assert!(key.open("totp", "ben", &sealed).is_none() && key.open("cookie", "ann", &sealed).is_none());
        assert!(other.open("totp", "ann", &sealed).is_none() && key.open("totp", "ann", &sealed[..30]).is_none());
        assert!(key.open("totp", "ann", &[]).is_none());
        assert_ne!(key.mark("guess", "ann"), key.mark("guess", "ben"));
        let public = |key: &Key| key.customers().unwrap().to_public().to_string();
        assert!(public(&key) == public(&key) && public(&key) != public(&other));
        assert_ne!(key.mark("guess", "ann"), other.mark("guess", "ann"));
    }
}
