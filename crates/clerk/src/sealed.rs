//! Sealed texts: what a reporter writes and what is answered, padded, and encrypted before anybody keeps it.
//!
//! What is encrypted as one is a [`Sheet`]: one line of JSON that says what it is, the bytes themselves, and zeros up to
//! one of a few sizes, so that its length tells next to nothing. Each has chance of its own in it: the digest by which
//! the record names it cannot be had by trying texts until one fits. Whoever has a key reads a sheet without Tribune:
//! `age --decrypt`, and terminals show no zeros.
//!
//! It keeps nothing and knows no secret: for whom something is sealed comes in as [`Readers`]. `age` draws its own
//! randomness; all other comes in.

use std::collections::BTreeSet;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use review::roster::Roster;
use review::words::{Digest, Moment, PersonId, ReportId, Role, Text};
use serde::{Deserialize, Serialize};
use store::{Identity, Random, Recipient};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::papers::keys_of;

/// The sizes that sheets have.
pub const SIZES: [usize; 5] = [4 << 10, 32 << 10, 256 << 10, 2 << 20, 8 << 20];

/// Officers of the intake who can open a text.
pub const OFFICERS: usize = 2;

/// Keys that one text is encrypted to; more would not fit the room that an envelope keeps for them.
const RECIPIENTS_MAX: usize = 16;

const FORM: &str = "tribune.sheet/1";

/// What of a sheet comes before its bytes is no longer than this.
const HEAD_BYTES_MAX: usize = 4_000;

/// Characters in the name of a file.
const NAME_CHARS_MAX: usize = 100;

/// The most that one sheet takes.
pub const SHEET_BYTES_MAX: usize = (8 << 20) - HEAD_BYTES_MAX;

