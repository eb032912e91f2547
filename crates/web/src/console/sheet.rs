//! The form of something that people do: one description, run in three ways.
//!
//! A deed describes its fields one after the other and makes of what stands in them what is to be done. Shown, the fields
//! are drawn; read, they give what was posted or say what is wrong beside the field; probed, they give something of the
//! right form, so that the rules can be asked whether the deed is open to somebody at all. It knows no rule itself.

use super::preview::PreviewView;
use crate::form::{Form, Posted, Takes};
use crate::frame::{Frame, Reader};
use crate::visible::filters;
use askama::Template;
use review::words::{Digest, Moment, Text};
use std::fmt::Display;
use std::str::FromStr;

/// How a deed's description is run.
#[derive(Clone, Copy)]
pub(super) enum Run<'a> {
    /// To be drawn, empty but for what the address presets.
    Show,
    /// As it was posted.
    Read(&'a Posted),
    /// To ask whether it is open.
    Probe,
}

/// How a field is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Line,
    /// A number, in a short field: several stand side by side.
    Number,
    Date,
    Secret,
    Area,
    Choice,
    Checks,
    /// A heading, and what is said below it.
    Head,
    /// Something to read before what follows.
    Said,
    /// What stands there now, for the form to carry back.
    Seen,
}

/// A field, as the template draws it.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    pub(super) look: Look,
    pub(super) name: String,
    pub(super) label: String,
    pub(super) hint: String,
    pub(super) options: Vec<(String, String)>,
}

/// A form on a page of its own.
#[derive(Template)]
#[template(path = "console/deed.html")]
pub(super) struct FormPage {
    pub(super) frame: Frame,
    pub(super) form: Form,
    pub(super) fields: Vec<Drawn>,
    pub(super) title: &'static str,
    pub(super) says: &'static str,
    /// Where it goes.
    pub(super) action: String,
    pub(super) back: String,
    pub(super) back_to: String,
    pub(super) version: u64,
    /// What happened since the form was shown.
    pub(super) changes: Vec<String>,
    /// A rule that is against it whatever is typed.
    pub(super) against: String,
    /// What there is to know before it is sent.
    pub(super) notice: &'static str,
    /// Where to confirm who one is, if that is wanted first.
    pub(super) step_up: String,
    /// What the button says that shows the form again with a preview; nothing where there is none.
    pub(super) look_first: &'static str,
    /// The preview, or why there is none.
    pub(super) preview: Option<Result<PreviewView, &'static str>>,
    pub(super) grave: bool,
}

impl FormPage {
    /// With nothing to be said about it; what it is called, and where it leads, is for whoever makes it.
    pub(super) fn new(frame: Frame, sheet: Sheet<'_>, action: String) -> Self {
        Self {
            frame,
            form: sheet.form,
            fields: sheet.fields,
            title: "",
            says: "",
            action,
            back: String::new(),
            back_to: String::new(),
            version: 0,
            changes: Vec::new(),
            against: String::new(),
            notice: "",
            step_up: String::new(),
            look_first: "",
            preview: None,
            grave: false,
        }
    }
}

