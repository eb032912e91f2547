//! Forward authentication: nginx's `auth_request`, Caddy's `forward_auth`, Traefik's `ForwardAuth`.
//!
//! `X-Tribune-Account`, `-Service`, `-Operation` (after the dot) and `-Region` say what is asked; an empty region is one
//! that is not known, and `?` an account that is not: such a request passes, and is counted. With `X-Tribune-Protocol` service and operation are told from the request itself, which the proxy
//! shows as `X-Original-Method` and `X-Original-URI` or as `X-Forwarded-Method` and `X-Forwarded-Uri`. A proxy must take
//! these headers away from clients; what stands twice is believed from nobody.
//!
//! 204, or 403 with `X-Tribune-Restriction` and `X-Tribune-Statement`, and a body in the protocol's own way that a proxy
//! can hand on. A proxy that drops the body asks `/gate/refusal` for it, which never answers that a request passed: the
//! proxy did not let it pass.

use super::body::{PLAIN, answer, once};
use super::held::{Answered, Ask, Held, Interface};
use super::operations::{self, Sent};
use super::refusal::{Form, Refusal};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use std::sync::Arc;

/// What a proxy says of a request.
pub(super) struct Shown<'a> {
    pub(super) account: &'a str,
    pub(super) service: Option<&'a str>,
    pub(super) operation: Option<&'a str>,
    /// Empty if it is not known.
    pub(super) region: &'a str,
    pub(super) protocol: Option<Seen<'a>>,
}

/// The request of a real protocol.
pub(super) struct Seen<'a> {
    pub(super) protocol: &'a str,
    pub(super) method: &'a str,
    /// Path and query.
    pub(super) target: &'a str,
}

/// What is answered to a proxy.
pub(super) enum Outcome {
    Allowed,
    Refused {
        refusal: Box<Refusal>,
        form: Form,
    },
    NotReady,
    /// What was said cannot be understood, and why.
    Malformed(&'static str),
}

/// `GET /gate/check`, by any method: some proxies ask with that of the request.
pub(super) async fn check(State(held): State<Arc<Held>>, request: Request) -> Response {
    respond(&held, Interface::Forward, request.headers()).unwrap_or_else(|| {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response
    })
}

/// `GET /gate/refusal`: what a check of the same headers refused.
pub(super) async fn refusal(State(held): State<Arc<Held>>, request: Request) -> Response {
    respond(&held, Interface::Refusal, request.headers()).unwrap_or_else(|| {
        answer(StatusCode::SERVICE_UNAVAILABLE, PLAIN, "what was refused a moment ago is not any more: ask again\n")
    })
}

/// What is answered; none if the request passes.
fn respond(held: &Held, interface: Interface, headers: &HeaderMap) -> Option<Response> {
    let shown = match shown(headers, held.settings().region.is_some()) {
        Ok(shown) => shown,
        Err(why) => {
            held.malformed(interface);
            return Some(malformed(why));
        }
    };
    let path = path_of(shown.protocol.as_ref());
    let first = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match outcome(held, interface, &shown, &first) {
        Outcome::Allowed => None,
        Outcome::Refused { refusal, form } => Some(refusal.response(form, path)),
        Outcome::NotReady => Some(super::health::not_ready()),
        Outcome::Malformed(why) => Some(malformed(why)),
    }
}

/// What was asked for, of a protocol.
pub(super) fn path_of<'a>(seen: Option<&Seen<'a>>) -> &'a str {
    seen.map_or("", |seen| seen.target.split('?').next().unwrap_or_default())
}

/// Refused, and no restriction's doing.
fn malformed(why: &str) -> Response {
    answer(StatusCode::FORBIDDEN, PLAIN, format!("the gate was asked wrongly: {why}\n"))
}

fn shown(headers: &HeaderMap, own_region: bool) -> Result<Shown<'_>, &'static str> {
    let value = |name: &str| once(headers, name).map_err(|_| "a header stands twice, or is no UTF-8");
    let given = |name: &str| value(name).map(|value| value.filter(|value| !value.is_empty()));
    let account = given("x-tribune-account")?.ok_or("X-Tribune-Account is missing")?;
    let region = match value("x-tribune-region")? {
        Some(region) => region,
        None if own_region => "",
        None => return Err("X-Tribune-Region is missing: leave it empty where it is not known"),
    };
    let (service, operation) = (given("x-tribune-service")?, given("x-tribune-operation")?);
    let protocol = match given("x-tribune-protocol")? {
        None => None,
        Some(protocol) => {
            let either = |one: &str, other: &str| match (given(one)?, given(other)?) {
                (Some(one), Some(other)) if one != other => Err("X-Original-… and X-Forwarded-… differ"),
                (one, other) => Ok(one.or(other)),
            };
            let method = either("x-original-method", "x-forwarded-method")?.ok_or("X-Original-Method is missing")?;
            let target = either("x-original-uri", "x-forwarded-uri")?.ok_or("X-Original-URI is missing")?;
            Some(Seen { protocol, method, target })
        }
    };
    Ok(Shown { account, service, operation, region, protocol })
}

/// Asks what a proxy shows; `header` gives the first value of a header of the request itself.
pub(super) fn outcome<'a>(
    held: &Held,
    interface: Interface,
    shown: &Shown<'a>,
    header: &'a dyn Fn(&str) -> Option<&'a str>,
) -> Outcome {
    let (service, operation, form) = match &shown.protocol {
        Some(seen) => {
            let (path, query) = seen.target.split_once('?').unwrap_or((seen.target, ""));
            let sent = Sent { method: seen.method, path, query, header };
            let form = held.operations().form(seen.protocol);
            match held.operations().operation_of(seen.protocol, &sent) {
                Some(found) => (found.service, found.operation.to_owned(), form),
                None => (shown.service.unwrap_or(seen.protocol), unmapped(seen), form),
            }
        }
        None => {
            let (Some(service), Some(operation)) = (shown.service, shown.operation) else {
                held.malformed(interface);
                return Outcome::Malformed("X-Tribune-Service or X-Tribune-Operation is missing");
            };
            (service, operations::named(service, operation), Form::Plain)
        }
    };
    // A service that the proxy names speaks before the one of the protocol.
    let service = shown.service.unwrap_or(service);
    let ask = Ask { account: shown.account, service, operation: &operation, region: Some(shown.region) };
    match held.ask(interface, &ask) {
        Answered::Allowed => Outcome::Allowed,
        Answered::Refused(refusal) => Outcome::Refused { refusal, form },
        Answered::NotReady => Outcome::NotReady,
    }
}

/// What a request that nobody mapped is counted as: a method is one of a few, whatever the client sent.
fn unmapped(seen: &Seen<'_>) -> String {
    const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT"];
    let method = METHODS.into_iter().find(|known| known.eq_ignore_ascii_case(seen.method)).unwrap_or("other");
    format!("{} {method}", seen.protocol)
}
