//! Restrictions as they lie in memory, and the check of one request against them.
//!
//! A set is built once, never changed, and swapped whole. Flat arrays hold it; `n` is the number of restrictions (a target of
//! a decision each), `k` that of different accounts among them, at most `n`:
//!
//! | array | what an element is | bytes |
//! |---|---|---|
//! | `tags` | an open-addressed table, never more than half full: 7 bits of an account's hash, or 0 where there is none | (2 to 4) k |
//! | `slots` | beside each tag: where the account's name and its rules are | 12 × (2 to 4) k |
//! | `rules` | what a check needs of a restriction: times, service and region, switches, mode, and the next of the same account | 32 n |
//! | `told` | what else is said of it: its account, its decision, its place in that | 16 n |
//! | `names` | the text of each account, once | their lengths |
//! | `places` | the names of each pair of service and region, once | few |
//! | `sources` | what is said of each decision: its names, its digest, the statement, the sentence | one a decision |
//!
//! A check hashes the account and looks at one or two tags, which are few enough to stay in the processor's cache; where
//! nothing of it is restricted it mostly ends there. Else it compares the account's text (a hash refuses nobody) and goes
//! through the rules of that account, as many as its services and regions. It allocates nothing, and what it does is the
//! same for ten restrictions and for a hundred thousand. The hash is SipHash-1-3 under a seed that comes with the set, so that who chooses names, and not the
//! seed, cannot make them meet.
//!
//! It knows nothing of who signed what: that is asked before a set is built from it.

use crate::operation;
use crate::words::{Digest, Switch, Switches};
use siphasher::sip::SipHasher13;
use std::collections::{BTreeMap, BTreeSet};

/// What a gate is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// Whose resource it is.
    pub account: &'a str,
    /// The service: `object-storage`.
    pub service: &'a str,
    /// What is to be done: `storage.write`.
    pub operation: &'a str,
    /// Where; none if that is not known.
    pub region: Option<&'a str>,
    /// When, in seconds since 1970.
    pub at: i64,
}

/// What a gate answers, and what whoever asked counts.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'s> {
    /// Whether the request passes.
    pub verdict: Verdict<'s>,
    /// Nobody mapped the operation to a switch: it passed, whatever is restricted.
    pub unmapped: bool,
    /// A restriction of one region did not match since the region was not known.
    pub region_unknown: bool,
}

/// Whether a request passes.
#[derive(Clone, Copy, Debug)]
pub enum Verdict<'s> {
    /// It does.
    Allow,
    /// It does, and would not if what is in shadow were enforced.
    WouldRefuse(Restriction<'s>),
    /// It does not.
    Refuse(Restriction<'s>),
}

/// Whom, what, where and when a restriction is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    /// On which account.
    pub account: &'a str,
    /// Which service.
    pub service: &'a str,
    /// Only in this region; everywhere if none.
    pub region: Option<&'a str>,
    /// What is switched off.
    pub switches: Switches,
    /// From when on, in seconds since 1970.
    pub from: i64,
    /// Until when reading and bulk export still pass, whatever is switched off.
    pub window: i64,
    /// Until when; at this second it is over.
    pub until: i64,
    /// Whether it refuses, or is only counted.
    pub enforced: bool,
}

/// What is said of a decision to those it stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The case.
    pub case: String,
    /// The decision, within the case.
    pub decision: String,
    /// Of its text.
    pub digest: Digest,
    /// Where the statement of reasons is.
    pub statement: String,
    /// A sentence for the customer.
    pub sentence: String,
}

/// One restriction of a set.
#[derive(Clone, Copy, Debug)]
pub struct Restriction<'s> {
    set: &'s Set,
    /// Its place among the rules; what is told of it is looked up when somebody asks.
    place: usize,
    rule: Rule,
}

/// Restrictions, and whom they stop.
#[derive(Clone, Debug, Default)]
pub struct Set {
    seed: [u64; 2],
    tags: Vec<u8>,
    slots: Vec<Slot>,
    rules: Vec<Rule>,
    told: Vec<Told>,
    names: String,
    places: Vec<Place>,
    sources: Vec<Source>,
}

/// Where an account stands in `names`.
#[derive(Clone, Copy, Debug)]
struct Name {
    start: u32,
    bytes: u16,
}

/// What a restriction is about on its account: a service, and its region unless it is everywhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    service: Box<str>,
    region: Option<Box<str>>,
}

/// An element of the table: an account, and the first of its rules.
#[derive(Clone, Copy, Debug)]
struct Slot {
    rule: u32,
    name: Name,
}

