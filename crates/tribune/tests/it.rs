//! The command as its users run it: real files in, text, JSON and exit codes out.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on may fail where it stands"
)]

#[path = "it/anonymous.rs"]
mod anonymous;
#[path = "it/demo.rs"]
mod demo;
#[path = "../../web/tests/it/driver.rs"]
#[allow(dead_code, reason = "the tests of the pages use more of it")]
mod driver;
#[path = "../../web/tests/it/eyes.rs"]
#[allow(dead_code, reason = "the tests of the pages use more of it")]
mod eyes;
#[path = "it/live.rs"]
mod live;
#[path = "it/measure.rs"]
mod measure;
#[path = "../../store/tests/it/others.rs"]
mod others;
#[path = "../../store/tests/it/server.rs"]
mod server;
#[path = "it/story.rs"]
mod story;
#[path = "it/witness.rs"]
mod witness;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A scratch folder, in which `HOME` lies too.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tribune"));
        command.args(args).env("HOME", self.0.path()).env_remove("XDG_STATE_HOME").output().unwrap()
    }

    /// Runs it, expects this exit code, and gives standard output.
    fn out(&self, code: i32, args: &[&str]) -> String {
        let output = self.run(args);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, code: i32, args: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.out(code, args)).unwrap()
    }

    /// A small simulated provider.
    fn provider(&self, accounts: &str, days: &str) -> String {
        let folder = self.path("provider").display().to_string();
        self.out(0, &["simulate", "--out", &folder, "--accounts", accounts, "--days", days, "--seed", "7"]);
        folder
    }
}

const HEADER: &str = "BillingAccountId,SubAccountId,ServiceCategory,ServiceName,RegionId,SkuId,SkuMeter,ConsumedQuantity,\
                      ConsumedUnit,PricingQuantity,PricingUnit,ChargeCategory,ChargeClass,ChargeFrequency,\
                      ChargePeriodStart,ChargePeriodEnd,BillingPeriodStart,ProviderName,ChargeDescription,ResourceId\n";

/// A row of Example Cloud: so many objects written in an hour.
fn row(customer: &str, account: &str, hour: &str, quantity: &str) -> String {
    format!(
        "{customer},{account},Storage,Object Storage,north,storage.write,storage.write,{quantity},Requests,,,Usage,,\
         Usage-Based,2026-01-01T{hour}:00:00Z,2026-01-01T{hour}:59:59Z,2026-01-01T00:00:00Z,Example Cloud,,\n"
    )
}

fn shared(name: &str) -> Option<PathBuf> {
    let path = std::path::absolute(Path::new("../../../shared/data").join(name)).unwrap();
    if !path.exists() {
        println!("skipped: {name} is not beside the checkout");
        return None;
    }
    Some(path)
}

/// The built-in pack in a folder of its own, with some of its lines changed.
fn pack(place: &Place, name: &str, changes: &[(&str, &str)]) -> String {
    let from = Path::new("../../policies/mass-surveillance");
    for entry in walk(from) {
        let mut text = std::fs::read_to_string(&entry).unwrap();
        for (line, other) in changes.iter().filter(|_| entry.ends_with("policy.toml")) {
            assert!(text.contains(line), "{line}");
            text = text.replacen(line, other, 1);
        }
        place.file(&format!("{name}/{}", entry.strip_prefix(from).unwrap().display()), text);
    }
    place.path(name).display().to_string()
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn a_policy_is_tried_with_other_numbers_by_counts_and_pseudonyms() {
    let place = Place::new();
    let folder = place.provider("90", "9");
    let backtest = |with: &str, days: &str| {
        let args = ["policy", "backtest", &folder, "--with", with, "--days", days, "--format", "json"];
        (place.json(0, &args), place.out(0, &args[..7]))
    };
    let (same, table) = backtest(&pack(&place, "same", &[]), "7");
    assert_eq!((&same["own"], &same["both"]), (&same["other"], &same["own"]["cases"]), "{same}");
    assert!(table.contains("0 dropped, 0 new.") && table.contains("Nothing has changed."), "{table}");
    let open = [
        ("floor_db = -18", "floor_db = -40"),
        ("count = 3", "count = 1"),
        ("floor_raise_db = 6", "floor_raise_db = 0"),
    ];
    let (loose, table) = backtest(&pack(&place, "loose", &open), "7");
    let new = loose["only_other"].as_array().unwrap();
    let cases = |side: &str| loose[side]["cases"].as_u64().unwrap();
    assert!(cases("other") > cases("own") && !new.is_empty(), "{loose}");
    assert_eq!(loose["both"].as_u64().unwrap() + new.len() as u64, cases("other"), "{loose}");
    assert!(new.iter().all(|one| one["customer"].as_str().unwrap().starts_with('~')), "{loose}");
    let names = std::fs::read_to_string(place.path("provider/facts.csv")).unwrap();
    let ids = names.lines().skip(1).filter_map(|line| line.split(',').next()).filter(|id| !id.is_empty());
    let named: Vec<&str> = ids.filter(|id| table.contains(id) || loose.to_string().contains(id)).collect();
    assert!(named.is_empty(), "{named:?}");
    let (strict, _) = backtest(&pack(&place, "strict", &[("floor_db = -18", "floor_db = 30")]), "2");
    assert_eq!(strict["other"]["cases"], 0, "{strict}");
    let other = pack(&place, "other", &[("id = \"mass-surveillance\"", "id = \"another\"")]);
    let refused = place.run(&["policy", "backtest", &folder, "--with", &other]);
    let error = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(1) && error.contains("no policy another is in use"), "{error}");
}

