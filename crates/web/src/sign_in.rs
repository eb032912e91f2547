//! Signing in, proving anew who one is, signing out.
//!
//! [`SignIn`] is what sessions, accounts and own keys are kept by, one for the whole server. It keeps in memory only what
//! may be lost: keys that were unlocked, and how often was guessed.
//!
//! | module | what it is |
//! |---|---|
//! | [`accounts`] | local accounts: a password and a code |
//! | `provider` | signing in at an OpenID provider |
//! | `guesses` | how often may be guessed |
//! | `key` | the server's own secret |
//! | `pages` | the pages of all that |

pub mod accounts;
mod guesses;
mod key;
mod pages;
mod provider;

pub use key::Key;
pub use provider::ProviderSettings;

use crate::answer::{Problem, see};
use crate::session::{SetCookie, Signed, Who, as_text, cookie};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use clerk::{Clerk, Denial, Error};
use guesses::Guesses;
pub(crate) use pages::routes;
use provider::Provider;
use review::words::Moment;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::Identity;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// The longest address that signing in leads back to.
const NEXT_BYTES_MAX: usize = 2_000;
/// An unlocked key is locked again after so long without a request.
const UNLOCKED_SECONDS: i64 = 30 * 60;
/// Passwords that are held against their hash at one time: each takes 19 MiB.
const HASHING_MAX: usize = 2;
/// Keys that a passphrase is tried on at one time: each takes a quarter of a gibibyte and more.
const OPENING_MAX: usize = 1;
/// A browser that signed in with an account is known to it for so long.
const KNOWN_SECONDS: i64 = 180 * 24 * 60 * 60;

/// How people sign in here.
#[derive(Clone)]
pub struct Settings {
    /// Where the pages are, as [`crate::Settings`] has it. Under `https://` cookies are `Secure` and `__Host-`; on
    /// `http://127.0.0.1` they have a plain name, because a browser would not keep them otherwise.
    pub base: String,
    /// The server's own secret.
    pub key: Key,
    /// An OpenID provider.
    pub provider: Option<ProviderSettings>,
}

type Clock = Box<dyn Fn() -> Moment + Send + Sync>;
type Chance = Box<dyn FnMut(&mut [u8]) + Send>;

/// What signing in takes from the machine.
pub struct Means {
    /// The machine's time: sessions and codes go by it, also where the record's time is simulated.
    pub clock: Clock,
    /// The record's time.
    pub record_clock: Clock,
    /// Chance.
    pub chance: Chance,
}

/// What signing in works with.
pub struct SignIn {
    pub(crate) clerk: Arc<Clerk>,
    base: String,
    key: Key,
    provider: Option<Provider>,
    clock: Clock,
    pub(crate) record_clock: Clock,
    chance: Mutex<Chance>,
    guesses: Guesses,
    /// Those from browsers that are known and in sessions: nobody can make such a mark up, so no flood fills it.
    own_guesses: Guesses,
    /// Passwords of strangers are hashed apart: they queue behind each other, and nobody who is known behind them.
    strangers: Semaphore,
    hashing: Semaphore,
    opening: Semaphore,
    /// By session: a key that was unlocked, and until when it stays so.
    unlocked: Mutex<BTreeMap<String, (Arc<Identity>, Moment)>>,
}

impl SignIn {
    /// A number that follows from the server's secret, a use and a text, and says nothing of any of them.
    pub(crate) fn mark(&self, used_for: &str, text: &str) -> [u8; 32] {
        self.key.mark(used_for, text)
    }

    /// Signing in before a record.
    ///
    /// # Errors
    /// The provider's settings cannot be used.
    pub fn new(clerk: Arc<Clerk>, settings: Settings, means: Means) -> Result<Arc<Self>, Error> {
        let Settings { base, key, provider } = settings;
        let provider = provider.map(|provider| Provider::new(provider, &base)).transpose();
        Ok(Arc::new(Self {
            clerk,
            base,
            key,
            provider: provider.map_err(|error| Error::Wrong(error.to_string()))?,
            clock: means.clock,
            record_clock: means.record_clock,
            chance: Mutex::new(means.chance),
            guesses: Guesses::new(),
            own_guesses: Guesses::new(),
            strangers: Semaphore::new(1),
            hashing: Semaphore::new(HASHING_MAX),
            opening: Semaphore::new(OPENING_MAX),
            unlocked: Mutex::default(),
        }))
    }

