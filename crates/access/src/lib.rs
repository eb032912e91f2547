//! Who of the provider's people may do what: Cedar policies with a strict schema, in `policies/`.
//!
//! It says what a *role* may do at all. What a person may do in one case, given what they and others did there before, is
//! in `review::rules`; both must allow. It signs nobody in and keeps nothing. Any error is a refusal: in Cedar a `forbid`
//! that cannot be evaluated is passed over, so the policies are validated before they are used, and an evaluation that
//! meets an error refuses whatever it says.

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression, Schema, ValidationMode, Validator,
};
use review::act::Act;
use review::report::Deed;
use review::words::{CaseId, Moment, PersonId, ReportId, Role};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::str::FromStr;

const SCHEMA: &str = include_str!("../policies/tribune.cedarschema");
const POLICIES: &str = include_str!("../policies/tribune.cedar");

/// Why something may not be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No policy permits it.
    #[error("{who} may not {action}: none of their roles ({roles}) is for that; ask somebody whose role it is")]
    NotPermitted {
        /// Who.
        who: PersonId,
        /// What.
        action: String,
        /// As what.
        roles: String,
    },
    /// A policy forbids it.
    #[error("{who} may not {action}: {reason}")]
    Forbidden {
        /// Who.
        who: PersonId,
        /// What.
        action: String,
        /// Why.
        reason: String,
    },
    /// The policies could not be asked.
    #[error("the access policies could not be asked, and what cannot be asked is refused: {0}")]
    Broken(String),
}

fn broken(error: impl std::fmt::Display) -> Denied {
    Denied::Broken(error.to_string())
}

/// Somebody who wants to do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Somebody {
    /// Who.
    pub person: PersonId,
    /// What they may be.
    pub roles: BTreeSet<Role>,
    /// Not employed by the provider: sees only these cases, until then.
    pub outside: Option<(BTreeSet<CaseId>, Moment)>,
}

/// What something is done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thing {
    /// A case.
    Case(CaseId),
    /// A report.
    Report(ReportId),
    /// All of the record.
    Record,
}

/// The policies, validated.
pub struct Access {
    policies: PolicySet,
    schema: Schema,
}

impl Access {
    /// The policies that are compiled in.
    ///
    /// # Errors
    /// If they are not valid against their schema, in Cedar's strict mode.
    pub fn built_in() -> Result<Self, Denied> {
        Self::new(SCHEMA, POLICIES)
    }

    fn new(schema: &str, policies: &str) -> Result<Self, Denied> {
        let (schema, _) = Schema::from_cedarschema_str(schema).map_err(broken)?;
        let policies = PolicySet::from_str(policies).map_err(broken)?;
        let validation = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
        let faults: Vec<String> = validation.validation_errors().map(ToString::to_string).collect();
        if faults.is_empty() { Ok(Self { policies, schema }) } else { Err(Denied::Broken(faults.join("; "))) }
    }

    /// Holds if somebody may do this to that now. `action` is one of the schema's: see [`of_act`] and [`of_deed`].
    ///
    /// # Errors
    /// What is against it, or what went wrong: both refuse.
    pub fn allows(&self, who: &Somebody, action: &str, thing: &Thing, now: Moment) -> Result<(), Denied> {
        let principal = uid("Person", who.person.as_str())?;
        let resource = match thing {
            Thing::Case(case) => uid("Case", case.as_str())?,
            Thing::Report(report) => uid("Report", report.as_str())?,
            Thing::Record => uid("Record", "record")?,
        };
        let now = RestrictedExpression::new_long(now.0);
        let context = Context::from_pairs([("now".to_owned(), now)]).map_err(broken)?;
        let request = Request::new(principal.clone(), uid("Action", action)?, resource, context, Some(&self.schema));
        let entities = Entities::from_entities([person(who, principal)?], Some(&self.schema)).map_err(broken)?;
        let answer = Authorizer::new().is_authorized(&request.map_err(broken)?, &self.policies, &entities);
        if let Some(error) = answer.diagnostics().errors().next() {
            return Err(broken(error));
        }
        if answer.decision() == Decision::Allow {
            return Ok(());
        }
        let forbidding = answer.diagnostics().reason().next().and_then(|id| self.policies.annotation(id, "reason"));
        let (who, action) = (who.clone(), action.replace('_', " "));
        let roles: Vec<&str> = who.roles.iter().map(|role| role.name()).collect();
        Err(match forbidding {
            Some(reason) => Denied::Forbidden { who: who.person, action, reason: reason.to_owned() },
            None => Denied::NotPermitted { who: who.person, action, roles: roles.join(", ") },
        })
    }
}

fn uid(kind: &str, id: &str) -> Result<EntityUid, Denied> {
    let kind = EntityTypeName::from_str(&format!("Tribune::{kind}")).map_err(broken)?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
}

