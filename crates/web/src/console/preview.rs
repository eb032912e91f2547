//! A preview as a page shows it: what stops and what keeps running under a list of targets, by the usage of late.
//!
//! What becomes of each kind of use is said by [`review::metered`].

use super::deeds::target_words;
use review::metered::{self, Fate, Forecast, Metered};
use review::words::{Moment, Target};

/// What is aimed at, line by line, and what goes on, as far as a page holds it.
pub(super) struct PreviewView {
    pub(super) says: String,
    pub(super) aimed: Vec<UseRow>,
    pub(super) goes_on: Vec<UseRow>,
    /// Lines that the page has no room for.
    pub(super) more: usize,
    pub(super) idle: Vec<String>,
}

/// One kind of use.
pub(super) struct UseRow {
    pub(super) fate: &'static str,
    pub(super) badge: &'static str,
    pub(super) account: String,
    pub(super) what: String,
    pub(super) region: String,
    pub(super) quantity: String,
    pub(super) days: u16,
}

/// So many lines of a preview stand on the page; the shell shows all of them.
const USE_ROWS_MAX: usize = 60;

/// How much, with its unit; exactly, what a person can read at a glance.
fn quantity(line: &metered::Line) -> String {
    let (value, unit) = (line.quantity as f64, metered::unit(&line.operation));
    match unit {
        Some("bytes") => crate::plain::bytes(value),
        Some("byte-hours") => format!("{} for an hour", crate::plain::bytes(value)),
        _ => format!("{} {}", crate::plain::count(value), unit.unwrap_or_default()),
    }
}

fn row((line, fate): (&metered::Line, Fate)) -> UseRow {
    UseRow {
        fate: fate.words(),
        badge: match fate {
            Fate::Stops | Fate::StopsLater => "bad",
            Fate::Beyond => "warn",
            Fate::GoesOn => "own",
        },
        account: line.account.to_string(),
        what: format!("{} · {}", line.service, line.operation),
        region: line.region.as_ref().map(ToString::to_string).unwrap_or_default(),
        quantity: quantity(line),
        days: line.days,
    }
}

/// `1 account`, `2 accounts`.
fn counted(many: usize, one: &str, several: &str) -> String {
    format!("{many} {}", if many == 1 { one } else { several })
}

/// How many kinds of use stop; and of those that are aimed at, how many no gate reaches, if any.
pub(super) fn stopping(stops: usize, beyond: usize) -> String {
    let kinds = counted(stops, "kind of use stops", "kinds of use stop");
    match beyond {
        0 => kinds,
        _ => format!("{kinds}, {beyond} aimed at that no gate reaches"),
    }
}

impl PreviewView {
    /// Of what was metered, under these targets; `window` says that reading goes on for a while.
    pub(super) fn of(metered: &Metered, targets: &[Target], window: bool) -> Self {
        let (goes_on, mut aimed): (Vec<_>, Vec<_>) =
            metered.under(targets, window).partition(|(_, fate)| *fate == Fate::GoesOn);
        aimed.sort_by_key(|(line, fate)| (*fate, std::cmp::Reverse(line.quantity)));
        let more = goes_on.len().saturating_sub(USE_ROWS_MAX) + aimed.len().saturating_sub(USE_ROWS_MAX);
        let shown =
            |lines: Vec<(&metered::Line, Fate)>| lines.into_iter().take(USE_ROWS_MAX).map(row).collect::<Vec<_>>();
        let Forecast { stops, beyond, goes_on: on } = metered.forecast(targets);
        let (from, to) = (metered.from.day(), Moment(metered.to.0 - 1).day());
        Self {
            says: format!(
                "By the usage of {} from {from} to {to}: {}, {on} {}.",
                counted(metered.accounts.len(), "account", "accounts"),
                stopping(stops, beyond),
                if on == 1 { "goes on" } else { "go on" },
            ),
            aimed: shown(aimed),
            goes_on: shown(goes_on),
            more,
            idle: metered.idle(targets).map(target_words).collect(),
        }
    }
}
