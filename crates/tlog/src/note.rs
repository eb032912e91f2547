//! Signed notes (C2SP signed-note): a text, and lines below it by which keys vouch for it.
//!
//! Two kinds of Ed25519 signature: over the text itself, as logs sign, and over the text with a time, as witnesses do
//! (C2SP tlog-cosignature). What the text says is not looked at here; that is [`crate::Checkpoint`].

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

/// A longer note is refused unread.
pub const NOTE_BYTES_MAX: usize = 1 << 20;

/// A note with more signatures is refused. The specification asks for at least 16; Go takes 100.
pub const SIGNATURES_MAX: usize = 100;

/// What a key of the signed-note text form begins with when it is secret.
const SECRET: &str = "PRIVATE+KEY+";

/// What a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// The text of a note: type 0x01.
    Note,
    /// A checkpoint and a time: type 0x04.
    Cosignature,
}

impl KeyKind {
    /// The byte that stands for it in key ids and keys.
    const fn byte(self) -> u8 {
        match self {
            Self::Note => 0x01,
            Self::Cosignature => 0x04,
        }
    }

    fn from_byte(byte: u8) -> Result<Self, KeyError> {
        [Self::Note, Self::Cosignature].into_iter().find(|kind| kind.byte() == byte).ok_or(KeyError::Kind(byte))
    }
}

/// Why a key is refused. It never repeats the key: it may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not the three parts of a key.
    #[error(
        "this is no key: `name+id+key` is wanted, the id in 8 lower-case hexadecimal digits, the key in base64; a secret one begins with `{SECRET}`"
    )]
    Form,
    /// A name that notes cannot carry.
    #[error(
        "`{0}` cannot name a key: a name has at least one character, no space, no control character and no `+`; a host and path without scheme is best"
    )]
    Name(String),
    /// Another signature type.
    #[error("signature type {0:#04x} is not understood here: 0x01 (Ed25519) and 0x04 (Ed25519 cosignature) are")]
    Kind(u8),
    /// A key for another use.
    #[error("the key of {name} is of another type: a log signs with type 0x01, a witness with 0x04")]
    Use {
        /// Whose it is.
        name: String,
    },
    /// The id is not that of the name and key.
    #[error("the key of {name} has the id {want:08x}, not {got:08x}: a part of it was altered; copy it anew")]
    Id {
        /// Whose it is.
        name: String,
        /// As computed.
        want: u32,
        /// As written.
        got: u32,
    },
    /// Bytes that are no Ed25519 key.
    #[error("the key of {name} is no Ed25519 key: 32 bytes are wanted, of a point of large order")]
    Key {
        /// Whose it is.
        name: String,
    },
}

fn check_name(name: &str) -> Result<(), KeyError> {
    let bad = |c: char| c.is_whitespace() || c < ' ' || c == '+';
    let fits = !name.is_empty() && !name.contains(bad);
    if fits { Ok(()) } else { Err(KeyError::Name(name.chars().take(80).collect())) }
}

/// The three parts of a key's text: name, id, and the bytes of the key after its type.
fn key_parts(text: &str) -> Result<(String, u32, KeyKind, Vec<u8>), KeyError> {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(KeyError::Form);
    };
    check_name(name)?;
    let number = u32::from_str_radix(id, 16).ok().filter(|number| format!("{number:08x}") == id);
    let key = STANDARD.decode(key).map_err(|_| KeyError::Form)?;
    let (Some(id), Some((kind, key))) = (number, key.split_first()) else { return Err(KeyError::Form) };
    Ok((name.to_owned(), id, KeyKind::from_byte(*kind)?, key.to_vec()))
}

/// A public key by name: what a signature is held against. Its text is the `vkey` of the specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    id: u32,
    kind: KeyKind,
    key: VerifyingKey,
}

impl Verifier {
    fn new(name: &str, kind: KeyKind, key: VerifyingKey) -> Result<Self, KeyError> {
        check_name(name)?;
        let hash = Sha256::new().chain_update(name).chain_update([b'\n', kind.byte()]).chain_update(key.as_bytes());
        let id = hash.finalize().iter().take(4).fold(0, |id, byte| id << 8 | u32::from(*byte));
        Ok(Self { name: name.to_owned(), id, kind, key })
    }

