//! Which request of a real protocol is which operation: the tables of `operations/*.toml`, compiled in.
//!
//! A request is told by method, path, query and headers; its body is never looked at. Paths and queries are decoded
//! before they are compared, since servers decode them. What no rule fits is unmapped: it passes, and is counted.
//! Whether an operation is refused is [`gate::Operation`]'s.

use super::refusal::Form;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The tables, as they are compiled in.
const BUILT_IN: [(&str, &str); 4] = [
    ("azure-blob.toml", include_str!("../../../../operations/azure-blob.toml")),
    ("google-cloud-storage.toml", include_str!("../../../../operations/google-cloud-storage.toml")),
    ("openai.toml", include_str!("../../../../operations/openai.toml")),
    ("s3.toml", include_str!("../../../../operations/s3.toml")),
];

/// Every service, by its id, with what can be done with it: the ServiceName of the reference provider in lower case with
/// hyphens, and its SKUs.
pub(super) const SERVICES: [(&str, &[&str]); 13] = [
    (
        "object-storage",
        &[
            "storage.write",
            "storage.read",
            "storage.list",
            "storage.delete",
            "storage.export",
            "storage.ingress",
            "storage.egress",
        ],
    ),
    ("speech", &["speech.transcription", "speech.speaker-id"]),
    ("language", &["language.translation", "language.tokens", "language.embedding"]),
    ("vision", &["vision.images", "vision.face-id"]),
    ("search", &["search.documents"]),
    ("virtual-machines", &["compute.vcpu", "compute.gpu"]),
    ("private-link", &["network.private-link"]),
    ("cdn", &["cdn.egress"]),
    ("communications", &["telephony.minutes", "messaging.requests"]),
    ("database", &["database.requests"]),
    ("iot-hub", &["iot.messages"]),
    ("logs", &["logs.ingest"]),
    ("professional-services", &[]),
];

/// Whether a service has this id.
pub(super) fn is_service(id: &str) -> bool {
    SERVICES.iter().any(|(service, _)| *service == id)
}

/// What can be done with a service; nothing known of a service that is not in the table.
pub(super) fn of_service(id: &str) -> &'static [&'static str] {
    SERVICES.iter().find(|(service, _)| *service == id).map_or(&[], |(_, operations)| operations)
}

/// The operation of a service by the part after the dot; the whole name will do, too. One that the service does not have
/// keeps a name of its own, by which it is counted as unmapped.
pub(super) fn named(service: &str, after_the_dot: &str) -> String {
    if after_the_dot.contains('.') {
        return after_the_dot.to_owned();
    }
    let ends = |operation: &&&str| operation.split_once('.').is_some_and(|(_, end)| end == after_the_dot);
    match of_service(service).iter().find(ends) {
        Some(operation) => (*operation).to_owned(),
        None => format!("{service}.{after_the_dot}"),
    }
}

/// Why a table is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperationsError {
    /// Not of the form.
    #[error("operations/{file}: {why}")]
    Form {
        /// Which.
        file: &'static str,
        /// What the parser says.
        why: String,
    },
    /// An operation of no service, or that no switch stops.
    #[error("operations/{file}: no service has the operation `{operation}`: look at the table of services")]
    Operation {
        /// Which.
        file: &'static str,
        /// Its name.
        operation: String,
    },
}

/// What a request of a protocol is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation<'t> {
    /// The id of the service.
    pub service: &'static str,
    /// The operation, with its family.
    pub operation: &'t str,
}

/// A request of a protocol, as a proxy saw it.
#[derive(Clone, Copy)]
pub struct Sent<'a> {
    /// `PUT`.
    pub method: &'a str,
    /// As it was sent, with its percent signs.
    pub path: &'a str,
    /// What follows the question mark.
    pub query: &'a str,
    /// The first value of a header, by its name in lower case.
    pub header: &'a dyn Fn(&str) -> Option<&'a str>,
}

/// Every table, by the name of its protocol.
#[derive(Clone, Debug)]
pub struct Operations(BTreeMap<String, Table>);

