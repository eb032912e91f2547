//! The statement of reasons: what the customer is told of a decision, and what the public is (EU DSA Article 17(3)).
//!
//! It is drafted from a case as it stands, the procedure and the few private texts that are to appear in it, and comes
//! out the same whenever it is drafted from the same. It serves nothing and publishes nothing: the digest of the
//! customer's text is what is confirmed to identify no source and what [`crate::act::Act::ServeNotice`] names. It knows
//! roles and never who filled them; the public form knows neither the customer nor its accounts, and no private text.

use crate::act::{Established, Order, Source};
use crate::case::{Case, Decided, EMERGENCY_DAYS, Standing};
use crate::clocks::appeal_until;
use crate::metered::Forecast;
use crate::procedure::{Intervention, Procedure, Reach};
use crate::seal;
use crate::words::{CaseId, CustomerId, DecisionId, Digest, Moment, RegionId, Role, ServiceId, Switch, Target, Text};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A private text, as the record's keeper gave it out for its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written(String);

impl Written {
    /// The text that has this digest.
    ///
    /// # Errors
    /// It is another.
    pub fn new(digest: &Text, text: &str) -> Result<Self, Fault> {
        if Digest::of(text) == *digest { Ok(Self(text.to_owned())) } else { Err(Fault::OtherText(*digest)) }
    }

    /// What it says.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The private texts of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Texts {
    /// The facts and circumstances relied on, and why the use is against the clause.
    pub facts: Written,
    /// For every switch in the list, why it and not less: the texts that the decision names.
    pub reasons: BTreeMap<Switch, Written>,
    /// How the customer can have it looked at again, beyond the appeal.
    pub redress: Written,
    /// Whom the public owes it to, where they wish to be named: a newspaper, an organisation.
    pub credit: Option<Written>,
}

/// What a statement is drafted from.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// The case, as it stands.
    pub case: &'a Case,
    /// Of which decision; approved.
    pub decision: &'a DecisionId,
    /// The law of the case.
    pub procedure: &'a Procedure,
    /// The clause, as the policy pack titles it.
    pub clause: &'a str,
    /// The private texts.
    pub texts: &'a Texts,
    /// When it is to be served, at the earliest: its times count from then.
    pub served: Moment,
}

