//! The list of cases and reports, kept in memory: a line for each, brought up to date from what is new in the record.
//!
//! A line is made from its case as folded anew from its own stream, whenever that stream grew or lost something; so it can
//! never say anything else than the record does, whichever process wrote there, and is made from nothing in the same way.
//! Reading the list asks the database whether there is anything new, and nothing else. It decides nothing: who may see
//! which case is asked of the access policies, as for each case alone.

use crate::desk::{Clerk, person};
use crate::error::Error;
use crate::streams::{self, File, Law, Look, Stream, Workload};
use access::Thing;
use review::act::{Established, Event, Kind, Source};
use review::case::{Case, Phase, Standing};
use review::clocks::clocks;
use review::report::{Report, ReportEvent};
use review::rules::Elsewhere;
use review::waits::{Awaited, Wait, waits};
use review::words::{AccountId, CaseId, CustomerId, Digest, Moment, PersonId, ReportId, Role};
use review::{Decibans, Family};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::{ERASURES, Erasure, PUBLIC_LOG, Publication, Record};
use tokio::sync::RwLockReadGuard;

/// Events read at a time.
const PAGE: u32 = 1_000;

/// Somebody's part in a case, as far as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartLine {
    /// Who.
    pub person: PersonId,
    /// As what.
    pub roles: BTreeSet<Role>,
    /// Whether they said that they have a conflict; none if they said nothing yet.
    pub conflict: Option<bool>,
}

/// A case in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The case.
    pub id: CaseId,
    /// Its policy pack.
    pub policy: String,
    /// What is reviewed.
    pub kind: Kind,
    /// Whose workload.
    pub customer: CustomerId,
    /// Its accounts.
    pub accounts: BTreeSet<AccountId>,
    /// Whether it goes on.
    pub phase: Phase,
    /// When it was opened.
    pub opened: Moment,
    /// When something happened last.
    pub last: Moment,
    /// Its events so far.
    pub version: u64,
    /// The score of the strongest finding that brought it about.
    pub score: Option<Decibans>,
    /// The families of signals that speak in those findings.
    pub families: BTreeSet<Family>,
    /// The elements that its standing determination says are not established, each by its title.
    pub not_established: Vec<String>,
    /// What it waits for.
    pub waits: Vec<Wait>,
    /// Clocks that run, the one that is due first in front.
    pub clocks: Vec<(Moment, String)>,
    /// How many clocks were stopped too late.
    pub late: usize,
    /// Who has a part in it.
    pub people: Vec<PartLine>,
    /// What is switched off: until when, and how many targets.
    pub in_force: Vec<(Option<Moment>, usize)>,
    /// Until when it is put off.
    pub held: Option<Moment>,
    /// To whom questions went up that nobody answered yet.
    pub escalated: BTreeSet<Role>,
    /// The names by which it is searched.
    names: String,
}

impl Line {
    /// The line of a case.
    pub fn of(file: &File) -> Self {
        let File { case, law, .. } = file;
        let (running, stopped): (Vec<_>, Vec<_>) =
            clocks(case, &law.procedure).into_iter().partition(|clock| clock.done.is_none());
        let people = case.parts.iter().filter(|(_, part)| !part.released).map(|(person, part)| PartLine {
            person: person.clone(),
            roles: part.roles.clone(),
            conflict: part.declared.map(|declared| declared.is_some()),
        });
        let scores = case.sources.iter().filter_map(|source| match source {
            Source::Finding { score_db, .. } => *score_db,
            Source::Report { .. } | Source::Declaration(_) => None,
        });
        let families = case.sources.iter().filter_map(|source| match source {
            Source::Finding { families, .. } => Some(families),
            Source::Report { .. } | Source::Declaration(_) => None,
        });
        let in_force = case.decisions.values().filter(|decided| decided.standing == Standing::InEffect);
        Self {
            id: case.id.clone(),
            policy: law.id.clone(),
            kind: case.opening.kind,
            customer: case.opening.customer.clone(),
            accounts: case.accounts.clone(),
            phase: case.phase.clone(),
            opened: case.opened,
            last: case.last,
            version: case.version,
            score: scores.max(),
            families: families.flatten().copied().collect(),
            not_established: not_established(file),
            waits: waits(case, &law.procedure),
            clocks: running.into_iter().map(|clock| (clock.due, clock.what)).collect(),
            late: stopped.iter().filter(|clock| clock.missed(case.last)).count(),
            people: people.collect(),
            in_force: in_force.map(|decided| (decided.ends, decided.in_force.len())).collect(),
            held: case.held.map(|held| held.until),
            escalated: case.escalated().map(|one| one.to).collect(),
            names: names(case),
        }
    }

