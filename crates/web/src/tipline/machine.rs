//! `POST /api/reports`: reports by machines, taken in as people's are: encrypted before they are kept, a name under the
//! two locks, by the day, and nothing of who asked.
//!
//! **Once, and without a trace.** The seven words of such a report follow from the server's secret, the sender's id and
//! the bytes that were sent. The report's name follows from the words, as always; so what is sent again finds itself, after
//! a crash, on another day, at another replica, and nothing is kept for it but the report. Nobody can tell from the
//! record that an id was ever seen who has not the server's secret, the id and the very bytes. That the same id came with
//! *other* bytes cannot be seen so: for that, a keyed digest of each id lies in this process's memory until the next day
//! is over. After a restart it is a second report, which is better than one lost.
//!
//! The words are in the first answer and in no other: who else has the same bytes (a report is often sent to several)
//! opens no mailbox with them. It reads no form and shows no page; what the forms mean is `told`'s.

use super::told::{self, Fault, Told};
use super::upload::FILES_BYTES_MAX;
use super::{Failed, blocking};
use crate::answer::{PROBLEM, Problem, problem_for_machines};
use crate::form::{FORM_BYTES_MAX, body, kind};
use crate::pages::Pages;
use crate::sign_in::SignIn;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use clerk::envelope::Sending;
use clerk::receipt::Receipt;
use clerk::{Error, Reporting};
use review::report::Channel;
use review::words::{Digest, Moment};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// The most that is taken: files in base64, and what is said of them.
const BYTES_MAX: usize = FILES_BYTES_MAX / 3 * 4 + FORM_BYTES_MAX;

/// Ids that are remembered; where there are more, the oldest day's go first.
const IDS_MAX: usize = 200_000;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Which bytes came with which id, by keyed digests alone.
#[derive(Default)]
pub(super) struct Ids(Mutex<BTreeMap<Mark, Seen>>);

/// A keyed digest.
type Mark = [u8; 32];

/// The bytes that came with an id, and the UTC day.
struct Seen {
    bytes: Mark,
    day: i64,
}

impl Ids {
    /// Whether an id is new, or came with the same bytes.
    fn holds(&self, id: Mark, bytes: Mark, now: Moment) -> bool {
        let today = now.0.div_euclid(86_400);
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, seen| today - seen.day <= 1);
        if seen.len() >= IDS_MAX {
            let oldest = seen.values().map(|seen| seen.day).min();
            seen.retain(|_, seen| Some(seen.day) != oldest);
        }
        seen.entry(id).or_insert(Seen { bytes, day: today }).bytes == bytes
    }

    /// Nothing came of it: the id is free again.
    fn forget(&self, id: Mark) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

/// Why it is not taken.
struct Refusal {
    status: StatusCode,
    says: String,
    faults: Vec<Fault>,
}

impl Refusal {
    fn of(status: StatusCode, says: impl Into<String>) -> Self {
        Self { status, says: says.into(), faults: Vec::new() }
    }
}

impl From<Vec<Fault>> for Refusal {
    fn from(faults: Vec<Fault>) -> Self {
        let says = "nothing of it was kept: mend what `errors` says, and send it again".to_owned();
        Self { status: StatusCode::BAD_REQUEST, says, faults }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::of(problem.status, problem.says.unwrap_or_default())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let errors: Vec<Value> =
            self.faults.iter().map(|fault| json!({ "pointer": fault.pointer, "detail": fault.says })).collect();
        let mut problem = problem_for_machines(self.status, &self.says);
        if let Some(problem) = problem.as_object_mut().filter(|_| !errors.is_empty()) {
            problem.insert("errors".to_owned(), errors.into());
        }
        let mut response = (self.status, [(header::CONTENT_TYPE, PROBLEM)], problem.to_string()).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
        }
        response
    }
}

