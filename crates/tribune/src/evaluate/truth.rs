//! `truth.csv`: what a simulated provider's accounts really are. Only `evaluate` reads it.
//!
//! It is not facts: a provider does not know any of this.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;
use usage::Hour;

/// One workload and the accounts it lives in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Workload {
    /// Its name; the account's where the file names none.
    pub name: String,
    /// What kind it is; empty if unknown.
    pub kind: String,
    /// Whether it is a use that the policy forbids.
    pub forbidden: bool,
    /// Calls an hour on average.
    pub calls_per_hour: Option<i64>,
    /// When it began.
    pub started_at: Option<Hour>,
    /// Its ways of hiding.
    pub evasions: BTreeSet<String>,
    /// Its accounts.
    pub accounts: BTreeSet<String>,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Truth {
    /// By name.
    pub workloads: Vec<Workload>,
    /// Rows that were not used, a sentence each.
    pub rejections: Vec<String>,
}

/// A row as it stands in the file.
struct Labelled {
    account: String,
    workload: Workload,
}

const COLUMNS: [&str; 7] = ["account", "workload", "kind", "forbidden", "calls_per_hour", "started_at", "evasions"];

/// Where each of [`COLUMNS`] stands.
struct Columns([Option<usize>; COLUMNS.len()]);

impl Columns {
    fn find(header: &csv::StringRecord) -> Result<Self, String> {
        let mut places = [None; COLUMNS.len()];
        for (place, name) in places.iter_mut().zip(COLUMNS) {
            let mut found =
                header.iter().enumerate().filter(|(_, own)| own.trim_start_matches('\u{feff}').trim() == name);
            *place = found.next().map(|(at, _)| at);
            if found.next().is_some() {
                return Err(format!("the column {name} is there twice; leave one out"));
            }
        }
        let columns = Self(places);
        match columns.place("account") {
            Some(_) => Ok(columns),
            None => {
                Err(format!("there is no column account; the first line must name the columns: {}", COLUMNS.join(",")))
            }
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.0.iter().zip(COLUMNS).find(|(_, own)| *own == name).and_then(|(place, _)| *place)
    }

    /// The field of that column, trimmed; empty where there is none.
    fn field<'a>(&self, row: &'a csv::StringRecord, name: &str) -> &'a str {
        self.place(name).and_then(|place| row.get(place)).unwrap_or_default().trim()
    }

    fn labelled(&self, row: &csv::StringRecord) -> Result<Labelled, String> {
        let text = |name: &str| self.field(row, name);
        let account = text("account").to_owned();
        if account.is_empty() {
            return Err("column account is empty; name the account".into());
        }
        let forbidden = match text("forbidden") {
            "" => false,
            word if word.eq_ignore_ascii_case("true") => true,
            word if word.eq_ignore_ascii_case("false") => false,
            word => return Err(format!("column forbidden: `{}` is neither true nor false", short(word))),
        };
        let calls_per_hour = match text("calls_per_hour") {
            "" => None,
            number => Some(calls(number).ok_or_else(|| {
                format!("column calls_per_hour: `{}` is not a number from 0 to 1,000,000,000,000", short(number))
            })?),
        };
        let started_at = match text("started_at") {
            "" => None,
            time => Some(time.parse().map_err(|wrong: usage::time::TimeError| format!("column started_at: {wrong}"))?),
        };
        let named = |text: &str| text.to_owned();
        let evasions = text("evasions").split(';').map(str::trim).filter(|way| !way.is_empty()).map(named).collect();
        let name = Some(text("workload")).filter(|name| !name.is_empty()).unwrap_or(&account).to_owned();
        let accounts = BTreeSet::from([account.clone()]);
        let kind = text("kind").to_owned();
        Ok(Labelled {
            account,
            workload: Workload { name, kind, forbidden, calls_per_hour, started_at, evasions, accounts },
        })
    }
}

fn calls(text: &str) -> Option<i64> {
    let number: f64 = text.parse().ok()?;
    (0.0..=1e12).contains(&number).then(|| number.round() as i64)
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

impl Truth {
    /// Reads the file. Rows at fault are [rejected](Self::rejections), the others count.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let wrong = |reason: String| format!("{}: {reason}", path.display());
        let file = std::fs::File::open(path).map_err(|error| {
            wrong(format!(
                "{error}; evaluate scores a folder that tribune simulate has written, with usage, facts and truth"
            ))
        })?;
        Self::parse(std::io::BufReader::new(file)).map_err(wrong)
    }

    fn parse(input: impl Read) -> Result<Self, String> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(input);
        let header = reader.headers().map_err(|error| format!("is no CSV file: {error}"))?.clone();
        let columns = Columns::find(&header)?;
        let mut workloads: BTreeMap<String, Workload> = BTreeMap::new();
        let mut owners: BTreeMap<String, String> = BTreeMap::new();
        let mut rejections = Vec::new();
        for (row, number) in reader.records().zip(2_u64..) {
            let row = match row {
                Ok(row) => row,
                Err(error) if error.is_io_error() => return Err(format!("could not be read to its end: {error}")),
                Err(error) => {
                    rejections.push(format!("line {number}: is no text of CSV: {error}"));
                    continue;
                }
            };
            let number = row.position().map_or(number, csv::Position::line);
            let taken = columns.labelled(&row).and_then(|row| take(row, &mut workloads, &mut owners));
            rejections.extend(taken.err().map(|reason| format!("line {number}: {reason}")));
        }
        Ok(Self { workloads: workloads.into_values().collect(), rejections })
    }
}

