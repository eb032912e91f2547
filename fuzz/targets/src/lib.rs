//! What is done with bytes from outside: a function for each parser, which takes any bytes and panics where something does
//! not hold. libFuzzer drives them (`fuzz/fuzz_targets/`), and so does a test here, with bytes at random and with examples
//! that are spoilt. None decides anything; that nothing panics holds of all, and what else must hold stands at each.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a target panics where something does not hold: that is how a fuzzer learns of it"
)]

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use clerk::envelope::{Envelope, FILES_MAX, TEXT_BYTES_MAX};
use clerk::receipt::Receipt;
use clerk::sealed::Sheet;
use gate::seal::{self, Decision, Target};
use gate::{Certificate, Gate, Pins, Snapshot};
use review::words::ReportId;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use store::Identity;
use tlog::{AddCheckpoint, Checkpoint, Hash, Note, Proof, Tile, Tiles, Tree};
use tower::ServiceExt as _;
use usage::facts::Facts;
use usage::{Catalogue, ReadOptions};
use web::Peer;
use web::gate::glass::Glass;
use web::gate::operations::Sent;
use web::gate::{Held, Operations, Settings, router};
use web::tipline::outside;

/// A target by its name, and examples of what it takes.
pub type Named = (&'static str, fn(&[u8]), &'static [&'static [u8]]);

/// Every target.
pub const TARGETS: [Named; 16] = [
    ("snapshot", snapshot, &[EXAMPLE, include_bytes!("../../../docs/snapshot/2.1.delta")]),
    ("pins", pins, &[PINS.as_bytes()]),
    ("seal", seal, &[DECISION, b"a1\tobject-storage\tnorth\twrite,read", SSH, CERTIFICATE]),
    ("note", note, &[NOTE, PROOF, b"old 0\n\nlog.example\n1\nAA==\n"]),
    ("tiles", tiles, &[b"tile/0/x001/067.p/8\n0123456789abcdef0123456789abcdef", b"\0\x03abc\0\x01d"]),
    ("authzen", authzen, &[AUTHZEN]),
    ("admission", admission, &[ADMISSION]),
    ("forward", forward, &[b"acme-1\nobject-storage\nwrite\nnorth\nPUT\n/bucket/key?uploads"]),
    ("envoy", envoy, &[b"\x0a\x10\x52\x0e\x0a\x07account\x12\x03acm"]),
    ("operations", operations, &[b"s3 POST /bucket/a%2Fb uploads&x=%zz content-type: multipart/form-data"]),
    ("glass", glass, &[GLASS]),
    ("report", report, &[b"tribune.envelope/1 sha256:00\n{}\n", AGE, b"one two-three, FOUR five six seven"]),
    ("machine_report", machine_report, &[XARF, NOTICE, EVENT]),
    ("upload", upload, &[UPLOAD, PNG, JPEG, WEBP]),
    ("usage_rows", usage_rows, &[ROWS]),
    ("facts", facts, &[FACTS]),
];

const EXAMPLE: &[u8] = include_bytes!("../../../docs/snapshot/1.1.snapshot");
const PINS: &str = include_str!("../../../docs/snapshot/pins.txt");
const DECISION: &[u8] =
    b"tribune decision 1\ncase c1\ndecision d1\nimpose read-only\ndetermination 0\nemergency no\nnotice 0\nexport 30\nends -\n\
    review 2026-03-01T00:00:00Z\ntargets 0 sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n";
const SSH: &[u8] =
    b"-----BEGIN SSH SIGNATURE-----\nU1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTk=\n-----END SSH SIGNATURE-----\n";
const CERTIFICATE: &[u8] = b"tribune epoch 1\nepoch 2\nkey 00\nsignature 00\n";
const NOTE: &[u8] =
    b"log.example\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\xe2\x80\x94 log.example AAAAAAAA\n";
const PROOF: &[u8] =
    b"c2sp.org/tlog-proof@v1\nindex 0\n\nlog.example\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n";
const AUTHZEN: &[u8] =
    br#"{"subject":{"type":"account","id":"acme-1"},"action":{"name":"storage.write"},"resource":{"type":"service",
    "id":"object-storage","properties":{"region":"north"}},"evaluations":[{},{"action":{"name":"storage.read"}}]}"#;
