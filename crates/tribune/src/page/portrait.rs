//! Fills a portrait ([`web::portrait`]) from the watch.
//!
//! It computes no evidence: every decibel was in the evaluation. What it adds are the days and hours behind the signals,
//! the peers' spread over the same days, and what nobody can see. It is not the page ([`super::entity`]).

use review::words::readable;
use review::{Decibans, Family, family_evidence};
use signals::docket::{Docket, Ranked, keep_most};
use signals::entity::{Entity, Kind, Known};
use signals::findings::{finding, pseudonym, pseudonymise};
use signals::links::Links;
use signals::pack::Policy;
use signals::peers::{LEAST_PEERS, Standing};
use signals::series::{DAYS, HOURS, Mask, Readings};
use signals::watch::{Evaluation, Watch};
use signals::workload::{CALL_BYTES, CALL_SECONDS, Daily, Hourly, calls, whole};
use std::collections::{BTreeMap, BTreeSet};
use usage::{AccountKey, Day, Hour, Measure};
use web::plain::clean;
use web::portrait::{
    self, AccountPart, Around, Column, Date, DayRow, FamilyLines, Judged, Line, MovedOut, OutOnDay, Portrait,
};

/// Whether people see names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Naming<'a> {
    /// As in the records.
    Names,
    /// Pseudonyms with this salt: below the floor, without a purpose.
    Pseudonyms(&'a str),
}

impl Naming<'_> {
    fn name(self, of: &str, name: &str) -> String {
        match self {
            Self::Names => name.to_owned(),
            Self::Pseudonyms(salt) => pseudonym(salt, of, name),
        }
    }
}

/// What a portrait is painted from.
pub(crate) struct Scene<'a> {
    /// The watch, advanced to the time.
    pub(crate) watch: &'a Watch,
    /// The floors.
    pub(crate) docket: &'a Docket,
    /// By policy: the evaluation and the ranking.
    pub(crate) last: &'a [(Evaluation, Vec<Ranked>)],
}

