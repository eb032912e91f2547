//! The public log: whatever happens, its files are a beginning of what the record says was published, and anybody's
//! software can check them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path as Key;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult,
};
use review::words::Moment;
use store::{Files, LogError, PUBLIC_LOG, PublicLog, Publication, Record, RecordError, Refused};
use tlog::{AddCheckpoint, Checkpoint, Cosigner, Hash, Policy, Signer, Tile, Tree, Watched, verify_log};

use crate::others::verified_by_others;
use crate::place::{Place, append, below, block_on, chance, erasure};

const ORIGIN: &str = "tribune.example/log";
const AT: Moment = Moment(1_772_323_200);

on_both!(
    a_log_grows_and_anybodys_software_verifies_it,
    of_two_that_publish_one_is_stale_and_goes_on,
    a_slow_process_never_shows_an_older_checkpoint,
    a_log_that_is_ahead_of_its_record_is_refused,
    what_was_published_is_in_the_record_for_good,
);

fn signer() -> Signer {
    Signer::new(ORIGIN, &[1; 32]).unwrap()
}

fn vkey() -> String {
    signer().verifier().to_string()
}

fn entry(index: u64) -> String {
    format!(r#"{{"entry":"{index}","padding":"{}"}}"#, "é".repeat((index % 7) as usize))
}

fn publication(entries: Range<u64>) -> Publication {
    let (seen, batched) = (entries.end * 2, entries.end);
    Publication { entries: entries.map(entry).collect(), seen, batched }
}

fn open(record: &Record, files: &Files) -> Result<PublicLog, LogError> {
    block_on(PublicLog::open(record, files.clone(), signer()))
}

fn publish(log: &mut PublicLog, record: &Record, publication: Publication) -> Result<Tree, LogError> {
    let mut random = chance(log.tree().size);
    block_on(log.publish(record, AT, publication, &mut random))
}

fn read(files: &Files, path: &str) -> Option<Vec<u8>> {
    match files {
        Files::Local(folder) => std::fs::read(folder.join(path)).ok(),
        Files::Object(store, prefix) => block_on(async {
            let key = Key::from(format!("{prefix}/{path}"));
            Some(store.get_opts(&key, GetOptions::default()).await.ok()?.bytes().await.unwrap().to_vec())
        }),
    }
}

/// What somebody outside finds who has only the files, the key and a memory.
fn seen_from_outside(files: &Files, remembered: Option<Tree>) -> Result<Tree, String> {
    let policy = Policy::new(ORIGIN, vec![signer().verifier().clone()], vec![], 0).unwrap();
    let checkpoint = read(files, "checkpoint").ok_or("no checkpoint")?;
    let reader = |tile: Tile| read(files, &tile.to_string()).ok_or(std::io::Error::other("not there"));
    let (mut entries, mut wrong) = (0, None);
    let each = |index: u64, bytes: &[u8]| {
        entries += 1;
        wrong = wrong.or(Some(index).filter(|index| bytes != entry(*index).as_bytes()));
    };
    let report = verify_log(&policy, &checkpoint, remembered, reader, each).map_err(|error| error.to_string())?;
    assert_eq!((report.entries, wrong), (entries, None));
    Ok(report.believed.checkpoint.tree())
}

fn expect_whole(log: &PublicLog, files: &Files, remembered: Option<Tree>) {
    assert_eq!(seen_from_outside(files, remembered).unwrap(), log.tree());
    let entries = verified_by_others(&vkey(), &|path| read(files, path));
    assert!(entries.iter().zip(0..).all(|(bytes, index)| bytes == entry(index).as_bytes()));
    assert_eq!(entries.len() as u64, log.tree().size);
}

fn memory() -> Files {
    Files::object(Arc::new(InMemory::new()), "public/log")
}

/// Every file below a folder.
fn all(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    found
}

fn restore(folder: &Path, files: &BTreeMap<String, Vec<u8>>) {
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}

fn a_log_grows_and_anybodys_software_verifies_it(place: &Place) {
    let record = place.open();
    let folder = tempfile::tempdir().unwrap();
    let files = Files::local(folder.path().join("log"));
    let mut log = open(&record, &files).unwrap();
    assert_eq!(log.tree(), Tree::EMPTY);
    let (mut before, mut from) = (log.tree(), 0);
    for to in [0, 1, 1, 4, 255, 256, 257, 700] {
        assert_eq!(seen_from_outside(&files, None), Ok(before), "it is whole at any time");
        publish(&mut log, &record, publication(from..to)).unwrap();
        expect_whole(&log, &files, Some(before));
        assert_eq!((log.tree().size, log.seen(), log.batched()), (to, to * 2, to));
        (before, from) = (log.tree(), to);
    }
    let there = all(&folder.path().join("log"));
    assert!(there.keys().all(|path| path == "checkpoint" || Tile::parse(path).is_ok()));
    assert!(!there.keys().any(|path| path.contains("/000.p/") && !path.starts_with("tile/1/")), "{:?}", there.keys());
    let again = open(&record, &files).unwrap();
    assert_eq!((again.tree(), again.seen(), again.batched()), (log.tree(), 1_400, 700));
    assert_eq!(again.checkpoint(), log.checkpoint());
    let policy = Policy::new(ORIGIN, vec![signer().verifier().clone()], vec![], 0).unwrap();
    for index in [0, 255, 256, 699] {
        assert_eq!(again.find(entry(index).as_bytes()), Some(index));
        let proof = block_on(again.prove(index, b"why".to_vec())).unwrap();
        proof.verify(Hash::leaf(entry(index).as_bytes()), &policy).unwrap();
    }
    assert_eq!(again.find(b"another"), None);
    let error = block_on(again.prove(700, vec![])).unwrap_err().to_string();
    assert!(error.contains("beyond the 700 entries"), "{error}");
    // The files are lost: the record makes them anew, in another place too.
    let elsewhere = memory();
    let anew = open(&record, &elsewhere).unwrap();
    expect_whole(&anew, &elsewhere, Some(before));
    assert_eq!(read(&elsewhere, "checkpoint"), read(&files, "checkpoint"));
    block_on(record.verify(None)).unwrap();
}

/// A store that fails when so many writes were done: before it writes, or before it says that it did.
#[derive(Debug)]
struct Failing {
    store: InMemory,
    left: AtomicUsize,
    writes: bool,
}

impl std::fmt::Display for Failing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a store that fails")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Failing {
    async fn put_opts(&self, to: &Key, bytes: PutPayload, options: PutOptions) -> object_store::Result<PutResult> {
        let fails = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err();
        if fails && self.writes {
            self.store.put_opts(to, bytes, options).await?;
        } else if !fails {
            return self.store.put_opts(to, bytes, options).await;
        }
        Err(object_store::Error::Generic { store: "failing", source: "the line is cut".into() })
    }

    async fn put_multipart_opts(
        &self,
        to: &Key,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(to, options).await
    }

    async fn get_opts(&self, from: &Key, options: GetOptions) -> object_store::Result<GetResult> {
        self.store.get_opts(from, options).await
    }

    fn delete_stream(
        &self,
        keys: BoxStream<'static, object_store::Result<Key>>,
    ) -> BoxStream<'static, object_store::Result<Key>> {
        self.store.delete_stream(keys)
    }

    fn list(&self, prefix: Option<&Key>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Key>) -> object_store::Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Key, to: &Key, options: CopyOptions) -> object_store::Result<()> {
        self.store.copy_opts(from, to, options).await
    }
}

