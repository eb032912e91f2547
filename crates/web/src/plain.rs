//! Numbers and the texts of others, as a person reads them: what would act instead of being read becomes visible.
//!
//! It is not the escaping of markup, which the templates do.

use review::words::readable;
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
pub fn clean(text: &str) -> String {
    visible(text, |_| false).into_owned()
}

/// The same, but line ends stay: for text of ours that carries the text of others.
pub fn clean_lines(text: &str) -> Cow<'_, str> {
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

/// A count as a person reads it: `912,000`, `24.1 million`.
pub fn count(value: f64) -> String {
    scaled(value, &[(1e12, " trillion"), (1e9, " billion"), (1e6, " million")])
}

/// Bytes as a person reads them, in powers of ten: `1.9 MB`.
pub fn bytes(value: f64) -> String {
    let units = [(1e18, " EB"), (1e15, " PB"), (1e12, " TB"), (1e9, " GB"), (1e6, " MB"), (1e3, " kB")];
    let text = scaled(value, &units);
    if value.abs() < 1e3 { format!("{text} B") } else { text }
}

fn scaled(value: f64, units: &[(f64, &str)]) -> String {
    let Some((size, unit)) = units.iter().find(|(size, _)| value.abs() >= *size) else {
        return if value.abs() >= 10.0 || value.fract() == 0.0 {
            readable(value.round() as i64, 1)
        } else {
            format!("{value:.1}")
        };
    };
    let value = value / size;
    let decimals = usize::from(value.abs() < 100.0);
    let text = format!("{value:.decimals$}");
    format!("{}{unit}", text.strip_suffix(".0").unwrap_or(&text))
}

/// A whole number with separators.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned());
    groups.collect::<Vec<_>>().join(",")
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
    fn numbers_are_told_as_people_read_them() {
        assert_eq!([0.0, 2.5, 950.0, 912_345.0, 2.41e7].map(count), ["0", "2.5", "950", "912,000", "24.1 million"]);
        assert_eq!([0.0, 999.0, 1.9e6, 8e15].map(bytes), ["0 B", "999 B", "1.9 MB", "8 PB"]);
    }
}
