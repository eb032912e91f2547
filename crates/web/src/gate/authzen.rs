//! OpenID AuthZEN Authorization API 1.0: one question, a batch of them, and where to ask.
//!
//! Subject and resource are an account and a service, of the types that the gate's settings name; of other types nothing
//! is restricted. An account whose id is empty or `?` is one that nobody knows: it passes, and is counted. The action is an operation with its family, `storage.write`, or a bare switch, `write`, for services
//! whose operations have no names. What the specification leaves open: a batch has at most [`BATCH_MAX`] questions.

use super::body::{self, JSON, answer, once, says_json};
use super::held::{Answered, Ask, Ended, Held, Interface};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How many questions a batch has, at most.
pub const BATCH_MAX: usize = 1_000;

const REQUEST_ID: &str = "x-request-id";

/// Who, or on what.
#[derive(Clone, Deserialize)]
struct Entity {
    r#type: String,
    id: String,
    #[serde(default)]
    properties: Option<Properties>,
}

/// What is to be done.
#[derive(Clone, Deserialize)]
struct Action {
    name: String,
    #[serde(default)]
    #[expect(dead_code, reason = "its type is checked; nothing in it is asked for")]
    properties: Option<BTreeMap<String, IgnoredAny>>,
}

/// Of all properties only one is asked for.
#[derive(Clone, Deserialize)]
struct Properties {
    #[serde(default)]
    region: Option<String>,
}

/// A question, or an item of a batch: what it leaves out comes from the whole.
#[derive(Clone, Deserialize)]
struct Question {
    #[serde(default)]
    subject: Option<Entity>,
    #[serde(default)]
    action: Option<Action>,
    #[serde(default)]
    resource: Option<Entity>,
    #[serde(default)]
    #[expect(dead_code, reason = "its type is checked; nothing in it is asked for")]
    context: Option<BTreeMap<String, IgnoredAny>>,
}

/// A batch: the defaults as they came, since an item may replace what would be wrong in them.
#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(borrow, default)]
    subject: Option<&'a RawValue>,
    #[serde(borrow, default)]
    action: Option<&'a RawValue>,
    #[serde(borrow, default)]
    resource: Option<&'a RawValue>,
    #[serde(borrow, default)]
    evaluations: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    options: Option<Options>,
}