/// `POST /api/reports`
pub(super) async fn take(
    State(pages): State<Arc<Pages>>,
    Extension(sign_in): Extension<Arc<SignIn>>,
    request: Request,
) -> Response {
    match taken(pages, sign_in, request).await {
        Ok(answer) => (StatusCode::ACCEPTED, [(header::CONTENT_TYPE, JSON)], answer.to_string()).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn taken(pages: Arc<Pages>, sign_in: Arc<SignIn>, request: Request) -> Result<Value, Refusal> {
    let is_event = is_event(request.headers())?;
    // Whoever does not fit waits, as with forms; its part is held until it is in the intake.
    let room = pages.tip.budget.room(request.headers()).await;
    let whole = body(request.into_body(), BYTES_MAX).await?;
    let (told, whole) = read(whole, is_event).await?;
    let (id, bytes) = (format!("{}\n{}", told.among, told.id), Digest::of(&whole).to_string());
    let mark = sign_in.mark("ids of machines", &id);
    if !pages.tip.ids.holds(mark, sign_in.mark("reports of machines", &bytes), pages.now()) {
        let says = "this id came before with another report: a report has an id of its own, and what is to be added to one goes into its mailbox";
        return Err(Refusal::of(StatusCode::CONFLICT, says));
    }
    let (said, receipt) = (told.id.clone(), receipt(&sign_in, &format!("{id}\n{bytes}")));
    let inner = Arc::clone(&pages);
    // It goes on to its end even if nobody waits for the answer any more.
    let task = tokio::spawn(async move {
        let words = kept(&inner, receipt, told).await;
        drop(room);
        words
    });
    let words = task.await.unwrap_or(Err(Failed::Broken)).map_err(|failed| {
        pages.tip.ids.forget(mark);
        refused(&pages, &failed)
    })?;
    let mailbox = format!("{}/report/mailbox", pages.settings.base);
    Ok(json!({ "id": said, "before": words.is_none(), "words": words.as_deref(), "mailbox": mailbox }))
}

/// Whether it says that it is a CloudEvent, or plain JSON.
fn is_event(headers: &HeaderMap) -> Result<bool, Refusal> {
    let wrong = |says: &str| Err(Refusal::of(StatusCode::UNSUPPORTED_MEDIA_TYPE, says));
    if headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return wrong("send it as it is, without a content encoding");
    }
    match kind(headers).as_str() {
        "application/json" => Ok(false),
        "application/cloudevents+json" => Ok(true),
        "application/cloudevents-batch+json" => wrong("send events one by one, as application/cloudevents+json"),
        _ => wrong(
            "send application/json (XARF 4, or a DSA notice), or application/cloudevents+json with one as its data",
        ),
    }
}

/// Reading takes a while where there is much of it.
async fn read(whole: Bytes, is_event: bool) -> Result<(Told, Bytes), Refusal> {
    let work = tokio::task::spawn_blocking(move || Ok((told::read(&whole, is_event)?, whole)));
    let broken = |_| Err(Refusal::of(StatusCode::INTERNAL_SERVER_ERROR, "it could not be read, by a fault of ours"));
    work.await.unwrap_or_else(broken)
}

/// The seven words that follow from what was sent and from the server's secret.
fn receipt(sign_in: &SignIn, sent: &str) -> Receipt {
    let mut word = 0;
    Receipt::draw(&mut |lot| {
        word += 1;
        let mark = Zeroizing::new(sign_in.mark("words of machines", &format!("{word}\n{sent}")));
        lot.iter_mut().zip(mark.iter()).for_each(|(byte, drawn)| *byte = *drawn);
    })
}

/// The seven words, if it is new.
async fn kept(pages: &Arc<Pages>, receipt: Receipt, told: Told) -> Result<Option<Zeroizing<String>>, Failed> {
    let turn = pages.tip.turn().await;
    let pages = Arc::clone(pages);
    blocking(move || async move {
        let files: Vec<_> = told.files.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).collect();
        let sending = Sending { text: &told.text, files: &files };
        let (who, keep_from) = (told.who.as_deref(), &BTreeSet::new());
        let reporting = Reporting { channel: Channel::Machine, who, keep_from, sending };
        let new = pages.clerk.receive_once(&pages.papers, &receipt, reporting, pages.now()).await;
        drop(turn);
        Ok(new?.then(|| Zeroizing::new(receipt.to_string())))
    })
    .await
}

/// What is said of a failure: what the sender can mend, in our words; the rest is ours.
fn refused(pages: &Pages, failed: &Failed) -> Refusal {
    match failed {
        Failed::Clerk(Error::Wrong(mend)) => Refusal::of(StatusCode::UNPROCESSABLE_ENTITY, mend),
        Failed::Clerk(Error::Crowded) => Refusal::of(StatusCode::SERVICE_UNAVAILABLE, Error::Crowded.to_string()),
        Failed::Clerk(_) | Failed::Broken => {
            let why =
                if let Failed::Clerk(Error::Record(error)) = failed { format!(": {error}") } else { String::new() };
            pages.complain(&format!("the tip line could not take a machine's report in{why}"));
            let says = "it could not be stored just now, and nothing of it was: send it again in a minute";
            Refusal::of(StatusCode::SERVICE_UNAVAILABLE, says)
        }
    }
}
