//! `tribune explain`: everything a reviewer needs of one entity.

use crate::common::{self, Failure, Format, Head, Sources, clean, output, put};
use crate::page::portrait::{Naming, Scene};
use crate::page::text::{distance, wrap};
use crate::page::{EntityPage, finish};
use review::Decibans;
use serde::Serialize;
use signals::watch::Watch;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use usage::{AccountKey, Hour};
use web::plain::count;
use web::portrait::{Judged, Portrait, linked, meaning, sentence};

/// Everything a reviewer needs of one entity.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Example:\n  tribune explain exports/ --entity customer:acme --purpose \"case 12\" --html acme.html"
)]
pub(crate) struct Args {
    #[command(flatten)]
    sources: Sources,
    /// account:ID, unit:CUSTOMER/UNIT or customer:ID
    #[arg(long, value_name = "ENTITY")]
    entity: Wanted,
    /// Rows and facts known by this time [default: the latest known hour]
    #[arg(long, value_name = "TIME")]
    as_of: Option<Hour>,
    /// Why somebody looks; below the floor there are no names without it, and the look is logged
    #[arg(long, value_name = "TEXT")]
    purpose: Option<String>,
    /// Write a page that stands alone to this file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

/// What is to be explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// An account.
    Account(String),
    /// A customer and a unit, parted by the first, second … slash: an id may hold one.
    Unit(String),
    /// A customer.
    Customer(String),
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no entity; write account:ID, unit:CUSTOMER/UNIT or customer:ID");
        let (kind, id) = text.split_once(':').filter(|(_, id)| !id.is_empty()).ok_or_else(wrong)?;
        match kind {
            "account" => Ok(Self::Account(id.to_owned())),
            "unit" if id.contains('/') => Ok(Self::Unit(id.to_owned())),
            "customer" => Ok(Self::Customer(id.to_owned())),
            _ => Err(wrong()),
        }
    }
}

impl Wanted {
    fn id(&self) -> &str {
        let (Self::Account(id) | Self::Unit(id) | Self::Customer(id)) = self;
        id
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::Unit(_) => "unit",
            Self::Customer(_) => "customer",
        }
    }

    /// Names of this kind that an account goes by.
    fn name(&self, key: &AccountKey, unit: Option<&str>) -> Option<String> {
        match self {
            Self::Account(_) => Some(key.account.clone()),
            Self::Unit(_) => unit.map(|unit| format!("{}/{unit}", key.customer)),
            Self::Customer(_) => Some(key.customer.clone()),
        }
    }

    /// The entity, as of the watch's time.
    pub(crate) fn find(&self, watch: &Watch) -> Result<u32, Failure> {
        let accounts = watch.history.account_keys.iter().zip(0_u32..);
        let names: Vec<(u32, String, bool)> = accounts
            .filter_map(|(key, account)| {
                let unit = watch.fact(account).and_then(|fact| fact.unit.as_deref());
                let used = watch.history.accounts.get(account as usize).is_some_and(Option::is_some);
                Some((account, self.name(key, unit)?, used))
            })
            .collect();
        let mut own: Vec<u32> =
            names.iter().filter(|(_, name, used)| *used && name == self.id()).map(|(account, ..)| *account).collect();
        own.sort_unstable();
        match own.as_slice() {
            [] => Err(Failure::Refused(self.unknown(&names))),
            [one] => watch.single(*one).ok_or_else(|| Failure::Defect("an account without an entity".into())),
            _ => {
                // Accounts that came since midnight are not in the sets of the day yet.
                let inside = |accounts: &[u32]| accounts.iter().all(|account| own.binary_search(account).is_ok());
                let sets = watch.entities.iter().zip(0_u32..).filter(|(set, _)| inside(&set.accounts));
                let largest = sets.max_by_key(|(set, place)| (set.accounts.len(), std::cmp::Reverse(*place)));
                largest.map(|(_, place)| place).ok_or_else(|| Failure::Defect("accounts without an entity".into()))
            }
        }
    }

    /// Names nobody but what was nearly typed.
    fn unknown(&self, names: &[(u32, String, bool)]) -> String {
        let (kind, id) = (self.kind(), self.id());
        if names.iter().any(|(_, name, _)| name == id) {
            return format!("{kind} {id} has no usage that was known by then; give a later --as-of");
        }
        let close = names.iter().map(|(_, name, _)| (distance(name, id), name));
        let reach = 2.min(id.chars().count() / 4);
        let nearest = close.filter(|(distance, _)| (1..=reach).contains(distance)).min();
        match nearest {
            Some((_, name)) => format!("there is no {kind} {id} in these records; did you mean {kind}:{name}?"),
            None if *kind == *"unit" => {
                format!("there is no unit {id} in these records and facts; units come from --facts, as CUSTOMER/UNIT")
            }
            None => format!("there is no {kind} {id} in these records; give the id as the records write it"),
        }
    }
}

