//! What hostile or broken clients send: a clean refusal, never a wrong answer, and the gate goes on.

use crate::server::{Server, started};
use proptest::prelude::*;
use std::time::Duration;
use web::Limits;

const ONE: &str = "/access/v1/evaluation";
const HEAD: &str = "GET /gate/check HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";

fn question(account: &str, operation: &str) -> String {
    let value = serde_json::json!({"subject": {"type": "account", "id": account}, "action": {"name": operation},
        "resource": {"type": "service", "id": "object-storage", "properties": {"region": "north"}}});
    value.to_string()
}

/// It still refuses what is restricted, and nothing else.
async fn goes_on(server: &Server) {
    assert!(server.post(ONE, question("acme-1", "storage.write")).await.1.contains("\"decision\":false"));
    assert!(server.post(ONE, question("acme-3", "storage.write")).await.1.contains("\"decision\":true"));
}

#[tokio::test]
async fn oversized_and_deep_json_is_refused_or_passed_by() {
    let server = started().await;
    let (status, text) = server.post(ONE, vec![b' '; 2_000_000]).await;
    assert!(status == 413 && text.contains("bytes at most"), "{status} {text}");
    let deep = "[".repeat(500_000);
    assert_eq!(server.post(ONE, deep.clone()).await.0, 400);
    // Where it is ignored anyway, depth does not matter.
    let ignored = format!(r#"{{"x":{}{},{}"#, deep, "]".repeat(500_000), &question("acme-1", "storage.write")[1..]);
    let (status, text) = server.post(ONE, ignored).await;
    assert!(status == 200 && text.contains("\"decision\":false"), "{status} {text}");
    let object = format!("{}{}", r#"{"request":{"object":"#, deep);
    assert_eq!(server.post("/gate/admission", object).await.0, 400);
    // A key that stands twice could be read in two ways.
    let twice = question("acme-1", "storage.write").replacen('{', r#"{"action":{"name":"storage.read"},"#, 1);
    assert_eq!(server.post(ONE, twice).await.0, 400);
    assert_eq!(server.post(ONE, b"{\"subject\":\"\xff\"}".to_vec()).await.0, 400);
    goes_on(&server).await;
}

#[tokio::test]
async fn names_are_compared_byte_by_byte_whatever_they_hold() {
    let server = started().await;
    for account in [
        "acmé-1",
        "acme-1\u{0}",
        "ACME-1",
        " acme-1",
        "acme-1\tobject-storage",
        "аcme-1",
        "",
        "💣",
        &"x".repeat(100_000),
    ] {
        let (status, text) = server.post(ONE, question(account, "storage.write")).await;
        assert!(status == 200 && text == r#"{"decision":true}"#, "{account:.40}: {status} {text}");
    }
    let odd = "storage.w\"rite\\\n# TYPE x";
    assert_eq!(server.post(ONE, question("acme-1", odd)).await.1, r#"{"decision":true}"#);
    let metric = server.metric("tribune_gate_unmapped_total").await;
    assert_eq!(metric, [r#"tribune_gate_unmapped_total{operation="storage.w\"rite\\\n# TYPE x"} 1"#]);
    goes_on(&server).await;
}

#[tokio::test]
async fn headers_cannot_be_smuggled() {
    let server = started().await;
    let restricted = "X-Tribune-Service: object-storage\r\nX-Tribune-Operation: write\r\nX-Tribune-Region: north\r\n";
    for (headers, status) in [
        ("X-Tribune-Account: acme-1\r\n".to_owned(), 403),
        ("X-TRIBUNE-ACCOUNT:\t acme-1 \r\n".to_owned(), 403),
        ("X-Tribune-Account: acme-3\r\nx-tribune-account: acme-1\r\n".to_owned(), 403),
        ("X-Tribune-Account: acme-3\r\n X-Tribune-Account: acme-1\r\n".to_owned(), 400),
        ("X-Tribune-Account: acme-3\0\r\n".to_owned(), 400),
        ("X-Tribune-Account : acme-3\r\n".to_owned(), 400),
        (format!("X-Tribune-Account: {}\r\n", "x".repeat(200_000)), 431),
        ("X: y\r\n".repeat(5_000), 431),
        ("X-Tribune-Account: acme-3\r\n".to_owned(), 204),
        ("X-Tribune-Account: acme-3\r\nX-Tribune-Restriction: none\r\n".to_owned(), 204),
    ] {
        let answer = server.raw(format!("{HEAD}{restricted}{headers}\r\n").as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{headers:.60}: {answer:.200}");
    }
    let invalid = [HEAD.as_bytes(), restricted.as_bytes(), b"X-Tribune-Account: acme-1\xff\r\n\r\n"].concat();
    let answer = server.raw(&invalid).await;
    assert!(answer.starts_with("HTTP/1.1 403") && !answer.contains("c1/d1"), "{answer}");
    let both = "POST /access/v1/evaluation HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert!(!server.raw(both.as_bytes()).await.contains("200 OK"));
    goes_on(&server).await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let server = started().await;
    let head = "POST /access/v1/evaluation HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{";
    let server = std::sync::Arc::new(server);
    let mut slow = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let server = std::sync::Arc::clone(&server);
        slow.spawn(async move { server.raw(head.as_bytes()).await });
    }
    // Others are answered meanwhile.
    tokio::time::timeout(Duration::from_secs(5), goes_on(&server)).await.unwrap();
    for answer in slow.join_all().await {
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("did not arrive in time"), "{answer}");
    }
}

#[tokio::test]
async fn a_head_that_does_not_come_is_not_waited_for_and_connections_are_bounded() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits { connections: 2, head: Duration::from_millis(200), ..Limits::default() };
    tokio::spawn(web::serve(listener, axum::Router::new(), limits, std::future::pending()));
    let server = std::sync::Arc::new(Server { address, client: reqwest::Client::new() });
    let mut slow = tokio::task::JoinSet::new();
    // What comes of it tells no protocol, or the beginning of one.
    for head in [&b""[..], b"P", b"PRI * HTTP", b"G", b"GET / HTTP/1.1\r\nHost: ", b"\r\n"] {
        let server = std::sync::Arc::clone(&server);
        slow.spawn(async move { server.raw(head).await });
    }
    // Two at a time are given up on, and then others are served.
    tokio::time::timeout(Duration::from_secs(5), server.get("/")).await.unwrap();
    for answer in slow.join_all().await {
        assert!(!answer.contains("200 OK"), "{answer}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever bytes come, something is answered, and it is never an allowance of what is restricted.
    #[test]
    fn no_body_breaks_it(bytes in prop::collection::vec(any::<u8>(), 0..400), cut in 0..200_usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = started().await;
            for path in [ONE, "/access/v1/evaluations", "/gate/admission", "/envoy.service.auth.v3.Authorization/Check"] {
                server.post(path, bytes.clone()).await;
            }
            let mut spoilt = question("acme-1", "storage.write").into_bytes();
            let place = cut % spoilt.len();
            spoilt[place] = bytes.first().copied().unwrap_or(b'"');
            let (status, text) = server.post(ONE, spoilt.clone()).await;
            assert!(status == 400 || status == 200, "{status} {text}");
            spoilt.truncate(place);
            assert_eq!(server.post(ONE, spoilt).await.0, 400);
        });
    }
}