fn person(who: &Somebody, id: EntityUid) -> Result<Entity, Denied> {
    let roles = who.roles.iter().map(|role| RestrictedExpression::new_string(role.name().to_owned()));
    let (cases, until) = who.outside.clone().unwrap_or((BTreeSet::new(), Moment(0)));
    let cases = cases.iter().map(|case| Ok(RestrictedExpression::new_entity_uid(uid("Case", case.as_str())?)));
    let cases: Vec<RestrictedExpression> = cases.collect::<Result<_, Denied>>()?;
    let attributes = HashMap::from([
        ("roles".to_owned(), RestrictedExpression::new_set(roles)),
        ("outside".to_owned(), RestrictedExpression::new_bool(who.outside.is_some())),
        ("cases".to_owned(), RestrictedExpression::new_set(cases)),
        ("until".to_owned(), RestrictedExpression::new_long(until.0)),
    ]);
    Entity::new(id, attributes, HashSet::new()).map_err(broken)
}

/// The action that an act in a case is.
pub fn of_act(act: &Act) -> &'static str {
    match act {
        Act::Open(_) => "open",
        Act::Join { .. } => "join",
        Act::TakeIn { .. } => "take_in",
        Act::GoOnIn { .. } => "go_on_in",
        Act::Assign { .. } => "assign",
        Act::Declare { .. } => "declare",
        Act::Release { .. } => "release",
        Act::NoteContact { .. } => "note_contact",
        Act::CompleteStep { .. } => "complete_step",
        Act::AddEvidence(_) => "add_evidence",
        Act::HandleEvidence { .. } => "handle_evidence",
        Act::ConfirmSafe { .. } => "confirm_safe",
        Act::Ask { .. } => "ask",
        Act::Answer { .. } => "answer",
        Act::WaiveHearing { .. } => "waive_hearing",
        Act::Determine(_) => "determine",
        Act::Dissent { .. } => "dissent",
        Act::Propose(_) => "propose",
        Act::Preview { .. } => "preview",
        Act::Compare { .. } => "compare",
        Act::Approve { .. } => "approve",
        Act::Refuse { .. } => "refuse",
        Act::ServeNotice { .. } => "serve_notice",
        Act::TakeEffect { .. } => "take_effect",
        Act::RunOut { .. } => "run_out",
        Act::Entrust { .. } => "entrust",
        Act::Attest { .. } => "attest",
        Act::NoteLeaving { .. } => "note_leaving",
        Act::DecideLeaving { .. } => "decide_leaving",
        Act::Check { .. } => "check",
        Act::LookAgain { .. } => "look_again",
        Act::FollowUp { .. } => "follow_up",
        Act::SettleFollowUp { .. } => "settle_follow_up",
        Act::Appeal(_) => "appeal",
        Act::AdmitAppeal { .. } => "admit_appeal",
        Act::DecideAppeal { .. } => "decide_appeal",
        Act::NamePublicly { .. } => "name_publicly",
        Act::Correct { .. } => "correct",
        Act::TellEmployees { .. } => "tell_employees",
        Act::Hold { .. } => "hold",
        Act::TakeUp => "take_up",
        Act::Escalate { .. } => "escalate",
        Act::Respond { .. } => "respond",
        Act::DecideUse { .. } => "decide_use",
        Act::Close(_) => "close",
        Act::Reopen { .. } => "reopen",
    }
}

