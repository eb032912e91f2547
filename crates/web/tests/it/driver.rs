//! A real Chromium, asked through chromedriver as W3C WebDriver says: sessions with profiles of their own, and scripts off
//! in each. It knows no page of ours.
//!
//! What is used of the protocol is a dozen posts of JSON, which the client of HTTP that is here anyway sends.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A program of others, by the variable that names it; a test that lacks it says so and ends.
pub(crate) fn tool(variable: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).map(PathBuf::from);
    if found.is_none() {
        println!("skipped: {variable} names no program");
    }
    found
}

/// Status and body of an answer.
pub(crate) async fn answered(request: reqwest::RequestBuilder) -> (u16, String) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// The key by which WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A chromedriver, ended with the test.
pub(crate) struct Driver {
    process: Child,
    address: String,
    client: reqwest::Client,
}

impl Driver {
    /// A new one on a port of its own; none, said, where it or its browser is not installed.
    pub(crate) fn start() -> Option<Self> {
        let program = tool("TRIBUNE_CHROMEDRIVER")?;
        let mut process = Command::new(program).arg("--port=0").stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(process.stdout.take().unwrap());
        let port = said.lines().map_while(Result::ok).find_map(|line| {
            let port = line.split_once("started successfully on port ")?.1;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let address = format!("http://127.0.0.1:{}", port.unwrap());
        Some(Self { process, address, client: reqwest::Client::builder().no_proxy().build().unwrap() })
    }

    /// A browser of somebody's own: a fresh profile, and no scripts.
    pub(crate) async fn browser(&self) -> Chromium<'_> {
        self.with(json!({"profile.managed_default_content_settings.javascript": 2})).await
    }

    /// One with scripts, for what looks at pages by a script of its own.
    pub(crate) async fn scripted(&self) -> Chromium<'_> {
        self.with(json!({})).await
    }

    async fn with(&self, prefs: Value) -> Chromium<'_> {
        let options = json!({
            "args": ["--headless=new", "--no-sandbox", "--disable-background-networking", "--disable-dev-shm-usage", "--force-prefers-reduced-motion",
                "--window-size=1280,1600"],
            "prefs": prefs,
        });
        let wanted = json!({"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}});
        let mut browser = Chromium { driver: self, session: String::new() };
        let made = browser.tell("", wanted).await;
        browser.session = format!("/{}", made["sessionId"].as_str().unwrap());
        browser
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// A browser; it is to be left with [`Chromium::leave`].
pub(crate) struct Chromium<'a> {
    driver: &'a Driver,
    session: String,
}

impl Chromium<'_> {
    async fn asked(&self, request: reqwest::RequestBuilder, what: &str) -> Value {
        let (status, text) = answered(request).await;
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(status, 200, "{what}: {}", answer["value"]["message"]);
        answer["value"].clone()
    }

    fn url(&self, command: &str) -> String {
        format!("{}/session{}{command}", self.driver.address, self.session)
    }

    async fn tell(&self, command: &str, body: Value) -> Value {
        let request = self.driver.client.post(self.url(command)).body(body.to_string());
        self.asked(request, &format!("{command} {body}")).await
    }

    async fn told(&self, command: &str) -> String {
        let said = self.asked(self.driver.client.get(self.url(command)), command).await;
        said.as_str().unwrap_or_default().to_owned()
    }

    /// What a script gives: the value it returns.
    pub(crate) async fn run(&self, script: &str, arguments: Value) -> Value {
        self.tell("/execute/sync", json!({"script": script, "args": arguments})).await
    }

    /// A command of Chromium's own protocol.
    pub(crate) async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.tell("/goog/cdp/execute", json!({"cmd": command, "params": parameters})).await
    }

    /// Holds these cookies and no others, at the site it is at.
    pub(crate) async fn holds(&self, cookies: &std::collections::BTreeMap<String, String>) {
        self.asked(self.driver.client.delete(self.url("/cookie")), "cookies").await;
        for (name, value) in cookies {
            self.tell("/cookie", json!({"cookie": {"name": name, "value": value}})).await;
        }
    }

