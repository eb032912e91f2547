//! Restrictions as they lie in memory, and the check of one request against them.
//!
//! A set is built once, never changed, and swapped whole. `n` is the number of restrictions (a target of a decision each),
//! `k` that of different accounts among them, at most `n`:
//!
//! | part | what an element is | bytes |
//! |---|---|---|
//! | `maybe` | a bit, set where the hash of an account falls | (2 to 4) k |
//! | `accounts` | a hash table, at most seven eighths full and at least half of that: a byte of each account's hash, apart from the rest; its name, if that has at most 23 bytes, and its first restriction | 65 × (8/7 to 16/7) k |
//! | `rules` | what a check needs of a restriction: times, service and region, switches, mode, and the next of the same account | 32 n |
//! | `told` | what else is said of it: its account, its decision, its place in that | 32 n |
//! | `places` | the names of each pair of service and region, once | few |
//! | `sources` | what is said of each decision: its names, its digest, the statement, the sentence | one a decision |
//!
//! A name longer than 23 bytes is kept beside the table, with 16 bytes more. A check hashes the account and looks at one bit;
//! these are few enough to stay in the processor's cache, and where nothing of the account is restricted it ends there, but for
//! one in twenty. Else one line of the cache has all that is asked first: it compares the account's text (a hash refuses
//! nobody) and goes through the rules of that account, as many as its services and regions. It allocates nothing, and what it
//! does is the same for ten restrictions and for a hundred thousand.
//!
//! The hash is foldhash under a seed that is drawn for each set and told to nobody. It is no cryptographic one, and need not
//! be: in the table are only accounts that people decided to restrict, so that whoever chose names to meet there would slow
//! the checks of those accounts, and of no others.
//!
//! It knows nothing of who signed what: that is asked before a set is built from it.

use crate::operation::Operation;
use crate::words::{Digest, Switch, Switches};
use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;
use hashbrown::HashTable;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher as _;

/// What a gate is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// Whose resource it is.
    pub account: &'a str,
    /// The service: `object-storage`.
    pub service: &'a str,
    /// What is to be done.
    pub operation: Operation,
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
#[derive(Clone, Debug)]
pub struct Set {
    seed: u64,
    maybe: Vec<u64>,
    accounts: HashTable<Held>,
    rules: Vec<Rule>,
    told: Vec<Told>,
    places: Vec<Place>,
    sources: Vec<Source>,
}

/// What a restriction is about on its account: a service, and its region unless it is everywhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    service: Box<str>,
    region: Option<Box<str>>,
}

/// An account and the first of its rules, which stands here once more: no other line of the cache is asked for it.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Held {
    account: SmolStr,
    first: Rule,
    place: u32,
}

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

#[derive(Clone, Debug)]
struct Told {
    account: SmolStr,
    source: u32,
    /// Its place in the decision's list, from 1.
    number: u32,
}

/// Of so many bits, at least, one says that there may be something of an account.
const BITS_AN_ACCOUNT: usize = 16;

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
        let Some(needed) = request.operation.switches() else {
            return Answer { unmapped: true, ..answer };
        };
        let Some(held) = self.find(request.account) else { return answer };
        let mut following = Some((held.place, &held.first));
        while let Some((place, rule)) = following {
            let restriction = Restriction { set: self, place: place as usize, rule: *rule };
            following = self.rules.get(rule.next as usize).map(|next| (rule.next, next));
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

    fn find(&self, account: &str) -> Option<&Held> {
        let hash = hash(self.seed, account);
        let (word, bit) = bit(hash, self.maybe.len());
        let maybe = self.maybe.get(word).is_some_and(|bits| bits & bit != 0);
        if maybe { self.accounts.find(hash, |held| held.account == account) } else { None }
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
        // As hashbrown makes its tables: a power of two of elements, of which an eighth stays free.
        let elements = match self.accounts.capacity() {
            few @ ..8 => (few + 1).next_power_of_two(),
            many => many / 7 * 8,
        };
        let beside = |told: &Told| if told.account.is_heap_allocated() { 16 + told.account.len() } else { 0 };
        size_of::<u64>() * self.maybe.len()
            + (1 + size_of::<Held>()) * elements
            + (size_of::<Rule>() + size_of::<Told>()) * self.rules.len()
            + self.told.iter().map(beside).sum::<usize>()
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
    fn told(&self) -> Option<&'s Told> {
        self.set.told.get(self.place)
    }

    /// Its name: case, decision and place in the list, with slashes between.
    pub fn id(&self) -> String {
        let source = self.source();
        let (case, decision) = source.map_or(("", ""), |source| (source.case.as_str(), source.decision.as_str()));
        format!("{case}/{decision}/{}", self.number())
    }

    /// What is said of its decision.
    pub fn source(&self) -> Option<&'s Source> {
        self.set.sources.get(self.told()?.source as usize)
    }

    /// Its place in the decision's list, from 1.
    pub fn number(&self) -> u32 {
        self.told().map_or(0, |told| told.number)
    }

    /// Whom, what, where and when it is about.
    pub fn scope(&self) -> Scope<'s> {
        let Rule { from, reads_from: window, until, switches, enforced, .. } = self.rule;
        let account = self.told().map_or("", |told| told.account.as_str());
        let place = self.set.places.get(usize::from(self.rule.place));
        let (service, region) = place.map_or(("", None), |place| (&*place.service, place.region.as_deref()));
        Scope { account, service, region, switches, from, window, until, enforced }
    }
}

