//! `/me`: what somebody is here, where they are signed in, and the keys of their own.
//!
//! For customers it has their sessions alone. Who has which role is the roster's, and is changed elsewhere.

use crate::answer::{Problem, page, page_with, see};
use crate::form::{Form, Posted, Takes};
use crate::frame::{Frame, Reader, SignedIn};
use crate::own_keys::Kind;
use crate::pages::Pages;
use crate::routes::{May, Route};
use crate::session::{How, Kept, Session, Signed, Who};
use crate::sign_in::{SignIn, step_up};
use crate::visible::filters;
use crate::words::Language;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use clerk::keys::KEY_BYTES_MAX;
use review::words::Role;
use std::sync::Arc;

type House = State<Arc<Pages>>;
type Door = Extension<Arc<SignIn>>;

const PEOPLE: May = May::Roles(&Role::ALL);

/// The routes.
pub(crate) fn routes() -> Vec<Route<Arc<Pages>>> {
    vec![
        Route::get("/me", May::SignedIn, "one's roles, sessions and keys", me),
        Route::post("/me/sessions", May::SignedIn, "end one of one's sessions, or all others", end_sessions),
        Route::post("/me/keys", PEOPLE, "put a key of one's own here", enrol),
        Route::post("/me/keys/remove", PEOPLE, "take a key of one's own away", remove_key),
        Route::post("/me/unlock", PEOPLE, "unlock the key one reads with", unlock),
        Route::post("/me/lock", PEOPLE, "lock it again", lock),
    ]
}

impl Signed {
    /// Who they are, as they are called.
    pub fn name(&self) -> String {
        match self.who() {
            Who::Person(person) => person.to_string(),
            Who::Customer(customer) => customer.to_string(),
        }
    }

    /// The frame of a page of theirs that is of neither the console nor the customer's.
    pub(crate) fn frame(&self, pages: &Pages, reader: &Reader, title: &str) -> Frame {
        let (home, links) = match self.who() {
            Who::Person(_) => ("/console", crate::console::links(&self.roles())),
            Who::Customer(_) => ("/customer", crate::customer::links()),
        };
        let signed_in = SignedIn { name: self.name(), token: self.csrf().to_owned() };
        Frame::inside(pages, reader, title, links, home, Some(signed_in))
    }
}

/// A session, as it is shown to whose it is.
struct Shown {
    id: String,
    began: String,
    seen: String,
    how: String,
    this: bool,
}

/// The keys of somebody's own.
struct Keys {
    reads: bool,
    unlocked: bool,
    reads_with: Vec<String>,
    signs: bool,
    /// Each with how it is held.
    keys: Vec<(String, &'static str)>,
}

#[derive(Template)]
#[template(path = "me.html")]
struct MePage {
    frame: Frame,
    roles: Vec<&'static str>,
    outside: bool,
    how: String,
    /// Their password is kept here.
    own_password: bool,
    fresh: bool,
    sessions: Vec<Shown>,
    keys: Option<Keys>,
    token: String,
    /// The form that was posted, shown again; one at a time.
    form: Form,
    /// Which of the forms that is.
    kind: &'static str,
}

impl MePage {
    async fn of(pages: &Pages, reader: &Reader, signed: &Signed) -> Result<Self, Problem> {
        let session = signed.person();
        let keys = match &session {
            Some(session) => Some(Self::keys(session).await?),
            None => None,
        };
        let sessions = signed.sign_in.sessions_of(signed.who()).await?;
        let mut sessions: Vec<Shown> = sessions.into_iter().map(|(_, kept)| shown(&kept, signed)).collect();
        sessions.sort_by(|a, b| (b.this, &b.seen).cmp(&(a.this, &a.seen)));
        Ok(Self {
            frame: signed.frame(pages, reader, "You"),
            roles: signed.roles().into_iter().map(Role::name).collect(),
            outside: session.is_some_and(|session| session.member().outside),
            how: how(&signed.kept.how),
            own_password: matches!(signed.kept.how, How::Account(_)),
            fresh: signed.is_fresh(),
            sessions,
            keys,
            token: signed.csrf().to_owned(),
            form: empty(signed),
            kind: "",
        })
    }

    async fn keys(session: &Session) -> Result<Keys, Problem> {
        let form = |form: review::roster::KeyForm| match form {
            review::roster::KeyForm::Ssh => "on your own machine or token",
            review::roster::KeyForm::Passphrase => "opened by a passphrase",
        };
        Ok(Keys {
            reads: session.own_key(Kind::Reads).await?.is_some(),
            unlocked: session.unlocked().is_some(),
            reads_with: session.member().reads_with.iter().cloned().collect(),
            signs: session.own_key(Kind::Signs).await?.is_some(),
            keys: session.member().keys.iter().map(|(key, held)| (key.to_string(), form(*held))).collect(),
        })
    }

