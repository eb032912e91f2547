//! Every page there is, opened in a real Chromium with contents that people made, each looked at with `eyes`; whatever route,
//! form or template nobody looked at is a fault, too. Where `TRIBUNE_SCREENSHOTS` names a folder, pictures of each are kept
//! there, to be looked at (`cargo xtask screenshots`).
//!
//! It carries no story, which `browser` does: what people did until then, `console` does here. The explanation is what
//! `tribune explain --format json` wrote of a simulated provider.

use crate::console::{Office, approve, determined, drafted, effected, open, proposed, served, set, unlock, watched};
use crate::driver::{Driver, quoted};
use crate::eyes::{Eyes, FORMS};
use crate::house::House;
use crate::public::{address, published, statement};
use crate::signing::{Browser, account, person};
use axum::Router;
use axum::middleware::map_response;
use axum::response::{Html, Response};
use axum::routing::get;
use clerk::{Declaring, Public, PublicText, Sender, Sent};
use review::Decibans;
use review::procedure::Procedure;
use review::public::Entry;
use review::words::Digest;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use web::answer::MadeFrom;
use web::explore::Numbers;
use web::pages::PolicyText;
use web::session::{How, Who};
use web::sign_in::ProviderSettings;

/// A page with faults.
const FAULTY: &str = "<!doctype html><title>Faulty</title><p style='color:#ccc;background:#fff'>Pale</p><img src='/x'>\
    <div style='width:3000px'>Wide</div>";

/// What is asked for and is no page.
const NO_PAGES: [&str; 10] = [
    "/style.css",
    "/log/{*path}",
    "/statements.json",
    "/sign-in/provider",
    "/sign-in/provider/back",
    "/step-up/provider",
    "/customer/case/{case}/{decision}/text",
    "/console/cases/{id}/record/{number}/{entry}",
    "/console/cases/{id}/evidence/{item}/file",
    "/console/reports/{id}/files/{file}",
];

/// Templates that are no page of their own: what others are made of.
const PARTS: [&str; 8] = [
    "base.html",
    "charts.html",
    "console/case.html",
    "console/parts.html",
    "form.html",
    // A chart's, drawn within its page.
    "moved.html",
    "numbers.html",
    // An explanation's, drawn within its page.
    "portrait.html",
];

/// The template that the last page was made from.
type Made = Arc<Mutex<Option<MadeFrom>>>;

/// Somebody who looks at pages, as whoever sees them.
struct Looker<'a> {
    office: &'a Office,
    browser: Eyes<'a>,
    made_last: Made,
    made: BTreeSet<&'static str>,
    looked: Vec<String>,
    routes: BTreeSet<&'static str>,
    deeds: BTreeSet<String>,
    faults: Vec<String>,
}

impl<'a> Looker<'a> {
    fn new(office: &'a Office, browser: Eyes<'a>, made_last: Made) -> Self {
        let (made, looked, routes, deeds, faults) =
            (BTreeSet::new(), Vec::new(), BTreeSet::new(), BTreeSet::new(), Vec::new());
        Self { office, browser, made_last, made, looked, routes, deeds, faults }
    }

    async fn open(&self, path: &str) {
        self.browser.open(&format!("{}{path}", self.office.house.base())).await;
    }

    /// Is who signed in with these cookies, or nobody.
    async fn becomes(&self, cookies: &BTreeMap<String, String>) {
        self.open("/style.css").await;
        self.browser.holds(cookies).await;
    }

    async fn at(&mut self, name: &str, path: &str) {
        self.open(path).await;
        self.look(name).await;
    }

    /// At a page of the case.
    async fn at_case(&mut self, name: &str, end: &str) {
        let path = self.office.page(end);
        self.at(name, &path).await;
    }

    /// The form of something that is done in the case.
    async fn at_deed(&mut self, deed: &str) {
        self.at_case(&format!("do-{deed}"), &format!("/do/{deed}")).await;
        self.deeds.insert(deed.to_owned());
    }