#[test]
fn the_real_export_warrants_no_case_and_every_row_is_accounted_for() {
    let Some(sample) = shared("focus/focus_sample.csv") else { return };
    let place = Place::new();
    let output = place.run(&["scan", sample.to_str().unwrap(), "--format", "json"]);
    let scan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let count = |name: &str| scan["records"][name].as_u64().unwrap();
    assert_eq!(count("rows"), 1_000);
    let parts = ["used", "passed_over", "unmapped", "duplicates", "rejected"].map(count);
    assert_eq!(parts.iter().sum::<u64>(), 1_000, "{parts:?}");
    assert!(count("used") > 40 && count("passed_over") == 3, "{parts:?}");
    assert_eq!(scan["rejections"].as_array().unwrap().len() as u64, count("rejected"));
    let named: u64 = scan["unmapped"].as_array().unwrap().iter().map(|name| name["rows"].as_u64().unwrap()).sum();
    assert_eq!(named, count("unmapped"), "every unmapped row is named");
    assert!(scan["findings"].as_array().unwrap().iter().all(|finding| finding["opens_case"] == false));
    let code = i32::from(count("rejected") > 0);
    assert_eq!(output.status.code(), Some(code));
    let table = place.out(code, &["scan", sample.to_str().unwrap()]);
    assert!(table.contains("nothing here warrants a case"), "{table}");
}

#[test]
fn exports_made_by_others_are_accounted_for() {
    let Some(toolkit) = std::env::var_os("TRIBUNE_FOCUS_TOOLKIT") else {
        println!("skipped: TRIBUNE_FOCUS_TOOLKIT does not name focus-data-toolkit's command");
        return;
    };
    let place = Place::new();
    for (provider, version) in
        [("aws", "1.2"), ("aws", "1.3"), ("azure", "1.2"), ("azure", "1.3"), ("gcp", "1.2"), ("gcp", "1.3")]
    {
        let folder = place.path(&format!("{provider}-{version}"));
        let made = Command::new(&toolkit)
            .args([
                "generate",
                "--provider",
                provider,
                "--focus-version",
                version,
                "--rows",
                "500",
                "--seed",
                "1",
                "--out",
            ])
            .arg(&folder)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let output = place.run(&["scan", folder.to_str().unwrap(), "--format", "json"]);
        let scan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let count = |name: &str| scan["records"][name].as_u64().unwrap();
        let sum: u64 = ["used", "passed_over", "unmapped", "duplicates", "rejected"].map(count).iter().sum();
        assert!(count("rows") >= 500 && sum == count("rows"), "{provider} {version}: {}", scan["records"]);
        assert!(count("used") > 0, "{provider} {version}: {}", scan["records"]);
        assert!(scan["findings"].as_array().unwrap().iter().all(|finding| finding["opens_case"] == false));
    }
}

