//! What a set restricts, for those who enforce elsewhere than at a gate: Cedar policies, AWS service control policies,
//! Azure Policy definitions.
//!
//! Times are conditions in them, so that what begins and ends does so by itself; what is decided or lifted later needs
//! another export. Of what is in shadow nothing is written, for it refuses nothing. What a form cannot say is never left
//! out silently: it is [`Unreached`], by restriction and with the reason, and whoever exports decides whether a part is
//! better than nothing.

mod aws;
mod azure;
mod cedar;

use super::operations;
use gate::Operation;
use gate::{Restriction, Scope, Set, Switch};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The last second of the year 9999, after which dates are written otherwise.
const LATEST: i64 = 253_402_300_799;

/// For whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `forbid` policies and their schema; they say all that a gate says.
    Cedar,
    /// Service control policies, some for each account.
    Aws,
    /// Policy definitions, one for each restriction and effect.
    Azure,
}

/// What was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Export {
    /// The text of each file, by its name.
    #[serde(skip)]
    pub texts: BTreeMap<String, String>,
    /// Which restrictions each file is of, by their ids.
    pub files: BTreeMap<String, BTreeSet<String>>,
    /// What none of them says.
    pub unreached: Vec<Unreached>,
}

/// What of a restriction the form cannot say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreached {
    /// Its id.
    pub restriction: String,
    /// Which operations; none for all of it.
    pub operations: Vec<String>,
    /// Why.
    pub why: String,
}

/// Why nothing was made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// More than a cloud takes.
    #[error("{of} would need {needed} {what}, and {most} can be there: put a gate before it, or restrict fewer things")]
    Quota {
        /// The account.
        of: String,
        /// Of what.
        what: &'static str,
        /// How many.
        needed: usize,
        /// How many there may be.
        most: usize,
    },
    /// A table that is compiled in is of another form: a defect of this build.
    #[error("operations/export/{file}: {why}")]
    Table {
        /// Which.
        file: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

/// What the set restricts from this time on, in a form.
///
/// # Errors
/// It is more than there may be of it.
pub fn export(form: Form, set: &Set, at: i64) -> Result<Export, ExportError> {
    match form {
        Form::Cedar => Ok(cedar::export(set, at)),
        Form::Aws => aws::export(set, at),
        Form::Azure => azure::export(set, at),
    }
}

/// The restrictions that refuse at this time or later.
fn standing(set: &Set, at: i64) -> impl Iterator<Item = (Restriction<'_>, Scope<'_>)> {
    let all = set.restrictions().map(|restriction| (restriction, restriction.scope()));
    all.filter(move |(_, scope)| scope.enforced && scope.from < scope.until && at < scope.until)
}

/// From when until when an operation is refused; none if it never is. The two ends are [`i64::MIN`] and [`i64::MAX`] where
/// there is nothing to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Span {
    from: i64,
    until: i64,
}

impl Span {
    fn of(scope: &Scope<'_>, operation: &str, at: i64) -> Option<Self> {
        let needed = Operation::named(operation).switches().filter(|needed| scope.switches.covers(*needed))?;
        let reads = needed.contains(Switch::Read) || needed.contains(Switch::Export);
        let from = if reads { scope.window.max(scope.from) } else { scope.from };
        let from = if from <= at { i64::MIN } else { from };
        (from < scope.until).then_some(Self { from, until: scope.until })
    }
}

/// Every operation that any service has.
fn operations() -> impl Iterator<Item = &'static str> {
    let all: BTreeSet<&str> =
        operations::SERVICES.iter().flat_map(|(_, operations)| operations.iter().copied()).collect();
    all.into_iter()
}

impl Export {
    fn unreached(&mut self, restriction: &Restriction<'_>, operations: &[&str], why: &str) {
        let operations = operations.iter().map(|operation| (*operation).to_owned()).collect();
        self.unreached.push(Unreached { restriction: restriction.id(), operations, why: why.to_owned() });
    }

    fn put(&mut self, name: String, text: String, of: BTreeSet<String>) {
        self.texts.insert(name.clone(), text);
        self.files.insert(name, of);
    }
}
