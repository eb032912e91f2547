//! The log of looks: whoever looks at names below the floor, or at one entity, leaves a trace (invariant 16).
//!
//! One line of JSON a look, appended and synced before anything is shown, in `looks.jsonl` under the user's state
//! folder. It is for commands that need no record; looks at cases and reports are events of the record.

use crate::common::Failure;
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;
use usage::Hour;

/// One look.
#[derive(Serialize)]
pub(crate) struct Look<'a> {
    /// Which command.
    pub command: &'a str,
    /// Why, in the words of who looks.
    pub purpose: &'a str,
    /// As of which time of the records.
    pub as_of: String,
    /// Which records.
    pub records: &'a str,
    /// At whom, where it was one entity.
    pub entity: Option<&'a str>,
    /// How many entities below the floor were named.
    pub named: usize,
}

/// Appends a look; if it cannot be logged, nothing may be shown.
pub(crate) fn log(
    command: &str,
    purpose: &str,
    at: Hour,
    records: &str,
    entity: Option<&str>,
    named: usize,
) -> Result<(), Failure> {
    if purpose.trim().is_empty() {
        return Err(Failure::Refused("a look at names needs a purpose; say why with --purpose \"…\"".into()));
    }
    let path = path()?;
    let fail = |source| Failure::Write { path: path.display().to_string(), source };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(fail)?;
    }
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&path).map_err(fail)?;
    let look = Look { command, purpose, as_of: at.to_string(), records, entity, named };
    let mut line = serde_json::to_string(&look).map_err(|error| Failure::Defect(error.to_string()))?;
    line.push('\n');
    file.write_all(line.as_bytes()).map_err(fail)?;
    file.sync_all().map_err(fail)
}

/// `$XDG_STATE_HOME/tribune/looks.jsonl`, or under `~/.local/state`.
fn path() -> Result<PathBuf, Failure> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = named("XDG_STATE_HOME").or_else(|| Some(named("HOME")?.join(".local/state")));
    let missing = || Failure::Refused("no place for the log of looks: set XDG_STATE_HOME or HOME".into());
    Ok(state.ok_or_else(missing)?.join("tribune/looks.jsonl"))
}