#[test]
fn threads_and_order_change_nothing_to_the_bit() {
    let place = Place::new();
    let folder = place.provider("90", "9");
    let facts = format!("{folder}/facts.csv");
    let first = place.json(0, &["scan", &folder, "--format", "json", "--threads", "1"]);
    assert!(!first["findings"].as_array().unwrap().is_empty());
    let mut files: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().display().to_string())
        .filter(|path| path.ends_with(".parquet"))
        .collect();
    files.sort();
    files.reverse();
    files.push(files[0].clone());
    let mut args = vec!["scan"];
    args.extend(files.iter().map(String::as_str));
    args.extend(["--facts", &facts, "--format", "json", "--threads", "2"]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_tribune"));
    let output = command.args(&args).env("LC_ALL", "de_DE.UTF-8").env("TZ", "Asia/Kathmandu").output().unwrap();
    let second: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(first["findings"], second["findings"]);
    assert_eq!(first["records"]["digest"], second["records"]["digest"]);
}

/// Holds an output, by a validator that is not ours, to its published schema.
fn follows(place: &Place, output: &str, schema: &str) {
    follows_schema(&place.path(output), schema);
}

fn follows_schema(output: &Path, schema: &str) {
    let Some(python) = std::env::var_os("TRIBUNE_PYTHON") else {
        println!("skipped: TRIBUNE_PYTHON does not name a Python with jsonschema");
        return;
    };
    let schema = Path::new("../../docs/schemas").join(schema);
    let program =
        "import json,sys,jsonschema; jsonschema.validate(json.load(open(sys.argv[1])), json.load(open(sys.argv[2])))";
    let check = Command::new(python).args(["-c", program]).arg(output).arg(schema).output().unwrap();
    assert!(check.status.success(), "{}: {}", output.display(), String::from_utf8_lossy(&check.stderr));
}

#[test]
fn outputs_follow_their_schemas_and_ledgers_add_up() {
    let place = Place::new();
    let folder = place.provider("90", "9");
    let scan = place.json(0, &["scan", &folder, "--format", "json", "--top", "1000"]);
    for finding in scan["findings"].as_array().unwrap() {
        let finding: review::Finding = serde_json::from_value(finding.clone()).unwrap();
        finding.readd().unwrap();
    }
    place.file("scan.json", scan.to_string());
    let cases = place.path("cases.json").display().to_string();
    place.out(0, &["replay", &folder, "--every", "6h", "--out", &cases]);
    let customer = format!("customer:{}", scan["findings"][0]["customer"].as_str().unwrap());
    let explained =
        place.json(0, &["explain", &folder, "--entity", &customer, "--purpose", "a test", "--format", "json"]);
    assert_eq!(explained["records"], scan["records"]);
    place.file("explanation.json", explained.to_string());
    let evaluation = place.path("evaluation.json").display().to_string();
    place.out(0, &["evaluate", &folder, "--every", "6h", "--format", "json", "--out", &evaluation]);
    for (output, schema) in [
        ("scan.json", "findings-1.json"),
        ("cases.json", "cases-1.json"),
        ("explanation.json", "explanation-1.json"),
        ("evaluation.json", "evaluation-1.json"),
    ] {
        follows(&place, output, schema);
    }
}

#[test]
fn a_state_fed_by_and_by_says_what_a_scan_of_everything_says() {
    let place = Place::new();
    let folder = place.provider("90", "9");
    let facts = format!("{folder}/facts.csv");
    let whole = place.json(0, &["scan", &folder, "--format", "json"]);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "parquet"));
    files.sort();
    let state = place.path("state").display().to_string();
    let scan = |records: &[&str]| {
        place.json(0, &[&["scan", "--state", &state, "--facts", &facts, "--format", "json"], records].concat())
    };
    for half in files.chunks(files.len().div_ceil(2)) {
        scan(&half.iter().map(|path| path.to_str().unwrap()).collect::<Vec<_>>());
    }
    for fed in [scan(&[]), scan(&[&folder])] {
        assert_eq!((&fed["findings"], &fed["records"]), (&whole["findings"], &whole["records"]));
    }
    let replay = |records: &[&str]| {
        place.json(0, &[&["replay", "--every", "6h", "--facts", &facts, "--format", "json"], records].concat())["cases"]
            .take()
    };
    assert_eq!(replay(&["--state", &state]), replay(&[&folder]));
    std::fs::write(place.path("state/manifests/00000002.json"), "{}").unwrap();
    let output = place.run(&["scan", "--state", &state]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("manifests/00000002.json"), "{output:?}");
}

#[test]
fn a_demo_simulates_replays_and_says_why() {
    let place = Place::new();
    let shown = place.out(0, &["demo", "--accounts", "60", "--days", "9", "--no-serve"]);
    assert!(shown.contains("Everything here is simulated") && shown.contains("the floor is"), "{shown}");
}

