//! What machines tell, read: XARF 4, notices under Article 16 of the DSA, and CloudEvents that carry one of them.
//!
//! ```text
//! JSON ──► a value ──► its form, typed, with what is wrong at which pointer ──► a text, files, and who they are
//! ```
//!
//! Who they are goes another way than what they say: under the two locks, and out of the text. So do the sender's own
//! id and whatever a CloudEvent says of itself. Evidence becomes files, unopened. It answers nobody and keeps nothing.

use super::strip;
use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use clerk::envelope::{FILES_MAX, TEXT_BYTES_MAX};
use clerk::sealed::SHEET_BYTES_MAX;
use review::words::Digest;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

/// What a notice says that it is.
const NOTICE: &str = "tribune.dsa-notice/1";

/// The categories of XARF 4.
const CATEGORIES: [&str; 7] =
    ["connection", "content", "copyright", "infrastructure", "messaging", "reputation", "vulnerability"];

/// Of these, addresses and digests are taken, and never the thing itself.
const NEVER_AS_FILES: [&str; 2] = ["csam", "csem"];

/// A message says no more of what was sent than this.
const SAID_CHARS_MAX: usize = 300;

/// Locations in one notice.
const LOCATIONS_MAX: usize = 100;

/// Something that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// An RFC 6901 pointer into what was sent.
    pub(super) pointer: String,
    /// What is wrong with it and how to mend it.
    pub(super) says: String,
}

/// A report by a machine.
#[derive(Debug)]
pub(super) struct Told {
    /// The sender's own id, as the answer repeats it.
    pub(super) id: String,
    /// Among whose ids it is one.
    pub(super) among: String,
    /// Who they are.
    pub(super) who: Option<String>,
    /// What they say.
    pub(super) text: String,
    /// What came with it.
    pub(super) files: Vec<(String, Vec<u8>)>,
}

/// How many values a report may have, counted by what stands before each; a text may have as many signs of the kind.
const PARTS_MAX: usize = 200_000;

/// Reads what a machine sent.
pub(super) fn read(whole: &[u8], is_event: bool) -> Result<Told, Vec<Fault>> {
    // Counted before it is read: each of the many small parts of a large text would take a hundred times its bytes.
    let parts = whole.iter().filter(|byte| matches!(byte, b'{' | b'[' | b',')).count();
    if parts > PARTS_MAX {
        return Err(fault("", format!("it has more than {PARTS_MAX} parts; a report has a few hundred")));
    }
    let value: Value = serde_json::from_slice(whole).map_err(|error| fault("", format!("it is no JSON: {error}")))?;
    let Some(event) = event(&value, is_event)? else { return told(value, "") };
    let told = told(event.data.unwrap_or_default(), "/data")?;
    Ok(Told { among: format!("CloudEvents of {}", event.source), id: event.id, ..told })
}

fn fault(pointer: &str, says: impl Into<String>) -> Vec<Fault> {
    vec![Fault { pointer: pointer.to_owned(), says: says.into() }]
}

/// Collects what is wrong under one pointer.
struct Faults<'a> {
    under: &'a str,
    found: Vec<Fault>,
}

impl<'a> Faults<'a> {
    fn under(under: &'a str) -> Self {
        Self { under, found: Vec::new() }
    }

    fn unless(&mut self, holds: bool, pointer: &str, says: &str) {
        if !holds {
            self.found.extend(fault(&format!("{}{pointer}", self.under), says));
        }
    }

    fn end(self) -> Result<(), Vec<Fault>> {
        if self.found.is_empty() { Ok(()) } else { Err(self.found) }
    }
}

/// A value as its form, or what is wrong with it and where.
fn typed<T: DeserializeOwned>(value: &Value, under: &str) -> Result<T, Vec<Fault>> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let pointer = error.path().iter().fold(under.to_owned(), |pointer, segment| match segment {
            Segment::Seq { index } => format!("{pointer}/{index}"),
            Segment::Map { key } => format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { .. } | Segment::Unknown => pointer,
        });
        let short = |text: &str| text.chars().take(SAID_CHARS_MAX).collect::<String>();
        fault(&short(&pointer), short(&error.inner().to_string()))
    })
}

