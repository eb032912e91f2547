//! The watch over a provider's books: rows come in, time advances, and every policy's evaluation of every entity
//! comes out.
//!
//! At midnight (UTC) entities, links, peers and the daily columns are made anew; at any other hour only the hourly
//! columns and signals. An evaluation is a function of the rows and facts known by its hour and of nothing else: a
//! replayed tick equals a scan from nothing. It opens no cases ([`crate::docket`]) and reads no files.

use crate::entity::{Entity, Kind, Known, facts_evidence, foreign_stored_permille, known};
use crate::links::{Group, Links, Profile, groups};
use crate::pack::{Least, PackError, Policy, Refresh, Signal};
use crate::peers::{Member, Standing, compare};
use crate::series::{History, Mapping, Mask, Readings};
use crate::sql::{Query, Relations, SqlError};
use crate::workload::{self, Daily, Hourly, Workload, batch, table_schema};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use review::{Decibans, Families, total};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use usage::facts::{Fact, Facts};
use usage::{Day, Hour, Measure, Names, Usage};

/// Why the watch cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// A policy pack is not well formed.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The SQL engine could not be set up.
    #[error("the query engine could not start: {0}")]
    Engine(#[from] SqlError),
    /// A signal failed on these records.
    #[error("signal {signal} of policy {policy} failed: {source}")]
    Signal {
        /// The policy.
        policy: String,
        /// The signal.
        signal: String,
        /// How.
        source: SqlError,
    },
}

/// What one signal says of one entity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// In the SQL's integer steps; `None` if the signal is silent.
    pub value: Option<i64>,
    /// Completeness of its data, in thousandths.
    pub completeness_permille: i64,
    /// The evidence, to a tenth of a deciban.
    pub evidence: Decibans,
}

/// What one policy says of one entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// Evidence by family.
    pub families: Families,
    /// What verified use takes away.
    pub facts: Decibans,
    /// The sum with the prior.
    pub total: Decibans,
}

/// What one policy says of all entities at one time.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// As of this hour.
    pub at: Hour,
    /// The policy's place among the watch's.
    pub policy: usize,
    /// By entity.
    pub scores: Vec<Score>,
    /// By signal, then by entity.
    pub readings: Vec<Vec<Reading>>,
}

/// Everything that one entity's row was made of.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// The workload.
    pub workload: Workload,
    /// What facts say.
    pub known: Known,
    /// Where it stands among its peers.
    pub standing: Standing,
}

/// The watch.
pub struct Watch {
    /// The policies, in the order they were given.
    pub policies: Vec<Policy>,
    queries: Vec<Vec<Query>>,
    relations: Relations,
    /// What is remembered of the records.
    pub history: History,
    facts: Facts,
    threads: usize,
    today: Option<Day>,
    account_facts: Vec<Option<Fact>>,
    /// What is scored, as of the last advance.
    pub entities: Vec<Entity>,
    /// Each entity's row.
    pub rows: Vec<Row>,
    /// The entity that is this account alone.
    single: Vec<Option<u32>>,
    daily_readings: Vec<Vec<Vec<Reading>>>,
    schemas: Schemas,
}

struct Schemas {
    workload: SchemaRef,
    facts: SchemaRef,
    peers: SchemaRef,
    links: SchemaRef,
    hourly: SchemaRef,
    daily: SchemaRef,
}

impl Schemas {
    fn new() -> Self {
        let integers = |columns: &[(&str, &str)]| table_schema(columns.iter().map(|(name, _)| (*name).to_owned()));
        let long = |time: &str| {
            let whole = |name: &str| Field::new(name, DataType::Int64, false);
            Arc::new(Schema::new(vec![
                whole("entity"),
                Field::new("measure", DataType::Utf8, false),
                whole(time),
                whole("quantity"),
            ]))
        };
        Self {
            workload: workload::schema(),
            facts: integers(Known::COLUMNS),
            peers: integers(Standing::COLUMNS),
            links: integers(Links::COLUMNS),
            hourly: long("hour"),
            daily: long("day"),
        }
    }

    fn relations(&self) -> Result<Relations, SqlError> {
        Relations::new(&[
            (workload::TABLE, self.workload.clone()),
            ("facts", self.facts.clone()),
            ("peers", self.peers.clone()),
            ("links", self.links.clone()),
            ("hourly", self.hourly.clone()),
            ("daily", self.daily.clone()),
        ])
    }
}

