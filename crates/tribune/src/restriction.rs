//! `tribune restriction`: what is switched off now, on which decision, until when. It changes nothing: a restriction
//! begins and ends by decisions.

use crate::common::Failure;
use crate::office::{self, Asking, Office};
use clap::Subcommand;
use review::words::AccountId;
use serde::Serialize;
use std::fmt::Write as _;
use std::process::ExitCode;

/// What is switched off now.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tribune restriction list --account a1 --as gil\n\n\
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
    let Verb::List { account } = args.verb;
    office::run(async {
        let office = Office::open(&args.asking).await?;
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
