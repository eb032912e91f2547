//! Who carries a case: parts, conflicts, contacts, putting off, asking upwards.

use super::proof::told;
use super::{Doing, Ground, act, parsed};
use crate::console::sheet::{Sheet, choices, options};
use review::act::{Act, Contact};
use review::rules;
use review::words::{PersonId, Role};

pub(super) fn there(ground: &Ground<'_>, but_those_near: bool) -> Vec<(String, String)> {
    let customer = &ground.file.case.opening.customer;
    let people = ground.roster.members.iter().filter(|(person, _)| {
        let near = ground.roster.closeness(person, customer).is_some();
        ground.roster.present(person, ground.now).is_some() && !(but_those_near && near)
    });
    people
        .map(|(person, member)| {
            let roles: Vec<&str> = member.roles.iter().map(|role| role.name()).collect();
            (person.to_string(), format!("{person} ({})", roles.join(", ")))
        })
        .collect()
}

fn with_part(ground: &Ground<'_>) -> Vec<(String, String)> {
    options(ground.file.case.parts.iter().filter(|(_, part)| !part.released).map(|(person, _)| person))
}

pub(super) fn assign(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let hint = "Nobody of the customer’s account team or above it is among them.";
    let person = sheet.choice("person", "Who", hint, &there(ground, true));
    let role = sheet.choice("role", "As what", "", &as_roles(Role::ALL));
    let role = role_of(role);
    let person: PersonId = parsed(person)?;
    // The rules are asked about a role that they have: that the first of the list has another shuts nothing.
    let held = ground.roster.members.get(&person).and_then(|member| member.roles.first().copied());
    act(Act::Assign { person, role: if sheet.is_probe() { held? } else { role? } })
}

pub(super) fn declare(sheet: &mut Sheet<'_>, _: &Ground<'_>) -> Option<Doing> {
    let hint = "A stake in the customer, somebody close to you who works there, having sold to it, having spoken in public about it.";
    let stands = choices(&[("none", "I have none"), ("one", "I have one, as follows")]);
    let stands = sheet.choice("stands", "Whether you have a conflict", hint, &stands);
    let conflict = sheet.text_or_none("conflict", "Your conflict", "Only where you have one.");
    let (stands, conflict) = (stands?, conflict?);
    if (stands == "one") != conflict.is_some() && !sheet.is_probe() {
        sheet.form.refuse("conflict", "Say what it is where you have one, and nothing where you have none.");
        return None;
    }
    act(Act::Declare { conflict })
}

pub(super) fn release(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    act(Act::Release { person: parsed(sheet.choice("person", "Who", "", &with_part(ground)))? })
}

pub(super) fn contact(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let from = choices(&[
        ("sales", "Sales or the account team"),
        ("executive", "An executive"),
        ("authority", "An authority"),
    ]);
    let from = sheet.choice("from", "From where", "", &from);
    let with = sheet.choice("with", "With whom", "", &there(ground, false));
    let about = sheet.text("about", "About what", "");
    let from = match from?.as_str() {
        "sales" => Contact::Sales,
        "executive" => Contact::Executive,
        _ => Contact::Authority,
    };
    act(Act::NoteContact { from, with: parsed(with)?, about: about? })
}

/// How long a case is put off, where nothing else is said.
const HOLD_DAYS: i64 = 7;

pub(super) fn hold(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let hint = format!("To the end of that day, UTC; at most {} days.", rules::HOLD_DAYS);
    let until = sheet.day("until", "Until when", &hint, ground.now.plus_days(HOLD_DAYS));
    let reason = sheet.text("reason", "Why", "What it waits for, and why nothing is lost by it.");
    act(Act::Hold { until: until?, reason: reason? })
}

pub(super) fn take_up(_: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    ground.file.case.held(ground.now).and_then(|_| act(Act::TakeUp))
}

fn role_of(name: Option<String>) -> Option<Role> {
    name.and_then(|name| Role::ALL.into_iter().find(|one| one.name() == name))
}

fn as_roles(of: impl IntoIterator<Item = Role>) -> Vec<(String, String)> {
    of.into_iter().map(|role| (role.name().to_owned(), role.name().replace('-', " "))).collect()
}

pub(super) fn escalate(sheet: &mut Sheet<'_>, _: &Ground<'_>) -> Option<Doing> {
    let hint = "Of the panel: whoever answers hears no appeal in this case.";
    let to = sheet.choice("to", "Whom", hint, &as_roles(rules::ESCALATED_TO));
    let reason = sheet.text("reason", "What you ask, and why", "");
    act(Act::Escalate { to: role_of(to)?, reason: reason? })
}

pub(super) fn respond(sheet: &mut Sheet<'_>, ground: &Ground<'_>) -> Option<Doing> {
    let asked: Vec<_> = ground.file.case.escalated().collect();
    let shown = if sheet.is_shown() { asked.as_slice() } else { &[] };
    for one in shown {
        sheet.said(&format!("{} asks {}", one.by, one.to.name().replace('-', " ")), &told(ground, &one.reason));
    }
    let role = sheet.choice("role", "As what", "", &as_roles(asked.iter().map(|one| one.to)));
    let answer = sheet.text("answer", "Your answer", "");
    act(Act::Respond { role: role_of(role)?, answer: answer? })
}
