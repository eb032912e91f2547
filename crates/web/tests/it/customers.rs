//! The customer's page, through the real router over a real record: what one customer sees of its case, what it does
//! there, and that another sees nothing of it.

use crate::house::House;
use crate::signing::{Browser, account, set_roster};
use clerk::{Law, Sender, Sent};
use ed25519_dalek::{Signer as _, SigningKey};
use review::act::{
    Act, AppealOutcome, Approval, Decision, Determination, ElementAnswer, Established, Item, Kind, Opening, Order,
    Source,
};
use review::metered::Metered;
use review::procedure::{Basis, Procedure};
use review::roster::{KeyForm, Member, PublicKey, Roster};
use review::seal;
use review::statement::{Draft, Statement, Texts, Written};
use review::words::{CaseId, Digest, Moment, Role, Standard, Switch, Target, Text};
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use web::session::Who;

const QUESTION: &str = "Whose calls are these, and by whose leave? <b>\u{202e}";

#[derive(serde::Deserialize)]
struct Pack {
    review: Procedure,
}

fn law() -> Law {
    let text = include_str!("../../../../policies/mass-surveillance/policy.toml");
    let procedure = toml::from_str::<Pack>(text).unwrap().review;
    let (id, version, digest) = ("mass-surveillance".to_owned(), "1".to_owned(), Digest::of(text));
    Law { id, version, digest, title: "No mass surveillance of civilians".to_owned(), procedure }
}

fn name<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn key(person: &str) -> SigningKey {
    SigningKey::from_bytes(&Digest::of(person).0)
}

fn roster() -> Roster {
    let people: [(&str, &[Role], &str); 7] = [
        ("ann", &[Role::Reviewer, Role::Analyst], "mo"),
        ("ivy", &[Role::Reviewer], "mo"),
        ("hal", &[Role::Counsel], "law"),
        ("ben", &[Role::Decider], "chief"),
        ("cleo", &[Role::Decider], "head"),
        ("eve", &[Role::AppealPanel], "mo"),
        ("finn", &[Role::AppealPanel], "law"),
    ];
    let member = |(person, roles, manager): (&str, &[Role], &str)| {
        let keys = BTreeMap::from([(PublicKey(key(person).verifying_key().to_bytes()), KeyForm::Passphrase)]);
        let roles = roles.iter().copied().collect();
        (name(person), Member { roles, manager: Some(name(manager)), keys, ..Member::default() })
    };
    Roster { members: people.into_iter().map(member).collect(), ..Roster::default() }
}

/// A review, carried on step by step.
struct Review<'a> {
    house: &'a House,
    case: CaseId,
    sent: u32,
}

impl<'a> Review<'a> {
    async fn open(house: &'a House, customer: &str, account: &str) -> Self {
        let law = law();
        let source = Source::Finding {
            finding: Digest::of(account),
            records: Digest::of("r"),
            score_db: None,
            families: BTreeSet::new(),
        };
        let opening = Opening {
            kind: Kind::Workload,
            policy: (law.id.clone(), law.version.clone(), law.digest),
            customer: name(customer),
            accounts: BTreeSet::from([name(account)]),
            sources: BTreeSet::from([source]),
        };
        let sent = Sent { id: name(&format!("open-{customer}")), at: house.now(), by: Sender::System };
        let (case, _) = house.clerk.open_case(&sent, &law, Act::Open(opening)).await.unwrap();
        let mut review = Self { house, case, sent: 0 };
        for (person, member) in &roster().members {
            for role in &member.roles {
                review.must("ann", Act::Assign { person: person.clone(), role: *role }).await;
            }
            review.must(person.as_str(), Act::Declare { conflict: None }).await;
        }
        let item = |id: &str, basis, origin: &str| {
            Act::AddEvidence(Item {
                id: name(id),
                digest: Digest::of(id),
                basis,
                origin: name(origin),
                anonymous: false,
                about: BTreeSet::from([(name(account), None)]),
            })
        };
        review.must("tribune", item("m1", Basis::Meters, "meters")).await;
        review.must("ann", item("doc", Basis::Document, "contract")).await;
        review
    }