#[derive(Clone, Debug)]
struct Table {
    bucket_in_host: bool,
    method_header: Option<String>,
    form: Form,
    rules: Vec<(Rule, &'static str)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    protocol: String,
    protocol_bucket_in_host: Option<String>,
    method_header: Option<String>,
    refusal: Form,
    rule: Vec<Rule>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    #[expect(dead_code, reason = "for who reads the table")]
    about: String,
    method: Vec<String>,
    path: String,
    #[serde(default)]
    query: Vec<String>,
    #[serde(default)]
    header: Vec<String>,
    operation: String,
}

impl Operations {
    /// The tables that are compiled in.
    ///
    /// # Errors
    /// One is of another form, or speaks of what no service has.
    pub fn built_in() -> Result<Self, OperationsError> {
        let mut tables = BTreeMap::new();
        for (file, text) in BUILT_IN {
            let read: File = toml::from_str(text)
                .map_err(|error| OperationsError::Form { file, why: error.to_string().replace('\n', " ") })?;
            let mut rules = Vec::new();
            for rule in read.rule {
                let service = SERVICES.iter().find(|(_, all)| all.contains(&rule.operation.as_str()));
                let (service, _) =
                    service.ok_or_else(|| OperationsError::Operation { file, operation: rule.operation.clone() })?;
                rules.push((rule, *service));
            }
            let table = Table { bucket_in_host: false, method_header: read.method_header, form: read.refusal, rules };
            if let Some(name) = read.protocol_bucket_in_host {
                tables.insert(name, Table { bucket_in_host: true, ..table.clone() });
            }
            tables.insert(read.protocol, table);
        }
        Ok(Self(tables))
    }