fn failing(writes: bool) -> (Arc<Failing>, Files) {
    let store = Arc::new(Failing { store: InMemory::new(), left: AtomicUsize::new(usize::MAX), writes });
    let files = Files::object(Arc::clone(&store) as Arc<dyn ObjectStore>, "public/log");
    (store, files)
}

#[test]
fn a_crash_at_any_write_is_completed() {
    let mut points = 0;
    for (fails_at, writes) in (0..30).flat_map(|at| [(at, false), (at, true)]) {
        let place = Place::sqlite();
        let record = place.open();
        let (store, files) = failing(writes);
        let mut log = open(&record, &files).unwrap();
        publish(&mut log, &record, publication(0..250)).unwrap();
        let before = log.tree();
        store.left.store(fails_at, Ordering::SeqCst);
        let crashed = publish(&mut log, &record, publication(250..600)).err();
        store.left.store(usize::MAX, Ordering::SeqCst);
        // Between two entries of the log, and never anything else.
        let shown = seen_from_outside(&files, Some(before)).unwrap();
        let Some(error) = crashed else {
            assert_eq!((shown.size, fails_at), (600, points / 2), "every point before this one was tried");
            break;
        };
        points += 1;
        assert!(error.to_string().contains("cannot be written: ") && shown.size % 350 == 250, "{error}");
        assert_eq!(log.tree(), before, "it is no further than its files");
        if fails_at % 2 == 0 {
            log = open(&record, &files).unwrap();
        } else {
            publish(&mut log, &record, publication(250..600)).unwrap();
        }
        assert_eq!((log.tree().size, block_on(record.stream(PUBLIC_LOG, 0)).unwrap().len()), (600, 2));
        expect_whole(&log, &files, Some(shown));
        publish(&mut log, &record, publication(600..601)).unwrap();
        expect_whole(&log, &files, Some(shown));
    }
    assert!(points > 12, "{points}");
}

