//! What the provider's meters say of a customer's accounts, and what a decision does to it: the preview that those who
//! decide are shown before, and the comparison that shows afterwards that nothing else was touched.
//!
//! Quantities come in, by account, service, operation and region; it reads no usage and knows no content. What a gate
//! would refuse is said by the gate's own table ([`gate::Operation`]), so that a preview cannot promise something else.

use crate::words::{AccountId, CustomerId, Digest, Moment, OperationId, RegionId, ServiceId, Switch, Target};
use gate::{Operation, Switches};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A preview shows usage until lately: not older than this many days, when people approve and when it takes effect.
pub const PREVIEW_DAYS: i64 = 7;

/// Operations that no request gate ends: what runs already, traffic inside, what is stored, what people do.
const UNREACHED: [&str; 5] =
    ["compute.vcpu", "compute.gpu", "network.private-link", "storage.capacity", "services.hours"];

/// The unit in which an operation is metered (contract §1); none for what the reference provider has no meter of.
pub fn unit(operation: &OperationId) -> Option<&'static str> {
    let unit = match operation.as_str() {
        "storage.write" | "storage.read" | "storage.delete" => "objects",
        "storage.ingress" | "storage.egress" | "storage.export" => "bytes",
        "network.private-link" | "cdn.egress" | "logs.ingest" => "bytes",
        "storage.capacity" => "byte-hours",
        "speech.transcription" => "seconds",
        "speech.speaker-id" | "vision.face-id" | "messaging.requests" | "database.requests" | "iot.messages" => {
            "requests"
        }
        "language.translation" => "characters",
        "language.tokens" | "language.embedding" => "tokens",
        "vision.images" => "images",
        "search.documents" => "documents",
        "compute.vcpu" | "compute.gpu" | "services.hours" => "hours",
        "telephony.minutes" => "minutes",
        _ => return None,
    };
    Some(unit)
}

/// What was metered of some accounts over whole days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metered {
    /// From the start of this day.
    pub from: Moment,
    /// To the start of this one.
    pub to: Moment,
    /// `records.digest` (contract §3) of the usage it rests on.
    pub records: Digest,
    /// The accounts that were looked at, and whose they are by the provider's books: those of the workload, and every
    /// other of their customers.
    pub accounts: BTreeMap<AccountId, CustomerId>,
    /// What they used; sorted, each line once.
    pub lines: Vec<Line>,
}

/// One kind of use.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Line {
    /// Of which account.
    pub account: AccountId,
    /// Of which service.
    pub service: ServiceId,
    /// Which operation.
    pub operation: OperationId,
    /// Where; none where the meter names no region.
    pub region: Option<RegionId>,
    /// How much, in whole units of the meter (requests, seconds, bytes, …).
    pub quantity: i64,
    /// On how many of the days.
    pub days: u16,
    /// The busiest hour, likewise; none where the meter tells days alone.
    pub hour_max: Option<i64>,
}

/// What becomes of a kind of use under a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// A gate refuses it.
    Stops,
    /// A gate refuses it once the export window is over.
    StopsLater,
    /// It is aimed at, and no request gate ends it.
    Beyond,
    /// It goes on.
    GoesOn,
}

impl Fate {
    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Stops => "stops",
            Self::StopsLater => "stops after the export window",
            Self::Beyond => "is not reached by a gate",
            Self::GoesOn => "goes on",
        }
    }
}

/// How many kinds of use have which fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// Stop, at once or after the export window.
    pub stops: usize,
    /// Are aimed at and not reached.
    pub beyond: usize,
    /// Go on.
    pub goes_on: usize,
}

/// What the days after show, of the kinds of use that were there on most days before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compared {
    /// Were to stop, and are at zero.
    pub stopped: usize,
    /// Were to stop, and are not at zero.
    pub still: usize,
    /// Were to go on, and are there as before: at least at half of what they were a day.
    pub as_before: usize,
    /// Were to go on, and are at less than half: a gate may hinder them, or their customer left.
    pub less: usize,
}

impl Compared {
    /// And what another shows.
    pub const fn add(&mut self, other: &Self) {
        self.stopped += other.stopped;
        self.still += other.still;
        self.as_before += other.as_before;
        self.less += other.less;
    }
}

