//! Made-up restrictions and requests, the same on every machine, and the answer to each by looking at every restriction of
//! its account.

use gate::{Operation, Switch, Switches};
use std::collections::BTreeMap;

/// 2026-03-01T00:00:00Z.
pub(crate) const MARCH: i64 = 1_772_323_200;

/// One restriction.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) account: String,
    pub(crate) service: &'static str,
    pub(crate) region: Option<&'static str>,
    pub(crate) switches: Switches,
    pub(crate) until: i64,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) account: String,
    pub(crate) service: &'static str,
    /// What it does, by its name: looked up once, beforehand, as the others are given the switch.
    pub(crate) operation: Operation,
    pub(crate) switch: Switch,
    pub(crate) region: &'static str,
    pub(crate) at: i64,
}

const SERVICES: [&str; 3] = ["object-storage", "speech", "language"];
const REGIONS: [&str; 4] = ["north", "south", "east", "west"];
const OPERATIONS: [[(&str, Switch); 3]; 3] = [
    [("storage.write", Switch::Write), ("storage.read", Switch::Read), ("storage.delete", Switch::Delete)],
    [("speech.transcription", Switch::Write), ("speech.speaker-id", Switch::Write), ("storage.list", Switch::Read)],
    [("language.tokens", Switch::Write), ("language.embedding", Switch::Write), ("storage.export", Switch::Export)],
];

/// Restrictions and requests: half of these of accounts that have restrictions.
pub(crate) struct World {
    pub(crate) rules: Vec<Rule>,
    pub(crate) questions: Vec<Question>,
    by_account: BTreeMap<String, Vec<usize>>,
}

impl World {
    pub(crate) fn new(rules: usize, questions: usize) -> Self {
        let mut dice = Dice(rules as u64);
        let accounts = (rules * 4 / 5).max(1) as u64;
        let rules: Vec<Rule> = (0..rules).map(|_| rule(&mut dice, accounts)).collect();
        let questions = (0..questions).map(|_| question(&mut dice, accounts)).collect();
        let mut by_account: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, rule) in rules.iter().enumerate() {
            by_account.entry(rule.account.clone()).or_default().push(place);
        }
        Self { rules, questions, by_account }
    }

    /// Reads a request, as a server has done before it asks.
    pub(crate) fn touch(&self, place: usize) {
        let Some(question) = self.questions.get(place) else { return };
        std::hint::black_box(question.account.bytes().fold(question.at, |sum, byte| sum ^ i64::from(byte)));
    }

    /// Whether anything is restricted on its account.
    pub(crate) fn is_restricted(&self, question: &Question) -> bool {
        self.by_account.contains_key(&question.account)
    }

    /// The answer.
    pub(crate) fn refuses(&self, question: &Question) -> bool {
        let places = self.by_account.get(&question.account).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|place| self.rules.get(*place)).any(|rule| {
            rule.service == question.service
                && rule.switches.contains(question.switch)
                && rule.region.is_none_or(|region| region == question.region)
                && question.at < rule.until
        })
    }
}

fn rule(dice: &mut Dice, accounts: u64) -> Rule {
    let account = name(dice.below(accounts));
    let (service, region) = (pick(dice, &SERVICES), pick(dice, &REGIONS));
    let region = (dice.below(2) == 0).then_some(region);
    let write = Switches::NONE.with(Switch::Write);
    let all = Switch::ALL.into_iter().collect();
    let (switches, until) = (pick(dice, &[write, write, all]), MARCH + pick(dice, &[-1, 86_400, 8_640_000]));
    Rule { account, service, region, switches, until }
}

fn question(dice: &mut Dice, accounts: u64) -> Question {
    // Accounts beyond the first have no restriction.
    let account = name(dice.below(2 * accounts));
    let service = pick(dice, &[0, 0, 0, 1, 2]);
    let (operation, switch) = OPERATIONS.get(service).map_or(("", Switch::Read), |own| pick(dice, own));
    let (service, operation) = (SERVICES.get(service).copied().unwrap_or_default(), Operation::named(operation));
    Question { account, service, operation, switch, region: pick(dice, &REGIONS), at: MARCH }
}

/// As long as those of real clouds.
fn name(number: u64) -> String {
    format!("acct-{:016x}", Dice(number).next())
}

fn pick<T: Copy, const N: usize>(dice: &mut Dice, of: &[T; N]) -> T {
    let place = dice.below(N as u64) as usize;
    of.get(place).copied().unwrap_or_else(|| unreachable!("a number below the length"))
}

/// SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators").
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}