    /// Somebody's part, unless they were released.
    pub fn part(&self, person: &PersonId) -> Option<&PartLine> {
        self.people.iter().find(|part| part.person == *person)
    }

    /// What it waits for from this person, now.
    pub fn turns<'a>(&'a self, person: &'a PersonId, now: Moment) -> impl Iterator<Item = &'a Wait> {
        let part = self.part(person);
        let has = move |role| part.is_some_and(|part| part.roles.contains(&role));
        self.waits.iter().filter(move |wait| wait.is_for_roles(person, has, now))
    }

    /// Whether it waits for something of this kind, now.
    pub fn awaits(&self, awaited: Awaited, now: Moment) -> bool {
        self.waits.iter().any(|wait| wait.awaited == awaited && wait.from <= now)
    }

    /// Until when it is put off, if it is now.
    pub fn held(&self, now: Moment) -> Option<Moment> {
        self.held.filter(|until| now < *until)
    }

    /// How many targets are switched off now.
    pub fn in_force(&self, now: Moment) -> usize {
        let running = self.in_force.iter().filter(|(ends, _)| ends.is_none_or(|ends| now < ends));
        running.map(|(_, targets)| targets).sum()
    }

    /// How many clocks ran out, in time or not.
    pub fn missed(&self, now: Moment) -> usize {
        self.late + self.clocks.iter().filter(|(due, _)| *due < now).count()
    }

    /// Whether a clock of an open case has run out.
    pub fn is_overdue(&self, now: Moment) -> bool {
        self.phase == Phase::Open && self.clocks.first().is_some_and(|(due, _)| *due < now)
    }

    /// Whether each of these words, in small letters, stands in one of its names.
    fn says(&self, words: &[String]) -> bool {
        words.iter().all(|word| self.names.contains(word.as_str()))
    }
}

/// The names by which a case is searched: a line each, in small letters, so that no word goes across two.
fn names(case: &Case) -> String {
    let accounts = case.accounts.iter().map(AccountId::as_str);
    let people = case.parts.iter().filter(|(_, part)| !part.released).map(|(person, _)| person.as_str());
    let all = [case.id.as_str(), case.opening.customer.as_str()].into_iter().chain(accounts).chain(people);
    all.map(str::to_lowercase).collect::<Vec<_>>().join("\n")
}

fn not_established(file: &File) -> Vec<String> {
    let Some((_, standing)) = file.case.standing_determination() else { return Vec::new() };
    let said = |id| standing.determination.elements.get(id).map(|one| one.answer);
    let elements = file.law.procedure.elements.iter();
    let elements = elements.filter(|element| said(&element.id) == Some(Established::NotEstablished));
    elements.map(|element| element.title.clone()).collect()
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// What is due first.
    #[default]
    Due,
    /// The highest score first.
    Score,
    /// The latest event first.
    Last,
    /// The oldest first.
    Opened,
}

/// Which phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhaseOf {
    /// It goes on.
    Open,
    /// It is closed.
    Closed,
    /// It goes on in another.
    Merged,
}

/// What of the list is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Only under this policy pack.
    pub policy: Option<String>,
    /// Only these.
    pub phase: Option<PhaseOf>,
    /// Only what waits for this.
    pub awaits: Option<Awaited>,
    /// Only those in which whoever asks has a part.
    pub mine: bool,
    /// Only those of which a clock ran out.
    pub overdue: bool,
    /// Only those that are put off now, or only those that are not.
    pub held: Option<bool>,
    /// Only those in which a question went up that nobody answered yet.
    pub escalated: bool,
    /// Only those in which each of these words stands: in a name of the case, the customer, an account or a person.
    pub search: String,
    /// In which order.
    pub order: Order,
    /// Which page, from 0.
    pub page: usize,
    /// How many on one.
    pub on_page: usize,
}

/// A page of the list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The lines.
    pub lines: Vec<Arc<Line>>,
    /// How many there are in all.
    pub found: usize,
    /// The policy packs under which there are cases, with their clauses in a line.
    pub policies: BTreeMap<String, String>,
}

