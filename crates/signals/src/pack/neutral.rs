//! Whether a pack's text names anybody (invariant 17: no weapon).
//!
//! A list of words can only catch what it knows: it is the tripwire, not the wall. The wall is that signals see
//! integers only, so that no pack can ask who somebody is; and that every pack is public.

/// Countries and peoples, languages, sectors, topics and opinions that no clause or signal may name. Whole words,
/// without regard to case; one a line.
const WORDS: &str = include_str!("neutral_words.txt");

/// The words in `text` that no pack may use, as they stand there, each once.
pub(super) fn names_in(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let spoken: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let banned: Vec<Vec<&str>> = lines().map(|line| line.split_whitespace().collect()).collect();
    for start in 0..spoken.len() {
        for phrase in &banned {
            let here = spoken.get(start..start + phrase.len()).unwrap_or_default();
            let same = here.iter().zip(phrase).all(|(a, b)| a.to_lowercase() == *b);
            let first = here.first().filter(|first| same && here.len() == phrase.len() && !found.contains(*first));
            found.extend(first.copied());
        }
    }
    found
}

fn lines() -> impl Iterator<Item = &'static str> {
    WORDS.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_as_whole_words_in_any_case() {
        assert_eq!(names_in("calls from FRANCE, and New  Zealand"), ["FRANCE", "New"]);
        assert_eq!(names_in("a franchise; to finish polishing; an oman-like value_iran2"), ["oman"]);
        assert!(names_in("objects written per hour").is_empty());
    }

    #[test]
    fn the_list_is_lower_case_so_that_it_can_match() {
        assert!(lines().count() > 300);
        for line in lines() {
            assert_eq!(line, line.to_lowercase());
        }
    }
}
