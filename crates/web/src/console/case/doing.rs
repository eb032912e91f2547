//! Doing something in a case: its form, what was posted, and what comes back when a rule or somebody else was there first.

use super::{Entered, actor, against, enter, entered, is_open, status_of};
use crate::answer::{Problem, page, page_with, see};
use crate::console::acts::act_words;
use crate::console::deeds::{self, Deed, Doing, Place, targets};
use crate::console::preview::PreviewView;
use crate::console::sheet::{FormPage, Run, Sheet};
use crate::console::{Desk, Received};
use crate::form::Posted;
use crate::frame::Reader;
use crate::kept::NOT_YET;
use crate::session::Session;
use crate::sign_in::escaped;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use clerk::{DraftOf, Error, File, Sent, Trial};
use review::act::Act;
use review::words::{CaseId, Text};
use std::collections::BTreeSet;

fn place_address(place: Place) -> &'static str {
    match place {
        Place::People => "",
        Place::Evidence => "/evidence",
        Place::Proof => "/proof",
        Place::Decisions => "/decisions",
        Place::After => "/after",
    }
}

/// The deed whose form shows a preview before it is sent.
const PROPOSE: &str = "propose";

/// What the targets that are chosen would stop, by the usage of late: what the watch saw last, or else what the newest
/// preview in the case rests on.
fn preview(entered: &Entered, posted: &Posted) -> Result<PreviewView, &'static str> {
    let File { case, law, .. } = &entered.file;
    let recent = entered.desk.pages.usage.as_ref().and_then(|usage| usage.recent(&case.id));
    let previews = case.decisions.values().filter_map(|decided| decided.previews.last());
    let kept = previews.max_by_key(|seen| seen.at).map(|seen| &seen.metered);
    let metered = recent.as_ref().map(|recent| &recent.metered).or(kept);
    let metered =
        metered.ok_or("No usage of late is known of these accounts here. Once it is proposed, a preview is made.")?;
    let targets = targets(posted.all("target")).filter(|targets| !targets.is_empty());
    let targets = targets.ok_or("Choose in the list what is to be switched off: then this shows what stops by it.")?;
    let intervention = posted.get("intervention").parse().ok().and_then(|id| law.procedure.intervention(&id));
    let window = intervention.is_some_and(|intervention| intervention.export_days > 0);
    Ok(PreviewView::of(metered, &targets, window))
}

fn form_page(entered: &Entered, deed: &Deed, sheet: Sheet<'_>) -> FormPage {
    let (case, frame) = (&entered.file.case, entered.desk.frame(&entered.session, &entered.reader, deed.title));
    FormPage {
        title: deed.title,
        says: deed.says,
        back: format!("{}{}", entered.base(), place_address(deed.place)),
        back_to: case.id.to_string(),
        version: case.version,
        step_up: if needs_step_up(entered, deed) { step_up_address(entered, deed) } else { String::new() },
        look_first: if deed.name == PROPOSE { "See first what stops" } else { "" },
        grave: deed.grave,
        ..FormPage::new(frame, sheet, format!("{}/do/{}", entered.base(), deed.name))
    }
}

/// Whether somebody confirms first who they are: whoever approves does.
fn needs_step_up(entered: &Entered, deed: &Deed) -> bool {
    deed.name == "approve" && !entered.session.is_fresh()
}

fn step_up_address(entered: &Entered, deed: &Deed) -> String {
    let query = entered.reader.with(&[]);
    let query = query.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
    format!("/step-up?next={}", escaped(&format!("{}/do/{}{query}", entered.base(), deed.name)))
}

/// The private texts that a deed's form shows or works with.
fn texts_for(entered: &Entered, deed: &Deed) -> BTreeSet<Text> {
    let drafts = entered.drafts.iter().map(|draft| draft.text);
    match deed.name {
        "confirm" | "ask" | "serve" | "correct" | "tell-employees" => drafts.collect(),
        "respond" => entered.file.case.escalated().map(|one| one.reason).collect(),
        "statement" => {
            entered.file.case.decisions.values().flat_map(|one| one.decision.reasons.values().copied()).collect()
        }
        _ => BTreeSet::new(),
    }
}

pub(in crate::console) async fn deed_form(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    Path((id, name)): Path<(CaseId, String)>,
) -> Result<Response, Problem> {
    let deed = deeds::of_name(&name).ok_or_else(Problem::missing)?;
    let entered = entered!(desk, session, reader, &id);
    if needs_step_up(&entered, deed) {
        return Ok(see(&step_up_address(&entered, deed)));
    }
    let read = entered.read(texts_for(&entered, deed)).await?;
    let trial = entered.trial().await?;
    let ground = entered.ground(&trial, &read);
    let mut sheet = Sheet::new(entered.desk.form(&entered.session), Run::Show, &entered.reader);
    (deed.describe)(&mut sheet, &ground);
    let against = is_open(deed, &trial, &ground, &entered.reader);
    let mut page_ = form_page(&entered, deed, sheet);
    page_.against = match against {
        Some(Ok(())) => String::new(),
        Some(Err(why)) => why,
        None => "There is nothing in this case now that it could be done to, or it is for people in another role."
            .to_owned(),
    };
    page(&page_)
}