    /// Looks at what the browser shows.
    async fn look(&mut self, name: &str) {
        assert!(!self.looked.iter().any(|known| known == name), "{name} is looked at twice");
        self.looked.push(name.to_owned());
        let address = self.browser.address().await;
        let path = format!("/{}", address.splitn(4, '/').nth(3).unwrap().split(['?', '#']).next().unwrap());
        self.routes.extend(route(&path));
        self.made.extend(self.made_last.lock().unwrap().take().map(|made| made.0));
        let faults = self.browser.faults(name).await;
        self.faults.extend(faults.into_iter().map(|fault| format!("{name} ({path}): {fault}")));
    }

    /// Says what was found, also of what was not looked at.
    async fn ends(mut self) {
        if let Some(folder) = self.browser.pictures() {
            std::fs::write(folder.join("index.html"), index(&self.looked)).unwrap();
        }
        for place in web::pages::places().iter().filter(|place| place.method == "GET") {
            if !NO_PAGES.contains(&place.path) && !self.routes.contains(place.path) {
                self.faults.push(format!("nobody looked at {}: {}", place.path, place.what));
            }
        }
        let unseen = web::pages::deeds().filter(|deed| !self.deeds.contains(*deed));
        self.faults.extend(unseen.map(|deed| format!("nobody looked at the form of {deed}")));
        self.faults.extend(unmade(&self.made));
        assert!(self.faults.is_empty(), "{} pages:\n{}", self.looked.len(), self.faults.join("\n"));
        self.browser.leave().await;
    }
}

/// Templates that no page looked at was made from, and files that are nobody's.
fn unmade(made: &BTreeSet<&str>) -> Vec<String> {
    let (mut faults, mut named) = (Vec::new(), BTreeSet::new());
    for file in under(Path::new("src")) {
        let text = std::fs::read_to_string(&file).unwrap();
        for template in text.split("#[template(path = \"").skip(1) {
            let path = template.split('"').next().unwrap().to_owned();
            let page = template.split("struct ").nth(1).unwrap().split([' ', '<']).next().unwrap();
            let module = file.strip_prefix("src").unwrap().with_extension("").display().to_string().replace('/', "::");
            let page = format!("web::{module}::{page}");
            let looked = made.iter().any(|made| made.split('<').next() == Some(&page));
            if !looked && !PARTS.contains(&path.as_str()) {
                faults.push(format!("nobody looked at a page made from {page}, {path}"));
            }
            named.insert(path);
        }
    }
    let folder = Path::new("templates");
    let files = under(folder).into_iter().map(|file| file.strip_prefix(folder).unwrap().display().to_string());
    let files: BTreeSet<String> = files.filter(|file| file.ends_with(".html")).collect();
    let unknown = files.iter().filter(|file| !named.contains(*file) && !PARTS.contains(&file.as_str()));
    faults.extend(unknown.map(|file| format!("no page is made from {file}")));
    faults.extend(PARTS.iter().filter(|part| !files.contains(**part)).map(|part| format!("{part} is not there")));
    faults
}

/// Every file in a folder, at any depth.
fn under(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { under(&path) } else { vec![path] }).collect()
}

/// The route that a path is of: of several, the one that says most of it.
fn route(path: &str) -> Option<&'static str> {
    let is_of = |route: &&'static str| {
        let (asked, parts) = (path.split('/'), route.split('/'));
        asked.clone().count() == parts.clone().count()
            && asked.zip(parts).all(|(asked, part)| asked == part || part.starts_with('{'))
    };
    let routes = web::pages::places().into_iter().map(|place| place.path).filter(is_of);
    routes.min_by_key(|route| route.matches('{').count())
}

/// The pictures side by side.
fn index(names: &[String]) -> String {
    let mut html = String::from(
        "<!doctype html><meta charset=utf-8><title>Every page</title><style>body{font:14px system-ui;margin:1rem;\
         background:#888}div{display:flex;gap:1rem;align-items:start;overflow-x:auto}img{height:auto;max-width:46rem}\
         img.phone{max-width:20rem}h2{position:sticky;left:0}</style>",
    );
    for name in names {
        let pictures: String = FORMS
            .iter()
            .map(|(form, ..)| format!("<img class={form} loading=lazy src={name}--{form}.png alt='{name}, {form}'>"))
            .collect();
        let _ = write!(html, "<h2 id={name}>{name}</h2><div>{pictures}</div>");
    }
    html
}

