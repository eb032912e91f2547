//! The story of a review in a real Chromium with scripts switched off, as a dozen people, each in a browser of their own:
//! from an anonymous report over an appeal that is upheld in part to a case that is closed, corrected and reopened, on
//! SQLite and on PostgreSQL, and with an OpenID provider.
//!
//! Whatever a person does here they do by reading, clicking and typing on the pages. What `tribune serve` does by itself
//! (draining the intake, previewing a decision, publishing) is done here as it does it: as the system, through the clerk.

use crate::driver::{Chromium, Driver, quoted};
use crate::house::House;
use crate::postgres::Server;
use crate::provider::{Provider, machine_time};
use crate::signing::{Account, PASSWORD, account, armored, person, set_roster};
use axum::response::Html;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clerk::{Sender, Sent};
use review::act::Act;
use review::metered::{Line, Metered};
use review::procedure::Procedure;
use review::roster::{KeyForm, Member, Roster};
use review::words::{CaseId, Digest, Role};
use std::collections::{BTreeMap, BTreeSet};
use store::{Files, Identity, PublicLog};
use tlog::Signer;
use tokio::net::TcpListener;
use web::pages::PolicyText;
use web::session::Who;

const PASSPHRASE: &str = "a passphrase of several words";
const TOLD: &str = "They transcribe the calls of a whole region, and keep all of them.";
const CASE_TABS: [&str; 5] = ["", "/evidence", "/proof", "/decisions", "/after"];
const DAY: i64 = 86_400;

#[derive(serde::Deserialize)]
struct Pack {
    review: Procedure,
}

pub(crate) fn policy() -> PolicyText {
    let text = include_str!("../../../../policies/mass-surveillance/policy.toml");
    PolicyText {
        id: "mass-surveillance".to_owned(),
        title: "No mass surveillance".to_owned(),
        version: "1".to_owned(),
        digest: Digest::of(text).to_string(),
        clause: include_str!("../../../../policies/mass-surveillance/clause.md").to_owned(),
        procedure: toml::from_str::<Pack>(text).unwrap().review,
        signals: Vec::new(),
        numbers: Default::default(),
    }
}

const PEOPLE: [(&str, &[Role], &str); 13] = [
    ("ina", &[Role::IntakeOfficer], "head"),
    ("ivo", &[Role::IntakeOfficer], "head"),
    ("ada", &[Role::CustodianA], "board"),
    ("bob", &[Role::CustodianB], "law"),
    ("ann", &[Role::Analyst, Role::Reviewer], "head"),
    ("ivy", &[Role::Reviewer], "head"),
    ("ned", &[Role::Reviewer], "head"),
    ("hal", &[Role::Counsel], "law"),
    ("ben", &[Role::Decider], "law"),
    ("cleo", &[Role::Decider], "trust"),
    ("gus", &[Role::GateEngineer], "ops"),
    ("eve", &[Role::AppealPanel], "board"),
    ("finn", &[Role::AppealPanel], "law"),
];

/// Everybody, before the pages of one house that listens.
struct Story {
    house: House,
    driver: Driver,
    /// Where everybody but the customer signs in; none, with local accounts.
    provider: Option<Provider>,
    accounts: BTreeMap<&'static str, Account>,
    /// As files that their passphrase opens.
    keys: BTreeMap<&'static str, String>,
}

