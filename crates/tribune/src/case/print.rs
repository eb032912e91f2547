//! What a shell shows of cases: the list, and one case as it stands, with what it waits for.
//!
//! It names texts by their digests and decides nothing.

use crate::common::Failure;
use crate::office::Office;
use clerk::{File, Wanted};
use review::act::{Established, Order, Source};
use review::case::{Case, Phase, Standing};
use review::clocks::{Clock, clocks, limit};
use review::procedure::Procedure;
use review::words::Moment;
use serde::Serialize;
use std::fmt::Write as _;
use std::process::ExitCode;

/// One line of the list.
#[derive(Serialize)]
struct Line {
    case: String,
    policy: String,
    customer: String,
    phase: &'static str,
    opened: String,
    accounts: usize,
    in_force: usize,
    next: Option<String>,
    due: Option<String>,
    missed: usize,
    /// Until which day it is put off.
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<String>,
    /// To whom questions went up that wait.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    escalated: Vec<&'static str>,
}

/// Every case. It names customers, so it takes a role that reads cases; what is in one needs a look.
pub(super) async fn list(office: &Office) -> Result<ExitCode, Failure> {
    let mut lines = Vec::new();
    let all = Wanted { on_page: usize::MAX, ..Wanted::default() };
    for line in office.clerk.list(office.who()?, &all, office.now).await?.lines {
        let next = line.clocks.first();
        lines.push(Line {
            case: line.id.to_string(),
            policy: line.policy.clone(),
            customer: line.customer.to_string(),
            phase: phase(&line.phase),
            opened: line.opened.day(),
            accounts: line.accounts.len(),
            in_force: line.in_force(office.now),
            next: next.map(|(_, what)| what.clone()),
            due: next.map(|(due, _)| due.day()),
            missed: line.missed(office.now),
            held: line.held(office.now).map(Moment::day),
            escalated: line.escalated.iter().map(|role| role.name()).collect(),
        });
    }
    let mut text = String::new();
    for line in &lines {
        let next = match (&line.next, &line.due) {
            (Some(next), Some(due)) if line.phase == "open" => format!("next: {next} by {due}"),
            _ => String::new(),
        };
        let Line { case, customer, phase, opened, accounts, in_force, missed, .. } = line;
        let _ = writeln!(text, "{case}  {phase}  {customer}, {accounts} accounts, opened {opened}");
        let _ = writeln!(text, "    {in_force} targets switched off; {missed} deadlines missed; {next}");
        if let Some(day) = &line.held {
            let _ = writeln!(text, "    put off until {day}");
        }
        for role in &line.escalated {
            let _ = writeln!(text, "    asked upwards: {role}");
        }
    }
    if lines.is_empty() {
        text.push_str("no case yet: `tribune case open --help`");
    }
    office.print(&lines, &text)
}

/// The limits of declared uses, as rows of facts.csv (contract §2). Its two verifiers are the two who decided that it may
/// go on.
pub(super) async fn limits(office: &Office) -> Result<ExitCode, Failure> {
    #[derive(Serialize)]
    struct Row {
        account: String,
        declared_calls_per_hour: i64,
        verified_calls_per_hour: i64,
        verified_until: String,
        verified_evidence: String,
        verified_by_1: String,
        verified_by_2: String,
        valid_from: String,
    }
    let mut rows = Vec::new();
    for File { case, .. } in office.clerk.cases_for(office.who()?, office.now).await? {
        let Some((calls, until)) = limit(&case).filter(|(_, until)| *until > office.now) else { continue };
        let Some((closed, ..)) = case.closings.last() else { continue };
        let alike = case.use_votes.iter().filter(|(_, may)| Some(*may) == case.decided_use());
        let by = alike.map(|(person, _)| person.to_string());
        for account in &case.accounts {
            let mut by = by.clone();
            rows.push(Row {
                account: account.to_string(),
                declared_calls_per_hour: calls,
                verified_calls_per_hour: calls,
                verified_until: until.day(),
                verified_evidence: case.id.to_string(),
                verified_by_1: by.next().unwrap_or_default(),
                verified_by_2: by.next().unwrap_or_default(),
                valid_from: closed.day(),
            });
        }
    }
    let mut csv = csv::Writer::from_writer(Vec::new());
    for row in &rows {
        csv.serialize(row).map_err(|error| Failure::Defect(error.to_string()))?;
    }
    let bytes = csv.into_inner().map_err(|error| Failure::Defect(error.to_string()))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    office.print(&rows, if rows.is_empty() { "no declared use goes on under a limit" } else { &text })
}