const EMPTY: Slot = Slot { rule: NONE, name: Name { start: 0, bytes: 0 } };

#[derive(Clone, Copy, Debug)]
struct Rule {
    from: i64,
    /// When it begins to stop reading and export.
    reads_from: i64,
    until: i64,
    /// The next of the same account, or [`NONE`].
    next: u32,
    /// Of which service, and where.
    place: u16,
    switches: Switches,
    enforced: bool,
}

#[derive(Clone, Copy, Debug)]
struct Told {
    name: Name,
    source: u32,
    /// Its place in the decision's list, from 1.
    number: u32,
}

const NONE: u32 = u32::MAX;
const READS: Switches = Switches::NONE.with(Switch::Read).with(Switch::Export);

impl Set {
    /// Whether a request passes. Of several restrictions against it the first speaks, one that is enforced before any in
    /// shadow.
    pub fn check(&self, request: &Request<'_>) -> Answer<'_> {
        self.check_but(request, |_| false)
    }

    /// The same, as if those restrictions were not there that are `off`.
    pub fn check_but<'s>(&'s self, request: &Request<'_>, off: impl Fn(&Restriction<'s>) -> bool) -> Answer<'s> {
        let mut answer = Answer { verdict: Verdict::Allow, unmapped: false, region_unknown: false };
        let Some(needed) = operation::switches(request.operation) else {
            return Answer { unmapped: true, ..answer };
        };
        let mut next = self.find(hash(self.seed, request.account), request.account).1;
        while let Some(rule) = self.rules.get(next as usize) {
            let restriction = Restriction { set: self, place: next as usize, rule: *rule };
            next = rule.next;
            let place = self.places.get(usize::from(rule.place)).filter(|place| *place.service == *request.service);
            let Some(place) = place.filter(|_| rule.stands(needed, request.at)) else { continue };
            if place.region.is_some() && place.region.as_deref() != request.region {
                answer.region_unknown |= request.region.is_none();
                continue;
            }
            if off(&restriction) {
                continue;
            }
            if rule.enforced {
                return Answer { verdict: Verdict::Refuse(restriction), ..answer };
            }
            if matches!(answer.verdict, Verdict::Allow) {
                answer.verdict = Verdict::WouldRefuse(restriction);
            }
        }
        answer
    }

    /// Where the table has an account, or would have it, and its first rule or [`NONE`].
    fn find(&self, hash: u64, account: &str) -> (usize, u32) {
        let (mask, tag) = (self.tags.len().wrapping_sub(1), tag(hash));
        let mut place = hash as usize & mask;
        while let Some(found) = self.tags.get(place).filter(|found| **found != 0) {
            let slot = self.slots.get(place).filter(|_| *found == tag);
            if let Some(slot) = slot.filter(|slot| self.account(slot.name) == account) {
                return (place, slot.rule);
            }
            place = (place + 1) & mask;
        }
        (place, NONE)
    }

    fn account(&self, Name { start, bytes }: Name) -> &str {
        let start = start as usize;
        self.names.get(start..start + usize::from(bytes)).unwrap_or_default()
    }

    /// Every restriction, in the order in which they were added.
    pub fn restrictions(&self) -> impl Iterator<Item = Restriction<'_>> {
        self.rules.iter().enumerate().map(|(place, rule)| Restriction { set: self, place, rule: *rule })
    }

    /// SHA-256 over a line for each restriction, sorted: what this set refuses, whoever built it and under whatever seed.
    /// Two gates that say the same digest refuse the same.
    pub fn digest(&self) -> Digest {
        let line = |restriction: Restriction<'_>| {
            let Scope { account, service, region, switches, from, window, until, enforced } = restriction.scope();
            let (id, region) = (restriction.id(), region.unwrap_or_default());
            format!("{id}\t{account}\t{service}\t{region}\t{switches}\t{from}\t{window}\t{until}\t{enforced}\n")
        };
        let mut lines: Vec<String> = self.restrictions().map(line).collect();
        lines.sort_unstable();
        Digest::of(lines.concat())
    }

    /// To how many accounts it refuses something, now or later: what is in shadow or over refuses nobody.
    pub fn accounts(&self, at: i64) -> usize {
        let refuses = |restriction: &Restriction<'_>| restriction.rule.enforced && at < restriction.rule.until;
        self.restrictions().filter(refuses).map(|one| one.scope().account).collect::<BTreeSet<&str>>().len()
    }

    /// How many restrictions it holds.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether it restricts nobody.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// How many bytes it takes, without what the allocator adds.
    pub fn bytes(&self) -> usize {
        let texts = |source: &Source| {
            size_of::<Source>()
                + [&source.case, &source.decision, &source.statement, &source.sentence]
                    .map(String::len)
                    .iter()
                    .sum::<usize>()
        };
        let place = |Place { service, region }: &Place| {
            size_of::<Place>() + service.len() + region.as_ref().map_or(0, |region| region.len())
        };
        (1 + size_of::<Slot>()) * self.slots.len()
            + (size_of::<Rule>() + size_of::<Told>()) * self.rules.len()
            + self.names.len()
            + self.places.iter().map(place).sum::<usize>()
            + self.sources.iter().map(texts).sum::<usize>()
    }
}