impl Scene<'_> {
    /// Whether any policy puts the entity above the floor, or a workload that holds all of it.
    pub(crate) fn is_above(&self, entity: u32) -> bool {
        let Some(own) = self.watch.entities.get(entity as usize) else { return false };
        let holds = |ranked: &Ranked| {
            let of = self.watch.entities.get(ranked.entity as usize).map(|entity| entity.accounts.as_slice());
            own.accounts.iter().all(|account| of.unwrap_or_default().binary_search(account).is_ok())
        };
        self.last.iter().any(|(evaluation, ranking)| {
            self.speaks(evaluation, entity) || ranking.iter().any(|ranked| ranked.above && holds(ranked))
        })
    }

    /// Whether the entity's own score reaches the floor, and enough families speak.
    fn speaks(&self, evaluation: &Evaluation, entity: u32) -> bool {
        let score = evaluation.scores.get(entity as usize);
        let Some((policy, score)) = self.watch.policies.get(evaluation.policy).zip(score) else { return false };
        let least = Decibans::from_f64(policy.families_needed.at_least_db).unwrap_or_default();
        let floor = self.docket.floors.get(&evaluation.policy).copied().unwrap_or(policy.floor);
        score.total >= floor && score.families.speaking(least) >= policy.families_needed.count
    }

    /// The portrait of an entity; `None` if there is no such entity.
    pub(crate) fn portrait(&self, entity: u32, naming: Naming<'_>) -> Option<Portrait> {
        let one = self.watch.entities.get(entity as usize)?;
        let row = self.watch.rows.get(entity as usize)?;
        let at = self.last.first().map(|(evaluation, _)| evaluation.at)?;
        let order = by_weight(self.watch, entity);
        let strongest = order.first().copied().unwrap_or_default();
        let series = Series::of(self.watch, &one.accounts, at);
        let peers = peers(self.watch, entity, row.standing);
        let first_day = first_day(self.watch, at);
        let by_calls = series.days(first_day).iter().flatten().any(|day| day.calls > 0);
        let days = with_peers(self.watch, series.days(first_day), &peers, at, first_day, by_calls);
        let key = self.watch.history.account_keys.get(strongest as usize)?;
        let unit = self.watch.fact(strongest).and_then(|fact| fact.unit.clone());
        let policies: Vec<Judged> = self
            .last
            .iter()
            .filter_map(|(evaluation, ranking)| self.judged(evaluation, ranking, entity, naming))
            .collect();
        Some(Portrait {
            at: portrait::Hour(at.0),
            kind: kind(one.kind).to_owned(),
            customer: naming.name("customer", &key.customer),
            unit: unit.map(|unit| unit_name(naming, key, &unit)).unwrap_or_default(),
            accounts: accounts(self.watch, &order, naming),
            around: self.around(entity, one),
            peers: peers_in_words(&peers, one.kind),
            hours: series.week(by_calls),
            hourly: series.mask.is_some(),
            unseen: unseen(&policies, row, &series, peers.len()),
            columns: columns(row, &one.links),
            by_calls,
            days,
            first_day: Date(first_day.0),
            policies,
        })
    }

    fn judged(&self, evaluation: &Evaluation, ranking: &[Ranked], entity: u32, naming: Naming<'_>) -> Option<Judged> {
        let policy = self.watch.policies.get(evaluation.policy)?;
        let score = evaluation.scores.get(entity as usize)?;
        let floor = self.docket.floors.get(&evaluation.policy).copied().unwrap_or(policy.floor);
        let place = ranking.iter().position(|ranked| ranked.entity == entity);
        let above_it = |ranked: &&Ranked| {
            evaluation.scores.get(ranked.entity as usize).is_some_and(|other| other.total > score.total)
        };
        // What is no workload of its own has no place in the queue, so nothing is to be said of days and budgets.
        let above = self.speaks(evaluation, entity);
        let accounts = || keep_most(self.watch, entity);
        let alone = || Ranked { entity, accounts: accounts(), above, lasting: above, opens: above };
        let ranked = place.and_then(|place| ranking.get(place)).cloned().unwrap_or_else(alone);
        let rank = place.unwrap_or_else(|| ranking.iter().filter(above_it).count()) as u32 + 1;
        let mut finding = finding(self.watch, evaluation, self.docket, &ranked, rank);
        finding.opens_case &= place.is_some();
        if let Naming::Pseudonyms(salt) = naming {
            pseudonymise(&mut finding, salt);
        }
        let own = self.watch.entities.get(entity as usize)?;
        let overlaps = |ranked: &Ranked| {
            let of = self.watch.entities.get(ranked.entity as usize).map(|entity| entity.accounts.as_slice());
            own.accounts.iter().any(|account| of.unwrap_or_default().binary_search(account).is_ok())
        };
        let within = if place.is_none() { ranking.iter().position(overlaps) } else { None };
        Some(Judged {
            title: policy.title.clone(),
            version: policy.version.clone(),
            digest: policy.digest.clone(),
            floor_db: floor,
            place: place.map(|place| place as u32 + 1),
            within: within.map(|place| place as u32 + 1),
            workloads: ranking.len(),
            ledger: Family::ALL.map(|family| ledger(policy, evaluation, entity, family)).into(),
            silent: silent(policy, evaluation, entity),
            finding,
        })
    }

    /// The larger sets that hold all of an entity's accounts.
    fn around(&self, entity: u32, own: &Entity) -> Vec<Around> {
        let holds = |other: &Entity| {
            other.accounts.len() > own.accounts.len()
                && own.accounts.iter().all(|account| other.accounts.binary_search(account).is_ok())
        };
        let scores = self.last.first().map_or(&[][..], |(evaluation, _)| &evaluation.scores);
        let others = self.watch.entities.iter().zip(scores).zip(0_u32..);
        let around = others.filter(|((other, _), place)| *place != entity && holds(other));
        let around = around.map(|((other, score), _)| Around {
            what: kind(other.kind).to_owned(),
            accounts: other.accounts.len(),
            score_db: score.total,
        });
        around.collect()
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Account => "account",
        Kind::Unit => "unit",
        Kind::Customer => "customer",
        Kind::Linked => "linked accounts",
    }
}

