//! What an approval signs: a decision, by the digest of its text, and its list of targets, by their Merkle root.
//!
//! Names hold no control characters, so a line and a tab part them for good; the same bytes can be made in any language:
//!
//! - a *target* is `account TAB service TAB region TAB switches`: the region empty for everywhere, the switches in the
//!   order of [`Switch`] with commas between;
//! - the *root* of a list is its Merkle tree hash (RFC 6962 §2.1) over its targets, so that one target can be shown to
//!   be among those approved without the others;
//! - a *decision* is the lines that [`text`] writes; its digest is their SHA-256;
//! - the *message* that is signed is the lines that [`message`] writes.
//!
//! It checks one signature. Whether enough people signed, and the right ones, is asked in [`crate::rules`], and once more
//! by every gate.

use crate::act::{Approval, Decision, Order};
use crate::roster::{KeyForm, PublicKey};
use crate::words::{CaseId, Digest, Moment, Switch, Target};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha512};
use tlog::Hash;

/// The namespace of SSH signatures (`ssh-keygen -Y sign -n`): one made for anything else is no approval.
pub const SSH_NAMESPACE: &str = "tribune-approval";

/// A target as bytes.
pub fn line(target: &Target) -> String {
    let Target { account, service, region, switches } = target;
    let switches: Vec<&str> = switches.iter().map(switch).collect();
    let region = region.as_ref().map_or("", |region| region.as_str());
    format!("{account}\t{service}\t{region}\t{}", switches.join(","))
}

fn switch(switch: &Switch) -> &'static str {
    match switch {
        Switch::Write => "write",
        Switch::Read => "read",
        Switch::Delete => "delete",
        Switch::Export => "export",
    }
}

