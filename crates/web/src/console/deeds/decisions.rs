//! Decisions, from the proposal through approvals, statement and effect to its checks.

use super::people::there;
use super::proof::{as_options, drafts, opened};
use super::{Doing, Ground, act, parsed};
use crate::console::sheet::{Sheet, choices};
use clerk::{DraftOf, File};
use review::act::{Act, Approval, Decision, Order};
use review::case::{CHECK_DAYS, Decided, Standing};
use review::procedure::Respite;
use review::roster::{KeyForm, PublicKey};
use review::seal;
use review::statement::{Draft, Statement, Texts, Written};
use review::words::{AccountId, DecisionId, Digest, Moment, ServiceId, Switch, Target, Text};
use std::collections::{BTreeMap, BTreeSet};

const SWITCHES: [(&str, Switch, &str); 4] = [
    ("write", Switch::Write, "writing: new content and new processing"),
    ("read", Switch::Read, "reading what is there"),
    ("delete", Switch::Delete, "deleting what is there"),
    ("export", Switch::Export, "taking it out in bulk"),
];

/// A switch in words.
pub(in crate::console) fn switch_words(switch: Switch) -> &'static str {
    SWITCHES.iter().find(|(_, one, _)| *one == switch).map_or("", |(name, ..)| name)
}

fn switch_of(name: &str) -> Option<Switch> {
    SWITCHES.iter().find(|(one, ..)| *one == name).map(|(_, switch, _)| *switch)
}

/// A target as a line for people: `a1 · object-storage · write, delete`.
pub(in crate::console) fn target_words(target: &Target) -> String {
    let switches: Vec<&str> = target.switches.iter().map(|switch| switch_words(*switch)).collect();
    let region = target.region.as_ref().map(|region| format!(" in {region}")).unwrap_or_default();
    format!("{} · {}{region} · {}", target.account, target.service, switches.join(", "))
}

fn next_decision(ground: &Ground<'_>) -> String {
    format!("d{}", ground.file.case.decisions.len() + 1)
}

/// The services on accounts that evidence is about, but for those that are never a target.
fn targetable(ground: &Ground<'_>) -> Vec<(AccountId, ServiceId)> {
    let File { case, law, .. } = ground.file;
    let about = case.evidence.values().flat_map(|item| &item.about);
    let about = about.filter_map(|(account, service)| Some((account, service.as_ref()?)));
    let about = about.filter(|(account, service)| {
        case.accounts.contains(*account) && !law.procedure.protected_services.contains(*service)
    });
    let all: BTreeSet<_> = about.map(|(account, service)| (account.clone(), service.clone())).collect();
    all.into_iter().collect()
}

/// What is chosen in the list of targets, as one target for each account and service.
pub(in crate::console) fn targets<'a>(chosen: impl Iterator<Item = &'a str>) -> Option<Vec<Target>> {
    let mut list: BTreeMap<(AccountId, ServiceId), BTreeSet<Switch>> = BTreeMap::new();
    for one in chosen {
        let mut parts = one.split('\t');
        let (Some(account), Some(service), Some(name)) = (parts.next(), parts.next(), parts.next()) else { continue };
        list.entry((account.parse().ok()?, service.parse().ok()?)).or_default().insert(switch_of(name)?);
    }
    let target = |((account, service), switches)| Target { account, service, region: None, switches };
    Some(list.into_iter().map(target).collect())
}

/// A probe chooses everything: what of it the intervention may switch off.
fn within(order: &review::procedure::Intervention, one: &str) -> bool {
    let switch = one.rsplit('\t').next().and_then(switch_of);
    switch.is_some_and(|switch| order.switches.contains(&switch))
}