// ---- CloudEvents 1.0, structured ------------------------------------------------------------------------------------

#[derive(Deserialize)]
struct Event {
    specversion: String,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    datacontenttype: Option<String>,
    data: Option<Value>,
    data_base64: Option<Value>,
}

fn event(value: &Value, is_event: bool) -> Result<Option<Event>, Vec<Fault>> {
    if !is_event {
        return match value.get("specversion") {
            Some(_) => Err(fault("/specversion", "send a CloudEvent as application/cloudevents+json")),
            None => Ok(None),
        };
    }
    let event: Event = typed(value, "")?;
    let mut faults = Faults::under("");
    faults.unless(event.specversion == "1.0", "/specversion", "CloudEvents 1.0 is taken: write \"1.0\"");
    for (pointer, text) in [("/id", &event.id), ("/source", &event.source), ("/type", &event.kind)] {
        faults.unless(!text.trim().is_empty() && text.len() <= 1_000, pointer, "1 to 1,000 bytes stand here");
    }
    let kind = event.datacontenttype.as_deref().unwrap_or("application/json").to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_owned();
    let is_json = kind == "application/json" || kind.ends_with("+json");
    faults.unless(is_json, "/datacontenttype", "the data is JSON: write application/json, or leave this out");
    faults.unless(event.data_base64.is_none(), "/data_base64", "write the report itself as JSON, in `data`");
    faults.unless(event.data.is_some(), "/data", "the report is missing: an XARF 4 report or a DSA notice stands here");
    faults.end().map(|()| Some(event))
}

fn told(value: Value, under: &str) -> Result<Told, Vec<Fault>> {
    match (value.get("xarf_version"), value.get("schema")) {
        (Some(_), _) => xarf(value, under),
        (None, Some(_)) => notice(value, under),
        (None, None) => Err(fault(
            under,
            format!("it is neither XARF 4 (`xarf_version`) nor a notice (`\"schema\": \"{NOTICE}\"`)"),
        )),
    }
}

// ---- XARF 4 ---------------------------------------------------------------------------------------------------------

