//! Forms: reading one that was posted, within bounds; and showing one again with what was typed and what is wrong.
//!
//! A form carries a command, drawn when it is shown, so that it is carried out once however often it is sent; and a token:
//! the session's ([`Pages::bound_token`]), or on public pages a ticket ([`crate::ticket`]). Where it came from is checked
//! for every form by `answer`. In templates `form.html` draws the fields; no page draws its own.
//!
//! ```text
//! GET   Form::new(language, pages.command(), token)  ──► page
//! POST  Posted ──► form.read(&posted, …) per field ──► form.is_good()? ── no ──► page_with(422, …) with the same form
//!                                                        └─ yes ──► carried out ──► see("/…"), 303
//! ```

use crate::answer::Problem;
use crate::pages::Pages;
use crate::words::Language;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use review::words::CommandId;
use std::collections::BTreeMap;
use std::time::Duration;

/// How many bytes a form has, at most. Files come by another way.
pub const FORM_BYTES_MAX: usize = 1024 * 1024;

/// How many fields a form has, at most.
const FIELDS_MAX: usize = 2_000;

/// How long a form may take to arrive: some networks are slow on purpose.
const PATIENCE: Duration = Duration::from_secs(120);

/// A form that was posted.
#[derive(Clone, Debug, Default)]
pub struct Posted(Vec<(String, String)>);

impl Posted {
    /// What was typed into a field; nothing where there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    /// Everything that was chosen of a field that takes several.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All fields, as they came.
    pub(crate) fn fields(&self) -> &[(String, String)] {
        &self.0
    }

    /// Of fields that were read elsewhere.
    pub fn of(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }
}

impl From<Posted> for Vec<(String, String)> {
    fn from(posted: Posted) -> Self {
        posted.0
    }
}

impl<S: Send + Sync> FromRequest<S> for Posted {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if kind(request.headers()) != "application/x-www-form-urlencoded" {
            let kind = [("kind", "application/x-www-form-urlencoded")];
            return Err(Problem::told(StatusCode::UNSUPPORTED_MEDIA_TYPE, "error-kind", &kind));
        }
        let whole = body(request.into_body(), FORM_BYTES_MAX).await?;
        let fields: Vec<_> = form_urlencoded::parse(&whole).into_owned().take(FIELDS_MAX + 1).collect();
        if fields.len() > FIELDS_MAX {
            let most = FIELDS_MAX.to_string();
            return Err(Problem::told(StatusCode::PAYLOAD_TOO_LARGE, "error-fields", &[("most", &most)]));
        }
        Ok(Self(fields))
    }
}

/// What a body is said to be, without what follows the `;`.
pub(crate) fn kind(headers: &HeaderMap) -> String {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A whole body, within bounds of length and time.
pub(crate) async fn body(body: Body, bytes_max: usize) -> Result<axum::body::Bytes, Problem> {
    match tokio::time::timeout(PATIENCE, Limited::new(body, bytes_max).collect()).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let most = bytes_max.to_string();
            Err(Problem::told(StatusCode::PAYLOAD_TOO_LARGE, "error-bytes", &[("most", &most)]))
        }
        Ok(Err(_)) => Err(Problem::told(StatusCode::BAD_REQUEST, "error-broken", &[])),
        Err(_) => Err(Problem::told(StatusCode::REQUEST_TIMEOUT, "error-slow", &[])),
    }
}

/// What a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Takes {
    /// Whether something must stand in it.
    pub needed: bool,
    /// How many bytes, at most.
    pub bytes_max: usize,
    /// Whether line breaks may.
    pub lines: bool,
}

impl Takes {
    /// A name or another thing of one line.
    pub const LINE: Self = Self { needed: true, bytes_max: 400, lines: false };
    /// A text.
    pub const TEXT: Self = Self { needed: true, bytes_max: 100_000, lines: true };

    /// Nothing need stand in it.
    pub const fn or_nothing(self) -> Self {
        Self { needed: false, ..self }
    }