pub(super) fn propose(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let File { case, law, .. } = ground.file;
    let interventions: Vec<_> =
        law.procedure.interventions.iter().map(|one| (one.id.to_string(), one.title.clone())).collect();
    let hint = "Mildest first. What each may switch off, and what must be shown for it, is in the policy.";
    let intervention = sheet.choice("intervention", "Which intervention", hint, &interventions);
    let id = sheet.named("id", "Its name within the case", "", &next_decision(ground));
    let mut pairs = Vec::new();
    for (account, service) in targetable(ground) {
        for (name, _, words) in SWITCHES {
            pairs.push((format!("{account}\t{service}\t{name}"), format!("{account} · {service}: {words}")));
        }
    }
    sheet.head(
        "The list of targets",
        "Only what evidence is about can be one. It is sorted and sealed when it is proposed.",
    );
    let targets = sheet.checks("target", "Switch off", "", &pairs);
    sheet.head("Why each, and not less", "Every switch that is in the list is answered; others stay empty.");
    let mut reasons = BTreeMap::new();
    for (name, switch, words) in SWITCHES {
        let reason = sheet.text_or_none(&format!("reason-{name}"), &format!("Reasons for {words}"), "").flatten();
        let reason = reason.or_else(|| sheet.is_probe().then(|| Digest::of("probe")));
        reasons.extend(reason.map(|reason| (switch, reason)));
    }
    sheet.head("For how long", "A restriction has an end, or a day on which it is looked at again.");
    let ends = sheet.day_or_none("ends", "It ends by itself after", "");
    let review = sheet.day_or_none("review", "It is looked at again on", "");
    let emergency = choices(&[("yes", "It cannot wait for the hearing and the steps")]);
    let hint = "It lapses after ten days unless decided anew.";
    let emergency = sheet.checks("emergency", "An emergency", hint, &emergency);
    let (ends, review, emergency) = (ends?, review?, emergency?);
    let intervention: review::words::InterventionId = parsed(intervention)?;
    let order = law.procedure.intervention(&intervention)?;
    let chosen = targets?;
    let chosen = chosen.iter().map(String::as_str).filter(|one| !sheet.is_probe() || within(order, one));
    let targets = self::targets(chosen)?;
    let used: BTreeSet<Switch> = targets.iter().flat_map(|target| target.switches.iter().copied()).collect();
    reasons.retain(|switch, _| used.contains(switch));
    let standing = case.standing_determination().map(|(place, _)| place);
    let is_emergency = !emergency.is_empty() && !sheet.is_probe();
    let decision = Decision {
        id: id?,
        order: Order::Impose { intervention },
        determination: standing.filter(|_| order.reach.standard().is_some()),
        targets,
        reasons,
        emergency: is_emergency,
        respite: order.respite(is_emergency),
        // What is for a time is sealed with its latest end, unless an earlier one is named.
        ends: ends.or_else(|| order.latest_end(is_emergency, ground.now)),
        review: review.or_else(|| sheet.is_probe().then(|| ground.now.plus_days(30))),
    };
    act(Act::Propose(decision))
}

pub(super) fn decisions(ground: &Ground<'_>, which: fn(&Decided) -> bool) -> Vec<(String, String)> {
    let decisions = ground.file.case.decisions.iter().filter(|(_, decided)| which(decided));
    decisions.map(|(id, decided)| (id.to_string(), format!("{id}: {}", order_words(ground.file, decided)))).collect()
}

/// What a decision does, for people.
pub(in crate::console) fn order_words(file: &File, decided: &Decided) -> String {
    match &decided.decision.order {
        Order::Impose { intervention } => {
            let known = file.law.procedure.intervention(intervention);
            known.map_or_else(|| intervention.to_string(), |one| one.title.clone())
        }
        Order::Lift { decision } if decided.decision.targets.is_empty() => format!("Lift {decision}"),
        Order::Lift { decision } => format!("Lift a part of {decision}"),
    }
}

pub(super) fn lift(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let decision: Option<DecisionId> = parsed(sheet.choice(
        "decision",
        "Which decision",
        "",
        &decisions(ground, |one| one.standing == Standing::InEffect),
    ));
    let id = sheet.named("id", "Its name within the case", "", &next_decision(ground));
    let mut in_force = BTreeMap::new();
    for decided in ground.file.case.decisions.values() {
        in_force.extend(decided.in_force.iter().map(|target| (seal::line(target), target.clone())));
    }
    let lines: Vec<_> = in_force.iter().map(|(line, target)| (line.clone(), target_words(target))).collect();
    let kept = sheet.checks("keep", "What stays in force", "Nothing ticked lifts all of it.", &lines);
    let decided = ground.file.case.decisions.get(&decision.clone()?)?;
    let kept = kept?;
    let targets: Vec<Target> = decided
        .in_force
        .iter()
        .filter(|target| !sheet.is_probe() && kept.contains(&seal::line(target)))
        .cloned()
        .collect();
    let used: BTreeSet<Switch> = targets.iter().flat_map(|target| target.switches.iter().copied()).collect();
    let mut reasons = decided.decision.reasons.clone();
    reasons.retain(|switch, _| used.contains(switch));
    let order = Order::Lift { decision: decision? };
    act(Act::Propose(Decision {
        id: id?,
        order,
        determination: None,
        targets,
        reasons,
        emergency: false,
        respite: Respite::default(),
        ends: None,
        review: None,
    }))
}

