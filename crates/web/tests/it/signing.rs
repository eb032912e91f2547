//! Signing in with a local account, sessions, proving anew who one is, and who is let where, through the real router over
//! a real record.

use crate::house::{Answer, BASE, House, chance};
use axum::body::Body;
use axum::http::{Method, Request};
use review::roster::{KeyForm, Member, PublicKey, Roster};
use review::words::{CustomerId, Moment, PersonId, Role};
use std::collections::{BTreeMap, BTreeSet};
use totp_rs::TOTP;
use web::routes::May;
use web::sign_in::{Key, accounts};

pub(crate) const PASSWORD: &str = "several words of mine";

/// A browser: what it holds of cookies, and what it asks.
pub(crate) struct Browser<'a> {
    pub(crate) house: &'a House,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(house: &'a House) -> Self {
        Self { house, cookies: BTreeMap::new() }
    }

    pub(crate) async fn get(&mut self, address: &str) -> Answer {
        self.send(Request::get(address), "").await
    }

    pub(crate) async fn post(&mut self, address: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::builder().method(Method::POST).uri(address);
        let request = request.header("origin", self.house.base()).header("sec-fetch-site", "same-origin");
        self.send(request.header("content-type", "application/x-www-form-urlencoded"), &body).await
    }

    pub(crate) async fn send(&mut self, request: axum::http::request::Builder, body: &str) -> Answer {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = request.header("host", self.house.host());
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        let answer = self.house.ask(request.body(Body::from(body.to_owned())).unwrap()).await;
        for set in answer.headers.get_all("set-cookie") {
            let set = set.to_str().unwrap();
            let (pair, rest) = set.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            assert!(rest.contains("HttpOnly") && rest.contains("SameSite=Lax") && rest.contains("Path=/"), "{set}");
            match rest.contains("Max-Age=0;") {
                true => drop(self.cookies.remove(name)),
                false => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
            }
        }
        answer
    }

    pub(crate) async fn sign_in(&mut self, account: &Account) -> Answer {
        let code = account.code(self.house);
        let fields = [("name", account.name.as_str()), ("password", PASSWORD), ("code", &code), ("next", "")];
        self.post("/sign-in", &fields).await
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.cookies.get("tribune").map(String::as_str)
    }
}

/// Somebody's account, with their authenticator.
pub(crate) struct Account {
    pub(crate) name: String,
    authenticator: TOTP,
}

impl Account {
    /// The code of now; a half minute passes first, so that it is a new one.
    pub(crate) fn code(&self, house: &House) -> String {
        house.pass(30);
        self.code_of_now(house)
    }

    pub(crate) fn code_of_now(&self, house: &House) -> String {
        self.authenticator.generate(u64::try_from(house.now().0).unwrap())
    }
}

pub(crate) async fn account(house: &House, name: &str, who: web::session::Who) -> Account {
    let record = house.clerk.record();
    let mut chance = chance(name);
    let key = Key::new([7; 32]);
    let made = accounts::enrol(record, &key, (name, Some(who), "Example Cloud"), PASSWORD, &mut chance).await;
    let authenticator = TOTP::from_url(made.unwrap().1.otpauth).unwrap();
    Account { name: name.to_owned(), authenticator }
}

/// Somebody's account once more, with a new authenticator.
pub(crate) async fn again(house: &House, name: &str) -> Account {
    let (record, key, mut chance) = (house.clerk.record(), Key::new([7; 32]), chance("again"));
    let made = accounts::enrol(record, &key, (name, None, "Example Cloud"), PASSWORD, &mut chance).await;
    Account { name: name.to_owned(), authenticator: TOTP::from_url(made.unwrap().1.otpauth).unwrap() }
}

pub(crate) async fn person(house: &House, name: &str) -> Account {
    account(house, name, web::session::Who::Person(name.parse().unwrap())).await
}

