//! A whole review, carried from the shell as its people would, on SQLite and on PostgreSQL: from three reports and a
//! finding to a case that is closed, corrected and reopened, and a public log that software of others verifies.

use crate::others::verified_by_others;
use crate::server::Server;
use age::secrecy::ExposeSecret as _;
use std::cell::RefCell;
use std::path::PathBuf;
use std::process::{Command, Output};
use store::Identity;
use tempfile::TempDir;

/// Who is on the roster: roles and manager.
const PEOPLE: [(&str, &str, &str); 16] = [
    ("ann", r#""reviewer", "analyst""#, "head"),
    ("ivy", r#""reviewer", "analyst""#, "head"),
    ("ned", r#""reviewer""#, "head"),
    ("ines", r#""intake-officer", "reviewer""#, "head"),
    ("otto", r#""intake-officer""#, "head"),
    ("ben", r#""decider""#, "law"),
    ("cleo", r#""decider""#, "trust"),
    ("dov", r#""decider""#, "finance"),
    ("hal", r#""counsel""#, "law"),
    ("eve", r#""appeal-panel""#, "board"),
    ("fay", r#""appeal-panel""#, "board"),
    ("gil", r#""gate-engineer""#, "ops"),
    ("aud", r#""auditor""#, "board"),
    ("sal", r#""reviewer""#, "mia"),
    ("cora", r#""custodian-a""#, "board"),
    ("cyn", r#""custodian-b""#, "board"),
];

/// An office in a folder of its own, and the day on which everything happens.
pub(crate) struct Office {
    folder: TempDir,
    day: RefCell<String>,
    case: RefCell<String>,
}

/// What accounts use, day by day: a1 writes until 17 March and has speech turned into text until the 21st; what a2, a3
/// and z1 use goes on.
fn usage() -> String {
    let mut csv = "BillingAccountId,SubAccountId,ServiceName,RegionId,SkuId,ConsumedQuantity,ConsumedUnit,\
                   ChargeCategory,ChargePeriodStart,ChargePeriodEnd,BillingPeriodStart,ProviderName\n"
        .to_owned();
    let days: Vec<String> =
        (15..=28).map(|day| format!("02-{day}")).chain((1..=31).map(|day| format!("03-{day:02}"))).collect();
    for (day, next) in days.iter().zip(days.iter().skip(1)) {
        let month = day.split('-').next().unwrap();
        let mut row = |customer: &str, account: &str, service: &str, sku: &str, quantity: u32, unit: &str| {
            csv += &format!("{customer},{account},{service},north,{sku},{quantity},{unit},Usage,2026-{day}T00:00:00Z,");
            csv += &format!("2026-{next}T00:00:00Z,2026-{month}-01T00:00:00Z,Example Cloud\n");
        };
        if day.as_str() < "03-18" {
            row("acme", "a1", "Object Storage", "storage.write", 21_600_000, "Requests");
        }
        if day.as_str() < "03-22" {
            row("acme", "a1", "Speech", "speech.transcription", 900_000, "Seconds");
        }
        for (customer, account) in [("acme", "a1"), ("acme", "a2"), ("acme", "a3"), ("zeta", "z1")] {
            row(customer, account, "Object Storage", "storage.read", 5_000, "Requests");
            row(customer, account, "Object Storage", "storage.capacity", 70_000, "GB-Hours");
        }
        row("acme", "a2", "Speech", "speech.transcription", 4_000, "Seconds");
    }
    csv
}

impl Office {
    pub(crate) fn begin(record: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let office = Self { folder, day: RefCell::new("2026-03-01T09:00:00Z".into()), case: RefCell::default() };
        let mut init = office.command(&["record", "init", "office", "--origin", "tribune.example/log"]);
        init.args(["--simulated-clock", "--record", record, "--usage", "../usage"]).env_remove("TRIBUNE_CONFIG");
        assert!(init.output().unwrap().status.success());
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(office.path("office")).unwrap().permissions());
        assert_eq!(mode & 0o077, 0, "nobody else enters");
        std::fs::create_dir(office.path("usage")).unwrap();
        office.file("usage/usage.csv", &usage());
        let mut roster = String::new();
        for (person, roles, manager) in PEOPLE {
            let identity = Identity::generate();
            office.file(&format!("{person}.id"), identity.to_string().expose_secret());
            let outside = person == "hal";
            roster += &format!("[members.{person}]\nroles = [{roles}]\nmanager = \"{manager}\"\noutside = {outside}\n");
            roster += &format!("identities = [\"idp|{person}\"]\nreads_with = [\"{}\"]\n", identity.to_public());
            if ["ben", "cleo"].contains(&person) {
                let key = office.path(person);
                let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
                assert!(made.unwrap().success());
                let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
                roster += &format!("[members.{person}.keys]\n\"{}\" = \"ssh\"\n", public.trim());
            }
            if person == "dov" {
                office.file("passphrase", "correct horse battery staple\n");
                let line =
                    office.does("", &["decision", "new-key", "--out", "dov.key", "--passphrase-file", "passphrase"]);
                roster += &format!("[members.dov.keys]\n{line}");
                office.may_not("", &["decision", "new-key", "--out", "dov.key"], "is there already");
            }
        }
        roster += "[account_teams.acme]\nmembers = [\"sal\"]\n";
        office.file("roster.toml", &roster);
        office.does("", &["record", "roster", "--file", "roster.toml"]);
        office
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tribune"));
        let case = self.case.borrow();
        command.args(args.iter().map(|arg| if *arg == "CASE" { case.as_str() } else { arg }));
        command.current_dir(self.folder.path()).env("TRIBUNE_CONFIG", "office/tribune.toml");
        command.env("TRIBUNE_AT", self.day.borrow().as_str()).env_remove("TRIBUNE_AS");
        command
    }

    fn run(&self, who: &str, args: &[&str]) -> Output {
        let mut command = self.command(args);
        if !who.is_empty() {
            command.args(["--as", who]);
        }
        command.output().unwrap()
    }

    /// Does something, and gives what was printed.
    pub(crate) fn does(&self, who: &str, args: &[&str]) -> String {
        let output = self.run(who, args);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{who}: {args:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Is refused, with a sentence that says so.
    fn may_not(&self, who: &str, args: &[&str], says: &str) {
        let output = self.run(who, args);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{who}: {args:?}: {error}");
        assert!(error.contains(says), "{who}: {args:?}: {error}");
    }

    pub(crate) fn on(&self, day: &str) {
        *self.day.borrow_mut() = format!("{day}T09:00:00Z");
    }

    /// A second person confirms what is to leave.
    fn confirmed(&self, text: &str, by: &str) {
        self.does(by, &["case", "confirm", "CASE", &format!("@{text}"), "--written-by", "ann"]);
    }

    fn approve(&self, decision: &str) {
        for decider in ["ben", "cleo"] {
            self.does(decider, &["decision", "approve", "CASE", decision, "--ssh-key", decider]);
        }
    }

    /// Drafts, confirms and serves the statement of a decision.
    fn serve(&self, decision: &str, reasons: &[&str]) {
        let (at, folder) = (self.day.borrow().clone(), format!("notice-{decision}"));
        let mut draft = vec!["decision", "draft", "CASE", decision, "--facts", "@facts.txt", "--redress", "A court."];
        reasons.iter().for_each(|reason| draft.extend(["--reason", reason]));
        draft.extend(["--served", &at, "--out", &folder]);
        self.does("ann", &draft);
        let serve = ["decision", "serve", "CASE", decision, "--draft", &folder];
        self.may_not("ann", &serve, "let a second person read it");
        for text in ["statement.txt", "public.txt"] {
            self.confirmed(&format!("{folder}/{text}"), "ned");
        }
        self.does("ann", &serve);
    }

    fn public(&self, name: &str) -> Option<Vec<u8>> {
        std::fs::read(self.path("office/public").join(name)).ok()
    }
}

#[test]
fn a_whole_review_on_sqlite() {
    review(&Office::begin("sqlite:record.db"));
}

#[test]
fn a_whole_review_on_postgresql() {
    if let Some(server) = Server::shared() {
        let database = server.new_database();
        review(&Office::begin(&server.address(&database)));
    }
}

#[test]
fn a_use_is_declared_before_a_contract_reviewed_and_let_go_on_within_a_limit_on_sqlite() {
    declared(&Office::begin("sqlite:record.db"));
}

#[test]
fn a_use_is_declared_before_a_contract_reviewed_and_let_go_on_within_a_limit_on_postgresql() {
    if let Some(server) = Server::shared() {
        let database = server.new_database();
        declared(&Office::begin(&server.address(&database)));
    }
}

/// What a customer to be wants, with what and where: two say that it may, within a limit that the watch then knows.
fn declared(office: &Office) {
    office.file("wants.txt", "A help line for patients, in two clinics; calls are kept for 90 days.\n");
    let open = ["case", "open", "--customer", "nova", "--portfolio", "speech", "--portfolio", "object-storage"];
    let open = [&open[..], &["--place", "north"]].concat();
    office.may_not("ann", &open, "of a declared use");
    let open =
        [&open[..], &["--declared-use", "contact_centre", "--declared-text", "@wants.txt", "--id", "wish"]].concat();
    let said = office.does("ann", &open);
    *office.case.borrow_mut() = said.split([' ', ':']).nth(1).unwrap().to_owned();
    assert!(office.does("ann", &open).contains("before"), "sent twice, it is opened once");
    office.does("ann", &["case", "assign", "CASE", "--person", "ann", "--role", "analyst"]);
    for (person, role) in [("ann", "reviewer"), ("ben", "decider"), ("cleo", "decider"), ("hal", "counsel")] {
        office.does("ann", &["case", "assign", "CASE", "--person", person, "--role", role]);
        office.does(person, &["case", "declare", "CASE", "--none"]);
    }
    let within = ["case", "decide-use", "CASE", "conditions", "--calls-per-hour", "1200", "--until", "2027-03-01"];
    let within = [&within[..], &["--reasons", "two clinics"]].concat();
    office.may_not("ben", &within, "not done yet");
    for (who, step) in [("ann", "facts"), ("ann", "innocent-explanations"), ("hal", "counsel")] {
        office.does(who, &["case", "step", "CASE", step, "--note", "done as the procedure says"]);
    }
    let close = ["case", "close", "CASE", "--remedy", "none is owed", "--consulted", "the clinics"];
    let close = [&close[..], &["--lesson", "ask for the places first"]].concat();
    office.may_not("ann", &close, "two who decide say first");
    office.may_not("ann", &within, "may not decide use");
    office.does("ben", &within);
    office.does("cleo", &["case", "decide-use", "CASE", "rejected", "--reasons", "too vague"]);
    office.may_not("ann", &close, "two who decide say first");
    office.does("cleo", &within);
    // It has an account by now, and the limit is a fact about that.
    office.does("ines", &["case", "join", "CASE", "--report", "r1", "--account", "n1"]);
    office.does("ann", &close);
    let limits = office.does("ann", &["case", "limits"]);
    assert!(
        limits.contains("n1") && limits.contains("1200") && limits.contains("ben") && limits.contains("cleo"),
        "{limits}"
    );
    let shown = office.does("ann", &["case", "show", "CASE", "--purpose", "how it ended"]);
    assert!(shown.contains("contact_centre"), "{shown}");
    let verified = office.does("aud", &["record", "verify"]);
    assert!(verified.contains("every text that a case names is kept"), "{verified}");
}

#[test]
fn accounts_are_made_for_people_and_customers_reset_and_taken_away() {
    let office = Office::begin("sqlite:record.db");
    office.file("password", "several words of mine\n");
    let add = |name: &str, whose: &[&str]| {
        let args = ["record", "account", "add", name, "--password-file", "password"];
        [&args[..], whose].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let run = |args: &[String]| office.does("", &args.iter().map(String::as_str).collect::<Vec<_>>());
    let said = run(&add("Ann", &["--person", "ann"]));
    assert!(said.starts_with("otpauth://totp/Tribune:ann?secret=") && said.contains("issuer=Tribune"), "{said}");
    let refused = |args: &[String], says: &str| {
        office.may_not("", &args.iter().map(String::as_str).collect::<Vec<_>>(), says);
    };
    refused(&add("ann", &["--person", "ann"]), "there is an account `ann` already");
    refused(&add("zed", &["--person", "zed"]), "nobody on the roster");
    refused(&add("a b", &["--customer", "acme"]), "letters, digits");
    run(&add("acme", &["--customer", "acme"]));
    let reset = ["record", "account", "reset", "ann", "--password-file", "password"];
    let again = office.does("", &reset);
    assert!(again.starts_with("otpauth://") && again != said, "other codes");
    office.file("password", "short\n");
    office.may_not("", &reset, "at least 12 characters");
    office.does("", &["record", "account", "remove", "ann"]);
    office.may_not("", &["record", "account", "remove", "ann"], "there is no account");
    let mode = |name: &str| {
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(office.path(name)).unwrap().permissions())
    };
    assert_eq!(mode("office/server.key") & 0o077, 0, "its owner's alone");
}

#[test]
fn neither_gates_nor_readers_wait_for_usage_that_is_being_read() {
    let office = Office::begin("sqlite:record.db");
    // Facts from a pipe into which nobody writes: reading the usage never ends.
    assert!(Command::new("mkfifo").arg(office.path("facts")).status().unwrap().success());
    let config = std::fs::read_to_string(office.path("office/tribune.toml")).unwrap();
    let with_facts = config.replace("[usage]\n", "[usage]\nfacts = \"../facts\"\n");
    assert_ne!(config, with_facts);
    office.file("office/tribune.toml", &with_facts);
    let (_server, at) = start(&office, &["serve", "--listen", "127.0.0.1:0"]);
    // Opened for writing only once somebody reads.
    let pipe = std::fs::OpenOptions::new().write(true).open(office.path("facts")).unwrap();
    let mut answered = 0;
    for _ in 0..300 {
        answered = get(&at, "/gate/snapshot", "").0;
        if answered == 200 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_eq!(answered, 200, "gates are given their snapshot");
    assert_eq!(get(&at, "/log/checkpoint", "").0, 200);
    drop(pipe);
}

/// An office in which a decision, d3, is in effect and in shadow.
pub(crate) fn in_effect() -> Office {
    let office = Office::begin("sqlite:record.db");
    until_decided(&office);
    office
}

fn until_decided(office: &Office) -> (String, Vec<String>) {
    let (receipt, reports) = three_report(office);
    opened(office, &reports);
    conflicts(office);
    evidence(office);
    put_off_and_asked_upwards(office);
    hearing(office);
    determination(office);
    data_leaves(office);
    decided(office);
    (receipt, reports)
}

fn review(office: &Office) {
    let (receipt, reports) = until_decided(office);
    monitored(office);
    appealed(office);
    closed(office);
    published(office, &receipt, &reports[0]);
}

/// Two report without a name, one with; nobody but the custodians, together, learns it.
fn three_report(office: &Office) -> (String, Vec<String>) {
    let words = |said: &str| said.lines().nth(3).unwrap().trim().to_owned();
    let receipt = words(&office.does("", &["report", "send", "--text", "They keep every call of a whole people."]));
    assert_eq!(receipt.split(' ').count(), 7);
    office.file("words.txt", &receipt);
    office.does("", &["report", "send", "--text", "I saw the same.", "--keep-from", "otto"]);
    office
        .does("", &["report", "send", "--text", "I work there.", "--name", "Dora, of the second floor", "--employee"]);
    office.on("2026-03-02");
    let drained = office.does("tribune", &["record", "day"]);
    assert!(drained.contains("3 messages became events; 1 entries published"), "{drained}");
    assert!(office.does("tribune", &["record", "day"]).contains("0 messages became events; 0 entries"), "once a day");
    let list = office.does("ines", &["report", "list"]);
    let mut reports: Vec<String> = list.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(reports.len(), 3, "{list}");
    assert_eq!(office.does("otto", &["report", "list"]).lines().count(), 2, "one is kept from Otto");
    office.may_not("ben", &["report", "list"], "may not");
    let read = |who: &str, report: &str| {
        let key = format!("{who}.id");
        office.does(who, &["report", "read", report, "--identity", &key, "--purpose", "triage"])
    };
    let texts: Vec<String> = reports.iter().map(|report| read("ines", report)).collect();
    let place = |of: &str| texts.iter().position(|text| text.contains(of)).unwrap();
    let (first, named) = (reports[place("every call")].clone(), place("I work there"));
    let lock = texts[named].lines().find_map(|line| line.trim().strip_prefix("a name, under two locks: ")).unwrap();
    let named = reports[named].clone();
    let why = ["--purpose", "a threat to their life", "--out"];
    let outer = |who: &'static str| {
        [
            &["report", "open-outer", &named, lock, "--identity"],
            &[if who == "cyn" { "cyn.id" } else { "cora.id" }][..],
            &why,
            &["inner"],
        ]
        .concat()
    };
    office.may_not("cora", &outer("cora"), "may not");
    office.does("cyn", &outer("cyn"));
    let inner = ["report", "open-inner", &named, "inner", "--identity", "cora.id"];
    office.does("cora", &[&inner[..], &why, &["who"]].concat());
    assert_eq!(std::fs::read_to_string(office.path("who")).unwrap(), "Dora, of the second floor");
    for (report, origin) in reports.iter().zip(["press", "witness", "employee"]) {
        office.does("ines", &["report", "trace", report, "--origin", origin]);
    }
    office.does("ines", &["report", "write", &first, "--text", "Since when?", "--identity", "ines.id"]);
    let anew = office.does("ines", &["report", "rewrap", &first, "--identity", "ines.id"]);
    assert!(anew.contains("texts are for those who may read them now"), "{anew}");
    let mailbox = office.does("", &["report", "mailbox", "--receipt", "words.txt"]);
    assert!(mailbox.contains("Since when?") && mailbox.contains("an officer will look"), "{mailbox}");
    office.does("", &["report", "add", "--receipt", "words.txt", "--text", "Since 2022."]);
    reports.retain(|report| *report != first);
    reports.insert(0, first);
    (receipt, reports)
}

fn opened(office: &Office, reports: &[String]) {
    let digest = format!("sha256:{}", "7".repeat(64));
    let finding = r#"{"rank": 1, "customer": "acme", "accounts": ["a1", "a2"], "score_db": -3.5}"#;
    office.file("findings.json", &format!(r#"{{"records": {{"digest": "{digest}"}}, "findings": [{finding}]}}"#));
    let said = office.does("tribune", &["case", "open", "--finding", "findings.json", "--rank", "1"]);
    *office.case.borrow_mut() = said.split([' ', ':']).nth(1).unwrap().to_owned();
    let again = ["case", "open", "--finding", "findings.json", "--rank", "1"];
    office.may_not("ivy", &again, "is under review in case-");
    for report in reports {
        office.does("ines", &["case", "join", "CASE", "--report", report]);
        let case = office.case.borrow().clone();
        office.does("ines", &["report", "triage", report, "--case", &case]);
    }
}

/// Sal sells to the customer; Ivy says that she has a conflict and is replaced; and sales spoke with Ann.
fn conflicts(office: &Office) {
    office.may_not("ann", &["case", "assign", "CASE", "--person", "sal", "--role", "reviewer"], "too close");
    let parts = [
        ("ann", "reviewer"),
        ("ann", "analyst"),
        ("ivy", "reviewer"),
        ("ned", "reviewer"),
        ("ines", "reviewer"),
        ("ben", "decider"),
        ("cleo", "decider"),
        ("dov", "decider"),
        ("hal", "counsel"),
        ("eve", "appeal-panel"),
        ("fay", "appeal-panel"),
    ];
    office.may_not("hal", &["case", "show", "CASE", "--purpose", "curious"], "from outside");
    for (person, role) in parts {
        office.does("ann", &["case", "assign", "CASE", "--person", person, "--role", role]);
    }
    office.does("ivy", &["case", "declare", "CASE", "--conflict", "my brother works there"]);
    office.may_not("ivy", &["case", "ask", "CASE", "q0", "--text", "What?"], "has a conflict");
    office.does("ann", &["case", "release", "CASE", "--person", "ivy"]);
    for person in ["ann", "ned", "ines", "ben", "cleo", "dov", "hal", "eve", "fay"] {
        office.does(person, &["case", "declare", "CASE", "--none"]);
    }
    let contact =
        ["case", "contact", "CASE", "--from", "sales", "--with", "ann", "--about", "whether this must be now"];
    office.does("ann", &contact);
}

fn evidence(office: &Office) {
    let meters = |id: &str, account: &str| {
        let about = [format!("{account}:object-storage"), format!("{account}:speech")];
        let args =
            ["case", "evidence", "CASE", id, "--basis", "meters", "--text", "hourly rollups", "--origin", "provider"];
        office.does("tribune", &[&args[..], &["--about", &about[0], "--about", &about[1]]].concat());
    };
    meters("m1", "a1");
    meters("m2", "a2");
    let add = |who: &str, id: &str, basis: &str, origin: &str| {
        office.does(who, &["case", "evidence", "CASE", id, "--basis", basis, "--text", id, "--origin", origin]);
    };
    add("ann", "contract", "document", "contract");
    add("ines", "press", "outside-source", "press");
    add("ines", "again", "outside-source", "press");
    add("ines", "witness", "outside-source", "witness");
    add("hal", "opinion", "opinion", "counsel");
    office.does("ann", &["case", "handle", "CASE", "m1", "--note", "compared with the invoice"]);
    for (who, step) in [("ann", "facts"), ("ann", "innocent-explanations"), ("hal", "counsel")] {
        office.does(who, &["case", "step", "CASE", step, "--note", "done as the procedure says"]);
    }
    office.may_not("ann", &["case", "step", "CASE", "counsel", "--note", "again"], "the step is done");
    // Counsel's note is for counsel alone; whoever came in later reads the rest once the texts are encrypted anew.
    let note = office.does("hal", &["case", "text", "CASE", "privileged advice", "--only", "counsel"]);
    let read = |who: &str, key: &str| {
        office.run(who, &["case", "read", "CASE", note.trim(), "--identity", key, "--purpose", "advice"]).status.code()
    };
    assert_eq!([read("hal", "hal.id"), read("ann", "ann.id"), read("ann", "hal.id")], [Some(0), Some(1), Some(1)]);
    office.does("ann", &["case", "rewrap", "CASE", "--identity", "ann.id"]);
}

/// Each event of the case gives a proof that holds without us; what is none is told apart.
fn events_are_proven(office: &Office, key: &str) {
    let prove = |event| ["case", "prove", "CASE", event, "--out", "event.tlog-proof", "--purpose", "an audit"];
    office.does("aud", &prove("1"));
    let shown = office.does("", &["log", "check", "event.tlog-proof", "--key", key]);
    assert!(shown.contains("holds the commitment sha256:") && shown.contains("in the batch of 2026-"), "{shown}");
    office.may_not("aud", &[&prove("1")[..], &["--own"]].concat(), "not in the public log so");
    office.may_not("aud", &prove("9999"), "has no event 9999");
    let other = ["log", "check", "mine.tlog-proof", "--key", key];
    office.may_not("", &other, "is checked by `tribune report check`");
}

/// A case is put off and taken up again; a question goes up, and is answered by one of those it went to.
fn put_off_and_asked_upwards(office: &Office) {
    let hold = |until| ["case", "hold", "CASE", "--until", until, "--reason", "the customer answers by then"];
    office.may_not("ann", &hold("2026-06-01T00:00:00Z"), "at most 30 days");
    office.may_not("ben", &hold("2026-03-09T00:00:00Z"), "may not hold");
    office.does("ann", &hold("2026-03-09T00:00:00Z"));
    let show = ["case", "show", "CASE", "--purpose", "a clock"];
    assert!(office.does("aud", &show).contains("put off until 2026-03-09"));
    office.does("ann", &["case", "take-up", "CASE"]);
    office.may_not("ann", &["case", "take-up", "CASE"], "it is not put off");
    office.may_not(
        "ann",
        &["case", "escalate", "CASE", "--to", "expert", "--reason", "Why?"],
        "one question at a time",
    );
    office.does("ann", &["case", "escalate", "CASE", "--to", "decider", "--reason", "Is it worth a hearing?"]);
    office.may_not("ann", &["case", "respond", "CASE", "--role", "decider", "--answer", "It is."], "assign ann first");
    office.does("ben", &["case", "respond", "CASE", "--role", "decider", "--answer", "It is."]);
    assert!(office.does("aud", &show).contains("ann asked decider on 2026-03-02: ben answered on 2026-03-02"));
}

fn hearing(office: &Office) {
    office.on("2026-03-03");
    office.file("question.txt", "Whose calls do you keep, and on what ground?\n");
    let ask = ["case", "ask", "CASE", "q1", "--text", "@question.txt", "--days", "14"];
    office.may_not("ann", &ask, "let a second person read it");
    let by_ann = ["case", "confirm", "CASE", "@question.txt", "--written-by", "ann"];
    office.may_not("ann", &by_ann, "ask somebody who did not write it");
    office.confirmed("question.txt", "ned");
    office.may_not("ann", &["case", "ask", "CASE", "q1", "--text", "@question.txt", "--days", "3"], "at least 14 days");
    office.does("ann", &ask);
    office.may_not("customer:acme", &["case", "show", "CASE", "--purpose", "who are they"], "and no case");
    let answer = ["case", "answer", "CASE", "q1", "--text", "We say nothing of our customers."];
    office.may_not("customer:other", &answer, "there is no case");
    office.does("customer:acme", &answer);
}

/// E3, whose calls they are, rests on two sources of different origin: meters cannot reach it.
fn determination(office: &Office) {
    office.on("2026-03-10");
    let file = |third: &str, left_out: &str| {
        let mut text = "view = \"meters of two services; not: what the recordings are\"\n".to_owned();
        for element in ["E1", "E2", "E3", "E4", "E5"].iter().filter(|element| **element != left_out) {
            let evidence = if *element == "E3" { third } else { r#"["m1", "m2"]"# };
            text += &format!("[{element}]\nanswer = \"established\"\nstandard = \"more-likely-than-not\"\n");
            text += &format!("evidence = {evidence}\nreasons = \"the rollups, hour by hour\"\n");
        }
        office.file("determination.toml", &text);
    };
    let determine = ["case", "determine", "CASE", "--file", "determination.toml"];
    file(r#"["press", "again"]"#, "");
    office.may_not("ann", &determine, "find a second source of another origin");
    file(r#"["press", "witness"]"#, "E2");
    office.may_not("ann", &determine, "answer each element");
    file(r#"["press", "witness"]"#, "");
    office.does("ann", &determine);
    office.does("ned", &["case", "dissent", "CASE", "--determination", "0", "--opinion", "E5 is weak"]);
}

/// Two decide within a day to hold bulk export, on counsel's opinion, for 72 hours.
fn data_leaves(office: &Office) {
    office.on("2026-03-11");
    let finding = format!("sha256:{}", "e".repeat(64));
    office.does("tribune", &["case", "leaving", "CASE", "--finding", &finding]);
    let decide = |who: &str| {
        let reasons = "Preserving prolongs harm too; three days do not.";
        office.does(who, &["case", "decide-leaving", "CASE", "--choice", "hold-export", "--reasons", reasons]);
    };
    decide("ben");
    decide("cleo");
    propose(office, "d0", "hold-export", &["a1,object-storage,,export"], &["export=8,000 TB left in a day"], &[]);
    office.approve("d0");
    office.file("facts.txt", "Some 900,000 recordings an hour were taken in, day and night, and turned into text.\n");
    office.serve("d0", &["export=8,000 TB left in a day"]);
    office.does("gil", &["decision", "effect", "CASE", "d0"]);
    office.may_not("ann", &["decision", "run-out", "CASE", "d0"], "its time is not over");
}

fn propose(office: &Office, id: &str, intervention: &str, targets: &[&str], reasons: &[&str], more: &[&str]) {
    let mut args = vec!["decision", "propose", "CASE", id, "--intervention", intervention];
    targets.iter().for_each(|target| args.extend(["--target", target]));
    reasons.iter().for_each(|reason| args.extend(["--reason", reason]));
    args.extend(more);
    office.does("ann", &args);
    let approve = ["decision", "approve", "CASE", id, "--ssh-key", "ben"];
    office.may_not("ben", &approve, "look first, by the usage of late, at what it stops");
    office.does("ann", &["decision", "preview", "CASE", id]);
}

/// One proposal is refused; the next is approved, served, and takes effect once its notice is over.
fn decided(office: &Office) {
    office.on("2026-03-15");
    office.does("tribune", &["decision", "run-out", "CASE", "d0"]);
    let (why, review) = (["write=it grows by the hour"], ["--review", "2026-09-01"]);
    let wide = ["decision", "propose", "CASE", "dx", "--intervention", "read-only", "--target", "a1,billing,,write"];
    office.may_not("ann", &[&wide[..], &["--reason", why[0]], &review].concat(), "billing is never a target");
    propose(office, "d1", "read-only", &["a1,object-storage,,write", "a2,object-storage,,write"], &why, &review);
    let seen = office.does("ben", &["decision", "show", "CASE", "d1", "--purpose", "to decide"]);
    let stops = "stops: a1 object-storage storage.write north: 302400000 objects on 14 of 14 days";
    let beyond = "is not reached by a gate: a1 object-storage storage.capacity";
    for said in
        ["usage of 3 accounts, 2026-03-01 to 2026-03-14", stops, beyond, "goes on: a3 object-storage storage.read"]
    {
        assert!(seen.contains(said), "{said}: {seen}");
    }
    assert!(seen.contains("nothing used of: ") && !seen.contains("z1"), "{seen}");
    office.does("ben", &["decision", "refuse", "CASE", "d1", "--reason", "not on a2, whose data is others'"]);
    propose(office, "d2", "read-only", &["a1,object-storage,,write"], &why, &review);
    office.may_not("ann", &["decision", "approve", "CASE", "d2", "--ssh-key", "ben"], "may not approve");
    office.may_not(
        "cleo",
        &["decision", "approve", "CASE", "d2", "--ssh-key", "ben"],
        "sign what is shown with the key",
    );
    office.does("ben", &["decision", "sign", "CASE", "d2", "--ssh-key", "ben", "--out", "ben.sig"]);
    office.does("ben", &["decision", "approve", "CASE", "d2", "--signature", "ben.sig"]);
    office.may_not("gil", &["decision", "effect", "CASE", "d2"], "needs 2 approvals");
    // What was signed for one list is none for another, and what changed since it was shown is not signed.
    let other = format!("sha256:{}", "0".repeat(64));
    office.may_not(
        "cleo",
        &["decision", "approve", "CASE", "d2", "--ssh-key", "cleo", "--shown", &other],
        "you were shown",
    );
    propose(office, "d9", "read-only", &["a1,object-storage,north,write"], &why, &review);
    office.may_not("ben", &["decision", "approve", "CASE", "d9", "--signature", "ben.sig"], "sign what is shown");
    // Whoever proposed does not approve, whatever they sign in as.
    let own = ["decision", "propose", "CASE", "d8", "--intervention", "read-only", "--target", "a1,speech,,write"];
    office.does("ben", &[&own[..], &["--reason", why[0]], &review].concat());
    office.does("ann", &["decision", "preview", "CASE", "d8"]);
    office.may_not(
        "idp|ben",
        &["decision", "approve", "CASE", "d8", "--ssh-key", "ben"],
        "who proposed does not approve",
    );
    let unknown = ["decision", "propose", "CASE", "d7", "--intervention", "delete-everything"];
    office.may_not("ann", &unknown, "there is no intervention delete-everything");
    for (decision, reason) in [("d8", "not needed"), ("d9", "not needed")] {
        let refuse = ["decision", "refuse", "CASE", decision, "--reason", reason];
        office.does("cleo", &refuse);
    }
    office.does("cleo", &["decision", "approve", "CASE", "d2", "--ssh-key", "cleo", "--id", "once"]);
    let again = office.does("cleo", &["decision", "approve", "CASE", "d2", "--ssh-key", "cleo", "--id", "once"]);
    assert!(again.contains("as it was before"), "{again}");
    office.serve("d2", &why);
    office.may_not("gil", &["decision", "effect", "CASE", "d2"], "wait 24 hours");
    office.on("2026-03-17");
    office.does("gil", &["decision", "effect", "CASE", "d2"]);
    let in_force = office.does("gil", &["restriction", "list"]);
    assert!(in_force.contains("a1  object-storage, everywhere: write") && in_force.lines().count() == 1, "{in_force}");
    fell_back(office);
    enforced(office);
    served(office);
    let fall_back = ["restriction", "fallback", "--snapshot", "snapshot", "--pins", "pins.txt", "--proxy", "nginx"];
    let said = office.does("", &[&fall_back[..], &["--out", "fallback.map"]].concat());
    let map = std::fs::read_to_string(office.path("fallback.map")).unwrap();
    assert!(said.contains("exact") && map.contains("a1") && !map.contains("a2"), "{said}{map}");
    exported(office);
    // For the EU's database: only what was served, and only facts that somebody confirmed.
    let dsa = [
        "decision",
        "dsa",
        "CASE",
        "d2",
        "--draft",
        "notice-d2",
        "--category",
        "STATEMENT_CATEGORY_OTHER_VIOLATION_TC",
    ];
    let facts = ["--facts", "@dsa.txt"];
    office.file("dsa.txt", "Usage records showed recordings of calls on the scale of a whole population.\n");
    office.may_not("ann", &[&dsa[..], &facts].concat(), "let a second person read them");
    office.confirmed("dsa.txt", "ned");
    let statement = office.does("ann", &[&dsa[..], &facts].concat());
    assert!(statement.contains("DECISION_PROVISION_") && !statement.contains("acme"), "{statement}");
    propose(office, "d3", "disable", &["a1,speech,,write", "a2,speech,,write"], &["write=as above"], &review);
    office.does("ben", &["decision", "approve", "CASE", "d3", "--ssh-key", "ben"]);
    let approve = ["decision", "approve", "CASE", "d3", "--passphrase-key", "dov.key"];
    office.may_not("dov", &approve, "TRIBUNE_PASSPHRASE_FILE");
    let mut dov = office.command(&approve);
    dov.args(["--as", "idp|dov"]).env("TRIBUNE_PASSPHRASE_FILE", "passphrase");
    assert!(dov.output().unwrap().status.success(), "a key that a passphrase opens");
    office.serve("d3", &["write=as above"]);
    office.on("2026-03-21");
    let after = office.does("gil", &["decision", "compare", "CASE", "d2", "--days", "3"]);
    assert!(after.contains("1 were to stop and are at zero; 0 were to stop"), "{after}");
    assert!(after.contains("7 were to go on and are there as before; 0 are"), "{after}");
    office.may_not("gil", &["decision", "compare", "CASE", "d2", "--days", "9"], "take whole days between its effect");
    office.does("gil", &["decision", "effect", "CASE", "d3"]);
    assert_eq!(office.does("gil", &["restriction", "list"]).lines().count(), 3);
}

/// What a gate answers that is given the pins and a snapshot of now, on a day of March 2026.
fn asked(office: &Office, account: &str, service: &str, operation: &str, day: i64) -> &'static str {
    office.does("gil", &["restriction", "snapshot", "--out", "snapshot"]);
    let bytes = std::fs::read(office.path("snapshot")).unwrap();
    let gate = gate::Gate::load(&bytes, pins(office), None, 0).unwrap();
    let at = 1_772_323_200 + (day - 1) * 86_400;
    match gate
        .check(&gate::Request { account, service, operation: gate::Operation::named(operation), region: None, at })
        .verdict
    {
        gate::Verdict::Allow => "passes",
        gate::Verdict::WouldRefuse(_) => "in shadow",
        gate::Verdict::Refuse(_) => "refused",
    }
}

pub(crate) fn pins(office: &Office) -> std::sync::Arc<gate::Pins> {
    let pins = std::fs::read_to_string(office.path("pins.txt")).unwrap();
    std::sync::Arc::new(pins.parse().unwrap())
}

/// One gate refuses far more than the preview foresaw: back to shadow, and on only for a reason.
fn fell_back(office: &Office) {
    office.does("gil", &["restriction", "pins", "--gate", "north-1", "--out", "pins.txt"]);
    office.does("gil", &["restriction", "stage", "CASE", "d2", "--gate", "north-1"]);
    let writes = || asked(office, "a1", "object-storage", "storage.write", 18);
    let (_server, at) = start(office, &["serve", "--listen", "127.0.0.1:0"]);
    let restriction = format!("{}/d2/1", office.case.borrow());
    let told = |version: &str, refused: u64| {
        let digest = format!("sha256:{}", "0".repeat(64));
        let counts =
            format!(r#"{{"{restriction}": {{"storage.write": {{"refused": {refused}, "would_refuse": 0}}}}}}"#);
        let body = format!(
            r#"{{"gate": "north-1", "version": "{version}", "enforces": "{digest}", "since": 1773738000, "until": 1773741600,
                "broken_glass": false, "refusals": {counts}}}"#
        );
        let headers = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        ask(&at, "POST", "/gate/report", &format!("{headers}\r\n{body}")).0
    };
    let stage = |want: &str| {
        (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(100));
            office.does("gil", &["restriction", "gates"]).contains(want)
        })
    };
    assert_eq!(told("0.1", 216_000_100), 202);
    assert!(stage("by 0.1: has an older snapshot; 216000100 refused"), "as often as was foreseen, ten times over");
    assert_eq!(writes(), "refused");
    assert_eq!(told("0.2", 216_000_101), 202);
    assert!(stage("216000101 refused"));
    assert_eq!(writes(), "in shadow", "back by itself");
    let on = ["restriction", "stage", "CASE", "d2", "--all"];
    office.may_not("gil", &on, "it left its preview: storage.write of");
    assert_eq!(
        ask(&at, "POST", "/gate/report", "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}").0,
        400
    );
    office.does("gil", &[&on[..], &["--despite", "a loop of their client, which they mended"]].concat());
    office.does("gil", &["restriction", "stage", "CASE", "d2", "--shadow"]);
    assert_eq!(told("0.3", 0), 202);
    assert!(stage("by 0.3: has an older snapshot; 0 refused"));
}

/// A gate refuses exactly what was sealed, once the last stage is reached.
fn enforced(office: &Office) {
    office.does("gil", &["restriction", "pins", "--gate", "north-1", "--out", "pins.txt"]);
    let writes = |account: &str, day: i64| asked(office, account, "object-storage", "storage.write", day);
    assert_eq!(writes("a1", 18), "in shadow");
    office.may_not("ann", &["restriction", "stage", "CASE", "d2", "--all"], "may not");
    office.does("gil", &["restriction", "stage", "CASE", "d2", "--gate", "south-1"]);
    assert_eq!(writes("a1", 18), "in shadow", "at another gate");
    office.does("gil", &["restriction", "stage", "CASE", "d2", "--all"]);
    assert_eq!(writes("a1", 18), "refused");
    assert_eq!(writes("a1", 16), "passes", "before it took effect");
    assert_eq!(writes("a2", 18), "passes");
    for operation in ["storage.read", "storage.delete"] {
        assert_eq!(asked(office, "a1", "object-storage", operation, 18), "passes", "{operation}");
    }
    // One character of the list, and the gate takes nothing of it.
    let mut bytes = std::fs::read(office.path("snapshot")).unwrap();
    let at = bytes.windows(4).position(|four| four == b"a1\to").unwrap();
    bytes[at + 1] = b'2';
    assert!(gate::Gate::load(&bytes, pins(office), None, 0).is_err());
}

/// The same restrictions for those who enforce elsewhere: whole, or in part where that is asked for, and never half.
fn exported(office: &Office) {
    let export = |form: &str, more: &[&str]| {
        let args = ["restriction", "export", form, "--snapshot", "snapshot", "--pins", "pins.txt", "--out", form];
        office.run("", &[&args[..], more].concat())
    };
    assert!(export("cedar", &[]).status.success());
    let text = std::fs::read_to_string(office.path("cedar/restrictions.cedar")).unwrap();
    assert!(text.contains("principal == Account::\"a1\"") && !text.contains("Account::\"a2\""), "{text}");
    let contents = std::fs::read(office.path("cedar/contents.json")).unwrap();
    let contents: serde_json::Value = serde_json::from_slice(&contents).unwrap();
    assert_eq!((&contents["schema"], &contents["unreached"]), (&"tribune.export/1".into(), &serde_json::json!([])));
    let again = export("cedar", &[]);
    assert!(again.status.code() == Some(1) && String::from_utf8_lossy(&again.stderr).contains("cedar is there"));
    for form in ["aws", "azure"] {
        let refused = export(form, &[]);
        let error = String::from_utf8_lossy(&refused.stderr);
        assert!(
            refused.status.code() == Some(1) && error.contains("--in-part") && !office.path(form).exists(),
            "{error}"
        );
        assert!(export(form, &["--in-part"]).status.success());
        let contents = std::fs::read_to_string(office.path(&format!("{form}/contents.json"))).unwrap();
        assert!(contents.contains("its account is no"), "{contents}");
    }
}

/// A program that ends with the test.
pub(crate) struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Starts a server of ours and gives the address it says it answers on.
pub(crate) fn start(office: &Office, args: &[&str]) -> (Running, String) {
    use std::io::BufRead as _;
    let mut child = office.command(args).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufReader::new(child.stderr.take().unwrap()).lines();
    let running = Running(child);
    let line = lines.find_map(|line| line.unwrap().split_once("http://").map(|(_, rest)| rest.to_owned())).unwrap();
    // What it says later is read where a test fails.
    let name = args[0].to_owned();
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| eprintln!("{name}: {line}")));
    let address = line.split([';', ' ']).next().unwrap().trim_end_matches(':');
    (running, address.to_owned())
}

/// One request of HTTP/1.1, and the status and body of its answer.
fn get(address: &str, path: &str, headers: &str) -> (u16, String) {
    ask(address, "GET", path, &format!("{headers}\r\n"))
}

/// Likewise; the rest is more headers, an empty line and a body.
fn ask(address: &str, method: &str, path: &str, rest: &str) -> (u16, String) {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    // Longer than a gate waits for a snapshot: whoever does not answer by then fails a test, and hangs none.
    stream.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{rest}").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

/// The server hands a gate its snapshot; the gate refuses what was sealed, and goes on when the server is gone.
fn served(office: &Office) {
    let (server, at) = start(office, &["serve", "--listen", "127.0.0.1:0"]);
    let url = format!("http://{at}/gate/snapshot");
    let args =
        ["gate", "--snapshot", &url, "--key", "pins.txt", "--approvers", "pins.txt", "--state", "held", "--listen"];
    let (gate_process, gate) = start(office, &[&args[..], &["127.0.0.1:0"]].concat());
    let asked = |account: &str, operation: &str| {
        let service = "X-Tribune-Service: object-storage\r\nX-Tribune-Region: north";
        let headers = format!("X-Tribune-Account: {account}\r\n{service}\r\nX-Tribune-Operation: {operation}\r\n");
        get(&gate, "/gate/check", &headers).0
    };
    let ready = (0..600).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        get(&gate, "/readyz", "").0 == 200
    });
    assert!(ready, "the gate holds a snapshot");
    let answers = [asked("a1", "write"), asked("a1", "read"), asked("a2", "write"), asked("b1", "write")];
    assert_eq!(answers, [403, 204, 204, 204]);
    let (status, checkpoint) = get(&at, "/log/checkpoint", "");
    assert!(status == 200 && checkpoint.starts_with("tribune.example/log\n"), "{checkpoint}");
    let (status, statements) = get(&at, "/statements.json", "");
    assert!(status == 200 && statements.contains("DECISION_PROVISION_"), "{statements}");
    assert!(statements.contains("\"log_index\":") && !statements.contains("\"a1\""), "{statements}");
    let name = statements.split("/statements/").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let (status, page) = get(&at, &format!("/statements/{name}"), "");
    assert!(status == 200 && page.contains("<h2>The measure</h2>"), "{page}");
    let (status, text) = get(&at, &format!("/statements/{name}.txt"), "");
    assert!(status == 200 && text.starts_with("Statement of reasons, for the public"), "{text}");
    for path in
        ["/log/../log.key", "/log/%2e%2e/%2e%2e/log.key", "/statements/../../tribune.toml", "/transparency/x.csv"]
    {
        assert!([400, 404].contains(&get(&at, path, "").0), "{path}");
    }
    let sealed = (0..600).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        office.does("gil", &["restriction", "gates"]).contains("refuses what was sealed, and nothing else")
    });
    assert!(sealed, "the gate told the server by what it refuses");
    drop(server);
    assert_eq!([asked("a1", "write"), asked("a2", "write")], [403, 204], "the server is gone, and the gate stays");
    // Whoever runs the gate lets pass what it refuses, for a while, without the server.
    let said = ["--state", "held", "--by", "gil", "--reason", "help lines fail"];
    let comes = |status: u16| {
        (0..50).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(100));
            asked("a1", "write") == status
        })
    };
    let glass = |args: &[&str]| office.command(&[&["gate"], args, &said[..]].concat()).output().unwrap().status.code();
    assert_eq!(glass(&["break", "--for", "25h"]), Some(1), "a day at most");
    assert_eq!(glass(&["break", "--for", "30m"]), Some(0));
    assert!(comes(204) && get(&gate, "/healthz", "").1.contains("glass broken: all passes until"));
    assert_eq!(glass(&["mend"]), Some(0));
    assert!(comes(403));
    assert_eq!(std::fs::read_to_string(office.path("held/glass.jsonl")).unwrap().matches("help lines fail").count(), 2);
    drop(gate_process);
    rotated(office);
}

/// A new epoch begins with the root's word and not without; a backup that knows nothing of it is not believed any more.
fn rotated(office: &Office) {
    let backup = std::fs::read_to_string(office.path("office/tribune.toml")).unwrap();
    let drawn = office.does("gil", &["restriction", "rotate"]);
    assert!(drawn.contains("nothing has changed yet"), "{drawn}");
    let key = drawn.split("--key ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    office.may_not("gil", &["restriction", "rotate"], "gate-2.key");
    let certify = |root: &str, epoch: &str, key: &str| {
        let args = ["restriction", "certify", "--root", root, "--epoch", epoch, "--key", key, "--out", "certificate"];
        office.does("", &args);
    };
    // Signed by whoever holds the server, and for another key.
    let begin = ["restriction", "rotate", "--certificate", "certificate"];
    certify("office/gate.key", "2", &key);
    office.may_not("gil", &begin, "not signed by the root that gates pin");
    certify("office/gate-root.key", "2", &key.replace(char::is_numeric, "0"));
    office.may_not("gil", &begin, "for another key");
    certify("office/gate-root.key", "1", &key);
    office.may_not("gil", &begin, "of epoch 1, and 1 has begun");
    certify("office/gate-root.key", "2", &key);
    office.does("gil", &begin);
    let config = std::fs::read_to_string(office.path("office/tribune.toml")).unwrap();
    assert!(config.starts_with("# Tribune's configuration.") && config.contains("gate-2.key"), "{config}");
    let follows = |server: &str, version: &str| {
        let url = format!("http://{server}/gate/snapshot");
        let args = ["gate", "--snapshot", &url, "--key", "pins.txt", "--approvers", "pins.txt", "--state", "held"];
        let (gate, at) = start(office, &[&args[..], &["--listen", "127.0.0.1:0"]].concat());
        let headers = "X-Tribune-Account: a1\r\nX-Tribune-Service: object-storage\r\nX-Tribune-Region: north\r\n\
                       X-Tribune-Operation: write\r\n";
        let mut seen = String::new();
        for _ in 0..600 {
            std::thread::sleep(std::time::Duration::from_millis(100));
            seen = get(&at, "/readyz", "").1;
            let refused = get(&at, "/metrics", "").1.contains("tribune_gate_snapshots_refused_total 0");
            if seen.contains(version) || (version.is_empty() && !refused) {
                break;
            }
        }
        assert_eq!(get(&at, "/gate/check", headers).0, 403, "what was sealed is refused all the while");
        drop(gate);
        seen
    };
    // The gate pins epoch 1, and follows the root.
    let (server, at) = start(office, &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(follows(&at, "2.1"), "ready, by snapshot 2.1\n");
    drop(server);
    // A backup of before: its snapshots are older, whatever they say. It needs an epoch that gates have not seen.
    office.file("office/tribune.toml", &backup);
    let (server, at) = start(office, &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(follows(&at, ""), "ready, by snapshot 2.1\n");
    drop(server);
    office.may_not("gil", &["restriction", "rotate", "--epoch", "1"], "epochs only rise");
    let drawn = office.does("gil", &["restriction", "rotate", "--epoch", "3"]);
    let key = drawn.split("--key ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    certify("office/gate-root.key", "3", &key);
    office.does("gil", &begin);
    let (server, at) = start(office, &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(follows(&at, "3.1"), "ready, by snapshot 3.1\n");
    drop(server);
    // What does not go together is served to nobody.
    std::fs::copy(office.path("office/gate-2.key"), office.path("office/gate-3.key")).unwrap();
    office.may_not("gil", &["restriction", "snapshot", "--out", "none"], "for another key");
    office.file("office/tribune.toml", &backup);
}

/// The use comes back in a linked account: a follow-up, not a target.
fn monitored(office: &Office) {
    let finding = format!("sha256:{}", "f".repeat(64));
    office.does("tribune", &["case", "follow-up", "CASE", "f1", "--account", "a3", "--finding", &finding]);
    let wide = ["decision", "propose", "CASE", "d4", "--intervention", "disable", "--target", "a3,speech,,write"];
    let why = ["--reason", "write=it moved", "--review", "2026-09-01"];
    office.may_not("ann", &[&wide[..], &why].concat(), "no evidence is about speech on a3");
    office.does("ann", &["case", "settle", "CASE", "f1", "--note", "another workload; opened apart"]);
}

/// Upheld in part: what was switched off on a2 is lifted, and nothing else.
fn appealed(office: &Office) {
    office.on("2026-04-01");
    let file = ["appeal", "file", "CASE", "p1", "--decision", "d3", "--ground", "a2 is our help line"];
    office.does("customer:acme", &file);
    let decide = |who: &str| {
        let args = ["appeal", "decide", "CASE", "p1", "--outcome", "upheld-in-part", "--reasons", "it is a help line"];
        office.run(who, &args)
    };
    assert_eq!(decide("ben").status.code(), Some(1), "who decided before does not decide the appeal");
    assert!(decide("eve").status.success() && decide("fay").status.success());
    let all = ["restriction", "stage", "CASE", "d3", "--all"];
    office.may_not("gil", &all, "was at no single gate yet");
    office.does("gil", &["restriction", "stage", "CASE", "d3", "--gate", "north-1"]);
    office.does("gil", &all);
    let transcribes = |account: &str| asked(office, account, "speech", "speech.transcription", 40);
    assert_eq!([transcribes("a1"), transcribes("a2")], ["refused", "refused"]);
    let lift = ["decision", "lift", "CASE", "d5", "--decision", "d3", "--keep"];
    office.may_not("ann", &[&lift[..], &["a3,speech,,write"]].concat(), "fewer targets");
    office.does("ann", &[&lift[..], &["a1,speech,,write"]].concat());
    office.approve("d5");
    office.does("gil", &["decision", "effect", "CASE", "d5"]);
    assert_eq!([transcribes("a1"), transcribes("a2")], ["refused", "passes"]);
    assert_eq!(office.does("gil", &["restriction", "list"]).lines().count(), 2);
    assert_eq!(office.does("gil", &["restriction", "list", "--account", "a2"]).trim(), "nothing is switched off");
}

fn closed(office: &Office) {
    let close = ["case", "close", "CASE", "--remedy", "those recorded are told", "--consulted", "their organisations"];
    let close = [&close[..], &["--lesson", "ask who is recorded before the first byte"]].concat();
    office.may_not("ann", &close, "checks to come");
    for (day, days) in [("2026-05-01", "30"), ("2026-07-01", "90"), ("2026-10-01", "180")] {
        office.on(day);
        for decision in ["d2", "d3"] {
            let check = ["case", "check", "CASE", decision, "--days", days, "--use-ended", "true", "--rest-as-before"];
            office.does("ann", &[&check[..], &["true"]].concat());
        }
    }
    let again = ["case", "look-again", "CASE", "d3", "--reasons", "the use has not come back"];
    office.may_not("ann", &again, "looked at next");
    office.does("ann", &[&again[..], &["--next", "2027-03-01"]].concat());
    office.does("ann", &close);
    let list = office.does("ann", &["case", "list"]);
    assert!(list.contains("closed") && list.contains("2 targets switched off"), "{list}");
    // What was published was wrong, and others look at what is new.
    office.file("correction.txt", "The measure began on 17 March, not on 16 March.\n");
    office.confirmed("correction.txt", "ned");
    let correct = ["case", "correct", "CASE", "@notice-d2/public.txt", "--text", "@correction.txt"];
    office.does("ann", &correct);
    told_employees(office);
    office.on("2026-10-02");
    let new = ["case", "evidence", "CASE", "leak", "--basis", "document", "--text", "an order", "--origin", "leak"];
    office.does("ines", &new);
    office.does("ned", &["case", "reopen", "CASE", "--material", "leak"]);
    office.may_not("ned", &["case", "assign", "CASE", "--person", "ann", "--role", "reviewer"], "reviewed it before");
    office.does("ned", &["case", "assign", "CASE", "--person", "ines", "--role", "reviewer"]);
    let shown = office.does("aud", &["case", "show", "CASE", "--purpose", "an audit", "--format", "json"]);
    assert!(shown.contains("\"identity\": \"idp|dov\""), "an approval says as whom they had signed in");
    office.file("case.json", &shown);
    crate::follows_schema(&office.path("case.json"), "case-1.json");
    let audit = office.does("aud", &["case", "audit", "CASE"]);
    assert!(audit.contains("no invariant is broken"), "{audit}");
    office.does("tribune", &["case", "show", "CASE", "--purpose", "a clock"]);
    let looks = office.does("aud", &["record", "looks"]);
    assert!(looks.contains("  tribune  case "), "{looks}");
    assert!(looks.contains("the outer lock on who made report") && looks.contains("a threat to their life"), "{looks}");
}

/// The same numbers in the EU's templates, held against what was published.
fn harmonised(office: &Office) {
    let filed =
        "category = \"STATEMENT_CATEGORY_OTHER_VIOLATION_TC\"\nkeyword = \"KEYWORD_OTHER\"\nother = \"spying\"\n";
    let head =
        "provider = \"Example Cloud\"\nservice = \"Example Cloud\"\npublished = \"2027-01-02\"\narticle_16 = true\n";
    let report = ["record", "counts", "2026", "--harmonised", "report", "--given", "given.toml"];
    office.file("given.toml", head);
    office.may_not("ann", &report, "[policies.mass-surveillance]");
    let cell = "[[cell]]\npart = 4\nrow = { \"Category of illegal content\" = \"TOTAL\" }\ncolumn = \"Number of notices received\"\nvalue = \"0\"\n";
    office.file("given.toml", &format!("{head}[policies.mass-surveillance]\n{filed}{cell}"));
    office.may_not("ann", &report, "is not given; leave it out");
    office.file("given.toml", &format!("{head}[policies.mass-surveillance]\n{filed}"));
    assert!(office.does("ann", &report).contains("11 files in report"));
    let part = |name: &str| std::fs::read_to_string(office.path("report").join(name)).unwrap();
    let notices = part("4_notices.csv");
    let total = notices.lines().find(|line| line.contains(",TOTAL,,")).unwrap();
    assert!(total.contains(",TOTAL,,3,,,,") && total.contains(",,0,,3,"), "three reports, three measures: {total}");
    let appeals = part("7_appeals_and_recidivism.csv");
    assert!(appeals.contains("internal-complaints mechanism,Total number,1,"), "{appeals}");
    assert!(part("8_automated_means.csv").contains("not taken by automated means,Total number,3,"));
}

/// The provider's own people learn what was decided, and neither who reviewed it nor whom it is about.
fn told_employees(office: &Office) {
    let tell = ["case", "tell-employees", "CASE", "--text", "@told.txt"];
    let refused = |text: &str, says: &str| {
        office.file("told.txt", text);
        office.may_not("ann", &tell, says);
    };
    refused("Ann found it.\n", "say the role");
    office.file("told.txt", "We switched off what acme did to a whole people.\n");
    office.confirmed("told.txt", "ned");
    refused("We switched off what acme did to a whole people.\n", "leave the customer and its accounts out");
    refused("We switched off what a customer did to a whole people.\n", "let a second person read it");
    office.confirmed("told.txt", "ned");
    office.does("ann", &tell);
    refused("We switched off what a customer did to a whole people.\n", "they know");
    let shown = office.does("aud", &["case", "show", "CASE", "--purpose", "an audit"]);
    assert!(shown.contains("employees were told on 2026-10-01"), "{shown}");
}

/// The public log verifies, by our own verifier and by one that is not ours, and the counts are those of the record.
fn published(office: &Office, receipt: &str, report: &str) {
    office.may_not("ann", &["record", "counts", "2026", "--publish"], "2026 is not over");
    office.on("2027-01-02");
    office.does("ann", &["record", "counts", "2026", "--publish"]);
    office.does("tribune", &["record", "day"]);
    let verified = office.does("aud", &["record", "verify", "--remember", "seen.txt"]);
    assert!(verified.contains("every hole is explained"), "{verified}");
    office.does("aud", &["record", "verify", "--remember", "seen.txt"]);
    let key = std::fs::read_to_string(office.path("office/log.key")).unwrap();
    let key = tlog::Signer::parse(key.trim()).unwrap().verifier().to_string();
    let said = office.does("", &["log", "verify", "office/public/log", "--key", &key, "--site", "office/public"]);
    let facts = [
        "3 decisions that impose",
        "1 decisions that lift",
        "3 statements",
        "1 comparisons",
        "1 corrections",
        "1 yearly",
    ];
    for fact in facts {
        assert!(said.contains(fact), "{fact}: {said}");
    }
    let entries = verified_by_others(&key, &|path| office.public(&format!("log/{path}")));
    let text = entries.iter().map(|entry| String::from_utf8(entry.clone()).unwrap()).collect::<Vec<_>>().join("\n");
    let case = office.case.borrow().clone();
    let secret = ["acme", "\"a1\"", "ann", "ben", "object-storage", receipt, report, &case, "Dora"];
    assert!(secret.iter().all(|word| !text.contains(word)), "the log names nobody");
    let counts = String::from_utf8(office.public("transparency/2026.csv").unwrap()).unwrap();
    let lines = ["decisions_approved/lift,1", "appeals_upheld_in_part,1", "corrections,1", "contacts/sales/reviewer,1"];
    for line in
        lines.into_iter().chain(["employees_told,1", "kinds_of_use/stopped,1", "deadlines_missed/tell employees,3"])
    {
        assert!(counts.contains(line), "{line}: {counts}");
    }
    harmonised(office);
    // A number that is altered is seen.
    let path = office.path("office/public/transparency/2026.csv");
    std::fs::write(&path, counts.replace("corrections,1", "corrections,0")).unwrap();
    let altered = ["log", "verify", "office/public/log", "--key", &key, "--site", "office/public"];
    office.may_not("", &altered, "transparency/2026.csv");
    office.does("", &["report", "prove", "--receipt", "words.txt", "--out", "mine.tlog-proof"]);
    let shown = office.does("", &["report", "check", "mine.tlog-proof", "--key", &key]);
    assert!(shown.contains("a report came in on 2026-03-01"), "{shown}");
    events_are_proven(office, &key);
    // What came under nobody's words becomes no event; it is told of, and two take it out.
    office.file("nobody.txt", "abacus abdomen abdominal abide abiding ability ablaze");
    office.does("", &["report", "add", "--receipt", "nobody.txt", "--text", "And another thing."]);
    office.on("2027-01-03");
    let day = office.run("tribune", &["record", "day"]);
    let told = String::from_utf8_lossy(&day.stderr).into_owned();
    assert!(told.contains("1 of them can never become events") && told.contains("record discard"), "{told}");
    let discard = ["record", "discard", "--reason", "nobody has these words", "--by", "ben"];
    office.may_not("", &discard, "two people who decide");
    assert!(office.does("", &[&discard[..], &["--by", "cleo"]].concat()).starts_with("1 messages are gone"));
    office.may_not("", &[&discard[..], &["--by", "cleo"]].concat(), "nothing waits");
    // Erasure leaves a hole that is explained, and the log goes on.
    office.may_not("", &["record", "erase", "--report", report, "--reason", "asked for", "--by", "ben"], "two");
    office.does("", &["record", "erase", "--report", report, "--reason", "asked for", "--by", "ben", "--by", "cleo"]);
    office.does("aud", &["record", "verify", "--remember", "seen.txt"]);
    office.may_not("ines", &["report", "read", report, "--identity", "ines.id", "--purpose", "x"], "was erased");
    let said = office.does("", &["log", "verify", "office/public/log", "--key", &key]);
    assert!(said.contains("erasures"), "{said}");
    let report = ["record", "counts", "2026", "--harmonised", "report", "--given", "given.toml"];
    office.may_not("ann", &report, "are not those of the record now");
}
