//! What every page needs, and the router of all pages.
//!
//! Each group of pages is a module with a list of its routes, put together here; what is true of every answer is `answer`'s.
//! Time, chance and complaints are closures; whoever builds [`Pages`] has the machine's.

use crate::explore::{Numbers, Usage};
use crate::routes::{Place, Route};
use crate::sign_in::SignIn;
use crate::ticket::Tickets;
use crate::{answer, console, customer, me, public, routes, sign_in, tipline};
use axum::Router;
use axum::http::Uri;
use axum::middleware::from_fn_with_state;
use clerk::{Clerk, Papers};
use hmac::{Hmac, Mac as _};
use review::procedure::Procedure;
use review::words::{CommandId, Moment};
use sha2::Sha256;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// What pages say of the installation.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The provider's name, as it is shown.
    pub provider: String,
    /// Where the pages are: `https://host` or `http://127.0.0.1:8402`, without a path.
    pub base: String,
    /// The same pages as an onion service, for those who come by Tor: `http://NAME.onion`.
    pub onion: Option<String>,
    /// The folder that the world reads: `log/`, `statements/`, `transparency/`.
    pub public: PathBuf,
    /// The log's name for itself.
    pub log_origin: String,
    /// The log's key, as a verifier takes it.
    pub log_key: String,
    /// The clauses under which cases open.
    pub policies: Vec<PolicyText>,
    /// Everything here is simulated, and every page says so.
    pub simulated: bool,
}

/// A policy pack, as far as pages show it.
#[derive(Clone, Debug)]
pub struct PolicyText {
    /// Its id.
    pub id: String,
    /// What a reader calls it.
    pub title: String,
    /// Its version.
    pub version: String,
    /// `sha256:…` over all its files.
    pub digest: String,
    /// The clause, in Markdown.
    pub clause: String,
    /// Elements, steps, interventions, and what is never a target.
    pub procedure: Procedure,
    /// Each signal: its family, its id, what it says, what else it may be.
    pub signals: Vec<[String; 4]>,
    /// Its numbers, which may be tried otherwise.
    pub numbers: Numbers,
}

/// Fills bytes with chance.
pub type Chance = Box<dyn FnMut(&mut [u8]) + Send>;

/// What the machine gives.
pub struct Means {
    /// Now.
    pub now: Box<dyn Fn() -> Moment + Send + Sync>,
    /// Chance.
    pub chance: Chance,
    /// Told of what is our own fault. Never of what anybody asked for or wrote.
    pub complain: Box<dyn Fn(&str) + Send + Sync>,
    /// The usage that may be asked, where any is watched.
    pub usage: Option<Arc<dyn Usage>>,
}

/// An address at which no pages can be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Where browsers are to find them.
    #[error(
        "`{0}` is no address of the pages: write `https://HOST`, or `http://127.0.0.1:PORT` for this machine alone"
    )]
    Base(String),
    /// For those who come by Tor.
    #[error("`{0}` is no onion service's address: write `http://NAME.onion`, as its `hostname` file has it")]
    Onion(String),
}

/// What every page needs.
pub struct Pages {
    /// Who takes what is asked.
    pub clerk: Arc<Clerk>,
    /// For whom private texts are besides those of a case.
    pub papers: Papers,
    /// Of the installation.
    pub settings: Settings,
    /// The tickets of public forms.
    pub tickets: Tickets,
    pub(crate) public: public::Reading,
    pub(crate) tip: tipline::Line,
    now: Box<dyn Fn() -> Moment + Send + Sync>,
    chance: Mutex<Chance>,
    complain: Box<dyn Fn(&str) + Send + Sync>,
    key: Zeroizing<[u8; 32]>,
    /// What each session looks at something for.
    pub(crate) purposes: console::Purposes,
    pub(crate) usage: Option<Arc<dyn Usage>>,
    /// What was asked of it.
    pub(crate) answers: console::Answers,
}

impl Pages {
    /// Puts them together.
    ///
    /// # Errors
    /// An address is none of pages.
    pub fn new(clerk: Arc<Clerk>, papers: Papers, mut settings: Settings, means: Means) -> Result<Self, AddressError> {
        settings.base = origin(&settings.base).ok_or(AddressError::Base(settings.base))?;
        if let Some(onion) = &mut settings.onion {
            *onion = onion_service(onion).ok_or_else(|| AddressError::Onion(onion.clone()))?;
        }
        let Means { now, mut chance, complain, usage } = means;
        let (mut key, mut tickets) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
        chance(&mut *key);
        chance(&mut *tickets);
        let (tickets, public, tip) = (Tickets::new(tickets), public::Reading::default(), tipline::Line::default());
        Ok(Self {
            clerk,
            papers,
            settings,
            tickets,
            public,
            tip,
            now,
            chance: Mutex::new(chance),
            complain,
            key,
            purposes: console::Purposes::default(),
            usage,
            answers: console::Answers::default(),
        })
    }

    /// Now.
    pub fn now(&self) -> Moment {
        (self.now)()
    }