/// A form on its way.
pub(super) struct Sheet<'a> {
    pub(super) form: Form,
    pub(super) fields: Vec<Drawn>,
    /// What was typed into fields of private texts, to be kept before the deed is done.
    pub(super) texts: Vec<(Text, String)>,
    /// The first choice: its name and what there is to choose.
    pub(super) first: Option<(String, Vec<String>)>,
    run: Run<'a>,
    asked: &'a Reader,
    preset: Option<(&'a str, &'a str)>,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(form: Form, run: Run<'a>, asked: &'a Reader) -> Self {
        Self { form, fields: Vec::new(), texts: Vec::new(), first: None, run, asked, preset: None }
    }

    /// To ask whether something is open; `preset` fixes one choice.
    pub(super) fn probe(asked: &'a Reader, preset: Option<(&'a str, &'a str)>) -> Self {
        Self { preset, ..Self::new(Form::default(), Run::Probe, asked) }
    }

    fn draw(&mut self, look: Look, name: &str, label: &str, hint: &str, options: &[(String, String)]) {
        if !matches!(look, Look::Head | Look::Said | Look::Seen) {
            self.form.call(name, label);
        }
        let (name, label, hint) = (name.to_owned(), label.to_owned(), hint.to_owned());
        self.fields.push(Drawn { look, name, label, hint, options: options.to_vec() });
    }

    /// A heading within the form.
    pub(super) fn head(&mut self, title: &str, says: &str) {
        self.draw(Look::Head, "", title, says, &[]);
    }

    /// A text to read before what follows.
    pub(super) fn said(&mut self, label: &str, text: &str) {
        self.draw(Look::Said, "", label, text, &[]);
    }

    fn preset(&self, name: &str) -> Option<&'a str> {
        let preset = self.preset.filter(|(known, _)| *known == name).map(|(_, value)| value);
        preset.or_else(|| self.asked.asked(name))
    }

    /// What stands in a field of one value; in a probe, something that has the form.
    fn value(&mut self, name: &str, takes: Takes, default: &str, probe: &str) -> Option<String> {
        match self.run {
            Run::Show => {
                let value = self.preset(name).unwrap_or(default).to_owned();
                self.form.fill(name, value);
                None
            }
            Run::Read(posted) => {
                let typed = self.form.read(posted, name, takes);
                self.form.fault(name).is_none().then_some(typed)
            }
            Run::Probe => Some(self.preset(name).unwrap_or(probe).to_owned()),
        }
    }

    /// A number, of a form of many.
    pub(super) fn number<T: FromStr<Err: Display>>(
        &mut self,
        name: &str,
        label: &str,
        hint: &str,
        default: &str,
    ) -> Option<T> {
        self.draw(Look::Number, name, label, hint, &[]);
        let typed = self.value(name, Takes::LINE, default, default)?;
        self.parsed(name, &typed)
    }

    /// A name or another thing of one line; what it is decides whether it is one.
    pub(super) fn named<T: FromStr<Err: Display>>(
        &mut self,
        name: &str,
        label: &str,
        hint: &str,
        default: &str,
    ) -> Option<T> {
        self.draw(Look::Line, name, label, hint, &[]);
        let probe = if default.is_empty() { "probe" } else { default };
        let typed = self.value(name, Takes::LINE, default, probe)?;
        self.parsed(name, &typed)
    }

    /// The same, or nothing.
    pub(super) fn named_or_none<T: FromStr<Err: Display>>(
        &mut self,
        name: &str,
        label: &str,
        hint: &str,
    ) -> Option<Option<T>> {
        self.draw(Look::Line, name, label, hint, &[]);
        let typed = self.value(name, Takes::LINE.or_nothing(), "", "")?;
        if typed.is_empty() { Some(None) } else { self.parsed(name, &typed).map(Some) }
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, name: &str, typed: &str) -> Option<T> {
        match typed.parse() {
            Ok(value) => Some(value),
            Err(why) => {
                self.form.refuse(name, why.to_string());
                None
            }
        }
    }

    /// Things, one a line.
    pub(super) fn lines<T: FromStr<Err: Display>>(&mut self, name: &str, label: &str, hint: &str) -> Option<Vec<T>> {
        self.draw(Look::Area, name, label, hint, &[]);
        let typed = self.value(name, Takes::TEXT.or_nothing(), "", "")?;
        let mut all = Vec::new();
        for line in typed.lines().map(str::trim).filter(|line| !line.is_empty()) {
            all.push(self.parsed(name, line)?);
        }
        Some(all)
    }

    /// A private text of the case.
    pub(super) fn text(&mut self, name: &str, label: &str, hint: &str) -> Option<Text> {
        self.words(name, label, hint, "").map(|words| self.keep(words))
    }

    /// The same, or nothing.
    pub(super) fn text_or_none(&mut self, name: &str, label: &str, hint: &str) -> Option<Option<Text>> {
        self.draw(Look::Area, name, label, hint, &[]);
        let typed = self.value(name, Takes::TEXT.or_nothing(), "", "")?;
        Some(if typed.is_empty() { None } else { Some(self.keep(typed)) })
    }

    /// Words that somebody writes, not kept by themselves.
    pub(super) fn words(&mut self, name: &str, label: &str, hint: &str, default: &str) -> Option<String> {
        self.draw(Look::Area, name, label, hint, &[]);
        self.value(name, Takes::TEXT, default, "probe")
    }

    /// The same, or nothing.
    pub(super) fn words_or_none(&mut self, name: &str, label: &str, hint: &str) -> Option<Option<String>> {
        self.draw(Look::Area, name, label, hint, &[]);
        let typed = self.value(name, Takes::TEXT.or_nothing(), "", "")?;
        Some(Some(typed).filter(|typed| !typed.is_empty()))
    }

    /// A passphrase, or nothing: it is never shown again.
    pub(super) fn secret(&mut self, name: &str, label: &str, hint: &str) -> Option<Option<String>> {
        self.draw(Look::Secret, name, label, hint, &[]);
        let Run::Read(posted) = self.run else { return None };
        let typed = posted.get(name);
        if typed.len() > Takes::LINE.bytes_max {
            self.form.refuse(name, "It is too long.");
        }
        Some(Some(typed.to_owned()).filter(|typed| !typed.is_empty()))
    }

    /// What stood there when the form was shown: it comes back as it was.
    pub(super) fn seen(&mut self, name: &str, now: &str) -> Option<String> {
        self.draw(Look::Seen, name, now, "", &[]);
        match self.run {
            Run::Show => None,
            Run::Read(posted) => Some(posted.get(name).to_owned()),
            Run::Probe => Some(now.to_owned()),
        }
    }

    /// What the address, or a choice that was posted, says of a field.
    pub(super) fn asked_for(&self, name: &str) -> Option<String> {
        match self.run {
            Run::Read(posted) => Some(posted.get(name).to_owned()),
            _ => self.preset(name).map(str::to_owned),
        }
    }

    /// A text is to be kept as a private one.
    pub(super) fn keep(&mut self, words: String) -> Text {
        let digest = Digest::of(&words);
        self.texts.push((digest, words));
        digest
    }

    /// A day; what is named ends with it, in UTC.
    pub(super) fn day(&mut self, name: &str, label: &str, hint: &str, default: Moment) -> Option<Moment> {
        self.draw(Look::Date, name, label, hint, &[]);
        let typed = self.value(name, Takes::LINE, &default.day(), &default.day())?;
        self.end_of(name, &typed)
    }

    /// The same, or none.
    pub(super) fn day_or_none(&mut self, name: &str, label: &str, hint: &str) -> Option<Option<Moment>> {
        self.draw(Look::Date, name, label, hint, &[]);
        let typed = self.value(name, Takes::LINE.or_nothing(), "", "")?;
        if typed.is_empty() { Some(None) } else { self.end_of(name, &typed).map(Some) }
    }

    fn end_of(&mut self, name: &str, typed: &str) -> Option<Moment> {
        let end = gate::time::parse(&format!("{typed}T23:59:59Z")).map(Moment);
        if end.is_none() {
            self.form.refuse(name, "Write a day as 2026-03-01.");
        }
        end
    }

    /// One of some things. What nobody chose is not done: only what is the one choice there is stands there already.
    pub(super) fn choice(
        &mut self,
        name: &str,
        label: &str,
        hint: &str,
        options: &[(String, String)],
    ) -> Option<String> {
        self.chosen(name, label, hint, options, options.len() > 1)
    }

    /// The same, where the first is what is usually meant.
    pub(super) fn usual(
        &mut self,
        name: &str,
        label: &str,
        hint: &str,
        options: &[(String, String)],
    ) -> Option<String> {
        self.chosen(name, label, hint, options, false)
    }

    /// The first choice that is asked for is what the deed is about.
    fn chosen(
        &mut self,
        name: &str,
        label: &str,
        hint: &str,
        options: &[(String, String)],
        blank: bool,
    ) -> Option<String> {
        if self.first.is_none() {
            self.first = Some((name.to_owned(), options.iter().map(|(value, _)| value.clone()).collect()));
        }
        let first = options.first().map(|(value, _)| value.clone()).unwrap_or_default();
        let default = if blank { String::new() } else { first.clone() };
        let none = blank.then(|| (String::new(), "Choose one".to_owned()));
        let drawn: Vec<_> = none.into_iter().chain(options.iter().cloned()).collect();
        self.draw(Look::Choice, name, label, hint, &drawn);
        let chosen = self.value(name, Takes::LINE.or_nothing(), &default, &first)?;
        if options.iter().any(|(value, _)| *value == chosen) {
            return Some(chosen);
        }
        self.form.refuse(name, "Choose one of these.");
        None
    }

    /// Some of some things.
    pub(super) fn checks(
        &mut self,
        name: &str,
        label: &str,
        hint: &str,
        options: &[(String, String)],
    ) -> Option<Vec<String>> {
        self.draw(Look::Checks, name, label, hint, options);
        match self.run {
            Run::Show => None,
            Run::Probe => Some(options.iter().map(|(value, _)| value.clone()).collect()),
            Run::Read(posted) => {
                let chosen = self.form.read_all(posted, name);
                if chosen.iter().all(|one| options.iter().any(|(value, _)| value == one)) {
                    return Some(chosen);
                }
                self.form.refuse(name, "Choose among these.");
                None
            }
        }
    }

    /// Whether the rules are only being asked.
    pub(super) fn is_probe(&self) -> bool {
        matches!(self.run, Run::Probe)
    }

    /// Whether the form is only being drawn.
    pub(super) fn is_shown(&self) -> bool {
        matches!(self.run, Run::Show)
    }
}

/// Options of things that name themselves.
pub(super) fn options<T: Display>(of: impl IntoIterator<Item = T>) -> Vec<(String, String)> {
    of.into_iter().map(|one| (one.to_string(), one.to_string())).collect()
}

/// Options with other words than their values.
pub(super) fn choices(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(value, words)| ((*value).to_owned(), (*words).to_owned())).collect()
}