#[test]
fn what_was_altered_is_refused_and_what_was_lost_is_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (files, place) = (Files::local(folder.path()), Place::sqlite());
    let record = place.open();
    let mut log = open(&record, &files).unwrap();
    publish(&mut log, &record, publication(0..300)).unwrap();
    let good = all(folder.path());
    assert_eq!(good.len(), 6, "{:?}", good.keys());
    for (path, bytes) in good.iter().filter(|(path, _)| *path != "checkpoint") {
        let mut altered = bytes.clone();
        *altered.last_mut().unwrap() ^= 1;
        for bad in [altered, bytes[..bytes.len() - 1].to_vec(), Vec::new()] {
            std::fs::write(folder.path().join(path), bad).unwrap();
            let there = all(folder.path());
            let error = open(&record, &files).err().unwrap();
            assert!(matches!(&error, LogError::Altered { path: altered } if altered == path), "{error}");
            assert_eq!(all(folder.path()), there, "nothing is written");
        }
        std::fs::remove_file(folder.path().join(path)).unwrap();
        open(&record, &files).unwrap();
        assert_eq!(all(folder.path()), good);
    }
    // While the log is open: what it would build on is not written over, either.
    std::fs::write(folder.path().join("tile/0/001.p/45"), "somebody's").unwrap();
    let error = publish(&mut log, &record, publication(300..301)).unwrap_err();
    assert!(matches!(&error, LogError::Altered { path } if path == "tile/0/001.p/45"), "{error}");
    std::fs::remove_file(folder.path().join("tile/0/001.p/45")).unwrap();
    block_on(log.catch_up(&record)).unwrap();
    expect_whole(&log, &files, None);
    std::fs::remove_file(folder.path().join("tile/0/000")).unwrap();
    let error = block_on(log.prove(0, vec![])).unwrap_err().to_string();
    assert!(error.starts_with("`tile/0/000` of the public log is missing"), "{error}");
}

fn refused(record: &Record, folder: &Path, bytes: impl AsRef<[u8]>) -> LogError {
    std::fs::write(folder.join("checkpoint"), bytes).unwrap();
    let there = all(folder);
    let error = open(record, &Files::local(folder)).err().unwrap();
    assert_eq!(all(folder), there, "nothing is written: {error}");
    error
}