impl Story {
    async fn begin(driver: Driver, listener: TcpListener, record: Option<String>, provider: Option<Provider>) -> Self {
        let base = address(&listener);
        let settings = provider.as_ref().map(Provider::settings);
        let house = House::over(&base, record, vec![policy()], settings).await;
        if provider.is_some() {
            // What the provider says is for browsers too, and they go by the machine's time.
            house.pass(machine_time() - house.now().0);
        }
        let scripted = "<title>off</title><script>document.title = 'on'</script>";
        let router = house.router().route("/scripted", get(async move || Html(scripted)));
        tokio::spawn(web::serve(listener, router, web::Limits::default(), std::future::pending()));
        let (roster, keys) = roster(provider.as_ref());
        set_roster(&house, "r1", &[], &roster).await;
        let mut accounts = BTreeMap::new();
        for (name, ..) in PEOPLE.into_iter().filter(|_| provider.is_none()) {
            accounts.insert(name, person(&house, name).await);
        }
        accounts.insert("acme", account(&house, "acme", Who::Customer("acme".parse().unwrap())).await);
        Self { house, driver, provider, accounts, keys }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.house.pages.settings.base)
    }

    /// Somebody's browser, signed in.
    async fn sign_in(&self, name: &str, path: &str) -> Chromium<'_> {
        let browser = self.driver.browser().await;
        browser.open(&self.url(path)).await;
        self.prove(&browser, name, "/sign-in").await;
        assert_eq!(browser.address().await, self.url(path), "{name}");
        browser
    }

    /// Types who one is.
    async fn prove(&self, browser: &Chromium<'_>, name: &str, form: &str) {
        if let Some(provider) = self.provider.as_ref().filter(|_| !self.accounts.contains_key(name)) {
            return self.prove_there(browser, provider, name).await;
        }
        let (account, form) = (&self.accounts[name], format!("form[action={}]", quoted(form)));
        let code = account.code(&self.house);
        let mut fields = vec![("password", PASSWORD), ("code", &code)];
        if form.contains("sign-in") {
            fields.insert(0, ("name", &account.name));
        }
        browser.send(&form, &fields).await;
    }

    /// Goes to the provider, says there who one is and that it may say so here, and comes back.
    async fn prove_there(&self, browser: &Chromium<'_>, provider: &Provider, name: &str) {
        provider.shows(self.house.now()).await;
        browser.follow("main a[href*='/provider']").await;
        while browser.address().await.starts_with(&provider.issuer()) {
            let who = [("login", name), ("password", "any")];
            let asked = browser.has("input[name=login]").await;
            browser.send("form", if asked { &who } else { &[] }).await;
        }
    }

    /// Somebody's browser, at a case that they found in the list and said what they look for in.
    async fn at(&self, name: &str, case: &CaseId) -> Chromium<'_> {
        let browser = self.sign_in(name, "/console/cases").await;
        browser.follow(&format!("main a[href*={}]", quoted(case.as_str()))).await;
        browser.send("main form", &[("purpose", "to review it")]).await;
        assert_eq!(browser.address().await, self.url(&format!("/console/cases/{case}")));
        browser
    }

    /// Finds a deed where it is offered, and does it.
    async fn does(&self, browser: &Chromium<'_>, case: &CaseId, deed: &str, fields: &[(&str, &str)]) {
        self.goes_to(browser, case, deed).await;
        browser.send("form.deed", fields).await;
        let address = browser.address().await;
        assert!(!address.contains("/do/"), "{deed} was done: {address}");
    }

    async fn goes_to(&self, browser: &Chromium<'_>, case: &CaseId, deed: &str) {
        let link = format!(".deeds a[href$={}]", quoted(&format!("/do/{deed}")));
        let mut said = String::new();
        for tab in CASE_TABS {
            browser.open(&self.url(&format!("/console/cases/{case}{tab}"))).await;
            if browser.has(&link).await {
                return browser.follow(&link).await;
            }
            // What is shut says why, once it is opened.
            if browser.has("details.shut > summary").await {
                browser.click("details.shut > summary").await;
            }
            said += &browser.text("main aside").await;
        }
        panic!("{deed} is offered nowhere:\n{said}");
    }

    /// Brings a key of one's own, on the page about oneself.
    async fn brings_key(&self, browser: &Chromium<'_>, kind: &str, file: &str) {
        browser.open(&self.url("/me")).await;
        browser.click(&format!("details:has(#{kind}-file) summary")).await;
        browser.send(&format!("form:has(#{kind}-file)"), &[("file", file), ("passphrase", PASSPHRASE)]).await;
    }

    async fn unlocks(&self, browser: &Chromium<'_>, name: &str) {
        browser.open(&self.url("/me")).await;
        if !browser.has("form[action='/me/unlock']").await {
            self.brings_key(browser, "reads-with", &self.keys[name]).await;
            browser.open(&self.url("/me")).await;
        }
        browser.send("form[action='/me/unlock']", &[("passphrase", PASSPHRASE)]).await;
        assert!(browser.text("#keys").await.contains("unlocked"));
    }

    async fn system(&self, case: &CaseId, act: Act) {
        let sent = Sent {
            id: format!("system-{}", self.house.now().0).parse().unwrap(),
            at: self.house.now(),
            by: Sender::System,
        };
        self.house.clerk.enact(&sent, case, act).await.unwrap();
    }
}

