//! `tribune log`: checks a public log from outside, trusting nobody but the keys that are named.
//!
//! To verify needs nothing of a Tribune that runs: the files of the log, its key, and what was seen of it before. It
//! writes nothing but that memory. Witnesses are [`crate::witness`]'s, asking them is [`crate::cosign`]'s.

use crate::common::{self, Failure, Format, Progress, note, output, put, thousands};
use crate::http::Web;
use crate::site::Site;
use crate::{cosign, witness};
use clap::Subcommand;
use clerk::proofs;
use review::public::Entry;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tlog::{ENTRY_BYTES_MAX, NOTE_BYTES_MAX, Policy, Proof, Report, Row, Tile, Tree, Verifier, verify_log};
use tokio::runtime::Runtime;

/// Check a public log, or witness one.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tribune log verify log/ --key tribune.example/log+8b1fc42e+AXZX…")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Read a whole log and say whether it is what its checkpoint signs
    Verify(Verify),
    /// Check a proof of an event that the console gave, offline
    Check {
        /// The proof
        #[arg(value_name = "FILE")]
        proof: PathBuf,
        /// The log's key, as it publishes it
        #[arg(long, value_name = "VKEY", required = true)]
        key: Verifier,
    },
    /// Cosign what logs show, if it continues what they showed before
    Witness(witness::Args),
    /// Ask witnesses to cosign a log's checkpoint
    Cosign(cosign::Args),
}

