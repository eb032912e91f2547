//! Questions in the words of each interface, the connections they go over, and reading the answers.
//!
//! Of ten questions one is refused, three are of accounts that have a restriction and pass, six of accounts without.

use crate::Failure;
use crate::questions::Dice;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Request as Attributes};
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, CheckRequest, CheckResponse};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::SocketAddr;
use tonic::transport::Channel;

/// How many questions a batch has.
const BATCH: usize = 50;

/// How many requests are made beforehand.
const PREPARED: usize = 10_000;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interface {
    Authzen,
    AuthzenBatch,
    Forward,
    ForwardS3,
    Envoy,
}

/// The restriction that refuses, by its id; none where it passes.
type Answer = Option<String>;

/// A request, and what must be answered to each question in it.
pub(super) struct Prepared {
    sent: Sent,
    interface: Interface,
    expected: Vec<Answer>,
}

enum Sent {
    Http(Box<Request<Full<Bytes>>>),
    Grpc(Box<CheckRequest>),
}

/// A connection, kept open.
pub(super) enum Link {
    Http(SendRequest<Full<Bytes>>),
    Grpc(AuthorizationClient<Channel>),
}

/// What is asked, whoever asks.
struct Question {
    account: String,
    writes: bool,
    expected: Answer,
}

const SERVICE: &str = "object-storage";

impl Interface {
    pub(super) const ALL: [Self; 5] = [Self::Authzen, Self::AuthzenBatch, Self::Forward, Self::ForwardS3, Self::Envoy];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Authzen => "AuthZEN, one question",
            Self::AuthzenBatch => "AuthZEN, a batch of 50",
            Self::Forward => "forward auth",
            Self::ForwardS3 => "forward auth, told from S3",
            Self::Envoy => "Envoy ext_authz (gRPC)",
        }
    }

    pub(super) fn prepared(
        self,
        address: SocketAddr,
        restrictions: usize,
        targets: usize,
    ) -> Result<Vec<Prepared>, Failure> {
        let mut dice = Dice::of(restrictions as u64);
        let mut questions = (0..PREPARED).map(|number| question(&mut dice, number, restrictions, targets));
        let a_request = if self == Self::AuthzenBatch { BATCH } else { 1 };
        let mut prepared = Vec::new();
        while let Some(first) = questions.next() {
            let asked: Vec<Question> = [first].into_iter().chain(questions.by_ref().take(a_request - 1)).collect();
            let sent = self.sent(address, &asked)?;
            let expected = asked.into_iter().map(|question| question.expected).collect();
            prepared.push(Prepared { sent, interface: self, expected });
        }
        Ok(prepared)
    }

    fn sent(self, address: SocketAddr, asked: &[Question]) -> Result<Sent, Failure> {
        let request = |path: &str| Request::builder().uri(path).header("host", address.to_string());
        let json = |path: &str, body: &Value| {
            let request = request(path).method("POST").header("content-type", "application/json");
            request.body(Full::from(body.to_string()))
        };
        let [first, ..] = asked else { return Err("a request asks nothing".into()) };
        let ours = |s3: bool| {
            named(first, s3)
                .into_iter()
                .fold(request("/gate/check"), |request, (name, value)| request.header(name, value))
        };
        Ok(match self {
            Self::Authzen => Sent::Http(Box::new(json("/access/v1/evaluation", &evaluation(first))?)),
            Self::AuthzenBatch => {
                let evaluations: Vec<Value> = asked.iter().map(evaluation).collect();
                Sent::Http(Box::new(json("/access/v1/evaluations", &json!({"evaluations": evaluations}))?))
            }
            Self::Forward => Sent::Http(Box::new(ours(false).body(Full::default())?)),
            Self::ForwardS3 => {
                let method = if first.writes { "PUT" } else { "GET" };
                let shown = ours(true).header("x-original-method", method);
                let target = "/bucket/a/key/of/some/length?partNumber=7&uploadId=AbCdEf";
                Sent::Http(Box::new(shown.header("x-original-uri", target).body(Full::default())?))
            }
            Self::Envoy => Sent::Grpc(Box::new(check_request(first))),
        })
    }

    pub(super) async fn link(self, address: SocketAddr) -> Result<Link, Failure> {
        if self == Self::Envoy {
            return Ok(Link::Grpc(AuthorizationClient::connect(format!("http://{address}")).await?));
        }
        let stream = tokio::net::TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // How it ends is seen by who asks over it.
        tokio::spawn(async { drop(connection.await) });
        Ok(Link::Http(sender))
    }
}

