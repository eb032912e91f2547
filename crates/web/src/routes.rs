//! The routes of the pages: one list says who may and builds the router, so that no page is without a guard and none is
//! missing from the table that `docs/routes.md` shows.
//!
//! The guard lets a request through to its handler or answers itself; whom it refuses although they are signed in is in
//! the record. It says what a *role* may see at all; what somebody may do there is asked of the access policies and the
//! rules, as always.

use crate::answer::{Problem, see};
use crate::form::Posted;
use crate::kept::Typed;
use crate::session::{Signed, Who};
use crate::sign_in::{SignIn, escaped, signed_out};
use axum::Router;
use axum::extract::{FromRequest as _, Request, State};
use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use review::words::Role;
use std::fmt;
use std::sync::Arc;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    /// Anybody, signed in or not.
    Anyone,
    /// Whoever is signed in, customers too.
    SignedIn,
    /// Customers alone.
    Customers,
    /// Whoever of the provider's has one of these roles.
    Roles(&'static [Role]),
}

impl May {
    /// Whether somebody of these roles, or a customer, may.
    pub fn allows(self, signed: Option<&Signed>) -> bool {
        match (self, signed) {
            (Self::Anyone, _) => true,
            (_, None) => false,
            (Self::SignedIn, Some(_)) => true,
            (Self::Customers, Some(signed)) => matches!(signed.who(), Who::Customer(_)),
            (Self::Roles(roles), Some(signed)) => roles.iter().any(|role| signed.roles().contains(role)),
        }
    }
}

/// An address with a method, who may use it, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// `GET` or `POST`.
    pub method: Method,
    /// As axum writes it: `/console/case/{id}`.
    pub path: &'static str,
    /// Who may.
    pub may: May,
    /// What it is for, in a line.
    pub what: &'static str,
}

/// A route: a place, and what answers there.
pub struct Route<S = ()> {
    /// Where, and for whom.
    pub place: Place,
    handler: MethodRouter<S>,
}

impl<S: Clone + Send + Sync + 'static> Route<S> {
    /// A page.
    pub fn get<T: 'static>(path: &'static str, may: May, what: &'static str, handler: impl Handler<T, S>) -> Self {
        Self { place: Place { method: Method::GET, path, may, what }, handler: get(handler) }
    }

    /// Where a form goes.
    pub fn post<T: 'static>(path: &'static str, may: May, what: &'static str, handler: impl Handler<T, S>) -> Self {
        Self { place: Place { method: Method::POST, path, may, what }, handler: post(handler) }
    }
}

/// The router of these routes, each behind its guard.
pub fn router<S: Clone + Send + Sync + 'static>(routes: Vec<Route<S>>, sign_in: &Arc<SignIn>) -> Router<S> {
    routes.into_iter().fold(Router::new(), |router, route| {
        let Place { path, may, .. } = route.place;
        let post = Arc::new(Post { sign_in: Arc::clone(sign_in), may, path });
        router.route(path, route.handler.route_layer(from_fn_with_state(post, guard)))
    })
}

/// The table of the routes and who may use them, as Markdown: what `docs/routes.md` holds.
pub fn table(places: &[Place]) -> String {
    let names: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
    let mut table = String::from(HEAD);
    table += &format!("| address | | what for | nobody signed in | customer | {} |\n", names.join(" | "));
    table += &format!("|{}\n", "---|".repeat(5 + names.len()));
    for Place { method, path, may, what } in places {
        let mark = |may: bool| if may { "yes" } else { "" };
        let (anyone, signed_in) = (*may == May::Anyone, matches!(may, May::Anyone | May::SignedIn));
        let person = |role: &Role| signed_in || matches!(may, May::Roles(roles) if roles.contains(role));
        let roles: Vec<&str> = Role::ALL.iter().map(|role| mark(person(role))).collect();
        let customer = signed_in || *may == May::Customers;
        table += &format!(
            "| `{path}` | {method} | {what} | {} | {} | {} |\n",
            mark(anyone),
            mark(customer),
            roles.join(" | ")
        );
    }
    table
}

const HEAD: &str = "\
# Routes

Every page and form there is, and who may use it, from the one list that also builds the router
(`crates/web/src/routes.rs`); a test asks each of them as each role. Somebody who is not signed in is led to the sign-in
page; somebody who is, and may not, is refused, and the refusal is in the record. What somebody may do on a page is asked of
the access policies and of the rules of the case, besides.

";

/// What stands before a route.
struct Post {
    sign_in: Arc<SignIn>,
    may: May,
    path: &'static str,
}

async fn guard(State(post): State<Arc<Post>>, mut request: Request, next: Next) -> Response {
    let Post { sign_in, may, path } = &*post;
    request.extensions_mut().insert(Arc::clone(sign_in));
    if *may == May::Anyone {
        return next.run(request).await;
    }
    let signed = match sign_in.signed(request.headers()).await {
        Ok(Some(signed)) => signed,
        Ok(None) if request.method() == Method::POST => return turned_away(request).await,
        Ok(None) => return to_sign_in(&request),
        Err(problem) => return problem.into_response(),
    };
    let what = format!("{} {path}", request.method());
    if !may.allows(Some(&signed)) {
        let problem = Problem::wrong(StatusCode::FORBIDDEN, format!("this page is for others: {may}"));
        return sign_in.denied(&signed, &what, problem.into_response()).await;
    }
    request.extensions_mut().insert(signed.clone());
    let answer = next.run(request).await;
    match answer.status() {
        StatusCode::FORBIDDEN => sign_in.denied(&signed, &what, answer).await,
        _ => answer,
    }
}

/// The answer to a form of somebody whose session has ended: with what they typed, where that was more than a button.
async fn turned_away(request: Request) -> Response {
    let path = request.uri().path();
    if !["/console/", "/customer/"].iter().any(|part| path.starts_with(part)) {
        return signed_out().into_response();
    }
    match Posted::from_request(request, &()).await {
        Ok(posted) => signed_out().keeping(Typed::of(&posted, true)).into_response(),
        Err(_) => signed_out().into_response(),
    }
}

impl fmt::Display for May {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anyone => f.write_str("anybody"),
            Self::SignedIn => f.write_str("whoever is signed in"),
            Self::Customers => f.write_str("customers"),
            Self::Roles(roles) => {
                let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
                f.write_str(&names.join(", "))
            }
        }
    }
}

fn to_sign_in(request: &Request) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    see(&format!("/sign-in?next={}", escaped(path)))
}
