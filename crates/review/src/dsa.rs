//! A statement of reasons in the schema of the EU's DSA Transparency Database, API version 1.
//!
//! Names and allowed values are those of its public source (github digital-services-act/transparency-database,
//! `StatementStoreRequest.php` and `Statement.php` as of 2026-06-24); the whole serialises to the JSON it takes. What does
//! not apply is left out, since the database drops it silently. It sends nothing, and nothing here says that anybody must:
//! hosts owe statements to their customers, online platforms also to the database (Articles 17 and 24(5)).

use crate::act::{Order, Source};
use crate::case::Case;
use crate::procedure::{Procedure, Reach};
use crate::seal;
use crate::statement::{Statement, Written, elements, names_customer, names_somebody, times};
use crate::words::{DecisionId, Digest, Moment, RegionId, Switch, Target};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The categories of the database.
pub const CATEGORIES: [&str; 16] = [
    "STATEMENT_CATEGORY_ANIMAL_WELFARE",
    "STATEMENT_CATEGORY_CONSUMER_INFORMATION",
    "STATEMENT_CATEGORY_CYBER_VIOLENCE",
    "STATEMENT_CATEGORY_CYBER_VIOLENCE_AGAINST_WOMEN",
    "STATEMENT_CATEGORY_DATA_PROTECTION_AND_PRIVACY_VIOLATIONS",
    "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH",
    "STATEMENT_CATEGORY_INTELLECTUAL_PROPERTY_INFRINGEMENTS",
    "STATEMENT_CATEGORY_NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS",
    "STATEMENT_CATEGORY_NOT_SPECIFIED_NOTICE",
    "STATEMENT_CATEGORY_OTHER_VIOLATION_TC",
    "STATEMENT_CATEGORY_PROTECTION_OF_MINORS",
    "STATEMENT_CATEGORY_RISK_FOR_PUBLIC_SECURITY",
    "STATEMENT_CATEGORY_SCAMS_AND_FRAUD",
    "STATEMENT_CATEGORY_SELF_HARM",
    "STATEMENT_CATEGORY_UNSAFE_AND_PROHIBITED_PRODUCTS",
    "STATEMENT_CATEGORY_VIOLENCE",
];

/// The countries of the European Economic Area, as the database lists them.
pub const COUNTRIES: [&str; 30] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT",
    "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// How many characters the facts may have.
pub const FACTS_MAX: usize = 5_000;
/// How many the reference to the contractual ground may have.
pub const GROUND_MAX: usize = 500;
/// How many the explanation of why the use is against it may have.
pub const EXPLANATION_MAX: usize = 2_000;
/// How many statements a batch may hold.
pub const BATCH_MAX: usize = 100;

/// The days between which the database takes a date: 2020-01-01 and 2038-01-01.
const DATES: (Moment, Moment) = (Moment(1_577_836_800), Moment(2_145_916_800));

/// How the provision of the service is restricted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Provision {
    /// For a time or until it is lifted, in part.
    #[serde(rename = "DECISION_PROVISION_PARTIAL_SUSPENSION")]
    PartialSuspension,
    /// For a time or until it is lifted, as far as the workload uses it.
    #[serde(rename = "DECISION_PROVISION_TOTAL_SUSPENSION")]
    TotalSuspension,
    /// For good, in part.
    #[serde(rename = "DECISION_PROVISION_PARTIAL_TERMINATION")]
    PartialTermination,
    /// For good, as far as the workload uses it.
    #[serde(rename = "DECISION_PROVISION_TOTAL_TERMINATION")]
    TotalTermination,
}

/// What the provider says once for its statements.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// The clause's category, one of [`CATEGORIES`].
    pub category: &'a str,
    /// Where the terms can be read.
    pub terms_url: Option<&'a str>,
    /// In which of [`COUNTRIES`] each region lies; regions elsewhere are left out.
    pub countries: &'a BTreeMap<RegionId, String>,
    /// Whether a report was a notice under DSA Article 16, rather than one of another kind.
    pub article_16: bool,
}

/// A statement as the database takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    #[serde(flatten)]
    known: Known,
    content_date: String,
    decision_facts: String,
}

/// What of a statement the public form says too, in the fields of the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Known {
    decision_provision: Provision,
    decision_ground: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision_ground_reference_url: Option<String>,
    incompatible_content_ground: String,
    incompatible_content_explanation: String,
    content_type: [&'static str; 1],
    content_type_other: &'static str,
    category: String,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    territorial_scope: BTreeSet<String>,
    application_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date_service_restriction: Option<String>,
    source_type: &'static str,
    automated_detection: &'static str,
    automated_decision: &'static str,
    puid: String,
}

