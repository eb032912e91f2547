//! Denials: somebody who had signed in asked for what is not theirs. Each is an event, and the stream is bounded, so that
//! nobody can flood it: the same person at the same thing counts once a day, and after [`DAILY_MAX`] of a person's day
//! one last event says that there were more.
//!
//! It decides nothing: who is denied what is told to it.

use crate::desk::{Clerk, TRIES};
use crate::error::Error;
use crate::streams;
use access::Thing;
use review::words::Moment;
use serde::{Deserialize, Serialize};

/// How many denials of one person a day are each an event.
pub const DAILY_MAX: usize = 20;

/// What the last event of a person's day is of.
const MORE: &str = "more of the same day";

/// The longest text in one.
const CHARS_MAX: usize = 300;

/// Somebody was denied something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// When.
    pub at: Moment,
    /// Who: `person/NUMBER` or `customer/ID`.
    pub who: String,
    /// What they asked for: a route.
    pub what: String,
    /// Why not.
    pub why: String,
}

impl Clerk {
    /// Notes that somebody was denied something; false if it says nothing that the day's events do not say.
    ///
    /// # Errors
    /// The record failed.
    pub async fn note_denial(&self, mut denial: Denial) -> Result<bool, Error> {
        for text in [&mut denial.who, &mut denial.what, &mut denial.why] {
            *text = text.chars().filter(|sign| !sign.is_control()).take(CHARS_MAX).collect();
        }
        for _ in 0..TRIES {
            let stream = streams::read::<Denial>(self.record(), streams::DENIALS).await?;
            let day = denial.at.day();
            let today = stream.events.iter().rev().take_while(|other| other.at.day() == day);
            let theirs: Vec<&Denial> = today.filter(|other| other.who == denial.who).collect();
            if theirs.len() > DAILY_MAX || theirs.iter().any(|other| other.what == denial.what) {
                return Ok(false);
            }
            if theirs.len() == DAILY_MAX {
                denial.what = MORE.to_owned();
                denial.why = format!("{DAILY_MAX} were noted; others that day are not");
            }
            let append = streams::append(streams::DENIALS, stream.length, denial.at, &denial)?;
            if self.append(&[append]).await? {
                return Ok(true);
            }
        }
        Err(Error::Busy)
    }

    /// Every denial, for whoever reads everything.
    ///
    /// # Errors
    /// They may not, or the record failed.
    pub async fn denials(&self, who: &str, at: Moment) -> Result<Vec<Denial>, Error> {
        let (roster, by) = (self.roster().await?, self.person(who).await?);
        self.may(&roster, &by, "read_all", &Thing::Record, None, at)?;
        Ok(streams::read(self.record(), streams::DENIALS).await?.events)
    }
}
