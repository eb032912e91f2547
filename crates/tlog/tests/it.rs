//! The log beside others: vectors made elsewhere, and a verifier that shares none of our code.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on may fail where it stands"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tlog::{
    AddCheckpoint, Appender, Checkpoint, Cosigner, Hash, Policy, Proof, Signer, Tile, Tiles, Tree, Watched, verify_log,
};

/// Test data beside the checkout, or where `TRIBUNE_SHARED` says.
fn shared(name: &str) -> Option<PathBuf> {
    let beside = PathBuf::from("../../../shared");
    let path = std::env::var_os("TRIBUNE_SHARED").map_or(beside, PathBuf::from).join("data").join(name);
    if !path.exists() {
        println!("skipped: {name} is not beside the checkout");
        return None;
    }
    Some(path)
}

/// All vectors below a folder, by their path.
fn vectors(folder: &Path) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(vectors(&path));
        } else if path.extension().is_some_and(|end| end == "json") {
            found.push((path.display().to_string(), serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap()));
        }
    }
    found
}

/// Some vectors have roots that are not 32 bytes but a few words in base64. For those the leaf hash of the text stands:
/// what was equal stays equal, and what was different stays different. Nothing at all is no hash.
fn hash(value: &Value) -> Option<Hash> {
    let text = value.as_str().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| Hash::leaf(text.as_bytes())))
}

fn proof(vector: &Value) -> Option<Vec<Hash>> {
    vector["proof"].as_array().map_or(Some(Vec::new()), |hashes| hashes.iter().map(hash).collect())
}

fn tree(vector: &Value, size: &str, root: &str) -> Option<Tree> {
    Some(Tree { size: vector[size].as_u64()?, root: hash(&vector[root])? })
}

/// Runs the vectors below `data/tlog/<kind>` and expects so many that hold and so many that must not.
fn run_vectors(kind: &str, holds: impl Fn(&Value) -> Option<bool>, expected: (usize, usize)) {
    let Some(folder) = shared(&format!("tlog/{kind}")) else { return };
    let mut count = (0, 0);
    for (path, vector) in vectors(&folder) {
        let wanted = !vector["wantErr"].as_bool().unwrap();
        assert_eq!(holds(&vector).unwrap_or(false), wanted, "{path}");
        *if wanted { &mut count.0 } else { &mut count.1 } += 1;
    }
    assert_eq!(count, expected, "{kind}");
}

#[test]
fn inclusion_vectors_hold_or_fail_as_they_say() {
    let holds = |vector: &Value| {
        let (index, leaf) = (vector["leafIdx"].as_u64()?, hash(&vector["leafHash"])?);
        Some(tree(vector, "treeSize", "root")?.verify_inclusion(index, leaf, &proof(vector)?).is_ok())
    };
    run_vectors("inclusion", holds, (6, 92));
}

#[test]
fn consistency_vectors_hold_or_fail_as_they_say() {
    let holds = |vector: &Value| {
        let (older, newer) = (tree(vector, "size1", "root1")?, tree(vector, "size2", "root2")?);
        Some(newer.verify_consistency(&older, &proof(vector)?).is_ok())
    };
    run_vectors("consistency", holds, (6, 92));
}

const ORIGIN: &str = "tribune.example/log";

/// A log on disk, as a server would keep it, with a witness and a proof.
struct Kept {
    folder: tempfile::TempDir,
    signer: Signer,
    witness: Cosigner,
}

impl Kept {
    fn new(size: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (signer, witness) =
            (Signer::new(ORIGIN, &[1; 32]).unwrap(), Cosigner::new("witness.example", &[2; 32]).unwrap());
        let kept = Self { folder, signer, witness };
        let mut log = Appender::default();
        for index in 0..size {
            kept.write(log.push(format!("entry {index}").as_bytes()).unwrap());
        }
        kept.write(log.partial(0));
        let checkpoint = Checkpoint::new(ORIGIN, log.tree(), &[]).unwrap();
        let mut note = checkpoint.sign(&kept.signer).unwrap();
        let request = AddCheckpoint::new(0, Vec::new(), note.clone()).unwrap();
        let watched = Watched { policy: kept.policy(0), latest: Tree::EMPTY };
        note.add(request.decide(Some(&watched), &kept.witness, 1_700_000_000).unwrap().signature).unwrap();
        std::fs::write(kept.folder.path().join("checkpoint"), note.to_string()).unwrap();
        kept
    }