/// The root of a list.
pub fn root(targets: &[Target]) -> Digest {
    let leaves: Vec<Hash> = targets.iter().map(|target| Hash::leaf(line(target).as_bytes())).collect();
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

/// A decision as text.
pub fn text(case: &CaseId, decision: &Decision) -> String {
    let moment = |at: Option<Moment>| at.map_or("-".to_owned(), |at| at.to_string());
    let order = match &decision.order {
        Order::Impose { intervention } => format!("impose {intervention}"),
        Order::Lift { decision } => format!("lift {decision}"),
    };
    let determination = decision.determination.map_or("-".to_owned(), |place| place.to_string());
    let reasons: String =
        decision.reasons.iter().map(|(of, reason)| format!("reason {} {reason}\n", switch(of))).collect();
    format!(
        "tribune decision 1\ncase {case}\ndecision {}\n{order}\ndetermination {determination}\n{reasons}emergency {}\n\
         ends {}\nreview {}\ntargets {} {}\n",
        decision.id,
        if decision.emergency { "yes" } else { "no" },
        moment(decision.ends),
        moment(decision.review),
        decision.targets.len(),
        root(&decision.targets),
    )
}

/// The digest of a decision.
pub fn digest(case: &CaseId, decision: &Decision) -> Digest {
    Digest::of(text(case, decision))
}

/// What is signed: the decision, its list, and what was shown to who signs.
pub fn message(case: &CaseId, decision: &Decision, shown: &Digest) -> String {
    let (digest, root) = (digest(case, decision), root(&decision.targets));
    format!("tribune approval 1\ndecision {digest}\ntargets {root}\nshown {shown}\n")
}

/// Whether an approval is a signature of this message by its key.
pub fn verify(message: &str, approval: &Approval) -> bool {
    let Some(signature) = bytes(&approval.signature) else { return false };
    let Ok(key) = VerifyingKey::from_bytes(&approval.key.0) else { return false };
    let signed = match approval.form {
        KeyForm::Passphrase => message.as_bytes().to_vec(),
        KeyForm::Ssh => ssh_blob(message.as_bytes()),
    };
    key.verify_strict(&signed, &Signature::from_bytes(&signature)).is_ok()
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

/// The key and the signature (as [`Approval`] has it) of what `ssh-keygen -Y sign` wrote (OpenSSH `PROTOCOL.sshsig`).
///
/// # Errors
/// What is wrong with it.
pub fn parse_ssh(armoured: &str) -> Result<(PublicKey, String), SshError> {
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
    let signature: [u8; 64] = string(&mut signature)?.try_into().map_err(|_| SshError::Cut)?;
    Ok((PublicKey(key), signature.iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// Takes a string off the front: its length in four bytes, then its bytes (RFC 4251 §5).
fn string<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], SshError> {
    let (length, after) = rest.split_first_chunk::<4>().ok_or(SshError::Cut)?;
    let (string, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or(SshError::Cut)?;
    *rest = after;
    Ok(string)
}

fn bytes(hex: &str) -> Option<[u8; 64]> {
    let digits = hex.as_bytes();
    let plain = digits.len() == 128 && digits.iter().all(u8::is_ascii_hexdigit);
    let mut bytes = [0; 64];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    plain.then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer, SigningKey};
    use std::collections::{BTreeMap, BTreeSet};

    fn target(account: &str, region: Option<&str>) -> Target {
        let switches = BTreeSet::from([Switch::Export, Switch::Write]);
        let region = region.map(|region| region.parse().unwrap());
        Target { account: account.parse().unwrap(), service: "object-storage".parse().unwrap(), region, switches }
    }

    fn decision(targets: Vec<Target>) -> Decision {
        Decision {
            id: "d1".parse().unwrap(),
            order: Order::Impose { intervention: "read-only".parse().unwrap() },
            determination: Some(0),
            targets,
            reasons: BTreeMap::from([(Switch::Write, Digest::of("why"))]),
            emergency: false,
            ends: None,
            review: Some(Moment(1_772_323_200)),
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_description() {
        assert_eq!(line(&target("a", None)), "a\tobject-storage\t\twrite,export");
        assert_eq!(line(&target("a", Some("north"))), "a\tobject-storage\tnorth\twrite,export");
        // As `sha256sum` says of the same bytes.
        let leaf = |text: &str| Digest::of(format!("\0{text}")).0;
        let (a, b, c) = (target("a", None), target("b", None), target("c", None));
        let [la, lb, lc] = [&a, &b, &c].map(|target| leaf(&line(target)));
        let left = Digest::of([&[1][..], &la, &lb].concat()).0;
        assert_eq!(root(&[a, b, c]), Digest::of([&[1][..], &left, &lc].concat()));
        assert_eq!(root(&[]), Digest::of(""));
        let text = text(&"c1".parse().unwrap(), &decision(vec![target("a", None)]));
        let expected = format!(
            "tribune decision 1\ncase c1\ndecision d1\nimpose read-only\ndetermination 0\nreason write {}\nemergency no\n\
             ends -\nreview 2026-03-01T00:00:00Z\ntargets 1 {}\n",
            Digest::of("why"),
            root(&[target("a", None)])
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn a_signature_holds_for_its_form_key_and_every_character_it_is_of() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let case = "c1".parse().unwrap();
        let shown = Digest::of("page");
        let good = message(&case, &decision(vec![target("a", None)]), &shown);
        for (form, signed) in
            [(KeyForm::Passphrase, good.as_bytes().to_vec()), (KeyForm::Ssh, ssh_blob(good.as_bytes()))]
        {
            let signature = key.sign(&signed).to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
            let approval = Approval { key: PublicKey(key.verifying_key().to_bytes()), form, signature, shown };
            assert!(verify(&good, &approval));
            let other = message(&case, &decision(vec![target("b", None)]), &shown);
            assert!(!verify(&other, &approval), "one character of one target");
            let form = if form == KeyForm::Ssh { KeyForm::Passphrase } else { KeyForm::Ssh };
            assert!(!verify(&good, &Approval { form, ..approval.clone() }));
            assert!(!verify(&good, &Approval { key: PublicKey([1; 32]), ..approval.clone() }));
            for signature in ["", "zz", &"0".repeat(128), &"é".repeat(64)] {
                assert!(!verify(&good, &Approval { signature: signature.to_owned(), ..approval.clone() }));
            }
        }
    }

    /// What the real tool signs holds, and what it signs for another purpose does not.
    #[test]
    fn a_signature_of_ssh_keygen_is_read_and_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let run = |args: &[&str]| std::process::Command::new("ssh-keygen").args(args).output();
        let key = path("key");
        if run(&["-q", "-t", "ed25519", "-N", "", "-f", &key]).is_err() {
            println!("skipped: there is no ssh-keygen");
            return;
        }
        let (case, shown) = ("c1".parse().unwrap(), Digest::of("page"));
        let decision = decision(vec![target("a", None)]);
        let message = message(&case, &decision, &shown);
        let sign = |namespace: &str| {
            let _ = std::fs::remove_file(path("message.sig"));
            std::fs::write(path("message"), &message).unwrap();
            let signed = run(&["-Y", "sign", "-f", &key, "-n", namespace, &path("message")]).unwrap();
            assert!(signed.status.success(), "{signed:?}");
            std::fs::read_to_string(path("message.sig")).unwrap()
        };
        let armoured = sign(SSH_NAMESPACE);
        let (public, signature) = parse_ssh(&armoured).unwrap();
        let approval = Approval { key: public, form: KeyForm::Ssh, signature, shown };
        assert!(verify(&message, &approval) && !verify(&message.replace("1\n", "2\n"), &approval));
        assert_eq!(parse_ssh(&sign("file")), Err(SshError::Namespace));
        assert_eq!(parse_ssh("-----BEGIN PGP SIGNATURE-----"), Err(SshError::Armour));
        for cut in 0..armoured.len() {
            assert!(parse_ssh(&armoured[..cut]).is_err() || armoured[cut..].trim().is_empty());
        }
    }
}
