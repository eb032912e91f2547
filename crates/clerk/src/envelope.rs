//! Envelopes: what a reporter sends in one go, as it lies in the intake until the day is over.
//!
//! In the clear is what draining needs without any key, and nothing else: which report, what is done with it, the digest
//! of the text, and of each sealed part its digest and length. All of this stands in the record a day later anyway.
//!
//! ```text
//! tribune.envelope/1 sha256:…   of everything that follows
//! {"report":"r-…","doing":"receive",…,"parts":[["sha256:…",4512],…]}
//! the sealed parts, the text first
//! zeros
//! ```
//!
//! How long an envelope is follows from how many parts it has and which of the few [`sealed::SIZES`] each has, and from
//! nothing else: not from the text, not from whom it is kept from (which has room enough set aside), and not from how
//! many keys open it. It knows neither the record nor the rules; what becomes of envelopes is `intake`'s.

use std::collections::BTreeSet;

use review::report::Channel;
use review::words::{Digest, PersonId, ReportId, Text};
use serde::{Deserialize, Serialize};
use store::{Message, Random, Recipient};

use crate::sealed::{self, Readers, SHEET_BYTES_MAX, SealError, Sealed, Sheet, file_name};

/// The sizes that envelopes have. The intake writes all that waits anew with each message, so the largest is not larger.
pub const SIZES: [usize; 5] = [16 << 10, 64 << 10, 512 << 10, 4 << 20, 16 << 20];

/// The most that is taken as text; what is longer is a file.
pub const TEXT_BYTES_MAX: usize = 250_000;

/// Files in one envelope.
pub const FILES_MAX: usize = 16;

/// The most that a name with an address may be.
pub const WHO_BYTES_MAX: usize = 1_500;

/// People and teams that it can be kept from, and the bytes of all their names.
const KEEP_FROM_MAX: usize = 50;
const KEEP_FROM_BYTES_MAX: usize = 4_000;

/// Room for what is in the clear.
const HEAD_ROOM: usize = 8 << 10;

/// Room for what `age` puts around a sheet: its keys, its own chance, and 16 bytes for each 64 KiB.
const fn room_around(size: usize) -> usize {
    (3 << 10) + size / 4_096
}

/// A name is sealed at this size, and then again around that.
const WHO_SIZE: usize = 2 << 10;

const FORM: &str = "tribune.envelope/1";

/// Half of a key tells what it belongs to; 128 bits of chance are left to tell one message from another.
const KEY_BYTES_OF_REPORT: usize = 16;

/// Why bytes are no envelope.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// Not of this form.
    #[error("it is no {FORM}: {0}")]
    Form(&'static str),
    /// Not what it was.
    #[error("it was cut or altered: it is not what its first line says")]
    Altered,
    /// What is in the clear is not what it must be.
    #[error("what it says of itself is not of a {FORM}: {0}")]
    Head(#[from] serde_json::Error),
}

/// What is done with a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "doing", rename_all = "snake_case")]
pub enum Doing {
    /// It begins.
    Receive {
        /// How it comes.
        channel: Channel,
        /// People or teams who must not see it.
        keep_from: BTreeSet<PersonId>,
    },
    /// Something is added.
    Add,
    /// Others shall look again.
    AskReview,
}

/// What a reporter does, with what only the beginning of a report has.
#[derive(Clone, Debug)]
pub enum Purpose<'a> {
    /// Begins a report.
    Receive {
        /// How.
        channel: Channel,
        /// To whom answers are encrypted.
        mailbox: Recipient,
        /// Who they are, if they give a name.
        who: Option<&'a str>,
    },
    /// Adds to it.
    Add,
    /// Asks others to look again.
    AskReview,
}

/// What they send.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sending<'a> {
    /// In their words.
    pub text: &'a str,
    /// With it: names and bytes. What is encrypted already is kept as it is, under our own seal.
    pub files: &'a [(&'a str, &'a [u8])],
}

/// An envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Of which report.
    pub report: ReportId,
    /// What is done with it.
    pub doing: Doing,
    /// The text; the other parts are what it names.
    pub text: Text,
    /// The sealed parts.
    pub parts: Vec<Sealed>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    report: ReportId,
    #[serde(flatten)]
    doing: Doing,
    text: Text,
    parts: Vec<(Text, usize)>,
}

