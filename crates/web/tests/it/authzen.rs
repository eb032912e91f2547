//! The certification scenario of AuthZEN's Authorization API 1.0 (levels Basic Core, Batch Core and Discovery), its
//! fixture loaded as an ordinary restriction, and what the specification says beyond it.
//!
//! The scenario's model fits: `user` and `record` are what the settings call an account and a service, and that bob may
//! not write on `record-1` is a restriction of the switch `write`. The levels with properties do not fit, and are not
//! claimed: no restriction depends on a role or a status.

use crate::server::{LIST, Server, settings, started, with};
use serde_json::{Value, json};
use web::gate::{BATCH_MAX, Types};

const ONE: &str = "/access/v1/evaluation";
const MANY: &str = "/access/v1/evaluations";

/// The scenario's required fixture.
async fn fixture() -> Server {
    let mut settings = settings();
    settings.types = Types { subject: "user".into(), resource: "record".into() };
    with(settings, &["bob\trecord-1\t\twrite"]).await
}

fn user(id: &str) -> Value {
    json!({"type": "user", "id": id})
}

fn record(id: &str) -> Value {
    json!({"type": "record", "id": id})
}

fn asked(subject: &str, action: &str) -> Value {
    json!({"subject": user(subject), "action": {"name": action}, "resource": record("record-1")})
}

async fn value(server: &Server, path: &str, body: &Value) -> Value {
    let (status, text) = server.post(path, body.to_string()).await;
    assert_eq!(status, 200, "{body}: {text}");
    serde_json::from_str(&text).unwrap()
}

async fn decisions(server: &Server, body: &Value) -> Vec<bool> {
    let value = value(server, MANY, body).await;
    assert_eq!(value.get("decision"), None);
    value["evaluations"].as_array().unwrap().iter().map(|one| one["decision"].as_bool().unwrap()).collect()
}

#[tokio::test]
async fn basic_core_decides_as_the_fixture_says() {
    let server = fixture().await;
    for (subject, action, expected) in
        [("alice", "read", true), ("alice", "write", true), ("bob", "read", true), ("bob", "write", false)]
    {
        // Whatever is said beside it, and however often it is asked.
        let mut question = asked(subject, action);
        for _ in 0..3 {
            assert_eq!(value(&server, ONE, &question).await["decision"], expected, "{question}");
        }
        question["context"] = json!({"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"});
        question["subject"]["properties"] = json!({"department": "Sales", "role": "manager"});
        question["action"]["properties"] = json!({"method": "GET"});
        question["resource"]["properties"] = json!({"status": "active", "owner": "bob"});
        question["foo"] = json!("bar");
        question["futureField"] = json!({"nested": true});
        assert_eq!(value(&server, ONE, &question).await["decision"], expected, "{question}");
    }
}

