//! What an approval signs: a decision, by the digest of its text, and its list of targets, by their Merkle root.
//!
//! Names hold no control characters, so a line and a tab part them for good; the same bytes can be made in any language:
//!
//! - a *target* is `account TAB service TAB region TAB switches`: the region empty for everywhere, the switches in the
//!   order of [`Switch::ALL`] with commas between;
//! - the *root* of a list is its Merkle tree hash (RFC 6962 §2.1) over its targets, so that one target can be shown to
//!   be among those approved without the others;
//! - a *decision* is the lines that [`Decision`] writes; its digest is their SHA-256;
//! - the *message* that is signed is the lines that [`message`] writes.
//!
//! It reads and checks these bytes. Whether enough people signed, and the right ones, is asked elsewhere: by the rules of
//! a review, and once more by every gate.

use crate::time;
use crate::words::{Digest, Switch, Switches};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha512};
use std::fmt;
use tlog::Hash;

/// The namespace of SSH signatures (`ssh-keygen -Y sign -n`): one made for anything else is no approval.
pub const SSH_NAMESPACE: &str = "tribune-approval";

/// How many characters a name has, at most.
const NAME_CHARS_MAX: usize = 200;

/// How an approver's key is held, and so what exactly it signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// As an SSH key: it signs what [`ssh_blob`] makes of the message.
    Ssh,
    /// Under a passphrase: it signs the message.
    Passphrase,
}

/// A text that a name can be: 1 to 200 characters, none of them a control character or a space at an end.
pub fn is_name(text: &str) -> bool {
    let length = text.chars().count();
    (1..=NAME_CHARS_MAX).contains(&length) && !text.chars().any(char::is_control) && text.trim() == text
}

/// One thing that a decision restricts; as text its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target<'a> {
    /// On which account.
    pub account: &'a str,
    /// Which service.
    pub service: &'a str,
    /// Only in this region; everywhere if none.
    pub region: Option<&'a str>,
    /// What is switched off.
    pub switches: Switches,
}

impl<'a> Target<'a> {
    /// What a line says, if it is one that restricts something.
    pub fn parse(line: &'a str) -> Option<Self> {
        let mut parts = line.split('\t');
        let (account, service, region) = (parts.next()?, parts.next()?, parts.next()?);
        let switches = Switches::parse(parts.next()?)?;
        let region = Some(region).filter(|region| !region.is_empty());
        let names = [Some(account), Some(service), region].into_iter().flatten().all(is_name);
        let whole = names && parts.next().is_none() && !switches.is_empty();
        whole.then_some(Self { account, service, region, switches })
    }
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, service, region, switches } = self;
        write!(f, "{account}\t{service}\t{}\t{switches}", region.unwrap_or_default())
    }
}

/// The root of a list, given as lines.
pub fn root<L: AsRef<str>>(lines: impl IntoIterator<Item = L>) -> Digest {
    let leaves: Vec<Hash> = lines.into_iter().map(|line| Hash::leaf(line.as_ref().as_bytes())).collect();
    Digest(*tree(&leaves).as_bytes())
}

/// Split at the largest power of two that is smaller than the whole.
fn tree(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::EMPTY_ROOT,
        [one] => *one,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            Hash::node(&tree(left), &tree(right))
        }
    }
}

/// What a decision does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order<'a> {
    /// Orders an intervention.
    Impose(&'a str),
    /// Lifts what another decision of its case ordered, or leaves of it only its own list.
    Lift(&'a str),
}

/// What a decision leaves the customer, so that whoever holds the server takes none of it away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Respite {
    /// Hours from the day on which enough people had approved until it can begin.
    pub notice_hours: u32,
    /// Days from its beginning during which reading and bulk export pass, whatever is switched off.
    pub export_days: u32,
}

/// A decision, as its text says it; as text that text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<'a> {
    /// The case.
    pub case: &'a str,
    /// Within the case.
    pub id: &'a str,
    /// What it does.
    pub order: Order<'a>,
    /// On which determination, by its place from 0.
    pub determination: Option<u64>,
    /// For every switch in the list, why it and not less: the digest of a text. In the order of [`Switch::ALL`].
    pub reasons: Vec<(Switch, Digest)>,
    /// It could not wait, and lapses soon.
    pub emergency: bool,
    /// What it leaves the customer.
    pub respite: Respite,
    /// When it ends by itself, in seconds since 1970.
    pub ends: Option<i64>,
    /// When it is looked at again.
    pub review: Option<i64>,
    /// How many targets it has.
    pub targets: u64,
    /// The root of their list.
    pub root: Digest,
}

