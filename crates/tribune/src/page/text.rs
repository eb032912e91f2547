//! Text that others wrote, made fit to be shown: what would act instead of being read becomes visible.
//!
//! It is not the escaping of markup, which the templates do.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character acts on what surrounds it, or hides, instead of being seen: controls, marks of direction,
/// characters without width, tags, fillers.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// One line for a page or a terminal: whatever acts is written as `\u{202e}`. It never shortens.
pub(crate) fn clean(text: &str) -> String {
    visible(text, |_| false).into_owned()
}

/// The same, but line ends stay: for text of ours that carries the text of others.
pub(crate) fn clean_lines(text: &str) -> Cow<'_, str> {
    visible(text, |c| c == '\n')
}

fn visible(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let hidden = |c: char| acts(c) && !stays(c);
    if !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hidden(c) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Breaks a sentence into lines of at most `width` characters, words whole where they fit at all.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let used = lines.last().map_or(0, |line| line.chars().count());
        if used > 0 && used + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// How many changes of one letter lie between two names.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (place, a) in a.chars().enumerate() {
        let mut before = place;
        let mut left = place + 1;
        for (slot, b) in row.iter_mut().skip(1).zip(&b) {
            let here = (before + usize::from(a != *b)).min(left + 1).min(*slot + 1);
            before = std::mem::replace(slot, here);
            left = here;
        }
        if let Some(first) = row.first_mut() {
            *first = place + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_becomes_visible_and_the_rest_stays() {
        assert_eq!(clean("Zürich 東京 – a/b"), "Zürich 東京 – a/b");
        assert_eq!(clean("a\u{1b}[31mb\r\n\u{9b}c\u{7f}"), "a\\u{1b}[31mb\\u{d}\\u{a}\\u{9b}c\\u{7f}");
        assert_eq!(
            clean("x\u{202e}gpj\u{2066}\u{200b}\u{feff}\u{e0041}"),
            "x\\u{202e}gpj\\u{2066}\\u{200b}\\u{feff}\\u{e0041}"
        );
        assert_eq!(clean_lines("a\nb\u{1b}"), "a\nb\\u{1b}");
    }

    #[test]
    fn lines_are_no_wider_than_asked_unless_a_word_is() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("incomprehensible a b", 4), ["incomprehensible", "a b"]);
        assert_eq!(wrap("", 10), [""]);
    }

    #[test]
    fn distance_counts_changed_missing_and_added_letters() {
        assert_eq!(distance("acct-0017", "acct-0017"), 0);
        assert_eq!(distance("acct-0017", "acct-017"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
