//! The customer's pages: what is restricted, why, on what ground and until when; answering, appealing, declaring a use.
//!
//! All it shows comes from [`clerk::Matter`]: what was served on this customer and nothing else. Another customer's case is
//! as if it were none, and nobody of the provider's is named.

use crate::answer::{Problem, page, page_with, see};
use crate::form::{Form, Posted, Takes};
use crate::frame::{Frame, Link, Reader, SignedIn};
use crate::kept::{self, Typed};
use crate::pages::Pages;
use crate::routes::{May, Route};
use crate::session::CustomerSession;
use crate::visible::filters;
use crate::words::Language;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use clerk::{Answer, Asked, Challenge, Declaration, Declaring, Matter, Sent, Served};
use review::act::AppealOutcome;
use review::notice::Measure;
use review::published::{Section, sections};
use review::statement::words;
use review::words::{CaseId, CommandId, Digest, Moment, Switch, Target};
use std::collections::BTreeSet;
use std::sync::Arc;

type House = State<Arc<Pages>>;

/// The routes.
pub(crate) fn routes() -> Vec<Route<Arc<Pages>>> {
    let may = May::Customers;
    vec![
        Route::get("/customer", may, "what was served on the customer", overview),
        Route::get("/customer/case/{case}", may, "one case, as its customer sees it", case),
        Route::get("/customer/case/{case}/{decision}", may, "a statement of reasons", statement),
        Route::get("/customer/case/{case}/{decision}/text", may, "the same, as plain text", statement_text),
        Route::post("/customer/case/{case}/answer", may, "answer a question", answer),
        Route::post("/customer/case/{case}/appeal", may, "appeal against a decision", appeal),
        Route::get("/customer/declare", may, "declare a use", declare_form),
        Route::post("/customer/declare", may, "declare it", declare),
    ]
}

fn frame(pages: &Pages, reader: &Reader, session: &CustomerSession, title: &str) -> Frame {
    let signed_in = SignedIn { name: session.customer().to_string(), token: session.csrf().to_owned() };
    Frame::inside(pages, reader, title, links(), "/customer", Some(signed_in))
}

/// The places that a customer goes to.
pub(crate) fn links() -> Vec<Link> {
    let places = [("/customer", "Restrictions"), ("/customer/declare", "Declare a use"), ("/me", "You")];
    places.into_iter().map(|(address, name)| Link::new(address, name)).collect()
}

fn empty(pages: &Pages, session: &CustomerSession) -> Form {
    Form::new(Language::English, pages.command(), session.csrf().to_owned())
}

/// A form that was posted, from this session; or one that is only to be looked over, which is said in it, so that it is
/// shown again.
fn posted_form(session: &CustomerSession, posted: &Posted) -> Result<(Form, CommandId), Problem> {
    let over = kept::is_to_be_looked_over(posted);
    if !over {
        let kept = |problem: Problem| problem.keeping(Typed::of(posted, false));
        session.check_csrf(posted.get("token")).map_err(kept)?;
    }
    let (mut form, command) = Form::posted(Language::English, posted)?;
    if over {
        form.renew(form.command().to_owned(), session.csrf().to_owned());
        form.refuse_all(kept::NOT_YET);
    }
    Ok((form, command))
}

fn sent(pages: &Pages, session: &CustomerSession, id: CommandId) -> Sent {
    Sent { id, at: pages.now(), by: session.sender() }
}

/// What is said of an error beside the form; what is no fault of what was typed stays a problem.
fn beside(error: clerk::Error) -> Result<String, Problem> {
    match error {
        clerk::Error::Refused(_) | clerk::Error::Wrong(_) | clerk::Error::Busy => Ok(error.to_string()),
        error => Err(error.into()),
    }
}

// ---- what is shown --------------------------------------------------------------------------------------------------

#[derive(Template)]
#[template(path = "customer.html")]
struct OverviewPage {
    frame: Frame,
    now: Moment,
    matters: Vec<Matter>,
    declarations: Vec<Declaration>,
}

async fn overview(State(pages): House, reader: Reader, session: CustomerSession) -> Result<Response, Problem> {
    let customer = session.customer();
    page(&OverviewPage {
        frame: frame(&pages, &reader, &session, "Restrictions and questions"),
        now: pages.now(),
        matters: pages.clerk.matters(&pages.papers, customer).await?,
        declarations: pages.clerk.declared_by(customer).await?,
    })
}

#[derive(Template)]
#[template(path = "customer-case.html")]
struct CasePage {
    frame: Frame,
    now: Moment,
    matter: Matter,
    /// The form that was posted, or an empty one.
    form: Form,
    /// Which of the forms that is: a question's or a decision's name.
    posted: String,
}

impl CasePage {
    async fn of(
        pages: &Pages,
        reader: &Reader,
        session: &CustomerSession,
        case: &str,
        again: Option<(Form, String)>,
    ) -> Result<Self, Problem> {
        let case: CaseId = case.parse().map_err(|_| Problem::missing())?;
        let matter = pages.clerk.matter(&pages.papers, session.customer(), &case).await?;
        let frame = frame(pages, reader, session, &matter.clause);
        let (form, posted) = again.unwrap_or_else(|| (empty(pages, session), String::new()));
        Ok(Self { frame, now: pages.now(), matter, form, posted })
    }