/// Why no statement can be drafted: what is wrong, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The text is not the one of its digest.
    #[error("the text does not have the digest {0}; take the one that the record keeps for it")]
    OtherText(Text),
    /// No such decision.
    #[error("there is no decision {0} in the case; name one of the case's")]
    Unknown(DecisionId),
    /// It was not approved.
    #[error("decision {0} is not approved; a statement says who decided, so draft it once enough people have approved")]
    Undecided(DecisionId),
    /// It lifts.
    #[error("decision {0} lifts and restricts nobody; a statement of reasons belongs to the decision that it lifts")]
    Lifts(DecisionId),
    /// Its intervention is not of this procedure.
    #[error("the procedure has no intervention {0}; take the procedure of the policy pack that the case names")]
    OtherProcedure(String),
    /// A switch without its reasons.
    #[error("the reasons for switching off {0} are missing or not those that the decision names; give those")]
    Unreasoned(&'static str),
    /// A text names somebody.
    #[error("the {0} name somebody of the provider's or a report; say the role, and nothing of who reported")]
    NamesSomebody(&'static str),
    /// An empty text.
    #[error("the {0} are empty; write them")]
    Empty(&'static str),
}

/// Services and what of each is switched off, where.
pub type Scope = BTreeMap<(ServiceId, Option<RegionId>), BTreeSet<Switch>>;

/// A statement of reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    case: CaseId,
    /// Of which decision.
    pub decision: DecisionId,
    customer: CustomerId,
    /// Whether two people decided that the customer may be named in public.
    named: bool,
    /// The digest of the decision, by which the public knows it.
    pub digest_of_decision: Digest,
    /// The measure, in words.
    pub measure: String,
    /// How far it reaches.
    pub reach: Reach,
    /// The sealed list.
    pub targets: Vec<Target>,
    /// From when on its times count.
    pub served: Moment,
    /// When it takes effect, at the earliest.
    pub from: Moment,
    /// When it ends by itself, if it takes effect at the earliest.
    pub ends: Option<Moment>,
    /// When it is looked at again.
    pub review: Option<Moment>,
    /// Until when data can be taken out, if it takes effect at the earliest; none where no time was set.
    pub export_until: Option<Moment>,
    /// Until when it can be appealed.
    pub appeal_until: Moment,
    /// Whether it came of findings.
    pub on_findings: bool,
    /// Whether it came of reports.
    pub on_reports: bool,
    /// The clause, as the pack titles it.
    pub clause: String,
    /// The policy pack: id, version and digest.
    pub policy: (String, String, Digest),
    /// Each element of the clause and what the determination says of it; empty where none was needed.
    pub elements: Vec<(String, String)>,
    /// What recent usage said it stops, and what goes on.
    pub forecast: Option<Forecast>,
    emergency: bool,
    proposer: &'static str,
    approvals: usize,
    texts: Texts,
}

impl Statement {
    /// Drafts one.
    ///
    /// # Errors
    /// What is wrong with what it is drafted from.
    pub fn draft(draft: &Draft<'_>) -> Result<Self, Fault> {
        let Draft { case, decision: id, procedure, clause, texts, served } = *draft;
        let decided = case.decisions.get(id).ok_or_else(|| Fault::Unknown(id.clone()))?;
        if !matches!(decided.standing, Standing::Approved | Standing::InEffect | Standing::Over) {
            return Err(Fault::Undecided(id.clone()));
        }
        let Order::Impose { intervention } = &decided.decision.order else { return Err(Fault::Lifts(id.clone())) };
        let unknown = || Fault::OtherProcedure(intervention.to_string());
        let intervention = procedure.intervention(intervention).ok_or_else(unknown)?;
        check_texts(case, decided, texts)?;
        let times = Times::of(decided, intervention, served);
        let roles = case.parts.get(&decided.by).map(|part| &part.roles);
        let reviewed = roles.is_some_and(|roles| roles.contains(&Role::Reviewer));
        Ok(Self {
            case: case.id.clone(),
            decision: id.clone(),
            customer: case.opening.customer.clone(),
            named: case.may_be_named(),
            digest_of_decision: seal::digest(&case.id, &decided.decision),
            measure: intervention.title.clone(),
            reach: intervention.reach,
            targets: decided.decision.targets.clone(),
            served,
            from: times.from,
            ends: times.ends,
            review: decided.decision.review,
            export_until: times.export_until,
            appeal_until: times.appeal_until,
            on_findings: case.sources.iter().any(|source| matches!(source, Source::Finding { .. })),
            on_reports: case.sources.iter().any(|source| matches!(source, Source::Report { .. })),
            clause: clause.to_owned(),
            policy: case.opening.policy.clone(),
            elements: elements(case, decided, procedure),
            forecast: decided.approved_on().map(|metered| metered.forecast(&decided.decision.targets)),
            emergency: decided.decision.emergency,
            proposer: if reviewed { "a reviewer of the case" } else { "one of those who may decide" },
            approvals: decided.approvals.len(),
            texts: texts.clone(),
        })
    }

    /// The customer's statement as plain text.
    pub fn text(&self) -> String {
        as_text(TITLE, &self.for_customer())
    }

    /// The customer's statement as HTML, to stand in a page's `main`.
    pub fn html(&self) -> String {
        as_html(TITLE, &self.for_customer())
    }

    /// The digest of the customer's statement, as plain text: what [`crate::act::Act::ServeNotice`] names.
    pub fn digest(&self) -> Digest {
        Digest::of(self.text())
    }

    /// The public's as plain text.
    pub fn public_text(&self) -> String {
        as_text(PUBLIC_TITLE, &self.for_public())
    }

    /// The public's as HTML, to stand in a page's `main`.
    pub fn public_html(&self) -> String {
        as_html(PUBLIC_TITLE, &self.for_public())
    }

    /// The digest of the public's, as plain text.
    pub fn public_digest(&self) -> Digest {
        Digest::of(self.public_text())
    }

    /// Whether it is what was served, and not before the time from which its times count.
    pub fn was_served(&self, decided: &Decided) -> bool {
        decided.notice.is_some_and(|notice| {
            notice.statement == self.digest() && notice.public == self.public_digest() && notice.at >= self.served
        })
    }

    /// What is switched off, whatever the account.
    pub fn scope(&self) -> Scope {
        let mut scope = Scope::new();
        for target in &self.targets {
            let place = (target.service.clone(), target.region.clone());
            scope.entry(place).or_default().extend(&target.switches);
        }
        scope
    }

    /// On how many accounts something is switched off.
    pub fn accounts(&self) -> usize {
        self.targets.iter().map(|target| &target.account).collect::<BTreeSet<_>>().len()
    }
}

const TITLE: &str = "Statement of reasons";
const PUBLIC_TITLE: &str = "Statement of reasons, for the public";

/// The texts are those that the decision names, say something, and name nobody whom they must not.
fn check_texts(case: &Case, decided: &Decided, texts: &Texts) -> Result<(), Fault> {
    for switch in decided.decision.targets.iter().flat_map(|target| &target.switches) {
        let said = texts.reasons.get(switch).map(|text| Digest::of(text.as_str()));
        if said.is_none() || said.as_ref() != decided.decision.reasons.get(switch) {
            return Err(Fault::Unreasoned(words(*switch)));
        }
    }
    let reasons = texts.reasons.values().map(|text| ("reasons", text));
    let credit = texts.credit.iter().map(|text| ("credit", text));
    let said = [("facts", &texts.facts), ("redress", &texts.redress)];
    for (what, text) in said.into_iter().chain(reasons).chain(credit) {
        if text.as_str().trim().is_empty() {
            return Err(Fault::Empty(what));
        }
        if names_somebody(case, text.as_str()) {
            return Err(Fault::NamesSomebody(what));
        }
    }
    Ok(())
}

/// Whether a text names a report, or somebody who has a part in the case.
pub(crate) fn names_somebody(case: &Case, text: &str) -> bool {
    let reports = case.sources.iter().filter_map(|source| match source {
        Source::Report { report } => Some(report.as_str()),
        Source::Finding { .. } | Source::Declaration(_) => None,
    });
    case.parts.keys().map(|person| person.as_str()).chain(reports).any(|name| names(text, name))
}

/// Whether a text names the customer of a case, or an account under review in it.
pub(crate) fn names_customer(case: &Case, text: &str) -> bool {
    let accounts = case.accounts.iter().map(|account| account.as_str());
    accounts.chain([case.opening.customer.as_str()]).any(|name| names(text, name))
}

/// Whether a text that employees are to be told names the customer: what [`crate::act::Act::TellEmployees`] says of it.
///
/// # Errors
/// It is empty, or names a report or somebody who has a part in the case.
pub fn for_employees(case: &Case, text: &str) -> Result<bool, Fault> {
    match () {
        () if text.trim().is_empty() => Err(Fault::Empty("words to employees")),
        () if names_somebody(case, text) => Err(Fault::NamesSomebody("words to employees")),
        () => Ok(names_customer(case, text)),
    }
}

/// Whether a text holds a name as words of its own, in whatever case.
pub fn names(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    let word = |neighbour: Option<char>| neighbour.is_some_and(char::is_alphanumeric);
    text.match_indices(&name).any(|(at, _)| {
        let (before, after) = (text.get(..at), text.get(at + name.len()..));
        !word(before.and_then(|text| text.chars().next_back())) && !word(after.and_then(|text| text.chars().next()))
    })
}

/// The times of a statement, counted from its service.
pub(crate) struct Times {
    pub(crate) from: Moment,
    pub(crate) ends: Option<Moment>,
    pub(crate) export_until: Option<Moment>,
    pub(crate) appeal_until: Moment,
}

impl Times {
    pub(crate) fn of(decided: &Decided, intervention: &Intervention, served: Moment) -> Self {
        let decision = &decided.decision;
        let from = served.plus_hours(decision.respite.notice_hours.into());
        let days = intervention.ends_after_days.map(|days| from.plus_days(days));
        let lapses = decision.emergency.then(|| from.plus_days(EMERGENCY_DAYS));
        let export_days = Some(decision.respite.export_days).filter(|days| *days > 0);
        Self {
            from,
            ends: [decision.ends, days, lapses].into_iter().flatten().min(),
            export_until: export_days.map(|days| from.plus_days(days.into())),
            appeal_until: appeal_until(Some(served)).unwrap_or(served),
        }
    }
}

/// From when and until when a decision that was served is in force at the earliest; none before it was.
pub(crate) fn times(decided: &Decided, intervention: &Intervention) -> Option<(Moment, Option<Moment>)> {
    let times = Times::of(decided, intervention, decided.notice?.at);
    Some((times.from, times.ends))
}

/// Each element of the clause, and what the determination that the decision rests on says of it.
pub(crate) fn elements(case: &Case, decided: &Decided, procedure: &Procedure) -> Vec<(String, String)> {
    let determined = decided.decision.determination.and_then(|place| case.determinations.get(place));
    let Some(determined) = determined else { return Vec::new() };
    let answer = |element: &crate::procedure::Element| {
        let said = determined.determination.elements.get(&element.id)?;
        let answer = match said.answer {
            Established::Established => format!("established: {}", said.standard),
            Established::NotEstablished => "not established".to_owned(),
            Established::Inconclusive => "inconclusive".to_owned(),
        };
        Some((format!("{} {}", element.id, element.title), answer))
    };
    procedure.elements.iter().filter_map(answer).collect()
}

/// What a switch switches off, for people.
pub const fn words(switch: Switch) -> &'static str {
    match switch {
        Switch::Write => "new content and new processing",
        Switch::Read => "reading what is there",
        Switch::Delete => "deleting what is there",
        Switch::Export => "taking it out in bulk",
    }
}

