//! What is public beside the log, held against it: each text by its digest, and each year's numbers against what the log
//! itself counts. It needs nothing of the record, so that anybody outside can do it.

use crate::common::Failure;
use review::metered::Compared;
use review::public::Entry;
use review::words::Digest;
use std::collections::BTreeMap;
use std::path::Path;

/// No public text is longer.
const TEXT_BYTES_MAX: u64 = 16 << 20;

/// What the log says of public texts and numbers.
#[derive(Default)]
pub(crate) struct Site {
    texts: Vec<Digest>,
    /// The last numbers of each year.
    counts: BTreeMap<i32, Digest>,
    /// By year: decisions approved, and corrections.
    seen: BTreeMap<i32, (u64, u64)>,
    /// By year and statement: what the days after the effect showed, by the last comparison.
    effects: BTreeMap<(i32, Digest), Compared>,
}

fn year(day: &str) -> i32 {
    day.split('-').next().and_then(|year| year.parse().ok()).unwrap_or_default()
}

impl Site {
    /// Takes an entry of the log.
    pub(crate) fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Statement { statement, .. } => self.texts.push(statement),
            Entry::Correction { correction, day, .. } => {
                self.texts.push(correction);
                self.of(&day).1 += 1;
            }
            Entry::Decision { day, .. } => self.of(&day).0 += 1,
            Entry::Effect { statement, kinds, day } => drop(self.effects.insert((year(&day), statement), kinds)),
            Entry::Counts { year, counts } => drop(self.counts.insert(year, counts)),
            Entry::Batch { .. } | Entry::Erasure { .. } => {}
        }
    }

    fn of(&mut self, day: &str) -> &mut (u64, u64) {
        self.seen.entry(year(day)).or_default()
    }

    /// Holds a mirror of what is public against it. Gives how many texts there are.
    ///
    /// # Errors
    /// The first text that is missing or another, or the first number that does not add up.
    pub(crate) fn hold(&self, folder: &Path) -> Result<usize, Failure> {
        for digest in &self.texts {
            text(folder, &format!("statements/{}.txt", digest.to_string().replace(':', "-")), digest)?;
        }
        for (year, digest) in &self.counts {
            let path = format!("transparency/{year}.csv");
            let csv = text(folder, &path, digest)?;
            let sum = |of: &str| -> u64 {
                let rows = csv.lines().filter_map(|line| line.rsplit_once(','));
                let rows = rows.filter(|(name, _)| name.trim_matches('"').split('/').next() == Some(of));
                rows.filter_map(|(_, value)| value.parse::<u64>().ok()).sum()
            };
            let (decisions, corrections) = self.seen.get(year).copied().unwrap_or_default();
            let mut kinds = Compared::default();
            self.effects.iter().filter(|((of, _), _)| of == year).for_each(|(_, compared)| kinds.add(compared));
            let kinds = kinds.stopped + kinds.still + kinds.as_before + kinds.less;
            for (what, said, seen) in [
                ("decisions approved", sum("decisions_approved"), decisions),
                ("corrections", sum("corrections"), corrections),
                ("kinds of use compared", sum("kinds_of_use"), kinds as u64),
            ] {
                if said != seen {
                    let wrong =
                        format!("it says {said} {what}, and the log has {seen} in {year}: ask the provider why");
                    return Err(Failure::Refused(format!("{}: {wrong}", folder.join(&path).display())));
                }
            }
        }
        Ok(self.texts.len() + self.counts.len())
    }
}

fn text(folder: &Path, path: &str, digest: &Digest) -> Result<String, Failure> {
    let path = folder.join(path);
    let wrong = |what: String| Failure::Refused(format!("{}: {what}", path.display()));
    let length = std::fs::metadata(&path).map_err(|error| wrong(format!("{error}; the log names it")))?.len();
    if length > TEXT_BYTES_MAX {
        return Err(wrong(format!("it has {length} bytes, more than any public text")));
    }
    let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
    if Digest::of(&text) == *digest { Ok(text) } else { Err(wrong("it is not the text that the log names".to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_do_not_add_up_with_the_log_are_seen() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("transparency")).unwrap();
        let hold = |approved: u64, signed: &str| {
            let csv =
                format!("indicator,value\ndecisions_approved/read-only,{approved}\n\"decisions_approved/a,b\",1\n");
            std::fs::write(folder.path().join("transparency/2026.csv"), &csv).unwrap();
            let mut site = Site::default();
            for (day, lifts) in [("2026-03-01", false), ("2026-12-31", true), ("2027-01-01", false)] {
                let (commitment, policy) = (Digest::of(day), Digest::of("pack"));
                site.take(Entry::Decision { commitment, policy, lifts, approvals: 2, day: day.to_owned() });
            }
            let counts = Digest::of(if signed.is_empty() { &csv } else { signed });
            site.take(Entry::Counts { year: 2026, counts });
            site.hold(folder.path()).map_err(|error| error.to_string())
        };
        assert_eq!(hold(1, ""), Ok(1));
        assert!(hold(2, "").unwrap_err().contains("says 3 decisions approved, and the log has 2 in 2026"));
        assert!(hold(1, "other").unwrap_err().contains("not the text that the log names"));
    }
}
