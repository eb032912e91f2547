//! Signing in, proving anew who one is, signing out.
//!
//! [`SignIn`] is what sessions, accounts and own keys are kept by, one for the whole server. It keeps in memory only what
//! may be lost: keys that were unlocked, and how often was guessed.

use crate::routes::Why;
use crate::session::{Signed, as_text};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use clerk::{Clerk, Denial};
use review::words::Moment;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::{Identity, RecordError};

/// The longest address that signing in leads back to.
const NEXT_CHARS_MAX: usize = 2_000;
/// An unlocked key is locked again after so long without a request.
const UNLOCKED_SECONDS: i64 = 30 * 60;

/// Where the server is, as browsers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `https://tribune.example`; `http://127.0.0.1:8400` for a trial on one's own machine, where cookies are not
    /// `Secure` and have a plain name, because a browser would not take them otherwise.
    pub base: String,
}

type Clock = Box<dyn Fn() -> Moment + Send + Sync>;
type Chance = Box<dyn FnMut(&mut [u8]) + Send>;

/// What signing in works with.
pub struct SignIn {
    pub(crate) clerk: Arc<Clerk>,
    pub(crate) settings: Settings,
    /// The machine's time: sessions and codes go by it, also where the record's time is simulated.
    clock: Clock,
    /// The record's time.
    pub(crate) record_clock: Clock,
    chance: Mutex<Chance>,
    /// By session: a key that was unlocked, and until when it stays so.
    unlocked: Mutex<BTreeMap<String, (Arc<Identity>, Moment)>>,
}

impl SignIn {
    /// Signing in before a record.
    pub fn new(
        clerk: Arc<Clerk>,
        settings: Settings,
        clock: impl Fn() -> Moment + Send + Sync + 'static,
        record_clock: impl Fn() -> Moment + Send + Sync + 'static,
        chance: impl FnMut(&mut [u8]) + Send + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            clerk,
            settings,
            clock: Box::new(clock),
            record_clock: Box::new(record_clock),
            chance: Mutex::new(Box::new(chance)),
            unlocked: Mutex::default(),
        })
    }

    pub(crate) fn now(&self) -> Moment {
        (self.clock)()
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.settings.base.starts_with("https://")
    }

    /// So many bytes that chance draws, as text.
    pub(crate) fn drawn(&self, bytes: usize) -> String {
        let mut drawn = vec![0; bytes];
        held(&self.chance)(&mut drawn);
        as_text(&drawn)
    }

    /// Notes in the record that somebody was denied something, and hands the answer on.
    pub(crate) async fn denied(&self, signed: &Signed, what: &str, why: &str, answer: Response) -> Response {
        let (at, who) = ((self.record_clock)(), signed.who().holder());
        let denial = Denial { at, who, what: what.to_owned(), why: why.to_owned() };
        match self.clerk.note_denial(denial).await {
            Ok(_) => answer,
            Err(error) => Trouble::from(error).into_response(),
        }
    }

    // ---- own keys in memory -------------------------------------------------------------------------------------

    pub(crate) fn unlocked(&self, session: &str, now: Moment) -> Option<Arc<Identity>> {
        let mut unlocked = held(&self.unlocked);
        unlocked.retain(|_, (_, until)| now < *until);
        let (identity, until) = unlocked.get_mut(session)?;
        *until = Moment(now.0 + UNLOCKED_SECONDS);
        Some(Arc::clone(identity))
    }

    pub(crate) fn unlock(&self, session: &str, identity: Identity) {
        let until = Moment(self.now().0 + UNLOCKED_SECONDS);
        held(&self.unlocked).insert(session.to_owned(), (Arc::new(identity), until));
    }

    pub(crate) fn lock(&self, session: &str) {
        held(&self.unlocked).remove(session);
    }
}

/// What a lock holds. Whoever panicked with it left nothing half done: each change is one step.
pub(crate) fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

// ---- addresses ------------------------------------------------------------------------------------------------------

/// Leads elsewhere, by `GET`.
pub(crate) fn redirect(to: &str) -> Response {
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

/// Where to prove anew who one is, and to come back from to a page of our own.
pub fn step_up(next: &str) -> Response {
    redirect(&format!("/step-up?next={}", escaped(next)))
}

/// An address to come back to, if it is a path of our own and nothing else; else the beginning. `//host` and `/\host`
/// are other hosts to a browser.
pub(crate) fn own_path(next: &str) -> &str {
    let own = next.starts_with('/') && !next.starts_with("//") && next.len() <= NEXT_CHARS_MAX;
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\<>\"^`{|}".contains(&byte));
    if own && plain { next } else { "/" }
}

/// A text as the value of a parameter in an address.
pub(crate) fn escaped(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-~".contains(byte);
    text.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

// ---- what goes wrong ------------------------------------------------------------------------------------------------

/// Why a page of somebody signed in was not shown, or what a form says not done.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Nobody is signed in, or no more.
    #[error("you are signed out: sign in, and send it again")]
    SignedOut,
    /// It does not come from a form of this session.
    #[error("this does not come from a page of yours here, or from one of an earlier session: open the page again")]
    Forged,
    /// Not theirs.
    #[error("this is for others: {0}")]
    NotYours(String),
    /// A customer's session, and the page is none for it.
    #[error("this is not for customers")]
    NotForCustomers,
    /// A page for customers.
    #[error("this is for customers")]
    ForCustomers,
    /// The clerk did not do it.
    #[error(transparent)]
    Clerk(#[from] clerk::Error),
    /// What must not happen.
    #[error("{0}; this is a defect of Tribune's, please report it")]
    Defect(String),
}

impl From<RecordError> for Trouble {
    fn from(error: RecordError) -> Self {
        Self::Clerk(error.into())
    }
}

impl Trouble {
    /// As what it is answered.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::SignedOut | Self::Forged | Self::NotYours(_) | Self::NotForCustomers | Self::ForCustomers => {
                StatusCode::FORBIDDEN
            }
            Self::Clerk(error) => match error {
                clerk::Error::Denied(_) => StatusCode::FORBIDDEN,
                clerk::Error::Unknown(_) | clerk::Error::Erased(_) | clerk::Error::Nobody(_) => StatusCode::NOT_FOUND,
                clerk::Error::Refused(_) | clerk::Error::Busy => StatusCode::CONFLICT,
                clerk::Error::Form(_) | clerk::Error::Wrong(_) => StatusCode::UNPROCESSABLE_ENTITY,
                clerk::Error::Record(_) | clerk::Error::Log(_) => StatusCode::SERVICE_UNAVAILABLE,
                clerk::Error::Strange { .. } | clerk::Error::Defect(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
            Self::Defect(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let why = self.to_string();
        let mut answer = (self.status(), format!("{why}\n")).into_response();
        answer.extensions_mut().insert(Why(why));
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_leads_back_to_paths_of_our_own_alone() {
        for own in ["/", "/console/case/c1?tab=a&page=2", "/me#keys", "/a//b"] {
            assert_eq!(own_path(own), own);
        }
        let long = format!("/{}", "a".repeat(NEXT_CHARS_MAX));
        for other in [
            "",
            "console",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/a\r\nSet-Cookie: b",
            "/é",
            "\\\\evil.example",
            " /a",
            &long,
        ] {
            assert_eq!(own_path(other), "/", "{other:?}");
        }
        assert_eq!(escaped("/a?b=c&d#é"), "/a%3Fb%3Dc%26d%23%C3%A9");
    }
}
