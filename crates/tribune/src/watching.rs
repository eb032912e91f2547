//! What the server does by itself with the provider's usage records: it opens cases on what the watch finds, lets what is
//! new of a workload join its case, previews what is proposed, looks at the books once more before it takes effect, and
//! holds the days after against the preview. What it saw last of each open case it keeps in memory, for the case's page.
//!
//! It counts and it fills a queue; it restricts nobody. Whatever it does it does as Tribune itself, and every act is held
//! against the same rules as a person's.

use crate::common::{self, Failure, Rankings, Sources, note};
use crate::metering::{DAYS, metered};
use crate::office::{self, Office, refused};
use crate::page::portrait::{Naming, Scene, moved_out};
use crate::replay::replay;
use clerk::{Error, File, Sender, Sent};
use review::Decibans;
use review::act::{Act, Item, Kind, Opening, Source};
use review::case::{Case, Decided, Part, Phase, Standing};
use review::metered::Metered;
use review::procedure::Basis;
use review::words::{AccountId, CaseId, DecisionId, Digest, Moment, ServiceId};
use signals::docket::{Clearance, Docket};
use signals::watch::Watch;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use usage::{Day, Hour};
use web::explore::Recent;
use web::portrait::{Explanation, Records, SCHEMA};

/// How often it looks whether there is something to preview or to compare.
const LOOK: Duration = Duration::from_secs(2);

/// After a failure: reading usage is dear.
const PAUSE: Duration = Duration::from_secs(60);

/// How often the usage records are read anew.
const READ: i64 = 600;

/// Days that are replayed each time: what hysteresis needs, and one more.
const DAYS_BACK: i32 = 3;

/// A preview that is older than this is made anew while its decision waits to take effect.
const PREVIEW_AGE: i64 = 86_400;

/// Whole days after the effect that are held against the preview: the first time, and how many there are between two.
const COMPARED_AFTER: i64 = 3;
const COMPARED_EVERY: i64 = 30;

/// Data that was seen to leave a case is not noted again before so many days: it is the same move.
const LEAVING_DAYS: i64 = 7;

/// The signal that says that a store is moved out.
const EXODUS: &str = "exodus";

/// What it saw last of each open case. A restart reads it anew.
#[derive(Default)]
pub(crate) struct Recents(Mutex<BTreeMap<CaseId, Arc<Recent>>>);

impl Recents {
    /// Of one case.
    pub(crate) fn of(&self, case: &CaseId) -> Option<Arc<Recent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(case).cloned()
    }

    fn set(&self, all: BTreeMap<CaseId, Arc<Recent>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = all;
    }
}

/// What it remembers between looks.
#[derive(Default)]
struct Seen {
    /// The end of the record when nothing was left to do.
    position: Option<u64>,
    /// When the usage records were read last, and up to which hour they knew.
    read: Option<(Moment, Option<Hour>)>,
    /// Cases whose portrait was sought, found or not.
    portrayed: BTreeSet<CaseId>,
    /// Cases that were open when usage was looked at for them last.
    shown: BTreeSet<CaseId>,
}

/// Goes on as long as the server runs, where usage is configured. What fails is said, and tried again.
pub(crate) async fn follow(mut office: Office, recents: Arc<Recents>) {
    let mut seen = Seen::default();
    let mut said = String::new();
    loop {
        office.tick();
        let mut pause = LOOK;
        match look(&office, &mut seen, &recents).await {
            Ok(()) => said.clear(),
            Err(why) => {
                pause = PAUSE;
                // The same trouble again and again is one trouble.
                let why = format!("usage: {why}; tried again");
                if why != said {
                    note(&why);
                    said = why;
                }
            }
        }
        tokio::time::sleep(pause).await;
    }
}

