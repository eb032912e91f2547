//! `tribune case`: a case carried from a shell, one verb for each thing that can happen to it.
//!
//! What may happen is for the rules to say; this turns words into acts. Decisions and appeals have commands of their own.

mod print;

use crate::common::Failure;
use crate::office::{self, Asking, Office, Words, digest, time};
use clap::{Subcommand, ValueEnum};
use clerk::{Sender, Sent};
use review::Decibans;
use review::act::{
    Act, Closing, Contact, DeclaredUse, Determination, ElementAnswer, Established, Item, Kind, Leaving, Opening, Source,
};
use review::procedure::Basis;
use review::words::{
    AccountId, CaseId, CustomerId, DecisionId, Digest, ElementId, EvidenceId, ItemId, Moment, Origin, PersonId,
    ReportId, Role, ServiceId, Standard, StepId,
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Carry a case: open it, gather evidence, hear the customer, determine, close it.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
How a case goes, from finding to close:
  tribune case open --policy mass-surveillance --finding findings.json --rank 1 --as ann
  tribune case evidence CASE x1 --explanation explanation.json --as ann   (tribune explain --format json)
  tribune case assign CASE --person ben --role decider --as ann
  tribune case declare CASE --none --as ben
  tribune case evidence CASE m1 --basis meters --text @rollup.json --about a1:object-storage \\\n      --origin provider --as ann
  tribune case step CASE facts --note 'what was gathered' --as ann
  tribune case ask CASE q1 --text @question.txt --days 14 --as ann     (first: case confirm, by a second person)
  tribune case determine CASE --file determination.toml --as ann
  then: tribune decision --help, tribune appeal --help")]
pub(crate) struct Args {
    #[command(flatten)]
    asking: Asking,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Every case, what it waits for, and what it missed
    List,
    /// The limits under which declared uses go on, as columns of facts.csv: what the watch holds them to
    Limits,
    /// A case as it stands; the look is in the record
    #[command(after_help = "Example:\n  tribune case show case-k3vm9q2a --purpose 'taking over from Ann' --as ben")]
    Show {
        case: CaseId,
        /// What you look for
        #[arg(long)]
        purpose: String,
    },
    /// A private text of a case, read with your own age identity
    Read {
        case: CaseId,
        /// Its digest
        text: Digest,
        /// Your identity, as `age-keygen` wrote it
        #[arg(long, value_name = "FILE")]
        identity: PathBuf,
        /// What you read it for
        #[arg(long)]
        purpose: String,
    },
    /// Encrypt a case's texts anew to those who may read them now
    Rewrap {
        case: CaseId,
        /// An identity that opens them now
        #[arg(long, value_name = "FILE")]
        identity: PathBuf,
    },
    /// Hold a case's events against the invariants, by code that shares nothing with the rules
    Audit { case: CaseId },
    /// Open a case from a finding, from reports, or from both
    Open(Open),
    /// Let another finding or report of the same workload join
    Join {
        case: CaseId,
        #[command(flatten)]
        from: From,
    },
    /// Let a case take in another of the same workload
    Merge {
        case: CaseId,
        /// The one that goes on in it
        #[arg(long, value_name = "CASE")]
        take: CaseId,
    },
    /// Give somebody a part in a case
    Assign {
        case: CaseId,
        #[arg(long)]
        person: PersonId,
        #[arg(long, value_parser = role)]
        role: Role,
    },
    /// Say whether you have a conflict
    Declare {
        case: CaseId,
        /// You have none
        #[arg(long, required_unless_present = "conflict", conflicts_with = "conflict")]
        none: bool,
        /// What it is
        #[arg(long, value_name = "TEXT|@FILE")]
        conflict: Option<Words>,
    },
    /// Let somebody take no part any more: who has a conflict, or left
    Release {
        case: CaseId,
        #[arg(long)]
        person: PersonId,
    },
    /// Record that sales, an executive or an authority spoke with somebody who reviews or decides
    Contact {
        case: CaseId,
        #[arg(long)]
        from: FromWhere,
        #[arg(long, value_name = "PERSON")]
        with: PersonId,
        #[arg(long, value_name = "TEXT|@FILE")]
        about: Words,
    },
    /// Say that a step is done
    Step {
        case: CaseId,
        step: StepId,
        #[arg(long, value_name = "TEXT|@FILE")]
        note: Words,
    },
    /// Add an item of evidence
    Evidence(Evidence),
    /// Record that somebody handled an item
    Handle {
        case: CaseId,
        evidence: EvidenceId,
        #[arg(long, value_name = "TEXT|@FILE")]
        note: Words,
    },
    /// Keep a text that is to leave, or counsel's privileged note; prints its digest
    Text {
        case: CaseId,
        #[arg(value_name = "TEXT|@FILE")]
        text: Words,
        /// Only for these roles of the case
        #[arg(long, value_parser = role)]
        only: Vec<Role>,
    },
    /// Confirm, as a second person, that a text which is to leave identifies no source
    Confirm {
        case: CaseId,
        /// The text's digest, or @FILE
        #[arg(value_parser = digest)]
        text: Digest,
        /// Who wrote it
        #[arg(long, value_name = "PERSON")]
        written_by: PersonId,
    },
    /// Ask the customer, with the reasons
    Ask {
        case: CaseId,
        question: ItemId,
        #[arg(long, value_name = "TEXT|@FILE")]
        text: Words,
        /// Days it has to answer
        #[arg(long, default_value_t = 14)]
        days: i64,
    },
    /// The customer answers, or refuses to
    #[command(after_help = "Example:\n  tribune case answer case-k3vm9q2a q1 --text @answer.txt --as customer:acme")]
    Answer {
        case: CaseId,
        question: ItemId,
        #[arg(long, value_name = "TEXT|@FILE", required_unless_present = "refuse")]
        text: Option<Words>,
        /// It refuses
        #[arg(long)]
        refuse: bool,
    },
    /// Record, as one of two, why the customer is not heard before
    WaiveHearing {
        case: CaseId,
        #[arg(long, value_name = "TEXT|@FILE")]
        reason: Words,
    },
    /// Answer every element of the clause
    #[command(after_help = "Example of the file, with every element of the clause:\n  \
        view = \"meters of two services; not: what the recordings are\"\n  \
        [E1]\n  answer = \"established\"          # not-established, inconclusive\n  \
        standard = \"more-likely-than-not\"   # reasonable-suspicion, clear-and-convincing\n  \
        evidence = [\"m1\", \"doc\"]\n  reasons = \"why\"                   # or @FILE")]
    Determine {
        case: CaseId,
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
    /// Record that you see a determination otherwise
    Dissent {
        case: CaseId,
        /// Which, from 0
        #[arg(long, value_name = "N")]
        determination: usize,
        #[arg(long, value_name = "TEXT|@FILE")]
        opinion: Words,
    },
    /// Record that data moves out of the workload's accounts: two decide within 24 hours
    Leaving {
        case: CaseId,
        /// The finding that shows it: a digest, or @FILE
        #[arg(long, value_parser = digest)]
        finding: Digest,
    },
    /// Decide, as one of two, about data that leaves
    DecideLeaving {
        case: CaseId,
        #[arg(long)]
        choice: Choice,
        /// The legal order, to preserve
        #[arg(long, value_name = "TEXT|@FILE", required_if_eq("choice", "preserve"))]
        order: Option<Words>,
        /// Why, and that preserving prolongs harm too was weighed
        #[arg(long, value_name = "TEXT|@FILE")]
        reasons: Words,
    },
    /// Entrust somebody with what people are to end by a decision in effect
    Entrust {
        case: CaseId,
        decision: DecisionId,
        #[arg(long, value_name = "PERSON")]
        to: PersonId,
        #[arg(long, value_name = "TIME", value_parser = time)]
        due: Moment,
    },
    /// Attest that what was entrusted to you is done
    Attest {
        case: CaseId,
        decision: DecisionId,
        #[arg(long, value_name = "TEXT|@FILE")]
        note: Words,
    },
    /// Record a check of a decision in effect, 30, 90 and 180 days after
    Check {
        case: CaseId,
        decision: DecisionId,
        #[arg(long)]
        days: u16,
        /// Whether the restricted use is at zero
        #[arg(long, action = clap::ArgAction::Set)]
        use_ended: bool,
        /// Whether other use is as before
        #[arg(long, action = clap::ArgAction::Set)]
        rest_as_before: bool,
    },
    /// Record that the use may have come back elsewhere
    FollowUp {
        case: CaseId,
        item: ItemId,
        #[arg(long)]
        account: Option<AccountId>,
        /// What shows it: a digest, or @FILE
        #[arg(long, value_parser = digest)]
        finding: Digest,
    },
    /// Say what became of a follow-up
    Settle {
        case: CaseId,
        item: ItemId,
        #[arg(long, value_name = "TEXT|@FILE")]
        note: Words,
    },
    /// Say, as one of two, that the customer may be named in public
    NamePublicly {
        case: CaseId,
        #[arg(long, value_name = "TEXT|@FILE")]
        reasons: Words,
    },
    /// Correct what was published; the correction is public
    Correct {
        case: CaseId,
        /// The public statement, or earlier correction: its digest, or @FILE
        #[arg(value_parser = digest)]
        statement: Digest,
        #[arg(long, value_name = "TEXT|@FILE")]
        text: Words,
    },
    /// Close a case, with what is done for those affected and what is learnt
    Close(Close),
    /// Reopen a closed case on new material; others review it
    Reopen {
        case: CaseId,
        /// The evidence that is new
        #[arg(long, value_name = "EVIDENCE")]
        material: EvidenceId,
    },
}

