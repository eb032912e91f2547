//! The console, carried by several people through the real router over a real record: a case from its opening to the
//! effect of a decision and to its end; and what goes wrong on the way.

use crate::house::{Answer, House, NOW};
use crate::signing::{Account, Browser, person, set_roster};
use age::secrecy::ExposeSecret as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clerk::envelope::Sending;
use clerk::{Declaring, Law, Reporting, Sender, Sent};
use ed25519_dalek::{Signer as _, SigningKey};
use review::act::{Act, Closing, Determination, ElementAnswer, Established, Item, Kind, Opening, Source};
use review::case::{Phase, Standing};
use review::metered::{Line, Metered};
use review::procedure::{Basis, Procedure};
use review::report::Channel;
use review::roster::{AccountTeam, KeyForm, Member, PublicKey, Roster};
use review::seal;
use review::words::{CaseId, Digest, Moment, ReportId, Role, Standard};
use review::{Decibans, Family};
use scraper::{ElementRef, Html, Selector};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::{Files, Identity, PublicLog};
use tlog::{Policy, Signer};
use web::explore::Recent;
use web::portrait::{Date, Hour, MovedOut, OutOnDay};

const HOSTILE: &str = "Acme <script>alert(1)</script>\u{202e}";
const PASSPHRASE: &str = "a passphrase of several words";

#[derive(serde::Deserialize)]
struct Pack {
    review: Procedure,
}

fn law() -> Law {
    let text = include_str!("../../../../policies/mass-surveillance/policy.toml");
    let procedure = toml::from_str::<Pack>(text).unwrap().review;
    let (id, version, digest) = ("mass-surveillance".to_owned(), "1".to_owned(), Digest::of(text));
    Law { id, version, digest, title: "No mass surveillance".to_owned(), procedure }
}

fn key(person: &str) -> SigningKey {
    SigningKey::from_bytes(&Digest::of(person).0)
}

/// Ann and Ivy review, Ben and Cleo decide, Hal is counsel, Gus runs the gates, Ina and Ivo take reports
/// in, Cy and Dee keep their names, Eve and Finn decide appeals, Ada audits.
fn roster(ann: &Identity, ina: &Identity) -> Roster {
    let people: [(&str, &[Role], &str); 13] = [
        ("ann", &[Role::Reviewer, Role::Analyst], "head"),
        ("ivy", &[Role::Reviewer, Role::Analyst], "head"),
        ("ben", &[Role::Decider], "law"),
        ("cleo", &[Role::Decider], "trust"),
        ("hal", &[Role::Counsel], "law"),
        ("gus", &[Role::GateEngineer], "ops"),
        ("ina", &[Role::IntakeOfficer], "head"),
        ("ada", &[Role::Auditor], "board"),
        ("ivo", &[Role::IntakeOfficer], "head"),
        ("cy", &[Role::CustodianA], "board"),
        ("dee", &[Role::CustodianB], "law"),
        ("eve", &[Role::AppealPanel], "board"),
        ("finn", &[Role::AppealPanel], "law"),
    ];
    let mut roster = Roster::default();
    for (name, roles, manager) in people {
        let public = PublicKey(key(name).verifying_key().to_bytes());
        let reads = match name {
            "ann" => ann.to_public(),
            "ina" => ina.to_public(),
            _ => Identity::generate().to_public(),
        };
        let member = Member {
            roles: roles.iter().copied().collect(),
            manager: Some(manager.parse().unwrap()),
            keys: BTreeMap::from([(public, KeyForm::Ssh)]),
            reads_with: BTreeSet::from([reads.to_string()]),
            identities: BTreeSet::from([format!("idp|{name}")]),
            ..Member::default()
        };
        roster.members.insert(name.parse().unwrap(), member);
    }
    roster
}

pub(crate) struct Office {
    pub(crate) house: House,
    pub(crate) accounts: BTreeMap<&'static str, Account>,
    pub(crate) ann: Identity,
    pub(crate) ina: Identity,
    pub(crate) case: CaseId,
}

impl Office {
    async fn new() -> Self {
        Self::of(House::new().await, HOSTILE).await
    }

    /// Its people in a house, with a case about this customer.
    pub(crate) async fn of(house: House, customer: &str) -> Self {
        let (ann, ina) = (Identity::generate(), Identity::generate());
        set_roster(&house, "r1", &[], &roster(&ann, &ina)).await;
        let mut accounts = BTreeMap::new();
        for name in ["ann", "ivy", "ben", "cleo", "hal", "gus", "ina", "ada"] {
            accounts.insert(name, person(&house, name).await);
        }
        let case = open(&house, "open", &["acct-1", "acct-2"], customer).await;
        Self { house, accounts, ann, ina, case }
    }

    /// Somebody signs in, looks at the case and says what for.
    pub(crate) async fn at(&self, name: &str) -> Browser<'_> {
        let mut browser = Browser::new(&self.house);
        assert_eq!(browser.sign_in(&self.accounts[name]).await.status, 303, "{name}");
        let asked = browser.get(&self.page("")).await;
        assert!(asked.text().contains("Why do you look at it?"), "{}", asked.text());
        let fields = [
            ("command", asked.hidden("command")),
            ("token", asked.hidden("token")),
            ("next", asked.hidden("next")),
            ("purpose", "carrying <it>".to_owned()),
        ];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = browser.post(&self.page("/purpose"), &fields).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, self.page("").as_str()));
        browser
    }

    pub(crate) fn page(&self, end: &str) -> String {
        format!("/console/cases/{}{end}", self.case)
    }

    pub(crate) async fn file(&self) -> clerk::File {
        self.house.clerk.look(&Sender::System, &self.case, "a test", self.house.now()).await.unwrap()
    }

    /// Sends a deed's form as it was shown, with these fields.
    async fn send(&self, browser: &mut Browser<'_>, deed: &str, fields: &[(&str, &str)]) -> Answer {
        let shown = browser.get(&self.page(&format!("/do/{deed}"))).await;
        assert_eq!(shown.status, 200, "{deed}: {}", shown.text());
        whole(&shown);
        self.send_shown(browser, deed, &shown, fields).await
    }

    async fn send_shown(
        &self,
        browser: &mut Browser<'_>,
        deed: &str,
        shown: &Answer,
        fields: &[(&str, &str)],
    ) -> Answer {
        let page = Html::parse_document(&shown.text());
        let drawn: BTreeSet<&str> =
            all(&page, "form.deed [name]").iter().filter_map(|one| one.value().attr("name")).collect();
        for (name, _) in fields {
            assert!(drawn.contains(name), "{deed} has no field {name}: {drawn:?}");
        }
        let own: Vec<(String, String)> = hidden(shown);
        let own = own.iter().filter(|(name, _)| fields.iter().all(|(other, _)| other != name));
        let mut all: Vec<(&str, &str)> = own.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        all.extend(fields);
        let deed = deed.split('?').next().unwrap();
        browser.post(&self.page(&format!("/do/{deed}")), &all).await
    }

    pub(crate) async fn must(&self, browser: &mut Browser<'_>, deed: &str, fields: &[(&str, &str)]) {
        let answer = self.send(browser, deed, fields).await;
        assert_eq!(answer.status, 303, "{deed} {fields:?}: {}", faults(&answer));
    }
}

pub(crate) async fn open(house: &House, id: &str, accounts: &[&str], customer: &str) -> CaseId {
    let law = law();
    let source = Source::Finding {
        finding: Digest::of(id),
        records: Digest::of("r"),
        score_db: Some(Decibans::from_tenths(-68)),
        families: BTreeSet::from([Family::Scale, Family::Form, Family::Structure]),
    };
    let opening = Opening {
        kind: Kind::Workload,
        policy: (law.id.clone(), law.version.clone(), law.digest),
        customer: customer.parse().unwrap_or_else(|_| "Acme <script>alert(1)</script>".parse().unwrap()),
        accounts: accounts.iter().map(|account| account.parse().unwrap()).collect(),
        sources: BTreeSet::from([source]),
    };
    let sent = Sent { id: id.parse().unwrap(), at: house.now(), by: Sender::System };
    house.clerk.open_case(&sent, &law, Act::Open(opening)).await.unwrap().0
}

fn all<'a>(page: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    page.select(&Selector::parse(selector).unwrap()).collect()
}

/// What a browser would send of a form's hidden fields.
fn hidden(answer: &Answer) -> Vec<(String, String)> {
    let page = Html::parse_document(&answer.text());
    let fields = all(&page, "form.deed input[type=hidden]");
    let value = |field: &ElementRef<'_>, name: &str| field.value().attr(name).unwrap_or_default().to_owned();
    fields.iter().map(|field| (value(field, "name"), value(field, "value"))).collect()
}

/// What a page says is wrong.
fn faults(answer: &Answer) -> String {
    let page = Html::parse_document(&answer.text());
    let said = all(&page, ".notice, .fault, main > header");
    said.iter().map(|one| one.text().collect::<String>()).collect::<Vec<_>>().join("\n")
}