/// A roster with one person for each role, called by it, and `ann`, `ben`, who decide.
pub(crate) fn roster() -> Roster {
    let mut roster = Roster::default();
    for role in Role::ALL {
        let member = Member { roles: BTreeSet::from([role]), ..Member::default() };
        roster.members.insert(role.name().parse().unwrap(), member);
    }
    for (name, manager) in [("ann", "chief"), ("ben", "head")] {
        let member = Member {
            roles: BTreeSet::from([Role::Decider]),
            manager: Some(manager.parse().unwrap()),
            ..Member::default()
        };
        roster.members.insert(name.parse().unwrap(), member);
    }
    roster
}

pub(crate) async fn set_roster(house: &House, id: &str, by: &[&str], roster: &Roster) {
    let by = by.iter().map(|name| (*name).to_owned()).collect();
    house.clerk.set_roster(id.parse().unwrap(), house.now(), &by, roster).await.unwrap();
}

pub(crate) async fn house() -> House {
    let house = House::new().await;
    set_roster(&house, "r1", &[], &roster()).await;
    house
}

#[tokio::test]
async fn somebody_signs_in_comes_back_and_signs_out() {
    let house = house().await;
    let ann = person(&house, "ann").await;
    let mut browser = Browser::new(&house);
    let answer = browser.get("/me?a=b&c=d").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/sign-in?next=%2Fme%3Fa%3Db%26c%3Dd"));
    let shown = browser.get(answer.header("location")).await;
    assert_eq!((shown.status.as_u16(), shown.hidden("next").as_str()), (200, "/me?a=b&#38;c=d"));
    assert!(browser.cookies.is_empty(), "who only looks gets no cookie");
    let code = ann.code(&house);
    let fields = [("name", "ann"), ("password", PASSWORD), ("code", &code), ("next", "/me?a=b&c=d")];
    let answer = browser.post("/sign-in", &fields).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/me?a=b&c=d"));
    let me = browser.get("/me").await;
    assert_eq!((me.status.as_u16(), me.header("cache-control")), (200, "no-store"));
    assert!(me.text().contains("decider") && me.text().contains("this one"), "{}", me.text());
    let old = browser.token().unwrap().to_owned();
    let answer = browser.post("/sign-out", &[("token", &me.hidden("token"))]).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/sign-in?out=1"));
    assert!(browser.token().is_none());
    browser.cookies.insert("tribune".to_owned(), old);
    assert_eq!(browser.get("/me").await.status.as_u16(), 303, "the token opens nothing any more");
}

#[tokio::test]
async fn a_wrong_name_password_or_code_is_answered_alike_and_a_code_is_used_once() {
    let house = house().await;
    let ann = person(&house, "ann").await;
    let right = ann.code(&house);
    let mut texts = BTreeSet::new();
    for (name, password, code) in [
        ("nobody", PASSWORD, right.as_str()),
        ("ann", "another password", &right),
        ("ann", PASSWORD, "000000"),
        ("\u{202e}ann", PASSWORD, &right),
    ] {
        let mut browser = Browser::new(&house);
        let answer = browser.post("/sign-in", &[("name", name), ("password", password), ("code", code)]).await;
        assert_eq!(answer.status.as_u16(), 422, "{name}");
        let text = answer.text();
        assert!(!text.contains(password) && !text.contains(&right), "what was typed in secret is not sent back");
        texts.insert(text.split("role=\"alert\"").nth(1).unwrap().split("</div>").next().unwrap().to_owned());
        assert!(browser.cookies.is_empty());
    }
    assert_eq!(texts.len(), 1, "{texts:?}");
    let mut browser = Browser::new(&house);
    let fields = [("name", "ANN"), ("password", PASSWORD), ("code", right.as_str())];
    assert_eq!(browser.post("/sign-in", &fields).await.status.as_u16(), 303, "they were all near misses");
    let mut other = Browser::new(&house);
    assert_eq!(other.post("/sign-in", &fields).await.status.as_u16(), 422, "the code was used");
    assert_eq!(ann.code_of_now(&house), right);
    house.pass(30);
    assert_eq!(other.post("/sign-in", &fields).await.status.as_u16(), 422, "also within its half minute more");
    let next = ann.code_of_now(&house);
    let fields = [("name", "ann"), ("password", PASSWORD), ("code", next.as_str())];
    assert_eq!(other.post("/sign-in", &fields).await.status.as_u16(), 303);
}

