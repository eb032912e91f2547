//! The public log: what the world can check of the record, as files made from the record and from nothing else.
//!
//! Whatever is published is first an event of the stream `public-log`; tiles and bundles follow, then the checkpoint.
//! So a crash anywhere is completed by whoever opens the log next, and no file ever says what the record does not hold.
//! Which entries are published, and when, is the caller's; what an entry says is not looked at, and nobody is asked for
//! a cosignature here.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use review::words::Moment;
use serde::{Deserialize, Serialize};
use tlog::{
    Appender, Checkpoint, CheckpointError, ENTRY_BYTES_MAX, Hash, Note, NoteError, Policy, PolicyError, Proof, Signer,
    Tile, TileError, Tiles, Tree, Verifier,
};

use crate::database::RecordError;
use crate::files::Files;
use crate::record::{Append, EVENT_BYTES_MAX, New, Random, Record, stream_page};

/// The stream of what was published, which only [`PublicLog::publish`] appends to.
pub const PUBLIC_LOG: &str = "public-log";

const CHECKPOINT: &str = "checkpoint";

/// Events read at a time, of up to a mebibyte each.
const PAGE: u32 = 16;

/// What is left of an event for entries, beside the names of fields and two numbers.
const ROOM: usize = EVENT_BYTES_MAX - 256;

