//! A public statement read back from its text, as anybody can who has the text alone.
//!
//! [`crate::statement`] writes it; this takes it apart again: sections, terms, and of the terms those by which people look
//! for statements. It knows no case, and what is no statement of that form is told to be none.

use std::collections::BTreeSet;

/// What the text is under.
const TITLE: &str = "Statement of reasons, for the public";

/// A section: its heading, and each term with the lines under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The heading.
    pub heading: String,
    /// Terms and lines.
    pub entries: Vec<(String, Vec<String>)>,
}

/// A statement, the public's or the customer's, taken apart: its title and its sections; none if it has another form.
pub fn sections(text: &str) -> Option<(&str, Vec<Section>)> {
    let mut lines = text.lines();
    let title = lines.next()?;
    let mut sections: Vec<Section> = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        match (line.strip_prefix("    "), line.strip_prefix("  ")) {
            (Some(said), _) => sections.last_mut()?.entries.last_mut()?.1.push(said.to_owned()),
            (None, Some(term)) => {
                sections.last_mut()?.entries.push((term.strip_suffix(':')?.to_owned(), Vec::new()));
            }
            (None, None) => sections.push(Section { heading: line.to_owned(), entries: Vec::new() }),
        }
    }
    Some((title, sections))
}

/// A public statement, read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// All that it says, in order.
    pub sections: Vec<Section>,
    /// The services in which something is switched off.
    pub services: BTreeSet<String>,
    /// The regions in which something is; empty where it is everywhere.
    pub regions: BTreeSet<String>,
}

impl Published {
    /// Reads a text; none if it is no public statement.
    pub fn read(text: &str) -> Option<Self> {
        let (title, sections) = sections(text)?;
        if title != TITLE {
            return None;
        }
        let mut published = Self { sections, services: BTreeSet::new(), regions: BTreeSet::new() };
        let (mut services, mut regions, mut everywhere) = (BTreeSet::new(), BTreeSet::new(), false);
        for (place, _) in published.all("What is switched off").iter().filter_map(|line| line.rsplit_once(": ")) {
            if let Some(service) = place.strip_suffix(", everywhere") {
                services.insert(service.to_owned());
                everywhere = true;
            } else if let Some((service, region)) = place.split_once(", in ") {
                services.insert(service.to_owned());
                regions.insert(region.to_owned());
            }
        }
        if everywhere {
            regions.clear();
        }
        (published.services, published.regions) = (services, regions);
        Some(published)
    }

    /// The lines under a term; none where it has none.
    pub fn all(&self, term: &str) -> &[String] {
        let mut entries = self.sections.iter().flat_map(|section| &section.entries);
        entries.find(|(known, _)| known == term).map_or(&[], |(_, lines)| lines.as_slice())
    }

    /// The first line under a term.
    pub fn one(&self, term: &str) -> &str {
        self.all(term).first().map_or("", String::as_str)
    }

    /// The clause: its title and the policy pack's id.
    pub fn clause(&self) -> (&str, &str) {
        let clause = self.one("Clause of the terms");
        let parts = clause.strip_suffix(')').and_then(|clause| clause.rsplit_once(" ("));
        parts.unwrap_or((clause, ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::act::Act;
    use crate::stage::{Stage, decision, target};
    use crate::statement::tests::{draft, texts, written};
    use crate::words::{RegionId, Switch, Target};
    use proptest::prelude::*;

    fn text_of(targets: &[Target]) -> String {
        let mut stage = Stage::determined();
        stage.must("ann", Act::Propose(decision("d1", "read-only", targets)));
        stage.approve("d1");
        let mut texts = texts("What was found.");
        texts.reasons = [(Switch::Write, written("why"))].into();
        draft(&stage, "d1", &texts).unwrap().public_text()
    }

    #[test]
    fn a_statement_reads_back_as_it_was_written() {
        let region = |region: &str| Some(region.parse::<RegionId>().unwrap());
        let here = |service: &str, place: Option<RegionId>| Target {
            region: place,
            ..target("a1", service, &[Switch::Write])
        };
        let text = text_of(&[here("object-storage", region("west")), here("speech", region("north, upper"))]);
        let read = Published::read(&text).unwrap();
        assert_eq!(read.services.iter().collect::<Vec<_>>(), ["object-storage", "speech"]);
        assert_eq!(read.regions.iter().collect::<Vec<_>>(), ["north, upper", "west"]);
        assert_eq!(read.clause(), ("No mass surveillance of civilians", "mass-surveillance"));
        let headings: Vec<_> = read.sections.iter().map(|section| section.heading.as_str()).collect();
        assert!(headings.starts_with(&["What this is about", "The measure"]), "{headings:?}");
        // Nothing is lost: written out again it is the same.
        let mut again = format!("{TITLE}\n");
        for section in &read.sections {
            again += &format!("\n{}\n", section.heading);
            for (term, lines) in &section.entries {
                again += &format!("  {term}:\n");
                lines.iter().for_each(|line| again += &format!("    {line}\n"));
            }
        }
        assert_eq!(again, text);
        let everywhere = Published::read(&text_of(&[here("object-storage", None)])).unwrap();
        assert!(everywhere.regions.is_empty());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(Statement of reasons, for the public\n)?(( |a|:|,|\n){0,60}|\\PC{0,60})") {
            if let Some(read) = Published::read(&text) {
                prop_assert!(text.starts_with(TITLE));
                let _ = (read.clause(), read.one("x"));
            }
        }
    }
}
