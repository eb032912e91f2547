//! Exploration: one workload's portrait, and what a policy would have found with other numbers.
//!
//! Every look has a purpose and is in the record before anything is read. An answer may take minutes: it is worked out
//! aside, one at a time, kept for whoever asked as long as they look, and kept nowhere else. It reads no usage itself;
//! that is whoever answers [`Usage`]'s.

use super::sheet::{FormPage, Run, Sheet, choices};
use super::{Console, Desk, Received};
use crate::answer::{Problem, page, page_with, see};
use crate::explore::{Backtest, Numbers, Tried, Usage};
use crate::form::Posted;
use crate::frame::{Frame, Reader};
use crate::kept::NOT_YET;
use crate::pages::PolicyText;
use crate::portrait::{Drawing, Explanation};
use crate::session::Session;
use crate::sign_in::escaped;
use crate::visible::filters;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use review::Decibans;
use review::words::{CustomerId, Moment};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// How long an answer is kept, and how many.
const KEPT_SECONDS: i64 = 3_600;
const KEPT_MAX: usize = 64;

/// In how many seconds a page that waits looks again.
const AGAIN: &str = "3";

/// The last days that a backtest may go over.
const DAYS_MAX: u16 = 366;

/// What was asked, by the address of its answer.
pub(crate) struct Answers {
    asked: Mutex<BTreeMap<String, Asked>>,
    /// Reading usage is dear: one at a time.
    one: Arc<Semaphore>,
}

impl Default for Answers {
    fn default() -> Self {
        Self { asked: Mutex::default(), one: Arc::new(Semaphore::new(1)) }
    }
}

#[derive(Clone)]
struct Asked {
    session: String,
    since: Moment,
    title: String,
    purpose: String,
    /// `None` as long as it is worked out.
    answer: Option<Arc<Answer>>,
}

enum Answer {
    Portrait(Box<Explanation>),
    Backtest {
        tried: Backtest,
        changes: Vec<[String; 3]>,
    },
    /// Why there is none.
    Not(String),
}

/// What somebody asks.
enum Question {
    Workload(String),
    Policy { policy: String, own: Numbers, numbers: Numbers, days: u16 },
}

impl Question {
    /// As the record names it.
    fn name(&self) -> String {
        match self {
            Self::Workload(entity) => entity.clone(),
            Self::Policy { policy, .. } => format!("{policy} with other numbers"),
        }
    }
}

// ---- the forms ------------------------------------------------------------------------------------------------------

fn ask_page(
    desk: &Console,
    session: &Session,
    reader: &Reader,
    sheet: Sheet<'_>,
    policy: Option<&PolicyText>,
) -> FormPage {
    let (title, says, action) = match policy {
        None => (
            "Look at a workload",
            "What the usage records say of one workload: its history beside its peers’, its evidence, what would explain \
                 it innocently, and what cannot be seen. It restricts nobody.",
            "/console/explore/workload".to_owned(),
        ),
        Some(policy) => (
            "Try other numbers",
            "What the policy would have opened in the last days with its own numbers, and with others. You see counts, and \
                 pseudonyms where the two differ. Nothing changes by it.",
            format!("/console/explore/policy/{}", escaped(&policy.id)),
        ),
    };
    FormPage {
        title,
        says,
        back: "/console/explore".to_owned(),
        back_to: "Explore".to_owned(),
        ..FormPage::new(desk.frame(session, reader, title), sheet, action)
    }
}

/// Words of one line.
struct Line(String);

impl FromStr for Line {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.trim().to_owned()))
    }
}

/// Evidence within bounds in whole decibans, as people write it: with a minus of either kind, or a comma.
struct Db<const LEAST: i32, const MOST: i32>(Decibans);

impl<const LEAST: i32, const MOST: i32> FromStr for Db<LEAST, MOST> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = text.trim().replace('−', "-").replace(',', ".");
        let read = plain.parse().ok().and_then(Decibans::from_f64);
        let within = |db: &Decibans| (LEAST * 100..=MOST * 100).contains(&db.hundredths());
        let says = || format!("Write decibans from {LEAST} to {MOST}, no finer than hundredths.").replace('-', "−");
        read.filter(within).map(Self).ok_or_else(says)
    }
}

