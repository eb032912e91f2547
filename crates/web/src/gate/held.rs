//! What a gate holds and counts, and the one question all interfaces ask.
//!
//! The gate is swapped whole; who asks while that happens is answered by the one or by the other. Names that others
//! choose are counted by name up to a bound, and together beyond it.

use super::ceiling::TooWide;
use super::glass::Glass;
use super::guard::Token;
use super::operations::{self, Operations};
use super::refusal::Refusal;
use super::report::{ByRestriction, Refusals, Report};
use gate::{Gate, Operation, Request, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Notify;

/// What time it is, in seconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What stands in an account's place where nobody can know it: a request without a key, or with one that is nobody's. It
/// passes, and is counted. What could be two accounts' is not this, and is refused where it is seen.
pub const ACCOUNT_UNKNOWN: &str = "?";

/// How many different names a counter tells apart.
pub(super) const NAMES_MAX: usize = 100;

/// How many characters of such a name are kept.
const NAME_CHARS_MAX: usize = 80;

/// What those who run a gate say of it.
#[derive(Clone)]
pub struct Settings {
    /// The gate's own region: what is asked without one happens there.
    pub region: Option<String>,
    /// What else than the gate's own region there is; a region that is not among these is counted by name. None: any is
    /// taken for known.
    pub regions: BTreeSet<String>,
    /// What AuthZEN's types are called here.
    pub types: Types,
    /// The addresses it is asked under, as `https://gate.example`.
    pub addresses: Vec<String>,
    /// Who else than this machine may ask; none: nobody.
    pub token: Option<Token>,
    /// Whose account a namespace of Kubernetes is.
    pub namespaces: BTreeMap<String, String>,
    /// How long the body of a request may take.
    pub patience: Duration,
    /// What time it is.
    pub clock: Clock,
}

/// What AuthZEN's subject and resource are called, so that a `user` of an account's name is not taken for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Types {
    /// An account: `account`.
    pub subject: String,
    /// A service: `service`.
    pub resource: String,
}

impl Default for Types {
    fn default() -> Self {
        Self { subject: "account".to_owned(), resource: "service".to_owned() }
    }
}

