//! `tribune log cosign`: the log's side of witnessing. It asks witnesses to cosign the checkpoint that the log shows,
//! and puts what they answer below it.
//!
//! A witness that cannot be had, or refuses, holds up nobody: it is said, and asked again the next time.

use crate::common::{self, Failure, note, output, put};
use crate::http::Web;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use store::{Files, LogError, PublicLog, Record};
use tlog::{AddCheckpoint, SIZE_CONTENT_TYPE, Signer, Verifier, parse_size};

/// Ask witnesses to cosign the log's checkpoint.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Example:\n  tribune log cosign --record sqlite:record.db --files log/ --key log.key --witness http://127.0.0.1:8401 w.example+2f51a3c0+BDmF…"
)]
pub(crate) struct Args {
    /// The record that the log is made from: `sqlite:PATH` or `postgres://USER@HOST/DATABASE`
    #[arg(long, value_name = "ADDRESS")]
    record: String,
    /// The folder of the log
    #[arg(long, value_name = "DIR")]
    files: PathBuf,
    /// The log's secret key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// A witness: its address and its key
    #[arg(long, num_args = 2, value_names = ["URL", "VKEY"], required = true)]
    witness: Vec<String>,
}

/// A witness as the log knows it.
pub(crate) struct Witness {
    /// Where it answers, without `/add-checkpoint`.
    pub url: String,
    /// Its key.
    pub key: Verifier,
}

/// How long a witness may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Once with a guess, once with what the witness said, and once more if somebody else asked in between.
const TRIES: usize = 3;

/// No answer is longer: some signatures, or why not.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Runs it. Exit code 1 if a witness did not cosign; the others did.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let witnesses = args.witness.chunks(2).map(witness).collect::<Result<Vec<_>, _>>()?;
    let signer = signer(&args.key)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Refused(format!("this machine gives no runtime: {error}")))?;
    let cosigned = runtime.block_on(async {
        let refused = |error: LogError| Failure::Refused(error.to_string());
        let record = Record::open(&args.record).await.map_err(|error| refused(error.into()))?;
        let mut log = PublicLog::open(&record, Files::local(&args.files), signer).await.map_err(refused)?;
        let cosigned = gather(&Web::new(PATIENCE)?, &mut log, &witnesses).await.map_err(refused)?;
        record.close().await;
        Ok::<_, Failure>(cosigned)
    })?;
    output(None, |out| {
        put(&mut &mut *out, &format!("{cosigned} of {} witnesses cosigned the checkpoint", witnesses.len()))
    })?;
    Ok(ExitCode::from(u8::from(cosigned < witnesses.len())))
}

fn witness(pair: &[String]) -> Result<Witness, Failure> {
    let [url, key] = pair else { return Err(Failure::Refused("--witness takes an address and a key".into())) };
    let key = key.parse().map_err(|error| Failure::Refused(format!("the key of {url}: {error}")))?;
    Ok(Witness { url: url.clone(), key })
}

fn signer(file: &Path) -> Result<Signer, Failure> {
    let refused = |error: &dyn std::fmt::Display| Failure::Refused(format!("{}: {error}", file.display()));
    let secret = std::fs::read_to_string(file).map_err(|error| refused(&error))?;
    Signer::parse(secret.trim_end()).map_err(|error| refused(&error))
}

/// Asks every witness and shows what they answer. Gives how many cosigned; why others did not is said.
///
/// # Errors
///
/// Only what concerns the log's own files: the checkpoint stays as it was published.
pub(crate) async fn gather(web: &Web, log: &mut PublicLog, witnesses: &[Witness]) -> Result<usize, LogError> {
    let mut cosigned = 0;
    for witness in witnesses {
        match ask(web, log, witness).await {
            Ok(answer) => {
                log.cosign(&answer, &witness.key).await?;
                cosigned += 1;
            }
            Err(why) => note(&format!("the witness {} did not cosign: {why}", witness.key.name())),
        }
    }
    Ok(cosigned)
}

/// Asks one witness: its answer, which holds a cosignature of its key over the checkpoint; or why there is none.
async fn ask(web: &Web, log: &PublicLog, witness: &Witness) -> Result<Vec<u8>, String> {
    let url = format!("{}/add-checkpoint", witness.url.trim_end_matches('/'));
    let size = log.tree().size;
    // What it remembers is not known here: it says so itself.
    let mut older = 0;
    for _ in 0..TRIES {
        let proof = log.consistency(older).await.map_err(|error| error.to_string())?;
        let request = AddCheckpoint::new(older, proof, log.checkpoint().clone()).map_err(|error| error.to_string())?;
        let answer = web.post(&url, request.to_string(), ANSWER_BYTES_MAX).await?;
        older = match answer.status {
            200 => {
                let checked = log.checkpoint().cosignatures(&answer.body, &[&witness.key]);
                return checked.map(|_| answer.body).map_err(|error| error.to_string());
            }
            409 if answer.kind == SIZE_CONTENT_TYPE => {
                parse_size(&answer.body).ok_or("it remembers a size that is none")?
            }
            status => {
                let said: String = String::from_utf8_lossy(&answer.body).chars().take(300).collect();
                return Err(format!("it answered {status}: {}", common::clean(said.trim_end())));
            }
        };
        if older > size {
            return Err(format!(
                "it has seen {older} entries of this log, which has {size}: the record may have been restored from an \
                 older backup; publish nothing until that is known"
            ));
        }
    }
    Err(format!("it names another size each time, {older} at last: another process asks it, too; try again"))
}
