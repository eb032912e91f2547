//! A stage for tests: the people, a case they carry, and the acts that bring it to where a test begins.
//!
//! It checks nothing itself; [`crate::story`] tells the review as a whole on it.

use crate::act::*;
use crate::audit::audit;
use crate::case::Case;
use crate::metered::{Line, Metered};
use crate::procedure::{Basis, Procedure, Respite};
use crate::public::{Entry, at_once};
use crate::roster::{AccountTeam, KeyForm, Member, PublicKey, Roster};
use crate::rules::{Context, Elsewhere, Refusal, Rule, open};
use crate::seal;
use crate::words::*;
use ed25519_dalek::{Signer, SigningKey};
use std::collections::{BTreeMap, BTreeSet};

/// 2026-03-01T00:00:00Z.
pub(crate) const START: Moment = Moment(1_772_323_200);

pub(crate) fn procedure() -> Procedure {
    #[derive(serde::Deserialize)]
    struct Pack {
        review: Procedure,
    }
    let text = include_str!("../../../policies/mass-surveillance/policy.toml");
    toml::from_str::<Pack>(text).unwrap().review
}

pub(crate) fn name<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap()
}

pub(crate) fn key(person: &str) -> SigningKey {
    SigningKey::from_bytes(&Digest::of(person).0)
}

/// Somebody, their roles and whom they answer to. Sal sells to the customer, Mia is above her, Zoe declares nothing.
pub(crate) const PEOPLE: [(&str, &[Role], &str); 14] = [
    ("ann", &[Role::Reviewer, Role::Analyst], "head"),
    ("ivy", &[Role::Reviewer, Role::Analyst], "head"),
    ("ben", &[Role::Decider], "law"),
    ("cleo", &[Role::Decider], "trust"),
    ("dan", &[Role::Decider], "law"),
    ("oda", &[Role::Decider], "law"),
    ("eve", &[Role::AppealPanel, Role::Decider], "board"),
    ("fay", &[Role::AppealPanel], "board"),
    ("gus", &[Role::AppealPanel], "board"),
    ("hal", &[Role::Counsel], "law"),
    ("ines", &[Role::IntakeOfficer, Role::Reviewer], "head"),
    ("sal", &[Role::Reviewer, Role::Decider], "mia"),
    ("mia", &[Role::Decider], "ceo"),
    ("zoe", &[Role::Decider], "art"),
];

pub(crate) fn roster() -> Roster {
    let mut roster = Roster::default();
    for (person, roles, manager) in PEOPLE {
        let public = PublicKey(key(person).verifying_key().to_bytes());
        let member = Member {
            roles: roles.iter().copied().collect(),
            manager: Some(name(manager)),
            outside: person == "oda",
            identities: BTreeSet::from([format!("idp|{person}")]),
            keys: BTreeMap::from([(public, KeyForm::Ssh)]),
            ..Member::default()
        };
        roster.members.insert(name(person), member);
    }
    let team = AccountTeam { members: BTreeSet::from([name("sal")]), sponsor: None };
    roster.account_teams.insert(name("acme"), team);
    roster
}

pub(crate) fn text(of: &str) -> Text {
    Digest::of(of)
}

/// A case on a stage: whoever acts, acts now.
pub(crate) struct Stage {
    pub(crate) procedure: Procedure,
    pub(crate) roster: Roster,
    pub(crate) elsewhere: Elsewhere,
    pub(crate) without: Option<Rule>,
    pub(crate) events: Vec<Event>,
    /// What became public at once.
    pub(crate) public: Vec<Entry>,
    pub(crate) case: Option<Case>,
    pub(crate) now: Moment,
    pub(crate) commands: u32,
}

pub(crate) fn actor(by: &str) -> Actor {
    match by {
        "tribune" => Actor::System,
        "customer" => Actor::Customer,
        person => Actor::Person(name(person)),
    }
}

pub(crate) fn meters(id: &str, account: &str) -> Act {
    let about = BTreeSet::from([(name(account), Some(name("object-storage"))), (name(account), Some(name("speech")))]);
    Act::AddEvidence(Item {
        id: name(id),
        digest: text(id),
        basis: Basis::Meters,
        origin: name("provider"),
        anonymous: false,
        about,
    })
}

pub(crate) fn item(id: &str, basis: Basis, origin: &str) -> Act {
    let about = BTreeSet::new();
    Act::AddEvidence(Item { id: name(id), digest: text(id), basis, origin: name(origin), anonymous: true, about })
}

