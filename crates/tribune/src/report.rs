//! `tribune report`: reporting, following a report with its receipt, and what intake officers do with it.
//!
//! A receipt is read from a file or from standard input, never from the command line, where others on the machine see it.

use crate::common::{Failure, output};
use crate::office::{self, Asking, Office, Words, digest, refused};
use clap::Subcommand;
use clerk::envelope::{Purpose, Sending};
use clerk::mailbox::{Letter, LetterKind, Stage};
use clerk::receipt::{Keys, Receipt};
use clerk::{Lock, Opened, Reporting, shown};
use review::report::{Channel, Deed, Triage};
use review::words::{CaseId, Digest, Origin, PersonId, ReportId, Text};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tlog::{Policy, Proof, Verifier};
use zeroize::Zeroizing;

/// Report, follow a report, take reports in.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Whoever reports needs no name and no account:
  tribune report send --text @what-i-saw.txt --file photo.jpg      prints seven words: keep them
  tribune report mailbox --receipt words.txt
An intake officer:
  tribune report list --as ines
  tribune report read r-… --identity ines.id --purpose triage --as ines
  tribune report write r-… --text 'When was that?' --identity ines.id --as ines
  tribune report triage r-… --case case-k3vm9q2a --as ines")]
pub(crate) struct Args {
    #[command(flatten)]
    asking: Asking,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Report something; prints the receipt, which nobody keeps but you
    Send(Send),
    /// Look into the mailbox of a receipt
    Mailbox {
        /// The file that holds the seven words, or - for standard input
        #[arg(long, value_name = "FILE")]
        receipt: PathBuf,
    },
    /// Add to a report
    Add {
        /// The file that holds the seven words, or - for standard input
        #[arg(long, value_name = "FILE")]
        receipt: PathBuf,
        #[command(flatten)]
        what: What,
    },
    /// Ask others to look at it again
    AskReview {
        /// The file that holds the seven words, or - for standard input
        #[arg(long, value_name = "FILE")]
        receipt: PathBuf,
        #[command(flatten)]
        what: What,
    },
    /// Write a proof that the report is in the public log, which says nothing of who made it
    Prove {
        /// The file that holds the seven words, or - for standard input
        #[arg(long, value_name = "FILE")]
        receipt: PathBuf,
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Check such a proof, offline; needs no configuration
    Check {
        /// The proof
        #[arg(value_name = "FILE")]
        proof: PathBuf,
        /// The log's key, as it publishes it
        #[arg(long, value_name = "VKEY")]
        key: Verifier,
    },
    /// Every report, and what is due
    List,
    /// Read a report with your own age identity; the look is in the record
    Read {
        report: ReportId,
        #[arg(long, value_name = "FILE")]
        identity: PathBuf,
        #[arg(long)]
        purpose: String,
        /// A folder for the files that came with it
        #[arg(long, value_name = "DIR")]
        files: Option<PathBuf>,
    },
    /// Encrypt what is written in it anew to the officers of now, after one came or left
    Rewrap {
        report: ReportId,
        #[arg(long, value_name = "FILE")]
        identity: PathBuf,
    },
    /// Write to whoever reported
    Write {
        report: ReportId,
        #[arg(long, value_name = "TEXT|@FILE")]
        text: Words,
        #[arg(long, value_name = "FILE")]
        identity: PathBuf,
    },
    /// Tell whoever reported what came of it
    Tell {
        report: ReportId,
        #[arg(long, value_name = "TEXT|@FILE")]
        text: Words,
        #[arg(long, value_name = "FILE")]
        identity: PathBuf,
    },
    /// Say where a report ultimately comes from: what shares an origin counts once
    Trace {
        report: ReportId,
        #[arg(long)]
        origin: Origin,
    },
    /// Say what becomes of a report
    Triage {
        report: ReportId,
        #[command(flatten)]
        outcome: Outcome,
    },
    /// Custodian B: open the outer lock on who made a named report
    OpenOuter {
        report: ReportId,
        /// The digest of the identity, as the report's first text names it
        text: Text,
        #[command(flatten)]
        with: Custody,
    },
    /// Custodian A: open the inner lock, on what custodian B's gave
    OpenInner {
        report: ReportId,
        /// What `open-outer` wrote
        #[arg(value_name = "FILE")]
        sealed: PathBuf,
        #[command(flatten)]
        with: Custody,
    },
}

#[derive(clap::Args, Debug)]
struct Custody {
    #[arg(long, value_name = "FILE")]
    identity: PathBuf,
    /// Why; in the record before anything is given
    #[arg(long)]
    purpose: String,
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(clap::Args, Debug)]
struct Send {
    #[command(flatten)]
    what: What,
    /// Somebody, or a team by its lead, who must not see it
    #[arg(long, value_name = "PERSON")]
    keep_from: Vec<PersonId>,
    /// Your name and how to reach you, which two custodians keep and open only together
    #[arg(long, value_name = "TEXT|@FILE")]
    name: Option<Words>,
    /// You are an employee: the whistleblower directive's clocks hold
    #[arg(long)]
    employee: bool,
}

/// What is sent.
#[derive(clap::Args, Debug)]
struct What {
    /// In your words
    #[arg(long, value_name = "TEXT|@FILE")]
    text: Words,
    /// A file with it; one that is already encrypted with age is kept as it is
    #[arg(long, value_name = "FILE")]
    file: Vec<PathBuf>,
}

#[derive(clap::Args, Debug)]
#[group(required = true, multiple = false)]
struct Outcome {
    /// A case opened on it, or it joined one
    #[arg(long)]
    case: Option<CaseId>,
    /// Nothing in it is about a clause of the terms, because
    #[arg(long, value_name = "TEXT|@FILE")]
    outside: Option<Words>,
    /// Precise and credible: billing metadata is held the same day, as the finding says: a digest, or @FILE
    #[arg(long, value_name = "FINDING", value_parser = digest)]
    hold: Option<Digest>,
}

/// Runs it.
pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    if let Verb::Check { proof, key } = &args.verb {
        return check(proof, key);
    }
    office::run(async {
        let office = Office::open(&args.asking).await?;
        match args.verb {
            Verb::Send(send) => send.run(&office).await,
            Verb::Mailbox { receipt } => mailbox(&office, &keys(&receipt)?).await,
            Verb::Add { receipt, what } => more(&office, &receipt, Purpose::Add, &what).await,
            Verb::AskReview { receipt, what } => more(&office, &receipt, Purpose::AskReview, &what).await,
            Verb::Prove { receipt, out } => prove(&office, &keys(&receipt)?, &out).await,
            Verb::List => list(&office).await,
            Verb::Read { report, identity, purpose, files } => {
                read(&office, &report, &identity, &purpose, files.as_deref()).await
            }
            Verb::Rewrap { report, identity } => {
                let identity = office::identity(&identity)?;
                let who = office.who()?;
                let rewrapped = office.clerk.rewrap_report(&office.papers, who, &report, &identity, office.now).await?;
                office.rewrapped(rewrapped)
            }
            Verb::Write { report, text, identity } => answer(&office, &report, &text, &identity, false).await,
            Verb::Tell { report, text, identity } => answer(&office, &report, &text, &identity, true).await,
            Verb::Trace { report, origin } => handle(&office, &report, Deed::Trace { origin }).await,
            Verb::Triage { report, outcome } => {
                let triage = match (outcome.case, outcome.outside, outcome.hold) {
                    (Some(case), ..) => Triage::Case { case },
                    (_, Some(reason), _) => {
                        Triage::Outside { reason: office.keep_for(None, &Default::default(), &reason).await? }
                    }
                    (.., Some(finding)) => Triage::Hold { finding },
                    _ => {
                        return Err(Failure::Refused("say what becomes of it: --case, --outside or --hold".to_owned()));
                    }
                };
                handle(&office, &report, Deed::Triage(triage)).await
            }
            Verb::OpenOuter { report, text, with } => unlock(&office, &report, Lock::Outer(text), &with).await,
            Verb::OpenInner { report, sealed, with } => {
                let sealed = bytes(&sealed)?;
                unlock(&office, &report, Lock::Inner(&sealed), &with).await
            }
            Verb::Check { .. } => Err(Failure::Defect("a proof is checked before the record is opened".to_owned())),
        }
    })
}

fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::Refused(format!("{}: {error}", path.display())))
}

/// The keys of a receipt that is in a file, or typed.
fn keys(path: &Path) -> Result<Keys, Failure> {
    let mut typed = Zeroizing::new(String::new());
    let read = if path == Path::new("-") {
        std::io::stdin().take(4_096).read_to_string(&mut typed)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(4_096).read_to_string(&mut typed))
    };
    read.map_err(|error| Failure::Refused(format!("{}: {error}", path.display())))?;
    let receipt: Receipt = typed.parse().map_err(|error| refused(&error))?;
    receipt.keys().map_err(|error| refused(&error))
}

impl What {
    fn files(&self) -> Result<Vec<(String, Vec<u8>)>, Failure> {
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.file.iter().map(|path| Ok((name(path), bytes(path)?))).collect()
    }
}

impl Send {
    async fn run(self, office: &Office) -> Result<ExitCode, Failure> {
        let files = self.what.files()?;
        let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        let channel = match (&self.name, self.employee) {
            (_, true) => Channel::Employee,
            (Some(_), false) => Channel::Named,
            (None, false) => Channel::Anonymous,
        };
        let reporting = Reporting {
            channel,
            who: self.name.as_ref().map(|name| name.0.as_str()),
            keep_from: &self.keep_from.iter().cloned().collect(),
            sending: Sending { text: &self.what.text.0, files: &files },
        };
        let receipt = office.clerk.receive(&office.papers, reporting, office.now).await?.to_string();
        let said = "It is kept, encrypted. These seven words are your receipt; nobody else has them, and they cannot be\n\
                    had again. With them you read answers and follow what becomes of it:";
        office.print(&receipt, &format!("{said}\n\n    {receipt}\n"))
    }
}

