//! What a customer is told of a decision that was served on it, from the case alone: what its statement says in figures
//! and dates, as things stand now. Nothing in it is private, and nobody of the provider's is named.
//!
//! It words nothing: the statement of reasons does ([`crate::statement`]).

use crate::act::{Order, Source};
use crate::case::{Case, Standing};
use crate::procedure::{Procedure, Reach};
use crate::statement::{Times, elements};
use crate::words::{DecisionId, Moment, Role, Target, Text};

/// A decision that was served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// The decision.
    pub id: DecisionId,
    /// What is ordered, in words.
    pub title: String,
    /// How far it reaches.
    pub reach: Reach,
    /// The sealed list.
    pub targets: Vec<Target>,
    /// What of it is in force now.
    pub in_force: Vec<Target>,
    /// When the statement was served.
    pub served: Moment,
    /// When it takes effect at the earliest; when it did, if it did.
    pub from: Moment,
    /// Whether it has taken effect.
    pub took_effect: bool,
    /// When it ends by itself.
    pub ends: Option<Moment>,
    /// When it is looked at again.
    pub review: Option<Moment>,
    /// Whether it is over: run out, or lifted.
    pub over: bool,
    /// Until when data can be taken out in bulk, at least; none where no time was set.
    pub export_until: Option<Moment>,
    /// Until when it can be appealed.
    pub appeal_until: Moment,
    /// It could not wait for the hearing.
    pub emergency: bool,
    /// Each element of the clause, and what the determination says of it.
    pub elements: Vec<(String, String)>,
    /// In which role somebody proposed it.
    pub proposed_by: Role,
    /// How many of those who decide approved it.
    pub approvals: usize,
    /// Whether signals computed from usage records brought the case about.
    pub on_findings: bool,
    /// Whether notices did.
    pub on_reports: bool,
    /// The statement that was served.
    pub statement: Text,
    /// What the public was told.
    pub public: Text,
}

impl Measure {
    /// Of a decision; none where it was not served, or orders nothing but to lift another.
    pub fn of(case: &Case, id: &DecisionId, procedure: &Procedure) -> Option<Self> {
        let decided = case.decisions.get(id)?;
        let notice = decided.notice?;
        let Order::Impose { intervention } = &decided.decision.order else { return None };
        let intervention = procedure.intervention(intervention)?;
        let times = Times::of(decided, intervention, notice.at);
        let roles = case.parts.get(&decided.by).map(|part| &part.roles);
        let reviewed = roles.is_some_and(|roles| roles.contains(&Role::Reviewer));
        let late = decided.effect.map(|effect| (effect.0 - times.from.0).max(0)).unwrap_or_default();
        Some(Self {
            id: id.clone(),
            title: intervention.title.clone(),
            reach: intervention.reach,
            targets: decided.decision.targets.clone(),
            in_force: decided.in_force.clone(),
            served: notice.at,
            from: decided.effect.unwrap_or(times.from),
            took_effect: decided.effect.is_some(),
            ends: if decided.effect.is_some() { decided.ends } else { times.ends },
            review: decided.decision.review,
            over: decided.standing == Standing::Over,
            export_until: times.export_until.map(|until| Moment(until.0 + late)),
            appeal_until: times.appeal_until,
            emergency: decided.decision.emergency,
            elements: elements(case, decided, procedure),
            proposed_by: if reviewed { Role::Reviewer } else { Role::Decider },
            approvals: decided.approvals.len(),
            on_findings: case.sources.iter().any(|source| matches!(source, Source::Finding { .. })),
            on_reports: case.sources.iter().any(|source| matches!(source, Source::Report { .. })),
            statement: notice.statement,
            public: notice.public,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::Stage;

    fn measure(stage: &Stage) -> Option<Measure> {
        Measure::of(stage.case.as_ref().unwrap(), &"d1".parse().unwrap(), &stage.procedure)
    }

    #[test]
    fn what_was_not_served_is_told_to_nobody_and_what_was_as_it_stands() {
        assert_eq!(measure(&Stage::proposed()), None);
        assert_eq!(measure(&Stage::approved()), None);
        let served = measure(&Stage::served()).unwrap();
        assert!(!served.took_effect && served.in_force.is_empty() && !served.targets.is_empty());
        assert!(served.from >= served.served && served.appeal_until > served.served);
        let now = measure(&Stage::in_effect()).unwrap();
        assert!(now.took_effect && !now.over && now.in_force == now.targets);
        assert_eq!((now.statement, now.approvals), (served.statement, 2));
        assert!(!now.elements.is_empty());
    }
}