#[derive(clap::Args, Debug)]
struct Open {
    /// The policy pack
    #[arg(long, default_value = "mass-surveillance")]
    policy: String,
    #[command(flatten)]
    from: From,
    /// The customer; the finding's where one is named
    #[arg(long)]
    customer: Option<CustomerId>,
    /// Review a use that is declared, before or under a contract
    #[arg(long)]
    declared_use: bool,
    /// What `tribune explain --format json` printed of the workload: kept with the case as evidence, and drawn there
    #[arg(long, value_name = "FILE")]
    explanation: Option<PathBuf>,
}

/// What brings a case about.
#[derive(clap::Args, Debug)]
struct From {
    /// What `tribune scan --format json --out FILE` wrote
    #[arg(long, value_name = "FILE", requires = "rank")]
    finding: Option<PathBuf>,
    /// Which finding of it
    #[arg(long, value_name = "N")]
    rank: Option<u32>,
    /// A report
    #[arg(long, value_name = "REPORT")]
    report: Vec<ReportId>,
    /// An account of the workload; those of the finding are in anyhow
    #[arg(long, value_name = "ACCOUNT")]
    account: Vec<AccountId>,
}

#[derive(clap::Args, Debug)]
struct Evidence {
    case: CaseId,
    id: EvidenceId,
    /// Its content, kept private
    #[arg(long, value_name = "TEXT|@FILE", required_unless_present_any = ["digest", "explanation"])]
    text: Option<Words>,
    /// What `tribune explain --format json` printed: evidence of the provider's own meters
    #[arg(long, value_name = "FILE", conflicts_with_all = ["text", "digest"])]
    explanation: Option<PathBuf>,
    /// The digest of content that is kept elsewhere, or @FILE
    #[arg(long, value_parser = digest)]
    digest: Option<Digest>,
    /// What it is, for what it may show
    #[arg(long, required_unless_present = "explanation")]
    basis: Option<OfWhat>,
    /// Where it ultimately comes from: what shares an origin counts once; of an explanation, the provider itself
    #[arg(long, required_unless_present = "explanation")]
    origin: Option<Origin>,
    /// Nobody knows who made it
    #[arg(long)]
    anonymous: bool,
    /// What it is about: ACCOUNT or ACCOUNT:SERVICE
    #[arg(long, value_name = "ACCOUNT[:SERVICE]", value_parser = about)]
    about: Vec<(AccountId, Option<ServiceId>)>,
}