#[derive(serde::Deserialize)]
struct Pack {
    review: Procedure,
    title: String,
    version: String,
    signal: Vec<Signal>,
}

#[derive(serde::Deserialize)]
struct Signal {
    id: String,
    family: String,
    sentence: String,
    innocent: String,
}

pub(crate) fn policy() -> PolicyText {
    let text = include_str!("../../../../policies/mass-surveillance/policy.toml");
    let Pack { review, title, version, signal } = toml::from_str(text).unwrap();
    let weights = signal.iter().map(|one| (one.id.clone(), 100)).collect();
    PolicyText {
        id: "mass-surveillance".to_owned(),
        title,
        version,
        digest: Digest::of(text).to_string(),
        clause: include_str!("../../../../policies/mass-surveillance/clause.md").to_owned(),
        procedure: review,
        signals: signal
            .into_iter()
            .map(|one| [one.family, one.id, one.sentence.replace("{value}", "…"), one.innocent])
            .collect(),
        numbers: Numbers {
            prior_db: Decibans::from_tenths(-500),
            floor_db: Decibans::from_tenths(-180),
            floor_raise_db: Decibans::from_tenths(60),
            cases_per_week: 20,
            families: 3,
            families_db: Decibans::from_tenths(40),
            fast_lane: 100_000,
            weights,
        },
    }
}

/// A house that listens, its people, and a case among others; tells what its pages are made from.
async fn office() -> (Office, Made) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let house = House::over(&base, None, vec![policy()], None).await;
    let router = house.router().route("/faulty", get(async || Html(format!("{FAULTY}{}", " ".repeat(100_000)))));
    let made = Made::default();
    serves(listener, router, &made);
    let mut office = Office::of(house, "Meridian Telephony Group").await;
    for name in ["eve", "finn"] {
        office.accounts.insert(name, person(&office.house, name).await);
    }
    let customer = Who::Customer("Meridian Telephony Group".parse().unwrap());
    office.accounts.insert("meridian", account(&office.house, "meridian", customer).await);
    (office, made)
}

/// Answers at a socket, and remembers what the last page was made from.
fn serves(listener: TcpListener, router: Router, made: &Made) {
    let made = Arc::clone(made);
    let router = router.layer(map_response(move |response: Response| {
        if let Some(from) = response.extensions().get() {
            *made.lock().unwrap() = Some(*from);
        }
        std::future::ready(response)
    }));
    tokio::spawn(web::serve(listener, router, web::Limits::default(), std::future::pending()));
}

/// Whoever looks finds what is wrong: without that, nothing found would say nothing.
async fn finds(looker: &mut Looker<'_>) {
    looker.at("faulty", "/faulty").await;
    for fault in
        ["color-contrast", "image-alt", "html-has-lang", "sideways at 360", "sideways at 2560", "it weighs 100"]
    {
        assert!(looker.faults.iter().any(|found| found.contains(fault)), "{fault}: {:?}", looker.faults);
    }
    (looker.looked, looker.faults) = (Vec::new(), Vec::new());
}

/// What there is before anything is.
async fn empty(looker: &mut Looker<'_>) {
    for (name, path) in [
        ("statements-none", "/statements"),
        ("transparency-none", "/transparency"),
        ("missing", "/nothing/here"),
        ("sign-in", "/sign-in?next=/console"),
    ] {
        looker.at(name, path).await;
    }
    looker.browser.follow("main form button").await;
    looker.look("sign-in-refused").await;
    let ina = signed(looker.office, "ina").await;
    looker.becomes(&ina.cookies).await;
    looker.at("reports-none", "/console/reports").await;
    looker.at("queue-none", "/console/cases?search=nobody").await;
    looker.at("forbidden", "/customer").await;
    looker.becomes(&BTreeMap::new()).await;
}

