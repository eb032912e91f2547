//! A gate over the network: the same question in the words of each who asks, and what is held to answer it.
//!
//! | module | what it is |
//! |---|---|
//! | `held` | what a gate holds and counts, and the one question all interfaces ask |
//! | `guard` | who may ask: this machine, or who has the token |
//! | `body` | a body and the JSON in it, bounded in bytes and in time |
//! | `authzen` | OpenID AuthZEN Authorization API 1.0 |
//! | `forward` | forward authentication for nginx, Caddy and Traefik |
//! | `envoy` | `ext_authz` over gRPC |
//! | `admission` | a validating admission webhook of Kubernetes |
//! | `operations` | which request of a real protocol is which operation (`operations/*.toml`) |
//! | `refusal` | what the customer is told, in the protocol's own way |
//! | `glass` | what somebody at the gate lets pass, for a while and with a reason |
//! | `health` | is it alive, is it ready, what did it count |
//! | `feed` | the snapshots that a server hands out |
//! | `report` | what gates tell the server: what they refuse by, and how often |
//! | `fallback` | what is restricted, as configuration of a proxy whose gate is dead |
//! | `export` | what is restricted, in the forms of those who enforce elsewhere |
//! | `ceiling` | how many accounts a snapshot may restrict at one gate |
//! | `standalone` | a gate of its own: fetching, verifying, keeping, swapping |
//!
//! None of them decides: a verdict is [`gate::Gate::check`]'s. Whatever cannot be understood is refused in the protocol's
//! own form and without a restriction's id, so that nobody takes it for one.

mod admission;
mod authzen;
mod body;
mod ceiling;
mod envoy;
pub mod export;
pub mod fallback;
mod feed;
mod forward;
pub mod glass;
mod guard;
mod health;
mod held;
pub mod operations;
mod refusal;
pub mod report;
pub mod standalone;

pub use admission::ACCOUNT_LABEL;
pub use authzen::BATCH_MAX;
pub use body::BODY_BYTES_MAX;
pub use ceiling::{Ceiling, CeilingError, Share};
pub use feed::Feed;
pub use guard::{Askers, Token};
pub use held::{ACCOUNT_UNKNOWN, Clock, Held, Settings, Types};
pub use operations::{Operations, OperationsError};

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};
use std::sync::Arc;

/// Every question to a gate, and how it is. All but discovery, `/healthz` and `/readyz` need the token, this machine
/// apart: [`crate::serve`] says who asks, and without it everybody is of another machine.
pub fn router(held: Arc<Held>) -> Router {
    let asked = Router::new()
        .route("/access/v1/evaluation", post(authzen::evaluation))
        .route("/access/v1/evaluations", post(authzen::evaluations))
        .route("/gate/check", any(forward::check))
        .route("/gate/refusal", any(forward::refusal))
        .route("/gate/admission", post(admission::review))
        .route("/gate/admission/{account}", post(admission::review_of))
        .route("/metrics", get(health::metrics))
        .with_state(Arc::clone(&held))
        .merge(envoy::router(Arc::clone(&held)))
        .layer(from_fn_with_state(Askers::near_or(held.settings().token.clone()), guard::only_who_may));
    Router::new()
        .route("/.well-known/authzen-configuration", get(authzen::configuration))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .with_state(held)
        .merge(asked)
}
