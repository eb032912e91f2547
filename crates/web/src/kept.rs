//! What somebody typed into a form that was not taken: because their session had ended, because it is of an earlier one, or
//! because they are asked something else first. It comes back with the answer, to be copied, and goes on to the form.
//!
//! Nothing of it is kept on the server: it lies in the page that their own browser shows. Secrets are not sent back.
//! A form that comes by this way is to be looked over: it is shown again as it was typed, and nothing is done.

use crate::form::Posted;
use crate::frame::Frame;
use crate::visible::filters;
use askama::Template;

/// The field that says that a form is only to be shown again.
pub(crate) const OVER: &str = "look-over";

/// What somebody looks for, where it is said along with a form: in their words, or one of the usual.
pub(crate) const LOOK_FOR: &str = "look-for";
/// See [`LOOK_FOR`].
pub(crate) const LOOK_USUAL: &str = "look-usual";

/// What stands above a form that is only to be looked over.
pub(crate) const NOT_YET: &str = "Nothing was done yet. What you typed is here: look it over, and send it.";

/// What nobody types who does not mean it to be secret.
const SECRETS: [&str; 5] = ["password", "code", "passphrase", "new", "file"];

/// Ours, and drawn anew with each page.
const OURS: [&str; 4] = ["token", OVER, LOOK_FOR, LOOK_USUAL];

/// Goes along and says nothing to a reader.
const UNSEEN: [&str; 6] = ["command", "version", "shown", "back", "do", "how"];

/// Values longer than this have a field of several lines.
const SHORT: usize = 60;

/// What was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Typed {
    fields: Vec<(String, String)>,
    /// Nobody is signed in.
    signed_out: bool,
}

/// One field of it.
pub(crate) struct Line<'a> {
    pub(crate) id: String,
    pub(crate) name: &'a str,
    /// The field's name as words: what it is called stands in the form alone.
    pub(crate) label: String,
    pub(crate) value: &'a str,
    pub(crate) long: bool,
}

impl<'a> Line<'a> {
    fn of(place: usize, (name, value): &'a (String, String)) -> Self {
        let (id, label) = (format!("kept-{place}"), name.replace(['-', '_'], " "));
        Self { id, name, label, value, long: value.len() > SHORT || value.contains('\n') }
    }
}

impl Typed {
    /// Of a form, without what is secret.
    pub(crate) fn of(posted: &Posted, signed_out: bool) -> Self {
        let goes = |name: &str| !SECRETS.contains(&name) && !OURS.contains(&name);
        Self { fields: posted.fields().iter().filter(|(name, _)| goes(name)).cloned().collect(), signed_out }
    }

    /// What is shown of it.
    pub(crate) fn seen(&self) -> Vec<Line<'_>> {
        let seen = self.fields.iter().filter(|(name, value)| is_seen(name, value));
        seen.enumerate().map(|(place, field)| Line::of(place, field)).collect()
    }

    /// What goes along unseen.
    pub(crate) fn unseen(&self) -> Vec<(&str, &str)> {
        let unseen = self.fields.iter().filter(|(name, value)| !is_seen(name, value));
        unseen.map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// All of it, to go along.
    pub(crate) fn fields(&self) -> &[(String, String)] {
        &self.fields
    }

    /// Whether there is nothing that anybody would miss.
    pub(crate) fn is_nothing(&self) -> bool {
        self.seen().is_empty()
    }
}

fn is_seen(name: &str, value: &str) -> bool {
    !UNSEEN.contains(&name) && !value.trim().is_empty()
}

/// Whether a form is only to be shown again.
pub(crate) fn is_to_be_looked_over(posted: &Posted) -> bool {
    posted.get(OVER) == "yes"
}

/// What was typed, and the way on.
#[derive(Template)]
#[template(path = "kept.html")]
pub(crate) struct KeptPage {
    pub(crate) frame: Frame,
    pub(crate) says: String,
    pub(crate) typed: Typed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_goes_on_whole_and_what_is_secret_does_not() {
        let fields = [
            ("token", "t"),
            ("command", "w-1"),
            ("reason-write", "line\nline"),
            ("target", "a\tb\twrite"),
            ("target", "a\tb\tread"),
            ("passphrase", "secret"),
            ("ends", ""),
            (OVER, "yes"),
        ];
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let posted = Posted::of(fields);
        assert!(is_to_be_looked_over(&posted));
        let typed = Typed::of(&posted, true);
        let seen: Vec<_> = typed.seen().iter().map(|line| (line.label.clone(), line.long)).collect();
        assert_eq!(seen, [("reason write".into(), true), ("target".into(), false), ("target".into(), false)]);
        assert_eq!(typed.unseen(), [("command", "w-1"), ("ends", "")]);
        assert_eq!(typed.fields().len(), 5);
        assert!(Typed::of(&Posted::of(vec![("command".into(), "w-1".into())]), true).is_nothing());
    }
}
