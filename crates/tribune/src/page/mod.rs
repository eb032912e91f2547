//! The pages: portraits, cases, a policy's text, as HTML that needs no script and nothing from elsewhere.
//!
//! Templates escape markup; [`finish`] makes whatever acts visible; so no name in the records can do more than be read.
//! It is not a server ([`crate::demo`]) and computes no evidence.

pub(crate) mod portrait;
pub(crate) mod site;
pub(crate) mod text;

use crate::common::Failure;
use askama::Template;
use web::portrait::{Drawing, OpenedAt, Portrait};

/// The style sheet, for `/style.css` and for pages that stand alone.
pub(crate) const STYLE: &str = include_str!("../../templates/style.css");

/// What surrounds every page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frame {
    /// A single file that carries its style, without a site around it.
    pub(crate) alone: bool,
    /// Whether to say that everything is simulated.
    pub(crate) simulated: bool,
    /// The page's address.
    pub(crate) here: String,
    /// Addresses and names of the policies' pages.
    pub(crate) policies: Vec<(String, String)>,
}

impl Frame {
    fn style(&self) -> &'static str {
        STYLE
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }
}

/// The page of one entity: a case's page in the demo, and `explain --html`.
#[derive(Template)]
#[template(path = "entity.html")]
pub(crate) struct EntityPage {
    frame: Frame,
    heading: String,
    drawing: Drawing,
}

impl EntityPage {
    /// The page of a portrait; `records` is the digest of what it rests on.
    pub(crate) fn new(frame: Frame, portrait: Portrait, opened: Option<OpenedAt>, records: Option<String>) -> Self {
        Self { frame, heading: portrait.customer.clone(), drawing: Drawing::new(portrait, opened, records) }
    }
}

/// Renders a page; the last thing done to it is to make visible whatever acts instead of being read.
pub(crate) fn finish(page: &impl Template) -> Result<String, Failure> {
    let html = page.render().map_err(|error| Failure::Defect(format!("a page could not be made: {error}")))?;
    Ok(web::plain::clean_lines(&html).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_sheet_asks_for_nothing_from_elsewhere() {
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import") && !STYLE.contains("</"));
    }
}