#[test]
fn a_checkpoint_that_is_not_of_this_log_is_refused_and_an_older_one_is_completed() {
    let folder = tempfile::tempdir().unwrap();
    let (files, place) = (Files::local(folder.path()), Place::sqlite());
    let record = place.open();
    let mut log = open(&record, &files).unwrap();
    publish(&mut log, &record, publication(0..10)).unwrap();
    let older = std::fs::read(folder.path().join("checkpoint")).unwrap();
    publish(&mut log, &record, publication(10..300)).unwrap();
    let good = all(folder.path());
    // Somebody rolls it back to what we signed ourselves: the record knows better.
    std::fs::write(folder.path().join("checkpoint"), older).unwrap();
    open(&record, &files).unwrap();
    assert_eq!(all(folder.path()), good);
    let tree = log.tree();
    let note = |origin: &str, tree: Tree, signer: &Signer| {
        Checkpoint::new(origin, tree, &[]).unwrap().sign(signer).unwrap().to_string()
    };
    let other_key = Signer::new(ORIGIN, &[2; 32]).unwrap();
    let other_name = Signer::new("other.example/log", &[1; 32]).unwrap();
    for (bytes, says) in [
        (note(ORIGIN, tree, &other_key), "none of the known keys signed"),
        (note("other.example/log", tree, &other_name), "none of the known keys signed"),
        (note("other.example/log", tree, &signer()), "is of the log other.example/log, not of tribune.example/log"),
        ("<html>".to_owned(), "the public log there is not this one"),
        (String::new(), "the public log there is not this one"),
    ] {
        let error = refused(&record, folder.path(), bytes);
        assert!(matches!(error, LogError::Checkpoint(_)) && error.to_string().contains(says), "{error}");
    }
    let fork = |size| note(ORIGIN, Tree { size, root: Hash::leaf(b"another view") }, &signer());
    for size in [0, 1, 10, 256, 300] {
        let error = refused(&record, folder.path(), fork(size));
        assert!(matches!(error, LogError::Rewritten { size: there } if there == size), "{error}");
    }
    let error = refused(&record, folder.path(), fork(301));
    assert!(matches!(error, LogError::Ahead { files: 301, record: 300 }), "{error}");
    restore(folder.path(), &good);
    open(&record, &files).unwrap();
}

fn a_log_that_is_ahead_of_its_record_is_refused(place: &Place) {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::local(folder.path());
    let record = place.open();
    let mut log = open(&record, &files).unwrap();
    publish(&mut log, &record, publication(0..3)).unwrap();
    publish(&mut log, &record, publication(3..260)).unwrap();
    block_on(record.close());
    let there = all(folder.path());
    // The record is restored as it was one publication earlier.
    place.tamper("DELETE FROM events WHERE position = 1");
    let record = place.open();
    let error = open(&record, &files).err().unwrap();
    assert!(matches!(error, LogError::Ahead { files: 260, record: 3 }), "{error}");
    assert!(error.to_string().contains("restored from an older backup"), "{error}");
    // Somebody goes on from there all the same, elsewhere: then it says other things than the world has seen.
    let mut fork = open(&record, &memory()).unwrap();
    publish(&mut fork, &record, publication(300..900)).unwrap();
    let error = open(&record, &files).err().unwrap();
    assert!(matches!(error, LogError::Rewritten { size: 260 }), "{error}");
    assert_eq!(all(folder.path()), there, "nothing was written");
}