#[derive(Deserialize)]
struct Options {
    #[serde(default)]
    evaluations_semantic: Semantic,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Semantic {
    #[default]
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}

/// A status and a sentence.
type Refused = (StatusCode, String);

/// `POST /access/v1/evaluation`.
pub(super) async fn evaluation(State(held): State<Arc<Held>>, request: Request) -> Response {
    respond(&held, request, one).await
}

/// `POST /access/v1/evaluations`.
pub(super) async fn evaluations(State(held): State<Arc<Held>>, request: Request) -> Response {
    respond(&held, request, many).await
}

/// Reads the request, and answers it under its own id.
async fn respond(held: &Held, request: Request, act: impl Fn(&Held, &str) -> Result<Value, Refused>) -> Response {
    let (head, sent) = request.into_parts();
    let result = match read(held, &head.headers, sent).await {
        Ok(text) => act(held, &text),
        Err(refused) => Err(refused),
    };
    let mut response = match result {
        Ok(value) => answer(StatusCode::OK, JSON, value.to_string()),
        Err((status, text)) => {
            if status != StatusCode::SERVICE_UNAVAILABLE {
                held.malformed(Interface::Authzen);
            }
            answer(status, JSON, json!({"error": text}).to_string())
        }
    };
    if let Some(id) = head.headers.get(REQUEST_ID) {
        response.headers_mut().insert(REQUEST_ID, id.clone());
    }
    response
}

async fn read(held: &Held, headers: &HeaderMap, sent: axum::body::Body) -> Result<String, Refused> {
    let bytes = body::read(sent, held.settings().patience).await.map_err(|error| (error.status(), error.text()))?;
    if !says_json(headers) {
        return bad("the Content-Type is not `application/json`");
    }
    String::from_utf8(bytes.to_vec()).or_else(|_| bad("the body is not UTF-8"))
}

fn bad<T>(text: impl Into<String>) -> Result<T, Refused> {
    Err((StatusCode::BAD_REQUEST, text.into()))
}

fn parsed<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Refused> {
    serde_json::from_str(text).or_else(|error| bad(format!("the request is not of the form of AuthZEN: {error}")))
}

fn one(held: &Held, text: &str) -> Result<Value, Refused> {
    decided(held, &parsed(text)?)
}

fn many(held: &Held, text: &str) -> Result<Value, Refused> {
    let batch: Batch<'_> = parsed(text)?;
    let items = batch.evaluations.as_deref().unwrap_or_default();
    if items.is_empty() {
        return one(held, text);
    }
    if items.len() > BATCH_MAX {
        return bad(format!("{} questions are asked, and a batch has {BATCH_MAX} at most: ask in parts", items.len()));
    }
    let semantic = batch.options.as_ref().map_or(Semantic::ExecuteAll, |options| options.evaluations_semantic);
    let mut answers = Vec::new();
    for item in items {
        let value = match question(&batch, item).and_then(|question| decided(held, &question)) {
            Ok(value) => value,
            Err((StatusCode::BAD_REQUEST, text)) => {
                held.malformed(Interface::Authzen);
                json!({"decision": false, "context": {"error": {"status": 400, "message": text}}})
            }
            Err(other) => return Err(other),
        };
        let permitted = value.get("decision") == Some(&Value::Bool(true));
        answers.push(value);
        match semantic {
            Semantic::DenyOnFirstDeny if !permitted => break,
            Semantic::PermitOnFirstPermit if permitted => break,
            _ => {}
        }
    }
    Ok(json!({"evaluations": answers}))
}

/// An item, with what it leaves out from the defaults, each whole.
fn question(batch: &Batch<'_>, item: &RawValue) -> Result<Question, Refused> {
    let mut question: Question = parsed(item.get())?;
    if let Some(default) = batch.subject.filter(|_| question.subject.is_none()) {
        question.subject = parsed(default.get())?;
    }
    if let Some(default) = batch.action.filter(|_| question.action.is_none()) {
        question.action = parsed(default.get())?;
    }
    if let Some(default) = batch.resource.filter(|_| question.resource.is_none()) {
        question.resource = parsed(default.get())?;
    }
    Ok(question)
}

fn decided(held: &Held, question: &Question) -> Result<Value, Refused> {
    let missing = |what: &str| (StatusCode::BAD_REQUEST, format!("`{what}` is missing"));
    let subject = question.subject.as_ref().ok_or_else(|| missing("subject"))?;
    let action = question.action.as_ref().ok_or_else(|| missing("action"))?;
    let resource = question.resource.as_ref().ok_or_else(|| missing("resource"))?;
    let types = &held.settings().types;
    if subject.r#type != types.subject || resource.r#type != types.resource {
        held.counts.types_other.fetch_add(1, Ordering::Relaxed);
        held.counts.add(Interface::Authzen, Ended::Allowed);
        return Ok(json!({"decision": true}));
    }
    let region = resource.properties.as_ref().and_then(|properties| properties.region.as_deref());
    let (account, service) = (subject.id.as_str(), resource.id.as_str());
    let ask = Ask { account, service, operation: operation(&action.name), region };
    match held.ask(Interface::Authzen, &ask) {
        Answered::Allowed => Ok(json!({"decision": true})),
        Answered::Refused(refusal) => Ok(json!({"decision": false, "context": refusal.context()})),
        Answered::NotReady => Err((StatusCode::SERVICE_UNAVAILABLE, super::health::NOT_READY.to_owned())),
    }
}

/// A bare switch is asked by an operation that falls under it alone.
fn operation(action: &str) -> &str {
    match action {
        "write" => "storage.write",
        "read" => "storage.read",
        "delete" => "storage.delete",
        "export" => "storage.export",
        other => other,
    }
}

/// `GET /.well-known/authzen-configuration`: the address that was used, if it is one of the gate's.
pub(super) async fn configuration(State(held): State<Arc<Held>>, request: Request) -> Response {
    let of_request = request.uri().authority().map(|authority| authority.as_str());
    let host = once(request.headers(), header::HOST.as_str()).ok().flatten().or(of_request).unwrap_or_default();
    let own = |address: &&String| address.split_once("://").is_some_and(|(_, name)| name.eq_ignore_ascii_case(host));
    let Some(address) = held.settings().addresses.iter().find(own).filter(|_| !host.is_empty()) else {
        let text = "the Host is none of this gate's addresses: name it among them";
        return answer(StatusCode::MISDIRECTED_REQUEST, JSON, json!({"error": text}).to_string());
    };
    let value = json!({
        "policy_decision_point": address,
        "access_evaluation_endpoint": format!("{address}/access/v1/evaluation"),
        "access_evaluations_endpoint": format!("{address}/access/v1/evaluations"),
    });
    let mut response = answer(StatusCode::OK, JSON, value.to_string());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Some(id) = request.headers().get(REQUEST_ID) {
        response.headers_mut().insert(REQUEST_ID, id.clone());
    }
    response
}