const ADMISSION: &[u8] =
    br#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"1","namespace":"a",
    "operation":"CREATE","object":{"kind":"Pod","metadata":{"labels":{"tribune/account":"acme-1"}}}}}"#;
const GLASS: &[u8] =
    br#"{"at":"2026-03-01T12:00:00Z","by":"gil","reason":"a test","did":{"break":{"until":"2026-03-01T13:00:00Z"}}}"#;
const AGE: &[u8] = b"age-encryption.org/v1\n-> X25519 AAAA\nAAAA\n--- AAAA\n";
const XARF: &[u8] =
    br#"{"xarf_version":"4.0.0","report_id":"0192f0a4-5c00-7000-8000-000000000001","timestamp":"2026-03-02T10:00:00Z",
    "reporter":{"org":"A","contact":"a@a.example","domain":"a.example"},"sender":{"org":"A","contact":"a@a.example",
    "domain":"a.example"},"source_identifier":"192.0.2.1","category":"content","type":"other",
    "evidence":[{"content_type":"text/plain","payload":"aGVsbG8="}]}"#;
const NOTICE: &[u8] =
    br#"{"schema":"tribune.dsa-notice/1","id":"0192f0a4-5c00-7000","explanation":"Why.","locations":["acct-1"],
    "notifier":{"name":"A","email":"a@a.example"},"good_faith":true}"#;
const EVENT: &[u8] =
    br#"{"specversion":"1.0","id":"e1","source":"/a","type":"t","data":{"schema":"tribune.dsa-notice/1",
    "id":"0192f0a4-5c00-7000","explanation":"Why.","locations":["acct-1"],"notifier_withheld":"directive-2011-93",
    "good_faith":true}}"#;
const UPLOAD: &[u8] =
    b"multipart/form-data; boundary=x\n--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nt\r\n\
    --x\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.png\"\r\n\r\n\x89PNG\r\n--x--\r\n";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x04tEXtab\0c\0\0\0\0\0\0\0\0IEND\xae\x42\x60\x82";
const JPEG: &[u8] = b"\xff\xd8\xff\xe1\0\x06Exif\xff\xda\0\x02scan\xff\0\xff\xd9 and a film";
const WEBP: &[u8] = b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\xff\0\0\0\0\0\0\0\0\0EXIF\0\0\0\0";
const ROWS: &[u8] =
    b"BillingAccountId,SubAccountId,ServiceName,SkuId,SkuMeter,ConsumedQuantity,ConsumedUnit,ChargeCategory,\
    ChargePeriodStart,ChargePeriodEnd,ProviderName\nc,a,Object Storage,storage.write,storage.write,12.5,Requests,Usage,\
    2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,Example Cloud\n";
const FACTS: &[u8] = b"account,unit,customer,declared_use,valid_from,known_from\na,u,c,backup,2026-03-01,2026-03-01\n";

/// A gate that holds the example of `docs/snapshot/`.
static HELD: LazyLock<Gate> = LazyLock::new(|| {
    let pins: Pins = PINS.parse().expect("the example's pins hold");
    Gate::load(EXAMPLE, Arc::new(pins), None, 1).expect("the example holds")
});

/// A snapshot or a delta, at a gate that holds the example: no more is restricted than the example's people approved.
pub fn snapshot(bytes: &[u8]) {
    drop(Snapshot::parse(bytes));
    if let Ok(next) = HELD.next(bytes, 2) {
        assert!(next.set().len() <= 2, "more is restricted than the example's people approved");
    }
}

/// Pins that are read are written as the same, and ask for two people.
pub fn pins(bytes: &[u8]) {
    let Ok(pins) = String::from_utf8_lossy(bytes).parse::<Pins>() else { return };
    assert!(pins.threshold() >= gate::THRESHOLD_MIN);
    assert_eq!(pins.to_string().parse(), Ok(pins));
}

