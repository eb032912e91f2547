//! Real proxies in front of a real S3 server, with boto3 as the client: what a decision restricts fails with an error that
//! names the statement, all else passes, and a dead gate harms nobody.

use crate::sample::{Draft, Log, MARCH, TERMS, signed};
use crate::server::{gate, settings, tool};
use gate::seal::Order;
use gate::{Gate, Snapshot, Terms};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use web::Limits;
use web::gate::fallback::{Proxy, fallback};
use web::gate::{Held, router};

const DAY: i64 = 86_400;
/// The list of the decision: exactly one account's storage in one region.
const TARGETS: [&str; 1] = ["acme-1\tobject-storage\tnorth\twrite,read"];
/// Reads pass for two days more.
const WINDOW: Terms<'static> = Terms { window: MARCH + 2 * DAY, ..TERMS };
const WRITES: [&str; 5] = ["put", "multipart", "copy", "presigned put", "forged"];
const READS: [&str; 5] = ["get", "odd name", "head", "list", "presigned get"];

fn decided(sequence: u64, lifted: bool) -> Snapshot {
    let impose = Draft::new("d1", Order::Impose("read-only"), &TARGETS, None);
    let lift = Draft::new("d2", Order::Lift("d1"), &[], None);
    let drafts = [(&impose, WINDOW), (&lift, TERMS)];
    signed(sequence, Log::new().records(&drafts[..if lifted { 2 } else { 1 }]))
}

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn start(command: &mut Command, port: u16) -> Running {
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut running = Running(child);
    for _ in 0..600 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return running;
        }
        assert!(running.0.try_wait().unwrap().is_none(), "it ended at once: {command:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it never listened: {command:?}");
}

/// A gate that can be killed, with all its connections, and whose clock can be set.
struct Killable {
    runtime: tokio::runtime::Runtime,
    address: SocketAddr,
    held: Arc<Held>,
    now: Arc<AtomicI64>,
}

