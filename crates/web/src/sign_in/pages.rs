//! The pages of signing in, of proving anew who one is, of another password, and of signing out.

use super::{Given, SignIn, Tried, forged, own_path, signed_out, step_up};
use crate::answer::{Problem, page, page_with, see};
use crate::form::{Form, Posted, Takes};
use crate::frame::{Frame, Reader};
use crate::pages::Pages;
use crate::routes::{May, Route};
use crate::session::{How, SetCookie, Signed, Who, cookie};
use crate::sign_in::escaped;
use crate::sign_in::provider::ProviderError;
use crate::visible::filters;
use crate::words::Language;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;
use zeroize::Zeroizing;

type House = State<Arc<Pages>>;
type Door = Extension<Arc<SignIn>>;

/// The routes.
pub(crate) fn routes() -> Vec<Route<Arc<Pages>>> {
    vec![
        Route::get("/sign-in", May::Anyone, "sign in", sign_in),
        Route::post("/sign-in", May::Anyone, "sign in with a local account", sign_in_by_account),
        Route::get("/sign-in/provider", May::Anyone, "go to the sign-in provider", to_provider),
        Route::get("/sign-in/provider/back", May::Anyone, "come back from the sign-in provider", from_provider),
        Route::get("/step-up", May::SignedIn, "prove anew who one is", again),
        Route::post("/step-up", May::SignedIn, "prove it with a local account", again_by_account),
        Route::get("/step-up/provider", May::SignedIn, "prove it at the sign-in provider", again_to_provider),
        Route::get("/me/password", May::SignedIn, "the form for another password", password_form),
        Route::post("/me/password", May::SignedIn, "give one's local account another password", password),
        Route::post("/sign-out", May::SignedIn, "sign out", sign_out),
    ]
}

#[derive(Template)]
#[template(path = "sign-in.html")]
struct SignInPage {
    frame: Frame,
    form: Form,
    next: String,
    /// What the provider is called and where it is.
    provider: Option<(String, String)>,
    /// Local accounts can be used.
    account: bool,
    /// Somebody is signed in, and proves anew who they are.
    again: bool,
    says: Option<&'static str>,
}

impl SignInPage {
    fn of(pages: &Pages, door: &SignIn, reader: &Reader, form: Form, next: &str) -> Self {
        let frame = Frame::inside(pages, reader, "Sign in", Vec::new(), "/", None);
        let address = format!("/sign-in/provider?next={}", escaped(next));
        let provider = door.provider.as_ref().map(|provider| (provider.settings.name.clone(), address));
        Self { frame, form, next: next.to_owned(), provider, account: true, again: false, says: None }
    }

    fn again(pages: &Pages, door: &SignIn, reader: &Reader, signed: &Signed, form: Form, next: &str) -> Self {
        let mut page = Self::of(pages, door, reader, form, next);
        page.frame = signed.frame(pages, reader, "Confirm that it is you");
        page.account = matches!(signed.kept.how, How::Account(_));
        let address = format!("/step-up/provider?next={}", escaped(next));
        page.provider = page.provider.filter(|_| !page.account).map(|(name, _)| (name, address));
        page.again = true;
        page
    }
}

/// Where somebody comes to first: to the console, if they have a part there.
async fn home(door: &SignIn, who: &Who) -> Result<&'static str, Problem> {
    let Who::Person(person) = who else { return Ok("/customer") };
    let roster = door.clerk.roster().await?;
    let member = roster.present(person, (door.record_clock)());
    let console = member.is_some_and(|member| crate::console::is_for(&member.roles));
    Ok(if console { "/console" } else { "/me" })
}

fn empty(token: &str) -> Form {
    Form::new(Language::English, String::new(), token.to_owned())
}

fn set(mut answer: Response, cookies: impl IntoIterator<Item = SetCookie>) -> Response {
    for (name, value) in cookies {
        if let Ok(value) = HeaderValue::from_str(&value) {
            answer.headers_mut().append(name, value);
        }
    }
    answer
}

async fn sign_in(
    State(pages): House,
    Extension(door): Door,
    reader: Reader,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let next = reader.asked("next").and_then(own_path).unwrap_or_default().to_owned();
    if let Some(signed) = door.signed(&headers).await? {
        return Ok(see(if next.is_empty() { home(&door, signed.who()).await? } else { &next }));
    }
    let mut shown = SignInPage::of(&pages, &door, &reader, empty(""), &next);
    shown.says = reader.asked("out").map(|_| "You are signed out.");
    page(&shown)
}

