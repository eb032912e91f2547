//! Who is signed in: sessions, kept on the server and found by the digest of a token that only the browser has.
//!
//! Handlers take [`Session`] (somebody of the provider's) or [`CustomerSession`] as an argument; both deref to
//! [`Signed`], what any session has. They come from the guard that [`crate::routes`] puts before a route, which is the
//! only way to one: a handler on a route without it is answered as a defect.
//!
//! Sessions lie in the database, so that any replica knows them. Keys that were unlocked are in this process's memory
//! alone, and with another replica they are locked. It checks no password: that is [`crate::sign_in`]'s.

use crate::answer::Problem;
use crate::sign_in::{SignIn, forged, signed_out};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clerk::Sender;
use review::roster::Member;
use review::words::{CustomerId, Digest, Moment, PersonId, Role};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;
use store::{Identity, Slip};
use subtle::ConstantTimeEq as _;

/// The drawer of sessions.
pub(crate) const SESSIONS: &str = "session";
/// A session without a request for so long is over.
const IDLE_SECONDS: i64 = 30 * 60;
/// A session is over after this, whatever it did.
const LIFE_SECONDS: i64 = 12 * 60 * 60;
/// How long somebody who proved who they are need not do it again.
pub(crate) const FRESH_SECONDS: i64 = 5 * 60;
/// Requests in between do not write that the session is in use.
const SEEN_SECONDS: i64 = 60;

/// Who a session is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// Somebody on the roster.
    Person(PersonId),
    /// A customer: whoever it lets in.
    Customer(CustomerId),
}

impl Who {
    /// The name that all sessions, accounts and keys of theirs are found by.
    pub(crate) fn holder(&self) -> String {
        match self {
            Self::Person(person) => format!("person/{person}"),
            Self::Customer(customer) => format!("customer/{customer}"),
        }
    }
}

/// How somebody signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// With a local account of this name.
    Account(String),
    /// At the OpenID provider, as this issuer and subject.
    Provider(String),
}

/// A session as it lies in the drawer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Its name for its holder; it opens nothing.
    pub(crate) id: String,
    pub(crate) who: Who,
    pub(crate) how: How,
    pub(crate) began: Moment,
    pub(crate) seen: Moment,
    /// When they last proved who they are.
    pub(crate) proved: Option<Moment>,
    csrf: String,
}

impl Kept {
    fn until(&self) -> Moment {
        Moment((self.seen.0 + IDLE_SECONDS).min(self.began.0 + LIFE_SECONDS))
    }
}

/// Whoever is signed in.
#[derive(Clone)]
pub struct Signed {
    pub(crate) kept: Kept,
    /// The digest of the token, by which the session is found.
    pub(crate) name: String,
    pub(crate) sign_in: Arc<SignIn>,
    /// What they are, where they are a person.
    member: Option<Member>,
    /// When the request came, by the machine's clock.
    now: Moment,
}

impl Signed {
    /// Who.
    pub fn who(&self) -> &Who {
        &self.kept.who
    }

    /// Who, to the clerk: a person by the identity they signed in with.
    pub fn sender(&self) -> Sender {
        match (&self.kept.who, &self.kept.how) {
            (Who::Person(_), How::Provider(identity)) => Sender::Person(identity.clone()),
            (Who::Person(person), How::Account(_)) => Sender::Person(person.to_string()),
            (Who::Customer(customer), _) => Sender::Customer(customer.clone()),
        }
    }

    /// The token that each form of this session carries, in the hidden field `token` ([`crate::form::Form::new`]).
    pub fn csrf(&self) -> &str {
        &self.kept.csrf
    }

    /// Holds if a form carries this session's token.
    ///
    /// # Errors
    /// It is another one, or none.
    pub fn check_csrf(&self, token: &str) -> Result<(), Problem> {
        let same: bool = self.kept.csrf.as_bytes().ct_eq(token.as_bytes()).into();
        if same { Ok(()) } else { Err(forged()) }
    }

    /// Whether they proved who they are in the last five minutes. Approving, and unlocking a key, need it: if it is
    /// false, send them to [`step_up`](crate::sign_in::step_up) and back.
    pub fn is_fresh(&self) -> bool {
        self.kept.proved.is_some_and(|at| (0..=FRESH_SECONDS).contains(&(self.now.0 - at.0)))
    }
}

/// A session of somebody of the provider's.
#[derive(Clone)]
pub struct Session {
    signed: Signed,
    person: PersonId,
    member: Member,
    who: String,
}