/// Whether the roster has a key of theirs that is held so.
fn holds(ground: &Ground<'_>, form: KeyForm) -> bool {
    let member = ground.roster.members.get(ground.person);
    member.is_some_and(|member| member.keys.values().any(|known| *known == form))
}

/// A decision as one says it: on whom, what stops, what the customer is left, until when.
fn in_words(file: &File, decided: &Decided) -> String {
    let Decision { targets, emergency, respite, ends, review, .. } = &decided.decision;
    let customer = &file.case.opening.customer;
    let mut text = format!(
        "{}, for {customer}. Proposed by {} on {}.\n",
        order_words(file, decided),
        decided.by,
        decided.proposed.day()
    );
    let (lifts, none) = (matches!(decided.decision.order, Order::Lift { .. }), targets.is_empty());
    let list = match (lifts, none) {
        (true, true) => "Nothing of it stays in force.\n",
        (true, false) => "Of it stays in force:\n",
        (false, true) => "It switches nothing off.\n",
        (false, false) => "Switched off, and nothing else:\n",
    };
    text.push_str(list);
    targets.iter().for_each(|target| text.push_str(&format!("- {}\n", target_words(target))));
    if *emergency {
        text.push_str("An emergency: it could not wait for a hearing, and lapses after ten days.\n");
    }
    if !lifts {
        let Respite { notice_hours: hours, export_days: days } = respite;
        text.push_str(&format!("The customer has {hours} hours of notice, and {days} days to take its data out.\n"));
    }
    let until = match (ends, review) {
        (Some(ends), _) => format!("It ends on {} at the latest.", ends.day()),
        (None, Some(review)) => format!("It has no end, and is looked at again by {}.", review.day()),
        (None, None) => String::new(),
    };
    (text + &until).trim_end().to_owned()
}

/// Says the decision that a form is about: the one that was chosen, or is asked for, or the first of those it could be.
fn said_in_words(
    sheet: &mut Sheet<'_>,
    ground: &Ground<'_>,
    chosen: Option<&DecisionId>,
    before: &[(String, String)],
) -> Option<DecisionId> {
    let asked = sheet.asked_for("decision").and_then(|asked| asked.parse().ok());
    let first = before.first().and_then(|(id, _)| id.parse().ok());
    let about: DecisionId = chosen.cloned().or(asked).or(first)?;
    sheet.said(&format!("{about} in words"), &in_words(ground.file, ground.file.case.decisions.get(&about)?));
    Some(about)
}

pub(super) fn approve(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let case = &ground.file.case;
    let before = decisions(ground, |one| one.standing == Standing::Proposed);
    let decision: Option<DecisionId> = parsed(sheet.choice("decision", "Which decision", "", &before));
    let about = said_in_words(sheet, ground, decision.as_ref(), &before)?;
    let decided = case.decisions.get(&about)?;
    let shown = case.shown(&about)?;
    let digest = Digest::of(&shown);
    sheet.said("What you approve", &shown);
    let message = seal::message(&case.id, &decided.decision, &digest);
    sheet.said("What you sign", &message);
    let seen = sheet.seen("shown", &digest.to_string());
    if sheet.is_probe() {
        let (key, signature) = (PublicKey([0; 32]), "0".repeat(128));
        let approval = Approval { key, form: KeyForm::Ssh, signature, shown: digest, identity: None };
        return act(Act::Approve { decision: decision?, approval });
    }
    let how = format!(
        "Run “tribune decision sign {} {about} --ssh-key FILE --out message.sig” and paste message.sig. By hand: save what you sign as a file named message, with a line end after its last line, and run “ssh-keygen -Y sign -n {} -f FILE message”.",
        case.id,
        seal::SSH_NAMESPACE
    );
    let mut armoured = Some(None);
    if holds(ground, KeyForm::Ssh) {
        armoured = sheet.words_or_none("signature", "Your signature", &how);
    }
    let mut passphrase = Some(None);
    if holds(ground, KeyForm::Passphrase) {
        let hint = "Opens the key that lies here, for this one signature: the weaker form.";
        passphrase = sheet.secret("passphrase", "Or your passphrase", hint);
    }
    let (seen, armoured, passphrase) = (seen?, armoured?, passphrase?);
    if seen != digest.to_string() {
        sheet.form.refuse_all("What stands here now is not what you were shown: read it again, and sign that.");
        return None;
    }
    match (armoured, passphrase) {
        (Some(armoured), _) => match seal::parse_ssh(&armoured) {
            Ok((key, signature)) => {
                let approval = Approval { key, form: KeyForm::Ssh, signature, shown: digest, identity: None };
                act(Act::Approve { decision: decision?, approval })
            }
            Err(why) => {
                sheet.form.refuse("signature", why.to_string());
                None
            }
        },
        (None, Some(passphrase)) => Some(Doing::Sign { decision: decision?, passphrase, message, shown: digest }),
        (None, None) => {
            sheet.form.refuse_all("Sign it: with a key of yours that the roster has.");
            None
        }
    }
}

