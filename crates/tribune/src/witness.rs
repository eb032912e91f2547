//! `tribune log witness`: a small witness (C2SP tlog-witness). It cosigns what a log shows only if that continues what
//! it cosigned before, so that nobody can be shown another log.
//!
//! What it answers is [`tlog::AddCheckpoint::decide`]'s. Here it listens, reads the clock, and remembers: what it is
//! about to cosign is on disk before the signature leaves. It knows nothing of what a log says, and asks nobody.

use crate::common::{self, Failure, output, put};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::routing::post;
use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use tlog::{AddCheckpoint, Checkpoint, Cosigner, Policy, Refusal, Tree, Verifier, Watched};
use tokio::net::TcpListener;

/// Witness logs: cosign each checkpoint that continues the last one.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Example:\n  tribune log witness --listen 127.0.0.1:8401 --key witness.key --log tribune.example/log+8b1fc42e+AXZX… --state seen/"
)]
pub(crate) struct Args {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8401")]
    listen: SocketAddr,
    /// The witness's secret key; a new one is made where there is no file
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// What a new key is called [default: the address to listen on]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The key of a log to watch; several of one name are keys of one log
    #[arg(long, value_name = "VKEY", required = true)]
    log: Vec<Verifier>,
    /// A folder to remember in what was cosigned; a witness that lost it must take another key
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
}

/// More than a checkpoint with a hundred signatures and a proof have.
const REQUEST_BYTES_MAX: usize = 64 * 1024;