/// Statements that go to the database together: all of them, or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Batch {
    statements: Vec<Entry>,
}

/// Why a statement cannot go to the database: what is wrong, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It was not served.
    #[error("the statement was not served on the customer; serve it first")]
    NotServed,
    /// It restricts nothing.
    #[error("the decision only asks and restricts no service; the database takes restrictions")]
    RestrictsNothing,
    /// The facts are not confirmed.
    #[error("nobody has confirmed that the facts {0} identify no source; let a second person read them")]
    NotConfirmed(Digest),
    /// The facts name somebody.
    #[error("the facts name the customer, one of its accounts, somebody of the provider's or a report; leave it out")]
    NamesSomebody,
    /// The facts say nothing.
    #[error("the facts are empty; the database wants them")]
    NoFacts,
    /// An unknown value.
    #[error("`{0}` is none of the database's {1}; take one of its list")]
    NotListed(String, &'static str),
    /// A date that it does not take.
    #[error("the decision applies from {0}, and the database takes days from 2020-01-01 to 2038-01-01")]
    Date(String),
    /// A batch of the wrong size.
    #[error("a batch holds 1 to {BATCH_MAX} statements, and this one {0}; split it")]
    Size(usize),
    /// The same decision twice.
    #[error("{0} stands in the batch twice; leave one out")]
    Twice(String),
}

impl Entry {
    /// A statement as the database takes it. `facts` are written for it, confirmed to identify no source.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of(case: &Case, statement: &Statement, facts: &Written, settings: &Settings<'_>) -> Result<Self, Unfit> {
        let decided = case.decisions.get(&statement.decision).filter(|decided| statement.was_served(decided));
        let decided = decided.ok_or(Unfit::NotServed)?;
        check_facts(case, facts.as_str())?;
        if !CATEGORIES.contains(&settings.category) {
            return Err(Unfit::NotListed(settings.category.to_owned(), "categories"));
        }
        let source = Grounds {
            reach: statement.reach,
            targets: &statement.targets,
            applies: decided.effect.unwrap_or(statement.from),
            ends: if decided.effect.is_some() { decided.ends } else { statement.ends },
            clause: &statement.clause,
            policy: &statement.policy,
            elements: &statement.elements,
            on_findings: statement.on_findings,
            on_reports: statement.on_reports,
            puid: statement.digest_of_decision,
        };
        Ok(Self {
            known: Known::of(case, &source, settings)?,
            content_date: case.opened.day(),
            decision_facts: cut(facts.as_str(), FACTS_MAX),
        })
    }
}

/// What the fields of a statement rest on.
struct Grounds<'a> {
    reach: Reach,
    targets: &'a [Target],
    applies: Moment,
    ends: Option<Moment>,
    clause: &'a str,
    policy: &'a (String, String, Digest),
    elements: &'a [(String, String)],
    on_findings: bool,
    on_reports: bool,
    puid: Digest,
}

impl Known {
    /// Of a decision whose notice was served, as its statement says it, from the case alone: nothing in it is private.
    /// None where it restricts nothing, or was not served.
    pub fn of_decision(
        case: &Case,
        decision: &DecisionId,
        procedure: &Procedure,
        clause: &str,
        settings: &Settings<'_>,
    ) -> Option<Self> {
        let decided = case.decisions.get(decision)?;
        let Order::Impose { intervention } = &decided.decision.order else { return None };
        let intervention = procedure.intervention(intervention)?;
        let (applies, ends) = times(decided, intervention)?;
        let source = Grounds {
            reach: intervention.reach,
            targets: &decided.decision.targets,
            applies,
            ends,
            clause,
            policy: &case.opening.policy,
            elements: &elements(case, decided, procedure),
            on_findings: case.sources.iter().any(|source| matches!(source, Source::Finding { .. })),
            on_reports: case.sources.iter().any(|source| matches!(source, Source::Report { .. })),
            puid: seal::digest(&case.id, &decided.decision),
        };
        Self::of(case, &source, settings).ok()
    }

