//! `tribune appeal`: the customer, or whoever reported, challenges a decision; people who did not decide before decide.

use crate::common::Failure;
use crate::office::{self, Asking, Office, Words};
use clap::{Subcommand, ValueEnum};
use review::act::{Act, Appeal, AppealOutcome};
use review::words::{AppealId, CaseId, DecisionId};
use std::process::ExitCode;

/// File, admit and decide appeals.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
How an appeal goes:
  tribune appeal file CASE p1 --decision d1 --ground @ground.txt --as customer:acme
  tribune appeal decide CASE p1 --outcome upheld-in-part --reasons @reasons.txt --as eve   (two of the panel)
  tribune decision lift CASE d2 --decision d1 --keep …                                     what was upheld is lifted")]
pub(crate) struct Args {
    #[command(flatten)]
    asking: Asking,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Appeal against a decision that was served, within six months
    File {
        case: CaseId,
        id: AppealId,
        #[arg(long)]
        decision: DecisionId,
        #[arg(long, value_name = "TEXT|@FILE")]
        ground: Words,
    },
    /// Admit, as one of two of the panel, an appeal that came too late
    Admit {
        case: CaseId,
        id: AppealId,
        #[arg(long, value_name = "TEXT|@FILE")]
        reason: Words,
    },
    /// Decide, as one of two of the panel who say the same
    Decide {
        case: CaseId,
        id: AppealId,
        #[arg(long)]
        outcome: Outcome,
        #[arg(long, value_name = "TEXT|@FILE")]
        reasons: Words,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Outcome {
    Rejected,
    UpheldInPart,
    Upheld,
}

/// Runs it.
pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    office::run(async {
        let office = Office::open(&args.asking).await?;
        let (case, act) = match args.verb {
            Verb::File { case, id, decision, ground } => {
                let ground = office.keep_for_customer(&case, &ground.0).await?;
                (case, Act::Appeal(Appeal { id, decision, ground }))
            }
            Verb::Admit { case, id, reason } => {
                let reason = office.keep(&case, &reason).await?;
                (case, Act::AdmitAppeal { id, reason })
            }
            Verb::Decide { case, id, outcome, reasons } => {
                let reasons = office.keep(&case, &reasons).await?;
                let outcome = match outcome {
                    Outcome::Rejected => AppealOutcome::Rejected,
                    Outcome::UpheldInPart => AppealOutcome::UpheldInPart,
                    Outcome::Upheld => AppealOutcome::Upheld,
                };
                (case, Act::DecideAppeal { id, outcome, reasons })
            }
        };
        office.enact(&case, act).await
    })
}