// ---- what it says ---------------------------------------------------------------------------------------------------

/// A heading, and terms with what is said of each.
struct Section {
    heading: &'static str,
    entries: Vec<(String, Vec<String>)>,
}

impl Section {
    fn new(heading: &'static str) -> Self {
        Self { heading, entries: Vec::new() }
    }

    fn say(mut self, term: &str, what: impl Into<String>) -> Self {
        self.entries.push((term.to_owned(), vec![what.into()]));
        self
    }

    fn list(mut self, term: &str, what: Vec<String>) -> Self {
        if !what.is_empty() {
            self.entries.push((term.to_owned(), what));
        }
        self
    }
}

impl Statement {
    fn for_customer(&self) -> Vec<Section> {
        let about = Section::new("What this is about")
            .say("To", self.customer.as_str())
            .say("Case and decision", format!("{}, {}", self.case, self.decision))
            .say("Digest of the decision", self.digest_of_decision.to_string());
        let paragraphs = |text: &Written| {
            text.as_str().lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        let mut facts =
            Section::new("Facts and reasons").list("Facts and circumstances", paragraphs(&self.texts.facts));
        let off: BTreeSet<Switch> = self.targets.iter().flat_map(|target| target.switches.iter().copied()).collect();
        for (switch, reasons) in self.texts.reasons.iter().filter(|(switch, _)| off.contains(switch)) {
            facts = facts.list(&format!("Why not less: {}", words(*switch)), paragraphs(reasons));
        }
        let redress = self.redress().list("Further", paragraphs(&self.texts.redress));
        vec![
            about,
            self.said_of_measure(true),
            self.times(),
            self.ground(),
            facts,
            self.origin(),
            self.decided(),
            redress,
        ]
    }

    fn for_public(&self) -> Vec<Section> {
        let mut about = Section::new("What this is about");
        if self.named {
            about = about.say("Customer", self.customer.as_str());
        }
        let about = about.say("Digest of the decision", self.digest_of_decision.to_string());
        let measure = self.said_of_measure(false);
        let mut origin = self.origin();
        if let Some(credit) = &self.texts.credit {
            origin = origin.say("Brought to light by", credit.as_str());
        }
        vec![about, measure, self.times(), self.ground(), origin, self.decided(), self.redress()]
    }

    fn said_of_measure(&self, with_accounts: bool) -> Section {
        let place = |region: Option<&RegionId>| region.map_or("everywhere".to_owned(), |one| format!("in {one}"));
        let off = |switches: &BTreeSet<Switch>| switches.iter().map(|one| words(*one)).collect::<Vec<_>>().join(", ");
        let scope = if with_accounts {
            let line = |one: &Target| {
                let place = place(one.region.as_ref());
                format!("account {}, {}, {place}: {}", one.account, one.service, off(&one.switches))
            };
            self.targets.iter().map(line).collect()
        } else {
            let line = |((service, region), switches): (&(ServiceId, Option<RegionId>), &BTreeSet<Switch>)| {
                format!("{service}, {}: {}", place(region.as_ref()), off(switches))
            };
            self.scope().iter().map(line).collect::<Vec<_>>()
        };
        let section = Section::new("The measure").say("What is ordered", self.measure.as_str());
        if scope.is_empty() {
            return section.say("What is switched off", "nothing");
        }
        let regions: BTreeSet<_> = self.targets.iter().map(|target| target.region.as_ref()).collect();
        let territory = regions.iter().map(|region| region.map_or("all regions".to_owned(), ToString::to_string));
        let territory = if regions.contains(&None) { vec!["all regions".to_owned()] } else { territory.collect() };
        let everything_else = match self.forecast {
            Some(Forecast { stops, beyond, goes_on }) => format!(
                "goes on as before. By the usage before the decision: kinds of use that stop: {stops}; that are aimed at \
                 and that no gate reaches: {beyond}; that go on: {goes_on}"
            ),
            None => "goes on as before".to_owned(),
        };
        section
            .list("What is switched off", scope)
            .list("Territory", territory)
            .say("Extent", format!("accounts: {}; entries in the sealed list: {}", self.accounts(), self.targets.len()))
            .say("Everything else", everything_else)
    }

    fn times(&self) -> Section {
        let mut section = Section::new("From when, until when")
            .say("Times count from", format!("{}, or from the service of this statement if later", self.served))
            .say("In force from", format!("{}, at the earliest", self.from));
        section = match (self.ends, self.review) {
            (Some(ends), _) => section.say("Ends by itself", format!("{ends}, if in force from the earliest time")),
            (None, None) => section.say("Ends", "when it is lifted"),
            (None, Some(_)) => section,
        };
        if let Some(review) = self.review {
            section = section.say("Looked at again by", review.to_string());
        }
        let held = self.targets.iter().any(|target| target.switches.contains(&Switch::Export));
        let export = match self.export_until {
            Some(until) => format!("possible until {until}, at least"),
            None if held => "held for as long as the measure is in force".to_owned(),
            None => "not restricted".to_owned(),
        };
        section.say("Taking data out in bulk", export)
    }

    fn ground(&self) -> Section {
        let (id, version, digest) = &self.policy;
        let mut section = Section::new("The contractual ground")
            .say("Clause of the terms", format!("{} ({id})", self.clause))
            .say("Policy pack", format!("version {version}, {digest}"));
        for (element, answer) in &self.elements {
            section = section.say(element, answer.as_str());
        }
        if self.elements.is_empty() {
            section = section.say("Breach", "none was determined, and what is ordered needs none");
        }
        section
    }

    fn origin(&self) -> Section {
        let brought = match (self.on_findings, self.on_reports) {
            (true, true) => "the provider's own initiative, and notices",
            (false, true) => "notices",
            _ => "the provider's own initiative",
        };
        let detected = if self.on_findings {
            "signals computed from the provider's usage records; no content was read"
        } else {
            "none"
        };
        Section::new("How it came about")
            .say("Taken up on", brought)
            .say("Who reported", "nobody who may have reported is identified here")
            .say("Automated means in detecting", detected)
            .say("Automated means in deciding", "none: people decided")
    }

    fn decided(&self) -> Section {
        let mut section = Section::new("Who decided").say("Proposed by", self.proposer).say(
            "Approved by",
            format!("{} deciders, none of them who proposed, each with a signature", self.approvals),
        );
        if self.emergency {
            let lapses = format!("it could not wait for the hearing; it lapses after {EMERGENCY_DAYS} days");
            section = section.say("As an emergency", lapses);
        }
        section
    }

    fn redress(&self) -> Section {
        Section::new("How to challenge it")
            .say("Appeal until", self.appeal_until.to_string())
            .say("The appeal is decided by", "two of the appeal panel who had no other hand in the case")
    }
}

// ---- how it is written ----------------------------------------------------------------------------------------------

/// What could write over or turn round what stands beside it is shown as a replacement.
fn plain(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(|one| match one {
        '\n' => one,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        _ if one.is_control() => '\u{fffd}',
        _ => one,
    })
}

fn as_text(title: &str, sections: &[Section]) -> String {
    let mut text = format!("{title}\n");
    for section in sections {
        let _ = write!(text, "\n{}\n", section.heading);
        for (term, said) in &section.entries {
            let _ = writeln!(text, "  {}:", plain(term).collect::<String>());
            for line in said.iter().flat_map(|one| one.lines()) {
                let _ = writeln!(text, "    {}", plain(line).collect::<String>());
            }
        }
    }
    text
}

fn as_html(title: &str, sections: &[Section]) -> String {
    let mut html = format!("<article>\n<h1>{title}</h1>\n");
    for section in sections {
        let _ = write!(html, "<section>\n<h2>{}</h2>\n<dl>\n", section.heading);
        for (term, said) in &section.entries {
            let _ = writeln!(html, "<dt>{}</dt>", escape(term));
            for one in said {
                let _ = writeln!(html, "<dd>{}</dd>", escape(one));
            }
        }
        html.push_str("</dl>\n</section>\n");
    }
    html.push_str("</article>\n");
    html
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for one in plain(text) {
        match one {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(one),
        }
    }
    escaped
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::act::{Act, Decision};
    use crate::stage::{PEOPLE, START, Stage, lift, name, read_only, target, text};

    const FACTS: &str = "Some 40,000 recordings an hour were taken in, day and night. They were turned into text.";

    pub(crate) fn written(of: &str) -> Written {
        Written::new(&text(of), of).unwrap()
    }

    pub(crate) fn texts(facts: &str) -> Texts {
        let reasons = BTreeMap::from([(Switch::Write, written("why")), (Switch::Export, written("why"))]);
        let credit = Some(written("The Morning Paper, which wishes to be named"));
        Texts { facts: written(facts), reasons, redress: written("A court, where the contract says."), credit }
    }

    pub(crate) fn draft(stage: &Stage, decision: &str, texts: &Texts) -> Result<Statement, Fault> {
        let (id, served) = (name(decision), START.plus_days(16));
        let clause = "No mass surveillance of civilians";
        Statement::draft(&Draft {
            case: stage.case(),
            decision: &id,
            procedure: &stage.procedure,
            clause,
            texts,
            served,
        })
    }

    fn drafted(stage: &Stage, facts: &str) -> Statement {
        draft(stage, "d1", &texts(facts)).unwrap()
    }

    fn renderings(statement: &Statement) -> [String; 4] {
        [statement.text(), statement.html(), statement.public_text(), statement.public_html()]
    }

    #[test]
    fn the_customer_learns_everything_that_article_17_asks_for() {
        let statement = drafted(&Stage::approved(), FACTS);
        let said = statement.text();
        for part in [
            "To:\n    acme",
            "What is ordered:\n    read-only",
            "account a1, object-storage, everywhere: new content and new processing",
            "Territory:\n    all regions",
            "In force from:\n    2026-03-18T00:00:00Z, at the earliest",
            "Looked at again by:\n    2026-12-26T00:00:00Z",
            "possible until 2026-04-17T00:00:00Z, at least",
            "No mass surveillance of civilians (mass-surveillance)",
            &text("pack").to_string(),
            "E1 communications or movements of people are collected:\n    established: clear and convincing",
            FACTS,
            "Why not less: new content and new processing:\n    why",
            "the provider's own initiative",
            "Automated means in deciding:\n    none: people decided",
            "2 deciders, none of them who proposed",
            "Appeal until:\n    2026-09-18T12:00:00Z",
            "A court, where the contract says.",
        ] {
            assert!(said.contains(part), "{part} is not in\n{said}");
        }
        assert!(!said.contains("Why not less: taking it out"), "what is not switched off needs no reasons");
        let public = drafted(&Stage::approved(), FACTS).public_text();
        assert!(public.contains("Brought to light by:\n    The Morning Paper") && !said.contains("Morning Paper"));
        assert_eq!(statement, drafted(&Stage::approved(), FACTS), "drafted twice, it is the same");
    }

    #[test]
    fn what_is_served_is_what_the_digest_names() {
        let mut stage = Stage::approved();
        let statement = drafted(&stage, FACTS);
        let digest = statement.digest();
        let public = statement.public_digest();
        for text in [digest, public] {
            stage.must("ivy", Act::ConfirmSafe { text, written_by: name("ann") });
        }
        stage.now = statement.served;
        stage.must("ann", Act::ServeNotice { decision: name("d1"), statement: digest, public });
        let decided = stage.case().decisions.values().next().unwrap().clone();
        assert!(statement.was_served(&decided) && !drafted(&stage, "Other facts.").was_served(&decided));
        let later = Statement { served: statement.served.plus_hours(1), ..statement };
        assert!(!later.was_served(&decided), "its times would be shorter than it says");
    }

    #[test]
    fn another_text_is_refused_and_what_is_not_ready_is_not_drafted() {
        assert_eq!(Written::new(&text("why"), "why not"), Err(Fault::OtherText(text("why"))));
        let stage = Stage::approved();
        let refused = |change: &dyn Fn(&mut Texts)| {
            let mut texts = texts(FACTS);
            change(&mut texts);
            draft(&stage, "d1", &texts).unwrap_err()
        };
        let unreasoned = Fault::Unreasoned(words(Switch::Write));
        assert_eq!(refused(&|texts| texts.reasons.clear()), unreasoned);
        assert_eq!(refused(&|texts| drop(texts.reasons.insert(Switch::Write, written("other")))), unreasoned);
        assert_eq!(refused(&|texts| texts.facts = written(" ")), Fault::Empty("facts"));
        assert_eq!(draft(&stage, "d9", &texts(FACTS)), Err(Fault::Unknown(name("d9"))));
        assert_eq!(draft(&Stage::proposed(), "d1", &texts(FACTS)), Err(Fault::Undecided(name("d1"))));
        let mut stage = Stage::in_effect();
        stage.must("ann", Act::Propose(lift("d2", "d1", &[])));
        stage.approve("d2");
        assert_eq!(draft(&stage, "d2", &texts(FACTS)), Err(Fault::Lifts(name("d2"))));
    }

    #[test]
    fn nobody_of_the_provider_is_named_in_any_form() {
        let stage = Stage::in_effect();
        let statement = drafted(&stage, FACTS);
        for said in renderings(&statement) {
            for (person, ..) in PEOPLE {
                assert!(!names(&said, person) && !said.contains("idp|"), "{person} is named in\n{said}");
            }
        }
        for (person, ..) in PEOPLE.iter().filter(|(person, ..)| !["sal", "mia"].contains(person)) {
            let facts = format!("As {} found, much was stored.", person.to_uppercase());
            assert_eq!(draft(&stage, "d1", &texts(&facts)), Err(Fault::NamesSomebody("facts")), "{person}");
        }
    }

    #[test]
    fn who_reported_is_not_named_and_notices_are_said_to_be_such() {
        let mut stage = Stage::approved();
        let source = Source::Report { report: name("report-77") };
        stage.must("tribune", Act::Join { source, accounts: BTreeSet::new() });
        let said = drafted(&stage, FACTS).text();
        assert!(said.contains("own initiative, and notices") && !said.contains("report-77"));
        let refused = draft(&stage, "d1", &texts("As report-77 says, much was stored."));
        assert_eq!(refused, Err(Fault::NamesSomebody("facts")));
    }

    #[test]
    fn the_public_form_names_neither_customer_nor_accounts_unless_two_decided_so() {
        let mut stage = Stage::approved();
        let facts = "Acme wrote to a1 and a2.";
        for named in [false, true] {
            let statement = drafted(&stage, facts);
            for said in [statement.public_text(), statement.public_html()] {
                assert_eq!(names(&said, "acme"), named, "{said}");
                assert!(!["a1", "a2", "case-1", "wrote"].iter().any(|id| names(&said, id)), "{said}");
                assert!(said.contains("object-storage, everywhere: new content") && said.contains("accounts: 1;"));
            }
            stage.must("ben", Act::NamePublicly { reasons: text("public interest") });
            assert!(!names(&drafted(&stage, facts).public_text(), "acme") || named, "one is not enough");
            stage.must("cleo", Act::NamePublicly { reasons: text("public interest") });
        }
    }

    #[test]
    fn what_employees_are_told_names_nobody_and_says_whether_it_names_the_customer() {
        let stage = Stage::approved();
        let told = |text: &str| for_employees(stage.case(), text);
        assert_eq!(told("A unit of one customer may write no more."), Ok(false));
        assert_eq!(told("ACME may write no more."), Ok(true));
        assert_eq!(told("What is in a2 stays readable."), Ok(true), "an account is as good as a name");
        assert_eq!(told("Ann carried the review."), Err(Fault::NamesSomebody("words to employees")));
        assert_eq!(told(" \n"), Err(Fault::Empty("words to employees")));
    }

    #[test]
    fn hostile_text_stays_text() {
        let facts =
            "<script>alert('x')</script> & \"more\"\u{202e}\u{7}\r\n\nHow to challenge it\n  Appeal until:\n    never";
        let statement = drafted(&Stage::approved(), facts);
        let html = statement.html();
        assert!(
            html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;more&quot;\u{fffd}\u{fffd}")
        );
        let tags = html.split('<').skip(1).filter_map(|rest| rest.split('>').next());
        let known = ["article", "h1", "section", "h2", "dl", "dt", "dd"];
        assert!(tags.into_iter().all(|tag| known.contains(&tag.trim_start_matches('/'))), "{html}");
        let said = statement.text();
        assert!(said.contains("\n    How to challenge it\n      Appeal until:\n        never\n"), "{said}");
        assert_eq!(said.matches("\nHow to challenge it\n").count(), 1);
    }

    #[test]
    fn every_tag_that_opens_closes() {
        let html = drafted(&Stage::approved(), "a < b > c & d").html();
        let mut open = Vec::new();
        for tag in html.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
            match tag.strip_prefix('/') {
                Some(closed) => assert_eq!(open.pop(), Some(closed)),
                None => open.push(tag),
            }
        }
        assert!(open.is_empty() && html.starts_with("<article>") && html.ends_with("</article>\n"));
    }

