//! `tribune gate`: a gate of its own beside a proxy. It only wires: what it holds, verifies and answers is `web::gate`'s
//! and the crate `gate`'s.

use crate::common::{Failure, note};
use crate::office;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use web::gate::standalone::{self, Config, Pauses};
use web::gate::{Settings, Token};

/// A gate beside a proxy: answers allow or refuse, from the last snapshot that held.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  \
    tribune gate --snapshot https://tribune.example/gate/snapshot --key pins.txt --approvers pins.txt --state gate/\n  \
    curl -i http://127.0.0.1:8410/gate/check -H 'X-Tribune-Account: a1' -H 'X-Tribune-Service: object-storage' \\\n       \
    -H 'X-Tribune-Operation: write' -H 'X-Tribune-Region: north'")]
pub(crate) struct Args {
    /// Where snapshots are
    #[arg(long, value_name = "URL")]
    snapshot: String,
    /// Whose snapshots and which log it believes: what `tribune restriction pins` wrote, carried here by another way
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Whose approvals it believes; may be the same file
    #[arg(long, value_name = "FILE")]
    approvers: PathBuf,
    /// A folder for the last good snapshot, from which it starts when the server is away
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// Where it answers
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8410")]
    listen: SocketAddr,
    /// The file of a token: shown to the server, and asked of whoever is not on this machine
    #[arg(long, value_name = "FILE")]
    token: Option<PathBuf>,
    /// Its own region: what is asked without one happens there
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
}

/// Runs it until it is ended.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let refused = |error: &dyn std::fmt::Display| Failure::Refused(error.to_string());
    let pins = standalone::pins(&args.key, &args.approvers).map_err(|error| refused(&error))?;
    let token = args.token.as_deref().map(token).transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| refused(&error))?.block_on(async {
        let listener = tokio::net::TcpListener::bind(args.listen).await;
        let listener = listener.map_err(|error| refused(&format!("{}: {error}", args.listen)))?;
        let address = listener.local_addr().map_err(|error| refused(&error))?;
        let settings = Settings {
            region: args.region.clone(),
            addresses: vec![format!("http://{address}")],
            token: token.clone(),
            ..Settings::new(Arc::new(|| office::now().0))
        };
        let config = Config {
            snapshot: args.snapshot.clone(),
            pins: Arc::new(pins),
            state: args.state.clone(),
            token,
            settings,
            limits: web::Limits::default(),
            pauses: Pauses::default(),
            random: Arc::new(|| {
                let mut bytes = [0; 16];
                office::chance(&mut bytes);
                bytes
            }),
            notes: Arc::new(note),
        };
        note(&format!("the gate answers on http://{address}; /readyz says whether it holds a snapshot"));
        let ended = async { drop(tokio::signal::ctrl_c().await) };
        standalone::serve(listener, config, ended).await.map_err(|error| refused(&error))
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The token in a file.
pub(crate) fn token(path: &std::path::Path) -> Result<Token, Failure> {
    let wrong = |what: &str| Failure::Refused(format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
    Token::new(text.trim()).ok_or_else(|| wrong("it holds no token: 32 characters or more, without spaces"))
}