async fn look(office: &Office, seen: &mut Seen, recents: &Recents) -> Result<(), Failure> {
    let Some(sources) = office.usage() else { return Ok(()) };
    let mut newly = false;
    if seen.read.is_none_or(|(at, _)| office.now.0 - at.0 >= READ) {
        let before = seen.read.and_then(|(_, known)| known);
        let known = watch(office, &sources, before).await?;
        seen.read = Some((office.now, known));
        seen.position = None;
        newly = known != before;
    }
    let end = crate::serve::end(office, seen.position.unwrap_or_default()).await?;
    if seen.position == Some(end) {
        return Ok(());
    }
    let mut files = office.clerk.cases().await?;
    files.retain(|file| file.case.phase == Phase::Open);
    for file in &files {
        for (id, decided) in &file.case.decisions {
            count(office, &sources, file, id, decided).await?;
        }
    }
    let wanting = |file: &File| wants_portrait(&file.case) && !seen.portrayed.contains(&file.case.id);
    let wanting: BTreeSet<CaseId> =
        files.iter().filter(|file| wanting(file)).map(|file| file.case.id.clone()).collect();
    let unseen = files.iter().any(|file| !seen.shown.contains(&file.case.id));
    if !wanting.is_empty() || unseen || (newly && !files.is_empty()) {
        attend(office, &sources, &files, &wanting, recents).await?;
        seen.shown = files.iter().map(|file| file.case.id.clone()).collect();
        seen.portrayed.extend(wanting);
    }
    seen.position = Some(end);
    Ok(())
}

/// Previews or compares one decision, where that is due.
async fn count(
    office: &Office,
    sources: &Sources,
    file: &File,
    id: &DecisionId,
    decided: &Decided,
) -> Result<(), Failure> {
    let waits = matches!(decided.standing, Standing::Proposed | Standing::Approved) && decided.wants_preview();
    let fresh = |at: Moment| office.now.0 - at.0 < PREVIEW_AGE;
    let targets = decided.decision.targets.iter().map(|target| target.account.clone());
    let accounts: BTreeSet<AccountId> = targets.chain(file.case.accounts.iter().cloned()).collect();
    if waits && !decided.previews.last().is_some_and(|last| fresh(last.at)) {
        let until = today(office.now);
        let Some(metered) = meter(sources, &accounts, until.plus(-DAYS), until)? else { return Ok(()) };
        return enact(office, &file.case.id, Act::Preview { decision: id.clone(), metered }).await;
    }
    let Some(effect) = decided.effect.filter(|_| decided.standing == Standing::InEffect) else { return Ok(()) };
    if decided.before_effect().is_none() {
        return Ok(());
    }
    let first = today(effect).plus(1);
    let due = match decided.compared.last() {
        None => first.plus(COMPARED_AFTER as i32),
        Some((last, _)) => today(last.plus_days(COMPARED_EVERY)),
    };
    let until = today(office.now);
    if until < due {
        return Ok(());
    }
    // Days that are not known yet show nothing: fewer than these are waited for.
    let metered = meter(sources, &accounts, first.max(until.plus(-DAYS)), until)?;
    let Some(metered) = metered.filter(|metered| metered.days() >= COMPARED_AFTER) else { return Ok(()) };
    enact(office, &file.case.id, Act::Compare { decision: id.clone(), metered }).await
}

fn today(at: Moment) -> Day {
    Day(i32::try_from(at.0.div_euclid(86_400)).unwrap_or(i32::MAX))
}

/// What was metered, up to what is known; none where no whole day of it is.
fn meter(sources: &Sources, accounts: &BTreeSet<AccountId>, from: Day, until: Day) -> Result<Option<Metered>, Failure> {
    apart(|| {
        let opened = sources.open()?;
        let until = until.min(opened.as_of(None)?.day());
        if from < until { metered(&opened.usage, accounts, from, until).map(Some) } else { Ok(None) }
    })
}

/// Files are read by waiting for them, which no thread may do that runs others' tasks.
fn apart<T: Send>(work: impl FnOnce() -> Result<T, Failure> + Send) -> Result<T, Failure> {
    let done = tokio::task::block_in_place(|| std::thread::scope(|scope| scope.spawn(work).join()));
    done.unwrap_or_else(|_| Err(Failure::Defect("reading usage ended in a panic".to_owned())))
}

