//! `tribune policy backtest`: what a policy would have opened with other numbers, beside what it opens with its own, over
//! the same records at the same ticks.
//!
//! Counts first; the workloads in which the two differ are pseudonyms, for here nobody has said what they look for. It
//! changes no policy and opens no case.

use crate::common::{self, Failure, Format, Opened, Sources, output, put};
use crate::replay::replay;
use clerk::File;
use review::Decibans;
use review::case::Phase;
use review::words::AccountId;
use signals::docket::{Case, Docket};
use signals::findings::pseudonym;
use signals::pack::Policy;
use signals::watch::Watch;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use usage::ByDay;
use web::explore::{Backtest, Numbers, Side, Tried};

/// A pack beside the one of the same id that is in use.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    sources: Sources,
    /// The pack with other numbers: a folder; its id says which policy it is held against
    #[arg(long, value_name = "DIR")]
    with: PathBuf,
    /// The last days, up to what is known
    #[arg(long, value_name = "N", default_value_t = 28, value_parser = clap::value_parser!(u16).range(1..=366))]
    days: u16,
    /// How to print
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

/// Hours between two ticks: as often as a person would look.
const EVERY: i32 = 24;

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let other = Policy::read(&args.with)?;
    let opened = args.sources.open()?;
    let own = own(&opened, &other.id)?;
    // Whoever reads the records here knows every name: the same pseudonyms again are of more use than others.
    let salt = usage::records_digest(&opened.usage, opened.as_of(None)?)?;
    let tried = backtest(&opened, own, other, args.days, &Outcomes::default(), &salt)?;
    output(None, |out| match args.format {
        Format::Json => common::json(out, &tried),
        Format::Table => table(&mut &mut *out, &tried),
    })?;
    Ok(opened.exit())
}

/// The policy in use.
pub(crate) fn own<U: ByDay>(opened: &Opened<U>, id: &str) -> Result<Policy, Failure> {
    let own = opened.policies.iter().find(|policy| policy.id == id).cloned();
    own.ok_or_else(|| {
        let known: Vec<&str> = opened.policies.iter().map(|policy| policy.id.as_str()).collect();
        Failure::Refused(format!("no policy {id} is in use to hold it against; there is {}", known.join(", ")))
    })
}

/// A policy with other numbers. A pack's text and its queries stay as they are.
pub(crate) fn with_numbers(mut policy: Policy, numbers: &Numbers) -> Policy {
    policy.prior = numbers.prior_db;
    policy.floor = numbers.floor_db;
    policy.floor_raise = numbers.floor_raise_db;
    policy.cases_per_week = f64::from(numbers.cases_per_week);
    policy.families_needed.count = numbers.families as usize;
    policy.families_needed.at_least_db = f64::from(numbers.families_db.hundredths()) / 100.0;
    policy.fast_lane.at_least = numbers.fast_lane;
    for signal in &mut policy.signals {
        if let Some(percent) = numbers.weights.get(&signal.id) {
            signal.table = signal.table.times(*percent);
        }
    }
    policy
}

/// The numbers that a policy has.
pub(crate) fn numbers(policy: &Policy) -> Numbers {
    Numbers {
        prior_db: policy.prior,
        floor_db: policy.floor,
        floor_raise_db: policy.floor_raise,
        cases_per_week: policy.cases_per_week.round() as u32,
        families: policy.families_needed.count as u32,
        families_db: Decibans::from_f64(policy.families_needed.at_least_db).unwrap_or_default(),
        fast_lane: policy.fast_lane.at_least,
        weights: policy.signals.iter().map(|signal| (signal.id.clone(), 100)).collect(),
    }
}

/// What people found in cases that are closed: the accounts of each.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    established: Vec<BTreeSet<AccountId>>,
    cleared: Vec<BTreeSet<AccountId>>,
}

impl Outcomes {
    /// Of the cases under a policy.
    pub(crate) fn of(files: &[File], policy: &str) -> Self {
        let mut outcomes = Self::default();
        let closed = files.iter().filter(|file| file.case.phase == Phase::Closed && file.law.id == policy);
        for File { case, .. } in closed {
            let restricted = case.decisions.values().any(|decided| decided.effect.is_some());
            let list = if restricted { &mut outcomes.established } else { &mut outcomes.cleared };
            list.push(case.accounts.clone());
        }
        outcomes
    }
}

