//! `tribune gate`: a gate of its own beside a proxy, and breaking its glass. It only wires: what it holds, verifies, answers
//! and lets pass is `web::gate`'s and the crate `gate`'s.

use crate::common::{Failure, note, output, put};
use crate::office;
use clap::Subcommand;
use gate::time;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use web::gate::fallback::Proxy;
use web::gate::glass::{Did, Entry};
use web::gate::standalone::{self, Config, Pauses};
use web::gate::{Ceiling, CeilingError, Settings, Share, Token};

/// A gate beside a proxy: answers allow or refuse, from the last snapshot that held.
#[derive(clap::Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Example:\n  \
    tribune gate --snapshot https://tribune.example/gate/snapshot --key pins.txt --approvers pins.txt --state gate/ \\\n       \
    --fallback nginx=/etc/nginx/tribune/fallback.map\n  \
    curl -i http://127.0.0.1:8410/gate/check -H 'X-Tribune-Account: a1' -H 'X-Tribune-Service: object-storage' \\\n       \
    -H 'X-Tribune-Operation: write' -H 'X-Tribune-Region: north'"
)]
pub(crate) struct Args {
    #[command(flatten)]
    run: Option<Run>,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Let pass what a gate on this machine refuses, for a while: it is logged, and alarmed
    #[command(after_help = "Example:\n  \
        tribune gate break --state gate/ --for 30m --by gil --reason 'emergency calls fail behind this gate'\n\n\
        It needs no server, works a second later, and ends by itself. The log is glass.jsonl in the gate's folder.")]
    Break {
        /// The gate's folder
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
        /// For how long, at most 24h: 90s, 30m, 2h
        #[arg(long = "for", value_name = "TIME", value_parser = seconds)]
        seconds: i64,
        /// Only this restriction, by the id that refusals name [default: all]
        #[arg(long, value_name = "ID")]
        restriction: Option<String>,
        #[command(flatten)]
        said: Said,
    },
    /// End it before its time
    #[command(after_help = "Example:\n  tribune gate mend --state gate/ --by gil --reason 'the cause was elsewhere'")]
    Mend {
        /// The gate's folder
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
        #[command(flatten)]
        said: Said,
    },
}

#[derive(clap::Args, Debug)]
struct Said {
    /// Who does it
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(clap::Args, Debug)]
struct Run {
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
    /// A file that its proxy falls back on while the gate is dead, kept as what was refused last; `nginx`, `caddy`, `envoy`
    /// or `traefik`, and the file [may be given more than once]
    #[arg(long, value_name = "PROXY=FILE", value_parser = fallback)]
    fallback: Vec<(Proxy, PathBuf)>,
    /// Where it answers
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8410")]
    listen: SocketAddr,
    /// The file of a token: shown to the server, and asked of whoever is not on this machine
    #[arg(long, value_name = "FILE")]
    token: Option<PathBuf>,
    /// No snapshot may restrict more accounts than these: a wider one is not taken
    #[arg(long, value_name = "N", value_parser = accounts)]
    accounts_max: Option<Ceiling>,
    /// Nor a larger share of them, as 0.5%
    #[arg(long, value_name = "SHARE", value_parser = |text: &str| Share::parse(text), requires = "accounts")]
    accounts_share_max: Option<Share>,
    /// How many accounts there are, for that share
    #[arg(long, value_name = "N", requires = "accounts_share_max")]
    accounts: Option<usize>,
    /// Its own region: what is asked without one happens there
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
}

/// Breaks or mends the glass, or runs a gate until it is ended.
pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    match (args.verb, args.run) {
        (Some(Verb::Break { state, seconds, restriction, said }), _) => {
            let until = time::text(office::now().0.saturating_add(seconds));
            let what = restriction.as_deref().unwrap_or("everything that is refused").to_owned();
            log(&state, said, Did::Break { until: until.clone(), restriction })?;
            told(&format!("{what} passes from now until {until}; end it with `tribune gate mend`"))
        }
        (Some(Verb::Mend { state, said }), _) => {
            log(&state, said, Did::Mend)?;
            told("what is refused is refused again")
        }
        (None, Some(run)) => start(&run),
        (None, None) => Err(Failure::Defect("neither a gate to run nor what to do to one".to_owned())),
    }
}

fn log(state: &Path, Said { by, reason }: Said, did: Did) -> Result<(), Failure> {
    let entry = Entry { at: time::text(office::now().0), by, reason, did };
    entry.append(state).map_err(|error| office::refused(&error))
}

fn told(text: &str) -> Result<ExitCode, Failure> {
    output(None, |out| put(&mut &mut *out, text))?;
    Ok(ExitCode::SUCCESS)
}

/// `90s`, `30m`, `2h`.
fn seconds(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is no time: a number and s, m or h, as in 30m");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    Ok(i64::from(number) * unit)
}

/// `nginx=FILE`.
fn fallback(text: &str) -> Result<(Proxy, PathBuf), String> {
    let wrong = || format!("`{text}` is not PROXY=FILE, where PROXY is nginx, caddy, envoy or traefik");
    let (proxy, file) = text.split_once('=').filter(|(_, file)| !file.is_empty()).ok_or_else(wrong)?;
    Ok((Proxy::parse(proxy).ok_or_else(wrong)?, file.into()))
}

fn accounts(text: &str) -> Result<Ceiling, String> {
    let number = text.parse().map_err(|_| format!("`{text}` is no number of accounts"))?;
    Ceiling::number(number).map_err(|error| error.to_string())
}

/// The lower of both bounds.
fn ceiling(args: &Run) -> Result<Option<Ceiling>, CeilingError> {
    let share = args.accounts_share_max.zip(args.accounts).map(|(share, all)| Ceiling::share(share, all));
    Ok(share.transpose()?.into_iter().chain(args.accounts_max).min())
}

fn start(args: &Run) -> Result<ExitCode, Failure> {
    let refused = |error: &dyn std::fmt::Display| Failure::Refused(error.to_string());
    let pins = standalone::pins(&args.key, &args.approvers).map_err(|error| refused(&error))?;
    let token = args.token.as_deref().map(token).transpose()?;
    let ceiling = ceiling(args).map_err(|error| refused(&format!("--accounts-share-max: {error}")))?;
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
            fallbacks: args.fallback.clone(),
            ceiling,
            token,
            settings,
            limits: web::Limits::default(),
            pauses: Pauses::default(),
            random: Arc::new(office::seed),
            notes: Arc::new(note),
        };
        note(&format!("the gate answers on http://{address}; /readyz says whether it holds a snapshot"));
        let ended = async { drop(tokio::signal::ctrl_c().await) };
        standalone::serve(listener, config, ended).await.map_err(|error| refused(&error))
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The token in a file.
pub(crate) fn token(path: &Path) -> Result<Token, Failure> {
    let wrong = |what: &str| Failure::Refused(format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
    Token::new(text.trim()).ok_or_else(|| wrong("it holds no token: 32 characters or more, without spaces"))
}