impl Rule {
    /// Whether all that an operation needs is off at this time.
    fn stands(&self, needed: Switches, at: i64) -> bool {
        let from = if needed.meets(READS) { self.reads_from } else { self.from };
        self.switches.covers(needed) & (from <= at) & (at < self.until)
    }
}

impl<'s> Restriction<'s> {
    fn told(&self) -> Told {
        self.set.told.get(self.place).copied().unwrap_or(Told { name: EMPTY.name, source: NONE, number: 0 })
    }

    /// Its name: case, decision and place in the list, with slashes between.
    pub fn id(&self) -> String {
        let source = self.source();
        let (case, decision) = source.map_or(("", ""), |source| (source.case.as_str(), source.decision.as_str()));
        format!("{case}/{decision}/{}", self.number())
    }

    /// What is said of its decision.
    pub fn source(&self) -> Option<&'s Source> {
        self.set.sources.get(self.told().source as usize)
    }

    /// Its place in the decision's list, from 1.
    pub fn number(&self) -> u32 {
        self.told().number
    }

    /// Whom, what, where and when it is about.
    pub fn scope(&self) -> Scope<'s> {
        let Rule { from, reads_from: window, until, switches, enforced, .. } = self.rule;
        let (account, place) = (self.set.account(self.told().name), self.set.places.get(usize::from(self.rule.place)));
        let (service, region) = place.map_or(("", None), |place| (&*place.service, place.region.as_deref()));
        Scope { account, service, region, switches, from, window, until, enforced }
    }
}

fn hash([one, two]: [u64; 2], account: &str) -> u64 {
    SipHasher13::new_with_keys(one, two).hash(account.as_bytes())
}

/// Seven bits of a hash that do not choose the place, and one that says there is something.
fn tag(hash: u64) -> u8 {
    0x80 | (hash >> 57) as u8
}

/// A set holds no more than its numbers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a set holds fewer than 2^32 restrictions, 4 GiB of names and 65,536 pairs of service and region, and no name of 65,536 bytes: split what is restricted"
)]
pub struct TooMany;

/// Builds a set.
#[derive(Clone, Debug)]
pub struct Builder {
    set: Set,
    /// How many accounts are in the table.
    accounts: usize,
    /// The last rule of the account of each rule that is the first of one.
    last: Vec<u32>,
    places: BTreeMap<Place, u16>,
}

impl Builder {
    /// Of nothing yet. The seed is drawn anew for each set, and told to nobody.
    pub fn new(seed: [u8; 16]) -> Self {
        let (one, two) = seed.split_at(8);
        let number = |half: &[u8]| half.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        let set = Set { seed: [number(one), number(two)], ..Set::default() };
        Self { set, accounts: 0, last: Vec::new(), places: BTreeMap::new() }
    }

    /// What is said of the decision of the restrictions that follow.
    pub fn source(&mut self, source: Source) {
        self.set.sources.push(source);
    }

    /// One more restriction of the last source; `number` is its place in the decision's list, from 1.
    ///
    /// # Errors
    /// There are too many, or a name is too long; the set is as before.
    pub fn add(&mut self, number: u32, scope: &Scope<'_>) -> Result<(), TooMany> {
        let Scope { account, service, from, window, until, switches, enforced, .. } = *scope;
        let short = |text: &str| u16::try_from(text.len()).map_err(|_| TooMany);
        let (bytes, _) = (short(account)?, short(service)?);
        let number_of = |count: usize| u32::try_from(count).ok().filter(|count| *count != NONE).ok_or(TooMany);
        let own = number_of(self.set.rules.len())?;
        let source = number_of(self.set.sources.len())?.saturating_sub(1);
        number_of(self.set.names.len() + account.len())?;
        let place = self.place(service, scope.region)?;
        self.make_room();
        let hash = hash(self.set.seed, account);
        let (free, first) = self.set.find(hash, account);
        let name = match self.set.told.get(first as usize) {
            Some(first) => first.name,
            None => Name { start: number_of(self.set.names.len())?, bytes },
        };
        let (reads_from, next) = (from.max(window), NONE);
        self.set.rules.push(Rule { from, reads_from, until, next, place, switches, enforced });
        self.set.told.push(Told { name, source, number });
        self.last.push(own);
        if first == NONE {
            self.set.names.push_str(account);
            self.accounts += 1;
            self.put(free, hash, Slot { rule: own, name });
        } else {
            self.link(first, own);
        }
        Ok(())
    }