/// The relations that a signal may read, empty: what a policy pack is checked against.
pub fn relations() -> Result<Relations, SqlError> {
    Schemas::new().relations()
}

/// What of an entity's accounts one pass over them computes.
struct Computed {
    hourly: Hourly,
    totals: [i64; Measure::COUNT],
    daily: Option<Daily>,
    profile: Option<Profile>,
}

impl Watch {
    /// A watch that has seen nothing yet. `threads` changes how fast it is, never what it finds.
    pub fn new(policies: Vec<Policy>, facts: Facts, threads: usize) -> Result<Self, WatchError> {
        let schemas = Schemas::new();
        let relations = schemas.relations()?;
        let queries = policies.iter().map(|policy| policy.plan(&relations)).collect::<Result<_, _>>()?;
        Ok(Self {
            policies,
            queries,
            relations,
            history: History::default(),
            facts,
            threads: threads.max(1),
            today: None,
            account_facts: Vec::new(),
            entities: Vec::new(),
            rows: Vec::new(),
            single: Vec::new(),
            daily_readings: Vec::new(),
            schemas,
        })
    }

    /// Evaluates rows that were made up, one entity each, as a policy pack's tests do.
    pub fn evaluate_rows(&mut self, rows: Vec<(Row, Links)>, at: Hour) -> Result<Vec<Evaluation>, WatchError> {
        let entity = |links| Entity { kind: Kind::Account, accounts: Vec::new(), links };
        (self.rows, self.entities) = rows.into_iter().map(|(row, links)| (row, entity(links))).unzip();
        self.today = Some(at.day());
        self.fill(&[workload::TABLE, "facts", "peers", "links", "hourly", "daily"]);
        self.daily_readings = self.read_signals(Refresh::Daily)?;
        self.evaluate(at)
    }

    /// Takes in names, so that rows that refer to them can be [applied](Self::apply).
    pub fn adopt(&mut self, names: &Names) -> Mapping {
        self.history.adopt(names)
    }

    /// Adds rows that are known by `until`, the hour of the next [`advance`](Self::advance).
    pub fn apply(&mut self, mapping: &Mapping, rows: &[Usage], until: Hour) {
        self.history.apply(mapping, rows, until);
    }

    /// The fact of an account as of the last midnight.
    pub fn fact(&self, account: u32) -> Option<&Fact> {
        self.account_facts.get(account as usize)?.as_ref()
    }

    /// The entity that is this account alone.
    pub fn single(&self, account: u32) -> Option<u32> {
        self.single.get(account as usize).copied().flatten()
    }

    /// How many customers have usage.
    pub fn customers(&self) -> usize {
        let seen = self.history.account_keys.iter().zip(&self.history.accounts).filter(|(_, state)| state.is_some());
        seen.map(|(key, _)| (&key.provider, &key.customer)).collect::<BTreeSet<_>>().len()
    }

    /// Evaluates every policy as of this hour. Every midnight that lies between two calls must be advanced to as well,
    /// in order; [`crate::drive`] does.
    pub fn advance(&mut self, at: Hour) -> Result<Vec<Evaluation>, WatchError> {
        if at.of_day() == 0 || self.today != Some(at.day()) {
            self.midnight(at)?
        } else {
            self.tick(at)?
        }
        self.evaluate(at)
    }

    /// Everything that is made once a day.
    fn midnight(&mut self, at: Hour) -> Result<(), WatchError> {
        let day = at.day();
        self.today = Some(day);
        self.account_facts =
            self.history.account_keys.iter().map(|key| self.facts.at(&key.account, day.start()).cloned()).collect();
        self.single = vec![None; self.history.accounts.len()];
        self.entities.clear();
        self.rows.clear();
        self.add_new_accounts();
        let masks = self.history.complete_hours(at);
        let mut computed = self.compute(&self.entities, &masks, at, true);
        let profiles = computed.iter_mut().filter_map(|one| one.profile.take()).collect();
        let together = self.assemble(profiles);
        computed.extend(self.compute(&together, &masks, at, true));
        self.entities.extend(together);
        self.take(computed);
        self.stand(day);
        self.fill(&["facts", "peers", "links", "daily"]);
        self.daily_readings = self.read_signals(Refresh::Daily)?;
        Ok(())
    }

