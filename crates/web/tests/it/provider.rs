//! Signing in at a real OpenID provider: npm's `oidc-provider`, started here on a port of its own.

use crate::house::{Answer, BASE, House};
use crate::signing::{Browser, roster, set_roster};
use axum::http::Request;
use review::words::{Moment, PersonId};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use web::sign_in::ProviderSettings;

const SECRET: &str = "a secret of the tests, long enough";

/// The provider, ended with the test.
pub(crate) struct Provider {
    process: Child,
    port: u16,
}

impl Provider {
    /// Starts it, for pages at an address; none, said, where it is not installed.
    pub(crate) fn start(base: &str) -> Option<Self> {
        let Some(modules) = std::env::var_os("TRIBUNE_OIDC_PROVIDER").map(PathBuf::from) else {
            println!(
                "skipped: no OpenID provider is here (npm's `oidc-provider`, its node_modules in TRIBUNE_OIDC_PROVIDER)"
            );
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let script = "tests/it/provider.mjs";
        let mut node = Command::new("node");
        node.arg(script).arg(modules).arg(port.to_string()).arg(SECRET).arg(format!("{base}/sign-in/provider/back"));
        let mut process = node.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "ready"), "the provider does not start");
        // What it says goes on being read, or it would end at the next line.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { process, port })
    }

    /// Sets its clock.
    pub(crate) async fn shows(&self, now: Moment) {
        let answer = reqwest::get(format!("{}/clock/{}", self.issuer(), now.0)).await.unwrap();
        assert_eq!(answer.status(), 204);
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn settings(&self) -> ProviderSettings {
        ProviderSettings {
            issuer: self.issuer(),
            client_id: "tribune".to_owned(),
            client_secret: SECRET.to_owned(),
            name: "the test's provider".to_owned(),
        }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// A browser at the provider.
struct There {
    http: reqwest::Client,
    cookies: BTreeMap<String, String>,
    /// How often a name was asked for.
    asked: usize,
}

impl There {
    fn new() -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { http, cookies: BTreeMap::new(), asked: 0 }
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> reqwest::Response {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let response = request.header("cookie", cookies.join("; ")).send().await.unwrap();
        for set in response.headers().get_all("set-cookie") {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            match value {
                "" => drop(self.cookies.remove(name)),
                _ => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
            }
        }
        response
    }

    /// Goes where it is sent, signs in by this name where it is asked to, and says where it is sent back to.
    async fn sign_in(&mut self, address: &str, name: &str) -> String {
        let base = address.split('/').take(3).collect::<Vec<_>>().join("/");
        let mut response = self.send(self.http.get(address)).await;
        for _ in 0..12 {
            if let Some(to) = response.headers().get("location") {
                let to = to.to_str().unwrap().to_owned();
                if to.starts_with(BASE) {
                    return to.strip_prefix(BASE).unwrap().to_owned();
                }
                let to = if to.starts_with('/') { format!("{base}{to}") } else { to };
                response = self.send(self.http.get(&to)).await;
                continue;
            }
            let page = response.text().await.unwrap();
            let action = page.split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
            let login = page.contains("name=\"login\"");
            self.asked += usize::from(login);
            let body =
                if login { format!("prompt=login&login={name}&password=any") } else { "prompt=consent".to_owned() };
            let request = self.http.post(&action).header("content-type", "application/x-www-form-urlencoded");
            response = self.send(request.body(body)).await;
        }
        panic!("the provider sends nobody back");
    }
}

/// The machine's time, in seconds: what browsers and providers go by.
pub(crate) fn machine_time() -> i64 {
    let now = String::from_utf8(Command::new("date").arg("+%s").output().unwrap().stdout).unwrap();
    now.trim().parse().unwrap()
}

/// A house before this provider, with its clock at the machine's time, for tokens are of now.
async fn house(provider: &Provider) -> (House, House) {
    let house = House::new().await;
    house.pass(machine_time() - house.now().0);
    let mut roster = roster();
    let member = roster.members.get_mut(&"ann".parse::<PersonId>().unwrap()).unwrap();
    member.identities.insert(format!("{}|ann.at.work", provider.issuer()));
    set_roster(&house, "r1", &[], &roster).await;
    let other = house.replica(Some(provider.settings())).await;
    (house, other)
}

fn status(answer: &Answer) -> u16 {
    answer.status.as_u16()
}

#[tokio::test]
async fn somebody_signs_in_at_the_provider_and_proves_it_anew_there() {
    let Some(provider) = Provider::start(BASE) else { return };
    let (_first, house) = house(&provider).await;
    let (mut browser, mut there) = (Browser::new(&house), There::new());
    let page = browser.get("/sign-in?next=/me%3Fa%3Db").await;
    assert!(page.text().contains("Sign in with the test&#39;s provider"), "{}", page.text());
    let going = browser.get("/sign-in/provider?next=/me%3Fa%3Db").await;
    let address = going.header("location").to_owned();
    for part in ["code_challenge_method=S256", "response_type=code", "state=", "nonce=", "scope=openid"] {
        assert!(address.contains(part), "{part}: {address}");
    }
    let back = there.sign_in(&address, "ann.at.work").await;
    let away = browser.cookies.clone();
    let answer = browser.get(&back).await;
    assert_eq!((status(&answer), answer.header("location")), (303, "/me?a=b"), "{}", answer.text());
    let me = browser.get("/me").await;
    assert!(me.text().contains("ann.at.work") && me.text().contains("decider"), "{}", me.text());
    // The way back leads in once: the provider takes a code once.
    let mut again = Browser { house: &house, cookies: away };
    assert_eq!(status(&again.get(&back).await), 422);
    assert!(again.token().is_none());

    // Five minutes later it is to be proved anew, and the provider asks for it although it knows them.
    house.pass(5 * 60 + 1);
    let answer = browser.get("/step-up/provider?next=/me%23keys").await;
    let address = answer.header("location").to_owned();
    assert!(address.contains("prompt=login") && address.contains("max_age=0"), "{address}");
    house.pass(-(5 * 60 + 1));
    let before = there.asked;
    let going = browser.get("/step-up/provider?next=/me%23keys").await;
    let back = there.sign_in(going.header("location"), "ann.at.work").await;
    assert_eq!(there.asked, before + 1);
    let old = browser.token().unwrap().to_owned();
    let answer = browser.get(&back).await;
    assert_eq!((status(&answer), answer.header("location")), (303, "/me#keys"), "{}", answer.text());
    assert_ne!(browser.token().unwrap(), old);
    assert!(!browser.get("/me").await.text().contains("confirm that it is you"));
}

#[tokio::test]
async fn what_did_not_begin_here_or_is_of_somebody_else_leads_nowhere() {
    let Some(provider) = Provider::start(BASE) else { return };
    let (first, house) = house(&provider).await;
    let mut browser = Browser::new(&house);
    let going = browser.get("/sign-in/provider").await;
    let back = There::new().sign_in(going.header("location"), "ann.at.work").await;
    // In another browser, with another state, with the cookie altered, and too late.
    let mut other = Browser::new(&house);
    assert_eq!(status(&other.get(&back).await), 400);
    let forged = back.replace("state=", "state=x");
    assert_eq!(status(&browser.get(&forged).await), 400);
    let cookies = browser.cookies.clone();
    let cookie = cookies["tribune-away"].clone();
    let other_first = if cookie.starts_with('A') { "B" } else { "A" };
    other.cookies.insert("tribune-away".to_owned(), format!("{other_first}{}", &cookie[1..]));
    assert_eq!(status(&other.get(&back).await), 400);
    house.pass(10 * 60 + 1);
    assert_eq!(status(&browser.get(&back).await), 400);
    house.pass(-(10 * 60 + 1));
    assert!(browser.token().is_none() && other.token().is_none());
    // Nobody on the roster is that.
    let going = browser.get("/sign-in/provider").await;
    let back = There::new().sign_in(going.header("location"), "mallory").await;
    let answer = browser.get(&back).await;
    assert!(status(&answer) == 403 && answer.text().contains("Nobody on the roster signs in as"), "{}", answer.text());
    // The provider's own refusal is said, and nothing of it acts.
    let going = browser.get("/sign-in/provider").await;
    let state = going.header("location").split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let answer = browser.get(&format!("/sign-in/provider/back?state={state}&error=%3Cb%3Eaccess_denied")).await;
    assert!(status(&answer) == 422 && answer.text().contains("refused: baccess_denied"), "{}", answer.text());
    // Proving it as somebody else proves nothing.
    let ben = crate::signing::person(&first, "ben").await;
    let going = browser.get("/sign-in/provider").await;
    let back = There::new().sign_in(going.header("location"), "ann.at.work").await;
    assert_eq!(status(&browser.get(&back).await), 303);
    let going = browser.get("/step-up/provider").await;
    let back = There::new().sign_in(going.header("location"), "mallory").await;
    assert_eq!(status(&browser.get(&back).await), 403);
    // A session that began at the provider is not proved by somebody's password.
    let token = browser.get("/me").await.hidden("token");
    let code = ben.code(&house);
    let fields = [("token", token.as_str()), ("password", crate::signing::PASSWORD), ("code", &code)];
    assert_eq!(status(&browser.post("/step-up", &fields).await), 403);
    // Nor is there a provider where none is configured.
    let request = Request::get("/sign-in/provider");
    assert_eq!(status(&Browser::new(&first).send(request, "").await), 404);
}