fn unit_name(naming: Naming<'_>, key: &AccountKey, unit: &str) -> String {
    match naming {
        Naming::Names => unit.to_owned(),
        Naming::Pseudonyms(salt) => pseudonym(salt, "unit", &format!("{}\u{1f}{unit}", key.customer)),
    }
}

/// The speaking signals of one family, and how they add up.
fn ledger(policy: &Policy, evaluation: &Evaluation, entity: u32, family: Family) -> FamilyLines {
    let own = policy.signals.iter().zip(&evaluation.readings).filter(|(signal, _)| signal.family == family);
    let mut lines: Vec<Line> = own
        .filter_map(|(signal, readings)| {
            let reading = readings.get(entity as usize)?;
            let value = reading.value?;
            Some(Line {
                signal: signal.id.clone(),
                value: readable(value, signal.divisor),
                unit: signal.unit.clone(),
                complete: reading.completeness_permille / 10,
                evidence_db: reading.evidence,
                counted_db: reading.evidence,
                explanation: signal.explain(Some(value)),
                innocent: signal.innocent.clone(),
            })
        })
        .collect();
    let most = lines.iter().map(|line| line.evidence_db).max().unwrap_or_default();
    let strongest = lines.iter().position(|line| line.evidence_db == most);
    for (place, line) in lines.iter_mut().enumerate() {
        if Some(place) != strongest && line.evidence_db > Decibans::ZERO {
            // Tenths, so that three tenths of them are whole hundredths.
            line.counted_db = Decibans::from_hundredths(line.evidence_db.hundredths() * 3 / 10);
        }
    }
    FamilyLines {
        family,
        sum_db: lines.iter().map(|line| line.counted_db).sum(),
        evidence_db: family_evidence(lines.iter().map(|line| line.evidence_db)),
        lines,
    }
}

fn silent(policy: &Policy, evaluation: &Evaluation, entity: u32) -> Vec<(String, String)> {
    let signals = policy.signals.iter().zip(&evaluation.readings);
    let silent = signals.filter(|(_, readings)| readings.get(entity as usize).is_none_or(|one| one.value.is_none()));
    silent.map(|(signal, _)| (signal.id.clone(), signal.explain(None))).collect()
}

/// What an account contributes: calls an hour, or bytes as calls where those are more.
fn weight(watch: &Watch, account: u32) -> i64 {
    let row = watch.single(account).and_then(|single| watch.rows.get(single as usize));
    row.map_or(0, |row| {
        let hourly = &row.workload.hourly;
        hourly.calls_per_hour_mean.unwrap_or(0).max(hourly.byte_calls_per_hour.unwrap_or(0)).max(0)
    })
}

fn by_weight(watch: &Watch, entity: u32) -> Vec<u32> {
    let accounts = watch.entities.get(entity as usize).map_or(&[][..], |entity| &entity.accounts);
    let mut order = accounts.to_vec();
    order.sort_by_cached_key(|account| {
        (std::cmp::Reverse(weight(watch, *account)), watch.history.account_keys.get(*account as usize).cloned())
    });
    order
}

fn accounts(watch: &Watch, order: &[u32], naming: Naming<'_>) -> Vec<AccountPart> {
    let all: i128 = order.iter().map(|account| i128::from(weight(watch, *account))).sum();
    let part = |account: &u32| {
        let key = watch.history.account_keys.get(*account as usize)?;
        let state = watch.history.accounts.get(*account as usize)?.as_ref()?;
        let fact = watch.fact(*account);
        let regions: BTreeSet<&str> = state
            .regions()
            .filter_map(|region| watch.history.region_keys.get(usize::from(region)))
            .map(|key| key.region.as_str())
            .filter(|region| !region.is_empty())
            .collect();
        let own = weight(watch, *account);
        Some(AccountPart {
            account: naming.name("account", &key.account),
            customer: naming.name("customer", &key.customer),
            unit: fact
                .and_then(|fact| fact.unit.as_deref())
                .map(|unit| unit_name(naming, key, unit))
                .unwrap_or_default(),
            calls_per_hour: own,
            share: i64::try_from(i128::from(own) * 100 / all.max(1)).unwrap_or(0),
            created_on: fact.and_then(|fact| fact.created_on).map(|day| day.to_string()).unwrap_or_default(),
            declared_use: fact.and_then(|fact| fact.declared_use.clone()).unwrap_or_default(),
            regions: regions.into_iter().collect::<Vec<_>>().join(", "),
        })
    };
    order.iter().filter_map(part).collect()
}

