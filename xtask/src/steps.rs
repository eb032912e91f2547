//! The steps of `cargo xtask test`, in order, each printed with its time. One that fails does not keep the next from
//! running, so that one run tells everything. It installs nothing itself.

use crate::project::{Project, run, works};
use crate::{docs, setup, walls};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

/// One check.
pub(crate) struct Step {
    /// What `--only` calls it.
    pub(crate) name: &'static str,
    /// What it checks.
    pub(crate) about: &'static str,
    run: fn(&Project, &mut Tally) -> Result<(), String>,
}

/// Every step: quick ones first; the tests last, so that their summary closes the output.
pub(crate) const STEPS: &[Step] = &[
    Step { name: "fmt", about: "the code is formatted", run: fmt },
    Step { name: "docs", about: "what the documents name exists; no path of this machine", run: docs },
    Step { name: "walls", about: "no crate knows what it must never know", run: walls },
    Step { name: "deny", about: "licences, sources and bans of all dependencies", run: deny },
    Step { name: "clippy", about: "no warning anywhere", run: clippy },
    Step { name: "doctests", about: "the examples in the documentation", run: doctests },
    Step { name: "tests", about: "every test of the workspace", run: tests },
];

/// What the tests came to.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    passed: u64,
    failed: u64,
    /// What did not run for want of a tool, each with its name and the reason.
    skipped: Vec<String>,
}

