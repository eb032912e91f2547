//! Witnessing and verifying over real HTTP: the witness is the command, killed and started again; logs are published by
//! `store`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use store::{Files, PublicLog, Publication, Record};
use tlog::{AddCheckpoint, Appender, Checkpoint, Cosigner, Hash, Note, Signer, Tile, Tiles, Tree, Verifier};

use crate::{Place, public_log};

const ORIGIN: &str = "tribune.example/log";

fn signer() -> Signer {
    Signer::new(ORIGIN, &[7; 32]).unwrap()
}

/// The command as a witness, ended with the test.
struct Witness {
    process: Child,
    key: Verifier,
    address: SocketAddr,
}

impl Witness {
    /// Starts it; the same place gives the same key and memory.
    fn start(place: &Place) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tribune"));
        command.args(["log", "witness", "--listen", "127.0.0.1:0", "--name", "w.example", "--key"]);
        command.arg(place.path("witness.key")).arg("--state").arg(place.path("seen"));
        command.args(["--log", &signer().verifier().to_string()]);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let key = lines.next().unwrap().rsplit(' ').next().unwrap().parse().unwrap();
        let line = lines.next().unwrap();
        let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap().parse().unwrap();
        Self { process, key, address }
    }

    fn ask(&self, body: &str) -> Answer {
        http(self.address, "POST", "/add-checkpoint", body).unwrap()
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

/// One request, by nobody's client.
fn http(address: SocketAddr, method: &str, path: &str, body: &str) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    )?;
    // A server that refuses a long body need not read it.
    drop(stream.write_all(body.as_bytes()));
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok(Answer { status, head: head.to_lowercase(), body: body.to_owned() })
}

/// A log in memory, to ask witnesses about.
#[derive(Default)]
struct Log {
    appender: Appender,
    files: std::collections::BTreeMap<Tile, Vec<u8>>,
}

impl Log {
    fn of(entries: &[&str]) -> Self {
        let mut log = Self::default();
        for entry in entries {
            log.grow(entry);
        }
        log
    }

    fn grow(&mut self, entry: &str) {
        let since = self.appender.tree().size;
        self.files.extend(self.appender.push(entry.as_bytes()).unwrap());
        self.files.extend(self.appender.partial(since));
    }

    fn note(&self) -> Note {
        Checkpoint::new(ORIGIN, self.appender.tree(), &[]).unwrap().sign(&signer()).unwrap()
    }

    /// A request that proves what it says from an older size.
    fn request(&self, older: u64) -> String {
        let missing = || std::io::Error::other("not there");
        let read = |tile: Tile| self.files.get(&tile).cloned().ok_or_else(missing);
        let proof = Tiles::open(self.appender.tree(), read).unwrap().consistency(older).unwrap();
        AddCheckpoint::new(older, proof, self.note()).unwrap().to_string()
    }
}

/// The witness cosigned this log as it is.
fn expect_cosigned(answer: &Answer, log: &Log, witness: &Witness) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(log.note().cosignatures(answer.body.as_bytes(), &[&witness.key]).unwrap().len(), 1);
}

#[test]
fn a_witness_cosigns_what_continues_and_nothing_else() {
    let place = Place::new();
    let witness = Witness::start(&place);
    let mut log = Log::of(&["a", "b", "c"]);
    expect_cosigned(&witness.ask(&log.request(0)), &log, &witness);
    let three = log.request(0);
    log.grow("d");
    log.grow("e");
    expect_cosigned(&witness.ask(&log.request(3)), &log, &witness);
    expect_cosigned(&witness.ask(&log.request(5)), &log, &witness);
    // It remembers five now: whoever starts from elsewhere is told so.
    for request in [log.request(0), log.request(3), three] {
        let answer = witness.ask(&request);
        assert_eq!((answer.status, answer.body.as_str()), (409, "5\n"));
        assert!(answer.head.contains("content-type: text/x.tlog.size"), "{}", answer.head);
    }
    // Rolled back, and signed by the log: nothing proves three from five.
    let rolled = AddCheckpoint::new(3, vec![], Log::of(&["a", "b", "c"]).note()).unwrap().to_string();
    assert_eq!(witness.ask(&rolled.replacen("old 3", "old 5", 1)).status, 400);
    assert_eq!(witness.ask(&rolled).status, 409);
    // Forked: the log signs both, and proves one of them by a proof of the other.
    let fork = Log::of(&["a", "b", "c", "d", "another"]);
    assert_eq!(witness.ask(&fork.request(5)).status, 422);
    let fork = Log::of(&["a", "b", "c", "d", "another", "f"]);
    assert_eq!(witness.ask(&fork.request(5)).status, 422);
    assert_eq!(
        witness.ask(&fork.request(5).replacen("old 5\n", &format!("old 5\n{}\n", Hash::EMPTY_ROOT), 1)).status,
        422
    );
    // Strangers.
    let stranger = Signer::new("stranger.example", &[9; 32]).unwrap();
    let note = Checkpoint::new("stranger.example", Tree::EMPTY, &[]).unwrap().sign(&stranger).unwrap();
    assert_eq!(witness.ask(&AddCheckpoint::new(0, vec![], note).unwrap().to_string()).status, 404);
    let note = Checkpoint::new(ORIGIN, log.appender.tree(), &[]).unwrap().sign(&stranger).unwrap();
    assert_eq!(witness.ask(&AddCheckpoint::new(5, vec![], note).unwrap().to_string()).status, 403);
    for (method, path, body, status) in [
        ("POST", "/add-checkpoint", "what?".to_owned(), 400),
        ("POST", "/add-checkpoint", "x".repeat(100_000), 413),
        ("GET", "/add-checkpoint", String::new(), 405),
        ("GET", "/", String::new(), 404),
    ] {
        assert_eq!(http(witness.address, method, path, &body).unwrap().status, status, "{method} {path}");
    }
    log.grow("f");
    expect_cosigned(&witness.ask(&log.request(5)), &log, &witness);
}