#[derive(Deserialize)]
struct Xarf {
    xarf_version: String,
    report_id: String,
    timestamp: String,
    reporter: Contact,
    sender: Contact,
    source_identifier: String,
    category: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    evidence: Vec<Evidence>,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct Contact {
    org: String,
    contact: String,
    domain: String,
}

#[derive(Deserialize)]
struct Evidence {
    content_type: String,
    payload: String,
    hash: Option<String>,
}

fn xarf(mut value: Value, under: &str) -> Result<Told, Vec<Fault>> {
    let report: Xarf = typed(&value, under)?;
    let mut faults = Faults::under(under);
    let is_4 = is_version_4(&report.xarf_version);
    faults.unless(is_4, "/xarf_version", "XARF 4 is taken (`4.0.0`): have an older report converted first");
    faults.unless(is_uuid(&report.report_id), "/report_id", "a UUID stands here");
    let timed = DateTime::parse_from_rfc3339(&report.timestamp).is_ok();
    faults.unless(timed, "/timestamp", "a time as RFC 3339 has it stands here: 2026-03-02T10:00:00Z");
    for (who, contact) in [("/reporter", &report.reporter), ("/sender", &report.sender)] {
        faults.unless(is_line(&contact.org, 200), &format!("{who}/org"), "a name of 1 to 200 characters stands here");
        faults.unless(is_email(&contact.contact), &format!("{who}/contact"), "an e-mail address stands here");
        faults.unless(is_line(&contact.domain, 253), &format!("{who}/domain"), "a domain stands here");
    }
    let known = CATEGORIES.contains(&report.category.as_str());
    faults.unless(known, "/category", &format!("one of these stands here: {}", CATEGORIES.join(", ")));
    faults.unless(is_line(&report.kind, 100), "/type", "the type within its category stands here");
    faults.unless(is_line(&report.source_identifier, 2_000), "/source_identifier", "an address or a name stands here");
    let never = NEVER_AS_FILES.contains(&report.kind.as_str()) && !report.evidence.is_empty();
    faults.unless(
        !never,
        "/evidence",
        "of this, addresses and digests are taken and never the thing itself: leave it out",
    );
    let few = report.evidence.len() <= FILES_MAX;
    faults.unless(few, "/evidence", &format!("at most {FILES_MAX} are taken: send the others in another report"));
    let files = if never || !few { Vec::new() } else { evidence(&report.evidence, &mut faults) };
    faults.end()?;
    take_out(&mut value, &files);
    let Xarf { xarf_version, category, kind, source_identifier, .. } = &report;
    let head = format!("XARF {xarf_version}: {category}/{kind}, from {source_identifier}");
    let (text, rest) = text(head, &value);
    let files = files.into_iter().chain(rest).collect();
    Ok(Told {
        id: report.report_id,
        among: "XARF".to_owned(),
        who: Some(contacts(&report.reporter, &report.sender)),
        text,
        files,
    })
}

fn is_version_4(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let number = |part: &&str| !part.is_empty() && part.len() < 10 && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.len() == 3 && parts.first() == Some(&"4") && parts.iter().all(number)
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let hex = text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    hex && parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
}

fn is_line(text: &str, chars_max: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= chars_max && !text.chars().any(char::is_control)
}

fn is_email(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    let whole = parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    whole && text.len() <= 320 && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn contacts(reporter: &Contact, sender: &Contact) -> String {
    let line = |contact: &Contact| format!("{} <{}>, {}", contact.org, contact.contact, contact.domain);
    if reporter == sender { line(reporter) } else { format!("{}\nsent by {}", line(reporter), line(sender)) }
}

/// The evidence as files, without what pictures say of themselves.
fn evidence(items: &[Evidence], faults: &mut Faults<'_>) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let payload = format!("/evidence/{at}/payload");
        let Ok(bytes) = STANDARD.decode(&item.payload) else {
            faults.unless(false, &payload, "base64 stands here, with its padding and without line breaks");
            continue;
        };
        let said = item.hash.as_ref().filter(|hash| hash.starts_with("sha256:"));
        let same = said.is_none_or(|hash| hash.eq_ignore_ascii_case(&Digest::of(&bytes).to_string()));
        faults.unless(same, &format!("/evidence/{at}/hash"), "the payload has another digest: send it anew");
        faults.unless(bytes.len() <= SHEET_BYTES_MAX, &payload, "it is too long: send it in parts");
        let kind = item.content_type.rsplit('/').next().unwrap_or_default();
        let kind: String = kind.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
        files.push((format!("evidence-{}.{kind}", at + 1), strip::strip(&Bytes::from(bytes)).0));
    }
    files
}

/// Takes out what goes another way: who they are, the sender's own id, what is theirs alone, and the files.
fn take_out(value: &mut Value, files: &[(String, Vec<u8>)]) {
    let Some(report) = value.as_object_mut() else { return };
    for name in ["reporter", "sender", "report_id", "_internal"] {
        report.remove(name);
    }
    let items = report.get_mut("evidence").and_then(Value::as_array_mut);
    for (item, (name, _)) in items.into_iter().flatten().zip(files) {
        if let Some(payload) = item.get_mut("payload") {
            *payload = Value::String(format!("the file {name}"));
        }
    }
}

/// The text of a report, or its beginning and the rest as a file where it is too long.
fn text(head: String, value: &Value) -> (String, Option<(String, Vec<u8>)>) {
    let rest = format!("{value:#}");
    if head.len() + rest.len() + 2 <= TEXT_BYTES_MAX {
        return (format!("{head}\n\n{rest}"), None);
    }
    (
        format!("{head}\n\nThe report itself is the file report.json."),
        Some(("report.json".to_owned(), rest.into_bytes())),
    )
}

// ---- notices under Article 16 of the DSA ----------------------------------------------------------------------------

/// `docs/schemas/dsa-notice-1.json`, but for the word that says that it is one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Notice {
    id: String,
    explanation: String,
    locations: Vec<String>,
    notifier: Option<Notifier>,
    notifier_withheld: Option<Withheld>,
    good_faith: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Notifier {
    name: String,
    email: String,
}

/// Why no name is given.
#[derive(Deserialize)]
enum Withheld {
    /// It is about an offence of Articles 3 to 7 of Directive 2011/93/EU.
    #[serde(rename = "directive-2011-93")]
    Directive201193,
}

fn notice(mut value: Value, under: &str) -> Result<Told, Vec<Fault>> {
    let mut faults = Faults::under(under);
    faults.unless(
        value.get("schema").and_then(Value::as_str) == Some(NOTICE),
        "/schema",
        &format!("write \"{NOTICE}\""),
    );
    faults.end()?;
    value.as_object_mut().map(|notice| notice.remove("schema"));
    let notice: Notice = typed(&value, under)?;
    let mut faults = Faults::under(under);
    let drawn = (16..=200).contains(&notice.id.len()) && notice.id.bytes().all(|byte| byte.is_ascii_graphic());
    faults.unless(drawn, "/id", "16 to 200 characters that nobody else would choose stand here: a UUID, say");
    let explained = !notice.explanation.trim().is_empty() && notice.explanation.chars().count() <= 50_000;
    faults.unless(explained, "/explanation", "why it is held to be illegal stands here, in 1 to 50,000 characters");
    let some = (1..=LOCATIONS_MAX).contains(&notice.locations.len());
    faults.unless(
        some,
        "/locations",
        &format!("1 to {LOCATIONS_MAX} exact electronic locations or accounts stand here"),
    );
    for (at, location) in notice.locations.iter().enumerate().take(LOCATIONS_MAX) {
        let says = "an address or an account of 1 to 1,000 characters stands here";
        faults.unless(is_line(location, 1_000), &format!("/locations/{at}"), says);
    }
    match (&notice.notifier, &notice.notifier_withheld) {
        (Some(notifier), None) => {
            faults.unless(is_line(&notifier.name, 200), "/notifier/name", "a name of 1 to 200 characters stands here");
            faults.unless(is_email(&notifier.email), "/notifier/email", "an e-mail address stands here");
        }
        (None, Some(Withheld::Directive201193)) => {}
        _ => {
            let says = "a notice has a name with an e-mail address (`notifier`), or says why not (`notifier_withheld`: \"directive-2011-93\")";
            faults.unless(false, "/notifier", says);
        }
    }
    let says = "who gives notice says in good faith that it is accurate and complete: true";
    faults.unless(notice.good_faith, "/good_faith", says);
    faults.end()?;
    let who = notice.notifier.as_ref().map(|notifier| format!("{} <{}>", notifier.name, notifier.email));
    Ok(Told { text: said(&notice), id: notice.id, among: NOTICE.to_owned(), who, files: Vec::new() })
}

fn said(notice: &Notice) -> String {
    let places: String = notice.locations.iter().map(|location| format!("- {location}\n")).collect();
    let name = match notice.notifier {
        Some(_) => "Who gives it is known to the two custodians.",
        None => "It is given without a name, as for an offence of Articles 3 to 7 of Directive 2011/93/EU.",
    };
    format!(
        "A notice under Article 16 of the DSA. {name} They confirm in good faith that it is accurate and complete.\n\n\
         Where:\n{places}\nWhy:\n{}",
        notice.explanation
    )
}
