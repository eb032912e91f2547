//! What a gate holds fast, whatever anybody sends it: who approves, how many must, which log, whose snapshots.
//!
//! It comes from those who run the gate, by another way than the snapshots: whoever can change both restricts whom they
//! like. Its text form is a line for each thing, `#` before what is only for people:
//!
//! ```text
//! tribune pins 1
//! gate north-1
//! threshold 2
//! approver ssh 5f…64 hexadecimal digits…a0 p-1017
//! approver passphrase 09…64 hexadecimal digits…3c p-2044
//! epoch 1
//! server …64 hexadecimal digits…
//! root …64 hexadecimal digits…
//! origin tribune.example/log
//! log tribune.example/log+e2…+AQ…
//! witness witness.example+d1…+BA…
//! quorum 1
//! ```

use crate::seal::{Form, is_name};
use crate::words::{hex, unhex};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use tlog::{Policy, PolicyError, Verifier};

/// No threshold is lower: no single person restricts.
pub const THRESHOLD_MIN: usize = 2;

/// An Ed25519 public key (RFC 8032 §5.1.5).
pub type Key = [u8; 32];

/// Somebody who approves, by one of their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approver {
    /// Who: the number that stays theirs.
    pub person: String,
    /// With which key.
    pub key: Key,
    /// How it is held.
    pub form: Form,
}

/// Whom a gate believes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pins {
    gate: String,
    threshold: usize,
    approvers: BTreeMap<Key, (Form, String)>,
    epoch: u64,
    server: Key,
    root: Key,
    log: LogPins,
    policy: Policy,
}

/// The log, and who must have seen it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPins {
    /// Its name for itself.
    pub origin: String,
    /// Its keys.
    pub keys: Vec<Verifier>,
    /// Who watches it.
    pub witnesses: Vec<Verifier>,
    /// How many of them must have.
    pub quorum: usize,
}

/// Whose snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerPins {
    /// From which epoch on.
    pub epoch: u64,
    /// Who signs that epoch's snapshots.
    pub server: Key,
    /// Who, offline, signs the key of every later epoch.
    pub root: Key,
}

/// Why pins are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PinsError {
    /// A line that says nothing known, or nothing at all.
    #[error("line {line} of the pins is not {wanted}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// What should stand there.
        wanted: &'static str,
    },
    /// Something is not said, or said twice.
    #[error("the pins say `{0}` not once: give one line of it")]
    NotOnce(&'static str),
    /// One person alone could restrict.
    #[error("the threshold is {0}: ask for {THRESHOLD_MIN} or more, so that nobody restricts alone")]
    Threshold(usize),
    /// Fewer people than must approve.
    #[error("the pins name {people} people who approve, and {threshold} must: name more")]
    TooFew {
        /// How many are named.
        people: usize,
        /// How many must.
        threshold: usize,
    },
    /// One key twice: two people would be one.
    #[error("the key {0} is pinned twice: each belongs to one person, in one form")]
    KeyTwice(String),
    /// The person's id, or the gate's, is none.
    #[error("`{0}` names nobody and no gate: 1 to 200 characters without control characters")]
    Name(String),
    /// What is said of the log does not go together.
    #[error("the log's pins: {0}")]
    Log(#[from] PolicyError),
}

impl Pins {
    /// Of what they say; `gate` is this gate's own name, for what is staged.
    ///
    /// # Errors
    /// What does not go together, or would let one person restrict.
    pub fn new(
        gate: &str,
        threshold: usize,
        approvers: Vec<Approver>,
        server: ServerPins,
        log: LogPins,
    ) -> Result<Self, PinsError> {
        if threshold < THRESHOLD_MIN {
            return Err(PinsError::Threshold(threshold));
        }
        let names = approvers.iter().map(|one| one.person.as_str()).chain([gate]);
        if let Some(name) = names.into_iter().find(|name| !is_name(name)) {
            return Err(PinsError::Name(name.chars().take(80).flat_map(char::escape_debug).collect()));
        }
        let people = approvers.iter().map(|one| &one.person).collect::<BTreeSet<_>>().len();
        if people < threshold {
            return Err(PinsError::TooFew { people, threshold });
        }
        let mut keys = BTreeMap::new();
        for Approver { person, key, form } in approvers {
            if keys.insert(key, (form, person)).is_some() {
                return Err(PinsError::KeyTwice(hex(&key)));
            }
        }
        let policy = Policy::new(&log.origin, log.keys.clone(), log.witnesses.clone(), log.quorum)?;
        let ServerPins { epoch, server, root } = server;
        Ok(Self { gate: gate.to_owned(), threshold, approvers: keys, epoch, server, root, log, policy })
    }

    /// This gate's own name.
    pub fn gate(&self) -> &str {
        &self.gate
    }

    /// How many people must have approved.
    pub fn threshold(&self) -> usize {
        self.threshold
    }

    /// Whose a key in this form is.
    pub fn person(&self, key: &Key, form: Form) -> Option<&str> {
        self.approvers.get(key).filter(|(own, _)| *own == form).map(|(_, person)| person.as_str())
    }

    /// From which epoch on, with which key, and who signs the keys of later ones.
    pub fn server(&self) -> ServerPins {
        ServerPins { epoch: self.epoch, server: self.server, root: self.root }
    }

    /// The log, and who must have seen it.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }
}

const fn form_name(form: Form) -> &'static str {
    match form {
        Form::Ssh => "ssh",
        Form::Passphrase => "passphrase",
    }
}