    fn of(case: &Case, source: &Grounds<'_>, settings: &Settings<'_>) -> Result<Self, Unfit> {
        if !CATEGORIES.contains(&settings.category) {
            return Err(Unfit::NotListed(settings.category.to_owned(), "categories"));
        }
        let applies = source.applies;
        if applies < DATES.0 || applies > DATES.1 {
            return Err(Unfit::Date(applies.day()));
        }
        let (id, version, digest) = source.policy;
        let shown = |(element, answer): &(String, String)| format!("{element}: {answer}.");
        let explanation: Vec<String> = source.elements.iter().map(shown).collect();
        let explanation = format!("What the clause forbids was determined as follows. {}", explanation.join(" "));
        Ok(Self {
            decision_provision: provision(case, source.reach, source.targets).ok_or(Unfit::RestrictsNothing)?,
            decision_ground: "DECISION_GROUND_INCOMPATIBLE_CONTENT",
            decision_ground_reference_url: settings.terms_url.map(str::to_owned),
            incompatible_content_ground: cut(
                &format!("{} ({id}, version {version}, {digest})", source.clause),
                GROUND_MAX,
            ),
            incompatible_content_explanation: cut(&explanation, EXPLANATION_MAX),
            content_type: ["CONTENT_TYPE_OTHER"],
            content_type_other: "a use of cloud or AI services, known from usage records; no content was seen",
            category: settings.category.to_owned(),
            territorial_scope: territory(source.targets, settings.countries)?,
            application_date: applies.day(),
            end_date_service_restriction: source.ends.filter(|ends| *ends <= DATES.1).map(Moment::day),
            source_type: match (source.on_reports, settings.article_16) {
                (false, _) => "SOURCE_VOLUNTARY",
                (true, true) => "SOURCE_ARTICLE_16",
                (true, false) => "SOURCE_TYPE_OTHER_NOTIFICATION",
            },
            automated_detection: if source.on_findings { "Yes" } else { "No" },
            automated_decision: "AUTOMATED_DECISION_NOT_AUTOMATED",
            puid: source.puid.to_string().replace(':', "-"),
        })
    }
}

