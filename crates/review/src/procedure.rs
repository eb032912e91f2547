//! What a policy pack says of its review: the elements to be shown and what may show each, the steps, the interventions
//! and what each needs, and what can never be a target.
//!
//! It is the law of a case, read once and named by its digest in every case. It knows no case and no person.

use crate::case::EMERGENCY_DAYS;
use crate::words::{ElementId, InterventionId, Moment, Role, ServiceId, Standard, StepId, Switch};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The procedure of one policy pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Procedure {
    /// Services that are never a target.
    pub protected_services: BTreeSet<ServiceId>,
    /// How many must approve a decision, its proposer apart; at least two.
    pub approvals: usize,
    /// The days a customer has to answer before its silence may be held to be a refusal.
    pub days_to_answer: i64,
    /// What must be shown, in order.
    #[serde(rename = "element")]
    pub elements: Vec<Element>,
    /// What must be done before a decision that restricts, in order.
    #[serde(rename = "step", default)]
    pub steps: Vec<Step>,
    /// What may be ordered, mildest first.
    #[serde(rename = "intervention")]
    pub interventions: Vec<Intervention>,
}

/// One of the things that must be shown for a clause to be breached; `clause.md` defines it in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Element {
    /// As the clause numbers it.
    pub id: ElementId,
    /// In words.
    pub title: String,
    /// What may show it.
    pub rests_on: BTreeSet<Basis>,
    /// Whether an interim intervention needs it.
    pub interim: bool,
}

/// What an item of evidence is, for what it may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// The provider's own meters.
    Meters,
    /// A document: a contract, an order, a description of the system.
    Document,
    /// What somebody outside tells, a report among them. Needs a second one of another origin.
    OutsideSource,
    /// What the customer answered, or that it refused to.
    CustomerAnswer,
    /// The opinion of an expert or of counsel. Shows nothing alone.
    Opinion,
}

impl Basis {
    /// For people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Meters => "meters",
            Self::Document => "documents",
            Self::OutsideSource => "two independent sources outside",
            Self::CustomerAnswer => "the customer's answer or refusal",
            Self::Opinion => "an opinion",
        }
    }
}

/// Something to be done, by whom and by when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name.
    pub id: StepId,
    /// In words.
    pub title: String,
    /// Who may say that it is done.
    pub by: Role,
    /// Days after the case was opened by which it is due.
    pub due_days: i64,
}

/// How far an intervention reaches: what must be shown, and how surely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// Asks, or keeps the provider's own books: restricts nobody.
    Asks,
    /// Holds things as they are for a while: reasonable suspicion of the elements marked so.
    Interim,
    /// Disables: every element, more likely than not.
    Disables,
    /// Ends the service: every element, clear and convincing.
    Terminates,
}

impl Reach {
    /// How surely the elements must be shown; none for what restricts nobody.
    pub const fn standard(self) -> Option<Standard> {
        match self {
            Self::Asks => None,
            Self::Interim => Some(Standard::ReasonableSuspicion),
            Self::Disables => Some(Standard::MoreLikelyThanNot),
            Self::Terminates => Some(Standard::ClearAndConvincing),
        }
    }
}

/// Something that may be ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intervention {
    /// Its name.
    pub id: InterventionId,
    /// In words.
    pub title: String,
    /// What it needs.
    pub reach: Reach,
    /// What it may switch off; nothing where it makes no restriction.
    #[serde(default)]
    pub switches: BTreeSet<Switch>,
    /// Hours between the service of the notice and the earliest effect.
    #[serde(default)]
    pub notice_hours: u32,
    /// Days during which the customer can still take its data out after the effect.
    #[serde(default)]
    pub export_days: u32,
    /// Days after which it ends by itself, unless decided anew; without, it has a review date instead.
    pub ends_after_days: Option<i64>,
    /// Whether counsel must have given an opinion.
    #[serde(default)]
    pub counsel: bool,
    /// Whether people carry it out, as a task of somebody's with a date, who attests that it is done.
    #[serde(default)]
    pub task: bool,
}

/// What a decision leaves the customer. It is sealed, so that whoever holds the server takes none of it away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Respite {
    /// Hours between the service of the notice and the earliest effect.
    pub notice_hours: u32,
    /// Days during which the customer can still take its data out after the effect.
    pub export_days: u32,
}

/// How many days people have to approve what is for a time, on top of the time itself, until the end that is sealed.
pub const TO_APPROVE_DAYS: i64 = 14;

impl Intervention {
    /// What it leaves the customer; an emergency gives no notice.
    pub fn respite(&self, emergency: bool) -> Respite {
        let notice_hours = if emergency { 0 } else { self.notice_hours };
        Respite { notice_hours, export_days: self.export_days }
    }

    /// The latest end that can be sealed for what is proposed at some time; none where it need not end. It ends earlier
    /// where its days are over before, counted from its effect.
    pub fn latest_end(&self, emergency: bool, at: Moment) -> Option<Moment> {
        let own = self.ends_after_days.map(|days| at.plus_days(days.saturating_add(TO_APPROVE_DAYS)));
        let emergency = emergency.then(|| at.plus_days(EMERGENCY_DAYS));
        own.into_iter().chain(emergency).min()
    }
}

impl Procedure {
    /// What is wrong with it, a sentence each; nothing if it is well formed.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut say = |wrong: bool, text: String| {
            if wrong {
                faults.push(text);
            }
        };
        say(self.approvals < 2, "approvals: at least two people decide".to_owned());
        say(self.days_to_answer < 1, "days_to_answer: a customer has at least a day to answer".to_owned());
        say(self.elements.is_empty(), "element: a clause has at least one".to_owned());
        say(self.interventions.is_empty(), "intervention: a review can order at least one thing".to_owned());
        say(!self.elements.iter().any(|element| element.interim), "element: mark those an interim needs".to_owned());
        for element in &self.elements {
            let only_opinion = element.rests_on.iter().all(|basis| *basis == Basis::Opinion);
            say(only_opinion, format!("element {}: an opinion alone shows nothing; add what may show it", element.id));
        }
        for intervention in &self.interventions {
            let id = &intervention.id;
            let restricts = !intervention.switches.is_empty();
            say(
                restricts && intervention.reach == Reach::Asks,
                format!("intervention {id}: what asks switches nothing"),
            );
            let endless = intervention.reach == Reach::Interim && intervention.ends_after_days.is_none();
            say(endless, format!("intervention {id}: an interim one ends by itself; give ends_after_days"));
            let backwards = intervention.ends_after_days.is_some_and(|days| days < 0);
            say(backwards, format!("intervention {id}: ends_after_days is negative"));
        }
        let twice = |ids: Vec<&str>| ids.len() != ids.iter().collect::<BTreeSet<_>>().len();
        say(twice(self.elements.iter().map(|one| one.id.as_str()).collect()), "element: an id stands twice".to_owned());
        say(twice(self.steps.iter().map(|one| one.id.as_str()).collect()), "step: an id stands twice".to_owned());
        let ids = self.interventions.iter().map(|one| one.id.as_str()).collect();
        say(twice(ids), "intervention: an id stands twice".to_owned());
        faults
    }

    /// An intervention by its name.
    pub fn intervention(&self, id: &InterventionId) -> Option<&Intervention> {
        self.interventions.iter().find(|intervention| intervention.id == *id)
    }

    /// An element by its name.
    pub fn element(&self, id: &ElementId) -> Option<&Element> {
        self.elements.iter().find(|element| element.id == *id)
    }
}