/// A whole number within bounds.
struct Within<const LEAST: i64, const MOST: i64>(i64);

impl<const LEAST: i64, const MOST: i64> FromStr for Within<LEAST, MOST> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = text.trim().parse().ok().filter(|value| (LEAST..=MOST).contains(value));
        read.map(Self).ok_or_else(|| format!("Write a whole number from {LEAST} to {MOST}."))
    }
}

fn purpose(sheet: &mut Sheet<'_>) -> Option<String> {
    let hint = "In a line. The look is in the record with it, before anything is read.";
    sheet.named::<Line>("purpose", "What you look for", hint, "").map(|line| line.0)
}

fn about_workload(sheet: &mut Sheet<'_>) -> Option<(Question, String)> {
    let kinds = choices(&[("account", "An account"), ("unit", "A unit"), ("customer", "A customer")]);
    let kind = sheet.usual("kind", "What", "", &kinds);
    let id = sheet.named::<Line>("id", "Its name", "As the records write it; a unit as CUSTOMER/UNIT.", "");
    let purpose = purpose(sheet);
    Some((Question::Workload(format!("{}:{}", kind?, id?.0)), purpose?))
}

fn about_policy(sheet: &mut Sheet<'_>, policy: &PolicyText) -> Option<(Question, String)> {
    let own = &policy.numbers;
    // Within what a pack may say.
    let floor = "A finding below it opens no case.";
    let floor_db = sheet.number::<Db<-40, 30>>("floor", "Floor, dB", floor, &own.floor_db.to_string());
    let raise = "How far the population itself may raise the floor.";
    let raise_db = sheet.number::<Db<0, 6>>("raise", "Raised by at most, dB", raise, &own.floor_raise_db.to_string());
    let prior = "What is believed before any evidence.";
    let prior_db = sheet.number::<Db<-90, -20>>("prior", "Prior, dB", prior, &own.prior_db.to_string());
    let of = "Of the five: scale, form, processing, declaration, structure.";
    let families = sheet.number::<Within<1, 5>>("families", "Families that must speak", of, &own.families.to_string());
    let families_db =
        sheet.number::<Db<0, 16>>("families-db", "With at least, dB each", "", &own.families_db.to_string());
    let lane = "From so many calls an hour, for six hours, a case needs no second day.";
    let fast_lane =
        sheet.number::<Within<1, { i64::MAX }>>("fast", "No second day from", lane, &own.fast_lane.to_string());
    let week = "For each 10,000 customers, and at least as many in all.";
    let cases =
        sheet.number::<Within<1, 10_000>>("cases", "Cases a week, at most", week, &own.cases_per_week.to_string());
    let days = sheet.number::<Within<1, { DAYS_MAX as i64 }>>("days", "The last days", "Up to what is known.", "28");
    sheet.head(
        "What counts of each signal, in per cent",
        "100 is the signal as it is; 0 leaves it out. No signal exceeds +16 dB or falls below −6.",
    );
    let mut weights = BTreeMap::new();
    let mut good = true;
    for [family, signal, ..] in &policy.signals {
        match sheet.number::<Within<0, 300>>(&format!("weight-{signal}"), signal, family, "100") {
            Some(Within(percent)) => drop(weights.insert(signal.clone(), u16::try_from(percent).unwrap_or(100))),
            None => good = false,
        }
    }
    let purpose = purpose(sheet);
    let numbers = Numbers {
        prior_db: prior_db?.0,
        floor_db: floor_db?.0,
        floor_raise_db: raise_db?.0,
        cases_per_week: u32::try_from(cases?.0).ok()?,
        families: u32::try_from(families?.0).ok()?,
        families_db: families_db?.0,
        fast_lane: fast_lane?.0,
        weights,
    };
    let (policy, own, days) = (policy.id.clone(), own.clone(), u16::try_from(days?.0).ok()?);
    good.then_some((Question::Policy { policy, own, numbers, days }, purpose?))
}

