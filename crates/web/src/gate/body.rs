//! A body, bounded in bytes and in time, and the answers made of JSON and plain text.
//!
//! What is in it is read by who asked for it; nothing here knows an interface.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use std::time::Duration;

/// How many bytes the body of a request has, at most.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyError {
    TooLong,
    TooSlow,
    Cut,
}

impl BodyError {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Cut => StatusCode::BAD_REQUEST,
        }
    }

    pub(super) fn text(self) -> String {
        match self {
            Self::TooLong => format!("a request has {BODY_BYTES_MAX} bytes at most: ask in parts"),
            Self::TooSlow => "the body did not arrive in time: send it at once".to_owned(),
            Self::Cut => "the body broke off: send it again".to_owned(),
        }
    }
}

/// The whole body.
pub(super) async fn read(body: Body, patience: Duration) -> Result<Bytes, BodyError> {
    let whole = tokio::time::timeout(patience, Limited::new(body, BODY_BYTES_MAX).collect());
    match whole.await {
        Err(_) => Err(BodyError::TooSlow),
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyError::TooLong),
        Ok(Err(_)) => Err(BodyError::Cut),
    }
}

/// Whether the headers say, once, that the body is JSON.
pub(super) fn says_json(headers: &HeaderMap) -> bool {
    let kind = once(headers, header::CONTENT_TYPE.as_str()).ok().flatten().unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// A header that stands more than once, or that is no UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotOnce;

/// The value of a header that may stand once, without the blanks at its ends.
pub(super) fn once<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, NotOnce> {
    let mut values = headers.get_all(name).iter();
    let value = values.next();
    if values.next().is_some() {
        return Err(NotOnce);
    }
    value.map(|value| std::str::from_utf8(value.as_bytes()).map(str::trim).map_err(|_| NotOnce)).transpose()
}

/// An answer of this status, kind and text.
pub(super) fn answer(status: StatusCode, kind: &'static str, text: impl Into<Body>) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Plain text.
pub(super) const PLAIN: &str = "text/plain; charset=utf-8";

/// JSON.
pub(super) const JSON: &str = "application/json";

/// A text as the value of a header: what is no visible ASCII as its bytes in percent signs, so that nothing can break
/// out of the line.
pub(super) fn header_text(text: &str) -> HeaderValue {
    let mut value = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' || is_url(text) => value.push(char::from(byte)),
            _ => value.push_str(&format!("%{byte:02X}")),
        }
    }
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static(""))
}

/// In an address a percent sign stands for itself already.
fn is_url(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_one_line_of_ascii_whatever_the_text() {
        for (text, value) in [
            ("c1/d1/2", "c1/d1/2"),
            ("c\r\nX-Injected: yes", "c%0D%0AX-Injected: yes"),
            ("fälle 100%", "f%C3%A4lle 100%25"),
            ("https://a.example/%41?b", "https://a.example/%41?b"),
        ] {
            assert_eq!(header_text(text), value);
        }
    }
}