    pub(crate) async fn open(&self, url: &str) {
        self.tell("/url", json!({"url": url})).await;
    }

    pub(crate) async fn address(&self) -> String {
        self.told("/url").await
    }

    pub(crate) async fn title(&self) -> String {
        self.told("/title").await
    }

    /// The elements that a selector finds.
    pub(crate) async fn all(&self, selector: &str) -> Vec<String> {
        let found = self.tell("/elements", json!({"using": "css selector", "value": selector})).await;
        found.as_array().unwrap().iter().map(|one| one[ELEMENT].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) async fn has(&self, selector: &str) -> bool {
        !self.all(selector).await.is_empty()
    }

    /// The text that somebody sees there.
    pub(crate) async fn text(&self, selector: &str) -> String {
        let mut texts = Vec::new();
        for element in self.all(selector).await {
            texts.push(self.told(&format!("/element/{element}/text")).await);
        }
        texts.join("\n")
    }

    /// The value of the first that a selector finds.
    pub(crate) async fn value(&self, selector: &str) -> String {
        let found = self.all(selector).await;
        self.told(&format!("/element/{}/attribute/value", found[0])).await
    }

    /// Clicks the first that a selector finds.
    pub(crate) async fn click(&self, selector: &str) {
        let found = self.all(selector).await;
        let Some(element) = found.first() else {
            panic!("there is no `{selector}` at {}:\n{}", self.address().await, self.text("main").await)
        };
        self.tell(&format!("/element/{element}/click"), json!({})).await;
    }

    /// Clicks what leads to another page, and waits until this one is gone: an answer may take its time.
    pub(crate) async fn follow(&self, selector: &str) {
        let page = self.all("html").await.remove(0);
        self.click(selector).await;
        let there = self.url(&format!("/element/{page}/name"));
        for _ in 0..600 {
            if answered(self.driver.client.get(&there)).await.0 != 200 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("`{selector}` leads nowhere from {}", self.address().await);
    }

    /// Fills a field as somebody does: by typing, ticking or choosing.
    pub(crate) async fn fill(&self, form: &str, name: &str, value: &str) {
        let (named, valued) = (format!("[name={}]", quoted(name)), format!("[value={}]", quoted(value)));
        for choice in [
            format!("{form} select{named} option{valued}"),
            format!("{form} input[type=checkbox]{named}{valued}"),
            format!("{form} input[type=radio]{named}{valued}"),
        ] {
            if self.has(&choice).await {
                return self.click(&choice).await;
            }
        }
        let fields = format!("{form} textarea{named}, {form} input{named}:not([type=hidden])");
        let found = self.all(&fields).await;
        let Some(field) = found.first() else {
            panic!("{form} at {} has no {name} for {value}:\n{}", self.address().await, self.text("main").await)
        };
        let date = self.has(&format!("{form} input[type=date]{named}")).await;
        if !date {
            self.tell(&format!("/element/{field}/clear"), json!({})).await;
        }
        // A date is typed in the order that the browser's language has it: this one's is American.
        let typed = match value.split('-').collect::<Vec<_>>()[..] {
            [year, month, day] if date => format!("{month}{day}{year}"),
            _ => value.to_owned(),
        };
        self.tell(&format!("/element/{field}/value"), json!({"text": typed})).await;
    }

    /// Fills a form and sends it with its first button.
    pub(crate) async fn send(&self, form: &str, fields: &[(&str, &str)]) {
        for (name, value) in fields {
            self.fill(form, name, value).await;
        }
        // What only looks first sends nothing.
        self.follow(&format!("{form} button:not([name=look-over])")).await;
        let wrong = self.text("main .notice.wrong").await;
        assert!(wrong.is_empty(), "{form} at {}: {wrong}", self.address().await);
    }

    /// Ends the session.
    pub(crate) async fn leave(self) {
        let request = self.driver.client.delete(self.url(""));
        self.asked(request, "leave").await;
    }
}

/// A string as CSS writes it.
pub(crate) fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|sign| match sign {
        '"' | '\\' => format!("\\{sign}"),
        sign if sign.is_control() => format!("\\{:x} ", u32::from(sign)),
        sign => sign.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}