    fn write(&self, files: Vec<(Tile, Vec<u8>)>) {
        for (tile, bytes) in files {
            let path = self.folder.path().join(tile.to_string());
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }

    fn read(&self, tile: Tile) -> std::io::Result<Vec<u8>> {
        std::fs::read(self.folder.path().join(tile.to_string()))
    }

    fn checkpoint(&self) -> Vec<u8> {
        std::fs::read(self.folder.path().join("checkpoint")).unwrap()
    }

    fn policy(&self, quorum: usize) -> Policy {
        let witnesses = vec![self.witness.verifier().clone()];
        Policy::new(ORIGIN, vec![self.signer.verifier().clone()], witnesses, quorum).unwrap()
    }
}

#[test]
fn a_log_on_disk_is_verified_whole_and_entry_by_entry() {
    let kept = Kept::new(70_000);
    let report = verify_log(&kept.policy(1), &kept.checkpoint(), None, |tile| kept.read(tile), |_, _| {}).unwrap();
    assert_eq!((report.entries, report.bundles, report.tiles), (70_000, 274, 274 + 2 + 1));
    let tree = report.believed.checkpoint.tree();
    let mut tiles = Tiles::open(tree, |tile| kept.read(tile)).unwrap();
    for index in [0, 255, 256, 65_535, 65_536, 69_999] {
        let checkpoint = tlog::Note::parse(&kept.checkpoint()).unwrap();
        let proof = Proof { extra: Vec::new(), index, hashes: tiles.inclusion(index).unwrap(), checkpoint };
        let entry = tiles.bundle(index / 256).unwrap().swap_remove((index % 256) as usize);
        assert_eq!(entry, format!("entry {index}").as_bytes());
        let proof: Proof = proof.to_string().parse().unwrap();
        assert_eq!(proof.verify(Hash::leaf(&entry), &kept.policy(1)).unwrap().checkpoint.tree(), tree);
    }
    let mut goes_on = Appender::open(tree, |tile| kept.read(tile)).unwrap();
    goes_on.push(b"one more").unwrap();
    let old = tree;
    kept.write(goes_on.partial(old.size));
    let mut tiles = Tiles::open(goes_on.tree(), |tile| kept.read(tile)).unwrap();
    goes_on.tree().verify_consistency(&old, &tiles.consistency(old.size).unwrap()).unwrap();
}

/// `TRIBUNE_PYTHON` names a Python with the package `cryptography`.
#[test]
fn a_verifier_that_shares_no_code_agrees() {
    let Some(python) = std::env::var_os("TRIBUNE_PYTHON") else {
        println!("skipped: TRIBUNE_PYTHON names no Python");
        return;
    };
    let kept = Kept::new(66_001);
    let index = 65_700;
    let checkpoint = tlog::Note::parse(&kept.checkpoint()).unwrap();
    let tree = checkpoint.text().parse::<Checkpoint>().unwrap().tree();
    let hashes = Tiles::open(tree, |tile| kept.read(tile)).unwrap().inclusion(index).unwrap();
    let proof = Proof { extra: b"any".to_vec(), index, hashes, checkpoint };
    std::fs::write(kept.folder.path().join("one.tlog-proof"), proof.to_string()).unwrap();
    let run = || {
        let script = Path::new("tests/verify.py");
        let keys = [kept.signer.verifier().to_string(), kept.witness.verifier().to_string()];
        let output = Command::new(&python).arg(script).arg(kept.folder.path()).args(keys).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said, error) = run();
    if code == Some(77) {
        print!("{said}");
        return;
    }
    assert_eq!((code, said.as_str()), (Some(0), "verified 66001 entries, 2 signatures, entry 65700\n"), "{error}");
    // It would have noticed.
    let path = kept.folder.path().join("tile/entries/100");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[5] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(run().0, Some(1));
}
