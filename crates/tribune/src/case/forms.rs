//! What a shell says of a case in more than a word: findings, evidence, a determination, the end; and the acts that they
//! are.
//!
//! It reads the files of these forms and keeps their texts. The verbs are [`super`]'s, what may happen the rules'.

use crate::common::Failure;
use crate::office::{self, Office, Words, digest, time};
use clap::ValueEnum;
use clerk::{Sender, Sent};
use review::act::{
    Act, Closing, DeclaredFor, DeclaredUse, Determination, ElementAnswer, Established, Item, Kind, Opening, Source,
};
use review::procedure::Basis;
use review::words::{
    AccountId, CaseId, CommandId, CustomerId, Digest, ElementId, EvidenceId, Moment, Origin, Purpose, RegionId,
    ReportId, Role, ServiceId, Standard,
};
use review::{Decibans, Families};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub(super) struct Open {
    /// The policy pack
    #[arg(long, default_value = "mass-surveillance")]
    policy: String,
    #[command(flatten)]
    from: From,
    /// The customer; the finding's or the declaration's where one is named
    #[arg(long)]
    customer: Option<CustomerId>,
    #[command(flatten)]
    declared: Declared,
    /// What `tribune explain --format json` printed of the workload: kept with the case as evidence, and drawn there
    #[arg(long, value_name = "FILE")]
    explanation: Option<PathBuf>,
}

/// A use that is declared, before or under a contract: what of it is reviewed.
#[derive(clap::Args, Debug)]
pub(super) struct Declared {
    /// Review a use that is declared: what for, in a word (contact_centre, voicemail, media_archive, …)
    #[arg(long, value_name = "PURPOSE", requires = "declared_text")]
    declared_use: Option<Purpose>,
    /// What it is, in the customer's words
    #[arg(long, value_name = "TEXT|@FILE", requires = "declared_use")]
    declared_text: Option<Words>,
    /// Review what a customer declared on its page, as `tribune record declarations` names it
    #[arg(long, value_name = "DECLARATION", conflicts_with = "declared_use")]
    declaration: Option<CommandId>,
    /// A service of the portfolio that it wants
    #[arg(long, value_name = "SERVICE")]
    portfolio: Vec<ServiceId>,
    /// A region in which it wants that; anywhere, where none is named
    #[arg(long, value_name = "REGION")]
    place: Vec<RegionId>,
}

