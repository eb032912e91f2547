//! Meter catalogues: which provider's meter, in which unit, is which [`Measure`], and how much of it.
//!
//! ```toml
//! provider = ["AWS", "Amazon Web Services"]   # ProviderName
//! [[meter]]
//! measure = "objects_written"
//! match = { ServiceName = ["Amazon Simple Storage Service"], x_UsageType = ["*Requests-Tier1"] }
//! units = { "Requests" = 1, "1K Requests" = 1000 }
//! ```
//!
//! Every column in `match` must match one of its patterns, in which `*` stands for anything and case does not matter.
//! A unit is worth a number of the measure's units, or `"N month"`: N times the hours of the billing month.
//!
//! It is not a guess: what two meters claim for different measures, or no unit fits, stays unmapped and is named.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::Spanned;

use crate::Measure;
use crate::tally::quoted;

const BUILT_IN: [(&str, &str); 5] = [
    ("aws", include_str!("../../../meters/aws.toml")),
    ("azure", include_str!("../../../meters/azure.toml")),
    ("example-cloud", include_str!("../../../meters/example-cloud.toml")),
    ("gcp", include_str!("../../../meters/gcp.toml")),
    ("oracle", include_str!("../../../meters/oracle.toml")),
];

/// The columns a meter may be told by, besides those that begin with `x_`.
const COLUMNS: [&str; 7] =
    ["ServiceCategory", "ServiceName", "SkuId", "SkuMeter", "ChargeDescription", "SkuPriceDetails", "RegionId"];

/// All meters that are known.
#[derive(Clone, Debug)]
pub struct Catalogue {
    files: BTreeMap<String, File>,
    columns: Vec<String>,
}

/// What is wrong with a catalogue, where, and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The folder or a file in it could not be read.
    #[error("{path}: {source}")]
    Read {
        /// The folder or file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file does not say what a catalogue must say.
    #[error("{file}, line {line}: {reason}")]
    Content {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong and how to mend it.
        reason: String,
    },
}

/// What a catalogue says of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// It is this measure.
    Meter {
        /// The measure.
        measure: Measure,
        /// How many of the measure's units one unit of the row is worth.
        factor: f64,
        /// Whether that is times the hours of the billing month.
        per_month: bool,
    },
    /// It is none, and why.
    Unmapped(String),
}

#[derive(Clone, Debug)]
struct File {
    providers: Vec<String>,
    meters: Vec<Meter>,
    /// Of its text.
    sha256: String,
}