#[tokio::test]
async fn a_code_is_used_once_whichever_replica_it_comes_to() {
    let house = house().await;
    let ann = person(&house, "ann").await;
    let replica = house.replica(None).await;
    let code = ann.code(&house);
    let fields = [("name", "ann"), ("password", PASSWORD), ("code", code.as_str())];
    let (mut here, mut there) = (Browser::new(&house), Browser::new(&replica));
    let (one, other) = tokio::join!(here.post("/sign-in", &fields), there.post("/sign-in", &fields));
    let mut answers = [one.status.as_u16(), other.status.as_u16()];
    answers.sort_unstable();
    assert_eq!(answers, [303, 422]);
}

#[tokio::test]
async fn a_session_holds_at_every_replica_and_ends_at_every_one() {
    let house = house().await;
    let ann = person(&house, "ann").await;
    let replica = house.replica(None).await;
    let mut here = Browser::new(&house);
    here.sign_in(&ann).await;
    let mut there = Browser { house: &replica, cookies: here.cookies.clone() };
    let me = there.get("/me").await;
    assert_eq!(me.status.as_u16(), 200);
    let answer = there.post("/sign-out", &[("token", &me.hidden("token"))]).await;
    assert_eq!(answer.status.as_u16(), 303);
    assert_eq!(here.get("/me").await.status.as_u16(), 303);
}

#[tokio::test]
async fn a_token_planted_before_is_worth_nothing_after() {
    let house = house().await;
    let ann = person(&house, "ann").await;
    let mut browser = Browser::new(&house);
    browser.cookies.insert("tribune".to_owned(), "planted".to_owned());
    browser.sign_in(&ann).await;
    let first = browser.token().unwrap().to_owned();
    assert_ne!(first, "planted");
    let mut planted = Browser::new(&house);
    planted.cookies.insert("tribune".to_owned(), "planted".to_owned());
    assert_eq!(planted.get("/me").await.status.as_u16(), 303);
    // Nor is one from before proving anew, nor one of a session that another took the place of.
    let token = browser.get("/me").await.hidden("token");
    let code = ann.code(&house);
    let fields = [("token", token.as_str()), ("password", PASSWORD), ("code", &code), ("next", "/me")];
    let answer = browser.post("/step-up", &fields).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/me"));
    let second = browser.token().unwrap().to_owned();
    browser.sign_in(&ann).await;
    for old in [first, second] {
        let mut other = Browser::new(&house);
        other.cookies.insert("tribune".to_owned(), old);
        assert_eq!(other.get("/me").await.status.as_u16(), 303);
    }
    assert_eq!(browser.get("/me").await.text().matches("<tr><td").count(), 1, "one session is left");
    // Two cookies of the name are none: another host of the domain may have set one of them.
    let twice = format!("tribune={0}; tribune={0}", browser.token().unwrap());
    let request = Request::get("/me").header("host", "127.0.0.1:8402").header("cookie", twice);
    assert_eq!(house.ask(request.body(Body::empty()).unwrap()).await.status.as_u16(), 303);
}