fn question(dice: &mut Dice, number: usize, restrictions: usize, targets: usize) -> Question {
    let drawn = dice.below(restrictions as u64) as usize;
    let (restricted, writes) = match number % 10 {
        0 => (true, true),
        1..=3 => (true, false),
        _ => (false, true),
    };
    let account = if restricted { drawn } else { drawn + restrictions };
    let id = || format!("c-{}/d-1/{}", account / targets, account % targets + 1);
    Question { account: format!("acct-{account:016x}"), writes, expected: (restricted && writes).then(id) }
}

fn evaluation(question: &Question) -> Value {
    let action = if question.writes { "storage.write" } else { "storage.read" };
    json!({
        "subject": {"type": "account", "id": question.account},
        "action": {"name": action},
        "resource": {"type": "service", "id": SERVICE, "properties": {"region": "north-1"}},
    })
}

/// What a proxy says of a request; of one of S3 its headers say less, and the request itself the rest.
fn named(question: &Question, s3: bool) -> Vec<(&'static str, String)> {
    let told = if s3 {
        vec![("x-tribune-protocol", "s3".to_owned())]
    } else {
        let operation = if question.writes { "write" } else { "read" };
        vec![("x-tribune-service", SERVICE.to_owned()), ("x-tribune-operation", operation.to_owned())]
    };
    let account = ("x-tribune-account", question.account.clone());
    [account, ("x-tribune-region", "north-1".to_owned())].into_iter().chain(told).collect()
}

fn check_request(question: &Question) -> CheckRequest {
    let ours = named(question, false).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let (method, path) = ("PUT".to_owned(), "/bucket/a/key/of/some/length".to_owned());
    let http = HttpRequest { method, path, headers: ours, ..HttpRequest::default() };
    let request = Some(Attributes { http: Some(http), ..Attributes::default() });
    CheckRequest { attributes: Some(AttributeContext { request, ..AttributeContext::default() }) }
}

impl Prepared {
    /// How many questions are in it.
    pub(super) fn questions(&self) -> usize {
        self.expected.len()
    }

    fn holds(&self, answers: &[Answer]) -> Result<(), Failure> {
        if answers == self.expected {
            return Ok(());
        }
        let name = self.interface.name();
        Err(format!("{name}: the answer is {answers:?}, and {:?} was expected", self.expected).into())
    }
}

impl Link {
    /// Asks, and holds the answer against the one expected.
    pub(super) async fn ask(&mut self, prepared: &Prepared) -> Result<(), Failure> {
        match (self, &prepared.sent) {
            (Self::Http(sender), Sent::Http(request)) => {
                sender.ready().await?;
                let (head, body) = sender.send_request((**request).clone()).await?.into_parts();
                let body = body.collect().await?.to_bytes();
                let restriction = head.headers.get("x-tribune-restriction").and_then(|value| value.to_str().ok());
                prepared.holds(&answers(prepared.interface, head.status, restriction, &body)?)
            }
            (Self::Grpc(client), Sent::Grpc(request)) => {
                prepared.holds(&[of_envoy(client.check((**request).clone()).await?.into_inner())?])
            }
            _ => Err("a request went to a connection of another kind".into()),
        }
    }
}

#[derive(Deserialize)]
struct Decided {
    decision: bool,
    #[serde(default)]
    context: Option<Context>,
}

#[derive(Deserialize)]
struct Context {
    restriction: String,
}

#[derive(Deserialize)]
struct Batch {
    evaluations: Vec<Decided>,
}

