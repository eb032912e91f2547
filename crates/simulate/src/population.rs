//! Who is there: customers, their accounts, what each does, what the provider knows of it, and the truth.
//!
//! Countries, sectors and names are drawn blindly. It is not what an account's meters show (`readings`).

use std::collections::BTreeSet;
use std::ops::Range;

use crate::draw::{Draw, key};
use crate::facts::{Claim, Known, State, facts};
use crate::scenario::{Evasion, Kind, Order, Scenario};
use crate::workload::{Builder, Level, Workload};
use crate::world::{COUNTRIES, REGIONS};
use crate::{forbidden, kinds};

/// An account of the provider.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// FOCUS SubAccountId.
    pub(crate) id: String,
    /// FOCUS BillingAccountId.
    pub(crate) customer: String,
    /// Its workload's place among [`Population::workloads`].
    pub(crate) workload: usize,
    /// The part of the workload that it carries.
    pub(crate) share: f64,
    /// The region it uses, and the one it moves to if its workload moves.
    pub(crate) regions: [u8; 2],
    /// The key of its own noise.
    pub(crate) key: u64,
    /// What the provider knows of it, oldest first.
    pub(crate) known: Vec<Known>,
}

/// Everybody.
pub(crate) struct Population {
    /// Sorted by id.
    pub(crate) accounts: Vec<Account>,
    pub(crate) workloads: Vec<Workload>,
    pub(crate) customers: usize,
    /// How many workloads are forbidden.
    pub(crate) forbidden: usize,
}

/// What accounts of the same forbidden workload have in common beside moving together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// One unit of one customer.
    Unit,
    /// Several customers, one payer.
    Payer,
    /// Several customers, created within a month.
    Creation,
    /// Nothing.
    Motion,
}

/// A forbidden workload before it has accounts.
struct Plot {
    calls_per_hour: f64,
    accounts: u32,
    start: i32,
    evasions: Vec<Evasion>,
    order: Option<Order>,
}

/// A customer being drawn.
#[derive(Clone)]
struct Customer {
    id: String,
    payer: String,
    country: u8,
    sector: &'static str,
    isolated: bool,
    dedicated_link: bool,
}

/// Draws the population, account by account.
struct Census<'a> {
    draw: Draw,
    seed: u64,
    period: Range<i32>,
    scenario: &'a Scenario,
    ids: BTreeSet<u64>,
    resellers: Vec<String>,
    all: Population,
}

/// Draws everybody: `accounts` accounts in all, over the days of `period` (counted from 1970).
pub(crate) fn populate(accounts: u32, seed: u64, period: Range<i32>, scenario: &Scenario) -> Population {
    let all = Population { accounts: Vec::new(), workloads: Vec::new(), customers: 0, forbidden: 0 };
    let draw = Draw::of(key(seed, 0x0E0_91E));
    let mut census = Census { draw, seed, period, scenario, ids: BTreeSet::new(), resellers: Vec::new(), all };
    census.resellers = (0..accounts.div_ceil(600)).map(|_| census.token("P")).collect();
    census.fill(accounts);
    census.all.accounts.sort_by(|a, b| a.id.cmp(&b.id));
    census.all
}