impl fmt::Display for Pins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "tribune pins 1\ngate {}\nthreshold {}", self.gate, self.threshold)?;
        for (key, (form, person)) in &self.approvers {
            writeln!(f, "approver {} {} {person}", form_name(*form), hex(key))?;
        }
        writeln!(f, "epoch {}\nserver {}\nroot {}", self.epoch, hex(&self.server), hex(&self.root))?;
        writeln!(f, "origin {}", self.log.origin)?;
        self.log.keys.iter().try_for_each(|key| writeln!(f, "log {key}"))?;
        self.log.witnesses.iter().try_for_each(|key| writeln!(f, "witness {key}"))?;
        writeln!(f, "quorum {}", self.log.quorum)
    }
}

/// What was read so far, each with how often.
#[derive(Default)]
struct Said {
    approvers: Vec<Approver>,
    keys: Vec<Verifier>,
    witnesses: Vec<Verifier>,
    texts: BTreeMap<&'static str, Vec<String>>,
}

/// What is said once, in lines of a word and a value.
const ONCE: [&str; 7] = ["gate", "threshold", "epoch", "server", "root", "origin", "quorum"];

impl Said {
    fn line(&mut self, line: &str) -> Result<(), &'static str> {
        let (word, value) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "approver" => {
                let wanted = "`approver`, `ssh` or `passphrase`, 64 hexadecimal digits and the person";
                self.approvers.push(approver(value).ok_or(wanted)?);
            }
            "log" => self.keys.push(value.parse().map_err(|_| "`log` and the log's `vkey`")?),
            "witness" => self.witnesses.push(value.parse().map_err(|_| "`witness` and its `vkey`")?),
            _ => {
                let known = ONCE.into_iter().find(|known| *known == word);
                let known = known.ok_or("a word that pins know, and what it is to say")?;
                self.texts.entry(known).or_default().push(value.to_owned());
            }
        }
        Ok(())
    }

    fn once<T>(&self, word: &'static str, parse: impl Fn(&str) -> Option<T>) -> Result<T, PinsError> {
        match self.texts.get(word).map(Vec::as_slice) {
            Some([one]) => parse(one).ok_or(PinsError::NotOnce(word)),
            _ => Err(PinsError::NotOnce(word)),
        }
    }
}

fn approver(value: &str) -> Option<Approver> {
    let mut parts = value.splitn(3, ' ');
    let form = match parts.next()? {
        "ssh" => Form::Ssh,
        "passphrase" => Form::Passphrase,
        _ => return None,
    };
    let key = unhex(parts.next()?)?;
    Some(Approver { person: parts.next()?.to_owned(), key, form })
}