    /// This many bytes at most.
    pub const fn at_most(self, bytes_max: usize) -> Self {
        Self { bytes_max, ..self }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Field {
    values: Vec<String>,
    fault: Option<String>,
}

/// A form as it is shown: empty, or again.
#[derive(Clone, Debug, Default)]
pub struct Form {
    language: Language,
    command: String,
    token: String,
    fields: BTreeMap<String, Field>,
    /// What fields are called, in the order in which they stand.
    labels: Vec<(String, String)>,
    fault: Option<String>,
}

impl Form {
    /// An empty one, in a language, with its command and token.
    pub fn new(language: Language, command: String, token: String) -> Self {
        Self { language, command, token, ..Self::default() }
    }

    /// The one that was posted, with its command and token; its fields are read one by one.
    ///
    /// # Errors
    /// It carries no command as [`Pages::command`] draws them.
    pub fn posted(language: Language, posted: &Posted) -> Result<(Self, CommandId), Problem> {
        let command = posted.get("command");
        let whole = || Problem::told(StatusCode::BAD_REQUEST, "error-form", &[]);
        let id = Pages::is_command(command).ok_or_else(whole)?;
        Ok((Self::new(language, command.to_owned(), posted.get("token").to_owned()), id))
    }

    /// Reads a field as it was posted: keeps it to be shown again, says what is wrong with it, and gives what it says,
    /// without the blanks around it.
    pub fn read(&mut self, posted: &Posted, name: &str, takes: Takes) -> String {
        let typed = posted.get(name).replace("\r\n", "\n");
        let fault = self.fault_in(&typed, takes);
        // What is far too long is not sent back.
        let whole = typed.len() <= takes.bytes_max.saturating_mul(2).max(4_000);
        let kept = if whole { typed.clone() } else { String::new() };
        self.fields.insert(name.to_owned(), Field { values: vec![kept], fault });
        typed.trim().to_owned()
    }

    fn fault_in(&self, typed: &str, takes: Takes) -> Option<String> {
        let trimmed = typed.trim();
        if trimmed.is_empty() {
            return takes.needed.then(|| self.language.say("form-needed"));
        }
        if trimmed.len() > takes.bytes_max {
            let (bytes, most) = (trimmed.len().into(), takes.bytes_max.into());
            return Some(self.language.tell("form-long", &[("bytes", bytes), ("most", most)]));
        }
        let lines = !takes.lines && trimmed.contains(['\n', '\r']);
        lines.then(|| self.language.say("form-one-line"))
    }

    /// Reads what was chosen of a field that takes several.
    pub fn read_all(&mut self, posted: &Posted, name: &str) -> Vec<String> {
        let values: Vec<String> = posted.all(name).filter(|value| value.len() <= 400).map(str::to_owned).collect();
        self.fields.insert(name.to_owned(), Field { values: values.clone(), fault: None });
        values
    }

    /// Says what a field is called where the faults are listed. Those called first stand first.
    pub fn call(&mut self, name: &str, label: impl Into<String>) {
        if self.place(name).is_none() {
            self.labels.push((name.to_owned(), label.into()));
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.labels.iter().position(|(known, _)| known == name)
    }

    /// Puts something into a field before it is shown.
    pub fn fill(&mut self, name: &str, value: impl Into<String>) {
        self.fields.entry(name.to_owned()).or_default().values = vec![value.into()];
    }

    /// Says what is wrong with a field.
    pub fn refuse(&mut self, name: &str, fault: impl Into<String>) {
        self.fields.entry(name.to_owned()).or_default().fault = Some(fault.into());
    }

    /// Says what is wrong with the form as a whole: what a rule is against, say.
    pub fn refuse_all(&mut self, fault: impl Into<String>) {
        self.fault = Some(fault.into());
    }

    /// Says why its ticket is not good yet, or no more.
    pub(crate) fn refuse_ticket(&mut self, message: &str, seconds: u64) {
        self.fault = Some(self.language.tell(message, &[("seconds", seconds.into())]));
    }

    /// Whether nothing is wrong with it.
    pub fn is_good(&self) -> bool {
        self.fault.is_none() && self.fields.values().all(|field| field.fault.is_none())
    }

    /// Another command and token: after the form as it was has been carried out, or is over.
    pub fn renew(&mut self, command: String, token: String) {
        (self.command, self.token) = (command, token);
    }

    /// The language it speaks.
    pub fn language(&self) -> Language {
        self.language
    }

    // ---- for templates --------------------------------------------------------------------------------------------

    /// Its command.
    pub fn command(&self) -> &str {
        &self.command
    }

    /// Its token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// What stands in a field.
    pub fn value(&self, name: &str) -> &str {
        self.fields.get(name).and_then(|field| field.values.first()).map_or("", String::as_str)
    }

    /// Whether something was chosen.
    pub fn chosen(&self, name: &str, value: &str) -> bool {
        self.fields.get(name).is_some_and(|field| field.values.iter().any(|chosen| chosen == value))
    }

    /// What is wrong with a field.
    pub fn fault(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(|field| field.fault.as_deref())
    }

    /// What is wrong with the form as a whole.
    pub fn whole_fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Everything that is wrong, each with its field and what that is called, in the order of the fields.
    pub fn faults(&self) -> Vec<(&str, String)> {
        let faults = self.fields.iter().filter_map(|(name, field)| Some((name.as_str(), field.fault.as_deref()?)));
        let mut faults: Vec<_> = faults.map(|(name, fault)| (self.place(name), name, fault)).collect();
        faults.sort_by_key(|(place, ..)| place.unwrap_or(usize::MAX));
        let said = |(place, name, fault): (Option<usize>, _, &str)| match place.and_then(|place| self.labels.get(place))
        {
            Some((_, label)) => (name, format!("{label}: {fault}")),
            None => (name, fault.to_owned()),
        };
        faults.into_iter().map(said).collect()
    }

    /// What describes a field to a screen reader: its hint and what is wrong with it, where they are.
    pub fn described(&self, name: &str, hint: &str) -> String {
        let hint = (!hint.is_empty()).then(|| format!("{name}-hint"));
        let fault = self.fault(name).map(|_| format!("{name}-fault"));
        hint.into_iter().chain(fault).collect::<Vec<_>>().join(" ")
    }

    /// The heading above what is wrong.
    pub fn heading(&self) -> String {
        self.language.say("form-wrong")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::visible::filters;

    fn posted(fields: &[(&str, &str)]) -> Posted {
        Posted::of(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_form_comes_back_with_what_was_typed_and_what_is_wrong() {
        let long = "x".repeat(10_000);
        let given = posted(&[
            ("who", " Ana\r\nB "),
            ("text", " a\r\nb "),
            ("long", &long),
            ("more", ""),
            ("to", "a"),
            ("to", "b"),
        ]);
        let mut form = Form::new(Language::English, String::new(), String::new());
        assert_eq!(form.read(&given, "text", Takes::TEXT), "a\nb");
        assert!(form.is_good());
        form.read(&given, "who", Takes::LINE);
        form.read(&given, "long", Takes::LINE);
        form.read(&given, "more", Takes::LINE.or_nothing());
        form.call("who", "Your name");
        form.read(&given, "none", Takes::TEXT);
        assert_eq!(form.read_all(&given, "to"), ["a", "b"]);
        let wrong: Vec<_> = form.faults().into_iter().map(|(name, _)| name).collect();
        assert_eq!(wrong, ["who", "long", "none"]);
        assert_eq!(form.faults()[0].1, "Your name: This goes on one line.");
        assert_eq!((form.value("who"), form.value("long"), form.chosen("to", "b")), (" Ana\nB ", "", true));
        assert_eq!(
            (form.described("who", "a hint").as_str(), form.described("text", "")),
            ("who-hint who-fault", String::new())
        );
    }

    #[derive(askama::Template)]
    #[template(
        source = r#"{% import "form.html" as f %}{% call f::wrong(form) %}{% endcall %}{% call f::hidden(form) %}{% endcall %}
{% call f::line(form, "who", "Who", "As you sign", "text", "name") %}{% endcall %}
{% call f::area(form, "text", "What", "", 8) %}{% endcall %}
{% call f::choice(form, "kind", "Kind", "", kinds) %}{% endcall %}
{% call f::check(form, "to", "a", "Ana") %}{% endcall %}{% call f::radio(form, "one", "b", "B") %}{% endcall %}"#,
        ext = "html"
    )]
    struct Shown {
        form: Form,
        kinds: Vec<(&'static str, &'static str)>,
    }

    #[test]
    fn a_field_is_drawn_with_its_label_its_hint_and_what_is_wrong_beside_it() {
        let given = posted(&[("text", "</textarea>\n<b>"), ("kind", "two"), ("to", "a")]);
        let mut form = Form::new(Language::English, "w-1".to_owned(), "t".to_owned());
        form.read(&given, "who", Takes::LINE);
        form.read(&given, "text", Takes::TEXT);
        form.read(&given, "kind", Takes::LINE);
        form.read_all(&given, "to");
        let html = askama::Template::render(&Shown { form, kinds: vec![("one", "One"), ("two", "Two")] }).unwrap();
        for part in [
            r##"<li><a href="#who">Fill this in.</a></li>"##,
            r#"<input type="hidden" name="command" value="w-1"><input type="hidden" name="token" value="t">"#,
            r#"<label for="who">Who</label><p class="hint" id="who-hint">As you sign</p><p class="fault" id="who-fault">"#,
            r#"aria-describedby="who-hint who-fault" aria-invalid="true""#,
            "<textarea id=\"text\" name=\"text\" rows=\"8\" dir=\"auto\" autocomplete=\"off\">\n&#60;/textarea&#62;\n&#60;b&#62;</textarea>",
            r#"<option value="two" selected>Two</option>"#,
            r#"<input type="checkbox" name="to" value="a" checked>"#,
            r#"<input type="radio" name="one" value="b">"#,
        ] {
            assert!(html.contains(part), "{part}\n{html}");
        }
    }

    #[test]
    fn a_form_without_a_command_is_none() {
        let problem = Form::posted(Language::English, &posted(&[("command", "c1")])).unwrap_err();
        assert_eq!(problem.status, StatusCode::BAD_REQUEST);
    }
}