/// Read a whole log and say whether it is what its checkpoint signs.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Example:\n  tribune log verify https://tribune.example/log --key tribune.example/log+8b1fc42e+AXZX… --witness w.example+… --quorum 1 --remember seen.txt"
)]
struct Verify {
    /// The address of the log, or a folder that mirrors it: `checkpoint` and `tile/` lie below
    #[arg(value_name = "URL|DIR")]
    place: String,
    /// The log's key, as it publishes it
    #[arg(long, value_name = "VKEY", required = true)]
    key: Vec<Verifier>,
    /// A witness's key
    #[arg(long, value_name = "VKEY")]
    witness: Vec<Verifier>,
    /// How many of the witnesses must have cosigned [default: all that are named]
    #[arg(long, value_name = "N")]
    quorum: Option<usize>,
    /// What was seen of the log before; the log must continue it, and what is seen now takes its place
    #[arg(long, value_name = "FILE")]
    remember: Option<PathBuf>,
    /// A mirror of what is public beside the log: every statement, correction and year's numbers in it must be what the
    /// log says, and the numbers must add up with the log
    #[arg(long, value_name = "DIR")]
    site: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

/// What was verified.
#[derive(Serialize)]
struct Verified {
    schema: &'static str,
    origin: String,
    size: u64,
    root: String,
    /// The witnesses that cosigned.
    cosigned: Vec<String>,
    /// The size that was seen before, if any was remembered.
    continues: Option<u64>,
    files: u64,
    /// How many entries are of which kind.
    entries: BTreeMap<&'static str, u64>,
    /// How many public texts were held against the log, where any were.
    #[serde(skip_serializing_if = "Option::is_none")]
    texts: Option<usize>,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let verify = match &args.what {
        What::Verify(verify) => verify,
        What::Check { proof, key } => return check(proof, key),
        What::Witness(args) => return witness::run(args),
        What::Cosign(args) => return cosign::run(args),
    };
    let verified = verify.run()?;
    output(None, |out| match verify.format {
        Format::Json => common::json(out, &verified),
        Format::Table => table(&mut &mut *out, &verified),
    })?;
    Ok(ExitCode::SUCCESS)
}

impl Verify {
    fn run(&self) -> Result<Verified, Failure> {
        let refused = |error: &dyn std::fmt::Display| Failure::Refused(format!("{}: {error}", self.place));
        let origin = self.key.first().map(|key| key.name().to_owned()).unwrap_or_default();
        let quorum = self.quorum.unwrap_or(self.witness.len());
        let policy = Policy::new(&origin, self.key.clone(), self.witness.clone(), quorum);
        let policy = policy.map_err(|error| Failure::Refused(error.to_string()))?;
        let remembered = self.remember.as_deref().filter(|file| file.exists()).map(remembered).transpose()?;
        let source = Source::open(&self.place)?;
        let checkpoint = source.read("checkpoint", NOTE_BYTES_MAX).map_err(|error| {
            refused(&format!("there is no checkpoint: {error}; name the log's address, or the folder that mirrors it"))
        })?;
        let progress = Progress::new("verifying");
        let (mut entries, mut strange, mut site) = (BTreeMap::new(), None, Site::default());
        let read = |tile: Tile| source.tile(tile);
        let report = verify_log(&policy, &checkpoint, remembered, read, |index, bytes| {
            progress.show(index, index + 1, &format!("{} entries", thousands(index)));
            match serde_json::from_slice::<Entry>(bytes) {
                Ok(entry) => {
                    *entries.entry(kind(&entry)).or_default() += 1;
                    site.take(entry);
                }
                Err(error) => strange = strange.take().or(Some((index, error.to_string()))),
            }
        });
        progress.done();
        let report = report.map_err(|error| refused(&error))?;
        if let Some((index, error)) = strange {
            let why = "is none that a public log of Tribune may hold, though the log signs it";
            return Err(refused(&format!("entry {index} {why}: {error}; ask the log what it is")));
        }
        if self.witness.is_empty() {
            note("no --witness was named: nobody says that others are shown the same log");
        }
        let tree = report.believed.checkpoint.tree();
        if let Some(file) = &self.remember {
            output(Some(file), |out| put(&mut &mut *out, &format!("{} {}", tree.size, tree.root)))?;
        }
        let texts = self.site.as_deref().map(|folder| site.hold(folder)).transpose()?;
        Ok(verified(report, entries, texts))
    }
}

/// Says what a proof shows, if the log that has this key holds it.
fn check(path: &Path, key: &Verifier) -> Result<ExitCode, Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::Refused(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    let proof: Proof = text.parse().map_err(|error| wrong(&error))?;
    let policy = Policy::new(key.name(), vec![key.clone()], Vec::new(), 0).map_err(|error| wrong(&error))?;
    let proven = proofs::check(&proof, &policy).map_err(|error| wrong(&error))?;
    let what = match (&proven.entry, proven.commitment) {
        (Entry::Batch { day, .. }, Some(commitment)) => format!("the commitment {commitment}, in the batch of {day}"),
        (entry, _) => serde_json::to_string(entry).map_err(|error| Failure::Defect(error.to_string()))?,
    };
    let size = proven.believed.checkpoint.tree().size;
    let place = format!("entry {} of the {size} entries that {} signed", proof.index, common::clean(key.name()));
    output(None, |out| put(&mut &mut *out, &format!("{place} holds {what}")))?;
    Ok(ExitCode::SUCCESS)
}

/// Where a log's files are read from.
enum Source {
    Folder(PathBuf),
    Address { base: String, web: Web, runtime: Runtime },
}

/// How long one file may take.
const PATIENCE: Duration = Duration::from_secs(60);

impl Source {
    fn open(place: &str) -> Result<Self, Failure> {
        if !["http://", "https://"].iter().any(|scheme| place.starts_with(scheme)) {
            return Ok(Self::Folder(place.into()));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::Refused(format!("this machine gives no runtime: {error}")))?;
        Ok(Self::Address { base: place.trim_end_matches('/').to_owned(), web: Web::new(PATIENCE)?, runtime })
    }

