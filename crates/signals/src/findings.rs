//! Puts a ranking into words: findings as `scan --format json` lists them, names or pseudonyms included.
//!
//! It computes nothing: every number was in the evaluation.

use crate::docket::{Docket, Ranked, keep_most};
use crate::pack::Policy;
use crate::watch::{Evaluation, Reading, Watch, volume};
use review::words::readable;
use review::{Decibans, Finding, SignalReading};
use sha2::{Digest, Sha256};

/// The finding of one ranked workload.
pub fn finding(watch: &Watch, evaluation: &Evaluation, docket: &Docket, ranked: &Ranked, rank: u32) -> Finding {
    // Of those above the floor the docket has them already; of the others it needs none.
    let ranked = &Ranked { accounts: keep_most(watch, ranked.entity), ..ranked.clone() };
    let entity = ranked.entity as usize;
    let policy = watch.policies.get(evaluation.policy);
    let score = evaluation.scores.get(entity);
    let row = watch.rows.get(entity);
    let name = |account: &u32| watch.history.account_keys.get(*account as usize);
    let strongest = ranked.accounts.first();
    let signals = policy.map(|policy| readings(policy, evaluation, entity)).unwrap_or_default();
    Finding {
        rank,
        policy: policy.map_or_else(String::new, |policy| policy.id.clone()),
        customer: strongest.and_then(name).map_or_else(String::new, |key| key.customer.clone()),
        unit: strongest.and_then(|account| watch.fact(*account)?.unit.clone()).unwrap_or_default(),
        accounts: ranked.accounts.iter().filter_map(name).map(|key| key.account.clone()).collect(),
        score_db: score.map_or(Decibans::ZERO, |score| score.total),
        prior_db: policy.map_or(Decibans::ZERO, |policy| policy.prior),
        facts_db: score.map_or(Decibans::ZERO, |score| score.facts),
        completeness: row.and_then(|row| row.workload.hourly.completeness_permille).unwrap_or(0) as f64 / 1_000.0,
        opens_case: ranked.opens,
        families: score.map(|score| score.families).unwrap_or_default(),
        facts: policy.map(|policy| sentences(watch, docket, evaluation, policy, ranked)).unwrap_or_default(),
        signals,
    }
}

fn readings(policy: &Policy, evaluation: &Evaluation, entity: usize) -> Vec<SignalReading> {
    let signals = policy.signals.iter().zip(&evaluation.readings);
    signals
        .map(|(signal, readings)| {
            let Reading { value, completeness_permille, evidence } = readings.get(entity).copied().unwrap_or_default();
            SignalReading {
                id: signal.id.clone(),
                family: signal.family,
                value: value.map(|value| signal.in_unit(value)),
                value_unit: signal.unit.clone(),
                completeness: completeness_permille as f64 / 1_000.0,
                evidence_db: evidence,
                explanation: signal.explain(value),
            }
        })
        .collect()
}

/// What else bears on the score: verified use and why it does or does not count, the floor, the days.
fn sentences(watch: &Watch, docket: &Docket, evaluation: &Evaluation, policy: &Policy, ranked: &Ranked) -> Vec<String> {
    let mut out = Vec::new();
    let (Some(row), Some(score)) =
        (watch.rows.get(ranked.entity as usize), evaluation.scores.get(ranked.entity as usize))
    else {
        return out;
    };
    let calls = volume(&row.workload);
    for fact in ranked.accounts.iter().filter_map(|account| watch.fact(*account)) {
        let Some(verified) = &fact.verified else { continue };
        let of = &fact.account;
        out.push(match (verified.calls_per_hour, verified.until) {
            (None, _) => format!("verified use of {of} states no volume limit, so it takes nothing away"),
            (_, None) => format!("verified use of {of} states no expiry, so it takes nothing away"),
            (_, Some(until)) if until < evaluation.at.day() => format!("verified use of {of} expired on {until}"),
            (Some(limit), Some(until)) => format!(
                "verified use of {of} ({}, evidence {}) holds to {} calls an hour until {until}; seen: {}",
                verified.by_use,
                verified.evidence,
                readable(limit, 1),
                readable(calls, 1)
            ),
        });
    }
    let floor = docket.floors.get(&evaluation.policy).copied().unwrap_or(policy.floor);
    if floor > policy.floor {
        out.push(format!("the population itself raises the floor from {} to {floor} dB", policy.floor));
    }
    if score.total >= floor && !ranked.above {
        out.push(format!(
            "fewer than {} families speak with {} dB or more, so no case opens",
            policy.families_needed.count, policy.families_needed.at_least_db
        ));
    }
    if ranked.above && !ranked.lasting {
        out.push("above the floor, but not yet on two of three days".into());
    }
    if ranked.lasting && !ranked.opens {
        out.push("waits: the week's review budget is spent, or it was cleared and nothing new has come".into());
    }
    out
}

/// Replaces the names in a finding by pseudonyms that are the same within one set of records and policy.
pub fn pseudonymise(finding: &mut Finding, salt: &str) {
    finding.facts.retain(|fact| !finding.accounts.iter().any(|account| fact.contains(account.as_str())));
    for account in &mut finding.accounts {
        *account = pseudonym(salt, "account", account);
    }
    if !finding.unit.is_empty() {
        finding.unit = pseudonym(salt, "unit", &format!("{}\u{1f}{}", finding.customer, finding.unit));
    }
    finding.customer = pseudonym(salt, "customer", &finding.customer);
}

/// `~` and twelve letters from SHA-256 over the salt, what it names and the name. Whoever holds the records can find
/// the name again, and so can whoever knows the salt and tries every name there may be: it keeps names from being read in
/// passing, not from being looked for.
pub fn pseudonym(salt: &str, of: &str, name: &str) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut hash = Sha256::new();
    for part in [salt, of, name] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let letters =
        hash.finalize().into_iter().take(12).map(|byte| LETTERS.get(usize::from(byte % 32)).copied().unwrap_or(b'a'));
    std::iter::once('~').chain(letters.map(char::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudonyms_are_stable_and_differ_by_records_and_kind() {
        assert_eq!(pseudonym("a", "account", "x"), pseudonym("a", "account", "x"));
        assert_ne!(pseudonym("a", "account", "x"), pseudonym("b", "account", "x"));
        assert_ne!(pseudonym("a", "account", "x"), pseudonym("a", "customer", "x"));
        assert_eq!(pseudonym("a", "account", "x").len(), 13);
    }
}