#[derive(clap::Args, Debug)]
struct Close {
    case: CaseId,
    /// What is done for those who were affected, or why nothing
    #[arg(long, value_name = "TEXT|@FILE")]
    remedy: Words,
    /// How they, or who speaks for them, were consulted
    #[arg(long, value_name = "TEXT|@FILE")]
    consulted: Words,
    /// What is learnt from it
    #[arg(long, value_name = "TEXT|@FILE")]
    lesson: Words,
    /// Of a declared use: whether it may go on
    #[arg(long)]
    declared_use: Option<MayGoOn>,
    /// The condition: calls an hour, at most
    #[arg(long, required_if_eq("declared_use", "conditions"))]
    calls_per_hour: Option<i64>,
    /// The condition: until when
    #[arg(long, value_parser = time, required_if_eq("declared_use", "conditions"))]
    until: Option<Moment>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FromWhere {
    Sales,
    Executive,
    Authority,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OfWhat {
    Meters,
    Document,
    OutsideSource,
    CustomerAnswer,
    Opinion,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Choice {
    LetGo,
    HoldExport,
    Preserve,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum MayGoOn {
    Approved,
    Conditions,
    Rejected,
}

pub(crate) fn role(text: &str) -> Result<Role, String> {
    let known = || Role::ALL.map(Role::name).join(", ");
    Role::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| format!("one of: {}", known()))
}

fn about(text: &str) -> Result<(AccountId, Option<ServiceId>), String> {
    let wrong = |error: review::words::FormError| error.to_string();
    match text.rsplit_once(':') {
        Some((account, service)) => Ok((account.parse().map_err(wrong)?, Some(service.parse().map_err(wrong)?))),
        None => Ok((text.parse().map_err(wrong)?, None)),
    }
}

/// Runs it.
pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    office::run(async {
        let office = Office::open(&args.asking).await?;
        match args.verb {
            Verb::List
            | Verb::Limits
            | Verb::Show { .. }
            | Verb::Read { .. }
            | Verb::Rewrap { .. }
            | Verb::Audit { .. } => look(&office, args.verb).await,
            Verb::Open(open) => open.run(&office).await,
            Verb::Merge { case, take } => {
                let done = office.clerk.merge(&office.sent()?, &case, &take).await?;
                office.say(&format!("case {case}"), done)
            }
            Verb::Text { case, text, only } => {
                let kept = office.keep_for(Some(&case), &only.into_iter().collect(), &text).await?;
                office.print(&kept, &kept.to_string())
            }
            Verb::Correct { case, statement, text } => {
                let done = office.clerk.correct(&office.sent()?, &case, statement, &text.0).await?;
                office.publish(false).await?;
                office.say(&format!("case {case}"), done)
            }
            verb => {
                let (case, act) = act(&office, verb).await?;
                office.enact(&case, act).await
            }
        }
    })
}

async fn look(office: &Office, verb: Verb) -> Result<ExitCode, Failure> {
    match verb {
        Verb::Show { case, purpose } => {
            let file = office.clerk.look(&office.sender()?, &case, &purpose, office.now).await?;
            print::case(office, &file)
        }
        Verb::Read { case, text, identity, purpose } => {
            let identity = office::identity(&identity)?;
            let text = office.clerk.read_text(office.who()?, &case, text, &identity, &purpose, office.now).await?;
            let text = String::from_utf8_lossy(&text).into_owned();
            office.print(&text, &text)
        }
        Verb::Rewrap { case, identity } => {
            let identity = office::identity(&identity)?;
            let (done, shut) = office.clerk.rewrap(&office.papers, office.who()?, &case, &identity, office.now).await?;
            let rest = if shut > 0 {
                format!("; {shut} that this identity does not open stay as they were")
            } else {
                String::new()
            };
            office.print(&(done, shut), &format!("{done} texts are for those who may read them now{rest}"))
        }
        Verb::Audit { case } => {
            let file = office.clerk.look(&office.sender()?, &case, "an audit of the case", office.now).await?;
            let breaches = review::audit::audit(&file.events, &file.law.procedure, &office.clerk.roster().await?);
            let lines: Vec<String> = breaches.iter().map(ToString::to_string).collect();
            if lines.is_empty() {
                return office.print(&lines, &format!("{} events, and no invariant is broken", file.events.len()));
            }
            office.print(&lines, &lines.join("\n"))?;
            Err(Failure::Refused(format!("{} invariants were broken in {case}; see above", lines.len())))
        }
        Verb::Limits => print::limits(office).await,
        _ => print::list(office).await,
    }
}

impl Open {
    async fn run(self, office: &Office) -> Result<ExitCode, Failure> {
        let law = office.law(&self.policy)?;
        let explanation = self.explanation.as_deref().map(explanation).transpose()?;
        let (sources, accounts, customer) = self.from.read()?;
        let missing = || Failure::Refused("name the customer: --customer ID".to_owned());
        let opening = Opening {
            kind: if self.declared_use { Kind::DeclaredUse } else { Kind::Workload },
            policy: (law.id.clone(), law.version.clone(), law.digest),
            customer: self.customer.or(customer).ok_or_else(missing)?,
            accounts,
            sources,
        };
        let sent = office.sent()?;
        let (case, done) = office.clerk.open_case(&sent, &law, Act::Open(opening)).await?;
        if let Some(explanation) = explanation {
            let item = item_of(office, &case, &explanation).await?;
            let id = format!("{}-explanation", sent.id).parse().map_err(|error| office::refused(&error))?;
            office.clerk.enact(&Sent { id, ..sent }, &case, Act::AddEvidence(item)).await?;
        }
        office.say(&format!("case {case}"), done)
    }
}

/// An explanation, as it was printed: read whole, and its ledger added up again.
fn explanation(path: &Path) -> Result<Words, Failure> {
    let wrong = |what: String| Failure::Refused(format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    web::portrait::Explanation::read(text.as_bytes()).map_err(|why| wrong(why.to_string()))?;
    Ok(Words(text))
}

/// The item of evidence that an explanation is. It is about no service by itself, so that nothing is a target by it: what
/// is, evidence says that names the services.
async fn item_of(office: &Office, case: &CaseId, explanation: &Words) -> Result<Item, Failure> {
    let digest = office.keep(case, explanation).await?;
    let name = |text: &str| text.parse::<EvidenceId>().map_err(|error| office::refused(&error));
    let origin: Origin = PROVIDER.parse().map_err(|error| office::refused(&error))?;
    let (basis, about) = (Basis::Meters, BTreeSet::new());
    Ok(Item { id: name("explanation")?, digest, basis, origin, anonymous: false, about })
}

/// Where the provider's own meters come from.
const PROVIDER: &str = "provider";

/// As much of what `scan` writes as a case needs.
#[derive(Deserialize)]
struct Findings {
    records: RecordsHead,
    findings: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct RecordsHead {
    digest: Digest,
}

#[derive(Deserialize)]
struct FindingHead {
    rank: u32,
    customer: CustomerId,
    accounts: BTreeSet<AccountId>,
    score_db: Option<Decibans>,
}

type Brought = (BTreeSet<Source>, BTreeSet<AccountId>, Option<CustomerId>);

impl From {
    fn read(self) -> Result<Brought, Failure> {
        let reports = self.report.into_iter().map(|report| Source::Report { report });
        let mut brought: Brought = (reports.collect(), self.account.into_iter().collect(), None);
        let Some((path, rank)) = self.finding.zip(self.rank) else { return Ok(brought) };
        let wrong = |what: String| Failure::Refused(format!("{}: {what}", path.display()));
        let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        let findings: Findings = serde_json::from_str(&text)
            .map_err(|error| wrong(format!("not what `scan --format json` writes: {error}")))?;
        for finding in &findings.findings {
            let head: FindingHead =
                serde_json::from_value(finding.clone()).map_err(|error| wrong(error.to_string()))?;
            if head.rank == rank {
                let finding = Digest::of(serde_json::to_vec(finding).map_err(|error| wrong(error.to_string()))?);
                brought.0.insert(Source::Finding {
                    finding,
                    records: findings.records.digest,
                    score_db: head.score_db,
                });
                brought.1.extend(head.accounts);
                brought.2 = Some(head.customer);
                return Ok(brought);
            }
        }
        Err(wrong(format!("it has no finding of rank {rank}")))
    }
}

/// The act that a verb is.
async fn act(office: &Office, verb: Verb) -> Result<(CaseId, Act), Failure> {
    Ok(match verb {
        Verb::Join { case, from } => {
            let (sources, accounts, _) = from.read()?;
            let one = || Failure::Refused("name one thing that joins: --report, or --finding with --rank".to_owned());
            let source =
                Some(sources).filter(|sources| sources.len() == 1).and_then(|sources| sources.into_iter().next());
            (case, Act::Join { source: source.ok_or_else(one)?, accounts })
        }
        Verb::Assign { case, person, role } => (case, Act::Assign { person, role }),
        Verb::Declare { case, conflict, .. } => {
            let conflict = match &conflict {
                Some(conflict) => Some(office.keep(&case, conflict).await?),
                None => None,
            };
            (case, Act::Declare { conflict })
        }
        Verb::Release { case, person } => (case, Act::Release { person }),
        Verb::Contact { case, from, with, about } => {
            let from = match from {
                FromWhere::Sales => Contact::Sales,
                FromWhere::Executive => Contact::Executive,
                FromWhere::Authority => Contact::Authority,
            };
            let about = office.keep(&case, &about).await?;
            (case, Act::NoteContact { from, with, about })
        }
        Verb::Step { case, step, note } => {
            let note = office.keep(&case, &note).await?;
            (case, Act::CompleteStep { step, note })
        }
        Verb::Confirm { case, text, written_by } => (case, Act::ConfirmSafe { text, written_by }),
        Verb::Check { case, decision, days, use_ended, rest_as_before } => {
            (case, Act::Check { decision, days, use_ended, rest_as_before })
        }
        Verb::Entrust { case, decision, to, due } => (case, Act::Entrust { decision, to, due }),
        Verb::Attest { case, decision, note } => {
            let note = office.keep(&case, &note).await?;
            (case, Act::Attest { decision, note })
        }
        Verb::Leaving { case, finding } => (case, Act::NoteLeaving { finding }),
        Verb::FollowUp { case, item, account, finding } => (case, Act::FollowUp { id: item, account, finding }),
        Verb::Settle { case, item, note } => {
            let note = office.keep(&case, &note).await?;
            (case, Act::SettleFollowUp { id: item, note })
        }
        Verb::NamePublicly { case, reasons } => {
            let reasons = office.keep(&case, &reasons).await?;
            (case, Act::NamePublicly { reasons })
        }
        Verb::Close(close) => close.act(office).await?,
        Verb::Reopen { case, material } => (case, Act::Reopen { material }),
        verb => act_of_proof(office, verb).await?,
    })
}

/// The act that a verb about evidence, the hearing or the determination is.
async fn act_of_proof(office: &Office, verb: Verb) -> Result<(CaseId, Act), Failure> {
    Ok(match verb {
        Verb::Evidence(evidence) => evidence.act(office).await?,
        Verb::Handle { case, evidence, note } => {
            let note = office.keep(&case, &note).await?;
            (case, Act::HandleEvidence { evidence, note })
        }
        Verb::Ask { case, question, text, days } => {
            let (text, until) = (office.keep(&case, &text).await?, office.now.plus_days(days));
            (case, Act::Ask { id: question, text, until })
        }
        Verb::Answer { case, question, text, .. } => {
            let text = match &text {
                Some(text) => Some(office.keep(&case, text).await?),
                None => None,
            };
            (case, Act::Answer { id: question, text })
        }
        Verb::WaiveHearing { case, reason } => {
            let reason = office.keep(&case, &reason).await?;
            (case, Act::WaiveHearing { reason })
        }
        Verb::Determine { case, file } => {
            let act = determination(office, &case, &file).await?;
            (case, act)
        }
        Verb::Dissent { case, determination, opinion } => {
            let opinion = office.keep(&case, &opinion).await?;
            (case, Act::Dissent { determination, opinion })
        }
        Verb::DecideLeaving { case, choice, order, reasons } => {
            let choice = match (choice, order) {
                (Choice::LetGo, _) => Leaving::LetGo,
                (Choice::HoldExport, _) => Leaving::HoldExport,
                (Choice::Preserve, Some(order)) => Leaving::Preserve { order: office.keep(&case, &order).await? },
                (Choice::Preserve, None) => return Err(Failure::Refused("name the legal order: --order".to_owned())),
            };
            let reasons = office.keep(&case, &reasons).await?;
            (case, Act::DecideLeaving { choice, reasons })
        }
        _ => return Err(Failure::Defect("a verb of `case` has no act".to_owned())),
    })
}

impl Evidence {
    async fn act(self, office: &Office) -> Result<(CaseId, Act), Failure> {
        let about = self.about.into_iter().collect();
        if let Some(path) = &self.explanation {
            let item = item_of(office, &self.case, &explanation(path)?).await?;
            let item = Item { id: self.id, origin: self.origin.unwrap_or(item.origin), about, ..item };
            return Ok((self.case, Act::AddEvidence(item)));
        }
        let missing = |what: &str| Failure::Refused(format!("give {what}"));
        let digest = match (&self.text, self.digest) {
            (Some(text), _) => office.keep(&self.case, text).await?,
            (None, Some(digest)) => digest,
            (None, None) => return Err(missing("its content: --text, --digest or --explanation")),
        };
        let basis = match self.basis.ok_or_else(|| missing("what it is: --basis"))? {
            OfWhat::Meters => Basis::Meters,
            OfWhat::Document => Basis::Document,
            OfWhat::OutsideSource => Basis::OutsideSource,
            OfWhat::CustomerAnswer => Basis::CustomerAnswer,
            OfWhat::Opinion => Basis::Opinion,
        };
        let origin = self.origin.ok_or_else(|| missing("where it comes from: --origin"))?;
        let (id, anonymous) = (self.id, self.anonymous);
        Ok((self.case, Act::AddEvidence(Item { id, digest, basis, origin, anonymous, about })))
    }
}

impl Close {
    async fn act(self, office: &Office) -> Result<(CaseId, Act), Failure> {
        let declared_use = match (self.declared_use, self.calls_per_hour, self.until) {
            (None, ..) => None,
            (Some(MayGoOn::Approved), ..) => Some(DeclaredUse::Approved),
            (Some(MayGoOn::Rejected), ..) => Some(DeclaredUse::Rejected),
            (Some(MayGoOn::Conditions), calls, until) => {
                let (calls_per_hour, until) = calls
                    .zip(until)
                    .ok_or_else(|| Failure::Refused("conditions are --calls-per-hour and --until".to_owned()))?;
                Some(DeclaredUse::Conditions { calls_per_hour, until })
            }
        };
        let closing = Closing {
            remedy: office.keep(&self.case, &self.remedy).await?,
            consulted: office.keep(&self.case, &self.consulted).await?,
            lesson: office.keep(&self.case, &self.lesson).await?,
            declared_use,
        };
        Ok((self.case, Act::Close(closing)))
    }
}

/// What a determination's file says.
#[derive(Deserialize)]
struct DeterminationFile {
    view: String,
    #[serde(flatten)]
    elements: BTreeMap<ElementId, AnswerInFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerInFile {
    answer: Established,
    standard: Standard,
    #[serde(default)]
    evidence: BTreeSet<EvidenceId>,
    reasons: String,
}

async fn determination(office: &Office, case: &CaseId, file: &Path) -> Result<Act, Failure> {
    let wrong = |what: String| Failure::Refused(format!("{}: {what}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let read: DeterminationFile = toml::from_str(&text)
        .map_err(|error| wrong(format!("{error}; `tribune case determine --help` shows the form")))?;
    let words = |text: &str| text.parse::<Words>().map_err(&wrong);
    let mut elements = BTreeMap::new();
    for (element, AnswerInFile { answer, standard, evidence, reasons }) in read.elements {
        let reasons = office.keep(case, &words(&reasons)?).await?;
        elements.insert(element, ElementAnswer { answer, standard, evidence, reasons });
    }
    let view = office.keep(case, &words(&read.view)?).await?;
    let sender = match office.sender()? {
        Sender::Person(name) => Sender::Person(name),
        _ => return Err(Failure::Refused("people determine; say who: --as PERSON".to_owned())),
    };
    let file = office.clerk.look(&sender, case, "answering the elements of the clause", office.now).await?;
    let supersedes = file.case.standing_determination().map(|(place, _)| place);
    Ok(Act::Determine(Determination { elements, view, supersedes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_evidence_is_about_is_read_and_nonsense_is_not() {
        assert_eq!(about("a1"), Ok(("a1".parse().unwrap(), None)));
        let arn = about("arn:aws:a1:object-storage").unwrap();
        assert_eq!((arn.0.as_str(), arn.1.unwrap().as_str()), ("arn:aws:a1", "object-storage"));
        assert!(about("a1:").is_err() && about("").is_err() && about(":s").is_err());
        assert!(role("decider").is_ok() && role("boss").unwrap_err().contains("decider"));
    }

    #[test]
    fn a_finding_is_taken_by_its_rank_with_its_accounts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.json");
        let digest = Digest::of("records");
        let finding = r#"{"rank": 2, "customer": "acme", "accounts": ["a1", "a2"], "score_db": -3.0}"#;
        let text = format!(r#"{{"records": {{"digest": "{digest}", "rows": 1}}, "findings": [{finding}]}}"#);
        std::fs::write(&path, text).unwrap();
        let from = |rank| From { finding: Some(path.clone()), rank: Some(rank), report: vec![], account: vec![] };
        let (sources, accounts, customer) = from(2).read().unwrap();
        assert_eq!((sources.len(), accounts.len(), customer.unwrap().as_str()), (1, 2, "acme"));
        assert!(from(1).read().unwrap_err().to_string().contains("no finding of rank 1"));
        std::fs::write(&path, "{").unwrap();
        assert!(from(2).read().is_err());
    }
}