/// What a case has for somebody.
#[derive(Clone, Debug)]
pub struct Mine {
    /// The case.
    pub line: Arc<Line>,
    /// What it waits for from them.
    pub turns: Vec<Wait>,
    /// It has changed since they looked at it.
    pub news: bool,
}

/// The list, as far as the record was read.
#[derive(Default)]
pub(crate) struct Kept {
    /// Every event before this position is in it.
    seen: u64,
    laws: BTreeMap<Digest, Law>,
    cases: BTreeMap<CaseId, Arc<Line>>,
    reports: BTreeMap<ReportId, Arc<Report>>,
    workloads: BTreeMap<CaseId, Workload>,
    workloads_length: u64,
    /// When each person looked at each case last.
    looked: BTreeMap<PersonId, BTreeMap<CaseId, Moment>>,
    published: Vec<Published>,
    /// How many entries the public log has.
    entries: u64,
}

/// A publication, as far as it says where in the public log an event is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Published {
    /// In its stream, from 1.
    pub(crate) number: u64,
    /// Where its entries begin in the log; while it is new, how many there are.
    pub(crate) begins: u64,
    /// What events before this position made public by themselves is in it, or in one before.
    pub(crate) seen: u64,
    /// The commitments of events before this position are in it, or in one before.
    pub(crate) batched: u64,
}

/// What is new.
#[derive(Default)]
struct News {
    cases: BTreeSet<String>,
    reports: BTreeSet<String>,
    laws: Vec<Law>,
    workloads: Vec<Workload>,
    workloads_length: Option<u64>,
    looks: Vec<Look>,
    published: Vec<Published>,
    seen: u64,
}

impl News {
    /// Reads on from a position. From the beginning, too: there is one way.
    async fn from(record: &Record, position: u64) -> Result<Self, Error> {
        let mut news = Self { seen: position, ..Self::default() };
        loop {
            let page = record.from(news.seen, PAGE).await?;
            let Some(last) = page.last() else { return Ok(news) };
            news.seen = last.position + 1;
            for event in page {
                news.note(record, event).await?;
            }
        }
    }