    /// What changes with the hour.
    fn tick(&mut self, at: Hour) -> Result<(), WatchError> {
        self.account_facts.resize(self.history.accounts.len(), None);
        self.single.resize(self.history.accounts.len(), None);
        let before = self.entities.len();
        self.add_new_accounts();
        let masks = self.history.complete_hours(at);
        let computed = self.compute(&self.entities, &masks, at, false);
        self.take(computed);
        if self.entities.len() > before {
            self.know(before, at.day());
            self.fill(&["facts", "peers", "links"]);
        }
        Ok(())
    }

    /// Accounts with usage that are no entity yet become one each.
    fn add_new_accounts(&mut self) {
        for (account, state) in self.history.accounts.iter().enumerate() {
            let Some(slot) = self.single.get_mut(account).filter(|slot| slot.is_none() && state.is_some()) else {
                continue;
            };
            *slot = Some(self.entities.len() as u32);
            let accounts = vec![account as u32];
            self.entities.push(Entity { kind: Kind::Account, accounts, links: Links::default() });
            if !matches!(self.account_facts.get(account), Some(None)) {
                continue;
            }
            let fact = self.history.account_keys.get(account).zip(self.today);
            let fact = fact.and_then(|(key, day)| self.facts.at(&key.account, day.start()).cloned());
            if let Some(slot) = self.account_facts.get_mut(account) {
                *slot = fact;
            }
        }
    }

    /// Units, customers and linked groups of two accounts or more; each set of accounts once.
    fn assemble(&self, mut profiles: Vec<Profile>) -> Vec<Entity> {
        let mut customers: BTreeMap<(&str, &str), Vec<u32>> = BTreeMap::new();
        let mut units: BTreeMap<(&str, &str, &str), Vec<u32>> = BTreeMap::new();
        for (account, (key, state)) in self.history.account_keys.iter().zip(&self.history.accounts).enumerate() {
            if state.is_none() {
                continue;
            }
            customers.entry((&key.provider, &key.customer)).or_default().push(account as u32);
            if let Some(unit) = self.fact(account as u32).and_then(|fact| fact.unit.as_deref()) {
                units.entry((&key.provider, &key.customer, unit)).or_default().push(account as u32);
            }
        }
        self.place(&mut profiles, &customers, &units);
        let mut linked = groups(profiles);
        let mut entities = Vec::new();
        let mut seen: BTreeSet<Vec<u32>> = BTreeSet::new();
        let sets = units.into_values().map(|set| (Kind::Unit, set));
        let sets = sets.chain(customers.into_values().map(|set| (Kind::Customer, set)));
        let sets: Vec<_> = linked.iter().map(|group| (Kind::Linked, group.accounts.clone())).chain(sets).collect();
        for (kind, accounts) in sets {
            if accounts.len() >= 2 && seen.insert(accounts.clone()) {
                let links = links_within(&mut linked, &accounts);
                entities.push(Entity { kind, accounts, links });
            }
        }
        entities
    }

    /// Tells the profiles who their accounts belong to.
    fn place(
        &self,
        profiles: &mut [Profile],
        customers: &BTreeMap<(&str, &str), Vec<u32>>,
        units: &BTreeMap<(&str, &str, &str), Vec<u32>>,
    ) {
        let numbered = |sets: Vec<&Vec<u32>>| -> BTreeMap<u32, u32> {
            sets.iter()
                .zip(0_u32..)
                .flat_map(|(set, number)| set.iter().map(move |account| (*account, number)))
                .collect()
        };
        let customer = numbered(customers.values().collect());
        let unit = numbered(units.values().collect());
        let mut payers: BTreeMap<&str, u32> = BTreeMap::new();
        for profile in profiles {
            profile.customer = customer.get(&profile.account).copied().unwrap_or(u32::MAX);
            profile.unit = unit.get(&profile.account).copied();
            let fact = self.account_facts.get(profile.account as usize).and_then(Option::as_ref);
            profile.created = fact.and_then(|fact| fact.created_on);
            profile.payer = fact.and_then(|fact| fact.payer.as_deref()).map(|payer| {
                let next = payers.len() as u32;
                *payers.entry(payer).or_insert(next)
            });
        }
    }