    /// Which operation a request is; none if nobody mapped it, or nobody knows the protocol.
    pub fn operation_of(&self, protocol: &str, sent: &Sent<'_>) -> Option<Operation<'_>> {
        let table = self.0.get(protocol)?;
        let other = table.method_header.as_deref().and_then(|name| (sent.header)(name));
        let method = other.unwrap_or(sent.method);
        let path = decoded(sent.path);
        let path = if table.bucket_in_host { format!("/bucket{path}") } else { path };
        let query: Vec<(String, String)> = sent.query.split('&').map(pair).collect();
        let fits = |(rule, _): &&(Rule, &'static str)| {
            rule.method.iter().any(|own| own.eq_ignore_ascii_case(method))
                && path_fits(&rule.path, &path)
                && rule.query.iter().all(|wanted| query.iter().any(|pair| query_fits(wanted, pair)))
                && rule.header.iter().all(|wanted| header_fits(wanted, sent.header))
        };
        let (rule, service) = table.rules.iter().find(fits)?;
        Some(Operation { service, operation: &rule.operation })
    }

    /// How a protocol says no.
    pub(super) fn form(&self, protocol: &str) -> Form {
        self.0.get(protocol).map_or(Form::Plain, |table| table.form)
    }
}

/// `{name}` is one part of a path that is not empty, `{name...}` all that is left if it is not empty.
fn path_fits(pattern: &str, path: &str) -> bool {
    // Servers differ in what slashes before the first name mean; none takes them for a name.
    let mut rest = path.trim_start_matches('/');
    for part in pattern.trim_start_matches('/').split('/').filter(|part| !part.is_empty()) {
        if part.starts_with('{') && part.ends_with("...}") {
            return !rest.is_empty();
        }
        let (own, after) = rest.split_once('/').unwrap_or((rest, ""));
        let fits = if part.starts_with('{') { !own.is_empty() } else { own == part };
        if !fits {
            return false;
        }
        rest = after;
    }
    rest.is_empty()
}

/// A key, or a key and its value.
fn query_fits(wanted: &str, (key, value): &(String, String)) -> bool {
    match wanted.split_once('=') {
        Some((wanted, its)) => key == wanted && value.eq_ignore_ascii_case(its),
        None => key == wanted,
    }
}

/// A header, or a header and how its value begins.
fn header_fits<'a>(wanted: &str, header: &dyn Fn(&str) -> Option<&'a str>) -> bool {
    match wanted.split_once('=') {
        Some((name, start)) => header(name)
            .and_then(|value| value.trim_start().get(..start.len()))
            .is_some_and(|value| value.eq_ignore_ascii_case(start)),
        None => header(wanted).is_some(),
    }
}

fn pair(text: &str) -> (String, String) {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    (decoded(&key.replace('+', " ")), decoded(&value.replace('+', " ")))
}

/// A text without its percent signs; one that stands for nothing stays.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digit = |place: usize| after.get(place).and_then(|digit| char::from(*digit).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(protocol: &str, line: &str, headers: &[(&str, &'static str)]) -> Option<String> {
        let operations = Operations::built_in().unwrap();
        let (method, target) = line.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let header = |name: &str| headers.iter().find(|(own, _)| *own == name).map(|(_, value)| *value);
        let found = operations.operation_of(protocol, &Sent { method, path, query, header: &header });
        found.map(|found| format!("{} {}", found.service, found.operation))
    }

    fn s3(line: &str) -> String {
        operation("s3", line, &[]).map_or("-".to_owned(), |found| found.replace("object-storage storage.", ""))
    }

    #[test]
    fn requests_of_s3_are_the_operations_they_do() {
        for (line, expected) in [
            ("PUT /b/k", "write"),
            ("PUT /b/k?partNumber=1&uploadId=u", "write"),
            ("PUT /b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=s", "write"),
            ("POST /b/k?uploads", "write"),
            ("POST /b/k?uploads=&x-id=CreateMultipartUpload", "write"),
            ("POST /b/k?uploadId=u", "write"),
            ("POST /b?delete", "delete"),
            ("POST /b/?%64elete=", "delete"),
            ("POST /b/k?delete&uploads", "write"),
            ("POST /b/k?select&select-type=2", "read"),
            ("POST /b", "write"),
            ("DELETE /b/k", "delete"),
            ("DELETE /b/k?uploadId=u", "delete"),
            ("GET /", "list"),
            ("GET /b", "list"),
            ("GET /b/?list-type=2&prefix=a%2F", "list"),
            ("GET /b/k/l", "read"),
            ("GET //b/k", "read"),
            ("GET /b%2Fk", "read"),
            ("HEAD /b/k", "read"),
            ("GET /b/k?X-Amz-Signature=s", "read"),
            ("get /b/k", "read"),
            ("OPTIONS /b/k", "-"),
            ("PROPFIND /b/k", "-"),
        ] {
            assert_eq!(s3(line), expected, "{line}");
        }
        let form = [("content-type", "Multipart/Form-Data; boundary=x")];
        assert_eq!(operation("s3", "POST /b?delete", &form).unwrap(), "object-storage storage.write");
        assert_eq!(operation("s3-virtual-hosted", "GET /k", &[]).unwrap(), "object-storage storage.read");
        assert_eq!(operation("s3-virtual-hosted", "GET /", &[]).unwrap(), "object-storage storage.list");
        assert_eq!(operation("s4", "PUT /b/k", &[]), None);
    }

    #[test]
    fn requests_of_other_protocols_are_the_operations_they_do() {
        for (protocol, line, expected) in [
            ("azure-blob", "PUT /c/b?comp=block&blockid=1", "object-storage storage.write"),
            ("azure-blob", "GET /c?restype=container&comp=list", "object-storage storage.list"),
            ("azure-blob", "GET /?comp=list", "object-storage storage.list"),
            ("azure-blob", "GET /c/b", "object-storage storage.read"),
            ("azure-blob", "HEAD /c?restype=container", "object-storage storage.list"),
            ("azure-blob", "POST /?comp=batch", "object-storage storage.delete"),
            ("azure-blob", "DELETE /c/b", "object-storage storage.delete"),
            ("google-cloud-storage", "POST /upload/storage/v1/b/b/o?uploadType=media", "object-storage storage.write"),
            ("google-cloud-storage", "POST /storage/v1/b/b/o/o/rewriteTo/b/c/o/p", "object-storage storage.write"),
            ("google-cloud-storage", "GET /storage/v1/b/b/o", "object-storage storage.list"),
            ("google-cloud-storage", "GET /storage/v1/b/b/o/a%2Fb?alt=media", "object-storage storage.read"),
            ("google-cloud-storage", "DELETE /storage/v1/b/b/o/o", "object-storage storage.delete"),
            ("openai", "POST /v1/audio/transcriptions", "speech speech.transcription"),
            ("openai", "POST /v1/chat/completions", "language language.tokens"),
            ("openai", "POST /v1/embeddings", "language language.embedding"),
            ("openai", "POST /v1/images/generations", "vision vision.images"),
        ] {
            assert_eq!(operation(protocol, line, &[]).as_deref(), Some(expected), "{line}");
        }
        let other = [("x-http-method-override", "DELETE")];
        let deletes = operation("google-cloud-storage", "POST /storage/v1/b/b/o/o", &other).unwrap();
        assert_eq!(deletes, "object-storage storage.delete");
        for (protocol, line) in [("google-cloud-storage", "POST /batch/storage/v1"), ("openai", "GET /v1/models")] {
            assert_eq!(operation(protocol, line, &[]), None, "{line}");
        }
    }

    #[test]
    fn every_operation_of_a_service_falls_under_a_switch_and_is_found_by_its_end() {
        for (service, operations) in SERVICES {
            for operation in operations {
                assert!(gate::Operation::named(operation).switches().is_some(), "{operation}");
                assert_eq!(named(service, operation.split_once('.').unwrap().1), *operation);
            }
        }
        assert_eq!(named("object-storage", "storage.write"), "storage.write");
        assert_eq!(named("object-storage", "fly"), "object-storage.fly");
        assert_eq!(named("unheard-of", "write"), "unheard-of.write");
    }
}