    async fn must(&mut self, by: &str, act: Act) {
        self.sent += 1;
        let id = name(&format!("{}-{}", self.case, self.sent));
        let by = if by == "tribune" { Sender::System } else { Sender::Person(by.to_owned()) };
        let sent = Sent { id, at: self.house.now(), by };
        let said = format!("{act:?}");
        self.house.clerk.enact(&sent, &self.case, act).await.unwrap_or_else(|error| panic!("{said}: {error}"));
    }

    /// A text that Ann wrote to the customer, and Ivy confirmed.
    async fn addressed(&mut self, text: &str) -> Text {
        let (clerk, papers) = (&self.house.clerk, &self.house.pages.papers);
        let by = Some(name("ann"));
        // First it is a text of the case alone, as when two people work on it; addressed, it is the customer's too.
        let now = self.house.now();
        let kept =
            clerk.keep(&self.papers(), by.as_ref(), Some(&self.case), &BTreeSet::new(), text.as_bytes(), now).await;
        let digest = kept.unwrap();
        assert_eq!(
            clerk.keep_for_customer(papers, by.as_ref(), Some(&self.case), text.as_bytes(), now).await.unwrap(),
            digest
        );
        self.must("ivy", Act::ConfirmSafe { text: digest, written_by: name("ann") }).await;
        digest
    }

    fn papers(&self) -> clerk::Papers {
        let recovery = store::Identity::generate().to_public();
        clerk::Papers { recovery: vec![recovery], ..clerk::Papers::default() }
    }

    async fn ask(&mut self) {
        let text = self.addressed(QUESTION).await;
        let until = self.house.now().plus_days(14);
        self.must("ann", Act::Ask { id: name("q1"), text, until }).await;
    }

    async fn decide(&mut self, account: &str) {
        for (step, by) in [("facts", "ann"), ("innocent-explanations", "ann"), ("counsel", "hal")] {
            self.must(by, Act::CompleteStep { step: name(step), note: Digest::of(step) }).await;
        }
        let answer = ElementAnswer {
            answer: Established::Established,
            standard: Standard::ClearAndConvincing,
            evidence: BTreeSet::from([name("doc")]),
            reasons: Digest::of("because"),
        };
        let elements = ["E1", "E2", "E3", "E4", "E5"].map(|id| (name(id), answer.clone())).into();
        self.must("ann", Act::Determine(Determination { elements, view: Digest::of("view"), supersedes: None })).await;
        let target = Target {
            account: name(account),
            service: name("speech"),
            region: None,
            switches: BTreeSet::from([Switch::Write]),
        };
        let law = law();
        let intervention = law.procedure.intervention(&name("read-only")).unwrap();
        let decision = Decision {
            id: name("d1"),
            order: Order::Impose { intervention: intervention.id.clone() },
            determination: Some(0),
            targets: vec![target],
            reasons: BTreeMap::from([(Switch::Write, Digest::of("why not less"))]),
            emergency: false,
            respite: intervention.respite(false),
            ends: None,
            review: Some(self.house.now().plus_days(90)),
        };
        self.must("ann", Act::Propose(decision.clone())).await;
        let to = Moment(self.house.now().0 - self.house.now().0.rem_euclid(86_400));
        let file = self.house.clerk.look(&Sender::System, &self.case, "a test", self.house.now()).await.unwrap();
        let customer = file.case.opening.customer.clone();
        let metered = Metered {
            from: to.plus_days(-14),
            to,
            records: Digest::of("records"),
            accounts: BTreeMap::from([(name(account), customer)]),
            lines: Vec::new(),
        };
        self.must("tribune", Act::Preview { decision: name("d1"), metered }).await;
        let file = self.house.clerk.look(&Sender::System, &self.case, "a test", self.house.now()).await.unwrap();
        let shown = Digest::of(file.case.shown(&name("d1")).unwrap());
        for person in ["ben", "cleo"] {
            let message = seal::message(&self.case, &decision, &shown);
            let signature = key(person).sign(message.as_bytes()).to_bytes();
            let approval = Approval {
                key: PublicKey(key(person).verifying_key().to_bytes()),
                form: KeyForm::Passphrase,
                signature: signature.iter().map(|byte| format!("{byte:02x}")).collect(),
                shown,
                identity: None,
            };
            self.must(person, Act::Approve { decision: name("d1"), approval }).await;
        }
    }

