//! A gate of its own under load for a moment, by each interface: every answer is the one expected. Times are not looked
//! at.

use std::process::Command;

#[test]
fn a_gate_under_load_answers_rightly_by_each_interface() {
    let output = Command::new(env!("CARGO_BIN_EXE_bench-gate")).args(["load", "--quick"]).output().unwrap();
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{complained}");
    for name in ["AuthZEN, one question", "AuthZEN, a batch of 50", "forward auth", "told from S3", "Envoy ext_authz"] {
        let lines: Vec<&str> = said.lines().filter(|line| line.contains(name)).collect();
        assert!(lines.len() >= 3, "{name}: {said}");
        assert!(lines.iter().all(|line| line.matches('|').count() == 13), "{said}");
    }
}
