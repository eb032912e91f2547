//! Entities: accounts, and what they belong to. And what the facts say of them.
//!
//! A workload may live in one account, in a unit, in a customer's accounts or in accounts that only their behaviour
//! links; each of these is looked at as one entity. It is not scoring.

use crate::links::Links;
use crate::series::History;
use crate::workload::columns;
use review::Decibans;
use review::evidence::divide_half_even;
use usage::facts::Fact;
use usage::{Day, Hour, RegionKey};

/// What holds an entity's accounts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A single account.
    Account,
    /// A unit of a customer.
    Unit,
    /// A customer.
    Customer,
    /// Accounts linked by what they do.
    Linked,
}

/// Something that is scored as one workload.
#[derive(Clone, Debug)]
pub struct Entity {
    /// What holds it together.
    pub kind: Kind,
    /// Account indices, rising.
    pub accounts: Vec<u32>,
    /// What links its accounts.
    pub links: Links,
}

columns! { facts Known:
    declared_calls_per_hour "calls an hour that the entity's accounts declare, together";
    population_served "persons served, as declared; the largest of its accounts";
    verified_calls_per_hour "calls an hour that the provider has verified and that have not expired, together";
    isolated "1 if one of its accounts is isolated, 0 if it is known that none is";
    dedicated_link "1 if one of its accounts has a dedicated link, 0 if it is known that none has";
    use_declared "1 if one of its accounts declares a use, 0 if none does";
    age_days "days since its oldest account was created";
    declaring_calls_per_hour "mean calls an hour of those accounts of the entity that declare a volume";
}

/// What facts say of an entity on a day; `facts` has each of its accounts' fact of that day, if any, and `calls` tells
/// the mean calls an hour of one account.
pub fn known(entity: &Entity, facts: &[Option<Fact>], day: Day, calls: impl Fn(u32) -> i64) -> Known {
    let facts =
        || entity.accounts.iter().filter_map(|account| Some((*account, facts.get(*account as usize)?.as_ref()?)));
    let own = || facts().map(|(_, fact)| fact);
    let declaring = facts().filter(|(_, fact)| fact.declared_calls_per_hour.is_some());
    let total = |values: Vec<i64>| (!values.is_empty()).then(|| values.into_iter().fold(0, i64::saturating_add));
    let any = |flag: fn(&Fact) -> Option<bool>| own().filter_map(flag).reduce(|a, b| a || b).map(i64::from);
    Known {
        declared_calls_per_hour: total(own().filter_map(|fact| fact.declared_calls_per_hour).collect()),
        population_served: own().filter_map(|fact| fact.population_served).max(),
        verified_calls_per_hour: total(own().filter_map(|fact| verified_limit(fact, day)).collect()),
        isolated: any(|fact| fact.isolated),
        dedicated_link: any(|fact| fact.dedicated_link),
        use_declared: (own().count() > 0).then(|| i64::from(own().any(|fact| fact.declared_use.is_some()))),
        age_days: own().filter_map(|fact| fact.created_on).min().map(|created| i64::from(day.0 - created.0).max(0)),
        declaring_calls_per_hour: total(declaring.map(|(account, _)| calls(account)).collect()),
    }
}

/// The volume up to which a verified use counts: it needs a limit and an expiry that has not passed.
fn verified_limit(fact: &Fact, day: Day) -> Option<i64> {
    let verified = fact.verified.as_ref()?;
    verified.until.filter(|until| day <= *until)?;
    verified.calls_per_hour
}

/// Share of what the entity stored in the 168 hours (or, by daily rows, the 7 days) before `at` that lies outside its
/// accounts' home regions, in thousandths; `None` where none of them names home regions.
pub fn foreign_stored_permille(entity: &Entity, facts: &[Option<Fact>], history: &History, at: Hour) -> Option<i64> {
    let (mut abroad, mut all) = (0_i64, 0_i64);
    for &account in &entity.accounts {
        let Some(Some(fact)) = facts.get(account as usize) else { continue };
        let Some(Some(state)) = history.accounts.get(account as usize) else { continue };
        if fact.home_regions.is_empty() {
            continue;
        }
        for (region, stored) in state.stored_by_region(at) {
            let name = history.region_keys.get(usize::from(region)).map(|RegionKey { region, .. }| region.as_str());
            all = all.saturating_add(stored.max(0));
            if name.is_some_and(|name| !name.is_empty() && !fact.home_regions.iter().any(|home| home == name)) {
                abroad = abroad.saturating_add(stored.max(0));
            }
        }
    }
    crate::numbers::permille(abroad, all)
}

/// What verified use takes away: −25 dB up to its limit, less and less beyond it, nothing from twice the limit on.
pub fn facts_evidence(verified_calls_per_hour: Option<i64>, calls_per_hour: i64) -> Decibans {
    let Some(limit) = verified_calls_per_hour.filter(|limit| *limit > 0) else { return Decibans::ZERO };
    let within = (2 * i128::from(limit) - i128::from(calls_per_hour)).clamp(0, i128::from(limit));
    Decibans::from_tenths(divide_half_even(-250 * within, i128::from(limit)) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verified_use_counts_up_to_its_limit_and_never_without_one() {
        let db = |tenths| Decibans::from_tenths(tenths);
        assert_eq!(facts_evidence(Some(1_000), 900), db(-250));
        assert_eq!(facts_evidence(Some(1_000), 1_500), db(-125));
        assert_eq!(facts_evidence(Some(1_000), 2_000), Decibans::ZERO);
        assert_eq!(facts_evidence(Some(1_000), i64::MAX), Decibans::ZERO);
        assert_eq!(facts_evidence(None, 0), Decibans::ZERO);
        assert_eq!(facts_evidence(Some(0), 0), Decibans::ZERO);
    }
}