/// Everybody's part, and the keys of those who use one here: a passphrase is made to open slowly.
fn roster(provider: Option<&Provider>) -> (Roster, BTreeMap<&'static str, String>) {
    let (mut roster, mut keys) = (Roster::default(), BTreeMap::new());
    for (name, roles, manager) in PEOPLE {
        let identity = Identity::generate();
        let mut member = Member {
            roles: roles.iter().copied().collect(),
            manager: Some(manager.parse().unwrap()),
            reads_with: BTreeSet::from([identity.to_public().to_string()]),
            identities: provider.map(|there| format!("{}|{name}", there.issuer())).into_iter().collect(),
            ..Member::default()
        };
        if roles.contains(&Role::Decider) {
            let (sealed, public) = clerk::keys::new_signing_key(&Digest::of(name).0, PASSPHRASE).unwrap();
            member.keys.insert(public, KeyForm::Passphrase);
            keys.insert(name, STANDARD.encode(sealed));
        } else if ["ina", "ann"].contains(&name) {
            keys.insert(name, armored(&identity, PASSPHRASE));
        }
        roster.members.insert(name.parse().unwrap(), member);
    }
    (roster, keys)
}

/// Scripts do not run in the browsers of this story: a page that would say so does not.
async fn no_script_runs(story: &Story) {
    let browser = story.driver.browser().await;
    browser.open(&story.url("/scripted")).await;
    assert_eq!(browser.title().await, "off");
    browser.leave().await;
}

/// Somebody reports; gives the words of the receipt.
async fn reports(story: &Story) -> String {
    let browser = story.driver.browser().await;
    browser.open(&story.url("/")).await;
    browser.follow("a[href='/report']").await;
    browser.follow("main a[href='/report/new']").await;
    // The form may be sent some seconds after it was made.
    story.house.pass(5);
    browser.send("main form", &[("text", TOLD), ("channel", "anonymous")]).await;
    let words = browser.text("ol.receipt li").await.replace('\n', " ");
    assert_eq!(words.split(' ').count(), 7, "{words}");
    browser.leave().await;
    words
}

/// What the reporter's mailbox says.
async fn mailbox(story: &Story, words: &str) -> String {
    let browser = story.driver.browser().await;
    browser.open(&story.url("/report/mailbox")).await;
    browser.send("main form", &[("words", words)]).await;
    let said = browser.text("main").await;
    browser.leave().await;
    said
}

/// An intake officer reads the report, says where it comes from and writes to its reporter; gives its name.
async fn takes_in(story: &Story) -> String {
    let ina = story.sign_in("ina", "/console").await;
    story.unlocks(&ina, "ina").await;
    ina.open(&story.url("/console")).await;
    ina.follow("header.site a[href^='/console/reports']").await;
    ina.follow("main th a").await;
    ina.send("main form", &[("purpose", "to take it in")]).await;
    assert!(ina.text("main").await.contains(TOLD));
    let id = ina.text("main h1").await;
    for (deed, field, value) in
        [("trace", "origin", "an-employee"), ("write", "answer", "Thank you: somebody looks at it.")]
    {
        let form = format!("form[action$='/do/{deed}']");
        ina.click(&format!("details:has({form}) summary")).await;
        ina.send(&form, &[(field, value)]).await;
    }
    ina.leave().await;
    id
}