/// Sixty statements, one of them corrected, and the numbers of a year; gives the address of the corrected one.
pub(crate) async fn publishes(house: &House) -> String {
    let mut texts: Vec<_> = (0..60)
        .map(|number| match number % 2 {
            0 => statement(number, "speech", "in west"),
            _ => statement(number, "object-storage", "everywhere"),
        })
        .map(|text| text.replace("Read-only <b>", "Read-only, no. ").replace("</b>\u{202e}", ""))
        .map(|text| PublicText::new(Public::Statement, &text))
        .collect();
    let mut entries: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(number, text)| Entry::Statement {
            statement: text.digest,
            day: format!("{}-03-{:02}", 2025 + number / 40, number % 28 + 1),
        })
        .collect();
    let right = PublicText::new(Public::Correction, "The region of the restriction was given as west: it is east.");
    entries.push(Entry::Correction { statement: texts[59].digest, correction: right.digest, day: "2026-03-28".into() });
    let counts = review::counts::Counts {
        year: 2025,
        appeals_filed: 7,
        deadlines_missed: [("acknowledge a report".to_owned(), 3), ("decide on an appeal".to_owned(), 1)].into(),
        ..review::counts::Counts::default()
    };
    let table = PublicText::new(Public::Counts(2025), &counts.csv());
    entries.push(Entry::Counts { year: 2025, counts: table.digest });
    let corrected = address(&texts[59]);
    texts.extend([right, table]);
    published(house, &texts, &entries).await;
    corrected
}

/// What anybody sees, in a language.
async fn outside(looker: &mut Looker<'_>, language: &str, corrected: &str) {
    for (name, path) in [
        ("home", "/"),
        ("policies", "/policies"),
        ("policy", "/policies/mass-surveillance"),
        ("log", "/log"),
        ("statements", "/statements"),
        ("statements-found", "/statements/?service=speech&year=2025"),
        ("statement", corrected),
        ("transparency", "/transparency"),
        ("year", "/transparency/2025"),
        ("report", "/report"),
    ] {
        let mark = if path.contains('?') { '&' } else { '?' };
        looker.at(&format!("{name}-{language}"), &format!("{path}{mark}lang={language}")).await;
    }
}

/// What somebody sees who reports, in a language; gives the words of the receipt.
async fn reports(looker: &mut Looker<'_>, language: &str) -> String {
    let name = |name: &str| format!("{name}-{language}");
    looker.at(&name("report-form"), &format!("/report/new?lang={language}")).await;
    let text =
        "They transcribe the calls of a whole region, and keep all of them.\n\nI saw the queue: ten thousand an hour.";
    for (field, value) in [("text", text), ("channel", "employee"), ("who", "Robin Example"), ("keep-from", "gus")] {
        looker.browser.fill("main form", field, value).await;
    }
    looker.browser.follow("main form button").await;
    looker.look(&name("report-early")).await;
    looker.open(&format!("/report/new?lang={language}")).await;
    looker.office.house.pass(8);
    looker.browser.follow("main form button").await;
    looker.look(&name("report-refused")).await;
    looker.office.house.pass(8);
    for (field, value) in [("text", text), ("channel", "employee"), ("who", "Robin Example"), ("keep-from", "gus")] {
        looker.browser.fill("main form", field, value).await;
    }
    looker.browser.follow("main form button").await;
    looker.look(&name("receipt")).await;
    looker.browser.text("ol.receipt li").await.replace('\n', " ")
}