async fn more(office: &Office, receipt: &Path, purpose: Purpose<'_>, what: &What) -> Result<ExitCode, Failure> {
    let keys = keys(receipt)?;
    let files = what.files()?;
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let sending = Sending { text: &what.text.0, files: &files };
    office.clerk.receive_more(&office.papers, &keys, purpose, sending, office.now).await?;
    office.print(&(), "It is kept, encrypted.")
}

async fn mailbox(office: &Office, keys: &Keys) -> Result<ExitCode, Failure> {
    #[derive(Serialize)]
    struct Shown {
        stage: &'static str,
        letters: Vec<(String, Option<String>)>,
    }
    let mailbox = office.clerk.mailbox(keys).await?;
    let stage = match mailbox.stage {
        Stage::Nothing => "nothing is here under these words",
        Stage::Received => "it came in, and is kept",
        Stage::Acknowledged => "it is in the record; an officer will look at it",
        Stage::LookedAt => "an officer looked at it",
        Stage::Told => "you were told what came of it",
    };
    let says = |letter: Letter| match letter.kind {
        LetterKind::CheckIn(months) => (letter.day, Some(question(months))),
        LetterKind::Written | LetterKind::Outcome => (letter.day, letter.text),
    };
    let letters: Vec<_> = mailbox.letters.into_iter().map(says).collect();
    let mut text = format!("{stage}\n");
    for (day, letter) in &letters {
        let _ = writeln!(text, "\n{day}\n{}", letter.as_deref().unwrap_or("(cannot be opened any more)"));
    }
    office.print(&Shown { stage, letters }, &text)
}

/// What Tribune itself asks who works here.
fn question(months: u8) -> String {
    format!(
        "Months since your report: {months}. Has anybody made you suffer for it, or threatened to? If so, write it with \
         `tribune report add`; if not, you need not answer."
    )
}

async fn prove(office: &Office, keys: &Keys, out: &Path) -> Result<ExitCode, Failure> {
    let log = office.public_log().await?;
    let proof = office.clerk.prove_report(&log, &keys.report).await?;
    let not_yet = "nothing of these words is in the public log yet; it is once the day's batch was published";
    let proof = proof.ok_or_else(|| Failure::Refused(not_yet.to_owned()))?;
    write(out, proof.to_string().as_bytes())?;
    office.print(&(), &format!("{}: check it with `tribune report check {0} --key {}`", out.display(), log.key()))
}

fn check(path: &Path, key: &Verifier) -> Result<ExitCode, Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::Refused(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    let proof: Proof = text.parse().map_err(|error| wrong(&error))?;
    let policy = Policy::new(key.name(), vec![key.clone()], Vec::new(), 0).map_err(|error| wrong(&error))?;
    let shown = shown::check(&proof, &policy).map_err(|error| wrong(&error))?;
    let size = shown.believed.checkpoint.tree().size;
    let said =
        format!("a report came in on {}; it is in the log of {size} entries that {} signed", shown.day, key.name());
    output(None, |out| crate::common::put(&mut &mut *out, &said))?;
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    output(Some(path), |file| {
        file.write_all(bytes).map_err(|source| Failure::Write { path: path.display().to_string(), source })
    })
}

// ---- officers and custodians ----------------------------------------------------------------------------------------