/// An analyst opens a case on it; the intake officer lets the report join.
async fn opens(story: &Story, report: &str) -> CaseId {
    let ann = story.sign_in("ann", "/console/open").await;
    let fields = [("customer", "acme"), ("accounts", "acct-1\nacct-2"), ("reports", report)];
    ann.send("main form", &fields).await;
    let address = ann.address().await;
    let case: CaseId = address.rsplit('/').next().unwrap().parse().unwrap();
    ann.leave().await;
    let ina = story.sign_in("ina", &format!("/console/reports/{report}")).await;
    ina.send("main form", &[("purpose", "to review it")]).await;
    let form = "form[action$='/do/join']";
    ina.click(&format!("details:has({form}) summary")).await;
    ina.send(form, &[("case", case.as_str())]).await;
    ina.leave().await;
    case
}

/// Everybody gets a part and declares; evidence comes in.
async fn gathers(story: &Story, case: &CaseId) {
    let ann = story.at("ann", case).await;
    story.does(&ann, case, "assign", &[("person", "ann"), ("role", "reviewer")]).await;
    story.does(&ann, case, "declare", &[("stands", "none")]).await;
    for (name, role) in [
        ("ann", "analyst"),
        ("ivy", "reviewer"),
        ("hal", "counsel"),
        ("ben", "decider"),
        ("cleo", "decider"),
        ("eve", "appeal-panel"),
        ("finn", "appeal-panel"),
    ] {
        story.does(&ann, case, "assign", &[("person", name), ("role", role)]).await;
    }
    for name in ["ivy", "hal", "ben", "cleo", "eve", "finn"] {
        let own = story.at(name, case).await;
        story.does(&own, case, "declare", &[("stands", "none")]).await;
        own.leave().await;
    }
    let about = "acct-1 object-storage\nacct-2 object-storage";
    for (id, basis, text, origin, about) in [
        ("m1", "meters", "A rollup of three months.", "provider", about),
        ("told1", "outside-source", "A journal's account of it.", "press", ""),
        ("told2", "outside-source", "An organisation's account of it.", "an organisation", ""),
    ] {
        let mut fields = vec![("id", id), ("basis", basis), ("text", text), ("origin", origin)];
        fields.extend((!about.is_empty()).then_some(("about", about)));
        story.does(&ann, case, "evidence", &fields).await;
    }
    ann.leave().await;
}

/// The customer is asked, and answers.
async fn asks(story: &Story, case: &CaseId) {
    let (ann, ivy) = (story.at("ann", case).await, story.at("ivy", case).await);
    story.does(&ann, case, "question", &[("text", "What is it for?")]).await;
    story.does(&ivy, case, "confirm", &[("sure", "yes")]).await;
    story.does(&ann, case, "ask", &[]).await;
    ann.leave().await;
    ivy.leave().await;
    let acme = story.sign_in("acme", "/customer").await;
    acme.follow(&format!("main a[href*={}]", quoted(case.as_str()))).await;
    assert!(acme.text("main").await.contains("What is it for?"));
    acme.send("form[action$='/answer']", &[("text", "It is for training.")]).await;
    assert!(acme.text("main").await.contains("It is for training."));
    acme.leave().await;
}

/// The steps are done, every element is answered, and an intervention is proposed.
async fn proposes(story: &Story, case: &CaseId) {
    let hal = story.at("hal", case).await;
    story.does(&hal, case, "step", &[("step", "counsel"), ("note", "An opinion.")]).await;
    hal.leave().await;
    let ann = story.at("ann", case).await;
    for step in ["facts", "innocent-explanations"] {
        story.does(&ann, case, "step", &[("step", step), ("note", "Done.")]).await;
    }
    let mut fields = vec![("view".to_owned(), "Two services; not what the recordings are.".to_owned())];
    for id in ["E1", "E2", "E3", "E4", "E5"] {
        let evidence: &[&str] = if id == "E3" { &["told1", "told2"] } else { &["m1"] };
        fields.push((format!("answer-{id}"), "established".to_owned()));
        fields.push((format!("standard-{id}"), "clear-and-convincing".to_owned()));
        fields.push((format!("reasons-{id}"), format!("Because of {id}.")));
        fields.extend(evidence.iter().map(|one| (format!("evidence-{id}"), (*one).to_owned())));
    }
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    story.does(&ann, case, "determine", &fields).await;
    let review = story.house.now().plus_days(90).day();
    let fields = [
        ("intervention", "read-only"),
        ("target", "acct-1\tobject-storage\twrite"),
        ("target", "acct-2\tobject-storage\twrite"),
        ("reason-write", "It goes on, and nothing less stops it."),
        ("review", &review),
    ];
    story.does(&ann, case, "propose", &fields).await;
    ann.leave().await;
}