#[test]
fn a_witness_that_is_killed_remembers_what_it_cosigned() {
    let place = Place::new();
    let mut log = Log::of(&["first"]);
    let mut cosigned = 0;
    let mut key = None;
    for kill in 0..12_u64 {
        let witness = Witness::start(&place);
        assert_eq!(*key.get_or_insert(witness.key.clone()), witness.key);
        // What it has seen it says itself: all that left it, and at most one more.
        let asked = witness.ask(&log.request(log.appender.tree().size));
        let seen = match asked.status {
            200 => log.appender.tree().size,
            _ => asked.body.trim_end().parse().unwrap(),
        };
        assert!((cosigned..=cosigned + 1).contains(&seen), "{seen} where {cosigned} were cosigned");
        cosigned = cosigned.max(seen);
        let address = witness.address;
        let (mut witness, mut killer, before) = (Some(witness), None, cosigned);
        loop {
            if log.appender.tree().size == cosigned {
                log.grow("next");
            }
            match http(address, "POST", "/add-checkpoint", &log.request(cosigned)) {
                Ok(answer) if answer.status == 200 => cosigned = log.appender.tree().size,
                Ok(answer) => panic!("{answer:?}"),
                Err(_) => break,
            }
            // From the second on, so that each kill meets a witness at work.
            if let Some(witness) = witness.take_if(|_| cosigned > before + 1) {
                killer = Some(std::thread::spawn(move || {
                    std::thread::sleep(Duration::from_millis(kill * 10));
                    witness.kill();
                }));
            }
        }
        killer.unwrap().join().unwrap();
    }
    println!("12 kills, {cosigned} checkpoints cosigned");
    assert!(cosigned >= 24);
    // A memory that was damaged is no memory.
    let file = place.path("seen/tribune.example%2Flog.seen");
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("tribune.example/log\n"));
    std::fs::write(&file, "").unwrap();
    let key = signer().verifier().to_string();
    let [witness_key, seen] = ["witness.key", "seen"].map(|name| place.path(name).display().to_string());
    let output = place.run(&["log", "witness", "--key", &witness_key, "--log", &key, "--state", &seen]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("must not sign"), "{output:?}");
}

fn statement(number: u64) -> String {
    let entry = review::public::Entry::Statement {
        statement: review::words::Digest::of(number.to_string()),
        day: "2026-03-01".into(),
    };
    String::from_utf8(entry.bytes().unwrap()).unwrap()
}

/// Publishes statements up to a number, as a server would.
fn publish(place: &Place, until: u64) -> Tree {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let record = Record::open(&record(place)).await.unwrap();
        let mut log = PublicLog::open(&record, Files::local(place.path("log")), signer()).await.unwrap();
        let entries = (log.tree().size..until).map(statement).collect();
        let publication = Publication { entries, seen: until, batched: 0 };
        let mut random = |bytes: &mut [u8]| bytes.fill(until as u8);
        let tree = log.publish(&record, review::words::Moment(1_772_323_200), publication, &mut random).await.unwrap();
        record.close().await;
        tree
    })
}

fn record(place: &Place) -> String {
    format!("sqlite:{}", place.path("record.db").display())
}

/// Answers every request as it is told, until the test ends; nothing at all for none.
fn served(answer: impl Fn(&str) -> Option<(u16, Vec<u8>)> + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut waiting = Vec::new();
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let (mut line, mut length) = (String::new(), 0);
            reader.read_line(&mut line).unwrap();
            let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
            while line.trim_end() != "" {
                line.clear();
                reader.read_line(&mut line).unwrap();
                length =
                    line.to_lowercase().strip_prefix("content-length: ").map_or(length, |n| n.trim().parse().unwrap());
            }
            reader.read_exact(&mut vec![0; length]).unwrap();
            let mut stream = reader.into_inner();
            match answer(&path) {
                Some((status, body)) => {
                    let head =
                        format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                    drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)));
                }
                None => waiting.push(stream),
            }
        }
    });
    address
}