/// What is in the reporter's mailbox.
async fn mailbox(looker: &mut Looker<'_>, language: &str, words: &str) {
    let name = |name: &str| format!("{name}-{language}");
    looker.at(&name("mailbox-words"), &format!("/report/mailbox?lang={language}")).await;
    looker.browser.fill("main form", "words", "these are no words of a receipt").await;
    looker.browser.follow("main form button").await;
    looker.look(&name("mailbox-wrong")).await;
    looker.browser.fill("main form", "words", words).await;
    looker.browser.follow("main form button").await;
    looker.look(&name("mailbox")).await;
    looker.browser.follow("form[action*=add] button").await;
    looker.look(&name("mailbox-refused")).await;
    looker.at(&name("mailbox-add"), &format!("/report/mailbox/add?lang={language}")).await;
}

/// What an intake officer sees.
async fn takes_in(looker: &mut Looker<'_>) {
    let office = looker.office;
    let by = Sender::Customer("meridian".parse().unwrap());
    let declaring = Declaring {
        accounts: BTreeSet::from(["acct-1".parse().unwrap()]),
        declared_use: "contact_centre".to_owned(),
        calls_per_hour: Some(1_200),
        text: "We record calls to our own lines, and keep them for 90 days.".to_owned(),
    };
    let sent = Sent { id: "declared".parse().unwrap(), at: office.house.now(), by };
    office.house.clerk.declare(&office.house.pages.papers, &sent, &declaring).await.unwrap();
    let mut ina = signed(office, "ina").await;
    unlock(&mut ina, &office.ina).await;
    looker.becomes(&ina.cookies).await;
    looker.at("declarations-purpose", "/console/declarations").await;
    looker.browser.send("main form", &[("purpose", "to look")]).await;
    looker.look("declarations").await;
    looker.browser.follow("main th a").await;
    looker.look("declaration").await;
    looker.at("reports", "/console/reports").await;
    looker.browser.follow("main th a").await;
    looker.look("report-purpose").await;
    looker.browser.send("main form", &[("purpose", "to look")]).await;
    looker.look("report-sealed-or-read").await;
    let form = "form[action$='/do/write']";
    looker.browser.click(&format!("details:has({form}) summary")).await;
    looker.browser.follow(&format!("{form} button")).await;
    looker.look("report-answer-refused").await;
    let form = "form[action$='/do/write']";
    looker.browser.send(form, &[("answer", "Thank you. Somebody looks at it; we write again within a month.")]).await;
    looker.becomes(&BTreeMap::new()).await;
}

/// Somebody's session.
async fn signed<'a>(office: &'a Office, name: &str) -> Browser<'a> {
    let mut browser = Browser::new(&office.house);
    assert_eq!(browser.sign_in(&office.accounts[name]).await.status, 303, "{name}");
    browser
}

/// What somebody sees of themselves.
async fn oneself(looker: &mut Looker<'_>) {
    let mut ben = signed(looker.office, "ben").await;
    looker.becomes(&ben.cookies).await;
    looker.at("me", "/me").await;
    looker.at("password", "/me/password").await;
    looker.browser.follow("main form button").await;
    looker.look("password-refused").await;
    looker.at("step-up", "/step-up?next=/me").await;
    looker.browser.follow("main form button").await;
    looker.look("step-up-refused").await;
    ben.get("/me").await;
    let mut ann = signed(looker.office, "ann").await;
    unlock(&mut ann, &looker.office.ann).await;
    looker.becomes(&ann.cookies).await;
    looker.at("me-unlocked", "/me").await;
    looker.browser.click("details:has(#signs-with-file) summary").await;
    looker.browser.follow("form:has(#signs-with-file) button").await;
    looker.look("me-refused").await;
}

