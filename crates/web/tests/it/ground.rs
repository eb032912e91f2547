//! What is true of every page: headers, hosts, problems as pages, languages, and no cookie.

use crate::house::{BASE, House, ONION, sent};
use axum::body::Body;
use axum::http::{Method, Request};

#[tokio::test]
async fn every_answer_has_its_headers_and_no_cookie() {
    let house = House::new().await;
    for address in ["/", "/style.css", "/nothing", "/log/checkpoint", "/transparency/2026.csv", "/statements/x"] {
        let answer = house.get(address).await;
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "style-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{address}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
        assert!(answer.header("permissions-policy").contains("geolocation=()"));
        assert!(!answer.headers.contains_key("set-cookie") && !answer.headers.contains_key("server"), "{address}");
        assert!(!answer.headers.contains_key("strict-transport-security"));
        assert!(!answer.header("cache-control").is_empty(), "{address}");
        let text = answer.text();
        let acts = ["<script", " style=", " onclick=", " onload=", "javascript:"].iter().any(|act| text.contains(act));
        assert!(!acts, "{address}: {text}");
    }
    let secure = House::at("https://tribune.example").await;
    let request = Request::get("/nothing").header("host", "tribune.example").body(Body::empty()).unwrap();
    assert_eq!(secure.ask(request).await.header("strict-transport-security"), "max-age=31536000");
}

#[tokio::test]
async fn another_host_is_not_answered() {
    let house = House::new().await;
    for hosts in [&["evil.example"][..], &[], &["127.0.0.1:8402", "evil.example"], &["127.0.0.1:8402@evil.example"]] {
        let request = hosts.iter().fold(Request::get("/log/checkpoint"), |request, host| request.header("host", *host));
        let answer = house.ask(request.body(Body::empty()).unwrap()).await;
        assert!(answer.status == 421 && answer.text().contains(BASE), "{hosts:?} {}", answer.text());
    }
    let local = Request::get("/style.css").header("host", "localhost:8402").body(Body::empty()).unwrap();
    assert_eq!(house.ask(local).await.status, 200);
}

/// Tor Browser is told of it at the base, and forms of one address are not sent from the other.
#[tokio::test]
async fn the_same_pages_are_an_onion_service() {
    let house = House::new().await;
    let host = ONION.trim_start_matches("http://");
    let at_base = house.get("/report?lang=ar").await;
    assert_eq!(at_base.header("onion-location"), format!("{ONION}/report?lang=ar"));
    let there = house.ask(Request::get("/report").header("host", host).body(Body::empty()).unwrap()).await;
    assert!(there.status == 200 && !there.headers.contains_key("onion-location"), "{:?}", there.headers);
    let post = |origin: &str| {
        let request = Request::post("/report/mailbox").header("host", host).header("origin", origin);
        let kind = "application/x-www-form-urlencoded";
        request.header("content-type", kind).body(Body::from("words=one two three")).unwrap()
    };
    assert_eq!(house.ask(post(BASE)).await.status, 403);
    assert_ne!(house.ask(post(ONION)).await.status, 403);
}

#[tokio::test]
async fn what_is_wrong_with_a_form_is_said_in_the_readers_language() {
    let house = House::new().await;
    for (language, says) in [("en", "as a browser sends it"), ("ar", "كما يرسله المتصفح")] {
        let request = sent(Method::POST, &format!("/report/new?lang={language}"), "text/plain");
        let answer = house.ask(request.body(Body::from("x")).unwrap()).await;
        assert!(answer.status == 415 && answer.text().contains(says), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_problem_is_a_page_in_the_readers_language() {
    let house = House::new().await;
    let answer = house.get("/nothing/%3Cb%3E%E2%80%AE?lang=ar").await;
    let text = answer.text();
    assert!(answer.status == 404 && text.contains(r#"<html lang="ar" dir="rtl">"#), "{text}");
    assert!(text.contains("لا توجد صفحة كهذه") && !text.contains("<b>") && !text.contains('\u{202e}'), "{text}");
    let wrong = house.ask(sent(Method::DELETE, "/style.css", "text/plain").body(Body::empty()).unwrap()).await;
    assert!(wrong.status == 405 && wrong.header("allow").contains("GET"), "{:?}", wrong.headers);
    assert!(wrong.text().contains("<h1>Not in this way</h1>"), "{}", wrong.text());
    let head = Request::head("/style.css").header("host", "127.0.0.1:8402").body(Body::empty()).unwrap();
    assert_eq!(house.ask(head).await.status, 200);
}

#[tokio::test]
async fn a_form_from_elsewhere_is_refused_whatever_it_is() {
    let house = House::new().await;
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("origin", "null"), ("x", "y")]
    {
        let request = Request::post("/nothing").header("host", "127.0.0.1:8402").header(name, value);
        let answer = house.ask(request.body(Body::empty()).unwrap()).await;
        assert!(answer.status == 403 && answer.text().contains("send it from there"), "{name}: {value}");
    }
    assert_eq!(house.post("/nothing", &[]).await.status, 404);
}

#[tokio::test]
async fn files_of_the_log_are_as_they_were_written_and_nothing_beside_them_is_read() {
    let house = House::new().await;
    std::fs::create_dir_all(house.public().join("log/tile/0")).unwrap();
    std::fs::write(house.public().join("log/checkpoint"), "a checkpoint\n").unwrap();
    std::fs::write(house.public().join("log/secret"), "s").unwrap();
    let answer = house.get("/log/checkpoint").await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "a checkpoint\n"));
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    for address in [
        "/log/secret",
        "/log/../record.db",
        "/log/%2e%2e/record.db",
        "/log/..%2frecord.db",
        "/log/tile/0/000/../../secret",
        "/statements/..%2f..%2frecord.db",
        "/statements/.txt",
        "/transparency/..%2f2026.csv",
        "/transparency/+202.csv",
    ] {
        let answer = house.get(address).await;
        assert_eq!(answer.status, 404, "{address} {}", answer.text());
    }
    assert!(house.folder.path().join("record.db").exists());
}