pub(super) fn refuse(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let before = decisions(ground, |one| matches!(one.standing, Standing::Proposed | Standing::Approved));
    let decision = parsed(sheet.choice("decision", "Which decision", "", &before));
    said_in_words(sheet, ground, decision.as_ref(), &before);
    let reason = sheet.text("reason", "Why", "");
    act(Act::Refuse { decision: decision?, reason: reason? })
}

pub(super) fn statement(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let File { case, law, .. } = ground.file;
    let approved = decisions(ground, |one| one.standing == Standing::Approved && one.notice.is_none());
    let approved: Vec<_> = approved
        .into_iter()
        .filter(|(id, _)| {
            let decided = id.parse().ok().and_then(|id: DecisionId| case.decisions.get(&id));
            decided.is_some_and(|decided| matches!(decided.decision.order, Order::Impose { .. }))
        })
        .collect();
    let decision: Option<DecisionId> = parsed(sheet.choice("decision", "Of which decision", "", &approved));
    let facts = sheet.words(
        "facts",
        "Facts and circumstances",
        "What was relied on, and why the use is against the clause. Roles, never names; nothing of who reported.",
        "",
    );
    let redress = sheet.words(
        "redress",
        "Beyond the appeal",
        "How the customer can have it looked at again.",
        "You may write to the review’s address, or take it to a court.",
    );
    let credit = sheet.words_or_none("credit", "Whom the public owes it to", "Only if they wish to be named.");
    let served = sheet.day(
        "served",
        "When it is served",
        "Its times count from the end of that day, UTC; it can be served then, not before.",
        Moment(ground.now.0 - 86_400),
    );
    let (decision, facts, redress, served) = (decision?, facts?, redress?, served?);
    let decided = case.decisions.get(&decision)?;
    if sheet.is_probe() {
        // Whoever drafts it is who may serve it.
        return Some(Doing::Serve { decision, statement: Digest::of(&facts), public: facts });
    }
    let written = |text: &str| Written::new(&Digest::of(text), text);
    let mut reasons = BTreeMap::new();
    for (switch, text) in &decided.decision.reasons {
        let Some(words) = opened(ground, text) else {
            sheet.form.refuse_all("The reasons that the decision names are sealed to you: unlock your key first.");
            return None;
        };
        reasons.insert(*switch, written(&words).ok()?);
    }
    let credit = credit?.map(|credit| written(&credit)).transpose().ok()?;
    let texts = Texts { facts: written(&facts).ok()?, reasons, redress: written(&redress).ok()?, credit };
    let draft =
        Draft { case, decision: &decision, procedure: &law.procedure, clause: &law.title, texts: &texts, served };
    match Statement::draft(&draft) {
        Ok(statement) => {
            let public = statement.public_digest();
            let own = DraftOf::Statement { decision: decision.clone(), public, served };
            Some(Doing::Draft(vec![(own, statement.text()), (DraftOf::Public { decision }, statement.public_text())]))
        }
        Err(why) => {
            sheet.form.refuse_all(why.to_string());
            None
        }
    }
}

