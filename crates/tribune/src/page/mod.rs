//! The pages: portraits, cases, a policy's text, as HTML that needs no script and nothing from elsewhere.
//!
//! Templates escape markup; [`finish`] makes whatever acts visible; so no name in the records can do more than be read.
//! Charts are templates too and no library's drawing, because the style sheet colours them for light, dark and print.
//! It is not a server ([`crate::demo`]) and computes no evidence.

pub(crate) mod chart;
pub(crate) mod entity;
pub(crate) mod portrait;
pub(crate) mod site;
pub(crate) mod text;

use crate::common::Failure;
use askama::Template;
use signals::pack::readable;

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

/// Renders a page; the last thing done to it is to make visible whatever acts instead of being read.
pub(crate) fn finish(page: &impl Template) -> Result<String, Failure> {
    let html = page.render().map_err(|error| Failure::Defect(format!("a page could not be made: {error}")))?;
    Ok(text::clean_lines(&html).into_owned())
}

/// A count as a person reads it: `912,000`, `24.1 million`.
pub(crate) fn count(value: f64) -> String {
    scaled(value, &[(1e12, " trillion"), (1e9, " billion"), (1e6, " million")])
}

/// Bytes as a person reads them, in powers of ten: `1.9 MB`.
pub(crate) fn bytes(value: f64) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_as_people_read_them() {
        assert_eq!([0.0, 2.5, 950.0, 912_345.0, 2.41e7].map(count), ["0", "2.5", "950", "912,000", "24.1 million"]);
        assert_eq!([0.0, 999.0, 1.9e6, 8e15].map(bytes), ["0 B", "999 B", "1.9 MB", "8 PB"]);
    }

    #[test]
    fn the_style_sheet_asks_for_nothing_from_elsewhere() {
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import") && !STYLE.contains("</"));
    }
}