/// The system looks by recent usage at what is proposed, as a server with usage does.
async fn is_previewed(story: &Story, case: &CaseId) {
    let line = |account: &str| Line {
        account: account.parse().unwrap(),
        service: "object-storage".parse().unwrap(),
        operation: "storage.write".parse().unwrap(),
        region: None,
        quantity: 14_000,
        days: 14,
        hour_max: Some(200),
    };
    let now = story.house.now();
    let midnight = review::words::Moment(now.0 - now.0.rem_euclid(DAY));
    let metered = Metered {
        from: midnight.plus_days(-14),
        to: midnight,
        records: Digest::of("records"),
        accounts: ["acct-1", "acct-2"].map(|one| (one.parse().unwrap(), "acme".parse().unwrap())).into(),
        lines: vec![line("acct-1"), line("acct-2")],
    };
    story.system(case, Act::Preview { decision: "d1".parse().unwrap(), metered }).await;
}

/// Who decides brings a key the first time, waits too long, proves anew who they are, and signs.
async fn approves(story: &Story, case: &CaseId, name: &str, first: bool) {
    let browser = story.at(name, case).await;
    if first {
        story.brings_key(&browser, "signs-with", &story.keys[name]).await;
    }
    story.house.pass(6 * 60);
    story.goes_to(&browser, case, "approve").await;
    assert!(browser.address().await.contains("/step-up"), "{}", browser.address().await);
    story.prove(&browser, name, "/step-up").await;
    let read = browser.text("main .read").await;
    assert!(read.contains("acct-1"), "{read}");
    browser.send("form.deed", &[("passphrase", PASSPHRASE)]).await;
    browser.leave().await;
}

/// The statement of reasons is written, read by a second person, and served.
async fn serves(story: &Story, case: &CaseId) {
    let ann = story.at("ann", case).await;
    story.unlocks(&ann, "ann").await;
    story.does(&ann, case, "statement", &[("facts", "It goes on.")]).await;
    let ivy = story.at("ivy", case).await;
    for _ in 0..2 {
        story.goes_to(&ivy, case, "confirm").await;
        let text = ivy.value("select[name=text] option:not([value=''])").await;
        ivy.send("form.deed", &[("text", &text), ("sure", "yes")]).await;
    }
    ivy.leave().await;
    story.does(&ann, case, "serve", &[]).await;
    ann.leave().await;
}

/// The customer reads why, and appeals.
async fn appeals(story: &Story, case: &CaseId) {
    let acme = story.sign_in("acme", &format!("/customer/case/{case}")).await;
    assert!(acme.text("main").await.contains("in force"));
    acme.follow(&format!("main a[href='/customer/case/{case}/d1']")).await;
    assert!(acme.text("main").await.contains("It goes on."));
    acme.open(&story.url(&format!("/customer/case/{case}"))).await;
    let form = "form[action$='/appeal']";
    acme.click(&format!("details:has({form}) summary")).await;
    acme.send(form, &[("ground", "It is a call centre.")]).await;
    assert!(acme.text("#appeals").await.contains("It is a call centre."));
    acme.leave().await;
}

