//! The public site: what the world reads. No cookie, no form that changes anything.
//!
//! What is published is `clerk`'s to say, and the files of the log are `store`'s; here they are shown.

mod files;

use crate::frame;
use crate::pages::Pages;
use axum::Router;
use axum::routing::get;
use std::sync::Arc;

/// The public pages.
pub(crate) fn router() -> Router<Arc<Pages>> {
    Router::new()
        .route("/style.css", get(frame::style))
        .route("/log/{*path}", get(files::log))
        .route("/statements/{name}", get(files::statement))
        .route("/transparency/{name}", get(files::transparency))
}
