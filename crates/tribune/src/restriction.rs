//! `tribune restriction`: what is switched off now, on which decision, until when; and what gates are given of it. A
//! restriction begins and ends by decisions: nothing here restricts anybody.

use crate::common::{Failure, output};
use crate::epoch;
use crate::export;
use crate::office::{self, Asking, Office, refused};
use clap::{ArgGroup, Subcommand, ValueEnum};
use clerk::Staged;
use gate::{Approver, LogPins, Pins, ServerPins, seal::Form};
use review::case::Standing;
use review::roster::KeyForm;
use review::words::{AccountId, CaseId, DecisionId, Moment, Role};
use serde::Serialize;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use web::gate::fallback::{Proxy, exact_until, fallback};
use web::gate::standalone;

/// What is switched off now.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
From a decision in effect to the gates:
  tribune restriction list --account a1 --as gil
  tribune restriction stage CASE d2 --shadow --as gil        what it would refuse is counted
  tribune restriction stage CASE d2 --gate north-1 --as gil  then one gate, then --all
  tribune restriction pins --gate north-1 --out pins.txt     whom that gate believes; carry it there by another way
  tribune restriction snapshot --out snapshot                what gates load
  tribune restriction rotate                                 another key of the server's, or a restored backup
  tribune restriction export cedar --snapshot snapshot --pins pins.txt --out cedar/