/// What the days and hours of an entity say.
struct Series {
    readings: Readings,
    mask: Option<Mask>,
    first: Hour,
    at: Hour,
}

impl Series {
    fn of(watch: &Watch, accounts: &[u32], at: Hour) -> Self {
        let mut readings = Readings::empty();
        let masks = watch.history.complete_hours(at);
        let mut mask: Option<Mask> = None;
        let mut first = at;
        for state in accounts.iter().filter_map(|a| watch.history.accounts.get(*a as usize)?.as_ref()) {
            state.add_to(at, at.day(), &mut readings);
            first = first.min(state.first);
            for own in state.regions().filter_map(|region| masks.get(usize::from(region))) {
                mask.get_or_insert([true; HOURS]).iter_mut().zip(own).for_each(|(all, own)| *all &= own);
            }
        }
        Self { readings, mask, first, at }
    }

    /// The days from `first_day` on; `None` before the entity's first usage.
    fn days(&self, first_day: Day) -> Vec<Option<DayRow>> {
        let of = |measure: Measure, place: usize| {
            whole(measure, self.readings.days(measure).get(place).copied().unwrap_or(0))
        };
        let (start, end) = (self.at.day().plus(-(DAYS as i32)), self.at.day());
        let row = |day: i32| {
            let day = Day(day);
            let place = usize::try_from(day.0 - start.0).ok().filter(|_| day >= self.first.day())?;
            let (written, audio) = (of(Measure::ObjectsWritten, place), of(Measure::AudioSecondsTranscribed, place));
            let bytes_in = of(Measure::BytesIn, place);
            Some(DayRow {
                day: Date(day.0),
                complete: self.is_complete(day),
                calls: calls(written, audio, bytes_in),
                bytes_in,
                bytes_stored: of(Measure::ByteHoursStored, place) / 24,
                objects_written: written,
                objects_deleted: of(Measure::ObjectsDeleted, place),
                audio_seconds_implied: (bytes_in / CALL_BYTES).saturating_mul(CALL_SECONDS),
                audio_seconds_transcribed: audio,
                bytes_moved_out: Some(self.moved_out(place)),
                peers: None,
            })
        };
        (first_day.0.max(start.0)..end.0).map(row).collect()
    }

    /// Bytes read out and exported on a day.
    fn moved_out(&self, place: usize) -> i64 {
        let of = |measure: Measure| whole(measure, self.readings.days(measure).get(place).copied().unwrap_or(0));
        of(Measure::BytesOut).saturating_add(of(Measure::BytesExported))
    }

    fn is_complete(&self, day: Day) -> bool {
        let Some(mask) = &self.mask else { return true };
        let first = self.at.0 - HOURS as i32;
        let hours = (day.start().0..day.plus(1).start().0).filter_map(|hour| usize::try_from(hour - first).ok());
        hours.filter_map(|place| mask.get(place)).all(|complete| *complete)
    }

    /// By hour of the week.
    fn week(&self, by_calls: bool) -> Vec<Option<i64>> {
        let mut week = vec![None; HOURS];
        let Some(mask) = &self.mask else { return week };
        let of = |measure: Measure, place: usize| {
            whole(measure, self.readings.hours(measure).get(place).copied().unwrap_or(0))
        };
        for (place, complete) in mask.iter().enumerate() {
            let hour = self.at.plus(place as i32 - HOURS as i32);
            if !complete || hour < self.first {
                continue;
            }
            let bytes = of(Measure::BytesIn, place);
            let calls = calls(of(Measure::ObjectsWritten, place), of(Measure::AudioSecondsTranscribed, place), bytes);
            if let Some(slot) = usize::try_from(hour.of_week()).ok().and_then(|slot| week.get_mut(slot)) {
                *slot = Some(if by_calls { calls } else { bytes });
            }
        }
        week
    }
}

