//! Forward authentication, as nginx, Caddy and Traefik ask.

use crate::server::{LIST, Server, settings, started, with};

async fn asked(server: &Server, headers: &[(&str, &str)]) -> reqwest::Response {
    let mut request = server.client.get(server.url("/gate/check"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

const WRITE: [(&str, &str); 4] = [
    ("x-tribune-account", "acme-1"),
    ("x-tribune-service", "object-storage"),
    ("x-tribune-operation", "write"),
    ("x-tribune-region", "north"),
];

#[tokio::test]
async fn a_request_passes_or_is_refused_with_its_restriction_and_statement() {
    let server = started().await;
    let refused = asked(&server, &WRITE).await;
    assert_eq!(refused.status(), 403);
    assert_eq!(refused.headers()["x-tribune-restriction"], "c1/d1/1");
    assert_eq!(refused.headers()["x-tribune-statement"], "https://tribune.example/statements/1");
    assert!(refused.text().await.unwrap().starts_with("Writing to this account's object storage is switched off."));
    for (place, value) in
        [(0, "acme-3"), (1, "database"), (2, "read"), (2, "storage.read"), (2, "list"), (3, "south"), (3, "")]
    {
        let mut other = WRITE;
        other[place].1 = value;
        let passed = asked(&server, &other).await;
        assert_eq!((passed.status().as_u16(), passed.text().await.unwrap().as_str()), (204, ""), "{value:?}");
    }
    let speech = [WRITE[0], ("x-tribune-service", "speech"), ("x-tribune-operation", "transcription"), WRITE[3]];
    assert_eq!(asked(&server, &speech).await.status(), 403);
}

#[tokio::test]
async fn a_missing_or_repeated_header_is_refused_and_no_restrictions_doing() {
    let server = started().await;
    for place in 0..4 {
        let without: Vec<_> = (0..4).filter(|own| *own != place).map(|own| WRITE[own]).collect();
        let twice: Vec<_> = WRITE.into_iter().chain([(WRITE[place].0, "other")]).collect();
        for headers in [without, twice] {
            let refused = asked(&server, &headers).await;
            assert_eq!((refused.status().as_u16(), refused.headers().get("x-tribune-restriction")), (403, None));
        }
        if place < 3 {
            let mut empty = WRITE;
            empty[place].1 = "";
            assert_eq!(asked(&server, &empty).await.status(), 403);
        }
    }
    let metric = server.metric("tribune_gate_checks_total{interface=\"forward\",verdict=\"malformed\"").await;
    assert_eq!(metric, ["tribune_gate_checks_total{interface=\"forward\",verdict=\"malformed\"} 11"]);
}

#[tokio::test]
async fn what_nobody_knows_passes_and_is_counted_by_name() {
    let server = started().await;
    for (place, value) in [(0, "?"), (1, "teleport"), (3, "")] {
        let mut unknown = WRITE;
        unknown[place].1 = value;
        assert_eq!(asked(&server, &unknown).await.status(), 204, "{value:?}");
    }
    let protocol = [("x-tribune-account", "?"), ("x-tribune-region", ""), ("x-tribune-protocol", "s3")];
    let put = [("x-original-method", "PUT"), ("x-original-uri", "/bucket/key")];
    assert_eq!(asked(&server, &[&protocol[..], &put].concat()).await.status(), 204);
    for (metric, line) in [
        ("tribune_gate_accounts_missing_total", "tribune_gate_accounts_missing_total 2"),
        ("tribune_gate_services_unknown_total", "tribune_gate_services_unknown_total{service=\"teleport\"} 1"),
        ("tribune_gate_regions_missing_total", "tribune_gate_regions_missing_total 1"),
        (
            "tribune_gate_checks_total{interface=\"forward\",verdict=\"allow\"",
            "tribune_gate_checks_total{interface=\"forward\",verdict=\"allow\"} 4",
        ),
    ] {
        assert_eq!(server.metric(metric).await, [line]);
    }
}

#[tokio::test]
async fn a_gate_of_a_region_knows_where_it_is() {
    let mut settings = settings();
    settings.region = Some("north".into());
    settings.regions = ["south".to_owned()].into();
    let server = with(settings, &LIST).await;
    assert_eq!(asked(&server, &WRITE[..3]).await.status(), 403, "its own");
    let [account, service, operation, _] = WRITE;
    assert_eq!(asked(&server, &[account, service, operation, ("x-tribune-region", "")]).await.status(), 403, "its own");
    assert_eq!(asked(&server, &[account, service, operation, ("x-tribune-region", "south")]).await.status(), 204);
    assert_eq!(asked(&server, &[account, service, operation, ("x-tribune-region", "moon")]).await.status(), 204);
    let unknown = server.metric("tribune_gate_regions_unknown_total").await;
    assert_eq!(unknown, ["tribune_gate_regions_unknown_total{region=\"moon\"} 1"]);
}

#[tokio::test]
async fn a_request_of_s3_is_told_by_itself_and_refused_in_its_own_way() {
    let server = started().await;
    let shown = |method: &'static str, uri: &'static str| {
        [WRITE[0], WRITE[3], ("x-tribune-protocol", "s3"), ("x-original-method", method), ("x-original-uri", uri)]
    };
    for (method, uri, status) in [
        ("PUT", "/bucket/key", 403),
        ("POST", "/bucket/key?uploads", 403),
        ("PUT", "/bucket/key?X-Amz-Algorithm=AWS4-HMAC-SHA256", 403),
        ("POST", "/bucket?delete", 204),
        ("GET", "/bucket/key", 204),
        ("GET", "/bucket?list-type=2", 204),
        ("OPTIONS", "/bucket", 204),
    ] {
        let headers = shown(method, uri);
        assert_eq!(asked(&server, &headers).await.status(), status, "{method} {uri}");
        let [account, region, protocol, (_, method), (_, uri)] = headers;
        let traefik = [account, region, protocol, ("x-forwarded-method", method), ("x-forwarded-uri", uri)];
        assert_eq!(asked(&server, &traefik).await.status(), status, "{method} {uri}");
    }
    let refused = asked(&server, &shown("PUT", "/bucket/a&b")).await;
    assert_eq!(refused.headers()["content-type"], "application/xml");
    let text = refused.text().await.unwrap();
    assert!(
        text.contains("<Code>AccessDenied</Code>") && text.contains("<Resource>/bucket/a&amp;b</Resource>"),
        "{text}"
    );
    assert!(
        text.contains("<Restriction>c1/d1/1</Restriction><Statement>https://tribune.example/statements/1<"),
        "{text}"
    );
    let unmapped = server.metric("tribune_gate_unmapped_total").await;
    assert_eq!(unmapped, ["tribune_gate_unmapped_total{operation=\"s3 OPTIONS\"} 2"]);
    let openai = [
        ("x-tribune-account", "acme-1"),
        ("x-tribune-region", ""),
        ("x-tribune-protocol", "openai"),
        ("x-original-method", "POST"),
        ("x-original-uri", "/v1/audio/transcriptions"),
    ];
    let refused = asked(&server, &openai).await;
    assert_eq!(
        (refused.status().as_u16(), refused.headers()["content-type"].to_str().unwrap()),
        (403, "application/json")
    );
    assert!(refused.text().await.unwrap().contains("\"restriction\":\"c1/d1/3\""));
}