pub(crate) fn target(account: &str, service: &str, switches: &[Switch]) -> Target {
    let switches = switches.iter().copied().collect();
    Target { account: name(account), service: name(service), region: None, switches }
}

pub(crate) fn opening() -> Act {
    Act::Open(Opening {
        kind: Kind::Workload,
        policy: ("mass-surveillance".into(), "1".into(), text("pack")),
        customer: name("acme"),
        accounts: BTreeSet::from([name("a1"), name("a2")]),
        sources: BTreeSet::from([Source::Finding {
            finding: text("finding"),
            records: text("records"),
            score_db: None,
            families: BTreeSet::new(),
        }]),
    })
}

/// What a customer declares: voicemail in one region, with two services.
pub(crate) fn declaration(id: &str) -> Source {
    Source::Declaration(DeclaredFor {
        declaration: name(id),
        purpose: name("voicemail"),
        portfolio: BTreeSet::from([name("object-storage"), name("speech")]),
        places: BTreeSet::from([name("north")]),
        text: text("declared"),
    })
}

pub(crate) fn opening_of_declared(id: &str) -> Act {
    let Act::Open(opening) = opening() else { unreachable!() };
    let sources = BTreeSet::from([declaration(id)]);
    Act::Open(Opening { kind: Kind::DeclaredUse, accounts: BTreeSet::new(), sources, ..opening })
}

pub(crate) fn decision(id: &str, intervention: &str, targets: &[Target]) -> Decision {
    let switches: BTreeSet<Switch> = targets.iter().flat_map(|target| target.switches.iter().copied()).collect();
    let mut targets = targets.to_vec();
    targets.sort();
    Decision {
        id: name(id),
        order: Order::Impose { intervention: name(intervention) },
        determination: Some(0),
        targets,
        reasons: switches.into_iter().map(|switch| (switch, text("why"))).collect(),
        emergency: false,
        respite: Respite::default(),
        ends: None,
        review: Some(START.plus_days(300)),
    }
}

pub(crate) fn tell_employees(of: &str) -> Act {
    Act::TellEmployees { text: text(of), names_customer: false }
}

pub(crate) fn closing() -> Closing {
    Closing { remedy: text("remedy"), consulted: text("who"), lesson: text("lesson"), declared_use: None }
}

impl Stage {
    pub(crate) fn empty() -> Self {
        Self {
            procedure: procedure(),
            roster: roster(),
            elsewhere: Elsewhere::default(),
            without: None,
            events: Vec::new(),
            public: Vec::new(),
            case: None,
            now: START,
            commands: 0,
        }
    }

    /// An open case with everybody in their part, declared, and evidence of every kind.
    pub(crate) fn set() -> Self {
        let mut stage = Self::empty();
        stage.must("tribune", opening());
        stage.take_parts();
        stage.must("tribune", meters("m1", "a1"));
        stage.must("tribune", meters("m2", "a2"));
        stage.must("ann", item("doc", Basis::Document, "contract"));
        stage.must("ines", item("told1", Basis::OutsideSource, "press"));
        stage.must("ines", item("told2", Basis::OutsideSource, "press"));
        stage.must("ines", item("told3", Basis::OutsideSource, "ngo"));
        stage.must("hal", item("opinion", Basis::Opinion, "counsel"));
        stage
    }

    /// The customer was asked and let the time pass; every step is done.
    pub(crate) fn heard() -> Self {
        let mut stage = Self::set();
        stage.ask();
        stage.later(15);
        stage.do_steps();
        stage
    }

    /// A declared use with everybody in their part, and no account yet.
    pub(crate) fn declared() -> Self {
        let mut stage = Self::empty();
        stage.must("ann", opening_of_declared("s1"));
        stage.take_parts();
        stage
    }

    pub(crate) fn do_steps(&mut self) {
        for (step, by) in [("facts", "ann"), ("innocent-explanations", "ann"), ("counsel", "hal")] {
            self.must(by, Act::CompleteStep { step: name(step), note: text(step) });
        }
    }

    fn take_parts(&mut self) {
        for (person, roles, _) in PEOPLE.iter().filter(|(person, ..)| !["sal", "mia"].contains(person)) {
            for role in *roles {
                self.must("ann", Act::Assign { person: name(person), role: *role });
            }
            if *person != "zoe" {
                self.must(person, Act::Declare { conflict: None });
            }
        }
    }

