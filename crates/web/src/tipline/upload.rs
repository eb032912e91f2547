//! A form with files (`multipart/form-data`), read into memory within bounds and nowhere else: what breaks off half-way
//! leaves nothing.
//!
//! Those who send at once share a budget of bytes; whoever does not fit waits for it. Texts have a budget of their own,
//! so that nobody who sends films keeps others from writing. What is too much is passed over to its end, so that the
//! browser gets its answer, and the form comes back with what was typed.

use crate::answer::Problem;
use crate::form::{FORM_BYTES_MAX, Posted, kind};
use crate::pages::Pages;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use clerk::envelope::FILES_MAX;
use clerk::sealed::SHEET_BYTES_MAX;
use multer::{Constraints, Field, Multipart, SizeLimit};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The most that all files of a report may be: what an envelope holds, its padding apart.
pub(super) const FILES_BYTES_MAX: usize = 12 << 20;

/// How much is passed over before the connection is.
const PASSED_OVER_MAX: u64 = 96 << 20;

/// How long nothing may come, and how long all of it may take: some networks are slow on purpose.
const IDLE: Duration = Duration::from_secs(60);
const PATIENCE: Duration = Duration::from_secs(20 * 60);

/// What is no longer than this is a text.
const SHORT: u64 = 384 << 10;

/// The budget, in units of a kibibyte.
pub(super) struct Budget {
    short: Arc<Semaphore>,
    long: Arc<Semaphore>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { short: Arc::new(Semaphore::new(32 << 10)), long: Arc::new(Semaphore::new(96 << 10)) }
    }
}

impl Budget {
    /// Room for a body, once there is.
    pub(super) async fn room(&self, headers: &HeaderMap) -> Option<OwnedSemaphorePermit> {
        let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let length = length.unwrap_or(u64::MAX);
        let semaphore = if length <= SHORT { &self.short } else { &self.long };
        let held = length.min((FILES_BYTES_MAX + FORM_BYTES_MAX) as u64);
        let units = u32::try_from(held / 1_024 + 1).unwrap_or(1);
        Arc::clone(semaphore).acquire_many_owned(units).await.ok()
    }
}

/// A form with its files.
#[derive(Debug, Default)]
pub(super) struct Upload {
    /// The fields that are no files.
    pub(super) posted: Posted,
    /// Names and bytes.
    pub(super) files: Vec<(String, Bytes)>,
    /// What is wrong with the files, by its message.
    pub(super) fault: Option<&'static str>,
    /// Its part of the budget, for as long as it is held in memory.
    _room: Option<OwnedSemaphorePermit>,
}

impl FromRequest<Arc<Pages>> for Upload {
    type Rejection = Problem;

    async fn from_request(request: Request, pages: &Arc<Pages>) -> Result<Self, Problem> {
        if kind(request.headers()) == "application/x-www-form-urlencoded" {
            let posted = Posted::from_request(request, pages).await?;
            return Ok(Self { posted, ..Self::default() });
        }
        let content = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let boundary = boundary(content)?;
        let room = pages.tip.budget.room(request.headers()).await;
        let upload = form(boundary, request.into_body()).await?;
        Ok(Self { _room: room, ..upload })
    }
}

/// What stands between the parts of a form of this kind.
pub(super) fn boundary(kind: Option<&str>) -> Result<String, Problem> {
    kind.and_then(|kind| multer::parse_boundary(kind).ok()).ok_or_else(|| {
        let kind = [("kind", "multipart/form-data")];
        Problem::told(StatusCode::UNSUPPORTED_MEDIA_TYPE, "error-kind", &kind)
    })
}

/// Reads a form to its end, within bounds.
pub(super) async fn form(boundary: String, body: Body) -> Result<Upload, Problem> {
    let limits = Constraints::new().size_limit(SizeLimit::new().whole_stream(PASSED_OVER_MAX));
    let parts = Multipart::with_constraints(body.into_data_stream(), boundary, limits);
    tokio::time::timeout(PATIENCE, read(parts)).await.unwrap_or_else(|_| Err(slow()))
}

fn slow() -> Problem {
    Problem::told(StatusCode::REQUEST_TIMEOUT, "error-slow", &[])
}

fn broken(error: &multer::Error) -> Problem {
    match error {
        multer::Error::StreamSizeExceeded { .. } => {
            Problem::told(StatusCode::PAYLOAD_TOO_LARGE, "error-far-too-large", &[])
        }
        _ => Problem::told(StatusCode::BAD_REQUEST, "error-broken", &[]),
    }
}

async fn read(mut parts: Multipart<'_>) -> Result<Upload, Problem> {
    let (mut fields, mut typed, mut upload, mut bytes) = (Vec::new(), 0, Upload::default(), 0);
    loop {
        let next = tokio::time::timeout(IDLE, parts.next_field()).await.map_err(|_| slow())?;
        let Some(mut field) = next.map_err(|error| broken(&error))? else { break };
        let name = field.name().unwrap_or_default().to_owned();
        let Some(file) = field.file_name().map(str::to_owned) else {
            let value = whole(&mut field, FORM_BYTES_MAX.saturating_sub(typed)).await?;
            let much = || Problem::told(StatusCode::PAYLOAD_TOO_LARGE, "error-typed-too-much", &[]);
            let value = value.filter(|_| fields.len() < 100).ok_or_else(much)?;
            typed += value.len() + name.len();
            fields.push((name, String::from_utf8_lossy(&value).into_owned()));
            continue;
        };
        let room = FILES_BYTES_MAX.saturating_sub(bytes).min(SHEET_BYTES_MAX);
        let room = if upload.files.len() < FILES_MAX { room } else { 0 };
        match whole(&mut field, room).await? {
            Some(content) if file.is_empty() && content.is_empty() => {}
            Some(content) if upload.files.len() < FILES_MAX => {
                bytes += content.len();
                upload.files.push((file, content.into()));
            }
            _ if upload.files.len() >= FILES_MAX => upload.fault = Some("files-many"),
            _ => upload.fault = Some("files-large"),
        }
    }
    if upload.fault.is_some() {
        upload.files.clear();
    }
    upload.posted = Posted::of(fields);
    Ok(upload)
}

/// A part to its end; nothing of one that is longer.
async fn whole(field: &mut Field<'_>, bytes_max: usize) -> Result<Option<Vec<u8>>, Problem> {
    let mut whole = Some(Vec::new());
    loop {
        let next = tokio::time::timeout(IDLE, field.chunk()).await.map_err(|_| slow())?;
        let Some(chunk) = next.map_err(|error| broken(&error))? else { return Ok(whole) };
        match &mut whole {
            Some(bytes) if bytes.len() + chunk.len() <= bytes_max => bytes.extend_from_slice(&chunk),
            _ => whole = None,
        }
    }
}