/// Runs both over the same ticks. Whoever knows the salt can tell whose a pseudonym is.
pub(crate) fn backtest<U: ByDay>(
    opened: &Opened<U>,
    own: Policy,
    other: Policy,
    days: u16,
    outcomes: &Outcomes,
    salt: &str,
) -> Result<Backtest, Failure> {
    let Some((first, to)) = opened.usage.known() else {
        return Err(Failure::Refused(
            "none of the rows is usage that a meter catalogue maps; nothing can be tried".into(),
        ));
    };
    let from = first.max(to.plus(-24 * i32::from(days)));
    let policy = own.id.clone();
    let mut watch = Watch::new(vec![own, other], opened.facts.clone(), opened.threads)?;
    let (docket, _) = replay(opened, &mut watch, from, to, EVERY, Docket::new(Vec::new()))?;
    let of = |place: usize| docket.cases.iter().filter(move |case| case.policy == place);
    let shares = |case: &Case, place: usize| of(place).any(|other| !other.accounts.is_disjoint(&case.accounts));
    let only = |place: usize, against: usize| {
        let mut only: Vec<Tried> =
            of(place).filter(|case| !shares(case, against)).map(|case| tried(case, salt)).collect();
        only.sort_by_key(|tried| std::cmp::Reverse(tried.score_db));
        only
    };
    let side = |place: usize| Side {
        floor_db: docket.floors.get(&place).copied().unwrap_or_default(),
        cases: of(place).count(),
        established: met(&watch, of(place), &outcomes.established),
        cleared: met(&watch, of(place), &outcomes.cleared),
    };
    Ok(Backtest {
        policy,
        from: from.to_string(),
        to: to.to_string(),
        customers: watch.customers(),
        own: side(0),
        other: side(1),
        both: of(0).filter(|case| shares(case, 1)).count(),
        only_own: only(0, 1),
        only_other: only(1, 0),
    })
}

/// How many of the closed cases share an account with one of these.
fn met<'a>(watch: &Watch, cases: impl Iterator<Item = &'a Case>, closed: &[BTreeSet<AccountId>]) -> usize {
    let places: BTreeSet<u32> = cases.flat_map(|case| case.accounts.iter().copied()).collect();
    let name = |place: &u32| watch.history.account_keys.get(*place as usize).map(|key| key.account.as_str());
    let names: BTreeSet<&str> = places.iter().filter_map(name).collect();
    closed.iter().filter(|accounts| accounts.iter().any(|account| names.contains(account.as_str()))).count()
}

fn tried(case: &Case, salt: &str) -> Tried {
    Tried {
        customer: pseudonym(salt, "customer", &case.finding.customer),
        accounts: case.accounts.len(),
        opened_at: case.opened_at.to_string(),
        score_db: case.finding.score_db,
    }
}

/// How many are listed on each side.
const LISTED: usize = 20;

fn table(out: &mut impl Write, tried: &Backtest) -> Result<(), Failure> {
    put(out, &format!("{}, {} to {}, {} customers", tried.policy, tried.from, tried.to, tried.customers))?;
    put(out, &format!("{}.", tried.sentence()))?;
    put(
        out,
        &format!("floor: {} dB with its own numbers, {} dB with these", tried.own.floor_db, tried.other.floor_db),
    )?;
    for (what, only) in [("dropped", &tried.only_own), ("new", &tried.only_other)] {
        for one in only.iter().take(LISTED) {
            let accounts =
                if one.accounts == 1 { "1 account".to_owned() } else { format!("{} accounts", one.accounts) };
            put(
                out,
                &format!(
                    "  {what:<8} {:>6} dB  {}  {accounts}, on {}",
                    one.score_db.to_string(),
                    one.customer,
                    one.opened_at
                ),
            )?;
        }
        if only.len() > LISTED {
            put(out, &format!("  {what:<8} and {} more; --format json lists them", only.len() - LISTED))?;
        }
    }
    put(
        out,
        "Nothing has changed. A policy changes with a new version of its pack, which `tribune policy test` holds to its tests.",
    )
}
