//! A campaign of a thousand reports that are one: it counts once.

use std::collections::{BTreeMap, BTreeSet};

use clerk::envelope::Envelope;
use review::act::{Act, Command, Determination, ElementAnswer, Established, Item, Kind, Opening, Source};
use review::case::Case;
use review::procedure::{Basis, Procedure};
use review::report::Deed;
use review::roster::{Member, Roster};
use review::rules::{Context, Elsewhere, Rule, open};
use review::words::{Actor, Digest, Moment, Origin, Role, Standard};
use store::{Append, Identity, New};

use crate::house::{House, MIDNIGHT, Place, block_on, chance, drain, message, quick_keys, report, stream};

#[derive(serde::Deserialize)]
struct Pack {
    review: Procedure,
}

/// A thousand reports of one text, drained in one day and traced to where they come from: their names and origins.
fn campaign() -> Vec<(Source, Origin)> {
    let (house, place) = (House::new(), Place::new());
    let record = place.open();
    let opening = Identity::generate();
    let one = house.begins(&quick_keys(0, &opening), "What we all say.", &[]);
    let reports: Vec<_> = (0..1_000).map(|number| quick_keys(number, &opening).report).collect();
    let sent = reports.iter().map(|report| message(&Envelope { report: report.clone(), ..one.clone() }));
    block_on(record.take_in(&sent.collect::<Vec<_>>())).unwrap();
    assert!(drain(&record, MIDNIGHT).is_empty());
    let trace = |id| {
        let report = report(&record, id);
        let (command, by) = ("trace".parse().unwrap(), Some(Actor::Person("ina".parse().unwrap())));
        let deed = Deed::Trace { origin: "a campaign".parse().unwrap() };
        let event = report.admit(command, MIDNIGHT, by, deed).unwrap().unwrap();
        let events = vec![New { at: MIDNIGHT, body: serde_json::to_vec(&event).unwrap() }];
        Append { stream: stream(id), expected: report.version, events }
    };
    let traces: Vec<Append> = reports.iter().map(trace).collect();
    let answers = block_on(record.append_batch(&traces, &mut chance("traces"))).unwrap();
    assert!(answers.iter().all(Result::is_ok));
    let origin = |id: &_| report(&record, id).origin.unwrap();
    reports
        .into_iter()
        .map(|report| (origin(&report), report))
        .map(|(origin, report)| (Source::Report { report }, origin))
        .collect()
}

/// A case of one reviewer, who carries it as far as a determination.
struct Desk {
    procedure: Procedure,
    roster: Roster,
    case: Option<Case>,
    sent: u64,
}

impl Desk {
    fn new() -> Self {
        let text = include_str!("../../../../policies/mass-surveillance/policy.toml");
        let ann = Member {
            roles: BTreeSet::from([Role::Reviewer]),
            manager: None,
            outside: false,
            identities: BTreeSet::new(),
            keys: BTreeMap::new(),
            reads_with: BTreeSet::new(),
            left: None,
        };
        let members = BTreeMap::from([("ann".parse().unwrap(), ann)]);
        let roster = Roster { members, account_teams: BTreeMap::new() };
        Self { procedure: toml::from_str::<Pack>(text).unwrap().review, roster, case: None, sent: 0 }
    }

    /// The rule that is against it, if one is.
    fn act(&mut self, by: Actor, act: Act) -> Option<Rule> {
        self.sent += 1;
        let command = Command { id: format!("c{}", self.sent).parse().unwrap(), at: Moment(MIDNIGHT.0), by, act };
        let context = Context { procedure: &self.procedure, roster: &self.roster, elsewhere: &Elsewhere::default() };
        let event = match &self.case {
            None => open(&context, "case-1".parse().unwrap(), command).map(Some),
            Some(case) => case.admit(&context, command),
        };
        match event {
            Err(refusal) => return Some(refusal.rule),
            Ok(Some(event)) => match &mut self.case {
                None => self.case = Case::opened_by(&event),
                Some(case) => case.apply(&event, &self.procedure),
            },
            Ok(None) => {}
        }
        None
    }

    fn ann(&mut self, act: Act) -> Option<Rule> {
        self.act(Actor::Person("ann".parse().unwrap()), act)
    }

    /// Holds something that people outside tell.
    fn told(&mut self, id: &str, origin: &Origin) -> Option<Rule> {
        self.ann(Act::AddEvidence(Item {
            id: id.parse().unwrap(),
            digest: Digest::of(id),
            basis: Basis::OutsideSource,
            origin: origin.clone(),
            anonymous: true,
            about: BTreeSet::new(),
        }))
    }

    /// Establishes E3, and nothing else, on some evidence.
    fn determine(&mut self, evidence: &[&str]) -> Option<Rule> {
        let answer = |id: &str| ElementAnswer {
            answer: if id == "E3" { Established::Established } else { Established::Inconclusive },
            standard: Standard::ReasonableSuspicion,
            evidence: evidence.iter().filter(|_| id == "E3").map(|one| one.parse().unwrap()).collect(),
            reasons: Digest::of("because"),
        };
        let elements = self.procedure.elements.iter().map(|element| (element.id.clone(), answer(element.id.as_str())));
        let elements = elements.collect();
        self.ann(Act::Determine(Determination { elements, view: Digest::of("view"), supersedes: None }))
    }
}

#[test]
fn a_thousand_reports_of_one_origin_are_one_source() {
    let reports = campaign();
    assert_eq!(reports.len(), 1_000);
    let mut desk = Desk::new();
    let opening = Opening {
        kind: Kind::Workload,
        policy: ("mass-surveillance".into(), "1".into(), Digest::of("pack")),
        customer: "acme".parse().unwrap(),
        accounts: BTreeSet::from(["a1".parse().unwrap()]),
        sources: reports.iter().map(|(source, _)| source.clone()).collect(),
    };
    assert_eq!(desk.act(Actor::System, Act::Open(opening)), None);
    assert_eq!(desk.ann(Act::Assign { person: "ann".parse().unwrap(), role: Role::Reviewer }), None);
    assert_eq!(desk.ann(Act::Declare { conflict: None }), None);
    let ids: Vec<String> = (0..reports.len()).map(|number| format!("told{number}")).collect();
    for (id, (_, origin)) in ids.iter().zip(&reports) {
        assert_eq!(desk.told(id, origin), None);
    }
    let mut ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    assert_eq!(desk.determine(&ids[..1]), Some(Rule::TwoSources));
    assert_eq!(desk.determine(&ids), Some(Rule::TwoSources), "a thousand are no more than one");
    assert_eq!(desk.told("other", &"somebody else".parse().unwrap()), None);
    ids.push("other");
    assert_eq!(desk.determine(&ids), None);
}