async fn list(office: &Office) -> Result<ExitCode, Failure> {
    #[derive(Serialize)]
    struct Line {
        report: String,
        channel: Channel,
        received: String,
        triaged: bool,
        told: bool,
        review_asked: bool,
        origin: Option<String>,
    }
    let reports = office.clerk.reports(office.who()?, office.now).await?;
    let line = |report: &review::report::Report| Line {
        report: report.id.to_string(),
        channel: report.channel,
        received: report.received.day(),
        triaged: !report.triage.is_empty(),
        told: report.told.is_some(),
        review_asked: report.review_asked,
        origin: report.origin.as_ref().map(ToString::to_string),
    };
    let lines: Vec<Line> = reports.iter().map(|report| line(report)).collect();
    let mut text = String::new();
    for (line, report) in lines.iter().zip(&reports) {
        let next = match (line.triaged, line.review_asked, line.told) {
            (false, ..) => "to be looked at",
            (_, true, _) => "others are to look again",
            (true, false, false) => "its reporter is to be told",
            (true, false, true) => "done",
        };
        let _ = writeln!(text, "{}  {:?}, {}: {next}", line.report, report.channel, line.received);
    }
    if lines.is_empty() {
        text.push_str("no report; what came in today is drained by `tribune record day`");
    }
    office.print(&lines, &text)
}

async fn read(
    office: &Office,
    report: &ReportId,
    identity: &Path,
    purpose: &str,
    files: Option<&Path>,
) -> Result<ExitCode, Failure> {
    #[derive(Serialize)]
    struct Part {
        day: String,
        deed: String,
        text: Option<String>,
        files: Vec<Text>,
        identity: Option<Text>,
    }
    let identity = office::identity(identity)?;
    let opened = office.clerk.read_report(office.who()?, report, &identity, purpose, office.now).await?;
    let mut parts = Vec::new();
    for Opened { event, sheet } in &opened {
        let deed = serde_json::to_value(&event.deed).map_err(|error| Failure::Defect(error.to_string()))?;
        let deed = deed.get("act").and_then(|act| act.as_str()).unwrap_or_default().replace('_', " ");
        parts.push(Part {
            day: event.at.day(),
            deed,
            text: sheet.as_ref().map(clerk::sealed::Sheet::text),
            files: sheet.as_ref().map(|sheet| sheet.files.clone()).unwrap_or_default(),
            identity: sheet.as_ref().and_then(|sheet| sheet.identity),
        });
        for text in sheet.iter().flat_map(|sheet| &sheet.files) {
            let Some(folder) = files else { continue };
            let Some(sealed) = office.clerk.record().ciphertext(*text).await.map_err(clerk::Error::from)? else {
                continue;
            };
            let file = clerk::sealed::Sheet::open(&sealed, &identity, report).map_err(|error| refused(&error))?;
            std::fs::create_dir_all(folder)
                .map_err(|source| Failure::Write { path: folder.display().to_string(), source })?;
            let name = file.name.clone().unwrap_or_else(|| "file".to_owned());
            write(&folder.join(clerk::sealed::file_name(&name)), &file.body)?;
        }
    }
    let mut text = String::new();
    for part in &parts {
        let _ = writeln!(text, "{}  {}", part.day, part.deed);
        if let Some(said) = &part.text {
            let _ = writeln!(text, "    {}", said.replace('\n', "\n    "));
        }
        for file in &part.files {
            let _ = writeln!(text, "    a file: {file}");
        }
        if let Some(who) = part.identity {
            let _ = writeln!(text, "    a name, under two locks: {who}");
        }
    }
    office.print(&parts, &text)
}

async fn answer(
    office: &Office,
    report: &ReportId,
    text: &Words,
    identity: &Path,
    outcome: bool,
) -> Result<ExitCode, Failure> {
    let identity = office::identity(identity)?;
    let sent = office.sent()?;
    let done = office.clerk.answer_report(&office.papers, &sent, report, &identity, &text.0, outcome).await?;
    office.say(&format!("report {report}"), done)
}

async fn handle(office: &Office, report: &ReportId, deed: Deed) -> Result<ExitCode, Failure> {
    let done = office.clerk.handle_report(&office.sent()?, report, deed).await?;
    office.say(&format!("report {report}"), done)
}

async fn unlock(office: &Office, report: &ReportId, lock: Lock<'_>, with: &Custody) -> Result<ExitCode, Failure> {
    let identity = office::identity(&with.identity)?;
    let opened = office.clerk.open_identity(office.who()?, report, lock, &identity, &with.purpose, office.now).await?;
    crate::record::write_secret(&with.out, &opened)?;
    office.print(&(), &format!("{}; the opening is in the record", with.out.display()))
}