    /// Sums and features of entities, on as many threads as allowed.
    fn compute(&self, entities: &[Entity], masks: &[Mask], at: Hour, whole_day: bool) -> Vec<Computed> {
        let share = entities.len().div_ceil(self.threads).max(1);
        let work = |part: &[Entity]| {
            let mut readings = Readings::empty();
            part.iter().map(|entity| self.compute_one(entity, masks, at, whole_day, &mut readings)).collect::<Vec<_>>()
        };
        if self.threads == 1 || entities.len() < 256 {
            return work(entities);
        }
        let work = &work;
        std::thread::scope(|scope| {
            let parts: Vec<_> = entities.chunks(share).map(|part| scope.spawn(move || work(part))).collect();
            parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
        })
    }

    fn compute_one(
        &self,
        entity: &Entity,
        masks: &[Mask],
        at: Hour,
        whole_day: bool,
        readings: &mut Readings,
    ) -> Computed {
        readings.clear();
        let mut mask: Option<Mask> = None;
        let mut first = at;
        for state in entity.accounts.iter().filter_map(|account| self.history.accounts.get(*account as usize)?.as_ref())
        {
            state.add_to(at, at.day(), readings);
            first = first.min(state.first);
            for region in state.regions() {
                let Some(own) = masks.get(usize::from(region)) else { continue };
                match &mut mask {
                    None => mask = Some(*own),
                    Some(mask) => mask.iter_mut().zip(own).for_each(|(all, own)| *all &= own),
                }
            }
        }
        let standing = workload::Standing { accounts: entity.accounts.len(), first, mask: mask.as_ref() };
        let (mut hourly, totals) = workload::hourly(readings, standing, at);
        hourly.foreign_stored_permille = foreign_stored_permille(entity, &self.account_facts, &self.history, at);
        let daily = whole_day.then(|| workload::daily(readings, standing, at.day()));
        let mut profile = None;
        if let (true, [account]) = (whole_day, entity.accounts.as_slice()) {
            let row = Workload { hourly: hourly.clone(), totals, daily: Daily::default() };
            profile = Profile::of(*account, &row, &workload::ingress(readings));
        }
        Computed { hourly, totals, daily, profile }
    }

    fn take(&mut self, computed: Vec<Computed>) {
        self.rows.resize(self.entities.len(), Row::default());
        for (row, one) in self.rows.iter_mut().zip(computed) {
            row.workload.hourly = one.hourly;
            row.workload.totals = one.totals;
            if let Some(daily) = one.daily {
                row.workload.daily = daily;
            }
        }
        self.fill(&[workload::TABLE, "hourly"]);
    }

    /// Facts and peers of every entity.
    fn stand(&mut self, day: Day) {
        let mut uses: BTreeMap<&str, u32> = BTreeMap::new();
        let mut members: [Vec<Member>; 2] = [Vec::new(), Vec::new()];
        let mut whole = vec![0_usize; self.entities.len()];
        let mut customer_size: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for key in &self.history.account_keys {
            *customer_size.entry((&key.provider, &key.customer)).or_default() += 1;
        }
        for (place, (entity, row)) in self.entities.iter().zip(&self.rows).enumerate() {
            let declared = entity
                .accounts
                .iter()
                .find_map(|account| self.account_facts.get(*account as usize)?.as_ref()?.declared_use.as_deref());
            let next = uses.len() as u32;
            let group = declared.map(|declared| *uses.entry(declared).or_insert(next));
            let features = peer_features(row);
            let level = usize::from(entity.kind != Kind::Account);
            if let Some(slot) = whole.get_mut(place) {
                *slot = members.get(level).map_or(0, Vec::len);
            }
            let alone =
                entity.kind == Kind::Account
                    && entity.accounts.first().and_then(|a| self.history.account_keys.get(*a as usize)).is_some_and(
                        |key| customer_size.get(&(key.provider.as_str(), key.customer.as_str())) == Some(&1),
                    );
            let [accounts, customers] = &mut members;
            match entity.kind {
                Kind::Account => {
                    accounts.push(Member { group, counts: features.iter().any(Option::is_some), features })
                }
                kind => customers.push(Member { group, counts: kind == Kind::Customer, features }),
            }
            if alone {
                // A customer of one account also stands for its customer; it comes after all others, unasked.
                customers.push(Member { group, counts: true, features });
            }
        }
        let [accounts, customers] = members.map(|members| compare(&members));
        for (place, (entity, row)) in self.entities.iter().zip(&mut self.rows).enumerate() {
            let from = if entity.kind == Kind::Account { &accounts } else { &customers };
            row.standing = whole.get(place).and_then(|at| from.get(*at)).copied().unwrap_or_default();
        }
        self.know(0, day);
    }