    async fn note(&mut self, record: &Record, event: store::Event) -> Result<(), Error> {
        let (stream, position) = (event.stream.as_str(), event.position);
        if stream == streams::WORKLOADS {
            self.workloads_length = Some(event.number);
        }
        if stream.starts_with(streams::CASES) {
            self.cases.insert(event.stream);
        } else if stream.starts_with(streams::REPORTS) {
            self.reports.insert(event.stream);
        } else if let Some(content) = &event.content {
            let body = &content.body;
            match stream {
                streams::LAWS => self.laws.push(streams::parse(body, position)?),
                streams::WORKLOADS => self.workloads.push(streams::parse(body, position)?),
                streams::LOOKS => self.looks.push(streams::parse(body, position)?),
                PUBLIC_LOG => {
                    let Publication { entries, seen, batched } = streams::parse(body, position)?;
                    self.published.push(Published {
                        number: event.number,
                        begins: entries.len() as u64,
                        seen,
                        batched,
                    });
                }
                ERASURES => {
                    for position in streams::parse::<Erasure>(body, position)?.positions {
                        let erased = record.from(position, 1).await?.into_iter().map(|event| event.stream);
                        let (cases, reports): (Vec<_>, Vec<_>) =
                            erased.partition(|stream| stream.starts_with(streams::CASES));
                        self.cases.extend(cases);
                        self.reports.extend(reports.into_iter().filter(|one| one.starts_with(streams::REPORTS)));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Kept {
    /// Reads what is new; if that fails, nothing of it is in.
    async fn catch_up(&mut self, record: &Record) -> Result<(), Error> {
        let news = News::from(record, self.seen).await?;
        let mut laws = self.laws.clone();
        laws.extend(news.laws.into_iter().map(|law| (law.digest, law)));
        let mut cases: Vec<(CaseId, Option<Arc<Line>>)> = Vec::with_capacity(news.cases.len());
        for stream in &news.cases {
            let id = stream.trim_start_matches(streams::CASES).parse()?;
            let file = folded(streams::read::<Event>(record, stream).await?, &laws);
            cases.push((id, file.map(|file| Arc::new(Line::of(&file)))));
        }
        let mut reports: Vec<(ReportId, Option<Arc<Report>>)> = Vec::with_capacity(news.reports.len());
        for stream in &news.reports {
            let id = stream.trim_start_matches(streams::REPORTS).parse()?;
            reports.push((id, report_of(&streams::read::<ReportEvent>(record, stream).await?).map(Arc::new)));
        }
        self.laws = laws;
        put(&mut self.cases, cases);
        put(&mut self.reports, reports);
        self.workloads_length = news.workloads_length.unwrap_or(self.workloads_length);
        self.workloads.extend(news.workloads.into_iter().map(|workload| (workload.case.clone(), workload)));
        for look in news.looks {
            let Some(case) = look.what.strip_prefix("case ").and_then(|id| id.parse().ok()) else { continue };
            self.looked.entry(look.by).or_default().insert(case, look.at);
        }
        for one in news.published {
            self.published.push(Published { begins: self.entries, ..one });
            self.entries += one.begins;
        }
        self.seen = news.seen;
        Ok(())
    }
}

fn put<K: Ord, V>(into: &mut BTreeMap<K, V>, new: Vec<(K, Option<V>)>) {
    for (id, value) in new {
        match value {
            Some(value) => drop(into.insert(id, value)),
            None => drop(into.remove(&id)),
        }
    }
}

/// A case from its stream; none of one that was erased, or whose law the record does not hold.
pub(crate) fn folded(stream: Stream<Event>, laws: &BTreeMap<Digest, Law>) -> Option<File> {
    let opened = stream.events.first().filter(|_| stream.erased == 0).and_then(Case::opened_by)?;
    let law = laws.get(&opened.opening.policy.2)?;
    let case = Case::fold(&stream.events, &law.procedure)?;
    Some(File { case, events: stream.events, law: law.clone() })
}

/// A report from its stream; none of one that was erased.
pub(crate) fn report_of(stream: &Stream<ReportEvent>) -> Option<Report> {
    let mut report = stream.events.first().filter(|_| stream.erased == 0).and_then(Report::received_by)?;
    stream.events.iter().skip(1).for_each(|event| report.apply(event));
    Some(report)
}

impl Clerk {
    /// The list, up to date.
    pub(crate) async fn kept(&self) -> Result<RwLockReadGuard<'_, Kept>, Error> {
        let end = self.record.end().await?;
        let kept = self.kept.read().await;
        if kept.seen >= end {
            return Ok(kept);
        }
        drop(kept);
        let mut kept = self.kept.write().await;
        if kept.seen < end {
            kept.catch_up(&self.record).await?;
        }
        Ok(kept.downgrade())
    }

    /// Reads what is new into the list of cases, so that whoever asks next need not wait: of a large record, at the start.
    ///
    /// # Errors
    /// The record failed.
    pub async fn warm(&self) -> Result<(), Error> {
        self.kept().await.map(drop)
    }

    /// A page of the list of cases that somebody may read; one look, at the list.
    ///
    /// # Errors
    /// They may read none, or the record failed.
    pub async fn list(&self, who: &str, wanted: &Wanted, at: Moment) -> Result<Listed, Error> {
        let (by, listed) = {
            let (kept, roster) = (self.kept().await?, self.roster().await?);
            let by = person(&roster, who)?;
            let lines = self.readable(&kept, &roster, &by, at)?;
            (by.clone(), listed(lines, &kept.laws, wanted, &by, at))
        };
        let (what, purpose) = ("the list of cases".to_owned(), "to see what is to be done".to_owned());
        self.note_look(Look { at, by, what, purpose }).await?;
        Ok(listed)
    }

    /// The cases in which somebody has a part, what each waits for from them, and whether it changed since they looked.
    /// Those that wait for nobody's part in particular are not among them.
    ///
    /// # Errors
    /// They may read none, or the record failed.
    pub async fn mine(&self, who: &str, at: Moment) -> Result<Vec<Mine>, Error> {
        let (kept, roster) = (self.kept().await?, self.roster().await?);
        let by = person(&roster, who)?;
        let looked = kept.looked.get(&by);
        let mut lines = self.readable(&kept, &roster, &by, at)?;
        lines.retain(|line| line.part(&by).is_some());
        let mine = lines.into_iter().map(|line| Mine {
            turns: line.turns(&by, at).cloned().collect(),
            news: looked.and_then(|looked| looked.get(&line.id)).is_none_or(|looked| line.last > *looked),
            line: line.clone(),
        });
        Ok(mine.collect())
    }

    /// How many open cases lack people: one who carries them, one who decides, one in place of another; of those that somebody may read.
    ///
    /// # Errors
    /// They may read none, or the record failed.
    pub async fn lacking_people(&self, who: &str, at: Moment) -> Result<usize, Error> {
        let (kept, roster) = (self.kept().await?, self.roster().await?);
        let by = person(&roster, who)?;
        let lines = self.readable(&kept, &roster, &by, at)?;
        Ok(lines.iter().filter(|line| line.phase == Phase::Open && line.awaits(Awaited::People, at)).count())
    }

    /// Other cases of the same clause that ended with an element not established and nothing restricted, and whose
    /// findings share families of signals: those with the most in common first, then the nearest score.
    ///
    /// # Errors
    /// The record failed, or they may read none.
    pub async fn cleared_like(&self, who: &str, id: &CaseId, most: usize, at: Moment) -> Result<Vec<Arc<Line>>, Error> {
        let (kept, roster) = (self.kept().await?, self.roster().await?);
        let by = person(&roster, who)?;
        let Some(own) = kept.cases.get(id) else { return Ok(Vec::new()) };
        let mut lines = self.readable(&kept, &roster, &by, at)?;
        lines.retain(|line| {
            let cleared = line.phase == Phase::Closed && !line.not_established.is_empty() && line.in_force.is_empty();
            cleared && line.policy == own.policy && line.id != own.id && !line.families.is_disjoint(&own.families)
        });
        let apart = |line: &Line| line.families.symmetric_difference(&own.families).count();
        let score = |line: &Line| line.score.unwrap_or_default().hundredths();
        lines.sort_by_key(|line| (apart(line), score(line).abs_diff(score(own)), Reverse(line.last), &line.id));
        Ok(lines.into_iter().take(most).cloned().collect())
    }

    /// Which entries of the public log each publication holds, and of which events.
    pub(crate) async fn published_places(&self) -> Result<Vec<Published>, Error> {
        Ok(self.kept().await?.published.clone())
    }

    /// Every line of the list and every report, as they are kept: for those who hold it against the record.
    ///
    /// # Errors
    /// The record failed.
    pub async fn kept_lines(&self) -> Result<(Vec<Arc<Line>>, Vec<Arc<Report>>), Error> {
        let kept = self.kept().await?;
        Ok((kept.cases.values().cloned().collect(), kept.reports.values().cloned().collect()))
    }

    /// The lines of the cases that somebody may read. Roles say alike of every case, but of people from outside: they
    /// read those in which they have a part, each asked for by itself.
    fn readable<'a>(
        &self,
        kept: &'a Kept,
        roster: &review::roster::Roster,
        by: &PersonId,
        at: Moment,
    ) -> Result<Vec<&'a Arc<Line>>, Error> {
        let lines = kept.cases.values();
        let outside = roster.members.get(by).is_some_and(|member| member.outside);
        if !outside {
            let Some(any) = kept.cases.keys().next() else { return Ok(Vec::new()) };
            self.may_with_part(roster, by, "read", &Thing::Case(any.clone()), None, at)?;
            // Whoever is close to no customer, as nearly everybody, is asked once and not for each line.
            let close = roster.account_teams.keys().filter(|customer| roster.closeness(by, customer).is_some());
            let close: BTreeSet<&CustomerId> = close.collect();
            return Ok(lines.filter(|line| close.is_empty() || !close.contains(&line.customer)).collect());
        }
        let mut denied = None;
        let mut own: Vec<_> = lines.filter(|line| line.part(by).is_some()).collect();
        own.retain(|line| {
            let (thing, part) = (Thing::Case(line.id.clone()), Some(line.id.clone()));
            self.may_with_part(roster, by, "read", &thing, part, at).map_err(|error| denied = Some(error)).is_ok()
        });
        match denied {
            Some(denied) if own.is_empty() => Err(denied),
            _ => Ok(own),
        }
    }

    /// The reports that somebody may see, the latest last.
    ///
    /// # Errors
    /// They may see none, or the record failed.
    pub async fn reports(&self, who: &str, at: Moment) -> Result<Vec<Arc<Report>>, Error> {
        let (kept, roster) = (self.kept().await?, self.roster().await?);
        let by = person(&roster, who)?;
        if let Some(any) = kept.reports.keys().next() {
            self.may(&roster, &by, "read_report", &Thing::Report(any.clone()), None, at)?;
        }
        let mut reports: Vec<_> =
            kept.reports.values().filter(|report| !report.is_kept_from(&by, &roster)).cloned().collect();
        reports.sort_by_key(|report| report.received);
        Ok(reports)
    }

    /// Reports whose reporters, who work here, are to be asked now whether anybody made them suffer; after how many
    /// months.
    pub(crate) async fn check_ins_due(&self, at: Moment) -> Result<Vec<(ReportId, u8)>, Error> {
        let kept = self.kept().await?;
        let due = |(id, report): (&ReportId, &Arc<Report>)| Some((id.clone(), report.check_in(at)?));
        Ok(kept.reports.iter().filter_map(due).collect())
    }

    /// What is under review in open cases of a policy, but for one case's own; and how long the stream is.
    pub(crate) async fn elsewhere(&self, policy: &str, but: &CaseId) -> Result<(Elsewhere, u64), Error> {
        let kept = self.kept().await?;
        let open = |workload: &&Workload| workload.policy == policy && workload.open && workload.case != *but;
        let mut elsewhere = Elsewhere::default();
        for work in kept.workloads.values().filter(open) {
            elsewhere.accounts.extend(work.accounts.iter().map(|one| (one.clone(), work.case.clone())));
            elsewhere.declarations.extend(work.declarations.iter().map(|one| (one.clone(), work.case.clone())));
        }
        Ok((elsewhere, kept.workloads_length))
    }
}

fn listed(
    mut lines: Vec<&Arc<Line>>,
    laws: &BTreeMap<Digest, Law>,
    wanted: &Wanted,
    by: &PersonId,
    now: Moment,
) -> Listed {
    let words: Vec<String> = wanted.search.split_whitespace().map(str::to_lowercase).collect();
    lines.retain(|line| {
        let phase = match &line.phase {
            Phase::Open => PhaseOf::Open,
            Phase::Closed => PhaseOf::Closed,
            Phase::Merged(_) => PhaseOf::Merged,
        };
        wanted.policy.as_ref().is_none_or(|policy| line.policy == *policy)
            && wanted.phase.is_none_or(|wanted| wanted == phase)
            && wanted.awaits.is_none_or(|awaited| line.awaits(awaited, now))
            && (!wanted.mine || line.part(by).is_some())
            && (!wanted.overdue || line.is_overdue(now))
            && wanted.held.is_none_or(|held| line.held(now).is_some() == held)
            && (!wanted.escalated || !line.escalated.is_empty())
            && line.says(&words)
    });
    let due =
        |line: &Line| line.clocks.first().filter(|_| line.phase == Phase::Open).map_or(i64::MAX, |(due, _)| due.0);
    // The last of each is the name, so that the order is one whatever came first.
    let key = |line: &Line| match wanted.order {
        Order::Due => due(line),
        Order::Score => -i64::from(line.score.map_or(i32::MIN, Decibans::hundredths)),
        Order::Last => -line.last.0,
        Order::Opened => line.opened.0,
    };
    let found = lines.len();
    let from = wanted.page.saturating_mul(wanted.on_page);
    let to = from.saturating_add(wanted.on_page);
    // Each key is made once: to look into a line whenever two are compared costs most of a large list.
    let mut keyed: Vec<(i64, &CaseId, &Arc<Line>)> =
        lines.into_iter().map(|line| (key(line), &line.id, line)).collect();
    let order = |a: &(i64, &CaseId, &Arc<Line>), b: &(i64, &CaseId, &Arc<Line>)| (a.0, a.1).cmp(&(b.0, b.1));
    // What is behind the page need not be in order.
    if to < found {
        keyed.select_nth_unstable_by(to, order);
        keyed.truncate(to);
    }
    keyed.sort_unstable_by(order);
    let lines = keyed.into_iter().skip(from).map(|(_, _, line)| Arc::clone(line)).collect();
    let policies = laws.values().map(|law| (law.id.clone(), law.title.clone())).collect();
    Listed { lines, found, policies }
}
