//! `tribune demo` as whoever tries it uses it: started, read, signed in to, asked at its gate, told something, and ended.

use crate::Place;
use crate::driver::Driver;
use crate::eyes::Eyes;
use crate::live::{Page, Server, Visitor};
use std::process::Command;

/// What stands between two texts.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}")).1;
    rest.split(after).next().unwrap()
}

/// The demonstration, and what it printed of how to get in.
struct Demo {
    server: Server,
    base: String,
    said: String,
}

impl Demo {
    /// Starts it with few accounts, from a port that is free.
    fn start(place: &Place) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        std::fs::create_dir(place.path("scratch")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tribune"));
        command.args(["demo", "--accounts", "60", "--days", "14", "--port", &port.to_string()]);
        command.env("HOME", place.path("")).env("TMPDIR", place.path("scratch")).env_remove("TRIBUNE_CONFIG");
        let mut server = Server::start(command, place.path("said"));
        let said = server.says("X-Tribune-Region: north'");
        let base = between(&said, "The live system: ", "/ ").to_owned();
        Self { server, base, said }
    }

    /// The page of the codes, once the server answers.
    async fn codes(&self) -> Page {
        for _ in 0..600 {
            if std::net::TcpStream::connect(self.base.trim_start_matches("http://")).is_ok() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        Visitor::new(&self.base).get("/demo").await
    }
}

/// Signs in as the one who decides, and looks at what waits for her.
async fn the_second_approval_waits(demo: &Demo) {
    let mut cleo = Visitor::new(&demo.base);
    let codes = demo.codes().await;
    let code = between(between(&codes.text, "<td>cleo<td>", "<tr>"), "<code>", "</code>").to_owned();
    let password = between(&demo.said, "the passphrase of their keys: ", "\n");
    let form = cleo.get("/sign-in").await;
    let token = form.hidden("token");
    let fields = [("token", token.as_str()), ("next", ""), ("name", "cleo"), ("password", password), ("code", &code)];
    let signed = cleo.send("/sign-in", &fields).await;
    assert_eq!((signed.status, signed.location.as_str()), (303, "/console"), "{}", signed.text);
    let address = format!("/console/cases/{}", between(&demo.said, "/console/cases/", "\n"));
    let today = cleo.get("/console").await.text;
    assert!(between(&today, "id=\"turns\"", "</section>").contains(&address), "{today}");
    let asked = cleo.get(&address).await;
    let (token, command, next) = (asked.hidden("token"), asked.hidden("command"), asked.hidden("next"));
    let look = [("token", token.as_str()), ("command", &command), ("next", &next), ("purpose", "to decide")];
    assert_eq!(cleo.send(&format!("{address}/purpose"), &look).await.status, 303);
    let decisions = cleo.get(&format!("{address}/decisions")).await.text;
    assert!(decisions.contains("1 of 2 approvals") && decisions.contains("<bdi>ben</bdi> approved"), "{decisions}");
    let approve = format!("{address}/do/approve?decision=d1");
    assert!(decisions.contains(&format!("href=\"{approve}\"")), "{decisions}");
    let form = cleo.get(&approve).await;
    assert!(form.status == 200 && form.text.contains("name=\"passphrase\""), "{}", form.text);
}

/// The gate refuses the account that the printed line names, says why at an address that answers, and passes another.
async fn the_gate_refuses_what_was_decided(demo: &Demo) {
    let line = between(&demo.said, "curl -i ", "\n\n").to_owned();
    let url = line.split(' ').next().unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let headers: Vec<(&str, &str)> =
        line.split("-H '").skip(1).map(|rest| rest.split('\'').next().unwrap().split_once(": ").unwrap()).collect();
    assert_eq!(headers.len(), 4, "{line}");
    let ask = async |account: Option<&str>| {
        let mut request = client.get(url);
        for (name, value) in &headers {
            let value = account.filter(|_| *name == "X-Tribune-Account").unwrap_or(value);
            request = request.header(*name, value);
        }
        request.send().await.unwrap()
    };
    let mut answer = ask(None).await;
    // It is not ready before it holds a snapshot.
    for _ in 0..600 {
        if answer.status() != 503 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        answer = ask(None).await;
    }
    assert_eq!(answer.status(), 403, "{answer:?}");
    let statement = answer.headers()["x-tribune-statement"].to_str().unwrap().to_owned();
    let path = statement.strip_prefix(&demo.base).unwrap_or_else(|| panic!("{statement} is elsewhere"));
    let page = Visitor::new(&demo.base).get(path).await;
    assert!(page.status == 200 && page.text.contains("object-storage"), "{}", page.text);
    assert_eq!(ask(Some("somebody-else")).await.status(), 204);
}

/// The printed words open a mailbox, and a report that is sent now opens another.
async fn the_tip_line_takes_a_report(demo: &Demo) {
    let mut reader = Visitor::new(&demo.base);
    let words = between(&demo.said, "a mailbox there opens with: ", "\n");
    let mailbox = reader.send("/report/mailbox", &[("words", words)]).await;
    assert!(mailbox.text.contains("Your report is acknowledged"), "{}", mailbox.text);
    let token = reader.get("/report/new").await.hidden("token");
    let fields = [("token", token.as_str()), ("text", "They keep every call."), ("channel", "anonymous")];
    let receipt = reader.send("/report/new", &fields).await;
    let mailbox = reader.send("/report/mailbox", &[("words", &receipt.words())]).await;
    assert!(mailbox.text.contains("Your report came in"), "{}", mailbox.text);
}

/// Its own page, which no other server has, is like every other in a browser.
async fn its_page_is_for_everybody(demo: &Demo) {
    let Some(driver) = Driver::start() else { return };
    let Some(eyes) = Eyes::open(&driver).await else { return };
    eyes.open(&format!("{}/demo", demo.base)).await;
    let faults = eyes.faults("demo").await;
    assert!(faults.is_empty(), "{faults:?}");
    eyes.leave().await;
}

#[test]
fn the_demonstration_is_a_live_system_that_is_signed_in_to_asked_and_ended() {
    let place = Place::new();
    let demo = Demo::start(&place);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        the_second_approval_waits(&demo).await;
        the_gate_refuses_what_was_decided(&demo).await;
        the_tip_line_takes_a_report(&demo).await;
        its_page_is_for_everybody(&demo).await;
    });
    assert!(demo.server.end(), "it ends well");
    let left: Vec<_> = std::fs::read_dir(place.path("scratch")).unwrap().collect();
    assert!(left.is_empty(), "everything of it goes with it: {left:?}");
}

#[test]
fn a_demonstration_of_too_few_days_to_review_says_how_many_it_needs() {
    let output = Place::new().run(&["demo", "--days", "13"]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && error.contains("take --days 14 or more, or --no-serve"), "{error}");
}