/// Runs it until Ctrl-C.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let fail = |error: std::io::Error| Failure::Refused(format!("{} cannot be listened on: {error}", args.listen));
    let witness = Witness::open(args)?;
    let key = witness.cosigner.verifier().to_string();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(fail)?;
    runtime.block_on(async {
        let listener = TcpListener::bind(args.listen).await.map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        output(None, |out| {
            put(&mut &mut *out, &format!("The key of this witness: {key}"))?;
            put(&mut &mut *out, &format!("It answers on http://{address}/add-checkpoint  (Ctrl-C ends it)"))
        })?;
        let ended = async {
            // Without a signal to wait for it serves until it is ended otherwise.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        axum::serve(listener, router(witness)).with_graceful_shutdown(ended).await.map_err(fail)
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn router(witness: Witness) -> Router {
    let router = Router::new().route("/add-checkpoint", post(add_checkpoint));
    router.layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX)).with_state(Arc::new(witness))
}

async fn add_checkpoint(State(witness): State<Arc<Witness>>, body: Result<Bytes, BytesRejection>) -> Response<Body> {
    let (status, kind, text) = match body {
        Ok(body) => witness.answer(&body, now()),
        Err(refused) => (refused.status().as_u16(), PLAIN, format!("{}\n", refused.body_text())),
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

const PLAIN: &str = "text/plain; charset=utf-8";

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a cosignature says when it was made")]
fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A witness, with what it remembers of each log by the log's name.
pub(crate) struct Witness {
    cosigner: Cosigner,
    state: PathBuf,
    logs: Mutex<BTreeMap<String, Watched>>,
    /// While it is held, no other process remembers in the same folder.
    _alone: File,
}

impl Witness {
    fn open(args: &Args) -> Result<Self, Failure> {
        let name = args.name.clone().unwrap_or_else(|| args.listen.to_string());
        let cosigner = key(&args.key, &name)?;
        let given = args.name.as_deref().unwrap_or(cosigner.verifier().name());
        if given != cosigner.verifier().name() {
            let (file, called) = (args.key.display(), cosigner.verifier().name());
            return Err(Failure::Refused(format!("the key in {file} is called {called}: name it so, or another file")));
        }
        Self::remembering(cosigner, &args.log, &args.state)
    }

    /// One that watches these logs and remembers in this folder.
    pub(crate) fn remembering(cosigner: Cosigner, keys: &[Verifier], state: &Path) -> Result<Self, Failure> {
        let refused = |error: &dyn std::fmt::Display| Failure::Refused(format!("{}: {error}", state.display()));
        std::fs::create_dir_all(state).map_err(|error| refused(&error))?;
        let alone = File::open(state).map_err(|error| refused(&error))?;
        alone.try_lock().map_err(|_| refused(&"another witness remembers here: end it, or name another folder"))?;
        let mut logs = BTreeMap::new();
        for key in keys {
            let origin = key.name();
            let of_one = keys.iter().filter(|other| other.name() == origin).cloned().collect();
            let policy = Policy::new(origin, of_one, Vec::new(), 0);
            let policy = policy.map_err(|error| Failure::Refused(error.to_string()))?;
            let latest = remembered(&state.join(file_name(origin)), origin)?;
            logs.insert(origin.to_owned(), Watched { policy, latest });
        }
        Ok(Self { cosigner, state: state.to_owned(), logs: Mutex::new(logs), _alone: alone })
    }

    /// Answers one question: status, content type and body. One at a time, from looking up to remembering.
    fn answer(&self, body: &[u8], time: u64) -> (u16, &'static str, String) {
        let refused = |refusal: Refusal| {
            let (kind, text) = refusal.answer();
            (refusal.status(), kind, text)
        };
        let request = match AddCheckpoint::parse(body) {
            Ok(request) => request,
            Err(refusal) => return refused(refusal),
        };
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        let known = logs.get_mut(request.origin());
        let cosigned = match request.decide(known.as_deref(), &self.cosigner, time) {
            Ok(cosigned) => cosigned,
            Err(refusal) => return refused(refusal),
        };
        if let Some(log) = known.filter(|log| log.latest != cosigned.latest) {
            if let Err(error) =
                remember(&self.state.join(file_name(request.origin())), request.origin(), cosigned.latest)
            {
                common::note(&format!("{}: {error}; nothing was cosigned", request.origin()));
                return (500, PLAIN, "this witness cannot remember at the moment: ask again later\n".to_owned());
            }
            log.latest = cosigned.latest;
        }
        (200, PLAIN, cosigned.to_string())
    }
}

/// The file for a log: its name, with everything that means something to a file system escaped.
fn file_name(origin: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let part = |byte: &u8| if plain(byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") };
    format!("{}.seen", origin.as_bytes().iter().map(part).collect::<String>())
}

/// What was cosigned last, as the text of a checkpoint; the empty tree where there is no file.
fn remembered(file: &Path, origin: &str) -> Result<Tree, Failure> {
    let wrong = |what: &str| {
        let how = "restore it; a witness that forgets must not sign with the same key";
        Failure::Refused(format!("{}: {what}; {how}", file.display()))
    };
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Tree::EMPTY),
        Err(error) => return Err(wrong(&error.to_string())),
    };
    let seen: Checkpoint =
        text.parse().map_err(|error| wrong(&format!("it is not what was cosigned last: {error}")))?;
    if seen.origin() == origin { Ok(seen.tree()) } else { Err(wrong("it is of another log")) }
}

/// On disk when it returns, whole or not at all.
fn remember(file: &Path, origin: &str, tree: Tree) -> Result<(), Failure> {
    let seen = Checkpoint::new(origin, tree, &[]).map_err(|error| Failure::Defect(error.to_string()))?;
    let failed = |source| Failure::Write { path: file.display().to_string(), source };
    output(Some(file), |out| out.write_all(seen.to_string().as_bytes()).map_err(failed))?;
    sync_folder(file)
}

fn sync_folder(file: &Path) -> Result<(), Failure> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| Failure::Write { path: folder.display().to_string(), source })
}