impl FromStr for Pins {
    type Err = PinsError;

    fn from_str(text: &str) -> Result<Self, PinsError> {
        let mut lines = text.lines().zip(1..).filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
        if lines.next().is_none_or(|(first, _)| first != "tribune pins 1") {
            return Err(PinsError::Line { line: 1, wanted: "`tribune pins 1`" });
        }
        let mut said = Said::default();
        for (line, number) in lines {
            said.line(line).map_err(|wanted| PinsError::Line { line: number, wanted })?;
        }
        let text = |text: &str| Some(text.to_owned());
        let count = |text: &str| text.parse().ok();
        let (gate, threshold) = (said.once("gate", text)?, said.once("threshold", count)?);
        let server = ServerPins {
            epoch: said.once("epoch", |text| text.parse().ok())?,
            server: said.once("server", unhex)?,
            root: said.once("root", unhex)?,
        };
        let (origin, quorum) = (said.once("origin", text)?, said.once("quorum", count)?);
        let log = LogPins { origin, keys: said.keys, witnesses: said.witnesses, quorum };
        Self::new(&gate, threshold, said.approvers, server, log)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> String {
        let keys = [tlog::Signer::new("tribune.example/log", &[1; 32]).unwrap().verifier().to_string()];
        let witness = tlog::Cosigner::new("witness.example", &[2; 32]).unwrap().verifier().to_string();
        let [one, two, three] = [1, 2, 3].map(|byte| hex(&[byte; 32]));
        format!(
            "tribune pins 1\ngate north-1\nthreshold 2\napprover ssh {one} p 1\napprover passphrase {two} p-2\nepoch 1\n\
             server {three}\nroot {one}\norigin tribune.example/log\nlog {}\nwitness {witness}\nquorum 1\n",
            keys.concat()
        )
    }

    fn refused(from: &str, to: &str) -> String {
        text().replacen(from, to, 1).parse::<Pins>().unwrap_err().to_string()
    }

    #[test]
    fn pins_are_read_as_they_are_written() {
        let pins: Pins = text().parse().unwrap();
        assert_eq!(pins.to_string(), text());
        assert_eq!(text().replace("gate", "# of the north\n\ngate").parse(), Ok(pins.clone()));
        assert_eq!((pins.gate(), pins.threshold(), pins.server().epoch), ("north-1", 2, 1));
        assert_eq!(pins.person(&[1; 32], Form::Ssh), Some("p 1"));
        assert_eq!(pins.person(&[1; 32], Form::Passphrase), None, "a key counts in its form alone");
        assert_eq!(pins.person(&[9; 32], Form::Ssh), None);
    }

    #[test]
    fn pins_by_which_one_person_could_restrict_are_refused() {
        assert!(refused("threshold 2", "threshold 1").contains("so that nobody restricts alone"));
        assert!(refused("threshold 2", "threshold 3").contains("name 2 people who approve, and 3 must"));
        assert!(refused(" p-2", " p 1").contains("name 1 people who approve, and 2 must"));
        let (one, two) = (hex(&[1; 32]), hex(&[2; 32]));
        assert!(refused(&two, &one).contains("is pinned twice"));
        assert!(refused("quorum 1", "quorum 2").contains("of 1 witnesses"));
    }

    #[test]
    fn a_line_that_says_nothing_is_named() {
        assert!(refused("tribune pins 1", "tribune pins 2").contains("line 1 of the pins is not `tribune pins 1`"));
        assert!(refused("approver ssh", "approver rsa").contains("line 4 of the pins is not `approver`"));
        assert!(refused("quorum 1", "majority").contains("line 12 of the pins"));
        assert!(refused("epoch 1", "epoch one").contains("`epoch` not once"));
        assert!(refused("gate north-1\n", "").contains("`gate` not once"));
        assert!(refused("epoch 1", "epoch 1\nepoch 2").contains("`epoch` not once"));
        assert!(refused("gate north-1", "gate ").contains("names nobody"));
    }
}