    async fn serve(&mut self) -> String {
        let written = |text: &str| Written::new(&Digest::of(text), text).unwrap();
        let texts = Texts {
            facts: written("Some million calls an hour were stored & sorted."),
            reasons: BTreeMap::from([(Switch::Write, written("why not less"))]),
            redress: written("A court of the seat of the provider."),
            credit: None,
        };
        let (law, now) = (law(), self.house.now());
        let file = self.house.clerk.look(&Sender::System, &self.case, "a test", now).await.unwrap();
        let draft = Draft {
            case: &file.case,
            decision: &name("d1"),
            procedure: &law.procedure,
            clause: &law.title,
            texts: &texts,
            served: now,
        };
        let statement = Statement::draft(&draft).unwrap();
        let digest = self.addressed(&statement.text()).await;
        let public = self.addressed(&statement.public_text()).await;
        assert_eq!((digest, public), (statement.digest(), statement.public_digest()));
        self.must("ann", Act::ServeNotice { decision: name("d1"), statement: digest, public }).await;
        statement.text()
    }
}

async fn customer<'a>(house: &'a House, customer: &str) -> Browser<'a> {
    let account = account(house, customer, Who::Customer(name(customer))).await;
    let mut browser = Browser::new(house);
    assert_eq!(browser.sign_in(&account).await.header("location"), "/customer");
    browser
}

/// Names that must stand on no page of a customer's, and numbers of people.
fn names_nobody(text: &str) {
    let shown: String =
        text.split('<').filter_map(|part| part.split_once('>')).map(|(_, shown)| format!(" {shown} ")).collect();
    for person in roster().members.keys() {
        let found = shown.split(|sign: char| !sign.is_alphanumeric()).any(|word| word == person.as_str());
        assert!(!found, "{person} is named: {shown}");
    }
}

async fn house() -> House {
    let house = House::new().await;
    set_roster(&house, "r1", &[], &roster()).await;
    house
}