#[test]
fn names_below_the_floor_need_a_purpose_and_leave_a_trace() {
    let place = Place::new();
    let records = place.file("usage.csv", HEADER.to_owned() + &row("Acme", "acme-1", "03", "7"));
    let records = records.to_str().unwrap();
    let scan = place.out(0, &["scan", records]);
    assert!(!scan.contains("acme-1") && !scan.contains("Acme"), "{scan}");
    assert_eq!(place.run(&["scan", records, "--names"]).status.code(), Some(2));
    let refused = place.run(&["scan", records, "--names", "--purpose", " "]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("purpose"));
    let scan = place.out(0, &["scan", records, "--names", "--purpose", "a test of names"]);
    assert!(scan.contains("acme-1"), "{scan}");
    let looks = std::fs::read_to_string(place.path(".local/state/tribune/looks.jsonl")).unwrap();
    assert_eq!(looks.lines().count(), 1);
    assert!(looks.contains("a test of names"), "{looks}");
}

#[test]
fn hostile_names_reach_no_terminal_as_control() {
    let place = Place::new();
    let evil = "\u{1b}[31mred\u{202e}<script>alert(1)</script>";
    let records = place.file("usage.csv", HEADER.to_owned() + &row(evil, evil, "03", "7"));
    let records = records.to_str().unwrap();
    let scan = place.out(0, &["scan", records, "--names", "--purpose", "test"]);
    assert!(!scan.contains('\u{1b}') && !scan.contains('\u{202e}') && scan.contains("<script>"), "{scan}");
    let page = place.path("page.html").display().to_string();
    let entity = format!("account:{evil}");
    let explained = place.out(0, &["explain", records, "--entity", &entity, "--purpose", "test", "--html", &page]);
    assert!(!explained.contains('\u{1b}') && !explained.contains('\u{202e}'), "{explained}");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(!page.contains("<script") && !page.contains('\u{1b}') && !page.contains('\u{202e}'));
}

#[test]
fn bad_rows_are_named_and_the_good_ones_are_used() {
    let place = Place::new();
    let good = row("c", "a", "03", "7");
    let bad = row("c", "a", "04", "seven") + &row("c", "a", "05", "NaN") + &row("c", "a", "06", "-3");
    let records = place.file("usage.csv", HEADER.to_owned() + &good + &bad);
    let output = place.run(&["scan", records.to_str().unwrap(), "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let scan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&scan["records"]["used"], &scan["records"]["rejected"]), (&1.into(), &3.into()));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("row 3, ConsumedQuantity") && error.contains("seven"), "{error}");
}

#[test]
fn refusals_are_one_helpful_line_and_wrong_usage_is_two() {
    let place = Place::new();
    for (code, args, says) in [
        (1, &["scan", "no-such-folder"][..], "no-such-folder"),
        (2, &["scan"][..], "RECORDS"),
        (2, &["scan", "x", "--as-of", "yesterday"][..], "2026-03-01T00:00:00Z"),
        (2, &["replay", "x", "--every", "1w"][..], "1h, 6h or 1d"),
        (1, &["policy", "check", "no-such-pack"][..], "no-such-pack"),
        (1, &["simulate", "--out", "x", "--accounts", "0"][..], "accounts"),
    ] {
        let output = place.run(args);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {error}");
        assert!(error.contains(says), "{args:?}: {error}");
        if code == 1 {
            assert_eq!(error.trim().lines().count(), 1, "{error}");
        }
    }
}

#[test]
fn every_command_has_help_with_an_example() {
    let place = Place::new();
    let help = place.out(0, &["--help"]);
    let names = |help: &str| {
        let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        let named = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        let names = named.filter_map(|line| line.split_whitespace().next().map(str::to_owned));
        names.filter(|name| name != "help").collect::<Vec<String>>()
    };
    let commands = names(&help);
    assert!(commands.len() >= 16, "{commands:?}");
    for command in &commands {
        let help = place.out(0, &[command, "--help"]);
        assert!(help.contains(&format!("tribune {command} ")), "{command}: {help}");
        for verb in names(&help) {
            let help = place.out(0, &[command, &verb, "--help"]);
            assert!(help.contains("Example"), "{command} {verb}: {help}");
        }
    }
}

#[test]
fn the_built_in_packs_are_well_formed_and_their_tests_hold() {
    let place = Place::new();
    assert!(place.out(0, &["policy", "check"]).contains("well formed"));
    assert!(place.out(0, &["policy", "test"]).contains(", 0 failed"));
    let shown = place.out(0, &["policy", "show"]);
    assert!(shown.contains("E3") && shown.contains("innocently:"), "{shown}");
}

#[test]
fn a_pack_with_faults_is_refused_with_all_of_them() {
    let place = Place::new();
    let pack = place.path("pack");
    let built_in = Path::new("../../policies/mass-surveillance");
    for entry in ["policy.toml", "clause.md"] {
        place.file(&format!("pack/{entry}"), std::fs::read(built_in.join(entry)).unwrap());
    }
    for entry in std::fs::read_dir(built_in.join("signals")).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("pack/signals/{}", path.file_name().unwrap().to_str().unwrap());
        place.file(&name, std::fs::read(&path).unwrap());
    }
    let pack = pack.to_str().unwrap();
    place.out(0, &["policy", "check", pack]);
    for (sql, says) in [
        ("SELECT entity, a AS value FROM '/etc/passwd'", "passwd"),
        ("SELECT entity, CAST(random() AS BIGINT) AS value FROM workload", "random"),
        (
            "WITH RECURSIVE n AS (SELECT 1 AS entity, 1 AS value UNION ALL SELECT entity, value FROM n) SELECT * FROM n",
            "RECURSIVE",
        ),
        ("SELECT entity, FROM workload", "calls-per-hour.sql"),
    ] {
        place.file("pack/signals/calls-per-hour.sql", sql);
        let output = place.run(&["policy", "check", pack]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1));
        assert!(error.contains(says), "{sql}: {error}");
    }
}