    /// The form of a question or decision: the one that was posted, or an empty one with the same command.
    fn form_of(&self, name: &str) -> Form {
        if self.posted == name {
            return self.form.clone();
        }
        Form::new(Language::English, self.form.command().to_owned(), self.form.token().to_owned())
    }

    /// Whether a decision can be appealed: in time or not, unless an appeal against it is being heard.
    fn can_appeal(&self, served: &Served) -> bool {
        let heard = |appeal: &Challenge| appeal.decision == served.measure.id && appeal.outcome.is_none();
        !self.matter.appeals.iter().any(heard)
    }
}

async fn case(
    State(pages): House,
    reader: Reader,
    session: CustomerSession,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    page(&CasePage::of(&pages, &reader, &session, &case, None).await?)
}

#[derive(Template)]
#[template(path = "customer-statement.html")]
struct StatementPage {
    frame: Frame,
    case: String,
    decision: String,
    digest: Digest,
    public: Digest,
    /// Under which the public finds it.
    public_name: String,
    served: Moment,
    sections: Vec<Section>,
}

async fn served(
    pages: &Pages,
    session: &CustomerSession,
    (case, decision): (&str, &str),
) -> Result<(Served, String), Problem> {
    let case: CaseId = case.parse().map_err(|_| Problem::missing())?;
    let matter = pages.clerk.matter(&pages.papers, session.customer(), &case).await?;
    let served = matter.measures.into_iter().find(|served| served.measure.id.as_str() == decision);
    let served = served.ok_or_else(Problem::missing)?;
    let text = served.statement.clone().ok_or_else(|| {
        let says =
            "its text is not kept on this server: it was erased, or served on you by other means; ask for a copy";
        Problem::wrong(StatusCode::GONE, says)
    })?;
    Ok((served, text))
}

async fn statement(
    State(pages): House,
    reader: Reader,
    session: CustomerSession,
    Path((case, decision)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (served, text) = served(&pages, &session, (&case, &decision)).await?;
    let (title, sections) = sections(&text).ok_or_else(|| Problem::defect("a statement has another form"))?;
    let Measure { statement: digest, public, served, .. } = served.measure;
    let frame = frame(&pages, &reader, &session, title);
    let public_name = public.to_string().replace(':', "-");
    page(&StatementPage { frame, case, decision, digest, public, public_name, served, sections })
}

async fn statement_text(
    State(pages): House,
    session: CustomerSession,
    Path((case, decision)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (_, text) = served(&pages, &session, (&case, &decision)).await?;
    let name = HeaderValue::from_str(&format!("attachment; filename=\"statement-{decision}.txt\""));
    let name = name.map_err(|error| Problem::defect(error.to_string()))?;
    let headers: [(HeaderName, HeaderValue); 2] = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, text).into_response())
}

// ---- what is done ---------------------------------------------------------------------------------------------------

/// A text of a customer's; its kind of bound is the clerk's.
const TEXT: Takes = Takes::TEXT.at_most(clerk::TEXT_BYTES_MAX);

async fn answer(
    State(pages): House,
    reader: Reader,
    session: CustomerSession,
    Path(case): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (mut form, id) = posted_form(&session, &posted)?;
    let question = posted.get("question").to_owned();
    let name = question.parse().map_err(|_| Problem::missing())?;
    let to: CaseId = case.parse().map_err(|_| Problem::missing())?;
    let refuses = posted.get("how") == "refuse";
    form.call("text", "Your answer");
    let text = form.read(&posted, "text", if refuses { TEXT.or_nothing() } else { TEXT });
    if form.is_good() {
        let text = Some(text.as_str()).filter(|_| !refuses);
        match pages.clerk.answer(&pages.papers, &sent(&pages, &session, id), &to, &name, text).await {
            Ok(_) => return Ok(see(&format!("/customer/case/{to}#{question}"))),
            Err(error) => form.refuse("text", beside(error)?),
        }
    }
    let shown = CasePage::of(&pages, &reader, &session, &case, Some((form, question))).await?;
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown)
}

async fn appeal(
    State(pages): House,
    reader: Reader,
    session: CustomerSession,
    Path(case): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (mut form, id) = posted_form(&session, &posted)?;
    let decision = posted.get("decision").to_owned();
    let name = decision.parse().map_err(|_| Problem::missing())?;
    let to: CaseId = case.parse().map_err(|_| Problem::missing())?;
    form.call("ground", "On what ground");
    let ground = form.read(&posted, "ground", TEXT);
    if form.is_good() {
        match pages.clerk.appeal(&pages.papers, &sent(&pages, &session, id), &to, &name, &ground).await {
            Ok(_) => return Ok(see(&format!("/customer/case/{to}#appeals"))),
            Err(error) => form.refuse("ground", beside(error)?),
        }
    }
    let shown = CasePage::of(&pages, &reader, &session, &case, Some((form, decision))).await?;
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown)
}