#[tokio::test]
async fn a_customer_is_asked_restricted_told_why_and_appeals() {
    let house = house().await;
    let mut review = Review::open(&house, "acme", "a1").await;
    let mut acme = customer(&house, "acme").await;
    let page = acme.get("/customer").await;
    assert!(page.text().contains("Nothing is restricted") && !page.text().contains(review.case.as_str()));
    let address = format!("/customer/case/{}", review.case);
    assert_eq!(acme.get(&address).await.status.as_u16(), 404, "a case in which nothing was served is none");

    review.ask().await;
    let page = acme.get("/customer").await;
    assert!(page.text().contains("a question waits for your answer") && page.text().contains(&address));
    let page = acme.get(&address).await;
    let text = page.text();
    assert!(text.contains("Whose calls are these") && text.contains("&#60;b&#62;[U+202E]"), "{text}");
    names_nobody(&text);
    let (token, command) = (page.hidden("token"), page.hidden("command"));
    let answering = |text: &'static str, token: &str, command: &str| {
        let fields = [("question", "q1"), ("how", "answer"), ("text", text)];
        let more = [("token", token), ("command", command)];
        fields.into_iter().chain(more).map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>()
    };
    let post = format!("{address}/answer");
    async fn send(browser: &mut Browser<'_>, address: &str, fields: &[(String, String)]) -> crate::house::Answer {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        browser.post(address, &fields).await
    }
    let refused = send(&mut acme, &post, &answering("  ", &token, &command)).await;
    assert!(refused.status.as_u16() == 422 && refused.text().contains("Fill this in"));
    assert_eq!(send(&mut acme, &post, &answering("They are ours.", "forged", &command)).await.status.as_u16(), 403);
    for _ in 0..2 {
        // Sent twice, it is answered once.
        let answer = send(&mut acme, &post, &answering("They are ours.", &token, &command)).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, format!("{address}#q1").as_str()));
    }
    let other = acme.get("/customer/declare").await.hidden("command");
    let again = send(&mut acme, &post, &answering("No, they are not.", &token, &other)).await;
    assert!(again.status.as_u16() == 422 && again.text().contains("was answered already"), "{}", again.text());
    assert!(again.text().contains("No, they are not."), "what was typed is not lost");
    assert!(acme.get(&address).await.text().contains("They are ours."));

    review.decide("a1").await;
    assert!(!acme.get(&address).await.text().contains("read-only"), "what was not served is not told");
    let statement = review.serve().await;
    let page = acme.get(&address).await;
    let text = page.text();
    for part in [
        "served, not in force yet",
        "read-only",
        "E3 ",
        "2 people in the role decider",
        "role reviewer",
        "Appeal until",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    names_nobody(&text);
    let shown = acme.get(&format!("{address}/d1")).await;
    assert!(shown.text().contains("Some million calls an hour were stored &#38; sorted."), "{}", shown.text());
    names_nobody(&shown.text());
    let plain = acme.get(&format!("{address}/d1/text")).await;
    assert_eq!((plain.text(), plain.header("content-type")), (statement, "text/plain; charset=utf-8"));
    house.pass(24 * 60 * 60);
    let root = seal::root(&[Target {
        account: name("a1"),
        service: name("speech"),
        region: None,
        switches: BTreeSet::from([Switch::Write]),
    }]);
    review.must("tribune", Act::TakeEffect { decision: name("d1"), root }).await;
    // A day later the session is over.
    let account = crate::signing::again(&house, "acme").await;
    acme.sign_in(&account).await;
    let page = acme.get(&address).await;
    assert!(page.text().contains("in force</span>") && page.text().contains(">off</span>"), "{}", page.text());

    let (token, command) = (page.hidden("token"), page.hidden("command"));
    let appeal = [("decision", "d1"), ("ground", "It is a call centre."), ("token", &token), ("command", &command)];
    for _ in 0..2 {
        assert_eq!(acme.post(&format!("{address}/appeal"), &appeal).await.status.as_u16(), 303);
    }
    let text = acme.get(&address).await.text();
    assert!(text.contains("being heard by two") && text.contains("It is a call centre."), "{text}");
    assert_eq!(text.matches("It is a call centre.").count(), 1);
    assert!(!text.contains("Appeal against it"), "one at a time");
    let file = house.clerk.look(&Sender::System, &review.case, "a test", house.now()).await.unwrap();
    let id = file.case.appeals.keys().next().unwrap().clone();
    for person in ["eve", "finn"] {
        let (outcome, reasons) = (AppealOutcome::Upheld, Digest::of("reasons"));
        review.must(person, Act::DecideAppeal { id: id.clone(), outcome, reasons }).await;
    }
    let text = acme.get(&address).await.text();
    assert!(text.contains("upheld on"), "{text}");
    names_nobody(&text);
}