fn phase(phase: &Phase) -> &'static str {
    match phase {
        Phase::Open => "open",
        Phase::Closed => "closed",
        Phase::Merged(_) => "goes on in another",
    }
}

/// One case.
pub(super) fn case(office: &Office, file: &File) -> Result<ExitCode, Failure> {
    #[derive(Serialize)]
    struct Shown<'a> {
        schema: &'static str,
        case: &'a str,
        policy: &'a str,
        phase: &'static str,
        version: u64,
        clocks: Vec<ClockShown>,
        events: &'a [review::act::Event],
    }
    let File { case, events, law } = file;
    let clocks = clocks(case, &law.procedure);
    let shown = Shown {
        schema: "tribune.case/1",
        case: case.id.as_str(),
        policy: &law.id,
        phase: phase(&case.phase),
        version: case.version,
        clocks: clocks.iter().map(|clock| ClockShown::of(clock, office.now)).collect(),
        events,
    };
    let mut text = head(case, &law.title);
    people(&mut text, case);
    proof(&mut text, case, &law.procedure);
    decisions(&mut text, case);
    rest(&mut text, case);
    let _ = writeln!(text, "\nclocks");
    for clock in &shown.clocks {
        let _ = writeln!(text, "  {:<10} {}{}", clock.due, clock.what, clock.state);
    }
    office.print(&shown, &text)
}

#[derive(Serialize)]
struct ClockShown {
    what: String,
    due: String,
    missed: bool,
    #[serde(skip)]
    state: &'static str,
}

impl ClockShown {
    fn of(clock: &Clock, now: Moment) -> Self {
        let missed = clock.missed(now);
        let state = match (clock.done.is_some(), missed) {
            (true, false) => " (done)",
            (true, true) => " (done, too late)",
            (false, true) => " (MISSED)",
            (false, false) => "",
        };
        Self { what: clock.what.clone(), due: clock.due.day(), missed, state }
    }
}

fn head(case: &Case, title: &str) -> String {
    let accounts: Vec<&str> = case.accounts.iter().map(|account| account.as_str()).collect();
    let (id, version) = (&case.id, &case.version);
    let mut text = format!("{id}, {}, {version} events\n{title}\n", phase(&case.phase));
    if let Phase::Merged(other) = &case.phase {
        let _ = writeln!(text, "goes on in {other}");
    }
    let _ = writeln!(text, "customer {}; accounts {}", case.opening.customer, accounts.join(", "));
    let _ = writeln!(text, "opened {} by {} sources", case.opened, case.sources.len());
    for source in &case.sources {
        if let Source::Declaration(one) = source {
            let _ = writeln!(text, "declared ({}): {}; text {}", one.declaration, one.words(), one.text);
        }
    }
    text
}

fn people(text: &mut String, case: &Case) {
    let _ = writeln!(text, "\npeople");
    for (person, part) in &case.parts {
        let roles: Vec<&str> = part.roles.iter().map(|role| role.name()).collect();
        let declared = match part.declared {
            None => "has not declared",
            Some(None) => "no conflict",
            Some(Some(_)) => "CONFLICT",
        };
        let released = if part.released { ", released" } else { "" };
        let _ = writeln!(text, "  {person}: {}; {declared}{released}", roles.join(", "));
    }
    for (from, with, at) in &case.contacts {
        let _ = writeln!(text, "  contact: {from:?} with {with} on {}", at.day());
    }
}