fn killable() -> Killable {
    let now = Arc::new(AtomicI64::new(MARCH + DAY));
    let clock = Arc::clone(&now);
    let mut settings = settings();
    settings.clock = Arc::new(move || clock.load(Ordering::Relaxed));
    let held = Arc::new(Held::new(settings).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(web::serve(listener, router(Arc::clone(&held)), Limits::default(), std::future::pending()));
    Killable { runtime, address, held, now }
}

/// What the customer with this key sees.
fn customer(python: &Path, port: u16, account: u8, prepare: bool) -> Value {
    let script = "tests/it/s3.py";
    let (endpoint, key) = (format!("http://127.0.0.1:{port}"), format!("AKIAACME{account}"));
    let mut command = Command::new(python);
    command.args([script, &endpoint, &key, &format!("bucket-{account}")]).env_remove("PYTHONPATH");
    let output = command.args(prepare.then_some("prepare")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    if prepare { Value::Null } else { serde_json::from_slice(&output.stdout).unwrap() }
}

/// All calls pass but those named, which say which restriction it was.
fn only(results: &Value, refused: &[&[&str]], told: &str) {
    for (call, result) in results.as_object().unwrap() {
        let (result, refused) = (result.as_str().unwrap(), refused.iter().any(|calls| calls.contains(&call.as_str())));
        // The answer to HEAD has no body.
        let fits = result.contains("403") && (call == "head" || told.is_empty())
            || result.contains("AccessDenied") && result.contains(told);
        assert!(if refused { fits } else { result == "ok" }, "{call}: {result}, refused: {refused}");
    }
}

/// How a proxy is started: its program, the port to listen on, the folder to work in.
type Start = fn(&Path, &Ports, &Path) -> Running;

struct Ports {
    listen: u16,
    gate: u16,
    s3: u16,
    /// Two more of the proxy's own.
    own: [u16; 2],
}

impl Ports {
    /// A configuration of `docs/proxies`, with these in place of its addresses, and patience for a busy machine: a gate
    /// that is late is as good as dead, and the story would be another.
    fn put_into(&self, name: &str) -> String {
        let file = format!("../../docs/proxies/{name}");
        let text = std::fs::read_to_string(file).unwrap();
        let [one, two] = self.own;
        let ports = [(8080, self.listen), (8410, self.gate), (9000, self.s3), (8081, one), (8082, two)];
        let text = ports.iter().fold(text, |text, (from, to)| text.replace(&from.to_string(), &to.to_string()));
        let patience =
            [("200ms", "5s"), ("500ms", "10s"), ("timeout: 0.2s", "timeout: 5s"), ("timeout: 0.5s", "timeout: 10s")];
        patience.iter().fold(text, |text, (from, to)| text.replace(from, to))
    }
}

/// What each proxy does while the gate is dead.
fn write_fallbacks(folder: &Path, gate: &Gate) {
    std::fs::create_dir(folder.join("dynamic")).unwrap();
    let forms = [
        (Proxy::Nginx, "fallback.map"),
        (Proxy::Caddy, "fallback.caddy"),
        (Proxy::Envoy, "fallback.json"),
        (Proxy::Traefik, "dynamic/fallback.yaml"),
    ];
    for (proxy, name) in forms {
        std::fs::write(folder.join(name), fallback(proxy, gate.set(), MARCH + DAY)).unwrap();
    }
}

/// The whole story behind one proxy.
fn story(variable: &str, start_proxy: Start) {
    let tools = [variable, "TRIBUNE_MOTO", "TRIBUNE_PYTHON"].map(tool);
    let [Some(program), Some(moto), Some(python)] = tools else { return };
    let (folder, killable) = (tempfile::tempdir().unwrap(), killable());
    let ports =
        Ports { listen: free_port(), gate: killable.address.port(), s3: free_port(), own: [free_port(), free_port()] };
    let _s3 = start(Command::new(moto).args(["-H", "127.0.0.1", "-p", &ports.s3.to_string()]), ports.s3);
    [1, 2].iter().for_each(|account| drop(customer(&python, ports.s3, *account, true)));
    let restricting = gate(&decided(2, false));
    write_fallbacks(folder.path(), &restricting);
    let _proxy = start_proxy(&program, &ports, folder.path());
    let seen = |account| customer(&python, ports.listen, account, false);
    // A gate without a snapshot is as good as dead.
    only(&seen(1), &[&WRITES], "");
    only(&seen(2), &[], "");
    killable.held.swap(gate(&signed(1, [])));
    only(&seen(1), &[], "");
    // Decided: this account's writes alone, with the statement; reads go on until the window is over.
    killable.held.swap(Arc::clone(&restricting));
    only(&seen(1), &[&WRITES], TERMS.statement);
    only(&seen(2), &[], "");
    killable.now.store(WINDOW.window, Ordering::Relaxed);
    only(&seen(1), &[&WRITES, &READS], TERMS.statement);
    killable.now.store(MARCH + DAY, Ordering::Relaxed);
    // Lifted: as before.
    killable.held.swap(gate(&decided(3, true)));
    only(&seen(1), &[], "");
    killable.held.swap(restricting);
    let failed = killed_under_load(killable, ports.listen, 150);
    assert_eq!(failed, 0, "unrestricted requests failed when the gate died");
    only(&seen(1), &[&WRITES], "");
    only(&seen(2), &[], "");
}

/// Eight read so often each, and the gate is killed when an eighth is done; how many reads failed.
fn killed_under_load(killable: Killable, port: u16, reads_each: u64) -> u64 {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (done, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let url = format!("http://127.0.0.1:{port}/bucket-2/kept");
    let readers: Vec<_> = (0..8)
        .map(|_| {
            let (url, done, failed) = (url.clone(), Arc::clone(&done), Arc::clone(&failed));
            runtime.spawn(async move {
                let client = reqwest::Client::new();
                for _ in 0..reads_each {
                    let signed =
                        "AWS4-HMAC-SHA256 Credential=AKIAACME2/20260301/us-east-1/s3/aws4_request, Signature=0";
                    let answer = client.get(&url).header("authorization", signed).send().await;
                    let good = answer.is_ok_and(|answer| answer.status() == 200);
                    failed.fetch_add(u64::from(!good), Ordering::Relaxed);
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    while done.load(Ordering::Relaxed) < reads_each {
        std::thread::sleep(Duration::from_millis(5));
    }
    killable.runtime.shutdown_background();
    for reader in readers {
        runtime.block_on(reader).unwrap();
    }
    failed.load(Ordering::Relaxed)
}

fn nginx(program: &Path, ports: &Ports, folder: &Path) -> Running {
    std::fs::write(folder.join("nginx.conf"), ports.put_into("nginx.conf")).unwrap();
    std::fs::write(folder.join("accounts.map"), "AKIAACME1 acme-1;\nAKIAACME2 acme-2;\n").unwrap();
    std::fs::write(folder.join("buckets.map"), "bucket-1 acme-1;\nbucket-2 acme-2;\n").unwrap();
    start_nginx(program, folder, ports.listen)
}

/// By the `nginx.conf` in its folder.
fn start_nginx(program: &Path, folder: &Path, port: u16) -> Running {
    let mut command = Command::new(program);
    command.arg("-p").arg(folder).args(["-c", "nginx.conf", "-e", "error.log"]);
    start(command.args(["-g", "daemon off; master_process off;"]), port)
}

fn caddy(program: &Path, ports: &Ports, folder: &Path) -> Running {
    std::fs::write(folder.join("Caddyfile"), ports.put_into("Caddyfile")).unwrap();
    std::fs::write(folder.join("accounts.caddy"), "AKIAACME1 acme-1\nAKIAACME2 acme-2\n").unwrap();
    std::fs::write(folder.join("buckets.caddy"), "bucket-1 acme-1\nbucket-2 acme-2\n").unwrap();
    let mut command = Command::new(program);
    command.args(["run", "--adapter", "caddyfile", "--config", "Caddyfile"]).current_dir(folder);
    start(command.env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder), ports.listen)
}

fn envoy(program: &Path, ports: &Ports, folder: &Path) -> Running {
    std::fs::write(folder.join("envoy.yaml"), ports.put_into("envoy.yaml")).unwrap();
    let mut command = Command::new(program);
    command.args(["-c", "envoy.yaml", "--concurrency", "2", "--disable-hot-restart", "-l", "error"]);
    start(command.current_dir(folder), ports.listen)
}

fn traefik(program: &Path, ports: &Ports, folder: &Path) -> Running {
    std::fs::write(folder.join("traefik.yaml"), ports.put_into("traefik.yaml")).unwrap();
    std::fs::write(folder.join("dynamic/traefik-dynamic.yaml"), ports.put_into("traefik-dynamic.yaml")).unwrap();
    let running = start(Command::new(program).arg("--configFile=traefik.yaml").current_dir(folder), ports.listen);
    // It listens before it knows its routers.
    for _ in 0..600 {
        let known = "Authorization: AWS4-HMAC-SHA256 Credential=AKIAACME2/";
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{known}\r\n\r\n");
        if !answer_to(ports.listen, &request).starts_with("HTTP/1.1 404") {
            return running;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it never knew its routers");
}

#[test]
fn behind_caddy_exactly_what_was_decided_fails_and_a_dead_gate_harms_nobody() {
    story("TRIBUNE_CADDY", caddy);
}

#[test]
fn behind_envoy_exactly_what_was_decided_fails_and_a_dead_gate_harms_nobody() {
    story("TRIBUNE_ENVOY", envoy);
}

#[test]
fn behind_traefik_exactly_what_was_decided_fails_and_a_dead_gate_harms_nobody() {
    story("TRIBUNE_TRAEFIK", traefik);
}

#[test]
fn behind_nginx_exactly_what_was_decided_fails_and_a_dead_gate_harms_nobody() {
    story("TRIBUNE_NGINX", nginx);
}

/// What a whole request is answered; a connection that breaks off without an answer is tried again.
fn answer_to(port: u16, request: &str) -> String {
    for _ in 0..20 {
        let mut answer = Vec::new();
        if let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", port)) {
            drop(stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_end(&mut answer)));
        }
        if !answer.is_empty() {
            return String::from_utf8_lossy(&answer).into_owned();
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("nothing was answered");
}

/// A proxy and its gate, which restricts as the story does, in front of a server that says how it was asked.
struct Echoing {
    _folder: tempfile::TempDir,
    killable: Killable,
    ports: Ports,
    _server: tokio::runtime::Runtime,
    _proxy: Running,
}

fn echoing(variable: &str, start_proxy: Start) -> Option<Echoing> {
    let program = tool(variable)?;
    let (folder, killable) = (tempfile::tempdir().unwrap(), killable());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let s3 = listener.local_addr().unwrap().port();
    let told = |request: axum::extract::Request| async move {
        format!("{} {:?}", request.uri(), request.headers().get_all("authorization"))
    };
    let server = axum::Router::new().fallback(told);
    runtime.spawn(web::serve(listener, server, Limits::default(), std::future::pending()));
    let restricting = gate(&decided(2, false));
    write_fallbacks(folder.path(), &restricting);
    killable.held.swap(restricting);
    let own = [free_port(), free_port()];
    let ports = Ports { listen: free_port(), gate: killable.address.port(), s3, own };
    let proxy = start_proxy(&program, &ports, folder.path());
    Some(Echoing { _folder: folder, killable, ports, _server: runtime, _proxy: proxy })
}

fn passed(answer: &str) -> bool {
    answer.starts_with("HTTP/1.1 200")
}

/// Who signs twice could be one account to the gate and another to the server: no such request reaches the server.
fn doubled(variable: &str, start_proxy: Start) {
    let Some(Echoing { ports, .. }) = &echoing(variable, start_proxy) else { return };
    let put = |query: &str, signed: &[u8]| {
        let header = |account: &u8| {
            let credential = format!("AKIAACME{account}/20260301/us-east-1/s3/aws4_request");
            format!("Authorization: AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0\r\n")
        };
        let headers: String = signed.iter().map(header).collect();
        let head = format!("PUT /b/k{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n");
        answer_to(ports.listen, &format!("{head}{headers}\r\n"))
    };
    let of = |account: u8| format!("X-Amz-Credential=AKIAACME{account}%2F20260301%2Fus-east-1%2Fs3%2Faws4_request");
    assert!(passed(&put("", &[2])) && passed(&put(&format!("?{}", of(2)), &[])), "{}", put("", &[2]));
    let [one, two] = [of(1), of(2)];
    let encoded = one.replace("Cred", "%43red");
    let key = one.replace("=AKIA", "=%41KIA");
    for (query, signed) in [
        (String::new(), &[1][..]),
        (String::new(), &[1, 2]),
        (String::new(), &[2, 1]),
        (format!("?{one}"), &[]),
        (format!("?{one}&{two}"), &[]),
        (format!("?{two}&{one}"), &[]),
        (format!("?{one}"), &[2]),
        (format!("?{two}"), &[1]),
        (format!("?{encoded}"), &[2]),
        (format!("?{two}&{encoded}"), &[]),
        (format!("?{key}"), &[]),
        (format!("?{key}"), &[2]),
        (format!("?{two}&{key}"), &[]),
        ("?AWSAccessKeyId=AKIAACME1&Signature=0".to_owned(), &[2]),
        (format!("?{two}&AWSAccessKeyId=AKIAACME1"), &[]),
    ] {
        let answer = put(&query, signed);
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let reached = passed(&answer) && (!body.contains("ACME2") || body.contains("ACME1") || body.contains("%43"));
        assert!(!reached, "{query} {signed:?}: {answer}");
    }
}

/// Whoever is not known by a key is as the owner of the bucket, and else nobody, who passes and is counted; so, too, when
/// the gate is dead.
fn unlisted(variable: &str, start_proxy: Start) {
    let Some(site) = echoing(variable, start_proxy) else { return };
    let ports = &site.ports;
    let ask = |method: &str, path: &str, headers: &str| {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n");
        answer_to(ports.listen, &format!("{head}{headers}\r\n"))
    };
    let signed =
        |key: &str| format!("Authorization: AWS4-HMAC-SHA256 Credential={key}/1/r/s3/aws4_request, Signature=0\r\n");
    let form = "Content-Type: multipart/form-data; boundary=b\r\n";
    let story = [
        ("PUT", "/elsewhere/k", String::new(), true),
        ("GET", "/", String::new(), true),
        ("PUT", "/elsewhere/k", signed("AKIANEW"), true),
        ("PUT", "/elsewhere/k?X-Amz-Credential=AKIANEW%2F1%2Fr%2Fs3%2Faws4_request", String::new(), true),
        ("POST", "/elsewhere", form.to_owned(), true),
        ("PUT", "/bucket-2/k", String::new(), true),
        ("POST", "/bucket-2", form.to_owned(), true),
        // Reads, while the window is open.
        ("GET", "/bucket-1/k", String::new(), true),
        ("GET", "/bucket-1?list-type=2", signed("AKIANEW"), true),
        ("PUT", "/bucket-1/k", String::new(), false),
        ("PUT", "/bucket-1/k", signed("AKIANEW"), false),
        ("PUT", "/bucket-1/k?X-Amz-Credential=AKIANEW%2F1%2Fr%2Fs3%2Faws4_request", String::new(), false),
        ("POST", "/bucket-1", form.to_owned(), false),
        ("PUT", "/%62ucket-1/k", String::new(), false),
        // Known by its key: what it does in a bucket of another's is still its own.
        ("PUT", "/bucket-2/k", signed("AKIAACME1"), false),
        ("PUT", "/elsewhere/k", signed("AKIAACME1"), false),
        ("PUT", "/bucket-2/k", signed("AKIAACME2"), true),
    ];
    let holds = |of_whom: &str| {
        for (method, path, headers, passes) in &story {
            let answer = ask(method, path, headers);
            assert_eq!(passed(&answer), *passes, "{of_whom}: {method} {path} {headers}: {answer}");
        }
    };
    holds("the gate");
    let metrics = answer_to(ports.gate, "GET /metrics HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n");
    let counted = metrics.lines().find_map(|line| line.strip_prefix("tribune_gate_accounts_missing_total "));
    assert_eq!(counted, Some("5"), "{metrics}");
    site.killable.runtime.shutdown_background();
    holds("its fallback");
}

#[test]
fn behind_nginx_whoever_is_not_listed_passes() {
    unlisted("TRIBUNE_NGINX", nginx);
}

#[test]
fn behind_caddy_whoever_is_not_listed_passes() {
    unlisted("TRIBUNE_CADDY", caddy);
}

#[test]
fn behind_envoy_whoever_is_not_listed_passes() {
    unlisted("TRIBUNE_ENVOY", envoy);
}

#[test]
fn behind_traefik_whoever_is_not_listed_passes() {
    unlisted("TRIBUNE_TRAEFIK", traefik);
}

#[test]
fn behind_nginx_nobody_signs_as_two() {
    doubled("TRIBUNE_NGINX", nginx);
}

#[test]
fn behind_caddy_nobody_signs_as_two() {
    doubled("TRIBUNE_CADDY", caddy);
}

#[test]
fn behind_envoy_nobody_signs_as_two() {
    doubled("TRIBUNE_ENVOY", envoy);
}

#[test]
fn behind_traefik_nobody_signs_as_two() {
    doubled("TRIBUNE_TRAEFIK", traefik);
}

/// A hundred thousand reads of a server that is faster than moto, during which the gate dies.
#[test]
#[ignore = "some minutes"]
fn a_gate_that_dies_under_a_hundred_thousand_requests_fails_none() {
    let proxies: [(&str, Start); 4] =
        [("TRIBUNE_NGINX", nginx), ("TRIBUNE_CADDY", caddy), ("TRIBUNE_ENVOY", envoy), ("TRIBUNE_TRAEFIK", traefik)];
    for (variable, start_proxy) in proxies {
        let Some(program) = tool(variable) else { continue };
        let (folder, killable) = (tempfile::tempdir().unwrap(), killable());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let (listen, gate_port, s3) = (free_port(), killable.address.port(), listener.local_addr().unwrap().port());
        let kept = axum::Router::new().fallback(|| async { "kept" });
        runtime.spawn(web::serve(listener, kept, Limits::default(), std::future::pending()));
        let restricting = gate(&decided(2, false));
        write_fallbacks(folder.path(), &restricting);
        killable.held.swap(restricting);
        let ports = Ports { listen, gate: gate_port, s3, own: [free_port(), free_port()] };
        let _proxy = start_proxy(&program, &ports, folder.path());
        assert_eq!(killed_under_load(killable, listen, 12_500), 0, "{variable}");
        println!("{variable}: 100000 reads, none failed");
    }
}

/// A certificate for `tribune.example`, signed by itself.
const CERTIFICATE: &str = r#"
import datetime
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization as form
from cryptography.hazmat.primitives.asymmetric import ec
key = ec.generate_private_key(ec.SECP256R1())
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tribune.example")])
now = datetime.datetime.now(datetime.timezone.utc)
made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(1))
open("tribune.pem", "wb").write(made.sign(key, hashes.SHA256()).public_bytes(form.Encoding.PEM))
private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
open("tribune.key", "wb").write(private)
"#;

/// Pages, an upload among what is asked of them, behind the configuration of `docs/proxies`; then nothing on the proxy's
/// disk tells that anybody came.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_nginx_the_pages_are_whole_and_nothing_of_who_came_is_written() {
    let [Some(nginx), Some(python)] = ["TRIBUNE_NGINX", "TRIBUNE_PYTHON"].map(tool) else { return };
    let folder = tempfile::tempdir().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (listen, own) = (free_port(), listener.local_addr().unwrap().port());
    let base = format!("https://tribune.example:{listen}");
    let house = crate::house::House::at(&base).await;
    tokio::spawn(web::serve(listener, house.router(), Limits::default(), std::future::pending()));
    assert!(Command::new(python).args(["-c", CERTIFICATE]).current_dir(&folder).status().unwrap().success());
    let conf = std::fs::read_to_string("../../docs/proxies/pages.conf").unwrap();
    let conf = conf.replace("8443", &listen.to_string()).replace("127.0.0.1:8402;", &format!("127.0.0.1:{own};"));
    std::fs::write(folder.path().join("nginx.conf"), conf).unwrap();
    let _nginx = start_nginx(&nginx, folder.path(), listen);
    let client = reqwest::Client::builder().danger_accept_invalid_certs(true);
    let client = client.resolve("tribune.example", ([127, 0, 0, 1], listen).into()).build().unwrap();
    let page = client.get(format!("{base}/report/new")).send().await.unwrap();
    assert_eq!(
        (page.status().as_u16(), page.headers()["strict-transport-security"].to_str().unwrap()),
        (200, "max-age=31536000")
    );
    let body = [
        b"--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a\"\r\n\r\n",
        vec![7; 7 << 20].as_slice(),
        b"\r\n--b--\r\n",
    ]
    .concat();
    let post =
        client.post(format!("{base}/report/new")).header("origin", &base).header("sec-fetch-site", "same-origin");
    let answer = post.header("content-type", "multipart/form-data; boundary=b").body(body).send().await.unwrap();
    assert_eq!(answer.status(), 422, "the form again, for the token is missing");
    assert!(answer.text().await.unwrap().contains("name=\"token\""));
    let ours = ["nginx.conf", "nginx.pid", "tribune.key", "tribune.pem"];
    for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
        let (name, bytes) = (entry.file_name(), entry.metadata().unwrap().len());
        assert!(ours.iter().any(|own| name == *own) || (name == "error.log" && bytes == 0), "{name:?}: {bytes}");
    }
}

/// Names as odd as a name can be, which a gate and the configuration it wrote answer alike.
#[test]
fn nginx_takes_every_name_in_a_fallback() {
    let Some(program) = tool("TRIBUNE_NGINX") else { return };
    let folder = tempfile::tempdir().unwrap();
    let names = ["a\"; return 200; #", "$uri", "~^.*$", "\\~a", "default", "Case", "case", "é { } ;", "'"];
    let lines: Vec<String> = names.iter().map(|name| format!("{name}\tobject-storage\t\twrite")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let draft = Draft::new("d1", Order::Impose("read-only"), &lines, None);
    let set = gate(&signed(1, Log::new().records(&[(&draft, TERMS)])));
    std::fs::write(folder.path().join("fallback.map"), fallback(Proxy::Nginx, set.set(), MARCH + DAY)).unwrap();
    let port = free_port();
    let key = "$http_a\\tobject-storage\\twrite\\t";
    let ask = "if ($tribune_fallback_everywhere = $tribune_key_everywhere) { return 403; } return 204;";
    let conf = format!(
        "pid p; error_log error.log; events {{}}\nhttp {{ access_log off; include fallback.map; map \"\" $tribune_key_region {{ default \"\"; }}\n\
         map \"\" $tribune_key_everywhere {{ volatile; default \"{key}\"; }}\n\
         server {{ listen 127.0.0.1:{port}; location / {{ {ask} }} }} }}"
    );
    std::fs::write(folder.path().join("nginx.conf"), conf).unwrap();
    let _nginx = start_nginx(&program, folder.path(), port);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = reqwest::Client::new();
    for (name, status) in
        names.iter().map(|name| (*name, 403)).chain([("CASE", 204), ("a", 204), ("DEFAULT", 204), ("uri", 204)])
    {
        let value = reqwest::header::HeaderValue::from_bytes(name.as_bytes()).unwrap();
        let request = client.get(format!("http://127.0.0.1:{port}/")).header("a", value);
        assert_eq!(runtime.block_on(request.send()).unwrap().status(), status, "{name}");
    }
}
