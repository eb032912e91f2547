//! What a snapshot carries of each decision, in three parts by who answers for them.
//!
//! - what is [*sealed*](Sealed): the text, its list, who approved it, and what its entry in the public log is made of.
//!   The approvers answer for it, and the log;
//! - its [*terms*](Terms): from when, in which stage, what the customer is told. The server alone answers for them, and
//!   so they can only take away from what is sealed;
//! - its [*place*](Place) in the public log, which shows by itself.
//!
//! Shapes and bytes only; whether they are to be believed is asked in `gate`.

use crate::pins::Key;
use crate::seal::Form;
use crate::wire::{Reader, Unreadable, Writer};
use crate::words::Digest;
use std::sync::Arc;
use tlog::Hash;

/// What people approved, and what the public log has of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed<'a> {
    /// The decision ([`crate::seal::Decision`]).
    pub text: &'a str,
    /// Its list, a line each ([`crate::seal::Target`]).
    pub targets: Vec<&'a str>,
    /// Who approved it, all whom its entry counts.
    pub approvals: Vec<Approval<'a>>,
    /// The 32 random bytes of its commitment.
    pub salt: [u8; 32],
    /// The policy pack.
    pub policy: Digest,
    /// The UTC day on which enough people had approved: `2026-03-01`.
    pub day: &'a str,
}

/// A signature of somebody who approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approval<'a> {
    /// Who.
    pub person: &'a str,
    /// With which key.
    pub key: Key,
    /// How it is held.
    pub form: Form,
    /// Over [`crate::seal::message`].
    pub signature: [u8; 64],
    /// The digest of what was shown to them.
    pub shown: Digest,
}

/// What the server says of a decision by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms<'a> {
    /// From when on it stands, in seconds since 1970: no earlier than its notice.
    pub from: i64,
    /// Until when reading and bulk export still pass.
    pub window: i64,
    /// Until when, at the latest, whatever the decision says; [`i64::MAX`] for nothing of the server's own.
    pub until: i64,
    /// Where it refuses.
    pub stage: Stage<'a>,
    /// Where the statement of reasons is.
    pub statement: &'a str,
    /// A sentence for the customer.
    pub sentence: &'a str,
}

/// Where a decision refuses; elsewhere what it would refuse is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage<'a> {
    /// Nowhere.
    Shadow,
    /// At the gate of this name.
    At(&'a str),
    /// Everywhere.
    All,
}

/// Where the public log has a decision's entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// A checkpoint, signed and cosigned, as its text (c2sp.org/tlog-checkpoint).
    pub checkpoint: Arc<str>,
    /// Which entry.
    pub index: u64,
    /// From the entry's sibling up.
    pub hashes: Vec<Hash>,
}

/// A decision in a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub(crate) sealed: Arc<[u8]>,
    pub(crate) terms: Arc<[u8]>,
    pub(crate) place: Arc<Place>,
}

impl Record {
    /// Of its parts.
    pub fn new(sealed: &Sealed<'_>, terms: &Terms<'_>, place: Place) -> Self {
        Self { sealed: sealed.bytes().into(), terms: terms.bytes().into(), place: Arc::new(place) }
    }

    /// The same decision, on other terms.
    #[must_use]
    pub fn on(&self, terms: &Terms<'_>) -> Self {
        Self { terms: terms.bytes().into(), ..self.clone() }
    }

    /// The name of what is sealed: the SHA-256 of its bytes.
    pub fn name(&self) -> Digest {
        Digest::of(&self.sealed)
    }

    /// What is sealed.
    ///
    /// # Errors
    /// It is of another form.
    pub fn sealed(&self) -> Result<Sealed<'_>, Unreadable> {
        whole(&self.sealed, Sealed::read)
    }

    /// What the server says of it.
    ///
    /// # Errors
    /// It is of another form.
    pub fn terms(&self) -> Result<Terms<'_>, Unreadable> {
        whole(&self.terms, Terms::read)
    }

    /// Where the log has it.
    pub fn place(&self) -> &Place {
        &self.place
    }
}

fn whole<'a, T>(bytes: &'a [u8], read: impl Fn(&mut Reader<'a>) -> Result<T, Unreadable>) -> Result<T, Unreadable> {
    let mut reader = Reader::new(bytes);
    let read = read(&mut reader)?;
    reader.end()?;
    Ok(read)
}

impl<'a> Sealed<'a> {
    fn bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.bytes(self.text);
        writer.list(&self.targets, |writer, target| {
            writer.bytes(target);
        });
        writer.list(&self.approvals, |writer, approval| {
            let form = match approval.form {
                Form::Ssh => 1,
                Form::Passphrase => 2,
            };
            writer.bytes(approval.person).raw(approval.key).raw([form]).raw(approval.signature).raw(approval.shown.0);
        });
        writer.raw(self.salt).raw(self.policy.0).bytes(self.day);
        writer.0
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, Unreadable> {
        let text = reader.text()?;
        let targets = reader.list(Reader::text)?;
        let approvals = reader.list(Approval::read)?;
        let (salt, policy) = (reader.array()?, Digest(reader.array()?));
        Ok(Self { text, targets, approvals, salt, policy, day: reader.text()? })
    }
}

impl<'a> Approval<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Unreadable> {
        let (person, key) = (reader.text()?, reader.array()?);
        let form = match reader.u8()? {
            1 => Form::Ssh,
            2 => Form::Passphrase,
            _ => return Err(Unreadable::Number { at: reader.at(), what: "form of a key" }),
        };
        Ok(Self { person, key, form, signature: reader.array()?, shown: Digest(reader.array()?) })
    }
}

impl<'a> Terms<'a> {
    fn bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        let (stage, gate) = match self.stage {
            Stage::Shadow => (0, ""),
            Stage::At(gate) => (1, gate),
            Stage::All => (2, ""),
        };
        [self.from, self.window, self.until].iter().for_each(|at| {
            writer.raw(at.to_be_bytes());
        });
        writer.raw([stage]).bytes(gate).bytes(self.statement).bytes(self.sentence);
        writer.0
    }

    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Unreadable> {
        let (from, window, until) = (reader.i64()?, reader.i64()?, reader.i64()?);
        let (stage, gate) = (reader.u8()?, reader.text()?);
        let stage = match stage {
            0 if gate.is_empty() => Stage::Shadow,
            1 => Stage::At(gate),
            2 if gate.is_empty() => Stage::All,
            _ => return Err(Unreadable::Number { at: reader.at(), what: "stage" }),
        };
        Ok(Self { from, window, until, stage, statement: reader.text()?, sentence: reader.text()? })
    }
}