impl Settings {
    /// A gate that only this machine may ask.
    pub fn new(clock: Clock) -> Self {
        Self {
            region: None,
            regions: BTreeSet::new(),
            types: Types::default(),
            addresses: Vec::new(),
            token: None,
            namespaces: BTreeMap::new(),
            patience: Duration::from_secs(10),
            clock,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("region", &self.region)
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

/// Who asks, for the counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interface {
    Authzen,
    Forward,
    Envoy,
    Admission,
    /// Once more, for what to tell the customer.
    Refusal,
}

impl Interface {
    pub(super) const ALL: [(Self, &str); 5] = [
        (Self::Authzen, "authzen"),
        (Self::Forward, "forward"),
        (Self::Envoy, "envoy"),
        (Self::Admission, "admission"),
        (Self::Refusal, "refusal"),
    ];
}

/// How a question ended, for the counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Allowed,
    WouldRefuse,
    Refused,
    Malformed,
    NotReady,
    /// Refused, had nobody broken the glass.
    BrokenGlass,
}

impl Ended {
    pub(super) const ALL: [(Self, &str); 6] = [
        (Self::Allowed, "allow"),
        (Self::WouldRefuse, "would_refuse"),
        (Self::Refused, "refuse"),
        (Self::Malformed, "malformed"),
        (Self::NotReady, "not_ready"),
        (Self::BrokenGlass, "broken_glass"),
    ];
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask<'a> {
    /// Empty or [`ACCOUNT_UNKNOWN`] where it is not known.
    pub(super) account: &'a str,
    pub(super) service: &'a str,
    pub(super) operation: &'a str,
    /// None or empty where it is not known.
    pub(super) region: Option<&'a str>,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    Allowed,
    Refused(Box<Refusal>),
    /// No verified snapshot is held.
    NotReady,
}

/// What a gate holds and counts.
#[derive(Debug)]
pub struct Held {
    settings: Settings,
    operations: Operations,
    gate: RwLock<Option<Arc<Gate>>>,
    /// What was not taken since it restricts too many, as long as nothing newer is held.
    too_wide: RwLock<Option<TooWide>>,
    glass: RwLock<Arc<Glass>>,
    /// Somebody may wait for another gate to be held.
    pub(super) swapped: Notify,
    /// Likewise, to tell the server.
    pub(super) answers_anew: Notify,
    told: Mutex<Told>,
    pub(super) counts: Counts,
}

/// What the server is told: how often each restriction refused which operation.
#[derive(Debug, Default)]
struct Told {
    /// Since when, by the gate that is held.
    since: i64,
    refusals: ByRestriction,
    /// What gates before counted, from when until when, as far as the server was not told.
    before: Vec<(Arc<Gate>, (i64, i64), ByRestriction)>,
}

/// How many gates before are remembered for the server.
const BEFORE_MAX: usize = 16;

/// What was counted since it started.
#[derive(Debug, Default)]
pub(super) struct Counts {
    checks: [[AtomicU64; 6]; 5],
    /// Region-limited restrictions that did not match since no region was given.
    pub(super) regions_missing: AtomicU64,
    /// AuthZEN's questions of other types than an account and a service.
    pub(super) types_other: AtomicU64,
    /// Questions whose account nobody knows.
    pub(super) accounts_missing: AtomicU64,
    pub(super) unmapped: Names,
    pub(super) services: Names,
    pub(super) regions: Names,
    /// Snapshots that were refused, and answers of the server that were none.
    pub(super) snapshots_refused: AtomicU64,
    pub(super) fetches_failed: AtomicU64,
    /// When the server last said what is newest, in seconds since 1970; zero before.
    pub(super) heard: AtomicI64,
}

impl Counts {
    pub(super) fn add(&self, interface: Interface, ended: Ended) {
        if let Some(count) = self.checks.get(interface as usize).and_then(|row| row.get(ended as usize)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn of(&self, interface: Interface, ended: Ended) -> u64 {
        let count = self.checks.get(interface as usize).and_then(|row| row.get(ended as usize));
        count.map_or(0, |count| count.load(Ordering::Relaxed))
    }
}

/// Counts by names that others choose.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<(BTreeMap<String, u64>, u64)>);

impl Names {
    pub(super) fn add(&self, name: &str) {
        let short: String = name.chars().take(NAME_CHARS_MAX).collect();
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (names, others) = &mut *counts;
        let room = names.len() < NAMES_MAX;
        match names.get_mut(&short) {
            Some(count) => *count += 1,
            // No name is written as those beyond the bound are.
            None if room && !short.is_empty() => drop(names.insert(short, 1)),
            None => *others += 1,
        }
    }

    /// By name, and all beyond the bound together.
    pub(super) fn read(&self) -> (BTreeMap<String, u64>, u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Held {
    /// Nothing held yet.
    ///
    /// # Errors
    /// What is compiled in of `operations/` is of another form: a defect of this build.
    pub fn new(settings: Settings) -> Result<Self, operations::OperationsError> {
        let operations = Operations::built_in()?;
        let (gate, glass, told, counts) = (RwLock::default(), RwLock::default(), Mutex::default(), Counts::default());
        let (too_wide, swapped, answers_anew) = (RwLock::default(), Notify::new(), Notify::new());
        Ok(Self { settings, operations, gate, too_wide, glass, swapped, answers_anew, told, counts })
    }

    /// Answers by this gate from now on.
    pub fn swap(&self, gate: Arc<Gate>) {
        let before = self.gate.write().unwrap_or_else(PoisonError::into_inner).replace(gate);
        *self.too_wide.write().unwrap_or_else(PoisonError::into_inner) = None;
        let now = (self.settings.clock)();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, refusals) = (std::mem::replace(&mut told.since, now), std::mem::take(&mut told.refusals));
        if let Some(before) = before.filter(|_| !refusals.is_empty()) {
            told.before.push((before, (since, now), refusals));
            let more = told.before.len().saturating_sub(BEFORE_MAX);
            told.before.drain(..more);
        }
        drop(told);
        self.swapped.notify_one();
        self.answers_anew.notify_one();
    }

    /// What the server is told: of gates before, once, and of the one that is held.
    pub(super) fn reports(&self, gate: &str) -> Vec<Report> {
        let broken_glass = self.glass().is_broken((self.settings.clock)());
        let report = |of: &Gate, (since, until), refusals| Report {
            gate: gate.to_owned(),
            version: of.version().to_string(),
            enforces: of.set().digest().to_string(),
            since,
            until,
            broken_glass,
            refusals,
        };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::take(&mut told.before);
        let (since, refusals) = (told.since, told.refusals.clone());
        drop(told);
        let before = before.into_iter().map(|(of, time, refusals)| report(&of, time, refusals));
        let now = self.gate().map(|of| report(&of, (since, (self.settings.clock)()), refusals));
        before.chain(now).collect()
    }

    /// Counts for the server what a restriction refused, or would have.
    fn tell(&self, restriction: &str, operation: &str, refused: bool) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.refusals.contains_key(restriction) {
            told.refusals.insert(restriction.to_owned(), BTreeMap::new());
        }
        let Some(operations) = told.refusals.get_mut(restriction) else { return };
        // Only operations of the table are refused: few.
        if !operations.contains_key(operation) {
            operations.insert(operation.to_owned(), Refusals::default());
        }
        let Some(refusals) = operations.get_mut(operation) else { return };
        if refused { refusals.refused += 1 } else { refusals.would_refuse += 1 }
    }

    /// Lets pass what this glass does, from now on.
    pub fn open(&self, glass: Glass) {
        *self.glass.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(glass);
    }

    /// Which glass is broken, if any ever was.
    pub fn glass(&self) -> Arc<Glass> {
        Arc::clone(&self.glass.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Goes on with what is held, and says why to who asks; whether that is news.
    pub(super) fn refuse(&self, too_wide: TooWide) -> bool {
        self.too_wide.write().unwrap_or_else(PoisonError::into_inner).replace(too_wide) != Some(too_wide)
    }

    /// What was not taken since it restricts too many.
    pub(super) fn too_wide(&self) -> Option<TooWide> {
        *self.too_wide.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The gate that answers now.
    pub fn gate(&self) -> Option<Arc<Gate>> {
        self.gate.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was said of it.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Which request of a real protocol is which operation.
    pub fn operations(&self) -> &Operations {
        &self.operations
    }

    /// Whether a request passes; counted.
    pub(super) fn ask(&self, interface: Interface, ask: &Ask<'_>) -> Answered {
        let Some(gate) = self.gate() else {
            self.counts.add(interface, Ended::NotReady);
            return Answered::NotReady;
        };
        let region = ask.region.filter(|region| !region.is_empty()).or(self.settings.region.as_deref());
        let Ask { account, service, .. } = *ask;
        let (operation, at) = (Operation::named(ask.operation), (self.settings.clock)());
        let request = Request { account, service, operation, region, at };
        let mut answer = gate.check(&request);
        let refused = matches!(answer.verdict, Verdict::Refuse(_));
        if refused {
            let glass = self.glass();
            if glass.is_broken(request.at) {
                answer = gate.check_but(&request, |restriction| glass.passes(restriction, request.at));
            }
        }
        self.unknown(ask, region);
        if answer.unmapped {
            self.counts.unmapped.add(ask.operation);
        }
        if answer.region_unknown {
            self.counts.regions_missing.fetch_add(1, Ordering::Relaxed);
        }
        let (ended, answered) = match answer.verdict {
            Verdict::Allow | Verdict::WouldRefuse(_) if refused => (Ended::BrokenGlass, Answered::Allowed),
            Verdict::Allow => (Ended::Allowed, Answered::Allowed),
            Verdict::WouldRefuse(restriction) => {
                self.tell(&restriction.id(), ask.operation, false);
                (Ended::WouldRefuse, Answered::Allowed)
            }
            Verdict::Refuse(restriction) => {
                // Who asks once more, for what to tell the customer, is not refused twice.
                if interface != Interface::Refusal {
                    self.tell(&restriction.id(), ask.operation, true);
                }
                (Ended::Refused, Answered::Refused(Box::new(Refusal::of(&restriction, ask.operation))))
            }
        };
        self.counts.add(interface, ended);
        answered
    }

    /// Lets pass what is of no account, whatever is held.
    pub(super) fn of_no_account(&self, interface: Interface) -> Answered {
        self.counts.accounts_missing.fetch_add(1, Ordering::Relaxed);
        self.counts.add(interface, Ended::Allowed);
        Answered::Allowed
    }

    fn unknown(&self, ask: &Ask<'_>, region: Option<&str>) {
        if ask.account.is_empty() || ask.account == ACCOUNT_UNKNOWN {
            self.counts.accounts_missing.fetch_add(1, Ordering::Relaxed);
        }
        if !operations::is_service(ask.service) {
            self.counts.services.add(ask.service);
        }
        let known = |region: &str| {
            let Settings { region: own, regions, .. } = &self.settings;
            regions.is_empty() || regions.contains(region) || own.as_deref() == Some(region)
        };
        if let Some(region) = region.filter(|region| !known(region)) {
            self.counts.regions.add(region);
        }
    }

    /// A question that could not be understood.
    pub(super) fn malformed(&self, interface: Interface) {
        self.counts.add(interface, Ended::Malformed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_others_choose_are_bounded() {
        let names = Names::default();
        (0..10_000).for_each(|number| names.add(&format!("name {number}")));
        names.add(&"x".repeat(1_000_000));
        names.add("name 7");
        names.add("");
        let (by_name, others) = names.read();
        assert_eq!((by_name.len(), by_name["name 7"], others), (NAMES_MAX, 2, 10_000 - NAMES_MAX as u64 + 2));
        // Nor does no name take a place, or stand beside those beyond the bound.
        let few = Names::default();
        few.add("");
        assert_eq!(few.read(), (BTreeMap::new(), 1));
    }
}