/// The case, with everybody in their part and evidence of each kind, the drawn explanation among it.
async fn gathered(looker: &mut Looker<'_>) {
    let office = looker.office;
    let customers =
        ["Harbour Board", "Nordlicht Telefonie", "مركز اتصالات الشمال", "A customer whose name is long and goes on"];
    for number in 0..57 {
        let customer = format!("{} {number}", customers[number % customers.len()]);
        open(&office.house, &format!("more {number}"), &[&format!("b{number}")], &customer).await;
    }
    let mut asked = signed(office, "ann").await;
    asked.get("/console").await;
    looker.becomes(&asked.cookies).await;
    looker.at_case("case-purpose", "").await;
    set(office).await;
    let mut ann = office.at("ann").await;
    unlock(&mut ann, &office.ann).await;
    let explained = [
        ("id", "explanation"),
        ("basis", "meters"),
        ("text", include_str!("explanation.json")),
        ("origin", "provider"),
        ("about", "acct-1 speech"),
    ];
    office.must(&mut ann, "evidence", &explained).await;
    watched(office).await;
    looker.becomes(&ann.cookies).await;
    looker.at("today", "/console").await;
    looker.at("queue", "/console/cases").await;
    several(looker).await;
    looker.becomes(&ann.cookies).await;
    explored(looker).await;
    looker.at("open", "/console/open").await;
    looker.browser.follow("main form button").await;
    looker.look("open-refused").await;
    looker.at_case("case", "").await;
    looker.at_case("case-evidence", "/evidence").await;
    looker.browser.follow("main a[href*='/explanation/']").await;
    looker.look("case-explanation").await;
    looker.at_case("case-proof", "/proof").await;
    for deed in ["assign", "declare", "release", "contact", "join", "evidence", "handle", "step", "question"] {
        looker.at_deed(deed).await;
    }
    looker.at_case("do-evidence-again", "/do/evidence").await;
    looker.browser.follow("form.deed button").await;
    looker.look("do-evidence-refused").await;
    looker.open("/console/cases").await;
    looker.browser.click("form.several details summary").await;
    looker.browser.fill("form.several", "reason", "All of these wait for one answer.").await;
    looker.browser.follow("form.several button[value=hold]").await;
    looker.look("several-again").await;
    // Her session ends while she types, and what she typed is still there.
    looker.open(&office.page("/do/contact")).await;
    looker.browser.fill("form.deed", "about", "They asked for a delay, over lunch.").await;
    office.house.pass(31 * 60);
    looker.browser.follow("form.deed button").await;
    looker.look("kept").await;
    let again = signed(office, "ann").await;
    looker.browser.holds(&again.cookies).await;
    looker.browser.follow("form.deed button").await;
    looker.look("kept-purpose").await;
    looker.browser.fill("main form", "look-for", "to look").await;
    looker.browser.follow("main form button").await;
    looker.look("kept-again").await;
}

/// Determined, proposed, approved, told, in effect.
async fn decided(looker: &mut Looker<'_>) {
    let office = looker.office;
    determined(office).await;
    let mut ann = office.at("ann").await;
    unlock(&mut ann, &office.ann).await;
    looker.becomes(&ann.cookies).await;
    looker.at_case("case-determined", "/proof").await;
    for deed in ["determine", "dissent", "waive-hearing", "propose"] {
        looker.at_deed(deed).await;
    }
    looker.browser.fill("form.deed", "intervention", "read-only").await;
    looker.browser.fill("form.deed", "target", "acct-1\tobject-storage\twrite").await;
    watched(office).await;
    looker.browser.follow("form.deed button[name=look-over]").await;
    looker.look("do-propose-looked").await;
    looker.browser.follow("form.deed button:not([name])").await;
    looker.look("do-propose-refused").await;
    proposed(office, &mut ann).await;
    let ben = office.at("ben").await;
    looker.becomes(&ben.cookies).await;
    looker.at_case("case-proposed", "/decisions").await;
    looker.at_deed("approve").await;
    looker.at_deed("refuse").await;
    approve(office, "ben").await;
    approve(office, "cleo").await;
    let mut ann = office.at("ann").await;
    unlock(&mut ann, &office.ann).await;
    looker.becomes(&ann.cookies).await;
    looker.at_deed("statement").await;
    drafted(office).await;
    let mut ann = office.at("ann").await;
    unlock(&mut ann, &office.ann).await;
    looker.becomes(&ann.cookies).await;
    looker.at_deed("confirm").await;
    looker.at_deed("ask").await;
    looker.at_deed("serve").await;
    served(office).await;
    office.house.pass(86_400 + 1);
    let gus = office.at("gus").await;
    looker.becomes(&gus.cookies).await;
    looker.at_deed("effect").await;
    effected(office).await;
}