/// What approvals sign, their signatures, and the root's word: what is read is written as the very same.
pub fn seal(bytes: &[u8]) {
    let text = &*String::from_utf8_lossy(bytes);
    if let Some(target) = Target::parse(text) {
        assert_eq!(target.to_string(), text);
    }
    if let Some(decision) = Decision::parse(text) {
        assert_eq!(decision.to_string(), text);
    }
    if let Some((epoch, certificate)) = Certificate::parse(text) {
        assert_eq!(certificate.text(epoch), text);
    }
    if let Ok((_, signature)) = seal::parse_ssh(text) {
        assert!(!seal::verify("never signed", &[1; 32], seal::Form::Ssh, &signature));
    }
}

/// A signed note, a checkpoint, what a witness is sent and answers, a proof: a note that is read is written as the same.
pub fn note(bytes: &[u8]) {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes);
        drop(note.text().parse::<Checkpoint>());
    }
    drop(AddCheckpoint::parse(bytes));
    tlog::parse_size(bytes);
    if let Ok(proof) = Proof::parse(bytes) {
        assert_eq!(Proof::parse(proof.to_string().as_bytes()), Ok(proof));
    }
}

/// The name of a tile, and tiles that all hold these bytes: nobody can show an entry by them that is not in the tree.
pub fn tiles(bytes: &[u8]) {
    if let Ok(tile) = Tile::parse(&String::from_utf8_lossy(bytes)) {
        assert_eq!(Tile::parse(&tile.to_string()), Ok(tile));
    }
    let size = bytes.first().map_or(0, |byte| u64::from(*byte) * 7);
    let tree = Tree { size, root: Hash::leaf(bytes) };
    let read = |_: Tile| Ok::<_, std::io::Error>(bytes.get(1..).unwrap_or_default().to_vec());
    if let Ok(mut tiles) = Tiles::open(tree, read) {
        for index in [0, size / 2, size] {
            drop(tiles.bundle(index));
            if let Ok(proof) = tiles.inclusion(index) {
                assert!(tree.verify_inclusion(index, Hash::leaf(b"never appended"), &proof).is_err());
            }
        }
    }
}