    /// Every element is established, clear and convincing.
    pub(crate) fn determined() -> Self {
        let mut stage = Self::heard();
        stage.must("ann", stage.determination(Standard::ClearAndConvincing));
        stage
    }

    /// `read-only` on a1 is proposed by Ann.
    pub(crate) fn proposed() -> Self {
        let mut stage = Self::determined();
        stage.must("ann", Act::Propose(read_only("d1")));
        stage
    }

    /// What a1, a2 and a3 used in the last two weeks, whatever the decision.
    pub(crate) fn preview(&self, decision: &str) -> Act {
        Act::Preview { decision: name(decision), metered: metered(self.now.plus_days(-14), 14) }
    }

    pub(crate) fn approved() -> Self {
        let mut stage = Self::proposed();
        stage.approve("d1");
        stage
    }

    pub(crate) fn served() -> Self {
        let mut stage = Self::approved();
        stage.safe("statement");
        stage.must("ann", serve("d1", "statement"));
        stage
    }

    /// Its notice is over.
    pub(crate) fn served_later() -> Self {
        let mut stage = Self::served();
        stage.later(1);
        stage
    }

    pub(crate) fn in_effect() -> Self {
        let mut stage = Self::served_later();
        stage.must("tribune", stage.effect("d1"));
        stage
    }

    /// By the two who decide.
    pub(crate) fn approve(&mut self, decision: &str) {
        for decider in ["ben", "cleo"] {
            self.must(decider, self.approval(decider, decision));
        }
    }

    pub(crate) fn safe(&mut self, of: &str) {
        self.must("ivy", Act::ConfirmSafe { text: text(of), written_by: name("ann") });
    }

    pub(crate) fn ask(&mut self) {
        self.safe("question");
        let until = self.now.plus_days(14);
        self.must("ann", Act::Ask { id: name("q1"), text: text("question"), until });
    }

    pub(crate) fn determination(&self, standard: Standard) -> Act {
        let evidence = |id: &str| match id {
            "E3" => BTreeSet::from([name("told1"), name("told3")]),
            _ => BTreeSet::from([name("m1"), name("m2")]),
        };
        let answer = |id: &str| {
            let answer = Established::Established;
            (name(id), ElementAnswer { answer, standard, evidence: evidence(id), reasons: text("because") })
        };
        let elements = ["E1", "E2", "E3", "E4", "E5"].into_iter().map(answer).collect();
        let standing = self.case.as_ref().and_then(|case| case.standing_determination().map(|(place, _)| place));
        Act::Determine(Determination { elements, view: text("view"), supersedes: standing })
    }

    /// The same with one element answered otherwise.
    pub(crate) fn determination_but(&self, id: &str, change: impl FnOnce(&mut ElementAnswer)) -> Act {
        let Act::Determine(mut determination) = self.determination(Standard::ClearAndConvincing) else {
            unreachable!()
        };
        change(determination.elements.get_mut(&name::<ElementId>(id)).unwrap());
        Act::Determine(determination)
    }

    pub(crate) fn approval(&self, person: &str, decision: &str) -> Act {
        let shown = self.case.as_ref().unwrap().shown(&name(decision)).unwrap();
        self.approval_of(person, decision, Digest::of(shown))
    }

    /// Of what was shown, whatever it was.
    pub(crate) fn approval_of(&self, person: &str, decision: &str, shown: Digest) -> Act {
        let case = self.case.as_ref().unwrap();
        let decided = &case.decisions[&name::<DecisionId>(decision)];
        let message = seal::message(&case.id, &decided.decision, &shown);
        let signature = key(person).sign(&seal::ssh_blob(message.as_bytes())).to_bytes();
        let approval = Approval {
            key: PublicKey(key(person).verifying_key().to_bytes()),
            form: KeyForm::Ssh,
            signature: signature.iter().map(|byte| format!("{byte:02x}")).collect(),
            shown,
            identity: None,
        };
        Act::Approve { decision: name(decision), approval }
    }

    pub(crate) fn effect(&self, decision: &str) -> Act {
        let (_, root) = self.case.as_ref().unwrap().sealed(&name(decision)).unwrap();
        Act::TakeEffect { decision: name(decision), root }
    }

    pub(crate) fn later(&mut self, days: i64) {
        self.now = self.now.plus_days(days).plus_hours(1);
    }

