//! Kill -9 at any moment: what was acknowledged is there afterwards, and nothing is there by half.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use store::{Append, Message, Record};

use crate::place::{Place, append, below, block_on, chance};

/// Says to the child where the record is, and which of its kind it is.
const CHILD: &str = "TRIBUNE_STORE_CHILD";
/// How often a store is killed; more in the nightly run.
const KILLS: &str = "TRIBUNE_STORE_KILLS";

/// What a child acknowledged.
#[derive(Default)]
struct Acknowledged {
    /// By position: `stream sending part of parts`.
    events: BTreeMap<u64, String>,
    messages: usize,
}

impl Acknowledged {
    /// A line that was cut was not acknowledged.
    fn read(&mut self, line: &str) {
        match line.split_once(' ') {
            Some(("event", rest)) => {
                let (position, body) = rest.split_once(' ').unwrap();
                assert_eq!(self.events.insert(position.parse().unwrap(), body.to_owned()), None, "{line}");
            }
            Some(("message", _)) => self.messages += 1,
            _ => {}
        }
    }
}

/// Not a test: what the tests below start, by its name, and kill.
#[test]
fn child_that_writes_until_it_is_killed() {
    let Ok(told) = std::env::var(CHILD) else { return };
    let (run, address) = told.split_once(' ').unwrap();
    let mut random = chance(run.parse().unwrap());
    let record = block_on(Record::open(address)).unwrap();
    let mut lengths: BTreeMap<String, u64> = BTreeMap::new();
    for sending in 0.. {
        let appends: Vec<Append> =
            (0..=below(3, &mut random)).map(|nth| next(run, sending, nth, &lengths, &mut random)).collect();
        let answers = block_on(record.append_batch(&appends, &mut random)).unwrap();
        for (append, positions) in appends.iter().zip(answers) {
            *lengths.entry(append.stream.clone()).or_default() += append.events.len() as u64;
            for (event, position) in append.events.iter().zip(positions.unwrap()) {
                println!("event {position} {} .", std::str::from_utf8(&event.body).unwrap());
            }
        }
        if sending % 4 == 0 {
            let mut key = [0; 32];
            random(&mut key);
            block_on(record.take_in(&[Message { key, body: vec![1; 100] }])).unwrap();
            println!("message {sending} .");
        }
    }
}

/// A sending of one to four events that belong together.
fn next(
    run: &str,
    sending: u64,
    nth: u64,
    lengths: &BTreeMap<String, u64>,
    random: &mut impl FnMut(&mut [u8]),
) -> Append {
    let stream = format!("{run}-{nth}");
    let parts = 1 + below(4, random);
    let bodies: Vec<String> = (1..=parts).map(|part| format!("{stream} {sending} {part} {parts}")).collect();
    let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    append(&stream, lengths.get(&stream).copied().unwrap_or_default(), &bodies)
}

fn start(run: u64, place: &Place) -> Child {
    started(Command::new(std::env::current_exe().unwrap()), run, place)
}

