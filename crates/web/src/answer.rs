//! What is true of every answer: its headers, the check of the host and of where a form came from, and problems as pages.
//!
//! Nothing here knows a page. No request is written down anywhere, and no cookie is set here.

use crate::frame::{Frame, Reader};
use crate::kept::{KeptPage, Typed};
use crate::pages::Pages;
use crate::visible::{self, filters};
use crate::words::Language;
use askama::Template;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// What a problem is as machines read it (RFC 9457).
pub(crate) const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// What every answer says to a browser.
const HEADERS: [(HeaderName, HeaderValue); 8] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
    ),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"),
    ),
    // What may be kept says so itself.
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// The type of the template that an answer was made from, for whoever wraps the router; nothing of it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MadeFrom(pub &'static str);

impl MadeFrom {
    fn of<T: Template>(_: &T) -> Self {
        Self(std::any::type_name::<T>())
    }
}

/// A page that is made from a template.
///
/// # Errors
/// It could not be made, which is a defect of ours.
pub fn page(template: &impl Template) -> Result<Response, Problem> {
    let text = template.render().map_err(|error| Problem::defect(format!("a page could not be made: {error}")))?;
    let mut response = ([(header::CONTENT_TYPE, HTML)], text).into_response();
    response.extensions_mut().insert(MadeFrom::of(template));
    Ok(response)
}

/// A page of another status: a form that is shown again.
///
/// # Errors
/// As [`page`].
pub fn page_with(status: StatusCode, template: &impl Template) -> Result<Response, Problem> {
    let mut response = page(template)?;
    *response.status_mut() = status;
    Ok(response)
}

/// Where to go after a form was carried out: an address of ours.
pub fn see(address: &str) -> Response {
    let local = address.starts_with('/') && !address.starts_with("//") && !address.contains('\\');
    let location = HeaderValue::from_str(if local { address } else { "/" });
    let location = location.unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

/// A file to be kept: a browser saves it under this name, and opens, guesses and runs nothing of it.
pub fn download(name: &str, bytes: Vec<u8>) -> Response {
    // What a header's quotes hold is plain; the name as it is comes beside it, in the form of RFC 8187.
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let plain: String = name.chars().map(plain).collect();
    let whole: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let whole = whole.replace('+', "%20").replace('*', "%2A");
    let kept = HeaderValue::from_str(&format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}"));
    let kept = kept.unwrap_or(HeaderValue::from_static("attachment"));
    let kind = HeaderValue::from_static("application/octet-stream");
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, kept)], bytes).into_response()
}

/// Lets a public page be kept by whoever passes it on, for some seconds.
pub fn kept(mut response: Response, seconds: u32) -> Response {
    if let Ok(value) = HeaderValue::from_str(&format!("public, max-age={seconds}")) {
        response.headers_mut().insert(header::CACHE_CONTROL, value);
    }
    // The same address is another page in another language.
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Language"));
    response
}

/// Why a page is not shown. It becomes a page itself, in the reader's language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Of the answer.
    pub status: StatusCode,
    /// What is wrong and how to mend it, where that can be said: shown as it stands.
    pub says: Option<String>,
    /// The message of the catalogues that says it, with the values in it, where one does: for readers of other languages.
    message: Option<Box<Message>>,
    /// For whoever can mend it; never shown.
    ours: Option<String>,
    /// What was typed into the form that this answers, to be shown with it.
    typed: Option<Typed>,
}

/// A message of the catalogues, with the values in it.
type Message = (&'static str, Vec<(&'static str, String)>);

impl Problem {
    /// There is no such page.
    pub fn missing() -> Self {
        Self::bare(StatusCode::NOT_FOUND)
    }

    /// Something is wrong with what was asked.
    pub fn wrong(status: StatusCode, says: impl Into<String>) -> Self {
        Self { says: Some(says.into()), ..Self::bare(status) }
    }