    /// The form to bring a key of a kind with: the one that was posted, or an empty one.
    fn key_form(&self, kind: &str) -> Form {
        if self.kind == kind {
            self.form.clone()
        } else {
            Form::new(Language::English, String::new(), self.token.clone())
        }
    }
}

fn empty(signed: &Signed) -> Form {
    Form::new(Language::English, String::new(), signed.csrf().to_owned())
}

fn how(how: &How) -> String {
    match how {
        How::Account(name) => format!("with the local account {name}"),
        How::Provider(identity) => format!("at the sign-in provider, as {identity}"),
    }
}

fn shown(kept: &Kept, signed: &Signed) -> Shown {
    let this = kept.id == signed.kept.id;
    Shown { id: kept.id.clone(), began: kept.began.to_string(), seen: kept.seen.to_string(), how: how(&kept.how), this }
}

async fn me(State(pages): House, reader: Reader, signed: Signed) -> Result<Response, Problem> {
    page(&MePage::of(&pages, &reader, &signed).await?)
}

async fn end_sessions(Extension(door): Door, signed: Signed, posted: Posted) -> Result<Response, Problem> {
    signed.check_csrf(posted.get("token"))?;
    match posted.get("session") {
        "others" => drop(door.end_all(signed.who(), Some(&signed)).await?),
        // One that is over by now is as it should be.
        id => drop(door.end_one(signed.who(), id).await?),
    }
    Ok(see("/me#sessions"))
}

async fn enrol(State(pages): House, reader: Reader, session: Session, posted: Posted) -> Result<Response, Problem> {
    session.check_csrf(posted.get("token"))?;
    let kind = Kind::of(posted.get("kind")).ok_or_else(Problem::missing)?;
    if !session.is_fresh() {
        return Ok(step_up("/me#keys"));
    }
    let mut form = empty(&session);
    // A binary file is a third longer in base64.
    let file = form.read(&posted, "file", Takes::TEXT.at_most(2 * KEY_BYTES_MAX));
    form.read(&posted, "passphrase", Takes::LINE.at_most(1_000));
    form.fill("passphrase", "");
    if form.is_good() {
        match session.enrol(kind, &file, posted.get("passphrase")).await {
            Ok(()) => return Ok(see("/me#keys")),
            Err(error) => form.refuse("file", beside(error)?),
        }
    }
    let mut shown = MePage::of(&pages, &reader, &session).await?;
    (shown.form, shown.kind) = (form, kind.name());
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown)
}

/// What is said beside a field; what is no fault of what was typed stays a problem.
fn beside(error: clerk::Error) -> Result<String, Problem> {
    match error {
        clerk::Error::Wrong(says) => Ok(says),
        clerk::Error::Busy => Ok(error.to_string()),
        error => Err(error.into()),
    }
}

async fn remove_key(session: Session, posted: Posted) -> Result<Response, Problem> {
    session.check_csrf(posted.get("token"))?;
    let kind = Kind::of(posted.get("kind")).ok_or_else(Problem::missing)?;
    if !session.is_fresh() {
        return Ok(step_up("/me#keys"));
    }
    session.drop_key(kind).await?;
    Ok(see("/me#keys"))
}

async fn unlock(State(pages): House, reader: Reader, session: Session, posted: Posted) -> Result<Response, Problem> {
    session.check_csrf(posted.get("token"))?;
    if !session.is_fresh() {
        return Ok(step_up("/me#keys"));
    }
    let mut form = empty(&session);
    form.read(&posted, "passphrase", Takes::LINE.at_most(1_000));
    form.fill("passphrase", "");
    if form.is_good() {
        match session.unlock(posted.get("passphrase")).await {
            Ok(()) => return Ok(see(own_or_me(posted.get("next")))),
            Err(problem) if problem.status.is_client_error() => {
                form.refuse("passphrase", problem.says.unwrap_or("it does not open".to_owned()));
            }
            Err(problem) => return Err(problem),
        }
    }
    let mut shown = MePage::of(&pages, &reader, &session).await?;
    (shown.form, shown.kind) = (form, "unlock");
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown)
}

/// Unlocking leads back to the page that wanted it.
fn own_or_me(next: &str) -> &str {
    crate::sign_in::own_path(next).unwrap_or("/me#keys")
}

async fn lock(Extension(door): Door, session: Session, posted: Posted) -> Result<Response, Problem> {
    session.check_csrf(posted.get("token"))?;
    door.lock(&session.kept.id);
    Ok(see("/me#keys"))
}
