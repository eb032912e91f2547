//! The tip line: reporting a use without a name, and the mailbox that seven words open.
//!
//! No session, no cookie, no address of the reader's: a form carries a ticket, and the words are posted each time they are
//! needed. What is sent is encrypted before it is kept, by `clerk`, and until then lies in memory alone. Hard work
//! (Argon2) is done by a few at a time and bytes are held within a budget; whoever is too many waits, and nobody is sent
//! away. It reads nothing of what it takes in but the metadata of pictures, which it takes out (`strip`).

mod machine;
pub mod outside;
mod strip;
mod told;
mod upload;

use crate::answer::{Problem, page, page_with};
use crate::form::{Form, Posted, Takes};
use crate::frame::{Frame, Reader};
use crate::pages::Pages;
use crate::routes::{May, Route};
use crate::ticket::{Ticket, TicketError};
use crate::visible::filters;
use crate::words::Language;
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use clerk::envelope::{Purpose, Sending, TEXT_BYTES_MAX, WHO_BYTES_MAX};
use clerk::mailbox::{LetterKind, Mailbox, Stage};
use clerk::receipt::{Keys, Receipt, ReceiptError};
use clerk::{Error, Reporting};
use review::report::Channel;
use review::words::PersonId;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use strip::Kept;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use upload::Upload;
use zeroize::Zeroizing;

/// How many do hard work at once: each holds 64 MiB.
const HARD_AT_ONCE: usize = 2;

/// How many of them a second, at least, by which waits are told.
const HARD_A_SECOND: u64 = 8;

/// Seconds after which a form may be sent, when few write.
const WAIT_SECONDS: u64 = 3;

/// A form that is sent earlier than this is held until its time; one much earlier is shown again.
const HELD_SECONDS: u64 = 10;

/// What a ticket is for.
const REPORT: &str = "report";
const MORE: &str = "mailbox";

/// What the tip line shares among all who write.
pub(crate) struct Line {
    hard: Arc<Semaphore>,
    /// Looking into mailboxes has a turn of its own: anybody may try words, and nobody's report waits behind that.
    looks: Arc<Semaphore>,
    waiting: AtomicU64,
    budget: upload::Budget,
    ids: machine::Ids,
}

impl Default for Line {
    fn default() -> Self {
        let hard = Arc::new(Semaphore::new(HARD_AT_ONCE));
        let looks = Arc::new(Semaphore::new(1));
        Self {
            hard,
            looks,
            waiting: AtomicU64::new(0),
            budget: upload::Budget::default(),
            ids: machine::Ids::default(),
        }
    }
}

/// One who waits; no more once it is dropped.
struct Waiting<'a>(&'a AtomicU64);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Line {
    /// A turn at hard work, as soon as there is one.
    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        // The semaphore is never closed.
        Arc::clone(&self.hard).acquire_owned().await.ok()
    }

    /// After how many seconds a form that is shown now may be sent: more, when many wait.
    fn wait(&self) -> u64 {
        WAIT_SECONDS + (self.waiting.load(Ordering::Relaxed) / HARD_A_SECOND).min(600)
    }
}

/// The tip line's pages.
pub(crate) fn routes() -> Vec<Route<Arc<Pages>>> {
    let may = May::Anyone;
    vec![
        Route::get("/report", may, "what to expect of a report, and what is kept", about),
        Route::get("/report/new", may, "the form of a report", blank),
        Route::post("/report/new", may, "send it", send),
        Route::get("/report/mailbox", may, "the form for the seven words", words),
        Route::post("/report/mailbox", may, "look into a mailbox", look),
        Route::get("/report/mailbox/add", may, "the form for the seven words", words),
        Route::post("/report/mailbox/add", may, "add to a report, or ask for a review", add),
        Route::post("/api/reports", may, "a report by a machine: XARF 4, a DSA notice, a CloudEvent", machine::take),
    ]
}

#[derive(Template)]
#[template(path = "report.html")]
struct AboutPage {
    frame: Frame,
}

/// `GET /report`
async fn about(State(pages): State<Arc<Pages>>, reader: Reader) -> Result<Response, Problem> {
    page(&AboutPage { frame: Frame::new(&pages, &reader, &reader.language.say("report-title")) })
}

#[derive(Template)]
#[template(path = "report-new.html")]
struct NewPage {
    frame: Frame,
    form: Form,
}