    /// The same, by a message of the catalogues with values in it: what anybody may meet on a public page.
    pub(crate) fn told(status: StatusCode, message: &'static str, values: &[(&'static str, &str)]) -> Self {
        let message = (message, values.iter().map(|(name, value)| (*name, (*value).to_owned())).collect());
        Self {
            says: Some(in_words(Language::English, &message)),
            message: Some(Box::new(message)),
            ..Self::bare(status)
        }
    }

    /// It is our own fault. What happened is told to whoever runs it; it must hold nothing that anybody wrote.
    pub fn defect(ours: impl Into<String>) -> Self {
        Self { ours: Some(ours.into()), ..Self::bare(StatusCode::INTERNAL_SERVER_ERROR) }
    }

    const fn bare(status: StatusCode) -> Self {
        Self { status, says: None, message: None, ours: None, typed: None }
    }

    /// With what was typed, where anybody would miss it.
    pub(crate) fn keeping(self, typed: Typed) -> Self {
        Self { typed: Some(typed).filter(|typed| !typed.is_nothing()), ..self }
    }
}

impl From<clerk::Error> for Problem {
    fn from(error: clerk::Error) -> Self {
        use clerk::Error;
        let status = match &error {
            Error::Denied(_) => StatusCode::FORBIDDEN,
            Error::Refused(_) | Error::Busy => StatusCode::CONFLICT,
            Error::Crowded => StatusCode::SERVICE_UNAVAILABLE,
            Error::Form(_) | Error::Wrong(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Error::Nobody(_) | Error::Unknown(_) => StatusCode::NOT_FOUND,
            Error::Erased(_) => StatusCode::GONE,
            Error::Record(_) | Error::Log(_) => {
                return Self { status: StatusCode::SERVICE_UNAVAILABLE, ..Self::defect(error.to_string()) };
            }
            Error::Strange { .. } | Error::Defect(_) => return Self::defect(error.to_string()),
        };
        Self::wrong(status, error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

fn in_words(language: Language, (message, values): &Message) -> String {
    let values: Vec<_> = values.iter().map(|(name, value)| (*name, value.into())).collect();
    language.tell(message, &values)
}

/// At any address that has no page.
pub(crate) async fn missing() -> Problem {
    Problem::missing()
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    frame: Frame,
    says: String,
}

/// What happens around every request.
pub(crate) async fn every(State(pages): State<Arc<Pages>>, request: Request, next: Next) -> Response {
    let reader = Reader::of(request.uri(), request.headers());
    let onion = by_onion(&pages, &request);
    let mut response = match refused(&pages, &request) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    };
    if let Some(problem) = problem(&mut response) {
        if let Some(ours) = &problem.ours {
            pages.complain(ours);
        }
        show(&pages, &reader, &problem, &mut response);
    }
    let headers = response.headers_mut();
    for (name, value) in &HEADERS {
        headers.entry(name).or_insert_with(|| value.clone());
    }
    if let Some(onion) = onion {
        headers.insert(HeaderName::from_static("onion-location"), onion);
    }
    if pages.is_secure() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    response
}

/// The problem that an answer is; also that of a router or an extractor, which says it in plain text or not at all.
fn problem(response: &mut Response) -> Option<Problem> {
    let status = response.status();
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return Some(problem);
    }
    let bare = response.headers().get(header::CONTENT_TYPE).is_none();
    (bare && (status.is_client_error() || status.is_server_error())).then_some(Problem::bare(status))
}

/// Puts the problem's page in the place of the answer's body; other headers (`Allow`, say) stay.
fn show(pages: &Pages, reader: &Reader, problem: &Problem, response: &mut Response) {
    let language = reader.language;
    let (title, says) = match problem.status {
        StatusCode::NOT_FOUND => (
            language.say("error-unknown"),
            language.tell("error-unknown-page", &[("address", (&visible::line(&reader.path)).into())]),
        ),
        StatusCode::FORBIDDEN => (language.say("error-forbidden"), language.say("error-forbidden-says")),
        StatusCode::METHOD_NOT_ALLOWED => (language.say("error-method"), language.say("error-method-says")),
        StatusCode::PAYLOAD_TOO_LARGE => (language.say("error-large"), language.say("error-large-says")),
        StatusCode::CONFLICT => (language.say("error-conflict"), language.say("error-wrong-says")),
        status if status.is_server_error() => (language.say("error-ours"), language.say("error-ours-says")),
        _ => (language.say("error-wrong"), language.say("error-wrong-says")),
    };
    let own = problem.says.as_deref().map(|says| visible::text(says).into_owned());
    let says = problem.message.as_ref().map(|message| in_words(language, message)).or(own).unwrap_or(says);
    let (kind, text) = if is_for_machines(&reader.path) {
        (PROBLEM, problem_for_machines(problem.status, &says).to_string())
    } else if let Some(typed) = problem.typed.clone() {
        // Only forms of those who sign in come here, and their pages are in English.
        let frame = Frame::inside(pages, reader, "Nothing was done", Vec::new(), "/", None);
        let page = KeptPage { frame, says, typed };
        response.extensions_mut().insert(MadeFrom::of(&page));
        (HTML, page.render().unwrap_or_else(|_| title.clone()))
    } else {
        let page = ProblemPage { frame: Frame::new(pages, reader, &title), says };
        response.extensions_mut().insert(MadeFrom::of(&page));
        (HTML, page.render().unwrap_or_else(|_| title.clone()))
    };
    *response.body_mut() = Body::from(text);
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
}

fn is_for_machines(path: &str) -> bool {
    path.starts_with("/api/")
}

/// A problem as machines read it.
pub(crate) fn problem_for_machines(status: StatusCode, says: &str) -> Value {
    let title = status.canonical_reason().unwrap_or_default();
    json!({ "title": title, "status": status.as_u16(), "detail": says })
}

/// Where Tor Browser finds the page that somebody reads at the base.
fn by_onion(pages: &Pages, request: &Request) -> Option<HeaderValue> {
    let onion = pages.settings.onion.as_ref()?;
    let at_base = asked_at(pages, request) == Some(pages.settings.base.as_str());
    let path = request.uri().path_and_query()?;
    HeaderValue::from_str(&format!("{onion}{path}")).ok().filter(|_| at_base && request.method() == Method::GET)
}

/// At which address of the pages a request asks; none of another's, or of two.
fn asked_at<'p>(pages: &'p Pages, request: &Request) -> Option<&'p str> {
    let host = request.uri().authority().map(|authority| authority.as_str());
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let first = hosts.next().and_then(|host| host.to_str().ok());
    let host = host.or(first).filter(|_| hosts.next().is_none())?;
    pages.addresses().find(|own| is_host_of(own, host))
}

