//! The routes of the pages: one list says who may and builds the router, so that no page is without a guard and none is
//! missing from the table that `docs/routes.md` shows.
//!
//! The guard lets a request through to its handler or answers itself; whom it refuses although they are signed in is in
//! the record. It says what a *role* may see at all; what somebody may do there is asked of the access policies and the
//! rules, as always.

use crate::session::{Signed, Who};
use crate::sign_in::{SignIn, Trouble};
use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use review::words::Role;
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

/// A route: an address, a method, who may, and what answers.
pub struct Route<S = ()> {
    /// `GET` or `POST`.
    pub method: Method,
    /// As axum writes it: `/console/case/{id}`.
    pub path: &'static str,
    /// Who may.
    pub may: May,
    /// What it is for, in a line.
    pub what: &'static str,
    handler: MethodRouter<S>,
}

impl<S: Clone + Send + Sync + 'static> Route<S> {
    /// A page.
    pub fn get<T: 'static>(path: &'static str, may: May, what: &'static str, handler: impl Handler<T, S>) -> Self {
        Self { method: Method::GET, path, may, what, handler: get(handler) }
    }

    /// Where a form goes.
    pub fn post<T: 'static>(path: &'static str, may: May, what: &'static str, handler: impl Handler<T, S>) -> Self {
        Self { method: Method::POST, path, may, what, handler: post(handler) }
    }
}

/// The router of these routes, each behind its guard.
pub fn router<S: Clone + Send + Sync + 'static>(routes: Vec<Route<S>>, sign_in: &Arc<SignIn>) -> Router<S> {
    routes.into_iter().fold(Router::new(), |router, route| {
        let post = Arc::new(Post { sign_in: Arc::clone(sign_in), may: route.may, path: route.path });
        router.route(route.path, route.handler.route_layer(from_fn_with_state(post, guard)))
    })
}

/// What stands before a route.
struct Post {
    sign_in: Arc<SignIn>,
    may: May,
    path: &'static str,
}

async fn guard(State(post): State<Arc<Post>>, mut request: Request, next: Next) -> Response {
    let Post { sign_in, may, path } = &*post;
    let is_post = request.method() == Method::POST;
    let headers = request.headers();
    if is_post && !is_of_our_own(headers, &sign_in.settings.base) {
        return Trouble::Forged.into_response();
    }
    if *may == May::Anyone {
        return next.run(request).await;
    }
    let signed = match sign_in.signed(headers).await {
        Ok(Some(signed)) => signed,
        Ok(None) if is_post => return Trouble::SignedOut.into_response(),
        Ok(None) => return to_sign_in(&request),
        Err(trouble) => return trouble.into_response(),
    };
    let (what, method) = (format!("{} {path}", request.method()), request.method().clone());
    if !may.allows(Some(&signed)) {
        let why = "none of their roles is for this page";
        return sign_in.denied(&signed, &what, why, Trouble::NotYours(may_text(*may)).into_response()).await;
    }
    request.extensions_mut().insert(signed.clone());
    let mut answer = next.run(request).await;
    if answer.status() == StatusCode::FORBIDDEN {
        let why = answer.extensions_mut().remove::<Why>().map_or("it was refused".to_owned(), |why| why.0);
        answer = sign_in.denied(&signed, &format!("{method} {path}"), &why, answer).await;
    }
    // What somebody saw signed in is not shown to whoever sits there next.
    answer.headers_mut().entry(header::CACHE_CONTROL).or_insert(header::HeaderValue::from_static("no-store"));
    answer
}

/// Why an answer is 403, for the record: put it into the answer's extensions.
#[derive(Clone, Debug)]
pub struct Why(pub String);

/// Who may, in words.
fn may_text(may: May) -> String {
    match may {
        May::Anyone => "anybody".to_owned(),
        May::SignedIn => "whoever is signed in".to_owned(),
        May::Customers => "customers".to_owned(),
        May::Roles(roles) => roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", "),
    }
}

fn to_sign_in(request: &Request) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    crate::sign_in::redirect(&format!("/sign-in?next={}", crate::sign_in::escaped(path)))
}

/// Whether a post comes from a page of our own: the browser says so, and where it says nothing the origin does.
pub(crate) fn is_of_our_own(headers: &HeaderMap, base: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("not a text"));
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), origin) => site == "same-origin" && origin.is_none_or(|origin| origin == base),
        (None, Some(origin)) => origin == base,
        // A browser sends one of them with every post.
        (None, None) => false,
    }
}