/// What brings a case about.
#[derive(clap::Args, Debug)]
pub(super) struct From {
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
pub(super) struct Evidence {
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
pub(super) struct Close {
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
}

#[derive(clap::Args, Debug)]
pub(super) struct OfUse {
    case: CaseId,
    /// Whether it may go on
    may: MayGoOn,
    /// The condition: calls an hour, at most
    #[arg(long, required_if_eq("may", "conditions"))]
    calls_per_hour: Option<i64>,
    /// The condition: until when
    #[arg(long, value_parser = time, required_if_eq("may", "conditions"))]
    until: Option<Moment>,
    /// Why
    #[arg(long, value_name = "TEXT|@FILE")]
    reasons: Words,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum FromWhere {
    Sales,
    Executive,
    Authority,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum OfWhat {
    Meters,
    Document,
    OutsideSource,
    CustomerAnswer,
    Opinion,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Choice {
    LetGo,
    HoldExport,
    Preserve,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum MayGoOn {
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

impl Open {
    pub(super) async fn run(self, office: &Office) -> Result<ExitCode, Failure> {
        let law = office.law(&self.policy)?;
        let explanation = self.explanation.as_deref().map(explanation).transpose()?;
        let (mut sources, mut accounts, mut customer) = self.from.read()?;
        let sent = office.sent()?;
        let declared = self.declared.read(office, &sent.id).await?;
        let kind = if declared.is_some() { Kind::DeclaredUse } else { Kind::Workload };
        let text = declared.as_ref().and_then(|declared| declared.words.clone());
        if let Some(declared) = declared {
            sources.insert(Source::Declaration(declared.what));
            accounts.extend(declared.accounts);
            customer = customer.or(declared.customer);
        }
        let missing = || Failure::Refused("name the customer: --customer ID".to_owned());
        let opening = Opening {
            kind,
            policy: (law.id.clone(), law.version.clone(), law.digest),
            customer: self.customer.or(customer).ok_or_else(missing)?,
            accounts,
            sources,
        };
        let (case, done) = office.clerk.open_case(&sent, &law, Act::Open(opening)).await?;
        if let Some(text) = text {
            office.keep(&case, &text).await?;
        }
        if let Some(explanation) = explanation {
            let item = item_of(office, &case, &explanation).await?;
            let id = format!("{}-explanation", sent.id).parse().map_err(|error| office::refused(&error))?;
            office.clerk.enact(&Sent { id, ..sent }, &case, Act::AddEvidence(item)).await?;
        }
        office.say(&format!("case {case}"), done)
    }
}

/// What is declared, with what is known of who declares it.
struct OfDeclaration {
    what: DeclaredFor,
    customer: Option<CustomerId>,
    accounts: BTreeSet<AccountId>,
    /// What the customer said, where it is to be kept yet.
    words: Option<Words>,
}

impl Declared {
    async fn read(self, office: &Office, id: &CommandId) -> Result<Option<OfDeclaration>, Failure> {
        let portfolio: BTreeSet<_> = self.portfolio.into_iter().collect();
        let places: BTreeSet<_> = self.place.into_iter().collect();
        if let Some(id) = self.declaration {
            let one = office.clerk.declaration(office.who()?, &id, office.now).await?;
            let purpose = one.declared_use.parse().map_err(|error| office::refused(&error))?;
            let what = DeclaredFor { declaration: one.id, purpose, portfolio, places, text: one.text };
            let (customer, accounts) = (Some(one.customer), one.accounts);
            return Ok(Some(OfDeclaration { what, customer, accounts, words: None }));
        }
        let Some((purpose, words)) = self.declared_use.zip(self.declared_text) else {
            let said = portfolio.is_empty() && places.is_empty();
            let mend = "a portfolio and a place are of a declared use: give --declared-use or --declaration";
            return if said { Ok(None) } else { Err(Failure::Refused(mend.to_owned())) };
        };
        let text = Digest::of(&words.0);
        let what = DeclaredFor { declaration: id.clone(), purpose, portfolio, places, text };
        Ok(Some(OfDeclaration { what, customer: None, accounts: BTreeSet::new(), words: Some(words) }))
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
    families: Option<Families>,
}

type Brought = (BTreeSet<Source>, BTreeSet<AccountId>, Option<CustomerId>);

impl From {
    pub(super) fn read(self) -> Result<Brought, Failure> {
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
                let (records, score_db) = (findings.records.digest, head.score_db);
                let families = head.families.map(|families| families.that_speak()).unwrap_or_default();
                brought.0.insert(Source::Finding { finding, records, score_db, families });
                brought.1.extend(head.accounts);
                brought.2 = Some(head.customer);
                return Ok(brought);
            }
        }
        Err(wrong(format!("it has no finding of rank {rank}")))
    }
}

impl Evidence {
    pub(super) async fn act(self, office: &Office) -> Result<(CaseId, Act), Failure> {
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
    pub(super) async fn act(self, office: &Office) -> Result<(CaseId, Act), Failure> {
        // Of a declared use, what two decided is how it ends.
        let file = office.clerk.look(&office.sender()?, &self.case, "closing it", office.now).await?;
        let declared_use = file.case.decided_use().cloned();
        let closing = Closing {
            remedy: office.keep(&self.case, &self.remedy).await?,
            consulted: office.keep(&self.case, &self.consulted).await?,
            lesson: office.keep(&self.case, &self.lesson).await?,
            declared_use,
        };
        Ok((self.case, Act::Close(closing)))
    }
}

impl OfUse {
    pub(super) async fn act(self, office: &Office) -> Result<(CaseId, Act), Failure> {
        let may = match (self.may, self.calls_per_hour, self.until) {
            (MayGoOn::Approved, ..) => DeclaredUse::Approved,
            (MayGoOn::Rejected, ..) => DeclaredUse::Rejected,
            (MayGoOn::Conditions, calls, until) => {
                let (calls_per_hour, until) = calls
                    .zip(until)
                    .ok_or_else(|| Failure::Refused("conditions are --calls-per-hour and --until".to_owned()))?;
                DeclaredUse::Conditions { calls_per_hour, until }
            }
        };
        let reasons = office.keep(&self.case, &self.reasons).await?;
        Ok((self.case, Act::DecideUse { may, reasons }))
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

pub(super) async fn determination(office: &Office, case: &CaseId, file: &Path) -> Result<Act, Failure> {
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