/// The key in a file; a new one of this name, for its owner's eyes only, where there is none.
fn key(file: &Path, name: &str) -> Result<Cosigner, Failure> {
    let refused = |error: &dyn std::fmt::Display| Failure::Refused(format!("{}: {error}", file.display()));
    match std::fs::read_to_string(file) {
        Ok(secret) => return Cosigner::parse(secret.trim_end()).map_err(|error| refused(&error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(refused(&error)),
    }
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| Failure::Refused(format!("this machine gives no chance: {error}")))?;
    let cosigner = Cosigner::new(name, &seed).map_err(|error| Failure::Refused(error.to_string()))?;
    let failed = |source| Failure::Write { path: file.display().to_string(), source };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Its permissions are those of a scratch file: nobody but the owner.
    let mut new = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    std::io::Write::write_all(&mut new, format!("{}\n", cosigner.secret()).as_bytes()).map_err(failed)?;
    new.as_file().sync_all().map_err(failed)?;
    new.persist_noclobber(file).map_err(|error| failed(error.error))?;
    sync_folder(file)?;
    Ok(cosigner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_cosigned_is_remembered_whole_and_another_logs_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(file_name("a.example/log é"));
        assert!(file.ends_with("a.example%2Flog%20%C3%A9.seen"));
        assert_eq!(remembered(&file, "a.example/log é").unwrap(), Tree::EMPTY);
        let tree = Tree { size: 7, root: tlog::Hash::leaf(b"") };
        remember(&file, "a.example/log é", tree).unwrap();
        assert_eq!(remembered(&file, "a.example/log é").unwrap(), tree);
        assert!(remembered(&file, "b.example").unwrap_err().to_string().contains("of another log"));
        std::fs::write(&file, "a.example/log é\n7\n").unwrap();
        let error = remembered(&file, "a.example/log é").unwrap_err().to_string();
        assert!(error.contains("not what was cosigned last") && error.contains("must not sign"), "{error}");
    }

    #[test]
    fn a_new_key_is_its_owners_alone_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("witness.key");
        let made = key(&file, "w.example").unwrap();
        assert_eq!(key(&file, "another").unwrap().verifier(), made.verifier());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_ne!(key(&folder.path().join("other.key"), "w.example").unwrap().verifier(), made.verifier());
        std::fs::write(&file, "no key").unwrap();
        assert!(key(&file, "w.example").is_err());
    }

    #[test]
    fn two_witnesses_do_not_remember_in_one_folder() {
        let folder = tempfile::tempdir().unwrap();
        let log = tlog::Signer::new("a.example", &[1; 32]).unwrap().verifier().clone();
        let open =
            || Witness::remembering(Cosigner::new("w", &[2; 32]).unwrap(), std::slice::from_ref(&log), folder.path());
        let first = open().unwrap();
        assert!(open().err().unwrap().to_string().contains("another witness remembers here"));
        drop(first);
        open().unwrap();
    }

    #[test]
    fn what_cannot_be_remembered_is_not_cosigned() {
        let folder = tempfile::tempdir().unwrap();
        let signer = tlog::Signer::new("a.example", &[1; 32]).unwrap();
        let cosigner = Cosigner::new("w", &[2; 32]).unwrap();
        let witness = Witness::remembering(cosigner, &[signer.verifier().clone()], folder.path()).unwrap();
        let tree = Tree { size: 1, root: tlog::Hash::leaf(b"") };
        let note = Checkpoint::new("a.example", tree, &[]).unwrap().sign(&signer).unwrap();
        let request = AddCheckpoint::new(0, Vec::new(), note).unwrap().to_string();
        std::fs::create_dir(folder.path().join(file_name("a.example"))).unwrap();
        assert_eq!(witness.answer(request.as_bytes(), 1).0, 500);
        std::fs::remove_dir(folder.path().join(file_name("a.example"))).unwrap();
        assert_eq!(witness.answer(request.as_bytes(), 1).0, 200, "it asks the same again");
        assert_eq!(witness.answer(request.as_bytes(), 1), (409, tlog::SIZE_CONTENT_TYPE, "1\n".to_owned()));
    }
}