    /// Whose key it is.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The short number that, with the name, says which key signed.
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// What it signs.
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Whether both are the same key, whatever they are called.
    pub(crate) fn same_key(&self, other: &Self) -> bool {
        self.key == other.key
    }

    /// When it vouched for the text, if its kind says so; an error if it did not.
    fn verify(&self, text: &str, signature: &[u8]) -> Option<Option<u64>> {
        let (time, signature) = match self.kind {
            KeyKind::Note => (None, signature),
            KeyKind::Cosignature => {
                let (time, signature) = signature.split_first_chunk()?;
                (Some(u64::from_be_bytes(*time)), signature)
            }
        };
        let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
        let message = match time {
            None => text.to_owned(),
            Some(time @ ..=TIME_MAX) => cosigned_message(text, time),
            Some(_) => return None,
        };
        // Strict: keys and nonces of small order, with which one signature fits many texts, are refused.
        self.key.verify_strict(message.as_bytes(), &signature).ok().map(|()| time)
    }
}

/// What a witness signs.
fn cosigned_message(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// The last second that a cosignature may speak of.
const TIME_MAX: u64 = u64::MAX >> 1;

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [[self.kind.byte()].as_slice(), self.key.as_bytes()].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.id, STANDARD.encode(key))
    }
}

impl FromStr for Verifier {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, got, kind, bytes) = key_parts(text)?;
        let key = bytes.as_slice().try_into().ok().and_then(|bytes| VerifyingKey::from_bytes(bytes).ok());
        let Some(key) = key.filter(|key| !key.is_weak()) else { return Err(KeyError::Key { name }) };
        let verifier = Self::new(&name, kind, key)?;
        if verifier.id == got { Ok(verifier) } else { Err(KeyError::Id { name, want: verifier.id, got }) }
    }
}

/// A secret key and its public half. No `Debug` and no `Display`: it is not to end in a log by accident.
struct KeyPair {
    public: Verifier,
    secret: SigningKey,
}

impl KeyPair {
    fn new(name: &str, kind: KeyKind, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let secret = SigningKey::from_bytes(seed);
        Ok(Self { public: Verifier::new(name, kind, secret.verifying_key())?, secret })
    }

    fn parse(text: &str, kind: KeyKind) -> Result<Self, KeyError> {
        let (name, got, found, seed) = key_parts(text.strip_prefix(SECRET).ok_or(KeyError::Form)?)?;
        if found != kind {
            return Err(KeyError::Use { name });
        }
        let Ok(seed) = seed.as_slice().try_into() else { return Err(KeyError::Key { name }) };
        let pair = Self::new(&name, kind, seed)?;
        if pair.public.id == got { Ok(pair) } else { Err(KeyError::Id { name, want: pair.public.id, got }) }
    }

    fn text(&self) -> String {
        let Verifier { name, id, kind, .. } = &self.public;
        format!(
            "{SECRET}{name}+{id:08x}+{}",
            STANDARD.encode([[kind.byte()].as_slice(), self.secret.as_bytes()].concat())
        )
    }

    fn sign(&self, message: &str, before: &[u8]) -> Signature {
        let signature = self.secret.sign(message.as_bytes()).to_bytes();
        let Verifier { name, id, .. } = &self.public;
        Signature { name: name.clone(), id: *id, bytes: [before, signature.as_slice()].concat() }
    }
}

/// A log's secret key, with which it signs its notes.
pub struct Signer(KeyPair);

impl Signer {
    /// From 32 random bytes, which are the secret.
    ///
    /// # Errors
    ///
    /// A name that notes cannot carry.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        KeyPair::new(name, KeyKind::Note, seed).map(Self)
    }

    /// From the text that [`Self::secret`] gives, or Go's `note` package.
    ///
    /// # Errors
    ///
    /// [`KeyError`] says what is wrong with it, without repeating it.
    pub fn parse(secret: &str) -> Result<Self, KeyError> {
        KeyPair::parse(secret, KeyKind::Note).map(Self)
    }

    /// As text, to be kept secret.
    pub fn secret(&self) -> String {
        self.0.text()
    }

    /// The key that the world verifies with.
    pub const fn verifier(&self) -> &Verifier {
        &self.0.public
    }

    /// Signs a text.
    ///
    /// # Errors
    ///
    /// A text that no note can carry.
    pub fn sign(&self, text: &str) -> Result<Note, NoteError> {
        check_text(text)?;
        Ok(Note { text: text.to_owned(), signatures: vec![self.0.sign(text, &[])] })
    }
}