impl Session {
    /// The identity they signed in with, for [`Sender::Person`].
    pub fn who(&self) -> &str {
        &self.who
    }

    /// Their number on the roster.
    pub fn person(&self) -> &PersonId {
        &self.person
    }

    /// What they may be in a review.
    pub fn roles(&self) -> &BTreeSet<Role> {
        &self.member.roles
    }

    /// What the roster says of them.
    pub fn member(&self) -> &Member {
        &self.member
    }

    /// Their own `age` identity, if it is unlocked in this process.
    pub fn unlocked(&self) -> Option<Arc<Identity>> {
        self.signed.sign_in.unlocked(&self.signed.kept.id, self.signed.now)
    }
}

impl Deref for Session {
    type Target = Signed;

    fn deref(&self) -> &Signed {
        &self.signed
    }
}

/// A session of a customer.
#[derive(Clone)]
pub struct CustomerSession {
    signed: Signed,
    customer: CustomerId,
}

impl CustomerSession {
    /// Which customer.
    pub fn customer(&self) -> &CustomerId {
        &self.customer
    }
}

impl Deref for CustomerSession {
    type Target = Signed;

    fn deref(&self) -> &Signed {
        &self.signed
    }
}

impl Signed {
    /// As a session of somebody of the provider's, if it is one.
    pub(crate) fn person(&self) -> Option<Session> {
        let (Who::Person(person), Some(member)) = (&self.kept.who, &self.member) else { return None };
        let Sender::Person(who) = self.sender() else { return None };
        Some(Session { signed: self.clone(), person: person.clone(), member: member.clone(), who })
    }

    fn customer(&self) -> Option<CustomerSession> {
        let Who::Customer(customer) = &self.kept.who else { return None };
        Some(CustomerSession { signed: self.clone(), customer: customer.clone() })
    }