    pub(crate) fn now(&self) -> Moment {
        (self.clock)()
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.base.starts_with("https://")
    }

    /// So many bytes that chance draws, as text.
    pub(crate) fn drawn(&self, bytes: usize) -> String {
        let mut drawn = Zeroizing::new(vec![0; bytes]);
        held(&self.chance)(&mut drawn);
        as_text(&drawn)
    }

    /// Notes in the record that somebody was denied something, and hands the answer on.
    pub(crate) async fn denied(&self, signed: &Signed, what: &str, answer: Response) -> Response {
        let problem = answer.extensions().get::<Problem>();
        let why = problem.and_then(|problem| problem.says.clone()).unwrap_or("it was refused".to_owned());
        let (at, who, what) = ((self.record_clock)(), signed.who().holder(), what.to_owned());
        match self.clerk.note_denial(Denial { at, who, what, why }).await {
            Ok(_) => answer,
            Err(error) => Problem::from(error).into_response(),
        }
    }

    // ---- passwords and codes --------------------------------------------------------------------------------------

    /// Whose account it is, if name, password and code are right; and the cookie by which the browser is known to it from
    /// now on.
    async fn by_account(&self, headers: &HeaderMap, given: &Given) -> Result<Tried<(Who, String, SetCookie)>, Problem> {
        let name = accounts::name(&given.name).unwrap_or_default();
        let (guesses, turns, mark) = match self.known(headers, &name) {
            Some(browser) => (&self.own_guesses, &self.hashing, self.key.mark("guess of a known browser", &browser)),
            None => (&self.guesses, &self.strangers, self.key.mark("guess", &name)),
        };
        if let Err(seconds) = guesses.take(&mark, self.now()) {
            return Ok(Tried::TooOften(seconds));
        }
        let Some(who) = self.proved(&name, given, turns).await? else { return Ok(Tried::Wrong) };
        if let Who::Person(person) = &who
            && self.clerk.roster().await?.present(person, (self.record_clock)()).is_none()
        {
            return Ok(Tried::Wrong);
        }
        guesses.forgive(&mark);
        let cookie = self.make_known(&name);
        Ok(Tried::Right((who, name, cookie)))
    }

    /// Whether password and code are those of somebody who is signed in with that account.
    async fn again_by_account(&self, signed: &Signed, given: &Given) -> Result<Tried<()>, Problem> {
        let mark = self.key.mark("guess in a session", &signed.kept.id);
        if let Err(seconds) = self.own_guesses.take(&mark, self.now()) {
            return Ok(Tried::TooOften(seconds));
        }
        match self.proved(&given.name, given, &self.hashing).await? {
            Some(who) if who == *signed.who() => {
                self.own_guesses.forgive(&mark);
                Ok(Tried::Right(()))
            }
            _ => Ok(Tried::Wrong),
        }
    }

    /// Gives somebody who is signed in with a local account another password; their other sessions end. What they give of
    /// the old one is counted as when they sign in.
    async fn change_password(
        &self,
        signed: &Signed,
        given: &Given,
        new: &Zeroizing<String>,
    ) -> Result<Tried<()>, Problem> {
        match self.again_by_account(signed, given).await? {
            Tried::Right(()) => {}
            other => return Ok(other),
        }
        let (key, new, mut salt) = (self.key.clone(), new.clone(), [0; 16]);
        held(&self.chance)(&mut salt);
        let hash = working(&self.hashing, move || accounts::hash(&key, &new, &salt)).await?;
        if !accounts::change_password(self.clerk.record(), &given.name, hash).await? {
            return Err(Error::Busy.into());
        }
        self.end_all(signed.who(), Some(signed)).await?;
        Ok(Tried::Right(()))
    }