/// What `--format json` writes.
#[derive(Serialize)]
pub(crate) struct Explanation<'a> {
    #[serde(flatten)]
    pub(crate) head: Head<'a>,
    pub(crate) explanation: &'a Portrait,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let opened = args.sources.open()?;
    let at = opened.as_of(args.as_of)?;
    let head = Head::new(web::portrait::SCHEMA, &opened, at)?;
    let digest = head.records.digest.clone();
    let mut watch = Watch::new(opened.policies.clone(), opened.facts.clone(), opened.threads)?;
    let rankings = common::scan(&opened, &mut watch, at, Vec::new())?;
    let entity = args.entity.find(&watch)?;
    let scene = Scene { watch: &watch, docket: &rankings.docket, last: &rankings.last };
    let above = scene.is_above(entity);
    let named = above || args.purpose.is_some();
    if named {
        let purpose = args.purpose.as_deref().unwrap_or("a finding above the floor");
        let id = format!("{}:{}", args.entity.kind(), args.entity.id());
        crate::looks::log("explain", purpose, at, &digest, Some(&id), usize::from(!above))?;
    }
    let naming = if named { Naming::Names } else { Naming::Pseudonyms(&digest) };
    let missing = || Failure::Defect("an entity without a row".into());
    let portrait = scene.portrait(entity, naming).ok_or_else(missing)?;
    // The page first: whoever closes the output early still gets it.
    if let Some(file) = &args.html {
        page(file.as_path(), portrait.clone(), digest)?;
    }
    output(None, |out| match args.format {
        Format::Json => common::json(out, &Explanation { head, explanation: &portrait }),
        Format::Table => table(&mut &mut *out, &portrait, named),
    })?;
    Ok(opened.exit())
}

fn page(file: &std::path::Path, portrait: Portrait, digest: String) -> Result<(), Failure> {
    let html = finish(&EntityPage::new(portrait, digest))?;
    output(Some(file), |out| put(&mut &mut *out, html.trim_end()))
}

/// How wide sentences run.
const WIDTH: usize = 78;

fn table(out: &mut impl Write, portrait: &Portrait, named: bool) -> Result<(), Failure> {
    let unit = if portrait.unit.is_empty() { String::new() } else { format!(" · {}", clean(&portrait.unit)) };
    put(out, &format!("{}{unit} ({}), as of {}", clean(&portrait.customer), portrait.kind, portrait.at.for_people()))?;
    put(out, "This is evidence for people. It decides nothing.")?;
    for judged in &portrait.policies {
        put(out, "")?;
        put(out, &format!("{}  {} dB", clean(&judged.title), judged.finding.score_db))?;
        paragraph(out, "", &meaning(judged))?;
        ledger(out, judged)?;
        said(out, judged)?;
    }
    heading(out, "What cannot be seen")?;
    for sentence in &portrait.unseen {
        paragraph(out, "– ", sentence)?;
    }
    accounts(out, portrait)?;
    if !named {
        put(out, "\nNames that begin with ~ are pseudonyms: below the floor nobody is named without --purpose.")?;
    }
    Ok(())
}

fn heading(out: &mut impl Write, text: &str) -> Result<(), Failure> {
    put(out, &format!("\n{text}"))
}

/// A sentence, wrapped, with what comes before its first line.
fn paragraph(out: &mut impl Write, before: &str, text: &str) -> Result<(), Failure> {
    let room = before.chars().count();
    for (place, line) in wrap(&clean(text), WIDTH.saturating_sub(room)).iter().enumerate() {
        put(out, &if place == 0 { format!("{before}{line}") } else { format!("{:room$}{line}", "") })?;
    }
    Ok(())
}