    /// What facts say of the entities from this place on.
    fn know(&mut self, from: usize, day: Day) {
        let calls: Vec<i64> = self
            .single
            .iter()
            .map(|single| {
                let row = single.and_then(|single| self.rows.get(single as usize));
                row.and_then(|row| row.workload.hourly.calls_per_hour_mean).unwrap_or(0)
            })
            .collect();
        for (entity, row) in self.entities.iter().zip(&mut self.rows).skip(from) {
            let calls = |account: u32| calls.get(account as usize).copied().unwrap_or(0);
            row.known = known(entity, &self.account_facts, day, calls);
        }
    }

    /// Gives the named relations their rows, as far as any signal reads them.
    fn fill(&self, names: &[&str]) {
        let read = |name: &str| self.queries.iter().flatten().any(|query| query.reads.iter().any(|own| own == name));
        for name in names.iter().filter(|name| read(name)) {
            let rows = self.rows.iter();
            let batches = match *name {
                "facts" => vec![batch(&self.schemas.facts, rows.map(|row| row.known.values()))],
                "peers" => vec![batch(&self.schemas.peers, rows.map(|row| row.standing.values()))],
                "links" => vec![batch(&self.schemas.links, self.entities.iter().map(|entity| entity.links.values()))],
                "hourly" => self.long(&self.schemas.hourly, true),
                "daily" => self.long(&self.schemas.daily, false),
                _ => vec![batch(&self.schemas.workload, rows.map(|row| row.workload.values()))],
            };
            self.relations.set(name, batches);
        }
    }

    /// The relations `hourly` and `daily`: one row per entity, measure and hour or day that has usage.
    fn long(&self, schema: &SchemaRef, hours: bool) -> Vec<RecordBatch> {
        let Some(day) = self.today else { return Vec::new() };
        let until = day.start();
        let mut readings = Readings::empty();
        let mut batches = Vec::new();
        for part in self.entities.chunks(512).zip((0..).step_by(512)) {
            let (mut entity, mut measure, mut time, mut quantity) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            for (one, number) in part.0.iter().zip(part.1..) {
                readings.clear();
                for state in one.accounts.iter().filter_map(|a| self.history.accounts.get(*a as usize)?.as_ref()) {
                    state.add_to(until, day, &mut readings);
                }
                for of in Measure::ALL {
                    let (cells, first): (&[i64], i32) = if hours {
                        (readings.hours(of), until.0 - crate::series::HOURS as i32)
                    } else {
                        (readings.days(of), day.0 - crate::series::DAYS as i32)
                    };
                    for (cell, at) in cells.iter().zip(i64::from(first)..).filter(|(cell, _)| **cell != 0) {
                        entity.push(number);
                        measure.push(of.name());
                        time.push(at);
                        quantity.push(workload::whole(of, *cell));
                    }
                }
            }
            let columns: Vec<ArrayRef> = vec![
                Arc::new(Int64Array::from(entity)),
                Arc::new(StringArray::from(measure)),
                Arc::new(Int64Array::from(time)),
                Arc::new(Int64Array::from(quantity)),
            ];
            batches.extend(RecordBatch::try_new(schema.clone(), columns));
        }
        batches
    }

    /// Runs the signals of one refresh; those of the other stay silent.
    fn read_signals(&self, refresh: Refresh) -> Result<Vec<Vec<Vec<Reading>>>, WatchError> {
        self.policies
            .iter()
            .zip(&self.queries)
            .map(|(policy, queries)| {
                let signals = policy.signals.iter().zip(queries);
                signals
                    .map(|(signal, query)| {
                        if signal.refresh != refresh {
                            return Ok(Vec::new());
                        }
                        self.read(signal, query).map_err(|source| WatchError::Signal {
                            policy: policy.id.clone(),
                            signal: signal.id.clone(),
                            source,
                        })
                    })
                    .collect()
            })
            .collect()
    }