fn hash(seed: u64, account: &str) -> u64 {
    SeedableRandomState::with_seed(seed, SharedSeed::global_fixed()).hash_one(account)
}

/// Where the bit of a hash is, of a power of two of words.
fn bit(hash: u64, words: usize) -> (usize, u64) {
    // hashbrown takes the lowest bits for the place and the highest for its bytes: these are others.
    let place = hash >> 24;
    ((place >> 6) as usize & words.wrapping_sub(1), 1 << (place & 63))
}

/// A set holds no more than its numbers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a set holds fewer than 2^32 restrictions and 65,536 pairs of service and region, and no name of 65,536 bytes: split what is restricted"
)]
pub struct TooMany;

/// Builds a set.
#[derive(Clone, Debug)]
pub struct Builder {
    set: Set,
    /// The last rule of the account of each rule that is the first of one.
    last: Vec<u32>,
    places: BTreeMap<Place, u16>,
}

impl Builder {
    /// Of nothing yet. The seed is drawn anew for each set, and told to nobody.
    pub fn new(seed: u64) -> Self {
        let set = Set {
            seed,
            maybe: Vec::new(),
            accounts: HashTable::new(),
            rules: Vec::new(),
            told: Vec::new(),
            places: Vec::new(),
            sources: Vec::new(),
        };
        Self { set, last: Vec::new(), places: BTreeMap::new() }
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
        if account.len().max(service.len()) > usize::from(u16::MAX) {
            return Err(TooMany);
        }
        let number_of = |count: usize| u32::try_from(count).ok().filter(|count| *count != NONE).ok_or(TooMany);
        let own = number_of(self.set.rules.len())?;
        let source = number_of(self.set.sources.len())?.saturating_sub(1);
        let place = self.place(service, scope.region)?;
        let rule = Rule { from, reads_from: from.max(window), until, next: NONE, place, switches, enforced };
        let account = self.held(account, own, rule);
        self.set.rules.push(rule);
        self.set.told.push(Told { account, source, number });
        self.last.push(own);
        Ok(())
    }

    /// Makes a rule the first of its account, or puts it behind the last; the account's name, held once if it is long.
    fn held(&mut self, account: &str, own: u32, rule: Rule) -> SmolStr {
        let Set { seed, accounts, rules, .. } = &mut self.set;
        let seed = *seed;
        let own_hash = hash(seed, account);
        if let Some(held) = accounts.find_mut(own_hash, |held| held.account == account) {
            if let Some(last) = self.last.get_mut(held.place as usize) {
                match rules.get_mut(*last as usize) {
                    Some(before) if *last != held.place => before.next = own,
                    first => {
                        held.first.next = own;
                        first.into_iter().for_each(|first| first.next = own);
                    }
                }
                *last = own;
            }
            return held.account.clone();
        }
        let name = SmolStr::new(account);
        let held = Held { account: name.clone(), first: rule, place: own };
        accounts.insert_unique(own_hash, held, |held| hash(seed, &held.account));
        name
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

    /// The set.
    pub fn build(mut self) -> Set {
        let words = (self.set.accounts.len() * BITS_AN_ACCOUNT).next_power_of_two().div_ceil(64);
        self.set.maybe = vec![0; words];
        for Held { account, .. } in &self.set.accounts {
            let (word, bit) = bit(hash(self.set.seed, account), words);
            self.set.maybe.iter_mut().skip(word).take(1).for_each(|bits| *bits |= bit);
        }
        self.set.rules.shrink_to_fit();
        self.set.told.shrink_to_fit();
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
        let Some(needed) = request.operation.switches() else { return ('a', None, true, false) };
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
        let mut builder = Builder::new(7);
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
                    account: &account, service: SERVICES[service], operation: Operation::named(OPERATIONS[operation]),
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
        let empty = Builder::new(0).build();
        let request =
            Request { account: "a", service: "s", operation: Operation::named("storage.write"), region: None, at: 0 };
        assert!(empty.is_empty() && matches!(empty.check(&request).verdict, Verdict::Allow));
    }

    /// `ab` on `c` is not `a` on `bc`.
    #[test]
    fn account_and_service_are_told_apart() {
        let mut builder = Builder::new(1);
        builder.source(source(1));
        let switches = Switches::NONE.with(Switch::Write);
        let scope =
            Scope { account: "ab", service: "c", region: None, switches, from: 0, window: 0, until: 9, enforced: true };
        builder.add(1, &scope).unwrap();
        assert_eq!(builder.add(2, &Scope { account: &"x".repeat(65_536), ..scope }), Err(TooMany));
        let set = builder.build();
        let refused = |account, service| {
            let request =
                Request { account, service, operation: Operation::named("storage.write"), region: None, at: 0 };
            matches!(set.check(&request).verdict, Verdict::Refuse(_))
        };
        assert!(refused("ab", "c") && !refused("a", "bc") && !refused("abc", "") && !refused("", "abc"));
    }
}
