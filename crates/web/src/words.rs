//! The texts of the pages, in catalogues: English, and Arabic from right to left.
//!
//! The language is told by `?lang=` or by the browser, and kept in no cookie. A message that a catalogue has not is shown
//! by its name; a test sees to it that none is missing. What people wrote is in no catalogue and is not translated.

use axum::http::{HeaderMap, header};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use std::sync::LazyLock;

/// A language of the pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Arabic.
    Arabic,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::Arabic];

    /// As `lang=` writes it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Arabic => "ar",
        }
    }

    /// What its readers call it.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Arabic => "العربية",
        }
    }

    /// As `dir=` writes it.
    pub const fn direction(self) -> &'static str {
        match self {
            Self::English => "ltr",
            Self::Arabic => "rtl",
        }
    }

    /// The one of this code.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// The one that a browser prefers among those there are.
    pub fn preferred(headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let wishes = accepted.split(',').take(20).filter_map(|wish| {
            let (range, weight) = wish.split_once(';').unwrap_or((wish, "q=1"));
            let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok()).unwrap_or(0.0);
            let code = range.trim().split('-').next().unwrap_or_default().to_ascii_lowercase();
            Self::of_code(&code).filter(|_| weight > 0.0).map(|language| (language, weight))
        });
        // Of equal wishes the first.
        let best = wishes.reduce(|best, wish| if wish.1 > best.1 { wish } else { best });
        best.map(|(language, _)| language).unwrap_or_default()
    }

    /// A message.
    pub fn say(self, message: &str) -> String {
        self.tell(message, &[])
    }

    /// A message with values in it. What is put in is isolated, so that its direction turns nothing around it.
    pub fn tell(self, message: &str, values: &[(&str, Value<'_>)]) -> String {
        let catalogue = match self {
            Self::English => &CATALOGUES.0,
            Self::Arabic => &CATALOGUES.1,
        };
        let pattern = catalogue.get_message(message).and_then(|message| message.value());
        let Some(pattern) = pattern else { return message.to_owned() };
        let mut args = FluentArgs::with_capacity(values.len());
        for (name, value) in values {
            let value = match value {
                Value::Text(text) => FluentValue::from(*text),
                Value::Number(number) => FluentValue::from(*number),
            };
            args.set(*name, value);
        }
        catalogue.format_pattern(pattern, Some(&args), &mut Vec::new()).into_owned()
    }
}

/// What is put into a message.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// As it stands.
    Text(&'a str),
    /// A count, by which a message chooses its form.
    Number(u64),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<usize> for Value<'_> {
    fn from(number: usize) -> Self {
        Self::Number(number as u64)
    }
}

type Catalogue = FluentBundle<FluentResource>;

/// In the order of [`Language::ALL`].
static CATALOGUES: LazyLock<(Catalogue, Catalogue)> = LazyLock::new(|| {
    let (english, arabic) = (include_str!("../words/en.ftl"), include_str!("../words/ar.ftl"));
    (catalogue(Language::English, english), catalogue(Language::Arabic, arabic))
});

/// What of a catalogue cannot be read is left out, and a test fails.
fn catalogue(language: Language, text: &str) -> Catalogue {
    let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(resource, _)| resource);
    let mut bundle = FluentBundle::new_concurrent(language.code().parse().into_iter().collect());
    bundle.add_resource_overriding(resource);
    bundle
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    /// The messages of a catalogue, each with the names of its values.
    fn messages(text: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mut messages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut last = String::new();
        for line in text.lines() {
            if let Some((name, _)) =
                line.split_once(" =").filter(|_| line.starts_with(|c: char| c.is_ascii_lowercase()))
            {
                assert!(messages.insert(name.to_owned(), BTreeSet::new()).is_none(), "{name} stands twice");
                last = name.to_owned();
            }
            for part in line.split('$').skip(1) {
                let value: String = part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
                messages.get_mut(&last).unwrap().insert(value);
            }
        }
        messages
    }

    #[test]
    fn both_catalogues_say_the_same_with_the_same_values() {
        for text in [include_str!("../words/en.ftl"), include_str!("../words/ar.ftl")] {
            let read = FluentResource::try_new(text.to_owned());
            assert!(read.is_ok(), "{:?}", read.err().map(|(_, errors)| errors));
        }
        let (english, arabic) = (messages(include_str!("../words/en.ftl")), messages(include_str!("../words/ar.ftl")));
        assert!(english.len() > 20);
        assert_eq!(english, arabic);
    }

    /// Every message is used by its whole name, in a template or in the code; and every name that is used is there.
    #[test]
    fn every_message_that_is_used_is_there_and_every_other_is_gone() {
        let known = messages(include_str!("../words/en.ftl"));
        let mut used = BTreeSet::new();
        for folder in ["src", "templates"] {
            let mut open = vec![std::path::PathBuf::from(folder)];
            while let Some(path) = open.pop() {
                if path.is_dir() {
                    open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]").next().unwrap();
                for call in [".say(\"", ".tell(\"", ".t(\"", ".with(\"", ".count(\""] {
                    for part in text.split(call).skip(1) {
                        let name = part.split('"').next().unwrap();
                        if name.contains('-')
                            && name
                                .bytes()
                                .all(|byte| byte.is_ascii_lowercase() || byte == b'-' || byte.is_ascii_digit())
                        {
                            assert!(known.contains_key(name), "{}: {name} is in no catalogue", path.display());
                        }
                    }
                }
                // Messages are also named in tables of the code, from which they are said later.
                used.extend(known.keys().filter(|name| text.contains(&format!("\"{name}\""))).cloned());
            }
        }
        let unused: Vec<_> = known.keys().filter(|name| !used.contains(*name)).collect();
        assert!(unused.is_empty(), "said nowhere: {unused:?}");
    }

    #[test]
    fn the_language_is_the_best_of_what_a_browser_accepts() {
        for (accepted, code) in [
            ("", "en"),
            ("ar", "ar"),
            ("fr, ar;q=0.4, en;q=0.3", "ar"),
            ("en-GB,ar;q=0.9", "en"),
            ("ar-EG;q=0.9, EN;q=0.95", "en"),
            ("ar;q=0", "en"),
            ("*, de", "en"),
            ("ar;q=x, ,;,", "en"),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, accepted.parse().unwrap())]);
            assert_eq!(Language::preferred(&headers).code(), code, "{accepted}");
        }
    }

    #[test]
    fn a_value_turns_nothing_around_it_and_a_missing_message_breaks_nothing() {
        let said = Language::Arabic.tell("error-unknown-page", &[("address", "/x".into())]);
        assert!(said.contains("\u{2068}/x\u{2069}"), "{said}");
        assert_eq!(Language::English.say("no-such-message"), "no-such-message");
    }
}