    pub(crate) fn send(&mut self, command: Command) -> Result<bool, Refusal> {
        let context = Context {
            procedure: &self.procedure,
            roster: &self.roster,
            elsewhere: &self.elsewhere,
            without: self.without,
        };
        let event = match &self.case {
            None => Some(open(&context, name("case-1"), command)?),
            Some(case) => case.admit(&context, command)?,
        };
        let Some(event) = event else { return Ok(false) };
        match &mut self.case {
            None => self.case = Case::opened_by(&event),
            Some(case) => case.apply(&event, &self.procedure),
        }
        let public = at_once(self.case(), &event, &mut |decision| Digest::of(decision.as_str()).0);
        self.public.extend(public);
        self.events.push(event);
        Ok(true)
    }

    /// What is proposed says, unless it does, the latest end that can be sealed and what the procedure leaves the customer.
    pub(crate) fn act(&mut self, by: &str, mut act: Act) -> Result<bool, Refusal> {
        self.commands += 1;
        if let Act::Propose(Decision { order: Order::Impose { intervention }, emergency, ends, respite, .. }) = &mut act
        {
            let intervention = self.procedure.intervention(intervention);
            *ends = ends.or_else(|| intervention?.latest_end(*emergency, self.now));
            if let Some(intervention) = intervention.filter(|_| *respite == Respite::default()) {
                *respite = intervention.respite(*emergency);
            }
        }
        let id = name(&format!("c{}", self.commands));
        self.send(Command { id, at: self.now, by: actor(by), act })
    }

    /// What is proposed is previewed at once, as the server does it.
    pub(crate) fn must(&mut self, by: &str, act: Act) {
        let said = format!("{by}: {act:?}");
        let proposed = if let Act::Propose(decision) = &act { Some(decision.id.clone()) } else { None };
        assert_eq!(self.act(by, act), Ok(true), "{said}");
        if let Some(decision) = proposed {
            self.must("tribune", self.preview(decision.as_str()));
        }
    }

    /// Tries by every lawful means to bring what is proposed into effect, whatever is refused on the way.
    pub(crate) fn carry_through(&mut self) {
        let case = self.case();
        let proposed: Vec<String> = case.decisions.keys().map(ToString::to_string).collect();
        for decision in proposed {
            let act = self.preview(&decision);
            let _ = self.act("tribune", act);
            for decider in ["cleo", "oda", "ben"] {
                let act = self.approval(decider, &decision);
                let _ = self.act(decider, act);
            }
            let statement = text(&decision);
            let _ = self.act("ivy", Act::ConfirmSafe { text: statement, written_by: name("ann") });
            let _ = self.act("ann", Act::ServeNotice { decision: name(&decision), statement, public: statement });
            self.later(8);
            let act = self.preview(&decision);
            let _ = self.act("tribune", act);
            let act = self.effect(&decision);
            let _ = self.act("tribune", act);
        }
    }

    pub(crate) fn case(&self) -> &Case {
        self.case.as_ref().unwrap()
    }

    pub(crate) fn breaches(&self) -> Vec<String> {
        audit(&self.events, &self.procedure, &self.roster).iter().map(ToString::to_string).collect()
    }
}

/// A test's statement is the same for the customer and the public.
pub(crate) fn serve(decision: &str, statement: &str) -> Act {
    let statement = text(statement);
    Act::ServeNotice { decision: name(decision), statement, public: statement }
}

/// Usage from the day of that moment on: a1 writes and reads, a2 writes.
pub(crate) fn metered(from: Moment, days: i64) -> Metered {
    let line = |account: &str, operation: &str| Line {
        account: name(account),
        service: name("object-storage"),
        operation: name(operation),
        region: None,
        quantity: 1_000 * days,
        days: u16::try_from(days).unwrap(),
        hour_max: Some(200),
    };
    let from = Moment(from.0 - from.0.rem_euclid(86_400));
    Metered {
        from,
        to: from.plus_days(days),
        records: text("records"),
        accounts: ["a1", "a2", "a3"].map(|account| (name(account), name("acme"))).into(),
        lines: vec![line("a1", "storage.read"), line("a1", "storage.write"), line("a2", "storage.write")],
    }
}

pub(crate) fn read_only(id: &str) -> Decision {
    decision(id, "read-only", &[target("a1", "object-storage", &[Switch::Write])])
}

pub(crate) fn lift(id: &str, of: &str, left: &[Target]) -> Decision {
    let order = Order::Lift { decision: name(of) };
    Decision { order, determination: None, review: None, ..decision(id, "read-only", left) }
}