/// What was moved out of some accounts, by the day.
pub(crate) fn moved_out(watch: &Watch, accounts: &[u32], at: Hour) -> MovedOut {
    let first_day = first_day(watch, at);
    let days = Series::of(watch, accounts, at).days(first_day);
    let day = |row: DayRow| Some(OutOnDay { bytes: row.bytes_moved_out?, complete: row.complete });
    let days = days.into_iter().map(|row| row.and_then(day)).collect();
    MovedOut { at: portrait::Hour(at.0), first_day: Date(first_day.0), days }
}

/// The first day anything is known of, within the window.
fn first_day(watch: &Watch, at: Hour) -> Day {
    let first = watch.history.accounts.iter().flatten().map(|account| account.first.day()).min();
    let (start, last) = (at.day().plus(-(DAYS as i32)), at.day().plus(-1));
    first.unwrap_or(start).max(start).min(last)
}

/// Who an entity is compared with.
struct Peers {
    entities: Vec<u32>,
    declared: Option<String>,
}

impl Peers {
    fn len(&self) -> usize {
        self.entities.len()
    }
}

/// Accounts with accounts, customers with customers; those who declare the same use where they are enough, as
/// [`signals::peers`] has it, else everybody.
fn peers(watch: &Watch, entity: u32, standing: Standing) -> Peers {
    let single = watch.entities.get(entity as usize).is_some_and(|entity| entity.kind == Kind::Account);
    let mut accounts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for key in &watch.history.account_keys {
        *accounts.entry((&key.provider, &key.customer)).or_default() += 1;
    }
    let alone = |one: &Entity| {
        let key = one.accounts.first().and_then(|account| watch.history.account_keys.get(*account as usize));
        key.is_some_and(|key| accounts.get(&(key.provider.as_str(), key.customer.as_str())) == Some(&1))
    };
    let level = |one: &Entity| match one.kind {
        Kind::Account => single || alone(one),
        Kind::Customer => !single,
        Kind::Unit | Kind::Linked => false,
    };
    let declared = |one: &Entity| one.accounts.iter().find_map(|account| watch.fact(*account)?.declared_use.as_deref());
    let own = watch.entities.get(entity as usize).and_then(declared).filter(|_| standing.wider == Some(0));
    let others = watch.entities.iter().zip(0_u32..).filter(|(one, place)| *place != entity && level(one));
    let entities = others.filter(|(one, _)| own.is_none() || declared(one) == own).map(|(_, place)| place).collect();
    Peers { entities, declared: own.map(str::to_owned) }
}

fn peers_in_words(peers: &Peers, kind: Kind) -> String {
    let level = if kind == Kind::Account { "accounts" } else { "customers" };
    match &peers.declared {
        _ if peers.len() < LEAST_PEERS => {
            format!("fewer than {LEAST_PEERS} others: they are not enough to compare with")
        }
        Some(declared) => format!("{} other {level} that declare “{}”", peers.len(), clean(declared)),
        None => format!("all {} other {level}: too few declare the same use", peers.len()),
    }
}

/// Gives each day the spread of the peers.
fn with_peers(
    watch: &Watch,
    mut days: Vec<Option<DayRow>>,
    peers: &Peers,
    at: Hour,
    first_day: Day,
    by_calls: bool,
) -> Vec<Option<DayRow>> {
    if peers.len() < LEAST_PEERS {
        return days;
    }
    let mut values: Vec<Vec<i64>> = vec![Vec::with_capacity(peers.len()); days.len()];
    for entity in peers.entities.iter().filter_map(|place| watch.entities.get(*place as usize)) {
        let mut series = Series { readings: Readings::empty(), mask: None, first: at, at };
        for state in entity.accounts.iter().filter_map(|a| watch.history.accounts.get(*a as usize)?.as_ref()) {
            state.add_to(at, at.day(), &mut series.readings);
            series.first = series.first.min(state.first);
        }
        for (values, day) in values.iter_mut().zip(series.days(first_day)) {
            values.extend(day.map(|day| if by_calls { day.calls } else { day.bytes_in }));
        }
    }
    for (day, mut values) in days.iter_mut().zip(values) {
        values.sort_unstable();
        let at = |percent: usize| values.get(values.len().saturating_sub(1) * percent / 100).copied();
        if let (Some(day), [Some(a), Some(b), Some(c), Some(d), Some(e)]) = (day, [5, 25, 50, 75, 95].map(at)) {
            day.peers = Some([a, b, c, d, e]);
        }
    }
    days
}