impl Envelope {
    /// Seals what somebody sends: the text and the files for those of the intake who may see it, a name for the two
    /// custodians, who open it only together.
    ///
    /// # Errors
    ///
    /// It is empty or too much, nobody could read it, or a name is there or missing where the channel says otherwise.
    pub fn seal(
        report: &ReportId,
        purpose: Purpose<'_>,
        keep_from: &BTreeSet<PersonId>,
        sending: Sending<'_>,
        readers: &Readers,
        random: Random<'_>,
    ) -> Result<Self, SealError> {
        refuse_too_much(keep_from, sending)?;
        let to = readers.keys(keep_from);
        let mut text = Sheet::of(report, sending.text.as_bytes());
        let mut parts = Vec::new();
        for (name, bytes) in sending.files {
            let file = Sheet { name: Some(file_name(name)), ..Sheet::of(report, bytes) };
            let file = file.seal(&to, &mut *random)?;
            text.files.push(file.digest);
            parts.push(file);
        }
        let doing = match purpose {
            Purpose::Receive { channel, mailbox, who } => {
                if let Some(who) = known_by(channel, who)? {
                    let identity = seal_twice(report, who, readers, &mut *random)?;
                    text.identity = Some(identity.digest);
                    parts.push(identity);
                }
                text.mailbox = Some(mailbox);
                Doing::Receive { channel, keep_from: keep_from.clone() }
            }
            Purpose::Add => Doing::Add,
            Purpose::AskReview => Doing::AskReview,
        };
        let text = text.seal(&to, random)?;
        let digest = text.digest;
        parts.insert(0, text);
        let envelope = Self { report: report.clone(), doing, text: digest, parts };
        envelope.size().map(|_| envelope)
    }

    /// It as a message of the intake: the first half of its key is its report's, so that the mailbox finds it and reads
    /// nothing else; chance draws the other.
    ///
    /// # Errors
    ///
    /// It is more than an envelope holds.
    pub fn message(&self, random: Random<'_>) -> Result<Message, SealError> {
        let mut key = [0; 32];
        let (of, drawn) = key.split_at_mut(KEY_BYTES_OF_REPORT);
        of.copy_from_slice(&found_by(&self.report));
        random(drawn);
        Ok(Message { key, body: self.bytes()? })
    }

    /// Its bytes.
    ///
    /// # Errors
    ///
    /// It is more than an envelope holds.
    pub fn bytes(&self) -> Result<Vec<u8>, SealError> {
        let parts = self.parts.iter().map(|part| (part.digest, part.ciphertext.len())).collect();
        let head = Head { report: self.report.clone(), doing: self.doing.clone(), text: self.text, parts };
        let first = first_line(Digest::of([]));
        let mut rest = serde_json::to_vec(&head)?;
        rest.push(b'\n');
        self.parts.iter().for_each(|part| rest.extend_from_slice(&part.ciphertext));
        let (bytes, max) = (first.len() + rest.len(), self.size()?);
        if bytes > max {
            return Err(SealError::Long {
                what: "an envelope",
                bytes,
                max,
                mend: "name fewer keys in the configuration",
            });
        }
        rest.resize(max - first.len(), 0);
        Ok([first_line(Digest::of(&rest)).into_bytes(), rest].concat())
    }

    /// Reads one.
    ///
    /// # Errors
    ///
    /// It was cut or altered, or is something else.
    pub fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let lines = bytes.split_at_checked(first_line(Digest::of([])).len());
        let (first, rest) = lines.ok_or(EnvelopeError::Form("it is too short"))?;
        if first != first_line(Digest::of(rest)).as_bytes() {
            return Err(if first.starts_with(FORM.as_bytes()) {
                EnvelopeError::Altered
            } else {
                EnvelopeError::Form("it says that it is something else")
            });
        }
        if !SIZES.contains(&bytes.len()) {
            return Err(EnvelopeError::Form("it has a size of its own"));
        }
        let end = rest.iter().take(HEAD_ROOM).position(|byte| *byte == b'\n').unwrap_or_default();
        let (head, rest) = rest.split_at_checked(end).unwrap_or_default();
        let head: Head = serde_json::from_slice(head)?;
        let (parts, rest) = split(&head.parts, rest.get(1..).unwrap_or_default())?;
        if rest.iter().any(|byte| *byte != 0) || head.parts.first().is_none_or(|(digest, _)| *digest != head.text) {
            return Err(EnvelopeError::Form("its parts are not those that it names"));
        }
        Ok(Self { report: head.report, doing: head.doing, text: head.text, parts })
    }

    /// How long it is, which follows from the sizes of its sheets.
    fn size(&self) -> Result<usize, SealError> {
        let sheet = |part: &Sealed| {
            let fits = |size: &&usize| part.ciphertext.len() <= **size + room_around(**size);
            sealed::SIZES.iter().find(fits).map_or(part.ciphertext.len(), |size| *size + room_around(*size))
        };
        let bytes = HEAD_ROOM + self.parts.iter().map(sheet).sum::<usize>();
        let max = SIZES.last().copied().unwrap_or_default();
        let too_long = || SealError::Long { what: "what you send", bytes, max, mend: "send some of the files later" };
        SIZES.into_iter().find(|size| bytes <= *size).ok_or_else(too_long)
    }
}

