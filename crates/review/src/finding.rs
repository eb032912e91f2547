//! A finding: what the signals of one policy say of one entity at one time. Evidence for people; it never acts.
//!
//! It is not a case (people open those, or the ranking does under a budget) and holds nothing of a customer's content.

use crate::evidence::{Decibans, Family, family_evidence, total};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One signal's part in a finding; silent signals are listed too, without a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignalReading {
    /// The signal's id in its policy pack.
    pub id: String,
    /// Its family.
    pub family: Family,
    /// The value, in `value_unit`; `None` when the data does not let the signal speak.
    pub value: Option<f64>,
    /// The unit a person reads.
    pub value_unit: String,
    /// How complete the data behind it is, 0 to 1.
    pub completeness: f64,
    /// The evidence, to a tenth of a deciban.
    pub evidence_db: Decibans,
    /// A sentence for people.
    pub explanation: String,
}

/// The five families' evidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Families {
    /// How much.
    pub scale: Decibans,
    /// What the traffic looks like.
    pub form: Decibans,
    /// What is done with it.
    pub processing: Decibans,
    /// How it fits what the customer says.
    pub declared: Decibans,
    /// How it is laid out over accounts and time.
    pub structure: Decibans,
}

impl Families {
    /// The families' evidence, computed from their signals.
    pub fn of<'a>(readings: impl IntoIterator<Item = &'a (Family, Decibans)> + Clone) -> Self {
        let family =
            |of: Family| family_evidence(readings.clone().into_iter().filter(|(family, _)| *family == of).map(|r| r.1));
        Self {
            scale: family(Family::Scale),
            form: family(Family::Form),
            processing: family(Family::Processing),
            declared: family(Family::Declared),
            structure: family(Family::Structure),
        }
    }

    /// One family's evidence.
    pub fn get(&self, family: Family) -> Decibans {
        match family {
            Family::Scale => self.scale,
            Family::Form => self.form,
            Family::Processing => self.processing,
            Family::Declared => self.declared,
            Family::Structure => self.structure,
        }
    }

    /// In the order of [`Family::ALL`].
    pub fn values(&self) -> [Decibans; 5] {
        Family::ALL.map(|family| self.get(family))
    }

    /// Those that speak: blueprint §6 asks for three of 4 dB.
    pub fn that_speak(&self) -> BTreeSet<Family> {
        let speaks = |family: &Family| self.get(*family) >= Decibans::from_tenths(40);
        Family::ALL.into_iter().filter(speaks).collect()
    }

    /// How many families speak with at least this much: blueprint §6 asks for three of 4 dB.
    pub fn speaking(&self, at_least: Decibans) -> usize {
        self.values().into_iter().filter(|evidence| *evidence >= at_least).count()
    }
}

/// A finding, as `scan --format json` lists it (contracts §3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// 1 for the highest score.
    pub rank: u32,
    /// The policy's id.
    pub policy: String,
    /// The customer of the strongest account, or a pseudonym.
    pub customer: String,
    /// The unit within the customer; empty when unknown.
    pub unit: String,
    /// The smallest set of accounts that keeps 80 % of the evidence.
    pub accounts: Vec<String>,
    /// prior + facts + Σ families, exactly.
    pub score_db: Decibans,
    /// What is believed before any evidence.
    pub prior_db: Decibans,
    /// What verified facts take away, −25 to 0 dB.
    pub facts_db: Decibans,
    /// How complete the data is, 0 to 1.
    pub completeness: f64,
    /// Whether the live system would open a case at this time.
    pub opens_case: bool,
    /// The families' evidence.
    pub families: Families,
    /// Sentences about verified facts, the floor and what else bears on the score.
    pub facts: Vec<String>,
    /// Every signal of the policy.
    pub signals: Vec<SignalReading>,
}

impl Finding {
    /// Adds the ledger again from its signals; `Err` says which sum does not hold.
    pub fn readd(&self) -> Result<(), String> {
        let parts: Vec<_> = self.signals.iter().map(|signal| (signal.family, signal.evidence_db)).collect();
        let families = Families::of(&parts);
        if families != self.families {
            return Err(format!("the families are {:?}, but their signals give {families:?}", self.families));
        }
        let sum = total(self.prior_db, self.facts_db, families.values());
        if sum == self.score_db {
            Ok(())
        } else {
            Err(format!("the score is {}, but its parts give {sum}", self.score_db))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(id: &str, family: Family, tenths: i32) -> SignalReading {
        SignalReading {
            id: id.into(),
            family,
            value: Some(1.0),
            value_unit: String::new(),
            completeness: 1.0,
            evidence_db: Decibans::from_tenths(tenths),
            explanation: String::new(),
        }
    }

    fn finding() -> Finding {
        Finding {
            rank: 1,
            policy: "p".into(),
            customer: "c".into(),
            unit: String::new(),
            accounts: vec!["a".into()],
            score_db: Decibans::from_hundredths(-3_380),
            prior_db: Decibans::from_tenths(-500),
            facts_db: Decibans::ZERO,
            completeness: 1.0,
            opens_case: false,
            families: Families {
                scale: Decibans::from_tenths(162).clip(crate::evidence::FAMILY_LIMITS),
                form: Decibans::from_hundredths(20),
                ..Families::default()
            },
            facts: vec![],
            signals: vec![
                reading("a", Family::Scale, 160),
                reading("b", Family::Scale, 40),
                reading("c", Family::Form, 2),
            ],
        }
    }

    #[test]
    fn a_ledger_that_adds_up_passes_and_a_doctored_one_does_not() {
        assert_eq!(finding().readd(), Ok(()));
        let mut doctored = finding();
        doctored.score_db = doctored.score_db + Decibans::from_hundredths(1);
        assert!(doctored.readd().unwrap_err().contains("score"));
        let mut doctored = finding();
        doctored.signals.pop();
        assert!(doctored.readd().unwrap_err().contains("families"));
    }

    #[test]
    fn three_families_are_counted_at_four_decibans() {
        let families =
            Families { scale: Decibans::from_tenths(40), form: Decibans::from_tenths(39), ..Families::default() };
        assert_eq!(families.speaking(Decibans::from_tenths(40)), 1);
    }
}