#[test]
fn a_log_gathers_cosignatures_and_waits_for_nobody() {
    let place = Place::new();
    place.file("log.key", signer().secret());
    publish(&place, 3);
    let witness = Witness::start(&place);
    let [record, files, key] =
        [record(&place), place.path("log").display().to_string(), place.path("log.key").display().to_string()];
    let cosign = |code: i32, witnesses: &[(String, &Verifier)]| {
        let mut args = vec!["log", "cosign", "--record", &record, "--files", &files, "--key", &key];
        let keys: Vec<String> = witnesses.iter().map(|(_, key)| key.to_string()).collect();
        for ((url, _), key) in witnesses.iter().zip(&keys) {
            args.extend(["--witness", url, key]);
        }
        let output = place.run(&args);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{error}");
        (String::from_utf8(output.stdout).unwrap(), error)
    };
    let log_key = signer().verifier().to_string();
    let witness_key = witness.key.to_string();
    let verify = ["log", "verify", &files, "--key", &log_key, "--witness", &witness_key];
    place.out(1, &verify);
    // The first time; after it grew, from what the witness says it knows; and again without anything new.
    for until in [3, 300, 300] {
        publish(&place, until);
        let (said, _) = cosign(0, &[(witness.url(), &witness.key)]);
        assert_eq!(said, "1 of 1 witnesses cosigned the checkpoint\n");
        let said = place.out(0, &verify);
        assert!(said.contains("cosigned by w.example"), "{said}");
    }
    // Witnesses that are not there, hang, lie, or talk of something else hold up nobody.
    publish(&place, 301);
    let other = Cosigner::new("other.example", &[5; 32]).unwrap();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let hangs = served(|_| None);
    let lies = served(|_| Some((200, b"\xe2\x80\x94 other.example AAAAAAAAAAAAAAAAAAAAAAAAAAAA\n".to_vec())));
    let endless = served(|_| Some((200, vec![b'x'; 1 << 20])));
    let elsewhere = served(|_| Some((404, b"\x1b[31mno such page".to_vec())));
    let bad = [nobody, hangs, lies, endless, elsewhere].map(|address| (format!("http://{address}"), other.verifier()));
    let (said, error) = cosign(1, &[&bad[..], &[(witness.url(), &witness.key)]].concat());
    assert_eq!(said, "1 of 6 witnesses cosigned the checkpoint\n");
    for says in [
        "Connection refused",
        "did not answer in time",
        "none of the known keys",
        "more than 65536 bytes",
        "answered 404",
    ] {
        assert!(error.contains(says), "{says}: {error}");
    }
    assert!(!error.contains('\u{1b}') && error.lines().count() == 5, "{error}");
    place.out(0, &verify);
    // The witness has seen more than the record knows: it was restored, and goes on from there.
    let restored = Place::new();
    restored.file("log.key", signer().secret());
    publish(&restored, 10);
    let key_file = restored.path("log.key").display().to_string();
    let [record, files] = [self::record(&restored), restored.path("log").display().to_string()];
    let args = [
        "log",
        "cosign",
        "--record",
        &record,
        "--files",
        &files,
        "--key",
        &key_file,
        "--witness",
        &witness.url(),
        &witness_key,
    ];
    let output = restored.run(&args);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(
        error.contains("has seen 301 entries of this log, which has 10") && error.contains("older backup"),
        "{error}"
    );
}

/// Serves a folder, as any server of files does.
fn serve_folder(folder: &Path) -> SocketAddr {
    let folder = folder.to_owned();
    served(move |path| {
        let path = path.strip_prefix("/log/")?;
        Some(std::fs::read(folder.join(path)).map_or((404, Vec::new()), |bytes| (200, bytes)))
    })
}

#[test]
fn a_log_is_verified_over_http_as_from_a_folder() {
    let place = Place::new();
    let folder = place.path("log");
    let key = public_log(&folder, 700);
    let address = format!("http://{}/log/", serve_folder(&folder));
    let verify = ["log", "verify", &address, "--key", &key];
    let by_folder = place.out(0, &["log", "verify", &folder.display().to_string(), "--key", &key]);
    assert_eq!(place.out(0, &verify), by_folder);
    // The partial bundle of this checkpoint filled up and was taken away.
    let checkpoint = std::fs::read(folder.join("checkpoint")).unwrap();
    public_log(&folder, 800);
    std::fs::write(folder.join("checkpoint"), checkpoint).unwrap();
    std::fs::remove_dir_all(folder.join("tile/entries/002.p")).unwrap();
    assert_eq!(place.out(0, &verify), by_folder);
    let refused = |says: &str| {
        let output = place.run(&verify);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains(says) && error.contains(&address), "{error}");
    };
    let tile = folder.join("tile/0/001");
    let good = std::fs::read(&tile).unwrap();
    std::fs::write(&tile, [&good[..], &[0]].concat()).unwrap();
    refused("more than 8192 bytes");
    let mut altered = good.clone();
    altered[100] ^= 1;
    std::fs::write(&tile, altered).unwrap();
    refused("was altered");
    std::fs::remove_file(&tile).unwrap();
    refused("tile/0/001 cannot be read: it answered 404");
    std::fs::remove_file(folder.join("checkpoint")).unwrap();
    refused("there is no checkpoint: it answered 404");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = place.run(&["log", "verify", &format!("http://{nobody}/log"), "--key", &key]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("Connection refused"), "{output:?}");
}