/// A witness's secret key, with which it cosigns checkpoints.
pub struct Cosigner(KeyPair);

impl Cosigner {
    /// From 32 random bytes, which are the secret.
    ///
    /// # Errors
    ///
    /// A name that notes cannot carry.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        KeyPair::new(name, KeyKind::Cosignature, seed).map(Self)
    }

    /// From the text that [`Self::secret`] gives.
    ///
    /// # Errors
    ///
    /// [`KeyError`] says what is wrong with it, without repeating it.
    pub fn parse(secret: &str) -> Result<Self, KeyError> {
        KeyPair::parse(secret, KeyKind::Cosignature).map(Self)
    }

    /// As text, to be kept secret.
    pub fn secret(&self) -> String {
        self.0.text()
    }

    /// The key that the world verifies with.
    pub const fn verifier(&self) -> &Verifier {
        &self.0.public
    }

    /// Vouches for a checkpoint's text at a time, in seconds since 1970; later than 2^63 − 1 is taken as that. Whether it
    /// may is [`crate::AddCheckpoint::decide`]'s question.
    pub(crate) fn cosign(&self, text: &str, time: u64) -> Signature {
        let time = time.min(TIME_MAX);
        self.0.sign(&cosigned_message(text, time), &time.to_be_bytes())
    }
}

/// One line below a note: who signed, and the signature, verified or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    name: String,
    id: u32,
    bytes: Vec<u8>,
}

impl Signature {
    /// Who is said to have signed.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn is_by(&self, name: &str, id: u32) -> bool {
        self.name == name && self.id == id
    }
}

impl fmt::Display for Signature {
    /// The line, without its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "— {} {}", self.name, STANDARD.encode([self.id.to_be_bytes().as_slice(), &self.bytes].concat()))
    }
}

impl FromStr for Signature {
    type Err = NoteError;

    fn from_str(line: &str) -> Result<Self, NoteError> {
        let scan = || {
            let (name, signature) = line.strip_prefix("— ")?.split_once(' ')?;
            let signature = STANDARD.decode(signature).ok()?;
            let (id, bytes) = signature.split_first_chunk().filter(|(_, bytes)| !bytes.is_empty())?;
            check_name(name).ok()?;
            Some(Self { name: name.to_owned(), id: u32::from_be_bytes(*id), bytes: bytes.to_vec() })
        };
        scan().ok_or_else(|| NoteError::Line(line.chars().take(80).collect()))
    }
}

/// Why a note is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Too long to be looked at.
    #[error("the note has {0} bytes, {NOTE_BYTES_MAX} are the limit")]
    Long(usize),
    /// Not text as notes are.
    #[error("the note is no UTF-8 text of lines that end in a newline, without other control characters")]
    Text,
    /// No signatures.
    #[error("the note has no signatures: after its text an empty line and at least one line `— name signature` belong")]
    Unsigned,
    /// Too many signatures.
    #[error("the note has more than {SIGNATURES_MAX} signatures; leave out those that nobody asks for")]
    Many,
    /// A line that is no signature.
    #[error(
        "`{0}` is no signature: `— name base64` is wanted, where a key's id of 4 bytes stands before the signature"
    )]
    Line(String),
    /// A known key's signature over something else.
    #[error(
        "the signature of {name} ({id:08x}) is not over this note: the note or the signature was altered; fetch it anew from its source"
    )]
    Forged {
        /// Whose key.
        name: String,
        /// Which key.
        id: u32,
    },
    /// Nobody known signed.
    #[error("none of the known keys signed this note: add the signer's key, if it is to be trusted")]
    Unknown,
    /// Two known keys that a note cannot tell apart.
    #[error("two different keys are known as {name} ({id:08x}): take one out, or give it another name")]
    Ambiguous {
        /// What both are called.
        name: String,
        /// The id both have.
        id: u32,
    },
}

