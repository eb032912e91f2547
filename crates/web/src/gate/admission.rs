//! A validating admission webhook of Kubernetes (AdmissionReview, `admission.k8s.io/v1`).
//!
//! The API server shows an object and the name of its namespace, but not the namespace's labels. So the account comes
//! from one of:
//!
//! 1. the path, `/gate/admission/ACCOUNT`: a webhook with a `namespaceSelector` on the label, one for each account that is
//!    restricted, by which the API server itself looks at the label of the namespace;
//! 2. the gate's settings, which say whose account a namespace is;
//! 3. the label [`ACCOUNT_LABEL`] of the object itself, for clusters where customers cannot set it.
//!
//! What is of none of them is of no account: it passes, and is counted.
//!
//! Creating what runs containers is new processing: `compute.gpu` where a container asks for a graphics processor and
//! else `compute.vcpu`, of the service `virtual-machines`. That is a Pod and everything that makes Pods. Changing,
//! deleting and looking passes: what runs already goes on, and no webhook could end it.

use super::body::{self, JSON, PLAIN, answer, says_json};
use super::health::NOT_READY;
use super::held::{Answered, Ask, Held, Interface};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The label that says whose account an object is.
pub const ACCOUNT_LABEL: &str = "tribune/account";

const SERVICE: &str = "virtual-machines";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Review {
    api_version: String,
    kind: String,
    request: Asked,
}

#[derive(Deserialize)]
struct Asked {
    uid: String,
    kind: Kind,
    #[serde(default)]
    namespace: String,
    operation: String,
    #[serde(default, rename = "subResource")]
    sub_resource: String,
    #[serde(default)]
    object: Option<Value>,
}

#[derive(Deserialize)]
struct Kind {
    kind: String,
}

/// `POST /gate/admission`.
pub(super) async fn review(State(held): State<Arc<Held>>, request: Request) -> Response {
    respond(&held, None, request).await
}

/// `POST /gate/admission/{account}`.
pub(super) async fn review_of(
    State(held): State<Arc<Held>>,
    Path(account): Path<String>,
    request: Request,
) -> Response {
    respond(&held, Some(&account), request).await
}

async fn respond(held: &Held, account: Option<&str>, request: Request) -> Response {
    let (head, sent) = request.into_parts();
    let bad = |status, text: &str| {
        held.malformed(Interface::Admission);
        answer(status, PLAIN, format!("{text}\n"))
    };
    let bytes = match body::read(sent, held.settings().patience).await {
        Ok(bytes) => bytes,
        Err(error) => return bad(error.status(), &error.text()),
    };
    if !says_json(&head.headers) {
        return bad(StatusCode::BAD_REQUEST, "the Content-Type is not `application/json`");
    }
    let review: Review = match serde_json::from_slice(&bytes) {
        Ok(review) => review,
        Err(error) => return bad(StatusCode::BAD_REQUEST, &format!("this is no AdmissionReview: {error}")),
    };
    if review.api_version != "admission.k8s.io/v1" || review.kind != "AdmissionReview" {
        return bad(StatusCode::BAD_REQUEST, "this is no AdmissionReview of admission.k8s.io/v1");
    }
    match asked(held, account, &review.request) {
        Answered::NotReady => answer(StatusCode::SERVICE_UNAVAILABLE, PLAIN, format!("{NOT_READY}\n")),
        Answered::Allowed => reviewed(&json!({"uid": review.request.uid, "allowed": true})),
        Answered::Refused(refusal) => {
            let status = json!({"code": 403, "reason": "Forbidden", "message": refusal.text()});
            let notes = json!({"restriction": refusal.id, "statement": refusal.statement});
            let uid = review.request.uid;
            reviewed(&json!({"uid": uid, "allowed": false, "status": status, "auditAnnotations": notes}))
        }
    }
}

fn reviewed(response: &Value) -> Response {
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response});
    answer(StatusCode::OK, JSON, review.to_string())
}

fn asked(held: &Held, account: Option<&str>, asked: &Asked) -> Answered {
    let object = asked.object.as_ref().unwrap_or(&Value::Null);
    let Some(operation) = operation(asked, object) else { return Answered::Allowed };
    let label = object.pointer("/metadata/labels").and_then(|labels| labels.get(ACCOUNT_LABEL)?.as_str());
    let of_namespace = || held.settings().namespaces.get(&asked.namespace).map(String::as_str);
    let Some(account) = account.or_else(of_namespace).or(label) else {
        // Before a snapshot is held, too: the gate's own pod may be among them.
        return held.of_no_account(Interface::Admission);
    };
    held.ask(Interface::Admission, &Ask { account, service: SERVICE, operation, region: None })
}

/// What a request asks for, if it asks for containers to run.
fn operation(asked: &Asked, object: &Value) -> Option<&'static str> {
    let pods = match asked.kind.kind.as_str() {
        "Pod" => "/spec",
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "ReplicationController" | "Job" => {
            "/spec/template/spec"
        }
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        _ => return None,
    };
    if asked.operation != "CREATE" || !asked.sub_resource.is_empty() {
        return None;
    }
    let spec = object.pointer(pods).unwrap_or(&Value::Null);
    let lists = ["containers", "initContainers"].map(|key| spec.get(key).and_then(Value::as_array));
    let mut containers = lists.into_iter().flatten().flatten();
    Some(if containers.any(asks_for_gpu) { "compute.gpu" } else { "compute.vcpu" })
}

/// Whether a container asks for a device whose name says that it is a graphics processor, as `nvidia.com/gpu`.
fn asks_for_gpu(container: &Value) -> bool {
    let asked = |key| container.get("resources").and_then(|resources| resources.get(key)?.as_object());
    let mut names = [asked("limits"), asked("requests")].into_iter().flatten().flat_map(|all| all.keys());
    names.any(|name| {
        name.split_once('/').is_some_and(|(_, device)| device.contains("gpu") || device.starts_with("mig-"))
    })
}