    /// A tile; a partial one that is gone since it filled up is read from the full one.
    fn tile(&self, tile: Tile) -> io::Result<Vec<u8>> {
        let width = tile.full().width();
        let bytes_max = match tile.row() {
            Row::Entries => width * (2 + ENTRY_BYTES_MAX),
            Row::Level(_) => width * 32,
        };
        let read = |tile: Tile| self.read(&tile.to_string(), bytes_max);
        let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound && tile != tile.full();
        read(tile).or_else(|error| if gone(&error) { read(tile.full()).map_err(|_| error) } else { Err(error) })
    }

    fn read(&self, path: &str, bytes_max: usize) -> io::Result<Vec<u8>> {
        let (base, web, runtime) = match self {
            Self::Folder(folder) => return std::fs::read(folder.join(path)),
            Self::Address { base, web, runtime } => (base, web, runtime),
        };
        let answer = runtime.block_on(web.get(&format!("{base}/{path}"), bytes_max)).map_err(io::Error::other)?;
        match answer.status {
            200 => Ok(answer.body),
            404 | 410 => Err(io::Error::new(io::ErrorKind::NotFound, format!("it answered {}", answer.status))),
            status => Err(io::Error::other(format!("it answered {status}"))),
        }
    }
}

/// `size root`, as it was written the last time.
pub(crate) fn remembered(file: &Path) -> Result<Tree, Failure> {
    let wrong = |what: &str| {
        Failure::Refused(format!("{}: {what}; it holds a size and a root, as this wrote them", file.display()))
    };
    let text = std::fs::read_to_string(file).map_err(|error| wrong(&error.to_string()))?;
    let (size, root) = text.trim().split_once(' ').ok_or_else(|| wrong("is not what was seen of a log"))?;
    let size = size.parse().map_err(|_| wrong("its size is no number"))?;
    let root = root.parse().map_err(|_| wrong("its root is no hash"))?;
    Ok(Tree { size, root })
}

fn kind(entry: &Entry) -> &'static str {
    match entry {
        Entry::Batch { .. } => "batches of private events",
        Entry::Decision { lifts: false, .. } => "decisions that impose",
        Entry::Decision { lifts: true, .. } => "decisions that lift",
        Entry::Statement { .. } => "statements",
        Entry::Effect { .. } => "comparisons after the effect",
        Entry::Correction { .. } => "corrections",
        Entry::Counts { .. } => "yearly counts",
        Entry::Erasure { .. } => "erasures",
    }
}

fn verified(report: Report, entries: BTreeMap<&'static str, u64>, texts: Option<usize>) -> Verified {
    let checkpoint = &report.believed.checkpoint;
    Verified {
        schema: "tribune.log-verification/1",
        origin: checkpoint.origin().to_owned(),
        size: checkpoint.tree().size,
        root: checkpoint.tree().root.to_string(),
        cosigned: report.believed.cosigned.iter().map(|(name, _)| name.clone()).collect(),
        continues: report.continues.map(|tree| tree.size),
        files: report.bundles + report.tiles,
        entries,
        texts,
    }
}

fn table(out: &mut impl Write, verified: &Verified) -> Result<(), Failure> {
    let Verified { origin, size, root, files, .. } = verified;
    put(out, &format!("{}: every entry and every tile is what the checkpoint signs", common::clean(origin)))?;
    put(out, &format!("  {} entries in {} files; root {root}", thousands(*size), thousands(*files)))?;
    match verified.continues {
        Some(before) => put(out, &format!("  it continues the {} entries seen before", thousands(before)))?,
        None => put(
            out,
            "  nothing was remembered of it: --remember FILE lets the next check see whether it continues this one",
        )?,
    }
    if !verified.cosigned.is_empty() {
        put(out, &format!("  cosigned by {}", common::clean(&verified.cosigned.join(", "))))?;
    }
    if let Some(texts) = verified.texts {
        put(
            out,
            &format!("  {texts} public texts are what the log says, and the numbers of each year add up with it"),
        )?;
    }
    for (kind, count) in &verified.entries {
        put(out, &format!("  {:>9} {kind}", thousands(*count)))?;
    }
    Ok(())
}
