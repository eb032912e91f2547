//! What commands fetch over HTTP: bounded in size and time, and believed no more than any other bytes. What is asked
//! and what an answer means is the commands'.

use crate::common::Failure;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};
use std::error::Error;
use std::time::Duration;

/// How often an address may send elsewhere.
const REDIRECTS_MAX: usize = 3;

/// A client for this process.
pub(crate) struct Web(Client);

/// What was answered, whatever the status.
pub(crate) struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The content type, or nothing.
    pub kind: String,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Web {
    /// One that gives up on a request after a time.
    pub(crate) fn new(patience: Duration) -> Result<Self, Failure> {
        let client = Client::builder().timeout(patience).redirect(Policy::limited(REDIRECTS_MAX));
        let client = client.user_agent(concat!("tribune/", env!("CARGO_PKG_VERSION"))).build();
        client.map(Self).map_err(|error| Failure::Refused(format!("no HTTP client can be made: {}", whole(&error))))
    }

    /// Fetches an address, of at most so many bytes; or says in a sentence why not.
    pub(crate) async fn get(&self, url: &str, bytes_max: usize) -> Result<Answer, String> {
        answered(self.0.get(url), bytes_max).await
    }

    /// Sends a text to an address, as [`Self::get`].
    pub(crate) async fn post(&self, url: &str, text: String, bytes_max: usize) -> Result<Answer, String> {
        answered(self.0.post(url).body(text), bytes_max).await
    }
}

async fn answered(request: RequestBuilder, bytes_max: usize) -> Result<Answer, String> {
    let mut response = request.send().await.map_err(|error| whole(&error))?;
    let kind = |response: &Response| Some(response.headers().get("content-type")?.to_str().ok()?.to_owned());
    let (status, kind) = (response.status().as_u16(), kind(&response).unwrap_or_default());
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|error| whole(&error))? {
        if body.len() + part.len() > bytes_max {
            return Err(format!("the answer has more than {bytes_max} bytes: it is not what was asked for"));
        }
        body.extend_from_slice(&part);
    }
    Ok(Answer { status, kind, body })
}

/// An error with what caused it: the client's own first line says too little.
fn whole(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() { "it did not answer in time".to_owned() } else { error.to_string() };
    let mut source = error.source();
    while let Some(next) = source.filter(|_| !error.is_timeout()) {
        text = format!("{text}: {next}");
        source = next.source();
    }
    text
}