pub(super) fn serve(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let ready = drafts(ground, true, |of| matches!(of, DraftOf::Statement { .. }));
    let safe = &ground.file.case.safe;
    let ready: Vec<_> = ready
        .into_iter()
        .filter(|draft| match &draft.of {
            DraftOf::Statement { public, decision, .. } => {
                let decided = ground.file.case.decisions.get(decision);
                safe.contains_key(public) && decided.is_some_and(|decided| decided.notice.is_none())
            }
            _ => false,
        })
        .collect();
    let text: Option<Text> = parsed(sheet.choice(
        "text",
        "Which statement",
        "Those of which a second person has confirmed both forms.",
        &as_options(&ready),
    ));
    let statement = text?;
    let draft = ready.iter().find(|draft| draft.text == statement)?;
    let DraftOf::Statement { decision, public, served } = &draft.of else { return None };
    if ground.now < *served {
        sheet.form.refuse_all(format!("It counts its times from {served}: serve it then, or draft it anew."));
        return None;
    }
    let Some(public) = opened(ground, public).or_else(|| sheet.is_probe().then(String::new)) else {
        sheet.form.refuse_all("The public’s text is sealed to you: unlock your key first.");
        return None;
    };
    Some(Doing::Serve { decision: decision.clone(), statement, public })
}

pub(super) fn effect(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let before = decisions(ground, |one| one.standing == Standing::Approved);
    let decision: Option<DecisionId> = parsed(sheet.choice("decision", "Which decision", "", &before));
    said_in_words(sheet, ground, decision.as_ref(), &before);
    let decision = decision?;
    let (_, root) = ground.file.case.sealed(&decision)?;
    act(Act::TakeEffect { decision, root })
}

pub(super) fn run_out(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let decision =
        sheet.choice("decision", "Which decision", "", &decisions(ground, |one| one.standing == Standing::InEffect));
    act(Act::RunOut { decision: parsed(decision)? })
}

pub(super) fn entrust(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let decision =
        sheet.choice("decision", "By which decision", "", &decisions(ground, |one| one.standing == Standing::InEffect));
    let to = sheet.choice("to", "Whom", "", &there(ground, false));
    let due = sheet.day("due", "By when", "", ground.now.plus_days(7));
    act(Act::Entrust { decision: parsed(decision)?, to: parsed(to)?, due: due? })
}

pub(super) fn attest(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let decision = sheet.choice(
        "decision",
        "Of which decision",
        "",
        &decisions(ground, |one| one.task.as_ref().is_some_and(|task| task.attested.is_none())),
    );
    let note = sheet.text("note", "What was ended, and how", "");
    act(Act::Attest { decision: parsed(decision)?, note: note? })
}

pub(super) fn look_again(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let all = decisions(ground, |decided| decided.standing == Standing::InEffect);
    let decision = sheet.choice("decision", "Which decision", "Only what is in effect.", &all);
    let reasons = sheet.text("reasons", "Why it stands", "What changed since, and what did not.");
    let next = sheet.day_or_none("next", "It is looked at next on", "Left out only where it ends by itself.")?;
    let next = next.or_else(|| sheet.is_probe().then(|| ground.now.plus_days(90)));
    act(Act::LookAgain { decision: parsed(decision)?, reasons: reasons?, next })
}

pub(super) fn check(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let due: Vec<_> = ground
        .file
        .case
        .decisions
        .iter()
        .flat_map(|(id, decided)| {
            let open =
                CHECK_DAYS.into_iter().filter(|days| decided.effect.is_some() && !decided.checks.contains_key(days));
            open.map(move |days| (format!("{days} {id}"), format!("{id}, after {days} days")))
        })
        .collect();
    let which = sheet.choice("check", "Which check", "Each is due so many days after the effect.", &due);
    let yes = choices(&[("yes", "Yes"), ("no", "No: that is a follow-up")]);
    let ended = sheet.choice("ended", "Is the restricted use at zero?", "", &yes);
    let rest = sheet.choice("rest", "Is everything else as before?", "", &yes);
    let which = which?;
    let (days, decision) = which.split_once(' ')?;
    let (days, decision) = (days.parse().ok()?, decision.parse().ok()?);
    act(Act::Check { decision, days, use_ended: ended? == "yes", rest_as_before: rest? == "yes" })
}