    async fn proved(&self, name: &str, given: &Given, turns: &Semaphore) -> Result<Option<Who>, Problem> {
        let record = self.clerk.record();
        let found = match name {
            "" => None,
            name => accounts::find(record, name).await?,
        };
        let (key, account) = (self.key.clone(), found.as_ref().map(|(account, _)| account.clone()));
        let password = Zeroizing::new(given.password.to_string());
        let right = working(turns, move || accounts::is_password_of(&key, account.as_ref(), &password)).await?;
        let Some((account, version)) = found.filter(|_| right) else { return Ok(None) };
        let used = accounts::use_code(record, &self.key, (&account, version), &given.code, self.now()).await?;
        Ok(used.then_some(account.who))
    }

    /// The browser, if it has signed in with this account before.
    fn known(&self, headers: &HeaderMap, name: &str) -> Option<String> {
        let (browser, mark) = cookie(headers, self.known_cookie())?.split_once('.')?;
        let same: bool =
            subtle::ConstantTimeEq::ct_eq(self.known_mark(browser, name).as_bytes(), mark.as_bytes()).into();
        same.then(|| format!("{browser} {name}"))
    }

    fn make_known(&self, name: &str) -> SetCookie {
        let browser = self.drawn(12);
        let value = format!("{browser}.{}", self.known_mark(&browser, name));
        self.cookie(self.known_cookie(), &value, KNOWN_SECONDS)
    }

    fn known_mark(&self, browser: &str, name: &str) -> String {
        as_text(&self.key.mark("known browser", &format!("{browser} {name}")))
    }

    fn known_cookie(&self) -> &'static str {
        if self.is_secure() { "__Host-tribune-known" } else { "tribune-known" }
    }

    fn away_cookie(&self) -> &'static str {
        if self.is_secure() { "__Host-tribune-away" } else { "tribune-away" }
    }

    // ---- own keys in memory ---------------------------------------------------------------------------------------

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

    /// Tries a passphrase on a key, one at a time.
    pub(crate) async fn opening<T: Send + 'static>(
        &self,
        open: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        working(&self.opening, open).await
    }
}

/// What somebody gives to prove who they are.
struct Given {
    name: String,
    password: Zeroizing<String>,
    code: Zeroizing<String>,
}

/// What came of it.
enum Tried<T> {
    Right(T),
    Wrong,
    /// For so many seconds no try is left.
    TooOften(i64),
}

/// Hard work, apart from what answers requests, and only so much of it at one time: more waits.
async fn working<T: Send + 'static>(
    places: &Semaphore,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    // The semaphore is never closed.
    let _place = places.acquire().await.ok();
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Defect(error.to_string()))?
}

/// What a lock holds. Whoever panicked with it left nothing half done: each change is one step.
pub(crate) fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where to prove anew who one is, and to come back from to a page of our own.
pub fn step_up(next: &str) -> Response {
    see(&format!("/step-up?next={}", escaped(next)))
}

/// Nobody is signed in, or no more.
pub(crate) fn signed_out() -> Problem {
    Problem::wrong(StatusCode::FORBIDDEN, "you are signed out: sign in, and send it again")
}

/// It does not come from a form of this session.
pub(crate) fn forged() -> Problem {
    let says = "this does not come from a page of this session of yours: open the page again, and send it from there";
    Problem::wrong(StatusCode::FORBIDDEN, says)
}

/// An address to come back to, if it is a path of our own and nothing else. `//host` and `/\host` are other hosts to a
/// browser.
pub(crate) fn own_path(next: &str) -> Option<&str> {
    let own = next.starts_with('/') && !next.starts_with("//") && next.len() <= NEXT_BYTES_MAX;
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\<>\"^`{|}".contains(&byte));
    (own && plain).then_some(next)
}

/// A text as the value of a parameter in an address.
pub(crate) fn escaped(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_leads_back_to_paths_of_our_own_alone() {
        for own in ["/", "/console/case/c1?tab=a&page=2", "/me#keys", "/a//b"] {
            assert_eq!(own_path(own), Some(own));
        }
        let long = format!("/{}", "a".repeat(NEXT_BYTES_MAX));
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
            assert_eq!(own_path(other), None, "{other:?}");
        }
    }
}