fn started(mut child: Command, run: u64, place: &Place) -> Child {
    child.args(["--exact", "crash::child_that_writes_until_it_is_killed", "--nocapture", "--test-threads=1"]);
    child.env(CHILD, format!("{run} {}", place.address()));
    child.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

fn survives_kills(place: &Place) {
    let kills = std::env::var(KILLS).ok().map_or(25, |text| text.parse().unwrap());
    let mut acknowledged = Acknowledged::default();
    let mut random = chance(1);
    let mut remembered = None;
    for run in 1..=kills {
        let mut child = start(run, place);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        // From the first acknowledgement on, so that each kill meets a writer at work.
        let first = lines.find(|line| line.contains("event ")).unwrap();
        std::thread::sleep(Duration::from_millis(below(80, &mut random)));
        match place {
            Place::Postgres(server, _) if run % 2 == 0 => server.kill_and_restart(),
            _ => child.kill().unwrap(),
        }
        drop(child.kill());
        let rest: Vec<String> = lines.collect();
        child.wait().unwrap();
        // The test harness may have begun the first line.
        let first = first.find("event ").map(|at| first[at..].to_owned());
        let whole = |line: &&String| line.ends_with(" .");
        first.iter().chain(&rest).filter(whole).for_each(|line| acknowledged.read(line.trim_end_matches(" .")));
        remembered = Some(look(place, &acknowledged, remembered));
    }
    println!("{kills} kills, {} events and {} messages acknowledged", acknowledged.events.len(), acknowledged.messages);
}

/// Everything acknowledged is there, every sending whole, and the record verifies and continues.
fn look(place: &Place, acknowledged: &Acknowledged, remembered: Option<tlog::Tree>) -> tlog::Tree {
    let record = place.open();
    let tree = block_on(record.verify(remembered)).unwrap();
    let mut sendings: BTreeMap<String, u64> = BTreeMap::new();
    let mut there = BTreeMap::new();
    for event in block_on(record.from(0, u32::MAX)).unwrap() {
        let body = String::from_utf8(event.content.unwrap().body).unwrap();
        let words: Vec<&str> = body.rsplitn(3, ' ').collect();
        *sendings.entry(format!("{} of {}", words[2], words[0])).or_default() += 1;
        there.insert(event.position, body);
    }
    for (position, body) in &acknowledged.events {
        assert_eq!(there.get(position), Some(body), "position {position}");
    }
    for (sending, count) in sendings {
        assert!(sending.ends_with(&format!(" of {count}")), "{count} of {sending}");
    }
    assert!(block_on(record.waiting(&mut chance(0))).unwrap().len() >= acknowledged.messages);
    block_on(record.close());
    tree
}

#[test]
fn nothing_acknowledged_is_lost_on_sqlite() {
    survives_kills(&Place::sqlite());
}

#[test]
fn nothing_acknowledged_is_lost_on_postgresql() {
    let Some(server) = crate::place::Server::start(&[]) else { return };
    let database = server.new_database();
    survives_kills(&Place::Postgres(server.into(), database));
}

/// A kill never loses what the kernel holds; only the calls show that a power cut would not either.
#[test]
fn on_sqlite_every_write_is_synced_before_it_is_acknowledged() {
    let program = std::env::var_os("TRIBUNE_STRACE").unwrap_or_else(|| "strace".into());
    let place = Place::sqlite();
    let calls = tempfile::NamedTempFile::new().unwrap();
    // A process that ends by itself: it tells whether calls can be watched here at all.
    if !Command::new(&program)
        .args(["-qq", "-e", "trace=none", "true"])
        .output()
        .is_ok_and(|output| output.status.success())
    {
        println!("skipped: `strace` is not here, or may not watch processes");
        return;
    }
    let mut strace = Command::new(program);
    strace.args(["-f", "-e", "trace=pwrite64,write,fsync,fdatasync", "-o"]).arg(calls.path());
    strace.arg(std::env::current_exe().unwrap());
    let mut child = started(strace, 1, &place);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.filter(|line| line.starts_with("message ")).take(5).count(), 5);
    // Left alone, what it watched ends as soon as it has nobody to write to.
    child.kill().unwrap();
    child.wait().unwrap();
    let (mut unsynced, mut acknowledged) = (false, 0);
    for call in std::fs::read_to_string(calls.path()).unwrap().lines() {
        unsynced |= call.contains("pwrite64(");
        unsynced &= !(call.contains("sync") && call.ends_with("= 0"));
        if ["\"event ", "\"message "].iter().any(|said| call.contains("write(1, ") && call.contains(said)) {
            assert!(!unsynced, "acknowledged before it was synced: {call}");
            acknowledged += 1;
        }
    }
    assert!(acknowledged > 10, "{acknowledged}");
}
