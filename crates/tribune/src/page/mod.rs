//! The page that `explain --html` writes: a portrait as one file that needs no script and nothing from elsewhere.
//!
//! Templates escape markup; [`finish`] makes whatever acts visible; so no name in the records can do more than be read.
//! It computes no evidence; how a portrait is drawn is [`web::portrait`]'s.

pub(crate) mod portrait;
pub(crate) mod text;

use crate::common::Failure;
use askama::Template;
use web::frame::STYLE;
use web::portrait::{Drawing, Portrait};

/// The page of one entity.
#[derive(Template)]
#[template(path = "entity.html")]
pub(crate) struct EntityPage {
    style: &'static str,
    version: &'static str,
    heading: String,
    drawing: Drawing,
}

impl EntityPage {
    /// The page of a portrait; `records` is the digest of what it rests on.
    pub(crate) fn new(portrait: Portrait, records: String) -> Self {
        let (style, version) = (STYLE, env!("CARGO_PKG_VERSION"));
        Self {
            style,
            version,
            heading: portrait.customer.clone(),
            drawing: Drawing::new(portrait, None, Some(records)),
        }
    }
}

/// Renders a page; the last thing done to it is to make visible whatever acts instead of being read.
pub(crate) fn finish(page: &impl Template) -> Result<String, Failure> {
    let html = page.render().map_err(|error| Failure::Defect(format!("a page could not be made: {error}")))?;
    Ok(web::plain::clean_lines(&html).into_owned())
}
