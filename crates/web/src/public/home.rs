//! The first page, the policies as text, and how to check the log from outside.

use super::{KEPT_SECONDS, shelf};
use crate::answer::{Problem, kept, page};
use crate::frame::{Frame, Reader};
use crate::pages::{Pages, PolicyText};
use crate::visible::filters;
use askama::Template;
use axum::extract::{Path as Asked, State};
use axum::response::Response;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html};
use review::procedure::Reach;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage<'a> {
    frame: Frame,
    policies: &'a [PolicyText],
    statements: usize,
    entries: u64,
    year: Option<i32>,
}

/// `GET /`
pub(super) async fn home(State(pages): State<Arc<Pages>>, reader: Reader) -> Result<Response, Problem> {
    let shelf = shelf(&pages).await?;
    let frame = Frame::new(&pages, &reader, &reader.language.say("home-title"));
    let (policies, statements) = (&pages.settings.policies[..], shelf.texts.len());
    let year = shelf.years.keys().next_back().copied();
    let page = page(&HomePage { frame, policies, statements, entries: shelf.entries, year })?;
    Ok(kept(page, KEPT_SECONDS))
}

#[derive(Template)]
#[template(path = "policies.html")]
struct PoliciesPage<'a> {
    frame: Frame,
    policies: &'a [PolicyText],
}

/// `GET /policies`
pub(super) async fn policies(State(pages): State<Arc<Pages>>, reader: Reader) -> Result<Response, Problem> {
    let frame = Frame::new(&pages, &reader, &reader.language.say("policies-title"));
    Ok(kept(page(&PoliciesPage { frame, policies: &pages.settings.policies })?, KEPT_SECONDS))
}

#[derive(Template)]
#[template(path = "policy.html")]
struct PolicyPage<'a> {
    frame: Frame,
    policy: &'a PolicyText,
    clause: String,
    protected: String,
}

impl PolicyPage<'_> {
    /// How far an intervention reaches, for people.
    fn reach(&self, reach: &Reach) -> String {
        self.frame.t(match reach {
            Reach::Asks => "reach-asks",
            Reach::Interim => "reach-interim",
            Reach::Disables => "reach-disables",
            Reach::Terminates => "reach-terminates",
        })
    }
}

/// `GET /policies/ID`
pub(super) async fn policy(
    State(pages): State<Arc<Pages>>,
    reader: Reader,
    Asked(id): Asked<String>,
) -> Result<Response, Problem> {
    let policy = pages.settings.policies.iter().find(|policy| policy.id == id).ok_or_else(Problem::missing)?;
    let frame = Frame::new(&pages, &reader, &policy.title);
    let services: Vec<_> = policy.procedure.protected_services.iter().map(ToString::to_string).collect();
    let (clause, protected) = (prose(&policy.clause), services.join(", "));
    Ok(kept(page(&PolicyPage { frame, policy, clause, protected })?, KEPT_SECONDS))
}

#[derive(Template)]
#[template(path = "log.html")]
struct LogPage<'a> {
    frame: Frame,
    base: &'a str,
    origin: &'a str,
    key: &'a str,
    entries: u64,
    checkpoint: Option<String>,
}

/// `GET /log`
pub(super) async fn log(State(pages): State<Arc<Pages>>, reader: Reader) -> Result<Response, Problem> {
    let entries = shelf(&pages).await?.entries;
    let frame = Frame::new(&pages, &reader, &reader.language.say("log-title"));
    let path = pages.settings.public.join("log").join("checkpoint");
    let checkpoint = tokio::task::spawn_blocking(move || std::fs::read_to_string(path)).await;
    let checkpoint = checkpoint.ok().and_then(Result::ok);
    let settings = &pages.settings;
    let (base, origin, key) = (settings.base.as_str(), settings.log_origin.as_str(), settings.log_key.as_str());
    Ok(kept(page(&LogPage { frame, base, origin, key, entries, checkpoint })?, 1))
}

/// Markdown as HTML: what is HTML in it is shown as text, links and images lead nowhere. Its headings stand under the
/// page's own.
fn prose(markdown: &str) -> String {
    let events = Parser::new_ext(markdown, Options::ENABLE_TABLES).filter_map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
        Event::Start(Tag::Link { .. } | Tag::Image { .. }) | Event::End(TagEnd::Link | TagEnd::Image) => None,
        other => Some(other),
    });
    let mut out = String::new();
    html::push_html(&mut out, events);
    out
}

#[cfg(test)]
mod tests {
    use super::prose;

    #[test]
    fn markdown_becomes_html_but_html_and_links_become_text() {
        let out = prose("# A\n\n<script>x</script>\n\na <b onclick=1>c</b> [d](javascript:x) ![e](http://f)");
        assert!(out.starts_with("<h1>A</h1>"), "{out}");
        assert!(
            !out.contains("<script") && !out.contains("<b") && !out.contains("href") && !out.contains("<img"),
            "{out}"
        );
    }
}