    fn put(&mut self, place: usize, hash: u64, slot: Slot) {
        if let Some((free, beside)) = self.set.tags.get_mut(place).zip(self.set.slots.get_mut(place)) {
            (*free, *beside) = (tag(hash), slot);
        }
    }

    /// Puts a rule behind the last of its account.
    fn link(&mut self, first: u32, own: u32) {
        let Some(last) = self.last.get_mut(first as usize) else { return };
        if let Some(rule) = self.set.rules.get_mut(*last as usize) {
            rule.next = own;
        }
        *last = own;
    }

    fn place(&mut self, service: &str, region: Option<&str>) -> Result<u16, TooMany> {
        let place = Place { service: service.into(), region: region.map(Box::from) };
        if let Some(known) = self.places.get(&place) {
            return Ok(*known);
        }
        let number = u16::try_from(self.set.places.len()).map_err(|_| TooMany)?;
        self.set.places.push(place.clone());
        self.places.insert(place, number);
        Ok(number)
    }

    /// Keeps the table at most half full.
    fn make_room(&mut self) {
        let slots = self.set.slots.len();
        if 2 * (self.accounts + 1) <= slots {
            return;
        }
        let slots = (2 * slots).max(8);
        let full = std::mem::replace(&mut self.set.slots, vec![EMPTY; slots]);
        self.set.tags = vec![0; slots];
        for slot in full.into_iter().filter(|slot| slot.rule != NONE) {
            let account = self.set.account(slot.name);
            let hash = hash(self.set.seed, account);
            let (free, _) = self.set.find(hash, account);
            self.put(free, hash, slot);
        }
    }