pub(in crate::console) async fn deed(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    Path((id, name)): Path<(CaseId, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let deed = deeds::of_name(&name).ok_or_else(Problem::missing)?;
    let Received { form, command, over } = desk.received(&session, &posted)?;
    let entered = entered!(desk, session, reader, &id, &posted);
    let back = format!("{}{}", entered.base(), place_address(deed.place));
    if entered.file.case.done.contains(&command) {
        return Ok(see(&back));
    }
    let read = entered.read(texts_for(&entered, deed)).await?;
    let trial = entered.trial().await?;
    let ground = entered.ground(&trial, &read);
    let mut sheet = Sheet::new(form, Run::Read(&posted), &entered.reader);
    let doing = (deed.describe)(&mut sheet, &ground).filter(|_| sheet.form.is_good());
    let version: u64 = posted.get("version").parse().unwrap_or(0);
    let stale = version != entered.file.case.version;
    if over && stale {
        return again(&entered, deed, sheet, version).await;
    }
    if over {
        let preview = (deed.name == PROPOSE).then(|| preview(&entered, &posted));
        return page(&FormPage { notice: NOT_YET, preview, ..form_page(&entered, deed, sheet) });
    }
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    if needs_step_up(&entered, deed) {
        sheet.form.refuse_all("It must be you, now: confirm who you are, and send it again.");
    }
    let doing = doing.filter(|_| sheet.form.is_good());
    if let Some(doing) = doing.filter(|_| !stale) {
        let sent = Sent { id: command, at: entered.now, by: entered.session.sender() };
        match carry_out(&entered, &trial, &sent, version, doing, &sheet.texts).await {
            Ok(true) => return Ok(see(&back)),
            // Somebody was quicker, between our look and the append.
            Ok(false) => return again(&entered, deed, sheet, version).await,
            Err(error) => {
                status = status_of(&error, StatusCode::CONFLICT);
                sheet.form.refuse_all(against(error)?);
            }
        }
    }
    if stale {
        return again(&entered, deed, sheet, version).await;
    }
    page_with(status, &form_page(&entered, deed, sheet))
}

/// The form again, with what was typed and what happened since it was shown.
async fn again(entered: &Entered, deed: &Deed, mut sheet: Sheet<'_>, version: u64) -> Result<Response, Problem> {
    let clerk = &entered.desk.pages.clerk;
    let file = clerk.look(&entered.session.sender(), &entered.file.case.id, &entered.purpose, entered.now).await?;
    let since = file.events.iter().filter(|event| event.number > version);
    let changes = since.map(|event| format!("{} {}", actor(&event.command.by), act_words(&file, &event.command.act)));
    let changes = changes.collect();
    sheet.form.renew(entered.desk.pages.command(), entered.session.csrf().to_owned());
    let mut page_ = form_page(entered, deed, sheet);
    page_.version = file.case.version;
    page_.changes = changes;
    page_with(StatusCode::CONFLICT, &page_)
}

/// Does it: the rules are asked first, then texts are kept, then it is carried out. False if the case has changed.
async fn carry_out(
    entered: &Entered,
    trial: &Trial<'_>,
    sent: &Sent,
    version: u64,
    doing: Doing,
    texts: &[(Text, String)],
) -> Result<bool, Error> {
    let (pages, case) = (&entered.desk.pages, &entered.file.case.id);
    if let Some(act) = doing.act() {
        trial.of(&act)?;
    }
    for (_, text) in texts {
        let by = Some(entered.session.person());
        pages.clerk.keep(&pages.papers, by, Some(case), &BTreeSet::new(), text.as_bytes(), sent.at).await?;
    }
    match doing {
        Doing::Sign { decision, passphrase, message, shown } => {
            let signed = entered.session.sign_with_passphrase(&passphrase, &message, shown).await;
            let approval = signed
                .map_err(|problem| Error::Wrong(problem.says.unwrap_or_else(|| "it could not be signed".to_owned())))?;
            let act = Act::Approve { decision, approval };
            Ok(pages.clerk.enact_on(sent, case, version, act).await?.is_some())
        }
        Doing::Act(act) => Ok(pages.clerk.enact_on(sent, case, version, act).await?.is_some()),
        Doing::Draft(drafts) => {
            let drafts: Vec<(DraftOf, &str)> = drafts.iter().map(|(of, text)| (of.clone(), text.as_str())).collect();
            pages.clerk.draft(&pages.papers, entered.session.who(), case, &drafts, sent.at).await?;
            Ok(true)
        }
        Doing::Serve { decision, statement, public } => {
            pages.clerk.serve(sent, case, decision, statement, &public).await?;
            Ok(true)
        }
        Doing::Correct { statement, correction } => {
            pages.clerk.correct(sent, case, statement, &correction).await?;
            Ok(true)
        }
        Doing::Tell { words, .. } => {
            pages.clerk.tell_employees(&pages.papers, sent, case, &words).await?;
            Ok(true)
        }
        Doing::Merge(other) => {
            pages.clerk.merge(sent, case, &other).await?;
            Ok(true)
        }
    }
}

pub(in crate::console) async fn rewrap(
    State(desk): Desk,
    session: Session,
    Path(id): Path<CaseId>,
    posted: Posted,
) -> Result<Response, Problem> {
    desk.posted(&session, &posted)?;
    let wrong = || Problem::wrong(StatusCode::FORBIDDEN, "unlock your own key first, under “Your keys”");
    let identity = session.unlocked().ok_or_else(wrong)?;
    let pages = &desk.pages;
    pages.clerk.rewrap(&pages.papers, session.who(), &id, &identity, desk.now()).await?;
    Ok(see(&format!("/console/cases/{}/evidence", escaped(id.as_str()))))
}
