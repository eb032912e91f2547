//! What somebody else wrote, as it is shown: whatever acts without being seen is made visible.
//!
//! Characters that turn the direction of a line, join, hide or take no room could make a name read as another. Each is
//! shown by its number, as `[U+202E]`. It escapes no markup by itself: `filters::shown` does, and a template does.

use std::borrow::Cow;

/// The text with everything visible. Line breaks and tabs stay.
pub fn text(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(char) = rest.next() {
        // Between letters of scripts that join, a joiner is spelling.
        let joins =
            matches!(char, '\u{200c}' | '\u{200d}') && is_beyond_ascii(before) && is_beyond_ascii(rest.peek().copied());
        match acts(char) && !joins {
            true => out.push_str(&format!("[U+{:04X}]", u32::from(char))),
            false => out.push(char),
        }
        before = Some(char);
    }
    Cow::Owned(out)
}

/// In one line: line breaks and tabs are made spaces.
pub fn line(text: &str) -> String {
    self::text(&text.replace("\r\n", " ").replace(['\n', '\r', '\t'], " ")).into_owned()
}

fn is_beyond_ascii(char: Option<char>) -> bool {
    char.is_some_and(|char| !char.is_ascii() && !acts(char))
}

/// Whether a character does something and is not seen.
fn acts(char: char) -> bool {
    let control = char.is_control() && !matches!(char, '\n' | '\t' | '\r');
    control
        || matches!(char,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// As a sentence: with a capital, where it begins with a word and not with a name, and a full stop. Messages are written so
/// that they stand after a colon as well.
pub fn sentence(text: &str) -> String {
    let text = self::text(text.trim()).into_owned();
    let first = text.split_whitespace().next().unwrap_or_default();
    let is_word = first.chars().all(|char| char.is_ascii_lowercase() || ",’'".contains(char));
    let mut chars = text.chars();
    let begun = match chars.next() {
        Some(letter) if is_word => format!("{}{}", letter.to_ascii_uppercase(), chars.as_str()),
        _ => text,
    };
    let ended = begun.ends_with(['.', '!', '?', '؟', ':']);
    if begun.is_empty() || ended { begun } else { format!("{begun}.") }
}

/// For templates: `use crate::visible::filters;`, then `{{ name|shown }}`.
#[allow(missing_docs, reason = "what askama makes of a filter has none")]
pub mod filters {
    use askama::filters::{Html, Safe, escape};
    use std::fmt::Display;

    /// Text of somebody else's: visible, its markup escaped, and set apart in direction from what stands around it.
    ///
    /// # Errors
    /// What is shown cannot be written.
    #[askama::filter_fn]
    pub fn shown(value: impl Display, _: &dyn askama::Values) -> askama::Result<Safe<String>> {
        let text = value.to_string();
        let text = super::text(&text);
        Ok(Safe(format!("<bdi>{}</bdi>", escape(&*text, Html)?)))
    }

    /// A message as a sentence ([`super::sentence`]).
    ///
    /// # Errors
    /// What is shown cannot be written.
    #[askama::filter_fn]
    pub fn sentence(value: impl Display, _: &dyn askama::Values) -> askama::Result<Safe<String>> {
        let text = super::sentence(&value.to_string());
        Ok(Safe(format!("<bdi>{}</bdi>", escape(&*text, Html)?)))
    }

    /// A day, or a time as people read it: `2026-03-01, 06:00 UTC`.
    ///
    /// # Errors
    /// What is shown cannot be written.
    #[askama::filter_fn]
    pub fn moment(value: impl Display, _: &dyn askama::Values) -> askama::Result<Safe<String>> {
        let exact = escape(&value.to_string(), Html)?.to_string();
        let read = match exact.split_once('T') {
            Some((day, time)) => format!("{day}, {} UTC", time.get(..5).unwrap_or(time)),
            None => exact.clone(),
        };
        Ok(Safe(format!("<time datetime=\"{exact}\">{read}</time>")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_shown_as_a_sentence() {
        for (message, shown) in [
            ("say why", "Say why."),
            (
                "its time is not over; to end it earlier, propose to lift it",
                "Its time is not over; to end it earlier, propose to lift it.",
            ),
            ("case-1: assign ann first (rule: x)", "case-1: assign ann first (rule: x)."),
            ("Is it?", "Is it?"),
            ("هذا صحيح", "هذا صحيح."),
            ("", ""),
        ] {
            assert_eq!(sentence(message), shown);
        }
    }

    #[test]
    fn what_acts_is_seen_and_what_is_written_stays() {
        for (given, shown) in [
            ("Acme Ltd.\n\tØrsted Ünïcode", "Acme Ltd.\n\tØrsted Ünïcode"),
            ("invoice\u{202e}fdp.exe", "invoice[U+202E]fdp.exe"),
            ("a\u{2066}b\u{2069}", "a[U+2066]b[U+2069]"),
            ("ad\u{ad}min\u{200b}", "ad[U+00AD]min[U+200B]"),
            ("a\u{200d}b", "a[U+200D]b"),
            // Persian spells with it.
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("\u{200c}می", "[U+200C]می"),
            ("x\u{7}\u{1b}[2J\u{0}", "x[U+0007][U+001B][2J[U+0000]"),
            ("a\u{e0041}\u{2028}", "a[U+E0041][U+2028]"),
        ] {
            assert_eq!(text(given), shown);
        }
        assert_eq!(line("a\r\nb\tc\n"), "a b c ");
    }

    #[derive(askama::Template)]
    #[template(source = "{{ at|moment }}", ext = "html")]
    struct At<'a> {
        at: &'a str,
    }

    #[test]
    fn a_time_is_read_by_people_and_by_machines() {
        let shown = |at| askama::Template::render(&At { at }).unwrap();
        let exact = "<time datetime=\"2026-03-01T06:00:59Z\">2026-03-01, 06:00 UTC</time>";
        assert_eq!(shown("2026-03-01T06:00:59Z"), exact);
        assert_eq!(shown("2026-03-01"), "<time datetime=\"2026-03-01\">2026-03-01</time>");
    }

    #[derive(askama::Template)]
    #[template(source = "{{ name|shown }}", ext = "html")]
    struct Name<'a> {
        name: &'a str,
    }

    #[test]
    fn markup_is_text_and_direction_ends_where_the_name_does() {
        let shown = askama::Template::render(&Name { name: "<b>\u{202e}&" }).unwrap();
        assert_eq!(shown, "<bdi>&#60;b&#62;[U+202E]&#38;</bdi>");
    }
}