#[test]
fn an_entry_that_no_log_can_hold_and_a_mark_that_goes_back_are_refused() {
    let (files, place) = (memory(), Place::sqlite());
    let record = place.open();
    let mut log = open(&record, &files).unwrap();
    publish(&mut log, &record, publication(0..5)).unwrap();
    let long = |bytes: usize| Publication { entries: vec!["{}".into(), "x".repeat(bytes)], seen: 10, batched: 5 };
    let error = publish(&mut log, &record, long(65_536)).unwrap_err();
    assert!(matches!(error, LogError::Entry { nth: 1, bytes: 65_536 }), "{error}");
    for (seen, batched, says) in [(9, 5, "`seen` is 10"), (10, 4, "`batched` is 5")] {
        let error = publish(&mut log, &record, Publication { entries: vec![], seen, batched }).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
    assert_eq!(block_on(record.from(0, 10)).unwrap().len(), 1, "nothing was written");
    publish(&mut log, &record, long(65_535)).unwrap();
    assert_eq!(log.find("x".repeat(65_535).as_bytes()), Some(6));
    assert_eq!(verified_by_others(&vkey(), &|path| read(&files, path)).len(), 7);
}

#[test]
fn what_one_event_cannot_hold_is_published_in_several_at_once() {
    let (files, place) = (memory(), Place::sqlite());
    let record = place.open();
    let mut log = open(&record, &files).unwrap();
    // Every byte is written as six in the record.
    let entries: Vec<String> = (0..9).map(|number| format!("{number}{}", "\u{1}".repeat(65_000))).collect();
    publish(&mut log, &record, Publication { entries: entries.clone(), seen: 7, batched: 7 }).unwrap();
    let events = block_on(record.stream(PUBLIC_LOG, 0)).unwrap();
    assert_eq!(events.len(), 5);
    assert_eq!((log.tree().size, log.seen()), (9, 7));
    let mut again = open(&record, &files).unwrap();
    assert_eq!(again.tree(), log.tree());
    publish(&mut again, &record, Publication { entries: vec![], seen: 8, batched: 7 }).unwrap();
    let there = verified_by_others(&vkey(), &|path| read(&files, path));
    assert!(there.iter().zip(&entries).all(|(bytes, entry)| bytes == entry.as_bytes()) && there.len() == 9);
}

fn is_stale(error: &LogError) -> bool {
    matches!(error, LogError::Record(RecordError::Refused(Refused::Stale { .. })))
}

fn of_two_that_publish_one_is_stale_and_goes_on(place: &Place) {
    let folder = tempfile::tempdir().unwrap();
    // The second time the log is in another place, too.
    for files in [Files::local(folder.path().join("log")), memory()] {
        let record = place.open();
        let from = open(&record, &files).unwrap().tree().size;
        let stale = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let (files, stale) = (&files, &stale);
            for nth in 0..2 {
                scope.spawn(move || publish_by_turns(&place.open(), files, from + 30, nth, stale));
            }
        });
        let log = open(&record, &files).unwrap();
        assert_eq!(log.tree().size, from + 30);
        assert!(stale.into_inner() > 0, "both were there at once");
        expect_whole(&log, &files, None);
    }
}

/// Publishes the next entry until there are so many, beside another that does the same.
fn publish_by_turns(record: &Record, files: &Files, until: u64, nth: u64, stale: &AtomicUsize) {
    let mut log = open(record, files).unwrap();
    while log.tree().size < until {
        let next = log.tree().size;
        // The same by both would be one publication, and no conflict.
        let asked = Publication { seen: next * 2 + nth, ..publication(next..next + 1) };
        match block_on(log.publish(record, AT, asked, &mut chance(next))) {
            Ok(_) => {}
            Err(error) if is_stale(&error) => {
                stale.fetch_add(1, Ordering::SeqCst);
                block_on(log.catch_up(record)).unwrap();
            }
            Err(error) => panic!("{error}"),
        }
    }
}

fn witness() -> Cosigner {
    Cosigner::new("w.example", &[3; 32]).unwrap()
}