impl<'a> Decision<'a> {
    /// What a text says. Strict: writing it again gives the same text.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut lines = text.strip_prefix("tribune decision 1\n")?.strip_suffix('\n')?.split('\n').peekable();
        let case = lines.next()?.strip_prefix("case ")?;
        let id = lines.next()?.strip_prefix("decision ")?;
        let (word, name) = lines.next()?.split_once(' ')?;
        let order = match word {
            "impose" => Order::Impose(name),
            "lift" => Order::Lift(name),
            _ => return None,
        };
        let determination = optional(lines.next()?.strip_prefix("determination ")?, |text| text.parse().ok())?;
        let mut reasons = Vec::new();
        while let Some(reason) = lines.peek()?.strip_prefix("reason ") {
            let (switch, digest) = reason.split_once(' ')?;
            reasons.push((Switch::parse(switch)?, Digest::parse(digest)?));
            lines.next();
        }
        let emergency = lines.next()?.strip_prefix("emergency ")? == "yes";
        let notice_hours = lines.next()?.strip_prefix("notice ")?.parse().ok()?;
        let export_days = lines.next()?.strip_prefix("export ")?.parse().ok()?;
        let respite = Respite { notice_hours, export_days };
        let ends = optional(lines.next()?.strip_prefix("ends ")?, time::parse)?;
        let review = optional(lines.next()?.strip_prefix("review ")?, time::parse)?;
        let (targets, root) = lines.next()?.strip_prefix("targets ")?.split_once(' ')?;
        let (targets, root) = (targets.parse().ok()?, Digest::parse(root)?);
        let decision =
            Self { case, id, order, determination, reasons, emergency, respite, ends, review, targets, root };
        let named = [case, id, name].into_iter().all(is_name);
        let ordered = decision.reasons.is_sorted_by(|(one, _), (next, _)| one < next);
        (named && ordered && lines.next().is_none() && decision.to_string() == text).then_some(decision)
    }
}

/// What stands there, or `-` for nothing.
fn optional<T>(text: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    if text == "-" { Some(None) } else { parse(text).map(Some) }
}

impl fmt::Display for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { case, id, determination, emergency, respite, ends, review, targets, root, .. } = self;
        let moment = |at: &Option<i64>| at.map_or("-".to_owned(), time::text);
        writeln!(f, "tribune decision 1\ncase {case}\ndecision {id}")?;
        match self.order {
            Order::Impose(intervention) => writeln!(f, "impose {intervention}")?,
            Order::Lift(decision) => writeln!(f, "lift {decision}")?,
        }
        writeln!(f, "determination {}", determination.map_or("-".to_owned(), |place| place.to_string()))?;
        self.reasons.iter().try_for_each(|(of, reason)| writeln!(f, "reason {} {reason}", of.name()))?;
        writeln!(f, "emergency {}", if *emergency { "yes" } else { "no" })?;
        writeln!(f, "notice {}\nexport {}", respite.notice_hours, respite.export_days)?;
        writeln!(f, "ends {}\nreview {}\ntargets {targets} {root}", moment(ends), moment(review))
    }
}

/// What is signed: a decision by its digest, its list, and the digest of what was shown to who signs.
pub fn message(decision: &Digest, root: &Digest, shown: &Digest) -> String {
    format!("tribune approval 1\ndecision {decision}\ntargets {root}\nshown {shown}\n")
}

/// Whether a signature is one of this message by a key (Ed25519) that is held so.
pub fn verify(message: &str, key: &[u8; 32], form: Form, signature: &[u8; 64]) -> bool {
    match form {
        Form::Passphrase => signed(message.as_bytes(), key, signature),
        Form::Ssh => signed(&ssh_blob(message.as_bytes()), key, signature),
    }
}

/// Whether a signature is one of these bytes by this key (RFC 8032; no key or point of small order).
pub(crate) fn signed(bytes: &[u8], key: &[u8; 32], signature: &[u8; 64]) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(key) else { return false };
    key.verify_strict(bytes, &Signature::from_bytes(signature)).is_ok()
}

/// What an SSH key signs (OpenSSH `PROTOCOL.sshsig`): magic, namespace, a reserved string, and the hash of the message.
pub fn ssh_blob(message: &[u8]) -> Vec<u8> {
    let hash = Sha512::digest(message);
    let parts: [&[u8]; 4] = [SSH_NAMESPACE.as_bytes(), b"", b"sha512", &hash];
    let mut blob = b"SSHSIG".to_vec();
    for part in parts {
        blob.extend_from_slice(&(part.len() as u32).to_be_bytes());
        blob.extend_from_slice(part);
    }
    blob
}

/// What is wrong with an SSH signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SshError {
    /// It is not in the armour that `ssh-keygen -Y sign` writes.
    #[error(
        "this is no SSH signature: it begins with `-----BEGIN SSH SIGNATURE-----`, as `ssh-keygen -Y sign` writes it"
    )]
    Armour,
    /// It is cut, or of another version.
    #[error("the SSH signature is cut or of another version; sign again with a current OpenSSH")]
    Cut,
    /// It was made for something else.
    #[error("the SSH signature was made for something else; sign with `ssh-keygen -Y sign -n {SSH_NAMESPACE}`")]
    Namespace,
    /// The key is of another kind.
    #[error("the key is not Ed25519; make one with `ssh-keygen -t ed25519`, and have it put on the roster")]
    Kind,
    /// Another hash.
    #[error("the message was hashed with something else than SHA-512, which `ssh-keygen -Y sign` uses by itself")]
    Hash,
}