fn proof(text: &mut String, case: &Case, procedure: &Procedure) {
    let _ = writeln!(text, "\nevidence");
    for item in case.evidence.values() {
        let about: Vec<String> = item
            .about
            .iter()
            .map(|(account, service)| service.as_ref().map_or(account.to_string(), |one| format!("{account}:{one}")))
            .collect();
        let _ =
            writeln!(text, "  {}: {}, from {}; about {}", item.id, item.basis.words(), item.origin, about.join(", "));
    }
    for (id, question) in &case.questions {
        let answer = match question.answer {
            None => "no answer yet",
            Some(None) => "refused",
            Some(Some(_)) => "answered",
        };
        let _ = writeln!(text, "  question {id}, until {}: {answer}", question.until);
    }
    for (place, determined) in case.determinations.iter().enumerate() {
        let stands = if determined.superseded_by.is_none() { "stands" } else { "superseded" };
        let _ = writeln!(text, "\ndetermination {place}, by {} on {} ({stands})", determined.by, determined.at.day());
        for element in &procedure.elements {
            let Some(said) = determined.determination.elements.get(&element.id) else { continue };
            let answer = match said.answer {
                Established::Established => "established",
                Established::NotEstablished => "not established",
                Established::Inconclusive => "inconclusive",
            };
            let evidence: Vec<&str> = said.evidence.iter().map(|id| id.as_str()).collect();
            let (id, standard) = (&element.id, said.standard);
            let _ = writeln!(text, "  {id} {}: {answer}, {standard}, on {}", element.title, evidence.join(", "));
        }
        for person in determined.dissents.keys() {
            let _ = writeln!(text, "  {person} sees it otherwise");
        }
    }
}

fn decisions(text: &mut String, case: &Case) {
    for (id, decided) in &case.decisions {
        let order = match &decided.decision.order {
            Order::Impose { intervention } => format!("impose {intervention}"),
            Order::Lift { decision } => format!("lift {decision}"),
        };
        let standing = standing(decided.standing);
        let _ = writeln!(text, "\ndecision {id}: {order}, {standing}, proposed by {}", decided.by);
        for person in decided.approvals.keys() {
            let _ = writeln!(text, "  {person} approved, with a signature");
        }
        for person in decided.refusals.keys() {
            let _ = writeln!(text, "  {person} refused");
        }
        if let Some(notice) = decided.notice {
            let _ = writeln!(text, "  statement of reasons served {}", notice.at);
        }
        if let Some(effect) = decided.effect {
            let ends = decided.ends.map_or(String::new(), |ends| format!(", ends {ends}"));
            let _ = writeln!(text, "  in effect from {effect}{ends}");
        }
        for target in &decided.decision.targets {
            let force = if decided.in_force.contains(target) { "in force" } else { "not in force" };
            let _ = writeln!(text, "  {} ({force})", review::seal::line(target).replace('\t', " "));
        }
    }
}

/// Where a decision stands, for people.
pub(crate) fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Proposed => "before those who decide",
        Standing::Approved => "approved",
        Standing::Refused => "refused",
        Standing::InEffect => "in effect",
        Standing::Over => "over",
    }
}

fn rest(text: &mut String, case: &Case) {
    if let Some(held) = &case.held {
        let _ = writeln!(text, "\nput off until {}, unless something comes in", held.until);
    }
    for one in &case.escalations {
        let answered = one
            .answer
            .as_ref()
            .map_or("waits for an answer".to_owned(), |(by, at, _)| format!("{by} answered on {}", at.day()));
        let _ = writeln!(text, "\n{} asked {} on {}: {answered}", one.by, one.to.name(), one.at.day());
    }
    for (id, appealed) in &case.appeals {
        let outcome =
            appealed.outcome.map_or("being heard".to_owned(), |outcome| format!("{outcome:?}").to_lowercase());
        let _ = writeln!(text, "\nappeal {id} against {}: {outcome}", appealed.decision);
    }
    for known in &case.made_known {
        let told = known.told.map_or("are to be told".to_owned(), |told| format!("were told on {}", told.day()));
        let _ = writeln!(text, "\nmade known on {}: employees {told}", known.at.day());
    }
    for noted in &case.leaving {
        let choice = noted.choice.as_ref().map_or("two are to decide".to_owned(), |choice| format!("{choice:?}"));
        let _ = writeln!(text, "\ndata left on {}: {choice}", noted.noted);
    }
    for (id, settled) in &case.follow_ups {
        let _ = writeln!(text, "\nfollow-up {id}: {}", if *settled { "settled" } else { "open" });
    }
}
