//! `docs/relations.md`, made from the columns themselves so that it cannot lie.

use crate::entity::Known;
use crate::links::Links;
use crate::peers::Standing;
use crate::sql::FUNCTIONS;
use crate::workload::{Daily, Hourly};
use usage::Measure;

/// The text of `docs/relations.md`.
pub(crate) fn text() -> String {
    let mut out = String::from(
        "# The relations a signal may read\n\n\
         A signal is one `SELECT entity, value[, completeness]` over these six relations, joined by `entity` where it \
         needs several. All columns but `measure` are whole numbers (`BIGINT`); a column is `NULL` where the records do \
         not say. An entity is an account, a unit, a customer, or a group of linked accounts. This page is made from the \
         code; a test keeps it true.\n\n## Functions\n\n`sum`, `min`, `max`, `count`, and\n\n",
    );
    for (name, meaning) in FUNCTIONS {
        out += &format!("- `{name}`: {meaning}\n");
    }
    out += "\n`/`, `*`, `%`, fractions, texts other than a measure's name, ORDER BY, LIMIT, DISTINCT, windows, recursion and \
            every other function are refused: they fail, overflow, or depend on the order of work.\n";
    table(&mut out, "workload", "as of the tick", Hourly::COLUMNS);
    out += "| `MEASURE_7d` | total of the complete hours of the last 168 (of the days, for daily rows), in whole units, for each of: ";
    out += &Measure::ALL.map(|measure| format!("`{}` ({})", measure.name(), measure.unit())).join(", ");
    out += " |\n";
    table(&mut out, "workload, daily columns", "as of the midnight (UTC) before", Daily::COLUMNS);
    table(&mut out, "facts", "as of the midnight before", Known::COLUMNS);
    table(&mut out, "peers", "as of the midnight before", Standing::COLUMNS);
    table(&mut out, "links", "as of the midnight before", Links::COLUMNS);
    let long = [
        ("measure", "the measure's name (text)"),
        ("hour, or day", "hours or days since 1970-01-01T00Z"),
        ("quantity", "in whole units; hours and days without usage have no row"),
    ];
    table(
        &mut out,
        "hourly and daily",
        "168 hours and 42 days before the last midnight, one row per entity, measure and hour or day",
        &long,
    );
    out
}

fn table(out: &mut String, name: &str, when: &str, columns: &[(&str, &str)]) {
    *out += &format!("\n## {name}\n\n{when}\n\n| column | meaning |\n|---|---|\n");
    if !name.starts_with("workload,") {
        *out += "| `entity` | the entity |\n";
    }
    for (name, meaning) in columns {
        *out += &format!("| `{name}` | {meaning} |\n");
    }
}

#[cfg(test)]
mod tests {
    /// Write it anew with `TRIBUNE_WRITE_DOCS=1 cargo test -p signals relations`.
    #[test]
    fn relations_are_documented_as_they_are() {
        let path = "../../docs/relations.md";
        if std::env::var_os("TRIBUNE_WRITE_DOCS").is_some() {
            std::fs::write(path, super::text()).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(path).unwrap_or_default(),
            super::text(),
            "docs/relations.md is out of date"
        );
    }
}
