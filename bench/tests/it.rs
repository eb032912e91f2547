//! The whole bench on a tiny month: both sides answer the same, and the results are written down. Times are not looked
//! at.

use std::path::Path;
use std::process::Command;

#[test]
fn both_sides_answer_the_same_on_a_tiny_month() {
    let Some(python) = std::env::var_os("TRIBUNE_PYTHON") else {
        println!("skipped: TRIBUNE_PYTHON does not name a Python that has duckdb");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let readme = Path::new("README.md");
    std::fs::copy(readme, folder.path().join("README.md")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["--quick", "--memory", "1GB", "--python"])
        .arg(python)
        .arg("--dir")
        .arg(folder.path())
        .arg("--results")
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let results = std::fs::read_to_string(folder.path().join("results.json")).unwrap();
    let results: serde_json::Value = serde_json::from_str(&results).unwrap();
    let run = &results["runs"]["quick"];
    assert!(run["rows"].as_f64().unwrap() > 100_000.0, "{run}");
    let ratios = run["ratios"].as_array().unwrap();
    for question in ["(a) rank", "(b) tick", "(c) explain, state in memory", "(c) explain, from disk"] {
        assert!(ratios.iter().any(|ratio| ratio["question"] == question), "{question}");
    }
}
