//! Envoy's `ext_authz` over gRPC: `envoy.service.auth.v3.Authorization/Check`.
//!
//! The same as forward authentication says in headers is taken from `context_extensions`, which only the proxy's own
//! configuration can set, and else from the request's headers. Envoy joins headers that stand twice with a comma, so a
//! comma in one of ours is believed from nobody; a name that has one goes into the extensions. Headers that Envoy sends raw
//! (`encode_raw_headers`) are not read, and so missing.

use super::body::header_text;
use super::forward::{Outcome, Seen, Shown, outcome, path_of};
use super::health::NOT_READY;
use super::held::{Held, Interface};
use super::refusal::{RESTRICTION, STATEMENT};
use axum::Router;
use envoy_types::pb::envoy::config::core::v3::{HeaderValue, HeaderValueOption};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::HttpRequest;
use envoy_types::pb::envoy::service::auth::v3::authorization_server::{Authorization, AuthorizationServer};
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::envoy::service::auth::v3::{CheckRequest, CheckResponse, DeniedHttpResponse, OkHttpResponse};
use envoy_types::pb::envoy::r#type::v3::HttpStatus;
use envoy_types::pb::google::rpc;
use std::collections::HashMap;
use std::sync::Arc;
use tonic::{Code, Request, Response, Status};

/// gRPC's own answer in a response that was given.
const OK: i32 = Code::Ok as i32;
const PERMISSION_DENIED: i32 = Code::PermissionDenied as i32;

pub(super) fn router(held: Arc<Held>) -> Router {
    let service = AuthorizationServer::new(ExtAuthz(held)).max_decoding_message_size(super::BODY_BYTES_MAX);
    Router::new().route_service("/envoy.service.auth.v3.Authorization/{method}", service)
}

struct ExtAuthz(Arc<Held>);

#[tonic::async_trait]
impl Authorization for ExtAuthz {
    async fn check(&self, request: Request<CheckRequest>) -> Result<Response<CheckResponse>, Status> {
        let attributes = request.into_inner().attributes.unwrap_or_default();
        let http = attributes.request.and_then(|request| request.http).unwrap_or_default();
        let said = Said { extensions: &attributes.context_extensions, headers: &http.headers };
        let shown = match shown(&said, &http, self.0.settings().region.is_some()) {
            Ok(shown) => shown,
            Err(why) => {
                self.0.malformed(Interface::Envoy);
                return Ok(Response::new(malformed(why)));
            }
        };
        let first = |name: &str| http.headers.get(name).map(String::as_str);
        let response = match outcome(&self.0, Interface::Envoy, &shown, &first) {
            Outcome::Allowed => allowed(),
            Outcome::Refused { refusal, form } => {
                let (kind, body) = refusal.body(form, path_of(shown.protocol.as_ref()));
                let headers = [("content-type", kind), (RESTRICTION, &refusal.id), (STATEMENT, &refusal.statement)];
                denied(&headers, body)
            }
            Outcome::NotReady => return Err(Status::unavailable(NOT_READY)),
            Outcome::Malformed(why) => malformed(why),
        };
        Ok(Response::new(response))
    }
}

/// What was said, and by whom.
struct Said<'a> {
    extensions: &'a HashMap<String, String>,
    headers: &'a HashMap<String, String>,
}

impl<'a> Said<'a> {
    fn value(&self, name: &str) -> Result<Option<&'a str>, &'static str> {
        if let Some(value) = self.extensions.get(name) {
            return Ok(Some(value.trim()));
        }
        let value = self.headers.get(name).map(|value| value.trim());
        if value.is_some_and(|value| value.contains(',')) {
            return Err("a header stands twice, or has a comma: put it into context_extensions");
        }
        Ok(value)
    }
}

fn shown<'a>(said: &Said<'a>, http: &'a HttpRequest, own_region: bool) -> Result<Shown<'a>, &'static str> {
    let given = |name: &str| said.value(name).map(|value| value.filter(|value| !value.is_empty()));
    let account = given("x-tribune-account")?.ok_or("x-tribune-account is missing")?;
    let region = match said.value("x-tribune-region")? {
        Some(region) => region,
        None if own_region => "",
        None => return Err("x-tribune-region is missing: leave it empty where it is not known"),
    };
    let protocol = given("x-tribune-protocol")?;
    let protocol = protocol.map(|protocol| Seen { protocol, method: &http.method, target: &http.path });
    let (service, operation) = (given("x-tribune-service")?, given("x-tribune-operation")?);
    Ok(Shown { account, service, operation, region, protocol })
}

fn allowed() -> CheckResponse {
    let status = Some(rpc::Status { code: OK, ..rpc::Status::default() });
    let http_response = Some(HttpResponse::OkResponse(OkHttpResponse::default()));
    CheckResponse { status, http_response, ..CheckResponse::default() }
}

fn malformed(why: &str) -> CheckResponse {
    let headers = [("content-type", super::body::PLAIN)];
    denied(&headers, format!("the gate was asked wrongly: {why}\n"))
}

fn denied(headers: &[(&str, &str)], body: String) -> CheckResponse {
    let header = |(key, value): &(&str, &str)| {
        let value = header_text(value).to_str().unwrap_or_default().to_owned();
        let header = Some(HeaderValue { key: (*key).to_owned(), value, ..HeaderValue::default() });
        HeaderValueOption { header, ..HeaderValueOption::default() }
    };
    let response = DeniedHttpResponse {
        status: Some(HttpStatus { code: 403 }),
        headers: headers.iter().map(header).collect(),
        body,
    };
    let status = Some(rpc::Status { code: PERMISSION_DENIED, ..rpc::Status::default() });
    CheckResponse { status, http_response: Some(HttpResponse::DeniedResponse(response)), ..CheckResponse::default() }
}