#[tokio::test]
async fn another_customers_case_is_as_if_it_were_none() {
    let house = house().await;
    let mut review = Review::open(&house, "acme", "a1").await;
    review.ask().await;
    review.decide_unheard().await;
    let mut harbour = customer(&house, "harbour").await;
    let overview = harbour.get("/customer").await;
    assert!(overview.text().contains("Nothing is restricted"));
    let (token, command) = (overview.hidden("token"), harbour.get("/customer/declare").await.hidden("command"));
    let fields = [
        ("question", "q1"),
        ("decision", "d1"),
        ("text", "ours"),
        ("ground", "ours"),
        ("token", token.as_str()),
        ("command", &command),
    ];
    for (case, there) in [(review.case.as_str(), true), ("case-00000000", false), ("no case", false)] {
        let case = case.replace(' ', "%20");
        let mut answers = Vec::new();
        for address in ["", "/d1", "/d1/text"] {
            answers.push(harbour.get(&format!("/customer/case/{case}{address}")).await);
        }
        for address in ["/answer", "/appeal"] {
            answers.push(harbour.post(&format!("/customer/case/{case}{address}"), &fields).await);
        }
        let said = |answer: &crate::house::Answer| (answer.status.as_u16(), answer.text().replace(&case, "CASE"));
        let all: BTreeSet<_> = answers.iter().map(|answer| said(answer).0).collect();
        assert_eq!(all, BTreeSet::from([404]), "{case} {there}");
    }
    let file = house.clerk.look(&Sender::System, &review.case, "a test", house.now()).await.unwrap();
    assert!(file.case.questions[&name("q1")].answer.is_none() && file.case.appeals.is_empty());
    // Nor do the provider's people come in here, or customers into what is theirs.
    let ann = crate::signing::person(&house, "ann").await;
    let mut anns = Browser::new(&house);
    anns.sign_in(&ann).await;
    assert_eq!(anns.get("/customer").await.status.as_u16(), 403);
}

#[tokio::test]
async fn a_use_is_declared_once_kept_sealed_and_read_by_who_opens_cases() {
    let house = house().await;
    let mut acme = customer(&house, "acme").await;
    let page = acme.get("/customer/declare").await;
    let (token, command) = (page.hidden("token"), page.hidden("command"));
    let declare = |accounts: &'static str, calls: &'static str| {
        [("use", "contact_centre"), ("accounts", accounts), ("calls", calls), ("text", "Support for the ferries.")]
    };
    let sent = |fields: [(&'static str, &'static str); 4]| {
        let more = [("token", token.clone()), ("command", command.clone())];
        fields.into_iter().map(|(name, value)| (name, value.to_owned())).chain(more).collect::<Vec<_>>()
    };
    let wrong = sent(declare("a1", "many"));
    let fields: Vec<(&str, &str)> = wrong.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = acme.post("/customer/declare", &fields).await;
    assert!(answer.status.as_u16() == 422 && answer.text().contains("write a whole number"));
    assert!(answer.text().contains("Support for the ferries."), "what was typed stays");
    let right = sent(declare("a1\r\na2", "1,200"));
    let fields: Vec<(&str, &str)> = right.iter().map(|(name, value)| (*name, value.as_str())).collect();
    for _ in 0..2 {
        assert_eq!(acme.post("/customer/declare", &fields).await.status.as_u16(), 303);
    }
    let text = acme.get("/customer").await.text();
    assert_eq!(text.matches("contact_centre").count(), 1);
    assert!(text.contains("1200"), "{text}");
    let declared = house.clerk.declarations("ann", house.now()).await.unwrap();
    assert_eq!((declared.len(), declared[0].accounts.len(), declared[0].calls_per_hour), (1, 2, Some(1_200)));
    assert!(house.clerk.declarations("hal", house.now()).await.is_err());
    let database = std::fs::read(house.folder.path().join("record.db")).unwrap();
    let journal = std::fs::read(house.folder.path().join("record.db-wal")).unwrap_or_default();
    for bytes in [database, journal] {
        assert!(!bytes.windows(24).any(|part| part == b"Support for the ferries."));
    }
    let mut other = customer(&house, "harbour").await;
    assert!(!other.get("/customer").await.text().contains("contact_centre"));
}

impl Review<'_> {
    /// Decided without an answer: two weeks passed.
    async fn decide_unheard(&mut self) {
        self.house.pass(15 * 24 * 60 * 60);
        self.decide("a1").await;
        self.serve().await;
    }
}