impl Metered {
    /// What is wrong with its form; none if nothing is.
    pub fn fault(&self) -> Option<&'static str> {
        let whole = |at: Moment| at.0.rem_euclid(86_400) == 0;
        if !(whole(self.from) && whole(self.to) && self.from < self.to) {
            return Some("it is of whole days, at least one");
        }
        if !self.lines.is_sorted_by(|a, b| a.key() < b.key()) {
            return Some("its lines are sorted, and each stands once");
        }
        let known = self.lines.iter().all(|line| self.accounts.contains_key(&line.account));
        (!known).then_some("every line is of an account that was looked at")
    }

    /// How many days.
    pub fn days(&self) -> i64 {
        (self.to.0 - self.from.0) / 86_400
    }

    /// Each line with what becomes of it under these targets; `window` says that reading goes on for a while.
    pub fn under<'a>(&'a self, targets: &'a [Target], window: bool) -> impl Iterator<Item = (&'a Line, Fate)> {
        self.lines.iter().map(move |line| (line, line.fate(targets, window)))
    }

    /// How many kinds of use have which fate.
    pub fn forecast(&self, targets: &[Target]) -> Forecast {
        let mut forecast = Forecast::default();
        for (_, fate) in self.under(targets, false) {
            match fate {
                Fate::Stops | Fate::StopsLater => forecast.stops += 1,
                Fate::Beyond => forecast.beyond += 1,
                Fate::GoesOn => forecast.goes_on += 1,
            }
        }
        forecast
    }

    /// Targets that nothing was used of: they restrict what may come, and stop nothing.
    pub fn idle<'a>(&'a self, targets: &'a [Target]) -> impl Iterator<Item = &'a Target> {
        let met = |line: &Line| Operation::named(line.operation.as_str()).switches().is_some();
        let aimed = move |target: &Target| self.lines.iter().any(|line| met(line) && line.is_aimed_at(target));
        targets.iter().filter(move |target| !aimed(target))
    }

    /// What the days after show of what was there on most days before. Reading that only stops later is left out.
    pub fn compare(&self, after: &Self, targets: &[Target], window: bool) -> Compared {
        let later: BTreeMap<_, i64> = after.lines.iter().map(|line| (line.key(), line.quantity)).collect();
        let mut compared = Compared::default();
        for (line, fate) in self.under(targets, window) {
            if i64::from(line.days) * 2 < self.days() || line.quantity <= 0 {
                continue;
            }
            let now = later.get(&line.key()).copied().unwrap_or_default();
            // A half of what it was a day, without division: quantities of exabytes still fit.
            let half = i128::from(line.quantity) * i128::from(after.days());
            let as_before = i128::from(now) * 2 * i128::from(self.days()) >= half;
            match fate {
                Fate::Stops if now <= 0 => compared.stopped += 1,
                Fate::Stops => compared.still += 1,
                Fate::GoesOn if as_before => compared.as_before += 1,
                Fate::GoesOn => compared.less += 1,
                Fate::StopsLater | Fate::Beyond => {}
            }
        }
        compared
    }

    /// As people read it, and as its digest is shown to those who approve: what stops, what is not reached, what goes on.
    pub fn text(&self, targets: &[Target], window: bool) -> String {
        let Forecast { stops, beyond, goes_on } = self.forecast(targets);
        let (accounts, from, to) = (self.accounts.len(), self.from.day(), Moment(self.to.0 - 1).day());
        let mut text = format!(
            "preview by the usage of {accounts} accounts, {from} to {to}, records {}\n\
             {stops} kinds of use stop, {beyond} are not reached by a gate, {goes_on} go on\n",
            self.records
        );
        let mut lines: Vec<_> = self.under(targets, window).collect();
        lines.sort_by(|(a, fate_a), (b, fate_b)| (fate_a, a.key()).cmp(&(fate_b, b.key())));
        for (line, fate) in lines {
            let Line { account, service, operation, quantity, days, .. } = line;
            let unit = unit(operation).map(|unit| format!(" {unit}")).unwrap_or_default();
            let region = line.region.as_ref().map_or("no region", RegionId::as_str);
            // Writing to a text cannot fail.
            let _ = writeln!(
                text,
                "{}: {account} {service} {operation} {region}: {quantity}{unit} on {days} of {} days",
                fate.words(),
                self.days()
            );
        }
        for target in self.idle(targets) {
            let _ = writeln!(text, "nothing used of: {}", crate::seal::line(target));
        }
        text
    }
}

impl Line {
    /// What tells it from others.
    pub fn key(&self) -> (&AccountId, &ServiceId, &OperationId, Option<&RegionId>) {
        (&self.account, &self.service, &self.operation, self.region.as_ref())
    }

    /// Whether a target is about it: the same account, service and place, and everything off that it needs.
    fn is_aimed_at(&self, target: &Target) -> bool {
        let place = target.region.is_none() || target.region == self.region;
        let off: Switches = target.switches.iter().map(|switch| of_gate(*switch)).collect();
        let needed = Operation::named(self.operation.as_str()).switches().unwrap_or_default();
        place && target.account == self.account && target.service == self.service && off.covers(needed)
    }

    fn fate(&self, targets: &[Target], window: bool) -> Fate {
        if !targets.iter().any(|target| self.is_aimed_at(target)) {
            return Fate::GoesOn;
        }
        let needed = Operation::named(self.operation.as_str()).switches();
        match needed {
            _ if UNREACHED.contains(&self.operation.as_str()) => Fate::Beyond,
            None => Fate::Beyond,
            Some(needed) if window && needed.meets(READS) => Fate::StopsLater,
            Some(_) => Fate::Stops,
        }
    }
}