/// Why a request is not answered at all.
fn refused(pages: &Pages, request: &Request) -> Option<Problem> {
    let base = pages.settings.base.as_str();
    let Some(own) = asked_at(pages, request) else {
        return Some(Problem::told(StatusCode::MISDIRECTED_REQUEST, "error-host", &[("base", base)]));
    };
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let machine = is_for_machines(request.uri().path());
    if !reads && !machine && !is_same_site(own, request.headers()) {
        return Some(Problem::told(StatusCode::FORBIDDEN, "error-site", &[("base", own)]));
    }
    None
}

/// Whether a `Host` is that of the pages; on this machine, by any of its names.
fn is_host_of(base: &str, host: &str) -> bool {
    let Some((scheme, own)) = base.split_once("://") else { return false };
    let usual = if scheme == "https" { ":443" } else { ":80" };
    let host = host.to_ascii_lowercase();
    let host = host.strip_suffix(usual).unwrap_or(&host);
    if host == own {
        return true;
    }
    let names = ["127.0.0.1", "localhost", "[::1]"];
    let port = |host: &str| names.iter().find_map(|name| host.strip_prefix(name)).map(str::to_owned);
    matches!((port(own), port(host)), (Some(own), Some(asked)) if own == asked)
}

/// Whether a request that changes something came from a page of ours: a browser says so by itself, and no page of
/// another's can make it say otherwise.
fn is_same_site(base: &str, headers: &HeaderMap) -> bool {
    let one = |name: &str| {
        let mut values = headers.get_all(name).iter();
        let value = values.next();
        if values.next().is_some() { Some("") } else { value.map(|value| value.to_str().unwrap_or_default()) }
    };
    match (one("sec-fetch-site"), one("origin")) {
        (Some(site), None) => site == "same-origin",
        (None, Some(origin)) => is_origin_of(base, origin),
        (Some(site), Some(origin)) => site == "same-origin" && is_origin_of(base, origin),
        (None, None) => false,
    }
}