/// Sets up what is missing and runs the steps named, or all.
pub(crate) fn test(project: &Project, only: &[String]) -> Result<(), String> {
    let steps: Vec<&Step> =
        STEPS.iter().filter(|step| only.is_empty() || only.iter().any(|name| name == step.name)).collect();
    let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
    let (mut tally, mut failed) = (Tally::default(), Vec::new());
    let (set_up, seconds) = timed(|| setup::set_up(project, &names));
    set_up?;
    println!("set-up: done in {seconds} s");
    for step in steps {
        println!("\n== {}: {}", step.name, step.about);
        let skipped_before = tally.skipped.len();
        let (result, seconds) = timed(|| (step.run)(project, &mut tally));
        match result {
            Ok(()) => match tally.skipped.len() - skipped_before {
                0 => println!("== {}: ok in {seconds} s", step.name),
                skipped => println!("== {}: ok in {seconds} s, but for {skipped} SKIPPED", step.name),
            },
            Err(why) => {
                println!("== {}: FAILED in {seconds} s: {why}", step.name);
                failed.push(step.name);
            }
        }
    }
    println!();
    for what in &tally.skipped {
        println!("SKIPPED {what}");
    }
    if names.contains(&"tests") {
        println!("tests: {} passed, {} failed, {} skipped", tally.passed, tally.failed, tally.skipped.len());
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

#[expect(clippy::disallowed_methods, reason = "how long a step takes is told to people and decides nothing")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, String) {
    let start = std::time::Instant::now();
    let result = work();
    (result, format!("{:.1}", start.elapsed().as_secs_f64()))
}

fn fmt(project: &Project, _: &mut Tally) -> Result<(), String> {
    run(project.command("cargo").args(["fmt", "--all", "--check"]))
}

fn docs(project: &Project, _: &mut Tally) -> Result<(), String> {
    none(&docs::untrue(project)?)
}

fn walls(project: &Project, _: &mut Tally) -> Result<(), String> {
    none(&walls::broken(&project.metadata))
}

/// An error that lists the complaints, if there are any.
fn none(complaints: &[String]) -> Result<(), String> {
    if complaints.is_empty() { Ok(()) } else { Err(format!("\n  {}", complaints.join("\n  "))) }
}

fn deny(project: &Project, tally: &mut Tally) -> Result<(), String> {
    let program = setup::cargo_deny(project);
    if !works(&program, &["--version"]) {
        tally.skipped.push("the step `deny`: cargo-deny is not here and could not be installed".into());
        return Ok(());
    }
    run(project.command(program).args(["--workspace", "--locked", "check", "bans", "licenses", "sources"]))
}

fn clippy(project: &Project, _: &mut Tally) -> Result<(), String> {
    run(project.command("cargo").args(["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))
}

fn doctests(project: &Project, _: &mut Tally) -> Result<(), String> {
    run(project.command("cargo").args(["test", "--workspace", "--locked", "--doc", "--quiet"]))
}

/// Runs every test, with nextest when it is there. A test that lacks a tool prints a line `skipped: why`.
fn tests(project: &Project, tally: &mut Tally) -> Result<(), String> {
    let nextest = works("cargo-nextest", &["nextest", "--version"]);
    let (result, output) = if nextest { with_nextest(project)? } else { with_cargo_test(project)? };
    tally.add(&output);
    result
}

type Ran = (Result<(), String>, String);

/// Runs nextest; what the tests printed comes from its JUnit file.
fn with_nextest(project: &Project) -> Result<Ran, String> {
    let store = project.target.join("nextest");
    let (config, junit) = (store.join("config.toml"), store.join("default/junit.xml"));
    let text = format!(
        "store = {{ dir = {store:?} }}\n[profile.default]\nfail-fast = false\n\
         slow-timeout = {{ period = \"60s\", terminate-after = 15 }}\n\
         junit = {{ path = \"junit.xml\", store-success-output = true }}\n"
    );
    std::fs::create_dir_all(&store)
        .and_then(|()| std::fs::write(&config, text))
        .map_err(|error| format!("{}: {error}", config.display()))?;
    // An old one must not be taken for this run's; that there is none is fine.
    drop(std::fs::remove_file(&junit));
    let mut cargo = project.command("cargo");
    cargo.args(["nextest", "run", "--workspace", "--locked", "--config-file"]).arg(&config);
    let result = run(cargo.envs(setup::variables(project)));
    Ok((result, std::fs::read_to_string(junit).unwrap_or_default()))
}

/// Runs the tests without nextest; what they printed is read as it passes by.
fn with_cargo_test(project: &Project) -> Result<Ran, String> {
    let mut cargo = project.command("cargo");
    cargo.args(["test", "--workspace", "--locked", "--all-targets", "--no-fail-fast", "--", "--show-output"]);
    cargo.envs(setup::variables(project)).stdout(Stdio::piped());
    let mut child = cargo.spawn().map_err(|error| format!("cargo could not be started: {error}"))?;
    let mut output = String::new();
    for line in child.stdout.take().into_iter().flat_map(|stdout| BufReader::new(stdout).lines()) {
        let line = line.map_err(|error| error.to_string())?;
        println!("{line}");
        output.push_str(&line);
        output.push('\n');
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    Ok((if status.success() { Ok(()) } else { Err(format!("`cargo test` failed ({status})")) }, output))
}

impl Tally {
    /// Adds what nextest's JUnit file or the output of `cargo test` says.
    fn add(&mut self, output: &str) {
        let xml = output.starts_with("<?xml");
        let mut test = String::new();
        let mut skipped = Vec::new();
        for line in output.lines().map(str::trim) {
            if line.starts_with("<testcase ") {
                test = format!("{} {}", attribute(line, "classname"), attribute(line, "name"));
            } else if line.starts_with("<testsuites ") {
                let count = |key: &str| attribute(line, key).parse().unwrap_or(0_u64);
                self.failed += count("failures") + count("errors");
                self.passed += count("tests").saturating_sub(count("failures") + count("errors"));
            } else if let Some(name) = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----")) {
                test = name.to_owned();
            } else if let Some(counts) = line.strip_prefix("test result: ").filter(|_| !xml) {
                let count = |word: &str| {
                    let part = counts.split(['.', ';']).find_map(|part| part.trim().strip_suffix(word));
                    part.and_then(|number| number.trim().parse().ok()).unwrap_or(0_u64)
                };
                self.passed += count("passed");
                self.failed += count("failed");
            } else if let Some(why) = line.strip_prefix("skipped: ") {
                skipped.push(format!("{test}: {}", if xml { unescaped(why) } else { why.to_owned() }));
            }
        }
        self.passed = self.passed.saturating_sub(skipped.len() as u64);
        self.skipped.append(&mut skipped);
    }
}

/// The text that XML wrote with entities.
fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// The value of an attribute of an XML element on one line.
fn attribute<'a>(line: &'a str, key: &str) -> &'a str {
    let value = line.split_once(&format!(" {key}=\"")).map_or("", |(_, rest)| rest);
    value.split('"').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_lacked_a_tool_is_skipped_by_name_with_nextest() {
        let junit = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="3" skipped="0" failures="1" errors="0" uuid="u">
    <testsuite name="usage" tests="3" skipped="0" errors="0" failures="1">
        <testcase name="tests::a" classname="usage" time="0.1">
            <system-out>
running 1 test
skipped: no &lt;duckdb&gt; &amp;c
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.00s
</system-out>
        </testcase>
        <testcase name="tests::b" classname="usage" time="0.1">
            <system-out>nothing was skipped: fine</system-out>
        </testcase>"#;
        let mut tally = Tally::default();
        tally.add(junit);
        assert_eq!(tally, Tally { passed: 1, failed: 1, skipped: vec!["usage tests::a: no <duckdb> &c".into()] });
    }

    #[test]
    fn a_test_that_lacked_a_tool_is_skipped_by_name_with_cargo_test() {
        let output = "running 3 tests\n---- tests::a stdout ----\nskipped: no duckdb\n\n\
                      test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n\
                      test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
        let mut tally = Tally::default();
        tally.add(output);
        assert_eq!(tally, Tally { passed: 5, failed: 1, skipped: vec!["tests::a: no duckdb".into()] });
    }
}