/// Why something cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Nothing to seal.
    #[error("there is no text and no file: write what you want to say")]
    Nothing,
    /// Too long.
    #[error("{what} has {bytes} bytes and {max} is the most: {mend}")]
    Long {
        /// What.
        what: &'static str,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        max: usize,
        /// What to do.
        mend: &'static str,
    },
    /// More than the size of envelopes hides.
    #[error("{what} are {count} and {max} is the most: {mend}")]
    Many {
        /// What.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        max: usize,
        /// What to do.
        mend: &'static str,
    },
    /// Everybody was left out.
    #[error("nobody is left who could read it: name recovery keys in the configuration")]
    NobodyReads,
    /// A name and no custodians.
    #[error("a name is kept by two custodians and there are none: name both in the configuration")]
    NoCustodians,
    /// A name that the channel does not have, or none where it has one.
    #[error("{0}")]
    Name(&'static str),
    /// It could not be encrypted.
    #[error("it could not be encrypted: {0}")]
    Encrypt(#[from] age::EncryptError),
    /// It could not be written.
    #[error("it could not be encrypted: {0}")]
    Write(#[from] std::io::Error),
    /// It could not be put into its form.
    #[error("it could not be put into its form: {0}")]
    Form(#[from] serde_json::Error),
}

/// Why a sheet cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// The key is none of its keys, or it was altered.
    #[error("this key does not open it, or it was altered: {0}")]
    Closed(#[from] age::DecryptError),
    /// It is no sheet.
    #[error("it is no {FORM}: {0}")]
    Form(&'static str),
    /// Its first line says something else.
    #[error("its first line is none of a {FORM}: {0}")]
    Head(#[from] serde_json::Error),
    /// It was sealed for another report.
    #[error("it was sealed for the report {sealed_for} and lies with another: somebody moved it, trust neither")]
    Elsewhere {
        /// For which.
        sealed_for: ReportId,
    },
}

/// An officer of the intake.
#[derive(Clone, Debug)]
pub struct Officer {
    /// Who.
    pub person: PersonId,
    /// The teams they are of, by which a reporter may leave them out as well. Who leads a team is its name too.
    pub teams: BTreeSet<PersonId>,
    /// Their keys.
    pub keys: Vec<Recipient>,
}

/// For whom texts are sealed.
#[derive(Clone, Debug, Default)]
pub struct Readers {
    /// The officers, in the order of their turn.
    pub officers: Vec<Officer>,
    /// Keys that are held by several people together, never by one.
    pub recovery: Vec<Recipient>,
    /// The keys of custodians A and of custodians B.
    pub custodians: [Vec<Recipient>; 2],
}

impl Readers {
    /// Those whom the roster names, at this time. Officers take turns in the order of their numbers; one without a key
    /// cannot read and has no turn.
    ///
    /// # Errors
    ///
    /// A key of the roster is none.
    pub fn of(roster: &Roster, recovery: &[Recipient], at: Moment) -> Result<Self, Error> {
        let mut readers = Self { recovery: recovery.to_vec(), ..Self::default() };
        for (person, member) in &roster.members {
            let keys = keys_of(roster, person)?;
            let is = |role| roster.is(person, role, at) && !keys.is_empty();
            if is(Role::IntakeOfficer) {
                let teams = member.manager.iter().cloned().collect();
                readers.officers.push(Officer { person: person.clone(), teams, keys: keys.clone() });
            }
            for (custodians, role) in readers.custodians.iter_mut().zip([Role::CustodianA, Role::CustodianB]) {
                custodians.extend(keys.iter().filter(|_| is(role)).cloned());
            }
        }
        Ok(readers)
    }

    /// The keys of the first two officers whom the reporter did not leave out, and those of recovery: where fewer than
    /// two are left, recovery reads, and no report is turned away.
    pub fn keys(&self, keep_from: &BTreeSet<PersonId>) -> Vec<Recipient> {
        let left_out =
            |officer: &&Officer| keep_from.contains(&officer.person) || !officer.teams.is_disjoint(keep_from);
        let officers = self.officers.iter().filter(|officer| !left_out(officer)).take(OFFICERS);
        officers.flat_map(|officer| &officer.keys).chain(&self.recovery).cloned().collect()
    }
}

/// A text, encrypted, and the digest that the record names it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Of the sheet.
    pub digest: Text,
    /// As `age` writes it.
    pub ciphertext: Vec<u8>,
}

/// What is encrypted as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// The report it belongs to; it is read with no other.
    pub report: ReportId,
    /// Its name, if it is a file. See [`file_name`].
    pub name: Option<String>,
    /// To whom answers are encrypted, if it begins a report.
    pub mailbox: Option<Recipient>,
    /// The files that came with it, each a sheet.
    pub files: Vec<Text>,
    /// Who wrote it, for the custodians alone.
    pub identity: Option<Text>,
    /// The bytes, as they came.
    pub body: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    form: String,
    report: ReportId,
    bytes: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mailbox: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    files: Vec<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity: Option<Text>,
    chance: String,
}

impl Sheet {
    /// A sheet that is bytes and nothing else.
    pub fn of(report: &ReportId, body: &[u8]) -> Self {
        Self {
            report: report.clone(),
            name: None,
            mailbox: None,
            files: Vec::new(),
            identity: None,
            body: body.to_vec(),
        }
    }

    /// Seals it for some.
    ///
    /// # Errors
    ///
    /// It is too long, or there is nobody to seal it for.
    pub fn seal(&self, to: &[Recipient], random: Random<'_>) -> Result<Sealed, SealError> {
        self.seal_as(&SIZES, to, random)
    }

    /// Seals it at one of these sizes.
    pub(crate) fn seal_as(&self, sizes: &[usize], to: &[Recipient], random: Random<'_>) -> Result<Sealed, SealError> {
        let padded = self.padded(sizes, random)?;
        Ok(Sealed { digest: Digest::of(&*padded), ciphertext: encrypted(&padded, to)? })
    }

    fn padded(&self, sizes: &[usize], random: Random<'_>) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let mut chance = [0; 32];
        random(&mut chance);
        let head = Head {
            form: FORM.to_owned(),
            report: self.report.clone(),
            bytes: self.body.len(),
            name: self.name.clone(),
            mailbox: self.mailbox.as_ref().map(Recipient::to_string),
            files: self.files.clone(),
            identity: self.identity,
            chance: STANDARD_NO_PAD.encode(chance),
        };
        let mut head = serde_json::to_vec(&head)?;
        head.push(b'\n');
        let bytes = head.len() + self.body.len();
        let too_long = |max| SealError::Long { what: "a sealed text", bytes, max, mend: "send it in parts" };
        let largest = sizes.last().copied().unwrap_or_default();
        let size = sizes.iter().copied().find(|size| bytes <= *size).ok_or_else(|| too_long(largest))?;
        let mut padded = Zeroizing::new(Vec::with_capacity(size));
        padded.extend_from_slice(&head);
        padded.extend_from_slice(&self.body);
        padded.resize(size, 0);
        Ok(padded)
    }

    /// Reads a sheet of a report that was decrypted already.
    ///
    /// # Errors
    ///
    /// It is none, or one of another report.
    pub fn read(padded: &[u8], report: &ReportId) -> Result<Self, SheetError> {
        let end = padded.iter().take(HEAD_BYTES_MAX).position(|byte| *byte == b'\n');
        let (head, rest) =
            end.and_then(|end| padded.split_at_checked(end)).ok_or(SheetError::Form("it has no first line"))?;
        let head: Head = serde_json::from_slice(head)?;
        if head.form != FORM {
            return Err(SheetError::Form("it says that it is something else"));
        }
        let rest = rest.get(1..).unwrap_or_default();
        let (body, zeros) = rest.split_at_checked(head.bytes).ok_or(SheetError::Form("it ends before its bytes do"))?;
        if zeros.iter().any(|byte| *byte != 0) {
            return Err(SheetError::Form("something comes after its bytes"));
        }
        if head.report != *report {
            return Err(SheetError::Elsewhere { sealed_for: head.report });
        }
        let mailbox = head.mailbox.map(|text| text.parse()).transpose();
        Ok(Self {
            report: head.report,
            name: head.name,
            mailbox: mailbox.map_err(|_| SheetError::Form("its mailbox is no key"))?,
            files: head.files,
            identity: head.identity,
            body: body.to_vec(),
        })
    }

    /// Opens a sealed sheet of a report with a key.
    ///
    /// # Errors
    ///
    /// The key is none of its keys, or see [`Self::read`].
    pub fn open(ciphertext: &[u8], key: &Identity, report: &ReportId) -> Result<Self, SheetError> {
        Self::read(&Zeroizing::new(age::decrypt(key, ciphertext)?), report)
    }

    /// Whether it came encrypted: it is kept as it came, and whoever it was encrypted to opens it.
    pub fn is_encrypted(&self) -> bool {
        let begins = |with: &str| self.body.trim_ascii_start().starts_with(with.as_bytes());
        begins("age-encryption.org/v1\n") || begins("-----BEGIN AGE ENCRYPTED FILE-----")
    }

    /// Its text, as it came; what is no UTF-8 is shown by `U+FFFD`.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The name of a file without the folders it lay in, which may be somebody's, and without what turns or hides what
/// follows.
pub fn file_name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let turns = |c: char| {
        let marks = ['\u{200b}'..='\u{200f}', '\u{2028}'..='\u{202e}', '\u{2060}'..='\u{206f}'];
        matches!(c, '\u{61c}' | '\u{feff}') || marks.iter().any(|marks| marks.contains(&c))
    };
    let plain = |c: char| if c.is_control() || turns(c) { '\u{fffd}' } else { c };
    match last.trim().chars().take(NAME_CHARS_MAX).map(plain).collect::<String>() {
        name if name.is_empty() => "file".to_owned(),
        name => name,
    }
}

fn encrypted(text: &[u8], to: &[Recipient]) -> Result<Vec<u8>, SealError> {
    let (count, max) = (to.len(), RECIPIENTS_MAX);
    match count {
        0 => return Err(SealError::NobodyReads),
        _ if count > max => {
            let (what, mend) = ("the keys that could read it", "name fewer in the configuration");
            return Err(SealError::Many { what, count, max, mend });
        }
        _ => {}
    }
    let recipients = to.iter().map(|recipient| recipient as &dyn age::Recipient);
    let mut ciphertext = Vec::with_capacity(text.len() + HEAD_BYTES_MAX);
    let mut writer = age::Encryptor::with_recipients(recipients)?.wrap_output(&mut ciphertext)?;
    writer.write_all(text)?;
    writer.finish()?;
    Ok(ciphertext)
}

#[cfg(test)]
mod tests {
    use super::*;
    use review::roster::Member;
    use std::collections::BTreeMap;

    #[test]
    fn officers_and_custodians_are_those_of_the_roster_who_are_there_and_can_read() {
        let keys: Vec<Identity> = (0..6).map(|_| Identity::generate()).collect();
        let mut roster = Roster::default();
        let people = [
            ("ina", Role::IntakeOfficer, Some(0), None),
            ("ivo", Role::IntakeOfficer, None, None),
            ("ken", Role::IntakeOfficer, Some(1), Some(Moment(9))),
            ("lea", Role::IntakeOfficer, Some(2), None),
            ("ada", Role::CustodianA, Some(3), None),
            ("bob", Role::CustodianB, Some(4), None),
        ];
        for (person, role, key, left) in people {
            let reads_with = key.map(|key: usize| keys[key].to_public().to_string()).into_iter().collect();
            let member = Member {
                roles: BTreeSet::from([role]),
                manager: Some("max".parse().unwrap()),
                outside: false,
                identities: BTreeSet::new(),
                keys: BTreeMap::new(),
                reads_with,
                left,
            };
            roster.members.insert(person.parse().unwrap(), member);
        }
        let recovery = keys[5].to_public();
        let readers = Readers::of(&roster, std::slice::from_ref(&recovery), Moment(10)).unwrap();
        let public = |key: usize| keys[key].to_public();
        assert_eq!(readers.custodians, [vec![public(3)], vec![public(4)]]);
        let to = |keep_from: &[&str]| readers.keys(&keep_from.iter().map(|one| one.parse().unwrap()).collect());
        assert_eq!(to(&[]), [public(0), public(2), recovery.clone()]);
        assert_eq!(to(&["ina"]), [public(2), recovery.clone()]);
        assert_eq!(to(&["max"]), [recovery], "who answers to somebody left out is left out");
    }
}