/// What the customer sees, and does not get through with; it appeals.
async fn customer(looker: &mut Looker<'_>) {
    let office = looker.office;
    let meridian = signed(office, "meridian").await;
    looker.becomes(&meridian.cookies).await;
    looker.at("customer", "/customer").await;
    looker.browser.follow("main a[href*='/customer/case/']").await;
    looker.look("customer-case").await;
    looker.browser.follow("form[action$='/answer'] button").await;
    looker.look("customer-answer-refused").await;
    looker.at("customer-declare", "/customer/declare").await;
    looker.browser.follow("main form button").await;
    looker.look("customer-declare-refused").await;
    let case = format!("/customer/case/{}", office.case);
    looker.at("customer-statement", &format!("{case}/d1")).await;
    looker.open(&case).await;
    let form = "form[action$='/appeal']";
    looker.browser.click(&format!("details:has({form}) summary")).await;
    looker.browser.follow(&format!("{form} button")).await;
    looker.look("customer-appeal-refused").await;
    looker
        .browser
        .send(form, &[("ground", "It is a contact centre: the recordings are of calls to our own lines.")])
        .await;
    looker.look("customer-case-appealed").await;
}

/// Under appeal, and to its end.
async fn after(looker: &mut Looker<'_>) {
    let office = looker.office;
    let eve = office.at("eve").await;
    looker.becomes(&eve.cookies).await;
    looker.at_deed("decide-appeal").await;
    looker.at_deed("admit-appeal").await;
    let mut ann = office.at("ann").await;
    unlock(&mut ann, &office.ann).await;
    looker.becomes(&ann.cookies).await;
    looker.at_case("case-in-force", "/decisions").await;
    looker.at_case("case-after", "/after").await;
    looker.at_case("case-record", "/record").await;
    let looked: Vec<_> = web::pages::deeds().filter(|deed| !looker.deeds.contains(*deed)).collect();
    for deed in looked {
        looker.at_deed(deed).await;
    }
    let link = format!("a[href={}]", quoted("/console/cases"));
    assert!(looker.browser.has(&link).await, "a form leads back");
}

/// Questions to the usage records.
async fn explored(looker: &mut Looker<'_>) {
    looker.at("explore", "/console/explore").await;
    looker.at("explore-workload", "/console/explore/workload").await;
    let asked = [("kind", "account"), ("id", crate::explore::ACCOUNT), ("purpose", "a report names it")];
    looker.browser.send("form.deed", &asked).await;
    settled(looker).await;
    looker.look("explore-workload-answer").await;
    looker.at("explore-policy", "/console/explore/policy/mass-surveillance").await;
    looker.browser.send("form.deed", &[("floor", "-12.5"), ("purpose", "fewer cases")]).await;
    settled(looker).await;
    looker.browser.run("document.querySelectorAll('details').forEach(one => one.open = true)", json!([])).await;
    looker.look("explore-policy-answer").await;
}