/// The key and the signature of what `ssh-keygen -Y sign` wrote (OpenSSH `PROTOCOL.sshsig`).
///
/// # Errors
/// What is wrong with it.
pub fn parse_ssh(armoured: &str) -> Result<([u8; 32], [u8; 64]), SshError> {
    let body = armoured.trim().strip_prefix("-----BEGIN SSH SIGNATURE-----").ok_or(SshError::Armour)?;
    let body = body.strip_suffix("-----END SSH SIGNATURE-----").ok_or(SshError::Armour)?;
    let plain: String = body.split_whitespace().collect();
    let blob = STANDARD.decode(plain).map_err(|_| SshError::Armour)?;
    let mut rest = blob.strip_prefix(b"SSHSIG\0\0\0\x01").ok_or(SshError::Cut)?;
    let mut key = string(&mut rest)?;
    let [namespace, _, hash, mut signature] =
        [string(&mut rest)?, string(&mut rest)?, string(&mut rest)?, string(&mut rest)?];
    if namespace != SSH_NAMESPACE.as_bytes() {
        return Err(SshError::Namespace);
    }
    if string(&mut key)? != b"ssh-ed25519" || string(&mut signature)? != b"ssh-ed25519" {
        return Err(SshError::Kind);
    }
    if hash != b"sha512" {
        return Err(SshError::Hash);
    }
    let key = string(&mut key)?.try_into().map_err(|_| SshError::Cut)?;
    Ok((key, string(&mut signature)?.try_into().map_err(|_| SshError::Cut)?))
}

/// Takes a string off the front: its length in four bytes, then its bytes (RFC 4251 §5).
fn string<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], SshError> {
    let (length, after) = rest.split_first_chunk::<4>().ok_or(SshError::Cut)?;
    let (string, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or(SshError::Cut)?;
    *rest = after;
    Ok(string)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(order: &str, reasons: &str) -> String {
        format!(
            "tribune decision 1\ncase c1\ndecision d1\n{order}\ndetermination 0\n{reasons}emergency no\nnotice 72\nexport 30\n\
             ends -\nreview 2026-03-01T00:00:00Z\ntargets 2 {}\n",
            Digest::of("")
        )
    }

    #[test]
    fn a_decision_is_read_as_it_was_written_and_nothing_else_is() {
        let (why, because) = (Digest::of("why"), Digest::of("because"));
        let good = text("impose read-only", &format!("reason write {why}\nreason export {because}\n"));
        let decision = Decision::parse(&good).unwrap();
        assert_eq!((decision.case, decision.order, decision.targets), ("c1", Order::Impose("read-only"), 2));
        assert_eq!(decision.reasons, [(Switch::Write, why), (Switch::Export, because)]);
        assert_eq!((decision.ends, decision.review), (None, Some(1_772_323_200)));
        assert_eq!(decision.respite, Respite { notice_hours: 72, export_days: 30 });
        assert_eq!(Decision::parse(&text("lift d0", "")).unwrap().order, Order::Lift("d0"));
        for (from, to) in [
            ("decision 1", "decision 2"),
            ("case c1", "case "),
            ("case c1", "case c1\r"),
            ("impose", "obey"),
            ("determination 0", "determination 00"),
            ("determination 0", "determination"),
            ("emergency no", "emergency maybe"),
            ("notice 72", "notice -72"),
            ("notice 72", "notice 072"),
            ("export 30", "export 4294967296"),
            ("notice 72\n", ""),
            ("ends -", "ends never"),
            ("ends -\n", ""),
            ("targets 2", "targets +2"),
            ("targets", "\ntargets"),
            ("reason write", "reason export"),
        ] {
            assert_eq!(Decision::parse(&good.replacen(from, to, 1)), None, "{from} → {to}");
        }
        for end in (0..good.len()).filter(|end| good.is_char_boundary(*end)) {
            assert_eq!(Decision::parse(&good[..end]), None);
        }
        assert_eq!(Decision::parse(&format!("{good}\n")), None);
    }

    #[test]
    fn a_target_is_one_line_of_four_parts() {
        for line in ["a\tobject-storage\t\twrite,export", "a b\tspeech\tnorth\tread", "Ünï\ts\t\tdelete"] {
            assert_eq!(Target::parse(line).unwrap().to_string(), line);
        }
        let long = format!("{}\ts\t\twrite", "x".repeat(201));
        for line in
            ["", "a\ts\t\t", "a\ts\twrite", "\ts\t\twrite", "a\t\t\twrite", " a\ts\t\twrite", "a\ts\t \twrite", &long]
        {
            assert_eq!(Target::parse(line), None, "{line}");
        }
        for line in ["a\ts\t\twrite\t", "a\ts\t\tread,write", "a\ts\t\twrite\n", "a\u{7}\ts\t\twrite"] {
            assert_eq!(Target::parse(line), None, "{line}");
        }
    }
}