/// A gate that answers on this machine alone.
static GATE: LazyLock<(axum::Router, tokio::runtime::Runtime)> = LazyLock::new(|| {
    let held = Held::new(Settings::new(Arc::new(|| 1_772_409_600))).expect("the tables are well formed");
    held.swap(Arc::new(HELD.clone()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    (router(Arc::new(held)), runtime)
});

fn ask(path: &str, headers: HeaderMap, body: &[u8]) -> StatusCode {
    let mut request = Request::new(Body::from(body.to_vec()));
    *request.method_mut() = axum::http::Method::POST;
    *request.uri_mut() = path.parse().expect("a path");
    *request.headers_mut() = headers;
    request.extensions_mut().insert(Peer(([127, 0, 0, 1], 1).into()));
    let (router, runtime) = &*GATE;
    let answer = runtime.block_on(router.clone().oneshot(request));
    answer.map_or_else(|never| match never {}, |answer| answer.status())
}

fn header(name: &'static str, value: &[u8]) -> Option<(axum::http::HeaderName, HeaderValue)> {
    Some((axum::http::HeaderName::from_static(name), HeaderValue::from_bytes(value).ok()?))
}

/// A question of AuthZEN, and a batch: answered, or refused in its own form.
pub fn authzen(bytes: &[u8]) {
    for path in ["/access/v1/evaluation", "/access/v1/evaluations"] {
        let status = ask(path, header("content-type", b"application/json").into_iter().collect(), bytes);
        assert!([200, 400, 413].contains(&status.as_u16()), "{status}");
    }
}

/// What Kubernetes asks before it takes an object.
pub fn admission(bytes: &[u8]) {
    for path in ["/gate/admission", "/gate/admission/acme-1"] {
        let status = ask(path, header("content-type", b"application/json").into_iter().collect(), bytes);
        assert!([200, 400, 413].contains(&status.as_u16()), "{status}");
    }
}

/// The headers of forward authentication, a line each: passed or refused, and nothing else, which nginx would take for a
/// failure of its own.
pub fn forward(bytes: &[u8]) {
    let names = [
        "x-tribune-account",
        "x-tribune-service",
        "x-tribune-operation",
        "x-tribune-region",
        "x-forwarded-method",
        "x-forwarded-uri",
    ];
    let headers = names.iter().zip(bytes.split(|byte| *byte == b'\n'));
    let mut headers: HeaderMap = headers.filter_map(|(name, value)| header(name, value)).collect();
    for protocol in [None, Some("s3"), Some("azure-blob"), Some("unknown")] {
        if let Some(protocol) = protocol {
            headers.extend(header("x-tribune-protocol", protocol.as_bytes()));
        }
        let status = ask("/gate/check", headers.clone(), b"");
        assert!([204, 401, 403].contains(&status.as_u16()), "{status}");
    }
}

/// A message of Envoy's over gRPC: the transport answers, whatever it says.
pub fn envoy(bytes: &[u8]) {
    let headers = [header("content-type", b"application/grpc"), header("te", b"trailers")].into_iter().flatten();
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
    let framed = [&[0][..], &length, bytes].concat();
    let status = ask("/envoy.service.auth.v3.Authorization/Check", headers.collect(), &framed);
    assert_eq!(status, StatusCode::OK);
}

/// A request of a real protocol, its parts with spaces between: whatever it is, it is always the same.
pub fn operations(bytes: &[u8]) {
    static TABLES: LazyLock<Operations> = LazyLock::new(|| Operations::built_in().expect("the tables are well formed"));
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.splitn(5, ' ');
    let [protocol, method, path, query, rest] = [(); 5].map(|()| parts.next().unwrap_or_default());
    let header = |name: &str| {
        rest.lines().filter_map(|line| line.split_once(": ")).find(|(own, _)| *own == name).map(|(_, v)| v)
    };
    for protocol in [protocol, "s3", "s3-virtual-hosted", "azure-blob", "google-cloud-storage", "openai"] {
        let sent = Sent { method, path, query, header: &header };
        assert_eq!(TABLES.operation_of(protocol, &sent), TABLES.operation_of(protocol, &sent));
    }
}

/// The log of broken glass: nothing in it lets pass for longer than a day.
pub fn glass(bytes: &[u8]) {
    let (glass, _) = Glass::read(&String::from_utf8_lossy(bytes));
    for at in [0, 1_772_366_400, 4_102_444_800] {
        for (_, until) in glass.broken(at) {
            assert!(until > at && until - at <= web::gate::glass::SECONDS_MAX);
        }
    }
}

/// What reporters send: words, an envelope, a sealed sheet with the header that `age` reads, and the sheet in it.
pub fn report(bytes: &[u8]) {
    static KEY: LazyLock<Identity> = LazyLock::new(Identity::generate);
    static REPORT: LazyLock<ReportId> = LazyLock::new(|| "r-1".parse().expect("an id"));
    drop(String::from_utf8_lossy(bytes).parse::<Receipt>());
    drop(Envelope::parse(bytes));
    drop(Sheet::read(bytes, &REPORT));
    assert!(Sheet::open(bytes, &KEY, &REPORT).is_err(), "nobody sealed anything for this key");
}

/// What machines report, by itself or in a CloudEvent: it is the same whenever it is read, and what is taken is within the
/// bounds of what an envelope holds; what is refused says why, in a few lines.
pub fn machine_report(bytes: &[u8]) {
    for is_event in [false, true] {
        let read = outside::report(bytes, is_event);
        assert_eq!(read, outside::report(bytes, is_event));
        match read {
            Ok(read) => {
                assert!(read.fields.iter().all(|(_, value)| value.len() <= TEXT_BYTES_MAX), "a text is too long");
                // The report itself may be one more.
                assert!(read.files.len() <= FILES_MAX + 1, "there are too many files");
            }
            Err(faults) => {
                assert!(!faults.is_empty(), "it is refused for nothing");
                assert!(faults.iter().all(|(pointer, says)| !says.is_empty() && pointer.len() < 4_000));
            }
        }
    }
}

/// A form with files, its first line the header that says of what kind it is; and a file of it. What is taken is within
/// bounds; of a picture from which everything was taken that it says of itself there is nothing more to take.
pub fn upload(bytes: &[u8]) {
    let split = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let kind = bytes.get(..split).unwrap_or_default();
    let body = bytes.get(split + 1..).unwrap_or_default();
    let (_, runtime) = &*GATE;
    for kind in [&*String::from_utf8_lossy(kind), "multipart/form-data; boundary=x"] {
        let Some(read) = runtime.block_on(outside::form(kind, body.to_vec())) else { continue };
        let held: usize = read.files.iter().map(|(_, file)| file.len()).sum();
        assert!(held <= outside::FILES_BYTES_MAX && read.files.len() <= FILES_MAX, "there is more than is taken");
        assert!(held <= body.len(), "there is more than was sent");
    }
    let kept = outside::file(bytes.to_vec());
    assert!(kept.len() <= bytes.len() + 8, "a file grows");
    assert_eq!(outside::file(kept.clone()), kept, "something is left to take out");
}

fn in_a_folder(names: &[&str], bytes: &[u8], read: impl Fn(&Path)) {
    let folder = tempfile::tempdir().expect("a folder");
    for name in names {
        std::fs::write(folder.path().join(name), bytes).expect("a file");
    }
    read(folder.path());
}

/// Usage records as CSV, compressed, and as Parquet: every row is accounted for.
pub fn usage_rows(bytes: &[u8]) {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::built_in().expect("the catalogues hold"));
    for name in ["rows.csv", "rows.csv.gz", "rows.parquet"] {
        in_a_folder(&[name], bytes, |folder| {
            let options = ReadOptions { scratch: folder, threads: 1, fingerprints: false, progress: &|_| {} };
            let Ok(books) = usage::read(&[folder.join(name).display().to_string()], &CATALOGUE, &options) else {
                return;
            };
            let tally = books.tally();
            let told = tally.used + tally.passed_over + tally.unmapped + tally.duplicates + tally.rejected;
            assert_eq!(tally.rows, told, "{name}");
        });
    }
}

/// Facts: a bad row is rejected, and the rest stands.
pub fn facts(bytes: &[u8]) {
    in_a_folder(&["facts.csv"], bytes, |folder| drop(Facts::read(&folder.join("facts.csv"))));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::Index;
    use proptest::test_runner::TestRunner;

    /// An example, cut, lengthened and altered here and there.
    fn spoilt(example: &[u8], cuts: (Index, Index), alterations: &[(Index, u8)]) -> Vec<u8> {
        let mut bytes = example.to_vec();
        for (place, byte) in alterations.iter().filter(|_| !example.is_empty()) {
            if let Some(own) = bytes.get_mut(place.index(example.len())) {
                *own = *byte;
            }
        }
        let (from, to) = (cuts.0.index(bytes.len() + 1), cuts.1.index(bytes.len() + 1));
        // Half of them are whole, so that the alterations are reached.
        if from < to && from % 2 == 0 {
            bytes.drain(from..to).for_each(drop)
        }
        bytes
    }

    #[test]
    fn nothing_from_outside_panics_or_breaks_what_must_hold() {
        for (name, target, examples) in TARGETS {
            examples.iter().for_each(|example| target(example));
            target(b"");
            let slow = name == "usage_rows" || name == "snapshot";
            let config =
                ProptestConfig { cases: if slow { 48 } else { 256 }, failure_persistence: None, ..Default::default() };
            let alterations = prop::collection::vec((any::<Index>(), any::<u8>()), 0..4);
            let given = (any::<Vec<u8>>(), any::<Index>(), any::<(Index, Index)>(), alterations);
            let result = TestRunner::new(config).run(&given, |(bytes, which, cuts, alterations)| {
                target(&bytes);
                if !examples.is_empty() {
                    target(&spoilt(examples[which.index(examples.len())], cuts, &alterations));
                }
                Ok(())
            });
            assert!(result.is_ok(), "{name}: {result:?}");
        }
    }

    /// Each target has its file, so that a fuzzer finds it.
    #[test]
    fn every_target_is_one_of_the_fuzzers() {
        let folder = Path::new("..");
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        for (name, ..) in TARGETS {
            let file = std::fs::read_to_string(folder.join(format!("fuzz_targets/{name}.rs"))).unwrap();
            assert!(file.contains(&format!("fuzzed::{name}(")), "{name}");
            assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
        }
    }
}