/// What a witness answers about the log as it is now, which remembers an older tree.
fn answer(log: &PublicLog, latest: Tree, time: u64) -> String {
    let proof = block_on(log.consistency(latest.size)).unwrap();
    let request = AddCheckpoint::new(latest.size, proof, log.checkpoint().clone()).unwrap();
    let policy = Policy::new(ORIGIN, vec![signer().verifier().clone()], vec![], 0).unwrap();
    request.decide(Some(&Watched { policy, latest }), &witness(), time).unwrap().to_string()
}

fn a_slow_process_never_shows_an_older_checkpoint(place: &Place) {
    let record = place.open();
    let (store, files) = failing(false);
    let mut slow = open(&record, &files).unwrap();
    // It falls asleep after its event was written, before its files are.
    store.left.store(0, Ordering::SeqCst);
    assert!(matches!(publish(&mut slow, &record, publication(0..5)), Err(LogError::File { .. })));
    store.left.store(usize::MAX, Ordering::SeqCst);
    let mut quick = open(&record, &files).unwrap();
    assert_eq!(quick.tree().size, 5, "what the other left out is completed");
    assert_eq!(block_on(slow.catch_up(&record)).unwrap(), quick.tree());
    publish(&mut quick, &record, publication(5..300)).unwrap();
    let error = publish(&mut slow, &record, publication(5..7)).unwrap_err();
    assert!(is_stale(&error), "{error}");
    // It proves what it knows from what is there now, though the partial files that it knew are gone.
    assert_eq!(read(&files, "tile/0/000.p/5"), None);
    let policy = Policy::new(ORIGIN, vec![signer().verifier().clone()], vec![], 0).unwrap();
    let proof = block_on(slow.prove(4, vec![])).unwrap();
    proof.verify(Hash::leaf(entry(4).as_bytes()), &policy).unwrap();
    // It shows what it has: a checkpoint of five, where three hundred are shown already.
    let said = answer(&slow, Tree::EMPTY, 1_772_323_200);
    block_on(slow.cosign(said.as_bytes(), witness().verifier())).unwrap();
    assert_eq!((slow.tree().size, slow.checkpoint().signatures().len()), (5, 2));
    assert_eq!(seen_from_outside(&files, None).unwrap(), quick.tree());
    assert_eq!(block_on(slow.catch_up(&record)).unwrap(), quick.tree());
    publish(&mut slow, &record, publication(300..301)).unwrap();
    expect_whole(&slow, &files, Some(quick.tree()));
}

#[test]
fn cosignatures_are_shown_and_stay_until_the_log_grows() {
    let folder = tempfile::tempdir().unwrap();
    for files in [Files::local(folder.path()), memory()] {
        let place = Place::sqlite();
        let record = place.open();
        let mut log = open(&record, &files).unwrap();
        publish(&mut log, &record, publication(0..300)).unwrap();
        let (first, key) = (log.tree(), witness().verifier().clone());
        let policy = Policy::new(ORIGIN, vec![log.key().clone()], vec![key.clone()], 1).unwrap();
        let cosigned = |files: &Files| policy.believe(&tlog::Note::parse(&read(files, "checkpoint").unwrap()).unwrap());
        assert!(cosigned(&files).is_err());
        let old = answer(&log, Tree::EMPTY, 100);
        block_on(log.cosign(old.as_bytes(), &key)).unwrap();
        assert_eq!(cosigned(&files).unwrap().cosigned, [("w.example".to_owned(), 100)]);
        block_on(log.cosign(answer(&log, first, 200).as_bytes(), &key)).unwrap();
        assert_eq!(cosigned(&files).unwrap().cosigned, [("w.example".to_owned(), 200)]);
        // Neither opening it nor a publication of nothing takes them away; proofs carry them.
        let mut log = open(&record, &files).unwrap();
        publish(&mut log, &record, Publication { seen: 900, ..publication(300..300) }).unwrap();
        assert_eq!(cosigned(&files).unwrap().cosigned, [("w.example".to_owned(), 200)]);
        let proof = block_on(log.prove(7, vec![])).unwrap();
        proof.verify(Hash::leaf(entry(7).as_bytes()), &policy).unwrap();
        publish(&mut log, &record, Publication { seen: 900, ..publication(300..301) }).unwrap();
        assert!(cosigned(&files).is_err());
        let shown = read(&files, "checkpoint");
        for bad in [old.as_str(), "", "no signature\n", &answer(&log, first, 300).replacen("w.example", "x.example", 1)]
        {
            assert!(block_on(log.cosign(bad.as_bytes(), &key)).is_err(), "{bad}");
        }
        assert_eq!(read(&files, "checkpoint"), shown);
        block_on(log.cosign(answer(&log, first, 300).as_bytes(), &key)).unwrap();
        expect_whole(&log, &files, Some(first));
        assert_eq!(cosigned(&files).unwrap().cosigned, [("w.example".to_owned(), 300)]);
    }
}