impl Batch {
    /// Statements that go together.
    ///
    /// # Errors
    /// There are none, too many, or one stands twice.
    pub fn of(statements: Vec<Entry>) -> Result<Self, Unfit> {
        if !(1..=BATCH_MAX).contains(&statements.len()) {
            return Err(Unfit::Size(statements.len()));
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = statements.iter().find(|one| !seen.insert(&one.known.puid)) {
            return Err(Unfit::Twice(twice.known.puid.clone()));
        }
        Ok(Self { statements })
    }
}

fn check_facts(case: &Case, facts: &str) -> Result<(), Unfit> {
    if facts.trim().is_empty() {
        return Err(Unfit::NoFacts);
    }
    let digest = Digest::of(facts);
    if !case.safe.contains_key(&digest) {
        return Err(Unfit::NotConfirmed(digest));
    }
    if names_customer(case, facts) || names_somebody(case, facts) {
        return Err(Unfit::NamesSomebody);
    }
    Ok(())
}

/// Suspension or termination by how far the measure reaches, total or partial by what it leaves; none for what only asks.
fn provision(case: &Case, reach: Reach, targets: &[Target]) -> Option<Provision> {
    match (reach, is_total(case, targets)) {
        (Reach::Asks, _) => None,
        (Reach::Interim | Reach::Disables, false) => Some(Provision::PartialSuspension),
        (Reach::Interim | Reach::Disables, true) => Some(Provision::TotalSuspension),
        (Reach::Terminates, false) => Some(Provision::PartialTermination),
        (Reach::Terminates, true) => Some(Provision::TotalTermination),
    }
}

/// Total is what leaves nothing of the workload running: on each of its accounts, every service that the evidence is about
/// can neither be written to nor read, anywhere. Evidence of all that an account has leaves open what there is.
fn is_total(case: &Case, targets: &[Target]) -> bool {
    let about: BTreeSet<_> = case.evidence.values().flat_map(|item| &item.about).collect();
    let off = |account: &_, service: &_| {
        let here = targets.iter().filter(|one| one.account == *account && one.service == *service);
        let everywhere = here.filter(|one| one.region.is_none());
        let switches: BTreeSet<Switch> = everywhere.flat_map(|one| one.switches.iter().copied()).collect();
        switches.contains(&Switch::Write) && switches.contains(&Switch::Read)
    };
    let known = case.accounts.iter().all(|account| about.iter().any(|(one, _)| one == account));
    let all = about.iter().all(|(account, service)| service.as_ref().is_some_and(|service| off(account, service)));
    known && all
}

/// The countries in which something is restricted: those of the regions, or all where a target has none.
fn territory(targets: &[Target], countries: &BTreeMap<RegionId, String>) -> Result<BTreeSet<String>, Unfit> {
    if let Some(other) = countries.values().find(|country| !COUNTRIES.contains(&country.as_str())) {
        return Err(Unfit::NotListed(other.clone(), "countries"));
    }
    let regions: BTreeSet<_> = targets.iter().map(|target| target.region.as_ref()).collect();
    if regions.is_empty() || regions.contains(&None) {
        return Ok(COUNTRIES.iter().map(|country| (*country).to_owned()).collect());
    }
    Ok(regions.into_iter().flatten().filter_map(|region| countries.get(region).cloned()).collect())
}

/// A text of at most so many characters: cut after a sentence, or a word if there is none, and saying so.
fn cut(text: &str, limit: usize) -> String {
    let length = text.chars().count();
    if length <= limit {
        return text.to_owned();
    }
    let note = format!(" [Cut: the whole has {length} characters.]");
    let kept: Vec<char> = text.chars().take(limit.saturating_sub(note.chars().count())).collect();
    let sentence = kept.windows(2).rposition(|two| matches!(two, ['.' | '!' | '?', space] if space.is_whitespace()));
    let word = kept.iter().rposition(|one| one.is_whitespace());
    let end = sentence.map(|place| place + 1).or(word).unwrap_or(kept.len());
    kept.into_iter().take(end).collect::<String>() + &note
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::act::Act;
    use crate::stage::{Stage, decision, name, target, text};
    use crate::statement::names;
    use crate::statement::tests::{draft, texts, written};
    use serde_json::Value;

    const FACTS: &str = "Recordings of calls were taken in at scale. They were turned into text.";

    /// A decision on these targets that was approved and served, and its statement.
    fn served(
        intervention: &str,
        targets: &[crate::words::Target],
        prepare: impl FnOnce(&mut Stage),
    ) -> (Stage, Statement) {
        let mut stage = Stage::determined();
        prepare(&mut stage);
        stage.must("ann", Act::Propose(decision("d1", intervention, targets)));
        stage.approve("d1");
        let mut texts = texts("What was found.");
        texts.reasons =
            [Switch::Write, Switch::Read, Switch::Delete, Switch::Export].map(|one| (one, written("why"))).into();
        let statement = draft(&stage, "d1", &texts).unwrap();
        let digest = statement.digest();
        let public = statement.public_digest();
        for text in [digest, public] {
            stage.must("ivy", Act::ConfirmSafe { text, written_by: name("ann") });
        }
        stage.must("ivy", Act::ConfirmSafe { text: text(FACTS), written_by: name("ann") });
        stage.now = statement.served;
        stage.must("ann", Act::ServeNotice { decision: name("d1"), statement: digest, public });
        (stage, statement)
    }

    fn read_only() -> (Stage, Statement) {
        served("read-only", &[target("a1", "object-storage", &[Switch::Write])], |_| {})
    }

    fn export(of: &(Stage, Statement), facts: &str, countries: &BTreeMap<RegionId, String>) -> Result<Entry, Unfit> {
        let category = "STATEMENT_CATEGORY_DATA_PROTECTION_AND_PRIVACY_VIOLATIONS";
        let settings = Settings { category, terms_url: Some("https://terms.example"), countries, article_16: false };
        Entry::of(of.0.case(), &of.1, &written(facts), &settings)
    }

    fn value(of: &(Stage, Statement)) -> Value {
        serde_json::to_value(export(of, FACTS, &BTreeMap::new()).unwrap()).unwrap()
    }

    #[test]
    fn what_is_public_of_a_statement_is_what_the_database_is_told_but_for_facts_and_dates_of_ours() {
        let of = read_only();
        let none = BTreeMap::new();
        let category = "STATEMENT_CATEGORY_DATA_PROTECTION_AND_PRIVACY_VIOLATIONS";
        let settings =
            Settings { category, terms_url: Some("https://terms.example"), countries: &none, article_16: false };
        let clause = &of.1.clause;
        let known = Known::of_decision(of.0.case(), &of.1.decision, &of.0.procedure, clause, &settings).unwrap();
        assert_eq!(known, export(&of, FACTS, &none).unwrap().known);
        let said = serde_json::to_string(&known).unwrap();
        assert!(!said.contains("acme") && !said.contains("Recordings"), "{said}");
        assert!(Known::of_decision(of.0.case(), &name("d9"), &of.0.procedure, clause, &settings).is_none());
    }

    /// What the database's rules ask of each field that we send: required ones first.
    fn accepts(entry: &Value) {
        let text = |field: &str| entry[field].as_str().unwrap_or_else(|| panic!("{field} is missing in {entry}"));
        let one_of = |field: &str, allowed: &[&str]| assert!(allowed.contains(&text(field)), "{field} in {entry}");
        let at_most =
            |field: &str, limit: usize| assert!((1..=limit).contains(&text(field).chars().count()), "{field}");
        let day = |field: &str| {
            let form = text(field).bytes().enumerate().all(|(place, one)| match place {
                4 | 7 => one == b'-',
                _ => one.is_ascii_digit(),
            });
            assert!(form && text(field).len() == 10 && ("2020-01-01"..="2038-01-01").contains(&text(field)), "{field}");
        };
        one_of(
            "decision_provision",
            &[
                "DECISION_PROVISION_PARTIAL_SUSPENSION",
                "DECISION_PROVISION_TOTAL_SUSPENSION",
                "DECISION_PROVISION_PARTIAL_TERMINATION",
                "DECISION_PROVISION_TOTAL_TERMINATION",
            ],
        );
        one_of("decision_ground", &["DECISION_GROUND_ILLEGAL_CONTENT", "DECISION_GROUND_INCOMPATIBLE_CONTENT"]);
        at_most("incompatible_content_ground", 500);
        at_most("incompatible_content_explanation", 2_000);
        at_most("decision_ground_reference_url", 500);
        assert_eq!(entry["content_type"], serde_json::json!(["CONTENT_TYPE_OTHER"]));
        at_most("content_type_other", 500);
        one_of("category", &CATEGORIES);
        day("content_date");
        day("application_date");
        at_most("decision_facts", 5_000);
        one_of(
            "source_type",
            &["SOURCE_ARTICLE_16", "SOURCE_TRUSTED_FLAGGER", "SOURCE_TYPE_OTHER_NOTIFICATION", "SOURCE_VOLUNTARY"],
        );
        one_of("automated_detection", &["Yes", "No"]);
        one_of(
            "automated_decision",
            &["AUTOMATED_DECISION_FULLY", "AUTOMATED_DECISION_PARTIALLY", "AUTOMATED_DECISION_NOT_AUTOMATED"],
        );
        at_most("puid", 500);
        let plain = |one: char| one.is_ascii_alphanumeric() || one == '-' || one == '_';
        assert!(text("puid").chars().all(plain), "{}", text("puid"));
        for country in entry["territorial_scope"].as_array().into_iter().flatten() {
            assert!(COUNTRIES.contains(&country.as_str().unwrap()));
        }
        if entry.get("end_date_service_restriction").is_some() {
            day("end_date_service_restriction");
            assert!(text("end_date_service_restriction") >= text("application_date"));
        }
    }

    #[test]
    fn what_is_exported_is_what_the_database_accepts() {
        let of = read_only();
        let entry = value(&of);
        accepts(&entry);
        assert_eq!(entry["decision_provision"], "DECISION_PROVISION_PARTIAL_SUSPENSION");
        assert_eq!(entry["source_type"], "SOURCE_VOLUNTARY");
        assert_eq!(entry["automated_detection"], "Yes");
        assert_eq!(entry["automated_decision"], "AUTOMATED_DECISION_NOT_AUTOMATED");
        assert_eq!((&entry["content_date"], &entry["application_date"]), (&"2026-03-01".into(), &"2026-03-18".into()));
        assert_eq!(entry["territorial_scope"].as_array().unwrap().len(), 30, "everywhere");
        assert_eq!(entry.get("end_date_service_restriction"), None, "what does not apply is left out");
        assert!(!names(&entry.to_string(), "acme") && !names(&entry.to_string(), "a1"));
    }

    #[test]
    fn a_measure_is_total_when_it_leaves_nothing_of_the_workload_running() {
        let every = |switches: &[Switch]| {
            let on = |account: &'static str| ["object-storage", "speech"].map(|one| target(account, one, switches));
            [on("a1"), on("a2")].concat()
        };
        let is = |intervention: &str, targets: &[_]| {
            value(&served(intervention, targets, |_| {}))["decision_provision"].clone()
        };
        let both = [Switch::Write, Switch::Read];
        assert_eq!(is("disable", &every(&both)), "DECISION_PROVISION_TOTAL_SUSPENSION");
        assert_eq!(is("disable", &every(&[Switch::Write])), "DECISION_PROVISION_PARTIAL_SUSPENSION");
        assert_eq!(is("terminate", &every(&both)), "DECISION_PROVISION_TOTAL_TERMINATION");
        assert_eq!(is("terminate", &every(&both)[..3]), "DECISION_PROVISION_PARTIAL_TERMINATION");
        let one_more = |stage: &mut Stage| {
            let (source, accounts) = (Source::Report { report: name("r1") }, BTreeSet::from([name("a3")]));
            stage.must("tribune", Act::Join { source, accounts });
        };
        let joined = value(&served("terminate", &every(&both), one_more));
        assert_eq!(joined["decision_provision"], "DECISION_PROVISION_PARTIAL_TERMINATION");
        assert_eq!(joined["source_type"], "SOURCE_TYPE_OTHER_NOTIFICATION");
        accepts(&joined);
    }

    #[test]
    fn what_ends_says_when_and_regions_become_countries() {
        let mut export_held = target("a1", "object-storage", &[Switch::Export]);
        export_held.region = Some(name("north"));
        let elsewhere =
            crate::words::Target { region: Some(name("overseas")), ..target("a1", "speech", &[Switch::Export]) };
        let of = served("hold-export", &[export_held, elsewhere], |_| {});
        let countries = BTreeMap::from([(name("north"), "SE".to_owned())]);
        let entry = serde_json::to_value(export(&of, FACTS, &countries).unwrap()).unwrap();
        accepts(&entry);
        assert_eq!(entry["end_date_service_restriction"], "2026-03-20");
        assert_eq!(entry["territorial_scope"], serde_json::json!(["SE"]));
        let unknown = BTreeMap::from([(name("north"), "XX".to_owned())]);
        assert_eq!(export(&of, FACTS, &unknown), Err(Unfit::NotListed("XX".into(), "countries")));
    }

    #[test]
    fn what_is_not_served_not_confirmed_or_names_somebody_stays_here() {
        let of = read_only();
        let none = BTreeMap::new();
        let unconfirmed = "Nobody has read this.";
        assert_eq!(export(&of, unconfirmed, &none), Err(Unfit::NotConfirmed(text(unconfirmed))));
        assert_eq!(export(&of, " ", &none), Err(Unfit::NoFacts));
        for facts in ["ACME stored calls.", "On a2, calls were stored.", "ivy found it."] {
            let mut of = read_only();
            of.0.safe(facts);
            assert_eq!(export(&of, facts, &none), Err(Unfit::NamesSomebody), "{facts}");
        }
        let mut other = of.1.clone();
        other.served = other.served.plus_days(1);
        assert_eq!(export(&(Stage::approved(), of.1.clone()), FACTS, &none), Err(Unfit::NotServed));
        assert_eq!(export(&(of.0, other), FACTS, &none), Err(Unfit::NotServed));
        let asks = served("declaration", &[], |_| {});
        assert_eq!(export(&asks, FACTS, &none), Err(Unfit::RestrictsNothing));
    }

    #[test]
    fn a_long_text_is_cut_after_a_sentence_and_says_so() {
        let long = "Bytes came in, and were kept. ".repeat(400);
        let short = cut(&long, FACTS_MAX);
        let characters = short.chars().count();
        assert!(characters <= FACTS_MAX && characters > FACTS_MAX - 100);
        assert!(short.ends_with("were kept. [Cut: the whole has 12000 characters.]"), "{short}");
        assert_eq!(cut("Short.", FACTS_MAX), "Short.");
        assert_eq!(cut(&"ä".repeat(6_000), 100).chars().count(), 100, "characters, not bytes");
        assert!(cut(&"word ".repeat(100), 100).starts_with("word word"));
    }

    #[test]
    fn a_batch_holds_one_to_a_hundred_each_once() {
        let entry = export(&read_only(), FACTS, &BTreeMap::new()).unwrap();
        let numbered = |count: usize| -> Vec<Entry> {
            (0..count)
                .map(|place| {
                    let known = Known { puid: format!("p{place}"), ..entry.known.clone() };
                    Entry { known, ..entry.clone() }
                })
                .collect()
        };
        assert_eq!(Batch::of(Vec::new()), Err(Unfit::Size(0)));
        assert_eq!(Batch::of(numbered(101)), Err(Unfit::Size(101)));
        assert_eq!(Batch::of(vec![entry.clone(), entry.clone()]), Err(Unfit::Twice(entry.known.puid.clone())));
        let batch = serde_json::to_value(Batch::of(numbered(100)).unwrap()).unwrap();
        assert_eq!(batch["statements"].as_array().unwrap().len(), 100);
        accepts(&batch["statements"][99]);
    }
}