/// The action that a deed on a report is; none for what its reporter does, or Tribune alone.
pub fn of_deed(deed: &Deed) -> Option<&'static str> {
    match deed {
        Deed::Receive { .. } => Some("receive"),
        Deed::Acknowledge => Some("acknowledge"),
        Deed::Write { .. } => Some("write"),
        Deed::Trace { .. } => Some("trace"),
        Deed::Triage(_) => Some("triage"),
        Deed::Tell { .. } => Some("tell"),
        Deed::Add { .. } | Deed::AskReview { .. } | Deed::CheckIn { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(1_772_323_200);

    fn somebody(roles: &[Role]) -> Somebody {
        Somebody { person: "p1".parse().unwrap(), roles: roles.iter().copied().collect(), outside: None }
    }

    fn case() -> Thing {
        Thing::Case("case-1".parse().unwrap())
    }

    fn thing_of(action: &str) -> Thing {
        match action {
            "read_report"
            | "receive"
            | "add"
            | "acknowledge"
            | "write"
            | "trace"
            | "triage"
            | "tell"
            | "open_outer_identity"
            | "open_inner_identity" => Thing::Report("r1".parse().unwrap()),
            "verify" | "read_all" | "erase" | "discard" | "publish" | "enrol" | "explore" => Thing::Record,
            _ => case(),
        }
    }

    /// Every action that the schema names.
    fn actions(access: &Access) -> Vec<String> {
        let mut all: Vec<String> = access.schema.actions().map(|action| action.id().unescaped().to_owned()).collect();
        all.sort();
        all
    }

    /// Who may do what, as a table: what a change of a policy changes, this test shows.
    #[test]
    fn each_role_may_do_this_and_nothing_else() {
        let access = Access::built_in().unwrap();
        let part = "confirm_safe declare dissent escalate keep_text note_contact read respond";
        let table: &[(Role, &str)] = &[
            (
                Role::Analyst,
                "add_evidence compare complete_step explore follow_up go_on_in handle_evidence join note_leaving open \
                             preview settle_follow_up take_in",
            ),
            (
                Role::Reviewer,
                "add_evidence ask assign attest check close compare complete_step correct determine entrust explore follow_up go_on_in \
                              handle_evidence hold look_again note_leaving preview propose publish release reopen run_out serve_notice \
                              settle_follow_up take_in take_up tell_employees verify",
            ),
            (Role::Expert, "add_evidence handle_evidence"),
            (Role::Counsel, "add_evidence ask complete_step handle_evidence"),
            (
                Role::Decider,
                "approve decide_leaving decide_use discard enrol erase look_again name_publicly propose refuse verify waive_hearing",
            ),
            (Role::AppealPanel, "admit_appeal decide_appeal"),
            (Role::IntakeOfficer, "acknowledge add_evidence join open read_report receive tell trace triage write"),
            (Role::CustodianA, "open_inner_identity"),
            (Role::CustodianB, "open_outer_identity"),
            (Role::GateEngineer, "attest compare keep_text preview read take_effect"),
            (Role::Auditor, "read read_all read_report verify"),
        ];
        for (role, own) in table {
            let parts = !matches!(role, Role::CustodianA | Role::CustodianB | Role::GateEngineer | Role::Auditor);
            let mut expected: Vec<&str> = own.split_whitespace().collect();
            expected.extend(part.split_whitespace().filter(|_| parts));
            expected.sort_unstable();
            let may = |action: &String| access.allows(&somebody(&[*role]), action, &thing_of(action), NOW).is_ok();
            let allowed: Vec<String> = actions(&access).into_iter().filter(may).collect();
            assert_eq!(allowed, expected, "{role:?}");
        }
    }

    #[test]
    fn what_the_customer_and_the_reporter_do_no_person_may() {
        let access = Access::built_in().unwrap();
        let all: Vec<Role> = Role::ALL.iter().copied().filter(|role| *role != Role::Auditor).collect();
        for action in ["answer", "appeal", "add"] {
            let denied = access.allows(&somebody(&all), action, &thing_of(action), NOW).unwrap_err();
            assert!(matches!(denied, Denied::NotPermitted { .. }), "{denied}");
        }
    }

    #[test]
    fn nobody_holds_both_locks_and_an_auditor_has_no_hand_in_anything() {
        let access = Access::built_in().unwrap();
        let both = somebody(&[Role::CustodianA, Role::CustodianB]);
        for action in ["open_inner_identity", "open_outer_identity"] {
            assert!(access.allows(&both, action, &thing_of(action), NOW).is_err());
        }
        let auditor = somebody(&[Role::Auditor, Role::Decider]);
        let denied = access.allows(&auditor, "approve", &case(), NOW).unwrap_err();
        assert!(denied.to_string().contains("no hand in what is audited"), "{denied}");
    }

    #[test]
    fn outside_counsel_sees_its_case_until_the_day() {
        let access = Access::built_in().unwrap();
        let bounded = (BTreeSet::from(["case-1".parse().unwrap()]), NOW);
        let counsel = Somebody { outside: Some(bounded), ..somebody(&[Role::Counsel]) };
        let before = Moment(NOW.0 - 1);
        assert_eq!(access.allows(&counsel, "read", &case(), before), Ok(()));
        let other = Thing::Case("case-2".parse().unwrap());
        for (thing, at) in [(&other, before), (&case(), NOW)] {
            let denied = access.allows(&counsel, "read", thing, at).unwrap_err();
            assert!(denied.to_string().contains("until the day that was agreed"), "{denied}");
        }
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
        let access = Access::built_in().unwrap();
        for (action, thing) in [("conquer", case()), ("read", Thing::Record), ("", case()), ("read\"", case())] {
            let denied = access.allows(&somebody(&Role::ALL), action, &thing, NOW).unwrap_err();
            assert!(matches!(denied, Denied::Broken(_)), "{action}: {denied}");
        }
        for wrong in [
            "permit (principal, action, resource) when { principal.sector == \"x\" };",
            "permit (",
            "forbid (principal, action == Tribune::Action::\"conquer\", resource);",
        ] {
            assert!(matches!(Access::new(SCHEMA, wrong), Err(Denied::Broken(_))), "{wrong}");
        }
    }
}