#[tokio::test]
async fn a_session_ends_by_idleness_by_age_with_the_roster_and_with_the_password() {
    let house = house().await;
    let ann = person(&house, "ann").await;
    let mut browser = Browser::new(&house);
    browser.sign_in(&ann).await;
    house.pass(29 * 60);
    assert_eq!(browser.get("/me").await.status.as_u16(), 200);
    house.pass(29 * 60);
    assert_eq!(browser.get("/me").await.status.as_u16(), 200);
    house.pass(30 * 60);
    assert_eq!(browser.get("/me").await.status.as_u16(), 303, "idle");
    browser.sign_in(&ann).await;
    for _ in 0..12 * 60 / 20 - 1 {
        house.pass(20 * 60);
        assert_eq!(browser.get("/me").await.status.as_u16(), 200);
    }
    house.pass(20 * 60);
    assert_eq!(browser.get("/me").await.status.as_u16(), 303, "twelve hours");
    browser.sign_in(&ann).await;
    let (key, mut chance) = (Key::new([7; 32]), chance("reset"));
    let reset = accounts::enrol(house.clerk.record(), &key, ("ann", None, ""), "other words of mine", &mut chance);
    let (who, _) = reset.await.unwrap();
    accounts::end_sessions(house.clerk.record(), &who).await.unwrap();
    assert_eq!(browser.get("/me").await.status.as_u16(), 303, "another password");
    let auditor = person(&house, "auditor").await;
    browser.sign_in(&auditor).await;
    assert_eq!(browser.get("/me").await.status.as_u16(), 200);
    let mut left = roster();
    left.members.remove(&"auditor".parse::<PersonId>().unwrap());
    set_roster(&house, "r2", &["ann", "ben"], &left).await;
    assert_eq!(browser.get("/me").await.status.as_u16(), 303, "who has left has left");
    assert_eq!(browser.sign_in(&auditor).await.status.as_u16(), 422);
}

#[tokio::test]
async fn all_others_are_signed_out_from_one() {
    let house = house().await;
    let ann = person(&house, "ann").await;
    let mut browsers = [Browser::new(&house), Browser::new(&house), Browser::new(&house)];
    for browser in &mut browsers {
        assert_eq!(browser.sign_in(&ann).await.status.as_u16(), 303);
    }
    let [first, second, third] = &mut browsers;
    let me = first.get("/me").await;
    assert_eq!(me.text().matches("<tr><td").count(), 3);
    let one = me.hidden("session");
    let token = me.hidden("token");
    assert_eq!(first.post("/me/sessions", &[("token", &token), ("session", &one)]).await.status.as_u16(), 303);
    assert_eq!(first.get("/me").await.text().matches("<tr><td").count(), 2);
    first.post("/me/sessions", &[("token", &token), ("session", "others")]).await;
    assert_eq!(first.get("/me").await.status.as_u16(), 200);
    for other in [second, third] {
        assert_eq!(other.get("/me").await.status.as_u16(), 303);
    }
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it_and_ends_their_other_sessions() {
    let house = house().await;
    let (ann, custodian) = (person(&house, "ann").await, person(&house, "custodian-a").await);
    let (mut here, mut there, mut other) = (Browser::new(&house), Browser::new(&house), Browser::new(&house));
    assert_eq!(here.sign_in(&ann).await.header("location"), "/console", "who has a part there comes there first");
    assert_eq!(other.sign_in(&custodian).await.header("location"), "/me");
    there.sign_in(&ann).await;
    assert!(here.get("/me").await.text().contains("href=\"/me/password\""));
    let form = here.get("/me/password").await;
    let (token, new) = (form.hidden("token"), "quite other words");
    let send = async |browser: &mut Browser<'_>, password: &str, code: &str, new: &str, again: &str| {
        let fields =
            [("token", token.as_str()), ("password", password), ("code", code), ("new", new), ("again", again)];
        let answer = browser.post("/me/password", &fields).await;
        assert!(!answer.text().contains(new) && !answer.text().contains(password), "no password is shown again");
        (answer.status.as_u16(), answer.text())
    };
    let code = ann.code(&house);
    for (new, again, why) in [
        ("elevenchars", "elevenchars", "at least 12"),
        (new, "quite other word", "not the same"),
        (PASSWORD, PASSWORD, "the one you have"),
    ] {
        let (status, text) = send(&mut here, PASSWORD, &code, new, again).await;
        assert!(status == 422 && text.contains(why), "{why}: {text}");
    }
    for _ in 0..8 {
        let (status, text) = send(&mut here, "words of nobody", &code, new, new).await;
        assert!(status == 422 && text.contains("is not right"), "{status} {text}");
    }
    assert_eq!(send(&mut here, PASSWORD, &code, new, new).await.0, 429, "guesses are counted as at the door");
    assert_eq!(there.get("/me").await.status.as_u16(), 200, "nothing has changed");
    house.pass(8 * 30);
    let code = ann.code(&house);
    assert_eq!(send(&mut there, PASSWORD, &code, new, new).await.0, 403, "the form is of another session");
    assert_eq!(send(&mut here, PASSWORD, &code, new, new).await.0, 303);
    assert_eq!(there.get("/me").await.status.as_u16(), 303, "other sessions are over");
    assert_eq!(here.get("/me").await.status.as_u16(), 200);
    assert_eq!(there.sign_in(&ann).await.status.as_u16(), 422, "the old one opens nothing");
    let code = ann.code(&house);
    let fields = [("name", "ann"), ("password", new), ("code", &code), ("next", "")];
    assert_eq!(there.post("/sign-in", &fields).await.status.as_u16(), 303, "the codes are as before");
}