const READS: Switches = Switches::NONE.with(gate::Switch::Read).with(gate::Switch::Export);

fn of_gate(switch: Switch) -> gate::Switch {
    match switch {
        Switch::Write => gate::Switch::Write,
        Switch::Read => gate::Switch::Read,
        Switch::Delete => gate::Switch::Delete,
        Switch::Export => gate::Switch::Export,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::{START, name, target, text};

    fn line(account: &str, service: &str, operation: &str, region: Option<&str>, quantity: i64, days: u16) -> Line {
        Line {
            account: name(account),
            service: name(service),
            operation: name(operation),
            region: region.map(name),
            quantity,
            days,
            hour_max: None,
        }
    }

    fn metered(mut lines: Vec<Line>, from: i64, days: i64) -> Metered {
        lines.sort();
        let accounts = ["a1", "a2"].map(|account| (name(account), name("acme"))).into();
        let from = START.plus_days(from);
        Metered { from, to: from.plus_days(days), records: text("records"), accounts, lines }
    }

    fn storage(quantity: i64) -> Vec<Line> {
        vec![
            line("a1", "object-storage", "storage.write", Some("north"), quantity, 14),
            line("a1", "object-storage", "storage.write", Some("south"), 700, 14),
            line("a1", "object-storage", "storage.read", Some("north"), 140, 14),
            line("a1", "object-storage", "storage.capacity", Some("north"), 9_000, 14),
            line("a2", "object-storage", "storage.write", Some("north"), 1_400, 14),
            line("a2", "speech", "speech.transcription", None, 5, 1),
        ]
    }

    #[test]
    fn what_stops_is_what_a_gate_refuses_and_the_rest_goes_on() {
        let before = metered(storage(2_800), -14, 14);
        assert_eq!(before.fault(), None);
        let one = Target { region: Some(name("north")), ..target("a1", "object-storage", &[Switch::Write]) };
        let idle = target("a2", "database", &[Switch::Write, Switch::Read]);
        let targets = [one, idle.clone()];
        let fates = |window: bool| before.under(&targets, window).map(|(_, fate)| fate).collect::<Vec<_>>();
        let goes_on = Fate::GoesOn;
        assert_eq!(fates(true), [Fate::Beyond, goes_on, Fate::Stops, goes_on, goes_on, goes_on]);
        assert_eq!(before.idle(&targets).collect::<Vec<_>>(), [&idle]);
        let both = [target("a1", "object-storage", &[Switch::Read, Switch::Write])];
        let later = before.under(&both, true).map(|(_, fate)| fate).collect::<Vec<_>>();
        assert_eq!(later, [Fate::Beyond, Fate::StopsLater, Fate::Stops, Fate::Stops, goes_on, goes_on]);
        assert_eq!(before.forecast(&both), Forecast { stops: 3, beyond: 1, goes_on: 2 });
        let said = before.text(&targets, true);
        assert!(said.contains("1 kinds of use stop, 1 are not reached by a gate, 4 go on"), "{said}");
        assert!(said.contains("stops: a1 object-storage storage.write north: 2800 objects on 14 of 14 days"), "{said}");
        assert!(said.contains("nothing used of: "), "{said}");
    }

    #[test]
    fn afterwards_what_was_to_stop_is_at_zero_and_what_was_to_go_on_is_there() {
        let before = metered(storage(2_800), -14, 14);
        let targets = [target("a1", "object-storage", &[Switch::Write])];
        // A week later: nothing written by a1, reading as before, a2 at less than a half.
        let after = vec![
            line("a1", "object-storage", "storage.read", Some("north"), 70, 7),
            line("a2", "object-storage", "storage.write", Some("north"), 349, 7),
        ];
        let compared = before.compare(&metered(after, 1, 7), &targets, true);
        assert_eq!(compared, Compared { stopped: 2, still: 0, as_before: 1, less: 1 });
        let compared = before.compare(&metered(storage(1), 1, 14), &targets, true);
        assert_eq!(compared, Compared { stopped: 0, still: 2, as_before: 2, less: 0 });
    }

    #[test]
    fn what_is_of_another_form_is_named() {
        let before = metered(storage(1), -14, 14);
        let mut twice = before.clone();
        twice.lines.push(twice.lines[5].clone());
        let mut of_nobody = before.clone();
        of_nobody.accounts.remove(&name::<AccountId>("a2"));
        let part = Metered { to: before.to.plus_hours(1), ..before.clone() };
        let none = Metered { to: before.from, ..before.clone() };
        for wrong in [twice, of_nobody, part, none] {
            assert!(wrong.fault().is_some(), "{wrong:?}");
        }
    }
}