/// How the keys of what waits for a report begin: a digest of its name, which is as if drawn by chance.
pub(crate) fn found_by(report: &ReportId) -> [u8; KEY_BYTES_OF_REPORT] {
    let digest = Digest::of(format!("tribune intake of report 1\n{report}")).0;
    std::array::from_fn(|at| digest.get(at).copied().unwrap_or_default())
}

fn first_line(digest: Digest) -> String {
    format!("{FORM} {digest}\n")
}

/// The parts, and what comes after them.
fn split<'a>(named: &[(Text, usize)], mut rest: &'a [u8]) -> Result<(Vec<Sealed>, &'a [u8]), EnvelopeError> {
    let mut parts = Vec::new();
    for (digest, length) in named {
        let (ciphertext, after) =
            rest.split_at_checked(*length).ok_or(EnvelopeError::Form("it ends before its parts do"))?;
        parts.push(Sealed { digest: *digest, ciphertext: ciphertext.to_vec() });
        rest = after;
    }
    Ok((parts, rest))
}

fn refuse_too_much(keep_from: &BTreeSet<PersonId>, sending: Sending<'_>) -> Result<(), SealError> {
    let long = |what, bytes, max, mend| Err(SealError::Long { what, bytes, max, mend });
    let many = |what, count, max, mend| Err(SealError::Many { what, count, max, mend });
    let names: usize = keep_from.iter().map(|person| serde_json::to_vec(person).map_or(0, |name| name.len() + 1)).sum();
    let (text, files) = (sending.text.len(), sending.files.len());
    let longest = sending.files.iter().map(|(_, bytes)| bytes.len()).max().unwrap_or_default();
    match () {
        () if sending.text.trim().is_empty() && files == 0 => Err(SealError::Nothing),
        () if text > TEXT_BYTES_MAX => long("the text", text, TEXT_BYTES_MAX, "attach it as a file"),
        () if longest > SHEET_BYTES_MAX => long("a file", longest, SHEET_BYTES_MAX, "send it in parts"),
        () if files > FILES_MAX => many("the files", files, FILES_MAX, "send some of them later"),
        () if keep_from.len() > KEEP_FROM_MAX => {
            many("those it is kept from", keep_from.len(), KEEP_FROM_MAX, "name their team instead")
        }
        () if names > KEEP_FROM_BYTES_MAX => {
            long("the list of those it is kept from", names, KEEP_FROM_BYTES_MAX, "name their team instead")
        }
        () => Ok(()),
    }
}

/// The name that goes with a channel.
fn known_by(channel: Channel, who: Option<&str>) -> Result<Option<&str>, SealError> {
    let who = who.filter(|who| !who.trim().is_empty());
    match (channel, who) {
        (Channel::Anonymous, Some(_)) => Err(SealError::Name("a report without a name came with one: choose which")),
        (Channel::Named, None) => Err(SealError::Name("a report by name has no name: give one, or report without")),
        (_, Some(who)) if who.len() > WHO_BYTES_MAX => {
            let (bytes, max) = (who.len(), WHO_BYTES_MAX);
            Err(SealError::Long { what: "the name", bytes, max, mend: "leave out what the text can say" })
        }
        (_, who) => Ok(who),
    }
}

/// A name for custodian A, and that for custodian B: neither of them has anything without the other.
fn seal_twice(report: &ReportId, who: &str, readers: &Readers, random: Random<'_>) -> Result<Sealed, SealError> {
    let [a, b] = &readers.custodians;
    if a.is_empty() || b.is_empty() {
        return Err(SealError::NoCustodians);
    }
    let inner = Sheet::of(report, who.as_bytes()).seal_as(&[WHO_SIZE], a, &mut *random)?;
    Sheet::of(report, &inner.ciphertext).seal(b, random)
}