/// Reads what somebody gives to prove who they are; nothing of it is shown again but the name.
fn given(form: &mut Form, posted: &Posted) -> Given {
    let takes = Takes::LINE.at_most(super::accounts::PASSWORD_BYTES_MAX);
    for (name, label) in [("name", "Name"), ("password", "Password"), ("code", "Code")] {
        form.call(name, label);
    }
    // A password is taken as it was typed.
    form.read(posted, "password", takes);
    let password = Zeroizing::new(posted.get("password").to_owned());
    let code = Zeroizing::new(form.read(posted, "code", takes));
    form.fill("password", "");
    form.fill("code", "");
    Given { name: String::new(), password, code }
}

const NOT_RIGHT: &str =
    "The name, the password or the code is not right. A code can be used once: wait for the next one.";

fn too_often(seconds: i64) -> String {
    format!("That was tried too often. The next try is possible in {seconds} seconds.")
}

async fn sign_in_by_account(
    State(pages): House,
    Extension(door): Door,
    reader: Reader,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Problem> {
    let next = own_path(posted.get("next")).unwrap_or_default();
    let mut form = empty("");
    let name = form.read(&posted, "name", Takes::LINE);
    let given = Given { name, ..given(&mut form, &posted) };
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    if form.is_good() {
        match door.by_account(&headers, &given).await? {
            Tried::Right((who, account, known)) => {
                let to = if next.is_empty() { home(&door, &who).await? } else { next };
                let before = door.signed(&headers).await?;
                let session = door.begin(who, How::Account(account), true).await?;
                if let Some(before) = before {
                    door.end(&before).await?;
                }
                return Ok(set(see(to), [session, known]));
            }
            Tried::Wrong => form.refuse_all(NOT_RIGHT),
            Tried::TooOften(seconds) => {
                status = StatusCode::TOO_MANY_REQUESTS;
                form.refuse_all(too_often(seconds));
            }
        }
    }
    page_with(status, &SignInPage::of(&pages, &door, &reader, form, next))
}

// ---- at the provider ------------------------------------------------------------------------------------------------

fn problem(error: &ProviderError) -> Problem {
    let status = match error {
        ProviderError::Unreachable(_) => StatusCode::BAD_GATEWAY,
        ProviderError::NotBegun => StatusCode::BAD_REQUEST,
        ProviderError::Refused(_) | ProviderError::Unbelievable(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Problem::wrong(status, error.to_string())
}

async fn going(door: &SignIn, next: &str, proving: Option<String>) -> Result<Response, Problem> {
    let provider = door.provider.as_ref().ok_or_else(Problem::missing)?;
    let going = provider.going(&door.key, next, proving, door.now(), |bytes| door.drawn(bytes)).await;
    let going = going.map_err(|error| problem(&error))?;
    let address = HeaderValue::from_str(&going.address).map_err(|error| Problem::defect(error.to_string()))?;
    let answer = (StatusCode::SEE_OTHER, [(axum::http::header::LOCATION, address)]).into_response();
    Ok(set(answer, [door.cookie(door.away_cookie(), &going.cookie, 600)]))
}

async fn to_provider(Extension(door): Door, reader: Reader) -> Result<Response, Problem> {
    going(&door, reader.asked("next").and_then(own_path).unwrap_or_default(), None).await
}

async fn from_provider(Extension(door): Door, reader: Reader, headers: HeaderMap) -> Result<Response, Problem> {
    let provider = door.provider.as_ref().ok_or_else(Problem::missing)?;
    let away = cookie(&headers, door.away_cookie()).unwrap_or_default();
    let asked = |name: &str| reader.asked(name).unwrap_or_default();
    let given = (asked("state"), asked("code"), reader.asked("error"));
    let back = provider.back(&door.key, away, given, door.now()).await.map_err(|error| problem(&error))?;
    let gone = door.cookie(door.away_cookie(), "", 0);
    let before = door.signed(&headers).await?;
    if let Some(session) = back.proving {
        let signed = before.filter(|signed| signed.name == session).ok_or_else(signed_out)?;
        if signed.kept.how != How::Provider(back.identity) {
            return Err(Problem::wrong(StatusCode::FORBIDDEN, "you signed in there as somebody else"));
        }
        return Ok(set(see(&back.next), [door.prove(&signed).await?, gone]));
    }
    let roster = door.clerk.roster().await?;
    let person =
        roster.identified(&back.identity).filter(|person| roster.present(person, (door.record_clock)()).is_some());
    let Some(person) = person.cloned() else {
        let mend = "two who decide put you on it";
        let says = format!("nobody on the roster signs in as `{}`: {mend}", back.identity);
        return Err(Problem::wrong(StatusCode::FORBIDDEN, says));
    };
    let who = Who::Person(person);
    let to = if back.next.is_empty() { home(&door, &who).await? } else { &back.next };
    let session = door.begin(who.clone(), How::Provider(back.identity), back.proved).await?;
    if let Some(before) = before {
        door.end(&before).await?;
    }
    Ok(set(see(to), [session, gone]))
}

// ---- proving it anew ------------------------------------------------------------------------------------------------

async fn again(
    State(pages): House,
    Extension(door): Door,
    reader: Reader,
    signed: Signed,
) -> Result<Response, Problem> {
    let next = reader.asked("next").and_then(own_path).unwrap_or("/me").to_owned();
    page(&SignInPage::again(&pages, &door, &reader, &signed, empty(signed.csrf()), &next))
}

async fn again_by_account(
    State(pages): House,
    Extension(door): Door,
    reader: Reader,
    signed: Signed,
    posted: Posted,
) -> Result<Response, Problem> {
    signed.check_csrf(posted.get("token"))?;
    let next = own_path(posted.get("next")).unwrap_or("/me");
    let How::Account(name) = signed.kept.how.clone() else { return Err(forged()) };
    let mut form = empty(signed.csrf());
    let given = Given { name, ..given(&mut form, &posted) };
    if form.is_good() {
        match door.again_by_account(&signed, &given).await? {
            Tried::Right(()) => return Ok(set(see(next), [door.prove(&signed).await?])),
            Tried::Wrong => form.refuse_all(NOT_RIGHT),
            Tried::TooOften(seconds) => form.refuse_all(too_often(seconds)),
        }
    }
    let shown = SignInPage::again(&pages, &door, &reader, &signed, form, next);
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown)
}

async fn again_to_provider(Extension(door): Door, reader: Reader, signed: Signed) -> Result<Response, Problem> {
    let next = reader.asked("next").and_then(own_path).unwrap_or("/me");
    match signed.kept.how {
        How::Provider(_) => going(&door, next, Some(signed.name.clone())).await,
        How::Account(_) => Ok(step_up(next)),
    }
}

// ---- another password -----------------------------------------------------------------------------------------------

#[derive(Template)]
#[template(path = "password.html")]
struct PasswordPage {
    frame: Frame,
    form: Form,
    account: String,
}

/// The local account of whoever is signed in; the password of a provider's is changed there.
fn own_account(signed: &Signed) -> Result<String, Problem> {
    match &signed.kept.how {
        How::Account(name) => Ok(name.clone()),
        How::Provider(_) => {
            let says = "you sign in at the sign-in provider: your password is changed there";
            Err(Problem::wrong(StatusCode::NOT_FOUND, says))
        }
    }
}

async fn password_form(State(pages): House, reader: Reader, signed: Signed) -> Result<Response, Problem> {
    let (account, form) = (own_account(&signed)?, empty(signed.csrf()));
    page(&PasswordPage { frame: signed.frame(&pages, &reader, "Another password"), form, account })
}

async fn password(
    State(pages): House,
    Extension(door): Door,
    reader: Reader,
    signed: Signed,
    posted: Posted,
) -> Result<Response, Problem> {
    signed.check_csrf(posted.get("token"))?;
    let account = own_account(&signed)?;
    let mut form = empty(signed.csrf());
    let given = Given { name: account.clone(), ..given(&mut form, &posted) };
    let new = Zeroizing::new(posted.get("new").to_owned());
    // A code can be used once: it is not, for a password that cannot be one.
    match super::accounts::fit(&new) {
        Err(clerk::Error::Wrong(says)) => form.refuse("new", says),
        _ if *new == *given.password => form.refuse("new", "It is the one you have."),
        _ if *new != posted.get("again") => form.refuse("again", "It is not the same."),
        _ => {}
    }
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    if form.is_good() {
        match door.change_password(&signed, &given, &new).await? {
            Tried::Right(()) => return Ok(see("/me")),
            Tried::Wrong => form
                .refuse_all("The password or the code is not right. A code can be used once: wait for the next one."),
            Tried::TooOften(seconds) => {
                status = StatusCode::TOO_MANY_REQUESTS;
                form.refuse_all(too_often(seconds));
            }
        }
    }
    page_with(status, &PasswordPage { frame: signed.frame(&pages, &reader, "Another password"), form, account })
}

async fn sign_out(Extension(door): Door, signed: Signed, posted: Posted) -> Result<Response, Problem> {
    signed.check_csrf(posted.get("token"))?;
    Ok(set(see("/sign-in?out=1"), [door.end(&signed).await?]))
}