    /// What they may be in a review; nothing for a customer.
    pub(crate) fn roles(&self) -> BTreeSet<Role> {
        self.member.as_ref().map(|member| member.roles.clone()).unwrap_or_default()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Signed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let unguarded = || Problem::defect("a handler takes a session on a route that has no guard");
        parts.extensions.get::<Self>().cloned().ok_or_else(unguarded)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Signed::from_request_parts(parts, state)
            .await?
            .person()
            .ok_or_else(|| Problem::wrong(StatusCode::FORBIDDEN, "this page is not for customers"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for CustomerSession {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Signed::from_request_parts(parts, state)
            .await?
            .customer()
            .ok_or_else(|| Problem::wrong(StatusCode::FORBIDDEN, "this page is for customers"))
    }
}

// ---- keeping them ---------------------------------------------------------------------------------------------------

/// A cookie to be set: the session's token, or what takes it away.
pub type SetCookie = (header::HeaderName, String);

impl SignIn {
    /// Begins a session, whatever session the browser had before; `proved` where they proved just now who they are.
    /// Gives the cookie to set.
    ///
    /// # Errors
    /// The database failed.
    pub async fn begin(&self, who: Who, how: How, proved: bool) -> Result<SetCookie, Problem> {
        let now = self.now();
        let proved = proved.then_some(now);
        let kept = Kept { id: self.drawn(9), who, how, began: now, seen: now, proved, csrf: self.drawn(24) };
        // Now and then is often enough, and signing in is seldom.
        self.clerk.record().clear_drawer(now).await.map_err(clerk::Error::from)?;
        self.keep_new(&kept).await
    }

    /// Notes that somebody proved anew who they are: the same session, under a new token.
    pub(crate) async fn prove(&self, signed: &Signed) -> Result<SetCookie, Problem> {
        let now = self.now();
        if !self.clerk.record().take_slip(SESSIONS, &signed.name).await.map_err(clerk::Error::from)? {
            return Err(signed_out());
        }
        self.keep_new(&Kept { seen: now, proved: Some(now), ..signed.kept.clone() }).await
    }

    async fn keep_new(&self, kept: &Kept) -> Result<SetCookie, Problem> {
        let token = self.drawn(32);
        if !self
            .clerk
            .record()
            .put_slip(SESSIONS, &slip(kept, name_of(&token), 0)?)
            .await
            .map_err(clerk::Error::from)?
        {
            return Err(Problem::defect("a token that was drawn was there already"));
        }
        Ok(self.cookie(self.cookie_name(), &token, LIFE_SECONDS))
    }

    /// Whoever is signed in by what a request's head says.
    pub(crate) async fn signed(self: &Arc<Self>, headers: &HeaderMap) -> Result<Option<Signed>, Problem> {
        let Some(token) = cookie(headers, self.cookie_name()) else { return Ok(None) };
        let (record, name, now) = (self.clerk.record(), name_of(token), self.now());
        let Some(slip) = record.slip(SESSIONS, &name, now).await.map_err(clerk::Error::from)? else { return Ok(None) };
        let mut kept: Kept = parsed(&slip)?;
        let member = match &kept.who {
            Who::Customer(_) => None,
            Who::Person(person) => {
                let roster = self.clerk.roster().await?;
                let member = roster.present(person, (self.record_clock)()).cloned();
                let same = match &kept.how {
                    How::Provider(identity) => roster.identified(identity) == Some(person),
                    How::Account(_) => true,
                };
                let Some(member) = member.filter(|_| same) else {
                    // Who has left the roster has left; so has an identity that is not theirs any more.
                    record.take_slips_of(SESSIONS, &kept.who.holder(), None).await.map_err(clerk::Error::from)?;
                    return Ok(None);
                };
                Some(member)
            }
        };
        if now.0 - kept.seen.0 >= SEEN_SECONDS {
            kept.seen = now;
            // A request at the same time may have written it, too, and says the same.
            record
                .put_slip(SESSIONS, &self::slip(&kept, name.clone(), slip.version)?)
                .await
                .map_err(clerk::Error::from)?;
        }
        Ok(Some(Signed { kept, name, sign_in: Arc::clone(self), member, now }))
    }

    /// Ends a session; its token opens nothing from now on, at any replica.
    pub(crate) async fn end(&self, signed: &Signed) -> Result<SetCookie, Problem> {
        self.clerk.record().take_slip(SESSIONS, &signed.name).await.map_err(clerk::Error::from)?;
        self.lock(&signed.kept.id);
        Ok(self.cookie(self.cookie_name(), "", 0))
    }

    /// Ends all of somebody's sessions, but for one where it is named.
    ///
    /// # Errors
    /// The database failed.
    pub async fn end_all(&self, who: &Who, but: Option<&Signed>) -> Result<u64, Problem> {
        for (_, kept) in self.sessions_of(who).await? {
            if but.is_none_or(|but| but.kept.id != kept.id) {
                self.lock(&kept.id);
            }
        }
        let but = but.map(|signed| signed.name.as_str());
        Ok(self.clerk.record().take_slips_of(SESSIONS, &who.holder(), but).await.map_err(clerk::Error::from)?)
    }

    /// Somebody's sessions, each with the name it is found by.
    pub(crate) async fn sessions_of(&self, who: &Who) -> Result<Vec<(String, Kept)>, Problem> {
        let slips =
            self.clerk.record().slips_of(SESSIONS, &who.holder(), self.now()).await.map_err(clerk::Error::from)?;
        slips.into_iter().map(|slip| Ok((slip.name.clone(), parsed(&slip)?))).collect()
    }

    /// Ends one of somebody's own sessions, by its name for them.
    pub(crate) async fn end_one(&self, who: &Who, id: &str) -> Result<bool, Problem> {
        let sessions = self.sessions_of(who).await?;
        let Some((name, kept)) = sessions.into_iter().find(|(_, kept)| kept.id == id) else { return Ok(false) };
        self.lock(&kept.id);
        Ok(self.clerk.record().take_slip(SESSIONS, &name).await.map_err(clerk::Error::from)?)
    }

    fn cookie_name(&self) -> &'static str {
        if self.is_secure() { "__Host-tribune" } else { "tribune" }
    }

    pub(crate) fn cookie(&self, name: &str, value: &str, seconds: i64) -> SetCookie {
        let secure = if self.is_secure() { "; Secure" } else { "" };
        let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        (header::SET_COOKIE, text)
    }
}

fn name_of(token: &str) -> String {
    Digest::of(token).to_string()
}

fn slip(kept: &Kept, name: String, version: u64) -> Result<Slip, Problem> {
    let body = serde_json::to_vec(kept).map_err(|error| Problem::defect(error.to_string()))?;
    Ok(Slip { name, holder: kept.who.holder(), version, until: kept.until(), body })
}

fn parsed(slip: &Slip) -> Result<Kept, Problem> {
    serde_json::from_slice(&slip.body).map_err(|error| Problem::defect(format!("a session has another form: {error}")))
}

/// The value of a cookie. One that comes twice is none: another host of the domain may have set one of them.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(own, _)| *own == name).map(|(_, value)| value);
    values.next().filter(|_| values.next().is_none())
}

/// Bytes that chance drew, as text that fits into a cookie, an address and a form.
pub(crate) fn as_text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
