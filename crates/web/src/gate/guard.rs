//! Who may ask a gate: this machine, or who has the token. Snapshots name restricted customers, and answers tell who is
//! one.
//!
//! A peer is whoever opened the connection: a proxy on this machine that hands on what strangers ask makes them its own.
//! Where there may be one, being on this machine says nothing, and only the token lets in.
//! Nothing is decided here about what may be asked.

use crate::serve::Peer;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use std::fmt;
use subtle::ConstantTimeEq as _;

/// How few characters a token may have.
const TOKEN_CHARS_MIN: usize = 16;

/// A secret that lets somebody ask from another machine.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Of a text, as a file may hold it: without the blank at its ends; none if it is shorter than 16 characters or
    /// cannot stand in a header.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let fit = text.len() >= TOKEN_CHARS_MIN && text.bytes().all(|byte| byte.is_ascii_graphic());
        fit.then(|| Self(text.to_owned()))
    }

    /// What a client sends as `Authorization`.
    pub fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// How long it takes tells the length alone.
    fn is(&self, shown: &str) -> bool {
        self.0.as_bytes().ct_eq(shown.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Who is let in.
#[derive(Clone, Debug)]
pub struct Askers {
    token: Option<Token>,
    near: bool,
}

impl Askers {
    /// Whoever is on this machine, and who has the token.
    pub const fn near_or(token: Option<Token>) -> Self {
        Self { token, near: true }
    }

    /// Only who has the token: the world is handed on by something on this machine.
    pub const fn only(token: Option<Token>) -> Self {
        Self { token, near: false }
    }
}

/// Lets only those through who may ask.
pub(super) async fn only_who_may(State(askers): State<Askers>, request: Request, next: Next) -> Response {
    if may(&askers, &request) {
        return next.run(request).await;
    }
    let mut response = Response::new(Body::from(
        "send `Authorization: Bearer …` with the token: from another machine always, and from this one where the pages \
         have an address in the world\n",
    ));
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

fn may(askers: &Askers, request: &Request) -> bool {
    let near = askers.near
        && request.extensions().get::<Peer>().is_some_and(|Peer(peer)| peer.ip().to_canonical().is_loopback());
    let shown = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| value.split_once(' '));
    let shown = shown.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, shown)| shown.trim());
    near || askers.token.as_ref().zip(shown).is_some_and(|(token, shown)| token.is(shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(token: Option<&str>, peer: Option<&str>, shown: Option<&str>) -> bool {
        let mut request = Request::new(Body::empty());
        if let Some(peer) = peer {
            request.extensions_mut().insert(Peer(peer.parse().unwrap()));
        }
        if let Some(shown) = shown {
            request.headers_mut().insert(header::AUTHORIZATION, HeaderValue::from_str(shown).unwrap());
        }
        let token = token.and_then(Token::new);
        let far = may(&Askers::only(token.clone()), &request);
        let may = may(&Askers::near_or(token), &request);
        // Where a proxy may be, only the token counts.
        assert_eq!(far, may && shown.is_some(), "{shown:?}");
        may
    }

    #[test]
    fn only_this_machine_and_who_has_the_token_may_ask() {
        let (far, token) = (Some("192.0.2.7:9"), Some("a-token-of-some-length"));
        for near in ["127.0.0.1:9", "[::1]:9", "[::ffff:127.0.0.1]:9"] {
            assert!(asked(None, Some(near), None), "{near}");
        }
        assert!(
            asked(token, far, Some("Bearer a-token-of-some-length"))
                && asked(token, far, Some("bearer  a-token-of-some-length"))
        );
        for shown in [
            None,
            Some("Bearer a-token-of-some-lengtH"),
            Some("Bearer "),
            Some("Basic a-token-of-some-length"),
            Some("a"),
        ] {
            assert!(!asked(token, far, shown), "{shown:?}");
        }
        assert!(!asked(None, far, Some("Bearer ")) && !asked(None, None, None), "without a token nobody far may");
    }

    #[test]
    fn a_token_is_long_enough_to_be_a_secret() {
        assert!(Token::new("short").is_none() && Token::new("with a blank in the middle").is_none());
        let token = Token::new(" 0123456789abcdef\n").unwrap();
        assert_eq!((token.header().as_str(), format!("{token:?}").as_str()), ("Bearer 0123456789abcdef", "Token(…)"));
    }
}