fn what_was_published_is_in_the_record_for_good(place: &Place) {
    let (files, record) = (memory(), place.open());
    let mut log = open(&record, &files).unwrap();
    publish(&mut log, &record, publication(0..5)).unwrap();
    let error = block_on(record.append(&append(PUBLIC_LOG, 1, &["{}"]), &mut chance(1))).unwrap_err();
    assert!(matches!(error, RecordError::Refused(Refused::Form { .. })), "{error}");
    let error = block_on(record.erase(&erasure(&["ann", "ben"], &[0]), &mut chance(1))).unwrap_err().to_string();
    assert!(error.contains("a publication, which must stay"), "{error}");
    place.tamper("UPDATE events SET stream = 'public-log', number = 2 WHERE position = 1");
    block_on(record.append(&append("case", 0, &["{}"]), &mut chance(1))).unwrap();
    place.tamper("UPDATE events SET stream = 'public-log', number = 2 WHERE position = 1");
    let error = open(&record, &files).err().unwrap().to_string();
    assert!(error.starts_with("event 2 of `public-log` is no publication"), "{error}");
    place.tamper("UPDATE events SET number = 3 WHERE position = 1");
    let error = open(&record, &files).err().unwrap().to_string();
    assert!(error.contains("event 3 stands there"), "{error}");
}

/// Says to the child where the record and the log are, and which of its kind it is.
const CHILD: &str = "TRIBUNE_LOG_CHILD";
/// How often a log is killed; more in the nightly run.
const KILLS: &str = "TRIBUNE_STORE_KILLS";

/// Not a test: what the tests below start, by its name, and kill.
#[test]
fn child_that_publishes_until_it_is_killed() {
    let Ok(told) = std::env::var(CHILD) else { return };
    let mut told = told.split(' ');
    let (run, folder) = (told.next().unwrap().parse().unwrap(), Path::new(told.next().unwrap()));
    let record = block_on(Record::open(&format!("sqlite:{}", folder.join("record.db").display()))).unwrap();
    let mut log = open(&record, &Files::local(folder.join("log"))).unwrap();
    let mut random = chance(run);
    loop {
        let from = log.tree().size;
        publish(&mut log, &record, publication(from..from + below(90, &mut random))).unwrap();
        println!("published {} .", log.tree().size);
    }
}