/// A public log as files, with the key to verify it.
fn public_log(folder: &Path, entries: u64) -> String {
    let signer = tlog::Signer::new("tribune.example/log", &[7; 32]).unwrap();
    let mut log = tlog::Appender::default();
    let mut files = Vec::new();
    for number in 0..entries {
        let digest = |text: &str| review::words::Digest::of(format!("{text} {number}"));
        let entry = match number % 3 {
            0 => review::public::Entry::Statement { statement: digest("s"), day: "2026-03-01".into() },
            1 => review::public::Entry::Correction {
                statement: digest("s"),
                correction: digest("c"),
                day: "2026-03-01".into(),
            },
            _ => review::public::Entry::Erasure { commitment: digest("e"), day: "2026-03-01".into() },
        };
        files.extend(log.push(&entry.bytes().unwrap()).unwrap());
    }
    files.extend(log.partial(0));
    for (tile, bytes) in files {
        let path = folder.join(tile.to_string());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let checkpoint = tlog::Checkpoint::new("tribune.example/log", log.tree(), &[]).unwrap().sign(&signer).unwrap();
    std::fs::write(folder.join("checkpoint"), checkpoint.to_string()).unwrap();
    signer.verifier().to_string()
}

#[test]
fn a_public_log_is_verified_from_outside_and_what_is_wrong_with_it_is_said() {
    let place = Place::new();
    let folder = place.path("log");
    let key = public_log(&folder, 300);
    let (log, seen) = (folder.display().to_string(), place.path("seen").display().to_string());
    let verify = ["log", "verify", &log, "--key", &key, "--remember", &seen];
    let said = place.out(0, &verify);
    assert!(said.contains("300 entries") && said.contains("100 corrections"), "{said}");
    public_log(&folder, 700);
    let said = place.out(0, &verify);
    assert!(said.contains("it continues the 300 entries seen before"), "{said}");
    place.file("verified.json", place.out(0, &[&verify[..], &["--format", "json"]].concat()));
    follows(&place, "verified.json", "log-verification-1.json");
    let refused = |says: &str| {
        let output = place.run(&verify);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains(says), "{error}");
    };
    public_log(&folder, 500);
    refused("rolled back");
    public_log(&folder, 700);
    let bundle = folder.join("tile/entries/001");
    let good = std::fs::read(&bundle).unwrap();
    let mut altered = good.clone();
    altered[40] ^= 1;
    std::fs::write(&bundle, &altered).unwrap();
    refused("was altered");
    std::fs::remove_file(&bundle).unwrap();
    refused("tile/entries/001");
    std::fs::write(&bundle, &good).unwrap();
    place.out(0, &verify);
    let other = tlog::Signer::new("tribune.example/log", &[8; 32]).unwrap().verifier().to_string();
    let output = place.run(&["log", "verify", &log, "--key", &other]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("none of the known keys signed"), "{output:?}");
}