/// Why the public log is not opened or not written to.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The record refused or failed. [`Refused::Stale`](crate::Refused::Stale) means that another process published
    /// meanwhile: [catch up](PublicLog::catch_up), and decide again.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A file cannot be read or written. What the record holds stays; the log is completed the next time.
    #[error("`{path}` of the public log cannot be {what}: {source}")]
    File {
        /// Below the log's address.
        path: String,
        /// What was tried.
        what: &'static str,
        /// How it failed.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Others write the same file again and again.
    #[error("`{path}` of the public log is written by others at the same time: try again, or let one process publish")]
    Busy {
        /// Below the log's address.
        path: String,
    },
    /// A file that never changes has other bytes than the record makes.
    #[error("`{path}` of the public log was altered or cut: keep it as evidence elsewhere, and the log writes it anew")]
    Altered {
        /// Below the log's address.
        path: String,
    },
    /// A file that must be there is not.
    #[error("`{path}` of the public log is missing: open the log again, which writes it anew")]
    Missing {
        /// Below the log's address.
        path: String,
    },
    /// The checkpoint is of another key or log, or no checkpoint.
    #[error("the public log there is not this one: {0}; look at its place, its key and its name")]
    Checkpoint(#[from] PolicyError),
    /// The files say more than the record.
    #[error(
        "the public log has {files} entries and the record {record}: the record was restored from an older backup; restore a newer one, and publish nothing until then"
    )]
    Ahead {
        /// Entries by the checkpoint.
        files: u64,
        /// Entries by the record.
        record: u64,
    },
    /// The files say something else than the record.
    #[error(
        "the first {size} entries of the public log are not those of the record: one of the two is of another time or log; publish nothing until it is known which"
    )]
    Rewritten {
        /// Entries by the checkpoint.
        size: u64,
    },
    /// An entry that no log can hold.
    #[error(
        "entry {nth} of the publication has {bytes} bytes, a log takes at most {ENTRY_BYTES_MAX}: publish its digest"
    )]
    Entry {
        /// In the publication, from 0.
        nth: usize,
        /// How many it has.
        bytes: usize,
    },
    /// A mark that would go back.
    #[error("`{mark}` is {there} and cannot go back to {asked}: what was looked at stays looked at")]
    Back {
        /// Which.
        mark: &'static str,
        /// What it is.
        there: u64,
        /// What was asked.
        asked: u64,
    },
    /// An event of the stream that is no publication.
    #[error("event {number} of `public-log` is no publication ({reason}): restore the last backup that verifies")]
    Publication {
        /// In the stream, from 1.
        number: u64,
        /// What it is.
        reason: String,
    },
    /// The files do not give a proof.
    #[error("the public log cannot prove this: {0}")]
    Proof(#[source] Box<dyn Error + Send + Sync>),
    /// The log's name, or its size, cannot stand in a checkpoint.
    #[error(transparent)]
    Name(#[from] CheckpointError),
    /// The checkpoint cannot be signed so, or the cosignature is none.
    #[error(transparent)]
    Note(#[from] NoteError),
}

pub(crate) type Result<T> = std::result::Result<T, LogError>;

/// What was published at one time: the body of an event of the stream `public-log`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// The bytes of each entry, which are text, in order.
    pub entries: Vec<String>,
    /// Every event of the record before this position was looked at for what is public at once.
    pub seen: u64,
    /// The commitment of every event of the record before this position is in a batch that was published.
    pub batched: u64,
}

/// The public log, open.
pub struct PublicLog {
    files: Files,
    signer: Signer,
    /// Believes nobody but us.
    policy: Policy,
    state: State,
    /// Where each entry is that was ever published, by its leaf.
    places: BTreeMap<Hash, u64>,
    checkpoint: Note,
}

/// A fold over publications.
#[derive(Clone, Default)]
struct State {
    log: Appender,
    entries: u64,
    publications: u64,
    seen: u64,
    batched: u64,
}

impl State {
    /// Adds an entry; gives the files that it fills.
    fn add(&mut self, entry: &str) -> Result<Vec<(Tile, Vec<u8>)>> {
        let number = self.publications + 1;
        let files = self.log.push(entry.as_bytes());
        self.entries += 1;
        files.map_err(|error| LogError::Publication { number, reason: error.to_string() })
    }

    /// After its entries were added.
    fn end(&mut self, publication: &Publication) {
        self.publications += 1;
        (self.seen, self.batched) = (publication.seen, publication.batched);
    }
}

impl PublicLog {
    /// Opens the log whose name and key are the signer's, and begins it where there is none. Reads all that was ever
    /// published, holds every file against it, and writes what a crash left out or somebody lost.
    ///
    /// # Errors
    ///
    /// A checkpoint of another key or name, one with more entries than the record or with others, and a file that was
    /// altered or cut are refused; nothing is written then.
    pub async fn open(record: &Record, files: Files, signer: Signer) -> Result<Self> {
        let key = signer.verifier().clone();
        let policy = Policy::new(key.name(), vec![key.clone()], Vec::new(), 0)?;
        let held = hold(record, &files, &policy).await?;
        let checkpoint = signed(&signer, Tree::EMPTY)?;
        let (state, places) = (State::default(), BTreeMap::new());
        let mut log = Self { files, signer, policy, state, places, checkpoint };
        log.advance(record, |tile| held.lacks(tile)).await?;
        Ok(log)
    }

    /// Publishes: first in the record, then as files. Whoever publishes the same again after a failure changes nothing
    /// but completes it.
    ///
    /// # Errors
    ///
    /// An entry that is too long, and marks that go back, are refused, nothing is written then. So it is where another
    /// process published meanwhile, by [`Refused::Stale`](crate::Refused::Stale). A file that cannot be written is
    /// [`LogError::File`]: it is published then, and the files follow with the next [`Self::catch_up`] or opening.
    pub async fn publish(
        &mut self,
        record: &Record,
        at: Moment,
        publication: Publication,
        random: Random<'_>,
    ) -> Result<Tree> {
        self.refuse_if_malformed(&publication)?;
        let events = events(at, publication)?;
        let append = Append { stream: PUBLIC_LOG.to_owned(), expected: self.state.publications, events };
        record.append_own(&append, random).await?;
        self.catch_up(record).await
    }

    /// Takes in what other processes published since, and writes what they have not.
    ///
    /// # Errors
    ///
    /// As [`Self::publish`].
    pub async fn catch_up(&mut self, record: &Record) -> Result<Tree> {
        self.advance(record, |_| true).await?;
        Ok(self.tree())
    }

    /// Adds the cosignatures in a witness's answer to the checkpoint. They must be over the checkpoint as it is now.
    ///
    /// # Errors
    ///
    /// An answer that holds none of this witness's, or a forged one, leaves the checkpoint as it is.
    pub async fn cosign(&mut self, answer: &[u8], witness: &Verifier) -> Result<()> {
        let mut note = self.checkpoint.clone();
        for signature in note.cosignatures(answer, &[witness])? {
            note.add(signature)?;
        }
        self.checkpoint = self.show(note).await?;
        Ok(())
    }

    /// The tree over everything published.
    pub fn tree(&self) -> Tree {
        self.state.log.tree()
    }

    /// The checkpoint, signed, with the cosignatures that were gathered.
    pub fn checkpoint(&self) -> &Note {
        &self.checkpoint
    }

    /// The key that the world verifies with.
    pub fn key(&self) -> &Verifier {
        self.signer.verifier()
    }

    /// Every event of the record before this position was looked at for what is public at once.
    pub fn seen(&self) -> u64 {
        self.state.seen
    }

    /// The commitment of every event of the record before this position is in a batch that was published.
    pub fn batched(&self) -> u64 {
        self.state.batched
    }

    /// The index of the first entry with exactly these bytes, if there is one.
    pub fn find(&self, entry: &[u8]) -> Option<u64> {
        self.places.get(&Hash::leaf(entry)).copied()
    }

    /// A proof to keep that the entry at an index is in the log, under the checkpoint as it is now.
    ///
    /// # Errors
    ///
    /// An index beyond the log, or files that were altered or lost since it was opened.
    pub async fn prove(&self, index: u64, extra: Vec<u8>) -> Result<Proof> {
        let hashes = self.ask(|tiles| tiles.inclusion(index)).await?;
        Ok(Proof { extra, index, hashes, checkpoint: self.checkpoint.clone() })
    }

    /// A proof that the log continues the one of `older` entries, as witnesses ask for.
    ///
    /// # Errors
    ///
    /// As [`Self::prove`].
    pub async fn consistency(&self, older: u64) -> Result<Vec<Hash>> {
        self.ask(|tiles| tiles.consistency(older)).await
    }

    fn refuse_if_malformed(&self, publication: &Publication) -> Result<()> {
        let lengths = publication.entries.iter().map(String::len);
        if let Some((nth, bytes)) = lengths.enumerate().find(|(_, bytes)| *bytes > ENTRY_BYTES_MAX) {
            return Err(LogError::Entry { nth, bytes });
        }
        let marks = [("seen", self.state.seen, publication.seen), ("batched", self.state.batched, publication.batched)];
        match marks.into_iter().find(|(_, there, asked)| asked < there) {
            Some((mark, there, asked)) => Err(LogError::Back { mark, there, asked }),
            None => Ok(()),
        }
    }

    /// Goes on from where the fold is: writes the files that are wanted of those that follow, then the checkpoint. It is
    /// further only when everything is written. Then the partial files of tiles that filled up are taken away, as C2SP
    /// allows.
    async fn advance(&mut self, record: &Record, wanted: impl Fn(Tile) -> bool) -> Result<()> {
        let (mut state, mut places, mut full) = (self.state.clone(), Vec::new(), Vec::new());
        loop {
            let page = publications(record, state.publications).await?;
            if page.is_empty() {
                break;
            }
            for publication in page {
                for entry in &publication.entries {
                    places.push((Hash::leaf(entry.as_bytes()), state.entries));
                    let filled = state.add(entry)?;
                    full.extend(filled.iter().map(|(tile, _)| *tile));
                    self.write(filled, &wanted).await?;
                }
                state.end(&publication);
            }
        }
        self.write(state.log.partial(self.state.entries), &wanted).await?;
        self.checkpoint = self.show(signed(&self.signer, state.log.tree())?).await?;
        self.state = state;
        for (leaf, index) in places {
            self.places.entry(leaf).or_insert(index);
        }
        // Everything is published; what cannot be taken away now is taken away at an opening.
        for tile in full {
            drop(self.files.remove(&format!("{tile}.p")).await);
        }
        Ok(())
    }

    async fn write(&self, files: Vec<(Tile, Vec<u8>)>, wanted: &impl Fn(Tile) -> bool) -> Result<()> {
        for (tile, bytes) in files {
            if wanted(tile) {
                self.files.write_once(&tile.to_string(), bytes).await?;
            }
        }
        Ok(())
    }

    /// Puts a checkpoint of ours where the world looks, unless a later one is there: another process may have gone on.
    /// Cosignatures that are there already stay. Gives ours with them.
    async fn show(&self, ours: Note) -> Result<Note> {
        let (policy, note) = (self.policy.clone(), ours.clone());
        let shown = self.files.change(CHECKPOINT, move |there| match there {
            Some(there) => joined(&policy, &note, there),
            None => Ok(note.to_string().into_bytes()),
        });
        let shown = Note::parse(&shown.await?)?;
        Ok(if shown.text() == ours.text() { shown } else { ours })
    }

    /// Asks the files for a proof. What they say is checked against the tree; a tile that is needed is read, and the
    /// question asked again.
    async fn ask<T>(&self, question: impl Fn(&mut Tiles<Reader<'_>>) -> Asked<T>) -> Result<T> {
        let mut read: BTreeMap<Tile, Vec<u8>> = BTreeMap::new();
        loop {
            let reader: Reader<'_> = Box::new(|tile| read.get(&tile).cloned().ok_or(NotReadYet));
            let answer = Tiles::open(self.tree(), reader).and_then(|mut tiles| question(&mut tiles));
            match answer {
                Ok(answer) => return Ok(answer),
                Err(TileError::Read { tile, .. }) => {
                    let path = tile.to_string();
                    let bytes = match self.files.read(&path).await? {
                        Some(bytes) => Some(bytes),
                        // Another process may have gone on, and it has filled up since.
                        None => self.files.read(&tile.full().to_string()).await?,
                    };
                    read.insert(tile, bytes.ok_or(LogError::Missing { path })?);
                }
                Err(error) => return Err(LogError::Proof(error.into())),
            }
        }
    }
}

/// A tile that was not read yet.
#[derive(Debug, thiserror::Error)]
#[error("it was not read yet")]
struct NotReadYet;

type Asked<T> = std::result::Result<T, TileError<NotReadYet>>;

/// Reads tiles from those that were read before.
type Reader<'r> = Box<dyn FnMut(Tile) -> std::result::Result<Vec<u8>, NotReadYet> + Send + 'r>;

/// What the files were found to be beside the record.
struct Held {
    /// How many entries the record had.
    entries: u64,
    /// The files of a log of so many that are not there.
    missing: BTreeSet<Tile>,
}

impl Held {
    /// Whether a file is not known to be there: it was missing, or is of a log that has grown since.
    fn lacks(&self, tile: Tile) -> bool {
        self.missing.contains(&tile) || Tile::in_log(tile.row(), tile.index(), self.entries) != Some(tile)
    }
}

/// Holds the files against the record, and writes nothing. What is said of the whole log comes before what is said of
/// one file.
async fn hold(record: &Record, files: &Files, policy: &Policy) -> Result<Held> {
    let there = files.read(CHECKPOINT).await?;
    let signed = there.map_or(Ok(Tree::EMPTY), |bytes| believed(policy, &bytes).map(|(_, tree)| tree))?;
    let rewritten = Err(LogError::Rewritten { size: signed.size });
    let (mut state, mut missing, mut altered) = (State::default(), BTreeSet::new(), None);
    if signed.size == 0 && signed != Tree::EMPTY {
        return rewritten;
    }
    loop {
        let page = publications(record, state.publications).await?;
        if page.is_empty() {
            break;
        }
        for publication in page {
            for entry in &publication.entries {
                let mut made = state.add(entry)?;
                if state.entries == signed.size {
                    if state.log.tree() != signed {
                        return rewritten;
                    }
                    made.extend(state.log.partial(0));
                }
                look(files, made, &mut missing, &mut altered).await?;
            }
            state.end(&publication);
        }
    }
    if state.entries < signed.size {
        return Err(LogError::Ahead { files: signed.size, record: state.entries });
    }
    look(files, state.log.partial(0), &mut missing, &mut altered).await?;
    match altered {
        Some(tile) => Err(LogError::Altered { path: tile.to_string() }),
        None => Ok(Held { entries: state.entries, missing }),
    }
}

/// Looks which of these files are missing, and which was the first that is not as the record makes it.
async fn look(
    files: &Files,
    made: Vec<(Tile, Vec<u8>)>,
    missing: &mut BTreeSet<Tile>,
    altered: &mut Option<Tile>,
) -> Result<()> {
    for (tile, bytes) in made {
        match files.read(&tile.to_string()).await? {
            None => drop(missing.insert(tile)),
            Some(there) if there == bytes => {}
            Some(_) => *altered = altered.or(Some(tile)),
        }
    }
    Ok(())
}

/// The next publications after so many.
async fn publications(record: &Record, after: u64) -> Result<Vec<Publication>> {
    let events =
        stream_page(&mut *record.database.pool.acquire().await.map_err(RecordError::from)?, PUBLIC_LOG, after, PAGE)
            .await?;
    let publication = |(number, event): (u64, &crate::Event)| {
        let wrong = |reason: String| LogError::Publication { number, reason };
        if event.number != number {
            return Err(wrong(format!("event {} stands there", event.number)));
        }
        let content = event.content.as_ref().ok_or_else(|| wrong("it was erased".into()))?;
        serde_json::from_slice(&content.body).map_err(|error| wrong(error.to_string()))
    };
    (after + 1..).zip(&events).map(publication).collect()
}

/// A publication as events, as few as can hold its entries.
fn events(at: Moment, publication: Publication) -> Result<Vec<New>> {
    let Publication { entries, seen, batched } = publication;
    let json = |error: serde_json::Error| LogError::Record(RecordError::Form(error.to_string()));
    let (mut parts, mut part, mut length) = (Vec::new(), Vec::new(), 0);
    for entry in entries {
        let bytes = serde_json::to_string(&entry).map_err(json)?.len() + 1;
        if length + bytes > ROOM && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
            length = 0;
        }
        part.push(entry);
        length += bytes;
    }
    parts.push(part);
    let event = |entries| {
        let body = serde_json::to_vec(&Publication { entries, seen, batched }).map_err(json)?;
        Ok(New { at, body })
    };
    parts.into_iter().map(event).collect()
}

fn signed(signer: &Signer, tree: Tree) -> Result<Note> {
    Ok(Checkpoint::new(signer.verifier().name(), tree, &[])?.sign(signer)?)
}

/// A checkpoint of our own, as bytes.
fn believed(policy: &Policy, bytes: &[u8]) -> Result<(Note, Tree)> {
    let note = Note::parse(bytes).map_err(PolicyError::Note)?;
    let tree = policy.believe(&note)?.checkpoint.tree();
    Ok((note, tree))
}

/// What the world is to see, of a checkpoint of ours and of the one that is there.
fn joined(policy: &Policy, ours: &Note, there: &[u8]) -> Result<Vec<u8>> {
    let tree = ours.text().parse::<Checkpoint>()?.tree();
    let (mut note, shown) = believed(policy, there)?;
    if shown.size != tree.size {
        return Ok(if shown.size > tree.size { there.to_vec() } else { ours.to_string().into_bytes() });
    }
    if shown.root != tree.root {
        return Err(LogError::Rewritten { size: tree.size });
    }
    for signature in ours.signatures() {
        if !note.signatures().contains(signature) {
            note.add(signature.clone())?;
        }
    }
    Ok(note.to_string().into_bytes())
}