/// Adds a row to its workload, unless the two contradict each other.
fn take(
    row: Labelled,
    workloads: &mut BTreeMap<String, Workload>,
    owners: &mut BTreeMap<String, String>,
) -> Result<(), String> {
    let Labelled { account, workload } = row;
    if let Some(owner) = owners.get(&account).filter(|owner| **owner != workload.name) {
        return Err(format!("account {} is already in workload {}", short(&account), short(owner)));
    }
    let name = workload.name.clone();
    match workloads.get_mut(&name) {
        None => {
            workloads.insert(name.clone(), workload);
        }
        Some(known) if (known.forbidden, &known.kind) != (workload.forbidden, &workload.kind) => {
            return Err(format!("workload {} has another kind or is forbidden in one row only", short(&name)));
        }
        Some(known) => {
            known.calls_per_hour = known.calls_per_hour.max(workload.calls_per_hour);
            known.started_at = [known.started_at, workload.started_at].into_iter().flatten().min();
            known.evasions.extend(workload.evasions);
            known.accounts.extend(workload.accounts);
        }
    }
    owners.insert(account, name);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Truth {
        Truth::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn accounts_of_one_workload_come_together() {
        let truth = parse(
            "account,workload,kind,forbidden,calls_per_hour,started_at,evasions\n\
             1,w,mass_surveillance,true,5000,2026-01-08T00:00:00Z,split;padding\n\
             2,w,mass_surveillance,true,5000,2026-01-07T00:00:00Z,split\n\
             3,v,web,false,0,,\n",
        );
        assert!(truth.rejections.is_empty());
        let [web, found] = truth.workloads.as_slice() else { panic!("{truth:?}") };
        assert_eq!((web.name.as_str(), web.forbidden, web.accounts.len()), ("v", false, 1));
        assert_eq!((found.accounts.len(), found.evasions.len(), found.calls_per_hour), (2, 2, Some(5_000)));
        assert_eq!(found.started_at.map(|at| at.to_string()).as_deref(), Some("2026-01-07T00:00:00Z"));
    }

    #[test]
    fn missing_columns_are_fine_and_a_missing_account_is_not() {
        let truth = parse("\u{feff}forbidden,account\ntrue,a\n,b\n");
        let names: Vec<_> = truth.workloads.iter().map(|w| (w.name.as_str(), w.forbidden)).collect();
        assert_eq!(names, [("a", true), ("b", false)]);
        assert!(Truth::parse("workload,kind\nw,web\n".as_bytes()).unwrap_err().contains("account"));
        assert!(Truth::parse("account,kind,kind\na,b,c\n".as_bytes()).unwrap_err().contains("twice"));
        assert!(Truth::parse("".as_bytes()).is_err());
    }

    #[test]
    fn bad_rows_are_named_and_the_good_ones_count() {
        let truth = parse(
            "account,workload,kind,forbidden,calls_per_hour,started_at\n\
             a,w,k,maybe,1,\n\
             b,w,k,true,NaN,\n\
             c,w,k,true,1e300,\n\
             d,w,k,true,-4,\n\
             e,w,k,true,1,yesterday\n\
             ,w,k,true,1,\n\
             f,w,k,TRUE,1,2026-01-01\n\
             g,w,k,false,1,\n\
             f,x,k,true,1,\n",
        );
        let said = truth.rejections.join("\n");
        assert_eq!(truth.rejections.len(), 8, "{said}");
        for what in [
            "line 2: column forbidden",
            "line 3: column calls_per_hour",
            "line 6: column started_at",
            "line 9",
            "line 10",
        ] {
            assert!(said.contains(what), "{what} in {said}");
        }
        let [only] = truth.workloads.as_slice() else { panic!("{truth:?}") };
        assert_eq!(only.accounts, BTreeSet::from(["f".to_owned()]));
    }

    #[test]
    fn bytes_that_are_no_text_are_a_row_at_fault() {
        let truth = Truth::parse(&b"account,kind\n\xff\xfe,web\nb,web\n"[..]).unwrap();
        assert_eq!((truth.rejections.len(), truth.workloads.len()), (1, 1));
    }
}