/// Two of the panel uphold it in part, and two who decide lift what the panel says; the customer sees what is on again.
async fn narrows(story: &Story, case: &CaseId) {
    for name in ["eve", "finn"] {
        let own = story.at(name, case).await;
        let reasons = "What acct-2 keeps are calls to a help line.";
        story.does(&own, case, "decide-appeal", &[("outcome", "in-part"), ("reasons", reasons)]).await;
        own.leave().await;
    }
    let ann = story.at("ann", case).await;
    let kept = [("decision", "d1"), ("keep", "acct-1\tobject-storage\t\twrite")];
    story.does(&ann, case, "lift", &kept).await;
    ann.leave().await;
    for name in ["ben", "cleo"] {
        approves(story, case, name, false).await;
    }
    let gus = story.at("gus", case).await;
    story.does(&gus, case, "effect", &[]).await;
    gus.leave().await;
    let acme = story.sign_in("acme", &format!("/customer/case/{case}")).await;
    assert!(acme.text("#appeals").await.contains("upheld in part"), "{}", acme.text("#appeals").await);
    let targets = acme.text("#d1 tbody").await;
    let now = |account: &str| targets.lines().find(|line| line.starts_with(account)).map(|line| line.ends_with("off"));
    assert_eq!((now("acct-1"), now("acct-2")), (Some(true), Some(false)), "{targets}");
    acme.leave().await;
}

/// The use is looked at three times, and the case is closed with what is done for those affected and what is learnt.
async fn closes(story: &Story, case: &CaseId) {
    let begun = story.house.now();
    for days in [30, 90, 180] {
        story.house.pass(begun.plus_days(days).0 + 60 - story.house.now().0);
        let ann = story.at("ann", case).await;
        let check = format!("{days} d1");
        story.does(&ann, case, "check", &[("check", &check), ("ended", "yes"), ("rest", "yes")]).await;
        ann.leave().await;
    }
    let ann = story.at("ann", case).await;
    let closing = [
        ("remedy", "Those whose calls were kept are told."),
        ("consulted", "Two organisations that speak for them."),
        ("lesson", "Ask who is recorded before the first byte."),
    ];
    story.does(&ann, case, "close", &closing).await;
    assert!(ann.text("main").await.contains("closed"));
    ann.leave().await;
}

const RIGHT: &str = "The measure began a day later than the statement said.";

/// What was published was wrong: a correction, read by a second person, stands beside it.
async fn corrects(story: &Story, case: &CaseId) {
    let (ann, ivy) = (story.at("ann", case).await, story.at("ivy", case).await);
    story.unlocks(&ann, "ann").await;
    story.does(&ann, case, "correction", &[("text", RIGHT)]).await;
    story.does(&ivy, case, "confirm", &[("sure", "yes")]).await;
    story.does(&ann, case, "correct", &[]).await;
    ann.leave().await;
    ivy.leave().await;
}

/// Something new comes in: somebody who had no hand in it takes it up again, and whoever had one gets no part.
async fn reopens(story: &Story, case: &CaseId) {
    story.house.pass(DAY);
    let ned = story.at("ned", case).await;
    let new = [("id", "leak"), ("basis", "document"), ("text", "An order of the unit."), ("origin", "a leak")];
    story.does(&ned, case, "evidence", &new).await;
    story.does(&ned, case, "reopen", &[("material", "leak")]).await;
    story.goes_to(&ned, case, "assign").await;
    ned.fill("form.deed", "person", "ann").await;
    ned.fill("form.deed", "role", "reviewer").await;
    ned.follow("form.deed button").await;
    let refused = ned.text("main .notice.wrong").await;
    assert!(refused.contains("reviewed it before"), "{refused}");
    story.does(&ned, case, "assign", &[("person", "ned"), ("role", "reviewer")]).await;
    story.does(&ned, case, "declare", &[("stands", "none")]).await;
    ned.leave().await;
}

/// What the server publishes once a day.
async fn publishes(story: &Story) {
    let signer = Signer::new("log.example/tribune", &[1; 32]).unwrap();
    let files = Files::local(story.house.public().join("log"));
    let mut log = PublicLog::open(story.house.clerk.record(), files, signer).await.unwrap();
    story.house.clerk.publish(&mut log, story.house.now(), true).await.unwrap();
}

