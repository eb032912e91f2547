//! `tribune case`: a case carried from a shell, one verb for each thing that can happen to it.
//!
//! What may happen is for the rules to say; this turns words into acts. Decisions and appeals have commands of their own,
//! and what is said in more than a word is read by `forms`.

mod forms;
mod print;

use crate::common::{Failure, output, put};
use crate::office::{self, Asking, Office, Words, digest, time};
use clap::Subcommand;
use clerk::{File, proofs};
use forms::{Choice, Close, Evidence, From, FromWhere, Open, determination, role};
use review::act::{Act, Contact, Leaving};
use review::words::{AccountId, CaseId, DecisionId, Digest, EvidenceId, ItemId, Moment, PersonId, Role, StepId};
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
  then: tribune decision --help, tribune appeal --help
  tribune case close CASE --remedy … --consulted … --lesson … --as ann
  tribune case tell-employees CASE --text @told.txt --as ann   (whenever something was made known)")]
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
    /// A proof to keep that an event of a case is in the public log; `tribune log check` reads it
    #[command(after_help = "Example:\n  \
        tribune case prove CASE 12 --out event-12.tlog-proof --purpose 'for the court' --as ann")]
    Prove {
        case: CaseId,
        /// The number of the event in the case
        event: u64,
        /// By the entry that the event made public itself, not by its commitment among its day's
        #[arg(long)]
        own: bool,
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// What it is for
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
    /// Record a check of a decision in effect, 30, 90 and 180 days after; one that is not as it should be is a follow-up
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
    /// Look again at a decision in effect, as it said when it was made: it stands. To end it, `tribune decision lift`
    LookAgain {
        case: CaseId,
        decision: DecisionId,
        /// Why it stands
        #[arg(long, value_name = "TEXT|@FILE")]
        reasons: Words,
        /// When it is looked at next; none where it ends by itself
        #[arg(long, value_parser = time)]
        next: Option<Moment>,
    },
    /// Say, as one of two, whether a declared use may go on, once every step is done
    DecideUse(forms::OfUse),
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
    /// Record that the provider's own people are told what was decided, and in which words
    #[command(after_help = "Example, once a statement or a correction is out, or the case is closed:\n  \
        tribune case confirm CASE @told.txt --written-by ann --as ned\n  \
        tribune case tell-employees CASE --text @told.txt --as ann\n\n\
        It tells of everything that they were not told yet. It names the customer only where two who decide said so.")]
    TellEmployees {
        case: CaseId,
        #[arg(long, value_name = "TEXT|@FILE")]
        text: Words,
    },
    /// Put a case off to a day: until then it is nobody's to do, unless something comes in
    #[command(after_help = "Example:\n  \
        tribune case hold CASE --until 2026-03-20T00:00:00Z --reason 'the customer answers by then' --as ann")]
    Hold {
        case: CaseId,
        #[arg(long, value_name = "TIME", value_parser = time)]
        until: Moment,
        #[arg(long, value_name = "TEXT|@FILE")]
        reason: Words,
    },
    /// Take up a case that is put off, before its day
    TakeUp { case: CaseId },
    /// Ask counsel, those who decide or the panel: it comes first with them until one of them responds
    Escalate {
        case: CaseId,
        /// counsel, decider or appeal-panel
        #[arg(long, value_parser = role)]
        to: Role,
        /// What you ask, and why
        #[arg(long, value_name = "TEXT|@FILE")]
        reason: Words,
    },
    /// Answer what was escalated to a role that you have in the case
    Respond {
        case: CaseId,
        #[arg(long, value_parser = role)]
        role: Role,
        #[arg(long, value_name = "TEXT|@FILE")]
        answer: Words,
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

/// Runs it.
pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    office::run(async {
        let office = Office::open(&args.asking).await?;
        match args.verb {
            Verb::List
            | Verb::Limits
            | Verb::Show { .. }
            | Verb::Prove { .. }
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
            Verb::TellEmployees { case, text } => {
                let done = office.clerk.tell_employees(&office.papers, &office.sent()?, &case, &text.0).await?;
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
        Verb::Prove { case, event, own, out, purpose } => {
            let file = office.clerk.look(&office.sender()?, &case, &purpose, office.now).await?;
            prove(office, &file, event, own, &out).await
        }
        Verb::Read { case, text, identity, purpose } => {
            let identity = office::identity(&identity)?;
            let text = office.clerk.read_text(office.who()?, &case, text, &identity, &purpose, office.now).await?;
            let text = String::from_utf8_lossy(&text).into_owned();
            office.print(&text, &text)
        }
        Verb::Rewrap { case, identity } => {
            let identity = office::identity(&identity)?;
            office.rewrapped(office.clerk.rewrap(&office.papers, office.who()?, &case, &identity, office.now).await?)
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

async fn prove(office: &Office, file: &File, event: u64, own: bool, out: &Path) -> Result<ExitCode, Failure> {
    let refused = |why: String| Failure::Refused(why);
    let place = event.checked_sub(1).and_then(|place| usize::try_from(place).ok());
    let place = place.filter(|place| *place < file.events.len());
    let none = || refused(format!("{} has no event {event}; it has {}", file.case.id, file.events.len()));
    let place = place.ok_or_else(none)?;
    let found = office.clerk.events_in_log(file, place..place + 1).await?.pop().ok_or_else(none)?;
    let (entry, commitment) = match own {
        true => (found.own.into_iter().find_map(|(_, place)| place), None),
        false => (found.batch, Some(found.commitment)),
    };
    let not_yet = "it is not in the public log so, or not yet: the day's batch is published by `tribune record day`";
    let entry = entry.ok_or_else(|| refused(not_yet.to_owned()))?;
    let log = office.public_log().await?;
    let at = log.prove(entry.index, Vec::new()).await.map_err(|error| refused(error.to_string()))?;
    let proof = proofs::prove(&entry, commitment, at.hashes, at.checkpoint);
    let proof = proof.map_err(|error| refused(error.to_string()))?;
    output(Some(out), |file| put(&mut &mut *file, proof.to_string().trim_end_matches('\n')))?;
    office.print(&(), &format!("{}: check it with `tribune log check {0} --key {}`", out.display(), log.key()))
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
        Verb::LookAgain { case, decision, reasons, next } => {
            let reasons = office.keep(&case, &reasons).await?;
            (case, Act::LookAgain { decision, reasons, next })
        }
        Verb::DecideUse(of_use) => of_use.act(office).await?,
        Verb::NamePublicly { case, reasons } => {
            let reasons = office.keep(&case, &reasons).await?;
            (case, Act::NamePublicly { reasons })
        }
        Verb::Hold { case, until, reason } => {
            let reason = office.keep(&case, &reason).await?;
            (case, Act::Hold { until, reason })
        }
        Verb::TakeUp { case } => (case, Act::TakeUp),
        Verb::Escalate { case, to, reason } => {
            let reason = office.keep(&case, &reason).await?;
            (case, Act::Escalate { to, reason })
        }
        Verb::Respond { case, role, answer } => {
            let answer = office.keep(&case, &answer).await?;
            (case, Act::Respond { role, answer })
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
            let (text, until) = (office.keep_for_customer(&case, &text.0).await?, office.now.plus_days(days));
            (case, Act::Ask { id: question, text, until })
        }
        Verb::Answer { case, question, text, .. } => {
            let text = match &text {
                Some(text) => Some(office.keep_for_customer(&case, &text.0).await?),
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