#[derive(Template)]
#[template(path = "report-wait.html")]
struct WaitPage {
    frame: Frame,
    seconds: usize,
}

fn ticket(pages: &Pages, form: &str, wait: u64) -> String {
    pages.tickets.issue(form, pages.random(), pages.now(), wait)
}

/// `GET /report/new`: the form; when many write, a page that becomes the form by itself.
async fn blank(State(pages): State<Arc<Pages>>, reader: Reader) -> Result<Response, Problem> {
    let wait = pages.tip.wait();
    let brought = reader.asked("ticket");
    let good = brought.filter(|ticket| pages.tickets.read(REPORT, ticket, pages.now()).is_ok());
    if wait > HELD_SECONDS && good.is_none() {
        let ticket = ticket(&pages, REPORT, wait);
        let frame = Frame::new(&pages, &reader, &reader.language.say("report-wait"));
        let seconds = usize::try_from(wait).unwrap_or(usize::MAX);
        let mut response = page(&WaitPage { frame, seconds })?;
        let address = reader.to(&format!("/report/new?ticket={ticket}"));
        if let Ok(refresh) = HeaderValue::from_str(&format!("{}; url={address}", wait + 1)) {
            response.headers_mut().insert(header::REFRESH, refresh);
        }
        return Ok(response);
    }
    let ticket = good.map_or_else(|| ticket(&pages, REPORT, wait), str::to_owned);
    let mut form = Form::new(reader.language, pages.command(), ticket);
    form.fill("channel", "anonymous");
    let frame = Frame::new(&pages, &reader, &reader.language.say("report-new"));
    page(&NewPage { frame, form })
}

#[derive(Template)]
#[template(path = "receipt.html")]
struct ReceiptPage {
    frame: Frame,
    words: Vec<String>,
    files: Vec<(String, Kept)>,
    /// There is something, and its words are shown no more.
    before: bool,
}

impl ReceiptPage {
    fn says(&self, kept: &Kept) -> String {
        self.frame.t(match kept {
            Kept::Cleaned => "file-cleaned",
            Kept::Encrypted => "file-encrypted",
            Kept::Tells => "file-tells",
            Kept::Unknown => "file-unknown",
        })
    }
}

/// `POST /report/new`
async fn send(State(pages): State<Arc<Pages>>, reader: Reader, upload: Upload) -> Result<Response, Problem> {
    let language = reader.language;
    let shown = |pages: &Pages, status: StatusCode, form: Form| {
        page_with(status, &NewPage { frame: Frame::new(pages, &reader, &language.say("report-new")), form })
    };
    let mut form = Form::new(language, pages.command(), upload.posted.get("token").to_owned());
    let report = read(&mut form, &upload, language);
    if !form.is_good() {
        return shown(&pages, StatusCode::UNPROCESSABLE_ENTITY, form);
    }
    let ticket = match good(&pages, REPORT, form.token()).await {
        Ok(ticket) => ticket,
        Err(error) => {
            again(&pages, &mut form, REPORT, error);
            return shown(&pages, StatusCode::UNPROCESSABLE_ENTITY, form);
        }
    };
    let files: Vec<_> = report.files.iter().map(|(name, _, kept)| (name.clone(), *kept)).collect();
    match receive(&pages, ticket, report).await {
        Ok(words) => {
            let before = words.is_none();
            let words = words.map(|words| words.split(' ').map(str::to_owned).collect()).unwrap_or_default();
            let frame = Frame::new(&pages, &reader, &language.say("receipt-title"));
            page(&ReceiptPage { frame, words, files, before })
        }
        Err(error) => {
            form.refuse_all(said(&pages, language, &error));
            shown(&pages, StatusCode::SERVICE_UNAVAILABLE, form)
        }
    }
}

/// A report as it is handed to the clerk.
struct Report {
    channel: Channel,
    who: Option<String>,
    keep_from: BTreeSet<PersonId>,
    text: String,
    files: Vec<(String, Vec<u8>, Kept)>,
}