/// Waits until an answer is worked out.
async fn settled(looker: &Looker<'_>) {
    for _ in 0..100 {
        if !looker.browser.text("main").await.contains("It is being worked out.") {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    panic!("it is never worked out");
}

/// Signing in where there is a provider, too, and proving anew there who one is.
async fn provided(looker: &mut Looker<'_>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let settings = ProviderSettings {
        // Nobody is asked there: what is looked at is the way to it.
        issuer: "http://127.0.0.1:9".to_owned(),
        client_id: "tribune".to_owned(),
        client_secret: "a secret".to_owned(),
        name: "Example Directory".to_owned(),
    };
    let house = looker.office.house.replica_at(&base, Some(settings)).await;
    serves(listener, house.router(), &looker.made_last);
    looker.becomes(&BTreeMap::new()).await;
    looker.browser.open(&format!("{base}/sign-in")).await;
    assert!(looker.browser.has("main a[href*='/provider']").await && looker.browser.has("main form").await);
    looker.look("sign-in-choice").await;
    let who = Who::Person("ben".parse().unwrap());
    let (_, cookie) = house.sign_in.begin(who, How::Provider("idp|ben".to_owned()), false).await.unwrap();
    let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
    looker.becomes(&[(name.to_owned(), value.to_owned())].into()).await;
    looker.browser.open(&format!("{base}/step-up?next=/me")).await;
    assert!(!looker.browser.has("main form").await);
    looker.look("step-up-provider").await;
    looker.becomes(&BTreeMap::new()).await;
}

/// Several cases at once: what is asked of nobody's cases, and what is refused for one and done in another.
async fn several(looker: &mut Looker<'_>) {
    let case = looker.office.case.to_string();
    let form = "form.several";
    let other = format!("{form} input[name=case]:not([value={}])", quoted(&case));
    for (name, chosen) in [("several-none", false), ("several", true)] {
        looker.open("/console/cases?order=opened").await;
        looker.browser.click(&format!("{form} details summary")).await;
        if chosen {
            looker.browser.fill(form, "case", &case).await;
            looker.browser.click(&other).await;
            looker.browser.fill(form, "reason", "All wait for the same answer.").await;
        }
        looker.browser.follow(&format!("{form} button[value=hold]")).await;
        looker.look(name).await;
    }
    assert!(looker.browser.has("#refused").await && looker.browser.has("#done").await);
    let mut ann = looker.office.at("ann").await;
    looker.office.must(&mut ann, "take-up", &[]).await;
}

/// Many report at once: whoever opens the form waits, and is told so.
async fn crowded(looker: &mut Looker<'_>) {
    const MANY: usize = 120;
    let house = &looker.office.house;
    let mut tokens = Vec::new();
    for _ in 0..MANY {
        tokens.push(Browser::new(house).get("/report/new").await.hidden("token"));
    }
    house.pass(8);
    let many = futures::future::join_all(tokens.iter().map(async |token| {
        let fields = [("token", token.as_str()), ("text", "They keep every call."), ("channel", "anonymous")];
        Browser::new(house).post("/report/new", &fields).await
    }));
    let looks = async {
        for language in ["en", "ar"] {
            looker.at(&format!("report-wait-{language}"), &format!("/report/new?lang={language}")).await;
        }
    };
    tokio::select! {
        () = looks => {}
        // They may be through while somebody still looks.
        _ = async { many.await; std::future::pending::<()>().await } => {}
    }
}

#[test]
fn what_was_not_looked_at_is_named() {
    let nothing = unmade(&BTreeSet::new());
    assert!(nothing.len() > 30 && nothing.iter().all(|fault| fault.starts_with("nobody looked at")), "{nothing:?}");
    let waits = "nobody looked at a page made from web::tipline::WaitPage, report-wait.html";
    assert!(nothing.iter().any(|fault| fault == waits), "{nothing:?}");
    let but_one = unmade(&BTreeSet::from(["web::tipline::WaitPage"]));
    assert_eq!(but_one.len() + 1, nothing.len(), "{but_one:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_for_everybody_fits_narrow_and_wide_windows_and_is_small() {
    let Some(driver) = Driver::start() else { return };
    let Some(eyes) = Eyes::open(&driver).await else { return };
    let (office, made) = office().await;
    let mut looker = Looker::new(&office, eyes, made);
    finds(&mut looker).await;
    empty(&mut looker).await;
    provided(&mut looker).await;
    let corrected = publishes(&office.house).await;
    for language in ["en", "ar"] {
        outside(&mut looker, language, &corrected).await;
        let words = reports(&mut looker, language).await;
        office.house.pass(86_400);
        office.house.clerk.drain(office.house.now()).await.unwrap();
        mailbox(&mut looker, language, &words).await;
    }
    takes_in(&mut looker).await;
    oneself(&mut looker).await;
    gathered(&mut looker).await;
    decided(&mut looker).await;
    customer(&mut looker).await;
    after(&mut looker).await;
    crowded(&mut looker).await;
    looker.ends().await;
}