async fn enact(office: &Office, case: &CaseId, act: Act) -> Result<(), Failure> {
    let sent = Sent { id: office::drawn_id()?, at: office.now, by: Sender::System };
    match office.clerk.enact(&sent, case, act).await {
        Ok(_) => Ok(()),
        // Somebody was quicker, or the case went on: it is looked at again.
        Err(Error::Refused(why)) => {
            note(&format!("{case}: {why}"));
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// A workload that the watch says warrants a case.
struct Warranted {
    policy: String,
    customer: String,
    accounts: BTreeSet<AccountId>,
    source: Source,
}

/// Reads what is new, runs the clock over the last days, and opens or joins. Gives up to which hour the records know.
async fn watch(office: &Office, sources: &Sources, before: Option<Hour>) -> Result<Option<Hour>, Failure> {
    let files = office.clerk.cases().await?;
    let cleared = clearances(&files);
    let (known, warranted) = apart(|| {
        let opened = sources.open()?;
        let Some((_, to)) = opened.usage.known() else { return Ok((None, Vec::new())) };
        if Some(to) == before {
            return Ok((Some(to), Vec::new()));
        }
        let mut watch = Watch::new(opened.policies.clone(), opened.facts.clone(), opened.threads)?;
        let from = to.plus(-24 * DAYS_BACK);
        let (docket, _) = replay(&opened, &mut watch, from, to, 1, Docket::new(cleared))?;
        let records: Digest = usage::records_digest(&opened.usage, to)?.parse().map_err(|error| refused(&error))?;
        let warranted = docket.cases.iter().map(|case| {
            let names = case.accounts.iter().filter_map(|account| watch.history.account_keys.get(*account as usize));
            let text = serde_json::to_vec(&case.finding).map_err(|error| Failure::Defect(error.to_string()))?;
            Ok(Warranted {
                policy: case.finding.policy.clone(),
                customer: case.finding.customer.clone(),
                accounts: names
                    .map(|key| key.account.parse().map_err(|error| refused(&error)))
                    .collect::<Result<_, _>>()?,
                source: Source::Finding {
                    finding: Digest::of(text),
                    records,
                    score_db: Some(case.finding.score_db),
                    families: case.finding.families.that_speak(),
                },
            })
        });
        Ok((Some(to), warranted.collect::<Result<Vec<_>, Failure>>()?))
    })?;
    for one in warranted {
        open_or_join(office, &files, one).await?;
    }
    Ok(known)
}

/// Accounts of cases that ended without a breach: quiet until something new lifts them.
fn clearances(files: &[File]) -> Vec<Clearance> {
    let mut cleared = Vec::new();
    for File { case, .. } in files.iter().filter(|file| file.case.phase == Phase::Closed) {
        let restricted = case.decisions.values().any(|decided| decided.effect.is_some());
        let Some((at, ..)) = case.closings.last().filter(|_| !restricted) else { continue };
        let score = case.sources.iter().filter_map(|source| match source {
            Source::Finding { score_db, .. } => *score_db,
            Source::Report { .. } | Source::Declaration(_) => None,
        });
        let at = Hour(i32::try_from(at.0.div_euclid(3_600)).unwrap_or(i32::MAX));
        let Some(score) = score.max() else { continue };
        cleared.extend(case.accounts.iter().map(|account| Clearance { account: account.to_string(), at, score }));
    }
    cleared
}

async fn open_or_join(office: &Office, files: &[File], one: Warranted) -> Result<(), Failure> {
    let same = |file: &&File| {
        file.case.phase == Phase::Open && file.law.id == one.policy && !file.case.accounts.is_disjoint(&one.accounts)
    };
    if let Some(file) = files.iter().find(same) {
        // A case is told when its workload grows, not every hour.
        let new: BTreeSet<AccountId> = one.accounts.difference(&file.case.accounts).cloned().collect();
        if new.is_empty() {
            return Ok(());
        }
        enact(office, &file.case.id, Act::Join { source: one.source.clone(), accounts: new.clone() }).await?;
        return came_back(office, file, &one.source, &new).await;
    }
    let restricted = |file: &&File| {
        file.law.id == one.policy
            && file.case.in_force(office.now).any(|(_, target)| one.accounts.contains(&target.account))
    };
    if let Some(file) = files.iter().find(restricted) {
        // Closed, and still restricted: what comes up beside it is a follow-up there.
        let new = one.accounts.difference(&file.case.accounts).cloned().collect();
        return came_back(office, file, &one.source, &new).await;
    }
    let law = office.law(&one.policy)?;
    let Source::Finding { finding, .. } = one.source.clone() else { return Ok(()) };
    let opening = Opening {
        kind: Kind::Workload,
        policy: (law.id.clone(), law.version.clone(), law.digest),
        customer: one.customer.parse().map_err(|error| refused(&error))?,
        accounts: one.accounts.clone(),
        sources: BTreeSet::from([one.source]),
    };
    let sent = Sent { id: office::drawn_id()?, at: office.now, by: Sender::System };
    let (case, _) = match office.clerk.open_case(&sent, &law, Act::Open(opening)).await {
        Ok(opened) => opened,
        Err(Error::Refused(why)) => {
            note(&format!("no case on {}: {why}", one.customer));
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    note(&format!("opened {case} on {} accounts of {}", one.accounts.len(), one.customer));
    let item = Item {
        id: "meters".parse().map_err(|error| refused(&error))?,
        digest: finding,
        basis: Basis::Meters,
        origin: "provider".parse().map_err(|error| refused(&error))?,
        anonymous: false,
        about: one.accounts.into_iter().map(|account| (account, None)).collect(),
    };
    enact(office, &case, Act::AddEvidence(item)).await
}

/// Accounts that are new in a workload of which something is restricted: whether the use came back there is for people
/// to say, once for each.
async fn came_back(office: &Office, file: &File, source: &Source, new: &BTreeSet<AccountId>) -> Result<(), Failure> {
    let Source::Finding { finding, .. } = source else { return Ok(()) };
    if file.case.in_force(office.now).next().is_none() {
        return Ok(());
    }
    for account in new {
        let id = format!("linked {account}").parse().map_err(|error| refused(&error))?;
        if !file.case.follow_ups.contains_key(&id) {
            let act = Act::FollowUp { id, account: Some(account.clone()), finding: *finding };
            enact(office, &file.case.id, act).await?;
        }
    }
    Ok(())
}

// ---- what a case is shown of its workload -----------------------------------------------------------------------------

/// Whether a case was opened by the watch and has the bare finding still, and somebody is there who may read more: a text
/// is sealed to those who have a part.
fn wants_portrait(case: &Case) -> bool {
    let bare = |source: &Source| {
        let Source::Finding { finding, .. } = source else { return false };
        case.evidence.values().any(|item| item.basis == Basis::Meters && item.digest == *finding)
    };
    let reads = |part: &Part| !part.released && !part.roles.is_empty() && part.declared == Some(None);
    let there = case.evidence.keys().any(|id| id.as_str() == PORTRAIT);
    !there && case.sources.iter().any(bare) && case.parts.values().any(reads)
}

/// The item of evidence that is a case's portrait.
const PORTRAIT: &str = "portrait";

/// What an item of evidence is about.
type About = BTreeSet<(AccountId, Option<ServiceId>)>;

/// What one look at the usage shows of a case.
struct Shown {
    case: CaseId,
    /// The portrait as the shell prints it, and the services that its accounts use.
    portrait: Option<(String, About)>,
    /// What says that data leaves.
    leaves: Option<Digest>,
    /// What its page shows of late.
    recent: Arc<Recent>,
}

/// Adds to each case that wants it the portrait of its workload, starts the clock of those whose data leaves, and keeps
/// for each what its page shows.
async fn attend(
    office: &Office,
    sources: &Sources,
    files: &[File],
    wanting: &BTreeSet<CaseId>,
    recents: &Recents,
) -> Result<(), Failure> {
    let all = apart(|| shown(sources, files, wanting))?;
    recents.set(all.iter().map(|one| (one.case.clone(), Arc::clone(&one.recent))).collect());
    for Shown { case, portrait, leaves, .. } in all {
        let noted = files.iter().find(|file| file.case.id == case).and_then(|file| file.case.leaving.last());
        let same =
            noted.is_some_and(|noted| noted.choice.is_none() || office.now < noted.noted.plus_days(LEAVING_DAYS));
        if let Some(finding) = leaves.filter(|_| !same) {
            enact(office, &case, Act::NoteLeaving { finding }).await?;
        }
        if let Some((text, about)) = portrait {
            let (only, at) = (BTreeSet::new(), office.now);
            let digest = office.clerk.keep(&office.papers, None, Some(&case), &only, text.as_bytes(), at).await?;
            let id = PORTRAIT.parse().map_err(|error| refused(&error))?;
            let origin = "provider".parse().map_err(|error| refused(&error))?;
            let item = Item { id, digest, basis: Basis::Meters, origin, anonymous: false, about };
            enact(office, &case, Act::AddEvidence(item)).await?;
        }
    }
    Ok(())
}

/// Scans once, and says of each case what its workload shows now.
fn shown(sources: &Sources, files: &[File], wanting: &BTreeSet<CaseId>) -> Result<Vec<Shown>, Failure> {
    let opened = sources.open()?;
    let at = opened.as_of(None)?;
    let digest = usage::records_digest(&opened.usage, at)?;
    let mut watch = Watch::new(opened.policies.clone(), opened.facts.clone(), opened.threads)?;
    let rankings = common::scan(&opened, &mut watch, at, Vec::new())?;
    let scene = Scene { watch: &watch, docket: &rankings.docket, last: &rankings.last };
    let accounts = files.iter().flat_map(|file| file.case.accounts.iter().cloned()).collect();
    let used = metered(&opened.usage, &accounts, at.day().plus(-DAYS), at.day())?;
    let mut all = Vec::new();
    for File { case, law, .. } in files {
        let Some((policy, entity)) = workload(&watch, &rankings, &law.id, &case.accounts) else { continue };
        let moved = moved_out(&watch, &places(&watch, &case.accounts), at);
        let recent = Recent { moved, metered: of_customers(&used, &case.accounts) };
        let leaves =
            exodus(&watch, &rankings, policy, entity).then(|| Digest::of(format!("{EXODUS} {} {at}", case.id)));
        let portrait = match scene.portrait(entity, Naming::Names).filter(|_| wanting.contains(&case.id)) {
            Some(explanation) => {
                let records = Records { digest: digest.clone() };
                let whole = Explanation { schema: SCHEMA.to_owned(), records, explanation };
                let text = serde_json::to_string(&whole).map_err(|error| Failure::Defect(error.to_string()))?;
                let own = recent.metered.lines.iter().filter(|line| case.accounts.contains(&line.account));
                Some((text, own.map(|line| (line.account.clone(), Some(line.service.clone()))).collect()))
            }
            None => None,
        };
        all.push(Shown { case: case.id.clone(), portrait, leaves, recent: Arc::new(recent) });
    }
    Ok(all)
}

/// Of what was metered for many cases, what is of the customers of these accounts.
fn of_customers(used: &Metered, accounts: &BTreeSet<AccountId>) -> Metered {
    let customers: BTreeSet<_> = accounts.iter().filter_map(|account| used.accounts.get(account)).collect();
    let own = used.accounts.iter().filter(|(_, customer)| customers.contains(customer));
    let own: BTreeMap<_, _> = own.map(|(account, customer)| (account.clone(), customer.clone())).collect();
    let lines = used.lines.iter().filter(|line| own.contains_key(&line.account)).cloned().collect();
    Metered { accounts: own, lines, ..used.clone() }
}

/// The places of accounts in the watch.
fn places(watch: &Watch, accounts: &BTreeSet<AccountId>) -> Vec<u32> {
    let known = watch.history.account_keys.iter().zip(0_u32..);
    known.filter(|(key, _)| accounts.iter().any(|one| one.as_str() == key.account)).map(|(_, place)| place).collect()
}

/// The place of the policy, and the entity that shares most accounts with a case; of those, the one that scores highest.
fn workload(watch: &Watch, rankings: &Rankings, policy: &str, accounts: &BTreeSet<AccountId>) -> Option<(usize, u32)> {
    let name = |place: &u32| watch.history.account_keys.get(*place as usize).map(|key| key.account.as_str());
    let own = |place: &u32| name(place).is_some_and(|name| accounts.iter().any(|one| one.as_str() == name));
    let place = watch.policies.iter().position(|one| one.id == policy)?;
    let (evaluation, _) = rankings.last.iter().find(|(evaluation, _)| evaluation.policy == place)?;
    let entities = watch.entities.iter().zip(&evaluation.scores).zip(0_u32..);
    let shared = entities.map(|((entity, score), id)| {
        let shared = entity.accounts.iter().filter(|account| own(account)).count();
        (shared, score.total, std::cmp::Reverse(entity.accounts.len()), std::cmp::Reverse(id))
    });
    shared.max().filter(|(shared, ..)| *shared > 0).map(|(.., id)| (place, id.0))
}

/// Whether the signal that a store is moved out speaks of an entity.
fn exodus(watch: &Watch, rankings: &Rankings, policy: usize, entity: u32) -> bool {
    let signals = watch.policies.get(policy).map(|policy| policy.signals.as_slice()).unwrap_or_default();
    let Some(signal) = signals.iter().position(|signal| signal.id == EXODUS) else { return false };
    let evaluation = rankings.last.iter().find(|(evaluation, _)| evaluation.policy == policy);
    let reading = evaluation.and_then(|(evaluation, _)| evaluation.readings.get(signal)?.get(entity as usize));
    reading.is_some_and(|reading| reading.evidence > Decibans::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clerk::{Clerk, Law};
    use review::roster::{Member, Roster};
    use review::words::Role;

    const HEADER: &str = "BillingAccountId,SubAccountId,ServiceCategory,ServiceName,RegionId,SkuId,SkuMeter,ConsumedQuantity,\
                          ConsumedUnit,PricingQuantity,PricingUnit,ChargeCategory,ChargeClass,ChargeFrequency,\
                          ChargePeriodStart,ChargePeriodEnd,BillingPeriodStart,ProviderName,ChargeDescription,ResourceId";
    const NOW: Moment = Moment(490_072 * 3_600);

    fn law() -> Law {
        let pack = common::policies(&[]).unwrap().remove(0);
        let digest = pack.digest.parse().unwrap();
        Law { id: pack.id, version: pack.version, digest, title: pack.title, procedure: pack.review }
    }

    /// Three days of an account that writes.
    fn sources(folder: &std::path::Path) -> Sources {
        let mut csv = format!("{HEADER}\n");
        for hour in 0..72 {
            let at = Hour(490_000 + hour);
            let (from, to) = (at.to_string(), at.plus(1).to_string());
            for (meter, quantity) in
                [("storage.write", "400000,Requests"), ("storage.egress", "1,GB"), ("storage.export", "2,GB")]
            {
                csv += &format!(
                    "acme,a1,Storage,Object Storage,north,{meter},{meter},{quantity},,,Usage,,Usage-Based,{from},{to},\
                     2025-11-01T00:00:00Z,Example Cloud,,\n"
                );
            }
        }
        let records = folder.join("usage.csv");
        std::fs::write(&records, csv).unwrap();
        let records = vec![records.display().to_string()];
        let (state, facts, policy, meters, threads) = (None, None, Vec::new(), None, Some(1));
        Sources { records, state, facts, policy, meters, threads, scratch: Some(folder.to_owned()) }
    }

    async fn opened(folder: &std::path::Path) -> (Clerk, CaseId) {
        let record = format!("sqlite:{}", folder.join("record.db").display());
        let clerk = Clerk::new(store::Record::open(&record).await.unwrap(), crate::office::chance).unwrap();
        let member = |(name, roles): (&str, &[Role])| {
            let identities = BTreeSet::from([format!("idp|{name}")]);
            (name.parse().unwrap(), Member { roles: roles.iter().copied().collect(), identities, ..Member::default() })
        };
        let people = [("ann", &[Role::Reviewer][..]), ("ben", &[Role::Decider]), ("cleo", &[Role::Decider])];
        let roster = Roster { members: people.into_iter().map(member).collect(), ..Roster::default() };
        clerk.set_roster("r1".parse().unwrap(), NOW, &BTreeSet::new(), &roster).await.unwrap();
        let (law, finding) = (law(), Digest::of("finding"));
        let source = Source::Finding { finding, records: Digest::of("r"), score_db: None, families: BTreeSet::new() };
        let accounts = BTreeSet::from(["a1".parse().unwrap()]);
        let opening = Opening {
            kind: Kind::Workload,
            policy: (law.id.clone(), law.version.clone(), law.digest),
            customer: "acme".parse().unwrap(),
            accounts,
            sources: BTreeSet::from([source]),
        };
        let sent = |id: &str, by: Sender| Sent { id: id.parse().unwrap(), at: NOW, by };
        let (case, _) = clerk.open_case(&sent("c1", Sender::System), &law, Act::Open(opening)).await.unwrap();
        let (id, origin) = ("meters".parse().unwrap(), "provider".parse().unwrap());
        let about = BTreeSet::from([("a1".parse().unwrap(), None)]);
        let item = Item { id, digest: finding, basis: Basis::Meters, origin, anonymous: false, about };
        clerk.enact(&sent("c2", Sender::System), &case, Act::AddEvidence(item)).await.unwrap();
        (clerk, case)
    }

    async fn the_one(clerk: &Clerk) -> File {
        clerk.cases().await.unwrap().remove(0)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_case_that_somebody_carries_is_shown_its_workload_and_the_services_that_are_used() {
        let folder = tempfile::tempdir().unwrap();
        let (clerk, case) = opened(folder.path()).await;
        assert!(!wants_portrait(&the_one(&clerk).await.case), "a text is sealed to who has a part, and nobody has");
        let ann = |id: &str| Sent { id: id.parse().unwrap(), at: NOW, by: Sender::Person("ann".to_owned()) };
        let assign = Act::Assign { person: "ann".parse().unwrap(), role: Role::Reviewer };
        clerk.enact(&ann("c3"), &case, assign).await.unwrap();
        clerk.enact(&ann("c4"), &case, Act::Declare { conflict: None }).await.unwrap();
        let file = the_one(&clerk).await;
        assert!(wants_portrait(&file.case));
        let (files, wanting) = (vec![file], BTreeSet::from([case.clone()]));
        let sources = sources(folder.path());
        let mut seen = apart(|| shown(&sources, &files, &wanting)).unwrap();
        let Shown { case: of, portrait, leaves, recent } = seen.remove(0);
        assert_eq!((of, leaves, seen.len()), (case.clone(), None, 0));
        let (text, about) = portrait.unwrap();
        let read = Explanation::read(text.as_bytes()).unwrap();
        assert_eq!(read.explanation.customer, "acme", "its ledger adds up, and it is of this workload");
        let storage = Some("object-storage".parse().unwrap());
        assert_eq!(about, BTreeSet::from([("a1".parse().unwrap(), storage)]), "what can be a target");
        assert_eq!(Some(recent.moved.clone()), read.explanation.moved_out(), "the same days as in its portrait");
        let out: Vec<i64> = recent.moved.days.iter().flatten().map(|day| day.bytes).collect();
        assert_eq!(out, [8, 24, 24].map(|hours| hours * 3_000_000_000), "read out and exported, by the day");
        let used: Vec<_> = recent.metered.lines.iter().map(|line| (line.operation.as_str(), line.quantity)).collect();
        let hours = 56;
        let (egress, export) = (hours * 1_000_000_000, hours * 2_000_000_000);
        let all = [("storage.egress", egress), ("storage.export", export), ("storage.write", hours * 400_000)];
        assert_eq!(used, all);
        // Once it is there, it is not made again.
        let (id, origin) = (PORTRAIT.parse().unwrap(), "provider".parse().unwrap());
        let item = Item { id, digest: Digest::of(&text), basis: Basis::Meters, origin, anonymous: false, about };
        let sent = Sent { id: "c5".parse().unwrap(), at: NOW, by: Sender::System };
        clerk.enact(&sent, &case, Act::AddEvidence(item)).await.unwrap();
        assert!(!wants_portrait(&the_one(&clerk).await.case));
    }
}