#[derive(Template)]
#[template(path = "console/explore.html")]
struct ExplorePage {
    frame: Frame,
    policies: Vec<(String, String)>,
    there: bool,
}

pub(super) async fn show(State(desk): Desk, session: Session, reader: Reader) -> Result<Response, Problem> {
    let policies = desk.pages.settings.policies.iter();
    page(&ExplorePage {
        frame: desk.frame(&session, &reader, "Explore"),
        policies: policies
            .map(|policy| (format!("/console/explore/policy/{}", escaped(&policy.id)), policy.title.clone()))
            .collect(),
        there: desk.pages.usage.is_some(),
    })
}

pub(super) async fn workload_form(State(desk): Desk, session: Session, reader: Reader) -> Result<Response, Problem> {
    let mut sheet = Sheet::new(desk.form(&session), Run::Show, &reader);
    about_workload(&mut sheet);
    page(&ask_page(&desk, &session, &reader, sheet, None))
}

pub(super) async fn workload(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    posted: Posted,
) -> Result<Response, Problem> {
    let Received { form, over, .. } = desk.received(&session, &posted)?;
    let mut sheet = Sheet::new(form, Run::Read(&posted), &reader);
    let asked = about_workload(&mut sheet).filter(|_| sheet.form.is_good());
    if over {
        return page(&FormPage { notice: NOT_YET, ..ask_page(&desk, &session, &reader, sheet, None) });
    }
    answered(&desk, &session, &reader, sheet, asked, None).await
}

pub(super) async fn policy_form(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let policy = desk.policy(&id)?;
    let mut sheet = Sheet::new(desk.form(&session), Run::Show, &reader);
    about_policy(&mut sheet, policy);
    page(&ask_page(&desk, &session, &reader, sheet, Some(policy)))
}

pub(super) async fn policy(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let Received { form, over, .. } = desk.received(&session, &posted)?;
    let policy = desk.policy(&id)?;
    let mut sheet = Sheet::new(form, Run::Read(&posted), &reader);
    let mut asked = about_policy(&mut sheet, policy).filter(|_| sheet.form.is_good());
    if over {
        return page(&FormPage { notice: NOT_YET, ..ask_page(&desk, &session, &reader, sheet, Some(policy)) });
    }
    if let Some((Question::Policy { own, numbers, .. }, _)) = &asked
        && own == numbers
    {
        sheet.form.refuse("floor", "All numbers are the policy’s own: change at least one.");
        asked = None;
    }
    answered(&desk, &session, &reader, sheet, asked, Some(policy)).await
}

impl Console {
    fn policy(&self, id: &str) -> Result<&PolicyText, Problem> {
        self.pages.settings.policies.iter().find(|policy| policy.id == id).ok_or_else(Problem::missing)
    }
}

// ---- asking ---------------------------------------------------------------------------------------------------------

/// Leads to the answer, or shows the form again.
async fn answered(
    desk: &Console,
    session: &Session,
    reader: &Reader,
    mut sheet: Sheet<'_>,
    asked: Option<(Question, String)>,
    policy: Option<&PolicyText>,
) -> Result<Response, Problem> {
    if let Some((question, purpose)) = asked {
        match ask(desk, session, question, purpose).await? {
            Ok(id) => return Ok(see(&format!("/console/explore/answers/{id}"))),
            Err(why) => sheet.form.refuse_all(why),
        }
    }
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &ask_page(desk, session, reader, sheet, policy))
}