fn read(form: &mut Form, upload: &Upload, language: Language) -> Report {
    let posted = &upload.posted;
    for name in ["text", "channel", "who", "keep-from", "files"] {
        form.call(name, language.say(&format!("report-{name}")));
    }
    let text = form.read(posted, "text", Takes::TEXT.or_nothing().at_most(TEXT_BYTES_MAX));
    let channel = form.read(posted, "channel", Takes::LINE);
    let who = form.read(posted, "who", Takes::TEXT.or_nothing().at_most(WHO_BYTES_MAX));
    let keep_from = form.read(posted, "keep-from", Takes::TEXT.or_nothing().at_most(3_000));
    let channel = match channel.as_str() {
        "named" => Channel::Named,
        "employee" => Channel::Employee,
        "anonymous" => Channel::Anonymous,
        _ => {
            form.refuse("channel", language.say("report-choose"));
            Channel::Anonymous
        }
    };
    match channel {
        Channel::Named if who.is_empty() => form.refuse("who", language.say("report-who-missing")),
        Channel::Anonymous if !who.is_empty() => form.refuse("who", language.say("report-who-anonymous")),
        _ => {}
    }
    let names = keep_from.lines().map(str::trim).filter(|name| !name.is_empty());
    let names: Result<BTreeSet<PersonId>, _> = names.map(str::parse).collect();
    if names.as_ref().map_or(true, |names| names.len() > 50) {
        form.refuse("keep-from", language.say("report-keep-from-wrong"));
    }
    read_files(form, upload, language);
    if text.is_empty() && upload.files.is_empty() && form.is_good() {
        form.refuse("text", language.say("report-nothing"));
    }
    let files = if form.is_good() { stripped(upload) } else { Vec::new() };
    let who = Some(who).filter(|who| !who.is_empty());
    Report { channel, who, keep_from: names.unwrap_or_default(), text, files }
}

/// What is wrong with the files; they have to be chosen again with everything else that is.
fn read_files(form: &mut Form, upload: &Upload, language: Language) {
    if let Some(fault) = upload.fault {
        form.refuse("files", language.say(fault));
    } else if !form.is_good() && !upload.files.is_empty() {
        form.refuse("files", language.say("files-again"));
    }
}

fn stripped(upload: &Upload) -> Vec<(String, Vec<u8>, Kept)> {
    let files = upload.files.iter().map(|(name, bytes)| {
        let (bytes, kept) = strip::strip(bytes);
        (name.clone(), bytes, kept)
    });
    files.collect()
}

/// A ticket that is good, or will be in a few seconds.
async fn good(pages: &Pages, form: &str, ticket: &str) -> Result<Ticket, TicketError> {
    match pages.tickets.read(form, ticket, pages.now()) {
        Err(TicketError::Early(seconds)) if seconds <= HELD_SECONDS => {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            let then = review::words::Moment(pages.now().0.saturating_add(i64::try_from(seconds).unwrap_or_default()));
            pages.tickets.read(form, ticket, then)
        }
        other => other,
    }
}

/// A form whose ticket is not good is shown again with one that is, or with its own if it will be.
fn again(pages: &Pages, form: &mut Form, of: &str, error: TicketError) {
    let (message, seconds) = match error {
        TicketError::Early(seconds) => ("ticket-early", seconds),
        TicketError::Over | TicketError::Strange => ("ticket-over", 0),
    };
    if message == "ticket-over" {
        form.renew(pages.command(), ticket(pages, of, pages.tip.wait()));
    }
    form.refuse_ticket(message, seconds);
}

/// Takes a report in, once for its ticket; gives the seven words, or none where they were shown long before. It goes on
/// to its end even if nobody waits for the answer any more.
async fn receive(pages: &Arc<Pages>, ticket: Ticket, report: Report) -> Result<Option<Zeroizing<String>>, Failed> {
    let pages = Arc::clone(pages);
    let task = tokio::spawn(async move {
        let now = pages.now();
        let (inner, turns) = (Arc::clone(&pages), Arc::clone(&pages));
        let work = async move {
            let turn = turns.tip.turn().await;
            blocking(move || async move {
                let files: Vec<_> = report.files.iter().map(|(name, bytes, _)| (name.as_str(), &bytes[..])).collect();
                let sending = Sending { text: &report.text, files: &files };
                let Report { channel, who, keep_from, .. } = &report;
                let reporting = Reporting { channel: *channel, who: who.as_deref(), keep_from, sending };
                let receipt = inner.clerk.receive(&inner.papers, reporting, inner.now()).await;
                drop(turn);
                Ok(Zeroizing::new(receipt?.to_string()))
            })
            .await
        };
        pages.tickets.once(ticket, now, work).await
    });
    task.await.map_err(|_| Failed::Broken)?
}