#[tokio::test]
async fn a_form_of_elsewhere_or_of_another_session_does_nothing() {
    let house = house().await;
    let (ann, ben) = (person(&house, "ann").await, person(&house, "ben").await);
    let (mut anns, mut bens) = (Browser::new(&house), Browser::new(&house));
    anns.sign_in(&ann).await;
    bens.sign_in(&ben).await;
    let before = anns.get("/me").await.hidden("token");
    let theirs = bens.get("/me").await.hidden("token");
    for token in ["", "x", &theirs] {
        let answer = anns.post("/sign-out", &[("token", token)]).await;
        assert_eq!(answer.status.as_u16(), 403, "{token}");
    }
    // The token of an earlier session of the same person.
    anns.sign_in(&ann).await;
    assert_eq!(anns.post("/sign-out", &[("token", &before)]).await.status.as_u16(), 403);
    let now = anns.get("/me").await.hidden("token");
    for (site, origin) in [
        (Some("cross-site"), Some("https://evil.example")),
        (Some("same-site"), Some(BASE)),
        (None, Some("null")),
        (None, None),
    ] {
        let mut request = Request::post("/sign-out").header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in [("sec-fetch-site", site), ("origin", origin)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let answer = anns.send(request, &format!("token={now}")).await;
        assert_eq!(answer.status.as_u16(), 403, "{site:?} {origin:?}");
    }
    assert_eq!(anns.get("/me").await.status.as_u16(), 200, "still signed in");
    let mut nobody = Browser::new(&house);
    assert_eq!(nobody.post("/sign-out", &[("token", &now)]).await.status.as_u16(), 403);
}

#[tokio::test]
async fn signing_in_leads_to_no_other_host() {
    let house = house().await;
    let ann = person(&house, "ann").await;
    for next in ["//evil.example", "/\\evil.example", "https://evil.example", "/%0d%0aSet-Cookie:a=b", "\tjavascript:1"]
    {
        let mut browser = Browser::new(&house);
        let code = ann.code(&house);
        let fields = [("name", "ann"), ("password", PASSWORD), ("code", code.as_str()), ("next", next)];
        let answer = browser.post("/sign-in", &fields).await;
        let to = answer.header("location");
        assert!(answer.status.as_u16() == 303 && (to == "/console" || to == "/%0d%0aSet-Cookie:a=b"), "{next}: {to}");
        let asked = format!("/sign-in?next={}", next.replace('\t', "%09"));
        let to = browser.get(&asked).await.header("location").to_owned();
        assert!(to == "/console" || to.starts_with("/%"), "{next}: {to}");
    }
}

#[tokio::test]
async fn who_guesses_is_slowed_and_who_is_known_is_not() {
    let house = house().await;
    let ann = person(&house, "ann").await;
    let mut known = Browser::new(&house);
    known.sign_in(&ann).await;
    let wrong = |name| [("name", name), ("password", "no password at all"), ("code", "123456")];
    for name in ["ann", "nobody-at-all"] {
        let mut guesser = Browser::new(&house);
        for _ in 0..8 {
            assert_eq!(guesser.post("/sign-in", &wrong(name)).await.status.as_u16(), 422);
        }
        let answer = guesser.post("/sign-in", &wrong(name)).await;
        assert_eq!(answer.status.as_u16(), 429, "{name}");
        assert!(answer.text().contains("in 30 seconds"), "{}", answer.text());
    }
    // The browser that signed in before goes on, with tries of its own; another has to wait half a minute.
    known.cookies.remove("tribune");
    assert_eq!(known.sign_in(&ann).await.status.as_u16(), 303);
    let mut fresh = Browser::new(&house);
    house.pass(30);
    assert_eq!(fresh.sign_in(&ann).await.status.as_u16(), 303);
}

#[tokio::test]
async fn what_needs_it_to_be_them_now_leads_to_the_proof_and_back() {
    let house = house().await;
    let mut roster = roster();
    let identity = store::Identity::generate();
    let (sealed, public) = clerk::keys::new_signing_key(&[9; 32], "key words").unwrap();
    let member = roster.members.get_mut(&"ann".parse::<PersonId>().unwrap()).unwrap();
    member.reads_with.insert(identity.to_public().to_string());
    member.keys.insert(public, KeyForm::Passphrase);
    set_roster(&house, "r2", &["ann", "ben"], &roster).await;
    let ann = person(&house, "ann").await;
    let mut browser = Browser::new(&house);
    browser.sign_in(&ann).await;
    let token = browser.get("/me").await.hidden("token");
    let armored = crate::signing::armored(&identity, "read words");
    let bring = |kind, file, passphrase| {
        [("token", token.as_str()), ("kind", kind), ("file", file), ("passphrase", passphrase)]
    };
    let answer = browser.post("/me/keys", &bring("reads-with", &armored, "wrong words")).await;
    assert_eq!(answer.status.as_u16(), 422);
    assert!(answer.text().contains("it does not open"), "{}", answer.text());
    let strange = crate::signing::armored(&store::Identity::generate(), "read words");
    let answer = browser.post("/me/keys", &bring("reads-with", &strange, "read words")).await;
    assert!(answer.text().contains("is not among your"), "{}", answer.text());
    assert_eq!(browser.post("/me/keys", &bring("reads-with", &armored, "read words")).await.status.as_u16(), 303);
    let binary = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &sealed);
    assert_eq!(browser.post("/me/keys", &bring("signs-with", &binary, "key words")).await.status.as_u16(), 303);
    // Five minutes later it is not fresh: unlocking leads to the proof, and back.
    house.pass(5 * 60 + 1);
    let unlock = [("token", token.as_str()), ("passphrase", "read words")];
    let answer = browser.post("/me/unlock", &unlock).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/step-up?next=%2Fme%23keys"));
    assert!(!browser.get("/me").await.text().contains("unlocked</span>"));
    let code = ann.code(&house);
    let wrong = [("token", token.as_str()), ("password", "not my password"), ("code", &code), ("next", "/me#keys")];
    assert_eq!(browser.post("/step-up", &wrong).await.status.as_u16(), 422);
    let proof = [("token", token.as_str()), ("password", PASSWORD), ("code", &code), ("next", "/me#keys")];
    let answer = browser.post("/step-up", &proof).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/me#keys"));
    let wrong = [("token", token.as_str()), ("passphrase", "other words")];
    let answer = browser.post("/me/unlock", &wrong).await;
    assert!(answer.status.as_u16() == 422 && answer.text().contains("it does not open"), "{}", answer.text());
    assert_eq!(browser.post("/me/unlock", &unlock).await.status.as_u16(), 303);
    assert!(browser.get("/me").await.text().contains("unlocked</span>"));
    // Unlocked is this session alone, in this process alone.
    let replica = house.replica(None).await;
    let mut there = Browser { house: &replica, cookies: browser.cookies.clone() };
    assert!(!there.get("/me").await.text().contains("unlocked</span>"));
    let mut other = Browser::new(&house);
    other.sign_in(&ann).await;
    assert!(!other.get("/me").await.text().contains("unlocked</span>"));
    browser.post("/me/lock", &[("token", &token)]).await;
    assert!(!browser.get("/me").await.text().contains("unlocked</span>"));
    // What is at rest opens with no key of the server's.
    let slips = house.clerk.record().slips_of("reads-with", "person/ann", Moment(0)).await.unwrap();
    assert!(slips[0].body.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----"));
    let _: PublicKey = public;
}

/// An identity in a file that a passphrase opens, as `age --passphrase --armor` writes it.
pub(crate) fn armored(identity: &store::Identity, passphrase: &str) -> String {
    use age::secrecy::ExposeSecret as _;
    let text = format!("# public key: {}\n{}\n", identity.to_public(), identity.to_string().expose_secret());
    let sealed = store::seal_with_passphrase(text.as_bytes(), passphrase).unwrap();
    let mut writer = age::armor::ArmoredWriter::wrap_output(Vec::new(), age::armor::Format::AsciiArmor).unwrap();
    std::io::Write::write_all(&mut writer, &sealed).unwrap();
    String::from_utf8(writer.finish().unwrap()).unwrap()
}

#[tokio::test]
async fn every_denial_of_somebody_signed_in_is_in_the_record_and_floods_it_not() {
    let house = house().await;
    let customer: CustomerId = "harbour-works".parse().unwrap();
    let theirs = account(&house, "harbour", web::session::Who::Customer(customer)).await;
    let mut browser = Browser::new(&house);
    assert_eq!(browser.sign_in(&theirs).await.header("location"), "/customer");
    let token = browser.get("/me").await.hidden("token");
    for _ in 0..3 {
        let answer = browser.post("/me/unlock", &[("token", &token)]).await;
        assert_eq!(answer.status.as_u16(), 403);
        assert!(answer.text().contains("This page is for others"), "{}", answer.text());
    }
    let denials = house.clerk.denials("auditor", house.now()).await.unwrap();
    let said: Vec<(&str, &str)> = denials.iter().map(|one| (one.who.as_str(), one.what.as_str())).collect();
    assert_eq!(said, [("customer/harbour-works", "POST /me/unlock")], "once a day");
    assert!(house.clerk.denials("ann", house.now()).await.is_err(), "auditors read them");
    for number in 0..40 {
        let denial = clerk::Denial {
            at: house.now(),
            who: "person/ann".to_owned(),
            what: format!("GET /a/{number}"),
            why: "no".repeat(1_000),
        };
        house.clerk.note_denial(denial).await.unwrap();
    }
    let denials = house.clerk.denials("auditor", house.now()).await.unwrap();
    assert_eq!(denials.len(), 1 + clerk::DAILY_MAX + 1);
    assert!(denials.last().unwrap().what.contains("more") && denials.iter().all(|one| one.why.len() <= 300));
    house.pass(24 * 60 * 60);
    let denial = clerk::Denial { at: house.now(), ..denials[2].clone() };
    assert!(house.clerk.note_denial(denial).await.unwrap(), "another day");
}

/// Whether somebody was let through the guard: what the page then says is its own.
fn was_let_in(answer: &Answer) -> bool {
    let led_away = answer.status.as_u16() == 303 && answer.header("location").starts_with("/sign-in?next=");
    let text = answer.text().to_lowercase();
    !led_away && !text.contains("this page is for others") && !text.contains("you are signed out")
}

#[tokio::test]
async fn each_route_lets_in_whom_the_table_says_and_nobody_else() {
    let house = house().await;
    let routes = web::pages::places();
    let places: BTreeSet<_> = routes.iter().map(|route| (route.path, route.method.to_string())).collect();
    assert_eq!(places.len(), routes.len(), "a route stands there twice");
    let customer = web::session::Who::Customer("harbour-works".parse().unwrap());
    let roles = Role::ALL.iter().map(|role| web::session::Who::Person(role.name().parse().unwrap()));
    let everybody: Vec<Option<web::session::Who>> = [None, Some(customer)].into_iter().chain(roles.map(Some)).collect();
    for route in &routes {
        let address = route.path.replace("{*path}", "x");
        let address: String =
            address.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>().join("/");
        for who in &everybody {
            let mut browser = Browser::new(&house);
            let may = match (who, route.may) {
                (_, May::Anyone) | (Some(_), May::SignedIn) => true,
                (Some(web::session::Who::Customer(_)), may) => may == May::Customers,
                (Some(web::session::Who::Person(person)), May::Roles(roles)) => {
                    roles.iter().any(|role| role.name() == person.as_str())
                }
                _ => false,
            };
            if let Some(who) = who {
                let how = web::session::How::Account("test".to_owned());
                let (_, cookie) = house.sign_in.begin(who.clone(), how, true).await.unwrap();
                let token = cookie.split(';').next().unwrap().split_once('=').unwrap().1;
                browser.cookies.insert("tribune".to_owned(), token.to_owned());
            }
            let answer = match route.method {
                Method::GET => browser.get(&address).await,
                _ => browser.post(&address, &[]).await,
            };
            assert_eq!(was_let_in(&answer), may, "{} {address} as {who:?}: {}", route.method, answer.status);
        }
    }
}

#[test]
fn the_table_of_routes_is_as_it_is_written() {
    let path = "../../docs/routes.md";
    let table = web::routes::table(&web::pages::places());
    if std::env::var_os("TRIBUNE_WRITE").is_some() {
        std::fs::write(path, &table).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == table,
        "docs/routes.md is of other routes: run this test with TRIBUNE_WRITE=1 and read the change"
    );
}

/// What the console does to sign an approval.
async fn sign(session: web::session::Session, posted: web::form::Posted) -> Result<String, web::answer::Problem> {
    session.check_csrf(posted.get("token"))?;
    if !session.is_fresh() {
        return Ok("prove it".to_owned());
    }
    let shown = review::words::Digest::of("shown");
    let approval = session.sign_with_passphrase(posted.get("passphrase"), posted.get("message"), shown).await?;
    Ok(format!("{} {} {}", session.who(), approval.key, approval.signature))
}

#[tokio::test]
async fn an_approval_is_signed_with_ones_own_key_its_passphrase_and_a_fresh_proof() {
    let house = house().await;
    let mut roster = roster();
    let (sealed, public) = clerk::keys::new_signing_key(&[9; 32], "key words").unwrap();
    let member = roster.members.get_mut(&"ann".parse::<PersonId>().unwrap()).unwrap();
    member.keys.insert(public, KeyForm::Passphrase);
    set_roster(&house, "r2", &["ann", "ben"], &roster).await;
    let ann = person(&house, "ann").await;
    let mut browser = Browser::new(&house);
    browser.sign_in(&ann).await;
    let token = browser.get("/me").await.hidden("token");
    let binary = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &sealed);
    let routes = vec![web::routes::Route::post("/sign", May::Roles(&[Role::Decider]), "sign", sign)];
    let router = web::routes::router(routes, &house.sign_in);
    let post = async |cookie: &str, passphrase: &str| {
        let fields = [("token", token.as_str()), ("passphrase", passphrase), ("message", "what is approved")];
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post("/sign").header("cookie", format!("tribune={cookie}"));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(Body::from(body));
        let response = tower::ServiceExt::oneshot(router.clone(), request.unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let says = response.extensions().get::<web::answer::Problem>().and_then(|problem| problem.says.clone());
        let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
        (status, says.unwrap_or_else(|| String::from_utf8(body.to_vec()).unwrap()))
    };
    let cookie = browser.token().unwrap().to_owned();
    assert!(post(&cookie, "key words").await.1.contains("put yours here first"));
    let bring = [("token", token.as_str()), ("kind", "signs-with"), ("file", &binary), ("passphrase", "key words")];
    assert_eq!(browser.post("/me/keys", &bring).await.status.as_u16(), 303);
    let (status, says) = post(&cookie, "other words").await;
    assert!(status == 422 && says.contains("does not open"), "{status} {says}");
    let (status, signed) = post(&cookie, "key words").await;
    assert!(status == 200 && signed.starts_with(&format!("ann {public} ")), "{status} {signed}");
    let expected = clerk::keys::approve(&sealed, "key words", "what is approved", review::words::Digest::of("shown"));
    assert!(signed.ends_with(&expected.unwrap().signature));
    house.pass(5 * 60 + 1);
    assert_eq!(post(&cookie, "key words").await.1, "prove it");
    assert_eq!(post("another", "key words").await.0, 403);
}