    /// The set.
    pub fn build(mut self) -> Set {
        self.set.rules.shrink_to_fit();
        self.set.told.shrink_to_fit();
        self.set.names.shrink_to_fit();
        self.set.sources.shrink_to_fit();
        self.set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Drawn = (u8, u8, Option<u8>, u8, i64, i64, i64, bool);

    const SERVICES: [&str; 3] = ["object-storage", "speech", "database"];
    const OPERATIONS: [&str; 7] = [
        "storage.write",
        "storage.list",
        "storage.delete",
        "storage.export",
        "database.requests",
        "speech.transcription",
        "storage.capacity",
    ];

    fn source(number: usize) -> Source {
        let (case, decision) = (format!("c{number}"), "d1".to_owned());
        let (statement, sentence) = (format!("/statements/{number}"), "Writing is switched off.".to_owned());
        Source { case, decision, digest: Digest::of([number as u8]), statement, sentence }
    }

    fn scopes(drawn: &[Drawn]) -> Vec<(String, &'static str, Option<String>, Scope<'static>)> {
        let scope = |(account, service, region, switches, from, window, until, enforced): &Drawn| {
            let switches = Switch::ALL.into_iter().filter(|switch| switches & 1 << *switch as u8 != 0).collect();
            let (from, window, until) = (*from, *window, *until);
            let blank =
                Scope { account: "", service: "", region: None, switches, from, window, until, enforced: *enforced };
            (format!("a{account}"), SERVICES[usize::from(*service)], region.map(|region| format!("r{region}")), blank)
        };
        drawn.iter().map(scope).collect()
    }

    /// The check as one would say it: each restriction looked at, nothing looked up.
    fn naive(drawn: &[Drawn], request: &Request<'_>) -> (char, Option<usize>, bool, bool) {
        let Some(needed) = operation::switches(request.operation) else { return ('a', None, true, false) };
        let mut unknown = false;
        let mut shadow = None;
        for (place, (account, service, region, scope)) in scopes(drawn).iter().enumerate() {
            let reads = needed.contains(Switch::Read) || needed.contains(Switch::Export);
            let late = reads && request.at < scope.window;
            let about = account == request.account
                && *service == request.service
                && needed.iter().all(|switch| scope.switches.contains(switch))
                && (scope.from..scope.until).contains(&request.at)
                && !late;
            if !about {
                continue;
            }
            match (region, request.region) {
                (Some(_), None) => unknown = true,
                (Some(own), Some(asked)) if own != asked => {}
                _ if scope.enforced => return ('r', Some(place), false, unknown),
                _ => shadow = shadow.or(Some(place)),
            }
        }
        (if shadow.is_some() { 'w' } else { 'a' }, shadow, false, unknown)
    }

    fn set(drawn: &[Drawn]) -> Set {
        let mut builder = Builder::new([7; 16]);
        for (place, (account, service, region, scope)) in scopes(drawn).iter().enumerate() {
            builder.source(source(place));
            let scope = Scope { account, service, region: region.as_deref(), ..*scope };
            builder.add(1, &scope).unwrap();
        }
        builder.build()
    }

    fn seen(answer: &Answer<'_>) -> (char, Option<usize>, bool, bool) {
        let place =
            |restriction: &Restriction<'_>| restriction.source().and_then(|source| source.case[1..].parse().ok());
        let (letter, place) = match &answer.verdict {
            Verdict::Allow => ('a', None),
            Verdict::WouldRefuse(restriction) => ('w', place(restriction)),
            Verdict::Refuse(restriction) => ('r', place(restriction)),
        };
        (letter, place, answer.unmapped, answer.region_unknown)
    }

    proptest! {
        #[test]
        fn the_check_says_what_a_look_at_every_restriction_says(
            drawn in prop::collection::vec(
                (0..12_u8, 0..3_u8, prop::option::of(0..3_u8), 0..16_u8, 0..8_i64, 0..8_i64, 0..9_i64, any::<bool>()), 0..60),
            asked in prop::collection::vec((0..14_u8, 0..3_usize, prop::option::of(0..4_u8), 0..7_usize, 0..9_i64), 1..60),
        ) {
            let set = set(&drawn);
            prop_assert_eq!(set.len(), drawn.len());
            for (account, service, region, operation, at) in asked {
                let (account, region) = (format!("a{account}"), region.map(|region| format!("r{region}")));
                let request = Request {
                    account: &account, service: SERVICES[service], operation: OPERATIONS[operation],
                    region: region.as_deref(), at,
                };
                prop_assert_eq!(seen(&set.check(&request)), naive(&drawn, &request), "{:?}", request);
            }
        }
    }

    #[test]
    fn what_is_restricted_reads_back() {
        let set = set(&[(1, 0, Some(2), 9, 10, 20, 30, true), (1, 0, None, 1, 10, 5, 30, false)]);
        let scopes: Vec<_> = set.restrictions().map(|one| (one.id(), one.scope())).collect();
        let [(id, scope), (_, shadow)] = scopes.as_slice() else { panic!("{scopes:?}") };
        assert_eq!(
            (id.as_str(), scope.account, scope.service, scope.region),
            ("c0/d1/1", "a1", "object-storage", Some("r2"))
        );
        assert_eq!((scope.switches.to_string().as_str(), scope.window, scope.enforced), ("write,export", 20, true));
        assert_eq!((shadow.region, shadow.window, shadow.enforced), (None, 10, false));
        let empty = Builder::new([0; 16]).build();
        let request = Request { account: "a", service: "s", operation: "storage.write", region: None, at: 0 };
        assert!(empty.is_empty() && matches!(empty.check(&request).verdict, Verdict::Allow));
    }

    /// `ab` on `c` is not `a` on `bc`.
    #[test]
    fn account_and_service_are_told_apart() {
        let mut builder = Builder::new([1; 16]);
        builder.source(source(1));
        let switches = Switches::NONE.with(Switch::Write);
        let scope =
            Scope { account: "ab", service: "c", region: None, switches, from: 0, window: 0, until: 9, enforced: true };
        builder.add(1, &scope).unwrap();
        assert_eq!(builder.add(2, &Scope { account: &"x".repeat(65_536), ..scope }), Err(TooMany));
        let set = builder.build();
        let refused = |account, service| {
            let request = Request { account, service, operation: "storage.write", region: None, at: 0 };
            matches!(set.check(&request).verdict, Verdict::Refuse(_))
        };
        assert!(refused("ab", "c") && !refused("a", "bc") && !refused("abc", "") && !refused("", "abc"));
    }
}