/// What every page of the console must be: whole, light, labelled, and with nothing in it that acts.
pub(crate) fn whole(answer: &Answer) {
    let text = answer.text();
    assert!(text.len() < 100_000, "{} bytes", text.len());
    assert!(!text.contains("<script") && !text.contains(" style=") && !text.contains('\u{202e}'), "{text}");
    let page = Html::parse_document(&text);
    assert_eq!(all(&page, "h1").len(), 1, "{text}");
    let ids: Vec<&str> = all(&page, "[id]").iter().map(|one| one.value().id().unwrap()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an id stands twice: {ids:?}");
    for field in
        all(&page, "main input:not([type=hidden]):not([type=checkbox]):not([type=radio]), main select, main textarea")
    {
        let id = field.value().id().unwrap_or_else(|| panic!("a field without a name: {}", field.html()));
        let labelled = all(&page, "label").iter().any(|label| label.value().attr("for") == Some(id));
        assert!(labelled, "{id} has no label");
    }
    for field in all(&page, "[aria-describedby]") {
        for id in field.value().attr("aria-describedby").unwrap().split(' ') {
            assert!(ids.contains(&id), "{id} describes and is not there");
        }
    }
}

/// As `ssh-keygen -Y sign` writes a signature (OpenSSH `PROTOCOL.sshsig`).
fn ssh_sign(person: &str, message: &str) -> String {
    let string = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
    let key = key(person);
    let public = [string(b"ssh-ed25519"), string(&key.verifying_key().to_bytes())].concat();
    let signature = key.sign(&seal::ssh_blob(message.as_bytes())).to_bytes();
    let signature = [string(b"ssh-ed25519"), string(&signature)].concat();
    let blob = [
        b"SSHSIG".to_vec(),
        1_u32.to_be_bytes().to_vec(),
        string(&public),
        string(seal::SSH_NAMESPACE.as_bytes()),
        string(b""),
        string(b"sha512"),
        string(&signature),
    ];
    let text = STANDARD.encode(blob.concat());
    let lines: Vec<&str> = text.as_bytes().chunks(70).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n"))
}

/// Ann brings her key and unlocks it.
pub(crate) async fn unlock(browser: &mut Browser<'_>, identity: &Identity) {
    let sealed = store::seal_with_passphrase(identity.to_string().expose_secret().as_bytes(), PASSPHRASE).unwrap();
    let me = browser.get("/me").await;
    let (command, token) = (browser.house.pages.command(), me.hidden("token"));
    let file = STANDARD.encode(sealed);
    let fields = [
        ("command", command.as_str()),
        ("token", &token),
        ("kind", "reads-with"),
        ("file", &file),
        ("passphrase", PASSPHRASE),
    ];
    let put = browser.post("/me/keys", &fields).await;
    assert_eq!(put.status, 303, "{}", faults(&put));
    unlock_again(browser).await;
}

async fn unlock_again(browser: &mut Browser<'_>) {
    let (command, token) = (browser.house.pages.command(), browser.get("/me").await.hidden("token"));
    let fields = [("command", command.as_str()), ("token", &token), ("passphrase", PASSPHRASE), ("next", "/me")];
    let unlocked = browser.post("/me/unlock", &fields).await;
    assert_eq!(unlocked.status, 303, "{}", faults(&unlocked));
}

const ELEMENTS: [&str; 5] = ["E1", "E2", "E3", "E4", "E5"];

fn determination() -> Vec<(String, String)> {
    let mut fields = vec![("view".to_owned(), "Two services; not what the recordings are.".to_owned())];
    for id in ELEMENTS {
        let evidence: &[&str] = if id == "E3" { &["told1", "told2"] } else { &["m1"] };
        fields.push((format!("answer-{id}"), "established".to_owned()));
        fields.push((format!("standard-{id}"), "clear-and-convincing".to_owned()));
        fields.push((format!("reasons-{id}"), format!("Because of {id}.")));
        fields.extend(evidence.iter().map(|one| (format!("evidence-{id}"), (*one).to_owned())));
    }
    fields
}

fn borrowed(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// Everybody in their part, with evidence of each kind.
pub(crate) async fn set(office: &Office) {
    let mut ann = office.at("ann").await;
    for (name, role) in
        [("ann", "reviewer"), ("ivy", "reviewer"), ("ben", "decider"), ("cleo", "decider"), ("hal", "counsel")]
    {
        office.must(&mut ann, "assign", &[("person", name), ("role", role)]).await;
        let mut own = if name == "ann" { office.at("ann").await } else { office.at(name).await };
        office.must(&mut own, "declare", &[("stands", "none")]).await;
    }
    office.must(&mut ann, "assign", &[("person", "ann"), ("role", "analyst")]).await;
    let meters = [
        ("id", "m1"),
        ("basis", "meters"),
        ("text", "a rollup"),
        ("origin", "provider"),
        ("about", "acct-1 object-storage\nacct-2 object-storage"),
    ];
    office.must(&mut ann, "evidence", &meters).await;
    for (id, origin) in [("told1", "press"), ("told2", "an organisation")] {
        let told = [("id", id), ("basis", "outside-source"), ("text", id), ("origin", origin), ("about", "")];
        office.must(&mut ann, "evidence", &told).await;
    }
}

/// The customer was asked and let the time pass, the steps are done, every element is answered.
pub(crate) async fn determined(office: &Office) {
    let mut ann = office.at("ann").await;
    office.must(&mut ann, "question", &[("text", "What is it for?")]).await;
    let text = Digest::of("What is it for?").to_string();
    let mut ivy = office.at("ivy").await;
    let refused = office.send(&mut ann, "confirm", &[("text", &text), ("sure", "yes")]).await;
    assert!(refused.status == 409 && faults(&refused).contains("did not write it"), "{}", faults(&refused));
    office.must(&mut ivy, "confirm", &[("text", &text), ("sure", "yes")]).await;
    let until = office.house.now().plus_days(14).day();
    office.must(&mut ann, "ask", &[("text", &text), ("id", "q1"), ("until", &until)]).await;
    office.house.pass(16 * 86_400);
    let mut ann = office.at("ann").await;
    let mut hal = office.at("hal").await;
    for step in ["facts", "innocent-explanations"] {
        office.must(&mut ann, "step", &[("step", step), ("note", "done")]).await;
    }
    office.must(&mut hal, "step", &[("step", "counsel"), ("note", "an opinion")]).await;
    office.must(&mut ann, "determine", &borrowed(&determination())).await;
}

pub(crate) async fn proposed(office: &Office, browser: &mut Browser<'_>) {
    let review = office.house.now().plus_days(400).day();
    let fields = [
        ("intervention", "read-only"),
        ("id", "d1"),
        ("target", "acct-1\tobject-storage\twrite"),
        ("reason-write", "It goes on, and nothing less stops it."),
        ("review", review.as_str()),
    ];
    let unreasoned: Vec<_> = fields.iter().filter(|(name, _)| *name != "reason-write").copied().collect();
    let refused = office.send(browser, "propose", &unreasoned).await;
    assert!(refused.status == 409 && faults(&refused).contains("Say for each switch why"), "{}", faults(&refused));
    let page = Html::parse_document(&refused.text());
    assert!(all(&page, "input[name=target][checked]").len() == 1, "what was chosen stays chosen");
    assert_eq!(all(&page, "input[name=review]")[0].value().attr("value"), Some(review.as_str()));
    office.must(browser, "propose", &fields).await;
    previewed(office).await;
}

/// What the server does by itself: by the usage of late, what is proposed stops writing and nothing else.
async fn previewed(office: &Office) {
    let (now, metered) = (office.house.now(), metered(office).await);
    let act = Act::Preview { decision: "d1".parse().unwrap(), metered };
    let sent = Sent { id: format!("preview-{}", now.0).parse().unwrap(), at: now, by: Sender::System };
    office.house.clerk.enact(&sent, &office.case, act).await.unwrap();
}

/// What the usage of late says: one account writes and reads.
async fn metered(office: &Office) -> Metered {
    let (file, now) = (office.file().await, office.house.now());
    let line = |operation: &str| Line {
        account: "acct-1".parse().unwrap(),
        service: "object-storage".parse().unwrap(),
        operation: operation.parse().unwrap(),
        region: None,
        quantity: 14_000,
        days: 14,
        hour_max: None,
    };
    let to = Moment(now.0 - now.0.rem_euclid(86_400));
    Metered {
        from: to.plus_days(-14),
        to,
        records: Digest::of("records"),
        accounts: file.case.accounts.iter().map(|one| (one.clone(), file.case.opening.customer.clone())).collect(),
        lines: vec![line("storage.read"), line("storage.write")],
    }
}

/// What the watch sees of the case: until its opening 40 GB leave on a day, from then on 900.
pub(crate) async fn watched(office: &Office) {
    let day = |at: Moment| i32::try_from(at.0.div_euclid(86_400)).unwrap();
    let (opened, today) = (day(office.file().await.case.opened), day(office.house.now()));
    let (first, bytes) = (opened - 24, |day: i32| if day < opened { 40_000_000_000 } else { 900_000_000_000 });
    let days = (first..=today).map(|day| Some(OutOnDay { bytes: bytes(day), complete: day < today })).collect();
    let moved = MovedOut { at: Hour((today + 1) * 24), first_day: Date(first), days };
    let recent = Arc::new(Recent { moved, metered: metered(office).await });
    office.house.recents.lock().unwrap().insert(office.case.clone(), recent);
}

pub(crate) async fn approve(office: &Office, name: &str) {
    let mut browser = office.at(name).await;
    let shown = browser.get(&office.page("/do/approve?decision=d1")).await;
    whole(&shown);
    let page = Html::parse_document(&shown.text());
    let read: Vec<String> = all(&page, ".read .private").iter().map(|one| one.text().collect()).collect();
    assert!(
        read[0].contains("- acct-1 · object-storage · write") && read[0].contains("24 hours of notice"),
        "{read:?}"
    );
    assert!(read[1].contains("target acct-1\tobject-storage\t\twrite"), "{read:?}");
    let wrong = ssh_sign("somebody else", &read[2]);
    let refused =
        office.send_shown(&mut browser, "approve", &shown, &[("decision", "d1"), ("signature", &wrong)]).await;
    assert!(
        refused.status == 409 && faults(&refused).contains("with the key that the roster has"),
        "{}",
        faults(&refused)
    );
    let signature = ssh_sign(name, &read[2]);
    let other = [("decision", "d1"), ("signature", signature.as_str()), ("shown", "sha256:00")];
    let refused = office.send_shown(&mut browser, "approve", &shown, &other).await;
    assert!(refused.status == 422 && faults(&refused).contains("not what you were shown"), "{}", faults(&refused));
    let answer =
        office.send_shown(&mut browser, "approve", &shown, &[("decision", "d1"), ("signature", &signature)]).await;
    assert_eq!(answer.status, 303, "{}", faults(&answer));
}

/// The statement of reasons is written, with the key unlocked that reads what it is made of.
pub(crate) async fn drafted(office: &Office) {
    let mut ann = office.at("ann").await;
    let served = office.house.now().plus_days(-1).day();
    let statement =
        [("decision", "d1"), ("facts", "It goes on."), ("redress", "Write to us."), ("served", served.as_str())];
    let sealed = office.send(&mut ann, "statement?decision=d1", &statement).await;
    assert!(sealed.status == 422 && faults(&sealed).contains("unlock your key"), "{}", faults(&sealed));
    unlock(&mut ann, &office.ann).await;
    office.must(&mut ann, "statement?decision=d1", &statement).await;
}

/// A second person reads it, and it is served.
pub(crate) async fn served(office: &Office) {
    let mut ivy = office.at("ivy").await;
    let file = office.file().await;
    for draft in office.house.clerk.drafts(&file).await.unwrap().iter().skip(1) {
        office.must(&mut ivy, "confirm", &[("text", &draft.text.to_string()), ("sure", "yes")]).await;
    }
    let drafts = office.house.clerk.drafts(&file).await.unwrap();
    let mut ann = office.at("ann").await;
    unlock_again(&mut ann).await;
    office.must(&mut ann, "serve", &[("text", &drafts[1].text.to_string())]).await;
}

pub(crate) async fn effected(office: &Office) {
    office.house.pass(86_400 + 1);
    let mut gus = office.at("gus").await;
    office.must(&mut gus, "effect", &[("decision", "d1")]).await;
    assert_eq!(office.file().await.case.in_force(office.house.now()).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_carried_from_its_opening_to_the_effect_and_to_its_end() {
    let office = Office::new().await;
    set(&office).await;
    determined(&office).await;
    let mut ann = office.at("ann").await;
    proposed(&office, &mut ann).await;
    let own = ann.get(&office.page("/decisions")).await;
    whole(&own);
    let page = Html::parse_document(&own.text());
    assert!(all(&page, ".decision .actions a").is_empty(), "who proposed does not approve: {}", own.text());
    approve(&office, "ben").await;
    approve(&office, "cleo").await;
    assert_eq!(office.file().await.case.decisions.values().next().unwrap().standing, Standing::Approved);

    drafted(&office).await;
    served(&office).await;
    let mut ann = office.at("ann").await;
    unlock_again(&mut ann).await;
    let proof = ann.get(&office.page("/proof")).await;
    whole(&proof);
    assert!(proof.text().contains("Because of E4.") && proof.text().contains("a second person confirmed it"));
    let public = office.house.clerk.public_texts().await.unwrap();
    assert!(public.len() == 1 && !public[0].text.contains("Acme"), "{public:?}");

    effected(&office).await;
    office.house.pass(181 * 86_400);
    let mut ann = office.at("ann").await;
    let closing = [
        ("remedy", "Those concerned were told."),
        ("consulted", "An organisation that speaks for them."),
        ("lesson", "Look at the slope."),
    ];
    let early = office.send(&mut ann, "close", &closing).await;
    assert!(early.status == 409 && faults(&early).contains("checks to come"), "{}", faults(&early));
    assert!(early.text().contains("Look at the slope."), "what was typed stays");
    for days in ["30", "90", "180"] {
        let check = format!("{days} d1");
        office.must(&mut ann, "check", &[("check", &check), ("ended", "yes"), ("rest", "yes")]).await;
    }
    office.must(&mut ann, "close", &closing).await;
    let file = office.file().await;
    assert_eq!(file.case.phase, Phase::Closed);
    employees_are_told(&office, &mut ann).await;
    let file = office.file().await;
    let breaches = review::audit::audit(&file.events, &file.law.procedure, &office.house.clerk.roster().await.unwrap());
    assert!(breaches.is_empty(), "{breaches:?}");
    unlock_again(&mut ann).await;
    for tab in ["", "/evidence", "/proof", "/decisions", "/after", "/record"] {
        let answer = ann.get(&office.page(tab)).await;
        assert_eq!(answer.status, 200, "{tab}");
        whole(&answer);
    }
    events_have_proofs(&office, &mut ann).await;
    let record = ann.get(&office.page("/record")).await.text();
    assert!(record.contains("closed the case") && record.contains("brought d1 into effect"), "{record}");
    assert!(office.house.complaints.lock().unwrap().is_empty());
}

/// Of a statement and the end of the case: in words that name nobody, once somebody else has read them.
async fn employees_are_told(office: &Office, ann: &mut Browser<'_>) {
    unlock_again(ann).await;
    let named = office.send(ann, "words-to-employees", &[("text", "Ivy looked into it.")]).await;
    assert!(named.status == 422 && faults(&named).contains("name somebody of the provider"), "{}", faults(&named));
    let customer = "It was acct-1 that we looked into.";
    let plain = "One customer’s use was found to be against our terms. It is at zero, and nothing else was touched.";
    for words in [customer, plain] {
        office.must(ann, "words-to-employees", &[("text", words)]).await;
        let text = Digest::of(words).to_string();
        let early = office.send(ann, "tell-employees", &[("text", &text)]).await;
        assert!(early.status == 422 && faults(&early).contains("Choose one of these"), "{}", faults(&early));
        let mut ivy = office.at("ivy").await;
        office.must(&mut ivy, "confirm", &[("text", &text), ("sure", "yes")]).await;
    }
    let (customer, plain) = (Digest::of(customer).to_string(), Digest::of(plain).to_string());
    let unnamed = office.send(ann, "tell-employees", &[("text", &customer)]).await;
    assert!(unnamed.status == 409 && faults(&unnamed).contains("Leave the customer"), "{}", faults(&unnamed));
    let mut ivy = office.at("ivy").await;
    let sealed = office.send(&mut ivy, "tell-employees", &[("text", &plain)]).await;
    assert!(sealed.status == 422 && faults(&sealed).contains("unlock your key"), "{}", faults(&sealed));
    let shown = ann.get(&office.page("/do/tell-employees")).await;
    whole(&shown);
    assert!(shown.text().contains("nothing else was touched"), "the words stand above the choice");
    office.must(ann, "tell-employees", &[("text", &plain)]).await;
    let case = office.file().await.case;
    assert!(case.made_known.len() == 2 && !case.owes_employees(), "{:?}", case.made_known);
    let again = office.send(ann, "tell-employees", &[("text", &plain)]).await;
    assert!(again.status == 409 && faults(&again).contains("They know"), "{}", faults(&again));
}

/// Each event gives a proof of its commitment, and what became public at once one of its own: checked offline, by nobody
/// of ours, and without a word of the case in them.
async fn events_have_proofs(office: &Office, ann: &mut Browser<'_>) {
    let links = |answer: &Answer| -> Vec<String> {
        let page = Html::parse_document(&answer.text());
        let links = all(&page, "table.record a");
        links.iter().map(|one| one.value().attr("href").unwrap().to_owned()).collect()
    };
    let before = ann.get(&office.page("/record")).await;
    assert!(links(&before).is_empty() && before.text().contains("with the next daily batch"), "{}", before.text());
    let signer = Signer::new("log.example/tribune", &[1; 32]).unwrap();
    let policy = Policy::new("log.example/tribune", vec![signer.verifier().clone()], vec![], 0).unwrap();
    let (house, record) = (&office.house, office.house.clerk.record());
    let mut log = PublicLog::open(record, Files::local(house.public().join("log")), signer).await.unwrap();
    house.clerk.publish(&mut log, house.now(), false).await.unwrap();
    let at_once = links(&ann.get(&office.page("/record")).await);
    assert_eq!(at_once.len(), 2, "the decision and its statement are there before the day is over: {at_once:?}");
    house.clerk.publish(&mut log, house.now(), true).await.unwrap();
    let shown = ann.get(&office.page("/record")).await;
    whole(&shown);
    let file = office.file().await;
    let proofs = links(&shown);
    assert_eq!(proofs.len(), file.events.len() + 2, "{proofs:?}");
    let (mut commitments, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    for address in &proofs {
        let answer = ann.get(address).await;
        assert_eq!(answer.status, 200, "{address}: {}", answer.text());
        assert!(answer.header("content-disposition").ends_with(".tlog-proof\""), "{:?}", answer.headers);
        let proof: tlog::Proof = answer.text().parse().unwrap();
        let carried = String::from_utf8(proof.extra.clone()).unwrap();
        for word in ["acct-1", "Acme", "ann", office.case.as_str()] {
            assert!(!carried.contains(word), "{word}: {carried}");
        }
        let proven = clerk::proofs::check(&proof, &policy).unwrap();
        commitments.extend(proven.commitment);
        kinds.insert(serde_json::to_value(&proven.entry).unwrap()["entry"].as_str().unwrap().to_owned());
        let elsewhere = tlog::Proof { index: proof.index + 1, ..proof.clone() };
        assert!(clerk::proofs::check(&elsewhere, &policy).is_err());
        if let Some(commitment) = proven.commitment {
            let other = carried.replace(&format!("\"commitment\":\"{commitment}\""), "\"commitment\":null");
            let other = tlog::Proof { extra: other.into(), ..proof };
            assert!(matches!(clerk::proofs::check(&other, &policy), Err(clerk::proofs::EventProofError::NotThere)));
        }
    }
    assert_eq!(kinds, BTreeSet::from(["batch", "decision", "statement"].map(str::to_owned)));
    let stored = record.stream(&format!("case/{}", office.case), 0).await.unwrap();
    assert_eq!(commitments, stored.iter().map(|event| Digest(event.commitment)).collect());
    // Of what is no event's, and of no event, there is none.
    for wrong in ["/record/1/0", "/record/0/2", "/record/9999/2", "/record/1/99", "/record/18446744073709551615/2"] {
        assert_eq!(ann.get(&office.page(wrong)).await.status, 404, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_put_off_and_a_question_goes_up_and_the_day_and_the_list_show_it() {
    let office = Office::new().await;
    set(&office).await;
    let mut ann = office.at("ann").await;
    let asks = "questions to the customer";
    assert!(ann.get("/console").await.text().contains(asks));
    let day = |days: i64| office.house.now().plus_days(days).day();
    let (far, until) = (day(40), day(10));
    let refused = office.send(&mut ann, "hold", &[("until", &far), ("reason", "later")]).await;
    assert!(refused.status == 409 && faults(&refused).contains("at most 30 days"), "{}", faults(&refused));
    let mut ben = office.at("ben").await;
    let refused = office.send(&mut ben, "hold", &[("until", &until), ("reason", "later")]).await;
    assert!(refused.status == 403 && faults(&refused).contains("may not hold"), "{}", faults(&refused));
    let clocks = |file: &clerk::File| review::clocks::clocks(&file.case, &file.law.procedure).len();
    let before = clocks(&office.file().await);
    office.must(&mut ann, "hold", &[("until", &until), ("reason", "It answers by then.")]).await;
    assert_eq!(clocks(&office.file().await), before, "its clocks run on");
    assert!(!ann.get("/console").await.text().contains(asks), "until its day it is nobody's to do");
    let list = ann.get("/console/cases?held=yes").await;
    whole(&list);
    assert!(list.text().contains(&format!("put off until {until}")) && list.text().contains("1 to 1 of 1"));
    assert!(ann.get("/console/cases?held=no").await.text().contains("No case is like that"));
    assert!(ann.get("/console/cases?overdue=yes").await.text().contains("No case is like that"));
    office.must(&mut ann, "escalate", &[("to", "counsel"), ("reason", "May we ask that?")]).await;
    let twice = office.send(&mut ann, "escalate", &[("to", "counsel"), ("reason", "And that?")]).await;
    assert!(twice.status == 409 && faults(&twice).contains("one question at a time"), "{}", faults(&twice));
    let mut hal = office.at("hal").await;
    let today = hal.get("/console").await;
    whole(&today);
    let page = Html::parse_document(&today.text());
    let first: String = all(&page, ".todo li")[0].text().collect();
    assert!(first.contains("an answer of counsel to what ann asks"), "{first}");
    let list = hal.get("/console/cases?escalated=yes&awaits=escalation").await.text();
    assert!(list.contains("1 to 1 of 1") && list.contains("asked upwards: counsel"), "{list}");
    let other = office.send(&mut ann, "respond", &[("role", "counsel"), ("answer", "Yes.")]).await;
    assert!(other.status == 409 && faults(&other).contains("Assign ann first"), "{}", faults(&other));
    office.must(&mut hal, "respond", &[("role", "counsel"), ("answer", "You may.")]).await;
    assert!(ann.get("/console").await.text().contains(asks), "an answer takes it up again");
    unlock(&mut ann, &office.ann).await;
    let story = ann.get(&office.page("")).await;
    whole(&story);
    assert!(story.text().contains("May we ask that?") && story.text().contains("ann asked counsel on"));
    office.must(&mut ann, "hold", &[("until", &day(5)), ("reason", "Once more.")]).await;
    let story = ann.get(&office.page("")).await;
    whole(&story);
    assert!(story.text().contains("Put off until") && story.text().contains("Once more."), "{}", story.text());
    office.must(&mut ann, "take-up", &[]).await;
    assert!(ann.get("/console").await.text().contains(asks));
    let record = ann.get(&office.page("/record")).await.text();
    assert!(record.contains("took the case up again") && record.contains("asked counsel upwards"), "{record}");
    let offered = ann.get(&office.page("/do/take-up")).await.text();
    assert!(offered.contains("nothing in this case now that it could be done to"), "{offered}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_cases_each_is_held_against_the_rules_alone_and_what_went_through_stays() {
    let office = Office::new().await;
    let clerk = &office.house.clerk;
    let mut cases = Vec::new();
    for account in ["b1", "b2", "b3"] {
        cases.push(open(&office.house, account, &[account], &format!("Customer {account}")).await);
    }
    let (one, two) = (cases[0].to_string(), cases[1].to_string());
    let state =
        async |case: &CaseId| clerk.look(&Sender::System, case, "a test", office.house.now()).await.unwrap().case;
    let mut ann = office.at("ann").await;
    let form = async |browser: &mut Browser<'_>| -> Vec<(String, String)> {
        let list = browser.get("/console/cases?order=opened").await;
        whole(&list);
        let page = Html::parse_document(&list.text());
        assert_eq!(all(&page, "form.several input[name=case]").len(), 4);
        let value = |field: ElementRef<'_>, name: &str| field.value().attr(name).unwrap().to_owned();
        let hidden = all(&page, "form.several input[type=hidden]").into_iter();
        hidden.map(|one| (value(one, "name"), value(one, "value"))).collect()
    };
    let with = |own: &[(String, String)], more: &[(&str, &str)]| -> Vec<(String, String)> {
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        own.iter().cloned().chain(more).collect()
    };
    let own = form(&mut ann).await;
    let part = [("case", one.as_str()), ("case", &two), ("do", "assign"), ("person", "ann"), ("role", "reviewer")];
    let part = with(&own, &part);
    for _ in 0..2 {
        let answer = ann.post("/console/cases", &borrowed(&part)).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/console/cases?order=opened"));
        for case in &cases[..2] {
            assert_eq!(state(case).await.version, 2, "once, however often it is sent");
        }
    }
    assert_eq!(state(&cases[2]).await.version, 1, "what was not chosen stays");
    let sent = Sent { id: "d".parse().unwrap(), at: office.house.now(), by: Sender::Person("ann".to_owned()) };
    clerk.enact(&sent, &cases[0], Act::Declare { conflict: None }).await.unwrap();
    let until = office.house.now().plus_days(9).day();
    let off = [
        ("case", one.as_str()),
        ("case", &two),
        ("case", "case-zzzzzzzz"),
        ("case", "<b>\u{202e}"),
        ("do", "hold"),
        ("until", &until),
        ("reason", "All wait for the same answer."),
    ];
    let off = with(&form(&mut ann).await, &off);
    for _ in 0..2 {
        let told = ann.post("/console/cases", &borrowed(&off)).await;
        whole(&told);
        let page = Html::parse_document(&told.text());
        let refused: Vec<String> =
            all(&page, "section[aria-labelledby=refused] li").iter().map(|one| one.text().collect()).collect();
        assert_eq!((told.status.as_u16(), refused.len()), (409, 3), "{refused:?}");
        assert!(refused.iter().any(|one| one.contains(&two) && one.contains("declares first")), "{refused:?}");
        let done: Vec<String> =
            all(&page, "section[aria-labelledby=done] li").iter().map(|one| one.text().collect()).collect();
        assert_eq!(done, std::slice::from_ref(&one));
        assert!(state(&cases[0]).await.held.is_some() && state(&cases[1]).await.held.is_none());
        assert_eq!((state(&cases[0]).await.version, state(&cases[1]).await.version), (4, 2));
    }
    for (wrong, why) in [
        (with(&own, &[("do", "assign"), ("person", "ann"), ("role", "reviewer")]), "Choose cases"),
        (with(&own, &[("case", &one), ("do", "fly")]), "Say what"),
        (with(&own, &[("case", &one), ("do", "assign"), ("person", "nobody"), ("role", "reviewer")]), "Choose one of"),
        (with(&own, &[("case", &one), ("do", "hold"), ("until", "soon"), ("reason", "x")]), "Write a day"),
    ] {
        let told = ann.post("/console/cases", &borrowed(&wrong)).await;
        assert!(told.status == 422 && told.text().contains(why), "{why}: {}", told.text());
    }
    // Who carries no cases is shown no form, and is refused where they send one all the same.
    for name in ["ben", "ada"] {
        let mut other = office.at(name).await;
        assert!(!other.get("/console/cases").await.text().contains("name=\"case\""), "{name}");
        let token = other.get("/me").await.hidden("token");
        let fields = [("command", office.house.pages.command()), ("token", token), ("case", one.clone())];
        let fields: Vec<_> = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let told = other
            .post(
                "/console/cases",
                &borrowed(&with(&fields, &[("do", "assign"), ("person", "ivy"), ("role", "reviewer")])),
            )
            .await;
        assert!(told.status == 409 && told.text().contains("may not assign"), "{name}: {}", told.text());
        let forged = [("command".to_owned(), office.house.pages.command()), ("token".to_owned(), "x".to_owned())];
        assert_eq!(other.post("/console/cases", &borrowed(&with(&forged, &[("case", &one)]))).await.status, 403);
    }
    assert_eq!(state(&cases[0]).await.version, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_moved_out_since_the_opening_is_drawn_from_meters_and_else_said_to_be_unknown() {
    let office = Office::new().await;
    let mut ann = office.at("ann").await;
    let story = async |browser: &mut Browser<'_>| {
        let story = browser.get(&office.page("")).await;
        whole(&story);
        let page = Html::parse_document(&story.text());
        let section = all(&page, "section[aria-labelledby=moved]")[0];
        (section.text().collect::<String>(), section.html().contains("<svg"))
    };
    let (said, drawn) = story(&mut ann).await;
    assert!(!drawn && said.contains("No meters in this case say it"), "{said}");
    set(&office).await;
    assert!(story(&mut ann).await.0.contains("is sealed: unlock your own key"));
    unlock(&mut ann, &office.ann).await;
    assert!(story(&mut ann).await.0.contains("No meters in this case say it"), "a rollup is no explanation");
    let older = include_str!("explanation.json");
    let mut newer: serde_json::Value = serde_json::from_str(older).unwrap();
    for day in newer["explanation"]["days"].as_array_mut().unwrap().iter_mut().filter(|day| day.is_object()) {
        day["bytes_moved_out"] = 2_000_000_000_i64.into();
    }
    let add = |id: &'static str, text: String| {
        [("id", id.to_owned()), ("basis", "meters".to_owned()), ("text", text), ("origin", "provider".to_owned())]
    };
    for (id, text, says, is_drawn) in [
        ("x1", older.to_owned(), "made before this was kept", false),
        ("x2", newer.to_string(), "end before the case was opened on 2026-03-02. Before it, it was 2 GB a day", true),
    ] {
        let fields = add(id, text);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        office.must(&mut ann, "evidence", &[&fields[..], &[("account", "acct-1")]].concat()).await;
        let (said, drawn) = story(&mut ann).await;
        assert!(said.contains(says) && drawn == is_drawn, "{said}");
    }
    // What the watch saw last is newer than any of them, and no private text.
    office.house.pass(3 * 86_400);
    watched(&office).await;
    let (said, drawn) = story(&mut office.at("ben").await).await;
    assert!(drawn && said.contains("3.6 TB moved out in 4 days since the case was opened on 2026-03-02"), "{said}");
    assert!(said.contains("Before it, it was 40 GB a day in 24 days. The last day is not complete yet."), "{said}");
    assert!(said.contains("opened 2 Mar") && said.contains("2026-03-05 (not complete)"), "mark and table: {said}");
}

/// A report with two files, in the record.
async fn reported(office: &Office) -> ReportId {
    let (house, keep_from) = (&office.house, BTreeSet::new());
    let files: [(&str, &[u8]); 2] = [("bills/\u{202e}May \"2\".pdf", b"%PDF <script>"), ("", &[0xff, 0xfe, 0])];
    let sending = Sending { text: "See both.", files: &files };
    let reporting = Reporting { channel: Channel::Anonymous, who: None, keep_from: &keep_from, sending };
    let receipt = house.clerk.receive(&house.pages.papers, reporting, house.now()).await.unwrap();
    house.pass(86_400);
    house.clerk.drain(house.now()).await.unwrap();
    receipt.keys().unwrap().report
}

/// Somebody says what they look at something for, where they are asked.
async fn looks_for(browser: &mut Browser<'_>, address: &str, purpose: &str) {
    let asked = browser.get(address).await;
    assert!(asked.text().contains("Why do you look at it?"), "{}", asked.text());
    let fields = [("command", asked.hidden("command")), ("token", asked.hidden("token"))];
    let mut fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    fields.extend([("next", address), ("purpose", purpose)]);
    let page = Html::parse_document(&asked.text());
    let action = all(&page, "main form")[0].value().attr("action").unwrap();
    let answer = browser.post(action, &fields).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, address));
}

fn is_a_file(answer: &Answer, name: &str, body: &[u8]) {
    assert_eq!((answer.status.as_u16(), answer.body.as_slice()), (200, body), "{}", answer.text());
    let said = answer.header("content-disposition");
    assert!(said.starts_with(&format!("attachment; filename=\"{name}\"; ")), "{said}");
    assert_eq!(answer.header("content-type"), "application/octet-stream");
    assert_eq!((answer.header("x-content-type-options"), answer.header("cache-control")), ("nosniff", "no-store"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_a_report_are_taken_out_by_who_can_read_it_and_each_is_a_look() {
    let office = Office::new().await;
    let (report, other) = (reported(&office).await, reported(&office).await);
    let page = format!("/console/reports/{report}");
    let mut ina = Browser::new(&office.house);
    ina.sign_in(&office.accounts["ina"]).await;
    looks_for(&mut ina, &page, "to see what it is").await;
    let files = async |browser: &mut Browser<'_>, page: &str| -> Vec<String> {
        let shown = browser.get(page).await;
        whole(&shown);
        let shown = Html::parse_document(&shown.text());
        all(&shown, "a[href*='/files/']").iter().map(|one| one.value().attr("href").unwrap().to_owned()).collect()
    };
    assert!(files(&mut ina, &page).await.is_empty(), "what is sealed names no file");
    unlock(&mut ina, &office.ina).await;
    let own = files(&mut ina, &page).await;
    assert_eq!(own.len(), 2, "{own:?}");
    is_a_file(&ina.get(&own[0]).await, "_May__2_.pdf", b"%PDF <script>");
    is_a_file(&ina.get(&own[1]).await, "file", &[0xff, 0xfe, 0]);
    let looks = office.house.clerk.looks("ada", office.house.now()).await.unwrap();
    for file in &own {
        let what = format!("file {} of report {report}", file.rsplit('/').next().unwrap().replace("%3A", ":"));
        let looked = looks.iter().filter(|look| look.what == what && look.by.as_str() == "ina");
        assert_eq!(looked.map(|look| look.purpose.as_str()).collect::<Vec<_>>(), ["to see what it is"], "{what}");
    }
    // It is of that report alone, for who can open it, and asked for a purpose first.
    let (name, elsewhere) = (own[0].rsplit('/').next().unwrap(), format!("/console/reports/{other}"));
    looks_for(&mut ina, &elsewhere, "the other").await;
    assert_eq!(ina.get(&format!("{elsewhere}/files/{name}")).await.status, 404);
    let mut ada = Browser::new(&office.house);
    ada.sign_in(&office.accounts["ada"]).await;
    looks_for(&mut ada, &own[0], "an audit").await;
    let sealed = ada.get(&own[0]).await;
    assert!(sealed.status == 403 && sealed.text().contains("unlock your own key"), "{}", sealed.text());
    assert_eq!(office.at("ann").await.get(&own[0]).await.status, 403, "reports are for the intake");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_items_content_is_taken_out_as_a_file_by_who_can_read_it() {
    let office = Office::new().await;
    set(&office).await;
    let (house, bytes) = (&office.house, [0xff_u8, 0xfe, 0, 7]);
    let (by, only) = ("ann".parse().unwrap(), BTreeSet::new());
    let papers = &house.pages.papers;
    let kept = house.clerk.keep(papers, Some(&by), Some(&office.case), &only, &bytes, house.now()).await.unwrap();
    let (id, origin) = ("picture".parse().unwrap(), "press".parse().unwrap());
    let item = Item { id, digest: kept, basis: Basis::Document, origin, anonymous: false, about: BTreeSet::new() };
    let sent = Sent { id: "p".parse().unwrap(), at: house.now(), by: Sender::Person("ann".to_owned()) };
    house.clerk.enact(&sent, &office.case, Act::AddEvidence(item)).await.unwrap();
    let address = |item: &str| office.page(&format!("/evidence/{item}/file"));
    let mut ann = office.at("ann").await;
    let sealed = ann.get(&address("told1")).await;
    assert!(sealed.status == 403 && sealed.text().contains("unlock your own key"), "{}", sealed.text());
    assert!(!ann.get(&office.page("/evidence")).await.text().contains("/file\""), "no way to what is sealed");
    unlock(&mut ann, &office.ann).await;
    let evidence = ann.get(&office.page("/evidence")).await;
    whole(&evidence);
    assert!(evidence.text().contains("no text, 4 B"), "{}", evidence.text());
    for (item, end, body) in [("told1", "txt", &b"told1"[..]), ("picture", "bin", &bytes)] {
        assert!(evidence.text().contains(&format!("href=\"{}\"", address(item))), "{item}");
        is_a_file(&ann.get(&address(item)).await, &format!("{}-{item}.{end}", office.case), body);
    }
    let looks = house.clerk.looks("ada", house.now()).await.unwrap();
    let of_picture = looks.iter().filter(|look| look.what == format!("text {kept}"));
    assert_eq!(of_picture.count(), 2, "once on the page, once as a file");
    assert_eq!(ann.get(&address("nothing")).await.status, 404);
}

/// What a page's form would send as it stands: hidden fields, what is typed, ticked and chosen.
fn standing(answer: &Answer, form: &str) -> Vec<(String, String)> {
    let page = Html::parse_document(&answer.text());
    let own = |one: &ElementRef<'_>, name: &str| one.value().attr(name).map(str::to_owned);
    let mut fields = Vec::new();
    for field in all(&page, &format!("{form} [name]")) {
        let name = own(&field, "name").unwrap();
        let ticked = field.value().attr("checked").is_some();
        let value = match (field.value().name(), own(&field, "type").as_deref()) {
            ("button", _) => None,
            ("input", Some("checkbox" | "radio")) => own(&field, "value").filter(|_| ticked),
            ("textarea", _) => Some(field.text().collect::<String>()),
            ("select", _) => {
                let chosen = Selector::parse("option[selected]").unwrap();
                Some(field.select(&chosen).next().and_then(|one| own(&one, "value")).unwrap_or_default())
            }
            _ => own(&field, "value"),
        };
        fields.extend(value.map(|value| (name, value)));
    }
    fields
}

/// The same with some fields in the place of what stands there.
fn with(fields: &[(String, String)], more: &[(&str, &str)]) -> Vec<(String, String)> {
    let stays = fields.iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name)).cloned();
    stays.chain(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))).collect()
}

const LUNCH: &str = "They asked for a delay\nover </textarea><b> lunch.";

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_comes_back_after_a_session_ended_and_without_a_purpose() {
    let office = Office::new().await;
    let mut ann = office.at("ann").await;
    let (deed, form) = (office.page("/do/contact"), "form.deed");
    let shown = ann.get(&deed).await;
    let sent = with(&standing(&shown, form), &[("from", "sales"), ("with", "ann"), ("about", LUNCH)]);
    office.house.pass(31 * 60);
    let turned = ann.post(&deed, &borrowed(&sent)).await;
    whole(&turned);
    assert!(turned.status == 403 && turned.text().contains("you are signed out"), "{}", turned.text());
    assert!(turned.text().contains("over &#60;/textarea&#62;&#60;b&#62; lunch."), "{}", turned.text());
    assert!(!turned.text().contains(ann.cookies.get("tribune").unwrap()) && office.file().await.case.version == 1);
    let kept = standing(&turned, form);
    assert!(kept.iter().all(|(name, _)| name != "token"), "{kept:?}");
    // In the same browser, signed in anew, it is sent on: she is asked what for, and sees it as it was.
    ann.sign_in(&office.accounts["ann"]).await;
    let asked = ann.post(&deed, &borrowed(&kept)).await;
    whole(&asked);
    assert!(asked.status == 409 && asked.text().contains("What you typed goes along"), "{}", asked.text());
    assert!(!asked.text().contains("Acme"), "nothing is shown before");
    let looking = with(&standing(&asked, "main form"), &[("look-for", "carrying on")]);
    let again = ann.post(&deed, &borrowed(&looking)).await;
    whole(&again);
    assert!(again.status == 200 && again.text().contains("Nothing was done yet."), "{}", again.text());
    assert_eq!(office.file().await.case.version, 1);
    let typed = standing(&again, form);
    assert!(typed.iter().any(|(name, value)| name == "about" && value.trim() == LUNCH), "{typed:?}");
    let done = ann.post(&deed, &borrowed(&typed)).await;
    assert_eq!((done.status.as_u16(), office.file().await.case.contacts.len()), (303, 1), "{}", faults(&done));
    // The look has the purpose that was given on the way.
    let looks = office.house.clerk.looks("ada", office.house.now()).await.unwrap();
    assert!(looks.iter().any(|look| look.purpose == "carrying on"));
    // A form of an earlier session is not carried out either, and what is secret is nowhere sent back.
    let secret = with(&sent, &[("passphrase", "never to be seen")]);
    let earlier = ann.post(&deed, &borrowed(&secret)).await;
    whole(&earlier);
    assert!(earlier.status == 403 && earlier.text().contains("an earlier session"), "{}", earlier.text());
    assert!(!earlier.text().contains("never to be seen") && earlier.text().contains("lunch"));
    assert_eq!(office.file().await.case.contacts.len(), 1);
    // A purpose is taken from a form of this session alone.
    let mut ivy = Browser::new(&office.house);
    ivy.sign_in(&office.accounts["ivy"]).await;
    let forged = with(&typed, &[("look-over", "yes"), ("look-for", "hers")]);
    let asked = ivy.post(&deed, &borrowed(&forged)).await;
    assert!(asked.text().contains("Why do you look at it?"), "{}", asked.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_of_a_report_of_several_cases_and_of_an_opening_comes_back() {
    let office = Office::new().await;
    let report = reported(&office).await;
    let (page, mut ina) = (format!("/console/reports/{report}"), Browser::new(&office.house));
    ina.sign_in(&office.accounts["ina"]).await;
    looks_for(&mut ina, &page, "to answer").await;
    let form = "form[action$='/do/outside']";
    let sent = with(&standing(&ina.get(&page).await, form), &[("reason", "Nothing of a clause.")]);
    let to = format!("{page}/do/outside");
    ina.sign_in(&office.accounts["ina"]).await;
    let turned = ina.post(&to, &borrowed(&sent)).await;
    assert!(turned.status == 403 && turned.text().contains("Nothing of a clause."), "{}", turned.text());
    let asked = ina.post(&to, &borrowed(&standing(&turned, "form.deed"))).await;
    assert!(asked.status == 409 && asked.text().contains("Why do you look at it?"), "{}", asked.text());
    let again = ina.post(&to, &borrowed(&with(&standing(&asked, "main form"), &[("look-for", "to answer")]))).await;
    whole(&again);
    let typed = standing(&again, form);
    assert!(typed.iter().any(|(name, value)| name == "reason" && value.trim() == "Nothing of a clause."), "{typed:?}");
    assert_eq!(ina.post(&to, &borrowed(&typed)).await.status, 303);

    let mut ann = office.at("ann").await;
    let list = standing(&ann.get("/console/cases").await, "form.several");
    let case = office.case.to_string();
    let fields = [("case", case.as_str()), ("do", "hold"), ("until", "soon"), ("reason", "All wait for one answer.")];
    let told = ann.post("/console/cases", &borrowed(&with(&list, &fields))).await;
    whole(&told);
    let form = "section[aria-labelledby=again] form";
    let typed = standing(&told, form);
    for (name, value) in [("case", case.as_str()), ("until", "soon"), ("reason", "All wait for one answer.")] {
        assert!(typed.iter().any(|(own, stands)| own == name && stands.trim() == value), "{name}: {typed:?}");
    }
    let until = office.house.now().plus_days(3).day();
    let unchosen = with(&typed, &[("case", ""), ("until", &until), ("do", "hold")]);
    let told = ann.post("/console/cases", &borrowed(&unchosen)).await;
    whole(&told);
    assert!(told.status == 422 && told.text().contains("One per line"), "{}", told.text());
    let named = with(&standing(&told, form), &[("case", &case), ("do", "hold")]);
    let refused = ann.post("/console/cases", &borrowed(&named)).await;
    whole(&refused);
    assert!(refused.status == 409 && refused.text().contains("assign ann first"), "{}", refused.text());
    assert!(standing(&refused, form).iter().any(|(name, value)| name == "case" && *value == case));

    let open = standing(&ann.get("/console/open").await, "form.deed");
    ann.sign_in(&office.accounts["ann"]).await;
    let turned = ann.post("/console/open", &borrowed(&with(&open, &[("accounts", "a1\na2")]))).await;
    assert_eq!(turned.status, 403);
    let again = ann.post("/console/open", &borrowed(&standing(&turned, "form.deed"))).await;
    whole(&again);
    let typed = standing(&again, "form.deed");
    assert!(again.status == 200 && typed.iter().any(|(name, value)| name == "accounts" && value.trim() == "a1\na2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn before_it_is_proposed_the_form_shows_what_stops_and_keeps_what_was_typed() {
    let office = Office::new().await;
    set(&office).await;
    determined(&office).await;
    let mut ann = office.at("ann").await;
    let deed = office.page("/do/propose");
    let shown = ann.get(&deed).await;
    let reason = "It goes on, and nothing less stops it.";
    let fields = [("intervention", "read-only"), ("target", "acct-1\tobject-storage\twrite"), ("reason-write", reason)];
    let sent = with(&standing(&shown, "form.deed"), &fields);
    let look = async |browser: &mut Browser<'_>, sent: &[(String, String)]| {
        let looked = browser.post(&deed, &borrowed(&with(sent, &[("look-over", "yes")]))).await;
        whole(&looked);
        assert_eq!(looked.status, 200);
        looked
    };
    let looked = look(&mut ann, &sent).await;
    assert!(looked.text().contains("No usage of late is known"), "{}", looked.text());
    watched(&office).await;
    let none: Vec<_> = sent.iter().filter(|(name, _)| name != "target").cloned().collect();
    assert!(look(&mut ann, &none).await.text().contains("Choose in the list what is to be switched off"));
    let looked = look(&mut ann, &sent).await;
    let page = Html::parse_document(&looked.text());
    let seen: String = all(&page, "section[aria-labelledby=preview]")[0].text().collect();
    assert!(seen.contains("1 kind of use stops, 1 goes on"), "{seen}");
    assert!(seen.contains("object-storage · storage.write") && seen.contains("What goes on"), "{seen}");
    assert!(office.file().await.case.decisions.is_empty(), "a look proposes nothing");
    let typed = standing(&looked, "form.deed");
    for (name, value) in fields {
        assert!(typed.iter().any(|(own, stands)| own == name && stands.trim() == value), "{name}: {typed:?}");
    }
    let review = office.house.now().plus_days(400).day();
    let proposed = ann.post(&deed, &borrowed(&with(&typed, &[("review", &review)]))).await;
    assert_eq!((proposed.status.as_u16(), office.file().await.case.decisions.len()), (303, 1), "{}", faults(&proposed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_use_is_listed_and_read_by_who_opens_cases_for_a_purpose() {
    let office = Office::new().await;
    let house = &office.house;
    let declare = async |customer: &str, id: &str, text: &str| {
        let by = Sender::Customer(customer.parse().unwrap());
        let accounts = BTreeSet::from(["a1".parse().unwrap()]);
        let (declared_use, calls_per_hour) = ("contact_centre".to_owned(), Some(1_200));
        let declaring = Declaring { accounts, declared_use, calls_per_hour, text: text.to_owned() };
        let sent = Sent { id: id.parse().unwrap(), at: house.now(), by };
        house.clerk.declare(&house.pages.papers, &sent, &declaring).await.unwrap();
    };
    declare("harbour", "d-1", "Support for <b>ferries</b>.").await;
    declare("nordlicht", "d-2", "Something else.").await;
    let mut ina = Browser::new(house);
    ina.sign_in(&office.accounts["ina"]).await;
    looks_for(&mut ina, "/console/declarations", "what came in").await;
    let list = ina.get("/console/declarations").await;
    whole(&list);
    let page = Html::parse_document(&list.text());
    let rows: Vec<String> = all(&page, "tbody tr").iter().map(|one| one.text().collect()).collect();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows[1].contains("harbour") && rows[1].contains("contact centre") && rows[1].contains("1,200 an hour"));
    assert!(!list.text().contains("ferries"), "its words stand on its own page");
    let sealed = ina.get("/console/declarations/d-1").await;
    whole(&sealed);
    assert!(sealed.text().contains("sealed to intake officers"), "{}", sealed.text());
    unlock(&mut ina, &office.ina).await;
    let read = ina.get("/console/declarations/d-1").await;
    whole(&read);
    assert!(read.text().contains("Support for &#60;b&#62;ferries"), "{}", read.text());
    let looks = house.clerk.looks("ada", house.now()).await.unwrap();
    for what in ["what customers declared", "declared use d-1 of harbour"] {
        assert!(looks.iter().any(|look| look.what == what && look.purpose == "what came in"), "{what}: {looks:?}");
    }
    assert_eq!(ina.get("/console/declarations/d-9").await.status, 404);
    // An analyst sees that it is there, and holds no key to its words; who opens no cases sees nothing of it.
    let mut ann = office.at("ann").await;
    unlock(&mut ann, &office.ann).await;
    looks_for(&mut ann, "/console/declarations", "to open a case").await;
    let shown = ann.get("/console/declarations/d-1").await.text();
    assert!(shown.contains("harbour") && !shown.contains("ferries"), "{shown}");
    let page = Html::parse_document(&shown);
    let link = all(&page, ".actions a")[0].value().attr("href").unwrap().to_owned();
    let form = ann.get(&link).await;
    whole(&form);
    let page = Html::parse_document(&form.text());
    let filled = |name: &str| all(&page, name)[0].value().attr("value").unwrap_or_default().to_owned();
    assert_eq!([filled("input[name=declaration]"), filled("input[name=customer]")], ["d-1", "harbour"]);
    assert_eq!(office.at("ben").await.get("/console/declarations").await.status, 403);
    // Who is close to its customer is shown nothing of it.
    let mut near = house.clerk.roster().await.unwrap();
    let team = AccountTeam { members: BTreeSet::from(["ina".parse().unwrap()]), ..AccountTeam::default() };
    near.account_teams.insert("harbour".parse().unwrap(), team);
    set_roster(house, "r2", &["ben", "cleo"], &near).await;
    let list = ina.get("/console/declarations").await.text();
    assert!(!list.contains("harbour") && list.contains("nordlicht"), "{list}");
    assert_eq!(ina.get("/console/declarations/d-1").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_the_evidence_stand_similar_cases_in_which_it_was_something_else() {
    let office = Office::new().await;
    let (clerk, law) = (&office.house.clerk, law());
    let act = async |case: &CaseId, by: &str, act: Act| {
        let id = office.house.pages.command().parse().unwrap();
        let sent = Sent { id, at: office.house.now(), by: Sender::Person(by.to_owned()) };
        clerk.enact(&sent, case, act).await.unwrap();
    };
    let ended = async |name: &str, answer: Established| {
        let case = open(&office.house, name, &[name], &format!("Customer {name}")).await;
        act(&case, "ann", Act::Assign { person: "ann".parse().unwrap(), role: Role::Reviewer }).await;
        act(&case, "ann", Act::Declare { conflict: None }).await;
        let (standard, reasons) = (Standard::ReasonableSuspicion, Digest::of("why"));
        let answer = ElementAnswer { answer, standard, evidence: BTreeSet::new(), reasons };
        let elements = law.procedure.elements.iter().map(|one| (one.id.clone(), answer.clone())).collect();
        let view = Digest::of("view");
        act(&case, "ann", Act::Determine(Determination { elements, view, supersedes: None })).await;
        let (remedy, consulted, lesson) = (Digest::of("r"), Digest::of("c"), Digest::of("l"));
        act(&case, "ann", Act::Close(Closing { remedy, consulted, lesson, declared_use: None })).await;
        case
    };
    let cleared = ended("b1", Established::NotEstablished).await;
    let open_still = ended("b2", Established::Inconclusive).await;
    open(&office.house, "b3", &["b3"], "Customer b3").await;
    let mut ann = office.at("ann").await;
    let evidence = ann.get(&office.page("/evidence")).await;
    whole(&evidence);
    let page = Html::parse_document(&evidence.text());
    let rows: Vec<String> =
        all(&page, "section[aria-labelledby=alike] tbody tr").iter().map(|one| one.text().collect()).collect();
    assert_eq!(rows.len(), 1, "neither what is open nor what ended otherwise: {open_still} {rows:?}");
    let title = &law.procedure.elements[0].title;
    assert!(rows[0].contains(cleared.as_str()) && rows[0].contains("scale, form, structure"), "{rows:?}");
    assert!(
        rows[0].contains(title.as_str()) && !evidence.text().contains("Customer b1"),
        "by its name alone: {rows:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_in_one_form_the_second_sees_what_changed_and_keeps_what_they_typed() {
    let office = Office::new().await;
    let (mut ann, mut ivy) = (office.at("ann").await, office.at("ivy").await);
    let (shown, other) = (ann.get(&office.page("/do/assign")).await, ivy.get(&office.page("/do/contact")).await);
    let answer = office.send_shown(&mut ann, "assign", &shown, &[("person", "ann"), ("role", "reviewer")]).await;
    assert_eq!(answer.status, 303);
    // Sent again, by a back button or twice: nothing more happens.
    let again = office.send_shown(&mut ann, "assign", &shown, &[("person", "ann"), ("role", "reviewer")]).await;
    assert_eq!((again.status.as_u16(), office.file().await.case.version), (303, 2));
    let fields = [("from", "sales"), ("with", "ann"), ("about", "lunch </textarea><b>")];
    let second = office.send_shown(&mut ivy, "contact", &other, &fields).await;
    whole(&second);
    assert_eq!(second.status, 409);
    assert!(faults(&second).contains("ann gave ann a part as reviewer"), "{}", faults(&second));
    assert!(second.text().contains("lunch &#60;/textarea&#62;&#60;b&#62;"), "{}", second.text());
    let third = office.send_shown(&mut ivy, "contact", &second, &fields).await;
    assert_eq!((third.status.as_u16(), office.file().await.case.contacts.len()), (303, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_role_and_state_allow_is_offered_and_every_look_has_a_purpose() {
    let office = Office::new().await;
    let mut browser = Browser::new(&office.house);
    assert_eq!(browser.get(&office.page("")).await.status, 303, "nobody is signed in");
    browser.sign_in(&office.accounts["ann"]).await;
    for page in ["", "/evidence", "/record", "/do/assign"] {
        let asked = browser.get(&office.page(page)).await.text();
        assert!(asked.contains("Why do you look at it?") && !asked.contains("Acme"), "{asked}");
    }
    let looks = office.house.clerk.record().length("looks").await.unwrap();
    let mut ann = office.at("ann").await;
    let story = ann.get(&office.page("")).await;
    whole(&story);
    assert!(office.house.clerk.record().length("looks").await.unwrap() > looks, "every look is an event");
    assert!(story.text().contains("Acme &#60;script&#62;") && story.text().contains("carrying &#60;it&#62;"));
    let offered = |answer: &Answer| -> BTreeSet<String> {
        let page = Html::parse_document(&answer.text());
        all(&page, ".deeds a").iter().map(|one| one.text().collect()).collect()
    };
    assert!(offered(&story).contains("Give somebody a part"), "{:?}", offered(&story));
    let decisions = ann.get(&office.page("/decisions")).await;
    assert!(offered(&decisions).is_empty(), "she has no part in it yet: {:?}", offered(&decisions));
    assert!(decisions.text().contains("assign ann first"), "and it says why");
    let mut ada = office.at("ada").await;
    for tab in ["", "/evidence", "/proof", "/decisions", "/after"] {
        assert!(offered(&ada.get(&office.page(tab)).await).is_empty(), "an auditor changes nothing");
    }
    let refused = office.send(&mut ada, "assign", &[("person", "ann"), ("role", "reviewer")]).await;
    assert!(refused.status == 403 && faults(&refused).contains("may not assign"), "{}", faults(&refused));
    let denials = office.house.clerk.denials("ada", office.house.now()).await.unwrap();
    assert!(
        denials.iter().any(|one| one.what.contains("/do/")),
        "what a form was denied is in the record: {denials:?}"
    );
    let mut ina = Browser::new(&office.house);
    ina.sign_in(&office.accounts["ina"]).await;
    assert_eq!(ina.get("/console/reports").await.status, 200);
    assert_eq!(ann.get("/console/reports").await.status, 403);
    // A form of another session, and none.
    let shown = ann.get(&office.page("/do/assign")).await;
    for token in ["", "x", &ina.get("/me").await.hidden("token")] {
        let fields = [("token", token), ("person", "ann"), ("role", "reviewer")];
        assert_eq!(office.send_shown(&mut ann, "assign", &shown, &fields).await.status, 403);
    }
    assert_eq!(office.file().await.case.version, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_and_the_day_show_what_waits_and_bear_what_is_typed_into_their_addresses() {
    let office = Office::new().await;
    for number in 0..60 {
        open(&office.house, &format!("more {number}"), &[&format!("b{number}")], &format!("Customer {number:02}"))
            .await;
    }
    let mut ann = office.at("ann").await;
    office.must(&mut ann, "assign", &[("person", "ann"), ("role", "reviewer")]).await;
    let today = ann.get("/console").await;
    whole(&today);
    assert!(today.text().contains("ann says whether they have a conflict"), "{}", today.text());
    let list = ann.get("/console/cases").await;
    whole(&list);
    assert!(list.text().contains("1 to 50 of 61"), "{}", list.text());
    assert!(ann.get("/console/cases?page=2").await.text().contains("51 to 61 of 61"));
    let found = ann.get("/console/cases?search=customer+07&order=score&phase=open").await.text();
    assert!(found.contains("1 to 1 of 1") && found.contains("Customer 07"), "{found}");
    let mine = ann.get("/console/cases?mine=yes&awaits=declaration").await.text();
    assert!(mine.contains("1 to 1 of 1") && mine.contains("Acme &#60;script"), "{mine}");
    for odd in [
        "search=%3Cscript%3E%E2%80%AE",
        "page=99999999999999999999&order=x&phase=y&awaits=%00",
        "page=18446744073709551615",
        "page=-1&policy=%27%3B--",
        &format!("search={}", "x".repeat(5_000)),
    ] {
        let answer = ann.get(&format!("/console/cases?{odd}")).await;
        assert_eq!(answer.status, 200, "{odd}");
        whole(&answer);
    }
    for missing in ["/console/cases/case-zzzzzzzz", "/console/cases/%00", "/console/cases/x/do/fly", "/console/nothing"]
    {
        let status = ann.get(missing).await.status.as_u16();
        assert!(status == 404 || status == 400 || status == 200, "{missing}: {status}");
    }
    assert!(office.house.complaints.lock().unwrap().is_empty());
    assert!(office.house.now() > NOW);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_use_that_is_declared_is_opened_by_a_form_and_two_say_whether_it_may_go_on() {
    let house = House::over(crate::house::BASE, None, vec![crate::browser::policy()], None).await;
    let mut office = Office::of(house, "acme").await;
    let mut ann = office.at("ann").await;
    let shown = ann.get("/console/open").await;
    whole(&shown);
    let own = |shown: &Answer| [("command", shown.hidden("command")), ("token", shown.hidden("token"))];
    let sealed = own(&shown);
    let mut fields: Vec<(&str, &str)> = sealed.iter().map(|(name, value)| (*name, value.as_str())).collect();
    fields.extend([
        ("policy", "mass-surveillance"),
        ("customer", "nova"),
        ("portfolio", "speech"),
        ("places", "north"),
    ]);
    let nothing = ann.post("/console/open", &fields).await;
    whole(&nothing);
    assert!(faults(&nothing).contains("or the use that is declared"), "{}", faults(&nothing));
    let sealed = own(&nothing);
    let mut again: Vec<(&str, &str)> = sealed.iter().map(|(name, value)| (*name, value.as_str())).collect();
    again.extend(fields.iter().skip(2).chain(&[("purpose", "contact_centre"), ("declared", "A help line.")]));
    let opened = ann.post("/console/open", &again).await;
    assert_eq!(opened.status, 303, "{}", faults(&opened));
    office.case = opened.header("location").rsplit('/').next().unwrap().parse().unwrap();
    office.must(&mut office.at("ann").await, "assign", &[("person", "ann"), ("role", "analyst")]).await;
    for (name, role) in [("ann", "reviewer"), ("ben", "decider"), ("cleo", "decider"), ("hal", "counsel")] {
        let mut ann = office.at("ann").await;
        office.must(&mut ann, "assign", &[("person", name), ("role", role)]).await;
        let mut own = office.at(name).await;
        office.must(&mut own, "declare", &[("stands", "none")]).await;
    }
    let (mut ann, mut ben, mut cleo, mut hal) =
        (office.at("ann").await, office.at("ben").await, office.at("cleo").await, office.at("hal").await);
    let until = (office.house.now().plus_days(300)).day();
    let within = [("may", "conditions"), ("calls", "1200"), ("until", until.as_str()), ("reasons", "two clinics")];
    let early = office.send(&mut ben, "decide-use", &within).await;
    assert!(early.status == 409 && faults(&early).contains("Not done yet"), "{}", faults(&early));
    for step in ["facts", "innocent-explanations"] {
        office.must(&mut ann, "step", &[("step", step), ("note", "done")]).await;
    }
    office.must(&mut hal, "step", &[("step", "counsel"), ("note", "done")]).await;
    assert!(ben.get("/console").await.text().contains("two people’s word on the declared use"));
    office.must(&mut ben, "decide-use", &within).await;
    let close = [("remedy", "none"), ("consulted", "the clinics"), ("lesson", "ask first")];
    let alone = office.send(&mut ann, "close", &close).await;
    assert!(alone.status == 409 && faults(&alone).contains("Two who decide say first"), "{}", faults(&alone));
    office.must(&mut cleo, "decide-use", &within).await;
    let shown = ann.get(&office.page("/do/close")).await;
    whole(&shown);
    assert!(shown.text().contains("at most 1,200 calls an hour"), "{}", shown.text());
    office.must(&mut ann, "close", &close).await;
    let case = office.file().await.case;
    assert_eq!(review::clocks::limit(&case).map(|(calls, _)| calls), Some(1_200));
    let story = ann.get(&office.page("")).await;
    whole(&story);
    assert!(story.text().contains("contact_centre, with speech, in north"), "{}", story.text());
}
