//! Envoy's `ext_authz`, asked over gRPC as Envoy does.

use crate::sample::TERMS;
use crate::server::{LIST, Server, gate, serving, settings, snapshot, started};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Request};
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, CheckRequest, CheckResponse};
use std::collections::HashMap;
use std::sync::Arc;
use tonic::{Code, Status};
use web::gate::{Held, router};

type Pairs<'a> = &'a [(&'a str, &'a str)];

async fn asked(
    server: &Server,
    headers: Pairs<'_>,
    extensions: Pairs<'_>,
    line: &str,
) -> Result<CheckResponse, Status> {
    let map =
        |pairs: Pairs<'_>| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<HashMap<_, _>>();
    let (method, path) = line.split_once(' ').unwrap();
    let http =
        HttpRequest { headers: map(headers), method: method.into(), path: path.into(), ..HttpRequest::default() };
    let request = Some(Request { http: Some(http), ..Request::default() });
    let context_extensions = map(extensions);
    let attributes = Some(AttributeContext { request, context_extensions, ..AttributeContext::default() });
    let mut client = AuthorizationClient::connect(server.url("")).await.unwrap();
    client.check(CheckRequest { attributes }).await.map(tonic::Response::into_inner)
}

/// The restriction and the body of a refusal; none if it passes.
fn refused(response: CheckResponse) -> Option<(String, String)> {
    let code = response.status.unwrap().code;
    match response.http_response.unwrap() {
        HttpResponse::DeniedResponse(denied) => {
            assert_eq!((code, denied.status.unwrap().code), (Code::PermissionDenied as i32, 403));
            let headers = denied.headers.into_iter().filter_map(|option| option.header);
            let id = headers.filter(|header| header.key == "x-tribune-restriction").map(|header| header.value);
            Some((id.collect(), denied.body))
        }
        _ => {
            assert_eq!(code, 0);
            None
        }
    }
}

const WRITE: [(&str, &str); 4] = [
    ("x-tribune-account", "acme-1"),
    ("x-tribune-service", "object-storage"),
    ("x-tribune-operation", "write"),
    ("x-tribune-region", "north"),
];

#[tokio::test]
async fn envoy_is_answered_as_other_proxies_are() {
    let server = started().await;
    let ask = |headers: Vec<(&'static str, &'static str)>, extensions: Vec<(&'static str, &'static str)>| {
        let server = &server;
        async move { refused(asked(server, &headers, &extensions, "PUT /b/k").await.unwrap()) }
    };
    assert_eq!(ask(WRITE.to_vec(), vec![]).await.unwrap().0, "c1/d1/1");
    assert_eq!(ask(vec![], WRITE.to_vec()).await.unwrap().0, "c1/d1/1");
    let forged = vec![("x-tribune-account", "acme-3")];
    assert_eq!(ask(forged.clone(), WRITE.to_vec()).await.unwrap().0, "c1/d1/1", "the configuration speaks first");
    assert_eq!(ask(WRITE.to_vec(), forged).await, None);
    // Nobody's: it passes, and is counted.
    let nobody = vec![("x-tribune-account", "?")];
    assert_eq!(ask(nobody.clone(), WRITE[1..].to_vec()).await, None);
    assert_eq!(ask(WRITE[1..].to_vec(), nobody).await, None);
    assert_eq!(server.metric("tribune_gate_accounts_missing_total").await, ["tribune_gate_accounts_missing_total 2"]);
    // What stands twice is joined with a comma by Envoy; what is missing is missing.
    let mut twice = WRITE.to_vec();
    twice[0].1 = "acme-3,acme-1";
    assert_eq!(ask(twice, vec![]).await.unwrap().0, "");
    assert_eq!(ask(WRITE[..3].to_vec(), vec![]).await.unwrap().0, "");
    assert_eq!(ask(vec![], vec![]).await.unwrap().0, "");
    let s3 = vec![WRITE[0], WRITE[3], ("x-tribune-protocol", "s3")];
    let (id, body) = ask(s3, vec![]).await.unwrap();
    assert!(id == "c1/d1/1" && body.contains("<Code>AccessDenied</Code>"), "{body}");
}

#[tokio::test]
async fn a_gate_that_is_not_ready_says_so() {
    let held = Arc::new(Held::new(settings()).unwrap());
    let server = serving(router(Arc::clone(&held))).await;
    let status = asked(&server, &WRITE, &[], "GET /").await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    for path in ["/readyz", "/gate/check"] {
        let request = server.client.get(server.url(path));
        let request = WRITE.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        assert_eq!(request.send().await.unwrap().status(), 503, "{path}");
    }
    assert_eq!(server.get("/healthz").await.0, 200);
    let question = r#"{"subject":{"type":"account","id":"a"},"action":{"name":"storage.write"},"resource":{"type":"service","id":"s"}}"#;
    assert_eq!(server.post("/access/v1/evaluation", question).await.0, 503);
    assert_eq!(server.metric("tribune_gate_ready").await, ["tribune_gate_ready 0"]);
    held.swap(gate(&snapshot(7, &LIST, TERMS)));
    assert_eq!(server.get("/readyz").await, (200, "ready, by snapshot 1.7\n".to_owned()));
    let age = server.metric("tribune_gate_snapshot_").await;
    assert_eq!(
        age,
        [
            "tribune_gate_snapshot_age_seconds 86400",
            "tribune_gate_snapshot_epoch 1",
            "tribune_gate_snapshot_sequence 7"
        ]
    );
}