/// Uses that have a word of their own; others are told in text.
const USES: [(&str, &str); 15] = [
    ("contact_centre", "Contact centre"),
    ("voicemail", "Voicemail"),
    ("meetings", "Meetings"),
    ("podcast", "Podcast"),
    ("media_archive", "Media archive"),
    ("emergency_calls", "Emergency calls"),
    ("financial_recording", "Recording required of financial services"),
    ("backup", "Backup"),
    ("video_security", "Video security"),
    ("medical_dictation", "Medical dictation"),
    ("research", "Research"),
    ("voice_assistant", "Voice assistant"),
    ("analytics", "Analytics"),
    ("ml_training", "Training of models"),
    ("other", "Something else"),
];

#[derive(Template)]
#[template(path = "customer-declare.html")]
struct DeclarePage {
    frame: Frame,
    form: Form,
    uses: &'static [(&'static str, &'static str)],
}

async fn declare_form(State(pages): House, reader: Reader, session: CustomerSession) -> Result<Response, Problem> {
    let form = empty(&pages, &session);
    page(&DeclarePage { frame: frame(&pages, &reader, &session, "Declare a use"), form, uses: &USES })
}

async fn declare(
    State(pages): House,
    reader: Reader,
    session: CustomerSession,
    posted: Posted,
) -> Result<Response, Problem> {
    let (mut form, id) = posted_form(&session, &posted)?;
    for (name, label) in [
        ("use", "What it is used for"),
        ("accounts", "In which accounts"),
        ("calls", "Calls an hour, at most"),
        ("text", "In your own words"),
    ] {
        form.call(name, label);
    }
    let declared_use = form.read(&posted, "use", Takes::LINE);
    let accounts = form.read(&posted, "accounts", Takes::TEXT.at_most(4_000).or_nothing());
    let accounts: Result<BTreeSet<_>, _> = accounts.split_whitespace().map(str::parse).collect();
    if accounts.is_err() {
        form.refuse("accounts", "one of these is no account's name: write one in each line");
    }
    let calls = form.read(&posted, "calls", Takes::LINE.at_most(20).or_nothing()).replace([',', ' ', '.'], "");
    let calls_per_hour = match calls.as_str() {
        "" => None,
        calls => calls.parse().map(Some).unwrap_or_else(|_| {
            form.refuse("calls", "write a whole number, or nothing");
            None
        }),
    };
    let text = form.read(&posted, "text", TEXT);
    if form.is_good() {
        let accounts = accounts.unwrap_or_default();
        let declaring = Declaring { accounts, declared_use, calls_per_hour, text };
        match pages.clerk.declare(&pages.papers, &sent(&pages, &session, id), &declaring).await {
            Ok(_) => return Ok(see("/customer#declared")),
            Err(error) => form.refuse_all(beside(error)?),
        }
    }
    let shown = DeclarePage { frame: frame(&pages, &reader, &session, "Declare a use"), form, uses: &USES };
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown)
}

// ---- in words -------------------------------------------------------------------------------------------------------

/// Where a decision stands, for its customer: the badge and the words.
fn standing(measure: &Measure, now: &Moment) -> (&'static str, &'static str) {
    match (measure.took_effect, measure.over || measure.ends.is_some_and(|ends| measure.took_effect && ends <= *now)) {
        (_, true) => ("good", "over"),
        (true, _) if measure.in_force.is_empty() && !measure.targets.is_empty() => ("good", "lifted"),
        (true, _) => ("bad", "in force"),
        (false, _) => ("warn", "served, not in force yet"),
    }
}

/// What is switched off of a target.
fn switched_off(switches: &BTreeSet<Switch>) -> String {
    switches.iter().map(|switch| words(*switch)).collect::<Vec<_>>().join(", ")
}

/// Where.
fn place(target: &Target) -> String {
    target.region.as_ref().map_or("everywhere".to_owned(), |region| format!("in {region}"))
}

/// How an appeal stands.
fn appeal_stands(appeal: &Challenge) -> String {
    match appeal.outcome {
        Some((AppealOutcome::Upheld, at)) => format!("upheld on {}: all of it is to be lifted", at.day()),
        Some((AppealOutcome::UpheldInPart, at)) => format!("upheld in part on {}: a part is to be lifted", at.day()),
        Some((AppealOutcome::Rejected, at)) => format!("rejected on {}: the decision stands", at.day()),
        None if appeal.heard => "being heard by two of the appeal panel who did not decide before".to_owned(),
        None => "it came after the time: two of the appeal panel say whether it is heard all the same".to_owned(),
    }
}

/// Whether something can still be done in time.
fn in_time(asked: &Asked, now: &Moment) -> bool {
    asked.answer.is_none() && *now <= asked.until
}

fn answered(asked: &Asked) -> String {
    match &asked.answer {
        None => "not answered yet".to_owned(),
        Some(Answer::Refused) => "you did not want to answer".to_owned(),
        Some(Answer::Said(Some(text))) => text.clone(),
        Some(Answer::Said(None)) => "you answered; the text is sealed to those who review".to_owned(),
    }
}