/// The ledger: every line's last number adds up to its family's, these to the score.
fn ledger(out: &mut impl Write, judged: &Judged) -> Result<(), Failure> {
    let rule = "─".repeat(WIDTH);
    let line = |name: &str, value: &str, evidence: &str, counted: &str| {
        format!("{name:<25.25} {value:>33.33} {evidence:>8} {counted:>8}")
    };
    let number = |evidence: Decibans| evidence.to_string();
    put(out, "")?;
    put(out, &line("dB", "value", "evidence", "counts"))?;
    put(out, &rule)?;
    put(out, &line("prior", "", "", &number(judged.finding.prior_db)))?;
    for family in &judged.ledger {
        let held =
            if family.sum_db == family.evidence_db { String::new() } else { format!("{}, held at", family.sum_db) };
        put(out, &line(family.family.name(), &held, "", &number(family.evidence_db)))?;
        for signal in &family.lines {
            let value = format!("{} {}", signal.value, signal.unit);
            let name = format!("  {}", signal.signal);
            put(out, &line(&name, &value, &number(signal.evidence_db), &format!("({})", signal.counted_db)))?;
        }
    }
    put(out, &line("verified facts", "", "", &number(judged.finding.facts_db)))?;
    put(out, &rule)?;
    put(out, &line("score", "", "", &number(judged.finding.score_db)))?;
    paragraph(
        out,
        "",
        "In a family the strongest signal counts in full, further ones three tenths, what speaks against in full.",
    )
}

/// What was seen, what speaks against it, what would explain it, and who is silent.
fn said(out: &mut impl Write, judged: &Judged) -> Result<(), Failure> {
    let strongest = judged.strongest();
    heading(out, "What was seen")?;
    for line in strongest.iter().filter(|line| line.evidence_db > Decibans::ZERO) {
        paragraph(out, &format!("{:>6}  ", line.evidence_db.to_string()), &sentence(&line.explanation))?;
    }
    if strongest.iter().any(|line| line.evidence_db < Decibans::ZERO) {
        heading(out, "What speaks against it")?;
        for line in strongest.iter().filter(|line| line.evidence_db < Decibans::ZERO) {
            paragraph(out, &format!("{:>6}  ", line.evidence_db.to_string()), &sentence(&line.explanation))?;
        }
    }
    if !judged.finding.facts.is_empty() {
        heading(out, "What else bears on it")?;
        for fact in &judged.finding.facts {
            paragraph(out, "– ", &sentence(fact))?;
        }
    }
    if !judged.innocent().is_empty() {
        heading(out, "What would explain it innocently")?;
        for line in judged.innocent() {
            paragraph(out, "– ", &format!("{}: {}", line.signal, sentence(&line.innocent)))?;
        }
    }
    if !judged.silent.is_empty() {
        heading(out, "Signals that do not speak")?;
        for (signal, why) in &judged.silent {
            paragraph(out, "– ", &format!("{signal}: {why}"))?;
        }
    }
    Ok(())
}

/// The accounts and what links them.
fn accounts(out: &mut impl Write, portrait: &Portrait) -> Result<(), Failure> {
    heading(out, "Accounts")?;
    paragraph(out, "", &linked(portrait))?;
    const MOST: usize = 20;
    put(out, &format!("{:<34} {:<24} {:>12} {:>5}", "account", "customer", "calls/h", "share"))?;
    for account in portrait.accounts.iter().take(MOST) {
        let calls = count(account.calls_per_hour as f64);
        let (name, customer) = (clean(&account.account), clean(&account.customer));
        put(out, &format!("{name:<34} {customer:<24} {calls:>12} {:>3} %", account.share))?;
    }
    if portrait.accounts.len() > MOST {
        put(out, &format!("and {} more; --format json lists them", portrait.accounts.len() - MOST))?;
    }
    for larger in &portrait.around {
        paragraph(
            out,
            "– ",
            &format!("part of a larger set ({}): {} accounts, {} dB", larger.what, larger.accounts, larger.score_db),
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_read_and_nonsense_is_not() {
        assert_eq!("account:a:b".parse(), Ok(Wanted::Account("a:b".into())));
        assert_eq!("unit:c/u".parse(), Ok(Wanted::Unit("c/u".into())));
        for text in ["", "a", "account:", "unit:c", "person:x"] {
            assert!(text.parse::<Wanted>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_what_was_nearly_typed_is_suggested() {
        let names = [(0, "customer-0017".to_owned(), true), (1, "other".to_owned(), true)];
        let said = |id: &str| Wanted::Customer(id.into()).unknown(&names);
        assert!(said("customer-017").ends_with("did you mean customer:customer-0017?"));
        for id in ["acme", "customer", "othe", "oth", "x"] {
            let said = said(id);
            assert!(!said.contains("customer-0017") && !said.contains("customer:other?") || id == "othe", "{said}");
        }
    }
}
