//! What an approval signs: a decision, by the digest of its text, and its list of targets, by their Merkle root.
//!
//! The bytes themselves are made and read in [`gate::seal`], the same for whoever approves and whoever enforces; here are
//! the words of a review for them.
//!
//! It checks one signature. Whether enough people signed, and the right ones, is asked in [`crate::rules`], and once more
//! by every gate.

use crate::act::{Approval, Decision, Order};
use crate::roster::{KeyForm, PublicKey};
use crate::words::{CaseId, Digest, Moment, Switch, Target};
use gate::seal;

pub use gate::seal::{SSH_NAMESPACE, SshError, ssh_blob};

/// A target as bytes.
pub fn line(target: &Target) -> String {
    let Target { account, service, region, switches } = target;
    let region = region.as_ref().map(|region| region.as_str());
    let switches = switches.iter().map(switch).collect();
    seal::Target { account: account.as_str(), service: service.as_str(), region, switches }.to_string()
}

fn switch(switch: &Switch) -> gate::Switch {
    match switch {
        Switch::Write => gate::Switch::Write,
        Switch::Read => gate::Switch::Read,
        Switch::Delete => gate::Switch::Delete,
        Switch::Export => gate::Switch::Export,
    }
}

/// The root of a list.
pub fn root(targets: &[Target]) -> Digest {
    Digest(seal::root(targets.iter().map(line)).0)
}

/// A decision as text.
pub fn text(case: &CaseId, decision: &Decision) -> String {
    let Decision { id, order, determination, targets, reasons, emergency, respite, ends, review } = decision;
    let seconds = |at: &Option<Moment>| at.map(|at| at.0);
    let order = match order {
        Order::Impose { intervention } => seal::Order::Impose(intervention.as_str()),
        Order::Lift { decision } => seal::Order::Lift(decision.as_str()),
    };
    let decision = seal::Decision {
        case: case.as_str(),
        id: id.as_str(),
        order,
        determination: determination.map(|place| place as u64),
        reasons: reasons.iter().map(|(of, reason)| (switch(of), gate::Digest(reason.0))).collect(),
        emergency: *emergency,
        respite: seal::Respite { notice_hours: respite.notice_hours, export_days: respite.export_days },
        ends: seconds(ends),
        review: seconds(review),
        targets: targets.len() as u64,
        root: gate::Digest(root(targets).0),
    };
    decision.to_string()
}

/// What those who decide are shown: the decision as it is sealed, and every target.
pub fn shown(case: &CaseId, decision: &Decision) -> String {
    let targets = decision.targets.iter().map(|target| format!("target {}\n", line(target)));
    text(case, decision) + &targets.collect::<String>()
}

/// The digest of a decision.
pub fn digest(case: &CaseId, decision: &Decision) -> Digest {
    Digest::of(text(case, decision))
}

/// What is signed: the decision, its list, and what was shown to who signs.
pub fn message(case: &CaseId, decision: &Decision, shown: &Digest) -> String {
    let [digest, root, shown] = [digest(case, decision), root(&decision.targets), *shown].map(|it| gate::Digest(it.0));
    seal::message(&digest, &root, &shown)
}

/// Whether an approval is a signature of this message by its key.
pub fn verify(message: &str, approval: &Approval) -> bool {
    let form = match approval.form {
        KeyForm::Passphrase => seal::Form::Passphrase,
        KeyForm::Ssh => seal::Form::Ssh,
    };
    bytes(&approval.signature).is_some_and(|signature| seal::verify(message, &approval.key.0, form, &signature))
}

/// The key and the signature (as [`Approval`] has it) of what `ssh-keygen -Y sign` wrote (OpenSSH `PROTOCOL.sshsig`).
///
/// # Errors
/// What is wrong with it.
pub fn parse_ssh(armoured: &str) -> Result<(PublicKey, String), SshError> {
    let (key, signature) = seal::parse_ssh(armoured)?;
    Ok((PublicKey(key), signature.iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// The 64 bytes of a signature, as [`Approval`] has it; none of another text.
pub fn bytes(hex: &str) -> Option<[u8; 64]> {
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
    use crate::procedure::Respite;
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
            respite: Respite { notice_hours: 72, export_days: 30 },
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
             notice 72\nexport 30\nends -\nreview 2026-03-01T00:00:00Z\ntargets 1 {}\n",
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
            let approval =
                Approval { key: PublicKey(key.verifying_key().to_bytes()), form, signature, shown, identity: None };
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
        let approval = Approval { key: public, form: KeyForm::Ssh, signature, shown, identity: None };
        assert!(verify(&message, &approval) && !verify(&message.replace("1\n", "2\n"), &approval));
        assert_eq!(parse_ssh(&sign("file")), Err(SshError::Namespace));
        assert_eq!(parse_ssh("-----BEGIN PGP SIGNATURE-----"), Err(SshError::Armour));
        for cut in 0..armoured.len() {
            assert!(parse_ssh(&armoured[..cut]).is_err() || armoured[cut..].trim().is_empty());
        }
    }
}