fn child(mut command: Command, run: u64, folder: &Path) -> std::process::Child {
    command.args(["--exact", "log::child_that_publishes_until_it_is_killed", "--nocapture", "--test-threads=1"]);
    command.env(CHILD, format!("{run} {}", folder.display()));
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn nothing_published_is_lost_and_no_file_is_ever_half_however_it_is_killed() {
    let kills = std::env::var(KILLS).ok().map_or(25, |text| text.parse().unwrap());
    let place = tempfile::tempdir().unwrap();
    let files = Files::local(place.path().join("log"));
    let mut random = chance(1);
    let mut remembered = Tree::EMPTY;
    for run in 1..=kills {
        let mut child = child(Command::new(std::env::current_exe().unwrap()), run, place.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let first = lines.find(|line| line.contains("published ")).unwrap();
        std::thread::sleep(Duration::from_micros(below(60_000, &mut random)));
        child.kill().unwrap();
        let last = lines.filter(|line| line.ends_with(" .")).last().unwrap_or(first);
        child.wait().unwrap();
        let said: u64 = last.rsplit(' ').nth(1).unwrap().parse().unwrap();
        // As it lies there, before anybody mends it, and afterwards.
        let there = seen_from_outside(&files, Some(remembered)).unwrap();
        assert!(there.size >= said, "{} where {said} were published", there.size);
        let record = block_on(Record::open(&format!("sqlite:{}", place.path().join("record.db").display()))).unwrap();
        let log = open(&record, &files).unwrap();
        remembered = seen_from_outside(&files, Some(there)).unwrap();
        assert_eq!(log.tree(), remembered);
        block_on(record.close());
    }
    println!("{kills} kills, {} entries published", remembered.size);
    assert!(all(&place.path().join("log")).keys().all(|path| path == "checkpoint" || Tile::parse(path).is_ok()));
    assert_eq!(verified_by_others(&vkey(), &|path| read(&files, path)).len() as u64, remembered.size);
}

/// A kill never loses what the kernel holds; only the calls show that a power cut would not either.
#[test]
fn every_file_is_synced_before_it_is_moved_and_its_folder_before_the_checkpoint() {
    let program = std::env::var_os("TRIBUNE_STRACE").unwrap_or_else(|| "strace".into());
    let place = tempfile::tempdir().unwrap();
    let calls = tempfile::NamedTempFile::new().unwrap();
    let watches = Command::new(&program).args(["-qq", "-e", "trace=none", "true"]).output();
    if !watches.is_ok_and(|output| output.status.success()) {
        println!("skipped: `strace` is not here, or may not watch processes");
        return;
    }
    let mut strace = Command::new(program);
    strace.args(["-f", "-y", "-s", "300", "-e", "trace=write,fsync,/^rename", "-o"]).arg(calls.path());
    strace.arg(std::env::current_exe().unwrap());
    let mut child = child(strace, 1, place.path());
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.filter(|line| line.contains("published ")).take(8).count(), 8);
    child.kill().unwrap();
    child.wait().unwrap();
    let log = place.path().join("log").display().to_string();
    let (mut unsynced, mut folders, mut waiting, mut moved) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), 0);
    let calls = std::fs::read_to_string(calls.path()).unwrap();
    for call in calls.lines() {
        let thread = call.split(' ').next().unwrap();
        let path = |from: usize| call[from..].split(['"', '<', '>']).next().unwrap().to_owned();
        let (first, last) = (call.find(&log).map(path), call.rfind(&log).map(path));
        if let (true, Some(path)) = (call.contains(" write("), &first) {
            unsynced.insert(path.clone(), call);
        } else if call.contains("fsync") {
            // Another thread's call may stand between the beginning of this one and its end.
            match first {
                Some(path) if call.contains("unfinished") => drop(waiting.insert(thread, path)),
                begun => {
                    if let Some(path) = begun.or_else(|| waiting.remove(thread)).filter(|_| call.ends_with("= 0")) {
                        unsynced.remove(&path);
                        folders.remove(&path);
                    }
                }
            }
        } else if let (true, Some(from), Some(to)) = (call.contains(" rename"), &first, &last) {
            assert_eq!(unsynced.get(from), None, "it was moved before it was synced: {call}");
            assert!(!to.ends_with("/checkpoint") || folders.is_empty(), "{call} before {folders:?}");
            folders.insert(to.rsplit_once('/').unwrap().0.to_owned(), call);
            moved += 1;
        }
    }
    assert!(moved > 20, "{moved}");
}