fn check_text(text: &str) -> Result<(), NoteError> {
    if text.len() > NOTE_BYTES_MAX {
        return Err(NoteError::Long(text.len()));
    }
    let fits = text.ends_with('\n') && !text.contains(|c| c < ' ' && c != '\n');
    if fits { Ok(()) } else { Err(NoteError::Text) }
}

/// A known key that vouches for a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vouched<'k> {
    /// The key.
    pub key: &'k Verifier,
    /// When, in seconds since 1970, if its kind says so.
    pub time: Option<u64>,
}

/// A text and its signatures. Its text form is the signed note, byte for byte as it was parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

impl Note {
    /// Reads a signed note. Its signatures are well formed then, and nothing more: see [`Self::verify`].
    ///
    /// # Errors
    ///
    /// [`NoteError`] says what breaks the form; one broken signature line breaks the whole note.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        let note = str::from_utf8(bytes).map_err(|_| NoteError::Text)?;
        check_text(note)?;
        // The text may have empty lines; the last one ends it.
        let (text, signatures) =
            note.rfind("\n\n").and_then(|at| note.split_at_checked(at + 1)).ok_or(NoteError::Unsigned)?;
        let signatures = signatures.strip_prefix('\n').unwrap_or_default();
        Ok(Self { text: text.to_owned(), signatures: parse_lines(signatures)? })
    }

    /// The text, with its last newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All signatures, of strangers too.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Adds a signature in place of any that the same key made before.
    ///
    /// # Errors
    ///
    /// [`NoteError::Many`].
    pub fn add(&mut self, signature: Signature) -> Result<(), NoteError> {
        self.signatures.retain(|old| !old.is_by(&signature.name, signature.id));
        if self.signatures.len() >= SIGNATURES_MAX {
            return Err(NoteError::Many);
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// The known keys that vouch for the text, at least one, each once and by its first signature. Signatures of other
    /// keys are passed over; every signature of a known key must hold.
    ///
    /// # Errors
    ///
    /// [`NoteError::Forged`] for a known key's signature that does not hold; [`NoteError::Unknown`] without one;
    /// [`NoteError::Ambiguous`].
    pub fn verify<'k>(&self, known: &[&'k Verifier]) -> Result<Vec<Vouched<'k>>, NoteError> {
        let mut vouched: Vec<Vouched<'k>> = Vec::new();
        for signature in &self.signatures {
            let Signature { name, id, bytes } = signature;
            let mut keys = known.iter().copied().filter(|key| signature.is_by(&key.name, key.id));
            let Some(key) = keys.next() else { continue };
            if keys.any(|other| other != key) {
                return Err(NoteError::Ambiguous { name: name.clone(), id: *id });
            }
            let forged = || NoteError::Forged { name: name.clone(), id: *id };
            let time = key.verify(&self.text, bytes).ok_or_else(forged)?;
            if !vouched.iter().any(|before| before.key == key) {
                vouched.push(Vouched { key, time });
            }
        }
        if vouched.is_empty() { Err(NoteError::Unknown) } else { Ok(vouched) }
    }

    /// The signatures of a witness's answer that known keys made over this note, at least one; others are passed over.
    ///
    /// # Errors
    ///
    /// As [`Self::parse`] and [`Self::verify`]: an answer that is no list of signatures, or holds a forged one.
    pub fn cosignatures(&self, answer: &[u8], known: &[&Verifier]) -> Result<Vec<Signature>, NoteError> {
        let text = str::from_utf8(answer).map_err(|_| NoteError::Text)?;
        check_text(text)?;
        let answer = Self { text: self.text.clone(), signatures: parse_lines(text)? };
        let vouched = answer.verify(known)?;
        let known = |line: &Signature| vouched.iter().any(|by| line.is_by(&by.key.name, by.key.id));
        Ok(answer.signatures.into_iter().filter(known).collect())
    }
}