/// Has a question worked out, and gives where its answer will be; or says why not now.
async fn ask(
    desk: &Console,
    session: &Session,
    question: Question,
    purpose: String,
) -> Result<Result<String, &'static str>, Problem> {
    let Some(usage) = desk.pages.usage.clone() else {
        return Ok(Err("This server watches no usage: name the records under [usage] in its configuration."));
    };
    let Ok(turn) = Arc::clone(&desk.pages.answers.one).try_acquire_owned() else {
        return Ok(Err(
            "Another question is being worked out: send this one again in a minute. Nothing of it is lost.",
        ));
    };
    let (now, what) = (desk.now(), question.name());
    desk.pages.clerk.look_at_usage(session.who(), &what, &purpose, now).await?;
    let id = desk.pages.random::<16>().map(|byte| format!("{byte:02x}")).concat();
    let asked = Asked { session: session.kept.id.clone(), since: now, title: what, purpose, answer: None };
    desk.pages.answers.put(&id, asked);
    let (desk, who, at) = (desk.clone(), session.who().to_owned(), id.clone());
    tokio::spawn(async move {
        let worked = tokio::task::spawn_blocking(move || work_out(&*usage, question)).await;
        let answer =
            worked.unwrap_or_else(|_| Answer::Not("It could not be worked out; that is our own fault.".to_owned()));
        let answer = close_to(&desk, &who, answer).await;
        desk.pages.answers.answer(&at, answer);
        drop(turn);
    });
    Ok(Ok(id))
}

fn work_out(usage: &dyn Usage, question: Question) -> Answer {
    let answer = match question {
        Question::Workload(entity) => usage.explain(&entity).map(|read| Answer::Portrait(Box::new(read))),
        Question::Policy { policy, own, numbers, days } => {
            let tried = usage.backtest(&policy, &numbers, days);
            tried.map(|tried| Answer::Backtest { tried, changes: changes(&own, &numbers) })
        }
    };
    answer.unwrap_or_else(Answer::Not)
}

/// Who is close to a customer does not look at its usage, whatever they look for.
async fn close_to(desk: &Console, who: &str, answer: Answer) -> Answer {
    let Answer::Portrait(read) = &answer else { return answer };
    let named = std::iter::once(&read.explanation.customer);
    let customers: BTreeSet<&String> = named.chain(read.explanation.accounts.iter().map(|one| &one.customer)).collect();
    for name in customers {
        let close = match name.parse::<CustomerId>() {
            Ok(customer) => desk.pages.clerk.too_close(who, &customer).await,
            // Nobody is on the account team of what is no customer's name.
            Err(_) => Ok(None),
        };
        match close {
            Ok(None) => {}
            Ok(Some(_)) => {
                let says = "You are too close to a customer in this: its account team, its sponsor and those they answer to do \
                            not look at its usage.";
                return Answer::Not(says.to_owned());
            }
            Err(error) => return Answer::Not(error.to_string()),
        }
    }
    answer
}

/// Each number that was changed: what it is, what it was, what was tried.
fn changes(own: &Numbers, tried: &Numbers) -> Vec<[String; 3]> {
    let db = |value: Decibans| format!("{value} dB");
    let pairs = [
        ("floor", db(own.floor_db), db(tried.floor_db)),
        ("raised by at most", db(own.floor_raise_db), db(tried.floor_raise_db)),
        ("prior", db(own.prior_db), db(tried.prior_db)),
        ("families that must speak", own.families.to_string(), tried.families.to_string()),
        ("with at least", db(own.families_db), db(tried.families_db)),
        ("no second day from", own.fast_lane.to_string(), tried.fast_lane.to_string()),
        ("cases a week", own.cases_per_week.to_string(), tried.cases_per_week.to_string()),
    ];
    let weights =
        tried.weights.iter().map(|(signal, percent)| (signal.as_str(), "100 %".to_owned(), format!("{percent} %")));
    let all = pairs.into_iter().chain(weights);
    all.filter(|(_, own, tried)| own != tried).map(|(what, own, tried)| [what.to_owned(), own, tried]).collect()
}

impl Answers {
    fn put(&self, id: &str, asked: Asked) {
        let mut all = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let now = asked.since;
        all.retain(|_, one| now.0 - one.since.0 < KEPT_SECONDS);
        while all.len() >= KEPT_MAX {
            let oldest = all.iter().min_by_key(|(_, one)| one.since).map(|(id, _)| id.clone());
            oldest.map(|id| all.remove(&id));
        }
        all.insert(id.to_owned(), asked);
    }

