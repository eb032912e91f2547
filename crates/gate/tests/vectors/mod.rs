//! The files in `docs/snapshot`: still what the code makes, and believed by a reader that shares none of it.

use crate::sample::{Draft, Log, MARCH, NEW_SERVER, ROOT, SEED, TERMS, new_epoch, pins};
use gate::seal::Order;
use gate::{Gate, Snapshot, Stage, Terms, Version};
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    PathBuf::from("../../docs/snapshot")
}

/// The first snapshot and the second: two decisions; then one of them lifted in part, the other enforced, in epoch 2.
fn made() -> [Snapshot; 2] {
    let list = ["acme-1\tobject-storage\tnorth\twrite,export", "acme-1\tspeech\t\twrite"];
    let one = Draft::new("d1", Order::Impose("read-only"), &list, Some(MARCH + 90 * 86_400));
    let two = Draft::new("d2", Order::Impose("suspend"), &["acme-2\tspeech\t\twrite"], None);
    let mut three = Draft::new("d3", Order::Lift("d1"), &list[1..], None);
    three.approve(2);
    let shadow = Terms { stage: Stage::Shadow, ..TERMS };
    let mut log = Log::new();
    let first = log.records(&[(&one, Terms { window: MARCH + 30 * 86_400, ..TERMS }), (&two, shadow)]);
    let last = log.records(&[(&three, TERMS)]);
    let second = [first[0].clone(), first[1].on(&TERMS), last[0].clone()];
    [crate::sample::signed(1, first), Snapshot::sign(new_epoch(1, &ROOT), second, &NEW_SERVER)]
}

/// Write them anew with `TRIBUNE_WRITE_DOCS=1 cargo test -p gate vectors`.
#[test]
fn the_vectors_are_what_the_code_makes() {
    let [one, two] = made();
    let pins = pins("north-1");
    let files = [
        ("pins.txt", pins.to_string().into_bytes()),
        ("1.1.snapshot", one.bytes()),
        ("2.1.snapshot", two.bytes()),
        ("2.1.delta", two.delta_since(&one)),
    ];
    for (name, bytes) in &files {
        let path = folder().join(name);
        if std::env::var_os("TRIBUNE_WRITE_DOCS").is_some() {
            std::fs::write(&path, bytes).unwrap();
        }
        assert_eq!(std::fs::read(&path).unwrap_or_default(), *bytes, "docs/snapshot/{name} is out of date");
    }
    let gate = Gate::load(&files[1].1, pins, None, SEED).unwrap().next(&files[3].1, SEED).unwrap();
    assert_eq!((gate.version(), gate.set().len()), (Version { epoch: 2, sequence: 1 }, 2));
}

/// `TRIBUNE_PYTHON` names a Python with the package `cryptography`.
#[test]
fn a_reader_that_shares_no_code_agrees() {
    let Some(python) = std::env::var_os("TRIBUNE_PYTHON") else {
        println!("skipped: TRIBUNE_PYTHON names no Python");
        return;
    };
    let check = |snapshot: &Path| {
        let mut command = Command::new(&python);
        command.args([folder().join("check.py"), folder().join("pins.txt"), snapshot.to_owned()]);
        let output = command.env("PYTHONUTF8", "1").output().unwrap();
        let [said, error] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (output.status.success(), said, error)
    };
    let (good, said, error) = check(&folder().join("2.1.snapshot"));
    if error.contains("No module named") {
        println!("skipped: the Python that TRIBUNE_PYTHON names has no package cryptography");
        return;
    }
    assert!(good, "{error}");
    let mut lines: Vec<&str> = said.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["c1 d1 read-only", "c1 d2 suspend", "c1 d3 d1", "verified snapshot 2.1"]);
    assert!(check(&folder().join("1.1.snapshot")).0);
    // It would have noticed: one character of each part that somebody answers for.
    let bytes = std::fs::read(folder().join("1.1.snapshot")).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    for (part, wrong) in
        [("acme-1\tspeech", "list"), ("read-only", "Signature"), ("Writing", "server signed"), ("p-2", "pinned")]
    {
        let mut spoilt = bytes.clone();
        let place = bytes.windows(part.len()).position(|window| window == part.as_bytes()).unwrap();
        spoilt[place + part.len() - 1] ^= 1;
        let path = scratch.path().join("spoilt");
        std::fs::write(&path, spoilt).unwrap();
        let (good, _, error) = check(&path);
        assert!(!good && error.contains(wrong), "{part}: {error}");
    }
}