#[derive(Clone, Debug)]
struct Meter {
    measure: Measure,
    patterns: Vec<(String, Vec<Pattern>)>,
    units: BTreeMap<String, Worth>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Worth {
    factor: f64,
    per_month: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    provider: Spanned<Vec<String>>,
    #[serde(default)]
    meter: Vec<Spanned<RawMeter>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMeter {
    measure: Spanned<String>,
    #[serde(rename = "match")]
    patterns: BTreeMap<String, Spanned<Vec<String>>>,
    units: BTreeMap<String, Spanned<toml::Value>>,
}

impl Catalogue {
    /// The catalogues that are compiled in.
    pub fn built_in() -> Result<Self, CatalogueError> {
        let read =
            |(stem, text): (&str, &str)| Ok((stem.to_owned(), File::parse(&format!("meters/{stem}.toml"), text)?));
        Ok(Self::new(BUILT_IN.into_iter().map(read).collect::<Result<_, _>>()?))
    }

    /// `sha256:…` of all of it: the digest of its files' digests, one a line, in the order of their names.
    pub fn digest(&self) -> String {
        let lines: String = self.files.iter().map(|(stem, file)| format!("{} {stem}\n", file.sha256)).collect();
        format!("sha256:{:x}", Sha256::digest(lines))
    }

    /// With the `*.toml` of a folder added; a file of the same name replaces a catalogue that is compiled in.
    pub fn with_dir(mut self, folder: &Path) -> Result<Self, CatalogueError> {
        let unread = |path: &Path| {
            let path = path.display().to_string();
            move |source| CatalogueError::Read { path, source }
        };
        for entry in std::fs::read_dir(folder).map_err(unread(folder))? {
            let path = entry.map_err(unread(folder))?.path();
            let (Some(stem), Some(true)) = (path.file_stem(), path.extension().map(|end| end == "toml")) else {
                continue;
            };
            let text = std::fs::read_to_string(&path).map_err(unread(&path))?;
            let file = File::parse(&path.display().to_string(), &text)?;
            self.files.insert(stem.to_string_lossy().into_owned(), file);
        }
        Ok(Self::new(self.files))
    }

    fn new(files: BTreeMap<String, File>) -> Self {
        let meters = files.values().flat_map(|file| &file.meters);
        let columns: BTreeSet<&String> = meters.flat_map(|meter| &meter.patterns).map(|(column, _)| column).collect();
        Self { columns: columns.into_iter().cloned().collect(), files }
    }

    /// The columns that some meter is told by.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// What a row is: by its provider, its unit, and its values in [`Self::columns`].
    pub fn find(&self, provider: &str, unit: &str, value: &dyn Fn(&str) -> Option<String>) -> Found {
        let is_of = |file: &&File| file.providers.iter().any(|name| name.eq_ignore_ascii_case(provider));
        let of_provider: Vec<&File> = self.files.values().filter(is_of).collect();
        if of_provider.is_empty() {
            return Found::Unmapped("no catalogue for this provider".to_owned());
        }
        let matching: Vec<&Meter> =
            of_provider.iter().flat_map(|file| &file.meters).filter(|meter| meter.matches(value)).collect();
        if matching.is_empty() {
            return Found::Unmapped("meter not in the catalogue".to_owned());
        }
        let unit_name = unit_key(unit);
        let mut fitting = matching.iter().filter_map(|meter| Some((meter.measure, *meter.units.get(&unit_name)?)));
        let Some((measure, worth)) = fitting.next() else {
            let measures: BTreeSet<&str> = matching.iter().map(|meter| meter.measure.name()).collect();
            let measures: Vec<&str> = measures.into_iter().collect();
            return Found::Unmapped(format!("unit {} does not fit {}", quoted(unit), measures.join(" or ")));
        };
        match fitting.find(|other| *other != (measure, worth)) {
            Some((other, _)) if other == measure => {
                Found::Unmapped(format!("ambiguous: two meters of {measure} give its unit another worth"))
            }
            Some((other, _)) => Found::Unmapped(format!("ambiguous: {} or {}", measure.min(other), measure.max(other))),
            None => Found::Meter { measure, factor: worth.factor, per_month: worth.per_month },
        }
    }
}

impl File {
    fn parse(name: &str, text: &str) -> Result<Self, CatalogueError> {
        let fault = |at: usize, reason: String| CatalogueError::Content {
            file: name.to_owned(),
            line: text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1,
            reason,
        };
        let raw: RawFile = toml::from_str(text).map_err(|error| {
            fault(error.span().map_or(0, |span| span.start), error.message().trim().replace('\n', "; "))
        })?;
        if raw.provider.get_ref().is_empty() {
            return Err(fault(
                raw.provider.span().start,
                "name at least one provider, as `ProviderName` has it".into(),
            ));
        }
        let meters = raw.meter.into_iter().map(|meter| Meter::new(meter, &fault)).collect::<Result<_, _>>()?;
        let sha256 = format!("{:x}", Sha256::digest(text));
        Ok(Self { providers: raw.provider.into_inner(), meters, sha256 })
    }
}

impl Meter {
    fn new(raw: Spanned<RawMeter>, fault: &dyn Fn(usize, String) -> CatalogueError) -> Result<Self, CatalogueError> {
        let at = raw.span().start;
        let raw = raw.into_inner();
        let measure = Measure::from_name(raw.measure.get_ref()).ok_or_else(|| {
            let known: Vec<&str> = Measure::ALL.iter().map(|measure| measure.name()).collect();
            let reason = format!("{} is no measure; there are {}", quoted(raw.measure.get_ref()), known.join(", "));
            fault(raw.measure.span().start, reason)
        })?;
        if raw.patterns.is_empty() || raw.units.is_empty() {
            return Err(fault(at, "a meter needs a `match` and `units`, with something in each".into()));
        }
        let mut patterns = Vec::new();
        for (column, globs) in raw.patterns {
            if !COLUMNS.contains(&column.as_str()) && !column.starts_with("x_") {
                let reason = format!("no meter is told by {}; use x_… or {}", quoted(&column), COLUMNS.join(", "));
                return Err(fault(globs.span().start, reason));
            }
            if globs.get_ref().is_empty() {
                return Err(fault(globs.span().start, format!("give {} a pattern", quoted(&column))));
            }
            patterns.push((column, globs.get_ref().iter().map(|glob| Pattern::new(glob)).collect()));
        }
        let mut units = BTreeMap::new();
        for (unit, worth) in raw.units {
            let at = worth.span().start;
            let worth = Worth::new(worth.get_ref()).map_err(|reason| fault(at, reason))?;
            if units.insert(unit_key(&unit), worth).is_some_and(|before| before != worth) {
                return Err(fault(at, format!("the unit {} stands here twice, with another worth", quoted(&unit))));
            }
        }
        Ok(Self { measure, patterns, units })
    }

    fn matches(&self, value: &dyn Fn(&str) -> Option<String>) -> bool {
        self.patterns.iter().all(|(column, patterns)| {
            let value = value(column).map(|value| value.to_lowercase());
            value.is_some_and(|value| patterns.iter().any(|pattern| pattern.matches(&value)))
        })
    }
}

impl Worth {
    fn new(raw: &toml::Value) -> Result<Self, String> {
        let (factor, per_month) = match raw {
            toml::Value::Integer(number) => (Some(*number as f64), false),
            toml::Value::Float(number) => (Some(*number), false),
            toml::Value::String(text) => {
                (text.strip_suffix("month").and_then(|number| number.trim().parse().ok()), true)
            }
            _ => (None, false),
        };
        match factor {
            Some(factor) if factor > 0.0 && factor <= 1e15 => Ok(Self { factor, per_month }),
            _ => Err("a unit is worth a number above 0 and up to 1e15, or \"N month\"".to_owned()),
        }
    }
}

/// A pattern in lower case, cut at its stars.
#[derive(Clone, Debug)]
struct Pattern(Vec<String>);

impl Pattern {
    fn new(glob: &str) -> Self {
        Self(glob.to_lowercase().split('*').map(str::to_owned).collect())
    }

    /// Whether a text in lower case is of this form.
    fn matches(&self, text: &str) -> bool {
        let (first, rest) = match self.0.split_first() {
            Some((first, [])) => return text == first,
            Some((first, rest)) => (first, rest),
            None => return false,
        };
        let Some(mut text) = text.strip_prefix(first.as_str()) else { return false };
        let Some((last, middle)) = rest.split_last() else { return false };
        for part in middle {
            match text.find(part.as_str()) {
                Some(at) => text = text.get(at + part.len()..).unwrap_or_default(),
                None => return false,
            }
        }
        text.ends_with(last.as_str())
    }
}

/// A unit's name as it is compared: `GB-Months`, `GB/Month`, `GB months` and `gb per month` are one; `Gb` is a gigabit.
fn unit_key(unit: &str) -> String {
    let words = unit.split(|character: char| character.is_whitespace() || matches!(character, '-' | '/' | '_'));
    let words = words.filter(|word| !word.is_empty() && !word.eq_ignore_ascii_case("per"));
    let key = |word: &str| match word.as_bytes() {
        [b'K' | b'M' | b'G' | b'T' | b'P', b'b'] | [b'K' | b'M' | b'G' | b'T' | b'P', b'i', b'b'] => {
            format!("{}it", word.to_lowercase())
        }
        _ => {
            let word = word.to_lowercase();
            let singular = word.strip_suffix('s').filter(|singular| singular.len() > 2);
            singular.unwrap_or(&word).to_owned()
        }
    };
    words.map(key).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = r#"
provider = ["Hill Cloud"]
[[meter]]
measure = "byte_hours_stored"
match = { ServiceName = ["Barn"], SkuId = ["*capacity*", "keep"] }
units = { "GB-Hours" = 1e9, "GB-Months" = "1e9 month" }
[[meter]]
measure = "bytes_out"
match = { ServiceName = ["Barn"], SkuId = ["*out*"] }
units = { "GB" = 1_000_000_000 }
[[meter]]
measure = "bytes_in"
match = { ServiceName = ["Barn"], SkuId = ["*in-and-out*"] }
units = { "GB" = 1e9 }
"#;

    fn catalogue(text: &str) -> Result<Catalogue, CatalogueError> {
        Ok(Catalogue::new(BTreeMap::from([("hill".to_owned(), File::parse("hill.toml", text)?)])))
    }

    fn find(sku: &str, unit: &str) -> Found {
        catalogue(GOOD).unwrap().find("HILL cloud", unit, &|column| match column {
            "ServiceName" => Some("barn".to_owned()),
            "SkuId" => Some(sku.to_owned()),
            _ => None,
        })
    }

    fn why(sku: &str, unit: &str) -> String {
        match find(sku, unit) {
            Found::Unmapped(why) => why,
            found => panic!("{found:?}"),
        }
    }

    #[test]
    fn a_meter_is_found_by_its_patterns_and_its_unit() {
        let stored = |factor, per_month| Found::Meter { measure: Measure::ByteHoursStored, factor, per_month };
        for unit in ["GB-Hours", "gb/hour", "GB per Hour", "GB Hours"] {
            assert_eq!(find("EU-Capacity-1", unit), stored(1e9, false), "{unit}");
        }
        assert_eq!(find("keep", "GB/Month"), stored(1e9, true));
    }

    #[test]
    fn what_is_not_certain_is_unmapped_and_says_why() {
        assert_eq!(why("other", "GB"), "meter not in the catalogue");
        assert_eq!(why("x-out", "Gb"), "unit `Gb` does not fit bytes_out");
        assert_eq!(why("in-and-out", "GB"), "ambiguous: bytes_in or bytes_out");
        let found = catalogue(GOOD).unwrap().find("Valley", "GB", &|_| None);
        assert_eq!(found, Found::Unmapped("no catalogue for this provider".to_owned()));
    }

    #[test]
    fn a_catalogue_at_fault_names_file_line_and_mend() {
        for (good, bad, line, says) in [
            ("byte_hours_stored", "bytes", 4, "`bytes` is no measure; there are objects_written"),
            ("SkuId = [\"*out*\"]", "Tags = [\"*\"]", 9, "no meter is told by `Tags`"),
            ("1_000_000_000", "-1", 10, "a unit is worth a number above 0"),
            ("\"1e9 month\"", "\"a month\"", 6, "\"N month\""),
            ("[\"*out*\"]", "[]", 9, "give `SkuId` a pattern"),
            ("units = { \"GB\" = 1e9 }", "unit = 1", 14, "unknown field `unit`"),
            ("[\"Hill Cloud\"]", "[", 4, "missing comma"),
            ("\"GB-Hours\" = 1e9", "\"GB-Hours\" = 1e9, \"gb hour\" = 1", 6, "stands here twice"),
        ] {
            let error = catalogue(&GOOD.replace(good, bad)).unwrap_err().to_string();
            assert!(error.starts_with(&format!("hill.toml, line {line}: ")) && error.contains(says), "{error}");
        }
    }

    #[test]
    fn what_is_compiled_in_is_well_formed_and_a_folder_replaces_it() {
        let built_in = Catalogue::built_in().unwrap();
        let sku = |column: &str| Some(if column == "SkuId" { "cdn.egress" } else { "CDN" }.to_owned());
        let cdn = Found::Meter { measure: Measure::BytesCdn, factor: 1e9, per_month: false };
        assert_eq!(built_in.find("Example Cloud", "GB", &sku), cdn);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("example-cloud.toml"), GOOD).unwrap();
        let replaced = built_in.with_dir(folder.path()).unwrap();
        assert!(matches!(replaced.find("Example Cloud", "GB", &sku), Found::Unmapped(_)));
        assert!(matches!(replaced.find("Hill Cloud", "GB", &sku), Found::Unmapped(_)));
        assert!(Catalogue::built_in().unwrap().with_dir(&folder.path().join("none")).is_err());
    }

    /// The plain definition of a pattern, letter by letter.
    fn by_definition(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            (['*', rest @ ..], _) => (0..=text.len()).any(|skip| by_definition(rest, &text[skip..])),
            ([a, pattern @ ..], [b, text @ ..]) => a == b && by_definition(pattern, text),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn patterns_match_as_defined(pattern in "[ab*]{0,8}", text in "[ab]{0,8}") {
            let letters = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(Pattern::new(&pattern).matches(&text), by_definition(&letters(&pattern), &letters(&text)));
        }

        #[test]
        fn any_text_is_a_catalogue_or_an_error(text in "\\PC{0,200}") {
            let _ = File::parse("any.toml", &text);
        }
    }
}