    fn answer(&self, id: &str, answer: Answer) {
        if let Some(asked) = self.asked.lock().unwrap_or_else(PoisonError::into_inner).get_mut(id) {
            asked.answer = Some(Arc::new(answer));
        }
    }

    /// What somebody's own session asked.
    fn get(&self, id: &str, session: &Session, now: Moment) -> Option<Asked> {
        let all = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let own = |asked: &&Asked| asked.session == session.kept.id && now.0 - asked.since.0 < KEPT_SECONDS;
        all.get(id).filter(own).cloned()
    }
}

// ---- the answers ----------------------------------------------------------------------------------------------------

#[derive(Template)]
#[template(path = "console/answer.html")]
struct AnswerPage<'a> {
    frame: Frame,
    title: &'a str,
    purpose: &'a str,
    again: String,
    /// Why there is no answer.
    not: Option<&'a str>,
    drawing: Option<Drawing>,
    backtest: Option<(&'a Backtest, &'a [[String; 3]])>,
    /// Workloads that one side alone would have opened.
    differ: Vec<(&'static str, &'a [Tried])>,
}

pub(super) async fn answer(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let Some(asked) = desk.pages.answers.get(&id, &session, desk.now()) else {
        let says = "this answer is no longer here: answers are kept for an hour, for whoever asked. Ask again";
        return Err(Problem::wrong(StatusCode::GONE, says));
    };
    let again = format!("/console/explore/answers/{}", escaped(&id));
    let (not, drawing, backtest) = match asked.answer.as_deref() {
        None => (None, None, None),
        Some(Answer::Not(why)) => (Some(why.as_str()), None, None),
        Some(Answer::Portrait(read)) => {
            let drawing = Drawing::new(read.explanation.clone(), None, Some(read.records.digest.clone()));
            (None, Some(drawing), None)
        }
        Some(Answer::Backtest { tried, changes }) => (None, None, Some((tried, changes.as_slice()))),
    };
    let differ = backtest.map(|(tried, _)| vec![("Dropped", &*tried.only_own), ("New", &*tried.only_other)]);
    let differ = differ.unwrap_or_default();
    let frame = desk.frame(&session, &reader, &crate::visible::line(&asked.title));
    let (title, purpose) = (asked.title.as_str(), asked.purpose.as_str());
    let mut response = page(&AnswerPage { frame, title, purpose, again, not, drawing, backtest, differ })?;
    if asked.answer.is_none() {
        response.headers_mut().insert(header::REFRESH, HeaderValue::from_static(AGAIN));
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, is) in [("−18", -1_800), ("-18", -1_800), ("4,5", 450), ("+0.25", 25)] {
            assert_eq!(text.parse::<Db<-40, 30>>().map(|db| db.0.hundredths()), Ok(is), "{text}");
        }
        for text in ["", "x", "1e9", "0.001", "NaN", "31", "-40.01"] {
            assert!(text.parse::<Db<-40, 30>>().is_err(), "{text}");
        }
        assert!("301".parse::<Within<0, 300>>().is_err() && "-1".parse::<Within<0, 300>>().is_err());
    }

    #[test]
    fn what_was_changed_is_said_and_nothing_else() {
        let own =
            Numbers { weights: BTreeMap::from([("a".to_owned(), 100), ("b".to_owned(), 100)]), ..Numbers::default() };
        assert!(changes(&own, &own).is_empty());
        let mut tried = own.clone();
        tried.floor_db = Decibans::from_tenths(-180);
        tried.weights.insert("b".to_owned(), 0);
        let said: Vec<String> = changes(&own, &tried).iter().map(|change| change.join(" · ")).collect();
        assert_eq!(said, ["floor · 0.0 dB · −18.0 dB", "b · 100 % · 0 %"]);
    }
}