    fn read(&self, signal: &Signal, query: &Query) -> Result<Vec<Reading>, SqlError> {
        let mut readings = vec![Reading::default(); self.rows.len()];
        for (entity, value, completeness) in self.relations.run(query)? {
            let (Some(row), Some(slot)) = (self.rows.get(entity as usize), readings.get_mut(entity as usize)) else {
                continue;
            };
            if !enough(signal.least, &row.workload) {
                continue;
            }
            let completeness = completeness.or(row.workload.hourly.completeness_permille).unwrap_or(0).clamp(0, 1_000);
            let evidence = signal.table.evidence(value, completeness);
            *slot = Reading { value: Some(value), completeness_permille: completeness, evidence };
        }
        Ok(readings)
    }

    fn evaluate(&self, at: Hour) -> Result<Vec<Evaluation>, WatchError> {
        let hourly = self.read_signals(Refresh::Hourly)?;
        let evaluations = self.policies.iter().zip(hourly).zip(&self.daily_readings).enumerate();
        let evaluations = evaluations.map(|(place, ((policy, hourly), daily))| {
            let signals = policy.signals.iter().zip(hourly).zip(daily);
            let readings: Vec<Vec<Reading>> = signals
                .map(|((signal, hourly), daily)| {
                    let mut readings = if signal.refresh == Refresh::Hourly { hourly } else { daily.clone() };
                    readings.resize(self.rows.len(), Reading::default());
                    readings
                })
                .collect();
            let scores = (0..self.rows.len()).map(|entity| self.score(policy, &readings, entity)).collect();
            Evaluation { at, policy: place, scores, readings }
        });
        Ok(evaluations.collect())
    }

    fn score(&self, policy: &Policy, readings: &[Vec<Reading>], entity: usize) -> Score {
        let evidence =
            |readings: &Vec<Reading>| readings.get(entity).map_or(Decibans::ZERO, |reading| reading.evidence);
        let mut parts = [(review::Family::Scale, Decibans::ZERO); 64];
        let mut count = 0;
        for (slot, (signal, readings)) in parts.iter_mut().zip(policy.signals.iter().zip(readings)) {
            *slot = (signal.family, evidence(readings));
            count += 1;
        }
        let families = Families::of(parts.get(..count).unwrap_or_default());
        let facts = self
            .rows
            .get(entity)
            .map_or(Decibans::ZERO, |row| facts_evidence(row.known.verified_calls_per_hour, volume(&row.workload)));
        Score { families, facts, total: total(policy.prior, facts, families.values()) }
    }
}

/// The calls an hour that a verified limit is held against.
pub fn volume(workload: &Workload) -> i64 {
    workload.hourly.calls_per_hour_p95.or(workload.hourly.calls_per_hour_mean).unwrap_or(0)
}

/// Whether there is the least data a signal speaks on.
fn enough(least: Least, workload: &Workload) -> bool {
    let hours = workload.hourly.hours_counted.unwrap_or(0);
    match least {
        Least::Hours6 => hours >= 6,
        Least::Hours72 => hours >= 72,
        Least::Days14 => workload.daily.days_elapsed.unwrap_or(0) >= 14 && hours >= 72,
    }
}

/// What links the accounts of a set: the group that is the set, or the largest group inside it.
fn links_within(linked: &mut [Group], accounts: &[u32]) -> Links {
    let inside = linked.iter().filter(|group| group.accounts.iter().all(|a| accounts.binary_search(a).is_ok()));
    inside
        .max_by_key(|group| (group.accounts.len(), group.accounts.first().copied()))
        .map(|g| g.links.clone())
        .unwrap_or_default()
}

fn peer_features(row: &Row) -> [Option<i64>; crate::peers::FEATURES] {
    use crate::numbers::{clamp, log2_milli};
    let total = |measure: Measure| row.workload.totals.get(measure.index()).copied().unwrap_or(0);
    if row.workload.hourly.hours_counted.unwrap_or(0) < 72 {
        return [None; crate::peers::FEATURES];
    }
    let (writes, bytes) = (total(Measure::ObjectsWritten), total(Measure::BytesIn));
    let ratio = |a: i64, b: i64| (b > 0).then(|| log2_milli(1 + clamp(i128::from(a) * 1_000 / i128::from(b))));
    [
        row.workload.daily.calls_per_day.map(|calls| log2_milli(1 + calls)),
        Some(log2_milli(1 + bytes / 1_000_000)),
        ratio(total(Measure::ObjectsRead), writes),
        row.workload.hourly.stored_bytes.and_then(|stored| ratio(stored, row.workload.daily.ingress_bytes_per_day?)),
    ]
}
