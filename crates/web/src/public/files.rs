//! Files that the world reads as they are: the log's, and a year's numbers. Names are of a few forms; nothing else is looked
//! for on the disk.

use crate::answer::{Problem, kept};
use crate::pages::Pages;
use axum::extract::{Path as Asked, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::path::PathBuf;
use std::sync::Arc;
use tlog::Tile;

/// What never changes once it is written may be kept long; the rest grows.
const GROWS: u32 = 1;
const STAYS: u32 = 86_400;

pub(super) const PLAIN: &str = "text/plain; charset=utf-8";

/// A file of the log.
pub(super) async fn log(State(pages): State<Arc<Pages>>, Asked(path): Asked<String>) -> Result<Response, Problem> {
    let checkpoint = path == "checkpoint";
    if !checkpoint && Tile::parse(&path).is_err() {
        return Ok(absent());
    }
    let (kind, seconds) = if checkpoint { (PLAIN, GROWS) } else { ("application/octet-stream", STAYS) };
    Ok(read(pages.settings.public.join("log").join(path), kind, seconds).await.unwrap_or_else(absent))
}

/// A year's numbers as CSV.
pub(super) async fn numbers(State(pages): State<Arc<Pages>>, year: i32) -> Result<Response, Problem> {
    let path = pages.settings.public.join("transparency").join(format!("{year:04}.csv"));
    read(path, "text/csv; charset=utf-8", GROWS).await.ok_or_else(Problem::missing)
}

async fn read(path: PathBuf, kind: &'static str, seconds: u32) -> Option<Response> {
    let bytes = tokio::task::spawn_blocking(move || std::fs::read(path)).await.ok()?.ok()?;
    let mut response = kept(([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], bytes).into_response(), seconds);
    open(&mut response);
    Some(response)
}

/// Lets pages of others read it: a verifier may be one.
pub(super) fn open(response: &mut Response) {
    let headers = response.headers_mut();
    headers.remove(header::VARY);
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));
}

/// To a verifier, which is no reader of pages.
fn absent() -> Response {
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(PLAIN))];
    (StatusCode::NOT_FOUND, kind, "there is no such file\n").into_response()
}