/// What cannot be seen, in sentences.
fn unseen(policies: &[Judged], row: &signals::watch::Row, series: &Series, peers: usize) -> Vec<String> {
    let mut out = vec![
        "Content. No object, recording, text or name of a file was read, nor can it be: usage records say how much was \
         used, never what it was. Whether these are calls of people at all is an inference."
            .to_owned(),
        "Purpose and consent. No meter tells why something was done, or who agreed to it.".to_owned(),
    ];
    let hourly = &row.workload.hourly;
    if series.mask.is_none() {
        out.push(
            "Hours. These records come by the day, so nothing is known of the rhythm within one; signals that need \
             hours are silent."
                .to_owned(),
        );
    }
    let complete = hourly.completeness_permille.unwrap_or(0);
    if complete < 1_000 {
        out.push(format!(
            "Missing records. {}.{} % of the window is complete; evidence is scaled down by as much, never guessed up.",
            complete / 10,
            complete % 10
        ));
    }
    let elapsed = row.workload.daily.days_elapsed.unwrap_or(0);
    if elapsed < 14 {
        out.push(format!("The past. Usage is known of {elapsed} days only; slopes take 14."));
    }
    let known: Vec<String> = Known::COLUMNS
        .iter()
        .zip(row.known.values())
        .filter(|(_, value)| value.is_none())
        .map(|((name, _), _)| spaced(name))
        .collect();
    if known.len() == Known::COLUMNS.len() {
        out.push("Facts. The provider has stated none of these accounts: no declared use, no verified use.".to_owned());
    } else if !known.is_empty() {
        out.push(format!("Facts not stated: {}.", known.join(", ")));
    }
    if peers < LEAST_PEERS {
        out.push(format!("Peers. Fewer than {LEAST_PEERS} others can be compared with."));
    }
    let silent: usize = policies.iter().map(|policy| policy.silent.len()).sum();
    if silent > 0 {
        let all: usize = policies.iter().map(|policy| policy.finding.signals.len()).sum();
        out.push(format!(
            "{silent} of {all} signals do not speak, for want of data that bear on them; each counts as zero."
        ));
    }
    out
}

/// `declared_calls_per_hour` as `declared calls per hour`.
pub(crate) fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

fn columns(row: &signals::watch::Row, links: &Links) -> Vec<Column> {
    let of = |relation: &'static str, columns: &[(&str, &str)], values: Vec<Option<i64>>| -> Vec<Column> {
        let column = |((name, meaning), value): (&(&str, &str), Option<i64>)| Column {
            relation: relation.to_owned(),
            name: (*name).to_owned(),
            meaning: (*meaning).to_owned(),
            value,
        };
        columns.iter().zip(values).map(column).collect()
    };
    let mut out = of("workload", Hourly::COLUMNS, row.workload.hourly.values().collect());
    out.extend(Measure::ALL.into_iter().zip(row.workload.totals).map(|(measure, total)| Column {
        relation: "workload".to_owned(),
        name: format!("{measure}_7d"),
        meaning: format!("{} over the window, in {}", spaced(measure.name()), measure.unit()),
        value: Some(total),
    }));
    out.extend(of("workload", Daily::COLUMNS, row.workload.daily.values().collect()));
    out.extend(of("facts", Known::COLUMNS, row.known.values().collect()));
    out.extend(of("peers", Standing::COLUMNS, row.standing.values().to_vec()));
    out.extend(of("links", Links::COLUMNS, links.values().to_vec()));
    out
}

/// `2026-03-01, 06:00 UTC`.
pub(crate) fn moment(at: Hour) -> String {
    portrait::Hour(at.0).for_people()
}
