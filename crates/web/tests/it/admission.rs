//! The webhook, as the API server of Kubernetes asks.

use crate::server::{LIST, Server, settings, started, with};
use serde_json::{Value, json};

fn review(kind: &str, operation: &str, object: &Value) -> Value {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "705ab4f5", "kind": {"group": "", "version": "v1", "kind": kind}, "resource": {"resource": "x"},
        "namespace": "team", "operation": operation, "object": object, "dryRun": false}})
}

fn pod(labels: &Value) -> Value {
    json!({"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c"}]}})
}

async fn asked(server: &Server, path: &str, review: &Value) -> Value {
    let (status, text) = server.post(path, review.to_string()).await;
    assert_eq!(status, 200, "{text}");
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&value["kind"], &value["response"]["uid"]), (&json!("AdmissionReview"), &json!("705ab4f5")));
    value["response"].clone()
}

#[tokio::test]
async fn what_runs_containers_is_refused_by_the_account_of_its_namespace() {
    let mut settings = settings();
    settings.namespaces = [("team".to_owned(), "acme-1".to_owned())].into();
    let server = with(settings, &LIST).await;
    let template =
        json!({"spec": {"template": pod(&json!({})), "jobTemplate": {"spec": {"template": pod(&json!({}))}}}});
    let allowed = |value: &Value| value["allowed"].as_bool().unwrap();
    for (kind, operation, expected) in [
        ("Pod", "CREATE", false),
        ("Deployment", "CREATE", false),
        ("CronJob", "CREATE", false),
        ("Pod", "UPDATE", true),
        ("Pod", "DELETE", true),
        ("ConfigMap", "CREATE", true),
    ] {
        let object = if kind == "Pod" { pod(&json!({})) } else { template.clone() };
        assert_eq!(
            allowed(&asked(&server, "/gate/admission", &review(kind, operation, &object)).await),
            expected,
            "{kind} {operation}"
        );
    }
    let refused = asked(&server, "/gate/admission", &review("Pod", "CREATE", &pod(&json!({})))).await;
    assert_eq!(
        (&refused["status"]["code"], &refused["auditAnnotations"]["restriction"]),
        (&json!(403), &json!("c1/d1/4"))
    );
    assert!(refused["status"]["message"].as_str().unwrap().contains("https://tribune.example/statements/1"));
    // A label of the customer's own does not speak against the settings.
    let labelled = review("Pod", "CREATE", &pod(&json!({"tribune/account": "acme-3"})));
    assert!(!allowed(&asked(&server, "/gate/admission", &labelled).await));
    assert!(allowed(&asked(&server, "/gate/admission/acme-3", &labelled).await), "the path speaks first");
}

#[tokio::test]
async fn what_is_of_no_account_passes_and_is_counted() {
    let server = started().await;
    let none = asked(&server, "/gate/admission", &review("Pod", "CREATE", &pod(&json!({})))).await;
    assert_eq!(none["allowed"], true);
    let labelled = review("Pod", "CREATE", &pod(&json!({"tribune/account": "acme-1"})));
    assert_eq!(asked(&server, "/gate/admission", &labelled).await["allowed"], false);
    assert_eq!(server.metric("tribune_gate_accounts_missing_total").await, ["tribune_gate_accounts_missing_total 1"]);
    // Both were questions, and are counted as such.
    let counted = server.metric("tribune_gate_checks_total{interface=\"admission\",verdict=\"allow\"").await;
    assert_eq!(counted, ["tribune_gate_checks_total{interface=\"admission\",verdict=\"allow\"} 1"]);
    for body in [
        "{",
        "{}",
        r#"{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview","request":{"uid":"","kind":{"kind":"Pod"},"operation":"CREATE"}}"#,
    ] {
        assert_eq!(server.post("/gate/admission", body).await.0, 400, "{body}");
    }
}