/// Why it was not done.
enum Failed {
    /// The clerk says so.
    Clerk(Error),
    /// It broke off.
    Broken,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Clerk(error)
    }
}

/// Runs what is hard work where others do not wait for it.
async fn blocking<T: Send + 'static, F: Future<Output = Result<T, Failed>>>(
    work: impl FnOnce() -> F + Send + 'static,
) -> Result<T, Failed> {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || runtime.block_on(work())).await.unwrap_or(Err(Failed::Broken))
}

/// What is said of a failure: what the reporter can mend, in our words; the rest is ours, and is told without a word of
/// theirs.
fn said(pages: &Pages, language: Language, error: &Failed) -> String {
    match error {
        Failed::Clerk(Error::Wrong(mend)) => mend.clone(),
        Failed::Clerk(Error::Crowded) => language.say("report-crowded"),
        Failed::Clerk(Error::Record(error)) => {
            pages.complain(&format!("the tip line: {error}"));
            language.say("report-failed")
        }
        Failed::Clerk(_) | Failed::Broken => {
            pages.complain("the tip line could not take something in");
            language.say("report-failed")
        }
    }
}

// ---- the mailbox ----------------------------------------------------------------------------------------------------

#[derive(Template)]
#[template(path = "mailbox-words.html")]
struct WordsPage {
    frame: Frame,
    form: Form,
}

/// `GET /report/mailbox`: where the words are typed.
async fn words(State(pages): State<Arc<Pages>>, reader: Reader) -> Result<Response, Problem> {
    let form = Form::new(reader.language, pages.command(), String::new());
    page(&WordsPage { frame: Frame::new(&pages, &reader, &reader.language.say("mailbox-title")), form })
}

#[derive(Template)]
#[template(path = "mailbox.html")]
struct MailboxPage {
    frame: Frame,
    form: Form,
    words: Zeroizing<String>,
    mailbox: Mailbox,
    /// What was just done.
    done: Option<String>,
}

impl MailboxPage {
    fn check_in(&self, months: &u8) -> String {
        self.frame.count("mailbox-check-in", "months", &usize::from(*months))
    }

    fn stage(&self) -> String {
        self.frame.t(match self.mailbox.stage {
            Stage::Nothing => "stage-nothing",
            Stage::Received => "stage-received",
            Stage::Acknowledged => "stage-acknowledged",
            Stage::LookedAt => "stage-looked-at",
            Stage::Told => "stage-told",
        })
    }
}

/// What is wrong with words that were typed, by their places and never by a word.
fn mended(language: Language, error: &ReceiptError) -> String {
    match error {
        ReceiptError::Count(count) => language.tell("words-count", &[("count", (*count).into())]),
        ReceiptError::Unknown(places) => {
            let places: Vec<_> = places.iter().map(usize::to_string).collect();
            language.tell("words-unknown", &[("places", (&places.join(", ")).into())])
        }
        ReceiptError::Long => language.say("words-long"),
        ReceiptError::Keys(_) => language.say("report-failed"),
    }
}

/// The keys of the words that were typed; the form with what is wrong with them otherwise.
async fn keys(
    pages: &Arc<Pages>,
    form: &mut Form,
    posted: &Posted,
) -> Result<Option<(Keys, Zeroizing<String>)>, Problem> {
    let receipt: Receipt = match posted.get("words").parse() {
        Ok(receipt) => receipt,
        Err(error) => {
            form.refuse("words", mended(form.language(), &error));
            return Ok(None);
        }
    };
    let words = Zeroizing::new(receipt.to_string());
    let turn = Arc::clone(&pages.tip.looks).acquire_owned().await;
    let work = tokio::task::spawn_blocking(move || {
        let keys = receipt.keys();
        drop(turn);
        keys
    });
    let keys = work.await.ok().and_then(Result::ok);
    let keys =
        keys.ok_or_else(|| Problem::defect("the keys of a receipt could not be made: is there memory for it?"))?;
    Ok(Some((keys, words)))
}

/// `POST /report/mailbox`
async fn look(State(pages): State<Arc<Pages>>, reader: Reader, posted: Posted) -> Result<Response, Problem> {
    let mut form = Form::new(reader.language, pages.command(), String::new());
    let Some((keys, words)) = keys(&pages, &mut form, &posted).await? else {
        let frame = Frame::new(&pages, &reader, &reader.language.say("mailbox-title"));
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &WordsPage { frame, form });
    };
    opened(&pages, &reader, &keys, words, form, None).await
}

