//! Breaking the glass: somebody at a gate lets pass what it refuses, all of it or one restriction, for a bounded time and
//! with a reason, without the server. It can only let pass; nothing here refuses anything.
//!
//! A file in the gate's folder is the log and the switch at once: a line of JSON for each time the glass is broken or
//! mended, appended and synced, never altered. What is broken is a fold over its lines, and ends by the clock of each
//! question; the file is looked at every second. What cannot be read in it opens nothing. Who can write there can stop the
//! gate as well: it is for those who run it, and what they do is in the file, in the metrics and in `/healthz`.

use super::held::Held;
use super::standalone::Notes;
use gate::{Restriction, time};
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// For how long the glass is broken, at most; whoever needs longer breaks it again.
pub const SECONDS_MAX: i64 = 86_400;

/// How long a reason, and a name, is.
const CHARACTERS_MAX: usize = 500;

/// The file, in the folder of a gate.
const FILE: &str = "glass.jsonl";

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// What somebody did to the glass: a line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When, as `2026-03-01T05:00:00Z`.
    pub at: String,
    /// Who says so.
    pub by: String,
    /// Why.
    pub reason: String,
    /// What.
    pub did: Did,
}

/// What is done to the glass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Did {
    /// Broke it.
    Break {
        /// Until when.
        until: String,
        /// Which restriction passes; all of them if none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        restriction: Option<String>,
    },
    /// Mended it: nothing that was broken before passes any more.
    Mend,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum GlassError {
    /// It says no reason, or nobody.
    #[error("the {0} is empty or longer than {CHARACTERS_MAX} characters: say it in a sentence")]
    Words(&'static str),
    /// No time, or one that is too long.
    #[error("the glass is broken for 1 second to 24 hours: name such a time; it can be broken again")]
    Time,
    /// The file cannot be written.
    #[error("{path}: {source}; name the folder that the gate was given by --state")]
    File {
        /// Which.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
}

/// What is broken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glass(Vec<Broken>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Broken {
    from: i64,
    until: i64,
    restriction: Option<String>,
}

impl Entry {
    /// What is wrong with it, or what it breaks; none where it mends.
    fn check(&self) -> Result<Option<Broken>, GlassError> {
        for (what, text) in [("reason", &self.reason), ("name of who does it", &self.by)] {
            if text.trim().is_empty() || text.chars().count() > CHARACTERS_MAX {
                return Err(GlassError::Words(what));
            }
        }
        let from = time::parse(&self.at).ok_or(GlassError::Time)?;
        let Did::Break { until, restriction } = &self.did else { return Ok(None) };
        let until = time::parse(until).ok_or(GlassError::Time)?;
        let bounded = (1..=SECONDS_MAX).contains(&until.saturating_sub(from));
        let restriction = restriction.clone();
        bounded.then_some(Some(Broken { from, until, restriction })).ok_or(GlassError::Time)
    }

    /// Appends it to the log in a gate's folder; it is on disk when this returns, and in force a second later.
    ///
    /// # Errors
    /// It says too little or too much, or the file cannot be written.
    pub fn append(&self, state: &Path) -> Result<(), GlassError> {
        self.check()?;
        let path = state.join(FILE);
        let failed = |source| GlassError::File { path: path.display().to_string(), source };
        let line = serde_json::to_string(self).map_err(|error| failed(error.into()))?;
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        // In one piece, so that two who write at once do not mix; on a line of its own, whatever stood there half.
        let lead = if file.metadata().map_err(failed)?.len() == 0 { "" } else { "\n" };
        file.write_all(format!("{lead}{line}\n").as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
    }
}

impl Glass {
    /// What a log says, and which of its lines, from 1, say nothing that is understood.
    pub fn read(log: &str) -> (Self, Vec<usize>) {
        let (mut glass, mut unread) = (Self::default(), Vec::new());
        for (line, number) in log.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()) {
            match serde_json::from_str::<Entry>(line).ok().and_then(|entry| entry.check().ok()) {
                Some(Some(broken)) => glass.0.push(broken),
                Some(None) => glass.0.clear(),
                None => unread.push(number),
            }
        }
        (glass, unread)
    }

    /// Whether anything is broken at this time.
    pub fn is_broken(&self, at: i64) -> bool {
        self.0.iter().any(|broken| broken.stands(at))
    }

    /// Whether a restriction lets pass at this time.
    pub fn passes(&self, restriction: &Restriction<'_>, at: i64) -> bool {
        let mut standing = self.0.iter().filter(|broken| broken.stands(at));
        standing.any(|broken| broken.restriction.as_ref().is_none_or(|own| *own == restriction.id()))
    }

    /// What lets pass at this time, `all` or a restriction's id, and until when.
    pub fn broken(&self, at: i64) -> Vec<(String, i64)> {
        let standing = self.0.iter().filter(|broken| broken.stands(at));
        let named = |broken: &Broken| (broken.restriction.clone().unwrap_or_else(|| "all".to_owned()), broken.until);
        standing.map(named).collect()
    }
}

impl Broken {
    fn stands(&self, at: i64) -> bool {
        (self.from..self.until).contains(&at)
    }
}

/// What looks at the log of a gate.
pub(super) struct Watch {
    path: PathBuf,
    held: Arc<Held>,
    notes: Notes,
    log: String,
    /// Why the log could not be read the last time.
    failed: Option<String>,
    broken: Vec<(String, i64)>,
}

impl Watch {
    /// Of a gate's folder; what is broken already counts at once.
    pub(super) fn new(state: &Path, held: Arc<Held>, notes: Notes) -> Self {
        let (path, log, failed, broken) = (state.join(FILE), String::new(), None, Vec::new());
        let mut watch = Self { path, held, notes, log, failed, broken };
        watch.look();
        watch
    }

    /// Goes on until it is dropped.
    pub(super) async fn follow(mut self) {
        loop {
            tokio::time::sleep(LOOK).await;
            self.look();
        }
    }

    /// Takes up what is new in the log, and says what begins and ends.
    fn look(&mut self) {
        // Of what cannot be read nothing passes: nobody could show a reason for it.
        let (log, failed) = match std::fs::read(&self.path) {
            Ok(bytes) => (String::from_utf8_lossy(&bytes).into_owned(), None),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => (String::new(), None),
            Err(error) => (String::new(), Some(format!("{}: {error}", self.path.display()))),
        };
        self.take(log);
        if let Some(why) = failed.as_ref().filter(|_| self.failed != failed) {
            (self.notes)(why);
        }
        self.failed = failed;
        let broken = self.held.glass().broken((self.held.settings().clock)());
        for (what, until) in broken.iter().filter(|one| !self.broken.contains(one)) {
            (self.notes)(&format!("the glass is broken: {what} passes until {}; see {FILE}", time::text(*until)));
        }
        for (what, _) in self.broken.iter().filter(|one| !broken.contains(one)) {
            (self.notes)(&format!("the glass is whole again: {what} passes no more"));
        }
        self.broken = broken;
    }

    fn take(&mut self, log: String) {
        if log == self.log {
            return;
        }
        let (glass, unread) = Glass::read(&log);
        for line in unread {
            (self.notes)(&format!(
                "{}: line {line} says nothing that is understood, and opens nothing",
                self.path.display()
            ));
        }
        self.held.open(glass);
        self.log = log;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(at: &str, until: &str, restriction: Option<&str>) -> Entry {
        let did = Did::Break { until: until.to_owned(), restriction: restriction.map(str::to_owned) };
        Entry { at: at.to_owned(), by: "gil".to_owned(), reason: "a test".to_owned(), did }
    }

    #[test]
    fn what_is_broken_ends_by_itself_or_is_mended() {
        let folder = tempfile::tempdir().unwrap();
        let (noon, one, two) = ("2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z", "2026-03-01T14:00:00Z");
        let at = |text: &str| time::parse(text).unwrap();
        broken(noon, two, None).append(folder.path()).unwrap();
        broken(one, two, Some("c1/d1/1")).append(folder.path()).unwrap();
        let read = || Glass::read(&std::fs::read_to_string(folder.path().join(FILE)).unwrap());
        let (glass, unread) = read();
        assert!(unread.is_empty() && !glass.is_broken(at(noon) - 1) && !glass.is_broken(at(two)));
        assert_eq!(glass.broken(at(noon)), [("all".to_owned(), at(two))]);
        assert_eq!(glass.broken(at(one)).len(), 2);
        Entry { did: Did::Mend, ..broken(one, two, None) }.append(folder.path()).unwrap();
        assert_eq!(read(), (Glass::default(), Vec::new()));
        broken(one, two, Some("c1/d1/2")).append(folder.path()).unwrap();
        assert_eq!(read().0.broken(at(one)), [("c1/d1/2".to_owned(), at(two))]);
        let log = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert_eq!(log.lines().filter(|line| !line.is_empty()).count(), 4, "nothing is taken out of the log");
    }

    #[test]
    fn what_is_without_bound_or_reason_or_cannot_be_read_opens_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let noon = "2026-03-01T12:00:00Z";
        for (until, reason) in [
            (noon, "a test"),
            ("2026-03-02T12:00:01Z", "a test"),
            ("2026-02-01T00:00:00Z", "a test"),
            ("later", "a test"),
            ("2026-03-01T13:00:00Z", " "),
            ("2026-03-01T13:00:00Z", &"x".repeat(501)),
        ] {
            let entry = Entry { reason: reason.to_owned(), ..broken(noon, until, None) };
            assert!(entry.append(folder.path()).is_err(), "{until} {reason}");
            let (glass, unread) = Glass::read(&serde_json::to_string(&entry).unwrap());
            assert_eq!((glass, unread), (Glass::default(), vec![1]));
        }
        let good = serde_json::to_string(&broken(noon, "2026-03-01T13:00:00Z", None)).unwrap();
        for cut in 0..good.len() {
            assert_eq!(Glass::read(&good[..cut]).0, Glass::default());
        }
        let (glass, unread) = Glass::read(&format!("{}\n{good}\n\0\n", &good[..30]));
        assert_eq!((glass.0.len(), unread), (1, vec![1, 3]));
        for line in
            ["{\"did\":\"refuse\"}", &good.replace("\"break\"", "\"close\""), &good.replace("gil\"", "gil\",\"x\":1")]
        {
            assert_eq!(Glass::read(line).1, [1], "{line}");
        }
    }
}
