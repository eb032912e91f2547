//! The tab of decisions: the sealed list, what stops and what keeps running, who decided, what differs from before.

use super::{Entered, Head, Words, enter, entered, offers, ruling, words};
use crate::answer::{Problem, page};
use crate::console::deeds::{self, Ground, Place, order_words, target_words};
use crate::console::preview::PreviewView;
use crate::console::sheet::Sheet;
use crate::console::{Chip, Desk};
use crate::frame::{Frame, Reader};
use crate::session::Session;
use crate::sign_in::escaped;
use crate::visible::filters;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use clerk::{File, Trial};
use review::case::Standing;
use review::metered::Compared;
use review::words::{CaseId, DecisionId, Moment, Text};
use std::collections::BTreeSet;

/// A line of two lists, side by side.
struct Side {
    before: Option<String>,
    now: Option<String>,
}

struct DecisionView {
    id: String,
    what: String,
    standing: &'static str,
    badge: &'static str,
    by: String,
    proposed: String,
    emergency: bool,
    targets: Vec<String>,
    reasons: Vec<(&'static str, Words)>,
    root: String,
    digest: String,
    approvals: Vec<(String, String)>,
    refusals: Vec<(String, Words)>,
    needed: usize,
    ends: String,
    review: String,
    served: String,
    effect: String,
    checks: Vec<Chip>,
    task: Option<Chip>,
    against: String,
    difference: Vec<Side>,
    /// What stops and what keeps running, by the newest preview.
    preview: Option<PreviewView>,
    /// What the days after its effect showed, each time that was looked at.
    compared: Vec<String>,
    links: Vec<(String, &'static str, bool)>,
}

#[derive(Template)]
#[template(path = "console/decisions.html")]
struct DecisionsPage {
    frame: Frame,
    head: Head,
    decisions: Vec<DecisionView>,
}

fn preview(file: &File, id: &DecisionId, decided: &review::case::Decided) -> Option<PreviewView> {
    let seen = decided.previews.last()?;
    let window = file.case.has_window(id, seen.at);
    Some(PreviewView::of(&seen.metered, &decided.decision.targets, window))
}

/// What the days after showed, in a sentence.
fn compared((at, compared): &(Moment, Compared)) -> String {
    let Compared { stopped, still, as_before, less } = compared;
    format!(
        "{}: of what was to stop, {stopped} kinds of use are at zero and {still} are not; of what was to go on, {as_before} \
         are there as before and {less} are at less than half.",
        at.day()
    )
}

fn standing(of: Standing) -> (&'static str, &'static str) {
    match of {
        Standing::Proposed => ("before those who decide", "warn"),
        Standing::Approved => ("approved", "own"),
        Standing::Refused => ("refused", ""),
        Standing::InEffect => ("in effect", "bad"),
        Standing::Over => ("over", ""),
    }
}

/// The decision that was approved before this one, if any: what is new is held against it.
fn before<'a>(file: &'a File, id: &DecisionId) -> Option<(&'a DecisionId, &'a review::case::Decided)> {
    let own = file.case.decisions.get(id)?;
    let approved = |one: &review::case::Decided| one.approvals.len() >= file.law.procedure.approvals;
    let others =
        file.case.decisions.iter().filter(|(other, one)| *other != id && approved(one) && one.proposed <= own.proposed);
    others.max_by_key(|(_, one)| one.proposed)
}

fn difference(before: &[review::words::Target], now: &[review::words::Target]) -> Vec<Side> {
    let (before, now): (BTreeSet<_>, BTreeSet<_>) = (before.iter().collect(), now.iter().collect());
    let all: BTreeSet<_> = before.union(&now).copied().collect();
    let side = |one| Side {
        before: before.contains(one).then(|| target_words(one)),
        now: now.contains(one).then(|| target_words(one)),
    };
    all.into_iter().map(side).collect()
}

fn decision(entered: &Entered, trial: &Trial<'_>, ground: &Ground<'_>, id: &DecisionId) -> Option<DecisionView> {
    let (file, now) = (&entered.file, entered.now);
    let decided = file.case.decisions.get(id)?;
    let decision = &decided.decision;
    let (digest, root) = file.case.sealed(id)?;
    let (standing, badge) = standing(decided.standing);
    let read = ground.read;
    let earlier = before(file, id);
    let checks = decided.effect.into_iter().flat_map(|effect| {
        review::case::CHECK_DAYS.map(|days| {
            let done = decided.checks.get(&days).copied();
            Chip::due(&format!("{days} days"), effect.plus_days(i64::from(days)), done, now)
        })
    });
    let checks = checks.filter(|_| matches!(decided.standing, Standing::InEffect)).collect();
    let day = |at: Option<Moment>| at.map(Moment::day).unwrap_or_default();
    let links = ["approve", "refuse", "statement", "effect", "lift", "entrust", "attest", "run-out"].iter().filter_map(
        |name| {
            let deed = deeds::of_name(name)?;
            let mut sheet = Sheet::probe(&entered.reader, Some(("decision", id.as_str())));
            let act = (deed.describe)(&mut sheet, ground)?.act();
            let open = act.is_none_or(|act| matches!(ruling(trial, &act), Some(Ok(()))));
            let address = format!("{}/do/{name}?decision={}", entered.base(), escaped(id.as_str()));
            open.then_some((address, deed.title, deed.grave))
        },
    );
    Some(DecisionView {
        id: id.to_string(),
        what: order_words(file, decided),
        standing,
        badge,
        by: decided.by.to_string(),
        proposed: decided.proposed.day(),
        emergency: decision.emergency,
        targets: decision
            .targets
            .iter()
            .map(|target| {
                let off = if decided.in_force.contains(target) { " · switched off now" } else { "" };
                format!("{}{off}", target_words(target))
            })
            .collect(),
        reasons: decision
            .reasons
            .iter()
            .map(|(switch, text)| (deeds::switch_words(*switch), words(read, text)))
            .collect(),
        root: root.to_string(),
        digest: digest.to_string(),
        approvals: decided
            .approvals
            .iter()
            .map(|(person, approval)| {
                let form = match approval.form {
                    review::roster::KeyForm::Ssh => "with a key of their own machine",
                    review::roster::KeyForm::Passphrase => "with a key that a passphrase opens here, the weaker form",
                };
                (person.to_string(), form.to_owned())
            })
            .collect(),
        refusals: decided.refusals.iter().map(|(person, text)| (person.to_string(), words(read, text))).collect(),
        needed: file.law.procedure.approvals,
        ends: day(decided.ends),
        review: day(decided.review),
        served: day(decided.notice.map(|notice| notice.at)),
        effect: day(decided.effect),
        checks,
        task: decided
            .task
            .as_ref()
            .map(|task| Chip::due(&format!("{} ends what people do", task.of), task.due, task.attested, now)),
        against: earlier.map(|(id, _)| id.to_string()).unwrap_or_default(),
        difference: earlier.map(|(_, one)| difference(&one.decision.targets, &decision.targets)).unwrap_or_default(),
        preview: preview(file, id, decided),
        compared: decided.compared.iter().map(compared).collect(),
        links: links.collect(),
    })
}

pub(in crate::console) async fn decisions(
    State(desk): Desk,
    session: Session,
    reader: Reader,
    Path(id): Path<CaseId>,
) -> Result<Response, Problem> {
    let entered = entered!(desk, session, reader, &id);
    let case = &entered.file.case;
    let mut texts: BTreeSet<Text> = entered.drafts.iter().map(|draft| draft.text).collect();
    for decided in case.decisions.values() {
        texts.extend(decided.decision.reasons.values().chain(decided.refusals.values()).copied());
    }
    let read = entered.read(texts).await?;
    let trial = entered.trial().await?;
    let ground = entered.ground(&trial, &read);
    let offers = offers(&entered, &trial, &ground, Place::Decisions);
    let mut newest: Vec<_> = case.decisions.iter().collect();
    newest.sort_by_key(|(_, decided)| std::cmp::Reverse(decided.proposed));
    let decisions = newest.into_iter().filter_map(|(id, _)| decision(&entered, &trial, &ground, id)).collect();
    let frame = entered.desk.frame(&entered.session, &entered.reader, case.id.as_str());
    page(&DecisionsPage { frame, head: Head::of(&entered, "/decisions", offers), decisions })
}