#[tokio::test]
async fn basic_core_refuses_what_is_no_question() {
    let server = fixture().await;
    let mut bad = vec!["".to_owned(), "{".to_owned(), "[]".to_owned(), "null".to_owned(), "{}{}".to_owned()];
    let whole = asked("alice", "read");
    for path in [
        "/subject",
        "/action",
        "/resource",
        "/subject/type",
        "/subject/id",
        "/action/name",
        "/resource/type",
        "/resource/id",
    ] {
        for wrong in [None, Some(json!(123)), Some(json!(null)), Some(json!([]))] {
            let (parent, key) = path.rsplit_once('/').unwrap();
            let mut question = whole.clone();
            let parent = question.pointer_mut(parent).unwrap().as_object_mut().unwrap();
            match wrong {
                None => drop(parent.remove(key)),
                Some(wrong) => drop(parent.insert(key.to_owned(), wrong)),
            }
            bad.push(question.to_string());
        }
    }
    for (path, wrong) in [("subject", json!("alice")), ("context", json!("now"))] {
        let mut question = whole.clone();
        question[path] = wrong;
        bad.push(question.to_string());
    }
    for body in bad {
        for path in [ONE, MANY] {
            let (status, text) = server.post(path, body.clone()).await;
            assert_eq!(status, 400, "{path} {body}");
            assert!(serde_json::from_str::<Value>(&text).unwrap()["error"].is_string());
        }
    }
    for kind in ["text/plain", "application/jsonp", "application/x-www-form-urlencoded", ""] {
        let request = server.client.post(server.url(ONE)).header("content-type", kind).body(whole.to_string());
        assert_eq!(request.send().await.unwrap().status(), 400, "{kind:?}");
    }
    let charset = server.client.post(server.url(ONE)).header("content-type", "Application/JSON; charset=utf-8");
    assert_eq!(charset.body(whole.to_string()).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_id_of_a_request_comes_back() {
    let server = fixture().await;
    for (path, body) in [(ONE, asked("bob", "write").to_string()), (MANY, "{".into())] {
        let request = server.client.post(server.url(path)).header("content-type", "application/json");
        let response = request.header("x-request-id", "bfe9eb29-ab87").body(body.clone()).send().await.unwrap();
        assert_eq!(response.headers()["x-request-id"], "bfe9eb29-ab87");
        assert_eq!(response.headers()["content-type"], "application/json");
    }
}

#[tokio::test]
async fn batch_core_answers_each_in_its_order() {
    let server = fixture().await;
    let read = json!({"name": "read"});
    let mut batch = json!({"subject": user("alice"), "action": read, "context": {"time": "2025"},
        "evaluations": [{"resource": record("record-1")}, {"resource": record("record-2"), "context": {"time": "2026"}}]});
    assert_eq!(decisions(&server, &batch).await, [true, true]);
    batch = json!({"subject": user("bob"), "resource": record("record-1"),
        "evaluations": [{"action": read}, {"action": {"name": "write"}}]});
    assert_eq!(decisions(&server, &batch).await, [true, false]);
    batch = json!({"evaluations": [asked("alice", "read"), asked("bob", "write")]});
    assert_eq!(decisions(&server, &batch).await, [true, false]);
    // One that fails is a refusal among answers.
    batch = json!({"subject": user("alice"), "action": read, "evaluations": [{"resource": record("record-1")}, {}, {"resource": 7}, 7]});
    assert_eq!(decisions(&server, &batch).await, [true, false, false, false]);
    // Without items it is one question.
    for evaluations in [json!(null), json!([])] {
        let mut one = asked("bob", "write");
        one["evaluations"] = evaluations;
        assert_eq!(value(&server, MANY, &one).await["decision"], false);
    }
}

#[tokio::test]
async fn defaults_are_replaced_whole_and_semantics_end_a_batch_early() {
    let server = fixture().await;
    // The type is not taken from the default: an item says all of a resource or nothing.
    let batch = json!({"subject": user("alice"), "action": {"name": "read"}, "resource": record("record-2"),
        "evaluations": [{"resource": {"id": "record-1"}}, {}]});
    assert_eq!(decisions(&server, &batch).await, [false, true]);
    // A default that nobody uses may be wrong.
    let batch = json!({"subject": "alice", "evaluations": [asked("alice", "read")]});
    assert_eq!(decisions(&server, &batch).await, [true]);
    let items = json!([asked("alice", "read"), asked("bob", "write"), {}, asked("bob", "read")]);
    for (semantic, expected) in [
        ("execute_all", vec![true, false, false, true]),
        ("deny_on_first_deny", vec![true, false]),
        ("permit_on_first_permit", vec![true]),
    ] {
        let batch = json!({"options": {"evaluations_semantic": semantic}, "evaluations": items});
        assert_eq!(decisions(&server, &batch).await, expected, "{semantic}");
    }
    let unknown = json!({"options": {"evaluations_semantic": "any"}, "evaluations": items});
    assert_eq!(server.post(MANY, unknown.to_string()).await.0, 400);
}

#[tokio::test]
async fn discovery_names_the_address_that_was_used() {
    let mut settings = settings();
    settings.addresses = vec!["https://pdp.example".into(), "https://other.example:8443".into()];
    let server = with(settings, &LIST).await;
    for (host, expected) in [
        ("pdp.example", Some("https://pdp.example")),
        ("Other.Example:8443", Some("https://other.example:8443")),
        ("evil.example", None),
        ("pdp.example.evil.example", None),
    ] {
        let request = server.client.get(server.url("/.well-known/authzen-configuration")).header("host", host);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/json");
        let Some(expected) = expected else {
            assert_eq!(response.status(), 421, "{host}");
            continue;
        };
        let value: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(value["policy_decision_point"], expected);
        assert_eq!(value["access_evaluation_endpoint"], format!("{expected}{ONE}"));
        assert_eq!(value["access_evaluations_endpoint"], format!("{expected}{MANY}"));
    }
}

#[tokio::test]
async fn a_refusal_tells_the_customer_which_restriction_why_and_where_to_appeal() {
    let server = started().await;
    let mut question = json!({"subject": {"type": "account", "id": "acme-1"}, "action": {"name": "storage.write"},
        "resource": {"type": "service", "id": "object-storage", "properties": {"region": "north"}}});
    let refused = value(&server, ONE, &question).await;
    let context = json!({
        "restriction": "c1/d1/1", "statement": "https://tribune.example/statements/1",
        "sentence": "Writing to this account's object storage is switched off.",
    });
    assert_eq!(refused, json!({"decision": false, "context": context}));
    question["resource"]["properties"]["region"] = json!("south");
    assert_eq!(value(&server, ONE, &question).await, json!({"decision": true}));
    question["resource"]["properties"] = json!({});
    assert_eq!(value(&server, ONE, &question).await, json!({"decision": true}));
    assert_eq!(server.metric("tribune_gate_regions_missing_total").await, ["tribune_gate_regions_missing_total 1"]);
    question["resource"]["properties"]["region"] = json!(["north"]);
    assert_eq!(server.post(ONE, question.to_string()).await.0, 400);
    // Somebody else of the same name.
    question["resource"]["properties"]["region"] = json!("north");
    question["subject"]["type"] = json!("user");
    assert_eq!(value(&server, ONE, &question).await, json!({"decision": true}));
    assert_eq!(server.metric("tribune_gate_types_other_total").await, ["tribune_gate_types_other_total 1"]);
    // Nobody's, and of a service and to an end that nobody knows.
    question["subject"] = json!({"type": "account", "id": ""});
    assert_eq!(value(&server, ONE, &question).await, json!({"decision": true}));
    question["subject"]["id"] = json!("?");
    question["resource"]["id"] = json!("teleport");
    question["action"]["name"] = json!("beam");
    assert_eq!(value(&server, MANY, &json!({"evaluations": [question]})).await["evaluations"][0]["decision"], true);
    for line in [
        "tribune_gate_accounts_missing_total 2",
        "tribune_gate_services_unknown_total{service=\"teleport\"} 1",
        "tribune_gate_unmapped_total{operation=\"beam\"} 1",
    ] {
        assert_eq!(server.metric(line.split(['{', ' ']).next().unwrap()).await, [line]);
    }
}

#[tokio::test]
async fn a_batch_is_bounded_and_a_hundred_thousand_items_are_refused_as_a_whole() {
    let server = fixture().await;
    let of = |count: usize| {
        json!({"subject": user("bob"), "action": {"name": "write"}, "resource": record("record-1"),
        "evaluations": vec![json!({}); count]})
    };
    assert_eq!(decisions(&server, &of(BATCH_MAX)).await, vec![false; BATCH_MAX]);
    let (status, text) = server.post(MANY, of(BATCH_MAX + 1).to_string()).await;
    assert!(status == 400 && text.contains("has 1000 at most"), "{status} {text}");
    let (status, text) = server.post(MANY, of(100_000).to_string()).await;
    assert!(status == 400 && text.contains("100000 questions are asked"), "{status} {text}");
    let full = json!({"evaluations": vec![asked("bob", "write"); 100_000]});
    let (status, text) = server.post(MANY, full.to_string()).await;
    assert!(status == 413 && text.contains("1048576 bytes at most"), "{status} {text}");
}
