//! A server of ours as a process that is ended as people end it, and whoever visits its pages over HTTP as a browser does:
//! cookies kept, forms sent as they were shown.
//!
//! It knows no story; `demo` and `anonymous` have one each.

use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A server; it is killed with the test, if it was not ended before.
pub(crate) struct Server {
    process: Child,
    said: PathBuf,
}

impl Server {
    /// Starts it, with all that it says in a file.
    pub(crate) fn start(mut command: Command, said: PathBuf) -> Self {
        let file = std::fs::File::create(&said).unwrap();
        let both = file.try_clone().unwrap();
        let process = command.stdin(Stdio::null()).stdout(both).stderr(file).spawn().unwrap();
        Self { process, said }
    }

    /// What it said until now.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.said).unwrap()
    }

    /// What it said, once this is in it.
    pub(crate) fn says(&mut self, word: &str) -> String {
        for _ in 0..3_000 {
            let said = self.said();
            if said.contains(word) {
                return said;
            }
            assert!(self.process.try_wait().unwrap().is_none(), "it ended: {said}");
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("it does not say {word}: {}", self.said());
    }

    /// Ends it by the signal of Ctrl-C; gives whether it ended well.
    pub(crate) fn end(mut self) -> bool {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        for _ in 0..300 {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("it does not end: {}", self.said());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Somebody who visits pages.
pub(crate) struct Visitor {
    base: String,
    client: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

/// What they are answered.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) location: String,
    pub(crate) text: String,
}

impl Page {
    /// The value of a hidden field of a form.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let before = format!("name=\"{name}\" value=\"");
        let rest = self.text.split_once(&before).unwrap_or_else(|| panic!("no field {name} in {}", self.text)).1;
        rest.split('"').next().unwrap().to_owned()
    }

    /// The seven words of a receipt.
    pub(crate) fn words(&self) -> String {
        let list = self.text.split("<ol class=\"receipt\"").nth(1);
        let list = list.unwrap_or_else(|| panic!("no receipt in {}", self.text)).split("</ol>").next().unwrap();
        let words: Vec<&str> = list.split("<li>").skip(1).map(|word| word.split('<').next().unwrap()).collect();
        assert_eq!(words.len(), 7, "{}", self.text);
        words.join(" ")
    }
}

impl Visitor {
    /// One who comes from this address of this machine, with these headers.
    pub(crate) fn from(base: &str, address: IpAddr, headers: HeaderMap) -> Self {
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let client = client.local_address(address).default_headers(headers).build().unwrap();
        Self { base: base.to_owned(), client, cookies: BTreeMap::new() }
    }

    /// One of no note.
    pub(crate) fn new(base: &str) -> Self {
        Self::from(base, [127, 0, 0, 1].into(), HeaderMap::new())
    }

    pub(crate) async fn get(&mut self, path: &str) -> Page {
        let request = self.client.get(format!("{}{path}", self.base));
        self.asks(request).await
    }

    /// Sends a form.
    pub(crate) async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let request = self.client.post(format!("{}{path}", self.base)).form(fields);
        let request = request.header("origin", &self.base).header("sec-fetch-site", "same-origin");
        self.asks(request).await
    }

    /// Sends a body of any kind, as from a page of ours.
    pub(crate) async fn send_any(&mut self, path: &str, kind: &str, body: &str) -> Page {
        let request = self.client.post(format!("{}{path}", self.base)).header("content-type", kind);
        let request = request.header("origin", &self.base).header("sec-fetch-site", "same-origin");
        self.asks(request.body(body.to_owned())).await
    }

    async fn asks(&mut self, request: reqwest::RequestBuilder) -> Page {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = if cookies.is_empty() { request } else { request.header("cookie", cookies.join("; ")) };
        let response = request.send().await.unwrap();
        let headers = response.headers().clone();
        for set in headers.get_all(SET_COOKIE) {
            let (name, value) = set.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let location = headers.get(LOCATION).map_or("", |to| to.to_str().unwrap()).to_owned();
        Page { status: response.status().as_u16(), location, text: response.text().await.unwrap() }
    }
}