/// The mailbox of these keys: of the same shape whether there is one or not.
async fn opened(
    pages: &Pages,
    reader: &Reader,
    keys: &Keys,
    words: Zeroizing<String>,
    mut form: Form,
    done: Option<String>,
) -> Result<Response, Problem> {
    let mailbox = pages.clerk.mailbox(keys).await?;
    let status = if form.is_good() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    if form.token().is_empty() {
        form.renew(pages.command(), ticket(pages, MORE, pages.tip.wait()));
    }
    let frame = Frame::new(pages, reader, &reader.language.say("mailbox-title"));
    page_with(status, &MailboxPage { frame, form, words, mailbox, done })
}

/// `POST /report/mailbox/add`
async fn add(State(pages): State<Arc<Pages>>, reader: Reader, upload: Upload) -> Result<Response, Problem> {
    let language = reader.language;
    let posted = &upload.posted;
    let mut form = Form::new(language, pages.command(), posted.get("token").to_owned());
    let Some((keys, words)) = keys(&pages, &mut form, posted).await? else {
        let frame = Frame::new(&pages, &reader, &language.say("mailbox-title"));
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &WordsPage { frame, form });
    };
    for (name, message) in [("text", "mailbox-text"), ("files", "report-files")] {
        form.call(name, language.say(message));
    }
    let text = form.read(posted, "text", Takes::TEXT.or_nothing().at_most(TEXT_BYTES_MAX));
    read_files(&mut form, &upload, language);
    if text.is_empty() && upload.files.is_empty() && form.is_good() {
        form.refuse("text", language.say("report-nothing"));
    }
    if !form.is_good() {
        return opened(&pages, &reader, &keys, words, form, None).await;
    }
    let ticket = match good(&pages, MORE, form.token()).await {
        Ok(ticket) => ticket,
        Err(error) => {
            again(&pages, &mut form, MORE, error);
            return opened(&pages, &reader, &keys, words, form, None).await;
        }
    };
    let review = posted.get("doing") == "review";
    let (files, opening) = (stripped(&upload), Keys { report: keys.report.clone(), opening: keys.opening.clone() });
    let (inner, outer) = (Arc::clone(&pages), Arc::clone(&pages));
    let work = async move {
        blocking(move || async move {
            let files: Vec<_> = files.iter().map(|(name, bytes, _)| (name.as_str(), &bytes[..])).collect();
            let purpose = if review { Purpose::AskReview } else { Purpose::Add };
            let sending = Sending { text: &text, files: &files };
            inner.clerk.receive_more(&inner.papers, &opening, purpose, sending, inner.now()).await?;
            Ok(Zeroizing::new(String::new()))
        })
        .await
    };
    let now = pages.now();
    let task = tokio::spawn(async move { outer.tickets.once(ticket, now, work).await });
    match task.await.unwrap_or(Err(Failed::Broken)) {
        Ok(_) => {
            let done = language.say(if review { "mailbox-review-done" } else { "mailbox-added" });
            let form = Form::new(language, pages.command(), String::new());
            opened(&pages, &reader, &keys, words, form, Some(done)).await
        }
        Err(error) => {
            form.refuse_all(said(&pages, language, &error));
            opened(&pages, &reader, &keys, words, form, None).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_is_too_many_waits_and_is_served_in_turn() {
        let line = Arc::new(Line::default());
        let (one, two) = (line.turn().await, line.turn().await);
        assert!(one.is_some() && two.is_some());
        let mut others = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let line = Arc::clone(&line);
            others.spawn(async move { line.turn().await.is_some() });
        }
        while line.waiting.load(Ordering::Relaxed) < 100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(line.wait(), WAIT_SECONDS + 100 / HARD_A_SECOND);
        drop(one);
        assert!(others.join_all().await.into_iter().all(|served| served));
        assert_eq!(line.wait(), WAIT_SECONDS);
        // Who goes away while waiting is waited for no more.
        let held = line.turn().await;
        drop(tokio::time::timeout(Duration::from_millis(20), line.turn()).await);
        assert!(held.is_some() && line.wait() == WAIT_SECONDS);
    }
}
