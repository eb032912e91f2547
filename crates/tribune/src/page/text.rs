//! Text for a terminal: sentences broken into lines, and names that were nearly typed.

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