fn is_origin_of(base: &str, origin: &str) -> bool {
    let schemes = (base.split_once("://"), origin.split_once("://"));
    matches!(schemes, (Some((own, _)), Some((its, host))) if own == its && is_host_of(base, host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_ours_or_not() {
        for (base, host, is) in [
            ("https://t.example", "t.example", true),
            ("https://t.example", "T.EXAMPLE:443", true),
            ("https://t.example", "t.example:80", false),
            ("https://t.example", "t.example.evil", false),
            ("https://t.example", "localhost", false),
            ("https://t.example:8443", "t.example:8443", true),
            ("http://127.0.0.1:8402", "localhost:8402", true),
            ("http://127.0.0.1:8402", "[::1]:8402", true),
            ("http://127.0.0.1:8402", "localhost:8403", false),
            ("http://127.0.0.1:8402", "localhost.evil:8402", false),
            ("http://127.0.0.1:8402", "", false),
        ] {
            assert_eq!(is_host_of(base, host), is, "{base} {host}");
        }
    }

    #[test]
    fn a_form_comes_from_our_own_pages() {
        let base = "https://t.example";
        for (given, is) in [
            (&[][..], false),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("origin", "https://t.example")], true),
            (&[("origin", "http://t.example")], false),
            (&[("origin", "null")], false),
            (&[("origin", "https://t.example"), ("origin", "https://evil.example")], false),
            (&[("origin", "https://t.example"), ("sec-fetch-site", "cross-site")], false),
            (&[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")], false),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in given {
                headers.append(*name, value.parse().unwrap());
            }
            assert_eq!(is_same_site(base, &headers), is, "{given:?}");
        }
    }

    #[test]
    fn a_file_is_saved_under_its_name_and_whatever_that_is_the_header_is_one() {
        for (name, said) in [
            ("notes 1.txt", "attachment; filename=\"notes_1.txt\"; filename*=UTF-8''notes%201.txt"),
            (
                "a\"; x=\"b\r\nY: z",
                "attachment; filename=\"a___x__b__Y__z\"; filename*=UTF-8''a%22%3B%20x%3D%22b%0D%0AY%3A%20z",
            ),
            ("Zeugin*ü.pdf", "attachment; filename=\"Zeugin__.pdf\"; filename*=UTF-8''Zeugin%2A%C3%BC.pdf"),
        ] {
            let response = download(name, b"<script>".to_vec());
            assert_eq!(response.headers()[header::CONTENT_DISPOSITION], said);
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/octet-stream");
        }
    }

    #[test]
    fn nobody_is_sent_elsewhere() {
        for (address, to) in [
            ("/a?b=c", "/a?b=c"),
            ("//evil.example", "/"),
            ("https://evil.example", "/"),
            ("/\\evil", "/"),
            ("/a\r\nX: y", "/"),
        ] {
            let response = see(address);
            assert!(response.status() == 303 && response.headers()[header::LOCATION] == to, "{address}");
        }
    }
}