/// Signature lines, at least one, each with its newline.
fn parse_lines(lines: &str) -> Result<Vec<Signature>, NoteError> {
    let lines = lines.strip_suffix('\n').ok_or(NoteError::Unsigned)?;
    if lines.split('\n').count() > SIGNATURES_MAX {
        return Err(NoteError::Many);
    }
    lines.split('\n').map(str::parse).collect()
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{log_key, witness};
    use proptest::prelude::*;

    /// The worked example of C2SP signed-note.
    const VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const NOTE: &str = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    fn signed(text: &str) -> Note {
        log_key().sign(text).unwrap()
    }

    fn cosigned(text: &str, number: u8, time: u64) -> Note {
        let mut note = signed(text);
        note.add(witness(number).cosign(text, time)).unwrap();
        note
    }

    #[test]
    fn the_example_of_the_specification_verifies() {
        let key: Verifier = VKEY.parse().unwrap();
        assert_eq!((key.name(), key.id(), key.kind()), ("example.com/foo", 0x530d_903a, KeyKind::Note));
        assert_eq!(key.to_string(), VKEY);
        let note = Note::parse(NOTE.as_bytes()).unwrap();
        assert_eq!(note.text(), "This is an example message.\n");
        assert_eq!(note.verify(&[&key]), Ok(vec![Vouched { key: &key, time: None }]));
        assert_eq!(note.to_string(), NOTE);
    }

    #[test]
    fn keys_of_go_are_read_and_written() {
        // The key pair of the examples in Go's documentation of its package `note`.
        let secret = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
        let signer = Signer::parse(secret).unwrap();
        assert_eq!(signer.verifier().to_string(), "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
        assert_eq!(signer.secret(), secret);
    }

    #[test]
    fn every_key_survives_its_text() {
        let (log, witness) = (log_key(), witness(1));
        assert_eq!(Signer::parse(&log.secret()).unwrap().secret(), log.secret());
        assert_eq!(Cosigner::parse(&witness.secret()).unwrap().secret(), witness.secret());
        for key in [log.verifier(), witness.verifier()] {
            assert_eq!(key.to_string().parse().as_ref(), Ok(key));
        }
        let [as_log, as_witness] = [Signer::new("one", &[3; 32]).unwrap().0, Cosigner::new("one", &[3; 32]).unwrap().0];
        assert_ne!(as_log.public.id, as_witness.public.id, "one key, two uses, two ids");
    }

    #[test]
    fn keys_that_are_not_right_are_refused_without_repeating_them() {
        let refused = |text: &str| text.parse::<Verifier>().unwrap_err();
        for bad in [
            "",
            "a",
            "a+530d903a",
            "a+530D903A+AekyeRrm",
            "a+30d903a+AekyeRrm",
            "a+530d903a+",
            "a+530d903a+!",
            "a++AQ==",
        ] {
            assert_eq!(refused(bad), KeyError::Form, "{bad}");
        }
        assert!(matches!(refused(&VKEY.replace("foo", "bar")), KeyError::Id { got: 0x530d_903a, .. }));
        assert!(matches!(refused(&VKEY.replace("foo", "fo o")), KeyError::Name(_)));
        assert!(matches!(
            refused(&VKEY.replace("AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "AekyeRrm")),
            KeyError::Key { .. }
        ));
        assert_eq!(refused("a+530d903a+AukyeRrm"), KeyError::Kind(2));
        let weak = format!("a+530d903a+{}", STANDARD.encode([[1_u8; 2].as_slice(), &[0_u8; 31]].concat()));
        assert_eq!(refused(&weak), KeyError::Key { name: "a".into() }, "the neutral point verifies anything");
        for name in ["", "two words", "a+b", "line\nbreak", "no\u{a0}break", "bell\u{7}"] {
            assert!(matches!(Signer::new(name, &[0; 32]).err(), Some(KeyError::Name(_))), "{name:?}");
        }
        let secret = witness(1).secret();
        assert_eq!(Signer::parse(&secret).err(), Some(KeyError::Use { name: "w1.example".into() }));
        assert_eq!(Signer::parse(VKEY).err(), Some(KeyError::Form));
        for error in [Cosigner::parse(&secret[..60]).err(), Cosigner::parse(&secret.replace("w1", "w2")).err()] {
            let seed = secret.rsplit('+').next().unwrap();
            assert!(error.is_some_and(|error| !error.to_string().contains(&seed[..20])));
        }
    }

    #[test]
    fn strangers_are_passed_over_and_forgers_are_not() {
        let log = log_key();
        let mut note = signed("text\n");
        let stranger = Signer::new("stranger", &[9; 32]).unwrap();
        note.add(stranger.sign("another text\n").unwrap().signatures[0].clone()).unwrap();
        assert_eq!(note.verify(&[log.verifier()]).unwrap().len(), 1);
        // The same signature line, once the stranger is known.
        let forged = NoteError::Forged { name: "stranger".into(), id: stranger.verifier().id() };
        assert_eq!(note.verify(&[log.verifier(), stranger.verifier()]), Err(forged));
        assert_eq!(note.verify(&[witness(1).verifier()]), Err(NoteError::Unknown));
        assert_eq!(note.verify(&[]), Err(NoteError::Unknown));
        // Of a known key with the right name or the right id only, it is a stranger's.
        let namesake = Signer::new("stranger", &[8; 32]).unwrap();
        assert_eq!(note.verify(&[log.verifier(), namesake.verifier()]).unwrap().len(), 1);
    }

    #[test]
    fn a_key_counts_once_and_each_of_its_signatures_must_hold() {
        let note = cosigned("text\n", 1, 5);
        let key = witness(1);
        let again = |signature: Signature| {
            let signatures = note.signatures.iter().cloned().chain([signature]).collect();
            Note { signatures, ..note.clone() }
                .verify(&[key.verifier()])
                .map(|by| by.iter().map(|by| by.time).collect::<Vec<_>>())
        };
        assert_eq!(again(key.cosign("text\n", 5)), Ok(vec![Some(5)]));
        assert_eq!(again(key.cosign("text\n", 6)), Ok(vec![Some(5)]));
        assert!(matches!(again(key.cosign("other\n", 5)), Err(NoteError::Forged { .. })));
        let mut twin = key.verifier().clone();
        twin.key = log_key().0.public.key;
        assert!(matches!(note.verify(&[key.verifier(), &twin]), Err(NoteError::Ambiguous { .. })));
        assert_eq!(note.verify(&[key.verifier(), key.verifier()]).unwrap().len(), 1, "the same key known twice");
    }

    #[test]
    fn a_newer_cosignature_takes_the_place_of_the_older() {
        let mut note = cosigned("text\n", 1, 5);
        note.add(witness(1).cosign("text\n", 6)).unwrap();
        assert_eq!(note.signatures().len(), 2);
        assert_eq!(note.verify(&[witness(1).verifier()]).unwrap()[0].time, Some(6));
    }

    #[test]
    fn the_time_of_a_cosignature_is_signed() {
        let key = witness(1);
        let mut note = cosigned("text\n", 1, 5);
        note.signatures[1].bytes[7] ^= 1;
        assert!(matches!(note.verify(&[key.verifier()]), Err(NoteError::Forged { .. })));
        let late = key.0.sign(&cosigned_message("text\n", TIME_MAX + 1), &(TIME_MAX + 1).to_be_bytes());
        note.add(late).unwrap();
        assert!(matches!(note.verify(&[key.verifier()]), Err(NoteError::Forged { .. })), "a time beyond 63 bits");
        note.add(key.cosign("text\n", u64::MAX)).unwrap();
        assert_eq!(note.verify(&[key.verifier()]).unwrap()[0].time, Some(TIME_MAX));
    }

    #[test]
    fn a_text_may_have_empty_lines_and_ends_at_the_last() {
        for text in ["\n", "a\n\nb\n", "a\n\n", "\n\na\n", "— looks like a signature\n"] {
            let note = signed(text);
            let parsed = Note::parse(note.to_string().as_bytes()).unwrap();
            assert_eq!((parsed.text(), &parsed), (text, &note));
        }
        for text in ["", "no end", "tab\t\n", "return\r\n", "null\0\n"] {
            assert_eq!(log_key().sign(text).unwrap_err(), NoteError::Text, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_note_is_refused() {
        let refused = |bytes: &[u8]| Note::parse(bytes).unwrap_err();
        assert_eq!(refused(b"text\n\n\xff\n"), NoteError::Text);
        assert_eq!(refused(NOTE.trim_end().as_bytes()), NoteError::Text);
        assert_eq!(refused(b"text\n"), NoteError::Unsigned);
        assert_eq!(refused(b"text\n\n"), NoteError::Unsigned);
        for (from, to) in [
            ("— ", "- "),
            ("— ", "—"),
            ("foo ", "foo  "),
            ("foo ", "f+oo "),
            ("QM=", "QM"),
            ("QM=", "QN="),
            (" Uw", " "),
        ] {
            assert!(matches!(refused(NOTE.replacen(from, to, 1).as_bytes()), NoteError::Line(_)), "{from} to {to}");
        }
        let short = format!("text\n\n— name {}\n", STANDARD.encode([0; 4]));
        assert!(matches!(refused(short.as_bytes()), NoteError::Line(_)), "an id and no signature");
    }

    #[test]
    fn notes_are_bounded_and_16_large_signatures_fit() {
        let line = |number: usize| format!("— witness{number}.example {}\n", STANDARD.encode(vec![1; 5_000]));
        let with = |count| format!("text\n\n{}", (0..count).map(line).collect::<String>());
        assert_eq!(Note::parse(with(16).as_bytes()).unwrap().signatures().len(), 16);
        let mut full = Note::parse(with(SIGNATURES_MAX).as_bytes()).unwrap();
        assert_eq!(Note::parse(with(SIGNATURES_MAX + 1).as_bytes()), Err(NoteError::Many));
        assert_eq!(full.add(witness(1).cosign("text\n", 1)), Err(NoteError::Many));
        let long = format!("{}\n", "a".repeat(NOTE_BYTES_MAX));
        assert_eq!(Note::parse(long.as_bytes()), Err(NoteError::Long(NOTE_BYTES_MAX + 1)));
    }

    #[test]
    fn of_a_witness_answer_only_known_signatures_are_taken() {
        let note = signed("text\n");
        let lines = |numbers: &[u8]| {
            numbers.iter().map(|n| format!("{}\n", witness(*n).cosign("text\n", 7))).collect::<String>()
        };
        let taken = note.cosignatures(lines(&[1, 2]).as_bytes(), &[witness(2).verifier()]).unwrap();
        assert_eq!(taken, [witness(2).cosign("text\n", 7)]);
        assert_eq!(note.cosignatures(lines(&[1]).as_bytes(), &[witness(2).verifier()]), Err(NoteError::Unknown));
        let other = format!("{}\n", witness(1).cosign("other\n", 7));
        assert!(matches!(note.cosignatures(other.as_bytes(), &[witness(1).verifier()]), Err(NoteError::Forged { .. })));
        for bad in ["", "\n", "sorry\n", lines(&[1]).trim_end(), &format!("\n{}", lines(&[1]))] {
            assert!(note.cosignatures(bad.as_bytes(), &[witness(1).verifier()]).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_flipped_bit_leaves_a_note_that_verifies(at in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let mut bytes = signed("tribune.example/log\n5\n").to_string().into_bytes();
            let place = at.index(bytes.len());
            bytes[place] ^= 1 << bit;
            let log = log_key();
            let verified = Note::parse(&bytes).and_then(|note| note.verify(&[log.verifier()]).map(|by| by.len()));
            prop_assert!(verified.is_err(), "byte {}", place);
        }

        #[test]
        fn notes_survive_their_text(text in "[^\\p{Cc}]{0,40}\n([^\\p{Cc}]{0,40}\n){0,3}", time in any::<u64>()) {
            let note = cosigned(&text, 1, time);
            prop_assert_eq!(Note::parse(note.to_string().as_bytes()), Ok(note.clone()));
            prop_assert_eq!(note.verify(&[log_key().verifier(), witness(1).verifier()]).unwrap().len(), 2);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "(a\n|\n|— |b |[A-Za-z+/=]{4}){0,12}") {
            for bytes in [bytes.as_slice(), text.as_bytes()] {
                if let Ok(note) = Note::parse(bytes) {
                    prop_assert_eq!(note.to_string().into_bytes(), bytes);
                }
            }
        }
    }
}