To end one: tribune decision lift --help")]
pub(crate) struct Args {
    #[command(flatten)]
    asking: Asking,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Every target that is switched off now
    List {
        /// Of this account alone
        #[arg(long)]
        account: Option<AccountId>,
    },
    /// Bring a decision in effect to another stage; where nothing was said it is in shadow
    #[command(group(ArgGroup::new("to").required(true)))]
    Stage {
        case: CaseId,
        decision: DecisionId,
        /// Refuse nowhere, and count what would be
        #[arg(long, group = "to")]
        shadow: bool,
        /// Refuse at this gate alone
        #[arg(long, group = "to", value_name = "NAME")]
        gate: Option<String>,
        /// Refuse everywhere
        #[arg(long, group = "to")]
        all: bool,
        /// Why it goes on although it refused, or would have, more than its preview foresaw
        #[arg(long, value_name = "REASON")]
        despite: Option<String>,
    },
    /// What gates told: whether each refuses what was sealed and nothing else, and how often it did
    Gates,
    /// Write what gates load: every decision that restricts now, as it was signed
    Snapshot {
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Write what a proxy falls back on while its gate is dead: what a snapshot refuses now; needs no record
    Fallback {
        /// What `snapshot` wrote, or a gate keeps in its state folder
        #[arg(long, value_name = "FILE")]
        snapshot: PathBuf,
        /// What `pins` wrote
        #[arg(long, value_name = "FILE")]
        pins: PathBuf,
        #[arg(long)]
        proxy: ForProxy,
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    Export(export::Args),
    Rotate(epoch::Rotate),
    Certify(epoch::Certify),
    /// Write whom a gate believes: those who decide, by their keys, and the log
    Pins {
        /// The gate's own name
        #[arg(long, value_name = "NAME")]
        gate: String,
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ForProxy {
    Nginx,
    Caddy,
    Envoy,
    Traefik,
}

/// A target that is switched off.
#[derive(Serialize)]
struct Restriction {
    case: String,
    decision: String,
    account: String,
    service: String,
    region: Option<String>,
    switches: Vec<String>,
    from: Option<String>,
    ends: Option<String>,
    review: Option<String>,
}

/// Runs it.
pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    if let Verb::Fallback { snapshot, pins, proxy, out } = &args.verb {
        return fall_back(snapshot, pins, *proxy, out);
    }
    if let Verb::Export(args) = &args.verb {
        return export::run(args);
    }
    if let Verb::Certify(args) = &args.verb {
        return epoch::certify(args);
    }
    office::run(async {
        let office = Office::open(&args.asking).await?;
        let account = match args.verb {
            Verb::List { account } => account,
            Verb::Gates => return gates(&office).await,
            Verb::Stage { case, decision, gate, all, despite, .. } => {
                let stage = match (gate, all) {
                    (Some(gate), _) => Staged::At { gate },
                    (None, true) => Staged::All,
                    (None, false) => Staged::Shadow,
                };
                office.clerk.stage(&office.sent()?, &case, &decision, stage.clone(), despite.as_deref()).await?;
                return office
                    .print(&stage, &format!("{case}, {decision}: {stage:?}; gates learn it with their next snapshot"));
            }
            Verb::Snapshot { out } => return snapshot(&office, &out).await,
            Verb::Pins { gate, out } => return pins(&office, &gate, &out).await,
            Verb::Rotate(args) => return epoch::rotate(&office, &args),
            Verb::Fallback { .. } | Verb::Export(_) | Verb::Certify(_) => {
                return Err(Failure::Defect("it needs no record".to_owned()));
            }
        };
        let mut restrictions = Vec::new();
        for file in office.clerk.cases_for(office.who()?, office.now).await? {
            for (id, target) in file.case.in_force(office.now) {
                if account.as_ref().is_some_and(|account| *account != target.account) {
                    continue;
                }
                let decided = file.case.decisions.get(id);
                let switches = serde_json::to_value(&target.switches).and_then(serde_json::from_value);
                restrictions.push(Restriction {
                    case: file.case.id.to_string(),
                    decision: id.to_string(),
                    account: target.account.to_string(),
                    service: target.service.to_string(),
                    region: target.region.as_ref().map(ToString::to_string),
                    switches: switches.map_err(|error| Failure::Defect(error.to_string()))?,
                    from: decided.and_then(|one| one.effect).map(|at| at.to_string()),
                    ends: decided.and_then(|one| one.ends).map(|at| at.to_string()),
                    review: decided.and_then(|one| one.decision.review).map(|at| at.to_string()),
                });
            }
        }
        let mut text = String::new();
        for one in &restrictions {
            let place = one.region.as_deref().unwrap_or("everywhere");
            let until = match (&one.ends, &one.review) {
                (Some(ends), _) => format!("until {ends}"),
                (None, Some(review)) => format!("looked at again {review}"),
                (None, None) => String::new(),
            };
            let (switches, from) = (one.switches.join(", "), one.from.as_deref().unwrap_or_default());
            let Restriction { account, service, case, decision, .. } = one;
            let _ =
                writeln!(text, "{account}  {service}, {place}: {switches}; from {from} {until}  ({case}, {decision})");
        }
        if restrictions.is_empty() {
            text.push_str("nothing is switched off");
        }
        office.print(&restrictions, &text)
    })
}

async fn snapshot(office: &Office, out: &Path) -> Result<ExitCode, Failure> {
    let log = office.public_log().await?;
    let snapshot = office.clerk.snapshot(&log, &office.serving()?, office.now).await?;
    let bytes = snapshot.bytes();
    output(Some(out), |file| {
        file.write_all(&bytes).map_err(|source| Failure::Write { path: out.display().to_string(), source })
    })?;
    let (version, decisions) = (snapshot.version().to_string(), snapshot.records().count());
    office.print(&version, &format!("{}: version {version}, {decisions} decisions", out.display()))
}

/// What a snapshot refuses, verified as a gate verifies it: nothing made of it refuses more than a gate would.
pub(crate) fn believed(snapshot: &Path, pins: &Path) -> Result<gate::Gate, Failure> {
    let wrong = |path: &Path, error: &dyn std::fmt::Display| Failure::Refused(format!("{}: {error}", path.display()));
    let pins = standalone::pins(pins, pins).map_err(|error| refused(&error))?;
    let bytes = std::fs::read(snapshot).map_err(|error| wrong(snapshot, &error))?;
    gate::Gate::load(&bytes, Arc::new(pins), None, office::seed()).map_err(|error| wrong(snapshot, &error))
}

fn fall_back(snapshot: &Path, pins: &Path, proxy: ForProxy, out: &Path) -> Result<ExitCode, Failure> {
    let gate = believed(snapshot, pins)?;
    let (proxy, at) = (proxy.of_web(), office::now());
    let text = fallback(proxy, gate.set(), at.0);
    output(Some(out), |file| {
        file.write_all(text.as_bytes()).map_err(|source| Failure::Write { path: out.display().to_string(), source })
    })?;
    let until = exact_until(gate.set(), at.0).map_or("for good".to_owned(), |until| format!("until {}", Moment(until)));
    let said = format!("{}: what version {} refuses now; exact {until}", out.display(), gate.version());
    output(None, |out| crate::common::put(&mut &mut *out, &said))?;
    Ok(ExitCode::SUCCESS)
}

impl ForProxy {
    fn of_web(self) -> Proxy {
        match self {
            Self::Nginx => Proxy::Nginx,
            Self::Caddy => Proxy::Caddy,
            Self::Envoy => Proxy::Envoy,
            Self::Traefik => Proxy::Traefik,
        }
    }
}

/// Those who decide, as the roster has them now. Whoever runs the gate compares them with what they know: a gate believes
/// this file, and no roster.
async fn pins(office: &Office, gate: &str, out: &Path) -> Result<ExitCode, Failure> {
    let text = pins_of(office, gate).await?.to_string();
    output(Some(out), |file| crate::common::put(&mut &mut *file, text.trim_end()))?;
    office.print(&text, &format!("{text}\n{}: carry it to the gate by another way than snapshots come", out.display()))
}

const fn form(of: KeyForm) -> Form {
    match of {
        KeyForm::Ssh => Form::Ssh,
        KeyForm::Passphrase => Form::Passphrase,
    }
}

pub(crate) async fn pins_of(office: &Office, gate: &str) -> Result<Pins, Failure> {
    let roster = office.clerk.roster().await?;
    let mut approvers = Vec::new();
    for (person, member) in &roster.members {
        for (key, of) in member.keys.iter().filter(|_| roster.is(person, Role::Decider, office.now)) {
            approvers.push(Approver { person: person.to_string(), key: key.0, form: form(*of) });
        }
    }
    // Whoever approved what is in force and has gone since is known still: gates hold every approval against their pins.
    for file in office.clerk.cases().await? {
        let standing = file.case.decisions.values().filter(|decided| decided.standing == Standing::InEffect);
        for (person, approval) in standing.flat_map(|decided| &decided.approvals) {
            if approvers.iter().all(|known: &Approver| known.key != approval.key.0) {
                approvers.push(Approver { person: person.to_string(), key: approval.key.0, form: form(approval.form) });
            }
        }
    }
    let serving = office.serving()?;
    let secret: String = serving.key.iter().map(|byte| format!("{byte:02x}")).collect();
    let root = office.root()?;
    let server = ServerPins { epoch: serving.epoch, server: crate::record::public_key(&secret)?, root };
    let witnesses = office.config.log.witnesses.iter().map(|witness| witness.key.parse());
    let witnesses = witnesses.collect::<Result<Vec<_>, _>>().map_err(|error| refused(&error))?;
    let log = office.public_log().await?;
    let quorum = witnesses.len();
    let log = LogPins { origin: office.config.log.origin.clone(), keys: vec![log.key().clone()], witnesses, quorum };
    Pins::new(gate, gate::THRESHOLD_MIN, approvers, server, log).map_err(|error| refused(&error))
}

/// A gate, as it was heard of last.
#[derive(Serialize)]
struct Heard {
    gate: String,
    at: String,
    version: String,
    /// It answers by the newest snapshot.
    newest: bool,
    /// What it refuses is, restriction for restriction, what the newest snapshot says for it.
    as_sealed: bool,
    broken_glass: bool,
    refused: u64,
    would_refuse: u64,
}

/// Holds what each gate says it refuses against what it should by the newest snapshot, and that against the lists in force.
async fn gates(office: &Office) -> Result<ExitCode, Failure> {
    let log = office.public_log().await?;
    let bytes = office.clerk.snapshot(&log, &office.serving()?, office.now).await?.bytes();
    let mut heard = Vec::new();
    for told in office.clerk.gates().await? {
        let pins = Arc::new(pins_of(office, &told.gate).await?);
        let own = gate::Gate::load(&bytes, pins, None, office::seed()).map_err(|error| refused(&error))?;
        let counts = told.refusals.values().flat_map(|operations| operations.values());
        let (refused, would_refuse) =
            counts.fold((0, 0), |(refused, would), one| (refused + one.refused, would + one.would_refuse));
        heard.push(Heard {
            newest: told.version == own.version().to_string(),
            as_sealed: told.enforces.to_string() == own.set().digest().to_string(),
            gate: told.gate,
            at: told.at.to_string(),
            version: told.version,
            broken_glass: told.broken_glass,
            refused,
            would_refuse,
        });
    }
    let mut text = String::new();
    for one in &heard {
        let sealed = match (one.as_sealed, one.newest) {
            (true, _) => "refuses what was sealed, and nothing else",
            (false, false) => "has an older snapshot",
            (false, true) => "REFUSES SOMETHING ELSE than the newest snapshot says",
        };
        let glass = if one.broken_glass { "; its glass is broken" } else { "" };
        let Heard { gate, at, version, refused, would_refuse, .. } = one;
        let _ =
            writeln!(text, "{gate}  {at}, by {version}: {sealed}{glass}; {refused} refused, {would_refuse} in shadow");
    }
    if heard.is_empty() {
        text.push_str("no gate has told anything yet: `tribune serve` hears them");
    }
    let well = heard.iter().all(|one| one.as_sealed || !one.newest);
    let code = office.print(&heard, &text)?;
    Ok(if well { code } else { ExitCode::FAILURE })
}
