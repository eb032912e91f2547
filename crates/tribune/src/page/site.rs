//! The pages around the cases: the list of them, a policy's text, and what is said where there is no page.

use super::Frame;
use askama::Template;
use pulldown_cmark::{Event, Options, Parser, html};
use signals::pack::Policy;

/// One case in the list.
#[derive(Clone, Debug)]
pub(crate) struct CaseLine {
    /// Its page.
    pub(crate) address: String,
    /// The customer.
    pub(crate) customer: String,
    /// The accounts, in words.
    pub(crate) accounts: String,
    /// Its score now.
    pub(crate) score: String,
    /// The score's place on the bar.
    pub(crate) width: String,
    /// The floor's place on the bar.
    pub(crate) floor: String,
    /// The strongest reasons, in a sentence.
    pub(crate) why: String,
    /// When it was opened.
    pub(crate) opened: String,
}

/// The list of cases.
#[derive(Template)]
#[template(path = "index.html")]
pub(crate) struct IndexPage {
    /// What surrounds it.
    pub(crate) frame: Frame,
    /// How many days were simulated.
    pub(crate) days: u32,
    /// How many cases, in words.
    pub(crate) headline: String,
    /// What was read.
    pub(crate) numbers: Vec<(&'static str, String)>,
    /// The cases.
    pub(crate) cases: Vec<CaseLine>,
    /// As of.
    pub(crate) at: String,
    /// The floor.
    pub(crate) floor: String,
    /// The prior.
    pub(crate) prior: String,
    /// How many families must speak.
    pub(crate) families: usize,
}

/// A signal of a policy.
struct SignalLine {
    family: &'static str,
    id: String,
    sentence: String,
    innocent: String,
    range: String,
}

/// A policy's text.
#[derive(Template)]
#[template(path = "policy.html")]
pub(crate) struct PolicyPage {
    frame: Frame,
    title: String,
    version: String,
    digest: String,
    clause: String,
    signals: Vec<SignalLine>,
    elements: Vec<String>,
    steps: Vec<String>,
    interventions: Vec<String>,
    protected: String,
}

impl PolicyPage {
    /// The page of a policy.
    pub(crate) fn new(frame: Frame, policy: &Policy) -> Self {
        let signals = policy.signals.iter().map(|signal| {
            let evidence = || signal.table.points().iter().map(|(_, evidence)| *evidence);
            let (low, high) = (evidence().min().unwrap_or_default(), evidence().max().unwrap_or_default());
            SignalLine {
                family: signal.family.name(),
                id: signal.id.clone(),
                sentence: signal.sentence.replace("{value}", "…"),
                innocent: signal.innocent.clone(),
                range: format!("{low} … {high}"),
            }
        });
        Self {
            frame,
            title: policy.title.clone(),
            version: policy.version.clone(),
            digest: policy.digest.clone(),
            clause: prose(&policy.clause),
            signals: signals.collect(),
            elements: policy.review.elements.iter().map(|one| format!("{}: {}", one.id, one.title)).collect(),
            steps: policy.review.steps.iter().map(|step| step.title.clone()).collect(),
            interventions: policy.review.interventions.iter().map(|one| one.title.clone()).collect(),
            protected: crate::policy::names(&policy.review.protected_services),
        }
    }
}

/// There is no such page.
#[derive(Template)]
#[template(path = "missing.html")]
pub(crate) struct MissingPage {
    /// What surrounds it.
    pub(crate) frame: Frame,
}

/// Markdown as HTML: what is HTML in it is shown as text, links and images lead nowhere.
pub(crate) fn prose(markdown: &str) -> String {
    let events = Parser::new_ext(markdown, Options::ENABLE_TABLES).filter_map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
        Event::Start(pulldown_cmark::Tag::Link { .. } | pulldown_cmark::Tag::Image { .. })
        | Event::End(pulldown_cmark::TagEnd::Link | pulldown_cmark::TagEnd::Image) => None,
        other => Some(other),
    });
    let mut out = String::new();
    html::push_html(&mut out, events);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_html_but_html_and_links_become_text() {
        assert_eq!(prose("# A\n\n- *b*"), "<h1>A</h1>\n<ul>\n<li><em>b</em></li>\n</ul>\n");
        let out = prose("<script>x</script>\n\na <b onclick=1>c</b> [d](javascript:x) ![e](http://f)");
        assert!(
            !out.contains("<script") && !out.contains("<b") && !out.contains("href") && !out.contains("<img"),
            "{out}"
        );
        assert!(out.contains("&lt;script&gt;") && out.contains('d'));
    }
}