    /// Bytes by chance.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
        chance(&mut bytes);
        bytes
    }

    /// An id for a command, drawn when its form is shown, so that a form that is sent twice is carried out once.
    pub fn command(&self) -> String {
        format!("w-{}", self.random::<16>().map(|byte| format!("{byte:02x}")).concat())
    }

    /// The command of a form, if it has the form that [`Self::command`] gives.
    pub fn is_command(text: &str) -> Option<CommandId> {
        let drawn = text.strip_prefix("w-").filter(|rest| rest.len() == 32);
        drawn.filter(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit())).and_then(|_| text.parse().ok())
    }

    /// The token that binds a form to a session: who cannot read the session's pages does not know it.
    pub fn bound_token(&self, session: &[u8]) -> String {
        self.bound(session).map_or_else(String::new, |mac| crate::ticket::text(&mac.finalize().into_bytes()))
    }

    /// Whether a token is the one of this session.
    pub fn is_bound(&self, session: &[u8], token: &str) -> bool {
        let given = crate::ticket::bytes(token);
        let mac = self.bound(session).filter(|_| !session.is_empty());
        mac.zip(given).is_some_and(|(mac, given)| mac.verify_slice(&given).is_ok())
    }

    fn bound(&self, session: &[u8]) -> Option<Hmac<Sha256>> {
        // A key of any length is taken.
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.key).ok()?;
        mac.update(b"tribune session form 1\n");
        mac.update(session);
        Some(mac)
    }

    /// Says what is our own fault, where somebody can mend it. Never what anybody asked for or wrote.
    pub fn complain(&self, what: &str) {
        (self.complain)(what);
    }

    /// Every address at which they are: the base first.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = &str> {
        [&self.settings.base].into_iter().chain(&self.settings.onion).map(String::as_str)
    }

    /// Whether the pages are reached over TLS, so that cookies may be `__Host-` and `Secure`.
    pub fn is_secure(&self) -> bool {
        self.settings.base.starts_with("https://")
    }
}

/// The routes of all pages.
fn routes() -> Vec<Route<Arc<Pages>>> {
    let groups =
        [public::routes(), tipline::routes(), sign_in::routes(), me::routes(), customer::routes(), console::routes()];
    groups.into_iter().flatten().collect()
}

/// Every route there is, with who may use it: what `docs/routes.md` shows.
pub fn places() -> Vec<Place> {
    routes().into_iter().map(|route| route.place).collect()
}

/// What people do in a case, each by the name that its form has in `/console/cases/{id}/do/{deed}`.
pub fn deeds() -> impl Iterator<Item = &'static str> {
    console::deeds()
}

/// Every page. [`crate::serve`] it, beside the gate's interfaces.
pub fn router(pages: Arc<Pages>, sign_in: &Arc<SignIn>) -> Router {
    Router::new()
        .merge(routes::router(routes(), sign_in))
        .fallback(answer::missing)
        .layer(from_fn_with_state(Arc::clone(&pages), answer::every))
        .with_state(pages)
}

/// Scheme, host and port, as a browser's `Origin` has them; none of what has more, or is over plain HTTP elsewhere than on
/// this machine.
fn origin(base: &str) -> Option<String> {
    let uri: Uri = base.trim_end_matches('/').to_ascii_lowercase().parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let bare = uri.path() == "/" && uri.query().is_none() && !authority.as_str().contains('@');
    let local = matches!(authority.host(), "127.0.0.1" | "localhost" | "[::1]") || authority.host().ends_with(".onion");
    let usual = match scheme {
        "https" => 443,
        "http" if local => 80,
        _ => return None,
    };
    let port = authority.port_u16().filter(|port| *port != usual).map(|port| format!(":{port}")).unwrap_or_default();
    bare.then(|| format!("{scheme}://{}{port}", authority.host()))
}

/// The same of an onion service: plain HTTP, at a name of Tor's.
fn onion_service(address: &str) -> Option<String> {
    origin(address).filter(|own| own.starts_with("http://") && own.ends_with(".onion"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_onion_service_is_one_of_tors() {
        assert_eq!(onion_service("http://Abc.onion/").as_deref(), Some("http://abc.onion"));
        for other in ["https://abc.onion", "http://127.0.0.1:8402", "abc.onion", "http://abc.onion.example", ""] {
            assert_eq!(onion_service(other), None, "{other}");
        }
    }

    #[test]
    fn a_base_is_an_origin() {
        for (base, is) in [
            ("https://Tribune.Example", Some("https://tribune.example")),
            ("https://tribune.example:443/", Some("https://tribune.example")),
            ("https://tribune.example:8443", Some("https://tribune.example:8443")),
            ("http://127.0.0.1:8402", Some("http://127.0.0.1:8402")),
            ("http://abc.onion", Some("http://abc.onion")),
            ("http://tribune.example", None),
            ("https://tribune.example/path", None),
            ("https://me@tribune.example", None),
            ("tribune.example", None),
            ("", None),
        ] {
            assert_eq!(origin(base).as_deref(), is, "{base}");
        }
    }

    #[test]
    fn a_command_is_what_was_drawn() {
        assert!(Pages::is_command(&format!("w-{}", "0a".repeat(16))).is_some());
        for other in ["", "w-", "w-zz", &format!("x-{}", "0a".repeat(16)), &format!("w-{}", "é".repeat(16))] {
            assert!(Pages::is_command(other).is_none(), "{other}");
        }
    }
}