    #[test]
    fn an_emergency_says_that_it_is_one_and_when_it_lapses() {
        let mut stage = Stage::determined();
        stage.must("ann", Act::Propose(Decision { emergency: true, review: None, ..read_only("d1") }));
        stage.approve("d1");
        let statement = drafted(&stage, FACTS);
        assert_eq!(statement.from, statement.served);
        let proposed = stage.case().decisions[&name::<DecisionId>("d1")].proposed;
        assert_eq!(statement.ends, Some(proposed.plus_days(10)), "as it is sealed");
        assert!(statement.text().contains("it lapses after 10 days"));
    }

    #[test]
    fn regions_are_told_apart_and_what_asks_switches_nothing_off() {
        let mut stage = Stage::determined();
        let mut north = target("a1", "object-storage", &[Switch::Write]);
        north.region = Some(name("north"));
        let speech = Target { region: Some(name("south")), ..target("a2", "speech", &[Switch::Write]) };
        stage.must("ann", Act::Propose(crate::stage::decision("d1", "read-only", &[north, speech])));
        stage.must("ann", Act::Propose(crate::stage::decision("d2", "declaration", &[])));
        for decision in ["d1", "d2"] {
            stage.approve(decision);
        }
        let public = drafted(&stage, FACTS).public_text();
        assert!(public.contains("Territory:\n    north\n    south\n") && public.contains("accounts: 2;"), "{public}");
        let asks = draft(&stage, "d2", &texts(FACTS)).unwrap().text();
        assert!(asks.contains("What is switched off:\n    nothing"), "{asks}");
    }
}
