//! What is SQLite's own: files, the journal, a full disk, another process.

use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use sqlx::{Connection, SqliteConnection};
use store::{Draining, Record, RecordError};

use crate::both::messages;
use crate::place::{append, block_on, chance, run};

fn address(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("record.db").display())
}

fn open(folder: &Path) -> Record {
    block_on(Record::open(&address(folder))).unwrap()
}

fn fill(record: &Record, events: std::ops::Range<u64>) {
    for number in events {
        let sent = append("case", number, &[&"x".repeat(500)]);
        block_on(record.append(&sent, &mut chance(number))).unwrap();
    }
}

/// The bytes of the backup, the file and the journal that a hundred messages and five events leave, in the order given.
fn bytes_after(order: &[usize]) -> [Vec<u8>; 3] {
    let folder = tempfile::tempdir().unwrap();
    let record = open(folder.path());
    let messages = messages(100);
    let mut events = 0;
    for at in order {
        match messages.get(*at) {
            Some(message) => block_on(record.take_in(std::slice::from_ref(message))).unwrap(),
            None => {
                fill(&record, events..events + 1);
                events += 1;
            }
        }
    }
    // A draining ends each day; here it takes nothing out.
    block_on(record.drain(&Draining::default(), &mut chance(0))).unwrap();
    let backup = folder.path().join("backup.db");
    block_on(record.back_up(&backup)).unwrap();
    let files = ["backup.db", "record.db", "record.db-wal"];
    files.map(|name| std::fs::read(folder.path().join(name)).unwrap())
}

#[test]
fn a_hundred_arrivals_in_any_order_leave_equal_files() {
    let events_first: Vec<usize> = (0..105).rev().collect();
    let first = bytes_after(&events_first);
    let shuffled = |numbers: std::ops::Range<usize>| Just(numbers.collect::<Vec<usize>>()).prop_shuffle();
    let config = ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(order in shuffled(0..100), among_events in shuffled(0..105))| {
        let again = bytes_after(&[&events_first[..5], &order].concat());
        prop_assert!(again[0] == first[0], "the backups differ");
        prop_assert!(again[1] == first[1], "the files differ");
        prop_assert!(again[2].is_empty() && first[2].is_empty(), "the journal is not empty");
        // Which pages it lies on depends on the events between; a backup does not show it.
        prop_assert!(bytes_after(&among_events)[0] == first[0], "the backups differ where events came between");
    });
}

#[test]
fn a_backup_made_while_others_write_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let record = open(folder.path());
    fill(&record, 0..20);
    let tree = block_on(record.verify(None)).unwrap();
    let restored = tempfile::tempdir().unwrap();
    let backup = restored.path().join("record.db");
    std::thread::scope(|scope| {
        scope.spawn(|| fill(&open(folder.path()), 20..60));
        block_on(record.back_up(&backup)).unwrap();
    });
    assert!(block_on(record.back_up(&backup)).unwrap_err().to_string().contains("exists"));
    let copy = open(restored.path());
    let there = block_on(copy.verify(Some(tree))).unwrap();
    assert!(block_on(record.verify(Some(there))).is_ok());
}

#[test]
fn a_process_that_holds_the_record_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let record = open(folder.path());
    block_on(async {
        let url = format!("sqlite:{}/record.db", folder.path().display());
        let mut other = SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
        let error = record.append(&append("case", 0, &["a"]), &mut chance(0)).await.unwrap_err();
        assert!(matches!(error, RecordError::Held), "{error}");
        sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
        record.append(&append("case", 0, &["a"]), &mut chance(0)).await.unwrap();
    });
}

#[test]
fn a_file_that_is_no_record_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("record.db"), [7; 5_000]).unwrap();
    let error = block_on(Record::open(&address(folder.path()))).err().unwrap();
    assert!(matches!(error, RecordError::Damaged(_)), "{error}");
}

#[test]
fn a_garbled_journal_loses_nothing_that_lies_in_the_file_and_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let record = open(folder.path());
    fill(&record, 0..20);
    block_on(record.close());
    let record = open(folder.path());
    let checkpointed = block_on(record.verify(None)).unwrap();
    fill(&record, 20..40);
    let all = block_on(record.verify(None)).unwrap();
    let mut random = chance(4);
    let mut lost = 0;
    for _ in 0..25 {
        // What a kill leaves: the files as they are.
        let copy = tempfile::tempdir().unwrap();
        for name in ["record.db", "record.db-wal"] {
            std::fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
        }
        let path = copy.path().join("record.db-wal");
        let mut journal = std::fs::read(&path).unwrap();
        let from = journal.len() - 1 - crate::place::below(journal.len() as u64 - 1, &mut random) as usize;
        random(&mut journal[from..]);
        std::fs::write(&path, journal).unwrap();
        let torn = open(copy.path());
        let there = block_on(torn.verify(Some(checkpointed))).unwrap();
        assert!(block_on(record.verify(Some(there))).is_ok(), "what is left is a beginning");
        if there != all {
            lost += 1;
            let error = block_on(torn.verify(Some(all))).unwrap_err().to_string();
            assert!(error.contains("and 40 were remembered"), "{error}");
        }
    }
    assert!(lost > 0);
}

/// A disk of its own; none where nothing may be mounted.
struct Disk(tempfile::TempDir);

impl Disk {
    fn small() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(folder.path());
        match mount.output() {
            Ok(output) if output.status.success() => Some(Self(folder)),
            _ => {
                println!("skipped: a small disk cannot be mounted here; only root can");
                None
            }
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run(Command::new("umount").args(["--lazy"]).arg(self.0.path()));
    }
}

#[test]
fn a_full_disk_refuses_and_loses_nothing() {
    let Some(disk) = Disk::small() else { return };
    let folder = disk.0.path();
    let record = open(folder);
    let body = "x".repeat(20_000);
    let mut acknowledged = 0;
    let error = loop {
        match block_on(record.append(&append("case", acknowledged, &[&body]), &mut chance(acknowledged))) {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, RecordError::Full), "{error}");
    assert!(error.to_string().contains("make room and send it again"));
    assert!(acknowledged > 10);
    assert_eq!(block_on(record.verify(None)).unwrap().size, acknowledged);
    block_on(record.close());
    run(Command::new("mount").args(["-o", "remount,size=8m"]).arg(folder));
    let record = open(folder);
    let tree = block_on(record.verify(None)).unwrap();
    assert_eq!(tree.size, acknowledged);
    block_on(record.append(&append("case", acknowledged, &[&body]), &mut chance(1))).unwrap();
    assert!(block_on(record.verify(Some(tree))).is_ok());
    block_on(record.close());
}