impl Census<'_> {
    fn fill(&mut self, accounts: u32) {
        let orders = &self.scenario.workloads;
        let ordered: u32 = orders.iter().map(Order::account_count).sum();
        for order in orders {
            self.order(order);
        }
        let room = accounts.saturating_sub(ordered);
        let plots = self.plots(room);
        let plotted: u32 = plots.iter().map(|plot| plot.accounts).sum();
        let mut sizes = self.sizes(room - plotted);
        // Some of these customers turn out to host a forbidden workload, and are no lawful customers then.
        let lawful = sizes.len().saturating_sub(plots.len());
        let lookalikes = (self.scenario.population.lookalikes * lawful as f64) as usize;
        let mut kinds = self.kinds(lookalikes);
        // The vendor of contact centres needs many accounts, and so comes first to the larger customers.
        kinds.sort_by_key(|kind| *kind != Kind::ContactCentreVendor);
        let vendors = kinds.iter().filter(|kind| **kind == Kind::ContactCentreVendor).count();
        sizes.sort_by_key(|size| !(8..=80).contains(size));
        if let Some((_, rest)) = sizes.split_at_mut_checked(vendors) {
            shuffle(rest, &mut self.draw);
        }
        let mut plots = plots.into_iter();
        for (index, size) in sizes.into_iter().enumerate() {
            match kinds.get(index) {
                Some(kind) => self.lawful(*kind, size, None),
                // Most forbidden workloads belong to a customer whose other accounts do ordinary things.
                None if self.draw.chance(0.25) && size <= 60 => {
                    if let Some(plot) = plots.next() {
                        self.plot(plot, Some(size));
                    } else {
                        self.lawful(Kind::Web, size, None);
                    }
                }
                None => self.lawful(Kind::Web, size, None),
            }
        }
        for plot in plots {
            self.plot(plot, None);
        }
    }

    /// Customers of 1 to 400 accounts, Pareto with α = 1.1, until all accounts are given out.
    fn sizes(&mut self, mut accounts: u32) -> Vec<u32> {
        let mut sizes = Vec::new();
        while accounts > 0 {
            let size = 1.0 / libm::pow(1.0 - self.draw.unit(), 1.0 / 1.1);
            let size = (size as u32).clamp(1, 400).min(accounts);
            sizes.push(size);
            accounts -= size;
        }
        sizes
    }

    /// As many kinds as there are customers to give one to, each as often as the others.
    fn kinds(&mut self, count: usize) -> Vec<Kind> {
        let mut lookalikes: Vec<Kind> =
            Kind::ALL.iter().copied().filter(|kind| !matches!(kind, Kind::MassSurveillance | Kind::Web)).collect();
        shuffle(&mut lookalikes, &mut self.draw);
        lookalikes.into_iter().cycle().take(count).collect()
    }

    /// The forbidden workloads that are drawn: half hide nothing, every scale that is measured is there, and two in
    /// five were there before the first day.
    fn plots(&mut self, room: u32) -> Vec<Plot> {
        let customers = f64::from(room) / 4.4;
        let usual = (0.012 * customers).max(24.0).min(customers / 5.0) as u32;
        let count = self.scenario.population.forbidden.unwrap_or(usual).min(room / 2);
        let split_limit = (room / 10).clamp(2, 200);
        let mut budget = room / 4;
        let mut hiding = 0;
        let mut plots = Vec::new();
        for index in 0..count {
            let (calls, hidden) = match index % 12 {
                0 => (Some(1e6), 0),
                1 => (Some(250_000.0), 0),
                2 => (Some(50_000.0), 0),
                3 => (Some(5_000.0), 0),
                4 => (Some(250_000.0), 1),
                5 => (Some(250_000.0), 2),
                6 => (Some(250_000.0), 3),
                rest => (None, [0, 1, 2, 3].get(rest as usize - 7).copied().unwrap_or(0)),
            };
            let calls_per_hour = calls.unwrap_or_else(|| self.draw.log_range(5_000.0, 1e6).round());
            let evasions = self.evasions(hidden, hiding);
            hiding += usize::from(hidden > 0);
            let spare = budget.saturating_sub(count - index);
            let accounts = if evasions.contains(&Evasion::Split) {
                self.draw.log_whole(2, split_limit.min(spare.max(2)))
            } else {
                1
            };
            budget = budget.saturating_sub(accounts);
            let start = self.start((index + index / 12) % 5 < 2);
            plots.push(Plot { calls_per_hour, accounts, start, evasions, order: None });
        }
        while plots.iter().map(|plot| plot.accounts).sum::<u32>() > room && plots.pop().is_some() {}
        plots
    }

    /// This many ways of hiding (3 stands for three or more); the first goes round, so that each is there.
    fn evasions(&mut self, count: usize, turn: usize) -> Vec<Evasion> {
        let count = if count == 3 { self.draw.whole(3, 5) as usize } else { count };
        let mut rest = Evasion::ALL.to_vec();
        rest.rotate_left(turn % Evasion::ALL.len());
        if let Some((_, others)) = rest.split_first_mut() {
            shuffle(others, &mut self.draw);
        }
        rest.truncate(count);
        rest.sort_unstable();
        rest
    }

    /// The day a forbidden workload starts: before the period, or early enough in it to be seen for a while.
    fn start(&mut self, before: bool) -> i32 {
        let length = self.period.end - self.period.start;
        if before {
            return self.period.start - self.draw.log_whole(20, 400) as i32;
        }
        let (early, late) = (5.min(length / 4), 20.min(length * 6 / 10).min((length - 10).max(length / 4)));
        self.period.start + self.draw.whole(early, late.max(early))
    }

    fn order(&mut self, order: &Order) {
        let accounts = order.account_count();
        if order.kind != Kind::MassSurveillance {
            return self.lawful(order.kind, accounts, Some(order));
        }
        let drawn = self.draw.log_range(5_000.0, 1e6).round();
        let drawn_start = self.start(false);
        let start = order.start_day.map_or(drawn_start, |day| self.period.start + day);
        let evasions = order.evasions.clone().unwrap_or_default();
        let calls_per_hour = order.calls_per_hour.unwrap_or(drawn);
        self.plot(Plot { calls_per_hour, accounts, start, evasions, order: Some(order.clone()) }, None);
    }

    /// A forbidden workload; its first customer may have other accounts, which do ordinary things.
    fn plot(&mut self, plot: Plot, others: Option<u32>) {
        let mut customer = self.customer();
        customer.sector = self.draw.pick([
            "government",
            "government",
            "government",
            "defence",
            "defence",
            "technology",
            "telecom",
            "",
        ]);
        customer.isolated = self.draw.chance(0.6);
        customer.dedicated_link = self.draw.chance(0.6);
        let listened = self.draw.whole(0, COUNTRIES.len() as i32 - 1) as u8;
        let mut builder = Builder::new(Kind::MassSurveillance, self.period.clone(), listened, &mut self.draw);
        builder.work.dedicated_link = customer.dedicated_link;
        forbidden::fill(&mut builder, plot.calls_per_hour, plot.start, &plot.evasions);
        let work = builder.finish();
        let workload = self.all.workloads.len();
        let link = self.draw.pick([Link::Unit, Link::Unit, Link::Payer, Link::Creation, Link::Motion]);
        let created = self.before(plot.start, 2, 120);
        let region = self.region(&customer, 0.85);
        let claim = Claim::forbidden(&mut self.draw, plot.order.as_ref());
        let mut unit = self.token("u");
        let each = self.draw.whole(1, 6) as u32;
        let mut shell = customer.clone();
        for (index, share) in shares(plot.accounts, &mut self.draw).into_iter().enumerate() {
            if index > 0 && link != Link::Unit && (index as u32).is_multiple_of(each) {
                shell = Customer { payer: shell.payer.clone(), ..self.customer() };
                shell.sector = self.draw.pick(["", "technology", "government", "retail"]);
                if link != Link::Payer {
                    shell.payer = self.token("P");
                }
                unit = self.token("u");
            }
            let created = match link {
                Link::Motion => self.before(plot.start, 2, 900),
                _ => created.min(plot.start) - self.draw.whole(0, 25),
            };
            let state = self.state(&shell, &unit, created, &claim);
            self.account(&shell, workload, share, region, state);
        }
        self.all.workloads.push(work);
        self.all.forbidden += 1;
        if let Some(others) = others {
            self.ordinary(&customer, others);
        }
    }

    /// A lawful customer: some of its accounts share the workload it is there for, the others do ordinary things.
    fn lawful(&mut self, kind: Kind, size: u32, order: Option<&Order>) {
        let mut customer = self.customer();
        if kind == Kind::Web && order.is_none() {
            return self.ordinary(&customer, size);
        }
        customer.sector = Claim::sector(kind, &mut self.draw);
        let closed = if matches!(kind, Kind::EmergencyCalls | Kind::FinancialRecording) { 0.5 } else { 0.12 };
        customer.isolated = self.draw.chance(closed);
        customer.dedicated_link = self.draw.chance(closed);
        let main = match (order, kind) {
            (Some(_), _) => size,
            (None, Kind::ContactCentreVendor) => size.min(80),
            _ => size.min(self.draw.log_whole(1, 4)),
        };
        let (created, start) = self.history(order);
        let work = self.work(kind, &customer, start, order);
        let busy = work.rhythms.first().map_or(1.0, |rhythm| rhythm.busy_hour());
        let claim = Claim::lawful(kind, work.calls_per_hour, busy, &self.period, &mut self.draw, order);
        let workload = self.all.workloads.len();
        self.all.workloads.push(work);
        let (unit, home) =
            (self.token("u"), self.region(&customer, if kind == Kind::EmergencyCalls { 0.0 } else { 0.08 }));
        for share in shares(main, &mut self.draw) {
            let region = if kind == Kind::ContactCentreVendor { self.region(&customer, 0.5) } else { home };
            let created = created - self.draw.whole(0, 60);
            let state = self.state(&customer, &unit, created, &claim);
            self.account(&customer, workload, share, region, state);
        }
        self.ordinary(&customer, size - main);
    }

    /// When the customer came and when its workload started, in days from 1970.
    fn history(&mut self, order: Option<&Order>) -> (i32, i32) {
        let length = self.period.end - self.period.start;
        let start = match order.and_then(|order| order.start_day) {
            Some(day) => self.period.start + day,
            None if self.draw.chance(0.06) => self.period.start + self.draw.whole(length / 8, length / 2),
            None => self.period.start - self.draw.log_whole(200, 3_500) as i32,
        };
        (self.before(start, 5, 200), start)
    }

    fn work(&mut self, kind: Kind, customer: &Customer, start: i32, order: Option<&Order>) -> Workload {
        let mut builder = Builder::new(kind, self.period.clone(), customer.country, &mut self.draw);
        builder.work.dedicated_link = customer.dedicated_link;
        let growth =
            if builder.draw.chance(0.04) { builder.draw.range(0.01, 0.03) } else { 2e-4 * builder.draw.normal() };
        builder.work.level = Level::with_mean_one(start..i32::MAX, growth, &self.period);
        kinds::fill(&mut builder);
        if let Some(calls) = order.and_then(|order| order.calls_per_hour) {
            builder.scale_to(calls);
        }
        builder.finish()
    }

    /// Accounts that do what most accounts do: each its own thing, in the rhythm of its customer.
    fn ordinary(&mut self, customer: &Customer, count: u32) {
        let shared = self.draw.bits();
        let units: Vec<String> = (0..count.div_ceil(8).min(12)).map(|_| self.token("u")).collect();
        for index in 0..count {
            let (created, start) = self.history(None);
            let mut work = self.work(Kind::Web, customer, start, None);
            work.key = shared;
            let claim = Claim::lawful(Kind::Web, 0.0, 1.0, &self.period, &mut self.draw, None);
            let unit = units.get(index as usize % units.len().max(1)).cloned().unwrap_or_default();
            let region = self.region(customer, 0.08);
            let state = self.state(customer, &unit, created, &claim);
            self.account(customer, self.all.workloads.len(), 1.0, region, state);
            self.all.workloads.push(work);
        }
    }

    fn customer(&mut self) -> Customer {
        self.all.customers += 1;
        let reseller = self.draw.whole(0, self.resellers.len().max(1) as i32 - 1) as usize;
        let sold = self.draw.chance(0.1);
        let payer = self.resellers.get(reseller).filter(|_| sold).cloned().unwrap_or_else(|| self.token("P"));
        let sector = Claim::sector(Kind::Web, &mut self.draw);
        let closed = if matches!(sector, "government" | "defence") { 0.4 } else { 0.05 };
        Customer {
            id: self.token("C"),
            payer,
            country: self.draw.whole(0, COUNTRIES.len() as i32 - 1) as u8,
            sector,
            isolated: self.draw.chance(closed),
            dedicated_link: self.draw.chance(closed),
        }
    }

    fn account(&mut self, customer: &Customer, workload: usize, share: f64, region: u8, state: State) {
        let id = format!("{:012}", self.fresh(1_000_000_000_000));
        let moved = (region + self.draw.whole(1, REGIONS.len() as i32 - 1) as u8) % REGIONS.len() as u8;
        let mut known = facts(state, &self.period, &mut self.draw);
        known.iter_mut().for_each(|row| row.account.clone_from(&id));
        let key = key(self.seed, self.draw.bits());
        let customer = customer.id.clone();
        self.all.accounts.push(Account { id, customer, workload, share, regions: [region, moved], key, known });
    }

    fn state(&mut self, customer: &Customer, unit: &str, created: i32, claim: &Claim) -> State {
        let home = COUNTRIES.get(usize::from(customer.country));
        State {
            unit: unit.to_owned(),
            customer: customer.id.clone(),
            payer: customer.payer.clone(),
            created,
            sector: customer.sector.to_owned(),
            country: home.map_or("", |country| country.code),
            home_region: home.map_or(0, |country| country.home),
            isolated: customer.isolated,
            dedicated_link: customer.dedicated_link,
            claim: claim.clone(),
        }
    }

    /// The customer's home region, or with this chance another one.
    fn region(&mut self, customer: &Customer, abroad: f64) -> u8 {
        let home = COUNTRIES.get(usize::from(customer.country)).map_or(0, |country| country.home);
        let away = self.draw.whole(1, REGIONS.len() as i32 - 1) as u8;
        if self.draw.chance(abroad) { (home + away) % REGIONS.len() as u8 } else { home }
    }

    /// A day some days before another.
    fn before(&mut self, day: i32, least: u32, most: u32) -> i32 {
        day - self.draw.log_whole(least, most) as i32
    }

    /// A name that says nothing.
    fn token(&mut self, kind: &str) -> String {
        format!("{kind}-{:08x}", self.fresh(1 << 32))
    }

    /// A number below `limit` that was not given out before.
    fn fresh(&mut self, limit: u64) -> u64 {
        loop {
            let number = self.draw.bits() % limit;
            if self.ids.insert(number) {
                return number;
            }
        }
    }
}

/// Parts of a whole for this many accounts; they add up to 1 and are within a factor of a few.
fn shares(count: u32, draw: &mut Draw) -> Vec<f64> {
    let parts: Vec<f64> = (0..count).map(|_| draw.factor(0.5)).collect();
    let sum: f64 = parts.iter().sum();
    parts.into_iter().map(|part| part / sum).collect()
}

fn shuffle<T>(items: &mut [T], draw: &mut Draw) {
    for index in (1..items.len()).rev() {
        items.swap(index, draw.whole(0, index as i32) as usize);
    }
}