fn answers(
    interface: Interface,
    status: StatusCode,
    restriction: Option<&str>,
    body: &[u8],
) -> Result<Vec<Answer>, Failure> {
    let of = |decided: Decided| match (decided.decision, decided.context) {
        (true, None) => Ok(None),
        (false, Some(context)) => Ok(Some(context.restriction)),
        (decision, _) => Err(format!("the answer {decision} with a context, or without")),
    };
    match (interface, status) {
        (Interface::Authzen, StatusCode::OK) => Ok(vec![of(serde_json::from_slice(body)?)?]),
        (Interface::AuthzenBatch, StatusCode::OK) => {
            let batch: Batch = serde_json::from_slice(body)?;
            Ok(batch.evaluations.into_iter().map(of).collect::<Result<_, _>>()?)
        }
        (Interface::Forward | Interface::ForwardS3, StatusCode::NO_CONTENT) => Ok(vec![None]),
        (Interface::Forward | Interface::ForwardS3, StatusCode::FORBIDDEN) => match restriction {
            Some(restriction) => Ok(vec![Some(restriction.to_owned())]),
            None => Err(format!("refused by no restriction: {}", String::from_utf8_lossy(body)).into()),
        },
        _ => Err(format!("{} answered {status}: {}", interface.name(), String::from_utf8_lossy(body)).into()),
    }
}

fn of_envoy(response: CheckResponse) -> Result<Answer, Failure> {
    let code = response.status.unwrap_or_default().code;
    match response.http_response {
        Some(HttpResponse::OkResponse(_)) if code == 0 => Ok(None),
        Some(HttpResponse::DeniedResponse(denied)) if code == tonic::Code::PermissionDenied as i32 => {
            let mut headers = denied.headers.into_iter().filter_map(|option| option.header);
            let restriction = headers.find(|header| header.key == "x-tribune-restriction");
            Ok(Some(restriction.ok_or("refused by no restriction")?.value))
        }
        other => Err(format!("Envoy's answer is {code} with {other:?}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_answer_is_told_from_a_right_one() {
        let of = |interface, status, restriction, body: &str| answers(interface, status, restriction, body.as_bytes());
        let refused = [Some("c-1/d-1/2".to_owned())];
        let (one, batch) = (Interface::Authzen, Interface::AuthzenBatch);
        let told = r#"{"decision":false,"context":{"restriction":"c-1/d-1/2","sentence":"s"}}"#;
        assert_eq!(of(one, StatusCode::OK, None, r#"{"decision":true}"#).unwrap(), [None]);
        assert_eq!(of(one, StatusCode::OK, None, told).unwrap(), refused);
        let both = format!("{{\"evaluations\":[{told},{{\"decision\":true}}]}}");
        assert_eq!(of(batch, StatusCode::OK, None, &both).unwrap(), [refused.as_slice(), &[None]].concat());
        let forward = Interface::Forward;
        assert_eq!(of(forward, StatusCode::NO_CONTENT, None, "").unwrap(), [None]);
        assert_eq!(of(forward, StatusCode::FORBIDDEN, Some("c-1/d-1/2"), "").unwrap(), refused);
        for (interface, status, body) in [
            (one, StatusCode::OK, r#"{"decision":false}"#),
            (one, StatusCode::OK, "{}"),
            (one, StatusCode::BAD_REQUEST, r#"{"decision":true}"#),
            (batch, StatusCode::OK, r#"{"decision":true}"#),
            (forward, StatusCode::FORBIDDEN, "the gate was asked wrongly"),
            (forward, StatusCode::SERVICE_UNAVAILABLE, ""),
        ] {
            assert!(of(interface, status, None, body).is_err(), "{interface:?} {status} {body}");
        }
        let prepared = Prepared { sent: Sent::Grpc(Box::default()), interface: one, expected: refused.to_vec() };
        assert!(prepared.holds(&refused).is_ok());
        for wrong in [&[None][..], &[], &[Some("c-1/d-1/3".to_owned())]] {
            assert!(prepared.holds(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_tenth_is_refused_and_each_by_the_restriction_of_its_account() {
        let mut dice = Dice::of(7);
        let questions: Vec<Question> = (0..1_000).map(|number| question(&mut dice, number, 1_000, 100)).collect();
        assert_eq!(questions.iter().filter(|question| question.expected.is_some()).count(), 100);
        for Question { account, expected, .. } in questions.iter().filter(|question| question.expected.is_some()) {
            let number = usize::from_str_radix(account.trim_start_matches("acct-"), 16).unwrap();
            let id = format!("c-{}/d-1/{}", number / 100, number % 100 + 1);
            assert_eq!(expected.as_deref(), Some(id.as_str()));
        }
    }
}