/// What anybody reads of it without signing in: the statement, its correction and their place in the log; and nobody's name.
async fn is_public(story: &Story, case: &CaseId, report: &str) {
    let browser = story.driver.browser().await;
    let mut read = String::new();
    browser.open(&story.url("/")).await;
    read += &browser.text("body").await;
    browser.follow("header.site a[href^='/statements']").await;
    read += &browser.text("body").await;
    assert!(browser.text("main table").await.contains("Corrected"), "{read}");
    browser.follow("main tbody tr:has(.badge) th a").await;
    let statement = browser.text("main").await;
    assert!(statement.contains("object-storage") && !statement.contains("Not in the log yet"), "{statement}");
    browser.follow("main .notice.warn a").await;
    let correction = browser.text("main").await;
    assert!(correction.contains(RIGHT), "{correction}");
    read += &format!("{statement}{correction}");
    browser.open(&story.url("/log")).await;
    read += &browser.text("body").await;
    browser.open(&story.url("/log/checkpoint")).await;
    let checkpoint = browser.text("body").await;
    assert!(checkpoint.starts_with("log.example/tribune"), "{checkpoint}");
    for secret in ["acme", "acct-", case.as_str(), report, TOLD, "ann", "ivy", "cleo", "help line"] {
        let told = read.split(|sign: char| !sign.is_alphanumeric() && sign != '-').any(|word| word == secret);
        assert!(!told && (secret.len() < 5 || !read.contains(secret)), "{secret} is public: {read}");
    }
    // Behind the sign-in there is nothing to read.
    browser.open(&story.url(&format!("/console/cases/{case}"))).await;
    assert!(browser.address().await.contains("/sign-in"), "{}", browser.address().await);
    browser.leave().await;
}

/// Where pages at a socket are.
fn address(listener: &TcpListener) -> String {
    format!("http://{}", listener.local_addr().unwrap())
}

async fn carried(listener: TcpListener, record: Option<String>, provider: Option<Provider>) {
    let Some(driver) = Driver::start() else { return };
    let story = Story::begin(driver, listener, record, provider).await;
    no_script_runs(&story).await;
    let words = reports(&story).await;
    assert!(mailbox(&story, &words).await.contains("Your report came in"));
    story.house.pass(DAY);
    story.house.clerk.drain(story.house.now()).await.unwrap();
    let report = takes_in(&story).await;
    assert!(mailbox(&story, &words).await.contains("somebody looks at it"));
    let case = opens(&story, &report).await;
    gathers(&story, &case).await;
    asks(&story, &case).await;
    proposes(&story, &case).await;
    is_previewed(&story, &case).await;
    for name in ["ben", "cleo"] {
        approves(&story, &case, name, true).await;
    }
    serves(&story, &case).await;
    story.house.pass(DAY + 1);
    let gus = story.at("gus", &case).await;
    story.does(&gus, &case, "effect", &[]).await;
    gus.leave().await;
    appeals(&story, &case).await;
    narrows(&story, &case).await;
    closes(&story, &case).await;
    corrects(&story, &case).await;
    reopens(&story, &case).await;
    publishes(&story).await;
    is_public(&story, &case, &report).await;
    let file = story.house.clerk.look(&Sender::System, &case, "a test", story.house.now()).await.unwrap();
    let breaches = review::audit::audit(&file.events, &file.law.procedure, &story.house.clerk.roster().await.unwrap());
    assert!(breaches.is_empty(), "{breaches:?}");
    assert!(story.house.complaints.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_is_carried_in_browsers_without_scripts() {
    carried(TcpListener::bind("127.0.0.1:0").await.unwrap(), None, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_is_carried_in_browsers_without_scripts_on_postgresql() {
    let Some(server) = Server::start(&[]) else { return };
    let record = Some(server.address(&server.new_database()));
    carried(TcpListener::bind("127.0.0.1:0").await.unwrap(), record, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_is_carried_in_browsers_that_sign_in_at_a_provider() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let Some(provider) = Provider::start(&address(&listener)) else { return };
    carried(listener, None, Some(provider)).await;
}
